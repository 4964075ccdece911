//! Difficult charts, of our own making and of others', through the preview and into a record, row by row.

use std::path::Path;

use clinical::actor::Role;
use serde_json::{Value, json};
use tests::charts::{CHART, as_ruth, open_keys, preview, rows_in_words, take, told};
use tests::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_difficult_chart_is_told_row_by_row_and_place_by_place() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fhir");
    let difficult = std::fs::read(fixtures.join("difficult.json")).unwrap();

    let shown = preview(&world, &cookie, &as_ruth(&difficult)).await;

    assert_eq!(
        rows_in_words(&shown),
        [
            "meds, Lisinopril 10 MG Oral Tablet: new no_dosage like Lisinopril 20 MG Oral Tablet",
            "meds, Warfarin 2.5 mg tablet: new",
            "meds, Digoxin 0.125 MG Oral Tablet: new no_dosage",
            "meds, lisinopril 10 MG Oral Tablet [Zestril]: new no_dosage like Lisinopril 20 MG Oral Tablet",
            "meds, Amlodipine 5 MG Oral Tablet: new no_dosage",
            "meds, Sertraline 50 MG Oral Tablet: new no_dosage",
            "meds, Naproxen 500 MG Oral Tablet: new no_dosage",
            "conditions, Hipertensión: new",
            "measures, : new",
        ]
    );
    // The furosemide is the one that stands there: no dosage in the file takes none away.
    assert_eq!(shown["same"], json!({ "meds": 1 }));
    assert_eq!(shown["ticks"], json!(["no_dosage"]));
    let mut issues: Vec<String> = shown["issues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
            let (resource, path) = (&one["resource"], text(&one["path"]));
            format!(
                "{} {} {path}: {}",
                resource["entry"],
                text(&resource["kind"]),
                text(&one["code"])
            )
        })
        .collect();
    issues.sort();
    let expected = [
        "0 Patient gender: unknown_code",
        "1 MedicationRequest : no_dosage",
        "10 MedicationRequest : no_dosage",
        "10 MedicationRequest reasonReference[0].reference: broken_reference",
        "10 MedicationRequest requester.reference: broken_reference",
        "11 Condition clinicalStatus: status_unclear",
        "11 Condition clinicalStatus: wrong_shape",
        "12 Observation valueQuantity.value: missing",
        "12 Observation valueQuantity.value: wrong_shape",
        "13 Observation valueQuantity.unit: unknown_unit",
        "14 Immunization vaccineCode: missing",
        "15 AllergyIntolerance code: missing",
        "16  resourceType: not_a_resource",
        "17  resourceType: not_a_resource",
        "18  : not_a_resource",
        "19  : not_a_resource",
        "20  : not_a_resource",
        "3 MedicationRequest : no_dosage",
        "3 MedicationRequest medicationReference.reference: broken_reference",
        "4 MedicationRequest medicationReference.reference: broken_reference",
        "4 MedicationRequest medication[x]: missing",
        "5 MedicationRequest : duplicate_ingredient",
        "5 MedicationRequest : no_dosage",
        "6 MedicationRequest : no_dosage",
        "6 MedicationRequest authoredOn: bad_date",
        "7 MedicationRequest : no_dosage",
        "7 MedicationRequest status: status_unclear",
        "7 MedicationRequest status: unknown_code",
        "8 MedicationRequest subject: other_patient",
        "9 MedicationRequest : no_dosage",
        "9 MedicationRequest dosageInstruction: wrong_shape",
    ];
    assert_eq!(issues, expected);
    let taken = take(&world, Role::Pharmacist, &cookie, &as_ruth(&difficult), &shown).await;
    assert_eq!(taken, json!({ "state": "taken", "accepted": 9, "left": [] }));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_third_party_chart_comes_in_row_by_row_and_nobody_invents_how_anything_is_taken() {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1).take(4);
    let folder = above.map(|one| one.join("shared/fixtures/fhir")).find(|one| one.is_dir());
    let Some(folder) = folder else {
        println!("skipped: no shared/fixtures/fhir beside the workspace");
        return;
    };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for path in files.filter(|path| path.extension().is_some_and(|kind| kind == "json")) {
        let shown_name = path.display().to_string();
        let world = World::start().await;
        let cookie = world.cookie(Role::Pharmacist).await;
        let file = as_ruth(&std::fs::read(&path).unwrap());

        let shown = preview(&world, &cookie, &file).await;
        assert_eq!(shown["state"], "preview", "{shown_name}: {shown}");
        let open = open_keys(&shown);
        assert!(!open.is_empty(), "{shown_name}");
        for row in shown["rows"].as_array().unwrap() {
            let values = &row["told"]["values"];
            assert!(values["meds.sig"].is_null(), "{shown_name}: {row}");
            if row["told"]["kind"] == "new" && row["list"] == "meds" {
                assert_eq!(values["meds.verify"], json!({ "state": "unverified" }), "{shown_name}");
                let prescribed = !values["meds.prescribed_sig"].is_null();
                assert!(
                    prescribed
                        || row["told"]["no_dosage"] == true
                        || values["meds.status"]["state"] != "active"
                );
            }
        }
        let taken = take(&world, Role::Pharmacist, &cookie, &file, &shown).await;
        assert_eq!(taken["left"], json!([]), "{shown_name}: {taken}");
        assert_eq!(taken["accepted"], open.len(), "{shown_name}");
        let after = preview(&world, &cookie, &file).await;
        assert_eq!(open_keys(&after), Vec::<String>::new(), "{shown_name}: {:?}", told(&after));
        assert!(after["before"].is_object(), "{shown_name}");
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_read_one_by_one_and_the_old_and_the_dead_are_told() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fhir");
    let read = |name: &str| std::fs::read(fixtures.join(name)).unwrap();
    let ruth: Value = serde_json::from_str(CHART).unwrap();
    let lines = String::from_utf8(read("lines.ndjson")).unwrap();
    let lines: Vec<String> = lines
        .lines()
        .map(|line| match serde_json::from_str::<Value>(line) {
            Ok(mut one) if one["resourceType"] == "Patient" => {
                one["identifier"] = ruth["entry"][0]["resource"]["identifier"].clone();
                one["birthDate"] = json!("1948-04-12");
                one.to_string()
            }
            _ => line.to_owned(),
        })
        .collect();
    let shown = preview(&world, &cookie, lines.join("\n").as_bytes()).await;
    assert_eq!(shown["sameness"], "same");
    let codes = |shown: &Value| -> Vec<(u64, String)> {
        let issues = shown["issues"].as_array().unwrap().iter();
        let code = |one: &Value| one["code"].as_str().unwrap().to_owned();
        issues.map(|one| (one["resource"]["entry"].as_u64().unwrap(), code(one))).collect()
    };
    assert!(codes(&shown).contains(&(2, "broken_line".to_owned())), "{:?}", codes(&shown));
    assert_eq!(rows_in_words(&shown).len(), 2, "{:?}", rows_in_words(&shown));

    let dead = preview(&world, &cookie, &as_ruth(&read("deceased.json"))).await;
    assert_eq!(dead["person"]["deceased"], true);
    assert!(dead["ticks"].as_array().unwrap().contains(&json!("deceased")));
    // Older than 89: told by the chart's own birth date, which is another person's here.
    let old = preview(&world, &cookie, &read("over-89.json")).await;
    assert_eq!(old["state"], "other_person");
    world.stop().await;
}
