//! One published source and its layers.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::cache::{Arrival, Cache, Pool};
use crate::codec::ids::Ids;
use crate::codec::{Keyframe, Picture, h264, vp8};
use crate::command::Muted;
use crate::demand::Demand;
use crate::estimate::Bitrate;
use crate::keyframe::KeyframeRequests;
use crate::layers::{Frames, LayerSet, Presence, Rung};
use crate::limits::{
    ASSUMED_HEIGHT, CACHE_PACKETS_AUDIO, CACHE_PACKETS_VIDEO, KEYFRAME_INTERVAL,
    KEYFRAME_INTERVAL_SCREEN, LAYER_SILENT_AFTER, MAX_LAYERS, MAX_RUNGS, MAX_TEMPORAL,
    NACK_GIVE_UP, NACK_GIVE_UP_SCREEN,
};
use crate::meter::Meter;
use crate::nack::Missing;
use crate::plan::{
    CallKey, Codec, Format, PayloadType, PeerKey, PublishLine, Rid, SlotLine, Source, Ssrc,
    TrackKey,
};
use crate::scalable::{Read, Scalable, rung};
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
    /// Whether its packets say in a dependency descriptor what they depend on.
    pub(crate) is_described: bool,
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
    /// Of a format whose stream can carry several sizes.
    pub(crate) scalable: Option<Box<Scalable>>,
    /// Whether parameter sets come in it (H.264): then a keyframe begins with them.
    has_parameters: bool,
    /// IDR pictures that came without, before any.
    lone_pictures: u8,
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
        let PublishLine { codec, rids, mid: _, source, extensions, ssrcs: _, rtx_of: _ } = line;
        let mut layers: Vec<Layer> = rids
            .iter()
            .take(MAX_LAYERS)
            .map(|rid| Layer::new(Some(*rid), *source, *codec))
            .collect();
        if layers.is_empty() {
            layers.push(Layer::new(None, *source, *codec));
        }
        let sizes = match codec {
            Codec::Picture { format, .. } if format.is_scalable() && layers.len() == 1 => {
                MAX_LAYERS
            }
            Codec::Picture { .. } | Codec::Opus { .. } => layers.len(),
        };
        Self {
            key,
            call,
            publisher,
            codec: *codec,
            is_described: extensions.dependency.is_some(),
            audience: BTreeSet::new(),
            muted: Muted::No,
            demand: Demand::new(sizes),
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

    /// Whether it has layers which can be called off one by one: by name, or as sizes of a scalable stream.
    pub(crate) fn is_layered(&self) -> bool {
        self.scalable().is_some() || self.layers.iter().any(|layer| layer.rid.is_some())
    }

    /// The stream that carries all its sizes, if one does.
    pub(crate) fn scalable(&self) -> Option<&Scalable> {
        match self.layers.as_slice() {
            [layer] => layer.scalable.as_deref(),
            _ => None,
        }
    }

    /// Names of some of its layers; sizes of a scalable stream have the same names.
    pub(crate) fn rids(&self, layers: LayerSet) -> Vec<Rid> {
        if self.scalable().is_some() {
            let named = Rid::ALL.into_iter().enumerate();
            return named.filter(|(at, _)| layers.has(*at)).map(|(_, rid)| rid).collect();
        }
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
        if let Some(scalable) = self.scalable() {
            return Rungs { rungs: scalable.rungs(), len: MAX_RUNGS };
        }
        let absent = Rung { height: 0, presence: Presence::Absent, frames: Frames::All };
        let mut rungs = Rungs { rungs: [absent; _], len: 0 };
        for (rung, layer) in rungs.rungs.iter_mut().zip(&self.layers) {
            let presence = layer.presence();
            let scale = layer.rid.map_or(1, Rid::scale);
            let height = match presence {
                Presence::Live => layer.height,
                Presence::Absent => None,
            };
            let height = height.unwrap_or(self.full_height / scale);
            *rung = Rung { height, presence, frames: Frames::All };
            rungs.len += 1;
        }
        rungs
    }

    /// With which payload types a slot takes it; `None` if its subscriber could not show it.
    pub(crate) fn codec_for(&self, slot: &SlotLine) -> Option<Codec> {
        let codec = slot.receives.codec_for(self.codec)?;
        match codec {
            // Without the descriptor a receiver cannot tell the layers of AV1 apart; VP9 says them in its payload too.
            Codec::Picture { format: Format::Av1, .. } if self.is_described => {
                slot.extensions.dependency.map(|_| codec)
            }
            Codec::Picture { .. } | Codec::Opus { .. } => Some(codec),
        }
    }

    /// What one of its layers costs: measured, or what a browser is asked to keep to.
    pub(crate) fn cost(&self, at: usize) -> Bitrate {
        let (measured, presence, usual) = if let Some(scalable) = self.scalable() {
            let presence = scalable.rungs().get(at).map_or(Presence::Absent, |it| it.presence);
            let whole = UNMEASURED.get(rung::spatial(at)).copied().unwrap_or(Bitrate::ZERO);
            let share = UNMEASURED_RATES.get(rung::temporal(at)).copied().unwrap_or(100);
            (scalable.cost(at), presence, whole.percent(share))
        } else {
            let alone = (self.layers.len() == 1).then_some(UNMEASURED_ALONE);
            let usual = alone.or_else(|| UNMEASURED.get(at).copied()).unwrap_or(Bitrate::ZERO);
            let Some(layer) = self.layers.get(at) else { return usual };
            (layer.meter.bitrate(), layer.presence(), usual)
        };
        match (presence, measured) {
            (_, None) => usual,
            (Presence::Live, Some(cost)) => cost,
            // Nobody can measure it: an old peak must not keep it away for ever.
            (Presence::Absent, Some(cost)) => cost.min(usual),
        }
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

/// Cost of a picture that was not measured yet, by layer: what a browser is asked to keep to, and for a camera without layers
/// its first second.
const UNMEASURED: [Bitrate; MAX_LAYERS] =
    [Bitrate::kbps(150), Bitrate::kbps(500), Bitrate::kbps(1_500)];
const UNMEASURED_ALONE: Bitrate = Bitrate::kbps(300);

/// What a scalable stream's lower frame rates cost of that, in hundredths: half and a quarter of the frames, which are the
/// larger ones.
const UNMEASURED_RATES: [u64; MAX_TEMPORAL] = [60, 80, 100];

/// The layers of a track as a slot sees them.
pub(crate) struct Rungs {
    rungs: [Rung; MAX_RUNGS],
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
            Codec::Picture { .. } => CACHE_PACKETS_VIDEO,
        };
        let scalable = match codec {
            Codec::Picture { format, .. } => format.is_scalable().then(Box::default),
            Codec::Opus { .. } => None,
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
            scalable,
            has_parameters: false,
            lone_pictures: 0,
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
        (self.has_parameters, self.lone_pictures) = (false, 0);
        if let Some(scalable) = &mut self.scalable {
            scalable.restart();
        }
    }

    /// Reads a packet of a picture. `None` if it cannot be one.
    pub(crate) fn read(
        &mut self,
        format: Format,
        payload: &[u8],
        dependency: Option<&[u8]>,
    ) -> Option<Read> {
        match format {
            Format::Vp8 => {
                let descriptor = vp8::Descriptor::parse(payload)?;
                let vp8::Descriptor { keyframe, ids, .. } = descriptor;
                let picture = Picture { keyframe, ids, part: None };
                Some(Read::of_one_size(picture, descriptor.picture_height(payload)))
            }
            Format::H264 => {
                let units = h264::Units::parse(payload)?;
                // An encoder that sends no parameter sets in the stream shows it by its second IDR picture without them: those of
                // the first may have been lost.
                let is_lone = units.idr && !units.parameters && !self.has_parameters;
                let starts = units.parameters || is_lone && self.lone_pictures > 0;
                self.has_parameters |= units.parameters;
                self.lone_pictures = self.lone_pictures.saturating_add(u8::from(is_lone));
                let keyframe = if starts { Keyframe::Starts } else { Keyframe::Otherwise };
                let height = units.parameters.then(|| h264::picture_height(payload)).flatten();
                let picture = Picture { keyframe, ids: Ids::default(), part: None };
                Some(Read::of_one_size(picture, height))
            }
            Format::Vp9 | Format::Av1 => self.scalable.as_mut()?.read(format, payload, dependency),
        }
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
            Codec::Picture { .. } if self.keyframe.is_some_and(|arrival| arrival >= cursor) => {}
            Codec::Picture { .. } => self.keyframes.want(),
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

/// RTP clock of a codec in Hz (RFC 7587 §4.1; of pictures RFC 7741 §4.1 and its like).
pub(crate) fn clock_rate(codec: Codec) -> u32 {
    match codec {
        Codec::Opus { .. } => 48_000,
        Codec::Picture { .. } => 90_000,
    }
}

/// Payload types of media, one frame a packet, and of retransmission.
pub(crate) fn payload_types(codec: Codec) -> (PayloadType, Option<PayloadType>) {
    match codec {
        Codec::Opus { pt, red: _ } => (pt, None),
        Codec::Picture { format: _, pt, rtx } => (pt, rtx),
    }
}
