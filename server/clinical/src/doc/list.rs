//! An accepted recommendation written into the medication list: part of the same change, so that nobody ever sees one
//! without the other.

use crate::actor::Actor;
use crate::change::{FieldSet, RowPlace};
use crate::command::{CommandError, ListUpdate};
use crate::field::{Address, FieldName, ListName};
use crate::fold::presence_of;
use crate::gate::in_use;
use crate::id::RowId;
use crate::limits::ROWS;
use crate::medication::{MedicationKind, MedicationStatus, Sig, Verify};
use crate::recommendation::{
    Addressee, Decision, DecisionOutcome, RecommendationContent, RecommendedAction,
};
use crate::value::{Line, Value};

use super::Doc;

impl Doc {
    /// What the answer to a recommendation makes of the medication list.
    ///
    /// # Errors
    /// The plan is signed; there is nothing to write, or not enough is said to write it; the medicine is not there, was
    /// changed since it was seen, or holds two values.
    #[expect(clippy::too_many_arguments, reason = "one decision and the two lists it fills")]
    pub(super) fn update_list(
        &self,
        by: &Actor,
        row: RowId,
        decision: &Decision,
        update: &ListUpdate,
        seen: u64,
        sets: &mut Vec<FieldSet>,
        added: &mut Vec<RowPlace>,
    ) -> Result<(), CommandError> {
        use RecommendedAction as Action;

        if self.sealed() {
            return Err(CommandError::Sealed);
        }
        let at = Address { row: Some(row), field: FieldName::RecommendationsContent };
        let content: RecommendationContent =
            self.register(&at).value().and_then(Value::read).ok_or(CommandError::NotComplete)?;
        let modified = match decision.outcome {
            DecisionOutcome::Accepted => false,
            DecisionOutcome::AcceptedModified => true,
            DecisionOutcome::Declined => return Err(CommandError::BadDecision),
        };
        // "Yes, but otherwise" writes what the prescriber wrote, never what they did not want.
        let regimen = match (&decision.regimen, modified) {
            (Some(regimen), _) => Some(regimen),
            (None, false) => content.regimen.as_ref(),
            (None, true) => return Err(CommandError::BadDecision),
        };
        let med = || content.med.ok_or(CommandError::BadDecision);
        match content.action {
            // "Yes, but otherwise" to a stop is not a stop: what it is, a person writes.
            Action::Stop | Action::Hold if modified => return Err(CommandError::BadDecision),
            Action::Stop => {
                self.set_status(by, med()?, stopped(update), seen, sets)?;
                sets.push(because(med()?, row));
            }
            Action::Hold => {
                self.set_status(by, med()?, MedicationStatus::OnHold, seen, sets)?;
                sets.push(because(med()?, row));
            }
            Action::ChangeDose | Action::ChangeTime => {
                let sig = regimen.ok_or(CommandError::BadDecision)?;
                self.check_med(by, med()?, seen)?;
                sets.push(set(med()?, FieldName::MedsSig, sig));
                sets.push(set(med()?, FieldName::MedsVerify, &Verify::PrescriberConfirmed));
                sets.push(because(med()?, row));
            }
            Action::Start => self.start(row, regimen, update, sets, added)?,
            Action::ChangeDrug | Action::ChangeForm => {
                self.set_status(by, med()?, stopped(update), seen, sets)?;
                sets.push(because(med()?, row));
                self.start(row, regimen, update, sets, added)?;
            }
            Action::Monitor
            | Action::Educate
            | Action::AdherenceAid
            | Action::Refer
            | Action::Immunize
            | Action::NoChange => return Err(CommandError::BadDecision),
        }
        Ok(())
    }

    fn set_status(
        &self,
        by: &Actor,
        med: RowId,
        status: MedicationStatus,
        seen: u64,
        sets: &mut Vec<FieldSet>,
    ) -> Result<(), CommandError> {
        self.check_med(by, med, seen)?;
        sets.push(set(med, FieldName::MedsStatus, &status));
        Ok(())
    }

    /// A new row at the end of the list.
    fn start(
        &self,
        row: RowId,
        regimen: Option<&Sig>,
        update: &ListUpdate,
        sets: &mut Vec<FieldSet>,
        added: &mut Vec<RowPlace>,
    ) -> Result<(), CommandError> {
        let new = update.row;
        let product = update.product.as_ref().ok_or(CommandError::BadDecision)?;
        let product = Value::of(product).map_err(|_rule| CommandError::BadDecision)?;
        if self.list_of(new).is_some() {
            return Err(CommandError::BadDecision);
        }
        let rows = self.rows(ListName::Meds);
        if rows.len() >= ROWS {
            return Err(CommandError::ListFull);
        }
        added.push(RowPlace { list: ListName::Meds, row: new, after: rows.last().copied() });
        let at = Address { row: Some(new), field: FieldName::MedsProduct };
        sets.push(FieldSet { at, value: Some(product) });
        sets.push(set(new, FieldName::MedsKind, &MedicationKind::Rx));
        sets.push(set(new, FieldName::MedsStatus, &MedicationStatus::Active));
        sets.push(set(new, FieldName::MedsStart, &update.day));
        // Without a regimen nobody has said how it is taken: there is nothing to confirm.
        let verify = regimen.map_or(Verify::Unverified, |_confirmed| Verify::PrescriberConfirmed);
        sets.push(set(new, FieldName::MedsVerify, &verify));
        if let Some(sig) = regimen {
            sets.push(set(new, FieldName::MedsSig, sig));
        }
        let to = Address { row: Some(row), field: FieldName::RecommendationsAddressee };
        if let Some(Addressee { name, person: _, role: _ }) =
            self.register(&to).value().and_then(Value::read)
        {
            sets.push(set(new, FieldName::MedsPrescriber, &Line(name)));
        }
        sets.push(because(new, row));
        Ok(())
    }

    /// The medicine is there and in use, is what the person looked at, and what is written over is one value each.
    fn check_med(&self, by: &Actor, med: RowId, seen: u64) -> Result<(), CommandError> {
        if !self.rows(ListName::Meds).contains(&med) || self.removed(med) {
            return Err(CommandError::UnknownRow);
        }
        let two_values = [FieldName::MedsSig, FieldName::MedsStatus, FieldName::MedsVerify]
            .into_iter()
            .any(|field| self.register(&Address { row: Some(med), field }).is_conflict());
        if two_values || self.register(&presence_of(med)).is_conflict() {
            return Err(CommandError::InConflict);
        }
        // Stopped, or never true: an answer to an older question does not bring it back.
        if !in_use(self, med) {
            return Err(CommandError::NotComplete);
        }
        self.check_unchanged(by, med, seen)
    }
}

fn stopped(update: &ListUpdate) -> MedicationStatus {
    MedicationStatus::Stopped { date: Some(update.day.clone()), reason: String::new() }
}

fn because(med: RowId, recommendation: RowId) -> FieldSet {
    set(med, FieldName::MedsBecause, &recommendation)
}

fn set<T: serde::Serialize>(row: RowId, field: FieldName, value: &T) -> FieldSet {
    FieldSet { at: Address { row: Some(row), field }, value: Some(Value::trusted(value)) }
}
