//! The signed versions of the plan, for the team: the list, and the bytes of each as they were signed.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use clinical::actor::Millis;
use clinical::field::DocKind;
use clinical::id::{PersonId, SeatId};
use clinical::phi::Phi;
use clinical::view::View;
use serde::Serialize;
use signaling::role::{self, Shared};

use crate::audit::{Entry, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, reply};
use crate::record::{self, Loaded, version};
use crate::store::{StoreError, now};
use crate::{patient, person};

/// A line of the reply of `GET /api/seats/{seat}/versions`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct VersionLine {
    /// From 1.
    version: u32,
    /// The change that signed it.
    seq: u64,
    /// Of the bytes, in hexadecimal digits.
    sha256: String,
    /// Who signed.
    #[cfg_attr(feature = "typescript", ts(type = "PersonId"))]
    person: PersonId,
    /// Their name.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    name: Phi<String>,
    /// When.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    at_ms: Millis,
    /// The passkey they confirmed it with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    confirmed: Option<Confirmed>,
}

/// A signature that was confirmed.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Confirmed {
    /// SHA-256 of the passkey's credential id, in hexadecimal digits.
    passkey: String,
    /// When.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    at_ms: Millis,
}

/// `GET /api/seats/{seat}/versions`.
pub(crate) async fn list(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    let plan = plan(&app, &seated).await?;
    let mut lines = Vec::new();
    for row in version::list(&app.store, plan.doc.id()).await? {
        let version::VersionRow { version, seq, sha256, person, at_ms, confirmed } = row;
        let confirmed = confirmed.map(|(passkey, at_ms)| Confirmed { passkey, at_ms });
        let known = person::person(&app.store, &app.vault, person).await?;
        let name = known.map(|known| known.name).unwrap_or_default();
        lines.push(VersionLine { version, seq, sha256, person, name, at_ms, confirmed });
    }
    reply(&lines)
}

/// `GET /api/seats/{seat}/versions/{version}`: canonical JSON, byte for byte what was signed.
pub(crate) async fn content(
    State(app): State<App>,
    Path((_seat, number)): Path<(SeatId, u32)>,
    seated: Seated,
) -> Result<Response, Problem> {
    let plan = plan(&app, &seated).await?;
    let bytes = version::content(&app.store, &plan.dek, plan.doc.id(), number)
        .await
        .map_err(|error| {
            tracing::error!(doc.id = %plan.doc.id(), version = number, %error, "a signed version is not shown");
            StoreError::Row
        })?
        .ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
    let record = seated.visit.record;
    let patient = match record {
        Some(record) => patient::of_record(&app.store, &app.vault, record).await?,
        None => None,
    };
    // Written first: what cannot be written down is not shown.
    let entry = Entry {
        at_ms: now(),
        person: Some(seated.seat.person),
        role: Some(seated.seat.role),
        on_behalf_of: None,
        action: "record.version_read",
        outcome: Outcome::Done,
        patient: patient.map(|(patient, _)| patient),
        object: format!("doc:{}/{number}", plan.doc.id()),
        visit: Some(seated.visit.id),
        detail: None,
    };
    app.writer.audit(vec![entry]).await?;
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((kind, bytes.into_exposed()).into_response())
}

/// The plan of the visit, for whoever reads all of it. "Not yours" and "not there" answer alike.
async fn plan(app: &App, seated: &Seated) -> Result<Loaded, Problem> {
    let nothing = || Problem::new(ProblemCode::NotFound);
    let reads = role::view(seated.seat.role, DocKind::Plan, Shared::Yes) == Some(View::Full);
    let record = seated.visit.record.filter(|_record| reads).ok_or_else(nothing)?;
    let loaded = record::load(&app.store, &app.vault, record).await.map_err(|error| {
        tracing::error!(record.id = %record, %error, "a record does not open");
        StoreError::Row
    })?;
    if record::hand(&loaded.docs, seated.seat.role, seated.seat.person).is_shut_out() {
        return Err(nothing());
    }
    loaded.docs.into_iter().find(|loaded| loaded.doc.kind() == DocKind::Plan).ok_or_else(nothing)
}
