//! A plan as a script makes the cluster that an install makes, without okemon.

use std::process::Command;

use crate::objects::differing;
use crate::sandbox::{Charts, Sandbox, ended};

#[test]
fn bitnamis_plan_as_a_script_makes_what_an_install_makes() {
    the_script_makes_what_an_install_makes(Charts::Bitnami);
}

#[test]
fn the_communitys_plan_as_a_script_makes_what_an_install_makes() {
    the_script_makes_what_an_install_makes(Charts::Community);
}

fn the_script_makes_what_an_install_makes(charts: Charts) {
    let sandbox = Sandbox::up_for(charts);
    let plan = sandbox.run(&["plan", "--region", "sin", "-o", "sh"]);
    assert_eq!((plan.code, plan.stderr.as_str()), (Some(0), ""));
    std::fs::write(sandbox.path("install.sh"), &plan.stdout).unwrap();
    let run = || {
        let okemon = sandbox.okemon(&[]);
        let mut sh = Command::new("/bin/sh");
        sh.arg("install.sh").current_dir(okemon.get_current_dir().unwrap()).env_clear();
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
    let other = Sandbox::up_for(charts);
    other.install();
    assert_eq!(differing(&other.objects(), &by_hand), [""; 0]);
    // It may be run again, and keeps the password.
    let password = || sandbox.object("secret", "okemon-grafana-admin")["data"].clone();
    let before = password();
    run();
    assert_eq!(password(), before);
}
