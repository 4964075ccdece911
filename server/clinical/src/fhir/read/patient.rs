//! Patient: who the chart is about.

use super::Reader;
use super::code::Concept;
use crate::fhir::chart::{Deceased, PatientFacts, RecordNumber, Sex};
use crate::fhir::issue::IssueCode;
use crate::fhir::node::{Node, fit};
use crate::phi::Phi;

impl<'f> Reader<'f> {
    pub(super) fn patient_facts(&self, node: &Node<'f>) -> PatientFacts {
        let (name, given, family) = human_name(node).unwrap_or_else(|| {
            node.remark_at("name", IssueCode::Missing);
            Default::default()
        });
        let birth_date = node.day("birthDate");
        self.judge_day(node, "birthDate", birth_date.as_ref());
        let sex = match node.string("gender") {
            Some("male") => Sex::Male,
            Some("female") => Sex::Female,
            Some("other") => Sex::Other,
            Some("unknown") | None => Sex::Unknown,
            Some(_) => {
                node.remark_at("gender", IssueCode::UnknownCode);
                Sex::Unknown
            }
        };
        let deceased = deceased(node);
        if deceased.is_some() {
            node.remark(IssueCode::Deceased);
        }
        let facts = PatientFacts {
            name: Phi::new(name),
            given: Phi::new(given),
            family: Phi::new(family),
            birth_date: birth_date.map(Phi::new),
            sex: Phi::new(sex),
            language: language(node).map(Phi::new),
            phones: telecom(node, "phone"),
            emails: telecom(node, "email"),
            record_numbers: record_numbers(node),
            deceased: deceased.map(Phi::new),
        };
        if facts.deceased.is_none() && facts.age(self.today).is_some_and(|age| age > 89) {
            node.remark_at("birthDate", IssueCode::OverEightyNine);
        }
        facts
    }
}

/// Name as called, given names, family name. An old or maiden name is never taken while there is another.
pub(super) fn human_name(node: &Node<'_>) -> Option<(String, String, String)> {
    let names = node.list("name");
    let rank = |name: &Node<'_>| match name.quiet_string("use") {
        Some("official") => 0,
        Some("usual") => 1,
        None => 2,
        Some("old" | "maiden") => 4,
        Some(_) => 3,
    };
    let name = names.iter().min_by_key(|name| rank(name))?;
    let given = name
        .strings("given")
        .into_iter()
        .map(crate::fhir::node::clean)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let family = name.text("family").unwrap_or_default();
    let parts: Vec<&str> =
        [given.as_str(), family.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
    let whole = if parts.is_empty() { name.text("text")? } else { parts.join(" ") };
    // 200 is what a screen can still show; no real name is longer.
    Some((fit(whole, 200).0, fit(given, 200).0, fit(family, 200).0))
}

fn deceased(node: &Node<'_>) -> Option<Deceased> {
    if node.has("deceasedDateTime") {
        return Some(Deceased { on: node.day("deceasedDateTime") });
    }
    if node.has("deceasedBoolean") {
        return node
            .truth("deceasedBoolean")
            .filter(|dead| *dead)
            .map(|_dead| Deceased { on: None });
    }
    None
}

/// The preferred language, else the only or first one.
fn language(node: &Node<'_>) -> Option<String> {
    let all = node.list("communication");
    let preferred =
        all.iter().find(|one| one.truth("preferred") == Some(true)).or_else(|| all.first())?;
    let concept = Concept::read(preferred, "language")?;
    let tag = concept.codes().next().map(str::to_owned)?;
    let shaped = (2..=35).contains(&tag.len())
        && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !shaped {
        preferred.remark_at("language", IssueCode::UnknownCode);
    }
    shaped.then_some(tag)
}

/// Contact points of one system, mobile first, old ones left out. At most four: more is a register, not a contact.
fn telecom(node: &Node<'_>, system: &str) -> Vec<Phi<String>> {
    let mut found: Vec<(bool, String)> = node
        .list("telecom")
        .iter()
        .filter(|point| {
            point.string("system") == Some(system) && point.quiet_string("use") != Some("old")
        })
        .filter_map(|point| {
            let mobile = point.quiet_string("use") == Some("mobile");
            point.text("value").filter(|value| value.len() <= 200).map(|value| (!mobile, value))
        })
        .collect();
    found.sort_by_key(|(not_mobile, _)| *not_mobile);
    found.into_iter().take(4).map(|(_, value)| Phi::new(value)).collect()
}

/// Record numbers: those typed as such, else untyped ones of systems that do not number persons or policies.
fn record_numbers(node: &Node<'_>) -> Vec<RecordNumber> {
    let identifiers = node.list("identifier");
    let read = |identifier: &Node<'_>| {
        let value =
            identifier.text("value").filter(|value| value.len() <= 100 && !like_national(value))?;
        let system =
            identifier.text("system").filter(|system| system.len() <= 200).unwrap_or_default();
        Some(RecordNumber { system, value: Phi::new(value) })
    };
    let typed: Vec<RecordNumber> = identifiers
        .iter()
        .filter(|identifier| {
            identifier.quiet_string("use") != Some("old")
                && Concept::read(identifier, "type")
                    .is_some_and(|kind| kind.codes().any(|code| code == "MR"))
        })
        .filter_map(read)
        .take(4)
        .collect();
    if !typed.is_empty() {
        return typed;
    }
    identifiers
        .iter()
        .filter(|identifier| {
            let system = identifier.quiet_string("system").unwrap_or_default().to_lowercase();
            let personal = [
                "ssn",
                "passport",
                "mbi",
                "medicare",
                "insur",
                "driver",
                "tax",
                "2.16.840.1.113883.4.",
            ]
            .iter()
            .any(|word| system.contains(word));
            !identifier.has("type") && !personal && identifier.quiet_string("use") != Some("old")
        })
        .filter_map(read)
        .take(4)
        .collect()
}

/// Shaped like a US Social Security number.
fn like_national(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let digits = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    matches!(parts.as_slice(), [a, b, c] if digits(a, 3) && digits(b, 2) && digits(c, 4))
}
