//! What must hold of a camera as a viewer is sent it: every packet in the order of its number, each repair already in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sfu::plan::{Format, PayloadType};

use super::descriptor;
use super::encoder::{DEPENDENCY, Mark, extension, payload_type};
use crate::packet::{Rtp, extend};

/// The invariants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// Sequence numbers have no hole.
    Numbers,
    /// Timestamps never go back, and each picture has its own.
    Timestamps,
    /// A frame comes whole, its packets in a row.
    Whole,
    /// A frame comes only after all that it is predicted from.
    Decodable,
    /// A picture ends with the marker, and nothing else has it.
    Marker,
    /// Picture ids, TL0PICIDX and frame numbers go on over every switch.
    Ids,
    /// Nothing in a format that was not negotiated.
    Format,
    /// A size that nobody looks at is called off.
    Demand,
}

/// Whether packets were lost on their way to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// None was.
    None,
    /// Some were, and came again. A slot that turned to another source meanwhile has no use for them: their numbers are missing,
    /// right before the keyframe with which it turned.
    Repaired,
}

/// Packets between a missing number and that keyframe: what comes in the time of a repair.
const MOST_BEHIND_HOLE: u64 = 100;

/// A broken one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub law: Law,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.law, self.what)
    }
}

/// All that one slot was sent under its own numbers, each packet in plaintext.
#[derive(Debug, Default)]
pub struct Tape {
    /// By number, with rollovers. What fills a number without a payload is kept too.
    pub packets: BTreeMap<u64, Vec<u8>>,
    newest: Option<u64>,
}

/// What a tape shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Pictures.
    pub pictures: u64,
    /// Pictures by the size that is shown.
    pub sizes: [u64; 3],
    /// Changes of size, or of who is shown.
    pub switches: u64,
    /// Numbers that were filled without a payload.
    pub filled: u64,
    /// Frames of pictures of the higher temporal layers.
    pub upper_rates: u64,
}

impl Seen {
    /// On two tapes.
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            pictures: self.pictures + other.pictures,
            sizes: std::array::from_fn(|at| self.sizes[at] + other.sizes[at]),
            switches: self.switches + other.switches,
            filled: self.filled + other.filled,
            upper_rates: self.upper_rates + other.upper_rates,
        }
    }
}

impl Tape {
    /// Takes a packet as it leaves.
    pub fn take(&mut self, bytes: &[u8]) {
        let sequence = extend(self.newest, Rtp(bytes).sequence());
        self.newest = Some(self.newest.map_or(sequence, |newest| newest.max(sequence)));
        self.packets.insert(sequence, bytes.to_vec());
    }

    /// Plays it. The last packets may still lack repairs: `but_last` numbers are not looked at.
    pub fn judge(&self, takes: &[Format], loss: Loss, but_last: u64) -> Result<Seen, Broken> {
        let end =
            self.packets.last_key_value().map_or(0, |(last, _)| last.saturating_sub(but_last));
        let mut player = Player::new(takes, loss);
        for (sequence, bytes) in self.packets.range(..=end) {
            player.play(*sequence, Rtp(bytes))?;
        }
        Ok(player.seen)
    }
}

/// Numbers of the newest picture.
#[derive(Clone, Copy, Debug, Default)]
struct Ids {
    picture: Option<u16>,
    tl0: Option<u8>,
}

struct Player<'a> {
    takes: &'a [Format],
    loss: Loss,
    /// A number that is missing, until everything begins anew.
    hole: Option<u64>,
    seen: Seen,
    sequence: Option<u64>,
    timestamp: Option<u32>,
    /// The frame in hand, and how many of its packets came.
    frame: Option<Mark>,
    /// Frames that were decoded, of whoever is shown.
    decoded: BTreeSet<u32>,
    shown: Option<(u8, u8)>,
    /// The picture in hand: who, which, its largest size.
    picture: Option<(u8, u32, u8)>,
    is_ended: bool,
    ids: Ids,
    /// Frame number on the wire less the sender's.
    shift: Option<(u8, u16)>,
    newest_number: Option<u16>,
}

fn broken<T>(law: Law, sequence: u64, what: impl fmt::Debug) -> Result<T, Broken> {
    Err(Broken { law, what: format!("at {sequence}: {what:?}") })
}

impl<'a> Player<'a> {
    fn new(takes: &'a [Format], loss: Loss) -> Self {
        Self {
            takes,
            loss,
            hole: None,
            seen: Seen::default(),
            sequence: None,
            timestamp: None,
            frame: None,
            decoded: BTreeSet::new(),
            shown: None,
            picture: None,
            is_ended: true,
            ids: Ids::default(),
            shift: None,
            newest_number: None,
        }
    }

    fn play(&mut self, sequence: u64, packet: Rtp<'_>) -> Result<(), Broken> {
        if let Some(before) = self.sequence.replace(sequence).filter(|it| it + 1 != sequence) {
            if self.loss == Loss::None {
                return broken(Law::Numbers, sequence, before);
            }
            self.hole.get_or_insert(sequence);
            // What comes until everything begins anew is not decoded, so its numbers are not known either.
            (self.ids, self.newest_number) = (Ids::default(), None);
        }
        if self.hole.is_some_and(|hole| sequence > hole + MOST_BEHIND_HOLE) {
            return broken(Law::Numbers, sequence, self.hole);
        }
        let payload = packet.payload();
        if packet.0[0] & 0x20 != 0 {
            // Only padding: it fills a number.
            self.seen.filled += 1;
            return Ok(());
        }
        let format = self.format(packet.pt(), sequence)?;
        let Some(mark) = Mark::read(payload) else {
            return broken(Law::Whole, sequence, "a payload that nobody sent");
        };
        // Where everything begins anew, what was before may have ended in the middle.
        let begins = mark.part == 0 && mark.frame.is_key && mark.frame.needs.is_empty();
        if begins {
            self.hole = None;
        } else if self.hole.is_some() {
            return Ok(());
        }
        self.follow(&mark, begins, sequence)?;
        let is_new = self.picture.is_none_or(|(publisher, picture, size)| {
            let is_other = (publisher, picture) != (mark.publisher, mark.frame.picture);
            // Sizes beside each other are pictures of their own.
            is_other || !format.is_scalable() && size != mark.frame.size
        });
        self.keep_time(packet, is_new, begins, sequence)?;
        let is_source = self.picture.is_none_or(|(publisher, ..)| publisher != mark.publisher);
        if is_new {
            self.check_ids(format, payload, &mark, is_source, sequence)?;
            self.seen.pictures += 1;
            self.seen.upper_rates += u64::from(mark.frame.temporal > 0);
        }
        if format == Format::Av1 {
            self.check_descriptor(packet, &mark, begins, sequence)?;
        }
        let largest = match self.picture {
            Some((.., size)) if !is_new => size.max(mark.frame.size),
            _ => mark.frame.size,
        };
        self.picture = Some((mark.publisher, mark.frame.picture, largest));
        self.is_ended = packet.marker();
        if packet.marker() {
            if mark.part + 1 != mark.parts {
                return broken(Law::Marker, sequence, &mark);
            }
            let shown = (mark.publisher, largest);
            self.seen.switches += u64::from(self.shown.is_some_and(|before| before != shown));
            self.seen.sizes[usize::from(largest)] += 1;
            self.shown = Some(shown);
        }
        self.frame = Some(mark);
        Ok(())
    }

    fn format(&self, pt: PayloadType, sequence: u64) -> Result<Format, Broken> {
        match self.takes.iter().find(|format| payload_type(**format) == pt) {
            Some(format) => Ok(*format),
            None => broken(Law::Format, sequence, pt),
        }
    }

    /// The packets of a frame come in a row, and after what it needs.
    fn follow(&mut self, mark: &Mark, begins: bool, sequence: u64) -> Result<(), Broken> {
        let expected = match &self.frame {
            Some(last) if last.part + 1 < last.parts => {
                Some(Mark { part: last.part + 1, ..last.clone() })
            }
            _ => None,
        };
        match expected {
            Some(expected) if expected != *mark && !begins => {
                return broken(Law::Whole, sequence, (expected, mark));
            }
            None if mark.part != 0 => return broken(Law::Whole, sequence, mark),
            _ => {}
        }
        if mark.part > 0 {
            return Ok(());
        }
        let Mark { publisher, frame, .. } = mark;
        let is_same = self.picture.is_some_and(|(last, ..)| last == *publisher);
        if !is_same || frame.is_key && frame.needs.is_empty() {
            // A decoder that begins anew knows nothing of before.
            self.decoded.clear();
        }
        let is_decodable = frame.needs.iter().all(|need| self.decoded.contains(need))
            && (frame.is_key || !frame.needs.is_empty());
        if !is_decodable {
            return broken(Law::Decodable, sequence, mark);
        }
        self.decoded.insert(frame.number);
        while self.decoded.len() > 200 {
            self.decoded.pop_first();
        }
        Ok(())
    }

    fn keep_time(
        &mut self,
        packet: Rtp<'_>,
        is_new: bool,
        begins: bool,
        sequence: u64,
    ) -> Result<(), Broken> {
        let timestamp = packet.timestamp();
        if let Some(before) = self.timestamp {
            let ahead = timestamp.wrapping_sub(before);
            if (ahead == 0) == is_new || ahead > 90_000 * 60 {
                return broken(Law::Timestamps, sequence, (before, timestamp, is_new));
            }
        }
        if is_new != self.is_ended && !(is_new && begins) {
            return broken(
                Law::Marker,
                sequence,
                "a picture that does not end with it, or goes on",
            );
        }
        self.timestamp = Some(timestamp);
        Ok(())
    }

    /// Of the first packet of a picture.
    fn check_ids(
        &mut self,
        format: Format,
        payload: &[u8],
        mark: &Mark,
        is_source: bool,
        sequence: u64,
    ) -> Result<(), Broken> {
        let at = match format {
            Format::Vp8 => (2, 4),
            Format::Vp9 => (1, 4),
            Format::H264 | Format::Av1 => return Ok(()),
        };
        let picture = u16::from_be_bytes([payload[at.0] & 0x7f, payload[at.0 + 1]]);
        let tl0 = payload[at.1];
        let Ids { picture: last_picture, tl0: last_tl0 } = self.ids;
        if let (Some(before), Some(before_tl0)) = (last_picture, last_tl0) {
            let ahead = picture.wrapping_sub(before) & 0x7fff;
            let pictures =
                self.picture.map_or(0, |(_, last, _)| mark.frame.picture.wrapping_sub(last));
            let is_next =
                self.shown.is_none_or(|(_, size)| size == mark.frame.size || format == Format::Vp9);
            // Pictures between that were left out keep their numbers: later ones refer to them by those.
            let expected = if is_source || !is_next { 1 } else { pictures };
            // A camera that was paused begins anew.
            let begins = mark.frame.is_key && ahead == 1;
            let grows = tl0.wrapping_sub(before_tl0);
            if is_next && !begins && u32::from(ahead) != expected
                || ahead == 0
                || ahead >= 0x4000
                || grows >= 0x80
            {
                let what = (before, picture, before_tl0, tl0, expected);
                return broken(Law::Ids, sequence, what);
            }
        }
        self.ids = Ids { picture: Some(picture), tl0: Some(tl0) };
        Ok(())
    }

    fn check_descriptor(
        &mut self,
        packet: Rtp<'_>,
        mark: &Mark,
        begins: bool,
        sequence: u64,
    ) -> Result<(), Broken> {
        let bytes = extension(&packet.0[..packet.header_len()], DEPENDENCY);
        let Some((is_first, is_last, number)) = bytes.and_then(descriptor::read) else {
            return broken(Law::Ids, sequence, "no dependency descriptor");
        };
        if is_first != (mark.part == 0) || is_last != (mark.part + 1 == mark.parts) {
            return broken(Law::Ids, sequence, (is_first, is_last, mark));
        }
        let shift = number.wrapping_sub(mark.frame.number as u16);
        let is_same = self.shift == Some((mark.publisher, shift));
        let follows = self.newest_number.is_none_or(|before| number.wrapping_sub(before) == 1);
        // Numbers are those of the sender, shifted; where everything begins anew they go on from the last.
        if !(is_same || begins && follows) {
            return broken(Law::Ids, sequence, (self.shift, self.newest_number, number, mark));
        }
        self.shift = Some((mark.publisher, shift));
        self.newest_number = Some(number);
        Ok(())
    }
}
