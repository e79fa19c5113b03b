//! What else is in the cluster that an install stands on, or stumbles over.

use std::collections::BTreeSet;

use serde_json::Value;

use super::room::{self, Room};
use super::{Line, answered};
use crate::config::{Cluster, Config};
use crate::content::charts::STORAGE_CLASS;
use crate::diagnose::catalogue::Id;
use crate::plan::install::RELEASES;
use crate::plan::{Answer, Call};
use crate::tools::cmd::Cmd;
use crate::tools::kubectl::{self, Kubectl};

/// The port of each node that node exporter listens on.
const NODE_EXPORTER_PORT: &str = "9100";
const POD_SECURITY: &str = "pod-security.kubernetes.io/enforce";

/// Nodes, classes of storage, namespaces, and the pods of everybody.
#[derive(Clone, Debug)]
pub struct Ground {
    kubectl: Kubectl,
    namespace: String,
    room: Room,
    /// Whether values of the user's own may name another class of storage.
    own_values: bool,
    /// Whether they may leave out node exporters, or the operator.
    own_prometheus: bool,
}

/// What is read of a pod: of all of a large cluster, whole pods would be too much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pod<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    /// The Helm release that it belongs to, if it says so.
    pub instance: &'a str,
    pub node: &'a str,
    /// What each container requests, such as `100m 1`.
    pub cpu: &'a str,
    pub memory: &'a str,
    /// The ports of the node that it listens on, such as `9100 9101`.
    pub ports: &'a str,
    pub images: &'a str,
    /// The arguments of its containers, a JSON list each.
    pub args: &'a str,
}

const FIELDS: [&str; 9] = [
    ".metadata.namespace",
    ".metadata.name",
    r".metadata.labels.app\.kubernetes\.io/instance",
    ".spec.nodeName",
    ".spec.containers[*].resources.requests.cpu",
    ".spec.containers[*].resources.requests.memory",
    ".spec.containers[*].ports[*].hostPort",
    ".spec.containers[*].image",
    ".spec.containers[*].args",
];

impl Ground {
    pub fn new(config: &Config, cluster: &Cluster, kubectl: Kubectl) -> Self {
        let values = &cluster.values;
        Self {
            kubectl,
            namespace: config.namespace.to_string(),
            room: Room::new(cluster),
            own_prometheus: values.prometheus.is_some(),
            own_values: [&values.prometheus, &values.thanos, &values.grafana]
                .iter()
                .any(|file| file.is_some()),
        }
    }

    pub(super) fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        match so_far {
            [] => Some(Call::Cmd(self.of_cluster())),
            [_] => Some(Call::Cmd(self.pods())),
            _ => None,
        }
    }

    pub(super) fn judge(&self, answers: &[Answer]) -> Vec<Line> {
        let said = |cmd: &Cmd, at: usize| match answers.get(at).map(|answer| answered(cmd, answer))
        {
            Some(Ok(output)) => Ok(output.stdout),
            Some(Err(fail)) => Err(fail.error),
            None => Ok(String::new()),
        };
        let things = said(&self.of_cluster(), 0)
            .and_then(|text| kubectl::objects(&text).map_err(|error| format!("{error:#}")));
        let (things, pods) = match (things, said(&self.pods(), 1)) {
            (Ok(things), Ok(pods)) => (things, pods),
            (Err(why), _) | (_, Err(why)) => {
                return vec![Line::skipped("nodes", format!("not seen: {why}"))];
            }
        };
        let pods: Vec<Pod<'_>> = pods.lines().filter_map(Pod::read).collect();
        let others: Vec<Pod<'_>> = pods.into_iter().filter(|pod| !self.is_ours(pod)).collect();
        let of_kind = |kind: &str| -> Vec<&Value> {
            things.iter().filter(|thing| thing["kind"] == kind).collect()
        };
        vec![
            self.pod_security(&of_kind("Namespace")),
            self.storage_class(&of_kind("StorageClass")),
            self.node_port(&others),
            self.operators(&others),
            room::judge(&self.room, &of_kind("Node"), &others, &self.kubectl),
        ]
    }

    fn of_cluster(&self) -> Cmd {
        self.kubectl.cmd(["get", "nodes,storageclasses.storage.k8s.io,namespaces", "-o", "json"])
    }

    fn pods(&self) -> Cmd {
        let fields: Vec<String> = FIELDS.iter().map(|field| format!("{{{field}}}")).collect();
        let line =
            format!("jsonpath={{range .items[*]}}{}{{\"\\n\"}}{{end}}", fields.join("{\"\\t\"}"));
        let running = "--field-selector=status.phase!=Succeeded,status.phase!=Failed";
        self.kubectl.cmd(["get", "pods", "--all-namespaces", running, "-o", &line])
    }

    fn is_ours(&self, pod: &Pod<'_>) -> bool {
        // What the operator makes is named after the resource that it is made from.
        let of_operator = pod.instance.starts_with("prometheus-kube-prometheus-");
        pod.namespace == self.namespace && (of_operator || RELEASES.contains(&pod.instance))
    }

    /// What keeps a part of the release prometheus from running, unless that was left out.
    fn in_the_way(
        &self,
        check: &str,
        id: Id,
        said: impl Into<String>,
        hint: impl Into<String>,
    ) -> Line {
        if self.own_prometheus {
            Line::warning(check, id, said, hint)
        } else {
            Line::failed(check, id, said, hint)
        }
    }

    /// Node exporter shares the node's network and sees its files, which these levels forbid.
    fn pod_security(&self, namespaces: &[&Value]) -> Line {
        let namespace = namespaces.iter().find(|each| each["metadata"]["name"] == *self.namespace);
        let level = namespace.and_then(|it| it["metadata"]["labels"][POD_SECURITY].as_str());
        match level {
            Some(level @ ("baseline" | "restricted")) => self.in_the_way(
                "pod security",
                Id::PodSecurity,
                format!(
                    "the namespace {} enforces {level}, which node exporters cannot keep",
                    self.namespace
                ),
                format!(
                    "`{}` lets them",
                    self.kubectl.by_hand(&[
                        "label",
                        "--overwrite",
                        "namespace",
                        &self.namespace,
                        &format!("{POD_SECURITY}=privileged")
                    ])
                ),
            ),
            _ => Line::passed("pod security", "the namespace takes what an install makes"),
        }
    }

    fn storage_class(&self, classes: &[&Value]) -> Line {
        let name = |class: &&Value| class["metadata"]["name"].as_str().map(str::to_owned);
        let names: Vec<String> = classes.iter().filter_map(name).collect();
        if names.iter().any(|name| name == STORAGE_CLASS) {
            return Line::passed("storage class", STORAGE_CLASS);
        }
        let others = if names.is_empty() {
            "nor another".to_owned()
        } else {
            format!("but {}", names.join(", "))
        };
        let said = format!("there is no {STORAGE_CLASS}, which volumes are made of, {others}");
        let hint = format!(
            "`{}` shows them; OKE clusters have it from Kubernetes 1.24 on",
            self.kubectl.by_hand(&["get", "storageclass"])
        );
        if self.own_values {
            Line::warning("storage class", Id::StorageClassMissing, said, hint)
        } else {
            Line::failed("storage class", Id::StorageClassMissing, said, hint)
        }
    }

    fn node_port(&self, others: &[Pod<'_>]) -> Line {
        let listens = |pod: &&Pod<'_>| pod.ports.split(' ').any(|port| port == NODE_EXPORTER_PORT);
        let taken: Vec<&Pod<'_>> = others.iter().filter(listens).collect();
        let Some(first) = taken.first() else {
            let said = format!("nobody listens on port {NODE_EXPORTER_PORT} of the nodes");
            return Line::passed("node port", said);
        };
        let nodes: BTreeSet<&str> = taken.iter().map(|pod| pod.node).collect();
        self.in_the_way(
            "node port",
            Id::NodePortTaken,
            format!(
                "port {NODE_EXPORTER_PORT} of {} is {}'s: no node exporter of ours finds a place there",
                count(nodes.len(), "node"),
                first.title()
            ),
            format!(
                "`{}` shows whose it is; two node exporters are one too many: take one away",
                self.kubectl.by_hand_in(first.namespace, &["describe", "pod", first.name])
            ),
        )
    }

    fn operators(&self, others: &[Pod<'_>]) -> Line {
        let rival = others
            .iter()
            .find(|pod| pod.runs("prometheus-operator") && pod.watches(&self.namespace));
        if let Some(pod) = rival {
            return self.in_the_way(
                "operators",
                Id::OperatorOther,
                format!(
                    "{} watches the namespace {} too: two operators undo each other's work",
                    pod.title(),
                    self.namespace
                ),
                format!(
                    "`{}` shows it; let it run with --deny-namespaces={}, or install into a `namespace` that it does not watch",
                    self.kubectl.by_hand_in(pod.namespace, &["describe", "pod", pod.name]),
                    self.namespace
                ),
            );
        }
        let left_alone: BTreeSet<String> = others
            .iter()
            .filter(|pod| pod.runs("prometheus-operator") || pod.runs("prometheus"))
            .map(Pod::title)
            .collect();
        if left_alone.is_empty() {
            return Line::passed("operators", "no other one is in the cluster");
        }
        let names: Vec<String> = left_alone.into_iter().collect();
        Line::passed(
            "operators",
            format!("none watches the namespace; left alone: {}", names.join(", ")),
        )
    }
}

impl<'a> Pod<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [namespace, name, instance, node, cpu, memory, ports, images, args] = fields[..] else {
            return None;
        };
        Some(Self { namespace, name, instance, node, cpu, memory, ports, images, args })
    }

    fn title(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Whether a container's image has this name, from whatever registry.
    fn runs(&self, program: &str) -> bool {
        self.images.split(' ').any(|image| {
            let image = image.rsplit('/').next().unwrap_or(image);
            // Mirrors put words of their own before the name.
            image
                .split([':', '@'])
                .next()
                .is_some_and(|name| name == program || name.ends_with(&format!("-{program}")))
        })
    }

    /// Whether an operator with its arguments takes care of a namespace: by itself, of every one.
    fn watches(&self, namespace: &str) -> bool {
        let lists = |flag: &str| {
            let (_, rest) = self.args.split_once(&format!("\"--{flag}="))?;
            let value = rest.split('"').next().filter(|value| !value.is_empty())?;
            Some(value.split(',').any(|each| each == namespace))
        };
        let all = lists("namespaces").unwrap_or_else(|| lists("deny-namespaces") != Some(true));
        let kinds = ["prometheus-instance-namespaces", "alertmanager-instance-namespaces"];
        kinds.iter().any(|kind| lists(kind).unwrap_or(all))
    }
}

/// `1 node`, `3 nodes`.
pub(super) fn count(many: usize, what: &str) -> String {
    format!("{many} {what}{}", if many == 1 { "" } else { "s" })
}
