//! Seats that reach for more than is theirs: before admission, and with another role's powers.

use clinical::actor::Role;
use clinical::command::Command;
use clinical::edit::{Base, Op};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::id::{DocId, EditId, RecordId, RowId, SeatId};
use clinical::phi::Phi;
use serde_json::json;
use signaling::message::{
    ClientMessage, RecordRefusal, RefusalCode, SeatState, ServerMessage, SlotWish, SrtpAttempt,
    TelephoneStep, TransportKind,
};
use tests::peer::{Peer, Slots};
use tests::world::World;
use uuid::Uuid;

fn set(row: RowId, field: FieldName) -> Op {
    Op::Set {
        at: Address { row: Some(row), field },
        base: Base::Rev(0),
        value: Phi::new(Some(json!("one a day"))),
    }
}

fn command(doc: DocId, command: Command) -> ClientMessage {
    ClientMessage::RecordCommand { doc, id: EditId(Uuid::now_v7()), command, seen: 1_000_000 }
}

/// Every message that is not of somebody who waits, about things that exist.
fn everything(
    record: RecordId,
    doc: DocId,
    staff: SeatId,
    own: SeatId,
    sdp: &str,
) -> Vec<ClientMessage> {
    let edit = clinical::edit::Edit {
        id: EditId(Uuid::now_v7()),
        op: set(RowId(Uuid::now_v7()), FieldName::MedsSig),
        typed_ago_ms: None,
    };
    vec![
        ClientMessage::Join { ticket: Phi::new("again".to_owned()) },
        ClientMessage::Offer {
            n: 1,
            sdp: Phi::new(sdp.to_owned()),
            srtp: SrtpAttempt::First,
            transport: TransportKind::New,
        },
        ClientMessage::Want {
            slots: vec![SlotWish { mid: "0".to_owned(), max_height: 1080, priority: 3 }],
        },
        ClientMessage::Admit { seat: own, agreed: true },
        ClientMessage::SendBack { seat: staff },
        ClientMessage::Telephone { step: TelephoneStep::Begin },
        ClientMessage::End,
        ClientMessage::RecordOpen { record, have: Vec::new() },
        ClientMessage::RecordEdit { doc, edit, resend: false },
        command(doc, Command::Share),
        ClientMessage::RecordCaret { doc, caret: None },
        ClientMessage::RecordResync { doc },
        ClientMessage::RecordHistory {
            doc,
            at: Address { row: None, field: FieldName::OutlineSummary },
            before: None,
        },
        ClientMessage::RecordClose { record },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_that_was_never_admitted_gets_nothing_whatever_it_plays() {
    let world = World::start().await;
    let record = world.record().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    let (plan, _) = pharmacist.open(record, DocKind::Plan).await;
    // What an earlier visit shared is not for who merely holds the link.
    let share = EditId(Uuid::now_v7());
    let seen = pharmacist.heard.iter().find_map(|message| match message {
        ServerMessage::RecordSnapshot { doc, seq, .. } if *doc == plan => Some(*seq),
        _ => None,
    });
    let command = Command::Share;
    let seen = seen.expect("a snapshot");
    pharmacist.send(&ClientMessage::RecordCommand { doc: plan, id: share, command, seen }).await;
    pharmacist.outcome(share).await.expect("it is shared");
    let cookie = world.cookie(Role::Patient).await;
    let mut patient = world.join_with(Role::Patient, &cookie).await;
    let peer = Peer::new(Slots { video: 1, audio: 1 }).await.unwrap();
    let sdp = peer.offer().await.unwrap();

    for message in everything(record, plan, pharmacist.seat, patient.seat, &sdp) {
        assert_eq!(patient.is_refused(&message).await, RefusalCode::WrongState, "{message:?}");
    }
    for what in ["", "/key", "/prescribers", "/takeaway?language=en"] {
        let answer = world.get(&format!("/api/seats/{}{what}", patient.seat), &cookie).await;
        for secret in world.secrets(Role::Patient) {
            assert!(!answer.body.contains(&secret), "{what} tells {secret}");
        }
        if what.starts_with("/takeaway") {
            assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        }
    }

    patient.settle().await;
    for (message, text) in patient.heard.iter().zip(&patient.texts) {
        let allowed = matches!(
            message,
            ServerMessage::Welcome { .. }
                | ServerMessage::Admission { .. }
                | ServerMessage::Pong { .. }
                | ServerMessage::Refused { .. }
        );
        assert!(allowed, "{text}");
        for secret in world.secrets(Role::Patient) {
            assert!(!text.contains(&secret), "{text} tells {secret}");
        }
        assert!(!text.contains(&record.to_string()) && !text.contains(&world.birth_date()));
    }
    let relay = world.server().media().counters().await;
    assert!(
        relay.iter().all(|worker| worker.relay.handshakes == 0 && worker.relay.stun_checks == 0)
    );
    // The pharmacist's call goes on, and letting the patient in works as ever: then the page is theirs.
    pharmacist.admit(&mut patient).await;
    pharmacist.sees(patient.seat, SeatState::Present).await;
    patient.open(record, DocKind::Plan).await;
    patient.send(&ClientMessage::Leave).await;
    assert_eq!(patient.closed().await, 1000);
    let path = format!("/api/seats/{}/takeaway", patient.seat);
    // Being let in is written down after it was told: on a slow disk a moment later.
    let mut page = world.get(&path, &cookie).await;
    for _ in 0..10_000 {
        if page.status != 204 {
            break;
        }
        page = world.get(&path, &cookie).await;
    }
    assert_eq!(page.status, 200, "{}", page.body);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_has_none_of_the_staffs_powers() {
    let world = World::start().await;
    let record = world.record().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    pharmacist.open(record, DocKind::Team).await;
    let documents = pharmacist.documents();
    let of = |wanted| documents.iter().find(|(kind, _)| *kind == wanted).expect("opened").1;
    let mut patient = world.join(Role::Patient).await;
    let mut caregiver = world.join(Role::Caregiver).await;
    pharmacist.admit(&mut patient).await;
    pharmacist.sees(caregiver.seat, SeatState::Waiting).await;
    let (voice, _) = patient.open(record, DocKind::Voice).await;

    let (waiting, staff) = (caregiver.seat, pharmacist.seat);
    for message in [
        ClientMessage::Admit { seat: waiting, agreed: true },
        ClientMessage::SendBack { seat: staff },
        ClientMessage::Telephone { step: TelephoneStep::Begin },
        ClientMessage::End,
    ] {
        assert_eq!(patient.is_refused(&message).await, RefusalCode::NotAllowed, "{message:?}");
    }
    let other = ClientMessage::RecordOpen { record: RecordId(Uuid::now_v7()), have: Vec::new() };
    assert_eq!(patient.is_refused(&other).await, RefusalCode::NotFound);

    // The plan is not shared: documents by guessed ids, real and invented, answer alike.
    let row = RowId(Uuid::now_v7());
    for doc in [of(DocKind::Plan), of(DocKind::Team), DocId(Uuid::now_v7())] {
        let refused = patient.edit(doc, set(row, FieldName::MedsSig)).await;
        assert_eq!(refused, Err(RecordRefusal::NotOpen));
        patient.send(&ClientMessage::RecordResync { doc }).await;
        let id = EditId(Uuid::now_v7());
        patient
            .send(&ClientMessage::RecordCommand { doc, id, command: Command::Share, seen: 1 })
            .await;
        assert_eq!(patient.outcome(id).await, Err(RecordRefusal::NotOpen));
    }
    // Its own document takes nothing of the staff's.
    for field in [FieldName::MedsSig, FieldName::Note, FieldName::Share, FieldName::MedsStatus] {
        let refused = patient.edit(voice, set(row, field)).await;
        assert_eq!(refused, Err(RecordRefusal::NotAllowed), "{field}");
    }
    let add = Op::Add {
        list: ListName::Meds,
        row,
        after: None,
        values: [(FieldName::MedsIndication, Phi::new(json!("mine")))].into(),
    };
    assert_eq!(patient.edit(voice, add).await, Err(RecordRefusal::NotAllowed));
    // What is its own, it may.
    let ask = Op::Add { list: ListName::Questions, row, after: None, values: [].into() };
    patient.edit(voice, ask).await.expect("a question of its own");

    for (kind, _) in patient.documents() {
        assert_eq!(kind, DocKind::Voice);
    }
    // The patient's number is for the pharmacist who calls; patients know theirs by its end, others learn nothing.
    for (role, told) in [
        (Role::Pharmacist, Some(r#"{"number":"+1 505 555 0142","source":"chart"}"#)),
        (Role::Patient, Some(r#"{"ends_in":"0142"}"#)),
        (Role::Pcp, None),
        (Role::Caregiver, None),
    ] {
        let cookie = world.cookie(role).await;
        let path = format!("/api/seats/{}/telephone", world.invited(role).seat);
        let answer = world.get(&path, &cookie).await;
        let expected = (told.map_or(404, |_| 200), told.unwrap_or(&answer.body));
        assert_eq!((answer.status, answer.body.as_str()), expected, "{role:?}");
        assert!(told.is_some() || !answer.body.contains("0142"), "{role:?}");
    }
    caregiver.settle().await;
    pharmacist.settle().await;
    assert!(pharmacist.heard.iter().all(|m| !matches!(m, ServerMessage::Ended { .. })));
    world.stop().await;
}
