{{- /* The files of the ConfigMap, as a YAML map. */}}
{{- define "gf.ini" -}}
{{- range $key, $value := . }}
{{ $key }} = {{ if kindIs "slice" $value }}{{ toJson $value }}{{ else if not (kindIs "invalid" $value) }}{{ $value }}{{ end }}
{{- end }}
{{- end }}

{{- define "gf.files" -}}
{{- $plain := dict }}
{{- $sections := dict }}
{{- range $key, $value := index .Values "grafana.ini" }}
{{- if kindIs "map" $value }}{{ $_ := set $sections $key $value }}{{ else }}{{ $_ := set $plain $key $value }}{{ end }}
{{- end }}
{{- $ini := include "gf.ini" $plain }}
{{- range $name, $values := $sections }}{{ $ini = printf "%s\n[%s]%s" $ini $name (include "gf.ini" $values) }}{{ end }}
{{- $files := dict "grafana.ini" (printf "%s\n" (tpl $ini . | trimPrefix "\n")) }}
{{- with .Values.plugins }}{{ $_ := set $files "plugins" (join "," .) }}{{ end }}
{{- range $file, $value := .Values.datasources }}{{ $_ := set $files $file (printf "%s\n" (tpl (toYaml $value) $)) }}{{ end }}
{{- range $file, $value := .Values.dashboardProviders }}{{ $_ := set $files $file (printf "%s\n" (toYaml $value)) }}{{ end }}
{{- if .Values.dashboards }}{{ $_ := set $files "download_dashboards.sh" (include "gf.download" .) }}{{ end }}
{{- toJson $files }}
{{- end }}

{{- /* One curl for every dashboard of grafana.com. */}}
{{- define "gf.download" -}}
#!/usr/bin/env sh
set -euf
{{- range $_, $value := .Values.dashboardProviders }}
{{- range $value.providers }}
mkdir -p {{ .options.path }}
{{- end }}
{{- end }}
{{- range $provider, $boards := .Values.dashboards }}
{{- range $key, $board := $boards }}
{{- if or (hasKey $board "gnetId") (hasKey $board "url") }}
{{- $path := printf "/var/lib/grafana/dashboards/%s" $provider }}
{{- range (index $.Values.dashboardProviders "dashboardproviders.yaml").providers }}{{ if eq .name $provider }}{{ $path = .options.path }}{{ end }}{{ end }}
curl {{ $board.curlOptions | default $.Values.defaultCurlOptions }} \
--connect-timeout 60 \
--max-time 60 \
-H "Accept: {{ $board.acceptHeader | default "application/json" }}" \
-H "Content-Type: application/json;charset=UTF-8" \
  {{ $board.url | default (printf "https://grafana.com/api/dashboards/%v/revisions/%v/download" $board.gnetId ($board.revision | default 1)) | quote }} \
  {{- if kindIs "string" $board.datasource }}
  | sed '/-- .* --/! s/"datasource":.*,/"datasource": "{{ $board.datasource }}",/g' \
  {{- end }}
> "{{ $path }}/{{ $key }}.json"
{{- end }}
{{- end }}
{{- end }}
{{ end }}

{{- define "gf.provider" -}}
{{- $v := .Values.sidecar.dashboards.provider -}}
apiVersion: 1
providers:
  - name: '{{ $v.name }}'
    orgId: {{ $v.orgid }}
    {{- if not $v.foldersFromFilesStructure }}
    folder: '{{ $v.folder }}'
    folderUid: '{{ $v.folderUid }}'
    {{- end }}
    type: {{ $v.type }}
    disableDeletion: {{ $v.disableDelete }}
    allowUiUpdates: {{ $v.allowUiUpdates }}
    updateIntervalSeconds: {{ $v.updateIntervalSeconds | default 30 }}
    options:
      foldersFromFilesStructure: {{ $v.foldersFromFilesStructure }}
      path: {{ include "gf.boards" . }}
{{- end }}

{{- /* The password that is there already, else a new one. */}}
{{- define "gf.password" -}}
{{- $there := lookup "v1" "Secret" .Release.Namespace (include "gf.full" .) }}
{{- if .Values.adminPassword }}{{ b64enc .Values.adminPassword }}
{{- else if $there }}{{ index $there.data "admin-password" }}
{{- else }}{{ randAlphaNum 40 | b64enc }}{{ end }}
{{- end }}
