//! What was recorded are the calls that okemon makes.

use std::collections::BTreeSet;
use std::path::Path;

use super::situations;
use crate::content::{charts, fixtures};
use crate::plan::testing::{intent, said};
use crate::plan::{Answer, Call};
use crate::tools::cmd::{Cmd, Tool};
use crate::tools::helm::{self, Archive, Helm};
use crate::tools::kubectl::Kubectl;

/// What a step asks next.
fn asked(step: &str, answers: &[Answer]) -> Cmd {
    match intent(step).ask(answers) {
        Some(Call::Cmd(cmd)) => cmd,
        other => panic!("{step} asks no tool: {other:?}"),
    }
}

fn of_kubectl() -> Vec<Cmd> {
    let kubectl = Kubectl::new(&fixtures::config(), &fixtures::cluster());
    let archive = Answer::Archive(Some(Archive { sha256: String::new(), chart: None }));
    let there = said("probes.monitoring.coreos.com 0.85.0 helm\n");
    let chart =
        said("    operator.prometheus.io/version: 0.85.0\n  name: probes.monitoring.coreos.com\n");
    let definitions = [archive, there, chart];
    vec![
        asked("sin/cluster", &[]),
        asked("sin/ready", &[]),
        asked("sin/crds", &definitions[..1]),
        asked("sin/crds", &definitions),
        kubectl.read_named(),
        kubectl.would_apply(),
        kubectl.apply(),
        kubectl.create(),
        kubectl.write(true),
        kubectl.write(false),
        kubectl.logs("thanos-0", "thanos", false),
        kubectl.logs("thanos-0", "thanos", true),
    ]
}

fn of_helm() -> Vec<Cmd> {
    let (config, cluster) = (fixtures::config(), fixtures::cluster());
    let helm = Helm::new(&config, &cluster);
    let (release, chart) = (charts::thanos(&config, &cluster), Path::new("/run/thanos-1.0.0.tgz"));
    vec![
        helm.status("thanos"),
        helm.status_of_3("thanos"),
        helm.history("thanos"),
        helm.list(),
        helm.rollback("thanos", 1),
        helm.upgrade(&release, chart, "okemon: thanos-1.0.0"),
        helm::show_crds(chart),
        helm::pull("oci://nowhere.invalid/charts/thanos", "1.0.0", Path::new("/nowhere")),
    ]
}

#[test]
fn the_recorded_calls_are_those_that_okemon_makes() {
    for (tool, calls) in [(Tool::Kubectl, of_kubectl()), (Tool::Helm, of_helm())] {
        let recorded: BTreeSet<String> =
            situations(tool).into_iter().map(|situation| situation.call).collect();
        // What is piped into it, is a command of its own.
        let line = |cmd: &Cmd| cmd.line().rsplit(" | ").next().unwrap_or_default().to_owned();
        let calls = calls.iter().map(line);
        let other: Vec<_> = calls.filter(|call| !recorded.contains(call)).collect();
        assert!(other.is_empty(), "tests/answers/record knows other calls: {other:#?}");
    }
}
