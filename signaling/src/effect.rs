//! What the shell has to carry out, in order.

use clinical::id::{ConnectionId, RecordId, SeatId};
use clinical::phi::Phi;
use clinical::time;

use crate::audit::AuditEntry;
use crate::call::Telephone;
use crate::message::{MediaSource, ServerMessage, SlotWish, SrtpAttempt, TransportKind};

/// A deed that a call decided on.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Say something on a connection.
    Send {
        /// To whom.
        connection: ConnectionId,
        /// What.
        message: Box<ServerMessage>,
    },
    /// Close a connection, after everything said to it before.
    Close {
        /// Which.
        connection: ConnectionId,
        /// With which code.
        code: CloseCode,
    },
    /// Negotiate media for a seat. The outcome comes back as a [`crate::call::MediaEvent`].
    Negotiate {
        /// Whose transport.
        seat: SeatId,
        /// Who waits for the answer.
        connection: ConnectionId,
        /// Of the offer.
        n: u32,
        /// The offer.
        sdp: Phi<String>,
        /// SRTP profiles to offer.
        srtp: SrtpAttempt,
        /// New, or on with the one there is.
        transport: TransportKind,
    },
    /// A seat's wishes for its slots.
    Want {
        /// Whose.
        seat: SeatId,
        /// One entry for each slot whose wish changed.
        slots: Vec<SlotWish>,
    },
    /// Who may receive a source that a seat publishes, from the next packet on. Holds for each transport the seat will have,
    /// until said anew. Nobody may before it is said.
    Audience {
        /// Who publishes.
        publisher: SeatId,
        /// Which source.
        source: MediaSource,
        /// Who may receive.
        to: Vec<SeatId>,
    },
    /// Forward a source of a seat, or not, whatever its browser sends: "muted" on the screen must be true. Holds for
    /// each transport the seat will have. Not muted before it is said.
    Mute {
        /// Who publishes.
        seat: SeatId,
        /// Which source.
        source: MediaSource,
        /// Muted or not.
        muted: Muted,
    },
    /// End a seat's media transport.
    DropMedia {
        /// Whose.
        seat: SeatId,
    },
    /// Whether `record.*` messages of a connection may reach the record. Before it is said they may not.
    Record {
        /// Which connection.
        connection: ConnectionId,
        /// The record it may open, or `None` from now on: what it has open is closed.
        access: Option<RecordId>,
    },
    /// Keep over a restart whether a seat was admitted, so that a crash sends nobody back into the waiting room.
    Remember {
        /// Which seat.
        seat: SeatId,
        /// Admitted or not.
        standing: Standing,
    },
    /// Keep how the visit goes on by telephone, with the entry of the log, both or neither. What came of it comes back
    /// to [`crate::call::Call::telephone_kept`]; until then nobody is told.
    KeepTelephone {
        /// Comes back with the outcome.
        n: u64,
        /// How; `None`: not any more.
        telephone: Option<Telephone>,
        /// Who said so.
        entry: AuditEntry,
    },
    /// Write into the log of the visit.
    Audit(AuditEntry),
    /// Keep for the billing time of the visit: from now on a seat's live media is this.
    Time(time::Event),
    /// The call is over: every connection has been told and closed.
    EndCall {
        /// Why.
        why: CallOver,
    },
}

/// Whether a source is forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Muted {
    /// It is not forwarded.
    Yes,
    /// It is.
    No,
}

/// Whether a seat has been let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not yet, or not any more.
    Waiting,
    /// It has.
    Admitted,
}

/// Why a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOver {
    /// Somebody who may ended the visit.
    Ended,
    /// Nobody has been here for a while. The visit goes on: who comes back starts a new call.
    Empty,
}

/// WebSocket close codes (RFC 6455 §7.4; 4000 to 4999 are ours). What each asks of a client stands in `README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CloseCode {
    /// 1000: the visit is over, or this seat left.
    Normal,
    /// 1001: the server stops.
    GoingAway,
    /// 1009: a message over 256 KiB.
    TooBig,
    /// 1011: our fault.
    Internal,
    /// 1013: too much at once, come again.
    Busy,
    /// 4400: three bad messages in 10 s.
    BadMessage,
    /// 4401: no valid `join` within 10 s, or the session ended.
    NoJoin,
    /// 4402: nothing was heard for 15 s.
    Silent,
    /// 4403: another device of this seat took over, or the seat may not be here any more.
    Removed,
    /// 4408: the client does not read fast enough.
    SlowConsumer,
    /// 4409: the call or a document moved: join again.
    Moved,
    /// 4429: too many messages for too long.
    TooFast,
}

impl CloseCode {
    /// Every code, for tables that must be total.
    pub const ALL: [Self; 12] = [
        Self::Normal,
        Self::GoingAway,
        Self::TooBig,
        Self::Internal,
        Self::Busy,
        Self::BadMessage,
        Self::NoJoin,
        Self::Silent,
        Self::Removed,
        Self::SlowConsumer,
        Self::Moved,
        Self::TooFast,
    ];

    /// The number in the close frame.
    pub const fn number(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::GoingAway => 1001,
            Self::TooBig => 1009,
            Self::Internal => 1011,
            Self::Busy => 1013,
            Self::BadMessage => 4400,
            Self::NoJoin => 4401,
            Self::Silent => 4402,
            Self::Removed => 4403,
            Self::SlowConsumer => 4408,
            Self::Moved => 4409,
            Self::TooFast => 4429,
        }
    }

    /// The reason in the close frame, for a person who looks at the network.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Normal => "over",
            Self::GoingAway => "server_stops",
            Self::TooBig => "too_big",
            Self::Internal => "internal",
            Self::Busy => "busy",
            Self::BadMessage => "bad_message",
            Self::NoJoin => "no_join",
            Self::Silent => "silent",
            Self::Removed => "removed",
            Self::SlowConsumer => "slow_consumer",
            Self::Moved => "moved",
            Self::TooFast => "too_fast",
        }
    }
}
