//! A command as data: what to run, shown exactly as it will be run.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::config::names::ClusterName;
use crate::content::doc::Doc;

/// The programs okemon may start. There is no variant for "anything else".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    Helm,
    Kubectl,
    Oci,
}

impl Tool {
    /// The name of its program on `PATH`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Helm => "helm",
            Self::Kubectl => "kubectl",
            Self::Oci => "oci",
        }
    }
}

/// What a command reads from its standard input.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stdin {
    /// An empty input that ends at once.
    Nothing,
    /// Documents, one after another.
    Docs(Vec<Doc>),
    /// What another command prints.
    Output(Box<Cmd>),
}

/// One call of an outside program.
///
/// A secret has no way into `args`: it travels in `stdin`, inside a [`Doc`] that only names it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cmd {
    pub tool: Tool,
    /// The cluster it talks to; `run` knows how that is reached.
    pub cluster: Option<ClusterName>,
    pub args: Vec<String>,
    pub stdin: Stdin,
    /// How long it may take before it is ended.
    #[serde(skip)]
    pub timeout: Duration,
}

impl Cmd {
    pub fn new<S: Into<String>>(tool: Tool, args: impl IntoIterator<Item = S>) -> Self {
        Self {
            tool,
            cluster: None,
            args: args.into_iter().map(Into::into).collect(),
            stdin: Stdin::Nothing,
            timeout: Duration::from_mins(1),
        }
    }

    #[must_use]
    pub fn on(mut self, cluster: &ClusterName) -> Self {
        self.cluster = Some(cluster.clone());
        self
    }

    #[must_use]
    pub fn docs(mut self, docs: impl IntoIterator<Item = Doc>) -> Self {
        self.stdin = Stdin::Docs(docs.into_iter().collect());
        self
    }

    /// Reads what `cmd` prints.
    #[must_use]
    pub fn reading(mut self, cmd: Self) -> Self {
        self.stdin = Stdin::Output(Box::new(cmd));
        self
    }

    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl Cmd {
    /// The line a person would type, without the documents that it reads.
    pub fn line(&self) -> String {
        let mut line = match &self.stdin {
            Stdin::Output(source) => format!("{source} | "),
            Stdin::Nothing | Stdin::Docs(_) => String::new(),
        };
        line.push_str(self.tool.name());
        for arg in &self.args {
            line.push(' ');
            line.push_str(&quote(arg));
        }
        line
    }
}

/// Prints the line a person would type to get the same effect.
impl fmt::Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line())?;
        if let Stdin::Docs(docs) = &self.stdin {
            for doc in docs {
                write!(f, " < {}", doc.template.trim_end_matches(".j2"))?;
            }
        }
        Ok(())
    }
}

/// Quotes `arg` for a POSIX shell, leaving plain words bare.
pub fn quote(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        return arg.to_owned();
    }
    format!("'{}'", arg.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_a_person_would_type() {
        let cmd = Cmd::new(Tool::Kubectl, ["get", "svc", "-o", "jsonpath={.items[0]}", "it's"]);
        assert_eq!(cmd.to_string(), r"kubectl get svc -o 'jsonpath={.items[0]}' 'it'\''s'");
    }

    #[test]
    fn shows_a_pipe_as_a_pipe() {
        let manifest = Cmd::new(Tool::Helm, ["get", "manifest", "thanos"]);
        let objects = Cmd::new(Tool::Kubectl, ["get", "-f", "-"]).reading(manifest);
        assert_eq!(objects.to_string(), "helm get manifest thanos | kubectl get -f -");
    }
}
