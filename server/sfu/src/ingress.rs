//! A datagram's way in: gate, authentication, into the cache of its layer.

use std::time::Instant;

use crate::cache::{Meta, Origin, Pool};
use crate::codec::red::Frames;
use crate::codec::{Keyframe, dependency};
use crate::demux::{Class, Refusal, classify};
use crate::egress::{Path, Via};
use crate::event::Event;
use crate::ice::Check;
use crate::limits::{
    ADDRESS_HOLD, DTLS_QUEUE, FEEDBACK_INTERVAL, IP_HEADER_BYTES, MAX_BYTES_PER_SECOND,
    MAX_DATAGRAM_BYTES, MAX_PACKETS_PER_SECOND, MAX_SSRCS, MAX_TRIALS_PER_SECOND, SPEAKER_INTERVAL,
};
use crate::nack::Repair;
use crate::peer::{Declared, DeclaredLayer, Peer, Queue, Role, Stream};
use crate::plan::{Codec, Source};
use crate::reception::Statistics;
use crate::rtp::{Header, Marker};
use crate::scalable::News;
use crate::sfu::Sfu;
use crate::slab::Slab;
use crate::srtp::{Index, ReplayWindow};
use crate::stun::{Answer, MAX_RESPONSE_BYTES, Request, StunError};
use crate::timer::Timer;
use crate::track::{Activity, Layer, Revival, Track, clock_rate, payload_types};

impl Sfu {
    pub(crate) fn receive(&mut self, now: Instant, path: Path, bytes: &mut [u8]) {
        self.counters.received_packets += 1;
        self.counters.received_bytes += u64::try_from(bytes.len()).unwrap_or(0);
        let class = match classify(bytes) {
            Ok(class) => class,
            Err(Refusal::Length) => return self.counters.dropped_length += 1,
            Err(Refusal::FirstByte) => return self.counters.dropped_first_byte += 1,
        };
        if class == Class::Stun {
            return self.receive_stun(now, path, bytes);
        }
        let Some(&index) = self.addresses.get(&path) else {
            return match (class, path.via) {
                (Class::Rtp, Via::Udp) => self.receive_stray(now, path, bytes),
                _ => self.counters.dropped_unknown_address += 1,
            };
        };
        match class {
            Class::Stun => {}
            Class::Dtls if self.dtls_queue.len() < DTLS_QUEUE => {
                self.dtls_queue.push_back((index, bytes.to_vec()));
            }
            Class::Dtls => self.counters.dropped_dtls_limit += 1,
            Class::Rtp => self.receive_rtp(now, index, bytes),
            Class::Rtcp => self.receive_rtcp(now, index, bytes),
        }
    }

    fn receive_stun(&mut self, now: Instant, path: Path, bytes: &[u8]) {
        if let Some(answer) = Answer::parse(bytes) {
            return self.receive_answer(now, path, &answer);
        }
        let request = match Request::parse(bytes) {
            Ok(request) => request,
            Err(StunError::Malformed) => return self.counters.dropped_stun_malformed += 1,
            Err(StunError::Fingerprint) => return self.counters.dropped_stun_integrity += 1,
        };
        let found = self.ufrags.get(request.local_ufrag()).copied();
        let Some((index, peer)) = found.and_then(|index| Some((index, self.peers.get_mut(index)?)))
        else {
            return self.counters.dropped_stun_unknown_ufrag += 1;
        };
        let Some(key) = peer.ice.key(request.local_ufrag(), now) else {
            return self.counters.dropped_stun_unknown_ufrag += 1;
        };
        if !request.is_authentic(key) {
            return self.counters.dropped_stun_integrity += 1;
        }
        let mut response = [0; MAX_RESPONSE_BYTES];
        let Some(len) = request.answer(path.remote, key, &mut response) else {
            return self.counters.dropped_stun_amplification += 1;
        };
        if !self.hold_address(index, path, now) {
            return self.counters.dropped_rebinding += 1;
        }
        let Some(peer) = self.peers.get_mut(index) else { return };
        let outcome = peer.ice.checked(&request, path, now);
        if outcome == Check::TooManyAddresses {
            return self.counters.dropped_rebinding += 1;
        }
        self.vouched(index, path, outcome, now);
        if let Some(response) = response.get(..len) {
            self.push_control(index, path, response.to_vec());
        }
    }

    /// A peer has this address, as a check showed.
    pub(crate) fn vouched(&mut self, index: usize, path: Path, outcome: Check, now: Instant) {
        if let Check::New { forgotten } = outcome {
            if let Some(forgotten) = forgotten {
                self.addresses.remove(&forgotten);
            }
            self.addresses.insert(path, index);
        }
        self.counters.stun_checks += 1;
        let Some(peer) = self.peers.get_mut(index) else { return };
        if let Some(state) = peer.heard_sign(now) {
            self.events.push_back(Event::Liveness { peer: peer.key, state });
        }
    }

    /// Whether a peer may have this address. An address that another one checked just now is not given away; an older one
    /// is taken from it.
    pub(crate) fn hold_address(&mut self, index: usize, path: Path, now: Instant) -> bool {
        let Some(&holder) = self.addresses.get(&path) else { return true };
        if holder == index {
            return true;
        }
        let Some(other) = self.peers.get_mut(holder) else { return true };
        let is_held = other
            .ice
            .last_check_of(path)
            .is_some_and(|checked| now.saturating_duration_since(checked) < ADDRESS_HOLD);
        if !is_held {
            other.ice.forget(path);
            self.addresses.remove(&path);
        }
        !is_held
    }

    pub(crate) fn receive_rtp(&mut self, now: Instant, index: usize, bytes: &mut [u8]) {
        let Some(peer) = self.peers.get_mut(index) else {
            return self.counters.dropped_unknown_address += 1;
        };
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if !peer.packet_rate.allow(now, 1, MAX_PACKETS_PER_SECOND)
            || !peer.byte_rate.allow(now, size, MAX_BYTES_PER_SECOND)
        {
            return self.counters.dropped_rate += 1;
        }
        let Some(header) = Header::parse(bytes) else {
            return self.counters.dropped_malformed += 1;
        };
        match peer.streams.binary_search_by_key(&header.ssrc, |stream| stream.ssrc) {
            Ok(at) => self.open_known(now, index, at, &header, bytes),
            Err(_) => {
                let _ = self.admit(now, index, &header, bytes);
            }
        }
    }

    fn open_known(
        &mut self,
        now: Instant,
        index: usize,
        at: usize,
        header: &Header,
        bytes: &mut [u8],
    ) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        let (Some(stream), Some(session)) = (peer.streams.get_mut(at), peer.session.as_mut())
        else {
            return self.counters.dropped_before_keys += 1;
        };
        let Some(line) = peer.lines.get(stream.line) else { return };
        if !is_negotiated(line.plan.codec, stream.role, header) {
            return self.counters.dropped_payload_type += 1;
        }
        let Some(srtp_index) =
            stream.window.estimate(header.sequence).filter(|it| stream.window.is_fresh(*it))
        else {
            return self.counters.dropped_replay += 1;
        };
        let Ok(len) = session.open(bytes, header.len, header.ssrc, srtp_index) else {
            return self.counters.dropped_authentication += 1;
        };
        stream.window.commit(srtp_index);
        self.accept(now, index, at, header, bytes.get(..len).unwrap_or_default());
    }

    /// An SSRC not seen before: nothing is kept of it until its first packet authenticated. `None` if it was refused, and
    /// counted.
    fn admit(
        &mut self,
        now: Instant,
        index: usize,
        header: &Header,
        bytes: &mut [u8],
    ) -> Option<()> {
        let peer = self.peers.get_mut(index)?;
        let Some(declared) =
            peer.declared(header, bytes).filter(|_| peer.streams.len() < MAX_SSRCS)
        else {
            self.counters.dropped_undeclared_ssrc += 1;
            return None;
        };
        let Declared { line: line_at, role, layer } = declared;
        let line = peer.lines.get(line_at)?;
        if !is_negotiated(line.plan.codec, role, header) {
            self.counters.dropped_payload_type += 1;
            return None;
        }
        let Some(session) = &mut peer.session else {
            self.counters.dropped_before_keys += 1;
            return None;
        };
        if session.is_trial_expensive() && !peer.trials.allow(now, 1, MAX_TRIALS_PER_SECOND) {
            self.counters.dropped_undeclared_ssrc += 1;
            return None;
        }
        let srtp_index = u64::from(header.sequence);
        let crypto = &self.crypto;
        let opened = session.open_unknown(bytes, header.len, header.ssrc, srtp_index, crypto);
        let Ok(len) = opened else {
            self.counters.dropped_authentication += 1;
            return None;
        };
        let track = self.tracks.get_mut(line.track)?;
        let layer = match layer {
            DeclaredLayer::Place(at) => Some(at).filter(|at| *at < track.layers.len()),
            DeclaredLayer::Rid(rid) => track.layer_of(rid),
        };
        let Some(layer_at) = layer else {
            self.counters.dropped_undeclared_ssrc += 1;
            return None;
        };
        if role == Role::Media
            && let Some(layer) = track.layers.get_mut(layer_at)
        {
            let is_takeover = layer.ssrc.is_some();
            layer.restart(header.ssrc);
            if is_takeover {
                restart_slots(track, layer_at, &mut self.peers);
                self.stale.insert(peer_call(&self.peers, index)?);
            }
        }
        let peer = self.peers.get_mut(index)?;
        // The first who brings it has it: who chooses another's gains nothing, and loses a shortcut.
        self.senders.entry(header.ssrc).or_insert(index);
        let codec = peer.lines.get(line_at)?.plan.codec;
        let mut window = ReplayWindow::default();
        window.commit(srtp_index);
        let at = peer
            .streams
            .binary_search_by_key(&header.ssrc, |stream| stream.ssrc)
            .unwrap_or_else(|at| at);
        peer.streams.insert(
            at,
            Stream {
                ssrc: header.ssrc,
                role,
                line: line_at,
                layer: layer_at,
                window,
                statistics: Statistics::new(clock_rate(codec)),
            },
        );
        self.accept(now, index, at, header, bytes.get(..len).unwrap_or_default());
        Some(())
    }

    /// An authentic packet, in plaintext.
    fn accept(&mut self, now: Instant, index: usize, at: usize, header: &Header, packet: &[u8]) {
        self.counters.media_packets_in += 1;
        let Some(peer) = self.peers.get_mut(index) else { return };
        if let Some(state) = peer.heard_media(now) {
            self.events.push_back(Event::Liveness { peer: peer.key, state });
        }
        let size = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        peer.bytes_since_feedback = peer.bytes_since_feedback.saturating_add(size);
        let Some(stream) = peer.streams.get_mut(at) else { return };
        let Some(line) = peer.lines.get(stream.line) else { return };
        let extensions = header.extensions(packet);
        if let Some(&[high, low]) = extensions.find(line.plan.extensions.transport_cc) {
            if peer.arrivals.is_empty() {
                // The first since the last feedback: from now on there is something to tell.
                if peer.next_feedback < now {
                    peer.next_feedback = now + FEEDBACK_INTERVAL;
                }
                self.feedback.push_back(index);
            }
            peer.arrivals.note(u16::from_be_bytes([high, low]), now);
        }
        let Some(payload) = header.payload(packet) else {
            return self.counters.dropped_malformed += 1;
        };
        let Some(track) = self.tracks.get_mut(line.track) else { return };
        let Some(layer) = track.layers.get_mut(stream.layer) else { return };
        let (sequence, payload) = match stream.role {
            Role::Media if layer.ssrc != Some(stream.ssrc) => {
                // Its layer was taken over by another SSRC.
                return self.counters.dropped_undeclared_ssrc += 1;
            }
            Role::Media => {
                let sequence = stream.window.estimate(header.sequence).unwrap_or(0);
                stream.statistics.received(sequence, header.timestamp, &self.clock, now);
                (header.sequence, payload)
            }
            Role::Retransmission => {
                let Some((original, payload)) = payload.split_first_chunk::<2>() else {
                    // Bandwidth probes of a sender are empty.
                    return self.counters.padding_packets += 1;
                };
                (u16::from_be_bytes(*original), payload)
            }
        };
        let Some(sequence) =
            layer.received.estimate(sequence).filter(|it| layer.received.is_fresh(*it))
        else {
            return self.counters.dropped_replay += 1;
        };
        let descriptor = extensions
            .find(line.plan.extensions.dependency)
            .filter(|bytes| bytes.len() <= dependency::MAX_BYTES);
        let read = match track.codec {
            Codec::Picture { format, .. } if !payload.is_empty() => {
                match layer.read(format, payload, descriptor) {
                    Some(read) => Some(read),
                    None => return self.counters.dropped_malformed += 1,
                }
            }
            Codec::Picture { .. } | Codec::Opus { .. } => None,
        };
        let payload = match line.plan.codec {
            Codec::Opus { pt, red } if red == Some(header.payload_type) => {
                let Some(frames) = Frames::parse(payload, pt) else {
                    return self.counters.dropped_malformed += 1;
                };
                // Each may go out as a packet, and counts as one.
                let count = u32::try_from(frames.earlier().len()).unwrap_or(u32::MAX);
                if peer.packet_rate.allow(now, count, MAX_PACKETS_PER_SECOND) {
                    self.counters.recovered_frames +=
                        recover(layer, &mut self.pool, &frames, sequence, header.timestamp, now);
                }
                frames.own()
            }
            Codec::Opus { .. } | Codec::Picture { .. } => payload,
        };
        let is_late = !layer.received.is_newest(sequence);
        layer.received.commit(sequence);
        match stream.role {
            Role::Media => {}
            Role::Retransmission => self.counters.recovered_packets += 1,
        }
        if payload.is_empty() {
            self.counters.padding_packets += 1;
        }
        let repair = match track.codec {
            Codec::Picture { .. } => layer.missing.received(sequence, now),
            Codec::Opus { .. } => Repair::Possible,
        };
        let mut needs_feedback = match repair {
            Repair::Possible => !layer.missing.is_empty(),
            Repair::Keyframe => {
                layer.keyframes.want();
                true
            }
        };
        let on_the_line = u64::from(size) + IP_HEADER_BYTES;
        layer.meter.note(on_the_line, now);
        let arrival = layer.cache.head();
        let mut picture = read.as_ref().map(|read| read.picture);
        // With a late one nobody can begin: the rest of its picture has gone by.
        if let Some(picture) = picture.as_mut().filter(|_| is_late) {
            if picture.keyframe == Keyframe::Starts && !layer.keyframes.is_idle() {
                // Whoever waited for this keyframe needs another one, and need not wait to know.
                layer.keyframes.want();
                needs_feedback = true;
            }
            picture.keyframe = Keyframe::Otherwise;
        }
        let is_keyframe = picture.is_some_and(|it| it.keyframe == Keyframe::Starts);
        if is_keyframe {
            layer.keyframes.satisfy();
        }
        let meta = Meta {
            sequence,
            timestamp: header.timestamp,
            marker: header.marker,
            arrived: now,
            origin: Origin::Own,
            picture,
        };
        if !layer.cache.push(&mut self.pool, meta, descriptor.unwrap_or_default(), payload) {
            return self.counters.cache_overruns += 1;
        }
        if is_keyframe {
            layer.keyframe = Some(arrival);
        }
        let sizes = match (&mut layer.scalable, &read) {
            (Some(scalable), Some(read)) => scalable.heard(read, header.marker, on_the_line, now),
            (Some(_) | None, Some(_) | None) => News::No,
        };
        let height = read.and_then(|read| read.height());
        // Padding probes the line also for a layer that is not sent.
        if !payload.is_empty() && layer.heard(arrival, now) == Revival::Yes
            || sizes == News::Yes
            || height.is_some_and(|height| track.measured(stream.layer, height))
        {
            self.unsettled.insert(line.track);
        }
        if track.key.source == Source::Mic
            && let Some(&[level, ..]) = extensions.find(line.plan.extensions.audio_level)
        {
            track.level.note(level);
            if let Some(call) = self.calls.get_mut(&track.call)
                && call.speaker_timer.is_none()
            {
                let at = now + SPEAKER_INTERVAL;
                call.speaker_timer = Some(at);
                self.timers.arm(Timer::Speaker(track.call), at);
            }
        }
        match track.heard(now) {
            Activity::Up { .. } => {}
            Activity::Never | Activity::Down => {
                track.came_up = Some(now);
                self.events.push_back(Event::TrackUp { track: track.key });
                self.stale.insert(track.call);
            }
        }
        if needs_feedback {
            self.feedback.push_back(index);
        }
        self.queue_subscribers(index, at);
    }

    /// Puts everybody who looks at the layer in a slot into the queue of those to be sent to.
    fn queue_subscribers(&mut self, index: usize, at: usize) {
        let layer = self.peers.get(index).and_then(|peer| {
            let stream = peer.streams.get(at)?;
            let track = self.tracks.get(peer.lines.get(stream.line)?.track)?;
            track.layers.get(stream.layer)
        });
        for &subscriber in layer.into_iter().flat_map(|layer| &layer.subscribers) {
            if let Some(peer) = self.peers.get_mut(subscriber)
                && peer.queue == Queue::Outside
            {
                peer.queue = Queue::Waiting;
                self.queue.push_back(subscriber);
            }
        }
    }
}

const _: () = assert!(MAX_DATAGRAM_BYTES <= 1_500, "a longer one has no cell");

fn is_negotiated(codec: Codec, role: Role, header: &Header) -> bool {
    let (media, retransmission) = payload_types(codec);
    let redundant = match codec {
        Codec::Opus { pt: _, red } => red,
        Codec::Picture { .. } => None,
    };
    match role {
        Role::Media => [Some(media), redundant].contains(&Some(header.payload_type)),
        Role::Retransmission => Some(header.payload_type) == retransmission,
    }
}

/// Lets the frames that a packet repeats take the places of packets that did not come; how many. They are the frames of the
/// numbers right before its own: a sender that leaves one out ends there.
fn recover(
    layer: &mut Layer,
    pool: &mut Pool,
    frames: &Frames<'_>,
    sequence: Index,
    timestamp: u32,
    now: Instant,
) -> u64 {
    let mut recovered = 0;
    // The oldest first: subscribers get them in order.
    for (place, block) in frames.earlier().iter().enumerate().rev() {
        let place = u64::try_from(place).unwrap_or(u64::MAX).saturating_add(1);
        let missing = sequence.checked_sub(place).filter(|it| layer.received.is_fresh(*it));
        let Some(sequence) = missing.filter(|_| !block.frame.is_empty()) else { continue };
        layer.received.commit(sequence);
        let meta = Meta {
            sequence,
            timestamp: timestamp.wrapping_sub(block.offset),
            marker: Marker::Clear,
            arrived: now,
            origin: Origin::Repeated,
            picture: None,
        };
        recovered += u64::from(layer.cache.push(pool, meta, &[], block.frame));
    }
    recovered
}

fn peer_call(peers: &Slab<Peer>, index: usize) -> Option<crate::plan::CallKey> {
    peers.get(index).map(|peer| peer.call)
}

/// A new SSRC has new numbers: whoever was in the middle of the old ones, or about to begin with them, begins anew.
fn restart_slots(track: &mut Track, layer_at: usize, peers: &mut Slab<Peer>) {
    let Track { layers, subscribers, codec, .. } = track;
    let Some(layer) = layers.get_mut(layer_at) else { return };
    let Layer { cache, keyframes, .. } = layer;
    for &subscriber in &*subscribers {
        let Some(peer) = peers.get_mut(subscriber) else { continue };
        for slot in &mut peer.slots {
            if slot.source.is_some_and(|source| source.key == track.key) {
                slot.begin_anew(layer_at, cache.head());
            }
        }
    }
    match codec {
        Codec::Picture { .. } if !subscribers.is_empty() => keyframes.want(),
        Codec::Picture { .. } | Codec::Opus { .. } => {}
    }
}
