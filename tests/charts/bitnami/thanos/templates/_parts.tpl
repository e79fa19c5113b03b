{{- /*
What tells the components of Thanos apart, as YAML: where their values are, what they run, what they mount.
Everything they have in common is in components.yaml.
*/}}

{{- define "thanos.objstoreSecret" -}}
{{ .Values.existingObjstoreSecret | default (printf "%s-objstore-secret" (include "lib.full" .)) }}
{{- end }}

{{- define "thanos.queryUrl" -}}
{{ .Values.ruler.queryURL | default (printf "http://%s-query.%s.svc.%s:%d" (include "lib.full" .) .Release.Namespace .Values.clusterDomain (int .Values.query.service.ports.http)) }}
{{- end }}

{{- define "thanos.objstoreVolume" -}}
- name: objstore-config
  secret:
    secretName: {{ tpl (include "thanos.objstoreSecret" .) . }}
    {{- with .Values.existingObjstoreSecretItems }}
    items: {{ toJson . }}
    {{- end }}
{{- end }}

{{- define "thanos.parts" -}}
{{- $full := include "lib.full" . }}
{{- $dns := printf "%s.svc.%s" .Release.Namespace .Values.clusterDomain }}
{{- with .Values.bucketweb }}
bucketweb:
  values: bucketweb
  kind: Deployment
  ports: {http: {{ .containerPorts.http }}}
  args:
    - tools
    - bucket
    - web
    - --http-address=0.0.0.0:{{ .containerPorts.http }}
    - --log.level={{ .logLevel }}
    - --log.format={{ .logFormat }}
    - --objstore.config-file=/conf/objstore.yml
    {{- with .refresh }}
    - --refresh={{ . }}
    {{- end }}
    {{- with .timeout }}
    - --timeout={{ . }}
    {{- end }}
  mounts: [{name: objstore-config, mountPath: /conf}]
  volumes: {{- include "thanos.objstoreVolume" $ | nindent 4 }}
{{- end }}
{{- with .Values.compactor }}
compactor:
  values: compactor
  kind: Deployment
  single: true
  ports: {http: {{ .containerPorts.http }}}
  args:
    - compact
    - --log.level={{ .logLevel }}
    - --log.format={{ .logFormat }}
    - --http-address=0.0.0.0:{{ .containerPorts.http }}
    - --data-dir={{ .dataDir }}
    - --retention.resolution-raw={{ .retentionResolutionRaw }}
    - --retention.resolution-5m={{ .retentionResolution5m }}
    - --retention.resolution-1h={{ .retentionResolution1h }}
    - --consistency-delay={{ .consistencyDelay }}
    - --compact.concurrency={{ .concurrency }}
    - --objstore.config-file=/conf/objstore.yml
    {{- range .extraFlags }}
    - {{ toJson . }}
    {{- end }}
    - --wait
  mounts:
    - {name: objstore-config, mountPath: /conf}
    - {name: data, mountPath: /data}
  volumes: {{- include "thanos.objstoreVolume" $ | nindent 4 }}
    {{- if .persistence.enabled }}
    - {name: data, persistentVolumeClaim: {claimName: {{ tpl .persistence.existingClaim $ | default (printf "%s-compactor" $full) }}}}
    {{- else if .persistence.defaultEmptyDir }}
    - {name: data, emptyDir: {}}
    {{- end }}
{{- end }}
{{- with .Values.query }}
{{- $sd := .existingSDConfigmap | default (empty .sdConfig | ternary "" (printf "%s-query-sd" $full)) }}
query:
  values: query
  kind: Deployment
  ports: {http: 10902, grpc: 10901}
  networkPorts: [{{ .containerPorts.http }}, {{ .containerPorts.grpc }}, {{ .service.ports.http }}, {{ .serviceGrpc.ports.grpc }}]
  args:
    - query
    - --log.level={{ .logLevel }}
    - --log.format={{ .logFormat }}
    - --grpc-address=0.0.0.0:10901
    - --http-address=0.0.0.0:10902
    {{- range (kindIs "string" .replicaLabel | ternary (list .replicaLabel) .replicaLabel) }}
    - --query.replica-label={{ . }}
    {{- end }}
    {{- if $sd }}
    - --store.sd-files=/conf/sd/servicediscovery.yml
    {{- end }}
    {{- if .dnsDiscovery.enabled }}
    {{- if and .dnsDiscovery.sidecarsService .dnsDiscovery.sidecarsNamespace }}
    - --endpoint=dnssrv+_grpc._tcp.{{ tpl .dnsDiscovery.sidecarsService $ }}.{{ tpl .dnsDiscovery.sidecarsNamespace $ }}.svc.{{ $.Values.clusterDomain }}
    {{- end }}
    {{- range $part := list "storegateway" "ruler" }}
    {{- $v := index $.Values $part }}
    {{- if $v.enabled }}
    {{- $host := printf "%s-%s%s.%s" $full $part ($v.service.additionalHeadless | ternary "-headless" "") $dns }}
    {{- if $v.useEndpointGroup }}
    - --endpoint-group={{ $host }}:{{ $v.service.ports.grpc }}
    {{- else }}
    - --endpoint=dnssrv+_grpc._tcp.{{ $host }}
    {{- end }}
    {{- end }}
    {{- end }}
    {{- end }}
    {{- range .stores }}
    - --endpoint={{ . }}
    {{- end }}
    - --alert.query-url={{ include "thanos.queryUrl" $ }}
  mounts: [{{ if $sd }}{name: sd-config, mountPath: /conf/sd}{{ end }}]
  volumes: [{{ if $sd }}{name: sd-config, configMap: {name: {{ tpl $sd $ }}}}{{ end }}]
  {{- if and .sdConfig (not .existingSDConfigmap) }}
  config: {name: query-sd, key: servicediscovery.yml, checksum: query-sd-configuration, data: {{ include "lib.text" (dict "v" .sdConfig "c" $) | trimAll "\n" | toJson }}}
  {{- end }}
{{- end }}
{{- with .Values.queryFrontend }}
{{- $config := .existingConfigmap | default (empty .config | ternary "" (printf "%s-query-frontend" $full)) }}
query-frontend:
  values: queryFrontend
  kind: Deployment
  ports: {http: {{ .containerPorts.http }}}
  args:
    - query-frontend
    - --log.level={{ .logLevel }}
    - --log.format={{ .logFormat }}
    - --http-address=0.0.0.0:{{ .containerPorts.http }}
    - --query-frontend.downstream-url=http://{{ $full }}-query:{{ $.Values.query.service.ports.http }}
    {{- if $config }}
    - --query-range.response-cache-config-file=/conf/cache/config.yml
    {{- end }}
  mounts: [{{ if $config }}{name: cache-config, mountPath: /conf/cache}{{ end }}]
  volumes: [{{ if $config }}{name: cache-config, configMap: {name: {{ tpl $config $ }}}}{{ end }}]
  {{- if and .config (not .existingConfigmap) }}
  config: {name: query-frontend, key: config.yml, checksum: query-frontend-configuration, data: {{ include "lib.text" (dict "v" .config "c" $) | trimAll "\n" | toJson }}}
  {{- end }}
{{- end }}
{{- with .Values.ruler }}
ruler:
  values: ruler
  kind: StatefulSet
  ports: {http: {{ .containerPorts.http }}, grpc: {{ .containerPorts.grpc }}}
  args:
    - rule
    - --log.level={{ .logLevel }}
    - --log.format={{ .logFormat }}
    - --grpc-address=0.0.0.0:{{ .containerPorts.grpc }}
    - --http-address=0.0.0.0:{{ .containerPorts.http }}
    - --data-dir={{ .dataPath | default "/data" }}
    - --eval-interval={{ .evalInterval }}
    {{- range .alertmanagers }}
    - --alertmanagers.url={{ . }}
    {{- end }}
    {{- if .alertmanagersConfig }}
    - --alertmanagers.config-file=/conf/alertmanagers/alertmanagers_config.yml
    {{- end }}
    {{- if and $.Values.query.enabled .dnsDiscovery.enabled }}
    - --query=dnssrv+_http._tcp.{{ $full }}-query.{{ $dns }}
    {{- end }}
    - --alert.query-url={{ include "thanos.queryUrl" $ }}
    - --label={{ .replicaLabel }}="$(POD_NAME)"
    - --label=ruler_cluster="{{ .clusterName }}"
    - --alert.label-drop={{ .replicaLabel }}
    - --objstore.config-file=/conf/objstore/objstore.yml
    - --rule-file={{ .ruleFile }}
    {{- range .queries }}
    - --query={{ . }}
    {{- end }}
  env: [{name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
  mounts:
    - {name: ruler-config, mountPath: /conf/rules}
    - {name: objstore-config, mountPath: /conf/objstore}
    - {name: data, mountPath: /data}
    {{- if .alertmanagersConfig }}
    - {name: alertmanagers-config, mountPath: /conf/alertmanagers}
    {{- end }}
  volumes:
    - {name: ruler-config, configMap: {name: {{ tpl (.existingConfigmap | default (printf "%s-ruler" $full)) $ }}}}
    {{- include "thanos.objstoreVolume" $ | nindent 4 }}
    {{- if .alertmanagersConfig }}
    - {name: alertmanagers-config, secret: {secretName: {{ $full }}-ruler-alertmanagers-config}}
    {{- end }}
  {{- if and .config (not .existingConfigmap) }}
  config: {name: ruler, key: ruler.yml, checksum: ruler-configuration, data: {{ include "lib.text" (dict "v" .config "c" $) | trimAll "\n" | toJson }}}
  {{- end }}
{{- end }}
{{- with .Values.storegateway }}
{{- $cache := or .config $.Values.indexCacheConfig $.Values.bucketCacheConfig }}
storegateway:
  values: storegateway
  kind: StatefulSet
  ports: {http: {{ .containerPorts.http }}, grpc: {{ .containerPorts.grpc }}}
  args:
    - store
    - --log.level={{ .logLevel }}
    - --log.format={{ .logFormat }}
    - --grpc-address=0.0.0.0:{{ .containerPorts.grpc }}
    - --http-address=0.0.0.0:{{ .containerPorts.http }}
    - --data-dir=/data
    - --objstore.config-file=/conf/objstore.yml
    {{- if $.Values.indexCacheConfig }}
    - --index-cache.config-file=/conf/cache/index-cache.yml
    {{- end }}
    {{- if $.Values.bucketCacheConfig }}
    - --store.caching-bucket.config-file=/conf/cache/bucket-cache.yml
    {{- end }}
    {{- if or .config .existingConfigmap }}
    - --index-cache.config-file=/conf/cache/config.yml
    {{- end }}
  mounts:
    - {name: objstore-config, mountPath: /conf}
    - {name: data, mountPath: /data}
    {{- if or $cache .existingConfigmap }}
    - {name: cache-config, mountPath: /conf/cache}
    {{- end }}
  volumes: {{- include "thanos.objstoreVolume" $ | nindent 4 }}
    {{- if or $cache .existingConfigmap }}
    - {name: cache-config, configMap: {name: {{ tpl (.existingConfigmap | default (printf "%s-storegateway" $full)) $ }}}}
    {{- end }}
{{- end }}
{{- end }}
