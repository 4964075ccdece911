//! The way of a touchpoint: booked, moved, held or not, cancelled. It goes on after the plan is signed: a command writes
//! into its own fields, and what the signature is about stands in the version, which does not change.

use crate::actor::{Actor, CallTime, Millis};
use crate::change::{Change, DecisionKind, FieldSet, What};
use crate::command::CommandError;
use crate::field::{Address, FieldName, ListName, Presence};
use crate::fold::presence_of;
use crate::id::{EditId, RowId, VisitId};
use crate::touchpoint::{
    BookedTime, GRACE_MS, Step, Touchpoint, TouchpointFormat, TouchpointState, TouchpointStep,
};
use crate::value::{Line, PartialDate, Value};

use super::{Author, Doc, Stamp};

/// What a document cannot know of a touchpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchpointFacts {
    /// The visit booked for it, as far as is known: what is done with it goes with the step.
    pub visit: Option<VisitId>,
    /// That visit took place ([`crate::touchpoint::held`]).
    pub held: bool,
    /// The day where the practice is.
    pub today: PartialDate,
}

impl Doc {
    /// What became of a touchpoint, as far as somebody said.
    pub fn touchpoint(&self, row: RowId) -> Option<TouchpointState> {
        let at = Address { row: Some(row), field: FieldName::TouchpointsState };
        self.register(&at).value().and_then(Value::read)
    }

    /// What was agreed; none while two values wait for somebody to choose.
    pub fn touchpoint_content(&self, row: RowId) -> Option<Touchpoint> {
        let at = Address { row: Some(row), field: FieldName::TouchpointsContent };
        self.register(&at).value().and_then(Value::read)
    }

    /// Whether a visit is booked for a row and nobody has said what became of it: such a row is not taken out, or its
    /// visit would be nobody's.
    pub(super) fn is_booked(&self, row: RowId) -> bool {
        self.touchpoint(row).is_some_and(|state| state.step == TouchpointStep::Booked)
    }

    /// Takes a step of a touchpoint, or refuses it. `seen` is the `seq` of this document the person looked at.
    ///
    /// # Errors
    /// Why it was refused; the document is unchanged.
    #[expect(clippy::too_many_arguments, reason = "a step, who takes it, and what is known of it")]
    pub fn step(
        &mut self,
        now: Millis,
        by: &Actor,
        call: Option<CallTime>,
        id: EditId,
        row: RowId,
        step: &Step,
        seen: u64,
        facts: &TouchpointFacts,
    ) -> Result<Change, CommandError> {
        let what = self.decide_step(now, by, row, step, seen, facts)?;
        let change = self.change(Stamp { now, by: Author::Seat(*by), call, edit: id }, what);
        self.fold(&change).map_err(|_damaged| CommandError::NotComplete)?;
        Ok(change)
    }

    fn decide_step(
        &self,
        now: Millis,
        by: &Actor,
        row: RowId,
        step: &Step,
        seen: u64,
        facts: &TouchpointFacts,
    ) -> Result<What, CommandError> {
        self.check_touchpoint(row)?;
        let before = self.touchpoint(row);
        let step_before = before.as_ref().map_or(TouchpointStep::Planned, |state| state.step);
        let booked = before.as_ref().and_then(|state| state.booked.clone());
        let known = booked.as_ref().map(|booked| booked.visit) == facts.visit;
        let state = |step, booked, on| TouchpointState { step, booked, moved_from: None, on };
        let (decision, next, note) = match step {
            Step::Book(time) => {
                match step_before {
                    TouchpointStep::Planned | TouchpointStep::Missed => {}
                    // Once it was held, one that comes again is booked for the next time.
                    TouchpointStep::Booked if facts.held && self.comes_again(row) => {}
                    TouchpointStep::Done if self.comes_again(row) => {}
                    TouchpointStep::Booked => return Err(CommandError::AlreadyBooked),
                    TouchpointStep::Done | TouchpointStep::Cancelled => {
                        return Err(CommandError::AlreadyDecided);
                    }
                }
                // There is no hour for a message.
                if time.format == TouchpointFormat::Message {
                    return Err(CommandError::BadDecision);
                }
                // Missed, and booked anew: it was moved.
                let moved_from = match step_before {
                    TouchpointStep::Missed => booked.map(|before| before.starts),
                    TouchpointStep::Planned
                    | TouchpointStep::Booked
                    | TouchpointStep::Done
                    | TouchpointStep::Cancelled => None,
                };
                let step = TouchpointStep::Booked;
                let next =
                    TouchpointState { step, booked: Some(time.clone()), moved_from, on: None };
                (DecisionKind::TouchpointBooked, next, "")
            }
            Step::Move { from, to, note } => {
                match step_before {
                    TouchpointStep::Booked | TouchpointStep::Missed => {}
                    TouchpointStep::Planned => return Err(CommandError::NotBooked),
                    TouchpointStep::Done | TouchpointStep::Cancelled => {
                        return Err(CommandError::AlreadyDecided);
                    }
                }
                let old = booked.filter(|old| old.visit == *from).ok_or(CommandError::NotBooked)?;
                // What took place is not moved.
                if facts.held && step_before == TouchpointStep::Booked {
                    return Err(CommandError::AlreadyDecided);
                }
                let next = TouchpointState {
                    step: TouchpointStep::Booked,
                    booked: Some(to.clone()),
                    moved_from: Some(old.starts),
                    on: None,
                };
                (DecisionKind::TouchpointMoved, next, note.as_str())
            }
            Step::Unbook { visit } => {
                let is_it = booked.is_some_and(|booked| booked.visit == *visit);
                let next = match step_before {
                    TouchpointStep::Booked if is_it => TouchpointStep::Planned,
                    // It was missed all the same.
                    TouchpointStep::Missed if is_it => TouchpointStep::Missed,
                    TouchpointStep::Planned
                    | TouchpointStep::Booked
                    | TouchpointStep::Missed
                    | TouchpointStep::Done
                    | TouchpointStep::Cancelled => return Err(CommandError::NotBooked),
                };
                // What took place is not cancelled.
                if facts.held {
                    return Err(CommandError::AlreadyDecided);
                }
                let next = state(next, None, None);
                (DecisionKind::TouchpointUnbooked, next, "")
            }
            Step::Done { on, note } => {
                match step_before {
                    TouchpointStep::Planned | TouchpointStep::Booked | TouchpointStep::Missed => {}
                    TouchpointStep::Done | TouchpointStep::Cancelled => {
                        return Err(CommandError::AlreadyDecided);
                    }
                }
                if !is_day(on) || on.as_str() > facts.today.as_str() {
                    return Err(CommandError::BadDecision);
                }
                // Done elsewhere before its hour came: that visit is not needed.
                let booked = booked.filter(|booked| facts.held || booked.starts_ms <= now);
                let next = state(TouchpointStep::Done, booked, Some(on.clone()));
                (DecisionKind::TouchpointDone, next, note.as_str())
            }
            Step::Missed { note } => {
                match step_before {
                    TouchpointStep::Planned | TouchpointStep::Booked => {}
                    TouchpointStep::Done | TouchpointStep::Missed | TouchpointStep::Cancelled => {
                        return Err(CommandError::AlreadyDecided);
                    }
                }
                let to_come = |booked: &BookedTime| now.0 < booked.starts_ms.0;
                if booked.as_ref().is_some_and(to_come) {
                    return Err(CommandError::YetToCome);
                }
                // What took place was not missed: that it counts for nothing is said by opening it again.
                if facts.held {
                    return Err(CommandError::AlreadyDecided);
                }
                let next = state(TouchpointStep::Missed, booked, None);
                (DecisionKind::TouchpointMissed, next, note.as_str())
            }
            Step::Cancel { note } => {
                match step_before {
                    TouchpointStep::Planned | TouchpointStep::Booked | TouchpointStep::Missed => {}
                    TouchpointStep::Done | TouchpointStep::Cancelled => {
                        return Err(CommandError::AlreadyDecided);
                    }
                }
                if note.trim().is_empty() {
                    return Err(CommandError::BadDecision);
                }
                let next = state(TouchpointStep::Cancelled, None, None);
                (DecisionKind::TouchpointCancelled, next, note.as_str())
            }
            Step::Reopen { note } => {
                let next = match step_before {
                    TouchpointStep::Planned | TouchpointStep::Booked => {
                        return Err(CommandError::NotComplete);
                    }
                    // "Missed" by mistake of a visit that may still be held: the visit goes on to be booked.
                    TouchpointStep::Missed
                        if booked.as_ref().is_some_and(|at| is_near(at, now)) =>
                    {
                        state(TouchpointStep::Booked, booked, None)
                    }
                    TouchpointStep::Done | TouchpointStep::Missed | TouchpointStep::Cancelled => {
                        state(TouchpointStep::Planned, None, None)
                    }
                };
                (DecisionKind::TouchpointReopened, next, note.as_str())
            }
        };
        if !known {
            return Err(CommandError::ChangedSince);
        }
        self.check_unchanged(by, row, seen)?;
        let at = |field| Address { row: Some(row), field };
        let next = Value::of(&next).map_err(|_rule| CommandError::BadDecision)?;
        let note = note.trim();
        let note = (!note.is_empty()).then(|| Value::of(&Line(note.to_owned()))).transpose();
        let note = note.map_err(|_rule| CommandError::BadDecision)?;
        let had_note = self.register(&at(FieldName::TouchpointsNote)).value().is_some();
        let mut sets = vec![FieldSet { at: at(FieldName::TouchpointsState), value: Some(next) }];
        // Words about the step before do not stand beside the next.
        let stays =
            step_before == TouchpointStep::Missed && decision == DecisionKind::TouchpointUnbooked;
        if !stays && (note.is_some() || had_note) {
            sets.push(FieldSet { at: at(FieldName::TouchpointsNote), value: note });
        }
        Ok(What::decided(decision, sets))
    }

    /// "every two weeks".
    fn comes_again(&self, row: RowId) -> bool {
        self.touchpoint_content(row).is_some_and(|content| !content.frequency.trim().is_empty())
    }

    /// The row is there, and nobody disagrees about it.
    fn check_touchpoint(&self, row: RowId) -> Result<(), CommandError> {
        if !self.rows(ListName::Touchpoints).contains(&row) {
            return Err(CommandError::UnknownRow);
        }
        let presence = self.register(&presence_of(row));
        if presence.is_conflict() {
            return Err(CommandError::InConflict);
        }
        match presence.value().and_then(Value::read::<Presence>) {
            Some(Presence::Removed { .. }) => Err(CommandError::UnknownRow),
            Some(Presence::Present) | None => Ok(()),
        }
    }
}

/// A whole day, not "in March".
fn is_day(on: &PartialDate) -> bool {
    on.as_str().len() == "2026-03-10".len()
}

/// Whether a booked visit may still begin.
fn is_near(booked: &BookedTime, now: Millis) -> bool {
    now.0 <= booked.starts_ms.0.saturating_add(GRACE_MS)
}
