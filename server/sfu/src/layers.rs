//! Which layer of a track a slot shows, and which ones its publisher has to send for that: encodings of simulcast (RFC 8853),
//! or sizes and frame rates within one scalable stream (`scalable.rs`). Pure: told what is there and what is needed. Layers are
//! counted from the smallest.

use crate::limits::MAX_RUNGS;

/// What is known of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    /// Of its pictures, in pixels.
    pub(crate) height: u16,
    pub(crate) presence: Presence,
    pub(crate) frames: Frames,
}

/// How many of a size's frames a layer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frames {
    All,
    /// Those of the lower temporal layers: for a line that carries no more, never by choice.
    Some,
}

/// Whether packets of a layer come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Live,
    /// Not asked for, or its publisher's CPU or line does not carry it.
    Absent,
}

/// What a slot asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// Height of the tile, in device pixels.
    pub(crate) tile: u16,
    /// The largest layer that the subscriber's line carries; `None` is no limit.
    pub(crate) cap: Option<usize>,
}

/// What a slot gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The layer that fits, whether or not it is there: the smallest that fills the tile.
    pub(crate) wanted: usize,
    /// The layer to show until then: the next smaller one that is there, or else the next larger; `None` if there is none.
    pub(crate) shown: Option<usize>,
}

/// Chooses among layers, the smallest first.
pub(crate) fn choose(rungs: &[Rung], need: Need) -> Choice {
    let allowed = need.cap.map_or(rungs.len(), |cap| rungs.len().min(cap.saturating_add(1)));
    let rungs = rungs.get(..allowed).unwrap_or_default();
    let largest = rungs.len().saturating_sub(1);
    let fitting =
        rungs.iter().position(|rung| rung.frames == Frames::All && fills(rung.height, need.tile));
    let wanted = fitting.unwrap_or(largest);
    let is_live = |at: &usize| rungs.get(*at).is_some_and(|rung| rung.presence == Presence::Live);
    let shown = (0..=wanted).rev().find(is_live).or_else(|| (wanted + 1..allowed).find(is_live));
    Choice { wanted, shown }
}

/// Whether a picture fills a tile to the eye. One eighth of enlargement is not seen: it keeps an encoder that rounds its
/// height down from costing the next layer, which has four times the pixels.
fn fills(height: u16, tile: u16) -> bool {
    height.saturating_add(height / 8) >= tile
}

impl Choice {
    /// The layers that the publisher has to send. While the fitting one does not come, every smaller one too: one of them
    /// may fit through its line.
    pub(crate) fn needs(&self, rungs: &[Rung]) -> Needs {
        let is_live = rungs.get(self.wanted).is_some_and(|rung| rung.presence == Presence::Live);
        let first = if is_live { self.wanted } else { 0 };
        let wanted = (first..=self.wanted).fold(LayerSet::NONE, LayerSet::with);
        Needs { wanted, sent: self.shown.into_iter().fold(wanted, LayerSet::with) }
    }
}

/// What slots need of a track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The layers that fit.
    pub(crate) wanted: LayerSet,
    /// These, and those that are shown until they come.
    pub(crate) sent: LayerSet,
}

impl Needs {
    pub(crate) fn union(self, other: Self) -> Self {
        Self { wanted: self.wanted.union(other.wanted), sent: self.sent.union(other.sent) }
    }
}

/// Some of a track's layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LayerSet(u16);

const _: () = assert!(MAX_RUNGS <= 16, "a layer has no bit");

impl LayerSet {
    pub(crate) const NONE: Self = Self(0);

    /// The first `count` layers.
    pub(crate) fn first(count: usize) -> Self {
        (0..count).fold(Self::NONE, Self::with)
    }

    pub(crate) fn with(self, layer: usize) -> Self {
        Self(self.0 | Self::bit(layer))
    }

    pub(crate) fn without(self, layer: usize) -> Self {
        Self(self.0 & !Self::bit(layer))
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of it that are in none of `other`.
    pub(crate) fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn has(self, layer: usize) -> bool {
        self.0 & Self::bit(layer) != 0
    }

    fn bit(layer: usize) -> u16 {
        if layer < MAX_RUNGS { 1 << layer } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quarter, half and full of 720p; those that are there.
    fn rungs(live: [usize; 3]) -> [Rung; 3] {
        let rung = |height, live| Rung {
            height,
            presence: if live == 1 { Presence::Live } else { Presence::Absent },
            frames: Frames::All,
        };
        [rung(180, live[0]), rung(360, live[1]), rung(720, live[2])]
    }

    fn chosen(live: [usize; 3], tile: u16, cap: Option<usize>) -> (usize, Option<usize>) {
        let Choice { wanted, shown } = choose(&rungs(live), Need { tile, cap });
        (wanted, shown)
    }

    #[test]
    fn the_smallest_layer_that_fills_the_tile_is_shown() {
        for (tile, layer) in [
            (0, 0),
            (90, 0),
            (180, 0),
            (202, 0),
            (203, 1),
            (360, 1),
            (540, 2),
            (720, 2),
            (u16::MAX, 2),
        ] {
            assert_eq!(chosen([1, 1, 1], tile, None), (layer, Some(layer)), "a tile of {tile}");
        }
    }

    #[test]
    fn a_cap_holds_whatever_the_tile_asks_for() {
        assert_eq!(chosen([1, 1, 1], 720, Some(1)), (1, Some(1)));
        assert_eq!(chosen([1, 1, 1], 720, Some(0)), (0, Some(0)));
        assert_eq!(chosen([1, 1, 1], 180, Some(9)), (0, Some(0)));
        assert_eq!(chosen([0, 0, 1], 720, Some(1)), (1, None));
    }

    #[test]
    fn for_an_absent_layer_the_next_smaller_one_stands_in_then_the_next_larger() {
        assert_eq!(chosen([1, 1, 0], 720, None), (2, Some(1)));
        assert_eq!(chosen([1, 0, 0], 720, None), (2, Some(0)));
        assert_eq!(chosen([0, 1, 1], 180, None), (0, Some(1)));
        assert_eq!(chosen([0, 0, 1], 180, None), (0, Some(2)));
        assert_eq!(chosen([0, 0, 0], 360, None), (1, None));
    }

    #[test]
    fn a_publisher_sends_the_wanted_layer_alone_or_what_may_stand_in_for_it() {
        let needed = |live, tile| {
            let rungs = rungs(live);
            let needs = choose(&rungs, Need { tile, cap: None }).needs(&rungs);
            [0, 1, 2].map(|layer| needs.sent.has(layer))
        };
        assert_eq!(needed([1, 1, 1], 720), [false, false, true]);
        assert_eq!(needed([1, 1, 0], 720), [true, true, true]);
        assert_eq!(needed([0, 0, 1], 180), [true, false, true]);
        assert_eq!(needed([0, 0, 0], 360), [true, true, false]);
    }

    #[test]
    fn frames_are_left_out_only_where_a_cap_says_so() {
        let rung = |height, frames| Rung { height, presence: Presence::Live, frames };
        let rungs = [180, 360].map(|height| [Frames::Some, Frames::All].map(|it| rung(height, it)));
        let wanted = |tile, cap| choose(rungs.as_flattened(), Need { tile, cap }).wanted;

        assert_eq!([wanted(90, None), wanted(360, None), wanted(720, None)], [1, 3, 3]);
        assert_eq!([wanted(360, Some(2)), wanted(360, Some(1)), wanted(360, Some(0))], [2, 1, 0]);
    }

    #[test]
    fn a_track_without_layers_is_no_trouble() {
        assert_eq!(
            choose(&[], Need { tile: 180, cap: Some(1) }),
            Choice { wanted: 0, shown: None }
        );
    }
}
