//! What a pharmacist does under an agreement: the record asks the agreement first, and writes into it in the same
//! transaction. A place in it is taken once, so an action and a withdrawal at the same moment are never both stored.

use clinical::actor::{Author, CallTime};
use clinical::cdtm::agreement::{Agreement, Now, Who};
use clinical::cdtm::entry::{Deed, Entry};
use clinical::change::{Change, DecisionKind, FieldSet, What};
use clinical::command::Command;
use clinical::doc::{AgreementFacts, Doc};
use clinical::field::{Address, DocKind, FieldName};
use clinical::id::{AgreementId, ConnectionId, DocId, EditId, EntryId, PatientId, RowId};
use clinical::medication::Product;
use clinical::phi::Phi;
use clinical::recommendation::{RecommendationContent, UnderAgreement};
use clinical::safety;
use clinical::value::Value;
use signaling::message::RecordRefusal;
use signaling::record::Effect;

use super::Task;
use crate::agreement::store;
use crate::record::record_refusal;
use crate::store::now;
use crate::vault::VaultError;

/// An entry of an agreement that goes with a change.
pub(super) struct Used {
    pub(super) agreement: AgreementId,
    pub(super) patient: PatientId,
    /// Its place in the agreement: the next after those the change was judged by.
    pub(super) n: u32,
    pub(super) entry: Entry,
}

impl Task {
    pub(super) async fn act_under_agreement(
        &mut self,
        connection: ConnectionId,
        call: Option<CallTime>,
        doc: DocId,
        id: EditId,
        command: &Command,
        seen: u64,
    ) {
        if !self.session.may_act_under_agreement(connection) {
            return self.say(connection, record_refusal(doc, id, RecordRefusal::NotAllowed));
        }
        let Some(patient) = self.patient else {
            return self.say(connection, record_refusal(doc, id, RecordRefusal::NotAllowed));
        };
        let agreements = match self.agreements(patient).await {
            Ok(agreements) => agreements,
            Err(error) => {
                tracing::error!(record.id = %self.home.record, %error, "agreements do not read");
                let refusal = record_refusal(doc, id, RecordRefusal::StorageAway);
                return self.say(connection, refusal);
            }
        };
        let rules = std::sync::Arc::clone(&self.home.records.inner.agreements);
        let at = now();
        let facts = AgreementFacts {
            agreements: &agreements,
            patient,
            today: rules.day(at),
            templates: rules.templates(),
            // The session reads it in the patient's own document.
            withdrawn_in_record: None,
        };
        let effects =
            self.session.act_under_agreement(at, connection, call, doc, id, command, seen, &facts);
        self.carry_out(Some(connection), effects).await;
    }

    /// The safety prompts, for who may ask for them: agreements are read for nobody else.
    pub(super) async fn safety(&mut self, connection: ConnectionId, doc: DocId) -> Vec<Effect> {
        match self.session.may_ask_safety(now(), connection, doc) {
            Err(refusal) => refusal,
            Ok(()) => {
                let agreement = self.agreement_holds().await;
                self.session.safety(now(), connection, doc, agreement)
            }
        }
    }

    /// Whether the patient has an agreement that holds today, for the prompt about controlled substances.
    async fn agreement_holds(&self) -> safety::Agreement {
        let Some(patient) = self.patient else { return safety::Agreement::None };
        let today = self.home.records.inner.agreements.day(now());
        match self.agreements(patient).await {
            Ok(all) if all.iter().any(|one| one.standing(today, false).holds()) => {
                safety::Agreement::Active
            }
            Ok(_) => safety::Agreement::None,
            Err(error) => {
                // A prompt too many is read; one that is missing is not.
                tracing::warn!(record.id = %self.home.record, %error, "agreements do not read");
                safety::Agreement::Active
            }
        }
    }

    async fn agreements(&self, patient: PatientId) -> Result<Vec<Agreement>, VaultError> {
        let inner = &self.home.records.inner;
        store::of_patient(&inner.store, &inner.vault, patient).await
    }

    /// The entry that goes with a change made under an agreement.
    pub(super) fn used_agreement(&self, change: &Change) -> Option<Used> {
        let What::Decided { decision: DecisionKind::AgreementActed, sets, added: _ } = &change.what
        else {
            return None;
        };
        let (Author::Seat(actor), patient) = (change.by, self.patient?) else { return None };
        let told =
            sets.iter().find(|set| set.at.field == FieldName::RecommendationsUnderAgreement)?;
        let recommendation = told.at.row?;
        let UnderAgreement { agreement, entries, day, .. } =
            told.value.as_ref().and_then(Value::read)?;
        let plan = self.session.docs().find(|held| held.kind() == DocKind::Plan)?;
        let at = Address { row: Some(recommendation), field: FieldName::RecommendationsContent };
        let content: RecommendationContent = plan.register(&at).value().and_then(Value::read)?;
        let drug = content
            .med
            .and_then(|med| product_of(plan, med))
            .or_else(|| begun(sets))
            .map(|product| product.name)
            .unwrap_or_default();
        let name = self
            .readers
            .values()
            .find(|reader| reader.actor.seat == actor.seat)
            .map(|reader| reader.name.clone())
            .unwrap_or_default();
        let who = Who { person: actor.person, role: actor.role, name };
        let rules = &self.home.records.inner.agreements;
        let now = Now {
            at_ms: change.at_ms,
            day,
            templates: rules.templates(),
            withdrawn_in_record: false,
        };
        let deed = Deed::Acted {
            recommendation,
            action: content.action,
            drug: Phi::new(drug),
            summary: Phi::new(content.summary),
        };
        let entry = Agreement::acted(EntryId(change.edit.0), &who, &now, deed);
        Some(Used { agreement, patient, n: entries.saturating_add(1), entry })
    }
}

fn product_of(plan: &Doc, med: RowId) -> Option<Product> {
    let at = Address { row: Some(med), field: FieldName::MedsProduct };
    plan.register(&at).value().and_then(Value::read)
}

/// The medicine a change begins.
fn begun(sets: &[FieldSet]) -> Option<Product> {
    let set = sets.iter().find(|set| set.at.field == FieldName::MedsProduct)?;
    set.value.as_ref().and_then(Value::read)
}
