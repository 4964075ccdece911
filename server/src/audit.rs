//! The log of accesses: append-only, hash-chained. Who saw, decided or was refused what; ids only, no clinical text.
//!
//! `hash = SHA-256(hash before ‖ row as stored)`, over the sealed detail, so that destroying a patient's key leaves the
//! chain whole. One chain for each writing process, numbered without gaps; order is the number, never the clock. Only
//! the writer appends ([`crate::record::writer`]), the database refuses change and deletion, and [`verify`] finds what
//! was done past it.

mod store;

use clinical::actor::{Millis, Role};
use clinical::id::{PatientId, PersonId, VisitId};

use crate::store::StoreError;

pub use store::verify;
pub(crate) use store::{ALL, Chain};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed.
    Denied,
    /// It was allowed and did not work.
    Failed,
}

impl Outcome {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at_ms: Millis,
    /// Who; `None` is the server itself or an operator's command.
    pub person: Option<PersonId>,
    /// In which role.
    pub role: Option<Role>,
    /// For whom, if for somebody else.
    pub on_behalf_of: Option<PersonId>,
    /// What: "record.opened".
    pub action: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// Whose data.
    pub patient: Option<PatientId>,
    /// To what: an id, with its kind before it ("record:0192…").
    pub object: String,
    /// In which visit.
    pub visit: Option<VisitId>,
    /// Address, device, reason: sealed. Never clinical text.
    pub detail: Option<Vec<u8>>,
}

/// The name of a role in the log, the same as on the wire.
pub const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Patient => "patient",
        Role::Caregiver => "caregiver",
        Role::Interpreter => "interpreter",
        Role::Pharmacist => "pharmacist",
        Role::Pcp => "pcp",
        Role::Nurse => "nurse",
        Role::Chw => "chw",
        Role::Specialist => "specialist",
        Role::Facilitator => "facilitator",
        Role::Learner => "learner",
        Role::Observer => "observer",
    }
}

/// What [`verify`] walked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Chains.
    pub chains: u64,
    /// Rows.
    pub rows: u64,
}

/// The first thing that is wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A number is missing: rows were deleted or put elsewhere.
    #[error("chain {chain}: row {n} is missing")]
    Missing {
        /// Which chain.
        chain: String,
        /// The first number that is not there.
        n: i64,
    },
    /// A row does not build on the one before it.
    #[error("chain {chain}: row {n} does not follow the row before it")]
    Unlinked {
        /// Which chain.
        chain: String,
        /// Which row.
        n: i64,
    },
    /// A row is not what was written.
    #[error("chain {chain}: row {n} was changed")]
    Changed {
        /// Which chain.
        chain: String,
        /// Which row.
        n: i64,
    },
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests;
