//! What a person's Helm has left undone is told and put right.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use insta::{allow_duplicates, assert_snapshot};
use serde_json::{Value, json};

use crate::door::Door;
use crate::objects::differing;
use crate::sandbox::Sandbox;
use crate::variants::Helm;

#[test]
fn what_helm_3_left_undone_is_told_and_put_right() {
    let sandbox = Sandbox::up();
    sandbox.use_helm(Helm::Three);
    allow_duplicates! { told_and_put_right(&sandbox) }
}

#[test]
fn what_helm_4_left_undone_is_told_and_put_right() {
    let sandbox = Sandbox::up();
    sandbox.use_helm(Helm::Four);
    allow_duplicates! { told_and_put_right(&sandbox) }
}

fn told_and_put_right(sandbox: &Sandbox) {
    sandbox.install();
    let before = sandbox.objects();
    let longer = sandbox.run(&["thanos", "--retention-raw", "400d"]);
    assert_eq!(longer.code, Some(0), "{}", longer.stderr);

    cut_short(sandbox, &["rollback", "thanos", "1"], "UPDATE");
    assert_eq!(newest(sandbox), "3 pending-rollback");
    assert_snapshot!(left_alone(sandbox), @"
    error: sin/thanos: looking at thanos: a Helm began revision 3 at TIME, and may still be at work on it
    hint: `helm history thanos -o json --kube-context oke-sin --namespace monitoring` shows how it ends; if it was cut short, run this again after TIME
    ");
    age(sandbox, "sh.helm.release.v1.thanos.v3");
    assert_snapshot!(put_right(sandbox), @"
    ~ sin/thanos  change thanos 17.3.1
        ! revision 3 was cut short: back to revision 2, then on
    ");
    assert_eq!(differing(&before, &sandbox.objects()), [""; 0]);

    let volumes = sandbox.kubectl(&["get", "pvc", "--namespace", "monitoring", "-o", "name"]);
    cut_short(sandbox, &["uninstall", "thanos"], "DELETE");
    assert_eq!(newest(sandbox), "5 uninstalling");
    age(sandbox, "sh.helm.release.v1.thanos.v5");
    assert_snapshot!(put_right(sandbox), @"
    ~ sin/thanos  change thanos 17.3.1
        ! revision 5 was half uninstalled: it is forgotten, and what there is of it is taken over
    ");
    assert_eq!(differing(&before, &sandbox.objects()), [""; 0]);
    let after = sandbox.kubectl(&["get", "pvc", "--namespace", "monitoring", "-o", "name"]);
    assert_eq!(after, volumes);

    // And an uninstall that came to its end, whose history was kept.
    sandbox.helm(&["uninstall", "thanos", "--keep-history"]);
    assert_snapshot!(put_right(sandbox), @"+ sin/thanos  install thanos 17.3.1");
    assert_eq!(differing(&before, &sandbox.objects()), [""; 0]);
}

/// Runs helm, and kills it while a Deployment is at the door.
fn cut_short(sandbox: &Sandbox, args: &[&str], operation: &str) {
    let door = Door::before_deployments_of(sandbox, "thanos", &[operation]);
    let mut helm = Command::new(sandbox.tool("helm"))
        .args(["--kubeconfig", &sandbox.cluster("adminKubeconfig"), "--namespace", "monitoring"])
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _held = door.knock();
    helm.kill().unwrap();
    helm.wait().unwrap();
    door.open(sandbox);
}

/// What okemon says while the Helm that was cut short may still be at work.
fn left_alone(sandbox: &Sandbox) -> String {
    let said = sandbox.refused(7, &["install", "--region", "sin"]);
    said.lines().skip_while(|line| !line.starts_with("error: ")).collect::<Vec<_>>().join("\n")
}

/// Lets ten minutes pass for a revision: it was begun that much earlier.
fn age(sandbox: &Sandbox, record: &str) {
    let secret = sandbox.object("secret", record);
    let packed = decoded(&decoded(secret["data"]["release"].as_str().unwrap().as_bytes()));
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    let mut release: Value = serde_json::from_str(&text).unwrap();
    let earlier = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(10);
    for field in ["last_deployed", "deleted"] {
        if release["info"][field].as_str().is_some_and(|time| !time.is_empty()) {
            release["info"][field] = earlier.to_string().into();
        }
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(release.to_string().as_bytes()).unwrap();
    let data = STANDARD.encode(STANDARD.encode(packed.finish().unwrap()));
    // Too much for an argument, when the chart is a real one.
    let patch = sandbox.path("patch.json");
    std::fs::write(&patch, json!({"data": {"release": data}}).to_string()).unwrap();
    let file = format!("--patch-file={}", patch.display());
    sandbox.kubectl(&["patch", "secret", record, "--namespace", "monitoring", &file]);
}

fn decoded(text: &[u8]) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// The newest revision of Thanos, as `REVISION STATUS`.
fn newest(sandbox: &Sandbox) -> String {
    let text = sandbox.helm(&["status", "thanos", "-o", "json"]);
    let status: Value = serde_json::from_str(&text).unwrap();
    format!("{} {}", status["version"], status["info"]["status"].as_str().unwrap())
}

/// What the next run finds to do for Thanos, which is unchanged after it.
fn put_right(sandbox: &Sandbox) -> String {
    let ended = sandbox.install();
    let again = sandbox.install();
    assert!(again.stderr.contains("Plan: 0 to change"), "{}", again.stderr);
    let said = sandbox.said(&ended.stderr);
    let lines = said.lines().skip_while(|line| !line.contains("sin/thanos "));
    let lines = lines.take_while(|line| !line.starts_with("Plan: "));
    lines.collect::<Vec<_>>().join("\n")
}
