//! Statistics of one received SSRC for receiver reports (RFC 3550 appendix A.3 and A.8).

use std::time::Instant;

use crate::bytes::low32;
use crate::plan::Ssrc;
use crate::rtcp;
use crate::srtp::Index;
use crate::time::{NtpTime, WallClock, duration_to_ntp};

#[derive(Clone, Debug)]
pub(crate) struct Statistics {
    first: Option<Index>,
    highest: Index,
    received: u64,
    expected_before: u64,
    received_before: u64,
    transit: Option<u32>,
    /// Scaled by 16.
    jitter: u32,
    clock_rate: u32,
    last_report: Option<(NtpTime, Instant)>,
}

/// One interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) block: rtcp::Reception,
    /// Packets that should have come in this interval…
    pub(crate) expected: u64,
    /// …and those that did: more, if some were late in the last.
    pub(crate) received: u64,
}

impl Statistics {
    /// `clock_rate` in Hz.
    pub(crate) fn new(clock_rate: u32) -> Self {
        Self {
            first: None,
            highest: 0,
            received: 0,
            expected_before: 0,
            received_before: 0,
            transit: None,
            jitter: 0,
            clock_rate,
            last_report: None,
        }
    }

    pub(crate) fn received(
        &mut self,
        sequence: Index,
        timestamp: u32,
        clock: &WallClock,
        now: Instant,
    ) {
        self.first = Some(self.first.map_or(sequence, |first| first.min(sequence)));
        self.highest = self.highest.max(sequence);
        self.received += 1;
        let arrival = (u128::from(clock.ntp(now).0) * u128::from(self.clock_rate)) >> 32;
        let arrival = low32(u64::try_from(arrival & u128::from(u64::MAX)).unwrap_or(0));
        let transit = arrival.wrapping_sub(timestamp);
        if let Some(before) = self.transit {
            let step = transit.wrapping_sub(before);
            let step = step.min(step.wrapping_neg());
            self.jitter =
                self.jitter.saturating_add(step).saturating_sub(self.jitter.saturating_add(8) >> 4);
        }
        self.transit = Some(transit);
    }

    pub(crate) fn sender_report(&mut self, ntp: NtpTime, now: Instant) {
        self.last_report = Some((ntp, now));
    }

    /// The report about this SSRC; `None` before its first packet. Begins a new interval.
    pub(crate) fn report(&mut self, ssrc: Ssrc, now: Instant) -> Option<Report> {
        let expected = self.highest - self.first? + 1;
        let lost = expected.saturating_sub(self.received);
        let expected_now = expected - self.expected_before;
        let received_now = self.received - self.received_before;
        let lost_now = expected_now.saturating_sub(received_now);
        self.expected_before = expected;
        self.received_before = self.received;
        let fraction = (lost_now << 8).checked_div(expected_now).unwrap_or(0);
        let (last_sender_report, delay) = self.last_report.map_or((0, 0), |(ntp, at)| {
            let delay = duration_to_ntp(now.saturating_duration_since(at)) >> 16;
            (ntp.middle(), u32::try_from(delay).unwrap_or(u32::MAX))
        });
        let block = rtcp::Reception {
            ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            cumulative_lost: u32::try_from(lost).unwrap_or(u32::MAX).min(0x007f_ffff),
            highest: low32(self.highest),
            jitter: self.jitter >> 4,
            last_sender_report,
            delay,
        };
        Some(Report { block, expected: expected_now, received: received_now })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::time::anchor;

    #[test]
    fn a_tenth_lost_is_reported_as_a_tenth() {
        let start = anchor();
        let clock = WallClock::new(start, NtpTime(0));
        let mut statistics = Statistics::new(48_000);
        for step in 0..100_u32 {
            if step % 10 != 3 {
                let now = start + Duration::from_millis(20 * u64::from(step));
                statistics.received(65_500 + u64::from(step), step * 960, &clock, now);
            }
        }

        let Report { block: report, expected, received } =
            statistics.report(Ssrc(7), start).unwrap();

        assert_eq!(report.fraction_lost, 25, "of 256");
        assert_eq!(report.cumulative_lost, 10);
        assert_eq!((expected, received), (100, 90));
        assert_eq!(report.highest, 65_599);
        assert!(report.jitter <= 1, "packets were on time: {}", report.jitter);
        assert_eq!(statistics.report(Ssrc(7), start).unwrap().block.fraction_lost, 0);
    }

    #[test]
    fn a_packet_that_a_report_overtook_is_received_in_the_next() {
        let start = anchor();
        let clock = WallClock::new(start, NtpTime(0));
        let mut statistics = Statistics::new(48_000);
        let mut report = |sequences: &[Index]| {
            sequences.iter().for_each(|it| statistics.received(*it, 0, &clock, start));
            let Report { expected, received, .. } = statistics.report(Ssrc(7), start).unwrap();
            (expected, received)
        };
        assert_eq!(report(&[10, 11, 13]), (4, 3));
        assert_eq!(report(&[12, 14, 15]), (2, 3));
    }
}
