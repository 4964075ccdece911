//! What a subscriber was sent: under which number each packet went out, to be sent again, and how much again is allowed.

use std::time::{Duration, Instant};

use crate::bytes::low16;
use crate::cache::Arrival;
use crate::codec::ids::Offsets;
use crate::limits::{
    CACHE_AGE, MAX_LAYERS, MAX_RUNGS, RETRANSMISSION_FLOOR_BYTES, RETRANSMISSION_SHARE,
};
use crate::rtp::Marker;
use crate::srtp::Index;

/// Which packet of the layer went out under which number: a ring that grows to what its stream needs.
pub(crate) struct Sent {
    entries: Vec<Option<SentPacket>>,
    /// Of the first packet: entries count from here.
    epoch: Option<Instant>,
    /// A power of two, as every size before it: a place does not jump where the number wraps.
    most: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct SentPacket {
    pub(crate) sequence: Index,
    pub(crate) arrival: Arrival,
    pub(crate) timestamp: u32,
    /// When it last left, in ms since the epoch.
    left: u32,
    pub(crate) ids: Offsets,
    /// Sent again, it is the same whatever the slot shows by then.
    pub(crate) form: Form,
    was_resent: bool,
}

const _: () = assert!(size_of::<Option<SentPacket>>() == 32, "each slot in use has a hundred");

/// Places at first.
const FIRST: usize = 32;

impl Sent {
    pub(crate) fn new(most: usize) -> Self {
        Self { entries: Vec::new(), epoch: None, most: most.next_power_of_two() }
    }

    /// Notes that a packet leaves now.
    pub(crate) fn note(&mut self, packet: Leaving, now: Instant) {
        if self.entries.is_empty() {
            self.entries = vec![None; FIRST.min(self.most)];
        }
        let Leaving { sequence, timestamp, form, arrival, ids } = packet;
        let left = self.ms(now);
        // What its cache still holds can be sent again.
        let memory = u32::try_from(CACHE_AGE.as_millis()).unwrap_or(u32::MAX);
        let is_young = |old: &SentPacket| left.saturating_sub(old.left) < memory;
        while self.entries.len() < self.most && self.entry(low16(sequence)).is_some_and(is_young) {
            let size = 2 * self.entries.len();
            let before = std::mem::replace(&mut self.entries, vec![None; size]);
            before.into_iter().flatten().for_each(|packet| self.put(packet));
        }
        let packet =
            SentPacket { sequence, arrival, timestamp, left, ids, form, was_resent: false };
        self.put(packet);
    }

    /// The packet under this number.
    pub(crate) fn get(&self, sequence: Index) -> Option<&SentPacket> {
        self.entry(low16(sequence)).filter(|packet| packet.sequence == sequence)
    }

    /// The packet under this number, unless it was resent within the round trip: then the answer is still on its way.
    pub(crate) fn take_turn(
        &mut self,
        sequence: u16,
        rtt: Duration,
        now: Instant,
    ) -> Option<SentPacket> {
        let (place, now) = (self.place(sequence), self.ms(now));
        let entry = self.entries.get_mut(place)?.as_mut()?;
        let passed = Duration::from_millis(now.saturating_sub(entry.left).into());
        if low16(entry.sequence) != sequence || entry.was_resent && passed < rtt {
            return None;
        }
        (entry.left, entry.was_resent) = (now, true);
        Some(*entry)
    }

    /// Forgets everything, and gives its memory back.
    pub(crate) fn clear(&mut self) {
        self.entries = Vec::new();
    }

    fn ms(&mut self, now: Instant) -> u32 {
        let epoch = *self.epoch.get_or_insert(now);
        u32::try_from(now.saturating_duration_since(epoch).as_millis()).unwrap_or(u32::MAX)
    }

    fn entry(&self, sequence: u16) -> Option<&SentPacket> {
        self.entries.get(self.place(sequence))?.as_ref()
    }

    fn put(&mut self, packet: SentPacket) {
        let place = self.place(low16(packet.sequence));
        if let Some(entry) = self.entries.get_mut(place) {
            *entry = Some(packet);
        }
    }

    fn place(&self, sequence: u16) -> usize {
        usize::from(sequence) & self.entries.len().saturating_sub(1)
    }
}

/// Where a packet came from and how it was written, in one byte: two bits of layer, the marker, and four bits for the rung
/// to which it says the stream is cut down, if it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form(u8);

const _: () = assert!(MAX_LAYERS <= 4 && MAX_RUNGS < 16, "a layer or rung has no number");

impl Form {
    /// `cut` is the rung that it names.
    pub(crate) fn new(layer: usize, marker: Marker, cut: Option<usize>) -> Self {
        let layer = u8::try_from(layer & 3).unwrap_or(0);
        let marker = if marker == Marker::Set { 4 } else { 0 };
        let cut = cut.and_then(|rung| u8::try_from(rung + 1).ok()).unwrap_or(0);
        Self(layer | marker | (cut & 15) << 4)
    }

    pub(crate) fn layer(self) -> usize {
        usize::from(self.0 & 3)
    }

    pub(crate) fn marker(self) -> Marker {
        if self.0 & 4 != 0 { Marker::Set } else { Marker::Clear }
    }

    /// The rung to which it says the stream is cut down.
    pub(crate) fn cut(self) -> Option<usize> {
        usize::from(self.0 >> 4).checked_sub(1)
    }
}

/// A packet about to be noted.
pub(crate) struct Leaving {
    pub(crate) sequence: Index,
    pub(crate) timestamp: u32,
    pub(crate) form: Form,
    pub(crate) arrival: Arrival,
    pub(crate) ids: Offsets,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{SENT_PACKETS_AUDIO, SENT_PACKETS_VIDEO};
    use crate::time::anchor;

    /// So many a second for three seconds.
    fn sent(most: usize, rate: u32, start: Instant) -> Sent {
        let mut sent = Sent::new(most);
        for step in 0..3 * rate {
            let (ids, sequence) = (Offsets::default(), 65_500 + u64::from(step));
            let form = Form::new(2, Marker::Set, Some(8));
            let packet = Leaving { sequence, timestamp: step, form, arrival: step.into(), ids };
            sent.note(packet, start + Duration::from_secs(1) * step / rate);
        }
        sent
    }

    #[test]
    fn a_second_is_remembered_in_as_much_memory_as_that_takes() {
        let start = anchor();
        for (most, rate, size) in [
            (SENT_PACKETS_AUDIO, 50, 64),
            (SENT_PACKETS_VIDEO, 104, 128),
            (SENT_PACKETS_VIDEO, 450, 512),
        ] {
            let sent = sent(most, rate, start);
            assert_eq!(sent.entries.len(), size);
            for step in 2 * rate..3 * rate {
                let packet = sent.get(65_500 + u64::from(step)).unwrap();
                assert_eq!((packet.timestamp, packet.arrival), (step, step.into()));
            }
            assert!(sent.get(65_500).is_none());
        }
        assert_eq!(sent(SENT_PACKETS_VIDEO, 5_000, start).entries.len(), SENT_PACKETS_VIDEO);
    }

    #[test]
    fn a_packet_is_sent_again_once_in_a_round_trip() {
        let (start, rtt) = (anchor(), Duration::from_millis(80));
        let mut sent = sent(SENT_PACKETS_VIDEO, 100, start);
        let asked = start + Duration::from_secs(3);
        // The number has wrapped.
        let mut is_answered = |at| sent.take_turn(263, rtt, asked + at).is_some();
        assert!(is_answered(Duration::ZERO));
        assert!(!is_answered(Duration::from_millis(79)));
        assert!(is_answered(rtt));
        sent.clear();
        assert!(sent.take_turn(263, rtt, asked + 3 * rtt).is_none());
    }
}
