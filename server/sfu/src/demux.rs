//! The first look at a datagram (RFC 7983 §7, RFC 5761 §4).

use crate::limits::MAX_DATAGRAM_BYTES;

/// What a datagram claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Stun,
    Dtls,
    Rtp,
    Rtcp,
}

/// Why a datagram is nothing of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Length,
    FirstByte,
}

pub(crate) fn classify(bytes: &[u8]) -> Result<Class, Refusal> {
    if bytes.len() > MAX_DATAGRAM_BYTES {
        return Err(Refusal::Length);
    }
    match *bytes {
        [] => Err(Refusal::Length),
        [0..=3, ..] => Ok(Class::Stun),
        // RFC 7983 gives DTLS 20 to 63; only the four record types of TLS 1.2 exist (RFC 5246 §6.2.1), and rtc-dtls
        // answers the others with a fatal alert.
        [20..=23, ..] => Ok(Class::Dtls),
        [128..=191, 192..=223, ..] => Ok(Class::Rtcp),
        [128..=191, _, ..] => Ok(Class::Rtp),
        _ => Err(Refusal::FirstByte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_decides_and_anything_else_is_refused() {
        assert_eq!(classify(&[]), Err(Refusal::Length));
        assert_eq!(classify(&[0; 1_501]), Err(Refusal::Length));
        assert_eq!(classify(&[1]), Ok(Class::Stun));
        assert_eq!(classify(&[22]), Ok(Class::Dtls));
        assert_eq!(classify(&[0x80, 200]), Ok(Class::Rtcp));
        assert_eq!(classify(&[0x80, 96]), Ok(Class::Rtp));
        assert_eq!(classify(&[0x80, 96 | 0x80]), Ok(Class::Rtp));
        for first in [4, 19, 24, 63, 64, 127, 192, 255] {
            assert_eq!(classify(&[first]), Err(Refusal::FirstByte));
        }
    }
}
