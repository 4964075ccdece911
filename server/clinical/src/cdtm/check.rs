//! Whether an agreement allows one action. Every refusal has a stable code; all that apply are told, not the first.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::agreement::{Agreement, Standing};
use super::day::Day;
use super::dose::Amount;
use super::template::Templates;
use super::terms::{DoseRange, DrugRule};
use crate::format::{Strength, TextAdds, says_more};
use crate::id::{PatientId, PersonId};
use crate::ingredient;
use crate::medication::{Frequency, PeriodUnit, Product, Sig};
use crate::recommendation::RecommendedAction;
use crate::value::{Check, ValueError, short};

/// What a pharmacist wants to do under an agreement.
#[derive(Clone, Copy, Debug)]
pub struct Action<'a> {
    /// For whom.
    pub patient: PatientId,
    /// Who does it.
    pub by: PersonId,
    /// What.
    pub action: RecommendedAction,
    /// The medicine it is about: of a start, the new one.
    pub drug: Option<&'a Product>,
    /// What takes its place, of a change of drug or form.
    pub instead: Option<&'a Product>,
    /// How it is taken then.
    pub sig: Option<&'a Sig>,
    /// Whether the medicine is marked as controlled, or two people disagree about it.
    pub marked_controlled: bool,
    /// What is proposed in one line: it names the test of a test order.
    pub summary: &'a str,
}

/// What the agreement itself cannot know.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The day, where the practice is.
    pub today: Day,
    /// The patient took the written consent back in the record.
    pub withdrawn_in_record: bool,
    /// What no agreement may touch.
    pub templates: &'a Templates,
}

/// One reason why not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementReason"))]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Which.
    pub code: ReasonCode,
    /// What it is about, in names, numbers and days: "80 mg (10 mg to 40 mg)".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub about: String,
}

impl Check for Reason {
    fn check(&self) -> Result<(), ValueError> {
        short("about", &self.about, 0, 400)
    }
}

/// The reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementReasonCode"))]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// This patient has no such agreement.
    NoAgreement,
    /// It is another patient's.
    NotThisPatient,
    /// It is another pharmacist's.
    NotThisPharmacist,
    /// It is not signed by both.
    NotSigned,
    /// The patient has not consented in writing.
    NoConsent,
    /// The patient took the consent back.
    ConsentWithdrawn,
    /// One of the two ended it.
    Revoked,
    /// Its first day is still to come.
    NotYet,
    /// Its last day is over.
    Ended,
    /// The registration with the Board has expired.
    RegistrationExpired,
    /// It names no medicine.
    NoDrug,
    /// The medicine is not in the order set.
    DrugNotInOrderSet,
    /// The order set does not authorise this with this medicine.
    ActionNotAuthorised,
    /// None of the authorised tests is named.
    TestNotInOrderSet,
    /// A controlled substance.
    Controlled,
    /// Another drug in its place, without the patient's written consent to that.
    SubstitutionWithoutConsent,
    /// No dose is stated.
    DoseNotStated,
    /// The dose is in a unit that does not compare with the order set's.
    DoseUnit,
    /// Less or more than the order set says.
    DoseOutOfRange,
    /// The most of a day cannot be told: no frequency.
    FrequencyNotStated,
    /// More in a day than the order set says.
    DayDoseOutOfRange,
    /// The words of the regimen say something else than its dose and times.
    WordsDiffer,
}

/// Whether an action sets how much is taken.
pub(super) const fn sets_dose(action: RecommendedAction) -> bool {
    use RecommendedAction as Action;
    match action {
        Action::Start
        | Action::ChangeDose
        | Action::ChangeDrug
        | Action::ChangeForm
        // It writes a whole regimen, which holds a dose.
        | Action::ChangeTime => true,
        Action::Stop
        | Action::Hold
        | Action::Monitor
        | Action::Educate
        | Action::AdherenceAid
        | Action::Refer
        | Action::Immunize
        | Action::NoChange => false,
    }
}

/// Whether an agreement allows an action on a day.
///
/// # Errors
/// Every reason why not, in the order of their codes.
pub fn check(
    agreement: &Agreement,
    action: &Action<'_>,
    facts: &Facts<'_>,
) -> Result<(), Vec<Reason>> {
    let mut found = Found::default();
    standing(agreement, action, facts, &mut found);
    order_set(agreement, action, facts, &mut found);
    let mut reasons = found.0;
    reasons.sort();
    reasons.dedup();
    if reasons.is_empty() { Ok(()) } else { Err(reasons) }
}

/// The reason that there is nothing to ask.
pub fn no_agreement() -> Vec<Reason> {
    vec![Reason { code: ReasonCode::NoAgreement, about: String::new() }]
}

#[derive(Default)]
struct Found(Vec<Reason>);

impl Found {
    fn add(&mut self, code: ReasonCode, about: impl Into<String>) {
        self.0.push(Reason { code, about: about.into().chars().take(400).collect() });
    }
}

/// Whose it is, and whether it holds.
fn standing(agreement: &Agreement, action: &Action<'_>, facts: &Facts<'_>, found: &mut Found) {
    if agreement.patient() != action.patient {
        found.add(ReasonCode::NotThisPatient, "");
    }
    if agreement.terms().pharmacist != Some(action.by) {
        found.add(ReasonCode::NotThisPharmacist, "");
    }
    let (start, end) = (agreement.terms().start, agreement.terms().end);
    let date = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    match agreement.standing(facts.today, facts.withdrawn_in_record) {
        Standing::Active | Standing::Expiring => {}
        Standing::Draft | Standing::SignedPhysician => found.add(ReasonCode::NotSigned, ""),
        Standing::SignedPharmacist if !agreement.consents() => {
            found.add(ReasonCode::NoConsent, "");
        }
        Standing::SignedPharmacist => found.add(ReasonCode::NotYet, date(start)),
        Standing::Expired => found.add(ReasonCode::Ended, date(end)),
        Standing::Withdrawn => found.add(ReasonCode::ConsentWithdrawn, ""),
        Standing::Revoked => found.add(ReasonCode::Revoked, ""),
    }
    if let Some(until) = agreement.registration_gap(facts.today) {
        found.add(ReasonCode::RegistrationExpired, date(until));
    }
}

/// Whether it is inside the order set.
fn order_set(agreement: &Agreement, action: &Action<'_>, facts: &Facts<'_>, found: &mut Found) {
    use RecommendedAction as Do;

    let drugs: Vec<&Product> = action.drug.iter().chain(&action.instead).copied().collect();
    let named = drugs.iter().find(|drug| facts.templates.is_controlled(&drug.name));
    let allowed = agreement.template().is_some_and(|template| template.controlled_substances);
    if !allowed && (action.marked_controlled || named.is_some()) {
        let drug = named.or_else(|| drugs.first()).map(|drug| drug.name.clone());
        found.add(ReasonCode::Controlled, drug.unwrap_or_default());
    }
    let Some(drug) = action.drug else {
        match action.action {
            Do::Monitor => test(agreement, action, found),
            Do::Start
            | Do::Stop
            | Do::Hold
            | Do::ChangeDose
            | Do::ChangeDrug
            | Do::ChangeForm
            | Do::ChangeTime => found.add(ReasonCode::NoDrug, ""),
            Do::Educate | Do::AdherenceAid | Do::Refer | Do::Immunize | Do::NoChange => {
                found.add(ReasonCode::ActionNotAuthorised, "");
            }
        }
        return;
    };
    let rule = authorised(agreement, drug, action.action, found);
    let mut dosed = (rule, drug);
    match action.action {
        Do::ChangeDrug | Do::ChangeForm => {
            let Some(instead) = action.instead else {
                found.add(ReasonCode::NoDrug, "");
                return;
            };
            let another = names(&instead.name) != names(&drug.name);
            if another && agreement.substitution_needs_consent() && !agreement.may_substitute() {
                found.add(ReasonCode::SubstitutionWithoutConsent, instead.name.clone());
            }
            let rule =
                if another { authorised(agreement, instead, Do::Start, found) } else { rule };
            dosed = (rule, instead);
        }
        Do::Monitor => test(agreement, action, found),
        Do::Start
        | Do::Stop
        | Do::Hold
        | Do::ChangeDose
        | Do::ChangeTime
        | Do::Educate
        | Do::AdherenceAid
        | Do::Refer
        | Do::Immunize
        | Do::NoChange => {}
    }
    if let ((Some(rule), product), true) = (dosed, sets_dose(action.action)) {
        dose(rule, product, action.sig, found);
    }
}

/// The rule of a drug that authorises an action; else the reason.
fn authorised<'a>(
    agreement: &'a Agreement,
    drug: &Product,
    action: RecommendedAction,
    found: &mut Found,
) -> Option<&'a DrugRule> {
    let held = names(&drug.name);
    let rules = &agreement.terms().order_set.drugs;
    let rule = rules.iter().find(|rule| !held.is_empty() && names(&rule.ingredient) == held);
    match rule {
        None => found.add(ReasonCode::DrugNotInOrderSet, drug.name.clone()),
        Some(rule) if !rule.actions.contains(&action) => {
            found.add(ReasonCode::ActionNotAuthorised, rule.ingredient.clone());
        }
        Some(_) => {}
    }
    rule
}

/// All ingredients, no more and no fewer: an order set for lisinopril is none for lisinopril with a diuretic.
fn names(name: &str) -> BTreeSet<String> {
    ingredient::of(name).into_iter().collect()
}

/// An order of a test names one of the tests, whole words.
fn test(agreement: &Agreement, action: &Action<'_>, found: &mut Found) {
    let spaced = |text: &str| {
        let words: Vec<String> = text
            .to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        format!(" {} ", words.join(" "))
    };
    let said = spaced(action.summary);
    let tests = &agreement.terms().order_set.tests;
    let known =
        tests.iter().map(|test| spaced(test)).any(|test| test.trim() != "" && said.contains(&test));
    if !known {
        found.add(ReasonCode::TestNotInOrderSet, tests.join(", "));
    }
}

fn dose(rule: &DrugRule, product: &Product, sig: Option<&Sig>, found: &mut Found) {
    let Some(range) = &rule.dose else {
        found.add(ReasonCode::ActionNotAuthorised, rule.ingredient.clone());
        return;
    };
    let Some((sig, stated)) = sig.and_then(|sig| Some((sig, sig.dose.as_ref()?))) else {
        found.add(ReasonCode::DoseNotStated, "");
        return;
    };
    if says_more(sig, Some(product)) == TextAdds::Regimen {
        found.add(ReasonCode::WordsDiffer, sig.text.clone());
    }
    let DoseRange { least, most, most_per_day, unit } = range;
    let said = format!("{} {}", stated.value.as_str(), stated.unit);
    let between = format!("{} {unit} – {} {unit}", least.as_str(), most.as_str());
    let (least, most) = (Amount::of(least, unit), Amount::of(most, unit));
    // Two tablets of 20 mg are 40 mg, where the product says what is in one.
    let in_tablets = Strength::read(product).and_then(|strength| strength.of(stated));
    let own = Amount::of(&stated.value, &stated.unit);
    let amount = if own.same_unit(&least) {
        own
    } else {
        match in_tablets.map(|dose| Amount::of(&dose.value, &dose.unit)) {
            Some(amount) if amount.same_unit(&least) => amount,
            Some(_) | None => {
                found.add(ReasonCode::DoseUnit, format!("{said} ({between})"));
                return;
            }
        }
    };
    if amount < least || most < amount {
        found.add(ReasonCode::DoseOutOfRange, format!("{said} ({between})"));
    }
    let Some(most_per_day) = most_per_day else { return };
    let limit = format!("{} {unit}", most_per_day.as_str());
    let by_frequency = sig
        .freq
        .as_ref()
        .map(in_a_day)
        .or_else(|| u64::try_from(sig.times.len()).ok().filter(|times| *times > 0));
    let day = match (&sig.max_per_day, by_frequency) {
        // "At most so many" binds where it is less than the frequency.
        (Some(doses), Some(times)) => {
            let (capped, counted) = (amount.times_decimal(doses), amount.times(times));
            if capped < counted { capped } else { counted }
        }
        (Some(doses), None) => amount.times_decimal(doses),
        (None, Some(times)) => amount.times(times),
        (None, None) => {
            found.add(ReasonCode::FrequencyNotStated, limit);
            return;
        }
    };
    if Amount::of(most_per_day, unit) < day {
        found.add(ReasonCode::DayDoseOutOfRange, format!("{} ({limit})", sig.text));
    }
}

/// The most times in one day: "2 times in 3 days" may both be today, "every 6 hours" is four times.
fn in_a_day(freq: &Frequency) -> u64 {
    let count = u64::from(freq.count);
    match freq.unit {
        PeriodUnit::H => count.saturating_mul(24_u64.div_ceil(u64::from(freq.period.max(1)))),
        PeriodUnit::D | PeriodUnit::Wk | PeriodUnit::Mo => count,
    }
}
