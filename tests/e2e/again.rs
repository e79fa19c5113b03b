//! An install after an install: nothing when nothing is missing, and no more than what is.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

const RELEASES: [&str; 3] = ["grafana 1 deployed", "prometheus 1 deployed", "thanos 1 deployed"];

#[test]
fn a_second_install_sends_nothing_and_a_changed_value_makes_one_revision_of_one_release() {
    let sandbox = Sandbox::up();
    let first = sandbox.install();
    assert_eq!(sandbox.releases(), RELEASES);

    let mark = sandbox.mark();
    let second = sandbox.install();
    crate::docs::show(&first.stderr, &second.stderr);
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());
    assert_eq!(sandbox.releases(), RELEASES);
    assert_eq!(second.stdout, "");
    assert_snapshot!(sandbox.said(&second.stderr), @"
    okemon install --region sin
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    Plan: 0 to change, 10 unchanged.
    sin/cluster  unchanged
    sin/namespace  unchanged
    sin/lock  unchanged
    sin/admin  unchanged
    sin/bucket  unchanged
    sin/crds  unchanged
    sin/dashboards  unchanged
    sin/grafana  unchanged
    sin/prometheus  unchanged
    sin/secret  unchanged
    sin/thanos  unchanged
    sin/ready  12 of 12 ready (T)
    Unchanged: everything is as configured (T)
    ");

    // On Prometheus' own volume: no other release has that value.
    let local = sandbox.run(&["install", "--retention-local", "48h"]);
    assert_eq!(local.code, Some(0), "{}", local.stderr);
    assert_eq!(
        sandbox.releases(),
        ["grafana 1 deployed", "prometheus 2 deployed", "thanos 1 deployed"]
    );
    assert_snapshot!(sandbox.said(&local.stderr), @r#"
    okemon install --retention-local 48h
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    ~ sin/prometheus  change kube-prometheus 11.3.10
        prometheus.retention: "72h" -> "48h"
    Plan: 1 to change, 9 unchanged.
    sin/cluster  unchanged
    sin/namespace  unchanged
    sin/lock  took the lock (T)
    sin/admin  unchanged
    sin/bucket  unchanged
    sin/crds  unchanged
    sin/dashboards  unchanged
    sin/grafana  unchanged
    sin/prometheus  changed kube-prometheus 11.3.10 (T)
    sin/secret  unchanged
    sin/thanos  unchanged
    sin/ready  12 of 12 ready (T)
    Done: 1 changed, 9 unchanged (T)
    "#);

    // In the bucket: the compactor's.
    sandbox.configure("retention: {local: 48h, raw: 30d}");
    let raw = sandbox.install();
    assert_eq!(
        sandbox.releases(),
        ["grafana 1 deployed", "prometheus 2 deployed", "thanos 2 deployed"]
    );
    assert_snapshot!(sandbox.said(&raw.stderr), @r#"
    okemon install --region sin
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    ~ sin/thanos  change thanos 17.3.1
        ! compactor.retentionResolutionRaw: what is older than 30d is deleted from the bucket for good
        compactor.retentionResolutionRaw: "365d" -> "30d"
    Plan: 1 to change, 9 unchanged.
    sin/cluster  unchanged
    sin/namespace  unchanged
    sin/lock  took the lock (T)
    sin/admin  unchanged
    sin/bucket  unchanged
    sin/crds  unchanged
    sin/dashboards  unchanged
    sin/grafana  unchanged
    sin/prometheus  unchanged
    sin/secret  unchanged
    sin/thanos  changed thanos 17.3.1 (T)
    sin/ready  12 of 12 ready (T)
    Done: 1 changed, 9 unchanged (T)
    "#);

    let mark = sandbox.mark();
    sandbox.install();
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());
}

#[test]
fn what_was_deleted_or_edited_is_put_back_and_the_password_is_kept() {
    let sandbox = Sandbox::up();
    sandbox.configure_cluster(crate::sandbox::LOAD_BALANCER);
    sandbox.install();
    let before = sandbox.objects();
    let password = sandbox.object("secret", "okemon-grafana-admin")["data"].clone();

    let delete = |kind: &str, name: &str| {
        sandbox.kubectl(&["delete", kind, name, "--namespace", "monitoring"]);
    };
    delete("service", "thanos-query-grpc");
    delete("service", "thanos-storeapi");
    delete("configmap", "okemon-dashboard-fleet");
    delete("configmap", "grafana");
    let edited = r#"{"stringData": {"objstore.yml": "type: FILESYSTEM"}}"#;
    sandbox.kubectl(&[
        "patch",
        "secret",
        "thanos-objstore-config",
        "--namespace",
        "monitoring",
        "--patch",
        edited,
    ]);

    let again = sandbox.install();
    assert_snapshot!(sandbox.said(&again.stderr), @"
    okemon install --region sin
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    ~ sin/secret      store the bucket's keys in the Secret thanos-objstore-config
        ~ Secret/thanos-objstore-config data.objstore.yml
        ! Thanos and Prometheus are restarted, one replica after another: they read it when they start
    ~ sin/thanos      change thanos 17.3.1
        + Service/thanos-query-grpc
    + sin/storeapi    publish the StoreAPI by the Service thanos-storeapi
    ~ sin/dashboards  provision 3 dashboards
        + ConfigMap/okemon-dashboard-fleet
    ~ sin/grafana     change grafana 12.11.1
        + ConfigMap/grafana
    Plan: 5 to change, 6 unchanged.
    sin/cluster  unchanged
    sin/namespace  unchanged
    sin/lock  took the lock (T)
    sin/admin  unchanged
    sin/bucket  unchanged
    sin/crds  unchanged
    sin/dashboards  provisioned 3 dashboards (T)
    sin/grafana  changed grafana 12.11.1 (T)
    sin/prometheus  unchanged
    sin/secret  stored the bucket's keys in the Secret thanos-objstore-config (T)
    sin/storeapi  published the StoreAPI by the Service thanos-storeapi (T)
    sin/thanos  changed thanos 17.3.1 (T)
    sin/ready  13 of 13 ready; thanos-storeapi answers at ADDRESS (T)
    Done: 5 changed, 6 unchanged (T)
    ");
    assert_eq!(crate::objects::differing(&before, &sandbox.objects()), Vec::<String>::new());
    assert_eq!(sandbox.object("secret", "okemon-grafana-admin")["data"], password);
    // What reads the keys does so only when it starts.
    for reader in ["thanos-storegateway", "prometheus-prometheus-kube-prometheus-prometheus"] {
        let template = &sandbox.object("statefulset", reader)["spec"]["template"];
        assert!(
            template["metadata"]["annotations"][crate::objects::RESTARTED].is_string(),
            "{reader}"
        );
    }

    // Helm knows a release of which nothing is left.
    let manifest = sandbox.path("grafana.yaml");
    std::fs::write(&manifest, sandbox.helm(&["get", "manifest", "grafana"])).unwrap();
    sandbox.kubectl(&["delete", "--namespace", "monitoring", "-f", manifest.to_str().unwrap()]);
    let back = sandbox.install();
    let said = sandbox.said(&back.stderr);
    let mut grafana: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("grafana") || line.starts_with("    + "))
        .collect();
    grafana.sort_unstable(); // charts may write them in any order
    assert_snapshot!(grafana.join("\n"), @"
        + ConfigMap/grafana
        + ConfigMap/grafana-config-dashboards
        + Deployment/grafana
        + PersistentVolumeClaim/grafana
        + Role/grafana
        + RoleBinding/grafana
        + Service/grafana
        + ServiceAccount/grafana
    sin/grafana  changed grafana 12.11.1 (T)
    ~ sin/grafana  change grafana 12.11.1
    ");
    assert_eq!(sandbox.objects().len(), before.len());
}

#[test]
fn volumes_grow_with_the_size_and_never_shrink() {
    let sandbox = Sandbox::up();
    sandbox.install();
    let pods = pods_of_the_store_gateway(&sandbox);
    let grown = sandbox.run(&["install", "--size", "medium"]);
    assert_eq!(grown.code, Some(0), "{}", grown.stderr);
    let said = sandbox.said(&grown.stderr);
    let volumes = said.lines().filter(|line| {
        line.contains("PersistentVolumeClaim")
            || line.contains("made anew")
            || line.contains("loses")
    });
    assert_snapshot!(volumes.collect::<Vec<_>>().join("\n"), @"
    ! Alertmanager/prometheus-kube-prometheus-alertmanager has no volume until now, and loses silences, and what was notified
    ! Prometheus/prometheus-kube-prometheus-prometheus has all its pods made anew by the operator: nothing is scraped until they are ready
    ! Alertmanager/prometheus-kube-prometheus-alertmanager has all its pods made anew by the operator: no alert is sent until they are ready
    ~ PersistentVolumeClaim/prometheus-prometheus-kube-prometheus-prometheus-db-prometheus-prometheus-kube-prometheus-prometheus-0 50Gi -> 200Gi
    ~ PersistentVolumeClaim/prometheus-prometheus-kube-prometheus-prometheus-db-prometheus-prometheus-kube-prometheus-prometheus-1 50Gi -> 200Gi
    ! StatefulSet/thanos-storegateway cannot be changed and is made anew: its pods go on until others take their place
    ~ PersistentVolumeClaim/data-thanos-storegateway-0 50Gi -> 100Gi
    ~ PersistentVolumeClaim/data-thanos-storegateway-1 50Gi -> 100Gi
    ");
    let again = sandbox.run(&["install", "--size", "medium"]);
    assert!(again.stderr.contains("Plan: 0 to change"), "{}", again.stderr);
    assert_ne!(pods_of_the_store_gateway(&sandbox), pods);

    let mark = sandbox.mark();
    let said = sandbox.refused(8, &["install", "--size", "small"]);
    let (_, error) = said.split_once("\nerror: ").unwrap();
    assert_snapshot!(error, @"
    sin/prometheus: changing prometheus: its volumes cannot shrink: prometheus-prometheus-kube-prometheus-prometheus-db-prometheus-prometheus-kube-prometheus-prometheus-0 has 200Gi, not 50Gi; prometheus-prometheus-kube-prometheus-prometheus-db-prometheus-prometheus-kube-prometheus-prometheus-1 has 200Gi, not 50Gi
    error: sin/thanos: changing thanos: its volumes cannot shrink: data-thanos-storegateway-0 has 100Gi, not 50Gi; data-thanos-storegateway-1 has 100Gi, not 50Gi; thanos-compactor has 200Gi, not 100Gi
    hint: leave `size` as it was, or give the volume's own value the size that it has: docs/configuration.md, values of your own
    ");
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());
}

fn pods_of_the_store_gateway(sandbox: &Sandbox) -> String {
    let selector = "app.kubernetes.io/component=storegateway";
    let args = ["get", "pods", "--namespace", "monitoring", "--selector", selector];
    sandbox.kubectl(&[&args[..], &["-o", "jsonpath={.items[*].metadata.uid}"]].concat())
}
