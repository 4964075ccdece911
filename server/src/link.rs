//! Links of patients, guests and staff: bound to a seat, revocable, and proved by a birth date where the patient's
//! side comes in. The waiting room is the real gate; a link only leads to it.

mod sql;
mod store;
mod token;

pub(crate) use sql::ALL;
pub(crate) use store::{Session, end_session, queue_key, session, session_by_hash, statement};
pub(crate) use token::Secret;
pub use token::{NoRandomness, Token};

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use clinical::actor::{Millis, Role};
use clinical::id::SeatId;
use clinical::phi::Phi;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::audit::{Entry, Outcome};
use crate::http::auth::{Seated, cookie_name};
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{Address, App, Json, limit, reply};
use crate::limits::What;
use crate::patient;
use crate::store::{Store, StoreError, now};
use crate::vault::{Vault, VaultError};
use crate::visit::{self, Seat, Visit};
use store::WrongDates;

/// Wrong birth dates in one round.
const TRIES: i64 = 3;

/// Wrong birth dates of a seat in one day. Higher helps somebody who mistypes, lower leaves less to guess: three a
/// round over a whole day would go through the plausible dates of a known person.
const TRIES_A_DAY: i64 = 10;

/// How long a round lasts. Shorter lets somebody try again sooner, longer makes guessing slower.
const ROUND_MS: i64 = 15 * 60 * 1000;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Body of `POST /api/links/claim`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// What stood behind the `#` of the link.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub token: Phi<String>,
    /// "1954-02-15", where it was asked for.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional, type = "string"))]
    pub birth_date: Option<Phi<String>>,
}

/// Reply of `POST /api/links/claim`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Claimed {
    /// Ask for the patient's birth date and claim again with it.
    BirthDate {
        /// Whom to call when that does not work.
        phone: String,
    },
    /// A cookie of this seat is set: go on at `/v/{seat}`.
    Seated {
        /// The seat.
        seat: SeatId,
    },
}

/// Makes a new link for a seat.
///
/// # Errors
/// It cannot be stored, or the system gives no randomness.
pub async fn mint(store: &Store, vault: &Vault, seat: SeatId) -> Result<Token, LinkError> {
    let token = Token::new()?;
    store::add_link(store, vault, seat, &token).await?;
    Ok(token)
}

/// The link of a seat, made if there is none.
///
/// # Errors
/// As [`mint`].
pub async fn link_of(store: &Store, vault: &Vault, seat: SeatId) -> Result<Token, LinkError> {
    match store::link_of(store, vault, seat).await? {
        Some(token) => Ok(token),
        None => mint(store, vault, seat).await,
    }
}

/// Takes every link of a seat back and ends its sessions. The call is told by the caller.
///
/// # Errors
/// It cannot be stored.
pub async fn revoke(store: &Store, seat: SeatId) -> Result<(), StoreError> {
    store::revoke(store, seat).await
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It cannot be sealed or stored.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// No secret can be made.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

/// `POST /api/links/claim`: a token, and a birth date where the role needs one, for a seat's cookie. Unknown, mistyped
/// and revoked tokens answer alike.
pub(crate) async fn claim(
    State(app): State<App>,
    Extension(Address(address)): Extension<Address>,
    headers: HeaderMap,
    Json(Claim { token, birth_date }): Json<Claim>,
) -> Result<Response, Problem> {
    limit(&app, What::Claim(address))?;
    let unknown = || Problem::new(ProblemCode::LinkUnknown);
    let token = Token::parse(token.expose()).ok_or_else(unknown)?;
    let seat = store::seat_of(&app.store, &token).await?.ok_or_else(unknown)?;
    let seat = visit::find_seat(&app.store, seat).await?.ok_or_else(unknown)?;
    let visit = visit::find_visit(&app.store, seat.visit).await?.ok_or_else(unknown)?;
    if seat.revoked {
        return Err(unknown());
    }
    let phone = Some(app.config.practice.phone.clone());
    // Who was sent a link to the plan reads it after the visit too.
    let reads = seat.reads_until.is_some_and(|until| until > now());
    let is_late = match visit.ended {
        Some(_over) => !reads,
        // Nobody ended it: the day that the mail names ends its link.
        None => seat.reads_until.is_some() && !reads,
    };
    if is_late {
        return Err(Problem { phone, ..Problem::new(ProblemCode::VisitOver) });
    }
    match check(&app, &seat, &visit, birth_date.as_ref()).await? {
        Check::Passed => {}
        Check::Needed => {
            return reply(&Claimed::BirthDate { phone: app.config.practice.phone.clone() });
        }
        Check::Wrong { left } => {
            log(&app, &seat, "link.claim_failed", Outcome::Denied).await?;
            return Err(match left {
                0 => Problem { phone, ..Problem::new(ProblemCode::StaffHelp) },
                left => {
                    Problem { tries_left: Some(left), ..Problem::new(ProblemCode::BirthDateWrong) }
                }
            });
        }
    }

    let cookie = Secret::new()?;
    let queue_key = queue_key_of(&app, &headers, seat.id).await?;
    store::add_session(&app.store, &app.vault, seat.id, &cookie, &queue_key).await?;
    log(&app, &seat, "link.claimed", Outcome::Done).await?;
    let mut response = reply(&Claimed::Seated { seat: seat.id })?;
    let name = cookie_name(seat.id);
    let value = format!("{name}={}; Path=/; Secure; HttpOnly; SameSite=Strict", cookie.text());
    let value =
        HeaderValue::from_str(&value).map_err(|_never| Problem::new(ProblemCode::Internal))?;
    response.headers_mut().append(header::SET_COOKIE, value);
    Ok(response)
}

/// The key for unsent edits: a browser that sat here before goes on with its own, or what it has not sent yet could
/// never be read again.
async fn queue_key_of(app: &App, headers: &HeaderMap, seat: SeatId) -> Result<Vec<u8>, Problem> {
    match Seated::of(app, headers, seat).await {
        Ok(Seated { session, .. }) => Ok(queue_key(&app.store, &app.vault, &session).await?),
        Err(Problem { code: ProblemCode::NoSession, .. }) => Ok(Secret::new()?.as_bytes().to_vec()),
        Err(problem) => Err(problem),
    }
}

async fn log(
    app: &App,
    seat: &Seat,
    action: &'static str,
    outcome: Outcome,
) -> Result<(), StoreError> {
    let entry = Entry {
        at_ms: now(),
        person: Some(seat.person),
        role: Some(seat.role),
        on_behalf_of: None,
        action,
        outcome,
        patient: None,
        object: format!("seat:{}", seat.id),
        visit: Some(seat.visit),
        detail: None,
    };
    app.writer.audit(vec![entry]).await
}

/// How the birth date fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Passed,
    Needed,
    Wrong { left: u32 },
}

/// Whether somebody on this role's link must know the patient's birth date.
const fn proves_birth_date(role: Role) -> bool {
    match role {
        Role::Patient | Role::Caregiver => true,
        Role::Interpreter
        | Role::Pharmacist
        | Role::Pcp
        | Role::Nurse
        | Role::Chw
        | Role::Specialist
        | Role::Facilitator
        | Role::Learner
        | Role::Observer => false,
    }
}

async fn check(
    app: &App,
    seat: &Seat,
    visit: &Visit,
    said: Option<&Phi<String>>,
) -> Result<Check, Problem> {
    if !proves_birth_date(seat.role) {
        return Ok(Check::Passed);
    }
    let Some(record) = visit.record else { return Ok(Check::Passed) };
    let Some((_, facts)) = patient::of_record(&app.store, &app.vault, record).await? else {
        return Ok(Check::Passed);
    };
    let right = facts.birth_date.expose();
    if right.is_empty() {
        // The chart does not tell it. The waiting room is still there, but for a visit that is over.
        return Ok(match visit.ended {
            None => Check::Passed,
            Some(_over) => Check::Wrong { left: 0 },
        });
    }
    let Some(said) = said else { return Ok(Check::Needed) };
    // One at a time: of many dates tried at once each would count as the first.
    let _alone = app.birth_dates.lock().await;
    let now = now();
    let before = store::wrong_dates(&app.store, seat.id).await?;
    let (before, left) = tries(before, now);
    if left == 0 {
        return Ok(Check::Wrong { left: 0 });
    }
    if same(said.expose().trim(), right) {
        let none = WrongDates { round: 0, ..before };
        store::set_wrong_dates(&app.store, seat.id, none).await?;
        return Ok(Check::Passed);
    }
    let WrongDates { round, since, today, day } = before;
    let wrong = WrongDates { round: round + 1, since, today: today + 1, day };
    store::set_wrong_dates(&app.store, seat.id, wrong).await?;
    Ok(Check::Wrong { left: tries(wrong, now).1 })
}

/// The counts as they stand now, and how many tries are left.
fn tries(before: WrongDates, now: Millis) -> (WrongDates, u32) {
    let WrongDates { round, since, today, day } = before;
    let (round, since) = if round > 0 && now.0.saturating_sub(since.0) < ROUND_MS {
        (round, since)
    } else {
        (0, now)
    };
    let this_day = now.0.div_euclid(DAY_MS);
    let (today, day) = if day == this_day { (today, day) } else { (0, this_day) };
    let left = (TRIES - round).min(TRIES_A_DAY - today).max(0);
    (WrongDates { round, since, today, day }, u32::try_from(left).unwrap_or(0))
}

/// Compares without telling by its time how much is right.
fn same(said: &str, right: &str) -> bool {
    let tag = |text: &str| {
        let mut mac = Hmac::<Sha256>::new((&[0_u8; 64]).into());
        mac.update(text.as_bytes());
        mac
    };
    tag(said).verify_slice(&tag(right).finalize().into_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_wrong_dates_close_the_round_and_ten_the_day() {
        let mut now = Millis(DAY_MS * 20_000);
        let mut wrong = WrongDates::default();
        let mut asked = 0;
        for _ in 0..20 {
            let (current, left) = tries(wrong, now);
            wrong = current;
            if left == 0 {
                now = Millis(now.0 + ROUND_MS);
                continue;
            }
            asked += 1;
            wrong = WrongDates { round: wrong.round + 1, today: wrong.today + 1, ..wrong };
        }
        assert_eq!(asked, TRIES_A_DAY);
        assert_eq!(tries(wrong, Millis(now.0 + DAY_MS)).1, 3);
    }

    #[test]
    fn a_birth_date_is_the_same_or_not() {
        assert!(same("1954-02-15", "1954-02-15"));
        assert!(!same("1954-02-1", "1954-02-15"));
        assert!(!same("", "1954-02-15"));
    }
}
