//! Redundant audio (RFC 2198): a packet that also carries frames before its own. What a publisher sends so is taken apart
//! at once, which repairs its losses; what a subscriber on a lossy line gets is put together for it alone.

use crate::bytes::Writer;
use crate::plan::PayloadType;

/// Earlier frames that are looked at. libwebrtc sends one, at most nine.
const MAX_EARLIER: usize = 9;

/// 14 bits (RFC 2198 §3).
const MAX_OFFSET: u32 = (1 << 14) - 1;
/// 10 bits.
const MAX_FRAME_BYTES: usize = (1 << 10) - 1;

/// Of an earlier frame.
const HEADER_BYTES: usize = 4;
/// Of the packet's own frame.
const LAST_HEADER_BYTES: usize = 1;

/// An earlier frame in a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    /// How much older than the packet's own frame, in units of the RTP clock.
    pub(crate) offset: u32,
    pub(crate) frame: &'a [u8],
}

/// The frames of one packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frames<'a> {
    /// The newest first: that of the number before, that of two before…
    earlier: [Block<'a>; MAX_EARLIER],
    count: usize,
    own: &'a [u8],
}

impl<'a> Frames<'a> {
    pub(crate) fn new(own: &'a [u8]) -> Self {
        Self { earlier: [Block::default(); _], count: 0, own }
    }

    /// Takes a payload apart. `None` if it is malformed or carries another codec than `pt`.
    pub(crate) fn parse(payload: &'a [u8], pt: PayloadType) -> Option<Self> {
        let mut headers = [(0_u32, 0_usize); MAX_EARLIER];
        let mut count = 0;
        let mut rest = payload;
        loop {
            let (&first, after) = rest.split_first()?;
            if PayloadType(first & 0x7f) != pt {
                return None;
            }
            if first & 0x80 == 0 {
                rest = after;
                break;
            }
            let (&[a, b, c], after) = after.split_first_chunk::<3>()?;
            let offset = u32::from(a) << 6 | u32::from(b >> 2);
            let len = usize::from(b & 3) << 8 | usize::from(c);
            *headers.get_mut(count)? = (offset, len);
            count += 1;
            rest = after;
        }
        let mut frames = Self::new(&[]);
        frames.count = count;
        // On the wire the oldest stands first.
        let places = frames.earlier.iter_mut().take(count).rev();
        for (place, (offset, len)) in places.zip(headers) {
            let (frame, after) = rest.split_at_checked(len)?;
            *place = Block { offset, frame };
            rest = after;
        }
        frames.own = rest;
        Some(frames)
    }

    /// The frame that the packet's numbers are of.
    pub(crate) fn own(&self) -> &'a [u8] {
        self.own
    }

    /// The newest first.
    pub(crate) fn earlier(&self) -> &[Block<'a>] {
        self.earlier.get(..self.count).unwrap_or_default()
    }

    /// Adds a frame older than all of them, if a header can describe it and the payload stays within `room`.
    pub(crate) fn add_earlier(&mut self, block: Block<'a>, room: usize) {
        let is_newer = self.earlier().last().is_some_and(|last| last.offset >= block.offset);
        let fits = (1..=MAX_OFFSET).contains(&block.offset)
            && (1..=MAX_FRAME_BYTES).contains(&block.frame.len())
            && self.len() + HEADER_BYTES + block.frame.len() <= room;
        if fits
            && !is_newer
            && let Some(place) = self.earlier.get_mut(self.count)
        {
            *place = block;
            self.count += 1;
        }
    }

    /// Bytes of the payload.
    pub(crate) fn len(&self) -> usize {
        let earlier = self.earlier().iter().map(|block| HEADER_BYTES + block.frame.len());
        earlier.sum::<usize>() + LAST_HEADER_BYTES + self.own.len()
    }

    /// Puts the payload together. `None` if there is no room.
    pub(crate) fn write(&self, writer: &mut Writer<'_>, pt: PayloadType) -> Option<()> {
        for block in self.earlier().iter().rev() {
            let len = u32::try_from(block.frame.len()).ok()?;
            let [_, a, b, c] = (block.offset << 10 | len).to_be_bytes();
            writer.put(&[0x80 | pt.0, a, b, c])?;
        }
        writer.put(&[pt.0])?;
        for block in self.earlier().iter().rev() {
            writer.put(block.frame)?;
        }
        writer.put(self.own)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPUS: PayloadType = PayloadType(111);

    /// `earlier` with the newest first.
    fn written(earlier: &[(u32, Vec<u8>)], own: &[u8], room: usize) -> Vec<u8> {
        let mut frames = Frames::new(own);
        for (offset, frame) in earlier {
            frames.add_earlier(Block { offset: *offset, frame }, room);
        }
        let mut buffer = [0; 8_192];
        let mut writer = Writer::new(&mut buffer);
        frames.write(&mut writer, OPUS).unwrap();
        let len = writer.len();
        assert_eq!(len, frames.len());
        buffer[..len].to_vec()
    }

    type Parsed = (Vec<(u32, Vec<u8>)>, Vec<u8>);

    fn parsed(payload: &[u8]) -> Option<Parsed> {
        let frames = Frames::parse(payload, OPUS)?;
        let earlier = frames.earlier().iter().map(|block| (block.offset, block.frame.to_vec()));
        Some((earlier.collect(), frames.own().to_vec()))
    }

    #[test]
    fn the_layout_is_that_of_rfc_2198() {
        let payload = written(&[(960, vec![1, 2, 3])], &[9], 1_200);
        // F and payload type, 14 bits of offset, 10 bits of length; last header; frames, oldest first.
        assert_eq!(payload, [0x80 | 111, 0x0f, 0x00, 3, 111, 1, 2, 3, 9]);
        assert_eq!(parsed(&payload), Some((vec![(960, vec![1, 2, 3])], vec![9])));

        let payload = written(&[(960, vec![7]), (1_920, vec![8])], &[9], 1_200);
        assert_eq!(payload[payload.len() - 3..], [8, 7, 9]);
    }

    #[test]
    fn another_codec_and_a_cut_packet_are_refused() {
        let payload = written(&[(960, vec![2; 50]), (1_920, vec![1; 40])], &[3; 60], 1_200);
        assert_eq!(parsed(&payload).unwrap().0.len(), 2);
        for cut in 0..9 + 90 {
            assert_eq!(parsed(&payload[..cut]), None, "{cut}");
        }
        assert!(Frames::parse(&payload, PayloadType(96)).is_none());
        let ten_earlier = [[0x80 | 111, 0, 4, 0]; 10].concat();
        assert_eq!(parsed(&[&ten_earlier[..], &[111, 7]].concat()), None);
    }

    #[test]
    fn what_a_header_cannot_describe_or_a_packet_cannot_carry_is_left_out() {
        let earlier = [
            (240, vec![4]),
            (100, vec![1]),
            (480, vec![]),
            (960, vec![2; 1_024]),
            (16_384, vec![1]),
        ];
        assert_eq!(parsed(&written(&earlier, &[5], 9_000)), Some((vec![(240, vec![4])], vec![5])));

        let large = [(960, vec![1; 500]), (1_920, vec![2; 600]), (2_880, vec![3; 100])];
        let payload = written(&large, &[5; 200], 1_000);
        assert!(payload.len() <= 1_000);
        let offsets: Vec<_> =
            parsed(&payload).unwrap().0.iter().map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, [960, 2_880]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            _ = parsed(&payload);
        }

        #[test]
        fn nor_do_bytes_that_look_like_ours(
            mut payload in proptest::collection::vec(any::<u8>(), 1..200),
            headers in 0_usize..12,
        ) {
            for at in (0..headers).map(|at| at * 4) {
                if let Some(byte) = payload.get_mut(at) {
                    *byte = 0x80 | 111;
                }
            }
            if let Some(byte) = payload.get_mut(headers * 4) {
                *byte = 111;
            }
            if let Some((earlier, own)) = parsed(&payload) {
                let all = earlier.iter().map(|(_, frame)| frame.len()).sum::<usize>() + own.len();
                prop_assert_eq!(all + 4 * earlier.len() + 1, payload.len());
            }
        }

        #[test]
        fn what_is_put_together_comes_apart(
            frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..5),
            own in proptest::collection::vec(any::<u8>(), 1..300),
            step in 1_u32..4_000,
        ) {
            let earlier: Vec<_> = (1..).map(|at| at * step).zip(frames).collect();
            let payload = written(&earlier, &own, 8_000);
            prop_assert_eq!(parsed(&payload), Some((earlier, own)));
        }
    }
}
