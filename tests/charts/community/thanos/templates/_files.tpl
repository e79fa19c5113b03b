{{- /* What stands in the ruler's files, and the alerts. */}}

{{- define "th.queries" -}}
{{- $own := list (printf "http://%s:%v" (include "th.of" (list . "query")) .Values.query.service.httpPort) }}
{{- range .Values.ruler.query.urls | default $own }}
{{- with urlParse . }}
- static_configs:
    - {{ .host }}
  scheme: {{ .scheme }}
{{- if and .path (ne .path "/") }}
  path_prefix: {{ .path }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "th.importer" -}}
{{- $selector := list }}
{{- range $key, $value := .Values.ruler.autoImportPrometheusRules.labelSelector }}{{ $selector = append $selector (printf "%s=%s" $key $value) }}{{ end -}}
set -e
SELECTOR="{{ join "," $selector }}"
if [ -z "$SELECTOR" ]; then
  echo "No label selector provided, importing ALL PrometheusRules"
  SELECTOR_ARG=""
else
  echo "Using label selector: $SELECTOR"
  SELECTOR_ARG="-l $SELECTOR"
fi
PREV_SUM=""
while true; do
  echo "Syncing PrometheusRules"
  rm -f /generated/*.yaml || true
  kubectl get prometheusrules.monitoring.coreos.com -A $SELECTOR_ARG \
    -o jsonpath='{range .items[*]}{.metadata.name}|{.metadata.namespace}{"\n"}{end}' | \
  while read line; do
    name=$(echo "$line" | cut -d"|" -f1)
    ns=$(echo "$line" | cut -d"|" -f2)
    echo "Processing $ns/$name"
    kubectl get prometheusrule "$name" -n "$ns" -o jsonpath='{.spec}' \
      > "/generated/${ns}-${name}.yaml"
  done
  CURRENT_SUM=$(find /generated -type f -name '*.yaml' -exec cat {} + 2>/dev/null | md5sum | cut -d' ' -f1)
  if [ "$CURRENT_SUM" != "$PREV_SUM" ]; then
    echo "Rule files changed, triggering Thanos Ruler reload"
    if curl -sf -X POST http://localhost:10902/-/reload; then
      PREV_SUM="$CURRENT_SUM"
    else
      echo "Failed to reload Thanos Ruler, will retry next cycle"
    fi
  fi
  sleep 60
done
{{- end }}

{{- /* The groups of alerts: their name, the component that must be on (if it is one of this chart), the alerts, the one of its absence. */}}
{{- define "th.alerts" -}}
thanosCompact: {name: thanos-compact, of: compactor, absent: ThanosCompactIsDown, alerts: [ThanosCompactMultipleRunning, ThanosCompactHalted, ThanosCompactHighCompactionFailures, ThanosCompactBucketHighOperationFailures, ThanosCompactHasNotRun]}
thanosQuery: {name: thanos-query, of: query, absent: ThanosQueryIsDown, alerts: [ThanosQueryHttpRequestQueryErrorRateHigh, ThanosQueryHttpRequestQueryRangeErrorRateHigh, ThanosQueryGrpcServerErrorRate, ThanosQueryGrpcClientErrorRate, ThanosQueryHighDNSFailures, ThanosQueryInstantLatencyHigh, ThanosQueryRangeLatencyHigh, ThanosQueryOverload]}
thanosReceive: {name: thanos-receive, of: receive, absent: ThanosReceiveIsDown, alerts: [ThanosReceiveHttpRequestErrorRateHigh, ThanosReceiveHttpRequestLatencyHigh, ThanosReceiveHighReplicationFailures, ThanosReceiveHighForwardRequestFailures, ThanosReceiveHighHashringFileRefreshFailures, ThanosReceiveConfigReloadFailure, ThanosReceiveNoUpload, ThanosReceiveLimitsConfigReloadFailure, ThanosReceiveLimitsHighMetaMonitoringQueriesFailureRate, ThanosReceiveTenantLimitedByHeadSeries]}
thanosSidecar: {name: thanos-sidecar, absent: ThanosSidecarIsDown, alerts: [ThanosSidecarBucketOperationsFailed, ThanosSidecarNoConnectionToStartedPrometheus]}
thanosStore: {name: thanos-store, of: storegateway, absent: ThanosStoreIsDown, alerts: [ThanosStoreGrpcErrorRate, ThanosStoreSeriesGateLatencyHigh, ThanosStoreBucketHighOperationFailures, ThanosStoreObjstoreOperationLatencyHigh]}
thanosRule: {name: thanos-rule, of: ruler, absent: ThanosRuleIsDown, alerts: [ThanosRuleQueueIsDroppingAlerts, ThanosRuleSenderIsFailingAlerts, ThanosRuleHighRuleEvaluationFailures, ThanosRuleHighRuleEvaluationWarnings, ThanosRuleRuleEvaluationLatencyHigh, ThanosRuleGrpcErrorRate, ThanosRuleConfigReloadFailure, ThanosRuleQueryHighDNSFailures, ThanosRuleAlertmanagerHighDNSFailures, ThanosRuleNoEvaluationFor10Intervals, ThanosNoRuleEvaluations]}
thanosBucketReplicate: {name: thanos-bucket-replicate, alerts: [ThanosBucketReplicateErrorRate, ThanosBucketReplicateRunLatency]}
{{- end }}

{{- /* JSON: the groups that are on, with the names of those alerts that are not disabled. */}}
{{- define "th.rules" -}}
{{- $values := .Values.global.thanosRules }}
{{- $known := include "th.alerts" . | fromYaml }}
{{- $absent := dict "name" "thanos-component-absent" "alerts" list }}
{{- $groups := list }}
{{- range $key := list "thanosCompact" "thanosQuery" "thanosReceive" "thanosSidecar" "thanosStore" "thanosRule" "thanosBucketReplicate" }}
{{- $group := get $known $key }}
{{- if and (index $values.groups $key).enabled (or (not $group.of) (index $.Values ($group.of | default "query")).enabled) }}
{{- $groups = append $groups $group }}
{{- with $group.absent }}{{ $_ := set $absent "alerts" (append $absent.alerts .) }}{{ end }}
{{- end }}
{{- end }}
{{- if $values.groups.thanosComponentAbsent.enabled }}{{ $groups = append $groups $absent }}{{ end }}
{{- $played := list }}
{{- range $groups }}
{{- $rules := list }}
{{- range .alerts }}
{{- if not (has . $values.disabledAlerts) }}{{ $rules = append $rules (dict "alert" . "expr" "vector(0) > 0") }}{{ end }}
{{- end }}
{{- if $rules }}{{ $played = append $played (dict "name" .name "rules" $rules) }}{{ end }}
{{- end }}
{{- toJson $played }}
{{- end }}
