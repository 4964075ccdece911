//! Coming, going, and coming back to the same seat.

use clinical::actor::Millis;
use clinical::id::{ConnectionId, SeatId};

use super::seat::{Line, Lost, Media, Seat};
use super::{Call, JoinError, SeatFacts};
use crate::audit::Deed;
use crate::effect::{CallOver, CloseCode, Effect, Standing};
use crate::message::{Admission, EndReason, SeatMedia, ServerMessage, VisitFacts};
use crate::presence::Presence;
use crate::visit::Entry;

/// How long a lost line is not shown. Longer hides real trouble, shorter makes every reload flicker on all screens;
/// a reload takes about one second.
const UNSEEN_MS: i64 = 2_000;

/// How long a seat counts as reconnecting. Longer keeps an empty tile on the others' screens, shorter gives up on a
/// telephone between two cells. The place in the call stays in either case.
const RECONNECTING_MS: i64 = 120_000;

/// How long a call without anybody stays in memory. Longer costs memory, shorter makes the next one a new call, with
/// the billing minutes in two pieces.
pub const EMPTY_MS: i64 = 600_000;

const fn after(at: Millis, ms: i64) -> Millis {
    Millis(at.0.saturating_add(ms))
}

/// When an empty call ends.
pub(super) const fn empty_at(since: Millis) -> Millis {
    after(since, EMPTY_MS)
}

/// When a lost line looks different.
pub(super) const fn due(since: Millis, seen: Lost) -> Option<Millis> {
    match seen {
        Lost::Unseen => Some(after(since, UNSEEN_MS)),
        Lost::Reconnecting => Some(after(since, RECONNECTING_MS)),
        Lost::Absent => None,
    }
}

impl Call {
    /// A seat connects: for the first time, again, or from another device. The newest connection has the seat; an
    /// older one is told `ended{elsewhere}`. Admission and presence stay as they were.
    ///
    /// # Errors
    /// If this kind of visit has no such seat, or the visit is over.
    pub fn join(
        &mut self,
        now: Millis,
        who: SeatFacts,
        connection: ConnectionId,
    ) -> Result<Vec<Effect>, JoinError> {
        let mut out = Vec::new();
        if self.over.is_some() {
            return Err(JoinError::Over);
        }
        let standing = match self.facts.kind.entry(who.role) {
            Entry::Refused => return Err(JoinError::RoleNotInVisit),
            Entry::Enters => Standing::Admitted,
            Entry::Waits if self.facts.admitted.contains(&who.seat) => Standing::Admitted,
            Entry::Waits => Standing::Waiting,
        };
        let key = who.seat;
        if let Some(older) = self.seats.get(&key).and_then(Seat::connection) {
            self.dismiss(older, EndReason::Elsewhere, CloseCode::Removed, &mut out);
        }
        let place = self.next_place;
        let seat = self.seats.entry(key).or_insert_with(|| Seat {
            facts: who.clone(),
            place,
            standing,
            standing_since: now,
            line: Line::Left { since: now },
            presence: Presence::default(),
            media: Media::default(),
            uncarried_since: None,
            shown_media: SeatMedia::Off,
        });
        let deed = if matches!(seat.line, Line::Left { .. }) {
            // Who left and comes back stands at the end, and waits anew if the role waits (see `leave`).
            seat.place = place;
            seat.standing_since = now;
            self.next_place = place.saturating_add(1);
            Deed::Joined
        } else {
            Deed::Resumed
        };
        seat.facts = who;
        seat.line = Line::Up(connection);
        self.connections.insert(connection, key);
        self.empty_since = None;
        self.audit(now, key, deed, &mut out);
        self.settle(now, &mut out);
        Ok(out)
    }

    /// A connection is gone without a word.
    pub fn lost(&mut self, now: Millis, connection: ConnectionId) -> Vec<Effect> {
        let mut out = Vec::new();
        if let Some(key) = self.connections.remove(&connection) {
            self.told.forget_connection(connection, &mut out);
            if let Some(seat) = self.seats.get_mut(&key) {
                seat.line = Line::Lost { since: now, seen: Lost::Unseen };
            }
            self.note_empty(now);
        }
        self.settle(now, &mut out);
        out
    }

    /// A seat leaves by its own word. It may come back; a role that waits waits again, because those who stayed may
    /// by then speak among themselves.
    pub(super) fn leave(
        &mut self,
        now: Millis,
        key: SeatId,
        connection: ConnectionId,
        out: &mut Vec<Effect>,
    ) {
        self.audit(now, key, Deed::Left, out);
        self.hang_up(now, key, out);
        self.dismiss(connection, EndReason::Left, CloseCode::Normal, out);
        let kind = self.facts.kind;
        self.facts.admitted.retain(|admitted| *admitted != key);
        if let Some(seat) = self.seats.get_mut(&key) {
            if kind.entry(seat.facts.role) == Entry::Waits {
                seat.move_to_waiting_room(now);
            }
            seat.presence = Presence::default();
            seat.media = Media::default();
            seat.line = Line::Left { since: now };
            out.push(Effect::DropMedia { seat: key });
        }
        self.note_empty(now);
    }

    fn note_empty(&mut self, now: Millis) {
        if self.connections.is_empty() && self.over.is_none() {
            self.empty_since = Some(now);
        }
    }

    pub(super) fn lines_over_time(&mut self, now: Millis, out: &mut Vec<Effect>) {
        let mut given_up = Vec::new();
        for (key, seat) in &mut self.seats {
            // Twice at most: a late timer may pass both limits at once.
            while let Line::Lost { since, seen } = seat.line
                && due(since, seen).is_some_and(|due| due <= now)
            {
                let seen = match seen {
                    Lost::Unseen => Lost::Reconnecting,
                    Lost::Reconnecting | Lost::Absent => Lost::Absent,
                };
                seat.line = Line::Lost { since, seen };
                if seen == Lost::Absent {
                    seat.media = Media::default();
                    given_up.push(*key);
                }
            }
        }
        for seat in given_up {
            out.push(Effect::DropMedia { seat });
            self.audit(now, seat, Deed::LineLost, out);
        }
        if self.empty_since.is_some_and(|since| empty_at(since) <= now) {
            self.end(EndReason::Ended, CallOver::Empty, out);
        }
    }

    /// The first words on a connection, and again whenever the seat's admission changes what it may know.
    pub(super) fn welcome(
        &self,
        now: Millis,
        seat: &Seat,
        connection: ConnectionId,
        admission: Admission,
    ) -> ServerMessage {
        let SeatFacts { seat: key, person: _, name: _, role } = &seat.facts;
        let admitted = seat.is_admitted();
        let record = self.record_for(*role).filter(|_| admitted);
        ServerMessage::Welcome {
            seat: *key,
            connection,
            call: self.facts.call,
            role: *role,
            now_ms: now,
            visit: VisitFacts {
                visit: self.facts.visit,
                kind: self.facts.kind,
                practice: self.facts.practice.clone(),
                phone: self.facts.phone.clone(),
                camera: self.facts.camera,
                record,
                patient: self.facts.patient.clone().filter(|_| record.is_some()),
            },
            admission,
            presence: seat.presence.clone(),
            may: if admitted { self.powers(*role) } else { Vec::new() },
        }
    }
}
