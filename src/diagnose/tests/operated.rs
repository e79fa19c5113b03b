//! Prometheus and Alertmanager resources, and what the operator makes of them.

use insta::assert_snapshot;

use super::*;

fn prometheus(conditions: &Value) -> Value {
    object("Prometheus", "prom", &json!({}), &json!({"conditions": conditions}))
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 2})
}

fn well() -> Value {
    json!([condition("Available", "True", "", ""), condition("Reconciled", "True", "", "")])
}

/// What the operator made: it copies the annotation, and is the controller.
fn made(ready: i32) -> Value {
    let owner = json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "name": "prom", "uid": "prom", "controller": true});
    let set = with(store(), "/metadata/ownerReferences", json!([owner]));
    with(set, "/status/readyReplicas", json!(ready))
}

#[test]
fn a_resource_and_its_stateful_set_are_one_thing() {
    assert_snapshot!(told(&[prometheus(&well()), made(2)]), @"1 of 1 ready");
    assert_snapshot!(told(&[prometheus(&well()), made(1)]), @"
    0 of 1 ready
    Starting statefulset/store: 1 of 2 ready (OKM-STARTING)
      `kubectl --context sin -n mon describe statefulset store` shows how far it is
    ");
}

#[test]
fn a_resource_that_the_operator_has_not_seen_points_to_the_operator() {
    let status = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
    let operator = with(with(query(), "/status", status), "/metadata/name", json!("prom-operator"));
    assert_snapshot!(told(&[prometheus(&json!([])), operator]), @"
    1 of 2 ready
    Starting prometheus/prom: the operator has not taken it up yet (OKM-STARTING)
      `kubectl --context sin -n mon logs deployment/prom-operator` says what it does
    ");
    let unknown = condition("Reconciled", "Unknown", "NotFound", r#"object "mon/prom" not found"#);
    assert_snapshot!(told(&[prometheus(&json!([unknown]))]), @"
    0 of 1 ready
    Starting prometheus/prom: the operator has not taken it up yet (OKM-STARTING)
      `kubectl --context sin -n mon get deployments` shows whether there is an operator
    ");
    let older = with(prometheus(&well()), "/metadata/generation", json!(3));
    assert_snapshot!(told(&[older, made(2)]), @"
    0 of 1 ready
    Starting prometheus/prom: the operator has not taken it up yet (OKM-STARTING)
      `kubectl --context sin -n mon get deployments` shows whether there is an operator
    ");
}

#[test]
fn a_resource_that_cannot_be_reconciled_says_why() {
    let message =
        "shard 0: creating StatefulSet failed: admission webhook \"policy\" denied the request: no";
    let conditions = json!([condition("Reconciled", "False", "ReconciliationFailed", message)]);
    assert_snapshot!(told(&[prometheus(&conditions)]), @r#"
    0 of 1 ready
    Wrong prometheus/prom: ReconciliationFailed: shard 0: creating StatefulSet failed: admission webhook "policy" denied the request: no (OKM-OPERATOR-REFUSES)
      `kubectl --context sin -n mon get deployments` shows whether there is an operator
    "#);
}

#[test]
fn a_resource_without_its_stateful_set_is_not_ready() {
    assert_snapshot!(told(&[prometheus(&well())]), @"
    0 of 1 ready
    Starting prometheus/prom: the operator has made no StatefulSet of it yet (OKM-STARTING)
      `kubectl --context sin -n mon get deployments` shows whether there is an operator
    ");
}

#[test]
fn a_paused_resource_says_how_to_go_on() {
    let paused = with(prometheus(&well()), "/spec", json!({"paused": true}));
    assert_snapshot!(told(&[paused, made(2)]), @r#"
    0 of 1 ready
    Wrong prometheus/prom: paused: the operator leaves it alone (OKM-OPERATOR-PAUSED)
      `kubectl --context sin -n mon patch prometheus prom --type merge -p '{"spec":{"paused":false}}'` lets the operator go on
    "#);
}

#[test]
fn of_a_broken_pod_the_pod_speaks_and_not_the_resource() {
    let conditions = json!([
        condition(
            "Available",
            "Degraded",
            "SomePodsNotReady",
            "shard 0: pod store-0: containers with unready status: [query]"
        ),
        condition("Reconciled", "True", "", ""),
    ]);
    let resource = prometheus(&conditions);
    let broken =
        store_pod("store-0", waiting("CreateContainerConfigError", r#"secret "s" not found"#));
    assert_snapshot!(told(&[resource.clone(), made(1), broken]), @r#"
    0 of 1 ready
    Wrong pod/store-0: CreateContainerConfigError: secret "s" not found (OKM-CONFIG-MISSING)
      `kubectl --context sin -n mon describe pod store-0` shows where it is asked for; once the Secret or ConfigMap has it, the pod starts by itself
    "#);
    assert_snapshot!(told(&[resource, made(2)]), @"
    0 of 1 ready
    Starting prometheus/prom: SomePodsNotReady: shard 0: pod store-0: containers with unready status: [query] (OKM-STARTING)
      `kubectl --context sin -n mon get deployments` shows whether there is an operator
    ");
}
