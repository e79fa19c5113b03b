//! A Helm release: deployed from its chart, with its values, and every object of it there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::chart::UNKNOWN_DIGEST;
use super::deed::{Deed, Verb};
use super::step::{Action, Answer, Call, Decision, Effect};
use super::values;
use crate::config::checks::nanoseconds;
use crate::content::charts;
use crate::fail::{Exit, Fail};
use crate::tools::cmd::Cmd;
use crate::tools::helm::{self, Helm};
use crate::tools::kubectl::Kubectl;
use crate::tools::{diff, failure, kubectl};

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
    /// The chart's digest, then the newest revision, and when that one was cut short, the others.
    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        match so_far {
            [] => Some(Call::Digest(self.archive.clone())),
            [_] => Some(Call::Cmd(self.helm.status(self.release.name))),
            [_, status] => {
                let status = helm::status(&status.output().stdout).ok()?;
                let pending = status.info.status.starts_with("pending-");
                pending.then(|| Call::Cmd(self.helm.history(self.release.name)))
            }
            _ => None,
        }
    }

    pub fn decide(&self, answers: &[Answer]) -> Decision {
        let digest = match answers.first() {
            Some(Answer::Digest(digest)) => digest.clone(),
            _ => None,
        };
        let Some(status) = answers.get(1).map(Answer::output) else {
            return self.install(digest.as_deref());
        };
        if status.code != Some(0) {
            if helm::says_not_found(&status.stderr) {
                return self.install(digest.as_deref());
            }
            if kubectl::says_not_found(&status.stderr) {
                return self.change(digest.as_deref(), vec![KINDS_GONE.to_owned()], vec![]);
            }
            let cmd = self.helm.status(self.release.name);
            return Decision::Refuse(failure::explain(&cmd, &status));
        }
        match helm::status(&status.stdout) {
            Ok(status) => self.compare(digest.as_deref(), &status, answers.get(2)),
            Err(error) => Decision::Refuse(Fail::new(Exit::Failed, format!("{error:#}"))),
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

    fn compare(
        &self,
        digest: Option<&str>,
        status: &helm::Status,
        history: Option<&Answer>,
    ) -> Decision {
        let (mut details, mut effects) = (Vec::new(), Vec::new());
        let (there, wanted) = (&status.info.description, self.description(digest));
        if status.info.status != "deployed" {
            let (detail, repair) = self.unfinished(status, history);
            details.push(detail);
            effects.extend(repair.map(Effect::Cmd));
        } else if *there != wanted {
            details.push(format!("chart: {} -> {}", described(there), described(&wanted)));
        }
        match self.differences(&status.config) {
            Ok(differences) => details.extend(differences),
            Err(fail) => return Decision::Refuse(fail),
        }
        match &status.info.resources {
            Some(there) => details.extend(missing(&status.manifest, there)),
            None => return Decision::Refuse(needs_helm_4()),
        }
        if details.is_empty() {
            return Decision::unchanged();
        }
        self.change(digest, details, effects)
    }

    fn change(
        &self,
        digest: Option<&str>,
        details: Vec<String>,
        mut effects: Vec<Effect>,
    ) -> Decision {
        effects.push(self.upgrade(digest));
        Decision::Do { action: Action::Change, deed: self.deed(Verb::Change), details, effects }
    }

    pub fn deed(&self, verb: Verb) -> Deed {
        let chart = &self.release.chart;
        Deed::new(verb, format!("{} {}", chart.name, chart.version))
    }

    /// What an earlier Helm left undone, and what puts it right before the upgrade.
    fn unfinished(&self, status: &helm::Status, history: Option<&Answer>) -> (String, Option<Cmd>) {
        let revision = status.version;
        if !status.info.status.starts_with("pending-") {
            return (format!("revision {revision} is {}", status.info.status), None);
        }
        match history.and_then(|history| helm::newest_deployed(&history.output().stdout)) {
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
        }
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

    /// The paths at which the revision's values differ from those that are wanted.
    ///
    /// What was and what would be is shown only where okemon alone says what stands there: values of
    /// the user's own, and those of a release that was made by hand, can be secrets.
    fn differences(&self, there: &Value) -> Result<Vec<String>, Fail> {
        let ours = self.rendered_values()?;
        let mut wanted = ours.clone();
        values::merge(&mut wanted, &self.own_values);
        let shown = |path: &[String]| {
            let (ours, own) = (diff::at(&ours, path), diff::at(&self.own_values, path));
            ours.is_some_and(|value| !value.is_object()) && own.is_none()
        };
        let mut differences = values::differing(there, &wanted, shown);
        differences.extend(self.lost_history(there, &wanted));
        Ok(differences)
    }

    /// What a shorter retention deletes from the bucket, a line each.
    fn lost_history(&self, there: &Value, wanted: &Value) -> Vec<String> {
        let line = |path: &[&str; 2]| {
            let path = path.map(str::to_owned);
            // What was not set was the chart's own affair, and may have been longer.
            let shorter = kept(wanted, &path)? < kept(there, &path).unwrap_or(i64::MAX);
            shorter.then(|| {
                let (name, after) = (path.join("."), text(diff::at(wanted, &path)));
                format!("! {name}: what is older than {after} is deleted from the bucket for good")
            })
        };
        self.release.history.iter().filter_map(line).collect()
    }

    fn rendered_values(&self) -> Result<Value, Fail> {
        let fail =
            |error: String| Fail::new(Exit::Failed, format!("rendering the values: {error}"));
        let text = self.release.values.preview().map_err(|error| fail(format!("{error:#}")))?;
        serde_yaml::from_str(&text).map_err(|error| fail(error.to_string()))
    }
}

/// How long a value lets history be kept, in nanoseconds, 0 being for ever; none: it does not say.
fn kept(values: &Value, path: &[String]) -> Option<i64> {
    let length = nanoseconds(&text(diff::at(values, path)))?;
    Some(if length == 0 { i64::MAX } else { length })
}

/// A word or a number as it is written; nothing where there is no value.
fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

const KINDS_GONE: &str = "some of its objects are of kinds that the cluster does not know any more";

/// The objects of a manifest that are not among those that are there.
fn missing(manifest: &str, there: &BTreeMap<String, Vec<Value>>) -> Vec<String> {
    let there: BTreeSet<String> = there.values().flatten().map(kubectl::name).collect();
    serde_yaml::Deserializer::from_str(manifest)
        .filter_map(|document| serde::Deserialize::deserialize(document).ok())
        .filter(|object: &Value| object.is_object())
        .map(|object| kubectl::name(&object))
        .filter(|name| !there.contains(name))
        .map(|name| format!("+ {name}"))
        .collect()
}

fn needs_helm_4() -> Fail {
    Fail::new(
        Exit::Unavailable,
        "asking helm which objects of a release are there: it does not tell; Helm 4 is needed",
    )
    .hint("`helm version` shows which one is first on PATH")
}

/// A description without okemon's own mark and most of the digest.
fn described(description: &str) -> String {
    let text = description.strip_prefix("okemon: ").unwrap_or(description);
    match text.split_once("sha256:") {
        Some((chart, digest)) => {
            format!("{chart}sha256:{}", digest.chars().take(12).collect::<String>())
        }
        None => format!("not installed by okemon ({text})"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::Intent;
    use crate::plan::testing::{digest, failed, intent, said, told};

    fn release() -> Release {
        let Intent::Release(release) = intent("sin/thanos") else { panic!() };
        *release
    }

    /// What is decided about a revision that differs from what is wanted as `change` says.
    fn decided(change: impl FnOnce(&mut Value)) -> String {
        let release = release();
        let mut status = json!({
            "version": 3,
            "info": {
                "status": "deployed",
                "description": release.description(Some("aaaabbbbccccdddd")),
                "resources": {"v1/Service": [{"kind": "Service", "metadata": {"name": "thanos-query"}}]},
            },
            "config": release.rendered_values().unwrap(),
            "manifest": "kind: Service\nmetadata: {name: thanos-query}\n",
        });
        change(&mut status);
        let answers = [digest("aaaabbbbccccdddd"), said(&status.to_string())];
        assert!(release.ask(&answers).is_none());
        told(&release.decide(&answers))
    }

    const UPGRADE: &str = "$ helm upgrade --install thanos /charts/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:aaaabbbbccccdddd' --values - --kube-context oke-sin --namespace monitoring";

    #[test]
    fn a_release_that_is_as_wanted_is_left_alone() {
        assert_eq!(decided(|_| {}), "unchanged");
    }

    #[test]
    fn a_release_that_is_not_there_is_installed() {
        let answers = [digest("aaaabbbbccccdddd"), failed("Error: release: not found")];
        let told = told(&release().decide(&answers));
        assert_eq!(told, format!("Add: install thanos 17.3.1\n  {UPGRADE}"));
    }

    #[test]
    fn every_difference_is_named_and_makes_one_upgrade() {
        let told = decided(|status| {
            status["config"]["query"]["replicaCount"] = json!(1);
            status["info"]["resources"] = json!({});
            status["info"]["description"] = json!("Upgrade complete");
        });
        let expected = format!(
            "Change: change thanos 17.3.1\n  chart: not installed by okemon (Upgrade complete) -> thanos-17.3.1 sha256:aaaabbbbcccc\n  query.replicaCount: 1 -> 2\n  + Service/thanos-query\n  {UPGRADE}"
        );
        assert_eq!(told, expected);
    }

    #[test]
    fn a_revision_that_was_cut_short_is_put_right_first() {
        let history = |revisions: &str| {
            let release = release();
            let status = json!({"version": 3, "info": {"status": "pending-upgrade", "resources": {}}, "config": release.rendered_values().unwrap()});
            let answers = [digest("aaaabbbbccccdddd"), said(&status.to_string())];
            assert!(release.ask(&answers).is_some(), "the other revisions are not asked for");
            let [digest, status] = answers;
            told(&release.decide(&[digest, status, said(revisions)]))
        };
        assert_eq!(
            history(
                r#"[{"revision": 1, "status": "deployed"}, {"revision": 2, "status": "failed"}]"#
            ),
            format!(
                "Change: change thanos 17.3.1\n  revision 3 was cut short: back to revision 1, then on\n  $ helm rollback thanos 1 --kube-context oke-sin --namespace monitoring\n  {UPGRADE}"
            )
        );
        assert_eq!(
            history(r#"[{"revision": 3, "status": "pending-install"}]"#),
            format!(
                "Change: change thanos 17.3.1\n  revision 3 was cut short: it is forgotten, and what it made is taken over\n  $ kubectl --context oke-sin --namespace monitoring delete secret sh.helm.release.v1.thanos.v3 --ignore-not-found\n  {UPGRADE}"
            )
        );
        assert_eq!(
            decided(|status| status["info"]["status"] = json!("failed")),
            format!("Change: change thanos 17.3.1\n  revision 3 is failed\n  {UPGRADE}")
        );
    }

    #[test]
    fn a_release_whose_kinds_are_gone_is_upgraded() {
        let gone = failed(
            "Error: unable to build kubernetes objects: no matches for kind \"ServiceMonitor\" in version \"monitoring.coreos.com/v1\"",
        );
        let told = told(&release().decide(&[digest("aaaabbbbccccdddd"), gone]));
        assert_eq!(told, format!("Change: change thanos 17.3.1\n  {KINDS_GONE}\n  {UPGRADE}"));
    }

    #[test]
    fn values_that_are_not_okemons_are_never_shown() {
        let mut release = release();
        release.own_values =
            json!({"query": {"extraEnvVars": "p4ssword"}, "image": {"tag": "p4ssword"}});
        let there = json!({"objstoreConfig": "access_key: p4ssword", "image": {"tag": "p4ssw0rd"}, "query": {"replicaCount": 1}});
        let lines = release.differences(&there).unwrap();
        assert!(lines.iter().all(|line| !line.contains("p4ssw")), "{lines:?}");
        for line in
            ["objstoreConfig", "image.tag", "query.extraEnvVars", "query.replicaCount: 1 -> 2"]
        {
            assert!(lines.iter().any(|there| there == line), "{line} in {lines:?}");
        }
    }

    #[test]
    fn a_shorter_retention_says_that_history_is_deleted() {
        let kept = |raw: &str| {
            decided(|status| status["config"]["compactor"]["retentionResolutionRaw"] = json!(raw))
        };
        let warns = |told: &str| told.contains("is deleted from the bucket");
        assert_eq!(
            kept("0d").lines().nth(2),
            Some(
                "  ! compactor.retentionResolutionRaw: what is older than 365d is deleted from the bucket for good"
            )
        );
        assert!(warns(&kept("366d")) && !warns(&kept("52w")) && !warns(&kept("365d")));
        let unset = decided(|status| status["config"]["compactor"] = json!({}));
        assert!(warns(&unset), "{unset}");
    }

    #[test]
    fn a_helm_that_does_not_tell_what_is_there_is_refused() {
        let told =
            decided(|status| drop(status["info"].as_object_mut().unwrap().remove("resources")));
        assert_eq!(
            told,
            "refused (Unavailable): asking helm which objects of a release are there: it does not tell; Helm 4 is needed"
        );
    }

    #[test]
    fn a_deleted_object_is_missed() {
        let manifest = "---\nkind: Service\nmetadata: {name: a}\n---\nkind: Service\nmetadata: {name: b}\n---\n# nothing\n";
        let there = json!({"v1/Service": [{"kind": "Service", "metadata": {"name": "b"}}]});
        let there = serde_json::from_value(there).unwrap();
        assert_eq!(missing(manifest, &there), ["+ Service/a"]);
    }
}
