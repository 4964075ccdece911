//! The page on paper for a prescriber who has no link: what waits for an answer, with boxes to tick, for one addressee
//! each. It says what the page of a link says and nothing more of the record.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use clinical::actor::{Millis, Role};
use clinical::doc::Doc;
use clinical::field::{Address as At, DocKind, FieldName, ListName};
use clinical::id::{PersonId, RowId};
use clinical::medication::{Product, Sig};
use clinical::phi::Phi;
use clinical::problem::ProblemStatement;
use clinical::recommendation::{Addressee, RecommendationContent, Standing};
use clinical::value::Line;
use clinical::view::View;
use serde::Serialize;
use signaling::role::{self, Shared};
use uuid::Uuid;

use super::{Asked, asked, docs, is_about_part2, is_part2, plan_for, read};
use crate::audit::{Entry, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, reply};
use crate::store::now;
use crate::{patient, person, record, visit};

/// Reply of `GET /api/seats/{seat}/prescribers`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct PrescriberPapers {
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
    /// Who asks.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    from: Phi<String>,
    /// Today.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    at_ms: Millis,
    /// The version that was signed; none: the plan is a draft.
    version: Option<u32>,
    /// One for each addressee the patient does not shut out.
    papers: Vec<PrescriberPaper>,
    /// Who gets no page, because the patient does not want them to see the plan.
    shut_out: Vec<PaperRefused>,
    /// Recommendations that stay off paper: they are about a medicine under 42 CFR Part 2.
    withheld: u32,
}

/// Somebody for whom nothing is printed.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct PaperRefused {
    /// "Dr. Amy Chen".
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    to: Phi<String>,
    /// Why.
    why: ShutOut,
}

/// Why nothing is printed for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ShutOut {
    /// The patient wants this person, or every specialist, to see nothing.
    Wish,
    /// The patient wants no specialist to see the plan, and nobody said whether this is one.
    RoleUnknown,
}

/// What one prescriber is asked.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct PrescriberPaper {
    /// "Dr. Amy Chen"; empty: nobody is named.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    to: Phi<String>,
    /// In the order of the plan.
    rows: Vec<PaperRow>,
}

/// One recommendation on paper.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct PaperRow {
    /// Its row.
    row: RowId,
    /// What is proposed; none: two people say otherwise, and it is not decided yet.
    #[cfg_attr(feature = "typescript", ts(type = "RecommendationContent | null"))]
    content: Phi<Option<RecommendationContent>>,
    /// The condition it is about; none: not decided yet.
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    condition: Phi<Option<String>>,
    /// The medicine it is about.
    #[cfg_attr(feature = "typescript", ts(type = "Product | null"))]
    product: Phi<Option<Product>>,
    /// How it is taken now; none if nobody said.
    #[cfg_attr(feature = "typescript", ts(type = "Sig | null"))]
    sig: Phi<Option<Sig>>,
    /// Medicine or sig are not decided yet.
    undecided: bool,
    /// Why.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    rationale: Phi<String>,
    /// The guideline or study behind it.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    reference: Phi<String>,
    /// When it was sent; none: it stands in the signed plan and was not sent.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    sent_ms: Option<Millis>,
}

/// `GET /api/seats/{seat}/prescribers`, for who prints for prescribers; also half an hour after the visit.
pub(crate) async fn papers(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    let nothing = || Problem::new(ProblemCode::NotFound);
    let seat = &seated.seat;
    let reads = role::view(seat.role, DocKind::Plan, Shared::Yes) == Some(View::Full);
    let may = reads && role::may_print_for_prescribers(seat.role);
    let record = seated.visit.record.filter(|_record| may).ok_or_else(nothing)?;
    let docs = docs(&app, record).await?;
    let plan = plan_for(&docs, (seat.person, seat.role)).ok_or_else(nothing)?;
    let (patient, facts) =
        patient::of_record(&app.store, &app.vault, record).await?.ok_or_else(nothing)?;
    // Written first: what cannot be written down is not printed.
    let entry = Entry {
        at_ms: now(),
        person: Some(seat.person),
        role: Some(seat.role),
        on_behalf_of: None,
        action: "record.printed",
        outcome: Outcome::Done,
        patient: Some(patient),
        object: format!("record:{record}/prescribers"),
        visit: Some(seated.visit.id),
        detail: None,
    };
    app.writer.audit(vec![entry]).await?;
    let from = person::person(&app.store, &app.vault, seat.person).await?;
    let nobody = of_the_visit(&app, &seated).await?;
    let mut by_addressee: BTreeMap<(Option<PersonId>, Phi<String>), usize> = BTreeMap::new();
    let mut papers: Vec<PrescriberPaper> = Vec::new();
    let mut shut_out: Vec<PaperRefused> = Vec::new();
    let mut withheld = 0_u32;
    for row in plan.standing(ListName::Recommendations) {
        if !is_asked(plan, row) {
            continue;
        }
        if is_part2(plan, row) || is_about_part2(plan, row) {
            withheld = withheld.saturating_add(1);
            continue;
        }
        let to: Option<Addressee> = read(plan, row, FieldName::RecommendationsAddressee);
        let unsaid = to.as_ref().is_some_and(|to| to.person.is_none() && to.role.is_none());
        let key = to.map_or_else(|| nobody.clone(), |to| (to.person, Phi::new(to.name)));
        let Asked { role, .. } = asked(&app, plan, row, key.0).await?;
        if record::hand(&docs, role, key.0.unwrap_or(PersonId(Uuid::nil()))).is_shut_out() {
            let why = if unsaid { ShutOut::RoleUnknown } else { ShutOut::Wish };
            let refused = PaperRefused { to: key.1, why };
            if !shut_out.contains(&refused) {
                shut_out.push(refused);
            }
            continue;
        }
        let place = *by_addressee.entry(key.clone()).or_insert_with(|| {
            papers.push(PrescriberPaper { to: key.1, rows: Vec::new() });
            papers.len() - 1
        });
        if let Some(paper) = papers.get_mut(place) {
            paper.rows.push(paper_row(plan, row));
        }
    }
    let sealed = plan.sealed();
    reply(&PrescriberPapers {
        practice: app.config.practice.name.clone(),
        phone: app.config.practice.phone.clone(),
        patient: facts.name,
        birth_date: facts.birth_date,
        from: from.map(|from| from.name).unwrap_or_default(),
        at_ms: now(),
        version: plan.signed().filter(|_signed| sealed).map(|signed| signed.version),
        papers,
        shut_out,
        withheld,
    })
}

/// Who is asked where nobody is named: the primary care of the visit, if that is one person.
async fn of_the_visit(
    app: &App,
    seated: &Seated,
) -> Result<(Option<PersonId>, Phi<String>), Problem> {
    let seats = visit::seats(&app.store, seated.visit.id).await?;
    let mut asked = seats.iter().filter(|seat| seat.role == Role::Pcp && !seat.revoked);
    let (Some(one), None) = (asked.next(), asked.next()) else {
        return Ok((None, Phi::default()));
    };
    let known = person::person(&app.store, &app.vault, one.person).await?;
    Ok((Some(one.person), known.map(|known| known.name).unwrap_or_default()))
}

/// Whether a recommendation waits for an answer: it was sent, or it stands in a plan that was signed.
fn is_asked(plan: &Doc, row: RowId) -> bool {
    match plan.standing_of(row, now()) {
        Standing::Sent | Standing::Seen | Standing::NoResponse => true,
        Standing::Draft => plan.sealed(),
        Standing::Accepted
        | Standing::AcceptedModified
        | Standing::Declined
        | Standing::Implemented
        | Standing::Verified
        | Standing::Withdrawn
        | Standing::Replaced => false,
    }
}

fn paper_row(plan: &Doc, row: RowId) -> PaperRow {
    let open = |row, field| plan.register(&At { row: Some(row), field }).is_conflict();
    let content: Option<RecommendationContent> = read(plan, row, FieldName::RecommendationsContent);
    let problem = content.as_ref().and_then(|content| content.problem);
    let condition = problem.map_or_else(
        || Some(String::new()),
        |problem| {
            let statement: Option<ProblemStatement> =
                read(plan, problem, FieldName::ProblemsStatement);
            let undecided = open(problem, FieldName::ProblemsStatement);
            (!undecided).then(|| statement.map(|one| one.condition).unwrap_or_default())
        },
    );
    let med = content.as_ref().and_then(|content| content.med);
    let undecided =
        med.is_some_and(|med| open(med, FieldName::MedsProduct) || open(med, FieldName::MedsSig));
    let at = At { row: Some(row), field: FieldName::RecommendationsRationale };
    let reference: Option<Line> = read(plan, row, FieldName::RecommendationsReference);
    PaperRow {
        row,
        product: Phi::new(med.and_then(|med| read(plan, med, FieldName::MedsProduct))),
        sig: Phi::new(med.and_then(|med| read(plan, med, FieldName::MedsSig))),
        undecided,
        content: Phi::new(content),
        condition: Phi::new(condition),
        rationale: Phi::new(plan.text(&at).unwrap_or_default()),
        reference: Phi::new(reference.map(|line| line.0).unwrap_or_default()),
        sent_ms: plan.sent_at(row),
    }
}
