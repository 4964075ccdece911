//! What a record session asks of its shell.

use clinical::actor::Actor;
use clinical::change::{Change, DecisionKind};
use clinical::edit::Edit;
use clinical::field::{Address, DocKind};
use clinical::id::{ConnectionId, DocId, PersonId, RecordId, RowId};
use clinical::version::SealedVersion;
use clinical::view::View;

use crate::message::{RecordRefusal, ServerMessage};

/// What the shell carries out, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Append a change to a document's log, and the fact to the audit log in the same transaction. The answer comes
    /// back by [`super::RecordSession::stored`] or [`super::RecordSession::store_failed`].
    Store {
        /// The document.
        doc: DocId,
        /// The change.
        change: Box<Change>,
        /// For decisions.
        audit: Option<Audit>,
        /// For a signature: the version, to be stored in the same transaction.
        version: Option<Box<SealedVersion>>,
    },
    /// Send a message, the same to each: it is written out once, however many read the record.
    Send {
        /// To which connections.
        to: Vec<ConnectionId>,
        /// The message.
        message: Box<ServerMessage>,
    },
    /// Append a fact to the audit log.
    Audit(Audit),
    /// Remember whose a Yjs client id is, before anything written under it.
    AssignClient {
        /// In which document.
        doc: DocId,
        /// The id.
        client: u64,
        /// Whose.
        person: PersonId,
    },
    /// Read a field's history from the log. The answer comes back by [`super::RecordSession::history_read`].
    ReadHistory {
        /// The document.
        doc: DocId,
        /// For which connection.
        connection: ConnectionId,
        /// The field.
        at: Address,
        /// Only what is older than this `seq`.
        before: u64,
    },
    /// Keep a text update that was refused, encrypted, for a person to look at.
    Quarantine {
        /// The document.
        doc: DocId,
        /// Whose.
        actor: Actor,
        /// The edit.
        edit: Box<Edit>,
        /// Why it was refused.
        code: RecordRefusal,
    },
    /// Close a connection.
    Close {
        /// Which.
        connection: ConnectionId,
        /// WebSocket close code (RFC 6455 §7.4.2).
        code: u16,
    },
}

/// A fact for the audit log. It names documents and rows, never their content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Who.
    pub actor: Actor,
    /// In which record.
    pub record: RecordId,
    /// What.
    pub fact: Fact,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A document was read.
    Read {
        /// Which of the three.
        kind: DocKind,
        /// Through which eyes.
        view: View,
    },
    /// Something was decided.
    Decided {
        /// What.
        decision: DecisionKind,
        /// About which row.
        row: Option<RowId>,
    },
    /// Who may see the plan was changed.
    AccessChanged,
    /// A connection was closed because of what it sent.
    Misbehaved,
}

/// Why the store did not take a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFailure {
    /// No room.
    Full,
    /// Out of reach.
    Away,
    /// Stopped after an I/O error.
    Failed,
    /// Memory and log disagree, or nobody knows whether the commit happened: reload, then go on.
    OutOfStep,
}
