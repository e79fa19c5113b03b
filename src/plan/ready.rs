//! Everything that was installed runs, and what keeps it from running is told.

use super::step::{Answer, Call, Decision};
use crate::config::{Cluster, Config};
use crate::diagnose::catalogue::Id;
use crate::diagnose::{self, Diagnosis, Finding, Scope, Severity, Unheard};
use crate::fail::{Exit, Fail};
use crate::observe::kubernetes::{KINDS, Log, OPERATED_KINDS, Snapshot};
use crate::tools::cmd::Cmd;
use crate::tools::failure;
use crate::tools::kubectl::{self, Kubectl};
use crate::tools::output::Output;

/// How many containers' logs one look may ask for: what many have in common, a few will tell.
const LOGS: usize = 3;

/// The workloads of one cluster's releases.
#[derive(Clone, Debug)]
pub struct Ready {
    kubectl: Kubectl,
    context: String,
    namespace: String,
    /// Whether the Service `thanos-storeapi` must have its address.
    storeapi: bool,
    pub releases: Vec<&'static str>,
}

impl Ready {
    pub fn new(config: &Config, cluster: &Cluster, kubectl: Kubectl) -> Self {
        Self {
            kubectl,
            context: cluster.context.clone(),
            namespace: config.namespace.to_string(),
            storeapi: cluster.load_balancer.is_some(),
            releases: super::install::RELEASES.into(),
        }
    }

    /// What is there; then the last words of containers that ended without any.
    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        let Some((look, heard)) = so_far.split_first() else {
            return Some(Call::Cmd(self.look()));
        };
        let snapshot = Snapshot::parse(&look.output().stdout).ok()?;
        let unheard = diagnose::diagnose(&snapshot, &self.scope()).unheard;
        let next = unheard.get(heard.len()).filter(|_| heard.len() < LOGS)?;
        Some(Call::Optional(self.kubectl.logs(&next.of.pod, &next.of.container, next.replaced)))
    }

    pub fn decide(&self, answers: &[Answer]) -> Decision {
        let Some((look, heard)) = answers.split_first() else { return Decision::unchanged() };
        let (_, diagnosis) = match self.diagnosed(&look.output(), heard) {
            Ok(seen) => seen,
            Err(fail) => return self.unseen(fail),
        };
        if diagnosis.ready < diagnosis.of {
            return Decision::Wait(diagnosis);
        }
        let addresses =
            diagnosis.addresses.iter().map(|(name, ip)| format!("; {name} answers at {ip}"));
        let note = format!(
            "{} of {} ready{}",
            diagnosis.ready,
            diagnosis.of,
            addresses.collect::<String>()
        );
        Decision::Unchanged { note: Some(note) }
    }

    /// What there is, and what is wrong with it. Where the cluster does not even know the operator's
    /// kinds, nothing is.
    ///
    /// # Errors
    /// When the cluster cannot be seen.
    pub fn seen(&self, answers: &[Answer]) -> Result<(Snapshot, Diagnosis), Fail> {
        let (look, heard) = answers
            .split_first()
            .map_or_else(Default::default, |(look, heard)| (look.output(), heard));
        if look.code != Some(0) && kubectl::says_not_found(&look.stderr) {
            return Ok(Default::default());
        }
        self.diagnosed(&look, heard)
    }

    fn diagnosed(&self, look: &Output, heard: &[Answer]) -> Result<(Snapshot, Diagnosis), Fail> {
        if look.code != Some(0) {
            return Err(failure::explain(&self.look(), look));
        }
        let mut snapshot = Snapshot::parse(&look.stdout)
            .map_err(|error| Fail::new(Exit::Failed, format!("{error:#}")))?;
        let mut diagnosis = diagnose::diagnose(&snapshot, &self.scope());
        if !heard.is_empty() {
            let unheard = diagnosis.unheard.into_iter().zip(heard);
            let log = |(of, log): (Unheard, &Answer)| Log { of: of.of, text: log.output().stdout };
            snapshot.logs = unheard.map(log).collect();
            diagnosis = diagnose::diagnose(&snapshot, &self.scope());
        }
        Ok((snapshot, diagnosis))
    }

    /// How a person waits for the same, without being told why it takes long.
    pub fn by_hand(&self) -> Vec<Cmd> {
        let operated = OPERATED_KINDS;
        let conditions = ["wait", operated, "--all", "--for=condition=Available", "--timeout=20m"];
        let wait = self.kubectl.cmd(conditions);
        let instances = format!("app.kubernetes.io/instance in ({})", self.releases.join(","));
        let rollout = |kind: &str| {
            let status = ["rollout", "status", kind, "--selector", &instances, "--timeout=20m"];
            self.kubectl.cmd(status)
        };
        let kinds = |release: &str| match release {
            "prometheus" => &["deployment", "daemonset"][..],
            "thanos" => &["deployment", "statefulset"],
            _ => &["deployment"],
        };
        let mut all: Vec<&str> =
            self.releases.iter().flat_map(|name| kinds(name)).copied().collect();
        all.sort_unstable();
        all.dedup();
        let waits = self.releases.contains(&"prometheus").then_some(wait);
        waits.into_iter().chain(all.into_iter().map(rollout)).collect()
    }

    fn scope(&self) -> Scope<'_> {
        let storeapi = self.storeapi && self.releases.contains(&"thanos");
        Scope {
            releases: &self.releases,
            services: if storeapi { &["thanos-storeapi"] } else { &[] },
            context: &self.context,
            namespace: &self.namespace,
        }
    }

    fn look(&self) -> Cmd {
        let operated = self.releases.contains(&"prometheus").then_some(OPERATED_KINDS);
        let kinds: Vec<&str> = [KINDS].into_iter().chain(operated).collect();
        self.kubectl.cmd(["get", &kinds.join(","), "-o", "json"])
    }

    /// What to do while the cluster cannot be seen: all that may pass by itself is waited for, with
    /// the patience that there is for everything.
    pub fn unseen(&self, fail: Fail) -> Decision {
        if matches!(fail.exit, Exit::Denied | Exit::Config | Exit::Interrupted) {
            return Decision::Refuse(fail);
        }
        // However it fails, it is the same that is waited for.
        let reason = format!("it cannot be seen: {}", fail.error);
        let object = format!("context/{}", self.context);
        let (id, severity) = (Id::ClusterUnseen, Severity::Starting);
        let finding = Finding { id, object, reason, hint: fail.hint, severity };
        Decision::Wait(Diagnosis { of: 1, findings: vec![finding], ..Diagnosis::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Intent;
    use crate::plan::step::Part;
    use crate::plan::testing::{plan, said};

    fn ready(part: Part) -> Ready {
        let plan = plan().part(part);
        let mut intents = plan.steps().map(|step| &step.intent);
        let found = intents.find_map(|intent| match intent {
            Intent::Ready(ready) => Some(ready.clone()),
            _ => None,
        });
        found.unwrap()
    }

    #[test]
    fn only_where_prometheus_is_waited_for_the_operators_kinds_are_asked_for() {
        let asks = |part| ready(part).ask(&[]).unwrap().to_string().contains(OPERATED_KINDS);
        assert_eq!([Part::Prometheus, Part::Thanos, Part::Grafana].map(asks), [true, false, false]);
    }

    /// A StatefulSet of the release `grafana`, and its pod, whose container ends again and again.
    const CRASHED: &str = r#"{"kind": "List", "items": [
        {"kind": "StatefulSet", "metadata": {"name": "grafana",
            "annotations": {"meta.helm.sh/release-name": "grafana"}},
         "spec": {"replicas": 1, "selector": {}, "serviceName": "", "template": {}},
         "status": {"replicas": 1, "updateRevision": "r", "currentRevision": "r"}},
        {"kind": "Pod", "metadata": {"name": "grafana-0", "labels": {"controller-revision-hash": "r"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "grafana",
                "uid": "s", "controller": true}]},
         "status": {"phase": "Running", "containerStatuses": [{
            "name": "grafana", "image": "i", "imageID": "", "ready": false, "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}}]}"#;

    #[test]
    fn the_log_of_a_container_that_ended_without_a_word_is_asked_for_and_told() {
        let (ready, mut answers) = (ready(Part::Grafana), vec![said(CRASHED)]);
        assert_eq!(
            ready.ask(&answers).unwrap().to_string(),
            "kubectl --context oke-sin --namespace monitoring logs grafana-0 --container grafana --tail 5 --previous"
        );
        answers.push(said("starting\nerror: no such flag\n"));
        assert_eq!(ready.ask(&answers), None);
        let Decision::Wait(diagnosis) = ready.decide(&answers) else { panic!("not waited for") };
        assert_eq!(
            diagnosis.findings[0].reason,
            "CrashLoopBackOff: grafana ended with 1 (Error), restarted 3 times: starting error: no such flag"
        );
    }

    #[test]
    fn a_cluster_that_does_not_answer_now_is_what_is_waited_for() {
        let told = |stdout: &str, stderr: &str| {
            let code = Some(i32::from(!stderr.is_empty()));
            let output = Output { code, stdout: stdout.to_owned(), stderr: stderr.to_owned() };
            match ready(Part::Grafana).decide(&[Answer::Output(output)]) {
                Decision::Wait(diagnosis) => {
                    let Finding { object, reason, .. } = &diagnosis.findings[0];
                    let (_, why) = reason.rsplit_once("json`: ").unwrap_or(("", reason));
                    format!("{} of {}: {object}: {why}", diagnosis.ready, diagnosis.of)
                }
                Decision::Refuse(fail) => format!("refused ({:?})", fail.exit),
                other => panic!("{other:?}"),
            }
        };
        let all = [
            told("", "Error from server: etcdserver: request timed out"),
            told("", "The connection to the server 10.0.0.1:6443 was refused: connection refused"),
            told("", "Unable to connect to the server: EOF"),
            told("<html>", ""),
            told("", "error: You must be logged in to the server (Unauthorized)"),
            told("", "error: context \"oke-sin\" does not exist"),
        ];
        insta::assert_snapshot!(all.join("\n"), @"
        0 of 1: context/oke-sin: Error from server: etcdserver: request timed out
        0 of 1: context/oke-sin: The connection to the server 10.0.0.1:6443 was refused: connection refused
        0 of 1: context/oke-sin: Unable to connect to the server: EOF
        0 of 1: context/oke-sin: it cannot be seen: reading what kubectl printed: expected value at line 1 column 1
        refused (Denied)
        refused (Config)
        ");
    }
}
