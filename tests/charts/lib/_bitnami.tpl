{{- /*
What the bitnami charts do alike. Every helper takes a dict: `c` is the chart's context, `v` the values of one
component. Helpers that end in JSON are used as one-liners: `labels: {{ include "lib.labels" ... }}`.
*/}}

{{- define "lib.full" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}
{{- end }}

{{- /* A value with templates in it, as JSON. */}}
{{- define "lib.tpl" -}}
{{- if kindIs "string" .v }}{{ tpl .v .c | toJson }}
{{- else if kindIs "slice" .v }}{{ tpl (toYaml .v) .c | fromYamlArray | toJson }}
{{- else if kindIs "map" .v }}{{ tpl (toYaml .v) .c | fromYaml | toJson }}
{{- else }}{{ toJson .v }}{{ end }}
{{- end }}

{{- /* A file's text, given as a string or as a map. */}}
{{- define "lib.text" -}}
{{- if kindIs "string" .v }}{{ tpl .v .c }}{{ else }}{{ tpl (toYaml .v) .c }}{{ end }}
{{- end }}

{{- /* Those of `keys` that are set in `v`, as they are; "a=b" writes a as b. */}}
{{- define "lib.copy" -}}
{{- range .keys }}
{{- $names := splitList "=" . }}
{{- with index $.v (first $names) }}
{{ last $names }}: {{ include "lib.tpl" (dict "v" . "c" $.c) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* JSON: the standard labels, under common ones and `extra`; `component` wins. */}}
{{- define "lib.labels" -}}
{{- $own := dict }}
{{- with .component }}{{ $_ := set $own "app.kubernetes.io/component" . }}{{ end }}
{{- $standard := dict "app.kubernetes.io/name" .c.Chart.Name "app.kubernetes.io/instance" .c.Release.Name "app.kubernetes.io/managed-by" .c.Release.Service "app.kubernetes.io/version" .c.Chart.AppVersion "helm.sh/chart" (printf "%s-%s" .c.Chart.Name .c.Chart.Version) }}
{{- $given := include "lib.tpl" (dict "v" (merge (dict) (.extra | default dict) .c.Values.commonLabels) "c" .c) | fromJson }}
{{- merge (dict) $own $given $standard | toJson }}
{{- end }}

{{- /* JSON: the labels that select a component's pods. */}}
{{- define "lib.match" -}}
{{- $match := dict "app.kubernetes.io/name" .c.Chart.Name "app.kubernetes.io/instance" .c.Release.Name }}
{{- with .component }}{{ $_ := set $match "app.kubernetes.io/component" . }}{{ end }}
{{- toJson $match }}
{{- end }}

{{- /* metadata: `name`, `labels` (JSON), `annotations` beside the common ones, `cluster` for no namespace. */}}
{{- define "lib.meta" -}}
metadata:
  name: {{ .name }}
  {{- if not .cluster }}
  namespace: {{ .namespace | default .c.Release.Namespace }}
  {{- end }}
  labels: {{ .labels }}
  {{- with merge (dict) (.annotations | default dict) .c.Values.commonAnnotations }}
  annotations: {{ include "lib.tpl" (dict "v" . "c" $.c) }}
  {{- end }}
{{- end }}

{{- define "lib.image" -}}
{{- $registry := .c.Values.global.imageRegistry | default .v.registry }}
{{- with $registry }}{{ . }}/{{ end }}{{ .v.repository }}{{ if .v.digest }}@{{ .v.digest }}{{ else }}:{{ .v.tag }}{{ end }}
{{- end }}

{{- /* imagePullSecrets of the globals and of `images`. */}}
{{- define "lib.pullSecrets" -}}
{{- $given := .c.Values.global.imagePullSecrets | default list }}
{{- range .images }}{{ $given = concat $given (.pullSecrets | default list) }}{{ end }}
{{- $names := list }}
{{- range $given }}
{{- if kindIs "map" . }}{{ $names = append $names .name }}{{ else }}{{ $names = append $names . }}{{ end }}
{{- end }}
{{- with uniq $names }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "lib.resources" -}}
{{- $presets := dict
  "nano" (list "100m" "128Mi" "150m" "192Mi")
  "micro" (list "250m" "256Mi" "375m" "384Mi")
  "small" (list "500m" "512Mi" "750m" "768Mi")
  "medium" (list "500m" "1024Mi" "750m" "1536Mi")
  "large" (list "1.0" "2048Mi" "1.5" "3072Mi")
  "xlarge" (list "1.0" "3072Mi" "3.0" "6144Mi")
  "2xlarge" (list "1.0" "3072Mi" "6.0" "12288Mi") }}
{{- if .resources }}
resources: {{ toJson .resources }}
{{- else if ne .resourcesPreset "none" }}
{{- if not (hasKey $presets .resourcesPreset) }}
{{- printf "ERROR: Preset key '%s' invalid. Allowed values are %s" .resourcesPreset (keys $presets | sortAlpha | join ",") | fail }}
{{- end }}
{{- $p := get $presets .resourcesPreset }}
resources:
  requests: {cpu: {{ quote (index $p 0) }}, memory: {{ index $p 1 }}, ephemeral-storage: 50Mi}
  limits: {cpu: {{ quote (index $p 2) }}, memory: {{ index $p 3 }}, ephemeral-storage: 2Gi}
{{- end }}
{{- end }}

{{- define "lib.security" -}}
{{- if .enabled }}
securityContext: {{ omit . "enabled" (.privileged | default false | ternary "capabilities" "enabled") | toJson }}
{{- end }}
{{- end }}

{{- define "lib.storageClass" -}}
{{- $class := .c.Values.global.storageClass | default .v.storageClass | default .c.Values.global.defaultStorageClass }}
{{- with $class }}
storageClassName: {{ eq . "-" | ternary "" . | quote }}
{{- end }}
{{- end }}

{{- /* The spec of a claim from a component's `persistence`. */}}
{{- define "lib.claim" -}}
accessModes: {{ toJson .v.accessModes }}
resources: {requests: {storage: {{ .v.size | quote }}}}
{{- include "lib.storageClass" . }}
{{- end }}

{{- /* One preset of pod affinity: JSON terms, soft or hard. */}}
{{- define "lib.affinity.pods" -}}
{{- $term := dict "labelSelector" (dict "matchLabels" (fromJson .match)) "topologyKey" (.topologyKey | default "kubernetes.io/hostname") }}
{{- if eq .type "soft" }}{{ dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "podAffinityTerm" $term "weight" 1)) | toJson }}
{{- else if eq .type "hard" }}{{ dict "requiredDuringSchedulingIgnoredDuringExecution" (list $term) | toJson }}
{{- else }}null{{ end }}
{{- end }}
{{- define "lib.affinity.nodes" -}}
{{- $rule := dict "matchExpressions" (list (dict "key" .key "operator" "In" "values" .values)) }}
{{- if eq .type "soft" }}{{ dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "preference" $rule "weight" 1)) | toJson }}
{{- else if eq .type "hard" }}{{ dict "requiredDuringSchedulingIgnoredDuringExecution" (dict "nodeSelectorTerms" (list $rule)) | toJson }}
{{- else }}null{{ end }}
{{- end }}
{{- /* `affinity` as given, else from the presets. `bare`: an empty preset leaves its key out (custom resources take no null). */}}
{{- define "lib.affinity" -}}
{{- if .v.affinity }}
affinity: {{ include "lib.tpl" (dict "v" .v.affinity "c" .c) }}
{{- else }}
{{- $pods := include "lib.affinity.pods" (dict "type" .v.podAffinityPreset "match" .match) }}
{{- $anti := include "lib.affinity.pods" (dict "type" .v.podAntiAffinityPreset "match" .match "topologyKey" .v.podAntiAffinityPresetTopologyKey) }}
{{- $nodes := include "lib.affinity.nodes" .v.nodeAffinityPreset }}
affinity:
  {{- if not (and .bare (empty .v.podAffinityPreset)) }}
  podAffinity: {{ $pods }}
  {{- end }}
  {{- if not (and .bare (empty .v.podAntiAffinityPreset)) }}
  podAntiAffinity: {{ $anti }}
  {{- end }}
  {{- if not (and .bare (empty .v.nodeAffinityPreset.values)) }}
  nodeAffinity: {{ $nodes }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "lib.account" -}}
{{- if .v.serviceAccount.create }}{{ .v.serviceAccount.name | default .name }}{{ else }}{{ .v.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "lib.envFrom" -}}
{{- if or .v.extraEnvVarsCM .v.extraEnvVarsSecret }}
envFrom:
  {{- with .v.extraEnvVarsCM }}
  - configMapRef: {name: {{ tpl . $.c }}}
  {{- end }}
  {{- with .v.extraEnvVarsSecret }}
  - secretRef: {name: {{ tpl . $.c }}}
  {{- end }}
{{- end }}
{{- end }}

{{- /* One container: `part` has name, image, args, env, ports, mounts, probes. */}}
{{- define "lib.container" -}}
name: {{ .part.name }}
image: {{ include "lib.image" (dict "v" .image "c" .c) }}
imagePullPolicy: {{ .image.pullPolicy }}
{{- include "lib.security" .v.containerSecurityContext }}
{{- include "lib.copy" (dict "v" .v "c" .c "keys" (list "command" "lifecycleHooks=lifecycle")) }}
args: {{ if .v.args }}{{ include "lib.tpl" (dict "v" .v.args "c" .c) }}{{ else }}{{ toJson .part.args }}{{ end }}
{{- with concat (.part.env | default list) (include "lib.tpl" (dict "v" (.v.extraEnvVars | default list) "c" .c) | fromJsonArray) }}
env: {{ toJson . }}
{{- end }}
{{- include "lib.envFrom" . }}
ports: {{ toJson .part.ports }}
{{- range $kind, $handler := .part.probes }}
{{- $own := index $.v (printf "custom%sProbe" (title $kind)) }}
{{- $values := index $.v (printf "%sProbe" $kind) }}
{{- if $own }}
{{ $kind }}Probe: {{ include "lib.tpl" (dict "v" $own "c" $.c) }}
{{- else if $values.enabled }}
{{ $kind }}Probe: {{ merge (omit $values "enabled") $handler | toJson }}
{{- end }}
{{- end }}
{{- include "lib.resources" .v }}
volumeMounts: {{ concat (.part.mounts | default list) (include "lib.tpl" (dict "v" (.v.extraVolumeMounts | default list) "c" .c) | fromJsonArray) | toJson }}
{{- end }}

{{- /* The pod template of a component: `part`, `v`, `image`, `name`, `component`, `match`. */}}
{{- define "lib.pod" -}}
metadata:
  labels: {{ include "lib.labels" (dict "c" .c "component" .component "extra" .v.podLabels) }}
  {{- with merge (dict) (.v.podAnnotations | default dict) (.part.annotations | default dict) }}
  annotations: {{ include "lib.tpl" (dict "v" . "c" $.c) }}
  {{- end }}
spec:
  serviceAccountName: {{ include "lib.account" . }}
  automountServiceAccountToken: {{ .v.automountServiceAccountToken }}
  {{- include "lib.pullSecrets" (dict "c" .c "images" (.images | default (list .image))) | indent 2 }}
  {{- include "lib.affinity" . | indent 2 }}
  {{- include "lib.copy" (dict "v" .v "c" .c "keys" (list "hostAliases" "dnsConfig" "dnsPolicy" "nodeSelector" "tolerations" "priorityClassName" "schedulerName" "topologySpreadConstraints" "terminationGracePeriodSeconds")) | indent 2 }}
  {{- include "lib.security" .v.podSecurityContext | indent 2 }}
  {{- range $key, $value := .part.pod }}
  {{ $key }}: {{ toJson $value }}
  {{- end }}
  {{- with concat (.part.initContainers | default list) (include "lib.tpl" (dict "v" (.v.initContainers | default list) "c" .c) | fromJsonArray) }}
  initContainers: {{ toJson . }}
  {{- end }}
  containers:
    {{- $sidecars := "" }}
    {{- range .v.sidecars }}{{ $sidecars = printf "%s\n    - %s" $sidecars (include "lib.tpl" (dict "v" . "c" $.c)) }}{{ end }}
    {{- if .part.sidecarsFirst }}{{ $sidecars }}{{ end }}
    - {{- include "lib.container" . | nindent 6 }}
    {{- if not .part.sidecarsFirst }}{{ $sidecars }}{{ end }}
  volumes: {{ concat (.part.volumes | default list) (include "lib.tpl" (dict "v" (.v.extraVolumes | default list) "c" .c) | fromJsonArray) | toJson }}
{{- end }}

{{- /* A Service: `v` is its values, `ports` a list of {name, port, targetPort, protocol}, `selector` JSON. */}}
{{- define "lib.service" -}}
apiVersion: v1
kind: Service
{{ include "lib.meta" . }}
spec:
  type: {{ .v.type }}
  {{- $open := ne .v.type "ClusterIP" }}
  {{- if $open }}
  externalTrafficPolicy: {{ .v.externalTrafficPolicy }}
  {{- else }}
  {{- include "lib.copy" (dict "v" .v "c" .c "keys" (list "clusterIP")) | indent 2 }}
  {{- end }}
  {{- if eq .v.type "LoadBalancer" }}
  {{- include "lib.copy" (dict "v" .v "c" .c "keys" (list "loadBalancerIP" "loadBalancerClass")) | indent 2 }}
  {{- with .v.loadBalancerSourceRanges }}
  loadBalancerSourceRanges: {{ if $.plainRanges }}{{ . }}{{ else }}{{ toJson . }}{{ end }}
  {{- end }}
  {{- end }}
  {{- include "lib.copy" (dict "v" .v "c" .c "keys" (list "ipFamilyPolicy" "ipFamilies" "sessionAffinity" "sessionAffinityConfig")) | indent 2 }}
  ports:
    {{- range .ports }}
    - {{- range $key, $value := . }}
      {{ $key }}: {{ toJson $value }}
      {{- end }}
      {{- if $open }}
      {{- with index $.v.nodePorts .name }}
      nodePort: {{ . }}
      {{- end }}
      {{- end }}
    {{- end }}
    {{- range .v.extraPorts }}
    - {{ include "lib.tpl" (dict "v" . "c" $.c) }}
    {{- end }}
  {{- if .early }}
  publishNotReadyAddresses: true
  {{- end }}
  selector: {{ if .v.labelSelectorsOverride }}{{ include "lib.tpl" (dict "v" .v.labelSelectorsOverride "c" .c) }}{{ else }}{{ .selector }}{{ end }}
{{- end }}

{{- define "lib.serviceAccount" -}}
{{- if .v.serviceAccount.create }}
---
apiVersion: v1
kind: ServiceAccount
{{ include "lib.meta" (dict "c" .c "name" (include "lib.account" .) "labels" .labels "annotations" .v.serviceAccount.annotations) }}
automountServiceAccountToken: {{ .v.serviceAccount.automountServiceAccountToken }}
{{- if .images }}{{ include "lib.pullSecrets" . }}{{ end }}
{{- end }}
{{- end }}

{{- define "lib.budget" -}}
{{- if .v.pdb.create }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
{{ include "lib.meta" (dict "c" .c "name" .name "labels" .labels) }}
spec:
  {{- with .v.pdb.minAvailable }}
  minAvailable: {{ . }}
  {{- end }}
  {{- if or .v.pdb.maxUnavailable (not .v.pdb.minAvailable) }}
  maxUnavailable: {{ .v.pdb.maxUnavailable | default 1 }}
  {{- end }}
  selector: {matchLabels: {{ .match }}}
{{- end }}
{{- end }}

{{- /* Everybody may come in on `ports`, everything may go out, and what `extraIngress` adds; nothing narrower is played. */}}
{{- define "lib.network" -}}
{{- if .v.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "lib.meta" (dict "c" .c "name" .name "labels" .labels) }}
spec:
  podSelector: {matchLabels: {{ .match }}}
  policyTypes: [Ingress, Egress]
  egress: [{}]
  ingress:
    - ports:
        {{- range .ports }}
        - port: {{ . }}
        {{- end }}
    {{- range .v.networkPolicy.extraIngress }}
    - {{ include "lib.tpl" (dict "v" . "c" $.c) }}
    {{- end }}
{{- end }}
{{- end }}

{{- /* A ServiceMonitor: `v` its values, `select` JSON, `endpoint` a dict, `jobLabel` YAML or nothing. */}}
{{- define "lib.monitor" -}}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
{{ include "lib.meta" . }}
spec:
  {{- if hasKey . "jobLabel" }}
  jobLabel: {{ .jobLabel }}
  {{- end }}
  {{- include "lib.copy" (dict "v" .v "c" .c "keys" (list "sampleLimit")) | indent 2 }}
  selector: {matchLabels: {{ .select }}}
  namespaceSelector: {matchNames: [{{ .where | default .c.Release.Namespace }}]}
  endpoints:
    - {{- range $key, $value := .endpoint }}
      {{ $key }}: {{ toJson $value }}
      {{- end }}
      {{- include "lib.copy" (dict "v" .v "c" .c "keys" (list "interval" "scrapeTimeout" "honorLabels" "relabelings" "metricRelabelings")) | indent 6 }}
      {{- range $key, $value := .v.extraParameters }}
      {{ $key }}: {{ toJson $value }}
      {{- end }}
{{- end }}

{{- /* What the real charts say of images that are not bitnami's: `images` a list of image values. */}}
{{- define "lib.insecureImages" -}}
{{- $original := .c.Chart.Annotations.images }}
{{- $moved := list }}{{ $replaced := list }}{{ $legacy := 0 }}
{{- range .images }}
{{- $registry := $.c.Values.global.imageRegistry | default .registry }}
{{- $name := printf "%s/%s" $registry .repository }}
{{- if not (contains $name $original) }}
{{- if not (contains $registry $original) }}{{ $moved = append $moved (printf "%s:%s" $name .tag) }}
{{- else if not (contains .repository $original) }}{{ $replaced = append $replaced (printf "%s:%s" $name .tag) }}
{{- if contains "docker.io/bitnamilegacy/" $name }}{{ $legacy = add1 $legacy }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- $all := concat $moved $replaced }}
{{- if and $all (not .c.Values.global.security.allowInsecureImages) (or $moved (ne (len $replaced) (int $legacy))) }}
{{- $text := "\n\n⚠ ERROR: Original containers have been substituted for unrecognized ones. Deploying this chart with non-standard containers is likely to cause degraded security and performance, broken chart features, and missing environment variables.\n\nUnrecognized images:" }}
{{- range $all }}{{ $text = printf "%s\n  - %s" $text . }}{{ end }}
{{- printf "%s\n\nIf you are sure you want to proceed with non-standard containers, you can skip container image verification by setting the global parameter 'global.security.allowInsecureImages' to true.\nFurther information can be obtained at https://github.com/bitnami/charts/issues/30850" $text | fail }}
{{- end }}
{{- end }}
