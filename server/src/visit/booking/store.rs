//! Booked visits at rest.

use clinical::actor::Millis;
use clinical::id::{RecordId, RowId, VisitId};
use clinical::touchpoint::TouchpointFormat;

use super::super::telephone::BookedFor;
use super::sql;
use crate::record::writer::Statement;
use crate::store::{Store, StoreError};

/// A visit that was booked for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Booked {
    pub(crate) visit: VisitId,
    /// The visit in which it was agreed.
    pub(crate) booked_in: VisitId,
    pub(crate) starts: Millis,
    pub(crate) minutes: u16,
    pub(crate) zone: String,
    pub(crate) sequence: i64,
    /// When it was last changed.
    pub(crate) changed: Millis,
    pub(crate) cancelled: bool,
    /// The row of the plan it was booked for.
    pub(crate) touchpoint: Option<RowId>,
    pub(crate) format: TouchpointFormat,
    /// Of the invitation: the visit it was first booked as.
    pub(crate) uid: VisitId,
}

const FORMATS: [TouchpointFormat; 3] =
    [TouchpointFormat::Video, TouchpointFormat::Phone, TouchpointFormat::InPerson];

const fn format_name(format: TouchpointFormat) -> &'static str {
    match format {
        // No visit is booked for a message.
        TouchpointFormat::Video | TouchpointFormat::Message => "video",
        TouchpointFormat::Phone => "phone",
        TouchpointFormat::InPerson => "in_person",
    }
}

/// The row of a new one.
pub(super) fn book(booked: &Booked) -> Statement {
    let Booked { visit, booked_in, starts, minutes, zone, sequence, changed, .. } = booked;
    Statement::new(sql::BOOK)
        .text(visit.to_string())
        .text(booked_in.to_string())
        .int(starts.0)
        .int(i64::from(*minutes))
        .text(zone)
        .int(*sequence)
        .int(changed.0)
        .text_or_null(booked.touchpoint.map(|row| row.to_string()))
        .text(format_name(booked.format))
        .text(booked.uid.to_string())
}

/// Cancels one.
pub(crate) fn cancel(visit: VisitId, now: Millis) -> Statement {
    Statement::new(sql::CANCEL).text(visit.to_string()).int(now.0)
}

/// Puts another in its place.
pub(super) fn replace(visit: VisitId, by: VisitId) -> Statement {
    Statement::new(sql::REPLACE).text(visit.to_string()).text(by.to_string())
}

type Line = (String, String, i64, i64, String, i64, i64, i64, Option<String>, String, String);

/// What was booked about a record, by time.
pub(crate) async fn booked(store: &Store, record: RecordId) -> Result<Vec<Booked>, StoreError> {
    let rows: Vec<Line> =
        sqlx::query_as(sql::BOOKED).bind(record.to_string()).fetch_all(store.read()).await?;
    rows.into_iter().map(read).collect()
}

/// For when a visit was booked, if it was and that holds.
pub(crate) async fn of_visit(
    store: &Store,
    visit: VisitId,
) -> Result<Option<BookedFor>, StoreError> {
    let row: Option<(i64, i64, String, String)> = sqlx::query_as(sql::BOOKED_FOR)
        .bind(visit.to_string())
        .fetch_optional(store.read())
        .await?;
    let Some((starts, minutes, zone, format)) = row else { return Ok(None) };
    Ok(Some(BookedFor {
        starts_ms: Millis(starts),
        minutes: u16::try_from(minutes).map_err(|_wrong| StoreError::Row)?,
        zone,
        format: format_of(&format)?,
    }))
}

fn format_of(name: &str) -> Result<TouchpointFormat, StoreError> {
    let known = FORMATS.into_iter().find(|one| format_name(*one) == name);
    known.ok_or(StoreError::Row)
}

fn read(line: Line) -> Result<Booked, StoreError> {
    let (visit, booked_in, starts, minutes, zone, sequence, changed, cancelled, row, format, uid) =
        line;
    let id = |text: &str| text.parse::<VisitId>().map_err(|_wrong| StoreError::Row);
    Ok(Booked {
        visit: id(&visit)?,
        booked_in: id(&booked_in)?,
        starts: Millis(starts),
        minutes: u16::try_from(minutes).map_err(|_wrong| StoreError::Row)?,
        zone,
        sequence,
        changed: Millis(changed),
        cancelled: cancelled != 0,
        touchpoint: row.map(|row| row.parse()).transpose().map_err(|_wrong| StoreError::Row)?,
        format: format_of(&format)?,
        uid: id(&uid)?,
    })
}
