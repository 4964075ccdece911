mod telephone;
mod time;
mod timed;
mod walk;

use clinical::actor::{Millis, Role};
use clinical::id::{CallId, ConnectionId, PersonId, RecordId, SeatId, VisitId};
use clinical::phi::Phi;
use uuid::Uuid;

use super::*;
use crate::effect::{Muted, Standing};
use crate::message::{
    Admission, CameraFormat, Held, MediaSource, Rid, SeatState, SrtpAttempt, TransportKind,
};
use crate::presence::PresencePatch;

const START: Millis = Millis(1_000_000);

fn at(ms: i64) -> Millis {
    Millis(START.0 + ms)
}

fn seat(n: u128) -> SeatId {
    SeatId(Uuid::from_u128(n))
}

fn line(n: u128) -> ConnectionId {
    ConnectionId(Uuid::from_u128(1000 + n))
}

fn who(n: u128, role: Role) -> SeatFacts {
    let person = PersonId(Uuid::from_u128(2000 + n));
    SeatFacts { seat: seat(n), person, name: Phi::new(format!("Name {n}")), role }
}

fn facts(kind: VisitKind) -> CallFacts {
    CallFacts {
        call: CallId(Uuid::from_u128(1)),
        visit: VisitId(Uuid::from_u128(2)),
        kind,
        practice: Phi::new("Practice".to_owned()),
        phone: "555-0100".to_owned(),
        camera: CameraFormat::Vp8,
        record: Some(RecordId(Uuid::from_u128(3))),
        patient: Some(PatientFacts {
            name: Phi::new("Patient".to_owned()),
            birth_date: Phi::new("1954-02-15".to_owned()),
        }),
        patient_seat: Some(seat(PATIENT)),
        admitted: Vec::new(),
        telephone: None,
    }
}

fn call(kind: VisitKind) -> Call {
    Call::new(START, facts(kind))
}

const PHARMACIST: u128 = 1;
const PCP: u128 = 2;
const PATIENT: u128 = 3;
const CAREGIVER: u128 = 4;

/// A follow-up with a pharmacist in the call and a patient in the waiting room.
fn consult() -> Call {
    let mut call = call(VisitKind::FollowUp);
    call.join(at(0), who(PHARMACIST, Role::Pharmacist), line(PHARMACIST)).unwrap();
    call.join(at(10), who(PATIENT, Role::Patient), line(PATIENT)).unwrap();
    call
}

/// The same, with the patient admitted.
fn consult_admitted() -> Call {
    let mut call = consult();
    call.handle(
        at(20),
        line(PHARMACIST),
        ClientMessage::Admit { seat: seat(PATIENT), agreed: true },
    );
    call
}

fn said(effects: &[Effect], to: ConnectionId) -> Vec<&ServerMessage> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send { connection, message } if *connection == to => Some(&**message),
            _ => None,
        })
        .collect()
}

fn seat_state(effects: &[Effect], to: ConnectionId, whom: SeatId) -> Option<SeatState> {
    said(effects, to).into_iter().rev().find_map(|message| match message {
        ServerMessage::Seat { seat } if seat.seat == whom => Some(seat.state),
        ServerMessage::Roster { seats } => {
            seats.iter().find(|row| row.seat == whom).map(|row| row.state)
        }
        _ => None,
    })
}

fn offer(transport: TransportKind) -> ClientMessage {
    let sdp = Phi::new("v=0".to_owned());
    ClientMessage::Offer { n: 7, sdp, srtp: SrtpAttempt::First, transport }
}

fn presence(patch: PresencePatch) -> ClientMessage {
    ClientMessage::Presence { patch }
}

#[test]
fn a_patient_who_comes_first_waits_and_learns_nothing() {
    let mut call = call(VisitKind::FollowUp);

    let effects = call.join(at(0), who(PATIENT, Role::Patient), line(PATIENT)).unwrap();

    let [ServerMessage::Welcome { visit, admission, may, .. }] = said(&effects, line(PATIENT))[..]
    else {
        panic!("{effects:?}");
    };
    assert_eq!(*admission, Admission::Waiting { before: 0, staff_present: false });
    assert_eq!((visit.record, &visit.patient), (None, &None));
    assert!(may.is_empty());
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Audience { .. })));
}

#[test]
fn a_waiting_patient_is_told_when_somebody_comes_who_can_admit() {
    let mut call = call(VisitKind::FollowUp);
    call.join(at(0), who(PATIENT, Role::Patient), line(PATIENT)).unwrap();

    let effects = call.join(at(5), who(PCP, Role::Pcp), line(PCP)).unwrap();

    let admission = Admission::Waiting { before: 0, staff_present: true };
    assert_eq!(said(&effects, line(PATIENT)), [&ServerMessage::Admission { admission }]);
    assert_eq!(seat_state(&effects, line(PCP), seat(PATIENT)), Some(SeatState::Waiting));
}

#[test]
fn who_waits_behind_somebody_is_told_how_many_are_before() {
    let mut call = consult();

    let effects = call.join(at(20), who(CAREGIVER, Role::Caregiver), line(CAREGIVER)).unwrap();
    let [ServerMessage::Welcome { admission, .. }] = said(&effects, line(CAREGIVER))[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(*admission, Admission::Waiting { before: 1, staff_present: true });

    let admit = ClientMessage::Admit { seat: seat(PATIENT), agreed: true };
    let effects = call.handle(at(30), line(PHARMACIST), admit);

    let admission = Admission::Waiting { before: 0, staff_present: true };
    assert_eq!(said(&effects, line(CAREGIVER)), [&ServerMessage::Admission { admission }]);
}

#[test]
fn admission_brings_the_visit_the_roster_the_record_and_the_media() {
    let mut call = consult();

    let admit = ClientMessage::Admit { seat: seat(PATIENT), agreed: true };
    let effects = call.handle(at(20), line(PHARMACIST), admit);

    let [
        ServerMessage::Welcome { visit, .. },
        ServerMessage::Admission { admission: Admission::Admitted },
        ServerMessage::Roster { seats },
    ] = said(&effects, line(PATIENT))[..]
    else {
        panic!("{effects:?}");
    };
    assert!(visit.record.is_some() && visit.patient.is_some());
    let order: Vec<SeatId> = seats.iter().map(|row| row.seat).collect();
    assert_eq!(order, [seat(PHARMACIST), seat(PATIENT)]);
    let record = Effect::Record { connection: line(PATIENT), access: visit.record };
    assert!(effects.contains(&record), "{effects:?}");
    for (publisher, to) in [(PATIENT, PHARMACIST), (PHARMACIST, PATIENT)] {
        let (publisher, to) = (seat(publisher), vec![seat(to)]);
        let audience = Effect::Audience { publisher, source: MediaSource::Cam, to };
        assert!(effects.contains(&audience), "{effects:?}");
    }
    let kept = Effect::Remember { seat: seat(PATIENT), standing: Standing::Admitted };
    assert!(effects.contains(&kept), "{effects:?}");
}

#[test]
fn a_patient_never_shares_the_screen() {
    let mut call = consult();

    let admit = ClientMessage::Admit { seat: seat(PATIENT), agreed: true };
    let effects = call.handle(at(20), line(PHARMACIST), admit);

    assert!(!effects.iter().any(|effect| matches!(
        effect,
        Effect::Audience { publisher, source: MediaSource::Screen, .. }
            if *publisher == seat(PATIENT)
    )));
}

#[test]
fn of_two_who_admit_at_once_one_wins_and_nobody_is_refused() {
    let mut call = consult();
    call.join(at(15), who(PCP, Role::Pcp), line(PCP)).unwrap();
    let admit = ClientMessage::Admit { seat: seat(PATIENT), agreed: true };
    call.handle(at(20), line(PHARMACIST), admit.clone());

    assert_eq!(call.handle(at(20), line(PCP), admit), []);
}

#[test]
fn a_patient_admits_nobody() {
    let mut call = consult_admitted();
    call.join(at(30), who(CAREGIVER, Role::Caregiver), line(CAREGIVER)).unwrap();

    let admit = ClientMessage::Admit { seat: seat(CAREGIVER), agreed: true };
    let effects = call.handle(at(40), line(PATIENT), admit);

    let refused = ServerMessage::Refused { of: "admit".to_owned(), code: RefusalCode::NotAllowed };
    assert_eq!(said(&effects, line(PATIENT)), [&refused]);
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Audit(AuditEntry { deed: Deed::Denied { message: "admit" }, .. })
    )));
}

#[test]
fn a_caregiver_joins_once_the_patient_agreed_and_the_word_is_logged() {
    let mut call = consult_admitted();
    call.join(at(30), who(CAREGIVER, Role::Caregiver), line(CAREGIVER)).unwrap();

    let unasked = ClientMessage::Admit { seat: seat(CAREGIVER), agreed: false };
    let effects = call.handle(at(40), line(PHARMACIST), unasked);

    let code = RefusalCode::AgreementNeeded;
    let refused = ServerMessage::Refused { of: "admit".to_owned(), code };
    assert_eq!(said(&effects, line(PHARMACIST)), [&refused]);
    assert!(!call.seats[&seat(CAREGIVER)].is_admitted());

    let agreed = ClientMessage::Admit { seat: seat(CAREGIVER), agreed: true };
    let effects = call.handle(at(50), line(PHARMACIST), agreed);

    let deeds: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Audit(entry) => Some((entry.at_ms, entry.deed.code())),
            _ => None,
        })
        .collect();
    assert_eq!(deeds, [(at(50), "consent.given"), (at(50), "call.admitted")]);
    assert!(call.seats[&seat(CAREGIVER)].is_admitted());
}

#[test]
fn a_patient_does_not_see_who_else_waits() {
    let mut call = consult_admitted();

    let effects = call.join(at(30), who(CAREGIVER, Role::Caregiver), line(CAREGIVER)).unwrap();

    assert_eq!(said(&effects, line(PATIENT)), [] as [&ServerMessage; 0]);
    assert_eq!(seat_state(&effects, line(PHARMACIST), seat(CAREGIVER)), Some(SeatState::Waiting));
}

#[test]
fn who_is_sent_back_loses_record_and_media_and_the_names() {
    let mut call = consult_admitted();

    let back = ClientMessage::SendBack { seat: seat(PATIENT) };
    let effects = call.handle(at(30), line(PHARMACIST), back);

    let [ServerMessage::Welcome { visit, .. }, ServerMessage::Admission { admission }] =
        said(&effects, line(PATIENT))[..]
    else {
        panic!("{effects:?}");
    };
    assert_eq!(*admission, Admission::Waiting { before: 0, staff_present: true });
    assert_eq!((visit.record, &visit.patient), (None, &None));
    assert!(effects.contains(&Effect::DropMedia { seat: seat(PATIENT) }));
    assert!(effects.contains(&Effect::Record { connection: line(PATIENT), access: None }));
    let to = Vec::new();
    let publisher = seat(PHARMACIST);
    assert!(effects.contains(&Effect::Audience { publisher, source: MediaSource::Mic, to }));
}

#[test]
fn a_colleague_is_not_sent_to_the_waiting_room() {
    let mut call = consult();
    call.join(at(15), who(PCP, Role::Pcp), line(PCP)).unwrap();

    let effects =
        call.handle(at(20), line(PCP), ClientMessage::SendBack { seat: seat(PHARMACIST) });

    let refused =
        ServerMessage::Refused { of: "send_back".to_owned(), code: RefusalCode::NotAllowed };
    assert_eq!(said(&effects, line(PCP)), [&refused]);
}

#[test]
fn the_same_seat_again_keeps_admission_and_hand() {
    let mut call = consult_admitted();
    let hand = PresencePatch { hand: Some(true), ..PresencePatch::default() };
    call.handle(at(30), line(PATIENT), presence(hand));
    call.lost(at(40), line(PATIENT));

    let effects = call.join(at(1_000), who(PATIENT, Role::Patient), line(20)).unwrap();

    let [ServerMessage::Welcome { admission, presence, .. }, ServerMessage::Roster { .. }] =
        said(&effects, line(20))[..]
    else {
        panic!("{effects:?}");
    };
    assert_eq!(*admission, Admission::Admitted);
    assert!(presence.hand);
    assert_eq!(said(&effects, line(PHARMACIST)), [] as [&ServerMessage; 0]);
}

#[test]
fn the_newest_connection_of_a_seat_replaces_the_older() {
    let mut call = consult_admitted();

    let effects = call.join(at(100), who(PATIENT, Role::Patient), line(20)).unwrap();

    let ended = ServerMessage::Ended { why: EndReason::Elsewhere };
    assert_eq!(said(&effects, line(PATIENT)), [&ended]);
    let close = Effect::Close { connection: line(PATIENT), code: CloseCode::Removed };
    assert!(effects.contains(&close));
    assert_eq!(call.lost(at(110), line(PATIENT)), []);
}

#[test]
fn a_lost_line_shows_after_two_seconds_and_is_given_up_after_two_minutes() {
    let mut call = consult_admitted();
    call.lost(at(1_000), line(PATIENT));
    assert_eq!(call.poll_timeout(), Some(at(3_000)));
    assert_eq!(call.handle_timeout(at(2_999)), []);

    let effects = call.handle_timeout(at(3_000));
    let state = seat_state(&effects, line(PHARMACIST), seat(PATIENT));
    assert_eq!(state, Some(SeatState::Reconnecting));
    // On the way it is shown that nobody's media has come for a minute.
    for due in [60_000, 60_020] {
        assert_eq!(call.poll_timeout(), Some(at(due)));
        call.handle_timeout(at(due));
    }
    assert_eq!(call.poll_timeout(), Some(at(121_000)));

    let effects = call.handle_timeout(at(121_000));
    let state = seat_state(&effects, line(PHARMACIST), seat(PATIENT));
    assert_eq!(state, Some(SeatState::Absent));
    assert!(effects.contains(&Effect::DropMedia { seat: seat(PATIENT) }));
    assert_eq!(call.poll_timeout(), None);
}

#[test]
fn a_patient_who_left_waits_again() {
    let mut call = consult_admitted();

    let effects = call.handle(at(30), line(PATIENT), ClientMessage::Leave);
    assert_eq!(said(&effects, line(PATIENT)), [&ServerMessage::Ended { why: EndReason::Left }]);
    let state = seat_state(&effects, line(PHARMACIST), seat(PATIENT));
    assert_eq!(state, Some(SeatState::Absent));

    let effects = call.join(at(40), who(PATIENT, Role::Patient), line(20)).unwrap();
    assert!(matches!(
        said(&effects, line(20))[..],
        [ServerMessage::Welcome { admission: Admission::Waiting { .. }, .. }]
    ));
}

#[test]
fn who_was_admitted_before_a_restart_does_not_wait_again() {
    let admitted = vec![seat(PATIENT)];
    let mut call = Call::new(at(0), CallFacts { admitted, ..facts(VisitKind::FollowUp) });

    let effects = call.join(at(1), who(PATIENT, Role::Patient), line(PATIENT)).unwrap();

    assert!(matches!(
        said(&effects, line(PATIENT))[..],
        [
            ServerMessage::Welcome { admission: Admission::Admitted, .. },
            ServerMessage::Roster { .. },
        ]
    ));
}

#[test]
fn patients_are_refused_in_huddle_and_echo_whatever_is_configured() {
    for kind in [VisitKind::Huddle, VisitKind::Echo] {
        for role in [Role::Patient, Role::Caregiver] {
            let joined = call(kind).join(at(0), who(PATIENT, role), line(PATIENT));
            assert_eq!(joined, Err(JoinError::RoleNotInVisit), "{kind:?} {role:?}");
        }
    }
}

#[test]
fn the_end_reaches_everybody_and_nobody_comes_back() {
    let mut call = consult();

    let effects = call.handle(at(20), line(PHARMACIST), ClientMessage::End);

    let ended = ServerMessage::Ended { why: EndReason::Ended };
    for to in [PHARMACIST, PATIENT] {
        assert_eq!(said(&effects, line(to)), [&ended]);
        let close = Effect::Close { connection: line(to), code: CloseCode::Normal };
        assert!(effects.contains(&close));
    }
    assert!(effects.contains(&Effect::EndCall { why: CallOver::Ended }));
    let again = call.join(at(30), who(PATIENT, Role::Patient), line(20));
    assert_eq!(again, Err(JoinError::Over));
    assert_eq!(call.poll_timeout(), None);
}

#[test]
fn an_empty_call_ends_after_ten_minutes() {
    let mut call = call(VisitKind::FollowUp);
    call.join(at(0), who(PHARMACIST, Role::Pharmacist), line(PHARMACIST)).unwrap();
    call.handle(at(1_000), line(PHARMACIST), ClientMessage::Leave);

    assert_eq!(call.poll_timeout(), Some(at(601_000)));
    let effects = call.handle_timeout(at(601_000));

    assert_eq!(effects.last(), Some(&Effect::EndCall { why: CallOver::Empty }));
}

#[test]
fn muted_on_the_screen_is_muted_on_the_wire() {
    let mut call = consult_admitted();

    let muted = PresencePatch { muted: Some(true), ..PresencePatch::default() };
    let effects = call.handle(at(30), line(PATIENT), presence(muted));

    let mute = Effect::Mute { seat: seat(PATIENT), source: MediaSource::Mic, muted: Muted::Yes };
    assert_eq!(effects.first(), Some(&mute));
    assert!(matches!(said(&effects, line(PHARMACIST))[..], [ServerMessage::Seat { .. }]));
}

#[test]
fn an_offer_is_negotiated_and_its_answer_goes_to_who_offered() {
    let mut call = consult_admitted();

    let effects = call.handle(at(30), line(PATIENT), offer(TransportKind::New));
    assert!(matches!(effects[..], [Effect::Negotiate { n: 7, .. }]), "{effects:?}");

    let sdp = Phi::new("v=0".to_owned());
    let event = MediaEvent::Answered { connection: line(PATIENT), n: 7, sdp: sdp.clone() };
    let effects = call.handle_media(at(40), event);
    assert_eq!(said(&effects, line(PATIENT)), [&ServerMessage::Answer { n: 7, sdp }]);
}

#[test]
fn an_answer_that_comes_after_the_seat_was_sent_back_is_dropped() {
    let mut call = consult_admitted();
    call.handle(at(30), line(PATIENT), offer(TransportKind::New));
    call.handle(at(31), line(PHARMACIST), ClientMessage::SendBack { seat: seat(PATIENT) });

    let sdp = Phi::new("v=0".to_owned());
    let event = MediaEvent::Answered { connection: line(PATIENT), n: 7, sdp };
    assert_eq!(call.handle_media(at(40), event), []);
}

#[test]
fn slots_are_told_again_to_a_new_connection_and_forgotten_with_the_transport() {
    let mut call = consult_admitted();
    let slot = SlotMap {
        mid: "4".to_owned(),
        seat: Some(seat(PHARMACIST)),
        source: MediaSource::Cam,
        from_rtp_timestamp: Some(9),
        held: Some(Held::Line),
    };
    let slots = ServerMessage::Slots { slots: vec![slot.clone()] };
    let event = MediaEvent::Slots { seat: seat(PATIENT), slots: vec![slot] };
    assert_eq!(said(&call.handle_media(at(30), event), line(PATIENT)), [&slots]);

    let effects = call.join(at(40), who(PATIENT, Role::Patient), line(20)).unwrap();
    assert!(said(&effects, line(20)).contains(&&slots));

    call.handle(at(50), line(20), offer(TransportKind::New));
    let effects = call.join(at(60), who(PATIENT, Role::Patient), line(21)).unwrap();
    assert!(!said(&effects, line(21)).contains(&&slots));
}

#[test]
fn a_publisher_hears_which_layers_are_looked_at_also_after_it_came_back() {
    let mut call = consult_admitted();
    let layers =
        |rids: &[Rid]| ServerMessage::Layers { source: MediaSource::Cam, rids: rids.to_vec() };
    let demand = |rids: &[Rid]| MediaEvent::Layers {
        seat: seat(PATIENT),
        source: MediaSource::Cam,
        rids: rids.to_vec(),
    };
    let effects = call.handle_media(at(30), demand(&[Rid::Q]));
    assert_eq!(said(&effects, line(PATIENT)), [&layers(&[Rid::Q])]);
    assert!(said(&effects, line(PHARMACIST)).is_empty());
    assert_eq!(call.handle_media(at(31), demand(&[Rid::Q])), []);

    // Its line is lost when more is needed.
    call.lost(at(40), line(PATIENT));
    assert_eq!(call.handle_media(at(41), demand(&[Rid::Q, Rid::F])), []);
    let effects = call.join(at(42), who(PATIENT, Role::Patient), line(20)).unwrap();
    assert!(said(&effects, line(20)).contains(&&layers(&[Rid::Q, Rid::F])));

    // A new transport sends everything until it is told.
    call.handle(at(50), line(20), offer(TransportKind::New));
    let effects = call.join(at(60), who(PATIENT, Role::Patient), line(21)).unwrap();
    assert!(!said(&effects, line(21)).iter().any(|it| matches!(it, ServerMessage::Layers { .. })));
}

#[test]
fn a_revoked_seat_is_out_at_once() {
    let mut call = consult_admitted();

    let effects = call.revoke(at(30), seat(PATIENT));

    let ended = ServerMessage::Ended { why: EndReason::Revoked };
    assert_eq!(said(&effects, line(PATIENT)), [&ended]);
    assert!(effects.contains(&Effect::DropMedia { seat: seat(PATIENT) }));
    let gone = ServerMessage::SeatGone { seat: seat(PATIENT) };
    assert_eq!(said(&effects, line(PHARMACIST)), [&gone]);
}

#[test]
fn an_unknown_connection_is_refused() {
    let effects = consult().handle(at(20), line(99), ClientMessage::End);

    let refused = ServerMessage::Refused { of: "end".to_owned(), code: RefusalCode::WrongState };
    assert_eq!(said(&effects, line(99)), [&refused]);
}

#[test]
fn a_seat_whose_media_stops_is_reconnecting_until_some_comes_again() {
    let mut call = consult_admitted();
    let quiet = |quiet| MediaEvent::Quiet { seat: seat(PATIENT), quiet };

    let effects = call.handle_media(at(100), quiet(true));
    let state = seat_state(&effects, line(PHARMACIST), seat(PATIENT));
    assert_eq!(state, Some(SeatState::Reconnecting));
    let effects = call.handle_media(at(200), quiet(false));
    let state = seat_state(&effects, line(PHARMACIST), seat(PATIENT));
    assert_eq!(state, Some(SeatState::Present));
}

#[test]
fn a_seat_that_sends_nothing_is_not_called_reconnecting_for_it() {
    let muted = PresencePatch { muted: Some(true), ..PresencePatch::default() };
    let camera_off = PresencePatch { camera_off: Some(true), ..muted.clone() };
    let camera_resting = PresencePatch { camera_resting: Some(true), ..muted };
    for silent in [camera_off, camera_resting] {
        let mut call = consult_admitted();
        call.handle(at(30), line(PATIENT), presence(silent));

        let quiet = MediaEvent::Quiet { seat: seat(PATIENT), quiet: true };
        assert_eq!(call.handle_media(at(100), quiet), []);
    }
}

#[test]
fn everybody_in_the_call_hears_whose_line_loses_how_much() {
    let mut call = consult_admitted();
    let loss = Loss { from: 10, to: 0 };

    let effects = call.handle_media(at(100), MediaEvent::Lossy { seat: seat(PATIENT), loss });

    for line in [line(PHARMACIST), line(PATIENT)] {
        let [ServerMessage::Seat { seat: told }] = said(&effects, line)[..] else {
            panic!("{effects:?}");
        };
        assert_eq!((told.seat, told.loss), (seat(PATIENT), loss));
    }
    let new = ClientMessage::Offer {
        n: 2,
        sdp: Phi::new(String::new()),
        srtp: SrtpAttempt::First,
        transport: TransportKind::New,
    };
    call.handle(at(200), line(PATIENT), new);
    assert_eq!(call.seats[&seat(PATIENT)].media.loss, Loss::default());
}
