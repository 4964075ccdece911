//! Answers worked out from whole documents: what is missing before a signature, the safety prompts.
//!
//! They are worked out at once and told when everything they were worked out from is stored: nobody reads in them of a
//! change that may still be lost. If it is lost, who asked is told to ask again.

use clinical::actor::Millis;
use clinical::field::DocKind;
use clinical::gate::{SigningFacts, gate};
use clinical::id::{ConnectionId, DocId};
use clinical::safety::{self, Agreement};
use clinical::view::View;

use super::effect::Effect;
use super::{RecordSession, refused, send};
use crate::message::{CommandName, RefusalCode, ServerMessage};
use crate::role;

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Question {
    Gate,
    Safety,
}

impl Question {
    /// The message that asks it.
    const fn name(self) -> &'static str {
        match self {
            Self::Gate => "record.gate",
            Self::Safety => "record.safety",
        }
    }
}

/// An answer that waits for the store. One for each connection and question: a newer one takes its place.
pub(super) struct Held {
    connection: ConnectionId,
    plan: DocId,
    question: Question,
    /// Each document it was worked out from, and the `seq` it had.
    from: Vec<(DocId, u64)>,
    message: ServerMessage,
}

impl RecordSession {
    /// Whether a connection may ask what is missing before the plan may be signed; else the refusal. Asked first: what
    /// the answer needs to know is read from the store, for nobody who may not have it.
    pub fn may_ask_gate(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        doc: DocId,
    ) -> Result<(), Vec<Effect>> {
        let may = |role| role::may_command(role, CommandName::Sign);
        self.may_ask(now, connection, doc, Question::Gate, may)
    }

    /// What is missing before the plan may be signed, for whoever may ask ([`Self::may_ask_gate`]).
    pub fn gate(
        &mut self,
        connection: ConnectionId,
        doc: DocId,
        facts: &SigningFacts,
    ) -> Vec<Effect> {
        let Some(sheet) = self.sheets.iter().find(|sheet| sheet.doc.id() == doc) else {
            return Vec::new();
        };
        let (seq, missing) = (sheet.doc.seq(), gate(&sheet.doc, facts));
        let message = ServerMessage::RecordGate { doc, seq, missing };
        let (question, from) = (Question::Gate, vec![(doc, seq)]);
        self.answer(Held { connection, plan: doc, question, from, message })
    }

    /// Whether a connection may ask for the safety prompts; else the refusal. Asked first, as for the gate.
    pub fn may_ask_safety(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        doc: DocId,
    ) -> Result<(), Vec<Effect>> {
        self.may_ask(now, connection, doc, Question::Safety, role::may_ask_safety)
    }

    /// The safety prompts of the plan, for whom [`Self::may_ask_safety`] let ask.
    pub fn safety(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        doc: DocId,
        agreement: Agreement,
    ) -> Vec<Effect> {
        if !self.reads_plan(connection, doc) {
            return Vec::new();
        }
        let Some(sheet) = self.sheets.iter().find(|sheet| sheet.doc.id() == doc) else {
            return Vec::new();
        };
        let voice = self.sheets.iter().find(|sheet| sheet.doc.kind() == DocKind::Voice);
        let prompts = safety::prompts(&sheet.doc, voice.map(|sheet| &sheet.doc), agreement, now);
        let seq = sheet.doc.seq();
        let message = ServerMessage::RecordSafety { doc, seq, prompts };
        let from = [Some(sheet), voice];
        let from = from.into_iter().flatten().map(|one| (one.doc.id(), one.doc.seq())).collect();
        self.answer(Held { connection, plan: doc, question: Question::Safety, from, message })
    }

    fn may_ask(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        doc: DocId,
        question: Question,
        may: impl FnOnce(clinical::actor::Role) -> bool,
    ) -> Result<(), Vec<Effect>> {
        let open = self.reads_plan(connection, doc);
        let Some(reader) = self.readers.get_mut(&connection) else { return Err(Vec::new()) };
        if !open || !may(reader.actor.role) {
            return Err(vec![refused(connection, question.name(), RefusalCode::NotAllowed)]);
        }
        if !reader.derived.take(now) {
            return Err(vec![refused(connection, question.name(), RefusalCode::TooFast)]);
        }
        Ok(())
    }

    fn reads_plan(&self, connection: ConnectionId, doc: DocId) -> bool {
        self.sheets.iter().any(|sheet| {
            sheet.doc.id() == doc
                && sheet.doc.kind() == DocKind::Plan
                && sheet.view_of(connection) == Some(View::Full)
        })
    }

    /// Tells an answer now, or when everything it was worked out from is stored.
    fn answer(&mut self, held: Held) -> Vec<Effect> {
        let Held { connection, question, .. } = held;
        self.held.retain(|other| other.connection != connection || other.question != question);
        let lost = |sheet: &super::queue::Sheet| {
            sheet.failed.is_some() && held.from.iter().any(|(doc, _)| *doc == sheet.doc.id())
        };
        if self.sheets.iter().any(lost) {
            return vec![refused(connection, question.name(), RefusalCode::Busy)];
        }
        self.held.push(held);
        let mut effects = Vec::new();
        self.release_answers(&mut effects);
        effects
    }

    /// Tells every answer that waits for nothing any more, to whoever still reads the plan.
    pub(super) fn release_answers(&mut self, effects: &mut Vec<Effect>) {
        let (due, held): (Vec<_>, Vec<_>) = std::mem::take(&mut self.held)
            .into_iter()
            .filter(|held| self.reads_plan(held.connection, held.plan))
            .partition(|held| held.from.iter().all(|(doc, seq)| self.has_stored(*doc, *seq)));
        self.held = held;
        effects.extend(due.into_iter().map(|held| send(held.connection, held.message)));
    }

    /// What a document said was not stored: nothing that was worked out from it is told.
    pub(super) fn drop_answers(&mut self, doc: DocId, effects: &mut Vec<Effect>) {
        self.held.retain(|held| {
            let lost = held.from.iter().any(|(from, _)| *from == doc);
            if lost {
                effects.push(refused(held.connection, held.question.name(), RefusalCode::Busy));
            }
            !lost
        });
    }

    fn has_stored(&self, doc: DocId, seq: u64) -> bool {
        self.sheets.iter().any(|sheet| sheet.doc.id() == doc && sheet.settled_seq >= seq)
    }
}
