//! A1. Import *Cruz Halvorson*: 8 medicines, all unverified, none with a sig, 13 immunizations, nothing known about
//! allergies. Pharmacist and patient fill "how I take it" together; two people change one sig at once: a conflict with
//! both values, authors and times; the patient's page reads "Not decided yet"; signing is refused with G8 until it is
//! settled.

use std::path::{Path, PathBuf};

use clinical::actor::Role;
use clinical::field::{FieldName, ListName};
use clinical::register::Register;
use serde_json::{Value, json};

use crate::clinic::Clinic;

/// The chart is another party's and is read where it lies: beside the workspace, or beside a folder above it.
fn cruz() -> Option<Vec<u8>> {
    let named = std::env::var_os("MORTAR_FIXTURES").map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let beside = above.map(|one| one.join("shared/fixtures")).find(|one| one.is_dir());
    let folder = named.or(beside)?;
    Some(std::fs::read(folder.join("fhir/cruz-halvorson.json")).expect("the chart"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a1_a_chart_becomes_a_list_two_doses_become_a_question_and_nobody_signs_over_it() {
    let Some(chart) = cruz() else {
        println!("SKIPPED: no folder shared/fixtures; name one in MORTAR_FIXTURES");
        return;
    };
    let clinic = Clinic::of_chart(&chart).await;
    let mut pharmacist = clinic.arrives(Role::Pharmacist).await;
    let mut doctor = clinic.arrives(Role::Pcp).await;

    // The chart says what it says, and nothing more.
    let medicines = pharmacist.rows(ListName::Meds);
    assert_eq!(medicines.len(), 8);
    for medicine in &medicines {
        let verified = pharmacist.reads(*medicine, FieldName::MedsVerify);
        assert!(verified.is_null() || verified["state"] == "unverified", "{verified}");
        assert_eq!(pharmacist.reads(*medicine, FieldName::MedsSig), Value::Null);
    }
    assert_eq!(pharmacist.rows(ListName::Immunizations).len(), 13);
    assert!(pharmacist.rows(ListName::Allergies).is_empty());
    let allergies = pharmacist.reads(None, FieldName::AllergyStatement);
    assert!(allergies.is_null() || allergies == "unknown", "absent is not negative: {allergies}");

    // How the patient takes it: in their own words, and adopted by the pharmacist.
    let mut patient = clinic.comes_in(Role::Patient, &mut pharmacist).await;
    pharmacist.shares_the_plan().await;
    patient.looks().await;
    let [first, second, ..] = medicines[..] else { panic!("eight medicines") };
    patient.writes(first, FieldName::MedsAsTaken, json!("one when I get up")).await;
    pharmacist.looks().await;
    assert_eq!(pharmacist.reads(first, FieldName::MedsAsTaken), "one when I get up");
    pharmacist.writes(first, FieldName::MedsSig, json!({ "text": "1 tablet every morning" })).await;
    clinic.page(&patient, "en").await.says("1 tablet every morning");

    // Two people write one dose at once.
    doctor.looks().await;
    pharmacist.looks().await;
    pharmacist.writes(second, FieldName::MedsSig, json!({ "text": "10 mg daily" })).await;
    doctor.writes(second, FieldName::MedsSig, json!({ "text": "20 mg daily" })).await;

    for clinician in [&mut pharmacist, &mut doctor] {
        clinician.looks().await;
        let Some(Register::Conflict { candidates, .. }) =
            clinician.sees(second, FieldName::MedsSig)
        else {
            panic!("both stand on the screen")
        };
        let said: Vec<Value> =
            candidates.iter().map(|one| one.value.as_ref().unwrap().read().unwrap()).collect();
        assert_eq!(said.len(), 2);
        assert_eq!(
            (&said[0]["text"], &said[1]["text"]),
            (&json!("10 mg daily"), &json!("20 mg daily"))
        );
        let authors: Vec<_> = candidates.iter().map(|one| one.by.person()).collect();
        assert_eq!(
            authors,
            [Some(clinic.world.person(Role::Pharmacist)), Some(clinic.world.person(Role::Pcp))]
        );
        assert!(candidates.iter().all(|one| one.at_ms.0 > 0));
    }
    patient.looks().await;
    let page = clinic.page(&patient, "en").await;
    page.says("Not decided yet");
    page.does_not_say("10 mg daily");
    page.does_not_say("20 mg daily");

    // Nobody signs over it.
    pharmacist.does_what_the_gate_asks().await;
    pharmacist.signs().await.is_refused_with("G8");
    pharmacist.settles(second, FieldName::MedsSig, json!({ "text": "10 mg daily" })).await;
    pharmacist.does_what_the_gate_asks().await;
    pharmacist.signs().await.is_taken();
    clinic.page(&patient, "en").await.says("10 mg daily");
    clinic.closes().await;
}
