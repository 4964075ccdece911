//! Redundant audio (RFC 2198): what a publisher repeats heals its own losses, what we repeat heals a subscriber's.

use std::time::Duration;

use sfu::command::{Command, Muted};
use sfu::event::{Event, Loss};
use sfu::plan::{Receives, Source};

use crate::client::{OPUS, RED, Rtp};
use crate::world::World;

/// Sequence number, timestamp and first byte of each packet in the slot.
fn heard(world: &World, client: usize) -> Vec<(u16, u32, u8)> {
    let packets = world.clients[client].received("a0");
    packets.iter().map(|it| (it.sequence(), it.timestamp(), it.payload()[0])).collect()
}

/// 20 ms with a frame that repeats `depth` others, delivered.
fn redundant(world: &mut World, depth: u16) {
    let packet = world.clients[0].redundant_voice(depth);
    world.datagram(0, packet);
    world.settle();
}

/// A second of sound, of which the second browser then says that it lost so many 256ths.
fn second(world: &mut World, lost: u8) {
    for _ in 0..50 {
        world.voice(0);
        world.advance(Duration::from_millis(20));
    }
    world.report_loss(1, lost);
    (0..world.clients.len()).for_each(|client| world.check(client));
}

/// Offsets of the earlier frames of a packet, oldest first, if they are as long as those of the scripted browsers.
fn offsets(packet: &Rtp) -> Vec<u32> {
    let (mut offsets, mut rest) = (Vec::new(), packet.payload());
    while packet.pt() == RED.0 && rest[0] & 0x80 != 0 {
        assert_eq!(rest[0] & 0x7f, OPUS.0);
        let header = u32::from_be_bytes([0, rest[1], rest[2], rest[3]]);
        assert_eq!(header & 0x3ff, 80);
        offsets.push(header >> 10);
        rest = &rest[4..];
    }
    assert!(packet.pt() == OPUS.0 || rest.len() == 1 + 80 * (1 + offsets.len()));
    offsets
}

#[test]
fn a_lost_packet_that_the_next_one_repeats_reaches_every_subscriber_once_and_in_order() {
    let mut world = World::call_of(3);
    redundant(&mut world, 1);
    world.clear();
    let start = world.clients[0].mic;
    let before = *world.sfu.counters();

    let late = world.clients[0].redundant_voice(1);
    redundant(&mut world, 1);
    world.datagram(0, late);
    world.settle();
    world.clients[0].voice();
    world.clients[0].voice();
    redundant(&mut world, 2);

    for client in [1, 2] {
        let heard = heard(&world, client);
        let (first, timestamp, _) = heard[0];
        let expected: Vec<_> = (0..5_u16)
            .map(|at| {
                let [_, byte] = start.sequence.wrapping_add(at).to_be_bytes();
                (first + at, timestamp + 960 * u32::from(at), byte)
            })
            .collect();
        assert_eq!(heard, expected);
        assert!(world.clients[client].rtp.iter().all(|packet| packet.pt() == OPUS.0));
    }
    let after = *world.sfu.counters();
    assert_eq!(after.recovered_frames - before.recovered_frames, 3);
    assert_eq!(after.dropped_replay - before.dropped_replay, 1, "late, after its repetition");
}

#[test]
fn a_line_whose_losses_are_all_repaired_still_counts_as_lossy() {
    let mut world = World::call_of(2);
    let peer = world.clients[0].key;
    for _ in 0..10 {
        for packet in 0..50 {
            if packet % 5 == 0 {
                world.clients[0].redundant_voice(1);
            } else {
                redundant(&mut world, 1);
            }
            world.advance(Duration::from_millis(20));
        }
        (0..2).for_each(|client| world.check(client));
    }

    let lossy = |event: &Event| matches!(event, Event::Losses { peer: whose, from, .. } if *whose == peer && *from >= Loss::Ten);
    assert!(world.events.iter().any(lossy), "{:?}", world.events);
    let heard = heard(&world, 1);
    assert!(heard.windows(2).all(|pair| pair[1].0 == pair[0].0.wrapping_add(1)), "no gap");
    assert!(heard.len() >= 498);
}

#[test]
fn nobody_is_sent_a_repeated_frame_from_before_he_was_let_to_hear() {
    let mut world = World::call_of(2);
    redundant(&mut world, 1);
    let track = world.clients[0].track(Source::Mic);
    world.command(Command::Mute { track, muted: Muted::Yes });
    world.clear();
    redundant(&mut world, 1);
    // Said while muted, and lost on the way.
    world.clients[0].redundant_voice(1);
    world.command(Command::Mute { track, muted: Muted::No });
    let [_, allowed] = world.clients[0].mic.sequence.to_be_bytes();
    redundant(&mut world, 2);
    redundant(&mut world, 2);

    let heard: Vec<_> = heard(&world, 1).iter().map(|(_, _, byte)| *byte).collect();
    assert_eq!(heard, [allowed, allowed + 1]);
}

#[test]
fn sound_to_a_lossy_line_repeats_one_frame_then_two_and_none_once_it_is_clean() {
    let mut world = World::call_of(3);
    let depths = |world: &World, client: usize| {
        let packets = world.clients[client].received("a0");
        let mut depths: Vec<_> = packets.iter().map(|packet| offsets(packet).len()).collect();
        depths.dedup();
        depths
    };
    (0..3).for_each(|_| second(&mut world, 0));
    assert_eq!(depths(&world, 1), [0]);

    world.clear();
    (0..10).for_each(|_| second(&mut world, 30));
    assert_eq!(depths(&world, 1), [0, 1]);
    let last = world.clients[1].rtp.last().unwrap();
    assert_eq!(offsets(last), [960]);

    world.clear();
    (0..10).for_each(|_| second(&mut world, 77));
    assert_eq!(depths(&world, 1), [1, 2]);
    let last = world.clients[1].rtp.last().unwrap();
    assert_eq!(offsets(last), [1_920, 960]);

    (0..20).for_each(|_| second(&mut world, 0));
    world.clear();
    second(&mut world, 0);
    assert_eq!(depths(&world, 1), [0]);
    assert_eq!(depths(&world, 2), [0], "nobody else's line is the worse for it");
    let numbers: Vec<_> = world.clients[1].received("a0").iter().map(|it| it.sequence()).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
}

#[test]
fn a_subscriber_without_redundant_audio_gets_none() {
    let mut world = World::new();
    for _ in 0..2 {
        let at = world.join_with(sfu::plan::CallKey(1), |client| {
            for slot in &mut client.plan.slots {
                if let Receives::Sound { red, .. } = &mut slot.receives {
                    *red = None;
                }
            }
        });
        world.connect(at);
    }
    world.admit_all();
    (0..10).for_each(|_| second(&mut world, 77));

    assert!(world.clients[1].received("a0").len() >= 500);
    assert!(world.clients[1].received("a0").iter().all(|packet| packet.pt() == OPUS.0));
    assert_eq!(world.sfu.counters().redundant_packets, 0);
}

#[test]
fn a_frame_from_before_a_pause_that_no_header_can_tell_is_left_out() {
    let mut world = World::call_of(2);
    (0..10).for_each(|_| second(&mut world, 77));
    world.clear();
    // Discontinuous transmission: the next number, 400 ms later; 14 bits are 341 ms.
    world.clients[0].mic.timestamp += 19 * 960;
    (0..3).for_each(|_| world.voice(0));

    let seen: Vec<_> = world.clients[1].received("a0").iter().map(|it| offsets(it)).collect();
    assert_eq!(seen, [vec![], vec![960], vec![1_920, 960]]);
}

#[test]
fn a_packet_of_many_repeated_frames_counts_as_so_many() {
    let mut world = World::call_of(2);
    redundant(&mut world, 0);
    world.clear();
    for _ in 0..1_000 {
        world.clients[0].mic.sequence = world.clients[0].mic.sequence.wrapping_add(9);
        redundant(&mut world, 9);
    }

    let heard = world.clients[1].rtp.len();
    assert!(heard <= 2_000, "{heard} in a second");
}
