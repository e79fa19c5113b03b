{{- /* The pods that the operator makes carry these labels, not the chart's. */}}
{{- define "kp.match" -}}
{{- dict "app.kubernetes.io/name" .part "app.kubernetes.io/component" .part .part (printf "%s-%s" (include "lib.full" .c) .part)
  | merge (dict) .c.Values.commonLabels (index .c.Values .part).podMetadata.labels | toJson }}
{{- end }}

{{- define "kp.images" -}}
{{- with .Values }}{{ toJson (list .operator.image .operator.prometheusConfigReloader.image .prometheus.image .prometheus.thanos.image .alertmanager.image .blackboxExporter.image .thanosRuler.image) }}{{ end }}
{{- end }}

{{- /* A probe of the containers that are patched into the operator's pods. */}}
{{- define "kp.probes" -}}
{{- range $kind := list "liveness" "readiness" "startup" }}
{{- with index $.v (printf "%sProbe" $kind) }}
{{- if .enabled }}
{{ $kind }}Probe:
  {{- if $.port }}
  httpGet: {path: {{ .path }}, port: {{ $.port }}, scheme: HTTP}
  {{- else }}
  tcpSocket: {port: reloader-web}
  {{- end }}
  {{- range $key := list "initialDelaySeconds" "periodSeconds" "timeoutSeconds" "failureThreshold" "successThreshold" }}
  {{ $key }}: {{ index $.v (printf "%sProbe" $kind) $key }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* A container that the operator makes, patched by name. */}}
{{- define "kp.patch" -}}
{{- if or .v.containerSecurityContext.enabled .v.livenessProbe.enabled .v.readinessProbe.enabled }}
- name: {{ .name }}
  {{- include "lib.security" .v.containerSecurityContext | indent 2 }}
  {{- include "kp.probes" . | indent 2 }}
{{- end }}
{{- end }}

{{- /* What the specs of Prometheus and Alertmanager have in common. */}}
{{- define "kp.spec" -}}
{{- $name := printf "%s-%s" (include "lib.full" .c) .part -}}
replicas: {{ .v.replicaCount }}
serviceAccountName: {{ include "lib.account" (dict "v" .v "name" $name) }}
image: {{ include "lib.image" (dict "v" .v.image "c" .c) }}
imagePullPolicy: {{ .v.image.pullPolicy }}
listenLocal: {{ .v.listenLocal }}
externalUrl: {{ .v.externalUrl | default (printf "http://%s.%s:%d%s" $name .c.Release.Namespace (int .port) .v.routePrefix) | quote }}
paused: {{ .v.paused }}
logLevel: {{ .v.logLevel }}
logFormat: {{ .v.logFormat }}
retention: {{ .v.retention }}
portName: {{ .v.portName | quote }}
routePrefix: {{ .v.routePrefix | quote }}
{{- include "lib.copy" (dict "v" .v "c" .c "keys" (list "secrets" "configMaps" "enableFeatures" "nodeSelector" "tolerations" "priorityClassName" "topologySpreadConstraints")) }}
{{- include "lib.resources" .v }}
{{- include "lib.security" .v.podSecurityContext }}
{{- include "lib.affinity" (dict "v" .v "c" .c "bare" true "match" (include "lib.match" (dict "c" .c "component" .part))) }}
{{- include "lib.pullSecrets" (dict "c" .c "images" (include "kp.images" .c | fromJsonArray)) }}
podMetadata:
  labels: {{ include "kp.match" . }}
  {{- include "lib.copy" (dict "v" .v.podMetadata "c" .c "keys" (list "annotations")) | indent 2 }}
{{- if .v.storageSpec }}
storage: {{ include "lib.tpl" (dict "v" .v.storageSpec "c" .c) }}
{{- else if .v.persistence.enabled }}
storage:
  volumeClaimTemplate:
    {{- $meta := dict }}
    {{- with merge (dict) .v.persistence.annotations .c.Values.commonAnnotations }}{{ $_ := set $meta "annotations" . }}{{ end }}
    {{- with .c.Values.commonLabels }}{{ $_ := set $meta "labels" . }}{{ end }}
    {{- with $meta }}
    metadata: {{ toJson . }}
    {{- end }}
    spec: {{- include "lib.claim" (dict "c" .c "v" .v.persistence) | nindent 6 }}
{{- end }}
volumes:
  - {name: empty-dir, emptyDir: {}}
  {{- range .v.volumes }}
  - {{ include "lib.tpl" (dict "v" . "c" $.c) }}
  {{- end }}
volumeMounts:
  - {name: empty-dir, mountPath: /tmp, subPath: tmp-dir}
  {{- range .v.volumeMounts }}
  - {{ include "lib.tpl" (dict "v" . "c" $.c) }}
  {{- end }}
{{- end }}

{{- define "kp.sidecar" -}}
{{- $v := .Values.prometheus.thanos -}}
- name: thanos-sidecar
  image: {{ include "lib.image" (dict "v" $v.image "c" .) }}
  imagePullPolicy: {{ $v.image.pullPolicy }}
  args:
    - sidecar
    - --prometheus.url={{ $v.prometheusUrl | default "http://localhost:9090" }}
    - --grpc-address=0.0.0.0:{{ $v.containerPorts.grpc }}
    - --http-address=0.0.0.0:{{ $v.containerPorts.http }}
    - --tsdb.path=/prometheus/
    {{- if $v.objectStorageConfig.secretName }}
    - --objstore.config=$(OBJSTORE_CONFIG)
    {{- end }}
    {{- range $v.extraArgs }}
    - {{ toJson . }}
    {{- end }}
  env:
    {{- with $v.objectStorageConfig.secretName }}
    - {name: OBJSTORE_CONFIG, valueFrom: {secretKeyRef: {name: {{ . }}, key: {{ $v.objectStorageConfig.secretKey | default "thanos.yaml" }}}}}
    {{- end }}
    {{- range $v.extraEnvVars }}
    - {{ include "lib.tpl" (dict "v" . "c" $) }}
    {{- end }}
  {{- include "lib.envFrom" (dict "v" $v "c" .) | indent 2 }}
  ports:
    - {name: grpc, containerPort: {{ $v.containerPorts.grpc }}, protocol: TCP}
    - {name: http, containerPort: {{ $v.containerPorts.http }}, protocol: TCP}
  volumeMounts:
    - name: prometheus-{{ include "lib.full" . }}-prometheus-db
      mountPath: /prometheus
      {{- if not (.Values.prometheus.storageSpec.disableMountSubPath | default (not .Values.prometheus.persistence.enabled)) }}
      subPath: prometheus-db
      {{- end }}
    {{- range $v.extraVolumeMounts }}
    - {{ include "lib.tpl" (dict "v" . "c" $) }}
    {{- end }}
  {{- include "lib.resources" $v | indent 2 }}
  {{- include "lib.security" $v.containerSecurityContext | indent 2 }}
  {{- include "kp.probes" (dict "v" $v "port" "http") | indent 2 }}
{{- end }}
