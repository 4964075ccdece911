//! A copy of the document as a browser folds it: written a third time, after the design and not after the engine, so
//! that a fold that is wrong differs from this one.

use std::collections::BTreeMap;

use clinical::actor::{Author, Millis};
use clinical::change::{Change, Merged, What};
use clinical::doc::Doc;
use clinical::field::{Address, FieldName, ListName};
use clinical::id::RowId;
use clinical::register::Register;
use clinical::value::Value;
use clinical::view::{Snapshot, View};
use serde_json::json;

use crate::common::Pen;

/// A document as far as it has been received.
#[derive(Clone, Debug, Default)]
pub(super) struct Replica {
    /// Of the last change in it.
    pub(super) seq: u64,
    pub(super) lists: BTreeMap<ListName, Vec<RowId>>,
    pub(super) registers: BTreeMap<Address, Register>,
    pub(super) texts: BTreeMap<Address, Narrative>,
}

/// A text as updates in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Narrative {
    pub(super) rev: u64,
    pub(super) merged: Option<Merged>,
    pub(super) updates: Vec<Vec<u8>>,
}

impl Replica {
    pub(super) fn of(snapshot: &Snapshot, seq: u64) -> Self {
        Self {
            seq,
            lists: snapshot.lists.iter().map(|list| (list.list, list.rows.clone())).collect(),
            registers: snapshot.registers.iter().map(|r| (r.at, r.register.clone())).collect(),
            texts: snapshot
                .texts
                .iter()
                .map(|text| {
                    let updates = vec![text.state.0.clone()];
                    let merged = text.merged.clone();
                    (text.at, Narrative { rev: text.rev, merged, updates })
                })
                .collect(),
        }
    }

    pub(super) fn fold(&mut self, change: &Change) {
        self.seq = change.seq;
        let (seq, by, at_ms) = (change.seq, change.by, change.at_ms);
        match &change.what {
            What::Set { at, after, .. } | What::Resolved { at, after } => {
                self.set(*at, after.clone(), seq, by, at_ms);
            }
            What::Agreed { .. } => {}
            What::Conflicted { at, candidates } => {
                let candidates = candidates.clone();
                self.registers.insert(*at, Register::Conflict { rev: seq, candidates });
            }
            What::Added { list, row, after, values } => {
                for (field, value) in values {
                    let at = Address { row: Some(*row), field: *field };
                    self.set(at, Some(value.clone()), seq, by, at_ms);
                }
                self.place(*list, *row, *after);
            }
            What::Tombstoned { row, reason } => {
                let gone = json!({ "state": "removed", "reason": reason.expose() });
                self.set(presence_of(*row), Some(presence(&gone)), seq, by, at_ms);
            }
            What::Restored { row } => {
                let back = json!({ "state": "present" });
                self.set(presence_of(*row), Some(presence(&back)), seq, by, at_ms);
            }
            What::Moved { row, after } => {
                if let Some(list) = self.list_of(*row) {
                    self.place(list, *row, *after);
                }
            }
            What::Text { at, update, merged } => {
                let text = self.texts.entry(*at).or_default();
                text.rev = seq;
                text.updates.push(update.0.clone());
                if merged.is_some() {
                    text.merged.clone_from(merged);
                }
            }
            What::Reviewed { at } => {
                if let Some(text) = self.texts.get_mut(at) {
                    text.merged = None;
                }
            }
            What::Decided { sets, .. } => {
                for one in sets {
                    self.set(one.at, one.value.clone(), seq, by, at_ms);
                }
            }
        }
        if let (Some(candidates), Some(row)) = (&change.contested, change.what.row()) {
            let conflict = Register::Conflict { rev: seq, candidates: candidates.clone() };
            self.registers.insert(presence_of(row), conflict);
        }
    }

    fn set(&mut self, at: Address, value: Option<Value>, rev: u64, by: Author, at_ms: Millis) {
        self.registers.insert(at, Register::Value { value, rev, by, at_ms });
    }

    fn place(&mut self, list: ListName, row: RowId, after: Option<RowId>) {
        let rows = self.lists.entry(list).or_default();
        rows.retain(|other| *other != row);
        let index = match after {
            None => 0,
            Some(after) => {
                rows.iter().position(|other| *other == after).map_or(rows.len(), |at| at + 1)
            }
        };
        rows.insert(index, row);
    }

    pub(super) fn register(&self, at: &Address) -> &Register {
        self.registers.get(at).unwrap_or(&Register::Empty)
    }

    pub(super) fn list_of(&self, row: RowId) -> Option<ListName> {
        self.lists.iter().find(|(_, rows)| rows.contains(&row)).map(|(list, _)| *list)
    }

    pub(super) fn rows(&self, list: ListName) -> &[RowId] {
        self.lists.get(&list).map_or(&[], Vec::as_slice)
    }

    /// Whether a row was taken out, beyond doubt.
    pub(super) fn is_removed(&self, row: RowId) -> bool {
        let value = self.register(&presence_of(row)).value();
        value.is_some_and(|value| serde_json::to_value(value).unwrap()["state"] == "removed")
    }

    /// A Yjs document of one text that writes under this client id.
    pub(super) fn pen(&self, at: &Address, client: u64) -> Pen {
        let pen = Pen::new(client);
        for update in self.texts.get(at).map_or(&[][..], |text| &text.updates) {
            pen.read(update);
        }
        pen
    }

    /// The first thing in which it differs from what the server has. Texts are compared by their words: two histories
    /// of the same words may differ in how their bytes are cut.
    pub(super) fn differs(&self, server: &Server) -> Option<String> {
        let other = &server.replica;
        let lists = |replica: &Self| -> Vec<(ListName, Vec<RowId>)> {
            let filled = replica.lists.iter().filter(|(_, rows)| !rows.is_empty());
            filled.map(|(list, rows)| (*list, rows.clone())).collect()
        };
        if lists(self) != lists(other) {
            return Some(format!("rows: {:?}, and the server has {:?}", self.lists, other.lists));
        }
        if self.registers != other.registers {
            let at = self.registers.keys().chain(other.registers.keys());
            let differs = |at: &&Address| self.register(at) != other.register(at);
            return at.into_iter().find(differs).map(|at| {
                format!("{at}: {:?}, server {:?}", self.register(at), other.register(at))
            });
        }
        let texts = |replica: &Self| -> Vec<(Address, u64, Option<Merged>)> {
            replica.texts.iter().map(|(at, text)| (*at, text.rev, text.merged.clone())).collect()
        };
        if texts(self) != texts(other) {
            return Some(format!("texts: {:?}, server {:?}", texts(self), texts(other)));
        }
        server.words.iter().find_map(|(at, words)| {
            let mine = self.pen(at, 0).words();
            (mine != *words).then(|| format!("{at}: {mine:?}, server {words:?}"))
        })
    }
}

/// What the server has, read once to be compared with many.
pub(super) struct Server {
    replica: Replica,
    words: BTreeMap<Address, String>,
}

impl Server {
    pub(super) fn of(doc: &Doc) -> Self {
        let replica = Replica::of(&doc.snapshot(View::Full), doc.seq());
        let words =
            replica.texts.keys().map(|at| (*at, doc.text(at).unwrap_or_default())).collect();
        Self { replica, words }
    }
}

/// Where the presence of a row stands.
pub(super) const fn presence_of(row: RowId) -> Address {
    Address { row: Some(row), field: FieldName::Presence }
}

fn presence(json: &serde_json::Value) -> Value {
    FieldName::Presence.parse(json).unwrap()
}
