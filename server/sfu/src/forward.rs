//! The way out: routes compiled when something changes, then subscriber by subscriber, packet by packet, so that what goes
//! to one destination stands together.

use std::time::Instant;

use crate::command::Muted;
use crate::egress::{Egress, Flow, Path};
use crate::event::Event;
use crate::limits::CONTROL_QUEUE;
use crate::peer::{Peer, Queue};
use crate::plan::{CallKey, Codec, TrackKey};
use crate::seating::{Candidate, Liveliness};
use crate::sfu::{Control, Sfu};
use crate::slot::{Carried, Outcome, State, Visibility, Wire};
use crate::track::{Activity, Entry};

impl Sfu {
    pub(crate) fn transmit(&mut self, now: Instant, egress: &mut Egress) -> Flow {
        while let Some(call) = self.stale.pop_first() {
            self.compile(call);
        }
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
        let Peer { session, slots, transport_sequence, budget, rtt, .. } = peer;
        let (Some(path), Some(session)) = (path, session) else {
            self.counters.dropped_no_consent += 1;
            for slot in slots {
                let Some(source) = &mut slot.source else { continue };
                let Some(track) = self.tracks.get_mut(source.track) else { continue };
                let Some(layer) = track.layers.get_mut(source.layer) else { continue };
                source.cursor = layer.cache.head();
                match (track.codec, source.state) {
                    // A picture that lacks what was not sent can only begin anew. Asked for until there is a path.
                    (Codec::Vp8 { .. }, State::Waiting | State::Flowing) => {
                        slot.set_state(State::Waiting, layer.cache.head());
                        layer.keyframes.want();
                        self.feedback.push_back(track.publisher);
                    }
                    (Codec::Vp8 { .. }, State::Paused) | (Codec::Opus { .. }, _) => {}
                }
            }
            return Outcome::Done;
        };
        let mut wire = Wire {
            session,
            transport_sequence,
            budget,
            path,
            egress,
            counters: &mut self.counters,
            rtt: *rtt,
            now,
        };
        let mut has_begun = false;
        let mut result = Outcome::Done;
        for slot in slots {
            let Some(source) = slot.source else { continue };
            let Some(layer) = self
                .tracks
                .get(source.track)
                .filter(|track| track.key == source.key)
                .and_then(|track| track.layers.get(source.layer))
            else {
                continue;
            };
            let mut began = None;
            result = slot.forward(layer, &self.pool, &mut wire, &mut began);
            has_begun |= began.is_some();
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
            if result == Outcome::Full {
                break;
            }
        }
        if has_begun {
            // The slot's clock has another source: its sender report does not wait.
            peer.next_report = now;
            self.feedback.push_back(index);
        }
        result
    }

    /// Seats every track of a call with every peer of its audience, and notes for each track who has it.
    fn compile(&mut self, call: CallKey) {
        let Some(members) = self.calls.get(&call) else { return };
        let (peers, tracks) = (members.peers.clone(), members.tracks.clone());
        for &track in &tracks {
            if let Some(track) = self.tracks.get_mut(track) {
                track.subscribers.clear();
            }
        }
        for &index in &peers {
            self.seat(index, &tracks);
        }
        for &track in &tracks {
            let Some(track) = self.tracks.get_mut(track) else { continue };
            track.fresh = None;
            if track.subscribers.is_empty() {
                // Nobody watches: nobody needs a keyframe.
                for layer in &mut track.layers {
                    layer.keyframes.satisfy();
                }
            }
        }
    }

    fn seat(&mut self, index: usize, tracks: &[usize]) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        // A transport without keys receives nothing; its slots are given out once it is connected.
        if peer.session.is_none() {
            return;
        }
        let Peer { key, seating, slots, .. } = peer;
        let key = *key;
        let candidates = tracks.iter().filter_map(|&at| {
            let track = self.tracks.get(at)?;
            let liveliness = match track.activity {
                Activity::Never => return None,
                Activity::Up { .. } => Liveliness::Live,
                Activity::Down => Liveliness::Silent,
            };
            let may_receive = track.publisher != index && track.audience.contains(&key);
            may_receive.then_some(Candidate { track: at, key: track.key, liveliness })
        });
        let mut assigned: Vec<(usize, Option<(usize, TrackKey)>)> = Vec::new();
        seating.seat(candidates, |slot, track| assigned.push((slot, track)));
        for (at, wanted) in assigned {
            let Some(slot) = slots.get_mut(at) else { continue };
            if slot.source.map(|source| source.key) != wanted.map(|(_, key)| key) {
                let carried = wanted.map(|(track, key)| Carried {
                    track,
                    key,
                    layer: 0,
                    cursor: 0,
                    state: State::Paused,
                    is_announced: false,
                });
                slot.carry(carried);
                self.events.push_back(Event::Slot {
                    peer: key,
                    mid: slot.line.mid,
                    track: wanted.map(|(_, key)| key),
                    from_rtp_timestamp: None,
                });
            }
            let Some(source) = slot.source else { continue };
            let Some(track) = self.tracks.get_mut(source.track) else { continue };
            let Some(layer) = track.layers.get_mut(source.layer) else { continue };
            let is_open = track.muted == Muted::No && slot.wish == Visibility::Wanted;
            match (is_open, source.state) {
                (false, State::Waiting | State::Flowing) => {
                    slot.set_state(State::Paused, layer.cache.head());
                }
                (true, State::Paused) => {
                    let (cursor, entry) = layer.entry(track.codec, track.fresh);
                    slot.set_state(State::Waiting, cursor);
                    match entry {
                        Entry::Ready => {}
                        Entry::NeedsKeyframe => {
                            layer.keyframes.want();
                            self.feedback.push_back(track.publisher);
                        }
                    }
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
