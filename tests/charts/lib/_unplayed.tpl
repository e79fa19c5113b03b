{{- /* The real chart heeds these values, the stand-in does not: better refused than ignored. */}}
{{- define "lib.unplayed" -}}
{{- $set := list }}
{{- range .Files.Get "unplayed.json" | fromJsonArray }}
{{- $node := $.Values }}
{{- range .keys }}{{ $node = kindIs "map" $node | ternary (get (kindIs "map" $node | ternary $node dict) .) nil }}{{ end }}
{{- if and (ne (toJson $node) (toJson .default)) (not (and (empty $node) (empty .default))) }}{{ $set = append $set .path }}{{ end }}
{{- end }}
{{- if $set }}{{ printf "STAND-IN: the chart %s in tests/charts does not play these values: %s" .Chart.Name (join ", " $set) | fail }}{{ end }}
{{- end }}
