//! What a subscriber's transport-wide feedback says about our packets
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1). A view: nothing is copied or allocated.

use crate::bytes::{u16_at, u32_at};
use crate::limits::MAX_ACKNOWLEDGED;

/// One feedback message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acknowledgement<'a> {
    base: u16,
    count: u16,
    /// 24 bits, in units of 64 ms.
    pub(crate) reference: u32,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

/// What became of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) sequence: u16,
    /// Ticks of 250 µs after the reference time; `None` if it has not arrived.
    pub(crate) arrival: Option<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symbol {
    NotReceived,
    SmallDelta,
    LargeDelta,
}

impl<'a> Acknowledgement<'a> {
    /// From a whole RTCP packet. `None` if its chunks end before its count, or the count is beyond what is remembered.
    pub(crate) fn parse(packet: &'a [u8]) -> Option<Self> {
        let base = u16_at(packet, 12)?;
        let count = u16_at(packet, 14)?;
        let reference = u32_at(packet, 16)? >> 8;
        let rest = packet.get(20..)?;
        if count == 0 || count > MAX_ACKNOWLEDGED {
            return None;
        }
        let mut covered = 0;
        let mut end = 0;
        while covered < count {
            covered = covered.saturating_add(Chunk(u16_at(rest, end)?).len());
            end += 2;
        }
        let (chunks, deltas) = rest.split_at_checked(end)?;
        Some(Self { base, count, reference, chunks, deltas })
    }

    /// Each packet in order. Ends early where deltas are missing.
    pub(crate) fn fates(&self) -> impl Iterator<Item = Fate> + use<'a> {
        let symbols = self.chunks.chunks_exact(2).flat_map(|bytes| {
            let chunk = Chunk(u16_at(bytes, 0).unwrap_or(0));
            (0..chunk.len()).map(move |at| chunk.symbol(at))
        });
        let mut deltas = self.deltas;
        let mut ticks = 0_i32;
        let base = self.base;
        (0..self.count).zip(symbols).map_while(move |(at, symbol)| {
            let delta = match symbol {
                Symbol::NotReceived => None,
                Symbol::SmallDelta => {
                    let (delta, rest) = deltas.split_first()?;
                    deltas = rest;
                    Some(i32::from(*delta))
                }
                Symbol::LargeDelta => {
                    let (delta, rest) = deltas.split_first_chunk::<2>()?;
                    deltas = rest;
                    Some(i32::from(i16::from_be_bytes(*delta)))
                }
            };
            let arrival = delta.map(|delta| {
                ticks = ticks.saturating_add(delta);
                ticks
            });
            Some(Fate { sequence: base.wrapping_add(at), arrival })
        })
    }
}

/// A run of one symbol, 14 symbols of one bit or 7 of two.
#[derive(Clone, Copy)]
struct Chunk(u16);

impl Chunk {
    fn len(self) -> u16 {
        match self.0 >> 14 {
            0 | 1 => self.0 & 0x1fff,
            2 => 14,
            _ => 7,
        }
    }

    fn symbol(self, at: u16) -> Symbol {
        let bits = match self.0 >> 14 {
            0 | 1 => self.0 >> 13,
            2 => self.0 >> (13 - at.min(13)) & 1,
            _ => self.0 >> (2 * (6 - at.min(6))) & 3,
        };
        match bits {
            1 => Symbol::SmallDelta,
            2 => Symbol::LargeDelta,
            // 3 is reserved: whatever it means, it says no time.
            _ => Symbol::NotReceived,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::feedback::Arrivals;
    use crate::plan::Ssrc;
    use crate::time::anchor;

    #[test]
    fn feedback_as_we_write_it_is_read_back_with_losses_and_large_deltas() {
        let start = anchor();
        let mut arrivals = Arrivals::new(start);
        let mut expected = Vec::new();
        for step in 0..120_u16 {
            let sequence = 65_500_u16.wrapping_add(step);
            let is_lost = step % 11 == 3 || (40..60).contains(&step);
            let ticks = 512 + i32::from(step) * 90 + if step > 80 { 900 } else { 0 };
            expected.push((sequence, (!is_lost).then_some(ticks)));
            if !is_lost {
                arrivals.note(sequence, start + Duration::from_micros(ticks as u64 * 250));
            }
        }
        let mut buffer = [0; 1_200];
        let len = arrivals.write(Ssrc(1), Ssrc(2), &mut buffer).unwrap();

        let read = Acknowledgement::parse(&buffer[..len]).unwrap();

        assert_eq!(read.reference, 2);
        let seen: Vec<_> = read
            .fates()
            .map(|fate| (fate.sequence, fate.arrival.map(|ticks| ticks + 512)))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn vectors_of_one_bit_are_read() {
        let mut packet = vec![0x8f, 205, 0, 6, 0, 0, 0, 1, 0, 0, 0, 2];
        packet.extend([0, 9, 0, 4, 0, 0, 1, 0, 0b1010_1100, 0, 5, 6, 7, 0]);

        let fates: Vec<_> =
            Acknowledgement::parse(&packet).unwrap().fates().map(|fate| fate.arrival).collect();

        assert_eq!(fates, [Some(5), None, Some(11), Some(18)]);
    }

    #[test]
    fn truncated_and_endless_feedback_is_refused_or_ends() {
        let mut packet = vec![0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2];
        packet.extend([0, 9, 0, 20, 0, 0, 1, 0, 0x20, 20, 5, 6]);
        assert_eq!(Acknowledgement::parse(&packet).unwrap().fates().count(), 2);
        for cut in 0..22 {
            assert!(Acknowledgement::parse(&packet[..cut]).is_none(), "{cut}");
        }

        packet[14..16].copy_from_slice(&[0xff, 0xff]);
        assert!(Acknowledgement::parse(&packet).is_none());
    }
}
