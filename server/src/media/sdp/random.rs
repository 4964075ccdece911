//! Random numbers of a negotiation, from one seed: so that an answer is a function of its arguments.

use sfu::plan::{IceCredentials, PeerKey, Ssrc};
use sha2::{Digest, Sha256};

/// SHA-256 in counter mode over 32 bytes of the system's randomness: as unpredictable as its seed.
pub struct Random {
    seed: [u8; 32],
    block: u64,
}

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random(..)")
    }
}

impl Random {
    /// From a seed, which must not be used twice.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, block: 0 }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 32) };
        self.block += 1;
        let digest = Sha256::new().chain_update(self.seed).chain_update(self.block.to_be_bytes());
        let mut bytes = [0; N];
        bytes.iter_mut().zip(digest.finalize()).for_each(|(to, from)| *to = from);
        bytes
    }

    /// An SSRC: not 0, which some stacks take for "none", and none of those taken.
    pub(super) fn ssrc(&mut self, taken: &mut Vec<Ssrc>) -> Ssrc {
        loop {
            let ssrc = Ssrc(self.number());
            if ssrc.0 != 0 && !taken.contains(&ssrc) {
                taken.push(ssrc);
                return ssrc;
            }
        }
    }

    pub(super) fn number(&mut self) -> u32 {
        u32::from_be_bytes(self.bytes())
    }

    /// Below 2^15, so that early loss cannot make a receiver guess a wrong rollover counter (RFC 3711 §3.3.1).
    pub(super) fn sequence(&mut self) -> u16 {
        u16::from_be_bytes(self.bytes()) & 0x7fff
    }

    /// A session id of `o=`: 62 bits, for parsers that take it as signed (RFC 9429 §5.2.1).
    pub(super) fn session(&mut self) -> u64 {
        u64::from_be_bytes(self.bytes()) >> 2
    }

    /// ICE credentials: 16 characters of ufrag from the peer's number and 48 random bits, 32 of password from 160 bits.
    pub(super) fn ice(&mut self, peer: PeerKey) -> IceCredentials {
        let mut ufrag = [0; 10];
        let random: [u8; 6] = self.bytes();
        let parts = peer.0.to_be_bytes().into_iter().chain(random);
        ufrag.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        IceCredentials { ufrag: base32(&ufrag), pwd: base32(&self.bytes::<20>()) }
    }
}

/// RFC 4648 §6 in lower case, for lengths that need no padding (multiples of 5).
fn base32(bytes: &[u8]) -> String {
    let digit = |value: u64| {
        char::from(match u8::try_from(value & 31).unwrap_or_default() {
            letter @ 0..=25 => b'a' + letter,
            number => b'2' + (number - 26),
        })
    };
    bytes
        .chunks(5)
        .flat_map(|chunk| {
            let bits = chunk.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
            (0..8).rev().map(move |place| digit(bits >> (5 * place)))
        })
        .collect()
}
