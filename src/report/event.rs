//! What happens during a run, as data. Every view of a run is made from these.
//!
//! They are also the records of `-o ndjson`, so a change here is a change of a public format:
//! within a major version fields and events are added, never renamed or removed.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnose::Finding;
use crate::plan::step::Action;

/// One thing that happened.
///
/// `step` is a step's id such as `sin/prometheus`.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// The run begins; the clusters that it is about to look at or change.
    RunStarted {
        /// What to type to do the same again: `okemon install --region sin`.
        command: String,
        clusters: Vec<ClusterSeen>,
    },
    /// The looks are done: what would change, before anything has been changed.
    Surveyed { changes: Vec<Change>, unchanged: usize },
    /// A step that has something to do begins.
    StepStarted {
        step: String,
        /// What it is about to do: `install kube-prometheus 11.3.10`.
        title: String,
    },
    /// The command or request that a step sends now, as a person would type it.
    StepRuns { step: String, line: String },
    /// A step waits; `findings` is empty while nothing more than time is missing.
    StepWaiting { step: String, ready: usize, of: usize, findings: Vec<Finding> },
    /// A step has something to say that changes nothing: where a bucket lands, which chart was
    /// taken.
    StepNoted { step: String, note: String },
    /// A step ended well.
    StepDone {
        step: String,
        result: StepResult,
        /// What it did, in a line: `installed kube-prometheus 11.3.10`. May be empty when nothing
        /// was to do.
        summary: String,
        #[serde(rename = "tookMillis")]
        took: Millis,
    },
    /// A step ended badly.
    StepFailed { step: String, error: String, hint: Option<String>, findings: Vec<Finding> },
    /// A step was left out.
    StepSkipped {
        step: String,
        /// Why, in a few words: `it needs sin/thanos`, `interrupted`.
        because: String,
    },
    /// The run was told to stop; what runs gets time to end well.
    Stopping,
    /// The whole run ended.
    RunEnded {
        outcome: Ended,
        changed: usize,
        unchanged: usize,
        failed: usize,
        skipped: usize,
        #[serde(rename = "tookMillis")]
        took: Millis,
    },
}

impl Event {
    /// The step that the event is about; `None` when it is about the whole run.
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::StepStarted { step, .. }
            | Self::StepRuns { step, .. }
            | Self::StepWaiting { step, .. }
            | Self::StepNoted { step, .. }
            | Self::StepDone { step, .. }
            | Self::StepFailed { step, .. }
            | Self::StepSkipped { step, .. } => Some(step),
            Self::RunStarted { .. }
            | Self::Surveyed { .. }
            | Self::Stopping
            | Self::RunEnded { .. } => None,
        }
    }
}

/// A cluster as a run names it before it changes anything.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSeen {
    pub name: String,
    /// The region's identifier, such as `ap-singapore-1`.
    pub region: String,
    pub context: String,
    pub namespace: String,
}

/// One step's change, as it is shown before it is made.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Change {
    pub step: String,
    pub action: Action,
    /// What is done, in a line: `install kube-prometheus 11.3.10`.
    pub summary: String,
    /// What differs, a line each: `prometheus.retention: 72h -> 48h`. Never a secret.
    pub details: Vec<String>,
}

/// How a step that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepResult {
    Unchanged,
    Changed,
    Ready,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    Done,
    Failed,
    /// Some clusters are done, some failed.
    Partly,
    TimedOut,
    Interrupted,
    /// The changes were shown, and the answer was no.
    Declined,
}

/// A duration in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl From<Duration> for Millis {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }
}
