//! The waiting room: let in, put back, and who is next.

use clinical::actor::{Millis, Role};
use clinical::id::{ConnectionId, SeatId};

use super::seat::{Line, Media, Seat};
use super::{Call, refuse};
use crate::audit::Deed;
use crate::effect::{Effect, Standing};
use crate::message::{Admission, Power, RefusalCode};
use crate::role;
use crate::visit::Entry;

impl Call {
    /// Lets a seat in. Of two who press at once the second changes nothing, and sees the first one's result.
    pub(super) fn admit(
        &mut self,
        now: Millis,
        from: SeatId,
        connection: ConnectionId,
        (whom, agreed): (SeatId, bool),
        out: &mut Vec<Effect>,
    ) {
        if !self.allow(now, from, connection, Power::Admit, "admit", out) {
            return;
        }
        // Where the patient is, others join by their word.
        let has_patient = self.facts.kind.entry(Role::Patient) == Entry::Waits;
        match self.seats.get_mut(&whom) {
            None => refuse(connection, "admit", RefusalCode::NotFound, out),
            // Who left must come back first: the door stays shut behind them.
            Some(Seat { line: Line::Left { .. }, .. }) => {
                refuse(connection, "admit", RefusalCode::WrongState, out);
            }
            Some(seat) if seat.is_admitted() => {}
            Some(seat) if has_patient && role::joins_by_agreement(seat.facts.role) && !agreed => {
                refuse(connection, "admit", RefusalCode::AgreementNeeded, out);
            }
            Some(seat) => {
                let heard = has_patient && role::joins_by_agreement(seat.facts.role);
                seat.standing = Standing::Admitted;
                seat.standing_since = now;
                // The device check is behind it.
                seat.presence.step = None;
                if heard {
                    self.audit(now, from, Deed::AgreementHeard { whom }, out);
                }
                self.audit(now, from, Deed::Admitted { whom }, out);
            }
        }
    }

    /// Puts a seat back into the waiting room. Only where it would have waited: colleagues are not shut out.
    pub(super) fn send_back(
        &mut self,
        now: Millis,
        from: SeatId,
        connection: ConnectionId,
        whom: SeatId,
        out: &mut Vec<Effect>,
    ) {
        if !self.allow(now, from, connection, Power::Admit, "send_back", out) {
            return;
        }
        let kind = self.facts.kind;
        match self.seats.get_mut(&whom) {
            None => refuse(connection, "send_back", RefusalCode::NotFound, out),
            Some(seat) if kind.entry(seat.facts.role) != Entry::Waits => {
                refuse(connection, "send_back", RefusalCode::NotAllowed, out);
            }
            Some(seat) if !seat.is_admitted() => {}
            Some(seat) => {
                seat.move_to_waiting_room(now);
                out.push(Effect::DropMedia { seat: whom });
                self.audit(now, from, Deed::SentBack { whom }, out);
            }
        }
    }

    /// What a seat is told about its admission.
    pub(super) fn admission(&self, seat: &Seat, staff_present: bool) -> Admission {
        match seat.standing {
            Standing::Admitted => Admission::Admitted,
            Standing::Waiting => {
                let key = |seat: &Seat| (seat.standing_since, seat.place);
                let before = self
                    .seats
                    .values()
                    .filter(|other| other.waits_here() && key(other) < key(seat))
                    .count();
                Admission::Waiting {
                    before: u32::try_from(before).unwrap_or(u32::MAX),
                    staff_present,
                }
            }
        }
    }
}

impl Seat {
    pub(super) fn move_to_waiting_room(&mut self, now: Millis) {
        self.standing = Standing::Waiting;
        self.standing_since = now;
        self.presence.hand = false;
        self.media = Media::default();
    }
}
