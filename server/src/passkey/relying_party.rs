//! The site passkeys are made for (the relying party of WebAuthn): a name, and the pages that may use it.

use std::net::IpAddr;

use crate::config::StepUp;

/// A site at which passkeys work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RelyingParty {
    /// The host. A passkey works at this name, for as long as it is kept; after a change of name nobody has one.
    id: String,
    /// Origins whose pages may ask.
    origins: Vec<String>,
}

/// Why passkeys do not work at an address, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPasskeys {
    /// Browsers want a name.
    #[error(
        "{origin} is an IP address, and browsers make passkeys for names alone: give this server a name and start it with --origin https://NAME"
    )]
    Address {
        /// The origin.
        origin: String,
    },
    /// Browsers want encryption.
    #[error(
        "{origin} is not encrypted, and browsers make passkeys for https alone: put it behind https and start it with --origin https://NAME"
    )]
    NotEncrypted {
        /// The origin.
        origin: String,
    },
    /// It does not read.
    #[error("{origin} is not an origin: write it as https://visits.example.org")]
    NoOrigin {
        /// What was given.
        origin: String,
    },
}

impl RelyingParty {
    /// The site of the first of these origins, which is the one that links begin with. The others belong to it if they
    /// are names under its own.
    pub(crate) fn of(origins: &[String]) -> Result<Self, NoPasskeys> {
        let first = origins.first().cloned().unwrap_or_default();
        let Some((scheme, id)) = parts(&first) else {
            return Err(NoPasskeys::NoOrigin { origin: first });
        };
        if is_address(&id) {
            return Err(NoPasskeys::Address { origin: first });
        }
        if !secure(scheme, &id) {
            return Err(NoPasskeys::NotEncrypted { origin: first });
        }
        let belongs = |origin: &&String| {
            parts(origin).is_some_and(|(scheme, host)| {
                let under = host.strip_suffix(&id).is_some_and(|sub| sub.ends_with('.'));
                (host == id || under) && secure(scheme, &host)
            })
        };
        let origins = origins.iter().filter(belongs).cloned().collect();
        Ok(Self { id, origins })
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Origins whose pages may ask. Links begin with the first.
    pub(crate) fn origins(&self) -> &[String] {
        &self.origins
    }

    /// Whether a page of this origin is one of ours.
    pub(crate) fn is_ours(&self, origin: &str) -> bool {
        self.origins.iter().any(|ours| ours.eq_ignore_ascii_case(origin))
    }
}

/// Where nobody chose: who runs a practice at an address of its own asks for passkeys; who tries Mortar out on one
/// machine or in one room has none, and does not need any.
pub(crate) fn default_for(origins: &[String]) -> StepUp {
    let practice = RelyingParty::of(origins).is_ok_and(|site| site.id() != LOCAL);
    if practice { StepUp::Required } else { StepUp::WhenEnrolled }
}

/// The one name that needs no encryption: it never leaves the machine.
const LOCAL: &str = "localhost";

fn secure(scheme: &str, host: &str) -> bool {
    scheme == "https" || (scheme == "http" && host == LOCAL)
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<IpAddr>().is_ok()
}

/// Scheme and host of an origin; the host in small letters, as browsers write it.
fn parts(origin: &str) -> Option<(&str, String)> {
    let (scheme, rest) = origin.split_once("://")?;
    let host = match rest.strip_prefix('[') {
        Some(rest) => format!("[{}]", rest.split_once(']')?.0),
        None => rest.split(':').next()?.to_ascii_lowercase(),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    (!host.is_empty() && host.chars().all(plain)).then_some((scheme, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(origins: &[&str]) -> Result<RelyingParty, NoPasskeys> {
        let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        RelyingParty::of(&origins)
    }

    #[test]
    fn a_name_over_https_and_localhost_are_sites() {
        assert_eq!(of(&["https://visits.example.org"]).unwrap().id(), "visits.example.org");
        assert_eq!(of(&["https://Visits.Example.org:8443"]).unwrap().id(), "visits.example.org");
        assert_eq!(of(&["http://localhost:8080"]).unwrap().id(), "localhost");
    }

    #[test]
    fn an_address_and_what_is_not_encrypted_are_refused_with_what_to_do() {
        for origin in ["https://192.0.2.7", "https://[2001:db8::1]:8443", "http://127.0.0.1:8080"] {
            let why = of(&[origin]).unwrap_err();
            assert!(matches!(why, NoPasskeys::Address { .. }), "{origin}: {why}");
            assert!(why.to_string().contains("--origin https://"), "{why}");
        }
        let why = of(&["http://visits.example.org"]).unwrap_err();
        assert!(matches!(why, NoPasskeys::NotEncrypted { .. }), "{why}");
        for origin in ["", "visits.example.org", "https://", "https://a b"] {
            assert!(matches!(of(&[origin]), Err(NoPasskeys::NoOrigin { .. })), "{origin}");
        }
    }

    #[test]
    fn other_origins_are_ours_only_under_the_same_name() {
        let ours = of(&[
            "https://example.org",
            "https://visits.example.org",
            "https://other.org",
            "https://evilexample.org",
            "http://visits.example.org",
        ])
        .unwrap();

        assert!(ours.is_ours("https://example.org") && ours.is_ours("https://visits.example.org"));
        for foreign in [
            "https://other.org",
            "https://evilexample.org",
            "http://visits.example.org",
            "https://example.org:444",
        ] {
            assert!(!ours.is_ours(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_practice_with_a_name_asks_for_passkeys_unless_told_otherwise() {
        let of = |origins: &[&str]| {
            default_for(&origins.iter().map(|origin| (*origin).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of(&["https://visits.example.org"]), StepUp::Required);
        for origins in [&[] as &[&str], &["https://192.0.2.7"], &["http://localhost:8080"]] {
            assert_eq!(of(origins), StepUp::WhenEnrolled, "{origins:?}");
        }
    }
}
