//! One published source and its layers.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::cache::{Arrival, Cache, Pool};
use crate::command::Muted;
use crate::keyframe::KeyframeRequests;
use crate::limits::{
    CACHE_PACKETS_AUDIO, CACHE_PACKETS_VIDEO, KEYFRAME_INTERVAL, KEYFRAME_INTERVAL_SCREEN,
    MAX_LAYERS, NACK_GIVE_UP, NACK_GIVE_UP_SCREEN,
};
use crate::nack::Missing;
use crate::plan::{CallKey, Codec, Mid, PayloadType, PeerKey, Source, Ssrc, TrackKey};
use crate::speaker::Level;
use crate::srtp::ReplayWindow;
use crate::time::NtpTime;

pub(crate) struct Track {
    pub(crate) key: TrackKey,
    pub(crate) call: CallKey,
    /// Index of its peer.
    pub(crate) publisher: usize,
    pub(crate) codec: Codec,
    /// Who may receive it, as the control side said; who of them is here is another matter.
    pub(crate) audience: BTreeSet<PeerKey>,
    pub(crate) muted: Muted,
    /// In order of size, the smallest first; at least one.
    pub(crate) layers: Vec<Layer>,
    /// Indices of the peers that have it in a slot: compiled from audience and seats.
    pub(crate) subscribers: Vec<usize>,
    pub(crate) level: Level,
    pub(crate) activity: Activity,
    /// The packet with which it came up, until its routes are compiled: its first subscribers begin there.
    pub(crate) fresh: Option<Arrival>,
}

/// Whether packets of a track come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// None has come yet.
    Never,
    Up {
        last: Instant,
    },
    /// Some came, then none for a while.
    Down,
}

/// One encoding of a track.
pub(crate) struct Layer {
    /// Of the media, once it is known.
    pub(crate) ssrc: Option<Ssrc>,
    pub(crate) rid: Option<Mid>,
    /// Media packets that came, by their own SSRC or restored by RTX.
    pub(crate) received: ReplayWindow,
    pub(crate) cache: Cache,
    /// The newest packet that begins a keyframe.
    pub(crate) keyframe: Option<Arrival>,
    pub(crate) missing: Missing,
    pub(crate) keyframes: KeyframeRequests,
    /// The publisher's clock against its RTP timestamps.
    pub(crate) sender_report: Option<(NtpTime, u32)>,
}

impl Track {
    pub(crate) fn new(key: TrackKey, call: CallKey, publisher: usize, codec: Codec) -> Self {
        Self {
            key,
            call,
            publisher,
            codec,
            audience: BTreeSet::new(),
            muted: Muted::No,
            layers: vec![Layer::new(key.source, codec)],
            subscribers: Vec::new(),
            level: Level::default(),
            activity: Activity::Never,
            fresh: None,
        }
    }

    /// The layer that a new media SSRC carries; `None` if there are too many. Without rids there is one layer, and a new
    /// SSRC takes it over.
    pub(crate) fn layer_for(&mut self, rid: Option<Mid>) -> Option<usize> {
        if rid.is_none() {
            return Some(0);
        }
        if let Some(at) = self.layers.iter().position(|layer| layer.rid == rid) {
            return Some(at);
        }
        if let Some(first) = self.layers.first_mut()
            && first.rid.is_none()
            && first.ssrc.is_none()
        {
            first.rid = rid;
            return Some(0);
        }
        self.layer(self.layers.len())?.rid = rid;
        Some(self.layers.len() - 1)
    }

    /// The layer in this place, made if it is the next.
    pub(crate) fn layer(&mut self, at: usize) -> Option<&mut Layer> {
        if at == self.layers.len() && at < MAX_LAYERS {
            self.layers.push(Layer::new(self.key.source, self.codec));
        }
        self.layers.get_mut(at)
    }

    /// Marks it as heard; what it was before.
    pub(crate) fn heard(&mut self, now: Instant) -> Activity {
        std::mem::replace(&mut self.activity, Activity::Up { last: now })
    }

    pub(crate) fn clear(&mut self, pool: &mut Pool) {
        for layer in &mut self.layers {
            layer.cache.clear(pool);
        }
    }
}

impl Layer {
    fn new(source: Source, codec: Codec) -> Self {
        let capacity = match codec {
            Codec::Opus { .. } => CACHE_PACKETS_AUDIO,
            Codec::Vp8 { .. } => CACHE_PACKETS_VIDEO,
        };
        let (interval, give_up) = match source {
            Source::Screen => (KEYFRAME_INTERVAL_SCREEN, NACK_GIVE_UP_SCREEN),
            Source::Mic | Source::Cam | Source::ScreenAudio => (KEYFRAME_INTERVAL, NACK_GIVE_UP),
        };
        Self {
            ssrc: None,
            rid: None,
            received: ReplayWindow::default(),
            cache: Cache::new(capacity),
            keyframe: None,
            missing: Missing::new(give_up),
            keyframes: KeyframeRequests::new(interval),
            sender_report: None,
        }
    }

    /// Another SSRC carries it from now on, with numbers of its own.
    pub(crate) fn restart(&mut self, ssrc: Ssrc) {
        self.ssrc = Some(ssrc);
        self.received = ReplayWindow::default();
        self.missing.clear();
        self.keyframe = None;
        self.sender_report = None;
    }

    /// Where a new subscriber begins: with what comes next, never with what came before it was allowed or wanted; only a
    /// track that has just come up is there from its first packet.
    pub(crate) fn entry(&self, codec: Codec, fresh: Option<Arrival>) -> (Arrival, Entry) {
        let cursor = fresh.unwrap_or_else(|| self.cache.head()).max(self.cache.tail());
        let entry = match codec {
            Codec::Opus { .. } => Entry::Ready,
            Codec::Vp8 { .. } if self.keyframe.is_some_and(|arrival| arrival >= cursor) => {
                Entry::Ready
            }
            Codec::Vp8 { .. } => Entry::NeedsKeyframe,
        };
        (cursor, entry)
    }
}

/// Whether a subscriber can begin with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Ready,
    NeedsKeyframe,
}

/// RTP clock of a codec in Hz (RFC 7587 §4.1, RFC 7741 §4.1).
pub(crate) fn clock_rate(codec: Codec) -> u32 {
    match codec {
        Codec::Opus { .. } => 48_000,
        Codec::Vp8 { .. } => 90_000,
    }
}

/// Payload types of media and retransmission.
pub(crate) fn payload_types(codec: Codec) -> (PayloadType, Option<PayloadType>) {
    match codec {
        Codec::Opus { pt } => (pt, None),
        Codec::Vp8 { pt, rtx } => (pt, rtx),
    }
}
