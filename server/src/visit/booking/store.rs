//! Booked visits at rest.

use clinical::actor::Millis;
use clinical::id::VisitId;

use super::sql;
use crate::record::writer::Statement;
use crate::store::{Store, StoreError};

/// A visit that was booked for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Booked {
    pub(super) visit: VisitId,
    pub(super) starts: Millis,
    pub(super) minutes: i64,
    pub(super) zone: String,
    pub(super) sequence: i64,
    /// When it was last changed.
    pub(super) changed: Millis,
    pub(super) cancelled: bool,
}

/// The row of a new one.
pub(super) fn book(booked: &Booked, booked_in: VisitId) -> Statement {
    let Booked { visit, starts, minutes, zone, sequence: _, changed, cancelled: _ } = booked;
    Statement::new(sql::BOOK)
        .text(visit.to_string())
        .text(booked_in.to_string())
        .int(starts.0)
        .int(*minutes)
        .text(zone)
        .int(changed.0)
}

/// Cancels one.
pub(super) fn cancel(visit: VisitId, now: Millis) -> Statement {
    Statement::new(sql::CANCEL).text(visit.to_string()).int(now.0)
}

/// What was booked in a visit, by time.
pub(super) async fn booked(store: &Store, booked_in: VisitId) -> Result<Vec<Booked>, StoreError> {
    let rows: Vec<(String, i64, i64, String, i64, i64, i64)> =
        sqlx::query_as(sql::BOOKED).bind(booked_in.to_string()).fetch_all(store.read()).await?;
    rows.into_iter()
        .map(|(visit, starts, minutes, zone, sequence, changed, cancelled)| {
            Ok(Booked {
                visit: visit.parse().map_err(|_wrong| StoreError::Row)?,
                starts: Millis(starts),
                minutes,
                zone,
                sequence,
                changed: Millis(changed),
                cancelled: cancelled != 0,
            })
        })
        .collect()
}
