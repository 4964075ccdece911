//! The first content of a document, read from a chart. It is written once, as the first changes of the log, and never
//! made again from another form: two of them would double the record.

use std::collections::BTreeMap;

use crate::actor::{Actor, Author, Millis};
use crate::change::{Change, What};
use crate::edit::EditError;
use crate::field::{Address, FieldKind, FieldName, ListName, Place};
use crate::id::{EditId, RowId};
use crate::limits::ROWS;
use crate::phi::Phi;
use crate::text::written;
use crate::value::Value;

use super::{Doc, Stamp};

/// One thing a chart says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Import {
    /// A row, below those of its list that were imported before it.
    Row {
        /// In which list.
        list: ListName,
        /// Its id.
        row: RowId,
        /// Its registers, those that only an import may write included.
        values: BTreeMap<FieldName, Value>,
    },
    /// A register of the document as a whole.
    Field {
        /// Which.
        field: FieldName,
        /// What it says.
        value: Value,
    },
    /// A text, of the document or of a row imported before.
    Text {
        /// Which.
        at: Address,
        /// Its words.
        words: String,
    },
}

/// One thing of a later chart that a person accepted into a record that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Take {
    /// A row, below the others of its list.
    Row {
        /// In which list.
        list: ListName,
        /// Its id.
        row: RowId,
        /// Its registers, those that only an import may write included.
        values: BTreeMap<FieldName, Value>,
    },
    /// The words of a row that was just added.
    Text {
        /// Which.
        at: Address,
        /// The words.
        words: Phi<String>,
    },
    /// A field.
    Field {
        /// Which.
        at: Address,
        /// What the chart says.
        value: Value,
        /// What stood there when the person accepted. `None`: what people wrote stands there, and it stays beside the
        /// chart's value until somebody chooses.
        over: Option<u64>,
    },
}

impl Doc {
    /// Takes what a person accepted of a chart: an edit of theirs, under the rules of every edit, that may also write
    /// what only charts say. Who may is decided before, in `signaling::role`.
    ///
    /// # Errors
    /// Why it was refused; the document is unchanged.
    pub fn take(
        &mut self,
        now: Millis,
        by: &Actor,
        id: EditId,
        take: &Take,
    ) -> Result<Change, EditError> {
        if self.sealed() {
            return Err(EditError::Sealed);
        }
        let stamp = Stamp { now, by: Author::Seat(*by), call: None, edit: id };
        let decided = match take {
            Take::Row { list, row, values } => {
                let items = Import::Row { list: *list, row: *row, values: values.clone() };
                self.check_size()?;
                self.imported(&items)?.into()
            }
            Take::Text { at, words } => {
                let items = Import::Text { at: *at, words: words.expose().clone() };
                self.imported(&items)?.into()
            }
            Take::Field { at, value, over } => {
                self.check_size()?;
                self.decide_taken(stamp, *at, value, *over)?
            }
        };
        let mut change = self.change(stamp, decided.what);
        change.contested = decided.contested;
        self.fold(&change).map_err(|_damaged| EditError::TextBad)?;
        Ok(change)
    }

    /// Writes what a chart says into the document. `next_id` makes the identifiers of the changes.
    ///
    /// # Errors
    /// An item does not fit into this document. The ones before it are folded: throw the document away.
    pub fn import(
        &mut self,
        now: Millis,
        items: &[Import],
        mut next_id: impl FnMut() -> EditId,
    ) -> Result<Vec<Change>, EditError> {
        let mut changes = Vec::with_capacity(items.len());
        for item in items {
            let what = self.imported(item)?;
            let stamp = Stamp { now, by: Author::Import, call: None, edit: next_id() };
            let change = self.change(stamp, what);
            self.fold(&change).map_err(|_damaged| EditError::TextBad)?;
            changes.push(change);
        }
        Ok(changes)
    }

    fn imported(&self, item: &Import) -> Result<What, EditError> {
        match item {
            Import::Row { list, row, values } => {
                let fits = list.doc() == self.kind
                    && values.keys().all(|field| field.place() == Place::Row(*list));
                if !fits {
                    return Err(EditError::UnknownAddress);
                }
                if self.list_of(*row).is_some() {
                    return Err(EditError::RowExists);
                }
                let rows = self.rows(*list);
                if rows.len() >= ROWS {
                    return Err(EditError::ListFull);
                }
                let after = rows.last().copied();
                Ok(What::Added { list: *list, row: *row, after, values: values.clone() })
            }
            Import::Field { field, value } => {
                if field.doc() != self.kind
                    || field.place() != Place::Document
                    || matches!(field.kind(), FieldKind::Text { .. })
                {
                    return Err(EditError::UnknownAddress);
                }
                let at = Address { row: None, field: *field };
                let before = self.register(&at).value().cloned();
                Ok(What::Set { at, before, after: Some(value.clone()) })
            }
            Import::Text { at, words } => {
                let FieldKind::Text { limit } = at.field.kind() else {
                    return Err(EditError::UnknownAddress);
                };
                let there = match (at.field.place(), at.row) {
                    (Place::Row(list), Some(row)) => self.rows(list).contains(&row),
                    (Place::Document, None) => at.field.doc() == self.kind,
                    (Place::Row(_) | Place::Document | Place::About(_) | Place::EveryRow, _) => {
                        false
                    }
                };
                if !there {
                    return Err(EditError::UnknownAddress);
                }
                if self.text(at).is_some() {
                    return Err(EditError::RowExists);
                }
                if words.encode_utf16().count() > limit.saturating_mul(2) {
                    return Err(EditError::TooLong);
                }
                Ok(What::Text { at: *at, update: written(words), merged: None })
            }
        }
    }
}
