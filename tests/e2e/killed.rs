//! okemon killed after every single command that changes something: the next run goes on, and the
//! last ends in the same cluster as an install that nobody disturbed.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::OnceLock;

use insta::assert_snapshot;
use serde_json::Value;

use crate::door::Door;
use crate::objects::differing;
use crate::sandbox::{Ended, LOAD_BALANCER, Sandbox, eventually};

/// Stands before helm and kubectl on PATH, and calls the real one. Notes each call in `calls` as
/// TOOL VERB WHAT; kills okemon after the one that `KILL` names, or becomes it, and notes the process.
/// `KILL=each` kills it after one that changes something and after which it was not killed before, as
/// `calls.killed` has it, but for `SPARED`; and before the Secret: the bucket, which okemon makes itself, is what came then.
const WRAPPER: &str = r#"#!/bin/sh
tool=${0##*/}
input=$(mktemp)
cat > "$input"
if [ "$tool" = helm ]; then
  verb=$1 what=$2
  [ "$2" = --install ] && what=$3
else
  [ "$1" = --context ] && verb=$5 || verb=$1
  what=$(sed -n '/^ *"*kind"*: / { s/.*: "*//; s/".*//; p; q; }' "$input")
fi
case "$*" in *--dry-run=server*) verb=try ;; esac
call="$tool $verb $what"
kill_once() {
  grep -qxF "$1" "$CALLS.killed" && return 1
  kill -0 "$PPID" && echo "$1" >> "$CALLS.killed" && kill -9 "$PPID"
}
case "$KILL" in
  each) [ "$call" = "kubectl apply Secret" ] && kill_once "the bucket" && exit 1 ;;
  "become $call") echo $$ > "$CALLS.pid"; exec "$REAL/$tool" "$@" < "$input" ;;
esac
"$REAL/$tool" "$@" < "$input"
code=$?
echo "$call" >> "$CALLS"
case "$KILL" in
  each) [ "$call" = "$SPARED" ] || case " $ASKS " in *" $verb "*) ;; *) kill_once "$call" ;; esac ;;
  "after $call") kill -9 "$PPID" ;;
esac
exit $code
"#;

/// What is in a cluster after an install that nobody disturbed, and the calls that it took.
fn undisturbed() -> &'static (Vec<Value>, Vec<String>) {
    static ONCE: OnceLock<(Vec<Value>, Vec<String>)> = OnceLock::new();
    ONCE.get_or_init(|| {
        let sandbox = prepared();
        let ended = watched(&sandbox, "nothing");
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let mut calls: Vec<String> = std::fs::read_to_string(sandbox.path("calls"))
            .unwrap()
            .lines()
            .filter(|call| changes(call))
            .map(str::to_owned)
            .collect();
        calls.sort();
        calls.dedup();
        (sandbox.objects(), calls)
    })
}

/// The verbs of calls that change nothing.
const ASKS: &str = "diff get history show status template try version";
/// By which the lock is taken from the dead, too, so it comes last.
const GIVES_BACK: &str = "kubectl replace Lease";

fn changes(call: &str) -> bool {
    call.split(' ').nth(1).is_some_and(|verb| !ASKS.split(' ').any(|asks| asks == verb))
}

fn prepared() -> Sandbox {
    let sandbox = Sandbox::up();
    sandbox.configure_cluster(LOAD_BALANCER);
    std::fs::create_dir(sandbox.path("wrapped")).unwrap();
    for tool in ["helm", "kubectl"] {
        let path = sandbox.path("wrapped").join(tool);
        std::fs::write(&path, WRAPPER).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    sandbox
}

/// An install with the wrapper before the tools.
fn watched(sandbox: &Sandbox, kill: &str) -> Ended {
    crate::sandbox::ran(&mut wrapped(sandbox, kill))
}

fn wrapped(sandbox: &Sandbox, kill: &str) -> Command {
    let mut install = sandbox.okemon(&["install", "--region", "sin"]);
    install
        .env("PATH", format!("{}:/usr/bin:/bin", sandbox.path("wrapped").display()))
        .env("REAL", sandbox.tool(""))
        .env("CALLS", sandbox.path("calls"))
        .env("ASKS", ASKS)
        .env("SPARED", GIVES_BACK)
        .env("KILL", kill);
    install
}

/// Whether okemon was ended by SIGKILL, and waits until nothing of it is left.
fn was_killed(sandbox: &Sandbox, ended: &Ended) {
    assert_eq!(ended.code, None, "it was not killed: {}", ended.stderr);
    let home =
        |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with("okemon-");
    let left = || std::fs::read_dir(sandbox.path("")).unwrap().flatten().any(|entry| home(&entry));
    eventually("the watchdog has cleared up", || !left());
}

/// As if a minute had passed since the dead okemon renewed its lock.
fn a_minute_later(sandbox: &Sandbox) {
    let namespace = ["--namespace", "monitoring"];
    let there = ["get", "lease", "okemon", "--ignore-not-found", "-o", "name"];
    if !sandbox.kubectl(&[&there[..], &namespace].concat()).is_empty() {
        let then = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(61);
        let old =
            format!(r#"{{"spec": {{"acquireTime": "{then:.6}", "renewTime": "{then:.6}"}}}}"#);
        let patch = ["patch", "lease", "okemon", "--type", "merge", "--patch", &old];
        sandbox.kubectl(&[&patch[..], &namespace].concat());
    }
}

#[test]
fn killed_after_each_command_it_goes_on_and_ends_in_the_same_cluster() {
    let sandbox = prepared();
    let killed = || -> Vec<String> {
        let list = std::fs::read_to_string(sandbox.path("calls.killed")).unwrap();
        list.lines().map(str::to_owned).collect()
    };
    std::fs::write(sandbox.path("calls.killed"), "").unwrap();
    let mut before = 0;
    loop {
        let ended = watched(&sandbox, "each");
        if killed().len() == before {
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            break;
        }
        was_killed(&sandbox, &ended);
        a_minute_later(&sandbox);
        before = killed().len();
    }
    let killed = killed();
    let (objects, calls) = undisturbed();
    let spared: Vec<_> = calls.iter().filter(|call| !killed.contains(call)).collect();
    assert_eq!(spared, [GIVES_BACK]);
    assert_eq!(killed.iter().filter(|call| *call == "the bucket").count(), 1);
    assert_eq!(differing(objects, &sandbox.objects()), [""; 0]);

    // That one, too: nothing is left to do after it. Where there is no lock, it is taken by another call.
    for (kind, name) in [("lease", "okemon"), ("service", "thanos-query")] {
        sandbox.kubectl(&["delete", kind, name, "--namespace", "monitoring"]);
    }
    was_killed(&sandbox, &watched(&sandbox, &format!("after {GIVES_BACK}")));
    let last = sandbox.install();
    assert!(last.stderr.contains("Plan: 0 to change"), "{}", last.stderr);
    assert_eq!(differing(objects, &sandbox.objects()), [""; 0]);
}

#[test]
fn a_helm_that_is_cut_short_with_okemon_leaves_what_the_next_run_puts_right() {
    let sandbox = prepared();
    let door = Door::before_deployments_of(&sandbox, "thanos", &["CREATE", "UPDATE"]);
    let mut okemon = wrapped(&sandbox, "nothing").spawn().unwrap();
    let _held = door.knock();
    okemon.kill().unwrap();
    was_killed(&sandbox, &crate::sandbox::ended(&okemon.wait_with_output().unwrap()));
    door.open(&sandbox);
    a_minute_later(&sandbox);
    // Helm gets TERM, and may still note that it failed.
    let way_back = the_way_back(&sandbox);
    assert!(way_back.contains("revision 1 "), "{way_back}");
}

#[test]
fn an_install_and_an_upgrade_by_helm_that_was_killed_are_told_and_put_right() {
    let sandbox = prepared();
    let door = Door::before_deployments_of(&sandbox, "thanos", &["CREATE", "UPDATE"]);
    assert_snapshot!(helm_killed(&sandbox, &door), @"
    Failed: 9 changed, 1 unchanged, 1 failed, 1 skipped (T)
    skipped: sin/ready (it needs sin/thanos)
    error: sin/thanos: running `helm upgrade --install thanos CHARTS/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:DIGEST' --values - --kube-context oke-sin --namespace monitoring < values/bitnami/thanos.yaml`: it was ended by a signal
    hint: okemon install --region sin  (run again: it goes on from here)
    ");
    door.open(&sandbox);
    assert_snapshot!(the_way_back(&sandbox), @"
    ~ sin/thanos change thanos 17.3.1
    ! revision 1 was cut short: it is forgotten, and what there is of it is taken over
    sin/thanos changed thanos 17.3.1 (T)
    ");

    let door = Door::before_deployments_of(&sandbox, "thanos", &["CREATE", "UPDATE"]);
    let config = std::fs::read_to_string(sandbox.path("okemon.yaml")).unwrap();
    std::fs::write(sandbox.path("okemon.yaml"), format!("{config}    retention: {{raw: 30d}}\n"))
        .unwrap();
    assert_snapshot!(helm_killed(&sandbox, &door), @"
    Failed: 0 changed, 10 unchanged, 1 failed, 1 skipped (T)
    skipped: sin/ready (it needs sin/thanos)
    error: sin/thanos: running `helm upgrade --install thanos CHARTS/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:DIGEST' --values - --kube-context oke-sin --namespace monitoring < values/bitnami/thanos.yaml`: it was ended by a signal
    hint: okemon install --region sin  (run again: it goes on from here)
    ");
    door.open(&sandbox);
    std::fs::write(sandbox.path("okemon.yaml"), config).unwrap();
    assert_snapshot!(the_way_back(&sandbox), @"
    ~ sin/thanos change thanos 17.3.1
    ! revision 2 was cut short: back to revision 1, then on
    sin/thanos changed thanos 17.3.1 (T)
    ");
}

/// Kills the helm that installs Thanos while it is at the door; what okemon says of that.
fn helm_killed(sandbox: &Sandbox, door: &Door) -> String {
    let okemon = wrapped(sandbox, "become helm upgrade thanos").spawn().unwrap();
    let _held = door.knock();
    let helm = std::fs::read_to_string(sandbox.path("calls.pid")).unwrap();
    assert!(Command::new("kill").args(["-9", helm.trim()]).status().unwrap().success());
    let ended = crate::sandbox::ended(&okemon.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let said = sandbox.said(&ended.stderr);
    let last = said.lines().skip_while(|line| !line.starts_with("Failed")).collect::<Vec<_>>();
    last.join("\n")
}

/// What the next run finds to do for Thanos; it ends in the same cluster.
fn the_way_back(sandbox: &Sandbox) -> String {
    let ended = sandbox.install();
    assert_eq!(differing(&undisturbed().0, &sandbox.objects()), Vec::<String>::new());
    assert!(sandbox.releases().iter().all(|release| release.ends_with(" deployed")));
    let said = sandbox.said(&ended.stderr);
    let told = |line: &&str| line.contains("sin/thanos") || line.contains(" revision ");
    // The list of changes is as wide as the longest name in it.
    let told = said.lines().filter(told).map(|line| line.split_whitespace().collect::<Vec<_>>());
    told.map(|words| words.join(" ")).collect::<Vec<_>>().join("\n")
}
