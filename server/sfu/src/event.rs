//! What a worker tells the control side.

use crate::plan::{CallKey, Mid, PeerKey, Rid, TrackKey};

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The DTLS handshake is done and media may flow.
    Connected {
        /// Whose.
        peer: PeerKey,
        /// Which protection was agreed.
        profile: SrtpProfile,
    },
    /// The first packet of a track authenticated.
    TrackUp {
        /// Which.
        track: TrackKey,
    },
    /// A track that somebody watches has been silent for 2 s (muted, or its line is gone).
    TrackDown {
        /// Which.
        track: TrackKey,
    },
    /// Which layers of a simulcast track are to be sent from now on: all before it is first said. A layer that nobody has
    /// needed for 1 s is left out; one that somebody needs is back at once.
    LayerDemand {
        /// Which track.
        track: TrackKey,
        /// The layers, the smallest first; none if nobody watches.
        rids: Vec<Rid>,
    },
    /// A slot carries something else now.
    Slot {
        /// Whose slot.
        peer: PeerKey,
        /// Which.
        mid: Mid,
        /// What; `None` if nothing.
        track: Option<TrackKey>,
        /// RTP timestamp of its first packet of this track; `None` while nothing of it was sent.
        from_rtp_timestamp: Option<u32>,
    },
    /// A picture that a slot carries is held back; the publisher goes on.
    VideoPaused {
        /// Whose slot.
        peer: PeerKey,
        /// Which.
        mid: Mid,
        /// Why.
        reason: PauseReason,
    },
    /// It may flow again, or the slot carries nothing any more.
    VideoResumed {
        /// Whose slot.
        peer: PeerKey,
        /// Which.
        mid: Mid,
    },
    /// The active speaker changed.
    Speaker {
        /// In which call.
        call: CallKey,
        /// Who; `None` in silence.
        peer: Option<PeerKey>,
    },
    /// Nothing authentic has come from a peer for 2 s, or 6 s if it sends no media (`Quiet`), or something came again (`Heard`).
    Liveness {
        /// Whose.
        peer: PeerKey,
        /// Which.
        state: Liveness,
    },
    /// How much of what a peer sends and is sent is lost, when the steps change. Before any repair.
    Losses {
        /// Whose.
        peer: PeerKey,
        /// Of what it sends.
        from: Loss,
        /// Of what it is sent, as it reports.
        to: Loss,
    },
    /// The transport ended by itself.
    Closed {
        /// Whose.
        peer: PeerKey,
        /// Why.
        reason: CloseReason,
    },
    /// Answer to `Leave`: nothing more is sent to it.
    Left {
        /// Whose.
        peer: PeerKey,
    },
}

/// Whether a peer is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It is.
    Heard,
    /// It is not.
    Quiet,
}

/// Loss in steps that people can tell apart: about this share of packets is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Less than about 5 %: repaired, nobody notices.
    #[default]
    Little,
    /// 5 %.
    Five,
    /// 10 %: sound begins to suffer.
    Ten,
    /// 20 %.
    Twenty,
    /// 30 %.
    Thirty,
}

/// Why a picture is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseReason {
    /// The subscriber's line does not carry it beside what comes first: voices always do.
    Bandwidth,
    /// The subscriber did not negotiate the format in which it is sent.
    Format,
}

/// SRTP protection profiles (RFC 7714, RFC 3711).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SrtpProfile {
    /// AEAD_AES_128_GCM.
    AeadAes128Gcm,
    /// AEAD_AES_256_GCM.
    AeadAes256Gcm,
    /// AES128_CM_HMAC_SHA1_80.
    Aes128CmSha1_80,
}

/// Why a transport ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The certificate is not the one of the offer.
    DtlsFingerprint,
    /// No common SRTP profile.
    DtlsSrtpProfile,
    /// The handshake failed otherwise.
    DtlsFailed,
    /// No handshake within 30 s.
    DtlsTimeout,
    /// No valid check for 30 s (RFC 7675).
    ConsentExpired,
    /// Too many of something.
    Limit,
}
