//! One live call: who is here, who waits, and what may happen.
//!
//! The state is changed first. What each seat is then told is the *difference* between what it has been told and what
//! it may see now (`told.rs`), so no message can be forgotten, and nothing reaches a seat that waits.

mod lobby;
mod resume;
mod seat;
mod telephone;
#[cfg(test)]
mod tests;
mod time;
mod told;

use std::collections::BTreeMap;

use clinical::actor::{Millis, Role};
use clinical::id::{CallId, ConnectionId, RecordId, SeatId, VisitId};
use clinical::phi::Phi;
use clinical::time::Live;

use crate::audit::{AuditEntry, Deed};
use crate::effect::{CallOver, CloseCode, Effect};
use crate::message::{
    CameraFormat, ClientMessage, EndReason, Loss, MediaFailure, MediaSource, PatientFacts, Power,
    RefusalCode, Rid, ServerMessage, SlotMap, TransportKind,
};
use crate::role;
use crate::visit::VisitKind;

pub use resume::EMPTY_MS;
pub use seat::SeatFacts;
use seat::{Line, Lost, Media, Seat};
use telephone::Phone;
pub use telephone::{Kept, Telephone};
use told::Told;

/// What the shell knows of the visit when a call begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFacts {
    /// New for each call.
    pub call: CallId,
    /// The visit.
    pub visit: VisitId,
    /// Its kind.
    pub kind: VisitKind,
    /// The practice's name.
    pub practice: Phi<String>,
    /// Whom to call when nothing works.
    pub phone: String,
    /// In which format cameras are to be sent.
    pub camera: CameraFormat,
    /// The record beside the call.
    pub record: Option<RecordId>,
    /// Whom it is about.
    pub patient: Option<PatientFacts>,
    /// The patient's own seat, if the visit has one.
    pub patient_seat: Option<SeatId>,
    /// Seats that were admitted before the server was restarted.
    pub admitted: Vec<SeatId>,
    /// How it went on by telephone before that, if it did.
    pub telephone: Option<Telephone>,
}

/// What the media side reports, translated to seats by the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// An offer was taken.
    Answered {
        /// Who offered.
        connection: ConnectionId,
        /// Of the offer.
        n: u32,
        /// The answer.
        sdp: Phi<String>,
    },
    /// An offer was refused; what was negotiated before it holds.
    Refused {
        /// Who offered.
        connection: ConnectionId,
        /// Why.
        code: RefusalCode,
    },
    /// A seat's transport is up.
    Connected {
        /// Whose.
        seat: SeatId,
    },
    /// A seat's transport ended by itself.
    Failed {
        /// Whose.
        seat: SeatId,
        /// Why.
        why: MediaFailure,
    },
    /// Slots of a seat carry something else.
    Slots {
        /// Whose slots.
        seat: SeatId,
        /// What they carry.
        slots: Vec<SlotMap>,
    },
    /// Nothing comes over a seat's transport any more, or something comes again.
    Quiet {
        /// Whose.
        seat: SeatId,
        /// Whether it is quiet now.
        quiet: bool,
    },
    /// More or less of a seat's media is lost.
    Lossy {
        /// Whose.
        seat: SeatId,
        /// How much.
        loss: Loss,
    },
    /// Somebody needs more or fewer layers of a source.
    Layers {
        /// Who publishes it.
        seat: SeatId,
        /// The source.
        source: MediaSource,
        /// The layers to send, the smallest first.
        rids: Vec<Rid>,
    },
    /// Somebody else speaks.
    Speaker {
        /// Who; `None` in silence.
        seat: Option<SeatId>,
    },
}

/// Why a seat cannot join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// This kind of visit has no such seat.
    #[error("this kind of visit has no such seat")]
    RoleNotInVisit,
    /// The visit is over.
    #[error("the visit is over")]
    Over,
}

/// A live call. See the module.
///
/// `now` is wall-clock time that never goes back: the shell reads the wall clock once for each call and carries it on
/// with a monotonic clock.
#[derive(Debug)]
pub struct Call {
    facts: CallFacts,
    /// Everybody who has joined, whether here or not.
    seats: BTreeMap<SeatId, Seat>,
    /// The live connections. One for each seat: the newest.
    connections: BTreeMap<ConnectionId, SeatId>,
    told: Told,
    speaker: Option<SeatId>,
    phone: Phone,
    /// What was last said of each seat's live media for the billing time, and when.
    timed: BTreeMap<SeatId, (Live, Millis)>,
    /// Next place in the order of joining.
    next_place: u64,
    /// Since when no connection is left.
    empty_since: Option<Millis>,
    over: Option<CallOver>,
}

impl Call {
    /// A call without anybody in it.
    pub const fn new(now: Millis, facts: CallFacts) -> Self {
        let phone = Phone::resumed(facts.telephone);
        Self {
            facts,
            seats: BTreeMap::new(),
            connections: BTreeMap::new(),
            told: Told::new(),
            speaker: None,
            phone,
            timed: BTreeMap::new(),
            next_place: 0,
            empty_since: Some(now),
            over: None,
        }
    }

    /// The call's id.
    pub const fn id(&self) -> CallId {
        self.facts.call
    }

    /// Why it is over, if it is.
    pub const fn over(&self) -> Option<CallOver> {
        self.over
    }

    /// A message arrived on a connection. One that never joined, or was replaced, is told so.
    pub fn handle(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        message: ClientMessage,
    ) -> Vec<Effect> {
        let mut out = Vec::new();
        // Everybody pings every 2 s, which changes nothing: to compare what everybody sees each time would cost a
        // large call more than its media.
        let is_ping = matches!(message, ClientMessage::Ping { .. });
        match self.connections.get(&connection) {
            Some(seat) => self.dispatch(now, *seat, connection, message, &mut out),
            None => refuse(connection, message.type_name(), RefusalCode::WrongState, &mut out),
        }
        if !is_ping {
            self.settle(now, &mut out);
        }
        out
    }

    fn dispatch(
        &mut self,
        now: Millis,
        from: SeatId,
        connection: ConnectionId,
        message: ClientMessage,
        out: &mut Vec<Effect>,
    ) {
        let Some(seat) = self.seats.get_mut(&from) else { return };
        let of = message.type_name();
        let admitted = seat.is_admitted();
        match message {
            ClientMessage::Ping { n } => send(connection, ServerMessage::Pong { n }, out),
            ClientMessage::Presence { patch } => seat.presence.merge(patch),
            ClientMessage::Leave => self.leave(now, from, connection, out),

            ClientMessage::Offer { n, sdp, srtp, transport } if admitted => {
                match transport {
                    // Its slots have other mids: a name must never stand under the wrong face.
                    TransportKind::New => seat.media = Media::default(),
                    TransportKind::Same => {}
                }
                out.push(Effect::Negotiate { seat: from, connection, n, sdp, srtp, transport });
            }
            ClientMessage::Want { slots } if admitted => {
                out.push(Effect::Want { seat: from, slots });
            }
            ClientMessage::Admit { seat, agreed } if admitted => {
                self.admit(now, from, connection, (seat, agreed), out);
            }
            ClientMessage::SendBack { seat } if admitted => {
                self.send_back(now, from, connection, seat, out);
            }
            ClientMessage::Telephone { step } if admitted => {
                self.telephone(now, from, connection, step, out);
            }
            ClientMessage::End if admitted => {
                if self.allow(now, from, connection, Power::EndVisit, of, out) {
                    self.audit(now, from, Deed::Ended, out);
                    self.end(EndReason::Ended, CallOver::Ended, out);
                }
            }

            // Waiting seats may ask for none of these. `join` comes before there is a seat; records have their own
            // session, and the shell sends their messages here only while the seat may not reach a record.
            ClientMessage::Offer { .. }
            | ClientMessage::Want { .. }
            | ClientMessage::Admit { .. }
            | ClientMessage::SendBack { .. }
            | ClientMessage::Telephone { .. }
            | ClientMessage::End
            | ClientMessage::Join { .. }
            | ClientMessage::RecordOpen { .. }
            | ClientMessage::RecordEdit { .. }
            | ClientMessage::RecordCommand { .. }
            | ClientMessage::RecordGate { .. }
            | ClientMessage::RecordSafety { .. }
            | ClientMessage::RecordSign { .. }
            | ClientMessage::RecordCaret { .. }
            | ClientMessage::RecordResync { .. }
            | ClientMessage::RecordHistory { .. }
            | ClientMessage::RecordClose { .. } => {
                refuse(connection, of, RefusalCode::WrongState, out);
            }
        }
    }

    /// The media side reported something.
    pub fn handle_media(&mut self, now: Millis, event: MediaEvent) -> Vec<Effect> {
        let mut out = Vec::new();
        match event {
            MediaEvent::Answered { connection, n, sdp } => {
                self.to_admitted(connection, ServerMessage::Answer { n, sdp }, &mut out);
            }
            MediaEvent::Refused { connection, code } => {
                let message = ServerMessage::Refused { of: "offer".to_owned(), code };
                self.to_admitted(connection, message, &mut out);
            }
            MediaEvent::Connected { seat } => {
                if let Some(seat) = self.seats.get_mut(&seat) {
                    seat.media.connected = true;
                }
            }
            MediaEvent::Failed { seat, why } => {
                let connection = self.seats.get_mut(&seat).and_then(|seat| {
                    seat.media = Media::default();
                    seat.connection()
                });
                if let Some(connection) = connection {
                    self.to_admitted(connection, ServerMessage::MediaFailed { why }, &mut out);
                }
            }
            MediaEvent::Slots { seat, slots } => {
                if let Some(seat) = self.seats.get_mut(&seat) {
                    for slot in slots {
                        seat.media.slots.insert(slot.mid.clone(), slot);
                    }
                }
            }
            MediaEvent::Quiet { seat, quiet } => {
                if let Some(seat) = self.seats.get_mut(&seat) {
                    seat.media.quiet_since = quiet.then_some(now);
                }
            }
            MediaEvent::Lossy { seat, loss } => {
                if let Some(seat) = self.seats.get_mut(&seat) {
                    seat.media.loss = loss;
                }
            }
            MediaEvent::Layers { seat, source, rids } => {
                if let Some(seat) = self.seats.get_mut(&seat) {
                    seat.media.layers.insert(source, rids);
                }
            }
            MediaEvent::Speaker { seat } => self.speaker = seat,
        }
        self.settle(now, &mut out);
        out
    }

    /// Says something to a connection, if its seat is in the call: an answer may come after the seat was sent back.
    fn to_admitted(&self, connection: ConnectionId, message: ServerMessage, out: &mut Vec<Effect>) {
        let seat = self.connections.get(&connection).and_then(|seat| self.seats.get(seat));
        if seat.is_some_and(Seat::is_admitted) {
            send(connection, message, out);
        }
    }

    /// When [`Self::handle_timeout`] wants to be called next.
    pub fn poll_timeout(&self) -> Option<Millis> {
        let lines = self.seats.values().filter_map(|seat| seat.next_timeout());
        lines.chain(self.time_due()).chain(self.empty_since.map(resume::empty_at)).min()
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Millis) -> Vec<Effect> {
        let mut out = Vec::new();
        if self.over.is_none() {
            self.lines_over_time(now, &mut out);
        }
        self.settle(now, &mut out);
        out
    }

    /// The visit ends, whoever asked for it outside the call.
    pub fn end_visit(&mut self, now: Millis) -> Vec<Effect> {
        let mut out = Vec::new();
        self.end(EndReason::Ended, CallOver::Ended, &mut out);
        self.settle(now, &mut out);
        out
    }

    /// A link was revoked: the seat is out at once, connections and media included.
    pub fn revoke(&mut self, now: Millis, seat: SeatId) -> Vec<Effect> {
        let mut out = Vec::new();
        if let Some(connection) = self.seats.get(&seat).and_then(Seat::connection) {
            self.dismiss(connection, EndReason::Revoked, CloseCode::Removed, &mut out);
        }
        self.hang_up(now, seat, &mut out);
        self.end_time(seat, now, &mut out);
        if self.seats.remove(&seat).is_some() {
            out.push(Effect::DropMedia { seat });
        }
        self.settle(now, &mut out);
        out
    }

    /// A seat signed out: its connection closes as if the session had ended; its place in the call stays.
    pub fn sign_out(&mut self, now: Millis, seat: SeatId) -> Vec<Effect> {
        match self.seats.get(&seat).and_then(Seat::connection) {
            None => Vec::new(),
            Some(connection) => {
                let mut out = vec![Effect::Close { connection, code: CloseCode::NoJoin }];
                out.extend(self.lost(now, connection));
                out
            }
        }
    }

    fn end(&mut self, reason: EndReason, why: CallOver, out: &mut Vec<Effect>) {
        if self.over.is_some() {
            return;
        }
        let connections: Vec<ConnectionId> = self.connections.keys().copied().collect();
        for connection in connections {
            self.dismiss(connection, reason, CloseCode::Normal, out);
        }
        for seat in std::mem::take(&mut self.seats).into_keys() {
            out.push(Effect::DropMedia { seat });
        }
        self.empty_since = None;
        self.over = Some(why);
        out.push(Effect::EndCall { why });
    }

    /// Tells a connection that it is over for it, and closes it.
    fn dismiss(
        &mut self,
        connection: ConnectionId,
        why: EndReason,
        code: CloseCode,
        out: &mut Vec<Effect>,
    ) {
        if self.connections.remove(&connection).is_some() {
            self.told.forget_connection(connection, out);
            send(connection, ServerMessage::Ended { why }, out);
            out.push(Effect::Close { connection, code });
        }
    }

    /// Whether a seat has a power; if not, it is told and the log says so.
    fn allow(
        &self,
        now: Millis,
        from: SeatId,
        connection: ConnectionId,
        power: Power,
        message: &'static str,
        out: &mut Vec<Effect>,
    ) -> bool {
        let role = self.seats.get(&from).map(|seat| seat.facts.role);
        let may = role.is_some_and(|role| self.may(role, power));
        if !may {
            self.audit(now, from, Deed::Denied { message }, out);
            refuse(connection, message, RefusalCode::NotAllowed, out);
        }
        may
    }

    fn audit(&self, now: Millis, seat: SeatId, deed: Deed, out: &mut Vec<Effect>) {
        out.extend(self.entry(now, seat, deed).map(Effect::Audit));
    }

    fn entry(&self, now: Millis, seat: SeatId, deed: Deed) -> Option<AuditEntry> {
        let SeatFacts { seat, person, role, name: _ } = self.seats.get(&seat)?.facts;
        let (visit, call) = (self.facts.visit, self.facts.call);
        Some(AuditEntry { at_ms: now, visit, call, seat, person, role, deed })
    }

    /// Whether people are in it: who only waits is not, nor who has been away for so long that nobody expects them. A
    /// telephone call that goes on beside it is.
    pub fn is_anybody_in(&self) -> bool {
        let is_in = |seat: &Seat| {
            let here = match seat.line {
                Line::Up(_) | Line::Lost { seen: Lost::Unseen | Lost::Reconnecting, .. } => true,
                Line::Lost { seen: Lost::Absent, .. } | Line::Left { .. } => false,
            };
            seat.is_admitted() && here
        };
        self.phone.on.is_some() || self.seats.values().any(is_in)
    }

    /// Whether somebody is here who can let others in.
    fn staff_present(&self) -> bool {
        self.seats.values().any(|seat| {
            seat.is_admitted()
                && matches!(seat.line, Line::Up(_))
                && role::may_admit(seat.facts.role)
        })
    }

    const fn may(&self, role: Role, power: Power) -> bool {
        match power {
            Power::Admit => role::may_admit(role),
            Power::EndVisit => role::may_end(role),
            Power::Telephone => role::may_telephone(role) && self.has_telephone(),
        }
    }

    /// What a role may ask for in the call, for its screen.
    fn powers(&self, role: Role) -> Vec<Power> {
        Power::ALL.iter().copied().filter(|power| self.may(role, *power)).collect()
    }

    /// The record a role may open in this visit.
    fn record_for(&self, role: Role) -> Option<RecordId> {
        let has = self.facts.kind.has_record() && role::may_open_records(role);
        self.facts.record.filter(|_| has)
    }
}

fn send(connection: ConnectionId, message: ServerMessage, out: &mut Vec<Effect>) {
    out.push(Effect::Send { connection, message: Box::new(message) });
}

fn refuse(connection: ConnectionId, of: &'static str, code: RefusalCode, out: &mut Vec<Effect>) {
    send(connection, ServerMessage::Refused { of: of.to_owned(), code }, out);
}

impl ClientMessage {
    /// The `type` on the wire.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Join { .. } => "join",
            Self::Ping { .. } => "ping",
            Self::Offer { .. } => "offer",
            Self::Want { .. } => "want",
            Self::Presence { .. } => "presence",
            Self::Admit { .. } => "admit",
            Self::SendBack { .. } => "send_back",
            Self::Leave => "leave",
            Self::Telephone { .. } => "telephone",
            Self::End => "end",
            Self::RecordOpen { .. } => "record.open",
            Self::RecordEdit { .. } => "record.edit",
            Self::RecordCommand { .. } => "record.command",
            Self::RecordGate { .. } => "record.gate",
            Self::RecordSafety { .. } => "record.safety",
            Self::RecordSign { .. } => "record.sign",
            Self::RecordCaret { .. } => "record.caret",
            Self::RecordResync { .. } => "record.resync",
            Self::RecordHistory { .. } => "record.history",
            Self::RecordClose { .. } => "record.close",
        }
    }
}
