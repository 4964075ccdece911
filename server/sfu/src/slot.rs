//! One outgoing m-line of a subscriber: what it carries, in whose numbers, and how a packet is written.

use std::time::{Duration, Instant};

use crate::bandwidth::Bandwidth;
use crate::cache::{Arrival, Meta, Origin, Pool};
use crate::codec::Keyframe;
use crate::codec::ids::Continuity;
use crate::codec::red::{Block, Frames};
use crate::counters::Counters;
use crate::egress::{Egress, Path};
use crate::layers::{Choice, LayerSet, Need, Needs, Presence, Rung, choose};
use crate::limits::{
    ASSUMED_TILE, MAX_PENDING_RETRANSMISSIONS, SENT_PACKETS_AUDIO, SENT_PACKETS_VIDEO,
};
use crate::outgoing::{Packet, Payload};
use crate::plan::{Codec, Receives, SlotLine, TrackKey};
use crate::redundancy::{PAYLOAD_ROOM, Redundancy};
use crate::rewrite::{Rewriter, Rewritten};
use crate::rtp::Marker;
use crate::scalable::{Part, rung};
use crate::selector::{Fate, Selector};
use crate::sent::{Budget, Form, Leaving, Sent};
use crate::srtp::{Index, ReplayWindow, Session};
use crate::track::{Layer, clock_rate};

/// The priority with which a subscriber pins somebody.
pub(crate) const PINNED: u8 = 3;

pub(crate) struct Slot {
    pub(crate) line: SlotLine,
    pub(crate) wish: Visibility,
    /// The largest layer that the subscriber's bandwidth allows; `None` is no limit.
    pub(crate) cap: Option<usize>,
    /// 0 to [`PINNED`], as its subscriber wishes.
    pub(crate) priority: u8,
    pub(crate) share: Share,
    pub(crate) source: Option<Carried>,
    /// With which payload types it sends what it carries, or would send anything.
    pub(crate) codec: Option<Codec>,
    /// What of it is sent, if it is scalable.
    pub(crate) selector: Selector,
    /// When its subscriber last asked for a keyframe.
    pub(crate) keyframe_asked: Option<Instant>,
    /// Of this slot's media, for its sender reports.
    pub(crate) packets: u32,
    pub(crate) octets: u32,
    /// `packets` when its subscriber last reported.
    pub(crate) packets_reported: u32,
    pub(crate) rewriter: Rewriter,
    ids: Continuity,
    pub(crate) used: ReplayWindow,
    pub(crate) sent: Sent,
    pub(crate) pending: Vec<u16>,
    pub(crate) rtx_sequence: Index,
}

/// Whether the subscriber wants to see what the slot carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// In a tile of this height, in device pixels.
    Wanted {
        tile: u16,
    },
    Unwanted,
}

/// Whether the line has room for a slot's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// It shows something new that nobody has decided about. On a line that is limited it waits for that.
    Undecided,
    Given,
    /// Paused, and the control side was told.
    Refused,
    /// Its subscriber did not negotiate the format; the control side was told.
    Unplayable,
}

/// What a slot carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carried {
    /// Index of the track…
    pub(crate) track: usize,
    /// …and its name: an index is used again.
    pub(crate) key: TrackKey,
    pub(crate) layer: usize,
    /// The next packet of the layer to be looked at.
    pub(crate) cursor: Arrival,
    /// The layer it is about to turn to.
    next: Option<Next>,
    /// What to add to a timestamp of the layer it has just turned to, as both layers' sender reports say.
    aligned: Option<u32>,
    pub(crate) state: State,
    /// Whether the client was told from which timestamp on it sees this track.
    pub(crate) is_announced: bool,
}

/// A layer whose next keyframe is waited for while the old one flows.
#[derive(Clone, Copy, Debug)]
struct Next {
    layer: usize,
    /// The next packet to be looked at.
    cursor: Arrival,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Muted by the server, or not wanted.
    Paused,
    /// For a packet that a decoder can begin with.
    Waiting,
    Flowing,
}

/// What one peer's packets need on their way out.
pub(crate) struct Wire<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) bandwidth: &'a mut Bandwidth,
    pub(crate) budget: &'a mut Budget,
    /// Of sound.
    pub(crate) redundancy: Redundancy,
    pub(crate) path: Path,
    pub(crate) egress: &'a mut Egress,
    pub(crate) counters: &'a mut Counters,
    pub(crate) rtt: Duration,
    pub(crate) now: Instant,
}

/// How far a slot came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// No cell is left: go on from here when there is.
    Full,
    /// The line has enough for now: go on from here after this long.
    Paced(Duration),
}

impl Slot {
    pub(crate) fn new(line: SlotLine) -> Self {
        let (capacity, codec) = match line.receives {
            Receives::Sound { pt, red } => (SENT_PACKETS_AUDIO, Some(Codec::Opus { pt, red })),
            Receives::Pictures(formats) => (SENT_PACKETS_VIDEO, formats.iter().next()),
        };
        // A line that takes no format never sends: any clock will do.
        let rate = codec.map_or(1, clock_rate);
        let rewriter = Rewriter::new(line.first_sequence, line.first_timestamp, rate);
        Self {
            // RTX has an index of its own under the same key: any start below 2^15 will do.
            rtx_sequence: Index::from(line.first_sequence & 0x7fff),
            line,
            wish: Visibility::Wanted { tile: ASSUMED_TILE },
            cap: None,
            priority: 0,
            share: Share::Undecided,
            source: None,
            codec,
            selector: Selector::default(),
            keyframe_asked: None,
            packets: 0,
            octets: 0,
            packets_reported: 0,
            rewriter,
            ids: Continuity::default(),
            used: ReplayWindow::default(),
            sent: Sent::new(capacity),
            pending: Vec::new(),
        }
    }

    /// Whether its subscriber pinned what it shows.
    pub(crate) fn is_pinned(&self) -> bool {
        self.priority >= PINNED
    }

    /// Carries a track from now on, by index and name, once it is let to; `codec` is with which payload types. What the former
    /// one still had to send is not sent.
    pub(crate) fn carry(&mut self, track: Option<(usize, TrackKey)>, codec: Option<Codec>) {
        self.codec = codec.or(self.codec);
        self.source = track.map(|(track, key)| Carried {
            track,
            key,
            layer: 0,
            cursor: 0,
            next: None,
            aligned: None,
            state: State::Paused,
            is_announced: false,
        });
        self.share = match (self.share, track, codec) {
            (_, Some(_), None) => Share::Unplayable,
            (Share::Given | Share::Undecided | Share::Unplayable, ..) => Share::Undecided,
            (Share::Refused, ..) => Share::Refused,
        };
        self.selector = Selector::default();
        self.sent.clear();
        self.pending.clear();
    }

    /// Stops, or begins anew at `cursor`.
    pub(crate) fn set_state(&mut self, state: State, cursor: Arrival) {
        if let Some(source) = &mut self.source {
            source.state = state;
            source.cursor = cursor;
            (source.next, source.aligned) = (None, None);
        }
        self.sent.clear();
        self.pending.clear();
    }

    /// Turns to the layer that fits. The layers that its publisher has to send for this slot.
    pub(crate) fn aim(&mut self, layers: &mut [Layer], rungs: &[Rung]) -> Needs {
        let Visibility::Wanted { tile } = self.wish else { return Needs::default() };
        if let [layer] = &mut *layers
            && layer.scalable.is_some()
        {
            return self.aim_within(layer, rungs, tile);
        }
        let Some(codec) = self.codec else { return Needs::default() };
        let Some(source) = self.source.as_mut().filter(|it| it.state != State::Paused) else {
            return Needs::default();
        };
        let choice = choose(rungs, Need { tile, cap: self.cap });
        let Choice { wanted: _, shown } = choice;
        let is_live = rungs.get(source.layer).is_some_and(|rung| rung.presence == Presence::Live);
        match shown.filter(|layer| *layer != source.layer) {
            None => source.next = None,
            Some(layer) => {
                let Some(to) = layers.get_mut(layer) else { return Needs::default() };
                // Nothing is on the screen yet: it begins with the smaller one, or with what is there.
                if source.state == State::Waiting && (layer < source.layer || !is_live) {
                    source.layer = layer;
                    source.cursor = to.enter(codec);
                    (source.next, source.aligned) = (None, None);
                } else if source.next.is_none_or(|next| next.layer != layer) {
                    source.next = Some(Next { layer, cursor: to.enter(codec) });
                }
            }
        }
        let needs = choice.needs(rungs);
        let sent = if is_live { needs.sent.with(source.layer) } else { needs.sent };
        Needs { sent, ..needs }
    }

    /// The same within a stream that carries all sizes: each needs those below.
    fn aim_within(&mut self, layer: &mut Layer, rungs: &[Rung], tile: u16) -> Needs {
        let Some(source) = self.source.filter(|it| it.state != State::Paused) else {
            return Needs::default();
        };
        let Choice { wanted, shown } = choose(rungs, Need { tile, cap: self.cap });
        self.selector.want(shown.unwrap_or(wanted));
        let mut largest = rung::spatial(wanted).max(rung::spatial(self.selector.wanted()));
        if source.state == State::Flowing {
            largest = largest.max(rung::spatial(self.selector.shown()));
            let is_ahead = layer.keyframe.is_some_and(|keyframe| keyframe >= source.cursor);
            if self.selector.needs_keyframe() && !is_ahead && layer.keyframes.is_idle() {
                layer.keyframes.want();
            }
        }
        Needs {
            wanted: LayerSet::first(rung::spatial(wanted) + 1),
            sent: LayerSet::first(largest + 1),
        }
    }

    /// The layers whose packets it looks at.
    pub(crate) fn layers(&self) -> impl Iterator<Item = usize> {
        self.source
            .filter(|source| source.state != State::Paused)
            .into_iter()
            .flat_map(|source| [Some(source.layer), source.next.map(|next| next.layer)])
            .flatten()
    }

    /// A layer has new numbers from `cursor` on: whoever was in the middle of the old ones, or about to begin, begins there.
    pub(crate) fn begin_anew(&mut self, layer: usize, cursor: Arrival) {
        let Some(source) = &mut self.source else { return };
        if let Some(next) = source.next.as_mut().filter(|next| next.layer == layer) {
            next.cursor = cursor;
        }
        if source.layer == layer && source.state != State::Paused {
            self.set_state(State::Waiting, cursor);
        }
    }

    /// The layer that it waits to begin, if the keyframe for that has gone by unused (it was held back for too long) and none
    /// is asked for.
    pub(crate) fn stuck_on(&self, layers: &[Layer]) -> Option<usize> {
        let source = self.source?;
        let first = (source.state == State::Waiting).then_some((source.layer, source.cursor));
        let next = source.next.map(|next| (next.layer, next.cursor));
        let is_waiting = source.state == State::Flowing && self.selector.needs_keyframe();
        let size = is_waiting.then_some((source.layer, source.cursor));
        first.into_iter().chain(next).chain(size).find_map(|(at, cursor)| {
            let layer = layers.get(at)?;
            let from = cursor.max(layer.cache.tail());
            let is_ahead = layer.keyframe.is_some_and(|keyframe| keyframe >= from);
            let can_ask = layer.ssrc.is_some() && layer.keyframes.is_idle();
            (!is_ahead && can_ask && self.shows_pictures()).then_some(at)
        })
    }

    /// Passes over what came while there was no way to the subscriber: a picture that lacks it can only begin anew.
    pub(crate) fn pass_over(&mut self, layers: &mut [Layer]) {
        let Some(source) = &mut self.source else { return };
        let head = |layer: usize| layers.get(layer).map_or(0, |layer| layer.cache.head());
        source.cursor = head(source.layer);
        if let Some(next) = &mut source.next {
            next.cursor = head(next.layer);
        }
        match (self.line.receives, source.state) {
            (Receives::Pictures(_), State::Waiting | State::Flowing) => {
                source.state = State::Waiting;
                for layer in [Some(source.layer), source.next.map(|next| next.layer)] {
                    if let Some(layer) = layer.and_then(|layer| layers.get_mut(layer)) {
                        layer.keyframes.want();
                    }
                }
                self.sent.clear();
                self.pending.clear();
            }
            (Receives::Pictures(_), State::Paused) | (Receives::Sound { .. }, _) => {}
        }
    }

    /// Notes that the subscriber misses a packet.
    pub(crate) fn ask_again(&mut self, sequence: u16) {
        if self.pending.len() < MAX_PENDING_RETRANSMISSIONS && !self.pending.contains(&sequence) {
            self.pending.push(sequence);
        }
    }

    /// What to add to a timestamp of the source.
    pub(crate) fn timestamp_offset(&self) -> u32 {
        self.rewriter.timestamp_offset()
    }

    /// Sends what is new in its layer of these, and what was asked for again. `began` gets the timestamp of the first packet
    /// of a source or a layer.
    pub(crate) fn forward(
        &mut self,
        layers: &[Layer],
        pool: &Pool,
        wire: &mut Wire<'_>,
        began: &mut Option<u32>,
    ) -> Outcome {
        let Some(mut source) = self.source else { return Outcome::Done };
        let Some(codec) = self.codec else { return Outcome::Done };
        let (offset, rate) = (self.timestamp_offset(), clock_rate(codec));
        // A smaller layer is turned to because the line is full: what the larger one has still brought is left behind.
        if source.next.is_some_and(|next| next.layer < source.layer) {
            let _ = source.turn_to_next(layers, pool, offset, rate);
        }
        let mut outcome = self.forward_layer(&mut source, layers, pool, wire, began);
        // A larger one comes after what the smaller one has still brought.
        if outcome == Outcome::Done && source.turn_to_next(layers, pool, offset, rate) {
            outcome = self.forward_layer(&mut source, layers, pool, wire, began);
        }
        self.source = Some(source);
        if outcome == Outcome::Done {
            outcome = self.retransmit(layers, pool, wire);
        }
        outcome
    }

    fn forward_layer(
        &mut self,
        source: &mut Carried,
        layers: &[Layer],
        pool: &Pool,
        wire: &mut Wire<'_>,
        began: &mut Option<u32>,
    ) -> Outcome {
        let Some(layer) = layers.get(source.layer) else { return Outcome::Done };
        if source.state == State::Paused {
            source.cursor = layer.cache.head();
            return Outcome::Done;
        }
        let tail = layer.cache.tail();
        if source.cursor < tail {
            wire.counters.cache_overruns += tail - source.cursor;
            source.cursor = tail;
        }
        while let Some((meta, payload)) = layer.cache.get(pool, source.cursor) {
            if wire.egress.is_full() {
                return Outcome::Full;
            }
            if let Some(wait) = self.pace(wire) {
                return Outcome::Paced(wait);
            }
            let from = (source.layer, source.cursor);
            source.cursor += 1;
            if source.state == State::Waiting {
                if !can_begin(&meta, payload) {
                    continue;
                }
                source.state = State::Flowing;
                let aligned = source.aligned.take();
                self.rewriter.switch(meta.sequence, meta.timestamp, aligned, wire.now);
                if let Some(picture) = &meta.picture {
                    self.ids.switch(&picture.ids);
                }
                *began = Some(meta.timestamp.wrapping_add(self.rewriter.timestamp_offset()));
                let mut meta = Meta { marker: spurt_marker(&meta), ..meta };
                if let Some(part) = meta.picture.and_then(|picture| picture.part) {
                    let fate = self.selector.begin(&part, meta.timestamp);
                    mark(&mut meta, fate);
                }
                self.send(meta, from, payload, layer, pool, wire);
            } else if payload.is_empty() {
                self.rewriter.skip(meta.sequence);
            } else if layer.scalable.is_some() {
                match meta.picture.and_then(|picture| picture.part) {
                    Some(part) => self.send_part(meta, part, from, payload, layer, pool, wire),
                    // Its templates are lost: what it belonged to is not whole, whenever they come.
                    None => source.state = State::Waiting,
                }
            } else {
                self.send(meta, from, payload, layer, pool, wire);
            }
        }
        Outcome::Done
    }

    /// Sends a packet of a scalable stream, if it is needed.
    #[expect(clippy::too_many_arguments, reason = "what `send` takes, and its place in the stream")]
    fn send_part(
        &mut self,
        mut meta: Meta,
        part: Part,
        from: (usize, Arrival),
        payload: &[u8],
        layer: &Layer,
        pool: &Pool,
        wire: &mut Wire<'_>,
    ) {
        match self.selector.take(&part, meta.timestamp) {
            fate @ Fate::Sent(_) => {
                mark(&mut meta, fate);
                self.send(meta, from, payload, layer, pool, wire);
            }
            Fate::LeftOut if self.rewriter.is_awaited(meta.sequence) => self.fill(&meta, wire),
            Fate::LeftOut => self.rewriter.skip(meta.sequence),
        }
    }

    fn send(
        &mut self,
        meta: Meta,
        from: (usize, Arrival),
        payload: &[u8],
        layer: &Layer,
        pool: &Pool,
        wire: &mut Wire<'_>,
    ) {
        let Some(numbers) = self.rewriter.rewrite(meta.sequence, meta.timestamp, wire.now) else {
            return;
        };
        // One index never serves twice under one key, whatever went wrong before.
        if !self.used.is_fresh(numbers.sequence) {
            wire.counters.refused_srtp_index += 1;
            debug_assert!(false, "an SRTP index would have been used twice");
            return;
        }
        self.used.commit(numbers.sequence);
        let Some(codec) = self.codec else { return };
        let ids = meta.picture.as_ref().map(|it| self.ids.forward(&it.ids)).unwrap_or_default();
        let frames = self.frames(payload, numbers, layer, pool, wire.redundancy);
        let (layer_at, arrival) = from;
        let form = Form::new(layer_at, meta.marker, self.cut(&meta));
        let dependency = self.describe(&meta, layer, pool, arrival, ids, form);
        let (pt, octets, payload) = match (codec, meta.picture) {
            (Codec::Opus { pt, red: Some(red) }, _) if !frames.earlier().is_empty() => {
                wire.counters.redundant_packets += 1;
                (red, frames.len(), Payload::Redundant(pt, &frames))
            }
            (Codec::Picture { pt, .. }, Some(picture)) => {
                (pt, payload.len(), Payload::Picture(payload, picture.ids, ids))
            }
            (Codec::Opus { pt, .. } | Codec::Picture { pt, .. }, _) => {
                (pt, payload.len(), Payload::Sound(payload))
            }
        };
        let packet = Packet {
            pt,
            ssrc: self.line.ssrc,
            sequence: numbers.sequence,
            timestamp: numbers.timestamp,
            marker: meta.marker,
            original: None,
            dependency,
            payload,
        };
        if let Some(len) = packet.write(self.line.extensions.transport_cc, wire) {
            let Rewritten { sequence, timestamp } = numbers;
            self.sent.note(Leaving { sequence, timestamp, form, arrival, ids }, wire.now);
            self.packets = self.packets.wrapping_add(1);
            self.octets = self.octets.wrapping_add(u32::try_from(octets).unwrap_or(0));
            wire.budget.sent(len, wire.now);
            wire.counters.forwarded_packets += 1;
            wire.counters.forwarded_bytes += len;
        }
    }

    /// A frame with those that this slot sent under the numbers before: never one that its subscriber was not meant to hear.
    fn frames<'a>(
        &self,
        own: &'a [u8],
        numbers: Rewritten,
        layer: &Layer,
        pool: &'a Pool,
        redundancy: Redundancy,
    ) -> Frames<'a> {
        let mut frames = Frames::new(own);
        for back in 1..=redundancy.depth() {
            let sent = numbers.sequence.checked_sub(back).and_then(|at| self.sent.get(at));
            let Some(sent) = sent else { continue };
            let Some((_, frame)) = layer.cache.get(pool, sent.arrival) else { continue };
            let offset = numbers.timestamp.wrapping_sub(sent.timestamp);
            frames.add_earlier(Block { offset, frame }, PAYLOAD_ROOM);
        }
        frames
    }
}

impl Carried {
    /// Turns to the next layer if a keyframe of it has come. `offset` is what is added to the old one's timestamps.
    fn turn_to_next(&mut self, layers: &[Layer], pool: &Pool, offset: u32, rate: u32) -> bool {
        let Some(next) = &mut self.next else { return false };
        let Some(to) = layers.get(next.layer) else { return false };
        next.cursor = next.cursor.max(to.cache.tail());
        while let Some((meta, payload)) = to.cache.get(pool, next.cursor) {
            if can_begin(&meta, payload) {
                let from = layers.get(self.layer);
                let between = from.and_then(|from| to.offset_to(from, rate));
                self.aligned = between.map(|between| between.wrapping_add(offset));
                (self.layer, self.cursor) = (next.layer, next.cursor);
                (self.state, self.next) = (State::Waiting, None);
                return true;
            }
            next.cursor += 1;
        }
        false
    }
}

/// Marks a packet that is the last of its picture to this subscriber.
fn mark(meta: &mut Meta, fate: Fate) {
    if fate == Fate::Sent(Marker::Set) {
        meta.marker = Marker::Set;
    }
}

/// A repeated frame is older than the packet it came in, which may be the first that its subscriber is allowed to hear.
fn can_begin(meta: &Meta, payload: &[u8]) -> bool {
    !payload.is_empty()
        && meta.origin == Origin::Own
        && meta.picture.is_none_or(|it| it.keyframe == Keyframe::Starts)
}

/// Sound that begins is a talk spurt (RFC 3551 §4.1); a picture keeps the end of its frame.
fn spurt_marker(meta: &Meta) -> Marker {
    if meta.picture.is_none() { Marker::Set } else { meta.marker }
}

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
