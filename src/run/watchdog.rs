//! Sees to it that even a killed okemon leaves no process and no file behind.
//!
//! One small process a run, `okemon __watchdog`, reads a pipe whose only writer is okemon. Each
//! child enters itself between fork and exec, okemon strikes it off when it has ended. At the end
//! of the pipe, however it came about, the watchdog ends what is still entered and removes the
//! run's private directory. (`PR_SET_PDEATHSIG` would not do: it fires when the *thread* that
//! started the child ends.)

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigHandler, Signal, killpg, signal};
use nix::unistd::{Pid, getpid, setsid, write};

/// The hidden subcommand: `okemon __watchdog HOME GRACE`, the grace in milliseconds.
pub const SUBCOMMAND: &str = "__watchdog";

/// A child's number within the run; 0 stands for okemon itself.
pub(super) type Call = u32;

/// What is written to the pipe, in one piece, which the kernel keeps whole: a call, and the process
/// group that it has become, or 0 when it has ended.
type Record = [u8; 8];

const GOOD_BYE: (Call, u32) = (0, 0);

fn record(call: Call, group: u32) -> Record {
    (u64::from(call) << 32 | u64::from(group)).to_ne_bytes()
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves are taken apart")]
fn parse(record: Record) -> (Call, u32) {
    let both = u64::from_ne_bytes(record);
    ((both >> 32) as u32, both as u32)
}

/// okemon's end of the pipe.
#[derive(Clone, Debug)]
pub(super) struct Line {
    // Closed in every child by exec; were one left open, the pipe would never end.
    to: Arc<PipeWriter>,
    /// Never read from: it keeps writing possible when somebody kills the watchdog.
    _from: Arc<PipeReader>,
}

impl Line {
    /// The line, and the end that the watchdog reads.
    pub(super) fn open() -> io::Result<(Self, PipeReader)> {
        let (from, to) = io::pipe()?;
        let line = Self { to: Arc::new(to), _from: Arc::new(from.try_clone()?) };
        Ok((line, from))
    }

    /// Gives the command a session of its own, which enters itself here before it becomes the
    /// program: there is no moment at which a kill of okemon would miss it.
    #[expect(unsafe_code, reason = "what runs between fork and exec is unsafe to get wrong")]
    pub(super) fn enter(&self, command: &mut Command, call: Call) {
        let to = Arc::clone(&self.to);
        let enter = move || {
            setsid()?;
            write(&*to, &record(call, getpid().as_raw().cast_unsigned()))?;
            Ok(())
        };
        // SAFETY: setsid, getpid and write are async-signal-safe, and nothing is allocated.
        unsafe { command.pre_exec(enter) };
    }

    /// Strikes the call off: from now on its process group may be another's.
    pub(super) fn ended(&self, call: Call) {
        self.send((call, 0));
    }

    /// Tells the watchdog to clear up now.
    pub(super) fn good_bye(&self) {
        self.send(GOOD_BYE);
    }

    fn send(&self, (call, group): (Call, u32)) {
        // Both ends are held here, so this fails in no way that anything could be done about.
        let _ = write(&*self.to, &record(call, group));
    }
}

/// Is the watchdog: reads standard input to its end, then clears up. Ends soon after okemon.
///
/// Nothing is done when `home` is no run's private directory: somebody has typed this.
pub fn serve(home: &Path, grace: Duration) {
    if !is_home(home) {
        return;
    }
    stand_apart();
    let left = left_over(io::stdin().lock()).into_values();
    let left: Vec<_> = left.map(|group| Pid::from_raw(group.cast_signed())).collect();
    end(&left, grace);
    // It may be gone, or hold what somebody else put there: nobody is left to be told.
    let _ = fs::remove_dir_all(home);
}

/// What the name of a run's own directory begins with; six letters or digits follow.
pub(super) const HOME: &str = "okemon-";

/// Whether a directory is called as `exec` calls a run's own.
fn is_home(directory: &Path) -> bool {
    let name = directory.file_name().and_then(OsStr::to_str);
    let random = name.and_then(|name| name.strip_prefix(HOME));
    random.is_some_and(|random| {
        random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Lets pass what is aimed at okemon: Ctrl-C, `killall okemon`, a terminal that is closed.
#[expect(unsafe_code, reason = "changing a signal's effect is")]
fn stand_apart() {
    let _ = setsid();
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_name(c"oke-watchdog");
    for deaf_to in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: no handler is installed, the signal is only ignored.
        let _ = unsafe { signal(deaf_to, SigHandler::SigIgn) };
    }
}

/// The process groups that have not ended when the pipe does.
fn left_over(mut from: impl Read) -> BTreeMap<Call, u32> {
    let mut running = BTreeMap::new();
    let mut record = Record::default();
    while from.read_exact(&mut record).is_ok() {
        match parse(record) {
            GOOD_BYE => break,
            (call, 0) => drop(running.remove(&call)),
            (call, group) => drop(running.insert(call, group)),
        }
    }
    running
}

/// TERM, grace, KILL.
fn end(groups: &[Pid], grace: Duration) {
    let tell =
        |signal: Option<Signal>| groups.iter().filter(|g| killpg(**g, signal).is_ok()).count();
    tell(Some(Signal::SIGTERM));
    let deadline = Instant::now() + grace;
    // They are no children of ours, so there is nothing but the clock to wait on.
    while tell(None) > 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    tell(Some(Signal::SIGKILL));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_run_makes_is_taken_for_its_directory() {
        let is_home = |path: &str| is_home(Path::new(path));
        assert!(is_home("/tmp/okemon-a1B2c3"));
        for other in
            ["", "/", "/home/opc", "okemon", "okemon-", "/tmp/okemon-plans", "okemon-a1B2c3/.."]
        {
            assert!(!is_home(other), "{other}");
        }
    }

    #[test]
    fn what_has_entered_and_not_ended_is_left_over() {
        let records = [(1, 101), (2, 102), (1, 0), (3, 103), (4, 0), (0, 0), (5, 105)];
        let pipe: Vec<u8> =
            records.into_iter().flat_map(|(call, group)| record(call, group)).collect();
        assert_eq!(left_over(&pipe[..]), BTreeMap::from([(2, 102), (3, 103)]));
        assert_eq!(left_over(&pipe[..12]), BTreeMap::from([(1, 101)]));
    }
}
