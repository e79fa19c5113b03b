//! What a step does, in words: before it is done, and after.

use std::fmt;

/// Something that a step does: `install thanos 17.3.1`. Shown, it reads as what is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    verb: Verb,
    what: String,
}

/// What can be done to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Apply,
    Change,
    Create,
    Fetch,
    Install,
    Make,
    Provision,
    Publish,
    Store,
    TakeOver,
}

impl Deed {
    pub fn new(verb: Verb, what: impl Into<String>) -> Self {
        Self { verb, what: what.into() }
    }

    /// What has been done: `installed thanos 17.3.1`.
    pub fn done(&self) -> String {
        format!("{} {}", self.verb.words().1, self.what)
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb.words().0, self.what)
    }
}

impl Verb {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Apply => ("apply", "applied"),
            Self::Change => ("change", "changed"),
            Self::Create => ("create", "created"),
            Self::Fetch => ("fetch", "fetched"),
            Self::Install => ("install", "installed"),
            Self::Make => ("make", "made"),
            Self::Provision => ("provision", "provisioned"),
            Self::Publish => ("publish", "published"),
            Self::Store => ("store", "stored"),
            Self::TakeOver => ("take over", "took over"),
        }
    }
}
