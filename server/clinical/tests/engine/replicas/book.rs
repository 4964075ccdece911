//! The log, read: what follows from it alone.

use std::collections::{BTreeMap, BTreeSet};

use clinical::change::{Change, DecisionKind, What};
use clinical::field::{Address, FieldName};
use clinical::id::{EditId, PersonId, RowId};

use super::judge::Asked;
use super::replica::Replica;
use crate::common::Pen;

/// The log, read.
#[derive(Default)]
pub(super) struct Book {
    pub(super) mirror: Replica,
    pub(super) pens: BTreeMap<Address, Pen>,
    pub(super) ink: BTreeMap<Address, BTreeSet<char>>,
    pub(super) erased: BTreeSet<char>,
    /// Changes of fields of rows.
    pub(super) touched: Vec<(RowId, u64, PersonId)>,
    /// Changes of texts: `seq`, time, author.
    pub(super) written: BTreeMap<Address, Vec<(u64, i64, PersonId)>>,
    pub(super) sent: BTreeSet<RowId>,
    pub(super) decided: BTreeSet<RowId>,
    pub(super) shared: bool,
    pub(super) taken: BTreeMap<EditId, u64>,
}

impl Book {
    pub(super) fn read(&mut self, change: &Change, asked: &BTreeMap<EditId, Asked>) {
        let person = change.by.person();
        self.mirror.fold(change);
        self.taken.insert(change.edit, change.seq);
        let mut touch = |row: Option<RowId>| {
            if let (Some(row), Some(person)) = (row, person) {
                self.touched.push((row, change.seq, person));
            }
        };
        match &change.what {
            What::Set { at, .. } | What::Conflicted { at, .. } | What::Resolved { at, .. }
                if at.field != FieldName::Presence =>
            {
                touch(at.row);
            }
            What::Added { row, .. } => touch(Some(*row)),
            What::Text { at, update, .. } => {
                touch(at.row);
                self.pens.entry(*at).or_insert_with(|| Pen::new(0)).read(&update.0);
                if let Some(person) = person {
                    self.written.entry(*at).or_default().push((change.seq, change.at_ms.0, person));
                }
                if let Some(asked) = asked.get(&change.edit) {
                    self.ink.entry(*at).or_default().extend(&asked.ink.0);
                    self.erased.extend(&asked.ink.1);
                }
            }
            What::Decided { decision, sets, .. } => {
                for set in sets {
                    touch(set.at.row);
                }
                match (decision, sets.iter().find_map(|set| set.at.row)) {
                    (DecisionKind::Shared, _) => self.shared = true,
                    (DecisionKind::RecommendationSent, Some(row)) => {
                        self.sent.insert(row);
                    }
                    (DecisionKind::RecommendationDecided, Some(row)) => {
                        self.decided.insert(row);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}
