//! How one packet to a subscriber is written: header, payload, seal, all in the cell it leaves from.

use crate::bytes::{Writer, low16};
use crate::codec::dependency::{self, MAX_BYTES};
use crate::codec::ids::{Ids, Offsets};
use crate::codec::red::Frames;
use crate::in_flight::Cargo;
use crate::limits::IP_HEADER_BYTES;
use crate::plan::{PayloadType, Ssrc};
use crate::rtp::Marker;
use crate::slot::Wire;
use crate::srtp::Index;

/// One outgoing packet.
pub(crate) struct Packet<'a> {
    pub(crate) pt: PayloadType,
    pub(crate) ssrc: Ssrc,
    pub(crate) sequence: Index,
    pub(crate) timestamp: u32,
    pub(crate) marker: Marker,
    /// Of the packet it repeats (RFC 4588 §4).
    pub(crate) original: Option<u16>,
    pub(crate) dependency: Option<Dependency<'a>>,
    pub(crate) payload: Payload<'a>,
}

/// A dependency descriptor as it came, and what becomes of it.
#[derive(Clone, Copy)]
pub(crate) struct Dependency<'a> {
    /// Of the header extension.
    pub(crate) id: u8,
    pub(crate) bytes: &'a [u8],
    /// What is added to its frame number.
    pub(crate) offset: u16,
    /// The decode targets that the stream has, and those to which it is cut down if that is to be said.
    pub(crate) targets: u32,
    pub(crate) active: Option<u32>,
}

pub(crate) enum Payload<'a> {
    /// As it came.
    Sound(&'a [u8]),
    /// Frames of this type in one packet (RFC 2198).
    Redundant(PayloadType, &'a Frames<'a>),
    /// With its numbers rewritten.
    Picture(&'a [u8], Ids, Offsets),
    /// So many bytes that every receiver throws away (RFC 3550 §5.1), more than none.
    Padding(u8),
}

impl Packet<'_> {
    /// Its length. `transport_cc` is the id of the extension that carries the transport-wide sequence number.
    pub(crate) fn write(&self, transport_cc: Option<u8>, wire: &mut Wire<'_>) -> Option<u64> {
        let session = &mut *wire.session;
        let transport_sequence = wire.bandwidth.sequence();
        let len = wire.egress.write(wire.path, |cell| {
            let mut writer = Writer::new(cell);
            let is_extended = transport_cc.is_some() || self.dependency.is_some();
            let first = if is_extended { 0x90 } else { 0x80 };
            let first = match self.payload {
                Payload::Padding(_) => first | 0x20,
                Payload::Sound(_) | Payload::Redundant(..) | Payload::Picture(..) => first,
            };
            let marker = if self.marker == Marker::Set { 0x80 } else { 0 };
            writer.put(&[first, marker | self.pt.0])?;
            writer.put(&low16(self.sequence).to_be_bytes())?;
            writer.put(&self.timestamp.to_be_bytes())?;
            writer.put(&self.ssrc.0.to_be_bytes())?;
            let [high, low] = transport_sequence.to_be_bytes();
            match (self.dependency, transport_cc) {
                (None, None) => {}
                (None, Some(id)) => {
                    writer.put(&[0xbe, 0xde, 0, 1, id << 4 | 1, high, low, 0])?;
                }
                (Some(dependency), transport_cc) => {
                    dependency.put(transport_cc.map(|id| (id, [high, low])), &mut writer)?;
                }
            }
            let header_len = writer.len();
            if let Some(original) = self.original {
                writer.put(&original.to_be_bytes())?;
            }
            let payload_at = writer.len();
            match &self.payload {
                Payload::Sound(payload) | Payload::Picture(payload, ..) => writer.put(payload)?,
                Payload::Redundant(pt, frames) => frames.write(&mut writer, *pt)?,
                Payload::Padding(count) => {
                    for left in (1..=*count).rev() {
                        writer.put(&[if left == 1 { *count } else { 0 }])?;
                    }
                }
            }
            let len = writer.len();
            if let Payload::Picture(_, ids, offsets) = &self.payload {
                offsets.apply(ids, cell.get_mut(payload_at..len)?);
            }
            session.seal(cell, len, header_len, self.ssrc, self.sequence)
        })?;
        let len = u64::try_from(len).ok()?;
        let on_the_line = len + IP_HEADER_BYTES;
        if transport_cc.is_some() {
            let cargo = match self.payload {
                Payload::Padding(_) => Cargo::Padding,
                Payload::Sound(_) | Payload::Redundant(..) | Payload::Picture(..) => Cargo::Media,
            };
            wire.bandwidth.sent(on_the_line, cargo, wire.now);
        }
        wire.bandwidth.pacer.sent(on_the_line, wire.now);
        Some(len)
    }
}

impl Dependency<'_> {
    /// Writes the block of header extensions (RFC 8285): in the one-byte form if the descriptor is as short as that allows,
    /// as it mostly is, or else in the two-byte form.
    fn put(&self, transport_cc: Option<(u8, [u8; 2])>, writer: &mut Writer<'_>) -> Option<()> {
        let mut buffer = [0; MAX_BYTES];
        let Self { id, bytes, offset, targets, active } = *self;
        let len = dependency::rewrite(bytes, targets, offset, active, &mut buffer)?;
        let bytes = buffer.get(..len)?;
        let len = u8::try_from(bytes.len()).ok()?;
        let is_short = (1..=16).contains(&len);
        let each = if is_short { 1 } else { 2 };
        let sequence = if transport_cc.is_some() { each + 2 } else { 0 };
        let body = each + bytes.len() + sequence;
        let words = body.div_ceil(4);
        let [high, low] = u16::try_from(words).ok()?.to_be_bytes();
        if is_short {
            writer.put(&[0xbe, 0xde, high, low])?;
            if let Some((id, [a, b])) = transport_cc {
                writer.put(&[id << 4 | 1, a, b])?;
            }
            writer.put(&[id << 4 | (len - 1)])?;
        } else {
            writer.put(&[0x10, 0, high, low])?;
            if let Some((id, [a, b])) = transport_cc {
                writer.put(&[id, 2, a, b])?;
            }
            writer.put(&[id, len])?;
        }
        writer.put(bytes)?;
        writer.put([0; 3].get(..4 * words - body)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::Extensions;

    #[test]
    fn a_descriptor_of_any_length_stands_beside_the_sequence_number() {
        for len in 3..=255 {
            let bytes: Vec<u8> = (0..len).collect();
            let mut buffer = [0xff; 300];
            let mut writer = Writer::new(&mut buffer);
            let (targets, active) = (9, None);
            let dependency = Dependency { id: 13, bytes: &bytes, offset: 0, targets, active };
            dependency.put(Some((3, [7, 9])), &mut writer).unwrap();
            let end = writer.len();

            assert_eq!(end % 4, 0);
            let words = usize::from(u16::from_be_bytes([buffer[2], buffer[3]]));
            assert_eq!(end, 4 + 4 * words);
            let profile = u16::from_be_bytes([buffer[0], buffer[1]]);
            let extensions = Extensions::new(profile, &buffer[4..end]);
            assert_eq!(extensions.find(Some(13)), Some(&bytes[..]), "{len} bytes");
            assert_eq!(extensions.find(Some(3)), Some(&[7, 9][..]), "{len} bytes");
        }
    }
}
