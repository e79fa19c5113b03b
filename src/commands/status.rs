//! `okemon status`: what is installed where, and how it is.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::prepare::{self, Options};
use crate::config::{Cluster, Config};
use crate::environment::Environment;
use crate::fail::{Exit, Fail};
use crate::plan::ready::Ready;
use crate::plan::{Plan, install};
use crate::report::{self, Format, Verbosity};
use crate::run::programs::Programs;
use crate::run::runner::Runner;
use crate::run::vault::Vault;
use crate::status::{self, Status};
use crate::tools::cmd::Tool;
use crate::tools::failure;
use crate::tools::helm::Helm;
use crate::tools::kubectl::Kubectl;
use crate::verify;

/// The pause between two looks of `--watch`.
const PAUSE: Duration = Duration::from_secs(2);

/// How it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// As JSON: `docs/status.schema.json`.
    pub json: bool,
    /// Again and again, until somebody ends it.
    pub watch: bool,
    /// Whether there is a screen that can be emptied.
    pub screen: bool,
}

/// Looks at every cluster, and prints a screen for each.
///
/// # Errors
/// What kept it from beginning, or from printing.
pub async fn status(
    config: &Config,
    options: &Options,
    environment: &Environment,
    shown: Shown,
) -> Result<Exit, Fail> {
    let programs = Programs::find([Tool::Helm, Tool::Kubectl], &environment.path())
        .map_err(|missing| prepare::missing_tools(&missing))?;
    let plan = Plan::default();
    let means = prepare::means(config, &plan, programs, environment)?;
    let reporter = report::choose(Format::Text, false, Verbosity::Quiet, false);
    let (runner, quiet) =
        means.runner(config, &plan, Vault::default(), options, environment, reporter);
    let exit = loop {
        let mut clusters = Vec::new();
        for cluster in &config.clusters {
            clusters.push(one_cluster(&runner, config, cluster).await);
        }
        if let Some(exit) = super::install::cut_short(&runner.stop) {
            // To end it is how one leaves a watch.
            break if shown.watch { Exit::Done } else { exit };
        }
        if !tell(&clusters, shown)? {
            break Exit::Done;
        }
        if !shown.watch {
            break if clusters.iter().all(Status::is_well) { Exit::Done } else { Exit::Unfit };
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = runner.stop.asked() => break Exit::Done,
        }
    };
    drop(runner);
    let _ = quiet.await;
    Ok(exit)
}

/// Prints it; false: nobody reads it any more.
fn tell(clusters: &[Status], shown: Shown) -> Result<bool, Fail> {
    let text = if shown.json {
        report::status_as_json(clusters).map_err(|error| {
            Fail::new(Exit::Failed, format!("showing what is installed: {error:#}"))
        })?
    } else {
        report::status(clusters, Timestamp::now(), shown.watch && shown.screen)
    };
    report::print_while_read(&text)
        .map_err(|error| Fail::system(Exit::Failed, "printing the result", &error))
}

async fn one_cluster(runner: &Arc<Runner>, config: &Config, cluster: &Cluster) -> Status {
    let mut status = Status::new(config, cluster);
    if let Err(fail) = look(runner, config, cluster, &mut status).await {
        status.unseen = Some(fail.error);
    }
    status
}

async fn look(
    runner: &Arc<Runner>,
    config: &Config,
    cluster: &Cluster,
    status: &mut Status,
) -> Result<(), Fail> {
    let kubectl = Kubectl::new(config, cluster);
    let ready = Ready::new(config, cluster, kubectl.clone());
    let list = Helm::new(config, cluster).list();
    let (seen, listed) = tokio::join!(
        runner.snapshot(&ready, &cluster.name),
        runner.exec.ask(&list, None, &runner.stop)
    );
    let (snapshot, diagnosis) = seen?;
    let listed = listed?;
    if listed.code != Some(0) {
        return Err(failure::explain(&list, &listed));
    }
    let wanted = install::releases(config, cluster).into_array();
    status.releases = status::releases(&wanted, &listed.stdout)
        .map_err(|error| Fail::new(Exit::Failed, format!("{error:#}")))?;
    status.see(&snapshot, diagnosis);
    let mut questions = verify::questions(&snapshot);
    questions.retain(|question| status::TOPICS.contains(&question.topic));
    status.hear(&runner.ask_pods(&kubectl, questions, None).await);
    Ok(())
}
