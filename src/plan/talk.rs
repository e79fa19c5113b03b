//! Questions and answers as one straight text: a step asks, reads the answer, asks on.
//!
//! The text is read from its beginning each time: what was answered already is not asked again, and
//! it ends at the first question that has no answer yet.

use std::path::Path;
use std::slice::Iter;

use super::step::{Answer, Call};
use crate::fail::Fail;
use crate::tools::cmd::Cmd;
use crate::tools::failure;
use crate::tools::helm::Archive;
use crate::tools::output::Output;

/// A talk, as far as it has come.
pub(super) struct Talk<'a> {
    answers: Iter<'a, Answer>,
    /// The question at which it stopped.
    next: Option<Call>,
}

/// Why a talk did not come to its end.
pub(super) enum Open {
    /// A question has no answer yet.
    Asking,
    Refused(Fail),
}

impl From<Fail> for Open {
    fn from(fail: Fail) -> Self {
        Self::Refused(fail)
    }
}

impl<'a> Talk<'a> {
    pub(super) fn new(answers: &'a [Answer]) -> Self {
        Self { answers: answers.iter(), next: None }
    }

    /// The question at which it stopped; none: it came to its end.
    pub(super) fn next(self) -> Option<Call> {
        self.next
    }

    /// What an archive of this machine holds; none: there is no such file.
    pub(super) fn archive(&mut self, path: &Path) -> Result<Option<Archive>, Open> {
        match self.ask(|| Call::Archive(path.to_owned()))? {
            Answer::Archive(archive) => Ok(archive.clone()),
            Answer::Output(_) | Answer::Http { .. } => Ok(None),
        }
    }

    /// What a command printed, however it ended.
    pub(super) fn output(&mut self, cmd: &Cmd) -> Result<Output, Open> {
        self.ask(|| Call::Cmd(cmd.clone())).map(Answer::output)
    }

    /// The same of a command that must not fail.
    pub(super) fn success(&mut self, cmd: &Cmd) -> Result<Output, Open> {
        let output = self.output(cmd)?;
        if output.code == Some(0) { Ok(output) } else { Err(failure::explain(cmd, &output).into()) }
    }

    fn ask(&mut self, question: impl FnOnce() -> Call) -> Result<&'a Answer, Open> {
        self.answers.next().ok_or_else(|| {
            self.next = Some(question());
            Open::Asking
        })
    }
}
