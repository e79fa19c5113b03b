//! What each command does: from the command line to an exit code.

pub mod check;
pub mod evidence;
pub mod explain;
pub mod images;
pub mod install;
mod keys;
pub mod live;
mod local;
pub mod plan;
pub mod prepare;
pub mod render;
pub mod status;
pub mod verify;

use crate::fail::{Exit, Fail};
use crate::report;

/// Prints the result of a command.
///
/// # Errors
/// When it does not get through: whoever reads the file later must not take it for all of it.
pub fn print(result: &str) -> Result<Exit, Fail> {
    report::print_result(result)
        .map(|()| Exit::Done)
        .map_err(|error| Fail::system(Exit::Failed, "printing the result", &error))
}
