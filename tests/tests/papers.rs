//! The page on paper for a prescriber: what waits for one of them, for who may print it, and nothing of the rest.

use std::collections::BTreeMap;

use clinical::actor::Role;
use clinical::command::Command;
use clinical::edit::{Base, Op};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::id::{DocId, EditId, RowId};
use clinical::phi::Phi;
use serde_json::{Value, json};
use signaling::message::ClientMessage;
use tests::participant::Participant;
use tests::world::World;
use uuid::Uuid;

async fn papers(world: &World, role: Role, cookie: &str) -> Value {
    let seat = world.invited(role).seat;
    let answer = world.get(&format!("/api/seats/{seat}/prescribers"), cookie).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).expect("a reply")
}

async fn add(
    who: &mut Participant,
    doc: DocId,
    list: ListName,
    values: &[(FieldName, Value)],
) -> RowId {
    let row = RowId(Uuid::now_v7());
    let values: BTreeMap<_, _> =
        values.iter().map(|(field, value)| (*field, Phi::new(value.clone()))).collect();
    who.edit(doc, Op::Add { list, row, after: None, values }).await.expect("it is added");
    row
}

async fn send(who: &mut Participant, doc: DocId, row: RowId, seen: u64) {
    let id = EditId(Uuid::now_v7());
    let command = Command::SendRecommendation { row };
    who.send(&ClientMessage::RecordCommand { doc, id, command, seen }).await;
    who.outcome(id).await.expect("it is sent");
}

fn summaries(paper: &Value) -> Vec<&str> {
    let rows = paper["rows"].as_array().expect("rows");
    rows.iter().filter_map(|row| row["content"]["summary"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_prescriber_has_a_page_of_their_own_and_what_is_not_for_paper_stays_off_it() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let mut pharmacist = world.join_with(Role::Pharmacist, &cookie).await;
    let mut pcp = world.join(Role::Pcp).await;
    let (doc, _) = pharmacist.open(world.record().await, DocKind::Plan).await;
    pcp.open(world.record().await, DocKind::Plan).await;
    let med = |name: &str| json!({ "name": name });
    let (product, sig) = (FieldName::MedsProduct, FieldName::MedsSig);
    let open = add(&mut pharmacist, doc, ListName::Meds, &[(product, med("Testudine 1 mg"))]).await;
    let secret = [(product, med("Canarimab 2 mg")), (FieldName::MedsSensitivity, json!("part2"))];
    let secret = add(&mut pharmacist, doc, ListName::Meds, &secret).await;
    let statement = json!({ "condition": "pain in the shell", "med_ids": [open] });
    let problem = [(FieldName::ProblemsStatement, statement)];
    let problem = add(&mut pharmacist, doc, ListName::Problems, &problem).await;
    let hidden = json!({ "condition": "canary dependence", "med_ids": [secret] });
    let hidden = [(FieldName::ProblemsStatement, hidden)];
    let hidden = add(&mut pharmacist, doc, ListName::Problems, &hidden).await;
    // Two doses at once: not decided yet.
    for (who, text) in [(&mut pharmacist, "1 tablet"), (&mut pcp, "2 tablets")] {
        let at = Address { row: Some(open), field: sig };
        let value = Phi::new(Some(json!({ "text": text })));
        who.edit(doc, Op::Set { at, base: Base::Rev(0), value }).await.expect("it is taken");
    }
    let recommend =
        |summary: &str, med: Option<RowId>, problem: Option<RowId>, to: Option<&str>| {
            let mut content = json!({ "action": "stop", "summary": summary });
            if let Some(med) = med {
                content["med"] = json!(med);
            }
            if let Some(problem) = problem {
                content["problem"] = json!(problem);
            }
            let mut values = vec![(FieldName::RecommendationsContent, content)];
            values
                .extend(to.map(|to| (FieldName::RecommendationsAddressee, json!({ "name": to }))));
            values
        };
    let mut rows = Vec::new();
    for (summary, med, problem, to) in [
        ("first to Chen", Some(open), Some(problem), Some("Dr. Amy Chen")),
        ("to Weiss", None, None, Some("Dr. Otto Weiss")),
        ("to nobody", None, None, None),
        ("second to Chen", None, Some(problem), Some("Dr. Amy Chen")),
        ("canary one", Some(secret), None, Some("Dr. Amy Chen")),
        ("canary two", None, Some(hidden), Some("Dr. Amy Chen")),
        ("canary draft", None, None, Some("Dr. Amy Chen")),
        ("canary taken back", None, None, Some("Dr. Amy Chen")),
    ] {
        let values = recommend(summary, med, problem, to);
        rows.push((summary, add(&mut pharmacist, doc, ListName::Recommendations, &values).await));
    }
    for (_, row) in rows.iter().filter(|(summary, _)| *summary != "canary draft") {
        send(&mut pharmacist, doc, *row, u64::MAX >> 12).await;
    }
    let taken_back = rows.last().expect("a row").1;
    let id = EditId(Uuid::now_v7());
    let reason = Phi::new("a slip".to_owned());
    let command = Command::WithdrawRecommendation { row: taken_back, reason };
    pharmacist.send(&ClientMessage::RecordCommand { doc, id, command, seen: u64::MAX >> 12 }).await;
    pharmacist.outcome(id).await.expect("it is taken back");

    let all = papers(&world, Role::Pharmacist, &cookie).await;

    let pages: BTreeMap<&str, Vec<&str>> = all["papers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|paper| (paper["to"].as_str().unwrap(), summaries(paper)))
        .collect();
    assert_eq!(
        pages,
        BTreeMap::from([
            ("Dr. Amy Chen", vec!["second to Chen", "first to Chen"]),
            ("Dr. Otto Weiss", vec!["to Weiss"]),
            ("Dr. Priya Raman", vec!["to nobody"]),
        ])
    );
    assert!(!all.to_string().to_lowercase().contains("canar"), "{all}");
    assert_eq!((all["withheld"].as_u64(), all["version"].as_u64()), (Some(2), None));
    let first = &all["papers"].as_array().unwrap().iter().find(|one| one["to"] == "Dr. Amy Chen");
    let first = &first.expect("a page")["rows"][1];
    assert_eq!(first["condition"], "pain in the shell");
    assert_eq!(first["product"]["name"], "Testudine 1 mg");
    assert_eq!((first["undecided"].as_bool(), &first["sig"]), (Some(true), &Value::Null));
    assert!(first["sent_ms"].is_u64());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_prints_for_prescribers_but_the_team() {
    let world = World::start().await;
    for role in [Role::Patient, Role::Caregiver] {
        let cookie = world.cookie(role).await;
        let seat = world.invited(role).seat;
        let answer = world.get(&format!("/api/seats/{seat}/prescribers"), &cookie).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{role:?}");
    }
    let cookie = world.cookie(Role::Pcp).await;
    let nothing = papers(&world, Role::Pcp, &cookie).await;
    assert_eq!(nothing["papers"], json!([]));
    let other = world.invited(Role::Pharmacist).seat;
    let answer = world.get(&format!("/api/seats/{other}/prescribers"), &cookie).await;
    assert_eq!(answer.status, 401);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_printed_for_whom_the_patient_shuts_out_and_the_page_says_why() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let mut pharmacist = world.join_with(Role::Pharmacist, &cookie).await;
    let (voice, _) = pharmacist.open(world.record().await, DocKind::Voice).await;
    let (doc, _) = pharmacist.open(world.record().await, DocKind::Plan).await;
    for (summary, to) in [
        ("canary one", json!({ "name": "Dr. Otto Weiss", "role": "specialist" })),
        ("canary two", json!({ "name": "Dr. Ida Stern" })),
        ("to Chen", json!({ "name": "Dr. Amy Chen", "role": "pcp" })),
    ] {
        let content = json!({ "action": "stop", "summary": summary });
        let values = [
            (FieldName::RecommendationsContent, content),
            (FieldName::RecommendationsAddressee, to),
        ];
        let row = add(&mut pharmacist, doc, ListName::Recommendations, &values).await;
        send(&mut pharmacist, doc, row, u64::MAX >> 12).await;
    }
    let before = papers(&world, Role::Pharmacist, &cookie).await;
    assert_eq!((before["papers"].as_array().unwrap().len(), &before["shut_out"]), (3, &json!([])));

    let wish = json!({ "subject": { "kind": "role", "role": "specialist" }, "level": "none" });
    add(&mut pharmacist, voice, ListName::Access, &[(FieldName::AccessContent, wish)]).await;

    let after = papers(&world, Role::Pharmacist, &cookie).await;
    assert!(!after.to_string().contains("canary"), "{after}");
    assert_eq!(after["papers"][0]["to"], "Dr. Amy Chen");
    let refused = after["shut_out"].as_array().unwrap();
    assert_eq!(refused.len(), 2);
    for told in [
        json!({ "to": "Dr. Otto Weiss", "why": "wish" }),
        json!({ "to": "Dr. Ida Stern", "why": "role_unknown" }),
    ] {
        assert!(refused.contains(&told), "{refused:?}");
    }
    world.stop().await;
}
