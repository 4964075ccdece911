//! Decisions, signatures and the gate before them. They need the store at once and are never taken again behind
//! somebody's back.

use clinical::actor::{CallTime, Millis};
use clinical::change::{Change, What};
use clinical::command::Command;
use clinical::field::DocKind;
use clinical::gate::{SigningFacts, gate};
use clinical::id::{ConnectionId, DocId, EditId};
use clinical::safety::{self, Agreement};
use clinical::version::SealedVersion;

use super::effect::{Audit, Effect, Fact};
use super::queue::Origin;
use super::{Admitted, FreshIds, RecordSession, refuse, refused, send};
use crate::message::{CommandName, RecordRefusal, RefusalCode, ServerMessage};
use crate::role;

impl RecordSession {
    /// Carries out a decision.
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of one message, its sender and the time"
    )]
    pub fn command(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        call: Option<CallTime>,
        doc: DocId,
        id: EditId,
        command: &Command,
        seen: u64,
        fresh: FreshIds<'_>,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let (index, actor) = match self.admit(now, connection, doc, id, &mut effects) {
            Admitted::Go(index, actor) => (index, actor),
            Admitted::Answered => return effects,
            Admitted::Refused(code) => return refuse(connection, doc, id, code),
        };
        if !role::may_command(actor.role, CommandName::of(command)) {
            return refuse(connection, doc, id, RecordRefusal::NotAllowed);
        }
        if command.writes_list() && !role::may_update_list(actor.role) {
            return refuse(connection, doc, id, RecordRefusal::NotAllowed);
        }
        let Some(sheet) = self.sheets.get_mut(index) else { return effects };
        let for_nobody =
            command.for_addressee().is_some_and(|row| sheet.doc.addressee(row).is_none());
        if for_nobody && !role::may_decide_for_nobody(actor.role) {
            return refuse(connection, doc, id, RecordRefusal::NotAddressee);
        }
        let change = match sheet.doc.command(now, &actor, call, id, command, seen) {
            Ok(change) => change,
            Err(error) => return refuse(connection, doc, id, RecordRefusal::from(error)),
        };
        self.decided(index, connection, call, change, None, &mut effects);
        if matches!(command, Command::Share) {
            self.views_changed(fresh, &mut effects);
        }
        effects
    }

    /// Signs the plan. `facts` are what the record itself cannot know of the signer.
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of one message, its sender, the time and what is known of them"
    )]
    pub fn sign(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        call: Option<CallTime>,
        doc: DocId,
        id: EditId,
        seen: u64,
        facts: &SigningFacts,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let (index, actor) = match self.admit(now, connection, doc, id, &mut effects) {
            Admitted::Go(index, actor) => (index, actor),
            Admitted::Answered => return effects,
            Admitted::Refused(code) => return refuse(connection, doc, id, code),
        };
        if !role::may_command(actor.role, CommandName::Sign) {
            return refuse(connection, doc, id, RecordRefusal::NotAllowed);
        }
        let Some(sheet) = self.sheets.get_mut(index) else { return effects };
        match sheet.doc.sign(now, &actor, call, id, seen, facts) {
            Ok((change, version)) => {
                self.decided(
                    index,
                    connection,
                    call,
                    change,
                    Some(Box::new(version)),
                    &mut effects,
                );
                effects
            }
            Err(error) => refuse(connection, doc, id, RecordRefusal::from(error)),
        }
    }

    /// What is missing before the plan may be signed, for whoever may sign it.
    pub fn gate(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        doc: DocId,
        facts: &SigningFacts,
    ) -> Vec<Effect> {
        const OF: &str = "record.gate";
        let Some(reader) = self.readers.get_mut(&connection) else { return Vec::new() };
        let sheet = self.sheets.iter().find(|sheet| {
            sheet.doc.id() == doc
                && sheet.doc.kind() == DocKind::Plan
                && sheet.view_of(connection).is_some()
        });
        let (Some(sheet), true) = (sheet, role::may_command(reader.actor.role, CommandName::Sign))
        else {
            return vec![refused(connection, OF, RefusalCode::NotAllowed)];
        };
        if !reader.edits.take(now) {
            return vec![refused(connection, OF, RefusalCode::TooFast)];
        }
        let (seq, missing) = (sheet.doc.seq(), gate(&sheet.doc, facts));
        vec![send(connection, ServerMessage::RecordGate { doc, seq, missing })]
    }

    /// The safety prompts of the plan, for whoever reads it whole.
    pub fn safety(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        doc: DocId,
        agreement: Agreement,
    ) -> Vec<Effect> {
        const OF: &str = "record.safety";
        let Some(reader) = self.readers.get_mut(&connection) else { return Vec::new() };
        let sheet = self.sheets.iter().find(|sheet| {
            sheet.doc.id() == doc
                && sheet.doc.kind() == DocKind::Plan
                && sheet.view_of(connection).is_some()
        });
        let (Some(sheet), true) = (sheet, role::may_ask_safety(reader.actor.role)) else {
            return vec![refused(connection, OF, RefusalCode::NotAllowed)];
        };
        if !reader.edits.take(now) {
            return vec![refused(connection, OF, RefusalCode::TooFast)];
        }
        let voice = self.sheets.iter().find(|sheet| sheet.doc.kind() == DocKind::Voice);
        let prompts = safety::prompts(&sheet.doc, voice.map(|sheet| &sheet.doc), agreement, now);
        let seq = sheet.doc.seq();
        vec![send(connection, ServerMessage::RecordSafety { doc, seq, prompts })]
    }

    /// Hands a decision that was just folded to the store.
    fn decided(
        &mut self,
        index: usize,
        connection: ConnectionId,
        call: Option<CallTime>,
        change: Change,
        version: Option<Box<SealedVersion>>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(actor) = self.readers.get(&connection).map(|reader| reader.actor) else { return };
        let Some(sheet) = self.sheets.get_mut(index) else { return };
        sheet.push(change.clone(), Origin { connection, actor, call, edit: None });
        let audit = match &change.what {
            What::Decided { decision, .. } => Some(Audit {
                actor,
                record: self.record,
                fact: Fact::Decided { decision: *decision, row: change.what.row() },
            }),
            _ => None,
        };
        let (doc, change) = (sheet.doc.id(), Box::new(change));
        effects.push(Effect::Store { doc, change, audit, version });
    }
}
