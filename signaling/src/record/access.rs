//! What the patient lets each seat do, from the record itself: said in its own list, and in force once it is stored.

use clinical::access::{self, AccessWish};
use clinical::actor::{Actor, Role};
use clinical::change::Change;
use clinical::edit::Op;
use clinical::field::{DocKind, FieldName, ListName};
use clinical::id::{ConnectionId, PersonId};
use serde::Deserialize as _;

use super::queue::Sheet;
use super::{Effect, Fact, FreshIds, RecordSession, send};
use crate::message::{ClosedReason, ResyncReason, ServerMessage};
use crate::role::{self, Hand};

/// What the log of accesses says of an edit, in the transaction that stores it.
pub(super) fn fact(sheet: &Sheet, change: &Change) -> Option<Fact> {
    let list = change.what.row().and_then(|row| sheet.doc.list_of(row));
    (list == Some(ListName::Access)).then_some(Fact::AccessChanged)
}

/// Whether the patient's part of a record reads to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It does.
    Whole,
    /// Something in it does not: what the patient wants is not known.
    Broken,
}

/// What the patient wants; `None`: it does not read.
struct Wishes(Option<Vec<AccessWish>>);

impl Wishes {
    fn hand(&self, actor: &Actor) -> Hand {
        match &self.0 {
            Some(wishes) => Hand::of(actor.role, actor.person, wishes),
            None => Hand::without_wishes(actor.role),
        }
    }
}

impl RecordSession {
    /// What an actor may do in this record now.
    pub(super) fn hand(&self, actor: &Actor) -> Hand {
        self.wishes().hand(actor)
    }

    /// Says whether the wishes read: if not, only whom no wish could shut out sees anything from now on. To be said
    /// before anybody opens the record, and before [`Self::reloaded`].
    pub const fn trust_wishes(&mut self, trust: Trust) {
        self.trust = trust;
    }

    fn wishes(&self) -> Wishes {
        match self.trust {
            Trust::Whole => {
                let voice = self.sheets.iter().find(|sheet| sheet.doc.kind() == DocKind::Voice);
                Wishes(Some(voice.map(|sheet| access::wishes(&sheet.doc)).unwrap_or_default()))
            }
            Trust::Broken => Wishes(None),
        }
    }

    /// Whether an edit would shut out whom the plan cannot do without.
    pub(super) fn shuts_out_minimum(&self, op: &Op) -> bool {
        let json = match op {
            Op::Set { at, base: _, value } | Op::Resolve { at, seen: _, value }
                if at.field == FieldName::AccessContent =>
            {
                value.expose().as_ref()
            }
            Op::Add { list: ListName::Access, values, .. } => {
                values.get(&FieldName::AccessContent).map(|json| json.expose())
            }
            _ => None,
        };
        json.and_then(|json| AccessWish::deserialize(json).ok())
            .is_some_and(|wish| role::shuts_out_minimum(&wish, |person| self.role_of(person)))
    }

    fn role_of(&self, person: PersonId) -> Option<Role> {
        self.people.get(&person).map(|name| name.role)
    }

    /// Applies what the patient wants now to everybody who has the record open.
    pub(super) fn access_changed(&mut self, fresh: FreshIds<'_>, effects: &mut Vec<Effect>) {
        let wishes = self.wishes();
        let changed: Vec<_> = self
            .readers
            .iter_mut()
            .filter_map(|(connection, reader)| {
                let hand = wishes.hand(&reader.actor);
                let before = std::mem::replace(&mut reader.hand, hand);
                (before != hand).then_some((*connection, hand))
            })
            .collect();
        for (connection, hand) in changed {
            if hand.is_shut_out() {
                self.shut(connection, effects);
                continue;
            }
            let why = Some(ResyncReason::ViewChanged);
            let shared = self.shared();
            // What is open already says what may be written: it is shown again with the new rights.
            for index in 0..self.sheets.len() {
                let Some(sheet) = self.sheets.get(index) else { continue };
                let open = sheet.view_of(connection).is_some();
                if let (true, Some(view)) = (open, hand.view(sheet.doc.kind(), shared)) {
                    self.snapshot(index, connection, view, None, why, fresh, effects);
                }
            }
            self.show(connection, &[], why, fresh, effects);
        }
        self.own_wishes_changed(fresh, effects);
    }

    /// Closes every document for a connection that stays: from here it receives not one byte of them.
    pub(super) fn shut(&mut self, connection: ConnectionId, effects: &mut Vec<Effect>) {
        let seat = self.readers.get(&connection).map(|reader| reader.actor.seat);
        for sheet in &mut self.sheets {
            if let (true, Some(seat)) = (sheet.set_caret(connection, None), seat) {
                effects.extend(sheet.tell_caret(connection, seat, None));
            }
            sheet.close(connection);
        }
        effects.push(self.closed(connection, ClosedReason::NotAllowed));
    }

    pub(super) fn closed(&self, connection: ConnectionId, why: ClosedReason) -> Effect {
        send(connection, ServerMessage::RecordClosed { record: self.record, why })
    }
}
