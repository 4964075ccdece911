//! A4. A caregiver joins in mid-call by their link and only listens: they hear, and cannot write; that the patient agreed
//! is logged. That the text message with the link goes out is not tested: no gateway is part of the product.

use clinical::actor::Role;
use clinical::field::{FieldName, ListName};
use clinical::phi::Phi;
use serde_json::json;
use signaling::message::{ClientMessage, RecordRefusal, RefusalCode, SeatState, ServerMessage};
use signaling::message::{SrtpAttempt, TransportKind};
use tests::participant::Participant;
use tests::peer::{Peer, Slots};

use crate::clinic::Clinic;

/// Joins the sound of a call, as a browser does.
async fn listens(line: &mut Participant) -> Peer {
    let peer = Peer::new(Slots { video: 1, audio: 1 }).await.unwrap();
    let sdp = Phi::new(peer.offer().await.unwrap());
    let (srtp, transport) = (SrtpAttempt::First, TransportKind::New);
    line.send(&ClientMessage::Offer { n: 1, sdp, srtp, transport }).await;
    let answer = line.until("an answer", |m| matches!(m, ServerMessage::Answer { .. })).await;
    let ServerMessage::Answer { sdp, .. } = answer else { unreachable!() };
    peer.take_answer(sdp.expose()).await.unwrap();
    peer.connected().await.unwrap();
    peer
}

#[tokio::test(flavor = "multi_thread")]
async fn a4_a_caregiver_who_listens_hears_and_writes_nothing() {
    let clinic = Clinic::of_ruth().await;
    let mut pharmacist = clinic.arrives(Role::Pharmacist).await;
    let _patient = clinic.comes_in(Role::Patient, &mut pharmacist).await;
    pharmacist.shares_the_plan().await;
    let speaks = listens(&mut pharmacist.line).await;

    // They wait, and hear nothing, until the patient has agreed aloud.
    let mut caregiver = clinic.arrives(Role::Caregiver).await;
    let seat = caregiver.line.seat;
    pharmacist.line.sees(seat, SeatState::Waiting).await;
    let unasked = ClientMessage::Admit { seat, agreed: false };
    assert_eq!(pharmacist.line.is_refused(&unasked).await, RefusalCode::AgreementNeeded);
    pharmacist.line.send(&ClientMessage::Admit { seat, agreed: true }).await;
    caregiver.line.admitted().await;
    caregiver.looks().await;
    assert!(clinic.log_holds("consent.given"), "that the patient agreed is logged");

    let hears = listens(&mut caregiver.line).await;
    for _ in 0..200 {
        speaks.send_voice().await.unwrap();
        if hears.packets() > 0 {
            break;
        }
        caregiver.line.settle().await;
        pharmacist.line.settle().await;
    }
    assert!(hears.packets() > 0, "the caregiver hears the pharmacist");

    // They read the patient's page, and write nowhere.
    clinic.page(&caregiver, "en").await.says("My medicines");
    let question = caregiver.tries_to_add(ListName::Questions, &[]).await;
    assert_eq!(question.unwrap_err(), RecordRefusal::NotAllowed);
    let metformin = caregiver.rows(ListName::Meds)[0];
    for (field, value) in [
        (FieldName::MedsAsTaken, json!("two")),
        (FieldName::MedsSig, json!({ "text": "2 tablets" })),
    ] {
        let refused = caregiver.tries_to_write(metformin, field, value).await;
        assert_eq!(refused, Err(RecordRefusal::NotAllowed), "{field}");
    }
    clinic.closes().await;
}
