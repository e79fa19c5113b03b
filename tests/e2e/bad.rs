//! Clusters, charts and values that are not what they should be: what okemon makes of them, in full.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::charts::charts;
use crate::sandbox::Sandbox;
use crate::variants::Charts;

/// Answers every call with this; where it listens.
fn server(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut caller in listener.incoming().flatten() {
            let _ = caller.read(&mut [0; 4096]);
            let _ = caller.write_all(answer.as_bytes());
        }
    });
    port
}

/// The error and what to type next, without what is the same in all of them.
fn said(sandbox: &Sandbox, code: i32, args: &[&str]) -> String {
    let said = sandbox.refused(code, args);
    let (_, error) = said.split_once("\nerror: ").unwrap_or(("", &said));
    error.replace("running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`", "LOOK")
}

#[test]
fn a_kubeconfig_that_leads_elsewhere_is_told_in_the_tools_own_words() {
    let sandbox = Sandbox::up();
    let mark = sandbox.mark();
    let text = std::fs::read_to_string(sandbox.cluster("kubeconfig")).unwrap();
    let with = |change: &dyn Fn(&mut Value), code: i32| {
        let mut kubeconfig: Value = serde_json::from_str(&text).unwrap();
        change(&mut kubeconfig);
        std::fs::write(sandbox.path("other"), kubeconfig.to_string()).unwrap();
        said(&sandbox, code, &["install", "--kubeconfig", "other"])
    };
    let server = |scheme: &'static str, answer: &'static str| {
        let port = server(answer);
        let said = with(
            &|kubeconfig| {
                kubeconfig["clusters"][0]["cluster"] =
                    json!({"server": format!("{scheme}://127.0.0.1:{port}")});
            },
            65,
        );
        said.replace(&port.to_string(), "PORT")
    };
    assert_snapshot!(sandbox.refused(65, &["install", "--kubeconfig", "nowhere"]), @"
    error: reading the kubeconfig nowhere: No such file or directory (os error 2)
    hint: `kubeconfig:`, --kubeconfig or OKEMON_KUBECONFIG names it
    ");
    let html = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\nconnection: close\r\n\r\n<html></html>";
    let json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    assert_snapshot!(server("https", html), @"
    sin/cluster: LOOK: Unable to connect to the server: http: server gave HTTP response to HTTPS client
    hint: `kubectl config view --minify` shows the server: what answers there speaks no TLS, so it is not the cluster
    ");
    assert_snapshot!(server("http", html), @"
    sin/cluster: LOOK: error: invalid character '<' looking for beginning of value
    hint: `kubectl config view --minify` shows the server: a web page answers there, a proxy's or a login's, not the cluster
    ");
    assert_snapshot!(server("http", json), @r#"
    sin/cluster: LOOK: error: the server doesn't have a resource type "namespace"
    hint: `kubectl config view --minify` shows the server: what answers there is no Kubernetes
    "#);

    let helper = |script: &'static str, code: i32| {
        with(
            &|kubeconfig| {
                kubeconfig["users"][0]["user"] = json!({"exec": {
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "command": "/bin/sh",
                    "args": ["-c", script],
                    "interactiveMode": "IfAvailable",
                }});
            },
            code,
        )
    };
    assert_snapshot!(helper("echo the session has expired >&2; exit 1", 77), @"
    sin/cluster: LOOK: the session has expired
        Unable to connect to the server: getting credentials: exec: executable /bin/sh failed with exit code 1
    hint: `kubectl get namespaces` runs the same credential helper; `oci session authenticate` when its session has expired
    ");
    assert_snapshot!(helper("echo welcome", 77), @r#"
    sin/cluster: LOOK: Unable to connect to the server: getting credentials: decoding stdout: couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }
    hint: `kubectl config view --minify` shows the credential helper: by itself it must print the credential and nothing else, so turn off its banners and warnings
    "#);
    assert_snapshot!(helper("read answer </dev/tty", 77), @"
    sin/cluster: LOOK: /bin/sh: 1: cannot open /dev/tty: No such device or address
        Unable to connect to the server: getting credentials: exec: executable /bin/sh failed with exit code 2
    hint: `kubectl get namespaces` runs the same credential helper; `oci session authenticate` when its session has expired
    ");
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());
}

#[test]
fn a_cluster_that_does_not_allow_it_is_told_with_what_is_missing() {
    let sandbox = Sandbox::up();
    // Somebody who may do everything but write Secrets.
    sandbox.apply(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: limited}\nrules:\n\
         - {apiGroups: ['*'], resources: ['*'], verbs: [get, list, watch]}\n\
         - {apiGroups: ['', coordination.k8s.io], resources: [namespaces, leases, configmaps], verbs: ['*']}\n\
         ---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: limited}\n\
         roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: limited}\n\
         subjects: [{kind: User, name: limited, apiGroup: rbac.authorization.k8s.io}]\n",
    );
    let text = std::fs::read_to_string(sandbox.cluster("kubeconfig")).unwrap();
    let mut kubeconfig: Value = serde_json::from_str(&text).unwrap();
    kubeconfig["users"][0]["user"]["as"] = json!("limited");
    std::fs::write(sandbox.path("limited"), kubeconfig.to_string()).unwrap();
    assert_snapshot!(said(&sandbox, 77, &["secret", "--kubeconfig", "limited"]), @r#"
    sin/secret: running `kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f - < manifests/objstore.yaml`: Error from server (Forbidden): secrets "thanos-objstore-config" is forbidden: User "limited" cannot patch resource "secrets" in API group "" in the namespace "monitoring"
    hint: `kubectl auth can-i --list` shows what you may do; ask for a ClusterRole with the verb and resource named above
    "#);

    // A quota that leaves no room.
    sandbox.apply(
        "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none, namespace: monitoring}\n\
         spec: {hard: {count/secrets: '0'}}\n",
    );
    assert_snapshot!(said(&sandbox, 8, &["secret"]), @r#"
    sin/secret: running `kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f - < manifests/objstore.yaml`: Error from server (Forbidden): secrets "thanos-objstore-config" is forbidden: exceeded quota: none, requested: count/secrets=1, used: count/secrets=0, limited: count/secrets=0
    hint: `kubectl describe quota` shows what is used; raise the quota, or choose a smaller `size`
    "#);
    sandbox.kubectl(&["delete", "resourcequota", "none", "--namespace", "monitoring"]);

    // A namespace that is about to go.
    let hold = r#"{"metadata":{"finalizers":["example.com/hold"]}}"#;
    let configmap = ["create", "configmap", "held", "--namespace", "monitoring"];
    sandbox.kubectl(&configmap);
    let patch = ["patch", "configmap", "held", "--namespace", "monitoring", "--patch", hold];
    sandbox.kubectl(&patch);
    sandbox.kubectl(&["delete", "namespace", "monitoring", "--wait=false"]);
    assert_snapshot!(said(&sandbox, 8, &["secret"]), @r#"
    sin/lock: running `kubectl --context oke-sin --namespace monitoring create --validate=false -o json -f -`: Error from server (Forbidden): error when creating "STDIN": leases.coordination.k8s.io "okemon" is forbidden: unable to create new content in namespace monitoring because it is being terminated
    hint: `kubectl get namespace` shows whether it is gone; run this again then
    "#);
}

#[test]
fn a_chart_or_a_values_file_that_is_none_is_told_before_anything_is_changed() {
    let sandbox = Sandbox::up();
    let mark = sandbox.mark();
    let directory = sandbox.path("charts");
    std::fs::create_dir(&directory).unwrap();
    let archive = |name: &str| -> PathBuf { charts(Charts::Bitnami).join(name) };
    let put = |name: &str, from: &str| {
        let _ = std::fs::remove_file(directory.join(name));
        std::fs::copy(archive(from), directory.join(name)).unwrap();
    };
    put("kube-prometheus-11.3.10.tgz", "kube-prometheus-11.3.10.tgz");
    put("grafana-12.11.1.tgz", "grafana-12.11.1.tgz");
    put("thanos-17.3.1.tgz", "grafana-12.11.1.tgz");
    let with_charts = |code| said(&sandbox, code, &["thanos", "--chart-directory", "charts"]);
    assert_snapshot!(with_charts(65), @"
    sin/thanos: looking for the chart of thanos in charts/thanos-17.3.1.tgz: it holds grafana 12.11.1
    hint: `helm pull oci://registry-1.docker.io/bitnamicharts/thanos --version 17.3.1` brings the right one; remove that file first
    ");
    std::fs::write(directory.join("thanos-17.3.1.tgz"), "this is no archive").unwrap();
    assert_snapshot!(with_charts(65), @"
    sin/thanos: looking for the chart of thanos in charts/thanos-17.3.1.tgz: it is no archive of a chart
    hint: `helm pull oci://registry-1.docker.io/bitnamicharts/thanos --version 17.3.1` brings the right one; remove that file first
    ");

    sandbox.configure_cluster("    values: {thanos: own.yaml}\n");
    let own = |text: &str| {
        std::fs::write(sandbox.path("own.yaml"), text).unwrap();
        let said = sandbox.refused(65, &["thanos"]);
        said.trim_end().to_owned()
    };
    assert_snapshot!(own("- a\n- list\n"), @"
    error: reading the values file own.yaml: it is no mapping of values
    hint: `helm show values CHART` shows what may stand in it
    ");
    assert_snapshot!(own("a: [b\n"), @"
    error: reading the values file own.yaml: while parsing a flow sequence, expected ',' or ']' at byte 6 line 2 column 1
    hint: `helm show values CHART` shows what may stand in it
    ");
    std::fs::remove_file(sandbox.path("own.yaml")).unwrap();
    assert_snapshot!(sandbox.refused(65, &["thanos"]), @"
    error: reading the values file own.yaml: No such file or directory (os error 2)
    hint: `helm show values CHART` shows what may stand in it
    ");
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());
}
