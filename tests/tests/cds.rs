//! Decision support of another party (CDS Hooks 2.0), against a small service of our own: asked for clinicians alone, told
//! what it asked for and no more, and never waited for without an end.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use clinical::actor::Role;
use mortar::config::Config;
use serde_json::{Value, json};
use tests::world::{Answer, World};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How the service behaves.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Answers,
    /// Takes the question and says nothing.
    Sleeps,
    /// A page of a proxy instead of JSON.
    Rambles,
    /// More bytes than anybody reads.
    Floods,
    Fails,
    /// More services than are asked, and more cards than are shown.
    Talks,
}

struct Service {
    address: SocketAddr,
    /// What it was asked: request line and body.
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Service {
    async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move { serve(stream, mood, &kept).await });
            }
        });
        Self { address, asked }
    }

    fn questions(&self) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        let posts = asked.iter().filter(|(line, _)| line.starts_with("POST"));
        posts.map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }

    async fn world(&self) -> World {
        let base = Some(format!("http://{}", self.address));
        World::start_with(Config { cds_hooks: base, ..Config::default() }).await
    }
}

/// One connection, request after request.
async fn serve(mut stream: TcpStream, mood: Mood, asked: &Mutex<Vec<(String, String)>>) {
    let mut bytes = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
        let length = text
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok())
            .unwrap_or(0);
        while bytes.len() < head + length {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let body = String::from_utf8_lossy(&bytes[head..head + length]).into_owned();
        bytes.drain(..head + length);
        let line = text.lines().next().unwrap_or_default().to_owned();
        let discovery = line.starts_with("GET /cds-services ");
        asked.lock().unwrap().push((line, body));
        let reply = match mood {
            Mood::Talks if discovery => {
                let one = |n: usize| json!({ "hook": "patient-view", "id": format!("s{n}") });
                json!({ "services": (0..6).map(one).collect::<Vec<_>>() }).to_string()
            }
            _ if discovery => discovery_answer().to_string(),
            Mood::Answers => json!({ "cards": [{
                "summary": "simvastatin with verapamil", "indicator": "warning",
                "detail": "Dose limit.", "source": { "label": "Example" },
            }] })
            .to_string(),
            Mood::Talks => {
                let card = |n: usize| json!({ "summary": format!("card {n}"), "indicator": "info", "source": { "label": "Example" } });
                json!({ "cards": (0..23).map(card).collect::<Vec<_>>() }).to_string()
            }
            Mood::Sleeps => {
                std::future::pending::<()>().await;
                return;
            }
            Mood::Rambles => "<html>Sign in to the hotel's network".to_owned(),
            Mood::Floods => "x".repeat(10 * 1024 * 1024),
            Mood::Fails => String::new(),
        };
        let status = if mood == Mood::Fails && !discovery { "500 Oops" } else { "200 OK" };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", reply.len());
        if stream.write_all(head.as_bytes()).await.is_err()
            || stream.write_all(reply.as_bytes()).await.is_err()
        {
            return;
        }
    }
}

fn discovery_answer() -> Value {
    json!({ "services": [
        { "hook": "patient-view", "id": "interactions", "title": "Interactions", "prefetch": {
            "patient": "Patient/{{context.patientId}}",
            "meds": "MedicationStatement?patient={{context.patientId}}",
            "orders": "MedicationRequest?patient={{context.patientId}}",
        } },
        { "hook": "order-sign", "id": "orders" },
    ] })
}

async fn cards(world: &World, role: Role, cookie: &str) -> Answer {
    world.get(&format!("/api/seats/{}/cards", world.invited(role).seat), cookie).await
}

fn body(answer: &Answer) -> Value {
    let start = answer.body.find('{').unwrap_or(0);
    let mut values = serde_json::Deserializer::from_str(&answer.body[start..]).into_iter();
    values.next().expect("a body").expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pharmacist_reads_what_the_service_says_and_it_was_told_what_it_asked_for() {
    let service = Service::start(Mood::Answers).await;
    let world = service.world().await;
    let cookie = world.cookie(Role::Pharmacist).await;

    let answer = cards(&world, Role::Pharmacist, &cookie).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = body(&answer);
    assert_eq!(told["incomplete"], false);
    assert_eq!(told["services"][0]["service"], "Interactions");
    assert_eq!(told["services"][0]["cards"][0]["summary"], "simvastatin with verapamil");
    let [question] = &service.questions()[..] else { panic!("one question") };
    assert_eq!(question["hook"], "patient-view");
    let prefetch = question["prefetch"].as_object().unwrap();
    assert_eq!(prefetch.keys().collect::<Vec<_>>(), ["meds", "patient"], "what we have of it");
    assert_eq!(prefetch["patient"]["resourceType"], "Patient");
    assert!(prefetch["meds"]["total"].as_u64().unwrap() > 3, "{}", prefetch["meds"]["total"]);

    // The list of services is asked for once, the plan each time.
    cards(&world, Role::Pharmacist, &cookie).await;
    let lines =
        service.asked.lock().unwrap().iter().map(|(line, _)| line.clone()).collect::<Vec<_>>();
    assert_eq!(lines.iter().filter(|line| line.starts_with("GET")).count(), 1, "{lines:?}");
    assert_eq!(service.questions().len(), 2);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_asked_and_not_shown_is_counted() {
    let service = Service::start(Mood::Talks).await;
    let world = service.world().await;
    let cookie = world.cookie(Role::Pharmacist).await;

    let told = body(&cards(&world, Role::Pharmacist, &cookie).await);

    let services = told["services"].as_array().unwrap();
    assert_eq!((services.len(), &told["services_left_out"]), (4, &json!(2)));
    for one in services {
        assert_eq!(one["cards"].as_array().unwrap().len(), 20);
        assert_eq!(one["cards_left_out"], 3);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_for_who_does_not_read_the_whole_plan() {
    let service = Service::start(Mood::Answers).await;
    let world = service.world().await;
    for role in [Role::Patient, Role::Caregiver] {
        let cookie = world.cookie(role).await;
        let answer = cards(&world, role, &cookie).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{role:?}");
    }
    assert!(service.asked.lock().unwrap().is_empty());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fails_is_said_to_and_takes_nothing_with_it() {
    for mood in [Mood::Rambles, Mood::Floods, Mood::Fails, Mood::Sleeps] {
        let service = Service::start(mood).await;
        let world = service.world().await;
        let cookie = world.cookie(Role::Pharmacist).await;

        let told = body(&cards(&world, Role::Pharmacist, &cookie).await);

        assert_eq!(told["incomplete"], true);
        assert_eq!(
            told["services"][0]["cards"],
            Value::Null,
            "not an empty list: nothing is known"
        );
        assert_eq!(world.get("/healthz", "").await.status, 200);
        world.stop().await;
    }
    // Nobody there at all.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let base = Some(format!("http://{gone}"));
    let world = World::start_with(Config { cds_hooks: base, ..Config::default() }).await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let told = body(&cards(&world, Role::Pharmacist, &cookie).await);
    assert_eq!((&told["incomplete"], &told["services"]), (&json!(true), &json!([])));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_service_is_configured_nobody_is_asked() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;
    let answer = cards(&world, Role::Pharmacist, &cookie).await;
    assert_eq!(answer.status, 204);
    world.stop().await;
}
