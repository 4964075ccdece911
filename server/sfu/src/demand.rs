//! Which layers a publisher is asked to send: a new need is told at once, an old one is dropped only after a while.

use std::time::Instant;

use crate::layers::{LayerSet, Needs};
use crate::limits::{LAYER_UNWATCHED_AFTER, MAX_LAYERS};

/// Demand for one track.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    /// What the publisher was told; at first it sends everything.
    told: LayerSet,
    needed: LayerSet,
    /// Since when nobody wants a layer that is sent. Somebody may still be shown it: the time that he waits for another one
    /// counts, for that can take as long as two keyframes that are lost.
    unwanted: [Option<Instant>; MAX_LAYERS],
}

impl Demand {
    /// Of a track with this many layers.
    pub(crate) fn new(layers: usize) -> Self {
        let all = LayerSet::first(layers);
        Self { told: all, needed: all, unwanted: [None; MAX_LAYERS] }
    }

    /// What is needed from now on. What the publisher is to send, if it was told less.
    pub(crate) fn need(&mut self, needs: Needs, now: Instant) -> Option<LayerSet> {
        self.needed = needs.sent;
        for (layer, since) in self.unwanted.iter_mut().enumerate() {
            if needs.wanted.has(layer) || !self.told.has(layer) {
                *since = None;
            } else {
                since.get_or_insert(now);
            }
        }
        let all = self.told.union(needs.sent);
        if all == self.told {
            return None;
        }
        self.told = all;
        Some(all)
    }

    /// What the publisher is to send, if it need not send a layer any more.
    pub(crate) fn lapse(&mut self, now: Instant) -> Option<LayerSet> {
        let before = self.told;
        for (layer, since) in self.unwanted.iter_mut().enumerate() {
            let is_over = since
                .is_some_and(|since| now.saturating_duration_since(since) >= LAYER_UNWATCHED_AFTER);
            if is_over && !self.needed.has(layer) {
                *since = None;
                self.told = self.told.without(layer);
            }
        }
        (self.told != before).then_some(self.told)
    }

    /// When `lapse` has something to say.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let unwanted = self.unwanted.iter().enumerate();
        let unneeded = unwanted.filter(|(layer, _)| !self.needed.has(*layer));
        unneeded.filter_map(|(_, since)| *since).min().map(|since| since + LAYER_UNWATCHED_AFTER)
    }

    /// Whether somebody needs the layer.
    pub(crate) fn needs(&self, layer: usize) -> bool {
        self.needed.has(layer)
    }

    /// Whether the publisher was told to send nothing: then silence is obedience.
    pub(crate) fn is_stopped(&self) -> bool {
        self.told == LayerSet::NONE
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::time::anchor;

    fn all(wanted: LayerSet) -> Needs {
        Needs { wanted, sent: wanted }
    }

    #[test]
    fn a_layer_is_dropped_after_a_second_and_asked_for_again_at_once() {
        let start = anchor();
        let at = |ms| start + Duration::from_millis(ms);
        let three = LayerSet::first(3);
        let smallest = LayerSet::first(1);
        let mut demand = Demand::new(3);

        assert_eq!(demand.need(all(smallest), at(0)), None);
        assert_eq!(demand.need(all(smallest), at(500)), None);
        assert_eq!(demand.deadline(), Some(at(1_000)));
        assert_eq!(demand.lapse(at(999)), None);
        assert_eq!(demand.lapse(at(1_000)), Some(smallest));
        assert_eq!(demand.deadline(), None);
        let largest = smallest.with(2);
        assert_eq!(demand.need(all(largest), at(1_100)), Some(largest));
        assert_eq!(demand.need(all(three), at(1_100)), Some(three));
    }

    #[test]
    fn a_layer_that_nobody_wants_is_dropped_when_the_last_one_leaves_it_and_not_before() {
        let start = anchor();
        let at = |ms| start + Duration::from_millis(ms);
        let smallest = LayerSet::first(1);
        let mut demand = Demand::new(3);
        let waiting = Needs { wanted: smallest, sent: smallest.with(2) };

        assert_eq!(demand.need(waiting, at(0)), None);
        assert_eq!(demand.deadline(), Some(at(1_000)));
        assert_eq!(demand.lapse(at(1_000)), Some(smallest.with(2)));
        assert_eq!((demand.deadline(), demand.lapse(at(1_700))), (None, None));
        assert_eq!(demand.need(all(smallest), at(1_700)), None);
        assert_eq!((demand.deadline(), demand.lapse(at(1_700))), (Some(at(1_000)), Some(smallest)));
    }

    #[test]
    fn a_need_that_returns_within_the_second_is_never_mentioned() {
        let start = anchor();
        let mut demand = Demand::new(3);
        demand.need(all(LayerSet::first(1)), start);
        demand.need(all(LayerSet::first(3)), start + Duration::from_millis(900));

        assert_eq!(demand.lapse(start + Duration::from_secs(9)), None);
        assert!(!demand.is_stopped());
    }
}
