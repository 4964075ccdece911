//! A token bucket that is told the time.

use clinical::actor::Millis;

/// So many a second, so many at once after a pause. Counts thousandths, so that a millisecond refills a fraction.
pub(super) struct Bucket {
    thousandths: u64,
    per_second: u64,
    burst: u64,
    last: Millis,
}

impl Bucket {
    pub(super) fn new(now: Millis, per_second: u32, burst: u32) -> Self {
        let burst = u64::from(burst).saturating_mul(1000);
        Self { thousandths: burst, per_second: u64::from(per_second), burst, last: now }
    }

    /// Takes one. A clock that went back refills nothing.
    pub(super) fn take(&mut self, now: Millis) -> bool {
        let passed = u64::try_from(now.0.saturating_sub(self.last.0)).unwrap_or(0);
        self.last = now;
        self.thousandths =
            passed.saturating_mul(self.per_second).saturating_add(self.thousandths).min(self.burst);
        let enough = self.thousandths >= 1000;
        if enough {
            self.thousandths = self.thousandths.saturating_sub(1000);
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut bucket = Bucket::new(Millis(0), 50, 100);
        assert_eq!((0..200).filter(|_| bucket.take(Millis(0))).count(), 100);
        assert_eq!((0..200).filter(|_| bucket.take(Millis(1_000))).count(), 50);
        assert!(!bucket.take(Millis(500)), "a clock that went back gives nothing");
    }
}
