//! Values of the plan as a whole.

use serde::{Deserialize, Serialize};

use crate::field::FieldName;
use crate::id::RowId;
use crate::value::{Check, PartialDate, ValueError, short};

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

/// How long the team works with the patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Duration {
    /// From.
    pub start: PartialDate,
    /// To, as planned.
    pub planned_end: PartialDate,
}

impl Check for Duration {
    fn check(&self) -> Result<(), ValueError> {
        // Text of dates sorts as time does; a month holds its days.
        let (start, end) = (self.start.as_str(), self.planned_end.as_str());
        if end < start && !start.starts_with(end) {
            Err(ValueError::OutOfRange { path: "planned_end" })
        } else {
            Ok(())
        }
    }
}

/// What a comment is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct CommentAbout {
    /// The row; none: a field of the plan as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub row: Option<RowId>,
    /// The field; none: the row as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub field: Option<FieldName>,
}

impl Check for CommentAbout {}
