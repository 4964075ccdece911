//! Values of a medication therapy problem.

use serde::{Deserialize, Serialize};

use crate::id::RowId;
use crate::value::{Check, ValueError, few_rows, short};

/// Cipolle and Strand's seven categories, with monitoring and cost (the design's code system `mtp`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ProblemCategory {
    /// IND-ADD: needs additional therapy.
    NeedsTherapy,
    /// IND-UNN: unnecessary therapy.
    Unnecessary,
    /// EFF-INE: ineffective, a better drug is available.
    Ineffective,
    /// EFF-LOW: dose too low.
    DoseTooLow,
    /// SAF-ADR: adverse reaction, unsafe, interaction.
    AdverseReaction,
    /// SAF-HIGH: dose too high.
    DoseTooHigh,
    /// MON: needs monitoring.
    NeedsMonitoring,
    /// ADH: hard to take.
    Adherence,
    /// COST: costs too much.
    Cost,
}

impl Check for ProblemCategory {}

/// What the problem is about: the condition and the medicines. Why they do not fit is the text `problems.association`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct ProblemStatement {
    /// "high cholesterol".
    pub condition: String,
    /// Rows of the medication list.
    pub med_ids: Vec<RowId>,
}

impl Check for ProblemStatement {
    fn check(&self) -> Result<(), ValueError> {
        short("condition", &self.condition, 0, 200)?;
        few_rows("med_ids", &self.med_ids)
    }
}

/// FHIR `DetectedIssue.severity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// High.
    High,
    /// Moderate.
    Moderate,
    /// Low.
    Low,
}

impl Check for Severity {}

/// How soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Today.
    Today,
    /// This week.
    ThisWeek,
    /// At the next visit.
    NextVisit,
}

impl Check for Urgency {}

/// The sentence the patient reads about the problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct PlainText(pub String);

impl Check for PlainText {
    fn check(&self) -> Result<(), ValueError> {
        short("", &self.0, 0, 200)
    }
}

/// The readings a problem rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct Evidence(pub Vec<RowId>);

impl Check for Evidence {
    fn check(&self) -> Result<(), ValueError> {
        few_rows("evidence", &self.0)
    }
}

/// What became of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ProblemOutcome {
    /// It is gone.
    Resolved,
    /// Better.
    Improved,
    /// As it was.
    Unchanged,
    /// Worse.
    Worsened,
    /// It was none.
    Withdrawn,
}

impl Check for ProblemOutcome {}
