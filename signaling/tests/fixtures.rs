//! The golden messages: whoever changes one changes the protocol, and sees it here.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of a test, which fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use signaling::message::{ClientMessage, ServerMessage};

/// The fixture of each message. A new one does not compile until it has a name here.
fn client_fixture(message: &ClientMessage) -> &'static str {
    match message {
        ClientMessage::Join { .. } => "client.join",
        ClientMessage::Ping { .. } => "client.ping",
        ClientMessage::Offer { .. } => "client.offer",
        ClientMessage::Want { .. } => "client.want",
        ClientMessage::Presence { .. } => "client.presence",
        ClientMessage::Admit { .. } => "client.admit",
        ClientMessage::SendBack { .. } => "client.send_back",
        ClientMessage::Telephone { .. } => "client.telephone",
        ClientMessage::Leave => "client.leave",
        ClientMessage::End => "client.end",
        ClientMessage::RecordOpen { .. } => "client.record.open",
        ClientMessage::RecordEdit { .. } => "client.record.edit",
        ClientMessage::RecordCommand { .. } => "client.record.command",
        ClientMessage::RecordGate { .. } => "client.record.gate",
        ClientMessage::RecordSafety { .. } => "client.record.safety",
        ClientMessage::RecordSign { .. } => "client.record.sign",
        ClientMessage::RecordCaret { .. } => "client.record.caret",
        ClientMessage::RecordResync { .. } => "client.record.resync",
        ClientMessage::RecordHistory { .. } => "client.record.history",
        ClientMessage::RecordClose { .. } => "client.record.close",
    }
}

/// See [`client_fixture`].
fn server_fixture(message: &ServerMessage) -> &'static str {
    match message {
        ServerMessage::Welcome { .. } => "server.welcome",
        ServerMessage::Pong { .. } => "server.pong",
        ServerMessage::Admission { .. } => "server.admission",
        ServerMessage::Roster { .. } => "server.roster",
        ServerMessage::Seat { .. } => "server.seat",
        ServerMessage::SeatGone { .. } => "server.seat_gone",
        ServerMessage::Answer { .. } => "server.answer",
        ServerMessage::Slots { .. } => "server.slots",
        ServerMessage::Layers { .. } => "server.layers",
        ServerMessage::Speaker { .. } => "server.speaker",
        ServerMessage::Telephone { .. } => "server.telephone",
        ServerMessage::MediaFailed { .. } => "server.media_failed",
        ServerMessage::Ended { .. } => "server.ended",
        ServerMessage::Refused { .. } => "server.refused",
        ServerMessage::RecordSnapshot { .. } => "server.record.snapshot",
        ServerMessage::RecordAck { .. } => "server.record.ack",
        ServerMessage::RecordChange { .. } => "server.record.change",
        ServerMessage::RecordRefuse { .. } => "server.record.refuse",
        ServerMessage::RecordGate { .. } => "server.record.gate",
        ServerMessage::RecordSafety { .. } => "server.record.safety",
        ServerMessage::RecordResync { .. } => "server.record.resync",
        ServerMessage::RecordHistory { .. } => "server.record.history",
        ServerMessage::RecordCaret { .. } => "server.record.caret",
        ServerMessage::RecordStatus { .. } => "server.record.status",
        ServerMessage::RecordClosed { .. } => "server.record.closed",
    }
}

/// How many names stand above, so that a missing file is seen.
const CLIENT: usize = 20;
const SERVER: usize = 25;

fn round_trip<T: DeserializeOwned + Serialize>(name: &str, text: &str) -> T {
    let message: T =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{name} does not read: {error}"));
    let written = serde_json::to_value(&message).unwrap();
    let stood: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(written, stood, "{name} does not write back as it stood");
    message
}

#[test]
fn fixtures_read_and_write_back() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let fixture = if name.starts_with("client.") {
            client_fixture(&round_trip(&name, &text))
        } else {
            server_fixture(&round_trip(&name, &text))
        };
        assert_eq!(name, fixture, "the message is another one than the file's name says");
        seen.insert(name);
    }
    assert_eq!(seen.len(), CLIENT + SERVER, "a message without a fixture: {seen:?}");
}

#[test]
fn a_field_nobody_knows_is_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for name in ["client.join", "client.admit", "client.presence", "client.record.edit"] {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value["surprise"] = serde_json::Value::Bool(true);

        let read: Result<ClientMessage, _> = serde_json::from_value(value);

        assert!(read.is_err(), "{name} takes a field nobody knows");
    }
}
