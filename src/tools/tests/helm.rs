//! Helm 3 and 4, asked on an API server 1.36.

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
                let helm::Revision { revision, status, chart, description } = revision;
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
fn an_upgrade() {
    assert_snapshot!(told("upgrade"), @r#"
    upgrade-after-a-rollback-that-failed
      done
    upgrade-again
      done
    upgrade-anew
      done
    upgrade-of-a-pending-install
      Busy: Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress
      hint: `helm history RELEASE` shows which revision is pending; run this again when that Helm has ended
    upgrade-of-a-pending-rollback
      Busy: Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress
      hint: `helm history RELEASE` shows which revision is pending; run this again when that Helm has ended
    upgrade-of-a-pending-upgrade
      Busy: Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress
      hint: `helm history RELEASE` shows which revision is pending; run this again when that Helm has ended
    upgrade-of-a-release-that-failed
      done
    upgrade-of-a-release-that-is-uninstalling
      Refused: Error: UPGRADE FAILED: "thanos" has no deployed releases
      hint: `helm history RELEASE` shows how it came to that; `helm uninstall RELEASE` ends a removal that was begun, then run this again
    upgrade-of-a-release-that-was-uninstalled-but-kept
      done
    "#);
}

#[test]
fn values_that_are_wrong() {
    assert_snapshot!(told("values"), @r#"
    values-that-are-invalid
      3.16.4 3.19.0
        Config: Error: 1 error occurred:
        	* Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
        hint: `okemon plan` shows what is sent; mend what leads to it in okemon.yaml, or in your own values file
      4.1.4
        Config: Error: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
        hint: `okemon plan` shows what is sent; mend what leads to it in okemon.yaml, or in your own values file
      4.3.1
        Config: Error: server-side apply failed for object monitoring/thanos-storeapi /v1, Kind=Service: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
        hint: `okemon plan` shows what is sent; mend what leads to it in okemon.yaml, or in your own values file
    values-that-make-no-yaml
      Config: Error: YAML parse error on thanos/templates/all.yaml: error converting YAML to JSON: yaml: mapping values are not allowed in this context
      hint: `okemon plan` shows the values that are sent; mend your own values file
    values-that-the-chart-refuses
      Config: Error: execution error at (thanos/templates/all.yaml:1:27): values are wrong: no example
      hint: `okemon plan` shows the values that are sent; mend your own values file
    values-that-the-schema-refuses
      3.16.4
        Config: Error: values don't meet the specifications of the schema(s) in the following chart(s):
        thanos:
        - refuse: Invalid type. Expected: string, given: integer
        hint: `okemon plan` shows the values that are sent; mend your own values file
      3.19.0 4.1.4 4.3.1
        Config: Error: values don't meet the specifications of the schema(s) in the following chart(s):
        thanos:
        - at '/refuse': got number, want string
        hint: `okemon plan` shows the values that are sent; mend your own values file
    values-that-the-template-fails-on
      3.16.4 3.19.0
        Config: Error: template: thanos/templates/all.yaml:2:32: executing "thanos/templates/all.yaml" at <.Values.not.there>: nil pointer evaluating interface {}.there
        hint: `okemon plan` shows the values that are sent; mend your own values file
      4.1.4 4.3.1
        Config: Error: thanos/templates/all.yaml:2:32
          executing "thanos/templates/all.yaml" at <.Values.not.there>:
            nil pointer evaluating interface {}.there
        hint: `okemon plan` shows the values that are sent; mend your own values file
    values-with-an-unknown-field-later
      3.16.4 3.19.0
        done
      4.1.4
        Config: Error: UPGRADE FAILED: failed to create typed patch object (monitoring/settings; /v1, Kind=ConfigMap): .dada: field not declared in schema
        hint: `okemon plan` shows the values that are sent; mend your own values file
      4.3.1
        Config: Error: UPGRADE FAILED: server-side apply failed for object monitoring/settings /v1, Kind=ConfigMap: failed to create typed patch object (monitoring/settings; /v1, Kind=ConfigMap): .dada: field not declared in schema
        hint: `okemon plan` shows the values that are sent; mend your own values file
    values-with-an-unknown-field
      3.16.4 3.19.0
        done
      4.1.4
        Config: Error: failed to create typed patch object (monitoring/settings; /v1, Kind=ConfigMap): .dada: field not declared in schema
        hint: `okemon plan` shows the values that are sent; mend your own values file
      4.3.1
        Config: Error: server-side apply failed for object monitoring/settings /v1, Kind=ConfigMap: failed to create typed patch object (monitoring/settings; /v1, Kind=ConfigMap): .dada: field not declared in schema
        hint: `okemon plan` shows the values that are sent; mend your own values file
    values-with-an-unknown-kind
      Failed: Error: unable to build kubernetes objects from release manifest: resource mapping not found for name: "one" namespace: "monitoring" from "": no matches for kind "Probe" in version "monitoring.coreos.com/v1"
      ensure CRDs are installed first
      hint: `kubectl get customresourcedefinitions` shows which are there; without --skip-crds those of the chart are applied first
      says: not found, try again
    "#);
}

#[test]
fn an_upgrade_that_the_cluster_refuses() {
    assert_snapshot!(told("refused"), @r#"
    refused-for-a-field-that-another-wrote
      3.16.4 3.19.0
        done
      4.1.4 4.3.1
        Refused: Error: UPGRADE FAILED: conflict occurred while applying object monitoring/settings /v1, Kind=ConfigMap: Apply failed with 1 conflict: conflict with "kubectl": .data.key
        hint: `kubectl get --show-managed-fields -o yaml` of the object shows who else writes to it; undo that by hand, then run this again
    refused-for-a-newer-kubernetes
      Refused: Error: chart requires kubeVersion: >=1.99.0 which is incompatible with Kubernetes v1.36.2
      hint: `chartVersions` names a version of the chart that this Kubernetes can run: docs/configuration.md
    refused-for-a-webhook-that-is-not-there
      3.16.4 3.19.0
        Failed: Error: 1 error occurred:
        	* Internal error occurred: failed calling webhook "secrets.example.com": failed to call webhook: Post "https://127.0.0.1:6443/?timeout=10s": dial tcp 127.0.0.1:6443: connect: connection refused
        hint: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` shows whose it is; the API server cannot reach it
        says: try again
      4.1.4
        Failed: Error: Internal error occurred: failed calling webhook "secrets.example.com": failed to call webhook: Post "https://127.0.0.1:6443/?timeout=10s": dial tcp 127.0.0.1:6443: connect: connection refused
        hint: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` shows whose it is; the API server cannot reach it
        says: try again
      4.3.1
        Failed: Error: server-side apply failed for object monitoring/settings /v1, Kind=ConfigMap: Internal error occurred: failed calling webhook "secrets.example.com": failed to call webhook: Post "https://127.0.0.1:6443/?timeout=10s": dial tcp 127.0.0.1:6443: connect: connection refused
        hint: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` shows whose it is; the API server cannot reach it
        says: try again
    refused-for-an-immutable-address
      3.16.4 3.19.0
        Refused: Error: UPGRADE FAILED: cannot patch "thanos-storeapi" with kind Service: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: ["127.96.77.1"]: may not change once set
        hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
      4.1.4
        Refused: Error: UPGRADE FAILED: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: ["127.96.77.1"]: may not change once set
        hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
      4.3.1
        Refused: Error: UPGRADE FAILED: server-side apply failed for object monitoring/thanos-storeapi /v1, Kind=Service: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: ["127.96.77.1"]: may not change once set
        hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
    refused-for-an-immutable-set
      3.16.4 3.19.0
        Refused: Error: UPGRADE FAILED: cannot patch "thanos" with kind StatefulSet: StatefulSet.apps "thanos" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden
        hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
      4.1.4
        Refused: Error: UPGRADE FAILED: StatefulSet.apps "thanos" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden
        hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
      4.3.1
        Refused: Error: UPGRADE FAILED: server-side apply failed for object monitoring/thanos apps/v1, Kind=StatefulSet: StatefulSet.apps "thanos" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden
        hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
    refused-for-an-object-that-another-owns
      3.16.4 3.19.0
        Refused: Error: Unable to continue with install: ConfigMap "settings" in namespace "monitoring" exists and cannot be imported into the current release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; annotation validation error: missing key "meta.helm.sh/release-name": must be set to "thanos"; annotation validation error: missing key "meta.helm.sh/release-namespace": must be set to "monitoring"
        hint: `helm list --all-namespaces` shows the release that owns it; uninstall that one, or install into its namespace
      4.1.4 4.3.1
        Refused: Error: unable to continue with install: ConfigMap "settings" in namespace "monitoring" exists and cannot be imported into the current release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; annotation validation error: missing key "meta.helm.sh/release-name": must be set to "thanos"; annotation validation error: missing key "meta.helm.sh/release-namespace": must be set to "monitoring"
        hint: `helm list --all-namespaces` shows the release that owns it; uninstall that one, or install into its namespace
    refused-in-a-leaving-namespace
      Refused: Error: UPGRADE FAILED: create: failed to create: secrets "sh.helm.release.v1.thanos.v2" is forbidden: unable to create new content in namespace monitoring because it is being terminated
      hint: `kubectl get namespace` shows whether it is gone; run this again then
    refused-over-quota
      3.16.4 3.19.0
        Refused: Error: 1 error occurred:
        	* configmaps "settings" is forbidden: exceeded quota: none, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=0
        hint: `kubectl describe quota` shows what is used; raise the quota, or choose a smaller `size`
      4.1.4
        Refused: Error: configmaps "settings" is forbidden: exceeded quota: none, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=0
        hint: `kubectl describe quota` shows what is used; raise the quota, or choose a smaller `size`
      4.3.1
        Refused: Error: server-side apply failed for object monitoring/settings /v1, Kind=ConfigMap: configmaps "settings" is forbidden: exceeded quota: none, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=0
        hint: `kubectl describe quota` shows what is used; raise the quota, or choose a smaller `size`
    refused-to-somebody-limited
      Denied: Error: query: failed to query with labels: secrets is forbidden: User "limited" cannot list resource "secrets" in API group "" in the namespace "monitoring"
      hint: `kubectl auth can-i --list` shows what you may do; ask for a ClusterRole with the verb and resource named above
    refused-without-a-namespace
      Failed: Error: create: failed to create: namespaces "monitoring" not found
      no hint
    refused-without-room-for-its-record
      Refused: Error: create: failed to create: secrets "sh.helm.release.v1.thanos.v1" is forbidden: exceeded quota: none, requested: count/secrets=1, used: count/secrets=0, limited: count/secrets=0
      hint: `kubectl describe quota` shows what is used; raise the quota, or choose a smaller `size`
    "#);
}

#[test]
fn a_rollback() {
    assert_snapshot!(told("rollback"), @r#"
    rollback-of-an-upgrade-that-drops-an-object
      3.16.4 3.19.0
        Failed: Error: no ConfigMap with the name "settings" found
        no hint
      4.1.4
        Failed: Error: original object ConfigMap with the name "settings" not found
        no hint
      4.3.1
        done
    rollback-to-no-revision
      Failed: Error: release has no 7 version
      no hint
    rollback
      done
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
