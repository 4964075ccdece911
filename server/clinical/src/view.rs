//! What one reader receives of a document.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::bytes::Base64;
use crate::change::{Change, DecisionKind, FieldSet, Merged, RowPlace, What};
use crate::doc::Book;
use crate::field::{Address, DocKind, FieldName, ListName, PatientSide, Place, Presence};
use crate::fold::{State, presence_of};
use crate::id::{PersonId, RowId};
use crate::phi::Phi;
use crate::register::Register;
use crate::value::Value;

/// Through which eyes a document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Everything: clinicians.
    Full,
    /// The fields marked for the patient's side: patient and caregiver.
    PatientSide,
}

/// A document as one view sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Rows of each list, in the order shown; removed ones keep their place. Lists without rows are left out.
    pub lists: Vec<ListRows>,
    /// Every register that was ever written.
    pub registers: Vec<RegisterAt>,
    /// Every text that was ever written.
    pub texts: Vec<TextAt>,
}

/// The rows of one list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct ListRows {
    /// Which list.
    pub list: ListName,
    /// Its rows.
    pub rows: Vec<RowId>,
}

/// A register and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct RegisterAt {
    /// Where.
    pub at: Address,
    /// What it holds.
    pub register: Register,
}

/// A narrative text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct TextAt {
    /// Where.
    pub at: Address,
    /// `seq` of its last change.
    pub rev: u64,
    /// Yjs state as one update, v1 encoding.
    pub state: Base64,
    /// Set while a merge waits to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub merged: Option<Merged>,
}

/// A document and the eyes on it. Everything that leaves goes through here.
pub(crate) struct Projection<'a> {
    kind: DocKind,
    state: &'a State,
    book: &'a Book,
    view: View,
}

impl<'a> Projection<'a> {
    pub(crate) const fn new(kind: DocKind, state: &'a State, book: &'a Book, view: View) -> Self {
        Self { kind, state, book, view }
    }

    /// In `voice` the patient writes, so there the patient's side sees what the team sees.
    pub(crate) fn all(&self) -> bool {
        match (self.view, self.kind) {
            (View::Full, DocKind::Plan | DocKind::Voice | DocKind::Team)
            | (View::PatientSide, DocKind::Voice) => true,
            (View::PatientSide, DocKind::Plan | DocKind::Team) => false,
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let whole = self.state.snapshot();
        if self.all() {
            return whole;
        }
        let lists = whole
            .lists
            .into_iter()
            .map(|list| ListRows {
                rows: list.rows.into_iter().filter(|row| self.row(list.list, *row)).collect(),
                list: list.list,
            })
            .filter(|list| !list.rows.is_empty())
            .collect();
        let registers = whole
            .registers
            .into_iter()
            .filter_map(|RegisterAt { at, register }| {
                self.register(&at, register).map(|register| RegisterAt { at, register })
            })
            .collect();
        let texts = whole.texts.into_iter().filter(|text| self.field(&text.at)).collect();
        Snapshot { lists, registers, texts }
    }

    pub(crate) fn authors(&self) -> BTreeSet<PersonId> {
        let snapshot = self.snapshot();
        let mut authors: BTreeSet<PersonId> = snapshot
            .registers
            .iter()
            .flat_map(|register| register.register.authors().collect::<Vec<_>>())
            .collect();
        for text in &snapshot.texts {
            authors.extend(self.book.writers(&text.at));
            authors.extend(text.merged.iter().flat_map(|merged| merged.with.iter().copied()));
        }
        authors
    }

    pub(crate) fn change(&self, change: &Change) -> Option<Change> {
        if self.all() {
            return Some(change.clone());
        }
        let contested = change.contested.as_ref().map(|_candidates| Vec::new());
        let Some(what) = self.what(change) else {
            // The field is hidden, but that its row may come back is not.
            contested.as_ref()?;
            let row = change.what.row().filter(|row| self.any_row(*row))?;
            let what = What::Conflicted { at: presence_of(row), candidates: Vec::new() };
            return Some(Change { what, contested: None, ..change.clone() });
        };
        Some(Change { what, contested, ..change.clone() })
    }

    fn what(&self, change: &Change) -> Option<What> {
        match &change.what {
            What::Set { at, before, after } => self.field(at).then(|| What::Set {
                at: *at,
                before: before.clone().map(|value| shown(at, value)),
                after: after.clone().map(|value| shown(at, value)),
            }),
            What::Agreed { at } => self.field(at).then_some(What::Agreed { at: *at }),
            What::Conflicted { at, candidates: _ } => {
                self.field(at).then(|| What::Conflicted { at: *at, candidates: Vec::new() })
            }
            What::Resolved { at, after } => self.field(at).then(|| What::Resolved {
                at: *at,
                after: after.clone().map(|value| shown(at, value)),
            }),
            What::Added { list, row, after: _, values } => self.row(*list, *row).then(|| {
                let values = values
                    .iter()
                    .filter(|(field, _)| self.field(&Address { row: Some(*row), field: **field }))
                    .map(|(field, value)| (*field, value.clone()))
                    .collect();
                What::Added { list: *list, row: *row, after: self.above(*list, *row), values }
            }),
            What::Tombstoned { row, reason: _ } => self
                .any_row(*row)
                .then(|| What::Tombstoned { row: *row, reason: Phi::new(String::new()) }),
            What::Restored { row } => self.any_row(*row).then_some(What::Restored { row: *row }),
            What::Moved { row, after: _ } => {
                let list = self.state.list_of(*row).filter(|list| self.row(*list, *row))?;
                Some(What::Moved { row: *row, after: self.above(list, *row) })
            }
            What::Text { at, update, merged } => self.field(at).then(|| What::Text {
                at: *at,
                update: update.clone(),
                merged: merged.clone(),
            }),
            What::Reviewed { at } => self.field(at).then_some(What::Reviewed { at: *at }),
            What::Decided { decision, sets, added } => match (decision, change.what.row()) {
                // On this side the row begins here.
                (DecisionKind::RecommendationSent | DecisionKind::AgreementRefused, Some(row)) => {
                    Some(self.appears(row))
                }
                (DecisionKind::AgreementActed, Some(row)) => {
                    Some(self.appears_done(*decision, row, sets, added))
                }
                (
                    DecisionKind::Shared
                    | DecisionKind::RecommendationSent
                    | DecisionKind::RecommendationSeen
                    | DecisionKind::RecommendationDecided
                    | DecisionKind::RecommendationImplemented
                    | DecisionKind::RecommendationVerified
                    | DecisionKind::RecommendationWithdrawn
                    | DecisionKind::AgreementActed
                    | DecisionKind::AgreementRefused
                    | DecisionKind::Signed
                    | DecisionKind::Addended
                    | DecisionKind::PlanAcknowledged
                    | DecisionKind::PlanAnswered
                    | DecisionKind::PlanHandedOn
                    | DecisionKind::RevisionOpened
                    | DecisionKind::TouchpointBooked
                    | DecisionKind::TouchpointMoved
                    | DecisionKind::TouchpointUnbooked
                    | DecisionKind::TouchpointDone
                    | DecisionKind::TouchpointMissed
                    | DecisionKind::TouchpointCancelled
                    | DecisionKind::TouchpointReopened,
                    _,
                ) => {
                    let sets: Vec<_> =
                        sets.iter().filter(|set| self.field(&set.at)).cloned().collect();
                    let added = added
                        .iter()
                        .filter(|one| self.row(one.list, one.row))
                        .map(|one| RowPlace { after: self.above(one.list, one.row), ..*one })
                        .collect();
                    (!sets.is_empty()).then_some(What::Decided { decision: *decision, sets, added })
                }
            },
        }
    }

    /// A recommendation as it stands when it is sent.
    fn appears(&self, row: RowId) -> What {
        let list = ListName::Recommendations;
        let values = self.values(row).collect();
        What::Added { list, row, after: self.above(list, row), values }
    }

    /// A recommendation that was carried out before it was ever sent, and what that changed.
    fn appears_done(
        &self,
        decision: DecisionKind,
        row: RowId,
        sets: &[FieldSet],
        added: &[RowPlace],
    ) -> What {
        let list = ListName::Recommendations;
        let of_row = self.values(row).map(|(field, value)| FieldSet {
            at: Address { row: Some(row), field },
            value: Some(value),
        });
        let others = sets.iter().filter(|set| set.at.row != Some(row) && self.field(&set.at));
        let own = RowPlace { list, row, after: self.above(list, row) };
        let added = added
            .iter()
            .filter(|one| self.row(one.list, one.row))
            .map(|one| RowPlace { after: self.above(one.list, one.row), ..*one });
        What::Decided {
            decision,
            sets: of_row.chain(others.cloned()).collect(),
            added: std::iter::once(own).chain(added).collect(),
        }
    }

    /// What these eyes see of a recommendation.
    fn values(&self, row: RowId) -> impl Iterator<Item = (FieldName, Value)> {
        FieldName::ALL
            .iter()
            .filter(|field| field.place() == Place::Row(ListName::Recommendations))
            .map(move |field| Address { row: Some(row), field: *field })
            .filter(|at| self.field(at))
            .filter_map(|at| Some((at.field, self.state.register(&at).value()?.clone())))
    }

    /// The nearest row above one that these eyes see.
    fn above(&self, list: ListName, row: RowId) -> Option<RowId> {
        let rows = self.state.lists.get(&list)?;
        let mut above = rows.iter().take_while(|other| **other != row).copied();
        let mut nearest = None;
        for other in &mut above {
            if self.row(list, other) {
                nearest = Some(other);
            }
        }
        nearest
    }

    pub(crate) fn sees(&self, at: &Address) -> bool {
        self.all() || self.field(at)
    }

    /// Whether these eyes see a row of a list.
    fn row(&self, list: ListName, row: RowId) -> bool {
        match list {
            ListName::Recommendations => self.book.sent(row).is_some(),
            ListName::Meds
            | ListName::Allergies
            | ListName::Immunizations
            | ListName::Conditions
            | ListName::Measures
            | ListName::Problems
            | ListName::Goals
            | ListName::Todos
            | ListName::Touchpoints
            | ListName::CareTeam
            | ListName::Questions
            | ListName::WhatIDid
            | ListName::Remarks
            | ListName::HomeReadings
            | ListName::Consents
            | ListName::Access => true,
            // Among the team: not even that there is one.
            ListName::TeachBacks | ListName::Comments | ListName::Dismissals | ListName::Tasks => {
                false
            }
        }
    }

    fn any_row(&self, row: RowId) -> bool {
        self.state.list_of(row).is_some_and(|list| self.row(list, row))
    }

    /// Whether these eyes see a field.
    fn field(&self, at: &Address) -> bool {
        let side = match at.field.patient_side() {
            PatientSide::Yes => true,
            PatientSide::OnceSent => at.row.is_some_and(|row| self.book.sent(row).is_some()),
            PatientSide::No => false,
        };
        // A document without a patient side has none, whatever its fields say.
        side && self.kind != DocKind::Team
            && (at.field.place() != Place::EveryRow || at.row.is_some_and(|row| self.any_row(row)))
    }

    fn register(&self, at: &Address, register: Register) -> Option<Register> {
        if !self.field(at) {
            return None;
        }
        let sent = at.row.and_then(|row| self.book.sent(row));
        match register {
            Register::Empty => None,
            Register::Conflict { rev, candidates: _ } => {
                Some(Register::Conflict { rev, candidates: Vec::new() })
            }
            Register::Value { value, rev, by, at_ms } => match sent {
                // What happened to it as a draft is not this side's: it was written when it was sent.
                Some(sent) if rev < sent.rev && at.field == FieldName::Presence => None,
                Some(sent) if rev < sent.rev => {
                    Some(Register::Value { value, rev: sent.rev, by: sent.by, at_ms: sent.at_ms })
                }
                Some(_) | None => Some(Register::Value {
                    value: value.map(|value| shown(at, value)),
                    rev,
                    by,
                    at_ms,
                }),
            },
        }
    }
}

/// Why a row was removed is said among the team.
fn shown(at: &Address, value: Value) -> Value {
    match (at.field, value.read::<Presence>()) {
        (FieldName::Presence, Some(Presence::Removed { reason: _ })) => {
            Value::trusted(&Presence::Removed { reason: String::new() })
        }
        _ => value,
    }
}
