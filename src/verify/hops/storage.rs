//! Blocks: on their way into the bucket, and in it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{broken, doubtful};
use crate::checks::Line;
use crate::diagnose::catalogue::Id;
use crate::verify::metrics::sum;
use crate::verify::{Scene, Topic};

/// How long after its start a Prometheus has written and uploaded its first block: it writes one once it
/// has three hours of samples.
const FIRST_BLOCK: SignedDuration = SignedDuration::from_mins(190);

/// Blocks arrive in the bucket, or a sidecar's first is not due yet.
pub(super) fn uploads(scene: &Scene<'_>) -> Line {
    const NAME: &str = "uploads";
    let asked = match scene.replies(NAME, Topic::Sidecar) {
        Ok(asked) => asked,
        Err(line) => return line,
    };
    let total = |metric: &str| -> f64 {
        asked.iter().filter_map(|(_, page)| sum(page, metric)).fold(0.0, |sum, more| sum + more)
    };
    let uploaded = total("thanos_shipper_uploads_total");
    let failures = total("thanos_shipper_upload_failures_total");
    let said = format!("{uploaded} blocks since the sidecars started, {failures} failures");
    match (failures > 0.0, uploaded > 0.0) {
        (true, true) => return doubtful(NAME, Id::UploadsFail, said),
        (true, false) => return broken(NAME, Id::UploadsFail, said),
        (false, _) => {}
    }
    let has_none = |page: &str| sum(page, "thanos_shipper_uploads_total").unwrap_or(0.0) == 0.0;
    let due = |pod: &str| scene.sidecar_since(pod)?.checked_add(FIRST_BLOCK).ok();
    let idle: Vec<(&str, Option<Timestamp>)> =
        asked.iter().filter(|(_, page)| has_none(page)).map(|(pod, _)| (*pod, due(pod))).collect();
    if let Some((pod, _)) = idle.iter().find(|(_, due)| due.is_some_and(|due| due < scene.now)) {
        let said = format!("{pod} has uploaded no block, though its first was due");
        return broken(NAME, Id::UploadsFail, said);
    }
    let Some(due) = idle.iter().filter_map(|(_, due)| *due).max() else {
        return Line::passed(NAME, said);
    };
    let due = due.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC");
    let next = if scene.has_history() { "next" } else { "first" };
    Line::passed(NAME, format!("nothing has failed; the {next} block is due by {due}"))
}

pub(super) fn compactor(scene: &Scene<'_>) -> Line {
    const NAME: &str = "compactor";
    let asked = match scene.replies(NAME, Topic::Compactor) {
        Ok(asked) => asked,
        Err(line) => return line,
    };
    let failed = |said: String| broken(NAME, Id::CompactorHalted, said);
    if asked.len() > 1 {
        return failed(format!("{} run, where more than one destroys blocks", asked.len()));
    }
    if asked.iter().any(|(_, page)| sum(page, "thanos_compact_halted") == Some(1.0)) {
        return failed("it has halted: it found blocks that it does not dare to touch".to_owned());
    }
    Line::passed(NAME, "one runs, and has not halted")
}
