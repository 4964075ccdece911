//! What is due, and when something is next: one look at a peer for everything of it, and a call's speaker.

use std::time::{Duration, Instant};

use crate::command::Muted;
use crate::event::{CloseReason, Event};
use crate::limits::SPEAKER_INTERVAL;
use crate::peer::Peer;
use crate::plan::{CallKey, Source};
use crate::sfu::Sfu;
use crate::slot::Slot;
use crate::timer::Timer;

impl Sfu {
    pub(crate) fn peer_due(&mut self, index: usize, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        peer.armed = None;
        let (ufrags, addresses) = (&mut self.ufrags, &mut self.addresses);
        peer.ice.expire(
            now,
            |ufrag| {
                ufrags.remove(ufrag);
            },
            |path| {
                if addresses.get(&path) == Some(&index) {
                    addresses.remove(&path);
                }
            },
        );
        if !peer.ice.has_consent(now) {
            return self.close(index, CloseReason::ConsentExpired);
        }
        if let Some(state) = peer.grow_quiet(now) {
            self.events.push_back(Event::Liveness { peer: peer.key, state });
        }
        let is_connected = peer.session.is_some();
        let (feedback_due, report_due) = (now >= peer.next_feedback, now >= peer.next_report);
        let progress = peer.dtls.handle_timeout(now);
        self.look_at_layers(index, now);
        if is_connected {
            self.grow_silent(index, now);
            self.resume_sending(index, now);
            self.send_requests(index, now);
            if feedback_due {
                self.send_arrivals(index, now);
            }
            if report_due {
                self.send_reports(index, now);
            }
        }
        self.progress(index, progress, now);
    }

    /// Tells the timers when a peer is next to be looked at.
    pub(crate) fn arm_peer(&mut self, index: usize, now: Instant) {
        /// Consent, credentials and addresses end to the second.
        const HOUSEKEEPING: Duration = Duration::from_secs(1);
        /// Least time between two looks at one peer. Lower answers sooner, higher bounds the work.
        const TICK: Duration = Duration::from_millis(1);
        let Some(peer) = self.peers.get(index) else { return };
        let mut at = now + HOUSEKEEPING;
        let mut sooner = |deadline: Option<Instant>| {
            if let Some(deadline) = deadline {
                at = at.min(deadline);
            }
        };
        sooner(peer.dtls.poll_timeout());
        sooner(peer.quiet_at());
        if peer.session.is_some() {
            sooner(Some(peer.next_report));
            sooner(peer.line_due());
            sooner(peer.bandwidth.silent_at());
            sooner((!peer.arrivals.is_empty()).then_some(peer.next_feedback));
            sooner(self.next_request(peer, now));
            sooner(self.next_look_at_layers(peer));
        }
        // Whatever could not be done now is tried again, but not in a circle.
        let at = at.max(now + TICK);
        let Some(peer) = self.peers.get_mut(index) else { return };
        if peer.armed.is_none_or(|armed| at < armed) {
            peer.armed = Some(at);
            self.timers.arm(Timer::Peer(index), at);
        }
    }

    pub(crate) fn speaker_due(&mut self, key: CallKey, at: Instant, now: Instant) {
        let Some(call) = self.calls.get_mut(&key).filter(|call| call.speaker_timer == Some(at))
        else {
            return;
        };
        let (mut speech, mut speakers) = (Vec::new(), Vec::new());
        let mut is_heard = false;
        for track in &call.tracks {
            let Some(track) = self.tracks.get_mut(*track) else { continue };
            if track.key.source != Source::Mic {
                continue;
            }
            let heard = track.level.take();
            is_heard |= heard.sound;
            let Some(level) = heard.speech else { continue };
            let may_be_heard = track.muted == Muted::No && !track.audience.is_empty();
            if may_be_heard {
                track.spoke = Some(now);
                speakers.push(track.key.peer);
            }
            // Only who is heard can be the speaker.
            if !track.subscribers.is_empty() {
                speech.push((track.key.peer, level));
            }
        }
        if let Some(peer) = call.speaker.decide(speech.into_iter(), now) {
            self.events.push_back(Event::Speaker { call: key, peer });
        }
        let track = |key| {
            let track = self.by_track.get(&key).and_then(|at| self.tracks.get(*at))?;
            Some((track.liveliness()?, track.spoke))
        };
        // To seat everybody anew is dear: only if somebody who speaks would get a seat by it.
        let mut peers = call.peers.iter().filter_map(|peer| self.peers.get(*peer));
        let is_stale = peers.any(|Peer { seating, slots, .. }| {
            let is_pinned = |at| slots.get(at).is_some_and(Slot::is_pinned);
            speakers.iter().any(|speaker| seating.would_seat(*speaker, track, is_pinned, now))
        });
        if is_stale {
            self.stale.insert(key);
        }
        call.speaker_timer = (is_heard || call.speaker.current().is_some()).then(|| {
            let next = now + SPEAKER_INTERVAL;
            self.timers.arm(Timer::Speaker(key), next);
            next
        });
    }
}
