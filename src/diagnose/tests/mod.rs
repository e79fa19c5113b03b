//! Each reason made from the smallest objects that show it, and compared with all that is said of it;
//! [`recorded`] does the same with what a real API server answered.

mod balancers;
mod containers;
mod operated;
mod progress;
mod pulls;
mod recorded;
mod scheduling;
mod workloads;

use serde_json::{Value, json};

use super::{Diagnosis, Finding, Scope, diagnose};
use crate::observe::kubernetes::Snapshot;

const SCOPE: Scope =
    Scope { releases: &["thanos"], services: &[], context: "sin", namespace: "mon" };

fn judge(items: &[Value], scope: &Scope) -> Diagnosis {
    let answer = json!({"kind": "List", "items": items}).to_string();
    diagnose(&Snapshot::parse(&answer).unwrap(), scope)
}

/// Everything that is said, as a person would read it.
fn told(items: &[Value]) -> String {
    show(&judge(items, &SCOPE))
}

fn show(diagnosis: &Diagnosis) -> String {
    let mut lines = vec![format!("{} of {} ready", diagnosis.ready, diagnosis.of)];
    if diagnosis.buys_time {
        lines.push("may take its time".into());
    }
    for finding in &diagnosis.findings {
        let Finding { id, object, reason, hint, severity } = finding;
        lines.push(format!("{severity:?} {object}: {reason} ({id})"));
        lines.extend(hint.iter().map(|hint| format!("  {hint}")));
    }
    lines.extend(diagnosis.addresses.iter().map(|(service, ip)| format!("{service} = {ip}")));
    lines.join("\n")
}

/// An object of the release `thanos`.
fn object(kind: &str, name: &str, spec: &Value, status: &Value) -> Value {
    let annotations = json!({"meta.helm.sh/release-name": "thanos"});
    let metadata = json!({"name": name, "uid": name, "generation": 2, "annotations": annotations});
    json!({"kind": kind, "metadata": metadata, "spec": spec, "status": status})
}

/// `object`, with some fields replaced or added.
fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[key] = value;
    object
}

/// The Deployment `query`, whose newest revision has as many pods as it wants and none is ready.
fn query() -> Value {
    let status = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2});
    object("Deployment", "query", &json!({"replicas": 2, "selector": {}, "template": {}}), &status)
}

/// The StatefulSet `store`, the same.
fn store() -> Value {
    let spec = json!({"replicas": 2, "selector": {}, "serviceName": "store", "template": {}});
    let status = json!({
        "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2,
        "currentRevision": "r1", "updateRevision": "r1",
    });
    object("StatefulSet", "store", &spec, &status)
}

/// A pod of `query`, of the revision `h1`.
fn query_pod(name: &str, status: Value) -> Value {
    pod(name, &json!({"pod-template-hash": "h1"}), "ReplicaSet", "query-h1", status)
}

/// A pod of `store`, of the revision `r1`.
fn store_pod(name: &str, status: Value) -> Value {
    pod(name, &json!({"controller-revision-hash": "r1"}), "StatefulSet", "store", status)
}

fn pod(name: &str, labels: &Value, kind: &str, owner: &str, status: Value) -> Value {
    let owner = json!({"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": "u", "controller": true});
    let metadata = json!({
        "name": name, "uid": name, "labels": labels, "ownerReferences": [owner],
        "creationTimestamp": "2026-11-23T10:00:00Z",
    });
    json!({"kind": "Pod", "metadata": metadata, "spec": {"containers": []}, "status": status})
}

/// The status of a pod whose container `query` waits.
fn waiting(reason: &str, message: &str) -> Value {
    container(json!({"state": {"waiting": {"reason": reason, "message": message}}}))
}

/// The status of a pod whose container `query` is not ready.
fn container(status: Value) -> Value {
    let mut whole = json!({
        "name": "query", "image": "quay.io/thanos/thanos:v9", "imageID": "",
        "ready": false, "restartCount": 0,
    });
    whole.as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
    json!({"phase": "Running", "containerStatuses": [whole]})
}

fn running() -> Value {
    container(json!({"state": {"running": {}}}))
}

fn healthy() -> Value {
    json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
}

fn warning(kind: &str, name: &str, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Event", "type": "Warning", "reason": reason, "message": message, "count": 1,
        "metadata": {}, "involvedObject": {"kind": kind, "name": name, "uid": name},
        "lastTimestamp": "2026-11-23T10:00:05Z",
    })
}
