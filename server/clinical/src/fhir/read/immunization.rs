//! Immunization: rows of the immunization list.

use super::Reader;
use super::code::{CVX, Concept};
use crate::fhir::chart::ChartRow;
use crate::fhir::issue::IssueCode;
use crate::fhir::node::{Node, fit};
use crate::field::{FieldName, ListName};
use crate::immunization::Immunization;
use crate::value::{PartialDate, Value};

impl<'f> Reader<'f> {
    /// The row, and the day it is sorted by.
    pub(super) fn immunization(&self, node: &Node<'f>) -> Option<(Option<PartialDate>, ChartRow)> {
        match node.string("status") {
            Some("completed") => {}
            Some("not-done" | "entered-in-error") => {
                node.remark_at("status", IssueCode::NotTrue);
                return None;
            }
            Some(_) => {
                node.remark_at("status", IssueCode::UnknownCode);
                return None;
            }
            None => {
                node.remark_at("status", IssueCode::Missing);
                return None;
            }
        }
        let concept = Concept::read(node, "vaccineCode").unwrap_or_default();
        let Some(vaccine) = concept.label() else {
            node.remark_at("vaccineCode", IssueCode::Missing);
            return None;
        };
        let (vaccine, shortened) = fit(vaccine, 200);
        if shortened {
            node.remark_at("vaccineCode", IssueCode::Shortened);
        }
        let date = node.day("occurrenceDateTime");
        self.judge_day(node, "occurrenceDateTime", date.as_ref());
        let immunization = Immunization { vaccine, code: concept.code(CVX), date: date.clone() };
        let mut row = ChartRow::new(ListName::Immunizations, node.source().clone());
        row.values.insert(FieldName::ImmunizationsContent, Value::of(&immunization).ok()?);
        Some((date, row))
    }
}
