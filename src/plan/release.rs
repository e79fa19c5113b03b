//! A Helm release: deployed from its chart, with its values, and every object of it there.

mod anew;
mod differences;
mod guards;
mod origin;
mod stuck;
#[cfg(test)]
mod tests;
mod unfinished;
mod volumes;

use std::path::PathBuf;

use serde_json::Value;

use self::differences::{missing, there};
pub use self::unfinished::CUT_SHORT;
use super::chart::UNKNOWN_DIGEST;
use super::deed::{Deed, Verb};
use super::step::{Action, Answer, Call, Decision, Effect};
use super::talk::{Open, Talk};
use crate::content::charts;
use crate::fail::{Exit, Fail};
use crate::tools::cmd::Cmd;
use crate::tools::helm::{self, Helm};
use crate::tools::kubectl::{self, Kubectl};
use crate::tools::{failure, output::Output};

/// A release and the chart's archive that it is made from.
#[derive(Clone, Debug)]
pub struct Release {
    pub helm: Helm,
    pub kubectl: Kubectl,
    pub release: charts::Release,
    pub archive: PathBuf,
    /// The user's own values, read once; they win over okemon's.
    pub own_values: OwnValues,
}

/// A file of values of the user's own; by default there is none.
#[derive(Clone, Debug, Default)]
pub struct OwnValues {
    /// As it was written.
    pub text: String,
    /// What Helm reads from it; null: nothing.
    pub values: Value,
}

/// What has to be changed, as far as it is known.
#[derive(Default)]
struct Change {
    /// Whether somebody else installed it.
    by_hand: bool,
    /// What differs, a line each.
    lines: Vec<String>,
    /// What a person should know before, a line each.
    warnings: Vec<String>,
    /// What has to be done before the upgrade.
    before: Vec<Effect>,
    /// The pods that have to go, a line each.
    pods: Vec<String>,
    /// What has to be done once everything else is.
    after: Vec<Effect>,
}

/// The archive's digest; none: it is not there yet.
type Digest<'a> = Option<&'a str>;

impl Release {
    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        let mut talk = Talk::new(so_far);
        let _ = self.talk(&mut talk);
        talk.next()
    }

    pub fn decide(&self, answers: &[Answer]) -> Decision {
        match self.talk(&mut Talk::new(answers)) {
            Ok(decision) => decision,
            Err(Open::Refused(fail)) => Decision::Refuse(fail),
            // The cluster was not asked, since nothing is there yet.
            Err(Open::Asking) => {
                let archive = Talk::new(answers).archive(&self.archive).ok().flatten();
                let digest = archive.as_ref().map(|archive| archive.sha256.as_str());
                self.install(digest, Change::default())
            }
        }
    }

    fn talk(&self, talk: &mut Talk<'_>) -> Result<Decision, Open> {
        let archive = talk.archive(&self.archive)?;
        if let Some(archive) = &archive {
            self.check_archive(archive)?;
        }
        let digest = archive.as_ref().map(|archive| archive.sha256.as_str());
        let cmd = self.helm.status(self.release.name);
        let status = talk.output(&cmd)?;
        if helm::says_not_found(&status.stderr) {
            return self.install_after(talk, digest);
        }
        let told = known(&cmd, &status)?;
        let (kinds_known, status) = (told.is_some(), told.map_or_else(|| self.retold(talk), Ok)?);
        if status.is_uninstalled() {
            return self.install_after(talk, digest);
        }
        let mut change = Change::default();
        self.origin(talk, digest, &status, &mut change)?;
        if status.is_half_uninstalled() {
            let leaving = self.leaving(talk)?;
            change.lines.extend(leaving.lines);
            change.before.extend(leaving.before);
        }
        let objects = if kinds_known { self.objects(talk, &status)? } else { None };
        self.compare(talk, digest, &status, objects.as_ref(), &mut change)?;
        Ok(if change.lines.is_empty() && change.pods.is_empty() {
            Decision::unchanged()
        } else {
            self.change(digest, change)
        })
    }

    /// What is known of a release with objects of kinds that the cluster does not know: its
    /// revisions and its values.
    fn retold(&self, talk: &mut Talk<'_>) -> Result<helm::Status, Open> {
        let revisions = self.revisions(talk)?;
        let values = talk.success(&self.helm.values(self.release.name))?;
        helm::retold(&revisions, &values.stdout).map_err(|error| unreadable(error).into())
    }

    /// A revision with what is there of its objects; none: some are of kinds that the cluster does
    /// not know.
    fn objects(
        &self,
        talk: &mut Talk<'_>,
        status: &helm::Status,
    ) -> Result<Option<helm::Status>, Open> {
        if status.info.resources.is_some() {
            return Ok(Some(status.clone()));
        }
        let cmd = self.helm.status_of_3(self.release.name);
        let output = talk.output(&cmd)?;
        // It was Helm 4, which had told: nothing is there.
        if helm::says_unknown_flag(&output.stderr) {
            return Ok(Some(status.clone()));
        }
        Ok(known(&cmd, &output)?)
    }

    /// What of its values and its objects differs, and what that means for what is there.
    fn compare(
        &self,
        talk: &mut Talk<'_>,
        digest: Digest<'_>,
        status: &helm::Status,
        objects: Option<&helm::Status>,
        change: &mut Change,
    ) -> Result<(), Open> {
        let defaults = if change.by_hand && digest.is_some() {
            self.defaults(&talk.success(&helm::show_values(&self.archive))?)?
        } else {
            Value::Null
        };
        self.differences(&status.config, &defaults, change)?;
        match objects {
            None => change.lines.push(KINDS_GONE.to_owned()),
            // Of what was cut short nobody knows what should be there: the upgrade brings it.
            Some(_) if !status.is_finished() => {}
            Some(objects) => change.lines.extend(missing(objects)),
        }
        let live: Vec<&Value> = objects.into_iter().flat_map(there).collect();
        if change.lines.is_empty() {
            return self.stuck(talk, &live, change);
        }
        self.volumes(talk, &status.config, &live, change)?;
        if digest.is_some() {
            self.anew(talk, &live, change)?;
        }
        self.stuck(talk, &live, change)
    }

    /// An install, once what is left of an earlier one is gone.
    fn install_after(&self, talk: &mut Talk<'_>, digest: Digest<'_>) -> Result<Decision, Open> {
        Ok(self.install(digest, self.leaving(talk)?))
    }

    fn install(&self, digest: Digest<'_>, change: Change) -> Decision {
        self.decision(Action::Add, Verb::Install, digest, change)
    }

    fn change(&self, digest: Digest<'_>, change: Change) -> Decision {
        let verb = if change.by_hand { Verb::TakeOver } else { Verb::Change };
        self.decision(Action::Change, verb, digest, change)
    }

    fn decision(&self, action: Action, verb: Verb, digest: Digest<'_>, change: Change) -> Decision {
        // Pods alone have to go where an earlier upgrade was made, and what comes after it was not.
        let is_made = !change.pods.is_empty() && change.lines.is_empty();
        let upgrade = (!is_made).then(|| self.upgrade(digest));
        Decision::Do {
            action,
            deed: self.deed(verb),
            details: [change.warnings, change.lines, change.pods].concat(),
            effects: change.before.into_iter().chain(upgrade).chain(change.after).collect(),
        }
    }

    pub fn deed(&self, verb: Verb) -> Deed {
        let chart = &self.release.chart;
        Deed::new(verb, format!("{} {}", chart.name, chart.version))
    }

    fn upgrade(&self, digest: Digest<'_>) -> Effect {
        Effect::Cmd(self.helm.upgrade(&self.release, &self.archive, &self.description(digest)))
    }

    /// What Helm keeps with the revision: the archive that it was made from.
    fn description(&self, digest: Digest<'_>) -> String {
        let chart = &self.release.chart;
        format!(
            "okemon: {}-{} sha256:{}",
            chart.name,
            chart.version,
            digest.unwrap_or(UNKNOWN_DIGEST)
        )
    }
}

/// Whether a line tells of something that comes and goes by itself: what was shown holds without it,
/// and whose deletion nobody has to have been shown, since it serves nobody.
pub fn passes(line: &str) -> bool {
    line.ends_with(stuck::NOT_READY) || line.ends_with(volumes::LEAVING)
}

/// What is told of a release where nobody can say which of its objects are missing.
pub const KINDS_GONE: &str =
    "some of its objects are of kinds that the cluster does not know any more";

/// What helm told; none: the release has objects of kinds that the cluster does not know.
fn known(cmd: &Cmd, output: &Output) -> Result<Option<helm::Status>, Fail> {
    if output.code == Some(0) {
        return helm::status(&output.stdout).map(Some).map_err(unreadable);
    }
    if kubectl::says_not_found(&output.stderr) {
        return Ok(None);
    }
    Err(failure::explain(cmd, output))
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err has it")]
fn unreadable(error: anyhow::Error) -> Fail {
    Fail::new(Exit::Failed, format!("{error:#}"))
}
