//! Scripted visits: who is there, on which devices, with drops, holds and calls that are cut.

use clinical::actor::Millis;
use clinical::id::SeatId;
use clinical::time::{Attendance, Event, Live, Side};
use uuid::Uuid;

/// Scripts are made of tenths of a second.
pub(crate) const TICK_MS: i64 = 100;

/// Random numbers with a seed (xorshift64*, Vigna 2016).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % limit
    }

    fn ticks(&mut self, from_s: u64, to_s: u64) -> i64 {
        i64::try_from(from_s * 10 + self.below((to_s - from_s) * 10 + 1)).unwrap()
    }
}

/// A device with live media from one tick to another.
pub(crate) struct Presence {
    pub(crate) side: Side,
    pub(crate) live: Live,
    pub(crate) from: i64,
    pub(crate) to: i64,
    seat: SeatId,
}

/// A visit.
pub(crate) struct Script {
    pub(crate) presences: Vec<Presence>,
    /// Where calls begin and end, in order, in ticks.
    pub(crate) calls: Vec<(i64, i64)>,
    pub(crate) drops: usize,
    pub(crate) ticks: i64,
}

impl Script {
    pub(crate) fn random(random: &mut Random) -> Self {
        let ticks = random.ticks(600, 3_600);
        let mut script = Self { presences: Vec::new(), calls: Vec::new(), drops: 0, ticks };
        // The patient waits outside for a while, on every device: a hold.
        let holds: Vec<(i64, i64)> = (0..random.below(3))
            .map(|_| {
                let from = random.ticks(0, 3_000);
                (from, from + script.gap(random))
            })
            .collect();
        for (n, side) in [
            (1, Side::Pharmacist),
            (2, Side::Pharmacist),
            (3, Side::Patient),
            (4, Side::Patient),
            (5, Side::Patient),
        ] {
            let comes = matches!(n, 1 | 3) || random.below(2) == 0;
            if comes {
                script.seat(SeatId(Uuid::from_u128(n)), side, &holds, random);
            }
        }
        script.cut(random);
        script
    }

    /// The length of a gap, often right at the tolerance.
    fn gap(&mut self, random: &mut Random) -> i64 {
        self.drops += 1;
        match random.below(5) {
            0 => 1_199,
            1 => 1_200,
            2 => 1_201,
            _ => random.ticks(1, 240),
        }
    }

    fn seat(&mut self, seat: SeatId, side: Side, holds: &[(i64, i64)], random: &mut Random) {
        let mut at = random.ticks(0, 240);
        while at < self.ticks {
            let live = match random.below(6) {
                0 => Live::Phone,
                1 | 2 => Live::Audio,
                _ => Live::Video,
            };
            let to = (at + random.ticks(5, 1_200)).min(self.ticks);
            let mut pieces = vec![(at, to)];
            if side == Side::Patient {
                for (from, until) in holds {
                    pieces = pieces
                        .into_iter()
                        .flat_map(|(a, b)| [(a, b.min(*from)), (a.max(*until), b)])
                        .filter(|(a, b)| a < b)
                        .collect();
                }
            }
            for (from, to) in pieces {
                self.presences.push(Presence { side, live, from, to, seat });
            }
            // On with another picture at once, or a drop.
            at = to + if random.below(3) == 0 { 0 } else { self.gap(random) };
        }
    }

    /// Cuts the visit into calls, with time between them that belongs to none.
    fn cut(&mut self, random: &mut Random) {
        let mut from = 0;
        while from < self.ticks {
            let to = if random.below(2) == 0 { self.ticks } else { from + random.ticks(60, 2_000) };
            self.calls.push((from, to.min(self.ticks)));
            from = to + self.gap(random);
        }
    }

    /// What the calls would have written down.
    pub(crate) fn calls(&self) -> Vec<Attendance> {
        self.calls
            .iter()
            .map(|(begin, end)| {
                let mut events = Vec::new();
                for Presence { side, live, from, to, seat } in &self.presences {
                    let (from, to) = (*from.max(begin), *to.min(end));
                    if from < to {
                        let event = |at: i64, live| Event {
                            at: Millis(at * TICK_MS),
                            seat: *seat,
                            side: *side,
                            live,
                        };
                        events.push((from, 1, event(from, *live)));
                        // The end of a call is not written as an event of each seat.
                        if to < *end {
                            events.push((to, 0, event(to, Live::Off)));
                        }
                    }
                }
                // Of one tick, what ends comes before what begins.
                events.sort_by_key(|(at, begins, _)| (*at, *begins));
                let events = events.into_iter().map(|(_, _, event)| event).collect();
                Attendance { events, until: Millis(end * TICK_MS) }
            })
            .collect()
    }
}
