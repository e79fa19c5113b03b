//! The program `okemon`.

use std::process::ExitCode;

use okemon::cli;
use okemon::environment::Environment;

fn main() -> std::io::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()?;
    let exit = runtime.block_on(cli::main(Environment::of_this_process()));
    // A request that was given up may still wait for its answer: nobody else does.
    runtime.shutdown_background();
    Ok(exit.into())
}
