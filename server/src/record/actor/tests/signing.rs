//! A signature from the message to the disk, and what `mortar verify` finds afterwards.

use clinical::command::Command;
use clinical::doc::{Doc, Import};
use clinical::gate::{Credential, CredentialKind, GateCode};
use clinical::value::PartialDate;
use clinical::version::{Content, Signed};
use serde_json::json;

use super::*;
use crate::credential;
use crate::record::seal_changes;
use crate::record::version;
use crate::record::writer::{Append, Work};
use crate::store::now;
use crate::vault::Dek;
use crate::verify::verify;

/// A record whose plan lacks nothing but the signature.
async fn ready(bench: &Bench) -> (RecordId, DocId, Dek) {
    let (record, [plan, ..], dek) = bench.record().await;
    let field = |field: FieldName, value: serde_json::Value| Import::Field {
        field,
        value: field.parse(&value).unwrap(),
    };
    let at = Address { row: None, field: FieldName::OutlineFollowUp };
    let items = [
        field(FieldName::AllergyStatement, json!("no_known")),
        field(FieldName::ReviewedAllergies, json!(true)),
        field(FieldName::ReviewedImmunizations, json!(true)),
        field(FieldName::OutlineNoGoalReason, json!("Wants none.")),
        field(FieldName::OutlineNoTouchpointReason, json!("Moves away.")),
        field(FieldName::OutlineDuration, json!({ "start": "2026-03", "planned_end": "2026-04" })),
        field(FieldName::OutlineInteractionFrequency, json!("once")),
        Import::Text { at, words: "Call if dizzy, says Zebulon.".to_owned() },
    ];
    let changes = Doc::new(plan, DocKind::Plan).import(now(), &items, || EditId(id())).unwrap();
    let rows = seal_changes(&dek, plan, &changes).unwrap();
    let append = vec![Append { doc: plan, epoch: 0, before: 0, rows }];
    let stored = bench.writer.store(Work { append, ..Work::default() }).await;
    assert_eq!(stored, crate::record::writer::Answer::Stored);
    (record, plan, dek)
}

fn strict(bench: &Bench) -> Records {
    let requires = vec![CredentialKind::License];
    bench.records(requires)
}

async fn license(bench: &Bench, client: &Client) {
    let (number, state) = ("10442".to_owned(), "LA".to_owned());
    let expires = PartialDate::parse("2999-12-31").unwrap();
    let held = Credential { kind: CredentialKind::License, number, state, expires };
    credential::add(&bench.writer, client.actor.person, &held).await.unwrap();
}

async fn gate_of(records: &Records, client: &mut Client, doc: DocId) -> Vec<GateCode> {
    records.handle(client.connection, ClientMessage::RecordGate { doc });
    loop {
        if let ServerMessage::RecordGate { missing, .. } = client.message().await {
            return missing.into_iter().map(|item| item.code).collect();
        }
    }
}

async fn sign(
    records: &Records,
    client: &mut Client,
    doc: DocId,
    seen: u64,
) -> Result<u64, RecordRefusal> {
    let of = EditId(id());
    records
        .handle(client.connection, ClientMessage::RecordSign { doc, id: of, seen, step_up: None });
    client.outcome(of).await
}

#[tokio::test]
async fn a_signature_is_on_the_disk_with_its_version_and_verifies() {
    let bench = Bench::new().await;
    let (record, doc, dek) = ready(&bench).await;
    let records = strict(&bench);
    let mut pharmacist = Client::new(Role::Pharmacist);
    let (_, seen) = pharmacist.open(&records, record).await;

    assert_eq!(gate_of(&records, &mut pharmacist, doc).await, [GateCode::Credential]);
    assert_eq!(sign(&records, &mut pharmacist, doc, seen).await, Err(RecordRefusal::NotReady));
    license(&bench, &pharmacist).await;
    assert_eq!(gate_of(&records, &mut pharmacist, doc).await, []);
    let signed = sign(&records, &mut pharmacist, doc, seen).await.unwrap();

    let rows = version::list(&bench.store, doc).await.unwrap();
    assert_eq!((rows.len(), rows[0].version, rows[0].seq), (1, 1, signed));
    let bytes = version::content(&bench.store, &dek, doc, 1).await.unwrap().unwrap();
    let content: Content = serde_json::from_slice(bytes.expose()).unwrap();
    assert_eq!(content.signer.name, "Ada Canary");
    assert_eq!(content.signer.credentials.len(), 1);
    assert_eq!(
        content.fields["outline.follow_up_instructions"],
        json!("Call if dizzy, says Zebulon.")
    );
    assert!(!bench.folder.holds("Zebulon"), "what is signed lies open in a file");
    assert_eq!(count(&bench, "select count(*) from audit where action = 'plan.signed'").await, 1);

    let edit = set("listed", Base::Rev(1));
    send(&records, &pharmacist, doc, &edit, false);
    assert_eq!(pharmacist.outcome(edit.id).await, Err(RecordRefusal::Sealed));
    let report = verify(&bench.store, &bench.vault).await.unwrap();
    assert_eq!((report.faults.clone(), report.versions), (Vec::new(), 1));
}

#[tokio::test]
async fn the_next_process_knows_that_it_is_signed_and_signs_the_next_version() {
    let bench = Bench::new().await;
    let (record, doc, dek) = ready(&bench).await;
    let before = records(&bench);
    let mut pharmacist = Client::new(Role::Pharmacist);
    let (_, seen) = pharmacist.open(&before, record).await;
    sign(&before, &mut pharmacist, doc, seen).await.unwrap();
    before.shutdown().await;

    let after = records(&bench);
    let mut again = Client::new(Role::Pharmacist);
    let (_, seen) = again.open(&after, record).await;
    assert_eq!(sign(&after, &mut again, doc, seen).await, Err(RecordRefusal::AlreadyDecided));
    let of = EditId(id());
    let command = Command::Revise { reason: Phi::new("A new result.".to_owned()) };
    after.handle(again.connection, ClientMessage::RecordCommand { doc, id: of, command, seen });
    let seen = again.outcome(of).await.unwrap();
    let edit = set("listed", Base::Rev(1));
    send(&after, &again, doc, &edit, false);
    let seen = again.outcome(edit.id).await.map(|seq| seq.max(seen)).unwrap();
    sign(&after, &mut again, doc, seen).await.unwrap();

    let bytes = version::content(&bench.store, &dek, doc, 2).await.unwrap().unwrap();
    let content: Content = serde_json::from_slice(bytes.expose()).unwrap();
    assert_eq!(content.supersedes.map(|before| before.version), Some(1));
    assert_eq!(verify(&bench.store, &bench.vault).await.unwrap().faults, Vec::<String>::new());
}

/// One byte of anything, a version that is gone, one that was put there: each is found.
#[tokio::test]
async fn verify_finds_what_was_changed() {
    for (tamper, found) in [
        (
            "update doc_version set content = cast(substr(content, 1, 40) || x'00' || substr(content, 42) as blob)",
            "does not open",
        ),
        ("update doc_version set sha256 = substr(sha256, 2) || '0'", "not what was signed"),
        ("delete from doc_version", "missing"),
        (
            "insert into doc_version select doc, 2, seq, content, sha256, person, at_ms from doc_version",
            "version 2",
        ),
        (
            "update doc_change set body = cast(substr(body, 1, 40) || x'00' || substr(body, 42) as blob) where seq = 3",
            "change 3: hash",
        ),
        ("delete from doc_change where seq = 9", "change 9: gap"),
        ("update doc_head set seq = 7 where seq > 7", "change 8: gap"),
    ] {
        let bench = Bench::new().await;
        let (record, doc, _) = ready(&bench).await;
        let records = records(&bench);
        let mut pharmacist = Client::new(Role::Pharmacist);
        let (_, seen) = pharmacist.open(&records, record).await;
        sign(&records, &mut pharmacist, doc, seen).await.unwrap();
        assert_eq!(verify(&bench.store, &bench.vault).await.unwrap().faults, Vec::<String>::new());

        bench.store.tamper(&[tamper]).await.unwrap();

        let report = verify(&bench.store, &bench.vault).await.unwrap();
        assert!(report.faults.iter().any(|fault| fault.contains(found)), "{tamper}: {report:?}");
    }
}

/// The value and the row of what is signed come together or not at all.
#[tokio::test]
async fn a_signature_that_is_not_stored_did_not_happen() {
    let bench = Bench::new().await;
    let (record, doc, _) = ready(&bench).await;
    let records = records(&bench);
    let mut pharmacist = Client::new(Role::Pharmacist);
    let (_, seen) = pharmacist.open(&records, record).await;
    bench.writer.faults.add(Point::BeforeCommit, StoreError::Full);

    let refused = sign(&records, &mut pharmacist, doc, seen).await;

    assert_eq!(refused, Err(RecordRefusal::StorageFull));
    assert!(version::list(&bench.store, doc).await.unwrap().is_empty());
    let at = Address { row: None, field: FieldName::Signed };
    let mut other = Client::new(Role::Pcp);
    records.open(other.reader(), record, Vec::new());
    let (_, _, content) = other.snapshot(DocKind::Plan).await;
    let SnapshotContent::Full { state } = content else { panic!() };
    let signed = state.registers.iter().find(|register| register.at == at);
    assert!(signed.and_then(|at| at.register.value()?.read::<Signed>()).is_none());
}

#[tokio::test]
async fn only_a_pharmacist_signs_or_asks_what_is_missing() {
    let bench = Bench::new().await;
    let (record, doc, _) = ready(&bench).await;
    let records = records(&bench);
    for role in [Role::Pcp, Role::Nurse, Role::Chw] {
        let mut client = Client::new(role);
        let (_, seen) = client.open(&records, record).await;

        assert_eq!(
            sign(&records, &mut client, doc, seen).await,
            Err(RecordRefusal::NotAllowed),
            "{role:?}"
        );
        records.handle(client.connection, ClientMessage::RecordGate { doc });
        let refused = loop {
            if let ServerMessage::Refused { of, code } = client.message().await {
                break (of, code);
            }
        };
        assert_eq!(refused, ("record.gate".to_owned(), RefusalCode::NotAllowed), "{role:?}");
    }
}
