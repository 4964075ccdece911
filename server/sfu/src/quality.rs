//! Loss of one way of a peer, in steps that people can act on and that do not flicker.

use std::time::{Duration, Instant};

use crate::event::Loss;

/// Packets of one way of a line: those that should have come by now, and those that did. One that comes after it was missed is
/// expected in one interval and arrives in the next, where more may arrive than are expected.
///
/// Counted by transport-wide sequence numbers, which no repair hides: what is sent again has a number of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) expected: u64,
    pub(crate) arrived: u64,
}

impl Tally {
    /// What was counted since the last call.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// This one, or the other where nothing was counted.
    pub(crate) fn or(self, other: Self) -> Self {
        if self.expected == 0 { other } else { self }
    }
}

/// Share of a new second in the average. Higher reacts sooner, lower does not take one bad second for a bad line.
const WEIGHT: f32 = 0.3;

/// A better step is shown only after it has held this long; a worse one at once.
const BETTER_AFTER: Duration = Duration::from_secs(5);

/// Packets in a second below which it says nothing: one lost of ten would be called 10 %.
const MIN_PACKETS: u64 = 20;

/// What was seen of one way, and what was said of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LossMeter {
    /// Of packets, 0 to 1.
    average: f32,
    said: Loss,
    better_since: Option<Instant>,
}

impl LossMeter {
    /// Takes one interval of about a second.
    pub(crate) fn note(&mut self, tally: Tally, now: Instant) {
        let Tally { expected, arrived } = tally;
        if expected < MIN_PACKETS {
            return;
        }
        // What came late takes back the loss that it was counted as.
        #[expect(clippy::cast_precision_loss, reason = "packets of a second are few")]
        let share = (1.0 - arrived as f32 / expected as f32).max(-1.0);
        self.average += WEIGHT * (share - self.average);
        let step = Loss::of(self.average);
        if step >= self.said {
            self.said = step;
            self.better_since = None;
            return;
        }
        let since = *self.better_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= BETTER_AFTER {
            self.said = step;
            self.better_since = None;
        }
    }

    /// The step as it is to be shown.
    pub(crate) fn loss(&self) -> Loss {
        self.said
    }
}

impl Loss {
    /// `share` of packets, 0 to 1. Each step begins a fifth below its name: a line that loses 10 % has seconds of 8 %.
    fn of(share: f32) -> Self {
        match share {
            share if share >= 0.24 => Self::Thirty,
            share if share >= 0.16 => Self::Twenty,
            share if share >= 0.08 => Self::Ten,
            share if share >= 0.04 => Self::Five,
            _ => Self::Little,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::anchor;

    fn second(meter: &mut LossMeter, start: Instant, at: u64, lost: u64) -> Loss {
        let tally = Tally { expected: 100, arrived: 100 - lost };
        meter.note(tally, start + Duration::from_secs(at));
        meter.loss()
    }

    #[test]
    fn one_bad_second_is_no_bad_line_and_three_are() {
        let (start, mut meter) = (anchor(), LossMeter::default());
        assert_eq!(second(&mut meter, start, 0, 12), Loss::Little);
        assert_eq!(second(&mut meter, start, 1, 12), Loss::Five);
        assert_eq!(second(&mut meter, start, 2, 12), Loss::Five);
        assert_eq!(second(&mut meter, start, 3, 12), Loss::Ten);
    }

    #[test]
    fn a_line_is_called_better_only_after_it_was_so_for_five_seconds() {
        let (start, mut meter) = (anchor(), LossMeter::default());
        (0..20).for_each(|at| _ = second(&mut meter, start, at, 12));
        assert_eq!(meter.loss(), Loss::Ten);
        let said: Vec<_> = (20..30).map(|at| second(&mut meter, start, at, 0)).collect();
        assert_eq!(said[..5], [Loss::Ten; 5]);
        assert_eq!(said.last(), Some(&Loss::Little));
    }

    #[test]
    fn packets_that_come_late_are_not_lost() {
        let (start, mut meter) = (anchor(), LossMeter::default());
        for at in 0..40 {
            let arrived = if at % 2 == 0 { 90 } else { 110 };
            meter.note(Tally { expected: 100, arrived }, start + Duration::from_secs(at));
            assert_eq!(meter.loss(), Loss::Little);
        }
    }

    #[test]
    fn a_second_with_hardly_a_packet_says_nothing() {
        let (start, mut meter) = (anchor(), LossMeter::default());
        for at in 0..20 {
            meter.note(Tally { expected: 10, arrived: 5 }, start + Duration::from_secs(at));
        }
        assert_eq!(meter.loss(), Loss::Little);
    }
}
