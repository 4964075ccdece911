//! Repair, keyframe requests, reports, the speaker.

use std::time::Duration;

use rtc_rtcp::packet::unmarshal;
use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc_rtcp::receiver_report::ReceiverReport;
use rtc_rtcp::sender_report::SenderReport;
use rtc_rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc_rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc_shared::marshal::Marshal as _;
use sfu::event::{Event, Loss};
use sfu::plan::{CallKey, PeerKey, Ssrc};

use crate::client::Frame;
use crate::world::World;

fn all<T: Clone + 'static>(world: &World, client: usize) -> Vec<T> {
    let packets = world.clients[client].rtcp.iter();
    packets
        .flat_map(|compound| unmarshal(&mut &compound[..]).unwrap())
        .filter_map(|packet| packet.as_any().downcast_ref::<T>().cloned())
        .collect()
}

fn pli(media: Ssrc) -> Vec<u8> {
    let mut packet = vec![0x81, 206, 0, 2, 0, 0, 0, 1];
    packet.extend_from_slice(&media.0.to_be_bytes());
    packet
}

fn nack(media: Ssrc, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x81, 205, 0, 3, 0, 0, 0, 1];
    packet.extend_from_slice(&media.0.to_be_bytes());
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&[0, 0]);
    packet
}

/// Transport-wide feedback: so many packets came from this one on, 20 ms apart.
fn arrived(base: u16, count: u8) -> Vec<u8> {
    let mut packet = vec![0x8f, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
    packet.extend(base.to_be_bytes());
    packet.extend([0, count, 0, 0, 1, 0, 0x20, count]);
    packet.extend(vec![80; count.into()]);
    packet.resize(packet.len().next_multiple_of(4), 0);
    packet[3] = u8::try_from(packet.len() / 4 - 1).unwrap();
    packet
}

#[test]
fn a_picture_whose_line_stopped_to_answer_is_called_paused_after_a_second_and_a_half() {
    for phase in [0, 250, 500, 750] {
        let mut world = World::call_of(2);
        world.advance(Duration::from_millis(phase));
        world.picture(0, Frame::Key);
        let mut base = 1;
        let mut is_paused_after = |world: &mut World, tenths: usize, answers: bool| {
            for _ in 0..tenths {
                world.check(1);
                world.picture(0, Frame::Delta);
                world.voice(0);
                if answers {
                    world.rtcp(1, &arrived(base, 2));
                }
                base += 2;
                world.advance(Duration::from_millis(100));
            }
            world.events.iter().any(|event| matches!(event, Event::VideoPaused { .. }))
        };
        assert!(!is_paused_after(&mut world, 20, true), "{phase}: the line answers");
        assert!(!is_paused_after(&mut world, 14, false), "{phase}: it may still");
        assert!(is_paused_after(&mut world, 1, false), "{phase}: it is silent");
    }
}

#[test]
fn a_thousand_keyframe_requests_a_second_cost_the_publisher_five() {
    let mut world = World::call_of(4);
    world.picture(0, Frame::Key);
    world.advance(Duration::from_secs(1));
    world.clear();

    for _ in 0..250 {
        for at in 1..4 {
            let media = world.clients[at].slot("v0").ssrc;
            world.rtcp(at, &pli(media));
        }
        world.advance(Duration::from_millis(4));
    }

    let sent = all::<PictureLossIndication>(&world, 0);
    assert!((4..=6).contains(&sent.len()), "{}", sent.len());
    assert!(sent.iter().all(|it| it.media_ssrc == world.clients[0].cam.ssrc));
    assert_eq!(world.sfu.counters().keyframe_requests_received, 750);
}

#[test]
fn a_lost_packet_is_sent_again_once_a_round_trip_under_the_slots_rtx_ssrc() {
    let mut world = World::call_of(2);
    world.picture(0, Frame::Key);
    for _ in 0..10 {
        world.picture(0, Frame::Delta);
    }
    let slot = world.clients[1].slot("v0");
    let lost = world.clients[1].received("v0")[4].clone();
    world.clear();

    for _ in 0..5 {
        world.rtcp(1, &nack(slot.ssrc, lost.sequence()));
    }
    world.advance(Duration::from_millis(150));
    world.rtcp(1, &nack(slot.ssrc, lost.sequence()));
    world.rtcp(1, &nack(slot.ssrc, lost.sequence().wrapping_add(500)));

    let resent: Vec<_> =
        world.clients[1].rtp.iter().filter(|it| Some(Ssrc(it.ssrc())) == slot.rtx).collect();
    assert_eq!(resent.len(), 2);
    for packet in resent {
        assert_eq!(packet.pt(), 97);
        assert_eq!(packet.timestamp(), lost.timestamp());
        assert_eq!(packet.payload()[..2], lost.sequence().to_be_bytes());
        assert_eq!(packet.payload()[2..], *lost.payload());
    }
    assert_eq!(world.sfu.counters().retransmitted_packets, 2);
}

#[test]
fn after_leaving_the_audience_even_retransmissions_stop() {
    let mut world = World::call_of(2);
    world.picture(0, Frame::Key);
    let slot = world.clients[1].slot("v0");
    let sequence = world.clients[1].received("v0")[0].sequence();
    world.admit(0, &[]);
    world.clear();

    world.rtcp(1, &nack(slot.ssrc, sequence));

    assert!(world.clients[1].rtp.is_empty());
}

#[test]
fn what_the_publishers_line_lost_is_asked_for_and_its_repair_reaches_the_subscriber() {
    let mut world = World::call_of(2);
    world.picture(0, Frame::Key);
    world.clear();
    let lost = world.clients[0].picture_plain(Frame::Delta);
    for _ in 0..3 {
        world.picture(0, Frame::Delta);
    }
    world.advance(Duration::from_millis(20));

    let asked = all::<TransportLayerNack>(&world, 0);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].media_ssrc, world.clients[0].cam.ssrc);
    let sequence = u16::from_be_bytes([lost[2], lost[3]]);
    assert_eq!(asked[0].nacks[0].packet_list(), [sequence]);

    for _ in 0..2 {
        let repair = world.clients[0].repair(&lost);
        world.datagram(0, repair);
    }
    world.settle();
    let mut numbers: Vec<_> =
        world.clients[1].received("v0").iter().map(|it| it.sequence()).collect();
    assert_eq!(numbers.len(), 4);
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    assert_eq!(world.sfu.counters().recovered_packets, 1, "the second was a duplicate");
}

#[test]
fn a_packet_that_cannot_be_restored_becomes_a_keyframe_request() {
    let mut world = World::call_of(2);
    world.picture(0, Frame::Key);
    world.clear();
    world.clients[0].picture_plain(Frame::Delta);
    for _ in 0..110 {
        world.picture(0, Frame::Delta);
        world.advance(Duration::from_millis(10));
    }

    let asked = all::<TransportLayerNack>(&world, 0).len();
    assert!((5..=10).contains(&asked), "about once a round trip of 100 ms: {asked}");
    assert_eq!(all::<PictureLossIndication>(&world, 0).len(), 1);
}

#[test]
fn a_publisher_gets_arrival_times_ten_times_a_second_and_reports_once() {
    let mut world = World::call_of(2);
    world.clear();
    for _ in 0..100 {
        world.voice(0);
        world.advance(Duration::from_millis(20));
    }

    let feedback = all::<TransportLayerCc>(&world, 0);
    assert!((18..=22).contains(&feedback.len()), "{}", feedback.len());
    let reported: u32 = feedback.iter().map(|it| u32::from(it.packet_status_count)).sum();
    assert!((95..=100).contains(&reported), "{reported}");
    assert!(feedback.windows(2).all(|pair| {
        pair[1].base_sequence_number
            == pair[0].base_sequence_number.wrapping_add(pair[0].packet_status_count)
    }));
    let reports = all::<ReceiverReport>(&world, 0);
    assert!((2..=3).contains(&reports.len()), "{}", reports.len());
    assert_eq!(reports[1].reports[0].fraction_lost, 0);
    assert_eq!(reports[1].reports[0].ssrc, world.clients[0].mic.ssrc);
}

#[test]
fn sender_reports_carry_voice_and_face_over_to_one_clock() {
    let mut world = World::call_of(2);
    world.picture(0, Frame::Key);
    world.voice(0);
    // The publisher's clock is an hour off; voice and face were captured at the same moment.
    let ntp: u64 = 0x1234_5678_0000_0000;
    let (mic, cam) = (world.clients[0].mic, world.clients[0].cam);
    for stream in [mic, cam] {
        let mut report = vec![0x80, 200, 0, 6];
        report.extend_from_slice(&stream.ssrc.to_be_bytes());
        report.extend_from_slice(&ntp.to_be_bytes());
        report.extend_from_slice(&stream.timestamp.to_be_bytes());
        report.extend_from_slice(&[0; 8]);
        world.rtcp(0, &report);
    }
    world.clear();
    let shown = |world: &World, mid: &str, stream_rate: u32| {
        let slot = world.clients[1].slot(mid);
        let reports = all::<SenderReport>(world, 1);
        let report = reports.iter().rev().find(|it| it.ssrc == slot.ssrc.0).unwrap().clone();
        (report.ntp_time, report.rtp_time, stream_rate)
    };
    for _ in 0..60 {
        world.voice(0);
        world.advance(Duration::from_millis(20));
    }
    world.picture(0, Frame::Delta);

    // The capture time of the first packets, as the subscriber reckons it from either report, must be the same.
    let first_voice = world.clients[1].received("a0")[0].clone();
    let first_picture = world.clients[1].received("v0")[0].clone();
    let (ntp_a, rtp_a, rate_a) = shown(&world, "a0", 48_000);
    let (ntp_v, rtp_v, rate_v) = shown(&world, "v0", 90_000);
    let voice_back = rtp_a.wrapping_sub(first_voice.timestamp()).cast_signed();
    let picture_back = rtp_v.wrapping_sub(first_picture.timestamp()).cast_signed();
    let captured = |ntp: u64, ticks: i32, rate: u32| {
        ntp as f64 / f64::from(u32::MAX) - f64::from(ticks) / f64::from(rate)
    };
    // In the source, the packets carried the reports' timestamps plus these ticks.
    let voice_after = captured(ntp_a, voice_back, rate_a) - f64::from(960) / f64::from(rate_a);
    let picture_after =
        captured(ntp_v, picture_back, rate_v) - f64::from(3_000) / f64::from(rate_v);
    let skew = (voice_after - picture_after + 0.0133).abs() - 0.0133;
    assert!(skew.abs() < 0.04, "{skew} s between voice and face");
}

#[test]
fn the_loudest_voice_becomes_the_speaker_within_600_ms_and_silence_ends_it() {
    let mut world = World::call_of(3);
    let speakers = |world: &World| -> Vec<_> {
        let speaker = |event: &Event| match event {
            Event::Speaker { call: CallKey(1), peer } => Some(*peer),
            _ => None,
        };
        world.events.iter().filter_map(speaker).collect()
    };
    let talk = |world: &mut World, levels: [u8; 3], ms: u64| {
        for _ in 0..ms / 20 {
            for (at, level) in levels.into_iter().enumerate() {
                world.clients[at].level = level;
                world.voice(at);
            }
            world.advance(Duration::from_millis(20));
        }
    };

    talk(&mut world, [100, 20, 90], 620);
    assert_eq!(speakers(&world), [Some(PeerKey(2))]);
    talk(&mut world, [10, 60, 90], 620);
    assert_eq!(speakers(&world), [Some(PeerKey(2)), Some(PeerKey(1))]);
    talk(&mut world, [100, 100, 100], 2_400);
    assert_eq!(speakers(&world).last(), Some(&None));
}

#[test]
fn a_line_that_loses_a_tenth_is_told_once_and_called_good_only_after_five_good_seconds() {
    let mut world = World::call_of(2);
    let peer = world.clients[0].key;
    let told = |world: &World| -> Vec<Loss> {
        let of = |event: &Event| match event {
            Event::Losses { peer: whose, from, .. } if *whose == peer => Some(*from),
            _ => None,
        };
        world.events.iter().filter_map(of).collect()
    };
    let second = |world: &mut World, lost: u32| {
        for packet in 0..50 {
            if packet % 10 < lost {
                world.clients[0].voice();
            } else {
                world.voice(0);
            }
            world.advance(Duration::from_millis(20));
        }
        world.check(0);
        world.check(1);
    };

    (0..12).for_each(|_| second(&mut world, 1));
    assert!(
        matches!(told(&world)[..], [Loss::Five] | [Loss::Five, Loss::Ten]),
        "{:?}",
        told(&world)
    );
    world.clear();
    (0..4).for_each(|_| second(&mut world, 0));
    assert_eq!(told(&world), []);
    (0..8).for_each(|_| second(&mut world, 0));
    assert_eq!(told(&world), [Loss::Little]);
}

#[test]
fn what_a_subscriber_reports_lost_is_its_loss() {
    let mut world = World::call_of(2);
    let (peer, media) = (world.clients[1].key, world.clients[1].slot("a0").ssrc);
    let report = ReceiverReport {
        ssrc: 1,
        reports: vec![rtc_rtcp::reception_report::ReceptionReport {
            ssrc: media.0,
            fraction_lost: 77,
            ..Default::default()
        }],
        ..Default::default()
    };
    for _ in 0..8 {
        for _ in 0..50 {
            world.voice(0);
            world.advance(Duration::from_millis(20));
        }
        world.rtcp(1, &report.marshal().unwrap());
        world.check(0);
        world.check(1);
    }

    let lossy = |event: &&Event| matches!(event, Event::Losses { peer: whose, to, .. } if *whose == peer && *to >= Loss::Twenty);
    assert!(world.events.iter().any(|event| lossy(&event)), "{:?}", world.events);
}
