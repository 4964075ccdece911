//! A view of an RTP packet's header (RFC 3550 §5.1). Nothing is copied.

use crate::bytes::{u16_at, u32_at};
use crate::extension::Extensions;
use crate::plan::{PayloadType, Ssrc};

/// The fixed header's length.
pub(crate) const FIXED_HEADER_BYTES: usize = 12;

/// What the header says. Valid for an encrypted packet too: the header travels in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) marker: Marker,
    pub(crate) payload_type: PayloadType,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: Ssrc,
    /// With CSRCs and extension.
    pub(crate) len: usize,
    padding: Padding,
    extension: Option<(u16, usize)>,
}

/// The marker bit: last packet of a frame; first packet of a talk spurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    Clear,
    Set,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Padding {
    Absent,
    Present,
}

impl Header {
    /// `None` if it is not version 2, or CSRCs or extension reach beyond the packet.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let &[first, second, ..] = packet else { return None };
        if first >> 6 != 2 {
            return None;
        }
        let mut len = FIXED_HEADER_BYTES + 4 * usize::from(first & 0x0f);
        let extension = if first & 0x10 == 0 {
            None
        } else {
            let profile = u16_at(packet, len)?;
            let start = len + 4;
            len = start + 4 * usize::from(u16_at(packet, len + 2)?);
            Some((profile, start))
        };
        if packet.len() < len {
            return None;
        }
        Some(Self {
            marker: if second & 0x80 == 0 { Marker::Clear } else { Marker::Set },
            payload_type: PayloadType(second & 0x7f),
            sequence: u16_at(packet, 2)?,
            timestamp: u32_at(packet, 4)?,
            ssrc: Ssrc(u32_at(packet, 8)?),
            len,
            padding: if first & 0x20 == 0 { Padding::Absent } else { Padding::Present },
            extension,
        })
    }

    /// The header extensions (RFC 8285).
    pub(crate) fn extensions<'a>(&self, packet: &'a [u8]) -> Extensions<'a> {
        self.extension
            .and_then(|(profile, start)| Some((profile, packet.get(start..self.len)?)))
            .map_or_else(Extensions::none, |(profile, bytes)| Extensions::new(profile, bytes))
    }

    /// The payload of a decrypted packet, without padding. `None` if the padding is 0 or longer than what is there.
    pub(crate) fn payload<'a>(&self, packet: &'a [u8]) -> Option<&'a [u8]> {
        let payload = packet.get(self.len..)?;
        match self.padding {
            Padding::Absent => Some(payload),
            Padding::Present => {
                let count = usize::from(*payload.last()?);
                if count == 0 {
                    return None;
                }
                payload.get(..payload.len().checked_sub(count)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first, 96, 0, 7, 0, 0, 0, 9, 0, 0, 0, 5];
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn padding_of_zero_or_more_than_the_payload_is_refused() {
        let with = |padding: &[u8]| {
            let bytes = packet(0xa0, padding);
            let header = Header::parse(&bytes).unwrap();
            header.payload(&bytes).map(<[u8]>::len)
        };

        assert_eq!(with(&[1, 2, 3, 2]), Some(2));
        assert_eq!(with(&[4, 4, 4, 4]), Some(0));
        assert_eq!(with(&[1, 2, 3, 0]), None);
        assert_eq!(with(&[1, 2, 3, 5]), None);
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn csrcs_and_extension_beyond_the_packet_are_refused() {
        assert!(Header::parse(&packet(0x81, &[0; 3])).is_none());
        assert!(Header::parse(&packet(0x90, &[0xbe, 0xde, 0, 1])).is_none());
        assert!(Header::parse(&packet(0x90, &[0xbe, 0xde, 0, 1, 0, 0, 0, 0])).is_some());
        assert!(Header::parse(&packet(0x40, &[])).is_none());
    }
}
