//! Looks for a case that breaks a property, many cases a check, and makes it small before it is shown.
//!
//! What a check costs is mostly a program that is started; so it is given hundreds of cases at once,
//! which the macros of proptest do not do.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};

/// As many as one check is given.
const AT_ONCE: usize = 500;
/// How long a case that breaks the property is made smaller.
const PATIENCE: Duration = Duration::from_mins(1);

/// Panics with the smallest case found, and what is wrong with it, when `check` faults one of
/// `cases` random ones. It answers for each case that it is given, in order.
pub(crate) fn hold<S: Strategy>(
    strategy: &S,
    cases: usize,
    check: impl Fn(&[S::Value]) -> Vec<Option<String>>,
    shown: impl Fn(&S::Value) -> String,
) where
    S::Value: Debug,
{
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let mut left = cases;
    while left > 0 {
        let mut trees = Vec::new();
        for _ in 0..left.min(AT_ONCE) {
            trees.push(strategy.new_tree(&mut runner).unwrap());
        }
        left -= trees.len();
        let values: Vec<_> = trees.iter().map(ValueTree::current).collect();
        let faults = check(&values);
        assert_eq!(faults.len(), values.len(), "an answer for each case");
        let broken = trees.into_iter().zip(faults).find_map(|(tree, fault)| Some((tree, fault?)));
        if let Some((tree, fault)) = broken {
            println!("{fault}\n\nThis is made smaller.");
            let (value, fault) =
                smallest(tree, fault, |value| check(std::slice::from_ref(value)).remove(0));
            panic!("{fault}\n\nwith\n\n{}", shown(&value));
        }
    }
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
