//! Values of a row in the condition list. A condition is a diagnosis; a medication therapy problem is a `problem`.

use serde::{Deserialize, Serialize};

use crate::value::{Check, Code, PartialDate, ValueError, short};

/// A diagnosis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// "Hypertension".
    pub text: String,
    /// As the chart coded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub code: Option<Code>,
    /// FHIR `Condition.clinicalStatus`, in two words.
    pub status: ConditionStatus,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub onset: Option<PartialDate>,
}

/// Whether it still matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ConditionStatus {
    /// Present.
    Active,
    /// Past, resolved or in remission.
    Inactive,
}

impl Check for Condition {
    fn check(&self) -> Result<(), ValueError> {
        short("text", &self.text, 1, 200)
    }
}
