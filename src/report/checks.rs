//! What was checked, in words: a group a paragraph, a check a line, and what to do below it.

use anyhow::Result;
use console::Style;
use quick_junit as junit;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::words::{below, harmless};
use crate::checks::{Checked, Verdict};

/// How many checks came to which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Counts {
    pub failed: usize,
    pub warnings: usize,
    pub passed: usize,
    pub pending: usize,
    pub skipped: usize,
}

impl Counts {
    pub fn of(checks: &[Checked]) -> Self {
        let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
        Self {
            failed: count(Verdict::Failed),
            warnings: count(Verdict::Warning),
            passed: count(Verdict::Passed),
            pending: count(Verdict::Pending),
            skipped: count(Verdict::Skipped),
        }
    }
}

/// What `okemon check -o json` prints.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "okemon check -o json")]
struct Document<'a> {
    /// Of this form. Within a version, fields are only added.
    version: u32,
    checks: &'a [Checked],
    counts: Counts,
}

pub(super) fn json(checks: &[Checked]) -> Result<String> {
    let document = Document { version: 1, checks, counts: Counts::of(checks) };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// The JSON Schema of what `okemon check -o json` prints.
pub fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Document<'_>>()
}

/// A suite a group, a case a check. A warning is a case that passed, with words.
pub(super) fn junit(done: &str, checks: &[Checked]) -> Result<String> {
    let mut report = junit::Report::new(format!("okemon: {}", done.to_lowercase()));
    for group in checks.chunk_by(|one, other| one.group == other.group) {
        let mut suite = junit::TestSuite::new(group[0].group.clone());
        suite.add_test_cases(group.iter().map(case));
        report.add_test_suite(suite);
    }
    Ok(report.to_string()?)
}

fn case(check: &Checked) -> junit::TestCase {
    let words = format!("{}{}", said(check), hint(check));
    let mut status = match check.verdict {
        Verdict::Passed | Verdict::Pending | Verdict::Warning => junit::TestCaseStatus::success(),
        Verdict::Failed => junit::TestCaseStatus::non_success(junit::NonSuccessKind::Failure),
        Verdict::Skipped => junit::TestCaseStatus::skipped(),
    };
    status.set_message(words.clone());
    let mut case = junit::TestCase::new(check.check.clone(), status);
    case.set_classname(check.group.clone());
    case.set_system_out(words);
    case
}

/// Everything that was checked. `quiet`: only what did not pass.
pub(super) fn text(done: &str, checks: &[Checked], quiet: bool, color: bool) -> String {
    let width = checks.iter().map(|check| check.check.len()).max().unwrap_or_default();
    let shown: Vec<&Checked> =
        checks.iter().filter(|check| !quiet || check.verdict.is_news()).collect();
    let mut text = String::new();
    for group in shown.chunk_by(|one, other| one.group == other.group) {
        text += &format!("{}\n", harmless(&group[0].group));
        text.extend(group.iter().map(|check| line(check, width, color)));
    }
    text + &counted(done, Counts::of(checks))
}

fn line(check: &Checked, width: usize, color: bool) -> String {
    let (word, style) = word(check.verdict);
    let word = style.force_styling(color).apply_to(format!("{word:7}"));
    format!("  {word}  {:width$}  {}{}\n", check.check, said(check), hint(check))
}

/// What was found, and its id at the end.
fn said(check: &Checked) -> String {
    let said = harmless(&check.said);
    let (first, rest) = said.split_once('\n').unwrap_or((&said, ""));
    let id = check.id.map(|id| format!(" ({id})")).unwrap_or_default();
    format!("{first}{}{id}", below(2, rest))
}

fn hint(check: &Checked) -> String {
    let hint = check.hint.as_ref().map(|hint| format!("hint: {}", harmless(hint)));
    hint.map(|hint| below(2, &hint)).unwrap_or_default()
}

/// Words, so that neither colour nor mark is ever needed.
fn word(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Passed => ("ok", Style::new().green()),
        Verdict::Warning => ("warning", Style::new().yellow()),
        Verdict::Failed => ("failed", Style::new().red().bold()),
        Verdict::Pending => ("pending", Style::new().yellow()),
        Verdict::Skipped => ("skipped", Style::new().dim()),
    }
}

fn counted(done: &str, counts: Counts) -> String {
    let Counts { failed, warnings, passed, pending, skipped } = counts;
    let mut said = Vec::new();
    if failed > 0 {
        said.push(format!("{failed} failed"));
    }
    if warnings > 0 {
        said.push(format!("{warnings} warning{}", if warnings == 1 { "" } else { "s" }));
    }
    said.push(format!("{passed} passed"));
    if pending > 0 {
        said.push(format!("{pending} pending"));
    }
    if skipped > 0 {
        said.push(format!("{skipped} skipped"));
    }
    format!("{done}: {}.\n", said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Line;
    use crate::diagnose::catalogue::Id;

    fn checked() -> Vec<Checked> {
        let rights = "not allowed:\nclusterroles: create\nsecrets: create";
        vec![
            Line::passed("kubectl", "1.37.1 at /usr/bin/kubectl").of("tools"),
            Line::passed("cluster", "it answers").of("sin"),
            Line::failed("rights", Id::RightsMissing, rights, "`kubectl auth can-i --list`")
                .of("sin"),
            Line::warning("room", Id::NoRoom, "2 nodes\u{1b}[2J are full", "more nodes").of("sin"),
            Line::skipped("thanos", "the chart thanos is not here").of("sin"),
        ]
    }

    /// `OKEMON_BLESS=1 cargo test` writes the copy anew.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test's own switch")]
    fn the_schema_in_docs_is_that_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/check.schema.json");
        let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        if std::env::var_os("OKEMON_BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let there = std::fs::read_to_string(path).unwrap_or_default();
        assert!(there == text, "docs/check.schema.json is old; OKEMON_BLESS=1 cargo test");
    }

    #[test]
    fn programs_get_the_same_as_json_and_as_xml() {
        insta::assert_snapshot!(json(&checked()[2..3]).unwrap(), @r#"
        {
          "version": 1,
          "checks": [
            {
              "group": "sin",
              "check": "rights",
              "verdict": "failed",
              "said": "not allowed:\nclusterroles: create\nsecrets: create",
              "hint": "`kubectl auth can-i --list`",
              "id": "OKM-RIGHTS-MISSING"
            }
          ],
          "counts": {
            "failed": 1,
            "warnings": 0,
            "passed": 0,
            "pending": 0,
            "skipped": 0
          }
        }
        "#);
        insta::assert_snapshot!(junit("Checked", &checked()[1..]).unwrap(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="okemon: checked" tests="4" skipped="1" failures="1" errors="0">
            <testsuite name="sin" tests="4" skipped="1" errors="0" failures="1">
                <testcase name="cluster" classname="sin">
                    <system-out>it answers</system-out>
                </testcase>
                <testcase name="rights" classname="sin">
                    <failure message="not allowed:
                clusterroles: create
                secrets: create (OKM-RIGHTS-MISSING)
                hint: `kubectl auth can-i --list`"/>
                    <system-out>not allowed:
                clusterroles: create
                secrets: create (OKM-RIGHTS-MISSING)
                hint: `kubectl auth can-i --list`</system-out>
                </testcase>
                <testcase name="room" classname="sin">
                    <system-out>2 nodes are full (OKM-NO-ROOM)
                hint: more nodes</system-out>
                </testcase>
                <testcase name="thanos" classname="sin">
                    <skipped message="the chart thanos is not here"/>
                    <system-out>the chart thanos is not here</system-out>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn each_group_is_a_paragraph_and_each_check_says_its_verdict_in_words() {
        insta::assert_snapshot!(text("Checked", &checked(), false, false), @"
        tools
          ok       kubectl  1.37.1 at /usr/bin/kubectl
        sin
          ok       cluster  it answers
          failed   rights   not allowed:
                clusterroles: create
                secrets: create (OKM-RIGHTS-MISSING)
                hint: `kubectl auth can-i --list`
          warning  room     2 nodes are full (OKM-NO-ROOM)
                hint: more nodes
          skipped  thanos   the chart thanos is not here
        Checked: 1 failed, 1 warning, 2 passed, 1 skipped.
        ");
    }

    #[test]
    fn quietly_only_what_did_not_pass_is_said() {
        insta::assert_snapshot!(text("Checked", &checked(), true, false), @"
        sin
          failed   rights   not allowed:
                clusterroles: create
                secrets: create (OKM-RIGHTS-MISSING)
                hint: `kubectl auth can-i --list`
          warning  room     2 nodes are full (OKM-NO-ROOM)
                hint: more nodes
        Checked: 1 failed, 1 warning, 2 passed, 1 skipped.
        ");
    }
}
