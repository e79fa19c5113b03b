//! The words that both human forms share: marks, durations, counts, and text made safe to show.
//!
//! What is said, and when, is up to `story`.

use std::time::Duration;

use console::Style;
use jiff::Timestamp;

use super::event::Millis;
use crate::diagnose::Finding;
use crate::diagnose::catalogue::Id;
use crate::plan::step::Action;

/// What kind of thing is said. The words say it too, so neither colour nor mark is ever needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Plain,
    Note,
    /// How far a step is, which a terminal shows where the step is at work.
    Progress,
    Done,
    Warning,
    Failed,
    Skipped,
    Add,
    Change,
    Remove,
    Error,
    Hint,
}

impl Mark {
    /// What stands before the text in every form, since the words do not say it.
    fn lead(self) -> &'static str {
        match self {
            Self::Add => "+ ",
            Self::Change => "~ ",
            Self::Remove => "- ",
            Self::Error => "error: ",
            Self::Hint => "hint: ",
            _ => "",
        }
    }

    /// What stands before the text on a terminal.
    fn glyph(self) -> &'static str {
        match self {
            Self::Note => "· ",
            Self::Done => "✓ ",
            Self::Warning => "! ",
            Self::Failed => "✗ ",
            Self::Skipped => "○ ",
            other => other.lead(),
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Done | Self::Add => Style::new().green(),
            Self::Warning | Self::Skipped | Self::Change => Style::new().yellow(),
            Self::Failed | Self::Error | Self::Remove => Style::new().red().bold(),
            Self::Hint => Style::new().cyan(),
            Self::Note => Style::new().dim(),
            Self::Plain | Self::Progress => Style::new(),
        }
    }
}

impl From<Action> for Mark {
    fn from(action: Action) -> Self {
        match action {
            Action::Add => Self::Add,
            Action::Change => Self::Change,
            Action::Remove => Self::Remove,
        }
    }
}

/// One thing said: a line, and lines below it that are indented already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) mark: Mark,
    text: String,
}

impl Said {
    /// Says `text`, which may hold words from outside: what could steer a terminal is taken out.
    pub(super) fn new(mark: Mark, text: &str) -> Self {
        Self { mark, text: harmless(text) }
    }

    /// The text for a log: words only.
    pub(super) fn line(&self, color: bool) -> String {
        self.led_by(self.mark.lead(), color)
    }

    /// The text for a terminal, with a mark that the eye finds.
    pub(super) fn receipt(&self, color: bool) -> String {
        self.led_by(self.mark.glyph(), color)
    }

    fn led_by(&self, lead: &str, color: bool) -> String {
        let lead = self.mark.style().force_styling(color && !lead.is_empty()).apply_to(lead);
        format!("{lead}{}", self.text)
    }
}

/// `0.3 s`, `12 s`, `2m30s`, `1h05m`. Never rounded up.
pub(super) fn duration(Millis(millis): Millis) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..10 => format!("{seconds}.{} s", millis % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// How long something goes on already, in whole seconds: it is shown while it grows.
pub(super) fn elapsed(start: Timestamp, now: Timestamp) -> String {
    match since(start, now) {
        Millis(millis @ 0..10_000) => format!("{} s", millis / 1000),
        longer => duration(longer),
    }
}

/// The time from `start` to `now`; nothing when the clock was set back.
pub(super) fn since(start: Timestamp, now: Timestamp) -> Millis {
    Duration::try_from(now.duration_since(start)).unwrap_or_default().into()
}

/// `pod/x: ImagePullBackOff: ...`.
pub(super) fn finding(finding: &Finding) -> String {
    format!("{}: {}", finding.object, finding.reason)
}

/// `pod/x: ImagePullBackOff: ... (OKM-IMAGE-MISSING)`; OKM-STARTING says no more than the words, and is left out.
fn explained(found: &Finding) -> String {
    match found.id {
        Id::Starting => finding(found),
        id => format!("{} ({id})", finding(found)),
    }
}

/// A finding that is news, its hint on a line of its own.
pub(super) fn with_hint(found: &Finding) -> String {
    let hint = found.hint.as_ref().map(|hint| below(1, &format!("hint: {hint}")));
    explained(found) + &hint.unwrap_or_default()
}

/// A finding in a list below a line, its hint a level deeper.
pub(super) fn finding_below(found: &Finding) -> String {
    let hint = found.hint.as_ref().map(|hint| below(2, &format!("hint: {hint}")));
    below(1, &explained(found)) + &hint.unwrap_or_default()
}

/// `text` as lines of their own, `level` steps in.
pub(super) fn below(level: usize, text: &str) -> String {
    let indent = "    ".repeat(level);
    text.lines().fold(String::new(), |lines, line| lines + "\n" + &indent + line)
}

/// `text` with its lines after the first a step in.
pub(super) fn indented(text: &str) -> String {
    text.split_once('\n')
        .map_or(text.to_owned(), |(first, rest)| first.to_owned() + &below(1, rest))
}

/// Takes out escape sequences and other control characters; a tool's output is not ours to obey.
pub(super) fn harmless(text: &str) -> String {
    console::strip_ansi_codes(text)
        .trim_end()
        .chars()
        .filter_map(|c| match c {
            '\n' => Some('\n'),
            '\t' => Some(' '),
            c => (!c.is_control()).then_some(c),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_and_never_rounded_up() {
        let cases = [
            (0, "0.0 s"),
            (1_290, "1.2 s"),
            (9_999, "9.9 s"),
            (12_700, "12 s"),
            (150_000, "2m30s"),
            (3_599_999, "59m59s"),
            (3_900_000, "1h05m"),
        ];
        for (millis, expected) in cases {
            assert_eq!(duration(Millis(millis)), expected);
        }
    }

    #[test]
    fn words_from_outside_cannot_steer_the_terminal() {
        let title = "\u{1b}]0;owned\u{7}pod\u{1b}[2J is\tbad\r\nand\u{8} so on\n";
        assert_eq!(harmless(title), "pod is bad\nand so on");
    }

    #[test]
    fn colour_is_on_the_mark_alone_and_only_when_wanted() {
        let said = Said::new(Mark::Failed, "sin/thanos  failed");
        assert_eq!(said.receipt(false), "✗ sin/thanos  failed");
        assert_eq!(said.receipt(true), "\u{1b}[31m\u{1b}[1m✗ \u{1b}[0msin/thanos  failed");
        assert_eq!(said.line(true), "sin/thanos  failed");
    }
}
