//! The whole log of a document, from its first change: for whoever checks that nothing was changed.

use std::collections::BTreeMap;

use clinical::change::{Change, DecisionKind, What};
use clinical::doc::Doc;
use clinical::field::FieldName;
use clinical::id::{DocId, RecordId};
use clinical::value::Value;
use clinical::version::Signed;

use super::sql;
use super::store::{HeadRow, LoadError, NO_HASH, Poison, PoisonKind, heads_of, read_log};
use crate::store::{Store, StoreError};
use crate::vault::{Dek, Vault};

/// A document's log, walked.
#[derive(Debug)]
pub(crate) struct Walked {
    /// The document.
    pub(crate) doc: DocId,
    /// Its key.
    pub(crate) dek: Dek,
    /// Changes that are as they were stored.
    pub(crate) changes: u64,
    /// What was signed, by the change that signed it.
    pub(crate) signatures: BTreeMap<u64, Signed>,
    /// The first change that is not.
    pub(crate) fault: Option<Poison>,
}

/// Every record that has documents.
pub(crate) async fn records(store: &Store) -> Result<Vec<RecordId>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar(sql::RECORDS).fetch_all(store.read()).await?;
    rows.into_iter().map(|id| id.parse().map_err(|_wrong| StoreError::Row)).collect()
}

/// Walks the documents of a record.
pub(crate) async fn walk(
    store: &Store,
    vault: &Vault,
    record: RecordId,
) -> Result<Vec<Walked>, LoadError> {
    let (_patient, heads) = heads_of(store, vault, record).await?;
    let mut walked = Vec::with_capacity(heads.len());
    for (dek, head) in heads {
        walked.push(walk_doc(store, dek, head).await?);
    }
    Ok(walked)
}

async fn walk_doc(store: &Store, dek: Dek, head: HeadRow) -> Result<Walked, LoadError> {
    let HeadRow { doc: id, kind, epoch: _, seq: head_seq } = head;
    let name = id.to_string();
    // The head says where the log ends; a log that goes on behind it was cut short by moving the head back.
    let last_row: i64 =
        sqlx::query_scalar(sql::LAST_CHANGE).bind(&name).fetch_one(store.read()).await?;
    let end = head_seq.max(u64::try_from(last_row).unwrap_or(0));
    let mut doc = Doc::new(id, kind);
    let mut last = NO_HASH;
    let mut signatures = BTreeMap::new();
    let stumbled = read_log(store, &dek, &mut doc, &mut last, end, |_row, change| {
        signatures.extend(signature(change).map(|signed| (change.seq, signed)));
    })
    .await?;
    let mut fault = stumbled.map(|(poison, _row)| poison);
    if fault.is_none() && doc.seq() > head_seq {
        fault = Some(Poison { seq: head_seq + 1, why: PoisonKind::Gap });
    }
    Ok(Walked { doc: id, dek, changes: doc.seq(), signatures, fault })
}

fn signature(change: &Change) -> Option<Signed> {
    let What::Decided { decision: DecisionKind::Signed, sets, added: _ } = &change.what else {
        return None;
    };
    let set = sets.iter().find(|set| set.at.field == FieldName::Signed)?;
    set.value.as_ref().and_then(Value::read)
}
