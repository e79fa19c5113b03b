//! How to say things to `kubectl`, and how to read its answers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::cmd::{Cmd, Tool};
use crate::config::names::Namespace;
use crate::config::{Cluster, Config};

/// The field manager that okemon applies as.
pub const FIELD_MANAGER: &str = "okemon";

/// The kubectl of one cluster and namespace: every call names both.
#[derive(Clone, Debug)]
pub struct Kubectl {
    cluster: crate::config::names::ClusterName,
    context: String,
    namespace: Namespace,
}

impl Kubectl {
    pub fn new(config: &Config, cluster: &Cluster) -> Self {
        Self {
            cluster: cluster.name.clone(),
            context: cluster.context.clone(),
            namespace: config.namespace.clone(),
        }
    }

    /// A call on objects of the namespace.
    pub fn cmd<S: Into<String>>(&self, args: impl IntoIterator<Item = S>) -> Cmd {
        let scope = ["--context", &self.context, "--namespace", self.namespace.as_str()];
        let scope = scope.into_iter().map(str::to_owned);
        Cmd::new(Tool::Kubectl, scope.chain(args.into_iter().map(Into::into))).on(&self.cluster)
    }

    /// [`by_hand`] on objects of the namespace.
    pub fn by_hand(&self, words: &[&str]) -> String {
        by_hand(&self.context, self.namespace.as_str(), words)
    }

    /// [`by_hand`] on objects of another namespace.
    pub fn by_hand_in(&self, namespace: &str, words: &[&str]) -> String {
        by_hand(&self.context, namespace, words)
    }

    /// Forwards free ports of this machine to ports of a pod, until it is ended.
    pub fn port_forward(&self, pod: &str, ports: &BTreeSet<u16>) -> Cmd {
        let ports = ports.iter().map(|port| format!(":{port}"));
        let words = ["port-forward", "--address", "127.0.0.1", "--pod-running-timeout", "5s"];
        let words = words.map(str::to_owned).into_iter().chain([format!("pod/{pod}")]).chain(ports);
        self.cmd(words).timeout(Duration::from_secs(20))
    }

    /// Asks for the Secrets of this name in every namespace; it may be denied.
    pub fn secrets_everywhere(&self, name: &str) -> Cmd {
        let field = format!("metadata.name={name}");
        let which = ["--all-namespaces", "--field-selector", &field];
        self.cmd(["get", "secrets"].into_iter().chain(which).chain(["-o", "json"]))
    }

    /// Asks for objects that a manifest on standard input names; those that are missing are left out.
    pub fn read_named(&self) -> Cmd {
        self.cmd(["get", "--ignore-not-found", "-o", "json", "-f", "-"])
    }

    /// Sends a manifest from standard input, and takes over every field that it sets.
    pub fn apply(&self) -> Cmd {
        self.cmd(["apply"].into_iter().chain(SERVER_SIDE).chain(MANAGED))
    }

    /// Asks what [`Self::apply`] would make of the objects; the server answers, and stores nothing.
    pub fn would_apply(&self) -> Cmd {
        let dry = ["--dry-run=server", "-o", "json"];
        self.cmd(["apply"].into_iter().chain(SERVER_SIDE).chain(dry).chain(MANAGED))
    }

    /// Asks whether the server would take a manifest from Helm, and stores nothing: what it refuses
    /// stands in stderr. As Helm 4 sends it: the fields of another manager would stay beside it.
    pub fn would_take(&self) -> Cmd {
        let dry = ["--dry-run=server", "-o", "name", "--field-manager", "helm", "-f", "-"];
        self.cmd(["apply"].into_iter().chain(SERVER_SIDE).chain(dry))
    }

    /// Removes an object; `orphan` leaves what belongs to it, such as pods, for who adopts it.
    pub fn delete(&self, kind: &str, name: &str, orphan: bool) -> Cmd {
        let args = ["delete", kind, name, "--ignore-not-found"];
        let cmd = self.cmd(args.into_iter().chain(orphan.then_some("--cascade=orphan")));
        // A load balancer goes before its Service does.
        cmd.timeout(Duration::from_mins(10))
    }

    /// Waits until an object (`Kind/name`) that is being deleted is gone.
    pub fn wait_gone(&self, object: &str) -> Cmd {
        let cmd = self.cmd(["wait", &object.to_lowercase(), "--for=delete", "--timeout=5m"]);
        cmd.timeout(Duration::from_mins(6))
    }

    /// Asks for the last lines of a container, or of the one before it.
    pub fn logs(&self, pod: &str, container: &str, previous: bool) -> Cmd {
        let args = ["logs", pod, "--container", container, "--tail", "5"];
        let cmd = self.cmd(args.into_iter().chain(previous.then_some("--previous")));
        cmd.timeout(Duration::from_secs(5))
    }

    /// Makes the objects of a manifest on standard input; fails when one is there already.
    pub fn create(&self) -> Cmd {
        self.cmd(["create", UNCHECKED].into_iter().chain(MANAGED))
    }

    /// Asks what a manifest of reviews on standard input asks; nothing is kept of them.
    pub fn review(&self) -> Cmd {
        // More than a hundred, one after another: on a far cluster that takes a while.
        let cmd = self.cmd(["create", UNCHECKED, "-o", "json", "-f", "-"]);
        cmd.timeout(Duration::from_mins(5))
    }

    /// Writes an object of okemon's own, anew or in place of the one that its manifest names.
    pub fn write(&self, anew: bool) -> Cmd {
        let verb = if anew { "create" } else { "replace" };
        self.cmd([verb, UNCHECKED, "-o", "json", "-f", "-"])
    }
}

/// The line that a person would type in a namespace, for hints.
pub fn by_hand(context: &str, namespace: &str, words: &[&str]) -> String {
    let place = ["--context", context, "-n", namespace];
    Cmd::new(Tool::Kubectl, place.iter().chain(words).copied()).to_string()
}

/// The server itself refuses a field that it does not know.
const SERVER_SIDE: [&str; 3] = ["--server-side", "--force-conflicts", UNCHECKED];
/// Else kubectl first fetches the schemas of the API server, with every call: on a far or busy
/// cluster that takes longer than the call.
const UNCHECKED: &str = "--validate=false";
const MANAGED: [&str; 4] = ["--field-manager", FIELD_MANAGER, "-f", "-"];

/// Which port of this machine leads to which port of the pod, as `kubectl port-forward` says it:
/// `Forwarding from 127.0.0.1:40123 -> 9090`.
pub fn forwarded(stdout: &str) -> BTreeMap<u16, u16> {
    let read = |line: &str| {
        let (local, remote) =
            line.strip_prefix("Forwarding from 127.0.0.1:")?.split_once(" -> ")?;
        Some((remote.trim().parse().ok()?, local.parse().ok()?))
    };
    // The last line may still grow.
    stdout.split_inclusive('\n').filter(|line| line.ends_with('\n')).filter_map(read).collect()
}

/// Reads the objects of `kubectl -o json`: one object, a list of them, several documents one after
/// another, or nothing.
///
/// # Errors
/// When the answer is not JSON; the error shows how it begins.
pub fn objects(stdout: &str) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    for document in serde_json::Deserializer::from_str(stdout).into_iter::<Value>() {
        let mut document = document.with_context(|| {
            let head: String = stdout.chars().take(80).collect();
            format!("reading kubectl's answer, which begins with {head:?}")
        })?;
        if document["kind"] == "List" {
            if let Some(items) = document["items"].as_array_mut() {
                objects.append(items);
            }
        } else {
            objects.push(document);
        }
    }
    Ok(objects)
}

/// `Deployment/thanos-query`, with the namespace left out.
pub fn name(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// Whether stderr says that what was asked for does not exist: the object, its namespace or its kind.
pub fn says_not_found(stderr: &str) -> bool {
    ["(NotFound)", "no matches for kind", "doesn't have a resource type"]
        .iter()
        .any(|words| stderr.contains(words))
}

/// Whether stderr says that something is not let through: by rights, a quota, a webhook.
pub fn says_forbidden(stderr: &str) -> bool {
    ["(Forbidden)", "denied the request"].iter().any(|words| stderr.contains(words))
}

/// Whether stderr tells of something that may pass by itself, so that it is worth to look again.
pub fn says_try_again(stderr: &str) -> bool {
    // Kinds are known a moment after their definitions are applied.
    let kinds = ["the server doesn't have a resource type", "no matches for kind"];
    let changes = ["the object has been modified", "failed calling webhook"];
    let passing = kinds.iter().chain(&changes).any(|words| stderr.contains(words));
    passing || says_interrupted(stderr)
}

/// Whether stderr says that the way to the API server, or the server itself, gave up for a moment.
pub fn says_interrupted(stderr: &str) -> bool {
    [
        "etcdserver: ",
        "the server is currently unable to handle the request",
        "TLS handshake timeout",
        "i/o timeout",
        "connection reset by peer",
        "unexpected EOF",
        "http2: client connection lost",
        "(TooManyRequests)",
    ]
    .iter()
    .any(|words| stderr.contains(words))
}

/// What differs between the objects that are there and those that would be, a line each.
///
/// Bookkeeping of the API server is left out of the comparison. Values of Secrets are never shown.
pub fn differences(live: &[Value], wanted: &[Value]) -> Vec<String> {
    let live: BTreeMap<String, &Value> = live.iter().map(|object| (name(object), object)).collect();
    let mut lines = Vec::new();
    for object in wanted {
        let name = name(object);
        match live.get(&name) {
            None => lines.push(format!("+ {name}")),
            Some(there) => {
                let secret = object["kind"] == "Secret";
                let changed = super::diff::paths(&trimmed(there), &trimmed(object), |_, _| !secret);
                lines.extend(changed.into_iter().map(|line| format!("~ {name} {line}")));
            }
        }
    }
    lines
}

/// The object without what the API server writes into it by itself.
fn trimmed(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"]
        {
            metadata.remove(field);
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_one_object_a_list_several_documents_and_nothing() {
        let one = r#"{"kind":"Secret","metadata":{"name":"a"}}"#;
        let list = format!(r#"{{"kind":"List","items":[{one},{one}]}}"#);
        let cases =
            [(one.to_owned(), 1), (list, 2), (format!("{one}\n{one}"), 2), (String::new(), 0)];
        for (text, count) in cases {
            assert_eq!(objects(&text).unwrap().len(), count, "{text}");
        }
        let error = objects("<html>").unwrap_err().to_string();
        assert_eq!(error, r#"reading kubectl's answer, which begins with "<html>""#);
    }

    #[test]
    fn bookkeeping_is_no_difference() {
        let live = json!({"kind": "Service", "metadata": {"name": "s", "uid": "1"}, "spec": {"a": 1}, "status": {}});
        let wanted =
            json!({"kind": "Service", "metadata": {"name": "s", "uid": "2"}, "spec": {"a": 1}});
        assert_eq!(differences(&[live], &[wanted]), Vec::<String>::new());
    }

    #[test]
    fn an_answer_without_objects_is_compared_all_the_same() {
        assert_eq!(differences(&[json!([1])], &[json!("a")]), [r#"~ / : [1] -> "a""#]);
    }

    #[test]
    fn a_changed_secret_shows_its_keys_and_no_value() {
        let live = json!({"kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "b2xk"}});
        let wanted = json!({"kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "bmV3"}});
        assert_eq!(differences(&[live], &[wanted]), ["~ Secret/s data.k"]);
    }
}
