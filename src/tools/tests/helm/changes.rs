//! What Helm says to an upgrade and to a rollback.

use insta::assert_snapshot;

use super::told;

#[test]
fn an_upgrade() {
    assert_snapshot!(told("upgrade"), @r#"
    upgrade-after-a-rollback-that-failed
      done
    upgrade-again
      done
    upgrade-anew
      done
    upgrade-of-a-pending-install
      Busy: Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress
      hint: `helm history RELEASE` shows which revision is pending; run this again when that Helm has ended
    upgrade-of-a-pending-rollback
      Busy: Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress
      hint: `helm history RELEASE` shows which revision is pending; run this again when that Helm has ended
    upgrade-of-a-pending-upgrade
      Busy: Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress
      hint: `helm history RELEASE` shows which revision is pending; run this again when that Helm has ended
    upgrade-of-a-release-that-failed
      done
    upgrade-of-a-release-that-is-uninstalling
      Refused: Error: UPGRADE FAILED: "thanos" has no deployed releases
      hint: `helm history RELEASE` shows how it came to that; `helm uninstall RELEASE` ends a removal that was begun, then run this again
    upgrade-of-a-release-that-was-uninstalled-but-kept
      done
    "#);
}

#[test]
fn values_that_are_wrong() {
    assert_snapshot!(told("values"), @r#"
    values-that-are-invalid
      3.16.4 3.19.0
        Config: Error: 1 error occurred:
        	* Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
        hint: `okemon plan` shows what is sent; mend what leads to it in okemon.yaml, or in your own values file
      4.1.4
        Config: Error: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
        hint: `okemon plan` shows what is sent; mend what leads to it in okemon.yaml, or in your own values file
      4.3.1
        Config: Error: server-side apply failed for object monitoring/thanos-storeapi /v1, Kind=Service: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
        hint: `okemon plan` shows what is sent; mend what leads to it in okemon.yaml, or in your own values file
    values-that-make-no-yaml
      Config: Error: YAML parse error on thanos/templates/all.yaml: error converting YAML to JSON: yaml: mapping values are not allowed in this context
      hint: `okemon plan` shows the values that are sent; mend your own values file
    values-that-the-chart-refuses
      Config: Error: execution error at (thanos/templates/all.yaml:1:27): values are wrong: no example
      hint: `okemon plan` shows the values that are sent; mend your own values file
    values-that-the-schema-refuses
      3.16.4
        Config: Error: values don't meet the specifications of the schema(s) in the following chart(s):
        thanos:
        - refuse: Invalid type. Expected: string, given: integer
        hint: `okemon plan` shows the values that are sent; mend your own values file
      3.19.0 4.1.4 4.3.1
        Config: Error: values don't meet the specifications of the schema(s) in the following chart(s):
        thanos:
        - at '/refuse': got number, want string
        hint: `okemon plan` shows the values that are sent; mend your own values file
    values-that-the-template-fails-on
      3.16.4 3.19.0
        Config: Error: template: thanos/templates/all.yaml:2:32: executing "thanos/templates/all.yaml" at <.Values.not.there>: nil pointer evaluating interface {}.there
        hint: `okemon plan` shows the values that are sent; mend your own values file
      4.1.4 4.3.1
        Config: Error: thanos/templates/all.yaml:2:32
          executing "thanos/templates/all.yaml" at <.Values.not.there>:
            nil pointer evaluating interface {}.there
        hint: `okemon plan` shows the values that are sent; mend your own values file
    values-with-an-unknown-field-later
      3.16.4 3.19.0
        done
      4.1.4
        Config: Error: UPGRADE FAILED: failed to create typed patch object (monitoring/settings; /v1, Kind=ConfigMap): .dada: field not declared in schema
        hint: `okemon plan` shows the values that are sent; mend your own values file
      4.3.1
        Config: Error: UPGRADE FAILED: server-side apply failed for object monitoring/settings /v1, Kind=ConfigMap: failed to create typed patch object (monitoring/settings; /v1, Kind=ConfigMap): .dada: field not declared in schema
        hint: `okemon plan` shows the values that are sent; mend your own values file
    values-with-an-unknown-field
      3.16.4 3.19.0
        done
      4.1.4
        Config: Error: failed to create typed patch object (monitoring/settings; /v1, Kind=ConfigMap): .dada: field not declared in schema
        hint: `okemon plan` shows the values that are sent; mend your own values file
      4.3.1
        Config: Error: server-side apply failed for object monitoring/settings /v1, Kind=ConfigMap: failed to create typed patch object (monitoring/settings; /v1, Kind=ConfigMap): .dada: field not declared in schema
        hint: `okemon plan` shows the values that are sent; mend your own values file
    values-with-an-unknown-kind
      Failed: Error: unable to build kubernetes objects from release manifest: resource mapping not found for name: "one" namespace: "monitoring" from "": no matches for kind "Probe" in version "monitoring.coreos.com/v1"
      ensure CRDs are installed first
      hint: `kubectl get customresourcedefinitions` shows which are there; without --skip-crds those of the chart are applied first
      says: not found, try again
    "#);
}

#[test]
fn an_upgrade_that_the_cluster_refuses() {
    assert_snapshot!(told("refused"), @r#"
    refused-for-a-field-that-another-wrote
      3.16.4 3.19.0
        done
      4.1.4 4.3.1
        Refused: Error: UPGRADE FAILED: conflict occurred while applying object monitoring/settings /v1, Kind=ConfigMap: Apply failed with 1 conflict: conflict with "kubectl": .data.key
        hint: `kubectl get --show-managed-fields -o yaml` of the object shows who else writes to it; undo that by hand, then run this again
    refused-for-a-newer-kubernetes
      Refused: Error: chart requires kubeVersion: >=1.99.0 which is incompatible with Kubernetes v1.36.2
      hint: `chartVersions` names a version of the chart that this Kubernetes can run: docs/configuration.md
    refused-for-a-webhook-that-is-not-there
      3.16.4 3.19.0
        Failed: Error: 1 error occurred:
        	* Internal error occurred: failed calling webhook "secrets.example.com": failed to call webhook: Post "https://127.0.0.1:6443/?timeout=10s": dial tcp 127.0.0.1:6443: connect: connection refused
        hint: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` shows whose it is; the API server cannot reach it
        says: try again
      4.1.4
        Failed: Error: Internal error occurred: failed calling webhook "secrets.example.com": failed to call webhook: Post "https://127.0.0.1:6443/?timeout=10s": dial tcp 127.0.0.1:6443: connect: connection refused
        hint: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` shows whose it is; the API server cannot reach it
        says: try again
      4.3.1
        Failed: Error: server-side apply failed for object monitoring/settings /v1, Kind=ConfigMap: Internal error occurred: failed calling webhook "secrets.example.com": failed to call webhook: Post "https://127.0.0.1:6443/?timeout=10s": dial tcp 127.0.0.1:6443: connect: connection refused
        hint: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` shows whose it is; the API server cannot reach it
        says: try again
    refused-for-an-immutable-address
      3.16.4 3.19.0
        Refused: Error: UPGRADE FAILED: cannot patch "thanos-storeapi" with kind Service: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: ["127.96.77.1"]: may not change once set
        hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
      4.1.4
        Refused: Error: UPGRADE FAILED: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: ["127.96.77.1"]: may not change once set
        hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
      4.3.1
        Refused: Error: UPGRADE FAILED: server-side apply failed for object monitoring/thanos-storeapi /v1, Kind=Service: Service "thanos-storeapi" is invalid: spec.clusterIPs[0]: Invalid value: ["127.96.77.1"]: may not change once set
        hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
    refused-for-an-immutable-set
      3.16.4 3.19.0
        Refused: Error: UPGRADE FAILED: cannot patch "thanos" with kind StatefulSet: StatefulSet.apps "thanos" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden
        hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
      4.1.4
        Refused: Error: UPGRADE FAILED: StatefulSet.apps "thanos" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden
        hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
      4.3.1
        Refused: Error: UPGRADE FAILED: server-side apply failed for object monitoring/thanos apps/v1, Kind=StatefulSet: StatefulSet.apps "thanos" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden
        hint: run this again: what cannot be changed in place is shown, and made anew where no data is lost by that
    refused-for-an-object-that-another-owns
      3.16.4 3.19.0
        Refused: Error: Unable to continue with install: ConfigMap "settings" in namespace "monitoring" exists and cannot be imported into the current release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; annotation validation error: missing key "meta.helm.sh/release-name": must be set to "thanos"; annotation validation error: missing key "meta.helm.sh/release-namespace": must be set to "monitoring"
        hint: `helm list --all-namespaces` shows the release that owns it; uninstall that one, or install into its namespace
      4.1.4 4.3.1
        Refused: Error: unable to continue with install: ConfigMap "settings" in namespace "monitoring" exists and cannot be imported into the current release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; annotation validation error: missing key "meta.helm.sh/release-name": must be set to "thanos"; annotation validation error: missing key "meta.helm.sh/release-namespace": must be set to "monitoring"
        hint: `helm list --all-namespaces` shows the release that owns it; uninstall that one, or install into its namespace
    refused-in-a-leaving-namespace
      Refused: Error: UPGRADE FAILED: create: failed to create: secrets "sh.helm.release.v1.thanos.v2" is forbidden: unable to create new content in namespace monitoring because it is being terminated
      hint: `kubectl get namespace` shows whether it is gone; run this again then
    refused-over-quota
      3.16.4 3.19.0
        Refused: Error: 1 error occurred:
        	* configmaps "settings" is forbidden: exceeded quota: none, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=0
        hint: `kubectl describe quota` shows what is used; raise the quota, or choose a smaller `size`
      4.1.4
        Refused: Error: configmaps "settings" is forbidden: exceeded quota: none, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=0
        hint: `kubectl describe quota` shows what is used; raise the quota, or choose a smaller `size`
      4.3.1
        Refused: Error: server-side apply failed for object monitoring/settings /v1, Kind=ConfigMap: configmaps "settings" is forbidden: exceeded quota: none, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=0
        hint: `kubectl describe quota` shows what is used; raise the quota, or choose a smaller `size`
    refused-to-somebody-limited
      Denied: Error: query: failed to query with labels: secrets is forbidden: User "limited" cannot list resource "secrets" in API group "" in the namespace "monitoring"
      hint: `kubectl auth can-i --list` shows what you may do; ask for a ClusterRole with the verb and resource named above
    refused-without-a-namespace
      Failed: Error: create: failed to create: namespaces "monitoring" not found
      no hint
    refused-without-room-for-its-record
      Refused: Error: create: failed to create: secrets "sh.helm.release.v1.thanos.v1" is forbidden: exceeded quota: none, requested: count/secrets=1, used: count/secrets=0, limited: count/secrets=0
      hint: `kubectl describe quota` shows what is used; raise the quota, or choose a smaller `size`
    "#);
}

#[test]
fn a_rollback() {
    assert_snapshot!(told("rollback"), @r#"
    rollback-of-an-upgrade-that-drops-an-object
      3.16.4 3.19.0
        Failed: Error: no ConfigMap with the name "settings" found
        no hint
      4.1.4
        Failed: Error: original object ConfigMap with the name "settings" not found
        no hint
      4.3.1
        done
    rollback-to-no-revision
      Failed: Error: release has no 7 version
      no hint
    rollback
      done
    "#);
}
