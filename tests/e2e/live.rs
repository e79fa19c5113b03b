//! A plan that has looked: what would change, and an install that does what was reviewed or nothing.

use insta::assert_snapshot;

use crate::sandbox::{Ended, Sandbox};

#[test]
fn what_was_reviewed_is_carried_out_as_long_as_it_holds() {
    let sandbox = Sandbox::up();
    let plan = |args: &[&str]| sandbox.run(&[&["plan"], args].concat());
    let code_and_plan = |ended: &Ended| {
        assert_eq!(ended.stderr, "");
        format!("{}\n{}", ended.code.unwrap(), sandbox.said(&ended.stdout))
    };
    let mark = sandbox.mark();
    let pending = plan(&["--live", "--detailed-exitcode"]);
    assert_snapshot!(code_and_plan(&pending), @"
    2
    + sin/namespace   create the namespace
    + sin/bucket      create the bucket thanos in ap-singapore-1
    + sin/secret      store the bucket's keys in the Secret thanos-objstore-config
    + sin/crds        apply the operator's custom resource definitions
    + sin/prometheus  install kube-prometheus 11.3.10
    + sin/thanos      install thanos 17.3.1
    + sin/admin       make Grafana's admin password
    + sin/dashboards  provision 3 dashboards
    + sin/grafana     install grafana 12.11.1
    Plan: 9 to change, 1 unchanged.
    ");
    assert_eq!(plan(&["--live"]).code, Some(0));
    let reviewed = plan(&["--live", "-o", "json"]);
    assert_eq!((reviewed.code, reviewed.stderr.as_str()), (Some(0), ""));
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());
    assert_eq!(sandbox.buckets(), Vec::<String>::new());
    let path = |name: &str| sandbox.path(name).to_str().unwrap().to_owned();
    std::fs::write(path("reviewed"), &reviewed.stdout).unwrap();

    // Another configuration than the reviewed one, and one that was never looked at.
    let install = |args: &[&str]| {
        let ended = sandbox.run(&[&["install", "--plan", "reviewed"], args].concat());
        let said = sandbox.said(&ended.stderr);
        let last = said.split_once("\nerror: ").map_or("", |(_, last)| last).to_owned();
        (ended.code.unwrap(), last)
    };
    let (code, said) = install(&["--retention-local", "48h"]);
    assert_eq!(code, 8);
    assert!(said.contains("it does not hold any more:\n    steps: "), "{said}");
    let document = plan(&["-o", "json"]).stdout;
    std::fs::write(path("offline"), document).unwrap();
    assert_snapshot!(sandbox.refused(8, &["install", "--plan", "offline"]).lines().last().unwrap(), @"hint: `okemon plan --live -o json` makes a new one");
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());

    // What was reviewed.
    assert_eq!(install(&[]), (0, String::new()));
    let unchanged = plan(&["--detailed-exitcode"]);
    assert_snapshot!(code_and_plan(&unchanged), @"
    0
    Plan: 0 to change, 10 unchanged.
    ");

    // It has been carried out: what was there when it was made is not there any more.
    let (code, said) = install(&[]);
    assert_eq!(code, 8);
    let lines = said.lines().filter(|line| !line.contains("live.clusters"));
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    run: comparing with the plan that was reviewed: it does not hold any more:
        live.changes: [{"step":"sin/namespace","action":"add","summary":"create... -> []
        live.unchanged: 1 -> 10
    hint: `okemon plan --live -o json` makes a new one
    "#);

    // Somebody upgrades a release between the review and the install.
    let change = ["--retention-raw", "399d"];
    let reviewed = plan(&[&["--live", "-o", "json"], &change[..]].concat());
    std::fs::write(path("reviewed"), &reviewed.stdout).unwrap();
    sandbox.helm(&["rollback", "grafana", "1"]);
    let (code, said) = install(&change);
    assert_eq!(code, 8);
    assert!(said.contains("\n    live.clusters: "), "{said}");
    let reviewed = plan(&[&["--live", "-o", "json"], &change[..]].concat());
    std::fs::write(path("reviewed"), &reviewed.stdout).unwrap();
    assert_eq!(install(&change), (0, String::new()));
    assert_eq!(
        sandbox.releases(),
        ["grafana 3 deployed", "prometheus 1 deployed", "thanos 2 deployed"]
    );
}
