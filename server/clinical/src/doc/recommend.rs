//! The way of a recommendation: sent, seen, answered, carried out, verified; or taken back.
//!
//! Only whom it is addressed to answers it; the first answer stands. Every step keeps who and when in the register it
//! sets, and the moment of the call in its change.

use crate::actor::{Actor, Author, Millis, Role};
use crate::change::{DecisionKind, FieldSet, What};
use crate::command::{CommandError, ListUpdate};
use crate::field::{Address, FieldName, ListName, Presence};
use crate::fold::presence_of;
use crate::id::{PersonId, RowId};
use crate::recommendation::{
    Addressee, Decision, DecisionOutcome, NO_RESPONSE_MS, PrescriberRole, RecommendationState,
    Standing,
};
use crate::value::{Line, Value};

use super::Doc;

impl Doc {
    /// Where a recommendation stands at a moment.
    pub fn standing_of(&self, row: RowId, now: Millis) -> Standing {
        let open = |as_it_is: Standing| {
            let sent = self.book.sent(row).map_or(now.0, |mark| mark.at_ms.0);
            if self.replaced(row) {
                Standing::Replaced
            } else if as_it_is != Standing::Draft && now.0.saturating_sub(sent) >= NO_RESPONSE_MS {
                Standing::NoResponse
            } else {
                as_it_is
            }
        };
        match self.state_of(row) {
            RecommendationState::Draft => open(Standing::Draft),
            RecommendationState::Sent if self.was_seen(row) => open(Standing::Seen),
            RecommendationState::Sent => open(Standing::Sent),
            RecommendationState::Accepted => Standing::Accepted,
            RecommendationState::AcceptedModified => Standing::AcceptedModified,
            RecommendationState::Declined => Standing::Declined,
            RecommendationState::Implemented => Standing::Implemented,
            RecommendationState::Verified => Standing::Verified,
            RecommendationState::Withdrawn => Standing::Withdrawn,
        }
    }

    /// When a recommendation was sent.
    pub fn sent_at(&self, row: RowId) -> Option<Millis> {
        self.book.sent(row).map(|mark| mark.at_ms)
    }

    /// The person a recommendation is addressed to, where it names one who is known here.
    pub fn addressee(&self, row: RowId) -> Option<PersonId> {
        let at = Address { row: Some(row), field: FieldName::RecommendationsAddressee };
        self.register(&at).value().and_then(Value::read::<Addressee>)?.person
    }

    /// In which role a recommendation asks: `known` is that of the person it names, where the practice knows them. It is
    /// primary care's where it names nobody. Of somebody who is only named, and of whom nobody said what they are, the
    /// strictest holds: the patient can shut every specialist out, and primary care nobody can.
    pub fn addressee_role(&self, row: RowId, known: Option<Role>) -> Role {
        let at = Address { row: Some(row), field: FieldName::RecommendationsAddressee };
        let register = self.register(&at);
        let said = register.value().and_then(Value::read::<Addressee>);
        match said {
            _ if register.is_conflict() => Role::Specialist,
            None => Role::Pcp,
            Some(Addressee { person: Some(_), .. }) => known.unwrap_or(Role::Specialist),
            Some(Addressee { role, .. }) => role.map_or(Role::Specialist, PrescriberRole::role),
        }
    }

    /// Whether a recommendation was taken back.
    pub(crate) fn withdrawn(&self, row: RowId) -> bool {
        self.state_of(row) == RecommendationState::Withdrawn
    }

    pub(super) fn send_recommendation(
        &self,
        now: Millis,
        by: &Actor,
        row: RowId,
        seen: u64,
    ) -> Result<What, CommandError> {
        self.check_there(row)?;
        match self.standing_of(row, now) {
            Standing::Draft => {}
            Standing::Sent
            | Standing::Seen
            | Standing::NoResponse
            | Standing::Accepted
            | Standing::AcceptedModified
            | Standing::Declined
            | Standing::Implemented
            | Standing::Verified
            | Standing::Withdrawn
            | Standing::Replaced => return Err(CommandError::AlreadyDecided),
        }
        let at = |field| Address { row: Some(row), field };
        let undecided = [FieldName::RecommendationsAddressee, FieldName::RecommendationsReplaces]
            .into_iter()
            .any(|field| self.register(&at(field)).is_conflict());
        if undecided || self.register(&at(FieldName::RecommendationsContent)).value().is_none() {
            return Err(CommandError::NotComplete);
        }
        self.check_unchanged(by, row, seen)?;
        let sets = vec![state(row, RecommendationState::Sent)];
        Ok(What::decided(DecisionKind::RecommendationSent, sets))
    }

    pub(super) fn mark_seen(
        &self,
        now: Millis,
        by: &Actor,
        row: RowId,
    ) -> Result<What, CommandError> {
        self.check_open_question(row, now)?;
        self.check_addressee(by, row)?;
        if self.was_seen(row) {
            return Err(CommandError::AlreadyDecided);
        }
        let at = Address { row: Some(row), field: FieldName::RecommendationsSeen };
        let sets = vec![FieldSet { at, value: Some(Value::trusted(&true)) }];
        Ok(What::decided(DecisionKind::RecommendationSeen, sets))
    }

    pub(super) fn decide_recommendation(
        &self,
        now: Millis,
        by: &Actor,
        row: RowId,
        decision: &Decision,
        list: Option<&ListUpdate>,
        seen: u64,
    ) -> Result<What, CommandError> {
        self.check_open_question(row, now)?;
        self.check_addressee(by, row)?;
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
        let outcome = match decision.outcome {
            DecisionOutcome::Accepted => RecommendationState::Accepted,
            DecisionOutcome::AcceptedModified => RecommendationState::AcceptedModified,
            DecisionOutcome::Declined => RecommendationState::Declined,
        };
        let at = Address { row: Some(row), field: FieldName::RecommendationsDecision };
        let mut sets = vec![state(row, outcome), FieldSet { at, value: Some(value) }];
        let mut added = Vec::new();
        if let Some(update) = list {
            self.update_list(by, row, decision, update, seen, &mut sets, &mut added)?;
        }
        Ok(What::Decided { decision: DecisionKind::RecommendationDecided, sets, added })
    }

    pub(super) fn withdraw(
        &self,
        now: Millis,
        by: &Actor,
        row: RowId,
        reason: &str,
        seen: u64,
    ) -> Result<What, CommandError> {
        self.check_there(row)?;
        match self.standing_of(row, now) {
            Standing::Draft
            | Standing::Sent
            | Standing::Seen
            | Standing::NoResponse
            | Standing::Replaced => {}
            Standing::Accepted
            | Standing::AcceptedModified
            | Standing::Declined
            | Standing::Implemented
            | Standing::Verified
            | Standing::Withdrawn => return Err(CommandError::AlreadyDecided),
        }
        if reason.trim().is_empty() {
            return Err(CommandError::BadDecision);
        }
        self.check_unchanged(by, row, seen)?;
        let sets = vec![
            state(row, RecommendationState::Withdrawn),
            line(row, FieldName::RecommendationsWithdrawn, reason)?,
        ];
        Ok(What::decided(DecisionKind::RecommendationWithdrawn, sets))
    }

    pub(super) fn implemented(
        &self,
        now: Millis,
        by: &Actor,
        row: RowId,
        note: &str,
        seen: u64,
    ) -> Result<What, CommandError> {
        self.check_there(row)?;
        match self.standing_of(row, now) {
            Standing::Accepted | Standing::AcceptedModified => {}
            Standing::Implemented | Standing::Verified => return Err(CommandError::AlreadyDecided),
            Standing::Draft
            | Standing::Sent
            | Standing::Seen
            | Standing::NoResponse
            | Standing::Declined
            | Standing::Withdrawn
            | Standing::Replaced => return Err(CommandError::NotComplete),
        }
        self.check_unchanged(by, row, seen)?;
        let sets = vec![
            state(row, RecommendationState::Implemented),
            line(row, FieldName::RecommendationsImplemented, note)?,
        ];
        Ok(What::decided(DecisionKind::RecommendationImplemented, sets))
    }

    pub(super) fn verified(
        &self,
        now: Millis,
        by: &Actor,
        row: RowId,
        note: &str,
        seen: u64,
    ) -> Result<What, CommandError> {
        self.check_there(row)?;
        match self.standing_of(row, now) {
            Standing::Implemented => {}
            Standing::Verified => return Err(CommandError::AlreadyDecided),
            Standing::Draft
            | Standing::Sent
            | Standing::Seen
            | Standing::NoResponse
            | Standing::Accepted
            | Standing::AcceptedModified
            | Standing::Declined
            | Standing::Withdrawn
            | Standing::Replaced => return Err(CommandError::NotComplete),
        }
        self.check_unchanged(by, row, seen)?;
        let sets = vec![
            state(row, RecommendationState::Verified),
            line(row, FieldName::RecommendationsVerified, note)?,
        ];
        Ok(What::decided(DecisionKind::RecommendationVerified, sets))
    }

    /// Nobody else changed the row since the person looked at it.
    pub(super) fn check_unchanged(
        &self,
        by: &Actor,
        row: RowId,
        seen: u64,
    ) -> Result<(), CommandError> {
        match self.book.touched_after(row, seen, &Author::Seat(*by)) {
            Some(_) => Err(CommandError::ChangedSince),
            None => Ok(()),
        }
    }

    /// It waits for an answer.
    fn check_open_question(&self, row: RowId, now: Millis) -> Result<(), CommandError> {
        self.check_there(row)?;
        match self.standing_of(row, now) {
            Standing::Draft => Err(CommandError::NotSent),
            Standing::Sent | Standing::Seen | Standing::NoResponse => Ok(()),
            Standing::Accepted
            | Standing::AcceptedModified
            | Standing::Declined
            | Standing::Implemented
            | Standing::Verified
            | Standing::Withdrawn
            | Standing::Replaced => Err(CommandError::AlreadyDecided),
        }
    }

    fn check_addressee(&self, by: &Actor, row: RowId) -> Result<(), CommandError> {
        match self.addressee(row) {
            Some(person) if person != by.person => Err(CommandError::NotAddressee),
            Some(_) | None => Ok(()),
        }
    }

    /// The row is there, and nobody disagrees about it.
    pub(super) fn check_there(&self, row: RowId) -> Result<(), CommandError> {
        if !self.rows(ListName::Recommendations).contains(&row) {
            return Err(CommandError::UnknownRow);
        }
        let presence = self.register(&presence_of(row));
        if presence.is_conflict() {
            return Err(CommandError::NotComplete);
        }
        match presence.value().and_then(Value::read::<Presence>) {
            Some(Presence::Removed { .. }) => Err(CommandError::UnknownRow),
            Some(Presence::Present) | None => Ok(()),
        }
    }

    fn state_of(&self, row: RowId) -> RecommendationState {
        let at = Address { row: Some(row), field: FieldName::RecommendationsState };
        self.register(&at).value().and_then(Value::read).unwrap_or(RecommendationState::Draft)
    }

    fn was_seen(&self, row: RowId) -> bool {
        let at = Address { row: Some(row), field: FieldName::RecommendationsSeen };
        self.register(&at).value().is_some()
    }

    /// Whether another recommendation was sent in its place, and not taken back since.
    fn replaced(&self, row: RowId) -> bool {
        self.standing(ListName::Recommendations).any(|other| {
            let at = Address { row: Some(other), field: FieldName::RecommendationsReplaces };
            other != row
                && self.book.sent(other).is_some()
                && !self.withdrawn(other)
                && self.register(&at).value().and_then(Value::read::<RowId>) == Some(row)
        })
    }
}

pub(super) fn state(row: RowId, state: RecommendationState) -> FieldSet {
    FieldSet {
        at: Address { row: Some(row), field: FieldName::RecommendationsState },
        value: Some(Value::trusted(&state)),
    }
}

pub(super) fn line(row: RowId, field: FieldName, words: &str) -> Result<FieldSet, CommandError> {
    let value =
        Value::of(&Line(words.trim().to_owned())).map_err(|_rule| CommandError::BadDecision)?;
    Ok(FieldSet { at: Address { row: Some(row), field }, value: Some(value) })
}
