//! The whole forwarder: two browsers with keys in a call, and what they, a stranger and the control side do in any order.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sfu::command::{Command, Muted, Wish};
use sfu::limits::{CACHE_BYTES, MAX_DATAGRAM_BYTES};
use sfu::plan::{
    CallKey, Codec, Fingerprint, Format, PayloadType, Receives, Rid, Source, SrtpAttempt, Ssrc,
    TrackKey,
};
use sfu::ready_keys::FarEnd;
use sfu::{Config, Egress, Flow, Identity, NtpTime, Path, Sfu, Via};
use simulation::browser::{Browser, Seat, Stage as Standing};
use simulation::layered::encoder::{DEPENDENCY, payload_type, repair_type};
use simulation::link::Mapping;
use simulation::packet::{AUDIO_LEVEL, MID, OPUS, RTX, TAG_BYTES, TRANSPORT_CC, VP8};
use simulation::profile::Preset;

/// Ids of the extensions that name a simulcast layer.
const RID: u8 = 10;
const REPAIRED_RID: u8 = 11;

/// Steps of one input: enough for everything to meet, few enough for thousands of inputs a second.
const MAX_STEPS: usize = 400;

/// Turns of sending after one step: far above what queues and caches hold.
const MAX_TURNS: usize = 10_000;

/// What may be sent by name, besides media of the fuzzer's own making.
const STREAMS: [&str; 8] = ["mic", "cam", "rtx", "q", "h", "f", "screen", "rtx-h"];

/// One thing that happens. Browsers are counted from 0, modulo how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The next packet of a stream, with a header as browsers write it.
    Media {
        /// Who.
        from: u8,
        /// Place in [`STREAMS`].
        stream: u8,
        /// Sequence numbers after the last one.
        ahead: i8,
        /// Timestamp.
        time: u16,
        /// Bit 0 is the marker, the others the audio level.
        flags: u8,
        /// What is in it.
        payload: &'a [u8],
    },
    /// A whole RTP packet in plaintext, which is sealed.
    Packet {
        /// Who.
        from: u8,
        /// The packet.
        bytes: &'a [u8],
    },
    /// An RTCP compound in plaintext, which is sealed.
    Report {
        /// Who.
        from: u8,
        /// The compound.
        bytes: &'a [u8],
    },
    /// A datagram as it is.
    Datagram {
        /// Who; 255 is a stranger.
        from: u8,
        /// The datagram.
        bytes: &'a [u8],
    },
    /// Time passes.
    Wait {
        /// In units of 5 ms.
        units: u8,
    },
    /// The control side decides.
    Decide {
        /// About whom.
        whom: u8,
        /// What.
        what: u8,
        /// Depends on that.
        value: u16,
    },
    /// A connectivity check, perhaps from another address.
    Check {
        /// Who.
        from: u8,
        /// From which of its addresses.
        address: u8,
    },
}

impl<'a> Step<'a> {
    /// Takes one off the input. Every input is a list of steps.
    pub fn decode(input: &mut &'a [u8]) -> Option<Self> {
        let [kind, from] = take(input)?;
        Some(match kind % 7 {
            0 => {
                let [stream, ahead, high, low, flags] = take(input)?;
                let time = u16::from_be_bytes([high, low]);
                let payload = block(input)?;
                Self::Media { from, stream, ahead: ahead.cast_signed(), time, flags, payload }
            }
            1 => Self::Packet { from, bytes: block(input)? },
            2 => Self::Report { from, bytes: block(input)? },
            3 => Self::Datagram { from, bytes: block(input)? },
            4 => Self::Wait { units: from },
            5 => {
                let [what, high, low] = take(input)?;
                Self::Decide { whom: from, what, value: u16::from_be_bytes([high, low]) }
            }
            _ => {
                let [address] = take(input)?;
                Self::Check { from, address }
            }
        })
    }

    /// The bytes that [`Step::decode`] reads as this.
    pub fn encode(&self, to: &mut Vec<u8>) {
        let with_block = |to: &mut Vec<u8>, bytes: &[u8]| {
            to.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
            to.extend(bytes);
        };
        match *self {
            Self::Media { from, stream, ahead, time, flags, payload } => {
                let [high, low] = time.to_be_bytes();
                to.extend([0, from, stream, ahead.cast_unsigned(), high, low, flags]);
                with_block(to, payload);
            }
            Self::Packet { from, bytes } => {
                to.extend([1, from]);
                with_block(to, bytes);
            }
            Self::Report { from, bytes } => {
                to.extend([2, from]);
                with_block(to, bytes);
            }
            Self::Datagram { from, bytes } => {
                to.extend([3, from]);
                with_block(to, bytes);
            }
            Self::Wait { units } => to.extend([4, units]),
            Self::Decide { whom, what, value } => {
                let [high, low] = value.to_be_bytes();
                to.extend([5, whom, what, high, low]);
            }
            Self::Check { from, address } => to.extend([6, from, address]),
        }
    }
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(*taken)
}

/// Bytes behind their length; as many as there are.
fn block<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::from(u16::from_be_bytes(take(input)?));
    let (block, rest) = input.split_at(len.min(input.len()));
    *input = rest;
    Some(block)
}

/// The input as blocks, each behind its length.
pub fn chunks(mut input: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || block(&mut input))
}

/// Plays the steps. Whatever happens, everybody is sent only what is sealed for them and fits a datagram; and when all have
/// left, nothing of them is left. `None` if nobody was sent media.
pub fn run(input: &[u8]) -> Option<()> {
    play(Stage::new(2), input)
}

/// The same with cameras that send all their sizes in one stream: the first one's in VP9, the second one's in AV1, where each
/// payload begins with its dependency descriptor behind one byte of length.
pub fn run_scalable(input: &[u8]) -> Option<()> {
    play(Stage::scalable(), input)
}

fn play(mut stage: Stage, mut input: &[u8]) -> Option<()> {
    stage.connect();
    for _ in 0..MAX_STEPS {
        let Some(step) = Step::decode(&mut input) else { break };
        stage.play(step);
    }
    stage.end();
    (stage.sfu.counters().forwarded_packets > 0).then_some(())
}

/// A relay and its browsers.
pub struct Stage {
    /// The relay.
    pub sfu: Sfu,
    /// Who is in the call.
    pub browsers: Vec<Browser>,
    /// Datagrams that left the relay.
    pub sent: usize,
    far: Vec<FarEnd>,
    /// The last index of each stream.
    indices: BTreeMap<(usize, Ssrc), u64>,
    transport_sequence: u16,
    now: Instant,
    egress: Egress,
}

impl Stage {
    /// With so many browsers, of which the relay knows nothing yet. The first one's camera has layers.
    pub fn new(count: u32) -> Self {
        static EPOCH: OnceLock<Instant> = OnceLock::new();
        static IDENTITY: OnceLock<Identity> = OnceLock::new();
        let now = *EPOCH.get_or_init(Instant::now);
        let identity = IDENTITY.get_or_init(|| Identity::generate().unwrap()).clone();
        let wall = NtpTime::from_unix(Duration::from_secs(1_800_000_000));
        let mut browsers: Vec<Browser> = (0..count)
            .map(|number| {
                let sources = vec![Source::Mic, Source::Cam, Source::Screen];
                let access = Preset::Clean.access();
                let seat = Seat { call: CallKey(1), sources, slots: (3, 2), access };
                Browser::new(number, seat, 1, now)
            })
            .collect();
        let cameras = browsers.first_mut().into_iter().flat_map(|it| &mut it.plan.publish);
        for line in cameras.filter(|line| line.source == Source::Cam) {
            line.rids = Rid::ALL.to_vec();
            line.extensions.rid = Some(RID);
            line.extensions.repaired_rid = Some(REPAIRED_RID);
            (line.ssrcs, line.rtx_of) = (Vec::new(), Vec::new());
        }
        Self {
            sfu: Sfu::new(Config { identity, seed: 1 }, now, wall).unwrap(),
            far: browsers.iter().map(|it| FarEnd::new(&it.material).unwrap()).collect(),
            browsers,
            sent: 0,
            indices: BTreeMap::new(),
            transport_sequence: 0,
            now,
            egress: Egress::new(),
        }
    }

    /// With two browsers that show every format, and send their cameras in VP9 and in AV1.
    pub fn scalable() -> Self {
        let mut stage = Self::new(2);
        for (browser, format) in stage.browsers.iter_mut().zip([Format::Vp9, Format::Av1]) {
            let (pt, rtx) = (payload_type(format), Some(repair_type(format)));
            let cameras = browser.plan.publish.iter_mut();
            for line in cameras.filter(|line| line.source == Source::Cam) {
                line.codec = Codec::Picture { format, pt, rtx };
                line.extensions.dependency = (format == Format::Av1).then_some(DEPENDENCY);
                (line.extensions.rid, line.extensions.repaired_rid) = (None, None);
                line.rids.clear();
                (line.ssrcs, line.rtx_of) = (Vec::new(), Vec::new());
            }
            for slot in &mut browser.plan.slots {
                if let Receives::Pictures(formats) = &mut slot.receives {
                    *formats =
                        [Format::Vp9, Format::Av1].into_iter().fold(*formats, |all, format| {
                            all.with(format, payload_type(format), Some(repair_type(format)))
                        });
                    slot.extensions.dependency = Some(DEPENDENCY);
                }
            }
        }
        stage
    }

    /// Everybody is in the call, has keys, and may receive everything.
    fn connect(&mut self) {
        for at in 0..self.browsers.len() {
            let Browser { call, key, ice, plan, .. } = &self.browsers[at];
            let (call, peer, ice, plan) = (*call, *key, ice.clone(), plan.clone());
            // The fuzzer answers checks with what it knows.
            let theirs = ice.clone();
            let fingerprint = Fingerprint([0; 32]);
            let srtp = SrtpAttempt::First;
            self.command(Command::Join { call, peer, ice, theirs, fingerprint, srtp, plan });
            self.check(at);
            let material = self.browsers[at].material.clone();
            self.sfu.connect_with_keys(peer, &material, self.now).expect("it has joined");
            self.browsers[at].stage = Standing::Connected;
            self.settle();
        }
        for at in 0..self.browsers.len() {
            for source in [Source::Mic, Source::Cam, Source::Screen] {
                self.audience(at, source, u16::MAX);
            }
        }
    }

    fn play(&mut self, step: Step<'_>) {
        let count = self.browsers.len();
        let who = |number: u8| usize::from(number) % count;
        match step {
            Step::Media { from, stream, ahead, time, flags, payload } => {
                self.media(who(from), stream, ahead, time, flags, payload);
            }
            Step::Packet { from, bytes } => self.packet(who(from), bytes),
            Step::Report { from, bytes } => {
                // Shorter than a header and a sender is nothing that can be sealed.
                if bytes.len() >= 8
                    && let Some(sealed) = self.far[who(from)].seal_rtcp(bytes)
                {
                    let path = self.path(who(from));
                    self.datagram(path, &sealed);
                }
            }
            Step::Datagram { from: u8::MAX, bytes } => {
                let remote = SocketAddr::from(([203, 0, 113, 66], 6_666));
                self.datagram(Path { remote, via: Via::Udp }, bytes);
            }
            Step::Datagram { from, bytes } => {
                let path = self.path(who(from));
                self.datagram(path, bytes);
            }
            Step::Wait { units } => self.advance(Duration::from_millis(5 * u64::from(units))),
            Step::Decide { whom, what, value } => self.decide(who(whom), what, value),
            Step::Check { from, address } => {
                for _ in 0..address % 3 {
                    self.browsers[who(from)].up.rebind();
                }
                self.check(who(from));
            }
        }
    }

    fn media(&mut self, at: usize, stream: u8, ahead: i8, time: u16, flags: u8, payload: &[u8]) {
        let name = STREAMS[usize::from(stream) % STREAMS.len()];
        let plan = &self.browsers[at].plan;
        let line = |source| plan.publish.iter().find(|line| line.source == source).unwrap();
        let own = |layer: u32| Ssrc(0x4000_0000 + layer);
        let (mic, cam, screen) = (line(Source::Mic), line(Source::Cam), line(Source::Screen));
        let (camera, again) = match cam.codec {
            Codec::Picture { pt, rtx, .. } => (pt, rtx.unwrap_or(RTX)),
            Codec::Opus { .. } => (PayloadType(0), RTX),
        };
        let dependency_id = cam.extensions.dependency;
        let takes_rids = !cam.rids.is_empty();
        // Of the camera with layers no SSRC is declared: its streams say by mid and rid what they are.
        let (line, pt, ssrc, rid) = match name {
            "mic" => (mic, OPUS, mic.ssrcs[0], None),
            "screen" => (screen, VP8, screen.ssrcs[0], None),
            "cam" => (cam, camera, cam.ssrcs.first().copied().unwrap_or(own(9)), None),
            "rtx" => (cam, again, cam.rtx_of.first().map_or(own(8), |(_, rtx)| *rtx), None),
            "rtx-h" => (cam, again, own(7), Some((REPAIRED_RID, b'h'))),
            layer => (cam, camera, own(u32::from(stream)), Some((RID, layer.as_bytes()[0]))),
        };
        let rid = rid.filter(|_| takes_rids || pt == VP8);
        let described = dependency_id.filter(|_| pt == camera || pt == again);
        let (descriptor, payload) = match (described, payload.split_first()) {
            (Some(id), Some((&len, rest))) => {
                let (bytes, payload) = rest.split_at(rest.len().min(usize::from(len)));
                (Some((id, bytes)), payload)
            }
            _ => (None, payload),
        };
        let mid = line.mid;
        let last = self.indices.entry((at, ssrc)).or_insert(100);
        *last = last.saturating_add_signed(i64::from(ahead));
        let index = *last;
        let [high, low] = self.transport_sequence.to_be_bytes();
        self.transport_sequence = self.transport_sequence.wrapping_add(1);
        let mut packet = vec![0x90, pt.0 | flags << 7];
        packet.extend((index as u16).to_be_bytes());
        packet.extend((u32::from(time) << 8).to_be_bytes());
        packet.extend(ssrc.0.to_be_bytes());
        if let Some((id, bytes)) = descriptor {
            packet.extend([
                0x10,
                0,
                0,
                0,
                TRANSPORT_CC,
                2,
                high,
                low,
                MID,
                mid.as_bytes().len() as u8,
            ]);
            packet.extend(mid.as_bytes());
            packet.extend([id, bytes.len() as u8]);
            packet.extend(bytes);
        } else {
            packet.extend([0xbe, 0xde, 0, 0]);
            packet.extend([AUDIO_LEVEL << 4, flags >> 1, TRANSPORT_CC << 4 | 1, high, low]);
            packet.push(MID << 4 | (mid.as_bytes().len() - 1) as u8);
            packet.extend(mid.as_bytes());
        }
        packet.extend(rid.into_iter().flat_map(|(id, name)| [id << 4, name]));
        packet.resize(packet.len().next_multiple_of(4), 0);
        packet[15] = (packet.len() / 4 - 4) as u8;
        let header_len = packet.len();
        packet.extend(payload);
        self.seal(at, packet, header_len, ssrc, index);
    }

    fn packet(&mut self, at: usize, bytes: &[u8]) {
        let &[first, _, high, low, ..] = bytes else { return };
        let Some(ssrc) = bytes.get(8..12) else { return };
        let ssrc = Ssrc(u32::from_be_bytes(ssrc.try_into().unwrap()));
        let mut header_len = 12 + 4 * usize::from(first & 15);
        if first & 0x10 != 0 {
            let Some(&[_, _, high, low]) = bytes.get(header_len..header_len + 4) else { return };
            header_len += 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        }
        if header_len <= bytes.len() {
            let index = u64::from(u16::from_be_bytes([high, low]));
            self.seal(at, bytes.to_vec(), header_len, ssrc, index);
        }
    }

    fn seal(&mut self, at: usize, mut packet: Vec<u8>, header_len: usize, ssrc: Ssrc, index: u64) {
        packet.resize(packet.len() + TAG_BYTES, 0);
        if self.far[at].seal(&mut packet, header_len, ssrc, index) {
            let path = self.path(at);
            self.datagram(path, &packet);
        }
    }

    fn decide(&mut self, at: usize, what: u8, value: u16) {
        let source = [Source::Mic, Source::Cam, Source::Screen][usize::from(value % 3)];
        let peer = self.browsers[at].key;
        match what % 5 {
            0 => self.audience(at, source, value >> 2),
            1 => {
                let muted = if value & 4 == 0 { Muted::Yes } else { Muted::No };
                self.command(Command::Mute { track: TrackKey { peer, source }, muted });
            }
            2 => {
                let slots = &self.browsers[at].plan.slots;
                let mid = slots[usize::from(what) / 5 % slots.len()].mid;
                let wish = Wish { mid, max_height: value, priority: (value % 4) as u8 };
                self.command(Command::Want { peer, slots: vec![wish] });
            }
            3 => {
                // An offer that changes nothing, or starts with other credentials.
                let mut ice = self.browsers[at].ice.clone();
                if value & 1 == 1 {
                    ice.ufrag = format!("again{value:05}");
                    self.browsers[at].ice = ice.clone();
                }
                let plan = self.browsers[at].plan.clone();
                let theirs = ice.clone();
                self.command(Command::Restart { peer, ice, theirs, plan });
            }
            _ => self.command(Command::Leave { peer }),
        }
    }

    fn audience(&mut self, at: usize, source: Source, mask: u16) {
        let track = TrackKey { peer: self.browsers[at].key, source };
        let heard = self.browsers.iter().zip(0..).filter(|(_, bit)| mask >> bit & 1 == 1);
        let peers = heard.map(|(browser, _)| browser.key).collect();
        self.command(Command::Audience { track, peers });
    }

    /// Gives the relay a command.
    pub fn command(&mut self, command: Command) {
        self.sfu.handle_command(self.now, command);
        self.settle();
    }

    /// Where a browser sends from.
    pub fn path(&self, at: usize) -> Path {
        let browser = &self.browsers[at];
        browser.path(browser.up.mapping())
    }

    /// A connectivity check of a browser.
    pub fn check(&mut self, at: usize) {
        let later = self.now + Duration::from_millis(50);
        self.browsers[at].check(self.now);
        while let Some(delivery) = self.browsers[at].up.poll(later) {
            let path = self.path(at);
            self.datagram(path, &delivery.bytes);
        }
    }

    /// A datagram comes.
    pub fn datagram(&mut self, path: Path, bytes: &[u8]) {
        self.sfu.handle_datagram(self.now, path, &mut bytes.to_vec());
        self.settle();
    }

    /// Time passes, and what falls due is done.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(due) = self.sfu.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.sfu.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
    }

    fn settle(&mut self) {
        for turn in 0.. {
            assert!(turn < MAX_TURNS, "sending does not end");
            let flow = self.sfu.poll_transmit(self.now, &mut self.egress);
            for (path, bytes) in self.egress.datagrams() {
                self.sent += 1;
                assert!((1..=MAX_DATAGRAM_BYTES).contains(&bytes.len()), "{} bytes", bytes.len());
                let (at, _): (usize, Mapping) = Browser::of_path(path);
                let is_media = bytes[0] >= 128;
                if is_media {
                    let opened = self.browsers[at].open(&mut bytes.to_vec());
                    assert!(opened.is_some(), "it was sealed for somebody else, or out of order");
                }
            }
            self.egress.clear();
            if flow == Flow::Done {
                break;
            }
        }
        while self.sfu.poll_event().is_some() {}
        let held = self.sfu.occupancy();
        assert!(held.cache_bytes <= CACHE_BYTES && held.peers <= self.browsers.len());
    }

    fn end(&mut self) {
        for at in 0..self.browsers.len() {
            let peer = self.browsers[at].key;
            self.command(Command::Leave { peer });
        }
        let held = self.sfu.occupancy();
        let nothing = sfu::sfu::Occupancy { cache_bytes: held.cache_bytes, ..Default::default() };
        assert_eq!(held, nothing, "nothing of them is left");
        assert_eq!(self.sfu.counters().refused_srtp_index, 0);
    }
}
