//! Turns events into what is worth saying, and says it once: shared by both human forms.
//!
//! Pure; time comes in with the events. How the words reach a person is left to `lines`
//! and `tty`.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::Verbosity;
use super::event::{ClusterSeen, Event, Millis, StepResult};
use super::summary::{Counts, Summary};
use super::survey::survey;
use super::words::{Mark, Said, duration, elapsed, finding, harmless, since, with_hint};
use crate::diagnose::{Finding, Severity};

/// Stands in for a step while the run looks at what there is, so that this is shown at work too.
const LOOK: &str = "look";

/// A run as it has been told so far.
#[derive(Debug)]
pub(super) struct Story {
    verbosity: Verbosity,
    running: BTreeMap<String, Progress>,
    summary: Summary,
}

/// A step that has begun and not ended.
#[derive(Debug)]
struct Progress {
    title: String,
    started: Timestamp,
    /// When something was said of it last.
    spoke: Timestamp,
    waiting: Option<Waiting>,
    /// What was said of its objects already; a reason that comes and goes is said once.
    told: HashSet<String>,
}

#[derive(Debug)]
struct Waiting {
    ready: usize,
    of: usize,
    /// The gravest finding.
    worst: Option<String>,
}

impl Story {
    pub(super) fn new(verbosity: Verbosity) -> Self {
        Self { verbosity, running: BTreeMap::new(), summary: Summary::default() }
    }

    /// What to say now that `event` has happened.
    pub(super) fn on(&mut self, time: Timestamp, event: &Event) -> Vec<Said> {
        let said = self.tell(time, event);
        let still_said = self.verbosity > Verbosity::Quiet
            || matches!(event, Event::StepFailed { .. } | Event::Stopping | Event::RunEnded { .. });
        if still_said { said } else { Vec::new() }
    }

    fn tell(&mut self, time: Timestamp, event: &Event) -> Vec<Said> {
        match event {
            Event::RunStarted { command, clusters } => {
                self.summary.command.clone_from(command);
                self.running.insert(LOOK.to_owned(), Progress::new(time, "at what is there"));
                vec![Said::new(Mark::Plain, &opening(command, clusters))]
            }
            Event::Surveyed { changes, unchanged } => {
                self.running.remove(LOOK);
                survey(changes, *unchanged)
            }
            Event::StepStarted { step, title } => self.started(time, step, title),
            Event::StepRuns { step, line } => self.verbose(step, &format!("$ {line}")),
            Event::StepNoted { step, note } => vec![say(Mark::Note, step, note)],
            Event::StepWaiting { step, ready, of, findings } => {
                self.waits(time, step, *ready, *of, findings)
            }
            Event::StepDone { step, result, summary, took } => {
                self.done(step, *result, summary, *took)
            }
            Event::StepFailed { step, error, hint, findings } => {
                self.failed(time, step, error, hint.as_deref(), findings)
            }
            Event::StepSkipped { step, because } => {
                self.running.remove(step);
                self.summary.skipped(step, because);
                // The last words list these by reason; here they would only bury the failure.
                self.verbose(step, &format!("skipped: {because}"))
            }
            Event::Stopping => vec![Said::new(
                Mark::Warning,
                "Stopping: what runs gets time to end well; Ctrl-C again ends it at once",
            )],
            Event::RunEnded { outcome, changed, unchanged, failed, skipped, took } => {
                self.running.clear();
                let counts = Counts {
                    changed: *changed,
                    unchanged: *unchanged,
                    failed: *failed,
                    skipped: *skipped,
                };
                self.summary.words(self.verbosity, *outcome, counts, *took)
            }
        }
    }

    /// A line for each step of which nothing was said for `silence` seconds.
    pub(super) fn heartbeats(&mut self, time: Timestamp, silence: u64) -> Vec<Said> {
        if self.verbosity == Verbosity::Quiet {
            return Vec::new();
        }
        let silent = |progress: &Progress| since(progress.spoke, time).0 >= silence * 1000;
        self.running
            .iter_mut()
            .filter(|(_, progress)| silent(progress))
            .map(|(step, progress)| {
                progress.spoke = time;
                let work = if progress.waiting.is_some() { "" } else { "at work: " };
                let text = format!("{step}  still {work}{}", progress.status(time));
                Said::new(Mark::Progress, &text)
            })
            .collect()
    }

    /// The steps at work, each with what it does now, in a line.
    pub(super) fn at_work(&self, time: Timestamp) -> impl Iterator<Item = (&str, String)> {
        self.running.iter().map(move |(step, progress)| {
            (step.as_str(), harmless(&format!("{step}  {}", progress.status(time))))
        })
    }

    fn started(&mut self, time: Timestamp, step: &str, title: &str) -> Vec<Said> {
        self.running.insert(step.to_owned(), Progress::new(time, title));
        self.verbose(step, &format!("{title} ..."))
    }

    fn waits(
        &mut self,
        time: Timestamp,
        step: &str,
        ready: usize,
        of: usize,
        findings: &[Finding],
    ) -> Vec<Said> {
        let progress =
            self.running.entry(step.to_owned()).or_insert_with(|| Progress::new(time, "wait"));
        let before = progress.waiting.as_ref().map(|waiting| (waiting.ready, waiting.of));
        let worst = findings.iter().rev().max_by_key(|found| found.severity).map(finding);
        progress.waiting = Some(Waiting { ready, of, worst });

        let mut said = Vec::new();
        if before != Some((ready, of)) {
            said.push((Mark::Progress, progress.count(time)));
        }
        for found in findings.iter().filter(|found| found.severity > Severity::Starting) {
            if progress.told.insert(finding(found)) {
                said.push((Mark::Warning, with_hint(found)));
            }
        }
        if !said.is_empty() {
            progress.spoke = time;
        }
        said.into_iter().map(|(mark, text)| say(mark, step, &text)).collect()
    }

    fn done(&mut self, step: &str, result: StepResult, summary: &str, took: Millis) -> Vec<Said> {
        self.running.remove(step);
        self.summary.done(step, took);
        let text = match (result, summary) {
            (StepResult::Unchanged, "") => "unchanged".to_owned(),
            (StepResult::Unchanged, summary) => format!("unchanged: {summary}"),
            (StepResult::Changed | StepResult::Ready, summary) => {
                format!("{summary} ({})", duration(took))
            }
        };
        vec![say(Mark::Done, step, &text)]
    }

    fn failed(
        &mut self,
        time: Timestamp,
        step: &str,
        error: &str,
        hint: Option<&str>,
        findings: &[Finding],
    ) -> Vec<Said> {
        let after = self.running.remove(step).map(|progress| since(progress.started, time));
        self.summary.failed(step, error, hint, findings);
        let after = after.map_or(String::new(), |took| format!(" after {}", duration(took)));
        // The rest of it, with what to type, is among the last words.
        let first_line = error.lines().next().unwrap_or_default();
        vec![say(Mark::Failed, step, &format!("failed{after}: {first_line}"))]
    }

    fn verbose(&self, step: &str, text: &str) -> Vec<Said> {
        let wanted = self.verbosity == Verbosity::Verbose;
        wanted.then(|| say(Mark::Note, step, text)).into_iter().collect()
    }
}

impl Progress {
    fn new(time: Timestamp, title: &str) -> Self {
        Self {
            title: title.to_owned(),
            started: time,
            spoke: time,
            waiting: None,
            told: HashSet::new(),
        }
    }

    /// What it does and for how long already: `waiting, 3 of 16 ready (12 s): pod/x: ...`.
    fn status(&self, time: Timestamp) -> String {
        match &self.waiting {
            None => format!("{} ({})", self.title, elapsed(self.started, time)),
            Some(Waiting { worst: None, .. }) => self.count(time),
            Some(Waiting { worst: Some(worst), .. }) => format!("{}: {worst}", self.count(time)),
        }
    }

    fn count(&self, time: Timestamp) -> String {
        let (ready, of) = self.waiting.as_ref().map_or((0, 0), |now| (now.ready, now.of));
        format!("waiting, {ready} of {of} ready ({})", elapsed(self.started, time))
    }
}

fn say(mark: Mark, step: &str, text: &str) -> Said {
    Said::new(mark, &format!("{step}  {text}"))
}

/// The first lines of a run: what is run, and on which clusters.
fn opening(command: &str, clusters: &[ClusterSeen]) -> String {
    let cluster = |cluster: &ClusterSeen| {
        let ClusterSeen { name, region, context, namespace } = cluster;
        format!("\n    {name}: {region}, context {context}, namespace {namespace}")
    };
    format!("{command}{}", clusters.iter().map(cluster).collect::<String>())
}
