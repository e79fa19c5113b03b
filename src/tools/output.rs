//! How a program ended and what it printed. What that means is left to who asked.

/// How a program ended. A status other than 0 is an answer too: looks live on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// None: it was ended by a signal.
    pub code: Option<i32>,
    pub stdout: String,
    /// The last of it.
    pub stderr: String,
}
