//! A plan as a person reads it: every command, in the order of a run, with all that it is sent.

use std::fmt::Write as _;

use anyhow::Result;

use crate::plan::{Decision, Effect, Intent, Plan, Step};
use crate::tools::cmd::{Cmd, Stdin};

/// The whole plan, as if nothing were there yet.
///
/// # Errors
/// When a template cannot be rendered.
pub fn text(plan: &Plan) -> Result<String> {
    let mut text = String::new();
    for stage in &plan.stages {
        for step in stage.lanes.iter().flat_map(|lane| &lane.steps) {
            text.push_str(&step_text(step)?);
        }
    }
    Ok(text)
}

fn step_text(step: &Step) -> Result<String> {
    let mut text = format!("# {}: {}\n", step.id, step.title);
    match (&step.intent, step.intent.decide(&[])) {
        (_, Decision::Do { effects, details, .. }) => {
            for line in details {
                let _ = writeln!(text, "# {line}");
            }
            for effect in effects {
                match &effect {
                    Effect::Cmd(cmd) => text.push_str(&command(cmd)?),
                    Effect::Until(_) | Effect::S3(_) => {
                        let _ = writeln!(text, "{effect}");
                    }
                }
            }
        }
        (Intent::Lock(_), _) => {
            text.push_str("# a Lease `okemon` in the namespace: 60 s, renewed every 20 s, given back at the end\n");
        }
        (intent, _) => {
            if let Some(call) = intent.ask(&[]) {
                let _ = writeln!(text, "{call}");
            }
        }
    }
    text.push('\n');
    Ok(text)
}

/// A command with its documents as a shell would be given them; secrets are notes of their names.
fn command(cmd: &Cmd) -> Result<String> {
    let Stdin::Docs(docs) = &cmd.stdin else { return Ok(format!("{cmd}\n")) };
    let mut text = format!("{} <<'EOF'\n", cmd.line());
    for doc in docs {
        if docs.len() > 1 {
            text.push_str("---\n");
        }
        text.push_str(doc.preview()?.trim_end());
        text.push('\n');
    }
    text.push_str("EOF\n");
    Ok(text)
}
