//! Flags and variables, with and without a file.

use insta::assert_snapshot;

use super::{FULL, LEAST, read, report, source};
use crate::config::{REGION, SETTINGS, Selection, Setting, load};

/// Settings by flag: `("bucket", "thanos")`.
fn flags(flags: &[(&str, &str)]) -> Vec<Setting> {
    flags
        .iter()
        .map(|(flag, value)| Setting {
            key: SETTINGS.iter().find(|known| known.flag == *flag).unwrap().key,
            value: (*value).into(),
            origin: format!("--{flag}"),
        })
        .collect()
}

fn region(name: &str) -> Selection {
    let choice = Setting { key: REGION.key, value: name.into(), origin: "--region".into() };
    Selection { regions: vec![choice], clusters: Vec::new() }
}

#[test]
fn what_is_missing_is_named_at_once() {
    assert_snapshot!(report("version: 1\nclusters:\n  - name: a\n    loadBalancer: {}\n"), @"
    okemon.yaml:1:1: objectStorage.namespace: missing; write it here, or give --object-storage-namespace or OKEMON_OBJECT_STORAGE_NAMESPACE
    okemon.yaml:3:5: bucket: missing; write it here, or give --bucket or OKEMON_BUCKET
    okemon.yaml:3:5: context: missing; write it here, or give --context or OKEMON_CONTEXT
    okemon.yaml:3:5: region: missing; write it here
    okemon.yaml:4:5: loadBalancer.subnet: missing; write it here
    ");
    assert_snapshot!(report("size: small\n"), @"
    okemon.yaml:1:1: clusters: missing; write it here
    okemon.yaml:1:1: objectStorage.namespace: missing; write it here, or give --object-storage-namespace or OKEMON_OBJECT_STORAGE_NAMESPACE
    okemon.yaml:1:1: version: missing; write it here
    ");
    let nothing = load(None, &[], &region("sin")).unwrap_err();
    let asked: Vec<_> = nothing.all_missing().unwrap().iter().map(|known| known.flag).collect();
    assert_eq!(asked, ["bucket", "context", "object-storage-namespace"]);
    assert_snapshot!(nothing, @"
    bucket: missing; give --bucket or OKEMON_BUCKET
    context: missing; give --context or OKEMON_CONTEXT
    objectStorage.namespace: missing; give --object-storage-namespace or OKEMON_OBJECT_STORAGE_NAMESPACE
    ");
    let no_region = load(None, &flags(&[("bucket", "B")]), &Selection::default()).unwrap_err();
    assert_snapshot!(no_region, @r#"
    --bucket: "B" has 'B' in it; use a-z, 0-9 and `-`, `.`
    context: missing; give --context or OKEMON_CONTEXT
    objectStorage.namespace: missing; give --object-storage-namespace or OKEMON_OBJECT_STORAGE_NAMESPACE
    region: missing; give --region or OKEMON_REGION
    "#);
    let no_cluster = load(None, &flags(&[("namespace", "a")]), &Selection::default()).unwrap_err();
    assert_snapshot!(no_cluster, @"
    bucket: missing; give --bucket or OKEMON_BUCKET
    context: missing; give --context or OKEMON_CONTEXT
    objectStorage.namespace: missing; give --object-storage-namespace or OKEMON_OBJECT_STORAGE_NAMESPACE
    region: missing; give --region or OKEMON_REGION
    ");
    let lost = load(None, &[], &Selection::default()).unwrap_err();
    assert_snapshot!(lost, @r#"
    there is no okemon.yaml here, and no --region. Write one; this is enough:

        version: 1
        objectStorage: {bucket: thanos, namespace: axabcdef1234, compartment: ocid1.compartment.oc1..aaaa}
        clusters:
          - {region: sin, context: oke-sin}

    or do without it:

        okemon install --region sin --context oke-sin --bucket thanos \
          --object-storage-namespace axabcdef1234 --compartment ocid1.compartment.oc1..aaaa
    "#);
}

#[test]
fn flags_alone_make_one_cluster() {
    let settings = flags(&[
        ("context", "oke-sin"),
        ("bucket", "thanos"),
        ("object-storage-namespace", "axab"),
        ("compartment", "ocid1.compartment.oc1..aaaa"),
        ("kubeconfig", "here/config"),
    ]);
    let config = load(None, &settings, &region("ap-singapore-1")).unwrap();
    let from_file = read(
        "
version: 1
objectStorage: {bucket: thanos, namespace: axab, compartment: ocid1.compartment.oc1..aaaa}
clusters: [{region: sin, context: oke-sin}]
",
        &flags(&[("kubeconfig", "here/config")]),
    );
    assert_eq!(format!("{config:?}"), format!("{from_file:?}"));
}

#[test]
fn settings_win_over_the_file_and_over_its_clusters() {
    let settings = flags(&[
        ("namespace", "mine"),
        ("size", "large"),
        ("bucket", "other"),
        ("prefix", "deep"),
        ("retention-raw", "2d"),
        ("image-registry", ""),
        ("chart-directory", "here"),
    ]);
    let config = read(FULL, &settings);
    let cluster = &config.clusters[0];
    assert_snapshot!(
        format!(
            "{} {:?} {} {} {:?} {:?} {:?}",
            config.namespace,
            cluster.size,
            cluster.object_storage.bucket,
            cluster.object_storage.prefix,
            cluster.retention,
            config.image_registry,
            config.chart_directory,
        ),
        @r#"mine Large other deep Retention { local: "24h", raw: "2d", five_minutes: "60d", one_hour: "2y" } None Some("here")"#
    );
}

#[test]
fn bad_settings_name_their_flag() {
    let settings =
        flags(&[("bucket", "B"), ("size", "tiny"), ("endpoint", "http://s3.example.com")]);
    let faults = load(Some(&source(LEAST)), &settings, &region("syd")).unwrap_err();
    assert_snapshot!(faults, @r#"
    --endpoint: "http://s3.example.com" is plain http, allowed on loopback only; write https://s3.example.com
    --region: "syd" is the region of no cluster of the file; it has sin in sin
    "#);
    let faults = load(Some(&source(LEAST)), &settings, &region("tok")).unwrap_err();
    assert_snapshot!(faults, @r#"
    --endpoint: "http://s3.example.com" is plain http, allowed on loopback only; write https://s3.example.com
    --region: "tok" is not a region of OCI; did you mean `nrt`?
    "#);
}

#[test]
fn a_setting_of_one_cluster_is_refused_for_several() {
    let text = "\
version: 1
objectStorage: {bucket: thanos, namespace: axab}
clusters: [{region: sin, context: a, role: admin}, {region: syd, context: b}]
";
    let settings = flags(&[("context", "c"), ("size", "large")]);
    let several = load(Some(&source(text)), &settings, &Selection::default()).unwrap_err();
    assert_snapshot!(several, @"
    okemon.yaml:3:61: clusters: a second cluster is not supported yet; write one cluster a file
    --context: for one cluster at a time, and these are selected: sin, syd; add --cluster NAME
    ");
    let one = load(Some(&source(text)), &settings, &region("syd")).unwrap_err();
    assert_snapshot!(one, @"okemon.yaml:3:61: clusters: a second cluster is not supported yet; write one cluster a file");
}
