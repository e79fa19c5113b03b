//! A chart: its archive is on this machine, whatever registry it came from.

use std::path::PathBuf;

use super::deed::{Deed, Verb};
use super::step::{Action, Answer, Call, Decision, Effect};
use crate::tools::cmd::Cmd;

/// Stands in plans for the SHA-256 of an archive, which is known when it is here.
pub const UNKNOWN_DIGEST: &str = "DIGEST";

/// The archive of a chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// `NAME-VERSION`
    pub title: String,
    /// Where the archive is, or will be.
    pub archive: PathBuf,
    /// Brings it here.
    pub pull: Cmd,
}

impl Chart {
    pub fn deed(&self) -> Deed {
        Deed::new(Verb::Fetch, &self.title)
    }

    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        so_far.is_empty().then(|| Call::Archive(self.archive.clone()))
    }

    /// Unchanged when the archive is here: one version's archive never changes.
    pub fn decide(&self, answers: &[Answer]) -> Decision {
        // One that was cut short is fetched again.
        if matches!(answers.first(), Some(Answer::Archive(Some(archive))) if archive.chart.is_some())
        {
            return Decision::unchanged();
        }
        Decision::Do {
            action: Action::Add,
            deed: self.deed(),
            details: vec![],
            effects: vec![Effect::Cmd(self.pull.clone())],
        }
    }
}
