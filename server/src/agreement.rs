//! Agreements of collaborative drug therapy management over HTTP: drafted, signed, consented to, reported on, ended.
//!
//! An agreement is kept beside the record, sealed under its patient's key. What it comes to, and who may write what in
//! which order, is decided in `clinical::cdtm`; who may at all, in `signaling::role`. What a pharmacist does under one is
//! a command of the record, which asks [`Facts`] first.

mod export;
mod sql;
pub(crate) mod store;
pub mod view;

pub(crate) use export::export;
pub use export::{AgreementExport, InspectionLine, InspectionList};
pub(crate) use sql::ALL;
pub use view::{AgreementAnswer, AgreementView, Agreements};

use std::path::{Path, PathBuf};

use axum::extract::State;
use axum::response::Response;
use clinical::actor::{Millis, Role};
use clinical::cdtm::agreement::{Agreement, Now, Standing, Who};
use clinical::cdtm::day::Day;
use clinical::cdtm::entry::{Act, ActName, ConsentAnswer, Deed, Entry, Refusal};
use clinical::cdtm::template::{TemplateError, Templates};
use clinical::cdtm::terms::PatientBlock;
use clinical::consent::cdtm_withdrawn;
use clinical::field::DocKind;
use clinical::id::{AgreementId, EntryId, PatientId, RecordId};
use clinical::phi::Phi;
use jiff::tz::TimeZone;
use serde::Deserialize;
use signaling::role;
use signaling::visit::Entry as Way;
use uuid::Uuid;

use crate::audit::{self, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, Json, reply};
use crate::record::writer::{Answer, Work, Writer};
use crate::record::{self, LoadedRecord};
use crate::store::{Store, StoreError, now};
use crate::vault::{KeyOf, Vault, VaultError};
use crate::visit::Seat;
use crate::visit::time::day_in;
use crate::{patient, person};
use view::{Party, view};

/// The rules that ship.
const SHIPPED: &str = include_str!("../rules/cdtm.json");

/// Agreements of one patient. One for each disease and each year of care stays far below.
const OF_ONE_PATIENT: usize = 50;

/// How often an end is tried again when the record took its place. Each time something was stored meanwhile.
const ATTEMPTS: u32 = 5;

/// By what agreements are judged.
#[derive(Clone, Debug)]
pub struct Rules {
    templates: Templates,
    zone: TimeZone,
}

/// Why the server does not start with these rules.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The file cannot be read.
    #[error("the rules of agreements {} cannot be read ({why}): check --cdtm-rules", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// It holds no rules.
    #[error("the rules of agreements {} are refused: {why}. Mend them, or start without --cdtm-rules", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Where and why.
        why: TemplateError,
    },
}

impl Rules {
    /// Reads the rules of the jurisdictions, or takes those that ship. `zone` is the practice's: of its days.
    ///
    /// # Errors
    /// See [`RulesError`]; each says what to do.
    pub fn read(file: Option<&Path>, zone: TimeZone) -> Result<Self, RulesError> {
        let (path, text) = match file {
            None => (Path::new("(those that ship)"), SHIPPED.to_owned()),
            Some(path) => {
                let unreadable = |why| RulesError::Unreadable { path: path.to_path_buf(), why };
                (path, std::fs::read_to_string(path).map_err(unreadable)?)
            }
        };
        let refused = |why| RulesError::Refused { path: path.to_path_buf(), why };
        Ok(Self { templates: Templates::parse(&text).map_err(refused)?, zone })
    }

    /// The rules that ship, with days in UTC.
    ///
    /// # Errors
    /// They do not read: a bug.
    pub fn shipped() -> Result<Self, RulesError> {
        Self::read(None, TimeZone::UTC)
    }

    /// What the jurisdictions ask for.
    pub const fn templates(&self) -> &Templates {
        &self.templates
    }

    /// The day of an instant where the practice is.
    pub fn day(&self, at: Millis) -> Day {
        Day::parse(day_in(&self.zone, at).as_str()).unwrap_or_else(|| Day::of(at))
    }

    fn now(&self, at_ms: Millis, withdrawn_in_record: bool) -> Now<'_> {
        Now { at_ms, day: self.day(at_ms), templates: &self.templates, withdrawn_in_record }
    }
}

/// Body of `POST /api/seats/{seat}/agreements`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct ActOnAgreement {
    /// Which; of a new one made by the client.
    agreement: AgreementId,
    /// Made by the client. The same one twice is done once.
    id: EntryId,
    /// `seen` of the agreement looked at; 0 for a new one.
    seen: u32,
    /// What.
    #[cfg_attr(feature = "typescript", ts(type = "AgreementAct"))]
    act: Phi<serde_json::Value>,
}

/// `GET /api/seats/{seat}/agreements`.
pub(crate) async fn list(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    let alone = app.agreement_writes.lock().await;
    let case = Case::of(&app, &seated).await?;
    drop(alone);
    // Written first: what cannot be written down is not shown.
    app.writer.audit(vec![case.entry(&seated, "cdtm.read", Outcome::Done, None)]).await?;
    reply(&case.agreements(&app).await?)
}

/// `POST /api/seats/{seat}/agreements`: does something with one; answers how they stand then.
pub(crate) async fn act(
    State(app): State<App>,
    seated: Seated,
    Json(ActOnAgreement { agreement: id, id: entry_id, seen, act }): Json<ActOnAgreement>,
) -> Result<Response, Problem> {
    let act: Act = match serde_json::from_value(act.into_exposed()) {
        Ok(act) => act,
        Err(wrong) => {
            // Asked first: who reads no agreements is not told what is wrong with one.
            Case::of(&app, &seated).await?;
            return refused(&bad_shape(&wrong));
        }
    };
    // Until it is stored: who comes second sees what the first wrote. Against the record, which writes by itself, the
    // place in the agreement decides.
    let _alone = app.agreement_writes.lock().await;
    let mut case = Case::of(&app, &seated).await?;
    if !role::may_act_on_agreement(seated.seat.role, act.name()) {
        let denied = case.entry(&seated, action_of(&act), Outcome::Denied, Some(id));
        app.writer.audit(vec![denied]).await?;
        return Err(Problem::new(ProblemCode::NotAllowed));
    }
    let mut attempt = 0;
    loop {
        let known = case.agreements.iter().find(|agreement| agreement.id() == id);
        // Sent again after a lost line, or stored just now.
        if known.is_some_and(|agreement| agreement.holds(entry_id)) {
            return reply(&AgreementAnswer::Done { agreements: case.agreements(&app).await? });
        }
        let entry = match decide(&app, &case, id, entry_id, act.clone(), seen)? {
            Ok(entry) => entry,
            Err(why) => {
                if why == Refusal::NotYours {
                    let denied = case.entry(&seated, action_of(&act), Outcome::Denied, Some(id));
                    app.writer.audit(vec![denied]).await?;
                }
                return refused(&why);
            }
        };
        let line = case.entry(&seated, action_of(&act), Outcome::Done, Some(id));
        let kept = keep(&app, case.patient, id, known, &entry, line).await?;
        case = Case::of(&app, &seated).await?;
        match kept {
            Kept::Stored => {}
            // The record was first, and an end does not ask after what.
            Kept::Taken if act.holds_whatever_came_before() && attempt < ATTEMPTS => attempt += 1,
            // Somebody was first, or the id is of something else.
            Kept::Taken => return refused(&Refusal::ChangedSince),
        }
    }
}

/// The entry an act becomes, or why it does not.
fn decide(
    app: &App,
    case: &Case,
    id: AgreementId,
    entry: EntryId,
    act: Act,
    seen: u32,
) -> Result<Result<Entry, Refusal>, Problem> {
    let at_ms = now();
    let known = case.agreements.iter().find(|agreement| agreement.id() == id);
    Ok(match known {
        Some(agreement) => {
            let now = app.agreements.now(at_ms, case.is_withdrawn(agreement));
            agreement.decide(entry, &case.who, &now, act, seen)
        }
        None if act.name() != ActName::Draft || seen != 0 => {
            return Err(Problem::new(ProblemCode::NotFound));
        }
        None if case.agreements.len() >= OF_ONE_PATIENT => Err(Refusal::Full),
        None => Agreement::begin(entry, &case.who, &app.agreements.now(at_ms, false), act),
    })
}

fn refused(why: &Refusal) -> Result<Response, Problem> {
    reply(&AgreementAnswer::Refused { why: why.clone() })
}

/// What is wrong with an act that is none. The parser's own words may repeat what was sent, and are not told.
fn bad_shape(wrong: &serde_json::Error) -> Refusal {
    let text = wrong.to_string();
    let field = ["not a decimal", "not a day"].into_iter().find(|known| text.starts_with(known));
    Refusal::BadValue { field: field.unwrap_or_default().to_owned() }
}

/// The name of an act in the log of accesses.
const fn action_of(act: &Act) -> &'static str {
    match act {
        Act::Draft { .. } => "cdtm.drafted",
        Act::Sign => "cdtm.signed",
        Act::Consent { answer: ConsentAnswer::Given, .. } => "cdtm.consented",
        Act::Consent { answer: ConsentAnswer::Declined, .. } => "cdtm.declined",
        Act::Consent { answer: ConsentAnswer::Withdrawn, .. } => "cdtm.withdrawn",
        Act::Register { .. } => "cdtm.registered",
        Act::Report { .. } => "cdtm.report",
        Act::Review { .. } => "cdtm.reviewed",
        Act::Revoke { .. } => "cdtm.revoked",
    }
}

enum Kept {
    Stored,
    Taken,
}

/// Stores an entry with its line in the log of accesses, or neither.
async fn keep(
    app: &App,
    patient: PatientId,
    id: AgreementId,
    known: Option<&Agreement>,
    entry: &Entry,
    line: audit::Entry,
) -> Result<Kept, Problem> {
    let dek = app.vault.key(&app.store, KeyOf::Patient(patient)).await?;
    let mut first = Vec::new();
    if let (None, Some(physician)) = (known, entry.by) {
        first.push(store::add(id, patient, physician, entry.at_ms));
    }
    let n = known.map_or(0, Agreement::seen).saturating_add(1);
    first.extend(store::write(&dek, id, patient, n, entry)?);
    let work = Work { first, audit: vec![line], ..Work::default() };
    match app.writer.store(work).await {
        Answer::OutOfStep => Ok(Kept::Taken),
        answer => {
            answer.committed()?;
            Ok(Kept::Stored)
        }
    }
}

/// A seat with the agreements of its patient.
struct Case {
    patient: PatientId,
    record: RecordId,
    who: Who,
    agreements: Vec<Agreement>,
    withdrawn_in_record: Option<Millis>,
}

impl Case {
    /// For whoever reads agreements, and was let in. "Not yours" and "not there" answer alike.
    async fn of(app: &App, seated: &Seated) -> Result<Self, Problem> {
        let nothing = || Problem::new(ProblemCode::NotFound);
        let Seated { session: _, seat, visit } = seated;
        let waits = visit.kind.entry(seat.role) == Way::Waits && !seat.was_admitted;
        let record = visit.record.filter(|_record| !waits).ok_or_else(nothing)?;
        if !role::may_read_agreements(seat.role) && !acts_by_law(app, record, seat).await? {
            return Err(nothing());
        }
        let found = patient::of_record(&app.store, &app.vault, record).await?;
        let (patient, _facts) = found.ok_or_else(nothing)?;
        let known = person::person(&app.store, &app.vault, seat.person).await?;
        let name = known.map(|person| person.name).unwrap_or_default();
        let who = Who { person: seat.person, role: seat.role, name };
        let agreements = store::of_patient(&app.store, &app.vault, patient).await?;
        let withdrawn_in_record =
            if agreements.is_empty() { None } else { withdrawn(app, record).await? };
        let mut case = Self { patient, record, who, agreements, withdrawn_in_record };
        if case.note_lapses(app, seated).await? {
            case.agreements = store::of_patient(&app.store, &app.vault, patient).await?;
        }
        Ok(case)
    }

    fn is_withdrawn(&self, agreement: &Agreement) -> bool {
        let given = agreement.consented_at();
        self.withdrawn_in_record.is_some_and(|at| given.is_none_or(|given| given < at))
    }

    /// How they stand, for this seat.
    async fn agreements(&self, app: &App) -> Result<Agreements, Problem> {
        let at_ms = now();
        let may_draft = role::may_act_on_agreement(self.who.role, ActName::Draft);
        let staff = person::staff(&app.store, &app.vault).await?;
        let party =
            |person: &person::Person| Party { person: person.person, name: person.name.clone() };
        let mut agreements = Vec::with_capacity(self.agreements.len());
        for agreement in &self.agreements {
            let now = app.agreements.now(at_ms, self.is_withdrawn(agreement));
            let Some(mut view) = view(agreement, &self.who, &now) else { continue };
            let named = agreement.terms().pharmacist;
            view.pharmacist = staff.iter().find(|person| Some(person.person) == named).map(party);
            agreements.push(view);
        }
        let today = app.agreements.day(at_ms);
        let pharmacists = staff.iter().filter(|_person| may_draft);
        let templates = app.agreements.templates.on(today).filter(|_template| may_draft);
        Ok(Agreements {
            today,
            may_draft,
            may_export: role::may_export_agreements(self.who.role),
            templates: templates.cloned().collect(),
            pharmacists: pharmacists
                .filter(|person| person.role == Role::Pharmacist)
                .map(party)
                .collect(),
            patient: Phi::new(if may_draft {
                self.chart(app).await?
            } else {
                PatientBlock::default()
            }),
            agreements,
        })
    }

    /// Writes down, the first time somebody looks, that a term is over or that the consent was taken back in the record.
    /// Answers whether something was.
    async fn note_lapses(&self, app: &App, seated: &Seated) -> Result<bool, Problem> {
        let mut noted = false;
        for agreement in &self.agreements {
            let now = app.agreements.now(now(), self.is_withdrawn(agreement));
            let Some(entry) = agreement.lapsed(EntryId(Uuid::now_v7()), &now) else { continue };
            let action =
                if entry.deed == Deed::Expired { "cdtm.expired" } else { "cdtm.withdrawn" };
            let line = audit::Entry {
                person: None,
                role: None,
                ..self.entry(seated, action, Outcome::Done, Some(agreement.id()))
            };
            // Taken: somebody else noted it, or wrote meanwhile. What follows loads it again.
            keep(app, self.patient, agreement.id(), Some(agreement), &entry, line).await?;
            noted = true;
        }
        Ok(noted)
    }

    /// What the chart knows of whom the order set names.
    async fn chart(&self, app: &App) -> Result<PatientBlock, Problem> {
        let found = patient::chart_of(&app.store, &app.vault, self.record).await?;
        let Some((_patient, facts)) = found else { return Ok(PatientBlock::default()) };
        let born = facts.birth_date.map(Phi::into_exposed);
        let gender = serde_json::to_value(facts.sex.expose()).unwrap_or_default();
        Ok(PatientBlock {
            name: facts.name.into_exposed(),
            // A chart's address is not read: it is typed.
            address: String::new(),
            gender: gender.as_str().unwrap_or_default().to_owned(),
            dob: born.and_then(|born| Day::parse(born.as_str())),
            phone: facts.phones.into_iter().next().map(Phi::into_exposed).unwrap_or_default(),
        })
    }

    fn entry(
        &self,
        seated: &Seated,
        action: &'static str,
        outcome: Outcome,
        agreement: Option<AgreementId>,
    ) -> audit::Entry {
        let object = match agreement {
            Some(agreement) => format!("agreement:{agreement}"),
            None => format!("record:{}/agreements", self.record),
        };
        audit::Entry {
            at_ms: now(),
            person: Some(self.who.person),
            role: Some(self.who.role),
            on_behalf_of: None,
            action,
            outcome,
            patient: Some(self.patient),
            object,
            visit: Some(seated.visit.id),
            detail: None,
        }
    }
}

/// Whether the patient's record says that somebody reads agreements for the patient. They read: a consent they give or
/// take back in the record's list of consents, where a withdrawal ends the agreement at once.
async fn acts_by_law(app: &App, record: RecordId, seat: &Seat) -> Result<bool, Problem> {
    let loaded = load(app, record).await?;
    Ok(record::hand(&loaded.docs, seat.role, seat.person).may_read_agreements())
}

async fn load(app: &App, record: RecordId) -> Result<LoadedRecord, StoreError> {
    record::load(&app.store, &app.vault, record).await.map_err(|error| {
        tracing::error!(record.id = %record, %error, "a record does not open");
        StoreError::Row
    })
}

/// When the patient took the consent back in the record.
async fn withdrawn(app: &App, record: RecordId) -> Result<Option<Millis>, Problem> {
    let loaded = load(app, record).await?;
    let voice = loaded.docs.iter().find(|held| held.doc.kind() == DocKind::Voice);
    Ok(voice.and_then(|held| cdtm_withdrawn(&held.doc)))
}

/// How many agreements there are, and a sentence for each that is not what was written: for `mortar verify`.
///
/// # Errors
/// The store said no.
pub async fn verify(store: &Store, vault: &Vault) -> Result<(u64, Vec<String>), StoreError> {
    store::verify(store, vault).await
}

/// Every agreement for the operator: who, since when, how it stands. No patient's name, no clinical text.
///
/// # Errors
/// They do not read, or the list cannot be written into the log of accesses.
pub async fn listed(
    store: &Store,
    vault: &Vault,
    writer: &Writer,
    rules: &Rules,
) -> Result<Vec<Listed>, VaultError> {
    let at_ms = now();
    let today = rules.day(at_ms);
    let all = store::every(store, vault).await?;
    writer
        .audit(vec![audit::Entry {
            at_ms,
            person: None,
            role: None,
            on_behalf_of: None,
            action: "cdtm.listed",
            outcome: Outcome::Done,
            patient: None,
            object: "agreements".to_owned(),
            visit: None,
            detail: None,
        }])
        .await?;
    let listed = all.iter().map(|agreement| Listed {
        id: agreement.id(),
        patient: agreement.patient(),
        jurisdiction: agreement.terms().jurisdiction.clone(),
        standing: agreement.standing(today, false),
        start: agreement.terms().start,
        end: agreement.terms().end,
        report_in_days: agreement
            .dues(today, false)
            .iter()
            .find(|due| due.what == clinical::cdtm::due::DueKind::Report)
            .map(|due| due.days),
    });
    Ok(listed.collect())
}

/// A line of the operator's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub id: AgreementId,
    /// Whose, as an id.
    pub patient: PatientId,
    /// The template.
    pub jurisdiction: String,
    /// Where it stands. A withdrawal in a record shows once somebody opens the agreement.
    pub standing: Standing,
    /// First day.
    pub start: Option<Day>,
    /// Last day.
    pub end: Option<Day>,
    /// Days until the status report; negative: overdue.
    pub report_in_days: Option<i32>,
}
