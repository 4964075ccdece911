//! One published source and its layers.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::cache::{Arrival, Cache, Pool};
use crate::command::Muted;
use crate::demand::Demand;
use crate::keyframe::KeyframeRequests;
use crate::layers::{LayerSet, Presence, Rung};
use crate::limits::{
    ASSUMED_HEIGHT, CACHE_PACKETS_AUDIO, CACHE_PACKETS_VIDEO, KEYFRAME_INTERVAL,
    KEYFRAME_INTERVAL_SCREEN, LAYER_SILENT_AFTER, MAX_LAYERS, NACK_GIVE_UP, NACK_GIVE_UP_SCREEN,
};
use crate::meter::Meter;
use crate::nack::Missing;
use crate::plan::{CallKey, Codec, PayloadType, PeerKey, PublishLine, Rid, Source, Ssrc, TrackKey};
use crate::seating::Liveliness;
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
    /// When speech was last heard, of a microphone.
    pub(crate) spoke: Option<Instant>,
    pub(crate) activity: Activity,
    pub(crate) came_up: Option<Instant>,
    pub(crate) demand: Demand,
    /// Of a picture as captured, in pixels, by the newest keyframe of any layer.
    full_height: u16,
}

/// Whether packets of a track or a layer come.
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
    pub(crate) rid: Option<Rid>,
    /// Media packets that came, by their own SSRC or restored by RTX.
    pub(crate) received: ReplayWindow,
    pub(crate) cache: Cache,
    pub(crate) activity: Activity,
    /// The packet with which it came up, until its slots know of it: they begin there.
    pub(crate) fresh: Option<Arrival>,
    /// Indices of the peers that have it in a slot, or are about to: what a packet of it looks up.
    pub(crate) subscribers: Vec<usize>,
    /// The newest packet that begins a keyframe.
    pub(crate) keyframe: Option<Arrival>,
    /// Of its pictures, in pixels, once a keyframe has told it.
    height: Option<u16>,
    pub(crate) missing: Missing,
    pub(crate) keyframes: KeyframeRequests,
    pub(crate) meter: Meter,
    /// The publisher's clock against its RTP timestamps.
    pub(crate) sender_report: Option<(NtpTime, u32)>,
}

impl Track {
    pub(crate) fn new(key: TrackKey, call: CallKey, publisher: usize, line: &PublishLine) -> Self {
        let PublishLine { codec, rids, mid: _, source, extensions: _, ssrcs: _, rtx_of: _ } = line;
        let mut layers: Vec<Layer> = rids
            .iter()
            .take(MAX_LAYERS)
            .map(|rid| Layer::new(Some(*rid), *source, *codec))
            .collect();
        if layers.is_empty() {
            layers.push(Layer::new(None, *source, *codec));
        }
        Self {
            key,
            call,
            publisher,
            codec: *codec,
            audience: BTreeSet::new(),
            muted: Muted::No,
            demand: Demand::new(layers.len()),
            layers,
            subscribers: Vec::new(),
            level: Level::default(),
            spoke: None,
            activity: Activity::Never,
            came_up: None,
            full_height: ASSUMED_HEIGHT,
        }
    }

    /// Whether packets come, or would come if they were asked for. Of another track nothing is called off: it could not show
    /// that it is there again.
    pub(crate) fn is_up(&self) -> bool {
        match self.activity {
            Activity::Up { .. } => true,
            Activity::Never | Activity::Down => false,
        }
    }

    /// Whether it sends, for those who give out seats; `None` before its first packet.
    pub(crate) fn liveliness(&self) -> Option<Liveliness> {
        match self.activity {
            Activity::Never => None,
            // A camera that is off is called off, and never falls silent by itself.
            Activity::Up { .. } if self.muted == Muted::No => Some(Liveliness::Live),
            Activity::Up { .. } | Activity::Down => Some(Liveliness::Silent),
        }
    }

    /// Whether it has layers by name, which can be called off one by one.
    pub(crate) fn is_simulcast(&self) -> bool {
        self.layers.iter().any(|layer| layer.rid.is_some())
    }

    /// Names of some of its layers.
    pub(crate) fn rids(&self, layers: LayerSet) -> Vec<Rid> {
        let named = self.layers.iter().enumerate().filter(|(at, _)| layers.has(*at));
        named.filter_map(|(_, layer)| layer.rid).collect()
    }

    /// The layer of a packet with this rid. A track without rids has one layer.
    pub(crate) fn layer_of(&self, rid: Option<Rid>) -> Option<usize> {
        self.layers.iter().position(|layer| layer.rid == rid)
    }

    /// What its slots choose from. A layer that is there has told its own height; of another one an old height may be that of
    /// another camera, and what the newest keyframe makes likely is better.
    pub(crate) fn rungs(&self) -> Rungs {
        let mut rungs =
            Rungs { rungs: [Rung { height: 0, presence: Presence::Absent }; _], len: 0 };
        for (rung, layer) in rungs.rungs.iter_mut().zip(&self.layers) {
            let presence = layer.presence();
            let scale = layer.rid.map_or(1, Rid::scale);
            let height = match presence {
                Presence::Live => layer.height,
                Presence::Absent => None,
            };
            *rung = Rung { height: height.unwrap_or(self.full_height / scale), presence };
            rungs.len += 1;
        }
        rungs
    }

    /// Notes what the header of a layer's keyframe tells. Whether it is news.
    pub(crate) fn measured(&mut self, layer: usize, height: u16) -> bool {
        let Some(layer) = self.layers.get_mut(layer) else { return false };
        let scale = layer.rid.map_or(1, Rid::scale);
        let full = height.saturating_mul(scale);
        let is_news = layer.height != Some(height) || self.full_height != full;
        layer.height = Some(height);
        self.full_height = full;
        is_news
    }

    /// Lets nobody begin with a packet that came before now.
    pub(crate) fn forget_fresh(&mut self) {
        for layer in &mut self.layers {
            layer.fresh = None;
        }
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

/// The layers of a track as a slot sees them.
pub(crate) struct Rungs {
    rungs: [Rung; MAX_LAYERS],
    len: usize,
}

impl Rungs {
    pub(crate) fn as_slice(&self) -> &[Rung] {
        self.rungs.get(..self.len).unwrap_or_default()
    }
}

impl Layer {
    fn new(rid: Option<Rid>, source: Source, codec: Codec) -> Self {
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
            rid,
            received: ReplayWindow::default(),
            cache: Cache::new(capacity),
            activity: Activity::Never,
            fresh: None,
            subscribers: Vec::new(),
            keyframe: None,
            height: None,
            missing: Missing::new(give_up),
            keyframes: KeyframeRequests::new(interval),
            meter: Meter::default(),
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

    /// Marks it as heard with the packet of this number.
    pub(crate) fn heard(&mut self, arrival: Arrival, now: Instant) -> Revival {
        match std::mem::replace(&mut self.activity, Activity::Up { last: now }) {
            Activity::Up { .. } => Revival::No,
            Activity::Never | Activity::Down => {
                self.fresh = Some(arrival);
                Revival::Yes
            }
        }
    }

    /// When it will count as absent, if nothing comes.
    pub(crate) fn silent_at(&self) -> Option<Instant> {
        match self.activity {
            Activity::Up { last } => Some(last + LAYER_SILENT_AFTER),
            Activity::Never | Activity::Down => None,
        }
    }

    pub(crate) fn presence(&self) -> Presence {
        match self.activity {
            Activity::Up { .. } => Presence::Live,
            Activity::Never | Activity::Down => Presence::Absent,
        }
    }

    /// Where a slot begins that turns to this layer, and asks for a keyframe if it needs one: with what comes next, never
    /// with what came before it was allowed or wanted; only a layer that has just come up is there from its first packet.
    pub(crate) fn enter(&mut self, codec: Codec) -> Arrival {
        let cursor = self.fresh.unwrap_or_else(|| self.cache.head()).max(self.cache.tail());
        match codec {
            Codec::Opus { .. } => {}
            Codec::Vp8 { .. } if self.keyframe.is_some_and(|arrival| arrival >= cursor) => {}
            Codec::Vp8 { .. } => self.keyframes.want(),
        }
        cursor
    }

    /// What to add to this layer's timestamps to get those of `other` at the same moment of capture, once both have reported.
    pub(crate) fn offset_to(&self, other: &Self, rate: u32) -> Option<u32> {
        let (ours, our_rtp) = self.sender_report?;
        let (theirs, their_rtp) = other.sender_report?;
        Some(their_rtp.wrapping_add(theirs.ticks_until(ours, rate)).wrapping_sub(our_rtp))
    }
}

/// Whether a layer came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revival {
    Yes,
    No,
}

/// RTP clock of a codec in Hz (RFC 7587 §4.1, RFC 7741 §4.1).
pub(crate) fn clock_rate(codec: Codec) -> u32 {
    match codec {
        Codec::Opus { .. } => 48_000,
        Codec::Vp8 { .. } => 90_000,
    }
}

/// Payload types of media, one frame a packet, and of retransmission.
pub(crate) fn payload_types(codec: Codec) -> (PayloadType, Option<PayloadType>) {
    match codec {
        Codec::Opus { pt, red: _ } => (pt, None),
        Codec::Vp8 { pt, rtx } => (pt, rtx),
    }
}
