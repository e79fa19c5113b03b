//! What a Helm has not finished: put right, or left to it.

use super::*;

#[test]
fn a_revision_that_was_not_finished_is_put_right_first() {
    let unfinished = |state: &str, known: &[(&str, Answer)]| {
        let begun = json!("2026-01-01T02:00:00.4+02:00");
        let cut_short = |status: &mut Value| {
            status["info"]["status"] = json!(state);
            status["info"]["last_deployed"] = begun;
        };
        answered(&release(), cut_short, &[known, &[clock("2026-01-01T00:05:01Z")]].concat())
    };
    let history = |revisions: &str| ("helm history", said(revisions));
    let ours = r#"{"revision": 2, "status": "deployed", "chart": "thanos-17.3.1", "description": "okemon: thanos-17.3.1 sha256:aa"}"#;
    let earlier = history(&format!(r#"[{ours}, {{"revision": 3, "status": "failed"}}]"#));
    let back = format!(
        "Change: change thanos 17.3.1\n  ! revision 3 was cut short: back to revision 2, then on\n  $ helm rollback thanos 2 --kube-context oke-sin --namespace monitoring\n  {UPGRADE}"
    );
    assert_eq!(unfinished("pending-upgrade", std::slice::from_ref(&earlier)), back);
    assert_eq!(unfinished("pending-rollback", std::slice::from_ref(&earlier)), back);

    let forget = |was: &str| {
        format!(
            "Change: change thanos 17.3.1\n  ! revision 3 was {was}: it is forgotten, and what there is of it is taken over\n  $ kubectl --context oke-sin --namespace monitoring delete secret sh.helm.release.v1.thanos.v3 --ignore-not-found\n  {UPGRADE}"
        )
    };
    let nothing = history(r#"[{"revision": 3, "status": "pending-install"}]"#);
    assert_eq!(unfinished("pending-install", &[nothing]), forget("cut short"));
    // What cannot be changed was made anew already: there is no way back.
    let immutable = "The StatefulSet \"thanos-ruler\" is invalid: spec: Forbidden: updates to statefulset spec for fields";
    let no_way_back =
        [earlier.clone(), ("helm get manifest thanos --revision 2", failed(immutable))];
    assert_eq!(unfinished("pending-upgrade", &no_way_back), forget("cut short"));
    let gone = history(r#"[{"revision": 3, "status": "uninstalling"}]"#);
    assert_eq!(unfinished("uninstalling", std::slice::from_ref(&gone)), forget("half uninstalled"));
    let claim = json!({"kind": "PersistentVolumeClaim",
        "metadata": {"name": "thanos-compactor", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
    let claims = json!({"kind": "List", "items": [claim]}).to_string();
    let leaving =
        unfinished("uninstalling", &[gone, ("get persistentvolumeclaims", said(&claims))]);
    insta::assert_snapshot!(leaving, @"
    Change: change thanos 17.3.1
      ! revision 3 was half uninstalled: it is forgotten, and what there is of it is taken over
      PersistentVolumeClaim/thanos-compactor is being deleted, and is waited for until it is gone
      $ kubectl --context oke-sin --namespace monitoring delete secret sh.helm.release.v1.thanos.v3 --ignore-not-found
      $ kubectl --context oke-sin --namespace monitoring wait persistentvolumeclaim/thanos-compactor --for=delete --timeout=5m
      $ helm upgrade --install thanos /charts/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:aaaabbbbccccdddd' --values - --kube-context oke-sin --namespace monitoring
    ");

    assert_eq!(
        unfinished("failed", &[earlier]),
        format!("Change: change thanos 17.3.1\n  revision 3 is failed\n  {UPGRADE}")
    );
    assert!(
        unfinished("failed", &[])
            .starts_with("refused (Failed): reading helm's history of the release")
    );
}

#[test]
fn a_revision_that_a_helm_may_still_be_at_work_on_is_left_alone() {
    let decided = |lease: Value, now: &str| {
        let begun = |status: &mut Value| {
            status["info"]["status"] = json!("pending-install");
            status["info"]["last_deployed"] = json!("2026-01-01T00:00:00.4Z");
        };
        let history = ("helm history", said(r#"[{"revision": 3, "status": "pending-install"}]"#));
        let lease = ("get lease", said(&json!({"spec": lease}).to_string()));
        let told = answered(&release(), begun, &[history, lease, clock(now)]);
        told.lines().next().unwrap().to_owned()
    };
    let lock = |holder: &str, since: &str, renewed: &str| json!({"holderIdentity": holder, "acquireTime": since, "renewTime": renewed});
    let nobody = json!({});
    assert_eq!(
        decided(nobody.clone(), "2026-01-01T00:05:00Z"),
        "refused (Busy): looking at thanos: a Helm began revision 3 at 2026-01-01T00:00:00Z, and may still be at work on it"
    );
    let put_right = "Change: change thanos 17.3.1";
    assert_eq!(decided(nobody, "2026-01-01T00:05:01Z"), put_right);
    // An okemon was at work then, and has ended since, or was killed.
    let ended = lock("", "2025-12-31T23:59:50Z", "2026-01-01T00:00:10Z");
    assert_eq!(decided(ended, "2026-01-01T00:00:20Z"), put_right);
    let killed = lock("somebody", "2025-12-31T23:59:50Z", "2025-12-31T23:59:50Z");
    assert_eq!(decided(killed, "2026-01-01T00:01:20Z"), put_right);
    // It had ended before, though only just.
    let before = lock("", "2025-12-31T23:59:00Z", "2025-12-31T23:59:59Z");
    assert!(decided(before, "2026-01-01T00:01:00Z").starts_with("refused (Busy)"));
    // This run itself has the lock by now: it has looked before.
    let own = lock("us", "2026-01-01T00:01:00Z", "2026-01-01T00:01:00Z");
    assert_eq!(decided(own, "2026-01-01T00:01:01Z"), put_right);
}

/// What the API server says when it is asked for its clock.
fn clock(now: &str) -> (&'static str, Answer) {
    let made = json!({"kind": "ConfigMap", "metadata": {"creationTimestamp": now}});
    ("create configmap", said(&made.to_string()))
}
