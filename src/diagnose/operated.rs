//! Whether the operator has made of Prometheus and Alertmanager resources what they ask for.

use super::catalogue::Id;
use super::trouble::Trouble;
use super::{Part, Scope, Severity, controller, name, words, workloads};
use crate::observe::kubernetes::{Condition, Operated, Snapshot};

/// The resources of the releases, each judged with the StatefulSets that the operator made of it.
pub(super) fn parts(snapshot: &Snapshot, scope: &Scope) -> Vec<Part> {
    let ours = snapshot.operated.iter().filter(|each| scope.holds(&each.metadata));
    ours.map(|each| part(each, snapshot, scope)).collect()
}

fn part(resource: &Operated, snapshot: &Snapshot, scope: &Scope) -> Part {
    let maker = (resource.kind.as_str(), name(&resource.metadata));
    let sets: Vec<Part> = snapshot
        .stateful_sets
        .iter()
        .filter(|set| controller(&set.metadata) == Some(maker))
        .map(|set| workloads::stateful_set(set).part(snapshot, scope))
        .collect();
    let mut part = Part {
        restarts: sets.iter().map(|set| set.restarts).sum(),
        ready: !sets.is_empty() && sets.iter().all(|set| set.ready),
        ..Part::default()
    };
    part.troubles.extend(operator_says(resource, sets.is_empty(), snapshot, scope));
    if part.troubles.is_empty() {
        part.troubles.extend(sets.into_iter().flat_map(|set| set.troubles));
    }
    if part.troubles.is_empty() {
        part.troubles.extend(unavailable(resource, snapshot, scope));
    }
    part.ready &= part.troubles.is_empty();
    part
}

/// What keeps the operator from making StatefulSets as the resource asks for them now.
fn operator_says(
    resource: &Operated,
    without_sets: bool,
    snapshot: &Snapshot,
    scope: &Scope,
) -> Option<Trouble> {
    if resource.spec.paused {
        let (kind, name) = (resource.kind.to_lowercase(), name(&resource.metadata));
        let patch = r#"{"spec":{"paused":false}}"#;
        let command = scope.kubectl(&["patch", &kind, name, "--type", "merge", "-p", patch]);
        let hint = format!("`{command}` lets the operator go on");
        let reason = "paused: the operator leaves it alone".to_owned();
        let (id, severity) = (Id::OperatorPaused, Severity::Wrong);
        return Some(Trouble::new(id, object(resource), severity, reason, hint));
    }
    let hint = operator_hint(snapshot, scope);
    let object = object(resource);
    // Unknown is what the operator says of a resource that it has not come to yet.
    match current(resource, "Reconciled").filter(|known| known.status != "Unknown") {
        None => {
            let reason = "the operator has not taken it up yet".to_owned();
            Some(Trouble::starting(object, reason, hint))
        }
        Some(known) if known.status != "True" => {
            let (id, severity) = (Id::OperatorRefuses, Severity::Wrong);
            Some(Trouble::new(id, object, severity, in_words(known), hint))
        }
        Some(_) if without_sets => {
            let reason = "the operator has made no StatefulSet of it yet".to_owned();
            Some(Trouble::starting(object, reason, hint))
        }
        Some(_) => None,
    }
}

/// Its StatefulSets are ready, and the operator has not said so.
fn unavailable(resource: &Operated, snapshot: &Snapshot, scope: &Scope) -> Option<Trouble> {
    let reason = match current(resource, "Available") {
        Some(known) if known.status == "True" => return None,
        Some(known) => in_words(known),
        None => "the operator has not said yet that it is available".into(),
    };
    let hint = operator_hint(snapshot, scope);
    Some(Trouble::starting(object(resource), reason, hint))
}

/// A condition, if it was said of the resource as it is now.
fn current<'a>(resource: &'a Operated, kind: &str) -> Option<&'a Condition> {
    let known = resource.status.conditions.iter().find(|known| known.r#type == kind)?;
    (known.observed_generation >= resource.metadata.generation).then_some(known)
}

fn in_words(condition: &Condition) -> String {
    let word = match condition.reason.as_str() {
        "" => format!("{} is {}", condition.r#type, condition.status),
        reason => reason.to_owned(),
    };
    words::reason(&word, &condition.message)
}

fn operator_hint(snapshot: &Snapshot, scope: &Scope) -> String {
    let deployments = snapshot.deployments.iter().map(|each| &each.metadata);
    let operator = deployments
        .filter(|each| scope.holds(each))
        .map(name)
        .find(|name| name.contains("operator"));
    match operator {
        Some(operator) => {
            let command = scope.kubectl(&["logs", &format!("deployment/{operator}")]);
            format!("`{command}` says what it does")
        }
        None => format!(
            "`{}` shows whether there is an operator",
            scope.kubectl(&["get", "deployments"])
        ),
    }
}

fn object(resource: &Operated) -> String {
    format!("{}/{}", resource.kind.to_lowercase(), name(&resource.metadata))
}
