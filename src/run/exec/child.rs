//! One program that was started, and the pipes between it and okemon.

use std::fs;
use std::io::{self, PipeReader, PipeWriter};

use nix::libc;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::net::unix::pipe;
use tokio::task::JoinHandle;

use crate::run::watchdog::{Call, Line};

/// A program that was started. Dropped, it has ended, and so has every process of its group.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) line: Line,
    pub(super) call: Call,
    pub(super) handle: duct::Handle,
}

impl Child {
    /// Signals every process of the group: duct's `kill` reaches the first alone.
    pub(super) fn signal(&self, signal: Signal) {
        for pid in self.handle.pids() {
            // The group may have ended by itself.
            let _ = killpg(Pid::from_raw(pid.cast_signed()), signal);
        }
    }

    /// The program that it has started and that has not ended; none as well where the system does
    /// not tell.
    pub(super) fn waits_for(&self) -> Option<String> {
        let pid = self.handle.pids().first()?.to_string();
        fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
            let stat = fs::read_to_string(process.path().join("stat")).ok()?;
            // `PID (NAME) STATE PARENT ...`
            let (name, fields) = stat.split_once('(')?.1.rsplit_once(") ")?;
            (fields.split(' ').nth(1)? == pid).then(|| name.to_owned())
        })
    }

    /// Waits until the program has exited, and leaves it unreaped: as long as it is, its process
    /// group is nobody else's.
    pub(super) fn exit(&self) -> JoinHandle<Option<i32>> {
        let pids = self.handle.pids();
        tokio::task::spawn_blocking(move || pids.first().and_then(|pid| exit_code(*pid)))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.handle.wait();
        self.line.ended(self.call);
    }
}

/// okemon's ends of a program's three pipes.
pub(super) struct Pipes {
    pub(super) stdin: Option<pipe::Sender>,
    pub(super) stdout: pipe::Receiver,
    pub(super) stderr: pipe::Receiver,
}

/// The program's ends.
pub(super) struct Theirs {
    pub(super) stdin: Option<PipeReader>,
    pub(super) stdout: PipeWriter,
    pub(super) stderr: PipeWriter,
}

impl Pipes {
    pub(super) fn open(fed: bool) -> io::Result<(Self, Theirs)> {
        let (from_stdout, stdout) = io::pipe()?;
        let (from_stderr, stderr) = io::pipe()?;
        let (stdin, to_stdin) = fed.then(io::pipe).transpose()?.unzip();
        let ours = Self {
            stdin: to_stdin.map(|to| pipe::Sender::from_owned_fd(to.into())).transpose()?,
            stdout: pipe::Receiver::from_owned_fd(from_stdout.into())?,
            stderr: pipe::Receiver::from_owned_fd(from_stderr.into())?,
        };
        Ok((ours, Theirs { stdin, stdout, stderr }))
    }
}

/// Waits until `pid` has exited without reaping it; none: by a signal.
#[expect(unsafe_code, reason = "nix has no waitid for macOS")]
fn exit_code(pid: u32) -> Option<i32> {
    loop {
        // SAFETY: siginfo_t is plain data for which zeros are a valid value, and waitid fills it in.
        let (result, info) = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            (libc::waitid(libc::P_PID, pid, &raw mut info, libc::WEXITED | libc::WNOWAIT), info)
        };
        if result == 0 {
            // SAFETY: waitid has succeeded, so this is the status of a child.
            return (info.si_code == libc::CLD_EXITED).then(|| unsafe { info.si_status() });
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return None;
        }
    }
}
