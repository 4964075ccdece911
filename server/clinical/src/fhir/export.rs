//! FHIR R4: a record goes out.
//!
//! Three bundles of the same resources: [`medication_profile`] (HL7 Standardized Medication Profile 1.0.0),
//! [`care_plan`] (HL7 Pharmacist Care Plan 1.0.0) and [`whole_record`]. Pure functions of the record and of what is
//! told with it; the same input gives the same bytes.
//!
//! What two people wrote at once is nobody's truth: the coded element stays out, both values stand in words, and an
//! element FHIR requires says why it is absent. What FHIR has no element for stands in the extensions of [`row`], so
//! that nothing is lost on the way out and back in.

mod body;
mod chart;
mod medication;
mod mitigation;
mod out;
mod people;
mod phcp;
mod plan;
mod problem;
pub(crate) mod row;
mod say;
mod smp;
mod touchpoint;
mod voice;
mod whole;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::chart::PatientFacts;
use crate::actor::{Millis, Role};
use crate::consent::{ConsentKind, ConsentState};
use crate::id::{PatientId, PersonId, RowId, VisitId};
use crate::medication::Sensitivity;
use crate::phi::Phi;
use crate::record::Record;
use crate::value::PartialDate;

/// Whom a text or a value is by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// As shown.
    pub name: Phi<String>,
    /// The role they usually have.
    pub role: Role,
}

/// The organisation that keeps the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Practice {
    /// Its name.
    pub name: String,
    /// Whom to call; may be empty.
    pub phone: String,
}

/// A version that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Of the version: one document, one identifier, for ever.
    pub id: Uuid,
    /// From 1.
    pub version: u32,
    /// Who signed.
    pub by: PersonId,
    /// When.
    pub at_ms: Millis,
}

/// Who will read the bundle, which decides about records under 42 CFR Part 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The patient, who may read everything about themselves.
    Patient,
    /// Somebody else's system: rows under Part 2 go only with a consent to share that stands.
    Elsewhere,
}

/// What is exported, and what has to be told with it.
#[derive(Debug)]
pub struct Source<'a> {
    /// The record, through the eyes of who asked for it.
    pub record: &'a Record,
    /// Whom it is about.
    pub patient: &'a PatientFacts,
    /// Their id.
    pub patient_id: PatientId,
    /// Everybody who wrote something, by id.
    pub people: &'a BTreeMap<PersonId, Writer>,
    /// Who answers for the export: the pharmacist.
    pub author: PersonId,
    /// Who keeps the record.
    pub practice: &'a Practice,
    /// The signed version it is; a draft is none.
    pub signed: Option<Signed>,
    /// Of the document; a signed version brings its own.
    pub document: Uuid,
    /// Who will read it.
    pub reader: Reader,
    /// When visits that were booked for a touchpoint took place, see [`crate::touchpoint::held`].
    pub held: &'a BTreeMap<VisitId, Millis>,
    /// Now.
    pub now: Millis,
    /// The day of that where the practice is.
    pub today: PartialDate,
}

/// A bundle, and how to say what it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Exported {
    /// FHIR JSON, `application/fhir+json`.
    pub json: String,
    /// Rows that stayed out because of 42 CFR Part 2.
    pub withheld: usize,
}

/// It holds a whole record: it never prints.
impl std::fmt::Debug for Exported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exported(..)")
    }
}

/// The Standardized Medication Profile: a document with the medication action plan, or, of a plan that names no
/// problem, the medication list alone, because an action plan without a detected issue cannot be one (SMP 1.0.0,
/// `smp-medication-action-plan`: `supportingInfo` 1..*).
pub fn medication_profile(source: &Source<'_>) -> Exported {
    Export::new(source).finish(smp::bundle)
}

/// The Pharmacist Care Plan as a document.
pub fn care_plan(source: &Source<'_>) -> Exported {
    Export::new(source).finish(phcp::bundle)
}

/// Everything the record holds, as a collection.
pub fn whole_record(source: &Source<'_>) -> Exported {
    Export::new(source).finish(whole::bundle)
}

/// An export under way.
struct Export<'a> {
    source: &'a Source<'a>,
    record: &'a Record,
    /// Rows that stay out, and rows that speak of them.
    withheld: BTreeSet<RowId>,
    /// Whether a row under Part 2 goes out, so that the notice goes with it.
    part2: bool,
    /// People who were referred to, so that they come with it.
    used: RefCell<BTreeSet<PersonId>>,
}

impl<'a> Export<'a> {
    fn new(source: &'a Source<'a>) -> Self {
        let record = source.record;
        let protected: BTreeSet<RowId> = record
            .meds
            .iter()
            // In conflict, one of the two may be right: the careful one counts.
            .filter(|med| match &med.content.sensitivity {
                crate::record::Held::Empty => false,
                crate::record::Held::Value(said) => said.value == Sensitivity::Part2,
                crate::record::Held::Conflict(_candidates) => true,
            })
            .map(|med| med.id)
            .collect();
        let goes = source.reader == Reader::Patient || shares(record);
        let withheld = if goes { BTreeSet::new() } else { about(record, &protected) };
        let part2 = goes && !protected.is_empty();
        Self { source, record, withheld, part2, used: RefCell::default() }
    }

    fn finish(self, bundle: impl FnOnce(&Self) -> out::Obj) -> Exported {
        Exported { json: bundle(&self).to_string(), withheld: self.withheld.len() }
    }

    fn goes(&self, row: RowId) -> bool {
        !self.withheld.contains(&row)
    }

    /// The id of something that is no row: always the same for the same record and name (RFC 9562 §5.8, a hash).
    fn id(&self, name: &str) -> Uuid {
        let mut hash = Sha256::new();
        hash.update(self.document().as_bytes());
        hash.update(name.as_bytes());
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        uuid::Builder::from_bytes(bytes)
            .with_variant(uuid::Variant::RFC4122)
            .with_version(uuid::Version::Custom)
            .into_uuid()
    }

    fn document(&self) -> Uuid {
        self.source.signed.map_or(self.source.document, |signed| signed.id)
    }
}

/// Whether the patient agreed to sharing, by the latest answer.
fn shares(record: &Record) -> bool {
    let mut answers = record.consents.iter().filter_map(|row| row.content.value());
    answers
        .rfind(|consent| consent.kind == ConsentKind::InfoSharing)
        .is_some_and(|consent| consent.state == ConsentState::Given)
}

/// Medicines, and the problems, recommendations, to-dos and answers that name them.
fn about(record: &Record, meds: &BTreeSet<RowId>) -> BTreeSet<RowId> {
    let names = |rows: &[RowId]| rows.iter().any(|row| meds.contains(row));
    let mut found = meds.clone();
    let problems: Vec<RowId> = record
        .problems
        .iter()
        .filter(|row| any(&row.content.statement, |statement| names(&statement.med_ids)))
        .map(|row| row.id)
        .collect();
    let recommended = record.recommendations.iter().filter(|row| {
        any(&row.content.content, |content| {
            content.med.is_some_and(|med| meds.contains(&med))
                || content.problem.is_some_and(|problem| problems.contains(&problem))
        })
    });
    found.extend(recommended.map(|row| row.id));
    found.extend(&problems);
    let todos = record.todos.iter();
    found.extend(
        todos
            .filter(|row| any(&row.content.should_do, |should_do| names(&should_do.med_ids)))
            .map(|row| row.id),
    );
    let about_found = |about: Option<RowId>| about.is_some_and(|row| found.contains(&row));
    let taught = record.teach_backs.iter();
    let said = record.remarks.iter();
    let did = record.what_i_did.iter();
    let comments = record.comments.iter();
    let more: Vec<RowId> = taught
        .filter(|row| any(&row.content, |teach_back| about_found(teach_back.about)))
        .map(|row| row.id)
        .chain(
            said.filter(|row| any(&row.content.about, |about| about_found(about.row)))
                .map(|row| row.id),
        )
        .chain(
            did.filter(|row| any(&row.content.todo, |todo| about_found(Some(*todo))))
                .map(|row| row.id),
        )
        .chain(
            comments
                .filter(|row| any(&row.content.about, |about| about_found(about.row)))
                .map(|row| row.id),
        )
        .collect();
    found.extend(more);
    found
}

/// Whether a register says so in its value or in one of its candidates.
fn any<T>(held: &crate::record::Held<T>, says: impl Fn(&T) -> bool) -> bool {
    match held {
        crate::record::Held::Empty => false,
        crate::record::Held::Value(said) => says(&said.value),
        crate::record::Held::Conflict(candidates) => {
            candidates.iter().any(|said| said.value.as_ref().is_some_and(&says))
        }
    }
}

/// A FHIR `instant` in UTC.
fn instant(at: Millis) -> String {
    let ms = at.0.rem_euclid(86_400_000);
    let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
    let (second, milli) = (ms / 1_000 % 60, ms % 1_000);
    format!("{}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z", PartialDate::of(at).as_str())
}
