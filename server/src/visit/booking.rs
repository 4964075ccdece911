//! The next visit, booked in this one: a touchpoint of the plan becomes a visit with its seats, links and an invitation
//! for calendars. It can be moved to another hour, and cancelled. What the touchpoint says of it is stored with it, in
//! one transaction: of two people who book one touchpoint at once, the plan takes the first.

mod invitation;
mod making;
mod sql;
pub(super) mod store;

pub(crate) use sql::ALL;

use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use clinical::actor::{Millis, Role};
use clinical::id::{PatientId, RecordId, RowId, SeatId, VisitId};
use clinical::phi::Phi;
use clinical::touchpoint::{LocalHour, Step, TouchpointFormat, TouchpointStep};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use signaling::role;
use uuid::Uuid;

use super::takeaway::{language_of, load};
use super::touchpoint::{Row, plan_of};
use crate::audit::{Entry, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, Json, reply};
use crate::record::writer::Work;
use crate::record::{self, Loaded};
use crate::store::{StoreError, now};
use crate::{link, patient, person};
use store::Booked;

/// Visits that may be booked in one. More than a plan has touchpoints; a browser that books for ever stops there.
const MOST: usize = 20;

/// How often one visit may be moved. A browser that moves it for ever stops there.
const MOVES: i64 = 50;

/// How far ahead, in milliseconds: two years.
const AHEAD_MS: i64 = 2 * 366 * 24 * 60 * 60 * 1_000;

/// So long after its hour a visit booked elsewhere is still shown, in milliseconds: a day.
const SHOWN_MS: i64 = 24 * 60 * 60 * 1_000;

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
    /// By which way; without it by video. No visit is booked for a message.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub format: Option<TouchpointFormat>,
    /// Seats of this visit whose people come; without it everybody's.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub seats: Option<Vec<SeatId>>,
    /// The touchpoint it fulfils: a row of the plan. Without it the visit is for none.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub touchpoint: Option<RowId>,
    /// The `seq` of the plan that was looked at; without it, the plan as it is.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional, type = "number"))]
    pub seen: Option<u64>,
}

/// Body of `POST /api/seats/{seat}/bookings/{visit}`: another hour for the same people, in the same way.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct MoveBooking {
    /// As of [`Book`].
    pub starts: String,
    /// As of [`Book`].
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub zone: Option<String>,
    /// As of [`Book`].
    pub minutes: u16,
    /// Why; kept with the touchpoint.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub note: Phi<String>,
    /// As of [`Book`].
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional, type = "number"))]
    pub seen: Option<u64>,
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
    pub minutes: u16,
    /// Zone in which the hour was agreed.
    pub zone: String,
    /// By which way.
    pub format: TouchpointFormat,
    /// The touchpoint it fulfils.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub touchpoint: Option<RowId>,
    /// Whether it was moved to this hour: who has the invitation of the hour before needs the new one.
    pub moved: bool,
    /// Whether it was cancelled: then it has no links.
    pub cancelled: bool,
    /// Whether it is this visit, which is neither moved nor cancelled from within.
    pub here: bool,
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

/// Somebody of this visit who may be invited to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Invitable {
    /// Their seat in this visit.
    pub seat: SeatId,
    /// In which role.
    pub role: Role,
    /// Who.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
}

/// Reply of `GET`, `POST` and `DELETE`: what was booked in this visit, and what is to come of this record, by time.
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
    /// Whom the next visit may be booked with.
    pub people: Vec<Invitable>,
    /// By time.
    pub bookings: Vec<Booking>,
}

/// `GET /api/seats/{seat}/bookings`.
pub(crate) async fn list(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    let (record, _docs) = allow(&app, &seated, "visit.bookings_read").await?;
    let patient = whom(&app, &seated).await?;
    // Written first: links are shown with it.
    app.writer.audit(vec![entry(&seated, patient, "visit.bookings_read", None)]).await?;
    answer(&app, &seated, record, None).await
}

/// `POST /api/seats/{seat}/bookings`: a follow-up with people of this visit.
pub(crate) async fn book(
    State(app): State<App>,
    seated: Seated,
    Json(Book { starts, zone, minutes, format, seats, touchpoint, seen }): Json<Book>,
) -> Result<Response, Problem> {
    let (record, docs) = allow(&app, &seated, "visit.booked").await?;
    let bad = || Problem::new(ProblemCode::BadRequest);
    let now = now();
    let format = format.unwrap_or(TouchpointFormat::Video);
    if format == TouchpointFormat::Message {
        return Err(bad());
    }
    let hour = Hour::read(&app, &starts, zone, minutes, now).ok_or_else(bad)?;
    let before = store::booked(&app.store, record).await?;
    if before.iter().filter(|one| one.booked_in == seated.visit.id).count() >= MOST {
        return Err(bad());
    }
    let people = making::people(&app, &seated, seats.as_deref()).await?.ok_or_else(bad)?;
    let visit = VisitId(Uuid::now_v7());
    let booked = hour.booked(visit, seated.visit.id, format, touchpoint, now);
    let first = making::statements(&booked, record, &people, now);
    let patient = whom(&app, &seated).await?;
    let audit = vec![entry(&seated, patient, "visit.booked", Some(visit))];
    let mut work = Work { first, audit, ..Work::default() };
    let Some(row) = touchpoint else {
        app.writer.store(work).await.committed()?;
        return answer(&app, &seated, record, Some(visit)).await;
    };
    let row = Row::find(&app, plan_of(&docs)?, row).await?;
    // Nobody comes to the one that was missed any more.
    let missed = row.missed(seated.visit.id);
    if let Some(missed) = missed {
        work.first.extend([store::cancel(missed, now), super::store::end_statement(missed, now)]);
    }
    let time = hour.time(visit, format, making::expected(&people));
    let step = Step::Book(time);
    row.step(&app, &seated, record, step, seen, work).await?;
    if let Some(missed) = missed {
        app.calls.end(missed).await;
    }
    answer(&app, &seated, record, Some(visit)).await
}

/// `POST /api/seats/{seat}/bookings/{visit}`: another hour. The old links end, the people get new ones, and the
/// invitation of before is brought up to date (RFC 5546 section 3.2.2.1).
pub(crate) async fn reschedule(
    State(app): State<App>,
    seated: Seated,
    Path((_seat, visit)): Path<(SeatId, VisitId)>,
    Json(MoveBooking { starts, zone, minutes, note, seen }): Json<MoveBooking>,
) -> Result<Response, Problem> {
    let (record, docs) = allow(&app, &seated, "visit.moved").await?;
    let old = find(&app, record, visit).await?;
    let now = now();
    let bad = || Problem::new(ProblemCode::BadRequest);
    let hour = Hour::read(&app, &starts, zone, minutes, now).ok_or_else(bad)?;
    // A visit is not moved away from under who sits in it.
    if visit == seated.visit.id || old.sequence >= MOVES {
        return Err(bad());
    }
    // What was cancelled, or took place, is booked anew.
    if old.cancelled || super::time::held(&app.store, visit).await?.is_some() {
        return Err(Problem::new(ProblemCode::ChangedMeanwhile));
    }
    let people = making::people_of(&app, visit).await?;
    let next = VisitId(Uuid::now_v7());
    let booked = Booked {
        uid: old.uid,
        sequence: old.sequence.saturating_add(1),
        ..hour.booked(next, seated.visit.id, old.format, old.touchpoint, now)
    };
    let mut first = making::statements(&booked, record, &people, now);
    first.push(store::replace(visit, next));
    first.push(super::store::end_statement(visit, now));
    let patient = whom(&app, &seated).await?;
    let audit = vec![entry(&seated, patient, "visit.moved", Some(next))];
    let work = Work { first, audit, ..Work::default() };
    match old.touchpoint {
        Some(row) => {
            let row = Row::find(&app, plan_of(&docs)?, row).await?;
            let to = hour.time(next, old.format, making::expected(&people));
            let step = Step::Move { from: visit, to, note: note.into_exposed() };
            row.step(&app, &seated, record, step, seen, work).await?;
        }
        None => app.writer.store(work).await.committed().map_err(second)?,
    }
    app.calls.end(visit).await;
    answer(&app, &seated, record, Some(next)).await
}

/// `DELETE /api/seats/{seat}/bookings/{visit}`: its links are dead at once. The touchpoint it was booked for is planned
/// again.
pub(crate) async fn cancel(
    State(app): State<App>,
    seated: Seated,
    Path((_seat, visit)): Path<(SeatId, VisitId)>,
) -> Result<Response, Problem> {
    let (record, docs) = allow(&app, &seated, "visit.cancelled").await?;
    let booked = find(&app, record, visit).await?;
    if visit == seated.visit.id {
        return Err(Problem::new(ProblemCode::BadRequest));
    }
    if !booked.cancelled {
        let now = now();
        let patient = whom(&app, &seated).await?;
        let first = vec![store::cancel(visit, now), super::store::end_statement(visit, now)];
        let audit = vec![entry(&seated, patient, "visit.cancelled", Some(visit))];
        let work = Work { first, audit, ..Work::default() };
        let row = match booked.touchpoint {
            Some(row) => Row::find_any(&app, plan_of(&docs)?, row).await?,
            None => None,
        };
        match row.filter(|row| row.step_now == TouchpointStep::Booked && row.is_for(visit)) {
            Some(row) => {
                row.step(&app, &seated, record, Step::Unbook { visit }, None, work).await?;
            }
            // The row went another way since: the visit is cancelled all the same.
            None => app.writer.store(work).await.committed().map_err(second)?,
        }
        app.calls.end(visit).await;
    }
    answer(&app, &seated, record, None).await
}

/// Of two who move or cancel one booking at once, the second.
fn second(error: StoreError) -> Problem {
    match error {
        StoreError::Constraint => Problem::new(ProblemCode::ChangedMeanwhile),
        StoreError::Full
        | StoreError::Failed
        | StoreError::Damaged
        | StoreError::Away
        | StoreError::Row
        | StoreError::Statement { .. } => error.into(),
    }
}

/// `GET /api/seats/{seat}/bookings/{visit}/invitation?language=en`: for a calendar; after a cancellation, its withdrawal.
pub(crate) async fn invite(
    State(app): State<App>,
    seated: Seated,
    Path((_seat, visit)): Path<(SeatId, VisitId)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (record, _docs) = allow(&app, &seated, "visit.invitation_read").await?;
    let language = language_of(query.as_deref())?;
    let booked = find(&app, record, visit).await?;
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

/// An hour that was asked for.
struct Hour {
    local: LocalHour,
    zone: String,
    starts: Millis,
    minutes: u16,
}

impl Hour {
    /// `None`: there is no such hour, it is over or too far away, or nobody meets for so long.
    fn read(
        app: &App,
        starts: &str,
        zone: Option<String>,
        minutes: u16,
        now: Millis,
    ) -> Option<Self> {
        let zone = zone.unwrap_or_else(|| app.config.practice.zone.clone());
        let at = instant(starts, &zone)?;
        let in_time = at > now && at.0 <= now.0.saturating_add(AHEAD_MS);
        let local = LocalHour::parse(starts)?;
        (in_time && (5..=240).contains(&minutes)).then_some(Self {
            local,
            zone,
            starts: at,
            minutes,
        })
    }

    /// A first booking at this hour.
    fn booked(
        &self,
        visit: VisitId,
        booked_in: VisitId,
        format: TouchpointFormat,
        touchpoint: Option<RowId>,
        now: Millis,
    ) -> Booked {
        Booked {
            visit,
            booked_in,
            starts: self.starts,
            minutes: self.minutes,
            zone: self.zone.clone(),
            sequence: 0,
            changed: now,
            cancelled: false,
            touchpoint,
            format,
            uid: visit,
        }
    }

    /// The same for the plan.
    fn time(
        &self,
        visit: VisitId,
        format: TouchpointFormat,
        with: Vec<clinical::touchpoint::Expected>,
    ) -> clinical::touchpoint::BookedTime {
        clinical::touchpoint::BookedTime {
            visit,
            starts: self.local.clone(),
            zone: self.zone.clone(),
            starts_ms: self.starts,
            minutes: self.minutes,
            format,
            with,
        }
    }
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

/// Whether the seat books visits: then its record. For everybody else there is nothing here.
async fn allow(
    app: &App,
    seated: &Seated,
    action: &'static str,
) -> Result<(RecordId, Vec<Loaded>), Problem> {
    if let Some(record) = seated.visit.record.filter(|_| role::may_book(seated.seat.role)) {
        // A booking brings the patient's link along: whom the patient shuts out does not get it.
        let docs = load(app, record).await?;
        if !record::hand(&docs, seated.seat.role, seated.seat.person).is_shut_out() {
            return Ok((record, docs));
        }
    }
    let denied = Entry { outcome: Outcome::Denied, ..entry(seated, None, action, None) };
    app.writer.audit(vec![denied]).await?;
    Err(Problem::new(ProblemCode::NotFound))
}

async fn find(app: &App, record: RecordId, visit: VisitId) -> Result<Booked, Problem> {
    let booked = store::booked(&app.store, record).await?;
    let found = booked.into_iter().find(|booked| booked.visit == visit);
    found.ok_or_else(|| Problem::new(ProblemCode::NotFound))
}

pub(super) async fn whom(app: &App, seated: &Seated) -> Result<Option<PatientId>, Problem> {
    let Some(record) = seated.visit.record else { return Ok(None) };
    let found = patient::of_record(&app.store, &app.vault, record).await?;
    Ok(found.map(|(patient, _)| patient))
}

pub(super) fn entry(
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

async fn answer(
    app: &App,
    seated: &Seated,
    record: RecordId,
    made: Option<VisitId>,
) -> Result<Response, Problem> {
    let shown_from = now().0.saturating_sub(SHOWN_MS);
    // What a touchpoint still waits for is shown however long ago its hour was: it is moved from there.
    let waited_for = super::touchpoint::waited_for(plan_of(&load(app, record).await?)?);
    let mut bookings = Vec::new();
    for booked in store::booked(&app.store, record).await? {
        let to_come = !booked.cancelled && booked.starts.0 >= shown_from;
        let waited_for = !booked.cancelled && waited_for.contains(&booked.visit);
        if booked.booked_in != seated.visit.id && !to_come && !waited_for {
            continue;
        }
        let links =
            if booked.cancelled { Vec::new() } else { links(app, seated, booked.visit).await? };
        let Booked {
            visit, starts, minutes, zone, sequence, cancelled, touchpoint, format, ..
        } = booked;
        bookings.push(Booking {
            visit,
            starts_ms: starts,
            minutes,
            zone,
            format,
            touchpoint,
            moved: sequence > 0 && !cancelled,
            cancelled,
            here: visit == seated.visit.id,
            links,
        });
    }
    let people = making::people(app, seated, None).await?.unwrap_or_default();
    let people = people
        .into_iter()
        .map(|making::Comes { seat, role, name, person: _ }| Invitable { seat, role, name })
        .collect();
    reply(&Bookings { zone: app.config.practice.zone.clone(), made, people, bookings })
}

/// Who is invited, with the links this seat may hand on.
async fn links(app: &App, seated: &Seated, visit: VisitId) -> Result<Vec<BookedLink>, Problem> {
    let mut links = Vec::new();
    for seat in super::seats(&app.store, visit).await?.into_iter().filter(|seat| !seat.revoked) {
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
        let name = person.map(|person| person.name).unwrap_or_default();
        links.push(BookedLink { role: seat.role, name, path });
    }
    Ok(links)
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
