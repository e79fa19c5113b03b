//! What is read from files, tools and servers, broken in every way that a loop finds in a given time:
//! nothing may panic, or take long. `make fuzz` gives it minutes, `make test-fast` a moment.
//!
//! The loop is its own, since those that are guided by coverage need a compiler or a linker that the
//! other tests do not: it is guided by what is said of an input instead, and breaks trees as trees.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "no part of okemon")]

mod mutate;
mod targets;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, thread};

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use mutate::Mutator;
use targets::{TARGETS, Target};

/// No input may take longer, by the clock of this thread, which does not count what others take.
const LONGEST: Duration = Duration::from_secs(10);
/// As many inputs of which something new was said are kept to be broken further.
const KEPT: usize = 5000;

#[test]
fn every_seed_is_borne() {
    for target in TARGETS {
        for seed in seeds(target) {
            said(target, &seed);
        }
    }
}

#[test]
fn no_input_is_too_much() {
    let seconds = env::var("OKEMON_FUZZ_SECONDS").map_or(2, |seconds| seconds.parse().unwrap());
    let each = Duration::from_secs(seconds) / u32::try_from(TARGETS.len()).unwrap();
    thread::scope(|scope| {
        for target in TARGETS {
            scope.spawn(move || {
                let (tried, different) = search(target, each);
                println!("{}: {tried} inputs, {different} different answers", target.name);
            });
        }
    });
}

/// Breaks inputs for so long; tells how many there were, and how many different things were said.
fn search(target: &Target, time: Duration) -> (usize, usize) {
    let mut corpus = seeds(target);
    let mut heard: BTreeSet<String> = corpus.iter().map(|seed| said(target, seed)).collect();
    let mut mutator = Mutator::new(StdRng::seed_from_u64(rand::random()));
    let (end, mut tried) = (spent() + time, 0);
    while spent() < end {
        let input = mutator.mutated(&corpus);
        tried += 1;
        if heard.insert(said(target, &input)) && corpus.len() < KEPT {
            corpus.push(input);
        }
    }
    (tried, heard.len())
}

/// What is said of an input, without its figures and names.
fn said(target: &Target, input: &[u8]) -> String {
    let begin = spent();
    let said = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let took = spent().saturating_sub(begin);
    let Ok(said) = said else {
        panic!("{} panics: {}", target.name, kept(target, input).display())
    };
    assert!(took < LONGEST, "{} takes {took:?}: {}", target.name, kept(target, input).display());
    let shape = said.split('"').step_by(2).collect::<String>();
    shape.chars().filter(|c| !c.is_ascii_digit()).take(300).collect()
}

/// How long this thread has been at work.
fn spent() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// Keeps an input that is too much, to be moved to the seeds when it is mended.
fn kept(target: &Target, input: &[u8]) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(target.name);
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(format!("{:08x}", rand::random::<u32>()));
    fs::write(&path, input).unwrap();
    path
}

/// The seeds of a target: its own, and what the other tests have recorded.
fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = format!("tests/fuzz/seeds/{}", target.name);
    let mut files = Vec::new();
    for path in target.seeds.iter().copied().chain([own.as_str()]) {
        let path = repository.join(path);
        match fs::read_dir(&path) {
            Ok(entries) => files.extend(entries.map(|entry| entry.unwrap().path())),
            Err(_) => files.push(path),
        }
    }
    files.retain(|path| path.is_file());
    files.sort();
    assert!(!files.is_empty(), "{} has no seeds", target.name);
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}
