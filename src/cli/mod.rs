//! The command line: what can be typed, and what each command is started with.

pub mod settings;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::environment::Environment;
use settings::Settings;

use crate::ask::{self, Ask};
use crate::commands::install::Consent;
use crate::commands::plan::Form;
use crate::commands::{images, install, plan};
use crate::config::{self, Charts, Config, Source};
use crate::fail::{Exit, Fail};
use crate::plan::step::Part;
use crate::report::{self, Format, Verbosity};
use crate::run::watchdog;
use crate::tools::cmd::quote;

/// Prometheus, Thanos and Grafana on Oracle Kubernetes Engine, in one command.
#[derive(Debug, Parser)]
#[command(name = "okemon", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = AFTER)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    general: General,
}

const AFTER: &str = "\
Exit codes: 0 done, 1 failed, 5 not ready (run again to go on), 6 some clusters failed,
7 another okemon is at work, 8 refused by a safety rule, 64 usage, 65 configuration, 69 a tool is
missing, 77 not authorized, 130 and 143 interrupted.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Installs all of it: bucket, secret, Prometheus, Thanos, Grafana; run again at any time
    Install(Install),
    /// Shows what an install would run, without tools, network or credentials
    Plan(Plan),
    /// Makes the bucket that blocks go to
    Bucket(Install),
    /// Stores the bucket's keys in the cluster
    Secret(Install),
    /// Installs Prometheus with its Thanos sidecars
    Prometheus(Install),
    /// Installs Thanos
    Thanos(Install),
    /// Installs Grafana with its data source and dashboards
    Grafana(Install),
    /// Prints every image that clusters pull, one a line, to mirror them
    Images(Images),
    /// Prints completions for a shell
    Completions { shell: clap_complete::Shell },
    /// Prints the man page
    Man,
}

#[derive(Debug, Args)]
struct Install {
    /// Show what would be run, and run none of it
    #[arg(long)]
    dry_run: bool,
    /// Leave the operator's custom resource definitions as they are
    #[arg(long)]
    skip_crds: bool,
    /// How long to wait for another okemon that is at work on the cluster
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    lock_timeout: Duration,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Args)]
struct Plan {
    /// Leave the operator's custom resource definitions as they are
    #[arg(long)]
    skip_crds: bool,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Args)]
struct Images {
    /// Where the images come from, whatever `imageRegistry` says; the order is the same
    #[arg(long)]
    upstream: bool,
    #[command(flatten)]
    settings: Settings,
}

/// How a command is carried out and shown.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Debug, Args)]
#[command(next_help_heading = "General")]
struct General {
    /// The configuration; `okemon.yaml` of the working directory by default
    #[arg(long, global = true, value_name = "FILE", env = "OKEMON_CONFIG")]
    config: Option<PathBuf>,
    /// Make changes without asking; off a terminal nothing is asked anyway
    #[arg(long, short = 'y', global = true)]
    yes: bool,
    /// Never ask: a missing value is an error
    #[arg(long, global = true)]
    no_input: bool,
    /// How many things to do side by side
    #[arg(long, global = true, value_name = "N", default_value = "4", value_parser = jobs)]
    jobs: usize,
    /// How long everything may take to become ready
    #[arg(long, global = true, value_name = "DURATION", default_value = "20m", value_parser = duration)]
    timeout: Duration,
    /// How it is written: text; for a run ndjson, one event a line; for a plan json, or sh, a script
    #[arg(long, short, global = true, value_name = "FORMAT", default_value = "text")]
    output: OutputFormat,
    /// Whether to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    /// Say only what failed, and how it ended
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say every command too, and how long each step took
    #[arg(long, short, global = true)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OutputFormat {
    Text,
    Ndjson,
    Json,
    Sh,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ColorChoice {
    Auto,
    Always,
    Never,
}

/// Runs the command that was typed.
pub async fn main(environment: Environment) -> Exit {
    let words = environment.words.as_slice();
    // No command of clap's: completions would offer it.
    if let [name, home, grace] = words
        && name == watchdog::SUBCOMMAND
    {
        let grace = grace.to_str().and_then(|millis| millis.parse().ok()).unwrap_or_default();
        watchdog::serve(home.as_ref(), Duration::from_millis(grace));
        return Exit::Done;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; everything else is wrong usage.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let _ = error.print();
            return code;
        }
    };
    let color = match cli.general.color {
        ColorChoice::Auto => environment.color,
        ColorChoice::Always => true,
        ColorChoice::Never => false,
    };
    match cli.run(&environment, color).await {
        Ok(exit) => exit,
        Err(fail) => {
            report::print_error(&anyhow::Error::new(fail.clone()), fail.hint.as_deref(), color);
            fail.exit
        }
    }
}

impl Cli {
    async fn run(&self, environment: &Environment, color: bool) -> Result<Exit, Fail> {
        match &self.command {
            Command::Install(args) => self.install(args, None, environment, color).await,
            Command::Bucket(args) => {
                self.install(args, Some(Part::Bucket), environment, color).await
            }
            Command::Secret(args) => {
                self.install(args, Some(Part::Secret), environment, color).await
            }
            Command::Prometheus(args) => {
                self.install(args, Some(Part::Prometheus), environment, color).await
            }
            Command::Thanos(args) => {
                self.install(args, Some(Part::Thanos), environment, color).await
            }
            Command::Grafana(args) => {
                self.install(args, Some(Part::Grafana), environment, color).await
            }
            Command::Plan(args) => self.plan(None, args.skip_crds, &args.settings, environment),
            Command::Images(args) => {
                let (charts, registry) = self.images(&args.settings)?;
                let registry = registry.as_deref().filter(|_| !args.upstream);
                report::print_result(&images::list(charts, registry));
                Ok(Exit::Done)
            }
            Command::Completions { shell } => {
                let mut text = Vec::new();
                clap_complete::generate(*shell, &mut Self::command(), "okemon", &mut text);
                report::print_result(&String::from_utf8_lossy(&text));
                Ok(Exit::Done)
            }
            Command::Man => {
                let mut text = Vec::new();
                clap_mangen::Man::new(Self::command()).render(&mut text).map_err(|error| {
                    Fail::new(Exit::Failed, format!("writing the man page: {error}"))
                })?;
                report::print_result(&String::from_utf8_lossy(&text));
                Ok(Exit::Done)
            }
        }
    }

    async fn install(
        &self,
        args: &Install,
        part: Option<Part>,
        environment: &Environment,
        color: bool,
    ) -> Result<Exit, Fail> {
        if args.dry_run {
            return self.plan(part, args.skip_crds, &args.settings, environment);
        }
        let config = self.configuration(&args.settings)?;
        let general = &self.general;
        let interactive = environment.interactive && !general.no_input;
        let mut ask: Box<dyn Ask> =
            if interactive { Box::new(ask::Terminal) } else { Box::new(ask::Never) };
        let consent = if general.yes {
            Consent::Given
        } else if interactive {
            Consent::Asked
        } else if environment.unasked && !general.no_input {
            Consent::Missing
        } else {
            Consent::Given
        };
        let options = install::Options {
            command: typed(&environment.words),
            consent,
            part,
            skip_crds: args.skip_crds,
            jobs: general.jobs,
            timeout: general.timeout,
            lock_timeout: args.lock_timeout,
        };
        let format = match general.output {
            OutputFormat::Text => Format::Text,
            OutputFormat::Ndjson => Format::Ndjson,
            OutputFormat::Json | OutputFormat::Sh => {
                let fail = Fail::new(Exit::Usage, "reporting a run: that form is a plan's");
                return Err(fail.hint("`okemon plan -o json` or `-o sh`; a run has `-o ndjson`"));
            }
        };
        let verbosity = match (general.quiet, general.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let reporter = report::choose(format, environment.terminal, verbosity, color);
        install::install(&config, &options, environment, ask.as_mut(), reporter).await
    }

    fn plan(
        &self,
        part: Option<Part>,
        skip_crds: bool,
        settings: &Settings,
        environment: &Environment,
    ) -> Result<Exit, Fail> {
        let form = match self.general.output {
            OutputFormat::Text => Form::Text,
            OutputFormat::Json => Form::Json,
            OutputFormat::Sh => Form::Sh,
            OutputFormat::Ndjson => {
                let fail =
                    Fail::new(Exit::Usage, "showing the plan: a run has events, a plan none");
                return Err(fail.hint("`okemon plan -o json` is for programs"));
            }
        };
        let config = self.configuration(settings)?;
        let (plan, notes) = plan::plan(&config, environment, part, skip_crds)?;
        report::print_result(&plan::shown(&config, &plan, &notes, form)?);
        Ok(Exit::Done)
    }

    /// Whose charts' images are meant, and their mirror. Without a file and a region, the mirror
    /// alone can be said.
    fn images(&self, settings: &Settings) -> Result<(Charts, Option<String>), Fail> {
        let alone = settings.selection.regions.is_empty() && self.source()?.is_none();
        if alone {
            let registry = config::image_registry(&settings.values)
                .map_err(|faults| Fail::new(Exit::Config, faults.to_string()))?;
            return Ok((Charts::default(), registry));
        }
        let config = self.configuration(settings)?;
        Ok((config.charts, config.image_registry))
    }

    /// What file, environment and flags say.
    fn configuration(&self, settings: &Settings) -> Result<Config, Fail> {
        let source = self.source()?;
        config::load(source.as_ref(), &settings.values, &settings.selection).map_err(|faults| {
            let fail = Fail::new(Exit::Config, faults.to_string());
            // Without one, flags have to say everything; most people are in the wrong directory.
            let lost = source.is_none() && faults.all_missing().is_some();
            if lost {
                fail.hint("there is no okemon.yaml here; `--config FILE` names one")
            } else {
                fail
            }
        })
    }

    /// The file that was named, or `okemon.yaml` when it is there.
    fn source(&self) -> Result<Option<Source>, Fail> {
        let (path, named) = match &self.general.config {
            Some(path) => (path.clone(), true),
            None => (PathBuf::from("okemon.yaml"), false),
        };
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(Source {
                origin: path.display().to_string(),
                directory: path.parent().map(Path::to_path_buf).unwrap_or_default(),
                bytes,
            })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => Ok(None),
            Err(error) => Err(Fail::new(
                Exit::Config,
                format!("reading the configuration {}: {error}", path.display()),
            )),
        }
    }
}

/// What was typed, as it can be typed again, wherever the program lies.
fn typed(words: &[OsString]) -> String {
    let words = words.iter().map(|word| quote(&word.to_string_lossy()));
    std::iter::once("okemon".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write for example 90s or 20m"))
}

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs @ 1..=64) => Ok(jobs),
        _ => Err("write a number from 1 to 64".to_owned()),
    }
}
