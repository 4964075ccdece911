//! DTLS-SRTP (RFC 5764): one association for each peer, we are the server.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rtc_crypto::{HashAlgorithm, constant_time_eq};
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{
    ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, VerifyPeerCertificateFn,
};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error;
use rtc_srtp::config::LABEL_EXTRACTOR_DTLS_SRTP;

use crate::event::{CloseReason, SrtpProfile};
use crate::limits::{
    HANDSHAKE_DEADLINE, MAX_HANDSHAKE_BYTES, MAX_HANDSHAKE_DATAGRAMS, MAX_RECORDS_PER_MINUTE,
};
use crate::plan::{Fingerprint, SrtpAttempt};
use crate::srtp::{Crypto, Session, key_lengths};

/// The certificate of this process, shared by its workers.
///
/// Making one draws randomness and reads the wall clock inside rcgen, and so does every handshake inside rtc-dtls: the
/// two exemptions from "the core is told". Simulations that must repeat give peers their keys without a handshake.
#[derive(Clone)]
pub struct Identity {
    certificate: Certificate,
    fingerprint: String,
}

impl Identity {
    /// A new self-signed ECDSA P-256 certificate.
    pub fn generate() -> Result<Self, IdentityError> {
        let crypto = Crypto::new().ok_or(IdentityError::Hash)?;
        let crypto = crypto.primitives();
        // The name is not checked by anybody: WebRTC compares fingerprints (RFC 8122).
        let certificate = Certificate::generate_self_signed(["mortar".to_owned()], crypto)
            .map_err(|_| IdentityError::Generate)?;
        let der = certificate.certificate.first().ok_or(IdentityError::Generate)?;
        let hash =
            crypto.hash(HashAlgorithm::Sha256, der.as_ref()).map_err(|_| IdentityError::Hash)?;
        let hex: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        Ok(Self { certificate, fingerprint: hex.join(":") })
    }

    /// SHA-256 of the certificate as in `a=fingerprint:sha-256 …`: upper-case hex with colons.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// Why there is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Key generation or signing failed.
    #[error("the certificate could not be made")]
    Generate,
    /// The crypto provider has no SHA-256.
    #[error("the certificate could not be hashed")]
    Hash,
}

/// rtc-dtls keys its associations by remote address; a peer's address changes under one association. So each peer's
/// endpoint is told this one, from a block that nobody has (RFC 5737).
const SYNTHETIC_PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);

/// See [`SYNTHETIC_PEER`].
const SYNTHETIC_LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 9);

/// One peer's association.
pub(crate) struct Dtls {
    endpoint: Option<Box<Endpoint>>,
    stage: Stage,
    attempt: SrtpAttempt,
    fingerprint: Fingerprint,
    is_mismatch: Arc<AtomicBool>,
    deadline: Instant,
    datagrams: u32,
    bytes: usize,
    minute: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Handshake,
    Connected,
}

/// What a datagram brought.
pub(crate) enum Progress {
    /// Nothing to tell.
    Continue,
    /// A record was refused; the association lives.
    Refused,
    /// Over the caps; not looked at.
    OverLimit,
    /// The keys are there.
    Connected(Box<Session>),
    /// It is over.
    Closed(CloseReason),
}

impl Dtls {
    pub(crate) fn new(attempt: SrtpAttempt, fingerprint: Fingerprint, now: Instant) -> Self {
        Self {
            endpoint: None,
            stage: Stage::Handshake,
            attempt,
            fingerprint,
            is_mismatch: Arc::new(AtomicBool::new(false)),
            deadline: now + HANDSHAKE_DEADLINE,
            datagrams: 0,
            bytes: 0,
            minute: now,
        }
    }

    /// Takes one datagram.
    pub(crate) fn handle(
        &mut self,
        datagram: &[u8],
        identity: &Identity,
        crypto: &Crypto,
        now: Instant,
    ) -> Progress {
        if !self.allow(datagram.len(), now) {
            return Progress::OverLimit;
        }
        let endpoint = match &mut self.endpoint {
            Some(endpoint) => endpoint,
            // Made by the first record, not by the join: a peer that never comes costs nothing here.
            None => match self.endpoint(identity, crypto) {
                Some(endpoint) => self.endpoint.insert(endpoint),
                None => return Progress::Closed(CloseReason::DtlsFailed),
            },
        };
        match endpoint.read(now, SYNTHETIC_PEER, None, datagram.into()) {
            Ok(events) => {
                for event in events {
                    match event {
                        EndpointEvent::HandshakeComplete => return self.complete(crypto),
                        EndpointEvent::PeerClosed => {
                            return Progress::Closed(CloseReason::DtlsFailed);
                        }
                        // No data channels, so no application data: see the nonce of rtc-dtls' GCM.
                        _ => {}
                    }
                }
                Progress::Continue
            }
            Err(error) => self.judge(&error),
        }
    }

    /// Drives repeats and the deadline.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Progress {
        match self.stage {
            Stage::Connected => return Progress::Continue,
            Stage::Handshake if now >= self.deadline => {
                return Progress::Closed(CloseReason::DtlsTimeout);
            }
            Stage::Handshake => {}
        }
        let Some(endpoint) = &mut self.endpoint else { return Progress::Continue };
        match endpoint.handle_timeout(SYNTHETIC_PEER, now) {
            Ok(()) => Progress::Continue,
            Err(_) => Progress::Closed(CloseReason::DtlsFailed),
        }
    }

    /// The keys came another way.
    #[cfg(feature = "simulation")]
    pub(crate) fn skip_handshake(&mut self) {
        self.stage = Stage::Connected;
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Connected => None,
            Stage::Handshake => {
                let repeat = self.endpoint.as_ref().and_then(|it| it.poll_timeout(&SYNTHETIC_PEER));
                Some(repeat.map_or(self.deadline, |repeat| repeat.min(self.deadline)))
            }
        }
    }

    /// The next datagram to send.
    pub(crate) fn poll_transmit(&mut self) -> Option<impl AsRef<[u8]> + use<>> {
        Some(self.endpoint.as_mut()?.poll_transmit()?.message)
    }

    fn allow(&mut self, len: usize, now: Instant) -> bool {
        let (datagrams, bytes) = match self.stage {
            Stage::Handshake => (MAX_HANDSHAKE_DATAGRAMS, MAX_HANDSHAKE_BYTES),
            Stage::Connected => {
                if now.saturating_duration_since(self.minute) >= Duration::from_secs(60) {
                    (self.minute, self.datagrams, self.bytes) = (now, 0, 0);
                }
                (MAX_RECORDS_PER_MINUTE, MAX_HANDSHAKE_BYTES)
            }
        };
        if self.datagrams >= datagrams || self.bytes + len > bytes {
            return false;
        }
        self.datagrams += 1;
        self.bytes += len;
        true
    }

    fn endpoint(&self, identity: &Identity, crypto: &Crypto) -> Option<Box<Endpoint>> {
        let profiles = match self.attempt {
            SrtpAttempt::First => vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm],
            SrtpAttempt::Fallback => vec![
                SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
                SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
                SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
            ],
        };
        let (expected, mismatch) = (self.fingerprint, Arc::clone(&self.is_mismatch));
        let hasher = crypto.clone();
        let verify: VerifyPeerCertificateFn = Arc::new(move |certificates, _| {
            if is_expected(certificates, expected, &hasher) {
                return Ok(());
            }
            mismatch.store(true, Ordering::Relaxed);
            Err(Error::ErrInvalidCertificate)
        });
        let config = ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(crypto.provider()))
            .with_certificates(vec![identity.certificate.clone()])
            .with_cipher_suites(vec![
                CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
                CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
            ])
            .with_srtp_protection_profiles(profiles)
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            // Browsers' certificates are self-signed: identity is the fingerprint, compared above and once more below.
            .with_insecure_skip_verify(true)
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .with_verify_peer_certificate(Some(verify))
            .build(false, None)
            .ok()?;
        let endpoint =
            Endpoint::new(SYNTHETIC_LOCAL, TransportProtocol::UDP, Some(Arc::new(config)));
        Some(Box::new(endpoint))
    }

    fn complete(&mut self, crypto: &Crypto) -> Progress {
        let state = self.endpoint.as_ref().and_then(|it| it.get_connection_state(SYNTHETIC_PEER));
        let Some(state) = state else { return Progress::Closed(CloseReason::DtlsFailed) };
        if !is_expected(&state.peer_certificates, self.fingerprint, crypto) {
            return Progress::Closed(CloseReason::DtlsFingerprint);
        }
        let profile = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => SrtpProfile::AeadAes128Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => SrtpProfile::AeadAes256Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => SrtpProfile::Aes128CmSha1_80,
            // SHA1_32 was never offered; without the extension there is no profile at all.
            _ => return Progress::Closed(CloseReason::DtlsSrtpProfile),
        };
        let (key, salt) = key_lengths(profile);
        let session = state
            .export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], 2 * (key + salt))
            .ok()
            .and_then(|material| Session::new(profile, material, crypto).ok());
        match session {
            Some(session) => {
                self.stage = Stage::Connected;
                (self.datagrams, self.bytes) = (0, 0);
                Progress::Connected(Box::new(session))
            }
            None => Progress::Closed(CloseReason::DtlsFailed),
        }
    }

    /// Most errors are a bad record or a plaintext alert, which anybody on the path can make: the handshake goes on until
    /// its deadline.
    fn judge(&self, error: &Error) -> Progress {
        if self.is_mismatch.load(Ordering::Relaxed) {
            return Progress::Closed(CloseReason::DtlsFingerprint);
        }
        match (error, self.stage) {
            (Error::ErrServerNoMatchingSrtpProfile, Stage::Handshake) => {
                Progress::Closed(CloseReason::DtlsSrtpProfile)
            }
            (Error::ErrClientCertificateRequired, Stage::Handshake) => {
                Progress::Closed(CloseReason::DtlsFingerprint)
            }
            (
                Error::ErrCipherSuiteNoIntersection
                | Error::ErrServerRequiredButNoClientEms
                | Error::ErrNoSupportedEllipticCurves,
                Stage::Handshake,
            ) => Progress::Closed(CloseReason::DtlsFailed),
            _ => Progress::Refused,
        }
    }
}

fn is_expected(certificates: &[Vec<u8>], expected: Fingerprint, crypto: &Crypto) -> bool {
    certificates
        .first()
        .and_then(|leaf| crypto.primitives().hash(HashAlgorithm::Sha256, leaf).ok())
        .is_some_and(|hash| constant_time_eq(&hash, &expected.0))
}
