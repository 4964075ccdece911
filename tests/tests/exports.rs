//! The record leaves the server as FHIR: for who may take it along, written down, and with nothing of it in an address.

use clinical::actor::Role;
use serde_json::{Value, json};
use tests::world::{Answer, World};

async fn export(world: &World, role: Role, cookie: &str, body: &Value) -> Answer {
    let seat = world.invited(role).seat;
    let body = body.to_string();
    let host = world.address();
    world
        .raw(format!(
            "POST /api/seats/{seat}/export HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ))
        .await
}

fn wish(kind: &str) -> Value {
    json!({ "kind": kind, "reason": "treatment" })
}

/// The resources of a type in a bundle.
fn resources<'j>(bundle: &'j Value, kind: &str) -> Vec<&'j Value> {
    let entries = bundle["entry"].as_array().expect("entries");
    entries
        .iter()
        .map(|entry| &entry["resource"])
        .filter(|one| one["resourceType"] == kind)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pharmacist_takes_every_bundle_and_nothing_of_it_is_in_the_name_of_the_file() {
    let world = World::start().await;
    let cookie = world.cookie(Role::Pharmacist).await;

    for (kind, first) in
        [("medication_profile", "List"), ("care_plan", "Composition"), ("whole_record", "Patient")]
    {
        let answer = export(&world, Role::Pharmacist, &cookie, &wish(kind)).await;

        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/fhir+json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let named = answer.header("content-disposition").expect("a name").to_owned();
        for secret in world.secrets(Role::Pharmacist) {
            assert!(!named.contains(&secret), "{named}");
        }
        let body = answer.body.find('{').map_or("", |start| &answer.body[start..]);
        let mut bundles = serde_json::Deserializer::from_str(body).into_iter::<Value>();
        let bundle = bundles.next().expect("a bundle").expect("JSON");
        assert_eq!(bundle["entry"][0]["resource"]["resourceType"], first, "{kind}");
        assert!(resources(&bundle, "MedicationStatement").len() > 3, "{kind}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_takes_their_own_side_and_nobody_else_takes_anything() {
    let world = World::start().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    let cookie = world.cookie(Role::Patient).await;
    let mut patient = world.join_with(Role::Patient, &cookie).await;

    let waiting = export(&world, Role::Patient, &cookie, &wish("whole_record")).await;
    assert_eq!((waiting.status, waiting.code().as_str()), (404, "not_found"));

    pharmacist.admit(&mut patient).await;
    // Being let in is written down after it was told: on a slow disk a moment later.
    let mut own = export(&world, Role::Patient, &cookie, &wish("whole_record")).await;
    for _ in 0..30 {
        if own.status != 404 {
            break;
        }
        for _ in 0..20 {
            world.get("/healthz", "").await;
        }
        own = export(&world, Role::Patient, &cookie, &wish("whole_record")).await;
    }
    assert_eq!(own.status, 200, "{}", own.body);
    // Nothing was shared yet: the plan is not theirs to read.
    assert!(!own.body.contains("MedicationStatement\""), "{}", own.body);
    for kind in ["medication_profile", "care_plan"] {
        assert_eq!(export(&world, Role::Patient, &cookie, &wish(kind)).await.status, 404);
    }
    let caregiver = world.cookie(Role::Caregiver).await;
    let denied = export(&world, Role::Caregiver, &caregiver, &wish("whole_record")).await;
    assert_eq!(denied.status, 404);
    let bad = export(&world, Role::Patient, &cookie, &json!({ "kind": "everything" })).await;
    assert_eq!(bad.status, 400);
    let unseated = export(&world, Role::Pharmacist, &cookie, &wish("whole_record")).await;
    assert_eq!(unseated.status, 401);
    world.stop().await;
}
