//! Tells from what a tool wrote to stderr what went wrong, and what to type next.

mod known;

use self::known::{
    DISK, HELM, HELPER, HELPER_HANGS, KUBERNETES, Known, PULL, SERVER_HANGS, refused_by_service,
};
use super::cmd::{Cmd, Tool};
use super::output::Output;
use super::{oci, s3};
use crate::fail::{Exit, Fail};

/// What a failed command means for a person.
pub fn explain(cmd: &Cmd, output: &Output) -> Fail {
    let known = match cmd.tool {
        _ if DISK.fits(&output.stderr) => Some(&DISK),
        // Whatever kept it from coming.
        Tool::Helm if cmd.args.first().is_some_and(|word| word == "pull") => Some(&PULL),
        Tool::Helm => find(HELM.iter().chain(HELPER).chain(KUBERNETES), &output.stderr),
        Tool::Kubectl => find(HELPER.iter().chain(KUBERNETES), &output.stderr),
        Tool::Oci => {
            oci::service_error(&output.stderr).and_then(|error| refused_by_service(&error))
        }
    };
    let error = format!("running `{cmd}`: {}", last_words(output));
    match known {
        Some(known) => Fail::new(known.exit, error).hint(known.hint),
        // As a shell ends that was given what is no program of this machine.
        None if matches!(output.code, Some(126 | 127)) => Fail::new(Exit::Unavailable, error),
        None => Fail::new(Exit::Failed, error),
    }
}

/// What it means for a person that a command had no answer in time, as `error` says: the program
/// that it waited for, or what it wrote meanwhile, tells why.
pub fn silent(cmd: &Cmd, mut error: String, waited_for: Option<&str>, stderr: &str) -> Fail {
    let speaks_to_cluster = cmd.cluster.is_some();
    let hint = match waited_for {
        Some(program) => {
            error.push_str(&format!(" and waited for `{program}`, which it had started"));
            HELPER_HANGS
        }
        None => {
            find(HELPER.iter().chain(KUBERNETES), stderr).map_or(SERVER_HANGS, |known| known.hint)
        }
    };
    if !stderr.trim().is_empty() {
        let output = Output { stderr: stderr.to_owned(), ..Output::default() };
        error.push_str(&format!("; it said: {}", last_words(&output)));
    }
    let fail = Fail::new(Exit::Failed, error);
    if speaks_to_cluster { fail.hint(hint) } else { fail }
}

/// What a refusal by Object Storage means for a person.
pub fn refused(refused: &s3::Refused) -> Fail {
    let exit = match refused.why {
        s3::Why::UnknownKey | s3::Why::WrongSecret | s3::Why::Forbidden => Exit::Denied,
        s3::Why::Taken => Exit::Refused,
        s3::Why::NoSuchNamespace | s3::Why::WrongRegion { .. } | s3::Why::Endpoint => Exit::Config,
        s3::Why::Clock { .. } | s3::Why::Other { .. } | s3::Why::NoS3 { .. } => Exit::Failed,
    };
    Fail { exit, error: refused.to_string(), hint: refused.hint().map(str::to_owned) }
}

fn find<'a>(known: impl IntoIterator<Item = &'a Known>, stderr: &str) -> Option<&'a Known> {
    known.into_iter().find(|known| known.fits(stderr))
}

/// The last lines that the command wrote, without log lines unless there is nothing else; or how it
/// ended.
pub fn last_words(output: &Output) -> String {
    let all: Vec<&str> = output.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    let said: Vec<&str> = all.iter().copied().filter(|line| !is_log(line)).collect();
    let mut lines = if said.is_empty() { all } else { said };
    // A credential helper fails as often as it is asked.
    lines.dedup();
    if lines.is_empty() {
        return match output.code {
            Some(code) => format!("it ended with exit code {code} and said nothing"),
            None => "it was ended by a signal".to_owned(),
        };
    }
    let last = &lines[lines.len().saturating_sub(8)..];
    last.iter().map(|line| shown(line)).collect::<Vec<_>>().join("\n")
}

/// A line as far as a person may want to read it, its end, which tells the cause; without what a
/// terminal would obey.
fn shown(line: &str) -> String {
    const LONGEST: usize = 2000;
    let excess = line.chars().count().saturating_sub(LONGEST);
    let cut = if excess == 0 { "" } else { "..." };
    let plain = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
    cut.chars().chain(line.chars().skip(excess).map(plain)).collect()
}

/// Helm's `level=WARN msg=...` and kubectl's `E1123 19:21:08.123456 4711 memcache.go:265] ...`.
fn is_log(line: &str) -> bool {
    let (letter, rest) = line.split_at_checked(1).unwrap_or_default();
    let (date, rest) = rest.split_at_checked(4).unwrap_or_default();
    let klog = "IWEF".contains(letter)
        && date.bytes().all(|b| b.is_ascii_digit())
        && rest.starts_with(' ');
    klog || line.starts_with("level=") || (line.starts_with("time=") && line.contains(" level="))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fail::DISK_FULL;

    #[test]
    fn a_known_failure_says_what_to_type() {
        let cmd = Cmd::new(Tool::Kubectl, ["get", "pods"]);
        let log = "E1123 19:21:08.123456    4711 memcache.go:265] \"Unhandled Error\"";
        let stderr =
            format!("{log}\nlevel=WARN msg=\"no\"\nerror: context \"oke-sin\" does not exist\n");
        let output = Output { code: Some(1), stderr, ..Output::default() };
        let fail = explain(&cmd, &output);
        assert_eq!(fail.exit, Exit::Config);
        assert_eq!(
            fail.error,
            "running `kubectl get pods`: error: context \"oke-sin\" does not exist"
        );
        assert!(fail.hint.unwrap().starts_with("`kubectl config get-contexts`"));
    }

    #[test]
    fn only_a_missing_right_is_called_one() {
        let said = |stderr: &str| {
            let output = Output { code: Some(1), stderr: stderr.to_owned(), ..Output::default() };
            explain(&Cmd::new(Tool::Helm, ["upgrade"]), &output).exit
        };
        let right = "Error: secrets is forbidden: User \"okemon\" cannot list resource \"secrets\"";
        let quota = "Error: pods \"x\" is forbidden: exceeded quota: small";
        let field = "Error: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden";
        assert_eq!([right, quota, field].map(said), [Exit::Denied, Exit::Refused, Exit::Refused]);
    }

    #[test]
    fn a_right_that_object_storage_misses_is_called_one() {
        let explained = |status: u16, code: &str| {
            let stderr = format!(
                "ServiceError:\n{{\n  \"code\": \"{code}\",\n  \"message\": \"no\",\n  \"status\": {status}\n}}\n"
            );
            let cmd = Cmd::new(Tool::Oci, ["os", "bucket", "get"]);
            let fail = explain(&cmd, &Output { code: Some(1), stderr, ..Output::default() });
            (fail.exit, fail.hint)
        };
        let (exit, hint) = explained(401, "NotAuthenticated");
        assert_eq!(exit, Exit::Denied);
        assert!(hint.unwrap().starts_with("`oci os ns get`"));
        for (status, code) in [(403, "NotAuthorized"), (404, "NotAuthorizedOrNotFound")] {
            let (exit, hint) = explained(status, code);
            assert_eq!(exit, Exit::Denied, "{code}");
            assert!(hint.unwrap().starts_with("`oci iam policy list"), "{code}");
        }
        for (status, code) in [(404, "BucketNotFound"), (500, "InternalServerError")] {
            assert_eq!(explained(status, code), (Exit::Failed, None), "{code}");
        }
    }

    #[test]
    fn a_command_that_only_logged_shows_its_log() {
        let cmd = Cmd::new(Tool::Helm, ["list"]);
        let stderr = "level=ERROR msg=\"no\"\n".to_owned();
        let fail = explain(&cmd, &Output { code: Some(1), stderr, ..Output::default() });
        assert_eq!(fail.error, "running `helm list`: level=ERROR msg=\"no\"");
    }

    #[test]
    fn a_refusal_is_told_by_its_reason_and_not_by_the_word_forbidden() {
        let cases = [
            (
                "Error from server (Forbidden): pods \"a\" is forbidden: exceeded quota: small",
                Exit::Refused,
            ),
            (
                "secrets \"a\" is forbidden: unable to create new content in namespace monitoring because it is being terminated",
                Exit::Refused,
            ),
            (
                "secrets is forbidden: User \"okemon\" cannot list resource \"secrets\"",
                Exit::Denied,
            ),
        ];
        for (stderr, exit) in cases {
            let output = Output { code: Some(1), stderr: stderr.into(), ..Output::default() };
            assert_eq!(
                explain(&Cmd::new(Tool::Kubectl, ["apply"]), &output).exit,
                exit,
                "{stderr}"
            );
        }
    }

    #[test]
    fn a_full_disk_is_told_as_one_whatever_was_done() {
        // Helm 3 and 4 alike, onto a full disk and with a cache on one.
        let words = [
            "Error: write /charts/thanos-17.3.1.tgz2765972618: no space left on device",
            "Error: looks like \"https://charts.example.com\" is not a valid chart repository or cannot be reached: write /cache/repository/x-index.yaml1406841855: no space left on device",
        ];
        for stderr in words {
            let output = Output { code: Some(1), stderr: stderr.into(), ..Output::default() };
            let fail = explain(&Cmd::new(Tool::Helm, ["pull"]), &output);
            assert_eq!(fail.hint.as_deref(), Some(DISK_FULL), "{stderr}");
        }
    }

    #[test]
    fn a_claim_that_does_not_go_is_told_with_what_may_hold_it() {
        let stderr = "error: timed out waiting for the condition on persistentvolumeclaims/data-a";
        let output = Output { code: Some(1), stderr: stderr.into(), ..Output::default() };
        let fail = explain(&Cmd::new(Tool::Kubectl, ["wait"]), &output);
        assert_eq!(fail.exit, Exit::TimedOut);
        assert!(fail.hint.unwrap().starts_with("`kubectl describe persistentvolumeclaim NAME`"));
    }

    #[test]
    fn of_an_endless_line_its_end_is_shown() {
        let stderr = "x".repeat(1 << 20) + " no route";
        let output = Output { code: Some(1), stderr, ..Output::default() };
        let fail = explain(&Cmd::new(Tool::Helm, ["list"]), &output);
        assert!(
            fail.error.ends_with("xx no route") && fail.error.len() < 2100,
            "{}",
            fail.error.len()
        );
    }

    #[test]
    fn silence_is_told_too() {
        let cmd = Cmd::new(Tool::Helm, ["list"]);
        let fail = explain(&cmd, &Output { code: Some(3), ..Output::default() });
        assert_eq!(fail.error, "running `helm list`: it ended with exit code 3 and said nothing");
    }
}
