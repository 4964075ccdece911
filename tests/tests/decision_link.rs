//! A recommendation by link, outside a visit: what its addressee reads, what they may answer, and what stays closed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail by it")]

use std::collections::BTreeMap;

use clinical::actor::Role;
use clinical::command::Command;
use clinical::edit::Op;
use clinical::field::{DocKind, FieldName, ListName};
use clinical::id::{DocId, EditId, RowId};
use clinical::phi::Phi;
use serde_json::{Value, json};
use signaling::message::{ClientMessage, ServerMessage};
use tests::browserless::Reply;
use tests::participant::Participant;
use tests::world::World;
use uuid::Uuid;

fn add(list: ListName, row: RowId, values: &[(FieldName, Value)]) -> Op {
    let values: BTreeMap<_, _> =
        values.iter().map(|(field, json)| (*field, Phi::new(json.clone()))).collect();
    Op::Add { list, row, after: None, values }
}

/// A visit with a pharmacist in it, and a recommendation that was sent.
struct Scene {
    world: World,
    pharmacist: Participant,
    cookie: String,
    plan: DocId,
    med: RowId,
    row: RowId,
}

impl Scene {
    async fn new() -> Self {
        let world = World::start().await;
        let cookie = world.cookie(Role::Pharmacist).await;
        let mut pharmacist = world.join_with(Role::Pharmacist, &cookie).await;
        let (plan, _client) = pharmacist.open(world.record().await, DocKind::Plan).await;
        let [med, row, other, problem] = [(); 4].map(|()| RowId(Uuid::now_v7()));
        let product = json!({ "name": "Warfarinum", "strength_form": "5 mg tablet" });
        let sig = json!({ "text": "one in the evening" });
        let values = [(FieldName::MedsProduct, product), (FieldName::MedsSig, sig)];
        pharmacist.edit(plan, add(ListName::Meds, med, &values)).await.unwrap();
        let statement = json!({ "condition": "Canary-condition", "med_ids": [med] });
        let hidden = json!("Canary-responsible");
        let values =
            [(FieldName::ProblemsStatement, statement), (FieldName::ProblemsResponsible, hidden)];
        pharmacist.edit(plan, add(ListName::Problems, problem, &values)).await.unwrap();
        let content =
            json!({ "action": "stop", "med": med, "problem": problem, "summary": "Stop it." });
        let to = json!({ "name": "Dr. Outside", "role": "pcp" });
        let values = [
            (FieldName::RecommendationsContent, content),
            (FieldName::RecommendationsAddressee, to),
        ];
        pharmacist.edit(plan, add(ListName::Recommendations, row, &values)).await.unwrap();
        let content = json!({ "action": "monitor", "summary": "Canary-other" });
        let values = [(FieldName::RecommendationsContent, content)];
        pharmacist.edit(plan, add(ListName::Recommendations, other, &values)).await.unwrap();
        let mut scene = Self { world, pharmacist, cookie, plan, med, row };
        scene.send(scene.row).await;
        scene
    }

    async fn send(&mut self, row: RowId) {
        let (doc, id) = (self.plan, EditId(Uuid::now_v7()));
        let command = Command::SendRecommendation { row };
        let message = ClientMessage::RecordCommand { doc, id, command, seen: 1_000_000 };
        self.pharmacist.send(&message).await;
        self.pharmacist.outcome(id).await.unwrap();
    }

    fn link_path(&self) -> String {
        let seat = self.world.invited(Role::Pharmacist).seat;
        format!("/api/seats/{seat}/recommendations/{}/link", self.row)
    }

    async fn link(&self) -> String {
        let made = self.world.post(&self.link_path(), &self.cookie, &json!({})).await;
        made.json["token"].as_str().unwrap_or_else(|| panic!("no link: {made:?}")).to_owned()
    }

    async fn page(&self, token: &str) -> Reply {
        self.page_in_the_browser_of("", token).await
    }

    async fn page_in_the_browser_of(&self, cookie: &str, token: &str) -> Reply {
        self.world.post("/api/decisions/open", cookie, &json!({ "token": token })).await
    }

    async fn answer(&self, token: &str, command: Value, seen: &Value) -> Value {
        let who = json!({ "name": "Dr. Olive Outside", "credential": "MD 4711", "attested": true });
        self.answer_as("", who, token, command, seen).await.json
    }

    async fn answer_as(
        &self,
        cookie: &str,
        who: Value,
        token: &str,
        command: Value,
        seen: &Value,
    ) -> Reply {
        let mut body =
            json!({ "token": token, "id": Uuid::now_v7(), "command": command, "seen": seen });
        if !who.is_null() {
            body["who"] = who;
        }
        self.world.post("/api/decisions/answer", cookie, &body).await
    }

    fn maker(&self) -> clinical::id::PersonId {
        self.world.person(Role::Pharmacist)
    }

    /// The patient's wish, said in their own part of the record.
    async fn wish(&mut self, wish: Value) {
        let documents = self.pharmacist.documents();
        let voice = documents.iter().rfind(|(kind, _)| *kind == DocKind::Voice).unwrap().1;
        let values = [(FieldName::AccessContent, wish)];
        let add = add(ListName::Access, RowId(Uuid::now_v7()), &values);
        self.pharmacist.edit(voice, add).await.unwrap();
    }

    /// A recommendation addressed to somebody, and sent.
    async fn addressed(&mut self, to: Value) {
        self.row = RowId(Uuid::now_v7());
        let content = json!({ "action": "monitor", "summary": "Check the INR." });
        let values = [
            (FieldName::RecommendationsContent, content),
            (FieldName::RecommendationsAddressee, to),
        ];
        let add = add(ListName::Recommendations, self.row, &values);
        self.pharmacist.edit(self.plan, add).await.unwrap();
        self.send(self.row).await;
    }

    async fn try_link(&self) -> (u16, String) {
        let made = self.world.post(&self.link_path(), &self.cookie, &json!({})).await;
        (made.status, made.json["code"].as_str().unwrap_or("made").to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_holds_the_recommendation_and_nothing_else_of_the_record() {
    let scene = Scene::new().await;

    let page = scene.page(&scene.link().await).await;

    assert_eq!(page.status, 200, "{page:?}");
    let text = page.json.to_string();
    for told in ["Stop it.", "Warfarinum", "one in the evening", "Canary-condition", "Dr. Outside"]
    {
        assert!(text.contains(told), "{told} is missing: {text}");
    }
    let mut hidden = vec!["Canary-other".to_owned(), "Canary-responsible".to_owned()];
    hidden.extend(["metformin", "lisinopril", "MRN-"].map(str::to_owned));
    for secret in hidden {
        assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{secret}: {text}");
    }
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_one_change_that_who_has_the_plan_open_sees_at_once() {
    let mut scene = Scene::new().await;
    let token = scene.link().await;
    let page = scene.page(&token).await.json;
    let (row, seen) = (scene.row, &page["seen"]);

    let looked = scene.answer(&token, json!({ "kind": "mark_seen", "row": row }), seen).await;
    assert_eq!(looked["state"], "done");
    let list = json!({ "day": "2026-11-29", "row": Uuid::now_v7() });
    let accept = json!({ "kind": "decide", "row": row, "outcome": "accepted", "list": list });
    let done = scene.answer(&token, accept.clone(), seen).await;
    assert_eq!(done["state"], "done", "{done}");

    let heard = scene
        .pharmacist
        .until("the decision", |message| {
            matches!(message, ServerMessage::RecordChange { change, .. }
                if serde_json::to_string(change).unwrap().contains("recommendations.decision"))
        })
        .await;
    let heard = serde_json::to_value(&heard).unwrap();
    let sets = heard["change"]["what"]["sets"].to_string();
    // It says of itself how it came.
    for told in ["Dr. Olive Outside", "MD 4711", &scene.maker().to_string()] {
        assert!(sets.contains(told), "{told}: {sets}");
    }
    assert!(sets.contains("\"stopped\"") && sets.contains(&scene.med.to_string()), "{sets}");
    // Who it is was told with the first of the two changes.
    let named = scene.pharmacist.heard.iter().any(|message| {
        matches!(message, ServerMessage::RecordChange { person: Some(person), .. }
            if person.name.expose() == "Dr. Outside")
    });
    assert!(named);
    let late = scene.answer(&token, accept, seen).await;
    assert_eq!((&late["state"], &late["code"]), (&json!("refused"), &json!("already_decided")));
    let page = scene.page(&token).await.json;
    assert_eq!((&page["waits"], &page["state"]), (&json!(false), &json!("accepted")));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_answers_its_recommendation_and_gives_no_other_command() {
    let scene = Scene::new().await;
    let token = scene.link().await;
    let seen = json!(1_000_000);
    let elsewhere = RowId(Uuid::now_v7());

    for command in [
        json!({ "kind": "share" }),
        json!({ "kind": "revise", "reason": "mine" }),
        json!({ "kind": "addend", "text": "mine" }),
        json!({ "kind": "withdraw_recommendation", "row": scene.row, "reason": "mine" }),
        json!({ "kind": "implemented", "row": scene.row, "note": "" }),
        json!({ "kind": "decide", "row": elsewhere, "outcome": "accepted" }),
        json!({ "kind": "mark_seen", "row": elsewhere }),
    ] {
        let answered = scene.answer(&token, command.clone(), &seen).await;
        assert_eq!(answered["code"], "not_allowed", "{command}: {answered}");
    }
    assert_eq!(scene.page(&token).await.json["waits"], true);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_taken_back_and_one_that_never_was_answer_alike() {
    let scene = Scene::new().await;
    let token = scene.link().await;
    assert_eq!(scene.page(&token).await.status, 200);
    let host = scene.world.address();
    let (path, cookie) = (scene.link_path(), &scene.cookie);

    let request = format!(
        "DELETE {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(scene.world.raw(request).await.status, 204);

    let revoked = scene.page(&token).await;
    let unknown = scene.page("00000000000000000000000000").await;
    assert_eq!(revoked.status, 404);
    assert_eq!(revoked.json, unknown.json);
    let seen = json!(1_000_000);
    let accept = json!({ "kind": "decide", "row": scene.row, "outcome": "accepted" });
    assert_eq!(scene.answer(&token, accept, &seen).await["code"], "link_unknown");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_send_recommendations_makes_links() {
    let scene = Scene::new().await;
    for role in [Role::Caregiver, Role::Patient, Role::Pcp] {
        let cookie = scene.world.cookie(role).await;
        let seat = scene.world.invited(role).seat;
        let path = format!("/api/seats/{seat}/recommendations/{}/link", scene.row);
        let made = scene.world.post(&path, &cookie, &json!({})).await;
        assert_eq!(made.status, 404, "{role:?}: {made:?}");
    }
    let stolen = scene.world.post(&scene.link_path(), "", &json!({})).await;
    assert_eq!(stolen.status, 401);
    scene.world.stop().await;
}

fn no_specialists() -> Value {
    json!({ "subject": { "kind": "role", "role": "specialist" }, "level": "none" })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_specialists_is_not_written_about_to_one_by_leaving_out_what_they_are() {
    let mut scene = Scene::new().await;
    scene.wish(no_specialists()).await;

    for (to, outcome) in [
        (json!({ "name": "Dr. Heart", "role": "specialist" }), "addressee_shut_out"),
        (json!({ "name": "Dr. Heart" }), "addressee_shut_out"),
        (json!({ "name": "Dr. Chen", "role": "pcp" }), "made"),
    ] {
        scene.addressed(to.clone()).await;
        let (status, code) = scene.try_link().await;
        assert_eq!(code, outcome, "{to} {status}");
    }
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_out_leads_nowhere_once_the_patient_wants_no_specialists() {
    let mut scene = Scene::new().await;
    scene.addressed(json!({ "name": "Dr. Heart", "role": "specialist" })).await;
    let token = scene.link().await;
    let page = scene.page(&token).await;
    assert_eq!((page.status, &page.json["updates_list"]), (200, &json!(false)));

    scene.wish(no_specialists()).await;

    assert_eq!(scene.page(&token).await.json["code"], "link_unknown");
    let accept = json!({ "kind": "decide", "row": scene.row, "outcome": "accepted" });
    let answered = scene.answer(&token, accept, &page.json["seen"]).await;
    assert_eq!(answered["code"], "not_allowed", "{answered}");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_specialist_answers_by_link_what_asks_them_by_name() {
    let mut scene = Scene::new().await;
    scene.addressed(json!({ "name": "Dr. Heart", "role": "specialist" })).await;
    let token = scene.link().await;
    let seen = scene.page(&token).await.json["seen"].clone();
    let accept = json!({ "kind": "decide", "row": scene.row, "outcome": "accepted" });
    let done = scene.answer(&token, accept, &seen).await;
    assert_eq!(done["state"], "done", "{done}");
    // Also in what leaves the house it is an answer by a link, and of whom it asked.
    let seat = scene.world.invited(Role::Pharmacist).seat;
    let wish = json!({ "kind": "whole_record", "reason": "treatment" });
    let bundle = scene.world.post(&format!("/api/seats/{seat}/export"), &scene.cookie, &wish).await;
    let bundle = bundle.json.to_string();
    for told in ["somebody who says they are Dr. Olive Outside, MD 4711", "Dr. Heart, specialist"] {
        assert!(bundle.contains(told), "{told}: {bundle}");
    }
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_taken_of_which_nobody_says_who_gives_it() {
    let scene = Scene::new().await;
    let token = scene.link().await;
    let seen = scene.page(&token).await.json["seen"].clone();
    let accept = json!({ "kind": "decide", "row": scene.row, "outcome": "accepted" });
    for who in [
        Value::Null,
        json!({ "name": "Dr. Outside", "credential": "MD", "attested": false }),
        json!({ "name": " ", "credential": "MD", "attested": true }),
        json!({ "name": "Dr. Outside", "credential": "", "attested": true }),
        json!({ "name": "x".repeat(101), "credential": "MD", "attested": true }),
    ] {
        let answered = scene.answer_as("", who.clone(), &token, accept.clone(), &seen).await;
        assert_eq!(
            (answered.status, &answered.json["code"]),
            (400, &json!("bad_request")),
            "{who}"
        );
    }
    assert_eq!(scene.page(&token).await.json["waits"], true);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_made_the_link_does_not_answer_by_it_nor_does_anybody_here_who_decides_nothing() {
    let scene = Scene::new().await;
    let token = scene.link().await;
    let seen = json!(1_000_000);
    let accept = json!({ "kind": "decide", "row": scene.row, "outcome": "accepted" });
    let who = json!({ "name": "Dr. Outside", "credential": "MD", "attested": true });
    let patient = scene.world.cookie(Role::Patient).await;
    let pcp = scene.world.cookie(Role::Pcp).await;
    let both = format!("theme=dark; {pcp}; {}", scene.cookie);

    for cookie in [&scene.cookie, &patient, &both] {
        let page = scene.page_in_the_browser_of(cookie, &token).await;
        assert_eq!((page.status, &page.json["code"]), (403, &json!("not_your_link")));
        assert!(!page.json.to_string().contains("Warfarinum"));
        let answered = scene.answer_as(cookie, who.clone(), &token, accept.clone(), &seen).await;
        assert_eq!((answered.status, &answered.json["code"]), (403, &json!("not_your_link")));
    }
    // Who decides here may look, in the same browser.
    assert_eq!(scene.page_in_the_browser_of(&pcp, &token).await.status, 200);
    scene.world.stop().await;
}
