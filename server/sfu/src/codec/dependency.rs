//! The dependency descriptor (RTP Payload Format for AV1, appendix A): which layer a frame is of, which sizes and frame rates
//! need it, and at which of them a receiver may begin with it. It travels in a header extension, so payloads may be
//! encrypted. What it says of most frames stands in a template; the templates come with each keyframe.

use crate::bytes::u16_at;
use crate::codec::bits::{BitReader, BitWriter};
use crate::layers::LayerSet;
use crate::limits::{MAX_LAYERS, MAX_RUNGS};
use crate::scalable::rung;

/// Frame templates that an id of six bits can name.
const TEMPLATES: usize = 64;

/// Decode targets that a count of five bits can number.
const TARGETS: usize = 32;

/// Longest descriptor: what the two-byte form of a header extension holds.
pub(crate) const MAX_BYTES: usize = 255;

/// Where the frame number begins and ends, in bytes.
const NUMBER: std::ops::Range<usize> = 1..3;

/// What a frame is to each decode target: two bits for each (table A.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Indications(u64);

/// The target does not need it.
const NOT_PRESENT: u64 = 0;
/// From it on the target decodes, if it does itself.
const SWITCH: u64 = 2;

impl Indications {
    fn read(bits: &mut BitReader<'_>, targets: u32) -> Option<Self> {
        let mut all = 0;
        for target in 0..targets {
            all |= u64::from(bits.bits(2)?) << (2 * target);
        }
        Some(Self(all))
    }

    fn of(self, target: u8) -> u64 {
        self.0.checked_shr(2 * u32::from(target)).unwrap_or(0) & 3
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Template {
    spatial: u8,
    temporal: u8,
    is_intra: bool,
    indications: Indications,
    /// The same for our rungs.
    members: LayerSet,
    switches: LayerSet,
}

/// The templates of a stream, and its decode targets seen as our rungs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Structure {
    id_offset: u8,
    templates: [Template; TEMPLATES],
    count: usize,
    targets: u32,
    chains: u32,
    /// Highest layers of each target.
    tops: [(u8, u8); TARGETS],
    /// The target that shows what a rung asks for.
    target_of: [u8; MAX_RUNGS],
    heights: [Option<u16>; MAX_LAYERS],
}

/// What a descriptor says of its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// First packet of a layer's frame.
    pub(crate) begins: bool,
    /// Last packet of a layer's frame.
    pub(crate) ends: bool,
    pub(crate) number: u16,
    pub(crate) spatial: u8,
    /// Whether it needs no other frame and brings the templates: everything begins with it.
    pub(crate) is_key: bool,
    /// The rungs that need it.
    pub(crate) members: LayerSet,
    /// The rungs that may begin with it, if it decodes.
    pub(crate) switches: LayerSet,
    /// The decode targets that are sent from now on, if that is said.
    pub(crate) active: Option<u32>,
    /// Whether it brings templates.
    pub(crate) has_structure: bool,
}

#[derive(Clone, Copy)]
struct Flags {
    structure: bool,
    active: bool,
    indications: bool,
    references: bool,
    chains: bool,
}

impl Flags {
    fn read(bits: &mut BitReader<'_>) -> Option<Self> {
        Some(Self {
            structure: bits.bit()?,
            active: bits.bit()?,
            indications: bits.bit()?,
            references: bits.bit()?,
            chains: bits.bit()?,
        })
    }

    const NONE: Self = Self {
        structure: false,
        active: false,
        indications: false,
        references: false,
        chains: false,
    };
}

impl Descriptor {
    /// Reads one, by the templates that are known or that it brings: those are kept in `known`. `None` if it ends early,
    /// names a template that nobody has sent, or is too long; then nothing has changed.
    pub(crate) fn parse(bytes: &[u8], known: &mut Option<Box<Structure>>) -> Option<Self> {
        if bytes.len() > MAX_BYTES {
            return None;
        }
        let mut bits = BitReader::new(bytes);
        let (begins, ends) = (bits.bit()?, bits.bit()?);
        let template = bits.bits(6)?;
        let number = u16_at(bytes, NUMBER.start)?;
        bits.bits(16)?;
        let flags = if bytes.len() > NUMBER.end { Flags::read(&mut bits)? } else { Flags::NONE };
        let brought = if flags.structure { Some(Structure::read(&mut bits)?) } else { None };
        let structure = brought.as_ref().or(known.as_deref())?;
        let active = match (flags.active, flags.structure) {
            (true, _) => Some(bits.bits(structure.targets)?),
            // Templates that say nothing of it mean all (appendix A.8.3).
            (false, true) => Some(structure.all()),
            (false, false) => None,
        };
        let mut frame = *structure.template(template)?;
        if flags.indications {
            frame.indications = Indications::read(&mut bits, structure.targets)?;
            (frame.members, frame.switches) = structure.rungs(frame.indications);
        }
        if flags.references {
            frame.is_intra = read_references(&mut bits)?;
        }
        if flags.chains {
            (0..structure.chains).try_for_each(|_| bits.bits(8).map(|_| ()))?;
        }
        if let Some(brought) = brought {
            match known {
                Some(known) => **known = brought,
                None => *known = Some(Box::new(brought)),
            }
        }
        Some(Self {
            begins,
            ends,
            number,
            spatial: frame.spatial,
            is_key: flags.structure && frame.is_intra && frame.spatial == 0,
            members: frame.members,
            switches: frame.switches,
            active,
            has_structure: flags.structure,
        })
    }
}

/// Whether there is none.
fn read_references(bits: &mut BitReader<'_>) -> Option<bool> {
    let mut is_intra = true;
    loop {
        let size = bits.bits(2)?;
        if size == 0 {
            return Some(is_intra);
        }
        bits.bits(4 * size)?;
        is_intra = false;
    }
}

impl Structure {
    fn read(bits: &mut BitReader<'_>) -> Option<Self> {
        let id_offset = u8::try_from(bits.bits(6)?).ok()?;
        let targets = bits.bits(5)? + 1;
        let mut structure = Self {
            id_offset,
            templates: [Template::default(); TEMPLATES],
            count: 0,
            targets,
            chains: 0,
            tops: [(0, 0); TARGETS],
            target_of: [0; MAX_RUNGS],
            heights: [None; MAX_LAYERS],
        };
        let highest = structure.read_layers(bits)?;
        let count = structure.count;
        for template in structure.templates.iter_mut().take(count) {
            template.indications = Indications::read(bits, targets)?;
        }
        for template in structure.templates.iter_mut().take(count) {
            template.is_intra = true;
            while bits.bit()? {
                bits.bits(4)?;
                template.is_intra = false;
            }
        }
        structure.chains = bits.below(targets + 1)?;
        if structure.chains > 0 {
            for _ in 0..targets {
                bits.below(structure.chains)?;
            }
            for _ in 0..count {
                (0..structure.chains).try_for_each(|_| bits.bits(4).map(|_| ()))?;
            }
        }
        if bits.bit()? {
            for spatial in 0..=usize::from(highest) {
                let _width = bits.bits(16)?;
                // One less than it is, so that it is never 0.
                let height = u16::try_from(bits.bits(16)?).ok()?.saturating_add(1);
                if let Some(place) = structure.heights.get_mut(spatial) {
                    *place = Some(height);
                }
            }
        }
        structure.see_as_rungs();
        Some(structure)
    }

    /// Layers of the templates; the highest spatial one.
    fn read_layers(&mut self, bits: &mut BitReader<'_>) -> Option<u8> {
        let (mut spatial, mut temporal) = (0_u8, 0_u8);
        loop {
            let template = self.templates.get_mut(self.count)?;
            (template.spatial, template.temporal) = (spatial, temporal);
            self.count += 1;
            match bits.bits(2)? {
                0 => {}
                1 => temporal += 1,
                2 => (spatial, temporal) = (spatial + 1, 0),
                _ => return Some(spatial),
            }
        }
    }

    fn see_as_rungs(&mut self) {
        let count = self.count;
        for (target, top) in (0..).zip(&mut self.tops) {
            let needed = self.templates.iter().take(count);
            let needed = needed.filter(|it| it.indications.of(target) != NOT_PRESENT);
            *top = needed.fold((0, 0), |(spatial, temporal), it| {
                (spatial.max(it.spatial), temporal.max(it.temporal))
            });
        }
        let tops = self.tops;
        let each = || (0_u8..).zip(tops).take(usize::try_from(self.targets).unwrap_or(0));
        for (at, target_of) in self.target_of.iter_mut().enumerate() {
            let fits =
                |(_, (spatial, temporal)): &(u8, (u8, u8))| rung::includes(at, *spatial, *temporal);
            let best = each().filter(fits).max_by_key(|(_, top)| *top);
            // Where even the least is more than this rung, it is that.
            let best = best.or_else(|| each().min_by_key(|(_, top)| *top));
            *target_of = best.map_or(0, |(target, _)| target);
        }
        let mut templates = self.templates;
        for template in templates.iter_mut().take(count) {
            (template.members, template.switches) = self.rungs(template.indications);
        }
        self.templates = templates;
    }

    /// The rungs that need a frame, and those that may begin with it.
    fn rungs(&self, indications: Indications) -> (LayerSet, LayerSet) {
        let mut sets = (LayerSet::NONE, LayerSet::NONE);
        for (at, target) in self.target_of.iter().enumerate() {
            let indication = indications.of(*target);
            if indication != NOT_PRESENT {
                sets.0 = sets.0.with(at);
            }
            if indication == SWITCH {
                sets.1 = sets.1.with(at);
            }
        }
        sets
    }

    fn template(&self, id: u32) -> Option<&Template> {
        let at = (id + 64 - u32::from(self.id_offset)) % 64;
        self.templates
            .get(usize::try_from(at).ok()?)
            .filter(|_| usize::try_from(at).is_ok_and(|at| at < self.count))
    }

    /// All decode targets, as a mask.
    pub(crate) fn all(&self) -> u32 {
        u32::MAX.checked_shr(u32::BITS - self.targets).unwrap_or(u32::MAX)
    }

    /// The decode targets that are left when no more than a rung is sent. Bit 0 is the first (appendix A.8.3).
    pub(crate) fn active(&self, at: usize) -> u32 {
        let mut mask = 0;
        for (target, (spatial, temporal)) in self.tops.iter().enumerate() {
            if rung::includes(at, *spatial, *temporal) {
                mask |= 1_u32.checked_shl(u32::try_from(target).unwrap_or(32)).unwrap_or(0);
            }
        }
        // Where even the least is more than this rung, it is that.
        let least = 1_u32 << self.target_of.get(at).copied().unwrap_or(0).min(31);
        (mask | least) & self.all()
    }

    /// Whether one of these decode targets shows a spatial layer.
    pub(crate) fn shows(&self, active: u32, spatial: u8) -> bool {
        let mut tops = (0_u32..).zip(self.tops).take(usize::try_from(self.targets).unwrap_or(0));
        tops.any(|(target, (top, _))| active >> target & 1 == 1 && top == spatial)
    }

    pub(crate) fn heights(&self) -> [Option<u16>; MAX_LAYERS] {
        self.heights
    }
}

/// Writes a descriptor for a subscriber: its frame number is moved by `offset`, and if `active` is given, it says that no
/// other decode targets are sent from this frame on. Its length; `None` if it does not fit or does not read.
pub(crate) fn rewrite(
    bytes: &[u8],
    targets: u32,
    offset: u16,
    active: Option<u32>,
    to: &mut [u8; MAX_BYTES],
) -> Option<usize> {
    let number = u16_at(bytes, NUMBER.start)?.wrapping_add(offset);
    let Some(active) = active else {
        to.get_mut(..bytes.len())?.copy_from_slice(bytes);
        to.get_mut(NUMBER)?.copy_from_slice(&number.to_be_bytes());
        return Some(bytes.len());
    };
    let mut bits = BitReader::new(bytes);
    let mut writer = BitWriter::new(to);
    writer.bits(bits.bits(8)?, 8)?;
    bits.bits(16)?;
    writer.bits(u32::from(number), 16)?;
    if bytes.len() <= NUMBER.end {
        // No flags yet: only the new one is set.
        writer.bits(0b01000, 5)?;
        writer.bits(active, targets)?;
        return writer.finish();
    }
    let flags = Flags::read(&mut bits)?;
    writer.bit(flags.structure)?;
    writer.bit(true)?;
    for flag in [flags.indications, flags.references, flags.chains] {
        writer.bit(flag)?;
    }
    if flags.structure {
        let mut behind = bits;
        Structure::read(&mut behind)?;
        while bits.position() < behind.position() {
            writer.bit(bits.bit()?)?;
        }
    }
    let sent = if flags.active { bits.bits(targets)? } else { u32::MAX };
    writer.bits(sent & active, targets)?;
    while let Some(bit) = bits.bit() {
        writer.bit(bit)?;
    }
    writer.finish()
}

impl Structure {
    /// How many decode targets there are.
    pub(crate) fn targets(&self) -> u32 {
        self.targets
    }
}

#[cfg(test)]
#[path = "dependency_tests.rs"]
mod tests;
