//! What the server sends by itself: to whom, what it says, and what becomes of it when mail servers do not take it.

use clinical::actor::Role;
use clinical::edit::Op;
use clinical::field::{DocKind, FieldName, ListName};
use clinical::format::Language;
use clinical::id::{RowId, SeatId};
use clinical::phi::Phi;
use mortar::config::{Config, Mail, MailWay};
use mortar::outbox::address::Address;
use mortar::person;
use serde_json::{Value, json};
use tests::smtp::{Letter, MailServer, Post};
use tests::world::{PATIENCE, World};
use uuid::Uuid;

const RUTH: &str = "ruth.canary@example.org";
const ELENA: &str = "elena.canary@example.org";

fn with(post: &MailServer) -> Config {
    let way = MailWay::Smtp { url: post.url(), password: None };
    let from = "visits@harbor.example".to_owned();
    Config { mail: Some(Mail { from, way }), ..Config::default() }
}

/// A day in the future.
fn next_year(month_and_day: &str) -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{}-{month_and_day}T10:00", 1971 + seconds.as_secs() / 31_556_952)
}

/// Somebody who books.
struct Desk {
    path: String,
    cookie: String,
}

impl Desk {
    async fn of(world: &World, role: Role) -> Self {
        let seat = world.invited(role).seat;
        let cookie = world.cookie(role).await;
        Self { path: format!("/api/seats/{seat}/bookings"), cookie }
    }

    async fn book(&self, world: &World, mail: &[(Role, &str, &str)]) -> Value {
        let reply = world.post(&self.path, &self.cookie, &booking(world, mail)).await;
        assert_eq!(reply.status, 200, "{:?}", reply.json);
        reply.json
    }

    async fn list(&self, world: &World) -> Value {
        serde_json::from_str(&world.get(&self.path, &self.cookie).await.body).unwrap()
    }

    /// Waits until the mail about the newest booking to a role has come so far.
    async fn until(&self, world: &World, role: &str, state: &str) -> Value {
        let looked = async {
            loop {
                let sent = sent(&self.list(world).await, role);
                if sent["state"] == json!(state) {
                    return sent;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        };
        let looked = tokio::time::timeout(PATIENCE, looked).await;
        looked.unwrap_or_else(|_late| panic!("never {state}"))
    }

    async fn delete(&self, world: &World, visit: &str) -> u16 {
        let Self { path, cookie } = self;
        let host = world.address();
        let request = format!(
            "DELETE {path}/{visit} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        );
        world.raw(request).await.status
    }
}

fn booking(world: &World, mail: &[(Role, &str, &str)]) -> Value {
    let mail: Vec<Value> = mail
        .iter()
        .map(|(role, address, language)| {
            json!({ "seat": world.invited(*role).seat, "address": address, "language": language })
        })
        .collect();
    json!({ "starts": next_year("07-10"), "minutes": 30, "mail": mail })
}

fn link<'a>(bookings: &'a Value, role: &str) -> &'a Value {
    let links = bookings["bookings"][0]["links"].as_array().unwrap();
    links.iter().find(|link| link["role"] == json!(role)).unwrap()
}

fn sent(bookings: &Value, role: &str) -> Value {
    link(bookings, role).get("sent").cloned().unwrap_or(Value::Null)
}

/// The seat a mailed link leads to.
async fn claimed(world: &World, letter: &Letter) -> SeatId {
    let body = json!({ "token": letter.token(), "birth_date": world.birth_date() });
    let reply = world.post("/api/links/claim", "", &body).await;
    reply.json["seat"].as_str().unwrap_or_else(|| panic!("{:?}", reply.json)).parse().unwrap()
}

fn line(letter: &Letter, start: &str) -> String {
    let words = letter.words().replace("\r\n ", "");
    let found = words.lines().find_map(|line| line.strip_prefix(start).map(str::to_owned));
    found.unwrap_or_else(|| panic!("no {start} in {words}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_with_an_address_gets_their_own_link_and_what_becomes_of_the_visit() {
    let mut post = MailServer::start().await;
    let world = World::start_with(with(&post)).await;
    let desk = Desk::of(&world, Role::Pharmacist).await;

    let made =
        desk.book(&world, &[(Role::Patient, RUTH, "es"), (Role::Caregiver, ELENA, "en")]).await;

    let invited = post.take(2).await;
    let [elena, ruth] = invited.as_slice() else { panic!("two") };
    assert_eq!((&ruth.to, &elena.to), (&vec![RUTH.to_owned()], &vec![ELENA.to_owned()]));
    assert_eq!(ruth.from, "visits@harbor.example");
    assert_eq!(ruth.header("Auto-Submitted"), "auto-generated");
    assert!(ruth.words().contains("Usted tiene una visita con Harbor Street Family Practice."));
    assert!(elena.words().contains("You have a visit with Harbor Street Family Practice."));
    assert!(elena.header("Subject").contains("July 10, 10:00 AM"), "{}", elena.header("Subject"));
    // Each link leads to a seat of its own, in the visit that was booked.
    for (letter, role) in [(ruth, "patient"), (elena, "caregiver")] {
        let there = claimed(&world, letter).await;
        assert_eq!(link(&made, role)["seat"], json!(there), "{role}");
        assert_eq!(line(letter, "METHOD:"), "REQUEST");
        assert_eq!(line(letter, "ATTENDEE;RSVP=FALSE:"), format!("mailto:{}", letter.to[0]));
        assert_eq!(line(letter, "ORGANIZER:"), "mailto:visits@harbor.example");
        // Nothing of the patient: not even a name.
        for secret in world.secrets(Role::Observer).iter().chain([&world.birth_date()]) {
            assert!(!letter.data.contains(secret.as_str()), "{secret}");
            assert!(!letter.words().contains(secret.as_str()), "{secret}");
        }
    }
    desk.until(&world, "patient", "sent").await;
    let shown = desk.list(&world).await;
    assert_eq!(link(&shown, "patient")["mail"]["address"], json!(RUTH));
    assert_eq!(link(&shown, "pcp").get("sent"), None, "nobody said where");
    // It is known again, and sealed.
    let people = shown["people"].as_array().unwrap();
    assert!(people.iter().any(|one| one["mail"]["address"] == json!(ELENA)));
    assert_eq!(shown["mails"], json!(true));
    for file in std::fs::read_dir(world.folder()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in ["ruth.canary", "elena.canary", &ruth.token()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }

    // Another hour: the same entry of the calendar, and a link that works while the old one does not.
    let visit = made["made"].as_str().unwrap();
    let to = json!({ "starts": next_year("08-11"), "minutes": 30 });
    let path = format!("{}/{visit}", desk.path);
    let moved = world.post(&path, &desk.cookie, &to).await;
    assert_eq!(moved.status, 200, "{:?}", moved.json);
    let again = post.take(2).await;
    assert!(again[1].words().contains("tiene una hora nueva"), "{}", again[1].words());
    assert_eq!(line(&again[1], "UID:"), line(ruth, "UID:"));
    assert_eq!((line(ruth, "SEQUENCE:"), line(&again[1], "SEQUENCE:")), ("0".into(), "1".into()));
    let old = world.post("/api/links/claim", "", &json!({ "token": ruth.token() })).await;
    assert_eq!(old.json["code"], json!("visit_over"));
    claimed(&world, &again[1]).await;

    // Cancelled: the entry is withdrawn.
    let visit = moved.json["made"].as_str().unwrap();
    assert_eq!(desk.delete(&world, visit).await, 200);
    let cancelled = post.take(2).await;
    assert_eq!(line(&cancelled[0], "METHOD:"), "CANCEL");
    assert_eq!(line(&cancelled[0], "SEQUENCE:"), "2");
    assert_eq!(line(&cancelled[1], "UID:"), line(ruth, "UID:"));
    assert!(!cancelled[0].words().contains("/j#"));
    assert_eq!(post.rest(), [], "reminders wait, and are withdrawn");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_booked_invites_nobody() {
    let mut post = MailServer::start().await;
    let world = World::start_with(with(&post)).await;
    let desk = Desk::of(&world, Role::Pharmacist).await;
    let mut nowhere = booking(&world, &[(Role::Patient, RUTH, "en")]);
    nowhere["touchpoint"] = json!(RowId(Uuid::now_v7()));

    let refused = world.post(&desk.path, &desk.cookie, &nowhere).await;

    assert_eq!(refused.status, 404);
    let shown = desk.list(&world).await;
    assert!(!shown.to_string().contains("canary"), "not even the address is kept: {shown}");
    desk.book(&world, &[(Role::Caregiver, ELENA, "en")]).await;
    assert_eq!(post.next().await.to, [ELENA]);
    assert_eq!(post.rest(), []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_sending_and_noting_it_is_the_same_message_again() {
    let mut post = MailServer::start().await;
    post.post(Post::FallsSilent);
    let world = World::start_with(with(&post)).await;
    let desk = Desk::of(&world, Role::Pharmacist).await;
    desk.book(&world, &[(Role::Patient, RUTH, "en")]).await;
    let first = post.next().await;

    // Heard to its end, and nobody noted it.
    post.post(Post::Takes);
    let world = world.restart_with(with(&post)).await;

    let second = post.next().await;
    assert_eq!(first.header("Message-ID"), second.header("Message-ID"));
    assert_eq!(first.header("Date"), second.header("Date"));
    assert_eq!(first.token(), second.token());
    let desk = Desk::of(&world, Role::Pharmacist).await;
    desk.until(&world, "patient", "sent").await;
    assert_eq!(post.rest(), []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_good_is_shown_with_its_reason_and_sent_again_to_another_address() {
    let mut post = MailServer::start().await;
    post.post(Post::Refuses(550));
    let world = World::start_with(with(&post)).await;
    let desk = Desk::of(&world, Role::Pharmacist).await;
    let made = desk.book(&world, &[(Role::Patient, "rut@example.org", "en")]).await;

    let failed = desk.until(&world, "patient", "failed").await;
    assert_eq!(failed, json!({ "state": "failed", "why": "no_mailbox", "code": 550 }));
    let counters = world.read_counters("/metrics").await.body;
    assert!(counters.contains("mortar_outbox_failed_total 1"), "{counters}");
    assert!(counters.contains("mortar_outbox_lag_seconds 0"), "{counters}");

    post.post(Post::Takes);
    let visit = made["made"].as_str().unwrap();
    let path = format!("{}/{visit}/mail", desk.path);
    let seat = &link(&made, "patient")["seat"];
    let right = json!({ "seat": seat, "address": RUTH, "language": "en" });
    let reply = world.post(&path, &desk.cookie, &right).await;
    assert_eq!(reply.status, 200, "{:?}", reply.json);
    let letter = post.next().await;
    assert_eq!(letter.to, [RUTH]);
    assert_eq!(json!(claimed(&world, &letter).await), *seat);
    desk.until(&world, "patient", "sent").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_now_is_tried_again() {
    let mut post = MailServer::start().await;
    post.post(Post::Refuses(451));
    let world = World::start_with(with(&post)).await;
    let desk = Desk::of(&world, Role::Pharmacist).await;
    desk.book(&world, &[(Role::Patient, RUTH, "en")]).await;

    let trying = desk.until(&world, "patient", "trying").await;
    assert_eq!(trying["why"], json!("refused"));

    post.post(Post::Takes);
    assert_eq!(post.next().await.to, [RUTH]);
    desk.until(&world, "patient", "sent").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_could_be_more_than_one_is_refused_and_so_is_another_ones() {
    let mut post = MailServer::start().await;
    let world = World::start_with(with(&post)).await;
    let desk = Desk::of(&world, Role::Pharmacist).await;
    let patient = world.invited(Role::Patient).seat;
    for hostile in [
        "ruth@example.org\r\nBcc: all@example.org",
        "ruth@example.org,eve@example.org",
        "ruth@example.org> SIZE=1\r\nRCPT TO:<eve@example.org",
        "<script>@example.org",
        "ruth@localhost",
        "ruth",
    ] {
        let body = booking(&world, &[(Role::Patient, hostile, "en")]);
        let reply = world.post(&desk.path, &desk.cookie, &body).await;
        assert_eq!((reply.status, &reply.json["code"]), (400, &json!("bad_address")), "{hostile}");
        assert_eq!(reply.json["seat"], json!(patient));
        assert!(!reply.json.to_string().contains("eve@"), "no value in an error");
    }
    // A link of staff carries their powers: nobody has one sent elsewhere by a link, not even who it is of.
    for who in [Role::Pharmacist, Role::Pcp] {
        let desk = Desk::of(&world, who).await;
        let body = booking(&world, &[(Role::Pcp, "me@example.org", "en")]);
        let reply = world.post(&desk.path, &desk.cookie, &body).await;
        assert_eq!((reply.status, &reply.json["code"]), (403, &json!("not_allowed")));
    }
    assert_eq!(desk.list(&world).await["bookings"], json!([]));
    assert_eq!(post.rest(), []);

    // The operator says it.
    let app = world.server().app();
    let (priya, mail) = (world.person(Role::Pcp), Address::parse("priya@example.org").unwrap());
    person::note_mail((&app.store, &app.vault, &app.writer), priya, Some(&mail), Language::En)
        .await
        .unwrap();
    desk.book(&world, &[]).await;
    assert_eq!(post.next().await.to, ["priya@example.org"]);
    let shown = desk.list(&world).await;
    let pcp = shown["people"].as_array().unwrap().iter().find(|one| one["role"] == json!("pcp"));
    let known = &pcp.unwrap()["mail"];
    assert_eq!(
        (&known["address"], &known["may_set"]),
        (&json!("priya@example.org"), &json!(false))
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_more_in_a_day_than_a_mailbox_bears() {
    let mut post = MailServer::start().await;
    let world = World::start_with(with(&post)).await;
    let desk = Desk::of(&world, Role::Pharmacist).await;
    let made = desk.book(&world, &[(Role::Patient, RUTH, "en")]).await;
    let visit = made["made"].as_str().unwrap();
    let path = format!("{}/{visit}/mail", desk.path);
    let body = json!({ "seat": link(&made, "patient")["seat"] });

    for time in 0..25 {
        let expected = if time < 19 { 200 } else { 429 };
        let reply = world.post(&path, &desk.cookie, &body).await;
        assert_eq!((time, reply.status), (time, expected), "{:?}", reply.json);
    }

    desk.until(&world, "patient", "sent").await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let heard = post.rest().len();
    assert!((1..=20).contains(&heard), "{heard}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_patient_shuts_out_is_sent_nothing_also_of_what_waits() {
    let mut post = MailServer::start().await;
    post.post(Post::Refuses(451));
    let world = World::start_with(with(&post)).await;
    let desk = Desk::of(&world, Role::Pharmacist).await;
    desk.book(&world, &[(Role::Caregiver, ELENA, "en"), (Role::Patient, RUTH, "en")]).await;
    desk.until(&world, "caregiver", "trying").await;

    // It waits to be tried again when the patient shuts the caregiver out.
    let record = world.record().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    let (voice, _) = pharmacist.open(record, DocKind::Voice).await;
    let wish = json!({
        "subject": { "kind": "person", "person": world.person(Role::Caregiver), "name": "Elena" },
        "level": "none",
    });
    let values = [(FieldName::AccessContent, Phi::new(wish))].into();
    let row = RowId(Uuid::now_v7());
    let add = Op::Add { list: ListName::Access, row, after: None, values };
    pharmacist.edit(voice, add).await.expect("the wish is noted");
    post.post(Post::Takes);

    assert_eq!(post.next().await.to, [RUTH]);
    let failed = desk.until(&world, "caregiver", "failed").await;
    assert_eq!(failed["why"], json!("shut_out"));
    // Nor of a new visit.
    let next = json!({ "starts": next_year("09-12"), "minutes": 30 });
    assert_eq!(world.post(&desk.path, &desk.cookie, &next).await.status, 200);
    assert_eq!(post.next().await.to, [RUTH]);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(post.rest(), []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_nothing_is_asked_and_nothing_is_kept() {
    let world = World::start().await;
    let desk = Desk::of(&world, Role::Pharmacist).await;

    let made = desk.book(&world, &[]).await;

    assert_eq!(made["mails"], json!(false));
    assert!(!made.to_string().contains("may_set"), "{made}");
    assert!(link(&made, "patient")["path"].as_str().unwrap().starts_with("/j#"));
    assert!(!world.read_counters("/metrics").await.body.contains("outbox"));
    world.stop().await;
}
