//! What the documentation shows of a real install is what a real install prints.

use crate::sandbox::repository;

/// What the pages show, compared with an install on an empty cluster and another one after it.
pub(crate) fn show(first: &str, again: &str) {
    let (first, again) = (steady(first), steady(again));
    assert_eq!(steady(&recorded("docs/install.md", "recorded")), first, "docs/install.md");
    assert_eq!(steady(&recorded("docs/install.md", "recorded again")), again, "docs/install.md");
    assert_eq!(steady(&picture()), first, "docs/images/make --record");
}

/// What the page about what is wrong shows, compared with an install that does not find an image.
pub(crate) fn shows_a_finding(said: &str) {
    let page = "docs/when-something-is-wrong.md";
    let shown = recorded(page, "recorded");
    assert!(
        shown.lines().count() > 1 && said.contains(&shown),
        "{page} shows something else than:\n{said}"
    );
}

/// What the page about checks shows, compared with what they say of two clusters, where tools lie excepted.
pub(crate) fn shows_checks(well: &str, failing: &str) {
    let page = "docs/check.md";
    let shown = |mark: &str| {
        let block = recorded(page, mark);
        block
            .lines()
            .filter(|line| !line.contains("/bin/"))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    assert_eq!(shown("recorded"), well, "{page}");
    let shown =
        crate::words::stable(&shown("recorded failing")).replace("127.0.0.1:9000", "S3") + "\n";
    assert_eq!(shown, failing, "{page}");
}

/// What the page about verifying shows, compared with what is said later, when blocks were uploaded; `steady` takes out
/// what differs from one run to the next.
pub(crate) fn shows_verified(steady: impl Fn(&str) -> String, said: &str) {
    let shown = recorded("docs/verify.md", "recorded");
    let without_uploads = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("  uploads  "));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_eq!(without_uploads(&steady(&shown)), without_uploads(&steady(said)), "docs/verify.md");
}

/// What the page shows of a cluster's status, right after an install.
pub(crate) fn shows_status(said: &str) {
    assert_eq!(recorded("docs/verify.md", "recorded status"), said, "docs/verify.md");
}

/// The block below a mark in a page.
fn recorded(page: &str, mark: &str) -> String {
    let page = std::fs::read_to_string(repository().join(page)).unwrap();
    let (_, rest) = page.split_once(&format!("<!-- {mark}: ")).unwrap();
    let (_, block) = rest.split_once("```text\n").unwrap();
    block.split("```").next().unwrap().to_owned()
}

/// The recorded terminal, in the words of a pipe: without colours, marks and the question.
fn picture() -> String {
    let screen = std::fs::read_to_string(repository().join("docs/images/install.ansi")).unwrap();
    let lines = screen.replace("\u{1b}[32m", "").replace("\u{1b}[0m", "").replace("✓ ", "");
    let said = lines.split_inclusive('\n');
    said.filter(|line| !line.starts_with("Make these changes?")).collect()
}

/// What does not differ from one run to the next: no times; lanes end in any order; how long a
/// cluster takes, what it lacks meanwhile, and that a slow one is still at work, is its own affair.
fn steady(printed: &str) -> Vec<String> {
    let lines = printed.lines().map(without_time);
    let passing = |line: &String| {
        let waits = line.strip_prefix("sin/ready  ");
        waits.is_some_and(|said| !said.starts_with(|c: char| c.is_ascii_digit()))
            || line.starts_with("    hint: ")
            || line.contains("  still at work: ")
    };
    let mut lines: Vec<_> = lines.filter(|line| !passing(line)).collect();
    lines.sort();
    lines
}

/// A line without the time at its end: `(2.5 s)`.
fn without_time(line: &str) -> String {
    match line.rsplit_once(" (") {
        Some((words, time)) if time.ends_with("s)") => words.to_owned(),
        _ => line.to_owned(),
    }
}
