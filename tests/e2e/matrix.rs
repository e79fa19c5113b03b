//! Either family of charts with either Helm: the same cluster, and each Helm goes on from what the
//! other has left.

use crate::objects::{differing, fresh};
use crate::sandbox::Sandbox;
use crate::variants::{Charts, Helm};

#[test]
fn bitnamis_charts_are_installed_changed_and_repaired_by_both_helms() {
    both_helms(Charts::Bitnami);
}

#[test]
fn the_communitys_charts_are_installed_changed_and_repaired_by_both_helms() {
    both_helms(Charts::Community);
}

fn both_helms(charts: Charts) {
    let sandbox = Sandbox::up_for(charts);
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
        assert_eq!(differing(&made_by_3, &sandbox.objects()), [""; 0], "{helm:?}");
    }

    // Values of every release by Helm 3, and without them by Helm 4: as if that had made it all.
    sandbox.use_helm(Helm::Three);
    let change = ["--retention-local=24h", "--retention-raw=399d", "--grafana-url=https://f"];
    let changed = sandbox.run(&[&["install"], &change[..]].concat());
    assert_eq!(changed.code, Some(0), "{}", changed.stderr);
    sandbox.use_helm(Helm::Four);
    sandbox.install();
    assert_eq!(
        sandbox.releases(),
        ["grafana 3 deployed", "prometheus 3 deployed", "thanos 5 deployed"]
    );
    assert_eq!(differing(fresh(charts), &sandbox.objects()), [""; 0]);
}
