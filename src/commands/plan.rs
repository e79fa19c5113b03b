//! `okemon plan`: what would be done, without tools, network or credentials.

use std::fmt::Write as _;

use super::local;
use crate::config::Config;
use crate::environment::Environment;
use crate::fail::{Exit, Fail};
use crate::plan::install;
use crate::plan::step::Part;
use crate::plan::{Plan, StepId, show};

/// Everything that an install, or one part of it, may do, and what is to be said about it.
///
/// # Errors
/// When the chart directory or a values file cannot be read.
pub fn plan(
    config: &Config,
    environment: &Environment,
    part: Option<Part>,
    skip_crds: bool,
) -> Result<(Plan, Vec<(StepId, String)>), Fail> {
    let local = local::look(config, environment, skip_crds)?;
    let plan = install::install(config, &local);
    let plan = match part {
        Some(part) => plan.part(part),
        None => plan,
    };
    Ok((plan, local::notes(config, &local)))
}

/// The plan as text, below a head that says what it is about.
///
/// # Errors
/// When a document cannot be rendered.
pub fn text(config: &Config, plan: &Plan, notes: &[(StepId, String)]) -> Result<String, Fail> {
    let mut text = String::new();
    for cluster in &config.clusters {
        let (name, region) = (&cluster.name, cluster.region.identifier);
        let (context, namespace) = (&cluster.context, &config.namespace);
        let _ = writeln!(
            text,
            "# cluster {name} in {region}: context {context}, namespace {namespace}"
        );
    }
    for (_, note) in notes {
        let _ = writeln!(text, "# {note}");
    }
    text.push_str("# what an install runs on an empty cluster: every step first looks, and does only what is missing\n");
    text.push_str("# DIGEST is the SHA-256 of a chart's archive\n\n");
    let steps = show::text::text(plan)
        .map_err(|error| Fail::new(Exit::Failed, format!("showing the plan: {error:#}")))?;
    text.push_str(&steps);
    Ok(text)
}
