//! Carries out checks: all that still can say something, side by side, the cluster itself first.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::programs::{Missing, MissingTool, how_to_get};
use super::runner::Runner;
use super::versions::{self, Fitness};
use crate::checks::{self, Check, Checked, Line, Look, Verdict};
use crate::config::names::ClusterName;
use crate::diagnose::catalogue::Id;
use crate::plan::step::Action;
use crate::plan::{Decision, Intent, Step, StepId};
use crate::tools::cmd::Tool;

/// What is known by now of those checks that others stand on.
#[derive(Default)]
struct Known {
    /// Tools that are not there, or will not do.
    tools: BTreeSet<Tool>,
    /// Clusters that cannot be asked.
    clusters: BTreeSet<ClusterName>,
    /// Charts that are not here.
    charts: BTreeSet<StepId>,
    /// Groups of clusters that do not allow all that an install does.
    denied: BTreeSet<String>,
    /// Namespaces, by their steps, that are not there yet.
    namespaces: BTreeSet<StepId>,
}

/// What one check has found.
struct Found {
    lines: Vec<Line>,
    /// Whether the step that it looked at would make what is not there at all.
    makes: bool,
}

impl Runner {
    /// Looks at the programs of a run; `missing` are those that are not there. Also returns those
    /// that cannot be used.
    pub async fn check_tools(
        &self,
        tools: BTreeSet<Tool>,
        missing: &[MissingTool],
    ) -> (Vec<Checked>, BTreeSet<Tool>) {
        let (mut lines, mut unfit) = (Vec::new(), BTreeSet::new());
        for tool in tools {
            let line = match missing.iter().find(|missing| missing.tool == tool) {
                Some(missing) => {
                    let why = Missing(vec![missing.clone()]).to_string();
                    Line::failed(tool.name(), Id::ToolUnfit, why, how_to_get(tool))
                }
                None => match versions::look_at(tool, &self.exec, &self.stop).await {
                    Some(fitness) => self.told(tool, fitness),
                    None => break,
                },
            };
            if line.verdict == Verdict::Failed {
                unfit.insert(tool);
            }
            lines.push(line.of("tools"));
        }
        (lines, unfit)
    }

    fn told(&self, tool: Tool, fitness: Fitness) -> Line {
        let name = tool.name();
        match fitness {
            Fitness::Fit(version) => {
                let path = self.exec.program(tool).unwrap_or(name.as_ref()).display();
                Line::passed(name, format!("{version} at {path}"))
            }
            Fitness::Unknown(note) => Line::warning(name, Id::ToolUnfit, note, how_to_get(tool)),
            Fitness::Unfit(why) => Line::failed(name, Id::ToolUnfit, why, how_to_get(tool)),
        }
    }

    /// Carries out `checks`, and tells what they found in their order. `unfit` are programs that
    /// cannot be used.
    pub async fn check(self: &Arc<Self>, checks: &[Check], unfit: BTreeSet<Tool>) -> Vec<Checked> {
        let mut known = Known { tools: unfit, ..Known::default() };
        let mut found: Vec<Option<Vec<Line>>> = checks.iter().map(|_| None).collect();
        for phase in 0..=2 {
            let of_phase = checks.iter().enumerate().filter(|(_, check)| phase_of(check) == phase);
            for (at, Found { lines, makes }) in self.side_by_side(of_phase, &known).await {
                known.learn(&checks[at], &lines, makes);
                found[at] = Some(lines);
            }
        }
        let found = checks.iter().zip(found).flat_map(|(check, lines)| {
            let denied = known.denied.contains(&check.group);
            let told = move |line: Line| if denied { line.beside_rights() } else { line };
            lines.into_iter().flatten().map(move |line| told(line).of(&check.group))
        });
        found.collect()
    }

    async fn side_by_side<'a>(
        self: &Arc<Self>,
        checks: impl Iterator<Item = (usize, &'a Check)>,
        known: &Known,
    ) -> Vec<(usize, Found)> {
        let permits = Arc::new(Semaphore::new(self.jobs));
        let (mut found, mut at_work) = (Vec::new(), JoinSet::new());
        for (at, check) in checks {
            if let Some(why) = known.obstacle(check) {
                let lines = vec![Line::skipped(&check.name, why)];
                found.push((at, Found { lines, makes: false }));
                continue;
            }
            let within = check.step().and_then(|step| step.within.as_ref());
            let nowhere = within.is_some_and(|namespace| known.namespaces.contains(namespace));
            let permit = Arc::clone(&permits).acquire_owned().await;
            let (runner, check) = (Arc::clone(self), check.clone());
            at_work.spawn(async move {
                let _permit = permit;
                (at, runner.probe(&check, nowhere).await)
            });
        }
        while let Some(joined) = at_work.join_next().await {
            found.push(joined.unwrap_or_else(|error| resume_unwind(error.into_panic())));
        }
        found
    }

    async fn probe(&self, check: &Check, nowhere: bool) -> Found {
        let probe = match &check.look {
            Look::OfStep(step) => return self.look_of(step, nowhere).await,
            Look::Own(probe) => probe,
        };
        let ask = |so_far: &[_]| probe.ask(so_far);
        let lines = match self.answers(ask, check.cluster.as_ref()).await {
            Ok(answers) => probe.judge(&answers),
            Err(fail) => vec![Line::unanswered(&check.name, fail)],
        };
        Found { lines, makes: false }
    }

    async fn look_of(&self, step: &Step, nowhere: bool) -> Found {
        let decision = match step.intent {
            Intent::Chart(_) => self.fetch(step).await,
            _ if nowhere => self.look_here(step).await,
            _ => self.look(step).await,
        };
        let decision = decision.unwrap_or_else(Decision::Refuse);
        let makes = matches!(&decision, Decision::Do { action: Action::Add, .. });
        Found { lines: vec![checks::of_step(step, decision)], makes }
    }
}

/// When a check can be carried out: first what all others stand on, last what lies in a namespace.
fn phase_of(check: &Check) -> usize {
    match check.step() {
        Some(step) if step.needs.is_empty() => 0,
        Some(step) if step.within.is_some() => 2,
        _ => 1,
    }
}

impl Known {
    /// Why a check can say nothing.
    fn obstacle(&self, check: &Check) -> Option<String> {
        if let Some(tool) = check.tools().iter().find(|tool| self.tools.contains(tool)) {
            return Some(format!("{} cannot be used", tool.name()));
        }
        // The bucket answers for itself.
        let bucket = matches!(check.step().map(|step| &step.intent), Some(Intent::Bucket(_)));
        if check.cluster.as_ref().is_some_and(|cluster| self.clusters.contains(cluster)) && !bucket
        {
            return Some("the cluster cannot be asked".to_owned());
        }
        let needs = check.step().map(|step| step.needs.as_slice()).unwrap_or_default();
        let chart = needs.iter().find(|need| self.charts.contains(need));
        chart.map(|chart| format!("the chart {} is not here", chart.name()))
    }

    fn learn(&mut self, check: &Check, lines: &[Line], makes: bool) {
        let Some(step) = check.step() else {
            let denied = lines.iter().any(|line| line.id == Some(Id::RightsMissing));
            self.denied.extend(denied.then(|| check.group.clone()));
            return;
        };
        let failed = lines.iter().any(|line| line.verdict == Verdict::Failed);
        // Who is not allowed one thing may be allowed another.
        let unseen = lines.iter().any(|line| line.id == Some(Id::ClusterUnseen));
        match &step.intent {
            Intent::Cluster(_) if unseen => self.clusters.extend(check.cluster.clone()),
            Intent::Chart(_) if failed => drop(self.charts.insert(step.id.clone())),
            Intent::Objects(_) if makes => drop(self.namespaces.insert(step.id.clone())),
            _ => {}
        }
    }
}
