//! Packets as the model browsers write and read them: independent of the relay's own code, which they check.

use sfu::plan::{PayloadType, Source, Ssrc};

/// Payload types of every model browser.
pub const OPUS: PayloadType = PayloadType(111);
/// See [`OPUS`]: several of its frames in one packet (RFC 2198).
pub const RED: PayloadType = PayloadType(63);
/// See [`OPUS`].
pub const VP8: PayloadType = PayloadType(96);
/// Retransmissions of [`VP8`].
pub const RTX: PayloadType = PayloadType(97);

/// Ids of header extensions.
pub const AUDIO_LEVEL: u8 = 1;
/// See [`AUDIO_LEVEL`].
pub const TRANSPORT_CC: u8 = 3;
/// See [`AUDIO_LEVEL`].
pub const MID: u8 = 4;

/// AES-GCM's tag.
pub const TAG_BYTES: usize = 16;

/// Bytes of a VP8 payload descriptor with picture id of 15 bits, TL0PICIDX and TID.
const DESCRIPTOR_BYTES: usize = 6;

/// An RTP header to write.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// Payload type.
    pub pt: PayloadType,
    /// Last packet of a frame.
    pub marker: bool,
    /// Sequence number.
    pub sequence: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// SSRC.
    pub ssrc: Ssrc,
    /// mid of its line.
    pub mid: &'a str,
    /// Transport-wide sequence number.
    pub transport_sequence: u16,
    /// RFC 6464 level, of sound.
    pub level: Option<u8>,
}

impl Header<'_> {
    /// The packet in plaintext with room for the tag, and the length of its header.
    pub fn write(&self, payload: &[u8]) -> (Vec<u8>, usize) {
        let mut packet = Vec::with_capacity(40 + payload.len() + TAG_BYTES);
        packet.extend([0x90, self.pt.0 | if self.marker { 0x80 } else { 0 }]);
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.0.to_be_bytes());
        packet.extend([0xbe, 0xde, 0, 0]);
        if let Some(level) = self.level {
            packet.extend([AUDIO_LEVEL << 4, level]);
        }
        let [high, low] = self.transport_sequence.to_be_bytes();
        packet.extend([TRANSPORT_CC << 4 | 1, high, low]);
        packet.push(MID << 4 | u8::try_from(self.mid.len() - 1).unwrap());
        packet.extend(self.mid.bytes());
        packet.resize(packet.len().next_multiple_of(4), 0);
        packet[15] = u8::try_from(packet.len() / 4 - 4).unwrap();
        let header_len = packet.len();
        packet.extend(payload);
        packet.resize(packet.len() + TAG_BYTES, 0);
        (packet, header_len)
    }
}

/// A view of an RTP packet.
#[derive(Clone, Copy, Debug)]
pub struct Rtp<'a>(pub &'a [u8]);

impl<'a> Rtp<'a> {
    /// Payload type.
    pub fn pt(&self) -> PayloadType {
        PayloadType(self.0[1] & 0x7f)
    }

    /// Marker bit.
    pub fn marker(&self) -> bool {
        self.0[1] & 0x80 != 0
    }

    /// Sequence number.
    pub fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.0[2], self.0[3]])
    }

    /// RTP timestamp.
    pub fn timestamp(&self) -> u32 {
        u32_at(self.0, 4)
    }

    /// SSRC.
    pub fn ssrc(&self) -> Ssrc {
        Ssrc(u32_at(self.0, 8))
    }

    /// Length of the header with its extensions.
    pub fn header_len(&self) -> usize {
        if self.0[0] & 0x10 == 0 {
            12
        } else {
            16 + 4 * usize::from(u16::from_be_bytes([self.0[14], self.0[15]]))
        }
    }

    /// The frames of a packet of sound and how much older than it they are, the oldest first, its own last. `None` for a
    /// picture, or if it is malformed.
    pub fn frames(&self) -> Option<Vec<(u32, &'a [u8])>> {
        if self.pt() == OPUS {
            return Some(vec![(0, self.payload())]);
        }
        if self.pt() != RED {
            return None;
        }
        let mut rest = self.payload();
        let mut headers = Vec::new();
        while rest.first()? & 0x80 != 0 {
            let (header, after) = rest.split_first_chunk::<4>()?;
            let header = u32::from_be_bytes(*header);
            headers.push(((header >> 10) & 0x3fff, (header & 0x3ff) as usize));
            rest = after;
        }
        let (&last, mut rest) = rest.split_first()?;
        let mut frames = Vec::new();
        for (offset, len) in headers {
            let (frame, after) = rest.split_at_checked(len)?;
            frames.push((offset, frame));
            rest = after;
        }
        frames.push((0, rest));
        (PayloadType(last) == OPUS).then_some(frames)
    }

    /// The transport-wide sequence number.
    pub fn transport_sequence(&self) -> Option<u16> {
        let block = self.0.get(16..self.header_len())?;
        let mut rest = block;
        while let [first, after @ ..] = rest {
            let len = usize::from(first & 0x0f) + 1;
            match first {
                0 => rest = after,
                _ if first >> 4 == TRANSPORT_CC => {
                    return Some(u16::from_be_bytes([after[0], after[1]]));
                }
                _ => rest = after.get(len..)?,
            }
        }
        None
    }

    /// The payload without padding.
    pub fn payload(&self) -> &'a [u8] {
        let payload = &self.0[self.header_len()..];
        if self.0[0] & 0x20 == 0 {
            return payload;
        }
        &payload[..payload.len() - usize::from(*payload.last().unwrap())]
    }
}

/// What every media payload says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Number of the publishing peer.
    pub publisher: u32,
    /// What it publishes.
    pub source: Source,
    /// The publisher's sequence number with its rollovers.
    pub counter: u64,
    /// The frame it belongs to, counted from 0.
    pub frame: u32,
    /// Whether that is a keyframe.
    pub is_key: bool,
}

impl Tag {
    const BYTES: usize = 18;

    fn write(&self, payload: &mut Vec<u8>) {
        payload.extend(self.publisher.to_be_bytes());
        payload.push(match self.source {
            Source::Mic => 0,
            Source::Cam => 1,
            Source::Screen => 2,
            Source::ScreenAudio => 3,
        });
        payload.extend(self.counter.to_be_bytes());
        payload.extend(self.frame.to_be_bytes());
        payload.push(u8::from(self.is_key));
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..Self::BYTES)?;
        Some(Self {
            publisher: u32_at(bytes, 0),
            source: [Source::Mic, Source::Cam, Source::Screen, Source::ScreenAudio]
                [usize::from(bytes[4])],
            counter: u64::from_be_bytes(bytes[5..13].try_into().unwrap()),
            frame: u32_at(bytes, 13),
            is_key: bytes[17] == 1,
        })
    }

    /// From a packet's payload, behind the descriptor if it has one.
    pub fn of(pt: PayloadType, payload: &[u8]) -> Option<Self> {
        let at = if pt == OPUS { 0 } else { DESCRIPTOR_BYTES + 1 };
        Self::read(payload.get(at..)?)
    }
}

/// A payload of sound.
pub fn opus_payload(tag: &Tag, len: usize) -> Vec<u8> {
    let mut payload = Vec::with_capacity(len);
    tag.write(&mut payload);
    payload.resize(len.max(Tag::BYTES), 0x78);
    payload
}

/// Numbers of a VP8 frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vp8 {
    /// 15 bits.
    pub picture_id: u16,
    /// TL0PICIDX.
    pub tl0: u8,
    /// Whether this packet begins the frame.
    pub starts: bool,
}

impl Vp8 {
    /// From a payload with the descriptor that [`vp8_payload`] writes.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let &[first, 0xe0, high, low, tl0, _, ..] = payload else { return None };
        Some(Self {
            picture_id: u16::from_be_bytes([high & 0x7f, low]),
            tl0,
            starts: first & 0x17 == 0x10,
        })
    }
}

/// A payload of a picture.
pub fn vp8_payload(vp8: Vp8, tag: &Tag, len: usize) -> Vec<u8> {
    let [high, low] = vp8.picture_id.to_be_bytes();
    let mut payload = Vec::with_capacity(len);
    let first = if vp8.starts { 0x90 } else { 0x80 };
    // The byte behind the descriptor: the frame header's inverse key frame flag (RFC 6386 §9.1).
    payload.extend([first, 0xe0, high | 0x80, low, vp8.tl0, 0x20, 0x10 | u8::from(!tag.is_key)]);
    tag.write(&mut payload);
    payload.resize(len.max(DESCRIPTOR_BYTES + 1 + Tag::BYTES), 0x55);
    payload
}

/// One packet of an RTCP compound.
#[derive(Clone, Copy, Debug)]
pub struct Rtcp<'a> {
    /// Count or feedback format.
    pub count: u8,
    /// Packet type.
    pub kind: u8,
    /// The whole packet.
    pub bytes: &'a [u8],
}

/// The packets of a compound.
pub fn compound(bytes: &[u8]) -> impl Iterator<Item = Rtcp<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let &[first, kind, high, low, ..] = rest else { return None };
        let len = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
        let (packet, after) = rest.split_at_checked(len)?;
        rest = after;
        Some(Rtcp { count: first & 0x1f, kind, bytes: packet })
    })
}

impl Rtcp<'_> {
    /// The SSRC of a picture loss indication.
    pub fn picture_loss(&self) -> Option<Ssrc> {
        (self.kind == 206 && self.count == 1).then(|| Ssrc(u32_at(self.bytes, 8)))
    }

    /// SSRC and sequence numbers of a NACK.
    pub fn nack(&self) -> Option<(Ssrc, Vec<u16>)> {
        if self.kind != 205 || self.count != 1 {
            return None;
        }
        let mut lost = Vec::new();
        for pair in self.bytes[12..].chunks_exact(4) {
            let first = u16::from_be_bytes([pair[0], pair[1]]);
            let mask = u16::from_be_bytes([pair[2], pair[3]]);
            lost.push(first);
            lost.extend((0..16).filter(|bit| mask >> bit & 1 == 1).map(|bit| first + bit + 1));
        }
        Some((Ssrc(u32_at(self.bytes, 8)), lost))
    }

    /// SSRC and the middle of the NTP time of a sender report.
    pub fn sender_report(&self) -> Option<(Ssrc, u32)> {
        (self.kind == 200).then(|| (Ssrc(u32_at(self.bytes, 4)), u32_at(self.bytes, 10)))
    }
}

/// A feedback message without items, or with those in `rest` (a multiple of 4).
pub fn feedback(kind: u8, format: u8, media: Ssrc, rest: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80 | format, kind];
    packet.extend(u16::try_from(2 + rest.len() / 4).unwrap().to_be_bytes());
    packet.extend(1_u32.to_be_bytes());
    packet.extend(media.0.to_be_bytes());
    packet.extend(rest);
    packet
}

/// A picture loss indication.
pub fn picture_loss(media: Ssrc) -> Vec<u8> {
    feedback(206, 1, media, &[])
}

/// A NACK, one pair for each number.
pub fn nack(media: Ssrc, lost: &[u16]) -> Vec<u8> {
    let pairs: Vec<u8> =
        lost.iter().flat_map(|sequence| [(sequence >> 8) as u8, *sequence as u8, 0, 0]).collect();
    feedback(205, 1, media, &pairs)
}

/// One block of a receiver report.
#[derive(Clone, Copy, Debug)]
pub struct ReportBlock {
    /// About which SSRC.
    pub ssrc: Ssrc,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Highest sequence number with rollovers.
    pub highest: u32,
    /// Middle of the NTP time of the last sender report…
    pub last_sender_report: u32,
    /// …and how long ago, in 1/65536 s.
    pub delay: u32,
}

/// A receiver report of at most 31 blocks.
pub fn receiver_report(blocks: &[ReportBlock]) -> Vec<u8> {
    let count = u8::try_from(blocks.len().min(31)).unwrap();
    let mut packet = vec![0x80 | count, 201];
    packet.extend((1 + 6 * u16::from(count)).to_be_bytes());
    packet.extend(1_u32.to_be_bytes());
    for block in blocks.iter().take(31) {
        let lost = u32::from(block.fraction_lost) << 24;
        for field in [block.ssrc.0, lost, block.highest, 0, block.last_sender_report, block.delay] {
            packet.extend(field.to_be_bytes());
        }
    }
    packet
}

/// A sender report without blocks.
pub fn sender_report(ssrc: Ssrc, ntp: u64, rtp: u32, packets: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6];
    packet.extend(ssrc.0.to_be_bytes());
    packet.extend(ntp.to_be_bytes());
    for field in [rtp, packets, 0] {
        packet.extend(field.to_be_bytes());
    }
    packet
}

/// The number that `sequence` stands for, nearest to the newest one.
pub fn extend(newest: Option<u64>, sequence: u16) -> u64 {
    let Some(newest) = newest else { return u64::from(sequence) };
    let ahead = sequence.wrapping_sub(newest as u16);
    if ahead < 0x8000 {
        newest + u64::from(ahead)
    } else {
        newest.saturating_sub(u64::from(ahead.wrapping_neg()))
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}
