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

impl RecordSession {
    /// What an actor may do in this record now.
    pub(super) fn hand(&self, actor: &Actor) -> Hand {
        Hand::of(actor.role, actor.person, &self.wishes())
    }

    fn wishes(&self) -> Vec<AccessWish> {
        let voice = self.sheets.iter().find(|sheet| sheet.doc.kind() == DocKind::Voice);
        voice.map(|sheet| access::wishes(&sheet.doc)).unwrap_or_default()
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
                let hand = Hand::of(reader.actor.role, reader.actor.person, &wishes);
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
