//! Values of the patient's own part.

use serde::{Deserialize, Serialize};

use crate::id::RowId;
use crate::touchpoint::TouchpointFormat;
use crate::value::{Check, ValueError, short};

/// How the patient wants to be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct ContactPreference {
    /// By which way a follow-up is to take place.
    pub format: TouchpointFormat,
    /// "after 5 pm, never Sundays".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub times: String,
}

impl Check for ContactPreference {
    fn check(&self) -> Result<(), ValueError> {
        short("times", &self.times, 0, 200)
    }
}

/// What matters most to the patient: 1 first, 2, 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct Priority(pub u8);

impl Check for Priority {
    fn check(&self) -> Result<(), ValueError> {
        within("priority", self.0, 1, 3)
    }
}

/// How sure the patient is to manage it: 0 not at all, 10 entirely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct Confidence(pub u8);

impl Check for Confidence {
    fn check(&self) -> Result<(), ValueError> {
        within("confidence", self.0, 0, 10)
    }
}

fn within(path: &'static str, value: u8, least: u8, most: u8) -> Result<(), ValueError> {
    if (least..=most).contains(&value) { Ok(()) } else { Err(ValueError::OutOfRange { path }) }
}

/// How a patient proposes a change to the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct RemarkAbout {
    /// A row of the plan; none: the plan as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub row: Option<RowId>,
    /// What sort of remark.
    pub kind: RemarkKind,
}

impl Check for RemarkAbout {}

/// The sorts of remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum RemarkKind {
    /// Something to be explained.
    Question,
    /// Something that is not so.
    Correction,
    /// Something that could be otherwise.
    Idea,
}

/// What became of a remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum RemarkState {
    /// Waits for the team.
    Open,
    /// Taken up in the plan.
    TakenUp,
    /// Talked about; the plan stays as it is.
    TalkedAbout,
}

impl Check for RemarkState {}
