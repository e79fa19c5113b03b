//! Query and its frontend: whom they ask, and what they answer.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{broken, list, rows, word};
use crate::checks::{Line, Verdict};
use crate::content::charts::REPLICA_LABEL;
use crate::diagnose::catalogue::Id;
use crate::verify::{Scene, Topic, ready, running};

/// A sample older than that is missed, in seconds: three scrapes of 30, and some for the way.
const OLD: f64 = 120.0;

/// Who has stores, and who asks them.
const STORES: [&str; 4] = ["query", "thanos-sidecar", "storegateway", "ruler"];

/// Query asks every sidecar, store gateway and ruler, and none of them answers with an error.
pub(super) fn stores(scene: &Scene<'_>) -> Line {
    const NAME: &str = "stores";
    let asked = match scene.json::<Value>(NAME, Topic::Stores) {
        Ok(asked) => asked,
        Err(line) => return line,
    };
    let Some((_, answer)) = asked.first() else { return Line::skipped(NAME, "not asked") };
    // Query looks up anew whom it asks every half a minute.
    let missing = |said: String| scene.broken_by_now(&STORES, NAME, Id::StoresMissing, said);
    let kinds = &answer["data"];
    let all = kinds.as_object().into_iter().flat_map(|kinds| kinds.values()).flat_map(rows);
    let faulty: Vec<String> = all
        .filter(|store| !store["lastError"].is_null())
        .map(|store| format!("{}: {}", word(&store["name"]), word(&store["lastError"])))
        .collect();
    if !faulty.is_empty() {
        return missing(format!(
            "{} answer with an error:{}",
            faulty.len(),
            list(faulty.iter().cloned())
        ));
    }
    let sidecars: Vec<&Value> = rows(&kinds["sidecar"])
        .filter(|store| rows(&store["labelSets"]).any(|labels| labels["cluster"] == scene.cluster))
        .collect();
    let there = running(scene.snapshot, Topic::Sidecar).count();
    if sidecars.len() < there {
        return missing(format!(
            "Query asks {} of {there} sidecars with the label cluster=\"{}\"",
            sidecars.len(),
            scene.cluster
        ));
    }
    let labels: BTreeSet<String> =
        sidecars.iter().map(|store| store["labelSets"].to_string()).collect();
    if labels.len() < sidecars.len() {
        return missing(
            "two sidecars have the same external labels, so that their blocks overlap".to_owned(),
        );
    }
    let count = |kind: &str| rows(&kinds[kind]).count();
    for (kind, part, title) in
        [("store", "storegateway", "store gateway"), ("rule", "ruler", "ruler")]
    {
        // Some charts have it ask one by one, others whichever stands behind their Service.
        if count(kind) == 0 && ready(scene.snapshot, part).next().is_some() {
            return missing(format!("Query asks no {title}"));
        }
    }
    Line::passed(
        NAME,
        format!(
            "Query asks {} sidecars, {} store gateways, {} rulers",
            sidecars.len(),
            count("store"),
            count("rule")
        ),
    )
}

/// Each target's newest sample is there once, though two replicas scraped it, and new.
pub(super) fn query(scene: &Scene<'_>, stores: &Line) -> Line {
    const NAME: &str = "query";
    let ages = match scene.ages(NAME, Topic::Samples) {
        Ok(ages) => ages,
        Err(line) => return line,
    };
    if ages.newest.is_none_or(|newest| newest > OLD) {
        // It can tell no more than it is told.
        return if stores.verdict == Verdict::Failed {
            Line::skipped(NAME, "see stores")
        } else {
            scene.lost(NAME, &ages)
        };
    }
    match ages.apart {
        Some(labels) => {
            let said = format!(
                "each replica's samples are answered apart, so that sums are doubled: {labels}"
            );
            broken(NAME, Id::SampleLost, said)
        }
        None => Line::passed(NAME, ages.told()),
    }
}

/// The frontend answers what Query does.
pub(super) fn frontend(scene: &Scene<'_>, query: &Line) -> Line {
    const NAME: &str = "frontend";
    let ages = match scene.ages(NAME, Topic::SamplesByFrontend) {
        Ok(ages) => ages,
        Err(line) => return line,
    };
    match ages.newest {
        Some(newest) if newest <= OLD => Line::passed(NAME, ages.told()),
        _ if query.verdict != Verdict::Passed => Line::skipped(NAME, "see query"),
        _ => scene.lost(NAME, &ages),
    }
}

/// How old the samples of the targets are.
struct Ages {
    targets: usize,
    /// Of the newest one, in seconds.
    newest: Option<f64>,
    /// The labels of one that still says which replica scraped it.
    apart: Option<String>,
}

impl Ages {
    fn told(&self) -> String {
        let newest = self.newest.unwrap_or_default();
        format!("{} targets, the newest sample {newest:.0} s old", self.targets)
    }
}

impl Scene<'_> {
    fn ages(&self, hop: &str, topic: Topic) -> Result<Ages, Line> {
        let asked = self.json::<Value>(hop, topic)?;
        let all = asked.iter().flat_map(|(_, answer)| rows(&answer["data"]["result"]));
        let ours: Vec<&Value> =
            all.filter(|series| series["metric"]["cluster"] == self.cluster).collect();
        let age = |series: &&Value| series["value"][1].as_str()?.parse::<f64>().ok();
        let apart = ours.iter().find(|series| !series["metric"][REPLICA_LABEL].is_null());
        Ok(Ages {
            targets: ours.len(),
            newest: ours.iter().filter_map(age).min_by(f64::total_cmp),
            apart: apart.map(|series| series["metric"].to_string()),
        })
    }

    /// There is no new sample of this cluster.
    fn lost(&self, hop: &str, ages: &Ages) -> Line {
        let said = match ages.newest {
            Some(newest) => format!("the newest sample is {newest:.0} s old"),
            None => format!("no sample of `up` with the label cluster=\"{}\"", self.cluster),
        };
        self.broken_by_now(&["prometheus", "query", "query-frontend"], hop, Id::SampleLost, said)
    }
}
