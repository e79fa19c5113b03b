//! What a plan is looked at and carried out with: how it was asked for, programs, keys, locks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;

use super::{keys, local};
use crate::ask::Ask;
use crate::config::names::ClusterName;
use crate::config::{Cluster, Config};
use crate::environment::Environment;
use crate::fail::{Exit, Fail};
use crate::plan::step::Part;
use crate::plan::{Intent, Plan};
use crate::report::Reporter;
use crate::report::feed::Feed;
use crate::run::exec::{Exec, GRACE, Place, Setup};
use crate::run::lease::{Lease, Pace};
use crate::run::programs::{Missing, Programs};
use crate::run::runner::Runner;
use crate::run::stop::{Interrupt, Stop};
use crate::run::vault::Vault;
use crate::tools::cmd::Tool;
use crate::tools::kubectl::Kubectl;

/// Who agrees to the changes before they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nobody has to: there is a `--yes`, or nobody is there.
    Given,
    /// The person at the terminal is asked.
    Asked,
    /// A person is there who cannot be asked: what is said goes into a pipe or a file, or is left out
    /// (`--quiet`, `-o ndjson`).
    Missing,
}

/// How an install is to be carried out.
#[derive(Clone, Debug)]
pub struct Options {
    /// What was typed, for the head of the report.
    pub command: String,
    /// One part only; none: all of it.
    pub part: Option<Part>,
    pub skip_crds: bool,
    pub consent: Consent,
    /// The plan that was reviewed, which must still hold: `okemon plan --live -o json`.
    pub reviewed: Option<Value>,
    /// Steps at a time.
    pub jobs: usize,
    /// How long the whole may take.
    pub timeout: Duration,
    /// How long to wait for another okemon.
    pub lock_timeout: Duration,
}

/// Everything that a plan is looked at and carried out with, and the end of its report.
///
/// # Errors
/// What is missing: programs, keys.
pub(super) async fn runner(
    config: &Config,
    plan: &Plan,
    options: &Options,
    environment: &Environment,
    ask: &mut dyn Ask,
    reporter: Box<dyn Reporter>,
) -> Result<(Arc<Runner>, JoinHandle<()>), Fail> {
    let mut tools = plan.tools();
    if plan.needs_keys() && environment.s3_keys()?.is_none() {
        // They may be in a cluster already.
        tools.insert(Tool::Kubectl);
    }
    let programs =
        Programs::find(tools, &environment.path()).map_err(|missing| missing_tools(&missing))?;
    let means = means(config, plan, programs, environment)?;
    let (exec, stop) = (&means.exec, &means.stop);
    let vault = keys::gather(config, plan, exec, environment, ask, stop).await.map_err(|fail| {
        let terminated = stop.by() == Some(Interrupt::Term);
        if terminated { Fail { exit: Exit::Terminated, ..fail } } else { fail }
    })?;
    Ok(means.runner(config, plan, vault, options, environment, reporter))
}

/// What can be asked with before the keys are known.
pub(super) struct Means {
    pub(super) exec: Arc<Exec>,
    pub(super) stop: Stop,
}

impl Means {
    /// Everything that `plan` is looked at and carried out with, and the end of its report.
    pub(super) fn runner(
        self,
        config: &Config,
        plan: &Plan,
        vault: Vault,
        options: &Options,
        environment: &Environment,
        reporter: Box<dyn Reporter>,
    ) -> (Arc<Runner>, JoinHandle<()>) {
        let (feed, shown) = Feed::to(reporter);
        let runner = Arc::new(Runner {
            exec: self.exec,
            vault,
            feed,
            stop: self.stop,
            jobs: options.jobs,
            timeout: options.timeout,
            leases: leases(config, plan, environment, options),
        });
        (runner, shown)
    }
}

/// Makes ready to run programs, and to be told to stop.
pub(super) fn means(
    config: &Config,
    plan: &Plan,
    programs: Programs,
    environment: &Environment,
) -> Result<Means, Fail> {
    let stop = Stop::listen().map_err(|error| cannot("listening for signals", &error))?;
    let exec = Arc::new(exec(config, plan, programs, environment)?);
    Ok(Means { exec, stop })
}

fn exec(
    config: &Config,
    plan: &Plan,
    programs: Programs,
    environment: &Environment,
) -> Result<Exec, Fail> {
    let place = |cluster: &Cluster| {
        // Of a file that is not there kubectl says that it has no such context.
        if let Some(path) = &cluster.kubeconfig {
            std::fs::File::open(path).map_err(|error| {
                let attempt = format!("reading the kubeconfig {}", path.display());
                let hint = "`kubeconfig:`, --kubeconfig or OKEMON_KUBECONFIG names it";
                Fail::system(Exit::Config, attempt, &error).hint(hint)
            })?;
        }
        let kubeconfig = cluster.kubeconfig.clone().map(Into::into);
        Ok((cluster.name.clone(), Place { kubeconfig }))
    };
    if plan.steps().any(|step| matches!(step.intent, Intent::Chart(_))) {
        let cache = local::chart_cache(environment);
        std::fs::create_dir_all(&cache)
            .map_err(|error| cannot(&format!("making {}", cache.display()), &error))?;
    }
    Exec::start(Setup {
        programs,
        places: config.clusters.iter().map(place).collect::<Result<_, Fail>>()?,
        environment: environment.variables.clone(),
        okemon: environment.program.clone(),
        grace: GRACE,
    })
    .map_err(|error| cannot("preparing to run programs", &error))
}

pub(super) fn missing_tools(missing: &Missing) -> Fail {
    Fail::new(Exit::Unavailable, missing.to_string()).hint(missing.hint())
}

fn leases(
    config: &Config,
    plan: &Plan,
    environment: &Environment,
    options: &Options,
) -> BTreeMap<ClusterName, Lease> {
    let locked = |cluster: &&Cluster| {
        plan.steps().any(|step| matches!(&step.intent, Intent::Lock(name) if *name == cluster.name))
    };
    let lease = |cluster: &Cluster| {
        let kubectl = Kubectl::new(config, cluster);
        let lease =
            Lease::new(kubectl, environment.holder(), options.lock_timeout, Pace::default());
        (cluster.name.clone(), lease)
    };
    config.clusters.iter().filter(locked).map(lease).collect()
}

fn cannot(what: &str, error: &std::io::Error) -> Fail {
    Fail::system(Exit::Failed, what, error)
}
