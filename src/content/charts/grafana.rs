//! The Grafana community's chart: version, names of what it makes, values.

use serde_json::json;

use super::{
    Chart, Keeps, QUERY_FRONTEND, Release, STORAGE_CLASS, Volume, host, placement, verbatim,
};
use crate::config::{Cluster, Config};
use crate::content::dashboards::{DASHBOARD_LABEL, DASHBOARD_LABEL_VALUE};
use crate::content::doc::Doc;
use crate::content::images::Images;
use crate::content::objects::{GRAFANA_ADMIN_SECRET, GRAFANA_PASSWORD_KEY, GRAFANA_USER_KEY};
use crate::content::sizes;

/// The Service that the release `grafana` makes, port 80.
pub const GRAFANA: &str = "grafana";

/// The data source's id, which the dashboards name.
pub const DATASOURCE_UID: &str = "thanos";

/// Grafana, with Thanos as its data source.
pub fn grafana(config: &Config, cluster: &Cluster) -> Release {
    let thanos = host(config, QUERY_FRONTEND);
    let data = json!({
        "namespace": config.namespace,
        "storage_class": STORAGE_CLASS,
        "mirror": config.image_registry,
        "pull_secrets": config.image_pull_secrets,
        "images": Images::new(config.charts, config.image_registry.as_deref()),
        "placement": placement(cluster),
        "sizes": {"grafana": sizes::GRAFANA.at(cluster.size)},
        "admin": {
            "secret": GRAFANA_ADMIN_SECRET,
            "user_key": GRAFANA_USER_KEY,
            "password_key": GRAFANA_PASSWORD_KEY,
        },
        "datasource": {"uid": DATASOURCE_UID, "url": format!("http://{thanos}:9090")},
        "dashboards": {"label": DASHBOARD_LABEL, "label_value": DASHBOARD_LABEL_VALUE},
        // The chart runs every setting of grafana.ini as a template.
        "root_url": config.grafana.url.as_deref().map(verbatim),
    });
    Release {
        name: "grafana",
        chart: Chart::new(
            "grafana",
            "oci://ghcr.io/grafana-community/helm-charts/grafana",
            "12.11.1",
            config.chart_versions.grafana.as_ref(),
        ),
        values: Doc::new("values/grafana.yaml.j2", data),
        values_file: cluster.values.grafana.clone(),
        identity: None,
        history: &[],
        volumes: vec![Volume {
            size: &["persistence", "size"],
            claims: "grafana",
            keeps: Some(Keeps {
                object: "Deployment/grafana",
                what: "dashboards, data sources and users that were made by hand",
            }),
            stops: None,
        }],
        inline_keys: None,
    }
}
