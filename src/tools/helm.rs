//! How to say things to `helm`, and how to read its answers.
//!
//! Every call uses only flags that Helm 3 and 4 both take, but for [`Helm::status_of_3`].

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::cmd::{Cmd, Tool};
use crate::config::names::{ClusterName, Namespace};
use crate::config::{Cluster, Config};
use crate::content::charts::Release;

/// The helm of one cluster and namespace: every call names both.
#[derive(Clone, Debug)]
pub struct Helm {
    cluster: ClusterName,
    context: String,
    namespace: Namespace,
}

impl Helm {
    pub fn new(config: &Config, cluster: &Cluster) -> Self {
        Self {
            cluster: cluster.name.clone(),
            context: cluster.context.clone(),
            namespace: config.namespace.clone(),
        }
    }

    fn cmd(&self, args: &[&str]) -> Cmd {
        let scope = ["--kube-context", &self.context, "--namespace", self.namespace.as_str()];
        Cmd::new(Tool::Helm, args.iter().chain(&scope).copied()).on(&self.cluster)
    }

    /// Asks for the newest revision of a release, whatever its state. Helm 4 also tells what is
    /// there of its objects.
    pub fn status(&self, release: &str) -> Cmd {
        self.cmd(&["status", release, "-o", "json"])
    }

    /// Asks for the releases of the namespace in whatever state: left to itself, Helm 3 leaves out
    /// those that were cut short.
    pub fn list(&self) -> Cmd {
        let states = ["--deployed", "--failed", "--pending", "--uninstalling"];
        self.cmd(&[&["list"], states.as_slice(), &["-o", "json"]].concat())
    }

    /// Asks for the revisions of a release.
    pub fn history(&self, release: &str) -> Cmd {
        self.cmd(&["history", release, "-o", "json"])
    }

    /// The same with what is there of its objects, for Helm 3. Helm 4 does not know the flag.
    pub fn status_of_3(&self, release: &str) -> Cmd {
        self.cmd(&["status", release, "--show-resources", "-o", "json"])
    }

    /// Prints what an upgrade would make of a release, without its hooks; the cluster is not asked.
    pub fn template(&self, release: &Release, chart: &Path) -> Cmd {
        let chart = chart.display().to_string();
        let mut args = vec!["template", release.name, &chart, "--skip-crds", "--no-hooks"];
        args.extend(["--is-upgrade", "--values", "-"]);
        let own = release.values_file.as_ref().map(|path| path.display().to_string());
        args.extend(own.iter().flat_map(|own| ["--values", own]));
        self.cmd(&args).docs([release.values.clone()])
    }

    /// Asks for the values that were given to the newest revision.
    pub fn values(&self, release: &str) -> Cmd {
        self.cmd(&["get", "values", release, "-o", "json"])
    }

    /// Prints what a revision was made of.
    pub fn manifest(&self, release: &str, revision: u64) -> Cmd {
        self.cmd(&["get", "manifest", release, "--revision", &revision.to_string()])
    }

    /// Goes back to a revision.
    pub fn rollback(&self, release: &str, revision: u64) -> Cmd {
        self.cmd(&["rollback", release, &revision.to_string()]).timeout(CHANGE)
    }

    /// Installs or upgrades a release; `description` is kept with the revision.
    ///
    /// The API server checks the objects; helm would first fetch its schemas, megabytes of them.
    /// Never `--wait`: it names no reason, and sees nothing of what an operator makes.
    pub fn upgrade(&self, release: &Release, chart: &Path, description: &str) -> Cmd {
        let chart = chart.display().to_string();
        let own = release.values_file.as_ref().map(|path| path.display().to_string());
        let mut args = vec!["upgrade", "--install", release.name, &chart, "--skip-crds"];
        args.extend(["--disable-openapi-validation", "--description", description]);
        args.extend(["--values", "-"]);
        args.extend(own.iter().flat_map(|own| ["--values", own]));
        self.cmd(&args).docs([release.values.clone()]).timeout(CHANGE)
    }
}

/// Brings a chart from its registry into `directory`.
pub fn pull(reference: &str, version: &str, directory: &Path) -> Cmd {
    let directory = directory.display().to_string();
    let args = ["pull", reference, "--version", version, "--destination", &directory];
    Cmd::new(Tool::Helm, args).timeout(CHANGE)
}

/// Prints the custom resource definitions of a chart.
pub fn show_crds(chart: &Path) -> Cmd {
    Cmd::new(Tool::Helm, ["show", "crds", &chart.display().to_string()])
}

/// Prints what the values of a chart are unless they are set.
pub fn show_values(chart: &Path) -> Cmd {
    Cmd::new(Tool::Helm, ["show", "values", &chart.display().to_string()])
}

/// Long enough for hooks of the charts on a slow cluster.
const CHANGE: Duration = Duration::from_mins(10);

/// An archive of a chart, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// The chart that is in it; none: it is no chart.
    pub chart: Option<ChartName>,
}

/// One chart in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartName {
    pub name: String,
    pub version: String,
}

/// The newest revision of a release.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    /// The number of the revision.
    pub version: u64,
    pub info: Info,
    /// The values that were given to it; null: none.
    #[serde(default)]
    pub config: Value,
    /// What it is made of, as YAML documents.
    #[serde(default)]
    pub manifest: String,
}

/// What Helm notes about a revision.
#[derive(Clone, Debug, Deserialize)]
pub struct Info {
    /// `deployed`, `failed`, `pending-install`, ...
    pub status: String,
    #[serde(default)]
    pub description: String,
    /// When it was begun, as RFC 3339.
    #[serde(default)]
    last_deployed: String,
    /// When its uninstall was begun; empty: it never was.
    #[serde(default)]
    deleted: String,
    /// What is there of its objects, by kind; none: nothing, or Helm 3, which tells it only when it
    /// is asked for it.
    pub resources: Option<BTreeMap<String, Vec<Value>>>,
}

impl Info {
    /// When the last Helm began its work on it, by the clock of its machine; none: it does not tell.
    pub fn begun(&self) -> Option<Timestamp> {
        [&self.deleted, &self.last_deployed].iter().find_map(|time| time.parse().ok())
    }
}

impl Status {
    pub fn is_deployed(&self) -> bool {
        self.info.status == "deployed"
    }

    /// Whether its uninstall was begun and did not come to its end.
    pub fn is_half_uninstalled(&self) -> bool {
        self.info.status == "uninstalling"
    }

    /// Whether it was taken away, and only its history is there.
    pub fn is_uninstalled(&self) -> bool {
        self.info.status == "uninstalled"
    }

    /// Whether the Helm that was at work on it, to bring it or to take it away, came to its end.
    pub fn is_finished(&self) -> bool {
        !self.info.status.starts_with("pending-") && !self.is_half_uninstalled()
    }
}

/// Reads the answer to [`Helm::status`].
///
/// # Errors
/// When the answer is not what Helm 3 or 4 print.
pub fn status(stdout: &str) -> Result<Status> {
    serde_json::from_str(stdout).with_context(|| {
        let head: String = stdout.chars().take(80).collect();
        format!("reading helm's status of the release, which begins with {head:?}")
    })
}

/// One revision of a release.
#[derive(Clone, Debug, Deserialize)]
pub struct Revision {
    /// Its number.
    pub revision: u64,
    /// `deployed`, `superseded`, `failed`, ...
    pub status: String,
    /// NAME-VERSION of its chart.
    #[serde(default)]
    pub chart: String,
    #[serde(default)]
    pub description: String,
    /// When it was begun, as RFC 3339.
    #[serde(default)]
    updated: String,
}

/// Reads the answer to [`Helm::history`]: the revisions, the oldest first.
///
/// # Errors
/// When the answer is not what Helm 3 or 4 print.
pub fn revisions(stdout: &str) -> Result<Vec<Revision>> {
    serde_json::from_str(stdout).context("reading helm's history of the release")
}

/// What the answers to [`Helm::history`] and [`Helm::values`] tell of the newest revision, where
/// Helm cannot tell all of it: not what it is made of.
///
/// # Errors
/// When there is no revision, or the values are not what Helm 3 or 4 print.
pub fn retold(revisions: &[Revision], values: &str) -> Result<Status> {
    let newest = revisions.last().context("helm's history of the release is empty")?;
    let info = Info {
        status: newest.status.clone(),
        description: newest.description.clone(),
        last_deployed: newest.updated.clone(),
        deleted: String::new(),
        resources: None,
    };
    let config = serde_json::from_str(values).context("reading helm's values of the release")?;
    Ok(Status { version: newest.revision, info, config, manifest: String::new() })
}

/// Whether stderr says that this Helm does not know a flag.
pub fn says_unknown_flag(stderr: &str) -> bool {
    stderr.contains("unknown flag: ")
}

/// Whether stderr says that there is no such release.
pub fn says_not_found(stderr: &str) -> bool {
    stderr.contains("release: not found")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_without_values_has_none() {
        let text = r#"{"name":"thanos","version":3,"info":{"status":"failed"},"config":null}"#;
        let status = status(text).unwrap();
        assert_eq!((status.version, status.info.status.as_str()), (3, "failed"));
        assert_eq!(status.config, Value::Null);
    }
}
