//! A10. After sign-off nothing changes version 1's hash; an edit is refused `sealed`; an addendum adds, a revision
//! supersedes; the old link says that there is a newer plan.

use clinical::actor::Role;
use clinical::command::Command;
use clinical::field::FieldName;
use clinical::phi::Phi;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use signaling::message::{ClientMessage, RecordRefusal};

use crate::clinic::{Clinic, Person};

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn versions(clinic: &Clinic, person: &Person) -> Vec<Value> {
    serde_json::from_str(&clinic.gets(person, "versions").await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_what_was_signed_stays_as_it_was_signed() {
    let clinic = Clinic::of_ruth().await;
    let mut pharmacist = clinic.arrives(Role::Pharmacist).await;
    let mut patient = clinic.comes_in(Role::Patient, &mut pharmacist).await;
    let lisinopril = pharmacist.medicine("Lisinopril");
    pharmacist.shares_the_plan().await;
    pharmacist.does_what_the_gate_asks().await;
    pharmacist.signs().await.is_taken();
    let first = clinic.gets(&pharmacist, "versions/1").await;
    let signed = hash(&first);
    assert_eq!(versions(&clinic, &pharmacist).await[0]["sha256"], json!(signed));

    // Nobody edits it.
    pharmacist.looks().await;
    let stop = json!({ "state": "stopped", "reason": "late" });
    let refused = pharmacist.tries_to_write(lisinopril, FieldName::MedsStatus, stop.clone()).await;
    assert_eq!(refused, Err(RecordRefusal::Sealed));

    // A late fact stands beside it.
    let text = Phi::new("Potassium came back: 4.2.".to_owned());
    pharmacist.commands(Command::Addend { text }).await;
    pharmacist.looks().await;
    let addenda = pharmacist.reads(None, FieldName::Addenda);
    assert_eq!(
        (&addenda[0]["of"], &addenda[0]["text"]),
        (&json!(1), &json!("Potassium came back: 4.2."))
    );
    assert_eq!(hash(&clinic.gets(&pharmacist, "versions/1").await), signed);

    // The visit is over; the patient's page is the plan as it was signed.
    pharmacist.line.send(&ClientMessage::End).await;
    patient.line.closed().await;
    clinic.page(&patient, "en").await.does_not_say("There is a newer plan.");

    // In the next visit another version takes its place, and says why.
    let clinic = clinic.another_visit().await;
    let mut pharmacist = clinic.arrives(Role::Pharmacist).await;
    let reason = Phi::new("The cough is the lisinopril.".to_owned());
    pharmacist.commands(Command::Revise { reason }).await;
    pharmacist.looks().await;
    pharmacist.writes(lisinopril, FieldName::MedsStatus, stop).await;
    pharmacist.does_what_the_gate_asks().await;
    pharmacist.signs().await.is_taken();
    let all = versions(&clinic, &pharmacist).await;
    assert_eq!(all.len(), 2);
    assert_ne!(all[0]["sha256"], all[1]["sha256"]);
    let newest = all.iter().find(|one| one["version"] == 2).unwrap();
    assert_eq!(newest["sha256"], json!(hash(&clinic.gets(&pharmacist, "versions/2").await)));
    assert_eq!(clinic.gets(&pharmacist, "versions/1").await, first, "byte for byte");

    // Whoever opens the link of the visit before is told.
    let old = clinic.page(&patient, "en").await;
    old.says("There is a newer plan.");
    clinic.page(&patient, "es").await.says("Hay un plan más nuevo.");
    clinic.closes().await;
}
