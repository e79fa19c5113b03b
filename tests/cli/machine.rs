//! A machine that okemon is run on, with fakes in the place of its tools.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

pub(crate) const KEYS: [(&str, &str); 2] =
    [("OKEMON_S3_ACCESS_KEY", "the-access-key"), ("OKEMON_S3_SECRET_KEY", "the-secret-key")];

/// A machine with nothing on it: an empty PATH, an empty home, no kubeconfig.
pub(crate) struct Machine(tempfile::TempDir);

/// What okemon left: everything that was printed, and the exit code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Machine {
    pub(crate) fn bare() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        fs::create_dir(machine.path("bin")).unwrap();
        fs::create_dir(machine.path("home")).unwrap();
        machine
    }

    /// One with this configuration.
    pub(crate) fn with(configuration: &str) -> Self {
        let machine = Self::bare();
        fs::write(machine.path("okemon.yaml"), configuration).unwrap();
        machine
    }

    /// Puts tools on its PATH that answer as `script` says; see `tests/fakes/faketool.rs`.
    pub(crate) fn tools(self, tools: &[&str], script: &Value) -> Self {
        for tool in tools {
            symlink(env!("CARGO_BIN_EXE_faketool"), self.path("bin").join(tool)).unwrap();
        }
        fs::write(self.path("script.json"), script.to_string()).unwrap();
        self
    }

    /// Puts a program on its PATH, or whatever these bytes are.
    pub(crate) fn tool(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path("bin").join(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn okemon(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_okemon"));
        command
            .args(args)
            .current_dir(self.0.path())
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.0.path())
            .env("FAKE_SCRIPT", self.path("script.json"))
            .env("FAKE_LOG", self.path("log"))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.ended(&mut self.okemon(args))
    }

    /// Runs it to its end; the machine's own directory is shown as `DIR`.
    pub(crate) fn ended(&self, command: &mut Command) -> Ended {
        let output = command.output().unwrap();
        let directory = self.0.path().display().to_string();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&directory, "DIR");
        Ended {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

pub(crate) fn data(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/plan").join(name).display().to_string()
}

/// The result of a command that must succeed and say nothing else.
pub(crate) fn result(ended: Ended) -> String {
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    ended.stdout
}

/// The errors of a command that must end with `code` and print no result.
pub(crate) fn refusal(ended: Ended, code: i32) -> String {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{}", ended.stderr);
    ended.stderr
}

pub(crate) const SMALL: &str = "\
version: 1
objectStorage: {bucket: thanos, namespace: axabcdef1234}
clusters: [{region: sin, context: oke-sin}]
";
