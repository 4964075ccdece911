//! The secrets in links and cookies.

use std::fmt;

use zeroize::Zeroizing;

/// Crockford's base32: no I, L, O, U, so that a link can be read out over the telephone.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The system gives no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no randomness")]
pub struct NoRandomness;

/// The secret of a link: 128 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<[u8; Self::BYTES]>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// 128 bits: guessing one among a million links at 200 tries a second takes longer than the sun lasts.
    pub(super) const BYTES: usize = 16;

    /// Characters of the text form: 26 × 5 bits, the last two of which are zero.
    const CHARS: usize = 26;

    /// A new one.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn new() -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_none| NoRandomness)?;
        Ok(Self(bytes))
    }

    pub(super) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Reads the text form; lower case, hyphens and the look-alikes O, I, L are taken as what they mean.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > 2 * Self::CHARS {
            return None;
        }
        let mut digits = text.chars().filter(|c| *c != '-').map(digit);
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        let mut buffer = 0_u32;
        let mut bits = 0_u32;
        let mut filled = bytes.iter_mut();
        for _ in 0..Self::CHARS {
            buffer = (buffer << 5) | digits.next()??;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                *filled.next()? = u8::try_from((buffer >> bits) & 0xff).ok()?;
                buffer &= (1 << bits) - 1;
            }
        }
        (digits.next().is_none() && buffer == 0).then(|| Self(bytes))
    }

    /// The text form, for the fragment of a link.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(Self::CHARS);
        let mut buffer = 0_u32;
        let mut bits = 0_u32;
        for byte in self.0.iter() {
            buffer = (buffer << 8) | u32::from(*byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                push(&mut text, buffer >> bits);
                buffer &= (1 << bits) - 1;
            }
        }
        push(&mut text, buffer << (5 - bits));
        text
    }
}

fn push(text: &mut String, digit: u32) {
    let index = usize::try_from(digit & 31).unwrap_or(0);
    text.push(ALPHABET.get(index).map_or('0', |byte| char::from(*byte)));
}

fn digit(c: char) -> Option<u32> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let index = ALPHABET.iter().position(|byte| char::from(*byte) == c)?;
    u32::try_from(index).ok()
}

/// 256 random bits: the secret of a session cookie, or the key of a browser's queue.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<[u8; Self::BYTES]>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    pub(crate) const BYTES: usize = 32;

    pub(crate) fn new() -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_none| NoRandomness)?;
        Ok(Self(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// As the value of a cookie (base64url, RFC 4648 §5).
    pub(crate) fn text(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.0.as_slice())
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_as_it_was_written() {
        let token = Token::new().unwrap();

        let text = token.text();

        assert_eq!(text.len(), 26);
        assert_eq!(Token::parse(&text), Some(token.clone()));
        assert_eq!(Token::parse(&text.to_lowercase()), Some(token));
    }

    #[test]
    fn what_is_not_a_token_is_none() {
        for text in ["", "0", "ZZZZZZZZZZZZZZZZZZZZZZZZZZ", "00000000000000000000000000a", "é"] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
    }

    #[test]
    fn look_alikes_are_taken_as_what_they_mean() {
        let zero = Token::parse(&"0".repeat(26));

        assert!(zero.is_some());
        assert_eq!(Token::parse(&"O".repeat(26)), zero);
        assert_eq!(Token::parse("000000-00000-00000-00000-00000"), zero);
    }
}
