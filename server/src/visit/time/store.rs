//! Billing time at rest.

use clinical::actor::Millis;
use clinical::id::{CallId, PersonId, VisitId};
use clinical::time::sheet::SheetCommand;
use clinical::time::{Attendance, Event, Live, Side};

use super::sql;
use crate::record::writer::Statement;
use crate::store::{Store, StoreError};
use crate::vault::{Dek, DekId, Spot, Vault, VaultError};

/// A call of a visit, as far as its time is known.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    /// Whether it ended in order.
    pub(super) over: bool,
    pub(super) attendance: Attendance,
}

/// A call whose time is kept, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) call: CallId,
    pub(crate) visit: VisitId,
    pub(crate) began: Millis,
    /// Until when it is known to have gone on.
    pub(crate) until: Millis,
    /// Whether it ended in order.
    pub(crate) over: bool,
}

const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Pharmacist => "pharmacist",
        Side::Patient => "patient",
    }
}

const fn live_name(live: Live) -> &'static str {
    match live {
        Live::Off => "off",
        Live::Phone => "phone",
        Live::Audio => "audio",
        Live::Video => "video",
    }
}

/// Until when a call is known to have gone on.
pub(crate) fn know(known: &Known) -> Statement {
    let Known { call, visit, began, until, over } = *known;
    Statement::new(sql::KNOW)
        .text(call.to_string())
        .text(visit.to_string())
        .int(began.0)
        .int(until.0)
        .int(i64::from(over))
}

/// An event of a call, by its place in it.
pub(crate) fn add_event(call: CallId, n: i64, event: &Event) -> Statement {
    let Event { at, seat, side, live } = *event;
    Statement::new(sql::ADD_EVENT)
        .text(call.to_string())
        .int(n)
        .text(seat.to_string())
        .text(side_name(side))
        .text(live_name(live))
        .int(at.0)
}

/// The calls of a visit with all that happened in them.
pub(super) async fn calls(store: &Store, visit: VisitId) -> Result<Vec<Call>, StoreError> {
    let rows: Vec<(String, i64, i64)> =
        sqlx::query_as(sql::CALLS).bind(visit.to_string()).fetch_all(store.read()).await?;
    let mut calls = Vec::with_capacity(rows.len());
    for (id, known_ms, over) in rows {
        let events: Vec<(String, String, String, i64)> =
            sqlx::query_as(sql::EVENTS).bind(&id).fetch_all(store.read()).await?;
        let events = events.into_iter().map(event).collect::<Result<_, _>>()?;
        calls.push(Call {
            id: id.parse().map_err(|_wrong| StoreError::Row)?,
            over: over != 0,
            attendance: Attendance { events, until: Millis(known_ms) },
        });
    }
    Ok(calls)
}

/// Until when any call of a visit is known to have gone on.
pub(crate) async fn known_until(
    store: &Store,
    visit: VisitId,
) -> Result<Option<Millis>, StoreError> {
    let row: Option<(i64,)> =
        sqlx::query_as(sql::KNOWN).bind(visit.to_string()).fetch_optional(store.read()).await?;
    Ok(row.map(|(known,)| Millis(known)))
}

fn event((seat, side, live, at): (String, String, String, i64)) -> Result<Event, StoreError> {
    let sides = [Side::Pharmacist, Side::Patient];
    Ok(Event {
        at: Millis(at),
        seat: seat.parse().map_err(|_wrong| StoreError::Row)?,
        side: sides.into_iter().find(|one| side_name(*one) == side).ok_or(StoreError::Row)?,
        live: Live::ALL.into_iter().find(|one| live_name(*one) == live).ok_or(StoreError::Row)?,
    })
}

/// Something said to a sheet, as it is kept.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) by: PersonId,
    pub(super) at: Millis,
    pub(super) what: SheetCommand,
}

const fn spot(id: &str) -> Spot<'_> {
    Spot { table: "sheet_entry", row: id, seq: 0, column: "body" }
}

/// A row of the sheet, sealed.
pub(super) fn say(
    dek: &Dek,
    id: &str,
    visit: VisitId,
    entry: &Entry,
) -> Result<Statement, VaultError> {
    let Entry { by, at, what } = entry;
    let body = serde_json::to_vec(what).map_err(|_wrong| VaultError::Broken)?;
    Ok(Statement::new(sql::SAY)
        .text(id)
        .text(visit.to_string())
        .text(by.to_string())
        .int(at.0)
        .text(dek.id().0.to_string())
        .bytes(dek.seal(spot(id), &body)?))
}

/// Everything said to the sheet of a visit, in order.
pub(super) async fn said(
    store: &Store,
    vault: &Vault,
    visit: VisitId,
) -> Result<Vec<Entry>, VaultError> {
    let rows: Vec<(String, String, i64, String, Vec<u8>)> = sqlx::query_as(sql::SAID)
        .bind(visit.to_string())
        .fetch_all(store.read())
        .await
        .map_err(StoreError::from)?;
    let mut said = Vec::with_capacity(rows.len());
    for (id, by, at, dek, body) in rows {
        let dek = dek.parse().map(DekId).map_err(|_wrong| VaultError::Broken)?;
        let body = vault.key_by_id(store, dek).await?.open(spot(&id), &body)?;
        said.push(Entry {
            by: by.parse().map_err(|_wrong| StoreError::Row)?,
            at: Millis(at),
            what: serde_json::from_slice(&body).map_err(|_wrong| VaultError::Broken)?,
        });
    }
    Ok(said)
}
