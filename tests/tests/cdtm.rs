//! CDTM agreements over HTTP and in the record: a real server, its demo practice, and people who try more than is theirs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail by it")]

use std::collections::BTreeMap;

use clinical::actor::Role;
use clinical::cdtm::day::Day;
use clinical::command::Command;
use clinical::edit::Op;
use clinical::field::{DocKind, FieldName, ListName};
use clinical::id::{DocId, EditId, RowId};
use clinical::phi::Phi;
use serde_json::{Value, json};
use signaling::message::{ClientMessage, RecordRefusal, ServerMessage};
use tests::browserless::Reply;
use tests::participant::Participant;
use tests::world::World;
use uuid::Uuid;

/// A visit with everybody in it.
struct Visit {
    world: World,
    pharmacist: Participant,
    patient: Participant,
    cookies: BTreeMap<Role, String>,
    plan: DocId,
    agreement: Uuid,
}

impl Visit {
    async fn new() -> Self {
        let world = World::start().await;
        let mut cookies = BTreeMap::new();
        for role in [Role::Pharmacist, Role::Pcp, Role::Patient, Role::Caregiver] {
            cookies.insert(role, world.cookie(role).await);
        }
        let mut pharmacist = world.join_with(Role::Pharmacist, &cookies[&Role::Pharmacist]).await;
        let mut patient = world.join_with(Role::Patient, &cookies[&Role::Patient]).await;
        let (plan, _client) = pharmacist.open(world.record().await, DocKind::Plan).await;
        pharmacist.admit(&mut patient).await;
        Self { world, pharmacist, patient, cookies, plan, agreement: Uuid::now_v7() }
    }

    fn path(&self, role: Role) -> String {
        format!("/api/seats/{}/agreements", self.world.invited(role).seat)
    }

    async fn read(&self, role: Role) -> Reply {
        // Being let in is written down after it was told: on a slow disk a moment later.
        let http = tests::browserless::Http::new(self.world.address());
        let mut reply = http.get(&self.path(role), &self.cookies[&role]).await.unwrap();
        for _ in 0..200 {
            if reply.status != 404 || role != Role::Patient {
                break;
            }
            reply = http.get(&self.path(role), &self.cookies[&role]).await.unwrap();
        }
        reply
    }

    async fn post(&self, role: Role, body: &Value) -> Reply {
        self.world.post(&self.path(role), &self.cookies[&role], body).await
    }

    /// Does something with the agreement as it stands.
    async fn act(&self, role: Role, act: Value) -> Value {
        let seen = self.one(Role::Pcp).await["seen"].as_u64().unwrap_or(0);
        let reply = self.post(role, &self.body(Uuid::now_v7(), seen, act)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json
    }

    fn body(&self, id: Uuid, seen: u64, act: Value) -> Value {
        json!({ "agreement": self.agreement, "id": id, "seen": seen, "act": act })
    }

    async fn done(&self, role: Role, act: Value) {
        let answer = self.act(role, act).await;
        assert_eq!(answer["state"], "done", "{answer}");
    }

    /// The agreement as a role sees it.
    async fn one(&self, role: Role) -> Value {
        let all = self.read(role).await.json;
        let found = all["agreements"].as_array().cloned().unwrap_or_default();
        let is_it = |one: &Value| one["id"] == json!(self.agreement);
        found.into_iter().find(is_it).unwrap_or(Value::Null)
    }

    async fn terms(&self) -> Value {
        let all = self.read(Role::Pcp).await.json;
        let today = Day::parse(all["today"].as_str().unwrap()).unwrap();
        let mut patient = all["patient"].clone();
        patient["address"] = json!("12 Elm St, Monroe LA");
        if patient["phone"] == json!("") {
            patient["phone"] = json!("555-0121");
        }
        json!({
            "jurisdiction": "LA",
            "pharmacist": all["pharmacists"][0]["person"],
            "backup": { "name": "Dr. Luis Ortega", "phone": "555-0188" },
            "condition": "Canary-hypertension",
            "f2f_visit": today, "start": today, "end": today.plus_days(300), "board_told": today,
            "disclosure": "Neither is paid by a maker of drugs.",
            "communication": { "method": "phone", "frequency": "each month", "format": "note" },
            "outcomes": ["Blood pressure below 140/90"],
            "order_set": {
                "pharmacist_phone": "555-0142", "provider_phone": "555-0175", "patient": patient,
                "drugs": [{ "ingredient": "lisinopril", "actions": ["stop", "change_dose"],
                    "dose": { "least": "2.5", "most": "40", "most_per_day": "40", "unit": "mg" } }],
                "extent": "Adjust the drugs listed.",
                "responsibilities": { "physician": "Diagnosis.", "pharmacist": "Titration." },
                "procedures": "Titrate every 2 weeks.", "tests": ["Potassium"],
                "reporting": "Note after each visit.", "notify_events": ["Systolic above 180"],
                "immediate_consultation": "Call Dr. Raman.",
            },
        })
    }

    /// Drafted, signed by both, consented to.
    async fn active(&self) {
        let terms = self.terms().await;
        self.done(Role::Pcp, json!({ "kind": "draft", "terms": terms })).await;
        self.done(Role::Pcp, json!({ "kind": "sign" })).await;
        let expires = terms["end"].clone();
        let register = json!({ "kind": "register", "number": "CDTM-118", "expires": expires });
        self.done(Role::Pharmacist, register).await;
        self.done(Role::Pharmacist, json!({ "kind": "sign" })).await;
        self.done(Role::Patient, consent("given")).await;
    }

    /// A medicine, and a draft to change its dose under the agreement.
    async fn wants(&mut self, name: &str, dose: &str) -> (RowId, RowId) {
        let [med, row] = [(); 2].map(|()| RowId(Uuid::now_v7()));
        let product = json!({ "name": name, "strength_form": "10 mg tablet" });
        let values = [
            (FieldName::MedsProduct, product),
            (FieldName::MedsSig, json!({ "text": "10 mg daily" })),
        ];
        self.pharmacist.edit(self.plan, add(ListName::Meds, med, &values)).await.unwrap();
        let regimen = json!({
            "text": format!("{dose} mg once daily"), "dose": { "value": dose, "unit": "mg" },
            "freq": { "count": 1, "period": 1, "unit": "d" },
        });
        let content = json!({
            "action": "change_dose", "med": med, "summary": "another dose", "regimen": regimen,
        });
        let under = json!({ "kind": "under_cdtm", "agreement": self.agreement });
        let values = [
            (FieldName::RecommendationsContent, content),
            (FieldName::RecommendationsAuthority, under),
        ];
        let rows = add(ListName::Recommendations, row, &values);
        self.pharmacist.edit(self.plan, rows).await.unwrap();
        (med, row)
    }

    /// "Do it under the agreement". What the record says of it then.
    async fn does(&mut self, row: RowId) -> Result<Value, RecordRefusal> {
        let id = EditId(Uuid::now_v7());
        let list = json!({ "day": "2026-11-30", "row": Uuid::now_v7() });
        let command = json!({ "kind": "act_under_agreement", "row": row, "list": list });
        let command: Command = serde_json::from_value(command).unwrap();
        let doc = self.plan;
        let message = ClientMessage::RecordCommand { doc, id, command, seen: 1_000_000 };
        self.pharmacist.send(&message).await;
        self.pharmacist.outcome(id).await?;
        let told = self.pharmacist.heard.iter().rev().find_map(|message| match message {
            ServerMessage::RecordAck { edit, change: Some(change), .. } if *edit == id => {
                serde_json::to_value(change).ok()
            }
            _ => None,
        });
        Ok(told.unwrap_or_else(|| panic!("no change came back")))
    }
}

/// Whether some file of the server holds these words as they are.
fn on_disk(world: &World, words: &str) -> bool {
    let files = std::fs::read_dir(world.folder()).unwrap();
    files
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .any(|bytes| bytes.windows(words.len()).any(|window| window == words.as_bytes()))
}

fn consent(answer: &str) -> Value {
    json!({
        "kind": "consent", "answer": answer, "method": "screen", "name": "Ruth Delgado",
        "substitution": false, "language": "en",
    })
}

fn add(list: ListName, row: RowId, values: &[(FieldName, Value)]) -> Op {
    let values: BTreeMap<_, _> =
        values.iter().map(|(field, json)| (*field, Phi::new(json.clone()))).collect();
    Op::Add { list, row, after: None, values }
}

/// What a change of the record set.
fn set_by<'c>(change: &'c Value, field: &str) -> &'c Value {
    let sets = change["what"]["sets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = sets.iter().find(|set| set["at"]["field"] == field);
    found.map_or(&Value::Null, |set| &set["value"])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agreement_is_made_used_and_ended_by_the_patient_and_the_visit_goes_on() {
    let mut visit = Visit::new().await;
    visit.active().await;
    assert_eq!(visit.one(Role::Pharmacist).await["standing"], "active");
    let due = &visit.one(Role::Pharmacist).await["dues"][0];
    assert_eq!((&due["what"], &due["days"]), (&json!("report"), &json!(90)));

    // Inside the order set: one step.
    let (med, row) = visit.wants("Lisinopril", "20").await;
    let change = visit.does(row).await.unwrap();
    assert_eq!(set_by(&change, "recommendations.state"), "implemented");
    assert_eq!(set_by(&change, "meds.because"), &json!(row));
    assert_eq!(set_by(&change, "meds.sig")["text"], "20 mg once daily");
    assert_eq!(
        set_by(&change, "recommendations.under_agreement")["agreement"],
        json!(visit.agreement)
    );
    assert!(change.to_string().contains(&med.to_string()));
    let acts = &visit.one(Role::Pcp).await["acts"];
    assert_eq!(acts[0]["drug"], "Lisinopril", "the physician sees what was done: {acts}");
    assert_eq!(acts[0]["summary"], "another dose");
    assert_eq!(visit.does(row).await, Err(RecordRefusal::AlreadyDecided));

    // Outside: sent to the physician, with the reasons.
    let (_, row) = visit.wants("Metformin", "20").await;
    let change = visit.does(row).await.unwrap();
    assert_eq!(set_by(&change, "recommendations.state"), "sent");
    let reasons = &set_by(&change, "recommendations.under_agreement")["reasons"];
    assert_eq!(reasons[0]["code"], "drug_not_in_order_set", "{reasons}");
    assert_eq!(set_by(&change, "recommendations.addressee")["name"], "Dr. Priya Raman");

    // A report is an entry; it moves the day on which the next one is due.
    let report = json!({
        "problems": "None.", "complications": "None.", "adherence": "Good.", "actions": "20 mg.",
    });
    visit.done(Role::Pharmacist, json!({ "kind": "report", "report": report })).await;
    let seat = visit.world.invited(Role::Pharmacist).seat;
    let path = format!("/api/seats/{seat}/agreements/export");
    let cookie = &visit.cookies[&Role::Pharmacist].clone();
    let wish = json!({ "kind": "report", "agreement": visit.agreement });
    let taken = visit.world.post(&path, cookie, &wish).await.json;
    assert_eq!(taken["agreement"]["reports"][0]["report"]["adherence"], "Good.");
    assert_eq!(taken["agreement"]["acts"].as_array().unwrap().len(), 1);
    let list = visit.world.post(&path, cookie, &json!({ "kind": "inspection" })).await.json;
    assert_eq!(list["lines"][0]["condition"], "Canary-hypertension", "{list}");
    assert_eq!(list["lines"][0]["standing"], "active");

    // The patient takes the consent back: it ends at once, and nothing else does.
    let bookings = format!("/api/seats/{seat}/bookings");
    let before = visit.world.get(&bookings, cookie).await;
    visit.done(Role::Patient, consent("withdrawn")).await;
    assert_eq!(visit.one(Role::Pharmacist).await["standing"], "withdrawn");
    let (_, row) = visit.wants("Lisinopril", "30").await;
    let change = visit.does(row).await.unwrap();
    let reasons = &set_by(&change, "recommendations.under_agreement")["reasons"];
    assert_eq!(reasons, &json!([{ "code": "consent_withdrawn" }]));
    assert_eq!(visit.world.get(&bookings, cookie).await, before, "visits are untouched");
    visit.patient.settle().await;
    let ended = |message: &ServerMessage| matches!(message, ServerMessage::Ended { .. });
    assert!(!visit.patient.heard.iter().any(ended), "the patient stays in the visit");
    // Every step stands in the log of accesses, and nothing of what was said stands readable in the files.
    for written in ["signed", "registered", "consented", "action", "refused", "report", "withdrawn"]
    {
        assert!(
            on_disk(&visit.world, &format!("cdtm.{written}")),
            "cdtm.{written} is not in the log"
        );
    }
    for said in ["Canary-hypertension", "Neither is paid by a maker", "12 Elm St", "CDTM-118"] {
        assert!(!on_disk(&visit.world, said), "{said} stands readable");
    }
    visit.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_for_an_agreement_that_is_not_theirs() {
    let visit = Visit::new().await;
    let terms = visit.terms().await;
    let draft = json!({ "kind": "draft", "terms": terms });
    for role in [Role::Pharmacist, Role::Patient] {
        let reply = visit.post(role, &visit.body(Uuid::now_v7(), 0, draft.clone())).await;
        assert_eq!(
            (reply.status, reply.json["code"].as_str()),
            (403, Some("not_allowed")),
            "{role:?}"
        );
    }
    assert_eq!(visit.read(Role::Caregiver).await.status, 404);
    let reply = visit.post(Role::Caregiver, &visit.body(Uuid::now_v7(), 0, draft.clone())).await;
    assert_eq!(reply.status, 404);
    visit.done(Role::Pcp, draft.clone()).await;
    // A draft is not the patient's to see, and nothing of it is told.
    let seen = visit.read(Role::Patient).await;
    assert_eq!(seen.json["agreements"], json!([]));
    assert!(!seen.json.to_string().contains("Canary-hypertension"));
    assert_eq!(seen.json["patient"]["name"], "", "the chart's prefill is for who drafts");
    // Another's id, a guessed one, and acts on what is not there.
    let sign = json!({ "kind": "sign" });
    let strange =
        json!({ "agreement": Uuid::now_v7(), "id": Uuid::now_v7(), "seen": 1, "act": sign });
    assert_eq!(visit.post(Role::Pcp, &strange).await.status, 404);
    for act in ["sign", "consent", "register"] {
        let act = if act == "consent" {
            consent("given")
        } else {
            json!({ "kind": act, "number": "1", "expires": "2099-01-01" })
        };
        let body = visit.body(Uuid::now_v7(), 1, act);
        let reply = visit.post(Role::Caregiver, &body).await;
        assert_eq!(reply.status, 404);
    }
    for kind in ["inspection", "everything"] {
        let seat = visit.world.invited(Role::Patient).seat;
        let path = format!("/api/seats/{seat}/agreements/export");
        let reply =
            visit.world.post(&path, &visit.cookies[&Role::Patient], &json!({ "kind": kind })).await;
        assert!([400, 404].contains(&reply.status), "{reply:?}");
    }
    let elsewhere =
        visit.world.post(&visit.path(Role::Pcp), &visit.cookies[&Role::Patient], &strange).await;
    assert_eq!(elsewhere.status, 401, "another's seat");
    visit.world.stop().await;
}

/// Section 10: of an agreement a caregiver reads only as a legal proxy, and gives no consent in it.
#[tokio::test(flavor = "multi_thread")]
async fn who_acts_for_the_patient_by_law_reads_the_agreement_as_the_patient_does() {
    let mut visit = Visit::new().await;
    visit.active().await;
    let record = visit.world.record().await;
    let cookie = visit.cookies[&Role::Caregiver].clone();
    let mut caregiver = visit.world.join_with(Role::Caregiver, &cookie).await;
    visit.pharmacist.admit(&mut caregiver).await;
    caregiver.open(record, DocKind::Voice).await;
    assert_eq!(visit.read(Role::Caregiver).await.status, 404);

    let person = visit.world.person(Role::Caregiver);
    let subject = json!({ "kind": "person", "person": person, "name": "Rosa" });
    let wish = json!({ "subject": subject, "level": "legal", "reason": "power of attorney seen" });
    let voice = visit.pharmacist.documents().into_iter().find(|(kind, _)| *kind == DocKind::Voice);
    let values = [(FieldName::AccessContent, wish)];
    let add = add(ListName::Access, RowId(Uuid::now_v7()), &values);
    visit.pharmacist.edit(voice.unwrap().1, add).await.unwrap();

    // Being let in is written down after it was told: on a slow disk a moment later.
    let mut one = visit.one(Role::Caregiver).await;
    for _ in 0..200 {
        if one != Value::Null {
            break;
        }
        one = visit.one(Role::Caregiver).await;
    }
    assert_eq!(one["standing"], "active", "{one}");
    assert_eq!(one["terms"]["condition"], "Canary-hypertension");
    assert_eq!((&one["may"], &one["acts"]), (&json!([]), &json!([])));
    let seen = one["seen"].as_u64().unwrap();
    for act in [consent("withdrawn"), json!({ "kind": "sign" })] {
        let refused = visit.post(Role::Caregiver, &visit.body(Uuid::now_v7(), seen, act)).await;
        assert_eq!(refused.status, 403, "{refused:?}");
    }
    // A consent is theirs to take back in the record, and that ends it.
    let taken_back = json!({ "kind": "cdtm_written", "state": "withdrawn", "method": "checkbox" });
    let (voice, _) = caregiver.open(record, DocKind::Voice).await;
    let values = [(FieldName::ConsentsContent, taken_back)];
    let add = self::add(ListName::Consents, RowId(Uuid::now_v7()), &values);
    caregiver.edit(voice, add).await.unwrap();
    assert_eq!(visit.one(Role::Pcp).await["standing"], "withdrawn");
    visit.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_and_nothing_is_written() {
    let visit = Visit::new().await;
    let terms = visit.terms().await;
    let refused = |answer: &Value, code: &str, field: Option<&str>| {
        assert_eq!(answer["state"], "refused", "{answer}");
        assert_eq!(answer["why"]["code"], code, "{answer}");
        assert_eq!(answer["why"]["field"].as_str(), field, "{answer}");
    };
    for (bad, field) in [
        (json!("5,0"), "not a decimal"),
        (json!("5.0"), "not a decimal"),
        (json!("NaN"), "not a decimal"),
        (json!("0"), "order_set.drugs.dose"),
        (json!("2"), "order_set.drugs.dose"),
    ] {
        let mut terms = terms.clone();
        terms["order_set"]["drugs"][0]["dose"]["most"] = bad;
        let answer = visit.act(Role::Pcp, json!({ "kind": "draft", "terms": terms })).await;
        refused(&answer, "bad_value", Some(field));
    }
    let mut early = terms.clone();
    early["start"] = json!("2026-02-29");
    let answer = visit.act(Role::Pcp, json!({ "kind": "draft", "terms": early })).await;
    refused(&answer, "bad_value", Some("not a day"));
    let mut long = terms.clone();
    long["disclosure"] = json!("x".repeat(1024 * 1024));
    let body = visit.body(Uuid::now_v7(), 0, json!({ "kind": "draft", "terms": long }));
    let reply = visit.post(Role::Pcp, &body).await;
    assert_eq!((reply.status, reply.json["code"].as_str()), (413, Some("too_large")));
    let mut elsewhere = terms.clone();
    elsewhere["jurisdiction"] = json!("TX");
    let answer = visit.act(Role::Pcp, json!({ "kind": "draft", "terms": elsewhere })).await;
    refused(&answer, "no_template", None);
    assert_eq!(visit.one(Role::Pcp).await, Value::Null, "nothing was written");

    // Twice the same id is done once; an old look is refused.
    let id = Uuid::now_v7();
    let body = visit.body(id, 0, json!({ "kind": "draft", "terms": terms }));
    for _ in 0..2 {
        assert_eq!(visit.post(Role::Pcp, &body).await.json["state"], "done");
    }
    assert_eq!(visit.one(Role::Pcp).await["seen"], 1);
    let stale = visit.body(Uuid::now_v7(), 0, json!({ "kind": "sign" }));
    refused(&visit.post(Role::Pcp, &stale).await.json, "changed_since", None);
    let mut backwards = terms.clone();
    backwards["end"] = backwards["start"].clone();
    visit.done(Role::Pcp, json!({ "kind": "draft", "terms": backwards })).await;
    let answer = visit.act(Role::Pcp, json!({ "kind": "sign" })).await;
    assert_eq!(answer["why"], json!({ "code": "not_complete", "gaps": ["end_before_start"] }));
    visit.done(Role::Pcp, json!({ "kind": "draft", "terms": terms })).await;
    // Of two who sign at the same moment one is first.
    let seen = visit.one(Role::Pcp).await["seen"].as_u64().unwrap();
    let [first, second] =
        [(); 2].map(|()| visit.body(Uuid::now_v7(), seen, json!({ "kind": "sign" })));
    let (first, second) =
        tokio::join!(visit.post(Role::Pcp, &first), visit.post(Role::Pcp, &second));
    let mut states = [&first.json["state"], &second.json["state"]].map(Value::to_string);
    states.sort();
    assert_eq!(states, ["\"done\"", "\"refused\""]);
    // What is signed is not written again.
    let answer = visit.act(Role::Pcp, json!({ "kind": "draft", "terms": terms })).await;
    refused(&answer, "not_now", None);
    visit.world.stop().await;
}

/// A place in an agreement is taken once: of an action and a withdrawal at the same moment one is first, and the other
/// is judged by it.
#[tokio::test(flavor = "multi_thread")]
async fn an_action_and_a_withdrawal_at_the_same_moment_are_never_both_stored_unseen() {
    let mut visit = Visit::new().await;
    for _ in 0..5 {
        visit.agreement = Uuid::now_v7();
        visit.active().await;
        let (_, row) = visit.wants("Lisinopril", "20").await;
        let seen = visit.one(Role::Pcp).await["seen"].as_u64().unwrap();
        let (path, cookie) = (visit.path(Role::Patient), visit.cookies[&Role::Patient].clone());
        let body = visit.body(Uuid::now_v7(), seen, consent("withdrawn"));
        let http = tests::browserless::Http::new(visit.world.address());

        let (acted, stopped) = tokio::join!(visit.does(row), http.post(&path, &cookie, &body));

        let stopped = stopped.unwrap().json["state"] == "done";
        let one = visit.one(Role::Pharmacist).await;
        let entered = one["acts"].as_array().unwrap().len();
        let state = acted.as_ref().map(|change| set_by(change, "recommendations.state").clone());
        match state {
            Ok(state) if state == "implemented" => assert_eq!(entered, 1),
            Ok(state) => assert_eq!((state, entered), (json!("sent"), 0)),
            Err(RecordRefusal::Busy) => assert_eq!(entered, 0),
            Err(code) => panic!("{code:?}"),
        }
        // The patient's word always counts, and the record goes on, whatever happened.
        assert_eq!((stopped, &one["standing"]), (true, &json!("withdrawn")));
        visit.wants("Lisinopril", "30").await;
    }
    visit.world.stop().await;
}
