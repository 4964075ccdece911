//! Dependency descriptors (RTP Payload Format for AV1, appendix A) as an encoder writes them, and what a receiver reads first.

use super::encoder::{Frame, Prediction, SIZES};

/// Bits, the most significant first.
#[derive(Debug, Default)]
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    fn put(&mut self, value: u32, width: u32) {
        for at in (0..width).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let bit = (value >> at & 1) as u8;
            *self.bytes.last_mut().unwrap() |= bit << (7 - self.used % 8);
            self.used += 1;
        }
    }
}

/// First id of the templates: they are counted modulo 64. Other templates have other ids, so that nobody takes a frame of theirs
/// for one of these.
fn first_template(sizes: u32) -> u32 {
    20 * sizes
}

/// Templates of each size: its key frame, and three temporal layers.
const TEMPLATES: u32 = 4;

/// What a frame is to the decode target of a size and rate: table A.1.
fn indication(spatial: u32, kind: u32, target: (u32, u32), prediction: Prediction) -> u32 {
    const NOT_PRESENT: u32 = 0;
    const DISCARDABLE: u32 = 1;
    const SWITCH: u32 = 2;
    const REQUIRED: u32 = 3;
    let is_key = kind == 0;
    let temporal = kind.saturating_sub(1);
    let is_needed =
        spatial == target.0 || spatial < target.0 && (is_key || prediction == Prediction::Full);
    match () {
        () if !is_needed || temporal > target.1 => NOT_PRESENT,
        () if is_key => SWITCH,
        () if spatial < target.0 => REQUIRED,
        () if temporal == 0 || temporal < target.1 => SWITCH,
        () => DISCARDABLE,
    }
}

/// The descriptor of one packet of a frame.
pub fn write(
    frame: &Frame,
    begins: bool,
    ends: bool,
    sizes: u32,
    prediction: Prediction,
) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(u32::from(begins), 1);
    bits.put(u32::from(ends), 1);
    let kind = if frame.is_key { 0 } else { 1 + u32::from(frame.temporal) };
    bits.put((first_template(sizes) + u32::from(frame.size) * TEMPLATES + kind) % 64, 6);
    bits.put(u32::from(frame.number as u16), 16);
    if !(frame.is_key && frame.size == 0 && begins) {
        return bits.bytes;
    }
    bits.put(0b10000, 5);
    bits.put(first_template(sizes), 6);
    let targets: Vec<_> =
        (0..sizes).flat_map(|size| (0..3).map(move |rate| (size, rate))).collect();
    bits.put(targets.len() as u32 - 1, 5);
    for size in 0..sizes {
        let next_size = if size + 1 == sizes { 3 } else { 2 };
        [0, 1, 1, next_size].into_iter().for_each(|next| bits.put(next, 2));
    }
    let templates: Vec<_> =
        (0..sizes).flat_map(|size| (0..TEMPLATES).map(move |kind| (size, kind))).collect();
    for (size, kind) in &templates {
        for target in &targets {
            bits.put(indication(*size, *kind, *target, prediction), 2);
        }
    }
    for (size, kind) in &templates {
        let below = u32::from(*size > 0 && (*kind == 0 || prediction == Prediction::Full));
        let earlier = [0, 4, 2, 1][*kind as usize] * sizes;
        for reference in [below, earlier].into_iter().filter(|it| *it > 0) {
            bits.put(1, 1);
            bits.put(reference - 1, 4);
        }
        bits.put(0, 1);
    }
    // One chain for each size: a number up to that of the targets, then which one protects each.
    let limit = targets.len() as u32 + 1;
    let width = u32::BITS - limit.leading_zeros();
    let short = (1 << width) - limit;
    if sizes < short {
        bits.put(sizes, width - 1);
    } else {
        bits.put(sizes + short, width);
    }
    for (size, _) in &targets {
        // Fewer than three: one bit, two or none.
        match (sizes, size) {
            (3, 0) => bits.put(0, 1),
            (3, size) => bits.put(1 + size, 2),
            (2, size) => bits.put(*size, 1),
            _ => {}
        }
    }
    for _ in &templates {
        (0..sizes).for_each(|_| bits.put(1, 4));
    }
    bits.put(1, 1);
    for size in SIZES.iter().take(sizes as usize) {
        bits.put(u32::from(size * 16 / 9) - 1, 16);
        bits.put(u32::from(*size) - 1, 16);
    }
    bits.bytes
}

/// First and last packet of a frame, and its number.
pub fn read(bytes: &[u8]) -> Option<(bool, bool, u16)> {
    let &[first, high, low] = bytes.first_chunk()?;
    Some((first & 0x80 != 0, first & 0x40 != 0, u16::from_be_bytes([high, low])))
}
