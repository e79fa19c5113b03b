//! What the look of an install's step says before the install.

use super::Line;
use crate::diagnose::catalogue::Id;
use crate::fail::{Exit, Fail};
use crate::plan::{Decision, Intent, Step};

/// What a step's look means before an install.
pub fn of_step(step: &Step, decision: Decision) -> Line {
    let name = step.id.name();
    match decision {
        Decision::Unchanged { .. } => Line::passed(name, as_it_should_be(&step.intent)),
        Decision::Do { deed, .. } => Line::passed(name, format!("an install would {deed}")),
        Decision::Wait(_) => Line::passed(name, "not ready yet"),
        Decision::Refuse(fail) => Line::fail(name, id(&step.intent, &fail), fail),
    }
}

/// What a step's look has found when there is nothing to do.
fn as_it_should_be(intent: &Intent) -> &'static str {
    match intent {
        Intent::Cluster(_) => "it answers",
        Intent::Chart(_) => "it is here",
        Intent::Bucket(_) => "it is there, and the keys open it",
        _ => "as configured",
    }
}

fn id(intent: &Intent, fail: &Fail) -> Id {
    match intent {
        Intent::Bucket(_) => Id::BucketRefused,
        Intent::Chart(_) => Id::ChartMissing,
        _ if fail.exit == Exit::Denied => Id::RightsMissing,
        Intent::Cluster(_) if fail.exit != Exit::Refused => Id::ClusterUnseen,
        _ => Id::InstallRefused,
    }
}
