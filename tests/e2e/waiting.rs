//! Waiting on a cluster in which something is wrong: okemon says why in the cluster's own words,
//! gives up at once only where time mends nothing, and goes on when it passes.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Command;

use insta::assert_snapshot;

use crate::sandbox::{Ended, LOAD_BALANCER, Sandbox, eventually};
use crate::watched::{Held, Watched};

#[test]
fn an_image_that_is_missing_ends_the_wait_at_once() {
    let sandbox = Sandbox::up();
    sandbox.fault("image-missing");
    let said = sandbox.refused(5, &["thanos"]);
    crate::docs::shows_a_finding(&said);
    assert_snapshot!(said, @"
    okemon thanos
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    + sin/namespace  create the namespace
    + sin/bucket     create the bucket thanos in ap-singapore-1
    + sin/secret     store the bucket's keys in the Secret thanos-objstore-config
    + sin/crds       apply the operator's custom resource definitions
    + sin/thanos     install thanos 17.3.1
    Plan: 5 to change, 1 unchanged.
    sin/cluster  unchanged
    sin/namespace  created the namespace (T)
    sin/lock  took the lock (T)
    sin/bucket  created the bucket thanos in ap-singapore-1 (T)
    sin/crds  applied the operator's custom resource definitions (T)
    sin/secret  stored the bucket's keys in the Secret thanos-objstore-config (T)
    sin/thanos  installed thanos 17.3.1 (T)
    sin/ready  pod/thanos-compactor-POD: ImagePullBackOff: failed to pull and unpack image: quay.io/thanos/thanos:v0.39.2: not found (OKM-IMAGE-MISSING)
        hint: `kubectl --context oke-sin -n monitoring describe pod thanos-compactor-POD` shows every try; push the image there, or name the right one with `imageRegistry` or `values`
    sin/ready  failed after T: waiting until everything runs: pod/thanos-compactor-POD cannot become ready
    Not ready: 5 changed, 1 unchanged, 1 failed (T)
    done: sin/cluster, sin/namespace, sin/lock, sin/bucket, sin/secret, sin/crds, sin/thanos
    error: sin/ready: waiting until everything runs: pod/thanos-compactor-POD cannot become ready
        pod/thanos-compactor-POD: ImagePullBackOff: failed to pull and unpack image: quay.io/thanos/thanos:v0.39.2: not found (OKM-IMAGE-MISSING)
            hint: `kubectl --context oke-sin -n monitoring describe pod thanos-compactor-POD` shows every try; push the image there, or name the right one with `imageRegistry` or `values`
    hint: okemon thanos  (run again: it goes on from here)
    ");
    sandbox.heal("image-missing");
    assert_snapshot!(ended_well(&sandbox, &sandbox.run(&["thanos"])), @"
    okemon thanos
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    Plan: 0 to change, 6 unchanged.
    sin/cluster  unchanged
    sin/namespace  unchanged
    sin/lock  unchanged
    sin/bucket  unchanged
    sin/crds  unchanged
    sin/secret  unchanged
    sin/thanos  unchanged
    sin/ready  6 of 6 ready (T)
    Unchanged: everything is as configured (T)
    ");
}

/// As after `helm uninstall`, which does not wait for what still reads the volume.
#[test]
fn a_volume_on_its_way_out_is_waited_for_before_its_successor_is_made() {
    let watched = Watched::up();
    let sandbox = &watched.0;
    let grafana = sandbox.run(&["grafana"]);
    assert_eq!(grafana.code, Some(0), "{}", grafana.stderr);
    let finalizers = |finalizers: &str| {
        let patch = format!(r#"{{"metadata": {{"finalizers": [{finalizers}]}}}}"#);
        let claim = ["--namespace", "monitoring", "patch", "persistentvolumeclaim", "grafana"];
        sandbox.kubectl(&[&claim[..], &["--type=merge", "--patch", &patch]].concat());
    };
    finalizers(r#""example.com/still-read""#);
    let first = sandbox.object("persistentvolumeclaim", "grafana")["metadata"]["uid"].clone();
    sandbox.helm(&["uninstall", "grafana"]);

    let mut run = watched.start(&["grafana", "--verbose"]);
    run.until_said(
        "PersistentVolumeClaim/grafana is being deleted, and is waited for until it is gone",
    );
    run.until_said("wait persistentvolumeclaim/grafana --for=delete");
    finalizers("");
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_ne!(sandbox.object("persistentvolumeclaim", "grafana")["metadata"]["uid"], first);
}

#[test]
fn a_limit_of_load_balancers_ends_the_wait_at_once() {
    let sandbox = Sandbox::up();
    sandbox.configure_cluster(LOAD_BALANCER);
    sandbox.fault("load-balancer-pending");
    assert_snapshot!(sandbox.refused(5, &["thanos"]), @"
    okemon thanos
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    + sin/namespace  create the namespace
    + sin/bucket     create the bucket thanos in ap-singapore-1
    + sin/secret     store the bucket's keys in the Secret thanos-objstore-config
    + sin/crds       apply the operator's custom resource definitions
    + sin/thanos     install thanos 17.3.1
    + sin/storeapi   publish the StoreAPI by the Service thanos-storeapi
    Plan: 6 to change, 1 unchanged.
    sin/cluster  unchanged
    sin/namespace  created the namespace (T)
    sin/lock  took the lock (T)
    sin/bucket  created the bucket thanos in ap-singapore-1 (T)
    sin/crds  applied the operator's custom resource definitions (T)
    sin/secret  stored the bucket's keys in the Secret thanos-objstore-config (T)
    sin/storeapi  published the StoreAPI by the Service thanos-storeapi (T)
    sin/thanos  installed thanos 17.3.1 (T)
    sin/ready  service/thanos-storeapi: SyncLoadBalancerFailed: LimitExceeded: The following service limits were exceeded: lb-flexible-count. Request a service limit increase. (OKM-LOAD-BALANCER-REFUSED)
        hint: `kubectl --context oke-sin -n monitoring describe service thanos-storeapi` shows every try; mend `loadBalancer`, or have the limit raised
    sin/ready  failed after T: waiting until everything runs: service/thanos-storeapi cannot become ready
    Not ready: 6 changed, 1 unchanged, 1 failed (T)
    done: sin/cluster, sin/namespace, sin/lock, sin/bucket, sin/secret, sin/crds, sin/thanos, sin/storeapi
    error: sin/ready: waiting until everything runs: service/thanos-storeapi cannot become ready
        service/thanos-storeapi: SyncLoadBalancerFailed: LimitExceeded: The following service limits were exceeded: lb-flexible-count. Request a service limit increase. (OKM-LOAD-BALANCER-REFUSED)
            hint: `kubectl --context oke-sin -n monitoring describe service thanos-storeapi` shows every try; mend `loadBalancer`, or have the limit raised
    hint: okemon thanos  (run again: it goes on from here)
    ");
    sandbox.heal("load-balancer-pending");
    assert_snapshot!(ended_well(&sandbox, &sandbox.run(&["thanos"])), @"
    okemon thanos
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    Plan: 0 to change, 7 unchanged.
    sin/cluster  unchanged
    sin/namespace  unchanged
    sin/lock  unchanged
    sin/bucket  unchanged
    sin/crds  unchanged
    sin/secret  unchanged
    sin/storeapi  unchanged
    sin/thanos  unchanged
    sin/ready  7 of 7 ready; thanos-storeapi answers at ADDRESS (T)
    Unchanged: everything is as configured (T)
    ");
}

#[test]
fn a_crash_loop_is_told_and_waited_for() {
    assert_snapshot!(healed("crash-loop", "thanos", "CrashLoopBackOff"), @"
    pod: CrashLoopBackOff: query ended with 1 (Error), restarted 4 times: the sandbox runs no containers: this is the log of every pod in it (OKM-CRASH)
    sin/ready  6 of 6 ready (T)
    Done: 5 changed, 1 unchanged (T)
    ");
}

#[test]
fn a_log_that_does_not_come_is_gone_without() {
    let watched = Watched::up();
    watched.hold("--context oke-sin --namespace monitoring logs", Held::Politely);
    let mut okemon = watched.okemon(&["thanos"]);
    assert_snapshot!(seen_healed(&watched.0, "crash-loop", &mut okemon, "CrashLoopBackOff"), @"
    pod: CrashLoopBackOff: query ended with 1 (Error), restarted 4 times (OKM-CRASH)
    sin/ready  6 of 6 ready (T)
    Done: 5 changed, 1 unchanged (T)
    ");
    watched.until_nothing_is_left();
}

#[test]
fn a_volume_that_cannot_be_made_is_told_and_waited_for() {
    assert_snapshot!(healed("volume-pending", "thanos", "ProvisioningFailed"), @"
    persistentvolumeclaim: ProvisioningFailed: LimitExceeded: The following service limits were exceeded: total-storage-gb. Request a service limit increase. (OKM-VOLUME-PENDING)
    sin/ready  6 of 6 ready (T)
    Done: 5 changed, 1 unchanged (T)
    ");
}

#[test]
fn nodes_that_take_no_pod_are_told_and_waited_for() {
    assert_snapshot!(healed("unschedulable", "grafana", "Unschedulable"), @"
    pod: Unschedulable: 0/3 nodes are available: 3 node(s) were unschedulable. (OKM-UNSCHEDULABLE)
    sin/ready  1 of 1 ready (T)
    Done: 4 changed, 1 unchanged (T)
    ");
}

#[test]
fn an_end_of_time_lists_what_is_not_ready_and_why() {
    let sandbox = Sandbox::up();
    sandbox.fault("crash-loop");
    sandbox.fault("volume-pending");
    let mut said = String::new();
    // What is well takes some looks to become ready.
    eventually("all is installed, and two of six are ready", || {
        said = sandbox.refused(5, &["thanos", "--timeout", "1s"]);
        let all_told = said.contains("data-thanos-ruler-0 and 2 more");
        said.contains("Plan: 0 to change") && said.contains("4 of 6 are not ready") && all_told
    });
    assert_snapshot!(said, @"
    okemon thanos --timeout 1s
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    Plan: 0 to change, 6 unchanged.
    sin/cluster  unchanged
    sin/namespace  unchanged
    sin/lock  unchanged
    sin/bucket  unchanged
    sin/crds  unchanged
    sin/secret  unchanged
    sin/thanos  unchanged
    sin/ready  persistentvolumeclaim/data-thanos-ruler-0 and 2 more: ProvisioningFailed: LimitExceeded: The following service limits were exceeded: total-storage-gb. Request a service limit increase. (OKM-VOLUME-PENDING)
        hint: `kubectl --context oke-sin -n monitoring describe persistentvolumeclaim data-thanos-ruler-0` shows every try
    sin/ready  pod/thanos-query-POD and 1 more: CrashLoopBackOff: query ended with 1 (Error), restarted 4 times: the sandbox runs no containers: this is the log of every pod in it (OKM-CRASH)
        hint: `kubectl --context oke-sin -n monitoring logs thanos-query-POD -c query --previous` says why
    sin/ready  failed after T: waiting until everything runs: 4 of 6 are not ready in time; --timeout gives it longer
    Not ready: 0 changed, 7 unchanged, 1 failed (T)
    done: sin/cluster, sin/namespace, sin/lock, sin/bucket, sin/secret, sin/crds, sin/thanos
    error: sin/ready: waiting until everything runs: 4 of 6 are not ready in time; --timeout gives it longer
        persistentvolumeclaim/data-thanos-ruler-0 and 2 more: ProvisioningFailed: LimitExceeded: The following service limits were exceeded: total-storage-gb. Request a service limit increase. (OKM-VOLUME-PENDING)
            hint: `kubectl --context oke-sin -n monitoring describe persistentvolumeclaim data-thanos-ruler-0` shows every try
        pod/thanos-query-POD and 1 more: CrashLoopBackOff: query ended with 1 (Error), restarted 4 times: the sandbox runs no containers: this is the log of every pod in it (OKM-CRASH)
            hint: `kubectl --context oke-sin -n monitoring logs thanos-query-POD -c query --previous` says why
    hint: okemon thanos --timeout 1s  (run again: it goes on from here)
    ");
}

/// The reason that okemon gives when it meets a fault, with which it is seen to wait; and its last
/// words, after the fault is gone.
fn healed(fault: &str, part: &str, word: &str) -> String {
    let sandbox = Sandbox::up();
    seen_healed(&sandbox, fault, &mut sandbox.okemon(&[part]), word)
}

fn seen_healed(sandbox: &Sandbox, fault: &str, okemon: &mut Command, word: &str) -> String {
    sandbox.fault(fault);
    let mut okemon = okemon.spawn().unwrap();
    let mut stderr = BufReader::new(okemon.stderr.take().unwrap());
    let mut line = String::new();
    // Ends at the end of okemon, too, whose own waiting has an end.
    while !line.contains(word) {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "{word} was never said");
    }
    sandbox.heal(fault);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    let code = okemon.wait().unwrap().code();
    let said = ended_well(sandbox, &Ended { code, stdout: String::new(), stderr: rest });
    let last: Vec<&str> = said.lines().rev().take(2).collect();
    // How many objects had it at that moment, and which was first, is chance.
    let (kind, found) = line.strip_prefix("sin/ready  ").unwrap().split_once('/').unwrap();
    let (_, reason) = found.split_once(": ").unwrap();
    format!("{kind}: {reason}{}\n{}", last[1], last[0])
}

fn ended_well(sandbox: &Sandbox, ended: &Ended) -> String {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    sandbox.said(&ended.stderr)
}
