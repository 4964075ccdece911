//! Model cameras: three sizes as streams of their own (VP8, H.264), or as layers of one stream (VP9, AV1), at three frame rates.
//! They answer keyframe requests and NACKs, and send no size that nobody looks at.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sfu::plan::{Format, PayloadType, Rid, Ssrc};

use super::descriptor;
use crate::packet::{MID, TAG_BYTES, TRANSPORT_CC};
use crate::random::Dice;
use crate::sender::{Plain, Stream};

/// Heights of the sizes, in pixels.
pub const SIZES: [u16; 3] = [180, 360, 720];

/// Ids of the header extensions that the other modules do not name.
pub const RID: u8 = 10;
/// See [`RID`].
pub const REPAIRED_RID: u8 = 11;
/// See [`RID`].
pub const DEPENDENCY: u8 = 13;

/// Between two pictures.
pub const INTERVAL: Duration = Duration::from_millis(33);

/// libwebrtc drops a keyframe request that follows the last one that it heeded within this, whichever stream of the camera
/// they are for (`EncoderRtcpFeedback`).
const KEYFRAME_GUARD: Duration = Duration::from_millis(300);

/// Longest payload.
const PAYLOAD_BYTES: usize = 1_000;

/// Packets kept for retransmission.
const HISTORY: usize = 2_000;

/// Payload type of a format.
pub fn payload_type(format: Format) -> PayloadType {
    match format {
        Format::Vp8 => PayloadType(96),
        Format::H264 => PayloadType(102),
        Format::Vp9 => PayloadType(98),
        Format::Av1 => PayloadType(45),
    }
}

/// Payload type of its retransmissions.
pub fn repair_type(format: Format) -> PayloadType {
    PayloadType(payload_type(format).0 + 1)
}

/// How layers of one stream depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// Larger sizes need smaller ones in every picture (L3T3).
    Full,
    /// In key pictures alone (L3T3_KEY).
    Key,
}

/// One frame of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// In order of encoding, over all sizes.
    pub number: u32,
    /// Of all frames at the same time.
    pub picture: u32,
    /// Place in [`SIZES`].
    pub size: u8,
    /// Temporal layer.
    pub temporal: u8,
    /// Whether it needs no earlier picture.
    pub is_key: bool,
    /// Frames that it is predicted from.
    pub needs: Vec<u32>,
}

/// What the model codec writes into each payload, at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Who sends it.
    pub publisher: u8,
    /// The frame.
    pub frame: Frame,
    /// Which packet of it…
    pub part: u8,
    /// …of how many.
    pub parts: u8,
}

impl Mark {
    /// Its length.
    pub const BYTES: usize = 24;

    fn write(&self) -> [u8; Self::BYTES] {
        let Self { publisher, frame, part, parts } = self;
        let mut bytes = [0; Self::BYTES];
        bytes[..6].copy_from_slice(&[
            *publisher,
            frame.size,
            frame.temporal,
            u8::from(frame.is_key),
            *part,
            *parts,
        ]);
        bytes[6..10].copy_from_slice(&frame.number.to_be_bytes());
        bytes[10..14].copy_from_slice(&frame.picture.to_be_bytes());
        for (at, place) in bytes[14..22].chunks_exact_mut(4).enumerate() {
            let need = frame.needs.get(at).map_or(0, |need| need + 1);
            place.copy_from_slice(&need.to_be_bytes());
        }
        bytes
    }

    /// Of a payload. `None` if it is too short.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let bytes = payload.last_chunk::<{ Self::BYTES }>()?;
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let needs = [number(14), number(18)].into_iter().filter_map(|need| need.checked_sub(1));
        Some(Self {
            publisher: bytes[0],
            frame: Frame {
                number: number(6),
                picture: number(10),
                size: bytes[1],
                temporal: bytes[2],
                is_key: bytes[3] == 1,
                needs: needs.collect(),
            },
            part: bytes[4],
            parts: bytes[5],
        })
    }
}

/// A camera.
#[derive(Debug)]
pub struct Encoder {
    /// Its format.
    pub format: Format,
    prediction: Prediction,
    publisher: u8,
    /// One for each size, or one for all.
    streams: Vec<Stream>,
    repairs: Vec<Stream>,
    picture_id: u16,
    tl0: u8,
    picture: u32,
    /// Pictures since the last keyframe, of each stream.
    since_key: Vec<u32>,
    /// Newest frame of each size and temporal layer.
    newest: [[u32; 3]; 3],
    number: u32,
    wanted: Vec<bool>,
    last_asked: Option<Instant>,
    /// Sizes that somebody looks at.
    watched: [bool; 3],
    transport_sequence: u16,
    history: VecDeque<(Ssrc, Plain)>,
}

impl Encoder {
    /// Of a publisher.
    pub fn new(publisher: u8, format: Format, prediction: Prediction, dice: &mut Dice) -> Self {
        let count = if format.is_scalable() { 1 } else { SIZES.len() };
        let stream = |kind: u32, at: usize, dice: &mut Dice| Stream {
            ssrc: Ssrc(kind << 24 | u32::from(publisher + 1) << 8 | at as u32),
            index: dice.below(0x8000),
            timestamp: dice.roll() as u32,
            packets: 0,
        };
        Self {
            format,
            prediction,
            publisher,
            streams: (0..count).map(|at| stream(0x20, at, dice)).collect(),
            repairs: (0..count).map(|at| stream(0x21, at, dice)).collect(),
            picture_id: dice.below(0x8000) as u16,
            tl0: dice.roll() as u8,
            picture: 0,
            since_key: vec![0; count],
            newest: [[0; 3]; 3],
            // The descriptor's 16 bits wrap within a call.
            number: 65_000,
            wanted: vec![true; count],
            last_asked: None,
            watched: [true; 3],
            transport_sequence: dice.roll() as u16,
            history: VecDeque::new(),
        }
    }

    /// Somebody asks for a keyframe of a stream: all begin anew.
    pub fn keyframe_asked(&mut self, ssrc: Ssrc, now: Instant) {
        let is_ours = self.streams.iter().any(|it| it.ssrc == ssrc);
        let is_early = self.last_asked.is_some_and(|last| now - last < KEYFRAME_GUARD);
        if is_ours && !is_early {
            self.last_asked = Some(now);
            self.wanted.fill(true);
        }
    }

    /// Sizes to send from now on.
    pub fn watch(&mut self, rids: &[Rid]) {
        let before = self.watched;
        for (at, rid) in Rid::ALL.into_iter().enumerate() {
            self.watched[at] = rids.contains(&rid);
        }
        for (at, wanted) in self.wanted.iter_mut().enumerate() {
            // One stream of other sizes begins anew, as an encoder does whose settings change.
            let begins = if self.format.is_scalable() {
                before != self.watched
            } else {
                self.watched[at] && !before[at]
            };
            *wanted |= begins;
        }
    }

    /// Which sizes are sent.
    pub fn sizes(&self) -> [bool; 3] {
        self.watched
    }

    /// The packets of the next picture.
    pub fn picture(&mut self, dice: &mut Dice) -> Vec<Plain> {
        let mut packets = Vec::new();
        if self.format.is_scalable() {
            let sizes = self.watched.iter().rposition(|it| *it).map_or(0, |at| at + 1);
            let is_key = sizes > 0 && self.wanted[0];
            if is_key {
                (self.wanted[0], self.since_key[0]) = (false, 0);
            }
            let temporal = [0, 2, 1, 2][(self.since_key[0] % 4) as usize];
            for size in 0..sizes {
                let frame = self.frame(size, temporal, is_key, true);
                packets.extend(self.packets(0, &frame, sizes, dice));
            }
            self.since_key[0] += 1;
            if sizes > 0 && temporal == 0 {
                self.tl0 = self.tl0.wrapping_add(1);
            }
        } else {
            for (size, _) in
                self.watched.into_iter().enumerate().filter(|(_, is_watched)| *is_watched)
            {
                let is_key = std::mem::take(&mut self.wanted[size]);
                let frame = self.frame(size, 0, is_key, false);
                packets.extend(self.packets(size, &frame, 1, dice));
            }
            self.tl0 = self.tl0.wrapping_add(1);
        }
        self.picture += 1;
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        let ticks = (INTERVAL.as_micros() * 90 / 1_000) as u32;
        for stream in &mut self.streams {
            stream.timestamp = stream.timestamp.wrapping_add(ticks);
        }
        packets
    }

    fn frame(&mut self, size: usize, temporal: usize, is_key: bool, is_layer: bool) -> Frame {
        let newest = self.newest[size];
        let mut needs = Vec::new();
        if !is_key {
            // The newest of a lower rate; of the lowest the one before.
            needs.push(newest[..temporal.max(1)].iter().copied().max().unwrap());
        }
        if is_layer && size > 0 && (is_key || self.prediction == Prediction::Full) {
            needs.push(self.number - 1);
        }
        let number = self.number;
        self.number += 1;
        self.newest[size][temporal] = number;
        if is_key {
            self.newest[size] = [number; 3];
        }
        let (picture, size, temporal) = (self.picture, size as u8, temporal as u8);
        Frame { number, picture, size, temporal, is_key, needs }
    }

    fn packets(
        &mut self,
        stream: usize,
        frame: &Frame,
        sizes: usize,
        dice: &mut Dice,
    ) -> Vec<Plain> {
        let mean = [500, 1_500, 4_000][usize::from(frame.size)];
        let bytes = (mean / 2 + dice.below(mean)) as usize;
        let bytes = if frame.is_key { 3 * bytes } else { bytes };
        let parts =
            bytes.div_ceil(PAYLOAD_BYTES).max(if self.format == Format::H264 { 2 } else { 1 });
        let is_last = !self.format.is_scalable() || usize::from(frame.size) + 1 == sizes;
        let packets = (0..parts).map(|part| {
            let (begins, ends) = (part == 0, part + 1 == parts);
            let mark = Mark {
                publisher: self.publisher,
                frame: frame.clone(),
                part: part as u8,
                parts: parts as u8,
            };
            let mut payload = self.head(frame, begins, ends, sizes);
            payload.resize(payload.len() + bytes / parts, 0x55);
            payload.extend(mark.write());
            let dependency = (self.format == Format::Av1)
                .then(|| descriptor::write(frame, begins, ends, sizes as u32, self.prediction));
            let rid = (!self.format.is_scalable())
                .then(|| (RID, Rid::ALL[usize::from(frame.size)].as_str()));
            let stream = &mut self.streams[stream];
            let plain = write(
                stream,
                payload_type(self.format),
                ends && is_last,
                rid,
                dependency.as_deref(),
                &mut self.transport_sequence,
                &payload,
            );
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            self.history.push_back((stream.ssrc, plain.clone()));
            plain
        });
        packets.collect()
    }

    /// What stands before the frame in a payload.
    fn head(&self, frame: &Frame, begins: bool, ends: bool, sizes: usize) -> Vec<u8> {
        let [high, low] = self.picture_id.to_be_bytes();
        let height = SIZES[usize::from(frame.size)];
        match self.format {
            Format::Vp8 => {
                let first = if begins { 0x90 } else { 0x80 };
                let mut head = vec![first, 0xe0, high | 0x80, low, self.tl0, 0x20];
                head.extend([0x10 | u8::from(!frame.is_key), 0, 0, 0x9d, 0x01, 0x2a, 0, 1]);
                head.extend(height.to_le_bytes());
                head
            }
            // The parameter sets by themselves, then the pieces of a slice.
            Format::H264 if begins && frame.is_key => {
                let set = parameter_set(height);
                let mut head = vec![0x78, 0, set.len() as u8];
                head.extend(set);
                head.extend([0, 2, 0x68, 0xce]);
                head
            }
            Format::H264 => {
                let kind = if frame.is_key { 5 } else { 1 };
                let is_first = begins;
                vec![0x7c, kind | if is_first { 0x80 } else { 0 } | if ends { 0x40 } else { 0 }]
            }
            Format::Vp9 => {
                let is_above = frame.size > 0;
                let between = frame.is_key || self.prediction == Prediction::Full;
                let tells = begins && frame.is_key && !is_above;
                let first = 0xa0
                    | u8::from(!frame.is_key) << 6
                    | u8::from(begins) << 3
                    | u8::from(ends) << 2
                    | u8::from(tells) << 1
                    | u8::from(!between);
                let layer =
                    frame.temporal << 5 | 0x10 | frame.size << 1 | u8::from(is_above && between);
                let mut head = vec![first, high | 0x80, low, layer, self.tl0];
                if tells {
                    head.push((sizes as u8 - 1) << 5 | 0x10);
                    for height in SIZES.iter().take(sizes) {
                        head.extend((height * 16 / 9).to_be_bytes());
                        head.extend(height.to_be_bytes());
                    }
                }
                head
            }
            Format::Av1 => {
                let is_new = begins && frame.is_key && frame.size == 0;
                vec![u8::from(!begins) << 7 | u8::from(!ends) << 6 | 0x10 | u8::from(is_new) << 3]
            }
        }
    }

    /// Packets that were asked for again, by RTX (RFC 4588).
    pub fn again(&mut self, media: Ssrc, lost: &[u16]) -> Vec<Plain> {
        let Some(at) = self.streams.iter().position(|it| it.ssrc == media) else {
            return Vec::new();
        };
        let mut packets = Vec::new();
        for sequence in lost {
            let kept = self.history.iter().rev();
            let mut kept =
                kept.filter(|(ssrc, plain)| *ssrc == media && plain.index as u16 == *sequence);
            let Some((_, Plain { bytes, header_len, .. })) = kept.next() else { continue };
            let packet = crate::packet::Rtp(&bytes[..bytes.len() - TAG_BYTES]);
            let mut payload = sequence.to_be_bytes().to_vec();
            payload.extend(&bytes[*header_len..bytes.len() - TAG_BYTES]);
            let dependency = extension(&bytes[..*header_len], DEPENDENCY).map(<[u8]>::to_vec);
            let rid = (!self.format.is_scalable()).then(|| (REPAIRED_RID, Rid::ALL[at].as_str()));
            let mut stream = Stream { timestamp: packet.timestamp(), ..self.repairs[at] };
            packets.push(write(
                &mut stream,
                repair_type(self.format),
                packet.marker(),
                rid,
                dependency.as_deref(),
                &mut self.transport_sequence,
                &payload,
            ));
            self.repairs[at] = Stream { timestamp: self.repairs[at].timestamp, ..stream };
        }
        packets
    }
}

/// A sequence parameter set (H.264 §7.3.2.1.1) of constrained baseline with this height.
fn parameter_set(height: u16) -> Vec<u8> {
    let mut bits = String::new();
    let golomb = |bits: &mut String, value: u32| {
        let text = format!("{:b}", value + 1);
        bits.push_str(&"0".repeat(text.len() - 1));
        bits.push_str(&text);
    };
    let rows = u32::from(height).div_ceil(16);
    let cropped = (rows * 16 - u32::from(height)) / 2;
    for value in [0, 0, 2, 1] {
        golomb(&mut bits, value);
    }
    bits.push('0');
    golomb(&mut bits, rows * 16 / 9);
    golomb(&mut bits, rows - 1);
    bits.push_str("111");
    for value in [0, 0, 0, cropped] {
        golomb(&mut bits, value);
    }
    bits.push_str("01");
    while !bits.len().is_multiple_of(8) {
        bits.push('0');
    }
    let body =
        (0..bits.len() / 8).map(|at| u8::from_str_radix(&bits[8 * at..8 * at + 8], 2).unwrap());
    [0x67, 0x42, 0xc0, 0x1f].into_iter().chain(body).collect()
}

/// The value of a header extension in either form (RFC 8285), of a header with a block of them.
pub fn extension(header: &[u8], id: u8) -> Option<&[u8]> {
    if header[0] & 0x10 == 0 {
        return None;
    }
    let is_long = header[12] == 0x10;
    let mut rest = &header[16..];
    loop {
        let (&first, after) = rest.split_first()?;
        if first == 0 {
            rest = after;
            continue;
        }
        let (found, len, body) = if is_long {
            let (&len, body) = after.split_first()?;
            (first, usize::from(len), body)
        } else {
            (first >> 4, usize::from(first & 15) + 1, after)
        };
        let (value, next) = body.split_at_checked(len)?;
        if found == id {
            return Some(value);
        }
        rest = next;
    }
}

fn write(
    stream: &mut Stream,
    pt: PayloadType,
    marker: bool,
    rid: Option<(u8, &str)>,
    dependency: Option<&[u8]>,
    transport_sequence: &mut u16,
    payload: &[u8],
) -> Plain {
    let index = stream.index;
    let [high, low] = transport_sequence.to_be_bytes();
    let mut each: Vec<(u8, Vec<u8>)> =
        vec![(TRANSPORT_CC, vec![high, low]), (MID, b"cam".to_vec())];
    each.extend(rid.map(|(id, rid)| (id, rid.as_bytes().to_vec())));
    each.extend(dependency.map(|bytes| (DEPENDENCY, bytes.to_vec())));
    let is_long = each.iter().any(|(_, value)| value.len() > 16);
    let mut block = Vec::new();
    for (id, value) in each {
        let len = value.len() as u8;
        if is_long {
            block.extend([id, len]);
        } else {
            block.push(id << 4 | (len - 1));
        }
        block.extend(value);
    }
    block.resize(block.len().next_multiple_of(4), 0);
    let mut bytes = vec![0x90, pt.0 | if marker { 0x80 } else { 0 }];
    bytes.extend((index as u16).to_be_bytes());
    bytes.extend(stream.timestamp.to_be_bytes());
    bytes.extend(stream.ssrc.0.to_be_bytes());
    bytes.extend(if is_long { [0x10, 0x00] } else { [0xbe, 0xde] });
    bytes.extend((block.len() as u16 / 4).to_be_bytes());
    bytes.extend(block);
    let header_len = bytes.len();
    bytes.extend(payload);
    bytes.resize(bytes.len() + TAG_BYTES, 0);
    stream.index += 1;
    stream.packets += 1;
    *transport_sequence = transport_sequence.wrapping_add(1);
    Plain { bytes, header_len, ssrc: stream.ssrc, index }
}
