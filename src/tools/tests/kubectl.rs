//! Every kubectl from 1.30 on, asked on an API server 1.36.

use insta::assert_snapshot;

use super::{are_all, table};
use crate::tools::cmd::Tool;
use crate::tools::kubectl;
use crate::tools::output::Output;

const PARTS: [&str; 13] = [
    "apply",
    "claims",
    "cluster",
    "create",
    "definitions",
    "forget",
    "keys",
    "kinds",
    "lease",
    "logs",
    "objects",
    "restart",
    "would",
];

fn told(part: &str) -> String {
    table(Tool::Kubectl, part, read)
}

/// The names of the objects in an answer, or the answer itself where it has none.
fn read(_: &str, output: &Output) -> String {
    let objects = match kubectl::objects(&output.stdout) {
        Ok(objects) if objects.is_empty() => "nothing".to_owned(),
        Ok(objects) => objects.iter().map(kubectl::name).collect::<Vec<_>>().join(", "),
        Err(_) => output.stdout.clone(),
    };
    let aside = if output.stderr.is_empty() {
        String::new()
    } else {
        format!("\nstderr: {}", output.stderr)
    };
    objects + &aside
}

#[test]
fn every_situation_is_told() {
    are_all(Tool::Kubectl, &PARTS);
}

#[test]
fn the_way_to_the_cluster() {
    assert_snapshot!(told("cluster"), @r#"
    cluster-down
      Failed: The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?
      hint: `kubectl cluster-info` shows whether the API server can be reached from here; a private endpoint needs a way into its network
    cluster-expired
      Denied: error: You must be logged in to the server (Unauthorized)
      hint: `oci ce cluster create-kubeconfig --cluster-id OCID` makes fresh credentials; `oci session authenticate` when the session has expired
    cluster-good
      Namespace/kube-system
    cluster-helper-absent
      Unavailable: Unable to connect to the server: getting credentials: exec: executable oci not found
      It looks like you are trying to use a client-go credential plugin that is not installed.
      To learn more about this feature, consult the documentation available at:
            https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
      hint: `kubectl config view --minify` shows the credential helper, which is not on this machine; `pip install oci-cli` brings that of OKE
    cluster-helper-fails
      Denied: the session has expired
      Unable to connect to the server: getting credentials: exec: executable /bin/sh failed with exit code 1
      hint: `kubectl get namespaces` runs the same credential helper; `oci session authenticate` when its session has expired
    cluster-limited
      Denied: Error from server (Forbidden): namespaces "kube-system" is forbidden: User "limited" cannot get resource "namespaces" in API group "" in the namespace "kube-system"
      hint: `kubectl auth can-i --list` shows what you may do; ask for a ClusterRole with the verb and resource named above
    cluster-nameless
      Failed: Unable to connect to the server: dial tcp: lookup nowhere.invalid on 192.0.2.53:53: no such host
      hint: `kubectl config view --minify` shows the server's name; is it the right kubeconfig, and does its DNS answer here?
    cluster-no-kubernetes
      Config: error: the server doesn't have a resource type "namespace"
      hint: `kubectl config view --minify` shows the server: what answers there is no Kubernetes
      says: not found, try again
    cluster-other-authority
      Config: Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority
      hint: `oci ce cluster create-kubeconfig --cluster-id OCID` writes the cluster's own authority into the kubeconfig; if that does not help, something between here and the cluster opens TLS
    cluster-other-context
      Config: error: context "oke-sin" does not exist
      hint: `kubectl config get-contexts` lists the contexts that there are; name one with `context:` or --context
    cluster-silent
      Failed: Unable to connect to the server: net/http: TLS handshake timeout
      hint: `kubectl cluster-info` shows whether the API server can be reached from here; a private endpoint needs a way into its network
      says: try again, interrupted
    cluster-web-page
      Config: error: invalid character '<' looking for beginning of value
      hint: `kubectl config view --minify` shows the server: a web page answers there, a proxy's or a login's, not the cluster
    cluster-without-tls
      Config: Unable to connect to the server: tls: first record does not look like a TLS handshake
      hint: `kubectl config view --minify` shows the server: what answers there speaks no TLS, so it is not the cluster
    "#);
}

#[test]
fn the_lock() {
    assert_snapshot!(told("lease"), @r#"
    lease-absent
      nothing
    lease-deleted-by-another
      Lease/okemon
    lease-in-no-namespace
      nothing
    lease-made-by-another
      Failed: Error from server (AlreadyExists): error when creating "STDIN": leases.coordination.k8s.io "okemon" already exists
      no hint
    lease-made-in-a-leaving-namespace
      Refused: Error from server (Forbidden): error when creating "STDIN": leases.coordination.k8s.io "okemon" is forbidden: unable to create new content in namespace monitoring because it is being terminated
      hint: `kubectl get namespace` shows whether it is gone; run this again then
    lease-made-in-no-namespace
      Failed: Error from server (NotFound): error when creating "STDIN": namespaces "monitoring" not found
      no hint
      says: not found
    lease-made
      Lease/okemon
    lease-there
      Lease/okemon
    lease-written-by-another
      Failed: Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on leases.coordination.k8s.io "okemon": the object has been modified; please apply your changes to the latest version and try again
      no hint
      says: try again
    "#);
}

#[test]
fn objects_that_are_read() {
    assert_snapshot!(told("objects"), @r#"
    objects-absent
      nothing
    objects-in-no-namespace
      nothing
    objects-of-unknown-kind
      Failed: error: resource mapping not found for name: "one" namespace: "monitoring" from "STDIN": no matches for kind "Probe" in version "monitoring.coreos.com/v1"
      ensure CRDs are installed first
      hint: `kubectl get customresourcedefinitions` shows which are there; without --skip-crds those of the chart are applied first
      says: not found, try again
    objects-there-several
      Secret/thanos-objstore-config, Service/thanos-storeapi
    objects-there
      Secret/thanos-objstore-config
    "#);
}

#[test]
fn objects_that_are_compared() {
    assert_snapshot!(told("would"), @"
    would-apply-several
      Secret/thanos-objstore-config, Service/thanos-storeapi
    would-apply
      Secret/thanos-objstore-config
    ");
}

#[test]
fn objects_that_are_applied() {
    assert_snapshot!(told("apply"), @r#"
    apply-immutable-address
      Refused: The Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: ["127.96.77.1"]: may not change once set
      hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
    apply-immutable-set
      Refused: The StatefulSet "thanos" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden
      hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
    apply-in-a-leaving-namespace
      Refused: Error from server (Forbidden): secrets "thanos-objstore-config" is forbidden: unable to create new content in namespace monitoring because it is being terminated
      hint: `kubectl get namespace` shows whether it is gone; run this again then
    apply-in-no-namespace
      Failed: Error from server (NotFound): namespaces "monitoring" not found
      no hint
      says: not found
    apply-invalid
      Config: The Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
      hint: `okemon plan` shows what is sent; mend what leads to it in okemon.yaml, or in your own values file
    apply-limited
      Denied: Error from server (Forbidden): secrets "thanos-objstore-config" is forbidden: User "limited" cannot patch resource "secrets" in API group "" in the namespace "monitoring"
      hint: `kubectl auth can-i --list` shows what you may do; ask for a ClusterRole with the verb and resource named above
    apply-over-quota
      Refused: Error from server (Forbidden): secrets "thanos-objstore-config" is forbidden: exceeded quota: none, requested: count/secrets=1, used: count/secrets=0, limited: count/secrets=0
      hint: `kubectl describe quota` shows what is used; raise the quota, or choose a smaller `size`
    apply-refused-by-a-webhook
      Refused: Error from server: admission webhook "secrets.example.com" denied the request: keys are kept elsewhere
      hint: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` shows whose rule it is; do as it says, or have it changed
    apply-unknown-field
      Failed: Error from server: failed to create typed patch object (monitoring/thanos-objstore-config; /v1, Kind=Secret): .dada: field not declared in schema
      no hint
    apply-unknown-kind
      Failed: error: resource mapping not found for name: "one" namespace: "monitoring" from "STDIN": no matches for kind "Probe" in version "monitoring.coreos.com/v1"
      ensure CRDs are installed first
      hint: `kubectl get customresourcedefinitions` shows which are there; without --skip-crds those of the chart are applied first
      says: not found, try again
    apply-with-a-webhook-that-answers-nonsense
      Failed: Error from server (InternalError): Internal error occurred: failed calling webhook "secrets.example.com": failed to call webhook: couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }
      hint: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` shows whose it is; the API server cannot reach it
      says: try again
    apply-with-a-webhook-that-is-not-there
      Failed: Error from server (InternalError): Internal error occurred: failed calling webhook "secrets.example.com": failed to call webhook: Post "https://127.0.0.1:6443/?timeout=10s": dial tcp 127.0.0.1:6443: connect: connection refused
      hint: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` shows whose it is; the API server cannot reach it
      says: try again
    apply
      secret/thanos-objstore-config serverside-applied
    "#);
}

#[test]
fn objects_that_are_made_once() {
    assert_snapshot!(told("create"), @r#"
    create-what-is-there
      Failed: Error from server (AlreadyExists): error when creating "STDIN": secrets "thanos-objstore-config" already exists
      no hint
    create
      secret/thanos-objstore-config created
    "#);
}

#[test]
fn a_restart() {
    assert_snapshot!(told("restart"), @"
    restart-of-nothing
      nothing
      stderr: No resources found in monitoring namespace.
    restart
      statefulset.apps/thanos restarted
    ");
}

#[test]
fn custom_resource_definitions() {
    assert_snapshot!(told("definitions"), @r#"
    definitions-on-a-machine-without-diff
      Unavailable: error: failed to run "diff": executable file not found in $PATH
      hint: `apt-get install diffutils`, or the like, brings the program diff, which kubectl compares with
    definitions-served
      nothing
    definitions-that-cannot-be-compared
      Denied: Error from server (Forbidden): customresourcedefinitions.apiextensions.k8s.io "probes.monitoring.coreos.com" is forbidden: User "limited" cannot get resource "customresourcedefinitions" in API group "apiextensions.k8s.io" at the cluster scope
      hint: `kubectl auth can-i --list` shows what you may do; ask for a ClusterRole with the verb and resource named above
    definitions-that-differ
      diff -u -N /run/tmp/LIVE-1/apiextensions.k8s.io.v1.CustomResourceDefinition..probes.monitoring.coreos.com /run/tmp/MERGED-1/apiextensions.k8s.io.v1.CustomResourceDefinition..probes.monitoring.coreos.com
      --- /run/tmp/LIVE-1/apiextensions.k8s.io.v1.CustomResourceDefinition..probes.monitoring.coreos.com	2026-01-01 00:00:00.000000 +0000
      +++ /run/tmp/MERGED-1/apiextensions.k8s.io.v1.CustomResourceDefinition..probes.monitoring.coreos.com	2026-01-01 00:00:00.000000 +0000
      @@ -2,7 +2,7 @@
       kind: CustomResourceDefinition
       metadata:
         annotations:
      -    operator.prometheus.io/version: 0.85.0
      +    operator.prometheus.io/version: 0.86.0
         creationTimestamp: "2026-01-01T00:00:00Z"
         generation: 1
         name: probes.monitoring.coreos.com
    definitions-that-do-not-differ
      nothing
    definitions-unserved
      1.30.0 1.31.9 1.32.3 1.33.9 1.34.5 1.35.2 1.36.3
        Failed: error: the server doesn't have a resource type "probes"
        no hint
        says: not found, try again
      1.37.1
        Failed: error: the server doesn't have a resource type "probes" in group "monitoring.coreos.com"
        no hint
        says: not found, try again
    definitions
      clusterlogs.kwok.x-k8s.io      <none>   kwokctl,kube-apiserver
      probes.monitoring.coreos.com   0.85.0   kubectl,kube-apiserver
      stages.kwok.x-k8s.io           <none>   kwokctl,kube-apiserver
    "#);
}

#[test]
fn what_runs() {
    assert_snapshot!(told("kinds"), @r#"
    kinds-limited
      Denied: Error from server (Forbidden): deployments.apps is forbidden: User "limited" cannot list resource "deployments" in API group "apps" in the namespace "monitoring"
      Error from server (Forbidden): statefulsets.apps is forbidden: User "limited" cannot list resource "statefulsets" in API group "apps" in the namespace "monitoring"
      Error from server (Forbidden): daemonsets.apps is forbidden: User "limited" cannot list resource "daemonsets" in API group "apps" in the namespace "monitoring"
      Error from server (Forbidden): jobs.batch is forbidden: User "limited" cannot list resource "jobs" in API group "batch" in the namespace "monitoring"
      Error from server (Forbidden): pods is forbidden: User "limited" cannot list resource "pods" in API group "" in the namespace "monitoring"
      Error from server (Forbidden): services is forbidden: User "limited" cannot list resource "services" in API group "" in the namespace "monitoring"
      Error from server (Forbidden): persistentvolumeclaims is forbidden: User "limited" cannot list resource "persistentvolumeclaims" in API group "" in the namespace "monitoring"
      Error from server (Forbidden): events is forbidden: User "limited" cannot list resource "events" in API group "" in the namespace "monitoring"
      hint: `kubectl auth can-i --list` shows what you may do; ask for a ClusterRole with the verb and resource named above
    kinds-of-nothing
      nothing
    kinds-unknown
      1.30.0 1.31.9 1.32.3 1.33.9 1.34.5 1.35.2 1.36.3
        Failed: error: the server doesn't have a resource type "prometheuses"
        no hint
        says: not found, try again
      1.37.1
        Failed: error: the server doesn't have a resource type "prometheuses" in group "monitoring.coreos.com"
        no hint
        says: not found, try again
    "#);
}

#[test]
fn logs() {
    assert_snapshot!(told("logs"), @r#"
    logs-of-a-container-that-did-not-run-before
      the sandbox runs no containers:
      this is the log of every pod in it
    logs-of-no-pod
      Failed: error: error from server (NotFound): pods "thanos-0" not found in namespace "monitoring"
      no hint
      says: not found
    logs
      the sandbox runs no containers:
      this is the log of every pod in it
    "#);
}

#[test]
fn what_is_not_there() {
    assert_snapshot!(["claims", "forget", "keys"].map(told).join("\n"), @"
    claims-of-nothing
      nothing
    forget-nothing
      nothing
    keys-absent
      nothing
    ");
}
