//! What the page is made of: values of the patient's side of the plan, and the patient's own part.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::actor::Millis;
use crate::allergy::Allergy;
use crate::field::{FieldName, ListName};
use crate::goal::GoalTarget;
use crate::id::{RowId, VisitId};
use crate::immunization::Immunization;
use crate::medication::{MedicationStatus, Product, Sig};
use crate::outline::WhenToCall;
use crate::record::{Held, Index, Said};
use crate::todo::Instruction;
use crate::touchpoint::{self, Standing, Touchpoint, TouchpointState, TouchpointStep};
use crate::value::{Line, PartialDate};
use crate::version::{Content, Row};
use crate::view::{Snapshot, TextAt};

/// A register as the patient may read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Shown<T> {
    /// Nothing written, or cleared.
    #[default]
    Empty,
    /// This.
    Value {
        /// What it says.
        value: T,
    },
    /// Two people wrote at once and nobody has chosen: nobody should act on one of two doses.
    NotDecided,
}

impl<T> From<Held<T>> for Shown<T> {
    fn from(held: Held<T>) -> Self {
        match held {
            Held::Empty => Self::Empty,
            Held::Value(Said { value, rev: _, by: _, at_ms: _ }) => Self::Value { value },
            Held::Conflict(_candidates) => Self::NotDecided,
        }
    }
}

/// An allergy as the patient may read it.
pub type PlainAllergy = Shown<Allergy>;

/// Everything the page shows.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainInput {
    /// The visit it was made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<PlainVisit>,
    /// Medicines, in the order of the list.
    pub meds: Vec<PlainMed>,
    /// What to do.
    pub todos: Vec<PlainTodo>,
    /// Goals worked out together.
    pub goals: Vec<PlainGoal>,
    /// What matters, in the patient's own words.
    pub my_goals: String,
    /// Allergies.
    pub allergies: Vec<PlainAllergy>,
    /// Immunizations.
    pub immunizations: Vec<Shown<Immunization>>,
    /// Agreed follow-ups.
    pub touchpoints: Vec<PlainFollowUp>,
    /// Questions the patient wants to ask.
    pub questions: Vec<String>,
    /// When to call.
    pub when_to_call: Shown<WhenToCall>,
    /// What happens next.
    pub follow_up: String,
}

/// It names medicines and people: it never prints.
impl fmt::Debug for PlainInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainInput(..)")
    }
}

/// Date, with whom, which number to call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainVisit {
    /// The day, in the patient's time zone.
    pub date: Option<PartialDate>,
    /// The plan was signed again after this visit: a page from then is not what holds now.
    pub newer: bool,
    /// Names of the staff.
    pub with: Vec<String>,
    /// The practice's number.
    pub phone: String,
    /// The patient's name; empty: no letter.
    pub patient: String,
    /// The patient's date of birth.
    pub born: Option<PartialDate>,
    /// The practice's name.
    pub practice: String,
}

/// A row of the medication list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainMed {
    /// The row.
    pub row: RowId,
    /// Name, code, strength.
    pub product: Shown<Product>,
    /// How it is to be taken.
    pub sig: Shown<Sig>,
    /// What it is for.
    pub indication: Shown<Line>,
    /// Who prescribes it.
    pub prescriber: Shown<Line>,
    /// In use, on hold, stopped.
    pub status: Shown<MedicationStatus>,
}

/// A row of the to-do list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainTodo {
    /// The row.
    pub row: RowId,
    /// What we talked about.
    pub talked_about: String,
    /// What the patient should do.
    pub should_do: Shown<Instruction>,
    /// Whether it is ticked off.
    pub done: bool,
}

/// A row of the goal list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainGoal {
    /// In the patient's words.
    pub text: String,
    /// A number to reach.
    pub target: Shown<GoalTarget>,
}

/// A row of the agreed follow-ups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainFollowUp {
    /// What was agreed.
    pub content: Shown<Touchpoint>,
    /// What became of it, as somebody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<TouchpointState>,
    /// Where it stands. As long as nobody told the time ([`PlainInput::at`]), what was said.
    pub standing: Standing,
}

impl PlainInput {
    /// Says where the follow-ups stand at a moment, whose day is `today` where the practice is. `held` tells when booked
    /// visits took place.
    #[must_use]
    pub fn at(
        mut self,
        now: Millis,
        today: &PartialDate,
        held: &BTreeMap<VisitId, Millis>,
    ) -> Self {
        for PlainFollowUp { content, state, standing } in &mut self.touchpoints {
            let due = match content {
                Shown::Value { value } => value.due.as_ref(),
                Shown::Empty | Shown::NotDecided => None,
            };
            let booked = state.as_ref().and_then(|state| state.booked.as_ref());
            let held = booked.and_then(|booked| held.get(&booked.visit)).copied();
            *standing = touchpoint::standing(due, state.as_ref(), held, now, today);
        }
        self
    }
}

fn follow_up(index: &Index<'_>, row: RowId) -> PlainFollowUp {
    let state: Held<TouchpointState> = index.register(Some(row), FieldName::TouchpointsState);
    let state = state.value().cloned();
    let standing = match state.as_ref().map(|state| state.step) {
        None | Some(TouchpointStep::Planned) => Standing::Planned,
        Some(TouchpointStep::Booked) => Standing::Booked,
        Some(TouchpointStep::Done) => Standing::Done,
        Some(TouchpointStep::Missed) => Standing::Missed,
        Some(TouchpointStep::Cancelled) => Standing::Cancelled,
    };
    let content = index.register(Some(row), FieldName::TouchpointsContent).into();
    PlainFollowUp { content, state, standing }
}

/// Takes the page's values out of the patient's view of `plan` and of `voice`. `text` reads a narrative text; removed
/// rows are left out. Of a snapshot of the full view only the patient's side is read.
pub fn input(
    visit: Option<PlainVisit>,
    plan: &Snapshot,
    voice: Option<&Snapshot>,
    text: impl Fn(&TextAt) -> String,
) -> PlainInput {
    let nothing = Snapshot::default();
    let index = Index::of(&[plan, voice.unwrap_or(&nothing)], text);
    let meds = index
        .rows(ListName::Meds)
        .map(|row| PlainMed {
            row,
            product: index.register(Some(row), FieldName::MedsProduct).into(),
            sig: index.register(Some(row), FieldName::MedsSig).into(),
            indication: index.register(Some(row), FieldName::MedsIndication).into(),
            prescriber: index.register(Some(row), FieldName::MedsPrescriber).into(),
            status: index.register(Some(row), FieldName::MedsStatus).into(),
        })
        .collect();
    let todos = index
        .rows(ListName::Todos)
        .map(|row| PlainTodo {
            row,
            talked_about: index.words(Some(row), FieldName::TodosTalkedAbout).text,
            should_do: index.register(Some(row), FieldName::TodosShouldDo).into(),
            done: index.register(Some(row), FieldName::TodosTick).value() == Some(&true),
        })
        .collect();
    let goals = index
        .rows(ListName::Goals)
        .map(|row| PlainGoal {
            text: index.words(Some(row), FieldName::GoalsText).text,
            target: index.register(Some(row), FieldName::GoalsTarget).into(),
        })
        .collect();
    PlainInput {
        visit,
        meds,
        todos,
        goals,
        my_goals: index.words(None, FieldName::MyGoals).text,
        allergies: all(&index, ListName::Allergies, FieldName::AllergiesContent),
        immunizations: all(&index, ListName::Immunizations, FieldName::ImmunizationsContent),
        touchpoints: index.rows(ListName::Touchpoints).map(|row| follow_up(&index, row)).collect(),
        questions: index
            .rows(ListName::Questions)
            .map(|row| index.words(Some(row), FieldName::QuestionsText).text)
            .collect(),
        when_to_call: index.register(None, FieldName::OutlineWhenToCall).into(),
        follow_up: index.words(None, FieldName::OutlineFollowUp).text,
    }
}

/// What the page said of a signed version: so that the next one can say what is new, changed or stopped.
pub fn input_of(version: &Content) -> PlainInput {
    let rows = |list: ListName| version.lists.get(list.as_str()).map_or(&[][..], Vec::as_slice);
    fn shown<T: DeserializeOwned>(row: &Row, field: FieldName) -> Shown<T> {
        let json = row.fields.get(field.as_str());
        json.and_then(|json| T::deserialize(json).ok())
            .map_or(Shown::Empty, |value| Shown::Value { value })
    }
    // What the badges are about: the rest of a page is not compared.
    let meds = rows(ListName::Meds).iter().map(|row| PlainMed {
        row: row.row,
        product: shown(row, FieldName::MedsProduct),
        sig: shown(row, FieldName::MedsSig),
        indication: shown(row, FieldName::MedsIndication),
        prescriber: shown(row, FieldName::MedsPrescriber),
        status: shown(row, FieldName::MedsStatus),
    });
    PlainInput { meds: meds.collect(), ..PlainInput::default() }
}

fn all<T: DeserializeOwned>(index: &Index<'_>, list: ListName, field: FieldName) -> Vec<Shown<T>> {
    index.rows(list).map(|row| index.register(Some(row), field).into()).collect()
}
