//! Numbers that a picture's payload carries and that must continue for a subscriber over every change of the source: the
//! picture id (VP8, VP9), TL0PICIDX (both), the frame number of a dependency descriptor.

/// Where a payload's numbers stand, and their values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) picture: Option<PictureId>,
    /// Position and value of TL0PICIDX.
    pub(crate) tl0: Option<(u8, u8)>,
    /// Of the dependency descriptor, which travels beside the payload.
    pub(crate) frame: Option<u16>,
}

/// 7 or 15 bits behind a flag (RFC 7741 §4.2, RFC 9628 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PictureId {
    at: u8,
    pub(crate) value: u16,
    width: Width,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Seven,
    Fifteen,
}

impl PictureId {
    /// The one at this place; `None` if the payload ends before.
    pub(crate) fn read(payload: &[u8], at: usize) -> Option<Self> {
        let high = payload.get(at).copied()?;
        let (value, width) = if high & 0x80 == 0 {
            (u16::from(high), Width::Seven)
        } else {
            let low = payload.get(at + 1).copied()?;
            (u16::from_be_bytes([high & 0x7f, low]), Width::Fifteen)
        };
        Some(Self { at: u8::try_from(at).ok()?, value, width })
    }

    /// Its length in bytes.
    pub(crate) fn bytes(self) -> usize {
        match self.width {
            Width::Seven => 1,
            Width::Fifteen => 2,
        }
    }

    /// All bits that it has.
    pub(crate) fn mask(self) -> u16 {
        match self.width {
            Width::Seven => 0x7f,
            Width::Fifteen => 0x7fff,
        }
    }

    fn with(self, offsets: Offsets) -> u16 {
        self.value.wrapping_add(offsets.picture) & self.mask()
    }
}

/// Keeps the numbers continuous for one subscriber over changes of the source.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Continuity {
    offsets: Offsets,
    last_picture: Option<u16>,
    last_tl0: Option<u8>,
    last_frame: Option<u16>,
}

/// What to add to a source's numbers. A packet sent again needs those of the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offsets {
    picture: u16,
    pub(crate) frame: u16,
    tl0: u8,
}

impl Continuity {
    /// The next packet is the first of another source.
    pub(crate) fn switch(&mut self, first: &Ids) {
        if let (Some(id), Some(last)) = (first.picture, self.last_picture) {
            self.offsets.picture = last.wrapping_add(1).wrapping_sub(id.value);
        }
        if let (Some((_, value)), Some(last)) = (first.tl0, self.last_tl0) {
            self.offsets.tl0 = last.wrapping_add(1).wrapping_sub(value);
        }
        if let (Some(number), Some(last)) = (first.frame, self.last_frame) {
            self.offsets.frame = last.wrapping_add(1).wrapping_sub(number);
        }
    }

    /// Notes a packet that goes out; what its numbers are rewritten with.
    pub(crate) fn forward(&mut self, ids: &Ids) -> Offsets {
        // A late packet must not turn a counter back.
        if let Some(id) = ids.picture {
            let value = id.with(self.offsets);
            let ahead = value.wrapping_sub(self.last_picture.unwrap_or(value)) & id.mask();
            if ahead <= id.mask() / 2 {
                self.last_picture = Some(value);
            }
        }
        if let Some((_, value)) = ids.tl0 {
            let value = value.wrapping_add(self.offsets.tl0);
            if value.wrapping_sub(self.last_tl0.unwrap_or(value)) < 0x80 {
                self.last_tl0 = Some(value);
            }
        }
        if let Some(number) = ids.frame {
            let number = number.wrapping_add(self.offsets.frame);
            if number.wrapping_sub(self.last_frame.unwrap_or(number)) < 0x8000 {
                self.last_frame = Some(number);
            }
        }
        self.offsets
    }
}

impl Offsets {
    /// Rewrites the numbers in `payload`, which has them where `ids` says.
    pub(crate) fn apply(self, ids: &Ids, payload: &mut [u8]) {
        if let Some(id) = ids.picture {
            let [high, low] = id.with(self).to_be_bytes();
            let at = usize::from(id.at);
            match id.width {
                Width::Seven => {
                    if let Some(byte) = payload.get_mut(at) {
                        *byte = low;
                    }
                }
                Width::Fifteen => {
                    if let Some([first, second, ..]) = payload.get_mut(at..) {
                        *first = high | 0x80;
                        *second = low;
                    }
                }
            }
        }
        if let Some((at, value)) = ids.tl0
            && let Some(byte) = payload.get_mut(usize::from(at))
        {
            *byte = value.wrapping_add(self.tl0);
        }
    }
}
