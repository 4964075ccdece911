//! VP9 payload descriptor (RFC 9628 §4.2). Only its clear first bytes are read, so that encrypted payloads pass too.

use super::Keyframe;
use super::ids::{Ids, PictureId};

/// Bytes that are looked at: with a long picture id, layer indices and the sizes of three layers it has 18.
const MOST_BYTES: usize = 20;

/// Spatial layers whose size is read.
const LAYERS: usize = 3;

/// What the descriptor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    pub(crate) ids: Ids,
    /// Place of the frame among the layers; `None` if the stream has one.
    pub(crate) layer: Option<Layer>,
    /// Whether it needs no earlier picture (P = 0). The lowest layer of one is a keyframe.
    pub(crate) is_intra: bool,
    /// First packet of a layer's frame (B).
    pub(crate) begins: bool,
    /// Last packet of a layer's frame (E).
    pub(crate) ends: bool,
    /// No frame of a higher layer needs this one (Z).
    pub(crate) is_top: bool,
    /// Where the scalability structure begins.
    structure: Option<u8>,
}

/// Layer indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
    /// Later pictures of higher temporal layers need none before this one (U).
    pub(crate) is_switching_point: bool,
}

impl Descriptor {
    /// `None` if the payload ends inside its descriptor.
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let head = payload.get(..payload.len().min(MOST_BYTES))?;
        let byte = |at: usize| head.get(at).copied();
        let first = byte(0)?;
        let has = |bit: u8| first & bit != 0;
        let (is_intra, is_flexible) = (!has(0x40), has(0x10));
        let mut at = 1;
        let mut ids = Ids::default();
        if has(0x80) {
            let id = PictureId::read(head, at)?;
            ids.picture = Some(id);
            at += id.bytes();
        }
        let mut layer = None;
        if has(0x20) {
            let indices = byte(at)?;
            at += 1;
            layer = Some(Layer {
                spatial: indices >> 1 & 0x07,
                temporal: indices >> 5,
                is_switching_point: indices & 0x10 != 0,
            });
            if !is_flexible {
                ids.tl0 = Some((u8::try_from(at).ok()?, byte(at)?));
                at += 1;
            }
        }
        if is_flexible && !is_intra {
            // Up to three references, of which each says whether another follows.
            for _ in 0..3 {
                let reference = byte(at)?;
                at += 1;
                if reference & 1 == 0 {
                    break;
                }
            }
        }
        let structure = if has(0x02) {
            byte(at)?;
            Some(u8::try_from(at).ok()?)
        } else {
            None
        };
        Some(Self {
            ids,
            layer,
            is_intra,
            begins: has(0x08),
            ends: has(0x04),
            is_top: has(0x01),
            structure,
        })
    }

    /// Whether a decoder can begin with this packet: the first of the lowest layer of a picture that needs no other.
    pub(crate) fn keyframe(&self) -> Keyframe {
        let is_lowest = self.layer.is_none_or(|layer| layer.spatial == 0);
        if self.is_intra && self.begins && is_lowest {
            Keyframe::Starts
        } else {
            Keyframe::Otherwise
        }
    }

    /// Heights of the spatial layers in pixels, the smallest first, if this packet tells them. `payload` is that which was
    /// parsed.
    pub(crate) fn heights(&self, payload: &[u8]) -> Option<[Option<u16>; LAYERS]> {
        let structure = payload.get(usize::from(self.structure?)..payload.len().min(MOST_BYTES))?;
        let (&first, sizes) = structure.split_first()?;
        if first & 0x10 == 0 {
            return None;
        }
        let count = usize::from(first >> 5) + 1;
        let mut heights = [None; LAYERS];
        let sizes = sizes.chunks_exact(4).take(count);
        for (height, size) in heights.iter_mut().zip(sizes) {
            if let &[_, _, high, low] = size {
                *height = Some(u16::from_be_bytes([high, low])).filter(|height| *height > 0);
            }
        }
        heights.iter().any(Option::is_some).then_some(heights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(payload: &[u8]) -> (Option<u16>, Option<u8>) {
        let ids = Descriptor::parse(payload).unwrap().ids;
        (ids.picture.map(|id| id.value), ids.tl0.map(|(_, value)| value))
    }

    /// A keyframe of three layers as Chromium sends it: I, L, B, V with 15 bits of picture id.
    fn keyframe() -> Vec<u8> {
        let mut payload = vec![0xaa, 0x81, 0x02, 0b0001_0001, 9, 0b0101_1000];
        for (width, height) in [(320_u16, 180_u16), (640, 360), (1_280, 720)] {
            payload.extend(width.to_be_bytes());
            payload.extend(height.to_be_bytes());
        }
        payload.extend([1, 0b0011_0100, 1, 0x82, 0x49]);
        payload
    }

    #[test]
    fn a_keyframe_tells_its_numbers_and_the_sizes_of_its_layers() {
        let payload = keyframe();
        let descriptor = Descriptor::parse(&payload).unwrap();

        assert_eq!(ids(&payload), (Some(258), Some(9)));
        assert_eq!(descriptor.keyframe(), Keyframe::Starts);
        let layer = Layer { spatial: 0, temporal: 0, is_switching_point: true };
        assert_eq!(descriptor.layer, Some(layer));
        assert!(descriptor.begins && !descriptor.ends && !descriptor.is_top);
        assert_eq!(descriptor.heights(&payload), Some([Some(180), Some(360), Some(720)]));
        for len in 0..6 {
            assert_eq!(Descriptor::parse(&payload[..len]), None, "{len} bytes");
        }
        assert_eq!(Descriptor::parse(&payload[..12]).unwrap().heights(&payload[..12]), {
            Some([Some(180), None, None])
        });
    }

    #[test]
    fn upper_layers_and_delta_frames_do_not_begin_a_picture() {
        let keyframe = |payload: &[u8]| Descriptor::parse(payload).unwrap().keyframe();
        // The second layer of a key picture, predicted from the first.
        assert_eq!(keyframe(&[0xa8, 5, 0b0000_0011, 9, 0]), Keyframe::Otherwise);
        // P: predicted from an earlier picture.
        assert_eq!(keyframe(&[0xe8, 5, 0b0000_0000, 9, 0]), Keyframe::Otherwise);
        // The middle of the first layer's frame.
        assert_eq!(keyframe(&[0xa0, 5, 0b0000_0000, 9, 0]), Keyframe::Otherwise);
        // Without layers.
        assert_eq!(keyframe(&[0x88, 5, 0]), Keyframe::Starts);
    }

    #[test]
    fn references_of_the_flexible_mode_are_passed_over() {
        // I, P, L, F, B: two references, then the frame.
        let payload = [0xf8, 7, 0b0100_0010, 0b0000_0011, 0b0000_0100, 1];
        let descriptor = Descriptor::parse(&payload).unwrap();
        assert_eq!(ids(&payload), (Some(7), None));
        assert_eq!(descriptor.layer.map(|it| (it.spatial, it.temporal)), Some((1, 2)));
        assert_eq!(Descriptor::parse(&payload[..4]), None, "a reference is announced");
        // More references than there may be end with the third.
        assert!(Descriptor::parse(&[0xd8, 7, 1, 1, 1]).is_some());
    }
}
