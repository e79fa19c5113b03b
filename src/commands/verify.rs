//! `okemon verify`: whether what was installed works, along the way of a sample.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;

use super::check::{self, Shown};
use super::prepare::{self, Options};
use crate::checks::{Checked, Line, Verdict};
use crate::config::{Cluster, Config};
use crate::content::objects::{GRAFANA_ADMIN_SECRET, GRAFANA_PASSWORD_KEY, GRAFANA_USER_KEY};
use crate::environment::Environment;
use crate::fail::{Exit, Fail};
use crate::plan::Plan;
use crate::plan::ready::Ready;
use crate::report::{self, Format, Verbosity};
use crate::run::programs::Programs;
use crate::run::runner::Runner;
use crate::run::vault::Vault;
use crate::tools::cmd::Tool;
use crate::tools::http::Login;
use crate::tools::kubectl::Kubectl;
use crate::verify::{self, Scene};

/// The pause between two looks at what only time brings.
const PAUSE: Duration = Duration::from_secs(5);

/// How often to look at which pods there are, where some are gone when they are asked.
const LOOKS: usize = 3;

/// Looks at each hop, and prints what it found; for as long as `wait` at what is on its way.
///
/// # Errors
/// What kept it from beginning, or from printing.
pub async fn verify(
    config: &Config,
    options: &Options,
    environment: &Environment,
    wait: Duration,
    shown: &Shown,
) -> Result<Exit, Fail> {
    let programs = Programs::find([Tool::Kubectl], &environment.path())
        .map_err(|missing| prepare::missing_tools(&missing))?;
    let plan = Plan::default();
    let means = prepare::means(config, &plan, programs, environment)?;
    let reporter = report::choose(Format::Text, false, Verbosity::Quiet, shown.color);
    let (runner, quiet) =
        means.runner(config, &plan, Vault::default(), options, environment, reporter);
    let deadline = Instant::now() + wait;
    let checked = loop {
        let mut checked = Vec::new();
        for cluster in &config.clusters {
            checked.extend(one_cluster(&runner, config, cluster).await);
        }
        // What is skipped is not installed, or told of in another line.
        let open = |check: &Checked| matches!(check.verdict, Verdict::Failed | Verdict::Pending);
        if !checked.iter().any(open) || Instant::now() + PAUSE > deadline {
            break checked;
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = runner.stop.asked() => break checked,
        }
    };
    let cut_short = super::install::cut_short(&runner.stop);
    drop(runner);
    let _ = quiet.await;
    match cut_short {
        Some(exit) => Ok(exit),
        None => check::tell("Verified", &checked, shown),
    }
}

async fn one_cluster(runner: &Arc<Runner>, config: &Config, cluster: &Cluster) -> Vec<Checked> {
    let kubectl = Kubectl::new(config, cluster);
    let ready = Ready::new(config, cluster, kubectl.clone());
    let unseen = |fail| vec![Line::unanswered("cluster", fail).of(cluster.name.as_str())];
    let mut looks = LOOKS;
    let (snapshot, diagnosis, replies) = loop {
        let (snapshot, diagnosis) = match runner.snapshot(&ready, &cluster.name).await {
            Ok(seen) => seen,
            Err(fail) => return unseen(fail),
        };
        let mut questions = verify::questions(&snapshot);
        let login = if questions.iter().any(|question| question.topic.wants_login()) {
            login(runner, &kubectl).await
        } else {
            None
        };
        questions.retain(|question| login.is_some() || !question.topic.wants_login());
        let replies = runner.ask_pods(&kubectl, questions, login.as_ref()).await;
        looks -= 1;
        if looks == 0 || !verify::outdated(&replies) {
            break (snapshot, diagnosis, replies);
        }
    };
    verify::judge(&Scene {
        cluster: cluster.name.as_str(),
        now: Timestamp::now(),
        snapshot: &snapshot,
        diagnosis: &diagnosis,
        replies: &replies,
    })
}

/// Grafana's first login, from its Secret; none: it cannot be had.
async fn login(runner: &Runner, kubectl: &Kubectl) -> Option<Login> {
    let cmd = kubectl.cmd(["get", "secret", GRAFANA_ADMIN_SECRET, "-o", "json"]);
    let output = runner.exec.run(&cmd, None, &runner.stop).await.ok()?;
    let data = serde_json::from_str::<Secret>(&output.stdout).ok()?.data?;
    let text = |key: &str| String::from_utf8(data.get(key)?.0.clone()).ok();
    Some(Login { user: text(GRAFANA_USER_KEY)?, password: text(GRAFANA_PASSWORD_KEY)?.into() })
}
