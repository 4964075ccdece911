//! How many earlier frames the sound to a subscriber carries (RFC 2198): as many as its loss asks for, unless the line loses
//! because it is full. Each earlier frame costs as much again as the voice itself, and where a queue overflows it is
//! what makes it overflow.

use crate::estimate::Bitrate;
use crate::event::Loss;

/// One more frame in each packet of a voice: Opus at 24 kb/s and its header, 4 bytes 50 times a second.
const FRAME_RESERVE: Bitrate = Bitrate::kbps(26);

/// On a line where a queue has grown, sound with its earlier frames may cost at most this share of the estimate, in
/// hundredths: the rest is what pictures fill and give back first.
const MOST_PERCENT: u64 = 50;

/// Bytes of a payload with earlier frames. Headers and tag are less than 100 more, and IPv6 carries 1 280 on any path.
pub(crate) const PAYLOAD_ROOM: usize = 1_100;

/// Earlier frames in each packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Redundancy {
    #[default]
    None,
    /// A loss of 10 % becomes one of 1 %.
    One,
    /// A loss of 30 % becomes one of 3 %.
    Two,
}

/// Whether a queue has lately been seen to grow on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Congestion {
    /// Then what is lost is lost at random, as on a bad radio link.
    Unseen,
    Seen,
}

impl Redundancy {
    /// For a line with this loss and this estimate, which `voices` go down for `cost` without any.
    pub(crate) fn choose(
        loss: Loss,
        congestion: Congestion,
        estimate: Option<Bitrate>,
        voices: u64,
        cost: Bitrate,
    ) -> Self {
        let wanted = match loss {
            Loss::Little => Self::None,
            Loss::Five | Loss::Ten => Self::One,
            Loss::Twenty | Loss::Thirty => Self::Two,
        };
        let fits = |it: &Self| match (congestion, estimate) {
            (Congestion::Unseen, _) | (Congestion::Seen, None) => true,
            (Congestion::Seen, Some(estimate)) => {
                cost.plus(it.reserve(voices)) <= estimate.percent(MOST_PERCENT)
            }
        };
        [Self::Two, Self::One].into_iter().filter(|it| *it <= wanted).find(fits).unwrap_or_default()
    }

    /// How many.
    pub(crate) fn depth(self) -> u64 {
        match self {
            Self::None => 0,
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// What they cost beside the voices.
    pub(crate) fn reserve(self, voices: u64) -> Bitrate {
        FRAME_RESERVE.percent(100 * self.depth() * voices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOICE: Bitrate = Bitrate::kbps(50);

    fn choose(loss: Loss, congestion: Congestion, estimate: Option<u64>) -> Redundancy {
        Redundancy::choose(loss, congestion, estimate.map(Bitrate::kbps), 1, VOICE)
    }

    #[test]
    fn a_clean_line_carries_nothing_twice_and_a_worse_one_more() {
        use Loss::{Five, Little, Ten, Thirty, Twenty};
        let chosen = [Little, Five, Ten, Twenty, Thirty]
            .map(|loss| choose(loss, Congestion::Unseen, None).depth());
        assert_eq!(chosen, [0, 1, 1, 2, 2]);
    }

    #[test]
    fn random_loss_is_repaired_however_little_the_estimate_believes_in_the_line() {
        assert_eq!(choose(Loss::Thirty, Congestion::Unseen, Some(30)), Redundancy::Two);
    }

    #[test]
    fn a_full_line_is_not_filled_further() {
        let full = |loss, estimate| choose(loss, Congestion::Seen, Some(estimate));
        // One voice with one frame more costs 76, with two 102.
        assert_eq!(full(Loss::Thirty, 64), Redundancy::None);
        assert_eq!(full(Loss::Thirty, 151), Redundancy::None);
        assert_eq!(full(Loss::Thirty, 152), Redundancy::One);
        assert_eq!(full(Loss::Thirty, 204), Redundancy::Two);
        assert_eq!(full(Loss::Ten, 204), Redundancy::One);
        let of_five = |estimate| {
            let estimate = Some(Bitrate::kbps(estimate));
            Redundancy::choose(Loss::Ten, Congestion::Seen, estimate, 5, VOICE.percent(500))
        };
        assert_eq!(of_five(700), Redundancy::None);
        assert_eq!(of_five(760), Redundancy::One);
    }
}
