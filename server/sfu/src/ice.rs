//! One peer's ICE-lite side: credentials, addresses that a check vouched for, consent (RFC 7675), the path to send on.

use std::time::Instant;

use crate::egress::Path;
use crate::limits::{
    CONSENT_EXPIRY, CONSENT_PAUSE, MAX_ADDRESSES, MAX_CREDENTIALS, MAX_REBINDINGS_PER_SECOND,
    MAX_STRAYS_PER_SECOND, PATH_CHECK_RETRY, RESTART_OVERLAP_MAX, RESTART_OVERLAP_NOMINATED,
};
use crate::plan::IceCredentials;
use crate::rate::PerSecond;
use crate::srtp::Crypto;
use crate::stun::{self, Answer, Key, MAX_REQUEST_BYTES, Nomination, Request, Transaction};

/// State of one transport.
pub(crate) struct Ice {
    /// Oldest first; the last is current.
    credentials: Vec<Credential>,
    addresses: Vec<Address>,
    selected: Option<Path>,
    rebindings: PerSecond,
    last_check: Option<Instant>,
    joined: Instant,
    strays: PerSecond,
    /// A check of ours that was not answered yet.
    asked: Option<Asked>,
}

struct Credential {
    ufrag: String,
    key: Key,
    /// The other side's in the same generation.
    theirs: (String, Key),
    /// Whether a check came under it.
    is_used: bool,
    expires: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Asked {
    path: Path,
    transaction: Transaction,
    at: Instant,
}

struct Address {
    path: Path,
    last_check: Instant,
}

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Valid, from an address already known.
    Known,
    /// Valid, from a new address; another may have been forgotten for it.
    New { forgotten: Option<Path> },
    /// Valid, but one new address too many.
    TooManyAddresses,
}

impl Ice {
    /// With our credentials and theirs.
    pub(crate) fn new(
        ours: &IceCredentials,
        theirs: &IceCredentials,
        crypto: &Crypto,
        now: Instant,
    ) -> Option<Self> {
        Some(Self {
            credentials: vec![Credential::new(ours, theirs, crypto)?],
            addresses: Vec::new(),
            selected: None,
            rebindings: PerSecond::new(now),
            last_check: None,
            joined: now,
            strays: PerSecond::new(now),
            asked: None,
        })
    }

    /// New credentials. The old ones stay valid for a while; gives back ufrags that ended at once.
    pub(crate) fn restart(
        &mut self,
        ours: &IceCredentials,
        theirs: &IceCredentials,
        crypto: &Crypto,
        now: Instant,
    ) -> Option<Option<String>> {
        let new = Credential::new(ours, theirs, crypto)?;
        let until = now + RESTART_OVERLAP_MAX;
        for old in &mut self.credentials {
            old.expires = Some(old.expires.map_or(until, |expires| expires.min(until)));
        }
        self.credentials.push(new);
        let ended =
            (self.credentials.len() > MAX_CREDENTIALS).then(|| self.credentials.remove(0).ufrag);
        Some(ended)
    }

    /// The key of the credentials under this ufrag, if they are still valid.
    pub(crate) fn key(&mut self, ufrag: &str, now: Instant) -> Option<&mut Key> {
        let credential =
            self.credentials.iter_mut().find(|credential| credential.ufrag == ufrag)?;
        credential.expires.is_none_or(|expires| now < expires).then_some(&mut credential.key)
    }

    /// Notes an authentic check.
    pub(crate) fn checked(&mut self, request: &Request<'_>, path: Path, now: Instant) -> Check {
        let outcome = self.vouch(path, now);
        if outcome == Check::TooManyAddresses {
            return outcome;
        }
        let used = self.credentials.iter_mut().find(|it| it.ufrag == request.local_ufrag());
        if let Some(used) = used {
            used.is_used = true;
        }
        let is_current =
            self.credentials.last().is_some_and(|last| last.ufrag == request.local_ufrag());
        if request.nomination == Nomination::Nominated {
            // A late check under old credentials must not draw the path back.
            if is_current || self.selected.is_none() {
                self.selected = Some(path);
            }
            if is_current {
                let until = now + RESTART_OVERLAP_NOMINATED;
                for old in self.credentials.iter_mut().rev().skip(1) {
                    old.expires = Some(old.expires.map_or(until, |expires| expires.min(until)));
                }
            }
        }
        outcome
    }

    fn vouch(&mut self, path: Path, now: Instant) -> Check {
        let known = self.addresses.iter_mut().find(|address| address.path == path);
        let outcome = if let Some(known) = known {
            known.last_check = now;
            Check::Known
        } else {
            if !self.rebindings.allow(now, 1, MAX_REBINDINGS_PER_SECOND) {
                return Check::TooManyAddresses;
            }
            let forgotten = (self.addresses.len() >= MAX_ADDRESSES).then(|| self.forget_oldest());
            self.addresses.push(Address { path, last_check: now });
            Check::New { forgotten: forgotten.flatten() }
        };
        self.last_check = Some(now);
        outcome
    }

    /// Whether media from an address that no check vouched for may be opened.
    pub(crate) fn may_stray(&mut self, now: Instant) -> bool {
        self.strays.allow(now, 1, MAX_STRAYS_PER_SECOND)
    }

    /// Writes a check of ours to such an address; its length. `None` while one is on its way, and if it were longer than `most`.
    pub(crate) fn ask(
        &mut self,
        path: Path,
        transaction: Transaction,
        now: Instant,
        most: usize,
        request: &mut [u8; MAX_REQUEST_BYTES],
    ) -> Option<usize> {
        let is_waiting = self
            .asked
            .is_some_and(|asked| now.saturating_duration_since(asked.at) < PATH_CHECK_RETRY);
        if is_waiting {
            return None;
        }
        // A browser knows a check by the generation of the path that it sends on.
        let used = self.credentials.iter_mut().rfind(|credential| credential.is_used)?;
        let (name, key) = &mut used.theirs;
        let len = stun::ask(transaction, [name, &used.ufrag], key, request)?;
        if len > most {
            return None;
        }
        self.asked = Some(Asked { path, transaction, at: now });
        Some(len)
    }

    /// Whether this answers the last check of ours, and came by the path that was asked.
    pub(crate) fn is_answered(&mut self, answer: &Answer<'_>, path: Path) -> bool {
        let asked = self.asked.filter(|it| it.transaction == answer.transaction && it.path == path);
        let used = self.credentials.iter_mut().rfind(|credential| credential.is_used);
        let Some((_, used)) = asked.zip(used) else { return false };
        answer.is_authentic(&mut used.theirs.1)
    }

    /// Notes that answer: its path is sent on from now on.
    pub(crate) fn answered(&mut self, path: Path, now: Instant) -> Check {
        self.asked = None;
        let outcome = self.vouch(path, now);
        if outcome != Check::TooManyAddresses {
            self.selected = Some(path);
        }
        outcome
    }

    /// Where to send, while there is consent.
    pub(crate) fn send_path(&self, now: Instant) -> Option<Path> {
        let selected = self.selected?;
        self.addresses
            .iter()
            .find(|address| address.path == selected)
            .filter(|address| now.saturating_duration_since(address.last_check) < CONSENT_PAUSE)
            .map(|address| address.path)
    }

    /// Where handshake messages go before the browser nominated a path: the address of its newest valid check.
    pub(crate) fn handshake_path(&self, now: Instant) -> Option<Path> {
        self.send_path(now).or_else(|| {
            let newest = self.addresses.iter().max_by_key(|address| address.last_check)?;
            (now.saturating_duration_since(newest.last_check) < CONSENT_PAUSE)
                .then_some(newest.path)
        })
    }

    /// Whether this address was checked so recently that nobody else may have it.
    pub(crate) fn last_check_of(&self, path: Path) -> Option<Instant> {
        self.addresses.iter().find(|address| address.path == path).map(|address| address.last_check)
    }

    pub(crate) fn has_consent(&self, now: Instant) -> bool {
        // A transport that never checked is given the same time to begin.
        let since = self.last_check.unwrap_or(self.joined);
        now.saturating_duration_since(since) < CONSENT_EXPIRY
    }

    /// Forgets credentials and addresses that ended; each is handed out once.
    pub(crate) fn expire(
        &mut self,
        now: Instant,
        mut ufrag: impl FnMut(&str),
        mut address: impl FnMut(Path),
    ) {
        self.credentials.retain(|credential| {
            let live = credential.expires.is_none_or(|expires| now < expires);
            if !live {
                ufrag(&credential.ufrag);
            }
            live
        });
        self.addresses.retain(|known| {
            let live = now.saturating_duration_since(known.last_check) < CONSENT_EXPIRY;
            if !live {
                address(known.path);
            }
            live
        });
        if self.selected.is_some_and(|selected| self.last_check_of(selected).is_none()) {
            self.selected = None;
        }
    }

    pub(crate) fn forget(&mut self, path: Path) {
        self.addresses.retain(|address| address.path != path);
        if self.selected == Some(path) {
            self.selected = None;
        }
    }

    pub(crate) fn ufrags(&self) -> impl Iterator<Item = &str> {
        self.credentials.iter().map(|credential| credential.ufrag.as_str())
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = Path> {
        self.addresses.iter().map(|address| address.path)
    }

    fn forget_oldest(&mut self) -> Option<Path> {
        let (at, _) = self
            .addresses
            .iter()
            .enumerate()
            .filter(|(_, address)| Some(address.path) != self.selected)
            .min_by_key(|(_, address)| address.last_check)?;
        Some(self.addresses.remove(at).path)
    }
}

impl Credential {
    fn new(ours: &IceCredentials, theirs: &IceCredentials, crypto: &Crypto) -> Option<Self> {
        let key = Key::new(&ours.pwd, crypto)?;
        let theirs = (theirs.ufrag.clone(), Key::new(&theirs.pwd, crypto)?);
        Some(Self { ufrag: ours.ufrag.clone(), key, theirs, is_used: false, expires: None })
    }
}
