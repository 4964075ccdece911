//! The next visit, booked in this one: a touchpoint of the plan becomes a visit with its seats, links and an invitation
//! for calendars.

mod invitation;
mod sql;
mod store;

pub(crate) use sql::ALL;

use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use clinical::actor::{Millis, Role};
use clinical::id::{PatientId, SeatId, VisitId};
use clinical::phi::Phi;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use signaling::role;
use signaling::visit::{Entry as Way, VisitKind};
use uuid::Uuid;

use super::takeaway::{language_of, load};
use crate::audit::{Entry, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, Json, reply};
use crate::record::writer::Work;
use crate::store::now;
use crate::{link, patient, person, record};
use store::Booked;

/// Visits that may be booked in one. More than a plan has touchpoints; a browser that books for ever stops there.
const MOST: usize = 20;

/// How far ahead, in milliseconds: two years.
const AHEAD_MS: i64 = 2 * 366 * 24 * 60 * 60 * 1_000;

/// Body of `POST /api/seats/{seat}/bookings`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// Day and hour where `zone` is, as "2026-03-10T10:00".
    pub starts: String,
    /// IANA time zone; without it the practice's.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub zone: Option<String>,
    /// Length in minutes, 5 to 240.
    pub minutes: u16,
}

/// A booked visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Booking {
    /// The visit.
    pub visit: VisitId,
    /// When it begins.
    pub starts_ms: Millis,
    /// Length in minutes.
    pub minutes: i64,
    /// Zone in which the hour was agreed.
    pub zone: String,
    /// Whether it was cancelled: then it has no links.
    pub cancelled: bool,
    /// Who is invited, with the path of the links that may be handed on.
    pub links: Vec<BookedLink>,
}

/// A link into a booked visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct BookedLink {
    /// In which role.
    pub role: Role,
    /// Who.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
    /// Path on this origin, with the secret in its fragment. A link is a power: of staff only the asker's own is shown,
    /// or whoever books could come in as somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "string"))]
    pub path: Option<Phi<String>>,
}

/// Reply of `GET`, `POST` and `DELETE`: everything booked in this visit, by time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Bookings {
    /// The practice's zone.
    pub zone: String,
    /// The one that was just booked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub made: Option<VisitId>,
    /// By time.
    pub bookings: Vec<Booking>,
}

/// `GET /api/seats/{seat}/bookings`.
pub(crate) async fn list(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    allow(&app, &seated, "visit.bookings_read").await?;
    let patient = whom(&app, &seated).await?;
    // Written first: links are shown with it.
    app.writer.audit(vec![entry(&seated, patient, "visit.bookings_read", None)]).await?;
    answer(&app, &seated, None).await
}

/// `POST /api/seats/{seat}/bookings`: a follow-up with the people of this visit.
pub(crate) async fn book(
    State(app): State<App>,
    seated: Seated,
    Json(Book { starts, zone, minutes }): Json<Book>,
) -> Result<Response, Problem> {
    allow(&app, &seated, "visit.booked").await?;
    let now = now();
    let bad = || Problem::new(ProblemCode::BadRequest);
    let zone = zone.unwrap_or_else(|| app.config.practice.zone.clone());
    let starts = instant(&starts, &zone).ok_or_else(bad)?;
    let in_time = starts > now && starts.0 <= now.0.saturating_add(AHEAD_MS);
    if !in_time || !(5..=240).contains(&minutes) {
        return Err(bad());
    }
    if store::booked(&app.store, seated.visit.id).await?.len() >= MOST {
        return Err(bad());
    }
    let visit = VisitId(Uuid::now_v7());
    let kind = VisitKind::FollowUp;
    let booked = Booked {
        visit,
        starts,
        minutes: minutes.into(),
        zone,
        sequence: 0,
        changed: now,
        cancelled: false,
    };
    let mut first = vec![
        super::store::visit_statement(visit, kind, seated.visit.record, now),
        store::book(&booked, seated.visit.id),
    ];
    for seat in super::seats(&app.store, seated.visit.id).await? {
        let comes = match kind.entry(seat.role) {
            Way::Enters | Way::Waits => !seat.revoked,
            Way::Refused => false,
        };
        if comes {
            let id = SeatId(Uuid::now_v7());
            first.push(super::store::seat_statement(id, visit, seat.person, seat.role, now));
        }
    }
    let patient = whom(&app, &seated).await?;
    let audit = vec![entry(&seated, patient, "visit.booked", Some(visit))];
    app.writer.store(Work { first, audit, ..Work::default() }).await.committed()?;
    answer(&app, &seated, Some(visit)).await
}

/// `DELETE /api/seats/{seat}/bookings/{visit}`: its links are dead at once.
pub(crate) async fn cancel(
    State(app): State<App>,
    seated: Seated,
    Path((_seat, visit)): Path<(SeatId, VisitId)>,
) -> Result<Response, Problem> {
    allow(&app, &seated, "visit.cancelled").await?;
    let booked = find(&app, &seated, visit).await?;
    if !booked.cancelled {
        let now = now();
        let patient = whom(&app, &seated).await?;
        let first = vec![store::cancel(visit, now), super::store::end_statement(visit, now)];
        let audit = vec![entry(&seated, patient, "visit.cancelled", Some(visit))];
        app.writer.store(Work { first, audit, ..Work::default() }).await.committed()?;
        app.calls.end(visit).await;
    }
    answer(&app, &seated, None).await
}

/// `GET /api/seats/{seat}/bookings/{visit}/invitation?language=en`: for a calendar; after a cancellation, its withdrawal.
pub(crate) async fn invite(
    State(app): State<App>,
    seated: Seated,
    Path((_seat, visit)): Path<(SeatId, VisitId)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    allow(&app, &seated, "visit.invitation_read").await?;
    let language = language_of(query.as_deref())?;
    let booked = find(&app, &seated, visit).await?;
    let scheme = app.config.tls.scheme();
    let origin = app.config.origins.first().cloned();
    let origin = origin.unwrap_or_else(|| format!("{scheme}://localhost"));
    let file = invitation::write(&booked, &app.config.practice, &origin, language)
        .ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
    let method = if booked.cancelled { "CANCEL" } else { "REQUEST" };
    let kind = format!("text/calendar; charset=utf-8; method={method}");
    let named = "attachment; filename=\"visit.ics\"".to_owned();
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, named)], file).into_response())
}

/// The instant of an hour where the zone is. An hour that does not exist there, or exists twice, is none.
fn instant(starts: &str, zone: &str) -> Option<Millis> {
    let zone = TimeZone::get(zone).ok()?;
    // Whole minutes, without an offset of its own.
    let starts: DateTime =
        (starts.len() == "2026-03-10T10:00".len()).then(|| starts.parse().ok())??;
    let starts = zone.to_ambiguous_timestamp(starts).unambiguous().ok()?;
    Some(Millis(starts.as_millisecond()))
}

/// Whether the seat books visits. For everybody else there is nothing here.
async fn allow(app: &App, seated: &Seated, action: &'static str) -> Result<(), Problem> {
    if let Some(record) = seated.visit.record.filter(|_| role::may_book(seated.seat.role)) {
        // A booking brings the patient's link along: whom the patient shuts out does not get it.
        let docs = load(app, record).await?;
        if !record::hand(&docs, seated.seat.role, seated.seat.person).is_shut_out() {
            return Ok(());
        }
    }
    let denied = Entry { outcome: Outcome::Denied, ..entry(seated, None, action, None) };
    app.writer.audit(vec![denied]).await?;
    Err(Problem::new(ProblemCode::NotFound))
}

async fn find(app: &App, seated: &Seated, visit: VisitId) -> Result<Booked, Problem> {
    let booked = store::booked(&app.store, seated.visit.id).await?;
    let found = booked.into_iter().find(|booked| booked.visit == visit);
    found.ok_or_else(|| Problem::new(ProblemCode::NotFound))
}

async fn whom(app: &App, seated: &Seated) -> Result<Option<PatientId>, Problem> {
    let Some(record) = seated.visit.record else { return Ok(None) };
    let found = patient::of_record(&app.store, &app.vault, record).await?;
    Ok(found.map(|(patient, _)| patient))
}

fn entry(
    seated: &Seated,
    patient: Option<PatientId>,
    action: &'static str,
    booked: Option<VisitId>,
) -> Entry {
    Entry {
        at_ms: now(),
        person: Some(seated.seat.person),
        role: Some(seated.seat.role),
        on_behalf_of: None,
        action,
        outcome: Outcome::Done,
        patient,
        object: format!("visit:{}", booked.unwrap_or(seated.visit.id)),
        visit: Some(seated.visit.id),
        detail: None,
    }
}

async fn answer(app: &App, seated: &Seated, made: Option<VisitId>) -> Result<Response, Problem> {
    let mut bookings = Vec::new();
    for booked in store::booked(&app.store, seated.visit.id).await? {
        let Booked { visit, starts, minutes, zone, sequence: _, changed: _, cancelled } = booked;
        let mut links = Vec::new();
        let seats = if cancelled { Vec::new() } else { super::seats(&app.store, visit).await? };
        for seat in seats.into_iter().filter(|seat| !seat.revoked) {
            let person = person::person(&app.store, &app.vault, seat.person).await?;
            let own = seat.person == seated.seat.person;
            let path = if own || role::hands_on_link(seat.role) {
                let token = link::link_of(&app.store, &app.vault, seat.id).await;
                let token = token.map_err(|error| {
                    tracing::error!(seat.id = %seat.id, %error, "a link cannot be made");
                    Problem::new(ProblemCode::StoreAway)
                })?;
                Some(Phi::new(format!("/j#{}", token.text())))
            } else {
                None
            };
            links.push(BookedLink {
                role: seat.role,
                name: person.map(|person| person.name).unwrap_or_default(),
                path,
            });
        }
        bookings.push(Booking { visit, starts_ms: starts, minutes, zone, cancelled, links });
    }
    reply(&Bookings { zone: app.config.practice.zone.clone(), made, bookings })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_that_of_its_zone_and_one_that_is_not_there_is_none() {
        for (starts, zone, ms) in [
            ("2026-03-10T10:00", "America/New_York", Some(1_773_151_200_000)),
            ("2026-03-10T10:00", "America/Denver", Some(1_773_158_400_000)),
            ("2026-03-10T10:00", "America/Puerto_Rico", Some(1_773_151_200_000)),
            // The clocks go forward over it, or back through it twice.
            ("2026-03-08T02:30", "America/New_York", None),
            ("2026-11-01T01:30", "America/New_York", None),
            ("2026-03-10T10:00", "Nowhere/Atall", None),
            ("2026-03-10T10:00Z", "America/New_York", None),
            ("2026-02-30T10:00", "America/New_York", None),
            ("tomorrow at tenn", "America/New_York", None),
        ] {
            assert_eq!(instant(starts, zone), ms.map(Millis), "{starts} {zone}");
        }
    }
}
