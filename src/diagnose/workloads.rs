//! Whether Deployments, StatefulSets, DaemonSets and Jobs are ready, and what keeps them.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::catalogue::Id;
use super::trouble::Trouble;
use super::{Part, Scope, Severity, controller, name, pods, words};
use crate::observe::kubernetes::Snapshot;

/// The workloads of the releases; those that a controller made are judged with their maker.
pub(super) fn parts(snapshot: &Snapshot, scope: &Scope) -> Vec<Part> {
    let deployments = snapshot.deployments.iter().map(deployment);
    deployments
        .chain(snapshot.stateful_sets.iter().map(stateful_set))
        .chain(snapshot.daemon_sets.iter().map(daemon_set))
        .chain(snapshot.jobs.iter().map(job))
        .filter(|workload| scope.holds(workload.metadata))
        .map(|workload| workload.part(snapshot, scope))
        .collect()
}

/// What the four kinds have in common.
#[derive(Debug)]
pub(super) struct Workload<'a> {
    kind: &'static str,
    metadata: &'a ObjectMeta,
    /// Its controller speaks of the newest generation.
    seen: bool,
    wanted: i32,
    /// How many pods there are, of any revision.
    made: i32,
    ready: i32,
    /// The newest revision runs everywhere, and nothing else does.
    done: bool,
    current: Current<'a>,
    /// What its controller complains of: a word, a message, and whether that is the end of it.
    complaint: Option<(&'a str, &'a str, Severity)>,
}

/// Which of a workload's pods are of the newest revision.
#[derive(Clone, Copy, Debug)]
enum Current<'a> {
    All,
    /// Those whose label has the same value as the youngest pod's. The status does not name the revision.
    LikeYoungest(&'static str),
    /// Those of this revision. With `in_order`, a broken older pod is in the way of all others.
    Revision {
        hash: &'a str,
        in_order: bool,
    },
    None,
}

const POD_TEMPLATE: &str = "pod-template-hash";
const REVISION: &str = "controller-revision-hash";

fn deployment(deployment: &Deployment) -> Workload<'_> {
    let metadata = &deployment.metadata;
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let Some(status) = &deployment.status else {
        return Workload::new("Deployment", metadata, wanted);
    };
    let count = |count: Option<i32>| count.unwrap_or_default();
    let (made, updated) = (count(status.replicas), count(status.updated_replicas));
    let available = count(status.available_replicas);
    let conditions = status.conditions.as_deref().unwrap_or_default();
    let complains = conditions.iter().find(|known| {
        (known.type_ == "ReplicaFailure" && known.status == "True")
            || known.reason.as_deref() == Some("ProgressDeadlineExceeded")
    });
    Workload {
        seen: seen(metadata, status.observed_generation),
        made,
        ready: count(status.ready_replicas),
        done: [made, updated, available] == [wanted; 3],
        current: if updated > 0 { Current::LikeYoungest(POD_TEMPLATE) } else { Current::None },
        complaint: complains.map(|known| {
            let word = known.reason.as_deref().unwrap_or(&known.type_);
            (word, known.message.as_deref().unwrap_or_default(), Severity::Wrong)
        }),
        ..Workload::new("Deployment", metadata, wanted)
    }
}

pub(super) fn stateful_set(set: &StatefulSet) -> Workload<'_> {
    let metadata = &set.metadata;
    let spec = set.spec.as_ref();
    let wanted = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    let Some(status) = &set.status else { return Workload::new("StatefulSet", metadata, wanted) };
    let count = |count: Option<i32>| count.unwrap_or_default();
    let policy = spec.and_then(|spec| spec.pod_management_policy.as_deref());
    let ready = count(status.ready_replicas);
    let updated = status.current_revision == status.update_revision
        || count(status.updated_replicas) == wanted;
    Workload {
        seen: seen(metadata, status.observed_generation),
        made: status.replicas,
        ready,
        done: updated && [status.replicas, ready] == [wanted; 2],
        current: Current::Revision {
            hash: status.update_revision.as_deref().unwrap_or_default(),
            in_order: policy != Some("Parallel"),
        },
        ..Workload::new("StatefulSet", metadata, wanted)
    }
}

fn daemon_set(set: &DaemonSet) -> Workload<'_> {
    let metadata = &set.metadata;
    let Some(status) = &set.status else { return Workload::new("DaemonSet", metadata, 1) };
    let wanted = status.desired_number_scheduled;
    let updated = status.updated_number_scheduled.unwrap_or_default();
    let available = status.number_available.unwrap_or_default();
    Workload {
        seen: seen(metadata, status.observed_generation),
        made: status.current_number_scheduled,
        ready: status.number_ready,
        done: [updated, available] == [wanted; 2],
        current: if updated > 0 { Current::LikeYoungest(REVISION) } else { Current::None },
        ..Workload::new("DaemonSet", metadata, wanted)
    }
}

fn job(job: &Job) -> Workload<'_> {
    let wanted = job.spec.as_ref().and_then(|spec| spec.completions).unwrap_or(1);
    let status = job.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let is = |kind: &str| conditions.iter().find(|c| c.type_ == kind && c.status == "True");
    let count = |count: Option<i32>| count.unwrap_or_default();
    let [active, succeeded, failed] = status
        .map(|status| [status.active, status.succeeded, status.failed].map(count))
        .unwrap_or_default();
    Workload {
        seen: true,
        made: active + succeeded + failed,
        ready: succeeded,
        done: is("Complete").is_some(),
        current: Current::All,
        complaint: is("Failed").map(|known| {
            let message = known.message.as_deref().unwrap_or_default();
            (known.reason.as_deref().unwrap_or("Failed"), message, Severity::Final)
        }),
        ..Workload::new("Job", &job.metadata, wanted)
    }
}

fn seen(metadata: &ObjectMeta, observed: Option<i64>) -> bool {
    observed >= metadata.generation
}

impl<'a> Workload<'a> {
    /// One of which its controller has said nothing yet.
    fn new(kind: &'static str, metadata: &'a ObjectMeta, wanted: i32) -> Self {
        let (seen, done, current, complaint) = (false, false, Current::None, None);
        Self { kind, metadata, seen, wanted, made: 0, ready: 0, done, current, complaint }
    }

    pub(super) fn part(&self, snapshot: &Snapshot, scope: &Scope) -> Part {
        let own: Vec<&Pod> = snapshot.pods.iter().filter(|pod| self.owns(pod)).collect();
        let restarts = pods::restarts(&own);
        if self.seen && self.done {
            return Part { restarts, ..Part::ready() };
        }
        if !self.seen {
            let trouble = self.starting("its controller has not seen the newest change yet", scope);
            return Part { restarts, ..Part::waits(trouble) };
        }
        if let Some(trouble) = self.cannot_make_pods(snapshot, scope) {
            return Part { restarts, ..Part::waits(trouble) };
        }
        let (current, older) = self.by_revision(&own);
        let mut troubles = pods::troubles(&current, snapshot, scope);
        if troubles.is_empty() {
            troubles = self.in_the_way(&older, snapshot, scope);
        }
        if troubles.is_empty() || self.kind == "Job" && self.complaint.is_some() {
            troubles = vec![self.complains(scope).unwrap_or_else(|| {
                let stages = pods::stages(&current, snapshot).join(", ");
                let stages = if stages.is_empty() { stages } else { format!(" ({stages})") };
                self.starting(&format!("{} of {} ready{stages}", self.ready, self.wanted), scope)
            })];
        }
        Part { troubles, restarts, ..Part::default() }
    }

    fn object(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), name(self.metadata))
    }

    fn describe(&self, scope: &Scope) -> String {
        scope.describe(&self.kind.to_lowercase(), name(self.metadata))
    }

    fn shows_events(&self, scope: &Scope) -> String {
        format!("`{}` shows its events", self.describe(scope))
    }

    fn starting(&self, reason: &str, scope: &Scope) -> Trouble {
        let hint = format!("`{}` shows how far it is", self.describe(scope));
        Trouble::starting(self.object(), reason.into(), hint)
    }

    fn complains(&self, scope: &Scope) -> Option<Trouble> {
        let (word, message, severity) = self.complaint?;
        let (id, hint) = match (severity, word) {
            (Severity::Final, _) => {
                let command = scope.kubectl(&["logs", &self.object()]);
                (Id::JobFailed, format!("`{command}` says why; delete it, and it is made anew"))
            }
            (_, "ProgressDeadlineExceeded") => (Id::RolloutStuck, self.shows_events(scope)),
            _ => (Id::PodsRefused, self.shows_events(scope)),
        };
        Some(Trouble::new(id, self.object(), severity, words::reason(word, message), hint))
    }

    /// The API server refused its pods: a quota, an admission webhook, a missing service account.
    fn cannot_make_pods(&self, snapshot: &Snapshot, scope: &Scope) -> Option<Trouble> {
        if let Some(("FailedCreate", ..)) = self.complaint {
            return self.complains(scope);
        }
        let refused = snapshot
            .events_of(self.kind, self.metadata)
            .find(|event| event.warning && event.reason == "FailedCreate")
            .filter(|_| self.made < self.wanted)?;
        let reason = words::reason(&refused.reason, &refused.message);
        let hint = format!("`{}` shows every try", self.describe(scope));
        Some(Trouble::new(Id::PodsRefused, self.object(), Severity::Wrong, reason, hint))
    }

    /// The pods of the newest revision, and the others.
    fn by_revision<'p>(&self, own: &[&'p Pod]) -> (Vec<&'p Pod>, Vec<&'p Pod>) {
        match self.current {
            Current::All => (own.to_vec(), Vec::new()),
            Current::None => (Vec::new(), own.to_vec()),
            Current::Revision { hash, .. } => {
                own.iter().partition(|pod| label(pod, REVISION) == Some(hash))
            }
            Current::LikeYoungest(key) => {
                let youngest = own.iter().max_by_key(|pod| &pod.metadata.creation_timestamp);
                let hash = youngest.and_then(|pod| label(pod, key));
                own.iter().partition(|pod| label(pod, key) == hash)
            }
        }
    }

    /// Older pods that are broken, and are not replaced before somebody deletes them.
    fn in_the_way(&self, older: &[&Pod], snapshot: &Snapshot, scope: &Scope) -> Vec<Trouble> {
        let Current::Revision { in_order: true, .. } = self.current else { return Vec::new() };
        let mut troubles = pods::troubles(older, snapshot, scope);
        for finding in troubles.iter_mut().map(|trouble| &mut trouble.finding) {
            let command = scope.kubectl(&["delete", &finding.object]);
            finding.hint = Some(format!("`{command}` lets the newer revision take its place"));
            finding.severity = Severity::Wrong;
        }
        troubles
    }

    /// Whether a pod is its own and still counts: not one that ends, nor one that was evicted.
    fn owns(&self, pod: &Pod) -> bool {
        let Some((kind, owner)) = controller(&pod.metadata) else { return false };
        let mine = if self.kind == "Deployment" {
            let hash = label(pod, POD_TEMPLATE).unwrap_or_default();
            kind == "ReplicaSet" && owner == format!("{}-{hash}", name(self.metadata))
        } else {
            kind == self.kind && owner == name(self.metadata)
        };
        let evicted = pods::phase(pod) == "Failed" && self.kind != "Job";
        mine && !evicted && pod.metadata.deletion_timestamp.is_none()
    }
}

fn label<'p>(pod: &'p Pod, key: &str) -> Option<&'p str> {
    pod.metadata.labels.as_ref()?.get(key).map(String::as_str)
}
