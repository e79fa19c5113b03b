//! One okemon at a time on a cluster.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use jiff::SignedDuration;
use okemon::config::{Selection, Source, load};
use okemon::fail::{Exit, Fail};
use okemon::run::exec::{Exec, GRACE, Place, Setup};
use okemon::run::lease::{Lease, Pace};
use okemon::run::programs::Programs;
use okemon::run::stop::Stop;
use okemon::tools::cmd::Tool;
use okemon::tools::kubectl::Kubectl;

use crate::sandbox::{Sandbox, eventually};
use crate::watched::{Held, INSTALL, Watched};

#[test]
fn one_okemon_at_a_time_changes_a_cluster() {
    let watched = Watched::up();

    // Somebody who is alive.
    watched.occupy(SignedDuration::ZERO);
    let mark = watched.0.mark();
    let refused = watched.start(&INSTALL).end();
    assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    assert_snapshot!(watched.0.said(&refused.stderr), @"
    okemon install --region sin
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    + sin/bucket      create the bucket thanos in ap-singapore-1
    + sin/secret      store the bucket's keys in the Secret thanos-objstore-config
    + sin/crds        apply the operator's custom resource definitions
    + sin/prometheus  install kube-prometheus 11.3.10
    + sin/thanos      install thanos 17.3.1
    + sin/admin       make Grafana's admin password
    + sin/dashboards  provision 3 dashboards
    + sin/grafana     install grafana 12.11.1
    Plan: 8 to change, 2 unchanged.
    sin/cluster  unchanged
    sin/namespace  unchanged
    sin/lock  failed after T: taking the lock: another okemon is at work on this cluster: opc@elsewhere, process 1, since TIME
    Failed: 0 changed, 2 unchanged, 1 failed, 9 skipped (T)
    skipped: sin/bucket, sin/crds, sin/admin, sin/dashboards (it needs sin/lock)
    skipped: sin/secret (it needs sin/bucket)
    skipped: sin/prometheus, sin/thanos (it needs sin/secret)
    skipped: sin/grafana (it needs sin/admin)
    skipped: sin/ready (it needs sin/prometheus)
    error: sin/lock: taking the lock: another okemon is at work on this cluster: opc@elsewhere, process 1, since TIME
    hint: `--lock-timeout 10m` waits for it; the lock of one that died is free after a minute
    ");
    assert_eq!(watched.0.changes_since(&mark), Vec::<String>::new());
    assert_eq!(watched.holder(), "opc@elsewhere, process 1");

    // Somebody who gives it back while we wait.
    watched.occupy(SignedDuration::ZERO);
    watched.forget_calls();
    let mut run = watched.start(&[&INSTALL[..], &["--lock-timeout", "10m"]].concat());
    run.until_said("sin/lock  waiting for another okemon to end: opc@elsewhere, process 1");
    watched.free();
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(watched.holder(), "");

    // Somebody who has said nothing for two minutes.
    watched.occupy(SignedDuration::from_mins(2));
    watched.0.configure("retention: {local: 48h}\n");
    let ended = watched.start(&INSTALL).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(watched.holder(), "");

    // Somebody who leaves the cluster otherwise than it was when we looked.
    watched.occupy(SignedDuration::ZERO);
    watched.0.configure("retention: {local: 36h}\n");
    let mut run = watched.start(&[&INSTALL[..], &["--lock-timeout", "10m"]].concat());
    run.until_said("sin/lock  waiting for another okemon");
    watched.0.kubectl(&["delete", "service", "thanos-query", "--namespace", "monitoring"]);
    watched.free();
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let said: Vec<&str> =
        ended.stderr.lines().filter(|line| line.starts_with("sin/thanos  ")).collect();
    assert_snapshot!(watched.0.said(&said.join("\n")), @"
    sin/thanos  changed thanos 17.3.1 (T)
    sin/thanos  unlike what was shown: change thanos 17.3.1; + Service/thanos-query
    ");

    // The same, where somebody has reviewed what is to be done.
    watched.0.configure("retention: {local: 30h}\n");
    let reviewed = watched.0.run(&["plan", "--live", "--output", "json"]);
    std::fs::write(watched.0.path("reviewed"), reviewed.stdout).unwrap();
    watched.occupy(SignedDuration::ZERO);
    let mut run = watched.start(&["install", "--plan", "reviewed", "--lock-timeout", "10m"]);
    run.until_said("sin/lock  waiting for another okemon");
    watched.0.kubectl(&["delete", "service", "thanos-query", "--namespace", "monitoring"]);
    watched.free();
    let ended = run.end();
    assert_eq!(ended.code, Some(8), "{}", ended.stderr);
    let said = watched.0.said(&ended.stderr);
    assert_snapshot!(said.split_once("\nFailed: ").unwrap().1, @"
    1 changed, 8 unchanged, 1 failed, 1 skipped (T)
    skipped: sin/ready (it needs sin/thanos)
    error: sin/thanos: change thanos 17.3.1: what is there has changed since it was shown: + Service/thanos-query
    hint: run this again: it is shown before, with all else
    ");

    // Another okemon, while the first one is at work.
    watched.0.configure("retention: {local: 24h}\n");
    watched.hold("upgrade --install prometheus", Held::Politely);
    watched.forget_calls();
    let first = watched.start(&INSTALL);
    watched.until_held();
    let second = watched.0.run(&INSTALL);
    assert_eq!(second.code, Some(7), "{}", second.stderr);
    let holder = format!("process {}", first.0.id());
    assert!(second.stderr.contains(&holder), "{holder}: {}", second.stderr);
    watched.let_go();
    let first = first.end();
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert_eq!(
        watched.0.releases(),
        ["grafana 1 deployed", "prometheus 5 deployed", "thanos 3 deployed"]
    );
}

/// One run's part in the lock, at a pace that a test can wait for.
struct Party {
    lease: Lease,
    exec: Arc<Exec>,
    stop: Stop,
}

impl Party {
    fn new(sandbox: &Sandbox, name: &str, pace: Pace) -> Self {
        let bytes = std::fs::read(sandbox.path("okemon.yaml")).unwrap();
        let origin = "okemon.yaml".to_owned();
        let source = Source { origin, directory: sandbox.path(""), bytes };
        let config = load(Some(&source), &[], &Selection::default()).unwrap();
        let cluster = &config.clusters[0];
        // A copy of its own, which can be spoilt.
        let kubeconfig = sandbox.path(&format!("{name}.kubeconfig"));
        std::fs::copy(sandbox.cluster("kubeconfig"), &kubeconfig).unwrap();
        let bin = sandbox.tool("");
        let exec = Exec::start(Setup {
            programs: Programs::find([Tool::Kubectl], bin.as_os_str()).unwrap(),
            places: [(cluster.name.clone(), Place { kubeconfig: Some(kubeconfig.into()) })].into(),
            environment: ["TMPDIR", "HOME"]
                .map(|name| (name.into(), sandbox.path("").into()))
                .into(),
            okemon: env!("CARGO_BIN_EXE_okemon").into(),
            grace: GRACE,
        });
        let kubectl = Kubectl::new(&config, cluster);
        let lease = Lease::new(kubectl, name.to_owned(), Duration::ZERO, pace);
        Self { lease, exec: Arc::new(exec.unwrap()), stop: Stop::default() }
    }

    async fn take(&self) -> Result<bool, Fail> {
        self.lease.take(&self.exec, &self.stop, |_| {}).await
    }

    async fn release(&self) {
        self.lease.release(&self.exec, &self.stop).await;
    }

    /// Why the run was ended, once it was.
    fn lost(&self) -> String {
        eventually("the loss to be seen", || self.stop.requested());
        self.lease.lost().unwrap().error
    }
}

const OFTEN: Pace = Pace { renew: Duration::from_millis(50), give_up: Duration::from_mins(1) };
const NEVER: Pace = Pace { renew: Duration::from_hours(1), give_up: Duration::from_hours(1) };

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

#[test]
fn a_lock_is_kept_as_long_as_it_is_ours_and_no_longer() {
    let watched = Watched::up();
    let (sandbox, runtime) = (&watched.0, runtime());
    watched.occupy(SignedDuration::from_mins(20));
    let spec = || sandbox.object("lease", "okemon")["spec"].clone();

    // It is renewed while it is held, and free afterwards.
    let party = Party::new(sandbox, "first", OFTEN);
    assert!(!runtime.block_on(party.take()).unwrap());
    let taken = spec();
    assert_eq!(taken["holderIdentity"], "first");
    eventually("a renewal", || spec()["renewTime"] != taken["renewTime"]);
    assert_eq!(spec()["acquireTime"], taken["acquireTime"]);
    // Somebody else wrote to it, and left it ours.
    let note = ["annotate", "lease", "okemon", "--namespace", "monitoring", "note=kept"];
    sandbox.kubectl(&note);
    let noted = spec();
    eventually("a renewal", || spec()["renewTime"] != noted["renewTime"]);
    runtime.block_on(party.release());
    assert_eq!(watched.holder(), "");
    // What was seen while that run was at work may be old.
    let next = Party::new(sandbox, "next", NEVER);
    assert!(runtime.block_on(next.take()).unwrap());
    runtime.block_on(next.release());
    assert!(party.lease.lost().is_none() && !party.stop.requested());

    // Of many who ask at once, one gets it; where there is a Lease, and where there is none.
    for lease_is_there in [true, false] {
        if !lease_is_there {
            sandbox.kubectl(&["delete", "lease", "okemon", "--namespace", "monitoring"]);
        }
        let parties = ["a", "b", "c"].map(|name| Party::new(sandbox, name, NEVER));
        let [a, b, c] = &parties;
        let took = runtime.block_on(async { tokio::join!(a.take(), b.take(), c.take()) });
        let refused = [took.0, took.1, took.2].into_iter().filter_map(Result::err);
        let exits: Vec<Exit> = refused.map(|fail| fail.exit).collect();
        assert_eq!(exits, [Exit::Busy, Exit::Busy]);
        let holder = watched.holder();
        for party in &parties {
            runtime.block_on(party.release());
        }
        assert_ne!(holder, "");
        assert_eq!(watched.holder(), "");
    }

    // Another took it, as if we had been asleep: the run ends, and theirs is left to them.
    let party = Party::new(sandbox, "asleep", OFTEN);
    runtime.block_on(party.take()).unwrap();
    watched.occupy(SignedDuration::ZERO);
    assert_snapshot!(party.lost(), @"keeping the lock: another okemon took it, so this run ended early");
    runtime.block_on(party.release());
    assert_eq!(watched.holder(), "opc@elsewhere, process 1");

    // Somebody deleted it: it is made again.
    watched.free();
    let party = Party::new(sandbox, "deleted", OFTEN);
    runtime.block_on(party.take()).unwrap();
    let uid = || sandbox.object("lease", "okemon")["metadata"]["uid"].clone();
    let before = uid();
    sandbox.kubectl(&["delete", "lease", "okemon", "--namespace", "monitoring"]);
    let there = ["get", "lease", "okemon", "--namespace", "monitoring", "--ignore-not-found"];
    eventually("a new one", || !sandbox.kubectl(&there).is_empty() && uid() != before);
    runtime.block_on(party.release());
    assert_eq!(watched.holder(), "");

    // The API server is away for longer than others respect a lock.
    let brief = Pace { renew: Duration::from_millis(50), give_up: Duration::from_secs(5) };
    let party = Party::new(sandbox, "away", brief);
    runtime.block_on(party.take()).unwrap();
    lead_astray(&sandbox.path("away.kubeconfig"));
    let said = party.lost();
    // Whether it was asking or writing when its patience ended, is chance.
    assert!(
        said.starts_with("keeping the lock: it could not be renewed: running `kubectl ")
            && said.contains("127.0.0.1:9")
            && said.ends_with(", so this run ended early"),
        "{said}"
    );
}

/// Makes a kubeconfig lead where nobody listens.
fn lead_astray(kubeconfig: &Path) {
    let text = std::fs::read_to_string(kubeconfig).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9".into();
    // At once: it is read every now and then.
    let aside = kubeconfig.with_extension("new");
    std::fs::write(&aside, config.to_string()).unwrap();
    std::fs::rename(aside, kubeconfig).unwrap();
}
