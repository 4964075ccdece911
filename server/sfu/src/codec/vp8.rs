//! VP8 payload descriptor (RFC 7741 §4.2). Only its clear first bytes are read, so that encrypted payloads pass too.

/// What the descriptor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// Whether a decoder can begin with this packet.
    pub(crate) keyframe: Keyframe,
    picture_id: Option<PictureId>,
    /// Position and value of TL0PICIDX.
    tl0: Option<(usize, u8)>,
    /// Its own length in bytes: where the frame begins.
    len: usize,
}

/// Whether a packet begins a keyframe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyframe {
    Starts,
    Otherwise,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PictureId {
    at: usize,
    value: u16,
    width: Width,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Seven,
    Fifteen,
}

impl Descriptor {
    /// `None` if the payload ends inside its descriptor.
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let byte = |at: usize| payload.get(at).copied();
        let first = byte(0)?;
        let mut at = 1;
        let mut picture_id = None;
        let mut tl0 = None;
        if first & 0x80 != 0 {
            let flags = byte(at)?;
            at += 1;
            if flags & 0x80 != 0 {
                let high = byte(at)?;
                let (value, width) = if high & 0x80 == 0 {
                    (u16::from(high), Width::Seven)
                } else {
                    (u16::from_be_bytes([high & 0x7f, byte(at + 1)?]), Width::Fifteen)
                };
                picture_id = Some(PictureId { at, value, width });
                at += width.bytes();
            }
            if flags & 0x40 != 0 {
                tl0 = Some((at, byte(at)?));
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
        Some(Self { keyframe, picture_id, tl0, len: at })
    }

    /// Height in pixels as the header of a keyframe tells it (RFC 6386 §9.1: three bytes of tag, three of start code, width,
    /// height, each of 14 bits). `payload` is that which was parsed.
    pub(crate) fn picture_height(&self, payload: &[u8]) -> Option<u16> {
        const START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];
        if self.keyframe != Keyframe::Starts {
            return None;
        }
        let &[_, _, _, a, b, c, _, _, low, high] = payload.get(self.len..)?.first_chunk()?;
        let height = u16::from_le_bytes([low, high]) & 0x3fff;
        ([a, b, c] == START_CODE && height > 0).then_some(height)
    }
}

impl Width {
    fn bytes(self) -> usize {
        match self {
            Self::Seven => 1,
            Self::Fifteen => 2,
        }
    }

    fn mask(self) -> u16 {
        match self {
            Self::Seven => 0x7f,
            Self::Fifteen => 0x7fff,
        }
    }
}

/// Keeps picture id and TL0PICIDX continuous for one subscriber over changes of the source.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Continuity {
    offsets: Offsets,
    last_picture: Option<u16>,
    last_tl0: Option<u8>,
}

/// What to add to a source's picture id and TL0PICIDX. A packet sent again needs those of the first time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Offsets {
    picture: u16,
    tl0: u8,
}

impl Continuity {
    /// The next packet is the first of another source.
    pub(crate) fn switch(&mut self, first: &Descriptor) {
        if let (Some(id), Some(last)) = (first.picture_id, self.last_picture) {
            self.offsets.picture = last.wrapping_add(1).wrapping_sub(id.value);
        }
        if let (Some((_, value)), Some(last)) = (first.tl0, self.last_tl0) {
            self.offsets.tl0 = last.wrapping_add(1).wrapping_sub(value);
        }
    }

    /// Notes a packet that goes out; what its descriptor is rewritten with.
    pub(crate) fn forward(&mut self, descriptor: &Descriptor) -> Offsets {
        // A late packet must not turn a counter back.
        if let Some(id) = descriptor.picture_id {
            let value = id.with(self.offsets);
            let ahead = value.wrapping_sub(self.last_picture.unwrap_or(value)) & id.width.mask();
            if ahead <= id.width.mask() / 2 {
                self.last_picture = Some(value);
            }
        }
        if let Some((_, value)) = descriptor.tl0 {
            let value = value.wrapping_add(self.offsets.tl0);
            if value.wrapping_sub(self.last_tl0.unwrap_or(value)) < 0x80 {
                self.last_tl0 = Some(value);
            }
        }
        self.offsets
    }
}

impl PictureId {
    fn with(self, offsets: Offsets) -> u16 {
        self.value.wrapping_add(offsets.picture) & self.width.mask()
    }
}

impl Offsets {
    /// Rewrites the descriptor at the start of `payload`.
    pub(crate) fn apply(self, descriptor: &Descriptor, payload: &mut [u8]) {
        if let Some(id) = descriptor.picture_id {
            let [high, low] = id.with(self).to_be_bytes();
            match id.width {
                Width::Seven => {
                    if let Some(byte) = payload.get_mut(id.at) {
                        *byte = low;
                    }
                }
                Width::Fifteen => {
                    if let Some([first, second, ..]) = payload.get_mut(id.at..) {
                        *first = high | 0x80;
                        *second = low;
                    }
                }
            }
        }
        if let Some((at, value)) = descriptor.tl0
            && let Some(byte) = payload.get_mut(at)
        {
            *byte = value.wrapping_add(self.tl0);
        }
    }
}

#[cfg(test)]
mod tests {
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
                continuity.switch(&descriptor);
            }
            continuity.forward(&descriptor).apply(&descriptor, &mut bytes);
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
