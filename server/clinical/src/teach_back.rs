//! Values of a teach-back: the patient says a key message in own words, and what came of it is kept. Never edited.

use serde::{Deserialize, Serialize};

use crate::id::RowId;
use crate::value::{Check, ValueError, short};

/// One message, said back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct TeachBack {
    /// The medicine or the to-do it is about: a row of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub about: Option<RowId>,
    /// "Take the water pill in the morning."
    pub message: String,
    /// How it went.
    pub result: TeachBackResult,
}

/// How a teach-back went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum TeachBackResult {
    /// Said back right.
    Understood,
    /// Right after it was said again in other words.
    ReExplained,
    /// Not yet: to be taken up again.
    NeedsFollowUp,
}

impl Check for TeachBack {
    fn check(&self) -> Result<(), ValueError> {
        short("message", &self.message, 1, 300)
    }
}
