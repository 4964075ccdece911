//! Values of a to-do: what the patient should do, in the patient's words.

use serde::{Deserialize, Serialize};

use crate::id::RowId;
use crate::value::{Check, ValueError, few_rows, short};

/// An instruction may hold a dose: replaced whole, never blended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Instruction {
    /// "Take your water pill in the morning, not at night."
    pub text: String,
    /// Medicines it is about: rows of the medication list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<RowId>>"))]
    pub med_ids: Vec<RowId>,
    /// "every morning", "by Friday".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub when: String,
}

impl Check for Instruction {
    fn check(&self) -> Result<(), ValueError> {
        short("text", &self.text, 1, 300)?;
        short("when", &self.when, 0, 100)?;
        few_rows("med_ids", &self.med_ids)
    }
}
