//! Values of Bitnami's thanos.

use serde_json::{Value, json};

use super::*;

#[test]
fn the_ruler_has_rules_and_reaches_every_alertmanager() {
    let values = thanos_values();
    let alertmanagers =
        "dnssrv+http://_web._tcp.alertmanager-operated.monitoring.svc.cluster.local";
    assert_set(
        &values,
        [
            ("ruler.enabled", json!(true)),
            ("ruler.alertmanagers", json!([alertmanagers])),
            ("ruler.clusterName", json!("sin")),
        ],
    );
    insta::assert_snapshot!(at(&values, "ruler.config").as_str().unwrap(), @r#"
    groups:
      - name: okemon
        # A store that does not answer must not silence the alert that says so.
        partial_response_strategy: warn
        rules:
          # Prometheus cannot report its own absence.
          - alert: ClusterSilent
            expr: group by (cluster) (present_over_time(up[3d])) unless group by (cluster) (up)
            for: 10m
            labels: {severity: critical}
            annotations:
              # Backquoted for Helm, which reads this as a template.
              summary: "Cluster {{`{{ $labels.cluster }}`}} sends no samples."
              description: "No sample of cluster {{`{{ $labels.cluster }}`}} has been seen for 10 minutes; there were some in the last 3 days."
    "#);
}

#[test]
fn the_rulers_alerts_survive_a_store_that_does_not_answer() {
    let values = thanos_values();
    let rules: Value = serde_yaml::from_str(at(&values, "ruler.config").as_str().unwrap()).unwrap();
    assert_eq!(*at(&rules, "groups.0.partial_response_strategy"), json!("warn"));
}

#[test]
fn query_removes_the_labels_that_prometheus_and_the_ruler_set() {
    let (prometheus, thanos) = (prometheus_values(), thanos_values());
    let labels = [
        at(&prometheus, "prometheus.replicaExternalLabelName").clone(),
        at(&thanos, "ruler.replicaLabel").clone(),
    ];
    assert_eq!(*at(&thanos, "query.replicaLabel"), json!(labels));
    assert_eq!(labels, ["prometheus_replica", "ruler_replica"]);
}

#[test]
fn query_finds_its_own_sidecars_by_dns_in_the_configured_namespace() {
    let mut config = config();
    config.namespace = crate::config::names::Namespace::new_unchecked("observability");
    let values = read(&thanos(&config, &cluster()).values);
    assert_set(
        &values,
        [
            (
                "query.stores",
                json!(["dns+prometheus-operated.observability.svc.cluster.local:10901"]),
            ),
            ("storegateway.service.additionalHeadless", json!(true)),
            ("ruler.service.additionalHeadless", json!(true)),
        ],
    );
}

#[test]
fn one_dead_store_does_not_block_queries() {
    let values = thanos_values();
    let flags = strings(at(&values, "query.extraFlags"));
    assert!(flags.contains(&"--query.partial-response"));
    assert!(flags.contains(&"--store.response-timeout=30s"));
}

#[test]
fn caches_fit_into_the_memory_of_their_part() {
    let values = thanos_values();
    let cache: Value =
        serde_yaml::from_str(at(&values, "queryFrontend.config").as_str().unwrap()).unwrap();
    assert_set(&cache, [("type", json!("IN-MEMORY")), ("config.max_size", json!("128MB"))]);
    assert_set(&values, [("storegateway.extraFlags", json!(["--chunk-pool-size=1024MB"]))]);
}

#[test]
fn an_update_goes_through_on_as_many_nodes_as_replicas() {
    let values = thanos_values();
    for part in ["query", "queryFrontend"] {
        let strategy = at(&values, &format!("{part}.updateStrategy.rollingUpdate"));
        assert_eq!(*strategy, json!({"maxSurge": 0, "maxUnavailable": 1}), "{part}");
    }
}

#[test]
fn there_are_never_two_compactors() {
    let values = thanos_values();
    assert_set(&values, [("compactor.updateStrategy", json!({"type": "Recreate"}))]);
    assert_eq!(values.pointer("/compactor/replicaCount"), None);
}

#[test]
fn parts_of_thanos_that_are_not_there_are_not_missed() {
    assert_set(
        &thanos_values(),
        [(
            "metrics.prometheusRule.default",
            json!({
                "absent_rules": true,
                "compaction": true,
                "query": true,
                "ruler": true,
                "sidecar": true,
                "store_gateway": true,
                "disabled": {"ThanosReceiveIsDown": true},
            }),
        )],
    );
}

#[test]
fn all_of_thanos_is_there_and_watched() {
    let values = thanos_values();
    for part in
        ["query", "queryFrontend", "storegateway", "compactor", "ruler", "bucketweb", "metrics"]
    {
        assert_eq!(*at(&values, &format!("{part}.enabled")), json!(true), "{part}");
    }
    assert_set(
        &values,
        [
            ("metrics.serviceMonitor.enabled", json!(true)),
            ("metrics.prometheusRule.enabled", json!(true)),
        ],
    );
}

#[test]
fn long_ranges_are_read_from_downsampled_blocks() {
    let values = thanos_values();
    assert!(strings(at(&values, "query.extraFlags")).contains(&"--query.auto-downsampling"));
}
