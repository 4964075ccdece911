//! Values of the plan as a whole.

use serde::{Deserialize, Serialize};

use crate::value::{Check, ValueError, short};

/// When the patient should call, and when it is an emergency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct WhenToCall {
    /// "If your ankles swell, call the clinic."
    pub call: String,
    /// "Chest pain that lasts 5 minutes: call 911."
    pub emergency: String,
}

impl Check for WhenToCall {
    fn check(&self) -> Result<(), ValueError> {
        short("call", &self.call, 0, 400)?;
        short("emergency", &self.emergency, 0, 400)
    }
}
