//! Where the newest revision comes from: whose it is, and from which chart.

use super::differences::{described, owned, text};
use super::unfinished::record;
use super::{Change, Digest, Release, unreadable};
use crate::content::objects::OBJSTORE_SECRET;
use crate::plan::talk::{Open, Talk};
use crate::tools::diff;
use crate::tools::helm::{self, Revision};

impl Release {
    /// Notes what an earlier Helm left undone and what puts that right, another chart, and that
    /// somebody else installed it.
    pub(super) fn origin(
        &self,
        talk: &mut Talk<'_>,
        digest: Digest<'_>,
        status: &helm::Status,
        change: &mut Change,
    ) -> Result<(), Open> {
        let (there, wanted) = (&status.info.description, self.description(digest));
        if status.is_deployed() && *there == wanted {
            return Ok(());
        }
        if status.is_deployed() && is_ours(there) {
            self.check_chart(described(there))?;
            change.lines.push(format!("chart: {} -> {}", short(there), short(&wanted)));
            return Ok(());
        }
        let revisions = self.revisions(talk)?;
        let mut deployed = revisions.iter().rev().filter(|revision| was_deployed(revision));
        if let Some(last) = deployed.next() {
            change.by_hand = !is_ours(&last.description)
                && !deployed.any(|revision| is_ours(&revision.description));
            if status.is_deployed() || change.by_hand {
                let by = if change.by_hand { "installed" } else { "changed" };
                let line = format!("chart: {}, {by} by hand -> {}", last.chart, short(&wanted));
                change.lines.push(line);
            }
        }
        let first = revisions.first().map_or(status.version, |revision| revision.revision);
        change.warnings.extend(self.bare_keys(status, first));
        if !status.is_deployed() {
            self.unfinished(talk, status, &revisions, change)?;
        }
        Ok(())
    }

    /// All revisions, which must be of the chart that is to be installed.
    pub(super) fn revisions(&self, talk: &mut Talk<'_>) -> Result<Vec<Revision>, Open> {
        let history = talk.success(&self.helm.history(self.release.name))?;
        let revisions = helm::revisions(&history.stdout).map_err(unreadable)?;
        let last = revisions.iter().rev().find(|revision| was_deployed(revision));
        if let Some(last) = last.or(revisions.last()) {
            let ours = is_ours(&last.description);
            self.check_chart(if ours { described(&last.description) } else { &last.chart })?;
        }
        Ok(revisions)
    }

    /// That the bucket's keys stand in the values of a release that was made by hand; `first` is the
    /// oldest revision that Helm keeps.
    fn bare_keys(&self, status: &helm::Status, first: u64) -> Vec<String> {
        let Some(path) = self.release.inline_keys.map(owned) else { return vec![] };
        if !text(diff::at(&status.config, &path)).contains("secret_key") {
            return vec![];
        }
        let (path, name) = (path.join("."), self.release.name);
        let records = if first == status.version {
            record(name, first)
        } else {
            format!("{} to v{}", record(name, first), status.version)
        };
        vec![
            format!(
                "! {path} has the bucket's keys: from now on they are in the Secret {OBJSTORE_SECRET} alone"
            ),
            format!(
                "! Helm keeps the old values with these keys in {records}: docs/taking-over.md says how to be rid of them"
            ),
        ]
    }
}

fn is_ours(description: &str) -> bool {
    description.starts_with(OURS)
}

/// What a description of okemon's begins with.
const OURS: &str = "okemon: ";

fn was_deployed(revision: &Revision) -> bool {
    ["deployed", "superseded"].contains(&revision.status.as_str())
}

/// A description of okemon's without most of the digest.
fn short(description: &str) -> String {
    let text = description.strip_prefix(OURS).unwrap_or(description);
    let (chart, digest) = text.split_once("sha256:").unwrap_or((text, ""));
    format!("{chart}sha256:{}", digest.chars().take(12).collect::<String>())
}
