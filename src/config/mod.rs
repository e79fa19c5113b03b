//! A valid fleet: what file, environment and flags said, checked once and then trusted.
//!
//! Reading, layering and the report of faults live in the modules below; nothing after this module
//! asks where a value came from, and nothing in it touches a cluster or a tool.

pub mod checks;
pub mod faults;
mod fields;
mod fleet;
mod layers;
mod load;
pub mod names;
mod reader;
pub mod regions;
pub mod schema;
#[cfg(test)]
mod tests;
mod tree;

use std::path::PathBuf;

use serde::Serialize;

use names::{BucketName, ClusterName, Endpoint, Namespace, Ocid};
use regions::Region;

pub use faults::Faults;
pub use layers::{CLUSTER, Known, REGION, SETTINGS, Selection, Setting, Source};
pub use load::{image_registry, load};

/// Every cluster of one `okemon.yaml`, with what they have in common.
#[derive(Clone, Debug)]
pub struct Config {
    /// The namespace that everything is installed into; `monitoring` by default.
    pub namespace: Namespace,
    /// Whose charts are installed.
    pub charts: Charts,
    /// Versions other than the pinned ones.
    pub chart_versions: ChartVersions,
    /// A directory that holds the charts as `NAME-VERSION.tgz`; none: the charts' own registries.
    pub chart_directory: Option<PathBuf>,
    /// A registry that mirrors every image, such as `sin.ocir.io/mytenancy`.
    pub image_registry: Option<String>,
    /// Secrets of the namespace, of the type `kubernetes.io/dockerconfigjson`, that pods pull
    /// images with; the user makes them.
    pub image_pull_secrets: Vec<String>,
    /// What Grafana is told beyond its values.
    pub grafana: Grafana,
    /// The clusters that this run is about, in the file's order. Never empty.
    pub clusters: Vec<Cluster>,
}

/// Who made the charts. Grafana's is the community's in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charts {
    /// Bitnami's, which the articles use.
    #[default]
    Bitnami,
    /// Those of prometheus-community and thanos-community.
    Community,
}

/// One cluster, with every setting that may stand on it or above it resolved.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The external label `cluster`; unique in the fleet.
    pub name: ClusterName,
    /// The OCI region that the cluster and its bucket are in.
    pub region: Region,
    /// The kubeconfig context that leads to it.
    pub context: String,
    /// The kubeconfig that holds the context; none: kubectl's ordinary rules.
    pub kubeconfig: Option<PathBuf>,
    /// The UID of the namespace `kube-system`, when the cluster is pinned.
    pub uid: Option<String>,
    /// How much of everything.
    pub size: Size,
    /// How long samples are kept.
    pub retention: Retention,
    /// Where blocks go.
    pub object_storage: ObjectStorage,
    /// Helm values files of the user's own, the last word.
    pub values: ValuesFiles,
    /// Which nodes everything is placed on.
    pub placement: Placement,
    /// How the cluster's `StoreAPI` is reached from outside; none: it is not.
    pub load_balancer: Option<LoadBalancer>,
}

impl Cluster {
    /// The URL of the S3 server that holds the bucket, without a path.
    pub fn s3_url(&self) -> String {
        let ObjectStorage { namespace, endpoint, .. } = &self.object_storage;
        if let Some(endpoint) = endpoint {
            return endpoint.as_str().trim_end_matches('/').to_owned();
        }
        let namespace = namespace.as_deref().unwrap_or_default();
        let Region { identifier, domain, .. } = self.region;
        format!("https://{namespace}.compat.objectstorage.{identifier}.{domain}")
    }
}

/// The versions asked for instead of the pinned ones, by release.
#[derive(Clone, Debug, Default)]
pub struct ChartVersions {
    pub prometheus: Option<String>,
    pub thanos: Option<String>,
    pub grafana: Option<String>,
}

/// What Grafana is told beyond its values.
#[derive(Clone, Debug)]
pub struct Grafana {
    /// Whether okemon's own dashboards are installed; true by default.
    pub dashboards: bool,
    /// The address that people open Grafana at, for links in it.
    pub url: Option<String>,
}

/// One of the three rows of sizes; `content::sizes` has the figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// To 300,000 series.
    #[default]
    Small,
    /// To 2 million series.
    Medium,
    /// To 8 million series.
    Large,
}

/// How long samples are kept, each a Prometheus duration such as `365d`; `0d`: for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retention {
    /// On Prometheus' own volume; `72h` by default.
    pub local: String,
    /// In the bucket, as scraped; `365d` by default.
    pub raw: String,
    /// In the bucket, one sample each five minutes; `365d` by default.
    pub five_minutes: String,
    /// In the bucket, one sample each hour; `0d` by default.
    pub one_hour: String,
}

impl Default for Retention {
    fn default() -> Self {
        let [local, raw, five_minutes, one_hour] = ["72h", "365d", "365d", "0d"].map(String::from);
        Self { local, raw, five_minutes, one_hour }
    }
}

/// Where a cluster's blocks go.
#[derive(Clone, Debug)]
pub struct ObjectStorage {
    pub bucket: BucketName,
    /// The path inside the bucket; empty: its root.
    pub prefix: String,
    /// The tenancy's Object Storage namespace; needed unless `endpoint` is set.
    pub namespace: Option<String>,
    /// The compartment that a new bucket is made in.
    pub compartment: Option<Ocid>,
    /// Another S3 server; none: OCI Object Storage of the cluster's region.
    pub endpoint: Option<Endpoint>,
}

/// Helm values files of the user's own, by release.
#[derive(Clone, Debug, Default)]
pub struct ValuesFiles {
    pub prometheus: Option<PathBuf>,
    pub thanos: Option<PathBuf>,
    pub grafana: Option<PathBuf>,
}

/// Which nodes everything is placed on, in the words of a pod's spec.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// Labels that a node must have.
    pub node_selector: serde_json::Map<String, serde_json::Value>,
    /// Taints that are tolerated, each as Kubernetes spells it.
    pub tolerations: Vec<serde_json::Value>,
}

/// How a cluster's `StoreAPI` is reached from outside.
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    pub kind: LoadBalancerKind,
    pub expose: Expose,
    /// The subnet that the load balancer's address is taken from.
    pub subnet: Ocid,
    /// Network security groups, five at most.
    pub nsgs: Vec<Ocid>,
    /// A fixed private address; network load balancers only.
    pub address: Option<std::net::Ipv4Addr>,
    /// The networks that may connect, each in CIDR form; empty: whatever the network allows.
    pub allow_from: Vec<String>,
}

/// OCI's two kinds of load balancer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LoadBalancerKind {
    /// The flexible load balancer.
    #[default]
    Lb,
    /// The network load balancer: the only kind that can have a fixed private address.
    Nlb,
}

/// Whose `StoreAPI` answers behind the load balancer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Expose {
    /// The cluster's Query, which sees everything in it.
    #[default]
    Query,
    /// The Prometheus sidecars, as part 1 of the articles does.
    Sidecar,
}
