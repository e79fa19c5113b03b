//! An install on an empty cluster: what it leaves, what it says, and what it refuses.

use std::process::Command;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::objects::text;
use crate::sandbox::{Ended, LOAD_BALANCER, Sandbox, ran};

const RELEASES: [&str; 3] = ["grafana 1 deployed", "prometheus 1 deployed", "thanos 1 deployed"];

#[test]
fn one_command_installs_everything_and_says_where_the_store_api_answers() {
    let sandbox = Sandbox::up();
    sandbox.configure_cluster(LOAD_BALANCER);
    sandbox.configure_cluster("    values: {thanos: own.yaml}\n");
    std::fs::write(sandbox.path("own.yaml"), "query: {replicaCount: 3}\n").unwrap();

    let first = sandbox.run(&["install", "--region", "sin", "--verbose"]);
    assert_eq!((first.code, first.stdout.as_str()), (Some(0), ""), "{}", first.stderr);
    assert_snapshot!(without_timings(&sandbox.said(&first.stderr)), @r#"
    okemon install --region sin --verbose
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    + sin/namespace   create the namespace
    + sin/bucket      create the bucket thanos in ap-singapore-1
    + sin/secret      store the bucket's keys in the Secret thanos-objstore-config
    + sin/crds        apply the operator's custom resource definitions
    + sin/prometheus  install kube-prometheus 11.3.10
    + sin/thanos      install thanos 17.3.1
    + sin/storeapi    publish the StoreAPI by the Service thanos-storeapi
    + sin/admin       make Grafana's admin password
    + sin/dashboards  provision 3 dashboards
    + sin/grafana     install grafana 12.11.1
    Plan: 10 to change, 1 unchanged.
    sin/cluster  unchanged
    sin/namespace  create the namespace ...
    sin/namespace  $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --field-manager okemon -f - < manifests/namespace.yaml
    sin/namespace  created the namespace (T)
    sin/lock  take the lock ...
    sin/lock  took the lock (T)
    sin/admin  $ kubectl --context oke-sin --namespace monitoring create --field-manager okemon -f - < manifests/grafana-admin.yaml
    sin/admin  made Grafana's admin password (T)
    sin/admin  make Grafana's admin password ...
    sin/bucket  $ curl --aws-sigv4 aws:amz:ap-singapore-1:s3 --user "$OKEMON_S3_ACCESS_KEY:$OKEMON_S3_SECRET_KEY" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -X PUT S3/thanos
    sin/bucket  create the bucket thanos in ap-singapore-1 ...
    sin/bucket  created the bucket thanos in ap-singapore-1 (T)
    sin/crds  $ helm show crds CHARTS/kube-prometheus-11.3.10.tgz | kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --field-manager okemon -f -
    sin/crds  $ until kubectl --context oke-sin --namespace monitoring get prometheuses.monitoring.coreos.com,alertmanagers.monitoring.coreos.com,servicemonitors.monitoring.coreos.com,prometheusrules.monitoring.coreos.com,podmonitors.monitoring.coreos.com,probes.monitoring.coreos.com,alertmanagerconfigs.monitoring.coreos.com,prometheusagents.monitoring.coreos.com,scrapeconfigs.monitoring.coreos.com,thanosrulers.monitoring.coreos.com --output name; do sleep 1; done
    sin/crds  applied the operator's custom resource definitions (T)
    sin/crds  apply the operator's custom resource definitions ...
    sin/dashboards  $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --field-manager okemon -f - < manifests/dashboard.yaml < manifests/dashboard.yaml < manifests/dashboard.yaml
    sin/dashboards  provision 3 dashboards ...
    sin/dashboards  provisioned 3 dashboards (T)
    sin/grafana  $ helm upgrade --install grafana CHARTS/grafana-12.11.1.tgz --skip-crds --description 'okemon: grafana-12.11.1 sha256:DIGEST' --values - --kube-context oke-sin --namespace monitoring < values/grafana.yaml
    sin/grafana  install grafana 12.11.1 ...
    sin/grafana  installed grafana 12.11.1 (T)
    sin/prometheus  $ helm upgrade --install prometheus CHARTS/kube-prometheus-11.3.10.tgz --skip-crds --description 'okemon: kube-prometheus-11.3.10 sha256:DIGEST' --values - --kube-context oke-sin --namespace monitoring < values/prometheus.yaml
    sin/prometheus  install kube-prometheus 11.3.10 ...
    sin/prometheus  installed kube-prometheus 11.3.10 (T)
    sin/secret  $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --field-manager okemon -f - < manifests/objstore.yaml
    sin/secret  store the bucket's keys in the Secret thanos-objstore-config ...
    sin/secret  stored the bucket's keys in the Secret thanos-objstore-config (T)
    sin/storeapi  $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --field-manager okemon -f - < manifests/storeapi.yaml
    sin/storeapi  publish the StoreAPI by the Service thanos-storeapi ...
    sin/storeapi  published the StoreAPI by the Service thanos-storeapi (T)
    sin/thanos  $ helm upgrade --install thanos CHARTS/thanos-17.3.1.tgz --skip-crds --description 'okemon: thanos-17.3.1 sha256:DIGEST' --values - --values own.yaml --kube-context oke-sin --namespace monitoring < values/thanos.yaml
    sin/thanos  install thanos 17.3.1 ...
    sin/thanos  installed thanos 17.3.1 (T)
    sin/ready  wait until everything runs ...
    sin/ready  13 of 13 ready; thanos-storeapi answers at ADDRESS (T)
    Done: 10 changed, 1 unchanged (T)
    "#);

    assert_eq!(sandbox.releases(), RELEASES);
    assert_eq!(buckets(&sandbox), ["thanos"]);
    everything_is_ready(&sandbox);
    the_secret_has_the_document(&sandbox);
    the_definitions_are_okemons(&sandbox);
    grafana_has_its_parts(&sandbox);
    the_store_api_is_all_that_is_open(&sandbox, &first.stderr);
    let query = sandbox.object("deployment", "thanos-query");
    assert_eq!(query["spec"]["replicas"], 3, "the user's own values win");
    no_key_is_anywhere_else(&sandbox, &[&first]);
}

#[test]
fn flags_alone_install_with_keys_from_files_beside_somebody_elses_newer_definitions() {
    let sandbox = Sandbox::up();
    std::fs::remove_file(sandbox.path("okemon.yaml")).unwrap();
    let chart = crate::sandbox::charts().join("kube-prometheus-11.3.10.tgz");
    let definitions = sandbox.helm(&["show", "crds", chart.to_str().unwrap()]);
    sandbox.apply(&annotated(&definitions, "0.99.0"));
    let mark = sandbox.mark();

    std::fs::write(sandbox.path("access"), sandbox.s3("accessKey")).unwrap();
    std::fs::write(sandbox.path("secret"), sandbox.s3("secretKey")).unwrap();
    let charts = crate::sandbox::charts();
    let flags = [
        "install",
        "--region=ap-singapore-1",
        "--context=oke-sin",
        &format!("--kubeconfig={}", sandbox.cluster("kubeconfig")),
        "--bucket=fleet-blocks",
        &format!("--endpoint={}", sandbox.s3("endpoint")),
        &format!("--chart-directory={}", charts.display()),
        "--output=ndjson",
    ];
    let ended = ran(without_keys(&mut sandbox.okemon(&flags))
        .env("OKEMON_S3_ACCESS_KEY_FILE", "access")
        .env("OKEMON_S3_SECRET_KEY_FILE", "secret"));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    let events: Vec<Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let notes: Vec<&Value> = events.iter().filter_map(|event| event.get("note")).collect();
    assert_eq!(
        notes,
        [
            "the custom resource definitions are of operator 0.99.0, newer than the chart's 0.85.0: left as they are"
        ]
    );
    assert_eq!(events.last().unwrap()["outcome"], "done");
    assert_eq!(buckets(&sandbox), ["fleet-blocks"]);
    assert_eq!(sandbox.releases(), RELEASES);
    let changes = sandbox.changes_since(&mark);
    let touched = changes.iter().find(|change| change.contains("customresourcedefinitions"));
    assert_eq!(touched, None);
    no_key_is_anywhere_else(&sandbox, &[&ended]);
}

#[test]
fn each_part_has_a_command_that_does_it_and_nothing_else() {
    let sandbox = Sandbox::up();
    assert_eq!(parts(&sandbox, "bucket"), Vec::<String>::new());
    assert_eq!(buckets(&sandbox), ["thanos"]);
    assert_eq!(
        parts(&sandbox, "secret"),
        ["namespaces monitoring", "secrets thanos-objstore-config"]
    );

    // The keys that are there already are enough from now on.
    let mark = sandbox.mark();
    let stored = ran(without_keys(&mut sandbox.okemon(&["secret"])));
    assert_eq!(stored.code, Some(0), "{}", stored.stderr);
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());

    let releases = |found: &[String]| -> Vec<String> {
        found.iter().filter(|name| name.contains("sh.helm.release")).cloned().collect()
    };
    let thanos = parts(&sandbox, "thanos");
    assert_eq!(releases(&thanos), ["secrets sh.helm.release.v1.thanos.v1"]);
    // Its ServiceMonitors and rules are of the operator's kinds.
    let defined = |name: &&String| name.ends_with(".monitoring.coreos.com");
    assert_eq!(thanos.iter().filter(defined).count(), 10);
    let own = |name: &String| name.contains("thanos") || defined(&name);
    assert!(thanos.iter().all(own), "{thanos:#?}");
    let grafana = parts(&sandbox, "grafana");
    assert_eq!(releases(&grafana), ["secrets sh.helm.release.v1.grafana.v1"]);
    assert!(
        grafana.iter().all(|name| name.contains("grafana") || name.contains("okemon-dashboard-")),
        "{grafana:#?}"
    );
    let prometheus = parts(&sandbox, "prometheus");
    assert_eq!(releases(&prometheus), ["secrets sh.helm.release.v1.prometheus.v1"]);
    assert!(prometheus.iter().all(|name| name.contains("prometheus")), "{prometheus:#?}");

    // All of them together are an install.
    let mark = sandbox.mark();
    sandbox.install();
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());
    assert_eq!(sandbox.releases(), RELEASES);
}

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
    hint: oci iam customer-secret-key create --user-id OCID --display-name thanos makes a new pair; the secret key is shown only then
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
    hint: okemon plan shows region and endpoint; both must be the bucket's
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
    assert_eq!(buckets(&sandbox), Vec::<String>::new());
}

#[test]
fn values_that_a_chart_refuses_are_refused_in_its_own_words() {
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
    sin/grafana  failed after T: running `helm upgrade --install grafana CHARTS/grafana-12.11.1.tgz --skip-crds --description 'okemon: grafana-12.11.1 sha256:DIGEST' --values - --values own.yaml --kube-context oke-sin --namespace monitoring < values/grafana.yaml`: Error: execution error at (grafana/templates/PLACE): Sensitive key 'database.password' should not be defined explicitly in values. Use variable expansion instead. You can disable this client-side validation by changing the value of assertNoLeakedSecrets.
    Failed: 3 changed, 1 unchanged, 1 failed, 1 skipped (T)
    skipped: sin/ready (it needs sin/grafana)
    error: sin/grafana: running `helm upgrade --install grafana CHARTS/grafana-12.11.1.tgz --skip-crds --description 'okemon: grafana-12.11.1 sha256:DIGEST' --values - --values own.yaml --kube-context oke-sin --namespace monitoring < values/grafana.yaml`: Error: execution error at (grafana/templates/PLACE): Sensitive key 'database.password' should not be defined explicitly in values. Use variable expansion instead. You can disable this client-side validation by changing the value of assertNoLeakedSecrets.
    hint: `okemon plan` shows the values that are sent; mend your own values file
    ");
    assert_eq!(sandbox.releases(), Vec::<String>::new());
}

/// What a command changes, as `RESOURCE NAME`, without what every command stands on after the first.
fn parts(sandbox: &Sandbox, command: &str) -> Vec<String> {
    let mark = sandbox.mark();
    let ended = sandbox.run(&[command, "--region", "sin"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let changes = sandbox.changes_since(&mark);
    let mut names: Vec<String> = changes
        .iter()
        .filter_map(|change| change.split_once(' '))
        .map(|(_, name)| name.to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

fn buckets(sandbox: &Sandbox) -> Vec<String> {
    let directory = std::fs::read_dir(sandbox.s3("directory")).unwrap();
    let names = directory.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

fn uid(sandbox: &Sandbox) -> String {
    sandbox.kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"])
}

fn without_keys(okemon: &mut Command) -> &mut Command {
    okemon.env_remove("OKEMON_S3_ACCESS_KEY").env_remove("OKEMON_S3_SECRET_KEY")
}

/// What is said before the list of timings, which is in the order of the steps' ends.
fn without_timings(said: &str) -> String {
    let (before, after) = said.split_once("Timings:\n").unwrap();
    let (_, last) = after.split_once("\nDone").unwrap();
    format!("{before}Done{last}")
}

/// The definitions with another operator's version on each.
fn annotated(definitions: &str, version: &str) -> String {
    let name = "operator.prometheus.io/version:";
    let line = |line: &str| match line.split_once(name) {
        Some((indent, _)) => format!("{indent}{name} {version}\n"),
        None => format!("{line}\n"),
    };
    definitions.lines().map(line).collect()
}

fn everything_is_ready(sandbox: &Sandbox) {
    let kinds = "deployments,statefulsets,daemonsets";
    let text = sandbox.kubectl(&["get", kinds, "--namespace", "monitoring", "-o", "json"]);
    let list: Value = serde_json::from_str(&text).unwrap();
    let items = list["items"].as_array().unwrap();
    let wanted = |object: &Value| {
        object["spec"]
            .get("replicas")
            .unwrap_or(&object["status"]["desiredNumberScheduled"])
            .clone()
    };
    let ready = |object: &Value| {
        let status = &object["status"];
        status.get("readyReplicas").unwrap_or(&status["numberReady"]).clone()
    };
    for object in items {
        assert_eq!(ready(object), wanted(object), "{}", object["metadata"]["name"]);
    }
    assert_eq!(items.len(), 12);
}

fn the_secret_has_the_document(sandbox: &Sandbox) {
    let secret = sandbox.object("secret", "thanos-objstore-config");
    let document = text(&secret["data"]["objstore.yml"]).unwrap();
    let document = document
        .replace(sandbox.s3("endpoint").trim_start_matches("http://"), "S3")
        .replace(sandbox.s3("secretKey"), "SECRET-KEY")
        .replace(sandbox.s3("accessKey"), "ACCESS-KEY");
    assert_snapshot!(document, @r#"
    type: S3
    config:
      bucket: "thanos"
      endpoint: "S3"
      region: "ap-singapore-1"
      access_key: "ACCESS-KEY"
      secret_key: "SECRET-KEY"
      insecure: true
      signature_version2: false
      bucket_lookup_type: path
      part_size: 67108864
      http_config:
        idle_conn_timeout: 90s
        response_header_timeout: 2m
        insecure_skip_verify: false
    "#);
}

fn the_definitions_are_okemons(sandbox: &Sandbox) {
    let text = sandbox.kubectl(&[
        "get",
        "customresourcedefinitions",
        "-o",
        "json",
        "--show-managed-fields",
    ]);
    let list: Value = serde_json::from_str(&text).unwrap();
    let lines: Vec<String> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|definition| &definition["metadata"])
        .filter(|metadata| metadata["name"].as_str().unwrap().ends_with(".monitoring.coreos.com"))
        .map(|metadata| {
            let version = &metadata["annotations"]["operator.prometheus.io/version"];
            let owners = metadata["managedFields"].as_array().unwrap().iter();
            let owners = owners.filter(|owner| owner["operation"] == "Apply");
            let owners: Vec<&str> = owners.filter_map(|owner| owner["manager"].as_str()).collect();
            format!("{} {version} {owners:?}", metadata["name"])
        })
        .collect();
    assert_snapshot!(lines.join("\n"), @r#"
    "alertmanagerconfigs.monitoring.coreos.com" "0.85.0" ["okemon"]
    "alertmanagers.monitoring.coreos.com" "0.85.0" ["okemon"]
    "podmonitors.monitoring.coreos.com" "0.85.0" ["okemon"]
    "probes.monitoring.coreos.com" "0.85.0" ["okemon"]
    "prometheusagents.monitoring.coreos.com" "0.85.0" ["okemon"]
    "prometheuses.monitoring.coreos.com" "0.85.0" ["okemon"]
    "prometheusrules.monitoring.coreos.com" "0.85.0" ["okemon"]
    "scrapeconfigs.monitoring.coreos.com" "0.85.0" ["okemon"]
    "servicemonitors.monitoring.coreos.com" "0.85.0" ["okemon"]
    "thanosrulers.monitoring.coreos.com" "0.85.0" ["okemon"]
    "#);
}

fn grafana_has_its_parts(sandbox: &Sandbox) {
    let secret = sandbox.object("secret", "okemon-grafana-admin");
    assert_eq!(text(&secret["data"]["admin-user"]).as_deref(), Some("admin"));
    assert_eq!(text(&secret["data"]["admin-password"]).unwrap().len(), 32);
    for name in ["fleet", "cluster", "thanos"] {
        let dashboard = sandbox.object("configmap", &format!("okemon-dashboard-{name}"));
        for (_, text) in dashboard["data"].as_object().unwrap() {
            let model: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
            assert_eq!(model["uid"], format!("okemon-{name}"));
        }
    }
    let config = sandbox.object("configmap", "grafana");
    assert_snapshot!(config["data"]["datasources.yaml"].as_str().unwrap(), @"
    apiVersion: 1
    datasources:
    - access: proxy
      isDefault: true
      jsonData:
        httpMethod: POST
        prometheusType: Thanos
        prometheusVersion: 0.31.0
        timeInterval: 30s
      name: Thanos
      type: prometheus
      uid: thanos
      url: http://thanos-query-frontend.monitoring.svc.cluster.local:9090
    ");
    let environment = sandbox.object("deployment", "grafana").to_string();
    assert!(environment.contains("okemon-grafana-admin"), "{environment}");
}

fn the_store_api_is_all_that_is_open(sandbox: &Sandbox, said: &str) {
    let text = sandbox.kubectl(&["get", "services", "--all-namespaces", "-o", "json"]);
    let list: Value = serde_json::from_str(&text).unwrap();
    let open: Vec<&Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|service| !matches!(service["spec"]["type"].as_str(), Some("ClusterIP")))
        .collect();
    let [service] = open[..] else { panic!("{open:#?}") };
    assert_eq!(service["metadata"]["name"], "thanos-storeapi");
    let ports: Vec<&Value> =
        service["spec"]["ports"].as_array().unwrap().iter().map(|p| &p["port"]).collect();
    assert_eq!(ports, [&json!(10901)]);
    let address = service["status"]["loadBalancer"]["ingress"][0]["ip"].as_str().unwrap();
    assert!(said.contains(&format!("thanos-storeapi answers at {address}")), "{said}");
}

/// The keys are in one Secret: not in any other object, Helm's records of values and manifests
/// included, nor in anything that okemon said.
fn no_key_is_anywhere_else(sandbox: &Sandbox, runs: &[&Ended]) {
    let kinds = sandbox.kubectl(&["api-resources", "--verbs=list", "--output=name"]);
    // Events have no contents of their own, and metrics no objects.
    let kinds: Vec<&str> = kinds.lines().filter(|kind| !kind.starts_with("events")).collect();
    let all = sandbox.kubectl(&["get", &kinds.join(","), "--all-namespaces", "-o", "json"]);
    let secret = sandbox.s3("secretKey");
    let list: Value = serde_json::from_str(&all).unwrap();
    let holders: Vec<&Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|object| everything_in(object).contains(secret))
        .map(|object| &object["metadata"]["name"])
        .collect();
    assert_eq!(holders, ["thanos-objstore-config"]);
    for release in ["prometheus", "thanos", "grafana"] {
        let record = sandbox.helm(&["get", "all", release]);
        assert!(record.contains("USER-SUPPLIED VALUES") && !record.contains(secret), "{record}");
    }
    for run in runs {
        assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{run:?}");
    }
}

/// The text of an object, and what its `data` says when it is decoded.
fn everything_in(object: &Value) -> String {
    let data = object.get("data").and_then(Value::as_object);
    let decoded = data.into_iter().flatten().filter_map(|(_, value)| text(value));
    object.to_string() + &decoded.collect::<String>()
}
