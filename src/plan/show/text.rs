//! A plan as a person reads it: every command, in the order of a run, with all that it is sent.

use std::fmt::Write as _;

use anyhow::Result;

use crate::plan::{Decision, Effect, Intent, Plan, Step, StepId};
use crate::tools::cmd::{Cmd, Stdin};

/// The whole plan, as if nothing were there yet.
///
/// # Errors
/// When a template cannot be rendered.
pub fn text(plan: &Plan) -> Result<String> {
    let mut text = String::new();
    for stage in &plan.stages {
        for step in stage.lanes.iter().flat_map(|lane| &lane.steps) {
            text.push_str(&step_text(step)?);
        }
    }
    Ok(text)
}

/// What is about to be done: what was decided after a look, and what nobody has to look for.
///
/// # Errors
/// When a template cannot be rendered.
pub fn decided(plan: &Plan, decisions: &[(StepId, Decision)]) -> Result<String> {
    let mut text = String::new();
    for step in plan.steps() {
        match decisions.iter().find(|(id, _)| *id == step.id) {
            Some((id, Decision::Do { deed, details, effects, .. })) => {
                let _ = writeln!(text, "# {id}: {deed}");
                text.push_str(&acts(details, effects)?);
                text.push('\n');
            }
            Some(_) => {}
            // The lock, and the wait at the end.
            None => text.push_str(&step_text(step)?),
        }
    }
    Ok(text)
}

fn step_text(step: &Step) -> Result<String> {
    let mut text = format!("# {}: {}\n", step.id, step.title);
    match (&step.intent, step.intent.decide(&[])) {
        (_, Decision::Do { effects, details, .. }) => text.push_str(&acts(&details, &effects)?),
        (Intent::Lock(_), _) => {
            text.push_str("# a Lease `okemon` in the namespace: 60 s, renewed every 20 s, given back at the end\n");
        }
        (intent, _) => {
            if let Some(call) = intent.ask(&[]) {
                let _ = writeln!(text, "{call}");
            }
        }
    }
    text.push('\n');
    Ok(text)
}

/// What differs, and what is done about it.
fn acts(details: &[String], effects: &[Effect]) -> Result<String> {
    let mut text = String::new();
    // A comment ends with its line.
    for line in details.iter().flat_map(|detail| detail.lines()) {
        let _ = writeln!(text, "# {line}");
    }
    for effect in effects {
        match effect {
            Effect::Cmd(cmd) => text.push_str(&command(cmd)?),
            Effect::Until(_) | Effect::S3(_) => {
                let _ = writeln!(text, "{effect}");
            }
        }
    }
    Ok(text)
}

/// A command with its documents as a shell would be given them; secrets are notes of their names.
fn command(cmd: &Cmd) -> Result<String> {
    let Stdin::Docs(docs) = &cmd.stdin else { return Ok(format!("{cmd}\n")) };
    let mut text = format!("{} <<'EOF'\n", cmd.line());
    for doc in docs {
        if docs.len() > 1 {
            text.push_str("---\n");
        }
        text.push_str(doc.preview()?.trim_end());
        text.push('\n');
    }
    text.push_str("EOF\n");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::testing::{plan, said};

    #[test]
    fn what_was_decided_is_shown_with_all_that_is_sent_and_without_what_is_there() {
        let plan = plan();
        let live = r#"{"kind":"Secret","metadata":{"name":"thanos-objstore-config"},"data":{"objstore.yml":"b2xk"}}"#;
        let decide = |step: &Step| match (step.id.name(), &step.intent) {
            (_, Intent::Lock(_) | Intent::Ready(_)) => None,
            ("secret", intent) => {
                Some(intent.decide(&[said(live), said(&live.replace("b2xk", "bmV3"))]))
            }
            ("bucket", intent) => Some(intent.decide(&[])),
            _ => Some(Decision::unchanged()),
        };
        let decisions: Vec<_> =
            plan.steps().filter_map(|step| Some((step.id.clone(), decide(step)?))).collect();
        insta::assert_snapshot!(decided(&plan, &decisions).unwrap(), @r#"
        # sin/lock: take the lock
        # a Lease `okemon` in the namespace: 60 s, renewed every 20 s, given back at the end

        # sin/bucket: create the bucket thanos in ap-singapore-1
        # a bucket made by the S3 interface lands in the tenancy's S3 compartment, the root one unless it was changed (`oci os ns get-metadata` shows it); with the program oci and `compartment` it lands there
        printf 'user = "%s:%s"' "$OKEMON_S3_ACCESS_KEY" "$OKEMON_S3_SECRET_KEY" | curl --config - --aws-sigv4 aws:amz:ap-singapore-1:s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -X PUT https://axab.compat.objectstorage.ap-singapore-1.oraclecloud.com/thanos

        # sin/secret: store the bucket's keys in the Secret thanos-objstore-config
        # ~ Secret/thanos-objstore-config data.objstore.yml
        # ! Thanos and Prometheus are restarted, one replica after another: they read it when they start
        kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f - <<'EOF'
        # The one place of the keys: every part of Thanos reads this Secret.
        apiVersion: v1
        kind: Secret
        metadata:
          name: "thanos-objstore-config"
          namespace: "monitoring"
          labels:
            app.kubernetes.io/name: "thanos-objstore-config"
            app.kubernetes.io/part-of: okemon
            app.kubernetes.io/managed-by: okemon
          annotations:
            # A release made by hand may have made it: Helm shall not remove it with what it was made for.
            helm.sh/resource-policy: keep
            okemon/restart: pending
        type: Opaque
        stringData:
          "objstore.yml": "type: S3\nconfig:\n  bucket: \"thanos\"\n  endpoint: \"axab.compat.objectstorage.ap-singapore-1.oraclecloud.com\"\n  region: \"ap-singapore-1\"\n  access_key: \"(secret s3-access-key)\"\n  secret_key: \"(secret s3-secret-key)\"\n  insecure: false\n  signature_version2: false\n  bucket_lookup_type: path\n  part_size: 67108864\n  http_config:\n    idle_conn_timeout: 90s\n    response_header_timeout: 2m\n    insecure_skip_verify: false\n"
        EOF
        kubectl --context oke-sin --namespace monitoring rollout restart deployment,statefulset --selector 'app.kubernetes.io/name in (thanos,prometheus),app.kubernetes.io/instance in (thanos,prometheus-kube-prometheus-prometheus)'
        kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f - <<'EOF'
        # The one place of the keys: every part of Thanos reads this Secret.
        apiVersion: v1
        kind: Secret
        metadata:
          name: "thanos-objstore-config"
          namespace: "monitoring"
          labels:
            app.kubernetes.io/name: "thanos-objstore-config"
            app.kubernetes.io/part-of: okemon
            app.kubernetes.io/managed-by: okemon
          annotations:
            # A release made by hand may have made it: Helm shall not remove it with what it was made for.
            helm.sh/resource-policy: keep
        type: Opaque
        stringData:
          "objstore.yml": "type: S3\nconfig:\n  bucket: \"thanos\"\n  endpoint: \"axab.compat.objectstorage.ap-singapore-1.oraclecloud.com\"\n  region: \"ap-singapore-1\"\n  access_key: \"(secret s3-access-key)\"\n  secret_key: \"(secret s3-secret-key)\"\n  insecure: false\n  signature_version2: false\n  bucket_lookup_type: path\n  part_size: 67108864\n  http_config:\n    idle_conn_timeout: 90s\n    response_header_timeout: 2m\n    insecure_skip_verify: false\n"
        EOF

        # sin/ready: wait until everything runs
        kubectl --context oke-sin --namespace monitoring get deployments.apps,statefulsets.apps,daemonsets.apps,jobs.batch,pods,services,persistentvolumeclaims,events,prometheuses.monitoring.coreos.com,alertmanagers.monitoring.coreos.com -o json
        "#);
    }
}
