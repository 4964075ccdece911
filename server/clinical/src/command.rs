//! Decisions about the record: checked for authority, audited, never queued offline, never a conflict.

use serde::{Deserialize, Serialize};

use crate::id::RowId;
use crate::medication::{Product, Sig};
use crate::phi::Phi;
use crate::receipt::{ReceiptForm, Recipient};
use crate::recommendation::{DecisionOutcome, DeclineReason};
use crate::value::PartialDate;

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
    /// The primary care provider has read the signed plan.
    Acknowledge {
        /// Which version was on the screen.
        version: u32,
    },
    /// The patient's word to the signed plan.
    AnswerPlan {
        /// Which version was on the screen.
        version: u32,
        /// What they want to ask first, empty to ask it aloud; without it they agree.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional, type = "string"))]
        questions: Option<Phi<String>>,
    },
    /// Somebody was given the signed plan.
    HandOn {
        /// Which version.
        version: u32,
        /// To whom.
        to: Recipient,
        /// Their name, where the word alone does not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional, type = "string"))]
        name: Option<Phi<String>>,
        /// In which form.
        how: ReceiptForm,
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
        /// Write the answer into the medication list with the same stroke.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional, type = "ListUpdate"))]
        list: Option<Box<Phi<ListUpdate>>>,
    },
    /// It is on the screen of whom it is addressed to.
    MarkSeen {
        /// Row of the recommendation list.
        row: RowId,
    },
    /// Take a recommendation back that nobody has answered yet.
    WithdrawRecommendation {
        /// Row of the recommendation list.
        row: RowId,
        /// Why.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        reason: Phi<String>,
    },
    /// What was accepted was carried out: ordered, stopped, taught.
    Implemented {
        /// Row of the recommendation list.
        row: RowId,
        /// How; may be empty.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        note: Phi<String>,
    },
    /// Carry a recommendation out under the collaborative agreement it names. What the agreement does not allow is sent
    /// to its physician instead, with the reasons.
    ActUnderAgreement {
        /// Row of the recommendation list.
        row: RowId,
        /// How; may be empty.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        note: Phi<String>,
        /// What the medication list needs; none for a test.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional, type = "ListUpdate"))]
        list: Option<Box<Phi<ListUpdate>>>,
    },
    /// The patient really takes or does it so.
    Verified {
        /// Row of the recommendation list.
        row: RowId,
        /// How that is known; may be empty.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        note: Phi<String>,
    },
}

impl Command {
    /// The recommendation it answers, where only whom it is addressed to may give it.
    pub const fn for_addressee(&self) -> Option<RowId> {
        match self {
            Self::Decide { row, .. } | Self::MarkSeen { row } => Some(*row),
            Self::Share
            | Self::SendRecommendation { .. }
            | Self::Addend { .. }
            | Self::Acknowledge { .. }
            | Self::AnswerPlan { .. }
            | Self::HandOn { .. }
            | Self::Revise { .. }
            | Self::WithdrawRecommendation { .. }
            | Self::Implemented { .. }
            | Self::ActUnderAgreement { .. }
            | Self::Verified { .. } => None,
        }
    }

    /// Whether it writes into the medication list.
    pub const fn writes_list(&self) -> bool {
        matches!(
            self,
            Self::Decide { list: Some(_), .. } | Self::ActUnderAgreement { list: Some(_), .. }
        )
    }
}

/// What an accepted recommendation needs beside its own words to be written into the medication list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct ListUpdate {
    /// The day it begins or ends, where the decider is.
    pub day: PartialDate,
    /// Id of the row of a medicine that is started, made by the client.
    pub row: RowId,
    /// The medicine that is started: a recommendation names it in prose only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub product: Option<Product>,
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
    /// It is addressed to somebody else.
    #[error("addressed to somebody else")]
    NotAddressee,
    /// The plan was signed: it takes the decision, and not the change of the list.
    #[error("the plan was signed")]
    Sealed,
    /// What it would write holds two values at once.
    #[error("the register is in conflict")]
    InConflict,
    /// The list is full.
    #[error("the list is full")]
    ListFull,
    /// There is no signed version it could be about.
    #[error("not signed")]
    NotSigned,
    /// A visit is booked for it: that one is moved, or cancelled first.
    #[error("a visit is booked already")]
    AlreadyBooked,
    /// No visit is booked for it, or another than the one that was named.
    #[error("that visit is not booked for it")]
    NotBooked,
    /// Its hour has not come.
    #[error("it is yet to come")]
    YetToCome,
}
