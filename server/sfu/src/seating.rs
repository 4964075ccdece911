//! Which of a subscriber's slots shows whom. A seat is an audio slot and a video slot of the same place in their order:
//! they share a stream in the browser, which keeps lips and voice together.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::limits::{SEAT_HOLD, SPEECH_IS_FRESH};
use crate::plan::{PeerKey, Receives, SlotLine, Source, TrackKey};

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
    /// When speech was last heard in it.
    pub(crate) spoke: Option<Instant>,
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
    /// Who found no seat, in order.
    standing: Vec<Sitter>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tracks {
    audio: Option<(usize, TrackKey)>,
    video: Option<(usize, TrackKey)>,
    is_live: bool,
    spoke: Option<Instant>,
}

impl Seating {
    /// Takes the slots as they are now. Those that existed keep their places.
    pub(crate) fn set_slots<'a>(&mut self, slots: impl Iterator<Item = &'a SlotLine>) {
        (self.audio, self.video) = (Vec::new(), Vec::new());
        for (at, slot) in slots.enumerate() {
            match slot.receives {
                Receives::Sound { .. } => self.audio.push(at),
                Receives::Pictures(_) => self.video.push(at),
            }
        }
        self.seats.resize(self.audio.len().max(self.video.len()), None);
    }

    /// Seats everybody who may be received; calls `assign` with what each slot carries. Where seats are fewer than people,
    /// who sends nothing gives way to who does, and whoever speaks takes the seat of the one who has been silent the
    /// longest; nobody takes one whose slot `is_pinned`.
    pub(crate) fn seat(
        &mut self,
        candidates: impl Iterator<Item = Candidate>,
        is_pinned: impl Fn(usize) -> bool,
        now: Instant,
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
            tracks.spoke = tracks.spoke.max(candidate.spoke);
        }
        for seat in &mut self.seats {
            if seat.is_some_and(|sitter| !sitters.contains_key(&sitter)) {
                *seat = None;
            }
        }
        for (sitter, tracks) in &sitters {
            if self.is_seated(*sitter) {
                self.improve(*sitter, tracks);
            } else if let Some(at) = self.free_seat(sitter, tracks, &sitters, &is_pinned)
                && let Some(seat) = self.seats.get_mut(at)
            {
                *seat = Some(*sitter);
            }
        }
        self.standing = sitters.keys().filter(|it| !self.is_seated(**it)).copied().collect();
        self.give_way_to_speakers(&sitters, &is_pinned, now);
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
        is_pinned: &impl Fn(usize) -> bool,
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
            // Somebody who sends nothing gives way to somebody who does, but for whom the viewer waits: a line that
            // drops must not cost the patient the place, nor give its pin to a stranger.
            .or_else(|| {
                let mut yielding = order.iter().filter(serves).filter(silent);
                yielding.find(|at| tracks.is_live && !self.is_held(**at, is_pinned))
            })
            .copied()
    }

    fn give_way_to_speakers(
        &mut self,
        sitters: &BTreeMap<Sitter, Tracks>,
        is_pinned: &impl Fn(usize) -> bool,
        now: Instant,
    ) {
        let spoke = |sitter: Sitter| sitters.get(&sitter).and_then(|tracks| tracks.spoke);
        let is_speaking = |sitter: &Sitter| {
            spoke(*sitter).is_some_and(|at| now.saturating_duration_since(at) < SPEECH_IS_FRESH)
        };
        let mut speakers: Vec<_> = self.standing.iter().copied().filter(is_speaking).collect();
        speakers.sort_by_key(|sitter| std::cmp::Reverse(spoke(*sitter)));
        for speaker in speakers {
            let Some((at, quietest)) = self.quietest(spoke, is_pinned, now) else { return };
            if let Some(seat) = self.seats.get_mut(at) {
                *seat = Some(speaker);
            }
            self.standing.retain(|sitter| *sitter != speaker);
            self.standing.push(quietest);
            self.standing.sort_unstable();
        }
    }

    /// Whom a speaker would take the seat of: the person silent the longest, and for long enough, whom nobody pinned.
    fn quietest(
        &self,
        spoke: impl Fn(Sitter) -> Option<Instant>,
        is_pinned: &impl Fn(usize) -> bool,
        now: Instant,
    ) -> Option<(usize, Sitter)> {
        let is_silent = |at: Instant| now.saturating_duration_since(at) >= SEAT_HOLD;
        (0..self.audio.len())
            .filter_map(|at| Some((at, self.seats.get(at).copied().flatten()?)))
            .filter(|(at, sitting)| {
                sitting.part == Part::Person
                    && !self.is_held(*at, is_pinned)
                    && spoke(*sitting).is_none_or(is_silent)
            })
            .min_by_key(|(_, sitting)| spoke(*sitting))
    }

    /// Whether this person, who speaks, has no seat and would be given one: of a speaker silent for long, or of somebody who
    /// sends nothing. `track` says whether a track sends, and when speech was last heard in it.
    pub(crate) fn would_seat(
        &self,
        peer: PeerKey,
        track: impl Fn(TrackKey) -> Option<(Liveliness, Option<Instant>)>,
        is_pinned: impl Fn(usize) -> bool,
        now: Instant,
    ) -> bool {
        let person = Sitter { part: Part::Person, peer };
        if self.standing.binary_search(&person).is_err() {
            return false;
        }
        let tracks = |sitter: Sitter| sitter.tracks().into_iter().filter_map(&track);
        let spoke = |sitter: Sitter| tracks(sitter).filter_map(|(_, spoke)| spoke).max();
        let is_live = |sitter: Sitter| tracks(sitter).any(|(it, _)| it == Liveliness::Live);
        let is_seen = track(TrackKey { peer, source: Source::Cam }).is_some();
        self.quietest(spoke, &is_pinned, now).is_some()
            || self.seats.iter().enumerate().any(|(at, sitting)| {
                let serves =
                    self.audio.get(at).is_some() || is_seen && self.video.get(at).is_some();
                serves && !self.is_held(at, &is_pinned) && sitting.is_some_and(|it| !is_live(it))
            })
    }

    fn is_seated(&self, sitter: Sitter) -> bool {
        self.seats.contains(&Some(sitter))
    }

    /// Whether the viewer pinned the picture of this seat.
    fn is_held(&self, at: usize, is_pinned: &impl Fn(usize) -> bool) -> bool {
        self.video.get(at).is_some_and(|slot| is_pinned(*slot))
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

    fn tracks(self) -> [TrackKey; 2] {
        let sources = match self.part {
            Part::Person => [Source::Mic, Source::Cam],
            Part::Screen => [Source::ScreenAudio, Source::Screen],
        };
        sources.map(|source| TrackKey { peer: self.peer, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::plan::{ExtensionIds, Format, Formats, Mid, PayloadType, Ssrc};
    use crate::time::anchor;

    fn slots(audio: u32, video: u32) -> Vec<SlotLine> {
        let line = |receives, ssrc: u32| SlotLine {
            mid: Mid::new(&format!("s{ssrc}")).unwrap(),
            receives,
            extensions: ExtensionIds::default(),
            ssrc: Ssrc(ssrc),
            rtx: None,
            first_sequence: 0,
            first_timestamp: 0,
        };
        let vp8 = Formats::default().with(Format::Vp8, PayloadType(96), None);
        let vp8 = Receives::Pictures(vp8);
        let opus = Receives::Sound { pt: PayloadType(111), red: None };
        (0..video)
            .map(|at| line(vp8, at))
            .chain((0..audio).map(|at| line(opus, 100 + at)))
            .collect()
    }

    /// Slots by their place in the plan: video first, then audio.
    fn seat(seating: &mut Seating, people: &[(u32, Source)]) -> Vec<Option<(u32, Source)>> {
        carried(seating, live(people), &[], anchor())
    }

    fn seat_beside(
        seating: &mut Seating,
        people: &[(u32, Source)],
        silent: &[(u32, Source)],
    ) -> Vec<Option<(u32, Source)>> {
        let silent = live(silent).into_iter();
        let silent = silent.map(|it| Candidate { liveliness: Liveliness::Silent, ..it });
        carried(seating, live(people).into_iter().chain(silent).collect(), &[], anchor())
    }

    fn live(people: &[(u32, Source)]) -> Vec<Candidate> {
        let candidate = |&(peer, source): &(u32, Source)| Candidate {
            track: 0,
            key: TrackKey { peer: PeerKey(peer), source },
            liveliness: Liveliness::Live,
            spoke: None,
        };
        people.iter().map(candidate).collect()
    }

    /// The same people, who spoke then.
    fn spoken(mut candidates: Vec<Candidate>, spoke: &[(u32, Instant)]) -> Vec<Candidate> {
        for candidate in &mut candidates {
            let mut found = spoke.iter().filter(|(peer, _)| *peer == candidate.key.peer.0);
            candidate.spoke = found.next().map(|(_, at)| *at);
        }
        candidates
    }

    fn carried(
        seating: &mut Seating,
        candidates: Vec<Candidate>,
        pinned: &[usize],
        now: Instant,
    ) -> Vec<Option<(u32, Source)>> {
        let mut carried = vec![None; seating.audio.len() + seating.video.len()];
        let is_pinned = |slot| pinned.contains(&slot);
        seating.seat(candidates.into_iter(), is_pinned, now, |slot, track| {
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

    #[test]
    fn whoever_speaks_takes_the_seat_of_the_one_silent_the_longest_and_never_a_pinned_one() {
        let (start, mut seating) = (anchor(), Seating::default());
        seating.set_slots(slots(3, 3).iter());
        let all: Vec<_> = (1..=5).map(|peer| (peer, Source::Mic)).collect();
        let second = |at| start + Duration::from_secs(at);
        let mut who = |spoke: &[(u32, Instant)], pinned: &[usize], now| -> Vec<u32> {
            let carried = carried(&mut seating, spoken(live(&all), spoke), pinned, now);
            carried[3..].iter().flatten().map(|(peer, _)| *peer).collect()
        };

        assert_eq!(who(&[], &[], start), [1, 2, 3]);
        let spoke = [(1, second(1)), (2, second(4)), (4, second(10))];
        assert_eq!(who(&spoke, &[], second(10)), [1, 2, 4], "the third had never spoken");
        let spoke = [(1, second(1)), (2, second(4)), (4, second(10)), (5, second(20))];
        assert_eq!(who(&spoke, &[0], second(20)), [1, 5, 4], "the first is pinned");
        assert_eq!(who(&spoke, &[0], second(20)), [1, 5, 4], "and it stays so");
    }

    #[test]
    fn a_seat_that_spoke_just_now_is_kept_and_old_speech_takes_none() {
        let (start, mut seating) = (anchor(), Seating::default());
        seating.set_slots(slots(1, 1).iter());
        let both = [(1, Source::Mic), (2, Source::Mic)];
        let mut who = |spoke: &[(u32, Instant)], now| {
            carried(&mut seating, spoken(live(&both), spoke), &[], now)[1].map(|(peer, _)| peer)
        };
        let now = start + Duration::from_secs(60);
        let ago = |age| now.checked_sub(age).unwrap();

        let just = Duration::from_millis(10);
        assert_eq!(who(&[(1, ago(SEAT_HOLD - just)), (2, now)], now), Some(1), "a word between");
        assert_eq!(who(&[(2, ago(SPEECH_IS_FRESH))], now), Some(1), "it was long ago");
        assert_eq!(who(&[(1, ago(SEAT_HOLD)), (2, ago(just))], now), Some(2));
        let later = start + SEAT_HOLD;
        let heard =
            |key: TrackKey| (key.source == Source::Mic).then_some((Liveliness::Live, Some(start)));
        let would_seat = |peer, now| seating.would_seat(PeerKey(peer), heard, |_| false, now);
        assert!(would_seat(1, later) && !would_seat(2, later), "the second sits");
        assert!(!would_seat(1, later.checked_sub(just).unwrap()), "the second spoke just now");
        assert!(!seating.would_seat(PeerKey(1), heard, |_| true, later), "and is pinned");
        let gone = |key| heard(key).map(|(_, spoke)| (Liveliness::Silent, spoke));
        assert!(seating.would_seat(PeerKey(1), gone, |_| false, start), "or is gone");
    }

    #[test]
    fn without_a_slot_for_sound_nobody_would_be_seated_for_speaking() {
        let mut seating = Seating::default();
        seating.set_slots(slots(0, 1).iter());
        seat(&mut seating, &[(1, Source::Cam), (2, Source::Cam)]);
        let live = |_| Some((Liveliness::Live, None));
        assert!(!seating.would_seat(PeerKey(2), live, |_| false, anchor()));
        let silent = |_| Some((Liveliness::Silent, None));
        assert!(seating.would_seat(PeerKey(2), silent, |_| false, anchor()), "but for a picture");
    }

    #[test]
    fn a_pinned_person_whose_line_drops_keeps_the_seat() {
        let mut seating = Seating::default();
        seating.set_slots(slots(2, 2).iter());
        let sitting = [(1, Source::Mic), (2, Source::Mic)];
        seat(&mut seating, &sitting);

        let dropped =
            live(&sitting).into_iter().map(|it| Candidate { liveliness: Liveliness::Silent, ..it });
        let everybody = dropped.chain(live(&[(3, Source::Mic), (4, Source::Mic)])).collect();
        let carried = carried(&mut seating, everybody, &[0], anchor());

        assert_eq!(carried[2..], [Some((1, Source::Mic)), Some((3, Source::Mic))]);
    }

    #[test]
    fn who_sends_nothing_gives_way_to_who_does_and_to_nobody_else() {
        let mut seating = Seating::default();
        seating.set_slots(slots(2, 2).iter());
        let both = |peer| [(peer, Source::Mic), (peer, Source::Cam)];
        seat(&mut seating, &[both(1), both(2)].concat());

        // One live track of the two is enough to keep the seat.
        let half = [&both(2)[..], &[(1, Source::Cam), (3, Source::Mic)]].concat();
        let carried = seat_beside(&mut seating, &half, &[(1, Source::Mic)]);
        assert!(!carried.contains(&Some((3, Source::Mic))));

        // Silent people are not exchanged for each other.
        let carried = seat_beside(&mut seating, &both(2), &[&both(1)[..], &both(3)].concat());
        assert!(carried.contains(&Some((1, Source::Mic))));

        let carried =
            seat_beside(&mut seating, &[&both(2)[..], &[(3, Source::Mic)]].concat(), &both(1));
        assert!(carried.contains(&Some((3, Source::Mic))));
        assert!(!carried.contains(&Some((1, Source::Mic))));
        assert!(carried.contains(&Some((2, Source::Cam))));
    }
}
