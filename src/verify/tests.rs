//! What hops make of answers as the parts give them.

use serde_json::{Value, json};

use super::*;

const STARTED: &str = "2026-11-28T10:00:00Z";

fn pod(name: &str, containers: &[(&str, &str, u16)], ready: bool) -> Value {
    let containers: Vec<Value> = containers
        .iter()
        .map(|(name, port, number)| json!({"name": name, "ports": [{"name": port, "containerPort": number}]}))
        .collect();
    json!({
        "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers},
        "status": {"phase": "Running", "startTime": STARTED,
            "containerStatuses": [{"name": "thanos-sidecar", "ready": true, "restartCount": 0, "image": "", "imageID": "",
                "state": {"running": {"startedAt": STARTED}}}],
            "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }, "lastTransitionTime": STARTED}]},
    })
}

/// The pods of an install, those left out whose names begin with `without`.
fn snapshot(without: &str) -> Snapshot {
    let prometheus = [("prometheus", "web", 9090), ("thanos-sidecar", "http", 10902)];
    let all = [
        pod("prometheus-0", &prometheus, true),
        pod("prometheus-1", &prometheus, true),
        pod("alertmanager-0", &[("alertmanager", "web", 9093)], true),
        pod("alertmanager-1", &[("alertmanager", "web", 9093)], true),
        pod("query-a", &[("query", "http", 10902)], false),
        pod("query-b", &[("query", "http", 10902)], true),
        pod("query-frontend", &[("query-frontend", "http", 9090)], true),
        pod("compactor", &[("compactor", "http", 10902)], true),
        pod("storegateway-0", &[("storegateway", "http", 10902)], true),
        pod("ruler-0", &[("ruler", "http", 10902)], true),
        pod("grafana", &[("grafana", "grafana", 3000)], true),
    ];
    let name = |pod: &&Value| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let left: Vec<&Value> =
        all.iter().filter(|pod| without.is_empty() || !name(pod).starts_with(without)).collect();
    Snapshot::parse(&json!({"kind": "List", "items": left}).to_string()).unwrap()
}

fn sidecar(replica: u8) -> Value {
    json!({"name": format!("10.0.0.{replica}:10901"), "lastError": null,
        "labelSets": [{"cluster": "sin", "prometheus_replica": format!("prometheus-{replica}")}]})
}

fn series(age: &str) -> Value {
    json!({"data": {"result": [{"metric": {"cluster": "sin", "job": "node"}, "value": [1, age]}]}})
}

/// What is answered where everything is well.
fn well(topic: Topic) -> String {
    let answer = match topic {
        Topic::Targets => json!({"data": {"activeTargets": [
            {"scrapePool": "node", "scrapeUrl": "http://10.0.0.1:9100/metrics", "health": "up"}]}}),
        Topic::Rules => json!({"data": {"groups": [
            {"name": "node", "rules": [{"name": "NodeDown", "health": "ok"}]}]}}),
        Topic::Receivers => json!({"data": {"activeAlertmanagers": [{"url": "a"}, {"url": "b"}]}}),
        Topic::Sidecar => {
            return "thanos_sidecar_prometheus_up 1\nthanos_shipper_uploads_total 3\n\
                thanos_shipper_upload_failures_total 0\n"
                .to_owned();
        }
        Topic::Stores => json!({"data": {
            "sidecar": [sidecar(0), sidecar(1)],
            "store": [{"name": "s", "lastError": null, "labelSets": []}],
            "rule": [{"name": "r", "lastError": null, "labelSets": [{"ruler_cluster": "sin"}]}],
        }}),
        Topic::Samples | Topic::SamplesByFrontend => series("7.2"),
        Topic::Compactor => return "thanos_compact_halted 0\n".to_owned(),
        Topic::Alertmanager => json!({"cluster": {"status": "ready", "peers": [{}, {}]},
            "config": {"original": "route: {}"}}),
        Topic::Grafana => json!({"database": "ok"}),
        Topic::DataSource => json!({"status": "OK"}),
        Topic::Dashboards => json!([{"title": "okemon / Fleet"}]),
    };
    answer.to_string()
}

fn ok(body: impl Into<String>) -> Reply {
    with(200, body)
}

#[expect(clippy::unnecessary_wraps, reason = "a reply may be none")]
fn with(status: u16, body: impl Into<String>) -> Reply {
    Ok(Answer { status, date: None, body: body.into() })
}

/// What is told of a cluster in which one thing is answered otherwise, at a time of the day.
fn told(without: &str, changed: &[(Topic, Reply)], time: &str) -> String {
    let snapshot = snapshot(without);
    let reply = |question: Question| {
        let other = changed.iter().find(|(topic, _)| *topic == question.topic);
        let reply = other.map_or_else(|| ok(well(question.topic)), |(_, reply)| reply.clone());
        (question, reply)
    };
    let replies: Vec<_> = questions(&snapshot).into_iter().map(reply).collect();
    let diagnosis = Diagnosis { ready: 9, of: 9, ..Diagnosis::default() };
    let now = format!("2026-11-28T{time}Z").parse().unwrap();
    let scene = Scene {
        cluster: "sin",
        now,
        snapshot: &snapshot,
        diagnosis: &diagnosis,
        replies: &replies,
    };
    let line = |checked: &Checked| {
        let Checked { check, verdict, said, id, .. } = checked;
        let id = id.map(|id| format!(" ({id})")).unwrap_or_default();
        format!("{verdict:?} {check}: {said}{id}\n")
    };
    judge(&scene).iter().map(line).collect()
}

/// Only what is not as it should be.
fn wrong(changed: &[(Topic, Reply)]) -> String {
    let told = told("", changed, "15:00:00");
    told.lines()
        .filter(|line| !line.starts_with("Passed"))
        .map(|line| format!("{line}\n"))
        .collect()
}

fn says(topic: Topic, answer: &Value) -> [(Topic, Reply); 1] {
    [(topic, ok(answer.to_string()))]
}

#[test]
fn every_part_that_is_ready_is_asked_and_of_equals_one() {
    let asked = questions(&snapshot(""));
    let asked = asked.iter().map(|it| format!("{}:{} {}\n", it.pod, it.port, it.topic.path()));
    insta::assert_snapshot!(asked.collect::<String>(), @"
    prometheus-0:9090 /api/v1/targets?state=active
    prometheus-0:9090 /api/v1/rules?exclude_alerts=true
    prometheus-0:9090 /api/v1/alertmanagers
    prometheus-1:9090 /api/v1/targets?state=active
    prometheus-1:9090 /api/v1/rules?exclude_alerts=true
    prometheus-1:9090 /api/v1/alertmanagers
    prometheus-0:10902 /metrics
    prometheus-1:10902 /metrics
    compactor:10902 /metrics
    alertmanager-0:9093 /api/v2/status
    alertmanager-1:9093 /api/v2/status
    query-b:10902 /api/v1/stores
    query-b:10902 /api/v1/query?query=time()%20-%20timestamp(up)
    query-frontend:9090 /api/v1/query?query=time()%20-%20timestamp(up)
    grafana:3000 /api/health
    grafana:3000 /api/datasources/uid/thanos/health
    grafana:3000 /api/search?type=dash-db
    ");
}

#[test]
fn a_cluster_in_which_everything_is_well() {
    insta::assert_snapshot!(told("", &[], "15:00:00"), @"
    Passed pods: 9 of 9 workloads are ready
    Passed targets: 1 of 1 are up
    Passed rules: 1 are evaluated
    Passed sidecars: 2 see their Prometheus
    Passed stores: Query asks 2 sidecars, 1 store gateways, 1 rulers
    Passed query: 1 targets, the newest sample 7 s old
    Passed frontend: 1 targets, the newest sample 7 s old
    Passed uploads: 6 blocks since the sidecars started, 0 failures
    Passed compactor: one runs, and has not halted
    Passed alertmanagers: 2 are ready and know each other, and every Prometheus sends to them
    Passed grafana: its data source answers; 1 dashboards
    ");
}

#[test]
fn what_only_time_brings_is_no_failure() {
    let nothing = json!({"data": {"result": [], "activeTargets": [{"health": "unknown"}]}});
    let page = "thanos_sidecar_prometheus_up 1\n";
    let changed = [
        (Topic::Targets, ok(nothing.to_string())),
        (Topic::Samples, ok(nothing.to_string())),
        (Topic::SamplesByFrontend, ok(nothing.to_string())),
        (Topic::Sidecar, ok(page)),
    ];
    insta::assert_snapshot!(told("", &changed, "10:01:00"), @r#"
    Passed pods: 9 of 9 workloads are ready
    Pending targets: 0 of 0 are up, 1 are not scraped yet
    Passed rules: 1 are evaluated
    Passed sidecars: 2 see their Prometheus
    Passed stores: Query asks 2 sidecars, 1 store gateways, 1 rulers
    Pending query: no sample of `up` with the label cluster="sin"
    Skipped frontend: see query
    Passed uploads: nothing has failed; the first block is due by 2026-11-28 13:10 UTC
    Passed compactor: one runs, and has not halted
    Passed alertmanagers: 2 are ready and know each other, and every Prometheus sends to them
    Passed grafana: its data source answers; 1 dashboards
    "#);
    // Later it is one, but for the block.
    insta::assert_snapshot!(told("", &changed, "10:30:00"), @r#"
    Passed pods: 9 of 9 workloads are ready
    Failed targets: 1 were never scraped (OKM-TARGETS-DOWN)
    Passed rules: 1 are evaluated
    Passed sidecars: 2 see their Prometheus
    Passed stores: Query asks 2 sidecars, 1 store gateways, 1 rulers
    Failed query: no sample of `up` with the label cluster="sin" (OKM-SAMPLE-LOST)
    Skipped frontend: see query
    Passed uploads: nothing has failed; the first block is due by 2026-11-28 13:10 UTC
    Passed compactor: one runs, and has not halted
    Passed alertmanagers: 2 are ready and know each other, and every Prometheus sends to them
    Passed grafana: its data source answers; 1 dashboards
    "#);
    insta::assert_snapshot!(told("", &changed[3..], "13:11:00").lines().nth(7).unwrap_or_default(), @"Failed uploads: prometheus-0 has uploaded no block, though its first was due (OKM-UPLOADS-FAIL)");
}

#[test]
fn a_part_of_which_nothing_is_ready_says_nothing_and_is_told_of_by_its_pods() {
    for (part, skipped) in [
        ("prometheus", "targets rules sidecars uploads alertmanagers"),
        ("query-", "stores query frontend"),
        ("compactor", "compactor"),
        ("alertmanager", "alertmanagers"),
        ("grafana", "grafana"),
    ] {
        let told = told(part, &[], "15:00:00");
        let names = told.lines().filter_map(|line| line.strip_prefix("Skipped ")?.split_once(':'));
        let names: Vec<&str> = names.map(|(name, _)| name).collect();
        assert_eq!(names.join(" "), skipped, "{told}");
    }
}

#[test]
fn each_hop_that_breaks_names_itself() {
    let mut doubled = series("7");
    doubled["data"]["result"][0]["metric"]["prometheus_replica"] = json!("prometheus-0");
    let store = |kind: &str, change: &dyn Fn(&mut Value)| {
        let mut answer: Value = serde_json::from_str(&well(Topic::Stores)).unwrap();
        change(&mut answer["data"][kind]);
        says(Topic::Stores, &answer)
    };
    let page = |page: &str| page.to_owned();
    let cases: Vec<(&str, Vec<(Topic, Reply)>)> = vec![
        ("a target is down", says(Topic::Targets, &json!({"data": {"activeTargets": [
            {"scrapePool": "node", "scrapeUrl": "http://10.0.0.1:9100/metrics", "health": "down",
             "lastError": "connection refused"},
            {"scrapePool": "node", "scrapeUrl": "http://10.0.0.2:9100/metrics", "health": "up"}]}})).into()),
        ("nothing is scraped", says(Topic::Targets, &json!({"data": {"activeTargets": []}})).into()),
        ("a rule fails", says(Topic::Rules, &json!({"data": {"groups": [{"name": "g", "rules": [
            {"name": "R", "health": "err", "lastError": "many-to-many matching not allowed"}]}]}})).into()),
        ("a sidecar is blind", vec![(Topic::Sidecar, ok(page("thanos_sidecar_prometheus_up 0\nthanos_shipper_uploads_total 1\n")))]),
        ("a store answers with an error", store("store", &|stores| stores[0]["lastError"] = json!("rpc error")).into()),
        ("a sidecar is not asked", store("sidecar", &|stores| drop(stores.as_array_mut().unwrap().pop())).into()),
        ("two sidecars are the same", store("sidecar", &|stores| stores[1] = sidecar(0)).into()),
        ("no store gateway is asked", store("store", &|stores| *stores = json!([])).into()),
        ("replicas are answered apart", says(Topic::Samples, &doubled).into()),
        ("samples are old", says(Topic::Samples, &series("170")).into()),
        ("the frontend has none", says(Topic::SamplesByFrontend, &json!({"data": {"result": []}})).into()),
        ("uploads fail", vec![(Topic::Sidecar, ok(page("thanos_sidecar_prometheus_up 1\nthanos_shipper_upload_failures_total 2\n")))]),
        ("uploads have failed", vec![(Topic::Sidecar, ok(page("thanos_sidecar_prometheus_up 1\nthanos_shipper_uploads_total 1\nthanos_shipper_upload_failures_total 2\n")))]),
        ("the compactor has halted", vec![(Topic::Compactor, ok(page("thanos_compact_halted 1\n")))]),
        ("an Alertmanager is alone", says(Topic::Alertmanager, &json!({"cluster": {"status": "ready", "peers": [{}]}, "config": {"original": "r"}})).into()),
        ("Prometheus sends to one", says(Topic::Receivers, &json!({"data": {"activeAlertmanagers": [{}]}})).into()),
        ("Grafana is sick", vec![(Topic::Grafana, with(503, r#"{"database": "failing"}"#))]),
        ("its data source is silent", vec![(Topic::DataSource, with(400, r#"{"status": "ERROR", "message": "connection refused"}"#))]),
        ("its password is another", vec![(Topic::DataSource, with(401, "no"))]),
        ("it has no dashboards", says(Topic::Dashboards, &json!([])).into()),
        ("a part is silent", vec![(Topic::Compactor, Err("the connection was refused".to_owned()))]),
        ("a part answers with a page", vec![(Topic::Rules, ok(page("<html>sign in</html>")))]),
    ];
    let told = cases.iter().map(|(what, changed)| format!("{what}:\n{}", wrong(changed)));
    insta::assert_snapshot!(told.collect::<String>(), @r#"
    a target is down:
    Failed targets: 1 of 2 are up; down:
    node http://10.0.0.1:9100/metrics: connection refused (OKM-TARGETS-DOWN)
    nothing is scraped:
    Failed targets: Prometheus scrapes nothing (OKM-TARGETS-DOWN)
    a rule fails:
    Failed rules: 1 cannot be evaluated:
    R in g: many-to-many matching not allowed (OKM-RULES-FAIL)
    a sidecar is blind:
    Failed sidecars: 2 of 2 do not see their Prometheus:
    prometheus-0
    prometheus-1 (OKM-SIDECAR-BLIND)
    a store answers with an error:
    Failed stores: 1 answer with an error:
    s: rpc error (OKM-STORES-MISSING)
    a sidecar is not asked:
    Failed stores: Query asks 1 of 2 sidecars with the label cluster="sin" (OKM-STORES-MISSING)
    two sidecars are the same:
    Failed stores: two sidecars have the same external labels, so that their blocks overlap (OKM-STORES-MISSING)
    no store gateway is asked:
    Failed stores: Query asks no store gateway (OKM-STORES-MISSING)
    replicas are answered apart:
    Failed query: each replica's samples are answered apart, so that sums are doubled: {"cluster":"sin","job":"node","prometheus_replica":"prometheus-0"} (OKM-SAMPLE-LOST)
    samples are old:
    Failed query: the newest sample is 170 s old (OKM-SAMPLE-LOST)
    the frontend has none:
    Failed frontend: no sample of `up` with the label cluster="sin" (OKM-SAMPLE-LOST)
    uploads fail:
    Failed uploads: 0 blocks since the sidecars started, 4 failures (OKM-UPLOADS-FAIL)
    uploads have failed:
    Warning uploads: 2 blocks since the sidecars started, 4 failures (OKM-UPLOADS-FAIL)
    the compactor has halted:
    Failed compactor: it has halted: it found blocks that it does not dare to touch (OKM-COMPACTOR-HALTED)
    an Alertmanager is alone:
    Failed alertmanagers: alertmanager-0 knows 1 of 2 and is ready (OKM-ALERTMANAGER-APART)
    Prometheus sends to one:
    Failed alertmanagers: prometheus-0 sends its alerts to 1 of 2 (OKM-ALERTMANAGER-APART)
    Grafana is sick:
    Failed grafana: its database is failing (OKM-GRAFANA-BLIND)
    its data source is silent:
    Failed grafana: its data source does not answer: connection refused (OKM-GRAFANA-BLIND)
    its password is another:
    Warning grafana: it lives; its password is another than in the Secret, so that its data source was not asked (OKM-GRAFANA-BLIND)
    it has no dashboards:
    Failed grafana: its data source answers; it has no dashboard (OKM-GRAFANA-BLIND)
    a part is silent:
    Failed compactor: compactor does not answer: the connection was refused (OKM-HOP-UNREACHED)
    a part answers with a page:
    Failed rules: prometheus-0 answers what cannot be read: expected value at line 1 column 1: "<html>sign in</html>" (OKM-HOP-UNREACHED)
    "#);
}
