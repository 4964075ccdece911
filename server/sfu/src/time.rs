//! Wall-clock time as RTCP writes it.

use std::time::{Duration, Instant};

/// NTP timestamp (RFC 3550 §4): seconds since 1900 in the upper 32 bits, their fraction in the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// From the time since 1970-01-01 00:00 UTC. Wraps in 2036 (era 1), as RTCP does.
    pub fn from_unix(since_epoch: Duration) -> Self {
        /// Seconds from 1900 to 1970 (RFC 868).
        const EPOCH_OFFSET: u64 = 2_208_988_800;
        let seconds = since_epoch.as_secs().wrapping_add(EPOCH_OFFSET) & 0xffff_ffff;
        let fraction = (u64::from(since_epoch.subsec_nanos()) << 32) / 1_000_000_000;
        Self((seconds << 32) | fraction)
    }

    /// This much later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.wrapping_add(duration_to_ntp(by)))
    }

    /// Time from here to `later` in ticks of a clock of `rate` Hz, as an RTP timestamp counts them: modulo 2^32.
    pub(crate) fn ticks_until(self, later: Self, rate: u32) -> u32 {
        let elapsed = i128::from(later.0.wrapping_sub(self.0).cast_signed());
        let ticks = (elapsed * i128::from(rate)) >> 32;
        u32::try_from(ticks & i128::from(u32::MAX)).unwrap_or(0)
    }

    /// The middle 32 bits, as LSR and DLSR count (RFC 3550 §6.4.1): units of 1/65536 s.
    pub fn middle(self) -> u32 {
        u32::try_from((self.0 >> 16) & 0xffff_ffff).unwrap_or(u32::MAX)
    }
}

/// The wall clock, from one reading at start: later corrections of the machine's clock do not step the media's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallClock {
    at: Instant,
    wall: NtpTime,
}

impl WallClock {
    pub(crate) fn new(at: Instant, wall: NtpTime) -> Self {
        Self { at, wall }
    }

    pub(crate) fn ntp(&self, now: Instant) -> NtpTime {
        self.wall.after(now.saturating_duration_since(self.at))
    }
}

/// A length of time in NTP units of 2^-32 s.
pub(crate) fn duration_to_ntp(by: Duration) -> u64 {
    (by.as_secs() << 32).wrapping_add((u64::from(by.subsec_nanos()) << 32) / 1_000_000_000)
}

/// Some moment for tests to count from.
#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "an instant can only come from the clock; tests count from this one"
)]
pub(crate) fn anchor() -> Instant {
    Instant::now()
}
