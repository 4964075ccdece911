//! Billing time on its way to the disk.
//!
//! What is written says until when a call is known to have gone on. If the server dies, time ends there: a lost row
//! makes less time, never more.

use std::collections::BTreeSet;
use std::time::Duration;

use clinical::actor::Millis;
use clinical::id::{CallId, SeatId, VisitId};
use clinical::time::{Event, Live};

use crate::record::writer::{Work, Writer};
use crate::store::StoreError;
use crate::visit::time::{Known, add_event, know};

/// How often it is written down that a call still goes on. A crash loses up to this much time; shorter costs every call
/// more rows.
pub(super) const BEAT: Duration = Duration::from_secs(5);

/// Events that wait for a store that is away. Two people who do nothing but change their cameras fill it in 20 minutes.
const WAITING: usize = 4_096;

/// Something about the time of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Timed {
    /// Somebody's media changed.
    Event(Event),
    /// The call still goes on.
    Known(Millis),
    /// It ended in order.
    Over(Millis),
}

/// Decides what is worth a row.
#[derive(Debug, Default)]
pub(super) struct Timer {
    live: BTreeSet<SeatId>,
    began: bool,
    /// Something was lost: what came later must not make time of what came before.
    lost: bool,
}

impl Timer {
    /// Whether it is to be written down.
    pub(super) fn passes(&mut self, timed: &Timed) -> bool {
        if let Timed::Event(Event { seat, live, .. }) = timed {
            self.began = true;
            if *live == Live::Off {
                self.live.remove(seat);
            } else {
                self.live.insert(*seat);
            }
        }
        !self.lost
            && match timed {
                Timed::Event(_) => true,
                Timed::Known(_) => !self.live.is_empty(),
                Timed::Over(_) => self.began,
            }
    }

    /// Something could not be handed on.
    pub(super) const fn lose(&mut self) {
        self.lost = true;
    }
}

/// The rows of one call. What the store did not take is kept and written with the next.
#[derive(Debug)]
pub(super) struct Book {
    writer: Writer,
    known: Known,
    /// Place of the next event.
    next: i64,
    waiting: Vec<(i64, Event)>,
    lost: bool,
}

impl Book {
    pub(super) fn new(writer: Writer, visit: VisitId, call: CallId, began: Millis) -> Self {
        let known = Known { call, visit, began, until: began, over: false };
        Self { writer, known, next: 0, waiting: Vec::new(), lost: false }
    }

    /// Writes it down, with everything that waits.
    pub(super) async fn keep(&mut self, timed: Timed) -> Result<(), StoreError> {
        if self.lost {
            return Err(StoreError::Away);
        }
        match timed {
            Timed::Event(event) => {
                self.waiting.push((self.next, event));
                self.next += 1;
                self.known.until = self.known.until.max(event.at);
            }
            Timed::Known(at) => self.known.until = self.known.until.max(at),
            Timed::Over(at) => {
                self.known.until = self.known.until.max(at);
                self.known.over = true;
            }
        }
        let mut first = vec![know(&self.known)];
        first.extend(self.waiting.iter().map(|(n, event)| add_event(self.known.call, *n, event)));
        let stored = self.writer.store(Work { first, ..Work::default() }).await.committed();
        match stored {
            Ok(()) => self.waiting.clear(),
            Err(_) => self.lost = self.waiting.len() >= WAITING,
        }
        stored
    }
}
