//! Peers with ready keys, for simulated calls that repeat: a handshake draws randomness inside rtc-dtls. Behind the feature
//! `simulation`, which the product is built without.

use std::time::Instant;

use rtc_crypto::SecretVec;

use crate::dtls::Progress;
use crate::event::SrtpProfile;
use crate::plan::{PeerKey, Ssrc};
use crate::sfu::Sfu;
use crate::srtp::{Crypto, Index, Session};

const KEY_BYTES: usize = 16;
const SALT_BYTES: usize = 12;

/// What the handshake of one peer would have exported for AEAD_AES_128_GCM (RFC 5764 §4.2): client key, server key, client
/// salt, server salt.
#[derive(Clone)]
pub struct KeyMaterial(pub [u8; 2 * (KEY_BYTES + SALT_BYTES)]);

impl KeyMaterial {
    /// The same with the roles exchanged.
    fn swapped(&self) -> Vec<u8> {
        let (keys, salts) = self.0.split_at(2 * KEY_BYTES);
        let (client_key, server_key) = keys.split_at(KEY_BYTES);
        let (client_salt, server_salt) = salts.split_at(SALT_BYTES);
        [server_key, client_key, server_salt, client_salt].concat()
    }
}

impl Sfu {
    /// Ends the handshake of a peer that has joined: it has these keys. `None` if there is no such peer.
    pub fn connect_with_keys(
        &mut self,
        peer: PeerKey,
        material: &KeyMaterial,
        now: Instant,
    ) -> Option<()> {
        let index = self.index_of(peer)?;
        let material = SecretVec::new(material.0.to_vec());
        let session = Session::new(SrtpProfile::AeadAes128Gcm, material, &self.crypto).ok()?;
        self.peers.get_mut(index)?.dtls.skip_handshake();
        self.progress(index, Progress::Connected(Box::new(session)), now);
        Some(())
    }

    /// What a peer's line is believed to carry, in bits per second; `None` while nothing limits it.
    pub fn estimate_of(&self, peer: PeerKey) -> Option<u64> {
        let peer = self.peers.get(self.index_of(peer)?)?;
        peer.bandwidth.estimate().map(|estimate| estimate.0)
    }
}

/// A browser's half of the keys.
pub struct FarEnd(Session);

impl FarEnd {
    /// `None` if the crypto provider lacks an algorithm.
    pub fn new(material: &KeyMaterial) -> Option<Self> {
        let crypto = Crypto::new()?;
        let material = SecretVec::new(material.swapped());
        Session::new(SrtpProfile::AeadAes128Gcm, material, &crypto).ok().map(Self)
    }

    /// Encrypts an RTP packet whose last 16 bytes are room for the tag. `index` is its sequence number with rollovers.
    pub fn seal(&mut self, packet: &mut [u8], header_len: usize, ssrc: Ssrc, index: Index) -> bool {
        packet
            .len()
            .checked_sub(crate::srtp::TAG_BYTES)
            .and_then(|len| self.0.seal(packet, len, header_len, ssrc, index))
            .is_some()
    }

    /// Decrypts an RTP packet in place; the length without tag, or `None` if it is not authentic under this index.
    pub fn open(
        &mut self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: Ssrc,
        index: Index,
    ) -> Option<usize> {
        self.0.open(packet, header_len, ssrc, index).ok()
    }

    /// Encrypts an RTCP packet.
    pub fn seal_rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.0.seal_rtcp(packet)
    }

    /// Decrypts an RTCP packet.
    pub fn open_rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.0.open_rtcp(packet).map(|plain| plain.as_ref().to_vec())
    }
}
