//! Observation: the newest readings of the measures a medication review looks at.

use std::collections::BTreeMap;

use super::Reader;
use super::code::{Concept, LOINC};
use crate::fhir::chart::ChartRow;
use crate::fhir::issue::IssueCode;
use crate::fhir::node::{Node, day_of, fit};
use crate::field::{FieldName, ListName};
use crate::measure::{Measure, MeasureKind, MeasureSource};
use crate::value::Value;

/// Readings kept of each kind: enough to see a trend, few enough to read on one screen.
const KEPT: usize = 10;

#[derive(Default)]
pub(super) struct Measures<'f> {
    /// By the order in which a review looks at them.
    found: BTreeMap<u8, Vec<(Measure, Node<'f>)>>,
}

impl<'f> Measures<'f> {
    pub(super) fn read(&mut self, reader: &Reader<'f>, node: &Node<'f>) {
        let Some(concept) = Concept::read(node, "code") else {
            node.remark_at("code", IssueCode::Missing);
            return;
        };
        let Some(kind) = concept.code_in(LOINC).and_then(|code| kind(&code.code)) else { return };
        match node.string("status") {
            Some("final" | "amended" | "corrected" | "preliminary") => {}
            Some("registered" | "cancelled" | "entered-in-error" | "unknown") => {
                node.remark_at("status", IssueCode::NotTrue);
                return;
            }
            Some(_) => {
                node.remark_at("status", IssueCode::UnknownCode);
                return;
            }
            None => {
                node.remark_at("status", IssueCode::Missing);
                return;
            }
        }
        let value = if matches!(kind, MeasureKind::BloodPressure) {
            blood_pressure(node)
        } else {
            quantity(node, "valueQuantity")
        };
        let Some((value, unit)) = value else { return };
        let Some(at) = taken(reader, node) else { return };
        if unit.is_empty() {
            if !matches!(kind, MeasureKind::Inr) {
                node.remark_at("valueQuantity.unit", IssueCode::NoUnit);
            }
        } else if !units(kind).contains(&unit.as_str()) {
            node.remark_at("valueQuantity.unit", IssueCode::UnknownUnit);
        }
        let measure =
            Measure { kind, value, unit: fit(unit, 40).0, at, source: MeasureSource::Chart };
        if Value::of(&measure).is_err() {
            node.remark_at("valueQuantity.value", IssueCode::WrongShape);
            return;
        }
        self.found.entry(rank(kind)).or_default().push((measure, node.clone()));
    }

    pub(super) fn rows(self, _reader: &Reader<'f>) -> Vec<ChartRow> {
        let mut rows = Vec::new();
        for (_, mut readings) in self.found {
            // FHIR instants of one source compare as text.
            readings.sort_by(|(a, _), (b, _)| b.at.cmp(&a.at));
            if let Some((_, first_left_out)) = readings.get(KEPT) {
                first_left_out.remark(IssueCode::OlderReadings);
            }
            for (measure, node) in readings.into_iter().take(KEPT) {
                let mut row = ChartRow::new(ListName::Measures, node.source().clone());
                row.values.extend(
                    Value::of(&measure).ok().map(|value| (FieldName::MeasuresContent, value)),
                );
                rows.push(row);
            }
        }
        rows
    }
}

/// LOINC codes of the measures.
fn kind(loinc: &str) -> Option<MeasureKind> {
    Some(match loinc {
        "85354-9" | "55284-4" => MeasureKind::BloodPressure,
        "29463-7" => MeasureKind::Weight,
        "8867-4" => MeasureKind::HeartRate,
        "4548-4" => MeasureKind::Hba1c,
        "13457-7" | "18262-6" | "2089-1" => MeasureKind::LdlCholesterol,
        "2160-0" => MeasureKind::Creatinine,
        "98979-8" | "62238-1" | "33914-3" | "69405-9" => MeasureKind::Egfr,
        "2823-3" => MeasureKind::Potassium,
        "6301-6" => MeasureKind::Inr,
        "1742-6" => MeasureKind::Alt,
        _ => return None,
    })
}

const fn rank(kind: MeasureKind) -> u8 {
    match kind {
        MeasureKind::BloodPressure => 0,
        MeasureKind::HeartRate => 1,
        MeasureKind::Weight => 2,
        MeasureKind::Hba1c => 3,
        MeasureKind::LdlCholesterol => 4,
        MeasureKind::Creatinine => 5,
        MeasureKind::Egfr => 6,
        MeasureKind::Potassium => 7,
        MeasureKind::Inr => 8,
        MeasureKind::Alt => 9,
    }
}

/// Units (UCUM, and the spellings seen instead) a measure comes in.
const fn units(kind: MeasureKind) -> &'static [&'static str] {
    match kind {
        MeasureKind::BloodPressure => &["mm[Hg]", "mmHg", "mm Hg"],
        MeasureKind::Weight => &["kg", "g", "[lb_av]", "lb", "lbs"],
        MeasureKind::HeartRate => &["/min", "{beats}/min", "{Beats}/min", "beats/minute", "bpm"],
        MeasureKind::Hba1c => &["%", "mmol/mol"],
        MeasureKind::LdlCholesterol => &["mg/dL", "mmol/L"],
        MeasureKind::Creatinine => &["mg/dL", "umol/L"],
        MeasureKind::Egfr => &[
            "mL/min/{1.73_m2}",
            "mL/min/1.73.m2",
            "mL/min/1.73m2",
            "mL/min/{1.73_m2}.m2",
            "mL/min",
        ],
        MeasureKind::Potassium => &["mmol/L", "meq/L", "mEq/L"],
        MeasureKind::Inr => &["{INR}", "1", "{ratio}"],
        MeasureKind::Alt => &["U/L", "[iU]/L", "IU/L"],
    }
}

/// A quantity: the digits as written, and the unit, its UCUM code before its display.
fn quantity(node: &Node<'_>, member: &str) -> Option<(String, String)> {
    let Some(quantity) = node.object(member) else {
        node.remark_at(member, IssueCode::Missing);
        return None;
    };
    let Some(value) = quantity.number("value") else {
        quantity.remark_at("value", IssueCode::Missing);
        return None;
    };
    let comparator = match quantity.string("comparator") {
        None => "",
        Some("<") => "<",
        Some("<=") => "<=",
        Some(">=") => ">=",
        Some(">") => ">",
        Some(_) => {
            quantity.remark_at("comparator", IssueCode::UnknownCode);
            return None;
        }
    };
    let unit = quantity.text("code").or_else(|| quantity.text("unit")).unwrap_or_default();
    Some((format!("{comparator}{value}"), unit))
}

/// Systolic and diastolic as "132/84". One of them alone is no blood pressure.
fn blood_pressure(node: &Node<'_>) -> Option<(String, String)> {
    let components = node.list("component");
    let part = |loinc: &str| {
        let component = components.iter().find(|component| {
            Concept::read(component, "code").is_some_and(|concept| {
                concept.code_in(LOINC).is_some_and(|code| code.code == loinc)
            })
        })?;
        quantity(component, "valueQuantity")
    };
    let (Some((high, unit)), Some((low, low_unit))) = (part("8480-6"), part("8462-4")) else {
        node.remark_at("component", IssueCode::Missing);
        return None;
    };
    if unit != low_unit {
        node.remark_at("component", IssueCode::UnknownUnit);
        return None;
    }
    Some((format!("{high}/{low}"), unit))
}

/// When it was taken, as exact as the source.
fn taken(reader: &Reader<'_>, node: &Node<'_>) -> Option<String> {
    let (member, text) = if node.has("effectiveDateTime") {
        ("effectiveDateTime", node.string("effectiveDateTime"))
    } else if node.has("effectiveInstant") {
        ("effectiveInstant", node.string("effectiveInstant"))
    } else if let Some(period) = node.object_quiet("effectivePeriod") {
        ("effectivePeriod", period.string("start"))
    } else {
        ("issued", node.string("issued"))
    };
    let Some(text) = text else {
        node.remark_at("effective[x]", IssueCode::Missing);
        return None;
    };
    let Some(day) = day_of(text) else {
        node.remark_at(member, IssueCode::BadDate);
        return None;
    };
    reader.judge_day(node, member, Some(&day));
    Some(text.to_owned())
}
