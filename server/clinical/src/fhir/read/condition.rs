//! Condition: rows of the condition list.

use std::collections::BTreeSet;

use super::Reader;
use super::code::{Concept, SNOMED};
use crate::condition::{Condition, ConditionStatus};
use crate::fhir::chart::ChartRow;
use crate::fhir::issue::IssueCode;
use crate::fhir::node::{Node, fit};
use crate::field::{FieldName, ListName};
use crate::value::{PartialDate, Value};

#[derive(Default)]
pub(super) struct Conditions<'f> {
    found: Vec<(Condition, Node<'f>)>,
}

impl<'f> Conditions<'f> {
    pub(super) fn read(&mut self, reader: &Reader<'f>, node: &Node<'f>) {
        let code = |member| {
            Concept::read(node, member)
                .and_then(|concept| concept.codes().next().map(str::to_owned))
        };
        match code("verificationStatus").as_deref() {
            Some("refuted" | "entered-in-error") => {
                node.remark_at("verificationStatus", IssueCode::NotTrue);
                return;
            }
            Some("unconfirmed" | "provisional" | "differential") => {
                node.remark_at("verificationStatus", IssueCode::NotConfirmed);
            }
            Some("confirmed") | None => {}
            Some(_) => node.remark_at("verificationStatus", IssueCode::UnknownCode),
        }
        let over = node.names().any(|name| name.starts_with("abatement"));
        let status = match code("clinicalStatus").as_deref() {
            Some("active" | "recurrence" | "relapse") => ConditionStatus::Active,
            Some("inactive" | "remission" | "resolved") => ConditionStatus::Inactive,
            None if over => ConditionStatus::Inactive,
            None => {
                node.remark_at("clinicalStatus", IssueCode::StatusUnclear);
                ConditionStatus::Active
            }
            Some(_) => {
                node.remark_at("clinicalStatus", IssueCode::UnknownCode);
                ConditionStatus::Active
            }
        };
        let concept = Concept::read(node, "code").unwrap_or_default();
        let Some(text) = concept.label() else {
            node.remark_at("code", IssueCode::Missing);
            return;
        };
        let (text, shortened) = fit(text, 200);
        if shortened {
            node.remark_at("code", IssueCode::Shortened);
        }
        let onset = onset(reader, node);
        let condition = Condition { text, code: concept.code(SNOMED), status, onset };
        self.found.push((condition, node.clone()));
    }

    /// Present ones first, then by onset, newest first. What stands twice comes in once.
    pub(super) fn rows(mut self, _reader: &Reader<'f>) -> Vec<ChartRow> {
        self.found.sort_by(|(a, _), (b, _)| {
            let inactive =
                |condition: &Condition| matches!(condition.status, ConditionStatus::Inactive);
            (inactive(a), &b.onset).cmp(&(inactive(b), &a.onset))
        });
        let mut seen = BTreeSet::new();
        self.found
            .iter()
            .filter_map(|(condition, node)| {
                let Condition { text, code: _, status, onset } = condition;
                let active = matches!(status, ConditionStatus::Active);
                if !seen.insert((text.to_lowercase(), active, onset.clone())) {
                    node.remark(IssueCode::Duplicate);
                    return None;
                }
                let mut row = ChartRow::new(ListName::Conditions, node.source().clone());
                row.values.extend(
                    Value::of(condition).ok().map(|value| (FieldName::ConditionsContent, value)),
                );
                Some(row)
            })
            .collect()
    }
}

fn onset<'f>(reader: &Reader<'f>, node: &Node<'f>) -> Option<PartialDate> {
    if node.has("onsetDateTime") {
        let day = node.day("onsetDateTime");
        reader.judge_day(node, "onsetDateTime", day.as_ref());
        return day;
    }
    node.object_quiet("onsetPeriod").filter(|period| period.has("start"))?.day("start")
}
