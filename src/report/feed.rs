//! Carries events from wherever they happen to the one reporter, in their order.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::Reporter;
use super::event::Event;

/// How often a reporter is told that time passes.
const BEAT: Duration = Duration::from_millis(100);

/// Where events are sent to.
#[derive(Clone, Debug)]
pub struct Feed(mpsc::UnboundedSender<Message>);

enum Message {
    Event(Box<Event>),
    Settle(oneshot::Sender<()>),
}

impl Feed {
    /// Shows what is sent with `reporter`, until every [`Feed`] is gone.
    pub fn to(reporter: Box<dyn Reporter>) -> (Self, JoinHandle<()>) {
        let (sender, inbox) = mpsc::unbounded_channel();
        (Self(sender), tokio::spawn(show(inbox, reporter)))
    }

    pub fn emit(&self, event: Event) {
        // The reporter outlives the run; if it died, the run still goes on.
        let _ = self.0.send(Message::Event(Box::new(event)));
    }

    /// Waits until all that was sent is shown: before a person is asked.
    pub async fn settle(&self) {
        let (done, shown) = oneshot::channel();
        if self.0.send(Message::Settle(done)).is_ok() {
            let _ = shown.await;
        }
    }
}

async fn show(mut inbox: mpsc::UnboundedReceiver<Message>, mut reporter: Box<dyn Reporter>) {
    let mut beat = tokio::time::interval(BEAT);
    loop {
        tokio::select! {
            biased;
            message = inbox.recv() => match message {
                Some(Message::Event(event)) => reporter.on(Timestamp::now(), &event),
                Some(Message::Settle(done)) => drop(done.send(())),
                None => return,
            },
            _ = beat.tick() => reporter.tick(Timestamp::now()),
        }
    }
}
