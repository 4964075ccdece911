//! Reading a field's history beside the record's task: a long log keeps no edit waiting.

use clinical::field::Address;
use clinical::id::{ConnectionId, DocId};
use tokio::task::JoinError;

use super::{Task, Turn};
use crate::record::store::{self, LoadError};

/// Histories of one record read at the same time. More wait for nobody: they are told to ask again.
const AT_ONCE: usize = 4;

/// What a reading task brings back.
#[derive(Debug)]
pub(super) struct Read {
    connection: ConnectionId,
    doc: DocId,
    at: Address,
    page: Result<store::HistoryPage, LoadError>,
}

impl Task {
    /// Begins to read. Answers whether it does.
    pub(super) fn read_history(
        &mut self,
        connection: ConnectionId,
        doc: DocId,
        at: Address,
        before: u64,
    ) -> bool {
        let Some(log) = self.logs.get(&doc).filter(|_log| self.histories.len() < AT_ONCE) else {
            return false;
        };
        let (dek, store) = (log.dek.clone(), self.home.records.inner.store.clone());
        self.histories.spawn(async move {
            let page = store::history(&store, &dek, doc, &at, before).await;
            Read { connection, doc, at, page }
        });
        true
    }

    /// The log has answered.
    pub(super) async fn history_read(&mut self, read: Result<Read, JoinError>) -> Turn {
        // A task that broke has told nobody; its reader asks again.
        let Ok(Read { connection, doc, at, page }) = read else { return Turn::Go };
        let effects = match page {
            Ok(store::HistoryPage { changes, next }) => {
                self.session.history_read(connection, doc, at, changes, next)
            }
            Err(error) => {
                tracing::warn!(doc.id = %doc, %error, "a history could not be read");
                self.session.history_failed(connection)
            }
        };
        self.carry_out(None, effects).await;
        Turn::Go
    }
}
