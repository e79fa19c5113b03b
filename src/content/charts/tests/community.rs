//! The community's charts say the same as Bitnami's, in their own words.

use serde_json::json;

use super::*;

fn community() -> Config {
    Config { charts: Charts::Community, ..config() }
}

fn values(release: fn(&Config, &Cluster) -> Release, cluster: &Cluster) -> Value {
    read(&release(&community(), cluster).values)
}

#[test]
fn the_charts_are_the_communitys() {
    let lines = releases(&community(), &cluster()).map(|Release { name, chart, .. }| {
        format!("{name}: {} {} pinned={}", chart.reference, chart.version, chart.pinned)
    });
    insta::assert_snapshot!(lines.join("\n"), @r#"
    prometheus: oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack 88.5.3 pinned=true
    thanos: oci://ghcr.io/thanos-community/helm-charts/thanos 0.38.0 pinned=true
    grafana: oci://ghcr.io/grafana-community/helm-charts/grafana 12.11.1 pinned=true
    "#);
}

#[test]
fn prometheus_is_told_what_bitnamis_is() {
    let mut cluster = cluster();
    cluster.placement.node_selector = placed_on("monitoring");
    let values = values(prometheus, &cluster);
    let spec = "prometheus.prometheusSpec";
    let at_spec = |path: &str| at(&values, &format!("{spec}.{path}")).clone();
    assert_eq!(at_spec("externalLabels"), json!({"cluster": "sin", "region": "ap-singapore-1"}));
    assert_eq!(at_spec("replicaExternalLabelName"), json!(REPLICA_LABEL));
    assert_eq!(at_spec("disableCompaction"), json!(true));
    assert_eq!(at_spec("replicas"), json!(2));
    assert_eq!((at_spec("retention"), at_spec("retentionSize")), (json!("72h"), json!("40GB")));
    assert_eq!(
        at_spec("storageSpec.volumeClaimTemplate.spec"),
        json!({
            "storageClassName": "oci-bv",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "50Gi"}},
        })
    );
    assert_eq!(at_spec("podAntiAffinity"), json!("hard"));
    assert_eq!(
        at_spec("thanos"),
        json!({
            "image": "quay.io/thanos/thanos:v0.42.4",
            "objectStorageConfig":
                {"existingSecret": {"name": "thanos-objstore-config", "key": "objstore.yml"}},
            "resources":
                {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        })
    );
    for kind in ["rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig"] {
        assert_eq!(at_spec(&format!("{kind}SelectorNilUsesHelmValues")), json!(false), "{kind}");
    }
    assert_set(
        &values,
        [
            ("prometheus.thanosService", json!({"enabled": true})),
            (
                "prometheus.thanosServiceMonitor",
                json!({
                    "enabled": true,
                    "relabelings": [{"targetLabel": "job", "replacement": "thanos-sidecar"}],
                }),
            ),
            ("alertmanager.alertmanagerSpec.replicas", json!(2)),
            ("alertmanager.alertmanagerSpec.podAntiAffinity", json!("hard")),
            ("prometheusOperator.admissionWebhooks", json!({"enabled": false})),
            ("prometheusOperator.tls", json!({"enabled": false})),
            ("crds", json!({"enabled": false})),
            ("grafana", json!({"enabled": false})),
            ("prometheus-node-exporter.tolerations", json!([{"operator": "Exists"}])),
            ("defaultRules.rules.etcd", json!(false)),
            ("defaultRules.rules.kubeProxy", json!(false)),
        ],
    );
    for part in ["kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy"] {
        assert_eq!(*at(&values, part), json!({"enabled": false}));
    }
    for pod in ["prometheusOperator", spec, "alertmanager.alertmanagerSpec", "kube-state-metrics"] {
        assert_eq!(*at(&values, &format!("{pod}.nodeSelector")), json!({"pool": "monitoring"}));
    }
    assert_eq!(at(&values, "prometheus-node-exporter").get("nodeSelector"), None);
    assert_eq!(at(&values, "alertmanager.alertmanagerSpec").get("storage"), None);
}

#[test]
fn thanos_is_told_what_bitnamis_is() {
    let mut cluster = cluster();
    cluster.placement.node_selector = placed_on("monitoring");
    let values = values(thanos, &cluster);
    assert_set(
        &values,
        [
            (
                "global.objstore",
                json!({
                    "createSecret": false,
                    "secretName": "thanos-objstore-config",
                    "secretKey": "objstore.yml",
                }),
            ),
            ("global.storageClass", json!("oci-bv")),
            ("global.nodeSelector", json!({"pool": "monitoring"})),
            ("global.thanosRules.groups.thanosReceive", json!({"enabled": false})),
            ("global.thanosRules.groups.thanosSidecar", json!({"enabled": true})),
            ("receive", json!({"enabled": false})),
            ("query.replicaLabels", json!([REPLICA_LABEL, RULER_REPLICA_LABEL])),
            ("query.stores", json!(["dns+prometheus-operated.monitoring.svc.cluster.local:10901"])),
            (
                "query.extraArgs",
                json!([
                    "--query.partial-response",
                    "--store.response-timeout=30s",
                    "--query.auto-downsampling",
                ]),
            ),
            ("storegateway.extraArgs", json!(["--chunk-pool-size=1024MB"])),
            (
                "compactor.retention",
                json!({"resolutionRaw": "365d", "resolution5m": "400d", "resolution1h": "0d"}),
            ),
            ("ruler.extraArgs", json!(["--label=ruler_cluster=\"sin\""])),
            ("ruler.autoImportPrometheusRules", json!({"enabled": false})),
        ],
    );
    let alertmanagers: Value =
        serde_yaml::from_str(at(&values, "ruler.alertmanagers.config").as_str().unwrap()).unwrap();
    assert_eq!(
        alertmanagers["alertmanagers"],
        json!([{
            "static_configs":
                ["dnssrv+_http-web._tcp.alertmanager-operated.monitoring.svc.cluster.local"],
            "scheme": "http",
            "api_version": "v2",
        }])
    );
    let rules = at(&values, "ruler.rules");
    assert_eq!(rules["example-alerts.yaml"], json!("groups: []"));
    assert!(rules["okemon.yaml"].as_str().unwrap().contains("ClusterSilent"));
    for (part, size) in [("storegateway", "50Gi"), ("compactor", "100Gi"), ("ruler", "50Gi")] {
        let persistence = at(&values, &format!("{part}.persistence"));
        assert_eq!(*persistence, json!({"enabled": true, "size": size}), "{part}");
    }
    for (part, component) in [("storegateway", "storegateway"), ("ruler", "ruler")] {
        let terms = &at(&values, part)["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        let labels = &terms[0]["labelSelector"]["matchLabels"];
        assert_eq!(labels["app.kubernetes.io/component"], component);
    }
}

#[test]
fn every_part_has_the_same_size_in_both() {
    for size in [Size::Small, Size::Medium, Size::Large] {
        let cluster = Cluster { size, ..cluster() };
        let of = |config: &Config, parts: [&str; 12]| -> Vec<Value> {
            let releases = releases(config, &cluster).map(|release| read(&release.values));
            let place = |part: &&str| {
                let found = releases.iter().find_map(|values| {
                    values.pointer(&format!("/{}/resources", part.replace('.', "/")))
                });
                found.unwrap_or_else(|| panic!("no {part}")).clone()
            };
            parts.iter().map(place).collect()
        };
        let bitnami = [
            "operator",
            "prometheus",
            "prometheus.thanos",
            "alertmanager",
            "kube-state-metrics",
            "node-exporter",
            "query",
            "queryFrontend",
            "storegateway",
            "compactor",
            "ruler",
            "bucketweb",
        ];
        let community_parts = [
            "prometheusOperator",
            "prometheus.prometheusSpec",
            "prometheus.prometheusSpec.thanos",
            "alertmanager.alertmanagerSpec",
            "kube-state-metrics",
            "prometheus-node-exporter",
            "query",
            "queryFrontend",
            "storegateway",
            "compactor",
            "ruler",
            "bucket.bucketweb",
        ];
        assert_eq!(of(&config(), bitnami), of(&community(), community_parts), "{size:?}");
    }
}
