//! A run on a terminal: a line for each step at work, above it what is done and what went wrong.
//!
//! The cursor is never hidden, so it cannot be left hidden. Nothing moves by itself: the spinners
//! turn with [`Reporter::tick`], so a run that hangs is seen to hang. What is worth saying is left
//! to `story`.

use std::collections::BTreeMap;

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use jiff::Timestamp;

use super::event::Event;
use super::story::Story;
use super::words::Mark;
use super::{Reporter, Verbosity};

/// How often a second the lines at work are drawn at most.
const DRAWS: u8 = 20;

/// Draws on the terminal `T`.
#[derive(Debug)]
pub struct Tty<T> {
    term: T,
    color: bool,
    story: Story,
    /// The lines at work, always the last on the screen.
    work: MultiProgress,
    /// One for each step at work, by step.
    bars: BTreeMap<String, ProgressBar>,
}

impl<T: TermLike + Clone + 'static> Tty<T> {
    pub fn new(term: T, verbosity: Verbosity, color: bool) -> Self {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(term.clone()), DRAWS);
        Self::drawn_on(target, term, verbosity, color)
    }

    fn drawn_on(target: ProgressDrawTarget, term: T, verbosity: Verbosity, color: bool) -> Self {
        let work = MultiProgress::with_draw_target(target);
        Self { term, color, story: Story::new(verbosity), work, bars: BTreeMap::new() }
    }

    /// Has a bar for each step at work and none else.
    fn draw(&mut self, time: Timestamp) {
        let work: BTreeMap<&str, String> = self.story.at_work(time).collect();
        self.bars.retain(|step, bar| {
            let at_work = work.contains_key(step.as_str());
            if !at_work {
                bar.finish_and_clear();
                self.work.remove(bar);
            }
            at_work
        });
        for (step, line) in work {
            let line = line.lines().next().unwrap_or_default().to_owned();
            let bar = self.bars.entry(step.to_owned());
            let bar = bar.or_insert_with(|| self.work.add(spinner()));
            if bar.message() != line {
                bar.set_message(line);
            }
        }
    }

    /// Writes what stays, above the lines at work; they come back with the next draw.
    ///
    /// A terminal that is gone is no reason to end a run.
    fn write(&self, text: &str) {
        self.work.clear().ok();
        text.lines().try_for_each(|line| self.term.write_line(line)).ok();
        self.term.flush().ok();
    }
}

impl Tty<Term> {
    /// Draws on stderr, which must be a terminal that can move its cursor.
    pub fn stderr(verbosity: Verbosity, color: bool) -> Self {
        Self::new(Term::buffered_stderr(), verbosity, color)
    }
}

impl<T: TermLike + Clone + 'static> Reporter for Tty<T> {
    fn on(&mut self, time: Timestamp, event: &Event) {
        let said = self.story.on(time, event);
        for said in said.iter().filter(|said| said.mark != Mark::Progress) {
            self.write(&said.receipt(self.color));
        }
        self.draw(time);
    }

    fn tick(&mut self, time: Timestamp) {
        self.draw(time);
        for bar in self.bars.values() {
            bar.tick();
        }
    }
}

impl<T> Drop for Tty<T> {
    fn drop(&mut self) {
        self.work.clear().ok();
    }
}

/// A line that is cut at the terminal's width, since a wrapped one could not be redrawn.
fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ");
    // It starts hidden and is drawn by the screen that it is added to.
    ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_style(style)
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;
    use insta::assert_snapshot;

    use super::super::runs::{self, Run, at, tell};
    use super::*;

    fn tty(width: u16, verbosity: Verbosity) -> (InMemoryTerm, Tty<InMemoryTerm>) {
        let term = InMemoryTerm::new(30, width);
        // Without a limit of draws, which would make the screen depend on the machine's speed.
        let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
        (term.clone(), Tty::drawn_on(target, term, verbosity, false))
    }

    /// The whole screen when the run is over.
    fn screen(run: &Run) -> String {
        let (term, mut tty) = tty(100, Verbosity::Normal);
        tell(&mut tty, run);
        drop(tty);
        term.contents()
    }

    #[test]
    fn a_fresh_install_leaves_a_receipt_for_every_step() {
        assert_snapshot!(screen(&runs::fresh_install()), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitoring
        ✓ sin/bucket  unchanged
        + sin/secret      apply Secret thanos-objstore-config
        ~ sin/prometheus  upgrade prometheus
            prometheus.retention: 72h -> 48h
            prometheus.replicas: 1 -> 2
        - sin/grafana     remove dashboard old
        Plan: 3 to change, 1 unchanged.
        ✓ charts/kube-prometheus  fetched kube-prometheus 11.3.10 (2.4 s)
        ✓ sin/prometheus  installed kube-prometheus 11.3.10 (12 s)
        ✓ sin/ready  16 of 16 ready (2.5 s)
        · sin/ready  thanos-storeapi answers at 10.0.0.5
        ✓ Done: 3 changed, 1 unchanged (18 s)
        ");
    }

    #[test]
    fn a_failure_stands_out_and_ends_with_what_to_type() {
        assert_snapshot!(screen(&runs::failure()), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitoring
        + sin/secret      apply Secret thanos-objstore-config
        ~ sin/prometheus  upgrade prometheus
            prometheus.retention: 72h -> 48h
            prometheus.replicas: 1 -> 2
        - sin/grafana     remove dashboard old
        Plan: 3 to change, 1 unchanged.
        ✗ sin/prometheus  failed after 40 s: helm upgrade: exit status 1
        ✗ Failed: 1 changed, 1 unchanged, 1 failed, 2 skipped (41 s)
        ○ skipped: sin/ready, sin/dashboards (it needs sin/prometheus)
        error: sin/prometheus: helm upgrade: exit status 1
            Error: conflict
            pod/prometheus-0: Unschedulable (OKM-UNSCHEDULABLE)
                hint: kubectl --context oke-sin get events --namespace monitoring
        hint: `helm history prometheus` shows every try
        ");
    }

    #[test]
    fn an_interruption_leaves_no_spinner() {
        assert_snapshot!(screen(&runs::interrupted()), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitoring
        + sin/secret      apply Secret thanos-objstore-config
        ~ sin/prometheus  upgrade prometheus
            prometheus.retention: 72h -> 48h
            prometheus.replicas: 1 -> 2
        - sin/grafana     remove dashboard old
        Plan: 3 to change, 1 unchanged.
        ✓ charts/kube-prometheus  fetched kube-prometheus 11.3.10 (2.4 s)
        ! Stopping: what runs gets time to end well; Ctrl-C again ends it at once
        ! Interrupted: 1 changed, 1 unchanged, 2 skipped (11 s)
        ✓ done: charts/kube-prometheus
        ○ skipped: sin/prometheus, sin/ready (interrupted)
        hint: okemon install --region sin  (run again: it goes on from here)
        ");
    }

    #[test]
    fn a_step_at_work_has_one_line_cut_at_the_width() {
        let (term, mut tty) = tty(60, Verbosity::Normal);
        tell(&mut tty, &runs::waiting()[..12].to_vec());
        tty.tick(at(19_000));
        assert_snapshot!(term.contents(), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitori
        ng
        Plan: 0 to change, 0 unchanged.
        ! sin/ready  pod/thanos-query-0: ImagePullBackOff: quay.io/t
        hanos:0.39 not found (OKM-IMAGE-MISSING)
            hint: okemon images  (compare with your mirror)
        ⠙ sin/ready  waiting, 14 of 16 ready (19 s): pod/thanos-quer
        ");
        tty.tick(at(20_000));
        assert_snapshot!(term.contents(), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitori
        ng
        Plan: 0 to change, 0 unchanged.
        ! sin/ready  pod/thanos-query-0: ImagePullBackOff: quay.io/t
        hanos:0.39 not found (OKM-IMAGE-MISSING)
            hint: okemon images  (compare with your mirror)
        ⠹ sin/ready  waiting, 14 of 16 ready (20 s): pod/thanos-quer
        ");
    }

    #[test]
    fn the_looks_are_shown_at_work() {
        let (term, mut tty) = tty(60, Verbosity::Normal);
        tell(&mut tty, &runs::failure()[..1].to_vec());
        tty.tick(at(600));
        assert_snapshot!(term.contents(), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitori
        ng
        ⠙ look  at what is there (0 s)
        ");
        drop(tty);
        assert_snapshot!(term.contents(), @"
        okemon install --region sin
            sin: ap-singapore-1, context oke-sin, namespace monitori
        ng
        ");
    }

    #[test]
    fn quiet_draws_only_what_is_at_work() {
        let (term, mut tty) = tty(60, Verbosity::Quiet);
        tell(&mut tty, &runs::failure()[..3].to_vec());
        assert_snapshot!(term.contents(), @"⠋ sin/prometheus  install kube-prometheus 11.3.10 (0 s)");
        tell(&mut tty, &runs::failure()[3..].to_vec());
        assert_snapshot!(term.contents(), @"
        ✗ sin/prometheus  failed after 40 s: helm upgrade: exit stat
        us 1
        ✗ Failed: 1 changed, 1 unchanged, 1 failed, 2 skipped (41 s)
        error: sin/prometheus: helm upgrade: exit status 1
            Error: conflict
            pod/prometheus-0: Unschedulable (OKM-UNSCHEDULABLE)
                hint: kubectl --context oke-sin get events --namespa
        ce monitoring
        hint: `helm history prometheus` shows every try
        ");
    }
}
