//! A2. The problem "simvastatin 20 mg with verapamil" (SAF-ADR) is sent to the doctor in the room and accepted with a
//! change. Version 2 shows simvastatin stopped and rosuvastatin new, and the medication action plan that leaves the house
//! holds a detected issue of kind DRG with the mitigations 5 (prescriber consulted), 13 (stopped) and 11 (added).

use clinical::actor::Role;
use clinical::command::{Command, ListUpdate};
use clinical::field::{FieldName, ListName};
use clinical::medication::{Product, Sig};
use clinical::phi::Phi;
use clinical::recommendation::DecisionOutcome;
use clinical::value::PartialDate;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clinic::{Clinic, Page};

/// The badge of a medicine on the patient's page.
fn badge(page: &Page, name: &str) -> Value {
    let groups = page.0["medicines"]["groups"].as_array().unwrap();
    let mut cards = groups.iter().flat_map(|group| group["cards"].as_array().unwrap());
    let card = cards.find(|card| card["name"].as_str().unwrap().starts_with(name));
    card.unwrap_or_else(|| panic!("{name} is not on the page"))["badge"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a2_an_interaction_is_found_answered_in_the_room_and_told_to_everybody_who_must_know() {
    let clinic = Clinic::of_ruth().await;
    let mut pharmacist = clinic.arrives(Role::Pharmacist).await;
    let mut doctor = clinic.arrives(Role::Pcp).await;
    let mut patient = clinic.comes_in(Role::Patient, &mut pharmacist).await;
    let simvastatin = pharmacist.adds_medicine("Simvastatin 20 mg", "1 tablet at bedtime").await;
    let verapamil = pharmacist.adds_medicine("Verapamil 240 mg", "1 tablet every morning").await;
    pharmacist.shares_the_plan().await;
    pharmacist.does_what_the_gate_asks().await;
    pharmacist.signs().await.is_taken();

    // The interaction is noticed afterwards: the plan is opened again, with a reason.
    let reason = Phi::new("Simvastatin with verapamil.".to_owned());
    pharmacist.commands(Command::Revise { reason }).await;
    let statement = json!({ "condition": "High cholesterol", "med_ids": [simvastatin, verapamil] });
    let problem = pharmacist
        .adds(
            ListName::Problems,
            &[
                (FieldName::ProblemsCategory, json!("adverse_reaction")),
                (FieldName::ProblemsStatement, statement),
                (FieldName::ProblemsSeverity, json!("high")),
            ],
        )
        .await;
    let proposal = json!({
        "problem": problem, "action": "change_drug", "med": simvastatin,
        "summary": "Stop simvastatin. Start rosuvastatin 10 mg daily.",
        "regimen": { "text": "1 tablet daily" },
    });
    let recommendation = pharmacist
        .adds(ListName::Recommendations, &[(FieldName::RecommendationsContent, proposal)])
        .await;
    pharmacist.commands(Command::SendRecommendation { row: recommendation }).await;

    // The doctor in the room takes it with another dose, and the list changes with the same stroke.
    doctor.looks().await;
    let regimen: Sig = serde_json::from_value(json!({ "text": "half a tablet daily" })).unwrap();
    let product: Product = serde_json::from_value(json!({ "name": "Rosuvastatin 10 mg" })).unwrap();
    let new = clinical::id::RowId(Uuid::now_v7());
    let day = PartialDate::parse("2026-11-30").unwrap();
    let list = ListUpdate { day, row: new, product: Some(product) };
    doctor
        .commands(Command::Decide {
            row: recommendation,
            outcome: DecisionOutcome::AcceptedModified,
            regimen: Some(Phi::new(regimen)),
            reason: None,
            note: Phi::new("Half to begin with.".to_owned()),
            list: Some(Box::new(Phi::new(list))),
        })
        .await;
    pharmacist.looks().await;
    assert_eq!(pharmacist.reads(simvastatin, FieldName::MedsStatus)["state"], "stopped");
    assert_eq!(pharmacist.reads(new, FieldName::MedsSig)["text"], "half a tablet daily");
    let decision = pharmacist.reads(recommendation, FieldName::RecommendationsDecision);
    assert_eq!(decision["by"], json!(clinic.world.person(Role::Pcp)));
    assert_eq!(decision["outcome"], "accepted_modified");

    pharmacist.does_what_the_gate_asks().await;
    pharmacist.signs().await.is_taken();

    // Version 2 against version 1, as the patient reads it.
    patient.looks().await;
    let page = clinic.page(&patient, "en").await;
    assert_eq!(badge(&page, "Simvastatin"), "stopped");
    assert_eq!(badge(&page, "Rosuvastatin"), "new");
    assert_eq!(badge(&page, "Verapamil"), Value::Null);
    let versions: Value =
        serde_json::from_str(&clinic.gets(&pharmacist, "versions").await).unwrap();
    assert_eq!(versions.as_array().map(Vec::len), Some(2));

    // And what leaves the house.
    let bundle = clinic.exports(&pharmacist, "medication_profile").await;
    let entries = bundle["entry"].as_array().unwrap();
    let issues: Vec<&Value> = entries
        .iter()
        .map(|entry| &entry["resource"])
        .filter(|one| one["resourceType"] == "DetectedIssue")
        .collect();
    let [issue] = issues[..] else { panic!("one detected issue: {issues:?}") };
    assert_eq!(issue["code"]["coding"][0]["code"], "DRG");
    let mitigations: Vec<&str> = issue["mitigation"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["action"]["coding"][0]["code"].as_str().unwrap())
        .collect();
    assert_eq!(mitigations, ["5", "13", "11"]);
    clinic.closes().await;
}
