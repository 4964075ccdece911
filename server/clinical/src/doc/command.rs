//! What becomes of a command. The first one wins; there are no conflicts about decisions.

use crate::actor::{Actor, Author, Millis};
use crate::change::{DecisionKind, FieldSet, What};
use crate::command::{Command, CommandError};
use crate::field::{Address, DocKind, FieldName, ListName, Presence};
use crate::fold::presence_of;
use crate::id::RowId;
use crate::recommendation::{Decision, DecisionOutcome, RecommendationState};
use crate::value::Value;

use super::Doc;

impl Doc {
    pub(super) fn decide_command(
        &self,
        now: Millis,
        by: &Actor,
        command: &Command,
        seen: u64,
    ) -> Result<What, CommandError> {
        match command {
            Command::Share => self.share(),
            Command::Addend { text } => self.addend(now, by, text.expose()),
            Command::Revise { reason } => self.revise(reason.expose()),
            Command::SendRecommendation { row } => self.send_recommendation(by, *row, seen),
            Command::Decide { row, outcome, regimen, reason, note } => {
                let decision = Decision {
                    by: by.person,
                    outcome: *outcome,
                    regimen: regimen.as_ref().map(|regimen| regimen.expose().clone()),
                    reason: *reason,
                    note: note.expose().clone(),
                };
                self.decide_recommendation(by, *row, &decision, seen)
            }
        }
    }

    fn share(&self) -> Result<What, CommandError> {
        if self.kind != DocKind::Plan {
            return Err(CommandError::UnknownRow);
        }
        if self.shared() {
            return Err(CommandError::AlreadyDecided);
        }
        let at = Address { row: None, field: FieldName::Share };
        let sets = vec![FieldSet { at, value: Some(Value::trusted(&true)) }];
        Ok(What::Decided { decision: DecisionKind::Shared, sets })
    }

    fn send_recommendation(&self, by: &Actor, row: RowId, seen: u64) -> Result<What, CommandError> {
        match self.recommendation(row)? {
            RecommendationState::Draft => {}
            RecommendationState::Sent
            | RecommendationState::Accepted
            | RecommendationState::AcceptedModified
            | RecommendationState::Declined => return Err(CommandError::AlreadyDecided),
        }
        let content = Address { row: Some(row), field: FieldName::RecommendationsContent };
        if self.register(&content).value().is_none() {
            return Err(CommandError::NotComplete);
        }
        self.check_unchanged(by, row, seen)?;
        let sets = vec![state_of(row, RecommendationState::Sent)];
        Ok(What::Decided { decision: DecisionKind::RecommendationSent, sets })
    }

    fn decide_recommendation(
        &self,
        by: &Actor,
        row: RowId,
        decision: &Decision,
        seen: u64,
    ) -> Result<What, CommandError> {
        match self.recommendation(row)? {
            RecommendationState::Draft => return Err(CommandError::NotSent),
            RecommendationState::Sent => {}
            RecommendationState::Accepted
            | RecommendationState::AcceptedModified
            | RecommendationState::Declined => return Err(CommandError::AlreadyDecided),
        }
        // A change that says nothing about what is changed is no answer.
        let says_nothing = decision.outcome == DecisionOutcome::AcceptedModified
            && decision.regimen.is_none()
            && decision.note.trim().is_empty();
        if says_nothing {
            return Err(CommandError::BadDecision);
        }
        let json = serde_json::to_value(decision).map_err(|_shape| CommandError::BadDecision)?;
        let value = FieldName::RecommendationsDecision
            .parse(&json)
            .map_err(|_rule| CommandError::BadDecision)?;
        self.check_unchanged(by, row, seen)?;
        let state = match decision.outcome {
            DecisionOutcome::Accepted => RecommendationState::Accepted,
            DecisionOutcome::AcceptedModified => RecommendationState::AcceptedModified,
            DecisionOutcome::Declined => RecommendationState::Declined,
        };
        let at = Address { row: Some(row), field: FieldName::RecommendationsDecision };
        let sets = vec![state_of(row, state), FieldSet { at, value: Some(value) }];
        Ok(What::Decided { decision: DecisionKind::RecommendationDecided, sets })
    }

    /// The state of a recommendation that is there.
    fn recommendation(&self, row: RowId) -> Result<RecommendationState, CommandError> {
        if !self.rows(ListName::Recommendations).contains(&row) {
            return Err(CommandError::UnknownRow);
        }
        let presence = self.register(&presence_of(row));
        if presence.is_conflict() {
            return Err(CommandError::NotComplete);
        }
        if let Some(Presence::Removed { .. }) = presence.value().and_then(Value::read::<Presence>) {
            return Err(CommandError::UnknownRow);
        }
        let at = Address { row: Some(row), field: FieldName::RecommendationsState };
        Ok(self
            .register(&at)
            .value()
            .and_then(Value::read::<RecommendationState>)
            .unwrap_or(RecommendationState::Draft))
    }

    /// Nobody else changed the row since the person looked at it.
    fn check_unchanged(&self, by: &Actor, row: RowId, seen: u64) -> Result<(), CommandError> {
        match self.book.touched_after(row, seen, &Author::Seat(*by)) {
            Some(_) => Err(CommandError::ChangedSince),
            None => Ok(()),
        }
    }
}

fn state_of(row: RowId, state: RecommendationState) -> FieldSet {
    FieldSet {
        at: Address { row: Some(row), field: FieldName::RecommendationsState },
        value: Some(Value::trusted(&state)),
    }
}
