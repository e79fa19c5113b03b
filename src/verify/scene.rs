//! What is known of one cluster, as hops ask for it.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::hops::{broken, rows};
use super::{Question, Reply, Scene, Topic, running};
use crate::checks::Line;
use crate::diagnose::catalogue::Id;

/// How long after its start a Prometheus may not have scraped everything.
const FIRST_SCRAPES: SignedDuration = SignedDuration::from_secs(150);
/// Blocks end at multiples of it, counted from midnight UTC, in seconds.
const BLOCK: i64 = 2 * 3600;
/// How long after the end of its first block a Prometheus has written and uploaded it, in seconds.
const UPLOADED: i64 = 3600 + 600;

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
                Ok(body) => Ok((pod, body.as_str())),
                Err(why) => Err(unreached(format!("{pod} does not answer: {why}"))),
            })
            .collect();
        match replies?.as_slice() {
            [] => Err(Line::skipped(hop, "none of its pods is ready: see pods")),
            replies => Ok(replies.to_vec()),
        }
    }

    /// The same, read as JSON.
    pub(super) fn json(&self, hop: &str, topic: Topic) -> Result<Vec<(&'a str, Value)>, Line> {
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

    /// When the first of the pods that scrape was started.
    pub(super) fn started(&self) -> impl Iterator<Item = Timestamp> {
        running(self.snapshot, Topic::Targets).filter_map(|(pod, _)| {
            let started = pod.status.as_ref()?.start_time.as_ref()?;
            Some(started.0)
        })
    }

    /// Whether a Prometheus has started so lately that it may not have scraped everything.
    pub(super) fn is_young(&self) -> bool {
        self.started().any(|started| self.now.duration_since(started) < FIRST_SCRAPES)
    }

    /// When the first block has arrived in the bucket at the latest.
    pub(super) fn first_block(&self) -> Option<Timestamp> {
        let started = self.started().min()?.as_second();
        let end = (started.div_euclid(BLOCK) + 1) * BLOCK;
        Timestamp::from_second(end + UPLOADED).ok()
    }

    /// Whether a store gateway has blocks of this cluster.
    pub(super) fn has_history(&self) -> bool {
        let mut answers = self.of(Topic::Stores).filter_map(|(_, reply)| reply.as_ref().ok());
        answers.any(|body| {
            let answer: Value = serde_json::from_str(body).unwrap_or_default();
            let mut stores = rows(&answer["data"]["store"]);
            stores.any(|store| {
                rows(&store["labelSets"]).any(|labels| labels["cluster"] == self.cluster)
            })
        })
    }
}
