//! One client's transport: ICE checks, DTLS as client, SRTP, and counts of what comes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc_crypto::providers::RingProvider;
use rtc_crypto::{HashAlgorithm, RTCCryptoProvider};
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_srtp::config::{Config, LABEL_EXTRACTOR_DTLS_SRTP};
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;
use tokio::sync::oneshot;

use crate::source::{self, Source};
use crate::stun;

/// Until the first answer. Shorter joins sooner after a lost check.
const CHECK_FIRST: Duration = Duration::from_millis(50);
/// As libwebrtc checks a stable pair: keeps consent alive.
const CHECK_STABLE: Duration = Duration::from_millis(2_500);

/// Until a DTLS flight is repeated, as in libwebrtc: a server that is still busy with ICE loses the first one.
const FLIGHT_INTERVAL: Duration = Duration::from_millis(50);
/// Least time between two looks at a handshake.
const MIN_REPEAT: Duration = Duration::from_millis(10);

/// The one SRTP profile that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// AEAD_AES_128_GCM (RFC 7714).
    Gcm,
    /// AES128_CM_HMAC_SHA1_80 (RFC 3711).
    Sha1,
}

/// The certificate of all clients of a run: making one costs more than a handshake.
#[derive(Clone)]
pub struct Identity {
    config: Arc<HandshakeConfig>,
    /// As in `a=fingerprint:sha-256`.
    pub fingerprint: String,
    profile: Profile,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl Identity {
    /// A new one.
    pub fn new(profile: Profile) -> Self {
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(RingProvider::new());
        let certificate = Certificate::generate_self_signed(["load".to_owned()], provider.crypto())
            .expect("a certificate");
        let der = certificate.certificate[0].as_ref();
        let hash = provider.crypto().hash(HashAlgorithm::Sha256, der).expect("SHA-256");
        let hex: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        let offered = match profile {
            Profile::Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            Profile::Sha1 => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        };
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider)
            .with_certificates(vec![certificate])
            .with_cipher_suites(vec![CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256])
            .with_srtp_protection_profiles(vec![offered])
            // The servers' certificates are self-signed, and nobody here has anything to hide.
            .with_insecure_skip_verify(true)
            .with_extended_master_secret(ExtendedMasterSecretType::Request)
            .with_flight_interval(FLIGHT_INTERVAL)
            .build(true, None)
            .expect("a configuration");
        Self { config: Arc::new(config), fingerprint: hex.join(":"), profile }
    }
}

/// What a negotiation came to.
#[derive(Debug)]
pub struct Negotiated {
    /// Where the server's media is.
    pub remote: SocketAddr,
    /// Its ICE credentials.
    pub remote_ufrag: String,
    /// See `remote_ufrag`.
    pub remote_pwd: String,
    /// Ours.
    pub local_ufrag: String,
    /// See `local_ufrag`.
    pub local_pwd: String,
    /// What is published by it.
    pub source: Option<Source>,
    /// Resolves at the end of the handshake.
    pub connected: oneshot::Sender<Instant>,
    /// Resolves at the first RTP packet.
    pub first: oneshot::Sender<Instant>,
}

/// One transport.
pub struct Transport {
    pub remote: SocketAddr,
    /// Its own address, by which the server tells it from others.
    pub local: IpAddr,
    username: String,
    password: String,
    own_password: String,
    stage: Stage,
    pub source: Option<Source>,
    streams: Vec<Stream>,
    connected: Option<oneshot::Sender<Instant>>,
    first: Option<oneshot::Sender<Instant>>,
    /// Packets since the window began.
    pub received: u64,
}

enum Stage {
    Checking,
    Handshake(Box<Endpoint>),
    Connected(Box<Endpoint>, Box<Keys>),
}

struct Keys {
    rtp_out: Context,
    rtp_in: Context,
    rtcp_in: Context,
}

impl Keys {
    fn send(&mut self, packet: &mut [u8], send: &mut impl FnMut(&[u8])) {
        source::stamp(packet);
        if let Ok(sealed) = self.rtp_out.encrypt_rtp(packet) {
            send(&sealed);
        }
    }
}

/// One SSRC that comes in.
struct Stream {
    ssrc: u32,
    /// Extended sequence number of the newest packet.
    highest: u64,
    /// The same before the window.
    base: u64,
    received: u64,
}

/// What a datagram was.
pub enum Arrival {
    /// Nothing that counts.
    Other,
    /// Media.
    Rtp,
}

impl Transport {
    /// Ready to check.
    pub fn new(local: IpAddr, negotiated: Negotiated) -> Self {
        let Negotiated {
            remote,
            remote_ufrag,
            remote_pwd,
            local_ufrag,
            local_pwd,
            source,
            connected,
            first,
        } = negotiated;
        Self {
            remote,
            local,
            username: format!("{remote_ufrag}:{local_ufrag}"),
            password: remote_pwd,
            own_password: local_pwd,
            stage: Stage::Checking,
            source,
            streams: Vec::new(),
            connected: Some(connected),
            first: Some(first),
            received: 0,
        }
    }

    /// A check, and when the next one is due.
    pub fn check(&self) -> (Vec<u8>, Duration) {
        let wait = match self.stage {
            Stage::Checking => CHECK_FIRST,
            Stage::Handshake(_) | Stage::Connected(..) => CHECK_STABLE,
        };
        (stun::check(&self.username, &self.password, 1), wait)
    }

    /// Takes anything but RTP. What is to be sent goes to `send`.
    pub fn receive(
        &mut self,
        now: Instant,
        bytes: &[u8],
        identity: &Identity,
        mut send: impl FnMut(&[u8]),
    ) {
        match bytes {
            [0, 1, ..] => {
                if let Some(response) = stun::respond(bytes, self.remote, &self.own_password) {
                    send(&response);
                }
            }
            // A success response (RFC 8489 §5).
            [0x01, 0x01, ..] if matches!(self.stage, Stage::Checking) => {
                let mut endpoint = Endpoint::new(self.fixed(), TransportProtocol::UDP, None);
                endpoint
                    .connect(now, self.remote, Arc::clone(&identity.config), None)
                    .expect("a first flight");
                self.stage = Stage::Handshake(Box::new(endpoint));
                self.flush(send);
            }
            [20..=63, ..] => {
                let (Stage::Handshake(endpoint) | Stage::Connected(endpoint, _)) = &mut self.stage
                else {
                    return;
                };
                let events = endpoint.read(now, self.remote, None, bytes.into());
                let complete = events.is_ok_and(|events| {
                    events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete))
                });
                self.flush(send);
                if complete {
                    self.complete(now, identity);
                }
            }
            [128..=191, 192..=223, ..] => {
                if let (Stage::Connected(_, keys), Some(source)) =
                    (&mut self.stage, &mut self.source)
                    && let Ok(plain) = keys.rtcp_in.decrypt_rtcp(bytes)
                {
                    source.wants_keyframe |= asks_for_keyframe(&plain);
                }
            }
            _ => {}
        }
    }

    /// Repeats of the handshake; when to come again.
    pub fn handle_timeout(&mut self, now: Instant, send: impl FnMut(&[u8])) -> Option<Instant> {
        let Stage::Handshake(endpoint) = &mut self.stage else { return None };
        let _lost = endpoint.handle_timeout(self.remote, now);
        let next = endpoint.poll_timeout(&self.remote);
        self.flush(send);
        next.map(|next| next.max(now + MIN_REPEAT))
    }

    /// Counts a media packet.
    pub fn count(&mut self, now: Instant, bytes: &[u8]) -> Arrival {
        let &[128..=191, _, s0, s1, _, _, _, _, c0, c1, c2, c3, ..] = bytes else {
            return Arrival::Other;
        };
        let ssrc = u32::from_be_bytes([c0, c1, c2, c3]);
        let sequence = u16::from_be_bytes([s0, s1]);
        if let Some(first) = self.first.take() {
            let _nobody_waits = first.send(now);
        }
        self.received += 1;
        match self.streams.iter_mut().find(|stream| stream.ssrc == ssrc) {
            Some(stream) => {
                stream.received += 1;
                let step = sequence.wrapping_sub(stream.highest as u16).cast_signed();
                if step > 0 {
                    stream.highest += u64::from(step.unsigned_abs());
                }
            }
            None => {
                // One round above zero: what comes late from before it has room.
                let highest = 65_536 + u64::from(sequence);
                self.streams.push(Stream { ssrc, highest, base: highest - 1, received: 1 });
            }
        }
        Arrival::Rtp
    }

    /// The delay of a packet; `None` if it does not decrypt.
    pub fn sample(&mut self, bytes: &[u8], arrived: Duration) -> Option<Duration> {
        let Stage::Connected(_, keys) = &mut self.stage else { return None };
        source::delay(&keys.rtp_in.decrypt_rtp(bytes).ok()?, arrived)
    }

    /// Begins the window.
    pub fn begin(&mut self) {
        self.received = 0;
        for stream in &mut self.streams {
            (stream.base, stream.received) = (stream.highest, 0);
        }
        if let Some(source) = &mut self.source {
            source.sent = 0;
        }
    }

    /// Sequence numbers of the window that did not come.
    pub fn missing(&self) -> u64 {
        self.streams
            .iter()
            .map(|stream| (stream.highest - stream.base).saturating_sub(stream.received))
            .sum()
    }

    /// Sends 20 ms of sound. Nothing before the keys are there.
    pub fn send_voice(&mut self, packet: &mut Vec<u8>, mut send: impl FnMut(&[u8])) {
        let (Stage::Connected(_, keys), Some(source)) = (&mut self.stage, &mut self.source) else {
            return;
        };
        source.voice(packet);
        keys.send(packet, &mut send);
    }

    /// Sends a frame.
    pub fn send_frame(&mut self, packet: &mut Vec<u8>, mut send: impl FnMut(&[u8])) {
        let (Stage::Connected(_, keys), Some(source)) = (&mut self.stage, &mut self.source) else {
            return;
        };
        source.frame(packet, |packet| keys.send(packet, &mut send));
    }

    /// When the handshake, just under way, wants its first repeat.
    pub fn handshake_timeout(&self, now: Instant) -> Option<Instant> {
        let Stage::Handshake(endpoint) = &self.stage else { return None };
        endpoint.poll_timeout(&self.remote).map(|at| at.max(now + MIN_REPEAT))
    }

    fn fixed(&self) -> SocketAddr {
        SocketAddr::new(self.local, 9)
    }

    fn flush(&mut self, mut send: impl FnMut(&[u8])) {
        if let Stage::Handshake(endpoint) | Stage::Connected(endpoint, _) = &mut self.stage {
            while let Some(transmit) = endpoint.poll_transmit() {
                send(&transmit.message);
            }
        }
    }

    fn complete(&mut self, now: Instant, identity: &Identity) {
        let Stage::Handshake(endpoint) = &mut self.stage else { return };
        let state = endpoint.get_connection_state(self.remote).expect("it is complete");
        let mut config = Config {
            profile: match identity.profile {
                Profile::Gcm => ProtectionProfile::AeadAes128Gcm,
                Profile::Sha1 => ProtectionProfile::Aes128CmHmacSha1_80,
            },
            ..Config::default()
        };
        let material = state
            .export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], config.keying_material_len())
            .expect("keys");
        config
            .set_session_keys_from_keying_material(material.as_ref(), true)
            .expect("as many as asked for");
        let keys = &config.keys;
        let context = |key: &[u8], salt: &[u8]| {
            Context::new(key, salt, config.profile, None, None, RingProvider::new().crypto())
                .expect("a context")
        };
        let out = || context(&keys.local_master_key, &keys.local_master_salt);
        let into = || context(&keys.remote_master_key, &keys.remote_master_salt);
        let keys = Box::new(Keys { rtp_out: out(), rtp_in: into(), rtcp_in: into() });
        if let Stage::Handshake(endpoint) = std::mem::replace(&mut self.stage, Stage::Checking) {
            self.stage = Stage::Connected(endpoint, keys);
        }
        if let Some(connected) = self.connected.take() {
            let _nobody_waits = connected.send(now);
        }
    }
}

/// Whether a compound packet has a PLI (RFC 4585 §6.3.1) or an FIR (RFC 5104 §4.3.1).
fn asks_for_keyframe(mut compound: &[u8]) -> bool {
    while let &[first, kind, high, low, ..] = compound {
        let length = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        if kind == 206 && matches!(first & 31, 1 | 4) {
            return true;
        }
        compound = compound.get(length..).unwrap_or_default();
    }
    false
}
