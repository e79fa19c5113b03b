//! What happens to the processes that okemon starts, with a compiled fake in their place.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "no part of okemon")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::kill;
use nix::unistd::Pid;
use okemon::run::exec::{Exec, Failure, Setup};
use okemon::run::programs::Programs;
use okemon::run::stop::{Interrupt, Stop};
use okemon::tools::cmd::{Cmd, Tool};
use okemon::tools::output::Output;
use serde_json::{Value, json};

const FAKE: &str = env!("CARGO_BIN_EXE_faketool");
const GRACE: Duration = Duration::from_millis(200);
const FOREVER: Duration = Duration::from_hours(1);

/// A directory with fakes for helm and kubectl, their script and their log.
struct Stage(tempfile::TempDir);

#[derive(Debug, serde::Deserialize)]
struct Call {
    line: String,
    stdin: String,
    environment: Vec<String>,
    pids: Vec<Option<i32>>,
}

impl Stage {
    fn new(script: &Value) -> Self {
        let stage = Self(tempfile::tempdir().unwrap());
        fs::create_dir(stage.path("bin")).unwrap();
        fs::create_dir(stage.path("tmp")).unwrap();
        for tool in ["helm", "kubectl"] {
            symlink(FAKE, stage.path("bin").join(tool)).unwrap();
        }
        fs::write(stage.path("script.json"), script.to_string()).unwrap();
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn environment(&self) -> BTreeMap<OsString, OsString> {
        // The fakes' own children are the system's.
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        BTreeMap::from([
            ("PATH".into(), path.into()),
            ("TMPDIR".into(), self.path("tmp").into()),
            ("FAKE_SCRIPT".into(), self.path("script.json").into()),
            ("FAKE_LOG".into(), self.path("log").into()),
            ("OKEMON_S3_SECRET_KEY".into(), "secret".into()),
            ("HELM_NAMESPACE".into(), "elsewhere".into()),
            ("KUBECONFIG".into(), "/kubeconfig".into()),
        ])
    }

    fn exec(&self, grace: Duration) -> Exec {
        let environment = self.environment();
        let programs =
            Programs::find([Tool::Helm, Tool::Kubectl], &environment[OsStr::new("PATH")]).unwrap();
        let (places, okemon) = (BTreeMap::new(), FAKE.into());
        Exec::start(Setup { programs, places, environment, okemon, grace }).unwrap()
    }

    fn calls(&self) -> Vec<Call> {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        // The last line may be half written.
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        whole.lines().map(|call| serde_json::from_str(call).unwrap()).collect()
    }

    /// Every process that the fakes say they are, once one call is written down.
    async fn pids(&self) -> Vec<i32> {
        until("a call", || !self.calls().is_empty()).await;
        self.calls().into_iter().flat_map(|call| call.pids).flatten().collect()
    }
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether the process has ended; one that nobody has reaped yet has.
fn gone(pid: i32) -> bool {
    let stat = || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    kill(Pid::from_raw(pid), None).is_err() || stat().contains(") Z ")
}

fn helm() -> Cmd {
    Cmd::new(Tool::Helm, ["list"]).timeout(FOREVER)
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).unwrap().next().is_none()
}

#[tokio::test]
async fn every_status_is_an_answer() {
    let stage =
        Stage::new(&json!([{"stdout": "a", "bytes": [255, 10], "stderr": "b", "status": 3}]));
    let output = stage.exec(GRACE).run(&helm(), None, &Stop::default()).await.unwrap();
    let (stdout, stderr) = ("a\u{fffd}\n".into(), "b".into());
    assert_eq!(output, Output { code: Some(3), stdout, stderr });
}

#[tokio::test]
async fn a_program_killed_by_a_signal_has_no_status() {
    let stage = Stage::new(&json!([{"acts": ["die"]}]));
    let output = stage.exec(GRACE).run(&helm(), None, &Stop::default()).await.unwrap();
    assert_eq!(output.code, None);
}

#[tokio::test]
async fn one_program_reads_what_another_prints() {
    let stage =
        Stage::new(&json!([{"has": ["helm"], "stdout": "kind: Service"}, {"has": ["kubectl"]}]));
    let cmd = Cmd::new(Tool::Kubectl, ["get", "-f", "-"]).reading(helm());
    stage.exec(GRACE).run(&cmd, Some("values".into()), &Stop::default()).await.unwrap();
    let calls: Vec<_> = stage.calls().into_iter().map(|call| (call.line, call.stdin)).collect();
    let pairs = [("helm list", "values"), ("kubectl get -f -", "kind: Service")];
    assert_eq!(calls, pairs.map(|(line, stdin)| (line.to_owned(), stdin.to_owned())));
}

#[tokio::test]
async fn when_the_source_fails_its_answer_is_the_answer() {
    let stage =
        Stage::new(&json!([{"has": ["helm"], "stderr": "release: not found", "status": 1}]));
    let cmd = Cmd::new(Tool::Kubectl, ["get", "-f", "-"]).reading(helm());
    let output = stage.exec(GRACE).run(&cmd, None, &Stop::default()).await.unwrap();
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), "release: not found"));
    assert_eq!(stage.calls().len(), 1);
}

#[tokio::test]
async fn a_child_finds_nothing_in_its_environment_that_leads_it_astray() {
    let stage = Stage::new(&json!([{}]));
    stage.exec(GRACE).run(&helm(), None, &Stop::default()).await.unwrap();
    let mut names = stage.calls().remove(0).environment;
    names.sort();
    let known =
        ["FAKE_LOG", "FAKE_SCRIPT", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"];
    assert_eq!(names, [&known[..], &["KUBERC", "PATH", "TMPDIR"]].concat());
}

#[tokio::test]
async fn a_flood_of_stderr_neither_blocks_nor_fills_the_memory() {
    let stage = Stage::new(&json!([{"acts": ["flood"], "stdout": "done", "stderr": "the end"}]));
    let output = stage.exec(GRACE).run(&helm(), None, &Stop::default()).await.unwrap();
    assert_eq!((output.stdout.as_str(), output.stderr.len()), ("done", 1 << 20));
    assert!(output.stderr.ends_with("xthe end"));
}

#[tokio::test]
async fn an_answer_does_not_wait_for_a_grandchild_that_holds_the_pipe() {
    let stage = Stage::new(&json!([{"acts": ["leave"], "stdout": "done"}]));
    let output = stage.exec(GRACE).run(&helm(), None, &Stop::default()).await.unwrap();
    assert_eq!(output.stdout, "done");
    let pids = stage.pids().await;
    until("the grandchild to end", || pids.iter().all(|pid| gone(*pid))).await;
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_ended() {
    let stage = Stage::new(&json!([{"acts": ["stay"]}]));
    let cmd = helm().timeout(Duration::from_millis(50));
    let failure = stage.exec(FOREVER).run(&cmd, None, &Stop::default()).await.unwrap_err();
    assert_eq!(failure.to_string(), "`helm list` was ended: it had no answer after 50ms");
}

#[tokio::test]
async fn a_program_that_is_held_goes_on_until_it_is_let_go() {
    let stage =
        Stage::new(&json!([{"acts": ["leave", "linger"], "stdout": "ready at 1\nready at 2\n"}]));
    let exec = stage.exec(GRACE);
    let complete = |said: &str| said.lines().count() == 2;
    let held = exec.hold(&helm(), complete, &Stop::default()).await.unwrap();
    assert_eq!(held.said(), "ready at 1\nready at 2\n");
    let pids = stage.pids().await;
    assert!(pids.iter().all(|pid| !gone(*pid)));
    drop(held);
    until("the group to end", || pids.iter().all(|pid| gone(*pid))).await;
}

#[tokio::test]
async fn a_program_that_should_be_held_and_ends_tells_why() {
    let stage =
        Stage::new(&json!([{"stdout": "ready at 1\n", "stderr": "no such pod", "status": 1}]));
    let held = stage.exec(GRACE).hold(&helm(), |_| false, &Stop::default()).await;
    assert_eq!(held.unwrap_err().to_string(), "`helm list` ended: no such pod");
}

#[tokio::test]
async fn a_program_that_should_be_held_and_never_gets_ready_is_ended() {
    let stage = Stage::new(&json!([{"acts": ["linger"], "stdout": "not yet\n"}]));
    let exec = stage.exec(GRACE);
    let cmd = helm().timeout(Duration::from_secs(1));
    let held = exec.hold(&cmd, |_| false, &Stop::default()).await;
    assert_eq!(held.unwrap_err().to_string(), "`helm list` was ended: it had no answer after 1s");
    let pids = stage.pids().await;
    until("the group to end", || pids.iter().all(|pid| gone(*pid))).await;
}

/// Runs helm as `script` says, calls `then` once it runs, and looks for what is left of it.
async fn interrupted(script: Value, grace: Duration, then: impl Fn(&Stop)) -> String {
    let (stage, stop) = (Stage::new(&json!([script])), Stop::default());
    let exec = stage.exec(grace);
    let cmd = helm();
    let interrupt = async {
        let pids = stage.pids().await;
        then(&stop);
        pids
    };
    let (failure, pids) = tokio::join!(exec.run(&cmd, None, &stop), interrupt);
    until("the group to end", || pids.iter().all(|pid| gone(*pid))).await;
    failure.unwrap_err().to_string()
}

#[tokio::test]
async fn an_interrupt_ends_the_whole_group() {
    let script = json!({"acts": ["leave", "stay"]});
    let said = interrupted(script, FOREVER, |stop| stop.press(Interrupt::Int)).await;
    assert_eq!(said, "`helm list` was ended: the run was interrupted");
}

#[tokio::test]
async fn a_group_that_does_not_hear_the_interrupt_is_killed_after_the_grace() {
    let script = json!({"acts": ["deafen", "leave", "stay"]});
    interrupted(script, GRACE, |stop| stop.press(Interrupt::Term)).await;
}

#[tokio::test]
async fn a_second_interrupt_does_not_wait_for_the_grace() {
    let script = json!({"acts": ["deafen", "leave", "stay"]});
    let twice = |stop: &Stop| (0..2).for_each(|_| stop.press(Interrupt::Int));
    interrupted(script, FOREVER, twice).await;
}

#[tokio::test]
async fn after_an_interrupt_nothing_is_started_but_the_last_words() {
    let (stage, stop) = (Stage::new(&json!([{}])), Stop::default());
    let exec = stage.exec(GRACE);
    stop.press(Interrupt::Int);
    assert!(matches!(exec.run(&helm(), None, &stop).await, Err(Failure::Stopped { .. })));
    exec.run(&helm(), None, &stop.last_words()).await.unwrap();
    assert_eq!(stage.calls().len(), 1);
}

#[tokio::test]
async fn a_run_that_is_given_up_ends_its_program() {
    let stage = Stage::new(&json!([{"acts": ["deafen", "leave", "stay"]}]));
    let exec = stage.exec(FOREVER);
    let (cmd, stop) = (helm(), Stop::default());
    let pids = tokio::select! {
        _ = exec.run(&cmd, None, &stop) => panic!("it stays"),
        pids = stage.pids() => pids,
    };
    until("the group to end", || pids.iter().all(|pid| gone(*pid))).await;
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_named() {
    let stage = Stage::new(&json!([]));
    let exec = stage.exec(GRACE);
    fs::remove_file(stage.path("bin/helm")).unwrap();
    let failure = exec.run(&helm(), None, &Stop::default()).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "cannot start `helm list`: No such file or directory (os error 2)"
    );
}

#[tokio::test]
async fn the_private_directory_is_the_users_alone_and_goes_with_the_run() {
    let stage = Stage::new(&json!([]));
    let exec = stage.exec(GRACE);
    assert_eq!(fs::metadata(exec.home()).unwrap().mode() & 0o7777, 0o700);
    fs::write(exec.home().join("chart.tgz"), "").unwrap();
    drop(exec);
    assert!(is_empty(&stage.path("tmp")));
}

/// A small okemon in a process of its own, which runs `helm list`.
fn small_okemon(stage: &Stage) -> std::process::Command {
    let mut okemon = std::process::Command::new(FAKE);
    okemon.args(["__okemon", "list"]).env_clear().envs(stage.environment());
    okemon
}

#[tokio::test]
async fn a_killed_okemon_leaves_no_process_and_no_file() {
    for acts in [json!(["leave", "stay"]), json!(["deafen", "leave", "stay"])] {
        let stage = Stage::new(&json!([{"acts": acts}]));
        let mut okemon = small_okemon(&stage).spawn().unwrap();
        let pids = stage.pids().await;
        assert!(!is_empty(&stage.path("tmp")));

        okemon.kill().unwrap();
        okemon.wait().unwrap();

        until("everything to end", || pids.iter().all(|pid| gone(*pid))).await;
        until("the private directory to go", || is_empty(&stage.path("tmp"))).await;
    }
}

#[test]
fn a_program_that_asks_at_the_terminal_fails_instead_of_waiting() {
    let stage = Stage::new(&json!([{"acts": ["prompt"]}]));
    let terminal = rexpect::session::spawn_command(small_okemon(&stage), Some(60_000));
    terminal.unwrap().exp_string("cannot ask: there is no terminal").unwrap();
}
