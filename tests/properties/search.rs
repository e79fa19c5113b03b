//! Looks for a case that breaks a property, many cases a check, and makes it small before it is shown.
//!
//! What a check costs is mostly a program that is started; so it is given hundreds of cases at once,
//! which the macros of proptest do not do.

use std::fmt::Debug;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};

/// As many as one check is given.
const AT_ONCE: usize = 500;
/// How long a case that breaks the property is made smaller.
const PATIENCE: Duration = Duration::from_mins(1);

/// Panics with the smallest case found, and what is wrong with it, when a check faults one of `cases`
/// random ones. It answers for each case that it is given, in order. Every processor has a strategy
/// and a check of its own, and says how many are left.
pub(crate) fn hold<S: Strategy, C: Fn(&[S::Value]) -> Vec<Option<String>>>(
    strategy: impl Fn() -> S + Sync,
    cases: usize,
    check: impl Fn() -> C + Sync,
    shown: impl Fn(&S::Value) -> String + Sync,
) where
    S::Value: Debug,
{
    let left = AtomicUsize::new(cases);
    let search = || {
        let (strategy, check) = (strategy(), check());
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
        while let Some(count) = take(&left) {
            if let Some((tree, fault)) = broken(&strategy, &mut runner, count, &check) {
                left.store(0, Ordering::Relaxed);
                println!("{fault}\n\nThis is made smaller.");
                let (value, fault) =
                    smallest(tree, fault, |value| check(std::slice::from_ref(value)).remove(0));
                panic!("{fault}\n\nwith\n\n{}", shown(&value));
            }
            println!("{count} more hold, {} are left", left.load(Ordering::Relaxed));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(search);
        }
    });
}

/// How many cases are to be tried now, of those that are left.
fn take(left: &AtomicUsize) -> Option<usize> {
    let rest = |left: usize| (left > 0).then(|| left.saturating_sub(AT_ONCE));
    let left = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest).ok()?;
    Some(left.min(AT_ONCE))
}

/// The first of `count` new cases that is faulted, and the fault.
fn broken<S: Strategy>(
    strategy: &S,
    runner: &mut TestRunner,
    count: usize,
    check: impl Fn(&[S::Value]) -> Vec<Option<String>>,
) -> Option<(S::Tree, String)> {
    let trees: Vec<_> = (0..count).map(|_| strategy.new_tree(runner).unwrap()).collect();
    let values: Vec<_> = trees.iter().map(ValueTree::current).collect();
    let faults = check(&values);
    assert_eq!(faults.len(), values.len(), "an answer for each case");
    trees.into_iter().zip(faults).find_map(|(tree, fault)| Some((tree, fault?)))
}

/// The smallest case that is still faulted, and the fault.
fn smallest<T: ValueTree>(
    mut tree: T,
    fault: String,
    check: impl Fn(&T::Value) -> Option<String>,
) -> (T::Value, String) {
    let mut found = (tree.current(), fault);
    let mut moved = tree.simplify();
    let begin = Instant::now();
    while moved && begin.elapsed() < PATIENCE {
        let value = tree.current();
        moved = match check(&value) {
            Some(fault) => {
                found = (value, fault);
                tree.simplify()
            }
            None => tree.complicate(),
        };
    }
    found
}
