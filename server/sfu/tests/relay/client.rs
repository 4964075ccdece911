//! A browser's transport in virtual time: its own STUN, rtc-dtls as client, rtc-srtp for media.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rtc_crypto::providers::RingProvider;
use rtc_crypto::{HashAlgorithm, RTCCryptoProvider};
use rtc_dtls::config::{ConfigBuilder, ExtendedMasterSecretType};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_srtp::config::LABEL_EXTRACTOR_DTLS_SRTP;
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;
use sfu::command::Command;
use sfu::plan::{
    CallKey, Codec, ExtensionIds, Fingerprint, Format, Formats, IceCredentials, Mid, PayloadType,
    PeerKey, Plan, PublishLine, Receives, Rid, SlotLine, Source, SrtpAttempt, Ssrc, TrackKey,
};
use sfu::{Path, Via};

use crate::stun::{self, Nominate};

pub(crate) const OPUS: PayloadType = PayloadType(111);
pub(crate) const RED: PayloadType = PayloadType(63);
pub(crate) const VP8: PayloadType = PayloadType(96);
pub(crate) const RTX: PayloadType = PayloadType(97);
pub(crate) const VP9: PayloadType = PayloadType(98);
pub(crate) const MID_EXTENSION: u8 = 4;
pub(crate) const TRANSPORT_CC: u8 = 3;
pub(crate) const AUDIO_LEVEL: u8 = 1;
const RID_EXTENSION: u8 = 10;
const REPAIRED_RID_EXTENSION: u8 = 11;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    Key,
    Delta,
}

/// A received packet in plaintext.
#[derive(Clone, Debug)]
pub(crate) struct Rtp {
    pub(crate) bytes: Vec<u8>,
}

impl Rtp {
    pub(crate) fn pt(&self) -> u8 {
        self.bytes[1] & 0x7f
    }

    pub(crate) fn marker(&self) -> bool {
        self.bytes[1] & 0x80 != 0
    }

    pub(crate) fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }

    pub(crate) fn timestamp(&self) -> u32 {
        u32::from_be_bytes(self.bytes[4..8].try_into().unwrap())
    }

    pub(crate) fn ssrc(&self) -> u32 {
        u32::from_be_bytes(self.bytes[8..12].try_into().unwrap())
    }

    pub(crate) fn payload(&self) -> &[u8] {
        let extension = if self.bytes[0] & 0x10 == 0 {
            0
        } else {
            4 + 4 * usize::from(u16::from_be_bytes([self.bytes[14], self.bytes[15]]))
        };
        &self.bytes[12 + extension..]
    }
}

pub(crate) struct Keys {
    rtp_out: Context,
    rtcp_out: Context,
    rtp_in: Context,
    rtcp_in: Context,
}

pub(crate) struct Client {
    pub(crate) key: PeerKey,
    pub(crate) call: CallKey,
    pub(crate) path: Path,
    pub(crate) ice: IceCredentials,
    pub(crate) attempt: SrtpAttempt,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) plan: Plan,
    pub(crate) offered: Vec<SrtpProtectionProfile>,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) keys: Option<Keys>,
    pub(crate) stun_answers: usize,
    /// Checks of the relay.
    pub(crate) checks: Vec<Vec<u8>>,
    pub(crate) handshake_errors: usize,
    pub(crate) outbox: VecDeque<Vec<u8>>,
    pub(crate) rtp: Vec<Rtp>,
    pub(crate) rtcp: Vec<Vec<u8>>,
    pub(crate) mic: Stream,
    pub(crate) cam: Stream,
    pub(crate) rtx: Stream,
    /// Simulcast layers of the camera, the smallest first, and their heights.
    pub(crate) layers: [Stream; 3],
    pub(crate) heights: [u16; 3],
    pub(crate) transport_sequence: u16,
    pub(crate) level: u8,
    endpoint: Option<Endpoint>,
}

/// Numbers of one SSRC that it sends.
#[derive(Clone, Copy)]
pub(crate) struct Stream {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) picture: u16,
}

const SERVER: &str = "198.51.100.1:3478";

impl Client {
    pub(crate) fn new(number: u32, call: CallKey) -> Self {
        let crypto = RingProvider::new();
        let certificate =
            Certificate::generate_self_signed(["browser".to_owned()], crypto.crypto()).unwrap();
        let der = certificate.certificate[0].as_ref();
        let hash = crypto.crypto().hash(HashAlgorithm::Sha256, der).unwrap();
        let stream = |base: u32| Stream {
            ssrc: base + number,
            sequence: u16::try_from(number * 100).unwrap(),
            timestamp: number * 1_000,
            picture: u16::try_from(number * 50).unwrap(),
        };
        Self {
            key: PeerKey(number),
            call,
            path: Path {
                remote: SocketAddr::from((
                    [192, 0, 2, 10],
                    u16::try_from(40_000 + number).unwrap(),
                )),
                via: Via::Udp,
            },
            ice: IceCredentials {
                ufrag: format!("ufrag{number:06}"),
                pwd: format!("password-of-24-characters{number:06}"),
            },
            attempt: SrtpAttempt::First,
            fingerprint: Fingerprint(hash.try_into().unwrap()),
            plan: plan(number, stream(0x1000_0000).ssrc),
            offered: vec![
                SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
                SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
                SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            ],
            certificate: Some(certificate),
            keys: None,
            stun_answers: 0,
            checks: Vec::new(),
            handshake_errors: 0,
            outbox: VecDeque::new(),
            rtp: Vec::new(),
            rtcp: Vec::new(),
            mic: stream(0x1000_0000),
            cam: stream(0x2000_0000),
            rtx: stream(0x3000_0000),
            layers: [1, 2, 3].map(|at: u16| {
                let base = stream(0x4000_0000 + u32::from(at) * 0x0100_0000);
                Stream {
                    sequence: base.sequence + at * 7_000,
                    timestamp: base.timestamp + u32::from(at) * 1_000_000,
                    picture: base.picture + at * 900,
                    ..base
                }
            }),
            heights: [180, 360, 720],
            transport_sequence: 65_530,
            level: 127,
            endpoint: None,
        }
    }

    pub(crate) fn track(&self, source: Source) -> TrackKey {
        TrackKey { peer: self.key, source }
    }

    pub(crate) fn join(&self) -> Command {
        Command::Join {
            call: self.call,
            peer: self.key,
            ice: self.ice.clone(),
            theirs: self.theirs(),
            fingerprint: self.fingerprint,
            srtp: self.attempt,
            plan: self.plan.clone(),
        }
    }

    /// Its own credentials, as its checks name them.
    pub(crate) fn theirs(&self) -> IceCredentials {
        IceCredentials { ufrag: "theirs".into(), pwd: format!("{:?} and no one else", self.key) }
    }

    /// The SSRC of its slot with this mid.
    pub(crate) fn slot(&self, mid: &str) -> SlotLine {
        self.plan.slots.iter().find(|slot| slot.mid.as_str() == mid).unwrap().clone()
    }

    pub(crate) fn received(&self, mid: &str) -> Vec<&Rtp> {
        let ssrc = self.slot(mid).ssrc.0;
        self.rtp.iter().filter(|packet| packet.ssrc() == ssrc).collect()
    }

    /// A check of its own.
    pub(crate) fn check(&self, nominate: Nominate) -> Vec<u8> {
        stun::check(&self.ice, nominate)
    }

    pub(crate) fn start_handshake(&mut self, now: Instant) {
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(RingProvider::new());
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider)
            .with_certificates(self.certificate.iter().cloned().collect())
            .with_srtp_protection_profiles(self.offered.clone())
            .with_insecure_skip_verify(true)
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .build(true, None)
            .unwrap();
        let local = self.path.remote;
        let mut endpoint = Endpoint::new(local, TransportProtocol::UDP, None);
        endpoint.connect(now, server(), Arc::new(config), None).unwrap();
        self.endpoint = Some(endpoint);
        self.drain();
    }

    fn drain(&mut self) {
        if let Some(endpoint) = &mut self.endpoint {
            while let Some(transmit) = endpoint.poll_transmit() {
                self.outbox.push_back(transmit.message.to_vec());
            }
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(endpoint) = &mut self.endpoint {
            let _ = endpoint.handle_timeout(server(), now);
        }
        self.drain();
    }

    pub(crate) fn receive(&mut self, bytes: &[u8], now: Instant) {
        match bytes[0] {
            0..=3 if bytes[1] == 1 && bytes[0] == 0 => self.checks.push(bytes.to_vec()),
            0..=3 => self.stun_answers += 1,
            20..=63 => {
                let Some(endpoint) = &mut self.endpoint else { return };
                match endpoint.read(now, server(), None, bytes.into()) {
                    Ok(events) => {
                        if events.iter().any(|it| matches!(it, EndpointEvent::HandshakeComplete)) {
                            self.take_keys();
                        }
                    }
                    Err(_) => self.handshake_errors += 1,
                }
                self.drain();
            }
            _ => {
                let keys = self.keys.as_mut().expect("media before keys");
                if (192..224).contains(&bytes[1]) {
                    self.rtcp.push(keys.rtcp_in.decrypt_rtcp(bytes).unwrap().to_vec());
                } else {
                    let plain = keys.rtp_in.decrypt_rtp(bytes).unwrap();
                    self.rtp.push(Rtp { bytes: plain.to_vec() });
                }
            }
        }
    }

    fn take_keys(&mut self) {
        let state = self.endpoint.as_ref().unwrap().get_connection_state(server()).unwrap();
        let (profile, key, salt) = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => {
                (ProtectionProfile::AeadAes128Gcm, 16, 12)
            }
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => {
                (ProtectionProfile::AeadAes256Gcm, 32, 12)
            }
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => {
                (ProtectionProfile::Aes128CmHmacSha1_80, 16, 14)
            }
            other => panic!("{other:?}"),
        };
        let material = state
            .export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], 2 * (key + salt))
            .unwrap()
            .as_ref()
            .to_vec();
        let context = |key_at: usize, salt_at: usize| {
            Context::new(
                &material[key_at..key_at + key],
                &material[salt_at..salt_at + salt],
                profile,
                None,
                None,
                RingProvider::new().crypto(),
            )
            .unwrap()
        };
        let (ours, theirs) = ((0, 2 * key), (key, 2 * key + salt));
        self.keys = Some(Keys {
            rtp_out: context(ours.0, ours.1),
            rtcp_out: context(ours.0, ours.1),
            rtp_in: context(theirs.0, theirs.1),
            rtcp_in: context(theirs.0, theirs.1),
        });
    }

    pub(crate) fn seal(&mut self, packet: &[u8]) -> Vec<u8> {
        self.keys.as_mut().unwrap().rtp_out.encrypt_rtp(packet).unwrap().to_vec()
    }

    pub(crate) fn seal_rtcp(&mut self, packet: &[u8]) -> Vec<u8> {
        self.keys.as_mut().unwrap().rtcp_out.encrypt_rtcp(packet).unwrap().to_vec()
    }

    /// The next 20 ms of sound, protected.
    pub(crate) fn voice(&mut self) -> Vec<u8> {
        let mic = self.mic;
        self.mic.sequence = mic.sequence.wrapping_add(1);
        self.mic.timestamp = mic.timestamp.wrapping_add(960);
        let level = [AUDIO_LEVEL << 4, self.level];
        let payload = self.tagged(vec![0x78; 80]);
        let packet = self.rtp(OPUS, "mic", mic, false, &level, &payload);
        self.seal(&packet)
    }

    /// The next 20 ms of sound with the `depth` frames before, protected. The first byte of each frame is the lower one of its
    /// number.
    pub(crate) fn redundant_voice(&mut self, depth: u16) -> Vec<u8> {
        let mic = self.mic;
        self.mic.sequence = mic.sequence.wrapping_add(1);
        self.mic.timestamp = mic.timestamp.wrapping_add(960);
        let frame = |back: u16| {
            let [_, low] = mic.sequence.wrapping_sub(back).to_be_bytes();
            let mut frame = vec![low; 80];
            frame[79] = u8::try_from(self.key.0).unwrap();
            frame
        };
        let mut payload = Vec::new();
        for back in (1..=depth).rev() {
            let [_, a, b, c] = ((u32::from(back) * 960) << 10 | 80).to_be_bytes();
            payload.extend([0x80 | OPUS.0, a, b, c]);
        }
        payload.push(OPUS.0);
        (0..=depth).rev().for_each(|back| payload.extend(frame(back)));
        let packet = self.rtp(RED, "mic", mic, false, &[], &payload);
        self.seal(&packet)
    }

    /// The next frame of the camera in one packet, in the clear.
    pub(crate) fn picture_plain(&mut self, kind: Frame) -> Vec<u8> {
        let cam = self.cam;
        self.cam.sequence = cam.sequence.wrapping_add(1);
        self.cam.timestamp = cam.timestamp.wrapping_add(3_000);
        self.cam.picture = cam.picture.wrapping_add(1);
        let [high, low] = cam.picture.to_be_bytes();
        let flag = u8::from(kind == Frame::Delta);
        let mut payload = vec![0x90, 0xe0, high | 0x80, low, low, 0x20, 0x10 | flag];
        payload.resize(1_000, 0x55);
        let payload = self.tagged(payload);
        self.rtp(VP8, "cam", cam, true, &[], &payload)
    }

    pub(crate) fn picture(&mut self, kind: Frame) -> Vec<u8> {
        let packet = self.picture_plain(kind);
        self.seal(&packet)
    }

    /// A retransmission of a packet of the camera, protected.
    pub(crate) fn repair(&mut self, lost: &[u8]) -> Vec<u8> {
        let lost = Rtp { bytes: lost.to_vec() };
        let rtx = self.rtx;
        self.rtx.sequence = rtx.sequence.wrapping_add(1);
        let mut payload = lost.sequence().to_be_bytes().to_vec();
        payload.extend_from_slice(lost.payload());
        let stream = Stream { timestamp: lost.timestamp(), ..rtx };
        let packet = self.rtp(RTX, "cam", stream, lost.marker(), &[], &payload);
        self.seal(&packet)
    }

    /// Lets its camera send simulcast layers.
    pub(crate) fn simulcast(&mut self) {
        let cam = self.plan.publish.iter_mut().find(|line| line.source == Source::Cam).unwrap();
        cam.rids = Rid::ALL.to_vec();
        cam.extensions.rid = Some(RID_EXTENSION);
        cam.extensions.repaired_rid = Some(REPAIRED_RID_EXTENSION);
    }

    /// The next frame of a layer in one packet, in the clear: header of a keyframe, then which layer, then which frame.
    pub(crate) fn layer_plain(&mut self, at: usize, kind: Frame) -> Vec<u8> {
        let rid = [RID_EXTENSION << 4, Rid::ALL[at].as_str().as_bytes()[0]];
        self.layer_named(at, kind, &rid)
    }

    pub(crate) fn layer_named(&mut self, at: usize, kind: Frame, extension: &[u8]) -> Vec<u8> {
        let layer = self.layers[at];
        let next = &mut self.layers[at];
        next.sequence = layer.sequence.wrapping_add(1);
        next.timestamp = layer.timestamp.wrapping_add(3_000);
        next.picture = layer.picture.wrapping_add(1);
        let [high, low] = layer.picture.to_be_bytes();
        let flag = u8::from(kind == Frame::Delta);
        let mut payload = vec![0x90, 0xe0, high | 0x80, low, low, 0x20, 0x10 | flag, 0, 0];
        payload.extend([0x9d, 0x01, 0x2a, 0, 0]);
        payload.extend(self.heights[at].to_le_bytes());
        payload.push(u8::try_from(at).unwrap());
        payload.extend(layer.picture.to_be_bytes());
        payload.resize(100 << at, 0x55);
        let payload = self.tagged(payload);
        self.rtp(VP8, "cam", layer, true, extension, &payload)
    }

    /// Makes its camera one of VP9, and lets its slots show that.
    pub(crate) fn take_vp9(&mut self) {
        let (format, pt, rtx) = (Format::Vp9, VP9, None);
        for line in self.plan.publish.iter_mut().filter(|line| line.source == Source::Cam) {
            line.codec = Codec::Picture { format, pt, rtx };
        }
        for slot in &mut self.plan.slots {
            if let Receives::Pictures(formats) = &mut slot.receives {
                *formats = formats.with(format, pt, rtx);
            }
        }
    }

    /// The next picture of a camera of three sizes in one stream, each in one packet, protected.
    pub(crate) fn sizes(&mut self, kind: Frame) -> [Vec<u8>; 3] {
        let cam = self.cam;
        self.cam.timestamp = cam.timestamp.wrapping_add(3_000);
        self.cam.picture = cam.picture.wrapping_add(1);
        let [high, low] = cam.picture.to_be_bytes();
        [0, 1, 2].map(|size: u8| {
            let predicted = if kind == Frame::Delta { 0x40 } else { 0 };
            let mut payload = vec![0xac | predicted, high | 0x80, low, 0x10 | size << 1, low];
            payload.resize(300 << size, 0x55);
            let payload = self.tagged(payload);
            let stream = Stream { timestamp: cam.timestamp, ..self.cam };
            self.cam.sequence = self.cam.sequence.wrapping_add(1);
            let packet = self.rtp(VP9, "cam", stream, size == 2, &[], &payload);
            self.seal(&packet)
        })
    }

    /// A retransmission of a packet of a layer, protected.
    pub(crate) fn layer_repair(&mut self, at: usize, lost: &[u8]) -> Vec<u8> {
        let rid = [REPAIRED_RID_EXTENSION << 4, Rid::ALL[at].as_str().as_bytes()[0]];
        let ssrc = self.layers[at].ssrc + 0x0080_0000;
        let lost = Rtp { bytes: lost.to_vec() };
        let mut payload = lost.sequence().to_be_bytes().to_vec();
        payload.extend_from_slice(lost.payload());
        let stream = Stream { ssrc, timestamp: lost.timestamp(), ..self.rtx };
        self.rtx.sequence = self.rtx.sequence.wrapping_add(1);
        let packet = self.rtp(RTX, "cam", stream, lost.marker(), &rid, &payload);
        self.seal(&packet)
    }

    /// The last byte names the publisher.
    fn tagged(&self, mut payload: Vec<u8>) -> Vec<u8> {
        *payload.last_mut().unwrap() = u8::try_from(self.key.0).unwrap();
        payload
    }

    fn rtp(
        &mut self,
        pt: PayloadType,
        mid: &str,
        stream: Stream,
        marker: bool,
        extension: &[u8],
        payload: &[u8],
    ) -> Vec<u8> {
        let [high, low] = self.transport_sequence.to_be_bytes();
        self.transport_sequence = self.transport_sequence.wrapping_add(1);
        let mut extensions = extension.to_vec();
        extensions.extend_from_slice(&[TRANSPORT_CC << 4 | 1, high, low]);
        extensions.push(MID_EXTENSION << 4 | u8::try_from(mid.len() - 1).unwrap());
        extensions.extend_from_slice(mid.as_bytes());
        extensions.resize(extensions.len().next_multiple_of(4), 0);
        let mut packet = vec![0x90, pt.0 | if marker { 0x80 } else { 0 }];
        packet.extend_from_slice(&stream.sequence.to_be_bytes());
        packet.extend_from_slice(&stream.timestamp.to_be_bytes());
        packet.extend_from_slice(&stream.ssrc.to_be_bytes());
        packet.extend_from_slice(&[0xbe, 0xde]);
        packet.extend_from_slice(&u16::try_from(extensions.len() / 4).unwrap().to_be_bytes());
        packet.extend_from_slice(&extensions);
        packet.extend_from_slice(payload);
        packet
    }
}

/// Microphone by `a=ssrc`, camera by its mid; three slots of each kind.
fn plan(number: u32, mic: u32) -> Plan {
    let mid = |text: &str| Mid::new(text).unwrap();
    let opus = Codec::Opus { pt: OPUS, red: Some(RED) };
    let vp8 = Codec::Picture { format: Format::Vp8, pt: VP8, rtx: Some(RTX) };
    let pictures = Receives::Pictures(Formats::default().with(Format::Vp8, VP8, Some(RTX)));
    let sound = Receives::Sound { pt: OPUS, red: Some(RED) };
    let extensions = ExtensionIds {
        mid: Some(MID_EXTENSION),
        transport_cc: Some(TRANSPORT_CC),
        audio_level: Some(AUDIO_LEVEL),
        ..ExtensionIds::default()
    };
    let slot = |name: &str, at: u32, receives, kind: u32| SlotLine {
        mid: mid(&format!("{name}{at}")),
        receives,
        extensions,
        ssrc: Ssrc(kind + number * 16 + at),
        rtx: (receives == pictures).then_some(Ssrc(kind + 0x0100_0000 + number * 16 + at)),
        first_sequence: u16::try_from(1_000 * at + number).unwrap(),
        first_timestamp: 10_000 * at,
    };
    Plan {
        publish: vec![
            PublishLine {
                mid: mid("mic"),
                source: Source::Mic,
                codec: opus,
                extensions,
                rids: vec![],
                ssrcs: vec![Ssrc(mic)],
                rtx_of: vec![],
            },
            PublishLine {
                mid: mid("cam"),
                source: Source::Cam,
                codec: vp8,
                extensions,
                rids: vec![],
                ssrcs: vec![],
                rtx_of: vec![],
            },
        ],
        slots: (0..3)
            .map(|at| slot("v", at, pictures, 0x6000_0000))
            .chain((0..3).map(|at| slot("a", at, sound, 0x7000_0000)))
            .collect(),
    }
}

fn server() -> SocketAddr {
    SERVER.parse().unwrap()
}
