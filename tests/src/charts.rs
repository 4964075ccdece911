//! Charts sent as the page sends them, and their previews in words.

use clinical::actor::Role;
use serde_json::{Value, json};

use crate::world::{Answer, World};

/// The chart of the demo visit's patient.
pub const CHART: &str = include_str!("../../server/demo/ruth-delgado.json");

/// Sends an import as the page does: one line, then the file.
pub async fn send(world: &World, role: Role, cookie: &str, ask: &Value, file: &[u8]) -> Answer {
    let seat = world.invited(role).seat;
    let host = world.address();
    let mut body = format!("{ask}\n").into_bytes();
    body.extend_from_slice(file);
    let mut request = format!(
        "POST /api/seats/{seat}/import HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend(body);
    world.raw(request).await
}

pub fn json_of(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).expect("a reply")
}

pub async fn preview(world: &World, cookie: &str, file: &[u8]) -> Value {
    let ask = json!({ "kind": "preview" });
    json_of(&send(world, Role::Pharmacist, cookie, &ask, file).await)
}

pub async fn take(world: &World, role: Role, cookie: &str, file: &[u8], preview: &Value) -> Value {
    let ask = json!({ "kind": "take", "accept": open_keys(preview), "ticks": preview["ticks"] });
    json_of(&send(world, role, cookie, &ask, file).await)
}

/// Keys of what can be accepted.
pub fn open_keys(preview: &Value) -> Vec<String> {
    let rows = preview["rows"].as_array().expect("rows");
    let open = |row: &&Value| matches!(row["told"]["kind"].as_str(), Some("new" | "changed"));
    rows.iter().filter(open).map(|row| row["key"].as_str().expect("a key").to_owned()).collect()
}

/// "meds new", "meds changed meds.status", sorted.
pub fn told(preview: &Value) -> Vec<String> {
    let rows = preview["rows"].as_array().unwrap_or_else(|| panic!("{preview}"));
    let mut told: Vec<String> = rows
        .iter()
        .map(|row| {
            let part = |value: &Value| value.as_str().unwrap_or("").to_owned();
            let words = [&row["list"], &row["told"]["kind"], &row["told"]["field"]].map(part);
            words.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join(" ")
        })
        .collect();
    told.sort();
    told
}

/// The chart with one more resource.
pub fn with(more: &Value) -> Vec<u8> {
    let mut chart: Value = serde_json::from_str(CHART).unwrap();
    chart["entry"].as_array_mut().unwrap().push(json!({ "resource": more }));
    serde_json::to_vec(&chart).unwrap()
}

pub fn patient_reference() -> String {
    let chart: Value = serde_json::from_str(CHART).unwrap();
    format!("Patient/{}", chart["entry"][0]["resource"]["id"].as_str().unwrap())
}

pub fn medicine(id: &str, name: &str) -> Value {
    json!({
        "resourceType": "MedicationRequest", "id": id, "status": "active", "intent": "order",
        "subject": { "reference": patient_reference() }, "medicationCodeableConcept": { "text": name },
    })
}

/// A chart with the demo patient in the place of its own, so that it is about the visit.
pub fn as_ruth(file: &[u8]) -> Vec<u8> {
    let ruth: Value = serde_json::from_str(CHART).unwrap();
    let mut chart: Value = serde_json::from_slice(file).unwrap();
    for entry in chart["entry"].as_array_mut().unwrap() {
        let resource = &mut entry["resource"];
        if resource["resourceType"] == "Patient" {
            for name in ["identifier", "name", "birthDate"] {
                resource[name] = ruth["entry"][0]["resource"][name].clone();
            }
        }
    }
    serde_json::to_vec(&chart).unwrap()
}

/// "Lisinopril 10 MG Oral Tablet: new no_dosage".
pub fn rows_in_words(preview: &Value) -> Vec<String> {
    let rows = preview["rows"].as_array().unwrap_or_else(|| panic!("{preview}"));
    let known = |row: &&Value| row["told"]["kind"] != "absent";
    rows.iter()
        .filter(known)
        .map(|row| {
            let told = &row["told"];
            let mut words = vec![told["kind"].as_str().unwrap().to_owned()];
            words.extend(told["field"].as_str().map(str::to_owned));
            if told["no_dosage"] == true {
                words.push("no_dosage".to_owned());
            }
            if let Some(like) = told["like"].as_str() {
                words.push(format!("like {like}"));
            }
            let list = row["list"].as_str().unwrap_or("statement");
            format!("{list}, {}: {}", row["name"].as_str().unwrap(), words.join(" "))
        })
        .collect()
}
