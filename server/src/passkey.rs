//! Passkeys of staff (WebAuthn Level 3): set up by a link from the operator, used to confirm a signature.
//!
//! Whoever holds a seat's link sits on the seat; a signature needs more. From the first passkey of a person on, every
//! signature of theirs under a plan is confirmed with one: the server asks a question that is a hash of seat, visit, document and
//! last change seen, the device answers with a finger, a face or a PIN, and only that answer lets the signature
//! through, once, within five minutes. What was asked and answered is kept beside the version ([`evidence`]).
//!
//! There is no way around: nobody but the operator, at the server's own terminal, takes a passkey away, and that is in
//! the log of accesses. A counter that goes back says that there may be two of one passkey: it is refused from then on.

pub(crate) mod evidence;
pub(crate) mod relying_party;
mod sql;
pub mod step_up;
mod store;
mod webauthn;

pub use relying_party::NoPasskeys;
pub(crate) use relying_party::{RelyingParty, default_for};
pub(crate) use sql::ALL;
pub use store::{Passkey, PasskeyError, of};
pub(crate) use store::{held_by, holds};

use axum::extract::{Extension, State};
use axum::response::Response;
use clinical::actor::{Millis, Role};
use clinical::bytes::Base64;
use clinical::id::PersonId;
use clinical::phi::Phi;
use clinical::version::Sha256Hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::audit::{Entry, Outcome};
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{Address, App, Json, limit, reply};
use crate::limits::What;
use crate::link::{NoRandomness, Token};
use crate::pending::{Full, Pending};
use crate::person::{self, Person};
use crate::record::writer::{Work, Writer};
use crate::store::{Store, StoreError, now};
use crate::vault::{KeyOf, Vault};
use evidence::Question;
use store::Body;

/// How long a link to set a passkey up holds: as long as somebody needs to take it to their desk. Longer lies about in a
/// chat, shorter does not reach a colleague in another building.
pub const LINK_HOLDS_MS: i64 = 30 * 60 * 1000;

/// How long a question waits for its answer, and its answer for the signature: five minutes, as the step-up of a
/// signature may be old.
pub(crate) const QUESTION_HOLDS_MS: i64 = 5 * 60 * 1000;

/// Passkeys of one person: a few devices and a spare. More only hides the one somebody lost.
const MOST: usize = 10;

/// Characters of the name its owner gives a passkey.
const NAME_CHARS: usize = 60;

/// Ways a browser may reach a passkey, as it says itself (WebAuthn §5.8.4).
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// What was asked and not answered yet.
#[derive(Debug)]
pub struct Asked {
    /// Of who sets a passkey up, by the hash of their link.
    enrolling: Pending<[u8; 32], [u8; 32]>,
    /// Of who signs, by their seat. Whose passkey it must be stands in the seat.
    signing: Pending<clinical::id::SeatId, Question>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            enrolling: Pending::new(QUESTION_HOLDS_MS),
            signing: Pending::new(QUESTION_HOLDS_MS),
        }
    }
}

/// Body of `POST /api/passkeys/open`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct OpenEnrolment {
    /// What stood behind the `#` of the link.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    token: Phi<String>,
}

/// Reply of `POST /api/passkeys/open`: what a browser needs to make a passkey.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Enrolment {
    /// Whose passkey it will be.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    name: Phi<String>,
    /// The practice's name.
    practice: String,
    /// How many they have already.
    passkeys: usize,
    /// Until when the link holds.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    expires_ms: Millis,
    /// The pages that can do it, the usual one first: passkeys are bound to its name.
    origins: Vec<String>,
    /// Id of the relying party.
    site: String,
    /// Handle of the person, for the passkey.
    user: Base64,
    /// To be answered within five minutes.
    challenge: Base64,
    /// COSE algorithms, the preferred first.
    algorithms: Vec<i64>,
    /// Passkeys they have: a device makes no second one.
    exclude: Vec<KnownPasskey>,
}

/// A passkey, for a browser to find it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct KnownPasskey {
    /// Its credential id.
    id: Base64,
    /// How it is reached.
    transports: Vec<String>,
}

impl From<&Passkey> for KnownPasskey {
    fn from(passkey: &Passkey) -> Self {
        let Body { credential, transports, .. } = &passkey.body;
        Self { id: credential.clone(), transports: transports.clone() }
    }
}

/// Body of `POST /api/passkeys/enrol`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// What stood behind the `#` of the link.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    token: Phi<String>,
    /// What its owner calls it; may be empty.
    name: String,
    /// `clientDataJSON`.
    client_data: Base64,
    /// `attestationObject`.
    attestation: Base64,
    /// `getTransports()`.
    transports: Vec<String>,
}

/// Reply of `POST /api/passkeys/enrol`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Enrolled {
    /// How many passkeys they have now.
    passkeys: usize,
}

/// `POST /api/passkeys/open`: whose link it is, and a question for their device. It has no effect on the link, so that
/// robots that look at links cannot use it up. Unknown, used and expired ones answer alike.
pub(crate) async fn open(
    State(app): State<App>,
    Extension(Address(address)): Extension<Address>,
    Json(OpenEnrolment { token }): Json<OpenEnrolment>,
) -> Result<Response, Problem> {
    limit(&app, What::Claim(address))?;
    let site = site(&app)?;
    let Visitor { token, person, expires } = visitor(&app, &token).await?;
    let held = of(&app.store, &app.vault, person.person).await?;
    let challenge = random()?;
    let asked = app.asked.enrolling.put(now(), link_key(&token), challenge);
    asked.map_err(too_many)?;
    reply(&Enrolment {
        name: person.name,
        practice: app.config.practice.name.clone(),
        passkeys: held.len(),
        expires_ms: expires,
        origins: site.origins().to_vec(),
        site: site.id().to_owned(),
        user: Base64(person.person.0.as_bytes().to_vec()),
        challenge: Base64(challenge.to_vec()),
        algorithms: webauthn::ALGORITHMS.to_vec(),
        exclude: held.iter().map(KnownPasskey::from).collect(),
    })
}

/// `POST /api/passkeys/enrol`: the passkey that was made. The link is used up with it, in one transaction.
pub(crate) async fn enrol(
    State(app): State<App>,
    Extension(Address(address)): Extension<Address>,
    Json(Enrol { token, name, client_data, attestation, transports }): Json<Enrol>,
) -> Result<Response, Problem> {
    limit(&app, What::Claim(address))?;
    let site = site(&app)?;
    let Visitor { token, person: Person { person, role, name: _ }, .. } =
        visitor(&app, &token).await?;
    let name = name.trim();
    let known = |way: &String| TRANSPORTS.contains(&way.as_str());
    if name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Problem::new(ProblemCode::BadRequest));
    }
    let now = now();
    let challenge = app.asked.enrolling.take(now, &link_key(&token), |_| true);
    let challenge = challenge.ok_or(ProblemCode::StepUpExpired)?;
    let made = match webauthn::made(site, &challenge, &client_data.0, &attestation.0) {
        Ok(made) => made,
        Err(why) => {
            tracing::info!(person.id = %person, %why, "a passkey is not taken");
            let object = format!("person:{person}");
            let entry = entry("passkey.refused", Outcome::Denied, Some((person, role)), object);
            app.writer.audit(vec![entry]).await?;
            return Err(Problem::new(ProblemCode::PasskeyRefused));
        }
    };
    let fingerprint = Sha256Hex::of(&made.credential);
    let held = of(&app.store, &app.vault, person).await?.len();
    if held >= MOST || store::known(&app.store, &fingerprint).await? {
        return Err(Problem::new(ProblemCode::PasskeyKnown));
    }
    let body = Body {
        person,
        credential: Base64(made.credential),
        key: Base64(made.key),
        counter: made.counter,
        transports: transports.into_iter().filter(known).take(TRANSPORTS.len()).collect(),
        name: name.to_owned(),
    };
    let dek = app.vault.key(&app.store, KeyOf::Organisation).await?;
    let id = Uuid::now_v7();
    let first = vec![store::use_link(&token, now), store::add(&dek, id, &fingerprint, &body, now)?];
    let object = format!("passkey:{id}");
    let audit = vec![entry("passkey.added", Outcome::Done, Some((person, role)), object)];
    let stored = app.writer.store(Work { first, audit, ..Work::default() }).await.committed();
    match stored {
        Ok(()) => reply(&Enrolled { passkeys: held + 1 }),
        // Somebody used the link meanwhile.
        Err(StoreError::Constraint) => Err(Problem::new(ProblemCode::LinkUnknown)),
        Err(error) => Err(error.into()),
    }
}

/// Who opened a link.
struct Visitor {
    token: Token,
    person: Person,
    expires: Millis,
}

async fn visitor(app: &App, token: &Phi<String>) -> Result<Visitor, Problem> {
    let unknown = || Problem::new(ProblemCode::LinkUnknown);
    let token = Token::parse(token.expose()).ok_or_else(unknown)?;
    let (person, expires) = store::link(&app.store, &token).await?.ok_or_else(unknown)?;
    let person = person::person(&app.store, &app.vault, person).await?.ok_or_else(unknown)?;
    Ok(Visitor { token, person, expires })
}

fn link_key(token: &Token) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn site(app: &App) -> Result<&RelyingParty, Problem> {
    app.site.as_ref().map_err(|_told_at_start| Problem::new(ProblemCode::PasskeysNotHere))
}

fn random() -> Result<[u8; 32], NoRandomness> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_none| NoRandomness)?;
    Ok(bytes)
}

fn too_many(Full: Full) -> Problem {
    Problem::slow_down(std::time::Duration::from_secs(60))
}

fn entry(
    action: &'static str,
    outcome: Outcome,
    who: Option<(PersonId, Role)>,
    object: String,
) -> Entry {
    Entry {
        at_ms: now(),
        person: who.map(|(person, _)| person),
        role: who.map(|(_, role)| role),
        on_behalf_of: None,
        action,
        outcome,
        patient: None,
        object,
        visit: None,
        detail: None,
    }
}

/// Why the operator gets no link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// They have enough.
    #[error(
        "{MOST} passkeys are the most for one person: remove one that is not used with `mortar passkey remove`"
    )]
    TooMany,
    /// They do not read, or the link cannot be stored.
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    /// No secret can be made.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

impl From<StoreError> for LinkError {
    fn from(error: StoreError) -> Self {
        Self::Passkey(error.into())
    }
}

/// A link by which somebody on the staff sets up a passkey, once, within half an hour.
///
/// # Errors
/// See [`LinkError`].
pub async fn link(
    store: &Store,
    vault: &Vault,
    writer: &Writer,
    person: PersonId,
) -> Result<Token, LinkError> {
    if of(store, vault, person).await?.len() >= MOST {
        return Err(LinkError::TooMany);
    }
    let token = Token::new()?;
    let now = now();
    let expires = Millis(now.0.saturating_add(LINK_HOLDS_MS));
    let first = vec![store::add_link(&token, person, now, expires)];
    let audit =
        vec![entry("passkey.link_created", Outcome::Done, None, format!("person:{person}"))];
    writer.store(Work { first, audit, ..Work::default() }).await.committed()?;
    Ok(token)
}

/// Takes a passkey away, at the operator's word. `false` if there is none of this id.
///
/// # Errors
/// The store said no.
pub async fn remove(store: &Store, writer: &Writer, id: Uuid) -> Result<bool, StoreError> {
    let Some(person) = store::owner(store, id).await? else { return Ok(false) };
    let object = format!("passkey:{id}/person:{person}");
    let audit = vec![entry("passkey.removed", Outcome::Done, None, object)];
    let first = vec![store::remove(id)];
    writer.store(Work { first, audit, ..Work::default() }).await.committed()?;
    Ok(true)
}

impl From<PasskeyError> for Problem {
    fn from(error: PasskeyError) -> Self {
        match error {
            PasskeyError::Store(error) => error.into(),
            PasskeyError::Vault(error) => error.into(),
        }
    }
}
