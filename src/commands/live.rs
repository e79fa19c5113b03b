//! `okemon plan --live`: what an install would change.

use jiff::Timestamp;

use super::plan::{self, Form};
use super::prepare::{self, Options};
use super::{evidence, install};
use crate::ask::Ask;
use crate::config::Config;
use crate::environment::Environment;
use crate::fail::{Exit, Fail};
use crate::plan::StepId;
use crate::report::event::Event;
use crate::report::{self, Format, Verbosity};

/// How what would change is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    pub form: Form,
    /// Whether pending changes have an exit code of their own.
    pub detailed: bool,
    /// Of what stands beside the result, on stderr.
    pub verbosity: Verbosity,
    pub color: bool,
}

/// Looks, and prints what would change; or everything that kept it from looking.
///
/// # Errors
/// What kept it from beginning, or from printing.
pub async fn live(
    config: &Config,
    options: &Options,
    environment: &Environment,
    ask: &mut dyn Ask,
    shown: Shown,
) -> Result<Exit, Fail> {
    let (plan, notes) = plan::plan(config, environment, options.part, options.skip_crds)?;
    say(notes, shown);
    // Of the look itself the result alone is shown, on stdout.
    let reporter = report::choose(Format::Text, false, Verbosity::Quiet, shown.color);
    let (runner, told) =
        prepare::runner(config, &plan, options, environment, ask, reporter).await?;
    let mut survey = runner.survey(&plan).await;
    let mut result = String::new();
    if survey.failures.is_empty() {
        let text = if shown.form == Form::Json {
            evidence::seen(&runner, config, &plan, &survey)
                .await
                .and_then(|document| evidence::text(&document).map_err(evidence::cannot_show))
        } else {
            Ok(report::survey(&survey.changes(), survey.unchanged(), shown.color))
        };
        match text {
            Ok(text) => result = text,
            Err(fail) => survey.failures.push((None, fail)),
        }
    }
    let cut_short = install::cut_short(&runner.stop);
    drop(runner);
    let _ = told.await;
    if let Some((_, first)) = survey.failures.first() {
        say_failures(&survey.failures, shown.color);
        return Ok(cut_short.unwrap_or(first.exit));
    }
    super::print(&result)?;
    let pending = shown.detailed && !survey.changes().is_empty();
    Ok(if pending { Exit::Pending } else { Exit::Done })
}

/// Says what is to be known of the plan, as a run does.
fn say(notes: Vec<(StepId, String)>, shown: Shown) {
    let mut reporter = report::choose(Format::Text, false, shown.verbosity, shown.color);
    for (step, note) in notes {
        reporter.on(Timestamp::now(), &Event::StepNoted { step: step.to_string(), note });
    }
}

/// Says every failure with its step, and a hint that several have below the last of them.
fn say_failures(failures: &[(Option<StepId>, Fail)], color: bool) {
    for (at, (id, fail)) in failures.iter().enumerate() {
        let error = match id {
            Some(id) => format!("{id}: {}", fail.error),
            None => fail.error.clone(),
        };
        let again = failures.iter().skip(at + 1).any(|(_, later)| later.hint == fail.hint);
        let hint = fail.hint.as_deref().filter(|_| !again);
        report::print_error(&anyhow::Error::msg(error), hint, color);
    }
}
