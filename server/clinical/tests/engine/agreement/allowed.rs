//! What an order set allows, action by action.

use clinical::cdtm::check::{Action, Facts, Reason, ReasonCode, check};
use clinical::medication::{Product, Sig};
use clinical::recommendation::RecommendedAction;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn product(name: &str, strength: &str) -> Product {
    serde_json::from_value(json!({ "name": name, "strength_form": strength })).unwrap()
}

/// "20 mg", so many times a day.
fn regimen(dose: &str, unit: &str, times: u8) -> Sig {
    let mut sig: Sig = serde_json::from_value(json!({
        "text": "x", "dose": { "value": dose, "unit": unit },
        "freq": { "count": times, "period": 1, "unit": "d" },
    }))
    .unwrap();
    sig.text = clinical::format::sig_text(&sig, clinical::format::Language::En);
    sig
}

fn asked(
    paper: &Paper,
    action: RecommendedAction,
    drug: &Product,
    sig: Option<&Sig>,
) -> Vec<Reason> {
    let action = Action {
        patient: patient_id(),
        by: pharmacist().person,
        action,
        drug: Some(drug),
        instead: None,
        sig,
        marked_controlled: false,
        summary: "Check potassium in two weeks",
    };
    let facts =
        Facts { today: paper.today, withdrawn_in_record: false, templates: &paper.templates };
    check(&paper.agreement, &action, &facts).err().unwrap_or_default()
}

fn codes(reasons: &[Reason]) -> Vec<ReasonCode> {
    reasons.iter().map(|reason| reason.code).collect()
}

#[test]
fn a_dose_is_held_against_the_range_exactly_and_only_in_units_that_compare() {
    use ReasonCode::{DayDoseOutOfRange, DoseOutOfRange, DoseUnit};
    let paper = Paper::active();
    let lisinopril = product("Lisinopril 20 MG Oral Tablet", "20 mg tablet");
    for (dose, unit, times, expected) in [
        ("2.5", "mg", 1, vec![]),
        ("40", "mg", 1, vec![]),
        ("20", "mg", 2, vec![]),
        ("40.000001", "mg", 1, vec![DoseOutOfRange, DayDoseOutOfRange]),
        ("2.499999", "mg", 1, vec![DoseOutOfRange]),
        ("20", "mg", 3, vec![DayDoseOutOfRange]),
        ("2500", "mcg", 1, vec![]),
        ("0.04", "g", 1, vec![]),
        ("0.041", "g", 1, vec![DoseOutOfRange, DayDoseOutOfRange]),
        // Two tablets of 20 mg.
        ("2", "tablet", 1, vec![]),
        ("3", "tablets", 1, vec![DoseOutOfRange, DayDoseOutOfRange]),
        ("10", "units", 1, vec![DoseUnit]),
        ("10", "mL", 1, vec![DoseUnit]),
    ] {
        let sig = regimen(dose, unit, times);
        let found = asked(&paper, RecommendedAction::ChangeDose, &lisinopril, Some(&sig));
        assert_eq!(codes(&found), expected, "{dose} {unit} × {times}: {found:?}");
    }
    // What is in one tablet is not known.
    let bare = product("Lisinopril", "");
    let sig = regimen("1", "tablet", 1);
    assert_eq!(codes(&asked(&paper, RecommendedAction::ChangeDose, &bare, Some(&sig))), [DoseUnit]);
}

#[test]
fn a_regimen_whose_words_say_another_dose_is_not_carried_out() {
    let paper = Paper::active();
    let lisinopril = product("Lisinopril", "20 mg tablet");
    let mut sig = regimen("20", "mg", 1);
    sig.text = "Take 80 mg once daily".to_owned();
    let found = asked(&paper, RecommendedAction::ChangeDose, &lisinopril, Some(&sig));
    assert_eq!(codes(&found), [ReasonCode::WordsDiffer]);

    // A change of the time of day writes a whole regimen: its dose counts.
    let sig = regimen("80", "mg", 1);
    let found = asked(&paper, RecommendedAction::ChangeTime, &lisinopril, Some(&sig));
    assert_eq!(codes(&found), [ReasonCode::DoseOutOfRange, ReasonCode::DayDoseOutOfRange]);

    let words: Sig = serde_json::from_value(json!({ "text": "as before" })).unwrap();
    for sig in [None, Some(&words)] {
        let found = asked(&paper, RecommendedAction::Start, &lisinopril, sig);
        assert_eq!(codes(&found), [ReasonCode::DoseNotStated]);
    }
    let mut open = regimen("20", "mg", 1);
    open.freq = None;
    open.text = "20 mg".to_owned();
    let found = asked(&paper, RecommendedAction::ChangeDose, &lisinopril, Some(&open));
    assert_eq!(codes(&found), [ReasonCode::FrequencyNotStated]);
}

#[test]
fn a_drug_is_the_one_of_the_order_set_or_none() {
    let paper = Paper::active();
    let stop = RecommendedAction::Stop;
    for (name, expected) in [
        ("Lisinopril 10 MG Oral Tablet [Zestril]", vec![]),
        ("LISINOPRIL", vec![]),
        ("Lisinopril/HCTZ 10/12.5", vec![ReasonCode::DrugNotInOrderSet]),
        ("Metformin ER", vec![ReasonCode::DrugNotInOrderSet]),
        ("", vec![ReasonCode::DrugNotInOrderSet]),
        ("Tramadol 50 mg", vec![ReasonCode::DrugNotInOrderSet, ReasonCode::Controlled]),
    ] {
        let found = asked(&paper, stop, &product(name, ""), None);
        assert_eq!(codes(&found), expected, "{name}");
    }
    // In the order set, and not for this.
    let amlodipine = product("Amlodipine", "5 mg tablet");
    assert_eq!(codes(&asked(&paper, stop, &amlodipine, None)), []);
    let sig = regimen("5", "mg", 1);
    let found = asked(&paper, RecommendedAction::Start, &amlodipine, Some(&sig));
    assert!(codes(&found).contains(&ReasonCode::ActionNotAuthorised), "{found:?}");
    for action in [RecommendedAction::Refer, RecommendedAction::Immunize] {
        let found = asked(&paper, action, &product("Lisinopril", ""), None);
        assert_eq!(codes(&found), [ReasonCode::ActionNotAuthorised]);
    }
}

#[test]
fn a_test_is_one_of_the_authorised_ones() {
    let paper = Paper::active();
    let ask = |summary: &str| {
        let action = Action {
            patient: patient_id(),
            by: pharmacist().person,
            action: RecommendedAction::Monitor,
            drug: None,
            instead: None,
            sig: None,
            marked_controlled: false,
            summary,
        };
        let facts =
            Facts { today: paper.today, withdrawn_in_record: false, templates: &paper.templates };
        codes(&check(&paper.agreement, &action, &facts).err().unwrap_or_default())
    };
    assert_eq!(ask("Basic metabolic panel in 2 weeks"), []);
    assert_eq!(ask("check POTASSIUM, then call"), []);
    assert_eq!(ask("Hypopotassiumania"), [ReasonCode::TestNotInOrderSet]);
    assert_eq!(ask("MRI of the head"), [ReasonCode::TestNotInOrderSet]);
}

#[test]
fn another_patients_agreement_and_an_expired_registration_are_reasons() {
    let mut paper = Paper::active();
    let action = Action {
        patient: PatientId(uuid(6, 2)),
        by: actor(77, Role::Pharmacist).person,
        action: RecommendedAction::Stop,
        drug: Some(&product("Lisinopril", "")),
        instead: None,
        sig: None,
        marked_controlled: false,
        summary: "",
    };
    let facts =
        Facts { today: paper.today, withdrawn_in_record: false, templates: &paper.templates };
    let found = check(&paper.agreement, &action, &facts).unwrap_err();
    assert_eq!(codes(&found), [ReasonCode::NotThisPatient, ReasonCode::NotThisPharmacist]);

    let soon = Act::Register { number: "CDTM-119".to_owned(), expires: day("2026-02-01") };
    paper.act(&pharmacist(), soon).unwrap();
    paper.today = day("2026-02-02");
    let found = asked(&paper, RecommendedAction::Stop, &product("Lisinopril", ""), None);
    assert_eq!(codes(&found), [ReasonCode::RegistrationExpired]);
    assert_eq!(found[0].about, "2026-02-01");
}

proptest! {
    /// Allowed is exactly what stands in the range, on a day of the term, by plain integers.
    #[test]
    fn allowed_is_what_the_order_set_says_and_nothing_else(
        quarter_mg in 1_u32..400,
        times in 1_u8..6,
        offset in -40_i32..420,
        known in any::<bool>(),
    ) {
        let mut paper = Paper::active();
        let start = day("2026-01-15");
        paper.today = if offset < 0 {
            Day::of(Millis(1_768_435_200_000 + i64::from(offset) * 86_400_000))
        } else {
            start.plus_days(u16::try_from(offset).unwrap())
        };
        let name = if known { "Lisinopril" } else { "Captopril" };
        let value = f64::from(quarter_mg) / 4.0;
        let sig = regimen(&value.to_string(), "mg", times);

        let found = asked(&paper, RecommendedAction::ChangeDose, &product(name, "10 mg tablet"), Some(&sig));

        let in_term = (0..365).contains(&offset);
        let in_range = (10..=160).contains(&quarter_mg) && quarter_mg * u32::from(times) <= 160;
        prop_assert_eq!(found.is_empty(), in_term && known && in_range, "{:?}", found);
        prop_assert_eq!(codes(&found).contains(&ReasonCode::Ended), offset >= 365);
        prop_assert_eq!(codes(&found).contains(&ReasonCode::NotYet), offset < 0);
    }
}
