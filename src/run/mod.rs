//! Carries out a plan.

mod again;
pub mod archive;
mod check;
mod environment;
pub mod exec;
mod forward;
pub mod http;
pub mod lease;
pub mod programs;
mod progress;
pub mod runner;
mod schedule;
mod shown;
mod step;
pub mod stop;
mod stream;
pub mod vault;
mod versions;
pub mod watchdog;

use crate::fail::{Exit, Fail};
use crate::tools::failure;

impl From<exec::Failure> for Fail {
    fn from(failure: exec::Failure) -> Self {
        let exit = match &failure {
            // Such as one of another machine.
            exec::Failure::Missing(_) | exec::Failure::Start { .. } => Exit::Unavailable,
            exec::Failure::Stopped { .. } => Exit::Interrupted,
            exec::Failure::TimedOut { cmd, waited_for, stderr } => {
                return failure::silent(cmd, failure.to_string(), waited_for.as_deref(), stderr);
            }
            exec::Failure::Ended { cmd, output } => return failure::explain(cmd, output),
            exec::Failure::TooLong { .. } => Exit::Failed,
        };
        Self::new(exit, failure.to_string())
    }
}

impl From<http::Unreachable> for Fail {
    fn from(unreachable: http::Unreachable) -> Self {
        Self::new(Exit::Failed, unreachable.to_string())
            .hint("`okemon plan` shows the endpoint; a proxy is taken from HTTPS_PROXY")
    }
}
