//! The patient's wishes about people, for who may read only those about themselves: a caregiver.
//!
//! A wish can come to be about somebody else, so a change of one is never sent to such a reader: when what they may see
//! is not what they were shown, the document is shown again.

use std::collections::BTreeMap;

use clinical::access;
use clinical::doc::Doc;
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::id::{ConnectionId, PersonId, RowId};
use clinical::view::{Snapshot, View};

use super::queue::Sheet;
use super::{Effect, FreshIds, RecordSession};
use crate::message::ResyncReason;

/// The wishes about one person, and the last change of each as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnWishes {
    person: PersonId,
    shown: BTreeMap<RowId, [u64; 2]>,
}

impl OwnWishes {
    /// Those of a person now; `None` in a document that holds no wishes.
    pub(super) fn of(doc: &Doc, person: PersonId) -> Option<Self> {
        if doc.kind() != DocKind::Voice {
            return None;
        }
        let own = |row: &&RowId| access::is_only_of(doc, **row, person);
        let revs = |row: &RowId| {
            [FieldName::AccessContent, FieldName::Presence]
                .map(|field| doc.rev_of(&Address { row: Some(*row), field }))
        };
        let rows = doc.rows(ListName::Access);
        Some(Self { person, shown: rows.iter().filter(own).map(|row| (*row, revs(row))).collect() })
    }

    /// What is left of a document when every other wish is taken out.
    fn narrow(&self, doc: &Doc, snapshot: Snapshot) -> Snapshot {
        let shows = |row: RowId| {
            doc.list_of(row) != Some(ListName::Access) || self.shown.contains_key(&row)
        };
        let Snapshot { mut lists, mut registers, mut texts } = snapshot;
        for list in &mut lists {
            list.rows.retain(|row| shows(*row));
        }
        lists.retain(|list| !list.rows.is_empty());
        registers.retain(|register| register.at.row.is_none_or(shows));
        texts.retain(|text| text.at.row.is_none_or(shows));
        Snapshot { lists, registers, texts }
    }
}

impl Sheet {
    /// Whether a row is one of the patient's wishes about people.
    pub(super) fn is_wish(&self, row: Option<RowId>) -> bool {
        row.and_then(|row| self.doc.list_of(row)) == Some(ListName::Access)
    }

    /// The document as a connection sees it.
    pub(super) fn seen_by(&self, connection: ConnectionId, view: View) -> Snapshot {
        let whole = self.doc.snapshot(view);
        match self.wishes_of(connection) {
            Some(own) => own.narrow(&self.doc, whole),
            None => whole,
        }
    }
}

impl RecordSession {
    /// Shows the patient's part again to everybody whose own wishes are not what they were shown.
    pub(super) fn own_wishes_changed(&mut self, fresh: FreshIds<'_>, effects: &mut Vec<Effect>) {
        let Some(index) = self.sheets.iter().position(|sheet| sheet.doc.kind() == DocKind::Voice)
        else {
            return;
        };
        let connections: Vec<_> = self.readers.keys().copied().collect();
        for connection in connections {
            let Some(sheet) = self.sheets.get(index) else { return };
            let stale = sheet
                .wishes_of(connection)
                .is_some_and(|own| OwnWishes::of(&sheet.doc, own.person).as_ref() != Some(own));
            if let (true, Some(view)) = (stale, sheet.view_of(connection)) {
                let why = Some(ResyncReason::ViewChanged);
                self.snapshot(index, connection, view, None, why, fresh, effects);
            }
        }
    }
}
