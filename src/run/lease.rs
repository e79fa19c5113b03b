//! One okemon at a time on a cluster: a Lease `okemon` in the namespace, renewed while a run lasts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::exec::Exec;
use super::stop::{Interrupt, Stop};
use crate::content::doc::Doc;
use crate::fail::{Exit, Fail};
use crate::tools::cmd::Cmd;
use crate::tools::failure;
use crate::tools::kubectl::{self, Kubectl};
use crate::tools::output::Output;

/// How long the lock of a holder that says nothing more is respected.
const EXPIRES: SignedDuration = SignedDuration::from_secs(60);
/// How often a holder says that it is still at work.
const RENEW: Duration = Duration::from_secs(20);
/// How long renewals may fail before the lock counts as lost: before others may take it.
const GIVEN_UP: Duration = Duration::from_secs(45);
/// How long one word to the API server about the lock may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the lock is looked at while somebody else holds it.
const POLL: Duration = Duration::from_secs(2);

/// The lock on one cluster.
#[derive(Debug)]
pub struct Lease {
    kubectl: Kubectl,
    /// Who holds it, for others to read: `opc@operator, process 4711`. No two runs have the same.
    holder: String,
    /// How long to wait for another holder.
    patience: Duration,
    renewing: Mutex<Option<JoinHandle<()>>>,
    /// Whether the API server may have written it down as ours.
    tried: AtomicBool,
    /// Whether it stopped being ours while we were at work.
    lost: Arc<AtomicBool>,
}

impl Lease {
    pub fn new(kubectl: Kubectl, holder: String, patience: Duration) -> Self {
        let (renewing, tried, lost) = (Mutex::default(), AtomicBool::default(), Arc::default());
        Self { kubectl, holder, patience, renewing, tried, lost }
    }

    /// Takes the lock, and keeps it until [`Self::release`]. `waiting` is told once who else holds
    /// it, before that holder is waited for.
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
        let mut told = false;
        loop {
            let there = self.read(exec, stop).await?;
            if let Some(other) = there.as_ref().and_then(|lease| self.other_holder(lease)) {
                if started.elapsed() >= self.patience {
                    return Err(busy(&other));
                }
                if !told {
                    waiting(&other);
                    told = true;
                }
                tokio::select! {
                    () = tokio::time::sleep(POLL) => continue,
                    () = stop.asked() => return Err(Fail::new(Exit::Interrupted, "interrupted")),
                }
            }
            let since = now();
            let version = there.as_ref().map(version_of);
            let cmd = self.write(version.as_deref(), &since, &self.holder);
            self.tried.store(true, Ordering::Relaxed);
            let output = send(exec, stop, &cmd).await?;
            if let Some(version) = written_version(&output) {
                let renewing = self.keep_renewing(version, since, exec, stop);
                *self.renewing.lock().await = Some(renewing);
                return Ok(told);
            }
            // Somebody was faster: look again who it is.
            if !lost_race(&output) {
                return Err(failure::explain(&cmd, &output));
            }
        }
    }

    /// Gives the lock back, if we have it, after Ctrl-C too. One that cannot be given back expires.
    pub async fn release(&self, exec: &Arc<Exec>, stop: &Stop) {
        if let Some(renewing) = self.renewing.lock().await.take() {
            renewing.abort();
        }
        if !self.tried.load(Ordering::Relaxed) {
            return;
        }
        let stop = stop.last_words();
        // A renewal that was cut short may have been heard all the same: then the first try is late.
        for _ in 0..2 {
            let Ok(Some(lease)) = self.read(exec, &stop).await else { return };
            if lease["spec"]["holderIdentity"] != self.holder.as_str() {
                return;
            }
            let since = lease["spec"]["acquireTime"].as_str().unwrap_or_default();
            let cmd = self.write(Some(&version_of(&lease)), since, "");
            match send(exec, &stop, &cmd).await {
                Ok(output) if lost_race(&output) => {}
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// What it means that the lock was lost during the run; none: it was not.
    pub fn lost(&self) -> Option<Fail> {
        self.lost.load(Ordering::Relaxed).then(|| {
            Fail::new(
                Exit::Busy,
                "keeping the lock: another okemon took it, so this run ended early",
            )
            .hint("`kubectl get lease okemon` shows who has it; run this again when it is free")
        })
    }

    async fn read(&self, exec: &Arc<Exec>, stop: &Stop) -> Result<Option<Value>, Fail> {
        let args = ["get", "lease", "okemon", "--ignore-not-found", "-o", "json"];
        let cmd = self.kubectl.cmd(args).timeout(PATIENCE);
        let output = send(exec, stop, &cmd).await?;
        if output.code != Some(0) {
            return Err(failure::explain(&cmd, &output));
        }
        let objects = kubectl::objects(&output.stdout)
            .map_err(|error| Fail::new(Exit::Failed, format!("reading the lock: {error:#}")))?;
        Ok(objects.into_iter().next())
    }

    /// Who else holds the Lease, and since when; none: it is free, expired or ours.
    fn other_holder(&self, lease: &Value) -> Option<String> {
        let text = |field: &str| lease["spec"][field].as_str().unwrap_or_default();
        let holder = text("holderIdentity");
        if holder.is_empty() || holder == self.holder {
            return None;
        }
        let renewed: Timestamp = text("renewTime").parse().ok()?;
        let alive = Timestamp::now().duration_since(renewed) < EXPIRES;
        alive.then(|| format!("{holder}, since {}", text("acquireTime")))
    }

    /// Writes the Lease; an empty `holder` gives it back. `version` is the one that is replaced.
    fn write(&self, version: Option<&str>, since: &str, holder: &str) -> Cmd {
        let verb = if version.is_none() { "create" } else { "replace" };
        let data = json!({
            "version": version,
            "holder": holder,
            "since": since,
            "now": now(),
            "seconds": EXPIRES.as_secs(),
        });
        let cmd = self.kubectl.cmd([verb, "-o", "json", "-f", "-"]).timeout(PATIENCE);
        cmd.docs([Doc::new("manifests/lease.yaml.j2", data)])
    }

    /// Says every now and then that we are still at work. When it cannot be said any more, the run
    /// ends: two at work would be worse.
    fn keep_renewing(
        &self,
        mut version: String,
        since: String,
        exec: &Arc<Exec>,
        stop: &Stop,
    ) -> JoinHandle<()> {
        let lease = Self::new(self.kubectl.clone(), self.holder.clone(), self.patience);
        let (lost, exec, stop) = (Arc::clone(&self.lost), Arc::clone(exec), stop.clone());
        tokio::spawn(async move {
            let mut renewed = Instant::now();
            loop {
                tokio::time::sleep(RENEW).await;
                let cmd = lease.write(Some(&version), &since, &lease.holder);
                let answer = send(&exec, &stop, &cmd).await.unwrap_or_default();
                match written_version(&answer) {
                    Some(written) => (version, renewed) = (written, Instant::now()),
                    None if lost_race(&answer) || gone(&answer) || renewed.elapsed() > GIVEN_UP => {
                        lost.store(true, Ordering::Relaxed);
                        return stop.press(Interrupt::Term);
                    }
                    // The API server may be back at the next turn.
                    None => {}
                }
            }
        })
    }
}

/// The time in the form that the API server wants: microseconds, always.
fn now() -> String {
    format!("{:.6}", Timestamp::now())
}

async fn send(exec: &Arc<Exec>, stop: &Stop, cmd: &Cmd) -> Result<Output, Fail> {
    let text = match &cmd.stdin {
        crate::tools::cmd::Stdin::Docs(docs) => docs.first().map(|doc| doc.render(|_| None)),
        _ => None,
    };
    let stdin = text
        .transpose()
        .map_err(|error| Fail::new(Exit::Failed, format!("rendering the lock: {error:#}")))?;
    Ok(exec.run(cmd, stdin, stop).await?)
}

fn version_of(lease: &Value) -> String {
    lease["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned()
}

/// The version of the Lease that was written; none: it was not.
fn written_version(output: &Output) -> Option<String> {
    if output.code != Some(0) {
        return None;
    }
    kubectl::objects(&output.stdout).ok()?.first().map(version_of)
}

/// Whether the Lease is not what we last saw of it: somebody else was faster.
fn lost_race(output: &Output) -> bool {
    output.stderr.contains("(AlreadyExists)") || output.stderr.contains("(Conflict)")
}

/// Whether the Lease that was ours is gone.
fn gone(output: &Output) -> bool {
    output.stderr.contains("(NotFound)")
}

fn busy(other: &str) -> Fail {
    Fail::new(
        Exit::Busy,
        format!("taking the lock: another okemon is at work on this cluster: {other}"),
    )
    .hint("`--lock-timeout 10m` waits for it; the lock of one that died is free after a minute")
}
