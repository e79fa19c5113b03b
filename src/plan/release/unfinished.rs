//! A revision that a Helm began and did not finish: it is put right, once no Helm can be at work on it any more.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::anew;
use super::{Change, Release};
use crate::fail::{Exit, Fail};
use crate::plan::step::Effect;
use crate::plan::talk::{Open, Talk};
use crate::tools::cmd::Cmd;
use crate::tools::helm::{self, Revision};
use crate::tools::{kubectl, lease};

/// What is told of a revision whose Helm was killed, before what puts it right.
pub const CUT_SHORT: &str = "was cut short: ";

/// As long as a Helm waits for a cluster, unless it is told otherwise (`--timeout`).
const AT_WORK: SignedDuration = SignedDuration::from_mins(5);

impl Release {
    /// What an earlier Helm left undone, and what puts it right before the upgrade.
    pub(super) fn unfinished(
        &self,
        talk: &mut Talk<'_>,
        status: &helm::Status,
        revisions: &[Revision],
        change: &mut Change,
    ) -> Result<(), Open> {
        let (revision, state) = (status.version, status.info.status.as_str());
        if status.is_finished() {
            change.lines.push(format!("revision {revision} is {state}"));
            return Ok(());
        }
        self.nobody_is_at_work(talk, status)?;
        let deployed = revisions.iter().rev().find(|revision| revision.status == "deployed");
        let back = match deployed {
            Some(deployed) => self.way_back(talk, deployed.revision)?,
            None => None,
        };
        let forgotten = || {
            let line = "it is forgotten, and what there is of it is taken over";
            (line.to_owned(), self.forget(revision))
        };
        let (line, cmd) = back.unwrap_or_else(forgotten);
        let was = if status.is_half_uninstalled() { "was half uninstalled: " } else { CUT_SHORT };
        // As a loss: where it was not shown before, a Helm of somebody's may be at work on it.
        change.lines.push(format!("! revision {revision} {was}{line}"));
        change.before.push(Effect::Cmd(cmd));
        Ok(())
    }

    /// The way back to a revision; none: the API server would not let it be gone, since something
    /// that cannot be changed in place has been made anew.
    fn way_back(&self, talk: &mut Talk<'_>, to: u64) -> Result<Option<(String, Cmd)>, Open> {
        let name = self.release.name;
        let manifest = self.helm.manifest(name, to);
        let output = talk.output(&self.kubectl.would_take().reading(manifest))?;
        let open = anew::refusals(&output.stderr).is_empty();
        let line = format!("back to revision {to}, then on");
        Ok(open.then(|| (line, self.helm.rollback(name, to))))
    }

    /// Removes Helm's record of a revision that never was, or is no more; what there is of it
    /// stays, and is adopted.
    fn forget(&self, revision: u64) -> Cmd {
        self.kubectl.delete("secret", &record(self.release.name, revision), false)
    }

    /// Helm marks what it is at work on just as what it was killed at. So a revision that was begun
    /// lately is left alone, unless an okemon had the lock then: its Helm ended with it.
    fn nobody_is_at_work(&self, talk: &mut Talk<'_>, status: &helm::Status) -> Result<(), Open> {
        let Some(begun) = status.info.begun() else { return Ok(()) };
        let lock = talk.success(&lease::look(&self.kubectl))?;
        let lock = lease::read(&lock.stdout).map_err(unreadable)?;
        let now = self.clock(talk)?;
        // Who has it now is this run, which looks once more, or one that this run will meet.
        if now.duration_since(begun) >= AT_WORK
            || lock.is_some_and(|lock| lock.covers(begun) || lock.is_held(now))
        {
            return Ok(());
        }
        let (name, revision) = (self.release.name, status.version);
        let error = format!(
            "looking at {name}: a Helm began revision {revision} at {begun:.0}, and may still be at work on it"
        );
        let free = begun.checked_add(AT_WORK).unwrap_or(begun);
        let history = self.helm.history(name);
        let hint = format!(
            "`{history}` shows how it ends; if it was cut short, run this again after {free:.0}"
        );
        Err(Fail::new(Exit::Busy, error).hint(hint).into())
    }

    /// The API server's clock: what it would write on something new.
    fn clock(&self, talk: &mut Talk<'_>) -> Result<Timestamp, Open> {
        let cmd = ["create", "configmap", "okemon-clock", "--dry-run=server", "-o", "json"];
        let output = talk.success(&self.kubectl.cmd(cmd))?;
        let made = kubectl::objects(&output.stdout).map_err(unreadable)?;
        let made = made.first().and_then(|made| time(&made["metadata"]["creationTimestamp"]));
        made.ok_or_else(|| {
            Fail::new(Exit::Failed, "asking for the API server's clock: it does not tell").into()
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err has it")]
fn unreadable(error: anyhow::Error) -> Fail {
    Fail::new(Exit::Failed, format!("looking for a Helm at work: {error:#}"))
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// The Secret in which Helm keeps a revision.
pub(super) fn record(release: &str, revision: u64) -> String {
    format!("sh.helm.release.v1.{release}.v{revision}")
}
