mod broken;
mod signing;

use std::time::Duration;

use clinical::actor::{Actor, Role};
use clinical::edit::{Base, Edit, Op};
use clinical::field::{Address, DocKind, FieldName};
use clinical::id::{ConnectionId, DocId, EditId, PersonId, RecordId, SeatId};
use clinical::phi::Phi;
use clinical::register::Register;
use signaling::message::{
    ClientMessage, ClosedReason, Have, RecordRefusal, RefusalCode, ResyncReason, ServerMessage,
    SnapshotContent, StorageState,
};
use uuid::Uuid;

use crate::audit;
use crate::record::writer::faults::Point;
use crate::record::{Cut, Incoming, Input, Next, Outgoing, Reader, Records};
use crate::store::StoreError;
use crate::testing::Bench;

/// Somebody with a browser.
struct Client {
    connection: ConnectionId,
    actor: Actor,
    outgoing: Outgoing,
    incoming: Incoming,
}

fn id() -> Uuid {
    Uuid::now_v7()
}

impl Client {
    fn new(role: Role) -> Self {
        let (outgoing, incoming) = Outgoing::pair();
        let actor = Actor { person: PersonId(id()), seat: SeatId(id()), role };
        Self { connection: ConnectionId(id()), actor, outgoing, incoming }
    }

    fn reader(&self) -> Reader {
        Reader {
            connection: self.connection,
            outgoing: self.outgoing.clone(),
            actor: self.actor,
            name: Phi::new("Ada Canary".to_owned()),
            call: None,
            visit: None,
        }
    }

    async fn next(&mut self) -> Next {
        tokio::time::timeout(Duration::from_secs(10), self.incoming.next())
            .await
            .expect("a message within 10 s")
    }

    async fn message(&mut self) -> ServerMessage {
        match self.next().await {
            Next::Message(said) => said.message().clone(),
            other => panic!("{other:?}"),
        }
    }

    /// Opens a record and waits for its plan; answers its document and `seq`.
    async fn open(&mut self, records: &Records, record: RecordId) -> (DocId, u64) {
        records.open(self.reader(), record, Vec::new());
        self.plan().await
    }

    /// Waits for a snapshot of the plan.
    async fn plan(&mut self) -> (DocId, u64) {
        let (doc, seq, _) = self.snapshot(DocKind::Plan).await;
        (doc, seq)
    }

    async fn snapshot(&mut self, wanted: DocKind) -> (DocId, u64, SnapshotContent) {
        loop {
            if let ServerMessage::RecordSnapshot { doc, kind, seq, content, .. } =
                self.message().await
                && kind == wanted
            {
                return (doc, seq, content);
            }
        }
    }

    /// Waits for what happened to an edit.
    async fn outcome(&mut self, of: EditId) -> Result<u64, RecordRefusal> {
        loop {
            match self.message().await {
                ServerMessage::RecordAck { edit, change, .. } if edit == of => {
                    return Ok(change.map_or(0, |change| change.seq));
                }
                ServerMessage::RecordRefuse { edit, code, .. } if edit == of => return Err(code),
                _ => {}
            }
        }
    }
}

const AT: Address = Address { row: None, field: FieldName::AllergyStatement };

fn set(value: &str, base: Base) -> Edit {
    let value = Phi::new(Some(serde_json::json!(value)));
    Edit { id: EditId(id()), op: Op::Set { at: AT, base, value }, typed_ago_ms: None }
}

fn send(records: &Records, client: &Client, doc: DocId, edit: &Edit, resend: bool) {
    records
        .handle(client.connection, ClientMessage::RecordEdit { doc, edit: edit.clone(), resend });
}

fn records(bench: &Bench) -> Records {
    bench.records(Vec::new())
}

async fn count(bench: &Bench, text: &'static str) -> i64 {
    bench.store.count(text).await
}

#[tokio::test]
async fn an_edit_is_acknowledged_and_shown_only_when_it_is_on_the_disk() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let (mut pharmacist, mut pcp) = (Client::new(Role::Pharmacist), Client::new(Role::Pcp));
    let (doc, _) = pharmacist.open(&records, record).await;
    pcp.open(&records, record).await;
    let edit = set("no_known", Base::Rev(0));

    send(&records, &pharmacist, doc, &edit, false);

    assert_eq!(pharmacist.outcome(edit.id).await, Ok(1));
    assert_eq!(count(&bench, "select count(*) from doc_change").await, 1);
    loop {
        if let ServerMessage::RecordChange { change, person, .. } = pcp.message().await {
            assert_eq!(change.edit, edit.id);
            assert_eq!(person.map(|person| person.person), Some(pharmacist.actor.person));
            break;
        }
    }
}

#[tokio::test]
async fn a_record_that_does_not_exist_is_not_found() {
    let bench = Bench::new().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);

    records.open(client.reader(), RecordId(id()), Vec::new());

    let ServerMessage::Refused { code, .. } = client.message().await else { panic!() };
    assert_eq!(code, RefusalCode::NotFound);
    // Nothing of it stays behind.
    assert!(records.inner.desk().records.is_empty());
    assert!(records.inner.desk().connections.is_empty());
}

#[tokio::test]
async fn a_read_is_in_the_log_of_accesses_before_anything_is_shown() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);

    client.open(&records, record).await;

    let reads = count(&bench, "select count(*) from audit where action = 'record.read'").await;
    assert!(reads >= 1);
    assert!(audit::verify(&bench.store).await.is_ok());
}

#[tokio::test]
async fn nothing_is_shown_while_the_log_of_accesses_cannot_be_written() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    bench.writer.faults.add(Point::BeforeCommit, StoreError::Full);

    records.open(client.reader(), record, Vec::new());

    match client.message().await {
        ServerMessage::Refused { of, code } => {
            assert_eq!((of.as_str(), code), ("record.open", RefusalCode::Busy));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_next_process_finds_everything() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let before = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&before, record).await;
    let edit = set("no_known", Base::Rev(0));
    send(&before, &client, doc, &edit, false);
    client.outcome(edit.id).await.unwrap();
    before.shutdown().await;

    let after = records(&bench);
    let mut again = Client::new(Role::Pcp);
    after.open(again.reader(), record, Vec::new());
    let (_, seq, content) = again.snapshot(DocKind::Plan).await;

    assert_eq!(seq, 1);
    let SnapshotContent::Full { state } = content else { panic!() };
    assert!(state.registers.iter().any(|register| {
        register.at == AT && matches!(register.register, Register::Value { rev: 1, .. })
    }));
    // Closing wrote the document whole.
    assert_eq!(count(&bench, "select count(*) from doc_snapshot").await, 1);
}

#[tokio::test]
async fn a_resent_edit_is_answered_and_not_stored_twice() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&records, record).await;
    let edit = set("no_known", Base::Rev(0));
    send(&records, &client, doc, &edit, false);
    client.outcome(edit.id).await.unwrap();

    send(&records, &client, doc, &edit, true);

    assert!(client.outcome(edit.id).await.is_ok());
    assert_eq!(count(&bench, "select count(*) from doc_change").await, 1);
}

#[tokio::test]
async fn a_full_store_refuses_keeps_nothing_and_goes_on_when_there_is_room() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&records, record).await;
    bench.writer.faults.add(Point::BeforeCommit, StoreError::Full);
    let edit = set("no_known", Base::Rev(0));

    send(&records, &client, doc, &edit, false);
    assert_eq!(client.outcome(edit.id).await, Err(RecordRefusal::StorageFull));
    let mut told = Vec::new();
    while told.last() != Some(&StorageState::Ok) {
        if let ServerMessage::RecordStatus { storage } = client.message().await {
            told.push(storage);
        }
    }
    send(&records, &client, doc, &edit, true);

    assert_eq!(told, [StorageState::Full, StorageState::Ok]);
    assert_eq!(client.outcome(edit.id).await, Ok(1));
}

#[tokio::test]
async fn an_edit_whose_commit_nobody_saw_is_acknowledged_if_it_happened() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&records, record).await;
    bench.writer.faults.add(Point::AfterCommit, StoreError::Away);
    let edit = set("no_known", Base::Rev(0));

    send(&records, &client, doc, &edit, false);

    assert!(client.outcome(edit.id).await.is_ok());
    assert_eq!(count(&bench, "select count(*) from doc_change").await, 1);
}

#[tokio::test]
async fn an_edit_whose_commit_did_not_happen_is_applied_again() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&records, record).await;
    // A constraint in the middle of the batch: out of step, nothing written.
    bench.writer.faults.add(Point::BeforeCommit, StoreError::Constraint);
    let edit = set("no_known", Base::Rev(0));

    send(&records, &client, doc, &edit, false);
    loop {
        if let ServerMessage::RecordResync { why, .. } = client.message().await {
            assert_eq!(why, ResyncReason::Reloaded);
            break;
        }
    }

    assert_eq!(client.outcome(edit.id).await, Ok(1));
    assert_eq!(count(&bench, "select count(*) from doc_change").await, 1);
}

#[tokio::test]
async fn edits_behind_a_lost_one_are_neither_lost_nor_doubled() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&records, record).await;
    bench.writer.faults.add(Point::BeforeCommit, StoreError::Constraint);
    let first = set("no_known", Base::Rev(0));
    let second = set("unknown", Base::Mine(first.id));
    let third = set("listed", Base::Mine(second.id));

    for edit in [&first, &second, &third] {
        send(&records, &client, doc, edit, false);
    }

    for edit in [&first, &second, &third] {
        assert!(client.outcome(edit.id).await.is_ok());
    }
    assert_eq!(count(&bench, "select count(*) from doc_change").await, 3);
}

#[tokio::test]
async fn a_store_out_of_reach_refuses_and_the_same_edit_is_taken_later() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&records, record).await;
    bench.writer.faults.add(Point::BeforeCommit, StoreError::Away);
    let edit = set("no_known", Base::Rev(0));

    send(&records, &client, doc, &edit, false);
    assert_eq!(client.outcome(edit.id).await, Err(RecordRefusal::StorageAway));
    loop {
        if let ServerMessage::RecordStatus { storage: StorageState::Ok } = client.message().await {
            break;
        }
    }
    send(&records, &client, doc, &edit, true);

    assert_eq!(client.outcome(edit.id).await, Ok(1));
}

#[tokio::test]
async fn after_an_io_error_every_edit_is_refused_until_a_restart() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&records, record).await;
    bench.writer.faults.add(Point::BeforeCommit, StoreError::Failed);
    let edit = set("no_known", Base::Rev(0));

    for resend in [false, true] {
        send(&records, &client, doc, &edit, resend);
        assert_eq!(client.outcome(edit.id).await, Err(RecordRefusal::StorageFailed));
    }
    assert_eq!(count(&bench, "select count(*) from doc_change").await, 0);
}

#[tokio::test]
async fn an_edit_under_way_when_the_writer_breaks_is_refused() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&records, record).await;
    bench.writer.faults.add(Point::Panic, StoreError::Failed);
    let edit = set("no_known", Base::Rev(0));

    send(&records, &client, doc, &edit, false);

    assert_eq!(client.outcome(edit.id).await, Err(RecordRefusal::StorageFailed));
}

pub(super) fn break_down() {
    panic!("broken by a test");
}

#[tokio::test]
async fn a_record_whose_task_breaks_cuts_its_readers_off_and_opens_again() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    client.open(&records, record).await;

    records.inner.desk().records[&record].tell(Input::Break);
    loop {
        match client.next().await {
            Next::Cut(why) => {
                assert_eq!(why, Cut::Moved);
                break;
            }
            Next::Message(_) => {}
            Next::Over => panic!("cut off without a reason"),
        }
    }

    let mut again = Client::new(Role::Pcp);
    let (doc, _) = again.open(&records, record).await;
    let edit = set("no_known", Base::Rev(0));
    send(&records, &again, doc, &edit, false);
    assert_eq!(again.outcome(edit.id).await, Ok(1));
}

#[tokio::test]
async fn a_record_taken_over_cuts_its_readers_off_and_stores_nothing() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&records, record).await;
    let other = bench.records(Vec::new());
    let mut elsewhere = Client::new(Role::Pharmacist);
    elsewhere.open(&other, record).await;
    let edit = set("no_known", Base::Rev(0));

    send(&records, &client, doc, &edit, false);

    loop {
        match client.next().await {
            Next::Cut(why) => {
                assert_eq!(why, Cut::Moved);
                break;
            }
            Next::Message(said) => {
                assert!(!matches!(said.message(), ServerMessage::RecordAck { .. }), "{said:?}");
            }
            Next::Over => panic!(),
        }
    }
    assert_eq!(count(&bench, "select count(*) from doc_change").await, 0);
    assert!(records.inner.desk().records.is_empty());
}

#[tokio::test]
async fn a_document_that_does_not_read_to_its_end_is_shown_and_takes_nothing() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let first = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&first, record).await;
    let mut base = Base::Rev(0);
    for value in ["no_known", "unknown", "listed"] {
        let edit = set(value, base);
        send(&first, &client, doc, &edit, false);
        base = Base::Rev(client.outcome(edit.id).await.unwrap());
    }
    first.shutdown().await;
    let broken = ["delete from doc_snapshot", "update doc_change set at_ms = 1 where seq = 3"];
    bench.store.tamper(&broken).await.unwrap();

    let again = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, seq) = client.open(&again, record).await;
    let edit = set("no_known", Base::Rev(2));
    send(&again, &client, doc, &edit, false);

    assert_eq!(seq, 2);
    assert_eq!(client.outcome(edit.id).await, Err(RecordRefusal::StorageFailed));
}

#[tokio::test]
async fn a_history_comes_from_the_log_page_by_page() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut nurse = Client::new(Role::Pharmacist);
    let (doc, _) = nurse.open(&records, record).await;
    let mut rev = 0;
    for n in 0..40 {
        let edit = set(if n % 2 == 0 { "no_known" } else { "listed" }, Base::Rev(rev));
        send(&records, &nurse, doc, &edit, false);
        rev = nurse.outcome(edit.id).await.unwrap();
    }
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        records.handle(nurse.connection, ClientMessage::RecordHistory { doc, at: AT, before });
        let (changes, next) = loop {
            match nurse.message().await {
                ServerMessage::RecordHistory { changes, next, people, .. } => {
                    assert_eq!(people.len(), 1, "who it was");
                    break (changes, next);
                }
                ServerMessage::Refused { code, .. } => panic!("{code:?}"),
                _ => {}
            }
        };
        pages.push(changes.iter().map(|change| change.seq).collect::<Vec<_>>());
        before = next;
        if before.is_none() {
            break;
        }
    }
    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [30, 10]);
    let told: Vec<u64> = pages.concat();
    let mut newest_first = told.clone();
    newest_first.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(told, newest_first);
    assert_eq!(told.first(), Some(&rev));
}

#[tokio::test]
async fn a_closed_record_refuses_edits() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&records, record).await;

    records.revoke(client.connection, ClosedReason::NotAllowed);
    loop {
        if let ServerMessage::RecordClosed { why, .. } = client.message().await {
            assert_eq!(why, ClosedReason::NotAllowed);
            break;
        }
    }
    let edit = set("no_known", Base::Rev(0));
    send(&records, &client, doc, &edit, false);

    // The connection is unknown by then: nothing is said, nothing is stored.
    assert_eq!(count(&bench, "select count(*) from doc_change").await, 0);
}

#[tokio::test]
async fn a_reader_who_is_away_for_a_moment_receives_what_was_missed() {
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let (mut pharmacist, mut pcp) = (Client::new(Role::Pharmacist), Client::new(Role::Pcp));
    let (doc, seq) = pharmacist.open(&records, record).await;
    pcp.open(&records, record).await;
    records.close(pharmacist.connection);
    let edit = set("no_known", Base::Rev(0));
    send(&records, &pcp, doc, &edit, false);
    pcp.outcome(edit.id).await.unwrap();

    let mut back = Client::new(Role::Pharmacist);
    records.open(back.reader(), record, vec![Have { doc, seq }]);
    let (_, seq, content) = back.snapshot(DocKind::Plan).await;

    assert_eq!(seq, 1);
    let SnapshotContent::Since { changes } = content else { panic!("{content:?}") };
    assert_eq!(changes.len(), 1);
}

#[tokio::test]
async fn who_does_not_read_is_cut_off() {
    let (outgoing, mut incoming) = Outgoing::pair();

    for n in 0..10_000 {
        outgoing.say(ServerMessage::Pong { n });
    }

    assert!(matches!(incoming.next().await, Next::Cut(Cut::SlowConsumer)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edit_to_acknowledgement_is_measured() {
    const EDITS: usize = 200;
    let bench = Bench::new().await;
    let (record, ..) = bench.record().await;
    let records = records(&bench);
    let mut client = Client::new(Role::Pcp);
    let (doc, _) = client.open(&records, record).await;
    let mut took = Vec::with_capacity(EDITS);
    let mut base = Base::Rev(0);
    for n in 0..EDITS {
        let edit = set(["no_known", "unknown"][n % 2], base);
        let began = std::time::Instant::now();
        send(&records, &client, doc, &edit, false);
        match client.outcome(edit.id).await {
            Ok(seq) => base = Base::Rev(seq),
            // A burst is let through, then 50 a second.
            Err(RecordRefusal::TooFast) => break,
            Err(other) => panic!("{other:?}"),
        }
        took.push(began.elapsed());
    }
    took.sort();
    let p95 = took[took.len() * 95 / 100].as_secs_f64() * 1000.0;
    report(p95);
}

#[expect(
    clippy::print_stdout,
    reason = "a figure for whoever runs the tests; no test asserts a time"
)]
fn report(p95: f64) {
    println!("METRIC record.ack_ms_in_process.p95 {p95:.2} <=80 info");
}
