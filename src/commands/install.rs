//! `okemon install` and the commands of its parts: look at everything, show, ask, do, wait.

use std::sync::Arc;
use std::time::Instant;

use super::prepare::{Consent, Options, runner};
use super::{evidence, plan};
use crate::ask::{Answer, Ask, NoAnswer};
use crate::config::{Cluster, Config};
use crate::environment::Environment;
use crate::fail::{Exit, Fail};
use crate::plan::release;
use crate::plan::show::{self, text};
use crate::plan::{Plan, StepId};
use crate::report::Reporter;
use crate::report::event::{Change, ClusterSeen, Ended, Event};
use crate::report::feed::Feed;
use crate::run::runner::{Failures, Outcome, Runner, Survey};
use crate::run::stop::{Interrupt, Stop};

/// Installs what the configuration describes.
///
/// # Errors
/// What kept it from beginning; what happens later is reported, and told by the exit code.
pub async fn install(
    config: &Config,
    options: &Options,
    environment: &Environment,
    ask: &mut dyn Ask,
    reporter: Box<dyn Reporter>,
) -> Result<Exit, Fail> {
    let (plan, notes) = plan::plan(config, environment, options.part, options.skip_crds)?;
    let (runner, shown) = runner(config, &plan, options, environment, ask, reporter).await?;
    let stopping = tokio::spawn(say_stopping(runner.stop.clone(), runner.feed.clone()));
    let exit = run(&runner, &plan, notes, config, options, ask).await;
    stopping.abort();
    // The reporter ends when nobody can send to it any more.
    drop(runner);
    let _ = shown.await;
    Ok(exit)
}

async fn say_stopping(stop: Stop, feed: Feed) {
    stop.asked().await;
    feed.emit(Event::Stopping);
}

/// Looks, shows, asks, does.
async fn run(
    runner: &Arc<Runner>,
    plan: &Plan,
    notes: Vec<(StepId, String)>,
    config: &Config,
    options: &Options,
    ask: &mut dyn Ask,
) -> Exit {
    let started = Instant::now();
    runner.feed.emit(Event::RunStarted {
        command: options.command.clone(),
        clusters: config.clusters.iter().map(|cluster| seen(config, cluster)).collect(),
    });
    for (step, note) in notes {
        runner.feed.emit(Event::StepNoted { step: step.to_string(), note });
    }
    let mut outcome = Outcome::default();
    let mut declined = false;
    match consent(runner, plan, config, options, ask).await {
        Ok(Some(survey)) => outcome = runner.run(plan, survey).await,
        Ok(None) => declined = true,
        Err(failures) => {
            for (id, fail) in &failures {
                runner.failed(id.as_ref(), fail);
            }
            outcome.failures = failures;
        }
    }
    let exit = if declined { Exit::Refused } else { exit(&outcome, &runner.stop, config) };
    runner.feed.emit(Event::RunEnded {
        outcome: if declined { Ended::Declined } else { ended(exit) },
        changed: outcome.changed,
        unchanged: outcome.unchanged,
        failed: outcome.failures.len(),
        skipped: outcome.skipped,
        took: started.elapsed().into(),
    });
    exit
}

/// What is to be done, once it was shown and a person, where there is one, has said yes to it; none:
/// the answer was no.
async fn consent(
    runner: &Arc<Runner>,
    plan: &Plan,
    config: &Config,
    options: &Options,
    ask: &mut dyn Ask,
) -> Result<Option<Survey>, Failures> {
    let mut survey = surveyed(runner, plan).await?;
    loop {
        let (changes, unchanged) = (survey.changes(), survey.unchanged());
        runner.feed.emit(Event::Surveyed { changes: changes.clone(), unchanged });
        runner.feed.settle().await;
        if let Some(reviewed) = &options.reviewed {
            let checked = evidence::check(reviewed, runner, config, plan, &survey).await;
            survey.binds = true;
            return checked.map(|()| Some(survey)).map_err(|fail| vec![(None, fail)]);
        }
        match options.consent {
            Consent::Asked | Consent::Missing if changes.is_empty() => return Ok(Some(survey)),
            Consent::Given => return Ok(Some(survey)),
            Consent::Asked => {}
            Consent::Missing => {
                let error = "asking before the first change: nobody who could agree is shown what would change";
                let fail = Fail::new(Exit::Refused, error);
                return Err(vec![(None, fail.hint("`--yes` makes the changes without asking"))]);
            }
        }
        if !agreed(config, plan, &survey, ask).map_err(|fail| vec![(None, fail)])? {
            return Ok(None);
        }
        // Reading takes a person minutes: what was shown is done, or what is now is shown.
        survey = surveyed(runner, plan).await?;
        if lasting(survey.changes()) == lasting(changes) {
            survey.binds = true;
            return Ok(Some(survey));
        }
        let note = "what is there has changed while you read".to_owned();
        runner.feed.emit(Event::StepNoted { step: "run".to_owned(), note });
    }
}

/// Changes without what comes and goes by itself.
fn lasting(mut changes: Vec<Change>) -> Vec<Change> {
    for change in &mut changes {
        change.details.retain(|line| !release::passes(line));
    }
    changes
}

async fn surveyed(runner: &Arc<Runner>, plan: &Plan) -> Result<Survey, Failures> {
    let survey = runner.survey(plan).await;
    if survey.failures.is_empty() { Ok(survey) } else { Err(survey.failures) }
}

fn agreed(config: &Config, plan: &Plan, survey: &Survey, ask: &mut dyn Ask) -> Result<bool, Fail> {
    let mut explain = show::kubeconfig(config);
    let decided = text::decided(plan, &survey.decisions);
    explain.push_str(&decided.unwrap_or_else(|error| format!("{error:#}")));
    // What differs may be in somebody else's words, which must not steer the terminal.
    explain.retain(|c| !c.is_control() || c == '\n' || c == '\t');
    let answer = tokio::task::block_in_place(|| ask.confirm("Make these changes?", &explain));
    match answer {
        Ok(answer) => Ok(matches!(answer, Answer::Yes)),
        Err(NoAnswer::Interrupted) => {
            Err(Fail::new(Exit::Interrupted, "interrupted at the question: nothing was changed"))
        }
        Err(error) => Err(Fail::new(Exit::Refused, error.to_string())
            .hint("`--yes` makes the changes without asking")),
    }
}

fn seen(config: &Config, cluster: &Cluster) -> ClusterSeen {
    ClusterSeen {
        name: cluster.name.to_string(),
        region: cluster.region.identifier.to_owned(),
        context: cluster.context.clone(),
        namespace: config.namespace.to_string(),
    }
}

/// What a run ends with: the reason of its first failure, unless other clusters came through.
fn exit(outcome: &Outcome, stop: &Stop, config: &Config) -> Exit {
    if outcome.failures.iter().any(|(_, fail)| fail.exit == Exit::Busy) {
        return Exit::Busy;
    }
    // A signal after the last step has changed nothing.
    if outcome.failures.is_empty() && outcome.skipped == 0 {
        return Exit::Done;
    }
    if let Some(exit) = cut_short(stop) {
        return exit;
    }
    let Some((_, first)) = outcome.failures.first() else { return Exit::Done };
    let touched = |cluster: &&Cluster| {
        outcome
            .failures
            .iter()
            .any(|(id, _)| id.as_ref().is_none_or(|id| id.of(&cluster.name) || id.of_charts()))
    };
    let broken = config.clusters.iter().filter(touched).count();
    if broken < config.clusters.len() { Exit::Partly } else { first.exit }
}

/// What is ended with after a signal; none: there was none.
pub(super) fn cut_short(stop: &Stop) -> Option<Exit> {
    stop.by().map(|by| match by {
        Interrupt::Int => Exit::Interrupted,
        Interrupt::Term => Exit::Terminated,
    })
}

fn ended(exit: Exit) -> Ended {
    match exit {
        Exit::Done => Ended::Done,
        Exit::TimedOut => Ended::TimedOut,
        Exit::Partly => Ended::Partly,
        Exit::Interrupted | Exit::Terminated => Ended::Interrupted,
        _ => Ended::Failed,
    }
}
