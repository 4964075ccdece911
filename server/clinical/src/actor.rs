//! Who acts, and when. What a role *may* do stands in `signaling::role`, never here.

use serde::{Deserialize, Serialize};

use crate::id::{CallId, PersonId, SeatId};

/// The role of a seat. A seat has exactly one. In the order of the design's table, not of importance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person the record is about.
    Patient,
    /// A relative or proxy of the patient.
    Caregiver,
    /// Media only, no record.
    Interpreter,
    /// Leads the consult, owns and signs the plan.
    Pharmacist,
    /// Primary care provider; decides recommendations.
    Pcp,
    /// Nurse, medical assistant or care manager.
    Nurse,
    /// Community health worker, home-care worker.
    Chw,
    /// Asked in for one patient, or an ECHO expert.
    Specialist,
    /// Runs an ECHO session.
    Facilitator,
    /// Attends an ECHO session from a spoke.
    Learner,
    /// Listens when everybody agreed.
    Observer,
}

impl Role {
    /// Every role, for tables that must be total.
    pub const ALL: [Self; 11] = [
        Self::Patient,
        Self::Caregiver,
        Self::Interpreter,
        Self::Pharmacist,
        Self::Pcp,
        Self::Nurse,
        Self::Chw,
        Self::Specialist,
        Self::Facilitator,
        Self::Learner,
        Self::Observer,
    ];
}

/// Wall-clock time in milliseconds since 1970-01-01 UTC. Shown to people; nothing is ever ordered by it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct Millis(pub i64);

/// Milliseconds since a call began, on its owner's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct CallTime {
    /// The call.
    pub call: CallId,
    /// Since its start.
    pub ms: u64,
}

/// A seated person who edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Who.
    pub person: PersonId,
    /// From which seat.
    pub seat: SeatId,
    /// In which role.
    pub role: Role,
}

/// Who made a change: a seated person, or the import of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Author {
    /// Read from a chart; nobody in the room said it.
    Import,
    /// Typed or decided by a person.
    Seat(Actor),
}

impl Author {
    /// The person, unless it was an import.
    pub const fn person(&self) -> Option<PersonId> {
        match self {
            Self::Import => None,
            Self::Seat(actor) => Some(actor.person),
        }
    }
}
