//! Simulcast: which layer reaches whom, how a slot turns from one to another, what the publisher is told to send.

mod takeover;
mod walk;

use std::time::Duration;

use sfu::command::{Command, Muted, Wish};
use sfu::event::Event;
use sfu::plan::{CallKey, Mid, Rid, Source, Ssrc};

use crate::client::{Client, Frame, Rtp};
use crate::world::World;

const FRAME: Duration = Duration::from_millis(33);

/// A publisher of three layers and those who watch, each in a tile of this height.
fn watched_by(tiles: &[u16]) -> World {
    let mut world = World::new();
    let publisher = world.join_with(CallKey(1), |client| client.simulcast());
    world.connect(publisher);
    for _ in tiles {
        let at = world.join(CallKey(1));
        world.connect(at);
    }
    world.admit_all();
    for (at, tile) in (1..).zip(tiles) {
        want(&mut world, at, *tile);
    }
    world
}

fn want(world: &mut World, at: usize, max_height: u16) {
    let wish = Wish { mid: Mid::new("v0").unwrap(), max_height, priority: 1 };
    let peer = world.clients[at].key;
    world.command(Command::Want { peer, slots: vec![wish] });
}

/// Sends delta frames of these layers for a time.
fn play(world: &mut World, layers: &[usize], time: Duration) {
    let mut left = time;
    while !left.is_zero() {
        for &layer in layers {
            world.layer(0, layer, Frame::Delta);
        }
        let step = left.min(FRAME);
        world.advance(step);
        left -= step;
    }
}

fn keyframes(world: &mut World, layers: &[usize]) {
    for &layer in layers {
        world.layer(0, layer, Frame::Key);
    }
}

fn layer_of(packet: &Rtp) -> u8 {
    packet.payload()[16]
}

/// Layers of the packets that reached a watcher since the last `clear`, repeats left out.
fn shown(world: &World, at: usize) -> Vec<u8> {
    let mut layers: Vec<u8> = world.clients[at].received("v0").into_iter().map(layer_of).collect();
    layers.dedup();
    layers
}

/// SSRCs of the layers that the publisher was asked for a keyframe of.
fn asked(world: &World) -> Vec<usize> {
    let layers = world.clients[0].layers;
    let of = |packet: &Vec<u8>| {
        (packet[1] == 206).then(|| u32::from_be_bytes(packet[8..12].try_into().unwrap()))
    };
    let media = world.clients[0].rtcp.iter().filter_map(of);
    media.filter_map(|media| layers.iter().position(|layer| layer.ssrc == media)).collect()
}

fn demands(world: &World) -> Vec<String> {
    let names = |rids: &[Rid]| rids.iter().map(|rid| rid.as_str()).collect();
    let told = |event: &Event| match event {
        Event::LayerDemand { track, rids } => {
            assert_eq!(*track, world.clients[0].track(Source::Cam));
            Some(names(rids))
        }
        _ => None,
    };
    world.events.iter().filter_map(told).collect()
}

/// Numbers, picture ids and time of what a slot sent go on without a break.
fn assert_continuous(packets: &[&Rtp]) {
    let picture = |packet: &Rtp| {
        let payload = packet.payload();
        (u16::from_be_bytes([payload[2] & 0x7f, payload[3]]), payload[4])
    };
    for pair in packets.windows(2) {
        assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
        let ((before, tl0_before), (after, tl0_after)) = (picture(pair[0]), picture(pair[1]));
        assert_eq!(after, (before + 1) & 0x7fff);
        assert_eq!(tl0_after, tl0_before.wrapping_add(1));
        let step = pair[1].timestamp().wrapping_sub(pair[0].timestamp());
        assert!((1..2 * 90_000).contains(&step), "{step} ticks");
    }
}

/// A sender report of each layer: its timestamp now, and the one moment of all.
fn report_clocks(world: &mut World) {
    let ntp = world.ntp();
    for layer in world.clients[0].layers {
        let mut report = vec![0x80, 200, 0, 6];
        report.extend(layer.ssrc.to_be_bytes());
        report.extend(ntp.to_be_bytes());
        report.extend(layer.timestamp.to_be_bytes());
        report.extend([0; 8]);
        world.rtcp(0, &report);
    }
}

#[test]
fn a_small_tile_never_costs_the_large_layer_and_a_large_tile_gets_it() {
    let mut world = watched_by(&[180, 360, 720]);
    for _ in 0..10 {
        keyframes(&mut world, &[0, 1, 2]);
        play(&mut world, &[0, 1, 2], FRAME * 5);
    }

    assert_eq!(shown(&world, 1), [0]);
    assert_eq!(shown(&world, 2), [0, 1], "the small one until the keyframe of its own");
    assert_eq!(shown(&world, 3), [0, 1, 2], "as they come");
    for at in 1..=3 {
        assert_continuous(&world.clients[at].received("v0"));
    }
}

#[test]
fn who_has_not_said_how_large_its_tile_is_gets_the_smallest() {
    let mut world = watched_by(&[]);
    let at = world.join(CallKey(1));
    world.connect(at);
    world.admit_all();
    for _ in 0..3 {
        keyframes(&mut world, &[0, 1, 2]);
        play(&mut world, &[0, 1, 2], FRAME * 5);
    }

    assert_eq!(shown(&world, at), [0]);
}

#[test]
fn heights_are_those_of_the_pictures_not_of_the_names() {
    let mut world = watched_by(&[180]);
    // A telephone held upright.
    world.clients[0].heights = [320, 640, 1_280];
    for _ in 0..3 {
        keyframes(&mut world, &[0, 1, 2]);
        play(&mut world, &[0, 1, 2], FRAME * 5);
    }
    want(&mut world, 1, 360);
    world.clear();
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[0, 1, 2], FRAME * 5);
    assert_eq!(shown(&world, 1), [0], "320 fill a tile of 360 to the eye");

    // The camera changes to a quarter of that.
    world.clients[0].heights = [80, 160, 320];
    for _ in 0..2 {
        keyframes(&mut world, &[0, 1, 2]);
        play(&mut world, &[0, 1, 2], FRAME * 5);
    }
    assert_eq!(shown(&world, 1).last(), Some(&2));
}

#[test]
fn a_slot_turns_to_another_layer_only_with_its_keyframe_and_shows_the_old_one_until_then() {
    let mut world = watched_by(&[180]);
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(500));
    world.clear();

    want(&mut world, 1, 720);
    assert_eq!(asked(&world), [2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(300));
    assert_eq!(shown(&world, 1), [0]);
    keyframes(&mut world, &[2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(300));
    assert_eq!(shown(&world, 1), [0, 2]);

    want(&mut world, 1, 180);
    assert_eq!(asked(&world), [2, 0]);
    keyframes(&mut world, &[2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(300));
    keyframes(&mut world, &[0]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(300));

    assert_eq!(shown(&world, 1), [0, 2, 0]);
    assert_continuous(&world.clients[1].received("v0"));
    let told = world.events.iter().filter(|event| matches!(event, Event::Slot { .. })).count();
    assert_eq!(told, 0, "the track is the same");
}

#[test]
fn a_wish_that_changes_back_costs_no_switch() {
    let mut world = watched_by(&[180]);
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(500));
    want(&mut world, 1, 720);
    want(&mut world, 1, 180);
    keyframes(&mut world, &[2, 1, 0]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(100));

    assert_eq!(shown(&world, 1), [0]);
}

#[test]
fn a_layer_that_falls_silent_is_replaced_by_the_next_smaller_one_and_comes_back_at_once() {
    let mut world = watched_by(&[720]);
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(100));
    assert_eq!(shown(&world, 1).last(), Some(&2));

    play(&mut world, &[0, 1], Duration::from_millis(900));
    world.clear();
    play(&mut world, &[0, 1], Duration::from_millis(132));
    assert_eq!(asked(&world), [1], "silent for a second");
    keyframes(&mut world, &[0, 1]);
    play(&mut world, &[0, 1], Duration::from_millis(100));
    assert_eq!(shown(&world, 1), [1]);

    // What comes back begins with a keyframe.
    keyframes(&mut world, &[2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(100));
    assert_eq!(shown(&world, 1), [1, 2]);

    // All but the smallest stop.
    play(&mut world, &[0], Duration::from_millis(1_100));
    keyframes(&mut world, &[0]);
    play(&mut world, &[0], Duration::from_millis(100));
    assert_eq!(shown(&world, 1), [1, 2, 0]);
    assert_continuous(&world.clients[1].received("v0"));
}

#[test]
fn a_layer_that_says_goodbye_does_not_wait_for_its_second_of_silence() {
    let mut world = watched_by(&[720]);
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(100));
    world.clear();
    let mut goodbye = vec![0x81, 203, 0, 1];
    goodbye.extend(world.clients[0].layers[2].ssrc.to_be_bytes());

    world.rtcp(0, &goodbye);

    assert_eq!(asked(&world), [1]);
    assert!(!world.events.iter().any(|event| matches!(event, Event::TrackDown { .. })));
}

#[test]
fn what_was_sent_before_a_switch_is_sent_again_from_the_layer_it_was_of() {
    let mut world = watched_by(&[180]);
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(300));
    want(&mut world, 1, 720);
    keyframes(&mut world, &[2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(300));
    let all: Vec<Rtp> = world.clients[1].received("v0").into_iter().cloned().collect();
    assert_eq!(shown(&world, 1), [0, 2]);
    let slot = world.clients[1].slot("v0");
    world.clear();

    for packet in &all {
        let mut nack = vec![0x81, 205, 0, 3, 0, 0, 0, 1];
        nack.extend(slot.ssrc.0.to_be_bytes());
        nack.extend(packet.sequence().to_be_bytes());
        nack.extend([0, 0]);
        world.rtcp(1, &nack);
    }

    let resent: Vec<&Rtp> =
        world.clients[1].rtp.iter().filter(|it| Some(Ssrc(it.ssrc())) == slot.rtx).collect();
    assert_eq!(resent.len(), all.len());
    for (packet, first) in resent.into_iter().zip(&all) {
        assert_eq!(packet.payload()[..2], first.sequence().to_be_bytes());
        assert_eq!(packet.payload()[2..], *first.payload(), "as it was, ids and all");
        assert_eq!(packet.timestamp(), first.timestamp());
    }
}

#[test]
fn a_switch_keeps_the_time_of_capture_once_both_layers_have_reported() {
    let mut world = watched_by(&[180]);
    keyframes(&mut world, &[0, 1, 2]);
    // The layers' clocks began at different numbers; every frame was captured for all of them at once.
    report_clocks(&mut world);
    world.advance(FRAME);
    play(&mut world, &[0, 1, 2], Duration::from_millis(330));
    want(&mut world, 1, 720);
    // The large keyframe takes longer on its way than the small frame of the same moment.
    world.layer(0, 0, Frame::Delta);
    world.layer(0, 1, Frame::Delta);
    world.advance(Duration::from_millis(20));
    world.layer(0, 0, Frame::Delta);
    world.advance(Duration::from_millis(20));
    world.layer(0, 2, Frame::Key);
    world.layer(0, 2, Frame::Delta);
    world.layer(0, 2, Frame::Delta);

    let packets = world.clients[1].received("v0");
    let steps: Vec<u32> =
        packets.windows(2).map(|pair| pair[1].timestamp() - pair[0].timestamp()).collect();
    let (before, after) = steps.split_at(steps.len() - 3);
    assert!(before.iter().all(|step| *step == 3_000), "{before:?}");
    // One tick after the small frame that overtook it, not 20 ms; then a frame later than its own time.
    assert_eq!(after[1..], [3_000, 3_000]);
    assert_eq!(after[0], 1);
}

#[test]
fn a_report_after_a_switch_speaks_of_the_new_layers_clock() {
    let mut world = watched_by(&[180]);
    keyframes(&mut world, &[0, 1, 2]);
    report_clocks(&mut world);
    let slot = world.clients[1].slot("v0").ssrc.0;
    // When the relay's report says that a timestamp was captured, by its own clock.
    let captured = |world: &World, timestamp: u32| {
        let report = world.clients[1]
            .rtcp
            .iter()
            .rev()
            .find(|packet| packet[1] == 200 && packet[4..8] == slot.to_be_bytes());
        let report = report.expect("a sender report");
        let ntp = u64::from_be_bytes(report[8..16].try_into().unwrap());
        let rtp = u32::from_be_bytes(report[16..20].try_into().unwrap());
        let back = f64::from(rtp.wrapping_sub(timestamp).cast_signed()) / 90_000.0;
        ntp as f64 / f64::from(u32::MAX) - back
    };
    play(&mut world, &[0, 1, 2], Duration::from_millis(990));
    world.advance(Duration::from_millis(200));
    let small = world.clients[1].received("v0").last().unwrap().timestamp();
    let before = captured(&world, small);
    world.clear();
    want(&mut world, 1, 720);
    keyframes(&mut world, &[2]);
    let large = world.clients[1].received("v0").last().unwrap().timestamp();
    world.advance(Duration::from_millis(2));
    let after = captured(&world, large);

    // The next frame after the last small one: both were captured a thirtieth of a second apart.
    assert!((after - before - 0.033).abs() < 0.01, "{} s apart", after - before);
}

#[test]
fn a_publisher_is_told_after_a_second_what_nobody_watches_and_at_once_what_somebody_does() {
    let mut world = watched_by(&[180]);
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(900));
    assert!(demands(&world).is_empty());
    play(&mut world, &[0, 1, 2], Duration::from_millis(200));
    assert_eq!(demands(&world), ["q"]);
    world.clear();

    // The tile grows: its layer is called for, and until it comes those below it may stand in.
    play(&mut world, &[0], Duration::from_millis(1_500));
    want(&mut world, 1, 720);
    assert_eq!(demands(&world), ["qhf"]);
    keyframes(&mut world, &[2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(1_200));
    assert_eq!(demands(&world), ["qhf", "f"]);
    assert_eq!(shown(&world, 1), [0, 2]);
    world.clear();

    // The page is hidden, and comes back.
    want(&mut world, 1, 0);
    play(&mut world, &[2], Duration::from_millis(1_200));
    assert_eq!(demands(&world), [""]);
    world.advance_with_checks(9);
    world.clear();
    want(&mut world, 1, 180);
    assert_eq!(demands(&world), ["q"]);
    keyframes(&mut world, &[0]);
    assert_eq!(shown(&world, 1), [0]);
}

#[test]
fn silence_that_was_asked_for_takes_nobodys_place() {
    let mut world = watched_by(&[0]);
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(1_200));
    assert_eq!(demands(&world), [""]);
    world.advance_with_checks(5);
    assert!(!world.events.iter().any(|event| matches!(event, Event::TrackDown { .. })));

    // But who is asked for and sends nothing is down.
    want(&mut world, 1, 180);
    world.advance(Duration::from_millis(1_500));
    assert!(!world.events.iter().any(|event| matches!(event, Event::TrackDown { .. })));
    world.advance(Duration::from_millis(1_600));
    assert!(world.events.iter().any(|event| matches!(event, Event::TrackDown { .. })));
}

#[test]
fn a_camera_that_was_never_seen_is_not_called_off() {
    let mut world = watched_by(&[0]);
    world.advance(Duration::from_secs(5));
    assert!(demands(&world).is_empty());

    want(&mut world, 1, 720);
    keyframes(&mut world, &[0, 1, 2]);
    assert!(!shown(&world, 1).is_empty());
}

#[test]
fn a_muted_camera_is_called_off_and_what_it_sent_meanwhile_is_never_shown() {
    let mut world = watched_by(&[720]);
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[0, 1, 2], Duration::from_millis(1_200));
    let track = world.clients[0].track(Source::Cam);
    world.clear();
    world.command(Command::Mute { track, muted: Muted::Yes });
    play(&mut world, &[2], Duration::from_millis(1_200));
    keyframes(&mut world, &[0, 1, 2]);
    assert_eq!(demands(&world), [""]);
    assert!(shown(&world, 1).is_empty());

    world.command(Command::Mute { track, muted: Muted::No });
    play(&mut world, &[0, 1, 2], Duration::from_millis(100));
    assert!(shown(&world, 1).is_empty());
    keyframes(&mut world, &[2]);
    assert_eq!(shown(&world, 1), [2]);
}

#[test]
fn layers_are_told_apart_by_their_rid_and_a_packet_without_one_is_nobodys() {
    let mut world = watched_by(&[180]);
    let unknown = [10 << 4, b'x'];
    for extension in [&unknown[..], &[]] {
        world.clients[0].layers[1].ssrc += 1;
        let packet = world.clients[0].layer_named(1, Frame::Key, extension);
        let packet = world.clients[0].seal(&packet);
        world.datagram(0, packet);
    }
    world.settle();

    assert!(world.clients[1].rtp.is_empty());
    assert_eq!(world.sfu.counters().dropped_undeclared_ssrc, 2);
}

#[test]
fn a_repair_may_be_the_first_that_comes_of_a_layer() {
    let mut world = watched_by(&[180]);
    let lost = world.clients[0].layer_plain(0, Frame::Key);
    let repair = world.clients[0].layer_repair(0, &lost);
    world.datagram(0, repair);
    world.settle();
    world.layer(0, 0, Frame::Delta);

    assert_eq!(shown(&world, 1), [0]);
    assert_eq!(world.clients[1].received("v0").len(), 2);
    assert_eq!(world.sfu.counters().recovered_packets, 1);
}

#[test]
fn a_layer_under_a_new_ssrc_goes_on_with_a_keyframe() {
    let mut world = watched_by(&[720]);
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[0, 1, 2], FRAME * 3);
    world.clients[0].layers[2].ssrc += 9;
    world.clients[0].layers[2].sequence = 77;
    world.clear();
    play(&mut world, &[2], FRAME * 3);
    assert!(shown(&world, 1).is_empty());
    keyframes(&mut world, &[2]);
    play(&mut world, &[2], FRAME * 3);

    assert_eq!(shown(&world, 1), [2]);
    assert_continuous(&world.clients[1].received("v0"));
}

#[test]
fn of_one_stream_a_small_tile_gets_the_small_size_and_a_large_one_all_that_it_needs() {
    let mut world = World::new();
    for _ in 0..3 {
        let client = world.join_with(CallKey(1), Client::take_vp9);
        world.connect(client);
    }
    world.admit_all();
    let wish = |max_height| Wish { mid: Mid::new("v0").unwrap(), max_height, priority: 0 };
    for (client, tile) in [(1, 90), (2, 720)] {
        let peer = world.clients[client].key;
        world.command(Command::Want { peer, slots: vec![wish(tile)] });
    }
    let send = |world: &mut World, kind| {
        let packets = world.clients[0].sizes(kind);
        packets.into_iter().for_each(|packet| world.datagram(0, packet));
        world.settle();
        world.advance(Duration::from_millis(33));
    };
    send(&mut world, Frame::Key);
    send(&mut world, Frame::Key);
    world.clear();
    for _ in 0..10 {
        send(&mut world, Frame::Delta);
    }

    let received = |client: usize| {
        let packets = world.clients[client].received("v0");
        let numbers: Vec<u16> = packets.iter().map(|it| it.sequence()).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "{numbers:?}");
        let sizes: Vec<(u8, bool)> =
            packets.iter().map(|it| (it.payload()[3] >> 1 & 7, it.marker())).collect();
        sizes
    };
    assert_eq!(received(1), [(0, true); 10]);
    assert_eq!(received(2), [(0, false), (1, false), (2, true)].repeat(10));
}
