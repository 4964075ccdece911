//! More people than seats, as in an ECHO session: whoever speaks is heard.

use std::time::Duration;

use sfu::command::{Command, Wish};
use sfu::event::Event;
use sfu::plan::{CallKey, PeerKey, Receives, Source};

use crate::world::World;

/// Everybody sends; only one of them speaks.
fn talk(world: &mut World, speaker: Option<usize>, ms: u64) {
    for step in 0..ms / 20 {
        for at in 0..world.clients.len() {
            world.clients[at].level = if Some(at) == speaker { 20 } else { 120 };
            world.voice(at);
            if step % 50 == 0 {
                world.check(at);
            }
        }
        world.advance(Duration::from_millis(20));
    }
}

/// Six people have as loud a fan beside them, and somebody else speaks.
fn talk_among_fans(world: &mut World, speaker: Option<usize>, ms: u64) {
    for step in 0..ms / 20 {
        for at in 0..world.clients.len() {
            let waver = u8::try_from(step % 4).unwrap();
            // A word of 0.4 s and a pause of 0.1 s.
            let word = if step % 25 < 20 { 20 } else { 60 };
            world.clients[at].level = if Some(at) == speaker { word } else { 35 + waver };
            world.voice(at);
            if step % 50 == 0 {
                world.check(at);
            }
        }
        world.advance(Duration::from_millis(20));
    }
}

/// Whose voice each subscriber's seats carry, by the newest word of the relay.
fn seated(world: &World, subscriber: usize) -> Vec<PeerKey> {
    let client = &world.clients[subscriber];
    let voices = ["a0", "a1", "a2"].map(|mid| client.slot(mid).mid);
    let newest = |voice| {
        let mut slots = world.events.iter().rev().filter_map(|event| match event {
            Event::Slot { peer, mid, track, .. } if *peer == client.key && *mid == voice => {
                Some(track.filter(|track| track.source == Source::Mic))
            }
            _ => None,
        });
        slots.next().flatten()
    };
    voices.into_iter().filter_map(newest).map(|track| track.peer).collect()
}

#[test]
fn whoever_begins_to_speak_is_heard_by_everybody_within_a_second() {
    let mut world = World::call_of(8);
    talk(&mut world, None, 1_000);
    for speaker in [7, 4, 5, 6, 0] {
        // The one before keeps the seat for two seconds; the others have been silent for longer.
        talk(&mut world, Some(speaker), 1_000);
        let key = world.clients[speaker].key;
        for subscriber in (0..8).filter(|it| *it != speaker) {
            assert!(
                seated(&world, subscriber).contains(&key),
                "{subscriber} does not hear {speaker}"
            );
        }
        talk(&mut world, None, 2_000);
    }
}

#[test]
fn a_fan_holds_no_seat_against_somebody_who_speaks() {
    let mut world = World::call_of(8);
    talk_among_fans(&mut world, None, 20_000);
    for speaker in [7, 4, 0] {
        talk_among_fans(&mut world, Some(speaker), 1_500);
        let key = world.clients[speaker].key;
        for subscriber in (0..8).filter(|it| *it != speaker) {
            assert!(
                seated(&world, subscriber).contains(&key),
                "{subscriber} does not hear {speaker}"
            );
        }
        let said = world.events.iter().rev().find_map(|event| match event {
            Event::Speaker { peer, .. } => Some(*peer),
            _ => None,
        });
        assert_eq!(said, Some(Some(key)), "and everybody is told who it is");
        talk_among_fans(&mut world, None, 2_000);
    }
}

#[test]
fn speech_that_gives_nobody_a_seat_has_nobody_seated_anew() {
    let mut world = World::call_of(7);
    // One who only looks, as somebody with a broken loudspeaker may offer.
    let at = world.join_with(CallKey(1), |client| {
        client.plan.slots.retain(|slot| matches!(slot.receives, Receives::Pictures(_)));
    });
    world.connect(at);
    world.admit_all();
    talk(&mut world, None, 1_000);
    talk(&mut world, Some(6), 1_000);
    let seatings = world.sfu.counters().seatings;

    talk(&mut world, Some(6), 5_000);

    assert_eq!(world.sfu.counters().seatings, seatings);
}

#[test]
fn nobody_loses_a_seat_while_nobody_speaks_or_while_all_are_seated() {
    let mut world = World::call_of(8);
    talk(&mut world, None, 1_000);
    world.clear();
    talk(&mut world, None, 4_000);
    assert!(!world.events.iter().any(|event| matches!(event, Event::Slot { .. })));

    let mut small = World::call_of(4);
    talk(&mut small, None, 1_000);
    small.clear();
    (0..4).for_each(|speaker| talk(&mut small, Some(speaker), 1_000));
    assert!(!small.events.iter().any(|event| matches!(event, Event::Slot { .. })));
}

#[test]
fn whom_a_subscriber_pins_stays_though_silent() {
    let mut world = World::call_of(8);
    talk(&mut world, None, 1_000);
    let before = seated(&world, 0);
    let pinned = before[0];
    let (peer, mid) = (world.clients[0].key, world.clients[0].slot("v0").mid);
    let wish = Wish { mid, max_height: 720, priority: 3 };
    world.command(Command::Want { peer, slots: vec![wish] });
    for speaker in [4, 5, 6, 7] {
        talk(&mut world, Some(speaker), 1_000);
        talk(&mut world, None, 2_000);
    }
    let after = seated(&world, 0);
    assert!(after.contains(&pinned), "{after:?}");
    assert_ne!(before, after, "the others gave way");
}
