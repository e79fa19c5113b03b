{{- /*
What tells the components of Thanos apart, as YAML: what they run, which ports they have and which of them their Service and
their headless one show, what they mount, where they keep data. Everything they have in common is in components.yaml.
*/}}

{{- define "th.objstore" -}}
{name: objstore, secret: {secretName: {{ .secretName }}, items: [{key: {{ .secretKey }}, path: objstore.yml}]}}
{{- end }}

{{- define "th.hashrings" -}}
{{- $name := include "th.of" (list . "receive") }}
{{- $pods := .Values.receive.hashrings.autogen.enabled | ternary (int .Values.receive.replicaCount) 1 }}
{{- $endpoints := list }}
{{- range until $pods }}
{{- $endpoints = append $endpoints (printf "%s-%d.%s-headless.%s:%v" $name . $name (include "th.domain" $) $.Values.receive.service.grpcPort) }}
{{- end }}
{{- .Values.receive.hashrings.static | default (list (dict "endpoints" $endpoints)) | toPrettyJson }}
{{- end }}

{{- define "th.parts" -}}
{{- $v := .Values }}
{{- $domain := include "th.domain" . }}
{{- $query := include "th.of" (list . "query") }}
{{- $frontend := include "th.of" (list . "query-frontend") }}
{{- $receive := include "th.of" (list . "receive") }}
{{- $ruler := include "th.of" (list . "ruler") }}
{{- $store := include "th.of" (list . "storegateway") }}
{{- $importing := $v.ruler.autoImportPrometheusRules.enabled }}
bucketweb:
  kind: Deployment
  ports: [http]
  service: [http]
  args:
    - tools
    - bucket
    - web
    - --http-address=0.0.0.0:{{ $v.bucket.bucketweb.service.port }}
    - --objstore.config-file=/etc/thanos/objstore.yml
  mounts: [{name: objstore, mountPath: /etc/thanos, readOnly: true}]
  volumes: [{{ include "th.objstore" $v.global.objstore }}]
compactor:
  kind: StatefulSet
  ports: [http]
  service: [http]
  data: /var/thanos/compact
  args:
    - compact
    - --http-address=0.0.0.0:{{ $v.compactor.service.port }}
    - --objstore.config-file=/etc/thanos/objstore.yml
    - --data-dir=/var/thanos/compact
    - --wait
    {{- range $resolution := list "raw" "5m" "1h" }}
    {{- with get $v.compactor.retention (printf "resolution%s" (title $resolution)) }}
    - --retention.resolution-{{ $resolution }}={{ . }}
    {{- end }}
    {{- end }}
  mounts: [{name: objstore, mountPath: /etc/thanos, readOnly: true}]
  volumes: [{{ include "th.objstore" $v.global.objstore }}]
query:
  kind: Deployment
  ports: [http, grpc]
  service: [http, grpc]
  args:
    - query
    - --http-address=0.0.0.0:{{ $v.query.service.httpPort }}
    - --grpc-address=0.0.0.0:{{ $v.query.service.grpcPort }}
    {{- if $v.query.endpoints.autogen.enabled }}
    {{- range list (list "storegateway" $store) (list "receive" (printf "%s-headless" $receive)) (list "ruler" (printf "%s-headless" $ruler)) }}
    {{- if (index $v (index . 0)).enabled }}
    - --endpoint=dnssrv+_grpc._tcp.{{ index . 1 }}.{{ $domain }}
    {{- end }}
    {{- end }}
    {{- end }}
    {{- range concat $v.query.endpoints.static $v.query.stores }}
    - --endpoint={{ . }}
    {{- end }}
    {{- range $v.query.replicaLabels }}
    - --query.replica-label={{ . }}
    {{- end }}
query-frontend:
  kind: Deployment
  ports: [http]
  service: [http]
  args:
    - query-frontend
    - --http-address=0.0.0.0:{{ $v.queryFrontend.service.port }}
    - --query-frontend.downstream-url={{ $v.queryFrontend.downstreamUrl | default (printf "http://%s:%v" $query $v.query.service.httpPort) }}
    {{- if $v.queryFrontend.cacheConfig }}
    - --query-range.response-cache-config-file=/etc/thanos/cache.yaml
  mounts: [{name: cache, mountPath: /etc/thanos/cache.yaml, subPath: cache.yaml}]
  volumes: [{name: cache, configMap: {name: {{ $frontend }}-cache}}]
    {{- end }}
receive:
  kind: StatefulSet
  ports: [grpc, http, remote-write]
  service: [http, remote-write]
  headless: [grpc]
  governed: {{ $receive }}-headless
  data: /var/thanos/receive
  annotations: {checksum/hashrings: {{ include "th.hashrings" . | sha256sum }}}
  args:
    - receive
    - --http-address=0.0.0.0:{{ $v.receive.service.httpPort }}
    - --grpc-address=0.0.0.0:{{ $v.receive.service.grpcPort }}
    - --remote-write.address=0.0.0.0:{{ $v.receive.service.remoteWritePort }}
    - --objstore.config-file=/etc/thanos/objstore.yml
    - --tsdb.path=/var/thanos/receive
    - --label=receive_replica="$(POD_NAME)"
    - --receive.hashrings-file=/etc/thanos/hashrings.json
    - --receive.hashrings-algorithm=ketama
    - --receive.local-endpoint=$(NAME).{{ $receive }}-headless.$(NAMESPACE).svc.{{ $v.global.clusterDomain }}:{{ $v.receive.service.grpcPort }}
    {{- with $v.receive.tenancyHeader }}
    - --receive.tenant-header={{ . }}
    {{- end }}
    {{- with $v.receive.tsdb.retention }}
    - --tsdb.retention={{ . }}
    {{- end }}
    {{- if $v.receive.tsdb.walCompression }}
    - --tsdb.wal-compression
    {{- end }}
  env:
    - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
  mounts: [{name: thanos-config, mountPath: /etc/thanos, readOnly: true}]
  volumes:
    - name: thanos-config
      projected:
        sources:
          - secret: {name: {{ $v.global.objstore.secretName }}, items: [{key: {{ $v.global.objstore.secretKey }}, path: objstore.yml}]}
          - configMap: {name: {{ include "th.of" (list . "receive-hashrings") }}, items: [{key: hashrings.json, path: hashrings.json}]}
ruler:
  kind: StatefulSet
  ports: [http, grpc]
  service: [http]
  headless: [grpc]
  data: /var/thanos/ruler
  args:
    - rule
    - --http-address=0.0.0.0:{{ $v.ruler.service.httpPort }}
    - --grpc-address=0.0.0.0:{{ $v.ruler.service.grpcPort }}
    - --data-dir=/var/thanos/ruler
    - --objstore.config-file=/etc/thanos/objstore.yml
    - --rule-file=/etc/thanos/rules/*.yaml
    - --label=ruler_replica="$(POD_NAME)"
    - --alert.label-drop=ruler_replica
    {{- if $importing }}
    - --rule-file=/etc/thanos/rules/generated/*.yaml
    {{- end }}
    - --alertmanagers.config-file=/etc/thanos/alertmanagers.yaml
    - --query.config-file=/etc/thanos/query-urls.yaml
    {{- with $v.ruler.alertQueryUrl }}
    - --alert.query-url={{ . }}
    {{- end }}
  env: [{name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
  mounts:
    - {name: objstore, mountPath: /etc/thanos/objstore.yml, subPath: objstore.yml, readOnly: true}
    - {name: rules, mountPath: /etc/thanos/rules}
    {{- if $importing }}
    - {name: generated-rules, mountPath: /etc/thanos/rules/generated}
    {{- end }}
    - {name: am, mountPath: /etc/thanos/alertmanagers.yaml, subPath: alertmanagers.yaml}
    - {name: query, mountPath: /etc/thanos/query-urls.yaml, subPath: query-urls.yaml}
  volumes:
    - {{ include "th.objstore" $v.global.objstore }}
    - {name: rules, configMap: {name: {{ $ruler }}-rules}}
    {{- if $importing }}
    - {name: generated-rules, emptyDir: {}}
    - {name: rule-importer-script, configMap: {name: {{ $ruler }}-rule-importer, defaultMode: 0755}}
    {{- end }}
    - {name: am, configMap: {name: {{ $ruler }}-am}}
    - {name: query, configMap: {name: {{ $ruler }}-query}}
  {{- if $importing }}
  {{- with $v.ruler.autoImportPrometheusRules.sidecar }}
  sidecars:
    - name: prometheus-rule-importer
      image: {{ include "th.image" (list $ .image) }}
      imagePullPolicy: {{ .image.pullPolicy }}
      command: [/bin/sh, /scripts/import.sh]
      resources: {{ toJson .resources }}
      volumeMounts: [{name: generated-rules, mountPath: /generated}, {name: rule-importer-script, mountPath: /scripts}]
      securityContext: {{ merge (dict) ($v.ruler.containerSecurityContext | default $v.global.containerSecurityContext) (dict "runAsUser" 65534) | toJson }}
  {{- end }}
  {{- end }}
storegateway:
  kind: StatefulSet
  ports: [grpc, http]
  service: [http, grpc]
  data: /var/thanos/store
  args:
    - store
    - --grpc-address=0.0.0.0:{{ $v.storegateway.service.grpcPort }}
    - --http-address=0.0.0.0:{{ $v.storegateway.service.httpPort }}
    - --objstore.config-file=/etc/thanos/objstore.yml
    - --data-dir=/var/thanos/store
    {{- if $v.storegateway.cachingBucketConfig }}
    - --store.caching-bucket.config-file=/etc/thanos/caching-bucket.yaml
    {{- end }}
  mounts:
    - {name: objstore, mountPath: /etc/thanos/objstore.yml, subPath: objstore.yml, readOnly: true}
    {{- if $v.storegateway.cachingBucketConfig }}
    - {name: caching-bucket, mountPath: /etc/thanos/caching-bucket.yaml, subPath: caching-bucket.yaml}
    {{- end }}
  volumes:
    - {{ include "th.objstore" $v.global.objstore }}
    {{- if $v.storegateway.cachingBucketConfig }}
    - {name: caching-bucket, configMap: {name: {{ $store }}-caching}}
    {{- end }}
{{- end }}
