//! Kinds of visit and their policy.

use serde::{Deserialize, Serialize};

use crate::Role;

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

/// How a role comes into a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Straight in.
    Enters,
    /// Through the waiting room: nothing of the call reaches the seat before somebody admits it.
    Waits,
    /// Not in this kind of visit, whatever is configured.
    Refused,
}

impl VisitKind {
    /// Every kind, for tables that must be total.
    pub const ALL: [Self; 5] =
        [Self::InitialConsult, Self::FollowUp, Self::Huddle, Self::Echo, Self::Curbside];

    /// How a role comes in. The patient's side is refused where teams talk about patients.
    pub const fn entry(self, role: Role) -> Entry {
        match (self, role) {
            (
                Self::InitialConsult | Self::FollowUp,
                Role::Patient | Role::Caregiver | Role::Interpreter | Role::Observer,
            ) => Entry::Waits,
            (
                Self::InitialConsult | Self::FollowUp,
                Role::Pharmacist | Role::Pcp | Role::Nurse | Role::Chw | Role::Specialist,
            ) => Entry::Enters,
            // An ECHO session has its own calls.
            (Self::InitialConsult | Self::FollowUp, Role::Facilitator | Role::Learner) => {
                Entry::Refused
            }
            (
                Self::Huddle | Self::Curbside,
                Role::Pharmacist | Role::Pcp | Role::Nurse | Role::Chw | Role::Specialist,
            ) => Entry::Enters,
            (
                Self::Huddle | Self::Curbside,
                Role::Patient
                | Role::Caregiver
                | Role::Interpreter
                | Role::Facilitator
                | Role::Learner
                | Role::Observer,
            ) => Entry::Refused,
            (Self::Echo, Role::Patient | Role::Caregiver | Role::Interpreter) => Entry::Refused,
            (Self::Echo, Role::Learner | Role::Observer) => Entry::Waits,
            (
                Self::Echo,
                Role::Pharmacist
                | Role::Pcp
                | Role::Nurse
                | Role::Chw
                | Role::Specialist
                | Role::Facilitator,
            ) => Entry::Enters,
        }
    }

    /// Whether time in it may be billed. Team meetings and teaching never are.
    pub const fn has_billing_timer(self) -> bool {
        match self {
            Self::InitialConsult | Self::FollowUp => true,
            Self::Huddle | Self::Echo | Self::Curbside => false,
        }
    }

    /// Whether the one patient's record stands beside the call.
    pub const fn has_record(self) -> bool {
        match self {
            Self::InitialConsult | Self::FollowUp | Self::Curbside => true,
            Self::Huddle | Self::Echo => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patients_and_caregivers_are_refused_where_teams_talk_about_patients() {
        for kind in [VisitKind::Huddle, VisitKind::Echo, VisitKind::Curbside] {
            for role in [Role::Patient, Role::Caregiver] {
                assert_eq!(kind.entry(role), Entry::Refused, "{kind:?} {role:?}");
            }
        }
    }

    #[test]
    fn the_patients_side_never_enters_without_being_admitted() {
        for kind in VisitKind::ALL {
            for role in [Role::Patient, Role::Caregiver, Role::Interpreter, Role::Observer] {
                assert_ne!(kind.entry(role), Entry::Enters, "{kind:?} {role:?}");
            }
        }
    }
}
