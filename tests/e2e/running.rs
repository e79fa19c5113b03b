//! How a run behaves towards whoever started it, interrupts it, kills it or runs beside it.

use std::fs;
use std::path::PathBuf;

use insta::assert_snapshot;
use jiff::Timestamp;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::sandbox::{eventually, repository};
use crate::schema;
use crate::watched::{Held, INSTALL, Watched, files};

/// Real helm is at work when Ctrl-C is hit: whatever it leaves, nothing runs on, and the next run
/// finishes the job.
#[test]
fn ctrl_c_ends_everything_gives_the_lock_back_and_the_next_run_goes_on() {
    let watched = Watched::up();
    let mut run = watched.start(&[&INSTALL[..], &["--verbose"]].concat());
    run.until_said("$ helm upgrade --install");
    run.signal(Signal::SIGINT);
    let ended = run.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("Interrupted"), "{}", ended.stderr);
    assert!(ended.stderr.contains("okemon install --region sin --verbose"), "{}", ended.stderr);
    assert_eq!(watched.holder(), "");
    watched.until_nothing_is_left();

    let again = watched.start(&INSTALL).end();
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let releases = watched.0.releases();
    assert!(releases.iter().all(|release| release.ends_with(" deployed")), "{releases:?}");
    assert_eq!(releases.len(), 3, "{releases:?}");
}

#[test]
fn a_run_that_is_ended_in_any_way_leaves_no_process_and_no_file() {
    let watched = Watched::up();

    watched.hold("upgrade --install thanos", Held::Politely);
    let run = watched.start(&[&INSTALL[..], &["--jobs", "1"]].concat());
    watched.until_held();
    run.signal(Signal::SIGTERM);
    let ended = run.end();
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert_snapshot!(watched.0.said(&ended.stderr), @"
    okemon install --region sin --jobs 1
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    + sin/namespace   create the namespace
    + sin/bucket      create the bucket thanos in ap-singapore-1
    + sin/secret      store the bucket's keys in the Secret thanos-objstore-config
    + sin/crds        apply the operator's custom resource definitions
    + sin/prometheus  install kube-prometheus 11.3.10
    + sin/thanos      install thanos 17.3.1
    + sin/admin       make Grafana's admin password
    + sin/dashboards  provision 3 dashboards
    + sin/grafana     install grafana 12.11.1
    Plan: 9 to change, 1 unchanged.
    sin/cluster  unchanged
    sin/namespace  created the namespace (T)
    sin/lock  took the lock (T)
    sin/bucket  created the bucket thanos in ap-singapore-1 (T)
    sin/crds  applied the operator's custom resource definitions (T)
    sin/prometheus  installed kube-prometheus 11.3.10 (T)
    sin/secret  stored the bucket's keys in the Secret thanos-objstore-config (T)
    Stopping: what runs gets time to end well; Ctrl-C again ends it at once
    sin/thanos  failed after T: `helm upgrade --install thanos CHARTS/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:DIGEST' --values - --kube-context oke-sin --namespace monitoring < values/bitnami/thanos.yaml` was ended: the run was interrupted
    Interrupted: 5 changed, 1 unchanged, 1 failed, 4 skipped (T)
    done: sin/cluster, sin/namespace, sin/lock, sin/bucket, sin/secret, sin/crds, sin/prometheus
    skipped: sin/admin, sin/dashboards, sin/grafana, sin/ready (interrupted)
    error: sin/thanos: `helm upgrade --install thanos CHARTS/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:DIGEST' --values - --kube-context oke-sin --namespace monitoring < values/bitnami/thanos.yaml` was ended: the run was interrupted
    hint: okemon install --region sin --jobs 1  (run again: it goes on from here)
    ");
    assert_eq!(watched.holder(), "");
    watched.until_nothing_is_left();

    // Twice, and at once: the grace of a tool that does not hear is ten seconds.
    watched.forget_calls();
    watched.hold("upgrade --install thanos", Held::Deaf);
    let mut run = watched.start(&INSTALL);
    watched.until_held();
    run.signal(Signal::SIGINT);
    run.until_said("Stopping");
    assert!(watched.processes().iter().any(|line| line.contains("upgrade --install thanos")));
    run.signal(Signal::SIGINT);
    assert_eq!(run.end().code, Some(130));
    watched.until_nothing_is_left();
    watched.free();

    // Killed: nobody is left but the watchdog.
    watched.forget_calls();
    watched.hold("upgrade --install thanos", Held::Politely);
    let run = watched.start(&INSTALL);
    watched.until_held();
    run.signal(Signal::SIGKILL);
    assert_eq!(run.end().code, None);
    eventually("every process to end", || watched.processes().is_empty());
    eventually("the private directory to go", || files(&watched.0.path("tmp")).is_empty());
}

#[test]
fn what_a_run_starts_and_streams_is_what_it_should_be() {
    let watched = Watched::up();
    let mut okemon = watched.okemon(&[&INSTALL[..], &["--jobs", "1", "-o", "ndjson"]].concat());
    okemon.env("HELM_NAMESPACE", "elsewhere").env("KUBECTL_EXTERNAL_DIFF", "false");
    let secrets: Vec<String> = okemon
        .get_envs()
        .filter(|(name, _)| name.to_string_lossy().starts_with("OKEMON_S3"))
        .map(|(_, value)| value.unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(secrets.len(), 2);
    let ended = crate::sandbox::ended(&okemon.output().unwrap());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);

    let records = records(&ended.stdout);
    let done = |record: &&Value| record["event"] == "step-done";
    let order: Vec<&str> =
        records.iter().filter(done).map(|record| record["step"].as_str().unwrap()).collect();
    assert_snapshot!(order.join("\n"), @"
    sin/cluster
    sin/namespace
    sin/lock
    sin/bucket
    sin/secret
    sin/crds
    sin/prometheus
    sin/thanos
    sin/admin
    sin/dashboards
    sin/grafana
    sin/ready
    ");

    let calls = watched.calls();
    for words in
        ["helm upgrade --install thanos", "helm show crds", " apply ", " create ", " replace "]
    {
        assert!(calls.iter().any(|call| call.contains(words)), "{words} in {calls:?}");
    }
    for call in calls {
        assert!(!secrets.iter().any(|secret| call.contains(secret)), "{call}");
        let (process, line) = call.split_once(' ').unwrap();
        children_environment(&watched, process, line.starts_with("helm"));
    }
    assert!(!secrets.iter().any(|secret| ended.stdout.contains(secret)));
    assert_eq!(files(&watched.0.path("tmp")), Vec::<PathBuf>::new());
    for file in files(&watched.0.path("user")).iter().filter(|file| file.is_file()) {
        let bytes = fs::read(file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{}", file.display());
    }
}

/// The records of a stream, each of which is as the schema says.
fn records(stream: &str) -> Vec<Value> {
    let text = fs::read_to_string(repository().join("docs/events.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let mut records = Vec::new();
    for line in stream.lines() {
        let record: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(schema::fits(&record, &schema, &schema), "{line}");
        records.push(record);
    }
    assert!(!schema::fits(&serde_json::json!({"event": "version"}), &schema, &schema));
    let opening = records.remove(0);
    assert_eq!((&opening["event"], &opening["version"]), (&"version".into(), &1.into()));
    assert_eq!(records[0]["event"], "run-started");
    assert_eq!(records.last().unwrap()["event"], "run-ended");
    assert_eq!(records.last().unwrap()["outcome"], "done");
    for (index, record) in records.iter().enumerate() {
        assert_eq!(record["seq"], index + 1, "{record}");
        record["time"].as_str().unwrap().parse::<Timestamp>().unwrap();
        let step = record["step"].as_str().unwrap_or_default();
        if step.starts_with("sin/") {
            assert_eq!(record["region"], "ap-singapore-1", "{record}");
        }
    }
    records
}

/// A child has nothing of okemon's, and helm has homes of the run's own.
fn children_environment(watched: &Watched, process: &str, helm: bool) {
    let text = fs::read_to_string(watched.0.path("watched").join(format!("{process}.env")));
    let text = text.unwrap();
    let names = text.lines().filter_map(|line| line.split_once('='));
    let private = format!("{}/okemon-", watched.0.path("tmp").display());
    let mut homes = Vec::new();
    for (name, value) in names {
        assert!(!name.starts_with("OKEMON_") && name != "KUBECTL_EXTERNAL_DIFF", "{text}");
        if name.starts_with("HELM_") && name != "HELM_REGISTRY_CONFIG" {
            assert!(value.starts_with(&private), "{name}={value}");
            homes.push(name);
        }
    }
    homes.sort_unstable();
    let wanted: &[&str] =
        if helm { &["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] } else { &[] };
    assert_eq!(homes, wanted, "{text}");
}
