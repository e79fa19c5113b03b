//! One okemon at a time on a cluster: a Lease `okemon` in the namespace, renewed while a run lasts.

mod words;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::exec::Exec;
use super::stop::{Interrupt, Stop};
use crate::fail::{Exit, Fail};
use crate::tools::kubectl::Kubectl;
use words::{Holder, Seen, Words, Written};

/// How often the lock is looked at while somebody else holds it.
const POLL: Duration = Duration::from_secs(2);

/// How a holder keeps its lock.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often it says that it is still at work.
    pub renew: Duration,
    /// How long that may fail before the lock counts as lost: before others may take it.
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
    ours: Arc<Mutex<Option<Seen>>>,
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
            match self.words.take(seen.as_ref(), exec, stop).await {
                Written::Done(ours) => {
                    *self.ours.lock().await = Some(ours);
                    *self.renewing.lock().await = Some(self.keep_renewing(exec, stop));
                    return Ok(told || recent);
                }
                Written::Raced => {}
                Written::Failed(fail) => return Err(fail),
            }
            loop {
                seen = self.words.read(exec, stop).await?;
                let other = seen.as_ref().and_then(|seen| self.words.other_holder(seen));
                recent |= seen.as_ref().is_some_and(Seen::is_recent);
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
        Some(
            fail.hint(
                "`kubectl get lease okemon` shows who has it; run this again when it is free",
            ),
        )
    }

    /// Says every now and then that we are still at work. When it cannot be said any more, the run
    /// ends: two at work would be worse. One that somebody deleted is made again by that.
    fn keep_renewing(&self, exec: &Arc<Exec>, stop: &Stop) -> JoinHandle<()> {
        let (words, pace) = (self.words.clone(), self.pace);
        let (ours, lost) = (Arc::clone(&self.ours), Arc::clone(&self.lost));
        let (exec, stop) = (Arc::clone(exec), stop.clone());
        tokio::spawn(async move {
            let mut renewed = Instant::now();
            loop {
                tokio::time::sleep(pace.renew).await;
                // Not known until it is written down again.
                let written = ours.lock().await.take();
                let why = match words.rewrite(Holder::Us, written, &exec, &stop).await {
                    Written::Done(written) => {
                        renewed = Instant::now();
                        *ours.lock().await = Some(written);
                        continue;
                    }
                    // The API server may be back at the next turn.
                    Written::Failed(_) if renewed.elapsed() < pace.give_up => continue,
                    Written::Failed(fail) => format!("it could not be renewed: {fail}"),
                    Written::Raced => "another okemon took it".to_owned(),
                };
                let _ = lost.set(why);
                return stop.ask(Interrupt::Term);
            }
        })
    }
}

fn busy(other: &str) -> Fail {
    Fail::new(
        Exit::Busy,
        format!("taking the lock: another okemon is at work on this cluster: {other}"),
    )
    .hint("`--lock-timeout 10m` waits for it; the lock of one that died is free after a minute")
}
