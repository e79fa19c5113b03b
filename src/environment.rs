//! What okemon takes from its environment. No other module reads it, but for the flags of `cli`,
//! which have variables.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use secrecy::SecretString;

use crate::fail::{Exit, Fail};
use crate::tools::s3::Keys;

/// The environment of this process, read once.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug)]
pub struct Environment {
    pub variables: BTreeMap<OsString, OsString>,
    /// What was typed after the program's name.
    pub words: Vec<OsString>,
    /// okemon's own program.
    pub program: PathBuf,
    /// Where okemon keeps what it can fetch again.
    pub cache: PathBuf,
    /// Whether the program `oci` is there.
    pub has_oci: bool,
    /// Whether standard input and stderr are a person's terminal.
    pub interactive: bool,
    /// Whether a person has typed the command, and cannot be asked: what okemon says goes into a
    /// pipe or a file.
    pub unasked: bool,
    /// Whether stderr is a terminal that can move its cursor.
    pub terminal: bool,
    /// Whether standard output is one.
    pub screen: bool,
    /// Whether stderr may have colours, unless a flag says otherwise.
    pub color: bool,
}

impl Environment {
    /// Reads this process's environment.
    pub fn of_this_process() -> Self {
        let variables: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        let set = |name: &str| variables.get(OsStr::new(name)).filter(|value| !value.is_empty());
        let stderr = std::io::stderr().is_terminal();
        let stdin = std::io::stdin().is_terminal();
        let person = stdin && !in_ci(variables.get(OsStr::new("CI")));
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        let home = set("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
        let cache = set("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), PathBuf::from);
        Self {
            words: std::env::args_os().skip(1).collect(),
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("okemon")),
            cache: cache.join("okemon"),
            has_oci: which::which("oci").is_ok(),
            interactive: stderr && person,
            unasked: !stderr && person,
            terminal: stderr && !dumb,
            screen: std::io::stdout().is_terminal() && !dumb,
            color: stderr && !dumb && set("NO_COLOR").is_none(),
            variables,
        }
    }

    /// The value of a variable; none when it is unset, empty or not UTF-8.
    fn text(&self, name: &str) -> Option<&str> {
        self.variables.get(OsStr::new(name))?.to_str().filter(|value| !value.is_empty())
    }

    /// `PATH`
    pub fn path(&self) -> OsString {
        self.variables.get(OsStr::new("PATH")).cloned().unwrap_or_default()
    }

    /// Who this is, for others to read in the lock: `opc@operator, process 4711, run 1f2e3d4c`.
    pub fn holder(&self) -> String {
        let host = nix::unistd::gethostname().unwrap_or_else(|_| "unknown".into());
        let user = self.text("USER").or(self.text("LOGNAME")).unwrap_or("somebody");
        let host = host.to_string_lossy();
        // In containers hosts and process numbers repeat.
        let run: u32 = rand::random();
        format!("{user}@{host}, process {}, run {run:08x}", std::process::id())
    }

    /// The bucket's keys, from variables or from the files that they name; none: neither is set.
    ///
    /// # Errors
    /// When one of the two is missing, or a file cannot be read.
    pub fn s3_keys(&self) -> Result<Option<Keys>, Fail> {
        let access = self.secret("OKEMON_S3_ACCESS_KEY")?;
        let secret = self.secret("OKEMON_S3_SECRET_KEY")?;
        let lone = |there: &str, missing: &str| {
            Fail::new(
                Exit::Config,
                format!("reading the bucket's keys: {there} is set and {missing} is not"),
            )
            .hint(format!("`export {missing}=...`, or {missing}_FILE=FILE, gives the other half"))
        };
        match (access, secret) {
            (Some(access), Some(secret)) => Ok(Some(Keys { access, secret })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(lone("OKEMON_S3_ACCESS_KEY", "OKEMON_S3_SECRET_KEY")),
            (None, Some(_)) => Err(lone("OKEMON_S3_SECRET_KEY", "OKEMON_S3_ACCESS_KEY")),
        }
    }

    fn secret(&self, name: &str) -> Result<Option<SecretString>, Fail> {
        if let Some(value) = self.text(name) {
            return Ok(Some(value.to_owned().into()));
        }
        let variable = format!("{name}_FILE");
        let Some(file) = self.text(&variable) else { return Ok(None) };
        let fail = |why: &str| {
            let error = format!("reading {file}, which {variable} names: {why}");
            Fail::new(Exit::Config, error).hint(format!(
                "`export {variable}=FILE` names a file with the key and nothing else"
            ))
        };
        let text = read_file(Path::new(file)).and_then(text);
        match text.map_err(|error| fail(&error.to_string()))?.trim() {
            "" => Err(fail("it is empty")),
            value => Ok(Some(value.to_owned().into())),
        }
    }
}

/// Whether `CI` says that no person is there. Some set it to say that one is.
fn in_ci(ci: Option<&OsString>) -> bool {
    ci.is_some_and(|ci| !["", "0", "false"].iter().any(|no| ci.eq_ignore_ascii_case(no)))
}

/// More than the largest file that a person gives.
const LARGEST: u64 = 64 << 20;
/// How long a file may give nothing: somebody may have to unlock what writes into a pipe.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads a file that a person names. It may be a pipe (`--config <(make-it)`), so it is not looked
/// at before; one that does not end, or into which nobody writes, is given up.
///
/// # Errors
/// Why it cannot be read to its end.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let (give, read) = mpsc::channel();
    let path = path.to_owned();
    std::thread::spawn(move || give.send(read_to_end(&path)));
    read.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        let patience = humantime::format_duration(PATIENCE);
        Err(io::Error::other(format!(
            "it has no end within {patience}; does somebody write into it?"
        )))
    })
}

fn read_to_end(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("it has more than {} MiB", LARGEST >> 20)));
    }
    Ok(bytes)
}

/// The bytes of a file as text.
///
/// # Errors
/// When they are none.
pub fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error().to_string()))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let mut environment = Environment::of_this_process();
        environment.variables = variables.iter().map(|(k, v)| (k.into(), v.into())).collect();
        environment
    }

    #[test]
    fn keys_come_from_variables_or_from_the_files_they_name() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("secret");
        std::fs::write(&file, "s3cret\n").unwrap();
        let file = file.to_str().unwrap();
        let both = [("OKEMON_S3_ACCESS_KEY", "access"), ("OKEMON_S3_SECRET_KEY_FILE", file)];
        let keys = environment(&both).s3_keys().unwrap().unwrap();
        assert_eq!(
            (keys.access.expose_secret(), keys.secret.expose_secret()),
            ("access", "s3cret")
        );
        assert!(environment(&[]).s3_keys().unwrap().is_none());
    }

    #[test]
    fn ci_may_say_that_it_is_none() {
        let ci = |value: &str| in_ci(Some(&value.into()));
        assert_eq!(["", "0", "false", "False"].map(ci), [false; 4]);
        assert_eq!(["true", "1", "woodpecker"].map(ci), [true; 3]);
        assert!(!in_ci(None));
    }

    #[test]
    fn half_a_pair_of_keys_is_an_error_that_names_the_other_half() {
        let fail = environment(&[("OKEMON_S3_ACCESS_KEY", "a")]).s3_keys().unwrap_err();
        assert_eq!(
            fail.error,
            "reading the bucket's keys: OKEMON_S3_ACCESS_KEY is set and OKEMON_S3_SECRET_KEY is not"
        );
    }
}
