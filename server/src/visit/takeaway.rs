//! What the patient takes home: the page of the plan in plain words, once it is shared.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use clinical::doc::Doc;
use clinical::field::{Address, DocKind, FieldName};
use clinical::format::Language;
use clinical::id::RecordId;
use clinical::plain::{self, PlainInput, PlainVisit};
use clinical::register::Register;
use clinical::value::PartialDate;
use clinical::version::Content;
use clinical::view::View;
use signaling::role::{self, Shared};
use signaling::visit::Entry as Way;

use super::Visit;
use crate::audit::{Entry, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, reply};
use crate::record::{self, LoadError, Loaded, version};
use crate::store::{StoreError, now};
use crate::{patient, person};

/// The language a query asks for; without one English.
pub(super) fn language_of(query: Option<&str>) -> Result<Language, Problem> {
    match query {
        None | Some("" | "language=en") => Ok(Language::En),
        Some("language=es") => Ok(Language::Es),
        Some(_) => Err(Problem::new(ProblemCode::BadRequest)),
    }
}

/// `GET /api/seats/{seat}/takeaway`: the page, during the visit and for half an hour after it. No content while nothing is
/// shared: that is how every visit begins, and no fault.
pub(crate) async fn page(
    State(app): State<App>,
    Seated { session: _, seat, visit }: Seated,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let language = language_of(query.as_deref())?;
    // A seat nobody ever let in: what an earlier visit shared is not for whoever holds the link.
    let was_sent_it = seat.reads_until.is_some();
    let Some(record) = visit.record else { return Ok(nothing()) };
    let found = patient::of_record(&app.store, &app.vault, record).await?;
    let (patient, facts) = found.unzip();
    // Nor is what was sent, where no birth date stands between the mail and the page.
    let asks_who = facts.as_ref().is_some_and(|facts| !facts.birth_date.expose().is_empty());
    let was_let_in = seat.was_admitted || was_sent_it && asks_who;
    if visit.kind.entry(seat.role) == Way::Waits && !was_let_in {
        return Ok(nothing());
    }
    let docs = load(&app, record).await?;
    let of_kind = |kind| docs.iter().find(|loaded| loaded.doc.kind() == kind);
    let hand = record::hand(&docs, seat.role, seat.person);
    let reads = hand.view(DocKind::Plan, Shared::Yes).is_some();
    // Whoever reads the whole plan was sent the signed one, shared or not.
    let whole = was_sent_it && hand.view(DocKind::Plan, Shared::No).is_some();
    let shows = |plan: &Doc| plan.shared() || (whole && plan.sealed());
    let Some(held) = of_kind(DocKind::Plan).filter(|held| shows(&held.doc) && reads) else {
        return Ok(nothing());
    };
    let plan = &held.doc;
    let previous = previous(&app, held).await?;
    // Written first: what cannot be written down is not shown.
    let entry = Entry {
        at_ms: now(),
        person: Some(seat.person),
        role: Some(seat.role),
        on_behalf_of: None,
        action: "record.page_read",
        outcome: Outcome::Done,
        patient,
        object: format!("record:{record}"),
        visit: Some(visit.id),
        detail: None,
    };
    app.writer.audit(vec![entry]).await?;

    let mut with = Vec::new();
    for seat in super::seats(&app.store, visit.id).await? {
        // Staff are those who see the whole plan; a seat nobody took is no conversation, but an invitation.
        let staff = role::view(seat.role, DocKind::Plan, Shared::No) == Some(View::Full);
        if staff && !seat.revoked {
            let person = person::person(&app.store, &app.vault, seat.person).await?;
            with.extend(person.map(|person| person.name.into_exposed()));
        }
    }
    let about = PlainVisit {
        newer: is_newer(plan, &visit),
        date: Some(app.terms.day(visit.ended.unwrap_or_else(now))),
        with,
        phone: app.config.practice.phone.clone(),
        patient: facts.as_ref().map(|facts| facts.name.expose().clone()).unwrap_or_default(),
        born: facts.and_then(|facts| PartialDate::parse(facts.birth_date.expose())),
        practice: app.config.practice.name.clone(),
    };
    let voice = of_kind(DocKind::Voice).map(|held| &held.doc);
    let input = plain::input(
        Some(about),
        &plan.snapshot(View::PatientSide),
        voice.map(|voice| voice.snapshot(View::PatientSide)).as_ref(),
        |text| {
            let held = of_kind(text.at.field.doc());
            held.and_then(|held| held.doc.text(&text.at)).unwrap_or_default()
        },
    );
    let visits_held = super::touchpoint::held(&app, plan).await?;
    let now = now();
    let input = input.at(now, &app.terms.day(now), &visits_held);
    reply(&plain::page(&input, previous.as_ref(), language))
}

/// Whether the plan was signed after a visit ended: whoever kept the page of then is told so.
fn is_newer(plan: &Doc, visit: &Visit) -> bool {
    let signed = plan.register(&Address { row: None, field: FieldName::Signed });
    match (signed, visit.ended) {
        (Register::Value { at_ms, .. }, Some(ended)) => *at_ms > ended,
        _ => false,
    }
}

/// What the page of the signed version before this one was made of. A signed plan is compared with the version before
/// it, an open one with the newest.
async fn previous(app: &App, held: &Loaded) -> Result<Option<PlainInput>, Problem> {
    let Some(newest) = held.doc.signed().map(|signed| signed.version) else { return Ok(None) };
    let before = if held.doc.sealed() { newest.saturating_sub(1) } else { newest };
    let bytes = version::content(&app.store, &held.dek, held.doc.id(), before).await;
    let bytes = bytes.map_err(|error| {
        tracing::error!(doc.id = %held.doc.id(), version = before, %error, "a signed version does not read");
        StoreError::Row
    })?;
    // The first version has none before it.
    let content = bytes.map(|bytes| serde_json::from_slice::<Content>(bytes.expose()));
    let content = content.transpose().map_err(|_wrong| StoreError::Row)?;
    Ok(content.as_ref().map(plain::input_of))
}

fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

pub(super) async fn load(app: &App, record: RecordId) -> Result<Vec<Loaded>, Problem> {
    match record::load(&app.store, &app.vault, record).await {
        Ok(loaded) => Ok(loaded.docs),
        Err(LoadError::NotFound) => Ok(Vec::new()),
        Err(LoadError::Store(error)) => Err(error.into()),
        Err(LoadError::Vault(error)) => {
            tracing::error!(record.id = %record, %error, "a record does not open");
            Err(StoreError::Row.into())
        }
    }
}
