//! A model browser: its transport, what it publishes, what its slots show.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rtc_crypto::providers::RingProvider;
use rtc_crypto::{HmacAlgorithm, RTCCryptoProvider};
use sfu::plan::{
    CallKey, Codec, ExtensionIds, Format, Formats, IceCredentials, Mid, PeerKey, Plan, PublishLine,
    Receives, SlotLine, Source, Ssrc,
};
use sfu::ready_keys::{FarEnd, KeyMaterial};
use sfu::{NtpTime, Path, Via};

use crate::link::{Direction, Link, Mapping};
use crate::packet::{
    self, AUDIO_LEVEL, MID, OPUS, RED, RTX, ReportBlock, Rtp, TRANSPORT_CC, VP8, compound, extend,
};
use crate::profile::Access;
use crate::random::Dice;
use crate::receiver::Receiver;
use crate::sender::{Picture, Plain, Voice, mid_of};
use crate::twcc::Recorder;

/// What a browser brings and takes.
#[derive(Clone, Debug)]
pub struct Seat {
    /// In which call.
    pub call: CallKey,
    /// What it publishes.
    pub sources: Vec<Source>,
    /// Slots for sound and for pictures.
    pub slots: (u32, u32),
    /// Its link.
    pub access: Access,
}

/// Where a browser stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its offer was answered.
    Joined,
    /// It has keys.
    Connected,
    /// It left.
    Gone,
}

/// One browser.
pub struct Browser {
    /// Its number is its peer key.
    pub key: PeerKey,
    /// Where it stands.
    pub stage: Stage,
    /// What was negotiated.
    pub plan: Plan,
    /// What the relay knows it by.
    pub ice: IceCredentials,
    /// Its own, under which it answers the relay's checks.
    pub theirs: IceCredentials,
    /// Its keys, before they are.
    pub material: KeyMaterial,
    /// Its call.
    pub call: CallKey,
    /// Towards the relay.
    pub up: Link,
    /// From the relay.
    pub down: Link,
    /// Its microphone.
    pub voice: Option<Voice>,
    /// Its camera and screen.
    pub pictures: Vec<Picture>,
    /// By the SSRC of their slots.
    pub receivers: BTreeMap<Ssrc, Receiver>,
    far: FarEnd,
    /// Newest index of each SSRC it is sent.
    indices: BTreeMap<Ssrc, u64>,
    /// Retransmission SSRC to media SSRC.
    repairs: BTreeMap<Ssrc, Ssrc>,
    recorder: Recorder,
    transport_sequence: u16,
    start: Instant,
    /// Its wall clock is this far from the relay's.
    clock_offset: Duration,
}

const FIRST_PORT: u16 = 10_000;
/// Address mappings of one browser over time.
const MAPPINGS: u16 = 64;

impl Browser {
    /// With number `number` from 0.
    pub fn new(number: u32, seat: Seat, seed: u64, start: Instant) -> Self {
        let mut dice = Dice::new(seed ^ u64::from(number + 1).wrapping_mul(0x5851_f42d_4c95_7f2d));
        let mut material = [0; 56];
        material.iter_mut().for_each(|byte| *byte = dice.roll() as u8);
        let material = KeyMaterial(material);
        let ssrc = |kind: u32| kind << 24 | (number + 1) << 8;
        let voice =
            seat.sources.contains(&Source::Mic).then(|| Voice::new(number, ssrc(0x10), &mut dice));
        let pictures: Vec<_> = seat
            .sources
            .iter()
            .filter_map(|source| {
                match source {
                    Source::Cam => Some((ssrc(0x20), ssrc(0x21))),
                    Source::Screen => Some((ssrc(0x30), ssrc(0x31))),
                    Source::Mic | Source::ScreenAudio => None,
                }
                .map(|(media, rtx)| Picture::new(number, *source, media, rtx, &mut dice))
            })
            .collect();
        let plan = plan(voice.as_ref(), &pictures, seat.slots, number, &mut dice);
        let link_seed = dice.roll();
        Self {
            key: PeerKey(number),
            stage: Stage::Joined,
            ice: IceCredentials {
                ufrag: format!("ufrag{number:06}"),
                pwd: format!("password-of-24-characters{number:06}"),
            },
            theirs: IceCredentials {
                ufrag: "theirs".into(),
                pwd: format!("another-of-24-characters{number:06}"),
            },
            far: FarEnd::new(&material).unwrap(),
            material,
            call: seat.call,
            up: Link::new(link_seed, Direction::Up, seat.access.up),
            down: Link::new(link_seed, Direction::Down, seat.access.down),
            voice,
            pictures,
            receivers: plan.slots.iter().map(|it| (it.ssrc, Receiver::new(it.ssrc))).collect(),
            repairs: plan.slots.iter().filter_map(|it| Some((it.rtx?, it.ssrc))).collect(),
            plan,
            indices: BTreeMap::new(),
            recorder: Recorder::new(start),
            transport_sequence: dice.roll() as u16,
            start,
            clock_offset: Duration::from_millis(dice.below(5_000)),
        }
    }

    /// Which browser, and which of its addresses, a path leads to.
    pub fn of_path(path: Path) -> (usize, Mapping) {
        let port = path.remote.port() - FIRST_PORT;
        (usize::from(port / MAPPINGS), Mapping(port % MAPPINGS))
    }

    /// Where it sends from with this mapping.
    pub fn path(&self, mapping: Mapping) -> Path {
        let port = FIRST_PORT + u16::try_from(self.key.0).unwrap() * MAPPINGS;
        let port = port + mapping.0 % MAPPINGS;
        Path { remote: SocketAddr::from((Ipv4Addr::new(192, 0, 2, 10), port)), via: Via::Udp }
    }

    /// Sends a connectivity check.
    pub fn check(&mut self, now: Instant) {
        let check = self.binding_request();
        self.up.push(now, check);
    }

    /// A connectivity check.
    pub fn binding_request(&self) -> Vec<u8> {
        binding_request(&self.ice)
    }

    /// Sends the next 20 ms of sound.
    pub fn speak(&mut self, now: Instant) {
        let Some(voice) = &mut self.voice else { return };
        if let Some(plain) = voice.packet(&mut self.transport_sequence) {
            self.send(plain, now);
        }
    }

    /// Sends the next frame of a picture.
    pub fn show(&mut self, picture: usize, dice: &mut Dice, now: Instant) {
        let Some(picture) = self.pictures.get_mut(picture) else { return };
        for plain in picture.frame(now, dice, &mut self.transport_sequence) {
            self.send(plain, now);
        }
    }

    fn send(&mut self, plain: Plain, now: Instant) {
        let Plain { mut bytes, header_len, ssrc, index } = plain;
        assert!(self.far.seal(&mut bytes, header_len, ssrc, index));
        self.up.push(now, bytes);
    }

    fn send_rtcp(&mut self, packet: &[u8], now: Instant) {
        let sealed = self.far.seal_rtcp(packet).unwrap();
        self.up.push(now, sealed);
    }

    /// Decrypts what the relay sends to it. `None` if it is not under its keys.
    pub fn open(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        if (192..224).contains(&bytes[1]) {
            *bytes = self.far.open_rtcp(bytes)?;
            return Some(());
        }
        let (ssrc, sequence, header_len) = {
            let packet = Rtp(bytes);
            (packet.ssrc(), packet.sequence(), packet.header_len())
        };
        let newest = self.indices.get(&ssrc).copied();
        let index = extend(newest, sequence);
        let len = self.far.open(bytes, header_len, ssrc, index)?;
        self.indices.insert(ssrc, newest.map_or(index, |newest| newest.max(index)));
        bytes.truncate(len);
        Some(())
    }

    /// Takes a packet, in plaintext, that its link brought.
    pub fn receive(&mut self, bytes: &[u8], now: Instant) {
        if bytes.starts_with(&[0, 1]) {
            let answer = binding_answer(bytes, &self.theirs);
            return self.up.push(now, answer);
        }
        if self.stage != Stage::Connected || bytes[0] < 128 {
            return;
        }
        if (192..224).contains(&bytes[1]) {
            return self.receive_rtcp(bytes, now);
        }
        let packet = Rtp(bytes);
        if let Some(sequence) = packet.transport_sequence() {
            self.recorder.note(sequence, now);
        }
        let media = self.repairs.get(&packet.ssrc()).copied().unwrap_or(packet.ssrc());
        let Some(receiver) = self.receivers.get_mut(&media) else { return };
        receiver.receive(packet, self.start, now);
        self.request(media, now);
    }

    fn receive_rtcp(&mut self, bytes: &[u8], now: Instant) {
        let mut repeated = Vec::new();
        for packet in compound(bytes) {
            if let Some(media) = packet.picture_loss() {
                let asked = self.pictures.iter_mut().find(|it| it.stream.ssrc == media);
                if let Some(picture) = asked {
                    picture.keyframe_asked(now);
                }
            }
            if let Some((media, lost)) = packet.nack() {
                let asked = self.pictures.iter_mut().find(|it| it.stream.ssrc == media);
                if let Some(picture) = asked {
                    repeated.extend(picture.again(&lost, &mut self.transport_sequence));
                }
            }
            if let Some((ssrc, middle)) = packet.sender_report()
                && let Some(receiver) = self.receivers.get_mut(&ssrc)
            {
                receiver.reported(middle, now);
            }
        }
        for plain in repeated {
            self.send(plain, now);
        }
    }

    fn request(&mut self, media: Ssrc, now: Instant) {
        let Some(receiver) = self.receivers.get_mut(&media) else { return };
        if self.repairs.values().all(|it| *it != media) {
            return;
        }
        let requests = receiver.requests(now);
        if !requests.nack.is_empty() {
            self.send_rtcp(&packet::nack(media, &requests.nack), now);
        }
        if requests.keyframe {
            self.send_rtcp(&packet::picture_loss(media), now);
        }
    }

    /// Every 100 ms: transport-wide feedback, and requests that fell due.
    pub fn feed_back(&mut self, now: Instant) {
        let media = self.plan.slots.first().map_or(Ssrc(1), |slot| slot.ssrc);
        while let Some(feedback) = self.recorder.take(media) {
            self.send_rtcp(&feedback, now);
        }
        let slots: Vec<_> = self.receivers.keys().copied().collect();
        for media in slots {
            self.request(media, now);
        }
    }

    /// Every second: receiver reports and sender reports.
    pub fn report(&mut self, wall: NtpTime, now: Instant) {
        let blocks: Vec<_> = self
            .receivers
            .values_mut()
            .filter_map(|receiver| {
                let (highest, last_sender_report, delay) = receiver.reception(now)?;
                let (ssrc, fraction_lost) = (receiver.ssrc, receiver.fraction_lost());
                Some(ReportBlock { ssrc, fraction_lost, highest, last_sender_report, delay })
            })
            .collect();
        if !blocks.is_empty() {
            self.send_rtcp(&packet::receiver_report(&blocks), now);
        }
        let ntp = wall.after(self.clock_offset);
        let streams = self.voice.iter().map(|it| it.stream);
        let streams: Vec<_> = streams.chain(self.pictures.iter().map(|it| it.stream)).collect();
        for stream in streams {
            let report =
                packet::sender_report(stream.ssrc, ntp.0, stream.timestamp, stream.packets);
            self.send_rtcp(&report, now);
        }
    }

    /// Sends RTCP of the test's own making.
    pub fn abuse(&mut self, packet: &[u8], now: Instant) {
        self.send_rtcp(packet, now);
    }
}

fn plan(
    voice: Option<&Voice>,
    pictures: &[Picture],
    (sounds, videos): (u32, u32),
    number: u32,
    dice: &mut Dice,
) -> Plan {
    let extensions = ExtensionIds {
        mid: Some(MID),
        transport_cc: Some(TRANSPORT_CC),
        audio_level: Some(AUDIO_LEVEL),
        ..ExtensionIds::default()
    };
    let opus = Codec::Opus { pt: OPUS, red: Some(RED) };
    let vp8 = Codec::Picture { format: Format::Vp8, pt: VP8, rtx: Some(RTX) };
    let pictures_in = Receives::Pictures(Formats::default().with(Format::Vp8, VP8, Some(RTX)));
    let sound = Receives::Sound { pt: OPUS, red: Some(RED) };
    let line = |source, codec, ssrc, rtx: Option<Ssrc>| PublishLine {
        mid: Mid::new(mid_of(source)).unwrap(),
        source,
        codec,
        extensions,
        ssrcs: vec![ssrc],
        rids: Vec::new(),
        rtx_of: rtx.map(|rtx| (ssrc, rtx)).into_iter().collect(),
    };
    let mut publish: Vec<_> =
        voice.map(|voice| line(Source::Mic, opus, voice.stream.ssrc, None)).into_iter().collect();
    publish
        .extend(pictures.iter().map(|it| line(it.source, vp8, it.stream.ssrc, Some(it.rtx.ssrc))));
    let mut slot = |name: &str, at: u32, receives, kind: u32| SlotLine {
        mid: Mid::new(&format!("{name}{at}")).unwrap(),
        receives,
        extensions,
        ssrc: Ssrc(kind << 24 | (number + 1) << 8 | at),
        rtx: (receives == pictures_in).then_some(Ssrc((kind + 1) << 24 | (number + 1) << 8 | at)),
        first_sequence: dice.below(0x8000) as u16,
        first_timestamp: dice.roll() as u32,
    };
    let slots = (0..videos).map(|at| slot("v", at, pictures_in, 0x60)).collect::<Vec<_>>();
    let slots = slots.into_iter().chain((0..sounds).map(|at| slot("a", at, sound, 0x70))).collect();
    Plan { publish, slots }
}

/// A nominated binding request, as libwebrtc writes it (RFC 8445 §7.2.4).
fn binding_request(ice: &IceCredentials) -> Vec<u8> {
    let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    message.extend([7; 12]);
    attribute(&mut message, 0x0006, format!("{}:theirs", ice.ufrag).as_bytes());
    attribute(&mut message, 0x802a, &[1; 8]);
    attribute(&mut message, 0x0025, &[]);
    attribute(&mut message, 0x0024, &[0x6e, 0, 0x1e, 0xff]);
    sign(message, ice)
}

/// The answer to a check of the relay.
fn binding_answer(request: &[u8], theirs: &IceCredentials) -> Vec<u8> {
    let mut message = vec![1, 1, 0, 0];
    message.extend(&request[4..20]);
    attribute(&mut message, 0x0020, &[0, 1, 0, 0, 0, 0, 0, 0]);
    sign(message, theirs)
}

fn attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

/// With MESSAGE-INTEGRITY and FINGERPRINT.
fn sign(mut message: Vec<u8>, ice: &IceCredentials) -> Vec<u8> {
    let len = u16::try_from(message.len()).unwrap();
    message[2..4].copy_from_slice(&(len - 20 + 24).to_be_bytes());
    let mut tag = [0; 20];
    RingProvider::new()
        .crypto()
        .new_hmac(HmacAlgorithm::Sha1, ice.pwd.as_bytes())
        .unwrap()
        .sign(&[&message], &mut tag)
        .unwrap();
    attribute(&mut message, 0x0008, &tag);
    message[2..4].copy_from_slice(&(len - 20 + 32).to_be_bytes());
    let crc = crc32(&message) ^ 0x5354_554e;
    attribute(&mut message, 0x8028, &crc.to_be_bytes());
    message
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 0 { crc >> 1 } else { (crc >> 1) ^ 0xedb8_8320 }
        })
    })
}
