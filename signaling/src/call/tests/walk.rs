use std::collections::BTreeMap;

use clinical::actor::{Millis, Role};
use clinical::id::{ConnectionId, RecordId, SeatId};
use clinical::phi::Phi;
use proptest::prelude::*;
use uuid::Uuid;

use super::{START, facts, line, offer, presence, seat, who};
use crate::call::{Call, CallFacts, Kept, Line, MediaEvent};
use crate::effect::Effect;
use crate::message::{
    Admission, ClientMessage, MediaFailure, MediaSource, RefusalCode, Rid, RosterSeat,
    ServerMessage, SlotMap, TelephoneStep, TransportKind,
};
use crate::presence::PresencePatch;
use crate::role;
use crate::visit::VisitKind;

/// A step of the random walk.
#[derive(Clone, Debug)]
enum Step {
    Join { seat: u128, line: u128 },
    Say { line: u128, message: Box<ClientMessage> },
    Lost { line: u128 },
    Media(MediaEvent),
    Wait { ms: i64 },
    Revoke { seat: u128 },
}

const ROLES: [Role; 6] = [
    Role::Pharmacist,
    Role::Pcp,
    Role::Patient,
    Role::Caregiver,
    Role::Observer,
    Role::Interpreter,
];

fn a_message() -> impl Strategy<Value = ClientMessage> {
    let patch = any::<[Option<bool>; 4]>().prop_map(|[muted, camera_off, camera_resting, hand]| {
        PresencePatch { muted, camera_off, camera_resting, hand, step: None }
    });
    prop_oneof![
        any::<u32>().prop_map(|n| ClientMessage::Ping { n }),
        Just(offer(TransportKind::New)),
        Just(offer(TransportKind::Same)),
        patch.prop_map(presence),
        (0..6u128).prop_map(|n| ClientMessage::Admit { seat: seat(n), agreed: true }),
        (0..6u128).prop_map(|n| ClientMessage::SendBack { seat: seat(n) }),
        Just(ClientMessage::Leave),
        Just(ClientMessage::Telephone { step: TelephoneStep::Begin }),
        Just(ClientMessage::Telephone { step: TelephoneStep::Over }),
        Just(ClientMessage::RecordOpen { record: RecordId(Uuid::from_u128(3)), have: vec![] }),
    ]
}

fn a_media_event() -> impl Strategy<Value = MediaEvent> {
    prop_oneof![
        (0..12u128).prop_map(|n| MediaEvent::Answered {
            connection: line(n),
            n: 1,
            sdp: Phi::new(String::new())
        }),
        (0..12u128)
            .prop_map(|n| MediaEvent::Refused { connection: line(n), code: RefusalCode::Busy }),
        (0..6u128)
            .prop_map(|n| MediaEvent::Failed { seat: seat(n), why: MediaFailure::DtlsTimeout }),
        (0..6u128, 0..6u128).prop_map(|(of, carries)| MediaEvent::Slots {
            seat: seat(of),
            slots: vec![SlotMap {
                mid: "0".to_owned(),
                seat: Some(seat(carries)),
                source: MediaSource::Cam,
                from_rtp_timestamp: None,
                held: None
            }]
        }),
        (0..6u128, proptest::bool::ANY).prop_map(|(of, all)| MediaEvent::Layers {
            seat: seat(of),
            source: MediaSource::Cam,
            rids: if all { vec![Rid::Q, Rid::H, Rid::F] } else { vec![] }
        }),
        proptest::option::of(0..6u128).prop_map(|n| MediaEvent::Speaker { seat: n.map(seat) }),
    ]
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6u128, 0..12u128).prop_map(|(seat, line)| Step::Join { seat, line }),
        8 => (0..12u128, a_message()).prop_map(|(line, message)| Step::Say { line, message: Box::new(message) }),
        2 => (0..12u128).prop_map(|line| Step::Lost { line }),
        3 => a_media_event().prop_map(Step::Media),
        2 => (0..150_000i64).prop_map(|ms| Step::Wait { ms }),
        1 => (0..6u128).prop_map(|seat| Step::Revoke { seat }),
    ]
}

/// What an outsider can tell from the effects alone: who is connected on which line, and who is in the call.
#[derive(Default)]
struct Watcher {
    lines: BTreeMap<ConnectionId, SeatId>,
    admitted: BTreeMap<ConnectionId, bool>,
    records: BTreeMap<ConnectionId, bool>,
    audiences: BTreeMap<(SeatId, MediaSource), Vec<SeatId>>,
    /// The others as each screen shows them.
    rosters: BTreeMap<ConnectionId, BTreeMap<SeatId, RosterSeat>>,
}

impl Watcher {
    fn see(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Send { connection, message } => self.hear(*connection, message),
                Effect::Close { connection, .. } => self.forget(*connection),
                Effect::Record { connection, access } => {
                    self.records.insert(*connection, access.is_some());
                }
                Effect::Audience { publisher, source, to } => {
                    self.audiences.insert((*publisher, *source), to.clone());
                }
                Effect::Negotiate { .. }
                | Effect::Want { .. }
                | Effect::Mute { .. }
                | Effect::DropMedia { .. }
                | Effect::Remember { .. }
                | Effect::KeepTelephone { .. }
                | Effect::Audit(_)
                | Effect::Time(_)
                | Effect::EndCall { .. } => {}
            }
        }
    }

    fn hear(&mut self, connection: ConnectionId, message: &ServerMessage) {
        match message {
            ServerMessage::Welcome { seat, admission, visit, .. } => {
                self.lines.insert(connection, *seat);
                let admitted = *admission == Admission::Admitted;
                assert!(admitted || (visit.record.is_none() && visit.patient.is_none()));
                self.admitted.insert(connection, admitted);
            }
            ServerMessage::Admission { admission } => {
                self.admitted.insert(connection, *admission == Admission::Admitted);
            }
            ServerMessage::Roster { seats } => {
                assert!(self.admitted[&connection], "a waiting seat was told the roster");
                let seats = seats.iter().map(|seat| (seat.seat, seat.clone())).collect();
                self.rosters.insert(connection, seats);
            }
            ServerMessage::Seat { seat } => {
                let before =
                    self.rosters.get_mut(&connection).unwrap().insert(seat.seat, seat.clone());
                assert_ne!(before.as_ref(), Some(seat), "nothing new");
            }
            ServerMessage::SeatGone { seat } => {
                assert!(self.rosters.get_mut(&connection).unwrap().remove(seat).is_some());
            }
            ServerMessage::Pong { .. }
            | ServerMessage::Ended { .. }
            | ServerMessage::Refused { .. } => {}
            // A patient who waits is told that they are called, and by nobody's name.
            ServerMessage::Telephone { telephone } => {
                let by = telephone.and_then(|on| on.by);
                let is_patient = self.lines[&connection] == seat(2);
                let off = telephone.is_none();
                assert!(self.admitted[&connection] || off || is_patient && by.is_none());
            }
            other => assert!(self.admitted[&connection], "a waiting seat was told {other:?}"),
        }
    }

    fn forget(&mut self, connection: ConnectionId) {
        self.lines.remove(&connection);
        self.admitted.remove(&connection);
        self.rosters.remove(&connection);
        self.records.remove(&connection);
    }

    /// What must hold after every step.
    fn check(&self, call: &Call) {
        for (connection, access) in &self.records {
            assert!(!access || self.admitted.get(connection) == Some(&true));
        }
        for to in self.audiences.values().flatten() {
            assert!(call.seats[to].is_admitted(), "media for a seat that waits");
        }
        for (publisher, _) in self.audiences.iter().filter(|(_, to)| !to.is_empty()) {
            assert!(call.seats[&publisher.0].is_admitted(), "media of a seat that waits");
        }
        for (connection, seat) in self.lines.iter().filter(|(line, _)| self.admitted[*line]) {
            let admits = role::may_admit(call.seats[seat].facts.role);
            let seen = call.seats.iter().filter(|(_, of)| {
                admits || of.is_admitted() && !matches!(of.line, Line::Left { .. })
            });
            let seen = seen.map(|(seat, of)| (*seat, of.in_roster())).collect();
            assert_eq!(self.rosters[connection], seen, "a screen differs from the call");
        }
        let mut holders: Vec<SeatId> = self.lines.values().copied().collect();
        holders.sort();
        holders.dedup();
        assert_eq!(holders.len(), self.lines.len(), "two connections for one seat");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_seat_that_waits_never_receives_anything_of_the_call(
        steps in proptest::collection::vec(a_step(), 1..80)
    ) {
        let patient_seat = Some(seat(2));
        let facts = CallFacts { patient_seat, ..facts(VisitKind::FollowUp) };
        let mut call = Call::new(START, facts);
        let mut watcher = Watcher::default();
        let mut now = START;
        for step in steps {
            let effects = match step {
                Step::Join { seat: n, line: l } => {
                    // A connection belongs to one seat for life.
                    let fresh = !watcher.lines.contains_key(&line(l));
                    let role = ROLES[usize::try_from(n).unwrap()];
                    if fresh { call.join(now, who(n, role), line(l)).unwrap_or_default() }
                    else { Vec::new() }
                }
                Step::Say { line: l, message } => call.handle(now, line(l), *message),
                Step::Lost { line: l } => {
                    let effects = call.lost(now, line(l));
                    watcher.see(&effects);
                    watcher.forget(line(l));
                    Vec::new()
                }
                Step::Media(event) => call.handle_media(now, event),
                Step::Wait { ms } => {
                    now = Millis(now.0 + ms);
                    call.handle_timeout(now)
                }
                Step::Revoke { seat: n } => call.revoke(now, seat(n)),
            };
            watcher.see(&effects);
            for effect in effects {
                if let Effect::KeepTelephone { n, .. } = effect {
                    watcher.see(&call.telephone_kept(now, n, Kept::Yes));
                }
            }
            watcher.check(&call);
        }
    }
}
