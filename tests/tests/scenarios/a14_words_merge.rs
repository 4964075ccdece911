//! A14. Two people type in one rationale at once: both texts are there, each with its author. Two people type one to-do
//! at once: a question, and not a blend of both.

use std::collections::BTreeSet;

use clinical::actor::Role;
use clinical::command::Command;
use clinical::field::{FieldName, ListName};
use clinical::register::Register;
use serde_json::{Value, json};

use crate::clinic::Clinic;

#[tokio::test(flavor = "multi_thread")]
async fn a14_words_are_merged_and_instructions_are_not() {
    let clinic = Clinic::of_ruth().await;
    let mut pharmacist = clinic.arrives(Role::Pharmacist).await;
    let mut doctor = clinic.arrives(Role::Pcp).await;
    let proposal = json!({ "action": "monitor", "summary": "Check potassium." });
    let row = pharmacist
        .adds(ListName::Recommendations, &[(FieldName::RecommendationsContent, proposal)])
        .await;
    let todo = pharmacist
        .adds(ListName::Todos, &[(FieldName::TodosShouldDo, json!({ "text": "Drink water" }))])
        .await;
    doctor.looks().await;
    pharmacist.looks().await;

    // A rationale is prose: pharmacist and specialist type in it at once.
    let mut specialist = clinic.arrives(Role::Specialist).await;
    pharmacist.types(row, FieldName::RecommendationsRationale, "Creatinine rose. ").await;
    specialist.types(row, FieldName::RecommendationsRationale, "The dose doubled. ").await;
    let changes = pharmacist.asks_how_it_came(row, FieldName::RecommendationsRationale).await;
    let authors: BTreeSet<_> = changes.iter().filter_map(|change| change.by.person()).collect();
    let both = [Role::Pharmacist, Role::Specialist].map(|role| clinic.world.person(role));
    assert_eq!(authors, both.into_iter().collect(), "each is named");
    pharmacist.commands(Command::SendRecommendation { row }).await;
    let papers: Value =
        serde_json::from_str(&clinic.gets(&pharmacist, "prescribers").await).unwrap();
    let rationale = papers["papers"][0]["rows"][0]["rationale"].as_str().unwrap();
    for words in ["Creatinine rose. ", "The dose doubled. "] {
        assert!(rationale.contains(words), "{rationale}");
    }

    // What the patient should do is one instruction.
    pharmacist.writes(todo, FieldName::TodosShouldDo, json!({ "text": "Take 1 tablet" })).await;
    doctor.writes(todo, FieldName::TodosShouldDo, json!({ "text": "Take 2 tablets" })).await;
    pharmacist.looks().await;
    let Some(Register::Conflict { candidates, .. }) =
        pharmacist.sees(todo, FieldName::TodosShouldDo)
    else {
        panic!("two instructions")
    };
    let said: Vec<Value> =
        candidates.iter().map(|one| one.value.as_ref().unwrap().read().unwrap()).collect();
    assert_eq!(
        (&said[0]["text"], &said[1]["text"]),
        (&json!("Take 1 tablet"), &json!("Take 2 tablets"))
    );
    clinic.closes().await;
}
