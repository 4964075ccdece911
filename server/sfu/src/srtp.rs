//! SRTP (RFC 3711): AES-GCM in place (RFC 7714), AES-CM through rtc-srtp, and the replay window of both.

use std::sync::Arc;

use rtc_crypto::providers::RingProvider;
use rtc_crypto::{
    AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CryptoAlgorithm, HashAlgorithm, HmacAlgorithm,
    RTCCrypto, RTCCryptoProvider, SecretVec,
};
use rtc_srtp::context::Context;
use rtc_srtp::option::srtcp_replay_protection;
use rtc_srtp::protection_profile::ProtectionProfile;

use crate::bytes::low16;
use crate::event::SrtpProfile;
use crate::limits::REPLAY_WINDOW;
use crate::plan::Ssrc;

/// AES-GCM's tag (RFC 7714 §12): 16 bytes at the end.
pub(crate) const TAG_BYTES: usize = 16;

/// RTCP packets that may arrive out of order. One browser's compound packets are 50 ms apart and more.
const SRTCP_WINDOW: usize = 128;

/// Packet index: rollover counter and sequence number, 48 bits (RFC 3711 §3.3.1).
pub(crate) type Index = u64;

/// The algorithms, from ring.
#[derive(Clone)]
pub(crate) struct Crypto(Arc<dyn RTCCryptoProvider>);

impl Crypto {
    /// `None` if one that we cannot do without is missing.
    pub(crate) fn new() -> Option<Self> {
        let provider = RingProvider::new();
        let needed = [
            CryptoAlgorithm::Aead(AeadAlgorithm::Aes128Gcm),
            CryptoAlgorithm::Aead(AeadAlgorithm::Aes256Gcm),
            CryptoAlgorithm::Hmac(HmacAlgorithm::Sha1),
            CryptoAlgorithm::Hash(HashAlgorithm::Sha256),
        ];
        let is_complete = needed.iter().all(|algorithm| provider.crypto().supports(*algorithm));
        is_complete.then(|| Self(Arc::new(provider)))
    }

    pub(crate) fn provider(&self) -> &Arc<dyn RTCCryptoProvider> {
        &self.0
    }

    pub(crate) fn primitives(&self) -> &dyn RTCCrypto {
        self.0.crypto()
    }
}

/// One peer's keys, both ways.
pub(crate) struct Session {
    profile: SrtpProfile,
    material: SecretVec,
    inbound: Protection,
    outbound: Protection,
    rtcp_in: Context,
    rtcp_out: Context,
}

enum Protection {
    Gcm(Gcm),
    /// Allocates; for browsers without AES-GCM.
    Cm(Box<Context>),
}

/// Why a packet was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SrtpError {
    /// Shorter than its header and tag.
    #[error("the packet is too short")]
    TooShort,
    /// Forged, or under other keys.
    #[error("the authentication tag is wrong")]
    Authentication,
    /// The key material does not fit the profile.
    #[error("the keys cannot be made")]
    Keys,
}

impl Session {
    /// From the exported key material (RFC 5764 §4.2): client key, server key, client salt, server salt. We are the server.
    pub(crate) fn new(
        profile: SrtpProfile,
        material: SecretVec,
        crypto: &Crypto,
    ) -> Result<Self, SrtpError> {
        let crypto = crypto.primitives();
        let keys = MasterKeys::split(profile, &material)?;
        let context = |key, salt| {
            let option = Some(srtcp_replay_protection(SRTCP_WINDOW));
            Context::new(key, salt, protection_profile(profile), None, option, crypto)
                .map_err(|_| SrtpError::Keys)
        };
        let protection = |key, salt| match profile {
            SrtpProfile::AeadAes128Gcm | SrtpProfile::AeadAes256Gcm => {
                Gcm::new(profile, key, salt, crypto).map(Protection::Gcm)
            }
            SrtpProfile::Aes128CmSha1_80 => {
                context(key, salt).map(|context| Protection::Cm(Box::new(context)))
            }
        };
        Ok(Self {
            profile,
            inbound: protection(keys.client_key, keys.client_salt)?,
            outbound: protection(keys.server_key, keys.server_salt)?,
            rtcp_in: context(keys.client_key, keys.client_salt)?,
            rtcp_out: context(keys.server_key, keys.server_salt)?,
            material,
        })
    }

    pub(crate) fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// Decrypts in place; the length of the plaintext packet. Commits nothing: that is the caller's, after this succeeded.
    pub(crate) fn open(
        &mut self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: Ssrc,
        index: Index,
    ) -> Result<usize, SrtpError> {
        match &mut self.inbound {
            Protection::Gcm(gcm) => gcm.open(packet, header_len, ssrc, index),
            Protection::Cm(context) => open_cm(context, packet),
        }
    }

    /// The same for an SSRC not seen before. rtc-srtp makes state for an SSRC before it authenticated it, so AES-CM is
    /// tried on a context that is thrown away.
    pub(crate) fn open_unknown(
        &mut self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: Ssrc,
        index: Index,
        crypto: &Crypto,
    ) -> Result<usize, SrtpError> {
        if let Protection::Cm(_) = &self.inbound {
            let mut trial = self.trial_context(crypto)?;
            trial.decrypt_rtp(packet).map_err(|_| SrtpError::Authentication)?;
        }
        self.open(packet, header_len, ssrc, index)
    }

    /// Whether trying an unknown SSRC is expensive.
    pub(crate) fn is_trial_expensive(&self) -> bool {
        matches!(self.inbound, Protection::Cm(_))
    }

    /// Encrypts the first `len` bytes of `cell` in place and appends the tag; the length of the whole.
    pub(crate) fn seal(
        &mut self,
        cell: &mut [u8],
        len: usize,
        header_len: usize,
        ssrc: Ssrc,
        index: Index,
    ) -> Option<usize> {
        match &mut self.outbound {
            Protection::Gcm(gcm) => gcm.seal(cell, len, header_len, ssrc, index),
            Protection::Cm(context) => {
                let sealed = context.encrypt_rtp(cell.get(..len)?).ok()?;
                cell.get_mut(..sealed.len())?.copy_from_slice(&sealed);
                Some(sealed.len())
            }
        }
    }

    /// Decrypts an RTCP packet of a known sender.
    pub(crate) fn open_rtcp(&mut self, packet: &[u8]) -> Option<impl AsRef<[u8]> + use<>> {
        self.rtcp_in.decrypt_rtcp(packet).ok()
    }

    /// Whether an RTCP packet of an unknown sender is authentic. Leaves no state behind.
    pub(crate) fn is_authentic_rtcp(&self, packet: &[u8], crypto: &Crypto) -> bool {
        self.trial_context(crypto).is_ok_and(|mut trial| trial.decrypt_rtcp(packet).is_ok())
    }

    /// Encrypts an RTCP packet.
    pub(crate) fn seal_rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.rtcp_out.encrypt_rtcp(packet).ok().map(|sealed| sealed.to_vec())
    }

    fn trial_context(&self, crypto: &Crypto) -> Result<Context, SrtpError> {
        let crypto = crypto.primitives();
        let keys = MasterKeys::split(self.profile, &self.material)?;
        let profile = protection_profile(self.profile);
        Context::new(keys.client_key, keys.client_salt, profile, None, None, crypto)
            .map_err(|_| SrtpError::Keys)
    }
}

fn open_cm(context: &mut Context, packet: &mut [u8]) -> Result<usize, SrtpError> {
    let plain = context.decrypt_rtp(packet).map_err(|_| SrtpError::Authentication)?;
    packet.get_mut(..plain.len()).ok_or(SrtpError::TooShort)?.copy_from_slice(&plain);
    Ok(plain.len())
}

/// Lengths of key and salt.
pub(crate) fn key_lengths(profile: SrtpProfile) -> (usize, usize) {
    match profile {
        SrtpProfile::AeadAes128Gcm => (16, 12),
        SrtpProfile::AeadAes256Gcm => (32, 12),
        SrtpProfile::Aes128CmSha1_80 => (16, 14),
    }
}

fn protection_profile(profile: SrtpProfile) -> ProtectionProfile {
    match profile {
        SrtpProfile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        SrtpProfile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        SrtpProfile::Aes128CmSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
    }
}

struct MasterKeys<'a> {
    client_key: &'a [u8],
    server_key: &'a [u8],
    client_salt: &'a [u8],
    server_salt: &'a [u8],
}

impl<'a> MasterKeys<'a> {
    fn split(profile: SrtpProfile, material: &'a SecretVec) -> Result<Self, SrtpError> {
        let (key, salt) = key_lengths(profile);
        let split = || {
            let (client_key, rest) = material.as_ref().split_at_checked(key)?;
            let (server_key, rest) = rest.split_at_checked(key)?;
            let (client_salt, server_salt) = rest.split_at_checked(salt)?;
            (server_salt.len() == salt).then_some(Self {
                client_key,
                server_key,
                client_salt,
                server_salt,
            })
        };
        split().ok_or(SrtpError::Keys)
    }
}

/// AES-GCM of one direction.
struct Gcm {
    cipher: Box<dyn AeadCipher>,
    salt: [u8; 12],
}

impl Gcm {
    fn new(
        profile: SrtpProfile,
        master_key: &[u8],
        master_salt: &[u8],
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, SrtpError> {
        let (aead, block) = match profile {
            SrtpProfile::AeadAes128Gcm => (AeadAlgorithm::Aes128Gcm, BlockCipherAlgorithm::Aes128),
            SrtpProfile::AeadAes256Gcm => (AeadAlgorithm::Aes256Gcm, BlockCipherAlgorithm::Aes256),
            SrtpProfile::Aes128CmSha1_80 => return Err(SrtpError::Keys),
        };
        let mut key = vec![0; master_key.len()];
        derive(crypto, block, master_key, master_salt, Label::Key, &mut key)?;
        let mut salt = [0; 12];
        derive(crypto, block, master_key, master_salt, Label::Salt, &mut salt)?;
        let cipher = crypto.new_aead(aead, &key).map_err(|_| SrtpError::Keys)?;
        key.fill(0);
        Ok(Self { cipher, salt })
    }

    /// RFC 7714 §8.1: two zero bytes, SSRC, rollover counter, sequence number; xor salt.
    fn nonce(&self, ssrc: Ssrc, index: Index) -> [u8; 12] {
        let [s0, s1, s2, s3] = ssrc.0.to_be_bytes();
        let [_, _, i0, i1, i2, i3, i4, i5] = index.to_be_bytes();
        let mut nonce = [0, 0, s0, s1, s2, s3, i0, i1, i2, i3, i4, i5];
        nonce.iter_mut().zip(self.salt).for_each(|(byte, salt)| *byte ^= salt);
        nonce
    }

    fn open(
        &mut self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: Ssrc,
        index: Index,
    ) -> Result<usize, SrtpError> {
        let len = packet.len().checked_sub(TAG_BYTES).ok_or(SrtpError::TooShort)?;
        let nonce = self.nonce(ssrc, index);
        let (plain, tag) = packet.split_at_mut_checked(len).ok_or(SrtpError::TooShort)?;
        let (header, body) = plain.split_at_mut_checked(header_len).ok_or(SrtpError::TooShort)?;
        self.cipher
            .open_in_place(&nonce, header, body, tag)
            .map_err(|_| SrtpError::Authentication)?;
        Ok(len)
    }

    fn seal(
        &mut self,
        cell: &mut [u8],
        len: usize,
        header_len: usize,
        ssrc: Ssrc,
        index: Index,
    ) -> Option<usize> {
        let nonce = self.nonce(ssrc, index);
        let (plain, rest) = cell.split_at_mut_checked(len)?;
        let (header, body) = plain.split_at_mut_checked(header_len)?;
        let tag = rest.get_mut(..TAG_BYTES)?;
        self.cipher.seal_in_place(&nonce, header, body, tag).ok()?;
        len.checked_add(TAG_BYTES)
    }
}

/// Labels of RFC 3711 §4.3.2.
#[derive(Clone, Copy)]
enum Label {
    Key = 0,
    Salt = 2,
}

/// Key derivation (RFC 3711 §4.3.1 and §4.3.3, RFC 7714 §11, RFC 6188 for 256 bits) at rate 0: AES in counter mode over
/// the salt with the label in its place.
fn derive(
    crypto: &dyn RTCCrypto,
    algorithm: BlockCipherAlgorithm,
    master_key: &[u8],
    master_salt: &[u8],
    label: Label,
    out: &mut [u8],
) -> Result<(), SrtpError> {
    /// Where the label stands in the 112-bit salt: before the 48-bit index.
    const LABEL_AT: usize = 7;
    let mut seed = [0_u8; 16];
    seed.iter_mut().zip(master_salt).for_each(|(to, from)| *to = *from);
    if let Some(byte) = seed.get_mut(LABEL_AT) {
        *byte ^= label as u8;
    }
    for (counter, chunk) in (0_u16..).zip(out.chunks_mut(16)) {
        let mut block = seed;
        if let Some(end) = block.last_chunk_mut::<2>() {
            *end = counter.to_be_bytes();
        }
        crypto.block_encrypt(algorithm, master_key, &mut block).map_err(|_| SrtpError::Keys)?;
        chunk.iter_mut().zip(block).for_each(|(to, from)| *to = from);
    }
    Ok(())
}

/// Which indices of one SSRC were seen: the last [`REPLAY_WINDOW`] (RFC 3711 §3.3.2).
#[derive(Clone, Debug, Default)]
pub(crate) struct ReplayWindow {
    highest: Option<Index>,
    seen: [u64; 16],
}

impl ReplayWindow {
    /// The index of a sequence number (RFC 3711 §3.3.1): the one nearest to the highest so far; at first, rollover 0.
    /// `None` if it would lie before the beginning.
    pub(crate) fn estimate(&self, sequence: u16) -> Option<Index> {
        let Some(highest) = self.highest else { return Some(Index::from(sequence)) };
        let ahead = sequence.wrapping_sub(low16(highest));
        if ahead < 0x8000 {
            highest.checked_add(u64::from(ahead))
        } else {
            highest.checked_sub(u64::from(ahead.wrapping_neg()))
        }
    }

    /// Whether nothing after it was seen.
    pub(crate) fn is_newest(&self, index: Index) -> bool {
        self.highest.is_none_or(|highest| index > highest)
    }

    /// Not seen, and not older than the window.
    pub(crate) fn is_fresh(&self, index: Index) -> bool {
        let Some(highest) = self.highest else { return true };
        if index > highest {
            return true;
        }
        highest - index < REPLAY_WINDOW && !self.is_marked(index)
    }

    /// Marks an index as seen, once its packet authenticated.
    pub(crate) fn commit(&mut self, index: Index) {
        match self.highest {
            Some(highest) if index <= highest => {}
            Some(highest) => {
                if index - highest >= REPLAY_WINDOW {
                    self.seen = [0; 16];
                } else {
                    for between in highest + 1..index {
                        self.mark(between, Mark::Clear);
                    }
                }
                self.highest = Some(index);
            }
            None => self.highest = Some(index),
        }
        self.mark(index, Mark::Set);
    }

    fn is_marked(&self, index: Index) -> bool {
        let (word, bit) = Self::place(index);
        self.seen.get(word).is_some_and(|word| word & bit != 0)
    }

    fn mark(&mut self, index: Index, mark: Mark) {
        let (word, bit) = Self::place(index);
        if let Some(word) = self.seen.get_mut(word) {
            match mark {
                Mark::Set => *word |= bit,
                Mark::Clear => *word &= !bit,
            }
        }
    }

    fn place(index: Index) -> (usize, u64) {
        let slot = index % REPLAY_WINDOW;
        (usize::try_from(slot / 64).unwrap_or(0), 1 << (slot % 64))
    }
}

#[derive(Clone, Copy)]
enum Mark {
    Set,
    Clear,
}

#[cfg(test)]
#[path = "srtp_tests.rs"]
mod tests;
