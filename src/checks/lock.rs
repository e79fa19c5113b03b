//! Whether another okemon is at work.

use jiff::Timestamp;

use super::{Line, answered};
use crate::diagnose::catalogue::Id;
use crate::plan::{Answer, Call};
use crate::tools::kubectl::Kubectl;
use crate::tools::lease;

/// The lock on the cluster.
#[derive(Clone, Debug)]
pub struct Lock {
    pub kubectl: Kubectl,
    /// A lock that was not renewed for a while before is nobody's.
    pub now: Timestamp,
}

impl Lock {
    pub(super) fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        so_far.is_empty().then(|| Call::Cmd(lease::look(&self.kubectl)))
    }

    pub(super) fn judge(&self, answers: &[Answer]) -> Line {
        let cmd = lease::look(&self.kubectl);
        let stdout = match answers.first().map(|answer| answered(&cmd, answer)) {
            Some(Err(fail)) => return Line::unanswered("lock", fail),
            Some(Ok(output)) => output.stdout,
            None => String::new(),
        };
        let held = lease::read(&stdout).ok().flatten().filter(|lease| lease.is_held(self.now));
        match held {
            None => Line::passed("lock", "no other okemon is at work"),
            Some(lease) => Line::failed(
                "lock",
                Id::Locked,
                format!("{} is at work since {}", lease.holder, lease.since),
                "`okemon install --lock-timeout 10m` waits for it to end",
            ),
        }
    }
}
