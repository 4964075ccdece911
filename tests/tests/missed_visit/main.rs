//! A booked visit to which nobody came: somebody says so, and another takes its place. An hour that is over cannot be booked,
//! so the hour comes: the wall clock of this process is moved, and nothing waits.

#[expect(unsafe_code, reason = "the system's clock is C: this stands in its place")]
mod clock;

use clinical::actor::Role;
use clinical::edit::Op;
use clinical::field::{DocKind, FieldName, ListName};
use clinical::id::{RowId, SeatId, VisitId};
use clinical::phi::Phi;
use serde_json::{Value, json};
use signaling::message::{ClientMessage, ServerMessage, TelephoneStep};
use tests::participant::Participant;
use tests::world::World;
use tokio::sync::Mutex;
use uuid::Uuid;

/// The clock is one for the process: the tests follow each other.
static ONE_AFTER_THE_OTHER: Mutex<()> = Mutex::const_new(());

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// "2026-03-10T10:00" in UTC.
fn hour(at_ms: i64) -> String {
    let day = clinical::value::PartialDate::of(clinical::actor::Millis(at_ms));
    let minutes = at_ms.div_euclid(60_000).rem_euclid(24 * 60);
    format!("{}T{:02}:{:02}", day.as_str(), minutes / 60, minutes % 60)
}

fn booking(row: RowId, in_hours: i64, format: &str) -> Value {
    let starts = hour(mortar::store::now().0 + in_hours * HOUR_MS);
    json!({ "starts": starts, "zone": "UTC", "minutes": 30, "touchpoint": row, "format": format })
}

/// The pharmacist in a visit, with the plan open.
struct Desk {
    world: World,
    seat: SeatId,
    cookie: String,
    here: Participant,
    row: RowId,
}

impl Desk {
    async fn open() -> Self {
        let world = World::start().await;
        let cookie = world.cookie(Role::Pharmacist).await;
        let mut here = world.join_with(Role::Pharmacist, &cookie).await;
        let (doc, _) = here.open(world.record().await, DocKind::Plan).await;
        let row = RowId(Uuid::now_v7());
        let content = json!({
            "purpose": "Blood pressure", "when": "soon", "format": "video",
            "members": ["patient", "pharmacist"],
        });
        let values = [(FieldName::TouchpointsContent, Phi::new(content))].into();
        let add = Op::Add { list: ListName::Touchpoints, row, after: None, values };
        here.edit(doc, add).await.expect("it is added");
        let seat = world.invited(Role::Pharmacist).seat;
        Self { world, seat, cookie, here, row }
    }

    async fn get(&self, what: &str) -> Value {
        let answer =
            self.world.get(&format!("/api/seats/{}/{what}", self.seat), &self.cookie).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    async fn post(&self, what: &str, body: &Value) -> (u16, Value) {
        let path = format!("/api/seats/{}/{what}", self.seat);
        let reply = self.world.post(&path, &self.cookie, body).await;
        (reply.status, reply.json)
    }

    async fn standing(&self) -> Value {
        let told = self.get("touchpoints").await;
        told["rows"][0]["standing"].clone()
    }

    async fn tell(&self, what: &str) -> u16 {
        let body = json!({ "what": what, "note": "", "seen": 1_000_000 });
        self.post(&format!("touchpoints/{}", self.row), &body).await.0
    }

    /// Somebody takes the link of a role into a booked visit.
    async fn claims(
        &self,
        bookings: &Value,
        visit: &Value,
        role: &str,
    ) -> (u16, Option<(SeatId, String)>) {
        let all = bookings["bookings"].as_array().unwrap();
        let booked = all.iter().find(|one| one["visit"] == *visit).expect("it is booked");
        let links = booked["links"].as_array().unwrap();
        let link = links.iter().find(|link| link["role"] == role).expect("a link");
        let token = link["path"].as_str().unwrap().strip_prefix("/j#").unwrap();
        let body = json!({ "token": token, "birth_date": self.world.birth_date() });
        let reply = self.world.post("/api/links/claim", "", &body).await;
        let seat = reply.json["seat"].as_str().map(|seat| seat.parse().unwrap());
        (reply.status, seat.zip(reply.cookie))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_nobody_came_to_is_booked_anew_and_the_old_links_end() {
    let _clock = ONE_AFTER_THE_OTHER.lock().await;
    let desk = Desk::open().await;
    let (status, made) = desk.post("bookings", &booking(desk.row, 2, "video")).await;
    assert_eq!(status, 200, "{made}");
    let first = made["made"].clone();
    assert_eq!(desk.standing().await, "booked");
    // Before its hour nobody missed it.
    assert_eq!(desk.tell("missed").await, 400);

    clock::pass(3 * HOUR_MS);

    // Nobody was in it, so it was missed; that somebody says so lets another take its place.
    assert_eq!(desk.standing().await, "missed");
    let again = booking(desk.row, 24, "video");
    let (status, refused) = desk.post("bookings", &again).await;
    assert_eq!((status, &refused["code"]), (409, &json!("already_booked")), "{refused}");
    assert_eq!(desk.tell("missed").await, 200);
    // The patient comes late, and waits where nobody comes to any more.
    let (_, late) = desk.claims(&made, &first, "patient").await;
    let (late_seat, late_cookie) = late.expect("the link still holds");
    let ticket = desk.world.ticket(late_seat, &late_cookie).await;
    let mut late = Participant::join(desk.world.address(), late_seat, ticket).await;

    let (status, made_again) = desk.post("bookings", &again).await;

    assert_eq!(status, 200, "{made_again}");
    let second = made_again["made"].clone();
    assert_ne!(first, second);
    assert_eq!(desk.standing().await, "booked");
    assert_eq!(late.closed().await, 1000, "whoever waited is told that it is over");
    let all = desk.get("bookings").await;
    let cancelled = |visit: &Value| {
        let all = all["bookings"].as_array().unwrap();
        all.iter().find(|one| one["visit"] == *visit).map(|one| one["cancelled"].clone())
    };
    assert_eq!(cancelled(&first), Some(json!(true)), "{all}");
    assert_eq!(cancelled(&second), Some(json!(false)), "{all}");
    let (status, _) = desk.claims(&made, &first, "patient").await;
    assert_eq!(status, 410, "the link into the missed visit");
    assert!(desk.claims(&made_again, &second, "patient").await.1.is_some());
    desk.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_by_telephone_took_place_when_the_pharmacist_telephoned_in_it() {
    let _clock = ONE_AFTER_THE_OTHER.lock().await;
    let mut desk = Desk::open().await;
    let (status, made) = desk.post("bookings", &booking(desk.row, 2, "phone")).await;
    assert_eq!(status, 200, "{made}");
    let visit = made["made"].clone();

    // The patient's link says how and when, before anybody lets them in, and gives away no number.
    let (_, home) = desk.claims(&made, &visit, "patient").await;
    let (home, home_cookie) = home.expect("their seat");
    let path = format!("/api/seats/{home}");
    let facts = desk.world.get(&path, &home_cookie).await;
    let facts: Value = serde_json::from_str(&facts.body).unwrap();
    assert_eq!(facts["booked"]["format"], "phone", "{facts}");
    assert!(facts["booked"]["starts_ms"].as_i64().is_some(), "{facts}");
    let number = desk.world.get(&format!("{path}/telephone"), &home_cookie).await;
    assert_eq!(number.body, r#"{"ends_in":"0142"}"#);

    // An hour later nobody can know whether they spoke, until the pharmacist telephones in it.
    clock::pass(2 * HOUR_MS);
    let (_, there) = desk.claims(&made, &visit, "pharmacist").await;
    let (there, cookie) = there.expect("their seat");
    let ticket = desk.world.ticket(there, &cookie).await;
    let mut call = Participant::join(desk.world.address(), there, ticket).await;
    let step = |step| ClientMessage::Telephone { step };
    call.send(&step(TelephoneStep::Begin)).await;
    let on = |message: &ServerMessage| {
        matches!(message, ServerMessage::Telephone { telephone: Some(_) })
    };
    call.until("the call has begun", on).await;
    // Twelve minutes, as the ledger has them.
    let path = format!("/api/seats/{there}/sheet");
    let with_time = async || {
        for _ in 0..1_000 {
            let answer = desk.world.get(&path, &cookie).await;
            let sheet: Value = serde_json::from_str(&answer.body).unwrap();
            if sheet["sheet"]["segments"].as_array().is_some_and(|all| !all.is_empty()) {
                return sheet["sheet"].clone();
            }
        }
        panic!("no time is counted")
    };
    with_time().await;
    let booked: VisitId = visit.as_str().unwrap().parse().unwrap();
    desk.world.minutes_pass(booked, 12).await;
    call.send(&step(TelephoneStep::Over)).await;
    call.until("the call is over", |message| {
        matches!(message, ServerMessage::Telephone { telephone: None })
    })
    .await;

    let sheet = with_time().await;
    assert_eq!(sheet["segments"][0]["modality"], "phone", "{sheet}");
    assert_eq!(sheet["measured_s"].as_i64().unwrap() / 60, 12, "{sheet}");
    assert_eq!(desk.standing().await, "done");
    desk.here.settle().await;
    desk.world.stop().await;
}
