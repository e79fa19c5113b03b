//! Ctrl-C and SIGTERM, once and twice.
//!
//! Once asks: what runs gets the time to put things right. Twice insists: it is killed. What is done
//! about either belongs to whoever holds a [`Stop`].

use std::io;
use std::sync::{Arc, OnceLock};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Whether the run is to end, shared by everything that takes time.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    asked: CancellationToken,
    forced: CancellationToken,
    by: Arc<OnceLock<Interrupt>>,
}

/// The signal that ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C.
    Int,
    /// SIGTERM, as a CI system sends it.
    Term,
}

impl Stop {
    /// Listens for the signals from now on; their ordinary effect is gone.
    ///
    /// SIGHUP keeps it: under `nohup` it must stay ignored, and else the watchdog clears up.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn listen() -> io::Result<Self> {
        let mut int = signal(SignalKind::interrupt())?;
        let mut term = signal(SignalKind::terminate())?;
        let stop = Self::default();
        let heard = stop.clone();
        tokio::spawn(async move {
            loop {
                let by = tokio::select! {
                    Some(()) = int.recv() => Interrupt::Int,
                    Some(()) = term.recv() => Interrupt::Term,
                    else => return,
                };
                heard.press(by);
            }
        });
        Ok(stop)
    }

    /// Asks; asked already, insists.
    pub fn press(&self, by: Interrupt) {
        if self.by.set(by).is_err() {
            self.forced.cancel();
        }
        self.asked.cancel();
    }

    /// Asks, and never insists: for reasons of okemon's own.
    pub fn ask(&self, by: Interrupt) {
        let _ = self.by.set(by);
        self.asked.cancel();
    }

    pub fn requested(&self) -> bool {
        self.asked.is_cancelled()
    }

    #[cfg(test)]
    fn forced(&self) -> bool {
        self.forced.is_cancelled()
    }

    /// The first signal, which the exit code tells.
    pub fn by(&self) -> Option<Interrupt> {
        self.by.get().copied()
    }

    /// Waits for the first signal.
    pub async fn asked(&self) {
        self.asked.cancelled().await;
    }

    /// Waits for the second signal.
    pub async fn insisted(&self) {
        self.forced.cancelled().await;
    }

    /// For what must still be done after the first signal, such as giving a lock back: only the
    /// second one stops it.
    #[must_use]
    pub fn last_words(&self) -> Self {
        Self { asked: self.forced.clone(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_asks_the_second_insists_and_the_first_is_remembered() {
        let stop = Stop::default();
        let last_words = stop.last_words();
        assert_eq!((stop.requested(), stop.forced(), stop.by()), (false, false, None));

        stop.press(Interrupt::Term);
        assert_eq!((stop.requested(), stop.forced()), (true, false));
        assert!(!last_words.requested());

        stop.press(Interrupt::Int);
        assert_eq!((stop.forced(), last_words.requested()), (true, true));
        assert_eq!(stop.by(), Some(Interrupt::Term));
    }

    #[tokio::test]
    async fn a_signal_of_the_system_is_heard() {
        let stop = Stop::listen().unwrap();
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGINT).unwrap();
        stop.asked().await;
        assert_eq!(stop.by(), Some(Interrupt::Int));
    }
}
