//! A pharmacist signs the demo plan over the wire: the gate leads the way to everything that is missing, and what was
//! signed is read back byte for byte.

use std::collections::BTreeMap;

use clinical::actor::Role;
use clinical::bytes::Base64;
use clinical::command::Command;
use clinical::edit::{Base, Op};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::gate::{GateCode, GateItem};
use clinical::id::{DocId, EditId, RowId};
use clinical::phi::Phi;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use signaling::message::{ClientMessage, RecordRefusal, ServerMessage, SnapshotContent};
use tests::charts::{medicine, open_keys, preview, take, with};
use tests::participant::Participant;
use tests::world::World;
use uuid::Uuid;

/// The first words of a text, as a Yjs update (v1) of this client: one insertion at the root `t`, no deletion.
fn typed(client: u64, words: &str) -> Base64 {
    fn number(bytes: &mut Vec<u8>, mut value: u64) {
        while value > 0x7f {
            bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        bytes.push(u8::try_from(value).unwrap());
    }
    let mut bytes = vec![1, 1];
    number(&mut bytes, client);
    // Clock 0, a string, under the root named "t".
    bytes.extend([0, 4, 1, 1, b't']);
    number(&mut bytes, u64::try_from(words.len()).unwrap());
    bytes.extend(words.as_bytes());
    bytes.push(0);
    Base64(bytes)
}

/// A day in the future.
fn next_year() -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{}-07-10T10:00", 1971 + seconds.as_secs() / 31_556_952)
}

async fn missing(pharmacist: &mut Participant, doc: DocId) -> (u64, Vec<GateItem>) {
    pharmacist.send(&ClientMessage::RecordGate { doc }).await;
    let found = pharmacist
        .until("what is missing", |message| matches!(message, ServerMessage::RecordGate { .. }))
        .await;
    match found {
        ServerMessage::RecordGate { seq, missing, .. } => (seq, missing),
        other => panic!("{other:?}"),
    }
}

/// What the pharmacist writes where the gate points.
fn written(field: FieldName) -> Value {
    match field.as_str() {
        "meds.verify" => json!({ "state": "patient_confirmed" }),
        "meds.sig" => json!({ "text": "1 tablet every morning" }),
        "meds.indicated" | "meds.effective" | "meds.safe" | "meds.adherent" => {
            json!({ "answer": "yes" })
        }
        "allergy_statement" => json!("listed"),
        "reviewed.allergies" | "reviewed.immunizations" => json!(true),
        "outline.duration" => json!({ "start": "2026-03-02", "planned_end": "2026-09" }),
        "outline.interaction_frequency" => json!("every two weeks"),
        "problems.no_action_reason" | "outline.no_goal_reason" | "outline.no_touchpoint_reason" => {
            json!("The patient wants it so.")
        }
        other => panic!("the gate points at {other}"),
    }
}

async fn papers(world: &World, cookie: &str) -> Value {
    let seat = world.invited(Role::Pharmacist).seat;
    let answer = world.get(&format!("/api/seats/{seat}/prescribers"), cookie).await;
    serde_json::from_str(&answer.body).expect("a reply")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_leads_to_a_signature_that_is_read_back_byte_for_byte() {
    let world = World::start().await;
    let record = world.record().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let mut pharmacist = world.join_with(Role::Pharmacist, &cookie).await;
    let (doc, client) = pharmacist.open(record, DocKind::Plan).await;
    let mut revs: BTreeMap<Address, u64> = BTreeMap::new();
    for message in &pharmacist.heard {
        if let ServerMessage::RecordSnapshot { content: SnapshotContent::Full { state }, .. } =
            message
        {
            revs.extend(state.registers.iter().map(|held| (held.at, held.register.rev())));
        }
    }

    let content = json!({ "action": "monitor", "summary": "Check potassium." });
    let values = [(FieldName::RecommendationsContent, Phi::new(content))].into();
    let row = RowId(Uuid::now_v7());
    let list = ListName::Recommendations;
    pharmacist.edit(doc, Op::Add { list, row, after: None, values }).await.expect("it is added");

    let follow_up = RowId(Uuid::now_v7());
    let content = json!({
        "purpose": "Pressure", "when": "in two weeks", "format": "video", "members": ["patient"],
    });
    let values = [(FieldName::TouchpointsContent, Phi::new(content))].into();
    let list = ListName::Touchpoints;
    let add = Op::Add { list, row: follow_up, after: None, values };
    pharmacist.edit(doc, add).await.expect("it is added");

    let (_, mut lacking) = missing(&mut pharmacist, doc).await;
    assert!(lacking.len() > 30, "{}", lacking.len());
    // Once a medicine is verified, the gate asks how it is taken.
    while let Some(GateItem { code, at }) = lacking.pop() {
        let at = at.unwrap_or_else(|| panic!("{code:?}: nobody of the patient's is here"));
        let op = if at.field == FieldName::OutlineFollowUp {
            Op::Text { at, base: 0, update: typed(client, "Call us if you feel dizzy.") }
        } else {
            let base = Base::Rev(revs.get(&at).copied().unwrap_or(0));
            Op::Set { at, base, value: Phi::new(Some(written(at.field))) }
        };
        pharmacist.edit(doc, op).await.unwrap_or_else(|why| panic!("{at}: {why:?}"));
        if lacking.is_empty() {
            lacking = missing(&mut pharmacist, doc).await.1;
        }
    }
    let (seq, lacking) = missing(&mut pharmacist, doc).await;
    assert_eq!(lacking, []);

    let late = EditId(Uuid::now_v7());
    pharmacist.send(&ClientMessage::RecordSign { doc, id: late, seen: seq - 1 }).await;
    assert_eq!(pharmacist.outcome(late).await, Err(RecordRefusal::ChangedSince));
    let id = EditId(Uuid::now_v7());
    pharmacist.send(&ClientMessage::RecordSign { doc, id, seen: seq }).await;
    pharmacist.outcome(id).await.unwrap();

    let seat = world.invited(Role::Pharmacist).seat;
    let versions = world.get(&format!("/api/seats/{seat}/versions"), &cookie).await;
    let versions: Value = serde_json::from_str(&versions.body).unwrap();
    assert_eq!((&versions[0]["version"], &versions[1]), (&json!(1), &Value::Null));
    let signed = world.get(&format!("/api/seats/{seat}/versions/1"), &cookie).await;
    assert_eq!(signed.header("content-type"), Some("application/json"));
    let hash: String =
        Sha256::digest(&signed.body).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(versions[0]["sha256"], json!(hash));
    let content: Value = serde_json::from_str(&signed.body).unwrap();
    assert_eq!(
        content["fields"]["outline.follow_up_instructions"],
        json!("Call us if you feel dizzy.")
    );
    assert_eq!(content["signer"]["credentials"].as_array().map(Vec::len), Some(2));

    let at = Address { row: None, field: FieldName::AllergyStatement };
    let late = Op::Set { at, base: Base::Rev(0), value: Phi::new(Some(json!("unknown"))) };
    assert_eq!(pharmacist.edit(doc, late).await, Err(RecordRefusal::Sealed));
    // A follow-up goes on: its visit is booked, and the version stays what it was.
    let at = Address { row: Some(follow_up), field: FieldName::TouchpointsContent };
    let other = json!({ "purpose": "Weight", "when": "never", "format": "phone" });
    let late = Op::Set { at, base: Base::Rev(0), value: Phi::new(Some(other)) };
    assert_eq!(pharmacist.edit(doc, late).await, Err(RecordRefusal::Sealed));
    let next = json!({ "starts": next_year(), "minutes": 30, "touchpoint": follow_up });
    let booked = world.post(&format!("/api/seats/{seat}/bookings"), &cookie, &next).await;
    assert_eq!(booked.status, 200, "{:?}", booked.json);
    let told = world.get(&format!("/api/seats/{seat}/touchpoints"), &cookie).await;
    let told: Value = serde_json::from_str(&told.body).unwrap();
    assert_eq!(told["rows"][0], json!({ "row": follow_up, "standing": "booked" }));
    let again = world.get(&format!("/api/seats/{seat}/versions/1"), &cookie).await;
    assert_eq!(again.body, signed.body);
    // What a signed plan recommends goes on paper as it was signed; a chart changes nothing of it.
    let asked = papers(&world, &cookie).await;
    assert_eq!((&asked["version"], asked["papers"].as_array().map(Vec::len)), (&json!(1), Some(1)));
    let chart = with(&medicine("new", "Rosuvastatin 10 MG Oral Tablet"));
    let shown = preview(&world, &cookie, &chart).await;
    assert_eq!((&shown["sealed"], open_keys(&shown).len()), (&json!(true), 1));
    let taken = take(&world, Role::Pharmacist, &cookie, &chart, &shown).await;
    assert_eq!(taken, json!({ "state": "not_taken", "code": "sealed" }));

    let reason = Phi::new("A new result came.".to_owned());
    let id = EditId(Uuid::now_v7());
    let command = Command::Revise { reason };
    pharmacist.send(&ClientMessage::RecordCommand { doc, id, command, seen: seq + 1 }).await;
    pharmacist.outcome(id).await.unwrap();
    let asked = papers(&world, &cookie).await;
    assert_eq!((&asked["version"], &asked["papers"]), (&Value::Null, &json!([])), "a draft again");
    let (_, lacking) = missing(&mut pharmacist, doc).await;
    assert!(
        !lacking.iter().any(|item| item.code == GateCode::Verified),
        "what was done stays done"
    );
    let taken = take(&world, Role::Pharmacist, &cookie, &chart, &shown).await;
    assert_eq!(taken["accepted"], 1, "a revision takes it: {taken}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_is_for_those_who_read_the_whole_plan() {
    let world = World::start().await;
    for (role, status) in [(Role::Pcp, 200), (Role::Patient, 404), (Role::Caregiver, 404)] {
        let cookie = world.cookie(role).await;
        let seat = world.invited(role).seat;

        let list = world.get(&format!("/api/seats/{seat}/versions"), &cookie).await;
        assert_eq!(list.status, status, "{role:?}");
        // "Not yours" and "not there" answer alike.
        let one = world.get(&format!("/api/seats/{seat}/versions/1"), &cookie).await;
        assert_eq!((one.status, one.code().as_str()), (404, "not_found"), "{role:?}");
    }
    world.stop().await;
}
