//! Who asks: seat sessions, and tickets for WebSockets. Whatever is wrong, the answer is the same.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use clinical::actor::Millis;
use clinical::id::SeatId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::App;
use super::problem::{Problem, ProblemCode};
use crate::link::{self, NoRandomness, Secret, Session};
use crate::store::now;
use crate::visit::{self, Seat, Visit};

/// How long a session goes on after its visit: the patient reads what there is to take home.
pub(crate) const AFTER_VISIT_MS: i64 = 30 * 60 * 1000;

/// What a seat still does once that time is over, if it was sent a link to its plan: read it, say that it was read, and
/// sign out. Parts of paths behind the seat.
const READING: [&str; 4] = ["", "/takeaway", "/acknowledge", "/leave-session"];

/// The longest session. A visit that nobody ended does not keep a forgotten browser signed in for ever.
const LONGEST_MS: i64 = 12 * 60 * 60 * 1000;

/// How long a ticket is good: one page load on a slow telephone.
const TICKET_MS: i64 = 60_000;

/// Format of a ticket.
const TICKET_VERSION: u8 = 1;

/// Version, seat, session, expiry, nonce, HMAC.
const TICKET_BYTES: usize = 1 + 16 + 32 + 8 + 16 + 32;

/// How the name of every cookie of a seat begins.
const COOKIE: &str = "__Host-mortar-";

/// Cookies of seats that are looked at in one request: one browser of a practice in a morning. Each costs two reads.
const COOKIES: usize = 64;

/// Name of the cookie of a seat. One for each seat, so that several seats work in one browser.
pub(crate) fn cookie_name(seat: SeatId) -> String {
    format!("{COOKIE}{seat}")
}

/// The cookie with this name.
fn cookie(headers: &HeaderMap, name: &str) -> Option<Secret> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .and_then(|(_, value)| Secret::parse(value))
}

/// Every seat somebody is signed in to with this browser, also where the session is over. Others' cookies, and those
/// that do not read, are none.
pub(crate) async fn seats_of(app: &App, headers: &HeaderMap) -> Result<Vec<Seat>, Problem> {
    let secrets: Vec<Secret> = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| name.starts_with(COOKIE))
        .filter_map(|(_, value)| Secret::parse(value))
        .take(COOKIES)
        .collect();
    let mut seats = Vec::with_capacity(secrets.len());
    for secret in &secrets {
        let Some(session) = link::session(&app.store, secret).await? else { continue };
        seats.extend(visit::find_seat(&app.store, session.seat).await?);
    }
    Ok(seats)
}

/// A request of somebody who sits on the seat in its path.
#[derive(Debug)]
pub struct Seated {
    pub(crate) session: Session,
    /// The seat.
    pub seat: Seat,
    /// Its visit.
    pub visit: Visit,
}

impl Seated {
    /// The session of a seat, if it still holds.
    pub(crate) async fn of(app: &App, headers: &HeaderMap, seat: SeatId) -> Result<Self, Problem> {
        let refused = || Problem::new(ProblemCode::NoSession);
        let secret = cookie(headers, &cookie_name(seat)).ok_or_else(refused)?;
        let session = link::session(&app.store, &secret).await?.ok_or_else(refused)?;
        if session.seat != seat {
            return Err(refused());
        }
        Self::holding(app, session).await?.ok_or_else(refused)
    }

    /// The session a ticket was made in, if it still holds.
    pub(crate) async fn of_ticket(app: &App, ticket: Ticket) -> Result<Option<Self>, Problem> {
        let Ticket { seat, session } = ticket;
        match link::session_by_hash(&app.store, &session).await? {
            Some(session) if session.seat == seat => Self::holding(app, session).await,
            Some(_) | None => Ok(None),
        }
    }

    /// The seat and visit of a session; `None` if it does not hold any more.
    async fn holding(app: &App, session: Session) -> Result<Option<Self>, Problem> {
        let now = now();
        let Some(seat) = visit::find_seat(&app.store, session.seat).await? else { return Ok(None) };
        let Some(visit) = visit::find_visit(&app.store, seat.visit).await? else {
            return Ok(None);
        };
        let over = visit.ended.is_some_and(|ended| ended.0.saturating_add(AFTER_VISIT_MS) < now.0);
        let over = over && !visit::seat_reads_only(&seat, &visit);
        let old = session.created.0.saturating_add(LONGEST_MS) < now.0;
        Ok((!seat.revoked && !over && !old).then_some(Self { session, seat, visit }))
    }
}

impl Seated {
    /// Whether it reads the plan it was sent, and does nothing else: its visit is over for so long, or was when it came.
    pub(crate) fn reads_only(&self) -> bool {
        let Self { session, seat, visit } = self;
        let came_late = visit.ended.is_some_and(|ended| session.created > ended);
        came_late || visit::seat_reads_only(seat, visit)
    }
}

/// The seat in a path, whatever else is in it.
#[derive(Deserialize)]
struct OnSeat {
    seat: SeatId,
}

impl FromRequestParts<App> for Seated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Ok(Path(OnSeat { seat })) = Path::from_request_parts(parts, app).await else {
            return Err(Problem::new(ProblemCode::NoSession));
        };
        let seated = Self::of(app, &parts.headers, seat).await?;
        let path = parts.uri.path().strip_prefix(&format!("/api/seats/{seat}")).unwrap_or("?");
        if !READING.contains(&path) && seated.reads_only() {
            return Err(Problem::new(ProblemCode::NoSession));
        }
        // Only now: a seat's id is no secret, and who merely knows it must not use up what the seat may ask.
        super::limit(app, crate::limits::What::Request(seat))?;
        Ok(seated)
    }
}

/// Makes and takes tickets. The key lives as long as the process: what it made before a restart is worth nothing, and
/// clients ask for a new one.
pub struct Tickets {
    key: Zeroizing<[u8; 32]>,
    /// Nonces that were used, until their tickets would have expired.
    used: Mutex<HashMap<[u8; 16], Millis>>,
}

impl std::fmt::Debug for Tickets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tickets(..)")
    }
}

/// What a ticket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// Whose.
    pub(crate) seat: SeatId,
    /// SHA-256 of the session's cookie: a ticket does not outlive its session.
    pub(crate) session: [u8; 32],
}

impl Tickets {
    /// With a new key.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn new() -> Result<Self, NoRandomness> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut_slice()).map_err(|_none| NoRandomness)?;
        Ok(Self { key, used: Mutex::default() })
    }

    /// A ticket, good once and for 60 s.
    pub(crate) fn make(&self, now: Millis, ticket: Ticket) -> Result<String, NoRandomness> {
        let Ticket { seat, session } = ticket;
        let mut nonce = [0_u8; 16];
        getrandom::fill(&mut nonce).map_err(|_none| NoRandomness)?;
        let mut bytes = Vec::with_capacity(TICKET_BYTES);
        bytes.push(TICKET_VERSION);
        bytes.extend_from_slice(seat.0.as_bytes());
        bytes.extend_from_slice(&session);
        bytes.extend_from_slice(&now.0.saturating_add(TICKET_MS).to_be_bytes());
        bytes.extend_from_slice(&nonce);
        let tag = self.mac(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&tag);
        Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Takes a ticket; `None` if it is not ours, too old, or was used before.
    pub(crate) fn take(&self, now: Millis, text: &str) -> Option<Ticket> {
        if text.len() > 2 * TICKET_BYTES {
            return None;
        }
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()?;
        let (signed, tag) = bytes.split_last_chunk::<32>()?;
        self.mac(signed).verify_slice(tag).ok()?;
        let (&[version], rest) = signed.split_first_chunk::<1>()?;
        let (seat, rest) = rest.split_first_chunk::<16>()?;
        let (session, rest) = rest.split_first_chunk::<32>()?;
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let nonce = <[u8; 16]>::try_from(rest).ok()?;
        let expires = Millis(i64::from_be_bytes(*expires));
        if version != TICKET_VERSION || expires < now {
            return None;
        }
        // A panic elsewhere leaves a map of whole entries.
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, until| *until >= now);
        let fresh = used.insert(nonce, expires).is_none();
        fresh.then_some(Ticket { seat: SeatId(Uuid::from_bytes(*seat)), session: *session })
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        // The block of SHA-256; HMAC fills a shorter key with zeros (RFC 2104 §2).
        let mut block = [0_u8; 64];
        block.iter_mut().zip(self.key.iter()).for_each(|(to, from)| *to = *from);
        let mut mac = Hmac::<Sha256>::new((&block).into());
        mac.update(bytes);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket() -> Ticket {
        Ticket { seat: SeatId(Uuid::from_u128(7)), session: [9; 32] }
    }

    #[test]
    fn a_ticket_is_good_once() {
        let tickets = Tickets::new().unwrap();
        let text = tickets.make(Millis(0), ticket()).unwrap();

        assert_eq!(tickets.take(Millis(1), &text), Some(ticket()));
        assert_eq!(tickets.take(Millis(2), &text), None);
    }

    #[test]
    fn a_ticket_is_good_for_a_minute() {
        let tickets = Tickets::new().unwrap();
        let text = tickets.make(Millis(0), ticket()).unwrap();

        assert_eq!(tickets.take(Millis(TICKET_MS + 1), &text), None);
        assert_eq!(tickets.take(Millis(TICKET_MS), &text), Some(ticket()));
    }

    #[test]
    fn a_changed_or_foreign_ticket_is_not_taken() {
        let tickets = Tickets::new().unwrap();
        let text = tickets.make(Millis(0), ticket()).unwrap();
        let foreign = Tickets::new().unwrap().make(Millis(0), ticket()).unwrap();

        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(tickets.take(Millis(1), &changed), None, "at {at}");
        }
        assert_eq!(tickets.take(Millis(1), &foreign), None);
        assert_eq!(tickets.take(Millis(1), ""), None);
    }
}
