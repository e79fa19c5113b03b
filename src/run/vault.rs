//! The secrets of one run. The runner alone holds them; a plan only names them.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::config::names::ClusterName;
use crate::content::doc::SecretName;
use crate::tools::s3::Keys;

/// Secrets by cluster and name.
#[derive(Clone, Debug, Default)]
pub struct Vault(BTreeMap<(ClusterName, SecretName), SecretString>);

impl Vault {
    pub fn put(&mut self, cluster: &ClusterName, name: SecretName, value: SecretString) {
        self.0.insert((cluster.clone(), name), value);
    }

    /// What opens the cluster's bucket.
    pub fn keys(&self, cluster: &ClusterName) -> Option<Keys> {
        let access = self.secret(cluster, SecretName::S3AccessKey)?.clone();
        let secret = self.secret(cluster, SecretName::S3SecretKey)?.clone();
        Some(Keys { access, secret })
    }

    pub fn secret(&self, cluster: &ClusterName, name: SecretName) -> Option<&SecretString> {
        self.0.get(&(cluster.clone(), name))
    }
}
