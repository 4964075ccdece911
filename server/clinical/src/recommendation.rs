//! Values of a recommendation: a proposed action on a problem, addressed to a prescriber.

use serde::{Deserialize, Serialize};

use crate::actor::Role;
use crate::cdtm::check::Reason;
use crate::cdtm::day::Day;
use crate::id::{AgreementId, PersonId, RowId};
use crate::medication::Sig;
use crate::value::{Check, ValueError, short};

/// What is proposed. A regimen is a whole sig.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct RecommendationContent {
    /// The problem it answers: a row of the problem list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub problem: Option<RowId>,
    /// What to do.
    pub action: RecommendedAction,
    /// To which medicine: a row of the medication list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub med: Option<RowId>,
    /// In one line: "Stop simvastatin. Start rosuvastatin 10 mg daily."
    pub summary: String,
    /// How it should be taken then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub regimen: Option<Sig>,
}

/// The kinds of action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum RecommendedAction {
    /// Start a medicine.
    Start,
    /// Stop it.
    Stop,
    /// Pause it.
    Hold,
    /// Another dose.
    ChangeDose,
    /// Another drug.
    ChangeDrug,
    /// Another form.
    ChangeForm,
    /// Another time of day.
    ChangeTime,
    /// Order a test.
    Monitor,
    /// Teach.
    Educate,
    /// A pill box, a reminder.
    AdherenceAid,
    /// To somebody else.
    Refer,
    /// A shot.
    Immunize,
    /// Keep as it is.
    NoChange,
}

impl Check for RecommendationContent {
    fn check(&self) -> Result<(), ValueError> {
        short("summary", &self.summary, 1, 300)?;
        self.regimen.as_ref().map_or(Ok(()), Check::check)
    }
}

/// Where the recommendation stands. Moved by commands only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum RecommendationState {
    /// Being written.
    Draft,
    /// With the prescriber.
    Sent,
    /// Taken as it is.
    Accepted,
    /// Taken, with another regimen or action.
    AcceptedModified,
    /// Not taken, with a reason.
    Declined,
    /// What was accepted was carried out.
    Implemented,
    /// The patient really does so.
    Verified,
    /// Taken back before it was answered.
    Withdrawn,
}

impl Check for RecommendationState {}

/// Where a recommendation stands for a reader on a given day: its state, and what follows from time and from other
/// rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Being written.
    Draft,
    /// With the prescriber.
    Sent,
    /// The prescriber had it on the screen.
    Seen,
    /// Nobody answered for [`NO_RESPONSE_MS`]. A late answer still counts.
    NoResponse,
    /// Taken as it is.
    Accepted,
    /// Taken with a change.
    AcceptedModified,
    /// Not taken.
    Declined,
    /// Carried out.
    Implemented,
    /// The patient does so.
    Verified,
    /// Taken back.
    Withdrawn,
    /// Another one was sent in its place before it was answered.
    Replaced,
}

/// Without an answer for so long after it was sent, a recommendation counts as unanswered, in milliseconds: 14 days.
/// Shorter nags prescribers who answer once a week, longer leaves patients waiting.
pub const NO_RESPONSE_MS: i64 = 14 * 24 * 60 * 60 * 1000;

/// What the prescriber decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Who decided.
    pub by: PersonId,
    /// How.
    pub outcome: DecisionOutcome,
    /// The regimen taken instead, with `AcceptedModified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub regimen: Option<Sig>,
    /// Why, with `Declined`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub reason: Option<DeclineReason>,
    /// In the prescriber's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub note: String,
    /// Set on an answer that came by a link and not from somebody who is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub by_link: Option<ByLink>,
}

/// How an answer came that nobody signed in gave: a link proves that somebody held it, and no more. So it is written as
/// what it is: by a link that one person made, answered by one who says to be another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct ByLink {
    /// Who made the link.
    pub made_by: PersonId,
    /// Who answered, in their own words: "Dr. Amy Chen".
    pub name: String,
    /// By what right, in their own words: "MD, NPI 1234567893".
    pub credential: String,
}

impl Check for ByLink {
    fn check(&self) -> Result<(), ValueError> {
        short("name", self.name.trim(), 1, 100)?;
        short("credential", self.credential.trim(), 1, 100)
    }
}

/// The three answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum DecisionOutcome {
    /// As proposed.
    Accepted,
    /// With a change.
    AcceptedModified,
    /// No.
    Declined,
}

/// Why a recommendation was declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// Sees it otherwise.
    ClinicalDisagreement,
    /// Already done.
    AlreadyAddressed,
    /// The patient does not want it.
    PatientPreference,
    /// Cost or coverage.
    CostCoverage,
    /// Wants to see the patient first.
    NeedsVisit,
    /// Another prescriber's medicine.
    NotPrescriber,
    /// Said in the note.
    Other,
}

impl Check for Decision {
    fn check(&self) -> Result<(), ValueError> {
        short("note", &self.note, 0, 300)?;
        self.by_link.as_ref().map_or(Ok(()), Check::check)?;
        match self.outcome {
            DecisionOutcome::Accepted if self.regimen.is_some() || self.reason.is_some() => {
                Err(ValueError::OutOfRange { path: "outcome" })
            }
            DecisionOutcome::Declined if self.reason.is_none() => {
                Err(ValueError::OutOfRange { path: "reason" })
            }
            DecisionOutcome::Accepted
            | DecisionOutcome::AcceptedModified
            | DecisionOutcome::Declined => self.regimen.as_ref().map_or(Ok(()), Check::check),
        }
    }
}

/// By whose authority it is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Authority {
    /// The prescriber decides.
    Recommend,
    /// The pharmacist carries it out under a collaborative agreement, where that allows it.
    UnderCdtm {
        /// Which.
        agreement: AgreementId,
    },
}

impl Check for Authority {}

/// What became of carrying it out under an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct UnderAgreement {
    /// Which.
    pub agreement: AgreementId,
    /// How many entries the agreement had when it was asked.
    pub entries: u32,
    /// The day it was asked, where the practice is: "2027-01-15".
    pub day: Day,
    /// Its physician; empty if there is no such agreement.
    pub physician: String,
    /// Its disease.
    pub condition: String,
    /// Why not; empty: it was carried out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<Reason>>"))]
    pub reasons: Vec<Reason>,
}

impl Check for UnderAgreement {
    fn check(&self) -> Result<(), ValueError> {
        short("physician", &self.physician, 0, 200)?;
        short("condition", &self.condition, 0, 200)?;
        if self.reasons.len() > 30 {
            return Err(ValueError::OutOfRange { path: "reasons" });
        }
        self.reasons.iter().try_for_each(Check::check)
    }
}

/// To whom a recommendation goes: who prescribes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Addressee {
    /// "Dr. Amy Chen".
    pub name: String,
    /// Who that is here; none: a prescriber elsewhere, reached by the one-page sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub person: Option<PersonId>,
    /// What kind of prescriber somebody elsewhere is. The record knows it of who has an account; of who is only named it
    /// is asked for, because the patient may not want specialists to see the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub role: Option<PrescriberRole>,
}

/// The two kinds of prescriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum PrescriberRole {
    /// Primary care provider.
    Pcp,
    /// Somebody the patient sees for one thing.
    Specialist,
}

impl PrescriberRole {
    /// As a role of the record.
    pub const fn role(self) -> Role {
        match self {
            Self::Pcp => Role::Pcp,
            Self::Specialist => Role::Specialist,
        }
    }
}

impl Check for Addressee {
    fn check(&self) -> Result<(), ValueError> {
        short("name", &self.name, 1, 100)
    }
}
