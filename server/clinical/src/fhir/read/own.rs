//! What we exported ourselves, see [`crate::fhir::export::row`]: taken back exactly as it was, as long as nobody touched
//! it on the way. A digest tells; it is no signature, and what comes in this way is a chart like any other.

use std::collections::BTreeMap;

use crate::allergy::AllergyStatement;
use crate::fhir::chart::ChartRow;
use crate::fhir::export::row::{ROW, digest};
use crate::fhir::issue::IssueCode;
use crate::fhir::node::Node;
use crate::field::{FieldKind, FieldName, ListName, Place};
use crate::limits::VALUE;
use crate::phi::Phi;
use crate::value::Value;

/// What the extension of a resource makes of it.
pub(super) enum Own {
    /// It is not one of ours.
    Foreign,
    /// A row, exactly.
    Row(ChartRow),
    /// Values of the plan as a whole.
    Whole(BTreeMap<FieldName, Value>),
    /// A row of a list that an import does not write: a problem is no diagnosis, and a decision was made elsewhere.
    NotForImport,
}

/// Reads the extension, if the resource has one.
pub(super) fn read(node: &Node<'_>) -> Own {
    if !node.is_list("extension") {
        return Own::Foreign;
    }
    let extensions = node.list("extension");
    let Some(own) = extensions.iter().find(|one| one.quiet_string("url") == Some(ROW)) else {
        return Own::Foreign;
    };
    let parts = own.list("extension");
    let named = |name: &str| parts.iter().find(|part| part.quiet_string("url") == Some(name));
    let list = named("list").and_then(|part| part.quiet_string("valueCode"));
    let list = match list {
        Some(name) => match ListName::ALL.iter().find(|list| list.as_str() == name) {
            Some(list) if is_imported(*list) => Some(*list),
            Some(_) => return Own::NotForImport,
            None => return Own::Foreign,
        },
        None => None,
    };
    let told = named("digest").and_then(|part| part.quiet_string("valueString"));
    if told != Some(digest(&node.canonical_without(ROW)).as_str()) {
        // Somebody changed it: what the standard elements say now counts.
        node.remark_at("extension", IssueCode::ChangedSinceExport);
        return Own::Foreign;
    }
    let place = list.map_or(Place::Document, Place::Row);
    let mut row = ChartRow::new(list.unwrap_or(ListName::Meds), node.source().clone());
    for part in &parts {
        let kind = part.quiet_string("url");
        if !matches!(kind, Some("field" | "words")) {
            continue;
        }
        let inside = part.list("extension");
        let member = |name: &str, value: &str| {
            inside
                .iter()
                .find(|one| one.quiet_string("url") == Some(name))
                .and_then(|one| one.quiet_string(value))
        };
        let field = member("name", "valueCode").and_then(|name| name.parse::<FieldName>().ok());
        let (Some(field), Some(value)) = (field, member("value", "valueString")) else {
            part.remark(IssueCode::WrongShape);
            continue;
        };
        // What the patient said about a row stands in another document, and is theirs.
        if field.place() != place {
            continue;
        }
        match (field.kind(), kind) {
            (FieldKind::Text { limit }, Some("words"))
                if value.encode_utf16().count() <= limit * 2 =>
            {
                row.texts.insert(field, Phi::new(value.to_owned()));
            }
            (FieldKind::Register | FieldKind::Command, Some("field")) if value.len() <= VALUE => {
                let json = serde_json::from_str(value).ok();
                match json.and_then(|json| field.parse(&json).ok()) {
                    Some(value) => {
                        row.values.insert(field, value);
                    }
                    None => part.remark(IssueCode::WrongShape),
                }
            }
            (FieldKind::Text { limit: _ } | FieldKind::Register | FieldKind::Command, _) => {
                part.remark(IssueCode::WrongShape);
            }
        }
    }
    match list {
        Some(_) if row.values.is_empty() && row.texts.is_empty() => Own::NotForImport,
        Some(_) => Own::Row(row),
        None => Own::Whole(row.values),
    }
}

/// The statement about allergies, where a plan of ours makes one.
pub(super) fn statement(values: &BTreeMap<FieldName, Value>) -> Option<AllergyStatement> {
    values.get(&FieldName::AllergyStatement).and_then(Value::read)
}

/// Lists an import writes.
const fn is_imported(list: ListName) -> bool {
    match list {
        ListName::Meds
        | ListName::Allergies
        | ListName::Immunizations
        | ListName::Conditions
        | ListName::Measures
        | ListName::Goals
        | ListName::HomeReadings => true,
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
        | ListName::Tasks => false,
    }
}
