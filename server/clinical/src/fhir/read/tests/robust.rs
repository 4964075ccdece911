//! Broken, cut and strange files.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{own, read, shared, today};

fn nowhere_panics(bytes: &[u8]) {
    if let Ok(chart) = read(bytes, &today()) {
        for row in &chart.rows {
            for (field, value) in &row.values {
                let json = serde_json::to_value(value).unwrap();
                assert!(field.parse(&json).is_ok(), "{} keeps its own rules", field.as_str());
                assert_eq!(field.place(), crate::field::Place::Row(row.list));
            }
        }
    }
}

#[test]
fn a_chart_cut_anywhere_is_refused_and_never_panics() {
    let Some(bytes) = shared("smp-medication-action-plan-example.json") else { return };
    for end in (0..bytes.len()).step_by(7) {
        assert!(read(&bytes[..end], &today()).is_err(), "{end}");
    }
    let Some(bytes) = shared("trey-berge.json") else { return };
    for end in (0..bytes.len()).step_by(9_973) {
        assert!(read(&bytes[..end], &today()).is_err(), "{end}");
    }
}

/// Replaces, removes or doubles values somewhere in a tree.
fn mutate(json: &mut Json, seed: &mut u64, strange: &Json) {
    let mut next = |below: usize| {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*seed >> 33).unwrap() % below.max(1)
    };
    match json {
        Json::Array(items) if !items.is_empty() => {
            let index = next(items.len());
            match next(8) {
                0 => items[index] = strange.clone(),
                1 => drop(items.remove(index)),
                2 => items.push(items[index].clone()),
                _ => mutate(&mut items[index], seed, strange),
            }
        }
        Json::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(next(map.len())).unwrap().clone();
            match next(8) {
                0 => drop(map.insert(key, strange.clone())),
                1 => drop(map.remove(&key)),
                _ => mutate(map.get_mut(&key).unwrap(), seed, strange),
            }
        }
        other => *other = strange.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_chart_with_strange_values_never_panics(mut seed: u64, times in 1_usize..40) {
        let strange = [
            json!(null), json!(-1), json!("\u{202e}\u{0}"), json!([]), json!({}), json!(1e300), json!(true),
            json!("x".repeat(5_000)), json!(["2019-99-99"]), json!({"reference": "#"}), json!("2019-02-30"),
        ];
        for name in ["difficult.json", "over-89.json"] {
            let mut json: Json = serde_json::from_slice(&own(name)).unwrap();
            for turn in 0..times {
                mutate(&mut json, &mut seed, &strange[turn % strange.len()]);
            }
            nowhere_panics(json.to_string().as_bytes());
        }
    }

    #[test]
    fn a_chart_with_strange_bytes_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let mut bytes = own("difficult.json");
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        nowhere_panics(&bytes);
    }
}

#[test]
fn real_charts_keep_the_rules_of_every_field() {
    for name in ["cruz-halvorson.json", "gayla-ferry.json", "trey-berge.json"] {
        let Some(bytes) = shared(name) else { return };
        nowhere_panics(&bytes);
    }
}

#[test]
fn a_file_made_to_be_slow_is_read() {
    // Each of these grows with the square of its length where somebody searches a list.
    let patient = json!({"resourceType": "Patient", "id": "p", "name": [{"text": "P"}]});
    let mut lines = vec![patient.to_string()];
    for number in 0..15_000 {
        lines.push(format!(
            r##"{{"resourceType":"MedicationRequest","id":"m{number}","status":"active","intent":"order","subject":{{"reference":"Patient/p"}},"medicationCodeableConcept":{{"text":"same 5 MG"}},"requester":{{"reference":"urn:uuid:nobody"}}}}"##
        ));
        lines.push(format!(
            r##"{{"resourceType":"MedicationStatement","status":"active","subject":{{"reference":"Patient/p"}},"basedOn":[{{"reference":"MedicationRequest/m{number}"}}]}}"##
        ));
        lines.push(r##"{"resourceType":"MedicationDispense","status":"completed","subject":{"reference":"Patient/p"},"medicationCodeableConcept":{"text":"same 5 MG"}}"##.to_owned());
    }
    let many: Vec<Json> = vec![json!({"id": "c"}); 100_000];
    let reasons: Vec<Json> = vec![json!({"reference": "#nothing"}); 50_000];
    lines.push(json!({
        "resourceType": "MedicationRequest", "status": "active", "intent": "order", "contained": many,
        "subject": {"reference": "Patient/p"}, "medicationCodeableConcept": {"text": "x"}, "reasonReference": reasons,
    }).to_string());

    let chart = read(lines.join("\n").as_bytes(), &today()).unwrap();

    assert_eq!(chart.rows.len(), crate::fhir::ROWS);
    assert_eq!(chart.issues.len(), crate::fhir::ISSUES);
    assert!(chart.issues_left_out > 15_000);
}
