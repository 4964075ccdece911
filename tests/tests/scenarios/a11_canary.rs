//! A11. A canary in every field the patient's side may not read: none of them in any byte sent to the patient's browser
//! during a whole consult; and before the plan is shared nothing of the plan at all.
//!
//! That no field is forgotten is the engine's test (`server/clinical/tests/engine/canary.rs`, which does not compile
//! without a word for each); here every one a person can put words into goes over the real line.

use clinical::actor::Role;
use clinical::command::Command;
use clinical::edit::Op;
use clinical::field::{DocKind, FieldKind, FieldName, ListName, PatientSide, Place};
use clinical::id::RowId;
use clinical::phi::Phi;
use serde_json::{Value, json};
use signaling::message::ClientMessage;
use signaling::role;

use crate::clinic::{Clinic, Person, is_in};

/// What a pharmacist writes with this word in it; `None`: a field without words.
fn saying(field: FieldName, word: &str) -> Option<Value> {
    Some(match field {
        FieldName::MedsProduct => json!({ "name": word }),
        FieldName::MedsSig | FieldName::TodosShouldDo => json!({ "text": word }),
        FieldName::MedsVerify => json!({ "state": "could_not_verify", "reason": word }),
        FieldName::MedsAdherence => json!({ "taking": "differently", "reason": word }),
        FieldName::MedsDiscrepancy => json!({ "kind": "dose", "resolution": word }),
        FieldName::MedsIndicated
        | FieldName::MedsEffective
        | FieldName::MedsSafe
        | FieldName::MedsAdherent => json!({ "answer": "no", "note": word }),
        FieldName::ProblemsStatement => json!({ "condition": word, "med_ids": [] }),
        FieldName::RecommendationsContent => json!({ "action": "stop", "summary": word }),
        FieldName::RecommendationsAddressee => json!({ "name": word, "role": "pcp" }),
        FieldName::TeachBacksContent => json!({ "message": word, "result": "understood" }),
        FieldName::Referral => json!({ "source": "pcp", "referrer": word }),
        FieldName::Identification => json!({ "criteria": ["adr_risk"], "reason": word }),
        FieldName::TasksContent => json!({ "title": word, "assignee": "front desk" }),
        FieldName::AllergiesContent => json!({ "substance": word }),
        FieldName::ProblemsResponsible
        | FieldName::ProblemsNoActionReason
        | FieldName::ProblemsPlainText
        | FieldName::RecommendationsReference
        | FieldName::MedsIndication
        | FieldName::MedsPrescriber
        | FieldName::MedsPharmacy
        | FieldName::OutlineInteractionFrequency => json!(word),
        _ => return None,
    })
}

/// Whether a list is the team's, or not this side's until something is done with its rows.
const SILENT: [ListName; 2] = [ListName::Tasks, ListName::Recommendations];

/// Fills every field of a place that a pharmacist may write; the words of the fields the patient reads begin with
/// "Shown", those of the others with "Canary". Answers how many of each.
async fn fills(pharmacist: &mut Person, row: Option<RowId>, list: Option<ListName>) -> [usize; 2] {
    let mut count = [0, 0];
    for (n, field) in FieldName::ALL.iter().copied().enumerate() {
        let here = match list {
            Some(list) => is_in(field, list),
            None => field.place() == Place::Document,
        };
        let may = role::may_write(Role::Pharmacist, field);
        if !here || !may || field.doc() == DocKind::Voice {
            continue;
        }
        let hidden = field.patient_side() != PatientSide::Yes
            || list.is_some_and(|list| SILENT.contains(&list));
        let word = format!("{}{n}x", if hidden { "Canary" } else { "Shown" });
        if matches!(field.kind(), FieldKind::Text { .. }) {
            pharmacist.types(row, field, &word).await;
        } else if let Some(value) = saying(field, &word) {
            pharmacist.writes(row, field, value).await;
        } else {
            continue;
        }
        count[usize::from(hidden)] += 1;
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_no_byte_of_what_is_the_teams_reaches_the_patients_browser() {
    let clinic = Clinic::of_ruth().await;
    let mut pharmacist = clinic.arrives(Role::Pharmacist).await;
    let mut doctor = clinic.arrives(Role::Pcp).await;
    let mut patient = clinic.comes_in(Role::Patient, &mut pharmacist).await;

    // The pharmacist writes everything there is to write, while the patient has their own part open.
    let mut counts = vec![fills(&mut pharmacist, None, None).await];
    for (list, first) in [
        (ListName::Meds, FieldName::MedsProduct),
        (ListName::Problems, FieldName::ProblemsStatement),
        (ListName::Recommendations, FieldName::RecommendationsContent),
        (ListName::Todos, FieldName::TodosShouldDo),
        (ListName::Tasks, FieldName::TasksContent),
        (ListName::Allergies, FieldName::AllergiesContent),
    ] {
        let row = pharmacist.adds(list, &[(first, saying(first, "Shownfirst").unwrap())]).await;
        pharmacist.looks().await;
        counts.push(fills(&mut pharmacist, Some(row), Some(list)).await);
    }
    // What is never changed once it is said.
    let said = saying(FieldName::TeachBacksContent, "Canaryteachback").unwrap();
    pharmacist.adds(ListName::TeachBacks, &[(FieldName::TeachBacksContent, said)]).await;
    let comment = pharmacist.adds(ListName::Comments, &[]).await;
    pharmacist.types(comment, FieldName::CommentsText, "Canarycomment").await;
    let [shown, hidden] = counts.iter().fold([0, 0], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
    assert!(shown >= 8 && hidden >= 20, "{shown} fields the patient reads, {hidden} they do not");
    // A row taken out again: why is said among the team.
    let allergy = pharmacist.adds(ListName::Allergies, &[]).await;
    pharmacist.looks().await;
    let reason = Phi::new("Canaryreason".to_owned());
    let removes = Op::Tombstone { row: allergy, seen: 1_000_000, reason };
    let plan = pharmacist.doc_of(DocKind::Plan);
    pharmacist.line.edit(plan, removes).await.unwrap();

    // Before it is shared: nothing of the plan, not even what the patient will read.
    patient.adds(ListName::Questions, &[]).await;
    patient.looks().await;
    let heard = patient.heard();
    assert!(!heard.contains("Canary") && !heard.contains("Shown"), "nothing of the plan yet");

    // Afterwards: what is theirs, while the consult goes on to a signature.
    pharmacist.shares_the_plan().await;
    patient.looks().await;
    doctor.looks().await;
    let row = doctor.rows(ListName::Problems)[0];
    doctor.types(row, FieldName::ProblemsAssociation, "Canarydoctor").await;
    pharmacist.does_what_the_gate_asks().await;
    pharmacist.signs().await.is_taken();
    let text = Phi::new("Shownaddendum".to_owned());
    pharmacist.commands(Command::Addend { text }).await;
    patient.looks().await;
    patient.line.settle().await;
    let heard = patient.heard();
    assert!(heard.matches("Shown").count() > 8, "the patient reads what is theirs");
    let at = heard.find("Canary").map(|at| heard[at..].chars().take(40).collect::<String>());
    assert_eq!(at, None, "over the line");

    // And whatever else their browser may ask for, also when the visit is over.
    pharmacist.line.send(&ClientMessage::End).await;
    patient.line.closed().await;
    let seat = clinic.world.invited(Role::Patient).seat;
    for what in [
        "",
        "/takeaway?language=en",
        "/takeaway?language=es",
        "/versions",
        "/versions/1",
        "/prescribers",
        "/sheet",
        "/agreements",
        "/cards",
        "/bookings",
    ] {
        let answer = clinic.world.get(&format!("/api/seats/{seat}{what}"), &patient.cookie).await;
        assert!(!answer.body.contains("Canary"), "{what}: {}", answer.body);
    }
    let wish = json!({ "kind": "whole_record", "reason": "patient_request" });
    let path = format!("/api/seats/{seat}/export");
    let own = clinic.world.post(&path, &patient.cookie, &wish).await;
    assert_eq!(own.status, 200);
    let own = own.json.to_string();
    assert!(own.contains("Shown") && !own.contains("Canary"));
    clinic.closes().await;
}
