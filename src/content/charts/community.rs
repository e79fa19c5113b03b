//! The charts of prometheus-community and thanos-community.

use super::{Chart, Release, Volume, data};
use crate::config::{Cluster, Config};
use crate::content::doc::Doc;

/// The port of Alertmanager, as the operator's Service names it.
pub(super) const ALERTMANAGER_PORT: &str = "http-web";

/// kube-prometheus-stack: the operator, Prometheus with sidecars, Alertmanager, exporters.
pub(super) fn prometheus(config: &Config, cluster: &Cluster) -> Release {
    Release {
        name: "prometheus",
        chart: Chart::new(
            "kube-prometheus-stack",
            "oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack",
            "88.5.3",
            config.chart_versions.prometheus.as_ref(),
        ),
        values: Doc::new("values/community/prometheus.yaml.j2", data(config, cluster)),
        values_file: cluster.values.prometheus.clone(),
        identity: Some(&["prometheus", "prometheusSpec", "externalLabels", "cluster"]),
        history: &[],
        volumes: vec![
            Volume::of_prometheus(&[
                "prometheus",
                "prometheusSpec",
                "storageSpec",
                "volumeClaimTemplate",
                "spec",
                "resources",
                "requests",
                "storage",
            ]),
            Volume::of_alertmanager(&[
                "alertmanager",
                "alertmanagerSpec",
                "storage",
                "volumeClaimTemplate",
                "spec",
                "resources",
                "requests",
                "storage",
            ]),
        ],
        inline_keys: Some(&[
            "prometheus",
            "prometheusSpec",
            "thanos",
            "objectStorageConfig",
            "secret",
        ]),
    }
}

/// Thanos: query, query frontend, store gateway, compactor, ruler, bucketweb.
pub(super) fn thanos(config: &Config, cluster: &Cluster) -> Release {
    Release {
        name: "thanos",
        chart: Chart::new(
            "thanos",
            "oci://ghcr.io/thanos-community/helm-charts/thanos",
            "0.38.0",
            config.chart_versions.thanos.as_ref(),
        ),
        values: Doc::new("values/community/thanos.yaml.j2", data(config, cluster)),
        values_file: cluster.values.thanos.clone(),
        identity: None,
        history: &[
            &["compactor", "retention", "resolutionRaw"],
            &["compactor", "retention", "resolution5m"],
            &["compactor", "retention", "resolution1h"],
        ],
        volumes: vec![
            Volume::of_store_gateway(&["storegateway", "persistence", "size"]),
            Volume::of_compactor(&["compactor", "persistence", "size"], "data-thanos-compactor-"),
            Volume::of_ruler(&["ruler", "persistence", "size"]),
        ],
        inline_keys: Some(&["global", "objstore", "config"]),
    }
}
