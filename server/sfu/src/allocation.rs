//! Who is shown what, when a subscriber's line does not carry everything. A pure function of costs and budget, and the
//! hysteresis around it.

use std::time::{Duration, Instant};

use crate::estimate::Bitrate;
use crate::limits::MAX_RUNGS;

/// Something is raised when the budget is this share of its cost, in hundredths…
const RAISE_PERCENT: u64 = 115;

/// …for this long: sooner shows sooner, later does not flicker.
const RAISE_AFTER: Duration = Duration::from_secs(1);

/// What is shown is kept as long as the budget is this share of its cost, in hundredths. An estimate dips by 15 % whenever
/// it meets the line's limit.
const KEEP_PERCENT: u64 = 90;

/// Below this share the line is much too narrow, in hundredths: a picture is paused at once. Between this and
/// [`KEEP_PERCENT`] it is paused after [`PAUSE_AFTER`]: a viewer forgives a late step more than a flickering picture.
const PAUSE_AT_ONCE_PERCENT: u64 = 75;

/// See [`PAUSE_AT_ONCE_PERCENT`].
const PAUSE_AFTER: Duration = Duration::from_secs(1);

/// What comes first. In order: the first is served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Screen,
    /// Pinned by the subscriber, or speaking.
    Front,
    /// By the subscriber's wish, the lowest number first.
    Rest(u8),
}

/// Costs of a track's layers, the cheapest first; at least one. Of a scalable stream each is that of all that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Costs {
    layers: [Bitrate; MAX_RUNGS],
    len: usize,
}

/// What one slot would show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Its place among its subscriber's.
    pub(crate) slot: usize,
    pub(crate) rank: Rank,
    /// Up to the largest layer its tile needs.
    pub(crate) costs: Costs,
    /// The layer it is given now; `None` if it is paused.
    pub(crate) given: Option<usize>,
    /// Whether it stands here for the first time: nobody sees it yet, so nothing can flicker.
    pub(crate) standing: Standing,
}

/// Whether a claim has been decided before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    New,
    Decided,
}

impl Costs {
    /// Of one layer and those above it. Layers beyond [`MAX_RUNGS`] are left out.
    pub(crate) fn new(costs: impl IntoIterator<Item = Bitrate>) -> Self {
        let mut layers = [Bitrate::ZERO; MAX_RUNGS];
        let mut len = 0;
        for (place, cost) in layers.iter_mut().zip(costs) {
            *place = cost;
            len += 1;
        }
        Self { layers, len }
    }

    fn of(&self, layer: Option<usize>) -> Bitrate {
        layer.and_then(|layer| self.layers.get(layer)).copied().unwrap_or(Bitrate::ZERO)
    }

    /// The largest layer.
    pub(crate) fn largest(&self) -> Option<usize> {
        self.len.checked_sub(1)
    }

    /// Of the largest layer.
    pub(crate) fn most(&self) -> Bitrate {
        self.of(self.largest())
    }
}

/// The layer for each claim: the lowest for each in order of rank, then higher ones by turns, as far as the budget goes.
/// Who does not fit is passed over for who does.
pub(crate) fn fit(budget: Bitrate, claims: &[Claim], given: &mut Vec<Option<usize>>) {
    given.clear();
    given.resize(claims.len(), None);
    let mut left = budget;
    let most = claims.iter().map(|claim| claim.costs.len).max().unwrap_or(0);
    for layer in 0..most {
        let mut rank = None;
        while let Some(next) =
            claims.iter().map(|it| it.rank).filter(|it| rank.is_none_or(|rank| *it > rank)).min()
        {
            rank = Some(next);
            for (claim, given) in claims.iter().zip(given.iter_mut()) {
                let is_next = given.map_or(0, |layer| layer + 1) == layer;
                if claim.rank != next || !is_next || layer >= claim.costs.len {
                    continue;
                }
                let cost = claim.costs.of(Some(layer)).minus(claim.costs.of(*given));
                if cost <= left {
                    left = left.minus(cost);
                    *given = Some(layer);
                }
            }
        }
    }
}

/// The budget with which everything that costs `cost` would be shown.
pub(crate) fn budget_for(cost: Bitrate) -> Bitrate {
    cost.percent(RAISE_PERCENT)
}

/// Decides over time.
#[derive(Debug, Default)]
pub(crate) struct Allocator {
    raise_since: Option<Instant>,
    short_since: Option<Instant>,
    /// Kept between decisions for their memory.
    low: Vec<Option<usize>>,
    high: Vec<Option<usize>>,
    decided: Vec<Option<usize>>,
}

impl Allocator {
    /// The layer for each claim from now on.
    pub(crate) fn decide(
        &mut self,
        budget: Bitrate,
        claims: &[Claim],
        now: Instant,
    ) -> &[Option<usize>] {
        self.decided.clear();
        self.decided.extend(claims.iter().map(|claim| claim.given));
        let shown = total(claims, &self.decided);
        if budget < shown.percent(KEEP_PERCENT) {
            self.raise_since = None;
            self.lower(budget, claims, shown, now);
        } else {
            self.short_since = None;
            self.raise(budget, claims, now);
        }
        &self.decided
    }

    fn lower(&mut self, budget: Bitrate, claims: &[Claim], shown: Bitrate, now: Instant) {
        let since = *self.short_since.get_or_insert(now);
        let may_pause = budget < shown.percent(PAUSE_AT_ONCE_PERCENT)
            || now.saturating_duration_since(since) >= PAUSE_AFTER;
        fit(budget.whole_of(KEEP_PERCENT), claims, &mut self.low);
        for (decided, low) in self.decided.iter_mut().zip(&self.low) {
            *decided = match (*decided, *low) {
                (Some(_), None) if !may_pause => Some(0),
                (decided, low) => decided.min(low),
            };
        }
        if may_pause {
            self.short_since = None;
        }
    }

    fn raise(&mut self, budget: Bitrate, claims: &[Claim], now: Instant) {
        let budget = budget.whole_of(RAISE_PERCENT);
        fit(budget, claims, &mut self.high);
        let mut is_raised = false;
        for ((decided, high), claim) in self.decided.iter().zip(&self.high).zip(claims) {
            is_raised |= claim.standing == Standing::Decided && high > decided;
        }
        let since = is_raised.then(|| self.raise_since.unwrap_or(now));
        self.raise_since = since;
        let is_due = since.is_some_and(|since| now.saturating_duration_since(since) >= RAISE_AFTER);
        let may_rise = |claim: &Claim| is_due || claim.standing == Standing::New;
        let mut has_risen = false;
        for ((decided, high), claim) in self.decided.iter_mut().zip(&self.high).zip(claims) {
            if may_rise(claim) && *high > *decided {
                *decided = *high;
                has_risen = true;
            }
        }
        if has_risen && total(claims, &self.decided) > budget {
            // What rose did so in the place of something of lower rank.
            for (decided, high) in self.decided.iter_mut().zip(&self.high) {
                *decided = (*decided).min(*high);
            }
        }
        if is_due {
            self.raise_since = None;
        }
    }
}

fn total(claims: &[Claim], layers: &[Option<usize>]) -> Bitrate {
    claims
        .iter()
        .zip(layers)
        .fold(Bitrate::ZERO, |sum, (claim, layer)| sum.plus(claim.costs.of(*layer)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::anchor;

    fn kbps(kbps: u64) -> Bitrate {
        Bitrate::kbps(kbps)
    }

    fn claim(rank: Rank, costs: &[u64], given: Option<usize>) -> Claim {
        let costs = Costs::new(costs.iter().map(|cost| kbps(*cost)));
        Claim { slot: 0, rank, costs, given, standing: Standing::Decided }
    }

    fn fitted(budget: u64, claims: &[Claim]) -> Vec<Option<usize>> {
        let mut given = Vec::new();
        fit(kbps(budget), claims, &mut given);
        given
    }

    #[test]
    fn the_lowest_layer_goes_to_each_in_order_before_anybody_gets_more() {
        let claims = [
            claim(Rank::Rest(1), &[100, 300, 900], None),
            claim(Rank::Screen, &[500], None),
            claim(Rank::Front, &[100, 300, 900], None),
        ];

        assert_eq!(fitted(99, &claims), [None, None, None]);
        assert_eq!(fitted(499, &claims), [Some(0), None, Some(1)], "what fits is shown");
        assert_eq!(fitted(600, &claims), [None, Some(0), Some(0)]);
        assert_eq!(fitted(700, &claims), [Some(0), Some(0), Some(0)]);
        assert_eq!(fitted(900, &claims), [Some(0), Some(0), Some(1)]);
        assert_eq!(fitted(1_700, &claims), [Some(1), Some(0), Some(2)]);
        assert_eq!(fitted(9_999, &claims), [Some(2), Some(0), Some(2)]);
    }

    #[test]
    fn a_lower_layer_is_taken_at_once_and_a_pause_waits_unless_the_line_is_much_too_narrow() {
        let start = anchor();
        let layered = [claim(Rank::Front, &[100, 300], Some(1))];
        assert_eq!(Allocator::default().decide(kbps(260), &layered, start), [Some(0)]);

        let single = [claim(Rank::Front, &[300], Some(0))];
        let mut allocator = Allocator::default();
        assert_eq!(allocator.decide(kbps(275), &single, start), [Some(0)], "a dip");
        assert_eq!(allocator.decide(kbps(250), &single, start), [Some(0)]);
        assert_eq!(allocator.decide(kbps(250), &single, start + PAUSE_AFTER), [None]);
        assert_eq!(Allocator::default().decide(kbps(200), &single, start), [None]);
    }

    #[test]
    fn a_rise_needs_room_to_spare_for_a_second_without_a_break() {
        let start = anchor();
        let paused = [claim(Rank::Front, &[200], None)];
        let mut allocator = Allocator::default();
        let mut decide = |budget, ms| {
            allocator.decide(kbps(budget), &paused, start + Duration::from_millis(ms)).to_vec()
        };

        assert_eq!(decide(240, 0), [None]);
        assert_eq!(decide(220, 500), [None]);
        assert_eq!(decide(240, 600), [None]);
        assert_eq!(decide(240, 1_500), [None]);
        assert_eq!(decide(240, 1_600), [Some(0)]);
    }

    #[test]
    fn a_scalable_picture_is_raised_by_frame_rate_and_size_and_pays_only_what_each_step_adds() {
        // Sums: a size costs itself and what it needs of those below.
        let ladder = [80, 110, 150, 300, 420, 600, 900, 1_400, 2_000];
        let scalable = claim(Rank::Front, &ladder, None);
        let other = claim(Rank::Rest(0), &[150, 500, 1_500], None);

        assert_eq!(fitted(79, &[scalable]), [None]);
        assert_eq!(fitted(150, &[scalable]), [Some(2)]);
        assert_eq!(fitted(299, &[scalable]), [Some(2)]);
        assert_eq!(fitted(1_999, &[scalable]), [Some(7)]);
        assert_eq!(fitted(9_999, &[scalable]), [Some(8)]);
        // By turns with somebody else's layers, whose second step is dearer.
        assert_eq!(fitted(230, &[other, scalable]), [Some(0), Some(0)]);
        assert_eq!(fitted(300, &[other, scalable]), [Some(0), Some(2)]);
    }

    #[test]
    fn who_comes_new_is_shown_at_once_if_there_is_room_and_displaces_lower_ranks() {
        let start = anchor();
        let new = |rank, cost| Claim { standing: Standing::New, ..claim(rank, &[cost], None) };
        let shown = claim(Rank::Rest(0), &[300], Some(0));

        let decide = |budget, claims: &[Claim]| {
            Allocator::default().decide(kbps(budget), claims, start).to_vec()
        };

        assert_eq!(decide(800, &[shown, new(Rank::Rest(0), 300)]), [Some(0), Some(0)]);
        assert_eq!(decide(400, &[shown, new(Rank::Rest(0), 300)]), [Some(0), None]);
        assert_eq!(decide(400, &[shown, new(Rank::Screen, 300)]), [None, Some(0)]);
    }
}
