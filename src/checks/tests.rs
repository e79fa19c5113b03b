//! What checks there are, and what they make of the answers.

use serde_json::{Value, json};

use super::*;
use crate::config::Charts;
use crate::content::fixtures::cluster;
use crate::plan::testing::{config, failed, plan, said};

fn kubectl() -> Kubectl {
    Kubectl::new(&config(), &cluster())
}

fn told(lines: &[Line]) -> String {
    let line = |line: &Line| {
        let Line { check, verdict, said, hint, id } = line;
        let id = id.map(|id| format!(" ({id})")).unwrap_or_default();
        let hint = hint.as_ref().map(|hint| format!("\n    hint: {hint}")).unwrap_or_default();
        format!("{verdict:?} {check}: {said}{id}{hint}\n")
    };
    lines.iter().map(line).collect()
}

#[test]
fn every_look_of_an_install_is_a_check_and_the_cluster_comes_first() {
    let checks = all(&config(), &plan(), Timestamp::UNIX_EPOCH);
    let names: Vec<String> =
        checks.iter().map(|check| format!("{}/{}", check.group, check.name)).collect();
    insta::assert_snapshot!(names.join("\n"), @"
    charts/kube-prometheus
    charts/thanos
    charts/grafana
    sin/cluster
    sin/server
    sin/rights
    sin/nodes
    sin/lock
    sin/namespace
    sin/bucket
    sin/secret
    sin/crds
    sin/prometheus
    sin/thanos
    sin/admin
    sin/dashboards
    sin/grafana
    ");
}

#[test]
fn the_server_tells_its_version_and_who_asks() {
    let server = Server { kubectl: kubectl() };
    let version = said(r#"{"clientVersion": {}, "serverVersion": {"gitVersion": "v1.34.1"}}"#);
    let user = r#"{"status": {"userInfo": {"username": "ocid1.user.oc1..aaaa", "groups": ["admins", "system:authenticated"]}}}"#;
    insta::assert_snapshot!(told(&server.judge(&[version.clone(), said(user)])), @"
    Passed version: Kubernetes v1.34.1
    Passed identity: ocid1.user.oc1..aaaa of admins
    ");
    insta::assert_snapshot!(told(&server.judge(&[version, failed("error: no such command")])), @"
    Passed version: Kubernetes v1.34.1
    Skipped identity: the API server does not tell who asks it
    ");
    let away = failed("Unable to connect to the server: EOF");
    insta::assert_snapshot!(told(&server.judge(&[away])), @"Failed version: running `kubectl --context oke-sin --namespace monitoring version -o json`: Unable to connect to the server: EOF (OKM-CLUSTER-UNSEEN)");
}

fn review(resource: &str, group: &str, verb: &str, allowed: bool) -> Value {
    json!({
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"resource": resource, "group": group, "verb": verb}},
        "status": {"allowed": allowed},
    })
}

#[test]
fn what_is_not_allowed_is_listed_by_kind_of_object() {
    let rights = Rights::new(&config(), &plan(), kubectl());
    let answer = |reviews: &[Value]| said(&json!({"kind": "List", "items": reviews}).to_string());
    let allowed = review("secrets", "", "get", true);
    insta::assert_snapshot!(told(&[rights.judge(&[answer(std::slice::from_ref(&allowed))])]), @"Passed rights: all that an install does is allowed (1 asked for)");
    let denied = [
        allowed,
        review("secrets", "", "create", false),
        review("clusterroles", "rbac.authorization.k8s.io", "create", false),
        review("secrets", "", "patch", false),
    ];
    insta::assert_snapshot!(told(&[rights.judge(&[answer(&denied)])]), @"
    Failed rights: not allowed:
    clusterroles.rbac.authorization.k8s.io: create
    secrets: create patch (OKM-RIGHTS-MISSING)
        hint: `kubectl --context oke-sin -n monitoring auth can-i --list` shows what is; an administrator of the cluster can install
    ");
}

#[test]
fn the_communitys_charts_need_more_rights() {
    let asked = |charts| {
        let config = Config { charts, ..config() };
        let Some(Call::Cmd(cmd)) = Rights::new(&config, &plan(), kubectl()).ask(&[]) else {
            panic!()
        };
        let crate::tools::cmd::Stdin::Docs(docs) = &cmd.stdin else { panic!() };
        docs[0].preview().unwrap()
    };
    let webhooks = "mutatingwebhookconfigurations";
    assert!(!asked(Charts::Bitnami).contains(webhooks));
    assert!(asked(Charts::Community).contains(webhooks));
    let first = asked(Charts::Bitnami);
    insta::assert_snapshot!(first.split("---").nth(1).unwrap_or_default(), @r#"

    apiVersion: authorization.k8s.io/v1
    kind: SelfSubjectAccessReview
    spec:
      resourceAttributes: {"group": "", "namespace": "", "resource": "namespaces", "subresource": "", "verb": "get"}
    "#);
}

/// What a cluster has: a node of eight cores and 64 GiB for each name, and what is given.
fn things(nodes: &[&str], more: &[Value]) -> Answer {
    let node = |name: &&str| {
        json!({"kind": "Node", "metadata": {"name": name},
            "status": {"allocatable": {"cpu": "7910m", "memory": "64Gi"}}})
    };
    let items: Vec<Value> = nodes.iter().map(node).chain(more.iter().cloned()).collect();
    said(&json!({"kind": "List", "items": items}).to_string())
}

fn class() -> Value {
    json!({"kind": "StorageClass", "metadata": {"name": "oci-bv"}})
}

fn ground() -> Ground {
    Ground::new(&config(), &cluster(), kubectl())
}

#[test]
fn a_cluster_with_room_and_nobody_else_is_as_it_should_be() {
    let pods = "kube-system\tproxymux\t\ta\t50m\t64Mi\t\tproxymux:1\t\n\
        monitoring\tprometheus-node-exporter\tprometheus\ta\t\t\t9100\tnode_exporter:1\t\n\
        monitoring\tprometheus-0\tprometheus-kube-prometheus-prometheus\ta\t8\t64Gi\t\tprometheus:v3\t\n";
    let answers = [things(&["a", "b"], &[class()]), said(pods)];
    insta::assert_snapshot!(told(&ground().judge(&answers)), @"
    Passed pod security: the namespace takes what an install makes
    Passed storage class: oci-bv
    Passed node port: nobody listens on port 9100 of the nodes
    Passed operators: no other one is in the cluster
    Passed room: 2 nodes have room for everything
    ");
}

#[test]
fn whatever_is_in_the_way_is_named() {
    let namespace = json!({"kind": "Namespace", "metadata": {"name": "monitoring",
        "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    let pods = "by-hand\tprometheus-0\t\ta\t1\t60Gi\t\tquay.io/prometheus/prometheus:v3\t\n\
        theirs\toperator-1\tkps\tb\t\t\t\tquay.io/prometheus-operator/prometheus-operator:v0.93\t[\"--kubelet=x\"]\n\
        theirs\tnode-exporter-1\tkps\ta\t\t\t9100 9101\tnode-exporter\t\n\
        theirs\tnode-exporter-2\tkps\tb\t\t\t9100\tnode-exporter\t\n";
    let slow = json!({"kind": "StorageClass", "metadata": {"name": "slow"}});
    let answers = [things(&["a", "b"], &[namespace, slow]), said(pods)];
    insta::assert_snapshot!(told(&ground().judge(&answers)), @"
    Failed pod security: the namespace monitoring enforces restricted, which node exporters cannot keep (OKM-POD-SECURITY)
        hint: `kubectl --context oke-sin -n monitoring label --overwrite namespace monitoring pod-security.kubernetes.io/enforce=privileged` lets them
    Failed storage class: there is no oci-bv, which volumes are made of, but slow (OKM-STORAGE-CLASS-MISSING)
        hint: `kubectl --context oke-sin -n monitoring get storageclass` shows them; OKE clusters have it from Kubernetes 1.24 on
    Failed node port: port 9100 of 2 nodes is theirs/node-exporter-1's: no node exporter of ours finds a place there (OKM-NODE-PORT-TAKEN)
        hint: `kubectl --context oke-sin -n theirs describe pod node-exporter-1` shows whose it is; two node exporters are one too many: take one away
    Failed operators: theirs/operator-1 watches the namespace monitoring too: two operators undo each other's work (OKM-OPERATOR-OTHER)
        hint: `kubectl --context oke-sin -n theirs describe pod operator-1` shows it; let it run with --deny-namespaces=monitoring, or install into a `namespace` that it does not watch
    Warning room: of 2 nodes, 2 may be used, and have no room for:
    1 of 2 ruler, each 100m CPU, 256 MiB (OKM-NO-ROOM)
        hint: `kubectl --context oke-sin -n monitoring describe nodes` shows what is requested of each; more or larger nodes, or an autoscaler that makes them
    ");
}

#[test]
fn an_operator_that_looks_elsewhere_is_left_alone() {
    let judged = |args: &str| {
        let pods = format!("theirs\toperator\t\ta\t\t\t\tprometheus-operator:v1\t[{args}]\n");
        let lines = ground().judge(&[things(&["a", "b"], &[class()]), said(&pods)]);
        format!("{:?}", lines.iter().find(|line| line.check == "operators").unwrap().verdict)
    };
    let cases = [
        (r#""--namespaces=theirs""#, "Passed"),
        (r#""--namespaces=theirs,monitoring""#, "Failed"),
        (r#""--deny-namespaces=monitoring""#, "Passed"),
        (r#""--deny-namespaces=theirs""#, "Failed"),
        (r#""--prometheus-instance-namespaces=theirs""#, "Failed"),
        (
            r#""--prometheus-instance-namespaces=theirs","--alertmanager-instance-namespaces=theirs""#,
            "Passed",
        ),
        (r#""--namespaces=""#, "Failed"),
        ("", "Failed"),
    ];
    for (args, expected) in cases {
        assert_eq!(judged(args), expected, "{args}");
    }
}

#[test]
fn nodes_that_take_no_pods_have_no_room() {
    let mut nodes = things(&["a", "b", "c"], &[class()]);
    let Answer::Output(output) = &mut nodes else { panic!() };
    let mut list: Value = serde_json::from_str(&output.stdout).unwrap();
    list["items"][0]["spec"] = json!({"unschedulable": true});
    list["items"][1]["spec"] = json!({"taints": [{"key": "gpu", "effect": "NoSchedule"}]});
    output.stdout = list.to_string();
    let lines = ground().judge(&[nodes, said("")]);
    insta::assert_snapshot!(told(&lines[4..]), @"
    Warning room: of 3 nodes, 1 may be used, and has no room for:
    1 of 2 Prometheus, each 600m CPU, 2176 MiB
    1 of 2 store gateway, each 200m CPU, 1024 MiB
    1 of 2 query, each 200m CPU, 512 MiB
    1 of 2 query frontend, each 100m CPU, 256 MiB
    1 of 2 ruler, each 100m CPU, 256 MiB
    1 of 2 Alertmanager, each 50m CPU, 64 MiB (OKM-NO-ROOM)
        hint: `kubectl --context oke-sin -n monitoring describe nodes` shows what is requested of each; more or larger nodes, or an autoscaler that makes them
    ");
}

#[test]
fn whoever_may_not_see_all_of_the_cluster_is_told_what_is_not_known() {
    let denied = "Error from server (Forbidden): nodes is forbidden";
    insta::assert_snapshot!(told(&ground().judge(&[failed(denied)])), @"Skipped nodes: not seen: running `kubectl --context oke-sin --namespace monitoring get nodes,storageclasses.storage.k8s.io,namespaces -o json`: Error from server (Forbidden): nodes is forbidden");
}

#[test]
fn a_lock_counts_as_long_as_it_is_renewed() {
    let at = |second| {
        let lock = Lock { kubectl: kubectl(), now: Timestamp::from_second(second).unwrap() };
        let lease = json!({"kind": "Lease", "metadata": {}, "spec": {
            "holderIdentity": "anna@laptop", "acquireTime": "1970-01-01T00:00:10Z",
            "renewTime": "1970-01-01T00:00:40Z"}});
        told(&[lock.judge(&[said(&lease.to_string())])])
    };
    insta::assert_snapshot!(at(60), @"
    Failed lock: anna@laptop is at work since 1970-01-01T00:00:10Z (OKM-LOCKED)
        hint: `okemon install --lock-timeout 10m` waits for it to end
    ");
    insta::assert_snapshot!(at(160), @"Passed lock: no other okemon is at work");
}
