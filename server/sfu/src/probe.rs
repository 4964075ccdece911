//! Probes: a short train of padding, faster than the estimate, whose spread on arrival says what the line carries. Streams
//! of others cannot be sped up, so this is how a paused picture finds its way back.

use std::time::{Duration, Instant};

use crate::bandwidth::TransportIndex;
use crate::estimate::Bitrate;
use crate::limits::IP_HEADER_BYTES;

/// Length of a train. Longer measures better and disturbs more.
const TRAIN: Duration = Duration::from_millis(15);

/// How much faster than the estimate, in hundredths: tripling finds ten times the rate in three steps, and fills a line's
/// queue for no longer than two trains take.
const STEP_PERCENT: u64 = 300;

/// How far above what is wanted, in hundredths: a train that is measured a little short still proves it.
const BEYOND_PERCENT: u64 = 115;

/// Packets of a train: fewer measure nothing, more fill the worker.
const LEAST_PACKETS: u64 = 6;
/// See [`LEAST_PACKETS`].
const MOST_PACKETS: u64 = 64;

/// Everything but the padding of a packet: IP and UDP, RTP header, extension, tag.
const AROUND_BYTES: u64 = IP_HEADER_BYTES + 12 + 8 + 16;

/// Padding of one packet (RFC 3550 §5.1: its length is one byte).
const LEAST_PADDING: u64 = 20;
/// See [`LEAST_PADDING`].
const MOST_PADDING: u64 = 255;

/// A train arrived as it left if its rate is this share, in hundredths…
const SUCCESS_PERCENT: u64 = 90;
/// …and this many of its packets came, in hundredths. Otherwise the rate it came with is nearly the line's, and this much
/// of it is believed.
const COMPLETE_PERCENT: u64 = 80;
/// See [`COMPLETE_PERCENT`].
const UTILIZED_PERCENT: u64 = 95;

/// No probe this soon after a retreat: the queue must empty first.
const AFTER_RETREAT: Duration = Duration::from_secs(3);
/// The same after a retreat that made a success a lie: each time twice as long, up to this. A line that says yes to a train
/// and no to a picture, as a policer with a bucket does, is asked less often.
const AFTER_RETREAT_MOST: Duration = Duration::from_secs(6);
/// It was a lie if the estimate sinks this soon…
const CONSEQUENCE: Duration = Duration::from_secs(5);
/// …below this share of what was proven, in hundredths. A keyframe may make a true one waver.
const LIE_PERCENT: u64 = 50;

/// Between two probes; doubled after each failure…
const INTERVAL: Duration = Duration::from_secs(1);
/// …up to this. Longer would leave a healed line unused, shorter would trouble a narrow one: a train delays the sound behind
/// it by up to 60 ms on 64 kb/s.
const INTERVAL_MOST: Duration = Duration::from_secs(2);

/// A train not reported after this long is lost.
const ANSWER: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
pub(crate) struct Probes {
    cluster: Option<Cluster>,
    last: Option<Instant>,
    succeeded: Option<(Instant, Bitrate)>,
    interval: Duration,
    after_retreat: Duration,
    /// The retreat that was judged last.
    judged: Option<Instant>,
}

impl Default for Probes {
    fn default() -> Self {
        Self {
            cluster: None,
            last: None,
            succeeded: None,
            interval: INTERVAL,
            after_retreat: AFTER_RETREAT,
            judged: None,
        }
    }
}

/// One train.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    rate: Bitrate,
    padding: u8,
    left: u64,
    started: Instant,
    /// When its next packet leaves.
    next_at: Instant,
    /// Its packets' numbers, with whatever leaves between them.
    first: Option<TransportIndex>,
    last: TransportIndex,
    count: u64,
    /// Arrival of its first and of its newest packet in µs, and the bytes after the first.
    arrivals: Option<(i64, i64)>,
    bytes: u64,
}

impl Probes {
    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    /// Begins one if it is time: above `estimate`, up to what `wanted` needs.
    pub(crate) fn plan(
        &mut self,
        estimate: Bitrate,
        wanted: Bitrate,
        retreated: Option<Instant>,
        now: Instant,
    ) {
        self.judge(estimate, retreated);
        let since = |then: Option<Instant>| then.map(|it| now.saturating_duration_since(it));
        let is_early = since(self.last).is_some_and(|passed| passed < self.interval)
            || since(retreated).is_some_and(|passed| passed < self.after_retreat);
        if self.cluster.is_some() || is_early {
            return;
        }
        let rate = estimate.percent(STEP_PERCENT).min(wanted.percent(BEYOND_PERCENT));
        let bytes = rate.bytes_in(TRAIN);
        let count = (bytes / (MOST_PADDING + AROUND_BYTES)).clamp(LEAST_PACKETS, MOST_PACKETS);
        let padding = (bytes / count).saturating_sub(AROUND_BYTES);
        let padding = u8::try_from(padding.clamp(LEAST_PADDING, MOST_PADDING)).unwrap_or(u8::MAX);
        self.last = Some(now);
        self.cluster = Some(Cluster {
            rate,
            padding,
            left: count,
            started: now,
            next_at: now,
            first: None,
            last: 0,
            count: 0,
            arrivals: None,
            bytes: 0,
        });
    }

    /// Padding of the next packet, which will have the number `index`, if it is due.
    pub(crate) fn next(&mut self, index: TransportIndex, now: Instant) -> Option<u8> {
        let cluster = self.cluster.as_mut()?;
        if cluster.left == 0 || now < cluster.next_at {
            return None;
        }
        cluster.left -= 1;
        cluster.first.get_or_insert(index);
        cluster.last = index;
        let bytes = u64::from(cluster.padding) + AROUND_BYTES;
        cluster.next_at += cluster.rate.time_for(bytes);
        Some(cluster.padding)
    }

    /// A packet arrived.
    pub(crate) fn arrived(&mut self, index: TransportIndex, arrival: i64, bytes: u16) {
        let Some(cluster) = &mut self.cluster else { return };
        if cluster.first.is_none_or(|first| index < first) || index > cluster.last {
            return;
        }
        cluster.count += 1;
        match &mut cluster.arrivals {
            None => cluster.arrivals = Some((arrival, arrival)),
            Some((_, newest)) => {
                *newest = (*newest).max(arrival);
                cluster.bytes += u64::from(bytes);
            }
        }
    }

    /// What a train that is reported up to `newest` proved, if it is whole and the line did not complain meanwhile.
    pub(crate) fn result(
        &mut self,
        newest: TransportIndex,
        retreated: Option<Instant>,
        now: Instant,
    ) -> Option<Bitrate> {
        let cluster = self.cluster.take_if(|it| it.left == 0 && newest >= it.last)?;
        let rate = cluster
            .received()
            .filter(|_| retreated.is_none_or(|retreated| retreated < cluster.started));
        let Some(received) = rate else {
            self.fail();
            return None;
        };
        if received >= cluster.rate.percent(SUCCESS_PERCENT) {
            self.interval = INTERVAL;
            let proven = received.min(cluster.rate);
            self.succeeded = Some((now, proven));
            return Some(proven);
        }
        self.fail();
        Some(received.percent(UTILIZED_PERCENT))
    }

    /// Gives up a train that nobody reports.
    pub(crate) fn expire(&mut self, now: Instant) {
        let is_lost = |it: &mut Cluster| now.saturating_duration_since(it.started) >= ANSWER;
        if self.cluster.take_if(is_lost).is_some() {
            self.fail();
        }
    }

    /// Drops one that cannot be sent.
    pub(crate) fn give_up(&mut self) {
        self.cluster = None;
    }

    fn fail(&mut self) {
        self.interval = (2 * self.interval).min(INTERVAL_MOST);
    }

    /// Whether a retreat down to `estimate` was a probe's fault.
    fn judge(&mut self, estimate: Bitrate, retreated: Option<Instant>) {
        let Some(at) = retreated.filter(|_| retreated != self.judged) else { return };
        self.judged = Some(at);
        let Some((succeeded, proven)) = self.succeeded.take() else { return };
        let is_lie = at.saturating_duration_since(succeeded) < CONSEQUENCE
            && estimate < proven.percent(LIE_PERCENT);
        self.after_retreat =
            if is_lie { (2 * self.after_retreat).min(AFTER_RETREAT_MOST) } else { AFTER_RETREAT };
    }
}

impl Cluster {
    /// When its next packet leaves; `None` if all have.
    pub(crate) fn due(&self) -> Option<Instant> {
        (self.left > 0).then_some(self.next_at)
    }

    /// The rate at which it arrived.
    fn received(&self) -> Option<Bitrate> {
        let sent = self.last - self.first? + 1;
        let (first, newest) = self.arrivals?;
        if self.count * 100 < sent * COMPLETE_PERCENT {
            return None;
        }
        let spread = u64::try_from(newest.checked_sub(first)?).ok()?;
        Some(Bitrate::over(self.bytes, Duration::from_micros(spread)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::anchor;

    /// A train over a line of this rate: its packets leave as planned and queue before the line.
    fn train(probes: &mut Probes, line: Bitrate, now: Instant) -> Option<Bitrate> {
        let started = now;
        let (mut now, mut index, mut free_at) = (now, 1_000, 0);
        while let Some(due) = probes.cluster().and_then(Cluster::due) {
            now = now.max(due);
            let padding = probes.next(index, now).unwrap();
            let bytes = u64::from(padding) + AROUND_BYTES;
            let departed = i64::try_from((now - started).as_micros()).unwrap();
            let takes = i64::try_from(line.time_for(bytes).as_micros()).unwrap();
            free_at = departed.max(free_at) + takes;
            probes.arrived(index, free_at, u16::try_from(bytes).unwrap());
            index += 1;
        }
        assert!(now - started <= TRAIN);
        probes.result(index - 1, None, now)
    }

    #[test]
    fn a_train_over_a_wide_line_proves_its_rate_and_over_a_narrow_one_the_lines() {
        let start = anchor();
        let estimate = Bitrate::kbps(1_000);
        let mut probes = Probes::default();
        probes.plan(estimate, Bitrate::kbps(8_000), None, start);
        let proved = train(&mut probes, Bitrate::kbps(50_000), start).unwrap().0;
        assert!((2_700_000..=3_000_000).contains(&proved), "{proved}");

        let mut probes = Probes::default();
        probes.plan(estimate, Bitrate::kbps(8_000), None, start);
        let proved = train(&mut probes, Bitrate::kbps(1_200), start).unwrap().0;
        assert!((1_080_000..=1_200_000).contains(&proved), "{proved}");
    }

    #[test]
    fn probes_keep_away_from_retreats_and_from_each_other_and_are_no_wider_than_wanted() {
        let start = anchor();
        let at = |ms| start + Duration::from_millis(ms);
        let (estimate, wanted) = (Bitrate::kbps(1_000), Bitrate::kbps(1_200));
        let mut probes = Probes::default();
        let mut is_planned = |retreated: Option<u64>, ms| {
            probes.plan(estimate, wanted, retreated.map(at), at(ms));
            probes.cluster.take().map(|cluster| cluster.rate)
        };

        assert_eq!(is_planned(Some(0), 2_999), None);
        assert_eq!(is_planned(Some(0), 3_000), Some(Bitrate::kbps(1_380)));
        assert_eq!(is_planned(Some(0), 3_999), None);
        assert!(is_planned(Some(0), 4_000).is_some());
    }

    #[test]
    fn failures_and_successes_that_were_none_make_probes_rare() {
        let start = anchor();
        let mut probes = Probes::default();
        for _ in 0..5 {
            probes.fail();
        }
        assert_eq!(probes.interval, INTERVAL_MOST);

        for (step, expected) in [(0, 6), (1, 6)] {
            let succeeded = start + Duration::from_secs(20 * step);
            probes.succeeded = Some((succeeded, Bitrate::kbps(2_000)));
            probes.judge(Bitrate::kbps(800), Some(succeeded + Duration::from_secs(1)));
            assert_eq!(probes.after_retreat, Duration::from_secs(expected));
        }
        probes.succeeded = Some((start + Duration::from_secs(100), Bitrate::kbps(2_000)));
        probes.judge(Bitrate::kbps(1_500), Some(start + Duration::from_secs(101)));
        assert_eq!(probes.after_retreat, AFTER_RETREAT);
    }
}
