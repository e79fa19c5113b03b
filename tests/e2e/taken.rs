//! A cluster that was made by hand, with the articles' commands, and is taken over.

use std::path::Path;

use insta::assert_snapshot;

use crate::objects::{differing, fresh};
use crate::sandbox::{Sandbox, ran, without_keys};
use crate::variants::{Charts, Helm, pods_are_run};

#[test]
fn bitnamis_charts_by_helm_3_are_taken_over_with_helm_3() {
    let sandbox = by_hand(Charts::Bitnami, Helm::Three);
    taken_over(&sandbox, Charts::Bitnami, Helm::Three);
}

#[test]
fn bitnamis_charts_by_helm_3_are_taken_over_with_helm_4() {
    let sandbox = by_hand(Charts::Bitnami, Helm::Three);
    taken_over(&sandbox, Charts::Bitnami, Helm::Four);
}

#[test]
fn bitnamis_charts_by_helm_4_are_taken_over_with_helm_4() {
    let sandbox = by_hand(Charts::Bitnami, Helm::Four);
    assert_snapshot!("what_is_shown_before_bitnamis_charts_are_taken_over", shown(&sandbox));
    taken_over(&sandbox, Charts::Bitnami, Helm::Four);
}

#[test]
fn the_communitys_charts_by_helm_3_are_taken_over_with_helm_3() {
    let sandbox = by_hand(Charts::Community, Helm::Three);
    taken_over(&sandbox, Charts::Community, Helm::Three);
}

#[test]
fn the_communitys_charts_by_helm_4_are_taken_over_with_helm_4() {
    let sandbox = by_hand(Charts::Community, Helm::Four);
    assert_snapshot!("what_is_shown_before_the_communitys_charts_are_taken_over", shown(&sandbox));
    taken_over(&sandbox, Charts::Community, Helm::Four);
}

/// A cluster as the articles make it: a bucket, all values of the charts in a file, some of them
/// changed, the bucket's keys among them, and a Secret that kubectl made.
fn by_hand(charts: Charts, helm: Helm) -> Sandbox {
    let sandbox = Sandbox::up_for(charts);
    sandbox.use_helm(helm);
    let storage = format!(
        "type: S3\nconfig:\n  bucket: thanos\n  endpoint: {}\n  region: ap-singapore-1\n  access_key: okemon-sandbox\n  secret_key: okemon-sandbox-secret\n  insecure: true\n",
        sandbox.s3("endpoint").trim_start_matches("http://")
    );
    std::fs::write(sandbox.path("thanos-sin-storage.yaml"), storage).unwrap();
    // Without it no store gateway gets ready, and a set in order makes no second one.
    std::fs::create_dir(Path::new(sandbox.s3("directory")).join("thanos")).unwrap();
    sandbox.kubectl(&["create", "namespace", "monitoring"]);
    let secret = ["create", "secret", "generic", "thanos-objstore-config"];
    let storage = sandbox.path("thanos-sin-storage.yaml").display().to_string();
    let file = format!("--from-file={storage}");
    sandbox.kubectl(&[&secret[..], &["--namespace", "monitoring", &file]].concat());
    let keys = match charts {
        Charts::Bitnami => format!("objstoreConfig={storage}"),
        Charts::Community => format!("global.objstore.config={storage}"),
    };
    for release in ["prometheus", "thanos", "grafana"] {
        let chart = sandbox.chart(release);
        let all = sandbox.path(&format!("{release}-values.yaml"));
        std::fs::write(&all, sandbox.helm(&["show", "values", &chart])).unwrap();
        let values = sandbox.values_by_hand(release);
        let mut install = vec!["install", release, &chart, "--values", all.to_str().unwrap()];
        install.extend(values.iter().flat_map(|values| ["--values", values]));
        if release == "thanos" {
            install.extend(["--set-file", &keys]);
        }
        sandbox.helm(&install);
    }
    crate::sandbox::eventually("the operator has made Prometheus", || {
        let args = ["get", "statefulset", "--namespace", "monitoring", "-o", "name"];
        sandbox.kubectl(&args).contains("/prometheus-prometheus-kube-prometheus-prometheus")
    });
    // A set that is made in order has all its pods and their claims only then.
    crate::sandbox::eventually("every pod of a set is ready", || {
        let ready = "jsonpath={range .items[*]}{.status.readyReplicas}/{.spec.replicas} {end}";
        let args = ["get", "statefulset", "--namespace", "monitoring", "-o", ready];
        let sets = sandbox.kubectl(&args);
        sets.split_whitespace().all(|set| set.split_once('/').is_some_and(|(one, all)| one == all))
    });
    sandbox
}

/// What okemon says of it before it does anything.
fn shown(sandbox: &Sandbox) -> String {
    let mark = sandbox.mark();
    let plan = ran(without_keys(&mut sandbox.okemon(&["plan", "--live"])));
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());
    // Neither in what is shown, nor in what is said beside it.
    for secret in ["access_key", "okemon-sandbox"] {
        assert!(!format!("{}{}", plan.stdout, plan.stderr).contains(secret), "{secret}");
    }
    // Which pods are ready by then is chance, where they run.
    let passing = |line: &&str| !(pods_are_run() && line.trim_start().starts_with("- Pod/"));
    let said = sandbox.said(&plan.stdout);
    said.lines().filter(passing).map(|line| format!("{line}\n")).collect()
}

/// The keys are those that the cluster has; it becomes what a fresh install makes.
fn taken_over(sandbox: &Sandbox, charts: Charts, helm: Helm) {
    sandbox.use_helm(helm);
    let claims = claims(sandbox);
    let ended = ran(without_keys(&mut sandbox.okemon(&["install"])));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let again = ran(without_keys(&mut sandbox.okemon(&["install"])));
    assert!(again.stderr.contains("Plan: 0 to change"), "{}", again.stderr);
    // No volume was lost.
    for claim in claims {
        assert!(self::claims(sandbox).contains(&claim), "{claim} is another one");
    }
    let left = differing(fresh(charts), &sandbox.objects());
    assert_eq!(left.len(), 1, "{left:?}");
    let document = r#""Secret" "thanos-objstore-config" data.thanos-sin-storage.yaml: (none) -> "#;
    assert!(left[0].starts_with(document), "{left:?}");
}

/// The claims, as `NAME UID`.
fn claims(sandbox: &Sandbox) -> Vec<String> {
    let columns = "custom-columns=NAME:.metadata.name,UID:.metadata.uid";
    let args = ["get", "persistentvolumeclaims", "--namespace", "monitoring", "--no-headers"];
    let text = sandbox.kubectl(&[&args[..], &["-o", columns]].concat());
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}
