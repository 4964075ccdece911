//! A5, the first half. The patient's line drops; they come back to the same seat of the same visit, without being let in
//! again, and what they had read and typed is there.
//!
//! How long the drop lasts is the clock's to say, which no test waits for: that 20 s change nothing on the sheet, that a
//! telephone opens a segment of its own, and modifier 93 stand in `server/clinical/src/time.rs` and
//! `server/clinical/tests/time/main.rs`.

use clinical::actor::Role;
use clinical::field::{FieldName, ListName};
use signaling::message::{Admission, SeatState, ServerMessage};

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
