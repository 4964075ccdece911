//! From the first check to the keys, and to the end.

use std::net::SocketAddr;
use std::time::Duration;

use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use sfu::command::Command;
use sfu::event::{CloseReason, Event, Liveness, SrtpProfile};
use sfu::plan::{CallKey, Fingerprint, IceCredentials, PeerKey, Source, SrtpAttempt};
use sfu::{Path, Via};

use crate::client::Frame;
use crate::stun::Nominate;
use crate::world::World;

const CALL: CallKey = CallKey(1);

fn closed(world: &World) -> Vec<(PeerKey, CloseReason)> {
    let closed = |event: &Event| match event {
        Event::Closed { peer, reason } => Some((*peer, *reason)),
        _ => None,
    };
    world.events.iter().filter_map(closed).collect()
}

#[test]
fn a_voice_passes_from_join_over_dtls_to_the_decrypted_packet_of_each_subscriber() {
    let mut world = World::call_of(3);

    for _ in 0..50 {
        world.voice(0);
        world.advance(Duration::from_millis(20));
    }

    for listener in [1, 2] {
        let heard = world.clients[listener].received("a0");
        assert_eq!(heard.len(), 50);
        let first = world.clients[listener].slot("a0").first_sequence;
        for (packet, step) in heard.iter().zip(0_u16..) {
            assert_eq!(packet.sequence(), first + step);
            assert_eq!(packet.pt(), 111);
            assert_eq!(packet.payload()[..79], [0x78; 79]);
        }
        let spacing = heard[9].timestamp().wrapping_sub(heard[8].timestamp());
        assert_eq!(spacing, 960);
    }
    assert!(world.clients[0].rtp.is_empty(), "nobody hears himself");
}

#[test]
fn the_first_attempt_agrees_on_gcm_128_and_the_fallback_on_what_the_browser_has() {
    use SrtpProtectionProfile::{Srtp_Aead_Aes_256_Gcm, Srtp_Aes128_Cm_Hmac_Sha1_80};
    let cases = [
        (SrtpAttempt::First, None, SrtpProfile::AeadAes128Gcm),
        (SrtpAttempt::Fallback, Some(Srtp_Aead_Aes_256_Gcm), SrtpProfile::AeadAes256Gcm),
        (SrtpAttempt::Fallback, Some(Srtp_Aes128_Cm_Hmac_Sha1_80), SrtpProfile::Aes128CmSha1_80),
    ];
    let mut world = World::new();
    for (attempt, only, profile) in cases {
        let at = world.join_with(CALL, |client| {
            client.attempt = attempt;
            client.offered = only.map_or_else(|| client.offered.clone(), |only| vec![only]);
        });
        world.connect(at);
        let peer = world.clients[at].key;
        assert!(world.events.contains(&Event::Connected { peer, profile }), "{profile:?}");
    }
    world.admit_all();

    for at in 0..3 {
        world.voice(at);
        world.picture(at, Frame::Key);
        world.picture(at, Frame::Delta);
    }
    world.settle();

    for at in 0..3 {
        let voices = ["a0", "a1"].map(|mid| world.clients[at].received(mid).len());
        let pictures = ["v0", "v1"].map(|mid| world.clients[at].received(mid).len());
        assert_eq!((voices, pictures), ([1, 1], [2, 2]));
    }
    assert_eq!(world.sfu.counters().handshakes_with_fallback_profile, 2);
}

#[test]
fn a_browser_without_gcm_128_is_told_to_try_the_fallback() {
    let mut world = World::new();
    let at = world.join_with(CALL, |client| {
        client.offered = vec![SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80];
    });

    world.connect(at);

    assert_eq!(closed(&world), [(world.clients[at].key, CloseReason::DtlsSrtpProfile)]);
}

#[test]
fn a_certificate_that_is_not_the_one_of_the_offer_closes_and_nothing_is_forwarded() {
    let mut world = World::call_of(1);
    let at = world.join_with(CALL, |client| client.fingerprint = Fingerprint([7; 32]));

    world.connect(at);
    world.admit_all();
    world.voice(0);

    assert_eq!(closed(&world), [(world.clients[at].key, CloseReason::DtlsFingerprint)]);
    assert_eq!(world.sfu.counters().forwarded_packets, 0);
    assert_eq!(world.sfu.occupancy().peers, 1);
}

#[test]
fn a_browser_without_a_certificate_is_closed() {
    let mut world = World::new();
    let at = world.join_with(CALL, |client| client.certificate = None);

    world.connect(at);
    world.advance_with_checks(31);

    let reasons: Vec<_> = closed(&world).into_iter().map(|(_, reason)| reason).collect();
    assert!(
        matches!(reasons[..], [CloseReason::DtlsFingerprint | CloseReason::DtlsTimeout]),
        "{reasons:?}"
    );
    assert_eq!(world.sfu.counters().handshakes, 0);
}

#[test]
fn a_handshake_that_does_not_come_is_given_up_after_30_seconds() {
    let mut world = World::new();
    world.join(CALL);

    world.advance_with_checks(29);
    assert_eq!(closed(&world), []);
    world.advance_with_checks(2);

    assert_eq!(closed(&world), [(world.clients[0].key, CloseReason::DtlsTimeout)]);
}

#[test]
fn nothing_is_sent_before_an_authenticated_check_and_dtls_before_it_is_dropped() {
    let mut world = World::new();
    let at = world.join(CALL);
    let now = world.now;

    world.clients[at].start_handshake(now);
    world.settle();

    assert!(world.sfu.counters().dropped_unknown_address > 0);
    assert_eq!(world.sfu.counters().control_packets_out, 0);
    assert_eq!(world.clients[at].stun_answers, 0);
    world.check(at);
    assert_eq!(world.clients[at].stun_answers, 1);
}

#[test]
fn a_check_with_a_wrong_password_or_an_unknown_ufrag_gets_no_answer() {
    let mut world = World::new();
    let at = world.join(CALL);
    let right = world.clients[at].ice.clone();

    world.clients[at].ice =
        IceCredentials { pwd: "another password of length".into(), ..right.clone() };
    world.check(at);
    world.clients[at].ice = IceCredentials { ufrag: "nobody00".into(), ..right };
    world.check(at);

    assert_eq!(world.clients[at].stun_answers, 0);
    assert_eq!(world.sfu.occupancy().addresses, 0);
    let counters = world.sfu.counters();
    assert_eq!((counters.dropped_stun_integrity, counters.dropped_stun_unknown_ufrag), (1, 1));
}

#[test]
fn without_checks_sending_stops_after_15_seconds_and_the_transport_ends_after_30() {
    let mut world = World::call_of(2);
    world.voice(0);
    world.clear();

    for second in 0..40 {
        world.check(0);
        world.voice(0);
        let heard = world.clients[1].rtp.len();
        if second == 14 {
            assert_eq!(heard, 15);
        }
        world.advance(Duration::from_secs(1));
    }

    assert_eq!(world.clients[1].rtp.len(), 15, "one each second of the first 15");
    assert_eq!(closed(&world), [(world.clients[1].key, CloseReason::ConsentExpired)]);
}

#[test]
fn a_nominated_check_from_a_new_address_moves_the_media_there() {
    let mut world = World::call_of(2);
    world.voice(0);
    let elsewhere = Path { remote: SocketAddr::from(([203, 0, 113, 5], 5_555)), via: Via::Udp };
    world.clear();

    world.clients[1].path = elsewhere;
    let mut check = world.clients[1].check(Nominate::No);
    world.sfu.handle_datagram(world.now, elsewhere, &mut check);
    world.voice(0);
    assert_eq!(world.clients[1].rtp.len(), 0, "not nominated yet");
    world.check(1);
    world.voice(0);

    assert_eq!(world.clients[1].rtp.len(), 1);
    // And media from there is taken.
    world.voice(1);
    assert_eq!(world.clients[0].received("a0").len(), 1);
}

#[test]
fn more_than_ten_new_addresses_a_second_are_refused() {
    let mut world = World::call_of(1);
    world.advance(Duration::from_secs(2));
    let mut check = world.clients[0].check(Nominate::No);
    for port in 0..20 {
        let path =
            Path { remote: SocketAddr::from(([203, 0, 113, 5], 1_000 + port)), via: Via::Udp };
        world.sfu.handle_datagram(world.now, path, &mut check);
    }

    assert_eq!(world.sfu.occupancy().addresses, 11);
    assert_eq!(world.sfu.counters().dropped_rebinding, 10);
}

#[test]
fn a_telephone_keeps_all_its_ways_by_udp_and_tcp() {
    let mut world = World::new();
    let at = world.join(CallKey(1));
    let interfaces: Vec<SocketAddr> =
        (0..5).map(|host| SocketAddr::from(([203, 0, 113, host], 5_000))).collect();
    // To each of two addresses of ours a connection of its own.
    let connections = (0..10).map(|number: u16| {
        let host = u8::try_from(number / 2).unwrap();
        let remote = SocketAddr::from(([203, 0, 113, host], 6_000 + number));
        Path { remote, via: Via::Tcp(number.into()) }
    });
    let udp = interfaces.iter().map(|remote| Path { remote: *remote, via: Via::Udp });
    let ways: Vec<Path> = udp.chain(connections).collect();
    for round in 0..40_usize {
        // As a browser does: one in 50 ms, and again what was not answered.
        if let Some(path) = ways.get(round % ways.len()) {
            let mut check = world.clients[at].check(Nominate::No);
            world.sfu.handle_datagram(world.now, *path, &mut check);
            world.settle();
        }
        world.advance(Duration::from_millis(50));
    }

    assert!(ways.iter().all(|path| world.sfu.holds(*path)));
}

#[test]
fn a_neighbours_live_address_cannot_be_taken_over() {
    let mut world = World::call_of(2);
    let mut check = world.clients[1].check(Nominate::Yes);
    let victim = world.clients[0].path;

    world.sfu.handle_datagram(world.now, victim, &mut check);
    world.settle();
    world.voice(0);

    assert_eq!(world.sfu.counters().dropped_rebinding, 1);
    assert_eq!(world.clients[1].received("a0").len(), 1, "the victim is still heard");
}

#[test]
fn an_ice_restart_changes_the_path_without_a_new_handshake_and_ends_the_old_password() {
    let mut world = World::call_of(2);
    let old = world.clients[1].ice.clone();
    let new = IceCredentials {
        ufrag: "restarted1".into(),
        pwd: "a new password of 24 characters".into(),
    };
    let (peer, plan) = (world.clients[1].key, world.clients[1].plan.clone());
    let theirs = world.clients[1].theirs();
    world.command(Command::Restart { peer, ice: new.clone(), theirs, plan });

    world.check(1);
    assert_eq!(world.sfu.counters().dropped_stun_unknown_ufrag, 0, "the old one is still valid");
    world.clients[1].ice = new;
    world.clients[1].path.remote = SocketAddr::from(([203, 0, 113, 9], 999));
    world.check(1);
    world.voice(0);
    assert_eq!(world.clients[1].received("a0").len(), 1);

    world.advance_with_checks(7);
    world.clients[1].ice = old;
    world.check(1);
    assert_eq!(world.sfu.counters().dropped_stun_unknown_ufrag, 1);
    assert_eq!(world.sfu.counters().handshakes, 2);
}

#[test]
fn a_path_over_tcp_is_another_one_than_over_udp() {
    let mut world = World::new();
    let at = world.join_with(CALL, |client| client.path.via = Via::Tcp(7));
    world.connect(at);
    assert_eq!(world.sfu.counters().handshakes, 1);

    let mut junk = vec![0x80, 96, 0, 0];
    let udp = Path { via: Via::Udp, ..world.clients[at].path };
    world.sfu.handle_datagram(world.now, udp, &mut junk);

    assert_eq!(world.sfu.counters().dropped_unknown_address, 1);
}

#[test]
fn after_leave_nothing_is_sent_or_taken_and_every_table_is_at_its_baseline() {
    let mut world = World::call_of(3);
    for at in 0..3 {
        world.picture(at, Frame::Key);
        world.voice(at);
    }
    world.clear();
    let peer = world.clients[1].key;
    // A packet is waiting to be sent at the moment of leaving.
    let packet = world.clients[0].voice();
    world.datagram(0, packet);

    world.command(Command::Leave { peer });
    world.voice(0);
    world.voice(1);
    world.check(1);
    world.advance(Duration::from_millis(1_500));

    assert!(world.events.contains(&Event::Left { peer }));
    assert!(world.clients[1].rtp.is_empty() && world.clients[1].rtcp.is_empty());
    assert_eq!(world.clients[2].received("a0").len(), 2);
    let gone = |event: &&Event| matches!(event, Event::Slot { track: None, .. });
    assert_eq!(world.events.iter().filter(gone).count(), 4, "voice and face at two subscribers");

    for peer in [1, 3] {
        world.command(Command::Leave { peer: PeerKey(peer) });
    }
    let rest = world.sfu.occupancy();
    let empty = sfu::sfu::Occupancy { cache_bytes: rest.cache_bytes, ..Default::default() };
    assert_eq!(rest, empty);
    world.command(Command::Leave { peer });
    assert_eq!(world.events.last(), Some(&Event::Left { peer }), "asked again, answered again");
}

#[test]
fn liveness_follows_media_and_comes_back() {
    let mut world = World::call_of(2);
    let peer = world.clients[0].key;
    for _ in 0..50 {
        world.voice(0);
        world.advance(Duration::from_millis(20));
    }
    world.clear();

    world.advance(Duration::from_millis(1_500));
    let quiet = Event::Liveness { peer, state: Liveness::Quiet };
    assert!(!world.events.contains(&quiet));
    world.advance(Duration::from_millis(200));
    assert!(world.events.contains(&quiet), "1.6 s after its last packet");
    let down = Event::TrackDown { track: world.clients[0].track(Source::Mic) };
    world.advance(Duration::from_secs(1));
    assert!(world.events.contains(&down));

    world.clear();
    world.check(0);
    assert_eq!(world.events, [Event::Liveness { peer, state: Liveness::Heard }]);
}

#[test]
fn a_listener_whose_line_loses_a_third_is_not_taken_for_gone() {
    let mut world = World::call_of(2);
    let mut dice = 1_u32;
    let mut arrives = || {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        dice >> 16 >= 0x1_0000 * 3 / 10
    };
    // Ten minutes: in silence a packet of sound each 400 ms, and feedback ten times a second.
    for tenth in 0..6_000 {
        if tenth % 4 == 0 && arrives() {
            world.voice(0);
        }
        if arrives() {
            world.report_loss(0, 77);
        }
        if tenth % 25 == 0 {
            world.check(0);
            world.check(1);
        }
        world.advance(Duration::from_millis(100));
    }
    let is_quiet = |event: &Event| matches!(event, Event::Liveness { state: Liveness::Quiet, .. });
    assert!(!world.events.iter().any(is_quiet));
}

#[test]
fn ten_thousand_half_open_joins_leave_nothing_behind() {
    let mut world = World::new();
    let template = world.join(CALL);
    let Command::Join { call, theirs, fingerprint, srtp, plan, .. } =
        world.clients[template].join()
    else {
        panic!("a join")
    };
    for number in 0..10_000_u32 {
        world.sfu.handle_command(
            world.now,
            Command::Join {
                call,
                peer: PeerKey(100 + number),
                ice: IceCredentials { ufrag: format!("half{number:06}"), pwd: "p".repeat(24) },
                theirs: theirs.clone(),
                fingerprint,
                srtp,
                plan: sfu::plan::Plan { publish: plan.publish.clone(), slots: vec![] },
            },
        );
    }
    assert_eq!(world.sfu.occupancy().peers, 10_001);

    world.advance(Duration::from_secs(31));

    assert_eq!(world.sfu.occupancy(), sfu::sfu::Occupancy::default());
}
