//! A run as NDJSON: one JSON object a line, first the stream's version, then every event.
//!
//! The JSON Schema of a line is [`schema`]; `docs/events.schema.json` is a copy of it.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::event::{ClusterSeen, Event};
use super::{Reporter, print};

/// The stream's major version: what was there in it stays; readers skip what they do not know.
const VERSION: u32 = 1;

/// One line of what `-o ndjson` streams.
///
/// Within a version events and fields are only added, so a reader skips what it does not know.
#[derive(JsonSchema, Serialize)]
#[schemars(title = "A line of okemon -o ndjson")]
#[serde(untagged)]
enum Line<'a> {
    Opening(Opening),
    Record(Record<'a>),
}

/// The first line.
#[derive(JsonSchema, Serialize)]
struct Opening {
    #[schemars(extend("const" = "version"))]
    event: &'static str,
    /// The version of the stream.
    version: u32,
    /// The version of okemon.
    okemon: &'static str,
}

/// An event, and where and when it happened.
#[derive(JsonSchema, Serialize)]
struct Record<'a> {
    /// Counts the records from 1; a gap means that some were lost.
    seq: u64,
    /// In UTC, by the clock of the machine that okemon runs on.
    #[schemars(extend("format" = "date-time"))]
    time: String,
    /// The cluster that the step works on; none when it works on no single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    cluster: Option<&'a str>,
    /// The identifier of that cluster's region, such as `ap-singapore-1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    region: Option<&'a str>,
    #[serde(flatten)]
    event: &'a Event,
}

/// Writes JSON to `W`.
#[derive(Debug)]
pub struct Ndjson<W> {
    to: W,
    /// How many records were written; the opening is none of them.
    written: u64,
    /// Each cluster's region, both by name.
    regions: BTreeMap<String, String>,
}

impl<W: Write + Send> Ndjson<W> {
    /// Writes the opening at once.
    pub fn new(mut to: W) -> Self {
        let okemon = env!("CARGO_PKG_VERSION");
        write(&mut to, &Line::Opening(Opening { event: "version", version: VERSION, okemon }));
        Self { to, written: 0, regions: BTreeMap::new() }
    }
}

impl<W: Write + Send> Reporter for Ndjson<W> {
    fn on(&mut self, time: Timestamp, event: &Event) {
        if let Event::RunStarted { clusters, .. } = event {
            let region = |seen: &ClusterSeen| (seen.name.clone(), seen.region.clone());
            self.regions = clusters.iter().map(region).collect();
        }
        self.written += 1;
        let cluster = event.step().and_then(|step| step.split('/').next());
        let known = cluster.and_then(|cluster| self.regions.get_key_value(cluster));
        let record = Record {
            seq: self.written,
            time: format!("{time:.3}"),
            cluster: known.map(|(cluster, _)| cluster.as_str()),
            region: known.map(|(_, region)| region.as_str()),
            event,
        };
        write(&mut self.to, &Line::Record(record));
    }
}

fn write(to: impl Write, line: &Line) {
    // Strings and numbers alone cannot fail to become JSON.
    print(to, &serde_json::to_string(line).unwrap_or_default()).ok();
}

/// The JSON Schema of one line.
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Line>()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use insta::assert_snapshot;

    use super::super::runs::{self, BrokenPipe, Paper, Run, tell};
    use super::*;

    fn stream(run: &Run) -> String {
        let paper = Paper::default();
        tell(&mut Ndjson::new(paper.clone()), run);
        paper.text()
    }

    #[test]
    fn a_fresh_install_streams_every_event_after_the_version() {
        assert_snapshot!(stream(&runs::fresh_install()), @r#"
        {"event":"version","version":1,"okemon":"0.1.0"}
        {"seq":1,"time":"2026-09-21T14:13:20.000Z","event":"run-started","command":"okemon install --region sin","clusters":[{"name":"sin","region":"ap-singapore-1","context":"oke-sin","namespace":"monitoring"}]}
        {"seq":2,"time":"2026-09-21T14:13:20.400Z","cluster":"sin","region":"ap-singapore-1","event":"step-done","step":"sin/bucket","result":"unchanged","summary":"","tookMillis":300}
        {"seq":3,"time":"2026-09-21T14:13:21.000Z","event":"surveyed","changes":[{"step":"sin/secret","action":"add","summary":"apply Secret thanos-objstore-config","details":[]},{"step":"sin/prometheus","action":"change","summary":"upgrade prometheus","details":["prometheus.retention: 72h -> 48h","prometheus.replicas: 1 -> 2"]},{"step":"sin/grafana","action":"remove","summary":"remove dashboard old","details":[]}],"unchanged":1}
        {"seq":4,"time":"2026-09-21T14:13:21.000Z","event":"step-started","step":"charts/kube-prometheus","title":"fetch kube-prometheus 11.3.10"}
        {"seq":5,"time":"2026-09-21T14:13:23.400Z","event":"step-done","step":"charts/kube-prometheus","result":"changed","summary":"fetched kube-prometheus 11.3.10","tookMillis":2400}
        {"seq":6,"time":"2026-09-21T14:13:23.400Z","cluster":"sin","region":"ap-singapore-1","event":"step-started","step":"sin/prometheus","title":"install kube-prometheus 11.3.10"}
        {"seq":7,"time":"2026-09-21T14:13:23.400Z","cluster":"sin","region":"ap-singapore-1","event":"step-runs","step":"sin/prometheus","line":"helm upgrade --install prometheus kube-prometheus.tgz"}
        {"seq":8,"time":"2026-09-21T14:13:35.500Z","cluster":"sin","region":"ap-singapore-1","event":"step-done","step":"sin/prometheus","result":"changed","summary":"installed kube-prometheus 11.3.10","tookMillis":12100}
        {"seq":9,"time":"2026-09-21T14:13:35.500Z","cluster":"sin","region":"ap-singapore-1","event":"step-started","step":"sin/ready","title":"wait until all of it runs"}
        {"seq":10,"time":"2026-09-21T14:13:36.000Z","cluster":"sin","region":"ap-singapore-1","event":"step-waiting","step":"sin/ready","ready":14,"of":16,"findings":[]}
        {"seq":11,"time":"2026-09-21T14:13:38.000Z","cluster":"sin","region":"ap-singapore-1","event":"step-done","step":"sin/ready","result":"ready","summary":"16 of 16 ready","tookMillis":2500}
        {"seq":12,"time":"2026-09-21T14:13:38.000Z","cluster":"sin","region":"ap-singapore-1","event":"step-noted","step":"sin/ready","note":"thanos-storeapi answers at 10.0.0.5"}
        {"seq":13,"time":"2026-09-21T14:13:38.000Z","event":"run-ended","outcome":"done","changed":3,"unchanged":1,"failed":0,"skipped":0,"tookMillis":18000}
        "#);
    }

    #[test]
    fn a_failure_streams_its_findings() {
        assert_snapshot!(stream(&runs::failure()[3..].to_vec()), @r#"
        {"event":"version","version":1,"okemon":"0.1.0"}
        {"seq":1,"time":"2026-09-21T14:14:01.000Z","event":"step-failed","step":"sin/prometheus","error":"helm upgrade: exit status 1\nError: \u001b[31mconflict\u001b[0m","hint":"`helm history prometheus` shows every try","findings":[{"id":"OKM-UNSCHEDULABLE","object":"pod/prometheus-0","reason":"Unschedulable","hint":"kubectl --context oke-sin get events --namespace monitoring","severity":"wrong"}]}
        {"seq":2,"time":"2026-09-21T14:14:01.000Z","event":"step-skipped","step":"sin/ready","because":"it needs sin/prometheus"}
        {"seq":3,"time":"2026-09-21T14:14:01.000Z","event":"step-skipped","step":"sin/dashboards","because":"it needs sin/prometheus"}
        {"seq":4,"time":"2026-09-21T14:14:01.000Z","event":"run-ended","outcome":"failed","changed":1,"unchanged":1,"failed":1,"skipped":2,"tookMillis":41000}
        "#);
    }

    #[test]
    fn every_line_is_one_json_object() {
        for run in [runs::unchanged(), runs::interrupted(), runs::waiting()] {
            let text = stream(&run);
            assert_eq!(text.lines().count(), run.len() + 1);
            for line in text.lines() {
                let value: serde_json::Value = serde_json::from_str(line).expect(line);
                assert!(value["event"].is_string(), "{line}");
            }
        }
    }

    #[test]
    fn a_broken_pipe_does_not_end_the_run() {
        tell(&mut Ndjson::new(BrokenPipe), &runs::failure());
    }

    /// Writes it anew when the types have changed, so that the change is seen and committed.
    #[test]
    fn the_schema_in_docs_is_that_of_the_types() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.schema.json");
        let schema = serde_json::to_string_pretty(&schema()).expect("a schema is JSON") + "\n";
        if fs::read_to_string(&path).ok().as_ref() != Some(&schema) {
            fs::create_dir_all(path.parent().expect("it has one")).expect("docs can be made");
            fs::write(&path, schema).expect("docs can be written");
            panic!("{} was out of date and has been written anew: commit it", path.display());
        }
    }
}
