//! What is told of a cluster.

use serde_json::json;

use super::*;
use crate::content::fixtures::{cluster, config};
use crate::plan::install;
use crate::report;
use crate::tools::http::Answer;

fn empty() -> Status {
    Status::new(&config(), &cluster())
}

fn listed(releases: &[(&str, &str, &str)]) -> Vec<Release> {
    let release = |(name, chart, status): &(&str, &str, &str)| {
        json!({"name": name, "namespace": "monitoring", "revision": "3", "updated": "",
            "status": status, "chart": chart, "app_version": "1"})
    };
    let list = serde_json::Value::from(releases.iter().map(release).collect::<Vec<_>>());
    let wanted = install::releases(&config(), &cluster()).into_array();
    super::releases(&wanted, &list.to_string()).unwrap()
}

fn told(status: &Status) -> String {
    report::status(std::slice::from_ref(status), "2026-11-28T12:00:00Z".parse().unwrap(), false)
}

fn said(body: String) -> Answer {
    Answer { status: 200, date: None, body }
}

fn replies(stores: &serde_json::Value, page: &str) -> Vec<(Question, Reply)> {
    let question = |topic| Question { topic, pod: "pod".to_owned(), port: 1 };
    vec![
        (question(Topic::Stores), Ok(said(json!({"data": {"store": stores}}).to_string()))),
        (question(Topic::Compactor), Ok(said(page.to_owned()))),
    ]
}

#[test]
fn a_cluster_that_is_well_is_told_in_a_few_lines() {
    let claim = json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "data-thanos-ruler-0"},
        "status": {"phase": "Bound", "capacity": {"storage": "50Gi"}}});
    let snapshot = Snapshot::parse(&json!({"kind": "List", "items": [claim]}).to_string()).unwrap();
    let mut status = Status {
        releases: listed(&[
            ("prometheus", "kube-prometheus-11.3.10", "deployed"),
            ("thanos", "thanos-17.3.1", "deployed"),
            ("grafana", "grafana-12.11.1", "deployed"),
            ("somebody-elses", "x-1.0.0", "deployed"),
        ]),
        ..empty()
    };
    let addresses = vec![("thanos-storeapi".to_owned(), "10.0.0.9".to_owned())];
    status.see(&snapshot, Diagnosis { ready: 13, of: 13, addresses, ..Diagnosis::default() });
    let reaching = "2026-11-28T10:00:00Z".parse::<Timestamp>().unwrap().as_millisecond();
    let stores = json!([
        {"labelSets": [{"cluster": "sin"}], "maxTime": reaching},
        {"labelSets": [{"cluster": "syd"}], "maxTime": reaching + 60_000},
        {"labelSets": [], "maxTime": i64::MIN},
    ]);
    status.hear(&replies(&stores, "thanos_compact_halted 0\n"));
    assert!(status.is_well());
    insta::assert_snapshot!(told(&status), @"
    sin: ap-singapore-1, context oke-sin, namespace monitoring
      prometheus       kube-prometheus-11.3.10, revision 3
      thanos           thanos-17.3.1, revision 3
      grafana          grafana-12.11.1, revision 3
      ready            13 of 13
      thanos-storeapi  10.0.0.9
      volumes          1 of 1 bound
      history          until 2h00m ago in the bucket
    ");
}

#[test]
fn what_is_behind_unfinished_or_missing_is_said() {
    let mut status = Status {
        releases: listed(&[
            ("prometheus", "kube-prometheus-11.2.0", "deployed"),
            ("thanos", "thanos-17.3.1", "pending-upgrade"),
        ]),
        ..empty()
    };
    let finding = Finding {
        id: crate::diagnose::catalogue::Id::ImageMissing,
        object: "pod/thanos-query-1".to_owned(),
        reason: "ImagePullBackOff: no such image".to_owned(),
        hint: Some("`kubectl describe pod`".to_owned()),
        severity: crate::diagnose::Severity::Final,
    };
    let claim =
        json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "data-thanos-ruler-0"}});
    let snapshot = Snapshot::parse(&json!({"kind": "List", "items": [claim]}).to_string()).unwrap();
    let findings = vec![finding];
    status.see(&snapshot, Diagnosis { ready: 3, of: 9, findings, ..Diagnosis::default() });
    status.hear(&replies(&json!([]), "thanos_compact_halted 1\n"));
    assert!(!status.is_well());
    insta::assert_snapshot!(told(&status), @"
    sin: ap-singapore-1, context oke-sin, namespace monitoring
      prometheus       kube-prometheus-11.2.0, revision 3; an install brings kube-prometheus-11.3.10
      thanos           thanos-17.3.1, revision 3, pending-upgrade
      grafana          not installed; an install brings grafana-12.11.1
      ready            3 of 9
        pod/thanos-query-1: ImagePullBackOff: no such image (OKM-IMAGE-MISSING)
            hint: `kubectl describe pod`
      volumes          0 of 1 bound, data-thanos-ruler-0 is Pending
      history          no block in the bucket yet; the compactor has halted (OKM-COMPACTOR-HALTED)
    ");
}

#[test]
fn a_cluster_that_cannot_be_seen_says_why() {
    let why = "running `kubectl get`: Unable to connect to the server: EOF";
    let status = Status { unseen: Some(why.to_owned()), ..empty() };
    assert!(!status.is_well());
    insta::assert_snapshot!(told(&status), @"
    sin: ap-singapore-1, context oke-sin, namespace monitoring
      unseen           running `kubectl get`: Unable to connect to the server: EOF
    ");
}

#[test]
fn a_list_that_is_none_is_an_error() {
    let wanted = install::releases(&config(), &cluster()).into_array();
    let error = super::releases(&wanted, "<html>").unwrap_err();
    insta::assert_snapshot!(format!("{error:#}"), @"reading the list of releases: expected value at line 1 column 1");
}
