//! What the values say: each correction of the articles has a test that fails without it.
//!
//! Here is what all releases have in common; the charts' own are below.

mod bitnami {
    use super::*;

    mod prometheus;
    mod thanos;
}
mod community;
mod grafana;

use serde_json::{Value, json};

use super::*;
use crate::config::{LoadBalancerKind, Size};
use crate::content::fixtures::{cluster, config, load_balancer, read, strings};
use crate::content::images::Images;

#[test]
fn releases_have_the_articles_names_and_pinned_charts() {
    let (config, cluster) = (config(), cluster());
    let releases =
        [prometheus(&config, &cluster), thanos(&config, &cluster), grafana(&config, &cluster)];
    let lines = releases.map(|Release { name, chart, .. }| {
        format!("{name}: {} {} pinned={}", chart.reference, chart.version, chart.pinned)
    });
    insta::assert_snapshot!(lines.join("\n"), @r#"
    prometheus: oci://registry-1.docker.io/bitnamicharts/kube-prometheus 11.3.10 pinned=true
    thanos: oci://registry-1.docker.io/bitnamicharts/thanos 17.3.1 pinned=true
    grafana: oci://ghcr.io/grafana-community/helm-charts/grafana 12.11.1 pinned=true
    "#);
}

#[test]
fn another_version_of_a_chart_is_not_the_pinned_one() {
    let mut config = config();
    config.chart_versions.thanos = Some("17.4.0".to_owned());
    let chart = thanos(&config, &cluster()).chart;
    assert_eq!((chart.version.as_str(), chart.pinned), ("17.4.0", false));
}

#[test]
fn a_values_file_goes_with_its_own_release() {
    let mut cluster = cluster();
    cluster.values.thanos = Some("thanos.yaml".into());
    assert_eq!(thanos(&config(), &cluster).values_file, Some("thanos.yaml".into()));
    assert_eq!(prometheus(&config(), &cluster).values_file, None);
}

#[test]
fn images_are_the_projects_own_and_the_charts_are_told_so() {
    let image = |registry: &str, repository: &str, tag: &str| json!({"registry": registry, "repository": repository, "tag": tag});
    assert_set(
        &prometheus_values(),
        [
            ("global.security.allowInsecureImages", json!(true)),
            (
                "operator.image",
                image("quay.io", "prometheus-operator/prometheus-operator", "v0.85.0"),
            ),
            ("prometheus.image", image("quay.io", "prometheus/prometheus", "v3.5.0")),
            ("prometheus.thanos.image", image("quay.io", "thanos/thanos", "v0.39.2")),
        ],
    );
    assert_set(
        &thanos_values(),
        [
            ("global.security.allowInsecureImages", json!(true)),
            ("image", image("quay.io", "thanos/thanos", "v0.39.2")),
        ],
    );
    assert_set(&grafana_values(), [("image", image("docker.io", "grafana/grafana", "13.2.0"))]);
}

#[test]
fn what_is_restarted_for_the_buckets_keys_are_the_own_workloads() {
    let instances = format!(",app.kubernetes.io/instance in (thanos,{PROMETHEUS})");
    assert!(READERS_OF_OBJSTORE.ends_with(&instances), "{READERS_OF_OBJSTORE}");
}

#[test]
fn every_image_is_in_some_release() {
    for config in both() {
        let values = releases(&config, &cluster()).map(|release| read(&release.values));
        let used = values.iter().flat_map(strings).collect::<Vec<_>>().join(" ");
        for image in Images::new(config.charts, None).all() {
            assert!(used.contains(image.repository) && used.contains(image.tag), "{image}");
        }
    }
}

#[test]
fn with_a_mirror_no_other_registry_is_left_in_anything_that_is_sent() {
    let cluster = Cluster { load_balancer: Some(load_balancer(LoadBalancerKind::Lb)), ..cluster() };
    for mut config in both() {
        config.image_registry = Some("sin.ocir.io/mytenancy".to_owned());
        for release in releases(&config, &cluster) {
            let values = read(&release.values);
            assert!(strings(&values).contains(&"sin.ocir.io/mytenancy"), "{}", release.name);
            for text in strings(&values) {
                let others = ["docker.io", "quay.io", "registry.k8s.io", "ghcr.io", "bitnami"];
                assert!(!others.iter().any(|registry| text.contains(registry)), "{text}");
            }
            for registry in all_named(&values, "registry") {
                assert_eq!(registry, "sin.ocir.io/mytenancy", "in {}", release.name);
            }
        }
    }
}

#[test]
fn every_chart_is_told_the_secrets_to_pull_with() {
    for mut config in both() {
        config.image_pull_secrets = vec!["ocir".to_owned()];
        for release in releases(&config, &cluster()) {
            let secrets = &read(&release.values)["global"]["imagePullSecrets"];
            let named = [json!(["ocir"]), json!([{"name": "ocir"}])];
            assert!(named.contains(secrets), "{}: {secrets}", release.name);
        }
    }
}

#[test]
fn the_keys_are_named_by_their_secret_and_never_in_values() {
    assert_set(
        &prometheus_values(),
        [(
            "prometheus.thanos.objectStorageConfig",
            json!({"secretName": "thanos-objstore-config", "secretKey": "objstore.yml"}),
        )],
    );
    let values = thanos_values();
    assert_set(
        &values,
        [
            ("existingObjstoreSecret", json!("thanos-objstore-config")),
            (
                "existingObjstoreSecretItems",
                json!([{"key": "objstore.yml", "path": "objstore.yml"}]),
            ),
        ],
    );
    assert_eq!(values.get("objstoreConfig"), None);
    for config in both() {
        for release in releases(&config, &cluster()) {
            assert_eq!(release.values.secrets, [], "{}", release.name);
        }
    }
}

#[test]
fn everything_that_keeps_data_has_a_volume_of_its_size() {
    let cluster = Cluster { size: Size::Medium, ..cluster() };
    let prometheus = read(&prometheus(&config(), &cluster).values);
    let thanos = read(&thanos(&config(), &cluster).values);
    let volume = |size: &str| json!({"enabled": true, "size": size});
    assert_set(
        &prometheus,
        [
            ("global.defaultStorageClass", json!("oci-bv")),
            ("prometheus.persistence", volume("200Gi")),
            ("prometheus.retentionSize", json!("160GB")),
            ("alertmanager.persistence", volume("50Gi")),
        ],
    );
    assert_set(
        &thanos,
        [
            ("global.defaultStorageClass", json!("oci-bv")),
            ("storegateway.persistence", volume("100Gi")),
            ("compactor.persistence", volume("200Gi")),
            ("ruler.persistence", volume("50Gi")),
        ],
    );
    assert_set(
        &grafana_values(),
        [("persistence", json!({"enabled": true, "storageClassName": "oci-bv", "size": "50Gi"}))],
    );
}

#[test]
fn every_part_has_its_own_replicas_requests_and_limit() {
    let cluster = Cluster { size: Size::Large, ..cluster() };
    let (prometheus, thanos, grafana) = (
        read(&prometheus(&config(), &cluster).values),
        read(&thanos(&config(), &cluster).values),
        read(&grafana(&config(), &cluster).values),
    );
    let parts = [
        (&prometheus, "operator"),
        (&prometheus, "prometheus"),
        (&prometheus, "prometheus.thanos"),
        (&prometheus, "alertmanager"),
        (&prometheus, "kube-state-metrics"),
        (&prometheus, "node-exporter"),
        (&thanos, "query"),
        (&thanos, "queryFrontend"),
        (&thanos, "storegateway"),
        (&thanos, "compactor"),
        (&thanos, "ruler"),
        (&thanos, "bucketweb"),
    ];
    let mut lines: Vec<String> =
        parts.map(|(values, part)| resources(at(values, part), part)).into();
    lines.push(resources(&grafana, "grafana"));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    operator: - x 200m/1Gi, 2Gi
    prometheus: 2 x 4/32Gi, 40Gi
    prometheus.thanos: - x 500m/1Gi, 2Gi
    alertmanager: 3 x 100m/256Mi, 512Mi
    kube-state-metrics: - x 200m/1Gi, 2Gi
    node-exporter: - x 20m/32Mi, 128Mi
    query: 3 x 1/4Gi, 8Gi
    queryFrontend: 2 x 500m/2Gi, 4Gi
    storegateway: 3 x 1/8Gi, 16Gi
    compactor: - x 2/8Gi, 16Gi
    ruler: 2 x 500m/1Gi, 2Gi
    bucketweb: 1 x 100m/256Mi, 1Gi
    grafana: 1 x 200m/512Mi, 1Gi
    "#);
}

#[test]
fn placement_reaches_every_pod_but_the_node_exporters() {
    let mut cluster = cluster();
    cluster.placement.node_selector = placed_on("monitoring");
    cluster.placement.tolerations = vec![json!({"key": "dedicated", "operator": "Exists"})];
    let (prometheus, thanos, grafana) = (
        read(&prometheus(&config(), &cluster).values),
        read(&thanos(&config(), &cluster).values),
        read(&grafana(&config(), &cluster).values),
    );
    let mut pods = vec![&grafana];
    for part in ["operator", "prometheus", "alertmanager", "kube-state-metrics"] {
        pods.push(at(&prometheus, part));
    }
    for part in ["query", "queryFrontend", "storegateway", "compactor", "ruler", "bucketweb"] {
        pods.push(at(&thanos, part));
    }
    for pod in pods {
        assert_eq!(pod["nodeSelector"], json!({"pool": "monitoring"}), "{pod:#}");
        assert_eq!(
            pod["tolerations"],
            json!([{"key": "dedicated", "operator": "Exists"}]),
            "{pod:#}"
        );
    }
    let exporter = at(&prometheus, "node-exporter");
    assert_eq!(exporter.get("nodeSelector"), None);
    assert_eq!(exporter["tolerations"], json!([{"operator": "Exists"}]));
}

#[test]
fn values_hold_only_what_is_set() {
    for config in both() {
        for release in releases(&config, &cluster()) {
            let values = read(&release.values);
            assert_eq!(empty(&values, ""), Vec::<String>::new());
            assert!(values.to_string().len() < 8000);
        }
    }
}

/// The fleet with each family of charts.
fn both() -> [Config; 2] {
    [Charts::Bitnami, Charts::Community].map(|charts| Config { charts, ..config() })
}

fn releases(config: &Config, cluster: &Cluster) -> [Release; 3] {
    [prometheus(config, cluster), thanos(config, cluster), grafana(config, cluster)]
}

fn prometheus_values() -> Value {
    read(&prometheus(&config(), &cluster()).values)
}

fn thanos_values() -> Value {
    read(&thanos(&config(), &cluster()).values)
}

fn grafana_values() -> Value {
    read(&grafana(&config(), &cluster()).values)
}

/// The value at a path of keys without dots.
#[track_caller]
fn at<'a>(values: &'a Value, path: &str) -> &'a Value {
    let pointer = format!("/{}", path.replace('.', "/"));
    values.pointer(&pointer).unwrap_or_else(|| panic!("no {path} in {values:#}"))
}

/// Asserts each path's value.
#[track_caller]
fn assert_set<const N: usize>(values: &Value, expected: [(&str, Value); N]) {
    for (path, value) in expected {
        assert_eq!(*at(values, path), value, "{path}");
    }
}

fn resources(values: &Value, part: &str) -> String {
    let replicas = values.get("replicaCount").or(values.get("replicas"));
    let replicas = replicas.map_or("-".to_owned(), ToString::to_string);
    let figure = |path| at(values, path).as_str().unwrap();
    format!(
        "{part}: {replicas} x {}/{}, {}",
        figure("resources.requests.cpu"),
        figure("resources.requests.memory"),
        figure("resources.limits.memory"),
    )
}

fn placed_on(pool: &str) -> Map<String, Value> {
    Map::from_iter([("pool".to_owned(), json!(pool))])
}

/// The values of every field with a name, wherever it is.
fn all_named<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(|item| all_named(item, name)).collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| if key == name { vec![value] } else { all_named(value, name) })
            .collect(),
        _ => Vec::new(),
    }
}

/// The paths of values that say nothing.
fn empty(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Null => vec![path.to_owned()],
        Value::String(text) if text.is_empty() => vec![path.to_owned()],
        Value::Array(items) if items.is_empty() => vec![path.to_owned()],
        Value::Object(fields) if fields.is_empty() => vec![path.to_owned()],
        Value::Array(items) => items.iter().flat_map(|item| empty(item, path)).collect(),
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| empty(value, &format!("{path}.{key}"))).collect()
        }
        _ => Vec::new(),
    }
}
