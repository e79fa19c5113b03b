//! Texts that something on the way from a file to Helm could take for something else.

use proptest::prelude::*;

/// Words that YAML, a shell, Helm or JSON reads in a way of its own.
#[rustfmt::skip]
const NASTY: &[&str] = &[
    "no", "on", "y", "N", "true", "False", "null", "~", "Null", "1_000", "0x1F", "0o17", "017",
    "0b11", ".5", "1.", "+1", "-0", "1e3", "1e400", ".inf", "-.Inf", ".NaN", "12:30:00",
    "190:20:30", "2026-01-01", "2001-12-14t21:59:43.10-05:00", "=", "<<", "a: b", "\"a: b\"",
    "a #b", "# a", "- a", "-", "--set", "? a", "?", ":", "&a", "*a", "!a", "!!int 1", "%YAML 1.2",
    "@a", "`a`", "|", ">-", "[a]", "{a: b}", "{{ x }}", "{{- x -}}", "{{", "}}", "{{{", "{{`{{`}}",
    "{{/* a", "{% raw %}", "{# a", "${a}", "$(id)", "$a", "`id`", "'", "\"", "''", "\\", "\\n",
    "\\x", "a\nb", "a\n\nb\n", "\n", " ", " a", "a ", "a  b", "\t", "a\tb", "\r", "a\r\nb", "---",
    "...", "a\n---\nb: c", "EOF", "a\nEOF\nid", "@@s3-access-key@@", "<&>", "\u{0}", "\u{1b}[31m",
    "\u{7f}", "\u{85}", "\u{a0}", "\u{2028}", "\u{feff}", "\u{fffe}", "\u{1f600}", "é", "e\u{301}",
    "\u{202e}abc", "９", "%s", "%00", "a,b=c", "a.b[0]",
];

/// Any text but the empty one, which stands for nothing.
pub(crate) fn text() -> BoxedStrategy<String> {
    let nasty = || prop::sample::select(NASTY).prop_map(str::to_owned);
    prop_oneof![
        4 => nasty(),
        2 => prop::collection::vec(nasty(), 2..4).prop_map(|words| words.concat()),
        2 => any::<String>(),
        2 => "[ -~]{1,40}",
        1 => (nasty(), 1..600_usize).prop_map(|(word, times)| word.repeat(times)),
    ]
    .prop_filter("empty", |text| !text.is_empty())
    .boxed()
}

/// The key of a label or a taint.
pub(crate) fn label_key() -> BoxedStrategy<String> {
    prop_oneof![
        4 => label_value(),
        1 => ("[a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?(\\.[a-z]{1,9})?", label_value())
            .prop_map(|(domain, name)| format!("{domain}/{name}")),
    ]
    .boxed()
}

/// The value of a label or a taint, but not the empty one.
pub(crate) fn label_value() -> BoxedStrategy<String> {
    let nasty = [
        "no",
        "on",
        "y",
        "N",
        "true",
        "False",
        "null",
        "Null",
        "1_000",
        "0x1F",
        "0o17",
        "017",
        "0b11",
        "1.5",
        "1e3",
        "1e400",
        "2026-01-01",
        "a.b",
        "a_b",
        "A-b",
    ];
    prop_oneof![
        3 => prop::sample::select(nasty.to_vec()).prop_map(str::to_owned),
        1 => "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?",
    ]
    .boxed()
}

/// A text without what makes another line of a line, and no longer than a text may be.
fn visible() -> BoxedStrategy<String> {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    text()
        .prop_map(move |text| {
            text.chars().filter(|c| !turns(*c) && !breaks(*c)).take(1000).collect()
        })
        .boxed()
}

/// The path of a file.
pub(crate) fn path() -> BoxedStrategy<String> {
    let start = |text: &String| !text.is_empty() && !text.starts_with(['~', '-']);
    visible().prop_filter("a flag or a home", start).boxed()
}

/// A text that may name a context of kubectl.
pub(crate) fn context() -> BoxedStrategy<String> {
    visible()
        .prop_map(|text| {
            let name = text.trim_start_matches(|c: char| c == '-' || c.is_whitespace()).trim();
            if name.is_empty() { "oke".to_owned() } else { name.to_owned() }
        })
        .boxed()
}

/// A DNS label.
pub(crate) fn label() -> BoxedStrategy<String> {
    let nasty = [
        "no", "on", "y", "n", "null", "true", "0", "1e3", "0x1f", "123", "007", "0b1", "0o17",
        "1-2", "12e5",
    ];
    prop_oneof![
        9 => prop::sample::select(nasty.to_vec()).prop_map(str::to_owned),
        1 => "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    ]
    .boxed()
}
