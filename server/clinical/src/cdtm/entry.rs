//! Entries of an agreement, and the acts they come from.

use serde::{Deserialize, Serialize};

use super::day::Day;
use super::template::{Gap, Template};
use super::terms::Terms;
use crate::actor::{Millis, Role};
use crate::id::{EntryId, PersonId, RowId};
use crate::phi::Phi;
use crate::recommendation::RecommendedAction;
use crate::value::ValueError;
use crate::version::Sha256Hex;

/// What somebody does with an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementAct"))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Writes the terms, whole.
    Draft {
        /// The terms.
        #[cfg_attr(feature = "typescript", ts(type = "Terms"))]
        terms: Box<Phi<Terms>>,
    },
    /// Signs them as they stand.
    Sign,
    /// The patient's answer.
    Consent {
        /// The answer.
        answer: ConsentAnswer,
        /// How it was given. Yes is given in writing.
        method: ConsentMethod,
        /// The patient's name as they wrote it; else who heard or saw it.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        name: Phi<String>,
        /// Explicitly: another drug may take the place of one they have.
        substitution: bool,
        /// In which language they read it: "es".
        language: String,
    },
    /// Notes the registration with the Board.
    Register {
        /// As the Board wrote it.
        number: String,
        /// The last day it holds.
        expires: Day,
    },
    /// A status report to the physician.
    Report {
        /// What it says.
        #[cfg_attr(feature = "typescript", ts(type = "StatusReport"))]
        report: Phi<StatusReport>,
    },
    /// The physician's review.
    Review {
        /// Whether it goes on. If not, it ends today.
        goes_on: bool,
        /// In the physician's words.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        note: Phi<String>,
    },
    /// Ends it.
    Revoke {
        /// Why.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        reason: Phi<String>,
    },
}

/// The names of what may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementActName"))]
#[serde(rename_all = "snake_case")]
pub enum ActName {
    /// Write the terms.
    Draft,
    /// Sign.
    Sign,
    /// Say yes or no, or take it back; or note that the patient did.
    Consent,
    /// Note the registration.
    Register,
    /// Write a status report.
    Report,
    /// Review.
    Review,
    /// End it.
    Revoke,
}

impl ActName {
    /// Every name.
    pub const ALL: [Self; 7] = [
        Self::Draft,
        Self::Sign,
        Self::Consent,
        Self::Register,
        Self::Report,
        Self::Review,
        Self::Revoke,
    ];
}

impl Act {
    /// Whether it means the same whatever was written since its author looked: an end, a no.
    pub const fn holds_whatever_came_before(&self) -> bool {
        match self {
            Self::Consent { answer, .. } => match answer {
                ConsentAnswer::Declined | ConsentAnswer::Withdrawn => true,
                ConsentAnswer::Given => false,
            },
            Self::Revoke { .. } => true,
            Self::Draft { .. }
            | Self::Sign
            | Self::Register { .. }
            | Self::Report { .. }
            | Self::Review { .. } => false,
        }
    }

    /// Its name.
    pub const fn name(&self) -> ActName {
        match self {
            Self::Draft { .. } => ActName::Draft,
            Self::Sign => ActName::Sign,
            Self::Consent { .. } => ActName::Consent,
            Self::Register { .. } => ActName::Register,
            Self::Report { .. } => ActName::Report,
            Self::Review { .. } => ActName::Review,
            Self::Revoke { .. } => ActName::Revoke,
        }
    }
}

/// The patient's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ConsentAnswer {
    /// Yes.
    Given,
    /// No.
    Declined,
    /// Not any more.
    Withdrawn,
}

/// How an answer was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementConsentMethod"))]
#[serde(rename_all = "snake_case")]
pub enum ConsentMethod {
    /// By the patient, on the screen.
    Screen,
    /// On paper, seen by who notes it.
    Paper,
    /// Aloud, heard by who notes it. Never a yes.
    Spoken,
}

/// What a status report says. All four are asked; "none" is an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct StatusReport {
    /// Problems.
    pub problems: String,
    /// Complications.
    pub complications: String,
    /// Whether the patient takes what was agreed.
    pub adherence: String,
    /// What was done.
    pub actions: String,
}

/// One entry, in the order of the agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Made by the client.
    pub id: EntryId,
    /// Who; `None` is the server, which notes that a term is over.
    pub by: Option<PersonId>,
    /// In which role.
    pub role: Option<Role>,
    /// Their name then.
    pub name: Phi<String>,
    /// When.
    pub at_ms: Millis,
    /// The day, where the practice is.
    pub day: Day,
    /// What.
    pub deed: Deed,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Deed {
    /// Terms were written.
    Drafted {
        /// All of them.
        terms: Box<Phi<Terms>>,
    },
    /// The physician signed, under these rules.
    SignedPhysician {
        /// A copy of the rules.
        template: Box<Template>,
        /// Of the terms as JSON (RFC 8785).
        sha256: Sha256Hex,
    },
    /// The pharmacist signed the same.
    SignedPharmacist {
        /// Of the terms.
        sha256: Sha256Hex,
    },
    /// The patient answered.
    Consented {
        /// The answer.
        answer: ConsentAnswer,
        /// How.
        method: ConsentMethod,
        /// As written, or who heard it.
        name: Phi<String>,
        /// Substitution allowed.
        substitution: bool,
        /// Language of the text.
        language: String,
    },
    /// The registration was noted.
    Registered {
        /// Number.
        number: String,
        /// Last day.
        expires: Day,
    },
    /// A report was written.
    Reported {
        /// What it says.
        report: Phi<StatusReport>,
    },
    /// It was reviewed.
    Reviewed {
        /// Whether it goes on.
        goes_on: bool,
        /// Words.
        note: Phi<String>,
    },
    /// It was ended.
    Revoked {
        /// Why.
        reason: Phi<String>,
    },
    /// Something was done under it.
    Acted {
        /// The recommendation.
        recommendation: RowId,
        /// What.
        action: RecommendedAction,
        /// With which medicine; empty for none.
        drug: Phi<String>,
        /// The recommendation in one line.
        summary: Phi<String>,
    },
    /// Its last day was over.
    Expired,
}

/// Why an act was refused. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementRefusal"))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// It is another physician's or another pharmacist's.
    #[error("not yours")]
    NotYours,
    /// Not in this state: signed already, or not yet.
    #[error("not now")]
    NotNow,
    /// It has ended.
    #[error("it has ended")]
    Over,
    /// Somebody was first; look again.
    #[error("changed since it was seen")]
    ChangedSince,
    /// Something is missing.
    #[error("not complete")]
    NotComplete {
        /// What.
        gaps: Vec<Gap>,
    },
    /// No rules of this jurisdiction hold today.
    #[error("no template")]
    NoTemplate,
    /// A yes is given in writing, by the patient or on paper.
    #[error("not in writing")]
    NotInWriting,
    /// A value breaks a rule.
    #[error("{field} cannot be so")]
    BadValue {
        /// Which.
        field: String,
    },
    /// No more entries.
    #[error("full")]
    Full,
}

impl From<ValueError> for Refusal {
    fn from(error: ValueError) -> Self {
        let field = match error {
            ValueError::Shape => "",
            ValueError::Length { path, .. }
            | ValueError::OutOfRange { path }
            | ValueError::ControlCharacter { path } => path,
        };
        Self::BadValue { field: field.to_owned() }
    }
}
