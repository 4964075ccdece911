//! Input that nobody honest sends.

use std::net::SocketAddr;
use std::time::Duration;

use sfu::event::Event;
use sfu::plan::{CallKey, SrtpAttempt};
use sfu::{Path, Via};

use crate::client::{Frame, MID_EXTENSION};
use crate::world::World;

fn stranger() -> Path {
    Path { remote: SocketAddr::from(([203, 0, 113, 66], 6_666)), via: Via::Udp }
}

/// Everything about the peers that must not change.
fn fixed(world: &World) -> sfu::sfu::Occupancy {
    world.sfu.occupancy()
}

#[test]
fn every_length_and_first_byte_from_a_stranger_changes_nothing_and_is_not_answered() {
    let mut world = World::call_of(2);
    world.voice(0);
    world.clear();
    let before = fixed(&world);
    let mut buffer = [0_u8; 1_600];
    for length in 0..=1_501 {
        for first in 0..=255 {
            buffer[..16].copy_from_slice(&[first; 16]);
            world.sfu.handle_datagram(world.now, stranger(), &mut buffer[..length]);
        }
    }
    world.settle();

    assert_eq!(fixed(&world), before);
    assert!(world.clients.iter().all(|client| client.rtp.is_empty()));
    world.voice(0);
    assert_eq!(world.clients[1].received("a0").len(), 1);
}

#[test]
fn every_length_and_first_byte_from_a_peer_hurts_nobody_else() {
    let mut world = World::call_of(3);
    world.voice(0);
    world.voice(2);
    world.clear();
    let before = fixed(&world);
    let path = world.clients[2].path;
    let mut buffer = [0_u8; 1_600];
    let mut fill = 0x2545_f491_4f6c_dd1d_u64;
    for length in 0..=1_500 {
        for first in 0..=255_u8 {
            fill ^= fill << 13;
            fill ^= fill >> 7;
            fill ^= fill << 17;
            let at = length.min(8);
            buffer[..8].copy_from_slice(&fill.to_be_bytes());
            buffer[at..length].fill(fill as u8);
            buffer[0] = first;
            world.sfu.handle_datagram(world.now, path, &mut buffer[..length]);
        }
        // The rate limit would hide the parsers.
        world.now += Duration::from_millis(130);
        if length % 50 == 0 {
            for client in [0, 1, 2] {
                world.check(client);
            }
        }
        world.sfu.handle_timeout(world.now);
        world.settle();
    }

    let closed = world.events.iter().filter(|event| matches!(event, Event::Closed { .. })).count();
    assert_eq!(closed, 0);
    let after = fixed(&world);
    assert_eq!(
        (after.peers, after.tracks, after.streams),
        (before.peers, before.tracks, before.streams)
    );
    world.clear();
    world.check(0);
    world.check(1);
    world.voice(0);
    assert_eq!(world.clients[1].received("a0").len(), 1);
}

#[test]
fn truncated_and_altered_media_of_a_peer_is_refused_bit_by_bit() {
    let mut world = World::call_of(2);
    world.picture(0, Frame::Key);
    let forwarded = world.sfu.counters().forwarded_packets;
    let packet = world.clients[0].picture(Frame::Delta);
    for length in 0..packet.len() {
        world.datagram(0, packet[..length].to_vec());
        world.now += Duration::from_millis(1);
    }
    for bit in 0..400 {
        let mut altered = packet.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        world.datagram(0, altered);
        world.now += Duration::from_millis(1);
    }
    world.settle();
    assert_eq!(world.sfu.counters().forwarded_packets, forwarded);

    world.datagram(0, packet);
    world.settle();
    assert_eq!(world.sfu.counters().forwarded_packets, forwarded + 1);
}

#[test]
fn a_replayed_packet_is_dropped() {
    let mut world = World::call_of(2);
    let packet = world.clients[0].voice();
    for _ in 0..3 {
        world.datagram(0, packet.clone());
    }
    world.settle();

    assert_eq!(world.clients[1].received("a0").len(), 1);
    assert_eq!(world.sfu.counters().dropped_replay, 2);
}

/// Forged packets of random SSRCs that name a mid of ours, so that they pass every check but the tag.
fn flood(attempt: SrtpAttempt) -> World {
    let mut world = World::new();
    for _ in 0..2 {
        let at = world.join_with(CallKey(1), |client| {
            client.attempt = attempt;
            if attempt == SrtpAttempt::Fallback {
                client.offered.truncate(1);
            }
        });
        world.connect(at);
    }
    world.admit_all();
    world.voice(0);
    let before = fixed(&world);
    let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 1];
    packet.extend_from_slice(&[MID_EXTENSION << 4 | 2, b'c', b'a', b'm']);
    packet.resize(200, 7);
    for number in 0..100_000_u32 {
        packet[8..12].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_be_bytes());
        let mut forged = packet.clone();
        let path = world.clients[0].path;
        world.sfu.handle_datagram(world.now, path, &mut forged);
        if number % 1_000 == 0 {
            world.now += Duration::from_secs(1);
        }
        if number % 5_000 == 0 {
            for client in [0, 1] {
                world.check(client);
            }
        }
    }
    world.settle();
    assert_eq!(fixed(&world), before);
    assert_eq!(world.sfu.counters().media_packets_in, 1);
    world
}

#[test]
fn a_hundred_thousand_forged_ssrcs_leave_no_state() {
    let world = flood(SrtpAttempt::First);

    assert!(world.sfu.counters().dropped_authentication > 90_000);
}

#[test]
fn under_aes_cm_forged_ssrcs_are_tried_ten_times_a_second_at_most() {
    let world = flood(SrtpAttempt::Fallback);

    let counters = world.sfu.counters();
    assert!(counters.dropped_authentication <= 1_100, "{}", counters.dropped_authentication);
}

#[test]
fn rtcp_of_forged_senders_is_tried_ten_times_a_second_and_learned_only_if_authentic() {
    let mut world = World::call_of(2);
    let mut packet = vec![0x80, 201, 0, 1, 0, 0, 0, 0];
    packet.resize(60, 9);
    for number in 0..1_000_u32 {
        packet[4..8].copy_from_slice(&(number + 1_000_000).to_be_bytes());
        world.datagram(0, packet.clone());
    }
    let counters = *world.sfu.counters();
    assert_eq!(counters.dropped_authentication, 10);
    assert_eq!(counters.dropped_undeclared_ssrc, 990);

    world.advance(Duration::from_secs(1));
    for sender in 0..30_u32 {
        let mut report = vec![0x80, 201, 0, 1];
        report.extend_from_slice(&(sender + 50).to_be_bytes());
        world.rtcp(0, &report);
        world.advance(Duration::from_millis(200));
    }
    assert_eq!(world.sfu.counters().dropped_undeclared_ssrc, 990 + 14, "16 are learned");
}

#[test]
fn one_transport_brings_64_ssrcs_at_most() {
    let mut world = World::call_of(1);
    for number in 0..100_u32 {
        world.clients[0].cam.ssrc = 0x5000_0000 + number;
        world.picture(0, Frame::Key);
    }

    assert_eq!(world.sfu.occupancy().streams, 64);
    assert_eq!(world.sfu.counters().dropped_undeclared_ssrc, 36);
}

#[test]
fn a_peer_that_sends_too_much_is_cut_and_the_others_are_not() {
    let mut world = World::call_of(3);
    world.picture(0, Frame::Key);
    world.clear();
    for _ in 0..3_000 {
        let packet = world.clients[0].picture(Frame::Delta);
        world.datagram(0, packet);
        world.settle();
    }
    world.voice(2);

    assert!(world.sfu.counters().dropped_rate > 1_500);
    assert!(world.clients[1].received("v0").len() <= 1_250);
    assert_eq!(world.clients[1].received("a1").len() + world.clients[1].received("a0").len(), 1);
}

#[test]
fn a_peer_that_reports_too_much_is_cut_before_any_cipher_and_still_sends_media() {
    let mut world = World::call_of(3);
    world.voice(0);
    world.clear();
    let mut report = vec![0x80, 201, 0, 1];
    report.extend_from_slice(&world.clients[0].mic.ssrc.to_be_bytes());
    let mut forged = world.clients[0].seal_rtcp(&report);
    *forged.last_mut().unwrap() ^= 1;
    world.advance(Duration::from_secs(1));
    for _ in 0..3_000 {
        world.datagram(0, forged.clone());
    }

    let counters = *world.sfu.counters();
    assert_eq!((counters.dropped_authentication, counters.dropped_rate), (1_000, 2_000));
    world.voice(0);
    world.rtcp(2, &[0x80, 201, 0, 1, 0, 0, 0, 1]);
    assert_eq!(world.clients[1].received("a0").len(), 1, "its media has a budget of its own");
    assert_eq!(world.sfu.counters().dropped_rate, 2_000, "and so have the others");

    world.advance(Duration::from_secs(1));
    world.rtcp(0, &report);
    assert_eq!(world.sfu.counters().dropped_rate, 2_000, "a second later it is heard again");
}

#[test]
fn dtls_junk_after_the_handshake_is_bounded_and_ends_nothing() {
    let mut world = World::call_of(2);
    let before = world.sfu.counters().dropped_dtls_limit;
    for length in 13..200 {
        let mut junk = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0];
        junk.resize(length, 1);
        world.datagram(0, junk);
        world.settle();
    }

    assert!(world.sfu.counters().dropped_dtls_limit > before + 100);
    world.voice(0);
    assert_eq!(world.clients[1].received("a0").len(), 1);
}

#[test]
fn timestamps_and_clocks_at_their_extremes_are_only_numbers() {
    let mut world = World::call_of(2);
    world.picture(0, Frame::Key);
    let extremes = [0, u64::MAX, 1 << 63, (1 << 63) - 1, 1, u64::MAX - 1, 0x8000_0000];
    for round in 0..20 {
        for extreme in extremes {
            let low = u32::try_from(extreme & 0xffff_ffff).unwrap();
            world.clients[0].cam.timestamp = low.wrapping_mul(round);
            world.clients[0].cam.picture = u16::try_from(low & 0x7fff).unwrap();
            world.picture(0, Frame::Delta);
            let mut report = vec![0x81, 200, 0, 12];
            report.extend_from_slice(&world.clients[0].cam.ssrc.to_be_bytes());
            report.extend_from_slice(&extreme.to_be_bytes());
            report.extend_from_slice(&low.to_be_bytes());
            report.extend_from_slice(&[0xff; 8]);
            // A report block about a slot of its own, with a round trip out of reach.
            report.extend_from_slice(&world.clients[0].slot("v0").ssrc.0.to_be_bytes());
            report.extend_from_slice(&[0xff; 12]);
            report.extend_from_slice(&low.to_be_bytes());
            report.extend_from_slice(&low.to_be_bytes());
            world.rtcp(0, &report);
            world.check(0);
            world.check(1);
            world.advance(Duration::from_millis(300));
        }
    }

    assert_eq!(world.clients[1].received("v0").len(), 1 + 20 * extremes.len());
}

#[test]
fn a_publishers_clock_that_swings_around_the_edge_of_the_range_breaks_nothing() {
    let mut world = World::call_of(2);
    world.picture(0, Frame::Key);
    let edge = 1_u64 << 63;
    for offset in [edge - 10, edge + 1_000, edge - 1, edge, edge + 1, 0, u64::MAX] {
        let mut report = vec![0x80, 200, 0, 6];
        report.extend_from_slice(&world.clients[0].cam.ssrc.to_be_bytes());
        report.extend_from_slice(&world.ntp().wrapping_sub(offset).to_be_bytes());
        report.extend_from_slice(&[0xff; 12]);
        world.rtcp(0, &report);
    }
    world.advance(Duration::from_secs(2));
    world.picture(0, Frame::Delta);

    assert_eq!(world.clients[1].received("v0").len(), 2);
}
