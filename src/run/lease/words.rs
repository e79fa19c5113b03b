//! What is said to the API server about the lock, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::content::doc::Doc;
use crate::fail::{Exit, Fail};
use crate::run::exec::Exec;
use crate::run::stop::Stop;
use crate::tools::failure;
use crate::tools::kubectl::Kubectl;
use crate::tools::lease::{self, Lease};
use crate::tools::output::Output;

/// How long one word to the API server about the lock may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How often something is written over a Lease that is not what we last saw of it.
const TRIES: usize = 3;
/// How long ago a holder may have been at work for what was seen meanwhile to be old: much longer
/// than a look takes and than clocks differ.
const RECENT: SignedDuration = SignedDuration::from_mins(15);

/// Who a Lease is written down for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Holder {
    Us,
    Nobody,
}

/// The Lease of one cluster, as one run speaks of it.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) kubectl: Kubectl,
    /// Who we are, for others to read: `opc@operator, process 4711`. No two runs have the same.
    pub(super) us: String,
}

/// What became of a Lease that was to be written.
#[derive(Debug)]
pub(super) enum Written {
    Done(Lease),
    /// It is not what we last saw of it: somebody else was faster.
    Raced,
    Failed(Fail),
}

impl Words {
    /// The Lease as it is; none: there is none.
    pub(super) async fn read(&self, exec: &Arc<Exec>, stop: &Stop) -> Result<Option<Lease>, Fail> {
        let cmd = lease::look(&self.kubectl).timeout(PATIENCE);
        let output = exec.ask(&cmd, None, stop).await?;
        if output.code != Some(0) {
            return Err(failure::explain(&cmd, &output));
        }
        read(&output)
    }

    /// Writes that it is ours: anew, or in place of what was seen.
    pub(super) async fn take(
        &self,
        seen: Option<&Lease>,
        exec: &Arc<Exec>,
        stop: &Stop,
    ) -> Written {
        self.write(&self.us, &now(), seen, exec, stop).await
    }

    /// Writes over what is ours that it still is, or that it is nobody's. `last` is what was written
    /// last, where that is known; where it is not so any more, what is there is looked at.
    pub(super) async fn rewrite(
        &self,
        holder: Holder,
        mut last: Option<Lease>,
        exec: &Arc<Exec>,
        stop: &Stop,
    ) -> Written {
        for _ in 0..TRIES {
            let seen = match last.take() {
                Some(seen) => Some(seen),
                None => match self.read(exec, stop).await {
                    Ok(Some(seen)) if !self.is_ours(&seen) => return Written::Raced,
                    Ok(seen) => seen,
                    Err(fail) => return Written::Failed(fail),
                },
            };
            let since = seen.as_ref().map_or_else(now, |seen| seen.since.clone());
            let holder = match holder {
                Holder::Us => self.us.as_str(),
                Holder::Nobody => "",
            };
            let written = self.write(holder, &since, seen.as_ref(), exec, stop).await;
            let Written::Raced = written else { return written };
        }
        Written::Raced
    }

    pub(super) fn is_ours(&self, seen: &Lease) -> bool {
        seen.holder == self.us
    }

    /// Who else holds it, and since when; none: it is free, expired or ours.
    pub(super) fn other_holder(&self, seen: &Lease) -> Option<String> {
        let other = seen.is_held(Timestamp::now()) && !self.is_ours(seen);
        other.then(|| format!("{}, since {}", seen.holder, seen.since))
    }

    async fn write(
        &self,
        holder: &str,
        since: &str,
        instead: Option<&Lease>,
        exec: &Arc<Exec>,
        stop: &Stop,
    ) -> Written {
        let data = json!({
            "version": instead.map(|seen| &seen.version),
            "holder": holder,
            "since": since,
            "now": now(),
            "seconds": lease::EXPIRES.as_secs(),
        });
        let stdin = match Doc::new("manifests/lease.yaml.j2", data).render(|_| None) {
            Ok(stdin) => stdin,
            Err(error) => {
                return Written::Failed(Fail::new(
                    Exit::Failed,
                    format!("rendering the lock: {error:#}"),
                ));
            }
        };
        let cmd = self.kubectl.write(instead.is_none()).timeout(PATIENCE);
        // Written twice, the second time is seen as a race, which is looked into.
        match exec.ask(&cmd, Some(stdin), stop).await {
            Err(failure) => Written::Failed(failure.into()),
            Ok(output) if output.code == Some(0) => match read(&output) {
                Ok(Some(seen)) => Written::Done(seen),
                Ok(None) => Written::Failed(Fail::new(Exit::Failed, "writing the lock: no answer")),
                Err(fail) => Written::Failed(fail),
            },
            Ok(output) if is_there(&output) => Written::Raced,
            Ok(output) => Written::Failed(failure::explain(&cmd, &output)),
        }
    }
}

/// Whether a Lease was not written because there is one, or because there is a newer one.
fn is_there(output: &Output) -> bool {
    output.stderr.contains("(AlreadyExists)") || output.stderr.contains("(Conflict)")
}

/// Whether its holder may have been at work while we looked.
pub(super) fn is_recent(seen: &Lease) -> bool {
    seen.renewed.is_none_or(|renewed| Timestamp::now().duration_since(renewed) < RECENT)
}

fn read(output: &Output) -> Result<Option<Lease>, Fail> {
    lease::read(&output.stdout)
        .map_err(|error| Fail::new(Exit::Failed, format!("reading the lock: {error:#}")))
}

/// The time in the form that the API server wants: microseconds, always.
fn now() -> String {
    format!("{:.6}", Timestamp::now())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Values that the fields of a Lease may turn out to have.
    fn value() -> impl Strategy<Value = Value> {
        let texts = [
            "",
            "us",
            "2026-11-23T10:00:00.000000Z",
            "9999-12-30T22:00:00Z",
            "-009999-01-02T00:00:00Z",
            "2026-11-23T10:00:60Z",
            "now",
        ];
        prop_oneof![
            prop::sample::select(texts.to_vec()).prop_map(|text| json!(text)),
            any::<String>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            Just(json!({})),
            Just(json!([null])),
            Just(Value::Null),
        ]
    }

    proptest! {
        #[test]
        fn whatever_a_lease_says_is_borne([version, holder, since, renewed, whole] in [(); 5].map(|()| value())) {
            let lease = json!({
                "metadata": {"resourceVersion": version},
                "spec": {"holderIdentity": holder, "acquireTime": since, "renewTime": renewed},
            });
            for object in [lease, json!({"spec": whole}), whole] {
                let stdout = object.to_string();
                let output = Output { code: Some(0), stdout, stderr: String::new() };
                let cut = Output { stdout: output.stdout.chars().skip(1).collect(), ..output.clone() };
                let _ = read(&cut);
                if let Ok(Some(seen)) = read(&output) {
                    let config = crate::content::fixtures::config();
                    let kubectl = Kubectl::new(&config, &config.clusters[0]);
                    let words = Words { kubectl, us: "us".to_owned() };
                    prop_assert!(!(words.is_ours(&seen) && words.other_holder(&seen).is_some()));
                    is_recent(&seen);
                    seen.covers(Timestamp::UNIX_EPOCH);
                }
            }
        }
    }
}
