//! The hops themselves, in the order in which a sample takes them.

mod alerts;
mod grafana;
mod query;
mod scraping;
mod storage;

use serde_json::Value;

use super::Scene;
use crate::checks::Line;
use crate::diagnose::catalogue::Id;
use crate::diagnose::{Finding, Severity};

/// How many things of a kind are named.
const NAMED: usize = 5;

pub(super) fn all(scene: &Scene<'_>) -> Vec<Line> {
    let mut lines = pods(scene);
    let stores = query::stores(scene);
    let query = query::query(scene, &stores);
    let frontend = query::frontend(scene, &query);
    lines.extend([scraping::targets(scene), scraping::rules(scene), scraping::sidecars(scene)]);
    lines.extend([stores, query, frontend]);
    lines.extend([storage::uploads(scene), storage::compactor(scene)]);
    lines.extend([alerts::alertmanagers(scene), grafana::grafana(scene)]);
    told_once(lines)
}

/// Of hops that stand on the same silent part, the first tells of it.
fn told_once(lines: Vec<Line>) -> Vec<Line> {
    let mut told: Vec<Line> = Vec::new();
    for line in lines {
        let unreached = line.id == Some(Id::HopUnreached);
        let earlier = told.iter().find(|other| unreached && other.said == line.said);
        let see = earlier.map(|other| Line::skipped(&line.check, format!("see {}", other.check)));
        told.push(see.unwrap_or(line));
    }
    told
}

/// Everything that was installed runs: a hop whose pods do not is told why here.
fn pods(scene: &Scene<'_>) -> Vec<Line> {
    let diagnosis = scene.diagnosis;
    let how = format!("{} of {} workloads are ready", diagnosis.ready, diagnosis.of);
    if diagnosis.of == 0 {
        return vec![Line::failed(
            "pods",
            Id::ReleaseEmpty,
            "nothing is installed",
            "`okemon install` installs it",
        )];
    }
    if diagnosis.ready == diagnosis.of {
        return vec![Line::passed("pods", how)];
    }
    let line = |Finding { id, object, reason, hint, severity }: &Finding| {
        let said = format!("{how}: {object}: {reason}");
        let hint = hint.clone().unwrap_or_default();
        match severity {
            Severity::Starting => Line::pending("pods", said),
            _ => Line::failed("pods", *id, said, hint),
        }
    };
    let lines: Vec<Line> = diagnosis.findings.iter().map(line).collect();
    if lines.is_empty() { vec![Line::pending("pods", how)] } else { lines }
}

/// A hop that does not do what it is there for.
pub(super) fn broken(hop: &str, id: Id, said: impl Into<String>) -> Line {
    Line::failed(hop, id, said, format!("`okemon explain {id}` says where to look"))
}

/// One of which it cannot be said.
fn doubtful(hop: &str, id: Id, said: impl Into<String>) -> Line {
    Line::warning(hop, id, said, format!("`okemon explain {id}` says where to look"))
}

pub(super) fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "unknown".to_owned(),
        other => other.to_string(),
    }
}

/// A line each for the first few, and how many more there are.
fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(NAMED);
    let mut text: String = items.take(NAMED).map(|item| format!("\n{item}")).collect();
    if more > 0 {
        text += &format!("\nand {more} more");
    }
    text
}
