//! `okemon plan`: what would be done, without tools, network or credentials.

use super::{evidence, local};
use crate::config::{Cluster, Config};
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

/// How a plan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people: every command, with all that it is sent.
    Text,
    /// A script that does the same on an empty cluster, without okemon.
    Sh,
    /// For programs: `docs/plan.schema.json`.
    Json,
}

/// The plan in one of its forms.
///
/// # Errors
/// When a document cannot be rendered.
pub fn shown(
    config: &Config,
    plan: &Plan,
    notes: &[(StepId, String)],
    form: Form,
) -> Result<String, Fail> {
    let about = about(config, notes);
    let kubeconfig = show::kubeconfig(config);
    match form {
        Form::Text => text(plan, &about, &kubeconfig),
        Form::Sh => show::sh::sh(plan, &about, &kubeconfig),
        Form::Json => evidence::document(config, plan),
    }
    .map_err(|error| Fail::new(Exit::Failed, format!("showing the plan: {error:#}")))
}

/// What the plan is about, a line each.
pub(super) fn about(config: &Config, notes: &[(StepId, String)]) -> Vec<String> {
    let cluster = |cluster: &Cluster| {
        let (name, region) = (&cluster.name, cluster.region.identifier);
        let (context, namespace) = (&cluster.context, &config.namespace);
        format!("cluster {name} in {region}: context {context}, namespace {namespace}")
    };
    // A comment of a script ends with its line, and a path may have several.
    let notes = notes.iter().map(|(_, note)| note.replace(char::is_control, " "));
    config.clusters.iter().map(cluster).chain(notes).collect()
}

/// The plan as text, below a head that says what it is about.
fn text(plan: &Plan, about: &[String], kubeconfig: &str) -> anyhow::Result<String> {
    let mut text: String = about.iter().map(|line| format!("# {line}\n")).collect();
    text.push_str("# what an install runs on an empty cluster: every step first looks, and does only what is missing\n");
    text.push_str("# DIGEST is the SHA-256 of a chart's archive\n");
    text.push_str(kubeconfig);
    text.push('\n');
    Ok(text + &show::text::text(plan)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::fixtures::config;

    #[test]
    fn a_note_is_one_line_whatever_path_is_in_it() {
        let note = (StepId::chart("thanos"), "charts\nid/thanos-1.0.0.tgz is taken".to_owned());
        insta::assert_snapshot!(about(&config(), &[note]).join("\n"), @"
        cluster sin in ap-singapore-1: context oke-sin, namespace monitoring
        charts id/thanos-1.0.0.tgz is taken
        ");
    }
}
