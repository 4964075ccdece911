//! One subscriber's line: what was sent to it, what of that arrived, what it carries, and probes for what it might.

use std::time::{Duration, Instant};

use crate::acknowledgement::Acknowledgement;
use crate::bytes::low16;
use crate::estimate::{Bitrate, CEILING, Estimate, QUEUE_MEMORY, Report};
use crate::in_flight::{Cargo, Fate, InFlight};
use crate::limits::MAX_ACKNOWLEDGEMENTS_PER_SECOND;
use crate::pacer::Pacer;
use crate::probe::{Cluster, Probes};
use crate::quality::Tally;
use crate::rate::PerSecond;
use crate::redundancy::Congestion;
use crate::standing::Standing;
use crate::trendline::Trendline;

/// Transport-wide sequence number with its rollovers.
pub(crate) type TransportIndex = u64;

/// What arrives is measured over this long: longer is steadier, shorter sees a line that narrowed sooner.
const ACKNOWLEDGED_WINDOW_MICROS: i64 = 300_000;

/// See [`ACKNOWLEDGED_WINDOW_MICROS`]: before this much of it has passed there is no measure.
const ACKNOWLEDGED_LEAST_MICROS: i64 = 100_000;

/// Feedback missing for this long while we send is congestion too: libwebrtc sends it ten times a second.
const SILENCE: Duration = Duration::from_millis(1_500);

/// Pictures wait when feedback is this late: it is lost in a queue, there or back, and until it is known what gets through
/// the voice has the line alone. Sooner would stop pictures on a line that loses a third of its feedback, later loses more
/// words.
const OVERDUE: Duration = Duration::from_millis(500);

/// How long a picture waits before this is looked at again.
const OVERDUE_WAIT: Duration = Duration::from_millis(50);

/// Parts of the window.
const BUCKETS: usize = 6;

pub(crate) struct Bandwidth {
    epoch: Instant,
    /// Of the next packet.
    next: TransportIndex,
    in_flight: InFlight,
    /// When the first packet left after the last feedback.
    unanswered: Option<Instant>,
    /// Whether the other side sends feedback at all.
    is_answering: bool,
    /// Whether it has stopped, and has not begun anew.
    is_silent: bool,
    /// Reference time of the last feedback as it stood there, and with its rollovers.
    reference: Option<(i64, i64)>,
    allowed: PerSecond,
    arrived: Arrived,
    /// The last rate that was measured of it.
    measured: Option<Bitrate>,
    trendline: Trendline,
    standing: Standing,
    estimate: Estimate,
    pub(crate) pacer: Pacer,
    probes: Probes,
    /// Packets of media whose fate was told.
    pub(crate) tally: Tally,
}

impl Bandwidth {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            epoch: now,
            next: 0,
            in_flight: InFlight::default(),
            unanswered: None,
            is_answering: false,
            is_silent: false,
            reference: None,
            allowed: PerSecond::new(now),
            arrived: Arrived::default(),
            measured: None,
            trendline: Trendline::new(),
            standing: Standing::default(),
            estimate: Estimate::new(),
            pacer: Pacer::new(now),
            probes: Probes::default(),
            tally: Tally::default(),
        }
    }

    /// Transport-wide sequence number of the next packet.
    pub(crate) fn sequence(&self) -> u16 {
        low16(self.next)
    }

    /// Notes that the packet with that number leaves now.
    pub(crate) fn sent(&mut self, bytes: u64, cargo: Cargo, now: Instant) {
        let index = self.next;
        self.next += 1;
        self.unanswered.get_or_insert(now);
        self.in_flight.note(index, bytes, cargo, self.micros(now));
    }

    /// What the line carries; `None` as long as nothing says that it carries less than is wanted.
    pub(crate) fn estimate(&self) -> Option<Bitrate> {
        self.estimate.bitrate()
    }

    /// What pictures may count on: without feedback on nothing, for they wait for it.
    pub(crate) fn for_pictures(&self) -> Option<Bitrate> {
        if self.is_silent { Some(Bitrate::ZERO) } else { self.estimate() }
    }

    /// Whether what it loses may be our doing.
    pub(crate) fn congestion(&self, now: Instant) -> Congestion {
        if self.standing.within(QUEUE_MEMORY, now) {
            Congestion::Seen
        } else {
            self.estimate.congestion(now)
        }
    }

    /// Takes feedback; `false` if there is too much of it. What it claims about packets that are not on their way is ignored.
    pub(crate) fn acknowledge(
        &mut self,
        acknowledgement: &Acknowledgement<'_>,
        round_trip: Duration,
        now: Instant,
    ) -> bool {
        if !self.allowed.allow(now, 1, MAX_ACKNOWLEDGEMENTS_PER_SECOND) {
            return false;
        }
        let was_overdue = self.is_overdue(now);
        self.unanswered = None;
        (self.is_answering, self.is_silent) = (true, false);
        let reference = self.extend_reference(acknowledgement.reference);
        let told_at = self.micros(now);
        let (mut received, mut lost) = (0, 0);
        let mut newest = None;
        for fate in acknowledgement.fates() {
            let behind = low16(self.next).wrapping_sub(fate.sequence);
            let Some(index) = self.next.checked_sub(u64::from(behind)) else { continue };
            let Some(sent) = self.in_flight.get_mut(index) else { continue };
            let counts = u64::from(sent.cargo == Cargo::Media);
            match (sent.fate, fate.arrival) {
                (before @ (Fate::Unknown | Fate::Lost), Some(ticks)) => {
                    sent.fate = Fate::Arrived;
                    self.tally.expected += if before == Fate::Unknown { counts } else { 0 };
                    self.tally.arrived += counts;
                    received += 1;
                    let arrival = (reference + i64::from(ticks)) * 250;
                    let sent = *sent;
                    self.arrived.note(arrival, sent.bytes);
                    self.probes.arrived(index, arrival, sent.bytes);
                    let departure = sent.departure(told_at);
                    self.trendline.packet(millis(departure), millis(arrival));
                    self.standing.note(arrival.saturating_sub(departure), now);
                }
                (Fate::Unknown, None) => {
                    sent.fate = Fate::Lost;
                    self.tally.expected += counts;
                    lost += 1;
                }
                (Fate::Lost, None) | (Fate::Arrived, _) => {}
            }
            newest = Some(index);
        }
        let report = Report {
            received,
            lost,
            acknowledged: self.acknowledged(received, lost),
            load: self.trendline.load(),
            round_trip,
        };
        self.estimate.report(report, now);
        if was_overdue {
            self.estimate.doubt(report.acknowledged, now);
        }
        let retreated = self.estimate.retreated();
        if let Some(rate) = newest.and_then(|newest| self.probes.result(newest, retreated, now)) {
            self.estimate.proved(rate, now);
        }
        self.pacer.set(self.estimate.bitrate(), now);
        true
    }

    /// What arrives, as a rate. When more is lost than comes, too little may come to measure: then what came before, less
    /// the lost share.
    fn acknowledged(&mut self, received: u64, lost: u64) -> Option<Bitrate> {
        let measured = self.arrived.bitrate();
        if measured.is_some() {
            self.measured = measured;
            return measured;
        }
        let before = self.measured.filter(|_| lost > received)?;
        Some(before.percent(100 * received / (received + lost)))
    }

    /// How long a packet of a picture must wait; `None` if it may leave.
    pub(crate) fn wait(&mut self, now: Instant) -> Option<Duration> {
        if self.is_overdue(now) { Some(OVERDUE_WAIT) } else { self.pacer.wait(now) }
    }

    fn is_overdue(&self, now: Instant) -> bool {
        let late = self.unanswered.map(|since| now.saturating_duration_since(since));
        self.is_answering && late.is_some_and(|late| late >= OVERDUE)
    }

    /// When feedback counts as missing, if none comes.
    pub(crate) fn silent_at(&self) -> Option<Instant> {
        self.unanswered.filter(|_| self.is_answering).map(|since| since + SILENCE)
    }

    /// Once a second, and when feedback is missing: that, and a probe's answer may be.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.silent_at().is_some_and(|at| at <= now) {
            // Counted anew: on a line where nothing is sent only a probe can be answered, and it waits for the last retreat.
            self.unanswered = None;
            self.is_silent = true;
            self.estimate.silence(now);
        }
        self.probes.expire(now);
        self.pacer.set(self.estimate.bitrate(), now);
    }

    /// Plans a probe if the slots want more than the line is known to carry.
    pub(crate) fn plan_probe(&mut self, wanted: Bitrate, now: Instant) {
        let Some(estimate) = self.estimate.bitrate() else { return };
        // Where feedback went missing nothing but a train may be left to be answered.
        let is_needed = wanted > estimate || self.is_silent && wanted > Bitrate::ZERO;
        if is_needed && !self.estimate.is_losing(now) {
            let most = wanted.min(CEILING);
            self.probes.plan(estimate, most, self.estimate.retreated(), now);
        }
    }

    /// Padding of the next packet of a probe, if one is due.
    pub(crate) fn next_probe(&mut self, now: Instant) -> Option<u8> {
        self.probes.next(self.next, now)
    }

    /// There is no way to send one.
    pub(crate) fn give_up_probe(&mut self) {
        self.probes.give_up();
    }

    /// When the next packet of a probe is due.
    pub(crate) fn probe_due(&self) -> Option<Instant> {
        self.probes.cluster().and_then(Cluster::due)
    }

    fn micros(&self, now: Instant) -> i64 {
        let micros = now.saturating_duration_since(self.epoch).as_micros();
        i64::try_from(micros).unwrap_or(i64::MAX)
    }

    /// The reference time in ticks, with its rollovers: nearest to the last.
    fn extend_reference(&mut self, reference: u32) -> i64 {
        const RANGE: i64 = 1 << 24;
        /// Longer than any silence between two packets, about 4 minutes. A larger step is a false clock: it counts as this
        /// much, or the sum would overflow in days.
        const MOST: i64 = 1 << 12;
        let reference = i64::from(reference);
        let (told, extended) = match self.reference {
            None => (reference, reference),
            Some((last, extended)) => {
                let ahead = (reference - last).rem_euclid(RANGE);
                let ahead = if ahead < RANGE / 2 { ahead } else { ahead - RANGE };
                (reference, extended + ahead.clamp(-MOST, MOST))
            }
        };
        self.reference = Some((told, extended));
        extended * 256
    }
}

fn millis(micros: i64) -> f64 {
    micros as f64 / 1_000.0
}

/// Bytes by time of arrival.
#[derive(Clone, Debug, Default)]
struct Arrived {
    /// Number of a part of time, and its bytes.
    buckets: [(i64, u64); BUCKETS],
    first: Option<i64>,
    newest: i64,
}

impl Arrived {
    const BUCKET_MICROS: i64 = ACKNOWLEDGED_WINDOW_MICROS / BUCKETS as i64;

    fn note(&mut self, at: i64, bytes: u16) {
        let number = at.div_euclid(Self::BUCKET_MICROS);
        // After a silence the window begins anew.
        if self.first.is_none() || at.saturating_sub(self.newest) > ACKNOWLEDGED_WINDOW_MICROS {
            *self = Self { buckets: [(i64::MIN, 0); BUCKETS], first: Some(at), newest: at };
        }
        self.newest = self.newest.max(at);
        let place = usize::try_from(number.rem_euclid(BUCKETS as i64)).unwrap_or(0);
        if let Some(bucket) = self.buckets.get_mut(place) {
            if bucket.0 != number {
                *bucket = (number, 0);
            }
            bucket.1 += u64::from(bytes);
        }
    }

    fn bitrate(&self) -> Option<Bitrate> {
        let newest = self.newest.div_euclid(Self::BUCKET_MICROS);
        let oldest = newest - BUCKETS as i64 + 1;
        let begin = (oldest * Self::BUCKET_MICROS).max(self.first?);
        let passed = self.newest - begin;
        if passed < ACKNOWLEDGED_LEAST_MICROS {
            return None;
        }
        let bytes: u64 =
            self.buckets.iter().filter(|(number, _)| *number >= oldest).map(|(_, it)| it).sum();
        Some(Bitrate::over(bytes, Duration::from_micros(u64::try_from(passed).ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feedback::Arrivals;
    use crate::plan::Ssrc;
    use crate::time::anchor;

    const RTT: Duration = Duration::from_millis(50);

    /// Sends 1 000 bytes each 10 ms for a second, 100 kB in all, over a line with this delay; feedback each 100 ms.
    fn run(bandwidth: &mut Bandwidth, start: Instant, delay: impl Fn(u32) -> Option<u64>) {
        let mut arrivals = Arrivals::new(start);
        for step in 0..100 {
            let now = start + Duration::from_millis(10) * step;
            let sequence = bandwidth.sequence();
            bandwidth.sent(1_000, Cargo::Media, now);
            if let Some(ms) = delay(step) {
                arrivals.note(sequence, now + Duration::from_millis(ms));
            }
            if step % 10 == 9 {
                let mut buffer = [0; 1_200];
                while let Some(len) = arrivals.write(Ssrc(1), Ssrc(2), &mut buffer) {
                    let feedback = Acknowledgement::parse(&buffer[..len]).unwrap();
                    bandwidth.acknowledge(&feedback, RTT, now);
                }
            }
        }
    }

    #[test]
    fn a_steady_line_is_not_limited_and_what_arrives_is_measured() {
        let start = anchor();
        let mut bandwidth = Bandwidth::new(start);
        run(&mut bandwidth, start, |_| Some(30));

        assert_eq!(bandwidth.estimate(), None);
        let measured = bandwidth.arrived.bitrate().unwrap().0;
        assert!((720_000..=880_000).contains(&measured), "{measured}");
    }

    #[test]
    fn a_line_whose_delay_grows_is_limited_to_less_than_what_arrived() {
        let start = anchor();
        let mut bandwidth = Bandwidth::new(start);
        // A fifth more than the line carries.
        run(&mut bandwidth, start, |step| Some(30 + u64::from(step) * 2));

        let estimate = bandwidth.estimate().unwrap().0;
        assert!((400_000..700_000).contains(&estimate), "{estimate}");
    }

    #[test]
    fn pictures_wait_while_feedback_is_overdue_of_somebody_who_sends_any() {
        let start = anchor();
        let mut bandwidth = Bandwidth::new(start);
        bandwidth.sent(1_000, Cargo::Media, start);
        assert_eq!(bandwidth.wait(start + 2 * OVERDUE), None, "no feedback was ever seen");
        bandwidth.tick(start + 2 * SILENCE);
        assert_eq!(bandwidth.estimate(), None);

        run(&mut bandwidth, start, |_| Some(30));
        let now = start + Duration::from_secs(1);
        bandwidth.sent(1_000, Cargo::Media, now);
        assert_eq!(bandwidth.wait(now + OVERDUE / 2), None);
        assert_eq!(bandwidth.wait(now + OVERDUE), Some(OVERDUE_WAIT));
        bandwidth.tick(now + SILENCE);
        assert_eq!(bandwidth.estimate(), Some(crate::estimate::FLOOR));
    }

    #[test]
    fn a_line_that_was_silent_is_asked_though_it_is_thought_wide_enough() {
        let start = anchor();
        let mut bandwidth = Bandwidth::new(start);
        run(&mut bandwidth, start, |step| Some(30 + u64::from(step) * 2));
        let at = start + Duration::from_secs(1);
        bandwidth.sent(1_000, Cargo::Media, at);
        bandwidth.tick(at + SILENCE);
        assert_eq!(bandwidth.for_pictures(), Some(Bitrate::ZERO));
        assert!(bandwidth.estimate().unwrap() > Bitrate::kbps(100));

        // The picture is paused, and no voice is sent: nothing would ever be answered.
        let later = at + SILENCE + Duration::from_secs(4);
        bandwidth.plan_probe(Bitrate::ZERO, later);
        assert_eq!(bandwidth.next_probe(later), None, "nothing is wanted");
        bandwidth.plan_probe(Bitrate::kbps(100), later);
        let sequence = bandwidth.sequence();
        assert!(bandwidth.next_probe(later).is_some());
        bandwidth.sent(300, Cargo::Padding, later);
        let mut arrivals = Arrivals::new(start);
        arrivals.note(sequence, later);
        let mut buffer = [0; 1_200];
        let len = arrivals.write(Ssrc(1), Ssrc(2), &mut buffer).unwrap();
        bandwidth.acknowledge(&Acknowledgement::parse(&buffer[..len]).unwrap(), RTT, later);
        assert_eq!(bandwidth.for_pictures(), bandwidth.estimate());
    }

    #[test]
    fn feedback_about_what_was_never_sent_or_was_told_before_changes_nothing() {
        let start = anchor();
        let mut bandwidth = Bandwidth::new(start);
        run(&mut bandwidth, start, |_| Some(30));
        let before = bandwidth.arrived.bitrate();

        let mut forged = vec![0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2];
        for base in [0_u16, 50, 100, 1_000, 65_000] {
            forged.truncate(12);
            forged.extend(base.to_be_bytes());
            forged.extend([0, 90, 0x7f, 0xff, 0xff, 0, 0x20, 90]);
            forged.extend([0; 92]);
            let feedback = Acknowledgement::parse(&forged).unwrap();
            bandwidth.acknowledge(&feedback, RTT, start + Duration::from_secs(1));
        }

        assert_eq!(bandwidth.arrived.bitrate(), before);
        assert_eq!(bandwidth.estimate(), None);
    }

    #[test]
    fn any_feedback_at_all_leaves_the_estimate_within_its_bounds() {
        let start = anchor();
        let mut bandwidth = Bandwidth::new(start);
        let mut dice = 1_u32;
        for step in 0..20_000_u32 {
            let now = start + Duration::from_millis(u64::from(step));
            bandwidth.sent(1_200, Cargo::Media, now);
            let mut bytes = vec![0x8f, 205, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2];
            for _ in 0..32 {
                dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bytes.push((dice >> 24) as u8);
            }
            bytes[14] = 0;
            bytes[12..14].copy_from_slice(&bandwidth.sequence().wrapping_sub(20).to_be_bytes());
            if let Some(feedback) = Acknowledgement::parse(&bytes) {
                bandwidth.acknowledge(&feedback, RTT, now);
            }
            bandwidth.plan_probe(CEILING, now);
            bandwidth.next_probe(now);
            if let Some(estimate) = bandwidth.estimate() {
                assert!((crate::estimate::FLOOR..=CEILING).contains(&estimate));
            }
        }
    }

    #[test]
    fn each_packet_is_counted_once_whatever_is_told_of_it_how_often() {
        let start = anchor();
        let mut bandwidth = Bandwidth::new(start);
        run(&mut bandwidth, start, |step| (step % 5 != 0).then_some(20));
        let Tally { expected, arrived } = bandwidth.tally.take();
        assert_eq!(arrived, 80);
        // The first may have been lost before anything was told.
        assert!((99..=100).contains(&expected), "{expected}");
    }

    #[test]
    fn what_a_probe_loses_is_no_loss_of_the_line() {
        let start = anchor();
        let mut bandwidth = Bandwidth::new(start);
        let mut arrivals = Arrivals::new(start);
        for step in 0..30 {
            let cargo = if step < 15 { Cargo::Media } else { Cargo::Padding };
            if step % 3 == 0 {
                arrivals.note(bandwidth.sequence(), start);
            }
            bandwidth.sent(300, cargo, start);
        }
        let mut buffer = [0; 1_200];
        let len = arrivals.write(Ssrc(1), Ssrc(2), &mut buffer).unwrap();
        let feedback = Acknowledgement::parse(&buffer[..len]).unwrap();
        bandwidth.acknowledge(&feedback, RTT, start);
        assert_eq!(bandwidth.tally.take(), Tally { expected: 15, arrived: 5 });
    }
}
