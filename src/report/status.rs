//! What is installed, in words: a screen a cluster.

use anyhow::Result;
use jiff::Timestamp;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::words::{elapsed, finding_below, harmless};
use crate::status::{Release, Status, Volume};

/// What `okemon status -o json` prints.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "okemon status -o json")]
struct Document<'a> {
    /// Of this form. Within a version, fields are only added.
    version: u32,
    clusters: &'a [Status],
}

pub(super) fn json(clusters: &[Status]) -> Result<String> {
    Ok(serde_json::to_string_pretty(&Document { version: 1, clusters })? + "\n")
}

/// The JSON Schema of what `okemon status -o json` prints.
pub fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Document<'_>>()
}

pub(super) fn text(clusters: &[Status], now: Timestamp) -> String {
    clusters.iter().map(|status| screen(status, now)).collect::<Vec<_>>().join("\n")
}

fn screen(status: &Status, now: Timestamp) -> String {
    let Status { cluster, region, context, namespace, .. } = status;
    let head = format!("{cluster}: {region}, context {context}, namespace {namespace}\n");
    if let Some(why) = &status.unseen {
        return head + &row("unseen", &harmless(why));
    }
    let mut text = head;
    text.extend(status.releases.iter().map(|release| row(&release.name, &told(release))));
    let findings: String = status.findings.iter().map(finding_below).collect();
    text += &row("ready", &format!("{} of {}{}", status.ready, status.of, harmless(&findings)));
    for address in &status.addresses {
        text += &row(&address.service, &address.address);
    }
    text += &row("volumes", &volumes(&status.volumes));
    text += &row("history", &history(status, now));
    text
}

fn row(name: &str, said: &str) -> String {
    format!("  {name:17}{said}\n")
}

fn told(release: &Release) -> String {
    let Release { chart, wanted, revision, state, .. } = release;
    let Some(chart) = chart else {
        return format!("not installed; an install brings {wanted}");
    };
    let revision = revision.map(|revision| format!(", revision {revision}")).unwrap_or_default();
    let state = state.as_deref().filter(|state| *state != "deployed");
    let state = state.map(|state| format!(", {state}")).unwrap_or_default();
    let behind =
        if chart == wanted { String::new() } else { format!("; an install brings {wanted}") };
    harmless(&format!("{chart}{revision}{state}{behind}"))
}

fn volumes(volumes: &[Volume]) -> String {
    if volumes.is_empty() {
        return "none".to_owned();
    }
    let bound = volumes.iter().filter(|volume| volume.phase == "Bound").count();
    let mut text = format!("{bound} of {} bound", volumes.len());
    for volume in volumes.iter().filter(|volume| volume.phase != "Bound") {
        text += &format!(", {} is {}", volume.claim, volume.phase);
    }
    harmless(&text)
}

fn history(status: &Status, now: Timestamp) -> String {
    let newest = match status.history.newest_block {
        Some(newest) => format!("until {} ago in the bucket", elapsed(newest, now)),
        None => "no block in the bucket yet".to_owned(),
    };
    match status.history.compactor_halted {
        Some(true) => format!("{newest}; the compactor has halted (OKM-COMPACTOR-HALTED)"),
        Some(false) => newest,
        None => format!("{newest}; the compactor was not asked"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `OKEMON_BLESS=1 cargo test` writes the copy anew.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test's own switch")]
    fn the_schema_in_docs_is_that_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/status.schema.json");
        let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        if std::env::var_os("OKEMON_BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let there = std::fs::read_to_string(path).unwrap_or_default();
        assert!(there == text, "docs/status.schema.json is old; OKEMON_BLESS=1 cargo test");
    }
}
