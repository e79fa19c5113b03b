//! Values of Bitnami's kube-prometheus.

use serde_json::json;

use super::*;

#[test]
fn prometheus_never_compacts_what_the_sidecar_uploads() {
    assert_set(&prometheus_values(), [("prometheus.disableCompaction", json!(true))]);
}

#[test]
fn no_service_of_the_charts_becomes_a_load_balancer() {
    let cluster = Cluster { load_balancer: Some(load_balancer(LoadBalancerKind::Lb)), ..cluster() };
    for release in [prometheus(&config(), &cluster), thanos(&config(), &cluster)] {
        assert!(!strings(&read(&release.values)).contains(&"LoadBalancer"), "{}", release.name);
    }
    assert_set(&prometheus_values(), [("prometheus.thanos.service.type", json!("ClusterIP"))]);
}

#[test]
fn alertmanager_of_a_small_cluster_has_no_volume() {
    assert_set(&prometheus_values(), [("alertmanager.persistence", json!({"enabled": false}))]);
}

#[test]
fn replicas_never_share_a_node() {
    let apart = |label: &str, name: &str| {
        json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": {label: name}},
        }]}})
    };
    assert_set(
        &prometheus_values(),
        [
            ("prometheus.affinity", apart("prometheus", "prometheus-kube-prometheus-prometheus")),
            (
                "alertmanager.affinity",
                apart("alertmanager", "prometheus-kube-prometheus-alertmanager"),
            ),
        ],
    );
    let values = thanos_values();
    for part in ["query", "queryFrontend", "storegateway", "ruler"] {
        assert_eq!(*at(&values, &format!("{part}.podAntiAffinityPreset")), json!("hard"), "{part}");
    }
}

#[test]
fn samples_are_kept_as_long_as_configured() {
    assert_set(
        &prometheus_values(),
        [("prometheus.retention", json!("72h")), ("prometheus.retentionSize", json!("40GB"))],
    );
    assert_set(
        &thanos_values(),
        [
            ("compactor.retentionResolutionRaw", json!("365d")),
            ("compactor.retentionResolution5m", json!("400d")),
            ("compactor.retentionResolution1h", json!("0d")),
        ],
    );
}

#[test]
fn samples_say_which_cluster_and_region_they_are_from() {
    assert_set(
        &prometheus_values(),
        [("prometheus.externalLabels", json!({"cluster": "sin", "region": "ap-singapore-1"}))],
    );
}

#[test]
fn what_oracle_runs_is_neither_watched_nor_missed() {
    assert_set(
        &prometheus_values(),
        [
            ("kubeControllerManager.enabled", json!(false)),
            ("kubeScheduler.enabled", json!(false)),
            ("kubeProxy.enabled", json!(false)),
            (
                "prometheus.defaultRules.rules",
                json!({
                    "etcd": false,
                    "kubeControllerManager": false,
                    "kubeSchedulerAlerting": false,
                    "kubeSchedulerRecording": false,
                    "kubeProxy": false,
                }),
            ),
        ],
    );
}

#[test]
fn recording_rules_find_the_labels_they_select_by() {
    let metrics_path =
        json!([{"sourceLabels": ["__metrics_path__"], "targetLabel": "metrics_path"}]);
    assert_set(
        &prometheus_values(),
        [
            ("kubelet.serviceMonitor.relabelings", metrics_path.clone()),
            ("kubelet.serviceMonitor.cAdvisorRelabelings", metrics_path),
            ("kube-state-metrics.serviceMonitor.jobLabel", json!("app.kubernetes.io/name")),
        ],
    );
}

#[test]
fn sidecars_are_scraped_once_under_the_job_that_alerts_look_for() {
    assert_set(
        &prometheus_values(),
        [
            (
                "prometheus.thanos.serviceMonitor",
                json!({
                    "enabled": true,
                    // An empty one is refused by the API server.
                    "jobLabel": "app.kubernetes.io/component",
                }),
            ),
            (
                "prometheus.serviceMonitor.relabelings",
                json!([{
                    "targetLabel": "job",
                    "replacement": "thanos-sidecar",
                    "sourceLabels": ["__meta_kubernetes_service_label_app_kubernetes_io_subcomponent"],
                    "regex": "thanos",
                }]),
            ),
            ("prometheus.thanos.create", json!(true)),
        ],
    );
}

#[test]
fn the_reloader_beside_prometheus_is_not_throttled() {
    assert_set(
        &prometheus_values(),
        [(
            "operator.configReloaderResources",
            json!({
                "requests": {"cpu": "10m", "memory": "50Mi"},
                "limits": {"cpu": "0", "memory": "128Mi"},
            }),
        )],
    );
}

#[test]
fn alertmanagers_may_gossip() {
    assert_set(
        &prometheus_values(),
        [(
            "alertmanager.networkPolicy.extraIngress",
            json!([{"ports": [{"port": 9094, "protocol": "UDP"}]}]),
        )],
    );
}

#[test]
fn nothing_is_installed_whose_image_is_gone() {
    assert_set(&prometheus_values(), [("blackboxExporter.enabled", json!(false))]);
}
