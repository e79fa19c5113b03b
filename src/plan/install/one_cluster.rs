//! The steps of one cluster, and what each of them needs.

use super::{Archive, Each, Local, RELEASES, releases};
use crate::config::{Cluster, Config};
use crate::content::doc::Doc;
use crate::content::objects::Restarted;
use crate::content::objstore::ObjStore;
use crate::content::{charts, objects};
use crate::plan::bucket::Bucket;
use crate::plan::chart::Chart;
use crate::plan::cluster;
use crate::plan::crds::Crds;
use crate::plan::deed::{Deed, Verb};
use crate::plan::objects::{Care, Objects, Restart};
use crate::plan::ready::Ready;
use crate::plan::release::{OwnValues, Release};
use crate::plan::step::{Intent, Part, Step, StepId};
use crate::tools::helm::{self, Helm};
use crate::tools::kubectl::Kubectl;

/// What the steps of one cluster are made from.
pub(super) struct OneCluster<'a> {
    config: &'a Config,
    cluster: &'a Cluster,
    local: &'a Local,
    own: &'a Each<OwnValues>,
    releases: Each<charts::Release>,
    kubectl: Kubectl,
    helm: Helm,
}

impl<'a> OneCluster<'a> {
    pub(super) fn new(
        config: &'a Config,
        cluster: &'a Cluster,
        local: &'a Local,
        own: &'a Each<OwnValues>,
    ) -> Self {
        let releases = releases(config, cluster);
        let (kubectl, helm) = (Kubectl::new(config, cluster), Helm::new(config, cluster));
        Self { config, cluster, local, own, releases, kubectl, helm }
    }

    fn id(&self, step: &str) -> StepId {
        StepId::on(&self.cluster.name, step)
    }

    fn step(&self, name: &str, part: Part, needs: &[&str], intent: Intent) -> Step {
        let needs = needs.iter().map(|name| self.id(name)).collect();
        let cluster = Some(self.cluster.name.clone());
        let (id, title) = (self.id(name), title(&intent));
        Step { id, cluster, title, part, needs, within: None, intent }
    }

    /// A step about things that lie in the namespace.
    fn step_within(&self, name: &str, part: Part, needs: &[&str], intent: Intent) -> Step {
        let within = Some(self.id("namespace"));
        Step { within, ..self.step(name, part, needs, intent) }
    }

    pub(super) fn cluster(&self) -> Step {
        let intent = Intent::Cluster(cluster::Cluster {
            context: self.cluster.context.clone(),
            look: self.kubectl.cmd(["get", "namespace", "kube-system", "-o", "json"]),
            uid: self.cluster.uid.clone(),
            others: self.kubectl.secrets_everywhere(objects::OBJSTORE_SECRET),
            namespace: self.config.namespace.clone(),
            objstore: ObjStore::wanted(self.cluster),
        });
        self.step("cluster", Part::Ground, &[], intent)
    }

    /// The archives are the same for every cluster.
    pub(super) fn charts(&self) -> Vec<Step> {
        let parts = [Part::Prometheus, Part::Thanos, Part::Grafana];
        let (releases, archives) = (self.releases.clone(), self.local.archives.clone());
        let charts = releases.into_array().into_iter().zip(archives.into_array()).zip(parts);
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
                let title = title(&intent);
                Step { id, cluster: None, title, part, needs: vec![], within: None, intent }
            })
            .collect()
    }

    /// What everything else of the cluster stands on.
    pub(super) fn ground(&self) -> Vec<Step> {
        let namespace = self.objects(
            vec![objects::namespace(self.config)],
            Care::Keep,
            Deed::new(Verb::Create, "the namespace"),
        );
        let lock = Intent::Lock(self.cluster.name.clone());
        vec![
            self.step("namespace", Part::Ground, &["cluster"], namespace),
            self.step_within("lock", Part::Ground, &["namespace"], lock),
        ]
    }

    /// Lanes in the articles' order. Grafana needs nothing of the others, so it does not wait for them.
    pub(super) fn install(&self) -> Vec<Vec<Step>> {
        let crds = if self.local.skip_crds { vec![] } else { vec![self.crds()] };
        vec![self.storage(), crds, vec![self.prometheus()], self.thanos(), self.grafana()]
    }

    fn storage(&self) -> Vec<Step> {
        let readers = ["--selector", charts::READERS_OF_OBJSTORE];
        let restart = ["rollout", "restart", "deployment,statefulset"];
        let secret = Intent::Objects(Objects {
            kubectl: self.kubectl.clone(),
            docs: vec![objects::objstore(self.config, self.cluster, Restarted::Yes)],
            care: Care::Keep,
            deed: Deed::new(
                Verb::Store,
                format!("the bucket's keys in the Secret {}", objects::OBJSTORE_SECRET),
            ),
            restart: Some(Restart {
                marked: vec![objects::objstore(self.config, self.cluster, Restarted::NotYet)],
                cmd: self.kubectl.cmd(restart.into_iter().chain(readers)),
                note: "! Thanos and Prometheus are restarted, one replica after another: they read it when they start",
            }),
        });
        let bucket = Intent::Bucket(Bucket::new(self.cluster, self.local.oci));
        vec![
            self.step("bucket", Part::Bucket, &["lock"], bucket),
            self.step_within("secret", Part::Secret, &["bucket"], secret),
        ]
    }

    fn crds(&self) -> Step {
        let (release, archive) = (&self.releases.prometheus, &self.local.archives.prometheus);
        let pinned = release.chart.pinned && archive.version == release.chart.version;
        let intent = Intent::Crds(Crds {
            kubectl: self.kubectl.clone(),
            chart: archive.path.clone(),
            kinds: if pinned { charts::KINDS } else { charts::KINDS_USED },
        });
        after_chart(self.step("crds", Part::Prometheus, &["lock"], intent), release, archive)
    }

    fn prometheus(&self) -> Step {
        let (release, archive) = (&self.releases.prometheus, &self.local.archives.prometheus);
        let intent = self.release(release, archive, &self.own.prometheus);
        let step = self.step_within("prometheus", Part::Prometheus, self.before_operated(), intent);
        after_chart(step, release, archive)
    }

    fn thanos(&self) -> Vec<Step> {
        let (release, archive) = (&self.releases.thanos, &self.local.archives.thanos);
        let intent = self.release(release, archive, &self.own.thanos);
        let step = self.step_within("thanos", Part::Thanos, self.before_operated(), intent);
        let mut steps = vec![after_chart(step, release, archive)];
        steps.extend(objects::storeapi(self.config, self.cluster).map(|service| {
            let deed = Deed::new(Verb::Publish, "the StoreAPI by the Service thanos-storeapi");
            let service = self.objects(vec![service], Care::Keep, deed);
            self.step_within("storeapi", Part::Thanos, &["lock"], service)
        }));
        steps
    }

    fn grafana(&self) -> Vec<Step> {
        let admin = self.objects(
            vec![objects::grafana_admin(self.config)],
            Care::MakeOnce,
            Deed::new(Verb::Make, "Grafana's admin password"),
        );
        let mut steps = vec![self.step_within("admin", Part::Grafana, &["lock"], admin)];
        let dashboards = objects::dashboards(self.config);
        if !dashboards.is_empty() {
            let deed = Deed::new(Verb::Provision, format!("{} dashboards", dashboards.len()));
            let dashboards = self.objects(dashboards, Care::Keep, deed);
            steps.push(self.step_within("dashboards", Part::Grafana, &["lock"], dashboards));
        }
        let (release, archive) = (&self.releases.grafana, &self.local.archives.grafana);
        let intent = self.release(release, archive, &self.own.grafana);
        let step = self.step_within("grafana", Part::Grafana, &["admin"], intent);
        steps.push(after_chart(step, release, archive));
        steps
    }

    /// What a chart with objects of the operator's kinds needs.
    fn before_operated(&self) -> &'static [&'static str] {
        if self.local.skip_crds { &["secret"] } else { &["secret", "crds"] }
    }

    pub(super) fn ready(&self) -> Step {
        let intent = Intent::Ready(Ready::new(self.config, self.cluster, self.kubectl.clone()));
        let mut needs = RELEASES.to_vec();
        needs.extend(self.cluster.load_balancer.as_ref().map(|_| "storeapi"));
        self.step_within("ready", Part::Ready, &needs, intent)
    }

    fn release(
        &self,
        release: &charts::Release,
        archive: &Archive,
        own_values: &OwnValues,
    ) -> Intent {
        let mut release = release.clone();
        release.chart.version.clone_from(&archive.version);
        Intent::Release(Box::new(Release {
            helm: self.helm.clone(),
            kubectl: self.kubectl.clone(),
            archive: archive.path.clone(),
            release,
            own_values: own_values.clone(),
        }))
    }

    fn objects(&self, docs: Vec<Doc>, care: Care, deed: Deed) -> Intent {
        let kubectl = self.kubectl.clone();
        Intent::Objects(Objects { kubectl, docs, care, deed, restart: None })
    }
}

/// A step that cannot be done without a chart that may have to be fetched.
fn after_chart(mut step: Step, release: &charts::Release, archive: &Archive) -> Step {
    if archive.pulled {
        step.needs.push(StepId::chart(release.chart.name));
    }
    step
}

/// What a step is called while it runs.
fn title(intent: &Intent) -> String {
    match intent {
        Intent::Cluster(_) => "look at the cluster".to_owned(),
        Intent::Chart(chart) => chart.deed().to_string(),
        Intent::Bucket(bucket) => bucket.deed().to_string(),
        Intent::Objects(objects) => objects.deed.to_string(),
        Intent::Lock(_) => "take the lock".to_owned(),
        Intent::Crds(_) => Crds::deed().to_string(),
        Intent::Release(release) => release.deed(Verb::Install).to_string(),
        Intent::Ready(_) => "wait until everything runs".to_owned(),
    }
}
