//! Values of a row in the immunization list.

use serde::{Deserialize, Serialize};

use crate::value::{Check, Code, PartialDate, ValueError, short};

/// One immunization given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Immunization {
    /// "Influenza, seasonal".
    pub vaccine: String,
    /// CVX, where the chart had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub code: Option<Code>,
    /// When it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub date: Option<PartialDate>,
}

impl Check for Immunization {
    fn check(&self) -> Result<(), ValueError> {
        short("vaccine", &self.vaccine, 1, 200)
    }
}
