//! A client's messages, one a line, told to a call by a pharmacist and by a patient in turns.

use clinical::actor::{Millis, Role};
use clinical::id::{CallId, ConnectionId, PersonId, RecordId, SeatId, VisitId};
use clinical::phi::Phi;
use signaling::call::{Call, CallFacts, SeatFacts};
use signaling::message::{CameraFormat, ClientMessage};
use signaling::visit::VisitKind;
use uuid::Uuid;

/// Most that one message makes a call of two do: each of the two is told of every change the other can see.
const MAX_EFFECTS: usize = 64;

/// Reads them and lets the call handle them. What was read is written and read back as the same.
pub fn run(bytes: &[u8]) -> Option<()> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut heard = None;
    let connection = |n: u128| ConnectionId(Uuid::from_u128(1_000 + n));
    let mut call = Call::new(Millis(0), facts());
    for (n, role) in [(1, Role::Pharmacist), (2, Role::Patient)] {
        let who = SeatFacts {
            seat: SeatId(Uuid::from_u128(n)),
            person: PersonId(Uuid::from_u128(2_000 + n)),
            name: Phi::new(format!("Name {n}")),
            role,
        };
        call.join(Millis(1), who, connection(n)).expect("both have a seat in this visit");
    }
    for (at, line) in text.lines().enumerate() {
        let Ok(message) = serde_json::from_str::<ClientMessage>(line) else { continue };
        let written = serde_json::to_string(&message).expect("it was read");
        let read = serde_json::from_str::<ClientMessage>(&written).expect("it was written");
        assert_eq!(read, message);
        let now = Millis(10 * i64::try_from(at).expect("a short input"));
        heard = Some(());
        let effects = call.handle(now, connection(1 + at as u128 % 2), message);
        assert!(effects.len() <= MAX_EFFECTS, "{} effects of one message", effects.len());
    }
    let _due = call.poll_timeout();
    let _effects = call.handle_timeout(Millis(1_000_000));
    heard
}

fn facts() -> CallFacts {
    CallFacts {
        call: CallId(Uuid::from_u128(1)),
        visit: VisitId(Uuid::from_u128(2)),
        kind: VisitKind::FollowUp,
        practice: Phi::new("Practice".to_owned()),
        phone: "555-0100".to_owned(),
        camera: CameraFormat::Vp8,
        record: Some(RecordId(Uuid::from_u128(3))),
        patient: None,
        patient_seat: Some(SeatId(Uuid::from_u128(2))),
        admitted: Vec::new(),
        telephone: None,
    }
}
