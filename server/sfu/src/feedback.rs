//! Arrival times for the publishers' congestion control: transport-wide feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01). Without it Chromium stays at its first estimate.

use std::time::Instant;

use crate::bytes::{Writer, low16, low32};
use crate::limits::MAX_ARRIVALS;
use crate::plan::Ssrc;
use crate::quality::Tally;
use crate::rtcp::{PAYLOAD_FEEDBACK_HEADER_BYTES, TRANSPORT_FEEDBACK};

/// Ticks of 250 µs, the unit of a delta.
type Ticks = i64;

/// One tick of the reference time in ticks of a delta: 64 ms.
const REFERENCE_TICKS: i64 = 256;

/// Packets reported in one feedback: keeps it below one datagram whatever the pattern.
const MAX_STATUSES: u64 = 300;

/// What arrived from one peer and was not reported yet.
#[derive(Debug)]
pub(crate) struct Arrivals {
    epoch: Instant,
    packets: Vec<(u64, Ticks)>,
    last: Option<u64>,
    /// The next sequence number to report.
    next: Option<u64>,
    count: u8,
    /// Packets that were reported.
    pub(crate) tally: Tally,
}

impl Arrivals {
    pub(crate) fn new(now: Instant) -> Self {
        let tally = Tally::default();
        Self { epoch: now, packets: Vec::new(), last: None, next: None, count: 0, tally }
    }

    /// Notes the transport-wide sequence number of a packet.
    pub(crate) fn note(&mut self, sequence: u16, now: Instant) {
        let extended = match self.last {
            // Room below the first one for what was overtaken.
            None => u64::from(sequence) + (1 << 16),
            Some(last) => {
                let ahead = sequence.wrapping_sub(low16(last));
                if ahead < 0x8000 {
                    last + u64::from(ahead)
                } else {
                    last.saturating_sub(u64::from(ahead.wrapping_neg()))
                }
            }
        };
        self.last = Some(self.last.map_or(extended, |last| last.max(extended)));
        if self.packets.capacity() == 0 {
            self.packets.reserve_exact(MAX_ARRIVALS);
        }
        if self.packets.len() < MAX_ARRIVALS {
            let micros = now.saturating_duration_since(self.epoch).as_micros();
            self.packets.push((extended, i64::try_from(micros / 250).unwrap_or(i64::MAX)));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Writes one feedback packet; its length. `None` if nothing arrived. To be called until then.
    pub(crate) fn write(&mut self, sender: Ssrc, media: Ssrc, buffer: &mut [u8]) -> Option<usize> {
        self.packets.sort_unstable();
        self.packets.dedup_by_key(|(sequence, _)| *sequence);
        if let Some(next) = self.next {
            // Overtaken by a report that called them lost: the sender has drawn its conclusion.
            let noted = self.packets.len();
            self.packets.retain(|(sequence, _)| *sequence >= next);
            self.tally.arrived += (noted - self.packets.len()) as u64;
        }
        let &(first, first_ticks) = self.packets.first()?;
        // A hole longer than one report tells nothing that its end would not tell.
        let base = self.next.filter(|next| first - next < MAX_STATUSES).unwrap_or(first);
        let reference = first_ticks / REFERENCE_TICKS;
        let mut previous = reference * REFERENCE_TICKS;
        let mut taken = 0;
        let mut end = base;
        let next = self.next.unwrap_or(base);
        let mut statuses = [Status::Lost; 300];
        let mut deltas = [0_i16; 300];
        for &(sequence, ticks) in &self.packets {
            let Ok(delta) = i16::try_from(ticks - previous) else { break };
            if sequence - base >= MAX_STATUSES {
                break;
            }
            let at = usize::try_from(sequence - base).ok()?;
            *statuses.get_mut(at)? =
                if (0..256).contains(&delta) { Status::Small } else { Status::Large };
            *deltas.get_mut(at)? = delta;
            previous = ticks;
            taken += 1;
            end = sequence + 1;
        }
        let count = usize::try_from(end - base).ok()?;
        let statuses = statuses.get(..count)?;
        let len = encode(
            Feedback { sender, media, base: low16(base), reference, count: self.count },
            statuses,
            deltas.get(..count)?,
            buffer,
        )?;
        self.count = self.count.wrapping_add(1);
        self.next = Some(end);
        self.tally.expected += end - next;
        self.tally.arrived += taken as u64;
        self.packets.drain(..taken);
        Some(len)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Lost = 0,
    Small = 1,
    Large = 2,
}

struct Feedback {
    sender: Ssrc,
    media: Ssrc,
    base: u16,
    reference: i64,
    count: u8,
}

fn encode(
    feedback: Feedback,
    statuses: &[Status],
    deltas: &[i16],
    buffer: &mut [u8],
) -> Option<usize> {
    let mut writer = Writer::new(buffer);
    // The length is known at the end.
    writer.put(&[0x80 | 15, TRANSPORT_FEEDBACK, 0, 0])?;
    writer.put(&feedback.sender.0.to_be_bytes())?;
    writer.put(&feedback.media.0.to_be_bytes())?;
    writer.put(&feedback.base.to_be_bytes())?;
    writer.put(&u16::try_from(statuses.len()).ok()?.to_be_bytes())?;
    let [_, high, middle, low] =
        low32(u64::try_from(feedback.reference).ok()? & 0x00ff_ffff).to_be_bytes();
    writer.put(&[high, middle, low, feedback.count])?;
    let mut rest = statuses;
    while let Some(&first) = rest.first() {
        let run = rest.iter().take_while(|status| **status == first).count();
        let (chunk, used) = if run >= 7 {
            ((first as u16) << 13 | u16::try_from(run).ok()?, run)
        } else {
            let vector = rest
                .iter()
                .take(7)
                .zip((0..7).rev())
                .fold(0xc000, |chunk, (status, place)| chunk | (*status as u16) << (2 * place));
            (vector, rest.len().min(7))
        };
        writer.put(&chunk.to_be_bytes())?;
        rest = rest.get(used..)?;
    }
    for (status, delta) in statuses.iter().zip(deltas) {
        match status {
            Status::Lost => {}
            Status::Small => writer.put(&[u8::try_from(*delta).ok()?])?,
            Status::Large => writer.put(&delta.to_be_bytes())?,
        }
    }
    // libwebrtc marks the filling as padding; so do we.
    let padding = writer.len().next_multiple_of(4) - writer.len();
    for place in (1..=padding).rev() {
        let last = if place == 1 { u8::try_from(padding).ok()? } else { 0 };
        writer.put(&[last])?;
    }
    let len = writer.len();
    let words = u16::try_from(len / 4 - 1).ok()?;
    buffer.get_mut(2..4)?.copy_from_slice(&words.to_be_bytes());
    if padding > 0 {
        *buffer.first_mut()? |= 0x20;
    }
    debug_assert!(len >= PAYLOAD_FEEDBACK_HEADER_BYTES + 8);
    Some(len)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rtc_rtcp::transport_feedbacks::transport_layer_cc::{
        PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
    };
    use rtc_shared::marshal::Unmarshal;

    use super::*;
    use crate::time::anchor;

    /// Sequence numbers and arrival ticks as rtc-rtcp reads them.
    fn read(bytes: &[u8]) -> Vec<(u16, Option<i64>)> {
        let parsed = TransportLayerCc::unmarshal(&mut &bytes[..]).unwrap();
        let mut symbols = Vec::new();
        for chunk in &parsed.packet_chunks {
            match chunk {
                PacketStatusChunk::RunLengthChunk(run) => {
                    symbols.extend((0..run.run_length).map(|_| run.packet_status_symbol))
                }
                PacketStatusChunk::StatusVectorChunk(vector) => {
                    symbols.extend(vector.symbol_list.iter().copied());
                }
            }
        }
        symbols.truncate(usize::from(parsed.packet_status_count));
        let mut ticks = i64::from(parsed.reference_time) * REFERENCE_TICKS;
        let mut deltas = parsed.recv_deltas.iter();
        (0..)
            .zip(symbols)
            .map(|(at, symbol)| {
                let sequence = parsed.base_sequence_number.wrapping_add(at);
                let arrival = (symbol != SymbolTypeTcc::PacketNotReceived).then(|| {
                    ticks += deltas.next().unwrap().delta / 250;
                    ticks
                });
                (sequence, arrival)
            })
            .collect()
    }

    #[test]
    fn arrivals_read_back_by_rtc_rtcp_are_those_noted_with_losses_wraps_and_reordering() {
        let start = anchor();
        let mut arrivals = Arrivals::new(start);
        let mut expected = Vec::new();
        for step in 0..200_u16 {
            let sequence = 65_480_u16.wrapping_add(step);
            if step % 13 == 5 || (100..130).contains(&step) {
                expected.push((sequence, None));
                continue;
            }
            let at = i64::from(step) * 20 + i64::from(step % 3) * 30;
            expected.push((sequence, Some(at)));
            arrivals.note(sequence, start + Duration::from_micros(at as u64 * 250));
        }
        let mut buffer = [0; 1_200];

        let len = arrivals.write(Ssrc(1), Ssrc(2), &mut buffer).unwrap();

        assert_eq!(len % 4, 0);
        assert_eq!(read(&buffer[..len]), expected);
        assert_eq!(arrivals.write(Ssrc(1), Ssrc(2), &mut buffer), None);
    }

    #[test]
    fn the_next_feedback_begins_where_the_last_ended_and_names_the_loss_between() {
        let start = anchor();
        let mut arrivals = Arrivals::new(start);
        let mut buffer = [0; 1_200];
        arrivals.note(7, start);
        arrivals.write(Ssrc(1), Ssrc(2), &mut buffer).unwrap();
        arrivals.note(10, start + Duration::from_secs(30));
        arrivals.note(8, start + Duration::from_secs(30));

        let len = arrivals.write(Ssrc(1), Ssrc(2), &mut buffer).unwrap();

        let at = Some(120_000);
        assert_eq!(read(&buffer[..len]), [(8, at), (9, None), (10, at)]);
    }

    #[test]
    fn a_flood_of_arrivals_stays_bounded_and_is_split() {
        let start = anchor();
        let mut arrivals = Arrivals::new(start);
        for step in 0..5_000_u16 {
            arrivals.note(step.wrapping_mul(17), start + Duration::from_millis(u64::from(step)));
        }
        let mut buffer = [0; 1_200];
        let mut packets = 0;
        while arrivals.write(Ssrc(1), Ssrc(2), &mut buffer).is_some() {
            packets += 1;
        }

        assert!((1..=MAX_ARRIVALS).contains(&packets), "{packets}");
        assert!(arrivals.is_empty());
    }

    #[test]
    fn a_packet_that_a_report_overtook_is_late_and_not_lost() {
        let start = anchor();
        let mut arrivals = Arrivals::new(start);
        let mut buffer = [0; 1_200];
        for sequence in [1, 2, 4, 6] {
            arrivals.note(sequence, start);
        }
        arrivals.write(Ssrc(1), Ssrc(2), &mut buffer);
        assert_eq!(arrivals.tally.take(), Tally { expected: 6, arrived: 4 });
        for sequence in [5, 7, 400, 401] {
            arrivals.note(sequence, start);
        }
        while arrivals.write(Ssrc(1), Ssrc(2), &mut buffer).is_some() {}
        assert_eq!(arrivals.tally.take(), Tally { expected: 395, arrived: 4 });
    }
}
