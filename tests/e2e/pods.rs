//! Installs whose pods are run as processes: what they say is what the programs themselves do.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::{Charts, Sandbox, eventually};

/// What something in the namespace answers over HTTP, through the API server.
fn ask(sandbox: &Sandbox, whom: &str, path: &str) -> Value {
    let path: String = path
        .chars()
        .map(|letter| match letter {
            '"' | ' ' | '{' | '}' | '[' | ']' | '+' => format!("%{:02X}", u32::from(letter)),
            other => other.to_string(),
        })
        .collect();
    let raw = format!("/api/v1/namespaces/monitoring/{whom}/proxy{path}");
    serde_json::from_str(&sandbox.kubectl(&["get", "--raw", &raw])).unwrap()
}

/// What Query answers through its Service: the series of an instant query.
fn query(sandbox: &Sandbox, expression: &str) -> Vec<Value> {
    let answer =
        ask(sandbox, "services/thanos-query:9090", &format!("/api/v1/query?query={expression}"));
    answer["data"]["result"].as_array().unwrap().clone()
}

fn label<'a>(series: &'a Value, name: &str) -> &'a str {
    series["metric"][name].as_str().unwrap_or("")
}

/// Waits until there are so many targets, all up.
fn until_every_target_is_up(sandbox: &Sandbox, targets: usize) {
    eventually("every target is up", || {
        let seen = query(sandbox, "up");
        seen.len() == targets && seen.iter().all(|series| series["value"][1] == "1")
    });
}

/// What tells one series of `up` from another.
fn key(series: &Value) -> [&str; 3] {
    ["job", "instance", "metrics_path"].map(|name| label(series, name))
}

/// The targets of each job, once each of them is up; each is one series of this cluster.
fn every_target_once(charts: Charts, targets: usize) -> String {
    let sandbox = Sandbox::up_with_pods(charts);
    sandbox.install();
    until_every_target_is_up(&sandbox, targets);
    let seen = query(&sandbox, "up");
    for series in &seen {
        assert_eq!((label(series, "cluster"), label(series, "prometheus_replica")), ("sin", ""));
        let same = seen.iter().filter(|other| key(other) == key(series)).count();
        assert_eq!(same, 1, "{series}");
    }
    let mut jobs = BTreeMap::new();
    for series in &seen {
        *jobs.entry(label(series, "job")).or_insert(0) += 1;
    }
    jobs.iter().map(|(job, count)| format!("{job}: {count}\n")).collect()
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test-pods"]
fn with_bitnamis_charts_every_target_is_up_once_though_two_replicas_scrape_it() {
    assert_snapshot!(every_target_once(Charts::Bitnami, 27), @"
    apiserver: 1
    kube-state-metrics: 1
    kubelet: 6
    node-exporter: 3
    prometheus-kube-prometheus-alertmanager: 2
    prometheus-kube-prometheus-coredns: 1
    prometheus-kube-prometheus-operator: 1
    prometheus-kube-prometheus-prometheus: 2
    thanos-bucketweb: 1
    thanos-compactor: 1
    thanos-query: 2
    thanos-query-frontend: 2
    thanos-ruler: 2
    thanos-storegateway: 2
    ");
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test-pods"]
fn with_the_communitys_charts_every_target_is_up_once_though_two_replicas_scrape_it() {
    assert_snapshot!(every_target_once(Charts::Community, 36), @"
    apiserver: 1
    coredns: 1
    kube-state-metrics: 1
    kubelet: 9
    node-exporter: 3
    prometheus-kube-prometheus-alertmanager: 4
    prometheus-kube-prometheus-operator: 1
    prometheus-kube-prometheus-prometheus: 4
    thanos-bucketweb: 1
    thanos-compactor: 1
    thanos-query: 2
    thanos-query-frontend: 2
    thanos-ruler: 2
    thanos-sidecar: 2
    thanos-storegateway: 2
    ");
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test-pods"]
fn grafana_signs_in_with_the_secrets_password_and_its_data_source_and_dashboards_answer() {
    let sandbox = Sandbox::up_with_pods(Charts::Bitnami);
    sandbox.install();
    let word = |name: &str| {
        let template = format!("go-template={{{{index .data \"{name}\" | base64decode}}}}");
        sandbox.kubectl(&[
            "get",
            "secret",
            "-n",
            "monitoring",
            "okemon-grafana-admin",
            "-o",
            &template,
        ])
    };
    let (user, password) = (word("admin-user"), word("admin-password"));
    let address = sandbox.object("service", "grafana")["spec"]["clusterIP"].clone();
    let ask = |path: &str, password: &str| -> Value {
        let url = format!("http://{}{path}", address.as_str().unwrap());
        let sign = format!("{user}:{password}");
        let text = sandbox.driver(&["run", "curl", "--silent", "--user", &sign, &url]);
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(ask("/api/datasources", "wrong")["messageId"], "password-auth.failed");
    let sources = ask("/api/datasources", &password);
    assert_eq!(
        (&sources[0]["name"], &sources[0]["type"]),
        (&"Thanos".into(), &"prometheus".into())
    );
    assert_eq!(ask("/api/datasources/uid/thanos/health", &password)["status"], "OK");
    let found = ask("/api/search", &password);
    let titles = found.as_array().unwrap().iter().map(|each| each["title"].as_str().unwrap());
    assert_eq!(
        titles.collect::<Vec<_>>(),
        ["okemon / Cluster", "okemon / Fleet", "okemon / Thanos"]
    );
    eventually("the data source has samples", || {
        let answer =
            ask("/api/datasources/proxy/uid/thanos/api/v1/query?query=count(up)", &password);
        answer["data"]["result"].as_array().is_some_and(|series| !series.is_empty())
    });
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test-pods"]
fn an_alert_of_the_ruler_reaches_every_alertmanager() {
    let sandbox = Sandbox::up_with_pods(Charts::Bitnami);
    let rules = "ruler:\n  config: |-\n    groups:\n      - name: test\n        interval: 5s\n        rules:\n          - alert: Always\n            expr: vector(1)\n";
    std::fs::write(sandbox.path("own.yaml"), rules).unwrap();
    sandbox.configure_cluster("    values: {thanos: own.yaml}\n");
    sandbox.install();
    for replica in 0..2 {
        let pod =
            format!("pods/alertmanager-prometheus-kube-prometheus-alertmanager-{replica}:9093");
        eventually("the alert is there", || {
            let alerts = ask(&sandbox, &pod, "/api/v2/alerts");
            let alerts = alerts.as_array().unwrap().iter();
            let mut found = alerts.filter(|alert| alert["labels"]["alertname"] == "Always");
            // Both rulers send it, and it is one alert.
            found.next().is_some_and(|alert| alert["labels"]["ruler_cluster"] == "sin")
                && found.next().is_none()
        });
    }
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test-pods"]
fn the_loss_of_one_prometheus_leaves_no_gap() {
    let sandbox = Sandbox::up_with_pods(Charts::Bitnami);
    sandbox.install();
    until_every_target_is_up(&sandbox, 27);
    let pod = "prometheus-prometheus-kube-prometheus-prometheus-0";
    let node = r#"up{job="node-exporter"}"#;
    let both = || query(&sandbox, &format!("{node} offset 1m")).len() == 3;
    eventually("there is a minute of samples", both);
    let begin = jiff::Timestamp::now().as_second() - 45;
    sandbox.kubectl(&["delete", "pod", "-n", "monitoring", pod, "--grace-period=0", "--force"]);
    let killed = jiff::Timestamp::now().as_second();
    eventually("half a minute has passed", || jiff::Timestamp::now().as_second() > killed + 30);
    let range =
        format!("/api/v1/query_range?query={node}&start={begin}&end={}&step=5", killed + 30);
    let answer = ask(&sandbox, "services/thanos-query:9090", &range);
    let series = answer["data"]["result"].as_array().unwrap();
    assert_eq!(series.len(), 3, "{answer}");
    for each in series {
        let values = each["values"].as_array().unwrap();
        assert_eq!(values.len(), 16, "{each}");
        assert!(values.iter().all(|value| value[1] == "1"), "{each}");
    }
}

/// Blocks of an earlier day lie in the volume of a Prometheus, as if it had made them. Its sidecar uploads them, the
/// store gateways serve them, the compactor makes one of four of them.
#[test]
#[ignore = "needs root, bubblewrap and nftables: make test-pods"]
fn blocks_are_uploaded_served_and_compacted() {
    let sandbox = Sandbox::up_with_pods(Charts::Bitnami);
    sandbox.install();
    let claim = "prometheus-prometheus-kube-prometheus-prometheus-db-prometheus-prometheus-kube-prometheus-prometheus-0";
    let volume = sandbox.object("persistentvolumeclaim", claim)["spec"]["volumeName"].clone();
    let data =
        sandbox.path("clusters/sin/volumes").join(volume.as_str().unwrap()).join("prometheus-db");
    let day = jiff::Timestamp::now().as_second() / 86_400 * 86_400 - 2 * 86_400;
    write_blocks(&sandbox, day, &data);

    let blocks = || -> Vec<Value> {
        let metas = std::fs::read_dir(sandbox.path("s3/thanos")).unwrap().flatten();
        let texts =
            metas.filter_map(|block| std::fs::read_to_string(block.path().join("meta.json")).ok());
        texts.map(|text| serde_json::from_str(&text).unwrap()).collect()
    };
    let levels = || {
        let mut levels: Vec<i64> =
            blocks().iter().map(|meta| meta["compaction"]["level"].as_i64().unwrap()).collect();
        levels.sort_unstable();
        levels
    };
    eventually("the blocks are uploaded", || levels() == [1; 6]);
    for meta in blocks() {
        let labels = &meta["thanos"]["labels"];
        assert_eq!(
            (&labels["cluster"], &labels["region"]),
            (&"sin".into(), &"ap-singapore-1".into())
        );
    }

    // A store gateway looks for new blocks every 15 minutes, and when it begins.
    sandbox.kubectl(&[
        "delete",
        "pod",
        "-n",
        "monitoring",
        "-l",
        "app.kubernetes.io/component=storegateway",
    ]);
    let at = day + 3600;
    eventually("Query answers from the blocks", || {
        let store = sandbox.object("pod", "thanos-storegateway-0")["status"]["podIP"].clone();
        let store = format!("{{__address__=\"{}:10901\"}}", store.as_str().unwrap_or(""));
        let path = format!("/api/v1/query?query=of_another_day&time={at}&storeMatch[]={store}");
        let answer = ask(&sandbox, "services/thanos-query:9090", &path);
        let series = answer["data"]["result"].as_array().unwrap();
        series.len() == 1 && label(&series[0], "cluster") == "sin" && series[0]["value"][1] == "1"
    });

    // Blocks this young the compactor leaves alone; the same program without that patience does not.
    let compact = "thanos compact --data-dir=/data/once --objstore.config-file=/conf/objstore.yml --consistency-delay=0s --http-address=127.0.0.1:0 --delete-delay=0s";
    sandbox.kubectl(&[
        "exec",
        "-n",
        "monitoring",
        "deploy/thanos-compactor",
        "--",
        "sh",
        "-c",
        &format!("/bin/{compact}"),
    ]);
    assert_eq!(levels(), [1, 1, 2], "the newest ones stay as they are");
}

/// Blocks of two hours each, of one series that is 1 for twelve hours.
fn write_blocks(sandbox: &Sandbox, begin: i64, data: &std::path::Path) {
    let mut text = "# TYPE of_another_day gauge\n".to_owned();
    for minute in 0..720 {
        text += &format!("of_another_day 1 {}\n", begin + minute * 60);
    }
    let samples = sandbox.path("samples.txt");
    std::fs::write(&samples, text + "# EOF\n").unwrap();
    let promtool = crate::charts::tool("promtool", &["--pods"]);
    let blocks = sandbox.path("blocks");
    let mut create = std::process::Command::new(promtool);
    create.args(["tsdb", "create-blocks-from", "openmetrics"]).args([samples, blocks.clone()]);
    let ended = crate::sandbox::ran(&mut create);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let mut copy = std::process::Command::new("cp");
    let copy = copy.args(["--recursive", "--preserve=mode"]).arg(blocks.join("."));
    let ended = crate::sandbox::ran(copy.arg(data));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut own = std::process::Command::new("chown");
    own.arg("--recursive").arg("--reference").arg(data.join("wal")).arg(data);
    let ended = crate::sandbox::ran(&mut own);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// Each of these mistakes is accepted by charts and API alike, and seen only where programs run.
#[test]
#[ignore = "needs root, bubblewrap and nftables: make test-pods"]
fn a_mistake_in_the_values_is_seen_in_what_runs() {
    let sandbox = Sandbox::up_with_pods(Charts::Bitnami);
    let own = |text: &str| std::fs::write(sandbox.path("own.yaml"), text).unwrap();
    own("query: {}");
    sandbox.configure_cluster("    values: {thanos: own.yaml}\n");
    sandbox.install();
    until_every_target_is_up(&sandbox, 27);

    own("query: {replicaLabel: [ruler_replica]}");
    sandbox.install();
    eventually("each replica has series of its own", || query(&sandbox, "up").len() == 54);

    own("query: {stores: [dns+prometheus-operatde.monitoring.svc.cluster.local:10901]}");
    sandbox.install();
    eventually("no sidecar is found, so nothing is", || query(&sandbox, "up").is_empty());

    own("query: {}");
    sandbox.kubectl(&[
        "patch",
        "secret",
        "-n",
        "monitoring",
        "thanos-objstore-config",
        "--type=json",
        "-p",
        r#"[{"op": "move", "from": "/data/objstore.yml", "path": "/data/other.yml"}]"#,
    ]);
    sandbox.kubectl(&["delete", "pod", "-n", "monitoring", "thanos-storegateway-1"]);
    let warnings = || {
        sandbox.kubectl(&[
            "get",
            "events",
            "-n",
            "monitoring",
            "--field-selector",
            "involvedObject.name=thanos-storegateway-1,reason=FailedMount",
            "-o",
            "jsonpath={.items[*].message}",
        ])
    };
    let words = r#"MountVolume.SetUp failed for volume "objstore-config" : references non-existent secret key: objstore.yml"#;
    eventually("the missing key is told", || warnings() == words);
    sandbox.install(); // which puts it right
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test-pods"]
fn a_prometheus_that_compacts_by_itself_is_refused_by_its_sidecar() {
    let sandbox = Sandbox::up_with_pods(Charts::Bitnami);
    let own = sandbox.path("prometheus.yaml");
    std::fs::write(own, "prometheus: {disableCompaction: false}").unwrap();
    sandbox.configure_cluster("    values: {prometheus: prometheus.yaml}\n");
    let ended = sandbox.run(&["install", "--region", "sin", "--timeout", "90s"]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    let pod = "prometheus-prometheus-kube-prometheus-prometheus-0";
    let unready = format!(
        "pod/{pod} and 1 more: Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503"
    );
    assert!(ended.stderr.contains(&unready), "{}", ended.stderr);
    let log = sandbox.kubectl(&["logs", "-n", "monitoring", pod, "-c", "thanos-sidecar"]);
    assert!(log.contains("Compaction needs to be disabled"), "{log}");
}
