//! What becomes of an edit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use unicode_normalization::UnicodeNormalization as _;

use crate::actor::{Actor, Author, Millis};
use crate::bytes::Base64;
use crate::change::{Merged, What};
use crate::edit::{Base, Edit, EditError, Op};
use crate::field::{Address, FieldKind, FieldName, ListName, Place, Presence};
use crate::fold::presence_of;
use crate::id::{EditId, PersonId, RowId};
use crate::limits::{LATE_MS, ROWS, VALUE};
use crate::phi::Phi;
use crate::register::{Candidate, Outcome, Register, Seen};
use crate::text::{Text, numbers};
use crate::value::{Value, ValueError};

use super::{Doc, Stamp};

/// A change in the making.
pub(super) struct Decided {
    pub(super) what: What,
    pub(super) contested: Option<Vec<Candidate>>,
}

impl From<What> for Decided {
    fn from(what: What) -> Self {
        Self { what, contested: None }
    }
}

/// Who writes, when, with which edit.
#[derive(Clone, Copy)]
struct Hand {
    by: Author,
    now: Millis,
    edit: EditId,
    seq: u64,
}

impl Hand {
    const fn candidate(self, value: Option<Value>) -> Candidate {
        Candidate { value, rev: self.seq, by: self.by, at_ms: self.now, edit: self.edit }
    }
}

impl Doc {
    pub(super) fn decide(
        &mut self,
        now: Millis,
        by: &Actor,
        edit: &Edit,
        clients: &BTreeSet<u64>,
    ) -> Result<Decided, EditError> {
        let seq = self.seq.saturating_add(1);
        let hand = Hand { by: Author::Seat(*by), now, edit: edit.id, seq };
        match &edit.op {
            Op::Set { at, base, value } => {
                self.decide_set(hand, *at, *base, value.expose().as_ref())
            }
            Op::Resolve { at, seen, value } => {
                self.decide_resolve(hand, *at, seen, value.expose().as_ref())
            }
            Op::Add { list, row, after, values } => self.decide_add(*list, *row, *after, values),
            Op::Tombstone { row, seen, reason } => {
                self.decide_tombstone(hand, *row, *seen, reason.expose())
            }
            Op::Restore { row, seen } => self.decide_restore(hand, *row, *seen),
            Op::Move { row, after } => self.decide_move(*row, *after),
            Op::Text { at, base, update } => self.decide_text(hand, *at, *base, update, clients),
            Op::Reviewed { at, seen } => self.decide_reviewed(*at, *seen),
        }
    }

    fn decide_set(
        &self,
        hand: Hand,
        at: Address,
        base: Base,
        json: Option<&Json>,
    ) -> Result<Decided, EditError> {
        self.check_register(&at)?;
        let value = json.map(|json| parse(at.field, json)).transpose()?;
        self.check_unlocked(&at)?;
        let seen = self.seen(&at, base)?;
        let contested = self.contest(hand, &at, seen.rev)?;
        let register = self.state.register(&at);
        let set_by = self.book.set_by(&at).unwrap_or(hand.edit);
        let incoming = hand.candidate(value.clone());
        let outcome = register.decide(seen, incoming, set_by, |rev| self.book.had(&at, rev))?;
        Ok(match outcome {
            Outcome::Set => {
                let before = register.value().cloned();
                Decided { what: What::Set { at, before, after: value }, contested }
            }
            // It moves nothing, so it contests nothing.
            Outcome::Agreed => What::Agreed { at }.into(),
            Outcome::Conflicted(candidates) => {
                Decided { what: What::Conflicted { at, candidates }, contested }
            }
        })
    }

    /// What becomes of a field a person accepted from a chart. What only charts write is a fact of the chart: the newer
    /// one stands, the older one is in the history.
    pub(super) fn decide_taken(
        &self,
        stamp: Stamp,
        at: Address,
        value: &Value,
        over: Option<u64>,
    ) -> Result<Decided, EditError> {
        let seq = self.seq.saturating_add(1);
        let hand = Hand { by: stamp.by, now: stamp.now, edit: stamp.edit, seq };
        self.check_place(&at)?;
        let register = self.state.register(&at);
        match at.field.kind() {
            FieldKind::Text { .. } => Err(EditError::UnknownAddress),
            FieldKind::Command => {
                if self.row_is_out(&at) {
                    return Err(EditError::RowRemoved);
                }
                let before = register.value().cloned();
                Ok(What::Set { at, before, after: Some(value.clone()) }.into())
            }
            FieldKind::Register => {
                self.check_unlocked(&at)?;
                // The revision before all: whatever stands there now was not seen by whoever wrote the chart.
                let seen = Seen { rev: over.unwrap_or(0), own: None };
                if self.row_is_out(&at) {
                    return Err(EditError::RowRemoved);
                }
                let incoming = hand.candidate(Some(value.clone()));
                let set_by = self.book.set_by(&at).unwrap_or(hand.edit);
                let known = |rev| self.book.had(&at, rev);
                Ok(match register.decide(seen, incoming, set_by, known)? {
                    Outcome::Set => {
                        let before = register.value().cloned();
                        What::Set { at, before, after: Some(value.clone()) }.into()
                    }
                    Outcome::Agreed => What::Agreed { at }.into(),
                    Outcome::Conflicted(candidates) => What::Conflicted { at, candidates }.into(),
                })
            }
        }
    }

    fn row_is_out(&self, at: &Address) -> bool {
        at.row.is_some_and(|row| matches!(self.presence(row), Presence::Removed { .. }))
    }

    fn decide_resolve(
        &self,
        hand: Hand,
        at: Address,
        seen: &[u64],
        json: Option<&Json>,
    ) -> Result<Decided, EditError> {
        if at.field == FieldName::Presence {
            // A conflict about presence is in every list, and ends in a presence.
            let row = at.row.filter(|row| self.list_of(*row).is_some());
            if row.is_none() {
                return Err(EditError::UnknownAddress);
            }
        } else {
            self.check_register(&at)?;
        }
        let after = json.map(|json| parse(at.field, json)).transpose()?;
        if at.field == FieldName::Presence && after.is_none() {
            return Err(EditError::BadValue);
        }
        self.check_unlocked(&at)?;
        if !self.state.register(&at).shows(seen) {
            return Err(EditError::StaleResolution);
        }
        let base = seen.iter().copied().max().unwrap_or(0);
        let contested = match at.field {
            FieldName::Presence => None,
            _ => self.contest(hand, &at, base)?,
        };
        Ok(Decided { what: What::Resolved { at, after }, contested })
    }

    fn decide_add(
        &self,
        list: ListName,
        row: RowId,
        after: Option<RowId>,
        values: &BTreeMap<FieldName, Phi<Json>>,
    ) -> Result<Decided, EditError> {
        if list.doc() != self.kind {
            return Err(EditError::UnknownAddress);
        }
        if self.list_of(row).is_some() {
            return Err(EditError::RowExists);
        }
        let mut parsed = BTreeMap::new();
        for (field, json) in values {
            if field.kind() != FieldKind::Register || field.place() != Place::Row(list) {
                return Err(EditError::UnknownAddress);
            }
            parsed.insert(*field, parse(*field, json.expose())?);
        }
        let rows = self.rows(list);
        if after.is_some_and(|after| !rows.contains(&after)) {
            return Err(EditError::UnknownAddress);
        }
        if rows.len() >= ROWS {
            return Err(EditError::ListFull);
        }
        Ok(What::Added { list, row, after, values: parsed }.into())
    }

    fn decide_tombstone(
        &self,
        hand: Hand,
        row: RowId,
        seen: u64,
        reason: &str,
    ) -> Result<Decided, EditError> {
        self.list_of(row).ok_or(EditError::UnknownAddress)?;
        let reason: String = reason.nfc().collect();
        let value = Value::of(&Presence::Removed { reason: reason.clone() }).map_err(refusal)?;
        if self.book.sent(row).is_some() {
            return Err(EditError::Locked);
        }
        if self.is_booked(row) {
            return Err(EditError::Booked);
        }
        match self.presence(row) {
            Presence::Present => {}
            Presence::Removed { .. } if seen >= self.register(&presence_of(row)).rev() => {
                return Err(EditError::RowRemoved);
            }
            Presence::Removed { .. } => {}
        }
        if let Some(touch) = self.book.touched_after(row, seen, &hand.by)
            && matches!(self.register(&presence_of(row)), Register::Empty | Register::Value { .. })
            && self.presence(row) == Presence::Present
        {
            let kept = Candidate {
                value: Some(Value::trusted(&Presence::Present)),
                rev: touch.mark.rev,
                by: touch.mark.by,
                at_ms: touch.mark.at_ms,
                edit: touch.edit,
            };
            let candidates = vec![kept, hand.candidate(Some(value))];
            return Ok(What::Conflicted { at: presence_of(row), candidates }.into());
        }
        let what = What::Tombstoned { row, reason: Phi::new(reason) };
        self.decide_presence(hand, row, seen, value, what)
    }

    fn decide_restore(&self, hand: Hand, row: RowId, seen: u64) -> Result<Decided, EditError> {
        self.list_of(row).ok_or(EditError::UnknownAddress)?;
        let value = Value::trusted(&Presence::Present);
        if self.register(&presence_of(row)) == &Register::Empty {
            return Ok(What::Agreed { at: presence_of(row) }.into());
        }
        self.decide_presence(hand, row, seen, value, What::Restored { row })
    }

    /// Presence is a register whose base is the document's `seq`: what was there then is what the author had seen.
    fn decide_presence(
        &self,
        hand: Hand,
        row: RowId,
        seen: u64,
        value: Value,
        what: What,
    ) -> Result<Decided, EditError> {
        let at = presence_of(row);
        let register = self.register(&at);
        let rev = if seen >= register.rev() { register.rev() } else { 0 };
        let set_by = self.book.set_by(&at).unwrap_or(hand.edit);
        let seen = Seen { rev, own: None };
        Ok(match register.decide(seen, hand.candidate(Some(value)), set_by, |_rev| true)? {
            Outcome::Set => what.into(),
            Outcome::Agreed => What::Agreed { at }.into(),
            Outcome::Conflicted(candidates) => What::Conflicted { at, candidates }.into(),
        })
    }

    fn decide_move(&self, row: RowId, after: Option<RowId>) -> Result<Decided, EditError> {
        let list = self.list_of(row).ok_or(EditError::UnknownAddress)?;
        if after.is_some_and(|after| after == row || !self.rows(list).contains(&after)) {
            return Err(EditError::UnknownAddress);
        }
        Ok(What::Moved { row, after }.into())
    }

    fn decide_text(
        &mut self,
        hand: Hand,
        at: Address,
        base: u64,
        update: &Base64,
        clients: &BTreeSet<u64>,
    ) -> Result<Decided, EditError> {
        let limit = self.check_text(&at)?;
        self.check_unlocked(&at)?;
        if base > self.state.texts.get(&at).map_or(0, |text| text.rev) {
            return Err(EditError::BaseUnknown);
        }
        let contested = self.contest(hand, &at, base)?;
        let passed = match self.state.texts.get_mut(&at) {
            Some(text) => text.admit(&update.0, clients, limit)?,
            None => Text::new().admit(&update.0, clients, limit)?,
        };
        let merged = self.book.unseen(&at, base, &hand.by).and_then(|unseen| {
            let late = hand.now.0.saturating_sub(unseen.since.0) > LATE_MS;
            let renumbered = numbers(&passed.before) != numbers(&passed.after);
            (late || renumbered).then(|| self.merged(&at, unseen.by))
        });
        Ok(Decided { what: What::Text { at, update: update.clone(), merged }, contested })
    }

    /// The others of this merge, and of one before that nobody has read yet.
    fn merged(&self, at: &Address, others: Vec<PersonId>) -> Merged {
        let waiting = self.state.texts.get(at).and_then(|text| text.merged.clone());
        let mut with = waiting.map_or_else(Vec::new, |merged| merged.with);
        for person in others {
            if !with.contains(&person) {
                with.push(person);
            }
        }
        Merged { with }
    }

    fn decide_reviewed(&self, at: Address, seen: u64) -> Result<Decided, EditError> {
        self.check_text(&at)?;
        match self.state.texts.get(&at) {
            Some(text) if text.rev == seen => Ok(What::Reviewed { at }.into()),
            Some(_) | None => Err(EditError::StaleResolution),
        }
    }

    /// The address stands in this document, and its row exists.
    fn check_place(&self, at: &Address) -> Result<(), EditError> {
        let there = match (at.field.place(), at.row) {
            (Place::Row(list), Some(row)) => {
                list.doc() == self.kind && self.rows(list).contains(&row)
            }
            (Place::Document, None) => at.field.doc() == self.kind,
            (Place::About(_), Some(_)) => {
                if at.field.doc() == self.kind && self.abouts_full(at) {
                    return Err(EditError::ListFull);
                }
                at.field.doc() == self.kind
            }
            // Set by removing and restoring.
            (Place::EveryRow, _)
            | (Place::Row(_) | Place::About(_), None)
            | (Place::Document, Some(_)) => false,
        };
        if there { Ok(()) } else { Err(EditError::UnknownAddress) }
    }

    /// Rows of `plan` are not known in `voice`, so what is said about them is bounded here.
    fn abouts_full(&self, at: &Address) -> bool {
        let known = self.state.registers.contains_key(at) || self.state.texts.contains_key(at);
        let said = self.state.registers.keys().chain(self.state.texts.keys());
        !known && said.filter(|other| other.field == at.field).count() >= ROWS
    }

    fn check_register(&self, at: &Address) -> Result<(), EditError> {
        match at.field.kind() {
            FieldKind::Register => self.check_place(at),
            FieldKind::Text { .. } | FieldKind::Command => Err(EditError::UnknownAddress),
        }
    }

    fn check_text(&self, at: &Address) -> Result<usize, EditError> {
        match at.field.kind() {
            FieldKind::Text { limit } => self.check_place(at).map(|()| limit),
            FieldKind::Register | FieldKind::Command => Err(EditError::UnknownAddress),
        }
    }

    /// A reading stands as it was taken, an answer as it was given, and a recommendation as it was sent.
    fn check_unlocked(&self, at: &Address) -> Result<(), EditError> {
        let sent =
            || at.row.is_some_and(|row| self.book.sent(row).is_some() || self.withdrawn(row));
        let locked = match at.field.place() {
            Place::Row(list) if list.append_only() => *self.state.register(at) != Register::Empty,
            Place::Row(ListName::Recommendations) => sent(),
            Place::EveryRow
                if at.row.and_then(|row| self.list_of(row)) == Some(ListName::Recommendations) =>
            {
                sent()
            }
            Place::Row(_) | Place::Document | Place::About(_) | Place::EveryRow => false,
        };
        if locked { Err(EditError::Locked) } else { Ok(()) }
    }

    fn seen(&self, at: &Address, base: Base) -> Result<Seen, EditError> {
        match base {
            Base::Rev(rev) => Ok(Seen { rev, own: None }),
            Base::Mine(edit) => {
                let rev = self.book.rev_of(at, edit).ok_or(EditError::BaseRefused)?;
                Ok(Seen { rev, own: Some(edit) })
            }
        }
    }

    fn presence(&self, row: RowId) -> Presence {
        self.register(&presence_of(row))
            .value()
            .and_then(Value::read::<Presence>)
            .unwrap_or(Presence::Present)
    }

    /// An edit of a row that was removed meanwhile: nobody's work is lost, so the removal is asked about again.
    fn contest(
        &self,
        hand: Hand,
        at: &Address,
        base: u64,
    ) -> Result<Option<Vec<Candidate>>, EditError> {
        let Some(row) = at.row else {
            return Ok(None);
        };
        let Register::Value { value, rev, by, at_ms } = self.register(&presence_of(row)) else {
            return Ok(None);
        };
        if self.presence(row) == Presence::Present {
            return Ok(None);
        }
        if base >= *rev {
            return Err(EditError::RowRemoved);
        }
        let removed = Candidate {
            value: value.clone(),
            rev: *rev,
            by: *by,
            at_ms: *at_ms,
            edit: self.book.set_by(&presence_of(row)).unwrap_or(hand.edit),
        };
        let kept = hand.candidate(Some(Value::trusted(&Presence::Present)));
        Ok(Some(vec![removed, kept]))
    }
}

fn parse(field: FieldName, json: &Json) -> Result<Value, EditError> {
    // Measured before it is parsed: a parser should not see a megabyte.
    if json.to_string().len() > VALUE {
        return Err(EditError::TooBig);
    }
    field.parse(json).map_err(refusal)
}

fn refusal(rule: ValueError) -> EditError {
    match rule {
        ValueError::Length { length, limit, .. } if length > limit => EditError::TooLong,
        ValueError::Shape
        | ValueError::Length { .. }
        | ValueError::OutOfRange { .. }
        | ValueError::ControlCharacter { .. } => EditError::BadValue,
    }
}
