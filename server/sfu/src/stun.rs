//! STUN binding requests and their answers (RFC 8489), as an ICE-lite agent needs them (RFC 8445 §2.5), and one that asks back
//! (`path_check.rs`).

use std::net::{IpAddr, SocketAddr};

use rtc_crypto::{HmacAlgorithm, Mac, constant_time_eq};

use crate::bytes::{Writer, u16_at, u32_at};
use crate::srtp::Crypto;

const HEADER_BYTES: usize = 20;
const MAGIC_COOKIE: u32 = 0x2112_a442;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const ICE_CONTROLLED: u16 = 0x8029;
const FINGERPRINT: u16 = 0x8028;
const FINGERPRINT_XOR: u32 = 0x5354_554e;
const HMAC_BYTES: usize = 20;

/// Longest answer: IPv6 address, integrity, fingerprint.
pub(crate) const MAX_RESPONSE_BYTES: usize = HEADER_BYTES + 24 + 24 + 8;

/// Longest request of ours: a ufrag has at most 256 characters (RFC 8839 §5.4), and there are two in it.
pub(crate) const MAX_REQUEST_BYTES: usize = HEADER_BYTES + 4 + 516 + 8 + 12 + 24 + 8;

/// Names a request and its answer.
pub(crate) type Transaction = [u8; 12];

/// A password, ready to sign: the key schedule is made once for all checks.
pub(crate) struct Key(Box<dyn Mac>);

impl Key {
    pub(crate) fn new(password: &str, crypto: &Crypto) -> Option<Self> {
        let mac = crypto.primitives().new_hmac(HmacAlgorithm::Sha1, password.as_bytes());
        mac.ok().map(Self)
    }
}

/// A binding request whose fingerprint is right. Not yet authenticated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    bytes: &'a [u8],
    transaction: Transaction,
    username: &'a str,
    integrity_at: usize,
    pub(crate) nomination: Nomination,
}

/// Whether the browser chose this path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nomination {
    Candidate,
    Nominated,
}

/// Why a message is no request of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StunError {
    Malformed,
    Fingerprint,
}

impl<'a> Request<'a> {
    /// Checks lengths, cookie, type, fingerprint; reads nothing else.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, StunError> {
        let malformed = StunError::Malformed;
        let kind = u16_at(bytes, 0).ok_or(malformed)?;
        let length = usize::from(u16_at(bytes, 2).ok_or(malformed)?);
        let cookie = u32_at(bytes, 4).ok_or(malformed)?;
        let transaction = *bytes.get(8..).and_then(<[u8]>::first_chunk).ok_or(malformed)?;
        if kind != BINDING_REQUEST
            || cookie != MAGIC_COOKIE
            || !length.is_multiple_of(4)
            || bytes.len() != HEADER_BYTES + length
        {
            return Err(malformed);
        }
        let mut username = None;
        let mut integrity_at = None;
        let mut nomination = Nomination::Candidate;
        let mut at = HEADER_BYTES;
        while at < bytes.len() {
            let attribute = u16_at(bytes, at).ok_or(malformed)?;
            let len = usize::from(u16_at(bytes, at + 2).ok_or(malformed)?);
            let value = bytes.get(at + 4..at + 4 + len).ok_or(malformed)?;
            let next = at + 4 + len.next_multiple_of(4);
            // After MESSAGE-INTEGRITY only FINGERPRINT counts (RFC 8489 §14.5): the rest is not protected.
            match (attribute, integrity_at) {
                (USERNAME, None) => {
                    username = Some(std::str::from_utf8(value).map_err(|_| malformed)?);
                }
                (USE_CANDIDATE, None) => nomination = Nomination::Nominated,
                (MESSAGE_INTEGRITY, None) if len == HMAC_BYTES => integrity_at = Some(at),
                (FINGERPRINT, Some(integrity_at)) => {
                    let stated = u32_at(value, 0).ok_or(malformed)?;
                    let covered = bytes.get(..at).ok_or(malformed)?;
                    if len != 4 || next != bytes.len() {
                        return Err(malformed);
                    }
                    if crc32(covered) ^ FINGERPRINT_XOR != stated {
                        return Err(StunError::Fingerprint);
                    }
                    let username = username.ok_or(malformed)?;
                    return Ok(Self { bytes, transaction, username, integrity_at, nomination });
                }
                _ => {}
            }
            at = next;
        }
        Err(malformed)
    }

    /// Our half of USERNAME (RFC 8445 §7.2.2: "ours:theirs").
    pub(crate) fn local_ufrag(&self) -> &'a str {
        self.username.split_once(':').map_or("", |(ours, _)| ours)
    }

    /// Whether MESSAGE-INTEGRITY was made with this password. Constant time.
    pub(crate) fn is_authentic(&self, key: &mut Key) -> bool {
        is_authentic(self.bytes, self.integrity_at, key)
    }

    /// Writes the success response; its length. `None` if it would be longer than the request: nothing is amplified.
    pub(crate) fn answer(
        &self,
        from: SocketAddr,
        key: &mut Key,
        response: &mut [u8; MAX_RESPONSE_BYTES],
    ) -> Option<usize> {
        let address_bytes = match from.ip() {
            IpAddr::V4(_) => 8_u16,
            IpAddr::V6(_) => 20,
        };
        let without_integrity = HEADER_BYTES + 4 + usize::from(address_bytes);
        let total = without_integrity + 4 + HMAC_BYTES + 8;
        if total > self.bytes.len() {
            return None;
        }
        let length_until =
            |end: usize| u16::try_from(end - HEADER_BYTES).unwrap_or(0).to_be_bytes();
        let mut writer = Writer::new(response);
        writer.put(&BINDING_SUCCESS.to_be_bytes())?;
        // As if MESSAGE-INTEGRITY were the last attribute (RFC 8489 §14.5).
        writer.put(&length_until(total - 8))?;
        writer.put(&MAGIC_COOKIE.to_be_bytes())?;
        writer.put(&self.transaction)?;
        writer.put(&XOR_MAPPED_ADDRESS.to_be_bytes())?;
        writer.put(&address_bytes.to_be_bytes())?;
        let [c0, c1, c2, c3] = MAGIC_COOKIE.to_be_bytes();
        let port = from.port() ^ u16::from_be_bytes([c0, c1]);
        match from.ip() {
            IpAddr::V4(ip) => {
                writer.put(&[0, 1])?;
                writer.put(&port.to_be_bytes())?;
                writer.put(&(u32::from(ip) ^ MAGIC_COOKIE).to_be_bytes())?;
            }
            IpAddr::V6(ip) => {
                writer.put(&[0, 2])?;
                writer.put(&port.to_be_bytes())?;
                let mut octets = ip.octets();
                let pad = [c0, c1, c2, c3].into_iter().chain(self.transaction);
                octets.iter_mut().zip(pad).for_each(|(octet, pad)| *octet ^= pad);
                writer.put(&octets)?;
            }
        }
        let mut tag = [0; HMAC_BYTES];
        key.0.sign(&[response.get(..without_integrity)?], &mut tag).ok()?;
        let integrity = response.get_mut(without_integrity..total - 8)?;
        let mut writer = Writer::new(integrity);
        writer.put(&MESSAGE_INTEGRITY.to_be_bytes())?;
        writer.put(&20_u16.to_be_bytes())?;
        writer.put(&tag)?;
        response.get_mut(2..4)?.copy_from_slice(&length_until(total));
        let fingerprint = crc32(response.get(..total - 8)?) ^ FINGERPRINT_XOR;
        let mut writer = Writer::new(response.get_mut(total - 8..total)?);
        writer.put(&FINGERPRINT.to_be_bytes())?;
        writer.put(&4_u16.to_be_bytes())?;
        writer.put(&fingerprint.to_be_bytes())?;
        Some(total)
    }
}

/// Whether MESSAGE-INTEGRITY at this place was made with this password. Constant time.
fn is_authentic(bytes: &[u8], integrity_at: usize, key: &mut Key) -> bool {
    let mut tag = [0; HMAC_BYTES];
    let covered = integrity_at + 4 + HMAC_BYTES - HEADER_BYTES;
    let (Some(kind), Some(rest), Some(stated), Ok(length)) = (
        bytes.get(..2),
        bytes.get(4..integrity_at),
        bytes.get(integrity_at + 4..integrity_at + 4 + HMAC_BYTES),
        u16::try_from(covered),
    ) else {
        return false;
    };
    key.0.sign(&[kind, &length.to_be_bytes(), rest], &mut tag).is_ok()
        && constant_time_eq(&tag, stated)
}

/// Writes a binding request of the controlled side (RFC 8445 §7.2.2) under the other side's password; its length. `None` if a
/// name is too long.
pub(crate) fn ask(
    transaction: Transaction,
    [theirs, ours]: [&str; 2],
    key: &mut Key,
    request: &mut [u8; MAX_REQUEST_BYTES],
) -> Option<usize> {
    /// Of a peer-reflexive candidate (RFC 8445 §5.1.2.2): nobody chooses by it, for only the browser nominates.
    const PEER_REFLEXIVE: u32 = 110 << 24 | 65_535 << 8 | 255;
    let username_bytes = theirs.len() + 1 + ours.len();
    let padding = username_bytes.next_multiple_of(4) - username_bytes;
    let without_integrity = HEADER_BYTES + 4 + username_bytes + padding + 8 + 12;
    let total = without_integrity + 4 + HMAC_BYTES + 8;
    let length_until = |end: usize| Some(u16::try_from(end - HEADER_BYTES).ok()?.to_be_bytes());
    let mut writer = Writer::new(request);
    writer.put(&BINDING_REQUEST.to_be_bytes())?;
    // As if MESSAGE-INTEGRITY were the last attribute (RFC 8489 §14.5).
    writer.put(&length_until(total - 8)?)?;
    writer.put(&MAGIC_COOKIE.to_be_bytes())?;
    writer.put(&transaction)?;
    writer.put(&USERNAME.to_be_bytes())?;
    writer.put(&u16::try_from(username_bytes).ok()?.to_be_bytes())?;
    writer.put(theirs.as_bytes())?;
    writer.put(b":")?;
    writer.put(ours.as_bytes())?;
    writer.put([0; 3].get(..padding)?)?;
    writer.put(&PRIORITY.to_be_bytes())?;
    writer.put(&4_u16.to_be_bytes())?;
    writer.put(&PEER_REFLEXIVE.to_be_bytes())?;
    writer.put(&ICE_CONTROLLED.to_be_bytes())?;
    writer.put(&8_u16.to_be_bytes())?;
    writer.put(transaction.first_chunk::<8>()?)?;
    let mut tag = [0; HMAC_BYTES];
    key.0.sign(&[request.get(..without_integrity)?], &mut tag).ok()?;
    let mut writer = Writer::new(request.get_mut(without_integrity..total - 8)?);
    writer.put(&MESSAGE_INTEGRITY.to_be_bytes())?;
    writer.put(&20_u16.to_be_bytes())?;
    writer.put(&tag)?;
    request.get_mut(2..4)?.copy_from_slice(&length_until(total)?);
    let fingerprint = crc32(request.get(..total - 8)?) ^ FINGERPRINT_XOR;
    let mut writer = Writer::new(request.get_mut(total - 8..total)?);
    writer.put(&FINGERPRINT.to_be_bytes())?;
    writer.put(&4_u16.to_be_bytes())?;
    writer.put(&fingerprint.to_be_bytes())?;
    Some(total)
}

/// A success response to a request of ours. Not yet authenticated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    bytes: &'a [u8],
    pub(crate) transaction: Transaction,
    integrity_at: usize,
}

impl<'a> Answer<'a> {
    /// `None` if it is something else.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let length = usize::from(u16_at(bytes, 2)?);
        let is_answer = u16_at(bytes, 0)? == BINDING_SUCCESS && u32_at(bytes, 4)? == MAGIC_COOKIE;
        if !is_answer || !length.is_multiple_of(4) || bytes.len() != HEADER_BYTES + length {
            return None;
        }
        let transaction = *bytes.get(8..)?.first_chunk()?;
        let mut at = HEADER_BYTES;
        while at < bytes.len() {
            let attribute = u16_at(bytes, at)?;
            let len = usize::from(u16_at(bytes, at + 2)?);
            if attribute == MESSAGE_INTEGRITY && len == HMAC_BYTES {
                return Some(Self { bytes, transaction, integrity_at: at });
            }
            at += 4 + len.next_multiple_of(4);
        }
        None
    }

    /// Whether MESSAGE-INTEGRITY was made with this password. Constant time.
    pub(crate) fn is_authentic(&self, key: &mut Key) -> bool {
        is_authentic(self.bytes, self.integrity_at, key)
    }
}

/// CRC-32 of ITU-T V.42, as FINGERPRINT wants it (RFC 8489 §14.7).
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        let index = usize::from((crc.to_le_bytes().first().copied().unwrap_or(0)) ^ byte);
        (crc >> 8) ^ CRC_TABLE.get(index).copied().unwrap_or(0)
    })
}

const CRC_TABLE: [u32; 256] = crc_table();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: out of bounds would not build"
)]
const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    let mut seed: u32 = 0;
    while index < 256 {
        let mut crc = seed;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 0 { crc >> 1 } else { (crc >> 1) ^ 0xedb8_8320 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
        seed += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5769 §2.1, with the password "VOkJxbRl1RmTxUk/WvJxBt".
    const SAMPLE: &[u8] = &[
        0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6,
        0x86, 0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74,
        0x65, 0x73, 0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e,
        0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36,
        0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20,
        0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e,
        0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5,
        0x7a, 0x3b, 0xcf,
    ];

    fn key(password: &str) -> Key {
        Key::new(password, &Crypto::new().unwrap()).unwrap()
    }

    #[test]
    fn the_sample_request_of_rfc_5769_is_authentic_and_only_with_its_password() {
        let request = Request::parse(SAMPLE).unwrap();

        assert_eq!(request.local_ufrag(), "evtj");
        assert_eq!(request.nomination, Nomination::Candidate);
        assert!(request.is_authentic(&mut key("VOkJxbRl1RmTxUk/WvJxBt")));
        assert!(!request.is_authentic(&mut key("VOkJxbRl1RmTxUk/WvJxBu")));
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused() {
        for at in 0..SAMPLE.len() * 8 {
            let mut bytes = SAMPLE.to_vec();
            bytes[at / 8] ^= 1 << (at % 8);

            assert!(Request::parse(&bytes).is_err(), "bit {at}");
        }
    }

    #[test]
    fn answers_name_the_address_in_both_families_and_are_never_longer_than_the_question() {
        let request = Request::parse(SAMPLE).unwrap();
        for from in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"] {
            let from: SocketAddr = from.parse().unwrap();
            let mut response = [0; MAX_RESPONSE_BYTES];
            let len = request.answer(from, &mut key("pwd"), &mut response).unwrap();
            let response = &response[..len];

            assert!(len <= SAMPLE.len());
            assert_eq!(response[8..20], SAMPLE[8..20]);
            assert_eq!(u16_at(response, 26), Some(0xa147));
            let expected: &[u8] = if from.is_ipv4() {
                &[0xe1, 0x12, 0xa6, 0x43]
            } else {
                &[
                    0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe,
                    0xd2, 0xb9, 0xd9,
                ]
            };
            assert_eq!(&response[28..28 + expected.len()], expected);
            assert_eq!(
                u32_at(response, len - 4),
                Some(crc32(&response[..len - 8]) ^ FINGERPRINT_XOR)
            );
        }
    }
}
