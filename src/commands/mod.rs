//! What each command does: from the command line to an exit code.

pub mod images;
pub mod install;
mod keys;
mod local;
pub mod plan;
