//! Medicines as cards, grouped by time of day.

use super::input::{PlainMed, Shown};
use super::words::{self, Words};
use super::{
    PlainBadge, PlainCard, PlainGroup, PlainSentence, PlainSlot, labelled, said, sentences,
};
use crate::format::{self, Language, TextAdds};
use crate::id::RowId;
use crate::medication::{MedicationStatus, Product, Sig, TimeOfDay};

/// Every medicine in every slot it is taken in.
pub(super) fn groups(
    meds: &[PlainMed],
    previous: Option<&[PlainMed]>,
    words: &Words,
    language: Language,
) -> Vec<PlainGroup> {
    let mut cards: Vec<(Vec<PlainSlot>, PlainCard)> =
        meds.iter().filter_map(|med| card(med, previous, words, language)).collect();
    let stands = |row: RowId| cards.iter().any(|(_, card)| card.row == row);
    let gone: Vec<_> = previous
        .unwrap_or_default()
        .iter()
        .filter(|before| was_taken(before) && !stands(before.row))
        .filter_map(|before| left(before, words, language))
        .collect();
    cards.extend(gone);
    PlainSlot::ALL
        .into_iter()
        .map(|slot| PlainGroup {
            slot,
            title: words::slot(slot, language).to_owned(),
            cards: cards
                .iter()
                .filter(|(slots, _)| slots.contains(&slot))
                .map(|(_, card)| card.clone())
                .collect(),
        })
        .filter(|group| !group.cards.is_empty())
        .collect()
}

fn card(
    med: &PlainMed,
    previous: Option<&[PlainMed]>,
    words: &Words,
    language: Language,
) -> Option<(Vec<PlainSlot>, PlainCard)> {
    let PlainMed { row, product, sig, indication, prescriber, status } = med;
    let (name, known) = match product {
        Shown::Value { value } => (format::product(value), Some(value)),
        Shown::NotDecided => (words.not_decided_name.to_owned(), None),
        // A row that was only just added.
        Shown::Empty => return None,
    };
    let (slots, how) = match status {
        Shown::NotDecided => (vec![PlainSlot::Ask], sentences(words.not_decided)),
        Shown::Value { value: MedicationStatus::EnteredInError } => return None,
        Shown::Value { value: MedicationStatus::Stopped { date, reason } } => {
            let mut how = sentences(words.stopped);
            if let Some(date) = date {
                how.push(PlainSentence::page(format!(
                    "{}: {}.",
                    words.stopped_on,
                    format::date(date, language)
                )));
            }
            how.extend(labelled(words.because, reason));
            (vec![PlainSlot::Stopped], how)
        }
        Shown::Value { value: MedicationStatus::OnHold } => {
            (vec![PlainSlot::OnHold], sentences(words.on_hold))
        }
        Shown::Value { value: MedicationStatus::Active } | Shown::Empty => match sig {
            _ if known.is_none() => (vec![PlainSlot::Ask], sentences(words.not_decided)),
            Shown::NotDecided => (vec![PlainSlot::Ask], sentences(words.not_decided)),
            Shown::Empty => (vec![PlainSlot::Ask], sentences(words.no_sig)),
            Shown::Value { value } => (slots(value), how(value, known, language)),
        },
    };
    let line = |shown: &Shown<crate::value::Line>| match shown {
        Shown::Empty => Vec::new(),
        Shown::NotDecided => vec![PlainSentence::page(words.not_decided_name)],
        Shown::Value { value } => said(&value.0).into_iter().collect(),
    };
    let badge = previous.and_then(|previous| badge(med, previous)).or_else(|| {
        // On a first page a stopped medicine says so by itself.
        (previous.is_none() && slots.contains(&PlainSlot::Stopped)).then_some(PlainBadge::Stopped)
    });
    let card = PlainCard {
        row: *row,
        name,
        how,
        why: line(indication),
        prescriber: line(prescriber),
        badge,
        badge_text: badge.map(|badge| words::badge(badge, language).to_owned()).unwrap_or_default(),
    };
    Some((slots, card))
}

/// A medicine that stood on the page before as one to take and is not on the list any more: it does not vanish without
/// a word from the kitchen table of somebody who still has the bottle.
fn left(
    before: &PlainMed,
    words: &Words,
    language: Language,
) -> Option<(Vec<PlainSlot>, PlainCard)> {
    let Shown::Value { value } = &before.product else { return None };
    let badge = PlainBadge::Stopped;
    let card = PlainCard {
        row: before.row,
        name: format::product(value),
        how: sentences(words.left),
        why: Vec::new(),
        prescriber: Vec::new(),
        badge: Some(badge),
        badge_text: words::badge(badge, language).to_owned(),
    };
    Some((vec![PlainSlot::Stopped], card))
}

/// Whether the page before said to take it, now or later.
fn was_taken(before: &PlainMed) -> bool {
    match before.status {
        Shown::Value { value: MedicationStatus::Active | MedicationStatus::OnHold }
        | Shown::Empty
        | Shown::NotDecided => true,
        Shown::Value {
            value:
                MedicationStatus::Stopped { date: _, reason: _ } | MedicationStatus::EnteredInError,
        } => false,
    }
}

/// How to take it: sentences made of the structure, and the text as written where it says more. Where the two name
/// different regimens only the text stands: it is what a person wrote and read.
fn how(sig: &Sig, product: Option<&Product>, language: Language) -> Vec<PlainSentence> {
    let made =
        || format::sig_sentences(sig, product, language).into_iter().map(PlainSentence::page);
    if !format::is_structured(sig) {
        return said(&sig.text).into_iter().collect();
    }
    match format::says_more(sig, product) {
        TextAdds::Nothing => made().collect(),
        TextAdds::Words => made().chain(said(&sig.text)).collect(),
        TextAdds::Regimen => said(&sig.text).into_iter().collect(),
    }
}

fn slots(sig: &Sig) -> Vec<PlainSlot> {
    if sig.prn.is_some() {
        return vec![PlainSlot::AsNeeded];
    }
    if sig.times.is_empty() {
        return vec![PlainSlot::OtherTimes];
    }
    sig.times
        .iter()
        .map(|time| match time {
            TimeOfDay::Morning => PlainSlot::Morning,
            TimeOfDay::Noon => PlainSlot::Noon,
            TimeOfDay::Evening => PlainSlot::Evening,
            TimeOfDay::Bedtime => PlainSlot::Bedtime,
        })
        .collect()
}

/// What changed since the last page. Who prescribes it, and why, is no change in taking it.
fn badge(med: &PlainMed, previous: &[PlainMed]) -> Option<PlainBadge> {
    let stopped = |med: &PlainMed| {
        matches!(
            med.status,
            Shown::Value { value: MedicationStatus::Stopped { date: _, reason: _ } }
        )
    };
    let find = |row: RowId| previous.iter().find(|before| before.row == row);
    match find(med.row) {
        None if stopped(med) => None,
        None => Some(PlainBadge::New),
        Some(before) if stopped(med) => (!stopped(before)).then_some(PlainBadge::Stopped),
        Some(before) => {
            // "In use" and nothing said about it are the same to who takes it; so is a code behind the same name.
            let status = |med: &PlainMed| match &med.status {
                Shown::Empty => Shown::Value { value: MedicationStatus::Active },
                said => said.clone(),
            };
            let name = |med: &PlainMed| match &med.product {
                Shown::Value { value } => Some(format::product(value)),
                Shown::Empty | Shown::NotDecided => None,
            };
            (name(before) != name(med) || before.sig != med.sig || status(before) != status(med))
                .then_some(PlainBadge::Changed)
        }
    }
}
