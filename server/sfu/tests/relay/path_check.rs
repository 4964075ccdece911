//! A network gives a browser another address in the middle of a call: the relay asks there whether it is the same browser.

use std::net::SocketAddr;
use std::time::Duration;

use sfu::{Path, Via};

use crate::stun::{self, Nominate};
use crate::world::World;

const ELSEWHERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9)), 999);

/// Two who hear each other; the first one's packets come from elsewhere from now on.
fn moved() -> World {
    let mut world = World::call_of(2);
    world.voice(0);
    world.voice(1);
    world.clear();
    world.clients[0].path.remote = ELSEWHERE;
    world
}

/// Delivers the answer to the newest check of the relay.
fn answer(world: &mut World, path: Path, pwd: &str) {
    let check = world.clients[0].checks.pop().expect("a check");
    let mut answer = stun::answer(&check, pwd);
    world.sfu.handle_datagram(world.now, path, &mut answer);
    world.settle();
}

#[test]
fn media_from_a_new_address_is_asked_for_its_browser_and_answered_there() {
    let mut world = moved();
    world.voice(0);

    assert_eq!(world.clients[1].received("a0").len(), 1, "it is authentic wherever it comes from");
    let check = world.clients[0].checks.last().expect("a check").clone();
    let theirs = world.clients[0].theirs();
    let name = format!("{}:{}", theirs.ufrag, world.clients[0].ice.ufrag);
    assert!(check.windows(name.len()).any(|bytes| bytes == name.as_bytes()));
    world.voice(1);
    assert!(world.clients[0].received("a0").is_empty(), "nobody vouched for that address yet");

    let path = world.clients[0].path;
    answer(&mut world, path, &theirs.pwd);
    world.voice(1);
    assert_eq!(world.clients[0].received("a0").len(), 1);
    world.voice(0);
    assert_eq!(world.clients[1].received("a0").len(), 2);
    let counters = world.sfu.counters();
    assert_eq!((counters.path_checks_sent, counters.path_checks_answered), (1, 1));
    assert_eq!(counters.dropped_unknown_address, 0);
}

#[test]
fn nobody_is_asked_for_packets_that_are_not_authentic_or_came_before() {
    let mut world = World::call_of(2);
    let mut forged = world.clients[0].voice();
    let copy = world.clients[0].voice();
    world.datagram(0, copy.clone());
    world.clients[0].path.remote = ELSEWHERE;
    world.datagram(0, copy);
    *forged.last_mut().unwrap() ^= 1;
    world.datagram(0, forged);
    let mut nobodys = world.clients[0].voice();
    nobodys[8..12].copy_from_slice(&[9; 4]);
    world.datagram(0, nobodys);
    let tcp = Path { via: Via::Tcp(3), ..world.clients[0].path };
    let mut sound = world.clients[0].voice();
    world.sfu.handle_datagram(world.now, tcp, &mut sound);
    world.settle();

    let counters = world.sfu.counters();
    assert_eq!((counters.dropped_replay, counters.dropped_authentication), (1, 1));
    assert_eq!(counters.dropped_unknown_address, 2);
    assert_eq!(counters.path_checks_sent, 0);
}

#[test]
fn an_answer_counts_only_by_the_path_that_was_asked_and_under_the_browsers_password() {
    let mut world = moved();
    let (path, theirs) = (world.clients[0].path, world.clients[0].theirs());
    world.voice(0);
    let kept = world.clients[0].checks.clone();

    let ours = world.clients[0].ice.pwd.clone();
    answer(&mut world, path, &ours);
    world.clients[0].checks = kept.clone();
    let other = Path { remote: SocketAddr::from(([203, 0, 113, 10], 999)), ..path };
    answer(&mut world, other, &theirs.pwd);
    world.clients[0].checks = vec![[&kept[0][..12], &[0; 88]].concat()];
    answer(&mut world, path, &theirs.pwd);
    assert_eq!(world.sfu.counters().dropped_stun_unasked, 3);
    assert!(!world.sfu.holds(path) && !world.sfu.holds(other));

    world.clients[0].checks = kept.clone();
    answer(&mut world, path, &theirs.pwd);
    assert!(world.sfu.holds(path));
    world.clients[0].checks = kept;
    answer(&mut world, path, &theirs.pwd);
    assert_eq!(world.sfu.counters().dropped_stun_unasked, 4, "it answers once");
}

#[test]
fn checks_are_repeated_while_media_comes_and_seldom_and_end_with_the_peer() {
    let mut world = moved();
    for _ in 0..50 {
        world.voice(0);
        world.advance(Duration::from_millis(20));
    }
    assert_eq!(world.sfu.counters().path_checks_sent, 10, "one in 100 ms");
    for _ in 0..200 {
        world.voice(0);
    }
    assert!(world.sfu.counters().dropped_unknown_address >= 100, "no more than 50 are opened");

    let (peer, path, pwd) =
        (world.clients[0].key, world.clients[0].path, world.clients[0].theirs().pwd);
    world.command(sfu::command::Command::Leave { peer });
    assert_eq!(world.sfu.occupancy().senders, 1, "the other one's");
    answer(&mut world, path, &pwd);
    assert!(!world.sfu.holds(path));
}

#[test]
fn a_neighbours_live_address_is_not_handed_over_by_an_answer() {
    let mut world = World::call_of(2);
    world.voice(0);
    world.clients[0].path.remote = ELSEWHERE;
    world.voice(0);
    // Meanwhile the other one checks from there.
    let mut check = world.clients[1].check(Nominate::Yes);
    let path = world.clients[0].path;
    world.sfu.handle_datagram(world.now, path, &mut check);
    world.settle();
    world.clear();

    let pwd = world.clients[0].theirs().pwd;
    answer(&mut world, path, &pwd);
    assert_eq!(world.sfu.counters().dropped_rebinding, 1);
}
