//! Values of grafana.

use serde_json::json;

use super::*;

#[test]
fn grafana_is_the_communitys_with_a_login_and_a_volume_that_last() {
    assert!(grafana(&config(), &cluster()).chart.reference.contains("grafana-community"));
    assert_set(
        &grafana_values(),
        [
            (
                "admin",
                json!({
                    "existingSecret": "okemon-grafana-admin",
                    "userKey": "admin-user",
                    "passwordKey": "admin-password",
                }),
            ),
            ("deploymentStrategy.type", json!("Recreate")),
            ("initChownData.enabled", json!(false)),
            ("rbac.namespaced", json!(true)),
        ],
    );
}

#[test]
fn grafana_asks_thanos_and_loads_dashboards_by_label() {
    let values = grafana_values();
    assert_eq!(
        values["datasources"],
        json!({"datasources.yaml": {"apiVersion": 1, "datasources": [{
            "name": "Thanos",
            "uid": "thanos",
            "type": "prometheus",
            "access": "proxy",
            "isDefault": true,
            "url": "http://thanos-query-frontend.monitoring.svc.cluster.local:9090",
            "jsonData": {
                "prometheusType": "Thanos",
                "prometheusVersion": "0.31.0",
                "timeInterval": "30s",
                "httpMethod": "POST",
            },
        }]}})
    );
    assert_set(
        &values,
        [(
            "sidecar.dashboards",
            json!({
                "enabled": true,
                "label": "grafana_dashboard",
                "labelValue": "1",
                "searchNamespace": "monitoring",
                "resource": "configmap",
            }),
        )],
    );
    assert_eq!(values.get("grafana.ini"), None);
}

#[test]
fn grafanas_address_is_not_run_as_a_template() {
    let mut config = config();
    config.grafana.url = Some("https://grafana.example.com/{{ x }}".to_owned());
    let values = read(&grafana(&config, &cluster()).values);
    let root_url = values.pointer("/grafana.ini/server/root_url").unwrap();
    assert_eq!(*root_url, json!("https://grafana.example.com/{{`{{`}} x }}"));
}
