//! The objects that okemon applies itself, beside the charts' own. Dashboards have their module.

use serde_json::json;

use super::charts::store_pods;
pub use super::dashboards::dashboards;
use super::doc::{Doc, SecretName};
use crate::config::names::Ocid;
use crate::config::{Cluster, Config, LoadBalancer};

/// The Secret with Thanos' access to the bucket: the articles' name.
pub const OBJSTORE_SECRET: &str = "thanos-objstore-config";
pub const OBJSTORE_KEY: &str = "objstore.yml";

/// The Secret with Grafana's first login. Not `grafana`: that is the chart's own in what was
/// installed by hand, and Helm deletes it when it is taken over.
pub const GRAFANA_ADMIN_SECRET: &str = "okemon-grafana-admin";
pub const GRAFANA_USER_KEY: &str = "admin-user";
pub const GRAFANA_PASSWORD_KEY: &str = "admin-password";

/// The Service that other clusters reach this one's `StoreAPI` by.
pub const STOREAPI_SERVICE: &str = "thanos-storeapi";

/// The namespace of everything. It may be there already, with labels of others: nothing but its
/// name is said.
pub fn namespace(config: &Config) -> Doc {
    Doc::new("manifests/namespace.yaml.j2", json!({"namespace": config.namespace}))
}

/// Whether those who read a Secret have been restarted since it changed: Thanos reads the bucket's
/// keys when it starts, and never again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarted {
    Yes,
    NotYet,
}

/// The Secret with Thanos' access to the bucket.
pub fn objstore(config: &Config, cluster: &Cluster, restarted: Restarted) -> Doc {
    let storage = &cluster.object_storage;
    let (endpoint, insecure) = endpoint(cluster);
    let data = json!({
        "namespace": config.namespace,
        "name": OBJSTORE_SECRET,
        "key": OBJSTORE_KEY,
        "bucket": storage.bucket,
        "prefix": storage.prefix,
        "endpoint": endpoint,
        "region": cluster.region.identifier,
        "insecure": insecure,
        "restart_pending": restarted == Restarted::NotYet,
    });
    Doc::new("manifests/objstore.yaml.j2", data)
        .secrets([SecretName::S3AccessKey, SecretName::S3SecretKey])
}

/// What claims of volumes ask for from now on: each by its name, with its size such as `50Gi`.
pub fn claims(claims: &[(String, String)]) -> Doc {
    let claim = |(name, size): &(String, String)| json!({"name": name, "size": size});
    let claims: Vec<_> = claims.iter().map(claim).collect();
    Doc::new("manifests/claims.yaml.j2", json!({"claims": claims}))
}

/// The Secret with Grafana's first login.
pub fn grafana_admin(config: &Config) -> Doc {
    let data = json!({
        "namespace": config.namespace,
        "name": GRAFANA_ADMIN_SECRET,
        "user_key": GRAFANA_USER_KEY,
        "password_key": GRAFANA_PASSWORD_KEY,
    });
    Doc::new("manifests/grafana-admin.yaml.j2", data).secrets([SecretName::GrafanaAdminPassword])
}

/// The Service that makes the cluster's `StoreAPI` reachable from outside, when that is wanted.
pub fn storeapi(config: &Config, cluster: &Cluster) -> Option<Doc> {
    let LoadBalancer { kind, expose, subnet, nsgs, address, allow_from } =
        cluster.load_balancer.as_ref()?;
    let nsgs: Vec<_> = nsgs.iter().map(Ocid::as_str).collect();
    let data = json!({
        "namespace": config.namespace,
        "name": STOREAPI_SERVICE,
        "kind": kind,
        "subnet": subnet,
        "nsgs": nsgs.join(","),
        "address": address,
        "allow_from": allow_from,
        "selector": store_pods(*expose),
    });
    Some(Doc::new("manifests/storeapi.yaml.j2", data))
}

/// The host, and port if any, of the S3 server, and whether it is spoken to without TLS.
///
/// Only a server on this machine is: `insecure` also makes Thanos sign uploads in a way that OCI
/// rejects.
fn endpoint(cluster: &Cluster) -> (String, bool) {
    let url = cluster.s3_url();
    let (scheme, host) = url.split_once("://").unwrap_or(("https", &url));
    (host.to_owned(), scheme == "http")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::config::names::Endpoint;
    use crate::config::{Expose, LoadBalancerKind};
    use crate::content::fixtures::{cluster, config, load_balancer, read};

    #[test]
    fn every_object_says_what_it_is_and_whose() {
        let cluster =
            Cluster { load_balancer: Some(load_balancer(LoadBalancerKind::Lb)), ..cluster() };
        let config = config();
        let docs = [
            namespace(&config),
            objstore(&config, &cluster, Restarted::Yes),
            grafana_admin(&config),
        ]
        .into_iter()
        .chain(storeapi(&config, &cluster))
        .chain(dashboards(&config));
        let heads: Vec<_> = docs
            .map(|doc| {
                let object = read(&doc);
                let meta = &object["metadata"];
                let name = meta["name"].as_str().unwrap();
                let [version, kind, namespace, kept] =
                    [&object["apiVersion"], &object["kind"], &meta["namespace"], &object["type"]]
                        .map(|text| text.as_str().unwrap_or("-"));
                format!("{version} {kind} {namespace}/{name} {kept}\n  {}", meta["labels"])
            })
            .collect();
        insta::assert_snapshot!(heads.join("\n"), @r#"
        v1 Namespace -/monitoring -
          null
        v1 Secret monitoring/thanos-objstore-config Opaque
          {"app.kubernetes.io/name":"thanos-objstore-config","app.kubernetes.io/part-of":"okemon","app.kubernetes.io/managed-by":"okemon"}
        v1 Secret monitoring/okemon-grafana-admin Opaque
          {"app.kubernetes.io/name":"okemon-grafana-admin","app.kubernetes.io/part-of":"okemon","app.kubernetes.io/managed-by":"okemon"}
        v1 Service monitoring/thanos-storeapi -
          {"app.kubernetes.io/name":"thanos-storeapi","app.kubernetes.io/component":"storeapi","app.kubernetes.io/part-of":"okemon","app.kubernetes.io/managed-by":"okemon"}
        v1 ConfigMap monitoring/okemon-dashboard-fleet -
          {"app.kubernetes.io/name":"okemon-dashboard-fleet","app.kubernetes.io/part-of":"okemon","app.kubernetes.io/managed-by":"okemon","grafana_dashboard":"1"}
        v1 ConfigMap monitoring/okemon-dashboard-cluster -
          {"app.kubernetes.io/name":"okemon-dashboard-cluster","app.kubernetes.io/part-of":"okemon","app.kubernetes.io/managed-by":"okemon","grafana_dashboard":"1"}
        v1 ConfigMap monitoring/okemon-dashboard-thanos -
          {"app.kubernetes.io/name":"okemon-dashboard-thanos","app.kubernetes.io/part-of":"okemon","app.kubernetes.io/managed-by":"okemon","grafana_dashboard":"1"}
        "#);
    }

    fn objstore_yml(cluster: &Cluster) -> String {
        let secret = read(&objstore(&config(), cluster, Restarted::Yes));
        secret["stringData"][OBJSTORE_KEY].as_str().unwrap().to_owned()
    }

    #[test]
    fn the_keys_are_in_one_secret_and_thanos_knows_every_key_of_it() {
        let doc = objstore(&config(), &cluster(), Restarted::Yes);
        assert_eq!(doc.secrets, [SecretName::S3AccessKey, SecretName::S3SecretKey]);
        assert_eq!(read(&doc)["metadata"]["name"], "thanos-objstore-config");
        insta::assert_snapshot!(objstore_yml(&cluster()), @r#"
        type: S3
        config:
          bucket: "thanos"
          endpoint: "axab.compat.objectstorage.ap-singapore-1.oraclecloud.com"
          region: "ap-singapore-1"
          access_key: "s3-access-key"
          secret_key: "s3-secret-key"
          insecure: false
          signature_version2: false
          bucket_lookup_type: path
          part_size: 67108864
          http_config:
            idle_conn_timeout: 90s
            response_header_timeout: 2m
            insecure_skip_verify: false
        "#);
    }

    #[test]
    fn a_prefix_stands_beside_the_servers_settings() {
        let mut cluster = cluster();
        cluster.object_storage.prefix = "fleet/sin".to_owned();
        let text = objstore_yml(&cluster);
        let config: Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(config["prefix"], "fleet/sin");
    }

    #[test]
    fn another_server_is_named_without_scheme_and_spoken_to_in_its_own() {
        let asked = |url: &str| {
            let mut cluster = cluster();
            cluster.object_storage.endpoint = Some(Endpoint::new_unchecked(url));
            let config: Value = serde_yaml::from_str(&objstore_yml(&cluster)).unwrap();
            let insecure = config["config"]["insecure"].as_bool().unwrap();
            (config["config"]["endpoint"].as_str().unwrap().to_owned(), insecure)
        };
        assert_eq!(asked("https://s3.example.com"), ("s3.example.com".to_owned(), false));
        assert_eq!(asked("http://127.0.0.1:9000/"), ("127.0.0.1:9000".to_owned(), true));
    }

    #[test]
    fn a_realm_other_than_the_first_has_its_own_domain() {
        let mut cluster = cluster();
        cluster.region.identifier = "us-langley-1";
        cluster.region.domain = "oraclegovcloud.com";
        let config: Value = serde_yaml::from_str(&objstore_yml(&cluster)).unwrap();
        assert_eq!(
            config["config"]["endpoint"],
            "axab.compat.objectstorage.us-langley-1.oraclegovcloud.com"
        );
    }

    #[test]
    fn grafanas_login_is_a_secret_of_its_own() {
        let doc = grafana_admin(&config());
        assert_eq!(doc.secrets, [SecretName::GrafanaAdminPassword]);
        let secret = read(&doc);
        assert_eq!(secret["metadata"]["name"], "okemon-grafana-admin");
        assert_eq!(
            secret["stringData"],
            json!({"admin-user": "admin", "admin-password": "grafana-admin-password"})
        );
    }

    #[test]
    fn a_preview_names_secrets_and_tells_none() {
        let preview = grafana_admin(&config()).preview().unwrap();
        assert!(preview.contains("(secret grafana-admin-password)"), "{preview}");
    }

    #[test]
    fn without_a_load_balancer_there_is_no_service_for_others() {
        assert_eq!(storeapi(&config(), &cluster()), None);
    }

    fn service(balancer: LoadBalancer) -> Value {
        let cluster = Cluster { load_balancer: Some(balancer), ..cluster() };
        read(&storeapi(&config(), &cluster).unwrap())
    }

    #[test]
    fn others_reach_the_queries_by_grpc_only() {
        let service = service(load_balancer(LoadBalancerKind::Lb));
        assert_eq!(
            service["spec"],
            json!({
                "type": "LoadBalancer",
                "selector": {
                    "app.kubernetes.io/component": "query",
                    "app.kubernetes.io/instance": "thanos",
                    "app.kubernetes.io/name": "thanos",
                },
                "ports": [{"name": "grpc", "port": 10901, "targetPort": "grpc", "protocol": "TCP"}],
            })
        );
    }

    #[test]
    fn sidecars_are_shown_when_asked_and_only_to_those_allowed() {
        let mut balancer = load_balancer(LoadBalancerKind::Lb);
        balancer.expose = Expose::Sidecar;
        balancer.allow_from = vec!["10.0.0.0/16".to_owned()];
        let service = service(balancer);
        assert_eq!(
            service["spec"]["selector"]["prometheus"],
            "prometheus-kube-prometheus-prometheus"
        );
        assert_eq!(service["spec"]["loadBalancerSourceRanges"], json!(["10.0.0.0/16"]));
    }

    fn annotations(balancer: LoadBalancer) -> String {
        let service = service(balancer);
        serde_json::to_string_pretty(&service["metadata"]["annotations"]).unwrap()
    }

    #[test]
    fn a_load_balancer_is_internal_and_leaves_security_lists_alone() {
        insta::assert_snapshot!(annotations(load_balancer(LoadBalancerKind::Lb)), @r#"
        {
          "oci.oraclecloud.com/load-balancer-type": "lb",
          "service.beta.kubernetes.io/oci-load-balancer-internal": "true",
          "service.beta.kubernetes.io/oci-load-balancer-subnet1": "ocid1.subnet.oc1.ap-singapore-1.cccc",
          "service.beta.kubernetes.io/oci-load-balancer-shape": "flexible",
          "service.beta.kubernetes.io/oci-load-balancer-shape-flex-min": "10",
          "service.beta.kubernetes.io/oci-load-balancer-shape-flex-max": "100",
          "oci.oraclecloud.com/oci-network-security-groups": "ocid1.networksecuritygroup.oc1.ap-singapore-1.one,ocid1.networksecuritygroup.oc1.ap-singapore-1.two",
          "service.beta.kubernetes.io/oci-load-balancer-security-list-management-mode": "None",
          "service.beta.kubernetes.io/oci-load-balancer-backend-protocol": "TCP"
        }
        "#);
    }

    #[test]
    fn a_network_load_balancer_is_internal_and_has_its_fixed_address() {
        let mut balancer = load_balancer(LoadBalancerKind::Nlb);
        balancer.address = Some([10, 1, 2, 3].into());
        insta::assert_snapshot!(annotations(balancer), @r#"
        {
          "oci.oraclecloud.com/load-balancer-type": "nlb",
          "oci-network-load-balancer.oraclecloud.com/internal": "true",
          "oci-network-load-balancer.oraclecloud.com/subnet": "ocid1.subnet.oc1.ap-singapore-1.cccc",
          "oci-network-load-balancer.oraclecloud.com/oci-network-security-groups": "ocid1.networksecuritygroup.oc1.ap-singapore-1.one,ocid1.networksecuritygroup.oc1.ap-singapore-1.two",
          "oci-network-load-balancer.oraclecloud.com/security-list-management-mode": "None",
          "oci-network-load-balancer.oraclecloud.com/assigned-private-ipv4": "10.1.2.3"
        }
        "#);
    }

    #[test]
    fn without_groups_and_address_nothing_is_said_of_them() {
        let mut balancer = load_balancer(LoadBalancerKind::Nlb);
        balancer.nsgs.clear();
        let annotations = annotations(balancer);
        assert!(!annotations.contains("security-groups"), "{annotations}");
        assert!(!annotations.contains("assigned-private-ipv4"), "{annotations}");
    }
}
