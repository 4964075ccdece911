//! AllergyIntolerance: rows of the allergy list, and what is known about allergies as a whole.

use super::Reader;
use super::code::{Concept, RXNORM, SNOMED};
use crate::allergy::{Allergy, AllergySeverity, AllergyStatement};
use crate::fhir::chart::ChartRow;
use crate::fhir::issue::IssueCode;
use crate::fhir::node::{Node, fit};
use crate::field::{FieldName, ListName};
use crate::value::Value;

#[derive(Default)]
pub(super) struct Allergies<'f> {
    rows: Vec<ChartRow>,
    none_known: Option<Node<'f>>,
}

impl<'f> Allergies<'f> {
    pub(super) fn read(&mut self, _reader: &Reader<'f>, node: &Node<'f>) {
        let code = |member| {
            Concept::read(node, member)
                .and_then(|concept| concept.codes().next().map(str::to_owned))
        };
        match code("verificationStatus").as_deref() {
            Some("refuted" | "entered-in-error") => {
                node.remark_at("verificationStatus", IssueCode::NotTrue);
                return;
            }
            Some("unconfirmed" | "presumed" | "confirmed") | None => {}
            Some(_) => node.remark_at("verificationStatus", IssueCode::UnknownCode),
        }
        match code("clinicalStatus").as_deref() {
            Some("inactive" | "resolved") => {
                node.remark_at("clinicalStatus", IssueCode::NotCurrent);
                return;
            }
            Some("active") | None => {}
            // An allergy too many is asked about; one too few is not.
            Some(_) => node.remark_at("clinicalStatus", IssueCode::UnknownCode),
        }
        let concept = Concept::read(node, "code").unwrap_or_default();
        match negative(&concept) {
            Some(Negative::Everything) => {
                self.none_known = Some(node.clone());
                return;
            }
            Some(Negative::Part) => {
                node.remark_at("code", IssueCode::DrugAllergiesOnly);
                return;
            }
            None => {}
        }
        let reactions = node.list("reaction");
        let substance = concept.label().or_else(|| {
            reactions.iter().find_map(|reaction| Concept::read(reaction, "substance")?.label())
        });
        let Some(substance) = substance else {
            node.remark_at("code", IssueCode::Missing);
            return;
        };
        let mut found: Vec<String> = Vec::new();
        let mut severity = None;
        for reaction in &reactions {
            for manifestation in Concept::list(reaction, "manifestation") {
                found.extend(manifestation.label().map(|label| fit(label, 200).0));
            }
            severity = severity.max(match reaction.string("severity") {
                Some("mild") => Some(0),
                Some("moderate") => Some(1),
                Some("severe") => Some(2),
                None => None,
                Some(_) => {
                    reaction.remark_at("severity", IssueCode::UnknownCode);
                    None
                }
            });
        }
        found.dedup();
        found.truncate(20);
        let (substance, shortened) = fit(substance, 200);
        if shortened {
            node.remark_at("code", IssueCode::Shortened);
        }
        let allergy = Allergy {
            substance,
            code: concept.code(RXNORM),
            reactions: found,
            severity: severity.map(|level| match level {
                0 => AllergySeverity::Mild,
                1 => AllergySeverity::Moderate,
                _ => AllergySeverity::Severe,
            }),
            source: "chart".to_owned(),
        };
        let mut row = ChartRow::new(ListName::Allergies, node.source().clone());
        row.values
            .extend(Value::of(&allergy).ok().map(|value| (FieldName::AllergiesContent, value)));
        if row.values.is_empty() {
            node.remark_at("code", IssueCode::WrongShape);
        } else {
            self.rows.push(row);
        }
    }

    pub(super) fn rows(self) -> (AllergyStatement, Vec<ChartRow>) {
        let statement = match (&self.none_known, self.rows.is_empty()) {
            (Some(_), true) => AllergyStatement::NoKnown,
            (None, true) => AllergyStatement::Unknown,
            (none_known, false) => {
                if let Some(node) = none_known {
                    node.remark(IssueCode::AllergiesContradict);
                }
                AllergyStatement::Listed
            }
        };
        (statement, self.rows)
    }
}

enum Negative {
    /// No known allergy of any kind.
    Everything,
    /// No known allergy of one kind: drugs, food, the environment.
    Part,
}

fn negative(concept: &Concept) -> Option<Negative> {
    match concept.code_in(SNOMED).map(|code| code.code.as_str()) {
        Some("716186003") => return Some(Negative::Everything),
        Some("409137002" | "428607008" | "429625007") => return Some(Negative::Part),
        Some(_) | None => {}
    }
    concept.words().find_map(|word| match word.trim_end_matches('.') {
        "no known allergies" | "no known allergy" | "nka" => Some(Negative::Everything),
        "no known drug allergies" | "no known drug allergy" | "nkda" => Some(Negative::Part),
        _ => None,
    })
}
