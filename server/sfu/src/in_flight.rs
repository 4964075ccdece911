//! Packets on their way to one subscriber, by transport-wide sequence number, until their fate is told.

use crate::bandwidth::TransportIndex;
use crate::bytes::low32;
use crate::limits::MAX_ACKNOWLEDGED;

/// Packets younger than this, in µs, are not forgotten as long as there may be more: round trip and the rhythm of feedback,
/// twice. Longer costs memory.
const MEMORY_MICROS: u32 = 2_000_000;

/// Places at first: two seconds of a voice.
const FIRST: usize = 128;
const MOST: usize = MAX_ACKNOWLEDGED as usize;

/// A ring that grows to what the rate of the packets needs.
#[derive(Default)]
pub(crate) struct InFlight {
    packets: Vec<Option<Packet>>,
}

/// A packet on its way. Its numbers are cut: a ring holds neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// The lower half.
    index: u32,
    /// µs since the epoch of whoever keeps the ring, the lower half: an hour of them.
    departure: u32,
    pub(crate) bytes: u16,
    pub(crate) cargo: Cargo,
    pub(crate) fate: Fate,
}

const _: () = assert!(size_of::<Option<Packet>>() == 12, "each subscriber has hundreds");

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cargo {
    Media,
    /// A probe's padding, of which nobody misses any: it is sent to find out what gets lost.
    Padding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Unknown,
    Lost,
    Arrived,
}

impl InFlight {
    /// Notes a packet that leaves `now`, in µs since the epoch.
    pub(crate) fn note(&mut self, index: TransportIndex, bytes: u64, cargo: Cargo, now: i64) {
        if self.packets.is_empty() {
            self.packets = vec![None; FIRST];
        }
        let departure = low32(now.cast_unsigned());
        let is_young = |old: Packet| departure.wrapping_sub(old.departure) < MEMORY_MICROS;
        if self.packets.len() < MOST && self.at(index).is_some_and(is_young) {
            self.grow();
        }
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        let packet = Packet { index: low32(index), departure, bytes, cargo, fate: Fate::Unknown };
        self.put(packet);
    }

    /// The packet with this number, if it is remembered.
    pub(crate) fn get_mut(&mut self, index: TransportIndex) -> Option<&mut Packet> {
        let (index, place) = (low32(index), place(low32(index), self.packets.len()));
        self.packets.get_mut(place)?.as_mut().filter(|packet| packet.index == index)
    }

    fn at(&self, index: TransportIndex) -> Option<Packet> {
        self.packets.get(place(low32(index), self.packets.len())).copied().flatten()
    }

    fn put(&mut self, packet: Packet) {
        let place = place(packet.index, self.packets.len());
        if let Some(entry) = self.packets.get_mut(place) {
            *entry = Some(packet);
        }
    }

    fn grow(&mut self) {
        let size = (2 * self.packets.len()).min(MOST);
        let before = std::mem::replace(&mut self.packets, vec![None; size]);
        before.into_iter().flatten().for_each(|packet| self.put(packet));
    }
}

impl Packet {
    /// When it left, in µs since the epoch; `now` is less than an hour later.
    pub(crate) fn departure(&self, now: i64) -> i64 {
        now - i64::from(low32(now.cast_unsigned()).wrapping_sub(self.departure))
    }
}

/// A power of two divides the range of an index, so a place does not jump where the index wraps.
fn place(index: u32, size: usize) -> usize {
    usize::try_from(index).unwrap_or(0) & size.saturating_sub(1)
}

const _: () = assert!(FIRST.is_power_of_two() && MOST.is_power_of_two());

#[cfg(test)]
mod tests {
    use super::*;

    /// µs of a day, so that the cut numbers have wrapped.
    const DAY: i64 = 86_400_000_000;

    /// So many a second for five seconds.
    fn sent(rate: i64) -> (InFlight, TransportIndex, i64) {
        let mut in_flight = InFlight::default();
        let first = u64::from(u32::MAX) - 300;
        for step in 0..5 * rate {
            let now = DAY + step * 1_000_000 / rate;
            in_flight.note(first + step.cast_unsigned(), 1_000, Cargo::Media, now);
        }
        (in_flight, first + (5 * rate).cast_unsigned(), DAY + 5_000_000)
    }

    #[test]
    fn a_packet_is_remembered_for_two_seconds_and_its_departure_with_it() {
        for rate in [20, 150, 900] {
            let (mut in_flight, next, now) = sent(rate);
            for back in 1..=2 * rate {
                let packet = *in_flight.get_mut(next - back.cast_unsigned()).unwrap();
                let left = DAY + (5 * rate - back) * 1_000_000 / rate;
                assert_eq!(packet.departure(now), left);
            }
            assert_eq!(in_flight.get_mut(next), None);
            assert_eq!(in_flight.get_mut(next - (1 << 16)), None);
        }
    }

    #[test]
    fn its_memory_follows_the_rate_and_has_a_bound() {
        let sizes = [20, 150, 900, 100_000].map(|rate| sent(rate).0.packets.len());
        assert_eq!(sizes, [FIRST, 512, MOST, MOST]);
    }
}
