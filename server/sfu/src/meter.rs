//! What one layer costs: its bitrate, measured where it comes in.

use std::time::{Duration, Instant};

use crate::estimate::Bitrate;

/// Measured over this long. Longer smooths keyframes, shorter sees a change sooner.
const WINDOW: Duration = Duration::from_millis(500);

/// A layer silent for longer than this begins anew.
const SILENCE: Duration = Duration::from_secs(2);

/// Bytes over time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    window: Option<(Instant, u64)>,
    bitrate: Option<Bitrate>,
}

impl Meter {
    pub(crate) fn note(&mut self, bytes: u64, now: Instant) {
        let (since, before) = *self.window.get_or_insert((now, 0));
        let passed = now.saturating_duration_since(since);
        if passed < WINDOW {
            self.window = Some((since, before + bytes));
            return;
        }
        self.window = Some((now, bytes));
        if passed >= SILENCE {
            // It was called off meanwhile: what it cost before it costs again.
            return;
        }
        let measured = Bitrate::over(before, passed);
        self.bitrate = Some(match self.bitrate {
            // A picture that comes back begins with a keyframe: that must not cost somebody else his.
            Some(last) => Bitrate((3 * last.0 + measured.0) / 4),
            None => measured,
        });
    }

    /// `None` while it was not measured.
    pub(crate) fn bitrate(&self) -> Option<Bitrate> {
        self.bitrate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::anchor;

    #[test]
    fn a_steady_layer_is_measured_at_its_rate_and_a_keyframe_moves_it_little() {
        let start = anchor();
        let mut meter = Meter::default();
        for step in 0..60_u32 {
            // 1 250 bytes each 20 ms are 500 kb/s.
            meter.note(1_250, start + Duration::from_millis(20) * step);
        }
        assert!((480_000..=520_000).contains(&meter.bitrate().unwrap().0));

        meter.note(12_500, start + Duration::from_millis(1_200));
        for step in 61..100_u32 {
            meter.note(1_250, start + Duration::from_millis(20) * step);
        }
        assert!((500_000..=560_000).contains(&meter.bitrate().unwrap().0));
    }
}
