//! Whether load balancers have their addresses, and what the cloud says when not.

use k8s_openapi::api::core::v1::Service;

use super::catalogue::Id;
use super::trouble::Trouble;
use super::{Part, Scope, Severity, name, words};
use crate::observe::kubernetes::Snapshot;

/// The load balancers of the releases, and the Services asked for by name.
pub(super) fn parts(snapshot: &Snapshot, scope: &Scope) -> Vec<Part> {
    let asked = |service: &Service| scope.services.contains(&name(&service.metadata));
    let ours = |service: &&Service| {
        asked(service) || is_load_balancer(service) && scope.holds(&service.metadata)
    };
    let there = snapshot.services.iter().filter(ours).map(|each| part(each, snapshot, scope));
    let known: Vec<&str> = snapshot.services.iter().map(|each| name(&each.metadata)).collect();
    let absent = scope.services.iter().filter(|wanted| !known.contains(wanted)).map(|wanted| {
        let hint = format!("`{}` shows those that are", scope.kubectl(&["get", "services"]));
        let reason = "there is no such Service".to_owned();
        let service = format!("service/{wanted}");
        Part::waits(Trouble::new(Id::ServiceAbsent, service, Severity::Wrong, reason, hint))
    });
    there.chain(absent).collect()
}

fn part(service: &Service, snapshot: &Snapshot, scope: &Scope) -> Part {
    let service_name = name(&service.metadata);
    if let Some(address) = address(service) {
        return Part { address: Some((service_name.into(), address)), ..Part::ready() };
    }
    let warning = snapshot.events_of("Service", &service.metadata).find(|event| event.warning);
    let (severity, reason) = match warning {
        None => (Severity::Starting, "its load balancer has no address yet".to_owned()),
        Some(event) => (severity(&event.message), words::reason(&event.reason, &event.message)),
    };
    let (id, advice) = match severity {
        Severity::Final => (
            Id::LoadBalancerRefused,
            "shows every try; mend `loadBalancer`, or have the limit raised",
        ),
        _ => (Id::LoadBalancerPending, "shows every try"),
    };
    let hint = format!("`{}` {advice}", scope.describe("service", service_name));
    Part::waits(Trouble::new(id, format!("service/{service_name}"), severity, reason, hint))
}

/// What the cloud cannot do however often it is asked: it has no more load balancers for us, or the
/// subnet is none for them. A subnet that it does not *find* may be one that a new policy shows it.
fn severity(message: &str) -> Severity {
    let says = |word: &str| message.contains(word);
    let limit = says("LimitExceeded") || says("QuotaExceeded") || says("limits were exceeded");
    let subnet = message.to_lowercase().contains("subnet")
        && (says("InvalidParameter") || message.to_lowercase().contains("invalid subnet"));
    if limit || subnet { Severity::Final } else { Severity::Wrong }
}

fn is_load_balancer(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer")
}

fn address(service: &Service) -> Option<String> {
    let status = service.status.as_ref()?.load_balancer.as_ref()?;
    let ingress = status.ingress.as_ref()?.first()?;
    ingress.ip.clone().or_else(|| ingress.hostname.clone())
}
