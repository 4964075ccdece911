//! Values of a goal.

use serde::{Deserialize, Serialize};

use crate::id::RowId;
use crate::value::{Check, PartialDate, ValueError, few_rows, short};

/// A number to reach, with its unit: one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct GoalTarget {
    /// "blood pressure".
    pub measure: String,
    /// "under 140/90 mm Hg".
    pub value: String,
    /// By when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub due: Option<PartialDate>,
}

impl Check for GoalTarget {
    fn check(&self) -> Result<(), ValueError> {
        short("measure", &self.measure, 1, 100)?;
        short("value", &self.value, 1, 100)
    }
}

/// Whose goal it is to work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum GoalOwner {
    /// The patient's.
    Patient,
    /// The team's.
    Team,
}

impl Check for GoalOwner {}

/// How far it is: FHIR `Goal.achievementStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Achievement {
    /// Being worked on.
    InProgress,
    /// Coming nearer.
    Improving,
    /// Going away from it.
    Worsening,
    /// No change.
    NoChange,
    /// Reached.
    Achieved,
    /// Reached, and kept.
    Sustaining,
    /// Not reached.
    NotAchieved,
    /// Not to be reached.
    NotAttainable,
}

impl Check for Achievement {}

/// The problems a goal answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct GoalProblems(pub Vec<RowId>);

impl Check for GoalProblems {
    fn check(&self) -> Result<(), ValueError> {
        few_rows("problems", &self.0)
    }
}
