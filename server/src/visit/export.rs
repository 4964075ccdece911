//! The record as FHIR, for who may take it along.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use clinical::actor::{Millis, Role};
use clinical::doc::Doc;
use clinical::fhir::PatientFacts;
use clinical::fhir::export::{
    Exported, Practice, Reader, Signed, Source, Writer, care_plan, medication_profile, whole_record,
};
use clinical::field::{Address, DocKind, FieldName};
use clinical::id::{PatientId, PersonId, RecordId, VisitId};
use clinical::record::Record;
use clinical::register::Register;
use clinical::value::Value;
use clinical::version;
use clinical::view::Snapshot;
use serde::{Deserialize, Serialize};
use signaling::role::{self, ExportKind, Shared};
use signaling::visit::Entry as Way;
use uuid::Uuid;

use super::takeaway::load;
use super::{Seat, Visit};
use crate::audit::{Entry, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, Json};
use crate::person::{self, Person};
use crate::store::now;
use crate::{config, patient, record};

/// Body of `POST /api/seats/{seat}/export`. A body, so that no address tells what somebody took along and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// Which bundle.
    pub kind: ExportKind,
    /// What for. It stands in the log of accesses.
    pub reason: ExportReason,
}

/// What an export is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ExportReason {
    /// Another professional treats the patient (45 CFR §164.506(c)).
    Treatment,
    /// The patient asked for it (45 CFR §164.524).
    PatientRequest,
    /// Another record system of the practice.
    OwnSystem,
}

impl ExportReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Treatment => "treatment",
            Self::PatientRequest => "patient_request",
            Self::OwnSystem => "own_system",
        }
    }
}

/// `POST /api/seats/{seat}/export`: the bundle, `application/fhir+json`.
pub(crate) async fn export(
    State(app): State<App>,
    Seated { session: _, seat, visit }: Seated,
    Json(ExportRequest { kind, reason }): Json<ExportRequest>,
) -> Result<Response, Problem> {
    let nothing = || Problem::new(ProblemCode::NotFound);
    let Some(record_id) = visit.record else { return Err(nothing()) };
    let Some((patient_id, _facts)) = patient::chart_of(&app.store, &app.vault, record_id).await?
    else {
        return Err(nothing());
    };
    let entry = |outcome| Entry {
        at_ms: now(),
        person: Some(seat.person),
        role: Some(seat.role),
        on_behalf_of: None,
        action: "export.batch",
        outcome,
        patient: Some(patient_id),
        object: format!("record:{record_id}/{}/{}", kind.as_str(), reason.as_str()),
        visit: Some(visit.id),
        detail: None,
    };
    // A seat nobody ever let in, and a role that may not: both answer as if there were nothing.
    let waits = visit.kind.entry(seat.role) == Way::Waits && !seat.was_admitted;
    if waits || !role::may_export(seat.role, kind) {
        app.writer.audit(vec![entry(Outcome::Denied)]).await?;
        return Err(nothing());
    }
    let sheets = Sheets::read(&app, &seat, &visit, record_id).await?.ok_or_else(nothing)?;
    // Written first: what cannot be written down does not leave.
    app.writer.audit(vec![entry(Outcome::Done)]).await?;
    let own = seat.role == Role::Patient || reason == ExportReason::PatientRequest;
    let reader = if own { Reader::Patient } else { Reader::Elsewhere };
    let source = sheets.source(&app, reader, now());
    let (Exported { json, withheld: _ }, file) = match kind {
        ExportKind::MedicationProfile => (medication_profile(&source), "medication-profile.json"),
        ExportKind::CarePlan => (care_plan(&source), "pharmacist-care-plan.json"),
        ExportKind::WholeRecord => (whole_record(&source), "record.json"),
    };
    let headers = [
        (header::CONTENT_TYPE, "application/fhir+json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
    ];
    Ok((headers, json).into_response())
}

/// Everything a bundle is made of, as one seat reads it.
pub(super) struct Sheets {
    /// Whom it is about.
    pub(super) patient: PatientId,
    facts: PatientFacts,
    record: Record,
    people: BTreeMap<PersonId, Writer>,
    author: PersonId,
    practice: Practice,
    signed: Option<Signed>,
    held: BTreeMap<VisitId, Millis>,
}

impl Sheets {
    /// Reads them; nothing if there is no chart, or the patient shuts this seat out.
    pub(super) async fn read(
        app: &App,
        seat: &Seat,
        visit: &Visit,
        record: RecordId,
    ) -> Result<Option<Self>, Problem> {
        let Some((patient, facts)) = patient::chart_of(&app.store, &app.vault, record).await?
        else {
            return Ok(None);
        };
        let held = load(app, record).await?;
        let hand = record::hand(&held, seat.role, seat.person);
        if hand.is_shut_out() {
            return Ok(None);
        }
        let docs: Vec<Doc> = held.into_iter().map(|held| held.doc).collect();
        let shared =
            docs.iter().find(|doc| doc.kind() == DocKind::Plan).is_some_and(|plan| plan.shared());
        let shared = if shared { Shared::Yes } else { Shared::No };
        let seen: Vec<Snapshot> = docs
            .iter()
            .filter_map(|doc| Some(doc.snapshot(hand.view(doc.kind(), shared)?)))
            .collect();
        let record = Record::of(&seen.iter().collect::<Vec<_>>())
            .map_err(|_damaged| Problem::new(ProblemCode::StoreAway))?;
        let config::Practice { name, phone, sign_requires: _, step_up: _, zone: _, camera: _ } =
            &app.config.practice;
        let plan = docs.iter().find(|doc| doc.kind() == DocKind::Plan);
        let held = match plan {
            Some(plan) => super::touchpoint::held(app, plan).await?,
            None => BTreeMap::new(),
        };
        Ok(Some(Self {
            patient,
            facts,
            record,
            people: people(app, patient).await?,
            author: author(app, seat, visit).await?,
            practice: Practice { name: name.clone(), phone: phone.clone() },
            // That a plan was signed is not told to whom nothing of it is.
            signed: hand.view(DocKind::Plan, shared).and_then(|_view| signed(&docs)),
            held,
        }))
    }

    /// The same, to make a bundle of.
    pub(super) fn source(&self, app: &App, reader: Reader, now: Millis) -> Source<'_> {
        Source {
            record: &self.record,
            patient: &self.facts,
            patient_id: self.patient,
            people: &self.people,
            author: self.author,
            practice: &self.practice,
            signed: self.signed,
            document: Uuid::now_v7(),
            reader,
            held: &self.held,
            now,
            today: app.terms.day(now),
        }
    }
}

/// The signed version the plan is; none while it was never signed, or is open again.
fn signed(docs: &[Doc]) -> Option<Signed> {
    let plan = docs.iter().find(|doc| doc.kind() == DocKind::Plan)?;
    let whole = |field| plan.register(&Address { row: None, field });
    let Register::Value { value: Some(value), rev: _, by, at_ms } = whole(FieldName::Signed) else {
        return None;
    };
    let version: version::Signed = value.read()?;
    let revision = whole(FieldName::Revision).value().and_then(Value::read::<version::Revision>);
    if revision.is_some_and(|revision| revision.of == version.version) {
        return None;
    }
    // One version, one identifier: it is made of the hash of what was signed.
    let id = Uuid::parse_str(version.sha256.as_str().get(..32)?).ok()?;
    let id = uuid::Builder::from_bytes(id.into_bytes())
        .with_variant(uuid::Variant::RFC4122)
        .with_version(uuid::Version::Custom)
        .into_uuid();
    Some(Signed { id, version: version.version, by: by.person()?, at_ms: *at_ms })
}

/// Everybody who may have written something.
async fn people(app: &App, patient: PatientId) -> Result<BTreeMap<PersonId, Writer>, Problem> {
    let mut known = person::staff(&app.store, &app.vault).await?;
    known.extend(person::of_patient(&app.store, &app.vault, patient).await?);
    let known = known.into_iter();
    Ok(known.map(|Person { person, role, name }| (person, Writer { name, role })).collect())
}

/// Who answers for it: staff who asks for it themselves, else the pharmacist of the visit.
async fn author(app: &App, seat: &Seat, visit: &Visit) -> Result<PersonId, Problem> {
    if seat.role != Role::Patient {
        return Ok(seat.person);
    }
    let seats = super::seats(&app.store, visit.id).await?;
    let pharmacist = seats.iter().find(|other| other.role == Role::Pharmacist && !other.revoked);
    Ok(pharmacist.map_or(seat.person, |other| other.person))
}
