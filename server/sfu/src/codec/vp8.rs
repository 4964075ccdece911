//! VP8 payload descriptor (RFC 7741 §4.2). Only its clear first bytes are read, so that encrypted payloads pass too.

use super::Keyframe;
use super::ids::{Ids, PictureId};

/// What the descriptor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// Whether a decoder can begin with this packet.
    pub(crate) keyframe: Keyframe,
    pub(crate) ids: Ids,
    /// Its own length in bytes: where the frame begins.
    len: u8,
}

impl Descriptor {
    /// `None` if the payload ends inside its descriptor.
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let byte = |at: usize| payload.get(at).copied();
        let first = byte(0)?;
        let mut at = 1;
        let mut ids = Ids::default();
        if first & 0x80 != 0 {
            let flags = byte(at)?;
            at += 1;
            if flags & 0x80 != 0 {
                let id = PictureId::read(payload, at)?;
                ids.picture = Some(id);
                at += id.bytes();
            }
            if flags & 0x40 != 0 {
                ids.tl0 = Some((u8::try_from(at).ok()?, byte(at)?));
                at += 1;
            }
            if flags & 0x30 != 0 {
                byte(at)?;
                at += 1;
            }
        }
        // S bit, partition 0 (three bits; libwebrtc reads four), then the frame header's inverse key frame flag (RFC 6386 §9.1).
        let starts_frame = first & 0x10 != 0 && first & 0x07 == 0;
        let is_key = byte(at).is_some_and(|header| header & 1 == 0);
        let keyframe = if starts_frame && is_key { Keyframe::Starts } else { Keyframe::Otherwise };
        Some(Self { keyframe, ids, len: u8::try_from(at).ok()? })
    }

    /// Height in pixels as the header of a keyframe tells it (RFC 6386 §9.1: three bytes of tag, three of start code, width,
    /// height, each of 14 bits). `payload` is that which was parsed.
    pub(crate) fn picture_height(&self, payload: &[u8]) -> Option<u16> {
        const START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];
        if self.keyframe != Keyframe::Starts {
            return None;
        }
        let &[_, _, _, a, b, c, _, _, low, high] =
            payload.get(usize::from(self.len)..)?.first_chunk()?;
        let height = u16::from_le_bytes([low, high]) & 0x3fff;
        ([a, b, c] == START_CODE && height > 0).then_some(height)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ids::Continuity;
    use super::*;

    /// X, I with 15 bits, L, T: what Chromium sends.
    fn payload(picture: u16, tl0: u8, frame_header: u8) -> Vec<u8> {
        let [high, low] = picture.to_be_bytes();
        vec![0x90, 0xe0, high | 0x80, low, tl0, 0x20, frame_header, 1, 2]
    }

    fn ids(payload: &[u8]) -> (u16, u8) {
        (u16::from_be_bytes([payload[2] & 0x7f, payload[3]]), payload[4])
    }

    #[test]
    fn a_keyframe_begins_with_partition_zero_and_a_clear_flag() {
        let starts = |payload: &[u8]| Descriptor::parse(payload).unwrap().keyframe;

        assert_eq!(starts(&payload(1, 1, 0x10)), Keyframe::Starts);
        assert_eq!(starts(&payload(1, 1, 0x11)), Keyframe::Otherwise);
        assert_eq!(starts(&[0x10, 0x00]), Keyframe::Starts);
        assert_eq!(starts(&[0x00, 0x00]), Keyframe::Otherwise);
        assert_eq!(starts(&[0x11, 0x00]), Keyframe::Otherwise);
        assert_eq!(starts(&[0x10]), Keyframe::Otherwise);
    }

    #[test]
    fn a_descriptor_that_ends_early_is_refused() {
        let whole = payload(300, 7, 0x10);
        for len in 0..6 {
            assert_eq!(Descriptor::parse(&whole[..len]), None, "{len} bytes");
        }
        assert!(Descriptor::parse(&whole[..6]).is_some());
    }

    #[test]
    fn a_keyframe_tells_its_height_and_nothing_else_does() {
        let height = |payload: &[u8]| Descriptor::parse(payload).unwrap().picture_height(payload);
        let header = |tag: u8| {
            let mut bytes = payload(1, 1, tag);
            bytes.truncate(7);
            // 640 × 360, the height with an upscaling of 5/4 in its two upper bits.
            bytes.extend([0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x41]);
            bytes
        };
        let keyframe = header(0x10);

        assert_eq!(height(&keyframe), Some(360));
        assert_eq!(height(&header(0x11)), None, "a delta frame");
        for len in 6..keyframe.len() {
            assert_eq!(height(&keyframe[..len]), None, "{len} bytes");
        }
        let mut other = keyframe.clone();
        other[9] = 0x9e;
        assert_eq!(height(&other), None, "no start code");
        let mut flat = keyframe;
        flat[14..].copy_from_slice(&[0, 0x40]);
        assert_eq!(height(&flat), None, "a picture without height");
    }

    #[test]
    fn picture_ids_continue_over_a_switch_and_wrap_in_their_width() {
        let mut continuity = Continuity::default();
        let mut send = |picture, tl0, switch: bool| {
            let mut bytes = payload(picture, tl0, 0x10);
            let descriptor = Descriptor::parse(&bytes).unwrap();
            if switch {
                continuity.switch(&descriptor.ids);
            }
            continuity.forward(&descriptor.ids).apply(&descriptor.ids, &mut bytes);
            ids(&bytes)
        };

        assert_eq!(send(32_766, 254, true), (32_766, 254));
        assert_eq!(send(32_767, 255, false), (32_767, 255));
        assert_eq!(send(0, 0, false), (0, 0));
        assert_eq!(send(5_000, 77, true), (1, 1));
        assert_eq!(send(5_002, 78, false), (3, 2));
        assert_eq!(send(5_001, 78, false), (2, 2));
        assert_eq!(send(9, 200, true), (4, 3));
    }
}
