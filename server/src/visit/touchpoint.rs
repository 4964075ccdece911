//! Touchpoints of the plan beside its text: where each stands, and what somebody says became of it.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, State};
use axum::response::Response;
use clinical::actor::{Actor, Millis};
use clinical::doc::{Doc, TouchpointFacts};
use clinical::field::{DocKind, ListName};
use clinical::id::{EditId, RecordId, RowId, SeatId, VisitId};
use clinical::phi::Phi;
use clinical::touchpoint::{Standing, Step, TouchpointState, TouchpointStep, standing};
use clinical::value::PartialDate;
use serde::{Deserialize, Serialize};
use signaling::message::{CommandName, RecordRefusal};
use signaling::role::{self, Shared};
use signaling::visit::Entry as Way;
use uuid::Uuid;

use super::booking::mail::Mails;
use super::booking::{self, store as bookings};
use super::takeaway::load;
use super::time;
use crate::audit::{Entry, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, Json, reply};
use crate::person;
use crate::record::writer::Work;
use crate::record::{self, About, Answer, Loaded};
use crate::store::{StoreError, now};

/// Reply of `GET` and `POST`: where each touchpoint stands now, in the order of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Touchpoints {
    /// The practice's zone.
    pub zone: String,
    /// The day there.
    pub today: PartialDate,
    /// One for each row that stands in the plan.
    pub rows: Vec<TouchpointLine>,
}

/// Where one touchpoint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct TouchpointLine {
    /// The row.
    pub row: RowId,
    /// Where it stands.
    pub standing: Standing,
    /// When the visit that was booked for it took place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub held_ms: Option<Millis>,
}

/// Body of `POST /api/seats/{seat}/touchpoints/{row}`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct TellTouchpoint {
    /// What.
    pub what: Told,
    /// In own words; needed to cancel.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub note: Phi<String>,
    /// With `done`: the day it took place; without it today.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub on: Option<PartialDate>,
    /// The `seq` of the plan that was looked at.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub seen: u64,
}

/// What somebody says of a touchpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "ToldOfTouchpoint"))]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// It took place, here or elsewhere. A visit that is still to come is cancelled.
    Done,
    /// It did not.
    Missed,
    /// It is not needed any more. A booked visit that did not take place is cancelled.
    Cancel,
    /// It is planned again: that was a mistake, or does not hold any more.
    Reopen,
}

/// `GET /api/seats/{seat}/touchpoints`, for whoever reads the plan.
pub(crate) async fn list(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    let Seated { session: _, seat, visit } = &seated;
    let nothing = || Problem::new(ProblemCode::NotFound);
    if visit.kind.entry(seat.role) == Way::Waits && !seat.was_admitted {
        return Err(nothing());
    }
    let record = visit.record.ok_or_else(nothing)?;
    let docs = load(&app, record).await?;
    let plan = plan_of(&docs)?;
    let shared = if plan.shared() { Shared::Yes } else { Shared::No };
    let hand = record::hand(&docs, seat.role, seat.person);
    hand.view(DocKind::Plan, shared).ok_or_else(nothing)?;
    reply(&lines(&app, plan).await?)
}

/// `POST /api/seats/{seat}/touchpoints/{row}`. It goes on after the plan is signed.
pub(crate) async fn tell(
    State(app): State<App>,
    Path((_seat, row)): Path<(SeatId, RowId)>,
    seated: Seated,
    Json(TellTouchpoint { what, note, on, seen }): Json<TellTouchpoint>,
) -> Result<Response, Problem> {
    let now = now();
    let note = note.into_exposed();
    let step = match what {
        Told::Done => Step::Done { on: on.unwrap_or_else(|| app.terms.day(now)), note },
        Told::Missed => Step::Missed { note },
        Told::Cancel => Step::Cancel { note },
        Told::Reopen => Step::Reopen { note },
    };
    let may = role::may_command(seated.seat.role, CommandName::of_step(&step));
    let docs = match seated.visit.record.filter(|_record| may) {
        Some(record) => Some((record, load(&app, record).await?)),
        None => None,
    };
    let docs = docs.filter(|(_, docs)| {
        !record::hand(docs, seated.seat.role, seated.seat.person).is_shut_out()
    });
    let Some((record, docs)) = docs else {
        let told = booking::entry(&seated, None, "touchpoint.told", None);
        app.writer.audit(vec![Entry { outcome: Outcome::Denied, ..told }]).await?;
        return Err(Problem::new(ProblemCode::NotFound));
    };
    let found = Row::find(&app, plan_of(&docs)?, row).await?;
    let not_needed = match what {
        Told::Done => found.to_come(now, seated.visit.id),
        Told::Cancel => found.not_held(seated.visit.id),
        Told::Missed | Told::Reopen => None,
    };
    let mut work = Work::default();
    if let Some(visit) = not_needed {
        // It ends the links of others.
        if !role::may_book(seated.seat.role) {
            return Err(Problem::new(ProblemCode::NotAllowed));
        }
        booking::may_end(&app, &seated, visit).await?;
        let patient = booking::whom(&app, &seated).await?;
        work.first = vec![bookings::cancel(visit, now), super::store::end_statement(visit, now)];
        if let Some(mails) = Mails::of(&app, record, &docs, now).await? {
            let booked = bookings::booked(&app.store, record).await?;
            let booked = booked.iter().find(|booked| booked.visit == visit && !booked.cancelled);
            work.first.extend(mails.cancelled(visit, booked).await?);
        }
        work.audit = vec![booking::entry(&seated, patient, "visit.cancelled", Some(visit))];
    }
    found.step(&app, &seated, record, step, Some(seen), work).await?;
    if let Some(visit) = not_needed {
        app.calls.end(visit).await;
    }
    let docs = load(&app, record).await?;
    reply(&lines(&app, plan_of(&docs)?).await?)
}

/// The plan of a record.
pub(super) fn plan_of(docs: &[Loaded]) -> Result<&Doc, Problem> {
    let plan = docs.iter().find(|held| held.doc.kind() == DocKind::Plan);
    plan.map(|held| &held.doc).ok_or_else(|| Problem::new(ProblemCode::NotFound))
}

async fn lines(app: &App, plan: &Doc) -> Result<Touchpoints, Problem> {
    let (now, held) = (now(), held(app, plan).await?);
    let today = app.terms.day(now);
    let rows = plan
        .rows(ListName::Touchpoints)
        .iter()
        .filter(|row| !plan.removed(**row))
        .map(|row| {
            let state = plan.touchpoint(*row);
            let content = plan.touchpoint_content(*row);
            let visit = state.as_ref().and_then(|state| state.booked.as_ref());
            let held_ms = visit.and_then(|booked| held.get(&booked.visit)).copied();
            let due = content.as_ref().and_then(|content| content.due.as_ref());
            let standing = standing(due, state.as_ref(), held_ms, now, &today);
            TouchpointLine { row: *row, standing, held_ms }
        })
        .collect();
    Ok(Touchpoints { zone: app.config.practice.zone.clone(), today, rows })
}

/// When the visits booked for the touchpoints of a plan took place.
pub(super) async fn held(app: &App, plan: &Doc) -> Result<BTreeMap<VisitId, Millis>, StoreError> {
    let mut held = BTreeMap::new();
    for row in plan.rows(ListName::Touchpoints) {
        let booked = plan.touchpoint(*row).and_then(|state| state.booked);
        if let Some(booked) = booked
            && let Some(at) = time::held(&app.store, booked.visit, booked.starts_ms).await?
        {
            held.insert(booked.visit, at);
        }
    }
    Ok(held)
}

/// The visits booked for touchpoints of which nobody said yet that they took place.
pub(super) fn waited_for(plan: &Doc) -> BTreeSet<VisitId> {
    let states = plan.rows(ListName::Touchpoints).iter().filter_map(|row| plan.touchpoint(*row));
    states
        .filter(|state| matches!(state.step, TouchpointStep::Booked | TouchpointStep::Missed))
        .filter_map(|state| Some(state.booked?.visit))
        .collect()
}

/// A touchpoint as it was just read, and what the plan does not know of it.
pub(super) struct Row {
    row: RowId,
    state: Option<TouchpointState>,
    /// How far it is.
    step_now: TouchpointStep,
    held: bool,
    /// The `seq` of the plan it was read from.
    seq: u64,
}

impl Row {
    /// The row, if it stands in the plan.
    pub(super) async fn find(app: &App, plan: &Doc, row: RowId) -> Result<Self, Problem> {
        let found = Self::find_any(app, plan, row).await?.filter(|_row| !plan.removed(row));
        found.ok_or_else(|| Problem::new(ProblemCode::NotFound))
    }

    /// The row, if it stands in the plan and waits for a visit, or was missed with it.
    pub(super) async fn waiting_for(
        app: &App,
        plan: &Doc,
        row: RowId,
        visit: VisitId,
    ) -> Result<Option<Self>, Problem> {
        let found = Self::find_any(app, plan, row).await?.filter(|_row| !plan.removed(row));
        let waits = |row: &Self| {
            let open = matches!(row.step_now, TouchpointStep::Booked | TouchpointStep::Missed);
            open && row.visit() == Some(visit)
        };
        Ok(found.filter(waits))
    }

    async fn find_any(app: &App, plan: &Doc, row: RowId) -> Result<Option<Self>, Problem> {
        if !plan.rows(ListName::Touchpoints).contains(&row) {
            return Ok(None);
        }
        let state = plan.touchpoint(row);
        let booked = state.as_ref().and_then(|state| state.booked.as_ref());
        let held = match booked {
            Some(booked) => time::held(&app.store, booked.visit, booked.starts_ms).await?.is_some(),
            None => false,
        };
        let step_now = state.as_ref().map_or(TouchpointStep::Planned, |state| state.step);
        Ok(Some(Self { row, state, step_now, held, seq: plan.seq() }))
    }

    fn visit(&self) -> Option<VisitId> {
        self.state.as_ref().and_then(|state| state.booked.as_ref()).map(|booked| booked.visit)
    }

    /// The visit of which somebody said that it was missed, if nobody met in it after all, and it is not the one this
    /// is said in.
    pub(super) fn missed(&self, here: VisitId) -> Option<VisitId> {
        self.not_held(here).filter(|_visit| self.step_now == TouchpointStep::Missed)
    }

    /// The booked visit of a touchpoint that is not settled, if nobody talked in it, and it is not the one this is said
    /// in.
    fn not_held(&self, here: VisitId) -> Option<VisitId> {
        let open = matches!(self.step_now, TouchpointStep::Booked | TouchpointStep::Missed);
        self.visit().filter(|visit| open && !self.held && *visit != here)
    }

    /// The booked visit that nobody needs once the touchpoint is settled: its hour has not come, nobody talked in it,
    /// and it is not the one this is said in.
    fn to_come(&self, now: Millis, here: VisitId) -> Option<VisitId> {
        let booked = self.state.as_ref().and_then(|state| state.booked.as_ref())?;
        let waits = self.step_now == TouchpointStep::Booked && booked.starts_ms > now;
        self.not_held(here).filter(|_visit| waits)
    }

    /// Takes a step, together with what is stored with it.
    pub(super) async fn step(
        self,
        app: &App,
        seated: &Seated,
        record: RecordId,
        step: Step,
        seen: Option<u64>,
        with: Work,
    ) -> Result<(), Problem> {
        let Seated { session: _, seat, visit } = seated;
        let facts =
            TouchpointFacts { visit: self.visit(), held: self.held, today: app.terms.day(now()) };
        let person = person::person(&app.store, &app.vault, seat.person).await?;
        let name = person.map(|person| person.name).unwrap_or_default();
        let actor = Actor { person: seat.person, seat: seat.id, role: seat.role };
        let answer = Answer {
            id: EditId(Uuid::now_v7()),
            what: About::Touchpoint { row: self.row, step, facts, with: Box::new(with) },
            seen: seen.unwrap_or(self.seq),
        };
        let stored = app.records.answer(record, actor, name, Some(visit.id), answer).await;
        stored.map_err(|code| Problem::new(problem(code)))
    }
}

/// A refusal of the plan as the problem of a request.
const fn problem(code: RecordRefusal) -> ProblemCode {
    match code {
        RecordRefusal::UnknownRow => ProblemCode::NotFound,
        RecordRefusal::NotAllowed => ProblemCode::NotAllowed,
        RecordRefusal::AlreadyBooked => ProblemCode::AlreadyBooked,
        RecordRefusal::BadDecision | RecordRefusal::YetToCome => ProblemCode::BadRequest,
        RecordRefusal::Busy
        | RecordRefusal::StorageFull
        | RecordRefusal::StorageAway
        | RecordRefusal::StorageFailed => ProblemCode::StoreAway,
        _ => ProblemCode::ChangedMeanwhile,
    }
}
