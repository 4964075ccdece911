//! Who has a seat when there are fewer seats than people: nobody keeps one for a camera that is off.

use std::time::Duration;

use sfu::command::{Command, Muted};
use sfu::event::Event;
use sfu::plan::{CallKey, Source};

use crate::client::Frame;
use crate::world::World;

/// How often everybody speaks in these tests: more often than a track may rest before it counts as down.
const STEP: Duration = Duration::from_millis(500);

/// A subscriber at 0, and publishers of simulcast cameras at 1 to 3 who have all its three seats.
fn full() -> World {
    let mut world = World::new();
    for at in 0..4 {
        let at = world.join_with(CallKey(1), |client| {
            if at > 0 {
                client.simulcast();
            }
        });
        world.connect(at);
    }
    world.admit_all();
    for at in 1..4 {
        world.voice(at);
        for layer in 0..3 {
            world.layer(at, layer, Frame::Key);
        }
    }
    assert_eq!(heard_by_the_subscriber(&world), [2, 3, 4]);
    world
}

/// Time in which these speak, and the others are silent.
fn speak(world: &mut World, speakers: &[usize], steps: usize) {
    for _ in 0..steps {
        for &at in speakers {
            world.voice(at);
        }
        for at in 0..world.clients.len() {
            world.check(at);
        }
        world.advance(STEP);
    }
}

fn mute(world: &mut World, at: usize, source: Source) {
    let track = world.clients[at].track(source);
    world.command(Command::Mute { track, muted: Muted::Yes });
}

fn newcomer(world: &mut World) -> usize {
    let at = world.join_with(CallKey(1), |client| client.simulcast());
    world.connect(at);
    world.admit_all();
    at
}

/// Numbers of those whose voices the subscriber received, by the mark in their payload.
fn heard_by_the_subscriber(world: &World) -> Vec<u8> {
    let subscriber = &world.clients[0];
    let voices = ["a0", "a1", "a2"].into_iter().flat_map(|mid| subscriber.received(mid));
    let mut heard: Vec<u8> = voices.map(|packet| *packet.payload().last().unwrap()).collect();
    heard.sort_unstable();
    heard.dedup();
    heard
}

#[test]
fn who_is_silent_with_the_camera_off_gives_the_seat_to_a_newcomers_voice() {
    let mut world = full();
    mute(&mut world, 1, Source::Cam);
    speak(&mut world, &[2, 3], 8);
    let mic = world.clients[1].track(Source::Mic);
    assert!(world.events.contains(&Event::TrackDown { track: mic }));

    let at = newcomer(&mut world);
    world.clear();
    speak(&mut world, &[2, 3, at], 2);

    assert_eq!(heard_by_the_subscriber(&world), [3, 4, 5]);
}

#[test]
fn who_has_the_camera_off_and_speaks_keeps_the_seat() {
    let mut world = full();
    for at in 1..4 {
        mute(&mut world, at, Source::Cam);
    }
    speak(&mut world, &[1, 2, 3], 8);

    let at = newcomer(&mut world);
    world.clear();
    speak(&mut world, &[1, 2, 3, at], 2);

    assert_eq!(heard_by_the_subscriber(&world), [2, 3, 4], "nobody is cut off for who comes later");
}

#[test]
fn who_is_silent_and_shown_keeps_the_seat_too() {
    let mut world = full();
    mute(&mut world, 1, Source::Mic);
    mute(&mut world, 2, Source::Mic);
    mute(&mut world, 2, Source::Cam);
    speak(&mut world, &[3], 8);

    let at = newcomer(&mut world);
    world.clear();
    world.layer(1, 0, Frame::Key);
    speak(&mut world, &[3, at], 2);

    assert_eq!(
        heard_by_the_subscriber(&world),
        [4, 5],
        "the seat of the second, whom nobody sees or hears"
    );
    let pictures = ["v0", "v1", "v2"].into_iter().flat_map(|mid| world.clients[0].received(mid));
    let shown: Vec<u8> = pictures.map(|packet| *packet.payload().last().unwrap()).collect();
    assert_eq!(shown, [2]);
}

#[test]
fn who_gave_up_the_seat_is_heard_again_as_soon_as_there_is_one() {
    let mut world = full();
    mute(&mut world, 1, Source::Cam);
    speak(&mut world, &[2, 3], 8);
    let at = newcomer(&mut world);
    speak(&mut world, &[2, 3, at], 2);
    world.clear();
    speak(&mut world, &[1, 2, 3, at], 2);
    assert_eq!(
        heard_by_the_subscriber(&world),
        [3, 4, 5],
        "all seats are taken by those who speak"
    );

    let leaves = world.clients[2].key;
    world.command(Command::Leave { peer: leaves });
    world.clear();
    speak(&mut world, &[1, 3, at], 2);

    assert_eq!(heard_by_the_subscriber(&world), [2, 4, 5]);
}
