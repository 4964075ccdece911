//! What must hold of everything the relay sends, checked packet by packet.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use sfu::Path;
use sfu::plan::{Mid, PeerKey, Plan, SlotLine, Source, Ssrc, TrackKey};

use crate::packet::{OPUS, RTX, Rtcp, Rtp, Tag, VP8, Vp8, compound, extend};

/// The invariants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Sequence numbers of a slot are those of its source, shifted; a switch goes on where it stopped.
    Contiguous,
    /// Timestamps never go back; at a switch they advance by the time that passed.
    Timestamps,
    /// A switch begins with a keyframe.
    Keyframe,
    /// Nothing to somebody who may not receive it.
    Audience,
    /// Nothing to an address without a recent check.
    Consent,
    /// Caches are bounded.
    Caches,
    /// A retransmission is what was lost, at most once in a round trip.
    Retransmission,
    /// At most five keyframe requests a second to one source.
    KeyframeRequests,
    /// Picture ids and TL0PICIDX only grow.
    PictureIds,
    /// No SRTP index is used twice.
    Index,
    /// A connected subscriber sees a picture soon after loss ends.
    Recovery,
    /// After all have left nothing is kept.
    Memory,
}

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When, from the beginning.
    pub at: Duration,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} after {:?}: {}", self.invariant, self.at, self.what)
    }
}

/// Consent (RFC 7675 §5.1): checks older than this permit nothing.
const CONSENT: Duration = Duration::from_secs(30);

/// Keyframe requests a second.
const MOST_KEYFRAME_REQUESTS: usize = 5;

/// Packets of a slot whose content is remembered.
const REMEMBERED: u64 = 1_024;

/// The relay assumes this round trip before it has measured one.
const ASSUMED_ROUND_TRIP: Duration = Duration::from_millis(100);

/// Looks at everything.
#[derive(Debug)]
pub struct Watch {
    start: Instant,
    audience: BTreeMap<TrackKey, BTreeSet<PeerKey>>,
    muted: BTreeSet<TrackKey>,
    gone: BTreeSet<PeerKey>,
    checks: BTreeMap<Path, Instant>,
    slots: BTreeMap<(PeerKey, Ssrc), Slot>,
    repairs: BTreeMap<(PeerKey, Ssrc), Repair>,
    /// Least round trip of each peer's link.
    round_trips: BTreeMap<PeerKey, Duration>,
    keyframe_requests: BTreeMap<Ssrc, VecDeque<Instant>>,
    /// The first thing that broke.
    pub violation: Option<Violation>,
    /// Switches of what a slot shows.
    pub switches: u64,
    /// Retransmissions seen.
    pub repaired: u64,
    /// Padding seen.
    pub padding: u64,
}

#[derive(Debug)]
struct Slot {
    mid: Mid,
    first_sequence: u16,
    newest: Option<Newest>,
    segment: Option<Segment>,
    sent: Vec<Option<Sent>>,
}

#[derive(Clone, Copy, Debug)]
struct Newest {
    sequence: u64,
    timestamp: u32,
    at: Instant,
    vp8: Option<Vp8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    publisher: u32,
    source: Source,
    /// Our number less the source's.
    shift: i64,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    sequence: u64,
    timestamp: u32,
    tag: Tag,
    len: usize,
    resent: Option<Instant>,
}

#[derive(Debug)]
struct Repair {
    media: Ssrc,
    next: Option<u64>,
}

impl Watch {
    /// Has seen nothing.
    pub fn new(start: Instant) -> Self {
        Self {
            start,
            audience: BTreeMap::new(),
            muted: BTreeSet::new(),
            gone: BTreeSet::new(),
            checks: BTreeMap::new(),
            slots: BTreeMap::new(),
            repairs: BTreeMap::new(),
            round_trips: BTreeMap::new(),
            keyframe_requests: BTreeMap::new(),
            violation: None,
            switches: 0,
            repaired: 0,
            padding: 0,
        }
    }

    /// Somebody joins.
    pub fn joins(&mut self, peer: PeerKey, plan: &Plan, round_trip: Duration) {
        self.round_trips.insert(peer, round_trip);
        for slot in &plan.slots {
            self.slots.insert((peer, slot.ssrc), Slot::new(slot));
            if let Some(rtx) = slot.rtx {
                self.repairs.insert((peer, rtx), Repair { media: slot.ssrc, next: None });
            }
        }
    }

    /// The control side decides who may receive a track.
    pub fn admits(&mut self, track: TrackKey, peers: &[PeerKey]) {
        self.audience.insert(track, peers.iter().copied().collect());
    }

    /// It mutes a track, or lets it be heard.
    pub fn mutes(&mut self, track: TrackKey, is_muted: bool) {
        if is_muted {
            self.muted.insert(track);
        } else {
            self.muted.remove(&track);
        }
    }

    /// It was told that somebody has left.
    pub fn leaves(&mut self, peer: PeerKey) {
        self.gone.insert(peer);
    }

    /// Whether a peer may have a track now.
    pub fn may_receive(&self, track: TrackKey, peer: PeerKey) -> bool {
        track.peer != peer
            && !self.muted.contains(&track)
            && !self.gone.contains(&track.peer)
            && self.audience.get(&track).is_some_and(|peers| peers.contains(&peer))
    }

    /// A valid check arrived.
    pub fn checked(&mut self, path: Path, now: Instant) {
        self.checks.insert(path, now);
    }

    /// Notes a broken invariant, if it is the first.
    pub fn breaks(&mut self, invariant: Invariant, now: Instant, what: String) {
        let at = now - self.start;
        self.violation.get_or_insert(Violation { invariant, at, what });
    }

    /// Looks at a datagram to a peer, in plaintext.
    pub fn sent(&mut self, peer: PeerKey, path: Path, bytes: &[u8], now: Instant) {
        // The answer to a check goes to the address it vouches for.
        if bytes[0] < 4 {
            return;
        }
        if self.checks.get(&path).is_none_or(|checked| now - *checked > CONSENT) {
            self.breaks(Invariant::Consent, now, format!("{peer:?} at {path:?}"));
        }
        if self.gone.contains(&peer) {
            self.breaks(Invariant::Audience, now, format!("{peer:?} has left"));
        }
        if bytes[0] < 128 {
            return;
        }
        if (192..224).contains(&bytes[1]) {
            for packet in compound(bytes) {
                self.control(&packet, now);
            }
            return;
        }
        let packet = Rtp(bytes);
        let seen = if packet.pt() == RTX {
            self.repair(peer, packet, now)
        } else {
            self.media(peer, packet, now)
        };
        if let Err((invariant, what)) = seen {
            self.breaks(invariant, now, format!("to {peer:?}: {what}"));
        }
    }

    fn control(&mut self, packet: &Rtcp<'_>, now: Instant) {
        let Some(media) = packet.picture_loss() else { return };
        let asked = self.keyframe_requests.entry(media).or_default();
        asked.push_back(now);
        while asked.front().is_some_and(|first| now - *first > Duration::from_secs(1)) {
            asked.pop_front();
        }
        if asked.len() > MOST_KEYFRAME_REQUESTS {
            let what = format!("{} in a second for {media:?}", asked.len());
            self.breaks(Invariant::KeyframeRequests, now, what);
        }
    }

    fn media(
        &mut self,
        peer: PeerKey,
        packet: Rtp<'_>,
        now: Instant,
    ) -> Result<(), (Invariant, String)> {
        let ssrc = packet.ssrc();
        let no_tag = || (Invariant::Contiguous, "no tag".to_owned());
        let frames = packet.frames();
        let (own, earlier) = match frames.as_deref().and_then(<[_]>::split_last) {
            Some((&(_, own), earlier)) => (Tag::of(OPUS, own), earlier),
            None => (Tag::of(packet.pt(), packet.payload()), &[][..]),
        };
        let tag = own.ok_or_else(no_tag)?;
        let track = TrackKey { peer: PeerKey(tag.publisher), source: tag.source };
        if !self.may_receive(track, peer) {
            return Err((Invariant::Audience, format!("{track:?}")));
        }
        for (offset, frame) in earlier {
            let repeated = Tag::of(OPUS, frame).ok_or_else(no_tag)?;
            let is_same = (repeated.publisher, repeated.source) == (tag.publisher, tag.source);
            if !is_same || repeated.counter >= tag.counter || *offset == 0 {
                return Err((Invariant::Contiguous, format!("{repeated:?} inside {tag:?}")));
            }
        }
        let slot = self
            .slots
            .get_mut(&(peer, ssrc))
            .ok_or((Invariant::Contiguous, format!("{ssrc:?} is no slot")))?;
        let switched = slot.take(packet, tag, now)?;
        self.switches += u64::from(switched);
        Ok(())
    }

    fn repair(
        &mut self,
        peer: PeerKey,
        packet: Rtp<'_>,
        now: Instant,
    ) -> Result<(), (Invariant, String)> {
        let key = (peer, packet.ssrc());
        let repair = self
            .repairs
            .get_mut(&key)
            .ok_or((Invariant::Retransmission, "no such stream".to_owned()))?;
        let sequence = match repair.next {
            None => u64::from(packet.sequence()),
            Some(next) => extend(Some(next), packet.sequence()),
        };
        if repair.next.is_some_and(|next| next != sequence) {
            let what = format!("retransmission {sequence} instead of {:?}", repair.next);
            return Err((Invariant::Index, what));
        }
        repair.next = Some(sequence + 1);
        let media = repair.media;
        let Some((original, payload)) = packet.payload().split_first_chunk::<2>() else {
            self.padding += 1;
            return Ok(());
        };
        self.repaired += 1;
        let broken = |what: &str| Err((Invariant::Retransmission, what.to_owned()));
        let original = u16::from_be_bytes(*original);
        let round_trip = self.round_trips.get(&peer).copied().unwrap_or_default();
        let tag = Tag::of(RTX, payload);
        let Some(slot) = self.slots.get_mut(&(peer, media)) else { return broken("no slot") };
        let Some(sent) = slot.remembered(original) else { return broken("never sent") };
        if tag != Some(sent.tag)
            || packet.timestamp() != sent.timestamp
            || payload.len() != sent.len
        {
            return broken("not what was lost");
        }
        // The relay's measure lies between what it assumed at first and what the link has.
        let least = round_trip.min(ASSUMED_ROUND_TRIP).mul_f64(0.9);
        if sent.resent.is_some_and(|resent| now - resent < least) {
            return broken("twice in a round trip");
        }
        sent.resent = Some(now);
        let track = TrackKey { peer: PeerKey(sent.tag.publisher), source: sent.tag.source };
        if !self.may_receive(track, peer) {
            return Err((Invariant::Audience, format!("{track:?}, again")));
        }
        Ok(())
    }
}

impl Slot {
    fn new(line: &SlotLine) -> Self {
        Self {
            mid: line.mid,
            first_sequence: line.first_sequence,
            newest: None,
            segment: None,
            sent: vec![None; REMEMBERED as usize],
        }
    }

    fn remembered(&mut self, sequence: u16) -> Option<&mut Sent> {
        let sequence = extend(Some(self.newest?.sequence), sequence);
        self.sent
            .get_mut((sequence % REMEMBERED) as usize)?
            .as_mut()
            .filter(|sent| sent.sequence == sequence)
    }

    /// Whether it switched.
    fn take(
        &mut self,
        packet: Rtp<'_>,
        tag: Tag,
        now: Instant,
    ) -> Result<bool, (Invariant, String)> {
        let newest = self.newest;
        let sequence = extend(newest.map(|it| it.sequence), packet.sequence());
        let mid = self.mid;
        if newest.is_some_and(|newest| newest.sequence >= sequence + REMEMBERED)
            || self.remembered(packet.sequence()).is_some()
        {
            return Err((Invariant::Index, format!("{mid:?}: {sequence} again")));
        }
        let segment = Segment {
            publisher: tag.publisher,
            source: tag.source,
            shift: sequence as i64 - tag.counter as i64,
        };
        let vp8 = (packet.pt() == VP8).then(|| Vp8::read(packet.payload())).flatten();
        let is_switch = self.segment != Some(segment);
        if is_switch {
            let expected =
                newest.map_or(u64::from(self.first_sequence), |newest| newest.sequence + 1);
            if sequence != expected {
                let what = format!("{mid:?}: {sequence} instead of {expected}, {tag:?}");
                return Err((Invariant::Contiguous, what));
            }
            if vp8.is_some_and(|vp8| !vp8.starts || !tag.is_key) {
                return Err((Invariant::Keyframe, format!("{mid:?}: begins with {tag:?}")));
            }
            self.segment = Some(segment);
        }
        if newest.is_none_or(|newest| sequence > newest.sequence) {
            if let Some(newest) = newest {
                self.advances(newest, packet, vp8, is_switch, now)?;
            }
            let timestamp = packet.timestamp();
            self.newest = Some(Newest { sequence, timestamp, at: now, vp8 });
        }
        self.sent[(sequence % REMEMBERED) as usize] = Some(Sent {
            sequence,
            timestamp: packet.timestamp(),
            tag,
            len: packet.payload().len(),
            resent: None,
        });
        Ok(is_switch)
    }

    fn advances(
        &self,
        newest: Newest,
        packet: Rtp<'_>,
        vp8: Option<Vp8>,
        is_switch: bool,
        now: Instant,
    ) -> Result<(), (Invariant, String)> {
        let mid = self.mid;
        let ticks = packet.timestamp().wrapping_sub(newest.timestamp);
        if ticks > 1 << 31 {
            return Err((Invariant::Timestamps, format!("{mid:?}: back by {}", !ticks)));
        }
        if is_switch {
            let rate = if vp8.is_some() { 90 } else { 48 };
            let passed = (now - newest.at).as_micros() as i64 * rate / 1_000;
            let off = (i64::from(ticks) - passed).abs();
            // One frame of the slowest picture: 15 a second.
            if off > 66 * rate {
                return Err((Invariant::Timestamps, format!("{mid:?}: a switch off by {off}")));
            }
        }
        if let (Some(before), Some(after)) = (newest.vp8, vp8) {
            let pictures = after.picture_id.wrapping_sub(before.picture_id) & 0x7fff;
            let layers = after.tl0.wrapping_sub(before.tl0);
            // Eight bits say nothing about a longer gap before the relay.
            let is_tl0_back = layers >= 0x80 && pictures < 0x80;
            if pictures >= 0x4000 || is_tl0_back || (pictures == 0) != (ticks == 0) {
                let what = format!("{mid:?}: {before:?} then {after:?} after {ticks} ticks");
                return Err((Invariant::PictureIds, what));
            }
        }
        Ok(())
    }
}
