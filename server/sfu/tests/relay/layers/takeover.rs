//! A publisher that goes on under a new SSRC (a new encoder, a new camera, a page that was thawed): RFC 3550 §8.2 lets a
//! source change its SSRC, and its numbers begin anew with it.

use super::*;

/// A layer's stream under an SSRC of its own, with numbers that have nothing to do with the old ones.
fn move_layer(world: &mut World, layer: usize) {
    let stream = &mut world.clients[0].layers[layer];
    stream.ssrc += 9;
    stream.sequence = stream.sequence.wrapping_add(20_000);
    stream.timestamp = stream.timestamp.wrapping_add(77_000_000);
}

/// A frame of a layer comes; nothing is sent on yet.
fn comes(world: &mut World, layer: usize, kind: Frame) {
    let packet = world.clients[0].layer_plain(layer, kind);
    let packet = world.clients[0].seal(&packet);
    world.datagram(0, packet);
}

#[test]
fn a_slot_about_to_turn_to_a_layer_never_begins_with_a_keyframe_of_its_old_ssrc() {
    let mut world = watched_by(&[180]);
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[0, 1, 2], FRAME * 3);
    want(&mut world, 1, 720);
    world.clear();

    // In one batch: the keyframe that was waited for, and the first packets under the new SSRC.
    comes(&mut world, 2, Frame::Key);
    move_layer(&mut world, 2);
    comes(&mut world, 2, Frame::Delta);
    comes(&mut world, 0, Frame::Delta);
    world.settle();
    play(&mut world, &[0, 1, 2], FRAME * 3);

    assert_eq!(shown(&world, 1), [0], "the small one goes on meanwhile");
    world.advance(Duration::from_millis(400));
    assert_eq!(asked(&world), [2], "of the new SSRC");
    keyframes(&mut world, &[2]);
    play(&mut world, &[0, 1, 2], FRAME * 3);
    assert_eq!(shown(&world, 1), [0, 2]);
    assert_continuous(&world.clients[1].received("v0"));
}

#[test]
fn what_still_comes_under_the_old_ssrc_is_dropped_and_counted() {
    let mut world = watched_by(&[720]);
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[2], FRAME * 3);
    let late = world.clients[0].layer_plain(2, Frame::Delta);
    let late = world.clients[0].seal(&late);
    move_layer(&mut world, 2);
    keyframes(&mut world, &[2]);
    play(&mut world, &[2], FRAME * 3);
    let before = *world.sfu.counters();

    world.datagram(0, late);
    world.settle();

    let after = world.sfu.counters();
    assert_eq!(after.forwarded_packets, before.forwarded_packets);
    assert_eq!(after.dropped_undeclared_ssrc, before.dropped_undeclared_ssrc + 1);
    assert_continuous(&world.clients[1].received("v0"));
}

#[test]
fn what_was_sent_under_the_old_ssrc_is_not_mixed_into_repairs_of_the_new_one() {
    let mut world = watched_by(&[720]);
    keyframes(&mut world, &[0, 1, 2]);
    play(&mut world, &[2], FRAME * 3);
    let old = world.clients[1].received("v0").last().unwrap().sequence();
    move_layer(&mut world, 2);
    keyframes(&mut world, &[2]);
    let slot = world.clients[1].slot("v0");
    world.clear();
    let mut nack = vec![0x81, 205, 0, 3, 0, 0, 0, 1];
    nack.extend(slot.ssrc.0.to_be_bytes());
    nack.extend(old.to_be_bytes());
    nack.extend([0, 0]);

    world.rtcp(1, &nack);

    let refused = world.sfu.counters().refused_retransmissions;
    assert_eq!(refused, 1, "the picture has begun anew: nobody needs the old frame");
    assert!(world.clients[1].rtp.iter().all(|it| Some(Ssrc(it.ssrc())) != slot.rtx));
}

#[test]
fn a_voice_under_a_new_ssrc_goes_on_at_once_and_in_the_same_numbers() {
    let mut world = World::new();
    for _ in 0..2 {
        // By its mid alone: `a=ssrc` would have named the one SSRC that the line may have.
        let at = world.join_with(CallKey(1), |client| {
            let mic = client.plan.publish.iter_mut().find(|line| line.source == Source::Mic);
            mic.unwrap().ssrcs.clear();
        });
        world.connect(at);
    }
    world.admit_all();
    for _ in 0..5 {
        world.voice(0);
        world.advance(Duration::from_millis(20));
    }
    world.clients[0].mic.ssrc += 9;
    world.clients[0].mic.sequence = 9_000;
    world.clients[0].mic.timestamp = 3_000_000_000;
    for _ in 0..5 {
        world.voice(0);
        world.advance(Duration::from_millis(20));
    }

    let heard = world.clients[1].received("a0");
    assert_eq!(heard.len(), 10);
    for pair in heard.windows(2) {
        assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
        let step = pair[1].timestamp().wrapping_sub(pair[0].timestamp());
        assert!((1..=2 * 960).contains(&step), "{step} ticks of 48 kHz");
    }
    assert!(heard[5].marker(), "a talk spurt begins");
}
