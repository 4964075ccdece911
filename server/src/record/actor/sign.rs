//! A signature: what is known of the signer, how they proved who they are, and what is stored with it.

use clinical::actor::CallTime;
use clinical::gate::SigningFacts;
use clinical::id::{ConnectionId, DocId, EditId};
use clinical::phi::Phi;
use clinical::version::Confirmation;
use signaling::message::RecordRefusal;

use super::Task;
use crate::audit::{Entry, Outcome};
use crate::config::StepUp;
use crate::passkey;
use crate::record::proof::Proof;
use crate::record::{record_refusal, version};
use crate::store::{StoreError, now};

impl Task {
    /// What is known of the signer behind a connection. How they confirm is known when they sign.
    pub(super) async fn facts(&self, connection: ConnectionId) -> Result<SigningFacts, StoreError> {
        let reader = self.readers.get(&connection).ok_or(StoreError::Row)?;
        let inner = &self.home.records.inner;
        let (actor, name, visit) = (reader.actor, reader.name.clone(), reader.visit);
        version::facts(&inner.store, actor, name, visit, &inner.signing.requires).await
    }

    /// Signs the plan as it was seen.
    pub(super) async fn sign(
        &mut self,
        connection: ConnectionId,
        call: Option<CallTime>,
        doc: DocId,
        id: EditId,
        seen: u64,
        step_up: Option<Phi<String>>,
    ) {
        if self.is_broken(connection, doc, id) {
            return;
        }
        if !self.session.may_sign(connection) {
            return self.say(connection, record_refusal(doc, id, RecordRefusal::NotAllowed));
        }
        let refuse = match self.facts(connection).await {
            Err(_away) => RecordRefusal::StorageAway,
            Ok(facts) => match self.confirmed(connection, doc, id, seen, step_up).await {
                Err(code) => code,
                Ok(proof) => {
                    return self.signed(connection, call, doc, id, seen, facts, proof).await;
                }
            },
        };
        if matches!(refuse, RecordRefusal::StepUpNeeded | RecordRefusal::PasskeyNeeded) {
            self.note_unproved(connection, doc).await;
        }
        self.say(connection, record_refusal(doc, id, refuse));
    }

    /// A signature without its proof stands in the log of accesses: somebody was too slow, or has no more than the link.
    async fn note_unproved(&mut self, connection: ConnectionId, doc: DocId) {
        let Some(actor) = self.readers.get(&connection).map(|reader| reader.actor) else { return };
        if !self.unproved.insert((actor.seat, doc)) {
            return;
        }
        let entry = self.entry_of(actor, "plan.sign_refused", format!("doc:{doc}"));
        let entry = Entry { outcome: Outcome::Denied, ..entry };
        if let Err(error) = self.home.records.inner.writer.audit(vec![entry]).await {
            tracing::warn!(%error, "a refused signature is not in the log of accesses");
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of one message, and what is known of its sender"
    )]
    async fn signed(
        &mut self,
        connection: ConnectionId,
        call: Option<CallTime>,
        doc: DocId,
        id: EditId,
        seen: u64,
        facts: SigningFacts,
        proof: Option<Proof>,
    ) {
        let mut with = self.mails_of_signing(connection).await;
        let mut confirmed = Confirmation::Link;
        if let (Some(Proof { passkey, at, evidence, .. }), Some(log)) = (proof, self.logs.get(&doc))
        {
            match evidence.statement(&log.dek, at) {
                Ok(statement) => with.first.push(statement),
                Err(error) => {
                    tracing::error!(%error, "a confirmation could not be sealed");
                    let refusal = record_refusal(doc, id, RecordRefusal::StorageAway);
                    return self.say(connection, refusal);
                }
            }
            confirmed = Confirmation::Passkey { passkey, at_ms: at };
        }
        let facts = SigningFacts { confirmed, ..facts };
        let effects = self.session.sign(now(), connection, call, doc, id, seen, &facts);
        self.carry_out_with(Some(connection), effects, with).await;
    }

    /// The proof of who signs, where one is needed. From somebody's first passkey on it always is.
    async fn confirmed(
        &self,
        connection: ConnectionId,
        doc: DocId,
        id: EditId,
        seen: u64,
        step_up: Option<Phi<String>>,
    ) -> Result<Option<Proof>, RecordRefusal> {
        // Sent again after it was stored: it is answered as it was then, and signs nothing.
        let stored = self.session.docs().any(|held| held.id() == doc && held.seq_of(id).is_some());
        if stored {
            return Ok(None);
        }
        let Some(reader) = self.readers.get(&connection) else {
            return Err(RecordRefusal::NotOpen);
        };
        let (actor, visit) = (reader.actor, reader.visit);
        let inner = &self.home.records.inner;
        let held = passkey::held_by(&inner.store, actor.person).await;
        let held = held.map_err(|_away| RecordRefusal::StorageAway)?;
        if held == 0 {
            return match inner.signing.step_up {
                StepUp::WhenEnrolled => Ok(None),
                StepUp::Required => Err(RecordRefusal::PasskeyNeeded),
            };
        }
        let fits = |proof: &Proof| {
            let asked = &proof.question;
            proof.person == actor.person
                && Some(asked.visit) == visit
                && (asked.doc, asked.seen) == (doc, seen)
        };
        let proof = step_up.and_then(|secret| inner.proofs.take(now(), actor.seat, &secret, fits));
        let proof = proof.ok_or(RecordRefusal::StepUpNeeded)?;
        // It may have been taken away since it answered.
        match passkey::holds(&inner.store, actor.person, &proof.passkey).await {
            Ok(true) => Ok(Some(proof)),
            Ok(false) => Err(RecordRefusal::StepUpNeeded),
            Err(_away) => Err(RecordRefusal::StorageAway),
        }
    }
}
