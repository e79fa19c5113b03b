//! Carries out a plan: asks, shows, does. What it decides, it has from the plan's own intents.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

use super::exec::Exec;
use super::lease::Lease;
use super::progress::Progress;
use super::schedule::Schedule;
use super::stop::Stop;
use super::vault::Vault;
use super::versions;
use crate::config::names::ClusterName;
use crate::diagnose::Finding;
use crate::fail::{Exit, Fail};
use crate::plan::step::Action;
use crate::plan::{Decision, Intent, Plan, Stage, Step, StepId};
use crate::report::event::{Change, Event, StepResult};
use crate::report::feed::Feed;

/// Everything that a plan is carried out with.
#[derive(Debug)]
pub struct Runner {
    pub exec: Arc<Exec>,
    pub vault: Vault,
    pub feed: Feed,
    pub stop: Stop,
    /// How many steps may be at work at once.
    pub jobs: usize,
    /// How long everything may take to become ready, from the first change on.
    pub timeout: Duration,
    /// The locks of this run, by cluster.
    pub leases: BTreeMap<ClusterName, Lease>,
}

/// What went wrong in which step; none: in none of them.
pub type Failures = Vec<(Option<StepId>, Fail)>;

/// What the looks of a plan said before anything was changed.
#[derive(Debug, Default)]
pub struct Survey {
    /// What each step would do, in the plan's order.
    pub decisions: Vec<(StepId, Decision)>,
    pub failures: Failures,
    /// Whether somebody decided on it, so that nothing else may be done.
    pub binds: bool,
}

impl Survey {
    /// What would change.
    pub fn changes(&self) -> Vec<Change> {
        let change = |(id, decision): &(StepId, Decision)| match decision {
            Decision::Do { action, deed, details, .. } => Some(Change {
                step: id.to_string(),
                action: *action,
                summary: deed.to_string(),
                details: details.clone(),
            }),
            _ => None,
        };
        self.decisions.iter().filter_map(change).collect()
    }

    /// Whether a step is about to make what is not there at all.
    fn makes(&self, step: &StepId) -> bool {
        let adds =
            |decision: &Decision| matches!(decision, Decision::Do { action: Action::Add, .. });
        self.decisions.iter().any(|(id, decision)| id == step && adds(decision))
    }

    /// How many steps are as they should be.
    pub fn unchanged(&self) -> usize {
        let is = |decision: &Decision| matches!(decision, Decision::Unchanged { .. });
        self.decisions.iter().filter(|(_, decision)| is(decision)).count()
    }
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub changed: usize,
    pub unchanged: usize,
    pub failures: Failures,
    pub skipped: usize,
}

pub(super) fn interrupted() -> Fail {
    Fail::new(Exit::Interrupted, "interrupted: nothing more was begun")
}

/// A task that ended by a defect of okemon's own.
fn died(error: &JoinError) -> Fail {
    Fail::new(Exit::Failed, format!("carrying out the plan: a part of okemon died: {error}"))
        .hint("`okemon install` goes on from here; please report what was said above")
}

/// How a step ended, and what it did, in a line.
pub(super) type Done = (StepResult, String);

/// A step that did not end well.
pub(super) struct Failure {
    pub(super) fail: Fail,
    pub(super) findings: Vec<Finding>,
}

impl From<Fail> for Failure {
    fn from(fail: Fail) -> Self {
        Self { fail, findings: vec![] }
    }
}

impl Runner {
    /// Asks every question of the plan, and changes no cluster: charts that are not here yet are
    /// fetched, since what is in them is part of the answers.
    ///
    /// A cluster that does not answer is asked no further.
    pub async fn survey(self: &Arc<Self>, plan: &Plan) -> Survey {
        let asked = |step: &&Step| !matches!(step.intent, Intent::Ready(_) | Intent::Lock(_));
        let steps: Vec<Step> = plan.steps().filter(asked).cloned().collect();
        let (first, rest): (Vec<Step>, Vec<Step>) =
            steps.into_iter().partition(|step| step.needs.is_empty());
        let (outside, within): (Vec<Step>, Vec<Step>) =
            rest.into_iter().partition(|step| step.within.is_none());
        let (tools, runner) = (plan.tools(), Arc::clone(self));
        let found = async move { versions::look(tools, &runner.exec, &runner.stop).await };
        let found = tokio::spawn(found);
        let mut survey = Survey::default();
        for steps in [first, outside, within] {
            if survey.failures.is_empty() {
                self.look_at(steps, &mut survey).await;
            }
        }
        let found = found.await.unwrap_or_default();
        // Why whatever they were asked for went wrong.
        if let Some(unfit) = found.unfit() {
            survey.failures = vec![(None, unfit)];
        }
        for note in found.notes {
            self.feed.emit(Event::StepNoted { step: "run".to_owned(), note });
        }
        let order: Vec<&StepId> = plan.steps().map(|step| &step.id).collect();
        let place = |id: &StepId| order.iter().position(|step| *step == id);
        survey.decisions.sort_by_key(|(id, _)| place(id));
        survey.failures.sort_by_key(|(id, _)| id.as_ref().and_then(place));
        survey
    }

    async fn look_at(self: &Arc<Self>, steps: Vec<Step>, survey: &mut Survey) {
        let permits = Arc::new(Semaphore::new(self.jobs));
        let mut looks = JoinSet::new();
        for step in steps {
            // Before the task begins: tasks begin in any order.
            let permit = Arc::clone(&permits).acquire_owned().await;
            let runner = Arc::clone(self);
            let nowhere = step.within.as_ref().is_some_and(|namespace| survey.makes(namespace));
            looks.spawn(async move {
                let _permit = permit;
                let decision = match step.intent {
                    Intent::Chart(_) => runner.fetch(&step).await,
                    // Nothing is in a namespace that is not there.
                    _ if nowhere => runner.look_here(&step).await,
                    _ => runner.look(&step).await,
                };
                (step.id, decision)
            });
        }
        while let Some(joined) = looks.join_next().await {
            if self.stop.requested() {
                survey.failures = vec![(None, interrupted())];
                return;
            }
            let (id, decision) = match joined {
                Ok(looked) => looked,
                Err(error) => {
                    survey.failures.push((None, died(&error)));
                    continue;
                }
            };
            match decision {
                Ok(Decision::Refuse(fail)) | Err(fail) => survey.failures.push((Some(id), fail)),
                Ok(decision) => survey.decisions.push((id, decision)),
            }
        }
    }

    /// Brings a chart here, if it is not.
    pub(super) async fn fetch(&self, step: &Step) -> Result<Decision, Fail> {
        let decision = self.look(step).await?;
        let Decision::Do { effects, deed, .. } = decision else { return Ok(decision) };
        self.perform(step, &effects).await.map_err(|(fail, _)| fail)?;
        self.feed.emit(Event::StepNoted { step: step.id.to_string(), note: deed.done() });
        Ok(Decision::unchanged())
    }

    /// Does what the survey found missing without looking again, and looks again at what differed.
    ///
    /// The lanes of a stage run side by side; each step waits for those that it needs. After a
    /// failure only those steps are left out that need what failed.
    pub async fn run(self: &Arc<Self>, plan: &Plan, survey: Survey) -> Outcome {
        let progress = Arc::new(Progress::new(survey, self.timeout));
        for stage in &plan.stages {
            self.stage(stage, &progress).await;
        }
        for lease in self.leases.values() {
            lease.release(&self.exec, &self.stop).await;
        }
        // In the plan's order: they were left out in any.
        for step in plan.steps() {
            if let Some(because) = progress.skipped(&step.id) {
                self.feed.emit(Event::StepSkipped { step: step.id.to_string(), because });
            }
        }
        let mut outcome = progress.outcome().clone();
        let place = |id: &StepId| plan.steps().position(|step| step.id == *id);
        outcome.failures.sort_by_key(|(id, _)| id.as_ref().and_then(place));
        for fail in self.leases.values().filter_map(Lease::lost) {
            self.failed(None, &fail);
            outcome.failures.push((None, fail));
        }
        outcome
    }

    async fn stage(self: &Arc<Self>, stage: &Stage, progress: &Arc<Progress>) {
        let mut schedule = Schedule::new(stage);
        let mut at_work = JoinSet::new();
        loop {
            while at_work.len() < self.jobs
                && let Some(step) = schedule.next()
            {
                if let Some(because) = progress.obstacle(&step, self.stop.requested()) {
                    progress.skip(&step.id, because);
                    schedule.ended(&step.id);
                    continue;
                }
                let (id, runner, progress) =
                    (step.id.clone(), Arc::clone(self), Arc::clone(progress));
                // A task within a task, so that one which dies is known by its name.
                let work = tokio::spawn(async move { runner.take(&step, &progress).await });
                at_work.spawn(async move { (id, work.await) });
            }
            let Some(joined) = at_work.join_next().await else { break };
            let Ok((id, ended)) = joined else { continue };
            if let Err(error) = ended {
                let fail = died(&error);
                self.failed(Some(&id), &fail);
                progress.fail(&id, fail);
            }
            schedule.ended(&id);
        }
        for step in schedule.left() {
            let fail = Fail::new(Exit::Failed, "it never began: what it needs never ended");
            self.failed(Some(&step.id), &fail);
            progress.fail(&step.id, fail);
        }
    }

    /// Takes one step, and tells how it went.
    async fn take(&self, step: &Step, progress: &Progress) {
        let started = Instant::now();
        let id = step.id.to_string();
        match self.step(step, progress).await {
            Ok((result, summary)) => {
                progress.count(result);
                let took = started.elapsed().into();
                self.feed.emit(Event::StepDone { step: id, result, summary, took });
            }
            Err(Failure { fail, findings }) => {
                let (error, hint) = (fail.error.clone(), fail.hint.clone());
                progress.fail(&step.id, fail);
                self.feed.emit(Event::StepFailed { step: id, error, hint, findings });
            }
        }
    }

    async fn step(&self, step: &Step, progress: &Progress) -> Result<Done, Failure> {
        let id = step.id.to_string();
        if let Intent::Lock(cluster) = &step.intent {
            if progress.nothing_to_do {
                return Ok((StepResult::Unchanged, String::new()));
            }
            self.feed.emit(Event::StepStarted { step: id.clone(), title: step.title.clone() });
            if let Some(lease) = self.leases.get(cluster) {
                let waiting = |other: &str| {
                    let note = format!("waiting for another okemon to end: {other}");
                    self.feed.emit(Event::StepNoted { step: id.clone(), note });
                };
                if lease.take(&self.exec, &self.stop, waiting).await? {
                    progress.outdated();
                }
            }
            progress.restart_clock(self.timeout);
            return Ok((StepResult::Ready, "took the lock".to_owned()));
        }
        let decided = progress.decided(&step.id);
        if let Some(Decision::Unchanged { note }) = decided {
            if let Some(note) = note.clone() {
                self.feed.emit(Event::StepNoted { step: id, note });
            }
            return Ok((StepResult::Unchanged, String::new()));
        }
        let title = match progress.surveyed(&step.id) {
            Some(Decision::Do { deed, .. }) => deed.to_string(),
            _ => step.title.clone(),
        };
        self.feed.emit(Event::StepStarted { step: id, title });
        self.carry_out(step, decided.cloned(), progress).await
    }

    /// Reports a failure, of a step or of the run as a whole.
    pub fn failed(&self, step: Option<&StepId>, fail: &Fail) {
        self.feed.emit(Event::StepFailed {
            step: step.map_or_else(|| "run".to_owned(), ToString::to_string),
            error: fail.error.clone(),
            hint: fail.hint.clone(),
            findings: vec![],
        });
    }
}
