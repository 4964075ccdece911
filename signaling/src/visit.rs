//! Kinds of visit and their policy.

use serde::{Deserialize, Serialize};

/// What sort of visit a call belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum VisitKind {
    /// First comprehensive medication management consult.
    InitialConsult,
    /// Follow-up from home.
    FollowUp,
    /// Daily team meeting of a primary-care practice. No patient, ever.
    Huddle,
    /// Project-ECHO case conference. No patient, ever.
    Echo,
    /// Pharmacist and physician, five minutes.
    Curbside,
}
