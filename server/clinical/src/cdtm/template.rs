//! What a jurisdiction asks of an agreement: dated data that the operator replaces. Nothing a Board may change is code.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::day::Day;
use super::terms::{Communication, Contact, OrderSet, PatientBlock, Responsibilities, Terms};
use crate::ingredient;
use crate::value::{ValueError, short};

/// Every template, checked, and what no agreement may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Templates {
    templates: Vec<Template>,
    controlled: BTreeSet<String>,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    templates: Vec<Template>,
    controlled_ingredients: Vec<String>,
}

/// The rules of one jurisdiction for a time. A signature keeps a copy: a later file changes no agreement that is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementTemplate"))]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Stable code: "LA".
    pub jurisdiction: String,
    /// As people know it.
    pub name: String,
    /// Which wording of the rules.
    pub version: String,
    /// Where the rules stand.
    pub source: String,
    /// Whether somebody has compared it with the rules.
    pub verified: bool,
    /// First day it holds.
    pub valid_from: Day,
    /// Last day it holds; without it, until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub valid_to: Option<Day>,
    /// Longest term, in months from the first day.
    pub longest_months: u8,
    /// A status report is due so many days after the first day or the last report.
    pub report_every_days: u16,
    /// The physician reviews the agreement after so many months.
    pub review_every_months: u8,
    /// Whether controlled substances may be in it.
    pub controlled_substances: bool,
    /// Whether putting one drug in the place of another needs the patient's explicit written consent.
    pub substitution_needs_consent: bool,
    /// Whether the pharmacist's registration with the Board must be in force.
    pub registration: bool,
    /// So many days before the last day it is said that it ends, the earliest first.
    pub notice_days: Vec<u16>,
    /// What must be filled in before the physician signs.
    pub required: Vec<Gap>,
}

/// What keeps an agreement from being signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementGap"))]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// No pharmacist.
    Pharmacist,
    /// No physician who stands in, or without a phone.
    Backup,
    /// No disease.
    Condition,
    /// No face-to-face visit.
    F2fVisit,
    /// No first day.
    Start,
    /// No last day.
    End,
    /// The Board was not told of the physician.
    BoardTold,
    /// No disclosure of financial arrangements.
    Disclosure,
    /// Nothing about how physician and pharmacist talk.
    Communication,
    /// Nothing to measure.
    Outcomes,
    /// No phone of the pharmacist.
    PharmacistPhone,
    /// No phone of the physician.
    ProviderPhone,
    /// Name, address, gender, birth date or phone of the patient is missing.
    Patient,
    /// No drug.
    Drugs,
    /// A drug without an action, or one that sets doses without a range.
    DrugRules,
    /// Type and extent are missing.
    Extent,
    /// Responsibilities are missing.
    Responsibilities,
    /// Procedures are missing.
    Procedures,
    /// No test.
    Tests,
    /// Nothing about reports.
    Reporting,
    /// No event the physician must be told of.
    NotifyEvents,
    /// Nothing about immediate consultation.
    ImmediateConsultation,
    /// No registration with the Board, or one that has expired. The pharmacist notes it.
    Registration,
    /// The last day is not after the first.
    EndBeforeStart,
    /// It would hold longer than it may.
    TooLong,
    /// It would be over already.
    Over,
    /// The face-to-face visit is in the future.
    VisitInFuture,
    /// A controlled substance is in the order set.
    Controlled,
}

impl Template {
    /// Everything that keeps the physician from signing these terms on a day, each once.
    pub fn gaps(&self, terms: &Terms, controlled: &Templates, today: Day) -> Vec<Gap> {
        let mut gaps: Vec<Gap> =
            self.required.iter().copied().filter(|gap| is_open(*gap, terms)).collect();
        if let (Some(start), Some(end)) = (terms.start, terms.end) {
            if end <= start {
                gaps.push(Gap::EndBeforeStart);
            } else if end > start.plus_months(self.longest_months) {
                gaps.push(Gap::TooLong);
            } else if end < today {
                gaps.push(Gap::Over);
            }
        }
        if terms.f2f_visit.is_some_and(|visit| visit > today) {
            gaps.push(Gap::VisitInFuture);
        }
        let drugs = &terms.order_set.drugs;
        if !self.controlled_substances
            && drugs.iter().any(|drug| controlled.is_controlled(&drug.ingredient))
        {
            gaps.push(Gap::Controlled);
        }
        gaps
    }

    const fn holds_on(&self, day: Day) -> bool {
        self.valid_from.until(day) >= 0
            && match self.valid_to {
                Some(last) => day.until(last) >= 0,
                None => true,
            }
    }

    fn check(&self) -> Result<(), TemplateError> {
        let wrong = |field| TemplateError::Template { name: self.name.clone(), field };
        let said = |field, text: &str, most| {
            short(field, text, 1, most).map_err(|_rule: ValueError| wrong(field))
        };
        said("jurisdiction", &self.jurisdiction, 20)?;
        said("name", &self.name, 100)?;
        said("version", &self.version, 60)?;
        said("source", &self.source, 300)?;
        if self.valid_to.is_some_and(|last| last < self.valid_from) {
            return Err(wrong("valid_to"));
        }
        let counts = [
            ("longest_months", !(1..=120).contains(&self.longest_months)),
            ("report_every_days", !(1..=3_650).contains(&self.report_every_days)),
            ("review_every_months", !(1..=120).contains(&self.review_every_months)),
            ("notice_days", !self.notice_days.is_sorted_by(|a, b| a > b)),
        ];
        match counts.iter().find(|(_, is_wrong)| *is_wrong) {
            Some((field, _)) => Err(wrong(field)),
            None => Ok(()),
        }
    }
}

/// Whether something that must be said is not. What the dates say is judged apart, and so is the registration, which
/// is the pharmacist's.
fn is_open(gap: Gap, terms: &Terms) -> bool {
    let Terms {
        jurisdiction: _,
        pharmacist,
        backup: Contact { name: backup, phone: backup_phone },
        condition,
        f2f_visit,
        start,
        end,
        board_told,
        disclosure,
        communication: Communication { method, frequency, format },
        outcomes,
        order_set:
            OrderSet {
                pharmacist_phone,
                provider_phone,
                patient: PatientBlock { name, address, gender, dob, phone },
                drugs,
                extent,
                responsibilities: Responsibilities { physician, pharmacist: of_pharmacist },
                procedures,
                tests,
                reporting,
                notify_events,
                immediate_consultation,
            },
    } = terms;
    let silent = |texts: &[&String]| texts.iter().any(|text| text.trim().is_empty());
    match gap {
        Gap::Pharmacist => pharmacist.is_none(),
        Gap::Backup => silent(&[backup, backup_phone]),
        Gap::Condition => silent(&[condition]),
        Gap::F2fVisit => f2f_visit.is_none(),
        Gap::Start => start.is_none(),
        Gap::End => end.is_none(),
        Gap::BoardTold => board_told.is_none(),
        Gap::Disclosure => silent(&[disclosure]),
        Gap::Communication => silent(&[method, frequency, format]),
        Gap::Outcomes => outcomes.is_empty(),
        Gap::PharmacistPhone => silent(&[pharmacist_phone]),
        Gap::ProviderPhone => silent(&[provider_phone]),
        Gap::Patient => dob.is_none() || silent(&[name, address, gender, phone]),
        Gap::Drugs => drugs.is_empty(),
        Gap::DrugRules => drugs.iter().any(|drug| {
            let sets_doses = drug.actions.iter().any(|action| super::check::sets_dose(*action));
            drug.actions.is_empty()
                || ingredient::of(&drug.ingredient).is_empty()
                || (sets_doses && drug.dose.is_none())
        }),
        Gap::Extent => silent(&[extent]),
        Gap::Responsibilities => silent(&[physician, of_pharmacist]),
        Gap::Procedures => silent(&[procedures]),
        Gap::Tests => tests.is_empty(),
        Gap::Reporting => silent(&[reporting]),
        Gap::NotifyEvents => notify_events.is_empty(),
        Gap::ImmediateConsultation => silent(&[immediate_consultation]),
        Gap::Registration
        | Gap::EndBeforeStart
        | Gap::TooLong
        | Gap::Over
        | Gap::VisitInFuture
        | Gap::Controlled => false,
    }
}

/// Why the file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It is not a file of templates.
    #[error("line {line}, column {column}: {why}")]
    Shape {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser says.
        why: String,
    },
    /// A template cannot be right.
    #[error("template {name:?}: {field} cannot be so")]
    Template {
        /// Of the template.
        name: String,
        /// Which field.
        field: &'static str,
    },
    /// Two templates of one jurisdiction hold on the same day.
    #[error("template {name:?}: another one of this jurisdiction holds then")]
    Overlap {
        /// Of the later one.
        name: String,
    },
    /// Nothing in it.
    #[error("no template stands in it")]
    Empty,
}

impl Templates {
    /// Parses and checks a file.
    ///
    /// # Errors
    /// The first thing that cannot be right.
    pub fn parse(json: &str) -> Result<Self, TemplateError> {
        let File { templates, controlled_ingredients } =
            serde_json::from_str(json).map_err(|error| TemplateError::Shape {
                line: error.line(),
                column: error.column(),
                why: error.to_string(),
            })?;
        if templates.is_empty() {
            return Err(TemplateError::Empty);
        }
        for (n, template) in templates.iter().enumerate() {
            template.check()?;
            let overlaps = templates.iter().take(n).any(|before| {
                before.jurisdiction == template.jurisdiction
                    && (before.holds_on(template.valid_from)
                        || template.holds_on(before.valid_from))
            });
            if overlaps {
                return Err(TemplateError::Overlap { name: template.name.clone() });
            }
        }
        let controlled = controlled_ingredients.iter().flat_map(|name| ingredient::of(name));
        Ok(Self { templates, controlled: controlled.collect() })
    }

    /// The rules of a jurisdiction on a day.
    pub fn find(&self, jurisdiction: &str, day: Day) -> Option<&Template> {
        self.templates
            .iter()
            .find(|template| template.jurisdiction == jurisdiction && template.holds_on(day))
    }

    /// All that hold on a day, in the order of the file.
    pub fn on(&self, day: Day) -> impl Iterator<Item = &Template> {
        self.templates.iter().filter(move |template| template.holds_on(day))
    }

    /// Whether a name holds a substance of the file's list. The list is no proof that another one is not controlled:
    /// the mark on the medicine counts beside it.
    pub fn is_controlled(&self, name: &str) -> bool {
        ingredient::of(name).iter().any(|one| self.controlled.contains(one))
    }
}
