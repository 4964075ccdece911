//! What physician and pharmacist agree on: the terms of an agreement and its order set.
//!
//! A draft may be incomplete; what is missing is the template's to say. "Disease" of the order set and "condition" of
//! the agreement are one by law (one disease-specific order set), so they are kept once.

use serde::{Deserialize, Serialize};

use super::day::Day;
use super::dose::Amount;
use crate::id::PersonId;
use crate::recommendation::RecommendedAction;
use crate::value::{Check, Decimal, ValueError, each_once, short};

/// Drugs of one order set. It is about one disease; more would be a formulary.
const DRUGS: usize = 30;
/// Tests, events and outcomes of one agreement, each.
const LINES: usize = 20;

/// The terms of an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The code of the template: "LA".
    pub jurisdiction: String,
    /// The one pharmacist.
    pub pharmacist: Option<PersonId>,
    /// The physician who stands in.
    pub backup: Contact,
    /// The one disease.
    pub condition: String,
    /// When the physician saw the patient face to face.
    pub f2f_visit: Option<Day>,
    /// First day.
    pub start: Option<Day>,
    /// Last day.
    pub end: Option<Day>,
    /// When the Board was told of this physician.
    pub board_told: Option<Day>,
    /// The written disclosure of financial arrangements, as the patient reads it.
    pub disclosure: String,
    /// How they talk.
    pub communication: Communication,
    /// What is to be measured.
    pub outcomes: Vec<String>,
    /// What the pharmacist may do.
    pub order_set: OrderSet,
}

/// A name and a phone number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementContact"))]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name.
    pub name: String,
    /// Phone.
    pub phone: String,
}

/// How physician and pharmacist talk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementCommunication"))]
#[serde(deny_unknown_fields)]
pub struct Communication {
    /// "Phone, and a note in the record".
    pub method: String,
    /// "Each month, and at once when an event asks for it".
    pub frequency: String,
    /// What is shared in what form.
    pub format: String,
}

/// The order set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct OrderSet {
    /// Phone of the pharmacist.
    pub pharmacist_phone: String,
    /// Phone of the physician.
    pub provider_phone: String,
    /// Who the patient is.
    pub patient: PatientBlock,
    /// The drugs of this disease.
    pub drugs: Vec<DrugRule>,
    /// Type and extent of what is authorised.
    pub extent: String,
    /// Who is responsible for what.
    pub responsibilities: Responsibilities,
    /// Procedures, decision criteria or plan.
    pub procedures: String,
    /// Tests the pharmacist may order.
    pub tests: Vec<String>,
    /// What is reported, and how.
    pub reporting: String,
    /// Events the physician must be told of.
    pub notify_events: Vec<String>,
    /// What is done when the physician is needed at once.
    pub immediate_consultation: String,
}

/// The patient as the order set names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementPatient"))]
#[serde(deny_unknown_fields)]
pub struct PatientBlock {
    /// Name.
    pub name: String,
    /// Address.
    pub address: String,
    /// Gender.
    pub gender: String,
    /// Date of birth.
    pub dob: Option<Day>,
    /// Phone.
    pub phone: String,
}

/// Who is responsible for what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementResponsibilities"))]
#[serde(deny_unknown_fields)]
pub struct Responsibilities {
    /// Of the physician.
    pub physician: String,
    /// Of the pharmacist.
    pub pharmacist: String,
}

/// One drug of the order set, and what may be done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct DrugRule {
    /// Generic name: "lisinopril". A combination is a drug of its own: "lisinopril/hydrochlorothiazide".
    pub ingredient: String,
    /// What may be done with it, each once.
    pub actions: Vec<RecommendedAction>,
    /// Between which doses.
    pub dose: Option<DoseRange>,
}

/// Doses from and to, both included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct DoseRange {
    /// The least each time.
    pub least: Decimal,
    /// The most each time.
    pub most: Decimal,
    /// The most of a day.
    pub most_per_day: Option<Decimal>,
    /// Of all three: "mg".
    pub unit: String,
}

/// What an order set can authorise. Everything else needs no agreement, or is not for one.
pub const fn is_authorisable(action: RecommendedAction) -> bool {
    use RecommendedAction as Action;
    match action {
        Action::Start
        | Action::Stop
        | Action::Hold
        | Action::ChangeDose
        | Action::ChangeDrug
        | Action::ChangeForm
        | Action::ChangeTime
        | Action::Monitor => true,
        Action::Educate
        | Action::AdherenceAid
        | Action::Refer
        | Action::Immunize
        | Action::NoChange => false,
    }
}

impl Check for Terms {
    fn check(&self) -> Result<(), ValueError> {
        let Self {
            jurisdiction,
            pharmacist: _,
            backup,
            condition,
            f2f_visit: _,
            start: _,
            end: _,
            board_told: _,
            disclosure,
            communication,
            outcomes,
            order_set,
        } = self;
        short("jurisdiction", jurisdiction, 1, 20)?;
        short("backup.name", &backup.name, 0, 100)?;
        phone("backup.phone", &backup.phone)?;
        short("condition", condition, 0, 200)?;
        short("disclosure", disclosure, 0, 2_000)?;
        let Communication { method, frequency, format } = communication;
        short("communication.method", method, 0, 200)?;
        short("communication.frequency", frequency, 0, 200)?;
        short("communication.format", format, 0, 200)?;
        lines("outcomes", outcomes)?;
        order_set.check()
    }
}

impl Check for OrderSet {
    fn check(&self) -> Result<(), ValueError> {
        let Self {
            pharmacist_phone,
            provider_phone,
            patient,
            drugs,
            extent,
            responsibilities,
            procedures,
            tests,
            reporting,
            notify_events,
            immediate_consultation,
        } = self;
        phone("order_set.pharmacist_phone", pharmacist_phone)?;
        phone("order_set.provider_phone", provider_phone)?;
        let PatientBlock { name, address, gender, dob: _, phone: number } = patient;
        short("order_set.patient.name", name, 0, 200)?;
        short("order_set.patient.address", address, 0, 300)?;
        short("order_set.patient.gender", gender, 0, 40)?;
        phone("order_set.patient.phone", number)?;
        if drugs.len() > DRUGS {
            return Err(ValueError::OutOfRange { path: "order_set.drugs" });
        }
        drugs.iter().try_for_each(Check::check)?;
        short("order_set.extent", extent, 0, 1_000)?;
        short("order_set.responsibilities.physician", &responsibilities.physician, 0, 1_000)?;
        short("order_set.responsibilities.pharmacist", &responsibilities.pharmacist, 0, 1_000)?;
        short("order_set.procedures", procedures, 0, 2_000)?;
        lines("order_set.tests", tests)?;
        short("order_set.reporting", reporting, 0, 500)?;
        lines("order_set.notify_events", notify_events)?;
        short("order_set.immediate_consultation", immediate_consultation, 0, 1_000)
    }
}

impl Check for DrugRule {
    fn check(&self) -> Result<(), ValueError> {
        short("order_set.drugs.ingredient", &self.ingredient, 1, 200)?;
        each_once("order_set.drugs.actions", &self.actions)?;
        if !self.actions.iter().all(|action| is_authorisable(*action)) {
            return Err(ValueError::OutOfRange { path: "order_set.drugs.actions" });
        }
        self.dose.as_ref().map_or(Ok(()), Check::check)
    }
}

impl Check for DoseRange {
    fn check(&self) -> Result<(), ValueError> {
        const PATH: &str = "order_set.drugs.dose";
        let Self { least, most, most_per_day, unit } = self;
        short(PATH, unit, 1, 30)?;
        let [least, most] = [least, most].map(|value| Amount::of(value, unit));
        let day = most_per_day.as_ref().map(|value| Amount::of(value, unit));
        let in_order =
            Amount::of_zero(unit) < least && least <= most && day.is_none_or(|day| most <= day);
        if in_order { Ok(()) } else { Err(ValueError::OutOfRange { path: PATH }) }
    }
}

fn lines(path: &'static str, lines: &[String]) -> Result<(), ValueError> {
    if lines.len() > LINES {
        return Err(ValueError::OutOfRange { path });
    }
    lines.iter().try_for_each(|line| short(path, line, 1, 200))
}

/// Digits, and what people write between them; letters for "ext. 4". A browser calls it with one touch.
fn phone(path: &'static str, number: &str) -> Result<(), ValueError> {
    short(path, number, 0, 40)?;
    let digits = number.chars().filter(char::is_ascii_digit).count();
    if number.trim().is_empty() || digits >= 3 {
        Ok(())
    } else {
        Err(ValueError::OutOfRange { path })
    }
}
