//! Model senders: a voice, and a VP8 encoder that obeys a bitrate, answers keyframe requests and NACKs.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sfu::plan::{PayloadType, Source, Ssrc};

use crate::packet::{Header, OPUS, RTX, Tag, VP8, Vp8, opus_payload, vp8_payload};
use crate::random::Dice;

/// libwebrtc's encoder drops a keyframe request that follows the last within this (`EncoderRtcpFeedback`).
const KEYFRAME_GUARD: Duration = Duration::from_millis(300);

/// A keyframe has this many times the bytes of a delta frame.
const KEYFRAME_WEIGHT: usize = 5;

/// Longest payload of a packet.
const PAYLOAD_BYTES: usize = 1_100;

/// Packets kept for retransmission.
const HISTORY: usize = 600;

/// A packet in plaintext with room for the tag, ready to be sealed.
#[derive(Clone, Debug)]
pub struct Plain {
    /// The packet.
    pub bytes: Vec<u8>,
    /// Length of its header.
    pub header_len: usize,
    /// Its SSRC.
    pub ssrc: Ssrc,
    /// Its sequence number with rollovers.
    pub index: u64,
}

/// Numbers of one SSRC.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// The SSRC.
    pub ssrc: Ssrc,
    /// Of the next packet, with rollovers.
    pub index: u64,
    /// Of the current frame.
    pub timestamp: u32,
    /// Packets so far.
    pub packets: u32,
}

impl Stream {
    fn new(ssrc: u32, dice: &mut Dice) -> Self {
        Self {
            ssrc: Ssrc(ssrc),
            index: dice.below(0x8000),
            timestamp: dice.roll() as u32,
            packets: 0,
        }
    }
}

/// Whether somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// 50 packets a second.
    Talking,
    /// Discontinuous transmission: one packet each 400 ms.
    Silent,
}

/// A microphone.
#[derive(Clone, Debug)]
pub struct Voice {
    /// Its numbers.
    pub stream: Stream,
    /// Whether it is heard.
    pub speech: Speech,
    publisher: u32,
    silent_for: u32,
    frame: u32,
}

/// Bytes of an Opus packet at 24 kb/s.
const OPUS_BYTES: usize = 60;

impl Voice {
    /// Of a peer.
    pub fn new(publisher: u32, ssrc: u32, dice: &mut Dice) -> Self {
        let stream = Stream::new(ssrc, dice);
        Self { stream, speech: Speech::Talking, publisher, silent_for: 0, frame: 0 }
    }

    /// The next 20 ms; `None` within discontinuous transmission.
    pub fn packet(&mut self, transport_sequence: &mut u16) -> Option<Plain> {
        self.stream.timestamp = self.stream.timestamp.wrapping_add(960);
        self.frame += 1;
        let (bytes, level) = match self.speech {
            Speech::Talking => (OPUS_BYTES, 25),
            Speech::Silent => {
                self.silent_for += 1;
                if !self.silent_for.is_multiple_of(20) {
                    return None;
                }
                (Tag::BYTES_OF_SILENCE, 127)
            }
        };
        let tag = Tag {
            publisher: self.publisher,
            source: Source::Mic,
            counter: self.stream.index,
            frame: self.frame,
            is_key: false,
        };
        let payload = opus_payload(&tag, bytes);
        let form = Form { pt: OPUS, marker: false, mid: "mic", level: Some(level) };
        Some(write(&mut self.stream, transport_sequence, form, &payload))
    }
}

impl Tag {
    const BYTES_OF_SILENCE: usize = 20;
}

/// A camera or a shared screen.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its numbers.
    pub stream: Stream,
    /// Of its retransmissions.
    pub rtx: Stream,
    /// In bits per second.
    pub bitrate: u32,
    /// Between two frames.
    pub interval: Duration,
    /// What it is.
    pub source: Source,
    publisher: u32,
    frame: u32,
    picture_id: u16,
    tl0: u8,
    wanted: Option<Instant>,
    last_keyframe: Option<Instant>,
    history: VecDeque<(u16, u32, bool, Vec<u8>)>,
}

impl Picture {
    /// Of a peer.
    pub fn new(publisher: u32, source: Source, ssrc: u32, rtx: u32, dice: &mut Dice) -> Self {
        Self {
            stream: Stream::new(ssrc, dice),
            rtx: Stream::new(rtx, dice),
            bitrate: 300_000,
            interval: Duration::from_millis(66),
            source,
            publisher,
            frame: 0,
            picture_id: dice.below(0x8000) as u16,
            tl0: dice.roll() as u8,
            wanted: None,
            last_keyframe: None,
            history: VecDeque::new(),
        }
    }

    /// Somebody asks for a keyframe.
    pub fn keyframe_asked(&mut self, now: Instant) {
        let is_early = self.last_keyframe.is_some_and(|last| now - last < KEYFRAME_GUARD);
        if !is_early && self.wanted.is_none() {
            self.wanted = Some(now);
        }
    }

    /// The next frame.
    pub fn frame(
        &mut self,
        now: Instant,
        dice: &mut Dice,
        transport_sequence: &mut u16,
    ) -> Vec<Plain> {
        let is_key = self.frame == 0 || self.wanted.take().is_some();
        if is_key {
            self.last_keyframe = Some(now);
        }
        let mean = f64::from(self.bitrate) / 8.0 * self.interval.as_secs_f64();
        let bytes = (mean * (0.7 + 0.6 * dice.fraction())) as usize;
        let bytes = bytes.max(60) * if is_key { KEYFRAME_WEIGHT } else { 1 };
        let count = bytes.div_ceil(PAYLOAD_BYTES);
        let packets = (0..count).map(|at| {
            let tag = Tag {
                publisher: self.publisher,
                source: self.source,
                counter: self.stream.index,
                frame: self.frame,
                is_key,
            };
            let vp8 = Vp8 { picture_id: self.picture_id, tl0: self.tl0, starts: at == 0 };
            let payload = vp8_payload(vp8, &tag, bytes / count);
            let marker = at + 1 == count;
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            let sequence = self.stream.index as u16;
            let form = Form { pt: VP8, marker, mid: mid_of(self.source), level: None };
            let packet = write(&mut self.stream, transport_sequence, form, &payload);
            self.history.push_back((sequence, self.stream.timestamp, marker, payload));
            packet
        });
        let packets = packets.collect();
        self.frame += 1;
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        self.tl0 = self.tl0.wrapping_add(1);
        let ticks = self.interval.as_micros() * 90 / 1_000;
        self.stream.timestamp = self.stream.timestamp.wrapping_add(ticks as u32);
        packets
    }

    /// Packets that were asked for again, by RTX (RFC 4588).
    pub fn again(&mut self, lost: &[u16], transport_sequence: &mut u16) -> Vec<Plain> {
        let mut packets = Vec::new();
        for sequence in lost {
            let Some((_, timestamp, marker, payload)) =
                self.history.iter().rev().find(|(kept, ..)| kept == sequence)
            else {
                continue;
            };
            let mut repeated = sequence.to_be_bytes().to_vec();
            repeated.extend(payload);
            let mut stream = Stream { timestamp: *timestamp, ..self.rtx };
            let form = Form { pt: RTX, marker: *marker, mid: mid_of(self.source), level: None };
            packets.push(write(&mut stream, transport_sequence, form, &repeated));
            self.rtx = stream;
        }
        packets
    }
}

/// mid of a source's line.
pub fn mid_of(source: Source) -> &'static str {
    match source {
        Source::Mic => "mic",
        Source::Cam => "cam",
        Source::Screen => "screen",
        Source::ScreenAudio => "screen-audio",
    }
}

struct Form {
    pt: PayloadType,
    marker: bool,
    mid: &'static str,
    level: Option<u8>,
}

fn write(stream: &mut Stream, transport_sequence: &mut u16, form: Form, payload: &[u8]) -> Plain {
    let Form { pt, marker, mid, level } = form;
    let index = stream.index;
    let header = Header {
        pt,
        marker,
        sequence: index as u16,
        timestamp: stream.timestamp,
        ssrc: stream.ssrc,
        mid,
        transport_sequence: *transport_sequence,
        level,
    };
    stream.index += 1;
    stream.packets += 1;
    *transport_sequence = transport_sequence.wrapping_add(1);
    let (bytes, header_len) = header.write(payload);
    Plain { bytes, header_len, ssrc: stream.ssrc, index }
}
