//! Where Thanos keeps its blocks: as a configuration wants it, and as a Secret in a cluster says it.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use serde::Deserialize;
use serde_json::Value;

use super::objects::OBJSTORE_KEY;
use crate::config::Cluster;

/// What is no secret in a Secret with Thanos' access to the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjStore {
    pub bucket: String,
    /// Empty: the bucket's root.
    pub prefix: String,
    /// The server's host, and port if any.
    pub endpoint: String,
    pub region: String,
}

impl ObjStore {
    /// Where the configuration wants them.
    pub fn wanted(cluster: &Cluster) -> Self {
        let storage = &cluster.object_storage;
        Self {
            bucket: storage.bucket.to_string(),
            prefix: within(&storage.prefix),
            endpoint: host(&cluster.s3_url()),
            region: cluster.region.identifier.to_owned(),
        }
    }

    /// Where a Secret says. None: there is no document in it that does.
    pub fn said_by(secret: &Value) -> Option<Self> {
        documents(secret).iter().find_map(|document| Self::read(&document.0))
    }

    fn read(document: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Document {
            config: Inner,
            prefix: Option<String>,
        }
        #[derive(Deserialize)]
        struct Inner {
            bucket: String,
            endpoint: Option<String>,
            region: Option<String>,
        }
        let Document { config, prefix } = serde_yaml::from_slice(document).ok()?;
        Some(Self {
            bucket: config.bucket,
            prefix: within(&prefix.unwrap_or_default()),
            endpoint: host(&config.endpoint.unwrap_or_default()),
            region: config.region.unwrap_or_default(),
        })
    }

    /// Whether both are one place, in whatever region a request for it is signed.
    pub fn is_same_place(&self, other: &Self) -> bool {
        (&self.bucket, &self.prefix, &self.endpoint)
            == (&other.bucket, &other.prefix, &other.endpoint)
    }

    /// What it means that blocks are kept at `new` from now on, a warning each.
    pub fn moved(&self, new: &Self) -> Vec<String> {
        // Thanos finds the region out where none is said.
        let region = if self.region.is_empty() { &new.region } else { &self.region };
        let lost = |what: &str| format!("what {what} is no longer shown by Grafana");
        let parts = [
            ("bucket", &self.bucket, &new.bucket, lost("is in the old one")),
            ("prefix", &self.prefix, &new.prefix, lost("is under the old one")),
            ("endpoint", &self.endpoint, &new.endpoint, lost("only the old one has")),
            ("region", region, &new.region, "it must be the bucket's own".to_owned()),
        ];
        let moved = parts.into_iter().filter(|(_, old, new, _)| old != new);
        moved
            .map(|(part, old, new, then)| {
                format!("! {part}: {} -> {}: {then}", shown(old), shown(new))
            })
            .collect()
    }
}

/// The documents with access to a bucket that a Secret may hold: okemon's own, then those that were
/// made by hand, under whatever name.
pub fn documents(secret: &Value) -> Vec<ByteString> {
    let data = secret["data"].clone();
    let mut documents: BTreeMap<String, ByteString> =
        serde_json::from_value(data).unwrap_or_default();
    let own = documents.remove(OBJSTORE_KEY);
    own.into_iter().chain(documents.into_values()).collect()
}

/// A prefix in the one spelling in which it is compared.
fn within(prefix: &str) -> String {
    prefix.trim_matches('/').to_owned()
}

/// The same of an endpoint: the server alone. A name and password do not belong there, and would
/// be shown.
fn host(endpoint: &str) -> String {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    host.trim_end_matches(":443").to_lowercase()
}

/// A text as it can be shown on a line, whoever wrote it.
fn shown(text: &str) -> String {
    if text.is_empty() {
        return "(none)".to_owned();
    }
    text.escape_debug().take(100).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::content::fixtures::{cluster, config, read};
    use crate::content::objects::{Restarted, objstore};

    /// A Secret with this document.
    fn secret(key: &str, document: &str) -> Value {
        json!({"data": {key: ByteString(document.as_bytes().to_vec())}})
    }

    #[test]
    fn what_is_written_of_the_place_of_blocks_is_what_is_read() {
        let mut cluster = cluster();
        cluster.object_storage.prefix = "fleet/sin".to_owned();
        let written = read(&objstore(&config(), &cluster, Restarted::Yes));
        let document = written["stringData"][OBJSTORE_KEY].as_str().unwrap();
        let said = ObjStore::said_by(&secret(OBJSTORE_KEY, document)).unwrap();
        assert_eq!(said, ObjStore::wanted(&cluster));
        let by_hand = secret("thanos-sin-storage.yaml", document);
        assert_eq!(ObjStore::said_by(&by_hand), Some(said));
        assert_eq!(ObjStore::said_by(&secret(OBJSTORE_KEY, "type: S3\n")), None);
        assert_eq!(ObjStore::said_by(&json!({"data": {"objstore.yml": "no base64!"}})), None);
        assert_eq!(ObjStore::said_by(&json!([])), None);
    }

    #[test]
    fn okemons_own_document_comes_before_those_that_were_made_by_hand() {
        let document = |text: &str| ByteString(text.as_bytes().to_vec());
        let data = json!({
            "config.yaml": document("older"), OBJSTORE_KEY: document("own"), "z": document("old"),
        });
        let found = documents(&json!({"data": data}));
        assert_eq!(found, ["own", "older", "old"].map(document));
        assert_eq!(documents(&json!({"kind": "Secret"})), []);
    }

    #[test]
    fn one_place_has_many_spellings() {
        let said = |endpoint: &str, prefix: &str| {
            let text =
                format!("{{config: {{bucket: b, endpoint: '{endpoint}'}}, prefix: '{prefix}'}}");
            ObjStore::said_by(&secret(OBJSTORE_KEY, &text)).unwrap()
        };
        let one = said("s3.example.com", "a/b");
        for (endpoint, prefix) in [
            ("https://S3.example.com/", "/a/b/"),
            ("s3.example.com:443", "a/b"),
            ("https://key:secret@s3.example.com:443/", "a/b"),
        ] {
            assert_eq!(said(endpoint, prefix), one, "{endpoint} {prefix}");
        }
        assert!(!one.is_same_place(&said("s3.example.com:9000", "a/b")));
        assert!(!one.is_same_place(&said("s3.example.com", "a")));
    }

    #[test]
    fn a_move_of_blocks_is_warned_of_and_tells_no_key() {
        let said = |text: &str| ObjStore::said_by(&secret(OBJSTORE_KEY, text)).unwrap();
        let old = said(
            "{config: {bucket: thanos, endpoint: 'AKID:s3cr3t@a.example.com', region: one, access_key: AKID, secret_key: s3cr3t}}",
        );
        let new = said(
            "{config: {bucket: other, endpoint: b.example.com, region: two, access_key: AKID, secret_key: s3cr3t}, prefix: sin}",
        );
        insta::assert_snapshot!(old.moved(&new).join("\n"), @"
        ! bucket: thanos -> other: what is in the old one is no longer shown by Grafana
        ! prefix: (none) -> sin: what is under the old one is no longer shown by Grafana
        ! endpoint: a.example.com -> b.example.com: what only the old one has is no longer shown by Grafana
        ! region: one -> two: it must be the bucket's own
        ");
        assert_eq!(old.moved(&old), Vec::<String>::new());
        let unsaid = ObjStore { region: String::new(), ..old.clone() };
        assert_eq!(unsaid.moved(&old), Vec::<String>::new());
        let odd = ObjStore { bucket: "a\u{1b}[2J".to_owned(), ..old.clone() };
        assert!(odd.moved(&old)[0].starts_with("! bucket: a\\u{1b}[2J -> thanos"));
    }
}
