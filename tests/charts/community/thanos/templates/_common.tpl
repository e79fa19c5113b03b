{{- /* What the components have in common. */}}

{{- define "th.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "th.full" -}}
{{- $name := include "th.name" . }}
{{- .Values.fullnameOverride | default (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* The name of a component: the chart's context, its own name. */}}
{{- define "th.of" -}}
{{- printf "%s-%s" (include "th.full" (first .)) (last .) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "th.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- define "th.domain" -}}
{{- include "th.namespace" . }}.svc.{{ .Values.global.clusterDomain }}
{{- end }}

{{- /* The chart's context, the values of an image. */}}
{{- define "th.image" -}}
{{- with last . }}
{{- with .registry }}{{ . }}/{{ end }}{{ .repository }}:{{ .tag | default (first $).Chart.AppVersion }}
{{- end }}
{{- end }}

{{- /* JSON: the labels that select a component's pods. */}}
{{- define "th.match" -}}
{{- $match := dict "app.kubernetes.io/name" (include "th.name" .c) "app.kubernetes.io/instance" .c.Release.Name }}
{{- with .component }}{{ $_ := set $match "app.kubernetes.io/component" . }}{{ end }}
{{- toJson $match }}
{{- end }}

{{- /* JSON: the labels of everything, `component` and `extra` ones. */}}
{{- define "th.labels" -}}
{{- $common := dict "app.kubernetes.io/part-of" "thanos" }}
{{- if not .plain }}{{ range $key, $value := .c.Values.global.commonLabels }}{{ $_ := set $common $key (toString $value) }}{{ end }}{{ end }}
{{- merge (dict) (.extra | default dict) $common (include "th.match" . | fromJson) | toJson }}
{{- end }}

{{- /* metadata: `name`, `component`, `extra` labels, `annotations`; `cluster` for no namespace. */}}
{{- define "th.meta" -}}
metadata:
  name: {{ .name }}
  {{- if not .cluster }}
  namespace: {{ include "th.namespace" .c }}
  {{- end }}
  labels: {{ include "th.labels" . }}
  {{- with .annotations }}
  annotations: {{ toJson . }}
  {{- end }}
{{- end }}

{{- /* Those of `keys` that the component sets or, failing that, the globals; "a=b" writes a as b. */}}
{{- define "th.pick" -}}
{{- range .keys }}
{{- $names := splitList "=" . }}
{{- with index $.v (first $names) | default (index $.c.Values.global (first $names)) }}
{{ last $names }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- end }}

{{- /* JSON: the list `key` of the globals and of the component. */}}
{{- define "th.both" -}}
{{- concat (index .c.Values.global .key) (index .v .key) | toJson }}
{{- end }}

{{- /* The same, of things with a name: the component's win, in the order of their names. */}}
{{- define "th.named" -}}
{{- $all := dict }}
{{- range include "th.both" . | fromJsonArray }}{{ $_ := set $all .name . }}{{ end }}
{{- $sorted := list }}
{{- range keys $all | sortAlpha }}{{ $sorted = append $sorted (get $all .) }}{{ end }}
{{- toJson $sorted }}
{{- end }}

{{- /* path, initialDelaySeconds, periodSeconds, ...: they stand for a zero too. */}}
{{- define "th.probes" -}}
{{- range $kind, $default := dict "readiness" (list "/-/ready" 5 10 5 6 1) "liveness" (list "/-/healthy" 30 10 5 6 1) "startup" (list "/-/ready" 0 5 5 60 1) }}
{{- $probe := index $.probes $kind }}
{{- if $probe.enabled }}
{{ $kind }}Probe:
  httpGet: {path: {{ $probe.path | default (first $default) }}, port: http}
  {{- range $n, $field := list "initialDelaySeconds" "periodSeconds" "timeoutSeconds" "failureThreshold" "successThreshold" }}
  {{ $field }}: {{ index $probe $field | default (index $default (add1 $n)) }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "th.claim" -}}
{{- with .v.persistence }}
accessModes: {{ .accessModes | default (list "ReadWriteOnce") | toJson }}
{{- with .storageClass | default $.c.Values.global.storageClass }}
storageClassName: {{ quote . }}
{{- end }}
{{- with .volumeAttributesClassName }}
{{- if not ($.c.Capabilities.APIVersions.Has "storage.k8s.io/v1/VolumeAttributesClass") }}
{{- printf "volumeAttributesClassName has been specified for '%s'. However, 'storage.k8s.io/v1/VolumeAttributesClass' isn't supported" $.component | fail }}
{{- end }}
volumeAttributesClassName: {{ quote . }}
{{- end }}
resources: {requests: {storage: {{ .size }}}}
{{- end }}
{{- end }}

{{- /* YAML: the service account a component runs under, and whether it is its own. */}}
{{- define "th.account" -}}
{{- $own := .v.serviceAccount }}
{{- $all := .c.Values.global.serviceAccount }}
{{- $dedicated := kindIs "invalid" $own.create | ternary $all.perComponent $own.create }}
{{- $shared := or $all.create (not (empty $all.name)) | ternary (include "th.account.shared" .c) "default" }}
name: {{ $own.name | default ($dedicated | ternary (include "th.of" (list .c .component)) $shared) }}
dedicated: {{ $dedicated }}
automount: {{ kindIs "invalid" $own.automountServiceAccountToken | ternary $all.automountServiceAccountToken $own.automountServiceAccountToken }}
annotations: {{ merge (dict) $own.annotations $all.annotations | toJson }}
{{- end }}
{{- define "th.account.shared" -}}
{{- .Values.global.serviceAccount.name | default (include "th.of" (list . "thanos")) }}
{{- end }}

{{- /* The pod template of a component: `v` its values, `part` what tells it apart. */}}
{{- define "th.pod" -}}
metadata:
  labels: {{ include "th.labels" (dict "c" .c "component" .component "extra" .v.podLabels) }}
  {{- $checksum := eq .part.kind "StatefulSet" | ternary (dict "checksum/objstore-configuration" (sha256sum .c.Values.global.objstore.config)) dict }}
  {{- with merge (dict) .c.Values.global.podAnnotations $checksum (.part.annotations | default dict) }}
  annotations: {{ toJson . }}
  {{- end }}
spec:
  serviceAccountName: {{ (include "th.account" . | fromYaml).name }}
  {{- include "th.pick" (dict "c" .c "v" .v "keys" (list "affinity" "podSecurityContext=securityContext" "dnsConfig" "nodeSelector" "priorityClassName" "tolerations" "topologySpreadConstraints")) | indent 2 }}
  {{- with .c.Values.global.imagePullSecrets }}
  imagePullSecrets: {{ toJson . }}
  {{- end }}
  initContainers: {{ include "lib.tpl" (dict "c" .c "v" (include "th.both" (dict "c" .c "v" .v "key" "extraInitContainers") | fromJsonArray)) }}
  containers:
    - name: {{ .component }}
      image: {{ include "th.image" (list .c .c.Values.global.image) }}
      imagePullPolicy: {{ .c.Values.global.image.pullPolicy }}
      args: {{ concat .part.args (toStrings .v.extraArgs) | toJson }}
      env: {{ concat (.part.env | default list) (include "th.named" (dict "c" .c "v" .v "key" "extraEnv") | fromJsonArray) | toJson }}
      envFrom: {{ include "th.named" (dict "c" .c "v" .v "key" "extraEnvFrom") }}
      ports:
        {{- range .part.ports }}
        - {name: {{ . }}, containerPort: {{ include "th.port" (list $.v.service . "Port") }}}
        {{- end }}
      {{- $data := .part.data | empty | ternary list (list (dict "name" "data" "mountPath" .part.data)) }}
      volumeMounts: {{ concat $data (.part.mounts | default list) (include "th.both" (dict "c" .c "v" .v "key" "extraVolumeMounts") | fromJsonArray) | toJson }}
      {{- include "th.pick" (dict "c" .c "v" .v "keys" (list "containerSecurityContext=securityContext")) | indent 6 }}
      resources: {{ toJson .v.resources }}
      {{- include "th.probes" .v | indent 6 }}
    {{- range concat (.part.sidecars | default list) (include "lib.tpl" (dict "c" .c "v" (include "th.both" (dict "c" .c "v" .v "key" "extraContainers") | fromJsonArray)) | fromJsonArray) }}
    - {{ toJson . }}
    {{- end }}
  {{- $data := list }}
  {{- if .part.data }}
  {{- with .v.persistence }}
  {{- if not .enabled }}{{ $data = list (dict "name" "data" "emptyDir" dict) }}
  {{- else if .existingClaim }}{{ $data = list (dict "name" "data" "persistentVolumeClaim" (dict "claimName" .existingClaim)) }}
  {{- end }}
  {{- end }}
  {{- end }}
  volumes: {{ concat (.part.volumes | default list) $data (include "th.both" (dict "c" .c "v" .v "key" "extraVolumes") | fromJsonArray) | toJson }}
{{- end }}

{{- /* The number of a port: the values of a Service, the port's name, "Port" or "NodePort". A Service with one port has no name in its values. */}}
{{- define "th.port" -}}
{{- $service := index . 0 }}
{{- $key := printf "%s%s" (index . 1 | camelcase | untitle) (index . 2) }}
{{- hasKey $service $key | ternary (get $service $key) (get $service (untitle (index . 2))) | default "" }}
{{- end }}

{{- /* A Service: `ports` are names; `headless` has no address and no component among its labels, so that nothing is scraped twice. */}}
{{- define "th.service" -}}
apiVersion: v1
kind: Service
{{ include "th.meta" (dict "c" .c "name" .name "extra" .v.service.labels "component" (empty .headless | ternary .component "") "annotations" (merge (dict) .v.service.annotations .annotations)) }}
spec:
  type: {{ empty .headless | ternary .v.service.type "ClusterIP" }}
  {{- if .headless }}
  clusterIP: None
  {{- end }}
  ports:
    {{- range .ports }}
    - name: {{ . }}
      port: {{ include "th.port" (list $.v.service . "Port") }}
      targetPort: {{ . }}
      {{- if not $.headless }}
      {{- with include "th.port" (list $.v.service . "NodePort") }}
      nodePort: {{ . }}
      {{- end }}
      {{- end }}
    {{- end }}
  selector: {{ include "th.match" . }}
{{- end }}
