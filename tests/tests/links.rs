//! Links under attack: guessed, raced, taken back, and requests that no page of ours makes.

use clinical::actor::Role;
use clinical::id::SeatId;
use clinical::phi::Phi;
use mortar::visit;
use serde_json::{Value, json};
use signaling::message::{ClientMessage, EndReason, SeatState, ServerMessage};
use tests::browserless::Http;
use tests::participant::Participant;
use tests::world::World;
use uuid::Uuid;

fn code(json: &Value) -> &str {
    json.get("code").and_then(Value::as_str).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn guessed_links_all_get_the_same_answer_and_then_have_to_wait() {
    let world = World::start().await;
    let mut answers = Vec::new();
    for token in ["", "0", "ZZZZZZZZZZZZZZZZZZZZZZZZZZ", "00000000000000000000000000", "🙂", "\0"]
    {
        answers.push(world.post("/api/links/claim", "", &json!({ "token": token })).await);
    }
    answers.push(world.post("/api/links/claim", "", &json!({ "token": "1".repeat(50_000) })).await);

    for answer in &answers {
        assert_eq!((answer.status, code(&answer.json)), (404, "link_unknown"));
        assert_eq!(answer.json, answers[0].json);
        assert_eq!(answer.cookie, None);
    }
    let mut refused = None;
    for _ in 0..60 {
        let answer = world.post("/api/links/claim", "", &json!({ "token": "no" })).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    assert_eq!(code(&refused.expect("guessing is slowed down").json), "slow_down");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_birth_dates_tried_at_once_only_three_count() {
    let world = World::start().await;
    let token = world.invited(Role::Patient).token;
    let mut guesses = Vec::new();
    for day in 10..30 {
        let http = Http::new(world.address());
        let body = json!({ "token": token, "birth_date": format!("1901-01-{day}") });
        guesses.push(tokio::spawn(async move {
            http.post("/api/links/claim", "", &body).await.expect("an answer")
        }));
    }
    let mut told = Vec::new();
    for guess in guesses {
        told.push(code(&guess.await.expect("it ends").json).to_owned());
    }

    // The third wrong one already says that a person will help.
    assert_eq!(told.iter().filter(|code| *code == "birth_date_wrong").count(), 2, "{told:?}");
    assert_eq!(told.iter().filter(|code| *code == "staff_help").count(), 18, "{told:?}");
    let body = json!({ "token": token, "birth_date": world.birth_date() });
    let right = world.post("/api/links/claim", "", &body).await;
    assert_eq!((right.status, code(&right.json)), (403, "staff_help"));
    assert_eq!(right.cookie, None);
    // Others come in as ever.
    world.join(Role::Pharmacist).await.settle().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_taken_back_ends_its_seat_its_session_and_its_ticket() {
    let world = World::start().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    let cookie = world.cookie(Role::Patient).await;
    let mut patient = world.join_with(Role::Patient, &cookie).await;
    pharmacist.admit(&mut patient).await;
    let ticket = world.ticket(patient.seat, &cookie).await;
    let app = world.server().app();
    let seat = visit::find_seat(&app.store, patient.seat).await.unwrap().unwrap();

    visit::revoke(app, &seat).await.unwrap();

    assert_eq!(patient.closed().await, 4403);
    assert_eq!(patient.heard.last(), Some(&ServerMessage::Ended { why: EndReason::Revoked }));
    let mut again = Participant::connect(world.address(), patient.seat).await;
    again.send(&ClientMessage::Join { ticket: Phi::new(ticket) }).await;
    assert_eq!(again.closed().await, 4401);
    let home = world.get(&format!("/api/seats/{}", seat.id), &cookie).await;
    assert_eq!((home.status, home.code().as_str()), (401, "no_session"));
    let body = json!({ "token": world.invited(Role::Patient).token });
    let claim = world.post("/api/links/claim", "", &body).await;
    assert_eq!((claim.status, code(&claim.json)), (404, "link_unknown"));
    pharmacist.settle().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_good_once_and_for_nobody_else() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let seat = world.invited(Role::Pharmacist).seat;
    let ticket = world.ticket(seat, &cookie).await;
    let mut pharmacist = Participant::join(world.address(), seat, ticket.clone()).await;

    for bad in [ticket, String::new(), "A".repeat(172), "x".repeat(200_000)] {
        let mut thief = Participant::connect(world.address(), seat).await;
        thief.send(&ClientMessage::Join { ticket: Phi::new(bad) }).await;
        assert_eq!(thief.closed().await, 4401);
        assert_eq!(thief.heard, []);
    }
    // A cookie of one seat asks nothing about another, nor about one that is not there.
    let other = world.invited(Role::Pcp).seat;
    let foreign = world.get(&format!("/api/seats/{other}"), &cookie).await;
    let nobody = world.get(&format!("/api/seats/{}", SeatId(Uuid::nil())), &cookie).await;
    let nonsense = world.get("/api/seats/../../etc/passwd", &cookie).await;
    assert_eq!((foreign.status, &foreign.body), (nobody.status, &nobody.body));
    assert_eq!(foreign.status, 401);
    assert_ne!(nonsense.status, 200);
    pharmacist.settle().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_kept_over_the_end_does_not_open_the_visit_again() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pcp).await;
    let pcp = world.invited(Role::Pcp).seat;
    let mut tickets = Vec::new();
    for _ in 0..10 {
        tickets.push(world.ticket(pcp, &cookie).await);
    }
    let mut pharmacist = world.join(Role::Pharmacist).await;

    pharmacist.send(&ClientMessage::End).await;
    assert_eq!(pharmacist.closed().await, 1000);
    let mut codes = Vec::new();
    for ticket in tickets {
        let mut late = Participant::connect(world.address(), pcp).await;
        late.send(&ClientMessage::Join { ticket: Phi::new(ticket) }).await;
        assert_eq!(late.next().await, None, "the visit is open again");
        codes.push(late.closed().await);
    }

    // Until the end is written down the server asks to come again; then it is over for good.
    assert!(codes.iter().all(|code| [1013, 4403].contains(code)), "{codes:?}");
    assert_eq!(codes.last(), Some(&4403));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_knows_a_seat_cannot_keep_it_from_asking() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let seat = world.invited(Role::Pharmacist).seat;
    let path = format!("/api/seats/{seat}");
    // More at once than the seat itself may ask.
    let mut strangers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (http, path) = (Http::new(world.address()), format!("{path}/join"));
        strangers.spawn(async move { http.post(&path, "", &json!({})).await.map(|r| r.status) });
    }
    for status in strangers.join_all().await {
        assert_eq!(status, Some(401));
    }

    assert_eq!(world.get(&path, &cookie).await.status, 200);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_no_page_of_ours_makes_change_nothing() {
    let world = World::start().await;
    let host = world.address();
    let token = world.invited(Role::Pharmacist).token;
    let body = json!({ "token": token }).to_string();
    let post = |origin: &str, kind: &str, body: &str| {
        format!(
            "POST /api/links/claim HTTP/1.1\r\nHost: {host}\r\n{origin}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let own = format!("Origin: http://{host}\r\n");
    let json = "application/json";
    for (request, status) in [
        (post("", json, &body), 403),
        (post("Origin: null\r\n", json, &body), 403),
        (post("Origin: https://evil.example\r\n", json, &body), 403),
        (post(&format!("Origin: http://{host}.evil.example\r\n"), json, &body), 403),
        (post(&format!("Origin: https://{host}\r\n"), json, &body), 403),
        (post(&own, "text/plain", &body), 400),
        (post(&own, "application/x-www-form-urlencoded", &body), 400),
        (post(&own, json, "{\"token\":"), 400),
        (post(&own, json, "{}"), 400),
        (post(&own, json, &format!("{{\"token\":\"{token}\",\"role\":\"pcp\"}}")), 400),
        (post(&own, json, &"[".repeat(60_000)), 400),
        (post(&own, json, &"x".repeat(65 * 1024)), 413),
    ] {
        let answer = world.raw(&request).await;
        assert_eq!(answer.status, status, "{}", &request[..request.len().min(300)]);
        assert_eq!(answer.header("set-cookie"), None);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.body.len() <= 4096 && !answer.body.contains(&token));
    }
    // A robot that previews the link claims nothing.
    assert_eq!(world.get("/j", "").await.header("set-cookie"), None);
    let mut pharmacist = world.join(Role::Pharmacist).await;
    pharmacist.sees(pharmacist.seat, SeatState::Present).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_lead_to_nothing_but_the_client_and_every_answer_is_guarded() {
    let world = World::start().await;
    for path in [
        "/../Cargo.toml",
        "/../../server/Cargo.toml",
        "/..%2fCargo.toml",
        "/%2e%2e/Cargo.toml",
        "/assets/../../Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        "//etc/passwd",
        "/etc/passwd",
        "/assets/%00",
        "/.keep",
        "/assets/.keep",
        "/api",
        "/api/",
        "/api/nothing",
        "/mortar.key",
        "/mortar.db",
    ] {
        let answer = world.get(path, "").await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        assert!(!answer.body.contains("[package]"), "{path}");
        guarded(&world, path).await;
    }
    for path in ["/", "/j", "/healthz", "/api/ws", "/api/links/claim"] {
        guarded(&world, path).await;
    }
    world.stop().await;
}

async fn guarded(world: &World, path: &str) {
    let answer = world.get(path, "").await;
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name} at {path}");
    }
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opened_again_in_one_browser_still_reads_what_it_had_not_sent() {
    let world = World::start().await;
    let token = world.invited(Role::Pharmacist).token;
    let seat = world.invited(Role::Pharmacist).seat;
    let first = world.cookie(Role::Pharmacist).await;
    let key = async |cookie: &str| {
        let answer = world.get(&format!("/api/seats/{seat}/key"), cookie).await;
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        body.get("key").and_then(Value::as_str).expect("a key").to_owned()
    };

    let claimed = world.post("/api/links/claim", &first, &json!({ "token": token })).await;
    let again = claimed.cookie.expect("the link is taken");
    let elsewhere = world.cookie(Role::Pharmacist).await;

    assert_ne!(again, first);
    assert_eq!(key(&again).await, key(&first).await);
    // Another browser has another key.
    assert_ne!(key(&elsewhere).await, key(&first).await);
    world.stop().await;
}
