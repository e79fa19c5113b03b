//! Runs to tell: lists of what happened, each a second or more after the other. For tests only.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::Reporter;
use super::event::{Change, ClusterSeen, Ended, Event, Millis, StepResult};
use crate::diagnose::catalogue::Id;
use crate::diagnose::{Finding, Severity};
use crate::plan::step::Action;

/// What happened, and how many milliseconds after the run began.
pub(super) type Run = Vec<(i64, Event)>;

/// Tells a whole run.
pub(super) fn tell(reporter: &mut impl Reporter, run: &Run) {
    for (millis, event) in run {
        reporter.on(at(*millis), event);
    }
}

/// A moment of a run.
pub(super) fn at(millis: i64) -> Timestamp {
    let start = Timestamp::from_second(1_790_000_000).expect("it is in range");
    start + SignedDuration::from_millis(millis)
}

/// Four steps: one is as it should be, three are made.
pub(super) fn fresh_install() -> Run {
    vec![
        (0, started()),
        (400, done("sin/bucket", StepResult::Unchanged, "", 300)),
        (1_000, survey(1)),
        (1_000, begins("charts/kube-prometheus", "fetch kube-prometheus 11.3.10")),
        (3_400, did("charts/kube-prometheus", "fetched kube-prometheus 11.3.10", 2_400)),
        (3_400, begins("sin/prometheus", "install kube-prometheus 11.3.10")),
        (3_400, runs("sin/prometheus", "helm upgrade --install prometheus kube-prometheus.tgz")),
        (15_500, did("sin/prometheus", "installed kube-prometheus 11.3.10", 12_100)),
        (15_500, begins("sin/ready", "wait until all of it runs")),
        (16_000, waits("sin/ready", 14, &[])),
        (18_000, done("sin/ready", StepResult::Ready, "16 of 16 ready", 2_500)),
        (18_000, note("sin/ready", "thanos-storeapi answers at 10.0.0.5")),
        (18_000, ended(Ended::Done, [3, 1, 0, 0], 18_000)),
    ]
}

pub(super) fn unchanged() -> Run {
    let same = |step: &str| done(step, StepResult::Unchanged, "", 300);
    vec![
        (0, started()),
        (1_200, Event::Surveyed { changes: Vec::new(), unchanged: 2 }),
        (1_200, same("sin/bucket")),
        (1_200, done("sin/prometheus", StepResult::Unchanged, "kube-prometheus 11.3.10", 300)),
        (1_290, ended(Ended::Done, [0, 2, 0, 0], 1_290)),
    ]
}

/// One step fails, with what it found; what needs it is left out.
pub(super) fn failure() -> Run {
    vec![
        (0, started()),
        (1_000, survey(1)),
        (1_000, begins("sin/prometheus", "install kube-prometheus 11.3.10")),
        (41_000, failed()),
        (41_000, skipped("sin/ready", "it needs sin/prometheus")),
        (41_000, skipped("sin/dashboards", "it needs sin/prometheus")),
        (41_000, ended(Ended::Failed, [1, 1, 1, 2], 41_000)),
    ]
}

pub(super) fn interrupted() -> Run {
    vec![
        (0, started()),
        (1_000, survey(1)),
        (3_400, did("charts/kube-prometheus", "fetched kube-prometheus 11.3.10", 2_400)),
        (3_400, begins("sin/prometheus", "install kube-prometheus 11.3.10")),
        (9_000, Event::Stopping),
        (11_000, skipped("sin/prometheus", "interrupted")),
        (11_000, skipped("sin/ready", "interrupted")),
        (11_000, ended(Ended::Interrupted, [1, 1, 0, 2], 11_000)),
    ]
}

/// A wait during which findings come, change, come back and go; polled every other second.
pub(super) fn waiting() -> Run {
    let (pod, creating) = ("pod/thanos-query-0", "ContainerCreating");
    let pulling = finding(Id::Starting, pod, creating, Severity::Starting, None);
    let image = || {
        let reason = "ImagePullBackOff: quay.io/thanos:0.39 not found";
        let hint = "okemon images  (compare with your mirror)";
        finding(Id::ImageMissing, pod, reason, Severity::Wrong, Some(hint))
    };
    let no_class = "no storage class is the default";
    let volume = finding(Id::VolumePending, "pvc/data-0", no_class, Severity::Final, None);
    let mut run = vec![
        (0, started()),
        (0, Event::Surveyed { changes: Vec::new(), unchanged: 0 }),
        (0, begins("sin/ready", "wait until all of it runs")),
    ];
    for millis in (0..100_000).step_by(2_000) {
        let (ready, findings) = match millis {
            0..6_000 => (12, vec![pulling.clone()]),
            6_000..8_000 => (14, vec![pulling.clone(), image()]),
            50_000..54_000 => (14, vec![image(), volume.clone()]),
            54_000..56_000 => (14, vec![pulling.clone()]),
            _ => (14, vec![image()]),
        };
        run.push((millis, waits("sin/ready", ready, &findings)));
    }
    run
}

fn started() -> Event {
    Event::RunStarted {
        command: "okemon install --region sin".to_owned(),
        clusters: vec![ClusterSeen {
            name: "sin".to_owned(),
            region: "ap-singapore-1".to_owned(),
            context: "oke-sin".to_owned(),
            namespace: "monitoring".to_owned(),
        }],
    }
}

fn survey(unchanged: usize) -> Event {
    let change = |step: &str, action, summary: &str, details: &[&str]| Change {
        step: step.to_owned(),
        action,
        summary: summary.to_owned(),
        details: details.iter().map(|&detail| detail.to_owned()).collect(),
    };
    let retention = ["prometheus.retention: 72h -> 48h", "prometheus.replicas: 1 -> 2"];
    Event::Surveyed {
        changes: vec![
            change("sin/secret", Action::Add, "apply Secret thanos-objstore-config", &[]),
            change("sin/prometheus", Action::Change, "upgrade prometheus", &retention),
            change("sin/grafana", Action::Remove, "remove dashboard old", &[]),
        ],
        unchanged,
    }
}

fn begins(step: &str, title: &str) -> Event {
    Event::StepStarted { step: step.to_owned(), title: title.to_owned() }
}

fn runs(step: &str, line: &str) -> Event {
    Event::StepRuns { step: step.to_owned(), line: line.to_owned() }
}

fn note(step: &str, note: &str) -> Event {
    Event::StepNoted { step: step.to_owned(), note: note.to_owned() }
}

fn waits(step: &str, ready: usize, findings: &[Finding]) -> Event {
    Event::StepWaiting { step: step.to_owned(), ready, of: 16, findings: findings.to_vec() }
}

fn did(step: &str, summary: &str, millis: u64) -> Event {
    done(step, StepResult::Changed, summary, millis)
}

fn done(step: &str, result: StepResult, summary: &str, millis: u64) -> Event {
    let (step, summary) = (step.to_owned(), summary.to_owned());
    Event::StepDone { step, result, summary, took: Millis(millis) }
}

fn failed() -> Event {
    let hint = "kubectl --context oke-sin get events --namespace monitoring";
    Event::StepFailed {
        step: "sin/prometheus".to_owned(),
        error: "helm upgrade: exit status 1\nError: \u{1b}[31mconflict\u{1b}[0m".to_owned(),
        hint: Some("`helm history prometheus` shows every try".to_owned()),
        findings: vec![finding(
            Id::Unschedulable,
            "pod/prometheus-0",
            "Unschedulable",
            Severity::Wrong,
            Some(hint),
        )],
    }
}

fn skipped(step: &str, because: &str) -> Event {
    Event::StepSkipped { step: step.to_owned(), because: because.to_owned() }
}

fn finding(id: Id, object: &str, reason: &str, severity: Severity, hint: Option<&str>) -> Finding {
    let hint = hint.map(str::to_owned);
    Finding { id, object: object.to_owned(), reason: reason.to_owned(), hint, severity }
}

fn ended(outcome: Ended, counts: [usize; 4], millis: u64) -> Event {
    let [changed, unchanged, failed, skipped] = counts;
    Event::RunEnded { outcome, changed, unchanged, failed, skipped, took: Millis(millis) }
}

/// A place to write to that the test can still read.
#[derive(Clone, Debug, Default)]
pub(super) struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no test panicked").clone()).expect("it is UTF-8")
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe whose reader is gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct BrokenPipe;

impl Write for BrokenPipe {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}
