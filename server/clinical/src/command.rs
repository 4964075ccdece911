//! Decisions about the record: checked for authority, audited, never queued offline, never a conflict.

use serde::{Deserialize, Serialize};

use crate::id::RowId;
use crate::medication::Sig;
use crate::phi::Phi;
use crate::recommendation::{DecisionOutcome, DeclineReason};

/// What may be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Let patient and caregiver read the patient's side of the plan.
    Share,
    /// Send a recommendation to the prescriber. From then on its content is locked.
    SendRecommendation {
        /// Row of the recommendation list.
        row: RowId,
    },
    /// Add a late fact beside the signed version.
    Addend {
        /// What.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        text: Phi<String>,
    },
    /// Open the signed plan again. The signed version stays as it is.
    Revise {
        /// Why.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        reason: Phi<String>,
    },
    /// The prescriber's answer.
    Decide {
        /// Row of the recommendation list.
        row: RowId,
        /// The answer.
        outcome: DecisionOutcome,
        /// Taken instead, with `accepted_modified`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional, type = "Sig"))]
        regimen: Option<Phi<Sig>>,
        /// Needed with `declined`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        reason: Option<DeclineReason>,
        /// In own words.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        note: Phi<String>,
    },
}

/// Why a command was refused. The document is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum CommandError {
    /// No such row in that list.
    #[error("no such row")]
    UnknownRow,
    /// Somebody was first; what was decided stands in the document.
    #[error("already decided")]
    AlreadyDecided,
    /// It has not been sent.
    #[error("not sent yet")]
    NotSent,
    /// There is nothing to send yet, or its values are in conflict.
    #[error("not complete")]
    NotComplete,
    /// The row changed since the person looked at it.
    #[error("changed since it was seen")]
    ChangedSince,
    /// The answer breaks a rule: a decline without a reason.
    #[error("not a valid decision")]
    BadDecision,
    /// Something is missing before it may be signed: the gate says what.
    #[error("not ready to be signed")]
    NotReady,
    /// There is no signed version it could be about.
    #[error("not signed")]
    NotSigned,
}
