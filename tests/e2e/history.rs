//! A day of samples that no Prometheus of a test has scraped: blocks in the volume of one, as if it had made them. Its
//! sidecar uploads them, the store gateways serve them, the compactor makes one of four of them.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use crate::charts::tool;
use crate::sandbox::{Sandbox, eventually, ran};

const CLAIM: &str = "prometheus-prometheus-kube-prometheus-prometheus-db-prometheus-prometheus-kube-prometheus-prometheus-0";

/// When the day before yesterday began, in seconds since 1970; the same day as long as the tests run.
pub(crate) fn day() -> i64 {
    static NOW: LazyLock<i64> = LazyLock::new(|| jiff::Timestamp::now().as_second());
    *NOW / 86_400 * 86_400 - 2 * 86_400
}

/// Lays the blocks into the volume of the first Prometheus, and waits until they are in the bucket and served.
pub(crate) fn lay(sandbox: &Sandbox) {
    let volume = sandbox.object("persistentvolumeclaim", CLAIM)["spec"]["volumeName"].clone();
    let volume = sandbox.path("clusters/sin/volumes").join(volume.as_str().unwrap());
    write_blocks(sandbox, &volume.join("prometheus-db"));
    eventually("the blocks are uploaded", || levels(sandbox) == [1; 6]);
    for block in blocks(sandbox) {
        let labels = &block["thanos"]["labels"];
        let told = (labels["cluster"].as_str(), labels["region"].as_str());
        assert_eq!(told, (Some("sin"), Some("ap-singapore-1")));
    }
    // A store gateway looks for new blocks every 15 minutes, and when it begins.
    restart_stores(sandbox);
}

pub(crate) fn restart_stores(sandbox: &Sandbox) {
    restart(sandbox, "storegateway");
}

fn restart(sandbox: &Sandbox, component: &str) {
    let pods = format!("app.kubernetes.io/component={component}");
    sandbox.kubectl(&["delete", "pod", "--namespace", "monitoring", "--selector", &pods]);
}

/// Starts the compactor again, which looks for work when it begins.
pub(crate) fn restart_compactor(sandbox: &Sandbox) {
    restart(sandbox, "compactor");
}

/// The compaction levels of the bucket's blocks, sorted.
pub(crate) fn levels(sandbox: &Sandbox) -> Vec<i64> {
    let level = |block: &Value| block["compaction"]["level"].as_i64().unwrap();
    let mut levels: Vec<i64> = blocks(sandbox).iter().map(level).collect();
    levels.sort_unstable();
    levels
}

/// What the bucket's blocks tell about themselves.
fn blocks(sandbox: &Sandbox) -> Vec<Value> {
    let folders = std::fs::read_dir(sandbox.path("s3/thanos")).unwrap().flatten();
    let texts =
        folders.filter_map(|block| std::fs::read_to_string(block.path().join("meta.json")).ok());
    texts.map(|text| serde_json::from_str(&text).unwrap()).collect()
}

/// Blocks of two hours each, of one series that is 1 for twelve hours.
fn write_blocks(sandbox: &Sandbox, data: &Path) {
    let mut text = "# TYPE of_another_day gauge\n".to_owned();
    for minute in 0..720 {
        text += &format!("of_another_day 1 {}\n", day() + minute * 60);
    }
    let samples = sandbox.path("samples.txt");
    std::fs::write(&samples, text + "# EOF\n").unwrap();
    let blocks = sandbox.path("blocks");
    let mut create = Command::new(tool("promtool", &["--pods"]));
    create.args(["tsdb", "create-blocks-from", "openmetrics"]).args([&samples, &blocks]);
    let mut copy = Command::new("cp");
    copy.args(["--recursive", "--preserve=mode"]).arg(blocks.join(".")).arg(data);
    let mut own = Command::new("chown");
    own.arg("--recursive").arg("--reference").arg(data.join("wal")).arg(data);
    for mut command in [create, copy, own] {
        let ended = ran(&mut command);
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    }
}
