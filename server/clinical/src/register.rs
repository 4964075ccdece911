//! The smallest thing two people can disagree about.

use serde::{Deserialize, Serialize};

use crate::actor::{Author, Millis};
use crate::id::EditId;
use crate::value::Value;

/// A value replaced whole, never merged. Written at once by two people it holds both until somebody chooses.
///
/// `rev` is the `seq` of the change that last set the register, or last altered the conflict: unique for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Register {
    /// Never written.
    #[default]
    Empty,
    /// Everybody sees this value; `None` is "cleared", which is a value like any other.
    Value {
        /// What it says.
        value: Option<Value>,
        /// Since which change.
        rev: u64,
        /// Who wrote it.
        by: Author,
        /// When.
        at_ms: Millis,
    },
    /// Written at once. Blocks sign-off until a `Resolve`. On the patient's side of `plan` it comes without its
    /// candidates: "not decided yet".
    Conflict {
        /// Of the change that last altered it.
        rev: u64,
        /// What was written, at most [`crate::limits::CANDIDATES`].
        candidates: Vec<Candidate>,
    },
}

/// One of the values of a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// What it says; `None` is "cleared".
    pub value: Option<Value>,
    /// Of the change that wrote it.
    pub rev: u64,
    /// Who wrote it.
    pub by: Author,
    /// When.
    pub at_ms: Millis,
    /// With which edit.
    pub edit: EditId,
}
