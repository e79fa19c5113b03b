//! Pods without a node, claims without a volume.

use insta::assert_snapshot;

use super::*;

fn unschedulable() -> Value {
    kept_off("0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available")
}

fn kept_off(message: &str) -> Value {
    let condition = json!({
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
    });
    json!({"phase": "Pending", "conditions": [condition]})
}

fn with_claim(pod: Value) -> Value {
    let volume = json!({"name": "data", "persistentVolumeClaim": {"claimName": "data-store-0"}});
    with(pod, "/spec/volumes", json!([volume]))
}

fn claim() -> Value {
    object("PersistentVolumeClaim", "data-store-0", &json!({}), &json!({"phase": "Pending"}))
}

#[test]
fn an_unschedulable_pod_speaks_in_the_schedulers_words() {
    let pods = ["a", "b", "c"].map(|name| query_pod(name, unschedulable()));
    assert_snapshot!(told(&[&[query()], &pods[..]].concat()), @"
    0 of 1 ready
    Wrong pod/a and 2 more: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu. (OKM-UNSCHEDULABLE)
      `kubectl --context sin -n mon describe nodes` shows what each node has left; add nodes, or take a smaller `size`
    ");
}

#[test]
fn where_no_node_is_as_placement_wants_it_that_is_what_is_named() {
    let alone = "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s).";
    let among = "0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 Insufficient cpu.";
    let full = "0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 Too many pods.";
    let new = "0/2 nodes are available: 2 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.";
    let said = [alone, among, full, new].map(|why| told(&[query(), query_pod("a", kept_off(why))]));
    assert_snapshot!(said.join("\n"), @"
    0 of 1 ready
    Wrong pod/a: Unschedulable: 0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s). (OKM-MISPLACED)
      `kubectl --context sin -n mon describe nodes` shows the labels and taints of each node; `placement` has to fit some of them
    0 of 1 ready
    Wrong pod/a: Unschedulable: 0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 Insufficient cpu. (OKM-UNSCHEDULABLE)
      `kubectl --context sin -n mon describe nodes` shows what each node has left; add nodes, or take a smaller `size`
    0 of 1 ready
    Wrong pod/a: Unschedulable: 0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 Too many pods. (OKM-UNSCHEDULABLE)
      `kubectl --context sin -n mon describe nodes` shows what each node has left; add nodes, or take a smaller `size`
    0 of 1 ready
    Wrong pod/a: Unschedulable: 0/2 nodes are available: 2 node(s) had untolerated taint {node.kubernetes.io/not-ready: }. (OKM-UNSCHEDULABLE)
      `kubectl --context sin -n mon describe nodes` shows what each node has left; add nodes, or take a smaller `size`
    ");
}

#[test]
fn an_autoscaler_at_work_buys_time() {
    let event =
        warning("Pod", "a", "TriggeredScaleUp", "pod triggered scale-up: [{pool 3->4 (max: 9)}]");
    assert_snapshot!(told(&[query(), query_pod("a", unschedulable()), event]), @"
    0 of 1 ready
    may take its time
    Wrong pod/a: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu; TriggeredScaleUp: pod triggered scale-up: [{pool 3->4 (max: 9)}] (OKM-SCALING-UP)
      `kubectl --context sin -n mon describe nodes` shows new nodes as they come
    ");
}

#[test]
fn an_autoscaler_that_will_not_help_says_so() {
    let message = "pod didn't trigger scale-up: 1 max node group size reached";
    let event = warning("Pod", "a", "NotTriggerScaleUp", message);
    assert_snapshot!(told(&[query(), query_pod("a", unschedulable()), event]), @"
    0 of 1 ready
    Wrong pod/a: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu; NotTriggerScaleUp: pod didn't trigger scale-up: 1 max node group size reached (OKM-UNSCHEDULABLE)
      `kubectl --context sin -n mon describe nodes` shows what each node has left; add nodes, or take a smaller `size`
    ");
}

#[test]
fn a_volume_that_cannot_be_made_stands_for_its_pod() {
    let message = "failed to provision volume with StorageClass \"oci-bv\": rpc error: code = Internal desc = \
        New volume creation failed: Error returned by Blockstorage Service. Http Status Code: 400. \
        Error Code: LimitExceeded. Opc request id: 1/2/3. Message: The following service limits were \
        exceeded: total-storage-gb.\nOperation Name: CreateVolume";
    let event = warning("PersistentVolumeClaim", "data-store-0", "ProvisioningFailed", message);
    let pod = with_claim(store_pod("store-0", unschedulable()));
    assert_snapshot!(told(&[store(), pod, claim(), event]), @"
    0 of 1 ready
    Wrong persistentvolumeclaim/data-store-0: ProvisioningFailed: LimitExceeded: The following service limits were exceeded: total-storage-gb. (OKM-VOLUME-PENDING)
      `kubectl --context sin -n mon describe persistentvolumeclaim data-store-0` shows every try
    ");
}

#[test]
fn a_claim_that_waits_for_its_pod_is_no_fault() {
    let event = warning(
        "PersistentVolumeClaim",
        "data-store-0",
        "WaitForFirstConsumer",
        "waiting for first consumer",
    );
    let event = with(event, "/type", json!("Normal"));
    let pod = with_claim(store_pod("store-0", json!({"phase": "Pending"})));
    assert_snapshot!(told(&[store(), pod, claim(), event.clone()]), @"
    0 of 1 ready
    Starting statefulset/store: 0 of 2 ready (volume data-store-0 not bound) (OKM-STARTING)
      `kubectl --context sin -n mon describe statefulset store` shows how far it is
    ");
    let pod = with_claim(store_pod("store-0", unschedulable()));
    assert_snapshot!(told(&[store(), pod, claim(), event]), @"
    0 of 1 ready
    Wrong pod/store-0: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu. (OKM-UNSCHEDULABLE)
      `kubectl --context sin -n mon describe nodes` shows what each node has left; add nodes, or take a smaller `size`
    ");
}

#[test]
fn a_claim_of_no_class_is_told() {
    let message = "no persistent volumes available for this claim and no storage class is set";
    let event = warning("PersistentVolumeClaim", "data-store-0", "FailedBinding", message);
    let event = with(event, "/type", json!("Normal"));
    let pod = with_claim(store_pod("store-0", json!({"phase": "Pending"})));
    assert_snapshot!(told(&[store(), pod, claim(), event]), @"
    0 of 1 ready
    Wrong persistentvolumeclaim/data-store-0: FailedBinding: no persistent volumes available for this claim and no storage class is set (OKM-VOLUME-PENDING)
      `kubectl --context sin -n mon describe persistentvolumeclaim data-store-0` shows every try
    ");
}
