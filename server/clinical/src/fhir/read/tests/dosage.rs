//! How a medicine was prescribed, in text and in structure.

use serde_json::{Value as Json, json};

use super::{bundle, chart, codes, request};
use crate::fhir::IssueCode;
use crate::field::{FieldName, ListName};
use crate::medication::Sig;

fn sig(dosage: &Json) -> (Option<Sig>, Vec<IssueCode>) {
    let chart = chart(&bundle(&[request("x", &json!({"dosageInstruction": [dosage]}))]));
    let sig = chart.rows_of(ListName::Meds).next().unwrap().read(FieldName::MedsPrescribedSig);
    (sig, chart.issues.iter().map(|issue| issue.code).collect())
}

#[test]
fn a_whole_structure_becomes_a_sig_with_structure() {
    let (sig, issues) = sig(&json!({
        "text": "Take 1 tablet by mouth twice a day with food as needed for pain, max 3 a day",
        "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d", "when": ["C"]}},
        "asNeededCodeableConcept": {"text": "pain"},
        "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006"}]},
        "doseAndRate": [{"doseQuantity": {"value": 1.0, "unit": "tab"}}],
        "maxDosePerPeriod": {"numerator": {"value": 3, "unit": "tablet"}, "denominator": {"value": 1, "code": "d"}},
    }));

    assert_eq!(issues, []);
    assert_eq!(
        serde_json::to_value(sig.unwrap()).unwrap(),
        json!({
            "text": "Take 1 tablet by mouth twice a day with food as needed for pain, max 3 a day",
            "dose": {"value": "1", "unit": "tablet"}, "route": "oral",
            "freq": {"count": 2, "period": 1, "unit": "d", "meal": "with"},
            "prn": {"reason": "pain"}, "max_per_day": "3",
        })
    );
}

#[test]
fn half_a_structure_stays_text() {
    for (dosage, text) in [
        (
            json!({"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "dayOfWeek": ["mon", "fri"]}}}),
            "daily, on Monday, Friday",
        ),
        (
            json!({"doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "tablet"}, "high": {"value": 2, "unit": "tablet"}}}]}),
            "1 tablet to 2 tablet",
        ),
        (
            json!({"timing": {"repeat": {"frequency": 1, "frequencyMax": 2, "period": 8, "periodUnit": "h"}}}),
            "1 to 2 times every 8 hours",
        ),
        (
            json!({"timing": {"repeat": {"frequency": 1, "period": 1.5, "periodUnit": "d"}}}),
            "1 times every 1.5 days",
        ),
        (
            json!({"doseAndRate": [{"doseQuantity": {"value": 2}}], "asNeededBoolean": true}),
            "as needed, 2 (unit not given)",
        ),
        (json!({"timing": {"repeat": {"frequency": 2}}}), "2 times (how often is not given)"),
        (json!({"text": "On Mondays", "timing": {"repeat": {"dayOfWeek": ["mon"]}}}), "On Mondays"),
    ] {
        let (sig, issues) = sig(&dosage);
        assert_eq!(sig, Some(Sig { text: text.to_owned(), ..Sig::default() }), "{dosage}");
        assert_eq!(issues, [IssueCode::DosageTextOnly], "{dosage}");
    }
    let (two, issues) = {
        let chart = chart(&bundle(&[request(
            "x",
            &json!({"dosageInstruction": [{"text": "2 tablets for 3 days"}, {"text": "then 1 tablet"}]}),
        )]));
        let sig: Option<Sig> =
            chart.rows_of(ListName::Meds).next().unwrap().read(FieldName::MedsPrescribedSig);
        (sig.unwrap().text, codes(&chart).len())
    };
    assert_eq!((two.as_str(), issues), ("2 tablets for 3 days; then 1 tablet", 1));
}

#[test]
fn a_dosage_whose_text_and_structure_differ_stays_text() {
    let (sig, issues) = sig(&json!({
        "text": "Take 1 tablet once a week",
        "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
    }));

    assert_eq!(issues, [IssueCode::DosageUnclear]);
    assert_eq!(sig, Some(Sig { text: "Take 1 tablet once a week".to_owned(), ..Sig::default() }));
}

#[test]
fn an_empty_dosage_is_no_dosage() {
    for dosage in
        [json!({}), json!({"sequence": 1}), json!({"text": " "}), json!({"asNeededBoolean": false})]
    {
        assert_eq!(sig(&dosage), (None, vec![IssueCode::NoDosage]), "{dosage}");
    }
    let (sig, issues) = sig(&json!({"text": "x".repeat(301)}));
    assert_eq!((sig, issues), (None, vec![IssueCode::DosageTooLong, IssueCode::NoDosage]));
}
