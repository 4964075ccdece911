//! What leaves for a Board: a quarterly report of one agreement, and the list of all CDTM patients for an inspection.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use clinical::cdtm::agreement::{Agreement, Standing};
use clinical::cdtm::day::Day;
use clinical::cdtm::due::{Due, DueKind};
use clinical::cdtm::entry::Deed;
use clinical::id::AgreementId;
use clinical::phi::Phi;
use serde::{Deserialize, Serialize};
use signaling::role;

use super::view::{AgreementView, view};
use super::{Case, store};
use crate::audit::{self, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, Json};
use crate::person;
use crate::store::now;

/// Body of `POST /api/seats/{seat}/agreements/export`. A body, so that no address tells what somebody took along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AgreementExport {
    /// One agreement of this patient with its reports, reviews and actions.
    Report {
        /// Which.
        agreement: AgreementId,
    },
    /// Every patient this physician or pharmacist has an agreement with.
    Inspection,
}

/// The list for an inspection.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct InspectionList {
    /// The practice.
    practice: String,
    /// Its phone.
    phone: String,
    /// The day.
    today: Day,
    /// Of whom.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    by: Phi<String>,
    /// Oldest agreement first.
    lines: Vec<InspectionLine>,
}

/// One agreement in the list for an inspection.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct InspectionLine {
    /// Which.
    agreement: AgreementId,
    /// The patient, as the order set names them.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    patient: Phi<String>,
    /// Their birth date.
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    dob: Phi<Option<Day>>,
    /// The physician.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    physician: Phi<String>,
    /// The pharmacist.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pharmacist: Phi<String>,
    /// The disease.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    condition: Phi<String>,
    /// First day.
    start: Option<Day>,
    /// Last day.
    end: Option<Day>,
    /// Where it stands. A withdrawal in the patient's record shows once somebody opened the agreement.
    standing: Standing,
    /// The registration with the Board.
    registration: Option<String>,
    /// Day of the last status report.
    reported: Option<Day>,
    /// When the next one is due.
    report_due: Option<Due>,
}

/// The report of one agreement.
#[derive(Debug, Serialize)]
struct Report {
    practice: String,
    phone: String,
    today: Day,
    agreement: AgreementView,
}

/// `POST /api/seats/{seat}/agreements/export`: JSON, to be saved or printed.
pub(crate) async fn export(
    State(app): State<App>,
    seated: Seated,
    Json(wish): Json<AgreementExport>,
) -> Result<Response, Problem> {
    let case = Case::of(&app, &seated).await?;
    if !role::may_export_agreements(seated.seat.role) {
        let denied = case.entry(&seated, "export.batch", Outcome::Denied, None);
        app.writer.audit(vec![denied]).await?;
        return Err(Problem::new(ProblemCode::NotFound));
    }
    match wish {
        AgreementExport::Report { agreement } => report(&app, &seated, &case, agreement).await,
        AgreementExport::Inspection => inspection(&app, &seated, &case).await,
    }
}

async fn report(
    app: &App,
    seated: &Seated,
    case: &Case,
    id: AgreementId,
) -> Result<Response, Problem> {
    let nothing = || Problem::new(ProblemCode::NotFound);
    let agreement = case.agreements.iter().find(|one| one.id() == id).ok_or_else(nothing)?;
    let now = app.agreements.now(now(), case.is_withdrawn(agreement));
    let mut shown = view(agreement, &case.who, &now).ok_or_else(nothing)?;
    if let Some(person) = agreement.terms().pharmacist {
        let known = person::person(&app.store, &app.vault, person).await?;
        shown.pharmacist = known.map(|known| super::view::Party { person, name: known.name });
    }
    // Written first: what cannot be written down does not leave.
    app.writer.audit(vec![case.entry(seated, "export.batch", Outcome::Done, Some(id))]).await?;
    let practice = &app.config.practice;
    let body = Report {
        practice: practice.name.clone(),
        phone: practice.phone.clone(),
        today: now.day,
        agreement: shown,
    };
    file(&body, "cdtm-report.json")
}

async fn inspection(app: &App, seated: &Seated, case: &Case) -> Result<Response, Problem> {
    let all = store::of_party(&app.store, &app.vault, case.who.person).await?;
    let today = app.agreements.day(now());
    let mut lines = Vec::with_capacity(all.len());
    let mut written = Vec::with_capacity(all.len());
    for agreement in &all {
        written.push(audit::Entry {
            patient: Some(agreement.patient()),
            ..case.entry(seated, "export.batch", Outcome::Done, Some(agreement.id()))
        });
        lines.push(line(app, agreement, today).await?);
    }
    if written.is_empty() {
        written.push(case.entry(seated, "export.batch", Outcome::Done, None));
    }
    app.writer.audit(written).await?;
    let practice = &app.config.practice;
    let body = InspectionList {
        practice: practice.name.clone(),
        phone: practice.phone.clone(),
        today,
        by: case.who.name.clone(),
        lines,
    };
    file(&body, "cdtm-inspection.json")
}

async fn line(app: &App, agreement: &Agreement, today: Day) -> Result<InspectionLine, Problem> {
    let terms = agreement.terms();
    let pharmacist = match terms.pharmacist {
        Some(person) => person::person(&app.store, &app.vault, person).await?,
        None => None,
    };
    let block = &terms.order_set.patient;
    let dues = agreement.dues(today, false);
    let reported = agreement
        .entries()
        .iter()
        .filter_map(|entry| matches!(entry.deed, Deed::Reported { .. }).then_some(entry.day));
    Ok(InspectionLine {
        agreement: agreement.id(),
        patient: Phi::new(block.name.clone()),
        dob: Phi::new(block.dob),
        physician: agreement.physician_name(),
        pharmacist: pharmacist.map(|person| person.name).unwrap_or_default(),
        condition: Phi::new(terms.condition.clone()),
        start: terms.start,
        end: terms.end,
        standing: agreement.standing(today, false),
        registration: agreement
            .registration()
            .map(|(number, expires)| format!("{number}, {expires}")),
        reported: reported.max(),
        report_due: dues.into_iter().find(|due| due.what == DueKind::Report),
    })
}

fn file<T: Serialize>(body: &T, name: &str) -> Result<Response, Problem> {
    let json = serde_json::to_vec(body).map_err(|_wrong| Problem::new(ProblemCode::Internal))?;
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, json).into_response())
}
