//! What is handed to the writer, and how it went.

use std::collections::BTreeMap;

use clinical::actor::{Author, CallTime, Millis};
use clinical::id::{DocId, EditId, PersonId};

use crate::audit;
use crate::store::StoreError;

/// A document's changes that belong together.
#[derive(Debug)]
pub(crate) struct Append {
    /// The document.
    pub(crate) doc: DocId,
    /// The epoch under which this node owns it.
    pub(crate) epoch: i64,
    /// `seq` of the last change before these.
    pub(crate) before: u64,
    /// The changes, without gaps.
    pub(crate) rows: Vec<Row>,
}

/// One change as it is stored.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    pub(crate) edit: EditId,
    pub(crate) kind: RowKind,
    pub(crate) at_ms: Millis,
    pub(crate) typed_ms: Option<Millis>,
    pub(crate) by: Author,
    pub(crate) call: Option<CallTime>,
    /// Sealed.
    pub(crate) body: Vec<u8>,
    pub(crate) hash: [u8; 32],
}

/// What sort of change a row holds, so that questions about the log need not open it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// Registers and rows.
    Edit,
    /// A narrative text.
    Text,
    /// A decision.
    Command,
}

impl RowKind {
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Edit => 1,
            Self::Text => 2,
            Self::Command => 3,
        }
    }
}

/// A Yjs client id, and to whom it was given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) doc: DocId,
    pub(crate) client_id: u64,
    pub(crate) person: PersonId,
    pub(crate) at_ms: Millis,
}

/// A statement of another feature, to be carried out in a transaction of the writer's.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(super) text: &'static str,
    pub(super) values: Vec<Bound>,
    /// It changes one row, or nothing of its work is stored.
    pub(super) one_row: bool,
}

#[derive(Debug)]
pub(super) enum Bound {
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Int(Option<i64>),
}

impl Statement {
    /// `text` stands in the registry.
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text, values: Vec::new(), one_row: false }
    }

    /// It has to change exactly one row: otherwise somebody was first, and the whole work is refused with
    /// [`StoreError::Constraint`].
    pub(crate) const fn one_row(mut self) -> Self {
        self.one_row = true;
        self
    }

    /// The next value.
    pub(crate) fn text(self, value: impl Into<String>) -> Self {
        self.bound(Bound::Text(Some(value.into())))
    }

    /// The next value.
    pub(crate) fn text_or_null(self, value: Option<String>) -> Self {
        self.bound(Bound::Text(value))
    }

    /// The next value.
    pub(crate) fn bytes(self, value: Vec<u8>) -> Self {
        self.bound(Bound::Bytes(Some(value)))
    }

    /// The next value.
    pub(crate) fn int(self, value: i64) -> Self {
        self.bound(Bound::Int(Some(value)))
    }

    /// The next value.
    pub(crate) fn int_or_null(self, value: Option<i64>) -> Self {
        self.bound(Bound::Int(value))
    }

    fn bound(mut self, value: Bound) -> Self {
        self.values.push(value);
        self
    }
}

/// What is to be stored together, or not at all.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// What must be there before the changes: the head of a new document.
    pub(crate) first: Vec<Statement>,
    pub(crate) append: Vec<Append>,
    pub(crate) clients: Vec<Client>,
    pub(crate) audit: Vec<audit::Entry>,
}

impl Work {
    /// One change of one document, and nothing that must come before it.
    pub(super) fn alone(&self) -> bool {
        self.append.len() <= 1 && self.first.is_empty()
    }

    /// Somebody may have been first, which is no bug.
    pub(super) fn may_be_late(&self) -> bool {
        self.first.iter().any(|statement| statement.one_row)
    }

    pub(super) fn refused(&self, refused: &BTreeMap<DocId, Answer>) -> Option<Answer> {
        self.append.iter().find_map(|append| refused.get(&append.doc).copied())
    }
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Committed.
    Stored,
    /// Another node owns the document.
    Fenced,
    /// The log does not end where the caller believes, or holds one of these edits already.
    OutOfStep,
    /// The connection was lost during the commit.
    Unknown,
    /// No room.
    Full,
    /// I/O error: the store has stopped for good.
    Failed,
    /// Out of reach, or too much waits.
    Away,
}

impl Answer {
    /// For work that appends to no document somebody else could own.
    pub(crate) const fn committed(self) -> Result<(), StoreError> {
        match self {
            Self::Stored => Ok(()),
            Self::Full => Err(StoreError::Full),
            Self::Failed => Err(StoreError::Failed),
            Self::Fenced | Self::OutOfStep => Err(StoreError::Constraint),
            Self::Unknown | Self::Away => Err(StoreError::Away),
        }
    }
}

impl From<StoreError> for Answer {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Failed | StoreError::Damaged => Self::Failed,
            StoreError::Constraint => Self::OutOfStep,
            StoreError::Away | StoreError::Row | StoreError::Statement { .. } => Self::Away,
        }
    }
}
