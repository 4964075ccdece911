//! Spreads bursts: keyframes, retransmissions and probes leave no faster than a line takes them. Sound never waits.

use std::time::{Duration, Instant};

use crate::estimate::Bitrate;

/// How far above the estimate packets leave, in hundredths. A keyframe must arrive within a few frames' time; but what
/// leaves faster than the line carries fills its queue and reads as congestion, just when pictures have come back: at 125
/// a widened line was given up again by the keyframes it had room for.
const SPEED_PERCENT: u64 = 110;

/// What may leave at once: this much time's worth. More would spare turns of the worker and be a queue before the line.
const BURST: Duration = Duration::from_millis(10);

/// …or this many bytes, three packets: a narrow line must not wait for each single one.
const BURST_BYTES: u64 = 3_600;

/// Least wait. Shorter would cost more turns of the worker than the line notices.
const LEAST_WAIT: Duration = Duration::from_millis(1);

/// Longest wait until it is looked at again.
const MOST_WAIT: Duration = Duration::from_millis(100);

/// The most that can be ahead of the line, as time: longer smooths more, shorter lets pictures go on sooner after a jam.
const MOST_DEBT: Duration = Duration::from_millis(250);

/// A leaky bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pacer {
    /// `None`: nothing waits.
    speed: Option<Bitrate>,
    /// Bytes ahead of the line.
    level: u64,
    since: Instant,
}

impl Pacer {
    pub(crate) fn new(now: Instant) -> Self {
        Self { speed: None, level: 0, since: now }
    }

    /// Follows the estimate.
    pub(crate) fn set(&mut self, estimate: Option<Bitrate>, now: Instant) {
        self.drain(now);
        self.speed = estimate.map(|estimate| estimate.percent(SPEED_PERCENT));
    }

    /// Counts what leaves, sound too.
    pub(crate) fn sent(&mut self, bytes: u64, now: Instant) {
        self.drain(now);
        if self.speed.is_some() {
            // Sound is never held back: what it sends beyond the line must not hold pictures for ever.
            let most = self.speed.map_or(0, |speed| speed.bytes_in(MOST_DEBT)) + BURST_BYTES;
            self.level = self.level.saturating_add(bytes).min(most);
        }
    }

    /// How long a packet of a picture must wait; `None` if it may leave.
    pub(crate) fn wait(&mut self, now: Instant) -> Option<Duration> {
        self.drain(now);
        let speed = self.speed?;
        let burst = speed.bytes_in(BURST).max(BURST_BYTES);
        let ahead = self.level.checked_sub(burst)?;
        Some(speed.time_for(ahead).clamp(LEAST_WAIT, MOST_WAIT))
    }

    fn drain(&mut self, now: Instant) {
        match self.speed {
            Some(speed) => {
                let gone = speed.bytes_in(now.saturating_duration_since(self.since));
                // Less than a byte is kept for later.
                if gone > 0 {
                    self.level = self.level.saturating_sub(gone);
                    self.since = now;
                }
            }
            None => (self.level, self.since) = (0, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::anchor;

    /// Bytes sent in each of ten 100 ms, of as much as may leave.
    fn sent(estimate: Option<Bitrate>) -> Vec<u64> {
        let mut now = anchor();
        let mut pacer = Pacer::new(now);
        pacer.set(estimate, now);
        (0..10)
            .map(|_| {
                let mut bytes = 0;
                for _ in 0..100 {
                    while pacer.wait(now).is_none() && bytes < 1_000_000 {
                        pacer.sent(1_200, now);
                        bytes += 1_200;
                    }
                    now += Duration::from_millis(1);
                }
                bytes
            })
            .collect()
    }

    #[test]
    fn sound_beyond_the_line_holds_pictures_for_a_moment_and_not_for_as_long_as_it_lasted() {
        let start = anchor();
        let mut pacer = Pacer::new(start);
        pacer.set(Some(Bitrate::kbps(30)), start);
        for step in 0..3_000_u32 {
            pacer.sent(500, start + Duration::from_millis(20) * step);
        }
        let now = start + Duration::from_secs(60);
        pacer.set(Some(Bitrate::kbps(1_000)), now);

        assert!(pacer.wait(now + Duration::from_millis(250)).is_none());
    }

    #[test]
    fn a_burst_leaves_little_faster_than_the_estimate_after_its_beginning() {
        let sent = sent(Some(Bitrate::kbps(800)));

        // 11 kB in 100 ms, and three packets more at first.
        assert!((12_000..17_000).contains(&sent[0]), "{sent:?}");
        assert!(sent[1..].iter().all(|bytes| (9_600..12_500).contains(bytes)), "{sent:?}");
    }

    #[test]
    fn without_an_estimate_nothing_waits() {
        assert!(sent(None).iter().all(|bytes| *bytes >= 1_000_000));
    }
}
