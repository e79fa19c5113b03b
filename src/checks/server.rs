//! Which Kubernetes it is, and as whom it is asked.

use serde_json::Value;

use super::{Line, answered};
use crate::plan::{Answer, Call};
use crate::tools::cmd::Cmd;
use crate::tools::kubectl::Kubectl;

/// The API server.
#[derive(Clone, Debug)]
pub struct Server {
    pub kubectl: Kubectl,
}

impl Server {
    pub(super) fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        match so_far {
            [] => Some(Call::Cmd(self.version())),
            // Before Kubernetes 1.28 it cannot be asked.
            [_] => Some(Call::Optional(self.kubectl.cmd(["auth", "whoami", "-o", "json"]))),
            _ => None,
        }
    }

    pub(super) fn judge(&self, answers: &[Answer]) -> Vec<Line> {
        let read = |answer: Option<&Answer>| {
            let text = answer.map(|answer| answer.output().stdout).unwrap_or_default();
            serde_json::from_str::<Value>(&text).unwrap_or_default()
        };
        let said = answers.first().map(|answer| answered(&self.version(), answer));
        if let Some(Err(fail)) = said {
            return vec![Line::unanswered("version", fail)];
        }
        let (version, user) = (read(answers.first()), read(answers.get(1)));
        let version = match version["serverVersion"]["gitVersion"].as_str() {
            Some(version) => Line::passed("version", format!("Kubernetes {version}")),
            None => Line::skipped("version", "the API server tells none"),
        };
        let user = &user["status"]["userInfo"];
        let identity = match user["username"].as_str() {
            Some(name) => Line::passed("identity", format!("{name}{}", groups(&user["groups"]))),
            None => Line::skipped("identity", "the API server does not tell who asks it"),
        };
        vec![version, identity]
    }

    fn version(&self) -> Cmd {
        self.kubectl.cmd(["version", "-o", "json"])
    }
}

/// The groups that say anything: everybody whose name is known is in `system:authenticated`.
fn groups(groups: &Value) -> String {
    let all = groups.as_array().into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<&str> = all.filter(|name| *name != "system:authenticated").collect();
    if names.is_empty() { String::new() } else { format!(" of {}", names.join(", ")) }
}
