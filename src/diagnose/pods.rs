//! What keeps the pods of one workload from being ready: one finding a cause, however many pods.
//!
//! [`containers`] looks into them, [`volumes`] at their claims; which pods count is for the caller.

mod containers;

use k8s_openapi::api::core::v1::{Pod, PodCondition};

use super::catalogue::Id;
use super::trouble::{self, Trouble};
use super::{Scope, Severity, name, volumes, words};
use crate::observe::kubernetes::{Event, Snapshot};

/// So many failures of a probe are a fault; fewer belong to an ordinary start.
const PROBES: i32 = 6;

/// What keeps these pods, in the order of their names, from being ready. Empty: nothing but time.
pub(super) fn troubles(pods: &[&Pod], snapshot: &Snapshot, scope: &Scope) -> Vec<Trouble> {
    let mut pods = pods.to_vec();
    pods.sort_by_key(|pod| name(&pod.metadata));
    trouble::by_cause(pods.iter().flat_map(|pod| of_pod(pod, snapshot, scope)))
}

/// What the pods that are not ready are at, each stage once: `ContainerCreating`.
pub(super) fn stages(pods: &[&Pod], snapshot: &Snapshot) -> Vec<String> {
    let waiting = pods.iter().filter(|pod| !is_ready(pod));
    let mut stages: Vec<String> = waiting.map(|pod| stage(pod, snapshot)).collect();
    stages.sort();
    stages.dedup();
    stages
}

pub(super) fn restarts(pods: &[&Pod]) -> u32 {
    let counts = pods.iter().flat_map(|pod| containers::statuses(pod)).map(|s| s.restart_count);
    counts.filter_map(|count| u32::try_from(count).ok()).sum()
}

pub(super) fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

fn of_pod(pod: &Pod, snapshot: &Snapshot, scope: &Scope) -> Vec<Trouble> {
    if is_ready(pod) || phase(pod) == "Succeeded" {
        return Vec::new();
    }
    // In the order of a pod's life: what comes first explains what comes after.
    let claims = volumes::troubles(pod, snapshot, scope);
    if !claims.is_empty() {
        return claims;
    }
    if let Some(trouble) = unschedulable(pod, snapshot, scope) {
        return vec![trouble];
    }
    let containers = containers::troubles(pod, snapshot, scope);
    if !containers.is_empty() {
        return containers;
    }
    last_warning(pod, snapshot, scope).into_iter().collect()
}

fn unschedulable(pod: &Pod, snapshot: &Snapshot, scope: &Scope) -> Option<Trouble> {
    let condition = condition(pod, "PodScheduled").filter(|known| known.status == "False")?;
    let word = condition.reason.as_deref().unwrap_or("Unschedulable");
    let mut reason = words::reason(word, condition.message.as_deref().unwrap_or_default());
    let autoscaler = snapshot
        .events_of("Pod", &pod.metadata)
        .find(|event| matches!(event.reason.as_str(), "TriggeredScaleUp" | "NotTriggerScaleUp"));
    if let Some(event) = autoscaler {
        reason = format!(
            "{}; {}",
            reason.trim_end_matches('.'),
            words::reason(&event.reason, &event.message)
        );
    }
    let buys_time = autoscaler.is_some_and(|event| event.reason == "TriggeredScaleUp");
    let command = scope.kubectl(&["describe", "nodes"]);
    let (id, advice) = if buys_time {
        (Id::ScalingUp, "shows new nodes as they come")
    } else if is_misplaced(&reason) {
        (
            Id::Misplaced,
            "shows the labels and taints of each node; `placement` has to fit some of them",
        )
    } else {
        (Id::Unschedulable, "shows what each node has left; add nodes, or take a smaller `size`")
    };
    let hint = format!("`{command}` {advice}");
    Some(Trouble { buys_time, ..Trouble::new(id, object(pod), Severity::Wrong, reason, hint) })
}

/// Whether labels and taints alone keep a pod off every node; the taints of nodes that are not in
/// order are Kubernetes' own.
fn is_misplaced(reason: &str) -> bool {
    let (_, nodes) = reason.split_once("are available: ").unwrap_or_default();
    let nodes = nodes.split(" preemption:").next().unwrap_or_default();
    let placed = |why: &str| {
        ["node affinity/selector", "untolerated taint"].iter().any(|known| why.contains(known))
            && !why.contains("node.kubernetes.io/")
            && !why.contains("cloudprovider")
    };
    !nodes.is_empty() && nodes.split(", ").all(placed)
}

/// What the newest event warns of, where the pod's status says nothing.
fn last_warning(pod: &Pod, snapshot: &Snapshot, scope: &Scope) -> Option<Trouble> {
    let event = snapshot.events_of("Pod", &pod.metadata).next().filter(|event| event.warning)?;
    let severity = severity_of_warning(event)?;
    let pod_name = name(&pod.metadata);
    let (id, hint) = match event.reason.as_str() {
        "Unhealthy" => {
            let command = scope.kubectl(&["logs", pod_name, "--all-containers"]);
            (Id::Probe, format!("`{command}` says what it is waiting for"))
        }
        reason => {
            let is_mount = reason != "FailedCreatePodSandBox";
            let id = if is_mount { Id::Mount } else { Id::PodSandbox };
            (id, format!("`{}` shows what is missing", scope.describe("pod", pod_name)))
        }
    };
    let reason = words::reason(&event.reason, &event.message);
    Some(Trouble::new(id, object(pod), severity, reason, hint))
}

fn severity_of_warning(event: &Event) -> Option<Severity> {
    match event.reason.as_str() {
        "FailedMount" | "FailedAttachVolume" | "FailedMapVolume" | "FailedCreatePodSandBox" => {
            Some(Severity::Wrong)
        }
        "Unhealthy" if event.count < PROBES => Some(Severity::Starting),
        "Unhealthy" => Some(Severity::Wrong),
        _ => None,
    }
}

fn stage(pod: &Pod, snapshot: &Snapshot) -> String {
    if let Some(claim) = volumes::unbound(pod, snapshot).next() {
        return format!("volume {} not bound", name(&claim.metadata));
    }
    let waiting =
        containers::statuses(pod).find_map(|status| status.state.as_ref()?.waiting.clone());
    match waiting.and_then(|waiting| waiting.reason) {
        Some(reason) => reason,
        None if phase(pod).is_empty() => "Pending".into(),
        None => phase(pod).into(),
    }
}

fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|known| known.status == "True")
}

fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.as_deref()?.iter().find(|known| known.type_ == kind)
}

fn object(pod: &Pod) -> String {
    format!("pod/{}", name(&pod.metadata))
}
