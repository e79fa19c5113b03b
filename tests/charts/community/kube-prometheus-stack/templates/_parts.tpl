{{- /*
What the objects of kube-prometheus-stack and of its subcharts have in common. Helpers take a dict: `c` is the chart's context,
`v` the values of one part. Those whose comment says JSON are used as one-liners.
*/}}

{{- define "kps.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "kps.full" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- .Values.fullnameOverride | default (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) | trunc 26 | trimSuffix "-" }}
{{- end }}

{{- /* The name of the Prometheus or the Alertmanager, which its pods carry. */}}
{{- define "kps.cr" -}}
{{ include "kps.full" .c }}{{ if not .c.Values.cleanPrometheusOperatorObjectNames }}-{{ .part }}{{ end }}
{{- end }}

{{- define "kps.operator" -}}
{{- with .Values.prometheusOperator.fullnameOverride }}{{ . | trunc 35 | trimSuffix "-" }}{{ else }}{{ include "kps.full" . }}-operator{{ end }}
{{- end }}

{{- define "kps.namespace" -}}
{{ .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- /* JSON: the labels of an object: `app` the end of the label app, `labels` more of them; `base` what a subchart has in their place. */}}
{{- define "kps.labels" -}}
{{- $own := .base | default (dict "app.kubernetes.io/managed-by" .c.Release.Service "app.kubernetes.io/instance" .c.Release.Name
  "app.kubernetes.io/version" .c.Chart.Version "app.kubernetes.io/part-of" (include "kps.name" .c)
  "chart" (printf "%s-%s" .c.Chart.Name .c.Chart.Version) "release" .c.Release.Name "heritage" .c.Release.Service) }}
{{- if hasKey . "app" }}{{ $_ := set $own "app" (printf "%s%s" (include "kps.name" .c) .app) }}{{ end }}
{{- merge (dict) (.labels | default dict) (.c.Values.commonLabels | default dict) $own | toJson }}
{{- end }}

{{- /* JSON: the labels of the pods that the operator makes: `part` is prometheus or alertmanager. */}}
{{- define "kps.pods" -}}
{{ dict "app.kubernetes.io/name" .part (eq .part "prometheus" | ternary "operator.prometheus.io/name" "alertmanager") (include "kps.cr" .) | toJson }}
{{- end }}

{{- /* metadata: `name`, `app`, `labels`, `annotations`; `cluster` for no namespace. */}}
{{- define "kps.meta" -}}
metadata:
  name: {{ .name }}
  {{- if not .cluster }}
  namespace: {{ .namespace | default (include "kps.namespace" .c) }}
  {{- end }}
  labels: {{ include "kps.labels" . }}
  {{- with .annotations }}
  annotations: {{ toJson . }}
  {{- end }}
{{- end }}

{{- /* Those of `keys` that are set in `v`, as they are (lib.copy reads templates in them). */}}
{{- define "kps.copy" -}}
{{- range .keys }}
{{- $names := splitList "=" . }}
{{- with index $.v (first $names) }}
{{ last $names }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Those of `keys` that are not null, be they false. */}}
{{- define "kps.given" -}}
{{- range .keys }}
{{- if not (kindIs "invalid" (index $.v .)) }}
{{ . }}: {{ index $.v . | toJson }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The flags of a command, from pairs of name and value; those without a value are left out. */}}
{{- define "kps.flags" -}}
{{- range . }}
{{- $flag := first . }}
{{- with last . }}
- --{{ $flag }}={{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- /* An image: `v` its values, `tag` where they have none. */}}
{{- define "kps.image" -}}
{{ .c.Values.global.imageRegistry | default .v.registry }}/{{ .v.repository }}{{ with .v.tag | default .tag }}:{{ . }}{{ end }}{{ with .v.sha }}@sha256:{{ . }}{{ end }}
{{- end }}

{{- /* The ServiceAccount's name: as given, else `name` where it is made here. */}}
{{- define "kps.account" -}}
{{ .v.serviceAccount.name | default (.v.serviceAccount.create | ternary .name "default") }}
{{- end }}

{{- define "kps.serviceAccount" -}}
{{- if .v.serviceAccount.create }}
---
apiVersion: v1
kind: ServiceAccount
{{ include "kps.meta" (merge (dict "name" (include "kps.account" .)) .) }}
automountServiceAccountToken: {{ .v.serviceAccount.automountServiceAccountToken }}
{{- include "lib.pullSecrets" (dict "c" .c "images" (list (dict "pullSecrets" .v.serviceAccount.imagePullSecrets))) }}
{{- end }}
{{- end }}

{{- /* A Secret: `data` as it is read from it. */}}
{{- define "kps.secret" -}}
---
apiVersion: v1
kind: Secret
{{ include "kps.meta" . }}
data:
  {{- range $key, $value := .data }}
  {{ $key }}: {{ b64enc $value | quote }}
  {{- end }}
{{- end }}

{{- define "kps.network" -}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "kps.meta" . }}
spec: {{ toJson .spec }}
{{- end }}

{{- /* A Service: `v` its values, `ports` a list, `selector` a dict. A nodePort counts where the type is NodePort. */}}
{{- define "kps.service" -}}
---
apiVersion: v1
kind: Service
{{ include "kps.meta" . }}
spec:
  {{- include "kps.copy" (dict "v" .v "keys" (list "type" "clusterIP" "externalIPs" "loadBalancerIP" "loadBalancerSourceRanges" "sessionAffinity" "internalTrafficPolicy")) | indent 2 }}
  {{- if eq (.v.sessionAffinity | default "None") "ClientIP" }}
  sessionAffinityConfig: {clientIP: {timeoutSeconds: {{ .v.sessionAffinityConfig.clientIP.timeoutSeconds }}}}
  {{- end }}
  {{- if ne (.v.type | default "ClusterIP") "ClusterIP" }}
  externalTrafficPolicy: {{ .v.externalTrafficPolicy }}
  {{- end }}
  {{- with .v.ipDualStack }}
  {{- if .enabled }}{{ include "kps.copy" (dict "v" . "keys" (list "ipFamilies" "ipFamilyPolicy")) | indent 2 }}{{ end }}
  {{- end }}
  {{- if hasKey .v "publishNotReadyAddresses" }}
  publishNotReadyAddresses: {{ .v.publishNotReadyAddresses }}
  {{- end }}
  ports:
    {{- range .ports }}
    - {{ (and (eq ($.v.type | default "") "NodePort") (not (empty .nodePort))) | ternary . (omit . "nodePort") | toJson }}
    {{- end }}
  {{- with .selector }}
  selector: {{ toJson . }}
  {{- end }}
{{- end }}

{{- define "kps.budget" -}}
{{- if .v.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
{{ include "kps.meta" . }}
spec:
  {{- range $key, $value := omit .v "enabled" }}
  {{ $key }}: {{ toJson $value }}
  {{- end }}
  selector: {matchLabels: {{ toJson .match }}}
{{- end }}
{{- end }}

{{- /* Access for the whole cluster: `rules` JSON, `account` the ServiceAccount's name. */}}
{{- define "kps.clusterRole" -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
{{ include "kps.meta" (merge (dict "cluster" true) .) }}
rules: {{ .rules }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
{{ include "kps.meta" (merge (dict "cluster" true) .) }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ .name }}}
subjects: [{kind: ServiceAccount, name: {{ .account }}, namespace: {{ include "kps.namespace" .c }}}]
{{- end }}

{{- /* A ServiceMonitor: `v` its values, `select` a dict of labels, `selector` one that is given, `where` namespaces, `endpoints` a list
of dicts: `own` with those of `keys` that the values set. */}}
{{- define "kps.monitor" -}}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
{{ include "kps.meta" (merge (dict "labels" (merge (dict) (.v.additionalLabels | default dict) (.labels | default dict))) .) }}
spec:
  {{- with .jobLabel }}
  jobLabel: {{ . }}
  {{- end }}
  {{- include "kps.copy" (dict "v" .v "keys" (list "attachMetadata" "targetLabels" "podTargetLabels" "sampleLimit" "targetLimit" "labelLimit" "labelNameLengthLimit" "labelValueLengthLimit")) | indent 2 }}
  selector: {{ .selector | default (dict "matchLabels" .select) | toJson }}
  {{- with hasKey . "where" | ternary .where (list (include "kps.namespace" .c)) }}
  namespaceSelector: {matchNames: {{ toJson . }}}
  {{- end }}
  endpoints:
    {{- range .endpoints }}
    - {{ merge (dict) .own (include "lib.copy" (dict "c" $.c "v" (.v | default $.v) "keys" (.keys | default list)) | fromYaml) | toJson }}
    {{- end }}
{{- end }}

{{- /* What is around Prometheus and Alertmanager: `port` more of the Service's first port, `own` and `keys` more of the endpoint's. */}}
{{- define "kps.around" -}}
{{- $name := printf "%s-%s" (include "kps.full" .c) .part }}
{{- $app := printf "-%s" .part }}
{{- $pods := include "kps.pods" . | fromJson }}
{{- $part := dict "app.kubernetes.io/component" .part }}
{{ include "kps.serviceAccount" (dict "c" .c "v" .v "name" $name "app" $app "annotations" (include "lib.tpl" (dict "v" .v.serviceAccount.annotations "c" .c) | fromJson)
  "labels" (merge (dict "app.kubernetes.io/name" (printf "%s-%s" (include "kps.name" .c) .part)) $part)) }}
{{- with .v.service }}
{{- if .enabled }}
{{- $ports := list (merge (dict "name" $.spec.portName "port" .port "targetPort" .targetPort "nodePort" .nodePort) ($.port | default dict)) }}
{{- with eq $.part "prometheus" | ternary .reloaderWebPort 8080 }}
{{- $ports = append $ports (dict "name" "reloader-web" "appProtocol" "http" "port" . "targetPort" "reloader-web" "nodePort" $.v.service.reloaderWebNodePort) }}
{{- end }}
{{ include "kps.service" (dict "c" $.c "v" . "name" $name "app" $app "labels" (merge (dict) .labels (dict "self-monitor" (toString $.v.serviceMonitor.selfMonitor))) "annotations" .annotations
  "selector" $pods "ports" (concat $ports .additionalPorts)) }}
{{- end }}
{{- end }}
{{ include "kps.budget" (dict "c" .c "v" .v.podDisruptionBudget "name" $name "app" $app "match" $pods) }}
{{- if .v.serviceMonitor.selfMonitor }}
{{- $keys := concat (list "interval" "scheme" "tlsConfig" "relabelings" "metricRelabelings") (.keys | default list) }}
{{- $path := printf "%s/metrics" (trimSuffix "/" .spec.routePrefix) }}
{{ include "kps.monitor" (dict "c" .c "v" .v.serviceMonitor "name" $name "app" $app "select" (dict "app" (printf "%s-%s" (include "kps.name" .c) .part) "release" .c.Release.Name "self-monitor" "true")
  "endpoints" (list (dict "own" (merge (dict "port" .spec.portName "path" $path) (.own | default dict)) "keys" (append $keys "bearerTokenFile"))
    (dict "own" (dict "port" "reloader-web" "path" "/metrics") "keys" $keys))) }}
{{- end }}
{{- with .v.extraSecret }}
{{- if .data }}
{{ include "kps.secret" (dict "c" $.c "name" (.name | default (printf "%s-%s-extra" $.part (include "kps.full" $.c))) "app" $app "labels" $part "annotations" .annotations "data" .data) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* What the specs of Prometheus and Alertmanager have in common. */}}
{{- define "kps.spec" -}}
image: {{ include "kps.image" (dict "v" .v.image "c" .c) | quote }}
imagePullPolicy: {{ .v.image.pullPolicy }}
version: {{ .v.version | default .v.image.tag | quote }}
replicas: {{ .v.replicas }}
serviceAccountName: {{ include "kps.account" (dict "v" (index .c.Values .part) "name" (printf "%s-%s" (include "kps.full" .c) .part)) }}
externalUrl: {{ tpl (.v.externalUrl | default (printf "http://%s-%s.%s:%v" (include "kps.full" .c) .part (include "kps.namespace" .c) (index .c.Values .part).service.port)) .c | quote }}
{{- include "kps.given" (dict "v" .v "keys" (list "automountServiceAccountToken" "hostUsers" "enableServiceLinks" "paused" "listenLocal" "logFormat" "logLevel" "retention" "portName" "hostNetwork")) }}
{{- include "kps.copy" (dict "v" .v "keys" (list "nodeSelector" "resources" "routePrefix" "securityContext" "dnsConfig" "dnsPolicy" "web" "tolerations" "topologySpreadConstraints"
  "priorityClassName" "persistentVolumeClaimRetentionPolicy" "volumes" "volumeMounts" "additionalArgs" "minReadySeconds" "podManagementPolicy" "updateStrategy"
  "terminationGracePeriodSeconds" "schedulerName" "hostAliases")) }}
{{- include "lib.copy" (dict "v" .v "c" .c "keys" (list "serviceName")) }}
{{- include "lib.pullSecrets" (dict "c" .c) }}
{{- $match := list (dict "key" "app.kubernetes.io/name" "operator" "In" "values" (list .part))
  (dict "key" (eq .part "prometheus" | ternary "app.kubernetes.io/instance" .part) "operator" "In" "values" (list (include "kps.cr" .))) }}
{{- $apart := dict "topologyKey" .v.podAntiAffinityTopologyKey "labelSelector" (dict "matchExpressions" $match) }}
{{- if or .v.affinity .v.podAntiAffinity }}
affinity:
  {{- with .v.affinity }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- if eq .v.podAntiAffinity "hard" }}
  podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{{ toJson $apart }}]}
  {{- else if eq .v.podAntiAffinity "soft" }}
  podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: {{ toJson $apart }}}]}
  {{- end }}
{{- end }}
{{- with .v.additionalConfig }}
{{ tpl (toYaml .) $.c }}
{{- end }}
{{- with .v.additionalConfigString }}
{{ tpl . $.c }}
{{- end }}
{{- end }}

{{- /* What the subcharts have in common. */}}
{{- define "kps.sub.full" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- .Values.fullnameOverride | default (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "kps.sub.labels" -}}
{{- $own := dict "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version) "app.kubernetes.io/managed-by" .Release.Service "app.kubernetes.io/component" "metrics"
  "app.kubernetes.io/part-of" (.Values.nameOverride | default .Chart.Name) "app.kubernetes.io/version" .Chart.AppVersion }}
{{- if .Values.releaseLabel }}{{ $_ := set $own "release" .Release.Name }}{{ end }}
{{- toJson $own }}
{{- end }}
