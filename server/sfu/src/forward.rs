//! The way out: routes compiled when something changes, then subscriber by subscriber, packet by packet, so that what goes
//! to one destination stands together.

use std::time::{Duration, Instant};

use crate::command::Muted;
use crate::egress::{Egress, Flow, Path};
use crate::event::Event;
use crate::layers::Needs;
use crate::limits::CONTROL_QUEUE;
use crate::peer::{Peer, Queue};
use crate::plan::{CallKey, TrackKey};
use crate::scalable::rung;
use crate::seating::Candidate;
use crate::sfu::{Control, Sfu};
use crate::shares::told;
use crate::slot::{Outcome, Share, Slot, State, Visibility, Wire};
use crate::track::Activity;

impl Sfu {
    pub(crate) fn transmit(&mut self, now: Instant, egress: &mut Egress) -> Flow {
        while let Some(call) = self.stale.pop_first() {
            self.compile(call, now);
            self.share_out_call(call, now);
        }
        self.settle_all(now);
        while let Some(&index) = self.queue.front() {
            if self.forward_to(index, now, egress) == Outcome::Full {
                return Flow::More;
            }
            self.queue.pop_front();
            if let Some(peer) = self.peers.get_mut(index) {
                peer.queue = Queue::Outside;
            }
        }
        self.turn_dtls(now);
        // Slots that have turned to another layer need the old one no more.
        self.settle_all(now);
        self.send_feedback_of_queue(now);
        while let Some(control) = self.control.front() {
            if egress.is_full() {
                return Flow::More;
            }
            egress.push(control.path, &control.bytes);
            self.counters.control_packets_out += 1;
            self.control.pop_front();
        }
        Flow::Done
    }

    /// Puts a datagram that is not media into the queue.
    pub(crate) fn push_control(&mut self, peer: usize, path: Path, bytes: Vec<u8>) {
        if self.control.len() >= CONTROL_QUEUE {
            return self.counters.dropped_control_queue += 1;
        }
        self.control.push_back(Control { peer, path, bytes });
    }

    fn forward_to(&mut self, index: usize, now: Instant, egress: &mut Egress) -> Outcome {
        let Some(peer) = self.peers.get_mut(index) else { return Outcome::Done };
        let key = peer.key;
        let path = peer.ice.send_path(now);
        peer.paced_until = None;
        let Peer { session, slots, bandwidth, budget, redundancy, rtt, .. } = peer;
        let (Some(path), Some(session)) = (path, session) else {
            self.counters.dropped_no_consent += 1;
            bandwidth.give_up_probe();
            for slot in slots {
                let Some(source) = slot.source else { continue };
                let Some(track) = self.tracks.get_mut(source.track) else { continue };
                slot.pass_over(&mut track.layers);
                self.feedback.push_back(track.publisher);
            }
            return Outcome::Done;
        };
        let mut wire = Wire {
            session,
            bandwidth,
            budget,
            redundancy: *redundancy,
            path,
            egress,
            counters: &mut self.counters,
            rtt: *rtt,
            now,
        };
        let mut has_begun = false;
        let mut result = Outcome::Done;
        let mut paced: Option<Duration> = None;
        let mut stuck = None;
        for slot in &mut *slots {
            let Some(source) = slot.source else { continue };
            let size = rung::spatial(slot.selector.shown());
            let Some(track) = self.tracks.get(source.track).filter(|track| track.key == source.key)
            else {
                continue;
            };
            let mut began = None;
            result = slot.forward(&track.layers, &self.pool, &mut wire, &mut began);
            has_begun |= began.is_some();
            let has_turned = rung::spatial(slot.selector.shown()) != size;
            if began.is_some() && track.layers.len() > 1 || has_turned {
                self.unsettled.insert(source.track);
            }
            if let (Some(from), Some(source)) = (began, slot.source.as_mut())
                && !source.is_announced
            {
                source.is_announced = true;
                self.events.push_back(Event::Slot {
                    peer: key,
                    mid: slot.line.mid,
                    track: Some(source.key),
                    from_rtp_timestamp: Some(from),
                });
            }
            if let Some(layer) = slot.stuck_on(&track.layers) {
                stuck = Some((source.track, layer));
            }
            match result {
                Outcome::Done => {}
                // Sound in another slot does not wait.
                Outcome::Paced(wait) => paced = Some(paced.map_or(wait, |it| it.min(wait))),
                Outcome::Full => break,
            }
        }
        if result != Outcome::Full
            && let Some(slot) = slots.iter_mut().find(|slot| slot.can_probe())
        {
            while !wire.egress.is_full()
                && let Some(padding) = wire.bandwidth.next_probe(now)
            {
                let _ = slot.pad(padding, &mut wire);
            }
        }
        if let Some((track, layer)) = stuck
            && let Some(track) = self.tracks.get_mut(track)
            && let Some(layer) = track.layers.get_mut(layer)
        {
            layer.keyframes.want();
            self.feedback.push_back(track.publisher);
        }
        peer.paced_until = paced.map(|wait| now + wait);
        if peer.line_due().is_some() {
            // The timers are told.
            self.feedback.push_back(index);
        }
        if has_begun {
            // The slot's clock has another source: its sender report does not wait.
            peer.next_report = now;
            self.feedback.push_back(index);
        }
        result
    }

    /// Seats every track of a call with every peer of its audience, and notes for each track who has it.
    fn compile(&mut self, call: CallKey, now: Instant) {
        let Some(members) = self.calls.get(&call) else { return };
        self.counters.seatings += 1;
        let (peers, tracks) = (members.peers.clone(), members.tracks.clone());
        for &track in &tracks {
            if let Some(track) = self.tracks.get_mut(track) {
                track.subscribers.clear();
            }
        }
        for &index in &peers {
            self.seat(index, &tracks, now);
        }
        for &track in &tracks {
            self.settle(track, now);
        }
    }

    /// Lets every slot of tracks whose layers came, went or changed their size choose anew.
    fn settle_all(&mut self, now: Instant) {
        while let Some(track) = self.unsettled.pop_first() {
            self.settle(track, now);
        }
    }

    /// Lets every slot of a track choose its layer, notes for each layer who looks at it, and tells the publisher which ones
    /// it has to send. Costs about as much as forwarding one packet of the track.
    fn settle(&mut self, at: usize, now: Instant) {
        let Some(track) = self.tracks.get_mut(at) else { return };
        let rungs = track.rungs();
        for layer in &mut track.layers {
            layer.subscribers.clear();
        }
        let mut needs = Needs::default();
        for &subscriber in &track.subscribers {
            let Some(peer) = self.peers.get_mut(subscriber) else { continue };
            let slots = peer.slots.iter_mut();
            for slot in slots.filter(|it| it.source.is_some_and(|source| source.key == track.key)) {
                needs = needs.union(slot.aim(&mut track.layers, rungs.as_slice()));
                for layer in slot.layers() {
                    let Some(layer) = track.layers.get_mut(layer) else { continue };
                    layer.subscribers.push(subscriber);
                    // What came before anybody looked at it waits for nobody else to bring it out.
                    if layer.fresh.is_some() && peer.queue == Queue::Outside {
                        peer.queue = Queue::Waiting;
                        self.queue.push_back(subscriber);
                    }
                }
            }
        }
        for (layer, place) in track.layers.iter_mut().zip(0..) {
            layer.fresh = None;
            if !needs.sent.has(place) {
                // Nobody watches: nobody needs a keyframe.
                layer.keyframes.satisfy();
            }
        }
        let is_stopped = track.demand.is_stopped();
        if let Some(layers) = track.demand.need(needs, now) {
            if is_stopped && let Activity::Up { last } = &mut track.activity {
                // Its silence was ours: it counts from here.
                *last = now;
            }
            self.events
                .push_back(Event::LayerDemand { track: track.key, rids: track.rids(layers) });
        }
        self.feedback.push_back(track.publisher);
    }

    fn seat(&mut self, index: usize, tracks: &[usize], now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        // A transport without keys receives nothing; its slots are given out once it is connected.
        if peer.session.is_none() {
            return;
        }
        let is_limited = peer.bandwidth.estimate().is_some();
        let Peer { key, seating, slots, .. } = peer;
        let key = *key;
        let candidates = tracks.iter().filter_map(|&at| {
            let track = self.tracks.get(at)?;
            let liveliness = track.liveliness()?;
            let may_receive = track.publisher != index && track.audience.contains(&key);
            let (key, spoke) = (track.key, track.spoke);
            may_receive.then_some(Candidate { track: at, key, liveliness, spoke })
        });
        let mut assigned: Vec<(usize, Option<(usize, TrackKey)>)> = Vec::new();
        let is_pinned = |at| slots.get(at).is_some_and(Slot::is_pinned);
        seating.seat(candidates, is_pinned, now, |slot, track| assigned.push((slot, track)));
        for (at, wanted) in assigned {
            let Some(slot) = slots.get_mut(at) else { continue };
            if slot.source.map(|source| source.key) != wanted.map(|(_, key)| key) {
                let track = wanted.and_then(|(at, _)| self.tracks.get(at));
                let codec = track.and_then(|track| track.codec_for(&slot.line));
                let before = slot.share;
                slot.carry(wanted, codec);
                if !is_limited && slot.share != Share::Unplayable {
                    slot.share = Share::Given;
                }
                self.events.push_back(Event::Slot {
                    peer: key,
                    mid: slot.line.mid,
                    track: wanted.map(|(_, key)| key),
                    from_rtp_timestamp: None,
                });
                if before == Share::Unplayable || slot.share == Share::Unplayable {
                    self.events.extend(told(before, slot.share, key, slot.line.mid));
                }
            }
            let Some(source) = slot.source else { continue };
            let Some(track) = self.tracks.get_mut(source.track) else { continue };
            let Some(layer) = track.layers.get_mut(source.layer) else { continue };
            let is_wanted = match slot.wish {
                Visibility::Wanted { tile: _ } => true,
                Visibility::Unwanted => false,
            };
            let is_open = track.muted == Muted::No && is_wanted && slot.share == Share::Given;
            match (is_open, source.state) {
                (false, State::Waiting | State::Flowing) => {
                    slot.set_state(State::Paused, layer.cache.head());
                }
                (true, State::Paused) => {
                    let cursor = layer.enter(track.codec);
                    slot.set_state(State::Waiting, cursor);
                    if peer.queue == Queue::Outside {
                        peer.queue = Queue::Waiting;
                        self.queue.push_back(index);
                    }
                }
                (true, State::Waiting | State::Flowing) | (false, State::Paused) => {}
            }
            if is_open {
                track.subscribers.push(index);
            }
        }
    }
}
