//! What a container says of itself: its image, its configuration, how it ended.

use k8s_openapi::api::core::v1::{
    ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, Pod,
};

use super::super::catalogue::Id;
use super::super::trouble::Trouble;
use super::super::{Scope, Severity, Unheard, name, words};
use super::object;
use crate::observe::kubernetes::{ContainerName, Snapshot};

/// The troubles of a pod's containers, those that run first and alone before the others.
pub(super) fn troubles(pod: &Pod, snapshot: &Snapshot, scope: &Scope) -> Vec<Trouble> {
    let look = Look { pod, snapshot, scope };
    statuses(pod).filter(|status| !status.ready).filter_map(|status| look.trouble(status)).collect()
}

pub(super) fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let of_init = status.and_then(|status| status.init_container_statuses.as_deref());
    let ordinary = status.and_then(|status| status.container_statuses.as_deref());
    of_init.unwrap_or_default().iter().chain(ordinary.unwrap_or_default())
}

struct Look<'a> {
    pod: &'a Pod,
    snapshot: &'a Snapshot,
    scope: &'a Scope<'a>,
}

impl Look<'_> {
    fn trouble(&self, container: &ContainerStatus) -> Option<Trouble> {
        let state = container.state.clone().unwrap_or_default();
        let last = container.last_state.as_ref().and_then(|last| last.terminated.as_ref());
        if let Some(waiting) = &state.waiting {
            return match waiting.reason.as_deref().unwrap_or_default() {
                "" | "ContainerCreating" | "PodInitializing" => None,
                "ErrImagePull" | "ImagePullBackOff" => Some(self.pull(container, waiting)),
                "CrashLoopBackOff" => Some(self.ended(container, "CrashLoopBackOff", last)),
                reason => Some(self.refused(container, reason, waiting)),
            };
        }
        let ended = state.terminated.as_ref().or(last).filter(|ended| ended.exit_code != 0)?;
        let word = ended.reason.as_deref().unwrap_or("Error");
        Some(self.ended(container, word, Some(ended)))
    }

    /// Its image cannot be had. The two words for it take turns, so one stands for both.
    fn pull(&self, container: &ContainerStatus, waiting: &ContainerStateWaiting) -> Trouble {
        let message = waiting.message.as_deref().unwrap_or_default();
        let told = self
            .snapshot
            .events_of("Pod", &self.pod.metadata)
            .find(|event| event.reason == "Failed" && event.message.contains(&container.image));
        let error = match (message.split_once("ErrImagePull: "), told) {
            (Some((_, error)), _) => error,
            (None, Some(event)) if waiting.reason.as_deref() == Some("ImagePullBackOff") => {
                &event.message
            }
            _ => message,
        };
        let reason = words::reason("ImagePullBackOff", error);
        let reason = if reason.contains(&container.image) {
            reason
        } else {
            words::reason("ImagePullBackOff", &format!("{}: {error}", container.image))
        };
        let refusal = Refusal::of(error);
        let hint = format!("`{}` {}", self.describe(), refusal.advice());
        Trouble {
            cause: format!("ImagePullBackOff {}", container.image),
            buys_time: refusal == Refusal::Throttled,
            ..Trouble::new(refusal.id(), object(self.pod), refusal.severity(), reason, hint)
        }
    }

    /// The kubelet cannot make a container of it.
    fn refused(
        &self,
        container: &ContainerStatus,
        reason: &str,
        waiting: &ContainerStateWaiting,
    ) -> Trouble {
        let message = waiting.message.as_deref().unwrap_or_default();
        let (id, severity, advice) = match reason {
            "InvalidImageName" => {
                (Id::ImageName, Severity::Final, "shows the image; mend it in `values`")
            }
            "CreateContainerConfigError" if says_missing(message) => (
                Id::ConfigMissing,
                Severity::Wrong,
                "shows where it is asked for; once the Secret or ConfigMap has it, the pod starts by itself",
            ),
            "ErrImageNeverPull"
            | "ImageInspectError"
            | "RegistryUnavailable"
            | "SignatureValidationFailed" => (Id::ImagePull, Severity::Wrong, "shows every try"),
            _ => (Id::ContainerRefused, Severity::Wrong, "shows every try"),
        };
        let reason = words::reason(reason, message);
        let hint = format!("`{}` {advice}", self.describe());
        self.own(container, id, severity, reason, hint)
    }

    /// It ran, and ended; `word` is what its state is called now.
    fn ended(
        &self,
        container: &ContainerStatus,
        word: &str,
        ended: Option<&ContainerStateTerminated>,
    ) -> Trouble {
        let ended = ended.cloned().unwrap_or_default();
        let how = ended.reason.as_deref().unwrap_or_default();
        let restarted = match container.restart_count {
            0 => String::new(),
            1 => ", restarted once".to_owned(),
            count => format!(", restarted {count} times"),
        };
        if how == "OOMKilled" {
            let limit = self.memory_limit(container);
            let reason =
                format!("{how}: {} hit its memory limit{limit}{restarted}", container.name);
            let advice = "says what it was doing; give it more by `size` or `values`";
            let hint = format!("`{}` {advice}", self.logs(container));
            return self.own(container, Id::OutOfMemory, Severity::Wrong, reason, hint);
        }
        if matches!(how, "StartError" | "ContainerCannotRun") {
            let message = ended.message.as_deref().unwrap_or_default();
            let reason = words::reason(how, &format!("{}: {message}", container.name));
            let hint = format!("`{}` shows every try", self.describe());
            return self.own(container, Id::ContainerRefused, Severity::Wrong, reason, hint);
        }
        let code = ended.exit_code;
        let how = if how.is_empty() || how == word { "" } else { &format!(" ({how})") };
        let of = self.name_of(container);
        let message = ended.message.as_deref().filter(|message| !message.trim().is_empty());
        let heard = message.or_else(|| self.snapshot.log(&of));
        let says = words::last_words(heard.unwrap_or_default());
        let says = if says.is_empty() { says } else { format!(": {says}") };
        let reason = format!("{word}: {} ended with {code}{how}{restarted}{says}", container.name);
        let hint = format!("`{}` says why", self.logs(container));
        let unheard = heard.is_none().then(|| Unheard { of, replaced: replaced(container) });
        Trouble { unheard, ..self.own(container, Id::Crash, Severity::Wrong, reason, hint) }
    }

    fn name_of(&self, container: &ContainerStatus) -> ContainerName {
        let pod = name(&self.pod.metadata).to_owned();
        ContainerName { pod, container: container.name.clone() }
    }

    /// What prints the words of the container that ended, whatever runs in its place now.
    fn logs(&self, container: &ContainerStatus) -> String {
        let previous: &[&str] = if replaced(container) { &["--previous"] } else { &[] };
        let command = ["logs", name(&self.pod.metadata), "-c", &container.name];
        self.scope.kubectl(&[&command, previous].concat())
    }

    /// A trouble of this container alone, not of others in the same pods.
    fn own(
        &self,
        container: &ContainerStatus,
        id: Id,
        severity: Severity,
        reason: String,
        hint: String,
    ) -> Trouble {
        let trouble = Trouble::new(id, object(self.pod), severity, reason, hint);
        Trouble { cause: format!("{} {}", trouble.cause, container.name), ..trouble }
    }

    fn memory_limit(&self, container: &ContainerStatus) -> String {
        let spec = self.pod.spec.as_ref();
        let found = spec.and_then(|spec| spec.containers.iter().find(|c| c.name == container.name));
        let limits = found.and_then(|c| c.resources.as_ref()?.limits.as_ref());
        let memory = limits.and_then(|limits| limits.get("memory"));
        memory.map(|memory| format!(" of {}", memory.0)).unwrap_or_default()
    }

    fn describe(&self) -> String {
        self.scope.describe("pod", name(&self.pod.metadata))
    }
}

/// Whether the kubelet misses a Secret, a ConfigMap or a key of one, and nothing else.
fn says_missing(message: &str) -> bool {
    let of = ["secret \"", "configmap \""].iter().any(|kind| message.contains(kind));
    message.contains("couldn't find key") || of && message.contains("not found")
}

/// Whether the container that ended is not the one that its state is about.
fn replaced(container: &ContainerStatus) -> bool {
    container.state.as_ref().is_none_or(|state| state.terminated.is_none())
}

/// Why a registry gave no image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// It has answered, and has no such image.
    Missing,
    /// It does not let us.
    Denied,
    /// Not now.
    Throttled,
    /// It was not reached, or something else.
    Other,
}

impl Refusal {
    /// Reads the words of containerd and of CRI-O. Docker Hub says "denied" of what it does not
    /// have, too: only an answer that speaks of neither rights nor time proves an image missing.
    fn of(error: &str) -> Self {
        let error = error.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| error.contains(word));
        if says(&["toomanyrequests", "too many requests", "rate limit", "qps exceeded"]) {
            Self::Throttled
        } else if says(&[
            "denied",
            "unauthorized",
            "authorization failed",
            "forbidden",
            "authentication",
        ]) {
            Self::Denied
        } else if says(&["not found", "manifest unknown", "name unknown"]) {
            Self::Missing
        } else {
            Self::Other
        }
    }

    fn id(self) -> Id {
        match self {
            Self::Missing => Id::ImageMissing,
            Self::Denied => Id::ImageDenied,
            Self::Throttled => Id::ImageThrottled,
            Self::Other => Id::ImagePull,
        }
    }

    fn severity(self) -> Severity {
        match self {
            Self::Missing => Severity::Final,
            Self::Denied | Self::Throttled | Self::Other => Severity::Wrong,
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Missing => {
                "shows every try; push the image there, or name the right one with `imageRegistry` or `values`"
            }
            Self::Denied => {
                "shows every try; name a Secret that may pull with `imagePullSecrets`, or mend the image's name"
            }
            Self::Throttled => {
                "shows every try; it goes on by itself, and a mirror (`imageRegistry`) is not throttled"
            }
            Self::Other => "shows every try; can the nodes reach the registry?",
        }
    }
}
