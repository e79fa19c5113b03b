//! Installs whose pods are run as processes: what they say is what the programs themselves do.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::docs;
use crate::history;
use crate::proofs::{self, query};
use crate::sandbox::{Sandbox, eventually};
use crate::variants::Charts;

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test runs it where they are"]
fn what_bitnamis_charts_install_scrapes_keeps_alerts_and_shows() {
    let sandbox = installed(Charts::Bitnami);
    assert_snapshot!(proven(&sandbox), @"
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
    thanos-sidecar: 2
    thanos-storegateway: 2
    sin
      ok       pods           12 of 12 workloads are ready
      ok       targets        29 of 29 are up
      ok       rules          36 are evaluated
      ok       sidecars       2 see their Prometheus
      ok       stores         Query asks 2 sidecars, 2 store gateways, 2 rulers
      ok       query          29 targets
      ok       frontend       29 targets
      ok       uploads        nothing has failed; the next block
      ok       compactor      one runs, and has not halted
      ok       alertmanagers  2 are ready and know each other, and every Prometheus sends to them
      ok       grafana        its data source answers; 3 dashboards
    Verified: 11 passed.
    ");
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test runs it where they are"]
fn what_the_communitys_charts_install_scrapes_keeps_alerts_and_shows() {
    let sandbox = installed(Charts::Community);
    assert_snapshot!(proven(&sandbox), @"
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
    sin
      ok       pods           12 of 12 workloads are ready
      ok       targets        36 of 36 are up
      ok       rules          65 are evaluated
      ok       sidecars       2 see their Prometheus
      ok       stores         Query asks 2 sidecars, 1 store gateways, 2 rulers
      ok       query          36 targets
      ok       frontend       36 targets
      ok       uploads        nothing has failed; the next block
      ok       compactor      one runs, and has not halted
      ok       alertmanagers  2 are ready and know each other, and every Prometheus sends to them
      ok       grafana        its data source answers; 3 dashboards
    Verified: 11 passed.
    ");
}

/// Each of these mistakes is accepted by charts and API alike, and seen only where programs run.
#[test]
#[ignore = "needs root, bubblewrap and nftables: make test runs it where they are"]
fn each_mistake_makes_one_proof_fail() {
    let sandbox = installed(Charts::Bitnami);
    history::lay(&sandbox);
    until_failing(&sandbox, &[]);

    make(&sandbox, "thanos", |values| values["query"]["replicaLabel"] = json!(["ruler_replica"]));
    until_failing(&sandbox, &["targets"]);
    until_broken(&sandbox, &["query"]);
    let misspelt = "dns+prometheus-operatde.monitoring.svc.cluster.local:10901";
    make(&sandbox, "thanos", |values| values["query"]["stores"] = json!([misspelt]));
    until_failing(&sandbox, &["targets"]);
    until_broken(&sandbox, &["stores"]);
    // Two at once, of which each has its own proof.
    let nobody = "http://nobody:9093";
    make(&sandbox, "thanos", |values| values["ruler"]["alertmanagers"] = json!([nobody]));
    let dashboards = ["delete", "configmap", "-n", "monitoring", "-l", "grafana_dashboard"];
    sandbox.kubectl(&dashboards);
    until_failing(&sandbox, &["alerts", "grafana"]);
    sandbox.apply(BROKEN);
    let scale = |replicas: &str| {
        let compactor = ["scale", "deployment", "-n", "monitoring", "thanos-compactor"];
        sandbox.kubectl(&[&compactor[..], &["--replicas", replicas]].concat());
    };
    scale("2");
    until_broken(&sandbox, &["targets", "rules", "compactor", "grafana"]);
    scale("1");
    let broken = ["services/nobody", "servicemonitors/nobody", "prometheusrules/broken"];
    sandbox.kubectl(&[&["delete", "-n", "monitoring"], &broken[..]].concat());

    write_values(&sandbox, "thanos", &values(Charts::Bitnami, "thanos"));
    sandbox.install(); // which brings the dashboards back, too
    let moved = r#"[{"op": "move", "from": "/data/objstore.yml", "path": "/data/other.yml"}]"#;
    let secret = ["patch", "secret", "-n", "monitoring", "thanos-objstore-config"];
    sandbox.kubectl(&[&secret[..], &["--type=json", "-p", moved]].concat());
    history::restart_stores(&sandbox);
    until_failing(&sandbox, &["history"]);
    until_broken(&sandbox, &["pods"]);

    sandbox.install(); // which puts the key back
    until_failing(&sandbox, &[]);
    let compacts = json!({"prometheus": {"disableCompaction": false}});
    write_values(&sandbox, "prometheus", &compacts);
    let ended = sandbox.run(&["prometheus", "--timeout", "30s"]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    until_failing(&sandbox, &["targets"]);
    until_broken(&sandbox, &["pods"]);
    let pod = "prometheus-prometheus-kube-prometheus-prometheus-1";
    let log = sandbox.kubectl(&["logs", "-n", "monitoring", pod, "-c", "thanos-sidecar"]);
    assert!(log.contains("Compaction needs to be disabled"), "{log}");
}

/// An install with one more alert, which the rulers always fire, and a compactor that does not wait for blocks to age.
fn installed(charts: Charts) -> Sandbox {
    let sandbox = Sandbox::up_with_pods(charts);
    sandbox.configure_cluster("    values: {thanos: thanos.yaml, prometheus: prometheus.yaml}\n");
    for release in ["prometheus", "thanos"] {
        write_values(&sandbox, release, &values(charts, release));
    }
    sandbox.install();
    sandbox
}

/// Changes a release: the values of [`installed`], but for a mistake.
fn make(sandbox: &Sandbox, release: &str, mistake: impl FnOnce(&mut Value)) {
    let mut values = values(sandbox.charts(), release);
    mistake(&mut values);
    write_values(sandbox, release, &values);
    let ended = sandbox.run(&[release]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

fn values(charts: Charts, release: &str) -> Value {
    let rules = "groups: [{name: test, interval: 5s, rules: [{alert: Always, expr: vector(1)}]}]";
    match (release, charts) {
        ("thanos", Charts::Bitnami) => {
            json!({"ruler": {"config": rules}, "compactor": {"consistencyDelay": "0s"}})
        }
        ("thanos", Charts::Community) => json!({
            "ruler": {"rules": {"always.yaml": rules}},
            "compactor": {"extraArgs": ["--consistency-delay=0s"]},
        }),
        _ => json!({}),
    }
}

/// As a file of one's own; JSON is YAML.
fn write_values(sandbox: &Sandbox, release: &str, values: &Value) {
    std::fs::write(sandbox.path(&format!("{release}.yaml")), values.to_string()).unwrap();
}

/// All that has to hold, also when blocks are compacted; the targets of each job, and what a verification says.
fn proven(sandbox: &Sandbox) -> String {
    // At once, though little has been scraped and nothing uploaded.
    let fresh = sandbox.run(&["verify"]);
    assert_eq!(fresh.code, Some(0), "{}", fresh.stdout);
    let status = sandbox.run(&["status"]);
    assert_eq!(status.code, Some(0), "{}", status.stdout);
    if sandbox.charts() == Charts::Bitnami {
        docs::shows_status(&status.stdout);
    }
    history::lay(sandbox);
    until_failing(sandbox, &[]);
    history::restart_compactor(sandbox);
    let compacted = [1, 1, 1, 1, 1, 1, 2];
    eventually("four blocks are one", || history::levels(sandbox) == compacted);
    history::restart_stores(sandbox);
    until_failing(sandbox, &[]);
    assert_eq!(history::levels(sandbox), compacted);
    let verified = verified(sandbox);
    if sandbox.charts() == Charts::Bitnami {
        docs::shows_verified(steady, &verified);
    }
    let told = proofs::jobs(sandbox) + &steady(&verified);
    // Last: what was lost counts as up for a while, since nobody says that it ended.
    the_loss_of_one_prometheus_leaves_no_gap(sandbox);
    told
}

/// What a verification of a cluster says in which all is well.
fn verified(sandbox: &Sandbox) -> String {
    let ended = sandbox.run(&["verify"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    ended.stdout
}

/// What a verification says, the same in every run.
fn steady(said: &str) -> String {
    let steady = |line: &str| {
        let (said, _) = line.split_once(", the newest sample").unwrap_or((line, ""));
        let (said, _) = said.split_once(" is due by").unwrap_or((said, ""));
        format!("{said}\n")
    };
    said.lines().map(steady).collect()
}

/// Waits until a verification finds these hops broken and no others.
fn until_broken(sandbox: &Sandbox, hops: &[&str]) {
    let deadline = Instant::now() + Duration::from_mins(5);
    loop {
        let ended = sandbox.run(&["verify", "--output", "json"]);
        let said: Value = serde_json::from_str(&ended.stdout).unwrap();
        let checks = said["checks"].as_array().unwrap().iter();
        let failed = checks.filter(|check| check["verdict"] == "failed");
        let mut broken: Vec<&str> = failed.map(|check| check["check"].as_str().unwrap()).collect();
        broken.dedup();
        if broken == hops {
            assert_eq!(ended.code, Some(if hops.is_empty() { 0 } else { 3 }));
            return;
        }
        assert!(Instant::now() < deadline, "{hops:?} should be broken: {said:#}");
        std::thread::sleep(Duration::from_secs(3));
    }
}

/// Somebody else's objects: a target where nobody listens, a rule that cannot be evaluated.
const BROKEN: &str = "
{apiVersion: v1, kind: Service, metadata: {name: nobody, namespace: monitoring, labels: {app: nobody}},
 spec: {selector: {app.kubernetes.io/name: grafana}, ports: [{name: web, port: 1, targetPort: 1}]}}
---
{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: nobody, namespace: monitoring},
 spec: {selector: {matchLabels: {app: nobody}}, endpoints: [{port: web, interval: 5s}]}}
---
{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, metadata: {name: broken, namespace: monitoring},
 spec: {groups: [{name: broken, interval: 5s, rules: [{alert: Broken, expr: up + on() up}]}]}}
";

/// Waits until these proofs fail and no others, in two looks one after the other.
fn until_failing(sandbox: &Sandbox, names: &[&str]) {
    let deadline = Instant::now() + Duration::from_mins(15);
    let mut before = false;
    loop {
        let failing = proofs::failing(sandbox);
        let now = failing.keys().eq(names);
        if before && now {
            return;
        }
        assert!(Instant::now() < deadline, "{names:?} should fail, and not {failing:#?}");
        before = now;
        // Looking takes the processors from what is looked at.
        std::thread::sleep(Duration::from_secs(3));
    }
}

/// Query goes on to answer, and the other one to scrape.
fn the_loss_of_one_prometheus_leaves_no_gap(sandbox: &Sandbox) {
    let pod = "prometheus-prometheus-kube-prometheus-prometheus-0";
    let other = "prometheus-prometheus-kube-prometheus-prometheus-1";
    let of_the_other = format!(
        r#"timestamp(up{{job="node-exporter",prometheus_replica="{other}"}}==1)&dedup=false"#
    );
    let newest = |of: &str| -> Vec<f64> {
        let series = query(sandbox, of, "5m").unwrap();
        series.iter().map(|each| each["value"][1].as_str().unwrap().parse().unwrap()).collect()
    };
    sandbox.kubectl(&["delete", "pod", "-n", "monitoring", pod, "--grace-period=0", "--force"]);
    let lost = jiff::Timestamp::now().as_duration().as_secs_f64();
    eventually("samples go on", || {
        assert_eq!(newest(r#"timestamp(up{job="node-exporter"})"#).len(), 3);
        let other = newest(&of_the_other);
        other.len() == 3 && other.iter().all(|at| *at > lost)
    });
}
