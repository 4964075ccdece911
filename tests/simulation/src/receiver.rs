//! Model receivers: a jitter buffer that asks again for what is missing and for a keyframe when that does not help, and a
//! decoder that needs every frame's predecessor.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sfu::plan::Ssrc;

use crate::packet::{OPUS, RTX, Rtp, Tag, Vp8, extend};

/// A NACK is repeated after this, as long as no round trip is known.
const NACK_REPEAT: Duration = Duration::from_millis(100);

/// Requests for one packet (libwebrtc: 10).
const NACK_TRIES: u8 = 10;

/// Frames that cannot be decoded for this long: a keyframe is asked for.
const STALL: Duration = Duration::from_millis(300);

/// A packet of sound that comes later than this after it was due is not played.
const PLAYOUT: Duration = Duration::from_millis(200);

/// Packets held back at most.
const BUFFER: u64 = 1_024;

/// What one slot shows.
#[derive(Debug)]
pub struct Receiver {
    /// Of the slot.
    pub ssrc: Ssrc,
    /// Frames decoded, or packets of sound played.
    pub played: u64,
    /// Packets of sound that were lost and came inside later ones.
    pub repeated: u64,
    /// Packets of sound that came too late.
    pub late: u64,
    /// When something was last played.
    pub last_played: Option<Instant>,
    /// Longest time between two things played, beginning with the first.
    pub longest_gap: Duration,
    /// Whom it shows.
    pub showing: Option<Tag>,
    newest: Option<u64>,
    packets: BTreeMap<u64, Part>,
    missing: BTreeMap<u64, (Option<Instant>, u8)>,
    /// The next packet to decode.
    next: Option<u64>,
    stalled_since: Option<Instant>,
    asked: Option<Instant>,
    /// Least transit so far, in ticks of 48 kHz: where the playout of sound counts from.
    transit: Option<i64>,
    /// Packets under the slot's own numbers since the last report, and the newest at that.
    came: u64,
    newest_reported: Option<u64>,
    /// Last sender report: the middle of its time, and when it came.
    report: Option<(u32, Instant)>,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    tag: Tag,
    starts: bool,
    ends: bool,
}

/// What a receiver has to say to its sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Sequence numbers to ask for again.
    pub nack: Vec<u16>,
    /// Whether a keyframe is needed.
    pub keyframe: bool,
}

impl Receiver {
    /// For a slot.
    pub fn new(ssrc: Ssrc) -> Self {
        Self {
            ssrc,
            played: 0,
            repeated: 0,
            late: 0,
            last_played: None,
            longest_gap: Duration::ZERO,
            showing: None,
            newest: None,
            packets: BTreeMap::new(),
            missing: BTreeMap::new(),
            next: None,
            stalled_since: None,
            asked: None,
            transit: None,
            came: 0,
            newest_reported: None,
            report: None,
        }
    }

    /// Takes a packet of the slot or of its retransmissions.
    pub fn receive(&mut self, packet: Rtp<'_>, start: Instant, now: Instant) {
        self.came += u64::from(packet.pt() != RTX);
        if let Some(frames) = packet.frames() {
            return self.receive_sound(packet, &frames, start, now);
        }
        let payload = packet.payload();
        let (sequence, payload) = if packet.pt() == RTX {
            // Probes of the sender are empty.
            let Some((original, payload)) = payload.split_first_chunk::<2>() else { return };
            (u16::from_be_bytes(*original), payload)
        } else {
            (packet.sequence(), payload)
        };
        let (Some(vp8), Some(tag)) = (Vp8::read(payload), Tag::of(packet.pt(), payload)) else {
            return;
        };
        let sequence = extend(self.newest, sequence);
        self.missing.remove(&sequence);
        let newest = self.newest.unwrap_or(sequence.saturating_sub(1));
        if sequence > newest {
            if sequence - newest > BUFFER {
                self.missing.clear();
            } else {
                self.missing.extend((newest + 1..sequence).map(|lost| (lost, (None, 0))));
            }
            self.newest = Some(sequence);
        }
        if self.next.is_some_and(|next| sequence < next) {
            return;
        }
        let ends = packet.marker();
        self.packets.insert(sequence, Part { tag, starts: vp8.starts, ends });
        while self.packets.len() as u64 > BUFFER {
            self.packets.pop_first();
        }
        self.decode(now);
    }

    fn receive_sound(
        &mut self,
        packet: Rtp<'_>,
        frames: &[(u32, &[u8])],
        start: Instant,
        now: Instant,
    ) {
        let sequence = extend(self.newest, packet.sequence());
        if self.newest.is_some_and(|newest| sequence <= newest) {
            return;
        }
        let gap = self.newest.replace(sequence).map_or(0, |newest| sequence - newest - 1);
        let Some((&(_, own), earlier)) = frames.split_last() else { return };
        let Some(tag) = Tag::of(OPUS, own) else { return };
        // A new talker, or one after a pause, begins a new playout.
        if self.showing.map(|it| it.publisher) != Some(tag.publisher) || packet.marker() {
            self.transit = None;
        }
        self.showing = Some(tag);
        let arrival = (now - start).as_micros() as i64 * 48 / 1_000;
        let transit = arrival.wrapping_sub(i64::from(packet.timestamp())) & 0xffff_ffff;
        let least = self.transit.map_or(transit, |least| least.min(transit));
        self.transit = Some(least);
        let is_late =
            |offset: u32| (transit + i64::from(offset) - least) / 48 > PLAYOUT.as_millis() as i64;
        for (place, (offset, _)) in (1..).zip(earlier.iter().rev()) {
            if place <= gap && !is_late(*offset) {
                self.repeated += 1;
                self.play(now);
            }
        }
        if is_late(0) {
            self.late += 1;
        } else {
            self.play(now);
        }
    }

    fn play(&mut self, now: Instant) {
        if let Some(last) = self.last_played {
            self.longest_gap = self.longest_gap.max(now - last);
        }
        self.last_played = Some(now);
        self.played += 1;
    }

    fn decode(&mut self, now: Instant) {
        while let Some(end) = self.frame_at_next().or_else(|| self.skip_to_keyframe()) {
            let tag = self.packets[&end].tag;
            self.packets = self.packets.split_off(&(end + 1));
            self.missing = self.missing.split_off(&(end + 1));
            self.next = Some(end + 1);
            let follows = self.showing.is_some_and(|last| {
                (last.publisher, last.source) == (tag.publisher, tag.source)
                    && last.frame + 1 == tag.frame
            });
            if tag.is_key || follows {
                self.showing = Some(tag);
                self.stalled_since = None;
                self.play(now);
            } else {
                // Its predecessor was never here.
                self.stalled_since.get_or_insert(now);
            }
        }
        let is_waiting_for_nothing = self.packets.is_empty() && self.missing.is_empty();
        if !is_waiting_for_nothing || self.showing.is_none() {
            self.stalled_since.get_or_insert(now);
        }
    }

    /// The last packet of the frame that begins with the next packet, if it is whole.
    fn frame_at_next(&self) -> Option<u64> {
        self.whole_frame_at(self.next?)
    }

    /// The last packet of the newest whole keyframe.
    fn skip_to_keyframe(&self) -> Option<u64> {
        let (start, _) =
            self.packets.iter().rev().find(|(_, part)| part.starts && part.tag.is_key)?;
        self.whole_frame_at(*start)
    }

    fn whole_frame_at(&self, start: u64) -> Option<u64> {
        for (expected, (at, part)) in (start..).zip(self.packets.range(start..)) {
            if *at != expected || (*at == start) != part.starts {
                return None;
            }
            if part.ends {
                return Some(*at);
            }
        }
        None
    }

    /// What is to be asked for now; `round_trip` if one is known.
    pub fn requests(&mut self, now: Instant) -> Requests {
        let mut requests = Requests::default();
        self.missing.retain(|sequence, (asked, tries)| {
            if asked.is_none_or(|asked| now - asked >= NACK_REPEAT) {
                *asked = Some(now);
                *tries += 1;
                requests.nack.push(*sequence as u16);
            }
            *tries < NACK_TRIES
        });
        requests.nack.truncate(60);
        let is_stalled = self.stalled_since.is_some_and(|since| now - since >= STALL);
        if is_stalled && self.asked.is_none_or(|asked| now - asked >= STALL) {
            self.asked = Some(now);
            requests.keyframe = true;
        }
        requests
    }

    /// Notes a sender report.
    pub fn reported(&mut self, middle: u32, now: Instant) {
        self.report = Some((middle, now));
    }

    /// In 1/256, since the last call (RFC 3550 §6.4.1).
    pub fn fraction_lost(&mut self) -> u8 {
        let came = std::mem::take(&mut self.came);
        let before = std::mem::replace(&mut self.newest_reported, self.newest);
        let expected = self.newest.zip(before).map_or(0, |(newest, before)| newest - before);
        let lost = expected.saturating_sub(came);
        (256 * lost).checked_div(expected).map_or(0, |share| u8::try_from(share).unwrap_or(255))
    }

    /// Highest sequence number, last report and how long ago in 1/65536 s; `None` before the first packet.
    pub fn reception(&self, now: Instant) -> Option<(u32, u32, u32)> {
        let (last, delay) = self.report.map_or((0, 0), |(middle, at)| {
            (middle, ((now - at).as_micros() * 65_536 / 1_000_000) as u32)
        });
        Some((self.newest? as u32, last, delay))
    }
}
