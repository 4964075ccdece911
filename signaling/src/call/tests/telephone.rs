//! The visit that goes on by telephone: who says so, who is told, and what counts.

use clinical::time::Modality;

use super::timed::Timed;
use super::*;
use crate::effect::Muted;
use crate::message::{Loss, SeatMedia, TelephoneFacts, TelephoneStep};

impl Timed {
    fn phone(&mut self, ms: i64, n: u128, step: TelephoneStep) {
        self.say(ms, n, ClientMessage::Telephone { step });
    }

    fn quiet(&mut self, ms: i64, n: u128, quiet: bool) {
        self.media(ms, MediaEvent::Quiet { seat: seat(n), quiet });
    }

    fn lost(&mut self, ms: i64, n: u128) {
        let effects = self.call.lost(at(ms), line(n));
        self.carry_out(ms, effects);
    }

    /// What somebody was told of the telephone, in order: since when, by whom.
    fn heard(&self, n: u128) -> Vec<Option<TelephoneFacts>> {
        let heard = said(&self.said, line(n)).into_iter().filter_map(|message| match message {
            ServerMessage::Telephone { telephone } => Some(*telephone),
            _ => None,
        });
        heard.collect()
    }

    /// How the media of somebody stands on somebody's screen.
    fn shown(&self, to: u128, whom: u128) -> Option<SeatMedia> {
        said(&self.said, line(to)).into_iter().rev().find_map(|message| match message {
            ServerMessage::Seat { seat: row } if row.seat == seat(whom) => Some(row.media),
            _ => None,
        })
    }

    fn refused(&self, n: u128) -> Option<RefusalCode> {
        said(&self.said, line(n)).into_iter().rev().find_map(|message| match message {
            ServerMessage::Refused { code, .. } => Some(*code),
            _ => None,
        })
    }
}

const fn since(ms: i64) -> Option<TelephoneFacts> {
    Some(TelephoneFacts {
        since_ms: Millis(START.0 + ms),
        by: Some(SeatId(Uuid::from_u128(PHARMACIST))),
    })
}

#[test]
fn a_minute_without_media_is_shown_and_the_telephone_opens_a_segment_of_its_own() {
    // A5: back after 20 s; later gone for good, then by telephone.
    let mut visit = Timed::talking();
    visit.quiet(300_000, PATIENT, true);
    visit.pass(320_000);
    assert_eq!(visit.shown(PHARMACIST, PATIENT), Some(SeatMedia::Off));
    visit.quiet(320_000, PATIENT, false);
    assert_eq!(visit.shown(PHARMACIST, PATIENT), Some(SeatMedia::Live));
    visit.quiet(600_000, PATIENT, true);
    visit.pass(659_999);
    assert_eq!(visit.shown(PHARMACIST, PATIENT), Some(SeatMedia::Off));
    visit.pass(660_000);
    assert_eq!(visit.shown(PHARMACIST, PATIENT), Some(SeatMedia::Unusable));

    visit.phone(665_000, PHARMACIST, TelephoneStep::Begin);

    assert_eq!(visit.heard(PHARMACIST), [since(665_000)]);
    assert_eq!(visit.heard(PATIENT), [since(665_000)]);
    assert_eq!(
        visit.segments(900_000),
        [(1_000, 665_000, Modality::Video, true), (665_000, 900_000, Modality::Phone, true)]
    );
}

#[test]
fn sound_nobody_understands_is_as_good_as_none() {
    let mut visit = Timed::talking();
    let loss = |from| MediaEvent::Lossy { seat: seat(PATIENT), loss: Loss { from, to: 0 } };
    visit.media(10_000, loss(20));
    visit.pass(100_000);
    assert_eq!(visit.shown(PHARMACIST, PATIENT), Some(SeatMedia::Live));

    visit.media(100_000, loss(30));
    visit.pass(160_000);

    assert_eq!(visit.shown(PHARMACIST, PATIENT), Some(SeatMedia::Unusable));
    assert_eq!(seat_state(&visit.said, line(PHARMACIST), seat(PATIENT)), Some(SeatState::Present));
}

#[test]
fn who_never_gets_on_video_is_shown_after_a_minute_too() {
    let mut visit = Timed::begin(consult_admitted());
    visit.pass(60_020);
    assert_eq!(visit.shown(PHARMACIST, PATIENT), Some(SeatMedia::Unusable));

    visit.phone(70_000, PHARMACIST, TelephoneStep::Begin);

    assert_eq!(visit.segments(100_000), [(70_000, 100_000, Modality::Phone, true)]);
}

#[test]
fn a_patient_who_never_came_counts_while_they_are_called() {
    let mut visit = Timed::begin(call(VisitKind::FollowUp));
    visit.join(0, PHARMACIST, Role::Pharmacist);
    visit.phone(5_000, PHARMACIST, TelephoneStep::Begin);
    // They open the page in the middle, and read their plan beside it.
    visit.join(50_000, PATIENT, Role::Patient);
    visit.phone(65_000, PHARMACIST, TelephoneStep::Over);
    visit.pass(200_000);

    assert_eq!(visit.segments(200_000), [(5_000, 65_000, Modality::Phone, true)]);
}

#[test]
fn video_that_comes_beside_the_telephone_counts_once_and_as_telephone() {
    let mut visit = Timed::talking();
    visit.join(2_000, CAREGIVER, Role::Caregiver);
    visit.say(3_000, PHARMACIST, ClientMessage::Admit { seat: seat(CAREGIVER), agreed: true });
    visit.media(4_000, MediaEvent::Connected { seat: seat(CAREGIVER) });

    visit.phone(60_000, PHARMACIST, TelephoneStep::Begin);
    visit.pass(120_000);
    visit.phone(120_000, PHARMACIST, TelephoneStep::BackToVideo);

    assert_eq!(
        visit.segments(180_000),
        [
            (1_000, 60_000, Modality::Video, true),
            (60_000, 120_000, Modality::Phone, true),
            (120_000, 180_000, Modality::Video, true),
        ]
    );
}

#[test]
fn back_to_video_needs_the_patients_media() {
    let mut visit = Timed::talking();
    visit.quiet(60_000, PATIENT, true);
    visit.phone(120_000, PHARMACIST, TelephoneStep::Begin);

    visit.phone(130_000, PHARMACIST, TelephoneStep::BackToVideo);
    assert_eq!(visit.refused(PHARMACIST), Some(RefusalCode::WrongState));
    visit.quiet(140_000, PATIENT, false);
    visit.phone(150_000, PHARMACIST, TelephoneStep::BackToVideo);

    assert_eq!(visit.heard(PATIENT), [since(120_000), None]);
}

#[test]
fn the_patient_is_not_heard_twice() {
    let mut visit = Timed::talking();
    let muted = |visit: &Timed| {
        let told = visit.said.iter().rev().find_map(|effect| match effect {
            Effect::Mute { seat: of, source: MediaSource::Mic, muted } if *of == seat(PATIENT) => {
                Some(*muted)
            }
            _ => None,
        });
        told.unwrap_or(Muted::No)
    };
    visit.phone(60_000, PHARMACIST, TelephoneStep::Begin);
    assert_eq!(muted(&visit), Muted::Yes);

    visit.phone(90_000, PHARMACIST, TelephoneStep::Over);

    assert_eq!(muted(&visit), Muted::No);
}

#[test]
fn a_telephone_nobody_hung_up_makes_no_time_and_a_short_drop_counts() {
    let mut visit = Timed::talking();
    visit.phone(60_000, PHARMACIST, TelephoneStep::Begin);
    visit.lost(100_000, PHARMACIST);
    visit.pass(130_000);
    visit.join(130_000, PHARMACIST, Role::Pharmacist);
    assert_eq!(visit.heard(PHARMACIST), [since(60_000), since(60_000)], "it still goes on");
    visit.lost(200_000, PHARMACIST);
    visit.pass(500_000);

    assert_eq!(
        visit.segments(500_000),
        [(1_000, 60_000, Modality::Video, true), (60_000, 200_000, Modality::Phone, true)]
    );
}

#[test]
fn whoever_telephones_hangs_up_by_leaving() {
    let mut visit = Timed::talking();
    visit.phone(60_000, PHARMACIST, TelephoneStep::Begin);
    visit.say(100_000, PHARMACIST, ClientMessage::Leave);

    assert_eq!(visit.heard(PATIENT), [since(60_000), None]);
    let stored = visit.said.iter().filter_map(|effect| match effect {
        Effect::KeepTelephone { telephone, entry, .. } => Some((*telephone, entry.deed.code())),
        _ => None,
    });
    let began = Telephone { since: at(60_000), by: seat(PHARMACIST) };
    assert_eq!(
        stored.collect::<Vec<_>>(),
        [(Some(began), "call.converted_to_phone"), (None, "call.phone_over")]
    );
}

#[test]
fn nobody_is_told_before_it_is_stored_nor_if_it_is_not() {
    let mut call = consult_admitted();
    let begin = ClientMessage::Telephone { step: TelephoneStep::Begin };
    let told = |effects: &[Effect]| {
        effects.iter().any(|effect| {
            matches!(effect, Effect::Send { message, .. }
                if matches!(**message, ServerMessage::Telephone { .. }))
        })
    };
    let effects = call.handle(at(1_000), line(PHARMACIST), begin.clone());
    assert!(!told(&effects) && effects.iter().any(|e| matches!(e, Effect::KeepTelephone { .. })));
    // Pressed again while the disk works.
    let effects = call.handle(at(1_100), line(PHARMACIST), begin.clone());
    let refused = |effects: &[Effect]| {
        said(effects, line(PHARMACIST)).into_iter().cloned().collect::<Vec<_>>()
    };
    let busy = ServerMessage::Refused { of: "telephone".to_owned(), code: RefusalCode::Busy };
    assert_eq!(refused(&effects).as_slice(), std::slice::from_ref(&busy));

    let effects = call.telephone_kept(at(1_200), 0, Kept::No);
    assert!(!told(&effects));
    assert_eq!(refused(&effects), [busy]);

    call.handle(at(2_000), line(PHARMACIST), begin);
    // An answer that came too late is about nothing any more.
    assert_eq!(call.telephone_kept(at(2_100), 0, Kept::Yes), []);
    let effects = call.telephone_kept(at(9_000), 1, Kept::Yes);
    assert!(told(&effects));
    let began = effects.iter().find_map(|effect| match effect {
        Effect::Time(event) => Some(event.at),
        _ => None,
    });
    assert_eq!(began, Some(at(2_000)), "from when it was said, however long the disk took");
}

#[test]
fn only_a_pharmacist_says_so_and_only_where_a_patient_is() {
    for (n, role) in [(PCP, Role::Pcp), (7, Role::Nurse)] {
        let mut visit = Timed::talking();
        visit.join(2_000, n, role);
        visit.phone(3_000, n, TelephoneStep::Begin);
        assert_eq!(visit.refused(n), Some(RefusalCode::NotAllowed), "{role:?}");
    }
    let mut visit = Timed::talking();
    visit.phone(3_000, PATIENT, TelephoneStep::Begin);
    assert_eq!(visit.refused(PATIENT), Some(RefusalCode::NotAllowed));

    for facts in
        [CallFacts { patient_seat: None, ..facts(VisitKind::FollowUp) }, facts(VisitKind::Huddle)]
    {
        let mut visit = Timed::begin(Call::new(START, facts));
        visit.join(0, PHARMACIST, Role::Pharmacist);
        visit.phone(3_000, PHARMACIST, TelephoneStep::Begin);
        assert_eq!(visit.refused(PHARMACIST), Some(RefusalCode::NotAllowed));
    }
}

#[test]
fn a_patient_who_waits_learns_that_they_are_called_and_by_nobodys_name() {
    let mut visit = Timed::begin(consult());
    visit.join(20, CAREGIVER, Role::Caregiver);
    visit.phone(1_000, PHARMACIST, TelephoneStep::Begin);

    let called = TelephoneFacts { since_ms: at(1_000), by: None };
    assert_eq!(visit.heard(PATIENT), [Some(called)]);
    assert_eq!(visit.heard(CAREGIVER), []);

    visit.say(2_000, PHARMACIST, ClientMessage::Admit { seat: seat(PATIENT), agreed: true });
    assert_eq!(visit.heard(PATIENT), [Some(called), since(1_000)]);
}

#[test]
fn a_restart_in_the_middle_goes_on_by_telephone_from_when_the_pharmacist_is_back() {
    let telephone = Some(Telephone { since: at(-90_000), by: seat(PHARMACIST) });
    let facts = CallFacts { telephone, ..facts(VisitKind::FollowUp) };
    let mut visit = Timed::begin(Call::new(START, facts));
    visit.join(1_000, PATIENT, Role::Patient);
    assert_eq!(visit.segments(10_000), []);

    visit.join(10_000, PHARMACIST, Role::Pharmacist);

    assert_eq!(visit.heard(PHARMACIST), [since(-90_000)]);
    assert_eq!(visit.segments(40_000), [(10_000, 40_000, Modality::Phone, true)]);
}

#[test]
fn who_only_waits_or_is_long_gone_is_not_in_it() {
    let mut visit = Timed::begin(call(VisitKind::FollowUp));
    visit.join(0, PATIENT, Role::Patient);
    assert!(!visit.call.is_anybody_in(), "only somebody who waits");
    visit.join(1_000, PCP, Role::Pcp);
    assert!(visit.call.is_anybody_in());
    visit.lost(2_000, PCP);
    visit.pass(100_000);
    assert!(visit.call.is_anybody_in(), "a line that may come back");
    visit.pass(122_000);
    assert!(!visit.call.is_anybody_in(), "nobody waits for them any more");
    visit.join(130_000, PCP, Role::Pcp);
    visit.say(131_000, PCP, ClientMessage::Leave);
    assert!(!visit.call.is_anybody_in(), "left");
}
