use std::collections::BTreeSet;

use clinical::actor::{Actor, Role};
use clinical::edit::{Base, Edit, Op};
use clinical::field::{Address, FieldName, ListName};
use clinical::id::{RowId, SeatId};
use clinical::phi::Phi;
use clinical::view::View;

use super::super::writer::{Answer, Append, Work};
use super::*;
use crate::testing::Bench;

const CANARY: &str = "Canarimab 40 mg";

fn nurse() -> Actor {
    Actor { person: PersonId(Uuid::now_v7()), seat: SeatId(Uuid::now_v7()), role: Role::Nurse }
}

fn add(text: &str) -> Edit {
    let product = Phi::new(serde_json::json!({ "name": text }));
    Edit {
        id: EditId(Uuid::now_v7()),
        op: Op::Add {
            list: ListName::Meds,
            row: RowId(Uuid::now_v7()),
            after: None,
            values: [(FieldName::MedsProduct, product)].into_iter().collect(),
        },
        typed_ago_ms: None,
    }
}

/// Applies and stores `count` edits on the plan of a record.
async fn type_in(bench: &Bench, loaded: &mut Loaded, count: usize) {
    for _ in 0..count {
        let edit = add(CANARY);
        let change = loaded.doc.apply(Millis(9), &nurse(), None, &edit, &BTreeSet::new()).unwrap();
        let before = change.seq - 1;
        let row = seal_change(&loaded.dek, loaded.doc.id(), &mut loaded.last, &change).unwrap();
        let append =
            vec![Append { doc: loaded.doc.id(), epoch: loaded.epoch, before, rows: vec![row] }];
        let answer = bench.writer.store(Work { append, ..Work::default() }).await;
        assert_eq!(answer, Answer::Stored);
    }
}

async fn plan(bench: &Bench, record: RecordId) -> Loaded {
    let loaded = load(&bench.store, &bench.vault, record).await.unwrap();
    loaded.docs.into_iter().find(|loaded| loaded.doc.kind() == DocKind::Plan).unwrap()
}

async fn do_sql(bench: &Bench, text: &'static str) {
    bench.store.tamper(&[text]).await.unwrap();
}

async fn snapshot_now(bench: &Bench, loaded: &Loaded) {
    let at_rest = AtRest {
        doc: loaded.doc.id(),
        stored: loaded.doc.stored(),
        last: loaded.last,
        epoch: loaded.epoch,
        dek: loaded.dek.clone(),
    };
    snapshot(&bench.store, at_rest).await.unwrap();
}

#[tokio::test]
async fn what_was_stored_is_loaded_with_and_without_a_snapshot() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let mut loaded = plan(&bench, record).await;
    type_in(&bench, &mut loaded, 5).await;
    let written = loaded.doc.snapshot(View::Full);

    let from_log = plan(&bench, record).await;
    snapshot_now(&bench, &loaded).await;
    let from_snapshot = plan(&bench, record).await;
    type_in(&bench, &mut loaded, 2).await;
    let from_both = plan(&bench, record).await;

    assert_eq!(from_log.doc.snapshot(View::Full), written);
    assert_eq!(from_log.tail.changes, 5);
    assert_eq!(from_snapshot.doc.snapshot(View::Full), written);
    assert_eq!(from_snapshot.last, from_log.last);
    assert_eq!(from_snapshot.tail.changes, 0);
    assert_eq!(from_both.doc.snapshot(View::Full), loaded.doc.snapshot(View::Full));
    assert_eq!(from_both.last, loaded.last);
}

#[tokio::test]
async fn nothing_that_was_typed_stands_readable_in_the_files() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let mut loaded = plan(&bench, record).await;
    type_in(&bench, &mut loaded, 3).await;
    snapshot_now(&bench, &loaded).await;

    assert!(!bench.folder.holds(CANARY));
    assert!(!bench.folder.holds("Canarimab"));
    // The search itself works: what is not sealed is found.
    assert!(bench.folder.holds(&record.to_string()));
}

#[tokio::test]
async fn a_changed_row_stops_the_load_there_and_is_kept() {
    for (text, why) in [
        ("update doc_change set body = zeroblob(60) where seq = 3", PoisonKind::Hash),
        ("update doc_change set person = '' where seq = 3", PoisonKind::Hash),
        ("update doc_change set at_ms = 8 where seq = 3", PoisonKind::Hash),
    ] {
        let bench = Bench::new().await;
        let (record, ..) = bench.record().await;
        let mut loaded = plan(&bench, record).await;
        type_in(&bench, &mut loaded, 5).await;
        do_sql(&bench, text).await;

        let found = plan(&bench, record).await;

        assert_eq!(found.poison, Some(Poison { seq: 3, why }), "{text}");
        assert_eq!(found.doc.seq(), 2);
        let kept = bench.store.count("select count(*) from doc_quarantine").await;
        assert_eq!(kept, 1);
    }
}

#[tokio::test]
async fn a_missing_row_is_a_gap() {
    for (text, seq) in
        [("delete from doc_change where seq = 3", 3), ("delete from doc_change where seq = 5", 5)]
    {
        let bench = Bench::new().await;
        let (record, ..) = bench.record().await;
        let mut loaded = plan(&bench, record).await;
        type_in(&bench, &mut loaded, 5).await;
        do_sql(&bench, text).await;

        let found = plan(&bench, record).await;

        assert_eq!(found.poison, Some(Poison { seq, why: PoisonKind::Gap }), "{text}");
    }
}

#[tokio::test]
async fn a_body_moved_to_another_document_does_not_open() {
    let bench = Bench::new().await;
    let (record, [doc, ..], dek) = bench.record().await;
    let mut loaded = plan(&bench, record).await;
    type_in(&bench, &mut loaded, 1).await;
    let body = bench.store.ask::<Vec<u8>>("select body from doc_change").await.remove(0);
    let elsewhere = DocId(Uuid::now_v7()).to_string();

    assert!(dek.open(change_spot(&doc.to_string(), 1), &body).is_ok());
    assert!(dek.open(change_spot(&elsewhere, 1), &body).is_err());
    assert!(dek.open(change_spot(&doc.to_string(), 2), &body).is_err());
}

#[tokio::test]
async fn a_snapshot_that_does_not_read_costs_time_and_nothing_else() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let mut loaded = plan(&bench, record).await;
    type_in(&bench, &mut loaded, 2).await;
    snapshot_now(&bench, &loaded).await;
    type_in(&bench, &mut loaded, 2).await;
    snapshot_now(&bench, &loaded).await;
    do_sql(&bench, "update doc_snapshot set body = zeroblob(99) where seq = 4").await;

    let from_older = plan(&bench, record).await;
    do_sql(&bench, "update doc_snapshot set hash = zeroblob(32)").await;
    let from_log = plan(&bench, record).await;

    assert_eq!(from_older.tail.changes, 2);
    assert_eq!(from_log.tail.changes, 4);
    assert_eq!(from_log.poison, None);
    assert_eq!(from_log.doc.snapshot(View::Full), loaded.doc.snapshot(View::Full));
}

#[tokio::test]
async fn two_snapshots_are_kept() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let mut loaded = plan(&bench, record).await;
    for _ in 0..4 {
        type_in(&bench, &mut loaded, 1).await;
        snapshot_now(&bench, &loaded).await;
    }

    let kept = bench.store.ask::<i64>("select seq from doc_snapshot order by seq").await;

    assert_eq!(kept, [3, 4]);
}

#[tokio::test]
async fn an_edit_is_found_again_by_its_id() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let mut loaded = plan(&bench, record).await;
    type_in(&bench, &mut loaded, 2).await;
    let doc = loaded.doc.id();
    let edit = bench.store.ask::<String>("select edit_id from doc_change where seq = 2").await;
    let edit = edit[0].parse().unwrap();

    let found = change_of_edit(&bench.store, &loaded.dek, doc, edit).await.unwrap();
    let unknown = EditId(Uuid::now_v7());
    let none = change_of_edit(&bench.store, &loaded.dek, doc, unknown).await.unwrap();

    assert_eq!(found.map(|change| change.seq), Some(2));
    assert_eq!(none, None);
}

#[tokio::test]
async fn a_record_nobody_made_is_not_found() {
    let bench = Bench::new().await;

    let loaded = load(&bench.store, &bench.vault, RecordId(Uuid::now_v7())).await;

    assert!(matches!(loaded, Err(LoadError::NotFound)));
}

#[tokio::test]
async fn a_log_of_more_than_one_stretch_is_loaded_whole() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let mut loaded = plan(&bench, record).await;
    let at = Address { row: None, field: FieldName::AllergyStatement };
    let mut rows = Vec::new();
    let mut rev = 0;
    for n in 0..1100 {
        let edit = Edit {
            id: EditId(Uuid::now_v7()),
            op: Op::Set {
                at,
                base: Base::Rev(rev),
                value: Phi::new(Some(serde_json::json!(["unknown", "no_known"][n % 2]))),
            },
            typed_ago_ms: None,
        };
        let change = loaded.doc.apply(Millis(9), &nurse(), None, &edit, &BTreeSet::new()).unwrap();
        rev = change.seq;
        rows.push(seal_change(&loaded.dek, loaded.doc.id(), &mut loaded.last, &change).unwrap());
    }
    let append = vec![Append { doc: loaded.doc.id(), epoch: 0, before: 0, rows }];
    assert_eq!(bench.writer.store(Work { append, ..Work::default() }).await, Answer::Stored);

    let found = plan(&bench, record).await;

    assert_eq!((found.doc.seq(), found.poison), (1100, None));
    assert_eq!(found.last, loaded.last);
}
