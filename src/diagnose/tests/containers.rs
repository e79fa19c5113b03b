//! Containers that do not start, or do not stay, or do not get ready.

use insta::assert_snapshot;

use super::*;

/// A container that ended, is held back, and was restarted `count` times.
fn crashed(count: i32, terminated: &Value) -> Value {
    container(json!({
        "restartCount": count,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 1m20s restarting failed container"}},
        "lastState": {"terminated": terminated},
    }))
}

#[test]
fn a_missing_secret_is_named() {
    let status =
        waiting("CreateContainerConfigError", r#"secret "thanos-objstore-config" not found"#);
    assert_snapshot!(told(&[query(), query_pod("a", status)]), @r#"
    0 of 1 ready
    Wrong pod/a: CreateContainerConfigError: secret "thanos-objstore-config" not found (OKM-CONFIG-MISSING)
      `kubectl --context sin -n mon describe pod a` shows where it is asked for; once the Secret or ConfigMap has it, the pod starts by itself
    "#);
}

#[test]
fn a_missing_key_of_a_secret_is_named() {
    let message = "couldn't find key objstore.yml in Secret mon/thanos-objstore-config";
    let status = waiting("CreateContainerConfigError", message);
    assert_snapshot!(told(&[query(), query_pod("a", status)]), @"
    0 of 1 ready
    Wrong pod/a: CreateContainerConfigError: couldn't find key objstore.yml in Secret mon/thanos-objstore-config (OKM-CONFIG-MISSING)
      `kubectl --context sin -n mon describe pod a` shows where it is asked for; once the Secret or ConfigMap has it, the pod starts by itself
    ");
}

#[test]
fn what_the_node_does_not_run_is_not_taken_for_a_missing_secret_or_a_crash() {
    let root = "container has runAsNonRoot and image will run as root";
    let status = waiting("CreateContainerConfigError", root);
    assert_snapshot!(told(&[query(), query_pod("a", status)]), @"
    0 of 1 ready
    Wrong pod/a: CreateContainerConfigError: container has runAsNonRoot and image will run as root (OKM-CONTAINER-REFUSED)
      `kubectl --context sin -n mon describe pod a` shows every try
    ");
    let exec =
        r#"failed to create containerd task: exec: "/bin/thanoz": no such file or directory"#;
    let status = crashed(2, &json!({"exitCode": 128, "reason": "StartError", "message": exec}));
    assert_snapshot!(told(&[query(), query_pod("a", status)]), @r#"
    0 of 1 ready
    Wrong pod/a: StartError: query: failed to create containerd task: exec: "/bin/thanoz": no such file or directory (OKM-CONTAINER-REFUSED)
      `kubectl --context sin -n mon describe pod a` shows every try
    "#);
}

#[test]
fn a_pod_that_gets_no_address_is_told() {
    let message = "failed to setup network for sandbox: no free IP addresses";
    let event = warning("Pod", "a", "FailedCreatePodSandBox", message);
    assert_snapshot!(told(&[query(), query_pod("a", waiting("ContainerCreating", "")), event]), @"
    0 of 1 ready
    Wrong pod/a: FailedCreatePodSandBox: failed to setup network for sandbox: no free IP addresses (OKM-POD-SANDBOX)
      `kubectl --context sin -n mon describe pod a` shows what is missing
    ");
}

#[test]
fn a_secret_that_cannot_be_mounted_is_named() {
    let message = r#"MountVolume.SetUp failed for volume "objstore-config" : secret "thanos-objstore-config" not found"#;
    let event = warning("Pod", "a", "FailedMount", message);
    assert_snapshot!(told(&[query(), query_pod("a", waiting("ContainerCreating", "")), event]), @r#"
    0 of 1 ready
    Wrong pod/a: FailedMount: MountVolume.SetUp failed for volume "objstore-config" : secret "thanos-objstore-config" not found (OKM-MOUNT)
      `kubectl --context sin -n mon describe pod a` shows what is missing
    "#);
}

#[test]
fn a_crash_loop_says_how_it_ended_how_often_and_its_last_words() {
    let words = "level=info msg=starting\nerror: unknown long flag '--no-such-flag', try --help\n";
    let status = crashed(4, &json!({"exitCode": 1, "reason": "Error", "message": words}));
    let other = crashed(1, &json!({"exitCode": 1, "reason": "Error"}));
    assert_snapshot!(told(&[query(), query_pod("a", status), query_pod("b", other)]), @"
    0 of 1 ready
    Wrong pod/a and 1 more: CrashLoopBackOff: query ended with 1 (Error), restarted 4 times: level=info msg=starting error: unknown long flag '--no-such-flag', try --help (OKM-CRASH)
      `kubectl --context sin -n mon logs a -c query --previous` says why
    ");
}

#[test]
fn a_container_that_runs_again_is_still_known_to_have_failed() {
    let status = container(json!({
        "restartCount": 1, "state": {"running": {}},
        "lastState": {"terminated": {"exitCode": 2, "reason": "Error"}},
    }));
    assert_snapshot!(told(&[query(), query_pod("a", status)]), @"
    0 of 1 ready
    Wrong pod/a: Error: query ended with 2, restarted once (OKM-CRASH)
      `kubectl --context sin -n mon logs a -c query --previous` says why
    ");
}

#[test]
fn a_container_out_of_memory_says_its_limit() {
    let status = crashed(2, &json!({"exitCode": 137, "reason": "OOMKilled"}));
    let limits = json!([{"name": "query", "resources": {"limits": {"memory": "1Gi"}}}]);
    let pod = with(query_pod("a", status), "/spec/containers", limits);
    assert_snapshot!(told(&[query(), pod]), @"
    0 of 1 ready
    Wrong pod/a: OOMKilled: query hit its memory limit of 1Gi, restarted 2 times (OKM-OUT-OF-MEMORY)
      `kubectl --context sin -n mon logs a -c query --previous` says what it was doing; give it more by `size` or `values`
    ");
}

#[test]
fn a_probe_that_fails_a_few_times_belongs_to_a_start() {
    let message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
    let event = warning("Pod", "a", "Unhealthy", message);
    let often = with(event.clone(), "/count", json!(6));
    assert_snapshot!(told(&[query(), query_pod("a", running()), event]), @"
    0 of 1 ready
    Starting pod/a: Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503 (OKM-PROBE)
      `kubectl --context sin -n mon logs a --all-containers` says what it is waiting for
    ");
    assert_snapshot!(told(&[query(), query_pod("a", running()), often]), @"
    0 of 1 ready
    Wrong pod/a: Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503 (OKM-PROBE)
      `kubectl --context sin -n mon logs a --all-containers` says what it is waiting for
    ");
}

#[test]
fn an_old_warning_counts_no_more_once_something_newer_happened() {
    let event = warning("Pod", "a", "FailedMount", "secret not found");
    let newer =
        with(warning("Pod", "a", "Pulling", ""), "/lastTimestamp", json!("2026-11-23T10:00:09Z"));
    let newer = with(newer, "/type", json!("Normal"));
    let pod = query_pod("a", waiting("ContainerCreating", ""));
    assert_snapshot!(told(&[query(), pod, event, newer]), @"
    0 of 1 ready
    Starting deployment/query: 0 of 2 ready (ContainerCreating) (OKM-STARTING)
      `kubectl --context sin -n mon describe deployment query` shows how far it is
    ");
}
