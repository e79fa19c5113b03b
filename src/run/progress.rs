//! What the steps of one run tell each other: what is lost, and how it went so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::runner::{Outcome, Survey};
use super::shown::Leeway;
use crate::fail::Fail;
use crate::plan::step::Action;
use crate::plan::{Decision, Step, StepId};
use crate::report::event::StepResult;

/// What the steps of one run tell each other.
#[derive(Debug)]
pub(super) struct Progress {
    /// Whether the survey found nothing to do at all.
    pub(super) nothing_to_do: bool,
    /// What may be done that the survey did not show.
    pub(super) leeway: Leeway,
    /// When waiting ends.
    deadline: Mutex<Instant>,
    /// What the survey decided, and what was shown of it.
    surveyed: BTreeMap<StepId, Decision>,
    /// Whether somebody else was at work since the survey.
    old: AtomicBool,
    /// Steps that failed or were left out.
    lost: Mutex<BTreeSet<StepId>>,
    /// Why each step was left out that was.
    skipped: Mutex<BTreeMap<StepId, String>>,
    outcome: Mutex<Outcome>,
}

impl Progress {
    pub(super) fn new(survey: Survey, timeout: Duration) -> Self {
        let nothing_to_do = survey.changes().is_empty();
        Self {
            nothing_to_do,
            leeway: if survey.binds { Leeway::Nothing } else { Leeway::Harmless },
            deadline: Mutex::new(Instant::now() + timeout),
            surveyed: survey.decisions.into_iter().collect(),
            old: AtomicBool::default(),
            lost: Mutex::default(),
            skipped: Mutex::default(),
            outcome: Mutex::default(),
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        *locked(&self.deadline)
    }

    /// From now on everything may take this long: waiting for another okemon does not count.
    pub(super) fn restart_clock(&self, timeout: Duration) {
        *locked(&self.deadline) = Instant::now() + timeout;
    }

    /// What the survey decided about a step; none: it was not asked about it.
    pub(super) fn surveyed(&self, step: &StepId) -> Option<&Decision> {
        self.surveyed.get(step)
    }

    /// The same as long as it can be done without a second look. What another okemon was at work on
    /// may be whole by now: a repair is decided on anew.
    pub(super) fn decided(&self, step: &StepId) -> Option<&Decision> {
        let repairs = |decision: &Decision| {
            matches!(decision, Decision::Do { action: Action::Change | Action::Remove, .. })
        };
        let trusted =
            |decision: &&Decision| !self.old.load(Ordering::Relaxed) && !repairs(decision);
        self.surveyed(step).filter(trusted)
    }

    /// Trusts the survey no longer: somebody else was at work since.
    pub(super) fn outdated(&self) {
        self.old.store(true, Ordering::Relaxed);
    }

    pub(super) fn outcome(&self) -> MutexGuard<'_, Outcome> {
        locked(&self.outcome)
    }

    /// Why a step cannot be done; none: it can.
    pub(super) fn obstacle(&self, step: &Step, interrupted: bool) -> Option<String> {
        if interrupted {
            return Some("interrupted".to_owned());
        }
        let lost = locked(&self.lost);
        step.needs.iter().find(|id| lost.contains(id)).map(|id| format!("it needs {id}"))
    }

    pub(super) fn fail(&self, step: &StepId, fail: Fail) {
        locked(&self.lost).insert(step.clone());
        self.outcome().failures.push((Some(step.clone()), fail));
    }

    pub(super) fn skip(&self, step: &StepId, because: String) {
        locked(&self.lost).insert(step.clone());
        locked(&self.skipped).insert(step.clone(), because);
        self.outcome().skipped += 1;
    }

    /// Why a step was left out; none: it was not.
    pub(super) fn skipped(&self, step: &StepId) -> Option<String> {
        locked(&self.skipped).get(step).cloned()
    }

    pub(super) fn count(&self, result: StepResult) {
        let mut outcome = self.outcome();
        match result {
            StepResult::Changed => outcome.changed += 1,
            StepResult::Unchanged => outcome.unchanged += 1,
            StepResult::Ready => {}
        }
    }
}

/// What the lock guards, even after a task that held it has died.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
