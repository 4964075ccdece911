//! Connectivity checks as a browser writes them, and its answers.

use rtc_crypto::providers::RingProvider;
use rtc_crypto::{HmacAlgorithm, RTCCryptoProvider};
use sfu::plan::IceCredentials;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nominate {
    Yes,
    No,
}

/// A binding request, as libwebrtc writes it.
pub(crate) fn check(ice: &IceCredentials, nominate: Nominate) -> Vec<u8> {
    let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    message.extend_from_slice(&[7; 12]);
    attribute(&mut message, 0x0006, format!("{}:theirs", ice.ufrag).as_bytes());
    attribute(&mut message, 0xc057, &[0, 1, 0, 10]);
    attribute(&mut message, 0x802a, &[1; 8]);
    if nominate == Nominate::Yes {
        attribute(&mut message, 0x0025, &[]);
    }
    attribute(&mut message, 0x0024, &[0x6e, 0, 0x1e, 0xff]);
    sign(message, &ice.pwd)
}

/// The answer to a check of the relay, under this password.
pub(crate) fn answer(check: &[u8], pwd: &str) -> Vec<u8> {
    let mut message = vec![1, 1, 0, 0];
    message.extend_from_slice(&check[4..20]);
    attribute(&mut message, 0x0020, &[0, 1, 0, 0, 0, 0, 0, 0]);
    sign(message, pwd)
}

/// With MESSAGE-INTEGRITY and FINGERPRINT.
fn sign(mut message: Vec<u8>, pwd: &str) -> Vec<u8> {
    let set_length = |message: &mut Vec<u8>, len: usize| {
        message[2..4].copy_from_slice(&u16::try_from(len - 20).unwrap().to_be_bytes());
    };
    let len = message.len();
    set_length(&mut message, len + 24);
    let mut tag = [0; 20];
    RingProvider::new()
        .crypto()
        .new_hmac(HmacAlgorithm::Sha1, pwd.as_bytes())
        .unwrap()
        .sign(&[&message], &mut tag)
        .unwrap();
    attribute(&mut message, 0x0008, &tag);
    set_length(&mut message, len + 32);
    let crc = crc32(&message) ^ 0x5354_554e;
    attribute(&mut message, 0x8028, &crc.to_be_bytes());
    message
}

fn attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
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
