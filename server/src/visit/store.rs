//! Visits and seats at rest.

use clinical::actor::{Millis, Role};
use clinical::id::{PersonId, RecordId, SeatId, VisitId};
use signaling::call::Telephone;
use signaling::visit::VisitKind;
use uuid::Uuid;

use super::sql;
use crate::audit::role_name;
use crate::outbox;
use crate::record::writer::Statement;
use crate::store::{Store, StoreError, now};

/// A visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Its id.
    pub id: VisitId,
    /// Its kind.
    pub kind: VisitKind,
    /// The record beside the call.
    pub record: Option<RecordId>,
    /// When it ended.
    pub ended: Option<Millis>,
}

/// A seat of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Its id.
    pub id: SeatId,
    /// The visit.
    pub visit: VisitId,
    /// Who sits there.
    pub person: PersonId,
    /// In which role.
    pub role: Role,
    /// Whether it had been let in when that was last written.
    pub admitted: bool,
    /// Whether it has ever been let in.
    pub was_admitted: bool,
    /// Whether its link was taken back.
    pub revoked: bool,
    /// Until when it reads the plan after its visit: it was sent a link to it.
    pub reads_until: Option<Millis>,
}

type VisitRow = (String, String, Option<String>, Option<i64>);
type SeatRow = (String, String, String, String, i64, Option<i64>, Option<i64>);

fn visit((id, kind, record, ended): VisitRow) -> Result<Visit, StoreError> {
    Ok(Visit {
        id: id.parse().map_err(|_wrong| StoreError::Row)?,
        kind: kind_of(&kind).ok_or(StoreError::Row)?,
        record: record.map(|id| id.parse()).transpose().map_err(|_wrong| StoreError::Row)?,
        ended: ended.map(Millis),
    })
}

fn seat(row: SeatRow) -> Result<Seat, StoreError> {
    let (id, visit, person, role, admitted, revoked, reads_until) = row;
    Ok(Seat {
        id: id.parse().map_err(|_wrong| StoreError::Row)?,
        visit: visit.parse().map_err(|_wrong| StoreError::Row)?,
        person: person.parse().map_err(|_wrong| StoreError::Row)?,
        role: Role::ALL
            .into_iter()
            .find(|known| role_name(*known) == role)
            .ok_or(StoreError::Row)?,
        admitted: admitted == 1,
        was_admitted: admitted != 0,
        revoked: revoked.is_some(),
        reads_until: reads_until.map(Millis),
    })
}

const fn kind_name(kind: VisitKind) -> &'static str {
    match kind {
        VisitKind::InitialConsult => "initial_consult",
        VisitKind::FollowUp => "follow_up",
        VisitKind::Huddle => "huddle",
        VisitKind::Echo => "echo",
        VisitKind::Curbside => "curbside",
    }
}

fn kind_of(name: &str) -> Option<VisitKind> {
    VisitKind::ALL.into_iter().find(|kind| kind_name(*kind) == name)
}

/// The row of a new visit.
pub(super) fn visit_statement(
    id: VisitId,
    kind: VisitKind,
    record: Option<RecordId>,
    now: Millis,
) -> Statement {
    Statement::new(sql::ADD_VISIT)
        .text(id.to_string())
        .text(kind_name(kind))
        .text_or_null(record.map(|record| record.to_string()))
        .int(now.0)
}

/// The row of a new seat.
pub(super) fn seat_statement(
    id: SeatId,
    visit: VisitId,
    person: PersonId,
    role: Role,
    now: Millis,
) -> Statement {
    Statement::new(sql::ADD_SEAT)
        .text(id.to_string())
        .text(visit.to_string())
        .text(person.to_string())
        .text(role_name(role))
        .int(now.0)
}

/// A seat reads the plan after its visit too, until then.
pub(crate) fn reads_statement(seat: SeatId, until: Millis) -> Statement {
    Statement::new(sql::READS).text(seat.to_string()).int(until.0)
}

/// It is over.
pub(super) fn end_statement(visit: VisitId, now: Millis) -> Statement {
    Statement::new(sql::END_VISIT).text(visit.to_string()).int(now.0)
}

pub(super) async fn add_visit(
    store: &Store,
    kind: VisitKind,
    record: Option<RecordId>,
) -> Result<Visit, StoreError> {
    let id = VisitId(Uuid::now_v7());
    let mut write = store.write().await?;
    visit_statement(id, kind, record, now()).execute(&mut write).await?;
    write.commit().await?;
    Ok(Visit { id, kind, record, ended: None })
}

pub(super) async fn add_seat(
    store: &Store,
    visit: VisitId,
    person: PersonId,
    role: Role,
) -> Result<Seat, StoreError> {
    let id = SeatId(Uuid::now_v7());
    let mut write = store.write().await?;
    seat_statement(id, visit, person, role, now()).execute(&mut write).await?;
    write.commit().await?;
    let (admitted, was_admitted, revoked, reads_until) = (false, false, false, None);
    Ok(Seat { id, visit, person, role, admitted, was_admitted, revoked, reads_until })
}

/// The visit, if there is one.
///
/// # Errors
/// It does not read.
pub async fn find_visit(store: &Store, id: VisitId) -> Result<Option<Visit>, StoreError> {
    let row: Option<VisitRow> =
        sqlx::query_as(sql::VISIT).bind(id.to_string()).fetch_optional(store.read()).await?;
    row.map(visit).transpose()
}

/// The visit made last. Those that were booked for another day have their links from whoever booked them.
///
/// # Errors
/// It does not read.
pub async fn newest_visit(store: &Store) -> Result<Option<Visit>, StoreError> {
    let row: Option<VisitRow> =
        sqlx::query_as(sql::NEWEST_VISIT).fetch_optional(store.read()).await?;
    row.map(visit).transpose()
}

/// The seat, if there is one.
///
/// # Errors
/// It does not read.
pub async fn find_seat(store: &Store, id: SeatId) -> Result<Option<Seat>, StoreError> {
    let row: Option<SeatRow> =
        sqlx::query_as(sql::SEAT).bind(id.to_string()).fetch_optional(store.read()).await?;
    row.map(seat).transpose()
}

/// The seats of a visit, oldest first.
///
/// # Errors
/// They do not read.
pub async fn seats(store: &Store, visit: VisitId) -> Result<Vec<Seat>, StoreError> {
    let rows: Vec<SeatRow> =
        sqlx::query_as(sql::SEATS).bind(visit.to_string()).fetch_all(store.read()).await?;
    rows.into_iter().map(seat).collect()
}

/// Writes down whether a seat has been let in.
///
/// # Errors
/// It cannot be written.
pub async fn set_admitted(store: &Store, seat: SeatId, admitted: bool) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    let statement = if admitted { sql::ADMIT } else { sql::PUT_OUT };
    sqlx::query(statement).bind(seat.to_string()).execute(&mut *write).await?;
    write.commit().await?;
    Ok(())
}

/// The visit is over: nobody joins any more.
///
/// # Errors
/// It cannot be written.
pub async fn end_visit(store: &Store, visit: VisitId) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    end_statement(visit, now()).execute(&mut write).await?;
    // Nobody is reminded of what was held before its hour.
    outbox::withdraw(&format!("visit:{visit}"), now()).execute(&mut write).await?;
    sqlx::query(sql::CLEAR_ADMITTED).bind(visit.to_string()).execute(&mut *write).await?;
    write.commit().await?;
    Ok(())
}

/// A call that everybody left is over: who comes back waits again.
///
/// # Errors
/// It cannot be written.
pub async fn clear_admitted(store: &Store, visit: VisitId) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    sqlx::query(sql::CLEAR_ADMITTED).bind(visit.to_string()).execute(&mut *write).await?;
    set_telephone(visit, None).execute(&mut write).await?;
    write.commit().await?;
    Ok(())
}

/// Whether the visit goes on by telephone, and how.
pub(crate) fn set_telephone(visit: VisitId, telephone: Option<Telephone>) -> Statement {
    let (since, by) = telephone.map(|Telephone { since, by }| (since.0, by.to_string())).unzip();
    Statement::new(sql::SET_TELEPHONE).text(visit.to_string()).int_or_null(since).text_or_null(by)
}

/// How the visit goes on by telephone, as far as was written down.
pub(crate) async fn telephone(
    store: &Store,
    visit: VisitId,
) -> Result<Option<Telephone>, StoreError> {
    let row: Option<(Option<i64>, Option<String>)> =
        sqlx::query_as(sql::TELEPHONE).bind(visit.to_string()).fetch_optional(store.read()).await?;
    let Some((Some(since), Some(by))) = row else { return Ok(None) };
    let by = by.parse().map_err(|_wrong| StoreError::Row)?;
    Ok(Some(Telephone { since: Millis(since), by }))
}

pub(super) async fn revoke_seat(store: &Store, seat: SeatId) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    sqlx::query(sql::REVOKE_SEAT).bind(seat.to_string()).bind(now().0).execute(&mut *write).await?;
    write.commit().await?;
    Ok(())
}
