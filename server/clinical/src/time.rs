//! Billing time: from who was in a visit with which live media when, to segments and counted seconds; and from those,
//! by a payer's rules, which are data ([`rules`]), to units and the billing support sheet ([`sheet`]).
//!
//! Counted is what a pharmacist and the patient's side spend in the same call with live media. Time is a union of
//! intervals: two devices, two pharmacists or patient and caregiver never count twice. A gap up to the tolerance counts;
//! a longer one is left out from its first second. Holding a visit is a gap like any other: while the patient waits
//! outside, they have no live media.

pub mod rules;
pub mod sheet;
pub mod units;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::actor::Millis;
use crate::id::SeatId;

/// Whose time a seat's is. Seats of anybody else do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A pharmacist.
    Pharmacist,
    /// The patient, or who speaks for them.
    Patient,
}

/// What a seat has of live media, in the order of what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Live {
    /// Nothing: it is not in the call, its transport is down or silent, or it sends neither sound nor picture.
    Off,
    /// A telephone call beside the visit, as the pharmacist says: it carries no media of ours.
    Phone,
    /// Sound both ways.
    Audio,
    /// Sound both ways, and it sends a picture.
    Video,
}

impl Live {
    /// Every state, for tables that must be total.
    pub const ALL: [Self; 4] = [Self::Off, Self::Phone, Self::Audio, Self::Video];
}

/// From `at` on, a seat's live media is this. What was before holds until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, on the call's clock: wall time read once, carried on monotonically, so it never goes back within a call.
    pub at: Millis,
    /// Whose media.
    pub seat: SeatId,
    /// On which side it counts.
    pub side: Side,
    /// What it has.
    pub live: Live,
}

/// What is known of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attendance {
    /// In order.
    pub events: Vec<Event>,
    /// Until when the call is known to have gone on: now while it does, its end, or, if a crash cut it, the last moment
    /// that was written down.
    pub until: Millis,
}

/// How a stretch of a visit was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// Sound both ways and a picture at least one way.
    Video,
    /// Sound both ways.
    Audio,
    /// By telephone on one side.
    Phone,
    /// By video, the patient in the clinic with staff beside them.
    ClinicAssisted,
    /// In one room.
    InPerson,
}

impl Modality {
    /// Every modality, for tables that must be total.
    pub const ALL: [Self; 5] =
        [Self::Video, Self::Audio, Self::Phone, Self::ClinicAssisted, Self::InPerson];
}

/// Where the patient was, as attested by the pharmacist: media cannot tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Apart from everybody who cares for them.
    #[default]
    Remote,
    /// In a clinic with staff beside them, the pharmacist on the screen.
    ClinicAssisted,
    /// In one room with the pharmacist.
    InPerson,
}

/// A stretch of a visit. Segments touch: one begins where the one before it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// From.
    pub start: Millis,
    /// Until.
    pub stop: Millis,
    /// How. Of a stretch that is left out: how it was before.
    pub modality: Modality,
    /// Whether it counts.
    pub counted: bool,
}

impl Segment {
    /// Length in milliseconds.
    pub const fn ms(&self) -> i64 {
        self.stop.0.saturating_sub(self.start.0)
    }
}

/// The segments of a visit, from the first counted moment to the last.
///
/// `gap_tolerance_s` is the longest gap that counts, in seconds. Calls of one visit follow each other; where two overlap
/// (a clock that was set back between them), the overlap counts once.
pub fn segments(calls: &[Attendance], setting: Setting, gap_tolerance_s: u32) -> Vec<Segment> {
    let mut talk: Vec<(Millis, Millis, Modality)> =
        calls.iter().flat_map(|call| talk(call, setting)).collect();
    talk.sort_by_key(|(start, stop, _)| (*start, *stop));
    let tolerance_ms = i64::from(gap_tolerance_s).saturating_mul(1_000);
    let mut segments: Vec<Segment> = Vec::new();
    for (start, stop, modality) in talk {
        let Some(last) = segments.last_mut() else {
            segments.push(Segment { start, stop, modality, counted: true });
            continue;
        };
        let start = start.max(last.stop);
        if stop <= start {
            continue;
        }
        if start.0.saturating_sub(last.stop.0) > tolerance_ms {
            let gap =
                Segment { start: last.stop, stop: start, modality: last.modality, counted: false };
            segments.push(gap);
        } else {
            // A short gap belongs to what came before it.
            last.stop = start;
            if last.modality == modality {
                last.stop = stop;
                continue;
            }
        }
        segments.push(Segment { start, stop, modality, counted: true });
    }
    segments
}

/// Counted milliseconds.
pub fn counted_ms(segments: &[Segment]) -> i64 {
    segments.iter().filter(|segment| segment.counted).map(Segment::ms).sum()
}

/// Whether both sides have live media at the end of the last call: time is running if that call still is.
pub fn is_running(calls: &[Attendance], setting: Setting) -> bool {
    calls.last().is_some_and(|call| {
        let mut state = State::default();
        for event in &call.events {
            state.take(event);
        }
        state.modality(setting).is_some()
    })
}

/// When both sides of one call had live media, and how.
fn talk(call: &Attendance, setting: Setting) -> Vec<(Millis, Millis, Modality)> {
    let mut found: Vec<(Millis, Millis, Modality)> = Vec::new();
    let mut state = State::default();
    let mut from = Millis(i64::MIN);
    let ends = call.events.iter().map(|event| (event.at.min(call.until), Some(event)));
    for (at, event) in ends.chain([(call.until, None)]) {
        let at = at.max(from);
        if let Some(modality) = state.modality(setting)
            && at > from
        {
            match found.last_mut() {
                Some((_, stop, before)) if *stop == from && *before == modality => *stop = at,
                Some(_) | None => found.push((from, at, modality)),
            }
        }
        from = at;
        if let Some(event) = event {
            state.take(event);
        }
    }
    found
}

/// Who has what at a moment of a call.
#[derive(Default)]
struct State(BTreeMap<SeatId, (Side, Live)>);

impl State {
    fn take(&mut self, event: &Event) {
        self.0.insert(event.seat, (event.side, event.live));
    }

    fn best(&self, of: Side) -> Live {
        let lives = self.0.values().filter(|(side, _)| *side == of).map(|(_, live)| *live);
        lives.max().unwrap_or(Live::Off)
    }

    /// How both sides speak with each other; `None`: they do not.
    fn modality(&self, setting: Setting) -> Option<Modality> {
        let by_media = match (self.best(Side::Pharmacist), self.best(Side::Patient)) {
            (Live::Off, _) | (_, Live::Off) => return None,
            // Who has only a telephone sees nothing and is not seen.
            (Live::Phone, _) | (_, Live::Phone) => Modality::Phone,
            (Live::Video, Live::Audio | Live::Video) | (Live::Audio, Live::Video) => {
                Modality::Video
            }
            (Live::Audio, Live::Audio) => Modality::Audio,
        };
        Some(match (setting, by_media) {
            (Setting::InPerson, _) => Modality::InPerson,
            (Setting::ClinicAssisted, Modality::Video) => Modality::ClinicAssisted,
            (Setting::ClinicAssisted | Setting::Remote, by_media) => by_media,
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn seat(n: u128) -> SeatId {
        SeatId(Uuid::from_u128(n))
    }

    fn event(at_s: i64, n: u128, side: Side, live: Live) -> Event {
        Event { at: Millis(at_s * 1_000), seat: seat(n), side, live }
    }

    fn pharmacist(at_s: i64, live: Live) -> Event {
        event(at_s, 1, Side::Pharmacist, live)
    }

    fn patient(at_s: i64, live: Live) -> Event {
        event(at_s, 2, Side::Patient, live)
    }

    fn call(events: Vec<Event>, until_s: i64) -> Attendance {
        Attendance { events, until: Millis(until_s * 1_000) }
    }

    fn remote(calls: &[Attendance]) -> Vec<(i64, i64, Modality, bool)> {
        segments(calls, Setting::Remote, 120)
            .iter()
            .map(|s| (s.start.0 / 1_000, s.stop.0 / 1_000, s.modality, s.counted))
            .collect()
    }

    #[test]
    fn nothing_counts_until_both_sides_have_live_media() {
        let call = call(
            vec![pharmacist(0, Live::Video), patient(60, Live::Off), patient(90, Live::Audio)],
            200,
        );

        assert_eq!(remote(&[call]), [(90, 200, Modality::Video, true)]);
    }

    #[test]
    fn a_gap_of_two_minutes_counts_and_one_second_more_is_left_out_from_its_first() {
        let drop_for = |gap: i64| {
            call(
                vec![
                    pharmacist(0, Live::Video),
                    patient(0, Live::Video),
                    patient(100, Live::Off),
                    patient(100 + gap, Live::Video),
                ],
                400,
            )
        };

        assert_eq!(remote(&[drop_for(120)]), [(0, 400, Modality::Video, true)]);
        assert_eq!(
            remote(&[drop_for(121)]),
            [
                (0, 100, Modality::Video, true),
                (100, 221, Modality::Video, false),
                (221, 400, Modality::Video, true),
            ]
        );
    }

    #[test]
    fn a_gap_at_the_end_is_no_gap() {
        let call = call(
            vec![pharmacist(0, Live::Video), patient(0, Live::Video), patient(100, Live::Off)],
            150,
        );

        assert_eq!(remote(&[call]), [(0, 100, Modality::Video, true)]);
    }

    #[test]
    fn two_pharmacists_and_a_caregiver_count_once() {
        let call = call(
            vec![
                pharmacist(0, Live::Video),
                event(0, 3, Side::Pharmacist, Live::Audio),
                patient(10, Live::Audio),
                event(20, 4, Side::Patient, Live::Video),
                pharmacist(50, Live::Off),
                patient(60, Live::Off),
            ],
            100,
        );

        assert_eq!(remote(&[call]), [(10, 100, Modality::Video, true)]);
    }

    #[test]
    fn a_drop_of_20_s_changes_nothing_and_a_telephone_opens_a_segment_of_its_own() {
        // Scenario A5: back after 20 s; later 60 s without media, then by telephone.
        let call = call(
            vec![
                pharmacist(0, Live::Video),
                patient(0, Live::Video),
                patient(300, Live::Off),
                patient(320, Live::Video),
                patient(600, Live::Off),
                event(660, 2, Side::Patient, Live::Phone),
            ],
            1_000,
        );

        assert_eq!(
            remote(&[call]),
            [(0, 660, Modality::Video, true), (660, 1_000, Modality::Phone, true)]
        );
    }

    #[test]
    fn a_call_that_was_cut_counts_to_the_last_moment_known_and_goes_on_with_the_next() {
        let talking = |from| vec![pharmacist(from, Live::Audio), patient(from, Live::Audio)];

        assert_eq!(
            remote(&[call(talking(0), 95), call(talking(110), 200)]),
            [(0, 200, Modality::Audio, true)]
        );
        // The clock was set back between two calls: what overlaps counts once.
        assert_eq!(
            remote(&[call(talking(0), 100), call(talking(50), 120)]),
            [(0, 120, Modality::Audio, true)]
        );
        assert!(is_running(&[call(talking(0), 95)], Setting::Remote));
    }

    #[test]
    fn what_is_attested_names_what_media_cannot_tell() {
        let talk = |live| call(vec![pharmacist(0, live), patient(0, live)], 60);
        for (live, setting, expected) in [
            (Live::Video, Setting::ClinicAssisted, Modality::ClinicAssisted),
            (Live::Audio, Setting::ClinicAssisted, Modality::Audio),
            (Live::Video, Setting::InPerson, Modality::InPerson),
        ] {
            let found = segments(&[talk(live)], setting, 120);
            assert_eq!(found[0].modality, expected, "{live:?} {setting:?}");
        }
    }

    #[test]
    fn events_in_disorder_never_make_time() {
        let call = call(
            vec![pharmacist(100, Live::Video), patient(50, Live::Video), patient(300, Live::Off)],
            200,
        );

        assert_eq!(remote(&[call]), [(100, 200, Modality::Video, true)]);
    }
}
