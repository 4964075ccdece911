//! The next visit, booked in this one: its links work, its invitation tells nothing, and a cancellation ends both.

use clinical::actor::Role;
use clinical::id::SeatId;
use mortar::{link, visit};
use serde_json::{Value, json};
use signaling::visit::VisitKind;
use tests::world::World;

/// A day in the future, at ten.
fn next_year() -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let year = 1970 + seconds.as_secs() / 31_556_952;
    format!("{}-07-10T10:00", year + 1)
}

fn booking(starts: &str) -> Value {
    json!({ "starts": starts, "minutes": 30 })
}

async fn delete(world: &World, path: &str, cookie: &str) -> u16 {
    let host = world.address();
    let request = format!(
        "DELETE {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    );
    world.raw(request).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booked_visit_has_its_people_its_links_and_an_invitation_that_tells_nothing() {
    let world = World::start().await;
    let seat = world.invited(Role::Pharmacist).seat;
    let cookie = world.cookie(Role::Pharmacist).await;
    let path = format!("/api/seats/{seat}/bookings");

    let reply = world.post(&path, &cookie, &booking(&next_year())).await;

    assert_eq!(reply.status, 200, "{:?}", reply.json);
    let made = reply.json["made"].as_str().unwrap().to_owned();
    let booked = &reply.json["bookings"][0];
    assert_eq!(booked["visit"], json!(made));
    assert_eq!(booked["zone"], json!("America/New_York"));
    let links = booked["links"].as_array().unwrap();
    let roles: Vec<_> = links.iter().map(|link| link["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["pharmacist", "pcp", "patient", "caregiver"]);

    // A link of staff carries their powers: the pharmacist gets no way in as the prescriber.
    let pcp = links.iter().find(|link| link["role"] == "pcp").unwrap();
    assert_eq!(pcp.get("path"), None);
    // The patient's link leads to a seat of the new visit, which asks for the birth date as ever.
    let of = |role: &str| {
        let link = links.iter().find(|link| link["role"] == role).unwrap();
        link["path"].as_str().unwrap().strip_prefix("/j#").unwrap().to_owned()
    };
    let token = of("patient");
    let asked = world.post("/api/links/claim", "", &json!({ "token": token })).await;
    assert_eq!(asked.json["state"], json!("birth_date"));
    let body = json!({ "token": token, "birth_date": world.birth_date() });
    let claimed = world.post("/api/links/claim", "", &body).await;
    let there: SeatId = claimed.json["seat"].as_str().unwrap().parse().unwrap();
    let home = world.get(&format!("/api/seats/{there}"), &claimed.cookie.unwrap()).await;
    assert!(home.body.contains(&made) && home.body.contains("follow_up"), "{}", home.body);

    let invitation = format!("{path}/{made}/invitation");
    let file = world.get(&invitation, &cookie).await;
    assert_eq!(file.header("content-type"), Some("text/calendar; charset=utf-8; method=REQUEST"));
    assert!(file.body.contains("T140000Z") && file.body.contains("SEQUENCE:0"), "{}", file.body);
    for secret in world.secrets(Role::Patient).iter().chain([&token, &"Delgado".to_owned()]) {
        assert!(!file.body.contains(secret.as_str()), "the invitation tells {secret}");
    }
    let spanish = world.get(&format!("{invitation}?language=es"), &cookie).await;
    assert!(spanish.body.contains("Su visita con el equipo"), "{}", spanish.body);

    assert_eq!(delete(&world, &format!("{path}/{made}"), &cookie).await, 200);

    let file = world.get(&invitation, &cookie).await;
    assert!(file.body.contains("METHOD:CANCEL") && file.body.contains("SEQUENCE:1"));
    let list = world.get(&path, &cookie).await;
    assert!(
        list.body.contains("\"cancelled\":true") && !list.body.contains("/j#"),
        "{}",
        list.body
    );
    let late = world.post("/api/links/claim", "", &json!({ "token": of("pharmacist") })).await;
    assert_eq!(late.json["code"], json!("visit_over"));
    // A second time changes nothing: the invitation's number stays.
    assert_eq!(delete(&world, &format!("{path}/{made}"), &cookie).await, 200);
    assert!(world.get(&invitation, &cookie).await.body.contains("SEQUENCE:1"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_booked_is_refused_and_the_patients_side_finds_nothing_here() {
    let world = World::start().await;
    let good = booking(&next_year());
    for role in [Role::Patient, Role::Caregiver] {
        let seat = world.invited(role).seat;
        let cookie = world.cookie(role).await;
        let path = format!("/api/seats/{seat}/bookings");
        assert_eq!(world.post(&path, &cookie, &good).await.status, 404, "{role:?}");
        assert_eq!(world.get(&path, &cookie).await.status, 404, "{role:?}");
    }
    let seat = world.invited(Role::Pcp).seat;
    let cookie = world.cookie(Role::Pcp).await;
    let path = format!("/api/seats/{seat}/bookings");
    for bad in [
        booking("2020-03-10T10:00"),
        booking("2999-03-10T10:00"),
        booking("soon"),
        json!({ "starts": next_year(), "minutes": 4 }),
        json!({ "starts": next_year(), "minutes": 30, "zone": "Nowhere/Atall" }),
        json!({ "starts": next_year(), "minutes": 30, "zone": "Etc/Unknown" }),
        json!({ "starts": next_year(), "minutes": 30, "zone": "Factory" }),
        json!({ "starts": next_year(), "minutes": 30, "visit": "mine" }),
    ] {
        assert_eq!(world.post(&path, &cookie, &bad).await.status, 400, "{bad}");
    }
    assert_eq!(world.post(&path, &cookie, &good).await.status, 200);
    // Another visit than the own one's bookings is not there.
    let other = format!("{path}/{}", world.visit());
    assert_eq!(world.get(&format!("{other}/invitation"), &cookie).await.status, 404);
    assert_eq!(delete(&world, &other, &cookie).await, 404);
    for _ in 0..19 {
        assert_eq!(world.post(&path, &cookie, &good).await.status, 200);
    }
    assert_eq!(world.post(&path, &cookie, &good).await.status, 400, "twenty are enough");

    // Nor are more moved here from another visit.
    let app = world.server().app();
    let record = world.record().await;
    let elsewhere = visit::create(&app.store, VisitKind::FollowUp, Some(record)).await.unwrap();
    let pcp = world.person(Role::Pcp);
    let there = visit::invite(&app.store, &elsewhere, pcp, Role::Pcp).await.unwrap();
    let token = link::link_of(&app.store, &app.vault, there.id).await.unwrap().text();
    let body = json!({ "token": token });
    let theirs = world.post("/api/links/claim", "", &body).await.cookie.unwrap();
    let booked = format!("/api/seats/{}/bookings", there.id);
    let one = world.post(&booked, &theirs, &good).await;
    let one = one.json["made"].as_str().unwrap().to_owned();
    assert_eq!(world.post(&format!("{path}/{one}"), &cookie, &good).await.status, 400);
    assert_eq!(world.post(&format!("{booked}/{one}"), &theirs, &good).await.status, 200);
    world.stop().await;
}
