//! The ceremonies of WebAuthn Level 3 as the relying party checks them: §7.1 when a passkey is made, §7.2 when it is
//! used. Pure: challenges, keys and what the browser said come in, "it holds" or the reason why not comes out.
//!
//! User verification is always required: a passkey counts as two factors only with a finger, a face or a PIN. No
//! attestation is asked for, and a statement that comes all the same is not read: that a device is what its maker says
//! matters to us less than whom the operator gave the enrolment link to, and the first use proves that it has the key.
//!
//! CBOR is read by `cbor4ii` (at most 256 deep, and never longer than its input), signatures are checked by `ring`.

use cbor4ii::core::Value;
use cbor4ii::core::dec::{Decode as _, Read as _};
use cbor4ii::core::utils::SliceReader;
use ring::signature;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::relying_party::RelyingParty;

/// COSE algorithms (RFC 9053, RFC 8812) that a passkey may sign with, the preferred first: ES256, EdDSA, RS256. The last
/// is what Windows makes in older TPMs.
pub(crate) const ALGORITHMS: [i64; 3] = [-7, -8, -257];

/// Longest id of a credential (WebAuthn §4).
const CREDENTIAL_ID_BYTES: usize = 1023;

/// User present, user verified, may be backed up, is backed up, holds a new credential (WebAuthn §6.1).
const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;

/// Why an answer of an authenticator is not taken. It holds no value of the answer, so it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// Not what WebAuthn says.
    #[error("the answer does not read")]
    Malformed,
    /// One of the other kind: made where it should be used, or the other way round.
    #[error("the answer is of the other ceremony")]
    Ceremony,
    /// Not the question that was asked: of another seat, document or change, or an old one.
    #[error("the answer is to another question")]
    Challenge,
    /// A page of somebody else asked, or a frame in one.
    #[error("the answer was given to another site")]
    Origin,
    /// Nobody touched the device.
    #[error("nobody was present at the device")]
    NotPresent,
    /// It was touched, and did not look who did.
    #[error("the device did not check who uses it")]
    NotVerified,
    /// It signs in a way we do not check.
    #[error("the device signs with an unknown algorithm")]
    Algorithm,
    /// The signature is not that of the key.
    #[error("the signature is not that of the passkey")]
    Signature,
    /// The passkey says it belongs to another account.
    #[error("the passkey was made for somebody else")]
    OtherPerson,
}

/// A passkey that was just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// Its id.
    pub(crate) credential: Vec<u8>,
    /// Its public key, as a COSE_Key.
    pub(crate) key: Vec<u8>,
    /// How often it was used; 0 for those that do not count.
    pub(crate) counter: u32,
}

/// What a browser says a passkey answered.
#[derive(Clone, Copy)]
pub(crate) struct Assertion<'a> {
    /// `clientDataJSON`.
    pub(crate) client_data: &'a [u8],
    /// `authenticatorData`.
    pub(crate) authenticator_data: &'a [u8],
    /// `signature`.
    pub(crate) signature: &'a [u8],
    /// `userHandle`, where the passkey keeps one.
    pub(crate) user_handle: Option<&'a [u8]>,
}

/// Checks a passkey that was made for this challenge.
pub(crate) fn made(
    site: &RelyingParty,
    challenge: &[u8; 32],
    client_data: &[u8],
    attestation: &[u8],
) -> Result<Made, Refused> {
    ClientData::read(client_data)?.check("webauthn.create", site, challenge)?;
    let Ok(Value::Map(attestation)) = Value::decode(&mut SliceReader::new(attestation)) else {
        return Err(Refused::Malformed);
    };
    let data = attestation.into_iter().find_map(|(name, value)| match (name, value) {
        (Value::Text(name), Value::Bytes(data)) if name == "authData" => Some(data),
        _other => None,
    });
    let data = data.ok_or(Refused::Malformed)?;
    let head = Head::read(&data)?;
    head.check(site)?;
    if head.flags & ATTESTED == 0 {
        return Err(Refused::Malformed);
    }
    // The model of the device (16 bytes) says nothing without attestation.
    let (_model, rest) = head.rest.split_first_chunk::<16>().ok_or(Refused::Malformed)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(Refused::Malformed)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (credential, rest) = rest.split_at_checked(length).ok_or(Refused::Malformed)?;
    if credential.is_empty() || length > CREDENTIAL_ID_BYTES {
        return Err(Refused::Malformed);
    }
    let key = one_value(rest)?;
    PublicKey::read(key)?;
    Ok(Made { credential: credential.to_vec(), key: key.to_vec(), counter: head.counter })
}

/// Checks an assertion by a key for this challenge; gives back the counter it names.
pub(crate) fn used(
    site: &RelyingParty,
    challenge: &[u8; 32],
    key: &[u8],
    person: &[u8],
    assertion: Assertion<'_>,
) -> Result<u32, Refused> {
    if assertion.user_handle.is_some_and(|handle| handle != person) {
        return Err(Refused::OtherPerson);
    }
    ClientData::read(assertion.client_data)?.check("webauthn.get", site, challenge)?;
    let head = Head::read(assertion.authenticator_data)?;
    head.check(site)?;
    signed_by(key, assertion)?;
    Ok(head.counter)
}

/// The same long afterwards, for what was kept: the site may have moved since.
pub(crate) fn still_holds(
    challenge: &[u8; 32],
    key: &[u8],
    assertion: Assertion<'_>,
) -> Result<(), Refused> {
    let said = ClientData::read(assertion.client_data)?;
    said.is("webauthn.get")?;
    said.answers(challenge)?;
    Head::read(assertion.authenticator_data)?.used_by_somebody()?;
    signed_by(key, assertion)
}

/// What an authenticator signs over (WebAuthn §6.3.3).
fn signed_by(key: &[u8], assertion: Assertion<'_>) -> Result<(), Refused> {
    let mut signed = assertion.authenticator_data.to_vec();
    signed.extend_from_slice(&Sha256::digest(assertion.client_data));
    PublicKey::read(key)?.check(&signed, assertion.signature)
}

/// What the browser saw (WebAuthn §5.8.1). Members we do not know are no mistake: it says that there will be some.
#[derive(Deserialize)]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<String>,
}

impl ClientData {
    fn read(json: &[u8]) -> Result<Self, Refused> {
        serde_json::from_slice(json).map_err(|_wrong| Refused::Malformed)
    }

    fn check(
        &self,
        ceremony: &str,
        site: &RelyingParty,
        challenge: &[u8; 32],
    ) -> Result<(), Refused> {
        self.is(ceremony)?;
        self.answers(challenge)?;
        // Our pages stand in no frame.
        if self.cross_origin || self.top_origin.is_some() || !site.is_ours(&self.origin) {
            return Err(Refused::Origin);
        }
        Ok(())
    }

    fn is(&self, ceremony: &str) -> Result<(), Refused> {
        if self.r#type == ceremony { Ok(()) } else { Err(Refused::Ceremony) }
    }

    fn answers(&self, challenge: &[u8; 32]) -> Result<(), Refused> {
        use base64::Engine as _;
        let said = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&self.challenge);
        match said {
            Ok(said) if said == challenge => Ok(()),
            Ok(_) | Err(_) => Err(Refused::Challenge),
        }
    }
}

/// The beginning of every authenticator data: whose site, flags, counter.
struct Head<'a> {
    site: [u8; 32],
    flags: u8,
    counter: u32,
    rest: &'a [u8],
}

impl<'a> Head<'a> {
    fn read(data: &'a [u8]) -> Result<Self, Refused> {
        let (site, rest) = data.split_first_chunk::<32>().ok_or(Refused::Malformed)?;
        let (&[flags], rest) = rest.split_first_chunk::<1>().ok_or(Refused::Malformed)?;
        let (counter, rest) = rest.split_first_chunk::<4>().ok_or(Refused::Malformed)?;
        if flags & BACKED_UP != 0 && flags & BACKUP_ELIGIBLE == 0 {
            return Err(Refused::Malformed);
        }
        Ok(Self { site: *site, flags, counter: u32::from_be_bytes(*counter), rest })
    }

    fn check(&self, site: &RelyingParty) -> Result<(), Refused> {
        if self.site != <[u8; 32]>::from(Sha256::digest(site.id())) {
            return Err(Refused::Origin);
        }
        self.used_by_somebody()
    }

    fn used_by_somebody(&self) -> Result<(), Refused> {
        if self.flags & PRESENT == 0 {
            return Err(Refused::NotPresent);
        }
        if self.flags & VERIFIED == 0 {
            return Err(Refused::NotVerified);
        }
        Ok(())
    }
}

/// The bytes of the first CBOR value. What follows it are extensions, of which we asked for none.
fn one_value(bytes: &[u8]) -> Result<&[u8], Refused> {
    let mut reader = SliceReader::new(bytes);
    Value::decode(&mut reader).map_err(|_wrong| Refused::Malformed)?;
    let left = reader.fill(bytes.len()).map_err(|_never| Refused::Malformed)?.as_ref().len();
    bytes.get(..bytes.len().saturating_sub(left)).ok_or(Refused::Malformed)
}

/// A public key, as `ring` takes it.
enum PublicKey {
    /// ECDSA on P-256 with SHA-256; the point uncompressed (SEC 1 §2.3.3).
    Es256([u8; 65]),
    /// Ed25519.
    EdDsa([u8; 32]),
    /// RSASSA-PKCS1-v1_5 with SHA-256; modulus and exponent.
    Rs256(Vec<u8>, Vec<u8>),
}

impl PublicKey {
    /// Reads a COSE_Key (RFC 9052 §7): only the combinations WebAuthn §5.8.5 names.
    fn read(cose: &[u8]) -> Result<Self, Refused> {
        let Ok(Value::Map(entries)) = Value::decode(&mut SliceReader::new(cose)) else {
            return Err(Refused::Malformed);
        };
        let number = |label: i128| {
            entries.iter().find_map(|(name, value)| match (name, value) {
                (Value::Integer(name), Value::Integer(value)) if *name == label => Some(*value),
                _other => None,
            })
        };
        let bytes = |label: i128| {
            let found = entries.iter().find_map(|(name, value)| match (name, value) {
                (Value::Integer(name), Value::Bytes(value)) if *name == label => Some(value),
                _other => None,
            });
            found.ok_or(Refused::Malformed)
        };
        // Labels: 1 kind of key, 3 algorithm, -1 curve or modulus, -2 x or exponent, -3 y.
        match (number(1), number(3), number(-1)) {
            (Some(2), Some(-7), Some(1)) => {
                let (x, y) = (bytes(-2)?, bytes(-3)?);
                let point: Vec<u8> = [&[4], x.as_slice(), y.as_slice()].concat();
                if x.len() != 32 {
                    return Err(Refused::Malformed);
                }
                Ok(Self::Es256(point.try_into().map_err(|_length| Refused::Malformed)?))
            }
            (Some(1), Some(-8), Some(6)) => {
                let x = bytes(-2)?.as_slice();
                Ok(Self::EdDsa(x.try_into().map_err(|_length| Refused::Malformed)?))
            }
            (Some(3), Some(-257), None) => Ok(Self::Rs256(bytes(-1)?.clone(), bytes(-2)?.clone())),
            _other => Err(Refused::Algorithm),
        }
    }

    fn check(&self, signed: &[u8], signature: &[u8]) -> Result<(), Refused> {
        match self {
            Self::Es256(point) => {
                let key =
                    signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, point);
                key.verify(signed, signature)
            }
            Self::EdDsa(key) => signature::UnparsedPublicKey::new(&signature::ED25519, key)
                .verify(signed, signature),
            Self::Rs256(n, e) => signature::RsaPublicKeyComponents { n, e }.verify(
                &signature::RSA_PKCS1_2048_8192_SHA256,
                signed,
                signature,
            ),
        }
        .map_err(|_wrong| Refused::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: [u8; 32] = [7; 32];

    fn site() -> RelyingParty {
        RelyingParty::of(&["https://visits.example.org".to_owned()]).unwrap()
    }

    fn client_data() -> Vec<u8> {
        use base64::Engine as _;
        let challenge = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(CHALLENGE);
        format!(
            "{{\"type\":\"webauthn.create\",\"challenge\":\"{challenge}\",\"origin\":\"https://visits.example.org\"}}"
        )
        .into_bytes()
    }

    /// An attestation object with this COSE_Key in it.
    fn attestation(key: &[u8]) -> Vec<u8> {
        let mut data = Sha256::digest("visits.example.org").to_vec();
        data.extend([PRESENT | VERIFIED | ATTESTED, 0, 0, 0, 9]);
        data.extend([0; 16]);
        data.extend([0, 4, 1, 2, 3, 4]);
        data.extend(key);
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend(data);
        object
    }

    fn es256() -> Vec<u8> {
        let (x, y) = ([1; 32], [2; 32]);
        [b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".as_slice(), &x, b"\x22\x58\x20", &y].concat()
    }

    #[test]
    fn the_key_is_kept_as_it_came_without_what_follows_it() {
        let extensions = [es256().as_slice(), b"\xa1\x63foo\xf5"].concat();

        let made = made(&site(), &CHALLENGE, &client_data(), &attestation(&extensions)).unwrap();

        assert_eq!(made, Made { credential: vec![1, 2, 3, 4], key: es256(), counter: 9 });
    }

    #[test]
    fn every_kind_of_key_we_ask_for_reads_and_no_other() {
        let eddsa = [b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20".as_slice(), &[3; 32]].concat();
        let rs256 = [
            b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00".as_slice(),
            &[5; 256],
            b"\x21\x43\x01\x00\x01",
        ]
        .concat();
        for key in [es256(), eddsa, rs256] {
            assert!(PublicKey::read(&key).is_ok(), "{key:?}");
        }
        // ES256K, and a key of P-256 that says to be EdDSA.
        let es256k = b"\xa5\x01\x02\x03\x38\x2e\x20\x08\x21\x41\x01\x22\x41\x02";
        let mixed = b"\xa5\x01\x02\x03\x27\x20\x01\x21\x41\x01\x22\x41\x02";
        for key in [es256k.as_slice(), mixed] {
            assert!(matches!(PublicKey::read(key), Err(Refused::Algorithm)), "{key:?}");
        }
    }

    #[test]
    fn no_length_and_no_byte_of_an_answer_breaks_anything() {
        let (site, client_data, whole) = (site(), client_data(), attestation(&es256()));
        for length in 0..whole.len() {
            let cut = whole.get(..length).unwrap();
            assert!(made(&site, &CHALLENGE, &client_data, cut).is_err(), "{length}");
        }
        for at in 0..whole.len() {
            for byte in 0..=u8::MAX {
                let mut changed = whole.clone();
                changed[at] = byte;
                // Refused or not: it returns.
                let _outcome = made(&site, &CHALLENGE, &client_data, &changed);
                let assertion = Assertion {
                    client_data: &changed,
                    authenticator_data: &changed,
                    signature: &changed,
                    user_handle: None,
                };
                assert!(used(&site, &CHALLENGE, &changed, b"", assertion).is_err());
            }
        }
        // Deeper than anybody nests, and longer than there is.
        for bytes in [
            vec![0x81; 60_000],
            vec![0xbf; 60_000],
            vec![0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            vec![0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(made(&site, &CHALLENGE, &client_data, &bytes), Err(Refused::Malformed));
        }
    }

    #[test]
    fn a_backup_of_what_cannot_be_backed_up_is_refused() {
        let mut data = Sha256::digest("visits.example.org").to_vec();
        data.extend([PRESENT | VERIFIED | BACKED_UP, 0, 0, 0, 1]);

        assert!(matches!(Head::read(&data), Err(Refused::Malformed)));
    }
}
