//! Answers as tools give them, and a small plan, for the tests of the steps.

use std::path::PathBuf;

use super::install::{Archive, Each, Local, install};
use super::{Answer, Decision, Effect, Intent, Plan};
use crate::config::Config;
use crate::content::fixtures;
use crate::tools::helm::{Archive as ChartArchive, ChartName};
use crate::tools::output::Output;

pub(crate) fn config() -> Config {
    fixtures::config()
}

/// A machine without `oci`, with every chart in `/charts`.
pub(super) fn local() -> Local {
    let archive = |name: &str, version: &str| Archive {
        path: PathBuf::from(format!("/charts/{name}-{version}.tgz")),
        version: version.to_owned(),
        pulled: true,
    };
    Local {
        oci: false,
        archives: Each {
            prometheus: archive("kube-prometheus", "11.3.10"),
            thanos: archive("thanos", "17.3.1"),
            grafana: archive("grafana", "12.11.1"),
        },
        own_values: vec![Each::default()],
        skip_crds: false,
    }
}

pub(crate) fn plan() -> Plan {
    install(&config(), &local())
}

/// The intent of one step of [`plan`].
pub(crate) fn intent(step: &str) -> Intent {
    let plan = plan();
    let mut found = plan.steps().filter(|candidate| candidate.id.to_string() == step);
    found.next().unwrap_or_else(|| panic!("no step {step}")).intent.clone()
}

/// A command that succeeded.
pub(crate) fn said(stdout: &str) -> Answer {
    let stdout = stdout.to_owned();
    Answer::Output(Output { code: Some(0), stdout, stderr: String::new() })
}

/// A command that failed with exit code 1.
pub(crate) fn failed(stderr: &str) -> Answer {
    let stderr = stderr.to_owned();
    Answer::Output(Output { code: Some(1), stdout: String::new(), stderr })
}

/// The archive of Thanos' chart, with this fingerprint.
pub(super) fn digest(sha256: &str) -> Answer {
    archive("thanos", "17.3.1", sha256)
}

/// The archive of a chart, with this fingerprint.
pub(super) fn archive(chart: &str, version: &str, sha256: &str) -> Answer {
    let chart = Some(ChartName { name: chart.to_owned(), version: version.to_owned() });
    Answer::Archive(Some(ChartArchive { sha256: sha256.to_owned(), chart }))
}

/// A decision in a few lines: what would be done, what differs, what is run.
pub(super) fn told(decision: &Decision) -> String {
    match decision {
        Decision::Unchanged { note: None } => "unchanged".to_owned(),
        Decision::Unchanged { note: Some(note) } => format!("unchanged: {note}"),
        Decision::Wait(diagnosis) => format!("wait: {} of {}", diagnosis.ready, diagnosis.of),
        Decision::Refuse(fail) => format!("refused ({:?}): {fail}", fail.exit),
        Decision::Do { action, deed, details, effects } => {
            let details = details.iter().map(|line| format!("\n  {line}"));
            let effects = effects.iter().map(|effect| match effect {
                Effect::Cmd(cmd) => format!("\n  $ {}", cmd.line()),
                Effect::Until(_) | Effect::S3(_) => format!("\n  $ {effect}"),
            });
            format!("{action:?}: {deed}{}", details.chain(effects).collect::<String>())
        }
    }
}
