//! RTCP both ways: what peers say about our packets, and what we say about theirs.

use std::time::{Duration, Instant};

use crate::bytes::{Writer, low16};
use crate::event::Event;
use crate::layers::Presence;
use crate::limits::{
    FEEDBACK_FAST_BYTES, FEEDBACK_INTERVAL, FEEDBACK_INTERVAL_FAST, GOODBYE_AFTER,
    KEYFRAME_ASK_INTERVAL, MAX_NACKED_PER_PACKET, MAX_RTCP_PER_SECOND, MAX_RTCP_SENDERS,
    MAX_TRIALS_PER_SECOND, NACK_DELAY, REPORT_INTERVAL, TRACK_DOWN_AFTER,
};
use crate::nack::Repair;
use crate::peer::{Peer, Queue, Role};
use crate::plan::{Codec, Ssrc};
use crate::quality::Tally;
use crate::rtcp::{self, Packet, SenderReport};
use crate::scalable::News;
use crate::sfu::Sfu;
use crate::slot::State;
use crate::time::NtpTime;
use crate::track::{Activity, Track, clock_rate};

/// One compound of ours. Below the smallest MTU of IPv6 with the trailer of SRTCP.
const RTCP_BYTES: usize = 1_200;

/// Per report, the estimate of a publisher's clock moves at most this far: 1 ms in NTP units. Slower than an ear notices.
const MAX_SLEW: i64 = (1 << 32) / 1_000;

impl Sfu {
    pub(crate) fn receive_rtcp(&mut self, now: Instant, index: usize, bytes: &[u8]) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        if !peer.rtcp_rate.allow(now, 1, MAX_RTCP_PER_SECOND) {
            return self.counters.dropped_rate += 1;
        }
        let Some(sender) = rtcp::sender(bytes) else {
            return self.counters.dropped_malformed += 1;
        };
        let is_known = peer.is_known_sender(sender);
        let Some(session) = &mut peer.session else {
            return self.counters.dropped_before_keys += 1;
        };
        if !is_known {
            if peer.rtcp_senders.len() >= MAX_RTCP_SENDERS
                || !peer.trials.allow(now, 1, MAX_TRIALS_PER_SECOND)
            {
                return self.counters.dropped_undeclared_ssrc += 1;
            }
            if !session.is_authentic_rtcp(bytes, &self.crypto) {
                return self.counters.dropped_authentication += 1;
            }
            peer.rtcp_senders.push(sender);
        }
        let Some(plain) = session.open_rtcp(bytes) else {
            return self.counters.dropped_authentication += 1;
        };
        if let Some(state) = peer.heard_sign(now) {
            self.events.push_back(Event::Liveness { peer: peer.key, state });
        }
        for packet in rtcp::packets(plain.as_ref()) {
            match packet {
                Packet::SenderReport { sender, ntp, rtp, reports } => {
                    self.sender_report(index, sender, ntp, rtp, now);
                    self.round_trips(index, reports, now);
                }
                Packet::ReceiverReport { reports } => self.round_trips(index, reports, now),
                Packet::Goodbye { sources } => {
                    for ssrc in rtcp::ssrcs(sources, 4) {
                        self.goodbye(index, ssrc, now);
                    }
                }
                Packet::Nack { media, pairs } => self.nacked(index, media, pairs),
                Packet::PictureLoss { media } => self.keyframe_asked(index, media, now),
                Packet::FullIntra { entries } => {
                    for media in rtcp::ssrcs(entries, 8) {
                        self.keyframe_asked(index, media, now);
                    }
                }
                Packet::Acknowledgement(acknowledgement) => {
                    let Some(peer) = self.peers.get_mut(index) else { return };
                    if peer.bandwidth.acknowledge(&acknowledgement, peer.rtt, now) {
                        self.share_out(index, now);
                    }
                }
                Packet::Other => {}
            }
        }
    }

    fn sender_report(&mut self, index: usize, sender: Ssrc, ntp: NtpTime, rtp: u32, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        let Ok(at) = peer.streams.binary_search_by_key(&sender, |stream| stream.ssrc) else {
            return;
        };
        let Some(stream) = peer.streams.get_mut(at) else { return };
        stream.statistics.sender_report(ntp, now);
        if stream.role != Role::Media {
            return;
        }
        let ours = self.clock.ntp(now).0;
        let offset = ours.wrapping_sub(ntp.0).cast_signed();
        peer.clock_offset = Some(match peer.clock_offset {
            None => offset,
            Some(before) => {
                before.wrapping_add(offset.wrapping_sub(before).clamp(-MAX_SLEW, MAX_SLEW))
            }
        });
        let layer = peer
            .lines
            .get(stream.line)
            .and_then(|line| self.tracks.get_mut(line.track))
            .and_then(|track| track.layers.get_mut(stream.layer));
        if let Some(layer) = layer {
            layer.sender_report = Some((ntp, rtp));
        }
    }

    fn round_trips(&mut self, index: usize, reports: &[u8], now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        let middle = self.clock.ntp(now).middle();
        for block in rtcp::report_blocks(reports) {
            let slot = peer.slots.iter_mut().find(|slot| slot.line.ssrc == block.ssrc);
            let Some(slot) = slot else { continue };
            let sent = u64::from(slot.packets.wrapping_sub(slot.packets_reported));
            slot.packets_reported = slot.packets;
            peer.reported.expected += sent;
            peer.reported.arrived += sent - sent * u64::from(block.fraction_lost) / 256;
            if block.last_sender_report == 0 {
                continue;
            }
            let round_trip =
                middle.wrapping_sub(block.last_sender_report).wrapping_sub(block.delay);
            // RFC 3550 §6.4.1: units of 1/65536 s. More than half the range is a clock that ran back.
            if round_trip < 1 << 31 {
                let micros = u64::from(round_trip) * 1_000_000 / 65_536;
                peer.measured_rtt(Duration::from_micros(micros));
            }
        }
    }

    fn goodbye(&mut self, index: usize, ssrc: Ssrc, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        let Ok(at) = peer.streams.binary_search_by_key(&ssrc, |stream| stream.ssrc) else {
            return;
        };
        let track = peer
            .streams
            .get(at)
            .filter(|stream| stream.role == Role::Media)
            .and_then(|stream| peer.lines.get(stream.line))
            .and_then(|line| Some((line.track, self.tracks.get_mut(line.track)?)));
        let Some((at, track)) = track else { return };
        if let Some(layer) = track.layers.iter_mut().find(|layer| layer.ssrc == Some(ssrc)) {
            layer.activity = Activity::Down;
            self.unsettled.insert(at);
        }
        let is_over = track.layers.iter().all(|layer| layer.presence() == Presence::Absent);
        // A source that came and went with every packet would have everybody seated anew as often; silence ends it too.
        let is_early =
            track.came_up.is_some_and(|up| now.saturating_duration_since(up) < GOODBYE_AFTER);
        // A browser says goodbye also for a layer that we called off.
        if is_over
            && !is_early
            && !track.demand.is_stopped()
            && let Activity::Up { .. } = track.activity
        {
            track.activity = Activity::Down;
            self.events.push_back(Event::TrackDown { track: track.key });
        }
    }

    fn nacked(&mut self, index: usize, media: Ssrc, pairs: &[u8]) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        let Some(slot) = peer.slots.iter_mut().find(|slot| slot.line.ssrc == media) else {
            return self.counters.dropped_undeclared_ssrc += 1;
        };
        for sequence in rtcp::nacked(pairs).take(MAX_NACKED_PER_PACKET) {
            self.counters.nacks_received += 1;
            slot.ask_again(sequence);
        }
        if peer.queue == Queue::Outside {
            peer.queue = Queue::Waiting;
            self.queue.push_back(index);
        }
    }

    fn keyframe_asked(&mut self, index: usize, media: Ssrc, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        let Some(slot) = peer.slots.iter_mut().find(|slot| slot.line.ssrc == media) else {
            return self.counters.dropped_undeclared_ssrc += 1;
        };
        self.counters.keyframe_requests_received += 1;
        let is_early = slot
            .keyframe_asked
            .is_some_and(|asked| now.saturating_duration_since(asked) < KEYFRAME_ASK_INTERVAL);
        if is_early {
            return;
        }
        slot.keyframe_asked = Some(now);
        let Some(source) = slot.source.filter(|source| source.state != State::Paused) else {
            return;
        };
        let Some(track) = self.tracks.get_mut(source.track) else { return };
        match track.codec {
            Codec::Opus { .. } => return,
            Codec::Picture { .. } => {}
        }
        if let Some(layer) = track.layers.get_mut(source.layer) {
            layer.keyframes.want();
            self.feedback.push_back(track.publisher);
        }
    }

    /// Requests that became possible since the last turn.
    pub(crate) fn send_feedback_of_queue(&mut self, now: Instant) {
        while let Some(index) = self.feedback.pop_front() {
            self.send_requests(index, now);
            self.arm_peer(index, now);
        }
    }

    /// Keyframe requests and NACKs to one publisher, whichever are due.
    pub(crate) fn send_requests(&mut self, index: usize, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        let (sender, rtt) = (peer.report_ssrc, peer.rtt);
        let mut buffer = [0; RTCP_BYTES];
        let mut writer = Writer::new(&mut buffer);
        for line in &peer.lines {
            let Some(track) = self.tracks.get_mut(line.track) else { continue };
            let Track { layers, demand, .. } = track;
            for (place, layer) in layers.iter_mut().enumerate() {
                let is_watched = demand.needs(place);
                let Some(media) = layer.ssrc else { continue };
                let mut asked = [0_u16; MAX_NACKED_PER_PACKET];
                let mut places = asked.iter_mut();
                let mut count = 0;
                let repair = layer.missing.due(rtt, now, |sequence| {
                    if let Some(place) = places.next() {
                        *place = low16(sequence);
                        count += 1;
                    }
                });
                if repair == Repair::Keyframe && is_watched {
                    layer.keyframes.want();
                }
                let asked = asked.get(..count).unwrap_or_default();
                if !asked.is_empty()
                    && rtcp::write_nack(&mut writer, sender, media, asked).is_some()
                {
                    self.counters.nacks_sent += u64::try_from(count).unwrap_or(0);
                }
                if is_watched
                    && layer.keyframes.send(now, rtt)
                    && rtcp::write_picture_loss(&mut writer, sender, media).is_some()
                {
                    self.counters.keyframe_requests_sent += 1;
                }
            }
        }
        let len = writer.len();
        self.send_rtcp(index, buffer.get(..len).unwrap_or_default(), now);
    }

    /// Arrival times to one publisher.
    pub(crate) fn send_arrivals(&mut self, index: usize, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        let fast = peer.bytes_since_feedback > FEEDBACK_FAST_BYTES;
        peer.bytes_since_feedback = 0;
        peer.next_feedback = now + if fast { FEEDBACK_INTERVAL_FAST } else { FEEDBACK_INTERVAL };
        let sender = peer.report_ssrc;
        let media = peer.streams.first().map_or(sender, |stream| stream.ssrc);
        let mut buffer = [0; RTCP_BYTES];
        while let Some(len) = self
            .peers
            .get_mut(index)
            .and_then(|peer| peer.arrivals.write(sender, media, &mut buffer))
        {
            self.send_rtcp(index, buffer.get(..len).unwrap_or_default(), now);
        }
    }

    /// Once a second: receiver reports, sender reports, tracks that fell silent, packets too old to keep.
    pub(crate) fn send_reports(&mut self, index: usize, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        peer.next_report = now + REPORT_INTERVAL;
        peer.bandwidth.tick(now);
        for line in &peer.lines {
            let Some(track) = self.tracks.get_mut(line.track) else { continue };
            for layer in &mut track.layers {
                layer.cache.expire(&mut self.pool, now);
            }
            if let Activity::Up { last } = track.activity
                && now.saturating_duration_since(last) >= TRACK_DOWN_AFTER
                && !track.demand.is_stopped()
            {
                track.activity = Activity::Down;
                self.events.push_back(Event::TrackDown { track: track.key });
            }
        }
        let sender = peer.report_ssrc;
        let mut received = Tally::default();
        let mut blocks = Vec::with_capacity(peer.streams.len());
        for stream in peer.streams.iter_mut().filter(|stream| stream.role == Role::Media) {
            let Some(report) = stream.statistics.report(stream.ssrc, now) else { continue };
            received.expected += report.expected;
            received.arrived += report.received;
            blocks.push(report.block);
        }
        // What is known of each packet; of a peer without transport-wide feedback only what repair left missing.
        peer.loss_from.note(peer.arrivals.tally.take().or(received), now);
        peer.loss_to.note(peer.bandwidth.tally.take().or(peer.reported.take()), now);
        let losses = (peer.loss_from.loss(), peer.loss_to.loss());
        if losses != peer.losses {
            peer.losses = losses;
            let (from, to) = losses;
            self.events.push_back(Event::Losses { peer: peer.key, from, to });
        }
        let mut buffer = [0; RTCP_BYTES];
        let mut writer = Writer::new(&mut buffer);
        if !blocks.is_empty() {
            rtcp::write_receiver_report(&mut writer, sender, &blocks);
        }
        let len = writer.len();
        self.send_rtcp(index, buffer.get(..len).unwrap_or_default(), now);
        self.send_sender_reports(index, now);
        self.share_out(index, now);
    }

    /// One for each slot that flows and whose publisher has reported: its clock carried over to ours.
    fn send_sender_reports(&mut self, index: usize, now: Instant) {
        let Some(peer) = self.peers.get(index) else { return };
        let ntp = self.clock.ntp(now);
        let mut buffer = [0; RTCP_BYTES];
        let mut writer = Writer::new(&mut buffer);
        for slot in &peer.slots {
            let report = slot.source.filter(|it| it.state == State::Flowing).and_then(|source| {
                let track = self.tracks.get(source.track)?;
                let (reported, rtp) = track.layers.get(source.layer)?.sender_report?;
                let offset = self.peers.get(track.publisher)?.clock_offset?;
                let theirs = NtpTime(ntp.0.wrapping_sub(offset.cast_unsigned()));
                let ticks = reported.ticks_until(theirs, clock_rate(track.codec));
                Some(SenderReport {
                    ssrc: slot.line.ssrc,
                    ntp,
                    rtp: rtp.wrapping_add(ticks).wrapping_add(slot.timestamp_offset()),
                    packets: slot.packets,
                    octets: slot.octets,
                })
            });
            if let Some(report) = report {
                report.write(&mut writer);
            }
        }
        let len = writer.len();
        self.send_rtcp(index, buffer.get(..len).unwrap_or_default(), now);
    }

    fn send_rtcp(&mut self, index: usize, packet: &[u8], now: Instant) {
        if packet.is_empty() {
            return;
        }
        let Some(peer) = self.peers.get_mut(index) else { return };
        let Some(path) = peer.ice.send_path(now) else {
            return self.counters.dropped_no_consent += 1;
        };
        let sealed = peer.session.as_mut().and_then(|session| session.seal_rtcp(packet));
        if let Some(sealed) = sealed {
            self.push_control(index, path, sealed);
        }
    }

    /// Layers that fell silent, and layers that nobody has needed for a while.
    pub(crate) fn look_at_layers(&mut self, index: usize, now: Instant) {
        let Some(peer) = self.peers.get(index) else { return };
        for line in &peer.lines {
            let Some(track) = self.tracks.get_mut(line.track) else { continue };
            if !track.is_layered() {
                continue;
            }
            for layer in &mut track.layers {
                let sizes = layer.scalable.as_mut().map_or(News::No, |it| it.expire(now));
                let is_silent = layer.silent_at().is_some_and(|at| at <= now);
                if is_silent {
                    layer.activity = Activity::Down;
                }
                if is_silent || sizes == News::Yes {
                    self.unsettled.insert(line.track);
                }
            }
            if track.is_up()
                && let Some(layers) = track.demand.lapse(now)
            {
                let rids = track.rids(layers);
                self.events.push_back(Event::LayerDemand { track: track.key, rids });
            }
        }
    }

    /// When `look_at_layers` is next to be called for a peer.
    pub(crate) fn next_look_at_layers(&self, peer: &Peer) -> Option<Instant> {
        let tracks = peer.lines.iter().filter_map(|line| self.tracks.get(line.track));
        tracks
            .filter(|track| track.is_layered())
            .flat_map(|track| {
                let silent = track.layers.iter().flat_map(|layer| {
                    let sizes = layer.scalable.as_ref().and_then(|it| it.silent_at());
                    [layer.silent_at(), sizes].into_iter().flatten()
                });
                silent.chain(track.demand.deadline().filter(|_| track.is_up()))
            })
            .min()
    }

    /// When something of a connected peer's tracks is next to be asked for.
    pub(crate) fn next_request(&self, peer: &Peer, now: Instant) -> Option<Instant> {
        peer.lines
            .iter()
            .filter_map(|line| self.tracks.get(line.track))
            .flat_map(|track| {
                track.layers.iter().zip(0..).map(move |(layer, at)| (track, layer, at))
            })
            .filter(|(track, layer, at)| layer.ssrc.is_some() && track.demand.needs(*at))
            .filter_map(|(_, layer, _)| {
                let nack = (!layer.missing.is_empty()).then(|| now + NACK_DELAY);
                let keyframe = layer.keyframes.deadline(peer.rtt).map(|due| due.at(now));
                nack.into_iter().chain(keyframe).min()
            })
            .min()
    }
}
