//! A plan for programs, with what was there when it was made: the evidence that nothing else is when
//! it is carried out later.

use std::sync::Arc;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::{Cluster, Config};
use crate::fail::{Exit, Fail};
use crate::plan::release;
use crate::plan::show::json::{self, Shown};
use crate::plan::{Intent, Plan};
use crate::report::event::Change;
use crate::run::archive;
use crate::run::runner::{Runner, Survey};
use crate::tools::helm::Helm;
use crate::tools::{diff, failure};

/// A plan for programs: `okemon plan -o json`. Fields are added within a version, never renamed or
/// removed. It never holds a secret.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "okemon plan -o json")]
pub struct Document {
    #[serde(flatten)]
    plan: Shown,
    /// What is there, and what would change of it; with `--live` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<Live>,
}

/// What was found when the plan was made.
#[derive(Debug, JsonSchema, Serialize)]
struct Live {
    clusters: Vec<LiveCluster>,
    /// The charts' archives.
    charts: Vec<LiveChart>,
    /// The files of the user's own values, each once.
    values: Vec<LiveValues>,
    /// What would change, in the plan's order.
    changes: Vec<Change>,
    /// How many steps are as they should be.
    unchanged: usize,
}

/// One cluster.
#[derive(Debug, JsonSchema, Serialize)]
struct LiveCluster {
    name: String,
    /// The UID of the namespace `kube-system`.
    uid: String,
    releases: Vec<LiveRelease>,
}

/// A Helm release of the namespace.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
struct LiveRelease {
    name: String,
    /// The number of its newest revision.
    revision: String,
    /// `deployed`, `failed`, ...
    status: String,
}

/// One archive.
#[derive(Debug, JsonSchema, Serialize)]
struct LiveChart {
    /// `NAME-VERSION.tgz`.
    archive: String,
    /// Its SHA-256 in hexadecimal.
    sha256: Option<String>,
}

/// One file of values.
#[derive(Debug, JsonSchema, PartialEq, Serialize)]
struct LiveValues {
    /// Its path.
    file: String,
    /// Its SHA-256 in hexadecimal.
    sha256: String,
}

/// The plan without a look at anything.
///
/// # Errors
/// When a template cannot be rendered.
pub(super) fn document(config: &Config, plan: &Plan) -> anyhow::Result<String> {
    text(&Document { plan: json::shown(config, plan)?, live: None })
}

pub(super) fn text(document: &Document) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}

/// Refuses when what is there now is not what `reviewed` was made from.
///
/// # Errors
/// What differs.
pub(super) async fn check(
    reviewed: &Value,
    runner: &Arc<Runner>,
    config: &Config,
    plan: &Plan,
    survey: &Survey,
) -> Result<(), Fail> {
    let attempt = "comparing with the plan that was reviewed";
    let hint = "`okemon plan --live -o json` makes a new one";
    if reviewed.get("live").is_none() {
        let error = format!("{attempt}: it does not say what was there when it was made");
        return Err(Fail::new(Exit::Refused, error).hint(hint));
    }
    let now = seen(runner, config, plan, survey).await?;
    let now = serde_json::to_value(now).map_err(|error| cannot_show(error.into()))?;
    let differing = diff::paths(&lasting(reviewed), &lasting(&now), |_, _| true);
    if differing.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = differing.iter().map(|line| format!("\n{line}")).collect();
    let error = format!("{attempt}: it does not hold any more:{}", lines.concat());
    Err(Fail::new(Exit::Refused, error).hint(hint))
}

/// A document without what comes and goes by itself.
fn lasting(document: &Value) -> Value {
    let mut document = document.clone();
    for change in document["live"]["changes"].as_array_mut().into_iter().flatten() {
        if let Some(details) = change["details"].as_array_mut() {
            details.retain(|line| !line.as_str().is_some_and(release::passes));
        }
    }
    document
}

/// The plan with what is there now.
///
/// # Errors
/// When a cluster does not tell.
pub(super) async fn seen(
    runner: &Arc<Runner>,
    config: &Config,
    plan: &Plan,
    survey: &Survey,
) -> Result<Document, Fail> {
    let mut clusters = Vec::new();
    for cluster in &config.clusters {
        clusters.push(live_cluster(runner, config, cluster, plan).await?);
    }
    let archives = plan.steps().filter_map(|step| match &step.intent {
        Intent::Release(release) => Some(release.archive.clone()),
        _ => None,
    });
    let charts = archives.map(|path| LiveChart {
        archive: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        sha256: archive::read(&path).map(|archive| archive.sha256),
    });
    Ok(Document {
        plan: json::shown(config, plan).map_err(cannot_show)?,
        live: Some(Live {
            clusters,
            charts: charts.collect(),
            values: own_values(plan),
            changes: survey.changes(),
            unchanged: survey.unchanged(),
        }),
    })
}

fn own_values(plan: &Plan) -> Vec<LiveValues> {
    let read = plan.steps().filter_map(|step| {
        let Intent::Release(release) = &step.intent else { return None };
        let file = release.release.values_file.as_ref()?.display().to_string();
        let sha256 = archive::sha256(&mut release.own_values.text.as_bytes())?;
        Some(LiveValues { file, sha256 })
    });
    let mut files: Vec<LiveValues> = vec![];
    for values in read {
        if !files.contains(&values) {
            files.push(values);
        }
    }
    files
}

async fn live_cluster(
    runner: &Arc<Runner>,
    config: &Config,
    cluster: &Cluster,
    plan: &Plan,
) -> Result<LiveCluster, Fail> {
    let look = plan.steps().find_map(|step| match &step.intent {
        Intent::Cluster(look) if step.cluster.as_ref() == Some(&cluster.name) => Some(&look.look),
        _ => None,
    });
    let mut uid = String::new();
    if let Some(cmd) = look {
        let output = runner.exec.ask(cmd, None, &runner.stop).await?;
        if output.code != Some(0) {
            return Err(failure::explain(cmd, &output));
        }
        let namespace: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
        namespace["metadata"]["uid"].as_str().unwrap_or_default().clone_into(&mut uid);
    }
    let cmd = Helm::new(config, cluster).list();
    let output = runner.exec.ask(&cmd, None, &runner.stop).await?;
    if output.code != Some(0) {
        return Err(failure::explain(&cmd, &output));
    }
    let releases = serde_json::from_str(&output.stdout)
        .map_err(|error| Fail::new(Exit::Failed, format!("reading helm's list: {error}")))?;
    Ok(LiveCluster { name: cluster.name.to_string(), uid, releases })
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err has it")]
pub(super) fn cannot_show(error: anyhow::Error) -> Fail {
    Fail::new(Exit::Failed, format!("showing the plan: {error:#}"))
}

/// The JSON Schema of the document.
pub fn schema() -> schemars::Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Document>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `OKEMON_BLESS=1 cargo test` writes the copy anew.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test's own switch")]
    fn the_schema_in_docs_is_that_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plan.schema.json");
        let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        if std::env::var_os("OKEMON_BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let there = std::fs::read_to_string(path).unwrap_or_default();
        assert!(there == text, "docs/plan.schema.json is old; OKEMON_BLESS=1 cargo test");
    }
}
