//! The ways to fail that are known: words of stderr, and the way out of each.

use crate::fail::{DISK_FULL, Exit};
use crate::tools::oci::ServiceError;

/// One known way to fail: words in stderr, the exit code that it leads to, and the way out.
pub(super) struct Known {
    pub(super) words: &'static [&'static str],
    pub(super) exit: Exit,
    pub(super) hint: &'static str,
}

/// Of the program by which a kubeconfig gets its credentials.
pub(super) const HELPER: &[Known] = &[
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

pub(super) const HELPER_SILENT: &str = "`kubectl config view --minify` shows the credential helper, which ended well and printed no credential; its command, typed by hand, may tell why";
pub(super) const HELPER_HANGS: &str = "`kubectl get namespaces` runs the same credential helper: it may wait for a login, a question or a network; `oci session authenticate` when its session has expired";
pub(super) const SERVER_HANGS: &str = "`kubectl cluster-info` shows whether the API server answers from here; a private endpoint needs a way into its network";

const UNCHANGEABLE: &str = "run this again: what cannot be changed in place is shown, and made anew where no data is lost by that";

pub(super) const KUBERNETES: &[Known] = &[
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
        words: &["timed out waiting for the condition on persistentvolumeclaims/"],
        exit: Exit::TimedOut,
        hint: "`kubectl describe persistentvolumeclaim NAME` shows which pod still uses it, or which finalizer holds it; run this again when it is gone",
    },
    Known {
        words: &["only dynamically provisioned pvc can be resized"],
        exit: Exit::Refused,
        hint: "`kubectl get storageclass -o custom-columns=NAME:.metadata.name,GROWS:.allowVolumeExpansion` shows which classes let volumes grow; leave `size` as it was, or set allowVolumeExpansion",
    },
    Known { words: &["updates to statefulset spec"], exit: Exit::Refused, hint: UNCHANGEABLE },
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
    Known { words: &["may not change once set"], exit: Exit::Refused, hint: UNCHANGEABLE },
    Known { words: &["field is immutable"], exit: Exit::Refused, hint: UNCHANGEABLE },
    Known {
        words: &[" is invalid: "],
        exit: Exit::Config,
        hint: "`okemon plan` shows what is sent; mend what leads to it in okemon.yaml, or in your own values file",
    },
];

pub(super) const DISK: Known =
    Known { words: &["no space left on device"], exit: Exit::Failed, hint: DISK_FULL };

pub(super) const PULL: Known = Known {
    words: &[],
    exit: Exit::Failed,
    hint: "`chartDirectory` names a directory that the charts were brought to by hand: docs/private-registry.md",
};

pub(super) const HELM: &[Known] = &[
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

/// `oci` is not let in.
const NOT_LET_IN: Known = Known {
    words: &[],
    exit: Exit::Denied,
    hint: "`oci os ns get` tries the same credentials; mend them in ~/.oci/config, or `oci session authenticate` when the session has expired",
};

/// `oci` is let in, and not to this.
const NO_RIGHT: Known = Known {
    words: &[],
    exit: Exit::Denied,
    hint: "`oci iam policy list --compartment-id OCID` shows what a group may do; it needs to manage buckets in `compartment`, which must be the OCID of one that is there",
};

/// What a refusal by the service itself means; none: it is told by its own words.
pub(super) fn refused_by_service(error: &ServiceError) -> Option<&'static Known> {
    match (error.status, error.code.as_str()) {
        (401, _) => Some(&NOT_LET_IN),
        (403, _) | (404, "NotAuthorizedOrNotFound") => Some(&NO_RIGHT),
        _ => None,
    }
}

impl Known {
    pub(super) fn fits(&self, stderr: &str) -> bool {
        self.words.iter().all(|words| stderr.contains(words))
    }
}
