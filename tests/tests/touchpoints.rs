//! A touchpoint of the plan becomes a visit: booked once, moved with its people, held, missed, cancelled; by who may, and
//! of this patient's plan alone.

use clinical::actor::Role;
use clinical::edit::Op;
use clinical::field::{DocKind, FieldName, ListName};
use clinical::id::{DocId, RecordId, RowId, SeatId, VisitId};
use clinical::phi::Phi;
use mortar::{link, patient, person, visit};
use serde_json::{Value, json};
use signaling::message::{ClientMessage, RecordRefusal, ServerMessage};
use signaling::visit::VisitKind;
use tests::participant::Participant;
use tests::world::World;
use uuid::Uuid;

/// A day in the future, at an hour.
fn next_year(hour: u8) -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let year = 1970 + seconds.as_secs() / 31_556_952;
    format!("{}-07-10T{hour:02}:00", year + 1)
}

fn booking(row: RowId, hour: u8) -> Value {
    json!({ "starts": next_year(hour), "minutes": 30, "touchpoint": row })
}

async fn delete(world: &World, path: &str, cookie: &str) -> u16 {
    let host = world.address();
    let request = format!(
        "DELETE {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    );
    world.raw(request).await.status
}

/// The patient is in a visit for two minutes.
async fn attend(world: &World, visit: &str, from: i64) {
    let mut write = world.server().app().store.write().await.unwrap();
    let call = Uuid::now_v7().to_string();
    let known =
        "insert into visit_call (call, visit, began_ms, known_ms, over) values ($1, $2, $3, $4, 1)";
    let known = sqlx::query(known).bind(&call).bind(visit).bind(from).bind(from + 120_000);
    known.execute(&mut *write).await.unwrap();
    let event = "insert into visit_time (call, n, seat, side, live, at_ms) values ($1, 0, $2, 'patient', 'video', $3)";
    let seat = SeatId(Uuid::now_v7()).to_string();
    sqlx::query(event).bind(&call).bind(&seat).bind(from).execute(&mut *write).await.unwrap();
    write.commit().await.unwrap();
}

/// Takes a link of staff.
async fn claim(world: &World, token: &str) -> (SeatId, String) {
    let reply = world.post("/api/links/claim", "", &json!({ "token": token })).await;
    let seat = reply.json["seat"].as_str().unwrap().parse().unwrap();
    (seat, reply.cookie.expect("the link is taken"))
}

/// Somebody with the plan open.
struct Desk {
    cookie: String,
    seat: SeatId,
    doc: DocId,
    here: Participant,
}

impl Desk {
    async fn open(world: &World, role: Role) -> Self {
        let cookie = world.cookie(role).await;
        let mut here = world.join_with(role, &cookie).await;
        let (doc, _) = here.open(world.record().await, DocKind::Plan).await;
        Self { cookie, seat: world.invited(role).seat, doc, here }
    }

    async fn add(&mut self, list: ListName, content: (FieldName, Value)) -> RowId {
        let row = RowId(Uuid::now_v7());
        let values = [(content.0, Phi::new(content.1))].into();
        let add = Op::Add { list, row, after: None, values };
        self.here.edit(self.doc, add).await.expect("it is added");
        row
    }

    /// A touchpoint that was due long ago.
    async fn touchpoint(&mut self) -> RowId {
        let content = json!({
            "purpose": "Blood pressure", "when": "in two weeks", "due": "2025-03-10", "format": "video",
            "members": ["patient", "pharmacist"],
        });
        self.add(ListName::Touchpoints, (FieldName::TouchpointsContent, content)).await
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/seats/{}/{rest}", self.seat)
    }

    async fn book(&self, world: &World, body: &Value) -> (u16, Value) {
        let reply = world.post(&self.path("bookings"), &self.cookie, body).await;
        (reply.status, reply.json)
    }

    async fn tell(&self, world: &World, row: RowId, what: &str, note: &str) -> (u16, Value) {
        let body = json!({ "what": what, "note": note, "seen": 1_000_000 });
        let reply =
            world.post(&self.path(&format!("touchpoints/{row}")), &self.cookie, &body).await;
        (reply.status, reply.json)
    }

    /// Where a touchpoint stands.
    async fn standing(&self, world: &World, row: RowId) -> String {
        let answer = world.get(&self.path("touchpoints"), &self.cookie).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        standing_in(&serde_json::from_str(&answer.body).unwrap(), row)
    }
}

fn standing_in(told: &Value, row: RowId) -> String {
    let rows = told["rows"].as_array().expect("rows");
    let line = rows.iter().find(|line| line["row"] == json!(row)).expect("the row");
    line["standing"].as_str().unwrap().to_owned()
}

fn booked_of(bookings: &Value, visit: &str) -> Value {
    let all = bookings["bookings"].as_array().unwrap();
    all.iter().find(|one| one["visit"] == json!(visit)).cloned().unwrap_or(Value::Null)
}

fn link_in(booking: &Value, role: &str) -> String {
    let links = booking["links"].as_array().unwrap();
    let link = links.iter().find(|link| link["role"] == role).unwrap();
    link["path"].as_str().unwrap().strip_prefix("/j#").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_touchpoint_is_booked_moved_and_held_and_everybody_with_the_plan_is_told() {
    let world = World::start().await;
    let mut rph = Desk::open(&world, Role::Pharmacist).await;
    let row = rph.touchpoint().await;
    assert_eq!(rph.standing(&world, row).await, "overdue");
    let mut pcp = Desk::open(&world, Role::Pcp).await;

    // Two book at once: one visit, and the other is told.
    let (first, second) = (booking(row, 10), booking(row, 11));
    let (one, two) = tokio::join!(rph.book(&world, &first), pcp.book(&world, &second));
    let mut both = [one, two];
    both.sort_by_key(|(status, _)| *status);
    let [(200, made), (409, refused)] = &both else { panic!("{both:?}") };
    assert_eq!(refused["code"], json!("already_booked"));
    let visit = made["made"].as_str().unwrap().to_owned();
    let booked = booked_of(made, &visit);
    assert_eq!(booked["touchpoint"], json!(row));
    pcp.here
        .until("what became of it", |message| {
            let json = serde_json::to_string(message).unwrap();
            matches!(message, ServerMessage::RecordChange { .. })
                && json.contains("touchpoint_booked")
                && json.contains("Delgado")
        })
        .await;
    assert_eq!(rph.standing(&world, row).await, "booked");
    // A booked row is not taken out: its visit would be nobody's.
    let reason = Phi::new("twice".to_owned());
    let out = rph.here.edit(rph.doc, Op::Tombstone { row, seen: 1_000_000, reason }).await;
    assert_eq!(out, Err(RecordRefusal::AlreadyBooked));
    // Nothing of it is over yet.
    assert_eq!(rph.tell(&world, row, "missed", "").await.0, 400);

    // Another hour: the same people, new links, the same entry of the calendar one number higher.
    let old = link_in(&booked, "patient");
    let to = json!({ "starts": next_year(14), "minutes": 45, "note": "A bus strike." });
    let path = rph.path(&format!("bookings/{visit}"));
    let reply = world.post(&path, &rph.cookie, &to).await;
    assert_eq!(reply.status, 200, "{:?}", reply.json);
    let next = reply.json["made"].as_str().unwrap().to_owned();
    assert_ne!(next, visit);
    let moved = booked_of(&reply.json, &next);
    assert_eq!((&moved["moved"], &moved["minutes"]), (&json!(true), &json!(45)));
    let roles = |booking: &Value| -> Vec<Value> {
        booking["links"].as_array().unwrap().iter().map(|link| link["role"].clone()).collect()
    };
    assert_eq!(roles(&moved), roles(&booked));
    assert_eq!(booked_of(&reply.json, &visit), Value::Null, "the old hour is shown no more");
    let dead = world.post("/api/links/claim", "", &json!({ "token": old })).await;
    assert_eq!(dead.json["code"], json!("visit_over"));
    let new = link_in(&moved, "patient");
    assert_ne!(new, old);
    let lives = world.post("/api/links/claim", "", &json!({ "token": new })).await;
    assert_eq!(lives.json["state"], json!("birth_date"));
    let file = world.get(&rph.path(&format!("bookings/{next}/invitation")), &rph.cookie).await.body;
    for line in ["METHOD:REQUEST", "SEQUENCE:1", &format!("UID:{visit}@mortar"), "T180000Z"] {
        assert!(file.contains(line), "{line} {file}");
    }
    // Of two who move it, the second holds a visit that is not booked any more.
    assert_eq!(world.post(&path, &rph.cookie, &to).await.status, 404);

    // The patient tried the link long before: that was not the visit.
    let starts = moved["starts_ms"].as_i64().unwrap();
    attend(&world, &next, starts - 86_400_000).await;
    assert_eq!(rph.standing(&world, row).await, "booked");
    // The patient was in it for two minutes: nobody has to say so.
    attend(&world, &next, starts).await;
    assert_eq!(rph.standing(&world, row).await, "done");
    // What took place is not moved, not cancelled, and was not missed.
    let there = rph.path(&format!("bookings/{next}"));
    let late = world.post(&there, &rph.cookie, &to).await;
    assert_eq!((late.status, &late.json["code"]), (409, &json!("changed_meanwhile")));
    assert_eq!(delete(&world, &there, &rph.cookie).await, 409);
    assert_eq!(rph.standing(&world, row).await, "done");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_visit_leaves_the_follow_up_owed_and_one_done_elsewhere_cancels_its_visit() {
    let world = World::start().await;
    let mut rph = Desk::open(&world, Role::Pharmacist).await;
    let row = rph.touchpoint().await;
    let (status, made) = rph.book(&world, &booking(row, 10)).await;
    assert_eq!(status, 200, "{made}");
    let visit = made["made"].as_str().unwrap().to_owned();

    // Booked in another visit, and long ago: it is still waited for, so it is still there to be moved; one for no
    // touchpoint is not.
    let (_, none) = rph.book(&world, &json!({ "starts": next_year(9), "minutes": 30 })).await;
    let none = none["made"].as_str().unwrap().to_owned();
    let store = &world.server().app().store;
    let mut write = store.write().await.unwrap();
    let old = "update booking set starts_ms = 1000, booked_in = 'elsewhere' where visit = $1 or visit = $2";
    sqlx::query(old).bind(&visit).bind(&none).execute(&mut *write).await.unwrap();
    write.commit().await.unwrap();
    let wrong = world.get(&rph.path("bookings"), &rph.cookie).await;
    assert_eq!(wrong.status, 503, "what is stored is not believed: {}", wrong.body);
    let mut write = store.write().await.unwrap();
    let other = VisitId(Uuid::now_v7()).to_string();
    let mended = "update booking set booked_in = $1 where booked_in = 'elsewhere'";
    sqlx::query(mended).bind(&other).execute(&mut *write).await.unwrap();
    write.commit().await.unwrap();
    let listed = world.get(&rph.path("bookings"), &rph.cookie).await;
    assert!(listed.body.contains(&visit) && !listed.body.contains(&none), "{}", listed.body);

    assert_eq!(delete(&world, &rph.path(&format!("bookings/{visit}")), &rph.cookie).await, 200);
    assert_eq!(rph.standing(&world, row).await, "overdue", "nobody has met, and nothing is booked");
    let file = world.get(&rph.path(&format!("bookings/{visit}/invitation")), &rph.cookie).await;
    assert!(file.body.contains("METHOD:CANCEL") && file.body.contains("SEQUENCE:1"));

    // Booked again, for some of the people, and done by phone before it came.
    let patient = world.invited(Role::Patient).seat;
    let with = json!({
        "starts": next_year(11), "minutes": 15, "touchpoint": row, "format": "phone",
        "seats": [patient, rph.seat],
    });
    let (status, made) = rph.book(&world, &with).await;
    assert_eq!(status, 200, "{made}");
    let again = made["made"].as_str().unwrap().to_owned();
    let links = booked_of(&made, &again)["links"].as_array().unwrap().len();
    assert_eq!(links, 2);
    let token = link_in(&booked_of(&made, &again), "patient");
    let (status, told) = rph.tell(&world, row, "done", "by phone elsewhere").await;
    assert_eq!((status, standing_in(&told, row).as_str()), (200, "done"));
    let dead = world.post("/api/links/claim", "", &json!({ "token": token })).await;
    assert_eq!(dead.json["code"], json!("visit_over"));
    let file = world.get(&rph.path(&format!("bookings/{again}/invitation")), &rph.cookie).await;
    assert!(file.body.contains("METHOD:CANCEL"), "{}", file.body);
    // Said twice, it is said once.
    assert_eq!(rph.tell(&world, row, "done", "").await.0, 409);
    let (status, told) = rph.tell(&world, row, "reopen", "").await;
    assert_eq!((status, standing_in(&told, row).as_str()), (200, "overdue"));
    assert_eq!(rph.tell(&world, row, "cancel", " ").await.0, 400, "a reason is needed");
    let (status, told) = rph.tell(&world, row, "cancel", "The patient moves away.").await;
    assert_eq!((status, standing_in(&told, row).as_str()), (200, "cancelled"));
    assert_eq!(rph.book(&world, &booking(row, 10)).await.0, 409);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nurse_does_not_end_a_visit_people_are_in_nor_hands_on_links_of_visits_she_is_not_in() {
    let world = World::start().await;
    let mut rph = Desk::open(&world, Role::Pharmacist).await;
    let row = rph.touchpoint().await;
    let with = json!({
        "starts": next_year(10), "minutes": 30, "touchpoint": row,
        "seats": [rph.seat, world.invited(Role::Patient).seat],
    });
    let (status, made) = rph.book(&world, &with).await;
    assert_eq!(status, 200, "{made}");
    let visit = made["made"].as_str().unwrap().to_owned();

    // A nurse of another visit of this record sees who comes, and gets nobody's way in.
    let app = world.server().app();
    let name = Phi::new("Nell Nurse".to_owned());
    let nurse =
        person::add(&app.store, &app.vault, &app.writer, &name, Role::Nurse, None).await.unwrap();
    let record = world.record().await;
    let other = visit::create(&app.store, VisitKind::FollowUp, Some(record)).await.unwrap();
    let seat = visit::invite(&app.store, &other, nurse, Role::Nurse).await.unwrap();
    let token = link::link_of(&app.store, &app.vault, seat.id).await.unwrap().text();
    let (seat, hers) = claim(&world, &token).await;
    let path = |rest: &str| format!("/api/seats/{seat}/{rest}");
    let listed = world.get(&path("bookings"), &hers).await;
    assert!(listed.body.contains(&visit) && listed.body.contains("Delgado"), "{}", listed.body);
    assert!(!listed.body.contains("/j#"), "{}", listed.body);

    // The patient waits in the booked visit: nobody is in it, and she moves it away from before them.
    let home = link_in(&booked_of(&made, &visit), "patient");
    let body = json!({ "token": home, "birth_date": world.birth_date() });
    let home = world.post("/api/links/claim", "", &body).await;
    let home_seat: SeatId = home.json["seat"].as_str().unwrap().parse().unwrap();
    let ticket = world.ticket(home_seat, &home.cookie.unwrap()).await;
    let mut waits = Participant::join(world.address(), home_seat, ticket).await;
    let booking = path(&format!("bookings/{visit}"));
    let to = json!({ "starts": next_year(13), "minutes": 30 });
    let moved = world.post(&booking, &hers, &to).await;
    assert_eq!(moved.status, 200, "{:?}", moved.json);
    assert_eq!(waits.closed().await, 1000);
    let visit = moved.json["made"].as_str().unwrap().to_owned();
    let listed = world.get(&rph.path("bookings"), &rph.cookie).await;
    let listed: Value = serde_json::from_str(&listed.body).unwrap();
    let (there, cookie) = claim(&world, &link_in(&booked_of(&listed, &visit), "pharmacist")).await;

    // The pharmacist is in the booked visit: nothing she does ends it.
    let ticket = world.ticket(there, &cookie).await;
    let mut inside = Participant::join(world.address(), there, ticket).await;
    let booking = path(&format!("bookings/{visit}"));
    assert_eq!(delete(&world, &booking, &hers).await, 409);
    let to = json!({ "starts": next_year(14), "minutes": 30 });
    let moved = world.post(&booking, &hers, &to).await;
    assert_eq!((moved.status, &moved.json["code"]), (409, &json!("visit_running")));
    for what in ["done", "cancel"] {
        let body = json!({ "what": what, "note": "why", "seen": 1_000_000 });
        let told = world.post(&path(&format!("touchpoints/{row}")), &hers, &body).await;
        assert_eq!((told.status, &told.json["code"]), (409, &json!("visit_running")), "{what}");
    }
    assert_eq!(rph.standing(&world, row).await, "booked");
    // The pharmacist left: nobody is in it any more, whoever may come back. Then they do.
    inside.send(&ClientMessage::Leave).await;
    inside.closed().await;
    let moved = world.post(&booking, &hers, &to).await;
    assert_eq!(moved.status, 200, "{:?}", moved.json);
    let visit = moved.json["made"].as_str().unwrap().to_owned();
    let listed = world.get(&rph.path("bookings"), &rph.cookie).await;
    let listed: Value = serde_json::from_str(&listed.body).unwrap();
    let (there, cookie) = claim(&world, &link_in(&booked_of(&listed, &visit), "pharmacist")).await;
    let ticket = world.ticket(there, &cookie).await;
    let mut inside = Participant::join(world.address(), there, ticket).await;
    // Whoever ends calls does.
    assert_eq!(delete(&world, &rph.path(&format!("bookings/{visit}")), &rph.cookie).await, 200);
    inside.closed().await;
    assert_eq!(rph.standing(&world, row).await, "overdue");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_cancel_or_move_one_visit_at_once_the_second_is_told() {
    let world = World::start().await;
    let rph = Desk::open(&world, Role::Pharmacist).await;
    let pcp = Desk::open(&world, Role::Pcp).await;
    for n in 0..6 {
        let (_, made) = rph.book(&world, &json!({ "starts": next_year(9), "minutes": 30 })).await;
        let visit = made["made"].as_str().unwrap().to_owned();
        let (rest, to) =
            (format!("bookings/{visit}"), json!({ "starts": next_year(11), "minutes": 30 }));
        let (one, other) = (rph.path(&rest), pcp.path(&rest));
        let (cancelled, moved) =
            tokio::join!(delete(&world, &one, &rph.cookie), world.post(&other, &pcp.cookie, &to),);
        // One of them is true, and the other was told that it is not.
        assert!((cancelled == 200) != (moved.status == 200), "{n}: {cancelled} {}", moved.status);
        let list = world.get(&rph.path("bookings"), &rph.cookie).await;
        let list: Value = serde_json::from_str(&list.body).unwrap();
        let stands = booked_of(&list, &visit);
        assert_eq!(stands["cancelled"] == json!(true), cancelled == 200, "{n}: {stands}");
    }
    world.stop().await;
}

/// A pharmacist of the same practice in a visit of another patient, with a touchpoint in that plan.
async fn of_another_patient(world: &World) -> RowId {
    const CHART: &str = r#"{ "resourceType": "Bundle", "type": "collection", "entry": [
        { "resource": { "resourceType": "Patient", "id": "p", "name": [{ "text": "Ann Other" }] } }
    ] }"#;
    let app = world.server().app();
    let chart = CHART.as_bytes();
    let report = patient::import(&app.store, &app.vault, &app.writer, chart, None).await.unwrap();
    let record: RecordId = report.record;
    let kind = VisitKind::FollowUp;
    let other = visit::create(&app.store, kind, Some(record)).await.unwrap();
    let here = world.invited(Role::Pharmacist).seat;
    let person = visit::find_seat(&app.store, here).await.unwrap().unwrap().person;
    let seat = visit::invite(&app.store, &other, person, Role::Pharmacist).await.unwrap();
    let token = link::link_of(&app.store, &app.vault, seat.id).await.unwrap().text();
    let body = json!({ "token": token });
    let cookie = world.post("/api/links/claim", "", &body).await.cookie.expect("the link is taken");
    let ticket = world.ticket(seat.id, &cookie).await;
    let mut here = Participant::join(world.address(), seat.id, ticket).await;
    let (doc, _) = here.open(record, DocKind::Plan).await;
    let mut desk = Desk { cookie, seat: seat.id, doc, here };
    let row = desk.touchpoint().await;
    assert_eq!(desk.standing(world, row).await, "overdue");
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_touchpoint_of_this_plan_is_not_there_and_the_patients_side_says_nothing() {
    let world = World::start().await;
    let mut rph = Desk::open(&world, Role::Pharmacist).await;
    let medicine = (FieldName::MedsProduct, json!({ "name": "lisinopril" }));
    let medicine = rph.add(ListName::Meds, medicine).await;
    let gone = rph.touchpoint().await;
    let reason = Phi::new("twice".to_owned());
    let out = Op::Tombstone { row: gone, seen: 1_000_000, reason };
    rph.here.edit(rph.doc, out).await.expect("it is taken out");
    let others = of_another_patient(&world).await;
    let unknown = RowId(Uuid::now_v7());
    for (row, why) in [
        (unknown, "unknown"),
        (medicine, "of another list"),
        (gone, "taken out"),
        (others, "of another patient"),
    ] {
        let (status, reply) = rph.book(&world, &booking(row, 10)).await;
        assert_eq!((status, &reply["code"]), (404, &json!("not_found")), "{why}");
        assert_eq!(rph.tell(&world, row, "done", "").await.0, 404, "{why}");
    }

    let row = rph.touchpoint().await;
    let with = |more: Value| {
        let mut body = booking(row, 10);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for bad in [
        with(json!({ "starts": "2020-03-10T10:00" })),
        with(json!({ "format": "message" })),
        with(json!({ "format": "pigeon" })),
        with(json!({ "seats": [] })),
        with(json!({ "seats": [rph.seat, rph.seat] })),
        with(json!({ "seats": [Uuid::now_v7()] })),
        with(json!({ "seen": -1 })),
        with(json!({ "touchpoint": "row" })),
    ] {
        assert_eq!(rph.book(&world, &bad).await.0, 400, "{bad}");
    }
    // What somebody changed since it was looked at is looked at again.
    let (status, reply) = {
        let mut pcp = Desk::open(&world, Role::Pcp).await;
        let seen = 1;
        let change = json!({ "purpose": "Weight", "when": "soon", "format": "phone" });
        let at = clinical::field::Address { row: Some(row), field: FieldName::TouchpointsContent };
        let value = Phi::new(Some(change));
        let rev = pcp_rev(&pcp, row);
        let set = Op::Set { at, base: clinical::edit::Base::Rev(rev), value };
        pcp.here.edit(pcp.doc, set).await.expect("it is changed");
        rph.book(&world, &with(json!({ "seen": seen }))).await
    };
    assert_eq!((status, &reply["code"]), (409, &json!("changed_meanwhile")));
    assert_eq!(rph.standing(&world, row).await, "planned");

    // The patient's side moves nothing, and reads nothing of it before the plan is shared.
    for role in [Role::Patient, Role::Caregiver] {
        let (seat, cookie) = (world.invited(role).seat, world.cookie(role).await);
        let path = format!("/api/seats/{seat}/touchpoints");
        assert_eq!(world.get(&path, &cookie).await.status, 404, "{role:?}");
        let body = json!({ "what": "done", "seen": 1 });
        let told = world.post(&format!("{path}/{row}"), &cookie, &body).await;
        assert_eq!(told.status, 404, "{role:?}");
    }
    world.stop().await;
}

/// The revision of a touchpoint in the snapshot somebody was sent.
fn pcp_rev(desk: &Desk, row: RowId) -> u64 {
    let at = clinical::field::Address { row: Some(row), field: FieldName::TouchpointsContent };
    desk.here
        .heard
        .iter()
        .find_map(|message| match message {
            ServerMessage::RecordSnapshot {
                content: signaling::message::SnapshotContent::Full { state },
                ..
            } => state.registers.iter().find(|held| held.at == at).map(|held| held.register.rev()),
            _ => None,
        })
        .expect("the row")
}
