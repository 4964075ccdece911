//! Calls in which anything may happen at any moment, and what must hold all the same. Every run prints its seed when it fails.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sfu::command::{Command, Muted, Wish};
use sfu::plan::{CallKey, Mid, PeerKey, Source, Ssrc};

use crate::client::{Frame, Rtp};
use crate::world::World;

/// xorshift64: repeats from its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// What the control side has decided.
#[derive(Default)]
struct Decisions {
    audience: BTreeMap<usize, BTreeSet<PeerKey>>,
    muted: BTreeSet<(usize, Source)>,
    unwanted: BTreeSet<usize>,
    gone: BTreeSet<usize>,
}

/// What one slot has shown.
#[derive(Default)]
struct Shown {
    /// Timestamp and payload under each number.
    numbers: BTreeMap<u16, (u32, Vec<u8>)>,
    newest: Option<(u16, u32)>,
    /// Who is shown, and in which layer.
    source: Option<(u8, u8)>,
}

/// How many of the five send their cameras in layers.
const LAYERED: usize = 2;

struct Run {
    world: World,
    dice: Dice,
    decisions: Decisions,
    shown: BTreeMap<u32, Shown>,
    held: Vec<(usize, Vec<u8>)>,
    counts: BTreeMap<&'static str, usize>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut world = World::new();
        for at in 0..5 {
            let client = world.join_with(CallKey(1), |client| {
                if at < LAYERED {
                    client.simulcast();
                }
            });
            world.connect(client);
        }
        world.admit_all();
        let mut run = Self {
            world,
            dice: Dice(seed),
            decisions: Decisions::default(),
            shown: BTreeMap::new(),
            held: Vec::new(),
            counts: BTreeMap::new(),
        };
        let everybody: BTreeSet<_> = run.world.clients.iter().map(|client| client.key).collect();
        for at in 0..5 {
            run.decisions.audience.insert(at, everybody.clone());
        }
        run
    }

    fn somebody(&mut self) -> usize {
        loop {
            let at = self.dice.below(self.world.clients.len());
            if !self.decisions.gone.contains(&at) {
                return at;
            }
        }
    }

    fn frame(&mut self) -> Frame {
        if self.dice.below(12) == 0 { Frame::Key } else { Frame::Delta }
    }

    /// The next frame of a camera, or of one of its layers, in the clear.
    fn picture(&mut self, at: usize) -> Vec<u8> {
        let kind = self.frame();
        if at < LAYERED {
            let layer = self.dice.below(3);
            self.world.clients[at].layer_plain(layer, kind)
        } else {
            self.world.clients[at].picture_plain(kind)
        }
    }

    fn step(&mut self) {
        let at = self.somebody();
        match self.dice.below(24) {
            0..=5 => self.world.voice(at),
            6..=12 => {
                let packet = self.picture(at);
                let packet = self.world.clients[at].seal(&packet);
                self.world.datagram(at, packet);
                self.world.settle();
            }
            13 => {
                // Lost on its way to us.
                self.picture(at);
            }
            14 => {
                // Overtaken by what follows.
                let packet = self.picture(at);
                let packet = self.world.clients[at].seal(&packet);
                self.held.push((at, packet));
            }
            15 => {
                if let Some((from, packet)) = self.held.pop() {
                    if !self.decisions.gone.contains(&from) {
                        self.world.datagram(from, packet);
                    }
                    self.world.settle();
                }
            }
            16 => self.ask_again(at),
            17 => {
                let media = self.world.clients[at].slot("v0").ssrc;
                self.world.rtcp(at, &feedback(206, media, &[]));
            }
            18 => self.admit(at),
            19 => self.mute(at),
            20 => self.want(at),
            21 => {
                let layer = self.dice.below(3);
                self.world.clients[at].cam.ssrc += 64;
                self.world.clients[at].layers[layer].ssrc += 64;
            }
            22 if self.decisions.gone.len() < 2 && self.dice.below(20) == 0 => {
                let peer = self.world.clients[at].key;
                self.world.command(Command::Leave { peer });
                self.decisions.gone.insert(at);
            }
            _ => {
                for client in 0..self.world.clients.len() {
                    if !self.decisions.gone.contains(&client) && self.dice.below(30) == 0 {
                        self.world.check(client);
                    }
                }
                let by = Duration::from_millis(u64::try_from(self.dice.below(40)).unwrap());
                self.world.advance(by);
            }
        }
    }

    fn ask_again(&mut self, at: usize) {
        let slot = self.world.clients[at].slot("v0");
        let newest = self.shown.get(&slot.ssrc.0).and_then(|shown| shown.newest);
        if let Some((newest, _)) = newest {
            let back = u16::try_from(self.dice.below(30)).unwrap();
            let [high, low] = newest.wrapping_sub(back).to_be_bytes();
            self.world.rtcp(at, &feedback(205, slot.ssrc, &[high, low, 0, 3]));
        }
    }

    fn admit(&mut self, at: usize) {
        let chosen: BTreeSet<_> = self
            .world
            .clients
            .iter()
            .map(|client| client.key)
            .filter(|_| self.dice.below(4) > 0)
            .collect();
        let peers: Vec<_> = chosen.iter().copied().collect();
        self.decisions.audience.insert(at, chosen);
        self.world.admit(at, &peers);
    }

    fn mute(&mut self, at: usize) {
        let source = if self.dice.below(2) == 0 { Source::Mic } else { Source::Cam };
        let track = self.world.clients[at].track(source);
        let was_muted = self.decisions.muted.remove(&(at, source));
        if !was_muted {
            self.decisions.muted.insert((at, source));
        }
        let muted = if was_muted { Muted::No } else { Muted::Yes };
        self.world.command(Command::Mute { track, muted });
    }

    fn want(&mut self, at: usize) {
        let max_height = [0, 180, 360, 720][self.dice.below(4)];
        if max_height == 0 {
            self.decisions.unwanted.insert(at);
        } else {
            self.decisions.unwanted.remove(&at);
        }
        let wish = Wish { mid: Mid::new("v0").unwrap(), max_height, priority: 0 };
        let peer = self.world.clients[at].key;
        self.world.command(Command::Want { peer, slots: vec![wish] });
    }

    /// Looks at everything that arrived since the last step.
    fn check(&mut self) {
        for at in 0..self.world.clients.len() {
            let packets = std::mem::take(&mut self.world.clients[at].rtp);
            assert!(
                packets.is_empty() || !self.decisions.gone.contains(&at),
                "media for somebody who left"
            );
            let v0 = self.world.clients[at].slot("v0");
            for packet in packets {
                assert!(
                    !self.decisions.unwanted.contains(&at)
                        || (Ssrc(packet.ssrc()) != v0.ssrc && Some(Ssrc(packet.ssrc())) != v0.rtx),
                    "a picture that nobody wants"
                );
                self.check_packet(at, &packet);
            }
        }
    }

    fn check_packet(&mut self, at: usize, packet: &Rtp) {
        let publisher = *packet.payload().last().unwrap();
        let from = usize::from(publisher) - 1;
        let source = if packet.pt() == 111 { Source::Mic } else { Source::Cam };
        let key = self.world.clients[at].key;
        assert!(from != at, "an echo");
        assert!(self.decisions.audience[&from].contains(&key), "not in the audience");
        assert!(!self.decisions.muted.contains(&(from, source)), "muted");
        assert!(!self.decisions.gone.contains(&from), "from somebody who left");
        *self.counts.entry(if packet.pt() == 97 { "resent" } else { "first" }).or_default() += 1;
        let shown = self.shown.entry(packet.ssrc()).or_default();
        let content = (packet.timestamp(), packet.payload().to_vec());
        let before = shown.numbers.insert(packet.sequence(), content.clone());
        assert!(before.is_none(), "a number was used twice");
        if packet.pt() == 97 {
            let slot = self.world.clients[at].slot("v0");
            assert_eq!(slot.rtx, Some(Ssrc(packet.ssrc())));
            let original = u16::from_be_bytes([packet.payload()[0], packet.payload()[1]]);
            let (timestamp, payload) = &self.shown[&slot.ssrc.0].numbers[&original];
            assert_eq!(
                (content.0, &content.1[2..]),
                (*timestamp, &payload[..]),
                "not what was lost"
            );
            return;
        }
        let is_newest =
            shown.newest.is_none_or(|(newest, _)| packet.sequence().wrapping_sub(newest) < 0x8000);
        if is_newest {
            if let Some((_, timestamp)) = shown.newest {
                let step = packet.timestamp().wrapping_sub(timestamp);
                assert!(step < 1 << 31, "time ran back");
            }
            shown.newest = Some((packet.sequence(), packet.timestamp()));
        }
        let layer = if from < LAYERED && source == Source::Cam { packet.payload()[16] } else { 0 };
        if shown.source != Some((publisher, layer)) {
            let is_same = shown.source.is_some_and(|(before, _)| before == publisher);
            let what = if is_same { "layers" } else { "switches" };
            *self.counts.entry(what).or_default() += 1;
            let is_key = packet.pt() == 111 || packet.payload()[6] & 1 == 0;
            assert!(is_key && is_newest, "a switch begins with a keyframe");
            shown.source = Some((publisher, layer));
        }
    }
}

fn feedback(kind: u8, media: Ssrc, rest: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x81, kind, 0, if rest.is_empty() { 2 } else { 3 }, 0, 0, 0, 1];
    packet.extend_from_slice(&media.0.to_be_bytes());
    packet.extend_from_slice(rest);
    packet
}

#[test]
fn whatever_happens_nobody_receives_what_is_not_meant_for_him_and_numbers_stay_in_order() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 1..=40_u64 {
        let result = std::panic::catch_unwind(|| {
            let mut run = Run::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            for _ in 0..1_500 {
                run.step();
                run.check();
            }
            let refused = run.world.sfu.counters().refused_srtp_index;
            assert_eq!(refused, 0);
            for at in 0..run.world.clients.len() {
                let peer = run.world.clients[at].key;
                run.world.command(Command::Leave { peer });
            }
            let rest = run.world.sfu.occupancy();
            let empty = sfu::sfu::Occupancy { cache_bytes: rest.cache_bytes, ..Default::default() };
            assert_eq!(rest, empty, "memory after everybody left");
            run.counts
        });
        let run = result.unwrap_or_else(|_| panic!("seed {seed}"));
        for (what, count) in run {
            *counts.entry(what).or_default() += count;
        }
    }

    // The run saw what it is meant to see.
    let enough = [("first", 10_000), ("resent", 20), ("switches", 200), ("layers", 20)];
    assert!(enough.into_iter().all(|(what, least)| counts[what] > least), "{counts:?}");
}
