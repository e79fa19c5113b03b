//! Load balancers without an address.

use insta::assert_snapshot;

use super::*;

const STOREAPI: Scope = Scope { releases: &[], services: &["thanos-storeapi"], ..SCOPE };

fn service(status: Value) -> Value {
    json!({
        "kind": "Service", "metadata": {"name": "thanos-storeapi", "uid": "thanos-storeapi"},
        "spec": {"type": "LoadBalancer"}, "status": status,
    })
}

fn told(items: &[Value]) -> String {
    show(&judge(items, &STOREAPI))
}

fn failed(message: &str) -> Value {
    warning("Service", "thanos-storeapi", "SyncLoadBalancerFailed", message)
}

fn oci(code: &str, message: &str) -> String {
    format!(
        "Error syncing load balancer: failed to ensure load balancer: creating load balancer: Error \
         returned by LoadBalancer Service. Http Status Code: 400. Error Code: {code}. Opc request id: \
         7/8/9. Message: {message}\nOperation Name: CreateLoadBalancer\nTimestamp: 2026-11-23"
    )
}

#[test]
fn a_load_balancer_with_an_address_is_ready() {
    let status = json!({"loadBalancer": {"ingress": [{"ip": "10.0.2.7"}]}});
    assert_snapshot!(told(&[service(status)]), @"
    1 of 1 ready
    thanos-storeapi = 10.0.2.7
    ");
}

#[test]
fn a_load_balancer_without_an_address_is_starting() {
    assert_snapshot!(told(&[service(json!({}))]), @"
    0 of 1 ready
    Starting service/thanos-storeapi: its load balancer has no address yet (OKM-LOAD-BALANCER-PENDING)
      `kubectl --context sin -n mon describe service thanos-storeapi` shows every try
    ");
}

#[test]
fn a_limit_that_is_reached_is_final() {
    let message =
        oci("LimitExceeded", "The following service limits were exceeded: lb-flexible-count.");
    assert_snapshot!(told(&[service(json!({})), failed(&message)]), @"
    0 of 1 ready
    Final service/thanos-storeapi: SyncLoadBalancerFailed: LimitExceeded: The following service limits were exceeded: lb-flexible-count. (OKM-LOAD-BALANCER-REFUSED)
      `kubectl --context sin -n mon describe service thanos-storeapi` shows every try; mend `loadBalancer`, or have the limit raised
    ");
}

#[test]
fn a_subnet_that_is_none_for_load_balancers_is_final() {
    let message = oci("InvalidParameter", "Invalid subnet OCID: ocid1.vcn.oc1..a");
    assert_snapshot!(told(&[service(json!({})), failed(&message)]), @"
    0 of 1 ready
    Final service/thanos-storeapi: SyncLoadBalancerFailed: InvalidParameter: Invalid subnet OCID: ocid1.vcn.oc1..a (OKM-LOAD-BALANCER-REFUSED)
      `kubectl --context sin -n mon describe service thanos-storeapi` shows every try; mend `loadBalancer`, or have the limit raised
    ");
}

#[test]
fn a_subnet_that_is_not_found_may_wait_for_a_policy() {
    let message = oci("NotAuthorizedOrNotFound", "subnet ocid1.subnet.oc1..a not found");
    assert_snapshot!(told(&[service(json!({})), failed(&message)]), @"
    0 of 1 ready
    Wrong service/thanos-storeapi: SyncLoadBalancerFailed: NotAuthorizedOrNotFound: subnet ocid1.subnet.oc1..a not found (OKM-LOAD-BALANCER-PENDING)
      `kubectl --context sin -n mon describe service thanos-storeapi` shows every try
    ");
}

#[test]
fn a_service_that_was_asked_for_and_is_not_there_is_missed() {
    assert_snapshot!(told(&[]), @"
    0 of 1 ready
    Wrong service/thanos-storeapi: there is no such Service (OKM-SERVICE-ABSENT)
      `kubectl --context sin -n mon get services` shows those that are
    ");
}

#[test]
fn the_load_balancers_of_a_release_count_and_others_do_not() {
    let of_release =
        object("Service", "thanos-query-grpc", &json!({"type": "LoadBalancer"}), &json!({}));
    let cluster_ip = object("Service", "thanos-query", &json!({"type": "ClusterIP"}), &json!({}));
    let done = json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 2});
    let items = [with(query(), "/status", done), of_release, cluster_ip, service(json!({}))];
    assert_snapshot!(super::told(&items), @"
    1 of 2 ready
    Starting service/thanos-query-grpc: its load balancer has no address yet (OKM-LOAD-BALANCER-PENDING)
      `kubectl --context sin -n mon describe service thanos-query-grpc` shows every try
    ");
}
