//! What is wrong with a configuration: every fault of it in one report, in order of position.
//!
//! Faults are found elsewhere; here they are kept, ordered and said.

use std::fmt;

use super::layers::Known;

/// Everything that is wrong with a configuration. Never empty when it is returned as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

/// One thing that is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub place: Place,
    /// The key with its sections, such as `objectStorage.bucket`; empty: the whole file.
    pub key: String,
    /// What is wrong, then what to write instead.
    pub message: String,
    /// The setting that would mend it, when nothing is wrong but that its value is missing: it could
    /// be asked for.
    pub missing: Option<&'static Known>,
}

/// Where a value was given. Files come before settings in a report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In a file; line and column begin with 1.
    File { origin: String, line: usize, column: usize },
    /// By a flag or a variable: `--bucket`, `OKEMON_BUCKET`.
    Setting(String),
    /// Nowhere, and there is no file that it could be written into.
    Nowhere,
}

impl Faults {
    /// Puts the faults in order; one that was found twice is said once.
    pub fn new(mut faults: Vec<Fault>) -> Self {
        faults.sort();
        faults.dedup();
        Self(faults)
    }

    /// The settings to ask for, when that is all it takes.
    pub fn all_missing(&self) -> Option<Vec<&'static Known>> {
        self.0.iter().map(|fault| fault.missing).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl Fault {
    pub fn new(place: Place, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place, key: key.into(), message: message.into(), missing: None }
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl std::error::Error for Faults {}

/// A line each. A file with very many is probably another file.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 100;
        for (index, fault) in self.0.iter().take(SHOWN).enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{fault}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File { origin, line, column } => write!(f, "{origin}:{line}:{column}: ")?,
            // A flag's name says which key it is.
            Place::Setting(origin) => return write!(f, "{origin}: {}", self.message),
            Place::Nowhere => {}
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// The candidate that `word` was probably meant to be, whatever its case and its hyphens.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this, a guess confuses more than it helps.
    const LIKENESS: f64 = 0.6;
    /// The comparison takes memory in proportion to the length.
    const LONGEST: usize = 64;

    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], "");
    let word = plain(word);
    if word.len() > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| {
            (strsim::normalized_damerau_levenshtein(&word, &plain(candidate)), candidate)
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

/// A value as a message shows it: on one line, without control characters, not too long.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_order_of_position_and_once() {
        let at = |line, column| Place::File { origin: "okemon.yaml".into(), line, column };
        let faults = Faults::new(vec![
            Fault::new(Place::Setting("--bucket".into()), "bucket", "third"),
            Fault::new(at(10, 1), "size", "second"),
            Fault::new(at(9, 2), "", "first"),
            Fault::new(at(10, 1), "size", "second"),
        ]);
        insta::assert_snapshot!(faults, @r"
        okemon.yaml:9:2: first
        okemon.yaml:10:1: size: second
        --bucket: third
        ");
    }

    #[test]
    fn the_nearest_word_ignores_case_and_hyphens() {
        let known = ["chartVersions", "charts", "clusters"];
        assert_eq!(nearest("chart_versions", known), Some("chartVersions"));
        assert_eq!(nearest("cluster", known), Some("clusters"));
        assert_eq!(nearest("rules", known), None);
        assert_eq!(nearest(&"c".repeat(1_000_000), known), None);
    }
}
