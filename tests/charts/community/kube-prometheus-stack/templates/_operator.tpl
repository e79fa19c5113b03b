{{- /* JSON: the labels that tell the operator's objects from the others. */}}
{{- define "kps.operatorLabels" -}}
{{ dict "app.kubernetes.io/name" (printf "%s-prometheus-operator" (include "kps.name" .c)) "app.kubernetes.io/component" (.component | default "prometheus-operator") | toJson }}
{{- end }}

{{- define "kps.operatorArgs" -}}
{{- $v := .Values.prometheusOperator }}
{{- $reloader := $v.prometheusConfigReloader }}
{{- $resources := merge (dict) ($reloader.resources | default dict) (dict "requests" dict "limits" dict) }}
{{- $kubelet := $v.kubeletService.enabled | ternary $v.kubeletService dict }}
{{- $base := dict }}
{{- range $of := list "prometheus" "alertmanager" }}
{{- with index $v (printf "%sDefaultBaseImage" $of) }}
{{- $_ := set $base $of (printf "%s/%s" ($.Values.global.imageRegistry | default (index $v (printf "%sDefaultBaseImageRegistry" $of))) .) }}
{{- end }}
{{- end }}
{{- $namespaces := list }}
{{- with $v.namespaces }}{{ $namespaces = concat (.releaseNamespace | default false | ternary (list (include "kps.namespace" $)) list) (.additional | default list) | uniq }}{{ end }}
{{- $gates := list }}
{{- range $key, $value := $v.featureGates }}{{ $gates = append $gates (printf "%s=%v" $key $value) }}{{ end }}
{{- include "kps.flags" (list
  (list "kubelet-service" ($kubelet.enabled | default false | ternary (printf "%s/%s" $kubelet.namespace ($kubelet.name | default (printf "%s-kubelet" (include "kps.full" .)))) ""))
  (list "kubelet-selector" $kubelet.selector)
  (list "kubelet-endpoints" (toString $v.kubeletEndpointsEnabled))
  (list "kubelet-endpointslice" (toString $v.kubeletEndpointSliceEnabled))
  (list "log-format" $v.logFormat)
  (list "log-level" $v.logLevel)
  (list "deny-namespaces" (tpl (join "," $v.denyNamespaces) .))
  (list "namespaces" (join "," $namespaces))
  (list "localhost" "127.0.0.1")
  (list "prometheus-default-base-image" $base.prometheus)
  (list "alertmanager-default-base-image" $base.alertmanager)
  (list "prometheus-config-reloader" (include "kps.image" (dict "v" $reloader.image "c" . "tag" .Chart.AppVersion)))
  (list "config-reloader-cpu-request" ($resources.requests.cpu | default "0"))
  (list "config-reloader-cpu-limit" ($resources.limits.cpu | default "0"))
  (list "config-reloader-memory-request" ($resources.requests.memory | default "0"))
  (list "config-reloader-memory-limit" ($resources.limits.memory | default "0"))
  (list "enable-config-reloader-probes" $reloader.enableProbe)
  (list "alertmanager-instance-namespaces" (join "," $v.alertmanagerInstanceNamespaces))
  (list "alertmanager-instance-selector" $v.alertmanagerInstanceSelector)
  (list "alertmanager-config-namespaces" (join "," $v.alertmanagerConfigNamespaces))
  (list "prometheus-instance-namespaces" (join "," $v.prometheusInstanceNamespaces))
  (list "prometheus-instance-selector" $v.prometheusInstanceSelector)
  (list "thanos-default-base-image" (include "kps.image" (dict "v" $v.thanosImage "c" .)))
  (list "thanos-ruler-instance-namespaces" (join "," $v.thanosRulerInstanceNamespaces))
  (list "thanos-ruler-instance-selector" $v.thanosRulerInstanceSelector)
  (list "secret-field-selector" (tpl $v.secretFieldSelector .))
  (list "cluster-domain" $v.clusterDomain)
  (list "feature-gates" (join "," $gates))
  (list "web.enable-tls" (toString $v.tls.enabled))
  (list "web.cert-file" ($v.tls.enabled | ternary "/cert/cert" ""))
  (list "web.key-file" ($v.tls.enabled | ternary "/cert/key" ""))
  (list "web.listen-address" (printf ":%v" ($v.tls.enabled | ternary $v.tls.internalPort 8080)))
  (list "web.tls-min-version" ($v.tls.enabled | ternary $v.tls.tlsMinVersion ""))) }}
{{- end }}

{{- define "kps.operatorRules" -}}
- apiGroups: [monitoring.coreos.com]
  resources: [alertmanagers, alertmanagers/finalizers, alertmanagers/status, alertmanagerconfigs, prometheuses, prometheuses/finalizers, prometheuses/status,
    prometheusagents, prometheusagents/finalizers, prometheusagents/status, thanosrulers, thanosrulers/finalizers, thanosrulers/status, scrapeconfigs,
    scrapeconfigs/status, servicemonitors, servicemonitors/status, podmonitors, podmonitors/status, probes, probes/status, prometheusrules, prometheusrules/status]
  verbs: ["*"]
- {apiGroups: [apps], resources: [statefulsets], verbs: ["*"]}
- {apiGroups: [""], resources: [configmaps, secrets], verbs: ["*"]}
- {apiGroups: [""], resources: [pods], verbs: [list, delete]}
- {apiGroups: [""], resources: [services, services/finalizers, endpoints], verbs: [get, create, update, delete]}
- {apiGroups: [""], resources: [nodes], verbs: [list, watch]}
- {apiGroups: [""], resources: [namespaces], verbs: [get, list, watch]}
- {apiGroups: ["", events.k8s.io], resources: [events], verbs: [patch, create]}
- {apiGroups: [networking.k8s.io], resources: [ingresses], verbs: [get, list, watch]}
- {apiGroups: [storage.k8s.io], resources: [storageclasses], verbs: [get]}
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [get, create, list, watch, update, delete]}
{{- end }}

{{- /* One admission webhook: `name`, `kind` (mutate or validate), `resource`, `version`. */}}
{{- define "kps.webhook" -}}
{{- $operator := .c.Values.prometheusOperator }}
{{- $v := $operator.admissionWebhooks -}}
- name: {{ .name }}.monitoring.coreos.com
  {{- if eq $v.failurePolicy "IgnoreOnInstallOnly" }}
  failurePolicy: {{ .c.Release.IsInstall | ternary "Ignore" "Fail" }}
  {{- else }}
  failurePolicy: {{ $v.failurePolicy | default ($v.patch.enabled | ternary "Ignore" "Fail") }}
  {{- end }}
  rules: [{apiGroups: [monitoring.coreos.com], apiVersions: [{{ .version | quote }}], resources: [{{ .resource }}], operations: [CREATE, UPDATE]}]
  clientConfig:
    service: {namespace: {{ include "kps.namespace" .c }}, name: {{ include "kps.operator" .c }}, path: /admission-{{ .resource }}/{{ .kind }}}
    {{- if and $v.caBundle (not $v.patch.enabled) }}
    caBundle: {{ $v.caBundle }}
    {{- end }}
  timeoutSeconds: {{ $v.timeoutSeconds }}
  admissionReviewVersions: [v1, v1beta1]
  sideEffects: None
  {{- $expressions := $v.namespaceSelector.matchExpressions | default list }}
  {{- with $operator.denyNamespaces }}
  {{- $expressions = append $expressions (dict "key" "kubernetes.io/metadata.name" "operator" "NotIn" "values" (uniq .)) }}
  {{- else with $operator.namespaces.additional }}
  {{- $names := concat ($operator.namespaces.releaseNamespace | default false | ternary (list (include "kps.namespace" $.c)) list) (uniq .) }}
  {{- $expressions = append $expressions (dict "key" "kubernetes.io/metadata.name" "operator" "In" "values" $names) }}
  {{- end }}
  {{- if or $operator.denyNamespaces $operator.namespaces $v.namespaceSelector }}
  namespaceSelector: {{ empty $expressions | ternary $v.namespaceSelector (merge (dict "matchExpressions" $expressions) (omit $v.namespaceSelector "matchExpressions")) | toJson }}
  {{- end }}
  {{- include "kps.copy" (dict "v" $v "keys" (list "objectSelector" "matchConditions")) | indent 2 }}
{{- end }}
