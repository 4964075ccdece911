//! Who is told by mail that a plan is signed, and what their link still does when the visit is long over.

use clinical::actor::Role;
use clinical::command::Command;
use clinical::field::DocKind;
use clinical::format::Language;
use clinical::id::{DocId, EditId};
use mortar::config::{Config, Mail, MailWay};
use mortar::outbox::address::Address;
use mortar::{person, visit};
use serde_json::{Value, json};
use signaling::message::{ClientMessage, RecordRefusal};
use tests::gate::fill;
use tests::participant::Participant;
use tests::smtp::{Letter, MailServer};
use tests::world::{PATIENCE, World};
use uuid::Uuid;

async fn started(post: &MailServer) -> World {
    let way = MailWay::Smtp { url: post.url(), password: None };
    let mail = Some(Mail { from: "visits@harbor.example".to_owned(), way });
    let world = World::start_with(Config { mail, ..Config::default() }).await;
    for (role, address) in [
        (Role::Patient, "ruth@example.org"),
        (Role::Caregiver, "elena@example.org"),
        (Role::Pcp, "priya@example.org"),
    ] {
        let app = world.server().app();
        let address = Address::parse(address).unwrap();
        let (around, who) = ((&app.store, &app.vault, &app.writer), world.person(role));
        person::note_mail(around, who, Some(&address), Language::En).await.unwrap();
    }
    world
}

async fn command(by: &mut Participant, doc: DocId, command: Command, seen: u64) {
    let id = EditId(Uuid::now_v7());
    by.send(&ClientMessage::RecordCommand { doc, id, command, seen }).await;
    by.outcome(id).await.unwrap();
}

/// The visit ended an hour ago.
async fn long_over(world: &World) {
    let store = &world.server().app().store;
    visit::end_visit(store, world.visit()).await.unwrap();
    let mut write = store.write().await.unwrap();
    let earlier = "update visit set ended_ms = ended_ms - 3600000 where ended_ms is not null";
    sqlx::query(earlier).execute(&mut *write).await.unwrap();
    write.commit().await.unwrap();
}

/// Opens a mailed link; the cookie of its seat.
async fn opened(world: &World, letter: &Letter) -> (String, String) {
    let body = json!({ "token": letter.token(), "birth_date": world.birth_date() });
    let claimed = world.post("/api/links/claim", "", &body).await;
    let seat = claimed.json["seat"].as_str().unwrap_or_else(|| panic!("{:?}", claimed.json));
    (format!("/api/seats/{seat}"), claimed.cookie.unwrap())
}

async fn read(world: &World, path: &str, cookie: &str) -> (u16, Value) {
    let answer = world.get(path, cookie).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_plan_is_told_of_and_read_by_the_link_when_the_visit_is_long_over() {
    let mut post = MailServer::start().await;
    let world = started(&post).await;
    let record = world.record().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let mut pharmacist = world.join_with(Role::Pharmacist, &cookie).await;
    let (doc, client) = pharmacist.open(record, DocKind::Plan).await;
    let seen = fill(&mut pharmacist, doc, client).await;

    // A signature that is refused tells nobody.
    let late = EditId(Uuid::now_v7());
    pharmacist
        .send(&ClientMessage::RecordSign { doc, id: late, seen: seen - 1, step_up: None })
        .await;
    assert_eq!(pharmacist.outcome(late).await, Err(RecordRefusal::ChangedSince));
    let id = EditId(Uuid::now_v7());
    pharmacist.send(&ClientMessage::RecordSign { doc, id, seen, step_up: None }).await;
    pharmacist.outcome(id).await.unwrap();

    // What is not shared is for the team alone.
    let to_read = post.next().await;
    assert_eq!(to_read.to, ["priya@example.org"]);
    assert!(to_read.words().contains("is signed and ready for you to read"), "{}", to_read.words());
    command(&mut pharmacist, doc, Command::Share, seen + 1).await;
    let ready = post.take(2).await;
    assert_eq!(
        (&ready[0].to[0], &ready[1].to[0]),
        (&"elena@example.org".to_owned(), &"ruth@example.org".to_owned())
    );
    assert!(ready[1].words().contains("Your plan from Harbor Street"), "{}", ready[1].words());
    for letter in ready.iter().chain([&to_read]) {
        for secret in world.secrets(Role::Observer).iter().chain([&world.birth_date()]) {
            assert!(!letter.words().contains(secret.as_str()), "{secret}");
        }
    }
    let seat = world.invited(Role::Pharmacist).seat;
    let notices = format!("/api/seats/{seat}/notices");
    let all_sent = async {
        loop {
            let (_, told) = read(&world, &notices, &cookie).await;
            let people = told["people"].as_array().unwrap().clone();
            if people.len() == 3 && people.iter().all(|one| one["sent"]["state"] == "sent") {
                return told;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let told = tokio::time::timeout(PATIENCE, all_sent).await.expect("all are sent");
    assert_eq!((&told["version"], &told["shared"]), (&json!(1), &json!(true)));
    assert!(!told.to_string().contains("example.org"), "who may not book sees no address");

    // Whoever comes by a mail after the end reads, and has no half hour of what people in the visit may do.
    visit::end_visit(&world.server().app().store, world.visit()).await.unwrap();
    let (path, late) = opened(&world, &to_read).await;
    assert_eq!(read(&world, &path, &late).await.1["reads_only"], json!(true));
    assert_eq!(read(&world, &format!("{path}/bookings"), &late).await.0, 401);
    assert_eq!(read(&world, &format!("{path}/acknowledge"), &late).await.0, 200);

    long_over(&world).await;

    // The patient reads the page, and does nothing else.
    let (path, theirs) = opened(&world, &ready[1]).await;
    let (status, page) = read(&world, &format!("{path}/takeaway"), &theirs).await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(read(&world, &path, &theirs).await.1["reads_only"], json!(true));
    for closed in ["/bookings", "/touchpoints", "/key", "/versions", "/notices"] {
        assert_eq!(read(&world, &format!("{path}{closed}"), &theirs).await.0, 401, "{closed}");
    }
    let join = world.post(&format!("{path}/join"), &theirs, &json!({})).await;
    assert_eq!(join.status, 401);
    let wrong = json!({ "token": ready[1].token(), "birth_date": "1901-01-01" });
    let wrong = world.post("/api/links/claim", "", &wrong).await;
    assert_eq!(wrong.json["code"], json!("birth_date_wrong"));

    // The physician says that it was read.
    let (path, theirs) = opened(&world, &to_read).await;
    let acknowledge = format!("{path}/acknowledge");
    let unread = json!({ "version": 1, "read": false });
    assert_eq!(read(&world, &acknowledge, &theirs).await, (200, unread));
    let other = json!({ "version": 2, "read": true });
    assert_eq!(world.post(&acknowledge, &theirs, &other).await.status, 409);
    let said = json!({ "version": 1, "read": true });
    assert_eq!(world.post(&acknowledge, &theirs, &said).await.json, said);
    assert_eq!(read(&world, &acknowledge, &theirs).await, (200, said.clone()));
    assert_eq!(
        world.post(&acknowledge, &theirs, &said).await.status,
        200,
        "said twice, it is said"
    );
    assert_eq!(read(&world, &format!("{path}/versions"), &theirs).await.0, 401);

    // Whoever was sent none finds the visit over, as ever.
    let token = world.invited(Role::Pharmacist).token;
    let over = world.post("/api/links/claim", "", &json!({ "token": token })).await;
    assert_eq!(over.json["code"], json!("visit_over"));
    assert_eq!(post.rest(), []);
    world.stop().await;
}
