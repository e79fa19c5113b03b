//! Helm 3 and Helm 4 make the same cluster, and each goes on from what the other has left.

use crate::sandbox::{Helm, Sandbox};

#[test]
fn what_helm_3_installs_is_kept_changed_and_repaired_by_both() {
    let sandbox = Sandbox::up();
    sandbox.use_helm(Helm::Four);
    let plan = sandbox.run(&["plan", "--region", "sin"]).stdout;
    sandbox.use_helm(Helm::Three);
    assert_eq!(sandbox.run(&["plan", "--region", "sin"]).stdout, plan);
    sandbox.install();
    let made_by_3 = sandbox.objects();

    for helm in [Helm::Three, Helm::Four] {
        sandbox.use_helm(helm);
        let mark = sandbox.mark();
        let again = sandbox.install();
        assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new(), "{helm:?}");
        assert!(again.stderr.contains("Plan: 0 to change"), "{}", again.stderr);

        sandbox.kubectl(&["delete", "service", "thanos-query", "--namespace", "monitoring"]);
        let repaired = sandbox.install();
        assert!(repaired.stderr.contains("\n    + Service/thanos-query\n"), "{}", repaired.stderr);
        assert!(repaired.stderr.contains("Plan: 1 to change"), "{}", repaired.stderr);
        assert_eq!(crate::objects::differing(&made_by_3, &sandbox.objects()), [""; 0], "{helm:?}");
    }
    assert_eq!(
        sandbox.releases(),
        ["grafana 1 deployed", "prometheus 1 deployed", "thanos 3 deployed"]
    );

    // Values of every release that Helm 4 changes in what Helm 3 has made, as if it had made it.
    let changed =
        ["install", "--retention-local=48h", "--retention-raw=400d", "--grafana-url=https://g"];
    let ended = sandbox.run(&changed);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(
        sandbox.releases(),
        ["grafana 2 deployed", "prometheus 2 deployed", "thanos 4 deployed"]
    );
    let changed_by_4 = sandbox.objects();
    let fresh = Sandbox::up();
    fresh.use_helm(Helm::Four);
    let ended = fresh.run(&changed);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(crate::objects::differing(&fresh.objects(), &changed_by_4), [""; 0]);
}
