//! A run as plain lines, for pipes and CI: a line a change, and a sign of life in a long silence.
//!
//! No cursor is moved and nothing is written twice. What is worth saying is left to
//! `story`.

use std::io::Write;

use jiff::Timestamp;

use super::event::Event;
use super::story::Story;
use super::words::Said;
use super::{Reporter, Verbosity, print};

/// How many seconds a step at work may be silent.
const HEARTBEAT: u64 = 30;

/// Writes lines to `W`.
#[derive(Debug)]
pub struct Lines<W> {
    to: W,
    color: bool,
    story: Story,
}

impl<W: Write + Send> Lines<W> {
    pub fn new(to: W, verbosity: Verbosity, color: bool) -> Self {
        Self { to, color, story: Story::new(verbosity) }
    }

    fn write(&mut self, said: &[Said]) {
        for said in said {
            print(&mut self.to, &said.line(self.color)).ok();
        }
    }
}

impl<W: Write + Send> Reporter for Lines<W> {
    fn on(&mut self, time: Timestamp, event: &Event) {
        let said = self.story.on(time, event);
        self.write(&said);
        self.tick(time);
    }

    fn tick(&mut self, time: Timestamp) {
        let said = self.story.heartbeats(time, HEARTBEAT);
        self.write(&said);
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::runs::{self, BrokenPipe, Paper, Run, at, tell};
    use super::*;

    fn lines(run: &Run, verbosity: Verbosity) -> String {
        let paper = Paper::default();
        tell(&mut Lines::new(paper.clone(), verbosity, false), run);
        paper.text()
    }

    #[test]
    fn a_fresh_install_says_what_it_will_do_and_then_each_change() {
        assert_snapshot!(lines(&runs::fresh_install(), Verbosity::Normal), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitoring
        sin/bucket  unchanged
        + sin/secret      apply Secret thanos-objstore-config
        ~ sin/prometheus  upgrade prometheus
            prometheus.retention: 72h -> 48h
            prometheus.replicas: 1 -> 2
        - sin/grafana     remove dashboard old
        Plan: 3 to change, 1 unchanged.
        charts/kube-prometheus  fetched kube-prometheus 11.3.10 (2.4 s)
        sin/prometheus  installed kube-prometheus 11.3.10 (12 s)
        sin/ready  waiting, 14 of 16 ready (0 s)
        sin/ready  16 of 16 ready (2.5 s)
        sin/ready  thanos-storeapi answers at 10.0.0.5
        Done: 3 changed, 1 unchanged (18 s)
        ");
    }

    #[test]
    fn verbose_also_shows_commands_and_timings() {
        assert_snapshot!(lines(&runs::fresh_install(), Verbosity::Verbose), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitoring
        sin/bucket  unchanged
        + sin/secret      apply Secret thanos-objstore-config
        ~ sin/prometheus  upgrade prometheus
            prometheus.retention: 72h -> 48h
            prometheus.replicas: 1 -> 2
        - sin/grafana     remove dashboard old
        Plan: 3 to change, 1 unchanged.
        charts/kube-prometheus  fetch kube-prometheus 11.3.10 ...
        charts/kube-prometheus  fetched kube-prometheus 11.3.10 (2.4 s)
        sin/prometheus  install kube-prometheus 11.3.10 ...
        sin/prometheus  $ helm upgrade --install prometheus kube-prometheus.tgz
        sin/prometheus  installed kube-prometheus 11.3.10 (12 s)
        sin/ready  wait until all of it runs ...
        sin/ready  waiting, 14 of 16 ready (0 s)
        sin/ready  16 of 16 ready (2.5 s)
        sin/ready  thanos-storeapi answers at 10.0.0.5
        Timings:
             0.3 s  sin/bucket
             2.4 s  charts/kube-prometheus
              12 s  sin/prometheus
             2.5 s  sin/ready
        Done: 3 changed, 1 unchanged (18 s)
        ");
    }

    #[test]
    fn an_unchanged_run_says_so_for_every_step() {
        assert_snapshot!(lines(&runs::unchanged(), Verbosity::Normal), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitoring
        Plan: 0 to change, 2 unchanged.
        sin/bucket  unchanged
        sin/prometheus  unchanged: kube-prometheus 11.3.10
        Unchanged: everything is as configured (1.2 s)
        ");
    }

    #[test]
    fn a_failure_ends_with_the_error_and_what_to_type() {
        assert_snapshot!(lines(&runs::failure(), Verbosity::Normal), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitoring
        + sin/secret      apply Secret thanos-objstore-config
        ~ sin/prometheus  upgrade prometheus
            prometheus.retention: 72h -> 48h
            prometheus.replicas: 1 -> 2
        - sin/grafana     remove dashboard old
        Plan: 3 to change, 1 unchanged.
        sin/prometheus  failed after 40 s: helm upgrade: exit status 1
        Failed: 1 changed, 1 unchanged, 1 failed, 2 skipped (41 s)
        skipped: sin/ready, sin/dashboards (it needs sin/prometheus)
        error: sin/prometheus: helm upgrade: exit status 1
            Error: conflict
            pod/prometheus-0: Unschedulable (OKM-UNSCHEDULABLE)
                hint: kubectl --context oke-sin get events --namespace monitoring
        hint: `helm history prometheus` shows every try
        ");
    }

    #[test]
    fn quiet_keeps_failures_and_the_last_line() {
        assert_snapshot!(lines(&runs::failure(), Verbosity::Quiet), @"
        sin/prometheus  failed after 40 s: helm upgrade: exit status 1
        Failed: 1 changed, 1 unchanged, 1 failed, 2 skipped (41 s)
        error: sin/prometheus: helm upgrade: exit status 1
            Error: conflict
            pod/prometheus-0: Unschedulable (OKM-UNSCHEDULABLE)
                hint: kubectl --context oke-sin get events --namespace monitoring
        hint: `helm history prometheus` shows every try
        ");
        assert_snapshot!(lines(&runs::unchanged(), Verbosity::Quiet), @"Unchanged: everything is as configured (1.2 s)");
    }

    #[test]
    fn an_interruption_says_what_is_done_and_how_to_go_on() {
        assert_snapshot!(lines(&runs::interrupted(), Verbosity::Normal), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitoring
        + sin/secret      apply Secret thanos-objstore-config
        ~ sin/prometheus  upgrade prometheus
            prometheus.retention: 72h -> 48h
            prometheus.replicas: 1 -> 2
        - sin/grafana     remove dashboard old
        Plan: 3 to change, 1 unchanged.
        charts/kube-prometheus  fetched kube-prometheus 11.3.10 (2.4 s)
        Stopping: what runs gets time to end well; Ctrl-C again ends it at once
        Interrupted: 1 changed, 1 unchanged, 2 skipped (11 s)
        done: charts/kube-prometheus
        skipped: sin/prometheus, sin/ready (interrupted)
        hint: okemon install --region sin  (run again: it goes on from here)
        ");
    }

    #[test]
    fn a_wait_says_each_reason_once_and_gives_a_sign_of_life() {
        assert_snapshot!(lines(&runs::waiting(), Verbosity::Normal), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitoring
        Plan: 0 to change, 0 unchanged.
        sin/ready  waiting, 12 of 16 ready (0 s)
        sin/ready  waiting, 14 of 16 ready (6 s)
        sin/ready  pod/thanos-query-0: ImagePullBackOff: quay.io/thanos:0.39 not found (OKM-IMAGE-MISSING)
            hint: okemon images  (compare with your mirror)
        sin/ready  still waiting, 14 of 16 ready (36 s): pod/thanos-query-0: ImagePullBackOff: quay.io/thanos:0.39 not found
        sin/ready  pvc/data-0: no storage class is the default (OKM-VOLUME-PENDING)
        sin/ready  still waiting, 14 of 16 ready (1m20s): pod/thanos-query-0: ImagePullBackOff: quay.io/thanos:0.39 not found
        ");
    }

    #[test]
    fn a_long_step_without_events_gives_a_sign_of_life() {
        let paper = Paper::default();
        let mut lines = Lines::new(paper.clone(), Verbosity::Normal, false);
        tell(&mut lines, &runs::failure()[..3].to_vec());
        for millis in (1_000..70_000).step_by(200) {
            lines.tick(at(millis));
        }
        assert_snapshot!(paper.text(), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitoring
        + sin/secret      apply Secret thanos-objstore-config
        ~ sin/prometheus  upgrade prometheus
            prometheus.retention: 72h -> 48h
            prometheus.replicas: 1 -> 2
        - sin/grafana     remove dashboard old
        Plan: 3 to change, 1 unchanged.
        sin/prometheus  still at work: install kube-prometheus 11.3.10 (30 s)
        sin/prometheus  still at work: install kube-prometheus 11.3.10 (1m00s)
        ");
    }

    #[test]
    fn colour_is_for_who_asks_for_it() {
        let paper = Paper::default();
        tell(&mut Lines::new(paper.clone(), Verbosity::Normal, true), &runs::failure());
        assert_eq!(
            console::strip_ansi_codes(&paper.text()),
            lines(&runs::failure(), Verbosity::Normal)
        );
        assert!(paper.text().contains("\u{1b}[31m\u{1b}[1merror: \u{1b}[0m"));
        assert!(!lines(&runs::failure(), Verbosity::Verbose).contains('\u{1b}'));
    }

    #[test]
    fn a_broken_pipe_does_not_end_the_run() {
        tell(&mut Lines::new(BrokenPipe, Verbosity::Verbose, false), &runs::failure());
    }
}
