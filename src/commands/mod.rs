//! What each command does: from the command line to an exit code.

pub mod evidence;
pub mod images;
pub mod install;
mod keys;
pub mod live;
mod local;
pub mod plan;
pub mod prepare;
pub mod render;
