//! What an import is answered with.

use std::collections::BTreeMap;

use clinical::actor::Millis;
use clinical::fhir::{FILE_BYTES, Issue, PatientFacts, ReadError};
use clinical::field::ListName;
use clinical::merge::Difference;
use clinical::merge::person::Sameness;
use clinical::phi::Phi;
use serde::Serialize;
use signaling::message::RecordRefusal;

use super::ImportTick;

/// Reply of `POST /api/seats/{seat}/import`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ImportReply {
    /// The file is not a chart.
    Unreadable {
        /// Why, and where.
        fault: ImportFault,
    },
    /// The chart is about somebody else than the visit.
    OtherPerson {
        /// About whom.
        person: ImportPerson,
    },
    /// What differs. Nothing was stored.
    Preview(Box<ImportPreview>),
    /// Warnings wait for somebody to read them. Nothing was stored.
    NotTicked {
        /// Which.
        ticks: Vec<ImportTick>,
    },
    /// The record takes nothing now: it is signed, or the store is away.
    NotTaken {
        /// Why.
        code: RecordRefusal,
    },
    /// What was accepted stands in the record.
    Taken {
        /// How many differences.
        accepted: usize,
        /// What was accepted and not taken.
        left: Vec<ImportLeft>,
    },
}

/// A difference that was accepted and not taken.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct ImportLeft {
    /// Of the row of the preview.
    pub(super) key: String,
    /// Why: `changed_since` stands for "somebody changed the record meanwhile; compare again".
    pub(super) code: RecordRefusal,
}

/// The comparison of a chart with the record.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct ImportPreview {
    /// About whom the file says it is.
    pub(super) person: ImportPerson,
    /// How sure it is that this is the patient of the visit.
    pub(super) sameness: Sameness,
    /// The very same file was imported before.
    pub(super) before: Option<ImportBefore>,
    /// The plan is signed: nothing is taken until it is revised.
    pub(super) sealed: bool,
    /// What differs.
    pub(super) rows: Vec<Difference>,
    /// Rows that differ and that this role may not write: readings taken at home.
    pub(super) not_yours: usize,
    /// Rows that say the same, by list.
    #[cfg_attr(feature = "typescript", ts(type = "{ [key in ListName]?: number }"))]
    pub(super) same: BTreeMap<ListName, usize>,
    /// Remarks, resource by resource.
    pub(super) issues: Vec<Issue>,
    /// Remarks beyond those.
    pub(super) issues_left_out: u32,
    /// Resources of kinds that are not read, by type.
    pub(super) ignored: BTreeMap<String, u32>,
    /// What must be ticked before anything is taken. `no_dosage` and `active_and_stopped` only if such a row is
    /// accepted.
    pub(super) ticks: Vec<ImportTick>,
}

/// The person of a file.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct ImportPerson {
    /// As it is called there.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    name: Phi<String>,
    /// As exactly as the file knows it; empty if it does not.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    birth_date: Phi<String>,
    /// The file says that this person has died.
    deceased: bool,
}

impl ImportPerson {
    pub(super) fn of(facts: &PatientFacts) -> Self {
        let born = facts.birth_date.as_ref().map(|born| born.expose().as_str().to_owned());
        Self {
            name: facts.name.clone(),
            birth_date: Phi::new(born.unwrap_or_default()),
            deceased: facts.deceased.is_some(),
        }
    }
}

/// An earlier import of the very same file.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct ImportBefore {
    /// When.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub(super) at_ms: Millis,
    /// By whom; none: by the operator.
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub(super) name: Option<Phi<String>>,
}

/// Why a file is not a chart: the code, and the numbers its sentence needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct ImportFault {
    /// As [`ReadError::code`].
    #[cfg_attr(
        feature = "typescript",
        ts(
            type = "\"empty\" | \"too_large\" | \"too_many_resources\" | \"too_deep\" | \"too_many_values\" | \"not_utf8\" | \"xml\" | \"not_json\" | \"duplicate_name\" | \"not_fhir\" | \"not_r4\" | \"no_patient\" | \"several_patients\""
        )
    )]
    code: &'static str,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    line: Option<usize>,
    /// From 1, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    column: Option<usize>,
    /// Place of the resource that shows it, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    entry: Option<usize>,
    /// How many there are: bytes, resources, patients.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    count: Option<usize>,
    /// How many there may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    limit: Option<usize>,
    /// Which version of FHIR it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "\"r5\" | \"stu3\""))]
    version: Option<&'static str>,
}

impl ImportFault {
    pub(super) fn too_large(bytes: usize) -> Self {
        Self::of(ReadError::TooLarge { bytes, limit: FILE_BYTES })
    }

    pub(super) fn of(error: ReadError) -> Self {
        use clinical::fhir::issue::FhirVersion;

        let fault = Self { code: error.code(), ..Self::default() };
        let at = |line, column| Self { line: Some(line), column: Some(column), ..fault };
        match error {
            ReadError::Empty | ReadError::Xml | ReadError::NotFhir | ReadError::NoPatient => fault,
            ReadError::TooLarge { bytes, limit } => {
                Self { count: Some(bytes), limit: Some(limit), ..fault }
            }
            ReadError::TooManyResources { limit } => Self { limit: Some(limit), ..fault },
            ReadError::TooDeep { line, column }
            | ReadError::NotJson { line, column }
            | ReadError::DuplicateName { line, column } => at(line, column),
            ReadError::TooManyValues { line } => Self { line: Some(line), ..fault },
            ReadError::NotUtf8 { at } => Self { count: Some(at), ..fault },
            ReadError::NotR4 { found, entry } => {
                let version = match found {
                    FhirVersion::R5 => "r5",
                    FhirVersion::Stu3 => "stu3",
                };
                Self { entry: Some(entry), version: Some(version), ..fault }
            }
            ReadError::SeveralPatients { count } => Self { count: Some(count), ..fault },
        }
    }
}
