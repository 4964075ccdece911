//! A5. The patient's line drops; they come back to the same seat of the same visit, without being let in again, and what
//! they had read and typed is there. When it does not come back, the visit goes on by telephone: the same visit, the same
//! record, and a stretch of its own on the sheet.
//!
//! No test waits for minutes. That a drop of 20 s changes nothing, and that the telephone is offered after 60 s, stands in
//! virtual time in `signaling/src/call/tests/telephone.rs`; here everything that happened so far is moved into the past.

use clinical::actor::Role;
use clinical::field::{FieldName, ListName};
use serde_json::json;
use signaling::message::{
    Admission, ClientMessage, RefusalCode, SeatState, ServerMessage, TelephoneStep,
};

use crate::clinic::Clinic;

#[tokio::test(flavor = "multi_thread")]
async fn a5_who_drops_out_comes_back_to_the_same_seat() {
    let clinic = Clinic::of_ruth().await;
    let mut pharmacist = clinic.arrives(Role::Pharmacist).await;
    let mut patient = clinic.comes_in(Role::Patient, &mut pharmacist).await;
    let question = patient.adds(ListName::Questions, &[]).await;
    patient.types(question, FieldName::QuestionsText, "May I eat grapefruit?").await;
    let seat = patient.line.seat;
    let visit = clinic.world.visit();

    let cookie = patient.cookie.clone();
    patient.line.vanish();
    pharmacist.line.sees(seat, SeatState::Reconnecting).await;

    // The browser comes back by itself, with what it has.
    let mut back = clinic.comes_back(Role::Patient, cookie).await;
    assert_eq!((back.line.seat, clinic.world.visit()), (seat, visit));
    let welcome = back.line.heard.iter().find_map(|told| match told {
        ServerMessage::Welcome { admission, .. } => Some(admission),
        _ => None,
    });
    assert_eq!(welcome, Some(&Admission::Admitted), "nobody lets them in again");
    pharmacist.line.sees(seat, SeatState::Present).await;
    back.looks().await;
    assert_eq!(back.rows(ListName::Questions), [question]);
    clinic.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a5_the_visit_goes_on_by_telephone_and_the_sheet_says_so() {
    let clinic = Clinic::of_ruth().await;
    let mut pharmacist = clinic.arrives(Role::Pharmacist).await;
    let mut patient = clinic.comes_in(Role::Patient, &mut pharmacist).await;
    let visit = clinic.world.visit();
    let seat = patient.line.seat;

    // They see each other for six minutes. Then the patient's line is gone, and a minute later it still is.
    let pharmacists_picture = pharmacist.shows_themselves().await;
    let patients_picture = patient.shows_themselves().await;
    clinic.until_the_clock(&mut pharmacist, "runs").await;
    clinic.minutes_pass(6).await;
    let cookie = patient.cookie.clone();
    patients_picture.breaks_off().await;
    patient.line.vanish();
    clinic.until_the_clock(&mut pharmacist, "stands still").await;
    clinic.minutes_pass(1).await;

    // The pharmacist looks up the number, says that they go on by telephone, and calls.
    let number = clinic.gets(&pharmacist, "telephone").await;
    assert!(number.contains("+1 505 555 0142") && number.contains("chart"), "{number}");
    pharmacist.says_of_the_telephone(TelephoneStep::Begin).await;
    pharmacist.hears_that_the_visit_is_by_telephone(true).await;
    clinic.until_the_clock(&mut pharmacist, "runs").await;

    // The record stays open, and the pharmacist goes on writing in it.
    pharmacist.adds_medicine("melatonin", "one at bedtime").await;

    // The patient's page comes back meanwhile: the same visit and seat, nobody lets them in, and their page says that
    // they are called. They read along and type.
    let mut back = clinic.comes_back(Role::Patient, cookie).await;
    assert_eq!((back.line.seat, clinic.world.visit()), (seat, visit));
    let let_in =
        back.line.heard.iter().any(|told| {
            matches!(told, ServerMessage::Welcome { admission: Admission::Admitted, .. })
        });
    assert!(let_in, "nobody lets them in again");
    back.hears_that_the_visit_is_by_telephone(true).await;
    back.looks().await;
    let question = back.adds(ListName::Questions, &[]).await;
    back.types(question, FieldName::QuestionsText, "May I take it with tea?").await;
    let theirs = clinic.gets(&back, "telephone").await;
    assert!(theirs.contains("0142") && !theirs.contains("505"), "their own last digits: {theirs}");
    // It is not video again because a page is open: nothing of the patient is heard or seen in it.
    let back_to_video = ClientMessage::Telephone { step: TelephoneStep::BackToVideo };
    let refused = pharmacist.line.is_refused(&back_to_video).await;
    assert_eq!(refused, RefusalCode::WrongState);

    // Twenty minutes later they hang up.
    clinic.minutes_pass(20).await;
    pharmacist.says_of_the_telephone(TelephoneStep::Over).await;
    pharmacist.hears_that_the_visit_is_by_telephone(false).await;
    back.hears_that_the_visit_is_by_telephone(false).await;
    clinic.until_the_clock(&mut pharmacist, "stands still").await;

    // The sheet has one stretch by video and one by telephone, each minute once. The greater part was by telephone, so
    // it asks for modifier 93; and because there were two ways, for a second look.
    clinic
        .says_on_the_sheet(
            &pharmacist,
            &json!({ "kind": "attest", "attestation": {
        "identity_checked": true, "location_state": "NM", "at_home": true, "setting": "remote",
        "callback": "505-555-0177", "private": true, "others_present": [],
    } }),
        )
        .await;
    let sheet = clinic
        .says_on_the_sheet(
            &pharmacist,
            &json!({ "kind": "bill", "billing": {
        "payer": "example_midpoint", "patient": "established", "free": false, "npi": "1234567893",
    } }),
        )
        .await;
    let stretches: Vec<(String, i64, bool)> = sheet["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let minutes = (one["stop"].as_i64().unwrap() - one["start"].as_i64().unwrap()) / 60_000;
            (one["modality"].as_str().unwrap().to_owned(), minutes, one["counted"] == true)
        })
        .collect();
    assert_eq!(stretches, [("video".to_owned(), 7, true), ("phone".to_owned(), 20, true)]);
    assert_eq!(sheet["measured_s"].as_i64().unwrap() / 60, 27);
    assert_eq!(sheet["modality"], "phone");
    assert_eq!(sheet["lines"][0]["modifiers"], json!(["93"]), "{sheet}");
    assert!(sheet["warnings"].as_array().unwrap().contains(&json!("mixed_modality")));
    // What the patient said in this visit goes before the chart.
    let number = clinic.gets(&pharmacist, "telephone").await;
    assert!(number.contains("505-555-0177") && number.contains("attested"), "{number}");
    for action in ["call.converted_to_phone", "call.phone_over", "patient.number_read"] {
        assert!(clinic.log_holds(action), "{action}");
    }
    drop(pharmacists_picture);
    clinic.closes().await;
}
