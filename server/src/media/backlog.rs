//! Events that wait for somebody slow.

use std::collections::VecDeque;

use sfu::event::Event;

/// Events in order. A newer one replaces an older one that it makes void, so that what waits is bounded by what there is
/// (peers, slots, tracks) and not by time, and no state is lost: three events of a peer's life, two of how it is heard, two
/// for each of its slots (40 at most) and two for each of its four tracks, 93 in all.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    events: VecDeque<Event>,
}

impl Backlog {
    pub(crate) fn push(&mut self, event: Event) {
        self.events.retain(|older| !replaces(&event, older));
        self.events.push_back(event);
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Puts the event that was taken last back to the front.
    pub(crate) fn put_back(&mut self, event: Event) {
        self.events.push_front(event);
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }
}

/// Whether the newer event tells the same thing as it is now.
fn replaces(newer: &Event, older: &Event) -> bool {
    match (newer, older) {
        (Event::Speaker { call, .. }, Event::Speaker { call: other, .. }) => call == other,
        (Event::Liveness { peer, .. }, Event::Liveness { peer: other, .. }) => peer == other,
        (Event::Losses { peer, .. }, Event::Losses { peer: other, .. }) => peer == other,
        (Event::Slot { peer, mid, .. }, Event::Slot { peer: other_peer, mid: other_mid, .. }) => {
            peer == other_peer && mid == other_mid
        }
        (
            Event::VideoPaused { peer, mid, .. } | Event::VideoResumed { peer, mid },
            Event::VideoPaused { peer: other_peer, mid: other_mid, .. }
            | Event::VideoResumed { peer: other_peer, mid: other_mid },
        ) => peer == other_peer && mid == other_mid,
        (
            Event::TrackUp { track } | Event::TrackDown { track },
            Event::TrackUp { track: other } | Event::TrackDown { track: other },
        ) => track == other,
        (Event::LayerDemand { track, .. }, Event::LayerDemand { track: other, .. }) => {
            track == other
        }
        (
            Event::Connected { .. }
            | Event::TrackUp { .. }
            | Event::TrackDown { .. }
            | Event::LayerDemand { .. }
            | Event::Slot { .. }
            | Event::VideoPaused { .. }
            | Event::VideoResumed { .. }
            | Event::Speaker { .. }
            | Event::Liveness { .. }
            | Event::Losses { .. }
            | Event::Closed { .. }
            | Event::Left { .. },
            _,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use sfu::event::{CloseReason, Liveness, Loss, PauseReason, SrtpProfile};
    use sfu::plan::{CallKey, Mid, PeerKey, Source, TrackKey};

    use super::*;

    /// Every event that the relay can tell of one peer with one slot, the `round`th time.
    fn all(peer: u32, round: u32) -> Vec<Event> {
        let (peer, mid) = (PeerKey(peer), Mid::new("v0").expect("mid"));
        let track = TrackKey { peer, source: Source::Cam };
        vec![
            Event::TrackUp { track },
            Event::LayerDemand { track, rids: vec![] },
            Event::Slot { peer, mid, track: None, from_rtp_timestamp: Some(round) },
            Event::VideoPaused { peer, mid, reason: PauseReason::Bandwidth },
            Event::Speaker { call: CallKey(1), peer: Some(peer) },
            Event::Liveness { peer, state: Liveness::Quiet },
            Event::Losses { peer, from: Loss::Five, to: Loss::Little },
            Event::TrackDown { track },
            Event::VideoResumed { peer, mid },
            Event::Liveness { peer, state: Liveness::Heard },
        ]
    }

    #[test]
    fn whatever_is_told_and_however_often_only_what_holds_waits() {
        let mut backlog = Backlog::default();
        for round in 0..100 {
            for peer in 1..=4 {
                all(peer, round).into_iter().for_each(|event| backlog.push(event));
            }
        }

        assert_eq!(
            backlog.len(),
            4 * 6 + 1,
            "one of each kind for a peer, one speaker of the call"
        );
        let held: Vec<Event> = std::iter::from_fn(|| backlog.pop()).collect();
        let mid = Mid::new("v0").expect("mid");
        for peer in [1, 2, 3, 4].map(PeerKey) {
            let track = TrackKey { peer, source: Source::Cam };
            let newest = Event::Slot { peer, mid, track: None, from_rtp_timestamp: Some(99) };
            assert!(held.contains(&newest));
            assert!(held.contains(&Event::TrackDown { track }));
            assert!(held.contains(&Event::VideoResumed { peer, mid }));
            assert!(held.contains(&Event::Liveness { peer, state: Liveness::Heard }));
        }
    }

    #[test]
    fn what_happens_once_in_a_peers_life_is_never_merged() {
        let mut backlog = Backlog::default();
        let peer = PeerKey(1);
        let profile = SrtpProfile::AeadAes128Gcm;
        let life = [
            Event::Connected { peer, profile },
            Event::Closed { peer, reason: CloseReason::ConsentExpired },
            Event::Left { peer },
        ];
        for event in &life {
            backlog.push(event.clone());
            all(2, 0).into_iter().for_each(|event| backlog.push(event));
        }

        let held: Vec<Event> = std::iter::from_fn(|| backlog.pop()).collect();
        let order: Vec<&Event> = held.iter().filter(|event| life.contains(event)).collect();
        assert_eq!(order, life.iter().collect::<Vec<_>>(), "in the order they happened");
    }
}
