//! Documents at rest: load, snapshot, quarantine.
//!
//! Load is the newest snapshot and the changes after it. Each change's hash covers the one before, over the sealed
//! body, so destroying a key does not break the chain. A row that does not open, parse or fold stops the load there:
//! what precedes it is shown, read-only, and a copy is kept for whoever repairs it.

mod history;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use clinical::actor::{Author, Millis};
use clinical::change::{Change, What};
use clinical::doc::{Doc, Stored};
use clinical::edit::Edit;
use clinical::field::DocKind;
use clinical::id::{DocId, EditId, PatientId, PersonId, RecordId};
use signaling::message::RecordRefusal;

use super::sql;
use super::writer::{Row, RowKind, Statement, stored};
use crate::store::{Store, StoreError, now};
use crate::vault::{Dek, DekId, Spot, Vault, VaultError};

pub(crate) use history::{HistoryPage, history};

/// The hash before the first change.
pub(crate) const NO_HASH: [u8; 32] = [0; 32];

/// A document in memory, and what is needed to append to it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The document.
    pub(crate) doc: Doc,
    /// The epoch under which this node owns it.
    pub(crate) epoch: i64,
    /// Hash of its last change.
    pub(crate) last: [u8; 32],
    /// Its key.
    pub(crate) dek: Dek,
    /// Yjs client ids given out, and to whom.
    pub(crate) clients: Vec<(u64, PersonId)>,
    /// How much log there is since the snapshot.
    pub(crate) tail: Tail,
    /// Why nothing may be appended, if the log does not read to its end.
    pub(crate) poison: Option<Poison>,
}

/// The log since the newest snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Changes.
    pub(crate) changes: usize,
    /// Bytes of their sealed bodies.
    pub(crate) bytes: usize,
}

/// Changes after which a snapshot is due. More makes loading slower, fewer writes whole documents more often; 500
/// changes fold in a few milliseconds.
const SNAPSHOT_CHANGES: usize = 500;

/// Bytes of log after which a snapshot is due, for documents of few and large changes.
const SNAPSHOT_BYTES: usize = 256 * 1024;

impl Tail {
    /// Notes a change that was stored.
    pub(crate) const fn add(&mut self, bytes: usize) {
        self.changes += 1;
        self.bytes += bytes;
    }

    /// Whether a snapshot is due.
    pub(crate) const fn due(self) -> bool {
        self.changes >= SNAPSHOT_CHANGES || self.bytes >= SNAPSHOT_BYTES
    }
}

/// A stored row that does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Poison {
    /// Which change.
    pub(crate) seq: u64,
    /// What is wrong.
    pub(crate) why: PoisonKind,
}

/// A broken hash is a broken disk or a stranger's hand; a whole one is our bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoisonKind {
    /// The chain of hashes breaks.
    Hash,
    /// A row is missing.
    Gap,
    /// It does not open.
    Seal,
    /// It is not a change.
    Parse,
    /// It does not fold.
    Fold,
}

impl PoisonKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Gap => "gap",
            Self::Seal => "seal",
            Self::Parse => "parse",
            Self::Fold => "fold",
        }
    }
}

/// A record in memory.
#[derive(Debug)]
pub(crate) struct LoadedRecord {
    /// Whom it is about.
    pub(crate) patient: Option<PatientId>,
    /// Its documents.
    pub(crate) docs: Vec<Loaded>,
}

/// Why a record does not load.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// There is none of that id.
    #[error("no such record")]
    NotFound,
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key does not open.
    #[error(transparent)]
    Vault(VaultError),
}

impl From<sqlx::Error> for LoadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<VaultError> for LoadError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(error) => Self::Store(error),
            other => Self::Vault(other),
        }
    }
}

/// The hash of a change: over the hash before, its place, its author and its sealed body.
pub(crate) fn chain_hash(
    before: &[u8; 32],
    doc: DocId,
    seq: u64,
    edit: EditId,
    at_ms: Millis,
    person: Option<PersonId>,
    body: &[u8],
) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(before);
    sha.update(doc.0.as_bytes());
    sha.update(seq.to_be_bytes());
    sha.update(edit.0.as_bytes());
    sha.update(at_ms.0.to_be_bytes());
    sha.update(person.map_or(Uuid::nil(), |person| person.0).as_bytes());
    sha.update(body);
    sha.finalize().into()
}

/// Who wrote a change, for the hash.
pub(crate) const fn person_of(by: Author) -> Option<PersonId> {
    match by {
        Author::Import => None,
        Author::Seat(actor) => Some(actor.person),
    }
}

/// Where the body of a change stands.
pub(crate) const fn change_spot(doc: &str, seq: u64) -> Spot<'_> {
    Spot { table: "doc_change", row: doc, seq, column: "body" }
}

const fn snapshot_spot(doc: &str, seq: u64) -> Spot<'_> {
    Spot { table: "doc_snapshot", row: doc, seq, column: "body" }
}

/// Binds a snapshot to the log it was made from.
fn snapshot_hash(doc: DocId, seq: u64, last: &[u8; 32], body: &[u8]) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(last);
    sha.update(doc.0.as_bytes());
    sha.update(seq.to_be_bytes());
    sha.update(body);
    sha.finalize().into()
}

/// Takes a record over and loads its documents. Whoever owned them before can append no more.
pub(crate) async fn claim(
    store: &Store,
    vault: &Vault,
    record: RecordId,
    owner: &str,
) -> Result<LoadedRecord, LoadError> {
    let mut write = store.write().await?;
    sqlx::query(sql::CLAIM).bind(record.to_string()).bind(owner).execute(&mut *write).await?;
    write.commit().await?;
    load(store, vault, record).await
}

/// Loads one document again; the key is the one it had.
pub(crate) async fn reload(store: &Store, dek: Dek, doc: DocId) -> Result<Loaded, LoadError> {
    let (kind, epoch, seq): (String, i64, i64) = sqlx::query_as(sql::HEAD)
        .bind(doc.to_string())
        .fetch_optional(store.read())
        .await?
        .ok_or(LoadError::NotFound)?;
    let kind = kind_of(&kind).ok_or(StoreError::Row)?;
    load_doc(store, dek, HeadRow { doc, kind, epoch, seq: unsigned(seq) }).await
}

/// Loads the documents of a record.
pub(crate) async fn load(
    store: &Store,
    vault: &Vault,
    record: RecordId,
) -> Result<LoadedRecord, LoadError> {
    let (patient, heads) = heads_of(store, vault, record).await?;
    let mut docs = Vec::with_capacity(heads.len());
    for (dek, head) in heads {
        docs.push(load_doc(store, dek, head).await?);
    }
    docs.sort_by_key(|loaded| loaded.doc.kind());
    Ok(LoadedRecord { patient, docs })
}

/// Whom a record is about, and its documents with their keys.
pub(super) async fn heads_of(
    store: &Store,
    vault: &Vault,
    record: RecordId,
) -> Result<(Option<PatientId>, Vec<(Dek, HeadRow)>), LoadError> {
    type Head = (String, String, Option<String>, String, i64, i64);
    let rows: Vec<Head> =
        sqlx::query_as(sql::HEADS).bind(record.to_string()).fetch_all(store.read()).await?;
    if rows.is_empty() {
        return Err(LoadError::NotFound);
    }
    let mut patient = None;
    let mut heads = Vec::with_capacity(rows.len());
    for (doc, kind, whose, dek, epoch, seq) in rows {
        let doc = doc.parse().map_err(|_wrong| StoreError::Row)?;
        let kind = kind_of(&kind).ok_or(StoreError::Row)?;
        if let Some(whose) = whose {
            patient = Some(whose.parse().map_err(|_wrong| StoreError::Row)?);
        }
        let dek = DekId(dek.parse().map_err(|_wrong| StoreError::Row)?);
        let dek = vault.key_by_id(store, dek).await?;
        heads.push((dek, HeadRow { doc, kind, epoch, seq: unsigned(seq) }));
    }
    Ok((patient, heads))
}

/// What the head says of a document.
pub(super) struct HeadRow {
    pub(super) doc: DocId,
    pub(super) kind: DocKind,
    pub(super) epoch: i64,
    pub(super) seq: u64,
}

async fn load_doc(store: &Store, dek: Dek, head: HeadRow) -> Result<Loaded, LoadError> {
    let HeadRow { doc: id, kind, epoch, seq: end } = head;
    let name = id.to_string();
    let (mut doc, mut last) = match newest_snapshot(store, &dek, id, kind).await? {
        Some(found) => found,
        None => (Doc::new(id, kind), NO_HASH),
    };
    let mut tail = Tail::default();
    let stumbled = read_log(store, &dek, &mut doc, &mut last, end, |row, _change| {
        tail.add(row.4.len());
    })
    .await?;
    let poison = stumbled.as_ref().map(|(poison, _row)| *poison);
    if let Some((Poison { why, .. }, Some(row))) = &stumbled {
        quarantine(store, id, row, *why).await?;
    }
    if let Some(Poison { seq, why }) = poison {
        tracing::error!(doc.id = %id, seq, why = why.as_str(), "a stored change does not read: the document is read-only from there");
    }
    let given: Vec<(i64, String)> =
        sqlx::query_as(sql::CLIENTS).bind(&name).fetch_all(store.read()).await?;
    let clients = given
        .into_iter()
        .filter_map(|(client, person)| Some((unsigned(client), person.parse().ok()?)))
        .collect();
    Ok(Loaded { doc, epoch, last, dek, clients, tail, poison })
}

/// Folds the log into a document up to `end`, and tells each change that was as it was stored. Gives back the first
/// that is not, with its row if there is one.
pub(super) async fn read_log(
    store: &Store,
    dek: &Dek,
    doc: &mut Doc,
    last: &mut [u8; 32],
    end: u64,
    mut folded: impl FnMut(&StoredRow, &Change),
) -> Result<Option<(Poison, Option<StoredRow>)>, StoreError> {
    let (id, name) = (doc.id(), doc.id().to_string());
    while doc.seq() < end {
        let rows: Vec<StoredRow> = sqlx::query_as(sql::CHANGES_AFTER)
            .bind(&name)
            .bind(stored(doc.seq()))
            .fetch_all(store.read())
            .await?;
        if rows.is_empty() {
            return Ok(Some((Poison { seq: doc.seq() + 1, why: PoisonKind::Gap }, None)));
        }
        for row in rows {
            let seq = doc.seq() + 1;
            match read_row(dek, id, seq, last, &row) {
                Ok((change, hash)) if doc.fold(&change).is_ok() => {
                    *last = hash;
                    folded(&row, &change);
                }
                outcome => {
                    let why = outcome.err().unwrap_or(PoisonKind::Fold);
                    return Ok(Some((Poison { seq, why }, Some(row))));
                }
            }
        }
    }
    Ok(None)
}

/// seq, edit, at_ms, person, body, hash.
pub(super) type StoredRow = (i64, String, i64, String, Vec<u8>, Vec<u8>);

fn read_row(
    dek: &Dek,
    doc: DocId,
    seq: u64,
    before: &[u8; 32],
    row: &StoredRow,
) -> Result<(Change, [u8; 32]), PoisonKind> {
    let (stored_seq, edit, at_ms, person, body, hash) = row;
    if unsigned(*stored_seq) != seq {
        return Err(PoisonKind::Gap);
    }
    let edit: EditId = edit.parse().map_err(|_wrong| PoisonKind::Hash)?;
    let person = match person.as_str() {
        "" => None,
        person => Some(person.parse().map_err(|_wrong| PoisonKind::Hash)?),
    };
    let expected = chain_hash(before, doc, seq, edit, Millis(*at_ms), person, body);
    if expected.as_slice() != hash.as_slice() {
        return Err(PoisonKind::Hash);
    }
    let plain =
        dek.open(change_spot(&doc.to_string(), seq), body).map_err(|_broken| PoisonKind::Seal)?;
    let change: Change = serde_json::from_slice(&plain).map_err(|_wrong| PoisonKind::Parse)?;
    if change.seq == seq && change.edit == edit {
        Ok((change, expected))
    } else {
        Err(PoisonKind::Parse)
    }
}

/// The newest snapshot that reads, and the hash of the change it ends with.
async fn newest_snapshot(
    store: &Store,
    dek: &Dek,
    doc: DocId,
    kind: DocKind,
) -> Result<Option<(Doc, [u8; 32])>, LoadError> {
    let name = doc.to_string();
    let found: Vec<(i64, Vec<u8>, Vec<u8>)> =
        sqlx::query_as(sql::SNAPSHOTS).bind(&name).fetch_all(store.read()).await?;
    for (seq, body, hash) in found {
        let at: Option<(Vec<u8>,)> =
            sqlx::query_as(sql::HASH_AT).bind(&name).bind(seq).fetch_optional(store.read()).await?;
        let read = || {
            let last: [u8; 32] = at?.0.try_into().ok()?;
            let seq = unsigned(seq);
            if snapshot_hash(doc, seq, &last, &body).as_slice() != hash.as_slice() {
                return None;
            }
            let plain = dek.open(snapshot_spot(&name, seq), &body).ok()?;
            let stored: Stored = serde_json::from_slice(&plain).ok()?;
            let loaded = Doc::load(doc, kind, stored).ok()?;
            (loaded.seq() == seq).then_some((loaded, last))
        };
        if let Some(found) = read() {
            return Ok(Some(found));
        }
        // The log has everything a snapshot has: an older one, or none, only takes longer.
        tracing::error!(doc.id = %doc, seq, "a snapshot does not read: loading from further back");
    }
    Ok(None)
}

/// Keeps a text update that was refused, sealed, for a person to look at.
pub(crate) fn quarantine_statement(
    dek: &Dek,
    doc: DocId,
    person: PersonId,
    edit: &Edit,
    why: RecordRefusal,
) -> Result<Statement, VaultError> {
    let id = Uuid::now_v7().to_string();
    let spot = Spot { table: "doc_quarantine", row: &id, seq: 0, column: "body" };
    let plain = serde_json::to_vec(edit).map_err(|_wrong| StoreError::Row)?;
    let body = dek.seal(spot, &plain)?;
    Ok(Statement::new(sql::QUARANTINE)
        .text(id.clone())
        .text(doc.to_string())
        .int(now().0)
        .text(person.to_string())
        .text(format!("{why:?}"))
        .bytes(body))
}

async fn quarantine(
    store: &Store,
    doc: DocId,
    row: &StoredRow,
    why: PoisonKind,
) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    sqlx::query(sql::QUARANTINE)
        .bind(Uuid::now_v7().to_string())
        .bind(doc.to_string())
        .bind(now().0)
        .bind(row.3.clone())
        .bind(why.as_str())
        .bind(row.4.clone())
        .execute(&mut *write)
        .await?;
    write.commit().await?;
    Ok(())
}

/// The change an edit became, if it is stored.
pub(crate) async fn change_of_edit(
    store: &Store,
    dek: &Dek,
    doc: DocId,
    edit: EditId,
) -> Result<Option<Change>, LoadError> {
    let name = doc.to_string();
    let found: Option<(i64, Vec<u8>)> = sqlx::query_as(sql::CHANGE_OF_EDIT)
        .bind(&name)
        .bind(edit.to_string())
        .fetch_optional(store.read())
        .await?;
    let Some((seq, body)) = found else { return Ok(None) };
    let plain = dek.open(change_spot(&name, unsigned(seq)), &body)?;
    Ok(Some(serde_json::from_slice(&plain).map_err(|_wrong| StoreError::Row)?))
}

/// A document that may be written whole: all its changes are stored.
#[derive(Debug)]
pub(crate) struct AtRest {
    /// Which.
    pub(crate) doc: DocId,
    /// Its content.
    pub(crate) stored: Stored,
    /// Hash of its last change.
    pub(crate) last: [u8; 32],
    /// The epoch under which this node owns it.
    pub(crate) epoch: i64,
    /// Its key.
    pub(crate) dek: Dek,
}

/// Writes a snapshot.
pub(crate) async fn snapshot(store: &Store, at_rest: AtRest) -> Result<(), LoadError> {
    let AtRest { doc: id, stored: whole, last, epoch, dek } = at_rest;
    let name = id.to_string();
    let seq = whole.seq;
    let plain = serde_json::to_vec(&whole).map_err(|_wrong| StoreError::Row)?;
    let body = dek.seal(snapshot_spot(&name, seq), &plain)?;
    let hash = snapshot_hash(id, seq, &last, &body);
    let mut write = store.write().await?;
    sqlx::query(sql::ADD_SNAPSHOT)
        .bind(&name)
        .bind(stored(seq))
        .bind(now().0)
        .bind(body)
        .bind(hash.to_vec())
        .execute(&mut *write)
        .await?;
    sqlx::query(sql::NOTE_SNAPSHOT)
        .bind(&name)
        .bind(epoch)
        .bind(stored(seq))
        .execute(&mut *write)
        .await?;
    sqlx::query(sql::DROP_SNAPSHOTS).bind(&name).execute(&mut *write).await?;
    write.commit().await?;
    Ok(())
}

/// A document's kind as stored.
pub(crate) const fn kind_name(kind: DocKind) -> &'static str {
    match kind {
        DocKind::Plan => "plan",
        DocKind::Voice => "voice",
        DocKind::Team => "team",
    }
}

fn kind_of(name: &str) -> Option<DocKind> {
    DocKind::ALL.into_iter().find(|kind| kind_name(*kind) == name)
}

/// A number from a column that only ever holds what [`stored`] made.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The head of a new document, epoch 0: whoever opens the record takes it over from nobody.
pub(crate) fn new_doc(
    doc: DocId,
    record: RecordId,
    kind: DocKind,
    patient: Option<PatientId>,
    dek: &Dek,
    now: Millis,
) -> Statement {
    Statement::new(sql::ADD_HEAD)
        .text(doc.to_string())
        .text(record.to_string())
        .text(kind_name(kind))
        .text_or_null(patient.map(|patient| patient.to_string()))
        .text(dek.id().0.to_string())
        .text("")
        .int(now.0)
}

/// Seals a change for the log and links it to the one before, whose hash becomes its own.
pub(crate) fn seal_change(
    dek: &Dek,
    doc: DocId,
    last: &mut [u8; 32],
    change: &Change,
) -> Result<Row, VaultError> {
    let plain = serde_json::to_vec(change).map_err(|_wrong| StoreError::Row)?;
    let body = dek.seal(change_spot(&doc.to_string(), change.seq), &plain)?;
    let hash =
        chain_hash(last, doc, change.seq, change.edit, change.at_ms, person_of(change.by), &body);
    *last = hash;
    Ok(Row {
        seq: change.seq,
        edit: change.edit,
        kind: row_kind(&change.what),
        at_ms: change.at_ms,
        typed_ms: change.typed_ms,
        by: change.by,
        call: change.call,
        body,
        hash,
    })
}

/// Seals the first changes of a new document.
pub(crate) fn seal_changes(
    dek: &Dek,
    doc: DocId,
    changes: &[Change],
) -> Result<Vec<Row>, VaultError> {
    let mut last = NO_HASH;
    changes.iter().map(|change| seal_change(dek, doc, &mut last, change)).collect()
}

const fn row_kind(what: &What) -> RowKind {
    match what {
        What::Set { .. }
        | What::Agreed { .. }
        | What::Conflicted { .. }
        | What::Resolved { .. }
        | What::Added { .. }
        | What::Tombstoned { .. }
        | What::Restored { .. }
        | What::Moved { .. }
        | What::Reviewed { .. } => RowKind::Edit,
        What::Text { .. } => RowKind::Text,
        What::Decided { .. } => RowKind::Command,
    }
}

#[cfg(test)]
mod tests;
