//! Looks whether the programs of a run are such that it can go well: they start here, and are not
//! too old. Asked beside the first questions to the cluster, so that nobody waits for it.

use std::collections::BTreeSet;

use semver::Version;

use super::exec::{Exec, Failure};
use super::programs::how_to_get;
use super::stop::Stop;
use crate::fail::{Exit, Fail};
use crate::tools::cmd::Tool;
use crate::tools::output::Output;
use crate::tools::{failure, versions};

/// What was found of the programs of a run.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Of which no version could be understood: they may do.
    pub(super) notes: Vec<String>,
    /// Why the run cannot go well, a line each.
    errors: Vec<String>,
    hints: Vec<&'static str>,
}

impl Found {
    /// All that will not do, in one error.
    pub(super) fn unfit(&self) -> Option<Fail> {
        let fail = Fail::new(Exit::Unavailable, self.errors.join("\n"));
        (!self.errors.is_empty()).then(|| fail.hint(self.hints.join("\n")))
    }
}

/// Whether a program will do.
pub(super) enum Fitness {
    Fit(Version),
    /// It tells no version that is understood, and may do; what is to be said of it.
    Unknown(String),
    /// Why it will not do.
    Unfit(String),
}

/// Looks at each of `tools`.
pub(super) async fn look(tools: BTreeSet<Tool>, exec: &Exec, stop: &Stop) -> Found {
    let mut found = Found::default();
    for tool in tools {
        if versions::oldest(tool).is_none() {
            continue;
        }
        match look_at(tool, exec, stop).await {
            Some(Fitness::Unfit(why)) => {
                found.errors.push(why);
                found.hints.push(how_to_get(tool));
            }
            Some(Fitness::Unknown(note)) => found.notes.push(note),
            Some(Fitness::Fit(_)) | None => {}
        }
    }
    found
}

/// Looks at one tool; none: the run is to stop.
pub(super) async fn look_at(tool: Tool, exec: &Exec, stop: &Stop) -> Option<Fitness> {
    let unfit = |why: String| {
        let path = exec.program(tool).unwrap_or(tool.name().as_ref()).display();
        Some(Fitness::Unfit(format!("cannot use `{}`: {path} {why}", tool.name())))
    };
    let output = match exec.run(&versions::ask(tool), None, stop).await {
        Ok(output) => output,
        Err(Failure::Start { source, .. }) => {
            return unfit(format!("does not run on this machine: {source}"));
        }
        Err(Failure::Stopped { .. }) => return None,
        Err(failure) => return Some(Fitness::Unknown(failure.to_string())),
    };
    // As a shell ends that was given what is no program.
    if matches!(output.code, Some(126 | 127)) {
        return unfit(format!("does not run on this machine: {}", failure::last_words(&output)));
    }
    let Some(version) = versions::read(tool, &output.stdout) else {
        return Some(Fitness::Unknown(format!(
            "`{}` tells no version that okemon understands: {}; it goes on as if it were a new one",
            versions::ask(tool),
            instead(&output)
        )));
    };
    match versions::oldest(tool) {
        // Distributions add words of their own, which must not count as those before a version do.
        Some(oldest) if (version.major, version.minor) < (oldest.major, oldest.minor) => {
            let (major, minor) = (oldest.major, oldest.minor);
            unfit(format!("is version {version}; okemon needs {major}.{minor} or a newer one"))
        }
        _ => Some(Fitness::Fit(version)),
    }
}

/// What a tool said when it was asked for its version.
fn instead(output: &Output) -> String {
    let start: String = output.stdout.trim().chars().take(60).collect();
    match (output.code, start.as_str()) {
        (Some(0), "") => "it printed nothing".to_owned(),
        (Some(0), start) => format!("it printed {start:?}"),
        _ => failure::last_words(output),
    }
}
