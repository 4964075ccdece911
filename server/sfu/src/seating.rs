//! Which of a subscriber's slots shows whom. A seat is an audio slot and a video slot of the same place in their order:
//! they share a stream in the browser, which keeps lips and voice together.

use std::collections::BTreeMap;

use crate::plan::{Codec, PeerKey, SlotLine, Source, TrackKey};

/// Somebody in a seat: a person, or what a person shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sitter {
    part: Part,
    peer: PeerKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Person,
    Screen,
}

/// One track that a subscriber may receive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) track: usize,
    pub(crate) key: TrackKey,
    pub(crate) liveliness: Liveliness,
}

/// Whether a track sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Liveliness {
    Live,
    Silent,
}

/// Who sits where.
#[derive(Debug, Default)]
pub(crate) struct Seating {
    seats: Vec<Option<Sitter>>,
    /// Places of the audio and video slots in the plan.
    audio: Vec<usize>,
    video: Vec<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tracks {
    audio: Option<(usize, TrackKey)>,
    video: Option<(usize, TrackKey)>,
    is_live: bool,
}

impl Seating {
    /// Takes the slots as they are now. Those that existed keep their places.
    pub(crate) fn set_slots<'a>(&mut self, slots: impl Iterator<Item = &'a SlotLine>) {
        (self.audio, self.video) = (Vec::new(), Vec::new());
        for (at, slot) in slots.enumerate() {
            match slot.codec {
                Codec::Opus { .. } => self.audio.push(at),
                Codec::Vp8 { .. } => self.video.push(at),
            }
        }
        self.seats.resize(self.audio.len().max(self.video.len()), None);
    }

    /// Seats everybody who may be received; calls `assign` with what each slot carries.
    pub(crate) fn seat(
        &mut self,
        candidates: impl Iterator<Item = Candidate>,
        mut assign: impl FnMut(usize, Option<(usize, TrackKey)>),
    ) {
        let mut sitters: BTreeMap<Sitter, Tracks> = BTreeMap::new();
        for candidate in candidates {
            let sitter = Sitter::of(candidate.key);
            let tracks = sitters.entry(sitter).or_default();
            let named = Some((candidate.track, candidate.key));
            match candidate.key.source {
                Source::Mic | Source::ScreenAudio => tracks.audio = named,
                Source::Cam | Source::Screen => tracks.video = named,
            }
            tracks.is_live |= candidate.liveliness == Liveliness::Live;
        }
        for seat in &mut self.seats {
            if seat.is_some_and(|sitter| !sitters.contains_key(&sitter)) {
                *seat = None;
            }
        }
        for (sitter, tracks) in &sitters {
            if self.seats.contains(&Some(*sitter)) {
                self.improve(*sitter, tracks);
            } else if let Some(at) = self.free_seat(sitter, tracks, &sitters)
                && let Some(seat) = self.seats.get_mut(at)
            {
                *seat = Some(*sitter);
            }
        }
        for (at, seat) in self.seats.iter().enumerate() {
            let tracks = seat.and_then(|sitter| sitters.get(&sitter)).copied().unwrap_or_default();
            if let Some(slot) = self.audio.get(at) {
                assign(*slot, tracks.audio);
            }
            if let Some(slot) = self.video.get(at) {
                assign(*slot, tracks.video);
            }
        }
    }

    /// A seat that was taken with one track and lacks the slot for the other is changed for one that has both.
    fn improve(&mut self, sitter: Sitter, tracks: &Tracks) {
        let Some(at) = self.seats.iter().position(|seat| *seat == Some(sitter)) else { return };
        if self.fits(at, tracks) {
            return;
        }
        let better = (0..self.seats.len()).find(|at| self.is_free(*at) && self.fits(*at, tracks));
        if let Some(better) = better {
            self.seats.swap(at, better);
        }
    }

    fn free_seat(
        &self,
        sitter: &Sitter,
        tracks: &Tracks,
        sitters: &BTreeMap<Sitter, Tracks>,
    ) -> Option<usize> {
        let pictures = self.video.len();
        // The last picture is the screen's, as long as others are free.
        let order: Vec<usize> = match sitter.part {
            Part::Person => {
                let last = pictures.saturating_sub(1);
                (0..last).chain(pictures..self.seats.len()).chain(last..pictures).collect()
            }
            Part::Screen => (0..pictures).rev().chain(pictures..self.seats.len()).collect(),
        };
        let free = |at: &&usize| self.is_free(**at);
        let serves = |at: &&usize| {
            tracks.audio.is_some() && self.audio.get(**at).is_some()
                || tracks.video.is_some() && self.video.get(**at).is_some()
        };
        let silent =
            |at: &&usize| {
                self.seats.get(**at).copied().flatten().is_some_and(|sitting| {
                    sitters.get(&sitting).is_none_or(|tracks| !tracks.is_live)
                })
            };
        order
            .iter()
            .filter(free)
            .find(|at| self.fits(**at, tracks))
            .or_else(|| order.iter().filter(free).find(serves))
            // Somebody who sends nothing gives way to somebody who does.
            .or_else(|| order.iter().filter(serves).find(|at| tracks.is_live && silent(at)))
            .copied()
    }

    fn is_free(&self, at: usize) -> bool {
        self.seats.get(at).is_some_and(Option::is_none)
    }

    fn fits(&self, at: usize, tracks: &Tracks) -> bool {
        (tracks.audio.is_none() || self.audio.get(at).is_some())
            && (tracks.video.is_none() || self.video.get(at).is_some())
    }
}

impl Sitter {
    fn of(key: TrackKey) -> Self {
        let part = match key.source {
            Source::Mic | Source::Cam => Part::Person,
            Source::Screen | Source::ScreenAudio => Part::Screen,
        };
        Self { part, peer: key.peer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{ExtensionIds, Mid, PayloadType, Ssrc};

    fn slots(audio: u32, video: u32) -> Vec<SlotLine> {
        let line = |codec, ssrc: u32| SlotLine {
            mid: Mid::new(&format!("s{ssrc}")).unwrap(),
            codec,
            extensions: ExtensionIds::default(),
            ssrc: Ssrc(ssrc),
            rtx: None,
            first_sequence: 0,
            first_timestamp: 0,
        };
        let vp8 = Codec::Vp8 { pt: PayloadType(96), rtx: None };
        let opus = Codec::Opus { pt: PayloadType(111), red: None };
        (0..video)
            .map(|at| line(vp8, at))
            .chain((0..audio).map(|at| line(opus, 100 + at)))
            .collect()
    }

    /// Slots by their place in the plan: video first, then audio.
    fn seat(seating: &mut Seating, live: &[(u32, Source)]) -> Vec<Option<(u32, Source)>> {
        let candidates = live.iter().map(|&(peer, source)| Candidate {
            track: 0,
            key: TrackKey { peer: PeerKey(peer), source },
            liveliness: Liveliness::Live,
        });
        let mut carried = vec![None; seating.audio.len() + seating.video.len()];
        seating.seat(candidates, |slot, track| {
            carried[slot] = track.map(|(_, key)| (key.peer.0, key.source));
        });
        carried
    }

    #[test]
    fn voice_and_face_of_one_person_sit_in_slots_of_the_same_place_and_stay_there() {
        let mut seating = Seating::default();
        seating.set_slots(slots(5, 3).iter());

        let first = seat(&mut seating, &[(1, Source::Mic), (2, Source::Mic), (2, Source::Cam)]);
        assert_eq!(first[3..5], [Some((1, Source::Mic)), Some((2, Source::Mic))]);
        assert_eq!(first[..3], [None, Some((2, Source::Cam)), None]);

        let second = seat(&mut seating, &[(2, Source::Cam), (2, Source::Mic), (3, Source::Cam)]);
        assert_eq!(second[..3], [Some((3, Source::Cam)), Some((2, Source::Cam)), None]);
        assert_eq!(second[4], Some((2, Source::Mic)));
    }

    #[test]
    fn a_shared_screen_takes_the_last_picture_beside_its_owner() {
        let mut seating = Seating::default();
        seating.set_slots(slots(4, 3).iter());

        let carried = seat(
            &mut seating,
            &[(1, Source::Cam), (1, Source::Screen), (1, Source::ScreenAudio), (1, Source::Mic)],
        );

        assert_eq!(carried[0], Some((1, Source::Cam)));
        assert_eq!(carried[2], Some((1, Source::Screen)));
        assert_eq!(carried[3], Some((1, Source::Mic)));
        assert_eq!(carried[5], Some((1, Source::ScreenAudio)));
    }

    #[test]
    fn voices_beyond_the_pictures_are_heard_and_more_than_that_wait() {
        let mut seating = Seating::default();
        seating.set_slots(slots(3, 1).iter());
        let all: Vec<_> = (1..=5).map(|peer| (peer, Source::Mic)).collect();

        let carried = seat(&mut seating, &all);

        assert_eq!(carried.iter().flatten().count(), 3);
    }
}
