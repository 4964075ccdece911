//! A recommendation carried out under a collaborative agreement, in one change; or, where the agreement does not allow
//! it, sent to the physician in the same change, with the reasons.

use crate::actor::{Actor, Author, CallTime, Millis};
use crate::cdtm::agreement::Agreement;
use crate::cdtm::check::{Action, Facts, Reason, check, no_agreement};
use crate::cdtm::day::Day;
use crate::cdtm::template::Templates;
use crate::change::{Change, DecisionKind, FieldSet, What};
use crate::command::{CommandError, ListUpdate};
use crate::field::{Address, DocKind, FieldName};
use crate::id::{AgreementId, EditId, PatientId, RowId};
use crate::medication::Product;
use crate::recommendation::{
    Addressee, Authority, Decision, DecisionOutcome, RecommendationContent, RecommendationState,
    RecommendedAction, Standing, UnderAgreement,
};
use crate::register::Register;
use crate::value::{Line, Value};

use super::recommend::{line, state};
use super::{Doc, Stamp};

/// What a document cannot know of the agreement a recommendation names.
#[derive(Clone, Copy, Debug)]
pub struct AgreementFacts<'a> {
    /// The agreements of this patient.
    pub agreements: &'a [Agreement],
    /// The patient.
    pub patient: PatientId,
    /// The day, where the practice is.
    pub today: Day,
    /// What no agreement may touch.
    pub templates: &'a Templates,
    /// When the patient took the written consent back in the record, if that is the last word there.
    pub withdrawn_in_record: Option<Millis>,
}

impl AgreementFacts<'_> {
    /// Whether the record holds a withdrawal that is newer than the consent of an agreement.
    pub fn is_withdrawn(&self, agreement: &Agreement) -> bool {
        let given = agreement.consented_at();
        self.withdrawn_in_record.is_some_and(|at| given.is_none_or(|given| given < at))
    }
}

impl Doc {
    /// Carries a recommendation out under the agreement it names, or sends it to the physician with the reasons why the
    /// agreement does not allow it. The first wins: what was sent or carried out is refused.
    ///
    /// # Errors
    /// Why neither was done; the document is unchanged.
    #[expect(clippy::too_many_arguments, reason = "a command with what it must know")]
    pub fn act_under_agreement(
        &mut self,
        now: Millis,
        by: &Actor,
        call: Option<CallTime>,
        id: EditId,
        row: RowId,
        note: &str,
        list: Option<&ListUpdate>,
        seen: u64,
        facts: &AgreementFacts<'_>,
    ) -> Result<Change, CommandError> {
        let what = self.decide_under_agreement(now, by, row, note, list, seen, facts)?;
        let change = self.change(Stamp { now, by: Author::Seat(*by), call, edit: id }, what);
        self.fold(&change).map_err(|_damaged| CommandError::NotComplete)?;
        Ok(change)
    }

    #[expect(clippy::too_many_arguments, reason = "a command with what it must know")]
    fn decide_under_agreement(
        &self,
        now: Millis,
        by: &Actor,
        row: RowId,
        note: &str,
        list: Option<&ListUpdate>,
        seen: u64,
        facts: &AgreementFacts<'_>,
    ) -> Result<What, CommandError> {
        if self.kind != DocKind::Plan {
            return Err(CommandError::UnknownRow);
        }
        self.check_there(row)?;
        if self.standing_of(row, now) != Standing::Draft {
            return Err(CommandError::AlreadyDecided);
        }
        let at = |field| Address { row: Some(row), field };
        let undecided = [
            FieldName::RecommendationsAddressee,
            FieldName::RecommendationsAuthority,
            FieldName::RecommendationsReplaces,
        ]
        .into_iter()
        .any(|field| self.register(&at(field)).is_conflict());
        let content = self.register(&at(FieldName::RecommendationsContent)).value();
        let content: RecommendationContent =
            content.and_then(Value::read).ok_or(CommandError::NotComplete)?;
        let authority = self.register(&at(FieldName::RecommendationsAuthority)).value();
        let Some(Authority::UnderCdtm { agreement: named }) = authority.and_then(Value::read)
        else {
            return Err(CommandError::NotComplete);
        };
        if undecided {
            return Err(CommandError::NotComplete);
        }
        self.check_unchanged(by, row, seen)?;
        let agreement = facts.agreements.iter().find(|one| one.id() == named);
        let reasons = match agreement {
            None => no_agreement(),
            Some(agreement) => self.reasons(agreement, by, &content, list, facts)?,
        };
        let told = told(named, agreement, reasons, facts)?;
        if told.reasons.is_empty() {
            self.carry_out(by, row, &content, note, list, seen, &told)
        } else {
            Ok(self.send_instead(row, agreement, &told))
        }
    }

    /// Every reason why the agreement does not allow it.
    fn reasons(
        &self,
        agreement: &Agreement,
        by: &Actor,
        content: &RecommendationContent,
        list: Option<&ListUpdate>,
        facts: &AgreementFacts<'_>,
    ) -> Result<Vec<Reason>, CommandError> {
        use RecommendedAction as Do;

        let held = content.med.map(|med| self.product_of(med)).transpose()?.flatten();
        let fresh = list.and_then(|list| list.product.clone());
        let marked_controlled = content.med.is_some_and(|med| self.marked_controlled(med));
        let (drug, instead) = match content.action {
            Do::Start => (fresh, None),
            Do::ChangeDrug | Do::ChangeForm => (held, fresh),
            Do::Stop
            | Do::Hold
            | Do::ChangeDose
            | Do::ChangeTime
            | Do::Monitor
            | Do::Educate
            | Do::AdherenceAid
            | Do::Refer
            | Do::Immunize
            | Do::NoChange => (held, None),
        };
        let action = Action {
            patient: facts.patient,
            by: by.person,
            action: content.action,
            drug: drug.as_ref(),
            instead: instead.as_ref(),
            sig: content.regimen.as_ref(),
            marked_controlled,
            summary: &content.summary,
        };
        let known = Facts {
            today: facts.today,
            withdrawn_in_record: facts.is_withdrawn(agreement),
            templates: facts.templates,
        };
        Ok(check(agreement, &action, &known).err().unwrap_or_default())
    }

    fn product_of(&self, med: RowId) -> Result<Option<Product>, CommandError> {
        match self.register(&Address { row: Some(med), field: FieldName::MedsProduct }) {
            Register::Conflict { .. } => Err(CommandError::InConflict),
            register @ (Register::Empty | Register::Value { .. }) => {
                Ok(register.value().and_then(Value::read))
            }
        }
    }

    /// Marked, or two people disagree about the mark.
    fn marked_controlled(&self, med: RowId) -> bool {
        let mark = self.register(&Address { row: Some(med), field: FieldName::MedsControlled });
        mark.is_conflict() || mark.value().and_then(Value::read) == Some(true)
    }

    #[expect(clippy::too_many_arguments, reason = "one action and the list it writes")]
    fn carry_out(
        &self,
        by: &Actor,
        row: RowId,
        content: &RecommendationContent,
        note: &str,
        list: Option<&ListUpdate>,
        seen: u64,
        told: &UnderAgreement,
    ) -> Result<What, CommandError> {
        let mut sets = vec![
            state(row, RecommendationState::Implemented),
            set(row, FieldName::RecommendationsUnderAgreement, told),
            line(row, FieldName::RecommendationsImplemented, note)?,
        ];
        let mut added = Vec::new();
        if content.action != RecommendedAction::Monitor {
            let update = list.ok_or(CommandError::BadDecision)?;
            let decision = Decision {
                by: by.person,
                outcome: DecisionOutcome::Accepted,
                regimen: None,
                reason: None,
                note: String::new(),
                by_link: None,
            };
            self.update_list(by, row, &decision, update, seen, &mut sets, &mut added)?;
        }
        // Who prescribes what was begun is the physician of the agreement, whoever the draft was meant for.
        sets.retain(|one| one.at.field != FieldName::MedsPrescriber);
        for new in &added {
            sets.push(set(new.row, FieldName::MedsPrescriber, &Line(told.physician.clone())));
        }
        Ok(What::Decided { decision: DecisionKind::AgreementActed, sets, added })
    }

    /// An ordinary recommendation, to the physician of the agreement where the draft names nobody.
    fn send_instead(
        &self,
        row: RowId,
        agreement: Option<&Agreement>,
        told: &UnderAgreement,
    ) -> What {
        let mut sets = vec![
            state(row, RecommendationState::Sent),
            set(row, FieldName::RecommendationsUnderAgreement, told),
            set(row, FieldName::RecommendationsAuthority, &Authority::Recommend),
        ];
        let at = Address { row: Some(row), field: FieldName::RecommendationsAddressee };
        let nobody = self.register(&at).value().is_none();
        if let (true, Some(agreement)) = (nobody, agreement) {
            let to = Addressee {
                name: told.physician.clone(),
                person: Some(agreement.physician()),
                role: None,
            };
            sets.push(set(row, FieldName::RecommendationsAddressee, &to));
        }
        What::decided(DecisionKind::AgreementRefused, sets)
    }

    /// Whether a recommendation was carried out under an agreement, without having been sent to anybody.
    pub(crate) fn done_under_agreement(&self, row: RowId) -> bool {
        let at = Address { row: Some(row), field: FieldName::RecommendationsUnderAgreement };
        let told: Option<UnderAgreement> = self.register(&at).value().and_then(Value::read);
        told.is_some_and(|told| told.reasons.is_empty())
    }
}

fn told(
    named: AgreementId,
    agreement: Option<&Agreement>,
    reasons: Vec<Reason>,
    facts: &AgreementFacts<'_>,
) -> Result<UnderAgreement, CommandError> {
    let told = UnderAgreement {
        agreement: named,
        entries: agreement.map_or(0, Agreement::seen),
        day: facts.today,
        physician: agreement.map(|one| one.physician_name().into_exposed()).unwrap_or_default(),
        condition: agreement.map(|one| one.terms().condition.clone()).unwrap_or_default(),
        reasons,
    };
    Value::of(&told).map_err(|_rule| CommandError::BadDecision)?;
    Ok(told)
}

fn set<T: serde::Serialize>(row: RowId, field: FieldName, value: &T) -> FieldSet {
    FieldSet { at: Address { row: Some(row), field }, value: Some(Value::trusted(value)) }
}
