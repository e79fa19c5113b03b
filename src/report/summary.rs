//! The last words of a run: what was done, what was not and because of what, what to type next.

use super::Verbosity;
use super::event::{Ended, Millis};
use super::words::{Mark, Said, below, duration, finding_below, indented};
use crate::diagnose::Finding;

/// What the last words need to remember of a run.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// What to type to do the same again.
    pub(super) command: String,
    done: Vec<(String, Millis)>,
    failed: Vec<Failure>,
    /// The steps left out, by reason, in the order of their first.
    skipped: Vec<(String, Vec<String>)>,
}

#[derive(Debug)]
struct Failure {
    step: String,
    error: String,
    hint: Option<String>,
    findings: Vec<Finding>,
}

/// How many steps ended in which way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) changed: usize,
    pub(super) unchanged: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

impl Summary {
    pub(super) fn done(&mut self, step: &str, took: Millis) {
        self.done.push((step.to_owned(), took));
    }

    pub(super) fn failed(
        &mut self,
        step: &str,
        error: &str,
        hint: Option<&str>,
        findings: &[Finding],
    ) {
        self.failed.push(Failure {
            step: step.to_owned(),
            error: error.to_owned(),
            hint: hint.map(str::to_owned),
            findings: findings.to_vec(),
        });
    }

    pub(super) fn skipped(&mut self, step: &str, because: &str) {
        match self.skipped.iter_mut().find(|(reason, _)| reason == because) {
            Some((_, steps)) => steps.push(step.to_owned()),
            None => self.skipped.push((because.to_owned(), vec![step.to_owned()])),
        }
    }

    /// The last words; with [`Verbosity::Quiet`] only what counts, and what failed.
    ///
    /// What matters most comes last: an error, and below it what to type.
    pub(super) fn words(
        &self,
        verbosity: Verbosity,
        outcome: Ended,
        counts: Counts,
        took: Millis,
    ) -> Vec<Said> {
        let mut said = Vec::new();
        if verbosity == Verbosity::Verbose {
            said.extend(self.timings());
        }
        said.push(Said::new(mark(outcome), &headline(outcome, counts, took)));
        if verbosity > Verbosity::Quiet {
            if matches!(outcome, Ended::Interrupted | Ended::TimedOut) {
                said.extend(self.steps_done());
            }
            for (because, steps) in &self.skipped {
                let text = format!("skipped: {} ({because})", steps.join(", "));
                said.push(Said::new(Mark::Skipped, &text));
            }
        }
        for Failure { step, error, findings, .. } in &self.failed {
            let findings: String = findings.iter().map(finding_below).collect();
            said.push(Said::new(Mark::Error, &format!("{step}: {}{findings}", indented(error))));
        }
        if verbosity > Verbosity::Quiet || !self.failed.is_empty() {
            said.extend(self.hints(outcome).iter().map(|hint| Said::new(Mark::Hint, hint)));
        }
        said
    }

    fn timings(&self) -> Option<Said> {
        let line =
            |(step, took): &(String, Millis)| below(1, &format!("{:>6}  {step}", duration(*took)));
        let lines: String = self.done.iter().map(line).collect();
        (!lines.is_empty()).then(|| Said::new(Mark::Plain, &format!("Timings:{lines}")))
    }

    fn steps_done(&self) -> Option<Said> {
        let steps: Vec<&str> = self.done.iter().map(|(step, _)| step.as_str()).collect();
        (!steps.is_empty()).then(|| Said::new(Mark::Done, &format!("done: {}", steps.join(", "))))
    }

    /// The failures' own hints, each once; where there is none, that running again goes on.
    fn hints(&self, outcome: Ended) -> Vec<String> {
        let mut hints: Vec<String> = Vec::new();
        for hint in self.failed.iter().filter_map(|failure| failure.hint.as_ref()) {
            if !hints.contains(hint) {
                hints.push(hint.clone());
            }
        }
        let goes_on = matches!(outcome, Ended::Interrupted | Ended::TimedOut);
        let found = self.failed.iter().any(|failure| !failure.findings.is_empty());
        let helpless = hints.is_empty() && !found;
        if goes_on || (helpless && !matches!(outcome, Ended::Done | Ended::Declined)) {
            hints.push(format!("{}  (run again: it goes on from here)", self.command));
        }
        hints
    }
}

fn mark(outcome: Ended) -> Mark {
    match outcome {
        Ended::Done => Mark::Done,
        Ended::Interrupted | Ended::Declined => Mark::Warning,
        Ended::Failed | Ended::Partly | Ended::TimedOut => Mark::Failed,
    }
}

/// `Done: 8 changed, 2 unchanged (3m12s)`.
fn headline(outcome: Ended, counts: Counts, took: Millis) -> String {
    let Counts { changed, unchanged, failed, skipped } = counts;
    let took = duration(took);
    let word = match outcome {
        Ended::Done if changed + failed + skipped == 0 => {
            return format!("Unchanged: everything is as configured ({took})");
        }
        Ended::Done => "Done",
        Ended::Failed => "Failed",
        Ended::Partly => "Partly done",
        Ended::TimedOut => "Not ready",
        Ended::Interrupted => "Interrupted",
        Ended::Declined => return "Nothing was changed: the answer was no".to_owned(),
    };
    let parts = [(failed, "failed"), (skipped, "skipped")];
    let bad = parts.iter().filter(|(count, _)| *count > 0);
    let bad: Vec<String> = bad.map(|(count, name)| format!(", {count} {name}")).collect();
    format!("{word}: {changed} changed, {unchanged} unchanged{} ({took})", bad.concat())
}
