//! Power loss while people type: nothing that was acknowledged is lost.
//!
//! "kill -9" proves little about a disk, for the page cache outlives the process. So everything SQLite asks of its
//! files is recorded while editors type through the product's own session, writer and store, and each acknowledgement
//! gets the number of the last event before it. Then the files are built as a disk may hold them after any event (what
//! was not synced is gone, or there in part, torn at sectors), and opened as the server opens them at its start.
//!
//! `MORTAR_SCALE=full`: 1 000 crash points over 100 000 acknowledged edits. `MORTAR_SEED=n` repeats one run.

mod disk;
#[expect(unsafe_code, reason = "SQLite's file interface is C: this is the recorder's end of it")]
mod vfs;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clinical::id::{DocId, RecordId, RowId};
use disk::{Disk, Drive, Loss};
use mortar::audit;
use sha2::{Digest as _, Sha256};
use tests::editors::{Acked, Editor, House, Pace};
use uuid::Uuid;

/// Records, editors of each, and edits of each editor: what one connection may send at once is 100.
const RECORDS: usize = 4;
const EDITORS: usize = 16;
const EDITS: usize = 80;

/// What was asked of the disk, and what was promised meanwhile.
struct Recorded {
    events: Vec<vfs::Event>,
    acked: Vec<Acked>,
    records: Vec<RecordId>,
    key: Vec<u8>,
}

/// Random numbers that are the same on every machine: xorshift64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound as u64) as usize
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mortar-power-{name}-{}", Uuid::now_v7()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// People type into a new database, from its first byte to an orderly stop.
async fn record() -> Recorded {
    let folder = folder("recorded");
    vfs::start(&folder);
    let house = House::open(&folder).await.unwrap();
    let mut records = Vec::new();
    for _ in 0..RECORDS {
        records.push(house.patient().await);
    }
    let typing: Vec<_> = (0..RECORDS * EDITORS)
        .map(|n| {
            let (open, record) = (house.records.clone(), records[n % RECORDS]);
            tokio::spawn(async move {
                let mut editor = Editor::open(&open, record).await.unwrap();
                let pace = Pace { every: None, ahead: 4 };
                let acked = editor.type_away(EDITS, pace, vfs::mark).await.unwrap();
                editor.close();
                acked
            })
        })
        .collect();
    let mut acked = Vec::new();
    for one in typing {
        acked.extend(one.await.unwrap());
    }
    house.close().await;
    let events = vfs::stop();
    let key = std::fs::read(folder.join("mortar.key")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    Recorded { events, acked, records, key }
}

impl Recorded {
    /// Events after which the power goes: half of them right when somebody was told "saved".
    fn points(&self, count: usize, dice: &mut Dice) -> Vec<usize> {
        let mut points: Vec<usize> = (0..count)
            .map(|n| match n % 2 {
                0 => self.acked[dice.below(self.acked.len())].mark,
                _ => dice.below(self.events.len() + 1),
            })
            .collect();
        points.sort_unstable();
        points
    }

    /// Lets the power go at each of these points. Answers how many acknowledged edits were looked for, and what was
    /// found wrong.
    async fn crash(&self, drive: Drive, points: &[usize], dice: &mut Dice) -> (usize, Vec<String>) {
        let mut disk = Disk::new(drive);
        let (mut looked, mut wrong) = (0, Vec::new());
        for (n, point) in points.iter().enumerate() {
            disk.advance(&self.events, *point);
            let loss = Loss::ALL[n % Loss::ALL.len()];
            let image = disk.image(loss, || dice.roll() >> 20 & 1 == 0);
            let folder = folder("image");
            for (name, bytes) in &image {
                std::fs::write(folder.join(name), bytes).unwrap();
            }
            std::fs::write(folder.join("mortar.key"), &self.key).unwrap();
            only_ours(&folder.join("mortar.key"));
            let promised: Vec<&Acked> =
                self.acked.iter().filter(|acked| acked.mark <= *point).collect();
            looked += promised.len();
            if let Err(error) = self.check(&folder, &promised).await {
                wrong.push(format!("power lost after event {point} ({loss:?}): {error:#}"));
            }
            std::fs::remove_dir_all(&folder).unwrap();
        }
        (looked, wrong)
    }

    /// Starts on what is left, and looks whether every promise was kept.
    async fn check(&self, folder: &Path, promised: &[&Acked]) -> anyhow::Result<()> {
        let house = House::open(folder).await?;
        let checked = self.look(&house, promised).await;
        house.close().await;
        checked
    }

    async fn look(&self, house: &House, promised: &[&Acked]) -> anyhow::Result<()> {
        let read = house.store.read();
        let sound: String = sqlx::query_scalar("pragma integrity_check(1)").fetch_one(read).await?;
        anyhow::ensure!(sound == "ok", "integrity_check: {sound}");
        let stored: Vec<String> =
            sqlx::query_scalar("select edit_id from doc_change").fetch_all(read).await?;
        let stored: BTreeSet<&str> = stored.iter().map(String::as_str).collect();
        let lost = promised
            .iter()
            .filter(|acked| !stored.contains(acked.edit.to_string().as_str()))
            .count();
        anyhow::ensure!(lost == 0, "{lost} acknowledged edits of {} are lost", promised.len());
        chains(house).await?;
        audit::verify(&house.store).await?;
        let heads: Vec<String> =
            sqlx::query_scalar("select distinct record from doc_head").fetch_all(read).await?;
        for record in self.records.iter().filter(|record| heads.contains(&record.to_string())) {
            let editor = Editor::open(&house.records, *record).await?;
            let mut last: BTreeMap<RowId, usize> = BTreeMap::new();
            for acked in promised.iter().filter(|acked| acked.doc == editor.doc()) {
                let n = last.entry(acked.row).or_default();
                *n = (*n).max(acked.n);
            }
            for (row, n) in last {
                let stands = editor.stands(row);
                anyhow::ensure!(stands >= Some(n), "{row} says {stands:?}, not {n}");
            }
            editor.close();
        }
        Ok(())
    }
}

/// The key is for its owner alone, or the server refuses it.
fn only_ours(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Each document's log from its first change: no gap, each hash over the one before, and the head where it ends.
async fn chains(house: &House) -> anyhow::Result<()> {
    let read = house.store.read();
    let heads: Vec<(String, i64)> =
        sqlx::query_as("select doc, seq from doc_head").fetch_all(read).await?;
    for (doc, end) in heads {
        type Row = (i64, String, i64, String, Vec<u8>, Vec<u8>);
        let rows: Vec<Row> = sqlx::query_as(
            "select seq, edit_id, at_ms, person, body, hash from doc_change where doc = $1 order by seq",
        )
        .bind(&doc)
        .fetch_all(read)
        .await?;
        let id: DocId = doc.parse()?;
        let mut last = [0_u8; 32];
        for (n, (seq, edit, at_ms, person, body, hash)) in rows.iter().enumerate() {
            anyhow::ensure!(*seq == n as i64 + 1, "{doc}: a gap before {seq}");
            let person = if person.is_empty() { Uuid::nil() } else { person.parse()? };
            let mut sha = Sha256::new();
            sha.update(last);
            sha.update(id.0.as_bytes());
            sha.update(seq.to_be_bytes());
            sha.update(edit.parse::<Uuid>()?.as_bytes());
            sha.update(at_ms.to_be_bytes());
            sha.update(person.as_bytes());
            sha.update(body);
            last = sha.finalize().into();
            anyhow::ensure!(last.as_slice() == hash.as_slice(), "{doc}: the chain breaks at {seq}");
        }
        anyhow::ensure!(rows.len() as i64 == end, "{doc}: the head says {end} of {}", rows.len());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_edit_is_lost_when_the_power_goes_at_any_moment() {
    let full = std::env::var("MORTAR_SCALE").as_deref() == Ok("full");
    // 20 recordings of 5 120 edits.
    let (recordings, points) = if full { (20, 50) } else { (1, 30) };
    let seed = std::env::var("MORTAR_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| Uuid::now_v7().as_u128() as u64 | 1);
    println!("SEED {seed}");
    let mut dice = Dice(seed);
    let (mut edits, mut crashes, mut looked, mut events) = (0, 0, 0, 0);
    for n in 0..recordings {
        let recorded = record().await;
        let points = recorded.points(points, &mut dice);
        let (found, wrong) = recorded.crash(Drive::Honest, &points, &mut dice).await;
        assert!(wrong.is_empty(), "recording {n}:\n{}", wrong.join("\n"));
        edits += recorded.acked.len();
        events += recorded.events.len();
        crashes += points.len();
        looked += found;

        // The control, on the first: the same disk, if it is not asked to sync.
        if n == 0 {
            for drive in [Drive::NoSync, Drive::NoWalSync] {
                let few = &points[..points.len().min(8)];
                let (_, wrong) = recorded.crash(drive, few, &mut dice).await;
                println!(
                    "METRIC power.control.{drive:?} {} >=1 pass of={}",
                    wrong.len(),
                    few.len()
                );
                assert!(
                    !wrong.is_empty(),
                    "a disk with {drive:?} loses nothing: the test is blind"
                );
                println!("{}", wrong[0]);
            }
        }
    }
    println!(
        "METRIC power.acked_lost 0 ==0 pass seed={seed} crashes={crashes} edits={edits} promises_looked_at={looked} events={events}"
    );
}
