//! Values of a row in the allergy list.

use serde::{Deserialize, Serialize};

use crate::value::{Check, Code, ValueError, short};

/// Substance and reaction belong together: one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Allergy {
    /// "penicillin".
    pub substance: String,
    /// As the chart coded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub code: Option<Code>,
    /// "hives", "swelling of the face".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<String>>"))]
    pub reactions: Vec<String>,
    /// How bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub severity: Option<AllergySeverity>,
    /// Who said so: "chart", "patient".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub source: String,
}

/// FHIR `AllergyIntolerance.reaction.severity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum AllergySeverity {
    /// Mild.
    Mild,
    /// Moderate.
    Moderate,
    /// Severe.
    Severe,
}

/// What is known about allergies as a whole. Absent is not negative: an empty list says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum AllergyStatement {
    /// Nobody asked yet.
    Unknown,
    /// Asked: none known.
    NoKnown,
    /// Asked: see the list.
    Listed,
}

impl Check for AllergyStatement {}

impl Check for Allergy {
    fn check(&self) -> Result<(), ValueError> {
        short("substance", &self.substance, 1, 200)?;
        short("source", &self.source, 0, 100)?;
        if self.reactions.len() > 20 {
            return Err(ValueError::OutOfRange { path: "reactions" });
        }
        self.reactions.iter().try_for_each(|reaction| short("reactions", reaction, 1, 200))
    }
}
