//! What the log says about one field. Bodies are sealed, so a page is found by opening changes from the newest back.

use clinical::change::Change;
use clinical::field::Address;
use clinical::id::DocId;

use super::{LoadError, change_spot, stored, unsigned};
use crate::record::sql;
use crate::store::{Store, StoreError};
use crate::vault::Dek;

/// Changes of a page. A person reads the last few; more would only fill the screen.
const PAGE: usize = 30;

/// Bytes of a page as JSON: clients need not take messages above 256 KiB.
const PAGE_BYTES: usize = 160 * 1024;

/// Rows opened for one page, at most, in batches of [`BATCH`]: some tens of milliseconds on one core. A field that was
/// not touched in the last thousands of changes takes another question, from where this one stopped.
const ROWS: usize = 4_000;
const BATCH: i64 = 500;

/// A page of a field's history.
#[derive(Debug)]
pub(crate) struct HistoryPage {
    /// What was done to the field, the newest first.
    pub(crate) changes: Vec<Change>,
    /// From which `seq` to go on; `None` at the beginning of the log.
    pub(crate) next: Option<u64>,
}

/// Reads a page of what was done to `at` before `before` (a `seq`).
///
/// # Errors
/// The store is away, or a row does not open: the load of the document says so with more care.
pub(crate) async fn history(
    store: &Store,
    dek: &Dek,
    doc: DocId,
    at: &Address,
    before: u64,
) -> Result<HistoryPage, LoadError> {
    let name = doc.to_string();
    let mut page = HistoryPage { changes: Vec::new(), next: Some(before) };
    let (mut opened, mut bytes) = (0, 0);
    while let Some(from) = page.next.filter(|from| *from > 1 && opened < ROWS) {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(sql::CHANGES_BEFORE)
            .bind(&name)
            .bind(stored(from))
            .bind(BATCH)
            .fetch_all(store.read())
            .await?;
        if rows.is_empty() {
            page.next = None;
        }
        for (seq, body) in rows {
            let seq = unsigned(seq);
            let plain = dek.open(change_spot(&name, seq), &body)?;
            let change: Change =
                serde_json::from_slice(&plain).map_err(|_wrong| StoreError::Row)?;
            opened += 1;
            if let Some(change) = change.about(at) {
                let length = serde_json::to_vec(&change).map_or(PAGE_BYTES, |json| json.len());
                if !page.changes.is_empty() && bytes + length > PAGE_BYTES {
                    return Ok(page);
                }
                bytes += length;
                page.changes.push(change);
            }
            page.next = Some(seq).filter(|seq| *seq > 1);
            if page.changes.len() >= PAGE {
                return Ok(page);
            }
        }
        // A long log is read beside others' edits, not before them.
        tokio::task::yield_now().await;
    }
    page.next = page.next.filter(|next| *next > 1);
    Ok(page)
}
