//! What each picture of a subscriber is given of its line: costs and ranks gathered for the allocation, its decision
//! carried out and told.

use std::time::Instant;

use crate::allocation::{Claim, Costs, Rank, Standing, budget_for};
use crate::command::Muted;
use crate::estimate::Bitrate;
use crate::event::{Event, PauseReason};
use crate::layers::{Need, choose};
use crate::peer::{Peer, Queue};
use crate::plan::{CallKey, Mid, PeerKey, Receives, Source};
use crate::redundancy::Redundancy;
use crate::sfu::Sfu;
use crate::slab::Slab;
use crate::slot::{PINNED, Share, Slot, Visibility};
use crate::track::{Activity, Track};

/// Kept for each voice that is heard, before any picture: Opus at 24 kb/s with its headers down to IP. More protects richer
/// sound, less shows a picture on a narrower line.
const VOICE_RESERVE: Bitrate = Bitrate::kbps(50);

impl Sfu {
    /// The same for everybody in a call, after its seats have changed.
    pub(crate) fn share_out_call(&mut self, call: CallKey, now: Instant) {
        let count = self.calls.get(&call).map_or(0, |call| call.peers.len());
        for at in 0..count {
            let index = self.calls.get(&call).and_then(|call| call.peers.get(at)).copied();
            if let Some(index) = index {
                self.share_out(index, now);
            }
        }
    }

    /// Decides anew what a subscriber's slots are given. Whoever is given something, or nothing any more, is compiled anew.
    pub(crate) fn share_out(&mut self, index: usize, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        let speaker = self.calls.get(&peer.call).and_then(|call| call.speaker.current());
        let Peer { key, call, slots, allocator, bandwidth, loss_to, redundancy, .. } = peer;
        let estimate = bandwidth.estimate();
        let (mut reserve, mut voices) = (Bitrate::ZERO, 0);
        for slot in slots.iter().filter(|slot| carried(slot, &self.tracks).is_some()) {
            match slot.line.receives {
                Receives::Sound { pt: _, red } => {
                    reserve = reserve.plus(VOICE_RESERVE);
                    voices += u64::from(red.is_some());
                }
                Receives::Pictures(_) => {}
            }
        }
        let congestion = bandwidth.congestion(now);
        *redundancy = Redundancy::choose(loss_to.loss(), congestion, estimate, voices, reserve);
        let reserve = reserve.plus(redundancy.reserve(voices));
        let is_settled = |slot: &Slot| matches!(slot.share, Share::Given | Share::Unplayable);
        if estimate.is_none() && slots.iter().all(is_settled) {
            return;
        }
        self.claims.clear();
        for (at, slot) in slots.iter().enumerate() {
            match slot.line.receives {
                Receives::Sound { .. } => {}
                Receives::Pictures(_) => self.claims.extend(claim(at, slot, &self.tracks, speaker)),
            }
        }
        let decided = match bandwidth.for_pictures() {
            Some(estimate) => allocator.decide(estimate.minus(reserve), &self.claims, now),
            None => &[],
        };
        let mut decided = self.claims.iter().zip(decided).peekable();
        let mut is_changed = false;
        for (at, slot) in slots.iter_mut().enumerate() {
            if slot.share == Share::Unplayable {
                continue;
            }
            let (share, cap) = match decided.next_if(|(claim, _)| claim.slot == at) {
                Some((_, None)) => (Share::Refused, None),
                // Where the line carries all that the tile needs, a larger tile needs no decision.
                Some((claim, layer)) => {
                    (Share::Given, layer.filter(|_| *layer < claim.costs.largest()))
                }
                // Without an estimate there is room; what costs nothing now begins small when it comes back.
                None => (Share::Given, estimate.map(|_| 0)),
            };
            if cap != slot.cap {
                slot.cap = cap;
                self.unsettled.extend(slot.source.map(|source| source.track));
            }
            let before = std::mem::replace(&mut slot.share, share);
            is_changed |= before != share;
            let told = told(before, share, *key, slot.line.mid);
            self.counters.video_pauses +=
                u64::from(matches!(told, Some(Event::VideoPaused { .. })));
            self.events.extend(told);
        }
        if is_changed {
            self.stale.insert(*call);
        }
        if slots.iter().any(Slot::can_probe) {
            let wanted = self.claims.iter().map(|claim| claim.costs.most());
            let wanted = wanted.fold(Bitrate::ZERO, Bitrate::plus);
            bandwidth.plan_probe(budget_for(wanted).plus(reserve), now);
        }
        if bandwidth.probe_due().is_some() && peer.queue == Queue::Outside {
            peer.queue = Queue::Waiting;
            self.queue.push_back(index);
        }
    }

    /// Says at once that a line no longer tells what it carries: its pictures wait.
    pub(crate) fn grow_silent(&mut self, index: usize, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        if peer.bandwidth.silent_at().is_some_and(|at| at <= now) {
            peer.bandwidth.tick(now);
            self.share_out(index, now);
        }
    }

    /// Sends what a full line made wait, and what a probe has to send.
    pub(crate) fn resume_sending(&mut self, index: usize, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        if peer.line_due().is_some_and(|due| due <= now) && peer.queue == Queue::Outside {
            peer.queue = Queue::Waiting;
            self.queue.push_back(index);
        }
    }
}

/// The track that a slot carries, if it sends.
fn carried<'a>(slot: &Slot, tracks: &'a Slab<Track>) -> Option<&'a Track> {
    let source = slot.source.filter(|_| slot.share != Share::Unplayable)?;
    tracks.get(source.track).filter(|track| {
        track.key == source.key
            && track.muted == Muted::No
            && matches!(track.activity, Activity::Up { .. })
    })
}

/// What is said when a slot's share changes.
pub(crate) fn told(before: Share, share: Share, peer: PeerKey, mid: Mid) -> Option<Event> {
    match (before, share) {
        (Share::Given | Share::Undecided | Share::Unplayable, Share::Refused) => {
            Some(Event::VideoPaused { peer, mid, reason: PauseReason::Bandwidth })
        }
        (Share::Given | Share::Undecided | Share::Refused, Share::Unplayable) => {
            Some(Event::VideoPaused { peer, mid, reason: PauseReason::Format })
        }
        (Share::Refused, Share::Given) | (Share::Unplayable, Share::Given | Share::Undecided) => {
            Some(Event::VideoResumed { peer, mid })
        }
        (Share::Given | Share::Undecided, Share::Given | Share::Undecided)
        | (Share::Refused, Share::Refused | Share::Undecided)
        | (Share::Unplayable, Share::Unplayable) => None,
    }
}

/// What a slot of pictures would cost.
fn claim(at: usize, slot: &Slot, tracks: &Slab<Track>, speaker: Option<PeerKey>) -> Option<Claim> {
    let track = carried(slot, tracks)?;
    let Visibility::Wanted { tile } = slot.wish else { return None };
    let largest = choose(track.rungs().as_slice(), Need { tile, cap: None }).wanted;
    let rank = match track.key.source {
        Source::Screen => Rank::Screen,
        Source::Cam | Source::Mic | Source::ScreenAudio
            if slot.is_pinned() || speaker == Some(track.key.peer) =>
        {
            Rank::Front
        }
        Source::Cam | Source::Mic | Source::ScreenAudio => {
            Rank::Rest(PINNED.saturating_sub(slot.priority))
        }
    };
    let (given, standing) = match slot.share {
        Share::Undecided => (None, Standing::New),
        Share::Given => (Some(slot.cap.map_or(largest, |cap| cap.min(largest))), Standing::Decided),
        Share::Refused => (None, Standing::Decided),
        Share::Unplayable => return None,
    };
    let costs = Costs::new((0..=largest).map(|rung| track.cost(rung)));
    Some(Claim { slot: at, rank, costs, given, standing })
}
