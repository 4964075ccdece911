//! Allergies, immunizations, conditions, readings: what a chart holds too.

use super::body::{concept, required, words};
use super::out::{Obj, Out};
use super::people::absent;
use super::row::{Fields, Made, coding};
use super::{Export, instant, say};
use crate::allergy::{Allergy, AllergySeverity, AllergyStatement};
use crate::condition::{Condition, ConditionStatus};
use crate::fhir::node::day_of;
use crate::field::{FieldName, ListName};
use crate::format::Language;
use crate::format::measure_name;
use crate::immunization::Immunization;
use crate::measure::{Measure, MeasureKind, MeasureSource};
use crate::record::{Held, Row};

const UCUM: &str = "http://unitsofmeasure.org";

impl Export<'_> {
    pub(super) fn allergies(&self) -> Vec<Made> {
        let rows = self.record.allergies.iter().map(|row| self.allergy(row));
        let none = match self.record.allergy_statement.value() {
            // Said by somebody who asked; an empty list alone says nothing.
            Some(AllergyStatement::NoKnown) if self.record.allergies.is_empty() => {
                Some(self.no_known_allergy())
            }
            Some(
                AllergyStatement::NoKnown | AllergyStatement::Unknown | AllergyStatement::Listed,
            )
            | None => None,
        };
        rows.chain(none).collect()
    }

    fn allergy(&self, row: &Row<Held<Allergy>>) -> Made {
        let mut fields = Fields::of(self, ListName::Allergies, row);
        fields.plain(FieldName::AllergiesContent, "Allergy", &row.content);
        let code = required(&row.content, fields.open(), |allergy| {
            concept(&allergy.substance, allergy.code.as_ref())
        });
        let reactions = row.content.value().and_then(|allergy| {
            let severity = allergy.severity.map(|severity| match severity {
                AllergySeverity::Mild => "mild",
                AllergySeverity::Moderate => "moderate",
                AllergySeverity::Severe => "severe",
            });
            let found: Vec<Obj> = allergy.reactions.iter().map(|text| words(text)).collect();
            let found = if found.iter().any(|found| !found.members().is_empty()) {
                found
            } else {
                severity?;
                // How bad is known, what it was is not.
                vec![Obj::new().with("extension", [absent("unknown")]).with("text", "Not known")]
            };
            Some(vec![Obj::new().with("manifestation", found).with("severity", severity)])
        });
        let resource = allergy_status()
            .with("code", code)
            .with("patient", self.patient_ref())
            .with("note", fields.notes())
            .with("reaction", reactions);
        fields.resource("AllergyIntolerance", row.id, resource)
    }

    fn no_known_allergy(&self) -> Made {
        let mut fields = Fields::whole(self);
        fields.plain(FieldName::AllergyStatement, "Allergies", &self.record.allergy_statement);
        // One of the SNOMED CT codes that HL7's own examples carry.
        let code = coding("http://snomed.info/sct", "716186003", "No known allergy");
        let code = Obj::new().with("coding", [code]).with("text", "No known allergies");
        let resource = allergy_status().with("code", code).with("patient", self.patient_ref());
        fields.made("AllergyIntolerance", self.id("no known allergy"), resource)
    }

    pub(super) fn immunizations(&self) -> Vec<Made> {
        self.record.immunizations.iter().map(|row| self.immunization(row)).collect()
    }

    fn immunization(&self, row: &Row<Held<Immunization>>) -> Made {
        let mut fields = Fields::of(self, ListName::Immunizations, row);
        fields.plain(FieldName::ImmunizationsContent, "Immunization", &row.content);
        let code = required(&row.content, fields.open(), |shot| {
            concept(&shot.vaccine, shot.code.as_ref())
        });
        let date = row.content.value().and_then(|shot| shot.date.as_ref());
        let mut resource = Obj::new()
            .with("status", "completed")
            .with("vaccineCode", code)
            .with("patient", self.patient_ref());
        resource = match date {
            Some(day) => resource.with("occurrenceDateTime", day.as_str()),
            None => resource.with("occurrenceString", "not known"),
        };
        let resource = resource.with("note", fields.notes());
        fields.resource("Immunization", row.id, resource)
    }

    pub(super) fn conditions(&self) -> Vec<Made> {
        self.record.conditions.iter().map(|row| self.condition(row)).collect()
    }

    fn condition(&self, row: &Row<Held<Condition>>) -> Made {
        let mut fields = Fields::of(self, ListName::Conditions, row);
        fields.plain(FieldName::ConditionsContent, "Condition", &row.content);
        let code = required(&row.content, fields.open(), |condition| {
            concept(&condition.text, condition.code.as_ref())
        });
        let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
        let status = row.content.value().map(|condition| match condition.status {
            ConditionStatus::Active => coding(system, "active", "Active"),
            ConditionStatus::Inactive => coding(system, "inactive", "Inactive"),
        });
        // FHIR wants a clinical status of every condition that is not an error; of two it has no word for.
        let status = status.map_or_else(
            || Obj::new().with("extension", [absent("unknown")]),
            |status| Obj::new().with("coding", [status]),
        );
        let onset = row.content.value().and_then(|condition| condition.onset.as_ref());
        let resource = Obj::new()
            .with("clinicalStatus", status)
            .with(
                "category",
                [category(
                    "http://terminology.hl7.org/CodeSystem/condition-category",
                    "problem-list-item",
                    "Problem List Item",
                )],
            )
            .with("code", code)
            .with("subject", self.patient_ref())
            .with("onsetDateTime", onset.map(|day| day.as_str()))
            .with("note", fields.notes());
        fields.resource("Condition", row.id, resource)
    }

    pub(super) fn measures(&self) -> Vec<Made> {
        let rows = self.record.measures.iter();
        rows.map(|row| self.measure(ListName::Measures, FieldName::MeasuresContent, row)).collect()
    }

    pub(super) fn home_readings(&self) -> Vec<Made> {
        let rows = self.record.home_readings.iter();
        rows.map(|row| self.measure(ListName::HomeReadings, FieldName::HomeReadingsContent, row))
            .collect()
    }

    fn measure(&self, list: ListName, field: FieldName, row: &Row<Held<Measure>>) -> Made {
        let mut fields = Fields::of(self, list, row);
        fields.register(field, "Reading", &row.content, |measure| {
            let name = measure_name(measure.kind, Language::En);
            format!("{name} {} {} ({})", measure.value, measure.unit, measure.at)
        });
        let Some(measure) = row.content.value() else {
            let why = Obj::new().with(
                "coding",
                [coding(
                    "http://terminology.hl7.org/CodeSystem/data-absent-reason",
                    "unknown",
                    "Unknown",
                )],
            );
            let resource = Obj::new()
                .with("status", "unknown")
                .with("code", required(&row.content, fields.open(), |_measure| Obj::new()))
                .with("subject", self.patient_ref())
                .with("dataAbsentReason", why);
            return fields.resource("Observation", row.id, resource);
        };
        let (code, display, laboratory) = loinc(measure.kind);
        let kind = "http://terminology.hl7.org/CodeSystem/observation-category";
        let category = if laboratory {
            category(kind, "laboratory", "Laboratory")
        } else {
            category(kind, "vital-signs", "Vital Signs")
        };
        let at = taken(&measure.at);
        let performer = match (measure.source, &row.content) {
            (MeasureSource::Patient, _) => Some(self.patient_ref()),
            (MeasureSource::Staff, Held::Value(said)) => self.who(said.by),
            (MeasureSource::Staff | MeasureSource::Chart, _) => None,
        };
        let code = Obj::new()
            .with("coding", [coding("http://loinc.org", code, display)])
            .with("text", measure_name(measure.kind, Language::En));
        let mut resource = Obj::new()
            .with("status", "final")
            .with("category", [category])
            .with("code", code)
            .with("subject", self.patient_ref());
        resource = match &at {
            Some(at) => resource.with("effectiveDateTime", at.as_str()),
            None => resource,
        };
        resource = resource.with("performer", performer.map(|who| vec![who]));
        let said_when =
            at.is_none().then(|| Obj::new().with("text", format!("Taken: {}", measure.at)));
        let resource = value(resource, measure, said_when);
        fields.resource("Observation", row.id, resource)
    }

    /// FHIR `instant` of who wrote something last, for resources that need a day.
    pub(super) fn written<T>(&self, held: &Held<T>) -> String {
        match held {
            Held::Value(said) => instant(said.at_ms),
            Held::Conflict(candidates) => {
                instant(candidates.iter().map(|said| said.at_ms).max().unwrap_or(self.source.now))
            }
            Held::Empty => instant(self.source.now),
        }
    }
}

fn allergy_status() -> Obj {
    let clinical = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
    Obj::new()
        .with("clinicalStatus", Obj::new().with("coding", [coding(clinical, "active", "Active")]))
}

fn category(system: &'static str, code: &str, display: &str) -> Obj {
    Obj::new().with("coding", [coding(system, code, display)])
}

/// A quantity where the value is a number, components for a blood pressure, else the text as it is.
fn value(resource: Obj, measure: &Measure, note: Option<Obj>) -> Obj {
    let Measure { kind, value, unit, at: _, source: _ } = measure;
    let note = note.map(|note| vec![note]);
    let pair = value
        .split_once('/')
        .and_then(|(high, low)| Some((quantity(high, unit)?, quantity(low, unit)?)));
    if let (MeasureKind::BloodPressure, Some((high, low))) = (kind, pair) {
        let part = |code, display, quantity: Obj| {
            Obj::new()
                .with(
                    "code",
                    Obj::new().with("coding", [coding("http://loinc.org", code, display)]),
                )
                .with("valueQuantity", quantity)
        };
        return resource.with("note", note).with(
            "component",
            [
                part("8480-6", "Systolic blood pressure", high),
                part("8462-4", "Diastolic blood pressure", low),
            ],
        );
    }
    match quantity(value, unit) {
        Some(quantity) => resource.with("valueQuantity", quantity),
        None => resource.with("valueString", format!("{value} {unit}").trim()),
    }
    .with("note", note)
}

fn quantity(value: &str, unit: &str) -> Option<Obj> {
    let comparator = ["<=", ">=", "<", ">"].into_iter().find(|sign| value.starts_with(sign));
    let digits = comparator.and_then(|sign| value.strip_prefix(sign)).unwrap_or(value);
    let number = Out::decimal(digits)?;
    // A code has no blanks; a unit in words stays words.
    let is_code = !unit.is_empty() && !unit.chars().any(char::is_whitespace);
    Some(
        Obj::new()
            .with("value", number)
            .with("comparator", comparator)
            .with("unit", unit)
            .with("system", is_code.then_some(UCUM))
            .with("code", is_code.then_some(unit)),
    )
}

/// When it was taken, if it is a FHIR `dateTime`; an hour without a zone is none.
fn taken(at: &str) -> Option<String> {
    day_of(at)?;
    let Some((_, time)) = at.split_once('T') else { return Some(at.to_owned()) };
    let (clock, zone) = match time.find(['Z', '+', '-']) {
        Some(place) => time.split_at(place),
        None => return None,
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let two = |text: &str, most: u8| {
        text.len() == 2 && text.parse::<u8>().is_ok_and(|number| number <= most)
    };
    let [hour, minute, second] = parts.as_slice() else { return None };
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let zoned = zone == "Z"
        || zone
            .get(1..)
            .and_then(|zone| zone.split_once(':'))
            .is_some_and(|(hour, minute)| two(hour, 13) && two(minute, 59));
    let fits = two(hour, 23)
        && two(minute, 59)
        && two(second, 59)
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    (fits && zoned).then(|| at.to_owned())
}

/// LOINC code and name, and whether a laboratory measures it: the codes that claim no method, because the record keeps
/// none.
const fn loinc(kind: MeasureKind) -> (&'static str, &'static str, bool) {
    match kind {
        MeasureKind::BloodPressure => {
            ("85354-9", "Blood pressure panel with all children optional", false)
        }
        MeasureKind::Weight => ("29463-7", "Body weight", false),
        MeasureKind::HeartRate => ("8867-4", "Heart rate", false),
        MeasureKind::Hba1c => ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", true),
        MeasureKind::LdlCholesterol => {
            ("2089-1", "Cholesterol in LDL [Mass/volume] in Serum or Plasma", true)
        }
        MeasureKind::Creatinine => ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", true),
        MeasureKind::Egfr => ("69405-9", "", true),
        MeasureKind::Potassium => ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", true),
        MeasureKind::Inr => ("6301-6", "INR in Platelet poor plasma by Coagulation assay", true),
        MeasureKind::Alt => (
            "1742-6",
            "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma",
            true,
        ),
    }
}

/// Used where a value is only shown.
pub(super) fn shown<T: serde::Serialize>(held: &Held<T>) -> String {
    held.value().map(say::value).unwrap_or_default()
}
