//! What an import yields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::issue::Issue;
use crate::allergy::AllergyStatement;
use crate::field::{FieldName, ListName};
use crate::phi::Phi;
use crate::value::{PartialDate, Value};

/// A chart, ready to seed a record. Row and edit identifiers are given by whoever writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// Whose it is.
    pub patient: PatientFacts,
    /// Rows, list by list, in the order they are to stand.
    pub rows: Vec<ChartRow>,
    /// `NoKnown` only where the chart says so, `Listed` where it lists one, else `Unknown`.
    pub allergy_statement: AllergyStatement,
    /// When the patient last left a hospital, if the chart tells: the 30-day clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub last_discharge: Option<Phi<PartialDate>>,
    /// What is to be said about it, resource by resource.
    pub issues: Vec<Issue>,
    /// Issues beyond the first [`super::ISSUES`], which are counted only.
    pub issues_left_out: u32,
    /// Resources of kinds that are not read, by type.
    pub ignored: BTreeMap<String, u32>,
}

impl Chart {
    /// The rows of one list.
    pub fn rows_of(&self, list: ListName) -> impl Iterator<Item = &ChartRow> {
        self.rows.iter().filter(move |row| row.list == list)
    }
}

/// One row to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct ChartRow {
    /// Of which list.
    pub list: ListName,
    /// Its registers.
    #[cfg_attr(feature = "typescript", ts(as = "BTreeMap<String, Value>"))]
    pub values: BTreeMap<FieldName, Value>,
    /// Its texts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "BTreeMap<String, String>"))]
    pub texts: BTreeMap<FieldName, Phi<String>>,
    /// Where it was read.
    pub source: ResourceRef,
    /// `meta.versionId` of the resource, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub version: Option<Phi<String>>,
    /// SHA-256, in hex, of the resource as it came: members by name, no white space, numbers as written.
    pub sha256: String,
}

impl ChartRow {
    pub(super) const fn new(list: ListName, source: ResourceRef) -> Self {
        Self {
            list,
            values: BTreeMap::new(),
            texts: BTreeMap::new(),
            source,
            version: None,
            sha256: String::new(),
        }
    }

    /// One of its registers, as its type.
    pub fn read<T: serde::de::DeserializeOwned>(&self, field: FieldName) -> Option<T> {
        self.values.get(&field).and_then(Value::read)
    }
}

/// A resource of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct ResourceRef {
    /// Its place: entry of the bundle or line of the NDJSON, from 0.
    pub entry: usize,
    /// "MedicationRequest"; empty if it has no type, or one that is no FHIR name.
    pub kind: String,
    /// Its id: some sources put a record number here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub id: Option<Phi<String>>,
}

/// Who the chart is about. Record numbers are kept; national, licence, passport and insurance numbers never are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct PatientFacts {
    /// As it is called: "Ruth Delgado".
    pub name: Phi<String>,
    /// Given names.
    pub given: Phi<String>,
    /// Family name.
    pub family: Phi<String>,
    /// As exactly as the chart knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub birth_date: Option<Phi<PartialDate>>,
    /// FHIR `Patient.gender`.
    pub sex: Phi<Sex>,
    /// BCP 47, the preferred one first: "es-US".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub language: Option<Phi<String>>,
    /// Phone numbers, mobile first.
    pub phones: Vec<Phi<String>>,
    /// E-mail addresses.
    pub emails: Vec<Phi<String>>,
    /// Medical record numbers.
    pub record_numbers: Vec<RecordNumber>,
    /// Set if the patient has died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub deceased: Option<Phi<Deceased>>,
}

impl PatientFacts {
    /// Completed years on a day; `None` without a birth date. A birth date known to the year counts from its end, so
    /// that nobody is made older than the chart says.
    pub fn age(&self, today: &PartialDate) -> Option<u16> {
        let born = self.birth_date.as_ref()?.expose().as_str();
        let today = today.as_str();
        let year = |date: &str| date.get(..4)?.parse::<u16>().ok();
        let years = year(today)?.checked_sub(year(born)?)?;
        let had_birthday = match (born.get(5..), today.get(5..)) {
            (Some(born), Some(today)) => today >= born,
            (None, _) | (_, None) => false,
        };
        if had_birthday { Some(years) } else { Some(years.saturating_sub(1)) }
    }
}

/// A medical record number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct RecordNumber {
    /// Who gave it, as a URI; may be empty.
    pub system: String,
    /// The number.
    pub value: Phi<String>,
}

/// FHIR administrative gender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Male.
    Male,
    /// Female.
    Female,
    /// Other.
    Other,
    /// Not known, or not said.
    Unknown,
}

/// That, and when, the patient died.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Deceased {
    /// When, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub on: Option<PartialDate>,
}
