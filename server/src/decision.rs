//! One recommendation by link, outside a visit: its addressee reads it on one page and answers.
//!
//! A link is a bearer secret like those of seats: 128 bits in the fragment of an address, of which only a hash is kept.
//! It leads to one recommendation for 14 days, can be taken back, and opens nothing else of the record. The answer goes
//! the way of every other change, through the task of the record, so who has the plan open sees it at once.
//!
//! A link proves that somebody holds it, not who. Three things keep that honest, and none of them is a proof of identity:
//! who answers says their name and credential, and stands by it; the answer is kept as what it is, "by a link that one
//! person made, answered by one who says to be another" ([`ByLink`]), wherever it is read; and a browser in which the
//! maker of the link, or anybody else of this record who does not answer recommendations, is signed in is refused.
//! Somebody who means to deceive opens the link in another browser: that is what the first two are for. What would close
//! it is an account of the prescriber, and then they need no link.

pub mod paper;
mod sql;
mod store;

pub(crate) use sql::ALL;

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use clinical::actor::{Actor, Millis, Role};
use clinical::command::Command;
use clinical::doc::Doc;
use clinical::field::{Address as At, DocKind, FieldName};
use clinical::id::{EditId, PersonId, RecordId, RowId, SeatId};
use clinical::medication::{Product, Sensitivity, Sig};
use clinical::phi::Phi;
use clinical::problem::ProblemStatement;
use clinical::recommendation::{
    Addressee, ByLink, Decision, RecommendationContent, RecommendationState, Standing,
};
use clinical::register::Register;
use clinical::value::{Check as _, Line, Value};
use clinical::view::View;
use serde::{Deserialize, Serialize};
use signaling::message::{CommandName, RecordRefusal};
use signaling::role::{self, Shared};
use uuid::Uuid;

use crate::audit::{Entry, Outcome};
use crate::http::auth::{Seated, seats_of};
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{Address, App, Json, limit, reply};
use crate::limits::What;
use crate::link::Token;
use crate::patient;
use crate::person::{self, Person};
use crate::record::{self, About, Answer, Loaded};
use crate::store::{StoreError, now};
use crate::visit::{self, Nothing};
use store::Link;

/// In the log of accesses: a link was made, opened, used to answer.
const CREATED: &str = "recommendation.link_created";
const OPENED: &str = "recommendation.link_opened";
const ANSWERED: &str = "recommendation.link_answered";

/// How long a link holds: as long as a recommendation waits before it counts as unanswered.
const HOLDS_MS: i64 = clinical::recommendation::NO_RESPONSE_MS;

/// Reply of `POST /api/seats/{seat}/recommendations/{row}/link`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct DecisionLink {
    /// For the fragment of the address `/d`. Shown once.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    token: Phi<String>,
    /// Until when it holds.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    expires_ms: Millis,
}

/// Body of `POST /api/decisions/open`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct OpenDecision {
    /// What stood behind the `#` of the link.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    token: Phi<String>,
}

/// Body of `POST /api/decisions/answer`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct AnswerDecision {
    /// What stood behind the `#` of the link.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    token: Phi<String>,
    /// Made by the client.
    #[cfg_attr(feature = "typescript", ts(type = "EditId"))]
    id: EditId,
    /// `decide` or `mark_seen`, about the recommendation of the link.
    command: Command,
    /// `seen` of the page.
    seen: u64,
    /// Who answers. A decision is not taken without.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional, type = "Answerer"))]
    who: Option<Phi<Answerer>>,
}

/// Who answers by a link, as they say themselves. Sending it is the attestation, and the page says so.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Answerer {
    /// "Dr. Amy Chen"; 1 to 100 characters.
    name: String,
    /// "MD, NPI 1234567893"; 1 to 100 characters.
    credential: String,
    /// "I am this prescriber, or answer on their order." Must be true.
    attested: bool,
}

/// Reply of `POST /api/decisions/answer`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DecisionAnswered {
    /// It is stored.
    Done,
    /// It was refused; open the page again.
    Refused {
        /// Why.
        code: RecordRefusal,
    },
}

/// Reply of `POST /api/decisions/open`: the recommendation, and what it needs of the chart.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct DecisionPage {
    /// Its row.
    row: RowId,
    /// The practice that asks.
    practice: String,
    /// Whom to call.
    phone: String,
    /// About whom.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    patient: Phi<String>,
    /// Of the patient; empty if the chart does not tell.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    birth_date: Phi<String>,
    /// Who is asked.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    prescriber: Phi<String>,
    /// What is proposed.
    #[cfg_attr(feature = "typescript", ts(type = "RecommendationContent"))]
    content: Phi<RecommendationContent>,
    /// Why.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    rationale: Phi<String>,
    /// The guideline or study behind it.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    reference: Phi<String>,
    /// The condition it is about.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    condition: Phi<String>,
    /// The medicine it is about, and how it is taken now.
    #[cfg_attr(feature = "typescript", ts(type = "DecisionMedicine | null"))]
    medicine: Phi<Option<DecisionMedicine>>,
    /// Where it stands.
    state: RecommendationState,
    /// Whether it waits for an answer.
    waits: bool,
    /// The answer that stands.
    #[cfg_attr(feature = "typescript", ts(type = "Decision | null"))]
    decision: Phi<Option<Decision>>,
    /// The plan is signed: an answer is taken, a change of the medication list is not.
    sealed: bool,
    /// Whether this prescriber may write the answer into the medication list.
    updates_list: bool,
    /// What an answer names as seen.
    seen: u64,
    /// Until when the link holds.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    expires_ms: Millis,
}

/// A medicine as far as a decision about it needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct DecisionMedicine {
    /// Name and strength.
    product: Product,
    /// How it is taken now; none if nobody said, or two disagree.
    sig: Option<Sig>,
}

/// `POST /api/seats/{seat}/recommendations/{row}/link`: a new link, for who may send recommendations.
pub(crate) async fn make(
    State(app): State<App>,
    Path((_seat, row)): Path<(SeatId, RowId)>,
    seated: Seated,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Response, Problem> {
    let nothing = || Problem::new(ProblemCode::NotFound);
    let record = record_of(&seated).ok_or_else(nothing)?;
    let Seated { seat: from, .. } = &seated;
    let docs = docs(&app, record).await?;
    let plan = plan_for(&docs, (from.person, from.role)).ok_or_else(nothing)?;
    if !waits(plan, row) || is_part2(plan, row) || is_about_part2(plan, row) {
        return Err(nothing());
    }
    let before = match plan.addressee(row) {
        Some(named) => Some(named),
        None => store::person(&app.store, row).await?,
    };
    let asked = asked(&app, plan, row, before).await?;
    // Nor does a link lead to whom the patient shuts out.
    if record::hand(&docs, asked.role, before.unwrap_or(PersonId(Uuid::nil()))).is_shut_out() {
        log(&app, record, row, (from.person, from.role), CREATED, Outcome::Denied).await?;
        return Err(Problem::new(ProblemCode::AddresseeShutOut));
    }
    let person = match before {
        Some(person) => person,
        None => {
            person::add(&app.store, &app.vault, &app.writer, &asked.name, asked.role, None).await?
        }
    };
    let token = Token::new()?;
    let expires = Millis(now().0.saturating_add(HOLDS_MS));
    let seat = SeatId(Uuid::now_v7());
    // Written first: a link nobody knows of is not given out.
    log(&app, record, row, (from.person, from.role), CREATED, Outcome::Done).await?;
    let link = Link { record, row, person, seat, made_by: from.person, expires };
    store::add(&app.store, &token, link).await?;
    reply(&DecisionLink { token: Phi::new(token.text()), expires_ms: expires })
}

/// `DELETE /api/seats/{seat}/recommendations/{row}/link`: takes every link to it back.
pub(crate) async fn revoke(
    State(app): State<App>,
    Path((_seat, row)): Path<(SeatId, RowId)>,
    seated: Seated,
) -> Result<Response, Problem> {
    let nothing = || Problem::new(ProblemCode::NotFound);
    let record = record_of(&seated).ok_or_else(nothing)?;
    let from = (seated.seat.person, seated.seat.role);
    plan_for(&docs(&app, record).await?, from).ok_or_else(nothing)?;
    store::revoke(&app.store, record, row).await?;
    log(&app, record, row, from, "recommendation.link_revoked", Outcome::Done).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/decisions/open`: the page. Unknown, mistyped, expired and revoked links answer alike.
pub(crate) async fn open(
    State(app): State<App>,
    Extension(Address(address)): Extension<Address>,
    headers: HeaderMap,
    Json(OpenDecision { token }): Json<OpenDecision>,
) -> Result<Response, Problem> {
    limit(&app, What::Claim(address))?;
    let unknown = || Problem::new(ProblemCode::LinkUnknown);
    let link = find(&app, &token).await?.ok_or_else(unknown)?;
    refuse_other_hands(&app, &headers, link).await?;
    let docs = docs(&app, link.record).await?;
    let prescriber = addressee_of(&app, &docs, link).await?.ok_or_else(unknown)?;
    let from = (prescriber.person, prescriber.role);
    let plan = plan_for(&docs, from).ok_or_else(unknown)?;
    let page = page(&app, plan, link, &prescriber).await?.ok_or_else(unknown)?;
    // Written first: what cannot be written down is not shown.
    log(&app, link.record, link.row, from, OPENED, Outcome::Done).await?;
    reply(&page)
}

/// `POST /api/decisions/answer`.
pub(crate) async fn answer(
    State(app): State<App>,
    Extension(Address(address)): Extension<Address>,
    headers: HeaderMap,
    Json(AnswerDecision { token, id, command, seen, who }): Json<AnswerDecision>,
) -> Result<Response, Problem> {
    limit(&app, What::Claim(address))?;
    let unknown = || Problem::new(ProblemCode::LinkUnknown);
    let link = find(&app, &token).await?.ok_or_else(unknown)?;
    refuse_other_hands(&app, &headers, link).await?;
    let by_link = who.map(Phi::into_exposed).filter(|who| who.attested).map(|who| {
        let Answerer { name, credential, attested: _ } = who;
        let (name, credential) = (name.trim().to_owned(), credential.trim().to_owned());
        ByLink { made_by: link.made_by, name, credential }
    });
    let said = by_link.as_ref().is_some_and(|said| said.check().is_ok());
    if matches!(command, Command::Decide { .. }) && !said {
        return Err(Problem::new(ProblemCode::BadRequest));
    }
    let docs = docs(&app, link.record).await?;
    let prescriber = addressee_of(&app, &docs, link).await?.ok_or_else(unknown)?;
    let Person { person, role, name } = prescriber;
    let decides = matches!(command, Command::Decide { .. });
    let actor = Actor { person, seat: link.seat, role };
    let what = About::Recommendation { row: link.row, command, by_link };
    let answer = Answer { id, what, seen };
    let stored = app.records.answer(link.record, actor, name, None, answer).await;
    if decides {
        // Which link it came by, beside the decision itself, which the record logs in the same transaction.
        let object = format!("row:{}/link_of:{}", link.row, link.made_by);
        let outcome = if stored.is_ok() { Outcome::Done } else { Outcome::Failed };
        log_object(&app, link.record, object, (person, role), ANSWERED, outcome).await?;
    }
    match stored {
        Ok(()) => reply(&DecisionAnswered::Done),
        Err(code) => reply(&DecisionAnswered::Refused { code }),
    }
}

/// Refuses a browser in which the maker of the link is signed in, or somebody else of this record who does not answer
/// recommendations.
async fn refuse_other_hands(app: &App, headers: &HeaderMap, link: Link) -> Result<(), Problem> {
    for seat in seats_of(app, headers).await? {
        let visit = visit::find_visit(&app.store, seat.visit).await?;
        let here = visit.is_some_and(|visit| visit.record == Some(link.record));
        let answers = role::may_command(seat.role, CommandName::Decide);
        if seat.person == link.made_by || (here && !answers) {
            let from = (seat.person, seat.role);
            log(app, link.record, link.row, from, OPENED, Outcome::Denied).await?;
            return Err(Problem::new(ProblemCode::NotYourLink));
        }
    }
    Ok(())
}

/// The record of a visit, for who sends recommendations in it. "Not yours" and "not there" answer alike.
fn record_of(seated: &Seated) -> Option<RecordId> {
    let role = seated.seat.role;
    let reads = role::view(role, DocKind::Plan, Shared::Yes) == Some(View::Full);
    let sends = role::may_command(role, CommandName::SendRecommendation);
    seated.visit.record.filter(|_record| reads && sends)
}

/// A link that holds.
async fn find(app: &App, token: &Phi<String>) -> Result<Option<Link>, Problem> {
    let Some(token) = Token::parse(token.expose()) else { return Ok(None) };
    Ok(store::find(&app.store, &token).await?)
}

/// Whom a link was made for, in the role the recommendation asks them in.
async fn addressee_of(app: &App, docs: &[Loaded], link: Link) -> Result<Option<Person>, Problem> {
    let plan = docs.iter().find(|held| held.doc.kind() == DocKind::Plan);
    let known = person::person(&app.store, &app.vault, link.person).await?;
    Ok(plan.zip(known).map(|(plan, known)| {
        let role = plan.doc.addressee_role(link.row, Some(known.role));
        Person { role, ..known }
    }))
}

/// What a recommendation says of whom it asks.
struct Asked {
    name: Phi<String>,
    role: Role,
}

/// Whom a recommendation asks; `known`: who that is here, if anybody.
async fn asked(
    app: &App,
    plan: &Doc,
    row: RowId,
    known: Option<PersonId>,
) -> Result<Asked, Problem> {
    let known = match known {
        Some(person) => person::person(&app.store, &app.vault, person).await?,
        None => None,
    };
    let role = plan.addressee_role(row, known.map(|known| known.role));
    Ok(Asked { name: Phi::new(addressee(plan, row)), role })
}

async fn docs(app: &App, record: RecordId) -> Result<Vec<Loaded>, Problem> {
    let loaded = record::load(&app.store, &app.vault, record).await.map_err(|error| {
        tracing::error!(record.id = %record, %error, "a record does not open");
        StoreError::Row
    })?;
    Ok(loaded.docs)
}

/// The plan, for whom the patient does not shut out of it.
fn plan_for(docs: &[Loaded], (person, role): (PersonId, Role)) -> Option<&Doc> {
    if record::hand(docs, role, person).is_shut_out() {
        return None;
    }
    docs.iter().find(|held| held.doc.kind() == DocKind::Plan).map(|held| &held.doc)
}

fn waits(plan: &Doc, row: RowId) -> bool {
    match plan.standing_of(row, now()) {
        Standing::Sent | Standing::Seen | Standing::NoResponse => true,
        Standing::Draft
        | Standing::Accepted
        | Standing::AcceptedModified
        | Standing::Declined
        | Standing::Implemented
        | Standing::Verified
        | Standing::Withdrawn
        | Standing::Replaced => false,
    }
}

/// Whether a recommendation is about a medicine under 42 CFR Part 2.
fn is_part2(plan: &Doc, row: RowId) -> bool {
    let content: Option<RecommendationContent> = read(plan, row, FieldName::RecommendationsContent);
    content.and_then(|content| content.med).is_some_and(|med| is_sensitive(plan, med))
}

/// Whether the problem behind it names a medicine under 42 CFR Part 2.
fn is_about_part2(plan: &Doc, row: RowId) -> bool {
    let content: Option<RecommendationContent> = read(plan, row, FieldName::RecommendationsContent);
    let problem = content.and_then(|content| content.problem);
    let statement: Option<ProblemStatement> =
        problem.and_then(|problem| read(plan, problem, FieldName::ProblemsStatement));
    statement.is_some_and(|statement| statement.med_ids.iter().any(|med| is_sensitive(plan, *med)))
}

/// Whether a medicine is under 42 CFR Part 2, or may come to be: of two values nobody has decided about it counts as it.
fn is_sensitive(plan: &Doc, med: RowId) -> bool {
    let at = At { row: Some(med), field: FieldName::MedsSensitivity };
    plan.register(&at).is_conflict()
        || read(plan, med, FieldName::MedsSensitivity) == Some(Sensitivity::Part2)
}

fn addressee(plan: &Doc, row: RowId) -> String {
    let to: Option<Addressee> = read(plan, row, FieldName::RecommendationsAddressee);
    to.map_or_else(|| "Prescriber".to_owned(), |to| to.name)
}

/// Everything the page says, field by field: whatever is not named here stays in the record.
async fn page(
    app: &App,
    plan: &Doc,
    link: Link,
    prescriber: &Person,
) -> Result<Option<DecisionPage>, Problem> {
    let Link { record, row, person: _, seat: _, made_by: _, expires } = link;
    // A draft was never sent, so nobody can have a link to one.
    if plan.sent_at(row).is_none() {
        return Ok(None);
    }
    let content: Option<RecommendationContent> = read(plan, row, FieldName::RecommendationsContent);
    let Some(content) = content else { return Ok(None) };
    // Taken back, or replaced by another: it says nothing any more. What is under 42 CFR Part 2 leaves by no link.
    let over = matches!(plan.standing_of(row, now()), Standing::Withdrawn | Standing::Replaced);
    if over || is_part2(plan, row) || is_about_part2(plan, row) {
        return Ok(None);
    }
    let waits = waits(plan, row);
    let Some((_, facts)) = patient::of_record(&app.store, &app.vault, record).await? else {
        return Ok(None);
    };
    let problem = content
        .problem
        .filter(|_problem| waits)
        .and_then(|problem| read::<ProblemStatement>(plan, problem, FieldName::ProblemsStatement));
    // Once it is answered the page shows the answer, not the chart as it goes on.
    let medicine = content.med.filter(|_med| waits).and_then(|med| {
        let product = read::<Product>(plan, med, FieldName::MedsProduct)?;
        Some(DecisionMedicine { product, sig: read(plan, med, FieldName::MedsSig) })
    });
    let at = At { row: Some(row), field: FieldName::RecommendationsRationale };
    let reference: Option<Line> = read(plan, row, FieldName::RecommendationsReference);
    let state = read(plan, row, FieldName::RecommendationsState);
    Ok(Some(DecisionPage {
        row,
        practice: app.config.practice.name.clone(),
        phone: app.config.practice.phone.clone(),
        patient: facts.name,
        birth_date: facts.birth_date,
        prescriber: prescriber.name.clone(),
        content: Phi::new(content),
        rationale: Phi::new(plan.text(&at).filter(|_words| waits).unwrap_or_default()),
        reference: Phi::new(reference.map(|line| line.0).unwrap_or_default()),
        condition: Phi::new(problem.map(|problem| problem.condition).unwrap_or_default()),
        medicine: Phi::new(medicine),
        state: state.unwrap_or(RecommendationState::Draft),
        waits,
        decision: Phi::new(read(plan, row, FieldName::RecommendationsDecision)),
        sealed: plan.sealed(),
        updates_list: role::may_update_list(prescriber.role),
        seen: plan.seq(),
        expires_ms: expires,
    }))
}

fn read<T: serde::de::DeserializeOwned>(plan: &Doc, row: RowId, field: FieldName) -> Option<T> {
    match plan.register(&At { row: Some(row), field }) {
        Register::Value { value, .. } => value.as_ref().and_then(Value::read),
        Register::Empty | Register::Conflict { .. } => None,
    }
}

async fn log(
    app: &App,
    record: RecordId,
    row: RowId,
    from: (PersonId, Role),
    action: &'static str,
    outcome: Outcome,
) -> Result<(), Problem> {
    log_object(app, record, format!("row:{row}"), from, action, outcome).await
}

async fn log_object(
    app: &App,
    record: RecordId,
    object: String,
    (person, role): (PersonId, Role),
    action: &'static str,
    outcome: Outcome,
) -> Result<(), Problem> {
    let patient = patient::of_record(&app.store, &app.vault, record).await?;
    let entry = Entry {
        at_ms: now(),
        person: Some(person),
        role: Some(role),
        on_behalf_of: None,
        action,
        outcome,
        patient: patient.map(|(patient, _)| patient),
        object,
        visit: None,
        detail: None,
    };
    app.writer.audit(vec![entry]).await?;
    Ok(())
}
