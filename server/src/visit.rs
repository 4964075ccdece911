//! Visits and their seats: made, looked at by whoever sits there, and joined.

pub mod booking;
pub mod cards;
pub mod export;
pub mod import;
mod sql;
mod store;
pub(crate) mod takeaway;
pub mod telephone;
pub mod time;
pub mod touchpoint;
pub mod versions;

pub(crate) use sql::ALL;
pub(crate) use store::reads_statement;
pub use store::{
    Seat, Visit, clear_admitted, end_visit, find_seat, find_visit, newest_visit, seats,
    set_admitted,
};
pub(crate) use store::{set_telephone, telephone as telephone_of};

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clinical::actor::Role;
use clinical::bytes::Base64;
use clinical::id::{PersonId, RecordId, SeatId, VisitId};
use clinical::phi::Phi;
use serde::{Deserialize, Serialize};
use signaling::visit::{Entry, VisitKind};

use crate::http::auth::{AFTER_VISIT_MS, Seated, Ticket, cookie_name};
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, Json, limit, reply};
use crate::limits::What;
use crate::link;
use crate::person;
use crate::store::{Store, StoreError, now};

/// Where the WebSocket is.
const WS_PATH: &str = "/api/ws";

/// Why a seat was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeatError {
    /// This kind of visit has no such seat, whatever is configured.
    #[error("this kind of visit has no seat for that role")]
    RoleNotInVisit,
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a visit.
///
/// # Errors
/// It cannot be stored.
pub async fn create(
    store: &Store,
    kind: VisitKind,
    record: Option<RecordId>,
) -> Result<Visit, StoreError> {
    store::add_visit(store, kind, record).await
}

/// Gives somebody a seat in a visit.
///
/// # Errors
/// The kind of visit refuses the role, or it cannot be stored.
pub async fn invite(
    store: &Store,
    visit: &Visit,
    person: PersonId,
    role: Role,
) -> Result<Seat, SeatError> {
    match visit.kind.entry(role) {
        Entry::Refused => Err(SeatError::RoleNotInVisit),
        Entry::Enters | Entry::Waits => Ok(store::add_seat(store, visit.id, person, role).await?),
    }
}

/// Takes a seat back: its links, its sessions, and its place in a live call.
///
/// # Errors
/// It cannot be stored.
pub async fn revoke(app: &App, seat: &Seat) -> Result<(), StoreError> {
    store::revoke_seat(&app.store, seat.id).await?;
    link::revoke(&app.store, seat.id).await?;
    app.calls.revoke(seat.visit, seat.id).await;
    Ok(())
}

/// Reply of `GET /api/seats/{seat}`: who I am and what I may know before I am admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct SeatHome {
    /// The seat.
    pub seat: SeatId,
    /// Its role.
    pub role: Role,
    /// The own name.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
    /// The visit.
    pub visit: VisitId,
    /// Its kind.
    pub kind: VisitKind,
    /// The practice's name.
    pub practice: String,
    /// Whom to call.
    pub phone: String,
    /// Whether it is over.
    pub over: bool,
    /// Whether this seat waits to be admitted when it joins.
    pub waits: bool,
    /// Whether it only reads the plan it was sent a link to: its visit is over.
    pub reads_only: bool,
    /// For when it was booked and how, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub booked: Option<telephone::BookedFor>,
}

/// Reply of `POST /api/seats/{seat}/join`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct JoinReply {
    /// Path of the WebSocket, on the same origin.
    pub ws_path: String,
    /// For the first message. Good once, for 60 s.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub ticket: Phi<String>,
}

/// Reply of `GET /api/seats/{seat}/key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct QueueKey {
    /// AES-256 key under which the browser keeps edits that the server has not. Ends with the session.
    pub key: Base64,
}

/// A body without fields.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// `GET /api/seats/{seat}`.
pub(crate) async fn who_am_i(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    let reads_only = seated.reads_only();
    let Seated { session: _, seat, visit } = seated;
    let Seat { id, person, role, .. } = seat;
    let Visit { id: visit, kind, record: _, ended } = visit;
    let name = person::person(&app.store, &app.vault, person)
        .await?
        .map(|person| person.name)
        .unwrap_or_default();
    reply(&SeatHome {
        seat: id,
        role,
        name,
        visit,
        kind,
        practice: app.config.practice.name.clone(),
        phone: app.config.practice.phone.clone(),
        over: ended.is_some(),
        waits: kind.entry(role) == Entry::Waits,
        reads_only,
        booked: telephone::booked_for(&app, visit).await?,
    })
}

/// Whether a seat's visit is over for so long that it reads the plan it was sent, and does nothing else.
pub(crate) fn seat_reads_only(seat: &Seat, visit: &Visit) -> bool {
    let now = now();
    let over = visit.ended.is_some_and(|ended| ended.0.saturating_add(AFTER_VISIT_MS) < now.0);
    over && seat.reads_until.is_some_and(|until| until > now)
}

/// `POST /api/seats/{seat}/join`.
pub(crate) async fn join(
    State(app): State<App>,
    Seated { session, seat, visit }: Seated,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Response, Problem> {
    limit(&app, What::Ticket(seat.id))?;
    if visit.ended.is_some() {
        let phone = Some(app.config.practice.phone.clone());
        return Err(Problem { phone, ..Problem::new(ProblemCode::VisitOver) });
    }
    let ticket = Ticket { seat: seat.id, session: session.hash };
    let ticket = Phi::new(app.tickets.make(now(), ticket)?);
    reply(&JoinReply { ws_path: WS_PATH.to_owned(), ticket })
}

/// `GET /api/seats/{seat}/key`.
pub(crate) async fn key(
    State(app): State<App>,
    Seated { session, .. }: Seated,
) -> Result<Response, Problem> {
    let key = link::queue_key(&app.store, &app.vault, &session).await?;
    reply(&QueueKey { key: Base64(key) })
}

/// `POST /api/seats/{seat}/leave-session`: signs out; the key of the browser's queue is gone with it.
pub(crate) async fn leave_session(
    State(app): State<App>,
    Seated { session, seat, visit: _ }: Seated,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Response, Problem> {
    link::end_session(&app.store, &session.hash).await?;
    app.calls.session_over(seat.visit, seat.id).await;
    let name = cookie_name(seat.id);
    let value = format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}
