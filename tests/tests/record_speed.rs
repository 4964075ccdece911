//! How long people wait for "saved", and for a record to open. Figures only: a busy machine is no fault of the product.
//!
//! Through the product's own session, writer and store, without a socket; what the socket adds is in `durability`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clinical::id::RecordId;
use mortar::store::{Hold, Store};
use tests::editors::{Editor, House, Pace};
use tests::ledger::{metric, quantile};
use uuid::Uuid;

/// What one connection may send: 50 edits a second.
const FULL_SPEED: Pace = Pace { every: Some(Duration::from_millis(20)), ahead: 4 };

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("mortar-speed-{}", Uuid::now_v7()))
}

/// So many people type so many edits each, one after the other into these records. Answers how long each edit took.
async fn type_all(
    house: &House,
    records: &[RecordId],
    people: usize,
    edits: usize,
) -> Vec<Duration> {
    let typing: Vec<_> = (0..people)
        .map(|n| {
            let (open, record) = (house.records.clone(), records[n % records.len()]);
            tokio::spawn(async move {
                let mut editor = Editor::open(&open, record).await.unwrap();
                let acked = editor.type_away(edits, FULL_SPEED, || 0).await.unwrap();
                editor.close();
                acked.into_iter().map(|acked| acked.took).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut took = Vec::new();
    for one in typing {
        took.extend(one.await.unwrap());
    }
    took
}

/// What this process has had of a processor: the figure that a busy machine changes least.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Fields 14 and 15, counted behind the name, in hundredths of a second (proc(5)).
    let behind = stat.rsplit_once(')').unwrap().1;
    let ticks = behind.split(' ').skip(12).take(2).map(|n| n.parse::<u64>().unwrap()).sum::<u64>();
    Duration::from_millis(ticks * 10)
}

/// Lets them type, and prints how long they waited, beside what one commit of one edit takes here: the machine's own
/// floor. Both ends of each edit count as processor time, the reader's JSON and the socket's do not.
async fn report(name: &str, house: &House, records: &[RecordId], floor: Duration) {
    let before = processor();
    let mut took = type_all(house, records, 32, 150).await;
    let each = (processor() - before).as_secs_f64() * 1e6 / took.len() as f64;
    // 32 people at 50 edits a second leave one core this much for each.
    metric(&format!("record.processor_us_per_edit.{name}"), each, 625.0);
    let p95 = quantile(&mut took, 0.95);
    metric(&format!("record.ack_p95_ms.{name}"), p95.as_secs_f64() * 1000.0, 80.0);
    let ratio = p95.as_secs_f64() / floor.as_secs_f64().max(1e-6);
    println!("METRIC record.ack_p95_over_one_commit.{name} {ratio:.1} - info n={}", took.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_people_at_full_speed_are_told_saved() {
    let folder = folder();
    let house = House::open(&folder).await.unwrap();
    let mut records = Vec::new();
    for _ in 0..8 {
        records.push(house.patient().await);
    }
    let alone = Pace { every: None, ahead: 1 };
    let mut editor = Editor::open(&house.records, records[0]).await.unwrap();
    let mut one: Vec<Duration> =
        editor.type_away(60, alone, || 0).await.unwrap().iter().map(|acked| acked.took).collect();
    editor.close();
    let floor = quantile(&mut one, 0.5);
    metric("record.one_commit_ms", floor.as_secs_f64() * 1000.0, 80.0);

    report("in_eight_records", &house, &records, floor).await;
    report("in_one_record", &house, &records[..1], floor).await;

    house.close().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A copy of a data folder at rest, with its snapshots of documents or without.
async fn copied(from: &Path, snapshots: bool) -> PathBuf {
    let to = folder();
    std::fs::create_dir_all(&to).unwrap();
    for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    if !snapshots {
        let store = Store::open(&to, Hold::Server).await.unwrap();
        let mut write = store.write().await.unwrap();
        sqlx::query("delete from doc_snapshot").execute(&mut *write).await.unwrap();
        write.commit().await.unwrap();
        store.close().await;
    }
    to
}

/// From a cold start to the plan on the screen: the best of three, each on a copy of its own, for an orderly end writes
/// a snapshot.
async fn opened(from: &Path, record: RecordId, snapshots: bool) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let folder = copied(from, snapshots).await;
        let house = House::open(&folder).await.unwrap();
        let begun = Instant::now();
        let editor = Editor::open(&house.records, record).await.unwrap();
        best = best.min(begun.elapsed());
        assert!(!editor.plan.is_empty());
        editor.close();
        house.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
    }
    best
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_ten_thousand_changes_loads() {
    let folder = folder();
    let house = House::open(&folder).await.unwrap();
    let record = house.patient().await;
    // One after the other: nobody needs to be told of what somebody else types.
    for _ in 0..100 {
        let mut editor = Editor::open(&house.records, record).await.unwrap();
        editor.type_away(100, Pace { every: None, ahead: 50 }, || 0).await.unwrap();
        editor.close();
    }
    let count = "select count(*) from doc_change";
    let changes: i64 = sqlx::query_scalar(count).fetch_one(house.store.read()).await.unwrap();
    assert!(changes >= 10_000, "{changes} changes");
    house.close().await;

    for (name, snapshots) in [("with_snapshots", true), ("from_the_log_alone", false)] {
        let took = opened(&folder, record, snapshots).await;
        metric(&format!("record.load_10000_ms.{name}"), took.as_secs_f64() * 1000.0, 200.0);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
