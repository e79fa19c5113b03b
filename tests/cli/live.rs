//! `okemon plan --live` where the look does not come to its end.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::machine::{KEYS, Machine, SMALL, refusal};

/// Tools of which everything but the question for their versions ends this way.
fn tools(machine: Machine, answer: &Value) -> Machine {
    let kubectl = json!({"clientVersion": {"gitVersion": "v1.37.1"}}).to_string();
    let script = json!([
        {"has": ["helm version"], "stdout": "v4.0.0"},
        {"has": ["kubectl version"], "stdout": kubectl},
        answer,
    ]);
    machine.tools(&["helm", "kubectl"], &script)
}

#[test]
fn a_look_that_failed_tells_every_failure_with_its_step() {
    let machine = tools(Machine::with(SMALL), &json!({"stderr": "error: no\n", "status": 1}));
    let mut look = machine.okemon(&["plan", "--live"]);
    assert_snapshot!(refusal(machine.ended(look.envs(KEYS)), 1), @"
    error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: error: no
    error: charts/kube-prometheus: running `helm pull oci://registry-1.docker.io/bitnamicharts/kube-prometheus --version 11.3.10 --destination DIR/home/.cache/okemon/charts`: error: no
    error: charts/thanos: running `helm pull oci://registry-1.docker.io/bitnamicharts/thanos --version 17.3.1 --destination DIR/home/.cache/okemon/charts`: error: no
    error: charts/grafana: running `helm pull oci://ghcr.io/grafana-community/helm-charts/grafana --version 12.11.1 --destination DIR/home/.cache/okemon/charts`: error: no
    hint: `chartDirectory` names a directory that the charts were brought to by hand: docs/private-registry.md
    ");
}

#[test]
fn a_look_says_which_other_charts_are_taken() {
    let machine = Machine::with(&format!("chartDirectory: charts\n{SMALL}"));
    fs::create_dir(machine.path("charts")).unwrap();
    for chart in ["kube-prometheus-99.0.0", "thanos-17.3.1", "grafana-12.11.1"] {
        fs::write(machine.path(&format!("charts/{chart}.tgz")), "").unwrap();
    }
    let machine = tools(machine, &json!({"stderr": "error: no\n", "status": 1}));
    let said = |args: &[&str]| {
        let mut look = machine.okemon(&[&["plan", "--live"], args].concat());
        refusal(machine.ended(look.envs(KEYS)), 1)
    };
    assert_snapshot!(said(&[]), @"
    charts/kube-prometheus  charts/kube-prometheus-99.0.0.tgz is taken: 11.3.10, the version asked for, is not there
    error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: error: no
    ");
    assert_eq!(said(&["-o", "json"]), said(&[]));
    assert_snapshot!(said(&["-q"]), @"error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: error: no");
}

#[test]
fn a_look_that_is_ended_tells_by_which_signal() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let machine = tools(Machine::with(SMALL), &json!({"acts": ["stay"]}));
        let mut look = machine.okemon(&["plan", "--live"]);
        let look = look.envs(KEYS).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_mins(1);
        let log = || fs::read_to_string(machine.path("log")).unwrap_or_default();
        while !log().contains("get namespace kube-system") {
            assert!(Instant::now() < deadline, "{}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
        kill(Pid::from_raw(look.id().cast_signed()), signal).unwrap();
        let ended = look.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(code), 0), "{said}");
        assert_eq!(said, "error: interrupted: nothing more was begun\n");
    }
}
