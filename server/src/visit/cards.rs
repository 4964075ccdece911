//! What the operator's CDS Hooks service says about the plan: asked for whoever reads the whole plan, shown as its words.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use clinical::actor::Millis;
use clinical::cds::{self, CdsCard, FirstOf};
use clinical::fhir::export::{Exported, Reader, whole_record};
use serde::Serialize;
use signaling::role;
use uuid::Uuid;

use super::export::Sheets;
use crate::audit::{Entry, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, reply};
use crate::store::now;

/// Reply of `GET /api/seats/{seat}/cards`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct CdsAnswers {
    /// When it was asked.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    at_ms: Millis,
    /// One for each service; none if the services themselves could not be asked for.
    services: Vec<CdsAnswer>,
    /// Services that were not asked: there are more than [`cds::SERVICES`].
    services_left_out: usize,
    /// Something did not answer: what is shown may not be all.
    incomplete: bool,
    /// Rows they were not told of, because 42 CFR Part 2 keeps them here.
    withheld: usize,
}

/// What one service says.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct CdsAnswer {
    /// Its name.
    service: String,
    /// Its cards; `null`: it did not answer.
    cards: Option<Vec<CdsCard>>,
    /// Cards that are not shown, the least urgent: it said more than [`cds::CARDS`].
    cards_left_out: usize,
}

/// `GET /api/seats/{seat}/cards`. No content where no service is configured.
pub(crate) async fn cards(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    let nothing = || Problem::new(ProblemCode::NotFound);
    let Seated { session: _, seat, visit } = &seated;
    let record = visit.record.filter(|_record| role::may_ask_safety(seat.role));
    let record = record.ok_or_else(nothing)?;
    let Some(cds) = &app.cds else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    let _place = cds.place().await.ok_or_else(|| Problem::new(ProblemCode::SlowDown))?;
    let sheets = Sheets::read(&app, seat, visit, record).await?.ok_or_else(nothing)?;
    let entry = Entry {
        at_ms: now(),
        person: Some(seat.person),
        role: Some(seat.role),
        on_behalf_of: None,
        action: "cds.asked",
        outcome: Outcome::Done,
        patient: Some(sheets.patient),
        object: format!("record:{record}"),
        visit: Some(visit.id),
        detail: None,
    };
    // Written first: what cannot be written down does not leave.
    app.writer.audit(vec![entry]).await?;
    let at_ms = now();
    let services = match cds.services().await {
        Ok(services) => services,
        Err(error) => {
            tracing::warn!(%error, "the CDS Hooks services could not be asked for");
            let (services, services_left_out) = (Vec::new(), 0);
            let (incomplete, withheld) = (true, 0);
            return reply(&CdsAnswers { at_ms, services, services_left_out, incomplete, withheld });
        }
    };
    let Exported { json: bundle, withheld } =
        whole_record(&sheets.source(&app, Reader::Elsewhere, at_ms));
    let bundle: serde_json::Value =
        serde_json::from_str(&bundle).map_err(|_ours| Problem::new(ProblemCode::Internal))?;
    let (person, patient) = (seat.person.to_string(), sheets.patient.to_string());
    let FirstOf { first: services, left_out: services_left_out } = services.as_ref();
    let mut answers = Vec::with_capacity(services.len());
    let mut incomplete = false;
    // One after the other: there are few, and each has its own five seconds.
    for service in services {
        let question = cds::request(service, &bundle, Uuid::now_v7(), &person, &patient);
        let (cards, cards_left_out) = match cds.ask(service, &question).await {
            Ok(FirstOf { first, left_out }) => (Some(first), left_out),
            Err(error) => {
                tracing::warn!(%error, "a CDS Hooks service did not answer");
                incomplete = true;
                (None, 0)
            }
        };
        answers.push(CdsAnswer { service: service.title.clone(), cards, cards_left_out });
    }
    let services_left_out = *services_left_out;
    reply(&CdsAnswers { at_ms, services: answers, services_left_out, incomplete, withheld })
}
