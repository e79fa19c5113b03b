//! Every image that okemon runs, and where it is pulled from.
//!
//! The charts' own images are not used: those of Bitnami are gone from their registry. These are the
//! projects' own, in the versions that the pinned charts were made for. Another version of a chart
//! keeps them; a values file of the user's own changes them.

use std::fmt;

use serde::Serialize;

use crate::config::Charts;

/// An image in the words that every chart here uses for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Image {
    pub registry: String,
    pub repository: &'static str,
    pub tag: &'static str,
}

/// The images by what runs them; charts' templates know them by these names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Images {
    pub operator: Image,
    /// Runs beside Prometheus and Alertmanager; the operator puts it there.
    pub config_reloader: Image,
    pub prometheus: Image,
    pub alertmanager: Image,
    pub node_exporter: Image,
    pub kube_state_metrics: Image,
    /// Every part of Thanos, the sidecar included.
    pub thanos: Image,
    pub grafana: Image,
    /// Loads dashboards into Grafana.
    pub dashboard_sidecar: Image,
}

/// What differs between the families of charts.
struct Tags {
    operator: &'static str,
    prometheus: &'static str,
    alertmanager: &'static str,
    node_exporter: &'static str,
    kube_state_metrics: &'static str,
    thanos: &'static str,
}

const BITNAMI: Tags = Tags {
    operator: "v0.85.0",
    prometheus: "v3.5.0",
    alertmanager: "v0.28.1",
    node_exporter: "v1.9.1",
    kube_state_metrics: "v2.16.0",
    thanos: "v0.39.2",
};

const COMMUNITY: Tags = Tags {
    operator: "v0.93.1",
    prometheus: "v3.14.0-distroless",
    alertmanager: "v0.34.0",
    node_exporter: "v1.12.1-distroless",
    kube_state_metrics: "v2.20.0",
    thanos: "v0.42.4",
};

impl Images {
    /// The images that the pinned charts were made for, as `mirror` holds them: the registry is its
    /// name, the repository's path is kept. Without a mirror, the projects' own registries.
    pub fn new(charts: Charts, mirror: Option<&str>) -> Self {
        let image = |registry: &str, repository, tag| Image {
            registry: mirror.unwrap_or(registry).to_owned(),
            repository,
            tag,
        };
        let tags = match charts {
            Charts::Bitnami => BITNAMI,
            Charts::Community => COMMUNITY,
        };
        Self {
            operator: image("quay.io", "prometheus-operator/prometheus-operator", tags.operator),
            config_reloader: image(
                "quay.io",
                "prometheus-operator/prometheus-config-reloader",
                tags.operator,
            ),
            prometheus: image("quay.io", "prometheus/prometheus", tags.prometheus),
            alertmanager: image("quay.io", "prometheus/alertmanager", tags.alertmanager),
            node_exporter: image("quay.io", "prometheus/node-exporter", tags.node_exporter),
            kube_state_metrics: image(
                "registry.k8s.io",
                "kube-state-metrics/kube-state-metrics",
                tags.kube_state_metrics,
            ),
            thanos: image("quay.io", "thanos/thanos", tags.thanos),
            grafana: image("docker.io", "grafana/grafana", "13.2.0"),
            dashboard_sidecar: image("quay.io", "kiwigrid/k8s-sidecar", "2.10.1"),
        }
    }

    /// All of them, to list or to mirror.
    pub fn all(&self) -> [&Image; 9] {
        [
            &self.operator,
            &self.config_reloader,
            &self.prometheus,
            &self.alertmanager,
            &self.node_exporter,
            &self.kube_state_metrics,
            &self.thanos,
            &self.grafana,
            &self.dashboard_sidecar,
        ]
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.registry, self.repository, self.tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_come_from_their_projects() {
        insta::assert_snapshot!(lines(&Images::new(Charts::Bitnami, None)), @r#"
        quay.io/prometheus-operator/prometheus-operator:v0.85.0
        quay.io/prometheus-operator/prometheus-config-reloader:v0.85.0
        quay.io/prometheus/prometheus:v3.5.0
        quay.io/prometheus/alertmanager:v0.28.1
        quay.io/prometheus/node-exporter:v1.9.1
        registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.16.0
        quay.io/thanos/thanos:v0.39.2
        docker.io/grafana/grafana:13.2.0
        quay.io/kiwigrid/k8s-sidecar:2.10.1
        "#);
    }

    #[test]
    fn a_mirror_replaces_the_registry_and_keeps_the_path() {
        insta::assert_snapshot!(lines(&Images::new(Charts::Bitnami, Some("sin.ocir.io/mytenancy"))), @r#"
        sin.ocir.io/mytenancy/prometheus-operator/prometheus-operator:v0.85.0
        sin.ocir.io/mytenancy/prometheus-operator/prometheus-config-reloader:v0.85.0
        sin.ocir.io/mytenancy/prometheus/prometheus:v3.5.0
        sin.ocir.io/mytenancy/prometheus/alertmanager:v0.28.1
        sin.ocir.io/mytenancy/prometheus/node-exporter:v1.9.1
        sin.ocir.io/mytenancy/kube-state-metrics/kube-state-metrics:v2.16.0
        sin.ocir.io/mytenancy/thanos/thanos:v0.39.2
        sin.ocir.io/mytenancy/grafana/grafana:13.2.0
        sin.ocir.io/mytenancy/kiwigrid/k8s-sidecar:2.10.1
        "#);
    }

    fn lines(images: &Images) -> String {
        images.all().map(ToString::to_string).join("\n")
    }
}
