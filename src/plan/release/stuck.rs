//! Pods that would never be replaced: a StatefulSet that goes in order waits for a pod to be ready
//! before it replaces it, also where only its replacement can be.
//! <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback>

use serde_json::Value;

use super::{Change, Release, unreadable};
use crate::plan::step::Effect;
use crate::plan::talk::{Open, Talk};
use crate::tools::kubectl;

/// What is told of such a pod, after its name. Pods become ready and cease to be by themselves, so
/// it can be untrue soon after it was shown.
pub const NOT_READY: &str = ": it is not ready, so its StatefulSet would not replace it";

impl Release {
    /// Looks for pods that are not ready, and deletes them once their StatefulSets are as wanted.
    pub(super) fn stuck(
        &self,
        talk: &mut Talk<'_>,
        live: &[&Value],
        change: &mut Change,
    ) -> Result<(), Open> {
        let sets: Vec<String> = live
            .iter()
            .filter(|object| object["kind"] == "StatefulSet")
            .filter(|set| set["spec"]["podManagementPolicy"] != "Parallel")
            .map(|set| kubectl::name(set))
            .collect();
        if sets.is_empty() {
            return Ok(());
        }
        let cmd = self.kubectl.cmd(["get", "pods", "-o", "json"]);
        let pods = kubectl::objects(&talk.success(&cmd)?.stdout).map_err(unreadable)?;
        let stuck = pods.iter().filter(|pod| !is_ready(pod) && !is_ending(pod));
        for pod in stuck.filter(|pod| sets.contains(&owner(pod))) {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            change.lines.push(format!("- Pod/{name}{NOT_READY}"));
            change.after.push(Effect::Cmd(self.kubectl.delete("pod", name, false)));
        }
        Ok(())
    }
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
