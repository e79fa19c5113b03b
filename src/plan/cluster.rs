//! The cluster: it answers, and it is the one that was meant.

use super::step::{Answer, Call, Decision};
use crate::fail::{Exit, Fail};
use crate::tools::cmd::Cmd;
use crate::tools::{failure, kubectl};

/// The cluster behind a context.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The context, as errors name it.
    pub context: String,
    /// Asks for the namespace `kube-system`, whose UID is the cluster's identity.
    pub look: Cmd,
    /// The identity that the configuration pins.
    pub uid: Option<String>,
}

impl Cluster {
    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        so_far.is_empty().then(|| Call::Cmd(self.look.clone()))
    }

    pub fn decide(&self, answers: &[Answer]) -> Decision {
        let Some(answer) = answers.first() else { return Decision::unchanged() };
        let output = answer.output();
        if output.code != Some(0) {
            return Decision::Refuse(failure::explain(&self.look, &output));
        }
        let objects = match kubectl::objects(&output.stdout) {
            Ok(objects) => objects,
            Err(error) => {
                let fail = Fail::new(Exit::Failed, format!("asking the cluster: {error:#}"));
                return Decision::Refuse(fail);
            }
        };
        let found = objects.first().and_then(|object| object["metadata"]["uid"].as_str());
        match (&self.uid, found) {
            (Some(pinned), found) if found != Some(pinned) => Decision::Refuse(
                Fail::new(
                    Exit::Refused,
                    format!(
                        "the context {} leads to another cluster than the configuration pins: the UID of its kube-system is {}, not {pinned}",
                        self.context, found.unwrap_or("unknown")
                    ),
                )
                .hint("`kubectl config get-contexts` shows where each context leads; mend `context`, or `uid` when the cluster was made anew"),
            ),
            _ => Decision::unchanged(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::cmd::Tool;
    use crate::tools::output::Output;

    #[test]
    fn a_pinned_cluster_refuses_every_other_one() {
        let look = Cmd::new(Tool::Kubectl, ["get"]);
        let step = Cluster { context: "oke-sin".into(), look, uid: Some("one".into()) };
        let answer = |uid: &str| {
            let stdout = format!(r#"{{"kind":"Namespace","metadata":{{"uid":"{uid}"}}}}"#);
            [Answer::Output(Output { code: Some(0), stdout, ..Output::default() })]
        };
        assert!(matches!(step.decide(&answer("one")), Decision::Unchanged { .. }));
        let Decision::Refuse(fail) = step.decide(&answer("two")) else { panic!("not refused") };
        assert_eq!(fail.exit, Exit::Refused);
        assert_eq!(
            fail.error,
            "the context oke-sin leads to another cluster than the configuration pins: the UID of its kube-system is two, not one"
        );
    }
}
