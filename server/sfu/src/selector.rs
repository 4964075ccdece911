//! What one subscriber is sent of a scalable stream: every frame that its rung needs and none besides. It turns to another
//! rung only before the first packet of a picture, and only where every later frame of the new rung will decode.

use crate::layers::LayerSet;
use crate::limits::MAX_RUNGS;
use crate::rtp::Marker;
use crate::scalable::{Part, rung};

/// Frames whose fate is remembered, for packets of them that come late: one second of three layers.
const REMEMBERED: u32 = 128;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is sent, marked as the last one of its picture if it is that to this subscriber.
    Sent(Marker),
    LeftOut,
}

/// The state of one slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selector {
    wanted: usize,
    shown: usize,
    /// Turns to other rungs, the newest first: packets of frames from before them may still come.
    turns: [Option<Turn>; TURNS],
    /// From which frame on what is shown may refer to frames that came before it was: the newest keyframe; `None` if it
    /// began with that.
    root: Option<u32>,
    /// The newest keyframe's first frame.
    key: u32,
    /// Rungs of which the next frame decodes: all that they need was sent.
    intact: LayerSet,
    /// The newest frame, and of it (bit 0) and those before: whether they came, and whether they are sent.
    newest: u32,
    came: u128,
    sent: u128,
    /// Timestamp of the newest picture of which something was sent.
    picture: Option<u32>,
}

/// Turns that are remembered: each takes a switching point, and late packets come within a second.
const TURNS: usize = 4;

/// One turn.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// The frame with which it came, and the timestamp of its picture: all frames of that are behind it, in whatever order
    /// they come.
    frame: u32,
    timestamp: u32,
    to: usize,
}

impl Default for Selector {
    fn default() -> Self {
        Self {
            wanted: rung::LAST,
            shown: rung::LAST,
            turns: [None; TURNS],
            root: None,
            key: 0,
            intact: LayerSet::NONE,
            newest: 0,
            came: 0,
            sent: 0,
            picture: None,
        }
    }
}

impl Selector {
    /// The rung to turn to as soon as it can be.
    pub(crate) fn want(&mut self, rung: usize) {
        self.wanted = rung.min(rung::LAST);
    }

    pub(crate) fn wanted(&self) -> usize {
        self.wanted
    }

    /// The rung that is sent.
    pub(crate) fn shown(&self) -> usize {
        self.shown
    }

    /// Whether it can turn to the wanted size only with a keyframe. A frame rate waits for a switching point, which comes by
    /// itself.
    pub(crate) fn needs_keyframe(&self) -> bool {
        rung::spatial(self.wanted) != rung::spatial(self.shown) && !self.intact.has(self.wanted)
    }

    /// Whether this frame is the first of another rung.
    pub(crate) fn turns_at(&self, part: &Part) -> bool {
        let [newest, before, ..] = self.turns;
        before.is_some() && newest.is_some_and(|turn| turn.frame == part.frame)
    }

    /// The stream begins with this packet, which begins a keyframe.
    pub(crate) fn begin(&mut self, part: &Part, timestamp: u32) -> Fate {
        let rungs = |up_to: usize| (0..=up_to).rev().find(|at| part.switches.has(*at));
        self.shown = rungs(self.wanted)
            .or_else(|| (self.wanted..MAX_RUNGS).find(|at| part.switches.has(*at)))
            .unwrap_or(self.wanted);
        self.turns = [None; TURNS];
        self.note_turn(part, timestamp);
        (self.intact, self.root, self.key) = (part.switches, None, part.frame);
        (self.newest, self.came, self.sent) = (part.frame, 1, 1);
        self.picture = Some(timestamp);
        Fate::Sent(self.marker(part, timestamp))
    }

    /// A packet of the stream, in order of arrival.
    pub(crate) fn take(&mut self, part: &Part, timestamp: u32) -> Fate {
        let ahead = part.frame.wrapping_sub(self.newest);
        let back = if ahead != 0 && ahead.cast_signed() > 0 {
            self.came = self.came.checked_shl(ahead).unwrap_or(0);
            self.sent = self.sent.checked_shl(ahead).unwrap_or(0);
            self.newest = part.frame;
            self.turn(part, timestamp);
            0
        } else {
            ahead.wrapping_neg()
        };
        if back >= REMEMBERED {
            return Fate::LeftOut;
        }
        let bit = 1_u128 << back;
        if self.came & bit == 0 {
            self.came |= bit;
            self.decide(part, timestamp, back);
        }
        if self.sent & bit == 0 {
            return Fate::LeftOut;
        }
        if back == 0 {
            self.picture = Some(timestamp);
        }
        Fate::Sent(self.marker(part, timestamp))
    }

    /// Turns to another rung with this frame, if it may.
    fn turn(&mut self, part: &Part, timestamp: u32) {
        if self.wanted == self.shown || self.picture == Some(timestamp) {
            return;
        }
        // What this frame makes possible is possible only if it decodes itself.
        let decodes = part.is_key || part.members.has(self.shown);
        let possible = if decodes { self.intact.union(part.switches) } else { self.intact };
        let to = Some(self.wanted).filter(|at| possible.has(*at));
        if let Some(to) = to.or_else(|| self.nearer(possible)) {
            self.root = (self.intact.has(to) && !part.is_key).then_some(self.key);
            self.shown = to;
            self.note_turn(part, timestamp);
        }
    }

    /// A frame rate of the size that is shown, as near to what is wanted as can be while that waits for its keyframe.
    fn nearer(&self, possible: LayerSet) -> Option<usize> {
        let at_wanted_rate = rung::at(rung::spatial(self.shown), rung::temporal(self.wanted));
        if self.wanted < self.shown {
            (at_wanted_rate..self.shown).find(|at| possible.has(*at))
        } else {
            (self.shown + 1..=at_wanted_rate).rev().find(|at| possible.has(*at))
        }
    }

    /// Whether a frame is sent of which a packet comes for the first time, `back` frames behind the newest.
    fn decide(&mut self, part: &Part, timestamp: u32, back: u32) {
        let is_late = back > 0;
        // What is shown since then may need it.
        let was_shown = self.shown_at(part.frame, timestamp);
        let is_needed =
            self.root.is_some_and(|root| part.frame.wrapping_sub(root).cast_signed() >= 0);
        let is_sent = was_shown.is_some_and(|rung| part.members.has(rung))
            || is_late && is_needed && part.members.has(self.shown);
        if is_sent {
            self.sent |= 1 << back;
        }
        if part.is_key && !is_late {
            self.key = part.frame;
        }
        self.intact = match (is_sent, is_late) {
            (false, _) => self.intact.minus(part.members),
            // Frames behind it may have been left out already.
            (true, true) => self.intact,
            (true, false) if part.is_key => part.switches,
            (true, false) => self.intact.union(part.switches),
        };
    }

    fn note_turn(&mut self, part: &Part, timestamp: u32) {
        self.turns.rotate_right(1);
        if let Some(newest) = self.turns.first_mut() {
            *newest = Some(Turn { frame: part.frame, timestamp, to: self.shown });
        }
    }

    /// The rung that was shown when a frame was the newest; `None` if that is forgotten.
    fn shown_at(&self, frame: u32, timestamp: u32) -> Option<usize> {
        let is_behind = |turn: &&Turn| {
            turn.timestamp == timestamp || frame.wrapping_sub(turn.frame).cast_signed() >= 0
        };
        self.turns.iter().flatten().find(is_behind).map(|turn| turn.to)
    }

    fn marker(&self, part: &Part, timestamp: u32) -> Marker {
        let shown = self.shown_at(part.frame, timestamp).unwrap_or(self.shown);
        let is_top = usize::from(part.spatial) == rung::spatial(shown);
        if part.ends && is_top { Marker::Set } else { Marker::Clear }
    }
}

#[cfg(test)]
#[path = "selector_tests.rs"]
mod tests;
