//! The cluster: it answers, it is the one that was meant, and no other install on it is in the way.

use serde_json::Value;

use super::step::{Answer, Call, Decision};
use crate::config::names::Namespace;
use crate::content::objects::OBJSTORE_SECRET;
use crate::content::objstore::ObjStore;
use crate::fail::{Exit, Fail};
use crate::tools::cmd::Cmd;
use crate::tools::output::Output;
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
    /// Asks for the Secrets with Thanos' access to a bucket in every namespace.
    pub others: Cmd,
    /// What is installed into.
    pub namespace: Namespace,
    /// Where what is installed keeps its blocks.
    pub objstore: ObjStore,
}

impl Cluster {
    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        match so_far {
            [] => Some(Call::Cmd(self.look.clone())),
            // Whoever may not see other namespaces installs all the same.
            [look] if self.check(&look.output()).is_ok() => {
                Some(Call::Optional(self.others.clone()))
            }
            _ => None,
        }
    }

    pub fn decide(&self, answers: &[Answer]) -> Decision {
        let looked = answers.first().map_or(Ok(()), |look| self.check(&look.output()));
        let others = answers.get(1).map_or(Ok(()), |others| self.check_others(&others.output()));
        match looked.and(others) {
            Ok(()) => Decision::unchanged(),
            Err(fail) => Decision::Refuse(fail),
        }
    }

    /// It answers, and is the one that was meant.
    fn check(&self, output: &Output) -> Result<(), Fail> {
        if output.code != Some(0) {
            return Err(failure::explain(&self.look, output));
        }
        let objects = kubectl::objects(&output.stdout)
            .map_err(|error| Fail::new(Exit::Failed, format!("asking the cluster: {error:#}")))?;
        let found = objects.first().and_then(|object| object["metadata"]["uid"].as_str());
        match (&self.uid, found) {
            (Some(pinned), found) if found != Some(pinned) => Err(
                Fail::new(
                    Exit::Refused,
                    format!(
                        "the context {} leads to another cluster than the configuration pins: the UID of its kube-system is {}, not {pinned}",
                        self.context, found.unwrap_or("unknown")
                    ),
                )
                .hint("`kubectl config get-contexts` shows where each context leads; mend `context`, or `uid` when the cluster was made anew"),
            ),
            _ => Ok(()),
        }
    }

    /// No other namespace keeps its blocks in the same place. What cannot be read is not in the way.
    fn check_others(&self, output: &Output) -> Result<(), Fail> {
        let objects = kubectl::objects(&output.stdout).unwrap_or_default();
        let Some(namespace) = objects.iter().find_map(|secret| self.rival(secret)) else {
            return Ok(());
        };
        let ObjStore { bucket, endpoint, .. } = &self.objstore;
        let error = format!(
            "the namespace {namespace} of this cluster keeps its history in the bucket {bucket} at {endpoint} too, under the same prefix: two compactors at work there destroy it"
        );
        let words = ["delete", "secret", OBJSTORE_SECRET];
        let delete = kubectl::by_hand(&self.context, namespace, &words);
        Err(Fail::new(Exit::Refused, error).hint(format!(
            "`okemon install --namespace {namespace}` goes on with what is there; or choose another bucket or prefix; or, when no Thanos is left there, `{delete}`"
        )))
    }

    /// The namespace of a Secret that lets another Thanos into the same place.
    fn rival<'a>(&self, secret: &'a Value) -> Option<&'a str> {
        let metadata = &secret["metadata"];
        let namespace = metadata["namespace"].as_str()?;
        let others = metadata["name"] == OBJSTORE_SECRET && namespace != self.namespace.as_str();
        let same = || ObjStore::said_by(secret).is_some_and(|it| it.is_same_place(&self.objstore));
        (others && same()).then_some(namespace)
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;
    use serde_json::json;

    use super::*;
    use crate::plan::Intent;
    use crate::plan::testing::{intent, said, told};

    fn cluster() -> Cluster {
        let Intent::Cluster(cluster) = intent("sin/cluster") else { panic!() };
        cluster
    }

    fn kube_system(uid: &str) -> Answer {
        said(&format!(r#"{{"kind":"Namespace","metadata":{{"uid":"{uid}"}}}}"#))
    }

    #[test]
    fn a_pinned_cluster_refuses_every_other_one() {
        let step = Cluster { uid: Some("one".into()), ..cluster() };
        assert!(matches!(step.decide(&[kube_system("one")]), Decision::Unchanged { .. }));
        let two = [kube_system("two")];
        let Decision::Refuse(fail) = step.decide(&two) else { panic!("not refused") };
        assert_eq!(fail.exit, Exit::Refused);
        assert_eq!(
            fail.error,
            "the context oke-sin leads to another cluster than the configuration pins: the UID of its kube-system is two, not one"
        );
        // Nothing more is asked of it.
        assert_eq!(step.ask(&two), None);
    }

    /// A Secret with access to a bucket.
    fn secret(name: &str, namespace: &str, config: &str) -> Value {
        let data = ByteString(format!("{{type: S3, {config}}}").into_bytes());
        let metadata = json!({"name": name, "namespace": namespace});
        json!({"kind": "Secret", "metadata": metadata, "data": {"objstore.yml": data}})
    }

    const HERE: &str = "config: {bucket: thanos, secret_key: s3cr3t, endpoint: 'https://AXAB.compat.objectstorage.ap-singapore-1.oraclecloud.com/'}";

    fn decided(secrets: &[Value]) -> Decision {
        let step = cluster();
        let mut answers = vec![kube_system("one")];
        let call = step.ask(&answers).unwrap();
        assert!(matches!(call, Call::Optional(_)));
        assert_eq!(
            call.to_string(),
            "kubectl --context oke-sin --namespace monitoring get secrets --all-namespaces --field-selector metadata.name=thanos-objstore-config -o json"
        );
        answers.push(said(&json!({"kind": "List", "items": secrets}).to_string()));
        assert_eq!(step.ask(&answers), None);
        step.decide(&answers)
    }

    #[test]
    fn another_namespace_with_the_same_place_is_in_the_way() {
        let own = secret(OBJSTORE_SECRET, "monitoring", HERE);
        let decision = decided(&[own, secret(OBJSTORE_SECRET, "other", HERE)]);
        let Decision::Refuse(fail) = decision else { panic!("not refused") };
        assert_eq!(fail.exit, Exit::Refused);
        insta::assert_snapshot!(format!("{fail}\nhint: {}", fail.hint.as_deref().unwrap()), @"
        the namespace other of this cluster keeps its history in the bucket thanos at axab.compat.objectstorage.ap-singapore-1.oraclecloud.com too, under the same prefix: two compactors at work there destroy it
        hint: `okemon install --namespace other` goes on with what is there; or choose another bucket or prefix; or, when no Thanos is left there, `kubectl --context oke-sin -n other delete secret thanos-objstore-config`
        ");
    }

    #[test]
    fn whoever_keeps_blocks_elsewhere_is_not_in_the_way() {
        let there = HERE.replace("AXAB", "other");
        let secrets = [
            secret(OBJSTORE_SECRET, "monitoring", HERE),
            secret(OBJSTORE_SECRET, "a", &format!("{HERE}, prefix: a")),
            secret(OBJSTORE_SECRET, "b", &HERE.replace("bucket: thanos", "bucket: b")),
            secret(OBJSTORE_SECRET, "c", &there),
            secret("thanos", "d", HERE),
            json!({"kind": "Secret", "metadata": {"name": OBJSTORE_SECRET, "namespace": "e"}}),
        ];
        assert_eq!(told(&decided(&secrets)), "unchanged");
    }

    #[test]
    fn what_is_not_let_through_is_not_in_the_way() {
        let denied = Answer::Output(Output::default());
        assert_eq!(told(&cluster().decide(&[kube_system("one"), denied])), "unchanged");
    }
}
