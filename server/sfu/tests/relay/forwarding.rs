//! What reaches whom, in whose numbers.

use std::time::Duration;

use sfu::command::{Command, Muted, Wish};
use sfu::event::Event;
use sfu::plan::{CallKey, Mid, PeerKey, Source};

use crate::client::{Frame, Rtp};
use crate::world::World;

fn wish(mid: &str, max_height: u16) -> Wish {
    Wish { mid: Mid::new(mid).unwrap(), max_height, priority: 1 }
}

fn picture_id(packet: &Rtp) -> u16 {
    let payload = packet.payload();
    u16::from_be_bytes([payload[2] & 0x7f, payload[3]])
}

#[test]
fn a_waiting_peer_is_connected_and_receives_not_one_media_packet() {
    let mut world = World::new();
    for _ in 0..2 {
        let at = world.join(CallKey(1));
        world.connect(at);
    }

    for _ in 0..100 {
        world.voice(0);
        world.picture(0, Frame::Key);
        world.advance(Duration::from_millis(20));
    }

    assert!(world.clients[1].rtp.is_empty());
    assert_eq!(world.sfu.counters().forwarded_packets, 0);
    assert!(world.sfu.counters().media_packets_in >= 200);
}

#[test]
fn who_leaves_the_audience_gets_nothing_from_the_next_packet_on() {
    let mut world = World::call_of(3);
    world.voice(0);
    world.picture(0, Frame::Key);
    world.clear();
    let stays = world.clients[2].key;
    // Already in, not yet out, when the decision comes.
    let packet = world.clients[0].voice();
    world.datagram(0, packet);

    world.admit(0, &[stays]);
    world.voice(0);
    world.picture(0, Frame::Delta);

    assert!(world.clients[1].rtp.is_empty());
    assert_eq!(world.clients[2].rtp.len(), 3);
}

#[test]
fn an_audience_named_before_somebody_joined_holds_when_he_comes() {
    let mut world = World::call_of(1);
    world.admit(0, &[PeerKey(1), PeerKey(2)]);
    let at = world.join(CallKey(1));
    world.connect(at);

    world.voice(0);

    assert_eq!(world.clients[at].received("a0").len(), 1);
}

#[test]
fn nothing_crosses_calls_even_if_the_audience_names_the_stranger() {
    let mut world = World::new();
    for call in [1, 2] {
        let at = world.join(CallKey(call));
        world.connect(at);
    }
    world.admit_all();

    world.voice(0);
    world.picture(0, Frame::Key);

    assert!(world.clients[1].rtp.is_empty());
}

#[test]
fn a_picture_begins_with_a_keyframe_that_the_publisher_is_asked_for() {
    let mut world = World::call_of(1);
    world.picture(0, Frame::Key);
    world.advance(Duration::from_millis(500));
    let at = world.join(CallKey(1));
    world.connect(at);
    world.clear();

    world.admit_all();
    let asked = world.clients[0].rtcp.iter().filter(|packet| packet[1] == 206).count();
    assert_eq!(asked, 1, "one picture loss indication");
    for _ in 0..3 {
        world.picture(0, Frame::Delta);
    }
    assert!(world.clients[at].rtp.is_empty());
    world.picture(0, Frame::Key);
    world.picture(0, Frame::Delta);

    let seen = world.clients[at].received("v0");
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].payload()[6] & 1, 0, "a keyframe");
}

#[test]
fn a_slot_event_tells_whom_the_slot_shows_and_from_which_timestamp() {
    let mut world = World::call_of(2);
    let slots = |world: &World| -> Vec<_> {
        let told = |event: &Event| match event {
            Event::Slot { peer: PeerKey(2), mid, track, from_rtp_timestamp } => {
                Some((mid.as_str().to_owned(), *track, *from_rtp_timestamp))
            }
            _ => None,
        };
        world.events.iter().filter_map(told).collect()
    };
    world.clear();

    world.picture(0, Frame::Delta);
    let cam = Some(world.clients[0].track(Source::Cam));
    assert_eq!(slots(&world), [("v0".to_owned(), cam, None)]);
    world.picture(0, Frame::Key);

    let first = world.clients[1].received("v0")[0].timestamp();
    assert_eq!(slots(&world)[1..], [("v0".to_owned(), cam, Some(first))]);
}

#[test]
fn voice_and_face_of_one_person_share_a_seat_and_keep_it() {
    let mut world = World::call_of(4);
    world.voice(0);
    world.voice(1);
    world.voice(2);
    world.picture(2, Frame::Key);
    world.picture(1, Frame::Key);

    assert_eq!(world.clients[3].received("v1").len(), 1);
    world.command(Command::Leave { peer: PeerKey(1) });
    world.voice(1);
    world.picture(2, Frame::Delta);

    let count = |mid| world.clients[3].received(mid).len();
    assert_eq!([count("a0"), count("a1"), count("a2")], [1, 2, 1]);
    assert_eq!([count("v1"), count("v2")], [1, 2]);
}

#[test]
fn a_slot_that_changes_its_source_goes_on_in_its_own_numbers() {
    let mut world = World::call_of(3);
    world.picture(0, Frame::Key);
    for _ in 0..5 {
        world.advance(Duration::from_millis(33));
        world.picture(0, Frame::Delta);
    }
    world.command(Command::Leave { peer: PeerKey(1) });
    world.advance(Duration::from_millis(400));
    world.picture(1, Frame::Key);
    world.picture(1, Frame::Delta);

    let seen = world.clients[2].received("v0");
    assert_eq!(seen.len(), 8);
    for pair in seen.windows(2) {
        assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
        assert_eq!(picture_id(pair[1]), picture_id(pair[0]) + 1);
        assert_eq!(pair[1].payload()[4], pair[0].payload()[4].wrapping_add(1), "TL0PICIDX");
    }
    let jump = seen[6].timestamp().wrapping_sub(seen[5].timestamp());
    assert!((35_000..37_000).contains(&jump), "400 ms at 90 kHz: {jump}");
}

#[test]
fn a_muted_track_is_not_forwarded_and_comes_back_with_a_keyframe() {
    let mut world = World::call_of(2);
    world.picture(0, Frame::Key);
    world.voice(0);
    world.clear();
    for source in [Source::Mic, Source::Cam] {
        let track = world.clients[0].track(source);
        world.command(Command::Mute { track, muted: Muted::Yes });
    }

    world.voice(0);
    world.picture(0, Frame::Key);
    assert!(world.clients[1].rtp.is_empty());

    for source in [Source::Mic, Source::Cam] {
        let track = world.clients[0].track(source);
        world.command(Command::Mute { track, muted: Muted::No });
    }
    world.advance(Duration::from_millis(400));
    world.voice(0);
    world.picture(0, Frame::Delta);
    world.picture(0, Frame::Key);
    assert_eq!(world.clients[1].received("v0").last().unwrap().payload()[6] & 1, 0);
    let numbers: Vec<_> = world.clients[1].received("v0").iter().map(|it| it.sequence()).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

#[test]
fn what_was_said_and_shown_before_the_decision_is_never_sent_after_it() {
    let mut world = World::call_of(1);
    let at = world.join(CallKey(1));
    world.connect(at);
    for _ in 0..10 {
        world.voice(0);
        world.picture(0, Frame::Key);
    }
    // Also what came in the same turn.
    let (voice, picture) = (world.clients[0].voice(), world.clients[0].picture(Frame::Key));
    world.datagram(0, voice);
    world.datagram(0, picture);
    world.admit_all();
    assert!(world.clients[at].rtp.is_empty());

    for source in [Source::Mic, Source::Cam] {
        let track = world.clients[0].track(source);
        world.command(Command::Mute { track, muted: Muted::Yes });
        world.voice(0);
        world.picture(0, Frame::Key);
        world.command(Command::Mute { track, muted: Muted::No });
    }
    let before = world.sfu.counters().forwarded_packets;
    world.advance(Duration::from_millis(100));
    assert_eq!(world.sfu.counters().forwarded_packets, before);
}

#[test]
fn a_picture_that_nobody_looks_at_is_not_sent() {
    let mut world = World::call_of(2);
    world.picture(0, Frame::Key);
    world.clear();
    let peer = world.clients[1].key;

    world.command(Command::Want { peer, slots: vec![wish("v0", 0)] });
    world.picture(0, Frame::Delta);
    world.voice(0);
    assert!(world.clients[1].received("v0").is_empty());
    assert_eq!(world.clients[1].received("a0").len(), 1, "sound goes on");

    world.advance(Duration::from_secs(1));
    world.command(Command::Want { peer, slots: vec![wish("v0", 720)] });
    world.picture(0, Frame::Delta);
    assert!(world.clients[1].received("v0").is_empty());
    world.picture(0, Frame::Key);
    assert_eq!(world.clients[1].received("v0").len(), 1);
}

#[test]
fn packets_to_one_destination_stand_together() {
    let mut world = World::call_of(3);
    world.picture(0, Frame::Key);
    for _ in 0..4 {
        let packet = world.clients[0].picture(Frame::Delta);
        world.datagram(0, packet);
    }
    let mut egress = sfu::Egress::new();

    let flow = world.sfu.poll_transmit(world.now, &mut egress);

    assert_eq!(flow, sfu::Flow::Done);
    let paths: Vec<_> = egress.datagrams().map(|(path, _)| path).collect();
    assert_eq!(paths.len(), 8);
    assert_eq!(paths.windows(2).filter(|pair| pair[0] != pair[1]).count(), 1);
    let lengths: Vec<_> = egress.datagrams().map(|(_, bytes)| bytes.len()).collect();
    assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]), "{lengths:?}");
}

#[test]
fn a_burst_larger_than_the_egress_leaves_in_parts_and_whole() {
    let mut world = World::call_of(3);
    world.picture(0, Frame::Key);
    world.clear();
    for _ in 0..700 {
        let packet = world.clients[0].picture(Frame::Delta);
        world.datagram(0, packet);
    }
    world.settle();

    for at in [1, 2] {
        assert_eq!(world.clients[at].received("v0").len(), 700);
    }
}

#[test]
fn padding_leaves_no_hole_and_is_not_forwarded() {
    let mut world = World::call_of(2);
    world.picture(0, Frame::Key);
    for _ in 0..3 {
        let mut padding = world.clients[0].picture_plain(Frame::Delta);
        let header = padding.len() - 1_000;
        padding.truncate(header);
        padding[0] |= 0x20;
        padding.extend_from_slice(&[0, 0, 0, 4]);
        let sealed = world.clients[0].seal(&padding);
        world.datagram(0, sealed);
        world.picture(0, Frame::Delta);
    }

    let seen = world.clients[1].received("v0");
    assert_eq!(seen.len(), 4);
    assert!(seen.windows(2).all(|pair| pair[1].sequence() == pair[0].sequence() + 1));
    assert_eq!(world.sfu.counters().padding_packets, 3);
}

#[test]
fn a_camera_under_a_new_ssrc_takes_over_with_a_keyframe() {
    let mut world = World::call_of(2);
    world.picture(0, Frame::Key);
    world.clients[0].cam.ssrc += 0x0100_0000;
    world.clients[0].cam.sequence = 9;
    world.picture(0, Frame::Delta);
    world.picture(0, Frame::Key);

    let seen = world.clients[1].received("v0");
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].sequence(), seen[0].sequence() + 1);
    assert_eq!(seen[1].payload()[6] & 1, 0);
}
