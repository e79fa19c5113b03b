//! When waiting goes on, and when it ends.

use std::time::Duration;

use super::super::catalogue::Id;
use super::super::progress::{Patience, Verdict};
use super::super::{Finding, Severity};
use super::*;

const LIMIT: u64 = 300;

/// What is decided after each look, made so many seconds after the start.
fn verdicts(mut patience: Patience, looks: &[(u64, &Diagnosis)]) -> String {
    let verdict = |(seconds, diagnosis): &(u64, &Diagnosis)| match patience
        .observe(Duration::from_secs(*seconds), diagnosis)
    {
        Verdict::Ready => "ready",
        Verdict::Wait => "wait",
        Verdict::Fail { findings } => {
            assert!(!findings.is_empty());
            "fail"
        }
    };
    looks.iter().map(verdict).collect::<Vec<_>>().join(" ")
}

fn of(severity: Severity, reason: &str) -> Diagnosis {
    let (object, reason) = ("pod/a".into(), reason.into());
    let finding = Finding { id: Id::Crash, object, reason, hint: None, severity };
    Diagnosis { ready: 1, of: 2, findings: vec![finding], ..Diagnosis::default() }
}

#[test]
fn all_ready_is_ready() {
    let ready = Diagnosis { ready: 2, of: 2, ..Diagnosis::default() };
    assert_eq!(verdicts(Patience::default(), &[(0, &ready)]), "ready");
}

#[test]
fn what_is_final_in_two_looks_in_a_row_fails_at_once() {
    let missing = of(Severity::Final, "ImagePullBackOff: x: not found");
    let mut patience = Patience::default();
    assert_eq!(patience.observe(Duration::ZERO, &missing), Verdict::Wait);
    let mut both = missing.clone();
    both.findings.extend(of(Severity::Wrong, "Unhealthy").findings);
    let proven = Verdict::Fail { findings: missing.findings };
    assert_eq!(patience.observe(Duration::from_secs(1), &both), proven);
}

#[test]
fn what_is_final_in_one_look_alone_may_have_been_replaced() {
    let missing = of(Severity::Final, "ImagePullBackOff: x: not found");
    let starting = of(Severity::Starting, "0 of 1 ready");
    let looks = [(0, &missing), (1, &starting), (2, &missing), (3, &missing)];
    assert_eq!(verdicts(Patience::default(), &looks), "wait wait wait fail");
}

#[test]
fn what_an_earlier_run_has_left_is_final_only_when_it_comes_again() {
    let missing = of(Severity::Final, "ImagePullBackOff: x: not found");
    let starting = of(Severity::Starting, "0 of 1 ready");
    let looks = [(0, &missing), (1, &missing), (9, &starting), (10, &missing), (11, &missing)];
    assert_eq!(verdicts(Patience::default().resuming(), &looks), "wait wait wait wait fail");
    let looks = [(0, &missing), (LIMIT, &missing)];
    assert_eq!(verdicts(Patience::default().resuming(), &looks), "wait fail");
}

#[test]
fn five_minutes_without_a_change_fail_and_each_change_begins_them_anew() {
    let wrong = of(Severity::Wrong, "CrashLoopBackOff: query ended with 1");
    let again = Diagnosis { restarts: 1, ..wrong.clone() };
    let looks = [(10, &wrong), (309, &wrong), (310, &wrong)];
    assert_eq!(verdicts(Patience::default(), &looks), "wait wait fail");
    let looks = [(10, &wrong), (309, &again), (310, &again), (608, &again), (609, &again)];
    assert_eq!(verdicts(Patience::default(), &looks), "wait wait wait wait fail");
}

#[test]
fn the_same_cause_in_other_words_is_no_change() {
    let wrong = of(Severity::Wrong, "Unhealthy: read tcp 10.0.0.1:51234: connection reset");
    let other = of(Severity::Wrong, "Unhealthy: read tcp 10.0.0.1:51235: connection reset");
    assert_eq!(verdicts(Patience::default(), &[(0, &wrong), (LIMIT, &other)]), "wait fail");
}

#[test]
fn what_buys_time_is_waited_for() {
    let scaling = Diagnosis { buys_time: true, ..of(Severity::Wrong, "Unschedulable: 0/3 nodes") };
    let given_up = Diagnosis { buys_time: false, ..scaling.clone() };
    let looks =
        [(0, &scaling), (900, &scaling), (901, &given_up), (1199, &given_up), (1200, &given_up)];
    assert_eq!(verdicts(Patience::default(), &looks), "wait wait wait wait fail");
}
