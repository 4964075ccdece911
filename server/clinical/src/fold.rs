//! Changes make the document: the same few lines here and in the browser (`web-client/src/plan/fold.ts`).

use std::collections::BTreeMap;

use crate::actor::{Author, Millis};
use crate::change::{Change, What};
use crate::field::{Address, FieldName, ListName, Presence};
use crate::id::RowId;
use crate::register::Register;
use crate::text::{Damaged, Text};
use crate::value::Value;
use crate::view::{ListRows, RegisterAt, Snapshot, TextAt};

/// A change that does not fit: the log or the snapshot it is folded into is damaged, or one of the two is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// Its `seq` is not the next.
    #[error("change {seq} does not follow {after}")]
    OutOfStep {
        /// Of the change.
        seq: u64,
        /// Of the document.
        after: u64,
    },
    /// A text, or an update of one, does not read.
    #[error("the text of change {seq} does not read")]
    Text {
        /// Of the change or, for a snapshot, of the text.
        seq: u64,
    },
}

/// Rows, registers and texts.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) lists: BTreeMap<ListName, Vec<RowId>>,
    pub(crate) registers: BTreeMap<Address, Register>,
    pub(crate) texts: BTreeMap<Address, Text>,
}

impl State {
    pub(crate) fn load(snapshot: &Snapshot) -> Result<Self, FoldError> {
        let mut texts = BTreeMap::new();
        for text in &snapshot.texts {
            let loaded = Text::load(&text.state, text.rev, text.merged.clone())
                .map_err(|Damaged| FoldError::Text { seq: text.rev })?;
            texts.insert(text.at, loaded);
        }
        Ok(Self {
            lists: snapshot.lists.iter().map(|list| (list.list, list.rows.clone())).collect(),
            registers: snapshot
                .registers
                .iter()
                .map(|register| (register.at, register.register.clone()))
                .collect(),
            texts,
        })
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            lists: self
                .lists
                .iter()
                .filter(|(_, rows)| !rows.is_empty())
                .map(|(list, rows)| ListRows { list: *list, rows: rows.clone() })
                .collect(),
            registers: self
                .registers
                .iter()
                .map(|(at, register)| RegisterAt { at: *at, register: register.clone() })
                .collect(),
            texts: self
                .texts
                .iter()
                .map(|(at, text)| TextAt {
                    at: *at,
                    rev: text.rev,
                    state: text.state(),
                    merged: text.merged.clone(),
                })
                .collect(),
        }
    }

    pub(crate) fn register(&self, at: &Address) -> &Register {
        self.registers.get(at).unwrap_or(&Register::Empty)
    }

    pub(crate) fn list_of(&self, row: RowId) -> Option<ListName> {
        self.lists.iter().find(|(_, rows)| rows.contains(&row)).map(|(list, _)| *list)
    }

    /// Folds one change. Whether it may be made was decided before; whatever the log says happened.
    pub(crate) fn fold(&mut self, change: &Change) -> Result<(), FoldError> {
        let Change { seq, at_ms, by, what, contested, .. } = change;
        let mut set = |at: Address, value: Option<Value>| {
            let register = Register::Value { value, rev: *seq, by: *by, at_ms: *at_ms };
            self.registers.insert(at, register);
        };
        match what {
            What::Set { at, before: _, after } | What::Resolved { at, after } => {
                set(*at, after.clone());
            }
            What::Agreed { at: _ } => {}
            What::Conflicted { at, candidates } => {
                let conflict = Register::Conflict { rev: *seq, candidates: candidates.clone() };
                self.registers.insert(*at, conflict);
            }
            What::Added { list, row, after, values } => {
                for (field, value) in values {
                    set(Address { row: Some(*row), field: *field }, Some(value.clone()));
                }
                self.place(*list, *row, *after);
            }
            What::Tombstoned { row, reason } => {
                let removed = Presence::Removed { reason: reason.expose().clone() };
                set(presence_of(*row), Some(Value::trusted(&removed)));
            }
            What::Restored { row } => {
                set(presence_of(*row), Some(Value::trusted(&Presence::Present)));
            }
            What::Moved { row, after } => {
                if let Some(list) = self.list_of(*row) {
                    self.place(list, *row, *after);
                }
            }
            What::Text { at, update, merged } => {
                let text = self.texts.entry(*at).or_insert_with(Text::new);
                text.fold(&update.0, *seq).map_err(|Damaged| FoldError::Text { seq: *seq })?;
                if merged.is_some() {
                    text.merged.clone_from(merged);
                }
            }
            What::Reviewed { at } => {
                if let Some(text) = self.texts.get_mut(at) {
                    text.merged = None;
                }
            }
            What::Decided { decision: _, sets, added } => {
                for one in sets {
                    set(one.at, one.value.clone());
                }
                for one in added {
                    self.place(one.list, one.row, one.after);
                }
            }
        }
        if let (Some(candidates), Some(row)) = (contested, what.row()) {
            let conflict = Register::Conflict { rev: *seq, candidates: candidates.clone() };
            self.registers.insert(presence_of(row), conflict);
        }
        Ok(())
    }

    /// Puts a row below another; below one that is not there, at the end.
    fn place(&mut self, list: ListName, row: RowId, after: Option<RowId>) {
        let rows = self.lists.entry(list).or_default();
        rows.retain(|other| *other != row);
        let index = match after {
            None => 0,
            Some(after) => rows
                .iter()
                .position(|other| *other == after)
                .map_or(rows.len(), |index| index.saturating_add(1)),
        };
        rows.insert(index, row);
    }
}

impl Snapshot {
    /// Folds a change into what one reader received. Unlike a document, a reader may skip some of them.
    ///
    /// # Errors
    /// A text does not read.
    pub fn fold(&mut self, change: &Change) -> Result<(), FoldError> {
        let mut state = State::load(self)?;
        state.fold(change)?;
        *self = state.snapshot();
        Ok(())
    }

    /// The words of each text, for readers that do not speak Yjs: tests, print, export.
    ///
    /// # Errors
    /// A text does not read.
    pub fn words(&self) -> Result<BTreeMap<Address, String>, FoldError> {
        let state = State::load(self)?;
        Ok(state.texts.iter().map(|(at, text)| (*at, text.string())).collect())
    }
}

/// Where the presence of a row stands.
pub(crate) const fn presence_of(row: RowId) -> Address {
    Address { row: Some(row), field: FieldName::Presence }
}

/// Who changed what when, as it stands in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Mark {
    /// Of the change.
    pub(crate) rev: u64,
    pub(crate) by: Author,
    pub(crate) at_ms: Millis,
}
