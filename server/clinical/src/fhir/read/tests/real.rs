//! Third-party charts, read in place.

use super::{chart, codes, names, shared, status, today};
use crate::allergy::AllergyStatement;
use crate::fhir::IssueCode;
use crate::field::{FieldName, ListName};
use crate::immunization::Immunization;
use crate::measure::{Measure, MeasureKind};
use crate::medication::{MedicationKind, MedicationStatus, Sig, Verify};
use crate::value::Line;

#[test]
fn cruz_has_eight_medicines_and_nobody_invents_how_she_takes_them() {
    let Some(bytes) = shared("cruz-halvorson.json") else { return };
    let chart = chart(&bytes);

    assert_eq!(chart.rows_of(ListName::Meds).count(), 8);
    for row in chart.rows_of(ListName::Meds) {
        assert_eq!(
            row.read::<MedicationStatus>(FieldName::MedsStatus),
            Some(MedicationStatus::Active)
        );
        assert_eq!(row.read::<Verify>(FieldName::MedsVerify), Some(Verify::Unverified));
        assert_eq!(row.read::<MedicationKind>(FieldName::MedsKind), Some(MedicationKind::Rx));
        assert!(!row.values.contains_key(&FieldName::MedsSig));
        assert!(!row.values.contains_key(&FieldName::MedsPrescribedSig));
        assert_eq!(
            row.read::<Line>(FieldName::MedsPrescriber),
            Some(Line("Dr. Sharyl Hilpert".to_owned()))
        );
    }
    assert_eq!(chart.issues.iter().filter(|issue| issue.code == IssueCode::NoDosage).count(), 8);
    assert_eq!(chart.rows_of(ListName::Immunizations).count(), 13);
    assert!(chart.rows_of(ListName::Immunizations).all(|row| {
        let content: Immunization = row.read(FieldName::ImmunizationsContent).unwrap();
        content.code.unwrap().system == crate::fhir::read::code::CVX && content.date.is_some()
    }));
    assert_eq!(chart.allergy_statement, AllergyStatement::Unknown);
    assert_eq!(chart.rows_of(ListName::Conditions).count(), 9);
    let inhaler = chart
        .rows_of(ListName::Meds)
        .find(|row| row.values.contains_key(&FieldName::MedsIndication));
    assert!(inhaler.is_some(), "the inhaler names its reason");
    assert_eq!(chart.patient.name.expose(), "Cruz Halvorson");
    assert_eq!(chart.patient.age(&today()), Some(66));
    assert_eq!(chart.patient.record_numbers.len(), 1);
    let all = serde_json::to_string(&chart).unwrap();
    for number in ["999-65-3587", "S99934645", "X33170400X", "Dibbert", "Welch"] {
        assert!(!all.contains(number), "{number}");
    }
    assert!(!format!("{chart:?}").contains("Halvorson"));
}

#[test]
fn gayla_has_seven_medicines_and_ten_readings_of_each_kind() {
    let Some(bytes) = shared("gayla-ferry.json") else { return };
    let chart = chart(&bytes);

    assert_eq!(chart.rows_of(ListName::Meds).count(), 7);
    assert_eq!(chart.rows_of(ListName::Immunizations).count(), 11);
    let measures: Vec<Measure> = chart
        .rows_of(ListName::Measures)
        .map(|row| row.read(FieldName::MeasuresContent).unwrap())
        .collect();
    let count = |kind| measures.iter().filter(|measure| measure.kind == kind).count();
    assert_eq!(count(MeasureKind::BloodPressure), 10);
    assert_eq!(count(MeasureKind::Weight), 10);
    assert_eq!(count(MeasureKind::Egfr), 10);
    assert_eq!(count(MeasureKind::LdlCholesterol), 3);
    let first = measures.first().unwrap();
    assert!(
        first.value.contains('/') && first.value.len() > 12,
        "the digits of the source are kept"
    );
    assert!(
        measures.windows(2).all(|pair| pair[0].kind != pair[1].kind || pair[0].at >= pair[1].at)
    );
    assert!(
        codes(&chart).iter().all(|(code, _)| *code != IssueCode::UnknownUnit),
        "{:?}",
        codes(&chart)
    );
}

#[test]
fn trey_keeps_what_is_active_and_what_is_stopped() {
    let Some(bytes) = shared("trey-berge.json") else { return };
    let chart = chart(&bytes);

    let active = |status: &&MedicationStatus| matches!(status, MedicationStatus::Active);
    assert_eq!(status(&chart).len(), 13);
    assert_eq!(status(&chart).iter().filter(active).count(), 9);
    let has = |code| chart.issues.iter().any(|issue| issue.code == code);
    assert!(has(IssueCode::ActiveAndStopped));
    assert!(has(IssueCode::OverEightyNine));
    assert!(!has(IssueCode::DuplicateIngredient));
    let sigs: Vec<Sig> = chart
        .rows_of(ListName::Meds)
        .filter_map(|row| row.read(FieldName::MedsPrescribedSig))
        .collect();
    assert_eq!(
        sigs,
        [Sig { text: "every 60 days, 1 (unit not given)".to_owned(), ..Sig::default() }],
        "what is there is shown, and not repaired"
    );
    assert_eq!(chart.rows_of(ListName::Immunizations).count(), 4);
}

#[test]
fn a_request_and_the_statement_based_on_it_are_one_row() {
    let Some(bytes) = shared("smp-medication-action-plan-example.json") else { return };
    let chart = chart(&bytes);

    assert_eq!(
        names(&chart),
        ["alprazolam 0.5 MG Oral Tablet", "metoclopramide 10 MG Oral Tablet"]
    );
    let sig: Sig =
        chart.rows_of(ListName::Meds).next().unwrap().read(FieldName::MedsPrescribedSig).unwrap();
    assert_eq!(sig, Sig { text: "Take as prescribed".to_owned(), ..Sig::default() });
    assert_eq!(chart.patient.record_numbers.len(), 1);
    assert_eq!(chart.ignored.get("DetectedIssue"), Some(&1));
}
