//! What was negotiated for one peer, ready for the packet path: nothing here is text that must be parsed again.

use std::fmt;

/// A call, as a number that names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey(pub u32);

/// One browser's transport. Given by the shell, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub u32);

/// A source that a peer publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Microphone.
    Mic,
    /// Camera.
    Cam,
    /// Shared screen.
    Screen,
    /// Sound of the shared screen.
    ScreenAudio,
}

/// One published source of one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackKey {
    /// Who publishes.
    pub peer: PeerKey,
    /// What.
    pub source: Source,
}

/// RTP synchronization source (RFC 3550 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ssrc(pub u32);

/// RTP payload type (RFC 3550 §5.1), 7 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayloadType(pub u8);

/// `a=mid` (RFC 9143), at most 16 bytes: the header extension that carries it is short.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mid {
    len: u8,
    bytes: [u8; 16],
}

impl Mid {
    /// `None` if it is empty, longer than 16 bytes or not a token.
    pub fn new(text: &str) -> Option<Self> {
        let token =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+');
        if text.is_empty() || text.len() > 16 || !text.bytes().all(token) {
            return None;
        }
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        Some(Self { len: u8::try_from(text.len()).ok()?, bytes })
    }

    /// The token's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The token.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl fmt::Debug for Mid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The simulcast layers we take (`rid`, RFC 8851), the smallest first. A rid names its layer but not its size (RFC 8853 §5.2
/// orders by preference), so we take the names that our clients and others' share and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rid {
    /// `q`: a quarter of width and height.
    Quarter,
    /// `h`: half of them.
    Half,
    /// `f`: as captured.
    Full,
}

impl Rid {
    /// The smallest first.
    pub const ALL: [Self; 3] = [Self::Quarter, Self::Half, Self::Full];

    /// `None` if it is not one of ours.
    pub fn new(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rid| rid.as_str() == text)
    }

    /// As it stands in SDP and in packets.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quarter => "q",
            Self::Half => "h",
            Self::Full => "f",
        }
    }

    /// By how much its width and height are divided.
    pub fn scale(self) -> u16 {
        match self {
            Self::Quarter => 4,
            Self::Half => 2,
            Self::Full => 1,
        }
    }
}

/// Picture formats we forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// RFC 7741.
    Vp8,
    /// RFC 6184, constrained baseline in packetization mode 1.
    H264,
    /// RFC 9628, profile 0.
    Vp9,
    /// RTP Payload Format for AV1, profile 0.
    Av1,
}

impl Format {
    /// All.
    pub const ALL: [Self; 4] = [Self::Vp8, Self::H264, Self::Vp9, Self::Av1];

    /// Whether one stream of it can carry several sizes (SVC).
    pub fn is_scalable(self) -> bool {
        match self {
            Self::Vp8 | Self::H264 => false,
            Self::Vp9 | Self::Av1 => true,
        }
    }
}

/// Codec of what a peer publishes on an m-line, with its payload types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// RFC 7587.
    Opus {
        /// Payload type.
        pt: PayloadType,
        /// Of packets that carry several of its frames (RFC 2198), if negotiated.
        red: Option<PayloadType>,
    },
    /// A picture.
    Picture {
        /// How it is encoded.
        format: Format,
        /// Payload type.
        pt: PayloadType,
        /// Of its retransmissions (RFC 4588), if negotiated.
        rtx: Option<PayloadType>,
    },
}

/// What a slot can play or show, with the payload types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receives {
    /// Opus.
    Sound {
        /// Payload type.
        pt: PayloadType,
        /// Of packets that carry several of its frames (RFC 2198), if negotiated.
        red: Option<PayloadType>,
    },
    /// Pictures in these formats.
    Pictures(Formats),
}

/// The formats that a peer can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Formats {
    types: [Option<(PayloadType, Option<PayloadType>)>; Format::ALL.len()],
}

impl Formats {
    /// These, and one more: its payload type, and that of its retransmissions.
    #[must_use]
    pub fn with(mut self, format: Format, pt: PayloadType, rtx: Option<PayloadType>) -> Self {
        for (types, known) in self.types.iter_mut().zip(Format::ALL) {
            if known == format {
                *types = Some((pt, rtx));
            }
        }
        self
    }

    /// Each with its payload types, in the order of [`Format::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = Codec> {
        let each = self.types.iter().zip(Format::ALL);
        each.filter_map(|(types, format)| types.map(|(pt, rtx)| Codec::Picture { format, pt, rtx }))
    }
}

impl Receives {
    /// With which payload types it takes what is published so; `None` if it cannot.
    pub fn codec_for(&self, published: Codec) -> Option<Codec> {
        match (self, published) {
            (Self::Sound { pt, red }, Codec::Opus { .. }) => {
                Some(Codec::Opus { pt: *pt, red: *red })
            }
            (Self::Pictures(formats), Codec::Picture { format: published, .. }) => {
                formats.iter().find(
                    |codec| matches!(codec, Codec::Picture { format, .. } if *format == published),
                )
            }
            (Self::Sound { .. }, Codec::Picture { .. })
            | (Self::Pictures(_), Codec::Opus { .. }) => None,
        }
    }
}

/// Ids of the RTP header extensions (RFC 8285) of one m-line; `None` where not negotiated. One-byte form: 1 to 14.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtensionIds {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid`.
    pub mid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id`.
    pub rid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id`.
    pub repaired_rid: Option<u8>,
    /// `http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01`.
    pub transport_cc: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level` (RFC 6464).
    pub audio_level: Option<u8>,
    /// `https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension`.
    pub dependency: Option<u8>,
}

/// An m-line on which the peer publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishLine {
    /// Its mid.
    pub mid: Mid,
    /// What it carries.
    pub source: Source,
    /// How it is encoded.
    pub codec: Codec,
    /// Its header extensions.
    pub extensions: ExtensionIds,
    /// Its simulcast layers, the smallest first; empty if it sends one encoding without a name. Those of the first plan
    /// that names the line stay.
    pub rids: Vec<Rid>,
    /// Media SSRCs named by `a=ssrc`, in order of layers; may be empty (then mid or rid in a packet declares them).
    pub ssrcs: Vec<Ssrc>,
    /// (media, retransmission) pairs named by `a=ssrc-group:FID`.
    pub rtx_of: Vec<(Ssrc, Ssrc)>,
}

/// An m-line on which the peer receives: a slot, re-used for different tracks over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotLine {
    /// Its mid.
    pub mid: Mid,
    /// What it can play or show.
    pub receives: Receives,
    /// Its header extensions.
    pub extensions: ExtensionIds,
    /// Its SSRC, fixed for the life of the transport.
    pub ssrc: Ssrc,
    /// Of its retransmissions.
    pub rtx: Option<Ssrc>,
    /// First sequence number, random below 2^15 (RFC 3711 §3.3.1: the rollover counter must not be guessed wrong).
    pub first_sequence: u16,
    /// First RTP timestamp, random.
    pub first_timestamp: u32,
}

/// One peer's negotiation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What it sends.
    pub publish: Vec<PublishLine>,
    /// What it receives. An audio slot and a video slot with the same place in their order belong to one person.
    pub slots: Vec<SlotLine>,
}

/// ICE credentials of one side (RFC 8445 §5.3). Ours are made by the shell for each transport and restart.
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// Of ours at least 8 characters, at least 40 random bits; unique on its worker.
    pub ufrag: String,
    /// Of ours at least 24 characters.
    pub pwd: String,
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IceCredentials(..)")
    }
}

/// SHA-256 of the peer's certificate in DER, from its `a=fingerprint` (RFC 8122).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// Which SRTP profiles to offer in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SrtpAttempt {
    /// AEAD_AES_128_GCM alone: with a list, rtc-dtls takes the client's first, which in Chromium is the slow one.
    First,
    /// AEAD_AES_128_GCM, AEAD_AES_256_GCM, AES128_CM_SHA1_80: for browsers that failed the first.
    Fallback,
}
