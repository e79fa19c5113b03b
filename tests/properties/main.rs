//! What holds for every configuration: it is planned and shown, Helm reads from every document what
//! was meant, and what was installed with it is found unchanged.
//!
//! `OKEMON_CASES` says how many are tried: `make properties` tries a hundred thousand.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "no part of okemon"
)]

mod configurations;
mod helm;
mod own;
mod rendered;
mod search;
mod words;

use std::env;

use configurations::{Configuration, configuration};
use helm::Helm;
use rendered::Rendering;

/// As many as take some seconds, unoptimized.
const CASES: usize = 200;

#[test]
fn helm_reads_what_every_configuration_means() {
    let cases = env::var("OKEMON_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let check = || {
        let rendering = Rendering::new();
        move |cases: &[Configuration]| rendering.faults(cases)
    };
    search::hold(configuration, cases, check, Configuration::shown);
}

/// All of the above rests on it.
#[test]
fn a_template_reads_yaml_as_helm_reads_values() {
    let runner = &mut proptest::test_runner::TestRunner::default();
    for helm in Helm::both() {
        for _ in 0..5 {
            let text = proptest::strategy::ValueTree::current(
                &proptest::strategy::Strategy::new_tree(&own::own_values(), runner).unwrap(),
            );
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &text).unwrap();
            let read = helm.read(std::slice::from_ref(&text)).remove(0);
            if read.get("Error").is_none() {
                assert_eq!(helm.values(&[file.path()]), read, "{text}");
            }
        }
    }
}
