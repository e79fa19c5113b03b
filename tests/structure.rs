//! The shape of the code: which module may know which, and who alone may touch the world.
//!
//! A new arrow is a decision: make it here, where the next reader looks for it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may use whom. A module that stands further down never uses one that stands above it.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["cli", "environment"]),
    (
        "cli",
        &["ask", "commands", "config", "environment", "fail", "plan", "report", "run", "tools"],
    ),
    (
        "commands",
        &[
            "ask",
            "checks",
            "config",
            "content",
            "diagnose",
            "environment",
            "fail",
            "plan",
            "report",
            "run",
            "status",
            "tools",
            "verify",
        ],
    ),
    ("environment", &["fail", "tools"]),
    (
        "run",
        &[
            "checks",
            "config",
            "content",
            "diagnose",
            "environment",
            "fail",
            "observe",
            "plan",
            "report",
            "tools",
            "verify",
        ],
    ),
    ("verify", &["checks", "content", "diagnose", "observe", "tools"]),
    ("report", &["checks", "diagnose", "plan", "status"]),
    ("status", &["config", "content", "diagnose", "observe", "verify"]),
    ("checks", &["config", "content", "diagnose", "fail", "plan", "tools"]),
    ("plan", &["config", "content", "diagnose", "fail", "observe", "tools"]),
    ("diagnose", &["observe", "tools"]),
    ("observe", &[]),
    ("tools", &["config", "content", "fail"]),
    ("content", &["config"]),
    ("config", &[]),
    ("ask", &[]),
    ("fail", &[]),
];

/// What only these files may name, whatever else they do; a folder stands for all that is in it.
const DOORS: &[(&str, &[&str], &[&str])] = &[
    (
        "starts processes",
        &["duct::", "process::Command", "Command::new("],
        // Its `Command` is the one that `exec` is about to start.
        &["src/run/exec.rs", "src/run/exec", "src/run/watchdog.rs"],
    ),
    ("speaks HTTP", &["ureq::", "TcpStream", "reqwest", "hyper"], &["src/run/http.rs"]),
    (
        "reads the environment",
        &["env::var", "env::args", "env::current_dir", "env::current_exe", "env::home_dir"],
        &["src/environment.rs"],
    ),
    (
        "prints",
        &["println!", "print!(", "io::stdout", "io::stderr", "Term::std"],
        // A prompt is drawn where it is asked.
        &["src/report", "src/ask.rs", "src/environment.rs"],
    ),
    (
        "reads what is typed",
        &["io::stdin"],
        &["src/ask.rs", "src/environment.rs", "src/run/watchdog.rs"],
    ),
    ("ends the process", &["process::exit", "process::abort"], &[]),
];

const LONGEST: usize = 400;
/// A list in which one looks something up.
const LISTS: &[&str] = &["src/diagnose/catalogue/entries.rs"];

#[test]
fn the_modules_use_each_other_along_the_arrows_alone() {
    let mut found = BTreeSet::new();
    for file in sources() {
        let module = module(&file);
        let names = code(&file).into_iter().flat_map(|line| used(&line));
        found.extend(names.filter(|used| *used != module).map(|used| (module.clone(), used)));
    }
    let mut allowed = BTreeSet::new();
    for (from, to) in ARROWS {
        allowed.extend(to.iter().map(|to| ((*from).to_owned(), (*to).to_owned())));
    }
    let new: Vec<_> = found.difference(&allowed).collect();
    let gone: Vec<_> = allowed.difference(&found).collect();
    assert!(new.is_empty(), "new arrows, which tests/structure.rs does not know: {new:?}");
    assert!(
        gone.is_empty(),
        "arrows that are no more, take them out of tests/structure.rs: {gone:?}"
    );
}

#[test]
fn only_the_doors_touch_the_world() {
    let mut wrong = Vec::new();
    for file in sources() {
        for (number, line) in code(&file).iter().enumerate() {
            for (what, words, may) in DOORS {
                let allowed = may.iter().any(|door| file.starts_with(door));
                if !allowed && words.iter().any(|word| line.contains(word)) {
                    wrong.push(format!(
                        "{}:{}: {what}: {}",
                        file.display(),
                        number + 1,
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_first_what_it_is_for_and_is_read_in_one_go() {
    let mut wrong = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(repository().join(&file)).unwrap();
        if !text.starts_with("//! ") {
            wrong.push(format!("{} does not open with `//!`", file.display()));
        }
        let lines = text.lines().count();
        let list = LISTS.iter().any(|list| file == Path::new(list));
        if lines > LONGEST && !list {
            wrong.push(format!("{} has {lines} lines, more than {LONGEST}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names of the top modules in `crate::NAME` and `okemon::NAME`.
fn used(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    for root in ["crate::", "okemon::"] {
        for (_, rest) in line.match_indices(root).map(|(at, _)| line.split_at(at + root.len())) {
            assert!(!rest.starts_with('{'), "a `use` each, so that this test can read it: {line}");
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            names.push(rest[..end].to_owned());
        }
    }
    names
}

/// The lines of a file without comments, up to its tests.
fn code(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(repository().join(file)).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
    let bare = |line: &str| {
        let comment = line.trim_start().starts_with("//");
        if comment { String::new() } else { line.to_owned() }
    };
    text.lines().map(bare).collect()
}

/// `plan` for `src/plan/step.rs`, `fail` for `src/fail.rs`.
fn module(file: &Path) -> String {
    let part = file.iter().nth(1).unwrap().to_string_lossy();
    part.trim_end_matches(".rs").to_owned()
}

/// Every source file, from the repository on; files that hold tests alone are left out.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repository().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            match path.extension() {
                None if name != "tests" => folders.push(path),
                Some(extension) if extension == "rs" && name != "tests" => {
                    found.push(path.strip_prefix(repository()).unwrap().to_owned());
                }
                _ => {}
            }
        }
    }
    found.sort();
    assert!(found.len() > 50, "{found:?}");
    found
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
