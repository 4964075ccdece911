//! A passkey in software: what a device does with a key of its own (WebAuthn Level 3 §6.3), and the browser around it.
//! Its CBOR is written by hand, so that it shares nothing with the reader it is tried against.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// User present, user verified.
pub const PRESENT: u8 = 1;
/// See [`PRESENT`].
pub const VERIFIED: u8 = 1 << 2;

/// How it answers. A test changes what it wants to be wrong.
#[derive(Clone, Debug)]
pub struct Manner {
    /// The page the browser shows.
    pub origin: String,
    /// The name the passkey is made for.
    pub site: String,
    /// "webauthn.create" or "webauthn.get"; none: as it should be.
    pub ceremony: Option<&'static str>,
    /// Flags of the authenticator data.
    pub flags: u8,
    /// Whether the page stands in a frame of another.
    pub framed: bool,
}

impl Manner {
    /// As it should be, on a page of this origin.
    pub fn on(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            site: "localhost".to_owned(),
            ceremony: None,
            flags: PRESENT | VERIFIED,
            framed: false,
        }
    }

    fn client_data(&self, ceremony: &str, challenge: &Value) -> Vec<u8> {
        let challenge = STANDARD.decode(challenge.as_str().expect("a challenge")).expect("base64");
        json!({
            "type": self.ceremony.unwrap_or(ceremony),
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "origin": self.origin,
            "crossOrigin": self.framed,
            // Browsers add members now and then, to see who minds.
            "other_keys_can_be_added_here": "do not compare clientDataJSON against a template",
        })
        .to_string()
        .into_bytes()
    }

    fn authenticator_data(&self, flags: u8, counter: u32) -> Vec<u8> {
        let mut data = Sha256::digest(&self.site).to_vec();
        data.push(self.flags | flags);
        data.extend(counter.to_be_bytes());
        data
    }
}

/// A device with one passkey.
pub struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    user: Option<String>,
    /// The counter of the next answer; 0: it does not count.
    pub counter: u32,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator(..)")
    }
}

impl Default for Authenticator {
    fn default() -> Self {
        Self::new()
    }
}

impl Authenticator {
    /// With a new key.
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a key");
        let id = Uuid::now_v7().as_bytes().repeat(2);
        Self { key, id, user: None, counter: 1 }
    }

    /// SHA-256 of its credential id, as versions name it.
    pub fn fingerprint(&self) -> String {
        Sha256::digest(&self.id).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Makes the passkey that `POST /api/passkeys/open` asks for: the body of `enrol`.
    pub fn enrol(&mut self, token: &str, asked: &Value, manner: &Manner) -> Value {
        self.user = asked["user"].as_str().map(str::to_owned);
        let client_data = manner.client_data("webauthn.create", &asked["challenge"]);
        let mut data = manner.authenticator_data(1 << 6, self.counter);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).expect("a short id").to_be_bytes());
        data.extend(&self.id);
        let point = self.key.public_key().as_ref();
        // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..65]);
        let mut attestation = vec![0xa3, 0x63];
        attestation.extend(b"fmt\x64none\x67attStmt\xa0\x68authData");
        attestation.push(0x59);
        attestation.extend(u16::try_from(data.len()).expect("short").to_be_bytes());
        attestation.extend(&data);
        json!({
            "token": token,
            "name": "Ana's laptop",
            "client_data": STANDARD.encode(client_data),
            "attestation": STANDARD.encode(attestation),
            "transports": ["internal", "usb", "telepathy"],
        })
    }

    /// Answers the question of `POST /api/seats/{seat}/step-up`: the body of `step-up/answer`. It counts.
    pub fn answer(&mut self, asked: &Value, manner: &Manner) -> Value {
        if self.counter > 0 {
            self.counter += 1;
        }
        let client_data = manner.client_data("webauthn.get", &asked["challenge"]);
        let data = manner.authenticator_data(0, self.counter);
        let signed = [data.as_slice(), &Sha256::digest(&client_data)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("a signature");
        json!({
            "id": STANDARD.encode(&self.id),
            "client_data": STANDARD.encode(client_data),
            "authenticator_data": STANDARD.encode(data),
            "signature": STANDARD.encode(signature.as_ref()),
            "user": self.user,
        })
    }
}
