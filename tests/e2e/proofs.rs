//! What has to hold where an install has been made whose pods run: each proof looks once, and says what is wrong.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::sandbox::Sandbox;

type Proof = fn(&Sandbox) -> Result<(), String>;

/// Independent of each other: one mistake makes one of them fail.
pub(crate) const PROOFS: [(&str, Proof); 4] =
    [("targets", targets), ("history", history), ("alerts", alerts), ("grafana", grafana)];

/// The proofs that fail, by name, with what is wrong.
pub(crate) fn failing(sandbox: &Sandbox) -> BTreeMap<&'static str, String> {
    let failed = PROOFS.iter().filter_map(|(name, proof)| Some((*name, proof(sandbox).err()?)));
    failed.collect()
}

/// Every target that Prometheus scrapes is up, and Query tells so: one series of this cluster each, though two replicas
/// scrape it.
fn targets(sandbox: &Sandbox) -> Result<(), String> {
    let asked = ask(sandbox, "services/prometheus-kube-prometheus-prometheus:9090", TARGETS)?;
    let known = rows(&asked["data"]["activeTargets"]);
    let mut known: Vec<[&str; 3]> = known.iter().map(|target| key(&target["labels"])).collect();
    known.sort_unstable();
    let answer = query(sandbox, "up", LATELY)?;
    let mut told: Vec<[&str; 3]> = answer.iter().map(|series| key(&series["metric"])).collect();
    told.sort_unstable();
    if known.is_empty() || told != known {
        return Err(format!("Prometheus scrapes {known:?}\nQuery tells of {told:?}"));
    }
    let fine = |series: &&Value| {
        let labels = &series["metric"];
        series["value"][1] == "1"
            && labels["cluster"] == "sin"
            && labels["prometheus_replica"].is_null()
    };
    match answer.iter().find(|series| !fine(series)) {
        Some(series) => Err(series.to_string()),
        None => Ok(()),
    }
}

const TARGETS: &str = "/api/v1/targets?state=active";

/// What tells one series of `up` from another.
fn key(labels: &Value) -> [&str; 3] {
    ["job", "instance", "metrics_path"].map(|name| labels[name].as_str().unwrap_or(""))
}

/// The targets of each job, a line each.
pub(crate) fn jobs(sandbox: &Sandbox) -> String {
    let mut jobs = BTreeMap::new();
    for series in query(sandbox, "up", LATELY).unwrap() {
        *jobs.entry(series["metric"]["job"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    jobs.iter().map(|(job, count)| format!("{job}: {count}\n")).collect()
}

/// The blocks of [`crate::history`] are answered by the store gateways, with the labels of this cluster.
fn history(sandbox: &Sandbox) -> Result<(), String> {
    // Query finds them one by one, or behind their Service, as the charts have it.
    let stores = rows(&ask(sandbox, QUERY, "/api/v1/stores")?["data"]["store"]);
    if stores.is_empty() {
        return Err("Query knows no store gateway".to_owned());
    }
    let matching = |store: &Value| {
        format!("&storeMatch[]={{__address__=\"{}\"}}", store["name"].as_str().unwrap_or(""))
    };
    let stores: String = stores.iter().map(matching).collect();
    let at = crate::history::day() + 3600;
    let path = format!("/api/v1/query?query=of_another_day&time={at}{stores}");
    let answer = ask(sandbox, QUERY, &path)?;
    match &rows(&answer["data"]["result"])[..] {
        [series] if series["metric"]["cluster"] == "sin" && series["value"][1] == "1" => Ok(()),
        _ => Err(answer.to_string()),
    }
}

/// Each Alertmanager has the ruler's alert once, though both rulers send it, and has heard of it lately: they say it again
/// every minute.
fn alerts(sandbox: &Sandbox) -> Result<(), String> {
    for replica in 0..2 {
        let whom =
            format!("pods/alertmanager-prometheus-kube-prometheus-alertmanager-{replica}:9093");
        let answer = ask(sandbox, &whom, "/api/v2/alerts")?;
        let all = rows(&answer);
        let found: Vec<&Value> =
            all.iter().filter(|alert| alert["labels"]["alertname"] == "Always").collect();
        let fresh = |alert: &Value| {
            let heard = alert["updatedAt"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
            heard.is_some_and(|heard| Timestamp::now().duration_since(heard).as_secs() < 90)
        };
        if found.len() != 1 || found[0]["labels"]["ruler_cluster"] != "sin" || !fresh(found[0]) {
            return Err(format!("{whom}: {found:?}"));
        }
    }
    Ok(())
}

/// The Secret's password signs in and no other; the data source answers; the dashboards are there.
fn grafana(sandbox: &Sandbox) -> Result<(), String> {
    let template = "go-template={{index .data \"admin-user\" | base64decode}}:{{index .data \"admin-password\" | base64decode}}";
    let sign = sandbox.kubectl(&[
        "get",
        "secret",
        "--namespace",
        "monitoring",
        "okemon-grafana-admin",
        "--output",
        template,
    ]);
    let address = sandbox.object("service", "grafana")["spec"]["clusterIP"].clone();
    let ask = |path: &str, sign: &str| -> Result<Value, String> {
        let url = format!("http://{}{path}", address.as_str().unwrap());
        let text = sandbox.driver(&[
            "run",
            "sh",
            "-c",
            "curl --silent --max-time 5 --user \"$1\" \"$2\" || true",
            "curl",
            sign,
            &url,
        ]);
        serde_json::from_str(&text).map_err(|error| format!("{url}: {error}: {text}"))
    };
    let same = |what: &str, found: &Value, wanted: Value| {
        if *found == wanted { Ok(()) } else { Err(format!("{what}: {found}")) }
    };
    same(
        "a wrong password",
        &ask("/api/datasources", "admin:wrong")?["messageId"],
        "password-auth.failed".into(),
    )?;
    let sources = ask("/api/datasources", &sign)?;
    same("the data source", &sources[0]["name"], "Thanos".into())?;
    same("its kind", &sources[0]["type"], "prometheus".into())?;
    same("its health", &ask("/api/datasources/uid/thanos/health", &sign)?["status"], "OK".into())?;
    let answer = ask("/api/datasources/proxy/uid/thanos/api/v1/query?query=vector(7)", &sign)?;
    same("an answer", &answer["data"]["result"][0]["value"][1], "7".into())?;
    let found = ask("/api/search", &sign)?;
    let titles: Vec<Value> = rows(&found).iter().map(|each| each["title"].clone()).collect();
    let wanted = ["okemon / Cluster", "okemon / Fleet", "okemon / Thanos"];
    same("the dashboards", &titles.into(), wanted.as_slice().into())
}

const QUERY: &str = "services/thanos-query:9090";

/// What Query answers through its Service: the series of an instant query. A sample counts for as long as `lookback` says.
pub(crate) fn query(
    sandbox: &Sandbox,
    expression: &str,
    lookback: &str,
) -> Result<Vec<Value>, String> {
    let path = format!("/api/v1/query?query={expression}&lookback_delta={lookback}");
    Ok(rows(&ask(sandbox, QUERY, &path)?["data"]["result"]))
}

/// Two scrapes and a half: what nobody scrapes any more is gone so much earlier than after Query's own five minutes.
const LATELY: &str = "75s";

fn rows(list: &Value) -> Vec<Value> {
    list.as_array().cloned().unwrap_or_default()
}

/// What something in the namespace answers over HTTP, through the API server.
fn ask(sandbox: &Sandbox, whom: &str, path: &str) -> Result<Value, String> {
    let path: String = path
        .chars()
        .map(|letter| match letter {
            '"' | ' ' | '{' | '}' | '[' | ']' | '+' => format!("%{:02X}", u32::from(letter)),
            other => other.to_string(),
        })
        .collect();
    let raw = format!("/api/v1/namespaces/monitoring/{whom}/proxy{path}");
    let ended = sandbox.try_kubectl(&["get", "--raw", &raw]);
    if ended.code != Some(0) {
        return Err(format!("{whom}: {}", ended.stderr));
    }
    serde_json::from_str(&ended.stdout).map_err(|error| format!("{whom}: {error}"))
}
