//! Tells from what an API server said what is wrong, and why. Pure.
//!
//! [`diagnose`] judges one [`Snapshot`]; [`progress`] judges one diagnosis after another. How long to
//! wait in between, and what is shown, is for others to say.

pub mod catalogue;
mod loadbalancer;
mod operated;
mod pods;
pub mod progress;
mod trouble;
mod volumes;
mod words;
mod workloads;

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "a test reads best handing on what it just made")]
mod tests;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::JsonSchema;
use serde::Serialize;

use crate::observe::kubernetes::{ContainerName, Snapshot};
use crate::tools::kubectl;
use catalogue::Id;
use trouble::Trouble;

/// What is waited for: everything of these releases, and some Services. All else in the namespace is
/// somebody else's, and may be as broken as it likes.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Helm releases; their objects carry the annotation `meta.helm.sh/release-name`.
    pub releases: &'a [&'a str],
    /// Services of no release that must have the address of a load balancer.
    pub services: &'a [&'a str],
    /// The kubeconfig context and the namespace, for the commands in hints.
    pub context: &'a str,
    pub namespace: &'a str,
}

/// How far the things waited for are, and what keeps the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    pub ready: usize,
    pub of: usize,
    /// The worst first; at least one for each thing that is not ready.
    pub findings: Vec<Finding>,
    /// Each load balancer that is there: its Service, its address.
    pub addresses: Vec<(String, String)>,
    /// How often the containers of all that is waited for were restarted.
    pub restarts: u32,
    /// Something is at work that may take its time: an autoscaler, a registry that throttles.
    pub buys_time: bool,
    /// Containers that ended, and whose last words would say why; the gravest first.
    #[serde(skip)]
    pub unheard: Vec<Unheard>,
}

/// A container that ended and is not in the snapshot's logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unheard {
    pub of: ContainerName,
    /// Whether another one runs in its place by now.
    pub replaced: bool,
}

/// One thing that keeps an object from being ready, with what a person can do about it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub id: Id,
    /// The object as kubectl names it: `pod/thanos-query-5d9-x2x4k`.
    pub object: String,
    /// What is wrong, in a line, with the cluster's own words: `ImagePullBackOff: quay.io/... not found`.
    pub reason: String,
    /// What to do about it, beginning with the command to type.
    pub hint: Option<String>,
    pub severity: Severity,
}

/// Whether time alone can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing is wrong; it is still starting.
    Starting,
    /// Something is wrong that may pass: a throttled registry, an autoscaler at work.
    Wrong,
    /// It cannot become ready by itself.
    Final,
}

/// Judges everything in the scope.
pub fn diagnose(snapshot: &Snapshot, scope: &Scope) -> Diagnosis {
    let mut parts = workloads::parts(snapshot, scope);
    parts.extend(operated::parts(snapshot, scope));
    parts.extend(absent_releases(snapshot, scope));
    parts.extend(loadbalancer::parts(snapshot, scope));

    let mut troubles = Vec::new();
    let mut diagnosis = Diagnosis { of: parts.len(), ..Diagnosis::default() };
    for part in parts {
        diagnosis.ready += usize::from(part.ready);
        diagnosis.restarts += part.restarts;
        diagnosis.addresses.extend(part.address);
        troubles.extend(part.troubles);
    }
    troubles.sort_by_cached_key(Trouble::rank);
    diagnosis.buys_time = troubles.iter().any(|trouble| trouble.buys_time);
    diagnosis.unheard = troubles.iter().filter_map(|trouble| trouble.unheard.clone()).collect();
    diagnosis.findings = trouble::by_words(troubles).into_iter().map(Trouble::told).collect();
    diagnosis
}

/// One thing that is waited for.
#[derive(Debug, Default)]
struct Part {
    ready: bool,
    troubles: Vec<Trouble>,
    address: Option<(String, String)>,
    restarts: u32,
}

impl Part {
    fn ready() -> Self {
        Self { ready: true, ..Self::default() }
    }

    fn waits(trouble: Trouble) -> Self {
        Self { troubles: vec![trouble], ..Self::default() }
    }
}

impl Scope<'_> {
    /// Whether an object is a release's own. What a controller made from such an object is not, even
    /// if the annotation was copied, as the Prometheus operator does.
    fn holds(&self, metadata: &ObjectMeta) -> bool {
        release(metadata).is_some_and(|name| self.releases.contains(&name))
            && controller(metadata).is_none()
    }

    /// The command that a person would type in the scope's namespace.
    fn kubectl(&self, words: &[&str]) -> String {
        kubectl::by_hand(self.context, self.namespace, words)
    }

    fn describe(&self, kind: &str, name: &str) -> String {
        self.kubectl(&["describe", kind, name])
    }
}

/// Releases of which nothing is there: a name misspelt, or everything deleted.
fn absent_releases(snapshot: &Snapshot, scope: &Scope) -> Vec<Part> {
    let there: Vec<&str> = metadata_of_workloads(snapshot).filter_map(release).collect();
    let absent = scope.releases.iter().filter(|name| !there.contains(name));
    absent
        .map(|name| {
            Part::waits(Trouble::new(
                Id::ReleaseEmpty,
                format!("release/{name}"),
                Severity::Wrong,
                "none of its workloads is there".into(),
                format!(
                    "`{}` shows what is",
                    scope.kubectl(&["get", "all", "-l", &of_release(name)])
                ),
            ))
        })
        .collect()
}

fn of_release(name: &str) -> String {
    format!("app.kubernetes.io/instance={name}")
}

fn metadata_of_workloads(snapshot: &Snapshot) -> impl Iterator<Item = &ObjectMeta> {
    let deployments = snapshot.deployments.iter().map(|each| &each.metadata);
    deployments
        .chain(snapshot.stateful_sets.iter().map(|each| &each.metadata))
        .chain(snapshot.daemon_sets.iter().map(|each| &each.metadata))
        .chain(snapshot.jobs.iter().map(|each| &each.metadata))
        .chain(snapshot.operated.iter().map(|each| &each.metadata))
}

fn release(metadata: &ObjectMeta) -> Option<&str> {
    metadata.annotations.as_ref()?.get("meta.helm.sh/release-name").map(String::as_str)
}

/// The kind and the name of what made an object.
fn controller(metadata: &ObjectMeta) -> Option<(&str, &str)> {
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
    Some((&owner.kind, &owner.name))
}

fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}
