//! What the control side asks of a worker. Each is applied between two batches of packets: atomic for the packet path.

use crate::plan::{
    CallKey, Fingerprint, IceCredentials, Mid, PeerKey, Plan, Source, SrtpAttempt, TrackKey,
};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A transport to expect. Nothing is sent to it before an authenticated STUN check.
    Join {
        /// Its call. Nothing ever crosses calls.
        call: CallKey,
        /// Its key, new.
        peer: PeerKey,
        /// Our ICE credentials for it.
        ice: IceCredentials,
        /// Its own, for checks that we send.
        theirs: IceCredentials,
        /// Of the certificate it must present.
        fingerprint: Fingerprint,
        /// SRTP profiles to offer.
        srtp: SrtpAttempt,
        /// What was negotiated.
        plan: Plan,
    },
    /// New ICE credentials for a transport (ICE restart); the old ones stay valid until the new path is nominated plus
    /// 5 s, at most 20 s. The plan may have grown; slots and SSRCs that existed are the same.
    Restart {
        /// Which.
        peer: PeerKey,
        /// The new credentials.
        ice: IceCredentials,
        /// Its own new ones.
        theirs: IceCredentials,
        /// The plan now.
        plan: Plan,
    },
    /// Who may receive a track. Empty until said: a waiting peer can connect and receives not one media packet.
    /// Carries admission, role, consent. Effective on the next packet.
    Audience {
        /// Which track.
        track: TrackKey,
        /// Peers of the same call; others are ignored.
        peers: Vec<PeerKey>,
    },
    /// A subscriber's wishes for its video slots.
    Want {
        /// Whose.
        peer: PeerKey,
        /// One entry for each slot whose wish changed.
        slots: Vec<Wish>,
    },
    /// Do not forward a track, whatever its publisher sends.
    Mute {
        /// Which.
        track: TrackKey,
        /// Muted or not.
        muted: Muted,
    },
    /// Forget a transport. Answered by `Event::Left`, after which nothing is sent to it or taken from it.
    Leave {
        /// Which.
        peer: PeerKey,
    },
}

/// A wish for one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The slot.
    pub mid: Mid,
    /// Height in device pixels; 0 pauses it.
    pub max_height: u16,
    /// 0 to 3: who is shown first when the line does not carry everybody. 3 is pinned, beside the active speaker.
    pub priority: u8,
}

/// Whether a track is muted by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Muted {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// The sources in order, for tables.
pub const SOURCES: [Source; 4] = [Source::Mic, Source::Cam, Source::Screen, Source::ScreenAudio];
