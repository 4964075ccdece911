//! The relay, browsers and links around it, and the time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sfu::command::{Command, Muted};
use sfu::event::Event;
use sfu::plan::{Fingerprint, Mid, PeerKey, Source, SrtpAttempt, Ssrc, TrackKey};
use sfu::{Config, Egress, Flow, Identity, NtpTime, Path, Sfu};

use crate::browser::{Browser, Seat, Stage};
use crate::fault::{Fault, Spoiler};
use crate::link::{Delivery, Mapping};
use crate::random::Dice;
use crate::twcc;
use crate::watch::{Invariant, Watch};

/// Where the wall clock begins, from 1970 on.
const START_OF_TIME: Duration = Duration::from_secs(1_800_000_000);

/// Chromium checks a stable path this often.
const CHECK_INTERVAL: Duration = Duration::from_millis(2_500);

/// How late a fault lets a decision come.
const LATENESS: Duration = Duration::from_millis(500);

/// A relay with browsers.
pub struct World {
    /// The real core.
    pub sfu: Sfu,
    /// The virtual time.
    pub now: Instant,
    /// When it began.
    pub start: Instant,
    /// By number.
    pub browsers: Vec<Browser>,
    /// Looks at everything.
    pub watch: Watch,
    /// What the relay told, until taken.
    pub events: Vec<Event>,
    /// Slots whose picture is paused, as the relay told.
    pub paused: BTreeSet<(PeerKey, Mid)>,
    /// What each slot carries, as the relay told, and since when.
    pub seated: BTreeMap<(PeerKey, Mid), (Option<TrackKey>, Instant)>,
    /// Over everything sent: equal for two equal runs.
    pub hash: u64,
    seed: u64,
    dice: Dice,
    spoiler: Spoiler,
    due: BinaryHeap<Reverse<(Instant, u64, Due)>>,
    order: u64,
    /// When the heap will look at each browser's links, up and down.
    armed: Vec<[Option<Instant>; 2]>,
    egress: Egress,
    late: Vec<(Instant, Command)>,
    steps: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Up(usize),
    Down(usize),
    Check(usize),
    Sound(usize),
    Picture(usize, usize),
    Feedback(usize),
    Report(usize),
    Late,
}

/// The process's start, for all worlds: an instant can only come from the clock.
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

fn identity() -> Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| Identity::generate().unwrap()).clone()
}

impl World {
    /// An empty one.
    pub fn new(seed: u64, fault: Option<Fault>) -> Self {
        let now = epoch();
        let config = Config { identity: identity(), seed };
        Self {
            sfu: Sfu::new(config, now, NtpTime::from_unix(START_OF_TIME)).unwrap(),
            now,
            start: now,
            browsers: Vec::new(),
            watch: Watch::new(now),
            events: Vec::new(),
            paused: BTreeSet::new(),
            seated: BTreeMap::new(),
            hash: 0xcbf2_9ce4_8422_2325,
            seed,
            dice: Dice::new(seed ^ 0xd1ce),
            spoiler: Spoiler::new(fault),
            due: BinaryHeap::new(),
            order: 0,
            armed: Vec::new(),
            egress: Egress::new(),
            late: Vec::new(),
            steps: 0,
        }
    }

    /// A browser whose offer was answered; it begins to check at once and is connected by its first check that arrives.
    pub fn join(&mut self, seat: Seat) -> usize {
        let at = self.browsers.len();
        let browser = Browser::new(u32::try_from(at).unwrap(), seat, self.seed, self.start);
        let round_trip = browser.up.profile().delay + browser.down.profile().delay;
        self.watch.joins(browser.key, &browser.plan, round_trip);
        let join = Command::Join {
            call: browser.call,
            peer: browser.key,
            ice: browser.ice.clone(),
            theirs: browser.theirs.clone(),
            fingerprint: Fingerprint([0; 32]),
            srtp: SrtpAttempt::First,
            plan: browser.plan.clone(),
        };
        self.browsers.push(browser);
        self.armed.push([None; 2]);
        self.sfu.handle_command(self.now, join);
        self.settle();
        self.arm(self.now, Due::Check(at));
        at
    }

    /// Everybody may receive everybody's tracks.
    pub fn admit_all(&mut self) {
        let peers: Vec<_> = self.browsers.iter().map(|browser| browser.key).collect();
        for peer in &peers {
            for source in [Source::Mic, Source::Cam, Source::Screen] {
                let track = TrackKey { peer: *peer, source };
                self.command(Command::Audience { track, peers: peers.clone() });
            }
        }
    }

    /// A decision of the control side.
    pub fn command(&mut self, command: Command) {
        match &command {
            Command::Audience { track, peers } => self.watch.admits(*track, peers),
            Command::Mute { track, muted } => self.watch.mutes(*track, *muted == Muted::Yes),
            Command::Leave { peer } => {
                self.watch.leaves(*peer);
                if let Some(browser) = self.browsers.get_mut(peer.0 as usize) {
                    browser.stage = Stage::Gone;
                }
            }
            Command::Join { .. } | Command::Restart { .. } | Command::Want { .. } => {}
        }
        match (self.spoiler.fault, &command) {
            (Some(Fault::LateAudience), Command::Audience { .. }) => {
                let at = self.now + LATENESS;
                self.late.push((at, command));
                return self.arm(at, Due::Late);
            }
            (Some(Fault::StaleMute), Command::Mute { .. })
            | (Some(Fault::LostLeave), Command::Leave { .. }) => return,
            _ => self.sfu.handle_command(self.now, command),
        }
        self.settle();
    }

    /// Lets time pass. Stops at the first broken invariant.
    pub fn run(&mut self, by: Duration) {
        let end = self.now + by;
        while self.watch.violation.is_none() {
            let due = self.due.peek().map(|Reverse((at, ..))| *at);
            let timeout = self.sfu.poll_timeout();
            let next = match (due, timeout) {
                (Some(due), Some(timeout)) => due.min(timeout),
                (Some(next), None) | (None, Some(next)) => next,
                (None, None) => break,
            };
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            if timeout.is_some_and(|timeout| timeout <= self.now) {
                self.sfu.handle_timeout(self.now);
                self.settle();
            } else if let Some(Reverse((_, _, due))) = self.due.pop() {
                self.carry_out(due);
            }
            self.steps += 1;
            if self.steps.is_multiple_of(512) {
                self.check_caches();
            }
        }
        self.now = self.now.max(end);
    }

    /// What the relay told since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Everybody leaves; what is left must be nothing.
    pub fn end(&mut self) {
        let here: Vec<_> = self.browsers.iter().map(|browser| browser.key).collect();
        for peer in here {
            self.command(Command::Leave { peer });
        }
        let rest = self.sfu.occupancy();
        let empty = sfu::sfu::Occupancy { cache_bytes: rest.cache_bytes, ..Default::default() };
        if rest != empty {
            self.watch.breaks(Invariant::Memory, self.now, format!("{rest:?}"));
        }
    }

    /// When the slot of a browser last played something.
    pub fn last_played(&self, browser: usize, slot: Ssrc) -> Option<Instant> {
        self.browsers.get(browser)?.receivers.get(&slot)?.last_played
    }

    fn arm(&mut self, at: Instant, due: Due) {
        self.due.push(Reverse((at, self.order, due)));
        self.order += 1;
    }

    /// Tells the heap of what a browser's links carry, unless it knows.
    fn arm_links(&mut self, at: usize) {
        let browser = &self.browsers[at];
        let next = [browser.up.next(), browser.down.next()];
        for (way, due) in [Due::Up(at), Due::Down(at)].into_iter().enumerate() {
            let armed = &mut self.armed[at][way];
            if let Some(next) = next[way]
                && armed.is_none_or(|armed| next < armed)
            {
                *armed = Some(next);
                self.arm(next, due);
            }
        }
    }

    fn carry_out(&mut self, due: Due) {
        let now = self.now;
        match due {
            Due::Up(at) => {
                self.armed[at][0] = None;
                while let Some(delivery) = self.browsers[at].up.poll(now) {
                    self.arrive(at, delivery);
                }
                self.settle();
            }
            Due::Down(at) => {
                self.armed[at][1] = None;
                let browser = &mut self.browsers[at];
                let mapping = browser.up.mapping();
                while let Some(Delivery { bytes, .. }) = browser.down.poll(now) {
                    let (to, bytes) = bytes
                        .split_last_chunk::<2>()
                        .map_or((Mapping(0), &bytes[..]), |(bytes, to)| {
                            (Mapping(u16::from_be_bytes(*to)), bytes)
                        });
                    // What goes to an address that the translation forgot is lost.
                    if to == mapping {
                        browser.receive(bytes, now);
                    }
                }
            }
            Due::Check(at) => {
                let browser = &mut self.browsers[at];
                if browser.stage != Stage::Gone {
                    browser.check(now);
                    // Until it is answered the first is repeated.
                    let again = match browser.stage {
                        Stage::Joined => Duration::from_millis(50),
                        Stage::Connected | Stage::Gone => CHECK_INTERVAL,
                    };
                    self.arm(now + again, due);
                }
            }
            Due::Sound(at) => {
                if self.browsers[at].stage == Stage::Connected {
                    self.browsers[at].speak(now);
                    self.arm(now + Duration::from_millis(20), due);
                }
            }
            Due::Picture(at, picture) => {
                if self.browsers[at].stage == Stage::Connected {
                    self.browsers[at].show(picture, &mut self.dice, now);
                    let interval = self.browsers[at].pictures[picture].interval;
                    self.arm(now + interval, due);
                }
            }
            Due::Feedback(at) => {
                if self.browsers[at].stage == Stage::Connected {
                    self.browsers[at].feed_back(now);
                    self.arm(now + twcc::INTERVAL, due);
                }
            }
            Due::Report(at) => {
                if self.browsers[at].stage == Stage::Connected {
                    let wall = NtpTime::from_unix(START_OF_TIME + (now - self.start));
                    self.browsers[at].report(wall, now);
                    self.arm(now + Duration::from_secs(1), due);
                }
            }
            Due::Late => {
                let (ripe, unripe) = self.late.drain(..).partition(|(at, _)| *at <= now);
                self.late = unripe;
                let ripe: Vec<(Instant, Command)> = ripe;
                for (_, command) in ripe {
                    self.sfu.handle_command(now, command);
                }
                self.settle();
                return;
            }
        }
        let (Due::Up(at)
        | Due::Down(at)
        | Due::Check(at)
        | Due::Sound(at)
        | Due::Picture(at, _)
        | Due::Feedback(at)
        | Due::Report(at)) = due
        else {
            return;
        };
        self.arm_links(at);
    }

    /// A datagram from a browser reaches the relay.
    fn arrive(&mut self, at: usize, delivery: Delivery) {
        let Delivery { mut bytes, mapping, .. } = delivery;
        let browser = &self.browsers[at];
        if browser.stage == Stage::Gone {
            return;
        }
        let (path, peer, stage) = (browser.path(mapping), browser.key, browser.stage);
        let is_check = bytes[0] < 4;
        let checks = self.sfu.counters().stun_checks;
        self.sfu.handle_datagram(self.now, path, &mut bytes);
        if !is_check || self.sfu.counters().stun_checks == checks {
            return;
        }
        self.watch.checked(path, self.now);
        if stage == Stage::Joined {
            let browser = &mut self.browsers[at];
            self.sfu.connect_with_keys(peer, &browser.material, self.now).unwrap();
            browser.stage = Stage::Connected;
            let pictures = browser.pictures.len();
            // Nobody's clock ticks with another's.
            let jitter = Duration::from_micros(self.dice.below(20_000));
            self.arm(self.now + jitter, Due::Sound(at));
            for picture in 0..pictures {
                self.arm(self.now + 2 * jitter, Due::Picture(at, picture));
            }
            self.arm(self.now + 3 * jitter, Due::Feedback(at));
            self.arm(self.now + 4 * jitter, Due::Report(at));
        }
    }

    /// Carries what the relay has to say onto the links.
    fn settle(&mut self) {
        let mut touched = BTreeSet::new();
        loop {
            let flow = self.sfu.poll_transmit(self.now, &mut self.egress);
            let datagrams: Vec<_> =
                self.egress.datagrams().map(|(path, bytes)| (path, bytes.to_vec())).collect();
            self.egress.clear();
            for (path, bytes) in datagrams {
                touched.insert(self.carry(path, bytes));
            }
            if flow == Flow::Done {
                break;
            }
        }
        for at in touched {
            self.arm_links(at);
        }
        while let Some(event) = self.sfu.poll_event() {
            match event {
                Event::VideoPaused { peer, mid, reason: _ } => {
                    self.paused.insert((peer, mid));
                }
                Event::VideoResumed { peer, mid } => {
                    self.paused.remove(&(peer, mid));
                }
                Event::Slot { peer, mid, track, from_rtp_timestamp: _ } => {
                    let known = self.seated.entry((peer, mid)).or_insert((None, self.now));
                    if known.0 != track {
                        *known = (track, self.now);
                    }
                }
                Event::Connected { .. }
                | Event::TrackUp { .. }
                | Event::TrackDown { .. }
                | Event::Speaker { .. }
                | Event::Liveness { .. }
                | Event::Losses { .. }
                // A model camera has one layer and sends it whoever looks.
                | Event::LayerDemand { .. }
                | Event::Closed { .. }
                | Event::Left { .. } => {}
            }
            self.events.push(event);
        }
    }

    /// Puts one datagram of the relay on its link; to which browser.
    fn carry(&mut self, path: Path, mut bytes: Vec<u8>) -> usize {
        let (at, mapping) = Browser::of_path(path);
        let peer = self.browsers[at].key;
        self.note(peer, &bytes);
        let len = bytes.len();
        if bytes[0] >= 128 && self.browsers[at].open(&mut bytes).is_none() {
            let what = format!("{peer:?}: not under its keys");
            self.watch.breaks(Invariant::Index, self.now, what);
        }
        for mut bytes in self.spoiler.spoil(peer, bytes) {
            let path = match self.spoiler.fault {
                Some(Fault::WrongAddress) if self.dice.one_in(1_000) => {
                    self.browsers[at].path(Mapping(mapping.0 + 1))
                }
                _ => path,
            };
            self.watch.sent(peer, path, &bytes, self.now);
            if self.spoiler.fault == Some(Fault::ForgottenLeave) {
                self.remember_the_gone(&bytes);
            }
            // As long as on the wire, and where it goes.
            bytes.resize(len.max(bytes.len() + 2) - 2, 0);
            bytes.extend(mapping.0.to_be_bytes());
            self.browsers[at].down.push(self.now, bytes);
        }
        at
    }

    fn remember_the_gone(&mut self, bytes: &[u8]) {
        let gone = self.browsers.iter().find(|it| it.stage == Stage::Gone);
        if let Some(gone) = gone {
            let (peer, path) = (gone.key, gone.path(gone.up.mapping()));
            self.watch.checked(path, self.now);
            self.watch.sent(peer, path, bytes, self.now);
        }
    }

    fn note(&mut self, peer: PeerKey, bytes: &[u8]) {
        let at = (self.now - self.start).as_nanos() as u64;
        let words = bytes
            .chunks(8)
            .map(|chunk| chunk.iter().fold(0, |word: u64, byte| word << 8 | u64::from(*byte)));
        // FNV-1a, a word at a time.
        for word in [at, u64::from(peer.0)].into_iter().chain(words) {
            self.hash = (self.hash ^ word).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn check_caches(&mut self) {
        let most: usize = self
            .browsers
            .iter()
            .map(|it| 128 * usize::from(it.voice.is_some()) + 1_024 * it.pictures.len())
            .sum();
        let held = self.sfu.occupancy();
        if held.cached_packets > most || held.cache_bytes > sfu::limits::CACHE_BYTES {
            self.watch.breaks(Invariant::Caches, self.now, format!("{held:?}"));
        }
    }
}
