//! ICE's connectivity checks (RFC 8445 §7.2) from the client's side.

use std::net::{IpAddr, SocketAddr};

use rtc_crypto::providers::RingProvider;
use rtc_crypto::{HmacAlgorithm, RTCCryptoProvider as _};

/// A binding request with USE-CANDIDATE, signed with the server's password.
pub fn check(username: &str, password: &str, tie_breaker: u64) -> Vec<u8> {
    let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    let mut transaction = [0; 12];
    getrandom::fill(&mut transaction).expect("randomness");
    message.extend_from_slice(&transaction);
    attribute(&mut message, 0x0006, username.as_bytes());
    attribute(&mut message, 0x802a, &tie_breaker.to_be_bytes());
    attribute(&mut message, 0x0025, &[]);
    attribute(&mut message, 0x0024, &[0x6e, 0, 0x1e, 0xff]);
    sign(&mut message, password);
    message
}

/// The success response to a check of the other side: servers that are not purely lite make their own.
pub fn respond(request: &[u8], from: SocketAddr, password: &str) -> Option<Vec<u8>> {
    let &[0, 1, _, _, ..] = request else { return None };
    let mut message = vec![1, 1, 0, 0];
    message.extend_from_slice(request.get(4..20)?);
    let IpAddr::V4(ip) = from.ip() else { return None };
    let port = from.port() ^ 0x2112;
    let mapped = (u32::from(ip) ^ 0x2112_a442).to_be_bytes();
    let mut value = vec![0, 1];
    value.extend_from_slice(&port.to_be_bytes());
    value.extend_from_slice(&mapped);
    attribute(&mut message, 0x0020, &value);
    sign(&mut message, password);
    Some(message)
}

/// Adds MESSAGE-INTEGRITY and FINGERPRINT. Each is computed over a header that already counts it (RFC 8489 §14.5,
/// §14.7).
fn sign(message: &mut Vec<u8>, password: &str) {
    set_length(message, 24);
    let mut tag = [0; 20];
    RingProvider::new()
        .crypto()
        .new_hmac(HmacAlgorithm::Sha1, password.as_bytes())
        .expect("HMAC-SHA1")
        .sign(&[message.as_slice()], &mut tag)
        .expect("20 bytes");
    attribute(message, 0x0008, &tag);
    set_length(message, 8);
    let crc = crc32(message) ^ 0x5354_554e;
    attribute(message, 0x8028, &crc.to_be_bytes());
}

fn set_length(message: &mut [u8], more: usize) {
    let length = u16::try_from(message.len() - 20 + more).expect("a short message");
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

fn attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&u16::try_from(value.len()).expect("short").to_be_bytes());
    message.extend_from_slice(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 0 { crc >> 1 } else { (crc >> 1) ^ 0xedb8_8320 }
        })
    })
}
