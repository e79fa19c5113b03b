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

/// How many targets of each job are up, and how many there are.
fn targets(sandbox: &Sandbox) -> BTreeMap<String, (usize, usize)> {
    let mut jobs = BTreeMap::new();
    for series in query(sandbox, "up") {
        let (up, all): &mut (usize, usize) =
            jobs.entry(label(&series, "job").to_owned()).or_default();
        *all += 1;
        *up += usize::from(series["value"][1] == "1");
    }
    jobs
}

fn until_every_target_is_up(sandbox: &Sandbox, jobs: usize) {
    eventually("every target is up", || {
        let seen = targets(sandbox);
        seen.len() == jobs && seen.values().all(|(up, all)| up == all)
    });
}

/// What tells one series of `up` from another.
fn key(series: &Value) -> [&str; 3] {
    ["job", "instance", "metrics_path"].map(|name| label(series, name))
}

/// The targets of each job, once each of them is up; each is one series of this cluster.
fn every_target_once(charts: Charts, jobs: usize) -> String {
    let sandbox = Sandbox::up_with_pods(charts);
    sandbox.install();
    until_every_target_is_up(&sandbox, jobs);
    let seen = query(&sandbox, "up");
    for series in &seen {
        assert_eq!((label(series, "cluster"), label(series, "prometheus_replica")), ("sin", ""));
        let same = seen.iter().filter(|other| key(other) == key(series)).count();
        assert_eq!(same, 1, "{series}");
    }
    let lines = targets(&sandbox).into_iter().map(|(job, (up, _))| format!("{job}: {up}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test-pods"]
fn with_bitnamis_charts_every_target_is_up_once_though_two_replicas_scrape_it() {
    assert_snapshot!(every_target_once(Charts::Bitnami, 14), @"");
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test-pods"]
fn with_the_communitys_charts_every_target_is_up_once_though_two_replicas_scrape_it() {
    assert_snapshot!(every_target_once(Charts::Community, 14), @"
    apiserver: 1
    coredns: 1
    kube-state-metrics: 1
    kubelet: 8
    node-exporter: 3
    prometheus-kube-prometheus-alertmanager: 3
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
    until_every_target_is_up(&sandbox, 14);
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
