//! Pods that would never be replaced: a StatefulSet that goes in order waits for a pod to be ready
//! before it replaces it, also where only its replacement can be.
//! <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback>

use serde_json::Value;

use super::{Change, Release, unreadable};
use crate::plan::step::Effect;
use crate::plan::talk::{Open, Talk};
use crate::tools::kubectl;

/// What is told of such a pod, after its name.
pub(super) const NOT_READY: &str = ": it is not ready, and its StatefulSet would wait for it";

/// The label of a pod that tells the revision of its StatefulSet.
const REVISION: &str = "controller-revision-hash";

impl Release {
    /// Looks for pods that are not ready, and deletes them once their StatefulSets are as wanted.
    /// Where nothing else differs, these are the ones that an earlier change was to replace.
    pub(super) fn stuck(
        &self,
        talk: &mut Talk<'_>,
        live: &[&Value],
        change: &mut Change,
    ) -> Result<(), Open> {
        let all = !change.lines.is_empty();
        let in_order = |set: &&&Value| {
            set["kind"] == "StatefulSet" && set["spec"]["podManagementPolicy"] != "Parallel"
        };
        let sets = live.iter().filter(in_order).filter(|set| all || is_behind(set));
        let sets: Vec<(String, &Value)> =
            sets.map(|set| (kubectl::name(set), &set["status"]["updateRevision"])).collect();
        if sets.is_empty() {
            return Ok(());
        }
        let cmd = self.kubectl.cmd(["get", "pods", "-o", "json"]);
        let pods = kubectl::objects(&talk.success(&cmd)?.stdout).map_err(unreadable)?;
        for pod in pods.iter().filter(|pod| !is_ready(pod) && !is_ending(pod)) {
            let (owner, revision) = (owner(pod), &pod["metadata"]["labels"][REVISION]);
            if sets.iter().any(|(set, newest)| *set == owner && (all || *newest != revision)) {
                let name = pod["metadata"]["name"].as_str().unwrap_or_default();
                change.pods.push(format!("- Pod/{name}{NOT_READY}"));
                change.after.push(self.replace(name, revision.as_str().unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// Deletes a pod if it is still of this revision: one that was replaced meanwhile is not.
    fn replace(&self, pod: &str, revision: &str) -> Effect {
        let selector = format!("statefulset.kubernetes.io/pod-name={pod},{REVISION}={revision}");
        // Its node may be gone, and is not waited for.
        Effect::Cmd(self.kubectl.cmd(["delete", "pods", "--selector", &selector, "--wait=false"]))
    }
}

/// Whether its controller has seen the newest template of a StatefulSet, and not all pods are ready.
fn is_behind(set: &Value) -> bool {
    let (status, number) = (&set["status"], |value: &Value| value.as_u64().unwrap_or_default());
    status["observedGeneration"] == set["metadata"]["generation"]
        && number(&status["readyReplicas"]) < number(&set["spec"]["replicas"])
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.is_some_and(|all| {
        all.iter().any(|known| known["type"] == "Ready" && known["status"] == "True")
    })
}

fn is_ending(pod: &Value) -> bool {
    pod["metadata"]["deletionTimestamp"].is_string()
}

/// Who made it: `StatefulSet/thanos-ruler`.
fn owner(pod: &Value) -> String {
    let owner = &pod["metadata"]["ownerReferences"][0];
    let text = |key: &str| owner[key].as_str().unwrap_or_default();
    format!("{}/{}", text("kind"), text("name"))
}
