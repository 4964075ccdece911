//! Planted faults: each spoils what goes in or comes out of the relay in one way, to see that the watch finds it.

use std::collections::BTreeMap;

use sfu::plan::{PeerKey, Ssrc};

use crate::packet::{OPUS, RTX, Rtp, Tag, VP8, Vp8};
use crate::watch::Invariant;

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The keyframe with which a picture begins is left out.
    SkippedKeyframe,
    /// A sequence number is used a second time.
    RepeatedSequence,
    /// A number is left out at a switch.
    GapAtSwitch,
    /// Somebody who left is still sent to.
    ForgottenLeave,
    /// A decision about the audience is carried out half a second late.
    LateAudience,
    /// A mute is not carried out.
    StaleMute,
    /// A retransmission carries another packet than the one asked for.
    StaleCache,
    /// A retransmission is sent twice.
    DuplicateResend,
    /// A timestamp steps back.
    TimestampBack,
    /// A picture id steps back.
    PictureIdBack,
    /// Each keyframe request becomes many.
    UnmergedKeyframeRequests,
    /// Packets go to an address that nobody checked.
    WrongAddress,
    /// Pictures stop for one subscriber and nobody notices.
    FrozenPicture,
    /// The relay never hears of a leave.
    LostLeave,
}

impl Fault {
    /// All.
    pub const ALL: [Self; 14] = [
        Self::SkippedKeyframe,
        Self::RepeatedSequence,
        Self::GapAtSwitch,
        Self::ForgottenLeave,
        Self::LateAudience,
        Self::StaleMute,
        Self::StaleCache,
        Self::DuplicateResend,
        Self::TimestampBack,
        Self::PictureIdBack,
        Self::UnmergedKeyframeRequests,
        Self::WrongAddress,
        Self::FrozenPicture,
        Self::LostLeave,
    ];
}

impl Fault {
    /// What it breaks, whichever is met first.
    pub fn breaks(self) -> &'static [Invariant] {
        match self {
            Self::SkippedKeyframe => &[Invariant::Keyframe],
            Self::RepeatedSequence => &[Invariant::Index],
            Self::GapAtSwitch => &[Invariant::Contiguous],
            Self::ForgottenLeave | Self::LateAudience | Self::StaleMute => &[Invariant::Audience],
            Self::StaleCache | Self::DuplicateResend => &[Invariant::Retransmission],
            Self::TimestampBack => &[Invariant::Timestamps],
            Self::PictureIdBack => &[Invariant::PictureIds],
            Self::UnmergedKeyframeRequests => &[Invariant::KeyframeRequests],
            Self::WrongAddress => &[Invariant::Consent],
            Self::FrozenPicture => &[Invariant::Recovery],
            Self::LostLeave => &[Invariant::Audience, Invariant::Memory],
        }
    }
}

/// Carries out a fault on packets in plaintext.
#[derive(Debug, Default)]
pub struct Spoiler {
    /// Which, if any.
    pub fault: Option<Fault>,
    seen: u64,
    /// Slots whose first keyframe was left out.
    skipped: BTreeMap<(PeerKey, Ssrc), (u32, u32)>,
    extra: BTreeMap<(PeerKey, Ssrc), u16>,
    last_publisher: BTreeMap<(PeerKey, Ssrc), u32>,
    last_repair: Option<Vec<u8>>,
}

impl Spoiler {
    /// With a fault, or none.
    pub fn new(fault: Option<Fault>) -> Self {
        Self { fault, ..Self::default() }
    }

    /// What a datagram to a peer becomes.
    pub fn spoil(&mut self, peer: PeerKey, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let Some(fault) = self.fault else { return vec![bytes] };
        if bytes[0] < 128 {
            return vec![bytes];
        }
        if (192..224).contains(&bytes[1]) {
            let asks = crate::packet::compound(&bytes).any(|it| it.picture_loss().is_some());
            let copies = if fault == Fault::UnmergedKeyframeRequests && asks { 8 } else { 1 };
            return vec![bytes; copies];
        }
        self.seen += 1;
        self.spoil_media(fault, peer, bytes)
    }

    fn spoil_media(&mut self, fault: Fault, peer: PeerKey, mut bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let packet = Rtp(&bytes);
        let (pt, sequence) = (packet.pt(), packet.sequence());
        let key = (peer, packet.ssrc());
        let tag = Tag::of(pt, packet.payload());
        let now_and_then = self.seen % 500 == 499;
        match fault {
            Fault::SkippedKeyframe if pt == VP8 => {
                let Some(tag) = tag else { return vec![bytes] };
                let frame = (tag.publisher, tag.frame);
                let first = *self.skipped.entry(key).or_insert(frame);
                let left_out = self.extra.entry(key).or_default();
                if frame == first {
                    *left_out += 1;
                    return Vec::new();
                }
                set_u16(&mut bytes, 2, sequence.wrapping_sub(*left_out));
            }
            Fault::RepeatedSequence if now_and_then && pt != RTX => {
                set_u16(&mut bytes, 2, sequence.wrapping_sub(1));
            }
            Fault::GapAtSwitch if pt != RTX => {
                let publisher = tag.map_or(0, |tag| tag.publisher);
                let before = self.last_publisher.insert(key, publisher);
                let extra = self.extra.entry(key).or_default();
                *extra += u16::from(before.is_some_and(|before| before != publisher));
                set_u16(&mut bytes, 2, sequence.wrapping_add(*extra));
            }
            Fault::StaleCache if pt == RTX && packet.payload().len() > 2 => {
                let original = packet.payload()[..2].to_vec();
                let before = self.last_repair.replace(packet.payload()[2..].to_vec());
                if let Some(before) = before {
                    bytes.truncate(packet.header_len());
                    bytes.extend(original);
                    bytes.extend(before);
                }
            }
            Fault::DuplicateResend if pt == RTX => {
                let extra = self.extra.entry(key).or_default();
                set_u16(&mut bytes, 2, sequence.wrapping_add(*extra));
                *extra += 1;
                let mut again = bytes.clone();
                set_u16(&mut again, 2, sequence.wrapping_add(*extra));
                return vec![bytes, again];
            }
            Fault::TimestampBack if now_and_then && pt == OPUS => {
                let back = packet.timestamp().wrapping_sub(90_000);
                bytes[4..8].copy_from_slice(&back.to_be_bytes());
            }
            Fault::PictureIdBack if self.seen > 400 && pt == VP8 => {
                if let Some(vp8) = Vp8::read(packet.payload()) {
                    let at = packet.header_len() + 2;
                    set_u16(&mut bytes, at, 0x8000 | vp8.picture_id.wrapping_sub(400));
                    self.fault = None;
                }
            }
            Fault::FrozenPicture if peer == PeerKey(0) && pt != OPUS && self.seen > 800 => {
                return Vec::new();
            }
            Fault::SkippedKeyframe
            | Fault::RepeatedSequence
            | Fault::GapAtSwitch
            | Fault::ForgottenLeave
            | Fault::LateAudience
            | Fault::StaleMute
            | Fault::StaleCache
            | Fault::DuplicateResend
            | Fault::TimestampBack
            | Fault::PictureIdBack
            | Fault::UnmergedKeyframeRequests
            | Fault::WrongAddress
            | Fault::FrozenPicture
            | Fault::LostLeave => {}
        }
        vec![bytes]
    }
}

fn set_u16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}
