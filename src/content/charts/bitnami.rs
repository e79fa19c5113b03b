//! Bitnami's charts kube-prometheus and thanos: versions, names of what they make, values.

use serde_json::{Value, json};

use super::{
    Chart, REPLICA_LABEL, RULER_REPLICA_LABEL, Release, STORAGE_CLASS, host, placement,
    verbatim_within,
};
use crate::config::{Cluster, Config, Expose};
use crate::content::doc::Doc;
use crate::content::images::Images;
use crate::content::objects::{OBJSTORE_KEY, OBJSTORE_SECRET};
use crate::content::sizes;

/// The resource `Prometheus` that the release `prometheus` makes, and its Service, port 9090.
pub const PROMETHEUS: &str = "prometheus-kube-prometheus-prometheus";

/// The resource `Alertmanager`, and its Service, port 9093.
pub const ALERTMANAGER: &str = "prometheus-kube-prometheus-alertmanager";

/// Selects the workloads that read the bucket's keys: Thanos' own, and Prometheus for its sidecars.
pub const READERS_OF_OBJSTORE: &str = "app.kubernetes.io/name in (thanos,prometheus)";

/// The operator's kinds that the charts make objects of. Every version of the operator has them.
pub const KINDS_USED: &[&str] =
    &["prometheuses", "alertmanagers", "servicemonitors", "prometheusrules"];

/// All kinds that kube-prometheus defines in the pinned version: its operator needs them when it starts.
pub const KINDS: &[&str] = &[
    "prometheuses",
    "alertmanagers",
    "servicemonitors",
    "prometheusrules",
    "podmonitors",
    "probes",
    "alertmanagerconfigs",
    "prometheusagents",
    "scrapeconfigs",
    "thanosrulers",
];

/// The Service of the query frontend that the release `thanos` makes, port 9090.
pub const QUERY_FRONTEND: &str = "thanos-query-frontend";

/// The Service of Query, port 9090.
pub const QUERY: &str = "thanos-query";

/// The port that every `StoreAPI` has.
pub const GRPC_PORT: u16 = 10901;

/// kube-prometheus: the operator, Prometheus with sidecars, Alertmanager, exporters.
pub fn prometheus(config: &Config, cluster: &Cluster) -> Release {
    let mut data = common(config, cluster);
    data["names"] = json!({"prometheus": PROMETHEUS, "alertmanager": ALERTMANAGER});
    data["retention_size"] =
        json!(sizes::PROMETHEUS.at(cluster.size).volume.map(sizes::Volume::retention_size));
    Release {
        name: "prometheus",
        chart: Chart::new(
            "kube-prometheus",
            "oci://registry-1.docker.io/bitnamicharts/kube-prometheus",
            "11.3.10",
            config.chart_versions.prometheus.as_ref(),
        ),
        values: Doc::new("values/prometheus.yaml.j2", data),
        values_file: cluster.values.prometheus.clone(),
        history: &[],
    }
}

/// Thanos: query, query frontend, store gateway, compactor, ruler, bucketweb.
pub fn thanos(config: &Config, cluster: &Cluster) -> Release {
    let mut data = common(config, cluster);
    data["ruler_replica_label"] = json!(RULER_REPLICA_LABEL);
    // The operator's headless Services: DNS names every replica.
    let sidecars = host(config, "prometheus-operated");
    data["sidecars"] = json!(format!("dns+{sidecars}:{GRPC_PORT}"));
    let alertmanagers = host(config, "alertmanager-operated");
    data["alertmanagers"] = json!(format!("dnssrv+http://_web._tcp.{alertmanagers}"));
    data["results_cache"] = json!(sizes::QUERY_FRONTEND.at(cluster.size).limit.fraction(4));
    data["chunk_pool"] = json!(sizes::STORE_GATEWAY.at(cluster.size).limit.fraction(2));
    Release {
        name: "thanos",
        chart: Chart::new(
            "thanos",
            "oci://registry-1.docker.io/bitnamicharts/thanos",
            "17.3.1",
            config.chart_versions.thanos.as_ref(),
        ),
        values: Doc::new("values/thanos.yaml.j2", data),
        values_file: cluster.values.thanos.clone(),
        history: &[
            ["compactor", "retentionResolutionRaw"],
            ["compactor", "retentionResolution5m"],
            ["compactor", "retentionResolution1h"],
        ],
    }
}

/// The labels of the pods whose `StoreAPI` a load balancer shows.
pub fn store_pods(expose: Expose) -> Value {
    match expose {
        Expose::Query => json!({
            "app.kubernetes.io/instance": "thanos",
            "app.kubernetes.io/name": "thanos",
            "app.kubernetes.io/component": "query",
        }),
        Expose::Sidecar => json!({
            "app.kubernetes.io/name": "prometheus",
            "app.kubernetes.io/component": "prometheus",
            "prometheus": PROMETHEUS,
        }),
    }
}

/// What both charts' templates use.
fn common(config: &Config, cluster: &Cluster) -> Value {
    let size = cluster.size;
    json!({
        "cluster": cluster.name,
        "region": cluster.region.identifier,
        "storage_class": STORAGE_CLASS,
        "mirror": config.image_registry,
        "pull_secrets": config.image_pull_secrets,
        "images": Images::new(config.image_registry.as_deref()),
        "placement": verbatim_within(placement(cluster)),
        "objstore": {"secret": OBJSTORE_SECRET, "key": OBJSTORE_KEY},
        "replica_label": REPLICA_LABEL,
        "retention": cluster.retention,
        "sizes": {
            "operator": sizes::OPERATOR.at(size),
            "prometheus": sizes::PROMETHEUS.at(size),
            "sidecar": sizes::SIDECAR.at(size),
            "alertmanager": sizes::ALERTMANAGER.at(size),
            "node_exporter": sizes::NODE_EXPORTER.at(size),
            "query": sizes::QUERY.at(size),
            "query_frontend": sizes::QUERY_FRONTEND.at(size),
            "store_gateway": sizes::STORE_GATEWAY.at(size),
            "compactor": sizes::COMPACTOR.at(size),
            "ruler": sizes::RULER.at(size),
            "bucketweb": sizes::BUCKETWEB.at(size),
        },
    })
}
