//! The releases: which chart, in which version, with which values.
//!
//! The modules below, one for each family of charts, are the only ones that know the charts; their
//! values' paths are in `templates/values`. What is here is the same in either family. Fetching a
//! chart and installing a release are others' work.

mod bitnami;
mod community;
mod grafana;

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::config::{Charts, Cluster, Config, Expose, Placement};
use crate::content::doc::Doc;
use crate::content::images::Images;
use crate::content::objects::{OBJSTORE_KEY, OBJSTORE_SECRET};
use crate::content::sizes;

pub use grafana::{DATASOURCE_UID, GRAFANA, grafana};

/// The class of every volume: OCI's block volumes.
pub const STORAGE_CLASS: &str = "oci-bv";

/// The external label that tells the replicas of Prometheus apart. Prometheus sets it, Query
/// removes it: one constant, since two that differ double every series.
pub const REPLICA_LABEL: &str = "prometheus_replica";

/// The same for the ruler. Not `replica`, its chart's name for it: Query would merge series of
/// anything else that is labelled so.
pub const RULER_REPLICA_LABEL: &str = "ruler_replica";

/// The resource `Prometheus` that the release `prometheus` makes, and its Service, port 9090.
pub const PROMETHEUS: &str = "prometheus-kube-prometheus-prometheus";

/// The resource `Alertmanager`, and its Service, port 9093.
pub const ALERTMANAGER: &str = "prometheus-kube-prometheus-alertmanager";

/// The Service of the query frontend that the release `thanos` makes, port 9090.
pub const QUERY_FRONTEND: &str = "thanos-query-frontend";

/// The port that every `StoreAPI` has.
pub const GRPC_PORT: u16 = 10901;

/// Selects the workloads that read the bucket's keys: those of the release `thanos`, and of
/// [`PROMETHEUS`] for its sidecars. The operator names the resource in the labels of what it makes;
/// the same labels with another instance are somebody else's.
pub const READERS_OF_OBJSTORE: &str = "app.kubernetes.io/name in (thanos,prometheus),app.kubernetes.io/instance in (thanos,prometheus-kube-prometheus-prometheus)";

/// The operator's kinds that the charts make objects of. Every version of the operator has them.
pub const KINDS_USED: &[&str] =
    &["prometheuses", "alertmanagers", "servicemonitors", "prometheusrules"];

/// All kinds that the pinned charts define: their operators need them when they start.
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

/// The operator, Prometheus with sidecars, Alertmanager, exporters.
pub fn prometheus(config: &Config, cluster: &Cluster) -> Release {
    match config.charts {
        Charts::Bitnami => bitnami::prometheus(config, cluster),
        Charts::Community => community::prometheus(config, cluster),
    }
}

/// Query, query frontend, store gateway, compactor, ruler, bucketweb.
pub fn thanos(config: &Config, cluster: &Cluster) -> Release {
    match config.charts {
        Charts::Bitnami => bitnami::thanos(config, cluster),
        Charts::Community => community::thanos(config, cluster),
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
            "prometheus": PROMETHEUS,
        }),
    }
}

/// One Helm release.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// The articles' name for it, so that what was installed by hand is taken over.
    pub name: &'static str,
    pub chart: Chart,
    pub values: Doc,
    /// A values file of the user's own, the last word.
    pub values_file: Option<PathBuf>,
    /// The value that names the cluster in every sample and block, the keys that lead to it.
    pub identity: Option<&'static [&'static str]>,
    /// The values that say how long the bucket keeps history, each the keys that lead to it: a
    /// Prometheus duration, and 0 is for ever.
    pub history: &'static [&'static [&'static str]],
    /// The volumes that data is kept on.
    pub volumes: Vec<Volume>,
    /// The value in which a release made by hand may have the bucket's keys, the keys that lead to
    /// it. okemon never sets it.
    pub inline_keys: Option<&'static [&'static str]>,
}

/// A volume of each replica of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The value that says its size, the keys that lead to it.
    pub size: &'static [&'static str],
    /// The name of its claim; with a hyphen at its end, what the names of its claims begin with.
    pub claims: &'static str,
    /// What is lost with a pod that has no such volume; none: nothing that does not come back.
    pub keeps: Option<Keeps>,
    /// What stands still while the operator, whose pods have it, makes all of them anew for another
    /// size; none: the chart's own pods have it, which are replaced one after another.
    pub stops: Option<&'static str>,
}

/// What a part keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeps {
    /// The object that makes the part's pods: `StatefulSet/thanos-ruler`.
    pub object: &'static str,
    pub what: &'static str,
}

impl Volume {
    /// Whether a claim of this name is one of its.
    pub fn has(&self, claim: &str) -> bool {
        if self.claims.ends_with('-') {
            claim.starts_with(self.claims)
        } else {
            claim == self.claims
        }
    }

    /// That of the operator's Prometheus, whose size stands at `size`.
    fn of_prometheus(size: &'static [&'static str]) -> Self {
        let keeps = Keeps {
            object: "Prometheus/prometheus-kube-prometheus-prometheus",
            what: "the last two hours, and blocks that are not uploaded yet",
        };
        let claims = "prometheus-prometheus-kube-prometheus-prometheus-db-";
        Self { size, claims, keeps: Some(keeps), stops: Some("nothing is scraped") }
    }

    /// That of the operator's Alertmanager.
    fn of_alertmanager(size: &'static [&'static str]) -> Self {
        let keeps = Keeps {
            object: "Alertmanager/prometheus-kube-prometheus-alertmanager",
            what: "silences, and what was notified",
        };
        let claims = "alertmanager-prometheus-kube-prometheus-alertmanager-db-";
        Self { size, claims, keeps: Some(keeps), stops: Some("no alert is sent") }
    }

    /// That of the store gateway: copies of what the bucket has.
    fn of_store_gateway(size: &'static [&'static str]) -> Self {
        Self { size, claims: "data-thanos-storegateway-", keeps: None, stops: None }
    }

    /// That of the compactor: room to work in.
    fn of_compactor(size: &'static [&'static str], claims: &'static str) -> Self {
        Self { size, claims, keeps: None, stops: None }
    }

    /// That of the ruler.
    fn of_ruler(size: &'static [&'static str]) -> Self {
        let keeps = Keeps {
            object: "StatefulSet/thanos-ruler",
            what: "what its rules recorded in the last two hours",
        };
        Self { size, claims: "data-thanos-ruler-", keeps: Some(keeps), stops: None }
    }
}

/// One chart in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// As in `NAME-VERSION.tgz`.
    pub name: &'static str,
    pub version: String,
    /// Where the chart's own registry has it.
    pub reference: &'static str,
    /// Whether this is the version that okemon was made for.
    pub pinned: bool,
}

impl Chart {
    fn new(
        name: &'static str,
        reference: &'static str,
        pinned: &str,
        wanted: Option<&String>,
    ) -> Self {
        let version = wanted.map_or(pinned, String::as_str);
        Self { name, version: version.to_owned(), reference, pinned: version == pinned }
    }
}

/// What the templates of values are filled with, of either family.
fn data(config: &Config, cluster: &Cluster) -> Value {
    let size = cluster.size;
    // The operator's headless Services: DNS names every replica.
    let sidecars = host(config, "prometheus-operated");
    let alertmanagers = host(config, "alertmanager-operated");
    let port = match config.charts {
        Charts::Bitnami => bitnami::ALERTMANAGER_PORT,
        Charts::Community => community::ALERTMANAGER_PORT,
    };
    json!({
        "cluster": cluster.name,
        "region": cluster.region.identifier,
        "storage_class": STORAGE_CLASS,
        "mirror": config.image_registry,
        "pull_secrets": config.image_pull_secrets,
        "images": Images::new(config.charts, config.image_registry.as_deref()),
        "placement": placement(cluster),
        "names": {"prometheus": PROMETHEUS, "alertmanager": ALERTMANAGER},
        "objstore": {"secret": OBJSTORE_SECRET, "key": OBJSTORE_KEY},
        "sidecars": format!("dns+{sidecars}:{GRPC_PORT}"),
        "alertmanagers": format!("_{port}._tcp.{alertmanagers}"),
        "replica_label": REPLICA_LABEL,
        "ruler_replica_label": RULER_REPLICA_LABEL,
        "retention": cluster.retention,
        "retention_size": sizes::PROMETHEUS.at(size).volume.map(sizes::Volume::retention_size),
        "results_cache": sizes::QUERY_FRONTEND.at(size).limit.fraction(4),
        "chunk_pool": sizes::STORE_GATEWAY.at(size).limit.fraction(2),
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

/// The name of a Service inside the cluster.
fn host(config: &Config, service: &str) -> String {
    format!("{service}.{}.svc.cluster.local", config.namespace)
}

/// The fields of a pod's spec that placement sets; a field that is not set is not rendered.
fn placement(cluster: &Cluster) -> Value {
    let Placement { node_selector, tolerations } = &cluster.placement;
    let mut fields = Map::new();
    if !node_selector.is_empty() {
        fields.insert("nodeSelector".to_owned(), json!(node_selector));
    }
    if !tolerations.is_empty() {
        fields.insert("tolerations".to_owned(), json!(tolerations));
    }
    Value::Object(fields)
}

/// Keeps Helm from running text as a template, for values that a chart passes through `tpl`. Names,
/// labels and taints need it not: what reads the file allows no brace in them.
fn verbatim(text: &str) -> String {
    // Backquotes, since the chart may put the whole into quotes of either kind.
    text.replace("{{", "{{`{{`}}")
}

#[cfg(test)]
mod tests;
