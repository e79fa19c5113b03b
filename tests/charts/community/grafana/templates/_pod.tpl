{{- define "gf.match" -}}
{{ dict "app.kubernetes.io/name" .Chart.Name "app.kubernetes.io/instance" .Release.Name | toJson }}
{{- end }}

{{- define "gf.labels" -}}
{{- dict "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version) "app.kubernetes.io/version" (mustRegexReplaceAllLiteral "@sha.*" .Values.image.tag "" | default .Chart.AppVersion)
  | merge (include "gf.match" . | fromJson) .Values.extraLabels | toJson }}
{{- end }}

{{- define "gf.full" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}
{{- end }}

{{- /* metadata of `name`, with `labels` and `annotations` beside the chart's own. */}}
{{- define "gf.meta" -}}
metadata:
  name: {{ .name }}
  {{- if not .cluster }}
  namespace: {{ .c.Release.Namespace }}
  {{- end }}
  labels: {{ merge (include "gf.labels" .c | fromJson) (.labels | default dict) | toJson }}
  {{- with .annotations }}
  annotations: {{ toJson . }}
  {{- end }}
{{- end }}

{{- define "gf.image" -}}
{{ .c.Values.global.imageRegistry | default .v.registry }}/{{ .v.repository }}:{{ .v.tag | default .tag }}{{ with .v.sha }}@sha256:{{ . }}{{ end }}
{{- end }}

{{- /* Those of `keys` that are set in `v`. */}}
{{- define "gf.copy" -}}
{{- range .keys }}
{{- $names := splitList "=" . }}
{{- with index $.v (first $names) }}
{{ last $names }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "gf.adminKeys" -}}
{{- $env := .c.Values.env }}
{{- $secret := tpl .c.Values.admin.existingSecret .c | default (include "gf.full" .c) }}
{{- if not $env.GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION }}
{{- if not (or $env.GF_SECURITY_ADMIN_USER $env.GF_SECURITY_ADMIN_USER__FILE) }}
- {name: {{ .user }}, valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ .c.Values.admin.userKey | default "admin-user" }}}}}
{{- end }}
{{- if not (or $env.GF_SECURITY_ADMIN_PASSWORD $env.GF_SECURITY_ADMIN_PASSWORD__FILE) }}
- {name: {{ .password }}, valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ .c.Values.admin.passwordKey | default "admin-password" }}}}}
{{- end }}
{{- end }}
{{- end }}

{{- /* The container that turns labelled ConfigMaps into files: `kind` is dashboards or datasources. */}}
{{- define "gf.sidecar" -}}
{{- $all := .c.Values.sidecar }}
{{- $v := index $all .kind }}
{{- $boards := eq .kind "dashboards" }}
- name: {{ .c.Chart.Name }}-sc-{{ $boards | ternary "dashboard" .kind }}
  image: {{ include "gf.image" (dict "v" $all.image "c" .c) | quote }}
  imagePullPolicy: {{ $all.imagePullPolicy }}
  env:
    {{- range $key, $value := $v.env }}
    - {name: {{ $key }}, value: {{ toString $value | quote }}}
    {{- end }}
    {{- range $key, $value := $v.envValueFrom }}
    - {name: {{ $key }}, valueFrom: {{ toJson $value }}}
    {{- end }}
    {{- if $v.ignoreAlreadyProcessed }}
    - {name: IGNORE_ALREADY_PROCESSED, value: "true"}
    {{- end }}
    - {name: METHOD, value: {{ $v.watchMethod }}}
    - {name: LABEL, value: {{ tpl $v.label .c | quote }}}
    {{- with $v.labelValue }}
    - {name: LABEL_VALUE, value: {{ tpl . $.c | quote }}}
    {{- end }}
    {{- with $v.logLevel | default $all.logLevel }}
    - {name: LOG_LEVEL, value: {{ . }}}
    {{- end }}
    - {name: FOLDER, value: {{ $boards | ternary (include "gf.boards" .c) "/etc/grafana/provisioning/datasources" | quote }}}
    - {name: RESOURCE, value: {{ $v.resource | quote }}}
    {{- with $v.resourceName }}
    - {name: RESOURCE_NAME, value: {{ . | quote }}}
    {{- end }}
    {{- with $all.enableUniqueFilenames }}
    - {name: UNIQUE_FILENAMES, value: {{ . | quote }}}
    {{- end }}
    {{- with $v.searchNamespace }}
    - {name: NAMESPACE, value: {{ tpl (join "," .) $.c | quote }}}
    {{- end }}
    {{- if kindIs "bool" $v.skipTlsVerify | ternary $v.skipTlsVerify $all.skipTlsVerify }}
    - {name: SKIP_TLS_VERIFY, value: "true"}
    {{- end }}
    {{- with $v.folderAnnotation }}
    - {name: FOLDER_ANNOTATION, value: {{ . | quote }}}
    {{- end }}
    {{- with $v.script }}
    - {name: SCRIPT, value: {{ . | quote }}}
    {{- end }}
    {{- if not (and $boards $v.skipReload) }}
    {{- include "gf.adminKeys" (dict "c" .c "user" "REQ_USERNAME" "password" "REQ_PASSWORD") | indent 4 }}
    {{- end }}
    {{- if not $v.skipReload }}
    - {name: REQ_URL, value: {{ $v.reloadURL }}}
    - {name: REQ_METHOD, value: POST}
    {{- end }}
    {{- range $key, $env := dict "watchServerTimeout" "WATCH_SERVER_TIMEOUT" "watchClientTimeout" "WATCH_CLIENT_TIMEOUT" }}
    {{- with index $v $key }}
    {{- if ne $v.watchMethod "WATCH" }}{{ printf "Cannot use .Values.sidecar.%s.%s with .Values.sidecar.%s.watchMethod %s" $.kind $key $.kind $v.watchMethod | fail }}{{ end }}
    - {name: {{ $env }}, value: {{ toString . | quote }}}
    {{- end }}
    {{- end }}
    {{- range $key, $env := dict "maxTotalRetries" "REQ_RETRY_TOTAL" "maxConnectRetries" "REQ_RETRY_CONNECT" "maxReadRetries" "REQ_RETRY_READ" }}
    {{- with index $v $key }}
    - {name: {{ $env }}, value: {{ toString . | quote }}}
    {{- end }}
    {{- end }}
  {{- include "gf.copy" (dict "v" $all "keys" (list "livenessProbe" "readinessProbe" "resources" "securityContext")) | indent 2 }}
  volumeMounts:
    - {name: sc-{{ $boards | ternary "dashboard" .kind }}-volume, mountPath: {{ $boards | ternary .c.Values.sidecar.dashboards.folder "/etc/grafana/provisioning/datasources" | quote }}}
    {{- range $v.extraMounts }}
    - {{ toJson . }}
    {{- end }}
{{- end }}

{{- define "gf.boards" -}}
{{ .Values.sidecar.dashboards.folder }}{{ with .Values.sidecar.dashboards.defaultFolderName }}/{{ . }}{{ end }}
{{- end }}

{{- define "gf.pod" -}}
{{- $v := .Values }}
{{- $full := include "gf.full" . }}
{{- $storage := dict "name" "storage" "mountPath" "/var/lib/grafana" }}
{{- with $v.persistence.subPath }}{{ $_ := set $storage "subPath" (tpl . $) }}{{ end }}
{{- include "gf.copy" (dict "v" $v "keys" (list "schedulerName" "securityContext" "hostAliases" "dnsPolicy" "dnsConfig" "priorityClassName" "nodeSelector" "topologySpreadConstraints" "tolerations")) }}
serviceAccountName: {{ include "gf.account" . }}
automountServiceAccountToken: {{ $v.automountServiceAccountToken }}
shareProcessNamespace: {{ $v.shareProcessNamespace }}
{{- if kindIs "bool" $v.hostUsers }}
hostUsers: {{ $v.hostUsers }}
{{- end }}
{{- if not $v.enableKubeBackwardCompatibility }}
enableServiceLinks: {{ $v.enableServiceLinks }}
{{- end }}
{{- with $v.affinity }}
affinity: {{ tpl (toYaml .) $ | fromYaml | toJson }}
{{- end }}
{{- with concat $v.global.imagePullSecrets $v.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ tpl (kindIs "map" . | ternary (get (kindIs "map" . | ternary . dict) "name") .) $ }}
  {{- end }}
{{- end }}
initContainers:
  {{- if and $v.persistence.enabled $v.initChownData.enabled }}
  - name: init-chown-data
    image: {{ include "gf.image" (dict "v" $v.initChownData.image "c" .) | quote }}
    imagePullPolicy: {{ $v.initChownData.image.pullPolicy }}
    command: [chown, -R, "{{ $v.securityContext.runAsUser }}:{{ $v.securityContext.runAsGroup }}", /var/lib/grafana]
    volumeMounts: [{{ toJson $storage }}]
    {{- include "gf.copy" (dict "v" $v.initChownData "keys" (list "securityContext" "resources")) | indent 4 }}
  {{- end }}
  {{- if $v.dashboards }}
  - name: download-dashboards
    image: {{ include "gf.image" (dict "v" $v.downloadDashboardsImage "c" .) | quote }}
    imagePullPolicy: {{ $v.downloadDashboardsImage.pullPolicy }}
    command: [/bin/sh]
    args: [-c, "mkdir -p /var/lib/grafana/dashboards/default && /bin/sh -x /etc/grafana/download_dashboards.sh"]
    env:
      {{- range $key, $value := $v.downloadDashboards.env }}
      - {name: {{ $key }}, value: {{ toString $value | quote }}}
      {{- end }}
      {{- range $key, $value := $v.downloadDashboards.envValueFrom }}
      - {name: {{ $key }}, valueFrom: {{ toJson $value }}}
      {{- end }}
    {{- with $v.downloadDashboards.envFromSecret }}
    envFrom: [{secretRef: {name: {{ tpl . $ }}}}]
    {{- end }}
    volumeMounts:
      - {name: config, mountPath: /etc/grafana/download_dashboards.sh, subPath: download_dashboards.sh}
      - {{ toJson $storage }}
      {{- range $v.extraSecretMounts }}
      - {{ pick . "name" "mountPath" "readOnly" | toJson }}
      {{- end }}
    {{- include "gf.copy" (dict "v" $v.downloadDashboards "keys" (list "securityContext" "resources")) | indent 4 }}
  {{- end }}
  {{- range $v.extraInitContainers }}
  - {{ tpl (toYaml .) $ | fromYaml | toJson }}
  {{- end }}
containers:
  {{- range $kind := list "dashboards" "datasources" }}
  {{- if (index $v.sidecar $kind).enabled }}
  {{- include "gf.sidecar" (dict "c" $ "kind" $kind) | indent 2 }}
  {{- end }}
  {{- end }}
  - name: grafana
    image: {{ include "gf.image" (dict "v" $v.image "c" . "tag" .Chart.AppVersion) | quote }}
    imagePullPolicy: {{ $v.image.pullPolicy }}
    {{- include "gf.copy" (dict "v" $v "keys" (list "command" "args" "containerSecurityContext=securityContext" "startupProbe" "livenessProbe" "readinessProbe" "lifecycleHooks=lifecycle" "resources")) | indent 4 }}
    volumeMounts:
      - {name: config, mountPath: /etc/grafana/grafana.ini, subPath: grafana.ini}
      {{- range $v.extraConfigmapMounts }}
      - {name: {{ tpl .name $ }}, mountPath: {{ tpl .mountPath $ }}, subPath: {{ tpl (.subPath | default "") $ }}, readOnly: {{ .readOnly }}}
      {{- end }}
      - {{ toJson $storage }}
      - {name: search, mountPath: /var/lib/grafana-search}
      {{- range $provider, $boards := $v.dashboards }}
      {{- range $key, $board := $boards }}
      {{- if hasKey $board "json" }}
      - {name: dashboards-{{ $provider }}, mountPath: "/var/lib/grafana/dashboards/{{ $provider }}/{{ $key }}.json", subPath: {{ $key }}.json}
      {{- end }}
      {{- end }}
      {{- end }}
      {{- range $provider, $map := $v.dashboardsConfigMaps }}
      - {name: dashboards-{{ $provider }}, mountPath: /var/lib/grafana/dashboards/{{ $provider }}}
      {{- end }}
      {{- range $file, $_ := $v.datasources }}
      - {name: config, mountPath: /etc/grafana/provisioning/datasources/{{ $file }}, subPath: {{ $file }}}
      {{- end }}
      {{- range $file, $_ := $v.dashboardProviders }}
      - {name: config, mountPath: /etc/grafana/provisioning/dashboards/{{ $file }}, subPath: {{ $file }}}
      {{- end }}
      {{- if $v.sidecar.dashboards.enabled }}
      - {name: sc-dashboard-volume, mountPath: {{ $v.sidecar.dashboards.folder | quote }}}
      {{- if $v.sidecar.dashboards.SCProvider }}
      - {name: sc-dashboard-provider, mountPath: /etc/grafana/provisioning/dashboards/sc-dashboardproviders.yaml, subPath: provider.yaml}
      {{- end }}
      {{- end }}
      {{- if $v.sidecar.datasources.enabled }}
      - {name: sc-datasources-volume, mountPath: /etc/grafana/provisioning/datasources}
      {{- end }}
      {{- range $v.extraSecretMounts }}
      - {name: {{ .name }}, mountPath: {{ .mountPath }}, readOnly: {{ .readOnly }}, subPath: {{ .subPath | default "" }}}
      {{- end }}
      {{- range $v.extraVolumeMounts }}
      - {name: {{ .name }}, mountPath: {{ .mountPath }}, readOnly: {{ .readOnly }}, subPath: {{ .subPath | default "" }}}
      {{- end }}
      {{- range $v.extraEmptyDirMounts }}
      - {name: {{ .name }}, mountPath: {{ .mountPath }}}
      {{- end }}
    ports:
      - {name: {{ $v.podPortName }}, containerPort: {{ $v.service.targetPort }}, protocol: TCP}
      - {name: {{ $v.gossipPortName }}-tcp, containerPort: 9094, protocol: TCP}
      - {name: {{ $v.gossipPortName }}-udp, containerPort: 9094, protocol: UDP}
      - {name: profiling, containerPort: 6060, protocol: TCP}
    env:
      - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
      {{- include "gf.adminKeys" (dict "c" . "user" "GF_SECURITY_ADMIN_USER" "password" "GF_SECURITY_ADMIN_PASSWORD") | indent 6 }}
      {{- if $v.plugins }}
      - {name: GF_PLUGINS_PREINSTALL_SYNC, valueFrom: {configMapKeyRef: {name: {{ $full }}, key: plugins}}}
      {{- end }}
      {{- with $v.smtp.existingSecret }}
      - {name: GF_SMTP_USER, valueFrom: {secretKeyRef: {name: {{ . }}, key: {{ $v.smtp.userKey | default "user" }}}}}
      - {name: GF_SMTP_PASSWORD, valueFrom: {secretKeyRef: {name: {{ . }}, key: {{ $v.smtp.passwordKey | default "password" }}}}}
      {{- end }}
      {{- $ini := index $v "grafana.ini" }}
      - {name: GF_PATHS_DATA, value: {{ $ini.paths.data }}}
      - {name: GF_PATHS_LOGS, value: {{ $ini.paths.logs }}}
      - {name: GF_PATHS_PLUGINS, value: {{ $ini.paths.plugins }}}
      - {name: GF_PATHS_PROVISIONING, value: {{ $ini.paths.provisioning }}}
      - {name: GF_UNIFIED_STORAGE_INDEX_PATH, value: {{ $ini.unified_storage.index_path }}}
      {{- if dig "limits" "memory" "" $v.resources }}
      - {name: GOMEMLIMIT, valueFrom: {resourceFieldRef: {divisor: "1", resource: limits.memory}}}
      {{- end }}
      {{- range $key, $value := $v.envValueFrom }}
      - {name: {{ $key }}, valueFrom: {{ tpl (toYaml $value) $ | fromYaml | toJson }}}
      {{- end }}
      {{- range $key, $value := $v.env }}
      - {name: {{ tpl $key $ }}, value: {{ tpl (print $value) $ | quote }}}
      {{- end }}
    envFrom:
      {{- with $v.envFromSecret }}
      - {secretRef: {name: {{ tpl . $ }}}}
      {{- end }}
      {{- if $v.envRenderSecret }}
      - {secretRef: {name: {{ $full }}-env}}
      {{- end }}
      {{- range $v.envFromSecrets }}
      - {secretRef: {name: {{ tpl .name $ }}, optional: {{ .optional | default false }}}}
      {{- end }}
      {{- range $v.envFromConfigMaps }}
      - {configMapRef: {name: {{ tpl .name $ }}, optional: {{ .optional | default false }}}}
      {{- end }}
  {{- with $v.extraContainers }}
  {{- tpl . $ | nindent 2 }}
  {{- end }}
volumes:
  - {name: config, configMap: {name: {{ $full }}}}
  {{- range $v.extraConfigmapMounts }}
  - name: {{ tpl .name $ }}
    configMap: {{ merge (dict "name" (tpl .configMap $)) (pick . "optional" "items") | toJson }}
  {{- end }}
  {{- range $provider, $_ := $v.dashboards }}
  - {name: dashboards-{{ $provider }}, configMap: {name: {{ $full }}-dashboards-{{ $provider }}}}
  {{- end }}
  {{- range $provider, $map := $v.dashboardsConfigMaps }}
  - {name: dashboards-{{ $provider }}, configMap: {name: {{ tpl $map $ }}}}
  {{- end }}
  {{- if $v.persistence.enabled }}
  - {name: storage, persistentVolumeClaim: {claimName: {{ tpl ($v.persistence.existingClaim | default $full) . }}}}
  {{- else }}
  - {name: storage, emptyDir: {}}
  {{- end }}
  - {name: search, emptyDir: {}}
  {{- if $v.sidecar.dashboards.enabled }}
  - {name: sc-dashboard-volume, emptyDir: {{ pick $v.sidecar.dashboards (empty $v.sidecar.dashboards.sizeLimit | ternary "" "sizeLimit") | toJson }}}
  {{- if $v.sidecar.dashboards.SCProvider }}
  - {name: sc-dashboard-provider, configMap: {name: {{ $full }}-config-dashboards}}
  {{- end }}
  {{- end }}
  {{- if $v.sidecar.datasources.enabled }}
  - {name: sc-datasources-volume, emptyDir: {{ pick $v.sidecar.datasources (empty $v.sidecar.datasources.sizeLimit | ternary "" "sizeLimit") | toJson }}}
  {{- end }}
  {{- range $v.extraSecretMounts }}
  {{- if .secretName }}
  - {name: {{ .name }}, secret: {{ merge (dict "secretName" .secretName) (pick . "defaultMode" "optional" "items") | toJson }}}
  {{- else if .projected }}
  - {name: {{ .name }}, projected: {{ toJson .projected }}}
  {{- end }}
  {{- end }}
  {{- range $v.extraVolumes }}
  - name: {{ .name }}
    {{- if .existingClaim }}
    persistentVolumeClaim: {claimName: {{ .existingClaim }}}
    {{- else if .configMap }}
    configMap: {{ toJson .configMap }}
    {{- else if .hostPath }}
    hostPath: {{ toJson .hostPath }}
    {{- else }}
    emptyDir: {{ .emptyDir | default dict | toJson }}
    {{- end }}
  {{- end }}
  {{- range $v.extraEmptyDirMounts }}
  - {name: {{ .name }}, emptyDir: {}}
  {{- end }}
  {{- range $v.extraContainerVolumes }}
  - {{ tpl (toYaml .) $ | fromYaml | toJson }}
  {{- end }}
{{- end }}

{{- define "gf.account" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "gf.full" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}
