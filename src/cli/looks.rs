//! The commands that only look: `check`, `status`, `verify`.

use super::args::{Check, Cli, OutputFormat, Status, Told, Verify};
use super::configuration;
use crate::commands::{check, status, verify};
use crate::environment::Environment;
use crate::fail::{Exit, Fail};

impl Cli {
    /// Looks whether an install would go well.
    pub(super) async fn check(
        &self,
        args: &Check,
        environment: &Environment,
        color: bool,
    ) -> Result<Exit, Fail> {
        let shown = self.told(&args.told, color)?;
        let config = configuration(self.source()?.as_ref(), &args.settings)?;
        let options = self.only_looking(environment, args.skip_crds);
        check::check(&config, &options, environment, &shown).await
    }

    /// Proves that what was installed works.
    pub(super) async fn verify(
        &self,
        args: &Verify,
        environment: &Environment,
        color: bool,
    ) -> Result<Exit, Fail> {
        let shown = self.told(&args.told, color)?;
        let config = configuration(self.source()?.as_ref(), &args.settings)?;
        let options = self.only_looking(environment, false);
        verify::verify(&config, &options, environment, args.wait, &shown).await
    }

    /// Shows what is installed.
    pub(super) async fn status(
        &self,
        args: &Status,
        environment: &Environment,
    ) -> Result<Exit, Fail> {
        let shown =
            status::Shown { json: self.as_json()?, watch: args.watch, screen: environment.screen };
        let config = configuration(self.source()?.as_ref(), &args.settings)?;
        let options = self.only_looking(environment, false);
        status::status(&config, &options, environment, shown).await
    }

    /// Whether what was found is shown to a program.
    fn as_json(&self) -> Result<bool, Fail> {
        match self.general.output {
            OutputFormat::Text => Ok(false),
            OutputFormat::Json => Ok(true),
            OutputFormat::Sh | OutputFormat::Ndjson => {
                let fail = Fail::new(Exit::Usage, "showing what was found: not in that form");
                Err(fail.hint("leave `-o` out, or write `-o json`"))
            }
        }
    }

    fn told(&self, told: &Told, color: bool) -> Result<check::Shown, Fail> {
        Ok(check::Shown {
            json: self.as_json()?,
            junit: told.junit.clone(),
            strict: told.strict,
            verbosity: self.verbosity(),
            color,
        })
    }
}
