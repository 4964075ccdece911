//! H.264 payloads (RFC 6184 §5): what of a keyframe is in them, and how high the picture is. A decoder begins with the
//! parameter sets that a browser sends before each IDR picture (RFC 7742 §6.2: in band). An IDR picture whose parameter sets
//! are lost is nothing to begin with.

use super::bits::BitReader;

/// What a payload holds of a keyframe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Units {
    /// A sequence parameter set (NAL unit type 7): the decoder learns profile and size.
    pub(crate) parameters: bool,
    /// The beginning of an IDR picture (type 5): nothing before it is needed, but its parameter sets.
    pub(crate) idr: bool,
}

const SLICE_IDR: u8 = 5;
const PARAMETERS: u8 = 7;
/// Several small units in one packet, each behind its length.
const STAP_A: u8 = 24;
/// A piece of a large one.
const FU_A: u8 = 28;

/// Units of one packet that are looked at: parameter sets, an SEI message and slices are four or five.
const MOST_UNITS: usize = 16;

impl Units {
    /// `None` if there is not even the first header.
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let (&header, rest) = payload.split_first()?;
        let mut units = Self::default();
        match header & 0x1f {
            STAP_A => aggregated(rest).for_each(|unit| units.note(unit)),
            FU_A => {
                let &piece = rest.first()?;
                // Only the piece with the start bit is the beginning.
                if piece & 0x80 != 0 {
                    units.note(&[piece & 0x1f]);
                }
            }
            _ => units.note(payload),
        }
        Some(units)
    }

    fn note(&mut self, unit: &[u8]) {
        match unit.first().map(|header| header & 0x1f) {
            Some(SLICE_IDR) => self.idr = true,
            Some(PARAMETERS) => self.parameters = true,
            _ => {}
        }
    }
}

/// Height in pixels by the first sequence parameter set in a payload.
pub(crate) fn picture_height(payload: &[u8]) -> Option<u16> {
    let (&header, rest) = payload.split_first()?;
    match header & 0x1f {
        PARAMETERS => height(rest),
        STAP_A => aggregated(rest)
            .filter_map(<[u8]>::split_first)
            .find(|(header, _)| *header & 0x1f == PARAMETERS)
            .and_then(|(_, set)| height(set)),
        _ => None,
    }
}

/// The units of a STAP-A (RFC 6184 §5.7.1), as far as they are whole.
fn aggregated(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (len, after) = rest.split_first_chunk::<2>()?;
        let (unit, next) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        rest = next;
        Some(unit)
    })
    .take(MOST_UNITS)
}

/// Of a sequence parameter set without its header (H.264 §7.3.2.1.1), of the baseline, main and extended profiles: the high
/// ones, which nobody negotiates here, say more before the size.
fn height(set: &[u8]) -> Option<u16> {
    /// Bytes up to behind the size and its cropping, and a few spare.
    const MOST: usize = 40;
    let mut bytes = [0; MOST];
    let len = unescape(set, &mut bytes);
    let mut bits = BitReader::new(bytes.get(..len)?);
    let profile = bits.bits(8)?;
    if !matches!(profile, 66 | 77 | 88) {
        return None;
    }
    bits.bits(16)?;
    // Its own id, and the width of frame numbers.
    bits.golomb()?;
    bits.golomb()?;
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.bit()?;
            bits.golomb()?;
            bits.golomb()?;
            // At most 255 by the standard.
            let cycle = bits.golomb()?.min(255);
            for _ in 0..cycle {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    bits.golomb()?;
    bits.bit()?;
    let _columns = bits.golomb()?;
    let rows = bits.golomb()?.checked_add(1)?;
    let is_progressive = bits.bit()?;
    if !is_progressive {
        bits.bit()?;
    }
    bits.bit()?;
    let fields = if is_progressive { 1 } else { 2 };
    let whole = rows.checked_mul(16 * fields)?;
    let cropped = if bits.bit()? {
        bits.golomb()?;
        bits.golomb()?;
        let (top, bottom) = (bits.golomb()?, bits.golomb()?);
        // With 4:2:0 a step is two lines.
        top.checked_add(bottom)?.checked_mul(2 * fields)?
    } else {
        0
    };
    let height = whole.checked_sub(cropped).filter(|height| *height > 0)?;
    u16::try_from(height).ok()
}

/// Takes out the bytes that keep start codes from appearing (H.264 §7.4.1.1); how many bytes are left.
fn unescape(set: &[u8], to: &mut [u8]) -> usize {
    let mut zeros = 0;
    let mut places = to.iter_mut();
    let mut len = 0;
    for &byte in set {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        let Some(place) = places.next() else { break };
        *place = byte;
        len += 1;
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 640 × 360, constrained baseline 3.1, 23 rows of macroblocks, 8 lines cropped.
    const SET: [u8; 10] = [0x67, 0x42, 0xc0, 0x1f, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0x40];

    fn units(payload: &[u8]) -> (bool, bool) {
        let Units { parameters, idr } = Units::parse(payload).unwrap();
        (parameters, idr)
    }

    fn stap(units: &[&[u8]]) -> Vec<u8> {
        let mut payload = vec![0x78];
        for unit in units {
            payload.extend(u16::try_from(unit.len()).unwrap().to_be_bytes());
            payload.extend(*unit);
        }
        payload
    }

    #[test]
    fn a_keyframe_is_seen_alone_in_an_aggregate_and_in_its_first_piece() {
        assert_eq!(units(&[0x67, 0x42]), (true, false));
        assert_eq!(units(&[0x65, 0x88]), (false, true));
        assert_eq!(units(&[0x61, 0x88]), (false, false), "a slice that refers to others");
        assert_eq!(units(&stap(&[&[0x67, 1], &[0x68, 1]])), (true, false));
        assert_eq!(units(&stap(&[&[0x67, 1], &[0x68, 1], &[0x65, 9]])), (true, true));
        assert_eq!(units(&stap(&[&[0x06, 1], &[0x61, 1]])), (false, false));
        assert_eq!(units(&[0x7c, 0x85, 1]), (false, true), "the first piece");
        assert_eq!(units(&[0x7c, 0x05, 1]), (false, false), "a later one");
        assert_eq!(units(&[0x7c, 0x81, 1]), (false, false));
    }

    #[test]
    fn payloads_that_end_early_are_refused_or_hold_what_is_whole() {
        assert_eq!(Units::parse(&[]), None);
        assert_eq!(Units::parse(&[0x7c]), None, "a piece without its header");
        assert_eq!(units(&[0x78]), (false, false));
        assert_eq!(units(&[0x78, 0, 9, 0x65]), (false, false), "longer than what is there");
        assert_eq!(units(&[0x78, 0, 1, 0x67, 0, 9]), (true, false));
        assert_eq!(units(&[0x78, 0, 0]), (false, false));
        // Units of nothing without an end.
        assert_eq!(units(&[&[0x78][..], &[0; 1_400]].concat()), (false, false));
    }

    #[test]
    fn a_parameter_set_tells_the_height_whole_and_nothing_else_does() {
        assert_eq!(picture_height(&SET), Some(360));
        assert_eq!(picture_height(&stap(&[&[0x06, 1], &SET])), Some(360));
        assert_eq!(picture_height(&[0x65, 0x88, 0x80]), None);
        for len in 0..SET.len() - 1 {
            let height = picture_height(&SET[..len]);
            assert!(height.is_none(), "{len} bytes: {height:?}");
        }
        let mut high = SET;
        high[1] = 100;
        assert_eq!(picture_height(&high), None, "a profile that nobody negotiated");
    }

    #[test]
    fn bytes_that_keep_start_codes_away_are_taken_out() {
        let mut bytes = [0; 8];
        let len = unescape(&[1, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3], &mut bytes);
        assert_eq!(bytes[..len], [1, 0, 0, 1, 0, 0, 0, 0]);
    }
}
