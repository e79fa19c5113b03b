//! A plan as a script makes the cluster that an install makes, without okemon.

use std::os::unix::fs::symlink;
use std::path::Path;

use insta::assert_snapshot;

use crate::charts::charts;
use crate::objects::{differing, fresh};
use crate::sandbox::{Sandbox, ended};
use crate::variants::Charts;

#[test]
fn bitnamis_plan_as_a_script_makes_what_an_install_makes() {
    let sandbox = Sandbox::up_for(Charts::Bitnami);
    let plan = sandbox.run(&["plan", "--region", "sin", "-o", "sh"]);
    assert_eq!((plan.code, plan.stderr.as_str()), (Some(0), ""));
    std::fs::write(sandbox.path("install.sh"), &plan.stdout).unwrap();
    it_makes_what_an_install_makes(&sandbox, &sandbox.path(""), &[]);
}

#[test]
fn the_communitys_plan_as_files_makes_what_an_install_makes() {
    let sandbox = Sandbox::up_for(Charts::Community);
    sandbox.configure_cluster("    values: {thanos: own.yaml}\n");
    std::fs::write(sandbox.path("own.yaml"), "query: {replicaCount: 3}\n").unwrap();
    // A path that means something in this directory alone.
    symlink(charts(Charts::Community), sandbox.path("charts")).unwrap();
    let render = ["render", "files", "--chart-directory", "charts"];
    let rendered = sandbox.run(&render);
    assert_eq!((rendered.code, rendered.stderr.as_str()), (Some(0), ""));
    assert_snapshot!(rendered.stdout, @"
    files/README.md
    files/install.sh
    files/manifests/dashboards.yaml
    files/manifests/namespace.yaml
    files/values/grafana.yaml
    files/values/prometheus.yaml
    files/values/thanos-own.yaml
    files/values/thanos.yaml
    ");
    // It may be rendered again, over what it has written, and over nothing else.
    assert_eq!(sandbox.run(&render).stdout, rendered.stdout);
    assert_snapshot!(sandbox.refused(8, &["render", "."]), @"
    error: writing into .: it holds something else
    hint: name a directory that is new or empty
    ");
    let own = [r#""Deployment" "thanos-query" spec.replicas: 2 -> 3"#];
    it_makes_what_an_install_makes(&sandbox, &sandbox.path("files"), &own);
}

/// `directory` holds `install.sh`; `own` is what values of one's own make otherwise.
fn it_makes_what_an_install_makes(sandbox: &Sandbox, directory: &Path, own: &[&str]) {
    let run = || {
        let okemon = sandbox.okemon(&[]);
        let mut sh = sandbox.inside("/bin/sh");
        // From anywhere: what it reads, it finds.
        sh.arg(directory.join("install.sh")).current_dir("/").env_clear();
        for (name, value) in okemon.get_envs() {
            sh.env(name, value.unwrap());
        }
        let ended = ended(&sh.output().unwrap());
        assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
        sandbox.objects()
    };
    let by_hand = run();
    // What it made is what okemon would have made, down to the digests of the archives.
    let again = sandbox.install();
    assert!(again.stderr.contains("Plan: 0 to change"), "{}", again.stderr);
    assert_eq!(differing(fresh(sandbox.charts()), &by_hand), own);
    // It may be run again, and keeps the password.
    let password = || sandbox.object("secret", "okemon-grafana-admin")["data"].clone();
    let before = password();
    run();
    assert_eq!(password(), before);
}
