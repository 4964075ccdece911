//! Which row of a record a row of a chart is.
//!
//! In this order: the row it was exported from, the row an earlier import made of the same resource, the row that says
//! the same. An id alone proves nothing, for two sources may both have a "1": where the content is another, the row is
//! another.

use std::collections::{BTreeMap, BTreeSet};

use crate::allergy::Allergy;
use crate::condition::Condition;
use crate::doc::Doc;
use crate::fhir::{ChartRow, ResourceRef};
use crate::field::{Address, FieldName, ListName};
use crate::id::RowId;
use crate::immunization::Immunization;
use crate::ingredient;
use crate::measure::Measure;
use crate::medication::{MedicationStatus, Product};
use crate::phi::Phi;
use crate::value::{Code, Value};

/// What was found for a row of a chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The row of the record.
    pub(super) row: Option<RowId>,
    /// Where there is none, a medicine with the same ingredient.
    pub(super) like: Option<RowId>,
}

/// Finds the rows of a record for the rows of a chart, in their order. No row of the record is found twice.
pub(super) fn match_rows(
    list: ListName,
    rows: &[&ChartRow],
    doc: &Doc,
    known: impl Fn(&ResourceRef) -> Option<RowId>,
) -> Vec<Found> {
    let theirs: BTreeMap<RowId, Named> = doc
        .rows(list)
        .iter()
        .filter_map(|row| Some((*row, Named::held(list, doc, *row)?)))
        .collect();
    let ours: Vec<Option<Named>> = rows.iter().map(|row| Named::read(list, row)).collect();
    let mut found = vec![Found::default(); rows.len()];
    let mut taken = BTreeSet::new();
    for ((row, named), found) in rows.iter().zip(&ours).zip(&mut found) {
        let by_id = [own_row(&row.source), known(&row.source)];
        let there = by_id.into_iter().flatten().find(|candidate| {
            !taken.contains(candidate)
                && theirs
                    .get(candidate)
                    .zip(named.as_ref())
                    .is_some_and(|(theirs, ours)| ours.may_be(theirs))
        });
        if let Some(there) = there {
            taken.insert(there);
            found.row = Some(there);
        }
    }
    by_content(&theirs, &ours, &mut found, &mut taken);
    for (named, found) in ours.iter().zip(&mut found) {
        if let (None, Some(ours)) = (found.row, named) {
            found.like = theirs
                .iter()
                .find(|(_, theirs)| ours.shares_ingredient(theirs) && theirs.in_use && !theirs.gone)
                .map(|(row, _)| *row);
        }
    }
    found
}

/// Rows that say the same, those in the same state first: a medicine that is both in use and stopped stands twice.
fn by_content(
    theirs: &BTreeMap<RowId, Named>,
    ours: &[Option<Named>],
    found: &mut [Found],
    taken: &mut BTreeSet<RowId>,
) {
    let mut by_key: BTreeMap<&str, Vec<(RowId, &Named)>> = BTreeMap::new();
    // A row that was taken out is found only where no other says the same.
    for gone in [false, true] {
        for (row, named) in theirs.iter().filter(|(_, named)| named.gone == gone) {
            for key in named.keys() {
                by_key.entry(key).or_default().push((*row, named));
            }
        }
    }
    for same_state in [true, false] {
        for (named, found) in ours.iter().zip(found.iter_mut()) {
            let (None, Some(named)) = (found.row, named) else { continue };
            let mut there = named.keys().filter_map(|key| by_key.get(key)).flatten();
            let there = there.find(|(row, other)| {
                !taken.contains(row)
                    && named.says_same(other)
                    && (!same_state || other.in_use == named.in_use)
            });
            if let Some((row, _)) = there {
                taken.insert(*row);
                found.row = Some(*row);
            }
        }
    }
}

/// A resource of our own export is named after its row.
fn own_row(source: &ResourceRef) -> Option<RowId> {
    source.id.as_ref()?.expose().parse().ok()
}

/// What a row of a chart is called.
pub(super) fn label(row: &ChartRow) -> Phi<String> {
    Phi::new(Named::read(row.list, row).map(|named| named.label).unwrap_or_default())
}

/// What a row of a record is called.
pub(super) fn label_of(list: ListName, doc: &Doc, row: RowId) -> Phi<String> {
    Phi::new(Named::held(list, doc, row).map(|named| named.label).unwrap_or_default())
}

/// What tells a row from others of its list.
struct Named {
    list: ListName,
    /// For people.
    label: String,
    /// What it says, in the words of its source.
    words: String,
    /// What it says, coded. Where both have a code, the codes count and not the words.
    code: Option<String>,
    /// What two rows must share besides: the day of a shot.
    day: String,
    /// Words of which one must be shared before an id is believed.
    marks: BTreeSet<String>,
    ingredients: BTreeSet<String>,
    in_use: bool,
    /// It was taken out of the record.
    gone: bool,
}

impl Named {
    /// Of a row of a chart.
    fn read(list: ListName, row: &ChartRow) -> Option<Self> {
        let text = |field| row.texts.get(&field).map(|words| words.expose().clone());
        Self::of(list, |field| row.values.get(&field).cloned(), text)
    }

    /// Of a row of a record.
    fn held(list: ListName, doc: &Doc, row: RowId) -> Option<Self> {
        let at = |field| Address { row: Some(row), field };
        let value = |field| doc.register(&at(field)).value().cloned();
        let named = Self::of(list, value, |field| doc.text(&at(field)))?;
        Some(Self { gone: super::is_removed(doc, row), ..named })
    }

    fn of(
        list: ListName,
        value: impl Fn(FieldName) -> Option<Value>,
        text: impl Fn(FieldName) -> Option<String>,
    ) -> Option<Self> {
        let mut marks = BTreeSet::new();
        let mut ingredients = BTreeSet::new();
        let mut in_use = true;
        let mut label = String::new();
        let mut code = None;
        let mut day = String::new();
        let words = match list {
            ListName::Meds => {
                let product: Product = value(FieldName::MedsProduct)?.read()?;
                let status = value(FieldName::MedsStatus).and_then(|status| status.read());
                in_use = !matches!(
                    status,
                    Some(MedicationStatus::Stopped { .. } | MedicationStatus::EnteredInError)
                );
                ingredients.extend(ingredient::of(&product.name));
                ingredients.extend(product.ingredients.iter().map(coded));
                marks.insert(plain(&product.name));
                marks.extend(ingredients.iter().cloned());
                code = product.code.as_ref().map(coded);
                label = format!("{} {}", product.name, product.strength_form).trim().to_owned();
                plain(&label)
            }
            ListName::Allergies => {
                let allergy: Allergy = value(FieldName::AllergiesContent)?.read()?;
                label.clone_from(&allergy.substance);
                code = allergy.code.as_ref().map(coded);
                plain(&label)
            }
            ListName::Conditions => {
                let condition: Condition = value(FieldName::ConditionsContent)?.read()?;
                label.clone_from(&condition.text);
                code = condition.code.as_ref().map(coded);
                plain(&label)
            }
            ListName::Immunizations => {
                let shot: Immunization = value(FieldName::ImmunizationsContent)?.read()?;
                label.clone_from(&shot.vaccine);
                code = shot.code.as_ref().map(coded);
                day = shot.date.as_ref().map_or("", |day| day.as_str()).to_owned();
                plain(&label)
            }
            ListName::Measures => {
                let Measure { kind, value, unit, at, source: _ } =
                    value(FieldName::MeasuresContent)?.read()?;
                // A reading is never another reading: only the very same one is found again.
                format!("{kind:?} {at} {value} {unit}")
            }
            ListName::HomeReadings => {
                serde_json::to_string(&value(FieldName::HomeReadingsContent)?).ok()?
            }
            ListName::Goals => {
                label = text(FieldName::GoalsText).unwrap_or_default();
                let words = plain(&label);
                marks.insert("goal".to_owned());
                words
            }
            ListName::Problems
            | ListName::Recommendations
            | ListName::Todos
            | ListName::Touchpoints
            | ListName::TeachBacks
            | ListName::CareTeam
            | ListName::Comments
            | ListName::Dismissals
            | ListName::Questions
            | ListName::WhatIDid
            | ListName::Remarks
            | ListName::Consents
            | ListName::Access
            | ListName::Tasks => return None,
        };
        marks.insert(words.clone());
        marks.extend(code.clone());
        Some(Self { list, label, words, code, day, marks, ingredients, in_use, gone: false })
    }

    /// Under what it is found.
    fn keys(&self) -> impl Iterator<Item = &str> {
        self.code.as_deref().into_iter().chain([self.words.as_str()])
    }

    /// Whether two rows say the same.
    fn says_same(&self, other: &Self) -> bool {
        self.day == other.day
            && match (&self.code, &other.code) {
                (Some(ours), Some(theirs)) => ours == theirs,
                (Some(_) | None, None) | (None, Some(_)) => self.words == other.words,
            }
    }

    /// Whether two rows with the same id can be the same thing.
    fn may_be(&self, other: &Self) -> bool {
        self.says_same(other) || (!self.list.append_only() && !self.marks.is_disjoint(&other.marks))
    }

    fn shares_ingredient(&self, other: &Self) -> bool {
        !self.ingredients.is_disjoint(&other.ingredients)
    }
}

fn coded(code: &Code) -> String {
    format!("{}|{}", code.system, code.code)
}

/// Without what two clerks type differently: case and spaces.
pub(super) fn plain(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}
