//! Installs whose pods are run as processes: what they say is what the programs themselves do.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sandbox::{Charts, Sandbox, eventually};

/// What Query answers through its Service: the series of an instant query.
fn query(sandbox: &Sandbox, query: &str) -> Vec<Value> {
    let path = format!(
        "/api/v1/namespaces/monitoring/services/thanos-query:9090/proxy/api/v1/query?query={}",
        query.replace('"', "%22").replace(' ', "%20").replace('{', "%7B").replace('}', "%7D")
    );
    let answer: Value = serde_json::from_str(&sandbox.kubectl(&["get", "--raw", &path])).unwrap();
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

fn every_target_is_up_once(charts: Charts) {
    let sandbox = Sandbox::up_with_pods(charts);
    sandbox.install();
    eventually("every target is up", || {
        let jobs = targets(&sandbox);
        jobs.len() > 8 && jobs.values().all(|(up, all)| up == all)
    });
    let mut seen = query(&sandbox, "up");
    assert!(seen.iter().all(|series| label(series, "cluster") == "sin"), "{seen:?}");
    assert!(seen.iter().all(|series| label(series, "prometheus_replica").is_empty()), "{seen:?}");
    let all = seen.len();
    // One job scrapes three paths of each kubelet.
    seen.sort_by_key(|series| key(series));
    seen.dedup_by_key(|series| key(series));
    assert_eq!(seen.len(), all, "{seen:?}");
}

fn key(series: &Value) -> [String; 3] {
    ["job", "instance", "metrics_path"].map(|name| label(series, name).to_owned())
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test-pods"]
fn with_bitnamis_charts_every_target_is_up_once_though_two_replicas_scrape_it() {
    every_target_is_up_once(Charts::Bitnami);
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test-pods"]
fn with_the_communitys_charts_every_target_is_up_once_though_two_replicas_scrape_it() {
    every_target_is_up_once(Charts::Community);
}
