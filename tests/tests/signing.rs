//! A pharmacist signs the demo plan over the wire: the gate leads the way to everything that is missing, and what was
//! signed is read back byte for byte.

use clinical::actor::Role;
use clinical::command::Command;
use clinical::edit::{Base, Op};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::gate::GateCode;
use clinical::id::{EditId, RowId};
use clinical::phi::Phi;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use signaling::message::{ClientMessage, RecordRefusal};
use tests::charts::{medicine, open_keys, preview, take, with};
use tests::gate::{fill, missing};
use tests::world::World;
use uuid::Uuid;

/// A day in the future.
fn next_year() -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{}-07-10T10:00", 1971 + seconds.as_secs() / 31_556_952)
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

    let (_, lacking) = missing(&mut pharmacist, doc).await;
    assert!(lacking.len() > 30, "{}", lacking.len());
    let seq = fill(&mut pharmacist, doc, client).await;

    let late = EditId(Uuid::now_v7());
    pharmacist
        .send(&ClientMessage::RecordSign { doc, id: late, seen: seq - 1, step_up: None })
        .await;
    assert_eq!(pharmacist.outcome(late).await, Err(RecordRefusal::ChangedSince));
    let id = EditId(Uuid::now_v7());
    pharmacist.send(&ClientMessage::RecordSign { doc, id, seen: seq, step_up: None }).await;
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
