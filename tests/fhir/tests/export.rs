//! What goes out as FHIR: every bundle passes the validators of `tests/fhir`, and comes back as it was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use clinical::actor::Millis;
use clinical::doc::{Doc, Import};
use clinical::fhir::export::{
    Exported, Practice, Reader, Signed, Source, care_plan, medication_profile, whole_record,
};
use clinical::fhir::{Chart, PatientFacts, read};
use clinical::field::{Address, DocKind, FieldName, ListName, Place, Presence};
use clinical::id::{DocId, EditId, PatientId, RowId};
use clinical::record::Record;
use clinical::register::Register;
use clinical::value::{PartialDate, Value};
use clinical::view::{Snapshot, View};
use fhir as plans;
use serde_json::{Value as Json, json};
use uuid::Uuid;

const NOW: Millis = Millis(1_795_500_000_000);

/// Invented records. Each makes six bundles; the full run has more.
fn seeds() -> std::ops::Range<u64> {
    let full = std::env::var("MORTAR_SCALE").is_ok_and(|scale| scale == "full");
    0..if full { 400 } else { 40 }
}

fn today() -> PartialDate {
    PartialDate::of(NOW)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The charts at hand: those of the product and, where there are any, the third-party ones beside the repository.
fn charts() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<PathBuf> =
        ["ruth-delgado", "harold-whitfield", "minh-nguyen", "tamika-brooks"]
            .iter()
            .map(|name| root().join("server/demo").join(name).with_extension("json"))
            .collect();
    let shared = root().join("../shared");
    if shared.exists() {
        for name in
            ["cruz-halvorson", "gayla-ferry", "trey-berge", "smp-medication-action-plan-example"]
        {
            files.push(shared.join("fixtures/fhir").join(name).with_extension("json"));
        }
    } else {
        eprintln!("skipped: the fixtures of ../shared are not here");
    }
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display())))
        })
        .collect()
}

/// A chart as the record it seeds.
fn seeded(chart: &Chart) -> Snapshot {
    let mut whole = Snapshot::default();
    for kind in DocKind::ALL {
        let mut doc = Doc::new(DocId(Uuid::now_v7()), kind);
        let mut items = Vec::new();
        for row in chart.rows.iter().filter(|row| row.list.doc() == kind) {
            let id = RowId(Uuid::now_v7());
            items.push(Import::Row { list: row.list, row: id, values: row.values.clone() });
            items.extend(row.texts.iter().map(|(field, words)| Import::Text {
                at: Address { row: Some(id), field: *field },
                words: words.expose().clone(),
            }));
        }
        if kind == DocKind::Plan {
            let value = Value::of(&chart.allergy_statement).unwrap();
            items.push(Import::Field { field: FieldName::AllergyStatement, value });
        }
        doc.import(NOW, &items, || EditId(Uuid::now_v7())).unwrap();
        let Snapshot { lists, registers, texts } = doc.snapshot(View::Full);
        whole.lists.extend(lists);
        whole.registers.extend(registers);
        whole.texts.extend(texts);
    }
    whole
}

/// A record and whom it is about.
struct Case {
    name: String,
    snapshot: Snapshot,
    patient: PatientFacts,
}

fn cases() -> Vec<Case> {
    let imported = charts().into_iter().map(|(name, bytes)| {
        let chart = read(&bytes, &today()).unwrap();
        Case { name, snapshot: seeded(&chart), patient: chart.patient }
    });
    let invented = seeds().map(|seed| Case {
        name: format!("seed-{seed}"),
        snapshot: plans::record(seed),
        patient: plans::patient(),
    });
    imported.chain(invented).collect()
}

/// Every bundle of a record: three kinds, as a draft for the patient and as a signed version for elsewhere.
fn bundles(case: &Case) -> Vec<(String, Exported)> {
    let record = Record::of(&[&case.snapshot]).unwrap();
    let people = plans::people();
    let practice = Practice { name: "Laramie & Sons".to_owned(), phone: "307 555 0199".to_owned() };
    let signed = Signed {
        id: Uuid::from_u128(7),
        version: 2,
        by: plans::person(1),
        at_ms: Millis(NOW.0 - 60_000),
    };
    let mut made = Vec::new();
    for (state, signed, reader) in
        [("draft", None, Reader::Patient), ("signed", Some(signed), Reader::Elsewhere)]
    {
        let source = Source {
            record: &record,
            patient: &case.patient,
            patient_id: PatientId(Uuid::from_u128(11)),
            people: &people,
            author: plans::person(1),
            practice: &practice,
            signed,
            document: Uuid::from_u128(12),
            reader,
            held: &BTreeMap::new(),
            now: NOW,
            today: today(),
        };
        made.push((format!("{}-{state}-smp", case.name), medication_profile(&source)));
        made.push((format!("{}-{state}-phcp", case.name), care_plan(&source)));
        made.push((format!("{}-{state}-whole", case.name), whole_record(&source)));
    }
    made
}

/// What the validators say about bundles, by name; nothing about one that passes.
fn judged(bundles: &[(String, String)]) -> BTreeMap<String, Vec<String>> {
    let scripts = root().join("tests/fhir");
    assert!(
        scripts.join("node_modules/@medplum/core").exists(),
        "the validator is not installed: make tests/fhir/node_modules/.stamp"
    );
    let folder = std::env::temp_dir().join(format!("mortar-fhir-{}", Uuid::now_v7()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut node = Command::new("node");
    node.arg(scripts.join("validate.mjs"));
    for (name, json) in bundles {
        let path = folder.join(name).with_extension("json");
        std::fs::write(&path, json).unwrap();
        node.arg(path);
    }
    let output = node.output().expect("node runs");
    std::fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Json> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), bundles.len(), "every bundle was judged");
    bundles
        .iter()
        .zip(lines)
        .map(|((name, _), line)| {
            let errors = line["errors"].as_array().unwrap();
            (name.clone(), errors.iter().map(|error| error.as_str().unwrap().to_owned()).collect())
        })
        .filter(|(_, errors): &(String, Vec<String>)| !errors.is_empty())
        .collect()
}

#[test]
fn every_exported_bundle_validates() {
    let mut made = Vec::new();
    for case in cases() {
        made.extend(bundles(&case).into_iter().map(|(name, exported)| (name, exported.json)));
    }

    let faulty = judged(&made);

    println!("METRIC fhir.bundles_validated {} - info", made.len());
    for (name, errors) in faulty.iter().take(5) {
        println!("{name}: {errors:#?}");
    }
    assert!(faulty.is_empty(), "{} of {} bundles are faulty", faulty.len(), made.len());
}

/// A bundle of an invented record with problems, as JSON.
fn action_plan() -> Json {
    let case = seeds()
        .map(|seed| Case {
            name: "plan".to_owned(),
            snapshot: plans::record(seed),
            patient: plans::patient(),
        })
        .find(|case| {
            let record = Record::of(&[&case.snapshot]).unwrap();
            !record.problems.is_empty() && !record.meds.is_empty()
        });
    let (_, exported) = bundles(&case.unwrap()).remove(0);
    serde_json::from_str(&exported.json).unwrap()
}

fn resource<'j>(bundle: &'j mut Json, kind: &str) -> &'j mut Json {
    bundle["entry"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .map(|entry| &mut entry["resource"])
        .find(|resource| resource["resourceType"] == kind)
        .unwrap()
}

#[test]
fn the_validators_find_planted_faults() {
    type Fault = (&'static str, &'static str, fn(&mut Json));
    let faults: [Fault; 16] = [
        ("document", "Bundle.type", |bundle| bundle["type"] = json!("collection")),
        ("first", "first entry", |bundle| bundle["entry"].as_array_mut().unwrap().swap(0, 1)),
        ("identifier", "identifier", |bundle| bundle["identifier"] = Json::Null),
        ("attester", "attester", |bundle| {
            resource(bundle, "Composition").as_object_mut().unwrap().remove("attester");
        }),
        ("final", "attester.party", |bundle| {
            resource(bundle, "Composition")["status"] = json!("final");
        }),
        ("section", "section 736378000", |bundle| {
            resource(bundle, "Composition")["section"].as_array_mut().unwrap().remove(0);
        }),
        ("text", "section has text", |bundle| {
            resource(bundle, "Composition")["section"][0].as_object_mut().unwrap().remove("text");
        }),
        ("supporting", "supportingInfo", |bundle| {
            resource(bundle, "CarePlan").as_object_mut().unwrap().remove("supportingInfo");
        }),
        ("category", "736378000", |bundle| {
            resource(bundle, "CarePlan")["category"].as_array_mut().unwrap().remove(0);
        }),
        ("status", "is not of", |bundle| {
            resource(bundle, "MedicationStatement")["status"] = json!("taking");
        }),
        ("gender", "is not of", |bundle| resource(bundle, "Patient")["gender"] = json!("f")),
        ("nowhere", "leads nowhere", |bundle| {
            resource(bundle, "List")["subject"]["reference"] = json!("urn:uuid:nobody");
        }),
        ("wrong", "leads to", |bundle| {
            let patient = bundle["entry"][1]["fullUrl"].clone();
            resource(bundle, "List")["entry"][0]["item"]["reference"] = patient.clone();
            resource(bundle, "CarePlan")["goal"] = json!([{ "reference": patient }]);
        }),
        ("markup", "<script>", |bundle| {
            resource(bundle, "Patient")["text"]["div"] =
                json!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>");
        }),
        ("missing", "medication", |bundle| {
            resource(bundle, "MedicationStatement")
                .as_object_mut()
                .unwrap()
                .remove("medicationCodeableConcept");
        }),
        ("date", "date", |bundle| resource(bundle, "List")["date"] = json!("yesterday")),
    ];
    let plan = action_plan();
    let planted: Vec<(String, String)> = faults
        .iter()
        .map(|(name, _, plant)| {
            let mut bundle = plan.clone();
            plant(&mut bundle);
            ((*name).to_owned(), bundle.to_string())
        })
        .chain([("whole".to_owned(), plan.to_string())])
        .collect();

    let found = judged(&planted);

    assert!(!found.contains_key("whole"), "{:?}", found.get("whole"));
    for (name, says, _) in faults {
        let errors = found.get(name).unwrap_or_else(|| panic!("{name} is not found"));
        assert!(errors.iter().any(|error| error.contains(says)), "{name}: {errors:?}");
    }
}

#[test]
fn the_guides_own_example_passes_our_rules() {
    let Some((name, bytes)) =
        charts().into_iter().find(|(name, _)| name == "smp-medication-action-plan-example")
    else {
        return;
    };

    let faulty = judged(&[(name, String::from_utf8(bytes).unwrap())]);

    assert_eq!(faulty, BTreeMap::new());
}

/// What an import would write for the rows of a snapshot, if it wrote all of them: each settled value and each text.
fn rows_of(snapshot: &Snapshot) -> BTreeMap<(ListName, String), BTreeMap<FieldName, Json>> {
    let imported = [
        ListName::Meds,
        ListName::Allergies,
        ListName::Immunizations,
        ListName::Conditions,
        ListName::Measures,
        ListName::Goals,
        ListName::HomeReadings,
    ];
    let words = snapshot.words().unwrap();
    let mut rows = BTreeMap::new();
    for list in snapshot.lists.iter().filter(|list| imported.contains(&list.list)) {
        for row in &list.rows {
            let mut fields = BTreeMap::new();
            let mut removed = false;
            for RegisterValue { field, value } in registers(snapshot, *row) {
                if field == FieldName::Presence {
                    removed |= matches!(value.read(), Some(Presence::Removed { .. }));
                } else if field.place() == Place::Row(list.list) {
                    fields.insert(field, serde_json::to_value(value).unwrap());
                }
            }
            for (at, words) in &words {
                if at.row == Some(*row) && at.field.place() == Place::Row(list.list) {
                    // What no XML and no FHIR string can hold is left out on the way.
                    let kept: String = words
                        .chars()
                        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
                        .collect();
                    if !kept.trim().is_empty() {
                        fields.insert(at.field, json!(kept));
                    }
                }
            }
            if !removed && !fields.is_empty() {
                rows.insert((list.list, row.to_string()), fields);
            }
        }
    }
    rows
}

struct RegisterValue {
    field: FieldName,
    value: Value,
}

fn registers(snapshot: &Snapshot, row: RowId) -> Vec<RegisterValue> {
    snapshot
        .registers
        .iter()
        .filter(|at| at.at.row == Some(row))
        .filter_map(|at| match &at.register {
            Register::Value { value: Some(value), .. } => {
                Some(RegisterValue { field: at.at.field, value: value.clone() })
            }
            Register::Empty | Register::Value { .. } | Register::Conflict { .. } => None,
        })
        .collect()
}

/// What a file brings, row by row, under the ids of its resources.
fn rows_in(chart: &Chart) -> BTreeMap<(ListName, String), BTreeMap<FieldName, Json>> {
    chart
        .rows
        .iter()
        .map(|row| {
            let id = row.source.id.as_ref().unwrap().expose().clone();
            let values = row
                .values
                .iter()
                .map(|(field, value)| (*field, serde_json::to_value(value).unwrap()));
            let texts = row.texts.iter().map(|(field, words)| (*field, json!(words.expose())));
            ((row.list, id), values.chain(texts).collect())
        })
        .collect()
}

#[test]
fn a_record_that_goes_out_and_comes_back_has_not_changed() {
    let mut compared = 0;
    for case in cases() {
        let expected = rows_of(&case.snapshot);
        let statement = Record::of(&[&case.snapshot]).unwrap().allergy_statement;
        // As a draft for the patient nothing is withheld.
        let (name, exported) = bundles(&case).remove(2);
        let chart = read(exported.json.as_bytes(), &today()).unwrap();

        let found = rows_in(&chart);

        for (key, fields) in &expected {
            assert_eq!(found.get(key), Some(fields), "{name}: {key:?}");
            compared += fields.len();
        }
        assert_eq!(found.len(), expected.len(), "{name}");
        if let Some(statement) = statement.value() {
            assert_eq!(chart.allergy_statement, *statement, "{name}");
        }
        assert_eq!(chart.patient.name, case.patient.name, "{name}");
        assert_eq!(chart.patient.birth_date, case.patient.birth_date, "{name}");
        assert_eq!(chart.patient.sex, case.patient.sex, "{name}");
    }
    println!("METRIC fhir.fields_round_trip {compared} - info");
    assert!(compared > 500, "{compared}");
}

#[test]
fn a_resource_somebody_changed_on_the_way_is_read_by_what_it_says_now() {
    let mut bundle = action_plan();
    let statement = resource(&mut bundle, "MedicationStatement");
    statement["medicationCodeableConcept"] = json!({ "text": "Warfarin 5 mg" });
    statement["status"] = json!("stopped");
    let id = statement["id"].as_str().unwrap().to_owned();

    let chart = read(bundle.to_string().as_bytes(), &today()).unwrap();

    let row = chart
        .rows_of(ListName::Meds)
        .find(|row| row.source.id.as_ref().is_some_and(|found| *found.expose() == id));
    let row = row.unwrap();
    let product: clinical::medication::Product = row.read(FieldName::MedsProduct).unwrap();
    assert_eq!(product.name, "Warfarin 5 mg");
    let status: clinical::medication::MedicationStatus = row.read(FieldName::MedsStatus).unwrap();
    assert!(matches!(status, clinical::medication::MedicationStatus::Stopped { .. }));
    let verify: clinical::medication::Verify = row.read(FieldName::MedsVerify).unwrap();
    assert_eq!(verify, clinical::medication::Verify::Unverified);
}
