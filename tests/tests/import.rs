//! Charts from elsewhere into a record that is in use: compared, accepted row by row, by who may, while people work.

use std::collections::BTreeSet;
use std::path::Path;

use clinical::actor::Role;
use clinical::edit::{Base, Op};
use clinical::field::{Address, DocKind, FieldName};
use clinical::id::RowId;
use clinical::phi::Phi;
use serde_json::{Value, json};
use signaling::message::{ServerMessage, SnapshotContent};
use tests::charts::{CHART, json_of, medicine, open_keys, preview, send, take, told, with};
use tests::participant::Participant;
use tests::world::World;

/// The medicines as a participant's snapshot shows them: name and row.
fn medicines(participant: &Participant) -> Vec<(String, RowId)> {
    let mut found = Vec::new();
    for message in participant.heard.iter().rev() {
        let ServerMessage::RecordSnapshot {
            kind: DocKind::Plan,
            content: SnapshotContent::Full { state },
            ..
        } = message
        else {
            continue;
        };
        for entry in &state.registers {
            if entry.at.field == FieldName::MedsProduct
                && let Some(product) = entry.register.value()
                && let Some(product) = product.read::<Value>()
            {
                found.push((product["name"].as_str().unwrap().to_owned(), entry.at.row.unwrap()));
            }
        }
        break;
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_chart_again_changes_nothing_and_a_new_medicine_comes_in_once() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;

    let same = preview(&world, &cookie, CHART.as_bytes()).await;
    assert_eq!((same["state"].as_str(), told(&same)), (Some("preview"), vec![]));
    assert!(same["before"].is_object(), "the demo imported this very file: {same}");
    assert_eq!(same["ticks"], json!([]));

    let file = with(&medicine("new", "Rosuvastatin 10 MG Oral Tablet"));
    let shown = preview(&world, &cookie, &file).await;
    assert_eq!(told(&shown), ["meds new"]);
    assert_eq!(shown["before"], Value::Null);
    assert_eq!(shown["ticks"], json!(["no_dosage"]));
    // Looking stores nothing.
    assert_eq!(preview(&world, &cookie, &file).await, shown);

    let unread = json!({ "kind": "take", "accept": open_keys(&shown), "ticks": [] });
    let answer = json_of(&send(&world, Role::Pharmacist, &cookie, &unread, &file).await);
    assert_eq!(answer, json!({ "state": "not_ticked", "ticks": ["no_dosage"] }));
    let taken = take(&world, Role::Pharmacist, &cookie, &file, &shown).await;
    assert_eq!(taken, json!({ "state": "taken", "accepted": 1, "left": [] }));

    let after = preview(&world, &cookie, &file).await;
    assert_eq!(told(&after), Vec::<String>::new());
    assert!(after["before"]["name"].is_string(), "{after}");
    // What was seen before is not taken a second time.
    let again = take(&world, Role::Pharmacist, &cookie, &file, &shown).await;
    assert_eq!(again["accepted"], 0);
    assert_eq!(again["left"][0]["code"], "changed_since");

    let mut pharmacist = world.join_with(Role::Pharmacist, &cookie).await;
    pharmacist.open(world.record().await, DocKind::Plan).await;
    let there = medicines(&pharmacist);
    assert_eq!(there.iter().filter(|(name, _)| name.starts_with("Rosuvastatin")).count(), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_imports_but_pharmacist_and_primary_care_and_no_other_answer_tells_more() {
    let world = World::start().await;
    let file = with(&medicine("new", "Rosuvastatin 10 MG Oral Tablet"));
    let ask = json!({ "kind": "preview" });

    for role in [Role::Patient, Role::Caregiver] {
        let cookie = world.cookie(role).await;
        let answer = send(&world, role, &cookie, &ask, &file).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{role:?}");
    }
    let cookie = world.cookie(Role::Pcp).await;
    assert_eq!(send(&world, Role::Pcp, &cookie, &ask, &file).await.status, 200);
    // Somebody else's cookie, and none.
    assert_eq!(send(&world, Role::Pharmacist, &cookie, &ask, &file).await.status, 401);
    assert_eq!(send(&world, Role::Pharmacist, "", &ask, &file).await.status, 401);
    for bad in [json!({ "kind": "everything" }), json!([]), json!({ "kind": "preview", "x": 1 })] {
        let answer = send(&world, Role::Pcp, &cookie, &bad, &file).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{bad}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_with_one_file_at_once_make_each_row_once() {
    let world = World::start().await;
    let pharmacist = world.cookie(Role::Pharmacist).await;
    let pcp = world.cookie(Role::Pcp).await;
    let mut chart: Value = serde_json::from_str(CHART).unwrap();
    for n in 0..60 {
        let one = medicine(&format!("new-{n}"), &format!("Testudine {n} MG Oral Tablet"));
        chart["entry"].as_array_mut().unwrap().push(json!({ "resource": one }));
    }
    let file = serde_json::to_vec(&chart).unwrap();
    let shown = preview(&world, &pharmacist, &file).await;
    assert_eq!(open_keys(&shown).len(), 60);

    let (one, other) = tokio::join!(
        take(&world, Role::Pharmacist, &pharmacist, &file, &shown),
        take(&world, Role::Pcp, &pcp, &file, &shown),
    );

    let accepted = |answer: &Value| answer["accepted"].as_u64().expect("a count");
    assert_eq!(accepted(&one) + accepted(&other), 60, "{one} {other}");
    let mut reader = world.join_with(Role::Pharmacist, &pharmacist).await;
    reader.open(world.record().await, DocKind::Plan).await;
    let names: Vec<String> = medicines(&reader).into_iter().map(|(name, _)| name).collect();
    let ours: Vec<&String> = names.iter().filter(|name| name.starts_with("Testudine")).collect();
    assert_eq!(ours.len(), 60);
    assert_eq!(ours.iter().collect::<BTreeSet<_>>().len(), 60);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_types_in_the_call_meets_the_chart_as_a_choice_of_both() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let mut pcp = world.join(Role::Pcp).await;
    let (doc, _) = pcp.open(world.record().await, DocKind::Plan).await;
    let mut chart: Value = serde_json::from_str(CHART).unwrap();
    let request = chart["entry"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .map(|entry| &mut entry["resource"])
        .find(|one| {
            one["resourceType"] == "MedicationRequest"
                && one["medicationCodeableConcept"]["text"].is_string()
        })
        .expect("a medicine");
    let name = request["medicationCodeableConcept"]["text"].as_str().unwrap().to_owned();
    request["status"] = json!("stopped");
    let file = serde_json::to_vec(&chart).unwrap();
    let shown = preview(&world, &cookie, &file).await;
    assert!(told(&shown).contains(&"meds changed meds.status".to_owned()), "{:?}", told(&shown));

    // After the preview and before "Import".
    let (_, row) = medicines(&pcp).into_iter().find(|(one, _)| *one == name).expect("the row");
    let at = Address { row: Some(row), field: FieldName::MedsStatus };
    let state = pcp.heard.iter().find_map(|message| match message {
        ServerMessage::RecordSnapshot {
            kind: DocKind::Plan,
            content: SnapshotContent::Full { state },
            ..
        } => state.registers.iter().find(|entry| entry.at == at).map(|entry| entry.register.rev()),
        _ => None,
    });
    let base = Base::Rev(state.expect("a status"));
    let value = Phi::new(Some(json!({ "state": "on_hold" })));
    pcp.edit(doc, Op::Set { at, base, value }).await.expect("it is taken");

    let late = take(&world, Role::Pharmacist, &cookie, &file, &shown).await;
    let left: Vec<&str> =
        late["left"].as_array().unwrap().iter().filter_map(|one| one["code"].as_str()).collect();
    assert_eq!(left, ["changed_since"], "the record is not what was shown: {late}");
    let anew = preview(&world, &cookie, &file).await;
    let choice =
        anew["rows"].as_array().unwrap().iter().find(|one| one["told"]["field"] == "meds.status");
    assert_eq!(choice.expect("it differs")["told"]["choice"], true);
    take(&world, Role::Pharmacist, &cookie, &file, &anew).await;

    // Whoever has the record open sees both values at once.
    let change = pcp
        .until("both values", |message| {
            matches!(message, ServerMessage::RecordChange { change, .. }
                if matches!(&change.what, clinical::change::What::Conflicted { at: its, .. } if *its == at))
        })
        .await;
    let ServerMessage::RecordChange { change, .. } = change else { panic!("a change") };
    let clinical::change::What::Conflicted { candidates, .. } = change.what else { panic!("both") };
    let states: Vec<String> = candidates
        .iter()
        .map(|one| {
            one.value.as_ref().unwrap().read::<Value>().unwrap()["state"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(states, ["on_hold", "stopped"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_file_is_said_in_words_and_leaves_the_record_as_it_is() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fhir");
    let fixture = |name: &str| std::fs::read(fixtures.join(name)).unwrap();
    let deep = [b"[".repeat(200_000), b"]".repeat(200_000)].concat();
    let two = with(&json!({ "resourceType": "Patient", "id": "other" }));

    for (file, code) in [
        (Vec::new(), "empty"),
        (fixture("xml.xml"), "xml"),
        (fixture("r5.json"), "not_r4"),
        (CHART.as_bytes()[..CHART.len() / 2].to_vec(), "not_json"),
        (b"{\"resourceType\":\"Bundle\",\"resourceType\":\"Bundle\"}".to_vec(), "duplicate_name"),
        (b"{}".to_vec(), "not_fhir"),
        (b"{\"resourceType\":\"Bundle\"}".to_vec(), "no_patient"),
        (vec![0xff, 0xfe, 0x00], "not_utf8"),
        (deep, "too_deep"),
        (two, "several_patients"),
        (vec![b' '; 17 * 1024 * 1024], "too_large"),
    ] {
        let answer = preview(&world, &cookie, &file).await;
        assert_eq!(answer["state"], "unreadable", "{code}: {answer}");
        assert_eq!(answer["fault"]["code"], code, "{answer}");
    }
    let torn = preview(&world, &cookie, &CHART.as_bytes()[..CHART.len() / 2]).await;
    assert!(torn["fault"]["line"].as_u64() > Some(1), "{torn}");

    let stranger = preview(&world, &cookie, &fixture("over-89.json")).await;
    assert_eq!(stranger["state"], "other_person", "{stranger}");
    let ask = json!({ "kind": "take", "accept": ["0"], "ticks": [] });
    let taken =
        json_of(&send(&world, Role::Pharmacist, &cookie, &ask, &fixture("over-89.json")).await);
    assert_eq!(taken["state"], "other_person");
    assert_eq!(told(&preview(&world, &cookie, CHART.as_bytes()).await), Vec::<String>::new());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_made_to_be_slow_hold_up_nobody_and_hidden_marks_do_not_come_in() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let mut pcp = world.join(Role::Pcp).await;
    let long = "x".repeat(1024 * 1024);
    let mut hidden = medicine("h\u{202e}", "Cal\u{202e}cium\u{0}\u{7}\u{feff} 10\u{2067} MG");
    hidden["authoredOn"] = json!("0000-01-01");
    hidden["note"] = json!([{ "text": long }]);
    hidden["reasonCode"] = json!([{ "text": long }, { "text": "\u{202e}" }]);
    let mut future = medicine("f", &long);
    future["authoredOn"] = json!("9999-12-31");
    let mut chart: Value = serde_json::from_slice(&with(&hidden)).unwrap();
    chart["entry"].as_array_mut().unwrap().push(json!({ "resource": future }));
    let marks = serde_json::to_vec(&chart).unwrap();
    // As many resources and values as fit.
    let one = format!("{},", json!({ "resource": medicine("s", "Testudine 1 MG") }));
    let patient: Value = serde_json::from_str(CHART).unwrap();
    let mut slow = format!(
        "{{\"resourceType\":\"Bundle\",\"entry\":[{{\"resource\":{}}},",
        patient["entry"][0]["resource"]
    );
    while slow.len() + one.len() < 15 * 1024 * 1024 {
        slow.push_str(&one.replace("\"s\"", &format!("\"s{}\"", slow.len())));
    }
    slow.pop();
    slow.push_str("]}");

    let slow = slow.as_bytes();
    let hostile = async {
        let answers = tokio::join!(
            preview(&world, &cookie, slow),
            preview(&world, &cookie, slow),
            preview(&world, &cookie, slow),
        );
        [answers.0, answers.1, answers.2]
    };
    let mut hostile = Box::pin(hostile);
    let mut answered = 0;
    let answers = loop {
        tokio::select! {
            answers = &mut hostile => break answers,
            _said = pcp.settle() => answered += 1,
        }
    };
    drop(hostile);
    assert!(answered > 10, "the call went on: {answered} answers while three files were read");
    for answer in answers {
        let state = answer["state"].as_str();
        assert!(matches!(state, Some("preview" | "unreadable")), "{state:?}");
    }

    let shown = preview(&world, &cookie, &marks).await;
    let text = shown.to_string();
    for mark in ['\u{202e}', '\u{2067}', '\u{0}', '\u{7}', '\u{feff}'] {
        assert!(!shown["rows"].to_string().contains(mark), "{mark:?}");
    }
    assert!(shown["rows"].as_array().unwrap().iter().any(|row| row["name"] == "Calcium 10 MG"));
    assert!(text.len() < 200_000, "a megabyte of letters was cut: {}", text.len());
    let codes: BTreeSet<&str> =
        shown["issues"].as_array().unwrap().iter().filter_map(|one| one["code"].as_str()).collect();
    assert!(codes.contains("bad_date") && codes.contains("future_date"), "{codes:?}");
    assert!(codes.contains("shortened"), "{codes:?}");
    let taken = take(&world, Role::Pharmacist, &cookie, &marks, &shown).await;
    assert_eq!(taken["left"], json!([]), "{taken}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn perhaps_the_same_person_and_somebody_who_has_died_wait_for_a_tick() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let mut chart: Value =
        serde_json::from_slice(&with(&medicine("new", "Rosuvastatin 10 MG Oral Tablet"))).unwrap();
    let patient = &mut chart["entry"][0]["resource"];
    patient["identifier"] = json!([]);
    patient["deceasedBoolean"] = json!(true);
    let file = serde_json::to_vec(&chart).unwrap();

    let shown = preview(&world, &cookie, &file).await;
    assert_eq!(shown["sameness"], "name_and_birth");
    assert_eq!(shown["ticks"], json!(["deceased", "same_person", "no_dosage"]));
    for missing in ["deceased", "same_person", "no_dosage"] {
        let ticks: Vec<&str> = ["deceased", "same_person", "no_dosage"]
            .into_iter()
            .filter(|tick| *tick != missing)
            .collect();
        let ask = json!({ "kind": "take", "accept": open_keys(&shown), "ticks": ticks });
        let answer = json_of(&send(&world, Role::Pharmacist, &cookie, &ask, &file).await);
        assert_eq!(answer, json!({ "state": "not_ticked", "ticks": [missing] }));
    }
    assert_eq!(take(&world, Role::Pharmacist, &cookie, &file, &shown).await["accepted"], 1);

    chart["entry"][0]["resource"]["birthDate"] = json!("1990-01-01");
    let other = preview(&world, &cookie, &serde_json::to_vec(&chart).unwrap()).await;
    assert_eq!(other["state"], "other_person");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_export_of_a_record_in_use_comes_back_and_says_nothing_new() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let mut pharmacist = world.join_with(Role::Pharmacist, &cookie).await;
    let (doc, _) = pharmacist.open(world.record().await, DocKind::Plan).await;
    for (_, row) in medicines(&pharmacist) {
        let set = |field, value: Value| {
            let at = Address { row: Some(row), field };
            let known = pharmacist.heard.iter().find_map(|message| match message {
                ServerMessage::RecordSnapshot {
                    kind: DocKind::Plan,
                    content: SnapshotContent::Full { state },
                    ..
                } => state.registers.iter().find(|entry| entry.at == at),
                _ => None,
            });
            let base = Base::Rev(known.map_or(0, |entry| entry.register.rev()));
            Op::Set { at, base, value: Phi::new(Some(value)) }
        };
        let sig = set(FieldName::MedsSig, json!({ "text": "half a tablet at noon" }));
        let verify = set(FieldName::MedsVerify, json!({ "state": "patient_confirmed" }));
        let why = set(FieldName::MedsIndication, json!("what the patient said"));
        for op in [sig, verify, why] {
            pharmacist.edit(doc, op).await.expect("it is taken");
        }
    }
    let seat = world.invited(Role::Pharmacist).seat;
    let body = json!({ "kind": "whole_record", "reason": "own_system" }).to_string();
    let host = world.address();
    let exported = world
        .raw(format!(
            "POST /api/seats/{seat}/export HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ))
        .await;
    assert_eq!(exported.status, 200);
    let start = exported.body.find('{').unwrap();
    let end = exported.body.rfind('}').unwrap();
    let file = exported.body.as_bytes()[start..=end].to_vec();

    let shown = preview(&world, &cookie, &file).await;

    assert_eq!(shown["sameness"], "same", "{shown}");
    assert_eq!(told(&shown), Vec::<String>::new());
    let same = shown["same"].as_object().unwrap();
    assert!(same["meds"].as_u64() > Some(3) && same.len() >= 4, "{same:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_hundred_medicines_go_in_at_once_and_stand_once_each() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let mut chart: Value = serde_json::from_str(CHART).unwrap();
    for n in 0..400 {
        let one = medicine(&format!("new-{n}"), &format!("Testudine {n} MG Oral Tablet"));
        chart["entry"].as_array_mut().unwrap().push(json!({ "resource": one }));
    }
    let file = serde_json::to_vec(&chart).unwrap();

    let shown = preview(&world, &cookie, &file).await;
    let taken = take(&world, Role::Pharmacist, &cookie, &file, &shown).await;

    assert_eq!(taken, json!({ "state": "taken", "accepted": 400, "left": [] }));
    assert_eq!(told(&preview(&world, &cookie, &file).await), Vec::<String>::new());
    world.stop().await;
}
