//! What becomes of touchpoints: a visit is booked, moved or cancelled, and somebody says whether it took place. Visits
//! are kept beside the record, so the step comes from outside and is stored together with them, or not at all.

use clinical::actor::{Actor, Millis};
use clinical::doc::TouchpointFacts;
use clinical::field::DocKind;
use clinical::id::{ConnectionId, EditId, RowId};
use clinical::phi::Phi;
use clinical::touchpoint::Step;

use super::decide::{Way, Who};
use super::effect::Effect;
use super::refusal::refusal_of;
use super::{RecordSession, UNSETTLED, refuse};
use crate::message::{CommandName, PersonName, RecordRefusal};

impl CommandName {
    /// The name under which a step of a touchpoint is allowed.
    pub const fn of_step(step: &Step) -> Self {
        match step {
            Step::Book(_)
            | Step::Move { .. }
            | Step::Unbook { .. }
            | Step::Cancel { .. }
            | Step::Reopen { .. } => Self::BookTouchpoint,
            Step::Done { .. } | Step::Missed { .. } => Self::TellTouchpoint,
        }
    }
}

impl RecordSession {
    /// Takes a step of a touchpoint from somebody who has nothing of the record open on this connection. The connection
    /// is told when it is stored, and nothing more; it is to be closed afterwards.
    #[expect(clippy::too_many_arguments, reason = "a step, who takes it and what is known of it")]
    pub fn step(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        actor: Actor,
        name: Phi<String>,
        row: RowId,
        id: EditId,
        step: &Step,
        seen: u64,
        facts: &TouchpointFacts,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let hand = self.hand(&actor);
        let plan = |sheet: &super::queue::Sheet| sheet.doc.kind() == DocKind::Plan;
        let Some(index) = self.sheets.iter().position(plan) else { return effects };
        let Some(sheet) = self.sheets.get_mut(index) else { return effects };
        let doc = sheet.doc.id();
        if let Some(failure) = sheet.failed {
            return refuse(connection, doc, id, refusal_of(failure));
        }
        if sheet.unsettled() >= UNSETTLED || sheet.doc.seq_of(id).is_some() {
            return refuse(connection, doc, id, RecordRefusal::Busy);
        }
        if !hand.may_command(CommandName::of_step(step)) {
            return refuse(connection, doc, id, RecordRefusal::NotAllowed);
        }
        let person = actor.person;
        match sheet.doc.step(now, &actor, None, id, row, step, seen, facts) {
            Ok(change) => {
                self.people.insert(person, PersonName { person, name, role: actor.role });
                self.outside.insert(connection);
                let who = Who { connection, actor, call: None, way: Way::Seat };
                self.decided(index, who, change, None, &mut effects);
                effects
            }
            Err(error) => refuse(connection, doc, id, RecordRefusal::from(error)),
        }
    }
}
