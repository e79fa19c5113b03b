//! Whether the nodes have room for what an install makes, by what is requested of them.

use serde_json::Value;

use super::Line;
use super::ground::{Pod, count};
use crate::config::Cluster;
use crate::content::sizes::{self, Figures};
use crate::diagnose::catalogue::Id;
use crate::tools::kubectl::Kubectl;
use crate::tools::quantity::thousandths;

/// What has to find a place, and where it may.
#[derive(Clone, Debug)]
pub(super) struct Room {
    parts: Vec<Wanted>,
    /// What one more pod on every node requests.
    everywhere: Share,
    selector: serde_json::Map<String, Value>,
    /// Whether taints keep it off a node: those that are tolerated are the user's to know.
    repelled: bool,
}

/// One part, each replica of which needs a node of its own.
#[derive(Clone, Debug)]
struct Wanted {
    name: &'static str,
    replicas: usize,
    share: Share,
}

/// A share of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    /// Thousandths of a core.
    cpu: i64,
    /// Bytes.
    memory: i64,
}

impl Room {
    pub(super) fn new(cluster: &Cluster) -> Self {
        let at = |part: sizes::Part| part.at(cluster.size);
        let wanted = |part: sizes::Part| {
            let figures = at(part);
            let replicas = figures.replicas.unwrap_or(1) as usize;
            Wanted { name: part.name, replicas, share: Share::of(figures) }
        };
        let mut prometheus = wanted(sizes::PROMETHEUS);
        prometheus.share = prometheus.share.and(Share::of(at(sizes::SIDECAR)));
        let operator = Share::of(at(sizes::OPERATOR));
        let single = |name| Wanted { name, replicas: 1, share: operator };
        let mut parts = vec![prometheus, single("the operator"), single("kube-state-metrics")];
        parts.extend(
            [
                sizes::ALERTMANAGER,
                sizes::QUERY,
                sizes::QUERY_FRONTEND,
                sizes::STORE_GATEWAY,
                sizes::COMPACTOR,
                sizes::RULER,
                sizes::BUCKETWEB,
                sizes::GRAFANA,
            ]
            .map(wanted),
        );
        // What is hard to place is placed first.
        parts.sort_by_key(|part| std::cmp::Reverse((part.share.memory, part.share.cpu)));
        Self {
            parts,
            everywhere: Share::of(at(sizes::NODE_EXPORTER)),
            selector: cluster.placement.node_selector.clone(),
            repelled: cluster.placement.tolerations.is_empty(),
        }
    }
}

/// Places each part where most is free, and tells those that find no place.
pub(super) fn judge(room: &Room, nodes: &[&Value], others: &[Pod<'_>], kubectl: &Kubectl) -> Line {
    let usable: Vec<&&Value> = nodes.iter().filter(|node| room.takes(node)).collect();
    let mut free: Vec<Share> = usable
        .iter()
        .map(|node| {
            let name = node["metadata"]["name"].as_str().unwrap_or_default();
            let requested = others.iter().filter(|pod| pod.node == name).map(Share::requested);
            let taken = requested.fold(room.everywhere, Share::and);
            Share::allocatable(node).without(taken)
        })
        .collect();
    let mut unplaced: Vec<String> = Vec::new();
    for part in &room.parts {
        let left = part.replicas - place(part, &mut free);
        if left > 0 {
            unplaced.push(format!(
                "\n{left} of {} {}, each {}",
                part.replicas,
                part.name,
                part.share.told()
            ));
        }
    }
    if unplaced.is_empty() {
        return Line::passed(
            "room",
            format!("{} have room for everything", count(usable.len(), "node")),
        );
    }
    Line::warning(
        "room",
        Id::NoRoom,
        format!(
            "of {}, {} may be used, and {} no room for:{}",
            count(nodes.len(), "node"),
            usable.len(),
            if usable.len() == 1 { "has" } else { "have" },
            unplaced.concat()
        ),
        format!(
            "`{}` shows what is requested of each; more or larger nodes, or an autoscaler that makes them",
            kubectl.by_hand(&["describe", "nodes"])
        ),
    )
}

/// Takes a part's shares off different nodes, and returns how many replicas found one.
fn place(part: &Wanted, free: &mut [Share]) -> usize {
    let mut order: Vec<usize> = (0..free.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse((free[*at].memory, free[*at].cpu)));
    let fitting = order.into_iter().filter(|at| free[*at].holds(part.share));
    let chosen: Vec<usize> = fitting.take(part.replicas).collect();
    for at in &chosen {
        free[*at] = free[*at].without(part.share);
    }
    chosen.len()
}

impl Room {
    /// Whether the scheduler would think of a node at all.
    fn takes(&self, node: &Value) -> bool {
        let labels = &node["metadata"]["labels"];
        let selected = self.selector.iter().all(|(key, value)| labels[key] == *value);
        let taints = node["spec"]["taints"].as_array().into_iter().flatten();
        let mut repelling = taints.filter(|taint| taint["effect"] != "PreferNoSchedule");
        selected
            && node["spec"]["unschedulable"] != true
            && !(self.repelled && repelling.next().is_some())
    }
}

impl Share {
    fn of(figures: Figures) -> Self {
        Self { cpu: figures.cpu.0.into(), memory: i64::from(figures.memory.0) << 20 }
    }

    fn allocatable(node: &Value) -> Self {
        let quantity = |name: &str| {
            let text = node["status"]["allocatable"][name].as_str().unwrap_or_default();
            thousandths(text).unwrap_or_default()
        };
        Self { cpu: quantity("cpu"), memory: quantity("memory") / 1000 }
    }

    fn requested(pod: &Pod<'_>) -> Self {
        let sum = |all: &str| all.split_whitespace().filter_map(thousandths).sum::<i64>();
        Self { cpu: sum(pod.cpu), memory: sum(pod.memory) / 1000 }
    }

    fn and(self, other: Self) -> Self {
        Self { cpu: self.cpu + other.cpu, memory: self.memory + other.memory }
    }

    fn without(self, other: Self) -> Self {
        Self { cpu: self.cpu - other.cpu, memory: self.memory - other.memory }
    }

    fn holds(self, other: Self) -> bool {
        self.cpu >= other.cpu && self.memory >= other.memory
    }

    fn told(self) -> String {
        format!("{}m CPU, {} MiB", self.cpu, self.memory >> 20)
    }
}
