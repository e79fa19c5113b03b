//! Prometheus and the sidecar beside it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{broken, list, rows, word};
use crate::checks::Line;
use crate::diagnose::catalogue::Id;
use crate::verify::metrics::sum;
use crate::verify::{Scene, Topic};

/// What Prometheus says of its targets, of which large ones have megabytes, as far as it counts here.
#[derive(Deserialize)]
struct Scraped {
    data: Active,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Active {
    active_targets: Vec<Target>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Target {
    scrape_pool: String,
    scrape_url: String,
    /// `up`, `down`, or `unknown` before the first scrape.
    health: String,
    last_error: String,
}

pub(super) fn targets(scene: &Scene<'_>) -> Line {
    const NAME: &str = "targets";
    let asked = match scene.json::<Scraped>(NAME, Topic::Targets) {
        Ok(asked) => asked,
        Err(line) => return line,
    };
    let (mut up, mut waiting, mut down) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    for target in asked.into_iter().flat_map(|(_, answer)| answer.data.active_targets) {
        let name = format!("{} {}", target.scrape_pool, target.scrape_url);
        match target.health.as_str() {
            "up" => drop(up.insert(name)),
            "down" => drop(down.insert(name, target.last_error)),
            _ => drop(waiting.insert(name)),
        }
    }
    // Of a target that is up for one replica and not for the other, the latter counts.
    up.retain(|name| !down.contains_key(name) && !waiting.contains(name));
    let count = format!("{} of {} are up", up.len(), up.len() + down.len());
    if !down.is_empty() {
        let named = list(down.iter().map(|(name, error)| format!("{name}: {error}")));
        let said = format!("{count}; down:{named}");
        // What answers a moment after it started is no trouble yet.
        return scene.broken_by_now(&["prometheus"], NAME, Id::TargetsDown, said);
    }
    match (up.is_empty(), waiting.len()) {
        (true, 0) => broken(NAME, Id::TargetsDown, "Prometheus scrapes nothing"),
        (_, waiting @ 1..) if scene.young(&["prometheus"]) => {
            Line::pending(NAME, format!("{count}, {waiting} are not scraped yet"))
        }
        (true, waiting) => broken(NAME, Id::TargetsDown, format!("{waiting} were never scraped")),
        _ => Line::passed(NAME, count),
    }
}

pub(super) fn rules(scene: &Scene<'_>) -> Line {
    const NAME: &str = "rules";
    let asked = match scene.json::<Value>(NAME, Topic::Rules) {
        Ok(asked) => asked,
        Err(line) => return line,
    };
    let (mut fine, mut faulty) = (BTreeSet::new(), BTreeMap::new());
    for (_, answer) in &asked {
        for group in rows(&answer["data"]["groups"]) {
            for rule in rows(&group["rules"]) {
                let name = format!("{} in {}", word(&rule["name"]), word(&group["name"]));
                match rule["health"].as_str() {
                    Some("err") => drop(faulty.insert(name, word(&rule["lastError"]))),
                    _ => drop(fine.insert(name)),
                }
            }
        }
    }
    if faulty.is_empty() {
        return Line::passed(NAME, format!("{} are evaluated", fine.len()));
    }
    let named = list(faulty.iter().map(|(name, error)| format!("{name}: {error}")));
    let said = format!("{} cannot be evaluated:{named}", faulty.len());
    broken(NAME, Id::RulesFail, said)
}

pub(super) fn sidecars(scene: &Scene<'_>) -> Line {
    const NAME: &str = "sidecars";
    let asked = match scene.replies(NAME, Topic::Sidecar) {
        Ok(asked) => asked,
        Err(line) => return line,
    };
    let blind =
        asked.iter().filter(|(_, page)| sum(page, "thanos_sidecar_prometheus_up") != Some(1.0));
    let blind: Vec<String> = blind.map(|(pod, _)| (*pod).to_owned()).collect();
    if blind.is_empty() {
        return Line::passed(NAME, format!("{} see their Prometheus", asked.len()));
    }
    let said = format!(
        "{} of {} do not see their Prometheus:{}",
        blind.len(),
        asked.len(),
        list(blind.iter().cloned())
    );
    broken(NAME, Id::SidecarBlind, said)
}
