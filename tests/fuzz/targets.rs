//! What is given broken inputs: each reader, with all that comes after it.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use jiff::Timestamp;
use okemon::commands::plan::{self, Form};
use okemon::config::{Config, Faults, Selection, Source, load};
use okemon::environment::Environment;
use okemon::plan::{Answer, Call, Decision, Intent, Plan};
use okemon::run::archive;
use okemon::tools::helm::{Archive, ChartName};
use okemon::tools::output::Output;
use okemon::tools::{http, yaml};

/// A reader of what others write.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Files and directories of inputs, beside its own.
    pub(crate) seeds: &'static [&'static str],
    /// Reads an input, and says something of it.
    pub(crate) run: fn(&[u8]) -> String,
}

pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "configurations",
        seeds: &["tests/data/full.yaml", "tests/data/plan/okemon.yaml"],
        run: configuration,
    },
    Target {
        name: "values",
        seeds: &["tests/data/plan/own.yaml", "tests/charts/values"],
        run: values,
    },
    Target { name: "answers", seeds: &["src/diagnose/tests/recorded"], run: answers },
    Target { name: "archives", seeds: &[], run: archives },
];

/// `okemon.yaml`, to everything that is shown of its plan.
fn configuration(input: &[u8]) -> String {
    let config = match read(input) {
        Ok(config) => config,
        Err(faults) => return faults.to_string(),
    };
    let (plan, notes) = match plan::plan(&config, &environment(), None, false) {
        Ok(planned) => planned,
        Err(fail) => return fail.to_string(),
    };
    let forms = [Form::Text, Form::Sh, Form::Json];
    let shown = forms.map(|form| plan::shown(&config, &plan, &notes, form).unwrap().len());
    format!("{shown:?}")
}

/// A file of the user's own Helm values.
fn values(input: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(input) else { return "no text".to_owned() };
    match yaml::read(text) {
        Ok(values) => values.to_string(),
        Err(error) => format!("{error:#}"),
    }
}

/// One step of each kind that reads answers.
const READERS: [&str; 6] = ["cluster", "bucket", "secret", "crds", "thanos", "ready"];

/// What helm, kubectl, oci or S3 answer: every step is given it in answer to each of its questions,
/// by a program that succeeded, by one that failed, and by a server.
fn answers(input: &[u8]) -> String {
    static PLAN: LazyLock<Plan> = LazyLock::new(plan_of_the_tests);
    let text = String::from_utf8_lossy(input).into_owned();
    let steps = PLAN.steps().filter(|step| READERS.contains(&step.id.name()));
    let said = steps.map(|step| decided(&step.intent, &text));
    said.collect::<Vec<_>>().join("\n")
}

fn decided(intent: &Intent, text: &str) -> String {
    let output = |code, stdout: &str, stderr: &str| {
        let (stdout, stderr) = (stdout.to_owned(), stderr.to_owned());
        Answer::Output(Output { code: Some(code), stdout, stderr })
    };
    let http = |status| Answer::Http {
        answer: http::Answer {
            status,
            date: text.lines().next().map(str::to_owned),
            body: text.to_owned(),
        },
        at: Timestamp::UNIX_EPOCH,
    };
    let moods = [
        (output(0, text, ""), http(200)),
        (output(1, text, text), http(403)),
        (output(1, "", text), http(404)),
    ];
    let decided = moods.iter().map(|(output, http)| {
        let mut so_far = Vec::new();
        while let Some(call) = intent.ask(&so_far)
            && so_far.len() < 8
        {
            so_far.push(match call {
                Call::Archive(_) => here(intent),
                Call::S3(_) => http.clone(),
                Call::Cmd(_) | Call::Optional(_) => output.clone(),
            });
        }
        told(&intent.decide(&so_far))
    });
    decided.collect::<Vec<_>>().join("\n")
}

/// What a person is told of a decision.
fn told(decision: &Decision) -> String {
    match decision {
        Decision::Unchanged { note } => format!("{note:?}"),
        Decision::Do { deed, details, effects, .. } => {
            let effects = effects.iter().map(|effect| format!("\n{effect}"));
            format!("{deed}\n{}{}", details.join("\n"), effects.collect::<String>())
        }
        Decision::Wait(diagnosis) => format!("{:?}", diagnosis.findings),
        Decision::Refuse(fail) => fail.to_string(),
    }
}

/// The archive that a step wants to be here.
fn here(intent: &Intent) -> Answer {
    let chart = match intent {
        Intent::Release(release) => release.release.chart.clone(),
        _ => return Answer::Archive(Some(Archive { sha256: "0".to_owned(), chart: None })),
    };
    let chart = Some(ChartName { name: chart.name.to_owned(), version: chart.version });
    Answer::Archive(Some(Archive { sha256: "0".to_owned(), chart }))
}

/// The archive of a chart.
fn archives(input: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chart.tgz");
    fs::write(&path, input).unwrap();
    format!("{:?}", archive::read(&path).map(|archive| archive.chart))
}

fn plan_of_the_tests() -> Plan {
    let text = "\
        version: 1\n\
        objectStorage: {bucket: thanos, namespace: axab, compartment: ocid1.compartment.oc1..aaaa}\n\
        clusters: [{region: sin, context: oke-sin, uid: 0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f}]\n";
    plan::plan(&read(text.as_bytes()).unwrap(), &environment(), None, false).unwrap().0
}

fn read(bytes: &[u8]) -> Result<Config, Faults> {
    let bytes = bytes.to_vec();
    let source =
        Source { origin: "okemon.yaml".to_owned(), directory: PathBuf::from("/fleet"), bytes };
    load(Some(&source), &[], &Selection::default())
}

fn environment() -> Environment {
    Environment { has_oci: true, cache: PathBuf::from("/cache"), ..Environment::of_this_process() }
}
