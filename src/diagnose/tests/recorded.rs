//! What a real API server, with a real operator, answered while something was made to fail. Recorded
//! with `recorded/trim`, which says how.

use insta::assert_snapshot;

use super::*;

const THANOS: Scope = Scope {
    releases: &["thanos"],
    services: &["thanos-storeapi"],
    context: "oke-sin",
    namespace: "monitoring",
};
const THANOS_ALONE: Scope = Scope { services: &[], ..THANOS };
const ALL: Scope = Scope { releases: &["prometheus", "thanos", "grafana"], ..THANOS };

macro_rules! recorded {
    ($name:literal, $scope:expr) => {
        told(include_str!(concat!("recorded/", $name, ".json")), &$scope)
    };
}

fn told(answer: &str, scope: &Scope) -> String {
    let diagnosis = diagnose(&Snapshot::parse(answer).unwrap(), scope);
    assert_eq!(diagnosis.findings.is_empty(), diagnosis.ready == diagnosis.of);
    show(&diagnosis)
}

#[test]
fn a_healthy_cluster_is_ready_and_has_nothing_to_say() {
    assert_snapshot!(recorded!("healthy", ALL), @"
    13 of 13 ready
    thanos-storeapi = 127.77.13.7
    ");
}

#[test]
fn a_missing_image() {
    assert_snapshot!(recorded!("image-missing", THANOS), @"
    6 of 7 ready
    Final pod/thanos-compactor-6855859f85-4t2ml: ImagePullBackOff: failed to pull and unpack image: quay.io/thanos/thanos:v0.39.2: not found (OKM-IMAGE-MISSING)
      `kubectl --context oke-sin -n monitoring describe pod thanos-compactor-6855859f85-4t2ml` shows every try; push the image there, or name the right one with `imageRegistry` or `values`
    thanos-storeapi = 127.77.13.8
    ");
}

#[test]
fn a_crash_loop() {
    assert_snapshot!(recorded!("crash-loop", THANOS), @"
    6 of 7 ready
    Wrong pod/thanos-query-78bc5b48b8-rwkd4 and 1 more: CrashLoopBackOff: query ended with 1 (Error), restarted 4 times: query: error: unknown long flag '--no-such-flag', try --help (OKM-CRASH)
      `kubectl --context oke-sin -n monitoring logs thanos-query-78bc5b48b8-rwkd4 -c query --previous` says why
    thanos-storeapi = 127.77.13.9
    ");
}

#[test]
fn nodes_that_take_no_pods() {
    assert_snapshot!(recorded!("unschedulable", THANOS), @"
    1 of 7 ready
    Wrong pod/thanos-bucketweb-9b764748-8wccf and 7 more: Unschedulable: 0/3 nodes are available: 3 node(s) were unschedulable. (OKM-UNSCHEDULABLE)
      `kubectl --context oke-sin -n monitoring describe nodes` shows what each node has left; add nodes, or take a smaller `size`
    thanos-storeapi = 127.77.13.12
    ");
}

#[test]
fn volumes_that_are_not_made() {
    assert_snapshot!(recorded!("volume-pending", THANOS), @"
    4 of 7 ready
    Wrong persistentvolumeclaim/data-thanos-ruler-0 and 2 more: ProvisioningFailed: LimitExceeded: The following service limits were exceeded: total-storage-gb. Request a service limit increase. (OKM-VOLUME-PENDING)
      `kubectl --context oke-sin -n monitoring describe persistentvolumeclaim data-thanos-ruler-0` shows every try
    thanos-storeapi = 127.77.13.11
    ");
}

#[test]
fn a_load_balancer_that_is_not_made() {
    assert_snapshot!(recorded!("load-balancer-pending", THANOS), @"
    6 of 7 ready
    Final service/thanos-storeapi: SyncLoadBalancerFailed: LimitExceeded: The following service limits were exceeded: lb-flexible-count. Request a service limit increase. (OKM-LOAD-BALANCER-REFUSED)
      `kubectl --context oke-sin -n monitoring describe service thanos-storeapi` shows every try; mend `loadBalancer`, or have the limit raised
    ");
}

#[test]
fn a_quota_that_is_used_up() {
    assert_snapshot!(recorded!("quota", THANOS_ALONE), @r#"
    3 of 6 ready
    Wrong deployment/thanos-query-frontend: FailedCreate: pods "thanos-query-frontend-fc6b4f966-7qpn8" is forbidden: exceeded quota: few, requested: pods=1, used: pods=5, limited: pods=5 (OKM-PODS-REFUSED)
      `kubectl --context oke-sin -n monitoring describe deployment thanos-query-frontend` shows its events
    Wrong statefulset/thanos-ruler: FailedCreate: Create Pod thanos-ruler-0 in StatefulSet thanos-ruler failed error: pods "thanos-ruler-0" is forbidden: exceeded quota: few, requested: pods=1, used: pods=5, limited: pods=5 (OKM-PODS-REFUSED)
      `kubectl --context oke-sin -n monitoring describe statefulset thanos-ruler` shows every try
    Wrong statefulset/thanos-storegateway: FailedCreate: Create Pod thanos-storegateway-0 in StatefulSet thanos-storegateway failed error: pods "thanos-storegateway-0" is forbidden: exceeded quota: few, requested: pods=1, used: pods=5, limited: pods=5 (OKM-PODS-REFUSED)
      `kubectl --context oke-sin -n monitoring describe statefulset thanos-storegateway` shows every try
    "#);
}

#[test]
fn a_stateful_set_that_an_older_pod_holds_up() {
    assert_snapshot!(recorded!("set-stuck", THANOS_ALONE), @"
    5 of 6 ready
    Wrong pod/thanos-storegateway-0: ImagePullBackOff: failed to pull and unpack image: quay.io/thanos/thanos:v0.39.2: not found (OKM-IMAGE-MISSING)
      `kubectl --context oke-sin -n monitoring delete pod/thanos-storegateway-0` lets the newer revision take its place
    ");
}

#[test]
fn resources_of_which_the_operator_cannot_make_stateful_sets() {
    let scope = Scope { releases: &["prometheus"], ..THANOS_ALONE };
    assert_snapshot!(recorded!("operator-refused", scope), @r#"
    3 of 5 ready
    Wrong alertmanager/prometheus-kube-prometheus-alertmanager: ReconciliationFailed: failed to create statefulset: StatefulSet.apps "alertmanager-prometheus-kube-prometheus-alertmanager" is invalid: [spec.template.spec.containers[1].image: Required value, spec.template.spec.initContainers[0].image: Required value] (OKM-OPERATOR-REFUSES)
      `kubectl --context oke-sin -n monitoring logs deployment/prometheus-kube-prometheus-operator` says what it does
    Wrong prometheus/prometheus-kube-prometheus-prometheus: ReconciliationFailed: failed to create statefulset: StatefulSet.apps "prometheus-prometheus-kube-prometheus-prometheus" is invalid: [spec.template.spec.containers[1].image: Required value, spec.template.spec.initContainers[0].image: Required value] (OKM-OPERATOR-REFUSES)
      `kubectl --context oke-sin -n monitoring logs deployment/prometheus-kube-prometheus-operator` says what it does
    "#);
}
