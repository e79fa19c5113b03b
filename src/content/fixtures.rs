//! A small fleet for this module's tests, and a way to read what was rendered.

use serde_json::Value;

use super::doc::{Doc, SecretName};
use crate::config::names::{BucketName, ClusterName, Namespace, Ocid};
use crate::config::regions::Region;
use crate::config::{
    ChartVersions, Charts, Cluster, Config, Expose, Grafana, LoadBalancer, LoadBalancerKind,
    ObjectStorage, Placement, Retention, Size, ValuesFiles,
};

/// One cluster in Singapore, with the defaults.
pub(crate) fn config() -> Config {
    Config {
        namespace: Namespace::new_unchecked("monitoring"),
        charts: Charts::default(),
        chart_versions: ChartVersions::default(),
        chart_directory: None,
        image_registry: None,
        image_pull_secrets: vec![],
        grafana: Grafana { dashboards: true, url: None },
        clusters: vec![cluster()],
    }
}

pub(crate) fn cluster() -> Cluster {
    Cluster {
        name: ClusterName::new_unchecked("sin"),
        region: Region {
            key: "sin",
            identifier: "ap-singapore-1",
            realm: "oc1",
            domain: "oraclecloud.com",
        },
        context: "oke-sin".to_owned(),
        kubeconfig: None,
        uid: None,
        size: Size::Small,
        retention: Retention {
            local: "72h".to_owned(),
            raw: "365d".to_owned(),
            five_minutes: "400d".to_owned(),
            one_hour: "0d".to_owned(),
        },
        object_storage: ObjectStorage {
            bucket: BucketName::new_unchecked("thanos"),
            prefix: String::new(),
            namespace: Some("axab".to_owned()),
            compartment: None,
            endpoint: None,
        },
        values: ValuesFiles::default(),
        placement: Placement::default(),
        load_balancer: None,
    }
}

pub(crate) fn load_balancer(kind: LoadBalancerKind) -> LoadBalancer {
    LoadBalancer {
        kind,
        expose: Expose::Query,
        subnet: Ocid::new_unchecked("ocid1.subnet.oc1.ap-singapore-1.cccc"),
        nsgs: ["one", "two"]
            .map(|nsg| {
                Ocid::new_unchecked(&format!("ocid1.networksecuritygroup.oc1.ap-singapore-1.{nsg}"))
            })
            .to_vec(),
        address: None,
        allow_from: Vec::new(),
    }
}

/// The document as a YAML parser reads it; each secret is its own name.
pub(crate) fn read(doc: &Doc) -> Value {
    read_with(doc, |name| name.as_str().to_owned())
}

pub(crate) fn read_with(doc: &Doc, secret: impl Fn(SecretName) -> String) -> Value {
    use secrecy::ExposeSecret as _;

    let text = doc.render(|name| Some(secret(name).into())).unwrap();
    let text = text.expose_secret();
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// Every string in a document.
pub(crate) fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(fields) => fields.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}
