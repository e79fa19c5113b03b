//! What may be said twice, questions above all, is said again after what may pass by itself.

use std::time::Duration;

use secrecy::SecretString;

use super::exec::{Exec, Failure};
use super::stop::Stop;
use crate::tools::cmd::Cmd;
use crate::tools::kubectl;
use crate::tools::output::Output;

/// The pauses before another try after a failure that may pass; after the last it fails.
pub(super) const PAUSES: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Says it until the answer is not `passing`, or the tries are used up, or the run is to stop.
pub(super) async fn again<A, F: Future<Output = A>>(
    stop: &Stop,
    say: impl Fn() -> F,
    passing: impl Fn(&A) -> bool,
) -> A {
    for pause in PAUSES {
        let answer = say().await;
        if !passing(&answer) {
            return answer;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.asked() => return answer,
        }
    }
    say().await
}

impl Exec {
    /// [`Self::run`] for what may be run twice: again when the way to the API server, or the server
    /// itself, gave up for a moment.
    pub async fn ask(
        &self,
        cmd: &Cmd,
        stdin: Option<SecretString>,
        stop: &Stop,
    ) -> Result<Output, Failure> {
        again(stop, || self.run(cmd, stdin.clone(), stop), is_interrupted).await
    }
}

/// Of a good answer stderr is noise, such as of an API that does not answer.
fn is_interrupted(answer: &Result<Output, Failure>) -> bool {
    answer
        .as_ref()
        .is_ok_and(|output| output.code != Some(0) && kubectl::says_interrupted(&output.stderr))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// What is answered at last, and how often it was said, when the answers are the numbers from 1.
    async fn said(stop: &Stop, passing: impl Fn(&u32) -> bool) -> (u32, u32) {
        let count = Cell::new(0);
        let say = || {
            count.set(count.get() + 1);
            std::future::ready(count.get())
        };
        (again(stop, say, passing).await, count.get())
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_said_again_three_times_at_most() {
        let stop = Stop::default();
        assert_eq!(said(&stop, |_| false).await, (1, 1));
        assert_eq!(said(&stop, |answer| *answer < 3).await, (3, 3));
        assert_eq!(said(&stop, |_| true).await, (4, 4));
        stop.ask(crate::run::stop::Interrupt::Int);
        assert_eq!(said(&stop, |_| true).await, (1, 1));
    }

    #[test]
    fn only_what_failed_was_interrupted() {
        let answer = |code, stderr: &str| {
            Ok(Output { code: Some(code), stderr: stderr.to_owned(), ..Output::default() })
        };
        let noise = "E1123 memcache.go:265] the server is currently unable to handle the request";
        let asked = [(0, noise), (1, noise), (1, "error: no")];
        let interrupted = asked.map(|(code, stderr)| is_interrupted(&answer(code, stderr)));
        assert_eq!(interrupted, [false, true, false]);
    }
}
