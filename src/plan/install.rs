//! The whole install of every cluster, in the articles' order.

use std::path::PathBuf;

use serde_json::Value;

use super::bucket::Bucket;
use super::chart::Chart;
use super::cluster;
use super::crds::Crds;
use super::objects::{Care, Objects};
use super::ready::Ready;
use super::release::Release;
use super::step::{Intent, Part, Step, StepId};
use super::{Lane, Plan, Stage};
use crate::config::{Cluster, Config};
use crate::content::{charts, objects};
use crate::tools::helm::{self, Helm};
use crate::tools::kubectl::Kubectl;

/// What a plan has to know of the machine that it is made on.
#[derive(Clone, Debug)]
pub struct Local {
    /// Whether the program `oci` is there: with it, a bucket lands in the compartment it is meant for.
    pub oci: bool,
    /// The charts' archives, in the order of [`RELEASES`].
    pub archives: [Archive; 3],
    /// The user's own values of each cluster, in the configuration's order.
    pub own_values: Vec<OwnValues>,
    /// Whether to wait for and apply custom resource definitions.
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

/// The user's own values, by release; null: none.
#[derive(Clone, Debug, Default)]
pub struct OwnValues {
    pub prometheus: Value,
    pub thanos: Value,
    pub grafana: Value,
}

/// The releases, in the articles' order.
pub const RELEASES: [&str; 3] = ["prometheus", "thanos", "grafana"];

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
    let releases = clusters
        .iter()
        .flat_map(OneCluster::releases)
        .map(|steps| Lane { steps })
        .filter(|lane| !lane.steps.is_empty());
    let stages = [
        ("look", look),
        ("prepare", lanes(&|cluster| cluster.prepare())),
        ("releases", releases.collect()),
        ("ready", lanes(&|cluster| vec![cluster.ready()])),
    ];
    Plan { stages: stages.map(|(title, lanes)| Stage { title, lanes }).into() }
}

/// What the steps of one cluster are made from.
struct OneCluster<'a> {
    config: &'a Config,
    cluster: &'a Cluster,
    local: &'a Local,
    own: &'a OwnValues,
    kubectl: Kubectl,
    helm: Helm,
}

impl<'a> OneCluster<'a> {
    fn new(config: &'a Config, cluster: &'a Cluster, local: &'a Local, own: &'a OwnValues) -> Self {
        let (kubectl, helm) = (Kubectl::new(config, cluster), Helm::new(config, cluster));
        Self { config, cluster, local, own, kubectl, helm }
    }

    fn id(&self, step: &str) -> StepId {
        StepId::on(&self.cluster.name, step)
    }

    fn step(&self, name: &str, part: Part, needs: &[&str], intent: Intent) -> Step {
        let needs = needs.iter().map(|name| self.id(name)).collect();
        let cluster = Some(self.cluster.name.clone());
        Step { id: self.id(name), cluster, title: title(&intent), part, needs, intent }
    }

    fn cluster(&self) -> Step {
        let intent = Intent::Cluster(cluster::Cluster {
            context: self.cluster.context.clone(),
            look: self.kubectl.cmd(["get", "namespace", "kube-system", "-o", "json"]),
            uid: self.cluster.uid.clone(),
        });
        self.step("cluster", Part::Ground, &[], intent)
    }

    /// The archives are the same for every cluster.
    fn charts(&self) -> Vec<Step> {
        let parts = [Part::Prometheus, Part::Thanos, Part::Grafana];
        let releases = self.three_releases();
        let charts = releases.into_iter().zip(&self.local.archives).zip(parts);
        charts
            .filter(|((_, archive), _)| archive.pulled)
            .map(|((release, archive), part)| {
                let chart = release.chart;
                let directory = archive.path.parent().unwrap_or(&archive.path);
                let intent = Intent::Chart(Chart {
                    title: format!("{} {}", chart.name, archive.version),
                    archive: archive.path.clone(),
                    pull: helm::pull(chart.reference, &archive.version, directory),
                });
                let id = StepId::chart(chart.name);
                Step { id, cluster: None, title: title(&intent), part, needs: vec![], intent }
            })
            .collect()
    }

    fn prepare(&self) -> Vec<Step> {
        let namespace =
            self.objects(vec![objects::namespace(self.config)], Care::Keep, "create the namespace");
        let secret = self.objects(
            vec![objects::objstore(self.config, self.cluster)],
            Care::Keep,
            "store the bucket's keys in the Secret thanos-objstore-config",
        );
        let secret = self.then_restart(secret);
        let bucket = Intent::Bucket(Bucket::new(self.cluster, self.local.oci));
        let lock = Intent::Lock(self.cluster.name.clone());
        let mut steps = vec![
            self.step("namespace", Part::Ground, &["cluster"], namespace),
            self.step("lock", Part::Ground, &["namespace"], lock),
            self.step("bucket", Part::Bucket, &["lock"], bucket),
            self.step("secret", Part::Secret, &["bucket"], secret),
        ];
        if !self.local.skip_crds {
            let chart = self.local.archives[0].path.clone();
            let crds = Intent::Crds(Crds { kubectl: self.kubectl.clone(), chart });
            steps.push(self.after_chart(0, self.step("crds", Part::Prometheus, &["lock"], crds)));
        }
        steps
    }

    /// A lane each: none of the three waits for another.
    fn releases(&self) -> Vec<Vec<Step>> {
        let [prometheus, thanos, grafana] = self.three_releases();
        let crds: &[&str] = if self.local.skip_crds { &["secret"] } else { &["secret", "crds"] };
        let prometheus = self.release(prometheus, 0, &self.own.prometheus);
        let thanos = self.release(thanos, 1, &self.own.thanos);
        let grafana = self.release(grafana, 2, &self.own.grafana);

        let mut query = vec![self.after_chart(1, self.step("thanos", Part::Thanos, crds, thanos))];
        query.extend(objects::storeapi(self.config, self.cluster).map(|service| {
            let summary = "publish the StoreAPI by the Service thanos-storeapi";
            self.step(
                "storeapi",
                Part::Thanos,
                &["lock"],
                self.objects(vec![service], Care::Keep, summary),
            )
        }));

        let admin = self.objects(
            vec![objects::grafana_admin(self.config)],
            Care::MakeOnce,
            "make Grafana's admin password",
        );
        let mut view = vec![self.step("admin", Part::Grafana, &["lock"], admin)];
        let dashboards = objects::dashboards(self.config);
        if !dashboards.is_empty() {
            let summary = format!("provision {} dashboards", dashboards.len());
            let dashboards = self.objects(dashboards, Care::Keep, &summary);
            view.push(self.step("dashboards", Part::Grafana, &["lock"], dashboards));
        }
        view.push(self.after_chart(2, self.step("grafana", Part::Grafana, &["admin"], grafana)));
        let collect = self.step("prometheus", Part::Prometheus, crds, prometheus);
        vec![vec![self.after_chart(0, collect)], query, view]
    }

    fn ready(&self) -> Step {
        let intent = Intent::Ready(Ready::new(self.config, self.cluster, self.kubectl.clone()));
        let mut needs = RELEASES.to_vec();
        needs.extend(self.cluster.load_balancer.as_ref().map(|_| "storeapi"));
        self.step("ready", Part::Ready, &needs, intent)
    }

    fn three_releases(&self) -> [charts::Release; 3] {
        let make = [charts::prometheus, charts::thanos, charts::grafana];
        make.map(|make| make(self.config, self.cluster))
    }

    fn release(&self, mut release: charts::Release, index: usize, own_values: &Value) -> Intent {
        let archive = &self.local.archives[index];
        release.chart.version.clone_from(&archive.version);
        Intent::Release(Box::new(Release {
            helm: self.helm.clone(),
            kubectl: self.kubectl.clone(),
            archive: archive.path.clone(),
            release,
            own_values: own_values.clone(),
        }))
    }

    /// Thanos reads the bucket's keys when it starts, and never again.
    fn then_restart(&self, mut intent: Intent) -> Intent {
        if let Intent::Objects(objects) = &mut intent {
            let readers = ["--selector", charts::bitnami::READERS_OF_OBJSTORE];
            let restart = ["rollout", "restart", "deployment,statefulset"];
            objects.after_change = Some(self.kubectl.cmd(restart.into_iter().chain(readers)));
        }
        intent
    }

    /// A step that cannot be done without a chart that may have to be fetched.
    fn after_chart(&self, index: usize, mut step: Step) -> Step {
        if self.local.archives[index].pulled {
            step.needs.push(StepId::chart(self.three_releases()[index].chart.name));
        }
        step
    }

    fn objects(&self, docs: Vec<crate::content::doc::Doc>, care: Care, summary: &str) -> Intent {
        let kubectl = self.kubectl.clone();
        Intent::Objects(Objects {
            kubectl,
            docs,
            care,
            summary: summary.to_owned(),
            after_change: None,
        })
    }
}

/// What a step is called while it runs.
fn title(intent: &Intent) -> String {
    match intent {
        Intent::Cluster(_) => "look at the cluster".to_owned(),
        Intent::Chart(chart) => format!("fetch {}", chart.title),
        Intent::Bucket(bucket) => bucket.summary(),
        Intent::Objects(objects) => objects.summary.clone(),
        Intent::Lock(_) => "take the lock".to_owned(),
        Intent::Crds(_) => "apply the operator's custom resource definitions".to_owned(),
        Intent::Release(release) => {
            format!("install {} {}", release.release.chart.name, release.release.chart.version)
        }
        Intent::Ready(_) => "wait until everything runs".to_owned(),
    }
}

impl Plan {
    /// The steps of one part, and what they stand on.
    #[must_use]
    pub fn part(self, part: Part) -> Self {
        let ground = part != Part::Bucket;
        let ready = RELEASES.contains(&part.name());
        let mut plan = self.only(|step| match step.part {
            Part::Ground => ground,
            Part::Ready => ready,
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
        prepare
          sin/namespace: sin/cluster
          sin/lock: sin/namespace
          sin/bucket: sin/lock
          sin/secret: sin/bucket
          sin/crds: sin/lock charts/kube-prometheus
        releases
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
        prepare
          sin/namespace: sin/cluster
          sin/lock: sin/namespace
          sin/crds: sin/lock charts/kube-prometheus
        releases
          sin/thanos: sin/secret sin/crds charts/thanos
        ready
          sin/ready: sin/prometheus sin/thanos sin/grafana
        ");
        insta::assert_snapshot!(steps(&plan().part(Part::Bucket)), @"
        prepare
          sin/bucket: sin/lock
        ");
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
