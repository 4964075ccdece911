//! A3. The patient denies the community health worker access: they lose the patient's part and the plan within one
//! second, the log says so, and pharmacist and doctor stay.

use std::time::{Duration, Instant};

use clinical::actor::Role;
use clinical::field::{DocKind, FieldName, ListName};
use serde_json::json;
use signaling::message::{ClosedReason, RecordRefusal, ServerMessage};

use crate::clinic::Clinic;

#[tokio::test(flavor = "multi_thread")]
async fn a3_whom_the_patient_shuts_out_loses_the_record_within_a_second() {
    let clinic = Clinic::of_ruth().await;
    let mut pharmacist = clinic.arrives(Role::Pharmacist).await;
    let mut doctor = clinic.arrives(Role::Pcp).await;
    let mut worker = clinic.arrives(Role::Chw).await;
    let mut patient = clinic.comes_in(Role::Patient, &mut pharmacist).await;
    worker.looks().await;
    let subject = json!({ "kind": "person", "person": worker.person, "name": "Sam Ortiz" });
    let wish = json!({ "subject": subject, "level": "none", "reason": "He is my neighbour." });

    let said = Instant::now();
    patient.adds(ListName::Access, &[(FieldName::AccessContent, wish)]).await;
    let closed = worker
        .line
        .until("that it is closed", |told| matches!(told, ServerMessage::RecordClosed { .. }))
        .await;
    assert!(said.elapsed() < Duration::from_secs(1), "{:?}", said.elapsed());
    let ServerMessage::RecordClosed { why, .. } = closed else { unreachable!() };
    assert_eq!(why, ClosedReason::NotAllowed);

    // From here not one byte of it.
    let from = worker.line.texts.len();
    patient.adds(ListName::Questions, &[]).await;
    pharmacist.adds_medicine("Canarimab 5 mg", "1 tablet daily").await;
    worker.line.settle().await;
    let told = worker.line.texts[from..].join("\n");
    assert!(!told.contains("record."), "{told}");
    assert!(!worker.heard().contains("neighbour"), "nor why");
    let refused = worker.tries_to_add(ListName::Questions, &[]).await;
    assert_eq!(refused.unwrap_err(), RecordRefusal::NotOpen);

    // Nor by coming back.
    let from = worker.line.texts.len();
    let open =
        signaling::message::ClientMessage::RecordOpen { record: clinic.record, have: Vec::new() };
    worker.line.send(&open).await;
    worker
        .line
        .until("that it is closed", |told| matches!(told, ServerMessage::RecordClosed { .. }))
        .await;
    assert!(!worker.line.texts[from..].join("\n").contains("record.snapshot"));

    assert!(clinic.log_holds("access.preference_changed"));
    for clinician in [&mut pharmacist, &mut doctor] {
        clinician.looks().await;
        clinician.medicine("Canarimab");
        assert!(!clinician.rows(ListName::Questions).is_empty());
    }
    assert_eq!(DocKind::ALL.len(), 3, "plan, voice and team: nothing else could be read");
    clinic.closes().await;
}
