//! Whether a path's delay grows: the filter and the detector of Google Congestion Control (draft-ietf-rmcat-gcc-02 §5) in
//! the form libwebrtc gives them, a line through the last delays (`TrendlineEstimator`).

/// Packets sent within this long of each other travel as one group, in ms.
const GROUP: f64 = 5.0;

/// A group that arrives this soon after the last in spite of a wider departure was held back with it, in ms.
const BURST: f64 = 5.0;

/// Delays the line is laid through. More is steadier, fewer is sooner.
const WINDOW: usize = 20;

/// Weight of the past in a delay: higher is steadier and later.
const SMOOTHING: f64 = 0.9;

/// What makes a slope comparable with the threshold (libwebrtc).
const GAIN: f64 = 4.0;

/// Delays counted towards the weight of a slope: an early line is trusted less.
const FULL_WEIGHT: f64 = 60.0;

/// Overuse is believed after this long, in ms.
const BELIEF: f64 = 10.0;

/// A queue shorter than this, in ms, is a burst that will pass, such as a keyframe of a picture that comes back: no overuse,
/// however steep. libwebrtc has no such bound, and an encoder that a false alarm slows by 15 %; we should take a picture away.
const LEAST_QUEUE: f64 = 25.0;

/// The shortest delay is remembered for one to two of these, in ms: longer finds a queue that stands, shorter follows a
/// path that changed and clocks that drift.
const MEMORY: f64 = 5_000.0;

/// How fast the threshold follows a trend beyond it, and one below it: slow up, or a rival flow that fills the queue would
/// starve us later than it need; fast down, or we should starve it.
const RISE: f64 = 0.0087;
/// See [`RISE`].
const FALL: f64 = 0.039;

/// Bounds of the threshold and where it begins.
const THRESHOLD: (f64, f64, f64) = (6.0, 12.5, 600.0);

/// A trend this far beyond the threshold is a jump of the path, not of its load: the threshold does not follow.
const JUMP: f64 = 15.0;

/// What the delay says about the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// The queue empties.
    Underuse,
    Normal,
    /// It grows.
    Overuse,
}

/// One path's delay.
#[derive(Clone, Debug)]
pub(crate) struct Trendline {
    current: Option<Group>,
    before: Option<Group>,
    epoch: f64,
    accumulated: f64,
    /// The least of it, in this memory and the last.
    least: [f64; 2],
    least_since: f64,
    smoothed: f64,
    /// Arrival and smoothed delay, in ms, oldest first.
    delays: [(f64, f64); WINDOW],
    filled: usize,
    deltas: f64,
    threshold: f64,
    last_update: Option<f64>,
    over_for: Option<f64>,
    over_times: u32,
    trend_before: f64,
    load: Load,
}

/// Times in ms.
#[derive(Clone, Copy, Debug)]
struct Group {
    first_departure: f64,
    last_departure: f64,
    first_arrival: f64,
    last_arrival: f64,
}

impl Trendline {
    pub(crate) fn new() -> Self {
        let (_, threshold, _) = THRESHOLD;
        Self {
            current: None,
            before: None,
            epoch: 0.0,
            accumulated: 0.0,
            least: [f64::INFINITY; 2],
            least_since: 0.0,
            smoothed: 0.0,
            delays: [(0.0, 0.0); WINDOW],
            filled: 0,
            deltas: 0.0,
            threshold,
            last_update: None,
            over_for: None,
            over_times: 0,
            trend_before: 0.0,
            load: Load::Normal,
        }
    }

    pub(crate) fn load(&self) -> Load {
        self.load
    }

    /// Takes a packet in order of departure. Times in ms, each on its own clock.
    pub(crate) fn packet(&mut self, departure: f64, arrival: f64) {
        let Some(group) = &mut self.current else {
            self.epoch = arrival;
            self.current = Some(Group::new(departure, arrival));
            return;
        };
        if departure < group.first_departure {
            return;
        }
        if group.takes(departure, arrival) {
            group.last_departure = group.last_departure.max(departure);
            group.last_arrival = group.last_arrival.max(arrival);
            return;
        }
        let whole = *group;
        self.current = Some(Group::new(departure, arrival));
        if let Some(before) = self.before.replace(whole) {
            let departed = whole.last_departure - before.last_departure;
            let arrived = whole.last_arrival - before.last_arrival;
            self.update(departed, arrived, whole.last_arrival);
        }
    }

    fn update(&mut self, departed: f64, arrived: f64, at: f64) {
        self.deltas = (self.deltas + 1.0).min(1_000.0);
        self.accumulated += arrived - departed;
        if at - self.least_since > MEMORY {
            self.least = [f64::INFINITY, self.least[0]];
            self.least_since = at;
        }
        self.least[0] = self.least[0].min(self.accumulated);
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.accumulated;
        self.delays.rotate_left(1);
        if let Some(last) = self.delays.last_mut() {
            *last = (at - self.epoch, self.smoothed);
        }
        self.filled = (self.filled + 1).min(WINDOW);
        let slope = if self.filled == WINDOW { self.slope() } else { 0.0 };
        self.detect(slope, departed, at);
    }

    /// Least squares.
    fn slope(&self) -> f64 {
        let count = self.delays.len() as f64;
        let (x_sum, y_sum) =
            self.delays.iter().fold((0.0, 0.0), |(xs, ys), (x, y)| (xs + x, ys + y));
        let (x_mean, y_mean) = (x_sum / count, y_sum / count);
        let (over, under) = self.delays.iter().fold((0.0, 0.0), |(over, under), (x, y)| {
            (over + (x - x_mean) * (y - y_mean), under + (x - x_mean) * (x - x_mean))
        });
        if under > 0.0 { over / under } else { 0.0 }
    }

    fn detect(&mut self, slope: f64, departed: f64, at: f64) {
        let trend = self.deltas.min(FULL_WEIGHT) * slope * GAIN;
        if trend > self.threshold {
            let over_for = self.over_for.map_or(departed / 2.0, |long| long + departed);
            self.over_for = Some(over_for);
            self.over_times += 1;
            if over_for > BELIEF && self.over_times > 1 && slope >= self.trend_before {
                self.over_for = Some(0.0);
                self.over_times = 0;
                let [now, before] = self.least;
                let is_queue = self.accumulated - now.min(before) > LEAST_QUEUE;
                self.load = if is_queue { Load::Overuse } else { Load::Normal };
            }
        } else {
            self.over_for = None;
            self.over_times = 0;
            self.load = if trend < -self.threshold { Load::Underuse } else { Load::Normal };
        }
        self.trend_before = slope;
        self.adapt(trend.abs(), at);
    }

    fn adapt(&mut self, trend: f64, at: f64) {
        let passed = self.last_update.map_or(0.0, |last| (at - last).clamp(0.0, 100.0));
        self.last_update = Some(at);
        if trend > self.threshold + JUMP {
            return;
        }
        let pull = if trend < self.threshold { FALL } else { RISE };
        let (least, _, most) = THRESHOLD;
        self.threshold =
            (self.threshold + pull * (trend - self.threshold) * passed).clamp(least, most);
    }
}

impl Group {
    fn new(departure: f64, arrival: f64) -> Self {
        Self {
            first_departure: departure,
            last_departure: departure,
            first_arrival: arrival,
            last_arrival: arrival,
        }
    }

    fn takes(&self, departure: f64, arrival: f64) -> bool {
        let apart = arrival - self.last_arrival;
        let is_one_departure = departure - self.first_departure <= GROUP;
        let is_one_arrival = apart <= BURST
            && apart < departure - self.last_departure
            && arrival - self.first_arrival < 100.0;
        is_one_departure || is_one_arrival
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Load after each packet of a stream with these delays, one packet each 20 ms.
    fn loads(delay: impl Fn(u32) -> f64) -> Vec<Load> {
        let mut trendline = Trendline::new();
        (0..200)
            .map(|step| {
                let departure = f64::from(step) * 20.0;
                trendline.packet(departure, 5_000.0 + departure + delay(step));
                trendline.load()
            })
            .collect()
    }

    #[test]
    fn a_growing_queue_is_overuse_within_half_a_second_and_an_emptying_one_is_not() {
        let growing = loads(|step| 5.0 * f64::from(step.saturating_sub(100)));
        assert!(growing[..100].iter().all(|load| *load == Load::Normal));
        assert!(growing[100..125].contains(&Load::Overuse));

        let emptying = loads(|step| 300.0 - 3.0 * f64::from(step.min(100)));
        assert!(!emptying.contains(&Load::Overuse));
        assert!(emptying.contains(&Load::Underuse));
    }

    #[test]
    fn jitter_without_a_trend_is_no_overuse() {
        let jitter = loads(|step| f64::from(step.wrapping_mul(2_654_435_761) >> 28));

        assert!(!jitter.contains(&Load::Overuse));
    }
}
