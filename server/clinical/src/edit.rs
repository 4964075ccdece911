//! What a client may ask of a document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bytes::Base64;
use crate::field::{Address, FieldName, ListName};
use crate::id::{EditId, RowId};
use crate::phi::Phi;

/// An edit: who sends it may write where it points (checked before), and says what they had seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Made by the client, unique in the document.
    pub id: EditId,
    /// What to do.
    pub op: Op,
    /// How long ago it was typed, when it waited on a device without a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub typed_ago_ms: Option<u64>,
}

/// The operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Set a register.
    Set {
        /// Which.
        at: Address,
        /// What the author had seen.
        base: Base,
        /// The new value; `null` clears.
        #[cfg_attr(feature = "typescript", ts(type = "unknown"))]
        value: Phi<Option<serde_json::Value>>,
    },
    /// End a conflict with one of its values, or another.
    Resolve {
        /// Which register.
        at: Address,
        /// `rev` of every candidate that was shown.
        seen: Vec<u64>,
        /// The chosen value; `null` clears.
        #[cfg_attr(feature = "typescript", ts(type = "unknown"))]
        value: Phi<Option<serde_json::Value>>,
    },
    /// Add a row with its first values.
    Add {
        /// To which list.
        list: ListName,
        /// Its id, made by the client.
        row: RowId,
        /// Below which row; `null` is the top.
        after: Option<RowId>,
        /// First values.
        #[cfg_attr(feature = "typescript", ts(type = "{ [key in FieldName]?: unknown }"))]
        values: BTreeMap<FieldName, Phi<serde_json::Value>>,
    },
    /// Take a row out, with a reason. It stays in the log.
    Tombstone {
        /// Which.
        row: RowId,
        /// The document's `seq` the author had folded.
        seen: u64,
        /// Why.
        reason: Phi<String>,
    },
    /// Bring it back.
    Restore {
        /// Which.
        row: RowId,
        /// The document's `seq` the author had folded.
        seen: u64,
    },
    /// Put it elsewhere in its list. Order has no clinical meaning: last one wins.
    Move {
        /// Which.
        row: RowId,
        /// Below which; `null` is the top.
        after: Option<RowId>,
    },
    /// Change a narrative text.
    Text {
        /// Which.
        at: Address,
        /// `seq` of the last change of this text the author had applied; 0 if none.
        base: u64,
        /// Yjs update, v1 encoding.
        update: Base64,
    },
    /// "I have read what the merge made."
    Reviewed {
        /// Which text.
        at: Address,
        /// Its `rev`.
        seen: u64,
    },
}

/// What the author of a `Set` had seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// The register at this revision; 0 for an empty one.
    Rev(u64),
    /// The author's own edit, not yet acknowledged: a fast typist need not wait.
    Mine(EditId),
}

/// Why an edit was refused. The document is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum EditError {
    /// Only `Resolve` ends a conflict.
    #[error("the register is in conflict")]
    InConflict,
    /// A candidate arrived meanwhile: look again, choose again.
    #[error("the conflict has changed since it was shown")]
    StaleResolution,
    /// The row was taken out, and the author knew.
    #[error("the row was removed")]
    RowRemoved,
    /// The field is closed to edits: a reading that stands, or a recommendation that was sent.
    #[error("closed to edits")]
    Locked,
    /// A visit is booked for this row, which would be nobody's: it is moved or cancelled first.
    #[error("a visit is booked for it")]
    Booked,
    /// The plan was signed.
    #[error("the plan was signed")]
    Sealed,
    /// A revision this register never had.
    #[error("no such revision")]
    BaseUnknown,
    /// The own edit this one builds on was refused.
    #[error("the edit it builds on was refused")]
    BaseRefused,
    /// Not what the field holds.
    #[error("not a value of this field")]
    BadValue,
    /// Past the limit.
    #[error("too long")]
    TooLong,
    /// Past the size a field may have with its history.
    #[error("too big")]
    TooBig,
    /// No such field or row here.
    #[error("no such address")]
    UnknownAddress,
    /// The row id is taken.
    #[error("the row exists")]
    RowExists,
    /// More than eight values at once.
    #[error("the conflict is full")]
    ConflictFull,
    /// The list is full.
    #[error("the list is full")]
    ListFull,
    /// Not a Yjs update.
    #[error("the text update does not decode")]
    TextBad,
    /// Written under a client id that was not given to this person.
    #[error("the text update names a foreign client")]
    TextForeignClient,
    /// Builds on updates that never arrived.
    #[error("the text update has a gap before it")]
    TextGap,
    /// Holds more than plain text.
    #[error("the text update holds more than plain text")]
    TextNotPlain,
}
