//! What is known of one cluster, as hops ask for it.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::hops::{broken, rows};
use super::{Question, Reply, Scene, Topic, ready};
use crate::checks::Line;
use crate::diagnose::catalogue::Id;
use crate::tools::http::Answer;

/// How long after a pod got ready others may not know of it, and not everything be scraped.
const BEGINNING: SignedDuration = SignedDuration::from_secs(150);

impl<'a> Scene<'a> {
    pub(super) fn of(&self, topic: Topic) -> impl Iterator<Item = (&'a str, &'a Reply)> {
        let replies =
            self.replies.iter().filter(move |(Question { topic: of, .. }, _)| *of == topic);
        replies.map(|(question, reply)| (question.pod.as_str(), reply))
    }

    /// Every reply about it; else the line that tells why a hop cannot be judged.
    pub(super) fn replies(&self, hop: &str, topic: Topic) -> Result<Vec<(&'a str, &'a str)>, Line> {
        let unreached = |said: String| broken(hop, Id::HopUnreached, said);
        let replies: Result<Vec<_>, Line> = self
            .of(topic)
            .map(|(pod, reply)| match reply {
                Ok(answer) if answer.status == 200 || topic.tells_by_status() => {
                    Ok((pod, answer.body.as_str()))
                }
                Ok(Answer { status, body, .. }) => {
                    let start: String = body.trim().chars().take(200).collect();
                    Err(unreached(format!("{pod} answers with status {status}: {start}")))
                }
                Err(why) => Err(unreached(format!("{pod} does not answer: {why}"))),
            })
            .collect();
        let replies = replies?;
        if !replies.is_empty() {
            return Ok(replies);
        }
        Err(match (self.has(topic.container()), ready(self.snapshot, topic.container()).next()) {
            (false, _) => Line::skipped(hop, "it is not installed"),
            (true, None) => Line::skipped(hop, "none of its pods is ready: see pods"),
            (true, Some(_)) => unreached("its pods name no port that answers by HTTP".to_owned()),
        })
    }

    /// Whether a pod has a container of this name, ready or not.
    fn has(&self, container: &str) -> bool {
        let containers = |pod: &'a Pod| pod.spec.iter().flat_map(|spec| &spec.containers);
        self.snapshot.pods.iter().flat_map(containers).any(|each| each.name == container)
    }

    /// The same, read as JSON; what `T` has no field for is passed over.
    pub(super) fn json<T: DeserializeOwned>(
        &self,
        hop: &str,
        topic: Topic,
    ) -> Result<Vec<(&'a str, T)>, Line> {
        let replies = self.replies(hop, topic)?;
        let read = |(pod, body): (&'a str, &str)| match serde_json::from_str(body) {
            Ok(value) => Ok((pod, value)),
            Err(error) => {
                let start: String = body.chars().take(60).collect();
                let said = format!("{pod} answers what cannot be read: {error}: {start:?}");
                Err(broken(hop, Id::HopUnreached, said))
            }
        };
        replies.into_iter().map(read).collect()
    }

    /// Whether a pod with one of these containers got ready so lately that what it has to do with
    /// others may not have begun.
    pub(super) fn young(&self, containers: &[&str]) -> bool {
        let mut pods = containers.iter().flat_map(|name| ready(self.snapshot, name));
        pods.any(|(pod, _)| {
            let conditions =
                pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
            let mut ready = conditions.filter(|condition| condition.type_ == "Ready");
            let since = ready.find_map(|condition| condition.last_transition_time.as_ref());
            since.is_some_and(|since| self.now.duration_since(since.0) < BEGINNING)
        })
    }

    /// A hop that is broken, unless one of those that it stands on got ready a moment ago.
    pub(super) fn broken_by_now(
        &self,
        containers: &[&str],
        hop: &str,
        id: Id,
        said: String,
    ) -> Line {
        if self.young(containers) { Line::pending(hop, said) } else { broken(hop, id, said) }
    }

    /// When a sidecar was started, from when on it counts what it uploads.
    pub(super) fn sidecar_since(&self, name: &str) -> Option<Timestamp> {
        let named = |pod: &&Pod| pod.metadata.name.as_deref() == Some(name);
        let status = self.snapshot.pods.iter().find(named)?.status.as_ref()?;
        let containers = status.container_statuses.iter().chain(&status.init_container_statuses);
        let mut sidecars = containers.flatten().filter(|it| it.name == Topic::Sidecar.container());
        Some(sidecars.next()?.state.as_ref()?.running.as_ref()?.started_at.as_ref()?.0)
    }

    /// Whether a store gateway has blocks of this cluster.
    pub(super) fn has_history(&self) -> bool {
        let mut answers = self.of(Topic::Stores).filter_map(|(_, reply)| reply.as_ref().ok());
        answers.any(|answer| {
            let answer: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let mut stores = rows(&answer["data"]["store"]);
            stores.any(|store| {
                rows(&store["labelSets"]).any(|labels| labels["cluster"] == self.cluster)
            })
        })
    }
}
