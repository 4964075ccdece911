//! Mails that tell of a signed plan: the patient, and who may read for them, that it can be read; the primary care
//! provider, that it waits to be read. With it their link works for two weeks from then, after the visit for the plan alone. And the
//! word of the primary care provider that it was read, from there.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use clinical::actor::{Actor, Millis, Role};
use clinical::doc::Doc;
use clinical::field::DocKind;
use clinical::format::Language;
use clinical::id::{DocId, EditId, PersonId, RecordId, SeatId, VisitId};
use clinical::phi::Phi;
use clinical::receipt::{Receipts, Reception};
use clinical::value::Value;
use serde::{Deserialize, Serialize};
use signaling::message::{CommandName, RecordRefusal};
use signaling::role::{self, Hand, Shared};
use uuid::Uuid;

use crate::audit::{Entry, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, Json, reply};
use crate::link::{self, LinkError};
use crate::outbox::{self, Item, Letter, Outbox, Sent, Topic, withdraw_one};
use crate::patient;
use crate::person::{self, PersonError};
use crate::record::writer::{Statement, Work};
use crate::record::{self, About, Answer, Loaded};
use crate::store::{Store, StoreError, now};
use crate::vault::{KeyOf, Vault, VaultError};
use crate::visit::{self, Seat};

/// How long a mailed link reads the plan, from when the mail is made, in milliseconds: two weeks, the time in which Medicare wants the
/// take-away delivered. Longer helps who is away, shorter leaves less in a mailbox.
const READS_MS: i64 = 14 * 24 * 60 * 60 * 1_000;

/// What is needed to write mails.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) store: &'a Store,
    pub(crate) vault: &'a Vault,
    pub(crate) outbox: &'a Outbox,
}

/// A plan of which is told.
pub(crate) struct Plan {
    pub(crate) record: RecordId,
    pub(crate) doc: DocId,
    pub(crate) version: u32,
    /// Whether the patient's side reads it.
    pub(crate) shared: bool,
}

/// Why nobody is told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoticeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Person(#[from] PersonError),
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl From<NoticeError> for Problem {
    fn from(error: NoticeError) -> Self {
        tracing::error!(%error, "a mail about a plan cannot be made");
        Self::new(ProblemCode::StoreAway)
    }
}

/// Reply of `GET` and `POST /api/seats/{seat}/notices`: who of this visit is told of the signed plan by mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Notices {
    /// The version in force.
    pub version: u32,
    /// Whether mails are sent at all.
    pub mails: bool,
    /// Whether it is shared: until then the patient's side is not told.
    pub shared: bool,
    /// Whom it is for.
    pub people: Vec<Noticed>,
}

/// Somebody whom a plan is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Noticed {
    /// Their seat in this visit.
    pub seat: SeatId,
    /// Their role.
    pub role: Role,
    /// Who.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
    /// Whether an address is known. Which, only who books sees.
    pub reached: bool,
    /// What became of the mail to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub sent: Option<Sent>,
}

/// Body of `POST /api/seats/{seat}/notices`: once more to one person.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct NoticeAgain {
    /// Their seat in this visit.
    pub seat: SeatId,
}

/// Reply of `GET` and `POST`, and body of `POST /api/seats/{seat}/acknowledge`: the version in force, and whether it is
/// said to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct ReadVersion {
    /// Which.
    pub version: u32,
    /// Whether the primary care provider has read it.
    pub read: bool,
}

/// What the mails about a version are about.
fn about(doc: DocId, version: u32) -> String {
    format!("plan:{doc}:{version}")
}

/// Whether a plan is for a role, and whether somebody of it may read it.
fn is_for(role: Role, hand: Hand, shared: bool) -> bool {
    match role {
        Role::Patient | Role::Caregiver => {
            shared && hand.view(DocKind::Plan, Shared::Yes).is_some()
        }
        Role::Pcp => true,
        Role::Interpreter
        | Role::Pharmacist
        | Role::Nurse
        | Role::Chw
        | Role::Specialist
        | Role::Facilitator
        | Role::Learner
        | Role::Observer => false,
    }
}

/// The rows of the mails that tell of a plan to everybody of a visit whom it is for and who is reached; nobody is told
/// twice of one version.
pub(crate) async fn statements(
    around: Around<'_>,
    visit: VisitId,
    plan: &Plan,
    hand: impl Fn(Role, PersonId) -> Hand,
    now: Millis,
) -> Result<Vec<Statement>, NoticeError> {
    let mut all = Vec::new();
    for seat in visit::seats(around.store, visit).await? {
        if !seat.revoked && is_for(seat.role, hand(seat.role, seat.person), plan.shared) {
            all.extend(tell(around, &seat, plan, "first", now).await?);
        }
    }
    Ok(all)
}

async fn tell(
    Around { store, vault, outbox }: Around<'_>,
    seat: &Seat,
    plan: &Plan,
    key: &str,
    now: Millis,
) -> Result<Vec<Statement>, NoticeError> {
    let Plan { record, doc, version, shared: _ } = plan;
    let reached = person::reached(store, vault, seat.person).await?;
    if reached.mail.is_none() {
        return Ok(Vec::new());
    }
    let of = patient::of_record(store, vault, *record).await?;
    let of = of.map_or(KeyOf::Organisation, |(patient, _)| KeyOf::Patient(patient));
    let dek = vault.key(store, of).await?;
    let token = link::link_of(store, vault, seat.id).await?;
    let link = Phi::new(outbox.link(&format!("/j#{}", token.text())));
    let (until, zone) = (Millis(now.0.saturating_add(READS_MS)), outbox.zone().to_owned());
    let letter = match seat.role {
        Role::Pcp => Letter::PlanToRead { link, until, zone },
        _ => Letter::PlanReady { link, until, zone },
    };
    let home = match (reached.language, seat.role) {
        (Some(language), _) => language,
        (None, Role::Pcp) => Language::En,
        (None, _) => {
            let tag = patient::language_of(store, vault, *record).await?;
            tag.map_or(Language::En, |tag| Language::of(tag.expose()))
        }
    };
    let about = about(*doc, *version);
    let item = Item {
        person: seat.person,
        role: seat.role,
        record: Some(*record),
        topic: Topic::Plan,
        about: &about,
        key: format!("{about}/{}/{key}", seat.person),
        letter,
        language: home,
        not_before: now,
        expires: until,
    };
    Ok(vec![visit::reads_statement(seat.id, until), outbox.statement(&dek, item)?])
}

/// A signed plan, and the hand of whoever asks.
struct Open {
    docs: Vec<Loaded>,
    record: RecordId,
}

impl Open {
    /// For who may give this command, and is not shut out.
    async fn of(app: &App, seated: &Seated, command: CommandName) -> Result<Self, Problem> {
        let nothing = || Problem::new(ProblemCode::NotFound);
        let may = role::may_command(seated.seat.role, command);
        let record = seated.visit.record.filter(|_record| may).ok_or_else(nothing)?;
        let loaded = record::load(&app.store, &app.vault, record).await.map_err(|error| {
            tracing::error!(record.id = %record, %error, "a record does not open");
            StoreError::Row
        })?;
        let docs = loaded.docs;
        if record::hand(&docs, seated.seat.role, seated.seat.person).is_shut_out() {
            return Err(nothing());
        }
        Ok(Self { docs, record })
    }

    fn plan(&self) -> Result<&Doc, Problem> {
        let plan = self.docs.iter().find(|held| held.doc.kind() == DocKind::Plan);
        plan.map(|held| &held.doc).ok_or_else(|| Problem::new(ProblemCode::NotFound))
    }

    fn version(&self) -> Result<u32, Problem> {
        let signed = self.plan()?.signed().ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
        Ok(signed.version)
    }

    /// What is read there is what was signed, and not what somebody is about to change.
    fn in_force(&self) -> Result<(), Problem> {
        let sealed = self.plan()?.sealed();
        sealed.then_some(()).ok_or_else(|| Problem::new(ProblemCode::NotFound))
    }

    fn hand(&self, seat: &Seat) -> Hand {
        record::hand(&self.docs, seat.role, seat.person)
    }
}

/// `GET /api/seats/{seat}/notices`, for who may note to whom the plan was handed on.
pub(crate) async fn list(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    let open = Open::of(&app, &seated, CommandName::HandOn).await?;
    shown(&app, &seated, &open).await
}

/// `POST /api/seats/{seat}/notices`: once more to one person.
pub(crate) async fn again(
    State(app): State<App>,
    seated: Seated,
    Json(NoticeAgain { seat }): Json<NoticeAgain>,
) -> Result<Response, Problem> {
    let nothing = || Problem::new(ProblemCode::NotFound);
    let open = Open::of(&app, &seated, CommandName::HandOn).await?;
    let plan = open.plan()?;
    let (doc, version, shared) = (plan.id(), open.version()?, plan.shared());
    let outbox = app.outbox.as_ref().ok_or_else(nothing)?;
    let seats = visit::seats(&app.store, seated.visit.id).await?;
    let to = seats.iter().find(|one| one.id == seat && !one.revoked).ok_or_else(nothing)?;
    if !is_for(to.role, open.hand(to), shared) {
        return Err(nothing());
    }
    let now = now();
    let plan = Plan { record: open.record, doc, version, shared };
    let around = Around { store: &app.store, vault: &app.vault, outbox };
    let mut first = vec![withdraw_one(&about(doc, version), to.person, Topic::Plan, now)];
    let again = tell(around, to, &plan, &Uuid::now_v7().to_string(), now).await?;
    first.extend(again.into_iter().map(Statement::one_row));
    let audit = vec![entry(&app, &seated, &open, "plan.mailed_again").await?];
    outbox::stored(app.writer.store(Work { first, audit, ..Work::default() }).await)?;
    outbox.wake();
    shown(&app, &seated, &open).await
}

async fn shown(app: &App, seated: &Seated, open: &Open) -> Result<Response, Problem> {
    let plan = open.plan()?;
    let (version, shared) = (open.version()?, plan.shared());
    let sent = outbox::delivered(&app.store, &about(plan.id(), version)).await?;
    let mut people = Vec::new();
    for seat in visit::seats(&app.store, seated.visit.id).await? {
        // Whom it would be for, once it is shared.
        if seat.revoked || !is_for(seat.role, open.hand(&seat), true) {
            continue;
        }
        let known = person::person(&app.store, &app.vault, seat.person).await?;
        let reached = person::reached(&app.store, &app.vault, seat.person).await?;
        people.push(Noticed {
            seat: seat.id,
            role: seat.role,
            name: known.map(|known| known.name).unwrap_or_default(),
            reached: reached.mail.is_some(),
            sent: sent.iter().find(|(person, _)| *person == seat.person).map(|(_, sent)| *sent),
        });
    }
    reply(&Notices { version, mails: app.outbox.is_some(), shared, people })
}

/// `GET /api/seats/{seat}/acknowledge`, for the primary care provider: whether there is something to read. No content while
/// no version is in force: that is no fault.
pub(crate) async fn to_read(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    let open = Open::of(&app, &seated, CommandName::Acknowledge).await?;
    if open.in_force().is_err() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    reply(&ReadVersion { version: open.version()?, read: is_read(&open)? })
}

/// `POST /api/seats/{seat}/acknowledge`: it was read.
pub(crate) async fn acknowledge(
    State(app): State<App>,
    seated: Seated,
    Json(ReadVersion { version, read }): Json<ReadVersion>,
) -> Result<Response, Problem> {
    let open = Open::of(&app, &seated, CommandName::Acknowledge).await?;
    open.in_force()?;
    if !read {
        return Err(Problem::new(ProblemCode::BadRequest));
    }
    let Seated { session: _, seat, visit } = &seated;
    let known = person::person(&app.store, &app.vault, seat.person).await?;
    let name = known.map(|known| known.name).unwrap_or_default();
    let actor = Actor { person: seat.person, seat: seat.id, role: seat.role };
    let (id, seen) = (EditId(Uuid::now_v7()), open.plan()?.seq());
    let answer = Answer { id, what: About::Acknowledged { version }, seen };
    match app.records.answer(open.record, actor, name, Some(visit.id), answer).await {
        // Said twice, it is said.
        Ok(()) | Err(RecordRefusal::AlreadyDecided) => reply(&ReadVersion { version, read }),
        Err(RecordRefusal::Busy | RecordRefusal::StorageFull | RecordRefusal::StorageAway) => {
            Err(Problem::new(ProblemCode::StoreAway))
        }
        Err(_) => Err(Problem::new(ProblemCode::ChangedMeanwhile)),
    }
}

fn is_read(open: &Open) -> Result<bool, Problem> {
    use clinical::field::{Address, FieldName};

    let version = open.version()?;
    let at = Address { row: None, field: FieldName::Receipts };
    let receipts = open.plan()?.register(&at).value().and_then(Value::read::<Receipts>);
    let receipts = receipts.unwrap_or_default().0;
    Ok(receipts.iter().any(|one| one.of == version && one.what == Reception::Acknowledged))
}

async fn entry(
    app: &App,
    seated: &Seated,
    open: &Open,
    action: &'static str,
) -> Result<Entry, Problem> {
    let patient = patient::of_record(&app.store, &app.vault, open.record).await?;
    Ok(Entry {
        at_ms: now(),
        person: Some(seated.seat.person),
        role: Some(seated.seat.role),
        on_behalf_of: None,
        action,
        outcome: Outcome::Done,
        patient: patient.map(|(patient, _)| patient),
        object: format!("record:{}", open.record),
        visit: Some(seated.visit.id),
        detail: None,
    })
}
