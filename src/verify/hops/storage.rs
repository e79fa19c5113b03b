//! Blocks: on their way into the bucket, and in it.

use jiff::tz::TimeZone;

use super::{broken, doubtful};
use crate::checks::Line;
use crate::diagnose::catalogue::Id;
use crate::verify::metrics::sum;
use crate::verify::{Scene, Topic};

/// Blocks arrive in the bucket, or the first is not due yet.
pub(super) fn uploads(scene: &Scene<'_>) -> Line {
    const NAME: &str = "uploads";
    let asked = match scene.replies(NAME, Topic::Sidecar) {
        Ok(asked) => asked,
        Err(line) => return line,
    };
    let total = |metric: &str| {
        asked.iter().filter_map(|(_, page)| sum(page, metric)).fold(0.0, |sum, value| sum + value)
    };
    let (uploaded, failures) =
        (total("thanos_shipper_uploads_total"), total("thanos_shipper_upload_failures_total"));
    let said = format!("{uploaded} blocks since the sidecars started, {failures} failures");
    match (uploaded > 0.0, failures > 0.0) {
        (true, false) => return Line::passed(NAME, said),
        (true, true) => return doubtful(NAME, Id::UploadsFail, said),
        (false, true) => return broken(NAME, Id::UploadsFail, said),
        (false, false) => {}
    }
    if scene.has_history() {
        return Line::passed(
            NAME,
            "the bucket has blocks of this cluster; none is due since the sidecars started",
        );
    }
    match scene.first_block() {
        Some(due) if scene.now < due => {
            let due = due.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC");
            Line::passed(NAME, format!("nothing has failed; the first block is due until {due}"))
        }
        _ => broken(NAME, Id::UploadsFail, "no block has arrived, and the first was due"),
    }
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
