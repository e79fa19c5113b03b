//! Objects of a cluster, comparable with those of another one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use k8s_openapi::ByteString;
use okemon::tools::diff;
use serde_json::{Map, Value};

use crate::sandbox::Sandbox;
use crate::variants::Charts;

/// What an install makes of an empty cluster.
pub(crate) fn fresh(charts: Charts) -> &'static [Value] {
    static ONCE: [OnceLock<Vec<Value>>; 2] = [OnceLock::new(), OnceLock::new()];
    ONCE[charts as usize].get_or_init(|| {
        let sandbox = Sandbox::up_for(charts);
        sandbox.install();
        sandbox.objects()
    })
}

/// What differs between two lists of objects, a line each.
pub(crate) fn differing(wanted: &[Value], there: &[Value]) -> Vec<String> {
    let name = |object: &Value| format!("{} {}", object["kind"], object["metadata"]["name"]);
    let by_name = |list: &[Value]| -> BTreeMap<String, Value> {
        list.iter().map(|object| (name(object), object.clone())).collect()
    };
    let (wanted, there) = (by_name(wanted), by_name(there));
    let names: BTreeSet<&String> = wanted.keys().chain(there.keys()).collect();
    let differences = |name: &String| match (wanted.get(name), there.get(name)) {
        (Some(wanted), Some(there)) => diff::paths(wanted, there, |_, _| true),
        (Some(_), None) => vec!["is missing".to_owned()],
        _ => vec!["is too much".to_owned()],
    };
    names
        .into_iter()
        .flat_map(|name| differences(name).into_iter().map(move |line| format!("{name} {line}")))
        .collect()
}

/// An object without what its own making leaves in it; none: it is Helm's or the cluster's own.
/// `s3` is host and port of the S3 server.
pub(crate) fn stripped(object: &Value, s3: &str) -> Option<Value> {
    let mut object = object.clone();
    let name = object["metadata"]["name"].as_str()?.to_owned();
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
    let ours = namespace == "monitoring" || namespace.is_empty() && !name.starts_with("system:");
    if !ours || name == "kube-root-ca.crt" || object["type"] == "helm.sh/release.v1" {
        return None;
    }
    strip_metadata(object["metadata"].as_object_mut()?);
    if let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) {
        *data = std::mem::take(data).into_iter().map(|(key, v)| (without_uid(&key), v)).collect();
    }
    match name.as_str() {
        "okemon-grafana-admin" => object["data"]["admin-password"] = "random".into(),
        "thanos-objstore-config" => {
            for value in object["data"].as_object_mut()?.values_mut() {
                *value = text(value)?.replace(s3, "S3").into();
            }
        }
        _ => {}
    }
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        for field in ["clusterIP", "clusterIPs", "volumeName", "nodePort", "healthCheckNodePort"] {
            spec.remove(field);
        }
        if let Some(pod) = spec.get_mut("template") {
            strip_restart(&mut pod["metadata"]);
        }
        for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
            port.as_object_mut().map(|port| port.remove("nodePort"));
        }
    }
    object.as_object_mut()?.remove("status");
    Some(object)
}

/// The annotation that `kubectl rollout restart` leaves.
pub(crate) const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// A value of a Secret.
pub(crate) fn text(value: &Value) -> Option<String> {
    let bytes: ByteString = serde_json::from_value(value.clone()).ok()?;
    String::from_utf8(bytes.0).ok()
}

fn strip_metadata(metadata: &mut Map<String, Value>) {
    for field in
        ["uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "selfLink"]
    {
        metadata.remove(field);
    }
    for owner in
        metadata.get_mut("ownerReferences").and_then(Value::as_array_mut).into_iter().flatten()
    {
        owner.as_object_mut().map(|owner| owner.remove("uid"));
    }
    // Where a volume lies, and who made it; how often a Deployment was changed, or restarted.
    let passing = [
        "volume.",
        "pv.",
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
        "prometheus-operator-input-hash",
    ];
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !passing.iter().any(|start| key.starts_with(start)));
    }
}

/// Takes away that a pod's template was ever restarted.
fn strip_restart(metadata: &mut Value) {
    let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
    let Some(annotations) = annotations else { return };
    annotations.remove(RESTARTED);
    if annotations.is_empty() {
        metadata.as_object_mut().map(|metadata| metadata.remove("annotations"));
    }
}

/// The operator names a file of rules after the UID of the resource that it comes from.
fn without_uid(key: &str) -> String {
    let uid = |stem: &str| stem.len() > 36 && stem.as_bytes()[stem.len() - 36 + 8] == b'-';
    match key.strip_suffix(".yaml") {
        Some(stem) if uid(stem) => format!("{}.yaml", &stem[..stem.len() - 36]),
        _ => key.to_owned(),
    }
}
