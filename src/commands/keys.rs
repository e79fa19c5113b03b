//! The bucket's keys: from the environment, from the Secret that is there already, or asked for.

use std::sync::Arc;

use rand::distr::{Alphanumeric, SampleString as _};
use serde::Deserialize;
use serde_json::Value;

use crate::ask::{Ask, NoAnswer};
use crate::config::{Cluster, Config};
use crate::content::doc::SecretName;
use crate::content::objects::OBJSTORE_SECRET;
use crate::content::objstore;
use crate::environment::Environment;
use crate::fail::{Exit, Fail};
use crate::plan::Plan;
use crate::run::exec::Exec;
use crate::run::stop::Stop;
use crate::run::vault::Vault;
use crate::tools::failure;
use crate::tools::kubectl::Kubectl;
use crate::tools::s3::Keys;

/// Finds the keys of every cluster's bucket, and makes up what is made once.
///
/// # Errors
/// When keys are missing and nobody can be asked: all of them are named at once.
pub(super) async fn gather(
    config: &Config,
    plan: &Plan,
    exec: &Arc<Exec>,
    environment: &Environment,
    ask: &mut dyn Ask,
    stop: &Stop,
) -> Result<Vault, Fail> {
    let mut vault = Vault::default();
    for cluster in &config.clusters {
        let password = Alphanumeric.sample_string(&mut rand::rng(), 32);
        vault.put(&cluster.name, SecretName::GrafanaAdminPassword, password.into());
    }
    if !plan.needs_keys() {
        return Ok(vault);
    }
    let mut given = environment.s3_keys()?;
    for cluster in &config.clusters {
        let keys = match &given {
            Some(keys) => keys.clone(),
            None => match stored(config, cluster, exec, stop).await? {
                Some(keys) => keys,
                None => given.insert(asked(ask)?).clone(),
            },
        };
        vault.put(&cluster.name, SecretName::S3AccessKey, keys.access);
        vault.put(&cluster.name, SecretName::S3SecretKey, keys.secret);
    }
    Ok(vault)
}

/// The keys in the Secret of an earlier install; none: there is no such Secret, or it has none.
async fn stored(
    config: &Config,
    cluster: &Cluster,
    exec: &Arc<Exec>,
    stop: &Stop,
) -> Result<Option<Keys>, Fail> {
    let cmd = Kubectl::new(config, cluster).cmd([
        "get",
        "secret",
        OBJSTORE_SECRET,
        "--ignore-not-found",
        "-o",
        "json",
    ]);
    let output = exec.ask(&cmd, None, stop).await?;
    if output.code != Some(0) {
        return Err(failure::explain(&cmd, &output));
    }
    // Nothing at all is the answer when there is no such Secret.
    let secret: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
    Ok(in_secret(&secret))
}

/// The keys in the first of its documents that has them.
fn in_secret(secret: &Value) -> Option<Keys> {
    objstore::documents(secret).iter().find_map(|document| in_document(&document.0))
}

fn in_document(document: &[u8]) -> Option<Keys> {
    #[derive(Deserialize)]
    struct Document {
        config: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        access_key: String,
        secret_key: String,
    }
    let Document { config } = serde_yaml::from_slice(document).ok()?;
    Some(Keys { access: config.access_key.into(), secret: config.secret_key.into() })
}

fn asked(ask: &mut dyn Ask) -> Result<Keys, Fail> {
    let missing = |why| {
        if matches!(why, NoAnswer::Interrupted) {
            let error = "interrupted at the question: nothing was changed";
            return Fail::new(Exit::Interrupted, error);
        }
        Fail::new(
            Exit::Config,
            format!(
                "looking for the bucket's keys: OKEMON_S3_ACCESS_KEY and OKEMON_S3_SECRET_KEY are not set (nor their _FILE forms), and the cluster has no Secret {OBJSTORE_SECRET}"
            ),
        )
        .hint("`oci iam customer-secret-key create --user-id OCID --display-name thanos` makes a pair; its `id` is the access key, its `key` the secret")
    };
    let access = ask.secret("Access key of the customer secret key").map_err(missing)?;
    let secret = ask.secret("Its secret").map_err(missing)?;
    Ok(Keys { access, secret })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::ByteString;
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_read_from_the_articles_document() {
        let document =
            b"type: S3\nconfig:\n  bucket: thanos\n  access_key: \"a\"\n  secret_key: \"s\"\n";
        let keys = in_document(document).unwrap();
        assert_eq!((keys.access.expose_secret(), keys.secret.expose_secret()), ("a", "s"));
        assert!(in_document(b"type: OCI\nconfig: {}\n").is_none());
    }

    #[test]
    fn okemons_own_document_has_the_newest_keys() {
        let document = |key: &str| {
            let text = format!("config: {{access_key: {key}, secret_key: s}}");
            ByteString(text.into_bytes())
        };
        let found = |documents: &[(&str, &str)]| {
            let data: BTreeMap<_, _> =
                documents.iter().map(|(name, key)| (*name, document(key))).collect();
            in_secret(&json!({"data": data})).map(|keys| keys.access.expose_secret().to_owned())
        };
        let both = [("config.yaml", "old"), ("objstore.yml", "new")];
        assert_eq!(found(&both).as_deref(), Some("new"));
        assert_eq!(found(&both[..1]).as_deref(), Some("old"));
        assert_eq!(found(&[]), None);
    }
}
