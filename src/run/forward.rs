//! Asks pods over connections that the API server forwards, as `kubectl port-forward` makes them.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::runner::Runner;
use crate::config::names::ClusterName;
use crate::diagnose::Diagnosis;
use crate::fail::Fail;
use crate::observe::kubernetes::Snapshot;
use crate::plan::ready::Ready;
use crate::tools::http::{Login, Method, Request};
use crate::tools::kubectl::{self, Kubectl};
use crate::verify::{Question, Reply};

impl Runner {
    /// What there is of an install, and what is wrong with it.
    ///
    /// # Errors
    /// When the cluster cannot be seen.
    pub async fn snapshot(
        &self,
        ready: &Ready,
        cluster: &ClusterName,
    ) -> Result<(Snapshot, Diagnosis), Fail> {
        let ask = |so_far: &[_]| ready.ask(so_far);
        ready.seen(&self.answers(ask, Some(cluster)).await?)
    }

    /// Asks every question, the pods side by side, and ends all connections again.
    pub async fn ask_pods(
        self: &Arc<Self>,
        kubectl: &Kubectl,
        questions: Vec<Question>,
        login: Option<&Login>,
    ) -> Vec<(Question, Reply)> {
        let mut pods: BTreeMap<String, Vec<(usize, Question)>> = BTreeMap::new();
        for (at, question) in questions.into_iter().enumerate() {
            pods.entry(question.pod.clone()).or_default().push((at, question));
        }
        let permits = Arc::new(Semaphore::new(self.jobs));
        let mut at_work = JoinSet::new();
        for (pod, questions) in pods {
            let (runner, kubectl, login) = (Arc::clone(self), kubectl.clone(), login.cloned());
            let permits = Arc::clone(&permits);
            at_work.spawn(async move {
                let _permit = permits.acquire_owned().await;
                runner.ask_pod(&kubectl, &pod, questions, login.as_ref()).await
            });
        }
        let mut replies = Vec::new();
        while let Some(joined) = at_work.join_next().await {
            replies.extend(joined.unwrap_or_else(|error| resume_unwind(error.into_panic())));
        }
        replies.sort_by_key(|(at, _, _)| *at);
        replies.into_iter().map(|(_, question, reply)| (question, reply)).collect()
    }

    async fn ask_pod(
        &self,
        kubectl: &Kubectl,
        pod: &str,
        questions: Vec<(usize, Question)>,
        login: Option<&Login>,
    ) -> Vec<(usize, Question, Reply)> {
        let ports: BTreeSet<u16> = questions.iter().map(|(_, question)| question.port).collect();
        let cmd = kubectl.port_forward(pod, &ports);
        let complete = |said: &str| kubectl::forwarded(said).len() == ports.len();
        let held = match self.exec.hold(&cmd, complete, &self.stop).await {
            Ok(held) => held,
            Err(failure) => {
                let why = Fail::from(failure).error;
                let told = |(at, question)| (at, question, Err(why.clone()));
                return questions.into_iter().map(told).collect();
            }
        };
        let local = kubectl::forwarded(held.said());
        let mut replies = Vec::new();
        for (at, question) in questions {
            let reply = match local.get(&question.port) {
                Some(port) => self.get(*port, &question, login).await,
                None => Err("no connection to it was forwarded".to_owned()),
            };
            replies.push((at, question, reply));
        }
        replies
    }

    async fn get(&self, port: u16, question: &Question, login: Option<&Login>) -> Reply {
        let url = format!("http://127.0.0.1:{port}{}", question.topic.path());
        let login = login.filter(|_| question.topic.wants_login()).cloned();
        let request = Request { method: Method::Get, url: url.into(), login };
        tokio::select! {
            answer = super::http::send(request) => {
                answer.map_err(|unreachable| unreachable.why.to_string())
            }
            () = self.stop.asked() => Err("interrupted".to_owned()),
        }
    }
}
