//! The cover letter of the Medicare Part D standardized format (CMS-10396), which goes before the to-do list and the
//! medication list. The layout is rebuilt from the form's instructions; the date of the form in the footer is the
//! operator's.

use serde::{Deserialize, Serialize};

use super::words::LetterWords;
use super::{PlainSentence, PlainVisit};
use crate::cdtm::day::Day;
use crate::format::{self, Language};
use crate::value::PartialDate;

/// The letter, and what stands on top of each part after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct PlainLetter {
    /// Who writes: the practice and its number.
    pub from: Vec<PlainSentence>,
    /// The day by which it is to be with the patient, "2026-12-14": told to who sends it, and not printed. `None` if the
    /// day of the review is not known to the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub due_by: Option<PartialDate>,
    /// The day.
    pub date: Vec<PlainSentence>,
    /// "Prepared for", with the date of birth: on top of each part.
    pub prepared_for: Vec<PlainSentence>,
    /// "Dear …".
    pub greeting: Vec<PlainSentence>,
    /// When they talked with whom, and what comes with the letter.
    pub opening: Vec<PlainSentence>,
    /// What to do with the lists.
    pub keep: Vec<PlainSentence>,
    /// Whom to call.
    pub contact: Vec<PlainSentence>,
    /// Who signs it.
    pub closing: Vec<PlainSentence>,
    /// Title of the to-do list.
    pub tasks: String,
    /// Title of the medication list.
    pub medicines: String,
    /// Head of the first column of the medication list.
    pub medicine: String,
    /// Title of what else the list says.
    pub other: String,
}

/// Days after a comprehensive medication review within which the patient has it (CMS-10396). A rule of the payer:
/// shorter would nag, longer would count as late.
const DUE_DAYS: u16 = 14;

fn due(review: &PartialDate) -> Option<PartialDate> {
    let day = Day::parse(review.as_str())?.plus_days(DUE_DAYS);
    PartialDate::parse(&day.to_string())
}

/// Writes the letter. `None` without a patient: there is nobody to write to.
pub(super) fn letter(visit: &PlainVisit, language: Language) -> Option<PlainLetter> {
    let words = LetterWords::of(language);
    let PlainVisit { date, newer: _, with, phone, patient, born, practice } = visit;
    if patient.trim().is_empty() {
        return None;
    }
    let page = |text: &str| PlainSentence::page(text);
    let person = |text: &str| PlainSentence::person(text);
    let all = |texts: &[&str]| texts.iter().map(|text| page(text)).collect::<Vec<_>>();
    let day = date.as_ref().map(|date| format::date(date, language));
    let mut prepared_for = vec![person(&format!("{}: {patient}", words.prepared_for))];
    if let Some(born) = born {
        prepared_for.push(page(&format!("{}: {}", words.born, format::date(born, language))));
    }
    let mut opening = Vec::new();
    if let Some(day) = &day {
        opening.push(page(&format!("{} {day}.", words.talked_on)));
    }
    if !with.is_empty() {
        opening.push(person(&format!("{}: {}.", words.talked_with, with.join(", "))));
    }
    opening.extend(all(words.enclosed));
    Some(PlainLetter {
        from: [practice, phone]
            .into_iter()
            .filter(|line| !line.is_empty())
            .map(|line| person(line))
            .collect(),
        due_by: date.as_ref().and_then(due),
        date: day.iter().map(|day| page(day)).collect(),
        prepared_for,
        greeting: vec![person(&format!("{} {patient},", words.dear))],
        opening,
        keep: all(words.keep),
        contact: vec![person(&format!("{} {phone}.", words.contact))],
        closing: vec![page(words.closing), person(&with.join(", "))],
        tasks: words.tasks.to_owned(),
        medicines: words.medicines.to_owned(),
        medicine: words.medicine.to_owned(),
        other: words.other.to_owned(),
    })
}
