//! What is said for the billing time, and what follows from it.

use clinical::time::{Live, Modality, Side};

use super::timed::Timed;
use super::*;

#[test]
fn time_begins_when_both_have_media_and_the_patient_is_let_in() {
    let mut timed = Timed::begin(call(VisitKind::FollowUp));
    timed.join(0, PHARMACIST, Role::Pharmacist);
    timed.up(100, PHARMACIST);
    timed.join(200, PATIENT, Role::Patient);
    // A transport alone is no admission.
    timed.up(300, PATIENT);
    assert_eq!(timed.segments(10_000), []);

    timed.say(2_000, PHARMACIST, ClientMessage::Admit { seat: seat(PATIENT), agreed: true });
    timed.up(3_000, PATIENT);

    assert_eq!(timed.segments(10_000), [(2_000, 10_000, Modality::Video, true)]);
}

#[test]
fn a_doctor_and_an_interpreter_make_no_time() {
    let mut timed = Timed::begin(call(VisitKind::FollowUp));
    for (n, role) in [(PCP, Role::Pcp), (7, Role::Nurse), (8, Role::Chw), (9, Role::Specialist)] {
        timed.join(0, n, role);
        timed.up(100, n);
    }
    timed.join(0, PATIENT, Role::Patient);
    timed.say(300, PCP, ClientMessage::Admit { seat: seat(PATIENT), agreed: true });
    timed.up(1_000, PATIENT);

    assert_eq!(timed.segments(10_000), []);
    assert!(timed.events.iter().all(|event| event.side == Side::Patient));
}

#[test]
fn team_meetings_are_never_timed() {
    for kind in [VisitKind::Huddle, VisitKind::Echo, VisitKind::Curbside] {
        let mut timed = Timed::begin(call(kind));
        timed.join(0, PHARMACIST, Role::Pharmacist);
        timed.up(100, PHARMACIST);
        assert_eq!(timed.events, [], "{kind:?}");
    }
}

#[test]
fn a_line_that_drops_stops_the_time_and_a_short_drop_counts() {
    let mut timed = Timed::talking();
    timed.media(60_000, MediaEvent::Quiet { seat: seat(PATIENT), quiet: true });
    assert_eq!(timed.segments(90_000), [(1_000, 60_000, Modality::Video, true)]);

    timed.media(80_000, MediaEvent::Quiet { seat: seat(PATIENT), quiet: false });

    assert_eq!(timed.segments(90_000), [(1_000, 90_000, Modality::Video, true)]);
}

#[test]
fn a_patient_who_is_put_outside_is_on_hold() {
    let mut timed = Timed::talking();
    timed.say(60_000, PHARMACIST, ClientMessage::SendBack { seat: seat(PATIENT) });
    timed.pass(250_000);
    timed.say(250_000, PHARMACIST, ClientMessage::Admit { seat: seat(PATIENT), agreed: true });
    timed.up(251_000, PATIENT);

    assert_eq!(
        timed.segments(300_000),
        [
            (1_000, 60_000, Modality::Video, true),
            (60_000, 251_000, Modality::Video, false),
            (251_000, 300_000, Modality::Video, true),
        ]
    );
}

#[test]
fn who_shows_and_sends_nothing_does_not_consult() {
    let mut timed = Timed::talking();
    let patch = |muted, camera_off| {
        presence(PresencePatch {
            muted: Some(muted),
            camera_off: Some(camera_off),
            ..Default::default()
        })
    };
    timed.say(10_000, PHARMACIST, patch(true, false));
    timed.say(20_000, PATIENT, patch(false, true));
    timed.say(30_000, PHARMACIST, patch(false, true));
    timed.say(40_000, PHARMACIST, patch(true, true));

    assert_eq!(
        timed.segments(100_000),
        [(1_000, 30_000, Modality::Video, true), (30_000, 40_000, Modality::Audio, true)]
    );
}

#[test]
fn a_finger_on_the_camera_button_writes_two_rows_a_second_and_loses_none() {
    let mut timed = Timed::talking();
    let before = timed.events.len();
    for n in 0..100 {
        let off = n % 2 == 0;
        let patch = PresencePatch { camera_off: Some(off), ..PresencePatch::default() };
        timed.say(10_000 + n * 20, PATIENT, presence(patch));
        timed.pass(10_000 + n * 20);
    }
    let off = PresencePatch { camera_off: Some(true), ..PresencePatch::default() };
    timed.say(12_010, PATIENT, presence(off));
    timed.pass(20_000);

    let said = timed.events.len() - before;
    assert!((1..=6).contains(&said), "{said}");
    assert_eq!(timed.events.last().map(|event| event.live), Some(Live::Audio));
}

#[test]
fn leaving_and_being_taken_out_end_the_time() {
    let mut timed = Timed::talking();
    timed.say(50_000, PATIENT, ClientMessage::Leave);
    assert_eq!(timed.segments(90_000), [(1_000, 50_000, Modality::Video, true)]);

    let mut timed = Timed::talking();
    let effects = timed.call.revoke(at(40_000), seat(PATIENT));
    timed.carry_out(40_000, effects);
    assert_eq!(timed.segments(90_000), [(1_000, 40_000, Modality::Video, true)]);
}

#[test]
fn a_new_transport_has_no_media_until_it_is_up() {
    let mut timed = Timed::talking();
    timed.say(20_000, PATIENT, offer(TransportKind::New));
    timed.pass(200_000);
    timed.up(200_000, PATIENT);

    assert_eq!(
        timed.segments(210_000),
        [
            (1_000, 20_000, Modality::Video, true),
            (20_000, 200_000, Modality::Video, false),
            (200_000, 210_000, Modality::Video, true),
        ]
    );
}
