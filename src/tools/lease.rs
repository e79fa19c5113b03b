//! okemon's lock on a cluster, the Lease `okemon` in the namespace: how it is asked for, and what it
//! says. Taking and keeping it is left to `run`.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::cmd::Cmd;
use super::kubectl::{self, Kubectl};

/// How long the lock of a holder that says nothing more is respected.
pub const EXPIRES: SignedDuration = SignedDuration::from_secs(60);

/// The Lease as the API server has it.
#[derive(Clone, Debug)]
pub struct Lease {
    /// Its `resourceVersion`.
    pub version: String,
    /// Empty: nobody's.
    pub holder: String,
    /// When its holder took it.
    pub since: String,
    pub renewed: Option<Timestamp>,
}

/// Asks for it; where there is none, the answer is empty.
pub fn look(kubectl: &Kubectl) -> Cmd {
    kubectl.cmd(["get", "lease", "okemon", "--ignore-not-found", "-o", "json"])
}

/// Reads an answer; none: there is no Lease.
///
/// # Errors
/// When the answer is not JSON.
pub fn read(stdout: &str) -> Result<Option<Lease>> {
    let read = |lease: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let spec = &lease["spec"];
        Lease {
            version: text(&lease["metadata"]["resourceVersion"]),
            holder: text(&spec["holderIdentity"]),
            since: text(&spec["acquireTime"]),
            renewed: text(&spec["renewTime"]).parse().ok(),
        }
    };
    Ok(kubectl::objects(stdout)?.first().map(read))
}

impl Lease {
    /// Whether its holder was at work then: until it gave the lock back, or a while after its last
    /// word, where it never did.
    pub fn covers(&self, then: Timestamp) -> bool {
        let (Ok(since), Some(renewed)) = (self.since.parse::<Timestamp>(), self.renewed) else {
            return false;
        };
        let later = then.duration_since(renewed);
        let was_there = if self.holder.is_empty() { !later.is_positive() } else { later < EXPIRES };
        then >= since && was_there
    }

    /// Whether somebody has it at this time.
    pub fn is_held(&self, now: Timestamp) -> bool {
        let alive = |renewed| now.duration_since(renewed) < EXPIRES;
        !self.holder.is_empty() && self.renewed.is_some_and(alive)
    }
}
