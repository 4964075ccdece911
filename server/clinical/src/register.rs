//! The smallest thing two people can disagree about.

use serde::{Deserialize, Serialize};

use crate::actor::{Author, Millis};
use crate::edit::EditError;
use crate::id::{EditId, PersonId};
use crate::limits::CANDIDATES;
use crate::value::Value;

/// A value replaced whole, never merged. Written at once by two people it holds both until somebody chooses.
///
/// `rev` is the `seq` of the change that last set the register, or last altered the conflict: unique for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Register {
    /// Never written.
    #[default]
    Empty,
    /// Everybody sees this value; `None` is "cleared", which is a value like any other.
    Value {
        /// What it says.
        value: Option<Value>,
        /// Since which change.
        rev: u64,
        /// Who wrote it.
        by: Author,
        /// When.
        at_ms: Millis,
    },
    /// Written at once. Blocks sign-off until a `Resolve`. On the patient's side of `plan` it comes without its
    /// candidates: "not decided yet".
    Conflict {
        /// Of the change that last altered it.
        rev: u64,
        /// What was written, at most [`crate::limits::CANDIDATES`].
        candidates: Vec<Candidate>,
    },
}

/// One of the values of a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// What it says; `None` is "cleared".
    pub value: Option<Value>,
    /// Of the change that wrote it.
    pub rev: u64,
    /// Who wrote it.
    pub by: Author,
    /// When.
    pub at_ms: Millis,
    /// With which edit.
    pub edit: EditId,
}

/// What the author of a value had seen of the register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// The register at this revision.
    pub(crate) rev: u64,
    /// Named by the author's own edit, which made that revision.
    pub(crate) own: Option<EditId>,
}

/// What becomes of a value.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It stands.
    Set,
    /// It stood already.
    Agreed,
    /// It stands beside others.
    Conflicted(Vec<Candidate>),
}

impl Register {
    /// The revision; 0 if it was never written.
    pub const fn rev(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Value { rev, .. } | Self::Conflict { rev, .. } => *rev,
        }
    }

    /// The value, if there is exactly one and it was not cleared.
    pub const fn value(&self) -> Option<&Value> {
        match self {
            Self::Value { value, .. } => value.as_ref(),
            Self::Empty | Self::Conflict { .. } => None,
        }
    }

    /// Whether it waits for somebody to choose.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Everybody who wrote what it holds.
    pub fn authors(&self) -> impl Iterator<Item = PersonId> {
        let (one, many) = match self {
            Self::Empty => (None, &[][..]),
            Self::Value { by, .. } => (Some(by), &[][..]),
            Self::Conflict { candidates, .. } => (None, candidates.as_slice()),
        };
        one.into_iter().chain(many.iter().map(|candidate| &candidate.by)).filter_map(Author::person)
    }

    /// Decides what becomes of `incoming`, whose author had seen `seen`. `set_by` is the edit that wrote the current
    /// value, `known` whether the register ever had a revision.
    pub(crate) fn decide(
        &self,
        seen: Seen,
        incoming: Candidate,
        set_by: EditId,
        known: impl Fn(u64) -> bool,
    ) -> Result<Outcome, EditError> {
        if !known(seen.rev) {
            return Err(EditError::BaseUnknown);
        }
        match self {
            Self::Empty => Ok(Outcome::Set),
            Self::Value { rev, .. } if *rev == seen.rev => Ok(Outcome::Set),
            Self::Value { value, .. } if *value == incoming.value => Ok(Outcome::Agreed),
            Self::Value { value, rev, by, at_ms } => {
                let current = Candidate {
                    value: value.clone(),
                    rev: *rev,
                    by: *by,
                    at_ms: *at_ms,
                    edit: set_by,
                };
                Ok(Outcome::Conflicted(vec![current, incoming]))
            }
            Self::Conflict { rev, candidates } => {
                // Whoever goes on from their own value has changed their mind, not joined the conflict again.
                let own = candidates.iter().position(|candidate| {
                    candidate.by.person() == incoming.by.person()
                        && (seen.own == Some(candidate.edit)
                            || (candidate.rev == seen.rev && candidate.rev != *rev))
                });
                if let Some(own) = own {
                    let mut candidates = candidates.clone();
                    if let Some(place) = candidates.get_mut(own) {
                        *place = incoming;
                    }
                    return Ok(Outcome::Conflicted(candidates));
                }
                if *rev == seen.rev {
                    return Err(EditError::InConflict);
                }
                if candidates.iter().any(|candidate| candidate.value == incoming.value) {
                    return Ok(Outcome::Agreed);
                }
                if candidates.len() >= CANDIDATES {
                    return Err(EditError::ConflictFull);
                }
                let mut candidates = candidates.clone();
                candidates.push(incoming);
                Ok(Outcome::Conflicted(candidates))
            }
        }
    }

    /// Whether `seen` is exactly the conflict that stands now.
    pub(crate) fn shows(&self, seen: &[u64]) -> bool {
        match self {
            Self::Empty | Self::Value { .. } => false,
            Self::Conflict { rev: _, candidates } => {
                let mut seen = seen.to_vec();
                let mut there: Vec<u64> =
                    candidates.iter().map(|candidate| candidate.rev).collect();
                seen.sort_unstable();
                there.sort_unstable();
                seen == there
            }
        }
    }
}
