//! Values of a goal.

use serde::{Deserialize, Serialize};

use crate::value::{Check, PartialDate, ValueError, short};

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
