//! What is installed, and how it is: one screen a cluster. Pure.

#[cfg(test)]
mod tests;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::{Cluster, Config};
use crate::content::charts;
use crate::diagnose::{Diagnosis, Finding};
use crate::observe::kubernetes::Snapshot;
use crate::verify::{Question, Reply, Topic};

/// What is known of one cluster.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Its name: the external label `cluster`.
    pub cluster: String,
    /// `ap-singapore-1`.
    pub region: String,
    pub context: String,
    pub namespace: String,
    /// Why nothing is known of it; none: it was seen.
    pub unseen: Option<String>,
    pub releases: Vec<Release>,
    /// How many workloads, and Services that are waited for, are ready.
    pub ready: usize,
    /// Of how many.
    pub of: usize,
    /// What keeps the others, the worst first.
    pub findings: Vec<Finding>,
    /// The load balancers that have an address.
    pub addresses: Vec<Address>,
    pub volumes: Vec<Volume>,
    pub history: History,
}

/// A Helm release.
#[derive(Clone, Debug, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    pub name: String,
    /// `NAME-VERSION`; none: it is not installed.
    pub chart: Option<String>,
    /// The chart that an install would bring, as `NAME-VERSION`.
    pub wanted: String,
    /// The number of its newest revision.
    pub revision: Option<u64>,
    /// `deployed`, `failed`, `pending-install`, ...
    pub state: Option<String>,
}

/// The address of a load balancer.
#[derive(Clone, Debug, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    pub service: String,
    pub address: String,
}

/// A claim of a volume.
#[derive(Clone, Debug, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    pub claim: String,
    /// `Bound`, `Pending`, `Lost`.
    pub phase: String,
    /// As Kubernetes writes it, `50Gi`; none: there is no volume yet.
    pub capacity: Option<String>,
}

/// What is known of the blocks in the bucket.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Until when the blocks of this cluster reach that the store gateways have; none: there is none, or
    /// it is not known.
    #[schemars(with = "Option<String>")]
    pub newest_block: Option<Timestamp>,
    /// Whether the compactor has halted; none: it is not known.
    pub compactor_halted: Option<bool>,
}

/// What is asked of pods for it.
pub const TOPICS: [Topic; 2] = [Topic::Stores, Topic::Compactor];

/// A release in the list of `helm list -o json`.
#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    revision: String,
    status: String,
    chart: String,
}

impl Status {
    /// A cluster of which nothing is known yet.
    pub fn new(config: &Config, cluster: &Cluster) -> Self {
        Self {
            cluster: cluster.name.to_string(),
            region: cluster.region.identifier.to_owned(),
            context: cluster.context.clone(),
            namespace: config.namespace.to_string(),
            unseen: None,
            releases: vec![],
            ready: 0,
            of: 0,
            findings: vec![],
            addresses: vec![],
            volumes: vec![],
            history: History::default(),
        }
    }

    /// Whether everything that was installed runs, and is what an install would bring.
    pub fn is_well(&self) -> bool {
        let wanted = |release: &Release| {
            release.state.as_deref() == Some("deployed")
                && release.chart.as_ref() == Some(&release.wanted)
        };
        self.unseen.is_none()
            && self.ready == self.of
            && self.releases.iter().all(wanted)
            && self.history.compactor_halted != Some(true)
    }

    /// Takes in what the API server has told.
    pub fn see(&mut self, snapshot: &Snapshot, diagnosis: Diagnosis) {
        (self.ready, self.of, self.findings) = (diagnosis.ready, diagnosis.of, diagnosis.findings);
        let address = |(service, address)| Address { service, address };
        self.addresses = diagnosis.addresses.into_iter().map(address).collect();
        let volume = |claim: &k8s_openapi::api::core::v1::PersistentVolumeClaim| {
            let status = claim.status.clone().unwrap_or_default();
            Volume {
                claim: claim.metadata.name.clone().unwrap_or_default(),
                phase: status.phase.unwrap_or_else(|| "Pending".to_owned()),
                capacity: status
                    .capacity
                    .and_then(|it| it.get("storage").map(|size| size.0.clone())),
            }
        };
        self.volumes = snapshot.claims.iter().map(volume).collect();
        self.volumes.sort_by(|one, other| one.claim.cmp(&other.claim));
    }

    /// Takes in what the parts of Thanos have told.
    pub fn hear(&mut self, replies: &[(Question, Reply)]) {
        let told = |topic: Topic| {
            let of = replies.iter().filter(move |(question, _)| question.topic == topic);
            of.filter_map(|(_, reply)| reply.as_ref().ok().map(|answer| answer.body.as_str()))
        };
        let stores = told(Topic::Stores)
            .filter_map(|body| serde_json::from_str::<Value>(body).ok())
            .collect::<Vec<_>>();
        let ours = |labels: &Value| labels["cluster"] == self.cluster.as_str();
        let newest = stores
            .iter()
            .flat_map(|answer| answer["data"]["store"].as_array().into_iter().flatten())
            .filter(|store| store["labelSets"].as_array().into_iter().flatten().any(ours))
            .filter_map(|store| store["maxTime"].as_i64())
            .max();
        self.history = History {
            newest_block: newest.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
            compactor_halted: told(Topic::Compactor)
                .filter_map(|page| crate::verify::sum(page, "thanos_compact_halted"))
                .map(|halted| halted > 0.0)
                .reduce(|one, other| one || other),
        };
    }
}

/// The releases that an install makes, with what `helm list -o json` says of them.
///
/// # Errors
/// When it is no such list.
pub fn releases(wanted: &[charts::Release], listed: &str) -> Result<Vec<Release>> {
    let listed: Vec<Listed> =
        serde_json::from_str(listed).context("reading the list of releases")?;
    let release = |wanted: &charts::Release| {
        let found = listed.iter().find(|listed| listed.name == wanted.name);
        Release {
            name: wanted.name.to_owned(),
            chart: found.map(|found| found.chart.clone()),
            wanted: format!("{}-{}", wanted.chart.name, wanted.chart.version),
            revision: found.and_then(|found| found.revision.parse().ok()),
            state: found.map(|found| found.status.clone()),
        }
    };
    Ok(wanted.iter().map(release).collect())
}
