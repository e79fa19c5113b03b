//! A plan as a document for programs.

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use crate::config::Config;
use crate::plan::{Call, Decision, Effect, Plan};
use crate::tools::cmd::{Cmd, Stdin};

/// What an install may do on empty clusters. Fields are added within a version, never renamed or
/// removed. It never holds a secret.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// The version of this form.
    version: u32,
    /// The namespace that everything is installed into.
    namespace: String,
    clusters: Vec<OnCluster>,
    /// In the order of a run with one step at a time.
    steps: Vec<ShownStep>,
}

/// A cluster that it is about.
#[derive(Debug, JsonSchema, Serialize)]
struct OnCluster {
    name: String,
    /// The region's identifier: `ap-singapore-1`.
    region: String,
    /// The kubeconfig context.
    context: String,
}

/// One thing that must be true afterwards.
#[derive(Debug, JsonSchema, Serialize)]
struct ShownStep {
    /// `sin/thanos`, `charts/thanos`.
    id: String,
    /// What it does, in a few words.
    title: String,
    /// The steps without which it cannot be done.
    needs: Vec<String>,
    /// What it asks first.
    #[serde(skip_serializing_if = "Option::is_none")]
    asks: Option<String>,
    /// What it does when nothing is there yet, one after another.
    does: Vec<Act>,
}

/// One command or request.
#[derive(Debug, JsonSchema, Serialize)]
struct Act {
    /// The line that a person would type.
    line: String,
    /// Whether it is repeated until it succeeds.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    until: bool,
    /// The documents that it reads, YAML each, with notes in the place of secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    input: Vec<String>,
}

/// The whole plan, as if nothing were there yet.
///
/// # Errors
/// When a template cannot be rendered.
pub fn shown(config: &Config, plan: &Plan) -> Result<Shown> {
    let clusters = config.clusters.iter().map(|cluster| OnCluster {
        name: cluster.name.to_string(),
        region: cluster.region.identifier.to_owned(),
        context: cluster.context.clone(),
    });
    let steps = plan.steps().map(|step| {
        let effects = match step.intent.decide(&[]) {
            Decision::Do { effects, .. } => effects,
            _ => vec![],
        };
        let asks = step.intent.ask(&[]).filter(|call| !matches!(call, Call::Archive(_)));
        Ok(ShownStep {
            id: step.id.to_string(),
            title: step.title.clone(),
            needs: step.needs.iter().map(ToString::to_string).collect(),
            asks: asks.map(|call| call.to_string()),
            does: effects.iter().map(act).collect::<Result<_>>()?,
        })
    });
    Ok(Shown {
        version: 1,
        namespace: config.namespace.to_string(),
        clusters: clusters.collect(),
        steps: steps.collect::<Result<_>>()?,
    })
}

fn act(effect: &Effect) -> Result<Act> {
    Ok(match effect {
        Effect::Cmd(cmd) => Act { line: cmd.line(), until: false, input: input(cmd)? },
        Effect::Until(cmd) => Act { line: cmd.line(), until: true, input: vec![] },
        Effect::S3(request) => Act { line: request.to_string(), until: false, input: vec![] },
    })
}

fn input(cmd: &Cmd) -> Result<Vec<String>> {
    match &cmd.stdin {
        Stdin::Docs(docs) => docs.iter().map(crate::content::doc::Doc::preview).collect(),
        Stdin::Nothing | Stdin::Output(_) => Ok(vec![]),
    }
}
