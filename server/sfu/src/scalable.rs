//! A stream that carries several sizes and frame rates at once (scalable video coding): which of them each packet is of, what
//! each costs, which are there. What a subscriber gets of it is the slot's to choose (`selector.rs`).
//!
//! Sizes and frame rates are a ladder of nine rungs, whatever the stream has: rung 0 is the smallest size at the lowest frame
//! rate, 2 the smallest at its full rate, 8 the largest at its full rate. Where a stream has fewer, some rungs are the same.

use std::time::Instant;

use crate::codec::av1;
use crate::codec::dependency::{self, Structure};
use crate::codec::ids::Ids;
use crate::codec::vp9;
use crate::codec::{Keyframe, Picture};
use crate::estimate::Bitrate;
use crate::layers::{Frames, LayerSet, Presence, Rung};
use crate::limits::{
    ASSUMED_HEIGHT, LAYER_SILENT_AFTER, MAX_LAYERS, MAX_RUNGS, MAX_TEMPORAL, PICTURES_WITHOUT_SIZE,
};
use crate::meter::Meter;
use crate::plan::{Format, Rid};
use crate::rtp::Marker;

/// Places on the ladder.
pub(crate) mod rung {
    use super::{MAX_RUNGS, MAX_TEMPORAL};

    /// The largest size at its full rate.
    pub(crate) const LAST: usize = MAX_RUNGS - 1;

    pub(crate) fn at(spatial: usize, temporal: usize) -> usize {
        (spatial * MAX_TEMPORAL + temporal).min(LAST)
    }

    pub(crate) fn spatial(rung: usize) -> usize {
        rung / MAX_TEMPORAL
    }

    pub(crate) fn temporal(rung: usize) -> usize {
        rung % MAX_TEMPORAL
    }

    /// Whether a rung goes up to these layers of the stream.
    pub(crate) fn includes(rung: usize, spatial_layer: u8, temporal_layer: u8) -> bool {
        usize::from(spatial_layer) <= spatial(rung) && has_rate(rung, temporal_layer)
    }

    /// Whether frames of a temporal layer are of a rung. The full rate is all of them, however many layers there are.
    pub(crate) fn has_rate(rung: usize, temporal_layer: u8) -> bool {
        temporal(rung) + 1 == MAX_TEMPORAL || usize::from(temporal_layer) <= temporal(rung)
    }
}

/// One packet's place in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Number of its layer's frame: it grows in the order in which frames are sent.
    pub(crate) frame: u32,
    /// The rungs that need it.
    pub(crate) members: LayerSet,
    /// The rungs of which every later frame decodes, once this one does.
    pub(crate) switches: LayerSet,
    pub(crate) spatial: u8,
    /// Whether its picture needs no other, and this is the lowest layer of it.
    pub(crate) is_key: bool,
    /// Last packet of its layer's frame.
    pub(crate) ends: bool,
    /// Whether its dependency descriptor brings the templates, and so says which layers are sent.
    pub(crate) has_structure: bool,
}

/// What is known of one scalable stream.
#[derive(Debug, Default)]
pub(crate) struct Scalable {
    structure: Option<Box<Structure>>,
    /// Picture id or frame number of the newest frame, with what it has wrapped.
    newest: Option<u32>,
    sizes: [Size; MAX_LAYERS],
    /// What each rung costs.
    meters: [Meter; MAX_RUNGS],
}

/// One spatial layer.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    /// When it was last heard, while it is there.
    heard: Option<Instant>,
    height: Option<u16>,
    /// Pictures in a row that ended without it.
    left_out: u8,
}

/// A packet as it was read.
pub(crate) struct Read {
    pub(crate) picture: Picture,
    /// Heights of the sizes, if it tells them; of a stream of one size the first.
    heights: Option<[Option<u16>; MAX_LAYERS]>,
    /// The decode targets that are sent, if it tells them.
    active: Option<u32>,
}

impl Read {
    /// Of a format that is not scalable.
    pub(crate) fn of_one_size(picture: Picture, height: Option<u16>) -> Self {
        Self { picture, heights: height.map(|height| [Some(height), None, None]), active: None }
    }

    /// Height of the smallest size, if it tells it.
    pub(crate) fn height(&self) -> Option<u16> {
        self.heights.and_then(|[smallest, ..]| smallest)
    }
}

/// Whether what slots choose from is other than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Yes,
    No,
}

impl Scalable {
    /// Reads a packet, by its payload and by the dependency descriptor if it has one. `None` if it cannot be told what it is.
    pub(crate) fn read(
        &mut self,
        format: Format,
        payload: &[u8],
        dependency: Option<&[u8]>,
    ) -> Option<Read> {
        let vp9 = match format {
            Format::Vp9 => Some(vp9::Descriptor::parse(payload)?),
            Format::Vp8 | Format::H264 | Format::Av1 => None,
        };
        let ids = vp9.map_or_else(Ids::default, |descriptor| descriptor.ids);
        if let Some(bytes) = dependency {
            return self.read_dependency(bytes, ids);
        }
        let (part, keyframe) = match &vp9 {
            Some(descriptor) => (self.vp9_part(descriptor), descriptor.keyframe()),
            None => {
                let keyframe = av1::keyframe(payload)?;
                (Part::whole(keyframe), keyframe)
            }
        };
        Some(Read {
            picture: Picture { keyframe, ids, part: Some(part) },
            heights: vp9.and_then(|descriptor| descriptor.heights(payload)),
            active: None,
        })
    }

    fn read_dependency(&mut self, bytes: &[u8], ids: Ids) -> Option<Read> {
        let Some(read) = dependency::Descriptor::parse(bytes, &mut self.structure) else {
            // Its templates are still on their way. It is kept for retransmission, and nobody is sent it.
            let picture = Picture { keyframe: Keyframe::Otherwise, ids, part: None };
            return Some(Read { picture, heights: None, active: None });
        };
        let dependency::Descriptor {
            begins,
            ends,
            number,
            spatial,
            is_key,
            members,
            switches,
            active,
            has_structure,
        } = read;
        let part = Part {
            frame: self.extend(number, u16::MAX),
            members,
            switches,
            spatial,
            is_key,
            ends,
            has_structure,
        };
        let keyframe = if is_key && begins { Keyframe::Starts } else { Keyframe::Otherwise };
        let ids = Ids { frame: Some(number), ..ids };
        Some(Read {
            picture: Picture { keyframe, ids, part: Some(part) },
            heights: has_structure
                .then(|| self.structure.as_ref().map(|it| it.heights()))
                .flatten(),
            active,
        })
    }

    fn vp9_part(&mut self, descriptor: &vp9::Descriptor) -> Part {
        let Some(layer) = descriptor.layer else {
            return Part { ends: descriptor.ends, ..Part::whole(descriptor.keyframe()) };
        };
        let is_key = descriptor.is_intra && layer.spatial == 0;
        let (mut members, mut switches) = (LayerSet::NONE, LayerSet::NONE);
        for at in 0..MAX_RUNGS {
            let is_shown = usize::from(layer.spatial) == rung::spatial(at);
            let is_below = usize::from(layer.spatial) < rung::spatial(at);
            let is_needed = is_shown || is_below && !descriptor.is_top;
            if !is_needed || !rung::has_rate(at, layer.temporal) {
                continue;
            }
            members = members.with(at);
            let is_refresh = is_key || descriptor.is_intra && is_shown;
            let raises =
                layer.is_switching_point && usize::from(layer.temporal) < rung::temporal(at);
            if is_refresh || is_shown && raises {
                switches = switches.with(at);
            }
        }
        // Without picture ids frames cannot be told apart; then they are all one, and all are sent.
        let Some(id) = descriptor.ids.picture else {
            return Part { ends: descriptor.ends, ..Part::whole(descriptor.keyframe()) };
        };
        let picture = self.extend(id.value, id.mask());
        Part {
            // Four places for each picture: of higher layers nothing is sent.
            frame: picture.wrapping_mul(4).wrapping_add(u32::from(layer.spatial.min(3))),
            members,
            switches,
            spatial: layer.spatial,
            is_key,
            ends: descriptor.ends,
            has_structure: false,
        }
    }

    /// The number that these bits stand for, nearest to the newest one.
    fn extend(&mut self, value: u16, mask: u16) -> u32 {
        let Some(newest) = self.newest else {
            self.newest = Some(u32::from(value));
            return u32::from(value);
        };
        let ahead = u32::from(value).wrapping_sub(newest) & u32::from(mask);
        if ahead <= u32::from(mask / 2) {
            let newest = newest.wrapping_add(ahead);
            self.newest = Some(newest);
            return newest;
        }
        newest.wrapping_sub((u32::from(mask) + 1).wrapping_sub(ahead))
    }

    /// Takes note of a packet with its size on the line. Whether what slots choose from has changed.
    pub(crate) fn heard(&mut self, read: &Read, marker: Marker, bytes: u64, now: Instant) -> News {
        let Some(part) = read.picture.part else { return News::No };
        for (at, meter) in self.meters.iter_mut().enumerate() {
            if part.members.has(at) {
                meter.note(bytes, now);
            }
        }
        let mut is_news = false;
        for (size, height) in self.sizes.iter_mut().zip(read.heights.into_iter().flatten()) {
            is_news |= height.is_some() && size.height != height;
            size.height = height.or(size.height);
        }
        let spatial = usize::from(part.spatial);
        if let Some(size) = self.sizes.get_mut(spatial) {
            is_news |= size.heard.is_none();
            (size.heard, size.left_out) = (Some(now), 0);
        }
        // The publisher marks the last packet of a picture: what is larger is not in this one.
        if marker == Marker::Set {
            for size in self.sizes.iter_mut().skip(spatial + 1) {
                size.left_out = size.left_out.saturating_add(1);
                if size.left_out >= PICTURES_WITHOUT_SIZE {
                    is_news |= size.heard.take().is_some();
                }
            }
        }
        if let (Some(active), Some(structure)) = (read.active, &self.structure) {
            for (size, spatial) in self.sizes.iter_mut().zip(0..) {
                if !structure.shows(active, spatial)
                    && usize::from(part.spatial) != usize::from(spatial)
                {
                    is_news |= size.heard.take().is_some();
                }
            }
        }
        if is_news { News::Yes } else { News::No }
    }

    /// Lets sizes that have been silent for too long count as absent.
    pub(crate) fn expire(&mut self, now: Instant) -> News {
        let mut is_news = false;
        for size in &mut self.sizes {
            if size.heard.is_some_and(|heard| heard + LAYER_SILENT_AFTER <= now) {
                size.heard = None;
                is_news = true;
            }
        }
        if is_news { News::Yes } else { News::No }
    }

    /// When the next size will be absent, if nothing comes.
    pub(crate) fn silent_at(&self) -> Option<Instant> {
        self.sizes.iter().filter_map(|size| size.heard).min().map(|at| at + LAYER_SILENT_AFTER)
    }

    /// Another SSRC carries it from now on.
    pub(crate) fn restart(&mut self) {
        (self.structure, self.newest) = (None, None);
    }

    /// Which spatial layers come.
    pub(crate) fn rungs(&self) -> [Rung; MAX_RUNGS] {
        std::array::from_fn(|at| {
            let spatial = rung::spatial(at);
            let presence = match self.sizes.get(spatial).and_then(|size| size.heard) {
                Some(_) => Presence::Live,
                None => Presence::Absent,
            };
            let is_whole = rung::temporal(at) + 1 == MAX_TEMPORAL;
            let frames = if is_whole { Frames::All } else { Frames::Some };
            Rung { height: self.height(spatial), presence, frames }
        })
    }

    /// Of a size that is there as it said, of another one by those that are: each is twice the one below.
    fn height(&self, spatial: usize) -> u16 {
        let known = |at: usize| self.sizes.get(at).filter(|it| it.heard.is_some())?.height;
        if let Some(height) = known(spatial) {
            return height;
        }
        let largest = (0..MAX_LAYERS).rev().find_map(|at| Some((at, known(at)?)));
        match largest {
            Some((at, height)) if at < spatial => {
                height.saturating_mul(1 << (spatial - at).min(MAX_LAYERS))
            }
            Some((at, height)) => height >> (at - spatial).min(MAX_LAYERS),
            None => ASSUMED_HEIGHT / Rid::ALL.get(spatial).map_or(1, |rid| rid.scale()),
        }
    }

    /// What a rung costs, once it was measured.
    pub(crate) fn cost(&self, at: usize) -> Option<Bitrate> {
        self.meters.get(at)?.bitrate()
    }

    /// The templates of its dependency descriptors, if it has such.
    pub(crate) fn structure(&self) -> Option<&Structure> {
        self.structure.as_deref()
    }
}

impl Part {
    /// Of a stream that cannot be cut down: each packet is of every rung.
    fn whole(keyframe: Keyframe) -> Self {
        let all = LayerSet::first(MAX_RUNGS);
        let is_key = keyframe == Keyframe::Starts;
        Self {
            frame: 0,
            members: all,
            switches: if is_key { all } else { LayerSet::NONE },
            spatial: 0,
            is_key,
            ends: false,
            has_structure: false,
        }
    }
}

#[cfg(test)]
#[path = "scalable_tests.rs"]
mod tests;
