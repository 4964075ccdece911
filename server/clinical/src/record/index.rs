//! Snapshots, found by address.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::field::{Address, FieldName, ListName, Place, Presence};
use crate::id::RowId;
use crate::register::Register;
use crate::value::Value;
use crate::view::{Snapshot, TextAt};

use super::{Held, Said, Words};

/// Snapshots of documents of one record. A field stands in one document only and a row id is unique, so one index
/// serves all of them.
pub(crate) struct Index<'s> {
    rows: BTreeMap<ListName, &'s [RowId]>,
    registers: BTreeMap<Address, &'s Register>,
    texts: BTreeMap<Address, Words>,
}

impl<'s> Index<'s> {
    /// Indexes them. `text` reads a narrative text.
    pub(crate) fn of(snapshots: &[&'s Snapshot], mut text: impl FnMut(&TextAt) -> String) -> Self {
        let mut index =
            Self { rows: BTreeMap::new(), registers: BTreeMap::new(), texts: BTreeMap::new() };
        for snapshot in snapshots {
            let Snapshot { lists, registers, texts } = *snapshot;
            index.rows.extend(lists.iter().map(|list| (list.list, list.rows.as_slice())));
            index.registers.extend(registers.iter().map(|at| (at.at, &at.register)));
            index.texts.extend(texts.iter().map(|at| {
                let words = Words { text: text(at), rev: at.rev, unread: at.merged.is_some() };
                (at.at, words)
            }));
        }
        index
    }

    /// Rows that are there, or of which it is not decided whether they are.
    pub(crate) fn rows(&self, list: ListName) -> impl Iterator<Item = RowId> {
        let rows = self.rows.get(&list).copied().unwrap_or_default();
        rows.iter().copied().filter(|row| !self.is_removed(*row))
    }

    fn is_removed(&self, row: RowId) -> bool {
        let presence: Held<Presence> = self.register(Some(row), FieldName::Presence);
        matches!(presence.value(), Some(Presence::Removed { reason: _ }))
    }

    /// What a register holds.
    pub(crate) fn register<T: DeserializeOwned>(
        &self,
        row: Option<RowId>,
        field: FieldName,
    ) -> Held<T> {
        match self.registers.get(&Address { row, field }) {
            None | Some(Register::Empty) => Held::Empty,
            Some(Register::Value { value, rev, by, at_ms }) => {
                value.as_ref().and_then(Value::read).map_or(Held::Empty, |value| {
                    Held::Value(Said { value, rev: *rev, by: *by, at_ms: *at_ms })
                })
            }
            Some(Register::Conflict { rev: _, candidates }) => Held::Conflict(
                candidates
                    .iter()
                    .map(|candidate| Said {
                        value: candidate.value.as_ref().and_then(Value::read),
                        rev: candidate.rev,
                        by: candidate.by,
                        at_ms: candidate.at_ms,
                    })
                    .collect(),
            ),
        }
    }

    /// The words of a text.
    pub(crate) fn words(&self, row: Option<RowId>, field: FieldName) -> Words {
        self.texts.get(&Address { row, field }).cloned().unwrap_or_default()
    }

    /// Registers that wait for somebody to choose.
    pub(super) fn conflicts(&self) -> Vec<Address> {
        let waiting = self.registers.iter().filter(|(_, register)| register.is_conflict());
        waiting.map(|(at, _)| *at).filter(|at| self.counts(at)).collect()
    }

    /// Texts of which a merge waits to be read.
    pub(super) fn unread(&self) -> Vec<Address> {
        let waiting = self.texts.iter().filter(|(_, words)| words.unread);
        waiting.map(|(at, _)| *at).filter(|at| self.counts(at)).collect()
    }

    /// What stands in a removed row holds nobody up, nor what was said about it.
    fn counts(&self, at: &Address) -> bool {
        match at.field.place() {
            Place::Row(_) | Place::About(_) | Place::EveryRow => {
                at.row.is_some_and(|row| !self.is_removed(row))
            }
            Place::Document => true,
        }
    }
}
