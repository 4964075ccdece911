//! What the relay tells one call, until the call's task reads it.

use std::sync::{Mutex, PoisonError};

use sfu::event::Event;
use tokio::sync::Notify;

use crate::media::backlog::Backlog;

/// One call's events. Whoever brings them never waits, and a call that does not read costs nobody else anything: what
/// waits is merged, and a call that stands still takes no new peers, so at most 93 events wait for each it has.
#[derive(Debug, Default)]
pub(super) struct Events {
    waiting: Mutex<Backlog>,
    arrived: Notify,
}

impl Events {
    pub(super) fn push(&self, event: Event) {
        self.waiting(|waiting| waiting.push(event));
        self.arrived.notify_one();
    }

    /// The next event. Nothing is lost if it is not waited for to the end.
    pub(super) async fn next(&self) -> Event {
        loop {
            if let Some(event) = self.waiting(Backlog::pop) {
                return event;
            }
            self.arrived.notified().await;
        }
    }

    /// The lock is held for one pass over what waits, never over an await.
    fn waiting<T>(&self, use_it: impl FnOnce(&mut Backlog) -> T) -> T {
        use_it(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sfu::event::Liveness;
    use sfu::plan::PeerKey;

    use super::*;

    fn liveness(peer: u32, state: Liveness) -> Event {
        Event::Liveness { peer: PeerKey(peer), state }
    }

    #[tokio::test]
    async fn a_call_that_does_not_read_finds_what_holds_and_nothing_else() {
        let events = Events::default();
        for _ in 0..10_000 {
            events.push(liveness(1, Liveness::Quiet));
            events.push(liveness(2, Liveness::Quiet));
            events.push(liveness(1, Liveness::Heard));
        }

        assert_eq!(events.waiting(|waiting| waiting.len()), 2);
        assert_eq!(events.next().await, liveness(2, Liveness::Quiet));
        assert_eq!(events.next().await, liveness(1, Liveness::Heard));
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken_and_one_that_gave_up_lost_nothing() {
        let events = Arc::new(Events::default());
        // It waits, and is dropped before anything comes.
        tokio::select! {
            biased;
            _ = events.next() => unreachable!("nothing was pushed"),
            () = std::future::ready(()) => {}
        }
        events.push(liveness(1, Liveness::Quiet));
        assert_eq!(events.next().await, liveness(1, Liveness::Quiet));

        let reader = tokio::spawn({
            let events = Arc::clone(&events);
            async move { events.next().await }
        });
        tokio::task::yield_now().await;
        events.push(liveness(2, Liveness::Quiet));
        assert_eq!(reader.await.expect("reader"), liveness(2, Liveness::Quiet));
    }
}
