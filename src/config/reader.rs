//! The keys of `okemon.yaml`: each with its meaning, its form and its default. The one place to add
//! a key, for the reader and for the JSON Schema.
//!
//! How a key is read is in `fields`; what clusters must not do to each other is in `fleet`.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use serde_json::{Value, json};

use super::checks;
use super::faults::{Place, quoted};
use super::fields::Fields;
use super::fleet::{Member, Role};
use super::layers::Selection;
use super::names::{BadValue, BucketName, ClusterName, Endpoint, Namespace, Ocid};
use super::{
    ChartVersions, Charts, Cluster, Expose, Grafana, LoadBalancer, LoadBalancerKind, ObjectStorage,
    Placement, Retention, Size, ValuesFiles, regions,
};

/// Valid keys whose feature is not there yet: which values are refused (none listed: all but the
/// empty one), and what to do instead. A row goes when its feature comes.
pub(super) const NOT_YET: &[(&str, &[&str], &str)] = &[
    ("objectStorage.auth", &["workload-identity", "instance-principal"], "write s3"),
    ("grafana.importFromGrafanaCom", &[], "leave it out"),
    ("alertmanager.configFile", &[], "leave it out"),
    ("rules", &[], "leave it out"),
    ("clusters[].role", &["managed"], "write admin, with one cluster a file"),
    ("clusters[].access", &[], "leave it out, and run okemon where kubectl reaches the cluster"),
];

/// What one file says: what all clusters have in common, and each cluster, complete or not.
pub(super) struct File {
    pub(super) namespace: Namespace,
    pub(super) charts: Charts,
    pub(super) chart_versions: ChartVersions,
    pub(super) chart_directory: Option<PathBuf>,
    pub(super) image_registry: Option<String>,
    pub(super) image_pull_secrets: Vec<String>,
    pub(super) grafana: Grafana,
    pub(super) members: Vec<Member>,
    /// Where the list of clusters begins.
    pub(super) clusters: Place,
}

/// Reads the whole file.
pub(super) fn file(f: &mut Fields<'_>, selection: &Selection) -> File {
    f.key("version", "The version of this file's form.")
        .required()
        .scalar(json!({"const": 1}), version);
    f.key("alertmanager", "What Alertmanager is told.").section(|f| {
        f.key("configFile", "A configuration of your own; treated as a secret.").path();
    });
    f.key("rules", "Files of alert and recording rules of your own.").list(&text(), anything);
    let shared = shared(f, &Shared::default());
    let storage = f.key("objectStorage", "Where blocks go.").section(storage);
    File {
        namespace: f
            .key("namespace", "The namespace that everything is installed into [monitoring].")
            .text(Namespace::from_str)
            .unwrap_or_default(),
        charts: f
            .key("charts", "Whose charts are installed: bitnami or community [bitnami].")
            .word(&[("bitnami", Charts::Bitnami), ("community", Charts::Community)])
            .unwrap_or_default(),
        chart_versions: f
            .key("chartVersions", "Other versions of the charts than the pinned ones.")
            .section(chart_versions),
        chart_directory: f
            .key("chartDirectory", "A directory that holds the charts as NAME-VERSION.tgz.")
            .path(),
        image_registry: f
            .key("imageRegistry", "A registry that mirrors every image.")
            .text(checks::image_registry),
        image_pull_secrets: f
            .key("imagePullSecrets", "Secrets of the namespace that images are pulled with.")
            .list(&text(), checks::secret),
        grafana: f.key("grafana", "What Grafana is told beyond its values.").section(grafana),
        members: f
            .key("clusters", "The clusters.")
            .required()
            .items(|f| cluster(f, &shared, &storage, selection)),
        clusters: f.value_place("clusters"),
    }
}

fn cluster(f: &mut Fields<'_>, above: &Shared, storage: &Storage, choice: &Selection) -> Member {
    let region = f
        .key("region", "The OCI region: its key or identifier, such as sin or ap-singapore-1.")
        .required()
        .text(regions::find);
    let name = f
        .key("name", "The cluster's name, the external label `cluster` [the region's key].")
        .text(ClusterName::from_str)
        .or_else(|| region.filter(|_| !f.says("name")).map(ClusterName::from));
    let selected = choice.selects(region, name.as_ref());
    // What flags say of a cluster is meant for those that are selected.
    f.hears_settings = selected;

    let role = f
        .key("role", "admin: the cluster that Grafana runs in; managed: the others.")
        .word(&[("admin", Role::Admin), ("managed", Role::Managed)]);
    let context = f.key("context", "The kubeconfig context.").required().text(checks::context);
    let kubeconfig = f.key("kubeconfig", "The kubeconfig that holds the context.").path();
    let uid =
        f.key("uid", "The UID of the namespace kube-system: pins the cluster.").text(checks::uid);
    f.key("access", "How a private cluster is reached, each as USER@HOST.").section(|f| {
        // The whole section stands in `NOT_YET`; the documentation has a row for each of the two.
        f.key("bastion", "The bastion host. Not supported yet.").text(anything);
        f.key("operator", "The operator host. Not supported yet.").text(anything);
    });
    let load_balancer = f
        .key("loadBalancer", "Makes the cluster's StoreAPI reachable from outside.")
        .optional_section(load_balancer);
    let shared = shared(f, above);
    let blocks = blocks(f, !storage.says_bucket, &storage.blocks);
    let prefix = blocks.prefix.unwrap_or_default();

    let object_storage = blocks.bucket.clone().map(|bucket| ObjectStorage {
        bucket,
        prefix: prefix.clone(),
        namespace: storage.namespace.clone(),
        compartment: blocks.compartment,
        endpoint: storage.endpoint.clone(),
    });
    let complete = (name.clone(), region, context, object_storage);
    let cluster = match complete {
        (Some(name), Some(region), Some(context), Some(object_storage)) => Some(Cluster {
            name,
            region,
            context,
            kubeconfig,
            uid,
            size: shared.size,
            retention: shared.retention,
            object_storage,
            values: shared.values,
            placement: shared.placement,
            load_balancer,
        }),
        _ => None,
    };
    Member {
        bucket: region.zip(blocks.bucket).map(|(region, bucket)| (region.key, bucket, prefix)),
        name,
        region,
        role,
        selected,
        cluster,
        place: f.value_place("region"),
    }
}

/// What may stand on the file's level, and on a cluster's, where it wins.
#[derive(Default)]
struct Shared {
    size: Size,
    retention: Retention,
    values: ValuesFiles,
    placement: Placement,
}

/// Reads one level; what it does not say is as `above` says.
fn shared(f: &mut Fields<'_>, above: &Shared) -> Shared {
    Shared {
        size: f
            .key("size", "How much of everything: small, medium or large [small].")
            .word(&[("small", Size::Small), ("medium", Size::Medium), ("large", Size::Large)])
            .unwrap_or(above.size),
        retention: f
            .key("retention", "How long samples are kept.")
            .section(|f| retention(f, &above.retention)),
        values: f
            .key("values", "Files of your own Helm values, the last word.")
            .section(|f| values(f, &above.values)),
        placement: f
            .key("placement", "Which nodes everything runs on.")
            .section(|f| placement(f, &above.placement)),
    }
}

fn retention(f: &mut Fields<'_>, above: &Retention) -> Retention {
    type Check = fn(&str) -> Result<String, BadValue>;
    let mut kept = |name, about, check: Check, above: &str| {
        f.key(name, about).text(check).unwrap_or_else(|| above.to_owned())
    };
    Retention {
        local: kept(
            "local",
            "Samples on Prometheus' own volume [72h].",
            checks::duration,
            &above.local,
        ),
        raw: kept(
            "raw",
            "Samples in the bucket, as scraped, 40h at least [365d].",
            |text| checks::retention_of_source(text, "40h"),
            &above.raw,
        ),
        five_minutes: kept(
            "fiveMinutes",
            "Samples in the bucket, one each five minutes, 10d at least [365d].",
            |text| checks::retention_of_source(text, "10d"),
            &above.five_minutes,
        ),
        one_hour: kept(
            "oneHour",
            "Samples in the bucket, one each hour [0d: for ever].",
            checks::duration,
            &above.one_hour,
        ),
    }
}

fn values(f: &mut Fields<'_>, above: &ValuesFiles) -> ValuesFiles {
    let mut file = |name, about, above: &Option<PathBuf>| {
        f.key(name, about).path_that(checks::values_file).or_else(|| above.clone())
    };
    ValuesFiles {
        prometheus: file("prometheus", "For the release prometheus.", &above.prometheus),
        thanos: file("thanos", "For the release thanos.", &above.thanos),
        grafana: file("grafana", "For the release grafana.", &above.grafana),
    }
}

fn placement(f: &mut Fields<'_>, above: &Placement) -> Placement {
    let labels = f
        .key("nodeSelector", "Labels that a node must have.")
        .texts(checks::label_key, checks::label_value);
    let tolerations = f.key("tolerations", "Taints that are tolerated.").items(toleration);
    Placement {
        node_selector: if labels.is_empty() { above.node_selector.clone() } else { labels },
        tolerations: if tolerations.is_empty() { above.tolerations.clone() } else { tolerations },
    }
}

/// As Kubernetes spells it; only what is said is in it.
fn toleration(f: &mut Fields<'_>) -> Value {
    let operators = [("Exists", "Exists"), ("Equal", "Equal")];
    let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"].map(|effect| (effect, effect));
    let said = [
        ("key", f.key("key", "The taint's key.").text(checks::label_key).map(Value::from)),
        ("operator", f.key("operator", "How it is compared.").word(&operators).map(Value::from)),
        ("value", f.key("value", "The taint's value.").text(checks::label_value).map(Value::from)),
        ("effect", f.key("effect", "The taint's effect.").word(&effects).map(Value::from)),
        (
            "tolerationSeconds",
            f.key("tolerationSeconds", "How long a pod may stay, in seconds.")
                .scalar(json!({"type": "integer"}), i64::from_str)
                .map(Value::from),
        ),
    ];
    let said = said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(said.collect())
}

/// `objectStorage`.
struct Storage {
    blocks: Blocks,
    says_bucket: bool,
    namespace: Option<String>,
    endpoint: Option<Endpoint>,
}

fn storage(f: &mut Fields<'_>) -> Storage {
    f.key("auth", "How Thanos proves who it is [s3].").word(&[
        ("s3", ()),
        ("workload-identity", ()),
        ("instance-principal", ()),
    ]);
    let elsewhere = f.says("endpoint");
    Storage {
        blocks: blocks(f, false, &Blocks::default()),
        says_bucket: f.says("bucket"),
        namespace: f
            .key("namespace", "The tenancy's Object Storage namespace.")
            .required_if(!elsewhere)
            .text(checks::storage_namespace),
        endpoint: f
            .key("endpoint", "Another S3 server; plain http only on loopback.")
            .text(Endpoint::from_str),
    }
}

/// Where a cluster's blocks go, as far as it is said: in `objectStorage`, or on a cluster.
#[derive(Default)]
struct Blocks {
    bucket: Option<BucketName>,
    prefix: Option<String>,
    compartment: Option<Ocid>,
}

fn blocks(f: &mut Fields<'_>, bucket_required: bool, above: &Blocks) -> Blocks {
    let bucket = f
        .key("bucket", "The Object Storage bucket.")
        .required_if(bucket_required)
        .text(BucketName::from_str);
    let prefix = f.key("prefix", "The path inside the bucket.").may_be_empty().text(checks::prefix);
    let compartment = f
        .key("compartment", "The OCID of the compartment that a new bucket is made in.")
        // A tenancy's own OCID stands for its root compartment.
        .text(|text| Ocid::of_kind(text, &["compartment", "tenancy"]));
    Blocks {
        bucket: bucket.or_else(|| above.bucket.clone()),
        prefix: prefix.or_else(|| above.prefix.clone()),
        compartment: compartment.or_else(|| above.compartment.clone()),
    }
}

fn load_balancer(f: &mut Fields<'_>) -> Option<LoadBalancer> {
    let kind = f
        .key("type", "lb: flexible; nlb: network load balancer [lb].")
        .word(&[("lb", LoadBalancerKind::Lb), ("nlb", LoadBalancerKind::Nlb)])
        .unwrap_or_default();
    let expose = f
        .key("expose", "Whose StoreAPI answers [query].")
        .word(&[("query", Expose::Query), ("sidecar", Expose::Sidecar)])
        .unwrap_or_default();
    let subnet = f
        .key("subnet", "The OCID of the subnet that its address is taken from.")
        .required()
        .text(|text| Ocid::of_kind(text, &["subnet"]));
    let nsgs = f
        .key("nsgs", "The OCIDs of its network security groups, five at most.")
        .list(&text(), |text| Ocid::of_kind(text, &["networksecuritygroup"]));
    let address = f.key("address", "A fixed private address; nlb only.").text(checks::address);
    let allow_from = f
        .key("allowFrom", "The networks that may connect, such as 10.0.0.0/16.")
        .list(&text(), checks::network);
    if nsgs.len() > 5 {
        f.fault("nsgs", format!("{} groups; OCI takes five at most", nsgs.len()));
    }
    if kind == LoadBalancerKind::Lb && f.says("address") {
        f.fault("address", "only a network load balancer has a fixed address; write type: nlb");
    }
    Some(LoadBalancer { kind, expose, subnet: subnet?, nsgs, address, allow_from })
}

fn chart_versions(f: &mut Fields<'_>) -> ChartVersions {
    ChartVersions {
        prometheus: f
            .key(
                "prometheus",
                "Of kube-prometheus; of kube-prometheus-stack with charts: community.",
            )
            .text(checks::version),
        thanos: f.key("thanos", "Of thanos.").text(checks::version),
        grafana: f.key("grafana", "Of grafana.").text(checks::version),
    }
}

fn grafana(f: &mut Fields<'_>) -> Grafana {
    f.key("importFromGrafanaCom", "Dashboards of grafana.com, by number.")
        .list(&json!({"type": "integer"}), u32::from_str);
    Grafana {
        dashboards: f
            .key("dashboards", "Whether okemon's own dashboards are installed [true].")
            .switch()
            .unwrap_or(true),
        url: f.key("url", "The address that people open Grafana at.").text(checks::url),
    }
}

fn version(text: &str) -> Result<(), BadValue> {
    if text == "1" {
        return Ok(());
    }
    Err(BadValue(format!("{} is not a version that this okemon reads; write 1", quoted(text))))
}

fn text() -> Value {
    json!({"type": "string"})
}

/// For keys that are refused anyway.
#[expect(clippy::unnecessary_wraps, reason = "it stands beside parsers that can fail")]
fn anything(text: &str) -> Result<String, Infallible> {
    Ok(text.to_owned())
}
