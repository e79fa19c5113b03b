//! Bitnami's charts kube-prometheus and thanos.

use super::{Chart, Release, Volume, data};
use crate::config::{Cluster, Config};
use crate::content::doc::Doc;

/// The port of Alertmanager, as the operator's Service names it.
pub(super) const ALERTMANAGER_PORT: &str = "web";

/// kube-prometheus: the operator, Prometheus with sidecars, Alertmanager, exporters.
pub(super) fn prometheus(config: &Config, cluster: &Cluster) -> Release {
    Release {
        name: "prometheus",
        chart: Chart::new(
            "kube-prometheus",
            "oci://registry-1.docker.io/bitnamicharts/kube-prometheus",
            "11.3.10",
            config.chart_versions.prometheus.as_ref(),
        ),
        values: Doc::new("values/bitnami/prometheus.yaml.j2", data(config, cluster)),
        values_file: cluster.values.prometheus.clone(),
        identity: Some(&["prometheus", "externalLabels", "cluster"]),
        history: &[],
        volumes: vec![
            Volume::of_prometheus(&["prometheus", "persistence", "size"]),
            Volume::of_alertmanager(&["alertmanager", "persistence", "size"]),
        ],
        inline_keys: None,
    }
}

/// Thanos: query, query frontend, store gateway, compactor, ruler, bucketweb.
pub(super) fn thanos(config: &Config, cluster: &Cluster) -> Release {
    Release {
        name: "thanos",
        chart: Chart::new(
            "thanos",
            "oci://registry-1.docker.io/bitnamicharts/thanos",
            "17.3.1",
            config.chart_versions.thanos.as_ref(),
        ),
        values: Doc::new("values/bitnami/thanos.yaml.j2", data(config, cluster)),
        values_file: cluster.values.thanos.clone(),
        identity: None,
        history: &[
            &["compactor", "retentionResolutionRaw"],
            &["compactor", "retentionResolution5m"],
            &["compactor", "retentionResolution1h"],
        ],
        volumes: vec![
            Volume::of_store_gateway(&["storegateway", "persistence", "size"]),
            Volume::of_compactor(&["compactor", "persistence", "size"], "thanos-compactor"),
            Volume::of_ruler(&["ruler", "persistence", "size"]),
        ],
        inline_keys: Some(&["objstoreConfig"]),
    }
}
