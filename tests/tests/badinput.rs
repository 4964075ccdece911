//! Bad input at a live call: each gets a coded refusal or close, and nobody else notices.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use clinical::actor::Role;
use clinical::bytes::Base64;
use clinical::edit::{Base, Op};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::id::{EditId, RowId};
use clinical::phi::Phi;
use serde_json::json;
use signaling::message::{
    ClientMessage, RecordRefusal, RefusalCode, SUBPROTOCOL, SeatState, ServerMessage, SrtpAttempt,
    TransportKind,
};
use tests::participant::{Asking, Participant, open};
use tests::peer::{Peer, Slots};
use tests::world::World;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use uuid::Uuid;

/// Frames that are no message of ours.
fn nonsense() -> Vec<Message> {
    let deep = format!("{{\"type\":\"ping\",\"n\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    [
        "",
        "{}",
        "[]",
        "null",
        "hello",
        "{\"type\":\"ping\",\"n\":1",
        "{\"type\":\"fly\"}",
        "{\"type\":\"ping\"}",
        "{\"type\":\"ping\",\"n\":-1}",
        "{\"type\":\"ping\",\"n\":1e99}",
        "{\"type\":\"ping\",\"n\":1,\"extra\":true}",
        "{\"type\":\"ping\",\"n\":1,\"n\":2}",
        "{\"type\":\"admit\",\"seat\":\"../..\"}",
        "{\"type\":\"telephone\"}",
        "{\"type\":\"telephone\",\"step\":\"ring\"}",
        "{\"type\":\"telephone\",\"step\":\"begin\",\"since_ms\":0}",
        "{\"type\":\"end\",\"type\":\"ping\"}",
        "{\"type\":\"presence\",\"patch\":{\"role\":\"pharmacist\"}}",
        deep.as_str(),
    ]
    .into_iter()
    .map(Message::text)
    .chain([Message::binary(vec![0_u8; 64]), Message::binary("{\"type\":\"ping\",\"n\":1}")])
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_message_is_refused_and_the_third_closes_only_its_sender() {
    let world = World::start().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    let cookie = world.cookie(Role::Pcp).await;
    for three in nonsense().chunks(3) {
        let mut attacker = world.join_with(Role::Pcp, &cookie).await;
        for (frame, last) in three.iter().zip([false, false, true]) {
            attacker.frame(frame.clone()).await;
            if !last {
                assert_eq!(attacker.refused().await, (String::new(), RefusalCode::BadMessage));
            }
        }
        assert_eq!(attacker.closed().await, 4400, "{three:?}");
    }
    pharmacist.settle().await;
    // The seat is as good as before.
    world.join_with(Role::Pcp, &cookie).await.settle().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_too_big_or_not_text_close_the_connection_with_their_code() {
    let world = World::start().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    let cookie = world.cookie(Role::Pcp).await;
    let mut big = world.join_with(Role::Pcp, &cookie).await;
    big.text(&"x".repeat(256 * 1024 + 1)).await;
    assert_eq!(big.closed().await, 1009);
    let mut garbled = world.join_with(Role::Pcp, &cookie).await;
    let frame = Frame::message(vec![0xff, 0xfe, 0x00], OpCode::Data(Data::Text), true);
    garbled.frame(Message::Frame(frame)).await;
    assert_eq!(garbled.closed().await, 4400);
    // As large as allowed is merely wrong.
    let mut full = world.join_with(Role::Pcp, &cookie).await;
    full.text(&"x".repeat(256 * 1024)).await;
    assert_eq!(full.refused().await.1, RefusalCode::BadMessage);
    full.settle().await;
    pharmacist.settle().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_page_of_ours_gets_a_websocket() {
    let world = World::start().await;
    let address = world.address();
    let own = Some(format!("http://{address}"));
    let ours = Some(SUBPROTOCOL.to_owned());
    for (origin, protocol, status) in [
        (None, ours.clone(), 403),
        (Some("null".to_owned()), ours.clone(), 403),
        (Some("https://evil.example".to_owned()), ours.clone(), 403),
        (Some(format!("https://{address}")), ours.clone(), 403),
        (own.clone(), None, 400),
        (own.clone(), Some("mortar.v0".to_owned()), 400),
    ] {
        let refused = open(address, &Asking { origin, protocol }).await.err();
        assert_eq!(refused, Some(status));
    }
    // Before `join` nothing is answered but that it is too early.
    let mut early = Participant::connect(address, world.invited(Role::Pcp).seat).await;
    assert_eq!(early.is_refused(&ClientMessage::End).await, RefusalCode::WrongState);
    assert_eq!(early.is_refused(&ClientMessage::Ping { n: 1 }).await, RefusalCode::WrongState);
    early.send(&ClientMessage::Join { ticket: Phi::new("no".to_owned()) }).await;
    assert_eq!(early.closed().await, 4401);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_refused_and_leaves_the_others_alone() {
    let world = World::start().await;
    let record = world.record().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    let mut pcp = world.join(Role::Pcp).await;
    let (plan, _) = pcp.open(record, DocKind::Plan).await;
    for n in 0..600 {
        pcp.feed(&ClientMessage::Ping { n: 1_000 + n }).await;
    }
    pcp.flush().await;
    assert_eq!(pcp.refused().await, ("ping".to_owned(), RefusalCode::TooFast));

    pharmacist.settle().await;
    let row = RowId(Uuid::now_v7());
    let edits: Vec<_> = (0..400)
        .map(|_| clinical::edit::Edit {
            id: EditId(Uuid::now_v7()),
            op: Op::Restore { row, seen: 0 },
            typed_ago_ms: None,
        })
        .collect();
    for edit in &edits {
        pcp.feed(&ClientMessage::RecordEdit { doc: plan, edit: edit.clone(), resend: false }).await;
    }
    pcp.flush().await;
    pcp.until("an edit that was too fast", |message| {
        matches!(message, ServerMessage::RecordRefuse { code: RecordRefusal::TooFast, .. })
    })
    .await;
    // Each is answered by its id: none is lost without a word.
    for edit in &edits {
        let wanted = edit.id;
        if !pcp
            .heard
            .iter()
            .any(|m| matches!(m, ServerMessage::RecordRefuse { edit, .. } if *edit == wanted))
        {
            assert!(pcp.outcome(wanted).await.is_err());
        }
    }
    pharmacist.settle().await;
    world.stop().await;
}

fn offer(sdp: String, transport: TransportKind) -> ClientMessage {
    ClientMessage::Offer { n: 7, sdp: Phi::new(sdp), srtp: SrtpAttempt::First, transport }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_offers_are_refused_while_a_call_runs_and_forged_datagrams_do_not_reach_it() {
    let world = World::start().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    let mut pcp = world.join(Role::Pcp).await;
    let peer = Peer::new(Slots { video: 1, audio: 1 }).await.unwrap();
    let good = peer.offer().await.unwrap();
    pharmacist.send(&offer(good.clone(), TransportKind::New)).await;
    let answer = pharmacist
        .until("an answer", |message| matches!(message, ServerMessage::Answer { .. }))
        .await;
    let ServerMessage::Answer { n: 7, sdp } = answer else { panic!("{answer:?}") };
    peer.take_answer(sdp.expose()).await.unwrap();
    peer.connected().await.unwrap();

    let without = |start: &str| {
        let kept = good.lines().filter(|line| !line.starts_with(start));
        kept.map(|line| format!("{line}\r\n")).collect::<String>()
    };
    let (head, media) = good.split_once("\r\nm=").expect("an m-line");
    let media = format!("m={}", media.split("\r\nm=").next().unwrap_or_default());
    let many: String = (0..41).map(|_| format!("{media}\r\n")).collect();
    for sdp in [
        String::new(),
        "v=0".to_owned(),
        "\0\0\0\0".to_owned(),
        good.replace("a=ice-ufrag:", "a=ice-ufrag:\0"),
        without("a=fingerprint"),
        without("a=ice-pwd"),
        without("a=ice-ufrag"),
        without("m="),
        good.replace("setup:actpass", "setup:holdconn"),
        good.replace("sha-256", "md5"),
        format!("{head}\r\n{many}"),
        format!("{good}a=x:{}\r\n", "y".repeat(70 * 1024)),
    ] {
        let refused = pcp.is_refused(&offer(sdp.clone(), TransportKind::New)).await;
        assert_eq!(refused, RefusalCode::BadOffer, "{}", &sdp[..sdp.len().min(200)]);
    }
    let same = pcp.is_refused(&offer(good.clone(), TransportKind::Same)).await;
    assert_eq!(same, RefusalCode::WrongState);

    let media = world.server().media_address().expect("the relay listens");
    let media = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), media.port());
    let forger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    // A Binding request (RFC 8489 §5) without integrity, its relatives, DTLS, RTP, RTCP, and noise.
    let mut stun = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    stun.extend([7; 12]);
    for length in [0_usize, 1, 4, 12, 20, 100, 1_200, 1_500] {
        for first in [0_u8, 1, 20, 22, 63, 64, 128, 144, 200, 255] {
            let noise = vec![first; length];
            forger.send_to(&noise, media).unwrap();
        }
        forger.send_to(&stun, media).unwrap();
    }
    let before: u64 =
        world.server().media().counters().await.iter().map(|w| w.relay.stun_checks).sum();
    forger.set_nonblocking(true).unwrap();
    let answered = forger.recv_from(&mut [0; 1_500]);
    assert!(answered.is_err(), "a datagram without integrity was answered");
    assert!(before > 0, "the peer's own checks count");

    // The transport that was there goes on.
    peer.send_voice().await.unwrap();
    pharmacist.settle().await;
    assert!(!pharmacist.heard.iter().any(|m| matches!(m, ServerMessage::MediaFailed { .. })));
    peer.close().await.unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_past_every_bound_are_refused_by_name() {
    let world = World::start().await;
    let record = world.record().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    let mut pcp = world.join(Role::Pcp).await;
    let (plan, _) = pharmacist.open(record, DocKind::Plan).await;
    pcp.open(record, DocKind::Plan).await;
    let row = RowId(Uuid::now_v7());
    let indication = |text: &str| [(FieldName::MedsIndication, Phi::new(json!(text)))].into();
    let add = |row, values| Op::Add { list: ListName::Meds, row, after: None, values };
    let own = pharmacist.edit(plan, add(row, indication("pressure"))).await.expect("a row");
    let at = Address { row: Some(row), field: FieldName::MedsIndication };
    let set = |value| Op::Set { at, base: Base::Mine(own), value: Phi::new(Some(value)) };

    let huge = pharmacist.edit(plan, set(json!("x".repeat(17 * 1024)))).await;
    assert!(matches!(huge, Err(RecordRefusal::TooLong | RecordRefusal::TooBig)), "{huge:?}");
    for value in [json!({ "a": 1 }), json!([1]), json!(3), json!("a\u{0}b")] {
        let refused = pharmacist.edit(plan, set(value.clone())).await;
        assert_eq!(refused, Err(RecordRefusal::BadValue), "{value}");
    }
    let twice = pharmacist.edit(plan, add(row, indication("again"))).await;
    assert_eq!(twice, Err(RecordRefusal::RowExists));
    let nowhere = Op::Set {
        at: Address { row: Some(RowId(Uuid::now_v7())), field: FieldName::MedsIndication },
        base: Base::Rev(0),
        value: Phi::new(Some(json!("x"))),
    };
    assert_eq!(pharmacist.edit(plan, nowhere).await, Err(RecordRefusal::UnknownAddress));
    let future = Op::Set { at, base: Base::Rev(u64::MAX), value: Phi::new(Some(json!("x"))) };
    assert_eq!(pharmacist.edit(plan, future).await, Err(RecordRefusal::BaseUnknown));
    pcp.settle().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_garbled_texts_close_their_writer_and_the_text_stays() {
    let world = World::start().await;
    let record = world.record().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    let mut pcp = world.join(Role::Pcp).await;
    let (team, _) = pcp.open(record, DocKind::Team).await;
    pharmacist.open(record, DocKind::Team).await;
    let at = Address { row: None, field: FieldName::Note };
    let garbage = [vec![0xff; 100], vec![1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f], Vec::new()];
    let mut told = Vec::new();
    for update in garbage {
        let id = EditId(Uuid::now_v7());
        let op = Op::Text { at, base: 0, update: Base64(update) };
        let edit = clinical::edit::Edit { id, op, typed_ago_ms: None };
        // The doctor may write notes, so it is the text that is refused.
        pcp.send(&ClientMessage::RecordEdit { doc: team, edit, resend: false }).await;
        told.push(id);
    }

    assert_eq!(pcp.closed().await, 4400);
    pharmacist.sees(pcp.seat, SeatState::Reconnecting).await;
    assert!(!pharmacist.heard.iter().any(|m| matches!(m, ServerMessage::RecordChange { .. })));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_reading_is_cut_off_and_nobody_else_waits() {
    let world = World::start().await;
    let record = world.record().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    let (plan, _) = pharmacist.open(record, DocKind::Plan).await;
    let cookie = world.cookie(Role::Pcp).await;
    let seat = world.invited(Role::Pcp).seat;
    let ticket = Phi::new(world.ticket(seat, &cookie).await);
    let mut stuck = Participant::connect_narrow(world.address(), seat).await;
    stuck.send(&ClientMessage::Join { ticket }).await;
    stuck.open(record, DocKind::Plan).await;
    // Asks for the whole plan again and again, and reads nothing of it.
    for _ in 0..12 {
        stuck.send(&ClientMessage::RecordResync { doc: plan }).await;
    }

    pharmacist.sees(seat, SeatState::Present).await;
    for _ in 0..20 {
        let row = RowId(Uuid::now_v7());
        let add = Op::Add { list: ListName::Meds, row, after: None, values: [].into() };
        pharmacist.edit(plan, add).await.expect("the others go on");
    }
    pharmacist.sees(seat, SeatState::Reconnecting).await;

    // With a line that reads, the same seat is back.
    let mut back = world.join_with(Role::Pcp, &cookie).await;
    back.open(record, DocKind::Plan).await;
    pharmacist.settle().await;
    world.stop().await;
    stuck.vanish();
}
