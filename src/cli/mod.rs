//! The command line: what can be typed, and what each command is started with.

mod args;
mod looks;
pub mod settings;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};

use crate::environment::{self, Environment};
pub use args::Cli;
use args::{ColorChoice, Command, Common, OutputFormat, Plan};
use settings::Settings;

use crate::ask::{self, Ask};
use crate::commands::plan::Form;
use crate::commands::prepare::{Consent, Options};
use crate::commands::{self, explain, images, install, live, plan, render};
use crate::config::{self, Charts, Config, Source};
use crate::fail::{Exit, Fail};
use crate::plan::step::Part;
use crate::report::{self, Format, Verbosity};
use crate::run::watchdog;
use crate::tools::cmd::quote;

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
            return match (error.use_stderr(), error.print()) {
                (true, _) => Exit::Usage,
                (false, Err(failed)) if failed.kind() != ErrorKind::BrokenPipe => Exit::Failed,
                (false, _) => Exit::Done,
            };
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
            Command::Install(args) => {
                let reviewed = args.plan.as_deref();
                self.install(&args.common, None, reviewed, environment, color).await
            }
            Command::Bucket(args) => self.part(args, Part::Bucket, environment, color).await,
            Command::Secret(args) => self.part(args, Part::Secret, environment, color).await,
            Command::Prometheus(args) => {
                self.part(args, Part::Prometheus, environment, color).await
            }
            Command::Thanos(args) => self.part(args, Part::Thanos, environment, color).await,
            Command::Grafana(args) => self.part(args, Part::Grafana, environment, color).await,
            Command::Plan(args) if args.live || args.detailed_exitcode => {
                self.live(args, environment, color).await
            }
            Command::Plan(args) => self.plan(None, args.skip_crds, &args.settings, environment),
            Command::Status(args) => self.status(args, environment).await,
            Command::Verify(args) => self.verify(args, environment, color).await,
            Command::Check(args) => self.check(args, environment, color).await,
            Command::Render(args) => {
                let config = configuration(self.source()?.as_ref(), &args.settings)?;
                let directory = &args.directory;
                let files = render::render(&config, environment, args.skip_crds, directory)?;
                commands::print(&files)
            }
            Command::Images(args) => {
                let (charts, registry) = self.images(&args.settings)?;
                let registry = registry.as_deref().filter(|_| !args.upstream);
                commands::print(&images::list(charts, registry))
            }
            Command::Explain { id } => commands::print(&explain::explain(id.as_deref())?),
            Command::Completions { shell } => {
                let mut text = Vec::new();
                clap_complete::generate(*shell, &mut Self::command(), "okemon", &mut text);
                commands::print(&String::from_utf8_lossy(&text))
            }
            Command::Man => {
                let mut text = Vec::new();
                clap_mangen::Man::new(Self::command()).render(&mut text).map_err(|error| {
                    Fail::new(Exit::Failed, format!("writing the man page: {error}"))
                })?;
                commands::print(&String::from_utf8_lossy(&text))
            }
        }
    }

    /// Installs one part alone.
    async fn part(
        &self,
        args: &Common,
        part: Part,
        environment: &Environment,
        color: bool,
    ) -> Result<Exit, Fail> {
        self.install(args, Some(part), None, environment, color).await
    }

    async fn install(
        &self,
        args: &Common,
        part: Option<Part>,
        plan: Option<&Path>,
        environment: &Environment,
        color: bool,
    ) -> Result<Exit, Fail> {
        if args.dry_run {
            return self.plan(part, args.skip_crds, &args.settings, environment);
        }
        let config = configuration(self.source()?.as_ref(), &args.settings)?;
        let general = &self.general;
        let mut ask = self.ask(environment);
        let options = Options {
            command: typed(&environment.words),
            consent: self.consent(environment),
            reviewed: plan.map(reviewed).transpose()?,
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
        let reporter = report::choose(format, environment.terminal, self.verbosity(), color);
        install::install(&config, &options, environment, ask.as_mut(), reporter).await
    }

    /// Who agrees to the changes: a person to whom they are shown, where there is a person at all.
    fn consent(&self, environment: &Environment) -> Consent {
        let general = &self.general;
        let somebody = environment.interactive || environment.unasked;
        let shown = matches!(general.output, OutputFormat::Text) && !general.quiet;
        if general.yes || general.no_input || !somebody {
            Consent::Given
        } else if environment.interactive && shown {
            Consent::Asked
        } else {
            Consent::Missing
        }
    }

    fn verbosity(&self) -> Verbosity {
        match (self.general.quiet, self.general.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }

    /// Who is asked for what is missing.
    fn ask(&self, environment: &Environment) -> Box<dyn Ask> {
        let interactive = environment.interactive && !self.general.no_input;
        if interactive { Box::new(ask::Terminal) } else { Box::new(ask::Never) }
    }

    /// Shows what an install would change.
    async fn live(
        &self,
        args: &Plan,
        environment: &Environment,
        color: bool,
    ) -> Result<Exit, Fail> {
        let form = match self.general.output {
            OutputFormat::Text => Form::Text,
            OutputFormat::Json => Form::Json,
            OutputFormat::Sh | OutputFormat::Ndjson => {
                let fail = Fail::new(Exit::Usage, "showing what would change: not in that form");
                return Err(fail.hint("`okemon plan --live`, or with `-o json`"));
            }
        };
        let config = configuration(self.source()?.as_ref(), &args.settings)?;
        let mut ask = self.ask(environment);
        let options = self.only_looking(environment, args.skip_crds);
        let shown = live::Shown {
            form,
            detailed: args.detailed_exitcode,
            verbosity: self.verbosity(),
            color,
        };
        live::live(&config, &options, environment, ask.as_mut(), shown).await
    }

    /// How to go about what changes nothing.
    fn only_looking(&self, environment: &Environment, skip_crds: bool) -> Options {
        Options {
            command: typed(&environment.words),
            consent: Consent::Missing,
            reviewed: None,
            part: None,
            skip_crds,
            jobs: self.general.jobs,
            timeout: self.general.timeout,
            lock_timeout: Duration::ZERO,
        }
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
        let config = configuration(self.source()?.as_ref(), settings)?;
        let (plan, notes) = plan::plan(&config, environment, part, skip_crds)?;
        commands::print(&plan::shown(&config, &plan, &notes, form)?)
    }

    /// Whose charts' images are meant, and their mirror. Without a file, the mirror alone can be
    /// said: no image is of a region.
    fn images(&self, settings: &Settings) -> Result<(Charts, Option<String>), Fail> {
        // Once: a pipe is empty the second time.
        let source = self.source()?;
        if source.is_none() {
            let registry = config::image_registry(&settings.values)
                .map_err(|faults| Fail::new(Exit::Config, faults.to_string()))?;
            return Ok((Charts::default(), registry));
        }
        let config = configuration(source.as_ref(), settings)?;
        Ok((config.charts, config.image_registry))
    }

    /// The file that was named, or `okemon.yaml` when it is there.
    fn source(&self) -> Result<Option<Source>, Fail> {
        let (path, named) = match &self.general.config {
            Some(path) => (path.clone(), true),
            None => (PathBuf::from("okemon.yaml"), false),
        };
        match environment::read_file(&path) {
            Ok(bytes) => Ok(Some(Source {
                origin: path.display().to_string(),
                directory: path.parent().map(Path::to_path_buf).unwrap_or_default(),
                bytes,
            })),
            Err(error) if error.kind() == ErrorKind::NotFound && !named => Ok(None),
            Err(error) => {
                let error = format!("reading the configuration {}: {error}", path.display());
                Err(Fail::new(Exit::Config, error).hint(
                    "`--config FILE` names the file to read; without it, okemon.yaml of this directory is read",
                ))
            }
        }
    }
}

/// What file, environment and flags say.
fn configuration(source: Option<&Source>, settings: &Settings) -> Result<Config, Fail> {
    config::load(source, &settings.values, &settings.selection).map_err(|faults| {
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

/// A plan that was reviewed.
fn reviewed(path: &Path) -> Result<serde_json::Value, Fail> {
    let fail = |why: String| {
        let error = format!("reading the plan {}: {why}", path.display());
        Fail::new(Exit::Config, error).hint("`okemon plan --live -o json > FILE` makes one")
    };
    let text = environment::read_file(path).map_err(|error| fail(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| fail(error.to_string()))
}

/// What was typed, as it can be typed again, wherever the program lies.
fn typed(words: &[OsString]) -> String {
    let words = words.iter().map(|word| quote(&word.to_string_lossy()));
    std::iter::once("okemon".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_shown_the_changes_is_asked_for_consent() {
        let own = Environment::of_this_process();
        let consent = |line: &str, interactive, unasked| {
            let words = ["okemon", "install"].into_iter().chain(line.split_whitespace());
            let environment = Environment { interactive, unasked, ..own.clone() };
            Cli::try_parse_from(words).unwrap().consent(&environment)
        };
        let cases = [
            ("", Consent::Asked),
            ("-v", Consent::Asked),
            ("-q", Consent::Missing),
            ("-o ndjson", Consent::Missing),
            ("-y", Consent::Given),
            ("-q -y", Consent::Given),
            ("-o ndjson --no-input", Consent::Given),
        ];
        for (line, on_a_terminal) in cases {
            let into_a_pipe = match on_a_terminal {
                Consent::Given => Consent::Given,
                Consent::Asked | Consent::Missing => Consent::Missing,
            };
            assert_eq!(consent(line, true, false), on_a_terminal, "{line}");
            assert_eq!(consent(line, false, true), into_a_pipe, "{line}");
            assert_eq!(consent(line, false, false), Consent::Given, "{line}");
        }
    }
}
