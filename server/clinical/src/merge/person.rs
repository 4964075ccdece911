//! Whether a chart is about the person of a record.

use serde::Serialize;
use unicode_normalization::UnicodeNormalization as _;

use crate::fhir::PatientFacts;
use crate::id::PatientId;
use crate::value::PartialDate;

/// How a chart's person and a patient of ours compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "ImportSameness"))]
#[serde(rename_all = "snake_case")]
pub enum Sameness {
    /// They share an identifier, and nothing speaks against it.
    Same,
    /// They share an identifier and have different birth dates: a person looks.
    NumberOnly,
    /// Name and birth date agree and no identifier does: perhaps the same person, which a person decides.
    NameAndBirth,
    /// Somebody else.
    Other,
}

/// Compares a chart's person with a patient of ours.
pub fn compare(ours: PatientId, known: &PatientFacts, chart: &PatientFacts) -> Sameness {
    let born = births(known, chart);
    let number = shares_number(ours, known, chart, born);
    match (number, born) {
        (true, Births::Differ) => Sameness::NumberOnly,
        (true, Births::Agree | Births::Unknown) => Sameness::Same,
        (false, Births::Agree) if same_name(known, chart) => Sameness::NameAndBirth,
        (false, Births::Agree | Births::Unknown | Births::Differ) => Sameness::Other,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Births {
    Agree,
    Unknown,
    Differ,
}

fn births(known: &PatientFacts, chart: &PatientFacts) -> Births {
    let day = |facts: &PatientFacts| facts.birth_date.as_ref().map(|day| day.expose().clone());
    let (Some(ours), Some(theirs)) = (day(known), day(chart)) else { return Births::Unknown };
    let (ours, theirs): (&PartialDate, &PartialDate) = (&ours, &theirs);
    let shared = ours.as_str().len().min(theirs.as_str().len());
    match (ours.as_str().get(..shared), theirs.as_str().get(..shared)) {
        (Some(ours), Some(theirs)) if ours == theirs => Births::Agree,
        _ => Births::Differ,
    }
}

/// A number without a system could be anybody's of another practice: then the birth date must agree as well. Our own
/// exports carry our own id.
fn shares_number(
    ours: PatientId,
    known: &PatientFacts,
    chart: &PatientFacts,
    born: Births,
) -> bool {
    let own = format!("urn:uuid:{ours}");
    chart.record_numbers.iter().any(|theirs| {
        let value = theirs.value.expose().trim();
        if theirs.system == "urn:ietf:rfc:3986" && value == own {
            return true;
        }
        known.record_numbers.iter().any(|ours| {
            let same_system = ours.system.eq_ignore_ascii_case(&theirs.system);
            let no_system = ours.system.is_empty() || theirs.system.is_empty();
            let proven = same_system && !ours.system.is_empty();
            ours.value.expose().trim() == value && (proven || (no_system && born == Births::Agree))
        })
    })
}

fn same_name(known: &PatientFacts, chart: &PatientFacts) -> bool {
    let whole = |facts: &PatientFacts| letters(facts.name.expose());
    let parts = |facts: &PatientFacts| {
        let given = letters(facts.given.expose());
        let first = given.split(' ').next().unwrap_or_default().to_owned();
        (first, letters(facts.family.expose()))
    };
    let (ours, theirs) = (parts(known), parts(chart));
    let named = !ours.0.is_empty() && !ours.1.is_empty();
    whole(known) == whole(chart) || (named && ours == theirs)
}

/// Letters as two clerks might type them: without accents, case and double spaces.
fn letters(name: &str) -> String {
    let bare = name.nfd().filter(|c| !unicode_normalization::char::is_combining_mark(*c));
    let bare: String = bare.collect();
    bare.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fhir::chart::{RecordNumber, Sex};
    use crate::phi::Phi;

    fn person(
        name: (&str, &str),
        born: Option<&str>,
        number: Option<(&str, &str)>,
    ) -> PatientFacts {
        PatientFacts {
            name: Phi::new(format!("{} {}", name.0, name.1)),
            given: Phi::new(name.0.to_owned()),
            family: Phi::new(name.1.to_owned()),
            birth_date: born.map(|born| Phi::new(PartialDate::parse(born).unwrap())),
            sex: Phi::new(Sex::Unknown),
            language: None,
            phones: Vec::new(),
            emails: Vec::new(),
            record_numbers: number
                .map(|(system, value)| RecordNumber {
                    system: system.to_owned(),
                    value: Phi::new(value.to_owned()),
                })
                .into_iter()
                .collect(),
            deceased: None,
        }
    }

    #[test]
    fn identifiers_come_first_and_a_name_alone_proves_nothing() {
        let ours = PatientId(Uuid::from_u128(7));
        let mrn = Some(("urn:mrn", "77"));
        let known = person(("Ruth", "Delgado"), Some("1954-02-15"), mrn);
        let of = |name, born, number| compare(ours, &known, &person(name, born, number));

        assert_eq!(of(("Ruth", "Delgado"), Some("1954-02-15"), mrn), Sameness::Same);
        assert_eq!(of(("R.", "Married"), Some("1954-02-15"), mrn), Sameness::Same);
        assert_eq!(of(("Ruth", "Delgado"), None, mrn), Sameness::Same);
        assert_eq!(of(("Ruth", "Delgado"), Some("1955-02-15"), mrn), Sameness::NumberOnly);
        assert_eq!(of(("rúth m.", "DELGADO"), Some("1954-02-15"), None), Sameness::NameAndBirth);
        assert_eq!(of(("Ruth", "Delgado"), Some("1954-02-16"), None), Sameness::Other);
        assert_eq!(of(("Ruth", "Delgado"), None, None), Sameness::Other);
        assert_eq!(of(("Rosa", "Delgado"), Some("1954-02-15"), None), Sameness::Other);
        assert_eq!(
            of(("Rosa", "Diaz"), Some("1990-01-01"), Some(("urn:mrn", "78"))),
            Sameness::Other
        );
    }

    #[test]
    fn a_number_without_a_system_needs_the_birth_date_beside_it() {
        let ours = PatientId(Uuid::from_u128(7));
        let known = person(("Ruth", "Delgado"), Some("1954-02-15"), Some(("", "77")));
        let of = |born, number| compare(ours, &known, &person(("Rosa", "Diaz"), born, number));

        assert_eq!(of(Some("1954-02-15"), Some(("", "77"))), Sameness::Same);
        assert_eq!(of(Some("1954-02-15"), Some(("urn:mrn", "77"))), Sameness::Same);
        assert_eq!(of(None, Some(("", "77"))), Sameness::Other);
        assert_eq!(of(Some("1990-01-01"), Some(("", "77"))), Sameness::Other);
    }

    #[test]
    fn our_own_export_is_known_by_our_own_id() {
        let ours = PatientId(Uuid::from_u128(7));
        let known = person(("Ruth", "Delgado"), None, None);
        let own = format!("urn:uuid:{ours}");
        let chart = person(("Ruth", "Delgado"), None, Some(("urn:ietf:rfc:3986", &own)));

        assert_eq!(compare(ours, &known, &chart), Sameness::Same);
        let other = PatientId(Uuid::from_u128(8));
        assert_eq!(compare(other, &known, &chart), Sameness::Other);
    }
}
