//! Objects: they are in the cluster as the documents say.

use anyhow::Result;
use serde_json::Value;

use super::deed::Deed;
use super::step::{Action, Answer, Call, Decision, Effect};
use crate::content::doc::Doc;
use crate::content::objects::OBJSTORE_SECRET;
use crate::content::objstore::ObjStore;
use crate::fail::{Exit, Fail};
use crate::tools::cmd::Cmd;
use crate::tools::failure;
use crate::tools::kubectl::{self, Kubectl};
use crate::tools::output::Output;

/// Documents that are applied as one.
#[derive(Clone, Debug)]
pub struct Objects {
    pub kubectl: Kubectl,
    pub docs: Vec<Doc>,
    pub care: Care,
    /// What is done when something differs.
    pub deed: Deed,
    /// What has to follow a change of objects that were there: those who read them do not notice.
    pub restart: Option<Restart>,
}

/// A restart of those who read objects when they start, and never again.
#[derive(Clone, Debug)]
pub struct Restart {
    /// The same documents, marked: while the mark is there, the restart has not been done. So it is
    /// not forgotten when a run dies between the two.
    pub marked: Vec<Doc>,
    pub cmd: Cmd,
    /// What a person should know of it before.
    pub note: &'static str,
}

/// What happens to objects that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// They are kept as the documents say.
    Keep,
    /// They are left as they are: a password is made once.
    MakeOnce,
}

impl Objects {
    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        let cmd = match (so_far, self.care) {
            ([], _) => self.kubectl.read_named(),
            ([live], Care::Keep) if any(&live.output()) => self.kubectl.would_apply(),
            _ => return None,
        };
        Some(Call::Cmd(cmd.docs(self.docs.clone())))
    }

    pub fn decide(&self, answers: &[Answer]) -> Decision {
        match self.missing(answers) {
            Ok(None) => Decision::unchanged(),
            Ok(Some(details)) => self.make(details),
            Err(fail) => Decision::Refuse(fail),
        }
    }

    fn make(&self, details: Vec<String>) -> Decision {
        let action = if details.is_empty() { Action::Add } else { Action::Change };
        let send = |docs: &[Doc]| Effect::Cmd(self.change().docs(docs.to_vec()));
        let effects = match &self.restart {
            Some(Restart { marked, cmd, .. }) if action == Action::Change => {
                vec![send(marked), Effect::Cmd(cmd.clone()), send(&self.docs)]
            }
            _ => vec![send(&self.docs)],
        };
        Decision::Do { action, deed: self.deed.clone(), details, effects }
    }

    /// What differs from the documents, a line each; none: nothing.
    fn missing(&self, answers: &[Answer]) -> Result<Option<Vec<String>>, Fail> {
        let Some(live) = answers.first().map(Answer::output) else { return Ok(Some(vec![])) };
        if live.code != Some(0) && !kubectl::says_not_found(&live.stderr) {
            return Err(failure::explain(&self.kubectl.read_named(), &live));
        }
        let Some(wanted) = answers.get(1).map(Answer::output) else {
            return Ok((!any(&live)).then(Vec::new));
        };
        if wanted.code != Some(0) {
            return Err(failure::explain(&self.kubectl.would_apply(), &wanted));
        }
        let read = |output: &Output| {
            kubectl::objects(&output.stdout)
                .map_err(|error| Fail::new(Exit::Failed, format!("comparing objects: {error:#}")))
        };
        let (live, wanted) = (read(&live)?, read(&wanted)?);
        let mut details = kubectl::differences(&live, &wanted);
        if details.is_empty() {
            return Ok(None);
        }
        if let (Some(old), Some(new)) = (blocks(&live), blocks(&wanted)) {
            details.extend(old.moved(&new));
        }
        details.extend(self.restart.as_ref().map(|restart| restart.note.to_owned()));
        Ok(Some(details))
    }

    fn change(&self) -> Cmd {
        match self.care {
            Care::Keep => self.kubectl.apply(),
            Care::MakeOnce => self.kubectl.create(),
        }
    }
}

/// Where blocks are kept, if that is said by one of these objects.
fn blocks(objects: &[Value]) -> Option<ObjStore> {
    let secret = objects.iter().find(|object| object["metadata"]["name"] == OBJSTORE_SECRET)?;
    ObjStore::said_by(secret)
}

/// Whether an answer holds any object at all.
fn any(output: &Output) -> bool {
    output.code == Some(0) && !output.stdout.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Intent;
    use crate::plan::testing::{failed, intent, said, told};

    fn objects(step: &str) -> Objects {
        let Intent::Objects(objects) = intent(step) else { panic!() };
        objects
    }

    const LIVE: &str = r#"{"kind":"Secret","metadata":{"name":"thanos-objstore-config"},"data":{"objstore.yml":"b2xk"}}"#;

    #[test]
    fn objects_that_are_as_the_documents_say_are_not_sent() {
        let secret = objects("sin/secret");
        let answers = [said(LIVE), said(LIVE)];
        assert!(secret.ask(&answers).is_none());
        assert_eq!(told(&secret.decide(&answers)), "unchanged");
    }

    #[test]
    fn what_differs_is_named_without_a_secret() {
        let wanted = LIVE.replace("b2xk", "bmV3");
        let told = told(&objects("sin/secret").decide(&[said(LIVE), said(&wanted)]));
        insta::assert_snapshot!(told, @"
        Change: store the bucket's keys in the Secret thanos-objstore-config
          ~ Secret/thanos-objstore-config data.objstore.yml
          ! Thanos and Prometheus are restarted, one replica after another: they read it when they start
          $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f -
          $ kubectl --context oke-sin --namespace monitoring rollout restart deployment,statefulset --selector 'app.kubernetes.io/name in (thanos,prometheus),app.kubernetes.io/instance in (thanos,prometheus-kube-prometheus-prometheus)'
          $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f -
        ");
    }

    #[test]
    fn another_bucket_is_warned_of_and_no_key_is_shown() {
        let said_of = |bucket: &str, key: &str| {
            let document = format!(
                "{{type: S3, config: {{bucket: {bucket}, endpoint: s3.example.com, access_key: {key}, secret_key: s3cr3t}}}}"
            );
            let data = k8s_openapi::ByteString(document.into_bytes());
            let mut secret: Value = serde_json::from_str(LIVE).unwrap();
            secret["data"]["objstore.yml"] = serde_json::to_value(data).unwrap();
            said(&secret.to_string())
        };
        let secret = objects("sin/secret");
        let moved = told(&secret.decide(&[said_of("thanos", "one"), said_of("other", "two")]));
        let warning =
            "\n  ! bucket: thanos -> other: what is in the old one is no longer shown by Grafana\n";
        assert!(moved.contains(warning), "{moved}");
        for secret in ["s3cr3t", "access_key", "one\n", "two"] {
            assert!(!moved.contains(secret), "{secret} in {moved}");
        }
        let keys = told(&secret.decide(&[said_of("thanos", "one"), said_of("thanos", "two")]));
        assert!(keys.contains("data.objstore.yml") && !keys.contains("! bucket"), "{keys}");
    }

    #[test]
    fn a_restart_that_was_not_done_is_done_by_the_next_run() {
        let secret = objects("sin/secret");
        let Decision::Do { effects, .. } = secret.decide(&[said(LIVE), said("{}")]) else {
            panic!()
        };
        let texts = effects.iter().map(|effect| match effect {
            Effect::Cmd(Cmd { stdin: crate::tools::cmd::Stdin::Docs(docs), .. }) => {
                docs[0].preview().unwrap().contains("okemon/restart: pending")
            }
            _ => false,
        });
        assert_eq!(texts.collect::<Vec<_>>(), [true, false, false]);
        // It died before the restart: the mark is all that differs.
        let marked = LIVE.replace(
            r#""metadata":{"#,
            r#""metadata":{"annotations":{"okemon/restart":"pending"},"#,
        );
        let told = told(&secret.decide(&[said(&marked), said(LIVE)]));
        assert!(told.starts_with("Change: store the bucket's keys"), "{told}");
        assert!(told.contains("metadata.annotations"), "{told}");
        assert!(told.contains("rollout restart"), "{told}");
    }

    #[test]
    fn objects_of_a_namespace_that_is_not_there_are_made() {
        let answer = failed("Error from server (NotFound): namespaces \"monitoring\" not found");
        let secret = objects("sin/secret");
        assert!(secret.ask(std::slice::from_ref(&answer)).is_none());
        assert!(matches!(secret.decide(&[answer]), Decision::Do { action: Action::Add, .. }));
    }

    #[test]
    fn a_password_is_made_once_and_never_compared() {
        let admin = objects("sin/admin");
        assert!(admin.ask(&[said(LIVE)]).is_none());
        assert_eq!(told(&admin.decide(&[said(LIVE)])), "unchanged");
        insta::assert_snapshot!(told(&admin.decide(&[said("")])), @"
        Add: make Grafana's admin password
          $ kubectl --context oke-sin --namespace monitoring create --validate=false --field-manager okemon -f -
        ");
    }

    #[test]
    fn a_cluster_that_refuses_is_no_cluster_without_objects() {
        let answer = failed("Error from server (Forbidden): secrets is forbidden");
        let told = told(&objects("sin/secret").decide(&[answer]));
        assert!(told.starts_with("refused (Denied): running `kubectl"), "{told}");
    }
}
