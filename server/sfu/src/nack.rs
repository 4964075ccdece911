//! Asking a publisher for what was lost (RFC 4585 §6.2.1).

use std::time::{Duration, Instant};

use crate::limits::{MAX_MISSING, MAX_NACK_TRIES, NACK_DELAY, NACK_FLOOR, NACK_SHARE};
use crate::srtp::Index;

/// Missing packets of one layer.
#[derive(Debug)]
pub(crate) struct Missing {
    packets: Vec<Packet>,
    highest: Option<Index>,
    give_up: Duration,
    traffic: Traffic,
}

/// What came and what was asked for in the current second.
#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    since: Option<Instant>,
    received: u32,
    received_before: u32,
    asked: u32,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    sequence: Index,
    since: Instant,
    asked: Option<Instant>,
    tries: u8,
}

/// What a gap asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repair {
    Possible,
    /// Too much is missing, or for too long: only a keyframe helps.
    Keyframe,
}

impl Missing {
    pub(crate) fn new(give_up: Duration) -> Self {
        Self { packets: Vec::new(), highest: None, give_up, traffic: Traffic::default() }
    }

    /// Notes a packet that came, by whatever way.
    pub(crate) fn received(&mut self, sequence: Index, now: Instant) -> Repair {
        self.traffic.received(now);
        let Some(highest) = self.highest else {
            self.highest = Some(sequence);
            return Repair::Possible;
        };
        if sequence <= highest {
            self.packets.retain(|packet| packet.sequence != sequence);
            return Repair::Possible;
        }
        self.highest = Some(sequence);
        let gap = usize::try_from(sequence - highest - 1).unwrap_or(usize::MAX);
        if self.packets.len().saturating_add(gap) > MAX_MISSING {
            self.packets.clear();
            return Repair::Keyframe;
        }
        self.packets.extend((highest + 1..sequence).map(|sequence| Packet {
            sequence,
            since: now,
            asked: None,
            tries: 0,
        }));
        Repair::Possible
    }

    /// Calls `ask` with each packet to be asked for now.
    pub(crate) fn due(
        &mut self,
        rtt: Duration,
        now: Instant,
        mut ask: impl FnMut(Index),
    ) -> Repair {
        let highest = self.highest.unwrap_or(0);
        let mut repair = Repair::Possible;
        let give_up = self.give_up;
        let traffic = &mut self.traffic;
        self.packets.retain_mut(|packet| {
            let age = now.saturating_duration_since(packet.since);
            if age >= give_up || packet.tries >= MAX_NACK_TRIES {
                repair = Repair::Keyframe;
                return false;
            }
            let is_due = match packet.asked {
                None => age >= NACK_DELAY || highest - packet.sequence >= 2,
                Some(asked) => now.saturating_duration_since(asked) >= rtt,
            };
            if is_due && traffic.may_ask(now) {
                packet.asked = Some(now);
                packet.tries += 1;
                ask(packet.sequence);
            }
            true
        });
        repair
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.packets.clear();
    }
}

impl Traffic {
    fn received(&mut self, now: Instant) {
        self.turn(now);
        self.received = self.received.saturating_add(1);
    }

    /// Whether one more may be asked for; it counts.
    fn may_ask(&mut self, now: Instant) -> bool {
        self.turn(now);
        let most = self.received.max(self.received_before) / NACK_SHARE + NACK_FLOOR;
        let may = self.asked < most;
        self.asked += u32::from(may);
        may
    }

    fn turn(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since).as_secs();
        if passed >= 1 {
            let received_before = if passed == 1 { self.received } else { 0 };
            *self = Self { since: Some(now), received: 0, received_before, asked: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{DEFAULT_RTT, NACK_GIVE_UP};
    use crate::time::anchor;

    fn due(missing: &mut Missing, now: Instant) -> (Vec<Index>, Repair) {
        let mut asked = Vec::new();
        let repair = missing.due(DEFAULT_RTT, now, |sequence| asked.push(sequence));
        (asked, repair)
    }

    #[test]
    fn a_gap_is_asked_for_once_a_round_trip_until_it_is_closed() {
        let start = anchor();
        let at = |ms| start + Duration::from_millis(ms);
        let mut missing = Missing::new(NACK_GIVE_UP);
        missing.received(10, at(0));
        missing.received(13, at(0));

        assert_eq!(due(&mut missing, at(1)).0, [11], "12 has one newer packet only");
        assert_eq!(due(&mut missing, at(10)).0, [12]);
        assert!(due(&mut missing, at(50)).0.is_empty());
        missing.received(12, at(60));
        assert_eq!(due(&mut missing, at(120)).0, [11]);
        missing.received(11, at(130));
        assert!(missing.is_empty());
    }

    #[test]
    fn a_line_that_loses_most_of_it_is_not_asked_for_all_of_it_again() {
        let start = anchor();
        let mut missing = Missing::new(NACK_GIVE_UP);
        let mut asked = 0;
        for step in 0..400_u32 {
            let now = start + Duration::from_millis(10) * step;
            if step % 5 == 0 {
                missing.received(u64::from(step), now);
            }
            asked += due(&mut missing, now).0.len();
        }

        // 80 packets came in four seconds, and 320 did not.
        let most = 80 / NACK_SHARE + 4 * NACK_FLOOR;
        assert!((most * 3 / 4..=most).contains(&u32::try_from(asked).unwrap()), "{asked}");
    }

    #[test]
    fn what_cannot_be_repaired_becomes_a_keyframe_request() {
        let start = anchor();
        let mut missing = Missing::new(NACK_GIVE_UP);
        missing.received(1, start);
        assert_eq!(missing.received(1_000, start), Repair::Keyframe);
        assert!(missing.is_empty());

        missing.received(1_002, start);
        assert_eq!(due(&mut missing, start + NACK_GIVE_UP), (vec![], Repair::Keyframe));
        assert!(missing.is_empty());
    }
}
