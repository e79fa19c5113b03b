mod taking_over;
mod unfinished;

use serde_json::json;

use super::*;
use crate::plan::Intent;
use crate::plan::testing::{archive, digest, failed, intent, said, told};

fn release() -> Release {
    let Intent::Release(release) = intent("sin/thanos") else { panic!() };
    *release
}

/// The newest revision, as wanted.
fn revision() -> Value {
    let release = release();
    json!({
        "version": 3,
        "info": {
            "status": "deployed",
            "description": release.description(Some("aaaabbbbccccdddd")),
            "resources": {"v1/Service": [{"kind": "Service", "metadata": {"name": "thanos-query"}}]},
        },
        "config": release.rendered_values().unwrap(),
        "manifest": "kind: Service\nmetadata: {name: thanos-query}\n",
    })
}

/// What is decided about a revision that differs from what is wanted as `change` says.
fn decided(change: impl FnOnce(&mut Value)) -> String {
    answered(&release(), change, &[])
}

/// The same, when the questions whose command has these words are answered like this, and all others
/// by nothing.
fn answered(
    release: &Release,
    change: impl FnOnce(&mut Value),
    known: &[(&str, Answer)],
) -> String {
    let mut status = revision();
    change(&mut status);
    talked(release, said(&status.to_string()), known)
}

/// What is decided when this is Helm's answer about the newest revision.
fn talked(release: &Release, status: Answer, known: &[(&str, Answer)]) -> String {
    let chart = &release.release.chart;
    let mut answers = vec![archive(chart.name, &chart.version, "aaaabbbbccccdddd"), status];
    while let Some(call) = release.ask(&answers) {
        let call = call.to_string();
        let found = known.iter().find(|(words, _)| call.contains(words));
        answers.push(found.map_or_else(|| said(""), |(_, answer)| answer.clone()));
    }
    told(&release.decide(&answers))
}

const UPGRADE: &str = "$ helm upgrade --install thanos /charts/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:aaaabbbbccccdddd' --values - --kube-context oke-sin --namespace monitoring";

#[test]
fn a_release_that_is_as_wanted_is_left_alone() {
    assert_eq!(decided(|_| {}), "unchanged");
}

#[test]
fn a_release_that_is_not_there_is_installed() {
    let answers = [digest("aaaabbbbccccdddd"), failed("Error: release: not found")];
    let told = told(&release().decide(&answers));
    assert_eq!(told, format!("Add: install thanos 17.3.1\n  {UPGRADE}"));
}

#[test]
fn every_difference_is_named_and_makes_one_upgrade() {
    let told = decided(|status| {
        status["config"]["query"]["replicaCount"] = json!(1);
        status["info"]["resources"] = json!({});
        status["info"]["description"] = json!("okemon: thanos-17.2.0 sha256:eeeeffff");
    });
    let expected = format!(
        "Change: change thanos 17.3.1\n  chart: thanos-17.2.0 sha256:eeeeffff -> thanos-17.3.1 sha256:aaaabbbbcccc\n  query.replicaCount: 1 -> 2\n  + Service/thanos-query\n  {UPGRADE}"
    );
    assert_eq!(told, expected);
}

#[test]
fn a_release_whose_kinds_are_gone_is_upgraded() {
    let gone = failed(
        "Error: unable to build kubernetes objects: no matches for kind \"ServiceMonitor\" in version \"monitoring.coreos.com/v1\"",
    );
    let of = |chart: &str, kept: &str| {
        let description = "okemon: thanos-17.3.1 sha256:aaaabbbbccccdddd";
        let history = json!([{"revision": 3, "status": "deployed", "chart": chart, "description": description}]);
        let mut values = revision()["config"].clone();
        values["compactor"]["retentionResolutionRaw"] = json!(kept);
        let known =
            [("history", said(&history.to_string())), ("get values", said(&values.to_string()))];
        talked(&release(), gone.clone(), &known)
    };
    let upgraded = format!("Change: change thanos 17.3.1\n  {KINDS_GONE}\n  {UPGRADE}");
    assert_eq!(of("thanos-17.3.1", "365d"), upgraded);
    // All that a change costs is told as ever.
    assert!(of("thanos-17.3.1", "500d").contains("is deleted from the bucket"));
}

#[test]
fn what_was_there_is_shown_only_where_it_can_be_no_secret() {
    let there = json!({
        "query": {"replicaCount": 1},
        "queryFrontend": {"config": "type: REDIS\nconfig: {password: p4ssword}"},
        "compactor": {"retentionResolutionRaw": "30d", "persistence": {"size": "p4ssword"}},
    });
    let mut change = Change::default();
    release().differences(&there, &Value::Null, &mut change).unwrap();
    let lines = change.lines;
    assert!(lines.iter().all(|line| !line.contains("p4ss")), "{lines:?}");
    for line in [
        "query.replicaCount: 1 -> 2",
        "queryFrontend.config",
        "compactor.persistence.size",
        "compactor.retentionResolutionRaw: \"30d\" -> \"365d\"",
    ] {
        assert!(lines.iter().any(|there| there == line), "{line} in {lines:?}");
    }
}

#[test]
fn values_that_are_not_okemons_are_never_shown() {
    let mut release = release();
    release.own_values.values =
        json!({"query": {"extraEnvVars": "p4ssword"}, "image": {"tag": "p4ssword"}});
    let there = json!({"objstoreConfig": "access_key: p4ssword", "image": {"tag": "p4ssw0rd"}, "query": {"replicaCount": 1}});
    let mut change = Change::default();
    release.differences(&there, &Value::Null, &mut change).unwrap();
    let lines = change.lines;
    assert!(lines.iter().all(|line| !line.contains("p4ssw")), "{lines:?}");
    for line in ["objstoreConfig", "image.tag", "query.extraEnvVars", "query.replicaCount: 1 -> 2"]
    {
        assert!(lines.iter().any(|there| there == line), "{line} in {lines:?}");
    }
}

#[test]
fn a_shorter_retention_says_that_history_is_deleted() {
    let kept = |raw: &str| {
        decided(|status| status["config"]["compactor"]["retentionResolutionRaw"] = json!(raw))
    };
    let warns = |told: &str| told.contains("is deleted from the bucket");
    assert_eq!(
        kept("0d").lines().nth(1),
        Some(
            "  ! compactor.retentionResolutionRaw: what is older than 365d is deleted from the bucket for good"
        )
    );
    assert!(warns(&kept("366d")) && !warns(&kept("52w")) && !warns(&kept("365d")));
    let unset = decided(|status| status["config"]["compactor"] = json!({}));
    assert!(warns(&unset), "{unset}");
}

#[test]
fn helm_3_is_asked_once_more_for_what_is_there() {
    let release = release();
    let mut status = json!({
        "version": 3,
        "info": {"status": "deployed", "description": release.description(Some("aaaabbbbccccdddd"))},
        "config": release.rendered_values().unwrap(),
        "manifest": "kind: Service\nmetadata: {name: thanos-query}\n",
    });
    let answers = [digest("aaaabbbbccccdddd"), said(&status.to_string())];
    let asked = release.ask(&answers).unwrap().to_string();
    assert_eq!(
        asked,
        "helm status thanos --show-resources -o json --kube-context oke-sin --namespace monitoring"
    );
    let decided = |there: Answer| {
        let mut answers = [answers.as_slice(), &[there]].concat();
        while release.ask(&answers).is_some() {
            answers.push(said(""));
        }
        told(&release.decide(&answers))
    };
    status["info"]["resources"] = json!({});
    assert_eq!(
        decided(said(&status.to_string())),
        format!("Change: change thanos 17.3.1\n  + Service/thanos-query\n  {UPGRADE}")
    );
    status["info"]["resources"] =
        json!({"v1/Service": [{"kind": "Service", "metadata": {"name": "thanos-query"}}]});
    assert_eq!(decided(said(&status.to_string())), "unchanged");
    let gone = failed("error: no matches for kind \"ServiceMonitor\"");
    assert_eq!(decided(gone), format!("Change: change thanos 17.3.1\n  {KINDS_GONE}\n  {UPGRADE}"));
    // Helm 4 leaves them out when there are none, too.
    let helm_4 = failed("Error: unknown flag: --show-resources");
    assert_eq!(
        decided(helm_4),
        format!("Change: change thanos 17.3.1\n  + Service/thanos-query\n  {UPGRADE}")
    );
    let away = failed("Unable to connect to the server: EOF");
    assert!(decided(away).starts_with("refused (Failed): running `helm status thanos"));
}

#[test]
fn a_deleted_object_is_missed() {
    let told = decided(|status| {
        status["manifest"] = json!(
            "---\nkind: Service\nmetadata: {name: a}\n---\nkind: Service\nmetadata: {name: thanos-query}\n---\n# nothing\n"
        );
    });
    assert_eq!(told, format!("Change: change thanos 17.3.1\n  + Service/a\n  {UPGRADE}"));
}

#[test]
fn a_claim_that_an_earlier_release_leaves_behind_is_gone_before_the_next_one_is_installed() {
    let claim = |name: &str, leaving: bool| {
        let deleted = leaving.then_some("2026-11-03T10:00:00Z");
        json!({"kind": "PersistentVolumeClaim", "metadata": {"name": name, "deletionTimestamp": deleted}})
    };
    let items = [
        claim("data-thanos-storegateway-0", false),
        claim("thanos-compactor", true),
        claim("mine", true),
    ];
    let claims = said(&json!({"kind": "List", "items": items}).to_string());
    let gone = failed("Error: release: not found");
    let known = [("get persistentvolumeclaims", claims)];
    insta::assert_snapshot!(talked(&release(), gone.clone(), &known), @"
    Add: install thanos 17.3.1
      PersistentVolumeClaim/thanos-compactor is being deleted, and is waited for until it is gone
      $ kubectl --context oke-sin --namespace monitoring wait persistentvolumeclaim/thanos-compactor --for=delete --timeout=5m
      $ helm upgrade --install thanos /charts/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:aaaabbbbccccdddd' --values - --kube-context oke-sin --namespace monitoring
    ");
    assert_eq!(talked(&release(), gone, &[]), format!("Add: install thanos 17.3.1\n  {UPGRADE}"));
}

#[test]
fn a_pod_that_its_stateful_set_would_wait_for_is_deleted_once_the_set_is_as_wanted() {
    let set = |name: &str, policy: &str, ready: u8| {
        json!({"kind": "StatefulSet", "metadata": {"name": name, "generation": 2},
            "spec": {"podManagementPolicy": policy, "replicas": 1},
            "status": {"observedGeneration": 2, "updateRevision": "new", "readyReplicas": ready}})
    };
    let pod = |name: &str, ready: &str, revision: &str| {
        let set = name.trim_end_matches("-0");
        json!({"kind": "Pod",
            "metadata": {"name": name, "labels": {"controller-revision-hash": revision},
                "ownerReferences": [{"kind": "StatefulSet", "name": set}]},
            "status": {"conditions": [{"type": "Ready", "status": ready}]}})
    };
    let with = |replicas: u8, revision: &str| {
        let pods = json!({"kind": "List", "items": [
            pod("thanos-ruler-0", "True", "old"),
            pod("thanos-storegateway-0", "False", revision),
            pod("thanos-receive-0", "False", "old"),
            pod("mine-0", "False", "old"),
        ]});
        let differs = |status: &mut Value| {
            status["config"]["query"]["replicaCount"] = json!(replicas);
            status["info"]["resources"]["v1/StatefulSet"] = json!([
                set("thanos-ruler", "OrderedReady", 1),
                set("thanos-storegateway", "OrderedReady", 0),
                set("thanos-receive", "Parallel", 0),
            ]);
        };
        answered(&release(), differs, &[("get pods", said(&pods.to_string()))])
    };
    insta::assert_snapshot!(with(1, "new"), @"
    Change: change thanos 17.3.1
      query.replicaCount: 1 -> 2
      - Pod/thanos-storegateway-0: it is not ready, and its StatefulSet would wait for it
      $ helm upgrade --install thanos /charts/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:aaaabbbbccccdddd' --values - --kube-context oke-sin --namespace monitoring
      $ kubectl --context oke-sin --namespace monitoring delete pods --selector statefulset.kubernetes.io/pod-name=thanos-storegateway-0,controller-revision-hash=new --wait=false
    ");
    // As an earlier run has left it that was ended before it came to the pod.
    insta::assert_snapshot!(with(2, "old"), @"
    Change: change thanos 17.3.1
      - Pod/thanos-storegateway-0: it is not ready, and its StatefulSet would wait for it
      $ kubectl --context oke-sin --namespace monitoring delete pods --selector statefulset.kubernetes.io/pod-name=thanos-storegateway-0,controller-revision-hash=old --wait=false
    ");
    assert_eq!(with(2, "new"), "unchanged");
}
