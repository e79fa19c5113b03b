//! okemon's own dashboards: all clusters, one cluster, Thanos. Each has a variable `cluster`.

use serde_json::json;

use super::doc::Doc;
use crate::config::Config;

/// The label by which Grafana finds dashboards.
pub const DASHBOARD_LABEL: &str = "grafana_dashboard";
pub const DASHBOARD_LABEL_VALUE: &str = "1";

const DASHBOARDS: [(&str, &str); 3] = [
    ("fleet", include_str!("../../templates/dashboards/fleet.json")),
    ("cluster", include_str!("../../templates/dashboards/cluster.json")),
    ("thanos", include_str!("../../templates/dashboards/thanos.json")),
];

/// okemon's own dashboards, a `ConfigMap` each; none when they are not wanted.
pub fn dashboards(config: &Config) -> Vec<Doc> {
    if !config.grafana.dashboards {
        return Vec::new();
    }
    let document = |(name, dashboard): &(&str, &str)| {
        let data = json!({
            "namespace": config.namespace,
            "name": format!("okemon-dashboard-{name}"),
            "label": DASHBOARD_LABEL,
            "label_value": DASHBOARD_LABEL_VALUE,
            "file": format!("okemon-{name}.json"),
            "dashboard": dashboard,
        });
        Doc::new("manifests/dashboard.yaml.j2", data)
    };
    DASHBOARDS.iter().map(document).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::content::fixtures::{config, read};

    #[test]
    fn dashboards_are_found_by_their_label_and_arrive_whole() {
        for (doc, (name, text)) in dashboards(&config()).iter().zip(DASHBOARDS) {
            let object = read(doc);
            assert_eq!(object["metadata"]["name"], format!("okemon-dashboard-{name}"));
            assert_eq!(object["metadata"]["labels"]["grafana_dashboard"], "1");
            assert_eq!(object["data"], json!({ format!("okemon-{name}.json"): text }));
        }
    }

    #[test]
    fn dashboards_that_are_not_wanted_are_not_made() {
        let mut config = config();
        config.grafana.dashboards = false;
        assert_eq!(dashboards(&config), []);
    }

    #[test]
    fn every_selector_of_a_dashboard_asks_for_the_chosen_cluster() {
        for (name, text) in DASHBOARDS {
            let dashboard: Value = serde_json::from_str(text).unwrap();
            assert_eq!(dashboard["uid"], format!("okemon-{name}"));
            let variable = &dashboard["templating"]["list"][0];
            assert_eq!(variable["query"]["query"], "label_values(up, cluster)");
            for panel in dashboard["panels"].as_array().unwrap() {
                if panel["type"] == "row" {
                    continue;
                }
                assert_eq!(panel["datasource"]["uid"], "thanos", "{name}: {}", panel["title"]);
                for target in panel["targets"].as_array().unwrap() {
                    let query = target["expr"].as_str().unwrap();
                    let selectors = query.matches('{').count();
                    let chosen = query.matches(r#"{cluster=~"$cluster""#).count();
                    assert_eq!(selectors, chosen, "{name}: {query}");
                    assert!(chosen > 0, "{name}: {query}");
                }
            }
        }
    }

    #[test]
    fn panels_of_a_dashboard_do_not_overlap() {
        for (name, text) in DASHBOARDS {
            let dashboard: Value = serde_json::from_str(text).unwrap();
            let mut taken = std::collections::BTreeSet::new();
            for panel in dashboard["panels"].as_array().unwrap() {
                let [x, y, w, h] =
                    ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
                for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                    assert!(cell.0 < 24 && taken.insert(cell), "{name}: {}", panel["title"]);
                }
            }
        }
    }
}
