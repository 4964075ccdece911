//! A chart beside a record that has one already: what is new, what the chart says otherwise now, what stays.
//!
//! Nothing is written here. Each difference carries a key that names exactly what was shown; whoever accepts it names
//! the key, and a difference that is not there any more is not carried out. Absent is not stopped: what the file does
//! not name stays as it is, and so does all that people judged themselves ([`Kept`](Told::Kept)).

mod matching;
pub mod person;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use crate::actor::Author;
use crate::allergy::AllergyStatement;
use crate::doc::Doc;
use crate::fhir::{Chart, ChartRow, ResourceRef};
use crate::field::{Address, DocKind, FieldKind, FieldName, ListName};
use crate::fold::presence_of;
use crate::id::RowId;
use crate::medication::{MedicationStatus, Verify};
use crate::phi::Phi;
use crate::register::Register;
use crate::value::Value;

use matching::{Found, label, label_of, match_rows, plain};

/// What an import took of one resource: the provenance of a row, and what the next import is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The list of the row.
    pub list: ListName,
    /// The row it became, or was found to be.
    pub row: RowId,
    /// The resource.
    pub source: ResourceRef,
    /// Its `meta.versionId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Phi<String>>,
    /// SHA-256 of it, see [`ChartRow::sha256`].
    pub sha256: String,
    /// What it said that stands in the record since, or stood there already.
    pub values: BTreeMap<FieldName, Value>,
}

impl Origin {
    /// What a row of a chart leaves behind as `row`.
    pub fn of(row: RowId, read: &ChartRow) -> Self {
        Self {
            list: read.list,
            row,
            source: read.source.clone(),
            version: read.version.clone(),
            sha256: read.sha256.clone(),
            values: read.values.clone(),
        }
    }
}

/// What the imports of a record took so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    said: BTreeMap<Address, Value>,
    by_resource: BTreeMap<(ListName, String, Phi<String>), RowId>,
    rows: BTreeSet<RowId>,
    statement: Option<AllergyStatement>,
}

impl Known {
    /// Adds what one more import took. In their order: the newest word of the chart counts.
    pub fn note(&mut self, origins: Vec<Origin>, statement: Option<AllergyStatement>) {
        for Origin { list, row, source, version: _, sha256: _, values } in origins {
            self.rows.insert(row);
            if let Some(id) = source.id {
                self.by_resource.insert((list, source.kind, id), row);
            }
            for (field, value) in values {
                self.said.insert(Address { row: Some(row), field }, value);
            }
        }
        self.statement = statement.or(self.statement);
    }

    /// Whether this says more than is known already.
    pub fn is_news(&self, origin: &Origin) -> bool {
        let said =
            |field: &FieldName| self.said.get(&Address { row: Some(origin.row), field: *field });
        !self.rows.contains(&origin.row)
            || self.row_of(origin.list, &origin.source) != Some(origin.row)
            || origin.values.iter().any(|(field, value)| said(field) != Some(value))
    }

    fn row_of(&self, list: ListName, source: &ResourceRef) -> Option<RowId> {
        let id = source.id.clone()?;
        self.by_resource.get(&(list, source.kind.clone(), id)).copied()
    }
}

/// One thing in which chart and record differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "ImportRow"))]
pub struct Difference {
    /// Names this difference exactly: file, row, both values and the revision that was shown.
    pub key: String,
    /// In which list; none: the statement about allergies.
    pub list: Option<ListName>,
    /// The row of the record; none: there is none yet.
    pub row: Option<RowId>,
    /// What it is about, as the chart calls it: "simvastatin 20 mg tablet". Empty for the statement.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
    /// What.
    pub told: Told,
    /// Where it was read. What the file does not name has none.
    pub source: Option<ResourceRef>,
}

/// The kinds of difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "ImportTold"))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Told {
    /// The record has no such row.
    New {
        /// Its registers, as they will be written.
        #[cfg_attr(feature = "typescript", ts(type = "{ [key in FieldName]?: Value }"))]
        values: BTreeMap<FieldName, Value>,
        /// Its texts.
        #[cfg_attr(feature = "typescript", ts(type = "{ [key in FieldName]?: string }"))]
        texts: BTreeMap<FieldName, Phi<String>>,
        /// A medicine of the record with the same ingredient: perhaps it is that one with another strength.
        #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
        like: Option<Phi<String>>,
        /// A medicine in use of which the chart does not say how it is taken.
        no_dosage: bool,
    },
    /// The chart says something else now.
    Changed {
        /// Of which field.
        field: FieldName,
        /// What stands in the record; none: nothing, or several values.
        record: Option<Value>,
        /// What the chart says.
        chart: Value,
        /// What stands there was written by people: accepting puts both values beside each other for a choice.
        choice: bool,
    },
    /// The chart says something else than people wrote, and what they wrote stays.
    Kept {
        /// Of which field.
        field: FieldName,
        /// What stands in the record; none: nothing, or several values.
        record: Option<Value>,
        /// What the chart says; none: words, which are never merged from a file.
        chart: Option<Value>,
    },
    /// The row was taken out of the record, and stays out.
    Removed,
    /// The record has it from a chart, and this file does not name it.
    Absent,
}

impl Told {
    /// Whether it can be accepted.
    pub const fn is_open(&self) -> bool {
        match self {
            Self::New { .. } | Self::Changed { .. } => true,
            Self::Kept { .. } | Self::Removed | Self::Absent => false,
        }
    }
}

/// The whole comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What differs, list by list.
    pub differences: Vec<Difference>,
    /// Rows of which chart and record say the same, by list.
    pub same: BTreeMap<ListName, usize>,
    /// What this file says that stands in the record already: the base of the next comparison.
    pub agreed: Vec<Origin>,
    /// The statement about allergies, where it stands so already.
    pub statement: Option<AllergyStatement>,
}

/// The row as it is written into a record that is not the one it was verified in.
pub fn as_imported(mut row: ChartRow) -> ChartRow {
    if let Some(verify) = row.values.get_mut(&FieldName::MedsVerify) {
        // Somebody verified it in another practice: here it is asked again.
        *verify = Value::trusted(&Verify::Unverified);
    }
    // Its problems and recommendations stayed there too.
    row.values.remove(&FieldName::GoalsProblems);
    row.values.remove(&FieldName::MedsBecause);
    row
}

/// What people judge in the record, which no chart overrules: how it is taken, how sure they are, their assessment.
const fn is_peoples(field: FieldName) -> bool {
    matches!(
        field,
        FieldName::MedsSig
            | FieldName::MedsSources
            | FieldName::MedsDiscrepancy
            | FieldName::MedsCostConcern
            | FieldName::MedsHighAlert
            | FieldName::MedsControlled
            | FieldName::MedsSensitivity
            | FieldName::MedsIndicated
            | FieldName::MedsEffective
            | FieldName::MedsSafe
            | FieldName::MedsAdherent
    )
}

/// What is never compared: the check starts anew in each practice, and references lead to rows of elsewhere.
const fn is_local(field: FieldName) -> bool {
    matches!(field, FieldName::MedsVerify | FieldName::MedsBecause | FieldName::GoalsProblems)
}

/// Compares a chart with the documents of a record.
pub fn compare(chart: &Chart, docs: &[&Doc], known: &Known) -> Comparison {
    let mut out = Comparison::default();
    let mut lists: Vec<ListName> = Vec::new();
    for row in &chart.rows {
        if !lists.contains(&row.list) {
            lists.push(row.list);
        }
    }
    for list in ListName::ALL {
        let absent = matches!(list, ListName::Meds | ListName::Allergies);
        if !lists.contains(list) && !absent {
            continue;
        }
        let Some(doc) = docs.iter().copied().find(|doc| doc.kind() == list.doc()) else { continue };
        let rows: Vec<&ChartRow> = chart.rows_of(*list).collect();
        compare_list(*list, &rows, doc, known, &mut out);
    }
    if let Some(plan) = docs.iter().copied().find(|doc| doc.kind() == DocKind::Plan) {
        compare_statement(chart.allergy_statement, plan, known, &mut out);
    }
    out
}

fn compare_list(
    list: ListName,
    rows: &[&ChartRow],
    doc: &Doc,
    known: &Known,
    out: &mut Comparison,
) {
    let found = match_rows(list, rows, doc, |source| known.row_of(list, source));
    let mut met = BTreeSet::new();
    for (read, found) in rows.iter().zip(found) {
        let Found { row, like } = found;
        let about = About { list: Some(list), row, name: label(read), source: Some(&read.source) };
        let Some(row) = row else {
            let ChartRow { values, texts, .. } = as_imported((*read).clone());
            let like = like.map(|row| label_of(list, doc, row));
            let no_dosage = is_without_dosage(list, &values);
            let parts = ["new", &place(&read.source), &written(&values), &written(&texts)];
            out.differences
                .push(about.differs(&parts, Told::New { values, texts, like, no_dosage }));
            continue;
        };
        met.insert(row);
        if is_removed(doc, row) {
            out.differences.push(about.differs(&["removed", &row.to_string()], Told::Removed));
            continue;
        }
        compare_row(read, row, doc, known, out);
    }
    for row in doc.rows(list) {
        if is_absent(list, doc, *row, known, &met) {
            let name = label_of(list, doc, *row);
            let about = About { list: Some(list), row: Some(*row), name, source: None };
            out.differences.push(about.differs(&["absent", &row.to_string()], Told::Absent));
        }
    }
}

/// What a difference is about.
struct About<'c> {
    list: Option<ListName>,
    row: Option<RowId>,
    name: Phi<String>,
    source: Option<&'c ResourceRef>,
}

impl About<'_> {
    /// A difference whose key is a digest of `parts`.
    fn differs(&self, parts: &[&str], told: Told) -> Difference {
        let Self { list, row, name, source } = self;
        let (list, row, name, source) = (*list, *row, name.clone(), source.cloned());
        Difference { key: key(parts), list, row, name, told, source }
    }
}

/// Whether a medicine is in use and the chart does not say how it is taken.
fn is_without_dosage(list: ListName, values: &BTreeMap<FieldName, Value>) -> bool {
    let status = values.get(&FieldName::MedsStatus).and_then(Value::read);
    list == ListName::Meds
        && matches!(status, None | Some(MedicationStatus::Active))
        && !values.contains_key(&FieldName::MedsPrescribedSig)
        && !values.contains_key(&FieldName::MedsSig)
}

/// Whether a row came from a chart, is in use, and is not in this one.
fn is_absent(list: ListName, doc: &Doc, row: RowId, known: &Known, met: &BTreeSet<RowId>) -> bool {
    if !matches!(list, ListName::Meds | ListName::Allergies)
        || met.contains(&row)
        || is_removed(doc, row)
    {
        return false;
    }
    let at = |field| Address { row: Some(row), field };
    let named = match list {
        ListName::Meds => FieldName::MedsProduct,
        _ => FieldName::AllergiesContent,
    };
    let from_chart = known.rows.contains(&row)
        || matches!(doc.register(&at(named)), Register::Value { by: Author::Import, .. });
    let status = doc.register(&at(FieldName::MedsStatus)).value().and_then(Value::read);
    let ended =
        matches!(status, Some(MedicationStatus::Stopped { .. } | MedicationStatus::EnteredInError));
    from_chart && !ended
}

fn is_removed(doc: &Doc, row: RowId) -> bool {
    use crate::field::Presence;

    let presence = doc.register(&presence_of(row)).value().and_then(Value::read::<Presence>);
    matches!(presence, Some(Presence::Removed { .. }))
}

/// Compares one row, field by field.
fn compare_row(read: &ChartRow, row: RowId, doc: &Doc, known: &Known, out: &mut Comparison) {
    let mut differs = false;
    let mut agreed = Origin::of(row, read);
    agreed.values.clear();
    let (list, source) = (Some(read.list), Some(&read.source));
    let about = About { list, row: Some(row), name: label(read), source };
    for (field, chart) in &read.values {
        if is_local(*field) {
            continue;
        }
        let at = Address { row: Some(row), field: *field };
        let held = doc.register(&at);
        let record = held.value().cloned();
        let parts = |kind: &str| {
            let rev = held.rev().to_string();
            [kind.to_owned(), row.to_string(), field.as_str().to_owned(), rev, json(chart)]
        };
        match judge(held, chart, known.said.get(&at), is_peoples(*field)) {
            Judged::Same => {
                agreed.values.insert(*field, chart.clone());
            }
            Judged::Kept => {
                differs = true;
                let told = Told::Kept { field: *field, record, chart: Some(chart.clone()) };
                out.differences.push(about.differs(&each(&parts("kept")), told));
            }
            Judged::Changed { choice } => {
                differs = true;
                // A prescription of the chart is the chart's own fact, which no person writes.
                let choice = choice && field.kind() == FieldKind::Register;
                let told = Told::Changed { field: *field, record, chart: chart.clone(), choice };
                out.differences.push(about.differs(&each(&parts("changed")), told));
            }
        }
    }
    for (field, words) in &read.texts {
        let at = Address { row: Some(row), field: *field };
        if doc.text(&at).unwrap_or_default() != *words.expose() {
            differs = true;
            let told = Told::Kept { field: *field, record: None, chart: None };
            let parts = ["kept", &row.to_string(), field.as_str()];
            out.differences.push(about.differs(&parts, told));
        }
    }
    if !differs {
        *out.same.entry(read.list).or_default() += 1;
    }
    out.agreed.push(agreed);
}

/// What becomes of one value of the chart.
enum Judged {
    Same,
    Kept,
    Changed { choice: bool },
}

/// `before` is what the chart said when it was last taken.
fn judge(held: &Register, chart: &Value, before: Option<&Value>, peoples: bool) -> Judged {
    let says_nothing_new = before == Some(chart);
    match held {
        Register::Empty if says_nothing_new || peoples => Judged::Kept,
        Register::Empty => Judged::Changed { choice: false },
        Register::Value { value: Some(value), .. } if says_no_more(chart, value) => Judged::Same,
        Register::Conflict { candidates, .. }
            if candidates
                .iter()
                .filter_map(|one| one.value.as_ref())
                .any(|value| says_no_more(chart, value)) =>
        {
            Judged::Same
        }
        Register::Value { .. } | Register::Conflict { .. } if says_nothing_new || peoples => {
            Judged::Kept
        }
        Register::Value { value, by, .. } => {
            let as_taken = before.is_some() && value.as_ref() == before;
            let untouched = before.is_none() && *by == Author::Import;
            Judged::Changed { choice: !(as_taken || untouched) }
        }
        Register::Conflict { .. } => Judged::Changed { choice: true },
    }
}

/// Whether a value of a chart says nothing beyond what stands there: the same, or less of it. What a chart leaves out it
/// does not deny, so a medicine does not lose its code, nor an allergy its reactions.
fn says_no_more(chart: &Value, held: &Value) -> bool {
    let parts = chart.read::<Json>().zip(held.read::<Json>());
    parts.is_some_and(|(chart, held)| is_part_of(&chart, &held))
}

fn is_part_of(chart: &Json, held: &Json) -> bool {
    match (chart, held) {
        (Json::Object(ours), Json::Object(theirs)) => ours
            .iter()
            .all(|(name, value)| theirs.get(name).is_some_and(|held| is_part_of(value, held))),
        (Json::Array(ours), Json::Array(theirs)) => {
            ours.iter().all(|one| theirs.iter().any(|held| is_part_of(one, held)))
        }
        (Json::String(ours), Json::String(theirs)) => plain(ours) == plain(theirs),
        (ours, theirs) => ours == theirs,
    }
}

/// The statement about allergies. "Unknown" says nothing: absent is not negative.
fn compare_statement(chart: AllergyStatement, plan: &Doc, known: &Known, out: &mut Comparison) {
    if chart == AllergyStatement::Unknown {
        return;
    }
    let field = FieldName::AllergyStatement;
    let held = plan.register(&Address { row: None, field });
    let before = known.statement.map(|before| Value::trusted(&before));
    let value = Value::trusted(&chart);
    // That nobody had asked is nothing anybody would defend.
    let unknown = held.value().and_then(Value::read) == Some(AllergyStatement::Unknown);
    let told = match judge(held, &value, before.as_ref(), false) {
        Judged::Same => {
            out.statement = Some(chart);
            return;
        }
        Judged::Kept => {
            Told::Kept { field, record: held.value().cloned(), chart: Some(value.clone()) }
        }
        Judged::Changed { choice } => Told::Changed {
            field,
            record: held.value().cloned(),
            chart: value.clone(),
            choice: choice && !unknown,
        },
    };
    let about = About { list: None, row: None, name: Phi::default(), source: None };
    let parts = ["statement", &held.rev().to_string(), &json(&value)];
    out.differences.push(about.differs(&parts, told));
}

fn each(parts: &[String; 5]) -> [&str; 5] {
    parts.each_ref().map(String::as_str)
}

fn place(source: &ResourceRef) -> String {
    let ResourceRef { entry, kind, id } = source;
    format!("{entry} {kind} {}", id.as_ref().map_or("", |id| id.expose()))
}

fn json(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn written<T: Serialize>(fields: &BTreeMap<FieldName, T>) -> String {
    serde_json::to_string(fields).unwrap_or_default()
}

/// A digest of the parts, each with its length, so that no two lists of parts read alike.
fn key(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
