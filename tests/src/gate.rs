//! What is missing before a plan can be signed, written the shortest way.

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

/// Writes everything the gate asks for into a plan that was just opened; gives back its last change.
pub async fn fill(pharmacist: &mut Participant, doc: DocId, client: u64) -> u64 {
    let mut revs: BTreeMap<Address, u64> = BTreeMap::new();
    for message in &pharmacist.heard {
        if let ServerMessage::RecordSnapshot { content: SnapshotContent::Full { state }, .. } =
            message
        {
            revs.extend(state.registers.iter().map(|held| (held.at, held.register.rev())));
        }
    }
    let (_, mut lacking) = missing(pharmacist, doc).await;
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

/// What the gate lacks, and the last change it looked at.
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
pub fn written(field: FieldName) -> Value {
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

/// The first words of a text, as a Yjs update (v1) of this client: one insertion at the root `t`, no deletion.
pub fn typed(client: u64, words: &str) -> Base64 {
    fn number(bytes: &mut Vec<u8>, mut value: u64) {
        while value > 0x7f {
            bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        bytes.push(u8::try_from(value).unwrap());
    }
    let mut bytes = vec![1, 1];
    number(&mut bytes, client);
    // Clock 0, a string, under the root named "t".
    bytes.extend([0, 4, 1, 1, b't']);
    number(&mut bytes, u64::try_from(words.len()).unwrap());
    bytes.extend(words.as_bytes());
    bytes.push(0);
    Base64(bytes)
}
