//! What a document accepted. The log of changes is the record: it lives for ten years.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::actor::{Author, CallTime, Millis};
use crate::bytes::Base64;
use crate::field::{Address, FieldName, ListName};
use crate::id::{EditId, PersonId, RowId};
use crate::phi::Phi;
use crate::register::Candidate;
use crate::value::Value;

/// One accepted change. Folding changes in order of `seq` gives the document, here and in the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Change {
    /// Place in the document's order, from 1, without gaps in the log. A projection may skip some.
    pub seq: u64,
    /// The edit or command it answers.
    pub edit: EditId,
    /// When the server took it.
    pub at_ms: Millis,
    /// When it was typed, if it waited on a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub typed_ms: Option<Millis>,
    /// Who.
    pub by: Author,
    /// At which moment of which call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub call: Option<CallTime>,
    /// What.
    pub what: What,
    /// It changed a field of a row whose removal its author had not seen: the row's presence is in conflict now, with
    /// these values. Empty on the patient's side of `plan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub contested: Option<Vec<Candidate>>,
}

impl Change {
    /// What it did to one field, for that field's history: other fields it set at the same time are left out, and so
    /// are the updates of a text (they are not words; who typed, and when, is). `None` if it did nothing to it.
    pub fn about(&self, at: &Address) -> Option<Self> {
        let presence = at.field == FieldName::Presence;
        let its_row = presence && at.row.is_some() && self.what.row() == at.row;
        let what = match &self.what {
            What::Set { at: its, .. }
            | What::Agreed { at: its }
            | What::Conflicted { at: its, .. }
            | What::Resolved { at: its, .. }
            | What::Reviewed { at: its } => (its == at).then(|| self.what.clone()),
            What::Text { at: its, update: _, merged } => (its == at).then(|| What::Text {
                at: *its,
                update: Base64(Vec::new()),
                merged: merged.clone(),
            }),
            What::Added { list, row, after, values } => {
                let values: BTreeMap<_, _> = values
                    .iter()
                    .filter(|(field, _)| at.row == Some(*row) && **field == at.field)
                    .map(|(field, value)| (*field, value.clone()))
                    .collect();
                (its_row || !values.is_empty()).then_some(What::Added {
                    list: *list,
                    row: *row,
                    after: *after,
                    values,
                })
            }
            What::Tombstoned { .. } | What::Restored { .. } => its_row.then(|| self.what.clone()),
            What::Moved { .. } => None,
            What::Decided { decision, sets, added } => {
                let sets: Vec<_> = sets.iter().filter(|set| set.at == *at).cloned().collect();
                let born = |place: &&RowPlace| presence && at.row == Some(place.row);
                let added: Vec<_> = added.iter().filter(born).copied().collect();
                (!sets.is_empty() || !added.is_empty()).then_some(What::Decided {
                    decision: *decision,
                    sets,
                    added,
                })
            }
        };
        // It put the row's presence in doubt, whatever field it was about.
        let contested = self.contested.clone().filter(|_| its_row);
        let what = what.or_else(|| {
            contested.clone().map(|candidates| What::Conflicted { at: *at, candidates })
        })?;
        Some(Self { what, contested, ..self.clone() })
    }
}

impl What {
    /// A decision that adds no row.
    pub(crate) const fn decided(decision: DecisionKind, sets: Vec<FieldSet>) -> Self {
        Self::Decided { decision, sets, added: Vec::new() }
    }

    /// The row it is about, if it is about one.
    pub fn row(&self) -> Option<RowId> {
        match self {
            Self::Set { at, .. }
            | Self::Agreed { at }
            | Self::Conflicted { at, .. }
            | Self::Resolved { at, .. }
            | Self::Text { at, .. }
            | Self::Reviewed { at } => at.row,
            Self::Added { row, .. }
            | Self::Tombstoned { row, .. }
            | Self::Restored { row }
            | Self::Moved { row, .. } => Some(*row),
            Self::Decided { sets, .. } => sets.iter().find_map(|set| set.at.row),
        }
    }
}

/// The kinds of change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A register was set.
    Set {
        /// Which.
        at: Address,
        /// What it said before.
        before: Option<Value>,
        /// What it says now.
        after: Option<Value>,
    },
    /// Somebody wrote what already stood there. Nothing moves; that two people agree is worth keeping.
    Agreed {
        /// Which register.
        at: Address,
    },
    /// Two wrote at once.
    Conflicted {
        /// Which register.
        at: Address,
        /// Every value of the conflict now. Empty on the patient's side of `plan`.
        candidates: Vec<Candidate>,
    },
    /// Somebody ended a conflict.
    Resolved {
        /// Which register.
        at: Address,
        /// What it says now.
        after: Option<Value>,
    },
    /// A row was added.
    Added {
        /// To which list.
        list: ListName,
        /// The row.
        row: RowId,
        /// Below which; `null` is the top.
        after: Option<RowId>,
        /// Its first values.
        #[cfg_attr(feature = "typescript", ts(type = "{ [key in FieldName]?: Value }"))]
        values: BTreeMap<FieldName, Value>,
    },
    /// A row was taken out.
    Tombstoned {
        /// Which.
        row: RowId,
        /// Why.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        reason: Phi<String>,
    },
    /// A row was brought back.
    Restored {
        /// Which.
        row: RowId,
    },
    /// A row stands elsewhere.
    Moved {
        /// Which.
        row: RowId,
        /// Below which; `null` is the top.
        after: Option<RowId>,
    },
    /// A narrative text changed.
    Text {
        /// Which.
        at: Address,
        /// Yjs update, v1 encoding, as it came.
        update: Base64,
        /// Set if it was merged with others' typing so that somebody should read it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        merged: Option<Merged>,
    },
    /// Somebody read a merged text.
    Reviewed {
        /// Which text.
        at: Address,
    },
    /// A command was carried out: these command fields (and, on acceptance, registers) say this now.
    Decided {
        /// What was decided, in one word for the history.
        decision: DecisionKind,
        /// What it set.
        sets: Vec<FieldSet>,
        /// Rows it added, before anything was set on them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<RowPlace>>"))]
        added: Vec<RowPlace>,
    },
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct RowPlace {
    /// In which list.
    pub list: ListName,
    /// The row.
    pub row: RowId,
    /// Below which; `null` is the top.
    pub after: Option<RowId>,
}

/// One field set by a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct FieldSet {
    /// Which.
    pub at: Address,
    /// What it says now.
    pub value: Option<Value>,
}

/// The kinds of decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// The plan was shared with the patient.
    Shared,
    /// A recommendation was sent.
    RecommendationSent,
    /// It was on the screen of whom it is addressed to.
    RecommendationSeen,
    /// A recommendation was answered.
    RecommendationDecided,
    /// It was carried out.
    RecommendationImplemented,
    /// The patient does so.
    RecommendationVerified,
    /// It was taken back before it was answered.
    RecommendationWithdrawn,
    /// It was carried out under a collaborative agreement.
    AgreementActed,
    /// The agreement does not allow it: it was sent to the physician instead.
    AgreementRefused,
    /// The plan was signed.
    Signed,
    /// A late fact was added beside a signed version.
    Addended,
    /// The primary care provider has read a signed version.
    PlanAcknowledged,
    /// The patient said something to a signed version.
    PlanAnswered,
    /// Somebody was given a signed version.
    PlanHandedOn,
    /// A signed plan was opened again.
    RevisionOpened,
    /// A visit was booked for a touchpoint.
    TouchpointBooked,
    /// Another time took the place of the booked one.
    TouchpointMoved,
    /// The visit booked for it was cancelled.
    TouchpointUnbooked,
    /// It took place.
    TouchpointDone,
    /// It did not.
    TouchpointMissed,
    /// It is not needed any more.
    TouchpointCancelled,
    /// What was said of it last does not hold any more.
    TouchpointReopened,
}

/// Who else was typing when a merge changed a number, or came late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Merged {
    /// The others.
    pub with: Vec<PersonId>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::register::Candidate;

    fn row(n: u128) -> RowId {
        RowId(Uuid::from_u128(n))
    }

    fn change(what: What) -> Change {
        let edit = EditId(Uuid::from_u128(9));
        let by = Author::Import;
        Change {
            seq: 1,
            edit,
            at_ms: Millis(1),
            typed_ms: None,
            by,
            call: None,
            what,
            contested: None,
        }
    }

    fn text(text: &str) -> Value {
        Value::trusted(&json!(text))
    }

    #[test]
    fn a_history_holds_what_was_done_to_one_field_and_nothing_of_its_neighbours() {
        let sig = Address { row: Some(row(1)), field: FieldName::MedsSig };
        let other = Address { row: Some(row(2)), field: FieldName::MedsSig };
        let values = BTreeMap::from([
            (FieldName::MedsSig, text("1 tablet")),
            (FieldName::MedsIndication, text("a neighbour")),
        ]);
        let added = change(What::Added { list: ListName::Meds, row: row(1), after: None, values });

        let What::Added { values, .. } = added.about(&sig).expect("its first value").what else {
            panic!("still an addition")
        };
        assert_eq!(values.into_keys().collect::<Vec<_>>(), [FieldName::MedsSig]);
        assert!(added.about(&other).is_none());

        let set = |at| change(What::Set { at, before: None, after: Some(text("2 tablets")) });
        assert!(set(sig).about(&sig).is_some());
        assert!(set(other).about(&sig).is_none());
        let sets = vec![FieldSet { at: sig, value: None }, FieldSet { at: other, value: None }];
        let decided = change(What::decided(DecisionKind::RecommendationDecided, sets));
        let What::Decided { sets, .. } = decided.about(&sig).expect("set by a decision").what
        else {
            panic!("still a decision")
        };
        assert_eq!(sets.len(), 1);
        let moved = change(What::Moved { row: row(1), after: None });
        assert!(moved.about(&sig).is_none());
    }

    #[test]
    fn a_row_has_a_history_of_its_own_and_texts_give_no_updates_away() {
        let presence = Address { row: Some(row(1)), field: FieldName::Presence };
        let reason = Phi::new("stands twice".to_owned());
        let removed = change(What::Tombstoned { row: row(1), reason });
        assert!(removed.about(&presence).is_some());
        assert!(removed.about(&Address { field: FieldName::MedsSig, ..presence }).is_none());

        // A change of another field that put the row in doubt is told as the doubt.
        let at = Address { row: Some(row(1)), field: FieldName::MedsIndication };
        let what = What::Set { at, before: None, after: Some(text("pain")) };
        let candidates = Vec::<Candidate>::new();
        let contested = Change { contested: Some(candidates), ..change(what) };
        let told = contested.about(&presence).expect("the doubt");
        assert!(matches!(told.what, What::Conflicted { .. }), "{told:?}");

        let at = Address { row: None, field: FieldName::Note };
        let update = Base64(vec![1, 2, 3]);
        let typed = change(What::Text { at, update, merged: None });
        let What::Text { update, .. } = typed.about(&at).expect("typing").what else {
            panic!("still a text")
        };
        assert!(update.0.is_empty());
    }
}
