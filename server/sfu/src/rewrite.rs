//! One outgoing SSRC out of changing sources: sequence numbers without a hole, timestamps that never step back.

use std::time::{Duration, Instant};

use crate::bytes::low32;
use crate::limits::MAX_MISALIGNMENT;
use crate::srtp::Index;

/// Breaks of the numbering that late packets may still fall before: of a stream that is cut down there is one in each picture,
/// so these are one second. More keeps older stragglers, each costs 16 bytes of a slot that has so many.
const SEGMENTS: usize = 32;

/// The longest gap that a source may leave in a slot's numbers: more than any loss that is repaired, far below the 2^15 at
/// which the rollover counter of SRTP is guessed wrong (RFC 3711 §3.3.1).
const MAX_GAP: u64 = 4_096;

/// Numbering of one slot.
#[derive(Clone, Debug)]
pub(crate) struct Rewriter {
    /// Of the current source, oldest first.
    segments: Vec<Segment>,
    timestamp_offset: u32,
    next_sequence: Index,
    newest: Option<Newest>,
    first_timestamp: u32,
    clock_rate: u32,
}

/// From this source sequence number on, `out = source + next - from`.
#[derive(Clone, Copy, Debug, Default)]
struct Segment {
    from: Index,
    out: Index,
}

/// The newest packet sent.
#[derive(Clone, Copy, Debug)]
struct Newest {
    source: Index,
    timestamp: u32,
    at: Instant,
}

/// Numbers of one outgoing packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) sequence: Index,
    pub(crate) timestamp: u32,
}

impl Rewriter {
    /// `clock_rate` in Hz.
    pub(crate) fn new(first_sequence: u16, first_timestamp: u32, clock_rate: u32) -> Self {
        Self {
            segments: Vec::new(),
            timestamp_offset: 0,
            next_sequence: Index::from(first_sequence),
            newest: None,
            first_timestamp,
            clock_rate,
        }
    }

    /// The packet with these numbers is the first of another source, or the first after a pause. `aligned` is what to add
    /// to its timestamp if the two sources' clocks are known against each other.
    pub(crate) fn switch(
        &mut self,
        source: Index,
        timestamp: u32,
        aligned: Option<u32>,
        now: Instant,
    ) {
        let out = match self.newest {
            None => self.first_timestamp,
            Some(newest) => {
                let elapsed = self.ticks(now.saturating_duration_since(newest.at));
                let by_elapsed = newest.timestamp.wrapping_add(elapsed);
                let most = self.ticks(MAX_MISALIGNMENT);
                let out = aligned
                    .map(|offset| timestamp.wrapping_add(offset))
                    .filter(|out| out.wrapping_sub(by_elapsed).cast_signed().unsigned_abs() <= most)
                    .unwrap_or(by_elapsed);
                // At least one tick: two frames of one timestamp would be one frame to a decoder.
                let ahead = out.wrapping_sub(newest.timestamp).cast_signed().max(1);
                newest.timestamp.wrapping_add_signed(ahead)
            }
        };
        self.timestamp_offset = out.wrapping_sub(timestamp);
        self.segments.clear();
        self.push(Segment { from: source, out: self.next_sequence });
        self.newest = Some(Newest { source: source.saturating_sub(1), timestamp: out, at: now });
    }

    /// Whether newer packets of the current source have left room for this one: a receiver misses its number.
    pub(crate) fn is_awaited(&self, source: Index) -> bool {
        self.newest.is_some_and(|newest| source < newest.source)
    }

    /// A packet of the current source that is not forwarded: the numbering closes over it, if it is the newest.
    pub(crate) fn skip(&mut self, source: Index) {
        let Some(newest) = self.newest else { return };
        if source <= newest.source {
            return;
        }
        if let Some(out) = self.sequence(source) {
            if self.leaps(out) {
                return self.renumber(source + 1, Newest { source, ..newest });
            }
            self.push(Segment { from: source + 1, out });
            // What lies between the newest and the skipped one may still come, under its own number.
            self.next_sequence = self.next_sequence.max(out);
            self.newest = Some(Newest { source, ..newest });
        }
    }

    /// Numbers for a packet of the current source; `None` if it is older than everything that can be placed.
    pub(crate) fn rewrite(
        &mut self,
        source: Index,
        timestamp: u32,
        now: Instant,
    ) -> Option<Rewritten> {
        let mut sequence = self.sequence(source)?;
        let timestamp = timestamp.wrapping_add(self.timestamp_offset);
        if self.leaps(sequence) {
            sequence = self.next_sequence;
            self.renumber(source, Newest { source, timestamp, at: now });
        }
        self.next_sequence = self.next_sequence.max(sequence + 1);
        if self.newest.is_none_or(|newest| source > newest.source) {
            self.newest = Some(Newest { source, timestamp, at: now });
        }
        Some(Rewritten { sequence, timestamp })
    }

    /// What to add to a timestamp of the current source.
    pub(crate) fn timestamp_offset(&self) -> u32 {
        self.timestamp_offset
    }

    fn ticks(&self, time: Duration) -> u32 {
        let ticks = time.as_micros() * u128::from(self.clock_rate) / 1_000_000;
        // Wraps with the timestamps it counts.
        low32(u64::try_from(ticks & u128::from(u32::MAX)).unwrap_or(1))
    }

    /// Whether a number is so far ahead that a receiver, whom nothing in between reached, might count its rollovers wrong.
    fn leaps(&self, out: Index) -> bool {
        out.saturating_sub(self.next_sequence) > MAX_GAP
    }

    /// The numbering closes over what the source left out. What came before has no place any more.
    fn renumber(&mut self, from: Index, newest: Newest) {
        self.segments.clear();
        self.push(Segment { from, out: self.next_sequence });
        self.newest = Some(newest);
    }

    fn sequence(&self, source: Index) -> Option<Index> {
        let segment = self.segments.iter().rev().find(|segment| segment.from <= source)?;
        Some(segment.out + (source - segment.from))
    }

    fn push(&mut self, segment: Segment) {
        // Skipped in a row: the former break is before no packet.
        if let Some(last) = self.segments.last_mut()
            && last.out == segment.out
        {
            *last = segment;
            return;
        }
        if self.segments.len() == SEGMENTS {
            self.segments.remove(0);
        }
        self.segments.push(segment);
    }
}

#[cfg(test)]
#[path = "rewrite_tests.rs"]
mod tests;
