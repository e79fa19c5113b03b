//! The programs okemon drives: argv out, answers in. Nothing here starts a process.

pub mod cmd;
pub mod diff;
pub mod failure;
pub mod helm;
pub mod http;
pub mod kubectl;
pub mod lease;
pub mod oci;
pub mod output;
pub mod quantity;
pub mod s3;
#[cfg(test)]
mod tests;
pub mod versions;
pub mod yaml;
