//! Whether the API server would allow all that an install does.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Line, answered};
use crate::config::{Charts, Config};
use crate::content::doc::Doc;
use crate::diagnose::catalogue::Id;
use crate::plan::{Answer, Call, Intent, Plan};
use crate::tools::cmd::Cmd;
use crate::tools::kubectl::{self, Kubectl};

pub(super) const NAME: &str = "rights";

/// What may be done, asked by reviews of one's own access.
#[derive(Clone, Debug)]
pub struct Rights {
    kubectl: Kubectl,
    namespace: String,
    charts: Charts,
    /// Whether definitions are left alone.
    skip_crds: bool,
}

/// What an install does with one kind of object.
struct Need {
    /// `RESOURCE.GROUP`, the group left out where it is the core's; with `/SUBRESOURCE`.
    resource: &'static str,
    verbs: &'static [&'static str],
    /// Whether such objects lie in no namespace.
    of_cluster: bool,
}

const READ: &[&str] = &["get", "list"];
const ROLES: &[&str] = &["get", "list", "create", "update", "patch", "delete", "escalate", "bind"];
const WRITE: &[&str] = &["get", "list", "create", "update", "patch", "delete"];

/// What both families of charts need. An end-to-end test installs with these rights alone.
const NEEDS: &[Need] = &[
    of_cluster("namespaces", &["get", "create", "patch"]),
    of_cluster(
        "customresourcedefinitions.apiextensions.k8s.io",
        &["get", "list", "create", "patch"],
    ),
    // Roles of the charts allow more than whoever makes them may be allowed.
    of_cluster("clusterroles.rbac.authorization.k8s.io", ROLES),
    of_cluster("clusterrolebindings.rbac.authorization.k8s.io", WRITE),
    within("roles.rbac.authorization.k8s.io", ROLES),
    within("rolebindings.rbac.authorization.k8s.io", WRITE),
    within("leases.coordination.k8s.io", &["get", "create", "update"]),
    within("secrets", WRITE),
    within("configmaps", WRITE),
    within("services", WRITE),
    within("serviceaccounts", WRITE),
    within("persistentvolumeclaims", WRITE),
    within("pods", READ),
    within("pods/log", &["get"]),
    within("events", READ),
    within("deployments.apps", WRITE),
    within("statefulsets.apps", WRITE),
    within("daemonsets.apps", WRITE),
    within("jobs.batch", READ),
    within("networkpolicies.networking.k8s.io", WRITE),
    within("poddisruptionbudgets.policy", WRITE),
    within("prometheuses.monitoring.coreos.com", WRITE),
    within("alertmanagers.monitoring.coreos.com", WRITE),
    within("prometheusrules.monitoring.coreos.com", WRITE),
    within("servicemonitors.monitoring.coreos.com", WRITE),
    // Waited for until the API server knows them.
    within("podmonitors.monitoring.coreos.com", READ),
    within("probes.monitoring.coreos.com", READ),
    within("alertmanagerconfigs.monitoring.coreos.com", READ),
    within("prometheusagents.monitoring.coreos.com", READ),
    within("scrapeconfigs.monitoring.coreos.com", READ),
    within("thanosrulers.monitoring.coreos.com", READ),
];

/// What the community's charts need beside that.
const NEEDS_OF_COMMUNITY: &[Need] = &[
    of_cluster("mutatingwebhookconfigurations.admissionregistration.k8s.io", WRITE),
    of_cluster("validatingwebhookconfigurations.admissionregistration.k8s.io", WRITE),
    within("jobs.batch", &["create", "delete"]),
];

const fn of_cluster(resource: &'static str, verbs: &'static [&'static str]) -> Need {
    Need { resource, verbs, of_cluster: true }
}

const fn within(resource: &'static str, verbs: &'static [&'static str]) -> Need {
    Need { resource, verbs, of_cluster: false }
}

impl Rights {
    pub fn new(config: &Config, plan: &Plan, kubectl: Kubectl) -> Self {
        Self {
            kubectl,
            namespace: config.namespace.to_string(),
            charts: config.charts,
            skip_crds: !plan.steps().any(|step| matches!(step.intent, Intent::Crds(_))),
        }
    }

    pub(super) fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        so_far.is_empty().then(|| Call::Cmd(self.review()))
    }

    pub(super) fn judge(&self, answers: &[Answer]) -> Line {
        let Some(answer) = answers.first() else { return Line::skipped(NAME, "not asked for") };
        let reviews =
            answered(&self.review(), answer).map(|output| kubectl::objects(&output.stdout));
        let reviews = match reviews {
            Ok(Ok(reviews)) => reviews,
            Ok(Err(error)) => return Line::skipped(NAME, format!("{error:#}")),
            Err(fail) => return Line::unanswered(NAME, fail),
        };
        let denied = denied(&reviews);
        if denied.is_empty() {
            let said = format!("all that an install does is allowed ({} asked for)", reviews.len());
            return Line::passed(NAME, said);
        }
        let list =
            denied.iter().map(|(resource, verbs)| format!("\n{resource}: {}", verbs.join(" ")));
        let words = ["auth", "can-i", "--list"];
        Line::failed(
            NAME,
            Id::RightsMissing,
            format!("not allowed:{}", list.collect::<String>()),
            format!(
                "`{}` shows what is; an administrator of the cluster can install",
                self.kubectl.by_hand(&words)
            ),
        )
    }

    /// Asks for every right in one call; the API server answers one after another.
    fn review(&self) -> Cmd {
        let reviews: Vec<Value> = self.needs().flat_map(|need| self.reviews(need)).collect();
        let doc = Doc::new("manifests/access-reviews.yaml.j2", json!({"reviews": reviews}));
        self.kubectl.review().docs([doc])
    }

    fn needs(&self) -> impl Iterator<Item = &'static Need> {
        let more = match self.charts {
            Charts::Bitnami => &[],
            Charts::Community => NEEDS_OF_COMMUNITY,
        };
        let of_crds = |need: &&Need| need.resource.starts_with("customresourcedefinitions.");
        NEEDS.iter().chain(more).filter(move |need| !(self.skip_crds && of_crds(need)))
    }

    fn reviews(&self, need: &Need) -> Vec<Value> {
        let (resource, subresource) = need.resource.split_once('/').unwrap_or((need.resource, ""));
        let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
        let namespace = if need.of_cluster { "" } else { &self.namespace };
        let attributes = |verb: &&str| json!({"namespace": namespace, "verb": verb, "group": group, "resource": resource, "subresource": subresource});
        need.verbs.iter().map(attributes).collect()
    }
}

/// What was not allowed: the verbs by resource.
fn denied(reviews: &[Value]) -> BTreeMap<String, Vec<&str>> {
    let mut denied: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for review in reviews.iter().filter(|review| review["status"]["allowed"] != true) {
        let asked = &review["spec"]["resourceAttributes"];
        let word = |key: &str| asked[key].as_str().unwrap_or_default();
        let part = |mark: &str, word: &str| {
            if word.is_empty() { String::new() } else { format!("{mark}{word}") }
        };
        let resource = word("resource").to_owned()
            + &part(".", word("group"))
            + &part("/", word("subresource"));
        denied.entry(resource).or_default().push(word("verb"));
    }
    denied
}
