//! Between tokio and a worker: requests in one direction, events in the other.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};

use sfu::command::Command;
use sfu::event::Event;
use tokio::sync::oneshot;

use super::WorkerCounters;
use super::backlog::Backlog;

/// Requests that wait for a worker's turn. A worker takes them all each turn (about a millisecond), so a full mailbox
/// means that one turn brought more than a whole ECHO session's worth; then the sender waits for the turn.
const MAILBOX: usize = 1_024;

/// What a worker is asked.
pub(super) enum Message {
    /// Of the relay's core.
    Command(Command),
    /// Its totals.
    Counters(oneshot::Sender<WorkerCounters>),
    /// End the thread.
    Stop,
}

/// Where a worker is reached. A posted message is never lost while the worker runs.
#[derive(Clone)]
pub(super) struct Mailbox {
    sender: SyncSender<Message>,
    waker: Arc<mio::Waker>,
}

/// The worker is gone.
#[derive(Debug)]
pub(super) struct Gone;

impl Mailbox {
    pub(super) fn new(waker: mio::Waker) -> (Self, Receiver<Message>) {
        let (sender, receiver) = mpsc::sync_channel(MAILBOX);
        (Self { sender, waker: Arc::new(waker) }, receiver)
    }

    /// Posts a message. Waits for one turn of the worker when 1 024 are under way: a revoked consent must not be
    /// dropped for the sake of the sender's latency. The worker never waits for us, so this ends.
    pub(super) fn post(&self, message: Message) -> Result<(), Gone> {
        match self.sender.try_send(message) {
            Ok(()) => {}
            Err(TrySendError::Full(message)) => {
                self.wake();
                self.sender.send(message).map_err(|_| Gone)?;
            }
            Err(TrySendError::Disconnected(_)) => return Err(Gone),
        }
        self.wake();
        Ok(())
    }

    fn wake(&self) {
        // An eventfd refuses only when its 64-bit counter is full, and then it is awake already.
        _ = self.waker.wake();
    }
}

/// Events on their way out. The channel is bounded and the worker must not wait: what does not fit is kept here.
pub(super) struct Outbox {
    sender: tokio::sync::mpsc::Sender<Event>,
    backlog: Backlog,
}

impl Outbox {
    pub(super) fn new(sender: tokio::sync::mpsc::Sender<Event>) -> Self {
        Self { sender, backlog: Backlog::default() }
    }

    /// Sends an event, or keeps it.
    pub(super) fn push(&mut self, event: Event) {
        self.backlog.push(event);
        self.flush();
    }

    /// Tries again.
    pub(super) fn flush(&mut self) {
        while let Some(event) = self.backlog.pop() {
            match self.sender.try_send(event) {
                Ok(()) => {}
                Err(tokio::sync::mpsc::error::TrySendError::Full(event)) => {
                    self.backlog.put_back(event);
                    return;
                }
                // Nobody listens any more: the server is stopping.
                Err(tokio::sync::mpsc::error::TrySendError::Closed(_)) => {}
            }
        }
    }

    pub(super) fn backlog(&self) -> usize {
        self.backlog.len()
    }
}

#[cfg(test)]
mod tests {
    use sfu::event::Liveness;
    use sfu::plan::{CallKey, PeerKey};

    use super::{Event, Outbox};

    fn speaker(peer: u32) -> Event {
        Event::Speaker { call: CallKey(1), peer: Some(PeerKey(peer)) }
    }

    #[test]
    fn a_slow_listener_loses_no_state_and_the_backlog_keeps_only_what_holds() {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        let mut outbox = Outbox::new(sender);
        outbox.push(Event::Left { peer: PeerKey(1) });
        for peer in 0..1_000 {
            outbox.push(speaker(peer));
            let state = Liveness::Quiet;
            outbox.push(Event::Liveness { peer: PeerKey(peer % 3), state });
        }
        outbox.push(Event::Left { peer: PeerKey(2) });
        assert_eq!(outbox.backlog(), 1 + 3 + 1);
        let mut seen = Vec::new();
        while let Ok(event) = receiver.try_recv() {
            seen.push(event);
            outbox.flush();
        }
        assert_eq!(seen.first(), Some(&Event::Left { peer: PeerKey(1) }));
        assert_eq!(seen.last(), Some(&Event::Left { peer: PeerKey(2) }));
        assert!(seen.contains(&speaker(999)));
        assert_eq!(outbox.backlog(), 0);
    }

    #[test]
    fn a_closed_listener_costs_no_memory() {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        drop(receiver);
        let mut outbox = Outbox::new(sender);
        (0..10).for_each(|peer| outbox.push(Event::Left { peer: PeerKey(peer) }));
        assert_eq!(outbox.backlog(), 0);
    }
}
