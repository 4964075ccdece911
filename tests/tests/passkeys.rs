//! A signature is confirmed with a passkey: set up by a link from the operator, asked for one document as it stood, and
//! good once. The authenticator is a small one in software, the server and its lines are real.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by it")]

use std::net::{IpAddr, Ipv4Addr};

use clinical::actor::Role;
use clinical::field::DocKind;
use clinical::id::{DocId, EditId, PersonId};
use clinical::phi::Phi;
use mortar::config::{Config, Practice, StepUp};
use mortar::{passkey, verify};
use serde_json::{Value, json};
use signaling::message::{ClientMessage, RecordRefusal};
use sqlx::Connection as _;
use tests::authenticator::{Authenticator, Manner, PRESENT, VERIFIED};
use tests::browserless::Reply;
use tests::gate::fill;
use tests::participant::Participant;
use tests::world::World;
use uuid::Uuid;

/// The pharmacist of the demo visit at her screen.
struct Scene {
    world: World,
    pharmacist: Participant,
    cookie: String,
    doc: DocId,
    client: u64,
}

impl Scene {
    async fn new() -> Self {
        Self::with(StepUp::WhenEnrolled).await
    }

    async fn with(step_up: StepUp) -> Self {
        let practice = Practice { step_up, ..Practice::default() };
        let world = World::start_with(Config { practice, ..Config::default() }).await;
        let cookie = world.cookie(Role::Pharmacist).await;
        let mut pharmacist = world.join_with(Role::Pharmacist, &cookie).await;
        let (doc, client) = pharmacist.open(world.record().await, DocKind::Plan).await;
        Self { world, pharmacist, cookie, doc, client }
    }

    fn manner(&self) -> Manner {
        Manner::on(&self.world.server().origin())
    }

    fn person(&self) -> PersonId {
        self.world.person(Role::Pharmacist)
    }

    /// What the operator hands over.
    async fn link(&self, person: PersonId) -> String {
        let app = self.world.server().app();
        passkey::link(&app.store, &app.vault, &app.writer, person).await.unwrap().text()
    }

    async fn opened(&self, token: &str) -> Reply {
        self.world.post("/api/passkeys/open", "", &json!({ "token": token })).await
    }

    async fn enrol(&self, person: PersonId) -> Authenticator {
        let mut device = Authenticator::new();
        let token = self.link(person).await;
        let asked = self.opened(&token).await.json;
        let body = device.enrol(&token, &asked, &self.manner());
        let reply = self.world.post("/api/passkeys/enrol", "", &body).await;
        assert_eq!(reply.status, 200, "{:?}", reply.json);
        device
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/seats/{}/step-up{rest}", self.world.invited(Role::Pharmacist).seat)
    }

    async fn ask(&self, seen: u64) -> Value {
        let body = json!({ "doc": self.doc, "seen": seen });
        let reply = self.world.post(&self.path(""), &self.cookie, &body).await;
        assert_eq!(reply.status, 200, "{:?}", reply.json);
        reply.json
    }

    async fn answer(&self, body: &Value) -> Result<String, String> {
        let reply = self.world.post(&self.path("/answer"), &self.cookie, body).await;
        match reply.json["proof"].as_str() {
            Some(proof) => Ok(proof.to_owned()),
            None => Err(reply.json["code"].as_str().unwrap_or_default().to_owned()),
        }
    }

    /// Asks, touches, and gives back the proof.
    async fn proof(&self, device: &mut Authenticator, seen: u64) -> String {
        let asked = self.ask(seen).await;
        self.answer(&device.answer(&asked, &self.manner())).await.unwrap()
    }

    async fn sign(&mut self, seen: u64, proof: Option<&str>) -> Result<(), RecordRefusal> {
        let (doc, id) = (self.doc, EditId(Uuid::now_v7()));
        let step_up = proof.map(|proof| Phi::new(proof.to_owned()));
        self.pharmacist.send(&ClientMessage::RecordSign { doc, id, seen, step_up }).await;
        self.pharmacist.outcome(id).await.map(|_id| ())
    }

    async fn needs(&self) -> String {
        let answer = self.world.get(&self.path(""), &self.cookie).await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        answer["needs"].as_str().unwrap_or_default().to_owned()
    }

    async fn passkeys(&self) -> Vec<passkey::Passkey> {
        let app = self.world.server().app();
        passkey::of(&app.store, &app.vault, self.person()).await.unwrap()
    }

    async fn remove(&self) {
        let app = self.world.server().app();
        for held in self.passkeys().await {
            assert!(passkey::remove(&app.store, &app.writer, held.id).await.unwrap());
        }
    }

    /// How often something stands in the log of accesses.
    async fn logged(&self, action: &str) -> i64 {
        self.count(&format!("select count(*) from audit where action = '{action}'")).await
    }

    async fn count(&self, question: &str) -> i64 {
        let mut file = self.file().await;
        sqlx::query_scalar(sqlx::AssertSqlSafe(question.to_owned()))
            .fetch_one(&mut file)
            .await
            .unwrap()
    }

    async fn file(&self) -> sqlx::SqliteConnection {
        let file = self.world.folder().join("mortar.db");
        sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap()
    }

    async fn faults(&self) -> Vec<String> {
        let app = self.world.server().app();
        verify::verify(&app.store, &app.vault).await.unwrap().faults
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_set_up_once_by_its_link() {
    let scene = Scene::new().await;
    let token = scene.link(scene.person()).await;
    let mut device = Authenticator::new();

    let asked = scene.opened(&token).await.json;
    assert_eq!((&asked["name"], &asked["passkeys"]), (&json!("Ana Reyes, PharmD"), &json!(0)));
    assert_eq!(asked["site"], json!("localhost"));
    let body = device.enrol(&token, &asked, &scene.manner());
    let made = scene.world.post("/api/passkeys/enrol", "", &body).await;
    assert_eq!((made.status, &made.json), (200, &json!({ "passkeys": 1 })));

    let again = scene.world.post("/api/passkeys/enrol", "", &body).await;
    assert_eq!((again.status, &again.json["code"]), (404, &json!("link_unknown")), "used");
    assert_eq!(scene.opened(&token).await.status, 404, "used");
    assert_eq!(scene.opened("0123456789ABCDEFGHJKMNPQRS").await.status, 404, "mistyped");
    let held = scene.passkeys().await;
    assert_eq!((held.len(), held[0].name.as_str()), (1, "Ana's laptop"));
    assert_eq!(held[0].fingerprint.as_str(), device.fingerprint());
    // A second device is asked not to be the first, and the first cannot be set up for somebody else.
    let other = scene.link(scene.world.person(Role::Pcp)).await;
    let asked = scene.opened(&other).await.json;
    assert_eq!(asked["exclude"], json!([]), "nobody learns of another's passkeys");
    let body = device.enrol(&other, &asked, &scene.manner());
    let taken = scene.world.post("/api/passkeys/enrol", "", &body).await;
    assert_eq!((taken.status, &taken.json["code"]), (409, &json!("passkey_known")));
    let second = scene.link(scene.person()).await;
    assert_eq!(scene.opened(&second).await.json["exclude"].as_array().map(Vec::len), Some(1));
    assert_eq!(scene.logged("passkey.added").await, 1);
    assert_eq!(scene.logged("passkey.link_created").await, 3);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_does_not_do_what_it_must_is_not_set_up() {
    let scene = Scene::new().await;
    let good = scene.manner();
    let wrong = [
        Manner { flags: PRESENT, ..good.clone() },
        Manner { flags: VERIFIED, ..good.clone() },
        Manner { origin: "https://evil.example".to_owned(), ..good.clone() },
        Manner { site: "evil.example".to_owned(), ..good.clone() },
        Manner { ceremony: Some("webauthn.get"), ..good.clone() },
        Manner { framed: true, ..good.clone() },
    ];
    let token = scene.link(scene.person()).await;
    for manner in &wrong {
        let asked = scene.opened(&token).await.json;
        let body = Authenticator::new().enrol(&token, &asked, manner);
        let reply = scene.world.post("/api/passkeys/enrol", "", &body).await;
        assert_eq!(
            (reply.status, &reply.json["code"]),
            (403, &json!("passkey_refused")),
            "{manner:?}"
        );
    }
    // A question is answered once, and the newest alone.
    let old = scene.opened(&token).await.json;
    let new = scene.opened(&token).await.json;
    let late = Authenticator::new().enrol(&token, &old, &good);
    let reply = scene.world.post("/api/passkeys/enrol", "", &late).await;
    assert_eq!(reply.json["code"], json!("passkey_refused"));
    let late = Authenticator::new().enrol(&token, &new, &good);
    let reply = scene.world.post("/api/passkeys/enrol", "", &late).await;
    assert_eq!((reply.status, &reply.json["code"]), (409, &json!("step_up_expired")));
    assert_eq!(scene.passkeys().await.len(), 0);
    assert_eq!(scene.needs().await, "nothing");
    assert_eq!(scene.logged("passkey.refused").await, i64::try_from(wrong.len()).unwrap() + 1);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_confirmed_with_a_passkey_and_says_so_for_good() {
    let mut scene = Scene::new().await;
    let mut device = scene.enrol(scene.person()).await;
    let seen = fill(&mut scene.pharmacist, scene.doc, scene.client).await;
    assert_eq!(scene.needs().await, "passkey");

    assert_eq!(scene.sign(seen, None).await, Err(RecordRefusal::StepUpNeeded));
    let proof = scene.proof(&mut device, seen).await;
    assert_eq!(scene.sign(seen, Some(&proof)).await, Ok(()));

    let seat = scene.world.invited(Role::Pharmacist).seat;
    let list = scene.world.get(&format!("/api/seats/{seat}/versions"), &scene.cookie).await;
    let list: Value = serde_json::from_str(&list.body).unwrap();
    let signed = scene.world.get(&format!("/api/seats/{seat}/versions/1"), &scene.cookie).await;
    let signed: Value = serde_json::from_str(&signed.body).unwrap();
    let confirmed = &signed["signer"]["confirmed"];
    assert_eq!(confirmed["method"], json!("passkey"));
    assert_eq!(confirmed["passkey"], json!(device.fingerprint()));
    assert_eq!(list[0]["confirmed"]["passkey"], confirmed["passkey"]);
    assert_eq!(list[0]["confirmed"]["at_ms"], confirmed["at_ms"]);
    assert_eq!(scene.faults().await, [""; 0]);
    assert_eq!(scene.logged("step_up.confirmed").await, 1);
    assert_eq!(scene.logged("plan.signed").await, 1);
    assert_eq!(scene.logged("plan.sign_refused").await, 1);

    // Also after the passkey was taken away. What was kept cannot be changed or lost unseen.
    scene.remove().await;
    assert_eq!(scene.faults().await, [""; 0]);
    let mut file = scene.file().await;
    for (change, fault) in [
        ("update step_up set at_ms = at_ms - 1", "not what was stored"),
        ("update step_up set at_ms = at_ms + 1, evidence = zeroblob(200)", "not what was stored"),
        ("delete from step_up", "missing"),
    ] {
        sqlx::query(change).execute(&mut file).await.unwrap();
        let faults = scene.faults().await;
        assert!(faults.len() == 1 && faults[0].contains(fault), "{change}: {faults:?}");
    }
    drop(file);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_hold_confirms_nothing() {
    let mut scene = Scene::new().await;
    let mut device = scene.enrol(scene.person()).await;
    let mut others = scene.enrol(scene.world.person(Role::Pcp)).await;
    let good = scene.manner();
    let refused = |code: &str| Err::<String, _>(code.to_owned());

    for manner in [
        Manner { flags: PRESENT, ..good.clone() },
        Manner { flags: VERIFIED, ..good.clone() },
        Manner { origin: "https://evil.example".to_owned(), ..good.clone() },
        Manner { origin: format!("{}.evil.example", good.origin), ..good.clone() },
        Manner { site: "evil.example".to_owned(), ..good.clone() },
        Manner { ceremony: Some("webauthn.create"), ..good.clone() },
        Manner { framed: true, ..good.clone() },
    ] {
        let asked = scene.ask(1).await;
        let answer = device.answer(&asked, &manner);
        assert_eq!(scene.answer(&answer).await, refused("passkey_refused"), "{manner:?}");
    }
    // Another person's passkey, and one nobody has.
    for stranger in [&mut others, &mut Authenticator::new()] {
        let answer = stranger.answer(&scene.ask(1).await, &good);
        assert_eq!(scene.answer(&answer).await, refused("passkey_refused"));
    }
    // Her own passkey's id, with the signature or the handle of another's.
    for member in ["signature", "user"] {
        let asked = scene.ask(1).await;
        let mut answer = device.answer(&asked, &good);
        answer[member] = others.answer(&asked, &good)[member].clone();
        assert_eq!(scene.answer(&answer).await, refused("passkey_refused"), "{member}");
    }
    // An answer to a question before the newest; the newest is used up by it.
    let before = device.answer(&scene.ask(1).await, &good);
    scene.ask(2).await;
    assert_eq!(scene.answer(&before).await, refused("passkey_refused"), "another change");
    assert_eq!(scene.answer(&before).await, refused("step_up_expired"), "nothing is asked");
    // The same answer twice.
    let answer = device.answer(&scene.ask(1).await, &good);
    scene.answer(&answer).await.unwrap();
    assert_eq!(scene.answer(&answer).await, refused("step_up_expired"), "replayed");
    scene.ask(1).await;
    assert_eq!(scene.answer(&answer).await, refused("passkey_refused"), "replayed");
    // Another seat's question is another question, and who signs nothing is asked nothing.
    let seat = scene.world.invited(Role::Pcp).seat;
    let cookie = scene.world.cookie(Role::Pcp).await;
    let path = format!("/api/seats/{seat}/step-up");
    let body = json!({ "doc": scene.doc, "seen": 1 });
    let reply = scene.world.post(&path, &cookie, &body).await;
    assert_eq!((reply.status, &reply.json["code"]), (403, &json!("not_allowed")));
    let reply = scene.world.post(&path, &scene.cookie, &body).await;
    assert_eq!((reply.status, &reply.json["code"]), (401, &json!("no_session")));
    assert_eq!(scene.sign(1, Some("bm90aGluZw")).await, Err(RecordRefusal::StepUpNeeded));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_good_once_for_what_was_asked() {
    let mut scene = Scene::new().await;
    let mut device = scene.enrol(scene.person()).await;
    let seen = fill(&mut scene.pharmacist, scene.doc, scene.client).await;

    // For another change, and for another document.
    let other = scene.proof(&mut device, seen - 1).await;
    assert_eq!(scene.sign(seen, Some(&other)).await, Err(RecordRefusal::StepUpNeeded));
    assert_eq!(scene.sign(seen - 1, Some(&other)).await, Err(RecordRefusal::ChangedSince));
    assert_eq!(scene.sign(seen - 1, Some(&other)).await, Err(RecordRefusal::StepUpNeeded), "once");
    let doc = DocId(Uuid::now_v7());
    let body = json!({ "doc": doc, "seen": seen });
    let asked = scene.world.post(&scene.path(""), &scene.cookie, &body).await.json;
    let other = scene.answer(&device.answer(&asked, &scene.manner())).await.unwrap();
    assert_eq!(scene.sign(seen, Some(&other)).await, Err(RecordRefusal::StepUpNeeded));
    // Of somebody who holds the link, and not the browser that answered.
    let proof = scene.proof(&mut device, seen).await;
    let guess = "A".repeat(43);
    assert_eq!(scene.sign(seen, Some(&guess)).await, Err(RecordRefusal::StepUpNeeded));
    // Taken away in between, the passkey confirms nothing; nor does the link alone, for whom it must.
    let spare = scene.enrol(scene.person()).await;
    let app = scene.world.server().app();
    for held in scene.passkeys().await {
        if held.fingerprint.as_str() == device.fingerprint() {
            passkey::remove(&app.store, &app.writer, held.id).await.unwrap();
        }
    }
    assert_eq!(scene.sign(seen, Some(&proof)).await, Err(RecordRefusal::StepUpNeeded));
    let mut spare = spare;
    let proof = scene.proof(&mut spare, seen).await;
    assert_eq!(scene.sign(seen, Some(&proof)).await, Ok(()));
    assert_eq!(scene.faults().await, [""; 0]);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_whose_counter_goes_back_is_refused_from_then_on() {
    let scene = Scene::new().await;
    let mut device = scene.enrol(scene.person()).await;
    for _ in 0..3 {
        scene.proof(&mut device, 1).await;
    }
    // A copy was made after the first use.
    device.counter = 2;
    let answer = device.answer(&scene.ask(1).await, &scene.manner());
    assert_eq!(scene.answer(&answer).await, Err("passkey_copied".to_owned()));
    assert_eq!(scene.logged("passkey.clone_suspected").await, 1);

    device.counter = 100;
    let answer = device.answer(&scene.ask(1).await, &scene.manner());
    assert_eq!(scene.answer(&answer).await, Err("passkey_copied".to_owned()), "also the real one");
    assert!(scene.passkeys().await[0].copied.is_some());
    assert_eq!(scene.needs().await, "passkey", "it is no way back to signing without");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_that_does_not_count_confirms_again_and_again() {
    let scene = Scene::new().await;
    let mut device = Authenticator::new();
    device.counter = 0;
    let token = scene.link(scene.person()).await;
    let asked = scene.opened(&token).await.json;
    let body = device.enrol(&token, &asked, &scene.manner());
    scene.world.post("/api/passkeys/enrol", "", &body).await;

    for _ in 0..3 {
        scene.proof(&mut device, 1).await;
    }
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_passkey_signs_only_where_the_practice_lets_them() {
    let mut scene = Scene::with(StepUp::Required).await;
    let seen = fill(&mut scene.pharmacist, scene.doc, scene.client).await;
    assert_eq!(scene.needs().await, "enrolment");
    assert_eq!(scene.sign(seen, None).await, Err(RecordRefusal::PasskeyNeeded));

    let mut device = scene.enrol(scene.person()).await;
    let proof = scene.proof(&mut device, seen).await;
    scene.remove().await;
    assert_eq!(scene.sign(seen, Some(&proof)).await, Err(RecordRefusal::PasskeyNeeded));
    assert_eq!(scene.logged("passkey.removed").await, 1);
    scene.world.stop().await;

    let mut scene = Scene::new().await;
    let seen = fill(&mut scene.pharmacist, scene.doc, scene.client).await;
    scene.enrol(scene.person()).await;
    assert_eq!(scene.sign(seen, None).await, Err(RecordRefusal::StepUpNeeded));
    scene.remove().await;
    assert_eq!(scene.sign(seen, None).await, Ok(()));
    let seat = scene.world.invited(Role::Pharmacist).seat;
    let signed = scene.world.get(&format!("/api/seats/{seat}/versions/1"), &scene.cookie).await;
    let signed: Value = serde_json::from_str(&signed.body).unwrap();
    assert_eq!(signed["signer"]["confirmed"], json!({ "method": "link" }), "it says so");
    assert_eq!(scene.faults().await, [""; 0]);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_a_name_has_no_passkeys_and_says_what_to_do() {
    let public_ip = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));
    let config = Config { public_ip, ..Config::default() };
    let world = World::start_with(config.clone()).await;
    let body = json!({ "token": "0123456789ABCDEFGHJKMNPQRS" });
    let reply = world.post("/api/passkeys/open", "", &body).await;
    assert_eq!((reply.status, &reply.json["code"]), (409, &json!("passkeys_not_here")));
    world.stop().await;

    let practice = Practice { step_up: StepUp::Required, ..Practice::default() };
    let data = std::env::temp_dir().join(format!("mortar-passkeys-{}", Uuid::now_v7()));
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let config = Config { practice, data: data.clone(), listen, media_port: 0, ..config };
    let why = mortar::serve(config).await.err().unwrap_or_else(|| panic!("it starts")).to_string();
    for word in ["IP address", "--origin https://NAME", "--sign-step-up when-enrolled"] {
        assert!(why.contains(word), "{why}");
    }
    let _gone = std::fs::remove_dir_all(data);
}
