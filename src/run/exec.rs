//! The one door to outside programs: starts them, talks to them, ends them.
//!
//! Each gets a session of its own, so that Ctrl-C reaches okemon alone, which ends the whole group;
//! and a tool that wants to prompt finds no terminal and fails, where in a mere process group it
//! would be stopped by SIGTTIN for ever. What is run, and what its answer means, is decided elsewhere.

mod child;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::mkdtemp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe;
use tokio::task::JoinHandle;

use self::child::{Child, Pipes};
use super::environment::Environment;
use super::programs::{Missing, MissingTool, Programs};
use super::stop::Stop;
use super::stream::Stream;
use super::watchdog::{self, HOME, Line};
use crate::config::names::ClusterName;
use crate::tools::cmd::{Cmd, Stdin, Tool};
use crate::tools::failure;
use crate::tools::output::Output;

/// How long a program has between TERM and KILL.
pub const GRACE: Duration = Duration::from_secs(10);
/// How long output is still read after a program has ended: a child of its own can hold the pipe.
const DRAIN: Duration = Duration::from_secs(1);
/// More than the largest answer of a large cluster.
const STDOUT_LIMIT: usize = 64 << 20;
const STDERR_LIMIT: usize = 1 << 20;

/// How a cluster is reached.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// What `KUBECONFIG` is for the child; none: the user's own.
    pub kubeconfig: Option<OsString>,
}

/// What a run's programs start from.
#[derive(Clone, Debug)]
pub struct Setup {
    pub programs: Programs,
    pub places: BTreeMap<ClusterName, Place>,
    /// okemon's own environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// okemon's own program, which is the watchdog too.
    pub okemon: PathBuf,
    /// [`GRACE`], except in tests.
    pub grace: Duration,
}

/// Runs programs. Dropped, it ends what still runs and removes the run's private directory.
#[derive(Debug)]
pub struct Exec {
    programs: Programs,
    places: BTreeMap<ClusterName, Place>,
    environment: Environment,
    home: PathBuf,
    grace: Duration,
    line: Line,
    watchdog: duct::Handle,
    calls: AtomicU32,
}

/// A program that gave no answer. One that ended with a status other than 0 did.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Missing(#[from] Missing),
    #[error("cannot start `{cmd}`: {source}")]
    Start { cmd: String, source: io::Error },
    #[error("`{cmd}` was ended: it had no answer after {}", humantime::format_duration(.cmd.timeout))]
    TimedOut {
        cmd: Box<Cmd>,
        /// The program of its own that it was waiting for.
        waited_for: Option<String>,
        /// The last that it wrote to stderr.
        stderr: String,
    },
    #[error("`{cmd}` was ended: the run was interrupted")]
    Stopped { cmd: String },
    /// One that should have gone on.
    #[error("`{cmd}` ended: {}", failure::last_words(output))]
    Ended { cmd: Box<Cmd>, output: Output },
    #[error("`{cmd}` printed more than {} MiB", STDOUT_LIMIT >> 20)]
    TooLong { cmd: String },
}

impl Exec {
    /// Makes the run's private directory and starts its watchdog.
    pub fn start(setup: Setup) -> io::Result<Self> {
        let temporary = setup.environment.get(OsStr::new("TMPDIR")).filter(|dir| !dir.is_empty());
        let temporary = temporary.map_or(Path::new("/tmp"), Path::new);
        // Readable by the user alone.
        let home = mkdtemp(&temporary.join(format!("{HOME}XXXXXX"))).map_err(|errno| {
            let error = io::Error::from(errno);
            let why = format!("making a directory in {}: {error}", temporary.display());
            io::Error::new(error.kind(), why)
        })?;
        let (line, from) = Line::open()?;
        let grace = setup.grace.as_millis().to_string();
        let watchdog = program(
            &setup.okemon,
            [watchdog::SUBCOMMAND.as_ref(), home.as_os_str(), grace.as_ref()],
        )
        // Not okemon's own streams: `okemon install | tee` would wait for the watchdog too.
        .stdin_file(from)
        .stdout_null()
        .stderr_null()
        .dir("/")
        .start()
        .inspect_err(|_| drop(fs::remove_dir(&home)))?;
        Ok(Self {
            environment: Environment::new(&setup.environment, &home),
            programs: setup.programs,
            places: setup.places,
            grace: setup.grace,
            calls: AtomicU32::new(1),
            home,
            line,
            watchdog,
        })
    }

    /// Where a program of the run lies.
    pub(super) fn program(&self, tool: Tool) -> Option<&Path> {
        self.programs.path(tool)
    }

    /// The run's private directory.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Runs `cmd` to its end, and before it the command that it reads from. `stdin` is what the
    /// first of them reads; none: an empty input.
    pub async fn run(
        &self,
        cmd: &Cmd,
        stdin: Option<SecretString>,
        stop: &Stop,
    ) -> Result<Output, Failure> {
        let Stdin::Output(source) = &cmd.stdin else {
            return self.run_one(cmd, stdin, stop).await;
        };
        let output = Box::pin(self.run(source, stdin, stop)).await?;
        if output.code != Some(0) {
            return Ok(output);
        }
        self.run_one(cmd, Some(output.stdout.into()), stop).await
    }

    async fn run_one(
        &self,
        cmd: &Cmd,
        stdin: Option<SecretString>,
        stop: &Stop,
    ) -> Result<Output, Failure> {
        if stop.requested() {
            return Err(Failure::Stopped { cmd: cmd.to_string() });
        }
        let (child, pipes) = self.spawn(cmd, stdin.is_some())?;
        let (mut stdout, mut stderr) = (Stream::first(STDOUT_LIMIT), Stream::last(STDERR_LIMIT));
        let talk = async {
            tokio::join!(
                feed(pipes.stdin, stdin),
                stdout.read(pipes.stdout),
                stderr.read(pipes.stderr)
            );
        };
        let code = match self.await_end(&child, cmd, end(child.exit(), talk), stop).await {
            Err(Failure::TimedOut { cmd, waited_for, .. }) => {
                return Err(Failure::TimedOut { cmd, waited_for, stderr: stderr.text() });
            }
            ended => ended?,
        };
        if stdout.cut() {
            return Err(Failure::TooLong { cmd: cmd.to_string() });
        }
        Ok(Output { code, stdout: stdout.text(), stderr: stderr.text() })
    }

    /// Starts `cmd`, which goes on until it is dropped, and waits until what it has printed is
    /// `complete`.
    pub async fn hold(
        &self,
        cmd: &Cmd,
        complete: impl Fn(&str) -> bool,
        stop: &Stop,
    ) -> Result<Held, Failure> {
        if stop.requested() {
            return Err(Failure::Stopped { cmd: cmd.to_string() });
        }
        let (child, mut pipes) = self.spawn(cmd, false)?;
        // Read from the first word on, or it would stop once the pipe is full.
        let complaints = tokio::spawn(async move {
            let mut stderr = Stream::last(STDERR_LIMIT);
            stderr.read(pipes.stderr).await;
            stderr.text()
        });
        let mut said = Vec::new();
        let begun = async {
            let mut chunk = [0; 1024];
            while let Ok(length @ 1..) = pipes.stdout.read(&mut chunk).await {
                said.extend_from_slice(&chunk[..length]);
                if complete(&String::from_utf8_lossy(&said)) {
                    return true;
                }
            }
            false
        };
        let begun = tokio::select! {
            begun = begun => begun,
            () = stop.asked() => return Err(Failure::Stopped { cmd: cmd.to_string() }),
            () = tokio::time::sleep(cmd.timeout) => {
                let (cmd, waited_for) = (Box::new(cmd.clone()), child.waits_for());
                child.signal(Signal::SIGKILL);
                let stderr = tokio::time::timeout(DRAIN, complaints).await;
                let stderr = stderr.ok().and_then(Result::ok).unwrap_or_default();
                return Err(Failure::TimedOut { cmd, waited_for, stderr });
            }
        };
        if !begun {
            // It has closed its output, and means to end.
            let ended =
                tokio::time::timeout(DRAIN, async { (child.exit().await, complaints.await) });
            let (code, stderr) = ended.await.unwrap_or((Ok(None), Ok(String::new())));
            let (code, stderr) = (code.ok().flatten(), stderr.unwrap_or_default());
            let output = Output { code, stdout: String::new(), stderr };
            return Err(Failure::Ended { cmd: Box::new(cmd.clone()), output });
        }
        tokio::spawn(async move { Stream::last(STDERR_LIMIT).read(pipes.stdout).await });
        Ok(Held { _child: child, said: String::from_utf8_lossy(&said).into_owned() })
    }

    /// Waits for `end`, and brings it about when time is up or the run is to stop.
    async fn await_end(
        &self,
        child: &Child,
        cmd: &Cmd,
        end: impl Future<Output = Option<i32>>,
        stop: &Stop,
    ) -> Result<Option<i32>, Failure> {
        let mut end = pin!(end);
        let cut_short = tokio::select! {
            code = &mut end => return Ok(code),
            () = stop.asked() => Failure::Stopped { cmd: cmd.to_string() },
            () = tokio::time::sleep(cmd.timeout) => {
                let (cmd, waited_for) = (Box::new(cmd.clone()), child.waits_for());
                Failure::TimedOut { cmd, waited_for, stderr: String::new() }
            }
        };
        child.signal(Signal::SIGTERM);
        tokio::select! {
            _ = end => {}
            () = stop.insisted() => {}
            () = tokio::time::sleep(self.grace) => {}
        }
        // What is left is killed as `child` is dropped.
        Err(cut_short)
    }

    fn spawn(&self, cmd: &Cmd, fed: bool) -> Result<(Child, Pipes), Failure> {
        let path = self
            .programs
            .path(cmd.tool)
            .ok_or_else(|| Missing(vec![MissingTool { tool: cmd.tool, instead: None }]))?;
        let place = cmd.cluster.as_ref().and_then(|cluster| self.places.get(cluster));
        let environment = self.environment.child(cmd, place);
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let line = self.line.clone();
        let start = || {
            let (pipes, theirs) = Pipes::open(fed)?;
            let program = program(path, &cmd.args)
                .full_env(environment)
                .stdout_file(theirs.stdout)
                .stderr_file(theirs.stderr)
                .unchecked()
                .before_spawn(move |command| {
                    line.enter(command, call);
                    Ok(())
                });
            let program = match theirs.stdin {
                Some(stdin) => program.stdin_file(stdin),
                None => program.stdin_null(),
            };
            Ok((program.start()?, pipes))
        };
        let (handle, pipes) = start().map_err(|source| {
            // It may have entered itself, and then failed to become the program.
            self.line.ended(call);
            Failure::Start { cmd: cmd.to_string(), source }
        })?;
        Ok((Child { line: self.line.clone(), call, handle }, pipes))
    }
}

impl Drop for Exec {
    fn drop(&mut self) {
        self.line.good_bye();
        let _ = self.watchdog.wait();
        // For the case that somebody killed the watchdog.
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// A program that goes on until this is dropped.
#[derive(Debug)]
pub struct Held {
    _child: Child,
    said: String,
}

impl Held {
    /// What it had printed when that was complete.
    pub fn said(&self) -> &str {
        &self.said
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn program<A: Into<OsString>>(path: &Path, args: impl IntoIterator<Item = A>) -> duct::Expression {
    duct::cmd(path, args)
}

/// Writes all of `text`, as far as the program reads it.
async fn feed(to: Option<pipe::Sender>, text: Option<SecretString>) {
    if let (Some(mut to), Some(text)) = (to, text) {
        // One that ends without reading everything says why itself.
        let _ = to.write_all(text.expose_secret().as_bytes()).await;
    }
}

/// Waits for both ends, that of the program and that of its output, but for the latter only
/// [`DRAIN`] after the former.
async fn end(mut exit: JoinHandle<Option<i32>>, talk: impl Future<Output = ()>) -> Option<i32> {
    let mut talk = pin!(talk);
    let exited = tokio::select! {
        exited = &mut exit => exited,
        () = &mut talk => return exit.await.ok().flatten(),
    };
    let _ = tokio::time::timeout(DRAIN, talk).await;
    exited.ok().flatten()
}
