//! A chart from elsewhere comes into the record of a visit: compared first, then taken difference by difference.
//!
//! Nothing is kept between the two: the page sends the file again with the keys of what was accepted, and everything is
//! compared anew, in the order of all other edits. A key names what was shown, so what changed meanwhile is not taken.

mod body;
mod told;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use clinical::actor::Actor;
use clinical::doc::Doc;
use clinical::fhir::{self, Chart, IssueCode, PatientFacts};
use clinical::field::DocKind;
use clinical::id::{PatientId, RecordId};
use clinical::merge::person::{self as same, Sameness};
use clinical::merge::{self, Comparison, Difference, Known, Told};
use clinical::value::PartialDate;
use serde::{Deserialize, Serialize};
use signaling::message::RecordRefusal;
use signaling::record::ChartTaken;
use signaling::role;
use tokio::sync::Semaphore;

use super::takeaway::load;
use crate::audit::{Entry, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, reply};
use crate::patient::batch::{self, Batch, Imports, Report};
use crate::patient::{self, digest};
use crate::person;
use crate::record::Acceptance;
use crate::store::now;
pub use told::{ImportBefore, ImportFault, ImportLeft, ImportPerson, ImportPreview, ImportReply};

/// Files that are read at once. Each may take a core for seconds and 350 MB: one more would take them from calls.
static READING: Semaphore = Semaphore::const_new(1);

/// Files on their way in at once: their bytes stand in memory.
static ARRIVING: Semaphore = Semaphore::const_new(4);

/// How long a file waits for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(15);

/// Rounds in which a long list of accepted differences goes in: a record takes a few hundred changes at once.
const ROUNDS: usize = 16;

/// The first line of the body of `POST /api/seats/{seat}/import`; the file follows it as it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ImportRequest {
    /// Compare, and store nothing.
    Preview {},
    /// Take what was accepted.
    Take {
        /// Keys of the rows of the preview.
        accept: BTreeSet<String>,
        /// Warnings somebody ticked.
        ticks: BTreeSet<ImportTick>,
    },
}

/// Warnings somebody must have read before anything is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ImportTick {
    /// The patient has died, as the file says.
    Deceased,
    /// It is not sure that the file is about this patient.
    SamePerson,
    /// A medicine without dosage comes in, unverified.
    NoDosage,
    /// A medicine stands in the file as in use and as stopped.
    ActiveAndStopped,
}

/// `POST /api/seats/{seat}/import`.
pub(crate) async fn import(
    State(app): State<App>,
    seated: Seated,
    request: Request,
) -> Result<Response, Problem> {
    let nothing = || Problem::new(ProblemCode::NotFound);
    let Some(record) = seated.visit.record else { return Err(nothing()) };
    let Some((patient, known)) = patient::chart_of(&app.store, &app.vault, record).await? else {
        return Err(nothing());
    };
    let desk = Desk { app, seated, record, patient, known };
    if !role::may_import(desk.seated.seat.role) {
        desk.app.writer.audit(vec![desk.entry(Outcome::Denied)]).await?;
        return Err(nothing());
    }
    if desk.seated.visit.ended.is_some() {
        let phone = Some(desk.app.config.practice.phone.clone());
        return Err(Problem { phone, ..Problem::new(ProblemCode::VisitOver) });
    }
    let arriving = turn(&ARRIVING).await?;
    let (ask, file) = match body::read(request).await? {
        body::Body::Whole(ask, file) => (ask, file),
        body::Body::TooLarge { bytes } => {
            return reply(&ImportReply::Unreadable { fault: ImportFault::too_large(bytes) });
        }
    };
    let reading = turn(&READING).await?;
    let today = PartialDate::of(now());
    // A hostile file takes its second on a thread of its own, and no call waits for it. The turn is held there too: who
    // goes away in the middle does not free it for the next such file.
    let read = tokio::task::spawn_blocking(move || {
        let _turn = (reading, arriving);
        let read = fhir::read(&file, &today);
        (read, digest(&file), file.len())
    });
    let (read, sha256, bytes) = read.await.map_err(|_broke| Problem::new(ProblemCode::Internal))?;
    let chart = match read {
        Ok(chart) => Arc::new(chart),
        Err(error) => return reply(&ImportReply::Unreadable { fault: ImportFault::of(error) }),
    };
    let file = FileFacts { sha256, bytes };
    match same::compare(desk.patient, &desk.known, &chart.patient) {
        Sameness::Other => {
            desk.app.writer.audit(vec![desk.entry(Outcome::Failed)]).await?;
            let person = ImportPerson::of(&chart.patient);
            reply(&ImportReply::OtherPerson { person })
        }
        sameness => match ask {
            ImportRequest::Preview {} => desk.preview(&chart, sameness, file).await,
            ImportRequest::Take { accept, ticks } => {
                desk.take(&chart, sameness, file, accept, &ticks).await
            }
        },
    }
}

async fn turn(of: &'static Semaphore) -> Result<tokio::sync::SemaphorePermit<'static>, Problem> {
    match tokio::time::timeout(TURN_WITHIN, of.acquire()).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(Problem::slow_down(TURN_WITHIN)),
    }
}

/// What is known of the file itself.
struct FileFacts {
    sha256: String,
    bytes: usize,
}

/// Who imports into what.
struct Desk {
    app: App,
    seated: Seated,
    record: RecordId,
    patient: PatientId,
    known: PatientFacts,
}

impl Desk {
    fn entry(&self, outcome: Outcome) -> Entry {
        Entry {
            at_ms: now(),
            person: Some(self.seated.seat.person),
            role: Some(self.seated.seat.role),
            on_behalf_of: None,
            action: "import.batch",
            outcome,
            patient: Some(self.patient),
            object: format!("record:{}", self.record),
            visit: Some(self.seated.visit.id),
            detail: None,
        }
    }

    async fn imports(&self) -> Result<Imports, Problem> {
        Ok(batch::of_record(&self.app.store, &self.app.vault, self.record).await?)
    }

    /// The comparison, for eyes; nothing is stored but that somebody looked.
    async fn preview(
        &self,
        chart: &Arc<Chart>,
        sameness: Sameness,
        file: FileFacts,
    ) -> Result<Response, Problem> {
        let Imports { known, before } = self.imports().await?;
        let docs = load(&self.app, self.record).await?;
        let docs: Vec<&Doc> = docs.iter().map(|held| &held.doc).collect();
        let sealed = docs.iter().any(|doc| doc.kind() == DocKind::Plan && doc.sealed());
        let Comparison { differences, same, agreed: _, statement: _ } =
            merge::compare(chart, &docs, &known);
        let mut told = None;
        if let Some((_, at_ms, by)) = before.iter().rfind(|(known, ..)| *known == file.sha256) {
            let person = match by {
                Some(by) => person::person(&self.app.store, &self.app.vault, *by).await?,
                None => None,
            };
            told = Some(ImportBefore { at_ms: *at_ms, name: person.map(|person| person.name) });
        }
        // Written first: what cannot be written down is not shown.
        let entry = Entry { action: "import.previewed", ..self.entry(Outcome::Done) };
        self.app.writer.audit(vec![entry]).await?;
        let ticks = ticks(chart, sameness, differences.iter());
        // What this role may not write is not offered, and that is said.
        let (rows, others): (Vec<Difference>, Vec<Difference>) =
            differences.into_iter().partition(|one| !one.told.is_open() || self.may_accept(one));
        reply(&ImportReply::Preview(Box::new(ImportPreview {
            person: ImportPerson::of(&chart.patient),
            sameness,
            before: told,
            sealed,
            rows,
            not_yours: others.len(),
            same,
            issues: chart.issues.clone(),
            issues_left_out: chart.issues_left_out,
            ignored: chart.ignored.clone(),
            ticks: ticks.into_iter().collect(),
        })))
    }

    fn may_accept(&self, difference: &Difference) -> bool {
        let role = self.seated.seat.role;
        match &difference.told {
            Told::New { values, texts, .. } => {
                difference.list.is_some_and(|list| role::may_edit_rows(role, list))
                    && values.keys().chain(texts.keys()).all(|field| role::may_accept(role, *field))
            }
            Told::Changed { field, .. } => role::may_accept(role, *field),
            Told::Kept { .. } | Told::Removed | Told::Absent => false,
        }
    }

    async fn take(
        &self,
        chart: &Arc<Chart>,
        sameness: Sameness,
        file: FileFacts,
        accept: BTreeSet<String>,
        ticked: &BTreeSet<ImportTick>,
    ) -> Result<Response, Problem> {
        let Imports { known, before: _ } = self.imports().await?;
        let known = Arc::new(known);
        let docs = load(&self.app, self.record).await?;
        let docs: Vec<&Doc> = docs.iter().map(|held| &held.doc).collect();
        let Comparison { differences, .. } = merge::compare(chart, &docs, &known);
        let needed =
            ticks(chart, sameness, differences.iter().filter(|one| accept.contains(&one.key)));
        let missing: Vec<ImportTick> = needed.difference(ticked).copied().collect();
        if !missing.is_empty() {
            return reply(&ImportReply::NotTicked { ticks: missing });
        }
        let open = differences.iter().filter(|one| one.told.is_open()).count();
        let asked = accept.len();
        let taken = match self.taken(chart, &known, accept).await {
            Ok(taken) => taken,
            Err(code) => return reply(&ImportReply::NotTaken { code }),
        };
        let accepted = taken.accepted.len();
        if accepted > 0 {
            let left = open.saturating_sub(accepted);
            self.keep(chart, &known, file, &taken, left).await?;
        }
        tracing::info!(record.id = %self.record, asked, accepted, "a chart was taken");
        let left = taken.refused.into_iter().map(|(key, code)| ImportLeft { key, code }).collect();
        reply(&ImportReply::Taken { accepted, left })
    }

    /// Takes what was accepted, in as many rounds as the record needs.
    async fn taken(
        &self,
        chart: &Arc<Chart>,
        known: &Arc<Known>,
        mut accept: BTreeSet<String>,
    ) -> Result<ChartTaken, RecordRefusal> {
        let seat = &self.seated.seat;
        let actor = Actor { person: seat.person, seat: seat.id, role: seat.role };
        let name = person::person(&self.app.store, &self.app.vault, seat.person).await;
        let name = name.ok().flatten().map(|person| person.name).unwrap_or_default();
        let mut all = ChartTaken::default();
        for round in 0..ROUNDS {
            let acceptance = Acceptance {
                chart: Arc::clone(chart),
                known: Arc::clone(known),
                accept: std::mem::take(&mut accept),
            };
            let asked = acceptance.accept.clone();
            let visit = self.seated.visit.id;
            let records = &self.app.records;
            let taken = records.take_chart(self.record, actor, name.clone(), visit, acceptance);
            let taken = match taken.await {
                Ok(taken) => taken,
                Err(code) if round == 0 => return Err(code),
                // What the rounds before took stands, and is told.
                Err(code) => {
                    all.refused.extend(asked.into_iter().map(|key| (key, code)));
                    return Ok(all);
                }
            };
            let stuck = taken.accepted.is_empty();
            all.accepted.extend(taken.accepted);
            if round == 0 {
                (all.agreed, all.statement) = (taken.agreed, taken.statement);
            }
            for (key, code) in taken.refused {
                if code == RecordRefusal::Busy && !stuck {
                    accept.insert(key);
                } else {
                    all.refused.push((key, code));
                }
            }
            if accept.is_empty() {
                return Ok(all);
            }
        }
        all.refused.extend(accept.into_iter().map(|key| (key, RecordRefusal::Busy)));
        Ok(all)
    }

    /// Keeps where the rows came from. It comes after the edits: of what is not stored, nothing may be said later.
    async fn keep(
        &self,
        chart: &Chart,
        known: &Known,
        file: FileFacts,
        taken: &ChartTaken,
        left: usize,
    ) -> Result<(), Problem> {
        let news = taken.agreed.iter().filter(|origin| known.is_news(origin)).cloned();
        let mut origins: Vec<_> = news.collect();
        origins.extend(taken.accepted.iter().filter_map(|one| one.origin.clone()));
        let statement = taken.accepted.iter().find_map(|one| one.statement).or(taken.statement);
        let accepted = taken.accepted.len();
        let report = Report { accepted, left, ..Report::of(chart) };
        let FileFacts { sha256: file, bytes } = file;
        let batch = Batch { file, bytes, origins, statement, report };
        let (store, vault, writer) = (&self.app.store, &self.app.vault, &self.app.writer);
        let entry = self.entry(Outcome::Done);
        let by = self.seated.seat.person;
        Ok(patient::keep_batch((store, vault, writer), self.record, by, &batch, entry).await?)
    }
}

/// What somebody must have read before these differences are taken.
fn ticks<'d>(
    chart: &Chart,
    sameness: Sameness,
    differences: impl Iterator<Item = &'d Difference>,
) -> BTreeSet<ImportTick> {
    let open: Vec<&Difference> = differences.filter(|one| one.told.is_open()).collect();
    let mut ticks = BTreeSet::new();
    if open.is_empty() {
        return ticks;
    }
    if chart.patient.deceased.is_some() {
        ticks.insert(ImportTick::Deceased);
    }
    if sameness != Sameness::Same {
        ticks.insert(ImportTick::SamePerson);
    }
    if open.iter().any(|one| matches!(one.told, Told::New { no_dosage: true, .. })) {
        ticks.insert(ImportTick::NoDosage);
    }
    let twice = |one: &&Difference| {
        let source = one.source.as_ref();
        one.list == Some(clinical::field::ListName::Meds)
            && chart.issues.iter().any(|issue| {
                issue.code == IssueCode::ActiveAndStopped && Some(&issue.resource) == source
            })
    };
    if open.iter().any(twice) {
        ticks.insert(ImportTick::ActiveAndStopped);
    }
    ticks
}

#[cfg(test)]
mod tests;
