//! How a run ends for the caller: exit codes, and errors that say what to type next.

use std::fmt;
use std::io;

/// The exit codes of okemon. They are part of its contract: scripts branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Failed = 1,
    /// Changes are pending: `plan --detailed-exitcode`.
    Pending = 2,
    /// A check or a verification failed.
    Unfit = 3,
    /// There were warnings, and `--strict` makes them count.
    Warned = 4,
    /// Something was not ready in time; a second run goes on.
    TimedOut = 5,
    /// Some clusters are done, some failed.
    Partly = 6,
    /// Another okemon is at work on this cluster, or somebody's Helm may be.
    Busy = 7,
    /// A safety rule refused.
    Refused = 8,
    Usage = 64,
    /// The configuration is not valid.
    Config = 65,
    /// A tool is missing or not supported.
    Unavailable = 69,
    /// A cluster or Object Storage did not allow it.
    Denied = 77,
    Interrupted = 130,
    Terminated = 143,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What to do about a disk that is full.
pub const DISK_FULL: &str = "`df -h` shows which disk is full; make room there, or name a directory on another one (TMPDIR, XDG_CACHE_HOME)";

/// An error for a person: what was tried and why it failed, and what to type next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fail {
    pub exit: Exit,
    /// What was tried, in lowercase, the cause after a colon. May have several lines.
    pub error: String,
    /// Begins with the command to type, where there is one.
    pub hint: Option<String>,
}

impl Fail {
    pub fn new(exit: Exit, error: impl Into<String>) -> Self {
        Self { exit, error: error.into(), hint: None }
    }

    /// A file, a directory or a stream that the system did not let through; `attempt` is what was
    /// tried. A full disk has a hint of its own.
    pub fn system(exit: Exit, attempt: impl fmt::Display, error: &io::Error) -> Self {
        let fail = Self::new(exit, format!("{attempt}: {error}"));
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => fail.hint(DISK_FULL),
            _ => fail,
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl std::error::Error for Fail {}
