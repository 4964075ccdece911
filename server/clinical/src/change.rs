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
    /// The plan was signed.
    Signed,
    /// A late fact was added beside a signed version.
    Addended,
    /// A signed plan was opened again.
    RevisionOpened,
}

/// Who else was typing when a merge changed a number, or came late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Merged {
    /// The others.
    pub with: Vec<PersonId>,
}
