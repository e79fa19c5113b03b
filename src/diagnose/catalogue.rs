//! Everything that a finding can be: an id that never changes its meaning, and what to say about it.
//!
//! A finding's reason is in the cluster's words and its hint in a line. Here is the rest, for
//! `okemon explain` and the documentation.

mod entries;

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

pub use self::entries::{CATALOGUE, Id};

/// What there is to say about an id, in sentences.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub id: Id,
    /// `OKM-IMAGE-MISSING`.
    pub name: &'static str,
    /// What is wrong, as the end of a sentence.
    pub title: &'static str,
    /// How it comes about, and what it means for what was installed.
    pub meaning: &'static str,
    /// The commands that show it, with names in capitals to be filled in.
    pub see: &'static [&'static str],
    /// What to do about it.
    pub remedy: &'static str,
    /// Where its parts are documented by those who made them.
    pub more: &'static [&'static str],
}

impl Id {
    pub fn entry(self) -> &'static Entry {
        &CATALOGUE[self as usize]
    }

    /// The id with this name, in whatever case, with or without its beginning.
    pub fn named(text: &str) -> Option<Self> {
        let text = text.to_uppercase();
        let mut entries = CATALOGUE.iter();
        entries.find(|entry| [entry.name, entry.short()].contains(&&*text)).map(|entry| entry.id)
    }
}

impl Entry {
    /// The name as people type it: `IMAGE-MISSING`.
    pub fn short(&self) -> &'static str {
        self.name.trim_start_matches("OKM-")
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().name)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = CATALOGUE.iter().map(|entry| entry.name).collect();
        json_schema!({"description": "What it is: `okemon explain ID` says more.", "enum": names})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_has_a_name_that_can_be_typed() {
        for entry in CATALOGUE {
            assert_eq!(Id::named(entry.name), Some(entry.id));
            assert!(entry.name.starts_with("OKM-"), "{}", entry.name);
        }
        assert_eq!(Id::named("okm-crash"), Some(Id::Crash));
        assert_eq!(Id::named("crash"), Some(Id::Crash));
        assert_eq!(Id::named("OKM-"), None);
    }

    #[test]
    fn an_entry_says_everything_and_in_sentences() {
        for entry in CATALOGUE {
            let name = entry.name;
            assert!(!entry.title.ends_with('.') && !entry.see.is_empty(), "{name}");
            for text in [entry.meaning, entry.remedy] {
                assert!(text.ends_with(['.', '?']) && text.trim() == text, "{name}: {text}");
            }
            assert!(entry.more.iter().all(|link| link.starts_with("https://")), "{name}");
        }
    }
}
