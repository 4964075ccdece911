//! Everything one worker owns: many calls on one port.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use rustc_hash::FxHashMap;

use crate::allocation::Claim;
use crate::cache::Pool;
use crate::command::{Command, Wish};
use crate::counters::Counters;
use crate::dtls::{Dtls, Identity, Progress};
use crate::egress::{Egress, Flow, Path};
use crate::event::{CloseReason, Event, SrtpProfile};
use crate::ice::Ice;
use crate::limits::{DTLS_PER_TURN, MAX_LINES, MAX_PEERS};
use crate::peer::{Line, Peer, Start};
use crate::plan::{
    CallKey, Fingerprint, IceCredentials, PeerKey, Plan, Receives, SrtpAttempt, Ssrc, TrackKey,
};
use crate::slab::Slab;
use crate::slot::{Slot, Visibility};
use crate::speaker::Speaker;
use crate::srtp::Crypto;
use crate::time::{NtpTime, WallClock};
use crate::timer::{Timer, Timers};
use crate::track::Track;

/// What a worker is told at its start.
#[derive(Clone, Debug)]
pub struct Config {
    /// The certificate.
    pub identity: Identity,
    /// Of the numbers that must differ but need not be secret (SSRCs of our reports).
    pub seed: u64,
}

/// One worker's media relay.
///
/// The shell's turn: `handle_datagram` for each of a batch, then `poll_transmit` until `Flow::Done`, then `poll_event`
/// until `None`; `handle_command` between two batches and `handle_timeout` at the deadline, each followed by the same two.
pub struct Sfu {
    pub(crate) crypto: Crypto,
    identity: Identity,
    pub(crate) seed: u64,
    pub(crate) clock: WallClock,
    /// The latest time told.
    now: Instant,
    pub(crate) peers: Slab<Peer>,
    by_key: BTreeMap<PeerKey, usize>,
    pub(crate) ufrags: BTreeMap<String, usize>,
    /// Filled by authenticated checks alone, so nobody can choose its keys to collide.
    pub(crate) addresses: FxHashMap<Path, usize>,
    /// Who sends an SSRC: looked up only where the address does not say it. Ordered, for peers choose their SSRCs.
    pub(crate) senders: BTreeMap<Ssrc, usize>,
    pub(crate) tracks: Slab<Track>,
    pub(crate) by_track: BTreeMap<TrackKey, usize>,
    pub(crate) calls: BTreeMap<CallKey, Call>,
    pub(crate) pool: Pool,
    /// Calls whose routes must be compiled before the next packet leaves.
    pub(crate) stale: BTreeSet<CallKey>,
    /// Tracks whose slots must choose their layers anew before that.
    pub(crate) unsettled: BTreeSet<usize>,
    /// Peers with something to be sent to.
    pub(crate) queue: VecDeque<usize>,
    /// Peers to whom a request may be due.
    pub(crate) feedback: VecDeque<usize>,
    /// What the slots of the subscriber in hand would show; kept for its memory.
    pub(crate) claims: Vec<Claim>,
    pub(crate) dtls_queue: VecDeque<(usize, Vec<u8>)>,
    pub(crate) control: VecDeque<Control>,
    pub(crate) timers: Timers,
    pub(crate) events: VecDeque<Event>,
    pub(crate) counters: Counters,
}

/// One call's members.
pub(crate) struct Call {
    pub(crate) peers: Vec<usize>,
    pub(crate) tracks: Vec<usize>,
    pub(crate) speaker: Speaker<PeerKey>,
    pub(crate) speaker_timer: Option<Instant>,
}

/// A datagram that is not media.
pub(crate) struct Control {
    pub(crate) peer: usize,
    pub(crate) path: Path,
    pub(crate) bytes: Vec<u8>,
}

/// What `Join` says.
struct Joining {
    call: CallKey,
    peer: PeerKey,
    ice: IceCredentials,
    theirs: IceCredentials,
    fingerprint: Fingerprint,
    srtp: SrtpAttempt,
    plan: Plan,
}

impl Sfu {
    /// An empty one. `wall` is the wall clock at `now`, read once: RTCP reports count from it.
    pub fn new(config: Config, now: Instant, wall: NtpTime) -> Result<Self, NewError> {
        let crypto = Crypto::new().ok_or(NewError::Crypto)?;
        let Config { identity, seed } = config;
        Ok(Self {
            crypto,
            identity,
            seed,
            clock: WallClock::new(now, wall),
            now,
            peers: Slab::default(),
            by_key: BTreeMap::new(),
            ufrags: BTreeMap::new(),
            addresses: FxHashMap::default(),
            senders: BTreeMap::new(),
            tracks: Slab::default(),
            by_track: BTreeMap::new(),
            calls: BTreeMap::new(),
            pool: Pool::default(),
            stale: BTreeSet::new(),
            unsettled: BTreeSet::new(),
            queue: VecDeque::new(),
            feedback: VecDeque::new(),
            claims: Vec::new(),
            dtls_queue: VecDeque::new(),
            control: VecDeque::new(),
            timers: Timers::default(),
            events: VecDeque::new(),
            counters: Counters::default(),
        })
    }

    /// Takes one datagram. `bytes` is decrypted in place.
    pub fn handle_datagram(&mut self, now: Instant, path: Path, bytes: &mut [u8]) {
        self.now = now;
        self.receive(now, path, bytes);
    }

    /// Whether a check by this path was authentic, and its peer is still here.
    pub fn holds(&self, path: Path) -> bool {
        self.addresses.contains_key(&path)
    }

    /// A path is gone for good, as when its TCP connection was closed.
    pub fn path_closed(&mut self, path: Path) {
        let peer = self.addresses.remove(&path).and_then(|index| self.peers.get_mut(index));
        if let Some(peer) = peer {
            peer.ice.forget(path);
        }
    }

    /// Applies a command.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        self.now = now;
        match command {
            Command::Join { call, peer, ice, theirs, fingerprint, srtp, plan } => {
                self.join(Joining { call, peer, ice, theirs, fingerprint, srtp, plan }, now);
            }
            Command::Restart { peer, ice, theirs, plan } => {
                self.restart(peer, [&ice, &theirs], plan, now);
            }
            Command::Audience { track, peers } => match self.track_mut(track) {
                Some(track) => {
                    track.audience = peers.into_iter().collect();
                    // What came before this decision is not for those whom it lets in.
                    track.forget_fresh();
                    let call = track.call;
                    self.stale.insert(call);
                }
                None => self.counters.stray_commands += 1,
            },
            Command::Want { peer, slots } => self.want(peer, &slots),
            Command::Mute { track, muted } => match self.track_mut(track) {
                Some(track) => {
                    track.muted = muted;
                    track.forget_fresh();
                    let call = track.call;
                    self.stale.insert(call);
                }
                None => self.counters.stray_commands += 1,
            },
            Command::Leave { peer } => {
                match self.by_key.get(&peer).copied() {
                    Some(index) => self.remove(index),
                    None => self.counters.stray_commands += 1,
                }
                // Also for one that is gone already: whoever waits for it must not wait for ever.
                self.events.push_back(Event::Left { peer });
            }
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        while let Some((at, timer)) = self.timers.pop(now) {
            match timer {
                Timer::Peer(index) => {
                    let is_current =
                        self.peers.get(index).is_some_and(|peer| peer.armed == Some(at));
                    if is_current {
                        self.peer_due(index, now);
                    }
                }
                Timer::Speaker(call) => self.speaker_due(call, at, now),
            }
        }
    }

    /// When `handle_timeout` is to be called next, at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.dtls_queue.is_empty() { self.timers.next() } else { Some(self.now) }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Appends what is to be sent. To be called after each batch of datagrams, after commands and after timeouts.
    pub fn poll_transmit(&mut self, now: Instant, egress: &mut Egress) -> Flow {
        self.now = now;
        self.transmit(now, egress)
    }

    /// Totals since start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What is held right now: at its baseline when everybody has left.
    pub fn occupancy(&self) -> Occupancy {
        Occupancy {
            peers: self.peers.len(),
            tracks: self.tracks.len(),
            calls: self.calls.len(),
            ufrags: self.ufrags.len(),
            addresses: self.addresses.len(),
            senders: self.senders.len(),
            streams: self
                .by_key
                .values()
                .filter_map(|at| self.peers.get(*at))
                .map(|peer| peer.streams.len())
                .sum(),
            cached_packets: self.pool.in_use(),
            cache_bytes: self.pool.size(),
            queued: self.control.len() + self.dtls_queue.len(),
        }
    }

    fn join(&mut self, joining: Joining, now: Instant) {
        let Joining { call, peer: key, ice, theirs, fingerprint, srtp, plan } = joining;
        if self.by_key.contains_key(&key) {
            return self.counters.stray_commands += 1;
        }
        let credentials = Ice::new(&ice, &theirs, &self.crypto, now);
        let fits = plan.publish.len() <= MAX_LINES
            && plan.slots.len() <= MAX_LINES
            && self.peers.len() < MAX_PEERS
            && !self.ufrags.contains_key(&ice.ufrag);
        let Some(credentials) = credentials.filter(|_| fits) else {
            let reason = CloseReason::Limit;
            return self.events.push_back(Event::Closed { peer: key, reason });
        };
        let start = Start {
            key,
            call,
            ice: credentials,
            dtls: Dtls::new(srtp, fingerprint, now),
            report_ssrc: self.report_ssrc(key, &plan),
            now,
        };
        let index = self.peers.insert(Peer::new(start));
        self.by_key.insert(key, index);
        self.ufrags.insert(ice.ufrag, index);
        self.calls
            .entry(call)
            .or_insert_with(|| Call {
                peers: Vec::new(),
                tracks: Vec::new(),
                speaker: Speaker::new(),
                speaker_timer: None,
            })
            .peers
            .push(index);
        self.set_plan(index, plan);
        self.arm_peer(index, now);
    }

    fn restart(
        &mut self,
        key: PeerKey,
        [ice, theirs]: [&IceCredentials; 2],
        plan: Plan,
        now: Instant,
    ) {
        let Some(&index) = self.by_key.get(&key) else {
            return self.counters.stray_commands += 1;
        };
        let fits = plan.publish.len() <= MAX_LINES && plan.slots.len() <= MAX_LINES;
        let holder = self.ufrags.get(&ice.ufrag).copied();
        if fits && holder == Some(index) {
            // The client did not restart ICE (RFC 8839 §4.4.1.1.1): only the plan is new.
            return self.set_plan(index, plan);
        }
        let fits = fits && holder.is_none();
        let ended = self
            .peers
            .get_mut(index)
            .filter(|_| fits)
            .and_then(|peer| peer.ice.restart(ice, theirs, &self.crypto, now));
        let Some(ended) = ended else { return self.counters.stray_commands += 1 };
        if let Some(ended) = ended {
            self.ufrags.remove(&ended);
        }
        self.ufrags.insert(ice.ufrag.clone(), index);
        self.set_plan(index, plan);
    }

    /// Takes what was negotiated: lines and slots that existed are updated in place, new ones are added.
    fn set_plan(&mut self, index: usize, plan: Plan) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        let (call, key) = (peer.call, peer.key);
        for line in plan.publish {
            if let Some(known) = peer.lines.iter_mut().find(|known| known.plan.mid == line.mid) {
                known.plan = line;
                continue;
            }
            let track_key = TrackKey { peer: key, source: line.source };
            // Two lines of one source cannot be told apart by those who watch: the first is it.
            if self.by_track.contains_key(&track_key) {
                continue;
            }
            let track = self.tracks.insert(Track::new(track_key, call, index, &line));
            self.by_track.insert(track_key, track);
            if let Some(call) = self.calls.get_mut(&call) {
                call.tracks.push(track);
            }
            peer.lines.push(Line { plan: line, track });
        }
        for line in plan.slots {
            match peer.slots.iter_mut().find(|slot| slot.line.mid == line.mid) {
                Some(known) => {
                    known.line.extensions = line.extensions;
                    if known.line.receives != line.receives {
                        known.line.receives = line.receives;
                        // Seated anew, it is sent only what it takes now.
                        known.carry(None, None);
                    }
                }
                None => peer.slots.push(Slot::new(line)),
            }
        }
        peer.seating.set_slots(peer.slots.iter().map(|slot| &slot.line));
        self.stale.insert(call);
    }

    fn want(&mut self, key: PeerKey, wishes: &[Wish]) {
        let peer = self.by_key.get(&key).and_then(|index| self.peers.get_mut(*index));
        let Some(peer) = peer else { return self.counters.stray_commands += 1 };
        for wish in wishes {
            let slot = peer.slots.iter_mut().find(|slot| slot.line.mid == wish.mid);
            let Some(slot) = slot else {
                self.counters.stray_commands += 1;
                continue;
            };
            slot.priority = wish.priority;
            slot.wish = match (slot.line.receives, wish.max_height) {
                (Receives::Pictures(_), 0) => Visibility::Unwanted,
                // Sound has no height; nobody pauses it this way.
                (Receives::Pictures(_) | Receives::Sound { .. }, tile) => {
                    Visibility::Wanted { tile }
                }
            };
        }
        self.stale.insert(peer.call);
    }

    /// Forgets a peer at once: nothing of it is left in any queue or table.
    fn remove(&mut self, index: usize) {
        let Some(peer) = self.peers.remove(index) else { return };
        self.by_key.remove(&peer.key);
        for ufrag in peer.ice.ufrags() {
            self.ufrags.remove(ufrag);
        }
        for path in peer.ice.paths() {
            if self.addresses.get(&path) == Some(&index) {
                self.addresses.remove(&path);
            }
        }
        for stream in &peer.streams {
            if self.senders.get(&stream.ssrc) == Some(&index) {
                self.senders.remove(&stream.ssrc);
            }
        }
        self.control.retain(|control| control.peer != index);
        self.dtls_queue.retain(|(peer, _)| *peer != index);
        self.queue.retain(|peer| *peer != index);
        self.feedback.retain(|peer| *peer != index);
        for line in &peer.lines {
            self.unsettled.remove(&line.track);
            if let Some(mut track) = self.tracks.remove(line.track) {
                track.clear(&mut self.pool);
                self.by_track.remove(&track.key);
            }
        }
        let Some(call) = self.calls.get_mut(&peer.call) else { return };
        call.peers.retain(|other| *other != index);
        call.tracks.retain(|track| self.tracks.get(*track).is_some());
        if call.peers.is_empty() {
            self.calls.remove(&peer.call);
            self.stale.remove(&peer.call);
        } else {
            self.stale.insert(peer.call);
        }
    }

    pub(crate) fn close(&mut self, index: usize, reason: CloseReason) {
        if let Some(peer) = self.peers.get(index) {
            self.events.push_back(Event::Closed { peer: peer.key, reason });
        }
        self.remove(index);
    }

    /// Works off handshake messages, a few at a time.
    pub(crate) fn turn_dtls(&mut self, now: Instant) {
        for _ in 0..DTLS_PER_TURN {
            let Some((index, datagram)) = self.dtls_queue.pop_front() else { return };
            let Some(peer) = self.peers.get_mut(index) else { continue };
            let progress = peer.dtls.handle(&datagram, &self.identity, &self.crypto, now);
            self.progress(index, progress, now);
        }
    }

    pub(crate) fn progress(&mut self, index: usize, progress: Progress, now: Instant) {
        // Answers first: a refusal is told with an alert.
        if let Some(peer) = self.peers.get_mut(index) {
            let path = peer.ice.handshake_path(now);
            let mut answers = Vec::new();
            while let Some(datagram) = peer.dtls.poll_transmit() {
                answers.push(datagram.as_ref().to_vec());
            }
            match path {
                Some(path) => {
                    for answer in answers {
                        self.push_control(index, path, answer);
                    }
                }
                None => self.counters.dropped_no_consent += 1,
            }
        }
        match progress {
            Progress::Continue => {}
            Progress::Refused => self.counters.dtls_errors += 1,
            Progress::OverLimit => return self.counters.dropped_dtls_limit += 1,
            Progress::Connected(session) => {
                self.counters.handshakes += 1;
                let profile = session.profile();
                match profile {
                    SrtpProfile::AeadAes128Gcm => {}
                    SrtpProfile::AeadAes256Gcm | SrtpProfile::Aes128CmSha1_80 => {
                        self.counters.handshakes_with_fallback_profile += 1;
                    }
                }
                if let Some(peer) = self.peers.get_mut(index) {
                    peer.session = Some(session);
                    self.stale.insert(peer.call);
                    self.events.push_back(Event::Connected { peer: peer.key, profile });
                }
            }
            Progress::Closed(reason) => return self.close(index, reason),
        }
        self.arm_peer(index, now);
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn index_of(&self, peer: PeerKey) -> Option<usize> {
        self.by_key.get(&peer).copied()
    }

    fn track_mut(&mut self, key: TrackKey) -> Option<&mut Track> {
        self.by_track.get(&key).and_then(|track| self.tracks.get_mut(*track))
    }

    /// An SSRC for our reports to a peer: none of its slots', and not 1, which browsers use.
    fn report_ssrc(&self, key: PeerKey, plan: &Plan) -> Ssrc {
        (0..)
            .map(|attempt: u64| {
                let [_, _, _, _, a, b, c, d] =
                    scramble(self.seed ^ u64::from(key.0) << 32 ^ attempt).to_be_bytes();
                Ssrc(u32::from_be_bytes([a, b, c, d]))
            })
            .find(|ssrc| {
                ssrc.0 > 1
                    && plan.slots.iter().all(|slot| slot.ssrc != *ssrc && slot.rtx != Some(*ssrc))
            })
            .unwrap_or(Ssrc(2))
    }
}

/// Sizes of a worker's tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Transports.
    pub peers: usize,
    /// Published sources.
    pub tracks: usize,
    /// Calls.
    pub calls: usize,
    /// Credentials.
    pub ufrags: usize,
    /// Authenticated addresses.
    pub addresses: usize,
    /// SSRCs by which their senders are known from other addresses too.
    pub senders: usize,
    /// SSRCs that authenticated.
    pub streams: usize,
    /// Packets kept for retransmission.
    pub cached_packets: usize,
    /// Memory of the caches, in use or free.
    pub cache_bytes: usize,
    /// Datagrams waiting to be sent or worked off.
    pub queued: usize,
}

/// Why there is no relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NewError {
    /// AES-GCM, HMAC-SHA1 or SHA-256 is missing.
    #[error("the crypto provider lacks an algorithm")]
    Crypto,
}

/// SplitMix64 (Steele, Lea, Flood 2014): spreads a seed, hides nothing.
pub(crate) fn scramble(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
