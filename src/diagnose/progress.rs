//! How long waiting is worthwhile: one diagnosis after another, each with the time it was made at.
//!
//! There is no clock in it; the caller looks, tells the time, and sleeps.

use std::time::Duration;

use super::{Diagnosis, Finding, Severity};

/// Waits while anything moves, and gives up on what cannot come.
#[derive(Clone, Debug)]
pub struct Patience {
    limit: Duration,
    /// What was seen last, and since when it has been so.
    last: Option<(Mark, Duration)>,
    /// The final findings of the last look.
    final_before: Vec<Cause>,
    /// The final findings that an earlier run has left.
    forgiven: Forgiven,
}

/// What to do after a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ready,
    Wait,
    /// It is not worth waiting: for these, if they are [`Severity::Final`]; else nothing has changed
    /// for too long, and these are all that is not ready.
    Fail {
        findings: Vec<Finding>,
    },
}

/// An object, and the first word of what it lacks: counters, times and addresses come after it.
type Cause = (String, String);

/// What must change for a change to count.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    ready: usize,
    of: usize,
    restarts: u32,
    causes: Vec<Cause>,
}

#[derive(Clone, Debug)]
enum Forgiven {
    /// Whatever the first look shows.
    FirstLook,
    These(Vec<Cause>),
}

impl Default for Patience {
    fn default() -> Self {
        Self::new(Duration::from_mins(5))
    }
}

impl Patience {
    /// Gives up once nothing has changed for `limit`.
    pub fn new(limit: Duration) -> Self {
        let forgiven = Forgiven::These(Vec::new());
        Self { limit, last: None, final_before: Vec::new(), forgiven }
    }

    /// For a run that changed nothing: what is final at its first look may have been mended elsewhere
    /// since (an image pushed, a limit raised), and the cluster has not tried again yet.
    #[must_use]
    pub fn resuming(self) -> Self {
        Self { forgiven: Forgiven::FirstLook, ..self }
    }

    /// Judges what was seen `now`, the time since waiting began.
    pub fn observe(&mut self, now: Duration, diagnosis: &Diagnosis) -> Verdict {
        if diagnosis.ready == diagnosis.of {
            return Verdict::Ready;
        }
        let proven = self.proven(diagnosis);
        if !proven.is_empty() {
            return Verdict::Fail { findings: proven };
        }
        let mark = Mark::of(diagnosis);
        match &self.last {
            Some((last, since)) if *last == mark && !diagnosis.buys_time => {
                if now.saturating_sub(*since) >= self.limit {
                    return Verdict::Fail { findings: diagnosis.findings.clone() };
                }
            }
            _ => self.last = Some((mark, now)),
        }
        Verdict::Wait
    }

    /// The final findings of two looks in a row: what one look shows may be about to be replaced.
    fn proven(&mut self, diagnosis: &Diagnosis) -> Vec<Finding> {
        let is_final = |finding: &&Finding| finding.severity == Severity::Final;
        let now: Vec<Cause> = diagnosis.findings.iter().filter(is_final).map(cause).collect();
        match &mut self.forgiven {
            Forgiven::FirstLook => self.forgiven = Forgiven::These(now.clone()),
            Forgiven::These(causes) => causes.retain(|known| now.contains(known)),
        }
        let Forgiven::These(forgiven) = &self.forgiven else { return Vec::new() };
        let again = |finding: &&Finding| {
            let cause = cause(finding);
            self.final_before.contains(&cause) && !forgiven.contains(&cause)
        };
        let proven = diagnosis.findings.iter().filter(is_final).filter(again).cloned().collect();
        self.final_before = now;
        proven
    }
}

impl Mark {
    fn of(diagnosis: &Diagnosis) -> Self {
        let &Diagnosis { ready, of, restarts, .. } = diagnosis;
        Self { ready, of, restarts, causes: diagnosis.findings.iter().map(cause).collect() }
    }
}

fn cause(finding: &Finding) -> Cause {
    let word = finding.reason.split(':').next().unwrap_or_default();
    (finding.object.clone(), word.to_owned())
}
