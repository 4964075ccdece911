//! What became of a signed version with those whom it is for: who has it, in which form, and what they say to it.
//!
//! A receipt is about a version, not in it: it comes after the signature, changes no byte of what was signed, and the next
//! version begins without any.

use serde::{Deserialize, Serialize};

use crate::actor::Millis;
use crate::command::CommandError;
use crate::id::PersonId;
use crate::value::{Check, ValueError, short};

/// To how many it may be noted that a version was handed on: with all their names it stays a value of usual size.
pub const MOST_HANDED_ON: usize = 24;

/// Longest question to a plan, in characters.
const QUESTIONS: usize = 500;

/// Longest name of whom it was handed to.
const NAME: usize = 80;

/// One receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Of which version.
    pub of: u32,
    /// What.
    pub what: Reception,
    /// Who says so.
    pub by: PersonId,
    /// When.
    pub at_ms: Millis,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reception {
    /// The primary care provider has read it.
    Acknowledged,
    /// The patient, or who acts for them by law, agrees to it.
    Agreed,
    /// The patient has questions first.
    HasQuestions {
        /// In their words; may be empty, to be asked aloud.
        text: String,
    },
    /// Somebody gave it to somebody.
    HandedOn {
        /// To whom.
        to: Recipient,
        /// Their name, where the word alone does not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        name: Option<String>,
        /// In which form.
        how: ReceiptForm,
    },
}

/// Whom a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// The patient.
    Patient,
    /// Who cares for the patient.
    Caregiver,
    /// The primary care provider.
    Pcp,
    /// The pharmacy that dispenses.
    Pharmacy,
    /// Anybody else of the care team.
    CareTeam,
}

/// The form in which somebody got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ReceiptForm {
    /// On paper, by hand.
    Paper,
    /// By post.
    Post,
    /// By fax.
    Fax,
    /// As a file, into their own system.
    File,
    /// Read aloud to them.
    ReadAloud,
}

/// Receipts of the version in force, oldest first. Those of versions before it, and answers that were taken back, are in the
/// history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct Receipts(pub Vec<Receipt>);

impl Receipts {
    /// Takes another. The patient's newest answer takes the place of the one before.
    ///
    /// # Errors
    /// It stands there already, or it was handed on to too many. Nothing is changed.
    pub(crate) fn take(&mut self, receipt: Receipt) -> Result<(), CommandError> {
        let of = receipt.of;
        let mut standing = self.0.iter().filter(|before| before.of == of);
        if standing.any(|before| before.what == receipt.what) {
            return Err(CommandError::AlreadyDecided);
        }
        let handed_on = |what: &Reception| matches!(what, Reception::HandedOn { .. });
        let handed = self.0.iter().filter(|before| before.of == of && handed_on(&before.what));
        if handed_on(&receipt.what) && handed.count() >= MOST_HANDED_ON {
            return Err(CommandError::ListFull);
        }
        let replaces = receipt.what.is_answer();
        self.0.retain(|before| before.of == of && !(replaces && before.what.is_answer()));
        self.0.push(receipt);
        Ok(())
    }
}

impl Reception {
    /// Whether it is the patient's own word.
    pub const fn is_answer(&self) -> bool {
        matches!(self, Self::Agreed | Self::HasQuestions { .. })
    }
}

impl Check for Reception {
    fn check(&self) -> Result<(), ValueError> {
        match self {
            Self::Acknowledged | Self::Agreed | Self::HandedOn { name: None, .. } => Ok(()),
            Self::HasQuestions { text } => short("text", text, 0, QUESTIONS),
            Self::HandedOn { name: Some(name), .. } => short("name", name, 1, NAME),
        }
    }
}

impl Check for Receipts {
    fn check(&self) -> Result<(), ValueError> {
        // With one who has read it and one who answered.
        if self.0.len() > MOST_HANDED_ON + 2 {
            return Err(ValueError::OutOfRange { path: "receipts" });
        }
        self.0.iter().try_for_each(|receipt| receipt.what.check())
    }
}
