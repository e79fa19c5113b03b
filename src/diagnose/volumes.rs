//! Why a pod's volumes are not there.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};

use super::catalogue::Id;
use super::trouble::Trouble;
use super::{Scope, Severity, name, words};
use crate::observe::kubernetes::Snapshot;

/// The claims of a pod that got no volume, and why. A claim that waits for its pod's node, or whose
/// volume is being made, is no trouble.
pub(super) fn troubles(pod: &Pod, snapshot: &Snapshot, scope: &Scope) -> Vec<Trouble> {
    unbound(pod, snapshot).filter_map(|claim| trouble(claim, snapshot, scope)).collect()
}

/// The claims of a pod that have no volume yet.
pub(super) fn unbound<'a>(
    pod: &'a Pod,
    snapshot: &'a Snapshot,
) -> impl Iterator<Item = &'a PersistentVolumeClaim> {
    let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
    let names = volumes.iter().filter_map(|v| v.persistent_volume_claim.as_ref());
    names
        .filter_map(|wanted| {
            snapshot.claims.iter().find(|c| name(&c.metadata) == wanted.claim_name)
        })
        .filter(|claim| phase(claim) != "Bound")
}

fn trouble(claim: &PersistentVolumeClaim, snapshot: &Snapshot, scope: &Scope) -> Option<Trouble> {
    let claim_name = name(&claim.metadata);
    let warning = snapshot
        .events_of("PersistentVolumeClaim", &claim.metadata)
        .find(|event| event.warning || event.reason == "FailedBinding"); // no warning, but one
    let reason = match warning {
        Some(event) => words::reason(&event.reason, &event.message),
        None if phase(claim) == "Lost" => "Lost: its volume is gone".to_owned(),
        None => return None,
    };
    let command = scope.describe("persistentvolumeclaim", claim_name);
    let hint = format!("`{command}` shows every try");
    let object = format!("persistentvolumeclaim/{claim_name}");
    Some(Trouble::new(Id::VolumePending, object, Severity::Wrong, reason, hint))
}

fn phase(claim: &PersistentVolumeClaim) -> &str {
    claim.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}
