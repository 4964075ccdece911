//! Reads a chart out of a file.
//!
//! Three rules above all: a sig is never invented, what is absent is not negative, and one bad resource never stops
//! the rest. What could not be read, and what a person should look at, comes out beside the chart as issues.

mod allergy;
mod code;
mod condition;
mod dosage;
mod goal;
mod immunization;
mod measure;
mod medication;
mod own;
mod patient;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::{File, is_fhir, parse};
use super::chart::{Chart, ChartRow, PatientFacts, ResourceRef};
use super::issue::{IssueCode, ReadError};
use super::node::{Log, Node};
use crate::allergy::AllergyStatement;
use crate::field::ListName;
use crate::phi::Phi;
use crate::value::PartialDate;

pub(super) use medication::ingredients_of;

/// Rows of one list that an import brings. Below [`crate::limits::ROWS`], so that people can still add some.
pub const ROWS: usize = 450;

/// Bytes of a `meta.versionId`: FHIR allows 64 characters.
const VERSION_BYTES: usize = 64;

/// A file while it is read.
struct Reader<'f> {
    file: &'f File<'f>,
    log: &'f Log,
    today: &'f PartialDate,
    patient: usize,
}

/// Reads a FHIR R4 bundle of any type, or NDJSON, of one patient. `today` judges dates in the future and age.
///
/// # Errors
/// The file as a whole is not such a file; see [`ReadError`].
pub fn read(bytes: &[u8], today: &PartialDate) -> Result<Chart, ReadError> {
    let parsed = parse(bytes)?;
    if !is_fhir(&parsed) {
        return Err(ReadError::NotFhir);
    }
    let log = Log::default();
    let file = File::of(&parsed, &log)?;
    file.refuse_other_versions(&log)?;
    let patient = the_patient(&file, &log)?;
    let reader = Reader { file: &file, log: &log, today, patient };
    let (facts, rows, statement, discharge, ignored) = reader.chart()?;
    let (issues, issues_left_out) = log.into_parts();
    Ok(Chart {
        patient: facts,
        rows,
        allergy_statement: statement,
        last_discharge: discharge.map(Phi::new),
        issues,
        issues_left_out,
        ignored,
    })
}

/// Counts a resource that is not read.
fn leave_out(ignored: &mut BTreeMap<String, u32>, kind: &str) {
    let count = ignored.entry(kind.to_owned()).or_default();
    *count = count.saturating_add(1);
}

/// The one patient. The same resource twice (a search set may repeat it) is one.
fn the_patient(file: &File<'_>, log: &Log) -> Result<usize, ReadError> {
    let mut first = None;
    let mut seen = BTreeSet::new();
    let mut count = 0_usize;
    for (index, kind, node) in file.resources(log) {
        if kind == "Patient" {
            let id = node.quiet_string("id").map(str::to_owned);
            if id.is_none_or(|id| seen.insert(id)) {
                count += 1;
                first = first.or(Some(index));
            }
        }
    }
    match (first, count) {
        (Some(index), 1) => Ok(index),
        (Some(_), count) => Err(ReadError::SeveralPatients { count }),
        (None, _) => Err(ReadError::NoPatient),
    }
}

type Parts =
    (PatientFacts, Vec<ChartRow>, AllergyStatement, Option<PartialDate>, BTreeMap<String, u32>);

impl<'f> Reader<'f> {
    fn chart(&self) -> Result<Parts, ReadError> {
        let patient = self.file.node(self.patient, self.log).ok_or(ReadError::NoPatient)?;
        let facts = self.patient_facts(&patient);
        let mut medications = medication::Medications::default();
        let mut allergies = allergy::Allergies::default();
        let mut immunizations = Vec::new();
        let mut conditions = condition::Conditions::default();
        let mut measures = measure::Measures::default();
        let mut goals = Vec::new();
        let mut discharge: Option<PartialDate> = None;
        let mut ignored: BTreeMap<String, u32> = BTreeMap::new();
        let mut rows = Vec::new();
        let mut told = None;
        for (index, kind, node) in self.file.resources(self.log) {
            let subject = match kind {
                "MedicationRequest"
                | "MedicationStatement"
                | "MedicationDispense"
                | "Condition"
                | "Observation"
                | "Goal"
                | "Encounter" => "subject",
                "AllergyIntolerance" | "Immunization" => "patient",
                // Read where another resource refers to them.
                "Patient" | "Practitioner" | "PractitionerRole" | "Organization" | "Medication" => {
                    continue;
                }
                "CarePlan" => "subject",
                other => {
                    leave_out(&mut ignored, other);
                    continue;
                }
            };
            if self.file.is_repeat(index, &node) {
                node.remark(IssueCode::Duplicate);
                continue;
            }
            if !self.is_about_patient(&node, subject) {
                continue;
            }
            match own::read(&node) {
                own::Own::Foreign => {}
                own::Own::Row(row) => {
                    rows.push(row);
                    continue;
                }
                own::Own::Whole(values) => told = own::statement(&values).or(told),
                own::Own::NotForImport => {
                    leave_out(&mut ignored, kind);
                    continue;
                }
            }
            match kind {
                "CarePlan" => leave_out(&mut ignored, kind),
                "MedicationRequest" => medications.request(self, index, &node),
                "MedicationStatement" => medications.statement(self, &node),
                "MedicationDispense" => medications.dispense(self, &node),
                "AllergyIntolerance" => allergies.read(self, &node),
                "Immunization" => immunizations.extend(self.immunization(&node)),
                "Condition" => conditions.read(self, &node),
                "Observation" => measures.read(self, &node),
                "Goal" => goals.extend(self.goal(&node)),
                _ => {
                    let left = self.discharge(&node);
                    discharge = discharge.max(left);
                }
            }
        }
        let listed = rows.iter().any(|row: &ChartRow| row.list == ListName::Allergies);
        rows.extend(medications.rows(self));
        let (statement, allergy_rows) = allergies.rows();
        let statement = told.unwrap_or(if listed { AllergyStatement::Listed } else { statement });
        rows.extend(allergy_rows);
        immunizations.sort_by(|a: &(Option<PartialDate>, ChartRow), b| b.0.cmp(&a.0));
        rows.extend(immunizations.into_iter().map(|(_, row)| row));
        rows.extend(conditions.rows(self));
        rows.extend(measures.rows(self));
        rows.extend(goals);
        Ok((facts, self.stamped(self.bound(rows)), statement, discharge, ignored))
    }

    /// Which version of which resource each row was read from: what a later import is compared with.
    fn stamped(&self, mut rows: Vec<ChartRow>) -> Vec<ChartRow> {
        let key = |source: &ResourceRef| {
            (source.entry, source.kind.clone(), source.id.clone().map(Phi::into_exposed))
        };
        let wanted: BTreeSet<_> = rows.iter().map(|row| key(&row.source)).collect();
        let mut found = BTreeMap::new();
        for (_, _, node) in self.file.resources(self.log) {
            let key = key(node.source());
            if wanted.contains(&key) {
                found.entry(key).or_insert(node);
            }
        }
        for row in &mut rows {
            if let Some(node) = found.get(&key(&row.source)) {
                let version = node.object_quiet("meta").and_then(|meta| meta.text("versionId"));
                row.version =
                    version.filter(|version| version.len() <= VERSION_BYTES).map(Phi::new);
                row.sha256 = node.sha256();
            }
        }
        rows
    }

    /// Rows beyond what a record holds stay out, with a remark each: they stand last, so they are the oldest.
    fn bound(&self, rows: Vec<ChartRow>) -> Vec<ChartRow> {
        let mut counts: BTreeMap<ListName, usize> = BTreeMap::new();
        rows.into_iter()
            .filter(|row| {
                let count = counts.entry(row.list).or_default();
                *count += 1;
                if *count > ROWS {
                    self.log.write(&row.source, "", IssueCode::TooManyRows);
                }
                *count <= ROWS
            })
            .collect()
    }

    /// Whether a resource is about this file's patient. One that is about somebody else is left out.
    fn is_about_patient(&self, node: &Node<'f>, member: &str) -> bool {
        let Some(subject) = node.object(member) else {
            node.remark_at(member, IssueCode::SubjectMissing);
            return true;
        };
        let Some(reference) = subject.string("reference") else {
            subject.remark(IssueCode::SubjectMissing);
            return true;
        };
        if self.file.find(reference).is_some_and(|found| self.is_patient(found)) {
            return true;
        }
        subject.remark(IssueCode::OtherPatient);
        false
    }

    fn is_patient(&self, index: usize) -> bool {
        if index == self.patient {
            return true;
        }
        // The same Patient resource a second time.
        let id = |index| self.file.node(index, self.log).and_then(|node| node.quiet_string("id"));
        let kind = self.file.node(index, self.log).map(|node| node.source().kind.as_str());
        kind == Some("Patient") && id(index).is_some() && id(index) == id(self.patient)
    }

    /// Remarks on a day that has not come yet.
    fn judge_day(&self, node: &Node<'f>, member: &str, day: Option<&PartialDate>) {
        if let Some(day) = day {
            let both = day.as_str().len().min(self.today.as_str().len());
            if day.as_str().get(..both) > self.today.as_str().get(..both) {
                node.remark_at(member, IssueCode::FutureDate);
            }
        }
    }

    /// When a stay in a hospital ended.
    fn discharge(&self, node: &Node<'f>) -> Option<PartialDate> {
        let class = node.object_quiet("class")?;
        if !matches!(class.string("code"), Some("IMP" | "ACUTE" | "NONAC"))
            || node.string("status") != Some("finished")
        {
            return None;
        }
        node.object("period")?.day("end")
    }
}
