//! Everything that was installed runs, and what keeps it from running is told.

use super::step::{Answer, Call, Decision};
use crate::config::{Cluster, Config};
use crate::diagnose::{self, Diagnosis, Finding, Scope, Severity};
use crate::fail::{Exit, Fail};
use crate::observe::kubernetes::{KINDS, OPERATED_KINDS, Snapshot};
use crate::tools::failure;
use crate::tools::kubectl::{self, Kubectl};

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

    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        so_far.is_empty().then(|| Call::Cmd(self.look()))
    }

    pub fn decide(&self, answers: &[Answer]) -> Decision {
        let Some(answer) = answers.first() else { return Decision::unchanged() };
        let output = answer.output();
        if output.code != Some(0) {
            let fail = failure::explain(&self.look(), &output);
            if kubectl::says_try_again(&output.stderr) {
                return Decision::Wait(self.unseen(fail.error));
            }
            return Decision::Refuse(fail);
        }
        let snapshot = match Snapshot::parse(&output.stdout) {
            Ok(snapshot) => snapshot,
            Err(error) => return Decision::Refuse(Fail::new(Exit::Failed, format!("{error:#}"))),
        };
        let scope = Scope {
            releases: &self.releases,
            services: if self.storeapi && self.releases.contains(&"thanos") {
                &["thanos-storeapi"]
            } else {
                &[]
            },
            context: &self.context,
            namespace: &self.namespace,
        };
        let diagnosis = diagnose::diagnose(&snapshot, &scope);
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

    fn look(&self) -> crate::tools::cmd::Cmd {
        let operated = self.releases.contains(&"prometheus").then_some(OPERATED_KINDS);
        let kinds: Vec<&str> = [KINDS].into_iter().chain(operated).collect();
        self.kubectl.cmd(["get", &kinds.join(","), "-o", "json"])
    }

    /// What is known while the cluster does not answer.
    fn unseen(&self, reason: String) -> Diagnosis {
        let object = format!("context/{}", self.context);
        let finding = Finding { object, reason, hint: None, severity: Severity::Starting };
        Diagnosis { of: 1, findings: vec![finding], ..Diagnosis::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Intent;
    use crate::plan::step::Part;
    use crate::plan::testing::plan;
    use crate::tools::output::Output;

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

    #[test]
    fn a_cluster_that_does_not_answer_now_is_what_is_waited_for() {
        let stderr = "Error from server: etcdserver: request timed out".to_owned();
        let output = Output { code: Some(1), stderr, ..Output::default() };
        let Decision::Wait(diagnosis) = ready(Part::Grafana).decide(&[Answer::Output(output)])
        else {
            panic!("not waited for")
        };
        assert_eq!((diagnosis.ready, diagnosis.of), (0, 1));
        assert!(diagnosis.findings[0].reason.contains("etcdserver: request timed out"));
    }
}
