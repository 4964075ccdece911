//! A record whose patient's part does not read to its end.

use std::collections::BTreeMap;

use clinical::field::ListName;
use clinical::id::RowId;

use super::*;

fn question() -> Edit {
    let (list, row) = (ListName::Questions, RowId(id()));
    let op = Op::Add { list, row, after: None, values: BTreeMap::new() };
    Edit { id: EditId(id()), op, typed_ago_ms: None }
}

/// What somebody hears who opens the record, up to its end: the snapshots, or that it is closed.
async fn heard(records: &Records, record: RecordId, role: Role) -> Vec<ServerMessage> {
    let mut client = Client::new(role);
    records.open(client.reader(), record, Vec::new());
    let mut heard = Vec::new();
    loop {
        let message = client.message().await;
        let last = matches!(
            message,
            ServerMessage::RecordClosed { .. }
                | ServerMessage::RecordSnapshot { kind: DocKind::Voice, .. }
        );
        heard.push(message);
        if last {
            return heard;
        }
    }
}

#[tokio::test]
async fn where_the_wishes_do_not_read_only_whom_none_could_shut_out_sees_anything() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut patient = Client::new(Role::Patient);
    records.open(patient.reader(), record, Vec::new());
    let (voice, ..) = patient.snapshot(DocKind::Voice).await;
    for edit in [question(), question()] {
        send(&records, &patient, voice, &edit, false);
        patient.outcome(edit.id).await.unwrap();
    }
    records.shutdown().await;
    let changed = "update doc_change set body = zeroblob(60) where seq = 2";
    bench.store.tamper(&["delete from doc_snapshot", changed]).await.unwrap();

    let records = self::records(&bench);
    for role in [Role::Nurse, Role::Chw, Role::Specialist, Role::Caregiver] {
        let heard = heard(&records, record, role).await;
        assert!(
            !heard.iter().any(|said| matches!(said, ServerMessage::RecordSnapshot { .. })),
            "{role:?}: {heard:?}"
        );
    }
    for role in [Role::Pharmacist, Role::Pcp, Role::Patient] {
        let heard = heard(&records, record, role).await;
        let last = heard.last();
        assert!(matches!(last, Some(ServerMessage::RecordSnapshot { .. })), "{role:?}: {heard:?}");
    }
    // The same as asked over HTTP.
    let loaded = crate::record::load(&bench.store, &bench.vault, record).await.unwrap();
    for role in Role::ALL {
        let hand = crate::record::hand(&loaded.docs, role, PersonId(id()));
        let stays = matches!(role, Role::Patient | Role::Pharmacist | Role::Pcp);
        assert_eq!(!hand.is_shut_out(), stays, "{role:?}");
    }
    records.shutdown().await;
}
