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

/// Looks at each of `tools`.
pub(super) async fn look(tools: BTreeSet<Tool>, exec: &Exec, stop: &Stop) -> Found {
    let mut found = Found::default();
    for tool in tools {
        let Some(oldest) = versions::oldest(tool) else { continue };
        let answer = exec.run(&versions::ask(tool), None, stop).await;
        match unfit(tool, &oldest, answer) {
            Ok(note) => found.notes.extend(note),
            Err(why) => {
                let path = exec.program(tool).unwrap_or(tool.name().as_ref()).display();
                found.errors.push(format!("cannot use `{}`: {path} {why}", tool.name()));
                found.hints.push(how_to_get(tool));
            }
        }
    }
    found
}

/// Why a tool will not do; else what is to be said of it.
fn unfit(
    tool: Tool,
    oldest: &Version,
    answer: Result<Output, Failure>,
) -> Result<Option<String>, String> {
    let output = match answer {
        Ok(output) => output,
        Err(Failure::Start { source, .. }) => {
            return Err(format!("does not run on this machine: {source}"));
        }
        Err(Failure::Stopped { .. }) => return Ok(None),
        Err(failure) => return Ok(Some(failure.to_string())),
    };
    // As a shell ends that was given what is no program.
    if matches!(output.code, Some(126 | 127)) {
        return Err(format!("does not run on this machine: {}", failure::last_words(&output)));
    }
    match versions::read(tool, &output.stdout) {
        // Distributions add words of their own, which must not count as those before a version do.
        Some(version) if (version.major, version.minor) < (oldest.major, oldest.minor) => {
            let (major, minor) = (oldest.major, oldest.minor);
            Err(format!("is version {version}; okemon needs {major}.{minor} or a newer one"))
        }
        Some(_) => Ok(None),
        None => Ok(Some(format!(
            "`{}` tells no version that okemon understands: {}; it goes on as if it were a new one",
            versions::ask(tool),
            instead(&output)
        ))),
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
