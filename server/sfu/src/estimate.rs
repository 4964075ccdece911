//! How much a subscriber's line carries: growth and retreat as in Google Congestion Control (draft-ietf-rmcat-gcc-02 §5.5
//! and §6), composed for a relay. Our streams have the rates their publishers give them, so there is no estimate, and
//! nobody waits for one, before the first sign of congestion; after it, probes say soon what is free.

use std::time::{Duration, Instant};

use crate::redundancy::Congestion;
use crate::trendline::Load;

/// Bits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bitrate(pub(crate) u64);

impl Bitrate {
    pub(crate) const ZERO: Self = Self(0);

    pub(crate) const fn kbps(kbps: u64) -> Self {
        Self(kbps * 1_000)
    }

    /// Of bytes over a time.
    pub(crate) fn over(bytes: u64, time: Duration) -> Self {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
        Self(bytes.saturating_mul(8_000_000) / micros)
    }

    /// Bytes in a time.
    pub(crate) fn bytes_in(self, time: Duration) -> u64 {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_mul(micros) / 8_000_000
    }

    /// How long this many bytes take.
    pub(crate) fn time_for(self, bytes: u64) -> Duration {
        Duration::from_micros(bytes.saturating_mul(8_000_000) / self.0.max(1))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many hundredths of it.
    pub(crate) fn percent(self, percent: u64) -> Self {
        Self(self.0.saturating_mul(percent) / 100)
    }

    /// That of which it is so many hundredths: the inverse of `percent`.
    pub(crate) fn whole_of(self, percent: u64) -> Self {
        Self(self.0.saturating_mul(100) / percent.max(1))
    }
}

/// Never below: one voice with its headers. Higher would drown a line that carries only that.
pub(crate) const FLOOR: Bitrate = Bitrate::kbps(30);

/// Never above: what a subscriber's pictures can cost in all. Higher is never asked for.
pub(crate) const CEILING: Bitrate = Bitrate::kbps(8_000);

/// After congestion the estimate is this share of what arrived, in hundredths: below it, so that the queue empties.
const RETREAT_PERCENT: u64 = 85;

/// Growth a second without a sign of congestion, in thousandths. Probes do the long way; this follows a line that opens
/// slowly.
const GROWTH_PER_SECOND: u64 = 80;

/// What is not in use proves nothing: growth ends at this share of what arrives, in hundredths. GCC takes 150, which suits an
/// encoder that follows; we should bring back a whole picture on room that nobody has seen, and take it away again.
const PROVEN_PERCENT: u64 = 110;
/// …and this on top, or silence could never end.
const PROVEN_MARGIN: Bitrate = Bitrate::kbps(20);

/// Random loss up to this share, in hundredths, is no sign of congestion: mobile links lose as much by themselves, and
/// retransmission repairs it. GCC takes 10, around which the measure of a line that loses 10 would waver.
const TOLERATED_LOSS_PERCENT: u64 = 15;

/// More than that is believed if it exceeds it by three standard deviations of as many packets, squared and in hundredths:
/// 9 · 15 · 85. Fewer would take pictures away for a run of bad luck. Once believed, it is until the share is borne again.
const DOUBT: u64 = 9 * TOLERATED_LOSS_PERCENT * (100 - TOLERATED_LOSS_PERCENT);

/// Loss is judged over this long and this many packets: less is noise.
const LOSS_WINDOW: Duration = Duration::from_millis(500);
/// While there is doubt it is looked at for longer, up to this.
const LOSS_WINDOW_MOST: Duration = Duration::from_secs(2);
/// A judgement holds this long: where next to nothing is sent no other can be made, and only a probe finds out.
const LOSS_MEMORY: Duration = Duration::from_secs(3);
/// See [`LOSS_WINDOW`].
const LOSS_PACKETS: u64 = 20;

/// A queue that grew is remembered for this long. Loss is called off only after 5 s without it, and what a full queue lost
/// must be forgotten before it could be taken for the line's own.
pub(crate) const QUEUE_MEMORY: Duration = Duration::from_secs(10);

/// Missing feedback leaves this share, in hundredths, each time.
const SILENCE_PERCENT: u64 = 70;

/// Least time between two retreats beside the round trip: what was sent before the last must be reported first.
const RETREAT_INTERVAL: Duration = Duration::from_millis(100);

/// One line's estimate.
#[derive(Clone, Debug)]
pub(crate) struct Estimate {
    /// `None` before the first sign of congestion.
    bitrate: Option<Bitrate>,
    grown: Option<Instant>,
    retreated: Option<Instant>,
    /// When a queue was last seen to grow.
    queued: Option<Instant>,
    loss_since: Option<Instant>,
    received: u64,
    lost: u64,
    /// In the last window that was judged, and when that was.
    losing: Losing,
    judged: Option<Instant>,
}

/// Whether a line loses more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Losing {
    Little,
    TooMuch,
}

/// What one feedback says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) received: u64,
    pub(crate) lost: u64,
    /// What arrives at the other end; `None` while too little did.
    pub(crate) acknowledged: Option<Bitrate>,
    pub(crate) load: Load,
    pub(crate) round_trip: Duration,
}

impl Estimate {
    pub(crate) fn new() -> Self {
        Self {
            bitrate: None,
            grown: None,
            retreated: None,
            queued: None,
            loss_since: None,
            received: 0,
            lost: 0,
            losing: Losing::Little,
            judged: None,
        }
    }

    pub(crate) fn bitrate(&self) -> Option<Bitrate> {
        self.bitrate
    }

    /// Whether the line loses so much that room for more would be of no use.
    pub(crate) fn is_losing(&self, now: Instant) -> bool {
        self.losing == Losing::TooMuch
            && self.judged.is_some_and(|judged| now.saturating_duration_since(judged) < LOSS_MEMORY)
    }

    /// Whether a queue has lately grown.
    pub(crate) fn congestion(&self, now: Instant) -> Congestion {
        match self.queued {
            Some(queued) if now.saturating_duration_since(queued) < QUEUE_MEMORY => {
                Congestion::Seen
            }
            Some(_) | None => Congestion::Unseen,
        }
    }

    /// When it last sank for what was reported.
    pub(crate) fn retreated(&self) -> Option<Instant> {
        self.retreated
    }

    /// Takes feedback.
    pub(crate) fn report(&mut self, report: Report, now: Instant) {
        let lossy = self.loss(report, now);
        if report.load == Load::Overuse {
            self.queued = Some(now);
        }
        let interval = report.round_trip.max(RETREAT_INTERVAL);
        let is_early =
            self.retreated.is_some_and(|last| now.saturating_duration_since(last) < interval);
        match (report.load, report.acknowledged) {
            (Load::Overuse, Some(acknowledged)) => {
                if !is_early {
                    self.retreat(acknowledged.percent(RETREAT_PERCENT), now);
                }
            }
            (Load::Normal, _) if self.losing == Losing::Little => {
                self.grow(report.acknowledged, now)
            }
            (Load::Normal | Load::Underuse | Load::Overuse, _) => self.grown = Some(now),
        }
        if let (Some(percent), Some(acknowledged)) = (lossy, report.acknowledged) {
            let from = self.bitrate.unwrap_or(acknowledged);
            // GCC takes off half the share; but it is not so sure of it.
            self.retreat(from.percent(100 - percent), now);
        }
    }

    /// Feedback is missing: to be called once a second while it is. Without an estimate nothing is known but that the line
    /// is full or gone.
    pub(crate) fn silence(&mut self, now: Instant) {
        let to = self.bitrate.map_or(FLOOR, |bitrate| bitrate.percent(SILENCE_PERCENT));
        // A line that is gone has no queue that must empty before it is asked again, and whether it is back nothing else may tell.
        let before = self.retreated;
        self.retreat(to, now);
        self.retreated = before;
    }

    /// Feedback was long overdue: if nothing else is known, the line carries what arrived, and what waited is not let loose
    /// on it at once.
    pub(crate) fn doubt(&mut self, acknowledged: Option<Bitrate>, now: Instant) {
        if self.bitrate.is_none() {
            self.retreat(acknowledged.unwrap_or(FLOOR), now);
        }
    }

    /// A probe came through at this rate.
    pub(crate) fn proved(&mut self, rate: Bitrate, now: Instant) {
        if let Some(bitrate) = &mut self.bitrate {
            *bitrate = (*bitrate).max(rate).min(CEILING);
            self.grown = Some(now);
        }
    }

    fn retreat(&mut self, to: Bitrate, now: Instant) {
        let to = self.bitrate.map_or(to, |bitrate| bitrate.min(to));
        self.bitrate = Some(to.clamp(FLOOR, CEILING));
        self.retreated = Some(now);
        self.grown = Some(now);
    }

    fn grow(&mut self, acknowledged: Option<Bitrate>, now: Instant) {
        let since = self.grown.replace(now);
        let (Some(bitrate), Some(since)) = (&mut self.bitrate, since) else { return };
        let passed = now.saturating_duration_since(since).min(Duration::from_secs(1));
        let millis = u64::try_from(passed.as_millis()).unwrap_or(0);
        let growth = Bitrate(bitrate.0.saturating_mul(millis * GROWTH_PER_SECOND) / 1_000_000);
        let proven = acknowledged.unwrap_or(Bitrate::ZERO).percent(PROVEN_PERCENT);
        let limit = proven.plus(PROVEN_MARGIN).min(CEILING);
        *bitrate = bitrate.plus(growth).min(limit).max(*bitrate);
    }

    /// The share of a whole window that was lost, in hundredths, if it is too much.
    fn loss(&mut self, report: Report, now: Instant) -> Option<u64> {
        let since = *self.loss_since.get_or_insert(now);
        self.received += report.received;
        self.lost += report.lost;
        let all = self.received + self.lost;
        if now.saturating_duration_since(since) < LOSS_WINDOW || all < LOSS_PACKETS {
            return None;
        }
        let percent = 100 * self.lost / all;
        let excess = (100 * self.lost).saturating_sub(TOLERATED_LOSS_PERCENT * all);
        self.judged = Some(now);
        let is_certain = excess.saturating_mul(excess) > DOUBT * all;
        if is_certain || excess == 0 || now.saturating_duration_since(since) >= LOSS_WINDOW_MOST {
            (self.loss_since, self.received, self.lost) = (Some(now), 0, 0);
        }
        self.losing = match self.losing {
            _ if is_certain => Losing::TooMuch,
            Losing::TooMuch if excess > 0 => Losing::TooMuch,
            Losing::TooMuch | Losing::Little => Losing::Little,
        };
        is_certain.then_some(percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::anchor;

    const QUIET: Report = Report {
        received: 10,
        lost: 0,
        acknowledged: Some(Bitrate::kbps(1_000)),
        load: Load::Normal,
        round_trip: Duration::from_millis(50),
    };

    fn run(estimate: &mut Estimate, start: Instant, reports: &[Report]) {
        for (step, report) in (0..).zip(reports) {
            estimate.report(*report, start + Duration::from_millis(100 * step));
        }
    }

    #[test]
    fn there_is_no_estimate_before_the_first_sign_of_congestion() {
        let mut estimate = Estimate::new();
        run(&mut estimate, anchor(), &[QUIET; 100]);
        assert_eq!(estimate.bitrate(), None);

        run(&mut estimate, anchor(), &[Report { load: Load::Overuse, ..QUIET }]);
        assert_eq!(estimate.bitrate(), Some(Bitrate::kbps(850)));
    }

    #[test]
    fn it_grows_no_further_than_what_arrives_proves_and_a_probe_proves_more() {
        let start = anchor();
        let mut estimate = Estimate::new();
        run(&mut estimate, start, &[Report { load: Load::Overuse, ..QUIET }]);
        run(&mut estimate, start, &[QUIET; 300]);
        assert_eq!(estimate.bitrate(), Some(Bitrate::kbps(1_120)));

        estimate.proved(Bitrate::kbps(3_000), start);
        run(&mut estimate, start, &[QUIET; 10]);
        assert_eq!(estimate.bitrate(), Some(Bitrate::kbps(3_000)));
    }

    #[test]
    fn a_tenth_lost_is_borne_and_a_third_lost_leads_to_the_floor() {
        let lossy = |lost| Report { received: 10 - lost, lost, ..QUIET };
        let mut estimate = Estimate::new();
        let start = anchor();
        run(&mut estimate, start, &[lossy(1); 100]);
        assert_eq!(estimate.bitrate(), None);

        run(&mut estimate, start + Duration::from_secs(10), &[lossy(3); 200]);
        assert_eq!(estimate.bitrate(), Some(FLOOR));
    }

    #[test]
    fn a_queue_that_grew_is_remembered_for_ten_seconds_and_loss_alone_is_none() {
        let start = anchor();
        let mut estimate = Estimate::new();
        run(&mut estimate, start, &[Report { received: 7, lost: 3, ..QUIET }; 100]);
        assert!(estimate.bitrate().is_some());
        assert_eq!(estimate.congestion(start), Congestion::Unseen);

        run(&mut estimate, start, &[Report { load: Load::Overuse, ..QUIET }]);
        let after = |secs| estimate.congestion(start + Duration::from_secs(secs));
        assert_eq!(
            [after(0), after(9), after(10)],
            [Congestion::Seen, Congestion::Seen, Congestion::Unseen]
        );
    }

    #[test]
    fn silence_of_the_other_side_is_congestion() {
        let start = anchor();
        let mut estimate = Estimate::new();
        run(&mut estimate, start, &[Report { load: Load::Overuse, ..QUIET }]);

        estimate.silence(start + Duration::from_secs(2));
        assert_eq!(estimate.bitrate(), Some(Bitrate::kbps(595)));
    }
}
