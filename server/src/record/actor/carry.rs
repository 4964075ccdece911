//! Carrying out what the session decided, in order.

use clinical::change::{Change, DecisionKind};
use clinical::edit::Edit;
use clinical::field::DocKind;
use clinical::id::{ConnectionId, DocId};
use clinical::version::SealedVersion;
use signaling::message::{RecordRefusal, RefusalCode, ServerMessage};
use signaling::record::{Audit, ChartTaken, Effect, Fact};
use uuid::Uuid;

use super::agreement::Used;
use super::{InFlight, Task};
use crate::agreement;
use crate::audit::{Entry, Outcome};
use crate::record::store::{self, kind_name, quarantine_statement, seal_change};
use crate::record::version;
use crate::record::writer::{Answer, Append, Client, Statement, Work};
use crate::record::{
    About, Acceptance, Answer as Outside, Cut, Reader, Said, record_refusal, refused,
};
use crate::store::now;

impl Task {
    /// An answer from outside: its sender hears what becomes of it, and nothing else of the record.
    pub(super) async fn answer(&mut self, reader: Reader, answer: Outside) {
        let Outside { id, what, seen } = answer;
        let (connection, actor, name) = (reader.connection, reader.actor, reader.name.clone());
        self.readers.insert(connection, reader);
        self.empty_since = None;
        let plan = self.session.docs().find(|held| held.kind() == DocKind::Plan);
        let Some(doc) = plan.map(clinical::doc::Doc::id) else { return };
        if self.is_broken(connection, doc, id) {
            return;
        }
        let (effects, with) = match what {
            About::Recommendation { row, command, by_link } => {
                let (session, by_link) = (&mut self.session, by_link.as_ref());
                let effects = session.answer_by_link(
                    now(),
                    connection,
                    actor,
                    name,
                    row,
                    id,
                    &command,
                    seen,
                    by_link,
                );
                (effects, Work::default())
            }
            About::Touchpoint { row, step, facts, with } => {
                let session = &mut self.session;
                let effects =
                    session.step(now(), connection, actor, name, row, id, &step, seen, &facts);
                (effects, *with)
            }
            About::Acknowledged { version } => {
                let session = &mut self.session;
                let effects = session.acknowledge(now(), connection, actor, name, id, version);
                (effects, Work::default())
            }
        };
        self.carry_out_with(Some(connection), effects, with).await;
    }

    /// What somebody accepted of a chart: they hear of each edit when it is stored, and nothing else of the record.
    pub(super) async fn take_chart(
        &mut self,
        reader: Reader,
        acceptance: Acceptance,
    ) -> Result<ChartTaken, RecordRefusal> {
        let Acceptance { chart, known, accept } = acceptance;
        let (connection, actor, name) = (reader.connection, reader.actor, reader.name.clone());
        self.readers.insert(connection, reader);
        self.empty_since = None;
        if self.logs.values().any(|log| log.poison.is_some()) {
            return Err(RecordRefusal::StorageFailed);
        }
        let fresh = &mut Uuid::now_v7;
        let (effects, taken) = self.session.take_chart(
            now(),
            connection,
            actor,
            name,
            &chart,
            &known,
            &accept,
            fresh,
        )?;
        self.carry_out(Some(connection), effects).await;
        Ok(taken)
    }

    /// An edit sent again whose change is older than the document remembers: the index knows it.
    pub(super) async fn stored_before(
        &self,
        connection: ConnectionId,
        doc: DocId,
        edit: &Edit,
    ) -> bool {
        let held = self.session.docs().find(|held| held.id() == doc);
        let (Some(held), Some(log)) = (held, self.logs.get(&doc)) else { return false };
        if held.seq_of(edit.id).is_some() {
            return false;
        }
        let prev = held.seq();
        let store = &self.home.records.inner.store;
        match store::change_of_edit(store, &log.dek, doc, edit.id).await {
            Ok(None) => false,
            Ok(Some(_change)) => {
                // If `prev` is not what this connection was sent, it asks for the document again.
                let edit = edit.id;
                self.say(connection, ServerMessage::RecordAck { doc, edit, prev, change: None });
                true
            }
            Err(_away) => {
                self.say(connection, record_refusal(doc, edit.id, RecordRefusal::StorageAway));
                true
            }
        }
    }

    /// Carries out effects in order. What must be durable before something is shown (who reads it, whose a Yjs client
    /// id is) is committed first, in one transaction for all of them.
    ///
    /// `asker` is the connection whose message led to them: if the log of accesses cannot be written, it is not
    /// answered with a document.
    pub(super) async fn carry_out(&mut self, asker: Option<ConnectionId>, effects: Vec<Effect>) {
        self.carry_out_with(asker, effects, Work::default()).await;
    }

    /// The same; `with` is stored in one transaction with the change among them, and not at all without one.
    pub(super) async fn carry_out_with(
        &mut self,
        asker: Option<ConnectionId>,
        effects: Vec<Effect>,
        mut with: Work,
    ) {
        let mut before = Work::default();
        let mut said = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                Effect::Store { doc, change, audit, version } => {
                    let with = std::mem::take(&mut with);
                    self.hand_in(doc, &change, audit, version.as_deref(), with);
                }
                Effect::Audit(audit) => before.audit.push(self.entry(audit)),
                Effect::AssignClient { doc, client, person } => {
                    before.clients.push(Client { doc, client_id: client, person, at_ms: now() })
                }
                Effect::Quarantine { doc, actor, edit, code } => {
                    let Some(log) = self.logs.get(&doc) else { continue };
                    match quarantine_statement(&log.dek, doc, actor.person, &edit, code) {
                        Ok(statement) => before.first.push(statement),
                        Err(error) => tracing::warn!(%error, "a refused text could not be kept"),
                    }
                }
                Effect::Send { .. } | Effect::Close { .. } | Effect::ReadHistory { .. } => {
                    said.push(effect);
                }
            }
        }
        if !self.settle(before).await {
            self.close_unseen(asker);
            return;
        }
        for effect in said {
            match effect {
                Effect::Send { to, message } => {
                    let said = Said::from(*message);
                    for connection in to {
                        self.say(connection, said.clone());
                    }
                }
                Effect::Close { connection, code: _ } => {
                    if let Some(reader) = self.readers.get(&connection) {
                        reader.outgoing.cut(Cut::Misbehaves);
                    }
                }
                Effect::ReadHistory { doc, connection, at, before } => {
                    if !self.read_history(connection, doc, at, before) {
                        self.say(connection, refused("record.history", RefusalCode::Busy));
                    }
                }
                Effect::Store { .. }
                | Effect::Audit(_)
                | Effect::AssignClient { .. }
                | Effect::Quarantine { .. } => {}
            }
        }
    }

    /// Commits what must come first.
    async fn settle(&self, before: Work) -> bool {
        let Work { first, append, clients, audit } = &before;
        if first.is_empty() && append.is_empty() && clients.is_empty() && audit.is_empty() {
            return true;
        }
        // A refused text that cannot be kept is no reason to hide a document.
        let must = !(clients.is_empty() && audit.is_empty());
        let stored = self.home.records.inner.writer.store(before).await == Answer::Stored;
        if must && !stored {
            tracing::warn!(record.id = %self.home.record, "the log of accesses cannot be written: a document is not shown");
        }
        stored || !must
    }

    /// A read that is not in the log of accesses does not happen: whoever was to see something new opens again.
    fn close_unseen(&mut self, asker: Option<ConnectionId>) {
        let closing: Vec<ConnectionId> = match asker {
            Some(connection) => vec![connection],
            None => self.readers.keys().copied().collect(),
        };
        for connection in closing {
            // Carets of a reader that closes: they say nothing anybody must know.
            let _carets = self.session.close(connection);
            if let Some(reader) = self.readers.remove(&connection) {
                reader.outgoing.say(refused("record.open", RefusalCode::Busy));
            }
            self.home.records.inner.desk().closed(connection, self.home.record);
        }
        if self.readers.is_empty() {
            self.empty_since = Some(tokio::time::Instant::now());
        }
    }

    /// Hands a change to the writer.
    fn hand_in(
        &mut self,
        doc: DocId,
        change: &Change,
        audit: Option<Audit>,
        version: Option<&SealedVersion>,
        with: Work,
    ) {
        let mut entries: Vec<Entry> = audit.map(|audit| self.entry(audit)).into_iter().collect();
        if entries.is_empty()
            && let clinical::actor::Author::Seat(actor) = change.by
            && self.wrote.insert((actor.person, doc))
        {
            let object = self.object(self.kind(doc));
            entries.push(self.entry_of(actor, "record.edited", object));
        }
        entries.extend(with.audit);
        let used = self.used_agreement(change);
        let Some(log) = self.logs.get_mut(&doc) else { return };
        let signer = change.by.person();
        let sealed = seal_change(&log.dek, doc, &mut log.last, change).and_then(|row| {
            let signed = version.zip(signer);
            let signed = signed.map(|(version, by)| version::statement(&log.dek, doc, version, by));
            let mut first: Vec<Statement> = signed.transpose()?.into_iter().collect();
            if let Some(Used { agreement, patient, n, entry }) = &used {
                first.extend(agreement::store::write(&log.dek, *agreement, *patient, *n, entry)?);
            }
            first.extend(with.first);
            Ok((row, first))
        });
        let (bytes, answered) = match sealed {
            Ok((row, first)) => {
                let bytes = row.body.len();
                let before = change.seq.saturating_sub(1);
                let append = vec![Append { doc, epoch: log.epoch, before, rows: vec![row] }];
                let work = Work { first, append, audit: entries, ..Work::default() };
                (bytes, self.home.records.inner.writer.submit(work))
            }
            Err(error) => {
                tracing::error!(%error, "a change could not be sealed");
                let (answer, answered) = tokio::sync::oneshot::channel();
                let _waiting = answer.send(Answer::Away);
                (0, answered)
            }
        };
        self.in_flight.push_back(InFlight { doc, seq: change.seq, bytes, answered });
    }

    fn kind(&self, doc: DocId) -> Option<DocKind> {
        self.session.docs().find(|held| held.id() == doc).map(clinical::doc::Doc::kind)
    }

    fn object(&self, kind: Option<DocKind>) -> String {
        let record = self.home.record;
        kind.map_or_else(
            || format!("record:{record}"),
            |kind| format!("record:{record}/{}", kind_name(kind)),
        )
    }

    fn entry(&self, audit: Audit) -> Entry {
        let Audit { actor, record: _, fact } = audit;
        let (action, object) = match fact {
            Fact::Read { kind, view: _ } => ("record.read", self.object(Some(kind))),
            Fact::Decided { decision, row } => {
                let action = match decision {
                    DecisionKind::Shared => "plan.shared",
                    DecisionKind::RecommendationSent => "recommendation.sent",
                    DecisionKind::RecommendationSeen => "recommendation.seen",
                    DecisionKind::RecommendationDecided => "recommendation.decided",
                    DecisionKind::RecommendationImplemented => "recommendation.implemented",
                    DecisionKind::RecommendationVerified => "recommendation.verified",
                    DecisionKind::RecommendationWithdrawn => "recommendation.withdrawn",
                    DecisionKind::AgreementActed => "cdtm.action",
                    DecisionKind::AgreementRefused => "cdtm.refused",
                    DecisionKind::Signed => "plan.signed",
                    DecisionKind::Addended => "plan.addendum",
                    DecisionKind::PlanAcknowledged => "plan.acknowledged",
                    DecisionKind::PlanAnswered => "plan.answered",
                    DecisionKind::PlanHandedOn => "plan.handed_on",
                    DecisionKind::RevisionOpened => "plan.revision_opened",
                    DecisionKind::TouchpointBooked => "touchpoint.booked",
                    DecisionKind::TouchpointMoved => "touchpoint.moved",
                    DecisionKind::TouchpointUnbooked => "touchpoint.unbooked",
                    DecisionKind::TouchpointDone => "touchpoint.done",
                    DecisionKind::TouchpointMissed => "touchpoint.missed",
                    DecisionKind::TouchpointCancelled => "touchpoint.cancelled",
                    DecisionKind::TouchpointReopened => "touchpoint.reopened",
                };
                let object = row.map_or_else(|| self.object(None), |row| format!("row:{row}"));
                (action, object)
            }
            Fact::AccessChanged => ("access.preference_changed", self.object(None)),
            Fact::Misbehaved => ("record.misbehaved", self.object(None)),
        };
        self.entry_of(actor, action, object)
    }

    pub(super) fn entry_of(
        &self,
        actor: clinical::actor::Actor,
        action: &'static str,
        object: String,
    ) -> Entry {
        let visit = self
            .readers
            .values()
            .find(|reader| reader.actor.seat == actor.seat)
            .and_then(|reader| reader.visit);
        Entry {
            at_ms: now(),
            person: Some(actor.person),
            role: Some(actor.role),
            on_behalf_of: None,
            action,
            outcome: Outcome::Done,
            patient: self.patient,
            object,
            visit,
            detail: None,
        }
    }
}
