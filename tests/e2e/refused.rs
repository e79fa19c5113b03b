//! What an install refuses, and in which words.

use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::{Sandbox, ran, without_keys};
use crate::variants::Helm;

#[test]
fn what_cannot_go_well_is_refused_before_anything_is_changed() {
    let sandbox = Sandbox::up();
    let mark = sandbox.mark();
    let with = |name: &str, value: &str| {
        let ended = ran(sandbox.okemon(&["install"]).env(name, value));
        format!("{}\n{}", ended.code.unwrap(), sandbox.said(&ended.stderr))
    };
    assert_snapshot!(with("OKEMON_S3_SECRET_KEY", "wrong"), @"
    77
    okemon install
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    sin/bucket  failed: cannot find bucket thanos at S3: the secret key does not belong to the access key
    Failed: 0 changed, 0 unchanged, 1 failed (T)
    error: sin/bucket: cannot find bucket thanos at S3: the secret key does not belong to the access key
    hint: `oci iam customer-secret-key create --user-id OCID --display-name thanos` makes a new pair; the secret key is shown only then
    ");
    assert_snapshot!(with("OKEMON_S3_ACCESS_KEY", "unknown"), @"
    1
    okemon install
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    sin/bucket  failed: cannot find bucket thanos at S3: it answered with status 404, XAdminUserNotFound: No user exists with the provided access key ID.
    Failed: 0 changed, 0 unchanged, 1 failed (T)
    error: sin/bucket: cannot find bucket thanos at S3: it answered with status 404, XAdminUserNotFound: No user exists with the provided access key ID.
    hint: okemon install  (run again: it goes on from here)
    ");
    assert_snapshot!(with("OKEMON_UID", "00000000-0000-4000-8000-000000000000").replace(&uid(&sandbox), "UID"), @"
    8
    okemon install
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    sin/cluster  failed: the context oke-sin leads to another cluster than the configuration pins: the UID of its kube-system is UID, not 00000000-0000-4000-8000-000000000000
    Failed: 0 changed, 0 unchanged, 1 failed (T)
    error: sin/cluster: the context oke-sin leads to another cluster than the configuration pins: the UID of its kube-system is UID, not 00000000-0000-4000-8000-000000000000
    hint: `kubectl config get-contexts` shows where each context leads; mend `context`, or `uid` when the cluster was made anew
    ");
    assert_snapshot!(with("OKEMON_CONTEXT", "elsewhere"), @r#"
    65
    okemon install
        sin: ap-singapore-1, context elsewhere, namespace monitoring
    sin/cluster  failed: running `kubectl --context elsewhere --namespace monitoring get namespace kube-system -o json`: error: context "elsewhere" does not exist
    Failed: 0 changed, 0 unchanged, 1 failed (T)
    error: sin/cluster: running `kubectl --context elsewhere --namespace monitoring get namespace kube-system -o json`: error: context "elsewhere" does not exist
    hint: `kubectl config get-contexts` lists the contexts that there are; name one with `context:` or --context
    "#);
    assert_snapshot!(with("OKEMON_CHART_DIRECTORY", "/nowhere"), @"
    65
    error: looking for kube-prometheus-11.3.10.tgz in /nowhere: No such file or directory (os error 2)
    hint: `helm pull oci://registry-1.docker.io/bitnamicharts/kube-prometheus --version 11.3.10 --destination /nowhere` brings it there
    ");
    assert_snapshot!(with("OKEMON_S3_SECRET_KEY", ""), @"
    65
    error: reading the bucket's keys: OKEMON_S3_ACCESS_KEY is set and OKEMON_S3_SECRET_KEY is not
    hint: `export OKEMON_S3_SECRET_KEY=...`, or OKEMON_S3_SECRET_KEY_FILE=FILE, gives the other half
    ");

    let nobody = ran(without_keys(&mut sandbox.okemon(&["install"])));
    assert_eq!(nobody.code, Some(65));
    assert_snapshot!(sandbox.said(&nobody.stderr), @"
    error: looking for the bucket's keys: OKEMON_S3_ACCESS_KEY and OKEMON_S3_SECRET_KEY are not set (nor their _FILE forms), and the cluster has no Secret thanos-objstore-config
    hint: `oci iam customer-secret-key create --user-id OCID --display-name thanos` makes a pair; its `id` is the access key, its `key` the secret
    ");

    // The sandbox's S3 server is of Singapore.
    let config = std::fs::read_to_string(sandbox.path("okemon.yaml")).unwrap();
    std::fs::write(sandbox.path("okemon.yaml"), config.replace("region: sin", "region: syd"))
        .unwrap();
    assert_snapshot!(sandbox.refused(65, &["install"]), @"
    okemon install
        syd: ap-sydney-1, context oke-sin, namespace monitoring
    syd/bucket  failed: cannot find bucket thanos at S3: the request was signed for region ap-sydney-1, which is not the bucket's
    Failed: 0 changed, 0 unchanged, 1 failed (T)
    error: syd/bucket: cannot find bucket thanos at S3: the request was signed for region ap-sydney-1, which is not the bucket's
    hint: `okemon plan` shows region and endpoint; both must be the bucket's
    ");

    // A port that nobody listens on.
    let kubeconfig = std::fs::read_to_string(sandbox.cluster("kubeconfig")).unwrap();
    let mut away: Value = serde_json::from_str(&kubeconfig).unwrap();
    away["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9".into();
    std::fs::write(sandbox.path("away"), away.to_string()).unwrap();
    std::fs::write(sandbox.path("okemon.yaml"), &config).unwrap();
    assert_snapshot!(sandbox.refused(1, &["install", "--kubeconfig", "away"]), @"
    okemon install --kubeconfig away
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    sin/cluster  failed: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: The connection to the server 127.0.0.1:9 was refused - did you specify the right host or port?
    Failed: 0 changed, 0 unchanged, 1 failed (T)
    error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: The connection to the server 127.0.0.1:9 was refused - did you specify the right host or port?
    hint: `kubectl cluster-info` shows whether the API server can be reached from here; a private endpoint needs a way into its network
    ");

    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());
    assert_eq!(sandbox.buckets(), Vec::<String>::new());
}

#[test]
fn values_that_a_chart_or_the_api_server_refuses_are_refused_in_its_own_words() {
    let sandbox = Sandbox::up();
    sandbox.configure_cluster("    values: {grafana: own.yaml}\n");
    let secret = "grafana.ini: {database: {password: hunter2}}\n";
    std::fs::write(sandbox.path("own.yaml"), secret).unwrap();
    let said = sandbox.refused(65, &["grafana"]);
    // Where the stand-in says it, and where the real chart does.
    let said = said.replace("NOTES.txt:12:217", "PLACE").replace("deployment.yaml:39:28", "PLACE");
    assert_snapshot!(said, @"
    okemon grafana
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    + sin/namespace   create the namespace
    + sin/admin       make Grafana's admin password
    + sin/dashboards  provision 3 dashboards
    + sin/grafana     install grafana 12.11.1
    Plan: 4 to change, 1 unchanged.
    sin/cluster  unchanged
    sin/namespace  created the namespace (T)
    sin/lock  took the lock (T)
    sin/admin  made Grafana's admin password (T)
    sin/dashboards  provisioned 3 dashboards (T)
    sin/grafana  failed after T: running `helm upgrade --install grafana CHARTS/grafana-12.11.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: grafana-12.11.1 sha256:DIGEST' --values - --values own.yaml --kube-context oke-sin --namespace monitoring < values/grafana.yaml`: Error: execution error at (grafana/templates/PLACE): Sensitive key 'database.password' should not be defined explicitly in values. Use variable expansion instead. You can disable this client-side validation by changing the value of assertNoLeakedSecrets.
    Failed: 3 changed, 1 unchanged, 1 failed, 1 skipped (T)
    skipped: sin/ready (it needs sin/grafana)
    error: sin/grafana: running `helm upgrade --install grafana CHARTS/grafana-12.11.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: grafana-12.11.1 sha256:DIGEST' --values - --values own.yaml --kube-context oke-sin --namespace monitoring < values/grafana.yaml`: Error: execution error at (grafana/templates/PLACE): Sensitive key 'database.password' should not be defined explicitly in values. Use variable expansion instead. You can disable this client-side validation by changing the value of assertNoLeakedSecrets.
    hint: `okemon plan` shows the values that are sent; mend your own values file
    ");
    assert_eq!(sandbox.releases(), Vec::<String>::new());

    std::fs::write(sandbox.path("own.yaml"), "resources: {limts: {cpu: 1}}\n").unwrap();
    // Helm 3 lets the API server drop it in silence.
    sandbox.use_helm(Helm::Four);
    let said = sandbox.refused(65, &["grafana"]);
    let (_, error) = said.split_once("\nerror: ").unwrap();
    assert_snapshot!(error, @r#"
    sin/grafana: running `helm upgrade --install grafana CHARTS/grafana-12.11.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: grafana-12.11.1 sha256:DIGEST' --values - --values own.yaml --kube-context oke-sin --namespace monitoring < values/grafana.yaml`: Error: server-side apply failed for object monitoring/grafana apps/v1, Kind=Deployment: failed to create typed patch object (monitoring/grafana; apps/v1, Kind=Deployment): .spec.template.spec.containers[name="grafana"].resources.limts: field not declared in schema
    hint: `okemon plan` shows the values that are sent; mend your own values file
    "#);
    std::fs::write(sandbox.path("own.yaml"), "resources: {limits: {cpu: 1}}\n").unwrap();
    let mended = sandbox.run(&["grafana"]);
    assert_eq!(mended.code, Some(0), "{}", mended.stderr);
}

fn uid(sandbox: &Sandbox) -> String {
    sandbox.kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"])
}
