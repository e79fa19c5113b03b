//! One step: what must be true afterwards, what to ask before, what to do about it.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::config::names::ClusterName;
use crate::content::doc::SecretName;
use crate::fail::Fail;
use crate::tools::cmd::{Cmd, Tool};
use crate::tools::helm::Archive;
use crate::tools::http;
use crate::tools::output::Output;
use crate::tools::s3::S3Request;

use super::bucket::Bucket;
use super::chart::Chart;
use super::cluster::Cluster;
use super::crds::Crds;
use super::deed::Deed;
use super::objects::Objects;
use super::ready::Ready;
use super::release::Release;

/// One thing that must be true after a run.
#[derive(Clone, Debug)]
pub struct Step {
    pub id: StepId,
    /// The cluster that it belongs to; none: every one.
    pub cluster: Option<ClusterName>,
    /// What it does, in a few words: `create the bucket thanos`.
    pub title: String,
    /// The command that runs it alone: `okemon thanos`.
    pub part: Part,
    /// The steps without which this one cannot be done.
    pub needs: Vec<StepId>,
    /// The step that makes the namespace in which all that it is about lies; none: it lies in none.
    pub within: Option<StepId>,
    pub intent: Intent,
}

/// Names a step in plans, events and reports: `sin/thanos`, `charts/thanos`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(String);

impl StepId {
    pub fn on(cluster: &ClusterName, step: &str) -> Self {
        Self(format!("{cluster}/{step}"))
    }

    pub fn chart(name: &str) -> Self {
        Self(format!("charts/{name}"))
    }

    /// What it is called on its cluster: `thanos`.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// Whether it is a step of this cluster alone.
    pub fn of(&self, cluster: &ClusterName) -> bool {
        self.0.split_once('/').is_some_and(|(owner, _)| owner == cluster.as_str())
    }

    /// Whether it is a step that every cluster stands on.
    pub fn of_charts(&self) -> bool {
        self.0.starts_with("charts/")
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The parts of an install that have a command of their own, in the articles' order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What every part stands on: the cluster, its namespace, the lock.
    Ground,
    Bucket,
    Secret,
    Prometheus,
    Thanos,
    Grafana,
    /// Waiting, at the end of all of them.
    Ready,
}

impl Part {
    /// The name of its command, where it has one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ground => "ground",
            Self::Bucket => "bucket",
            Self::Secret => "secret",
            Self::Prometheus => "prometheus",
            Self::Thanos => "thanos",
            Self::Grafana => "grafana",
            Self::Ready => "ready",
        }
    }
}

/// Everything that okemon can make true. A new kind of thing is a new variant, so the compiler
/// lists each place that has to know about it.
#[derive(Clone, Debug)]
pub enum Intent {
    /// The cluster answers, is the one that was meant, and nobody else there writes to the bucket.
    Cluster(Cluster),
    /// The chart's archive is on this machine.
    Chart(Chart),
    /// The bucket exists and its keys open it.
    Bucket(Bucket),
    /// Objects are there as the documents say.
    Objects(Objects),
    /// Nobody else is at work on the cluster. `run::lease` keeps it for as long as the run lasts.
    Lock(ClusterName),
    /// The chart's custom resource definitions are there, or newer ones.
    Crds(Crds),
    /// The release is deployed from the chart, with the values.
    Release(Box<Release>),
    /// Everything that was installed runs.
    Ready(Ready),
}

/// A question to the world. It changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    Cmd(Cmd),
    /// A question that may stay without an answer, which is then an empty one. It is asked once.
    Optional(Cmd),
    S3(S3Request),
    /// What an archive of this machine holds.
    Archive(PathBuf),
}

/// What came back.
#[derive(Clone, Debug)]
pub enum Answer {
    Output(Output),
    /// At the time of this machine's clock.
    Http {
        answer: http::Answer,
        at: Timestamp,
    },
    /// None: there is no such file.
    Archive(Option<Archive>),
}

impl Answer {
    /// The output of a command; empty when the answer is of another kind.
    pub fn output(&self) -> Output {
        match self {
            Self::Output(output) => output.clone(),
            Self::Http { .. } | Self::Archive(_) => Output::default(),
        }
    }
}

/// What an intent makes of the answers.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It is true already.
    Unchanged { note: Option<String> },
    /// It becomes true by these effects, one after another.
    Do {
        action: Action,
        deed: Deed,
        /// What differs, a line each; empty when nothing is there yet.
        details: Vec<String>,
        effects: Vec<Effect>,
    },
    /// It is about to become true without us.
    Wait(crate::diagnose::Diagnosis),
    /// It cannot or must not be made true.
    Refuse(Fail),
}

/// What a change does to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Add,
    Change,
    Remove,
}

/// One act, as data.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Cmd(Cmd),
    /// A question, asked again until the cluster knows what it is about.
    Until(Cmd),
    S3(S3Request),
}

impl Intent {
    /// The programs that it needs.
    pub fn tools(&self) -> Vec<Tool> {
        match self {
            Self::Bucket(bucket) => bucket.tool().into_iter().collect(),
            Self::Chart(_) => vec![Tool::Helm],
            Self::Crds(_) | Self::Release(_) => vec![Tool::Helm, Tool::Kubectl],
            Self::Cluster(_) | Self::Objects(_) | Self::Lock(_) | Self::Ready(_) => {
                vec![Tool::Kubectl]
            }
        }
    }

    /// Whether it needs the bucket's keys.
    pub fn needs_keys(&self) -> bool {
        match self {
            Self::Bucket(_) => true,
            Self::Objects(objects) => {
                objects.docs.iter().any(|doc| doc.secrets.contains(&SecretName::S3SecretKey))
            }
            _ => false,
        }
    }

    /// The next question, given the answers so far; none: they are enough to decide.
    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        match self {
            Self::Cluster(intent) => intent.ask(so_far),
            Self::Chart(intent) => intent.ask(so_far),
            Self::Bucket(intent) => intent.ask(so_far),
            Self::Objects(intent) => intent.ask(so_far),
            Self::Crds(intent) => intent.ask(so_far),
            Self::Release(intent) => intent.ask(so_far),
            Self::Ready(intent) => intent.ask(so_far),
            Self::Lock(_) => None,
        }
    }

    /// What to do about the answers. No answer at all means that nothing is there yet.
    pub fn decide(&self, answers: &[Answer]) -> Decision {
        match self {
            Self::Cluster(intent) => intent.decide(answers),
            Self::Chart(intent) => intent.decide(answers),
            Self::Bucket(intent) => intent.decide(answers),
            Self::Objects(intent) => intent.decide(answers),
            Self::Crds(intent) => intent.decide(answers),
            Self::Release(intent) => intent.decide(answers),
            Self::Ready(intent) => intent.decide(answers),
            Self::Lock(_) => Decision::Unchanged { note: None },
        }
    }
}

impl Decision {
    pub fn unchanged() -> Self {
        Self::Unchanged { note: None }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cmd(cmd) | Self::Optional(cmd) => cmd.fmt(f),
            Self::S3(request) => request.fmt(f),
            Self::Archive(path) => write!(f, "sha256sum {}", path.display()),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cmd(cmd) => cmd.fmt(f),
            Self::Until(cmd) => write!(f, "until {cmd}; do sleep 1; done"),
            Self::S3(request) => request.fmt(f),
        }
    }
}
