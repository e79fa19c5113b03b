//! What `okemon check` says of clusters on which an install would go well, and of others.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::docs;
use crate::sandbox::{Sandbox, eventually, ran};
use crate::variants::Charts;

/// What a check says, in full, without the versions of the tools.
fn check(sandbox: &Sandbox, code: i32, args: &[&str]) -> String {
    let ended = sandbox.run(&[&["check"], args].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{}", ended.stdout);
    let said = sandbox.said(&ended.stdout);
    let tool = |line: &str| line.contains("HERE/tools/");
    let lines = said.lines().filter(|line| !tool(line));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The same as somebody who is in no group.
fn kubeconfig_of(sandbox: &Sandbox, user: &str) {
    let text = std::fs::read_to_string(sandbox.cluster("kubeconfig")).unwrap();
    let mut kubeconfig: Value = serde_json::from_str(&text).unwrap();
    kubeconfig["users"][0]["user"]["as"] = json!(user);
    std::fs::write(sandbox.path(user), kubeconfig.to_string()).unwrap();
}

/// A role that allows what was said not to be allowed, and no more.
fn allow(sandbox: &Sandbox, user: &str, denied: &str) {
    let allowed = |line: &str| {
        let (resource, verbs) = line.trim().split_once(": ")?;
        let verbs = verbs.split(" (").next()?.split(' ').collect::<Vec<_>>();
        let (path, sub) = resource.split_once('/').unwrap_or((resource, ""));
        let (name, group) = path.split_once('.').unwrap_or((path, ""));
        let name = if sub.is_empty() { name.to_owned() } else { format!("{name}/{sub}") };
        Some(json!({"apiGroups": [group], "resources": [name], "verbs": verbs}))
    };
    let rules: Vec<Value> = denied.lines().filter_map(allowed).collect();
    assert!(rules.len() > 20, "{denied}");
    let api = "rbac.authorization.k8s.io";
    let role = json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRole",
        "metadata": {"name": user}, "rules": rules});
    let binding = json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding",
        "metadata": {"name": user}, "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": user},
        "subjects": [{"apiGroup": api, "kind": "User", "name": user}]});
    sandbox.apply(&format!("{role}\n---\n{binding}"));
}

#[test]
fn whoever_has_the_rights_that_are_asked_for_can_install() {
    let sandbox = Sandbox::up_for(Charts::Community);
    kubeconfig_of(&sandbox, "anna");
    let mark = sandbox.mark();
    let denied = check(&sandbox, 3, &["--kubeconfig", "anna"]);
    assert_snapshot!("what_is_said_to_somebody_without_any_right", denied);
    let (_, list) = denied.split_once("not allowed:\n").unwrap();
    let (list, _) = list.split_once("hint:").unwrap();
    allow(&sandbox, "anna", list);
    assert_snapshot!(check(&sandbox, 0, &["--kubeconfig", "anna"]), @r#"
    tools
    configuration
      ok       okemon.yaml  valid: the community's charts; sin in ap-singapore-1, small
      ok       keys         the bucket's keys are known
    sin
      ok       cluster      it answers
      ok       version      Kubernetes v1.36.2
      ok       identity     anna
      ok       rights       all that an install does is allowed (155 asked for)
      skipped  nodes        not seen: running `kubectl --context oke-sin --namespace monitoring get nodes,storageclasses.storage.k8s.io,namespaces -o json`: Error from server (Forbidden): nodes is forbidden: User "anna" cannot list resource "nodes" in API group "" at the cluster scope
            Error from server (Forbidden): storageclasses.storage.k8s.io is forbidden: User "anna" cannot list resource "storageclasses" in API group "storage.k8s.io" at the cluster scope
            Error from server (Forbidden): namespaces is forbidden: User "anna" cannot list resource "namespaces" in API group "" at the cluster scope
      ok       lock         no other okemon is at work
      ok       namespace    an install would create the namespace
      ok       bucket       an install would create the bucket thanos in ap-singapore-1
      ok       secret       an install would store the bucket's keys in the Secret thanos-objstore-config
      ok       crds         an install would apply the operator's custom resource definitions
      ok       prometheus   an install would install kube-prometheus-stack 88.5.3
      ok       thanos       an install would install thanos 0.38.0
      ok       admin        an install would make Grafana's admin password
      ok       dashboards   an install would provision 3 dashboards
      ok       grafana      an install would install grafana 12.11.1
    Checked: 18 passed, 1 skipped.
    "#);
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());

    let installed = sandbox.run(&["install", "--kubeconfig", "anna"]);
    assert_eq!(installed.code, Some(0), "{}", installed.stderr);
    let mark = sandbox.mark();
    assert_snapshot!(check(&sandbox, 0, &[]), @"
    tools
    configuration
      ok       okemon.yaml    valid: the community's charts; sin in ap-singapore-1, small
      ok       keys           the bucket's keys are known
    sin
      ok       cluster        it answers
      ok       version        Kubernetes v1.36.2
      ok       identity       okemon of sandbox
      ok       rights         all that an install does is allowed (155 asked for)
      ok       pod security   the namespace takes what an install makes
      ok       storage class  oci-bv
      ok       node port      nobody listens on port 9100 of the nodes
      ok       operators      no other one is in the cluster
      ok       room           3 nodes have room for everything
      ok       lock           no other okemon is at work
      ok       namespace      as configured
      ok       bucket         it is there, and the keys open it
      ok       secret         as configured
      ok       crds           as configured
      ok       prometheus     as configured
      ok       thanos         as configured
      ok       admin          as configured
      ok       dashboards     as configured
      ok       grafana        as configured
    Checked: 23 passed.
    ");
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());
}

#[test]
fn whatever_keeps_an_install_from_going_well_is_told_before() {
    let sandbox = Sandbox::up();
    let mark = sandbox.mark();
    let well = check(&sandbox, 0, &[]);
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());

    // Somebody else's monitoring, on every node, in a namespace of its own.
    let theirs = |name: &str, image: &str, more: &str| {
        format!(
            "---\n{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: theirs}}, \
             spec: {{nodeName: node-0, containers: [{{name: main, image: {image}, {more}}}]}}}}\n"
        )
    };
    sandbox.apply(
        &("{apiVersion: v1, kind: Namespace, metadata: {name: theirs}}\n".to_owned()
            + &theirs("operator", "prometheus-operator/prometheus-operator:v0.93.1", "args: [--log-level=info]")
            + &theirs("exporter", "node-exporter", "ports: [{containerPort: 9100, hostPort: 9100}]")
            + "---\n{apiVersion: v1, kind: Namespace, metadata: {name: monitoring, labels: \
               {pod-security.kubernetes.io/enforce: baseline}}}\n"
            + "---\n{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: okemon, namespace: monitoring}, \
               spec: {holderIdentity: anna@laptop, acquireTime: '2026-01-01T00:00:00.000000Z', renewTime: '2099-01-01T00:00:00.000000Z'}}\n"),
    );
    sandbox.kubectl(&["delete", "storageclass", "oci-bv"]);
    sandbox.kubectl(&["cordon", "node-0", "node-1", "node-2"]);
    eventually("the pods are seen", || {
        let args = ["get", "pods", "--namespace", "theirs", "-o", "name"];
        sandbox.kubectl(&args).lines().count() == 2
    });
    let wrong = ran(sandbox.okemon(&["check", "--quiet"]).env("OKEMON_S3_SECRET_KEY", "wrong"));
    assert_eq!(wrong.code, Some(3), "{}", wrong.stderr);
    let failing = sandbox.said(&wrong.stdout) + "\n";
    docs::shows_checks(&well, &failing);
}

#[test]
fn what_cannot_be_asked_does_not_keep_the_rest_from_being_told() {
    let sandbox = Sandbox::up();
    let text = std::fs::read_to_string(sandbox.cluster("kubeconfig")).unwrap();
    let mut kubeconfig: Value = serde_json::from_str(&text).unwrap();
    kubeconfig["clusters"][0]["cluster"]["server"] = json!("https://127.0.0.1:1");
    std::fs::write(sandbox.path("nowhere"), kubeconfig.to_string()).unwrap();
    std::fs::remove_file(sandbox.tool("helm")).unwrap();
    let ended = sandbox.run(&["check", "--kubeconfig", "nowhere", "--junit", "junit.xml"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert_snapshot!(sandbox.said(&ended.stdout), @"
    tools
      failed   helm         cannot find `helm` on PATH (OKM-TOOL-UNFIT)
            hint: brew install helm, or see https://helm.sh/docs/intro/install
      ok       kubectl      1.37.1 at HERE/tools/kubectl
    configuration
      ok       okemon.yaml  valid: Bitnami's charts; sin in ap-singapore-1, small
      ok       keys         the bucket's keys are known
    sin
      failed   cluster      running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port? (OKM-CLUSTER-UNSEEN)
            hint: `kubectl cluster-info` shows whether the API server can be reached from here; a private endpoint needs a way into its network
      skipped  server       the cluster cannot be asked
      skipped  rights       the cluster cannot be asked
      skipped  nodes        the cluster cannot be asked
      skipped  lock         the cluster cannot be asked
      skipped  namespace    the cluster cannot be asked
      ok       bucket       an install would create the bucket thanos in ap-singapore-1
      skipped  secret       the cluster cannot be asked
      skipped  crds         helm cannot be used
      skipped  prometheus   helm cannot be used
      skipped  thanos       helm cannot be used
      skipped  admin        the cluster cannot be asked
      skipped  dashboards   the cluster cannot be asked
      skipped  grafana      helm cannot be used
    Checked: 2 failed, 4 passed, 12 skipped.
    ");

    let xml = std::fs::read_to_string(sandbox.path("junit.xml")).unwrap();
    assert!(xml.contains(r#"<testsuite name="sin""#), "{xml}");
    assert!(xml.contains(r#"<failure message="cannot find `helm` on PATH"#), "{xml}");
    let json = sandbox.run(&["check", "--kubeconfig", "nowhere", "-o", "json"]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["counts"]["failed"], 2, "{json}");
}
