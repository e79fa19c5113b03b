//! What is looked at before anything is changed: which checks there are, and what their answers mean. Pure.
//!
//! Most of what can be known beforehand is what an install looks at anyway, so every look of a plan is
//! a check. The others ask in the same way, and judge what they were told. Who asks is [`crate::run`].

mod ground;
mod lock;
mod rights;
mod room;
mod server;
mod step;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::config::Config;
use crate::config::names::ClusterName;
use crate::diagnose::catalogue::Id;
use crate::fail::{Exit, Fail};
use crate::plan::{Answer, Call, Intent, Plan, Step};
use crate::tools::cmd::{Cmd, Tool};
use crate::tools::failure;
use crate::tools::kubectl::Kubectl;
use crate::tools::output::Output;

pub use ground::Ground;
pub use lock::Lock;
pub use rights::Rights;
pub use server::Server;
pub use step::of_step;

/// One question or a few, and what their answers say of one or more things.
#[derive(Clone, Debug)]
pub struct Check {
    /// What its lines stand under: `charts`, or a cluster's name.
    pub group: String,
    /// The cluster that is asked; none: none is.
    pub cluster: Option<ClusterName>,
    /// What it is called in a line that stands for all of it: `rights`.
    pub name: String,
    pub look: Look,
}

/// How it is found out.
#[derive(Clone, Debug)]
pub enum Look {
    /// As an install does.
    OfStep(Box<Step>),
    /// As an install does not.
    Own(Box<Probe>),
}

/// What an install does not look at, and a person wants to know before.
#[derive(Clone, Debug)]
pub enum Probe {
    /// Which Kubernetes it is, and who asks.
    Server(Server),
    /// Whether all is allowed that an install does.
    Rights(Rights),
    /// What else is in the cluster: nodes, classes of storage, other operators.
    Ground(Ground),
    /// Whether another okemon is at work.
    Lock(Lock),
}

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// `tools`, `configuration`, `charts`, or a cluster's name.
    pub group: String,
    /// What was looked at: `kubectl`, `rights`, `crds`.
    pub check: String,
    pub verdict: Verdict,
    /// What was found, in words. May have several lines.
    pub said: String,
    /// What to do about it, beginning with the command to type.
    pub hint: Option<String>,
    /// What is wrong, if anything is: `okemon explain ID` says more.
    pub id: Option<Id>,
}

/// What a thing that was looked at means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is as it should be.
    Passed,
    /// It may go well all the same.
    Warning,
    /// An install would fail, or what it has made does not work.
    Failed,
    /// It is on its way, and time alone will bring it.
    Pending,
    /// It could not be looked at; why is told by another check.
    Skipped,
}

impl Verdict {
    /// Whether somebody who wants to hear little wants to hear of it.
    pub fn is_news(self) -> bool {
        matches!(self, Self::Failed | Self::Warning)
    }
}

/// One thing found by a check, before it is known whose check it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub check: String,
    pub verdict: Verdict,
    pub said: String,
    pub hint: Option<String>,
    pub id: Option<Id>,
}

impl Line {
    pub fn passed(check: &str, said: impl Into<String>) -> Self {
        let (check, said) = (check.to_owned(), said.into());
        Self { check, verdict: Verdict::Passed, said, hint: None, id: None }
    }

    pub fn pending(check: &str, said: impl Into<String>) -> Self {
        Self { verdict: Verdict::Pending, ..Self::passed(check, said) }
    }

    pub fn skipped(check: &str, said: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skipped, ..Self::passed(check, said) }
    }

    pub fn warning(check: &str, id: Id, said: impl Into<String>, hint: impl Into<String>) -> Self {
        let (hint, id) = (Some(hint.into()), Some(id));
        Self { verdict: Verdict::Warning, hint, id, ..Self::passed(check, said) }
    }

    pub fn failed(check: &str, id: Id, said: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { verdict: Verdict::Failed, ..Self::warning(check, id, said, hint) }
    }

    /// What could not be found out, and keeps an install from going well.
    pub fn fail(check: &str, id: Id, fail: Fail) -> Self {
        let (hint, id) = (fail.hint, Some(id));
        Self { verdict: Verdict::Failed, hint, id, ..Self::passed(check, fail.error) }
    }

    /// The answer to a question of a check's own that did not come.
    pub fn unanswered(check: &str, fail: Fail) -> Self {
        let id = if fail.exit == Exit::Denied { Id::RightsMissing } else { Id::ClusterUnseen };
        Self::fail(check, id, fail)
    }

    /// The same where it is known that rights are missing, if that is why it failed.
    #[must_use]
    pub fn beside_rights(self) -> Self {
        let denied = self.id == Some(Id::RightsMissing) && self.check != rights::NAME;
        if denied { Self::skipped(&self.check, "not allowed: see rights") } else { self }
    }

    pub fn of(self, group: &str) -> Checked {
        let Self { check, verdict, said, hint, id } = self;
        Checked { group: group.to_owned(), check, verdict, said, hint, id }
    }
}

/// Everything that is looked at before an install by `plan`, in the order in which it is told.
pub fn all(config: &Config, plan: &Plan, now: Timestamp) -> Vec<Check> {
    let of_step = |step: &Step| {
        let asks = !matches!(step.intent, Intent::Lock(_) | Intent::Ready(_));
        let group = step.cluster.as_ref().map_or("charts", ClusterName::as_str).to_owned();
        let (cluster, name) = (step.cluster.clone(), step.id.name().to_owned());
        let look = Look::OfStep(Box::new(step.clone()));
        asks.then_some(Check { group, cluster, name, look })
    };
    let mut checks: Vec<Check> =
        plan.steps().filter(|step| step.cluster.is_none()).filter_map(of_step).collect();
    for cluster in &config.clusters {
        let kubectl = Kubectl::new(config, cluster);
        let more = [
            ("server", Probe::Server(Server { kubectl: kubectl.clone() })),
            (rights::NAME, Probe::Rights(Rights::new(config, plan, kubectl.clone()))),
            ("nodes", Probe::Ground(Ground::new(config, cluster, kubectl.clone()))),
            ("lock", Probe::Lock(Lock { kubectl, now })),
        ];
        let more = more.map(|(name, probe)| {
            let (group, cluster) = (cluster.name.to_string(), Some(cluster.name.clone()));
            Check { group, cluster, name: name.to_owned(), look: Look::Own(Box::new(probe)) }
        });
        let of_cluster = plan.steps().filter(|step| step.cluster.as_ref() == Some(&cluster.name));
        let mut steps = of_cluster.filter_map(of_step);
        // Whether it answers at all comes first.
        checks.extend(steps.by_ref().take(1));
        checks.extend(more);
        checks.extend(steps);
    }
    checks
}

impl Check {
    /// The step whose look it is; none: it is none's.
    pub fn step(&self) -> Option<&Step> {
        if let Look::OfStep(step) = &self.look { Some(step) } else { None }
    }

    /// Whether it cannot be carried out without the bucket's keys.
    pub fn wants_keys(&self) -> bool {
        self.step().is_some_and(|step| step.intent.needs_keys())
    }

    /// The programs that it needs.
    pub fn tools(&self) -> Vec<Tool> {
        self.step().map_or_else(|| vec![Tool::Kubectl], |step| step.intent.tools())
    }
}

impl Probe {
    /// The next question, given the answers so far; none: they are enough to judge.
    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        match self {
            Self::Server(probe) => probe.ask(so_far),
            Self::Rights(probe) => probe.ask(so_far),
            Self::Ground(probe) => probe.ask(so_far),
            Self::Lock(probe) => probe.ask(so_far),
        }
    }

    /// What the answers mean.
    pub fn judge(&self, answers: &[Answer]) -> Vec<Line> {
        match self {
            Self::Server(probe) => probe.judge(answers),
            Self::Rights(probe) => vec![probe.judge(answers)],
            Self::Ground(probe) => probe.judge(answers),
            Self::Lock(probe) => vec![probe.judge(answers)],
        }
    }
}

/// The output of a question that was answered; else why it was not.
fn answered(cmd: &Cmd, answer: &Answer) -> Result<Output, Fail> {
    let output = answer.output();
    if output.code == Some(0) { Ok(output) } else { Err(failure::explain(cmd, &output)) }
}
