//! Values of a task: something a member of the team is asked to do.

use serde::{Deserialize, Serialize};

use crate::value::{Check, PartialDate, ValueError, short};

/// What is asked of whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// "Fax the medication list to the cardiologist".
    pub title: String,
    /// A name or a role: "Sam Lee", "front desk".
    pub assignee: String,
    /// By when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub due: Option<PartialDate>,
}

impl Check for Task {
    fn check(&self) -> Result<(), ValueError> {
        short("title", &self.title, 1, 200)?;
        short("assignee", &self.assignee, 1, 100)
    }
}

/// FHIR `Task.status`, of which a team needs six.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Asked.
    Open,
    /// Taken on.
    Accepted,
    /// Begun.
    InProgress,
    /// Done.
    Done,
    /// Not taken on.
    Declined,
    /// No longer wanted.
    Cancelled,
}

impl Check for TaskStatus {}
