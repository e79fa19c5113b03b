//! Helm 3 and 4, asked on an API server 1.36.

mod changes;

use insta::assert_snapshot;
use serde_json::Value;

use super::{are_all, table};
use crate::tools::cmd::Tool;
use crate::tools::helm;
use crate::tools::output::Output;

const PARTS: [&str; 11] = [
    "definitions",
    "history",
    "list",
    "pull",
    "refused",
    "resources",
    "rollback",
    "status",
    "upgrade",
    "values",
    "way",
];

fn told(part: &str) -> String {
    table(Tool::Helm, part, read)
}

fn read(name: &str, output: &Output) -> String {
    match name.split('-').next() {
        Some("status" | "resources") => status(&output.stdout),
        Some("history") => {
            let revisions = helm::revisions(&output.stdout).unwrap();
            let line = |revision: &helm::Revision| {
                let helm::Revision { revision, status, chart, description, .. } = revision;
                format!("{revision} {status} {chart}: {description}")
            };
            revisions.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Some("list") => {
            let releases: Vec<Value> = serde_json::from_str(&output.stdout).unwrap();
            let text = |release: &Value| {
                format!("{} {} {}", release["name"], release["revision"], release["status"])
            };
            if releases.is_empty() {
                "nothing".to_owned()
            } else {
                releases.iter().map(text).collect()
            }
        }
        Some("definitions") => output.stdout.clone(),
        _ => "done".to_owned(),
    }
}

fn status(stdout: &str) -> String {
    let status = helm::status(stdout).unwrap();
    let unfinished = if status.is_finished() { "" } else { ", unfinished" };
    let values = if status.config.is_object() { "with values" } else { "without values" };
    let objects = status.info.resources.as_ref().map_or_else(
        || "no objects are told".to_owned(),
        |kinds| {
            let kinds = kinds.iter().map(|(kind, all)| format!("{} {kind}", all.len()));
            kinds.collect::<Vec<_>>().join(", ")
        },
    );
    format!(
        "revision {} is {}{unfinished}: {}\n{values}; {objects}",
        status.version, status.info.status, status.info.description
    )
}

#[test]
fn every_situation_is_told() {
    are_all(Tool::Helm, &PARTS);
}

#[test]
fn a_release_that_is_looked_at() {
    assert_snapshot!(told("status"), @r#"
    status-absent
      Failed: Error: release: not found
      no hint
    status-deployed
      3.16.4 3.19.0
        revision 1 is deployed: okemon: thanos-1.0.0
        with values; no objects are told
      4.1.4 4.3.1
        revision 1 is deployed: okemon: thanos-1.0.0
        with values; 1 v1/ConfigMap
    status-failed
      3.16.4 3.19.0 4.1.4
        revision 2 is failed: Upgrade "thanos" failed: failed to create resource: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
        with values; no objects are told
      4.3.1
        revision 2 is failed: Upgrade "thanos" failed: failed to create resource: server-side apply failed for object monitoring/thanos-storeapi /v1, Kind=Service: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
        with values; no objects are told
    status-in-no-namespace
      Failed: Error: release: not found
      no hint
    status-of-kinds-that-are-gone
      3.16.4 3.19.0
        revision 1 is deployed: okemon: thanos-1.0.0
        with values; no objects are told
      4.1.4 4.3.1
        Failed: Error: resource mapping not found for name: "one" namespace: "monitoring" from "": no matches for kind "Probe" in version "monitoring.coreos.com/v1"
        ensure CRDs are installed first
        hint: `kubectl get customresourcedefinitions` shows which are there; without --skip-crds those of the chart are applied first
        says: not found, try again
    status-of-objects-that-are-gone
      revision 1 is deployed: okemon: thanos-1.0.0
      with values; no objects are told
    status-of-some-objects-that-are-gone
      3.16.4 3.19.0
        revision 1 is deployed: okemon: thanos-1.0.0
        with values; no objects are told
      4.1.4 4.3.1
        revision 1 is deployed: okemon: thanos-1.0.0
        with values; 1 v1/Service
    status-pending-install
      revision 1 is pending-install, unfinished: Initial install underway
      with values; no objects are told
    status-pending-rollback
      3.16.4 3.19.0
        revision 3 is pending-rollback, unfinished: Rollback to 1
        with values; no objects are told
      4.1.4 4.3.1
        revision 3 is pending-rollback, unfinished: Rollback to 1
        with values; 1 v1/ConfigMap
    status-pending-upgrade
      3.16.4 3.19.0
        revision 2 is pending-upgrade, unfinished: Preparing upgrade
        with values; no objects are told
      4.1.4 4.3.1
        revision 2 is pending-upgrade, unfinished: Preparing upgrade
        with values; 1 v1/ConfigMap
    status-uninstalled-but-kept
      revision 1 is uninstalled: Uninstallation complete
      with values; no objects are told
    status-uninstalling
      3.16.4 3.19.0
        revision 1 is uninstalling, unfinished: Deletion in progress (or silently failed)
        with values; no objects are told
      4.1.4 4.3.1
        revision 1 is uninstalling, unfinished: Deletion in progress (or silently failed)
        with values; 1 v1/ConfigMap
    "#);
}

#[test]
fn a_release_with_its_objects() {
    assert_snapshot!(told("resources"), @r#"
    resources-deployed
      3.16.4 3.19.0
        revision 1 is deployed: okemon: thanos-1.0.0
        with values; 1 v1/ConfigMap
      4.1.4 4.3.1
        Unavailable: Error: unknown flag: --show-resources
        hint: `kubectl version --client` and `helm version` show what is there; kubectl 1.28 and Helm 3.11 are the oldest that know every flag
    resources-of-kinds-that-are-gone
      3.16.4 3.19.0
        Failed: Error: resource mapping not found for name: "one" namespace: "monitoring" from "": no matches for kind "Probe" in version "monitoring.coreos.com/v1"
        ensure CRDs are installed first
        hint: `kubectl get customresourcedefinitions` shows which are there; without --skip-crds those of the chart are applied first
        says: not found, try again
      4.1.4 4.3.1
        Unavailable: Error: unknown flag: --show-resources
        hint: `kubectl version --client` and `helm version` show what is there; kubectl 1.28 and Helm 3.11 are the oldest that know every flag
    resources-that-are-gone
      3.16.4 3.19.0
        revision 1 is deployed: okemon: thanos-1.0.0
        with values; no objects are told
      4.1.4 4.3.1
        Unavailable: Error: unknown flag: --show-resources
        hint: `kubectl version --client` and `helm version` show what is there; kubectl 1.28 and Helm 3.11 are the oldest that know every flag
    "#);
}

#[test]
fn the_way_to_the_cluster() {
    assert_snapshot!(told("way"), @r#"
    way-down
      3.16.4 3.19.0
        Failed: Error: Kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": dial tcp 127.0.0.1:6443: connect: connection refused
        hint: `kubectl cluster-info` shows whether the API server can be reached from here; a private endpoint needs a way into its network
      4.1.4 4.3.1
        Failed: Error: kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": dial tcp 127.0.0.1:6443: connect: connection refused
        hint: `kubectl cluster-info` shows whether the API server can be reached from here; a private endpoint needs a way into its network
    way-expired
      3.16.4 3.19.0
        Denied: Error: Kubernetes cluster unreachable: the server has asked for the client to provide credentials
        hint: `oci ce cluster create-kubeconfig --cluster-id OCID` makes fresh credentials; `oci session authenticate` when the session has expired
      4.1.4 4.3.1
        Denied: Error: kubernetes cluster unreachable: the server has asked for the client to provide credentials
        hint: `oci ce cluster create-kubeconfig --cluster-id OCID` makes fresh credentials; `oci session authenticate` when the session has expired
    way-helper-absent
      3.16.4 3.19.0
        Unavailable: Error: Kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": getting credentials: exec: executable oci not found
        It looks like you are trying to use a client-go credential plugin that is not installed.
        To learn more about this feature, consult the documentation available at:
              https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
        hint: `kubectl config view --minify` shows the credential helper, which is not on this machine; `pip install oci-cli` brings that of OKE
      4.1.4 4.3.1
        Unavailable: Error: kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": getting credentials: exec: executable oci not found
        It looks like you are trying to use a client-go credential plugin that is not installed.
        To learn more about this feature, consult the documentation available at:
              https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
        hint: `kubectl config view --minify` shows the credential helper, which is not on this machine; `pip install oci-cli` brings that of OKE
    way-helper-fails
      3.16.4 3.19.0
        Denied: the session has expired
        Error: Kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": getting credentials: exec: executable /bin/sh failed with exit code 1
        hint: `kubectl get namespaces` runs the same credential helper; `oci session authenticate` when its session has expired
      4.1.4 4.3.1
        Denied: the session has expired
        Error: kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": getting credentials: exec: executable /bin/sh failed with exit code 1
        hint: `kubectl get namespaces` runs the same credential helper; `oci session authenticate` when its session has expired
    way-limited
      Denied: Error: query: failed to query with labels: secrets is forbidden: User "limited" cannot list resource "secrets" in API group "" in the namespace "monitoring"
      hint: `kubectl auth can-i --list` shows what you may do; ask for a ClusterRole with the verb and resource named above
    way-nameless
      3.16.4 3.19.0
        Failed: Error: Kubernetes cluster unreachable: Get "https://nowhere.invalid:6443/version": dial tcp: lookup nowhere.invalid on 192.0.2.53:53: no such host
        hint: `kubectl config view --minify` shows the server's name; is it the right kubeconfig, and does its DNS answer here?
      4.1.4 4.3.1
        Failed: Error: kubernetes cluster unreachable: Get "https://nowhere.invalid:6443/version": dial tcp: lookup nowhere.invalid on 192.0.2.53:53: no such host
        hint: `kubectl config view --minify` shows the server's name; is it the right kubeconfig, and does its DNS answer here?
    way-no-kubernetes
      Failed: Error: release: not found
      no hint
    way-other-authority
      3.16.4 3.19.0
        Config: Error: Kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": tls: failed to verify certificate: x509: certificate signed by unknown authority
        hint: `oci ce cluster create-kubeconfig --cluster-id OCID` writes the cluster's own authority into the kubeconfig; if that does not help, something between here and the cluster opens TLS
      4.1.4 4.3.1
        Config: Error: kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": tls: failed to verify certificate: x509: certificate signed by unknown authority
        hint: `oci ce cluster create-kubeconfig --cluster-id OCID` writes the cluster's own authority into the kubeconfig; if that does not help, something between here and the cluster opens TLS
    way-other-context
      3.16.4 3.19.0
        Config: Error: Kubernetes cluster unreachable: context "oke-sin" does not exist
        hint: `kubectl config get-contexts` lists the contexts that there are; name one with `context:` or --context
      4.1.4 4.3.1
        Config: Error: kubernetes cluster unreachable: context "oke-sin" does not exist
        hint: `kubectl config get-contexts` lists the contexts that there are; name one with `context:` or --context
    way-silent
      3.16.4 3.19.0
        Failed: Error: Kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": net/http: TLS handshake timeout
        hint: `kubectl cluster-info` shows whether the API server can be reached from here; a private endpoint needs a way into its network
        says: try again, interrupted
      4.1.4 4.3.1
        Failed: Error: kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": net/http: TLS handshake timeout
        hint: `kubectl cluster-info` shows whether the API server can be reached from here; a private endpoint needs a way into its network
        says: try again, interrupted
    way-web-page
      3.16.4 3.19.0
        Config: Error: Kubernetes cluster unreachable: unable to parse the server version: invalid character '<' looking for beginning of value
        hint: `kubectl config view --minify` shows the server: a web page answers there, a proxy's or a login's, not the cluster
      4.1.4 4.3.1
        Config: Error: kubernetes cluster unreachable: unable to parse the server version: invalid character '<' looking for beginning of value
        hint: `kubectl config view --minify` shows the server: a web page answers there, a proxy's or a login's, not the cluster
    way-without-tls
      3.16.4 3.19.0
        Config: Error: Kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": tls: first record does not look like a TLS handshake
        hint: `kubectl config view --minify` shows the server: what answers there speaks no TLS, so it is not the cluster
      4.1.4 4.3.1
        Config: Error: kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": tls: first record does not look like a TLS handshake
        hint: `kubectl config view --minify` shows the server: what answers there speaks no TLS, so it is not the cluster
    "#);
}

#[test]
fn the_revisions_of_a_release() {
    assert_snapshot!(told("history"), @r#"
    history-absent
      Failed: Error: release: not found
      no hint
    history-deployed
      1 deployed thanos-1.0.0: okemon: thanos-1.0.0
    history-failed
      3.16.4 3.19.0 4.1.4
        1 deployed thanos-1.0.0: okemon: thanos-1.0.0
        2 failed thanos-1.0.0: Upgrade "thanos" failed: failed to create resource: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
      4.3.1
        1 deployed thanos-1.0.0: okemon: thanos-1.0.0
        2 failed thanos-1.0.0: Upgrade "thanos" failed: failed to create resource: server-side apply failed for object monitoring/thanos-storeapi /v1, Kind=Service: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
    history-pending-install
      1 pending-install thanos-1.0.0: Initial install underway
    history-pending-rollback
      1 superseded thanos-1.0.0: okemon: thanos-1.0.0
      2 deployed thanos-1.0.0: okemon: thanos-1.0.0
      3 pending-rollback thanos-1.0.0: Rollback to 1
    history-pending-upgrade
      1 deployed thanos-1.0.0: okemon: thanos-1.0.0
      2 pending-upgrade thanos-1.0.0: Preparing upgrade
    history-uninstalling
      1 uninstalling thanos-1.0.0: Deletion in progress (or silently failed)
    "#);
}

#[test]
fn the_releases_of_a_namespace() {
    assert_snapshot!(told("list"), @r#"
    list-deployed
      "thanos" "1" "deployed"
    list-of-nothing
      nothing
    list-pending
      "thanos" "1" "pending-install"
    "#);
}

#[test]
fn the_definitions_of_a_chart() {
    assert_snapshot!(told("definitions"), @r#"
    definitions-of-no-chart
      Failed: Error: file '/run/thanos-3.0.0.tgz' does not appear to be a gzipped archive; got 'text/html; charset=utf-8'
      no hint
    definitions-of-no-file
      Failed: Error: path "/run/thanos-2.0.0.tgz" not found
      no hint
    definitions
      3.16.4 3.19.0
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          annotations:
            operator.prometheus.io/version: 0.85.0
          name: probes.monitoring.coreos.com
      4.1.4 4.3.1
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          annotations:
            operator.prometheus.io/version: 0.85.0
          name: probes.monitoring.coreos.com
    "#);
}

#[test]
fn a_chart_that_does_not_come() {
    assert_snapshot!(told("pull"), @r#"
    pull-from-nowhere
      3.16.4
        Failed: Error: failed to do request: Head "https://nowhere.invalid/v2/charts/thanos/manifests/1.0.0": dial tcp: lookup nowhere.invalid on 192.0.2.53:53: no such host
        hint: `chartDirectory` names a directory that the charts were brought to by hand: docs/private-registry.md
      3.19.0 4.1.4 4.3.1
        Failed: Error: failed to perform "FetchReference" on source: Get "https://nowhere.invalid/v2/charts/thanos/manifests/1.0.0": dial tcp: lookup nowhere.invalid on 192.0.2.53:53: no such host
        hint: `chartDirectory` names a directory that the charts were brought to by hand: docs/private-registry.md
    pull-where-nobody-listens
      3.16.4
        Failed: Error: failed to do request: Head "http://127.0.0.1:6443/v2/charts/thanos/manifests/1.0.0": dial tcp 127.0.0.1:6443: connect: connection refused
        hint: `chartDirectory` names a directory that the charts were brought to by hand: docs/private-registry.md
      3.19.0 4.1.4 4.3.1
        Failed: Error: failed to perform "FetchReference" on source: Get "https://127.0.0.1:6443/v2/charts/thanos/manifests/1.0.0": dial tcp 127.0.0.1:6443: connect: connection refused
        hint: `chartDirectory` names a directory that the charts were brought to by hand: docs/private-registry.md
    "#);
}
