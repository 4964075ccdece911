//! Charts read: real ones in place, and small ones made here.

mod dosage;
mod real;
mod robust;

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::super::{Chart, IssueCode, ReadError, read};
use crate::allergy::{Allergy, AllergySeverity, AllergyStatement};
use crate::condition::{Condition, ConditionStatus};
use crate::field::{FieldName, ListName};
use crate::measure::Measure;
use crate::medication::{Adherence, MedicationStatus, Product, Sig, Taking};
use crate::value::{Line, PartialDate};

fn today() -> PartialDate {
    PartialDate::parse("2021-02-01").unwrap()
}

/// A third-party chart, read in place; `None`, said aloud, where the folder is not there.
fn shared(name: &str) -> Option<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder: Option<PathBuf> = root
        .ancestors()
        .skip(1)
        .take(5)
        .map(|above| above.join("shared/fixtures/fhir"))
        .find(|folder| folder.is_dir());
    let Some(folder) = folder else {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("skipped: no shared/fixtures/fhir beside the workspace");
        }
        return None;
    };
    Some(
        std::fs::read(folder.join(name)).expect("shared/fixtures/fhir is there, but not this file"),
    )
}

fn own(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/fhir").join(name);
    std::fs::read(path).unwrap()
}

fn chart(bytes: &[u8]) -> Chart {
    read(bytes, &today()).unwrap()
}

fn bundle(resources: &[Json]) -> Vec<u8> {
    let patient = json!({
        "resourceType": "Patient", "id": "p", "name": [{"family": "Prueba", "given": ["Ana"]}],
        "gender": "female", "birthDate": "1950-05-05",
    });
    let entry: Vec<Json> = std::iter::once(&patient)
        .chain(resources)
        .map(|resource| json!({"resource": resource}))
        .collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entry}).to_string().into_bytes()
}

fn request(name: &str, more: &Json) -> Json {
    let mut request = json!({
        "resourceType": "MedicationRequest", "id": name.replace(' ', "-"), "status": "active",
        "intent": "order", "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"text": name},
    });
    for (key, value) in more.as_object().unwrap() {
        request[key] = value.clone();
    }
    request
}

fn codes(chart: &Chart) -> Vec<(IssueCode, &str)> {
    chart.issues.iter().map(|issue| (issue.code, issue.path.as_str())).collect()
}

fn names(chart: &Chart) -> Vec<String> {
    chart
        .rows_of(ListName::Meds)
        .map(|row| row.read::<Product>(FieldName::MedsProduct).unwrap().name)
        .collect()
}

fn status(chart: &Chart) -> Vec<MedicationStatus> {
    chart.rows_of(ListName::Meds).map(|row| row.read(FieldName::MedsStatus).unwrap()).collect()
}

#[test]
fn a_file_that_is_no_chart_is_refused_by_name() {
    let refused = |bytes: &[u8]| read(bytes, &today()).unwrap_err();
    assert_eq!(refused(b""), ReadError::Empty);
    assert_eq!(refused(b" \n\t"), ReadError::Empty);
    assert_eq!(refused(&own("empty.json")), ReadError::Empty);
    assert_eq!(refused(&own("xml.xml")), ReadError::Xml);
    assert!(matches!(refused(&own("r5.json")), ReadError::NotR4 { .. }));
    assert_eq!(
        refused(b"{\"resourceType\": \"Bundle\",\n \"entry\": [}"),
        ReadError::NotJson { line: 2, column: 12 }
    );
    assert_eq!(refused(b"{\"hello\": 1}"), ReadError::NotFhir);
    assert_eq!(refused(b"[1, 2]"), ReadError::NotFhir);
    assert_eq!(refused(b"\xff\xfe{\0"), ReadError::NotUtf8 { at: 0 });
    assert_eq!(refused(br#"{"resourceType":"Bundle"}"#), ReadError::NoPatient);
    assert_eq!(refused(br#"{"a":1,"a":2}"#), ReadError::DuplicateName { line: 1, column: 8 });
    let two = bundle(&[json!({"resourceType": "Patient", "id": "q"})]);
    assert_eq!(refused(&two), ReadError::SeveralPatients { count: 2 });
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert!(matches!(refused(deep.as_bytes()), ReadError::TooDeep { .. }));
    let many = bundle(&vec![json!({"resourceType": "Basic"}); 50_000]);
    assert_eq!(refused(&many), ReadError::TooManyResources { limit: 50_000 });
}

#[test]
fn fifty_megabytes_are_refused_before_they_are_read() {
    let big = vec![b'{'; 50 * 1024 * 1024];
    assert!(matches!(read(&big, &today()), Err(ReadError::TooLarge { .. })));
}

#[test]
fn no_refusal_repeats_what_the_file_says() {
    for bytes in [&b"{\"CANARY\""[..], br#"{"resourceType":"CANARY","x":}"#, br#"{"CANARY":1}"#] {
        let error = read(bytes, &today()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CANARY"));
    }
}

#[test]
fn four_hundred_medicines_come_in() {
    let many: Vec<Json> =
        (0..400).map(|n| request(&format!("drug{n} 5 MG Oral Tablet"), &json!({}))).collect();
    let chart = chart(&bundle(&many));

    assert_eq!(chart.rows_of(ListName::Meds).count(), 400);
    assert_eq!(chart.issues.iter().filter(|issue| issue.code == IssueCode::NoDosage).count(), 400);
}

#[test]
fn more_rows_than_a_record_holds_are_told() {
    let many: Vec<Json> =
        (0..460).map(|n| request(&format!("drug{n} 5 MG Oral Tablet"), &json!({}))).collect();
    let chart = chart(&bundle(&many));

    assert_eq!(chart.rows_of(ListName::Meds).count(), super::ROWS);
    assert_eq!(
        chart.issues.iter().filter(|issue| issue.code == IssueCode::TooManyRows).count(),
        10
    );
}

#[test]
fn every_resource_that_cannot_be_read_is_named_and_the_rest_comes_in() {
    let chart = chart(&own("difficult.json"));

    let told: Vec<(usize, &str, IssueCode, &str)> = chart
        .issues
        .iter()
        .map(|issue| {
            (issue.resource.entry, issue.resource.kind.as_str(), issue.code, issue.path.as_str())
        })
        .collect();
    for expected in [
        (0, "Patient", IssueCode::UnknownCode, "gender"),
        (3, "MedicationRequest", IssueCode::BrokenReference, "medicationReference.reference"),
        (4, "MedicationRequest", IssueCode::Missing, "medication[x]"),
        (5, "MedicationRequest", IssueCode::DuplicateIngredient, ""),
        (6, "MedicationRequest", IssueCode::BadDate, "authoredOn"),
        (7, "MedicationRequest", IssueCode::UnknownCode, "status"),
        (8, "MedicationRequest", IssueCode::OtherPatient, "subject"),
        (9, "MedicationRequest", IssueCode::WrongShape, "dosageInstruction"),
        (10, "Condition", IssueCode::BrokenReference, ""),
    ] {
        if expected.2 == IssueCode::BrokenReference && expected.1 == "Condition" {
            continue;
        }
        assert!(told.contains(&expected), "{expected:?} not in {told:#?}");
    }
    assert_eq!(chart.patient.name.expose(), "Željko Ñuñez-Đặng 王");
    assert!(names(&chart).contains(&"Lisinopril 10 MG Oral Tablet".to_owned()));
    assert!(chart.rows_of(ListName::Meds).count() >= 6);
    // A contained Medication gives name, strength and form.
    let contained = chart
        .rows_of(ListName::Meds)
        .find_map(|row| {
            row.read::<Product>(FieldName::MedsProduct).filter(|product| product.name == "Warfarin")
        })
        .unwrap();
    assert_eq!(contained.strength_form, "2.5 mg tablet");
}

#[test]
fn lines_of_ndjson_are_read_one_by_one() {
    let chart = chart(&own("lines.ndjson"));

    assert_eq!(names(&chart), ["Metformin 500 MG Oral Tablet", "Atorvastatin 20 MG Oral Tablet"]);
    let broken: Vec<usize> = chart
        .issues
        .iter()
        .filter(|issue| issue.code == IssueCode::BrokenLine)
        .map(|issue| issue.resource.entry)
        .collect();
    assert_eq!(broken, [2]);
}

#[test]
fn a_deceased_patient_is_told() {
    let chart = chart(&own("deceased.json"));

    assert_eq!(codes(&chart).first(), Some(&(IssueCode::Deceased, "")));
    let deceased = chart.patient.deceased.unwrap();
    assert_eq!(deceased.expose().on, PartialDate::parse("2020-11-02"));
}

#[test]
fn an_age_over_eighty_nine_is_told() {
    let chart = chart(&own("over-89.json"));

    assert!(codes(&chart).contains(&(IssueCode::OverEightyNine, "birthDate")));
}

#[test]
fn a_birth_date_is_as_exact_as_it_is_known() {
    let mut chart = chart(&bundle(&[]));
    let age = |chart: &Chart, day: &str| chart.patient.age(&PartialDate::parse(day).unwrap());
    assert_eq!(age(&chart, "2020-05-04"), Some(69));
    assert_eq!(age(&chart, "2020-05-05"), Some(70));
    chart.patient.birth_date = PartialDate::parse("1950").map(crate::phi::Phi::new);
    assert_eq!(age(&chart, "2020-05-05"), Some(69));
    assert_eq!(age(&chart, "1940-05-05"), None);
}

#[test]
fn a_statement_adds_to_the_request_it_is_based_on() {
    let statement = json!({
        "resourceType": "MedicationStatement", "status": "not-taken", "subject": {"reference": "Patient/p"},
        "basedOn": [{"reference": "MedicationRequest/x"}], "medicationCodeableConcept": {"text": "x"},
        "dosage": [{"text": "half a tablet"}], "reasonCode": [{"text": "heart"}],
    });
    let chart = chart(&bundle(&[
        request("x", &json!({"dosageInstruction": [{"text": "1 tablet"}]})),
        statement,
    ]));

    assert_eq!(chart.rows_of(ListName::Meds).count(), 1);
    let row = chart.rows_of(ListName::Meds).next().unwrap();
    assert_eq!(row.read::<Adherence>(FieldName::MedsAdherence).unwrap().taking, Taking::NotTaking);
    assert_eq!(row.read::<Sig>(FieldName::MedsPrescribedSig).unwrap().text, "1 tablet");
    assert_eq!(row.read::<Line>(FieldName::MedsIndication).unwrap().0, "heart");
    assert!(codes(&chart).contains(&(IssueCode::DosageDiffers, "dosage")));
}

#[test]
fn what_the_patient_says_of_a_medicine_is_kept_beside_the_dosage() {
    let statement = json!({
        "resourceType": "MedicationStatement", "status": "active", "subject": {"reference": "Patient/p"},
        "basedOn": [{"reference": "MedicationRequest/x"}], "medicationCodeableConcept": {"text": "x"},
        "informationSource": {"reference": "Patient/p"}, "dosage": [{"text": "I forget it at night"}],
    });
    let chart = chart(&bundle(&[
        request("x", &json!({"dosageInstruction": [{"text": "2 times a day"}]})),
        statement,
    ]));

    let row = chart.rows_of(ListName::Meds).next().unwrap();
    let adherence: Adherence = row.read(FieldName::MedsAdherence).unwrap();
    assert_eq!(
        (adherence.taking, adherence.reason.as_str()),
        (Taking::Differently, "I forget it at night")
    );
    assert_eq!(row.read::<Sig>(FieldName::MedsPrescribedSig).unwrap().text, "2 times a day");
}

#[test]
fn monthly_dispenses_of_one_medicine_are_one_row() {
    let dispense = |day: &str| {
        json!({
            "resourceType": "MedicationDispense", "status": "completed", "subject": {"reference": "Patient/p"},
            "medicationCodeableConcept": {"text": "Metformin 500 MG"}, "whenHandedOver": day,
            "dosageInstruction": [{"text": format!("as of {day}")}],
        })
    };
    let chart =
        chart(&bundle(&[dispense("2020-10-01"), dispense("2020-12-01"), dispense("2020-11-01")]));

    assert_eq!(names(&chart), ["Metformin 500 MG"]);
    let row = chart.rows_of(ListName::Meds).next().unwrap();
    assert_eq!(row.read::<Sig>(FieldName::MedsPrescribedSig).unwrap().text, "as of 2020-12-01");
    assert_eq!(codes(&chart), [(IssueCode::StatusUnclear, "status")]);
}

#[test]
fn the_state_of_a_medicine_is_taken_over_or_left_open() {
    let with = |state: &str| {
        let chart = chart(&bundle(&[request("x", &json!({"status": state}))]));
        (status(&chart).pop(), chart.issues.first().map(|issue| issue.code))
    };
    let stopped = Some(MedicationStatus::Stopped { date: None, reason: String::new() });
    assert_eq!(with("active").0, Some(MedicationStatus::Active));
    assert_eq!(with("on-hold").0, Some(MedicationStatus::OnHold));
    assert_eq!(with("completed"), (stopped.clone(), None));
    assert_eq!(with("cancelled"), (stopped, None));
    assert_eq!(with("entered-in-error"), (None, Some(IssueCode::NotTrue)));
    assert_eq!(with("draft"), (None, Some(IssueCode::NotCurrent)));
    assert_eq!(with("unknown"), (Some(MedicationStatus::Active), Some(IssueCode::StatusUnclear)));
    assert_eq!(with("ACTIVE").0, Some(MedicationStatus::Active));
}

fn allergy(more: &Json) -> Json {
    let mut allergy = json!({
        "resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/p"},
        "clinicalStatus": {"coding": [{"code": "active"}]},
    });
    for (key, value) in more.as_object().unwrap() {
        allergy[key] = value.clone();
    }
    allergy
}

#[test]
fn an_allergy_keeps_its_reactions_together() {
    let chart = chart(&bundle(&[allergy(&json!({
        "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "7980", "display": "penicillin G"}], "text": "Penicillin"},
        "reaction": [
            {"manifestation": [{"text": "Hives"}], "severity": "mild"},
            {"manifestation": [{"text": "Swelling of the face"}], "severity": "severe"},
        ],
    }))]));

    let row = chart.rows_of(ListName::Allergies).next().unwrap();
    let content: Allergy = row.read(FieldName::AllergiesContent).unwrap();
    assert_eq!(content.substance, "Penicillin");
    assert_eq!(content.reactions, ["Hives", "Swelling of the face"]);
    assert_eq!(content.severity, Some(AllergySeverity::Severe));
    assert_eq!(chart.allergy_statement, AllergyStatement::Listed);
}

#[test]
fn absent_is_not_negative() {
    let statement = |resources: &[Json]| {
        let chart = chart(&bundle(resources));
        (chart.allergy_statement, chart.issues.first().map(|issue| issue.code), chart.rows.len())
    };
    let none = allergy(
        &json!({"code": {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]}}),
    );
    let no_drug = allergy(&json!({"code": {"text": "NKDA"}}));
    let listed = allergy(&json!({"code": {"text": "Latex"}}));
    let refuted = allergy(
        &json!({"code": {"text": "Latex"}, "verificationStatus": {"coding": [{"code": "refuted"}]}}),
    );
    assert_eq!(statement(&[]), (AllergyStatement::Unknown, None, 0));
    assert_eq!(statement(&[refuted]), (AllergyStatement::Unknown, Some(IssueCode::NotTrue), 0));
    assert_eq!(statement(std::slice::from_ref(&none)), (AllergyStatement::NoKnown, None, 0));
    assert_eq!(
        statement(&[no_drug]),
        (AllergyStatement::Unknown, Some(IssueCode::DrugAllergiesOnly), 0)
    );
    assert_eq!(
        statement(&[none, listed]),
        (AllergyStatement::Listed, Some(IssueCode::AllergiesContradict), 1)
    );
}

#[test]
fn a_condition_is_present_or_past() {
    let condition = |status: &str, more: &Json| {
        let mut condition = json!({
            "resourceType": "Condition", "subject": {"reference": "Patient/p"}, "code": {"text": "Gout"},
            "clinicalStatus": {"coding": [{"code": status}]}, "onsetDateTime": "2001-02-03T04:05:06Z",
        });
        for (key, value) in more.as_object().unwrap() {
            condition[key] = value.clone();
        }
        let chart = chart(&bundle(&[condition]));
        let row = chart.rows_of(ListName::Conditions).next()?.clone();
        row.read::<Condition>(FieldName::ConditionsContent)
    };
    let active = condition("active", &json!({})).unwrap();
    assert_eq!(active.status, ConditionStatus::Active);
    assert_eq!(active.onset, PartialDate::parse("2001-02-03"));
    assert_eq!(condition("resolved", &json!({})).unwrap().status, ConditionStatus::Inactive);
    assert_eq!(
        condition(
            "active",
            &json!({"verificationStatus": {"coding": [{"code": "entered-in-error"}]}})
        ),
        None
    );
}

#[test]
fn a_reading_keeps_its_digits_and_its_unit() {
    let observation = |value: &str, unit: &str| {
        let text = String::from_utf8(bundle(&[json!({
            "resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/p"},
            "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
            "effectiveDateTime": "2020-12-01", "valueQuantity": {"value": 12345, "code": unit},
        })]))
        .unwrap();
        let chart = chart(text.replace("12345", value).as_bytes());
        let measure =
            chart.rows_of(ListName::Measures).next().unwrap().read(FieldName::MeasuresContent);
        let measure: Measure = measure.unwrap();
        (measure.value, measure.unit, chart.issues.first().map(|issue| issue.code))
    };
    assert_eq!(observation("7.10", "%"), ("7.10".to_owned(), "%".to_owned(), None));
    assert_eq!(observation("7.10", "furlong").2, Some(IssueCode::UnknownUnit));
    assert_eq!(observation("7.10", "").2, Some(IssueCode::NoUnit));
}

#[test]
fn half_a_blood_pressure_is_none() {
    let chart = chart(&bundle(&[json!({
        "resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "effectiveDateTime": "2020-12-01",
        "component": [{"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}, "valueQuantity": {"value": 132, "code": "mm[Hg]"}}],
    })]));

    assert_eq!(chart.rows_of(ListName::Measures).count(), 0);
    assert_eq!(codes(&chart), [(IssueCode::Missing, "component")]);
}

#[test]
fn a_hospital_stay_sets_the_clock_of_thirty_days() {
    let stay = |class: &str, end: &str| {
        json!({
            "resourceType": "Encounter", "status": "finished", "class": {"code": class},
            "subject": {"reference": "Patient/p"}, "period": {"start": "2020-01-01", "end": end},
        })
    };
    let chart = chart(&bundle(&[
        stay("IMP", "2021-01-20"),
        stay("IMP", "2020-01-20"),
        stay("AMB", "2021-01-30"),
    ]));

    assert_eq!(chart.last_discharge.unwrap().expose().as_str(), "2021-01-20");
}

#[test]
fn a_resource_that_is_repeated_comes_in_once() {
    let chart = chart(&bundle(&[request("x", &json!({})), request("x", &json!({}))]));

    assert_eq!(names(&chart), ["x"]);
    assert!(codes(&chart).contains(&(IssueCode::Duplicate, "")));
}

#[test]
fn every_kind_of_reference_finds_its_resource() {
    for reference in [
        "Practitioner/d",
        "http://x.test/fhir/Practitioner/d",
        "Practitioner/d/_history/2",
        "Practitioner?identifier=http://npi|99",
    ] {
        let doctor = json!({
            "resourceType": "Practitioner", "id": "d", "name": [{"family": "Roy", "given": ["Ann"]}],
            "identifier": [{"system": "http://npi", "value": "99"}],
        });
        let chart = chart(&bundle(&[
            request("x", &json!({"requester": {"reference": reference}})),
            doctor,
        ]));
        let row = chart.rows_of(ListName::Meds).next().unwrap();
        assert_eq!(
            row.read::<Line>(FieldName::MedsPrescriber),
            Some(Line("Ann Roy".to_owned())),
            "{reference}"
        );
    }
}

#[test]
fn the_demo_patients_come_in_without_an_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
    let day = PartialDate::parse("2026-11-24").unwrap();
    for name in ["ruth-delgado", "harold-whitfield", "tamika-brooks", "minh-nguyen"] {
        let path = folder.join(name).with_extension("json");
        let chart = read(&std::fs::read(&path).unwrap(), &day).unwrap();
        let errors: Vec<_> = chart
            .issues
            .iter()
            .filter(|issue| {
                issue.severity == crate::fhir::IssueSeverity::Error
                    || !matches!(
                        issue.code,
                        IssueCode::NoDosage
                            | IssueCode::ActiveAndStopped
                            | IssueCode::DuplicateIngredient
                            | IssueCode::DosageTextOnly
                            | IssueCode::DosageDiffers
                    )
            })
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
        for list in [
            ListName::Meds,
            ListName::Allergies,
            ListName::Immunizations,
            ListName::Conditions,
            ListName::Measures,
            ListName::Goals,
        ] {
            assert!(chart.rows_of(list).count() > 0, "{}: {}", path.display(), list.as_str());
        }
        assert!(
            chart.issues.iter().any(|issue| issue.code == IssueCode::NoDosage),
            "{}",
            path.display()
        );
    }
}

#[test]
fn an_issue_names_the_resource_the_place_and_the_reason() {
    let chart = chart(&bundle(&[request("x", &json!({"authoredOn": "2020-02-31"}))]));

    assert_eq!(
        chart.issues.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "MedicationRequest (entry 1), authoredOn: Not a date, or one that does not exist.",
            "MedicationRequest (entry 1): No dosage: how it is taken must be asked.",
        ]
    );
}
