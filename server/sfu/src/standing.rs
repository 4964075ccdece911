//! Whether packets stand in a queue on their way. A queue that is full stays as it is, and whoever looks for a delay that
//! grows sees nothing: here the delay is held against the least that was seen.

use std::time::{Duration, Instant};

/// So much more than the least is a queue. Radio links waver by less, a full line makes it several hundred.
const QUEUE_MICROS: i64 = 100_000;

/// The least is remembered for one to two of these: longer finds a queue that stands, shorter follows a path that changed,
/// and two clocks that drift apart by 100 ppm stay within 6 ms.
const LEAST_MEMORY: Duration = Duration::from_secs(30);

/// Delays between two clocks that nobody has set: only their differences mean something.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    /// In this memory and in the last.
    least: [Option<i64>; 2],
    since: Option<Instant>,
    seen: Option<Instant>,
}

impl Standing {
    /// Notes that a packet took this long, in µs.
    pub(crate) fn note(&mut self, delay: i64, now: Instant) {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= LEAST_MEMORY {
            self.since = Some(now);
            self.least = [None, self.least[0]];
        }
        let recent = self.least[0].map_or(delay, |least| least.min(delay));
        self.least[0] = Some(recent);
        let least = self.least[1].map_or(recent, |before| before.min(recent));
        if delay.saturating_sub(least) > QUEUE_MICROS {
            self.seen = Some(now);
        }
    }

    /// Whether one was seen within this time.
    pub(crate) fn within(&self, memory: Duration, now: Instant) -> bool {
        self.seen.is_some_and(|seen| now.saturating_duration_since(seen) < memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::anchor;

    const MEMORY: Duration = Duration::from_secs(10);

    #[test]
    fn a_queue_that_stands_is_seen_as_long_as_it_does_and_a_longer_path_is_no_queue_in_the_end() {
        let (start, mut standing) = (anchor(), Standing::default());
        let second = |at| start + Duration::from_secs(at);
        // Clocks apart by a day.
        let delay = |ms: i64| -86_400_000_000 + ms * 1_000;
        (0..5).for_each(|at| {
            standing.note(delay(20 + i64::try_from(at % 3).unwrap() * 30), second(at))
        });
        assert!(!standing.within(MEMORY, second(5)), "it only wavers");
        (5..30).for_each(|at| standing.note(delay(420), second(at)));
        assert!(standing.within(MEMORY, second(35)));
        (30..120).for_each(|at| standing.note(delay(420), second(at)));
        assert!(!standing.within(MEMORY, second(120)), "a satellite, not a queue");
    }
}
