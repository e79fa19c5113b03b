//! One okemon at a time on a cluster: a Lease `okemon` in the namespace, renewed while a run lasts.

mod words;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::exec::Exec;
use super::stop::{Interrupt, Stop};
use crate::fail::{Exit, Fail};
use crate::tools::kubectl::Kubectl;
use crate::tools::lease;
use words::{Holder, Words, Written, is_recent};

/// How often the lock is looked at while somebody else holds it, or while it cannot be renewed.
const POLL: Duration = Duration::from_secs(2);

/// How a holder keeps its lock.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often it says that it is still at work.
    pub renew: Duration,
    /// How long after the last time the lock counts as lost. Then what runs is ended, which takes
    /// up to [`GRACE`](super::exec::GRACE), and only then may others take it.
    pub give_up: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { renew: Duration::from_secs(20), give_up: Duration::from_secs(45) }
    }
}

/// The lock on one cluster.
#[derive(Debug)]
pub struct Lease {
    words: Words,
    /// How long to wait for another holder.
    patience: Duration,
    pace: Pace,
    renewing: Mutex<Option<JoinHandle<()>>>,
    /// Whether the API server may have written it down as ours.
    tried: AtomicBool,
    /// What was written down as ours last; none while that is not known.
    ours: Arc<Mutex<Option<lease::Lease>>>,
    /// Why it stopped being ours while we were at work.
    lost: Arc<OnceLock<String>>,
}

impl Lease {
    /// `holder` tells others who has it: `opc@operator, process 4711`. No two runs have the same.
    pub fn new(kubectl: Kubectl, holder: String, patience: Duration, pace: Pace) -> Self {
        Self {
            words: Words { kubectl, us: holder },
            patience,
            pace,
            renewing: Mutex::default(),
            tried: AtomicBool::default(),
            ours: Arc::default(),
            lost: Arc::default(),
        }
    }

    /// Takes the lock, and keeps it until [`Self::release`]. `waiting` is told once who else holds
    /// it, before that holder is waited for. The answer is whether somebody else may have been at
    /// work in the last minutes, so that what was seen before is not to be relied on.
    ///
    /// # Errors
    /// When another okemon holds it for longer than we are willing to wait.
    pub async fn take(
        &self,
        exec: &Arc<Exec>,
        stop: &Stop,
        waiting: impl Fn(&str) + Send,
    ) -> Result<bool, Fail> {
        let started = Instant::now();
        let (mut told, mut recent) = (false, false);
        // On a new cluster there is none: it is made without being asked for.
        let mut seen = None;
        loop {
            self.tried.store(true, Ordering::Relaxed);
            let said = Instant::now();
            match self.words.take(seen.as_ref(), exec, stop).await {
                Written::Done(ours) => {
                    *self.ours.lock().await = Some(ours);
                    *self.renewing.lock().await = Some(self.keep_renewing(said, exec, stop));
                    return Ok(told || recent);
                }
                Written::Raced => {}
                Written::Failed(fail) => return Err(fail),
            }
            loop {
                seen = self.words.read(exec, stop).await?;
                let other = seen.as_ref().and_then(|seen| self.words.other_holder(seen));
                recent |= seen.as_ref().is_some_and(is_recent);
                let Some(other) = other else { break };
                if started.elapsed() >= self.patience {
                    return Err(busy(&other));
                }
                if !told {
                    waiting(&other);
                    told = true;
                }
                tokio::select! {
                    () = tokio::time::sleep(POLL) => {}
                    () = stop.asked() => return Err(Fail::new(Exit::Interrupted, "interrupted")),
                }
            }
        }
    }

    /// Gives the lock back, if we have it, after Ctrl-C too. One that cannot be given back expires.
    pub async fn release(&self, exec: &Arc<Exec>, stop: &Stop) {
        if let Some(renewing) = self.renewing.lock().await.take() {
            renewing.abort();
            // What it holds is let go before we ask for it.
            let _ = renewing.await;
        }
        if !self.tried.load(Ordering::Relaxed) {
            return;
        }
        let last = self.ours.lock().await.take();
        let _ = self.words.rewrite(Holder::Nobody, last, exec, &stop.last_words()).await;
    }

    /// What it means that the lock was lost during the run; none: it was not.
    pub fn lost(&self) -> Option<Fail> {
        let why = self.lost.get()?;
        let fail =
            Fail::new(Exit::Busy, format!("keeping the lock: {why}, so this run ended early"));
        let look = self.words.kubectl.by_hand(&["get", "lease", "okemon"]);
        Some(fail.hint(format!("`{look}` shows who has it; run this again when it is free")))
    }

    /// Says every now and then that we are still at work, for the first time `renewed`. When it
    /// cannot be said any more, the run ends: two at work would be worse. One that somebody deleted
    /// is made again by that.
    fn keep_renewing(&self, mut renewed: Instant, exec: &Arc<Exec>, stop: &Stop) -> JoinHandle<()> {
        let (words, pace) = (self.words.clone(), self.pace);
        let (ours, lost) = (Arc::clone(&self.ours), Arc::clone(&self.lost));
        let (exec, stop) = (Arc::clone(exec), stop.clone());
        tokio::spawn(async move {
            let mut pause = pace.renew;
            // Why it could not be renewed when that was tried last.
            let mut failure = None;
            let why = loop {
                let turn = async {
                    tokio::time::sleep(pause).await;
                    // Not known until it is written down again.
                    let written = ours.lock().await.take();
                    // Others count from what is sent, not from its answer.
                    let said = Instant::now();
                    (said, words.rewrite(Holder::Us, written, &exec, &stop).await)
                };
                match timeout_at(renewed + pace.give_up, turn).await {
                    Ok((said, Written::Done(written))) => {
                        (renewed, pause, failure) = (said, pace.renew, None);
                        *ours.lock().await = Some(written);
                    }
                    // The API server may be back at the next turn.
                    Ok((_, Written::Failed(fail))) => {
                        (pause, failure) = (POLL.min(pace.renew), Some(fail));
                    }
                    Ok((_, Written::Raced)) => break "another okemon took it".to_owned(),
                    Err(_) => break not_renewed(failure.as_ref()),
                }
            };
            let _ = lost.set(why);
            stop.ask(Interrupt::Term);
        })
    }
}

fn not_renewed(failure: Option<&Fail>) -> String {
    let why = failure.map_or_else(|| "there was no answer in time".to_owned(), Fail::to_string);
    format!("it could not be renewed: {why}")
}

fn busy(other: &str) -> Fail {
    Fail::new(
        Exit::Busy,
        format!("taking the lock: another okemon is at work on this cluster: {other}"),
    )
    .hint("`--lock-timeout 10m` waits for it; the lock of one that died is free after a minute")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::exec::GRACE;

    #[test]
    fn a_holder_that_lost_it_has_stopped_before_others_may_take_it() {
        let Pace { renew, give_up } = Pace::default();
        assert!(give_up + GRACE < lease::EXPIRES.unsigned_abs());
        // More than one attempt fails before.
        assert!(renew + words::PATIENCE + POLL < give_up);
    }

    #[test]
    fn what_was_said_of_the_last_attempt_tells_why_it_was_lost() {
        let fail = Fail::new(Exit::Failed, "the API server is away");
        let expected = "it could not be renewed: the API server is away";
        assert_eq!(not_renewed(Some(&fail)), expected);
        assert_eq!(not_renewed(None), "it could not be renewed: there was no answer in time");
    }
}
