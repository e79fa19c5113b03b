//! One step carried out: ask, decide, do, and again as long as that helps.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::again::{PAUSES, again};
use super::progress::Progress;
use super::runner::{Done, Failure, Runner, interrupted};
use super::shown::{self, Leeway};
use crate::config::names::ClusterName;
use crate::diagnose::progress::{Patience, Verdict};
use crate::diagnose::{Diagnosis, Finding, Severity};
use crate::environment::{read_file, text};
use crate::fail::{Exit, Fail};
use crate::plan::bucket;
use crate::plan::{Answer, Call, Decision, Effect, Intent, Step};
use crate::report::event::{Event, StepResult};
use crate::tools::cmd::{Cmd, Stdin};
use crate::tools::output::Output;
use crate::tools::s3::S3Request;
use crate::tools::{failure, http, kubectl};

/// The pause between two tries of what the API server is about to know.
const UNTIL: Duration = Duration::from_millis(300);
/// What was just installed is not ready yet, and a look would only keep the API server from it.
const SETTLING: Duration = Duration::from_secs(1);
/// The first pause between two looks while waiting; each is a quarter longer than the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause between two looks while waiting.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// An answer, and when it came by this machine's clock.
type Sent = (http::Answer, Timestamp);
/// Why something was not done, and whether that may pass by itself.
type Undone = (Fail, bool);

/// How long one step has been waiting, and how much longer it will.
struct Waiting {
    since: Instant,
    deadline: Instant,
    patience: Patience,
    pause: Duration,
}

impl Waiting {
    fn new(progress: &Progress) -> Self {
        let patience = Patience::default();
        // What an earlier run left may still show yesterday's failure.
        let patience = if progress.nothing_to_do { patience.resuming() } else { patience };
        let (since, deadline) = (Instant::now(), progress.deadline());
        Self { since, deadline, patience, pause: FIRST_PAUSE }
    }
}

impl Runner {
    /// Looks, decides and does; what was decided already is done first. After what may pass by
    /// itself it starts again, at the look.
    pub(super) async fn carry_out(
        &self,
        step: &Step,
        mut decided: Option<Decision>,
        progress: &Progress,
    ) -> Result<Done, Failure> {
        let mut waiting = Waiting::new(progress);
        let mut pauses = PAUSES.iter();
        let mut leeway = progress.leeway;
        if matches!(step.intent, Intent::Ready(_)) && !progress.nothing_to_do {
            self.sleep(SETTLING).await?;
        }
        loop {
            let decision = match decided.take() {
                Some(decision) => decision,
                None => match (self.look(step).await, &step.intent) {
                    // A cluster that was silent, for instance.
                    (Err(fail), Intent::Ready(ready)) => ready.unseen(fail),
                    (looked, _) => looked?,
                },
            };
            if let Some(note) = shown::compare(&decision, progress.surveyed(&step.id), leeway)? {
                self.feed.emit(Event::StepNoted { step: step.id.to_string(), note });
            }
            match decision {
                Decision::Unchanged { note } => {
                    let ready = matches!(step.intent, Intent::Ready(_));
                    let result = if ready { StepResult::Ready } else { StepResult::Unchanged };
                    return Ok((result, note.unwrap_or_default()));
                }
                Decision::Refuse(fail) => return Err(fail.into()),
                Decision::Wait(diagnosis) => self.wait(step, &mut waiting, diagnosis).await?,
                Decision::Do { deed, effects, .. } => match self.perform(step, &effects).await {
                    Ok(()) => return Ok((StepResult::Changed, deed.done())),
                    Err((fail, passing)) => match pauses.next().filter(|_| passing) {
                        Some(pause) => {
                            let note = format!("looking again after: {fail}");
                            self.feed.emit(Event::StepNoted { step: step.id.to_string(), note });
                            self.sleep(*pause).await?;
                            leeway = Leeway::Own;
                        }
                        None => return Err(fail.into()),
                    },
                },
            }
        }
    }

    /// Says what is not ready, and lets some time pass, as long as that may help.
    async fn wait(
        &self,
        step: &Step,
        waiting: &mut Waiting,
        diagnosis: Diagnosis,
    ) -> Result<(), Failure> {
        let Diagnosis { ready, of, .. } = diagnosis;
        let (step, findings) = (step.id.to_string(), diagnosis.findings.clone());
        self.feed.emit(Event::StepWaiting { step, ready, of, findings });
        let left = of - ready;
        let failed = |how: String, findings| {
            let fail = Fail::new(Exit::TimedOut, format!("waiting until everything runs: {how}"));
            Err(Failure { fail, findings })
        };
        match waiting.patience.observe(waiting.since.elapsed(), &diagnosis) {
            Verdict::Fail { findings } => return failed(hopeless(left, of, &findings), findings),
            Verdict::Ready | Verdict::Wait => {}
        }
        if Instant::now() > waiting.deadline {
            let how = format!("{left} of {of} are not ready in time; --timeout gives it longer");
            return failed(how, diagnosis.findings);
        }
        self.sleep(waiting.pause).await?;
        waiting.pause = (waiting.pause * 5 / 4).min(LONGEST_PAUSE);
        Ok(())
    }

    async fn sleep(&self, pause: Duration) -> Result<(), Fail> {
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.stop.asked() => Err(interrupted()),
        }
    }

    pub(super) async fn look(&self, step: &Step) -> Result<Decision, Fail> {
        let ask = |so_far: &[Answer]| step.intent.ask(so_far);
        let answers = self.answers(ask, step.cluster.as_ref()).await?;
        Ok(step.intent.decide(&answers))
    }

    /// Asks one question after another, each with what was said so far.
    pub(super) async fn answers(
        &self,
        ask: impl Fn(&[Answer]) -> Option<Call>,
        cluster: Option<&ClusterName>,
    ) -> Result<Vec<Answer>, Fail> {
        let mut answers = Vec::new();
        while let Some(call) = ask(&answers) {
            answers.push(self.answer(&call, cluster).await?);
        }
        Ok(answers)
    }

    /// The same where nothing can be there yet: only this machine is asked.
    pub(super) async fn look_here(&self, step: &Step) -> Result<Decision, Fail> {
        let mut answers = Vec::new();
        while let Some(call @ Call::Archive(_)) = step.intent.ask(&answers) {
            answers.push(self.answer(&call, step.cluster.as_ref()).await?);
        }
        Ok(step.intent.decide(&answers))
    }

    /// Asks, and asks again after a failure that may pass by itself.
    async fn answer(&self, call: &Call, cluster: Option<&ClusterName>) -> Result<Answer, Fail> {
        match call {
            Call::Cmd(cmd) => {
                let stdin = self.stdin(cmd)?;
                Ok(Answer::Output(self.exec.ask(cmd, stdin, &self.stop).await?))
            }
            Call::Optional(cmd) => match self.output(cmd).await {
                Ok(output) if output.code == Some(0) => Ok(Answer::Output(output)),
                Err(fail) if self.stop.requested() => Err(fail),
                Ok(_) | Err(_) => Ok(Answer::Output(Output::default())),
            },
            Call::S3(request) => {
                let passing = |sent: &Result<Sent, Undone>| match sent {
                    Ok((answer, _)) => answer.may_pass(),
                    Err((_, passing)) => *passing,
                };
                let sent = again(&self.stop, || self.send(request, cluster), passing).await;
                let (answer, at) = sent.map_err(|(fail, _)| fail)?;
                Ok(Answer::Http { answer, at })
            }
            Call::Archive(path) => {
                let path = path.clone();
                let archive =
                    tokio::task::spawn_blocking(move || super::archive::read(&path)).await;
                Ok(Answer::Archive(archive.ok().flatten()))
            }
        }
    }

    /// Carries out the effects of one step; an error says whether it may pass by itself.
    pub(super) async fn perform(&self, step: &Step, effects: &[Effect]) -> Result<(), Undone> {
        if let Some(fail) = rewritten(step) {
            return Err((fail, false));
        }
        for effect in effects {
            self.feed.emit(Event::StepRuns { step: step.id.to_string(), line: effect.to_string() });
            match effect {
                Effect::Cmd(cmd) => {
                    let output = self.output(cmd).await.map_err(|fail| (fail, false))?;
                    if output.code != Some(0) {
                        let passing = kubectl::says_try_again(&output.stderr);
                        return Err((failure::explain(cmd, &output), passing));
                    }
                }
                Effect::Until(cmd) => self.until(cmd).await.map_err(|fail| (fail, false))?,
                Effect::S3(request) => {
                    let (answer, at) = self.send(request, step.cluster.as_ref()).await?;
                    bucket::done(request, &answer, at).map_err(|fail| (fail, false))?;
                }
            }
        }
        Ok(())
    }

    /// Asks until the cluster knows what it is asked for, for as long as the command may take.
    async fn until(&self, cmd: &Cmd) -> Result<(), Fail> {
        let deadline = Instant::now() + cmd.timeout;
        loop {
            let output = self.output(cmd).await?;
            if output.code == Some(0) {
                return Ok(());
            }
            if !kubectl::says_try_again(&output.stderr) || Instant::now() > deadline {
                return Err(failure::explain(cmd, &output));
            }
            self.sleep(UNTIL).await?;
        }
    }

    /// Sends a request, signed with the keys of a cluster.
    async fn send(
        &self,
        request: &S3Request,
        cluster: Option<&ClusterName>,
    ) -> Result<Sent, Undone> {
        let keys = cluster.and_then(|cluster| self.vault.keys(cluster));
        let lost = |fail| (fail, false);
        let keys = keys
            .ok_or_else(|| lost(Fail::new(Exit::Failed, "signing a request: no keys are known")))?;
        let signed =
            request.sign(&keys, Timestamp::now()).map_err(|why| lost(failure::refused(&why)))?;
        let answer = tokio::select! {
            answer = super::http::send(signed) => answer.map_err(|unreachable| {
                let passing = unreachable.may_pass();
                (unreachable.into(), passing)
            })?,
            () = self.stop.asked() => return Err(lost(interrupted())),
        };
        Ok((answer, Timestamp::now()))
    }

    /// Runs a command with its documents filled in.
    async fn output(&self, cmd: &Cmd) -> Result<Output, Fail> {
        let stdin = self.stdin(cmd)?;
        Ok(self.exec.run(cmd, stdin, &self.stop).await?)
    }

    /// What the first command of a pipe reads.
    fn stdin(&self, cmd: &Cmd) -> Result<Option<SecretString>, Fail> {
        let docs = match &cmd.stdin {
            Stdin::Docs(docs) => docs,
            Stdin::Output(source) => return self.stdin(source),
            Stdin::Nothing => return Ok(None),
        };
        let mut text = String::new();
        for doc in docs {
            let secret = |name| {
                cmd.cluster.as_ref().and_then(|cluster| self.vault.secret(cluster, name)).cloned()
            };
            let rendered = doc.render(secret).map_err(|error| {
                Fail::new(Exit::Failed, format!("rendering {}: {error:#}", doc.template))
            })?;
            text.push_str("---\n");
            text.push_str(rendered.expose_secret());
        }
        Ok(Some(text.into()))
    }
}

/// Helm reads the user's own values itself: they must be what was read when the step was shown.
fn rewritten(step: &Step) -> Option<Fail> {
    let Intent::Release(release) = &step.intent else { return None };
    let path = release.release.values_file.as_ref()?;
    if read_file(path).and_then(text).is_ok_and(|text| text == release.own_values.text) {
        return None;
    }
    let error = format!("{}: {} has changed since it was read", step.title, path.display());
    Some(Fail::new(Exit::Refused, error).hint("run this again: what it changes is shown before"))
}

/// Why waiting ends early: for these, which time does not mend, or because nothing moves.
fn hopeless(left: usize, of: usize, findings: &[Finding]) -> String {
    if findings.iter().any(|finding| finding.severity < Severity::Final) {
        return format!("{left} of {of} are not ready, and nothing has changed for a while");
    }
    let objects: Vec<&str> = findings.iter().map(|finding| finding.object.as_str()).collect();
    format!("{} cannot become ready", objects.join(", "))
}
