//! What the lanes of one run tell each other: what is lost, and how it went so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::runner::{Outcome, Survey};
use crate::fail::Fail;
use crate::plan::{Step, StepId};
use crate::report::event::StepResult;

/// What the lanes of one run tell each other.
#[derive(Debug)]
pub(super) struct Progress {
    /// Whether the survey found nothing to do at all.
    pub(super) nothing_to_do: bool,
    /// When waiting ends.
    pub(super) deadline: Instant,
    /// What the survey found as it should be, with what there is to say about it: often nothing.
    unchanged: Mutex<BTreeMap<StepId, String>>,
    /// Steps that failed or were left out.
    lost: Mutex<BTreeSet<StepId>>,
    outcome: Mutex<Outcome>,
}

impl Progress {
    pub(super) fn new(survey: Survey, timeout: Duration) -> Self {
        Self {
            nothing_to_do: survey.changes.is_empty(),
            deadline: Instant::now() + timeout,
            unchanged: Mutex::new(survey.unchanged),
            lost: Mutex::default(),
            outcome: Mutex::default(),
        }
    }

    /// What there is to say about a step that the survey found as it should be; none: it did not.
    pub(super) fn unchanged(&self, step: &StepId) -> Option<String> {
        locked(&self.unchanged).get(step).cloned()
    }

    /// Trusts the survey no longer: somebody else was at work since.
    pub(super) fn forget(&self) {
        locked(&self.unchanged).clear();
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

    pub(super) fn lose(&self, step: &StepId, fail: Option<Fail>) {
        locked(&self.lost).insert(step.clone());
        match fail {
            Some(fail) => self.outcome().failures.push((Some(step.clone()), fail)),
            None => self.outcome().skipped += 1,
        }
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
