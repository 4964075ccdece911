//! `mortar import`: a new patient's chart; of a patient who is here already, what it would change.
//!
//! An operator's command has no clinical role: it makes records, and never edits one. What a chart says otherwise is
//! accepted row by row, by a pharmacist or clinician in a visit.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clinical::doc::Doc;
use clinical::fhir::{self, Chart};
use clinical::id::RecordId;
use clinical::merge::person::Sameness;
use clinical::merge::{self, Comparison, Told};
use clinical::value::PartialDate;

use super::{chain, open, say};
use crate::config::Config;
use crate::demo;
use crate::patient::{self, ImportReport, Match};
use crate::record;
use crate::record::writer::Writer;
use crate::store::{Store, now};
use crate::vault::Vault;

/// Largest file that is looked at. What a chart may have is less, and said by its reader.
const CHART_BYTES: u64 = 64 * 1024 * 1024;

/// The patient is here already and the chart says something else: nothing was stored, a person decides in a visit.
const DIFFERS: u8 = 3;

/// Somebody must say that they have read a warning: nothing was stored.
const ASKS: u8 = 4;

/// Held while an import looks who is there and stores: two of the same file at once would make two patients.
const LOCK: &str = "import.lock";

/// How it is asked for.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Import {
    /// The file.
    file: PathBuf,
    /// Say what would happen, and store nothing.
    #[arg(long)]
    preview: bool,
    /// Somebody with this name and birth date is here: it is another person, make a new patient.
    #[arg(long)]
    another_person: bool,
    /// The chart says that the patient has died: keep it all the same, without a visit.
    #[arg(long)]
    deceased: bool,
}

/// What an import comes to.
enum Verdict {
    /// Nobody here is this person.
    New,
    /// The patient is here, and the chart says the same.
    Same(RecordId),
    /// The patient is here, and the chart says something else.
    Differs(RecordId, Comparison),
    /// Perhaps the patient is here.
    Perhaps(Vec<Match>),
    /// The patient has died.
    Deceased,
}

/// Carries it out.
pub(super) async fn run(config: Config, asked: Import) -> anyhow::Result<ExitCode> {
    let Import { file, preview, another_person: _, deceased: _ } = &asked;
    let preview = *preview;
    let shown = file.display().to_string();
    let bytes = read(file)?;
    let chart = fhir::read(&bytes, &PartialDate::of(now()))
        .with_context(|| format!("{shown} was not imported"))?;
    if preview && !config.data.exists() {
        // Nobody is here yet, and looking makes no folder.
        let mut words = String::new();
        let code = told(&mut words, &shown, &first_sight(&chart, &asked), &chart);
        say(&words);
        return Ok(code);
    }
    let (store, vault) = open(&config).await?;
    let lock = File::create(store.folder().join(LOCK)).and_then(|lock| lock.lock().map(|()| lock));
    let lock = lock.with_context(|| format!("{LOCK} in the data folder cannot be held"))?;
    let verdict = verdict(&store, &vault, &chart, &asked).await?;
    let mut words = String::new();
    let code = if matches!(verdict, Verdict::New) && !preview {
        make(&store, &vault, &bytes, &asked, &mut words).await?;
        ExitCode::SUCCESS
    } else {
        told(&mut words, &shown, &verdict, &chart)
    };
    drop(lock);
    say(&words);
    store.close().await;
    Ok(code)
}

/// Says what an import comes to that stores nothing.
fn told(words: &mut String, shown: &str, verdict: &Verdict, chart: &Chart) -> ExitCode {
    match verdict {
        Verdict::New => {
            let _infallible =
                writeln!(words, "{shown} would make a new patient. Nothing was stored.");
            report(words, &Report::of(chart));
            ExitCode::SUCCESS
        }
        Verdict::Same(record) => {
            let _infallible = writeln!(
                words,
                "{shown} says what stands in record {record} already. Nothing changed."
            );
            ExitCode::SUCCESS
        }
        Verdict::Differs(record, comparison) => {
            differs(words, shown, *record, comparison);
            report(words, &Report::of(chart));
            ExitCode::from(DIFFERS)
        }
        Verdict::Perhaps(matches) => {
            perhaps(words, shown, matches);
            ExitCode::from(ASKS)
        }
        Verdict::Deceased => {
            let _infallible = writeln!(
                words,
                "{shown} says that the patient has died. Nothing was stored. To keep the chart, without a visit: --deceased"
            );
            ExitCode::from(ASKS)
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = file.display();
    let size = std::fs::metadata(file)
        .with_context(|| format!("{shown} cannot be read: check its name and your rights"))?
        .len();
    if size > CHART_BYTES {
        bail!("{shown} has {size} bytes, more than {CHART_BYTES}: export one patient at a time");
    }
    std::fs::read(file)
        .with_context(|| format!("{shown} cannot be read: check its name and your rights"))
}

async fn verdict(
    store: &Store,
    vault: &Vault,
    chart: &Chart,
    asked: &Import,
) -> anyhow::Result<Verdict> {
    let matches = patient::matches(store, vault, &chart.patient).await?;
    if let Some(Match { record, sameness: Sameness::Same, .. }) = matches.first() {
        let record = *record;
        let comparison = compare(store, vault, record, chart).await?;
        let open = comparison.differences.iter().any(|one| one.told.is_open());
        return Ok(if open { Verdict::Differs(record, comparison) } else { Verdict::Same(record) });
    }
    if !matches.is_empty() && !asked.another_person {
        return Ok(Verdict::Perhaps(matches));
    }
    Ok(first_sight(chart, asked))
}

/// What it comes to where nobody is this person.
const fn first_sight(chart: &Chart, asked: &Import) -> Verdict {
    if chart.patient.deceased.is_some() && !asked.deceased {
        Verdict::Deceased
    } else {
        Verdict::New
    }
}

async fn compare(
    store: &Store,
    vault: &Vault,
    record: RecordId,
    chart: &Chart,
) -> anyhow::Result<Comparison> {
    let loaded = record::load(store, vault, record).await?;
    let docs: Vec<&Doc> = loaded.docs.iter().map(|held| &held.doc).collect();
    let imports = patient::batch::of_record(store, vault, record).await?;
    Ok(merge::compare(chart, &docs, &imports.known))
}

/// Makes the patient, the record, and a visit to come.
async fn make(
    store: &Store,
    vault: &Vault,
    bytes: &[u8],
    asked: &Import,
    words: &mut String,
) -> anyhow::Result<()> {
    let shown = asked.file.display();
    let writer = Writer::start(store.clone(), &chain()).await?;
    let made = patient::import(store, vault, &writer, bytes, None)
        .await
        .with_context(|| format!("{shown} was not imported"))?;
    let record = made.record;
    if made.deceased {
        let _infallible = writeln!(words, "Imported {shown} as record {record}, without a visit.");
    } else {
        demo::schedule(store, vault, &writer, &made).await?;
        let _infallible = writeln!(
            words,
            "Imported {shown} as record {record}, with a follow-up visit. The next start of the server, and `mortar links`, print its links."
        );
    }
    report(words, &Report::of_made(&made));
    writer.flush().await;
    Ok(())
}

/// What is told of a chart: counts and places, never a value.
struct Report<'c> {
    rows: BTreeMap<&'static str, usize>,
    ignored: &'c BTreeMap<String, u32>,
    issues: &'c [fhir::Issue],
    issues_left_out: u32,
}

impl<'c> Report<'c> {
    fn of(chart: &'c Chart) -> Self {
        let mut rows = BTreeMap::new();
        for row in &chart.rows {
            *rows.entry(row.list.as_str()).or_insert(0) += 1;
        }
        let Chart { ignored, issues, issues_left_out, .. } = chart;
        Self { rows, ignored, issues, issues_left_out: *issues_left_out }
    }

    fn of_made(made: &'c ImportReport) -> Self {
        let ImportReport { rows, ignored, issues, issues_left_out, .. } = made;
        let rows = rows.iter().map(|(list, rows)| (list.as_str(), *rows)).collect();
        Self { rows, ignored, issues, issues_left_out: *issues_left_out }
    }
}

fn report(words: &mut String, report: &Report<'_>) {
    for (list, rows) in &report.rows {
        let _infallible = writeln!(words, "  {rows:>5}  {list}");
    }
    for (kind, times) in report.ignored {
        let _infallible = writeln!(words, "  not read: {times} × {kind}");
    }
    for issue in report.issues {
        let _infallible = writeln!(words, "  remark: {issue}");
    }
    if report.issues_left_out > 0 {
        let _infallible = writeln!(words, "  and {} more remarks", report.issues_left_out);
    }
}

fn differs(words: &mut String, shown: &str, record: RecordId, comparison: &Comparison) {
    let _infallible = writeln!(
        words,
        "{shown} is about the patient of record {record}, who is here already. Nothing was stored.\n\
         Open a visit of this patient and import the file there: what differs is accepted row by row."
    );
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for one in &comparison.differences {
        let list = one.list.map_or("allergy_statement", clinical::field::ListName::as_str);
        *counts.entry((list, word(&one.told))).or_default() += 1;
    }
    for ((list, what), count) in counts {
        let _infallible = writeln!(words, "  {count:>5}  {list}: {what}");
    }
    for (list, count) in &comparison.same {
        let _infallible = writeln!(words, "  {count:>5}  {}: same", list.as_str());
    }
}

const fn word(told: &Told) -> &'static str {
    match told {
        Told::New { .. } => "new",
        Told::Changed { choice: false, .. } => "changed in the chart",
        Told::Changed { choice: true, .. } => {
            "changed in the chart and by people: a choice of both"
        }
        Told::Kept { .. } => "written by people, and stays",
        Told::Removed => "taken out here, and stays out",
        Told::Absent => "not in the file, and stays",
    }
}

fn perhaps(words: &mut String, shown: &str, matches: &[Match]) {
    let _infallible =
        writeln!(words, "{shown} may be about somebody who is here. Nothing was stored.");
    for Match { record, sameness, patient: _ } in matches {
        let why = match sameness {
            Sameness::Same => "same identifier",
            Sameness::NumberOnly => "same identifier, another birth date",
            Sameness::NameAndBirth => "same name and birth date, no shared identifier",
            Sameness::Other => continue,
        };
        let _infallible = writeln!(words, "  record {record}: {why}");
    }
    words.push_str(
        "If it is the same person, import the file in a visit of theirs. If it is another one: --another-person\n",
    );
}
