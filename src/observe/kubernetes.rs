//! One namespace as its API server described it at one moment, read from one answer of kubectl.
//!
//! How the answer is had is the caller's matter; what it means is [`crate::diagnose`]'s.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{self as core, PersistentVolumeClaim, Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// What to ask for: `kubectl get KINDS -o json`, one request a kind.
///
/// ReplicaSets are left out: a Deployment's name and conditions say all that is needed of them.
pub const KINDS: &str = "deployments.apps,statefulsets.apps,daemonsets.apps,jobs.batch,pods,\
    services,persistentvolumeclaims,events";

/// More kinds, where the CRDs of `monitoring.coreos.com` are; elsewhere kubectl refuses the whole
/// question.
pub const OPERATED_KINDS: &str =
    "prometheuses.monitoring.coreos.com,alertmanagers.monitoring.coreos.com";

/// Everything in a namespace that tells whether what runs there is well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Snapshot {
    pub deployments: Vec<Deployment>,
    pub stateful_sets: Vec<StatefulSet>,
    pub daemon_sets: Vec<DaemonSet>,
    pub jobs: Vec<Job>,
    pub pods: Vec<Pod>,
    pub services: Vec<Service>,
    pub claims: Vec<PersistentVolumeClaim>,
    pub operated: Vec<Operated>,
    /// The newest event of each object and reason, oldest first.
    pub events: Vec<Event>,
    /// The last words of containers, where they were asked for: no list of objects has them.
    pub logs: Vec<Log>,
}

/// Names a container of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerName {
    pub pod: String,
    pub container: String,
}

/// The end of what a container printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    pub of: ContainerName,
    pub text: String,
}

/// A Prometheus or Alertmanager resource, from which the operator makes StatefulSets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operated {
    /// `Prometheus` or `Alertmanager`.
    pub kind: String,
    pub metadata: ObjectMeta,
    #[serde(default)]
    pub spec: OperatedSpec,
    /// Absent or empty until the operator has taken the resource up.
    #[serde(default)]
    pub status: OperatedStatus,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperatedSpec {
    /// The operator leaves the resource alone.
    #[serde(default)]
    pub paused: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperatedStatus {
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

/// What the operator says about a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// `Available` or `Reconciled`.
    pub r#type: String,
    /// `True`, `Degraded`, `False` or `Unknown`.
    pub status: String,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub message: String,
    /// The generation of the resource that this was said of.
    pub observed_generation: Option<i64>,
}

/// What an event says of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The object's kind, such as `Pod`.
    pub kind: String,
    pub name: String,
    pub uid: Option<String>,
    /// Whether it is a warning; else it tells the ordinary course of things.
    pub warning: bool,
    pub reason: String,
    pub message: String,
    /// How often it has happened.
    pub count: i32,
    /// When it last happened.
    pub at: Option<MicroTime>,
}

impl Snapshot {
    /// Reads what `kubectl get KINDS -o json` printed. Objects of other kinds are skipped.
    ///
    /// # Errors
    /// When it is no list in JSON, or an object in it is not as its kind should be: the error names it.
    pub fn parse(answer: &str) -> Result<Self> {
        if answer.trim_ascii().is_empty() {
            return Ok(Self::default()); // how `--ignore-not-found` says "nothing"
        }
        let list: List = serde_json::from_str(answer).context("reading what kubectl printed")?;
        Ok(list.items.into())
    }

    /// The last words of a container; none: they were not asked for.
    pub fn log(&self, of: &ContainerName) -> Option<&str> {
        self.logs.iter().find(|log| log.of == *of).map(|log| log.text.as_str())
    }

    /// The events of an object, the newest first; not those of an earlier object of the same name.
    pub fn events_of(
        &self,
        kind: &'static str,
        metadata: &ObjectMeta,
    ) -> impl Iterator<Item = &Event> {
        let same_uid = |event: &Event| event.uid.is_none() || event.uid == metadata.uid;
        self.events.iter().rev().filter(move |event| {
            event.kind == kind && Some(&event.name) == metadata.name.as_ref() && same_uid(event)
        })
    }
}

#[derive(Deserialize)]
struct List {
    items: Collected,
}

/// A snapshot in the making.
#[derive(Default)]
struct Collected {
    snapshot: Snapshot,
    /// By kind, name, uid and reason, so that thousands of events leave a few.
    events: BTreeMap<[String; 4], Event>,
}

impl Collected {
    fn take(&mut self, item: &Value) -> Result<(), String> {
        let snapshot = &mut self.snapshot;
        match item["kind"].as_str() {
            Some("Deployment") => snapshot.deployments.push(read(item)?),
            Some("StatefulSet") => snapshot.stateful_sets.push(read(item)?),
            Some("DaemonSet") => snapshot.daemon_sets.push(read(item)?),
            Some("Job") => snapshot.jobs.push(read(item)?),
            Some("Pod") => snapshot.pods.push(read(item)?),
            Some("Service") => snapshot.services.push(read(item)?),
            Some("PersistentVolumeClaim") => snapshot.claims.push(read(item)?),
            Some("Prometheus" | "Alertmanager") => snapshot.operated.push(read(item)?),
            Some("Event") => self.hear(read::<core::Event>(item)?.into()),
            _ => {}
        }
        Ok(())
    }

    fn hear(&mut self, event: Event) {
        // `Error: ErrImagePull` follows `Failed to pull image ...` under the same reason and says less.
        if event.reason == "Failed" && event.message.starts_with("Error: ") {
            return;
        }
        let uid = event.uid.clone().unwrap_or_default();
        let key = [event.kind.clone(), event.name.clone(), uid, event.reason.clone()];
        match self.events.get(&key) {
            Some(known) if known.at > event.at => {}
            _ => drop(self.events.insert(key, event)),
        }
    }
}

impl From<Collected> for Snapshot {
    fn from(collected: Collected) -> Self {
        let mut events: Vec<Event> = collected.events.into_values().collect();
        events.sort_by(|one, other| one.at.cmp(&other.at));
        Self { events, ..collected.snapshot }
    }
}

/// Takes one object after another, so that no more than one is held in full.
impl<'de> Deserialize<'de> for Collected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = Collected;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of objects")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Collected, A::Error> {
                let mut collected = Collected::default();
                while let Some(item) = items.next_element::<Value>()? {
                    collected.take(&item).map_err(A::Error::custom)?;
                }
                Ok(collected)
            }
        }

        deserializer.deserialize_seq(Items)
    }
}

impl From<core::Event> for Event {
    fn from(event: core::Event) -> Self {
        let series = event.series.unwrap_or_default();
        Self {
            kind: event.involved_object.kind.unwrap_or_default(),
            name: event.involved_object.name.unwrap_or_default(),
            uid: event.involved_object.uid,
            warning: event.type_.as_deref() == Some("Warning"),
            reason: event.reason.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
            count: series.count.or(event.count).unwrap_or(1),
            at: series
                .last_observed_time
                .or(event.last_timestamp.map(|time| MicroTime(time.0)))
                .or(event.event_time)
                .or(event.metadata.creation_timestamp.map(|time| MicroTime(time.0))),
        }
    }
}

fn read<T: DeserializeOwned>(item: &Value) -> Result<T, String> {
    T::deserialize(item).map_err(|error| {
        let word = |path| item.pointer(path).and_then(Value::as_str).unwrap_or("?");
        format!("{} {}: {error}", word("/kind"), word("/metadata/name"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(items: &[Value]) -> Result<Snapshot> {
        Snapshot::parse(&json!({"kind": "List", "items": items}).to_string())
    }

    fn event(name: &str, uid: &str, reason: &str, message: &str, at: &str) -> Value {
        json!({
            "kind": "Event", "type": "Warning", "reason": reason, "message": message,
            "metadata": {"name": format!("{name}.{at}")}, "lastTimestamp": at, "count": 3,
            "involvedObject": {"kind": "Pod", "name": name, "uid": uid},
        })
    }

    #[test]
    fn nothing_printed_is_an_empty_namespace() {
        assert_eq!(Snapshot::parse("\n").unwrap(), Snapshot::default());
        assert_eq!(parse(&[]).unwrap(), Snapshot::default());
    }

    #[test]
    fn objects_of_other_kinds_are_skipped() {
        assert_eq!(parse(&[json!({"kind": "ConfigMap"}), json!(7)]).unwrap(), Snapshot::default());
    }

    #[test]
    fn a_broken_object_is_named() {
        let error =
            parse(&[json!({"kind": "Pod", "metadata": {"name": "thanos-query-0"}, "spec": 7})]);
        insta::assert_snapshot!(
            format!("{:#}", error.unwrap_err()),
            @"reading what kubectl printed: Pod thanos-query-0: invalid type: integer `7`, expected PodSpec at line 1 column 85"
        );
    }

    #[test]
    fn an_answer_cut_off_is_an_error() {
        let error = Snapshot::parse(r#"{"kind": "List", "items": [{"kind": "Pod""#).unwrap_err();
        insta::assert_snapshot!(
            format!("{error:#}"),
            @"reading what kubectl printed: EOF while parsing an object at line 1 column 41"
        );
    }

    #[test]
    fn of_many_events_the_newest_of_each_object_and_reason_stays() {
        let snapshot = parse(&[
            event("a", "1", "BackOff", "newest", "2026-11-23T10:00:03Z"),
            event("a", "1", "BackOff", "older", "2026-11-23T10:00:01Z"),
            event("a", "1", "Failed", "Failed to pull image", "2026-11-23T10:00:02Z"),
            event("a", "1", "Failed", "Error: ErrImagePull", "2026-11-23T10:00:02Z"),
            event("a", "0", "BackOff", "of a pod that is gone", "2026-11-23T10:00:09Z"),
        ])
        .unwrap();
        let pod =
            ObjectMeta { name: Some("a".into()), uid: Some("1".into()), ..ObjectMeta::default() };
        let messages: Vec<_> =
            snapshot.events_of("Pod", &pod).map(|e| e.message.as_str()).collect();
        assert_eq!(messages, ["newest", "Failed to pull image"]);
        assert_eq!(snapshot.events.len(), 3);
    }

    #[test]
    fn a_snapshot_survives_being_written_and_read() {
        let snapshot = parse(&[
            json!({"kind": "Deployment", "metadata": {"name": "thanos-query"}}),
            json!({
                "kind": "Prometheus", "metadata": {"name": "p", "generation": 2}, "spec": {"paused": true},
                "status": {"conditions": [{"type": "Available", "status": "True", "observedGeneration": 2}]},
            }),
            event("a", "1", "BackOff", "newest", "2026-11-23T10:00:03Z"),
        ])
        .unwrap();
        let written = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&written).unwrap(), snapshot);
    }
}
