//! The whole install of every cluster, in the articles' order.

mod one_cluster;

use std::path::PathBuf;

use super::release::OwnValues;
use super::step::{Intent, Part, Step};
use super::{Lane, Plan, Stage};
use crate::config::{Cluster, Config};
use crate::content::charts;
use one_cluster::OneCluster;

/// What a plan has to know of the machine that it is made on.
#[derive(Clone, Debug)]
pub struct Local {
    /// Whether the program `oci` is there: with it, a bucket lands in the compartment it is meant for.
    pub oci: bool,
    /// The charts' archives.
    pub archives: Each<Archive>,
    /// The user's own values of each cluster, in the configuration's order.
    pub own_values: Vec<Each<OwnValues>>,
    /// Whether to leave the custom resource definitions alone.
    pub skip_crds: bool,
}

/// Where a chart's archive is, and what has to be done for it to be there.
#[derive(Clone, Debug)]
pub struct Archive {
    pub path: PathBuf,
    /// The version that is in it: the newest of a directory may not be the pinned one.
    pub version: String,
    /// Whether it is brought from the chart's registry when it is missing.
    pub pulled: bool,
}

/// One of a kind for each release, in the articles' order.
#[derive(Clone, Debug, Default)]
pub struct Each<T> {
    pub prometheus: T,
    pub thanos: T,
    pub grafana: T,
}

impl<T> Each<T> {
    pub fn into_array(self) -> [T; 3] {
        [self.prometheus, self.thanos, self.grafana]
    }
}

/// The names of the releases.
pub const RELEASES: [&str; 3] = ["prometheus", "thanos", "grafana"];

/// The releases of one cluster.
pub fn releases(config: &Config, cluster: &Cluster) -> Each<charts::Release> {
    Each {
        prometheus: charts::prometheus(config, cluster),
        thanos: charts::thanos(config, cluster),
        grafana: charts::grafana(config, cluster),
    }
}

/// Everything that an install may do.
pub fn install(config: &Config, local: &Local) -> Plan {
    let clusters: Vec<OneCluster<'_>> = config
        .clusters
        .iter()
        .zip(&local.own_values)
        .map(|(cluster, own)| OneCluster::new(config, cluster, local, own))
        .collect();
    let lanes = |of: &dyn Fn(&OneCluster<'_>) -> Vec<Step>| {
        clusters.iter().map(|cluster| Lane { steps: of(cluster) }).collect::<Vec<_>>()
    };
    let mut look = lanes(&|cluster| vec![cluster.cluster()]);
    if let Some(first) = clusters.first() {
        look.extend(first.charts().into_iter().map(|step| Lane { steps: vec![step] }));
    }
    let install = clusters.iter().flat_map(OneCluster::install).map(|steps| Lane { steps });
    let stages = [
        ("look", look),
        ("ground", lanes(&|cluster| cluster.ground())),
        ("install", install.filter(|lane| !lane.steps.is_empty()).collect()),
        ("ready", lanes(&|cluster| vec![cluster.ready()])),
    ];
    Plan { stages: stages.map(|(title, lanes)| Stage { title, lanes }).into() }
}

impl Plan {
    /// The steps of one part, and what they stand on.
    #[must_use]
    pub fn part(self, part: Part) -> Self {
        let ready = RELEASES.contains(&part.name());
        // Pods of both read the Secret when they start.
        let reads_secret = matches!(part, Part::Prometheus | Part::Thanos);
        let mut plan = self.only(|step| match step.part {
            Part::Ground => part != Part::Bucket,
            Part::Ready => ready,
            Part::Secret if reads_secret => true,
            // Keys that do not open the bucket are stored nowhere.
            Part::Bucket if reads_secret || part == Part::Secret => true,
            // Thanos' chart has objects of the operator's kinds, which that of Prometheus defines.
            Part::Prometheus if part == Part::Thanos => {
                matches!(step.intent, Intent::Chart(_) | Intent::Crds(_))
            }
            other => other == part,
        });
        for step in plan
            .stages
            .iter_mut()
            .flat_map(|stage| &mut stage.lanes)
            .flat_map(|lane| &mut lane.steps)
        {
            if let Intent::Ready(ready) = &mut step.intent {
                ready.releases.retain(|release| *release == part.name());
            }
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::StepId;
    use crate::plan::testing::plan;

    fn steps(plan: &Plan) -> String {
        let step = |step: &Step| {
            let needs: Vec<String> = step.needs.iter().map(ToString::to_string).collect();
            format!("  {}: {}", step.id, needs.join(" ")).trim_end().to_owned() + "\n"
        };
        plan.stages
            .iter()
            .map(|stage| {
                let steps = stage.lanes.iter().flat_map(|lane| &lane.steps).map(step);
                format!("{}\n{}", stage.title, steps.collect::<String>())
            })
            .collect()
    }

    #[test]
    fn an_install_goes_the_articles_way() {
        insta::assert_snapshot!(steps(&plan()), @"
        look
          sin/cluster:
          charts/kube-prometheus:
          charts/thanos:
          charts/grafana:
        ground
          sin/namespace: sin/cluster
          sin/lock: sin/namespace
        install
          sin/bucket: sin/lock
          sin/secret: sin/bucket
          sin/crds: sin/lock charts/kube-prometheus
          sin/prometheus: sin/secret sin/crds charts/kube-prometheus
          sin/thanos: sin/secret sin/crds charts/thanos
          sin/admin: sin/lock
          sin/dashboards: sin/lock
          sin/grafana: sin/admin charts/grafana
        ready
          sin/ready: sin/prometheus sin/thanos sin/grafana
        ");
    }

    #[test]
    fn a_part_stands_on_the_ground_and_waits_for_itself_only() {
        insta::assert_snapshot!(steps(&plan().part(Part::Thanos)), @"
        look
          sin/cluster:
          charts/kube-prometheus:
          charts/thanos:
        ground
          sin/namespace: sin/cluster
          sin/lock: sin/namespace
        install
          sin/bucket: sin/lock
          sin/secret: sin/bucket
          sin/crds: sin/lock charts/kube-prometheus
          sin/thanos: sin/secret sin/crds charts/thanos
        ready
          sin/ready: sin/prometheus sin/thanos sin/grafana
        ");
        insta::assert_snapshot!(steps(&plan().part(Part::Bucket)), @"
        install
          sin/bucket: sin/lock
        ");
    }

    #[test]
    fn every_part_has_the_steps_that_it_needs() {
        for part in [Part::Secret, Part::Prometheus, Part::Thanos, Part::Grafana] {
            let plan = plan().part(part);
            let ids: Vec<&StepId> = plan.steps().map(|step| &step.id).collect();
            let waits = |step: &&Step| step.part == Part::Ready;
            for step in plan.steps().filter(|step| !waits(step)) {
                let missing: Vec<_> = step.needs.iter().filter(|id| !ids.contains(id)).collect();
                assert!(missing.is_empty(), "{} of {part:?} needs {missing:?}", step.id);
            }
        }
    }

    #[test]
    fn every_need_is_a_step_that_comes_before() {
        let plan = plan();
        let order: Vec<&StepId> = plan.steps().map(|step| &step.id).collect();
        for (place, step) in plan.steps().enumerate() {
            for need in &step.needs {
                assert!(order[..place].contains(&need), "{} needs {need}", step.id);
            }
        }
    }
}
