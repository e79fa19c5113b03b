//! `okemon check`: whether an install would go well, before anything is changed.

use std::path::PathBuf;

use jiff::Timestamp;

use super::prepare::{self, Options};
use super::{keys, plan};
use crate::ask::Never;
use crate::checks::{self, Checked, Line, Verdict};
use crate::config::{Charts, Config, Size};
use crate::diagnose::catalogue::Id;
use crate::environment::Environment;
use crate::fail::{Exit, Fail};
use crate::report::{self, Verbosity};
use crate::run::programs::Programs;
use crate::tools::cmd::Tool;

/// How what was checked is told.
#[derive(Clone, Debug)]
pub struct Shown {
    /// As JSON: `docs/check.schema.json`.
    pub json: bool,
    /// A file that gets the same for a CI system, as JUnit's XML.
    pub junit: Option<PathBuf>,
    /// Whether a warning is a failure.
    pub strict: bool,
    pub verbosity: Verbosity,
    pub color: bool,
}

/// Looks at everything that an install stands on, and prints what it found.
///
/// # Errors
/// What kept it from beginning, or from printing.
pub async fn check(
    config: &Config,
    options: &Options,
    environment: &Environment,
    shown: &Shown,
) -> Result<Exit, Fail> {
    let (plan, notes) = plan::plan(config, environment, None, options.skip_crds)?;
    let mut tools = plan.tools();
    tools.insert(Tool::Kubectl);
    let (programs, missing) = Programs::those_there(tools.clone(), &environment.path());
    let means = prepare::means(config, &plan, programs, environment)?;
    let told = keys::gather(config, &plan, &means.exec, environment, &mut Never, &means.stop).await;
    let (vault, keys) = match told {
        Ok(vault) => (vault, Line::passed("keys", "the bucket's keys are known")),
        Err(fail) => {
            let nothing = plan.clone().only(|_| false);
            let (exec, stop) = (&means.exec, &means.stop);
            let vault = keys::gather(config, &nothing, exec, environment, &mut Never, stop).await?;
            (vault, Line::fail("keys", Id::KeysMissing, fail))
        }
    };
    let keyless = keys.verdict == Verdict::Failed;
    let reporter = report::choose(report::Format::Text, false, Verbosity::Quiet, shown.color);
    let (runner, quiet) = means.runner(config, &plan, vault, options, environment, reporter);

    let (mut checked, unfit) = runner.check_tools(tools, &missing).await;
    checked.push(Line::passed("okemon.yaml", described(config)).of("configuration"));
    let said = |(step, note)| Line::passed("note", format!("{step}: {note}")).of("configuration");
    checked.extend(notes.into_iter().map(said));
    checked.push(keys.of("configuration"));
    let mut checks = checks::all(config, &plan, Timestamp::now());
    if keyless {
        checks.retain(|check| !check.wants_keys());
    }
    checked.extend(runner.check(&checks, unfit).await);

    let cut_short = super::install::cut_short(&runner.stop);
    drop(runner);
    let _ = quiet.await;
    if let Some(exit) = cut_short {
        return Ok(exit);
    }
    tell("Checked", &checked, shown)
}

fn described(config: &Config) -> String {
    let charts = match config.charts {
        Charts::Bitnami => "Bitnami's charts",
        Charts::Community => "the community's charts",
    };
    let size = |size| match size {
        Size::Small => "small",
        Size::Medium => "medium",
        Size::Large => "large",
    };
    let clusters = config.clusters.iter().map(|cluster| {
        format!("{} in {}, {}", cluster.name, cluster.region.identifier, size(cluster.size))
    });
    format!("valid: {charts}; {}", clusters.collect::<Vec<_>>().join("; "))
}

/// Prints what was found, and says what to end with. `done`: what was done to find it out.
pub(super) fn tell(done: &str, checked: &[Checked], shown: &Shown) -> Result<Exit, Fail> {
    if let Some(path) = &shown.junit {
        let attempt = || format!("writing {}", path.display());
        let xml = report::checked_as_junit(done, checked)
            .map_err(|error| Fail::new(Exit::Failed, format!("{}: {error:#}", attempt())))?;
        std::fs::write(path, &xml)
            .map_err(|error| Fail::system(Exit::Failed, attempt(), &error))?;
    }
    let text = if shown.json {
        report::checked_as_json(checked).map_err(|error| {
            Fail::new(Exit::Failed, format!("showing what was checked: {error:#}"))
        })?
    } else {
        report::checked(done, checked, shown.verbosity == Verbosity::Quiet, shown.color)
    };
    super::print(&text)?;
    let has = |verdict| checked.iter().any(|check| check.verdict == verdict);
    Ok(match () {
        () if has(Verdict::Failed) => Exit::Unfit,
        () if shown.strict && has(Verdict::Warning) => Exit::Warned,
        () => Exit::Done,
    })
}
