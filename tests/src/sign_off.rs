//! What a pharmacist does until nothing is missing before a signature.

use std::collections::BTreeMap;

use clinical::bytes::Base64;
use clinical::edit::{Base, Op};
use clinical::field::{Address, FieldName};
use clinical::gate::GateItem;
use clinical::id::DocId;
use clinical::phi::Phi;
use serde_json::{Value, json};
use signaling::message::{ClientMessage, ServerMessage, SnapshotContent};

use crate::participant::Participant;

/// The first words of a text, as a Yjs update (v1) of this client: one insertion at the root `t`, no deletion.
fn typed(client: u64, words: &str) -> Base64 {
    fn number(bytes: &mut Vec<u8>, mut value: u64) {
        while value > 0x7f {
            bytes.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
            value >>= 7;
        }
        bytes.push(u8::try_from(value).unwrap_or(0));
    }
    let mut bytes = vec![1, 1];
    number(&mut bytes, client);
    // Clock 0, a string, under the root named "t".
    bytes.extend([0, 4, 1, 1, b't']);
    number(&mut bytes, words.len() as u64);
    bytes.extend(words.as_bytes());
    bytes.push(0);
    Base64(bytes)
}

/// What is missing, at which change.
pub async fn missing(pharmacist: &mut Participant, doc: DocId) -> (u64, Vec<GateItem>) {
    pharmacist.send(&ClientMessage::RecordGate { doc }).await;
    let found = pharmacist
        .until("what is missing", |message| matches!(message, ServerMessage::RecordGate { .. }))
        .await;
    match found {
        ServerMessage::RecordGate { seq, missing, .. } => (seq, missing),
        other => panic!("{other:?}"),
    }
}

/// What the pharmacist writes where the gate points.
fn written(field: FieldName) -> Value {
    match field.as_str() {
        "meds.verify" => json!({ "state": "patient_confirmed" }),
        "meds.sig" => json!({ "text": "1 tablet every morning" }),
        "meds.indicated" | "meds.effective" | "meds.safe" | "meds.adherent" => {
            json!({ "answer": "yes" })
        }
        "allergy_statement" => json!("listed"),
        "reviewed.allergies" | "reviewed.immunizations" => json!(true),
        "outline.duration" => json!({ "start": "2026-03-02", "planned_end": "2026-09" }),
        "outline.interaction_frequency" => json!("every two weeks"),
        "problems.no_action_reason" | "outline.no_goal_reason" | "outline.no_touchpoint_reason" => {
            json!("The patient wants it so.")
        }
        other => panic!("the gate points at {other}"),
    }
}

/// Writes whatever the gate of the demo plan asks for; gives back the last change, which lacks nothing but the signature.
/// `client` is the Yjs id of the connection.
pub async fn complete(pharmacist: &mut Participant, doc: DocId, client: u64) -> u64 {
    let mut revs: BTreeMap<Address, u64> = BTreeMap::new();
    for message in &pharmacist.heard {
        if let ServerMessage::RecordSnapshot { content: SnapshotContent::Full { state }, .. } =
            message
        {
            revs.extend(state.registers.iter().map(|held| (held.at, held.register.rev())));
        }
    }
    let (_, mut lacking) = missing(pharmacist, doc).await;
    assert!(lacking.len() > 30, "{}", lacking.len());
    // Once a medicine is verified, the gate asks how it is taken.
    while let Some(GateItem { code, at }) = lacking.pop() {
        let at = at.unwrap_or_else(|| panic!("{code:?}: nobody of the patient's is here"));
        let op = if at.field == FieldName::OutlineFollowUp {
            Op::Text { at, base: 0, update: typed(client, "Call us if you feel dizzy.") }
        } else {
            let base = Base::Rev(revs.get(&at).copied().unwrap_or(0));
            Op::Set { at, base, value: Phi::new(Some(written(at.field))) }
        };
        pharmacist.edit(doc, op).await.unwrap_or_else(|why| panic!("{at}: {why:?}"));
        if lacking.is_empty() {
            lacking = missing(pharmacist, doc).await.1;
        }
    }
    let (seq, lacking) = missing(pharmacist, doc).await;
    assert_eq!(lacking, []);
    seq
}
