//! Decides what to do. Nothing below this module starts a process, or reads the clock or a secret.
//!
//! A [`Plan`] is everything that may be done, as data. Each of its steps asks the world what is
//! there ([`Intent::ask`]) and decides from the answers what is missing ([`Intent::decide`]); how
//! that is carried out is up to [`crate::run`].

pub mod bucket;
pub mod chart;
pub mod cluster;
pub mod crds;
pub mod deed;
pub mod install;
pub mod objects;
pub mod ready;
pub mod release;
pub mod show;
pub mod step;
mod talk;
#[cfg(test)]
pub(crate) mod testing;
mod values;

use std::collections::BTreeSet;

use crate::tools::cmd::Tool;

pub use step::{Answer, Call, Decision, Effect, Intent, Step, StepId};

/// Stages run one after another, the lanes of a stage side by side, the steps of a lane in order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub stages: Vec<Stage>,
}

/// What may happen at the same time.
#[derive(Clone, Debug)]
pub struct Stage {
    pub title: &'static str,
    pub lanes: Vec<Lane>,
}

/// What has to happen one after another.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    pub steps: Vec<Step>,
}

impl Plan {
    /// Every step, in the order of a run with one lane at a time.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.stages.iter().flat_map(|stage| &stage.lanes).flat_map(|lane| &lane.steps)
    }

    /// The programs that it needs, and no others.
    pub fn tools(&self) -> BTreeSet<Tool> {
        self.steps().flat_map(|step| step.intent.tools()).collect()
    }

    /// Whether a step of it needs the bucket's keys.
    pub fn needs_keys(&self) -> bool {
        self.steps().any(|step| step.intent.needs_keys())
    }

    /// The same plan with only those steps that `keep` says yes to.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&Step) -> bool) -> Self {
        for stage in &mut self.stages {
            for lane in &mut stage.lanes {
                lane.steps.retain(&keep);
            }
            stage.lanes.retain(|lane| !lane.steps.is_empty());
        }
        self.stages.retain(|stage| !stage.lanes.is_empty());
        self
    }
}
