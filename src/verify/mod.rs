//! The way of a sample from a target to a panel: what each part on it is asked, and what its answers mean. Pure.
//!
//! One list says which pods there are; each is then asked over a connection that the API server forwards. A
//! hop is judged by what those on it say themselves, so that the one that broke names itself.

mod hops;
mod metrics;
mod scene;
#[cfg(test)]
mod tests;

pub use metrics::sum;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod};

use crate::checks::Checked;
use crate::diagnose::Diagnosis;
use crate::observe::kubernetes::Snapshot;
use crate::tools::http::Answer;
use crate::tools::kubectl;

/// Something that one pod is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub topic: Topic,
    pub pod: String,
    /// The container's port that answers by HTTP.
    pub port: u16,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Prometheus: what it scrapes, and how that goes.
    Targets,
    /// Prometheus: its rules, and how their evaluation goes.
    Rules,
    /// Prometheus: the Alertmanagers that it sends to.
    Receivers,
    /// A sidecar: whether it sees its Prometheus, and what it has uploaded.
    Sidecar,
    /// Query: the stores that it asks.
    Stores,
    /// Query: how old the newest sample of each target is.
    Samples,
    /// The query frontend: the same.
    SamplesByFrontend,
    /// The compactor: whether it works.
    Compactor,
    /// An Alertmanager: whether it has a configuration and knows the others.
    Alertmanager,
    /// Grafana: whether it lives.
    Grafana,
    /// Grafana: whether its data source answers.
    DataSource,
    /// Grafana: the dashboards that it has.
    Dashboards,
}

impl Topic {
    /// The path, with its query.
    pub fn path(self) -> &'static str {
        match self {
            Self::Targets => "/api/v1/targets?state=active",
            Self::Rules => "/api/v1/rules?exclude_alerts=true",
            Self::Receivers => "/api/v1/alertmanagers",
            Self::Sidecar | Self::Compactor => "/metrics",
            Self::Stores => "/api/v1/stores",
            // How old each sample is: a question for `up` alone is answered with samples of five minutes ago.
            Self::Samples | Self::SamplesByFrontend => {
                "/api/v1/query?query=time()%20-%20timestamp(up)"
            }
            Self::Alertmanager => "/api/v2/status",
            Self::Grafana => "/api/health",
            Self::DataSource => "/api/datasources/uid/thanos/health",
            Self::Dashboards => "/api/search?type=dash-db",
        }
    }

    /// The container that is asked, by the name that charts and operator give it.
    fn container(self) -> &'static str {
        match self {
            Self::Targets | Self::Rules | Self::Receivers => "prometheus",
            Self::Sidecar => "thanos-sidecar",
            Self::Stores | Self::Samples => "query",
            Self::SamplesByFrontend => "query-frontend",
            Self::Compactor => "compactor",
            Self::Alertmanager => "alertmanager",
            Self::Grafana | Self::DataSource | Self::Dashboards => "grafana",
        }
    }

    /// Whether an answer tells something, though it is none of success.
    fn tells_by_status(self) -> bool {
        matches!(self, Self::Grafana | Self::DataSource)
    }

    /// Whether only somebody who has signed in is answered.
    pub fn wants_login(self) -> bool {
        matches!(self, Self::DataSource | Self::Dashboards)
    }
}

/// An answer, whatever its status; else why there is none.
pub type Reply = Result<Answer, String>;

/// Everything that is known of one cluster.
#[derive(Debug)]
pub struct Scene<'a> {
    /// Its name: the external label `cluster`.
    pub cluster: &'a str,
    pub now: Timestamp,
    pub snapshot: &'a Snapshot,
    pub diagnosis: &'a Diagnosis,
    pub replies: &'a [(Question, Reply)],
}

/// What to ask, by the pods that run.
pub fn questions(snapshot: &Snapshot) -> Vec<Question> {
    let mut questions = Vec::new();
    for topics in [
        &[Topic::Targets, Topic::Rules, Topic::Receivers][..],
        &[Topic::Sidecar],
        &[Topic::Compactor],
        &[Topic::Alertmanager],
    ] {
        questions
            .extend(running(snapshot, topics[0]).flat_map(|(pod, port)| ask(pod, port, topics)));
    }
    // Of these one speaks for all.
    for topics in [
        &[Topic::Stores, Topic::Samples][..],
        &[Topic::SamplesByFrontend],
        &[Topic::Grafana, Topic::DataSource, Topic::Dashboards],
    ] {
        let first = running(snapshot, topics[0]).next();
        questions.extend(first.into_iter().flat_map(|(pod, port)| ask(pod, port, topics)));
    }
    questions
}

fn ask(pod: &Pod, port: u16, topics: &[Topic]) -> Vec<Question> {
    let name = pod.metadata.name.clone().unwrap_or_default();
    topics.iter().map(|topic| Question { topic: *topic, pod: name.clone(), port }).collect()
}

/// The pods that can be asked about it, each with its port: those that are ready. Of the others is told why.
fn running(snapshot: &Snapshot, topic: Topic) -> impl Iterator<Item = (&Pod, u16)> {
    let mut pods: Vec<(&Pod, u16)> = ready(snapshot, topic.container())
        .filter_map(|(pod, container)| Some((pod, port(container)?)))
        .collect();
    pods.sort_by_key(|(pod, _)| pod.metadata.name.clone());
    pods.into_iter()
}

/// The pods that are ready and have a container of this name, which charts and operator have given it.
fn ready<'a>(snapshot: &'a Snapshot, name: &str) -> impl Iterator<Item = (&'a Pod, &'a Container)> {
    let there = |pod: &&Pod| pod.metadata.deletion_timestamp.is_none() && is_ready(pod);
    snapshot.pods.iter().filter(there).filter_map(move |pod| {
        let mut containers = pod.spec.as_ref()?.containers.iter();
        Some((pod, containers.find(|container| container.name == name)?))
    })
}

/// The port that answers by HTTP, by the names that charts and operator give it.
fn port(container: &Container) -> Option<u16> {
    const NAMES: [&str; 5] = ["http", "web", "http-web", "grafana", "service"];
    let mut ports = container.ports.iter().flatten();
    let port = ports.find(|port| NAMES.contains(&port.name.as_deref().unwrap_or_default()))?;
    u16::try_from(port.container_port).ok()
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref());
    conditions.unwrap_or_default().iter().any(|it| it.type_ == "Ready" && it.status == "True")
}

/// Whether a pod was gone when it was asked, so that it is worth while to look again which there are.
pub fn outdated(replies: &[(Question, Reply)]) -> bool {
    let gone = |why: &String| kubectl::says_not_found(why);
    replies.iter().any(|(_, reply)| reply.as_ref().err().is_some_and(gone))
}

/// Judges each hop, in the order in which a sample takes them.
pub fn judge(scene: &Scene<'_>) -> Vec<Checked> {
    hops::all(scene).into_iter().map(|line| line.of(scene.cluster)).collect()
}
