//! `mortar report`: how many recommendations were accepted and how fast they were answered. Counts only: the names of
//! staff and the categories of problems stand beside them, and nothing a record says.

use std::fmt::Write as _;

use clinical::field::DocKind;
use clinical::phi::Phi;
use clinical::problem::ProblemCategory;
use clinical::report::{self, Acceptance, Counts};
use clinical::value::PartialDate;

use crate::audit::{Entry, Outcome};
use crate::person::{self, PersonError};
use crate::record::writer::Writer;
use crate::record::{self, LoadError};
use crate::store::{Store, StoreError, now};
use crate::vault::Vault;

/// What was counted.
#[derive(Debug)]
pub struct Report {
    from: PartialDate,
    to: PartialDate,
    acceptance: Acceptance,
    /// In the order of `acceptance.by_prescriber`.
    prescribers: Vec<Phi<String>>,
    /// Records that do not open, and are not in it.
    left_out: u32,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name does not read.
    #[error(transparent)]
    Person(#[from] PersonError),
}

/// Counts the recommendations of every record that were sent from one day to another, both included. That somebody
/// counted is a row in the log of accesses, written first.
///
/// # Errors
/// The store said no, or a name does not read.
pub async fn report(
    store: &Store,
    vault: &Vault,
    writer: &Writer,
    from: &PartialDate,
    to: &PartialDate,
) -> Result<Report, ReportError> {
    let entry = Entry {
        at_ms: now(),
        person: None,
        role: None,
        on_behalf_of: None,
        action: "report.acceptance",
        outcome: Outcome::Done,
        patient: None,
        object: "records".to_owned(),
        visit: None,
        detail: None,
    };
    writer.audit(vec![entry]).await?;
    let mut left_out = 0;
    let mut sent = Vec::new();
    for record in record::records(store).await? {
        let loaded = match record::load(store, vault, record).await {
            Ok(loaded) => loaded,
            Err(LoadError::Store(error)) => return Err(error.into()),
            Err(LoadError::NotFound | LoadError::Vault(_)) => {
                left_out += 1;
                continue;
            }
        };
        for held in loaded.docs.iter().filter(|held| held.doc.kind() == DocKind::Plan) {
            left_out += u32::from(held.poison.is_some());
            sent.extend(held.doc.sent_recommendations(now()));
        }
    }
    let acceptance = report::acceptance(sent, |at| (from..=to).contains(&&PartialDate::of(at)));
    let mut prescribers = Vec::new();
    for person in acceptance.by_prescriber.keys() {
        let known = match person {
            Some(person) => person::person(store, vault, *person).await?,
            None => None,
        };
        let name = known.map(|known| known.name);
        prescribers.push(name.unwrap_or_else(|| Phi::new("elsewhere, or nobody named".to_owned())));
    }
    Ok(Report { from: from.clone(), to: to.clone(), acceptance, prescribers, left_out })
}

impl Report {
    /// For the terminal.
    pub fn words(&self) -> String {
        let Self { from, to, acceptance, prescribers, left_out } = self;
        let Acceptance { total, by_prescriber, by_category } = acceptance;
        let mut words = format!(
            "Recommendations sent from {} to {} (UTC). Acceptance = (accepted + accepted with a change) / sent.\n\n{:<32} {:>5} {:>9} {:>9} {:>9} {:>9} {:>8} {:>12} {:>11} {:>12}\n",
            from.as_str(),
            to.as_str(),
            "",
            "sent",
            "accepted",
            "changed",
            "declined",
            "no answer",
            "waiting",
            "carried out",
            "acceptance",
            "median days"
        );
        line(&mut words, "all", total);
        words.push_str("\nby prescriber\n");
        for (counts, name) in by_prescriber.values().zip(prescribers) {
            line(&mut words, name.expose(), counts);
        }
        words.push_str("\nby category of the problem\n");
        for (category, counts) in by_category {
            line(&mut words, category.map_or("no problem named", category_name), counts);
        }
        if *left_out > 0 {
            let _infallible = writeln!(
                words,
                "\n{left_out} records do not read to their end; `mortar verify` names them."
            );
        }
        words
    }
}

fn line(words: &mut String, name: &str, counts: &Counts) {
    let share = counts
        .acceptance()
        .map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0));
    let days = counts.median_days().map_or_else(|| "-".to_owned(), |days| format!("{days:.1}"));
    let _infallible = writeln!(
        words,
        "  {name:<30} {:>5} {:>9} {:>9} {:>9} {:>9} {:>8} {:>12} {share:>11} {days:>12}",
        counts.sent,
        counts.accepted,
        counts.accepted_modified,
        counts.declined,
        counts.no_response,
        counts.waiting,
        counts.implemented,
    );
}

const fn category_name(category: ProblemCategory) -> &'static str {
    match category {
        ProblemCategory::NeedsTherapy => "needs therapy",
        ProblemCategory::Unnecessary => "unnecessary",
        ProblemCategory::Ineffective => "ineffective",
        ProblemCategory::DoseTooLow => "dose too low",
        ProblemCategory::AdverseReaction => "adverse reaction",
        ProblemCategory::DoseTooHigh => "dose too high",
        ProblemCategory::NeedsMonitoring => "needs monitoring",
        ProblemCategory::Adherence => "adherence",
        ProblemCategory::Cost => "cost",
    }
}
