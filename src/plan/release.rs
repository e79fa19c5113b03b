//! A Helm release: deployed from its chart, with its values, and every object of it there.

mod differences;
mod guards;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde_json::Value;

use self::differences::{described, missing};
use super::chart::UNKNOWN_DIGEST;
use super::deed::{Deed, Verb};
use super::step::{Action, Answer, Call, Decision, Effect};
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
    pub own_values: Value,
}

impl Release {
    /// The chart's digest, then the newest revision; then the others when that one was cut short,
    /// or else what is there of its objects, where helm has not told; at last the claims, when a
    /// volume is to be of another size.
    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        let name = self.release.name;
        let Some(status) = so_far.get(1) else {
            let first = [Call::Archive(self.archive.clone()), Call::Cmd(self.helm.status(name))];
            return first.into_iter().nth(so_far.len());
        };
        let status = helm::status(&status.output().stdout).ok()?;
        let more = if status.is_pending() {
            Some(self.helm.history(name))
        } else {
            status.info.resources.is_none().then(|| self.helm.status_of_3(name))
        };
        let claims = self.resizes(&status.config).then(|| self.claims());
        more.into_iter().chain(claims).map(Call::Cmd).nth(so_far.len() - 2)
    }

    pub fn decide(&self, answers: &[Answer]) -> Decision {
        let archive = match answers.first() {
            Some(Answer::Archive(archive)) => archive.as_ref(),
            _ => None,
        };
        if let Some(Err(fail)) = archive.map(|archive| self.check_archive(archive)) {
            return Decision::Refuse(fail);
        }
        let digest = archive.map(|archive| archive.sha256.as_str());
        let status = answers.get(1).map(Answer::output);
        let Some(status) = status.filter(|status| !helm::says_not_found(&status.stderr)) else {
            return self.install(digest);
        };
        let more = answers.get(2..).unwrap_or_default().iter().map(Answer::output).collect();
        match self.compare(digest, &status, more) {
            Ok((differences, _)) if differences.is_empty() => Decision::unchanged(),
            Ok((differences, repair)) => self.change(digest, differences, repair),
            Err(fail) => Decision::Refuse(fail),
        }
    }

    fn install(&self, digest: Option<&str>) -> Decision {
        Decision::Do {
            action: Action::Add,
            deed: self.deed(Verb::Install),
            details: vec![],
            effects: vec![self.upgrade(digest)],
        }
    }

    /// What differs, a line each, and what has to be put right before the upgrade.
    fn compare(
        &self,
        digest: Option<&str>,
        status: &Output,
        more: Vec<Output>,
    ) -> Result<(Vec<String>, Option<Cmd>), Fail> {
        let cmd = self.helm.status(self.release.name);
        let Some(status) = known(&cmd, status)? else {
            return Ok((vec![KINDS_GONE.to_owned()], None));
        };
        let mut more = more.into_iter();
        let told = status.info.resources.is_some() && !status.is_pending();
        let first = if told { None } else { more.next() };
        if self.resizes(&status.config) {
            self.check_volumes(&status.config, &more.next().unwrap_or_default())?;
        }
        let (mut differences, mut repair) = (Vec::new(), None);
        let (there, wanted) = (&status.info.description, self.description(digest));
        if status.info.status != "deployed" {
            let (difference, before) = self.unfinished(&status, first.as_ref())?;
            differences.push(difference);
            repair = before;
        } else if *there != wanted {
            self.check_chart(there)?;
            differences.push(format!("chart: {} -> {}", described(there), described(&wanted)));
        }
        differences.extend(self.differences(&status.config)?);
        let there = match (&status.info.resources, first) {
            (Some(_), _) => Some(status),
            (None, Some(told)) if !status.is_pending() => {
                known(&self.helm.status_of_3(self.release.name), &told)?
            }
            // Whatever is missing, the upgrade brings it.
            (None, _) => return Ok((differences, repair)),
        };
        match there {
            Some(there) => differences.extend(missing(&there)),
            None => differences.push(KINDS_GONE.to_owned()),
        }
        Ok((differences, repair))
    }

    fn change(&self, digest: Option<&str>, details: Vec<String>, repair: Option<Cmd>) -> Decision {
        let effects = repair.map(Effect::Cmd).into_iter().chain([self.upgrade(digest)]).collect();
        Decision::Do { action: Action::Change, deed: self.deed(Verb::Change), details, effects }
    }

    pub fn deed(&self, verb: Verb) -> Deed {
        let chart = &self.release.chart;
        Deed::new(verb, format!("{} {}", chart.name, chart.version))
    }

    /// What an earlier Helm left undone, and what puts it right before the upgrade.
    fn unfinished(
        &self,
        status: &helm::Status,
        history: Option<&Output>,
    ) -> Result<(String, Option<Cmd>), Fail> {
        let revision = status.version;
        if !status.is_pending() {
            return Ok((format!("revision {revision} is {}", status.info.status), None));
        }
        let history = history.cloned().unwrap_or_default();
        if history.code != Some(0) {
            return Err(failure::explain(&self.helm.history(self.release.name), &history));
        }
        Ok(match helm::newest_deployed(&history.stdout).map_err(unreadable)? {
            Some(deployed) => (
                format!("revision {revision} was cut short: back to revision {deployed}, then on"),
                Some(self.helm.rollback(self.release.name, deployed)),
            ),
            None => (
                format!(
                    "revision {revision} was cut short: it is forgotten, and what it made is taken over"
                ),
                Some(self.forget(revision)),
            ),
        })
    }

    fn upgrade(&self, digest: Option<&str>) -> Effect {
        Effect::Cmd(self.helm.upgrade(&self.release, &self.archive, &self.description(digest)))
    }

    /// Removes Helm's record of a revision that never was; what it made stays, and is adopted.
    fn forget(&self, revision: u64) -> Cmd {
        let secret = format!("sh.helm.release.v1.{}.v{revision}", self.release.name);
        self.kubectl.cmd(["delete", "secret", &secret, "--ignore-not-found"])
    }

    /// What Helm keeps with the revision: the archive that it was made from.
    fn description(&self, digest: Option<&str>) -> String {
        let chart = &self.release.chart;
        format!(
            "okemon: {}-{} sha256:{}",
            chart.name,
            chart.version,
            digest.unwrap_or(UNKNOWN_DIGEST)
        )
    }
}

const KINDS_GONE: &str = "some of its objects are of kinds that the cluster does not know any more";

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
