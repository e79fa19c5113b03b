//! When each kind is ready, and what its controller complains of.

use insta::assert_snapshot;

use super::*;

fn ready(item: &Value) -> bool {
    let diagnosis = judge(std::slice::from_ref(item), &SCOPE);
    assert_eq!(diagnosis.findings.is_empty(), diagnosis.ready == 1, "{diagnosis:?}");
    diagnosis.ready == 1
}

#[test]
fn a_workload_is_ready_when_the_newest_revision_runs_everywhere_and_nothing_else_does() {
    let deployment = with(
        query(),
        "/status",
        json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}),
    );
    let set = with(store(), "/status/readyReplicas", json!(2));
    let daemons = object(
        "DaemonSet",
        "node",
        &json!({"selector": {}, "template": {}}),
        &json!({
            "observedGeneration": 2, "desiredNumberScheduled": 3, "currentNumberScheduled": 3,
            "updatedNumberScheduled": 3, "numberAvailable": 3, "numberReady": 3, "numberMisscheduled": 0,
        }),
    );
    let job = object(
        "Job",
        "once",
        &json!({"template": {}}),
        &json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}),
    );
    let spoils = [
        (&deployment, "/status/observedGeneration", json!(1)),
        (&deployment, "/status/replicas", json!(3)),
        (&deployment, "/status/updatedReplicas", json!(1)),
        (&deployment, "/status/availableReplicas", json!(1)),
        (&deployment, "/spec/replicas", json!(3)),
        (&set, "/status/observedGeneration", json!(1)),
        (&set, "/status/readyReplicas", json!(1)),
        (&set, "/spec/replicas", json!(3)),
        (&daemons, "/status/observedGeneration", json!(1)),
        (&daemons, "/status/updatedNumberScheduled", json!(2)),
        (&daemons, "/status/numberAvailable", json!(2)),
        (&job, "/status/conditions", json!([])),
    ];
    for whole in [&deployment, &set, &daemons, &job] {
        assert!(ready(whole), "{whole}");
        assert!(!ready(&with(whole.clone(), "/status", json!(null))), "{whole}");
    }
    for (whole, pointer, value) in spoils {
        assert!(!ready(&with(whole.clone(), pointer, value)), "{pointer} of {whole}");
    }
    let older = with(set, "/status/currentRevision", json!("r0"));
    assert!(ready(&older), "all are updated, and the set is about to say so");
    assert!(!ready(&with(older, "/status/updatedReplicas", json!(1))));
}

#[test]
fn what_starts_says_how_far_it_is() {
    let creating = query_pod("a", waiting("ContainerCreating", ""));
    let items = [query(), creating, query_pod("b", healthy()), query_pod("c", running())];
    assert_snapshot!(told(&items), @"
    0 of 1 ready
    Starting deployment/query: 0 of 2 ready (ContainerCreating, Running) (OKM-STARTING)
      `kubectl --context sin -n mon describe deployment query` shows how far it is
    ");
}

#[test]
fn a_change_that_was_not_seen_yet_is_waited_for_whatever_the_pods_say() {
    let unseen = with(query(), "/metadata/generation", json!(3));
    let broken = query_pod("a", waiting("InvalidImageName", ""));
    assert_snapshot!(told(&[unseen, broken]), @"
    0 of 1 ready
    Starting deployment/query: its controller has not seen the newest change yet (OKM-STARTING)
      `kubectl --context sin -n mon describe deployment query` shows how far it is
    ");
}

#[test]
fn what_belongs_to_nobody_here_counts_for_nothing() {
    let other =
        with(query(), "/metadata/annotations", json!({"meta.helm.sh/release-name": "loki"}));
    let by_hand = with(query(), "/metadata/annotations", json!({}));
    let broken = query_pod("a", waiting("InvalidImageName", ""));
    let set = with(store(), "/status/readyReplicas", json!(2));
    assert_snapshot!(told(&[other, by_hand, broken, set]), @"1 of 1 ready");
}

#[test]
fn a_release_of_which_nothing_is_there_is_not_ready() {
    assert_snapshot!(told(&[]), @"
    0 of 1 ready
    Wrong release/thanos: none of its workloads is there (OKM-RELEASE-EMPTY)
      `kubectl --context sin -n mon get all -l app.kubernetes.io/instance=thanos` shows what is
    ");
}

#[test]
fn pods_of_an_older_revision_of_a_deployment_do_not_count() {
    let old = pod(
        "old",
        &json!({"pod-template-hash": "h0"}),
        "ReplicaSet",
        "query-h0",
        waiting("InvalidImageName", ""),
    );
    let new = with(
        query_pod("new", running()),
        "/metadata/creationTimestamp",
        json!("2026-11-23T11:00:00Z"),
    );
    assert_snapshot!(told(&[query(), old.clone(), new]), @"
    0 of 1 ready
    Starting deployment/query: 0 of 2 ready (Running) (OKM-STARTING)
      `kubectl --context sin -n mon describe deployment query` shows how far it is
    ");
    let none_yet = with(query(), "/status/updatedReplicas", json!(0));
    assert_snapshot!(told(&[none_yet, old]), @"
    0 of 1 ready
    Starting deployment/query: 0 of 2 ready (OKM-STARTING)
      `kubectl --context sin -n mon describe deployment query` shows how far it is
    ");
}

#[test]
fn pods_that_end_or_were_evicted_do_not_count() {
    let ending = with(
        query_pod("a", waiting("InvalidImageName", "")),
        "/metadata/deletionTimestamp",
        json!("2026-11-23T11:00:00Z"),
    );
    let evicted = query_pod("b", json!({"phase": "Failed", "reason": "Evicted"}));
    assert_snapshot!(told(&[query(), ending, evicted]), @"
    0 of 1 ready
    Starting deployment/query: 0 of 2 ready (OKM-STARTING)
      `kubectl --context sin -n mon describe deployment query` shows how far it is
    ");
}

#[test]
fn a_broken_older_pod_of_an_ordered_set_is_in_the_way() {
    let older = with(
        store_pod("store-0", waiting("InvalidImageName", "")),
        "/metadata/labels/controller-revision-hash",
        json!("r0"),
    );
    assert_snapshot!(told(&[store(), older.clone()]), @"
    0 of 1 ready
    Wrong pod/store-0: InvalidImageName (OKM-IMAGE-NAME)
      `kubectl --context sin -n mon delete pod/store-0` lets the newer revision take its place
    ");
    let parallel = with(store(), "/spec/podManagementPolicy", json!("Parallel"));
    assert_snapshot!(told(&[parallel, older]), @"
    0 of 1 ready
    Starting statefulset/store: 0 of 2 ready (OKM-STARTING)
      `kubectl --context sin -n mon describe statefulset store` shows how far it is
    ");
}

#[test]
fn a_deployment_whose_pods_are_refused_says_by_what() {
    let condition = json!({
        "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
        "message": r#"pods "query-h1-x" is forbidden: exceeded quota: small, requested: cpu=2, used: cpu=1, limited: cpu=2"#,
    });
    assert_snapshot!(told(&[with(query(), "/status/conditions", json!([condition]))]), @r#"
    0 of 1 ready
    Wrong deployment/query: FailedCreate: pods "query-h1-x" is forbidden: exceeded quota: small, requested: cpu=2, used: cpu=1, limited: cpu=2 (OKM-PODS-REFUSED)
      `kubectl --context sin -n mon describe deployment query` shows its events
    "#);
}

#[test]
fn a_stateful_set_whose_pods_are_refused_says_by_what() {
    let message = r#"create Pod store-1 in StatefulSet store failed error: admission webhook "policy" denied the request: no"#;
    let refused = warning("StatefulSet", "store", "FailedCreate", message);
    let short = with(store(), "/status/replicas", json!(1));
    assert_snapshot!(told(&[short, refused.clone()]), @r#"
    0 of 1 ready
    Wrong statefulset/store: FailedCreate: create Pod store-1 in StatefulSet store failed error: admission webhook "policy" denied the request: no (OKM-PODS-REFUSED)
      `kubectl --context sin -n mon describe statefulset store` shows every try
    "#);
    assert_snapshot!(told(&[store(), refused]), @"
    0 of 1 ready
    Starting statefulset/store: 0 of 2 ready (OKM-STARTING)
      `kubectl --context sin -n mon describe statefulset store` shows how far it is
    ");
}

#[test]
fn a_deployment_past_its_deadline_says_so_when_its_pods_say_nothing() {
    let condition = json!({
        "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": r#"ReplicaSet "query-h1" has timed out progressing."#,
    });
    let late = with(query(), "/status/conditions", json!([condition]));
    assert_snapshot!(told(std::slice::from_ref(&late)), @r#"
    0 of 1 ready
    Wrong deployment/query: ProgressDeadlineExceeded: ReplicaSet "query-h1" has timed out progressing. (OKM-ROLLOUT-STUCK)
      `kubectl --context sin -n mon describe deployment query` shows its events
    "#);
    let missing = waiting("CreateContainerConfigError", r#"secret "s" not found"#);
    assert_snapshot!(told(&[late, query_pod("a", missing)]), @r#"
    0 of 1 ready
    Wrong pod/a: CreateContainerConfigError: secret "s" not found (OKM-CONFIG-MISSING)
      `kubectl --context sin -n mon describe pod a` shows where it is asked for; once the Secret or ConfigMap has it, the pod starts by itself
    "#);
}

#[test]
fn a_job_that_failed_is_final() {
    let condition = json!({
        "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
        "message": "Job has reached the specified backoff limit",
    });
    let job = object(
        "Job",
        "once",
        &json!({"template": {}}),
        &json!({"failed": 7, "conditions": [condition]}),
    );
    let state = json!({"state": {"terminated": {"exitCode": 3, "reason": "Error"}}});
    let ended = with(container(state), "/phase", json!("Failed"));
    let pod = pod("once-x", &json!({}), "Job", "once", ended);
    assert_snapshot!(told(&[job.clone(), pod.clone()]), @"
    0 of 1 ready
    Final job/once: BackoffLimitExceeded: Job has reached the specified backoff limit (OKM-JOB-FAILED)
      `kubectl --context sin -n mon logs job/once` says why; delete it, and it is made anew
    ");
    let trying = with(job, "/status", json!({"failed": 1, "active": 1}));
    assert_snapshot!(told(&[trying, pod]), @"
    0 of 1 ready
    Wrong pod/once-x: Error: query ended with 3 (OKM-CRASH)
      `kubectl --context sin -n mon logs once-x -c query` says why
    ");
}
