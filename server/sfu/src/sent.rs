//! What a subscriber was sent: under which number each packet went out, to be sent again, and how much again is allowed.

use std::time::{Duration, Instant};

use crate::bytes::low16;
use crate::cache::Arrival;
use crate::codec::vp8::Offsets;
use crate::limits::{RETRANSMISSION_FLOOR_BYTES, RETRANSMISSION_SHARE};
use crate::srtp::Index;

/// Which packet of the layer went out under which number.
pub(crate) struct Sent {
    entries: Vec<Option<SentPacket>>,
    capacity: usize,
}

#[derive(Clone, Copy)]
pub(crate) struct SentPacket {
    pub(crate) sequence: Index,
    pub(crate) timestamp: u32,
    /// Where it came from: sent again, it is the same whatever the slot shows by then.
    pub(crate) layer: usize,
    pub(crate) arrival: Arrival,
    pub(crate) ids: Offsets,
    pub(crate) resent: Option<Instant>,
}

impl Sent {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: Vec::new(), capacity }
    }

    pub(crate) fn note(&mut self, packet: SentPacket) {
        if self.entries.is_empty() {
            self.entries.resize(self.capacity, None);
        }
        let at = usize::from(low16(packet.sequence)) % self.capacity;
        if let Some(entry) = self.entries.get_mut(at) {
            *entry = Some(packet);
        }
    }

    /// The packet under this number.
    pub(crate) fn get(&self, sequence: Index) -> Option<&SentPacket> {
        let at = usize::from(low16(sequence)) % self.capacity;
        self.entries.get(at)?.as_ref().filter(|packet| packet.sequence == sequence)
    }

    /// The packet under this number, unless it was resent within the round trip: then the answer is still on its way.
    pub(crate) fn take_turn(
        &mut self,
        sequence: u16,
        rtt: Duration,
        now: Instant,
    ) -> Option<SentPacket> {
        let at = usize::from(sequence) % self.capacity;
        let entry = self.entries.get_mut(at)?.as_mut()?;
        let is_early =
            entry.resent.is_some_and(|resent| now.saturating_duration_since(resent) < rtt);
        if low16(entry.sequence) != sequence || is_early {
            return None;
        }
        entry.resent = Some(now);
        Some(*entry)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.fill(None);
    }
}

/// What one subscriber was sent in the current second, and how much of it again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    since: Instant,
    sent: u64,
    resent: u64,
    sent_before: u64,
}

impl Budget {
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now, sent: 0, resent: 0, sent_before: 0 }
    }

    pub(crate) fn sent(&mut self, bytes: u64, now: Instant) {
        self.turn(now);
        self.sent += bytes;
    }

    pub(crate) fn resent(&mut self, bytes: u64, now: Instant) {
        self.turn(now);
        self.resent += bytes;
    }

    pub(crate) fn allows(&mut self, bytes: usize, now: Instant) -> bool {
        self.turn(now);
        let share = self.sent.max(self.sent_before) / RETRANSMISSION_SHARE;
        let allowed = share.max(RETRANSMISSION_FLOOR_BYTES);
        u64::try_from(bytes).is_ok_and(|bytes| self.resent + bytes <= allowed)
    }

    fn turn(&mut self, now: Instant) {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            *self = Self { since: now, sent: 0, resent: 0, sent_before: self.sent };
        }
    }
}
