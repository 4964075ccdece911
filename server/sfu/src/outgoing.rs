//! How one packet to a subscriber is written: header, payload, seal, all in the cell it leaves from.

use crate::bytes::{Writer, low16};
use crate::codec::red::Frames;
use crate::codec::vp8::{Descriptor, Offsets};
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
    pub(crate) payload: Payload<'a>,
}

pub(crate) enum Payload<'a> {
    /// As it came.
    Sound(&'a [u8]),
    /// Frames of this type in one packet (RFC 2198).
    Redundant(PayloadType, &'a Frames<'a>),
    /// With its numbers rewritten.
    Picture(&'a [u8], Descriptor, Offsets),
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
            let first = if transport_cc.is_some() { 0x90 } else { 0x80 };
            let first = match self.payload {
                Payload::Padding(_) => first | 0x20,
                Payload::Sound(_) | Payload::Redundant(..) | Payload::Picture(..) => first,
            };
            let marker = if self.marker == Marker::Set { 0x80 } else { 0 };
            writer.put(&[first, marker | self.pt.0])?;
            writer.put(&low16(self.sequence).to_be_bytes())?;
            writer.put(&self.timestamp.to_be_bytes())?;
            writer.put(&self.ssrc.0.to_be_bytes())?;
            if let Some(id) = transport_cc {
                let [high, low] = transport_sequence.to_be_bytes();
                writer.put(&[0xbe, 0xde, 0, 1, id << 4 | 1, high, low, 0])?;
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
            if let Payload::Picture(_, descriptor, ids) = &self.payload {
                ids.apply(descriptor, cell.get_mut(payload_at..len)?);
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
