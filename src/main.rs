//! The program `okemon`.

use std::process::ExitCode;

use okemon::cli;
use okemon::environment::Environment;

#[tokio::main]
async fn main() -> ExitCode {
    cli::main(Environment::of_this_process()).await.into()
}
