//! One outgoing m-line of a subscriber: what it carries, in whose numbers, and how a packet is written.

use std::time::{Duration, Instant};

use crate::bandwidth::Bandwidth;
use crate::bytes::low16;
use crate::cache::{Arrival, Meta, Origin, Pool};
use crate::codec::red::{Block, Frames};
use crate::codec::vp8::{Continuity, Keyframe};
use crate::counters::Counters;
use crate::egress::{Egress, Path};
use crate::layers::{Choice, LayerSet, Need, Presence, Rung, choose};
use crate::limits::{
    ASSUMED_TILE, MAX_PENDING_RETRANSMISSIONS, SENT_PACKETS_AUDIO, SENT_PACKETS_VIDEO,
};
use crate::outgoing::{Packet, Payload};
use crate::plan::{Codec, SlotLine, TrackKey};
use crate::redundancy::{PAYLOAD_ROOM, Redundancy};
use crate::rewrite::{Rewriter, Rewritten};
use crate::rtp::Marker;
use crate::sent::{Budget, Leaving, Sent};
use crate::srtp::{Index, ReplayWindow, Session};
use crate::track::{Layer, clock_rate, payload_types};

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
    /// When its subscriber last asked for a keyframe.
    pub(crate) keyframe_asked: Option<Instant>,
    /// Of this slot's media, for its sender reports.
    pub(crate) packets: u32,
    pub(crate) octets: u32,
    /// `packets` when its subscriber last reported.
    pub(crate) packets_reported: u32,
    rewriter: Rewriter,
    vp8: Continuity,
    used: ReplayWindow,
    sent: Sent,
    pending: Vec<u16>,
    rtx_sequence: Index,
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
        let capacity = match line.codec {
            Codec::Opus { .. } => SENT_PACKETS_AUDIO,
            Codec::Vp8 { .. } => SENT_PACKETS_VIDEO,
        };
        let rewriter =
            Rewriter::new(line.first_sequence, line.first_timestamp, clock_rate(line.codec));
        Self {
            // RTX has an index of its own under the same key: any start below 2^15 will do.
            rtx_sequence: Index::from(line.first_sequence & 0x7fff),
            line,
            wish: Visibility::Wanted { tile: ASSUMED_TILE },
            cap: None,
            priority: 0,
            share: Share::Undecided,
            source: None,
            keyframe_asked: None,
            packets: 0,
            octets: 0,
            packets_reported: 0,
            rewriter,
            vp8: Continuity::default(),
            used: ReplayWindow::default(),
            sent: Sent::new(capacity),
            pending: Vec::new(),
        }
    }

    /// Whether its subscriber pinned what it shows.
    pub(crate) fn is_pinned(&self) -> bool {
        self.priority >= PINNED
    }

    /// Carries a track from now on, by index and name, once it is let to. What the former one still had to send is not sent.
    pub(crate) fn carry(&mut self, track: Option<(usize, TrackKey)>) {
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
        if self.share == Share::Given {
            self.share = Share::Undecided;
        }
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
    pub(crate) fn aim(&mut self, layers: &mut [Layer], rungs: &[Rung]) -> LayerSet {
        let Visibility::Wanted { tile } = self.wish else { return LayerSet::NONE };
        let codec = self.line.codec;
        let Some(source) = self.source.as_mut().filter(|it| it.state != State::Paused) else {
            return LayerSet::NONE;
        };
        let choice = choose(rungs, Need { tile, cap: self.cap });
        let Choice { wanted: _, shown } = choice;
        let is_live = rungs.get(source.layer).is_some_and(|rung| rung.presence == Presence::Live);
        match shown.filter(|layer| *layer != source.layer) {
            None => source.next = None,
            Some(layer) => {
                let Some(to) = layers.get_mut(layer) else { return LayerSet::NONE };
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
        let needed = choice.needed(rungs);
        if is_live { needed.with(source.layer) } else { needed }
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
        first.into_iter().chain(next).find_map(|(at, cursor)| {
            let layer = layers.get(at)?;
            let from = cursor.max(layer.cache.tail());
            let is_ahead = layer.keyframe.is_some_and(|keyframe| keyframe >= from);
            let can_ask = layer.ssrc.is_some() && layer.keyframes.is_idle();
            (!is_ahead && can_ask && matches!(self.line.codec, Codec::Vp8 { .. })).then_some(at)
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
        match (self.line.codec, source.state) {
            (Codec::Vp8 { .. }, State::Waiting | State::Flowing) => {
                source.state = State::Waiting;
                for layer in [Some(source.layer), source.next.map(|next| next.layer)] {
                    if let Some(layer) = layer.and_then(|layer| layers.get_mut(layer)) {
                        layer.keyframes.want();
                    }
                }
                self.sent.clear();
                self.pending.clear();
            }
            (Codec::Vp8 { .. }, State::Paused) | (Codec::Opus { .. }, _) => {}
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
        let (offset, rate) = (self.timestamp_offset(), clock_rate(self.line.codec));
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
                if let Some(descriptor) = &meta.vp8 {
                    self.vp8.switch(descriptor);
                }
                *began = Some(meta.timestamp.wrapping_add(self.rewriter.timestamp_offset()));
                let meta = Meta { marker: spurt_marker(&meta), ..meta };
                self.send(meta, from, payload, layer, pool, wire);
            } else if payload.is_empty() {
                self.rewriter.skip(meta.sequence);
            } else {
                self.send(meta, from, payload, layer, pool, wire);
            }
        }
        Outcome::Done
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
        let ids = meta.vp8.as_ref().map(|it| self.vp8.forward(it)).unwrap_or_default();
        let frames = self.frames(payload, numbers, layer, pool, wire.redundancy);
        let (pt, octets, payload) = match (self.line.codec, meta.vp8) {
            (Codec::Opus { pt, red: Some(red) }, _) if !frames.earlier().is_empty() => {
                wire.counters.redundant_packets += 1;
                (red, frames.len(), Payload::Redundant(pt, &frames))
            }
            (Codec::Vp8 { pt, .. }, Some(descriptor)) => {
                (pt, payload.len(), Payload::Picture(payload, descriptor, ids))
            }
            (Codec::Opus { pt, .. } | Codec::Vp8 { pt, .. }, _) => {
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
            payload,
        };
        if let Some(len) = packet.write(self.line.extensions.transport_cc, wire) {
            let (layer, arrival) = from;
            let Rewritten { sequence, timestamp } = numbers;
            self.sent.note(Leaving { sequence, timestamp, layer, arrival, ids }, wire.now);
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

    fn retransmit(&mut self, layers: &[Layer], pool: &Pool, wire: &mut Wire<'_>) -> Outcome {
        while let Some(sequence) = self.pending.last().copied() {
            if wire.egress.is_full() {
                return Outcome::Full;
            }
            if let Some(wait) = self.pace(wire) {
                return Outcome::Paced(wait);
            }
            self.pending.pop();
            if self.retransmit_one(sequence, layers, pool, wire).is_none() {
                wire.counters.refused_retransmissions += 1;
            }
        }
        Outcome::Done
    }

    fn retransmit_one(
        &mut self,
        sequence: u16,
        layers: &[Layer],
        pool: &Pool,
        wire: &mut Wire<'_>,
    ) -> Option<()> {
        let (_, rtx_pt) = payload_types(self.line.codec);
        let (pt, ssrc) = (rtx_pt?, self.line.rtx?);
        let sent = self.sent.take_turn(sequence, wire.rtt, wire.now)?;
        let (meta, payload) = layers.get(usize::from(sent.layer))?.cache.get(pool, sent.arrival)?;
        if !wire.budget.allows(payload.len(), wire.now) {
            return None;
        }
        let packet = Packet {
            pt,
            ssrc,
            sequence: self.rtx_sequence,
            timestamp: sent.timestamp,
            marker: meta.marker,
            original: Some(low16(sent.sequence)),
            payload: match meta.vp8 {
                Some(descriptor) => Payload::Picture(payload, descriptor, sent.ids),
                None => Payload::Sound(payload),
            },
        };
        self.rtx_sequence += 1;
        let len = packet.write(self.line.extensions.transport_cc, wire)?;
        wire.budget.resent(len, wire.now);
        wire.counters.forwarded_packets += 1;
        wire.counters.retransmitted_packets += 1;
        wire.counters.forwarded_bytes += len;
        Some(())
    }

    /// How long the next packet must wait for the line. Sound never does.
    fn pace(&self, wire: &mut Wire<'_>) -> Option<Duration> {
        match self.line.codec {
            Codec::Opus { .. } => None,
            Codec::Vp8 { .. } => wire.bandwidth.wait(wire.now),
        }
    }

    /// Whether probes can be sent beside its packets: only feedback tells what became of them.
    pub(crate) fn can_probe(&self) -> bool {
        let (_, rtx_pt) = payload_types(self.line.codec);
        rtx_pt.is_some() && self.line.rtx.is_some() && self.line.extensions.transport_cc.is_some()
    }

    /// Sends a retransmission of nothing: `padding` bytes that every receiver throws away (RFC 3550 §5.1).
    pub(crate) fn pad(&mut self, padding: u8, wire: &mut Wire<'_>) -> Option<()> {
        let (_, rtx_pt) = payload_types(self.line.codec);
        let packet = Packet {
            pt: rtx_pt?,
            ssrc: self.line.rtx?,
            sequence: self.rtx_sequence,
            timestamp: self.rewriter.timestamp_offset(),
            marker: Marker::Clear,
            original: None,
            payload: Payload::Padding(padding),
        };
        self.rtx_sequence += 1;
        packet.write(self.line.extensions.transport_cc, wire)?;
        wire.counters.probe_packets += 1;
        Some(())
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

/// A repeated frame is older than the packet it came in, which may be the first that its subscriber is allowed to hear.
fn can_begin(meta: &Meta, payload: &[u8]) -> bool {
    !payload.is_empty()
        && meta.origin == Origin::Own
        && meta.vp8.is_none_or(|it| it.keyframe == Keyframe::Starts)
}

/// Sound that begins is a talk spurt (RFC 3551 §4.1); a picture keeps the end of its frame.
fn spurt_marker(meta: &Meta) -> Marker {
    if meta.vp8.is_none() { Marker::Set } else { meta.marker }
}

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
