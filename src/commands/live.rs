//! `okemon plan --live`: what an install would change.

use super::evidence;
use super::plan::{self, Form};
use super::prepare::{self, Options};
use crate::ask::Ask;
use crate::config::Config;
use crate::environment::Environment;
use crate::fail::{Exit, Fail};
use crate::report::{self, Reporter};

/// Looks, and prints what would change. `detailed` makes pending changes an exit code of their own.
///
/// # Errors
/// What kept it from looking.
pub async fn live(
    config: &Config,
    options: &Options,
    environment: &Environment,
    ask: &mut dyn Ask,
    reporter: Box<dyn Reporter>,
    (form, detailed, color): (Form, bool, bool),
) -> Result<Exit, Fail> {
    let (plan, _) = plan::plan(config, environment, options.part, options.skip_crds)?;
    let (runner, shown) =
        prepare::runner(config, &plan, options, environment, ask, reporter).await?;
    let survey = runner.survey(&plan).await;
    let printed = match survey.failures.first() {
        Some((id, fail)) => Err(Fail {
            error: match id {
                Some(id) => format!("{id}: {}", fail.error),
                None => fail.error.clone(),
            },
            ..fail.clone()
        }),
        None if form == Form::Json => evidence::seen(&runner, config, &plan, &survey)
            .await
            .and_then(|document| evidence::text(&document).map_err(evidence::cannot_show)),
        None => Ok(report::survey(&survey.changes(), survey.unchanged(), color)),
    };
    drop(runner);
    let _ = shown.await;
    super::print(&printed?)?;
    let pending = detailed && !survey.changes().is_empty();
    Ok(if pending { Exit::Pending } else { Exit::Done })
}
