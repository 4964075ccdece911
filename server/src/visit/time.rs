//! The billing support sheet of a visit over HTTP: read, attested to, adjusted; and the time of a call that goes on.

mod sql;
mod store;

pub(crate) use sql::ALL;
pub(crate) use store::{Known, add_event, know, known_until};

use std::path::{Path, PathBuf};

use axum::extract::State;
use axum::response::Response;
use clinical::actor::{Millis, Role};
use clinical::field::DocKind;
use clinical::id::{PatientId, PersonId, VisitId};
use clinical::phi::Phi;
use clinical::time::rules::{PayerChoice, RuleTable, TableError};
use clinical::time::sheet::{Consult, Facts, Going, Said, Sheet, SheetCommand, sheet};
use clinical::time::units::Done;
use clinical::time::{Attendance, Setting, is_running};
use clinical::value::{Check as _, PartialDate};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use signaling::message::PatientFacts;
use signaling::role::{self, SheetAccess};
use signaling::visit::VisitKind;
use uuid::Uuid;

use crate::audit::{self, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, Json, reply};
use crate::record::writer::Work;
use crate::store::{Store, StoreError, now};
use crate::vault::KeyOf;
use crate::{patient, person};

/// The rules that ship: an example, which nobody has compared with a payer's manual.
const EXAMPLE: &str = include_str!("../../rules/example.json");

/// Rows a sheet may have. More than a pharmacist says; a browser that says it again and again stops there.
const ENTRIES: usize = 200;

/// By what a sheet is made.
#[derive(Clone, Debug)]
pub struct Terms {
    table: RuleTable,
    zone: TimeZone,
}

/// Why the server does not start with these terms: what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TermsError {
    /// The table cannot be read.
    #[error("the payers' rules {} cannot be read ({why}): check --payer-rules", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// It is no table.
    #[error("the payers' rules {} are refused at {why}. Mend them, or start without --payer-rules", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Where and why.
        why: TableError,
    },
    /// The zone is not known.
    #[error("--time-zone {zone} is no time zone: write it as America/New_York")]
    Zone {
        /// What was asked for.
        zone: String,
    },
}

impl Terms {
    /// Reads the table of rules, or takes the example, and finds the practice's zone.
    ///
    /// # Errors
    /// See [`TermsError`]; each says what to do.
    pub fn read(rules: Option<&Path>, zone: &str) -> Result<Self, TermsError> {
        let (path, text) = match rules {
            None => (Path::new("(the example)"), EXAMPLE.to_owned()),
            Some(path) => {
                let unreadable = |why| TermsError::Unreadable { path: path.to_path_buf(), why };
                (path, std::fs::read_to_string(path).map_err(unreadable)?)
            }
        };
        let refused = |why| TermsError::Refused { path: path.to_path_buf(), why };
        let table = RuleTable::parse(&text).map_err(refused)?;
        let no_zone = |_unknown| TermsError::Zone { zone: zone.to_owned() };
        Ok(Self { table, zone: TimeZone::get(zone).map_err(no_zone)? })
    }

    /// The practice's zone.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The day of an instant where the practice is: a visit on a summer evening is not of the next day.
    pub fn day(&self, at: Millis) -> PartialDate {
        day_in(&self.zone, at)
    }
}

/// When a visit booked for an hour took place, if it did ([`clinical::touchpoint::held`]).
pub(super) async fn held(
    store: &Store,
    visit: VisitId,
    starts: Millis,
) -> Result<Option<Millis>, StoreError> {
    let calls = store::calls(store, visit).await?;
    let calls: Vec<Attendance> = calls.into_iter().map(|call| call.attendance).collect();
    Ok(clinical::touchpoint::held(&calls, starts))
}

/// The number to call back that the patient said last in this visit, if they said one.
pub(super) async fn callback(app: &App, visit: VisitId) -> Result<Option<Phi<String>>, Problem> {
    let said = store::said(&app.store, &app.vault, visit).await?;
    let last = said.into_iter().rev().find_map(|entry| match entry.what {
        SheetCommand::Attest { attestation } => Some(attestation.callback),
        SheetCommand::Bill { .. } | SheetCommand::Adjust { .. } => None,
    });
    Ok(last.filter(|number| !number.trim().is_empty()).map(Phi::new))
}

/// The day of an instant in a zone.
pub(crate) fn day_in(zone: &TimeZone, at: Millis) -> PartialDate {
    let local = Timestamp::from_millisecond(at.0).map(|at| zone.to_datetime(at).date());
    // An instant outside the calendar: the day by plain counting.
    local
        .ok()
        .and_then(|day| PartialDate::parse(&day.to_string()))
        .unwrap_or_else(|| PartialDate::of(at))
}

/// Reply of `GET` and `POST /api/seats/{seat}/sheet`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct SheetReply {
    /// The visit.
    pub visit: VisitId,
    /// Its kind.
    pub kind: VisitKind,
    /// Whom it is about.
    pub patient: Option<PatientFacts>,
    /// The pharmacists of the visit.
    #[cfg_attr(feature = "typescript", ts(type = "Array<string>"))]
    pub pharmacists: Vec<Phi<String>>,
    /// The practice's name.
    pub practice: String,
    /// The practice's time zone, for the hours on the sheet.
    pub zone: String,
    /// Whether this seat may say something to it.
    pub writable: bool,
    /// Whom it can be made for.
    pub payers: Vec<PayerChoice>,
    /// The sheet.
    pub sheet: Sheet,
}

/// Reply of `GET /api/seats/{seat}/timer`: the pharmacist's clock during the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Timer {
    /// Counted so far, in seconds.
    pub counted_s: u32,
    /// Whether it runs: both sides have live media.
    pub running: bool,
    /// The counted second at which there is more; absent without a payer, or if time brings no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub next_threshold_s: Option<u32>,
}

/// `GET /api/seats/{seat}/timer`. Says nothing of the patient, so that it may be asked every few seconds without a row
/// in the log for each.
pub(crate) async fn timer(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    let SheetAccess::Write = access(&seated)? else {
        return Err(Problem::new(ProblemCode::NotFound));
    };
    let time = Time::of(&app, seated.visit.id).await?;
    // The clock shows where time alone leads; what else a level asks for stands on the sheet.
    let all = Done { drugs: u32::MAX, problems: u32::MAX, conditions: u32::MAX, interventions: 0 };
    let sheet = time.sheet(&app, seated.visit.kind, all, &time.nameless());
    let running = time.going == Going::On && is_running(&time.calls, Setting::Remote);
    let Sheet { counted_s, next_threshold_s, .. } = sheet;
    reply(&Timer { counted_s, running, next_threshold_s })
}

/// `GET /api/seats/{seat}/sheet`.
pub(crate) async fn read(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    let access = match access(&seated) {
        Ok(access) => access,
        Err(problem) => return Err(denied(&app, &seated, "billing.read", problem).await),
    };
    let about = About::of(&app, &seated).await?;
    // Written first: what cannot be written down is not shown.
    app.writer.audit(vec![entry(&seated, &about, "billing.read", Outcome::Done)]).await?;
    answer(&app, &seated, about, access).await
}

/// `POST /api/seats/{seat}/sheet`: attests, chooses the payer, or adjusts; answers the sheet that follows.
pub(crate) async fn say(
    State(app): State<App>,
    seated: Seated,
    Json(command): Json<SheetCommand>,
) -> Result<Response, Problem> {
    let action = match &command {
        SheetCommand::Attest { .. } => "billing.attested",
        SheetCommand::Bill { .. } => "billing.chosen",
        SheetCommand::Adjust { .. } => "billing.adjusted",
    };
    match access(&seated) {
        Ok(SheetAccess::Write) => {}
        Ok(SheetAccess::Read) => {
            let problem = Problem::new(ProblemCode::NotAllowed);
            return Err(denied(&app, &seated, action, problem).await);
        }
        Err(problem) => return Err(denied(&app, &seated, action, problem).await),
    }
    command.check().map_err(|_wrong| Problem::new(ProblemCode::BadRequest))?;
    let visit = seated.visit.id;
    if store::said(&app.store, &app.vault, visit).await?.len() >= ENTRIES {
        return Err(Problem::new(ProblemCode::BadRequest));
    }
    let about = About::of(&app, &seated).await?;
    let of = about.patient.map_or(KeyOf::Organisation, KeyOf::Patient);
    let dek = app.vault.key(&app.store, of).await?;
    let id = Uuid::now_v7().to_string();
    let said = store::Entry { by: seated.seat.person, at: now(), what: command };
    let first = vec![store::say(&dek, &id, visit, &said)?];
    let audit = vec![audit::Entry {
        object: format!("sheet_entry:{id}"),
        ..entry(&seated, &about, action, Outcome::Done)
    }];
    app.writer.store(Work { first, audit, ..Work::default() }).await.committed()?;
    answer(&app, &seated, about, SheetAccess::Write).await
}

/// What a seat may do here. "Not yours" and "not there" answer alike.
fn access(seated: &Seated) -> Result<SheetAccess, Problem> {
    let access = role::sheet(seated.seat.role).filter(|_| seated.visit.kind.has_billing_timer());
    access.ok_or_else(|| Problem::new(ProblemCode::NotFound))
}

/// Writes the refusal down, then answers it.
async fn denied(app: &App, seated: &Seated, action: &'static str, problem: Problem) -> Problem {
    let about = About { patient: None, facts: None };
    match app.writer.audit(vec![entry(seated, &about, action, Outcome::Denied)]).await {
        Ok(()) => problem,
        Err(error) => error.into(),
    }
}

/// Whom the visit is about.
#[derive(Clone, Debug)]
struct About {
    patient: Option<PatientId>,
    facts: Option<PatientFacts>,
}

impl About {
    async fn of(app: &App, seated: &Seated) -> Result<Self, Problem> {
        let found = match seated.visit.record {
            None => None,
            Some(record) => patient::of_record(&app.store, &app.vault, record).await?,
        };
        let (patient, facts) = found.unzip();
        Ok(Self { patient, facts })
    }
}

fn entry(seated: &Seated, about: &About, action: &'static str, outcome: Outcome) -> audit::Entry {
    audit::Entry {
        at_ms: now(),
        person: Some(seated.seat.person),
        role: Some(seated.seat.role),
        on_behalf_of: None,
        action,
        outcome,
        patient: about.patient,
        object: format!("sheet:{}", seated.visit.id),
        visit: Some(seated.visit.id),
        detail: None,
    }
}

async fn answer(
    app: &App,
    seated: &Seated,
    about: About,
    access: SheetAccess,
) -> Result<Response, Problem> {
    let visit = &seated.visit;
    let time = Time::of(app, visit.id).await?;
    let mut said = time.nameless();
    for one in &mut said {
        one.name = name(app, one.by).await?;
    }
    let mut pharmacists = Vec::new();
    for seat in super::seats(&app.store, visit.id).await? {
        if seat.role == Role::Pharmacist && !seat.revoked {
            pharmacists.push(name(app, seat.person).await?);
        }
    }
    let docs = match visit.record {
        None => Vec::new(),
        Some(record) => super::takeaway::load(app, record).await?,
    };
    let plan = docs.iter().map(|held| &held.doc).find(|doc| doc.kind() == DocKind::Plan);
    let done = plan.map(Done::of_plan).unwrap_or_default();
    let sheet = time.sheet(app, visit.kind, done, &said);
    reply(&SheetReply {
        visit: visit.id,
        kind: visit.kind,
        patient: about.facts,
        pharmacists,
        practice: app.config.practice.name.clone(),
        zone: app.config.practice.zone.clone(),
        writable: access == SheetAccess::Write,
        payers: app.terms.table.payers(&sheet.day),
        sheet,
    })
}

async fn name(app: &App, who: PersonId) -> Result<Phi<String>, Problem> {
    let person = person::person(&app.store, &app.vault, who).await?;
    Ok(person.map(|person| person.name).unwrap_or_default())
}

/// All that is known of a visit's time.
struct Time {
    calls: Vec<Attendance>,
    going: Going,
    day: PartialDate,
    said: Vec<store::Entry>,
}

impl Time {
    async fn of(app: &App, visit: VisitId) -> Result<Self, Problem> {
        let now = now();
        let live = app.calls.live_call(visit).await;
        let known = store::calls(&app.store, visit).await?;
        let is_live = |call: &store::Call| !call.over && Some(call.id) == live;
        let going = if known.iter().any(is_live) {
            Going::On
        } else if known.iter().any(|call| !call.over) {
            Going::Cut
        } else {
            Going::Over
        };
        let began = known.iter().flat_map(|call| call.attendance.events.first()).next();
        let day = app.terms.day(began.map_or(now, |event| event.at));
        let calls = known
            .into_iter()
            .map(|call| {
                let until = if is_live(&call) { now } else { call.attendance.until };
                Attendance { until, ..call.attendance }
            })
            .collect();
        let said = store::said(&app.store, &app.vault, visit).await?;
        Ok(Self { calls, going, day, said })
    }

    /// What was said, before anybody is named.
    fn nameless(&self) -> Vec<Said<SheetCommand>> {
        let said = self.said.iter().map(|store::Entry { by, at, what }| Said {
            by: *by,
            name: Phi::default(),
            at: *at,
            what: what.clone(),
        });
        said.collect()
    }

    fn sheet(&self, app: &App, kind: VisitKind, done: Done, said: &[Said<SheetCommand>]) -> Sheet {
        let consult = match kind {
            VisitKind::InitialConsult => Consult::First,
            VisitKind::FollowUp | VisitKind::Huddle | VisitKind::Echo | VisitKind::Curbside => {
                Consult::Later
            }
        };
        sheet(&Facts {
            table: &app.terms.table,
            day: self.day.clone(),
            consult,
            calls: &self.calls,
            going: self.going,
            done,
            said,
        })
    }
}
