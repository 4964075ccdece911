//! One random call: everything about it comes from its seed.

use std::time::Duration;

use sfu::command::{Command, Muted, Wish};
use sfu::plan::{CallKey, PeerKey, Source, TrackKey};

use crate::browser::{Seat, Stage};
use crate::fault::Fault;
use crate::packet::{nack, picture_loss};
use crate::profile::{Passage, Preset, Profile};
use crate::random::Dice;
use crate::sender::Speech;
use crate::watch::{Invariant, Violation};
use crate::world::World;

/// How long anything may happen.
const STORM: Duration = Duration::from_secs(17);

/// Then links are without loss and without a bottleneck and nobody decides anything: pictures must come back, those too that
/// were paused on a narrow line.
const CALM: Duration = Duration::from_secs(13);

/// A picture is played at least this often when nothing is lost: after a loss it may take 2 s to come back.
const FRESH: Duration = Duration::from_secs(2);

/// Between two things that happen.
const BEAT: Duration = Duration::from_millis(100);

/// What a run saw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    /// Over everything sent.
    pub hash: u64,
    /// Packets forwarded.
    pub forwarded: u64,
    /// Retransmissions among them.
    pub repaired: u64,
    /// Probes.
    pub padding: u64,
    /// Switches of a slot.
    pub switches: u64,
    /// Frames and packets of sound played.
    pub played: u64,
    /// Pictures paused for want of bandwidth.
    pub pauses: u64,
}

impl Summary {
    /// Of two runs. The hash is that of both in this order.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            hash: self.hash.wrapping_mul(31).wrapping_add(other.hash),
            forwarded: self.forwarded + other.forwarded,
            repaired: self.repaired + other.repaired,
            padding: self.padding + other.padding,
            switches: self.switches + other.switches,
            played: self.played + other.played,
            pauses: self.pauses + other.pauses,
        }
    }
}

/// Runs a seed for 30 s of virtual time.
pub fn run(seed: u64, fault: Option<Fault>) -> Result<Summary, Violation> {
    Run::new(seed, fault).whole()
}

struct Run {
    world: World,
    dice: Dice,
    profiles: Vec<(Profile, Profile)>,
    blocked: Vec<u64>,
    muted: Vec<TrackKey>,
    unwanted: Vec<PeerKey>,
    pauses: u64,
}

impl Run {
    fn new(seed: u64, fault: Option<Fault>) -> Self {
        Self {
            world: World::new(seed, fault),
            dice: Dice::new(seed),
            profiles: Vec::new(),
            blocked: Vec::new(),
            muted: Vec::new(),
            unwanted: Vec::new(),
            pauses: 0,
        }
    }

    fn whole(mut self) -> Result<Summary, Violation> {
        let seats = 2 + self.dice.below(4);
        for _ in 0..seats {
            self.seat();
        }
        self.world.admit_all();
        let beats = STORM.as_millis() / BEAT.as_millis();
        for _ in 0..beats {
            self.happen();
            self.world.run(BEAT);
            self.note_pauses();
            if let Some(violation) = self.world.watch.violation.take() {
                return Err(violation);
            }
        }
        self.calm();
        self.world.end();
        if let Some(violation) = self.world.watch.violation.take() {
            return Err(violation);
        }
        let watch = &self.world.watch;
        let receivers = self.world.browsers.iter().flat_map(|it| it.receivers.values());
        Ok(Summary {
            hash: self.world.hash,
            forwarded: self.world.sfu.counters().forwarded_packets,
            repaired: watch.repaired,
            padding: watch.padding,
            switches: watch.switches,
            played: receivers.map(|it| it.played).sum(),
            pauses: self.pauses,
        })
    }

    fn note_pauses(&mut self) {
        let events = self.world.take_events();
        let is_pause =
            |it: &&sfu::event::Event| matches!(it, sfu::event::Event::VideoPaused { .. });
        self.pauses += events.iter().filter(is_pause).count() as u64;
    }

    fn seat(&mut self) {
        // Who is behind a wall against UDP waits, unheard, until the calm at the end lets everything through.
        let lines = [
            Preset::Clean,
            Preset::Clean,
            Preset::Wifi,
            Preset::Wifi,
            Preset::WifiLossy,
            Preset::Dsl,
            Preset::LteEdge,
            Preset::ThreeG,
            Preset::Satellite,
            Preset::Congested,
            Preset::Hospital,
        ];
        let mut access = self.dice.pick(&lines).access();
        if self.dice.one_in(4) {
            access.up.duplicates = 0.01;
            access.up.reorder.probability = 0.01;
            access.up.reorder.by = Duration::from_millis(30);
            access.down.duplicates = 0.01;
        }
        let mut sources = vec![Source::Mic];
        if !self.dice.one_in(4) {
            sources.push(Source::Cam);
        }
        if self.dice.one_in(5) {
            sources.push(Source::Screen);
        }
        self.profiles.push((access.up.clone(), access.down.clone()));
        self.blocked.push(0);
        let slots = (4, 1 + u32::try_from(self.dice.below(4)).unwrap());
        let at = self.world.join(Seat { call: CallKey(1), sources, slots, access });
        let browser = &mut self.world.browsers[at];
        for picture in &mut browser.pictures {
            picture.bitrate = 60_000 + self.dice.below(240_000) as u32;
        }
        self.babble(at);
    }

    fn babble(&mut self, at: usize) {
        let speech = if self.dice.one_in(2) { Speech::Talking } else { Speech::Silent };
        if let Some(voice) = &mut self.world.browsers[at].voice {
            voice.speech = speech;
        }
    }

    fn somebody(&mut self) -> usize {
        self.dice.below(self.world.browsers.len() as u64) as usize
    }

    /// One beat of a call.
    fn happen(&mut self) {
        for at in 0..self.blocked.len() {
            if self.blocked[at] == 1 {
                let (up, down) = self.profiles[at].clone();
                self.world.browsers[at].up.change(up);
                self.world.browsers[at].down.change(down);
            }
            self.blocked[at] = self.blocked[at].saturating_sub(1);
        }
        let at = self.somebody();
        if self.world.browsers[at].stage == Stage::Gone {
            return;
        }
        let now = self.world.now;
        match self.dice.below(60) {
            0..=5 => self.babble(at),
            6..=8 => self.admit(at),
            9..=10 => self.mute(at),
            11..=12 => self.want(at),
            13 => self.world.browsers[at].up.rebind(),
            14 => {
                self.blocked[at] = 1 + self.dice.below(30);
                let hole = Profile { passage: Passage::Blocked, ..Profile::default() };
                let browser = &mut self.world.browsers[at];
                if self.dice.one_in(2) {
                    browser.up.change(hole.clone());
                }
                browser.down.change(hole);
            }
            15..=16 => {
                // Somebody who asks for keyframes without end.
                let slots: Vec<_> = self.world.browsers[at].receivers.keys().copied().collect();
                let slot = self.dice.pick(&slots);
                for _ in 0..50 {
                    self.world.browsers[at].abuse(&picture_loss(slot), now);
                }
            }
            17..=18 => {
                // …or for everything again.
                let slots: Vec<_> = self.world.browsers[at].receivers.keys().copied().collect();
                let slot = self.dice.pick(&slots);
                let first = self.dice.roll() as u16;
                let lost: Vec<_> = (0..60).map(|step| first.wrapping_add(step)).collect();
                for _ in 0..5 {
                    self.world.browsers[at].abuse(&nack(slot, &lost), now);
                }
            }
            19 if self.dice.one_in(2) => {
                let peer = self.world.browsers[at].key;
                self.world.command(Command::Leave { peer });
            }
            20 if self.world.browsers.len() < 6 => {
                self.seat();
                self.world.admit_all();
            }
            _ => {}
        }
    }

    fn admit(&mut self, at: usize) {
        let mut peers = Vec::new();
        for browser in &self.world.browsers {
            if !self.dice.one_in(4) {
                peers.push(browser.key);
            }
        }
        let source = self.dice.pick(&[Source::Mic, Source::Cam, Source::Screen]);
        let track = TrackKey { peer: self.world.browsers[at].key, source };
        self.world.command(Command::Audience { track, peers });
    }

    fn mute(&mut self, at: usize) {
        let source = self.dice.pick(&[Source::Mic, Source::Cam]);
        let track = TrackKey { peer: self.world.browsers[at].key, source };
        let was_muted = self.muted.contains(&track);
        self.muted.retain(|it| *it != track);
        let muted = if was_muted {
            Muted::No
        } else {
            self.muted.push(track);
            Muted::Yes
        };
        self.world.command(Command::Mute { track, muted });
    }

    fn want(&mut self, at: usize) {
        let browser = &self.world.browsers[at];
        let peer = browser.key;
        let mid = browser.plan.slots[0].mid;
        let was_unwanted = self.unwanted.contains(&peer);
        self.unwanted.retain(|it| *it != peer);
        let max_height = if was_unwanted {
            720
        } else {
            self.unwanted.push(peer);
            0
        };
        let priority = self.dice.below(4) as u8;
        self.world.command(Command::Want { peer, slots: vec![Wish { mid, max_height, priority }] });
    }

    /// Links lose nothing any more; then every picture that is meant to be seen is seen.
    fn calm(&mut self) {
        for browser in &mut self.world.browsers {
            browser.up.change(Profile::delayed(20));
            browser.down.change(Profile::delayed(20));
        }
        self.world.run(CALM);
        self.note_pauses();
        let now = self.world.now;
        let mut frozen = Vec::new();
        for ((peer, mid), (track, since)) in &self.world.seated {
            let browser = &self.world.browsers[peer.0 as usize];
            let slot = browser.plan.slots.iter().find(|slot| slot.mid == *mid).unwrap();
            let (Some(track), Some(_)) = (track, slot.rtx) else { continue };
            let is_wanted = browser.plan.slots[0].mid != *mid || !self.unwanted.contains(peer);
            let is_meant = is_wanted
                && browser.stage == Stage::Connected
                && self.world.watch.may_receive(*track, *peer)
                && now - *since > FRESH;
            let receiver = &browser.receivers[&slot.ssrc];
            if is_meant && receiver.last_played.is_none_or(|last| now - last > FRESH) {
                let is_paused = self.world.paused.contains(&(*peer, *mid));
                frozen.push(format!("{peer:?} {mid:?} of {track:?}, paused: {is_paused}"));
            }
        }
        if let Some(what) = frozen.pop() {
            self.world.watch.breaks(Invariant::Recovery, now, what);
        }
    }
}
