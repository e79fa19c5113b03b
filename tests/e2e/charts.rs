//! The charts that are installed: the stand-ins, packed once, or the real ones.

use std::path::PathBuf;
use std::process::Command;

use crate::sandbox::{ended, repository};
use crate::variants::Charts;

/// The charts of one family as `NAME-VERSION.tgz` in one directory: the stand-ins, or the real ones
/// that `OKEMON_TEST_CHARTS` names.
pub(crate) fn charts(family: Charts) -> PathBuf {
    static ONCE: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let all = ONCE.get_or_init(|| {
        let all = repository().join(format!("target/e2e/charts-{}", std::process::id()));
        let source = std::env::var_os("OKEMON_TEST_CHARTS").map_or_else(stand_ins, PathBuf::from);
        let archives = |folder: &str| -> Vec<PathBuf> {
            let files = std::fs::read_dir(source.join(folder)).unwrap();
            files.map(|file| file.unwrap().path()).collect()
        };
        let of_grafana = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("grafana-"))
        };
        let (grafana, community): (Vec<_>, Vec<_>) =
            archives("community").into_iter().partition(of_grafana);
        for (family, own) in [("bitnami", archives("bitnami")), ("community", community)] {
            std::fs::create_dir_all(all.join(family)).unwrap();
            for path in own.iter().chain(&grafana) {
                let link = all.join(family).join(path.file_name().unwrap());
                let _ = std::os::unix::fs::symlink(path, link);
            }
        }
        all
    });
    all.join(family.name())
}

fn stand_ins() -> PathBuf {
    let out = repository().join("target/e2e/stand-ins");
    let mut package = Command::new(repository().join("tests/charts/package"));
    let output = package.arg(&out).arg("--crds").arg(tool("crds", &[])).output().unwrap();
    let ended = ended(&output);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    out
}

/// Where the sandbox keeps a tool that is no program of a user, among those that `sandbox tools` lists with these options.
pub(crate) fn tool(name: &str, options: &[&str]) -> PathBuf {
    let driver = repository().join("tests/sandbox/sandbox");
    let ended = ended(&Command::new(driver).arg("tools").args(options).output().unwrap());
    let rows = ended.stdout.lines().filter_map(|line| line.split_once(' '));
    let mut found = rows.filter(|(tool, _)| *tool == name).map(|(_, path)| path.trim().into());
    found.next().unwrap_or_else(|| panic!("no {name} in:\n{}", ended.stdout))
}
