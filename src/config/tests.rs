//! Files as users write them: what becomes of good ones, and the whole report of bad ones.

mod bytes;
mod settings;

use std::path::PathBuf;

use insta::{assert_debug_snapshot, assert_snapshot};

use super::{Config, Selection, Setting, Source, load};

const FULL: &str = include_str!("../../tests/data/full.yaml");

/// The least that is valid.
const LEAST: &str = "\
version: 1
objectStorage: {bucket: thanos, namespace: axab}
clusters: [{region: sin, context: oke-sin}]
";

fn source(bytes: impl AsRef<[u8]>) -> Source {
    let bytes = bytes.as_ref().to_vec();
    Source { origin: "okemon.yaml".into(), directory: PathBuf::from("/fleet"), bytes }
}

fn report(bytes: impl AsRef<[u8]>) -> String {
    load(Some(&source(bytes)), &[], &Selection::default())
        .map_or_else(|faults| faults.to_string(), |_| "accepted".into())
}

fn read(text: &str, settings: &[Setting]) -> Config {
    load(Some(&source(text)), settings, &Selection::default()).unwrap()
}

#[test]
fn the_least_file_gets_every_default() {
    assert_debug_snapshot!(read(LEAST, &[]), @r#"
    Config {
        namespace: Namespace(
            "monitoring",
        ),
        charts: Bitnami,
        chart_versions: ChartVersions {
            prometheus: None,
            thanos: None,
            grafana: None,
        },
        chart_directory: None,
        image_registry: None,
        image_pull_secrets: [],
        grafana: Grafana {
            dashboards: true,
            url: None,
        },
        clusters: [
            Cluster {
                name: ClusterName(
                    "sin",
                ),
                region: Region {
                    key: "sin",
                    identifier: "ap-singapore-1",
                    realm: "oc1",
                    domain: "oraclecloud.com",
                },
                context: "oke-sin",
                kubeconfig: None,
                uid: None,
                size: Small,
                retention: Retention {
                    local: "72h",
                    raw: "365d",
                    five_minutes: "365d",
                    one_hour: "0d",
                },
                object_storage: ObjectStorage {
                    bucket: BucketName(
                        "thanos",
                    ),
                    prefix: "",
                    namespace: Some(
                        "axab",
                    ),
                    compartment: None,
                    endpoint: None,
                },
                values: ValuesFiles {
                    prometheus: None,
                    thanos: None,
                    grafana: None,
                },
                placement: Placement {
                    node_selector: {},
                    tolerations: [],
                },
                load_balancer: None,
            },
        ],
    }
    "#);
}

#[test]
fn the_full_file_is_read_and_its_clusters_keys_win() {
    assert_debug_snapshot!(read(FULL, &[]));
}

#[test]
fn every_fault_of_a_file_is_in_one_report() {
    let text = "\
version: 2
namespaze: x
charts: community
size: tiny
secretKey: hunter2
chartDirectory: ~/charts
imageRegistry: https://sin.ocir.io/x
retention: {local: 3 days, raw: [365d]}
rules: [a.yaml]
objectStorage:
  bucket: Thanos
  auth: workload-identity
  tenancy: x
  endpoint: http://s3.example.com
  compartment: ocid1.vcn.oc1..aaaa
grafana: {dashboards: yes, importFromGrafanaCom: [315], url: {a: b}}
alertmanager: {configFile: a.yaml}
placement: here
clusters:
  - name: a
    region: mum
    access: {bastion: opc@203.0.113.10}
    loadBalancer:
      address: 10.1.2
      nsgs: [ocid1.networksecuritygroup.oc1.iad.a, b]
      allowFrom: [10.0.3.4/16]
  - text
";
    assert_snapshot!(report(text), @r#"
    okemon.yaml:1:10: version: "2" is not a version that this okemon reads; write 1
    okemon.yaml:2:1: unknown key "namespaze"; did you mean `namespace`?
    okemon.yaml:4:7: size: "tiny" is not known; write small or medium or large
    okemon.yaml:5:1: unknown key "secretKey"; no secret is in this file; set OKEMON_S3_ACCESS_KEY and OKEMON_S3_SECRET_KEY
    okemon.yaml:6:17: chartDirectory: "~/charts" begins with `~`, which only a shell expands; write the whole path
    okemon.yaml:7:16: imageRegistry: "https://sin.ocir.io/x" has a scheme; write "sin.ocir.io/x"
    okemon.yaml:8:20: retention.local: "3 days" is not a duration; write a number and one of s m h d w y, such as 72h or 365d
    okemon.yaml:8:33: retention.raw: expects a text, this is a list
    okemon.yaml:9:1: rules: not supported yet; leave it out
    okemon.yaml:11:11: objectStorage.bucket: "Thanos" has 'T' in it; use a-z, 0-9 and `-`, `.`
    okemon.yaml:12:3: objectStorage.auth: workload-identity is not supported yet; write s3
    okemon.yaml:13:3: objectStorage: unknown key "tenancy"; known here: auth, bucket, prefix, compartment, namespace, endpoint
    okemon.yaml:14:13: objectStorage.endpoint: "http://s3.example.com" is plain http, allowed on loopback only; write https://s3.example.com
    okemon.yaml:15:16: objectStorage.compartment: expects an ocid1.compartment..., this is an ocid1.vcn...
    okemon.yaml:16:23: grafana.dashboards: "yes" is neither true nor false
    okemon.yaml:16:28: grafana.importFromGrafanaCom: not supported yet; leave it out
    okemon.yaml:16:62: grafana.url: expects a text, this is a mapping
    okemon.yaml:17:16: alertmanager.configFile: not supported yet; leave it out
    okemon.yaml:18:12: placement: expects a mapping such as {key: value}, this is a text
    okemon.yaml:20:5: context: missing; write it here, or give --context or OKEMON_CONTEXT
    okemon.yaml:21:13: region: "mum" is not a region of OCI; did you mean `bom`?
    okemon.yaml:22:5: access: not supported yet; leave it out, and run okemon where kubectl reaches the cluster
    okemon.yaml:23:5: loadBalancer.subnet: missing; write it here
    okemon.yaml:24:16: loadBalancer.address: "10.1.2" is not an IPv4 address; write one such as 10.1.2.3
    okemon.yaml:24:16: loadBalancer.address: only a network load balancer has a fixed address; write type: nlb
    okemon.yaml:25:52: loadBalancer.nsgs: "b" is not an OCID; it looks like ocid1.KIND.oc1.REGION.UNIQUE
    okemon.yaml:26:19: loadBalancer.allowFrom: "10.0.3.4/16" is an address inside a network; write 10.0.0.0/16
    okemon.yaml:27:5: clusters: expects a mapping such as {key: value}, this is a text
    "#);
}

#[test]
fn a_retention_that_thanos_compactor_does_not_start_with_is_refused() {
    let text = "\
version: 1
retention: {local: 1h, raw: 39h, fiveMinutes: 9d, oneHour: 1h}
objectStorage: {bucket: thanos, namespace: axab}
clusters: [{region: sin, context: a, retention: {raw: 40h, fiveMinutes: 10d}}]
";
    assert_snapshot!(report(text), @r#"
    okemon.yaml:2:29: retention.raw: "39h" is too short to make coarser samples from; write 40h or more, or 0d, for ever
    okemon.yaml:2:47: retention.fiveMinutes: "9d" is too short to make coarser samples from; write 10d or more, or 0d, for ever
    "#);
}

#[test]
fn a_values_file_whose_path_helm_would_divide_is_refused() {
    let text = "\
version: 1
values: {prometheus: \"a,b.yaml\", thanos: 'a\"b.yaml', grafana: a b.yaml}
chartDirectory: a,b
objectStorage: {bucket: thanos, namespace: axab}
clusters: [{region: sin, context: a}]
";
    assert_snapshot!(report(text), @r#"
    okemon.yaml:2:22: values.prometheus: "/fleet/a,b.yaml" has ',' in it, which Helm takes for no part of a path; rename it
    okemon.yaml:2:42: values.thanos: "/fleet/a\"b.yaml" has '"' in it, which Helm takes for no part of a path; rename it
    "#);
    let within = Source { directory: PathBuf::from("/fleet,sin"), ..source(FULL) };
    let faults = load(Some(&within), &[], &Selection::default()).unwrap_err();
    assert_snapshot!(faults, @r#"
    okemon.yaml:16:15: values.prometheus: "/fleet,sin/values/prometheus.yaml" has ',' in it, which Helm takes for no part of a path; rename it
    okemon.yaml:17:11: values.thanos: "/fleet,sin/values/thanos.yaml" has ',' in it, which Helm takes for no part of a path; rename it
    okemon.yaml:49:26: values.prometheus: "/fleet,sin/values/prod.yaml" has ',' in it, which Helm takes for no part of a path; rename it
    "#);
}

#[test]
fn what_clusters_must_not_do_to_each_other_is_refused() {
    let text = "\
version: 1
objectStorage: {bucket: thanos, namespace: axab}
clusters:
  - {region: sin, context: a, role: admin}
  - {region: ap-singapore-1, context: b, role: admin}
  - {region: syd, context: c, role: managed}
  - {region: sin, name: d, context: d, prefix: d}
  - region: iad
    context: e
    loadBalancer: {subnet: ocid1.subnet.oc1.iad.a, address: 10.0.0.1, nsgs: [
      ocid1.networksecuritygroup.oc1.iad.a, ocid1.networksecuritygroup.oc1.iad.b,
      ocid1.networksecuritygroup.oc1.iad.c, ocid1.networksecuritygroup.oc1.iad.d,
      ocid1.networksecuritygroup.oc1.iad.e, ocid1.networksecuritygroup.oc1.iad.f]}
";
    assert_snapshot!(report(text), @"
    okemon.yaml:5:14: bucket: a second cluster of sin has bucket `thanos` and this prefix: two compactors destroy data; write another prefix
    okemon.yaml:5:14: clusters: a second cluster is not supported yet; write one cluster a file
    okemon.yaml:5:14: name: a second cluster is named `sin`; give each its own name
    okemon.yaml:5:14: role: a second cluster has role: admin; write managed on all but one
    okemon.yaml:6:31: role: managed is not supported yet; write admin, with one cluster a file
    okemon.yaml:10:61: loadBalancer.address: only a network load balancer has a fixed address; write type: nlb
    okemon.yaml:10:77: loadBalancer.nsgs: 6 groups; OCI takes five at most
    ");
    let nobody = "\
version: 1
objectStorage: {bucket: thanos, namespace: axab}
clusters: [{region: sin, context: a}, {region: syd, context: b}]
";
    assert_snapshot!(report(nobody), @"
    okemon.yaml:3:11: clusters: none has role: admin; write it on the one that Grafana shall run in
    okemon.yaml:3:48: clusters: a second cluster is not supported yet; write one cluster a file
    ");
}
