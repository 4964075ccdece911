//! The patient's page: what to take, what to do, whom to call; in English or Spanish, large on a screen or on paper.
//!
//! A pure function of the patient's side of the plan, so it cannot disagree with the clinician's side. Every dose and
//! time on it reads back to the structure it was made of. What a person wrote (a reason, a to-do, a dosage in words) is
//! shown as it was written and never translated.

mod card;
mod input;
mod letter;
pub mod reading;
#[cfg(test)]
mod tests;
mod visit;
mod words;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use input::{
    PlainAllergy, PlainFollowUp, PlainGoal, PlainInput, PlainMed, PlainTodo, PlainVisit, Shown,
    input, input_of,
};

use crate::format::{self, Language};
use crate::id::RowId;
use crate::outline::WhenToCall;
pub use letter::PlainLetter;
use reading::Reading;
use words::Words;

/// Where a sentence comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum SentenceFrom {
    /// The page's own words, in its language.
    Page,
    /// A person's words, in the language they were written in.
    Person,
}

/// A sentence of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct PlainSentence {
    /// What it says.
    pub text: String,
    /// Who says it.
    pub from: SentenceFrom,
}

impl PlainSentence {
    fn page(text: impl Into<String>) -> Self {
        Self { text: text.into(), from: SentenceFrom::Page }
    }

    fn person(text: impl Into<String>) -> Self {
        Self { text: text.into(), from: SentenceFrom::Person }
    }
}

/// When in the day, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum PlainSlot {
    /// Morning.
    Morning,
    /// Midday.
    Noon,
    /// Evening.
    Evening,
    /// On going to bed.
    Bedtime,
    /// At other times, said on the card.
    OtherTimes,
    /// Only if needed.
    AsNeeded,
    /// How to take it is not known or not decided.
    Ask,
    /// Paused.
    OnHold,
    /// Stopped.
    Stopped,
}

impl PlainSlot {
    /// Every slot, in the order of the page.
    pub const ALL: [Self; 9] = [
        Self::Morning,
        Self::Noon,
        Self::Evening,
        Self::Bedtime,
        Self::OtherTimes,
        Self::AsNeeded,
        Self::Ask,
        Self::OnHold,
        Self::Stopped,
    ];
}

/// What is different from the last page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum PlainBadge {
    /// It was not there.
    New,
    /// Product, way of taking or state changed.
    Changed,
    /// It was taken, and is no longer.
    Stopped,
}

/// One medicine. It stands in each slot it is taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct PlainCard {
    /// Its row in the medication list.
    pub row: RowId,
    /// Its name, never translated.
    pub name: String,
    /// How I take it.
    pub how: Vec<PlainSentence>,
    /// Why I use it.
    pub why: Vec<PlainSentence>,
    /// Who prescribes it.
    pub prescriber: Vec<PlainSentence>,
    /// What is different.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub badge: Option<PlainBadge>,
    /// The badge in words; empty without one.
    pub badge_text: String,
}

/// The medicines of one slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct PlainGroup {
    /// When.
    pub slot: PlainSlot,
    /// When, in words.
    pub title: String,
    /// What.
    pub cards: Vec<PlainCard>,
}

/// All medicines, by time of day. Slots without medicines are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct PlainMedicines {
    /// "My medicines".
    pub title: String,
    /// "How I take it".
    pub how: String,
    /// "Why I use it".
    pub why: String,
    /// "Who prescribes it".
    pub prescriber: String,
    /// By time of day.
    pub groups: Vec<PlainGroup>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct PlainTask {
    /// Its row in the to-do list.
    pub row: RowId,
    /// What we talked about.
    pub talked_about: Vec<PlainSentence>,
    /// What I should do.
    pub should_do: Vec<PlainSentence>,
    /// When.
    pub when: Vec<PlainSentence>,
    /// Whether the patient ticked it off.
    pub done: bool,
}

/// The to-do list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct PlainTasks {
    /// "My to-do list".
    pub title: String,
    /// "What we talked about".
    pub talked_about: String,
    /// "What I should do".
    pub should_do: String,
    /// "When".
    pub when: String,
    /// What.
    pub tasks: Vec<PlainTask>,
}

/// A titled list of sentences; each inner list is one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct PlainList {
    /// Its title.
    pub title: String,
    /// Its items.
    pub items: Vec<Vec<PlainSentence>>,
}

/// The patient's page.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct PlainPage {
    /// Its language.
    pub language: Language,
    /// "My medicine plan".
    pub title: String,
    /// Date, with whom, which number to call.
    pub about: Vec<PlainSentence>,
    /// The cover letter of the Medicare format, if it is known whom to write to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub letter: Option<PlainLetter>,
    /// What to do.
    pub tasks: PlainTasks,
    /// What to take.
    pub medicines: PlainMedicines,
    /// Allergies and bad reactions.
    pub allergies: PlainList,
    /// Shots.
    pub shots: PlainList,
    /// My goals.
    pub goals: PlainList,
    /// Next visits.
    pub visits: PlainList,
    /// Questions I want to ask.
    pub questions: PlainList,
    /// What happens next.
    pub follow_up: PlainList,
    /// When to call.
    pub call: PlainList,
    /// When to call 911.
    pub emergency: PlainList,
    /// How to get rid of old medicine.
    pub disposal: PlainList,
    /// How hard the page's own sentences are to read.
    pub reading: Reading,
}

/// A page names medicines and people: it never prints.
impl fmt::Debug for PlainPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainPage(..)")
    }
}

/// Makes the page. `previous` is what the last page was made of, in whatever language it was; with it the cards say
/// what is different. Without it nothing is called new.
pub fn page(input: &PlainInput, previous: Option<&PlainInput>, language: Language) -> PlainPage {
    let PlainInput {
        visit,
        meds,
        todos,
        goals,
        my_goals,
        allergies,
        immunizations,
        touchpoints,
        questions,
        when_to_call,
        follow_up,
    } = input;
    let words = Words::of(language);
    let (call, emergency) = calls(when_to_call, words);
    let list =
        |title: &str, items: Vec<Vec<PlainSentence>>| PlainList { title: title.to_owned(), items };
    let lines = |texts: &[String]| -> Vec<Vec<PlainSentence>> {
        texts.iter().filter_map(|text| said(text)).map(|one| vec![one]).collect()
    };
    let mut page = PlainPage {
        language,
        title: words.title.to_owned(),
        about: visit.as_ref().map(|visit| about(visit, words, language)).unwrap_or_default(),
        letter: visit.as_ref().and_then(|visit| letter::letter(visit, language)),
        tasks: PlainTasks {
            title: words.tasks.to_owned(),
            talked_about: words.talked_about.to_owned(),
            should_do: words.should_do.to_owned(),
            when: words.when.to_owned(),
            tasks: todos.iter().map(|todo| task(todo, words)).collect(),
        },
        medicines: PlainMedicines {
            title: words.medicines.to_owned(),
            how: words.how.to_owned(),
            why: words.why.to_owned(),
            prescriber: words.prescriber.to_owned(),
            groups: card::groups(
                meds,
                previous.map(|previous| previous.meds.as_slice()),
                words,
                language,
            ),
        },
        allergies: list(words.allergies, allergy_items(allergies, words)),
        shots: list(words.shots, shots(immunizations, words, language)),
        goals: {
            let mut items = lines(std::slice::from_ref(my_goals));
            items.extend(goals.iter().map(|goal| goal_item(goal, words, language)));
            list(words.goals, items)
        },
        visits: list(
            words.visits,
            touchpoints.iter().filter_map(|one| visit::item(one, words, language)).collect(),
        ),
        questions: list(words.questions, lines(questions)),
        follow_up: list(words.follow_up, lines(std::slice::from_ref(follow_up))),
        call,
        emergency,
        disposal: list(words.disposal, vec![sentences(words.disposal_text)]),
        reading: Reading::default_of(language),
    };
    let names: Vec<&str> = page.names().collect();
    page.reading = reading::of(page.sentences(), &names, language);
    page
}

impl PlainPage {
    /// Its cards, in order.
    pub fn cards(&self) -> impl Iterator<Item = &PlainCard> {
        self.medicines.groups.iter().flat_map(|group| &group.cards)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.cards().map(|card| card.name.as_str())
    }

    /// The page's own sentences.
    fn sentences(&self) -> impl Iterator<Item = &str> {
        let cards = self.cards().flat_map(|card| card.how.iter().chain(&card.why));
        let tasks =
            self.tasks.tasks.iter().flat_map(|task| task.should_do.iter().chain(&task.when));
        let lists = [
            &self.allergies,
            &self.shots,
            &self.goals,
            &self.visits,
            &self.questions,
            &self.follow_up,
            &self.call,
            &self.emergency,
            &self.disposal,
        ];
        let listed = lists.into_iter().flat_map(|list| list.items.iter().flatten());
        cards
            .chain(tasks)
            .chain(listed)
            .filter(|sentence| sentence.from == SentenceFrom::Page)
            .map(|sentence| sentence.text.as_str())
    }
}

/// A person's words; nothing if there are none.
fn said(text: &str) -> Option<PlainSentence> {
    let text = text.trim();
    (!text.is_empty()).then(|| PlainSentence::person(text))
}

fn sentences(texts: &[&str]) -> Vec<PlainSentence> {
    texts.iter().map(|text| PlainSentence::page(*text)).collect()
}

/// Two parts with a colon, where the second is there.
fn labelled(label: &str, text: &str) -> Option<PlainSentence> {
    let text = text.trim();
    (!text.is_empty()).then(|| PlainSentence::person(format!("{label}: {text}")))
}

fn about(visit: &PlainVisit, words: &Words, language: Language) -> Vec<PlainSentence> {
    let PlainVisit { date, newer, with, phone, patient: _, born: _, practice: _ } = visit;
    let day = date.as_ref().map(|date| format::date(date, language)).unwrap_or_default();
    let newer = newer.then(|| sentences(words.newer)).unwrap_or_default();
    let lines = [
        labelled(words.date, &day),
        labelled(words.talked_with, &with.join(", ")),
        labelled(words.call_number, phone),
    ];
    newer.into_iter().chain(lines.into_iter().flatten()).collect()
}

fn task(todo: &PlainTodo, words: &Words) -> PlainTask {
    let PlainTodo { row, talked_about, should_do, done } = todo;
    let (should_do, when) = match should_do {
        Shown::Empty => (Vec::new(), Vec::new()),
        Shown::NotDecided => (sentences(words.not_decided), Vec::new()),
        Shown::Value { value } => {
            (said(&value.text).into_iter().collect(), said(&value.when).into_iter().collect())
        }
    };
    PlainTask {
        row: *row,
        talked_about: said(talked_about).into_iter().collect(),
        should_do,
        when,
        done: *done,
    }
}

fn allergy_items(allergies: &[PlainAllergy], words: &Words) -> Vec<Vec<PlainSentence>> {
    if allergies.is_empty() {
        // An empty list says nothing about the patient.
        return vec![sentences(words.no_allergies)];
    }
    let item = |allergy: &PlainAllergy| match allergy {
        Shown::Empty => None,
        Shown::NotDecided => Some(sentences(words.not_decided)),
        Shown::Value { value } => {
            let text = if value.reactions.is_empty() {
                value.substance.clone()
            } else {
                format!("{}: {}", value.substance, value.reactions.join(", "))
            };
            Some(vec![PlainSentence::person(text)])
        }
    };
    allergies.iter().filter_map(item).collect()
}

fn shots(
    immunizations: &[Shown<crate::immunization::Immunization>],
    words: &Words,
    language: Language,
) -> Vec<Vec<PlainSentence>> {
    immunizations
        .iter()
        .filter_map(|shot| match shot {
            Shown::Empty => None,
            Shown::NotDecided => Some(sentences(words.not_decided)),
            Shown::Value { value } => {
                let text = value.date.as_ref().map_or_else(
                    || value.vaccine.clone(),
                    |date| format!("{}: {}", value.vaccine, format::date(date, language)),
                );
                Some(vec![PlainSentence::person(text)])
            }
        })
        .collect()
}

fn goal_item(goal: &PlainGoal, words: &Words, language: Language) -> Vec<PlainSentence> {
    let PlainGoal { text, target } = goal;
    let mut item: Vec<PlainSentence> = said(text).into_iter().collect();
    match target {
        Shown::Empty => {}
        Shown::NotDecided => item.extend(sentences(words.not_decided)),
        Shown::Value { value } => {
            item.push(PlainSentence::person(format!("{}: {}", value.measure, value.value)));
            if let Some(due) = &value.due {
                item.push(PlainSentence::page(format!(
                    "{}: {}.",
                    words.by,
                    format::date(due, language)
                )));
            }
        }
    }
    item
}

fn calls(when: &Shown<WhenToCall>, words: &Words) -> (PlainList, PlainList) {
    let (call, emergency) = match when {
        Shown::Empty => (None, None),
        Shown::NotDecided => {
            let undecided = || PlainSentence::page(words.not_decided.join(" "));
            (Some(undecided()), Some(undecided()))
        }
        Shown::Value { value: WhenToCall { call, emergency } } => (said(call), said(emergency)),
    };
    let item = |sentence: Option<PlainSentence>| sentence.into_iter().map(|one| vec![one]);
    let mut urgent: Vec<Vec<PlainSentence>> = item(emergency).collect();
    urgent.push(sentences(words.emergency_text));
    (
        PlainList { title: words.call.to_owned(), items: item(call).collect() },
        PlainList { title: words.emergency.to_owned(), items: urgent },
    )
}
