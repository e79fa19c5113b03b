//! A flag and a variable for each setting of the configuration, made of its table.
//!
//! Values are only collected here, with where they came from; `config` checks them with those of
//! the file.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::config::{CLUSTER, Known, REGION, SETTINGS, Selection, Setting, schema};

/// What flags and variables say. Flatten it into the arguments of a command.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub selection: Selection,
    /// In the table's order, one a key: the flag's value where variable and flag are given.
    pub values: Vec<Setting>,
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        let schema = schema::schema();
        let flag = |known: &Known| {
            Arg::new(known.flag)
                .long(known.flag)
                .env(known.variable)
                .hide_env_values(true)
                .value_name(known.value)
                .help(schema::about(&schema, known.key).trim_end_matches('.').to_owned())
                .help_heading("Configuration")
        };
        let selector =
            |known, help| flag(known).help(help).action(ArgAction::Append).value_delimiter(',');
        command
            .arg(selector(&REGION, "The clusters of this region, by key or identifier; repeatable"))
            .arg(selector(&CLUSTER, "The cluster of this name; repeatable"))
            .args(SETTINGS.iter().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            selection: Selection {
                regions: given(matches, &REGION),
                clusters: given(matches, &CLUSTER),
            },
            values: SETTINGS.iter().flat_map(|known| given(matches, known)).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn given(matches: &ArgMatches, known: &Known) -> Vec<Setting> {
    let from_variable = matches.value_source(known.flag) == Some(ValueSource::EnvVariable);
    let origin =
        if from_variable { known.variable.to_owned() } else { format!("--{}", known.flag) };
    let values = matches.get_many::<String>(known.flag).into_iter().flatten();
    values
        // CI systems export variables that are not set as empty ones; an empty flag is meant.
        .filter(|value| !(from_variable && value.is_empty()))
        .map(|value| Setting { key: known.key, value: value.clone(), origin: origin.clone() })
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        settings: Settings,
    }

    fn parsed(arguments: &[&str]) -> Settings {
        let arguments = [&["okemon"], arguments].concat();
        Cli::try_parse_from(arguments).unwrap().settings
    }

    fn said(settings: &[Setting]) -> Vec<String> {
        settings.iter().map(|s| format!("{} {} {:?}", s.origin, s.key, s.value)).collect()
    }

    #[test]
    fn flags_become_settings_that_name_their_flag() {
        let settings =
            parsed(&["--region", "sin,syd", "--region", "iad", "--prefix", "", "--size=x"]);
        assert_eq!(
            said(&settings.selection.regions),
            [
                "--region clusters[].region \"sin\"",
                "--region clusters[].region \"syd\"",
                "--region clusters[].region \"iad\""
            ]
        );
        assert_eq!(
            said(&settings.values),
            ["--prefix clusters[].prefix \"\"", "--size clusters[].size \"x\""]
        );
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "only a child can have variables of its own")]
    fn a_flag_wins_over_its_variable_and_an_empty_variable_is_none() {
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "cli::settings::tests::with_variables"])
            .envs([("OKEMON_CONTEXT", "variable"), ("OKEMON_BUCKET", "variable")])
            .envs([("OKEMON_REGION", "sin,syd"), ("OKEMON_SIZE", "")])
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && output.contains("1 passed"), "{output}");
    }

    #[test]
    #[ignore = "the test above runs it, with variables"]
    fn with_variables() {
        let settings = parsed(&["--bucket", "flag"]);
        assert_eq!(
            said(&settings.values),
            [
                "OKEMON_CONTEXT clusters[].context \"variable\"",
                "--bucket clusters[].bucket \"flag\""
            ]
        );
        assert_eq!(
            said(&settings.selection.regions),
            ["OKEMON_REGION clusters[].region \"sin\"", "OKEMON_REGION clusters[].region \"syd\""]
        );
    }

    #[test]
    fn every_setting_has_a_help_a_variable_of_its_flags_name_and_a_flag_of_its_own() {
        let command = Settings::augment_args(Command::new("okemon"));
        command.clone().debug_assert();
        let bad: Vec<_> = command
            .get_arguments()
            .filter(|arg| {
                let flag = arg.get_long().unwrap_or_default();
                let variable = format!("OKEMON_{}", flag.to_uppercase().replace('-', "_"));
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                help.is_empty() || arg.get_env() != Some(variable.as_ref())
            })
            .map(Arg::get_id)
            .collect();
        assert!(bad.is_empty(), "{bad:?}");
    }
}
