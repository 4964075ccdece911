//! Values of a touchpoint: an agreed follow-up.

use serde::{Deserialize, Serialize};

use crate::actor::Role;
use crate::value::{Check, PartialDate, ValueError, each_once, short};

/// What, when, how and with whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Touchpoint {
    /// "Check blood pressure readings".
    pub purpose: String,
    /// "Tuesday 10 March, 10:00", "in two weeks".
    pub when: String,
    /// The day or month it is due, so that a missed one is noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub due: Option<PartialDate>,
    /// "every two weeks"; empty: once.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub frequency: String,
    /// By which way.
    pub format: TouchpointFormat,
    /// Who takes part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<Role>>"))]
    pub members: Vec<Role>,
}

/// The way the patient prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum TouchpointFormat {
    /// Video visit.
    Video,
    /// Phone call.
    Phone,
    /// At the clinic.
    InPerson,
    /// A message.
    Message,
}

impl Check for Touchpoint {
    fn check(&self) -> Result<(), ValueError> {
        short("purpose", &self.purpose, 1, 200)?;
        short("when", &self.when, 1, 100)?;
        short("frequency", &self.frequency, 0, 100)?;
        each_once("members", &self.members)
    }
}
