//! Decisions and signatures. They need the store at once and are never taken again behind
//! somebody's back.

use clinical::actor::{Actor, CallTime, Millis};
use clinical::change::{Change, What};
use clinical::command::Command;
use clinical::doc::AgreementFacts;
use clinical::field::DocKind;
use clinical::gate::SigningFacts;
use clinical::id::{ConnectionId, DocId, EditId, RowId};
use clinical::phi::Phi;
use clinical::recommendation::ByLink;
use clinical::version::SealedVersion;

use super::effect::{Audit, Effect, Fact};
use super::queue::Origin;
use super::refusal::refusal_of;
use super::{Admitted, FreshIds, RecordSession, UNSETTLED, refuse};
use crate::message::{CommandName, PersonName, RecordRefusal};
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
        let who = Who { connection, actor, call, way: Way::Seat };
        if let Err(code) = self.give(now, index, who, id, command, seen, &mut effects) {
            return refuse(connection, doc, id, code);
        }
        if matches!(command, Command::Share) {
            self.views_changed(fresh, &mut effects);
        }
        effects
    }

    /// Takes the answer to one recommendation from whom it is addressed to, who has nothing of the record open: the
    /// way of a link outside a visit. Whatever else the command is about is refused, and so is a decision of which
    /// nobody says who gives it. The connection is told when the answer is stored, and nothing more; it is to be closed
    /// afterwards.
    #[expect(clippy::too_many_arguments, reason = "an answer, who gives it and what it is about")]
    pub fn answer_by_link(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        actor: Actor,
        name: Phi<String>,
        row: RowId,
        id: EditId,
        command: &Command,
        seen: u64,
        by_link: Option<&ByLink>,
    ) -> Vec<Effect> {
        let Some(sheet) = self.plan_sheet() else { return Vec::new() };
        let doc = sheet.doc.id();
        let unsaid = matches!(command, Command::Decide { .. }) && by_link.is_none();
        if command.for_addressee() != Some(row) || unsaid {
            return refuse(connection, doc, id, RecordRefusal::NotAllowed);
        }
        let who = Who { connection, actor, call: None, way: Way::Link(by_link) };
        self.give_from_outside(now, who, name, id, command, seen)
    }

    /// Takes from the primary care provider that a signed version was read, when nothing of the record is open on this
    /// connection: the page of a mailed link. It is told when that is stored, and nothing more; it is to be closed
    /// afterwards.
    pub fn acknowledge(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        actor: Actor,
        name: Phi<String>,
        id: EditId,
        version: u32,
    ) -> Vec<Effect> {
        let Some(seen) = self.plan_sheet().map(|sheet| sheet.doc.seq()) else { return Vec::new() };
        let who = Who { connection, actor, call: None, way: Way::Seat };
        // Which version was read is what counts, not what else stands in the plan since.
        self.give_from_outside(now, who, name, id, &Command::Acknowledge { version }, seen)
    }

    fn plan_sheet(&self) -> Option<&super::queue::Sheet> {
        self.sheets.iter().find(|sheet| sheet.doc.kind() == DocKind::Plan)
    }

    /// Gives a command about the plan for somebody who has nothing of the record open.
    fn give_from_outside(
        &mut self,
        now: Millis,
        who: Who<'_>,
        name: Phi<String>,
        id: EditId,
        command: &Command,
        seen: u64,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let (connection, Actor { person, role, .. }) = (who.connection, who.actor);
        let plan = |sheet: &super::queue::Sheet| sheet.doc.kind() == DocKind::Plan;
        let Some(index) = self.sheets.iter().position(plan) else { return effects };
        let Some(sheet) = self.sheets.get(index) else { return effects };
        let doc = sheet.doc.id();
        if let Some(failure) = sheet.failed {
            return refuse(connection, doc, id, refusal_of(failure));
        }
        if sheet.unsettled() >= UNSETTLED || sheet.doc.seq_of(id).is_some() {
            return refuse(connection, doc, id, RecordRefusal::Busy);
        }
        self.people.insert(person, PersonName { person, name, role });
        self.outside.insert(connection);
        match self.give(now, index, who, id, command, seen, &mut effects) {
            Ok(()) => effects,
            Err(code) => refuse(connection, doc, id, code),
        }
    }

    /// Carries a recommendation out under the agreement it names, or sends it to the physician with the reasons why not.
    /// `facts` are the agreements of the patient, which the record itself does not hold.
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of one message, its sender, the time and what is known of the agreement"
    )]
    pub fn act_under_agreement(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        call: Option<CallTime>,
        doc: DocId,
        id: EditId,
        command: &Command,
        seen: u64,
        facts: &AgreementFacts<'_>,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let (index, actor) = match self.admit(now, connection, doc, id, &mut effects) {
            Admitted::Go(index, actor) => (index, actor),
            Admitted::Answered => return effects,
            Admitted::Refused(code) => return refuse(connection, doc, id, code),
        };
        let Command::ActUnderAgreement { row, note, list } = command else {
            return refuse(connection, doc, id, RecordRefusal::NotAllowed);
        };
        if !self.may_act_under_agreement(connection)
            || (list.is_some() && !role::may_update_list(actor.role))
        {
            return refuse(connection, doc, id, RecordRefusal::NotAllowed);
        }
        let voice = self.sheets.iter().find(|sheet| sheet.doc.kind() == DocKind::Voice);
        let withdrawn_in_record =
            voice.and_then(|sheet| clinical::consent::cdtm_withdrawn(&sheet.doc));
        let facts = AgreementFacts { withdrawn_in_record, ..*facts };
        let Some(sheet) = self.sheets.get_mut(index) else { return effects };
        let list = list.as_deref().map(Phi::expose);
        let note = note.expose();
        match sheet.doc.act_under_agreement(now, &actor, call, id, *row, note, list, seen, &facts) {
            Ok(change) => {
                let who = Who { connection, actor, call, way: Way::Seat };
                self.decided(index, who, change, None, &mut effects);
                effects
            }
            Err(error) => refuse(connection, doc, id, RecordRefusal::from(error)),
        }
    }

    /// Whether somebody acts under agreements at all.
    pub fn may_act_under_agreement(&self, connection: ConnectionId) -> bool {
        self.readers.get(&connection).is_some_and(|reader| {
            role::may_command(reader.actor.role, CommandName::ActUnderAgreement)
        })
    }

    /// Gives a command to a document, by who may.
    #[expect(clippy::too_many_arguments, reason = "a command, who gives it and what comes of it")]
    fn give(
        &mut self,
        now: Millis,
        index: usize,
        who: Who<'_>,
        id: EditId,
        command: &Command,
        seen: u64,
        effects: &mut Vec<Effect>,
    ) -> Result<(), RecordRefusal> {
        let Who { connection: _, actor, call, way } = who;
        if !self.hand(&actor).may_command(CommandName::of(command))
            || (command.writes_list() && !role::may_update_list(actor.role))
        {
            return Err(RecordRefusal::NotAllowed);
        }
        let sheet = self.sheets.get_mut(index).ok_or(RecordRefusal::NotOpen)?;
        let for_nobody =
            command.for_addressee().is_some_and(|row| sheet.doc.addressee(row).is_none());
        let change = match way {
            // It was made for one recommendation and whoever that asks.
            Way::Link(by_link) => {
                sheet.doc.answer_by_link(now, &actor, id, command, seen, by_link)?
            }
            Way::Seat if for_nobody && !role::may_decide_for_nobody(actor.role) => {
                return Err(RecordRefusal::NotAddressee);
            }
            Way::Seat => sheet.doc.command(now, &actor, call, id, command, seen)?,
        };
        self.decided(index, who, change, None, effects);
        Ok(())
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
                let who = Who { connection, actor, call, way: Way::Seat };
                self.decided(index, who, change, Some(Box::new(version)), &mut effects);
                effects
            }
            Err(error) => refuse(connection, doc, id, RecordRefusal::from(error)),
        }
    }

    /// Whether somebody may sign at all.
    pub fn may_sign(&self, connection: ConnectionId) -> bool {
        self.readers
            .get(&connection)
            .is_some_and(|reader| role::may_command(reader.actor.role, CommandName::Sign))
    }

    /// Hands a decision that was just folded to the store.
    pub(super) fn decided(
        &mut self,
        index: usize,
        who: Who<'_>,
        change: Change,
        version: Option<Box<SealedVersion>>,
        effects: &mut Vec<Effect>,
    ) {
        let Who { connection, actor, call, way: _ } = who;
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

/// Who decides, from where.
#[derive(Clone, Copy)]
pub(super) struct Who<'a> {
    pub(super) connection: ConnectionId,
    pub(super) actor: Actor,
    pub(super) call: Option<CallTime>,
    pub(super) way: Way<'a>,
}

/// How it comes.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// From somebody who is signed in.
    Seat,
    /// By a link, and what is said of who holds it.
    Link(Option<&'a ByLink>),
}
