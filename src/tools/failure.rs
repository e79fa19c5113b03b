//! Tells from what a tool wrote to stderr what went wrong, and what to type next.

use super::cmd::{Cmd, Tool};
use super::output::Output;
use super::s3;
use crate::fail::{DISK_FULL, Exit, Fail};

/// One known way to fail: words in stderr, the exit code that it leads to, and the way out.
struct Known {
    words: &'static [&'static str],
    exit: Exit,
    hint: &'static str,
}

/// Of the program by which a kubeconfig gets its credentials.
const HELPER: &[Known] = &[
    Known {
        words: &["getting credentials", "no such file or directory"],
        exit: Exit::Unavailable,
        hint: "`kubectl config view --minify` shows the credential helper, which is not on this machine; `pip install oci-cli` brings that of OKE",
    },
    Known {
        words: &["getting credentials: exec: executable", "not found"],
        exit: Exit::Unavailable,
        hint: "`kubectl config view --minify` shows the credential helper, which is not on this machine; `pip install oci-cli` brings that of OKE",
    },
    Known {
        words: &["getting credentials", "standard input is not a terminal"],
        exit: Exit::Denied,
        hint: "`kubectl config view --minify` shows the credential helper, which wants to ask somebody; let it answer by itself, or name a kubeconfig with other credentials by `kubeconfig:` or --kubeconfig",
    },
    Known {
        words: &["getting credentials", "decoding stdout"],
        exit: Exit::Denied,
        hint: "`kubectl config view --minify` shows the credential helper: by itself it must print the credential and nothing else, so turn off its banners and warnings",
    },
    Known {
        words: &["getting credentials: exec plugin didn't return"],
        exit: Exit::Denied,
        hint: HELPER_SILENT,
    },
    Known {
        words: &[
            "getting credentials",
            "plugin returned version client.authentication.k8s.io/__internal",
        ],
        exit: Exit::Denied,
        hint: HELPER_SILENT,
    },
    Known {
        words: &["getting credentials"],
        exit: Exit::Denied,
        hint: "`kubectl get namespaces` runs the same credential helper; `oci session authenticate` when its session has expired",
    },
];

const HELPER_SILENT: &str = "`kubectl config view --minify` shows the credential helper, which ended well and printed no credential; its command, typed by hand, may tell why";
const HELPER_HANGS: &str = "`kubectl get namespaces` runs the same credential helper: it may wait for a login, a question or a network; `oci session authenticate` when its session has expired";
const SERVER_HANGS: &str = "`kubectl cluster-info` shows whether the API server answers from here; a private endpoint needs a way into its network";

const KUBERNETES: &[Known] = &[
    Known {
        words: &["certificate has expired or is not yet valid"],
        exit: Exit::Failed,
        hint: "`date -u` shows this machine's clock, and `timedatectl set-ntp true` sets it; when it is right, the API server's certificate has to be renewed",
    },
    Known {
        words: &["certificate signed by unknown authority"],
        exit: Exit::Config,
        hint: "`oci ce cluster create-kubeconfig --cluster-id OCID` writes the cluster's own authority into the kubeconfig; if that does not help, something between here and the cluster opens TLS",
    },
    Known {
        words: &["server gave HTTP response to HTTPS client"],
        exit: Exit::Config,
        hint: "`kubectl config view --minify` shows the server: what answers there speaks no TLS, so it is not the cluster",
    },
    Known {
        words: &["first record does not look like a TLS handshake"],
        exit: Exit::Config,
        hint: "`kubectl config view --minify` shows the server: what answers there speaks no TLS, so it is not the cluster",
    },
    Known {
        words: &["certificate signed by unknown authority"],
        exit: Exit::Config,
        hint: "`kubectl config view --minify` shows the server and its authority: the kubeconfig is of another cluster, or a proxy stands between",
    },
    Known {
        words: &["invalid character '<' looking for beginning of value"],
        exit: Exit::Config,
        hint: "`kubectl config view --minify` shows the server: a web page answers there, a proxy's or a login's, not the cluster",
    },
    Known {
        words: &["the server doesn't have a resource type \"namespace\""],
        exit: Exit::Config,
        hint: "`kubectl config view --minify` shows the server: what answers there is no Kubernetes",
    },
    Known {
        words: &["context \"", "does not exist"],
        exit: Exit::Config,
        hint: "`kubectl config get-contexts` lists the contexts that there are; name one with `context:` or --context",
    },
    Known {
        words: &["Unauthorized"],
        exit: Exit::Denied,
        hint: "`oci ce cluster create-kubeconfig --cluster-id OCID` makes fresh credentials; `oci session authenticate` when the session has expired",
    },
    Known {
        words: &["You must be logged in"],
        exit: Exit::Denied,
        hint: "`oci ce cluster create-kubeconfig --cluster-id OCID` makes fresh credentials; `oci session authenticate` when the session has expired",
    },
    // How Helm puts it.
    Known {
        words: &["asked for the client to provide credentials"],
        exit: Exit::Denied,
        hint: "`oci ce cluster create-kubeconfig --cluster-id OCID` makes fresh credentials; `oci session authenticate` when the session has expired",
    },
    // Whatever keeps the API server from it: the cluster itself can be reached.
    Known {
        words: &["failed calling webhook"],
        exit: Exit::Failed,
        hint: "`kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` shows whose it is; the API server cannot reach it",
    },
    Known {
        words: &["admission webhook", "denied the request"],
        exit: Exit::Refused,
        hint: "`kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` shows whose rule it is; do as it says, or have it changed",
    },
    Known {
        words: &["exceeded quota"],
        exit: Exit::Refused,
        hint: "`kubectl describe quota` shows what is used; raise the quota, or choose a smaller `size`",
    },
    Known {
        words: &["is being terminated"],
        exit: Exit::Refused,
        hint: "`kubectl get namespace` shows whether it is gone; run this again then",
    },
    Known {
        words: &["updates to statefulset spec"],
        exit: Exit::Refused,
        hint: "run this again: what cannot be changed in place is made anew, and shown before",
    },
    Known {
        words: &["forbidden"],
        exit: Exit::Denied,
        hint: "`kubectl auth can-i --list` shows what you may do; ask for a ClusterRole with the verb and resource named above",
    },
    Known {
        words: &["\"diff\": executable file not found"],
        exit: Exit::Unavailable,
        hint: "`apt-get install diffutils`, or the like, brings the program diff, which kubectl compares with",
    },
    Known {
        words: &["unknown flag: "],
        exit: Exit::Unavailable,
        hint: "`kubectl version --client` and `helm version` show what is there; kubectl 1.28 and Helm 3.11 are the oldest that know every flag",
    },
    Known {
        words: &["connection refused"],
        exit: Exit::Failed,
        hint: "`kubectl cluster-info` shows whether the API server can be reached from here; a private endpoint needs a way into its network",
    },
    Known {
        words: &["no such host"],
        exit: Exit::Failed,
        hint: "`kubectl config view --minify` shows the server's name; is it the right kubeconfig, and does its DNS answer here?",
    },
    Known {
        words: &["i/o timeout"],
        exit: Exit::Failed,
        hint: "`kubectl cluster-info` shows whether the API server can be reached from here; a private endpoint needs a way into its network",
    },
    Known {
        words: &["TLS handshake timeout"],
        exit: Exit::Failed,
        hint: "`kubectl cluster-info` shows whether the API server can be reached from here; a private endpoint needs a way into its network",
    },
    Known {
        words: &["no matches for kind"],
        exit: Exit::Failed,
        hint: "`kubectl get customresourcedefinitions` shows which are there; without --skip-crds those of the chart are applied first",
    },
    Known {
        words: &["may not change once set"],
        exit: Exit::Refused,
        hint: "`kubectl get -o yaml` of the object named above shows what is there; take the change back, or delete the object and run this again",
    },
    Known {
        words: &["field is immutable"],
        exit: Exit::Refused,
        hint: "`kubectl get -o yaml` of the object named above shows what is there; take the change back, or delete the object and run this again",
    },
    Known {
        words: &[" is invalid: "],
        exit: Exit::Config,
        hint: "`okemon plan` shows what is sent; mend what leads to it in okemon.yaml, or in your own values file",
    },
];

const DISK: Known =
    Known { words: &["no space left on device"], exit: Exit::Failed, hint: DISK_FULL };

const PULL: Known = Known {
    words: &[],
    exit: Exit::Failed,
    hint: "`chartDirectory` names a directory that the charts were brought to by hand: docs/private-registry.md",
};

const HELM: &[Known] = &[
    Known {
        words: &["another operation", "is in progress"],
        exit: Exit::Busy,
        hint: "`helm history RELEASE` shows which revision is pending; run this again when that Helm has ended",
    },
    // A removal that was cut short, most of all.
    Known {
        words: &["has no deployed releases"],
        exit: Exit::Refused,
        hint: "`helm history RELEASE` shows how it came to that; `helm uninstall RELEASE` ends a removal that was begun, then run this again",
    },
    Known {
        words: &["which is incompatible with Kubernetes"],
        exit: Exit::Refused,
        hint: "`chartVersions` names a version of the chart that this Kubernetes can run: docs/configuration.md",
    },
    Known {
        words: &["conflict occurred while applying"],
        exit: Exit::Refused,
        hint: "`kubectl get --show-managed-fields -o yaml` of the object shows who else writes to it; undo that by hand, then run this again",
    },
    Known {
        words: &["invalid ownership metadata"],
        exit: Exit::Refused,
        hint: "`helm list --all-namespaces` shows the release that owns it; uninstall that one, or install into its namespace",
    },
    // A chart's own check of its values.
    Known {
        words: &["execution error at ("],
        exit: Exit::Config,
        hint: "`okemon plan` shows the values that are sent; mend your own values file",
    },
    // What a chart makes of values that it does not check.
    Known {
        words: &["executing \""],
        exit: Exit::Config,
        hint: "`okemon plan` shows the values that are sent; mend your own values file",
    },
    Known {
        words: &["YAML parse error on"],
        exit: Exit::Config,
        hint: "`okemon plan` shows the values that are sent; mend your own values file",
    },
    // The API server's, of an object made from them.
    Known {
        words: &["field not declared in schema"],
        exit: Exit::Config,
        hint: "`okemon plan` shows the values that are sent; mend your own values file",
    },
    Known {
        words: &["values don't meet the specifications"],
        exit: Exit::Config,
        hint: "`okemon plan` shows the values that are sent; mend your own values file",
    },
];

/// What a failed command means for a person.
pub fn explain(cmd: &Cmd, output: &Output) -> Fail {
    let known = match cmd.tool {
        _ if DISK.fits(&output.stderr) => Some(&DISK),
        // Whatever kept it from coming.
        Tool::Helm if cmd.args.first().is_some_and(|word| word == "pull") => Some(&PULL),
        Tool::Helm => find(HELM.iter().chain(HELPER).chain(KUBERNETES), &output.stderr),
        Tool::Kubectl => find(HELPER.iter().chain(KUBERNETES), &output.stderr),
        Tool::Oci => None,
    };
    let error = format!("running `{cmd}`: {}", last_words(output));
    match known {
        Some(known) => Fail::new(known.exit, error).hint(known.hint),
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

impl Known {
    fn fits(&self, stderr: &str) -> bool {
        self.words.iter().all(|words| stderr.contains(words))
    }
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
