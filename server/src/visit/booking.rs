//! The next visit, booked in this one: a touchpoint of the plan becomes a visit with its seats, links and an invitation
//! for calendars. It can be moved to another hour, and cancelled. What the touchpoint says of it is stored with it, in
//! one transaction: of two people who book one touchpoint at once, the plan takes the first.

mod hour;
mod invitation;
pub mod mail;
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
use clinical::touchpoint::{Step, TouchpointFormat};
use serde::{Deserialize, Serialize};
use signaling::role;
use uuid::Uuid;

use super::takeaway::{language_of, load};
use super::touchpoint::{Row, plan_of};
use crate::audit::{Entry, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, Json, reply};
use crate::outbox::{MailTrouble, Sent};
use crate::record::writer::Work;
use crate::record::{self, Loaded};
use crate::store::{StoreError, now};
use crate::{link, patient, person};
use hour::Hour;
use mail::{MailTo, Mails, Reach, Reaches};
use store::Booked;

/// Visits that may be booked in one. More than a plan has touchpoints; a browser that books for ever stops there.
const MOST: usize = 20;

/// How often one visit may be moved. A browser that moves it for ever stops there.
const MOVES: i64 = 50;

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
    /// Where those who come get mail, of whom this seat may say it. What is not named stays as it is known.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub mail: Option<Vec<MailTo>>,
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
    /// Whether it was cancelled: then nobody has a link.
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
    /// Their seat there.
    pub seat: SeatId,
    /// In which role.
    pub role: Role,
    /// Who.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
    /// Path on this origin, with the secret in its fragment. A link is a power: of staff only the asker's own is shown,
    /// or whoever books could come in as somebody else; of a visit that was booked elsewhere and has no seat of theirs,
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "string"))]
    pub path: Option<Phi<String>>,
    /// How they get mail, where this seat hands links on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub mail: Option<Reach>,
    /// What became of the last mail to them about this visit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub sent: Option<Sent>,
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
    /// How they get mail, where it is set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub mail: Option<Reach>,
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
    /// Whether mails are sent. Without it everybody is handed their link by staff.
    pub mails: bool,
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
    Json(Book { starts, zone, minutes, format, seats, touchpoint, seen, mail }): Json<Book>,
) -> Result<Response, Problem> {
    let (record, docs) = allow(&app, &seated, "visit.booked").await?;
    let bad = || Problem::new(ProblemCode::BadRequest);
    let now = now();
    let format = format.unwrap_or(TouchpointFormat::Video);
    if format == TouchpointFormat::Message {
        return Err(bad());
    }
    let hour = Hour::read(&app, &starts, zone, minutes, now).ok_or_else(bad)?;
    if is_full(&store::booked(&app.store, record).await?, seated.visit.id) {
        return Err(bad());
    }
    let mut people = making::people(&app, &seated, seats.as_deref()).await?.ok_or_else(bad)?;
    let (mut first, mut audit) =
        mail::addresses(&app, &seated, &mut people, &mail.unwrap_or_default()).await?;
    let visit = VisitId(Uuid::now_v7());
    let booked = hour.booked(visit, seated.visit.id, format, touchpoint, now);
    first.extend(making::statements(&booked, record, &people, now));
    let mails = Mails::of(&app, record, &docs, now).await?;
    if let Some(mails) = &mails {
        first.extend(mails.invited(&booked, &people)?);
    }
    let patient = whom(&app, &seated).await?;
    audit.push(entry(&seated, patient, "visit.booked", Some(visit)));
    let mut work = Work { first, audit, ..Work::default() };
    let Some(row) = touchpoint else {
        app.writer.store(work).await.committed()?;
        return answer(&app, &seated, record, Some(visit)).await;
    };
    let row = Row::find(&app, plan_of(&docs)?, row).await?;
    // Nobody comes to the one that was missed any more.
    let missed = row.missed(seated.visit.id);
    if let Some(missed) = missed {
        may_end(&app, &seated, missed).await?;
        work.first.extend([store::cancel(missed, now), super::store::end_statement(missed, now)]);
        if let Some(mails) = &mails {
            work.first.extend(mails.cancelled(missed, None).await?);
        }
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
    let all = store::booked(&app.store, record).await?;
    let here = seated.visit.id;
    let old = all.iter().find(|one| one.visit == visit).cloned();
    let old = old.ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
    let now = now();
    let bad = || Problem::new(ProblemCode::BadRequest);
    let hour = Hour::read(&app, &starts, zone, minutes, now).ok_or_else(bad)?;
    // A visit is not moved away from under who sits in it.
    if visit == here || old.sequence >= MOVES {
        return Err(bad());
    }
    // What is moved here counts as booked here.
    if old.booked_in != here && is_full(&all, here) {
        return Err(bad());
    }
    // What was cancelled, or took place, is booked anew.
    if old.cancelled || super::time::held(&app.store, visit, old.starts).await?.is_some() {
        return Err(Problem::new(ProblemCode::ChangedMeanwhile));
    }
    may_end(&app, &seated, visit).await?;
    let people = making::people_of(&app, visit).await?;
    let next = VisitId(Uuid::now_v7());
    let booked = Booked {
        uid: old.uid,
        sequence: old.sequence.saturating_add(1),
        ..hour.booked(next, here, old.format, old.touchpoint, now)
    };
    let mut first = making::statements(&booked, record, &people, now);
    let replace = store::replace(visit, next);
    if let Some(mails) = Mails::of(&app, record, &docs, now).await? {
        first.extend(mails.cancelled(visit, None).await?);
        first.extend(mails.invited(&booked, &people)?);
    }
    // The plan says which visit is booked for a touchpoint; without one, this row does.
    first.push(if old.touchpoint.is_none() { replace.one_row() } else { replace });
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
        // What took place is not cancelled.
        if super::time::held(&app.store, visit, booked.starts).await?.is_some() {
            return Err(Problem::new(ProblemCode::ChangedMeanwhile));
        }
        may_end(&app, &seated, visit).await?;
        let now = now();
        let patient = whom(&app, &seated).await?;
        let row = match booked.touchpoint {
            Some(row) => Row::waiting_for(&app, plan_of(&docs)?, row, visit).await?,
            None => None,
        };
        let cancel = store::cancel(visit, now);
        // Of two who cancel or move it at once, the plan refuses the second; without a row of it, this one.
        let cancel = if row.is_none() { cancel.one_row() } else { cancel };
        let mut first = vec![cancel, super::store::end_statement(visit, now)];
        if let Some(mails) = Mails::of(&app, record, &docs, now).await? {
            first.extend(mails.cancelled(visit, Some(&booked)).await?);
        }
        let audit = vec![entry(&seated, patient, "visit.cancelled", Some(visit))];
        let work = Work { first, audit, ..Work::default() };
        match row {
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

/// Whether this person may end another visit of the record. One that people are in is ended by whom its calls obey, and
/// by nobody else from outside. Who waits to be let in, or left, is not in it.
///
/// # Errors
/// `VisitRunning`.
pub(super) async fn may_end(app: &App, seated: &Seated, visit: VisitId) -> Result<(), Problem> {
    if !role::may_end(seated.seat.role) && app.calls.is_anybody_in(visit).await {
        return Err(Problem::new(ProblemCode::VisitRunning));
    }
    Ok(())
}

/// Whether no more visits are booked in this one.
fn is_full(booked: &[Booked], here: VisitId) -> bool {
    booked.iter().filter(|one| one.booked_in == here).count() >= MOST
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
    let parties = invitation::Parties::nameless(&origin, &booked);
    let file = invitation::write(&booked, &app.config.practice, &parties, language)
        .ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
    let method = if booked.cancelled { "CANCEL" } else { "REQUEST" };
    let kind = format!("text/calendar; charset=utf-8; method={method}");
    let named = "attachment; filename=\"visit.ics\"".to_owned();
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, named)], file).into_response())
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
    let docs = load(app, record).await?;
    let waited_for = super::touchpoint::waited_for(plan_of(&docs)?);
    let reaches = Reaches::of(app, record).await?;
    if let (Some(outbox), Some(_)) = (&app.outbox, made) {
        outbox.wake();
    }
    let mut bookings = Vec::new();
    for booked in store::booked(&app.store, record).await? {
        let to_come = !booked.cancelled && booked.starts.0 >= shown_from;
        let waited_for = !booked.cancelled && waited_for.contains(&booked.visit);
        if booked.booked_in != seated.visit.id && !to_come && !waited_for {
            continue;
        }
        let links = links(app, seated, &booked, &docs, reaches.as_ref()).await?;
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
        .map(|making::Comes { seat, role, name, person: _, there: _, reached }| {
            let mail = reaches.as_ref();
            let mail = mail.map(|reaches| reaches.reach(role, &reached));
            Invitable { seat, role, name, mail }
        })
        .collect();
    let mails = reaches.is_some();
    reply(&Bookings { zone: app.config.practice.zone.clone(), made, mails, people, bookings })
}

/// Who is invited, with the links this seat may hand on: of a visit that was booked in this one, or in which this person
/// has a seat.
async fn links(
    app: &App,
    seated: &Seated,
    booked: &Booked,
    docs: &[Loaded],
    reaches: Option<&Reaches>,
) -> Result<Vec<BookedLink>, Problem> {
    let mut links = Vec::new();
    let seats = super::seats(&app.store, booked.visit).await?;
    let seats: Vec<_> = seats.into_iter().filter(|seat| !seat.revoked).collect();
    let is_own = |seat: &super::Seat| seat.person == seated.seat.person;
    let hands_on = hands_on(seated, booked, &seats);
    let all_sent = mail::sent(app, booked.visit).await?;
    for seat in seats {
        let person = person::person(&app.store, &app.vault, seat.person).await?;
        let hands = is_own(&seat) || (hands_on && role::hands_on_link(seat.role));
        let path = if hands && !booked.cancelled {
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
        let reach = match reaches.filter(|_| hands_on) {
            Some(reaches) => {
                let known = person::reached(&app.store, &app.vault, seat.person).await?;
                Some(reaches.reach(seat.role, &known))
            }
            None => None,
        };
        let sent = if reach.is_some() && mail::shut_out(docs, seat.role, seat.person) {
            Some(Sent::Failed { why: MailTrouble::ShutOut, code: None })
        } else {
            all_sent.iter().find(|(person, _)| *person == seat.person).map(|(_, sent)| *sent)
        };
        links.push(BookedLink { seat: seat.id, role: seat.role, name, path, mail: reach, sent });
    }
    Ok(links)
}

/// Whether this seat hands on the links of a visit: it was booked here, or is theirs too.
fn hands_on(seated: &Seated, booked: &Booked, seats: &[super::Seat]) -> bool {
    let is_own = |seat: &super::Seat| seat.person == seated.seat.person;
    booked.booked_in == seated.visit.id || seats.iter().any(is_own)
}
