//! What may begin next in a stage: a step whose lane is idle, and for which all that it needs has
//! ended.

use std::collections::VecDeque;

use crate::plan::{Stage, Step, StepId};

/// The steps of a stage that have not ended.
#[derive(Debug)]
pub(super) struct Schedule {
    lanes: Vec<Lane>,
}

#[derive(Debug)]
struct Lane {
    at_work: Option<StepId>,
    to_come: VecDeque<Step>,
}

impl Schedule {
    pub(super) fn new(stage: &Stage) -> Self {
        let lane = |lane: &crate::plan::Lane| Lane {
            at_work: None,
            to_come: lane.steps.iter().cloned().collect(),
        };
        Self { lanes: stage.lanes.iter().map(lane).collect() }
    }

    /// Begins the first step, in the plan's order, that may; none: something has to end before.
    pub(super) fn next(&mut self) -> Option<Step> {
        let may = |lane: &Lane| {
            let first = lane.to_come.front().filter(|_| lane.at_work.is_none());
            first.is_some_and(|step| !step.needs.iter().any(|need| self.open(need)))
        };
        let index = self.lanes.iter().position(may)?;
        let lane = self.lanes.get_mut(index)?;
        let step = lane.to_come.pop_front()?;
        lane.at_work = Some(step.id.clone());
        Some(step)
    }

    /// A step has come to its end, good or bad.
    pub(super) fn ended(&mut self, step: &StepId) {
        for lane in &mut self.lanes {
            if lane.at_work.as_ref() == Some(step) {
                lane.at_work = None;
            }
        }
    }

    /// The steps that have not begun.
    pub(super) fn left(self) -> impl Iterator<Item = Step> {
        self.lanes.into_iter().flat_map(|lane| lane.to_come)
    }

    /// Whether a step has not ended; those of other stages have.
    fn open(&self, step: &StepId) -> bool {
        let at_work = |lane: &Lane| lane.at_work.as_ref() == Some(step);
        let to_come = |lane: &Lane| lane.to_come.iter().any(|other| other.id == *step);
        self.lanes.iter().any(|lane| at_work(lane) || to_come(lane))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::names::ClusterName;
    use crate::plan::step::Part;
    use crate::plan::{Intent, Lane};

    /// `secret: bucket` is a step that needs another.
    fn stage(lanes: &[&[&str]]) -> Stage {
        let cluster: ClusterName = "sin".parse().unwrap();
        let id = |name: &str| StepId::on(&cluster, name);
        let step = |text: &&str| {
            let (name, needs) = text.split_once(": ").unwrap_or((text, ""));
            Step {
                id: id(name),
                cluster: Some(cluster.clone()),
                title: String::new(),
                part: Part::Ground,
                needs: needs.split_whitespace().map(id).collect(),
                within: None,
                intent: Intent::Lock(cluster.clone()),
            }
        };
        let lane = |steps: &&[&str]| Lane { steps: steps.iter().map(step).collect() };
        Stage { title: "install", lanes: lanes.iter().map(lane).collect() }
    }

    /// Begins all that may, and ends it in the order given: a line for each.
    fn run(stage: &Stage, ends: &[&str]) -> String {
        let mut schedule = Schedule::new(stage);
        let mut told = String::new();
        for end in [None].into_iter().chain(ends.iter().map(Some)) {
            if let Some(name) = end {
                schedule.ended(&StepId::on(&"sin".parse().unwrap(), name));
            }
            told += &end.map_or("at first:".to_owned(), |name| format!("{name} ended:"));
            while let Some(step) = schedule.next() {
                told += &format!(" {}", step.id);
            }
            told += "\n";
        }
        told
    }

    #[test]
    fn a_step_begins_when_its_lane_is_idle_and_its_needs_have_ended() {
        let stage = stage(&[
            &["bucket", "secret: bucket"],
            &["crds"],
            &["prometheus: secret crds"],
            &["thanos: crds elsewhere", "storeapi"],
        ]);
        insta::assert_snapshot!(run(&stage, &["crds", "bucket", "thanos", "secret"]), @"
        at first: sin/bucket sin/crds
        crds ended: sin/thanos
        bucket ended: sin/secret
        thanos ended: sin/storeapi
        secret ended: sin/prometheus
        ");
    }
}
