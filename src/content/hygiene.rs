//! Whatever text stands in a field, a YAML parser reads back the same text.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::charts;
use super::dashboards::dashboards;
use super::doc::Doc;
use super::fixtures::{cluster, config, load_balancer, read, read_with};
use super::objects;
use crate::config::names::{BucketName, ClusterName, Endpoint, Namespace, Ocid};
use crate::config::{Charts, Cluster, Config, LoadBalancerKind};

/// Text of any kind, and the kinds that have gone wrong before.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop_oneof![
            Just("no"),
            Just("1_000"),
            Just("0o17"),
            Just("~"),
            Just("2026-01-01"),
            Just("a: b"),
            Just("- a"),
            Just("#c"),
            Just("{{ x }}"),
            Just("{% raw %}"),
            Just("$(id)"),
            Just("`'\"\\"),
            Just("<&>"),
            Just("a\n---\nb: c"),
            Just("\u{0}\u{7f}\u{85}\u{2028}\u{feff}\u{fffe}\u{1f600}"),
        ]
        .prop_map(str::to_owned),
    ]
}

/// A fleet of one cluster in which every free text is `text`.
fn fleet(text: &str) -> (Config, Cluster) {
    let mut config = config();
    config.namespace = Namespace::new_unchecked(text);
    config.image_registry = Some(text.to_owned());
    config.grafana.url = Some(text.to_owned());
    let mut cluster = cluster();
    cluster.name = ClusterName::new_unchecked(text);
    cluster.object_storage.bucket = BucketName::new_unchecked(text);
    cluster.object_storage.prefix = text.to_owned();
    cluster.object_storage.endpoint = Some(Endpoint::new_unchecked(&format!("https://{text}x")));
    for field in [
        &mut cluster.retention.local,
        &mut cluster.retention.raw,
        &mut cluster.retention.five_minutes,
        &mut cluster.retention.one_hour,
    ] {
        text.clone_into(field);
    }
    cluster.placement.node_selector.insert(text.to_owned(), json!(text));
    cluster.placement.tolerations.push(json!({"key": text}));
    let mut balancer = load_balancer(LoadBalancerKind::Nlb);
    balancer.subnet = Ocid::new_unchecked(text);
    balancer.nsgs = vec![Ocid::new_unchecked(text)];
    balancer.allow_from = vec![text.to_owned()];
    cluster.load_balancer = Some(balancer);
    (config, cluster)
}

/// What Helm makes of a value that a chart runs as a template.
fn through_helm(value: &Value) -> String {
    value.as_str().unwrap().replace("{{`{{`}}", "{{")
}

fn inner(secret: &Value) -> Value {
    serde_yaml::from_str(secret["stringData"]["objstore.yml"].as_str().unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn values_read_back_as_meant(text in text()) {
        // An empty text is a field that is not set.
        prop_assume!(!text.is_empty());
        let (config, cluster) = fleet(&text);

        let prometheus = read(&charts::prometheus(&config, &cluster).values);
        let thanos = read(&charts::thanos(&config, &cluster).values);
        let sidecars = format!("dns+prometheus-operated.{text}.svc.cluster.local:10901");
        let (selector, tolerations) = (json!({&text: &text}), json!([{"key": &text}]));
        for (values, path, meant) in [
            (&prometheus, "/prometheus/externalLabels/cluster", json!(text)),
            (&prometheus, "/prometheus/retention", json!(text)),
            (&prometheus, "/prometheus/image/registry", json!(text)),
            (&prometheus, "/prometheus/nodeSelector", selector.clone()),
            (&prometheus, "/prometheus/tolerations", tolerations.clone()),
            (&thanos, "/global/imageRegistry", json!(text)),
            (&thanos, "/ruler/clusterName", json!(text)),
            (&thanos, "/compactor/retentionResolution5m", json!(text)),
            (&thanos, "/query/stores/0", json!(sidecars)),
        ] {
            prop_assert_eq!(values.pointer(path), Some(&meant), "Bitnami's {}", path);
        }

        let config = Config { charts: Charts::Community, ..config };
        let prometheus = read(&charts::prometheus(&config, &cluster).values);
        let thanos = read(&charts::thanos(&config, &cluster).values);
        for (values, path, meant) in [
            (&prometheus, "/prometheus/prometheusSpec/externalLabels/cluster", json!(text)),
            (&prometheus, "/prometheus/prometheusSpec/retention", json!(text)),
            (&prometheus, "/prometheus/prometheusSpec/image/registry", json!(text)),
            (&prometheus, "/prometheus/prometheusSpec/nodeSelector", selector.clone()),
            (&prometheus, "/prometheus/prometheusSpec/tolerations", tolerations.clone()),
            (&thanos, "/global/image/registry", json!(text)),
            (&thanos, "/global/nodeSelector", selector),
            (&thanos, "/global/tolerations", tolerations),
            (&thanos, "/ruler/extraArgs/0", json!(format!("--label=ruler_cluster=\"{text}\""))),
            (&thanos, "/compactor/retention/resolution5m", json!(text)),
            (&thanos, "/query/stores/0", json!(sidecars)),
        ] {
            prop_assert_eq!(values.pointer(path), Some(&meant), "the community's {}", path);
        }

        let values = read(&charts::grafana(&config, &cluster).values);
        prop_assert_eq!(&values["nodeSelector"][&text], &text);
        prop_assert_eq!(&values["sidecar"]["dashboards"]["searchNamespace"], &text);
        prop_assert_eq!(through_helm(&values["grafana.ini"]["server"]["root_url"]), text);
    }

    #[test]
    fn manifests_read_back_as_meant(text in text()) {
        prop_assume!(!text.is_empty());
        let (config, cluster) = fleet(&text);
        let named = |doc: &Doc| read(doc)["metadata"]["namespace"].clone();

        prop_assert_eq!(&read(&objects::namespace(&config))["metadata"]["name"], &text);
        prop_assert_eq!(named(&objects::grafana_admin(&config)), json!(&text));
        for dashboard in dashboards(&config) {
            prop_assert_eq!(named(&dashboard), json!(&text));
        }

        let service = read(&objects::storeapi(&config, &cluster).unwrap());
        let annotation = "oci-network-load-balancer.oraclecloud.com/subnet";
        prop_assert_eq!(&service["metadata"]["annotations"][annotation], &text);
        prop_assert_eq!(&service["spec"]["loadBalancerSourceRanges"][0], &text);

        let objstore = inner(&read_with(&objects::objstore(&config, &cluster, objects::Restarted::Yes), |_| text.clone()));
        prop_assert_eq!(&objstore["config"]["bucket"], &text);
        prop_assert_eq!(&objstore["config"]["endpoint"], &format!("{text}x"));
        prop_assert_eq!(&objstore["config"]["access_key"], &text);
        prop_assert_eq!(&objstore["config"]["secret_key"], &text);
        prop_assert_eq!(&objstore["prefix"], &text);
    }
}
