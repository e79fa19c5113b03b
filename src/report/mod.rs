//! How a run is shown: on a terminal, in a pipe, as NDJSON. Only this module prints.
//!
//! What happened is data ([`event`]); what is worth saying of it, and when, is decided once for
//! both human forms; [`lines`] and [`tty`] only bring it to the screen.

pub mod checks;
pub mod event;
pub mod feed;
pub mod lines;
pub mod ndjson;
#[cfg(test)]
mod runs;
pub mod status;
mod story;
mod summary;
mod survey;
pub mod tty;
mod words;

use std::io::{self, Write};

use anyhow::Result;
use jiff::Timestamp;

use crate::checks::Checked;
use crate::status::Status;
use event::{Change, Event};
use lines::Lines;
use ndjson::Ndjson;
use tty::Tty;
use words::{Mark, Said, below};

/// Shows events, one after another.
///
/// Nothing here fails: who stopped listening does not end a run.
pub trait Reporter: Send {
    /// Shows `event`, which happened at `time`.
    fn on(&mut self, time: Timestamp, event: &Event);

    /// Lets time pass: a spinner turns, a long silence is broken. A few times a second is enough.
    fn tick(&mut self, _time: Timestamp) {}
}

/// What a run writes while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Words for people, to stderr.
    Text,
    /// One JSON object a line, to stdout.
    Ndjson,
}

/// How much is said to people. NDJSON always has everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Failures and the last line.
    Quiet,
    Normal,
    /// Also the command lines, and how long each step took.
    Verbose,
}

/// The reporter for `format`.
///
/// `terminal`: stderr is one that can move its cursor, so neither a pipe nor `TERM=dumb`.
pub fn choose(
    format: Format,
    terminal: bool,
    verbosity: Verbosity,
    color: bool,
) -> Box<dyn Reporter> {
    match format {
        Format::Ndjson => Box::new(Ndjson::new(io::stdout())),
        Format::Text if terminal => Box::new(Tty::stderr(verbosity, color)),
        Format::Text => Box::new(Lines::new(io::stderr(), verbosity, color)),
    }
}

/// What would change, as text for [`print_result`].
pub fn survey(changes: &[Change], unchanged: usize, color: bool) -> String {
    paragraph(&survey::survey(changes, unchanged), color)
}

/// What was checked, as text for [`print_result`]; `done`: the word for it, `quiet`: only what did not
/// pass.
pub fn checked(done: &str, checks: &[Checked], quiet: bool, color: bool) -> String {
    checks::text(done, checks, quiet, color)
}

/// The same for programs: `docs/check.schema.json`.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn checked_as_json(checks: &[Checked]) -> Result<String> {
    checks::json(checks)
}

/// The same for CI systems, as JUnit's XML.
///
/// # Errors
/// When it cannot be written as XML.
pub fn checked_as_junit(done: &str, checks: &[Checked]) -> Result<String> {
    checks::junit(done, checks)
}

/// What is installed, as text for [`print_result`]; `anew`: on a screen that is emptied before.
pub fn status(clusters: &[Status], now: Timestamp, anew: bool) -> String {
    let clear = if anew { "\u{1b}[H\u{1b}[2J" } else { "" };
    format!("{clear}{}", status::text(clusters, now))
}

/// The same for programs: `docs/status.schema.json`.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn status_as_json(clusters: &[Status]) -> Result<String> {
    status::json(clusters)
}

/// Prints what a command was asked for.
///
/// # Errors
/// When it does not get through, such as into a file on a full disk. Who closed the pipe has read
/// enough, so that is none.
pub fn print_result(text: &str) -> io::Result<()> {
    print_while_read(text).map(|_| ())
}

/// The same, and tells whether somebody still reads.
///
/// # Errors
/// When it does not get through.
pub fn print_while_read(text: &str) -> io::Result<bool> {
    match print(io::stdout(), text) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// Prints the error that ended okemon, its causes, and last what to type next.
///
/// A run that failed has said so in its last words; this is for what fails outside of a run.
pub fn print_error(error: &anyhow::Error, hint: Option<&str>, color: bool) {
    // Nobody is left to be told that it cannot be told.
    print(io::stderr(), &error_text(error, hint, color)).ok();
}

fn error_text(error: &anyhow::Error, hint: Option<&str>, color: bool) -> String {
    let causes = error.chain().skip(1).map(|cause| below(1, &format!("because: {cause}")));
    let text = format!("{error}{}", causes.collect::<String>());
    let hint = hint.map(|hint| Said::new(Mark::Hint, hint));
    let said: Vec<Said> = [Said::new(Mark::Error, &text)].into_iter().chain(hint).collect();
    paragraph(&said, color)
}

fn paragraph(said: &[Said], color: bool) -> String {
    said.iter().map(|said| said.line(color) + "\n").collect()
}

/// Writes `text` with a line end.
fn print(mut to: impl Write, text: &str) -> io::Result<()> {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    to.write_all(format!("{text}{end}").as_bytes())?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn an_error_is_followed_by_its_causes_and_last_by_what_to_type() {
        let error = Err::<(), _>(anyhow!("no such file"))
            .context("reading okemon.yaml")
            .context("preparing the run")
            .expect_err("it is one");
        insta::assert_snapshot!(error_text(&error, Some("okemon plan"), false), @"
        error: preparing the run
            because: reading okemon.yaml
            because: no such file
        hint: okemon plan
        ");
    }
}
