//! What an import has to say about a chart: refusals of a whole file, and remarks about one resource.

use serde::{Deserialize, Serialize};

use super::chart::ResourceRef;

/// Why a whole file was refused. Never holds anything of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing but white space.
    #[error("the file is empty")]
    Empty,
    /// Bytes.
    #[error("the file has {bytes} bytes; at most {limit} are read")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Resources.
    #[error("the file has more than {limit} resources")]
    TooManyResources {
        /// The limit.
        limit: usize,
    },
    /// Values inside each other.
    #[error("line {line}, column {column}: more than 64 levels inside each other")]
    TooDeep {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Values.
    #[error("line {line}: more values than a chart has")]
    TooManyValues {
        /// From 1.
        line: usize,
    },
    /// FHIR allows UTF-8 only.
    #[error("the file is not UTF-8 text (first wrong byte at {at})")]
    NotUtf8 {
        /// Offset in bytes.
        at: usize,
    },
    /// FHIR has an XML form, which we do not read.
    #[error("the file is XML; export the chart as FHIR R4 JSON")]
    Xml,
    /// The text breaks off or has a slip.
    #[error("line {line}, column {column}: not JSON")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A name twice in one object: nobody can say which of two values was meant.
    #[error("line {line}, column {column}: the same name stands twice in one object")]
    DuplicateName {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// JSON without `resourceType`.
    #[error("the file is JSON but not FHIR: it has no resourceType")]
    NotFhir,
    /// Another FHIR version, by its profile or by a shape only that version has.
    #[error("the file is FHIR {found}, not R4 (entry {entry})")]
    NotR4 {
        /// "R5", "STU3 or older".
        found: FhirVersion,
        /// Place of the resource that shows it, from 0.
        entry: usize,
    },
    /// Whose chart would it be?
    #[error("the file has no Patient")]
    NoPatient,
    /// One chart, one person.
    #[error("the file has {count} Patients; a chart has one")]
    SeveralPatients {
        /// How many.
        count: usize,
    },
}

impl ReadError {
    /// A stable code for the wire and the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge { bytes: _, limit: _ } => "too_large",
            Self::TooManyResources { limit: _ } => "too_many_resources",
            Self::TooDeep { line: _, column: _ } => "too_deep",
            Self::TooManyValues { line: _ } => "too_many_values",
            Self::NotUtf8 { at: _ } => "not_utf8",
            Self::Xml => "xml",
            Self::NotJson { line: _, column: _ } => "not_json",
            Self::DuplicateName { line: _, column: _ } => "duplicate_name",
            Self::NotFhir => "not_fhir",
            Self::NotR4 { found: _, entry: _ } => "not_r4",
            Self::NoPatient => "no_patient",
            Self::SeveralPatients { count: _ } => "several_patients",
        }
    }
}

/// A FHIR version that is not R4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FhirVersion {
    /// 3.0 and before.
    Stu3,
    /// 5.0 and after.
    R5,
}

impl std::fmt::Display for FhirVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stu3 => "STU3 or older",
            Self::R5 => "R5",
        })
    }
}

/// A remark about one resource. It names the place, never the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "ImportIssue"))]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// Which resource.
    pub resource: ResourceRef,
    /// Where in it: "dosageInstruction[0].timing.repeat.period"; empty for the whole.
    pub path: String,
    /// What.
    pub code: IssueCode,
    /// How much it matters.
    pub severity: IssueSeverity,
}

impl std::fmt::Display for Issue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { resource: ResourceRef { entry, kind, id: _ }, path, code, severity: _ } = self;
        let kind = if kind.is_empty() { "resource" } else { kind };
        write!(f, "{kind} (entry {entry})")?;
        if !path.is_empty() {
            write!(f, ", {path}")?;
        }
        write!(f, ": {}", code.text())
    }
}

/// How much an issue matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum IssueSeverity {
    /// Good to know.
    Info,
    /// Somebody should look before going on.
    Warning,
    /// Something was left out because it could not be read.
    Error,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident $severity:ident;)*) => {
        /// What is to be said.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
        #[serde(rename_all = "snake_case")]
        pub enum IssueCode { $($(#[doc = $doc])+ $variant,)* }

        impl IssueCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// How much it matters.
            pub const fn severity(self) -> IssueSeverity {
                match self { $(Self::$variant => IssueSeverity::$severity,)* }
            }

            /// What it means, in English, for a console.
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim(),)* }
            }
        }
    };
}

codes! {
    /// A line of the NDJSON file could not be read; the others were.
    BrokenLine Error;
    /// An entry without a resource, or a resource without a type.
    NotAResource Error;
    /// An element is there and has another shape than FHIR gives it.
    WrongShape Error;
    /// An element this resource cannot do without is missing.
    Missing Error;
    /// A code outside the set FHIR requires here.
    UnknownCode Error;
    /// Not a date, or one that does not exist.
    BadDate Error;
    /// A reference points to nothing in the file.
    BrokenReference Warning;
    /// The resource is about somebody who is not this file's patient.
    OtherPatient Error;
    /// The resource does not say about whom it is.
    SubjectMissing Warning;
    /// The resource was marked as entered in error, refuted, not done or cancelled at its source.
    NotTrue Info;
    /// A proposal, draft or past entry of a kind that only the present matters of.
    NotCurrent Info;
    /// The source does not say whether it is in use; taken as in use, so that somebody asks.
    StatusUnclear Warning;
    /// A diagnosis that is not confirmed.
    NotConfirmed Warning;
    /// No dosage: how it is taken must be asked.
    NoDosage Warning;
    /// The dosage stands as text; its structure says something a sig cannot hold.
    DosageTextOnly Info;
    /// The text and the structure of the dosage do not say the same; only the text came in.
    DosageUnclear Warning;
    /// The dosage is too long to take over whole, and half a dosage is worse than none.
    DosageTooLong Error;
    /// The request and what is stated about it name different dosages.
    DosageDiffers Warning;
    /// The request and what is stated about it name different states.
    StatusDiffers Warning;
    /// The same ingredient is in two medicines in use.
    DuplicateIngredient Warning;
    /// The same medicine is both stopped and in use.
    ActiveAndStopped Warning;
    /// The same entry stands twice; it came in once.
    Duplicate Info;
    /// A text was cut to fit.
    Shortened Warning;
    /// The unit is none that this measure comes in.
    UnknownUnit Warning;
    /// A number without its unit.
    NoUnit Warning;
    /// A date in the future.
    FutureDate Warning;
    /// No known drug allergies says nothing about others: the statement stays "unknown".
    DrugAllergiesOnly Warning;
    /// "No known allergies" stands beside an allergy.
    AllergiesContradict Warning;
    /// The patient has died.
    Deceased Warning;
    /// Older than 89: leaving the practice, the age reads "90+".
    OverEightyNine Info;
    /// More rows of one list than a record holds; the oldest stayed out.
    TooManyRows Warning;
    /// Exported by this product and changed since; read as any other chart.
    ChangedSinceExport Info;
    /// Older readings of the measure stayed out.
    OlderReadings Info;
}
