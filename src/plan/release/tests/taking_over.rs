//! What an earlier Helm, or a person, has left: put right, taken over, or refused.

use super::*;

#[test]
fn what_was_made_by_hand_is_taken_over_and_what_that_costs_comes_first() {
    let by_hand = |status: &mut Value| {
        status["info"]["description"] = json!("Install complete");
        status["info"]["resources"] = json!({
            "v1/Service": [
                {"kind": "Service", "metadata": {"name": "thanos-query"}, "spec": {"type": "LoadBalancer"},
                 "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.5"}]}}},
            ],
            "v1/StatefulSet": [{"kind": "StatefulSet", "metadata": {"name": "thanos-ruler"}, "spec": {"selector": {"a": 1}}}],
        });
        // Somebody wrote all values of the chart into a file, and changed some.
        status["config"] = json!({
            "query": {"replicaCount": 1, "logLevel": "info", "stores": ["10.0.0.5:10901"]},
            "objstoreConfig": "config: {access_key: p4ssword, secret_key: p4ssword}",
        });
    };
    let claims = json!({"kind": "List", "items": [
        {"kind": "PersistentVolumeClaim", "metadata": {"name": "data-thanos-storegateway-0"}, "spec": {"resources": {"requests": {"storage": "8Gi"}}}},
        {"kind": "PersistentVolumeClaim", "metadata": {"name": "data-thanos-storegateway-1"}, "spec": {"resources": {"requests": {"storage": "80Gi"}}}},
    ]});
    let known = [
        (
            "helm history",
            said(
                r#"[{"revision": 3, "status": "deployed", "chart": "thanos-17.0.1", "description": "Install complete"}]"#,
            ),
        ),
        (
            "helm show values",
            said(
                "query: {replicaCount: 1, logLevel: info, stores: []}\nobjstoreConfig: ''\nruler: {persistence: {size: 8Gi}}",
            ),
        ),
        ("persistentvolumeclaims", said(&claims.to_string())),
        (
            "--dry-run=server -o name",
            failed(
                r#"Error from server (Invalid): StatefulSet.apps "thanos-ruler" is invalid: spec: Forbidden: updates to statefulset spec for fields other"#,
            ),
        ),
        (
            "helm template",
            said("kind: StatefulSet\nmetadata: {name: thanos-ruler}\nspec: {selector: {a: 1}}\n"),
        ),
    ];
    let told = answered(&release(), by_hand, &known);
    // Of the values, those of Query.
    let lines = told.lines().filter(|line| {
        !line.starts_with("  ")
            || line.contains("uery")
            || line[2..].starts_with(|c: char| !c.is_ascii_lowercase())
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    Change: take over thanos 17.3.1
      ! objstoreConfig has the bucket's keys: from now on they are in the Secret thanos-objstore-config alone
      ! Helm keeps the old values with these keys in sh.helm.release.v1.thanos.v3: docs/taking-over.md says how to be rid of them
      ! compactor.retentionResolutionRaw: what is older than 365d is deleted from the bucket for good
      ! compactor.retentionResolution5m: what is older than 400d is deleted from the bucket for good
      ! StatefulSet/thanos-ruler has no volume until now, and loses what its rules recorded in the last two hours
      ! Service/thanos-query loses its load balancer at 10.0.0.5: the key `loadBalancer` of a cluster makes one for its StoreAPI
      ! StatefulSet/thanos-ruler cannot be changed and is made anew: its pods go on until others take their place
      query.replicaCount: 1 -> 2
      query.stores
      query.enabled: (none) -> true
      query.replicaLabel: (none) -> ["prometheus_replica","ruler_replica"]
      query.extraFlags: (none) -> ["--query.partial-response","--store.response-timeout=30s...
      query.resources
      query.readinessProbe
      query.podAntiAffinityPreset: (none) -> "hard"
      query.updateStrategy
      queryFrontend
      ~ PersistentVolumeClaim/data-thanos-storegateway-0 8Gi -> 50Gi
      $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f -
      $ kubectl --context oke-sin --namespace monitoring delete statefulset thanos-ruler --ignore-not-found --cascade=orphan
      $ helm upgrade --install thanos /charts/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:aaaabbbbccccdddd' --values - --kube-context oke-sin --namespace monitoring
    "#);
}

#[test]
fn volumes_are_enlarged_and_never_shrink() {
    let with = |known: &[(&str, Answer)]| {
        let smaller = |status: &mut Value| {
            status["config"]["storegateway"]["persistence"]["size"] = json!("10Gi");
        };
        answered(&release(), smaller, known)
    };
    let claim = |name: &str, size: &str| {
        json!({
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name},
            "spec": {"resources": {"requests": {"storage": size}}},
        })
    };
    let claims = |size: &str| {
        let items =
            [claim("data-thanos-storegateway-0", size), claim("data-thanos-ruler-0", "1Gi")];
        ("get persistentvolumeclaims", said(&json!({"kind": "List", "items": items}).to_string()))
    };
    insta::assert_snapshot!(with(&[claims("10Gi")]), @r#"
    Change: change thanos 17.3.1
      storegateway.persistence.size: "10Gi" -> "50Gi"
      ~ PersistentVolumeClaim/data-thanos-storegateway-0 10Gi -> 50Gi
      $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f -
      $ helm upgrade --install thanos /charts/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:aaaabbbbccccdddd' --values - --kube-context oke-sin --namespace monitoring
    "#);
    assert_eq!(
        with(&[claims("80Gi")]),
        "refused (Refused): changing thanos: its volumes cannot shrink: data-thanos-storegateway-0 has 80Gi, not 50Gi"
    );
    let fixed = failed(
        "Error from server (Forbidden): persistentvolumeclaims \"data-thanos-storegateway-0\" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
    );
    insta::assert_snapshot!(with(&[claims("10Gi"), ("dry-run=server -o json", fixed)]), @r#"refused (Refused): running `kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --dry-run=server -o json --field-manager okemon -f - < manifests/claims.yaml`: Error from server (Forbidden): persistentvolumeclaims "data-thanos-storegateway-0" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"#);
    assert!(!with(&[claims("50Gi")]).contains("PersistentVolumeClaim"));
    let mut pending = claim("data-thanos-storegateway-0", "10Gi");
    pending["status"] = json!({"phase": "Pending"});
    assert_eq!(
        with(&[("get persistentvolumeclaims", said(&pending.to_string()))]),
        "refused (TimedOut): changing thanos: what has no volume yet cannot grow: data-thanos-storegateway-0"
    );
}

#[test]
fn that_the_operator_makes_pods_anew_for_a_larger_volume_is_said_before() {
    let Intent::Release(release) = intent("sin/prometheus") else { panic!() };
    let claim = |name: &str, size: &str| {
        json!({
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name},
            "spec": {"resources": {"requests": {"storage": size}}},
        })
    };
    let claims = json!({"kind": "List", "items": [
        claim("prometheus-prometheus-kube-prometheus-prometheus-db-prometheus-0", "40Gi"),
        claim("alertmanager-prometheus-kube-prometheus-alertmanager-db-alertmanager-0", "50Gi"),
    ]});
    let smaller = |status: &mut Value| {
        status["info"]["resources"]["v1/Prometheus"] = json!([
            {"kind": "Prometheus", "metadata": {"name": "prometheus-kube-prometheus-prometheus"}},
        ]);
        status["info"]["description"] = json!(release.description(Some("aaaabbbbccccdddd")));
        status["config"] = release.rendered_values().unwrap();
        status["config"]["prometheus"]["persistence"]["size"] = json!("40Gi");
    };
    let known = [("get persistentvolumeclaims", said(&claims.to_string()))];
    insta::assert_snapshot!(answered(&release, smaller, &known), @r#"
    Change: change kube-prometheus 11.3.10
      ! Prometheus/prometheus-kube-prometheus-prometheus has all its pods made anew by the operator: nothing is scraped until they are ready
      prometheus.persistence.size: "40Gi" -> "50Gi"
      ~ PersistentVolumeClaim/prometheus-prometheus-kube-prometheus-prometheus-db-prometheus-0 40Gi -> 50Gi
      $ kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f -
      $ helm upgrade --install prometheus /charts/kube-prometheus-11.3.10.tgz --skip-crds --disable-openapi-validation --description 'okemon: kube-prometheus-11.3.10 sha256:aaaabbbbccccdddd' --values - --kube-context oke-sin --namespace monitoring
    "#);
}

#[test]
fn what_cannot_be_changed_is_made_anew_around_its_pods_or_refused() {
    let with = |kind: &str, selector: u8| {
        let refusal = format!(
            "Error from server (Invalid): {kind} \"thanos-ruler\" is invalid: spec: Forbidden: spec is immutable after creation"
        );
        let live = json!({"kind": "StatefulSet", "metadata": {"name": "thanos-ruler"}, "spec": {"selector": selector}});
        let known = [
            ("--dry-run=server -o name", failed(&refusal)),
            (
                "helm template",
                said("kind: StatefulSet\nmetadata: {name: thanos-ruler}\nspec: {selector: 1}"),
            ),
        ];
        let differs = |status: &mut Value| {
            status["config"]["query"]["replicaCount"] = json!(1);
            status["info"]["resources"]["v1/StatefulSet"] = json!([live]);
        };
        answered(&release(), differs, &known)
    };
    insta::assert_snapshot!(with("StatefulSet.apps", 1), @"
    Change: change thanos 17.3.1
      ! StatefulSet/thanos-ruler cannot be changed and is made anew: its pods go on until others take their place
      query.replicaCount: 1 -> 2
      $ kubectl --context oke-sin --namespace monitoring delete statefulset thanos-ruler --ignore-not-found --cascade=orphan
      $ helm upgrade --install thanos /charts/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:aaaabbbbccccdddd' --values - --kube-context oke-sin --namespace monitoring
    ");
    insta::assert_snapshot!(with("StatefulSet.apps", 2).lines().nth(1).unwrap(), @"  ! StatefulSet/thanos-ruler cannot be changed and is made anew: its pods stop before others run");
    insta::assert_snapshot!(with("PersistentVolumeClaim", 1), @"refused (Refused): changing thanos: PersistentVolumeClaim/thanos-ruler cannot be changed: it is not of this release");
}

#[test]
fn nothing_is_made_anew_that_is_not_of_the_release_or_would_not_be_let_through() {
    let with = |stderr: &str, live: Value| {
        let known = [
            ("--dry-run=server -o name", failed(stderr)),
            ("helm template", said("kind: StatefulSet\nmetadata: {name: thanos-ruler}")),
        ];
        let differs = |status: &mut Value| {
            status["config"]["query"]["replicaCount"] = json!(1);
            status["info"]["resources"]["v1/More"] = live;
        };
        answered(&release(), differs, &known)
    };
    let set = json!([{"kind": "StatefulSet", "metadata": {"name": "thanos-ruler"}}]);
    let immutable = "Error from server (Invalid): StatefulSet.apps \"thanos-ruler\" is invalid: spec: Forbidden: updates to statefulset spec for fields";
    let quota = format!(
        "{immutable}\nError from server (Forbidden): services \"thanos-query\" is forbidden: exceeded quota: small"
    );
    let claim = json!([{"kind": "PersistentVolumeClaim", "metadata": {"name": "mine"}}]);
    let said = [with(immutable, json!([])), with(&quota, set), with("", claim)];
    insta::assert_snapshot!(said.join("\n"), @r#"
    refused (Refused): changing thanos: StatefulSet/thanos-ruler cannot be changed: it is not of this release
    refused (Refused): running `helm template thanos /charts/thanos-17.3.1.tgz --skip-crds --no-hooks --is-upgrade --values - --kube-context oke-sin --namespace monitoring < values/bitnami/thanos.yaml | kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --dry-run=server -o name --field-manager helm -f -`: Error from server (Invalid): StatefulSet.apps "thanos-ruler" is invalid: spec: Forbidden: updates to statefulset spec for fields
    Error from server (Forbidden): services "thanos-query" is forbidden: exceeded quota: small
    refused (Refused): changing thanos: Helm would remove PersistentVolumeClaim/mine with its data
    "#);
}

#[test]
fn another_familys_chart_does_not_take_a_release_over() {
    let described =
        |description: &str| decided(|status| status["info"]["description"] = json!(description));
    assert_eq!(
        described("okemon: kube-prometheus-stack-88.5.3 sha256:aaaa"),
        "refused (Refused): changing thanos: it was made from kube-prometheus-stack, and thanos cannot take it over"
    );
    assert!(described("okemon: thanos-17.0.0 sha256:aaaa").starts_with("Change:"));
    let by_hand = |chart: &str| {
        let history = format!(
            r#"[{{"revision": 3, "status": "deployed", "chart": "{chart}", "description": "Install complete"}}]"#
        );
        answered(
            &release(),
            |status| status["info"]["description"] = json!("Install complete"),
            &[("helm history", said(&history)), ("helm show values", said("{}"))],
        )
    };
    assert!(by_hand("thanos-15.0.0").starts_with("Change: take over thanos 17.3.1"));
    assert!(by_hand("kube-prometheus-8.0.0").starts_with("refused (Refused): changing thanos"));
}
