//! A sandbox in which every call of a tool is written down, and can be held.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use jiff::{SignedDuration, Timestamp};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::sandbox::{Ended, Sandbox, eventually};

pub(crate) const INSTALL: [&str; 3] = ["install", "--region", "sin"];

/// A sandbox in which every tool writes down how it was called before it does its work.
pub(crate) struct Watched(pub(crate) Sandbox);

/// How a tool is held when it is called to do something.
#[derive(Clone, Copy)]
pub(crate) enum Held {
    /// Until it is let go or ended.
    Politely,
    /// And it does not hear TERM.
    Deaf,
}

impl Watched {
    pub(crate) fn up() -> Self {
        let watched = Self(Sandbox::up());
        for folder in ["watched", "user", "tmp"] {
            fs::create_dir(watched.0.path(folder)).unwrap();
        }
        let fifo = watched.0.path("watched/let-go");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        watched.watch("");
        watched
    }

    /// Puts a script before each tool. `held` is shell for what it does before it is the tool.
    fn watch(&self, held: &str) {
        let folder = self.0.path("watched");
        let log = folder.display();
        for tool in ["helm", "kubectl"] {
            let real = self.0.tool(tool);
            let script = format!(
                "#!/bin/sh\nenv > {log}/$$.env\necho \"$$ {tool} $*\" >> {log}/calls\n{held}exec {} \"$@\"\n",
                real.display()
            );
            fs::write(folder.join(tool), script).unwrap();
            fs::set_permissions(folder.join(tool), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// From now on, a call that begins like this is held.
    pub(crate) fn hold(&self, call: &str, how: Held) {
        let deaf = match how {
            Held::Politely => "",
            Held::Deaf => "trap '' TERM; ",
        };
        let folder = self.0.path("watched");
        let log = folder.display();
        self.watch(&format!(
            "case \"$*\" in \"{call}\"*) {deaf}echo held >> {log}/calls; read _ < {log}/let-go;; esac\n"
        ));
    }

    /// Waits until a tool is held.
    pub(crate) fn until_held(&self) {
        eventually("a tool to be held", || self.calls().contains(&"held".to_owned()));
    }

    /// Lets the one tool that is held do its work.
    pub(crate) fn let_go(&self) {
        fs::write(self.0.path("watched/let-go"), "\n").unwrap();
    }

    /// Each call's process and line, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let log = fs::read_to_string(self.0.path("watched/calls")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    pub(crate) fn forget_calls(&self) {
        fs::write(self.0.path("watched/calls"), "").unwrap();
    }

    pub(crate) fn okemon(&self, args: &[&str]) -> Command {
        let mut okemon = self.0.okemon(args);
        let path = format!(
            "{}:{}:/usr/bin:/bin",
            self.0.path("watched").display(),
            self.0.tool("").display()
        );
        okemon.env("PATH", path).env("HOME", self.0.path("user")).env("TMPDIR", self.0.path("tmp"));
        okemon
    }

    pub(crate) fn start(&self, args: &[&str]) -> Run {
        Run(self.okemon(args).spawn().unwrap())
    }

    /// The processes that a run of this sandbox has started, okemon itself included: they have its
    /// `TMPDIR`.
    pub(crate) fn processes(&self) -> Vec<String> {
        let mark = format!("TMPDIR={}", self.0.path("tmp").display());
        let alive = |process: &PathBuf| {
            let environment = fs::read(process.join("environ")).unwrap_or_default();
            environment.windows(mark.len()).any(|window| window == mark.as_bytes())
        };
        let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let line = |process: PathBuf| {
            fs::read_to_string(process.join("cmdline")).unwrap_or_default().replace('\0', " ")
        };
        processes.filter(alive).map(line).collect()
    }

    /// Waits until no process of a run and nothing of its private directory is left.
    pub(crate) fn until_nothing_is_left(&self) {
        eventually("every process to end", || self.processes().is_empty());
        assert_eq!(files(&self.0.path("tmp")), Vec::<PathBuf>::new());
    }

    /// Who holds the lock; empty: nobody.
    pub(crate) fn holder(&self) -> String {
        let holder = "jsonpath={.spec.holderIdentity}";
        self.0.kubectl(&["get", "lease", "okemon", "--namespace", "monitoring", "-o", holder])
    }

    /// Makes the lock somebody else's, who has said so `ago`.
    pub(crate) fn occupy(&self, ago: SignedDuration) {
        let renewed = Timestamp::now() - ago;
        let manifest = format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: monitoring}}\n---\n\
             apiVersion: coordination.k8s.io/v1\nkind: Lease\n\
             metadata: {{name: okemon, namespace: monitoring}}\n\
             spec: {{holderIdentity: \"opc@elsewhere, process 1\", leaseDurationSeconds: 60, \
             acquireTime: \"2026-11-01T00:00:00.000000Z\", renewTime: \"{renewed:.6}\"}}\n"
        );
        self.0.apply(&manifest);
    }

    pub(crate) fn free(&self) {
        let nobody = r#"{"spec": {"holderIdentity": ""}}"#;
        let patch = ["patch", "lease", "okemon", "--namespace", "monitoring", "--type=merge"];
        self.0.kubectl(&[&patch[..], &["-p", nobody]].concat());
    }
}

/// An okemon at work.
pub(crate) struct Run(pub(crate) Child);

impl Run {
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().cast_signed()), signal).unwrap();
    }

    /// Reads stderr until there is a line with these words.
    pub(crate) fn until_said(&mut self, words: &str) {
        let mut said = Vec::new();
        let stderr = self.0.stderr.as_mut().unwrap();
        let mut byte = [0];
        while !String::from_utf8_lossy(&said).contains(words) {
            let read = stderr.read(&mut byte).unwrap();
            assert_eq!(read, 1, "{words:?} was never said: {}", String::from_utf8_lossy(&said));
            said.push(byte[0]);
        }
    }

    /// Waits for its end; what it said before somebody waited for a word is not in it.
    pub(crate) fn end(self) -> Ended {
        crate::sandbox::ended(&self.0.wait_with_output().unwrap())
    }
}

/// Every file below a directory, and every directory.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.push(path);
    }
    found
}
