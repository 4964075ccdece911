use clinical::actor::{Actor, Author, Millis, Role};
use clinical::id::{DocId, EditId, PersonId, SeatId};
use signaling::message::StorageState;
use uuid::Uuid;

use super::faults::Point;
use super::*;
use crate::audit::{Entry, Outcome};
use crate::testing::Bench;

fn row(seq: u64) -> Row {
    let by = Author::Seat(Actor {
        person: PersonId(Uuid::now_v7()),
        seat: SeatId(Uuid::now_v7()),
        role: Role::Nurse,
    });
    Row {
        seq,
        edit: EditId(Uuid::now_v7()),
        kind: RowKind::Edit,
        at_ms: Millis(1),
        typed_ms: None,
        by,
        call: None,
        body: vec![7; 40],
        hash: [1; 32],
    }
}

fn edit(doc: DocId, before: u64) -> Work {
    let append = vec![Append { doc, epoch: 0, before, rows: vec![row(before + 1)] }];
    Work { append, ..Work::default() }
}

fn entry(object: &str) -> Entry {
    Entry {
        at_ms: Millis(5),
        person: None,
        role: None,
        on_behalf_of: None,
        action: "test",
        outcome: Outcome::Done,
        patient: None,
        object: object.to_owned(),
        visit: None,
        detail: None,
    }
}

async fn count(bench: &Bench, table: &'static str) -> i64 {
    bench.store.count(table).await
}

const CHANGES: &str = "select count(*) from doc_change";
const AUDIT: &str = "select count(*) from audit";

#[tokio::test]
async fn what_arrives_during_a_commit_is_the_next_batch() {
    let bench = Bench::new().await;
    let (_, [doc, ..], _) = bench.record().await;
    let before = bench.writer.faults.commits();

    let answers: Vec<_> = (0..300).map(|seq| bench.writer.submit(edit(doc, seq))).collect();
    for answer in answers {
        assert_eq!(answer.await.unwrap(), Answer::Stored);
    }

    assert_eq!(count(&bench, CHANGES).await, 300);
    let commits = bench.writer.faults.commits() - before;
    assert!(commits < 30, "{commits} commits for 300 edits");
}

#[tokio::test]
async fn a_document_out_of_step_does_not_stop_the_others() {
    let bench = Bench::new().await;
    let (_, [one, two, three], _) = bench.record().await;

    let good = bench.writer.submit(edit(one, 0));
    let gap = bench.writer.submit(edit(two, 5));
    let also = bench.writer.submit(edit(three, 0));

    assert_eq!(good.await.unwrap(), Answer::Stored);
    assert_eq!(gap.await.unwrap(), Answer::OutOfStep);
    assert_eq!(also.await.unwrap(), Answer::Stored);
    assert_eq!(count(&bench, CHANGES).await, 2);
}

#[tokio::test]
async fn everything_of_a_document_after_a_refusal_is_refused_too() {
    let bench = Bench::new().await;
    let (_, [doc, ..], _) = bench.record().await;

    let answers = [edit(doc, 0), edit(doc, 2), edit(doc, 3)].map(|work| bench.writer.submit(work));

    for answer in answers {
        assert_eq!(answer.await.unwrap(), Answer::OutOfStep);
    }
    assert_eq!(count(&bench, CHANGES).await, 0);
}

#[tokio::test]
async fn an_edit_stored_before_is_refused_and_its_neighbours_are_not() {
    let bench = Bench::new().await;
    let (_, [one, two, ..], _) = bench.record().await;
    let first = edit(one, 0);
    let id = first.append[0].rows[0].edit;
    assert_eq!(bench.writer.store(first).await, Answer::Stored);
    let mut again = edit(one, 1);
    again.append[0].rows[0].edit = id;

    let again = bench.writer.submit(again);
    let neighbour = bench.writer.submit(edit(two, 0));

    assert_eq!(again.await.unwrap(), Answer::OutOfStep);
    assert_eq!(neighbour.await.unwrap(), Answer::Stored);
}

#[tokio::test]
async fn a_node_that_was_fenced_out_writes_nothing() {
    let bench = Bench::new().await;
    let (record, [doc, ..], _) = bench.record().await;
    super::super::store::claim(&bench.store, &bench.vault, record, "other").await.unwrap();

    assert_eq!(bench.writer.store(edit(doc, 0)).await, Answer::Fenced);
    assert_eq!(count(&bench, CHANGES).await, 0);
}

#[tokio::test]
async fn the_log_of_accesses_travels_with_its_change_or_not_at_all() {
    let bench = Bench::new().await;
    let (_, [doc, ..], _) = bench.record().await;
    let with_audit = |before| Work { audit: vec![entry("doc")], ..edit(doc, before) };

    assert_eq!(bench.writer.store(with_audit(0)).await, Answer::Stored);
    assert_eq!(bench.writer.store(with_audit(7)).await, Answer::OutOfStep);

    assert_eq!(count(&bench, AUDIT).await, 1);
}

#[tokio::test]
async fn a_full_store_says_so_and_opens_again_by_itself() {
    let bench = Bench::new().await;
    let (_, [doc, ..], _) = bench.record().await;
    let mut state = bench.store.watch();
    bench.writer.faults.add(Point::BeforeCommit, StoreError::Full);

    assert_eq!(bench.writer.store(edit(doc, 0)).await, Answer::Full);
    assert_eq!(*state.borrow_and_update(), StorageState::Full);
    // The probe finds room.
    state.changed().await.unwrap();

    assert_eq!(*state.borrow_and_update(), StorageState::Ok);
    assert_eq!(bench.writer.store(edit(doc, 0)).await, Answer::Stored);
}

#[tokio::test]
async fn after_an_io_error_the_store_stays_stopped() {
    let bench = Bench::new().await;
    let (_, [doc, ..], _) = bench.record().await;
    bench.writer.faults.add(Point::BeforeCommit, StoreError::Failed);

    assert_eq!(bench.writer.store(edit(doc, 0)).await, Answer::Failed);
    assert_eq!(bench.writer.store(edit(doc, 0)).await, Answer::Failed);

    assert!(bench.store.write().await.is_err());
    assert_eq!(bench.writer.audit(vec![entry("x")]).await, Err(StoreError::Failed));
    assert_eq!(count(&bench, CHANGES).await, 0);
}

#[tokio::test]
async fn a_line_lost_during_the_commit_leaves_the_outcome_open() {
    let bench = Bench::new().await;
    let (_, [doc, ..], _) = bench.record().await;
    bench.writer.faults.add(Point::AfterCommit, StoreError::Away);

    assert_eq!(bench.writer.store(edit(doc, 0)).await, Answer::Unknown);
    // Here it did commit.
    assert_eq!(count(&bench, CHANGES).await, 1);
}

#[tokio::test]
async fn the_log_of_accesses_goes_on_after_a_commit_that_nobody_saw() {
    let bench = Bench::new().await;
    bench.writer.audit(vec![entry("first")]).await.unwrap();
    bench.writer.faults.add(Point::AfterCommit, StoreError::Away);

    assert!(bench.writer.audit(vec![entry("nobody saw it")]).await.is_err());
    bench.writer.audit(vec![entry("after")]).await.unwrap();

    assert_eq!(count(&bench, AUDIT).await, 3);
    assert!(audit::verify(&bench.store).await.is_ok());
}

#[tokio::test]
async fn a_writer_that_breaks_stops_the_store_and_says_so() {
    let bench = Bench::new().await;
    let (_, [doc, ..], _) = bench.record().await;
    let mut state = bench.store.watch();
    bench.writer.faults.add(Point::Panic, StoreError::Failed);

    assert_eq!(bench.writer.store(edit(doc, 0)).await, Answer::Failed);
    while *state.borrow_and_update() != StorageState::Failed {
        state.changed().await.unwrap();
    }

    assert_eq!(bench.writer.store(edit(doc, 0)).await, Answer::Failed);
}

#[tokio::test]
async fn a_real_disk_without_room_refuses_and_recovers() {
    let bench = Bench::new().await;
    let (_, [doc, ..], _) = bench.record().await;
    let mut state = bench.store.watch();
    // SQLite answers `SQLITE_FULL` past its page limit, as it does when the disk has no room.
    bench.store.tamper(&["pragma max_page_count = 1"]).await.unwrap();
    let mut big = edit(doc, 0);
    big.append[0].rows[0].body = vec![1; 200_000];

    assert_eq!(bench.writer.store(big).await, Answer::Full);
    assert_eq!(*state.borrow_and_update(), StorageState::Full);
    bench.store.tamper(&["pragma max_page_count = 100000"]).await.unwrap();
    while *state.borrow_and_update() != StorageState::Ok {
        state.changed().await.unwrap();
    }

    assert_eq!(bench.writer.store(edit(doc, 0)).await, Answer::Stored);
    assert_eq!(count(&bench, CHANGES).await, 1);
}

#[tokio::test]
async fn many_documents_move_in_one_go() {
    let bench = Bench::new().await;
    let mut docs = Vec::new();
    for _ in 0..60 {
        let (_, three, _) = bench.record().await;
        docs.extend(three);
    }

    let answers: Vec<_> = docs.iter().map(|doc| bench.writer.submit(edit(*doc, 0))).collect();
    for answer in answers {
        assert_eq!(answer.await.unwrap(), Answer::Stored);
    }

    assert_eq!(count(&bench, CHANGES).await, 180);
}

#[tokio::test]
async fn what_must_change_one_row_and_changes_none_leaves_nothing_of_its_work_and_stops_no_other() {
    let bench = Bench::new().await;
    let late = || Statement::new("update visit set ended_ms = 1 where id = 'nobody'");
    let work = |first| Work { first: vec![first], audit: vec![entry("it")], ..Work::default() };
    assert_eq!(bench.writer.store(work(late())).await, Answer::Stored);
    let before = count(&bench, AUDIT).await;

    let refused = bench.writer.submit(work(late().one_row()));
    let other = bench.writer.submit(work(late()));

    assert_eq!(refused.await.unwrap(), Answer::OutOfStep);
    assert_eq!(other.await.unwrap(), Answer::Stored);
    assert_eq!(count(&bench, AUDIT).await, before + 1);
}
