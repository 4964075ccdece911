//! Mail addresses: the part of RFC 5321 that people have.

use std::fmt;

/// Longest address (RFC 5321 section 4.5.3.1.3, without the brackets of a path).
const LONGEST: usize = 254;

/// Longest part before the `@` (RFC 5321 section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;

/// A mail address that can be sent to. It holds no line end, no space and no bracket: nothing that could begin another
/// header or another recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

/// Why something is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no mail address")]
pub struct NotAnAddress;

impl Address {
    /// Reads `local@domain` as RFC 5321 writes a mailbox, with a dot-string before the `@` and a domain of two labels or
    /// more. We do not take quoted strings, addresses in numbers, and letters beyond ASCII (RFC 6531): nobody's own
    /// address looks so, and most mail servers do not take them.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(NotAnAddress)?;
        let fits = text.len() <= LONGEST && local.len() <= LONGEST_LOCAL;
        let labels: Vec<&str> = domain.split('.').collect();
        let numbers = labels.last().is_some_and(|top| top.bytes().all(|c| c.is_ascii_digit()));
        let good = fits
            && local.split('.').all(is_atom)
            && labels.len() >= 2
            && labels.iter().all(|label| is_label(label))
            && !numbers;
        if good { Ok(Self(text.to_owned())) } else { Err(NotAnAddress) }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 5321 `Atom`, of RFC 5322's `atext`.
fn is_atom(part: &str) -> bool {
    let atext = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&c);
    !part.is_empty() && part.bytes().all(atext)
}

/// RFC 5321 `sub-domain`, of at most 63 characters (RFC 1035 section 2.3.4).
fn is_label(label: &str) -> bool {
    let inside = label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    (1..=63).contains(&label.len()) && inside && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_people_are_taken_as_they_are_written() {
        for good in [
            "ruth@example.org",
            " ruth.delgado+visits@mail.example.co.uk ",
            "o'brien@example.org",
            "R_D-1@x1.example",
            "a@xn--bcher-kva.example",
        ] {
            assert_eq!(Address::parse(good).unwrap().as_str(), good.trim(), "{good}");
        }
    }

    #[test]
    fn what_could_be_something_else_is_refused() {
        let long = format!("{}@example.org", "a".repeat(65));
        let longest = format!("a@{}example.org", "abcdefghi.".repeat(25));
        for bad in [
            "",
            "ruth",
            "@example.org",
            "ruth@",
            "ruth@example",
            "ruth@example.org\r\nBcc: all@example.org",
            "ruth@example.org\nBcc: all@example.org",
            "ruth@example.org,eve@example.org",
            "ruth@example.org eve@example.org",
            "ruth@eve@example.org",
            "<ruth@example.org>",
            "Ruth <ruth@example.org>",
            "\"ruth\"@example.org",
            "ruth..d@example.org",
            ".ruth@example.org",
            "ruth@-example.org",
            "ruth@exam_ple.org",
            "ruth@[127.0.0.1]",
            "ruth@127.0.0.1",
            "ruth@example..org",
            "rúth@example.org",
            "ruth@exämple.org",
            "ruth\0@example.org",
            "ruth@example.org\u{202e}",
            &long,
            &longest,
        ] {
            assert_eq!(Address::parse(bad), Err(NotAnAddress), "{bad:?}");
        }
    }
}
