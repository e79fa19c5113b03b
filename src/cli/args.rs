//! What can be typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::settings::Settings;

/// Prometheus, Thanos and Grafana on Oracle Kubernetes Engine, in one command.
#[derive(Debug, Parser)]
#[command(name = "okemon", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = AFTER)]
pub struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) general: General,
}

const AFTER: &str = "\
Exit codes: 0 done, 1 failed, 2 changes pending (plan --detailed-exitcode), 3 something is wrong (check, status, verify), 4 warnings (--strict), 5 not ready (run again to go on), 6 some clusters failed,
7 another okemon is at work, or somebody's Helm may be, 8 refused by a safety rule, 64 usage,
65 configuration, 69 a tool is missing, 77 not authorized, 130 and 143 interrupted.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Installs all of it: bucket, secret, Prometheus, Thanos, Grafana; run again at any time
    Install(Install),
    /// Looks whether an install would go well, before anything is changed
    Check(Check),
    /// Shows what an install would run, without tools, network or credentials; or what it would change
    Plan(Plan),
    /// Makes the bucket that blocks go to
    Bucket(Common),
    /// Stores the bucket's keys in the cluster
    Secret(Common),
    /// Installs Prometheus with its Thanos sidecars
    Prometheus(Common),
    /// Installs Thanos
    Thanos(Common),
    /// Installs Grafana with its data source and dashboards
    Grafana(Common),
    /// Proves that what was installed works, along the way of a sample
    Verify(Verify),
    /// Shows what is installed, in which version, and whether it is well
    Status(Status),
    /// Writes values, manifests and the plain commands as files, to go on without okemon
    Render(Render),
    /// Prints every image that clusters pull, one a line, to mirror them
    Images(Images),
    /// Says what the id of a finding means, how to see it and what to do; without one, lists all
    Explain {
        /// `OKM-...`, as it stands at the end of a finding
        id: Option<String>,
    },
    /// Prints completions for a shell
    Completions { shell: clap_complete::Shell },
    /// Prints the man page
    Man,
}

#[derive(Debug, Args)]
pub(super) struct Install {
    /// Carry out only what was reviewed: the output of `okemon plan --live -o json`
    // A plan is reviewed as a whole, so the commands of its parts have no use for one.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(super) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Common {
    /// Show what would be run, and run none of it
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Leave the operator's custom resource definitions as they are
    #[arg(long)]
    pub(super) skip_crds: bool,
    /// How long to wait for another okemon that is at work on the cluster
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub(super) lock_timeout: Duration,
    #[command(flatten)]
    pub(super) settings: Settings,
}

#[derive(Debug, Args)]
pub(super) struct Plan {
    /// Look at the cluster too, and show what would change
    #[arg(long)]
    pub(super) live: bool,
    /// With --live, which it implies: end with 2 when something would change
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// Leave the operator's custom resource definitions as they are
    #[arg(long)]
    pub(super) skip_crds: bool,
    #[command(flatten)]
    pub(super) settings: Settings,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) told: Told,
    /// Leave the operator's custom resource definitions as they are
    #[arg(long)]
    pub(super) skip_crds: bool,
    #[command(flatten)]
    pub(super) settings: Settings,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// How long to look again at what is on its way, and at what fails
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub(super) wait: Duration,
    #[command(flatten)]
    pub(super) told: Told,
    #[command(flatten)]
    pub(super) settings: Settings,
}

#[derive(Debug, Args)]
pub(super) struct Status {
    /// Look again every two seconds, until Ctrl-C
    #[arg(long)]
    pub(super) watch: bool,
    #[command(flatten)]
    pub(super) settings: Settings,
}

/// How what was found is told.
#[derive(Debug, Args)]
pub(super) struct Told {
    /// End with 4 when there are warnings and nothing else
    #[arg(long)]
    pub(super) strict: bool,
    /// Write what was found into a file too, as JUnit's XML, for a CI system to show
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Render {
    /// A directory that is new, empty, or was rendered before; what is wanted no more is removed
    #[arg(value_name = "DIR")]
    pub(super) directory: PathBuf,
    /// Leave the operator's custom resource definitions as they are
    #[arg(long)]
    pub(super) skip_crds: bool,
    #[command(flatten)]
    pub(super) settings: Settings,
}

#[derive(Debug, Args)]
pub(super) struct Images {
    /// Where the images come from, whatever `imageRegistry` says; the order is the same
    #[arg(long)]
    pub(super) upstream: bool,
    #[command(flatten)]
    pub(super) settings: Settings,
}

/// How a command is carried out and shown.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Debug, Args)]
#[command(next_help_heading = "General")]
pub(super) struct General {
    /// The configuration; `okemon.yaml` of the working directory by default
    #[arg(long, global = true, value_name = "FILE", env = "OKEMON_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Make changes without asking; off a terminal nothing is asked anyway
    #[arg(long, short = 'y', global = true)]
    pub(super) yes: bool,
    /// Never ask: changes are made as with --yes, a missing value is an error
    #[arg(long, global = true)]
    pub(super) no_input: bool,
    /// How many things to do side by side
    #[arg(long, global = true, value_name = "N", default_value = "4", value_parser = jobs)]
    pub(super) jobs: usize,
    /// How long everything may take to become ready
    #[arg(long, global = true, value_name = "DURATION", default_value = "20m", value_parser = duration)]
    pub(super) timeout: Duration,
    /// How it is written: text; for a run ndjson, one event a line; for a plan, check, status and verify json; for a plan sh, a script
    #[arg(long, short, global = true, value_name = "FORMAT", default_value = "text")]
    pub(super) output: OutputFormat,
    /// Whether to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorChoice,
    /// Say only what failed, and how it ended
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Say every command that changes something too, and how long each step took
    #[arg(long, short, global = true)]
    pub(super) verbose: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum OutputFormat {
    Text,
    Ndjson,
    Json,
    Sh,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ColorChoice {
    Auto,
    Always,
    Never,
}

/// Longer than anybody waits, and no clock runs over.
const LONGEST: Duration = Duration::from_hours(7 * 24);

fn duration(text: &str) -> Result<Duration, String> {
    let example = "write for example 90s or 20m";
    match humantime::parse_duration(text) {
        Ok(duration) if duration > LONGEST => Err(format!("at most 7 days; {example}")),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; {example}")),
    }
}

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs @ 1..=64) => Ok(jobs),
        _ => Err("write a number from 1 to 64".to_owned()),
    }
}
