//! Goal: rows of the goal list.

use super::Reader;
use super::code::Concept;
use crate::fhir::chart::ChartRow;
use crate::fhir::issue::IssueCode;
use crate::fhir::node::{Node, fit};
use crate::field::{FieldName, ListName};
use crate::goal::GoalTarget;
use crate::phi::Phi;
use crate::value::Value;

impl<'f> Reader<'f> {
    pub(super) fn goal(&self, node: &Node<'f>) -> Option<ChartRow> {
        match node.string("lifecycleStatus") {
            Some("proposed" | "planned" | "accepted" | "active" | "on-hold") => {}
            Some("completed" | "cancelled" | "rejected") => {
                node.remark_at("lifecycleStatus", IssueCode::NotCurrent);
                return None;
            }
            Some("entered-in-error") => {
                node.remark_at("lifecycleStatus", IssueCode::NotTrue);
                return None;
            }
            Some(_) => node.remark_at("lifecycleStatus", IssueCode::UnknownCode),
            None => node.remark_at("lifecycleStatus", IssueCode::Missing),
        }
        let mut row = ChartRow::new(ListName::Goals, node.source().clone());
        if let Some(text) = Concept::read(node, "description").and_then(|concept| concept.label()) {
            let (text, shortened) = fit(text, 300);
            if shortened {
                node.remark_at("description", IssueCode::Shortened);
            }
            row.texts.insert(FieldName::GoalsText, Phi::new(text));
        } else {
            node.remark_at("description", IssueCode::Missing);
            return None;
        }
        let targets = node.list("target");
        if let Some(target) = targets.iter().find_map(target) {
            row.values.extend(Value::of(&target).ok().map(|value| (FieldName::GoalsTarget, value)));
        }
        Some(row)
    }
}

/// "under 140 mm[Hg]", in the words of the source's comparator.
fn target(node: &Node<'_>) -> Option<GoalTarget> {
    let measure = Concept::read(node, "measure").and_then(|concept| concept.label())?;
    let quantity = |name: &str| {
        let quantity = node.object_quiet(name)?;
        Some(amount(&quantity, comparator(&quantity)))
    };
    let range = || {
        let range = node.object_quiet("detailRange")?;
        let low = range.object("low").map(|low| amount(&low, ""));
        let high = range.object("high").map(|high| amount(&high, ""));
        Some(match (low, high) {
            (Some(low), Some(high)) => format!("{low} to {high}"),
            (Some(low), None) => format!("at least {low}"),
            (None, Some(high)) => format!("at most {high}"),
            (None, None) => return None,
        })
    };
    let text = || if node.has("detailString") { node.text("detailString") } else { None };
    let value = quantity("detailQuantity").or_else(range).or_else(text)?;
    let due = if node.has("dueDate") { node.day("dueDate") } else { None };
    Some(GoalTarget { measure: fit(measure, 100).0, value: fit(value, 100).0, due })
}

fn comparator(quantity: &Node<'_>) -> &'static str {
    match quantity.string("comparator") {
        Some("<") => "under ",
        Some("<=") => "at most ",
        Some(">") => "over ",
        Some(">=") => "at least ",
        None => "",
        Some(_) => {
            quantity.remark_at("comparator", IssueCode::UnknownCode);
            ""
        }
    }
}

fn amount(quantity: &Node<'_>, comparator: &str) -> String {
    let value = quantity.number("value").unwrap_or("?");
    let unit = quantity.text("unit").or_else(|| quantity.text("code")).unwrap_or_default();
    format!("{comparator}{value} {unit}").trim().to_owned()
}
