//! The releases: which chart, in which version, with which values.
//!
//! The modules below are the only ones that know the charts' names for things; their values' paths
//! are in `templates/values`. Fetching a chart and installing a release are others' work.

pub mod bitnami;
pub mod grafana;

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::config::{Cluster, Config, Placement};
use crate::content::doc::Doc;

pub use bitnami::{prometheus, thanos};
pub use grafana::grafana;

/// The class of every volume: OCI's block volumes.
pub const STORAGE_CLASS: &str = "oci-bv";

/// The external label that tells the replicas of Prometheus apart. Prometheus sets it, Query
/// removes it: one constant, since two that differ double every series.
pub const REPLICA_LABEL: &str = "prometheus_replica";

/// The same for the ruler. Not `replica`, its chart's name for it: Query would merge series of
/// anything else that is labelled so.
pub const RULER_REPLICA_LABEL: &str = "ruler_replica";

/// One Helm release.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// The articles' name for it, so that what was installed by hand is taken over.
    pub name: &'static str,
    pub chart: Chart,
    pub values: Doc,
    /// A values file of the user's own, the last word.
    pub values_file: Option<PathBuf>,
    /// The values that say how long the bucket keeps history, each the keys that lead to it: a
    /// Prometheus duration, and 0 is for ever.
    pub history: &'static [[&'static str; 2]],
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

/// Keeps Helm from running text as a template, for values that a chart passes through `tpl`. Names
/// need it not: what reads the file allows no brace in them.
fn verbatim(text: &str) -> String {
    // Backquotes, since the chart may put the whole into quotes of either kind.
    text.replace("{{", "{{`{{`}}")
}

/// [`verbatim`] for every string and key in a value.
fn verbatim_within(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(verbatim(&text)),
        Value::Array(items) => items.into_iter().map(verbatim_within).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (verbatim(&key), verbatim_within(value)))
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
