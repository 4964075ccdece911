//! Group commit: one task stores the changes of all documents. Whatever arrives during a commit is the next batch, so
//! there is no artificial delay, and 64 people typing cost one fsync, not 64.
//!
//! The statement that moves a document's head checks epoch and sequence: it refuses a node that was fenced out and a
//! change out of step, whatever the memory of this process believes.

#[cfg(test)]
pub(crate) mod faults;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::{Any, Transaction};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use clinical::actor::Author;
use clinical::id::DocId;
use signaling::message::StorageState;

use crate::audit::{self, Chain};
use crate::store::{Store, StoreError, sql};
#[cfg(test)]
use faults::{Faults, Point};
use work::Bound;
pub(crate) use work::{Answer, Append, Client, Row, RowKind, Statement, Work};

sql! {
    /// Why a head did not move.
    LOOK = "select epoch, seq from doc_head where doc = $1";
    /// A Yjs client id that was given out.
    ADD_CLIENT = "insert into doc_client (doc, client_id, person, at_ms) values ($1, $2, $3, $4) on conflict (doc, client_id) do nothing";
    /// Needs room on the disk, and says whether there is some.
    PROBE = "insert into probe (id, filler) values (1, $1) on conflict (id) do update set filler = excluded.filler";
}

/// Entries in one transaction, as a power of two. Higher amortises the fsync over more (512 rows for each commit gave
/// 209 times the rows a second of single commits, SQLite), and makes the first of them wait longer.
const BATCH: usize = 512;

/// Bytes of bodies in one transaction, for the same reason.
const BATCH_BYTES: usize = 1024 * 1024;

/// Entries that may wait. A record keeps at most a few seconds of typing in here; past it the store counts as away, and
/// clients keep what they typed and send it again.
const QUEUE: usize = 8192;

/// How often a store without room is asked whether it has some again. Clients hear of it within twice this.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// What a probe writes: more than the free rest of a page, so that it needs room.
const PROBE_BYTES: usize = 16 * 1024;

/// Rows in one statement: powers of two, so that few texts exist and all are checked.
const SIZES: [usize; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/// Moves many heads: doc, epoch, seq before, seq after. The casts are for PostgreSQL, which types bare `values` as text.
static HEADS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let row = |n: usize| {
        let first = 4 * n + 1;
        format!(
            "(cast(${} as text), cast(${} as bigint), cast(${} as bigint), cast(${} as bigint))",
            first,
            first + 1,
            first + 2,
            first + 3
        )
    };
    SIZES
        .iter()
        .map(|size| {
            let rows = (0..*size).map(row).collect::<Vec<_>>().join(", ");
            format!(
                "update doc_head set seq = b.column4 from (values {rows}) as b where doc_head.doc = b.column1 and doc_head.epoch = b.column2 and doc_head.seq = b.column3 returning doc_head.doc"
            )
        })
        .collect()
});

/// Adds many changes.
static ROWS: LazyLock<Vec<String>> = LazyLock::new(|| {
    const COLUMNS: usize = 14;
    let row = |n: usize| {
        let columns =
            (1..=COLUMNS).map(|column| format!("${}", n * COLUMNS + column)).collect::<Vec<_>>();
        format!("({})", columns.join(", "))
    };
    SIZES
        .iter()
        .map(|size| {
            let rows = (0..*size).map(row).collect::<Vec<_>>().join(", ");
            format!(
                "insert into doc_change (doc, seq, edit_id, kind, at_ms, typed_ms, person, seat, role, call, call_ms, epoch, body, hash) values {rows}"
            )
        })
        .collect()
});

/// The batch texts, for the registry.
pub(crate) fn batches() -> Vec<(String, &'static str)> {
    let named = |name: &'static str, texts: &'static [String]| {
        SIZES.iter().zip(texts).map(move |(size, text)| (format!("{name}_{size}"), text.as_str()))
    };
    named("HEADS", HEADS.as_slice()).chain(named("ROWS", ROWS.as_slice())).collect()
}

#[derive(Debug)]
struct Job {
    work: Work,
    answer: oneshot::Sender<Answer>,
}

impl Job {
    fn bytes(&self) -> usize {
        self.work.append.iter().flat_map(|append| &append.rows).map(|row| row.body.len()).sum()
    }
}

/// The way to the one task that writes. Cheap to clone; the task ends with the last clone.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
    #[cfg(test)]
    pub(crate) faults: Faults,
}

impl Writer {
    /// Starts the task. `chain` names this process's chain in the log of accesses: the server's own, or a fresh name
    /// for a command that runs beside it.
    ///
    /// # Errors
    /// The end of the chain does not read.
    pub async fn start(store: Store, chain: &str) -> Result<Self, StoreError> {
        let chain = Chain::load(&store, chain).await?;
        let (queue, jobs) = mpsc::channel(QUEUE);
        #[cfg(test)]
        let faults = Faults::default();
        let task = Task {
            store: store.clone(),
            chain,
            stale: false,
            #[cfg(test)]
            faults: faults.clone(),
        };
        tokio::spawn(watch_over(tokio::spawn(task.run(jobs)), store));
        Ok(Self {
            queue,
            #[cfg(test)]
            faults,
        })
    }

    /// Hands something in, in order, without waiting.
    pub(crate) fn submit(&self, work: Work) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let refused = match self.queue.try_send(Job { work, answer }) {
            Ok(()) => None,
            Err(mpsc::error::TrySendError::Full(job)) => Some((job, Answer::Away)),
            // The task goes on as long as there is a writer: it broke.
            Err(mpsc::error::TrySendError::Closed(job)) => Some((job, Answer::Failed)),
        };
        if let Some((job, answer)) = refused {
            let _nobody = job.answer.send(answer);
        }
        answered
    }

    /// Hands something in and waits until it is stored.
    pub(crate) async fn store(&self, work: Work) -> Answer {
        // The task answers everything, unless it broke.
        self.submit(work).await.unwrap_or(Answer::Failed)
    }

    /// Writes rows into the log of accesses and waits for the commit: what they are about is shown afterwards, or not
    /// at all.
    ///
    /// # Errors
    /// They are not stored.
    pub async fn audit(&self, entries: Vec<audit::Entry>) -> Result<(), StoreError> {
        self.store(Work { audit: entries, ..Work::default() }).await.committed()
    }

    /// Waits until everything handed in before is answered.
    pub async fn flush(&self) {
        let _stored = self.store(Work::default()).await;
    }
}

/// Stops the store for good if its one writer breaks: then everybody is told, instead of trying for ever.
async fn watch_over(writing: JoinHandle<()>, store: Store) {
    if writing.await.is_err_and(|error| error.is_panic()) {
        tracing::error!("the task that stores edits broke: this is a bug. Restart mortar");
        store.set_state(StorageState::Failed);
    }
}

struct Task {
    store: Store,
    chain: Chain,
    /// Nobody saw the outcome of a commit: the chain may end elsewhere than `chain` says.
    stale: bool,
    #[cfg(test)]
    faults: Faults,
}

impl Task {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut arrived = Vec::with_capacity(BATCH);
        loop {
            match self.store.state() {
                StorageState::Ok | StorageState::Failed => {
                    jobs.recv_many(&mut arrived, BATCH).await;
                    if arrived.is_empty() {
                        return;
                    }
                }
                StorageState::Full | StorageState::Away => {
                    let waited =
                        tokio::time::timeout(PROBE_EVERY, jobs.recv_many(&mut arrived, BATCH));
                    match waited.await {
                        Ok(0) => return,
                        Ok(_) => {}
                        Err(_elapsed) => self.probe().await,
                    }
                }
            }
            while !arrived.is_empty() {
                let mut bytes = 0;
                let fit = arrived
                    .iter()
                    .take_while(|job| {
                        bytes += job.bytes();
                        bytes <= BATCH_BYTES
                    })
                    .count();
                let rest = arrived.split_off(fit.max(1));
                self.batch(std::mem::replace(&mut arrived, rest)).await;
            }
        }
    }

    /// Stores a batch and answers each of its jobs.
    async fn batch(&mut self, jobs: Vec<Job>) {
        if self.store.state() == StorageState::Failed {
            answer_all(jobs, Answer::Failed);
            return;
        }
        match self.transact(&jobs).await {
            Ok(refused) => {
                self.note(StorageState::Ok);
                for job in jobs {
                    let answer = job.work.refused(&refused).unwrap_or(Answer::Stored);
                    let _gone = job.answer.send(answer);
                }
            }
            Err(Stumble::Commit(error)) => {
                let answer = match Answer::from(error) {
                    Answer::Away => Answer::Unknown,
                    known => known,
                };
                self.failed(jobs, answer);
            }
            // One bad document must not stop the others.
            Err(Stumble::Statement(StoreError::Constraint | StoreError::Statement { .. }))
                if is_divisible(&jobs) =>
            {
                for jobs in by_document(jobs) {
                    Box::pin(self.batch(jobs)).await;
                }
            }
            Err(Stumble::Statement(error)) => {
                let refused =
                    matches!(error, StoreError::Constraint | StoreError::Statement { .. });
                if refused && !jobs.iter().any(|job| job.work.may_be_late()) {
                    tracing::error!(%error, "a change was refused by the database: this is a bug");
                }
                self.failed(jobs, error.into());
            }
        }
    }

    fn failed(&self, jobs: Vec<Job>, answer: Answer) {
        match answer {
            Answer::Full => self.note(StorageState::Full),
            Answer::Failed => self.note(StorageState::Failed),
            Answer::Away | Answer::Unknown => self.note(StorageState::Away),
            Answer::Stored | Answer::Fenced | Answer::OutOfStep => {}
        }
        answer_all(jobs, answer);
    }

    fn note(&self, new: StorageState) {
        let old = self.store.state();
        self.store.set_state(new);
        if old != new && old != StorageState::Failed {
            match new {
                StorageState::Ok => tracing::info!("edits are stored again"),
                StorageState::Full => {
                    tracing::error!("the disk is full: edits are refused until there is room")
                }
                StorageState::Away => {
                    tracing::warn!("the database is out of reach: edits are refused")
                }
                StorageState::Failed => tracing::error!(
                    "the disk failed: edits are refused, calls go on. Check the disk, then restart mortar"
                ),
            }
        }
    }

    /// One transaction. Answers the documents that were refused, with the reason.
    async fn transact(&mut self, jobs: &[Job]) -> Result<BTreeMap<DocId, Answer>, Stumble> {
        if self.stale {
            self.chain = self.chain.reload(&self.store).await?;
            self.stale = false;
        }
        let mut write = self.store.write().await.map_err(Stumble::Statement)?;
        for statement in jobs.iter().flat_map(|job| &job.work.first) {
            statement.execute(&mut write).await?;
        }
        let heads = heads(jobs);
        let mut refused: BTreeMap<DocId, Answer> = heads
            .iter()
            .filter_map(|(doc, head)| (!head.whole).then_some((*doc, Answer::OutOfStep)))
            .collect();
        let moving: Vec<_> = heads.iter().filter(|(_, head)| head.whole).collect();
        let mut moved = Vec::with_capacity(moving.len());
        for part in pieces(&moving) {
            moved.extend(move_heads(&mut write, part).await?);
        }
        for (doc, head) in moving {
            if !moved.contains(&doc.to_string()) {
                refused.insert(*doc, why(&mut write, *doc, head.epoch).await?);
            }
        }
        let accepted: Vec<&Work> = jobs
            .iter()
            .map(|job| &job.work)
            .filter(|work| work.refused(&refused).is_none())
            .collect();
        let torn = |work: &Work| work.refused(&refused).is_some() && !work.alone();
        if jobs.iter().any(|job| torn(&job.work)) {
            return Err(Stumble::Statement(StoreError::Constraint));
        }
        let rows: Vec<(&Append, &Row)> = accepted
            .iter()
            .flat_map(|work| &work.append)
            .flat_map(|append| append.rows.iter().map(move |row| (append, row)))
            .collect();
        for part in pieces(&rows) {
            add_rows(&mut write, part).await?;
        }
        let mut chain = self.chain.clone();
        for work in accepted {
            for client in &work.clients {
                add_client(&mut write, client).await?;
            }
            for entry in &work.audit {
                chain = chain.append(&mut write, entry).await?;
            }
        }
        #[cfg(test)]
        self.faults.may_break();
        #[cfg(test)]
        if let Some(error) = self.faults.take(Point::BeforeCommit) {
            return Err(Stumble::Statement(error));
        }
        self.stale = true;
        write.commit().await.map_err(|error| Stumble::Commit(error.into()))?;
        #[cfg(test)]
        self.faults.count();
        #[cfg(test)]
        if let Some(error) = self.faults.take(Point::AfterCommit) {
            return Err(Stumble::Commit(error));
        }
        self.chain = chain;
        self.stale = false;
        Ok(refused)
    }

    async fn probe(&self) {
        let probed = async {
            let mut write = self.store.write().await?;
            sqlx::query(PROBE).bind(vec![0_u8; PROBE_BYTES]).execute(&mut *write).await?;
            write.commit().await?;
            Ok::<(), StoreError>(())
        };
        let state = match probed.await.map_err(Answer::from) {
            Ok(()) => StorageState::Ok,
            Err(Answer::Full) => StorageState::Full,
            Err(Answer::Failed) => StorageState::Failed,
            Err(_) => StorageState::Away,
        };
        self.note(state);
    }
}

/// Where a transaction failed. Before the commit nothing can have happened.
#[derive(Debug)]
enum Stumble {
    Statement(StoreError),
    Commit(StoreError),
}

impl From<sqlx::Error> for Stumble {
    fn from(error: sqlx::Error) -> Self {
        Self::Statement(error.into())
    }
}

impl From<StoreError> for Stumble {
    fn from(error: StoreError) -> Self {
        Self::Statement(error)
    }
}

impl Statement {
    /// Carries it out in a transaction.
    pub(crate) async fn execute(
        &self,
        write: &mut Transaction<'static, Any>,
    ) -> Result<(), StoreError> {
        let mut query = sqlx::query(self.text);
        for value in &self.values {
            query = match value {
                Bound::Text(text) => query.bind(text.clone()),
                Bound::Bytes(bytes) => query.bind(bytes.clone()),
                Bound::Int(int) => query.bind(*int),
            };
        }
        let done = query.execute(&mut **write).await?;
        if self.one_row && done.rows_affected() != 1 {
            return Err(StoreError::Constraint);
        }
        Ok(())
    }
}

/// How far one document moves in a batch.
struct Head {
    epoch: i64,
    before: u64,
    after: u64,
    /// Every part of it follows the one before.
    whole: bool,
}

fn heads(jobs: &[Job]) -> BTreeMap<DocId, Head> {
    let mut heads: BTreeMap<DocId, Head> = BTreeMap::new();
    for append in jobs.iter().flat_map(|job| &job.work.append) {
        let count = u64::try_from(append.rows.len()).unwrap_or(u64::MAX);
        let in_order = append.rows.iter().zip(append.before + 1..).all(|(row, seq)| row.seq == seq);
        heads
            .entry(append.doc)
            .and_modify(|head| {
                head.whole &= in_order && head.after == append.before && head.epoch == append.epoch;
                head.after = append.before + count;
            })
            .or_insert_with(|| Head {
                epoch: append.epoch,
                before: append.before,
                after: append.before + count,
                whole: in_order,
            });
    }
    heads
}

/// Cuts a list into pieces whose lengths are powers of two, the largest first.
fn pieces<T>(mut all: &[T]) -> Vec<&[T]> {
    let mut pieces = Vec::new();
    while !all.is_empty() {
        let size = SIZES.iter().rev().find(|size| **size <= all.len()).copied().unwrap_or(1);
        let (piece, rest) = all.split_at(size);
        pieces.push(piece);
        all = rest;
    }
    pieces
}

/// The text for so many rows: `count` is one of [`SIZES`].
fn text_for(texts: &'static [String], count: usize) -> Result<&'static str, StoreError> {
    let position = SIZES.iter().position(|size| *size == count);
    position
        .and_then(|position| texts.get(position))
        .map(String::as_str)
        .ok_or(StoreError::Statement { code: 0 })
}

/// Sequences start at 1 and grow by one: 2^63 is out of reach.
pub(crate) fn stored(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

async fn move_heads(
    write: &mut Transaction<'static, Any>,
    part: &[(&DocId, &Head)],
) -> Result<Vec<String>, Stumble> {
    let mut query = sqlx::query_scalar(text_for(HEADS.as_slice(), part.len())?);
    for (doc, head) in part {
        query = query
            .bind(doc.to_string())
            .bind(head.epoch)
            .bind(stored(head.before))
            .bind(stored(head.after));
    }
    Ok(query.fetch_all(&mut **write).await?)
}

async fn add_rows(
    write: &mut Transaction<'static, Any>,
    part: &[(&Append, &Row)],
) -> Result<(), Stumble> {
    let mut query = sqlx::query(text_for(ROWS.as_slice(), part.len())?);
    for (append, row) in part {
        let (person, seat, role) = author_columns(row.by);
        query = query
            .bind(append.doc.to_string())
            .bind(stored(row.seq))
            .bind(row.edit.to_string())
            .bind(row.kind.number())
            .bind(row.at_ms.0)
            .bind(row.typed_ms.map(|typed| typed.0))
            .bind(person)
            .bind(seat)
            .bind(role)
            .bind(row.call.map(|call| call.call.to_string()))
            .bind(row.call.map(|call| stored(call.ms)))
            .bind(append.epoch)
            .bind(row.body.clone())
            .bind(row.hash.to_vec());
    }
    query.execute(&mut **write).await?;
    Ok(())
}

/// Person, seat and role of a change; an import has neither person nor seat.
pub(crate) fn author_columns(by: Author) -> (String, String, &'static str) {
    match by {
        Author::Import => (String::new(), String::new(), "import"),
        Author::Seat(actor) => {
            (actor.person.to_string(), actor.seat.to_string(), audit::role_name(actor.role))
        }
    }
}

async fn add_client(write: &mut Transaction<'static, Any>, client: &Client) -> Result<(), Stumble> {
    let Client { doc, client_id, person, at_ms } = client;
    sqlx::query(ADD_CLIENT)
        .bind(doc.to_string())
        .bind(stored(*client_id))
        .bind(person.to_string())
        .bind(at_ms.0)
        .execute(&mut **write)
        .await?;
    Ok(())
}

async fn why(
    write: &mut Transaction<'static, Any>,
    doc: DocId,
    epoch: i64,
) -> Result<Answer, Stumble> {
    let head: Option<(i64, i64)> =
        sqlx::query_as(LOOK).bind(doc.to_string()).fetch_optional(&mut **write).await?;
    Ok(match head {
        Some((now, _)) if now != epoch => Answer::Fenced,
        Some(_) | None => Answer::OutOfStep,
    })
}

/// Takes a batch apart so that each part stands or falls by itself: one for each document, in its order, and one for
/// each piece of other work.
fn by_document(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    let mut documents: BTreeMap<DocId, Vec<Job>> = BTreeMap::new();
    let mut others = Vec::new();
    for job in jobs {
        match job.work.append.as_slice() {
            [append] if job.work.first.is_empty() => {
                documents.entry(append.doc).or_default().push(job);
            }
            _ => others.push(vec![job]),
        }
    }
    documents.into_values().chain(others).collect()
}

fn is_divisible(jobs: &[Job]) -> bool {
    jobs.len() > 1 && (heads(jobs).len() > 1 || !jobs.iter().all(|job| job.work.alone()))
}

fn answer_all(jobs: Vec<Job>, answer: Answer) {
    for job in jobs {
        let _gone = job.answer.send(answer);
    }
}
