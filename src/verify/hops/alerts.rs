//! Alertmanagers, and who tells them of alerts.

use serde_json::Value;

use super::{broken, rows, word};
use crate::checks::Line;
use crate::diagnose::catalogue::Id;
use crate::verify::{Scene, Topic};

/// Every replica has a configuration and knows the others, and Prometheus sends to all of them.
pub(super) fn alertmanagers(scene: &Scene<'_>) -> Line {
    const NAME: &str = "alertmanagers";
    let asked = match scene.json::<Value>(NAME, Topic::Alertmanager) {
        Ok(asked) => asked,
        Err(line) => return line,
    };
    let missing = |said: String| {
        let those = ["alertmanager", "prometheus"];
        scene.broken_by_now(&those, NAME, Id::AlertmanagerApart, said)
    };
    for (pod, status) in &asked {
        let peers = rows(&status["cluster"]["peers"]).count();
        if status["cluster"]["status"] != "ready" || (asked.len() > 1 && peers < asked.len()) {
            let said = format!(
                "{pod} knows {peers} of {} and is {}",
                asked.len(),
                word(&status["cluster"]["status"])
            );
            return missing(said);
        }
        if word(&status["config"]["original"]).is_empty() {
            return broken(NAME, Id::AlertmanagerApart, format!("{pod} has no configuration"));
        }
    }
    let senders = match scene.json::<Value>(NAME, Topic::Receivers) {
        Ok(senders) => senders,
        Err(line) => return line,
    };
    for (pod, answer) in &senders {
        let receivers = rows(&answer["data"]["activeAlertmanagers"]).count();
        if receivers < asked.len() {
            let said = format!("{pod} sends its alerts to {receivers} of {}", asked.len());
            return missing(said);
        }
    }
    Line::passed(
        NAME,
        format!(
            "{} are ready and know each other, and every Prometheus sends to them",
            asked.len()
        ),
    )
}
