//! An install on an empty cluster: what it leaves, what it says, and what it refuses.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::objects::text;
use crate::sandbox::{Ended, LOAD_BALANCER, Sandbox, ran, without_keys};
use crate::variants::Charts;

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
    sin/namespace  $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f - < manifests/namespace.yaml
    sin/namespace  created the namespace (T)
    sin/lock  take the lock ...
    sin/lock  took the lock (T)
    sin/admin  $ kubectl --context oke-sin --namespace monitoring create --validate=false --field-manager okemon -f - < manifests/grafana-admin.yaml
    sin/admin  made Grafana's admin password (T)
    sin/admin  make Grafana's admin password ...
    sin/bucket  $ printf 'user = "%s:%s"' "$OKEMON_S3_ACCESS_KEY" "$OKEMON_S3_SECRET_KEY" | curl --config - --aws-sigv4 aws:amz:ap-singapore-1:s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -X PUT S3/thanos
    sin/bucket  create the bucket thanos in ap-singapore-1 ...
    sin/bucket  created the bucket thanos in ap-singapore-1 (T)
    sin/crds  $ helm show crds CHARTS/kube-prometheus-11.3.10.tgz | kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f -
    sin/crds  $ until kubectl --context oke-sin --namespace monitoring get prometheuses.monitoring.coreos.com,alertmanagers.monitoring.coreos.com,servicemonitors.monitoring.coreos.com,prometheusrules.monitoring.coreos.com,podmonitors.monitoring.coreos.com,probes.monitoring.coreos.com,alertmanagerconfigs.monitoring.coreos.com,prometheusagents.monitoring.coreos.com,scrapeconfigs.monitoring.coreos.com,thanosrulers.monitoring.coreos.com --output name; do sleep 1; done
    sin/crds  applied the operator's custom resource definitions (T)
    sin/crds  apply the operator's custom resource definitions ...
    sin/dashboards  $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f - < manifests/dashboard.yaml < manifests/dashboard.yaml < manifests/dashboard.yaml
    sin/dashboards  provision 3 dashboards ...
    sin/dashboards  provisioned 3 dashboards (T)
    sin/grafana  $ helm upgrade --install grafana CHARTS/grafana-12.11.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: grafana-12.11.1 sha256:DIGEST' --values - --kube-context oke-sin --namespace monitoring < values/grafana.yaml
    sin/grafana  install grafana 12.11.1 ...
    sin/grafana  installed grafana 12.11.1 (T)
    sin/prometheus  $ helm upgrade --install prometheus CHARTS/kube-prometheus-11.3.10.tgz --skip-crds --disable-openapi-validation --description 'okemon: kube-prometheus-11.3.10 sha256:DIGEST' --values - --kube-context oke-sin --namespace monitoring < values/bitnami/prometheus.yaml
    sin/prometheus  install kube-prometheus 11.3.10 ...
    sin/prometheus  installed kube-prometheus 11.3.10 (T)
    sin/secret  $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f - < manifests/objstore.yaml
    sin/secret  store the bucket's keys in the Secret thanos-objstore-config ...
    sin/secret  stored the bucket's keys in the Secret thanos-objstore-config (T)
    sin/storeapi  $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f - < manifests/storeapi.yaml
    sin/storeapi  publish the StoreAPI by the Service thanos-storeapi ...
    sin/storeapi  published the StoreAPI by the Service thanos-storeapi (T)
    sin/thanos  $ helm upgrade --install thanos CHARTS/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:DIGEST' --values - --values own.yaml --kube-context oke-sin --namespace monitoring < values/bitnami/thanos.yaml
    sin/thanos  install thanos 17.3.1 ...
    sin/thanos  installed thanos 17.3.1 (T)
    sin/ready  wait until everything runs ...
    sin/ready  13 of 13 ready; thanos-storeapi answers at ADDRESS (T)
    Done: 10 changed, 1 unchanged (T)
    "#);

    assert_eq!(sandbox.releases(), RELEASES);
    assert_eq!(sandbox.buckets(), ["thanos"]);
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
    let chart = crate::charts::charts(Charts::Bitnami).join("kube-prometheus-11.3.10.tgz");
    let definitions = sandbox.helm(&["show", "crds", chart.to_str().unwrap()]);
    sandbox.apply(&annotated(&definitions, "0.99.0"));
    let mark = sandbox.mark();

    std::fs::write(sandbox.path("access"), sandbox.s3("accessKey")).unwrap();
    std::fs::write(sandbox.path("secret"), sandbox.s3("secretKey")).unwrap();
    let charts = crate::charts::charts(Charts::Bitnami);
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
    assert_eq!(sandbox.buckets(), ["fleet-blocks"]);
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
    assert_eq!(sandbox.buckets(), ["thanos"]);
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
