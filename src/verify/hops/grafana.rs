//! Grafana, its data source, its dashboards.

use serde_json::Value;

use super::{broken, doubtful, rows, word};
use crate::checks::Line;
use crate::diagnose::catalogue::Id;
use crate::verify::{Reply, Scene, Topic};

pub(super) fn grafana(scene: &Scene<'_>) -> Line {
    const NAME: &str = "grafana";
    let health = match scene.json::<Value>(NAME, Topic::Grafana) {
        Ok(health) => health,
        Err(line) => return line,
    };
    let failed = |said: String| broken(NAME, Id::GrafanaBlind, said);
    if let Some((_, health)) = health.iter().find(|(_, health)| health["database"] != "ok") {
        return failed(format!("its database is {}", word(&health["database"])));
    }
    let doubt = |said: &str| doubtful(NAME, Id::GrafanaBlind, said);
    if scene.of(Topic::DataSource).next().is_none() {
        return doubt(
            "it lives; its login could not be read, so that its data source was not asked",
        );
    }
    let refused = |reply: &Reply| reply.as_ref().is_ok_and(|answer| answer.status == 401);
    if scene.of(Topic::DataSource).any(|(_, reply)| refused(reply)) {
        return doubt(
            "it lives; its password is another than in the Secret, so that its data source was not asked",
        );
    }
    let source = scene.json::<Value>(NAME, Topic::DataSource);
    let dashboards = scene.json::<Value>(NAME, Topic::Dashboards);
    match (source, dashboards) {
        (Err(line), _) | (_, Err(line)) => line,
        (Ok(source), Ok(dashboards)) => {
            let sick = source.iter().find(|(_, source)| source["status"] != "OK");
            let count = dashboards.first().map_or(0, |(_, found)| rows(found).count());
            match (sick, count) {
                (Some((_, source)), _) => {
                    failed(format!("its data source does not answer: {}", word(&source["message"])))
                }
                (None, 0) => failed("its data source answers; it has no dashboard".to_owned()),
                (None, count) => {
                    Line::passed(NAME, format!("its data source answers; {count} dashboards"))
                }
            }
        }
    }
}
