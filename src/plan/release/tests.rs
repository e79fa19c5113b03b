use serde_json::json;

use super::*;
use crate::plan::Intent;
use crate::plan::testing::{digest, failed, intent, said, told};

fn release() -> Release {
    let Intent::Release(release) = intent("sin/thanos") else { panic!() };
    *release
}

/// What is decided about a revision that differs from what is wanted as `change` says.
fn decided(change: impl FnOnce(&mut Value)) -> String {
    let release = release();
    let mut status = json!({
        "version": 3,
        "info": {
            "status": "deployed",
            "description": release.description(Some("aaaabbbbccccdddd")),
            "resources": {"v1/Service": [{"kind": "Service", "metadata": {"name": "thanos-query"}}]},
        },
        "config": release.rendered_values().unwrap(),
        "manifest": "kind: Service\nmetadata: {name: thanos-query}\n",
    });
    change(&mut status);
    let answers = [digest("aaaabbbbccccdddd"), said(&status.to_string())];
    assert!(release.ask(&answers).is_none());
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
        status["info"]["description"] = json!("Upgrade complete");
    });
    let expected = format!(
        "Change: change thanos 17.3.1\n  chart: not installed by okemon (Upgrade complete) -> thanos-17.3.1 sha256:aaaabbbbcccc\n  query.replicaCount: 1 -> 2\n  + Service/thanos-query\n  {UPGRADE}"
    );
    assert_eq!(told, expected);
}

#[test]
fn a_revision_that_was_cut_short_is_put_right_first() {
    let history = |revisions: &str| {
        let release = release();
        let status = json!({"version": 3, "info": {"status": "pending-upgrade", "resources": {}}, "config": release.rendered_values().unwrap()});
        let answers = [digest("aaaabbbbccccdddd"), said(&status.to_string())];
        assert!(release.ask(&answers).is_some(), "the other revisions are not asked for");
        let [digest, status] = answers;
        told(&release.decide(&[digest, status, said(revisions)]))
    };
    assert_eq!(
        history(r#"[{"revision": 1, "status": "deployed"}, {"revision": 2, "status": "failed"}]"#),
        format!(
            "Change: change thanos 17.3.1\n  revision 3 was cut short: back to revision 1, then on\n  $ helm rollback thanos 1 --kube-context oke-sin --namespace monitoring\n  {UPGRADE}"
        )
    );
    assert!(history("").starts_with("refused (Failed): reading helm's history of the release"));
    assert_eq!(
        history(r#"[{"revision": 3, "status": "pending-install"}]"#),
        format!(
            "Change: change thanos 17.3.1\n  revision 3 was cut short: it is forgotten, and what it made is taken over\n  $ kubectl --context oke-sin --namespace monitoring delete secret sh.helm.release.v1.thanos.v3 --ignore-not-found\n  {UPGRADE}"
        )
    );
    assert_eq!(
        decided(|status| status["info"]["status"] = json!("failed")),
        format!("Change: change thanos 17.3.1\n  revision 3 is failed\n  {UPGRADE}")
    );
}

#[test]
fn a_release_whose_kinds_are_gone_is_upgraded() {
    let gone = failed(
        "Error: unable to build kubernetes objects: no matches for kind \"ServiceMonitor\" in version \"monitoring.coreos.com/v1\"",
    );
    let told = told(&release().decide(&[digest("aaaabbbbccccdddd"), gone]));
    assert_eq!(told, format!("Change: change thanos 17.3.1\n  {KINDS_GONE}\n  {UPGRADE}"));
}

#[test]
fn what_was_there_is_shown_only_where_it_can_be_no_secret() {
    let there = json!({
        "query": {"replicaCount": 1},
        "queryFrontend": {"config": "type: REDIS\nconfig: {password: p4ssword}"},
        "compactor": {"retentionResolutionRaw": "30d", "persistence": {"size": "p4ssword"}},
    });
    let lines = release().differences(&there).unwrap();
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
    release.own_values =
        json!({"query": {"extraEnvVars": "p4ssword"}, "image": {"tag": "p4ssword"}});
    let there = json!({"objstoreConfig": "access_key: p4ssword", "image": {"tag": "p4ssw0rd"}, "query": {"replicaCount": 1}});
    let lines = release.differences(&there).unwrap();
    assert!(lines.iter().all(|line| !line.contains("p4ssw")), "{lines:?}");
    for line in ["objstoreConfig", "image.tag", "query.extraEnvVars", "query.replicaCount: 1 -> 2"]
    {
        assert!(lines.iter().any(|there| there == line), "{line} in {lines:?}");
    }
}

#[test]
fn volumes_that_do_not_follow_are_refused_with_what_they_have() {
    let release = release();
    let mut status = json!({
        "version": 3,
        "info": {
            "status": "deployed",
            "description": release.description(Some("aaaabbbbccccdddd")),
            "resources": {},
        },
        "config": release.rendered_values().unwrap(),
    });
    status["config"]["storegateway"]["persistence"]["size"] = json!("10Gi");
    let answers = [digest("aaaabbbbccccdddd"), said(&status.to_string())];
    assert_eq!(
        release.ask(&answers).unwrap().to_string(),
        "kubectl --context oke-sin --namespace monitoring get persistentvolumeclaims -o json"
    );
    let decided = |size: &str| {
        let claim = |name: &str, size: &str| {
            json!({
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": name},
                "spec": {"resources": {"requests": {"storage": size}}},
            })
        };
        let claims = json!({"kind": "List", "items": [
            claim("data-thanos-storegateway-0", size),
            claim("data-thanos-ruler-0", "1Gi"),
        ]});
        let [digest, status] = answers.clone();
        let answers = [digest, status, said(&claims.to_string())];
        assert!(release.ask(&answers).is_none());
        told(&release.decide(&answers))
    };
    assert_eq!(
        decided("10Gi"),
        "refused (Refused): changing thanos: its volumes do not follow their values: data-thanos-storegateway-0 has 10Gi, not 50Gi"
    );
    assert!(decided("50Gi").starts_with("Change: change thanos 17.3.1"));
}

#[test]
fn another_familys_chart_does_not_take_a_release_over() {
    let described =
        |description: &str| decided(|status| status["info"]["description"] = json!(description));
    assert_eq!(
        described("okemon: kube-prometheus-stack-88.5.3 sha256:aaaa"),
        "refused (Refused): changing thanos: it was made from kube-prometheus-stack, and thanos cannot take it over"
    );
    assert!(described("okemon: thanos-17.0.0 sha256:aaaa").starts_with("Change:"));
    assert!(described("Install complete").starts_with("Change:"));
}

#[test]
fn a_shorter_retention_says_that_history_is_deleted() {
    let kept = |raw: &str| {
        decided(|status| status["config"]["compactor"]["retentionResolutionRaw"] = json!(raw))
    };
    let warns = |told: &str| told.contains("is deleted from the bucket");
    assert_eq!(
        kept("0d").lines().nth(2),
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
    let decided = |there| {
        let [digest, status] = answers.clone();
        let answers = [digest, status, there];
        assert!(release.ask(&answers).is_none());
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
