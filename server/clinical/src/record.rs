//! The whole record with its types: every list and field of the three documents, read out of their snapshots.
//!
//! Written once for all who need it whole: exports, print, the checks before a signature. A register two people wrote
//! at once keeps every candidate here, with who wrote it when; what to make of that is the reader's to decide, and no
//! reader can take one of them for the value by mistake.

mod index;
mod lists;

use std::fmt;

use serde::de::DeserializeOwned;

pub(crate) use index::Index;
pub use lists::{
    Comment, Deed, Factors, Goal, Med, Outline, Problem, Question, Recommendation, Record, Remark,
    TaskRow, Todo, TouchpointRow,
};

use crate::actor::{Author, Millis};
use crate::field::{FieldName, Presence};
use crate::fold::FoldError;
use crate::id::RowId;
use crate::view::Snapshot;

/// What a register holds, as its type.
#[derive(Clone, PartialEq, Eq)]
pub enum Held<T> {
    /// Never written, cleared, or written by another version in a form this one does not read.
    Empty,
    /// This.
    Value(Said<T>),
    /// Written at once by several people, and nobody has chosen. `None` is "cleared". On the patient's side the
    /// candidates are left out.
    Conflict(Vec<Said<Option<T>>>),
}

/// A value, and who wrote it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Said<T> {
    /// What it says.
    pub value: T,
    /// `seq` of the change that wrote it.
    pub rev: u64,
    /// Who.
    pub by: Author,
    /// When.
    pub at_ms: Millis,
}

impl<T> Held<T> {
    /// The value, if there is exactly one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(said) => Some(&said.value),
            Self::Empty | Self::Conflict(_) => None,
        }
    }

    /// Whether it waits for somebody to choose.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

/// It holds what a patient takes and has: it says in which state it is, and never what it holds.
impl<T> fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Value(_) => "Value(..)",
            Self::Conflict(_) => "Conflict(..)",
        })
    }
}

/// As [`Held`].
impl<T> fmt::Debug for Said<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Said(..)")
    }
}

/// A narrative text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Its words; empty if it was never written.
    pub text: String,
    /// `seq` of its last change; 0 if it was never written.
    pub rev: u64,
    /// A merge of it waits to be read.
    pub unread: bool,
}

/// As [`Held`].
impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(..)")
    }
}

/// A row that stands in its list, or of which it is not decided whether it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<T> {
    /// Its id.
    pub id: RowId,
    /// Whether it was removed, where two people say otherwise; empty for a row that simply stands.
    pub contested: Vec<Said<Option<Presence>>>,
    /// What stands in it.
    pub content: T,
}

impl Record {
    /// Reads the snapshots of a record's documents, through whatever eyes they were taken; a document that is not given
    /// is empty. Removed rows are left out.
    ///
    /// # Errors
    /// A text does not read.
    pub fn of(documents: &[&Snapshot]) -> Result<Self, FoldError> {
        let mut words = std::collections::BTreeMap::new();
        for document in documents {
            words.append(&mut document.words()?);
        }
        let index = Index::of(documents, |text| words.remove(&text.at).unwrap_or_default());
        Ok(Self::read(&index, None))
    }
}

/// What can be read at an address: a register or a text.
trait Read {
    fn read(index: &Index<'_>, row: Option<RowId>, field: FieldName) -> Self;
}

impl<T: DeserializeOwned> Read for Held<T> {
    fn read(index: &Index<'_>, row: Option<RowId>, field: FieldName) -> Self {
        index.register(row, field)
    }
}

impl Read for Words {
    fn read(index: &Index<'_>, row: Option<RowId>, field: FieldName) -> Self {
        index.words(row, field)
    }
}
