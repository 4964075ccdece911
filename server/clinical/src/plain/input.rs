//! What the page is made of: values of the patient's side of the plan, and the patient's own part.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::allergy::Allergy;
use crate::field::{Address, FieldName, ListName, Presence};
use crate::goal::GoalTarget;
use crate::id::RowId;
use crate::immunization::Immunization;
use crate::medication::{MedicationStatus, Product, Sig};
use crate::outline::WhenToCall;
use crate::register::Register;
use crate::todo::Instruction;
use crate::touchpoint::Touchpoint;
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
    pub touchpoints: Vec<Shown<Touchpoint>>,
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

/// Takes the page's values out of the patient's view of `plan` and of `voice`. `text` reads a narrative text; removed
/// rows are left out. Of a snapshot of the full view only the patient's side is read.
pub fn input(
    visit: Option<PlainVisit>,
    plan: &Snapshot,
    voice: Option<&Snapshot>,
    text: impl Fn(&TextAt) -> String,
) -> PlainInput {
    let plan = Index::of(plan, &text);
    let nothing = Snapshot::default();
    let voice = Index::of(voice.unwrap_or(&nothing), &text);
    let meds = plan
        .rows(ListName::Meds)
        .map(|row| PlainMed {
            row,
            product: plan.register(Some(row), FieldName::MedsProduct),
            sig: plan.register(Some(row), FieldName::MedsSig),
            indication: plan.register(Some(row), FieldName::MedsIndication),
            prescriber: plan.register(Some(row), FieldName::MedsPrescriber),
            status: plan.register(Some(row), FieldName::MedsStatus),
        })
        .collect();
    let todos = plan
        .rows(ListName::Todos)
        .map(|row| PlainTodo {
            row,
            talked_about: plan.text(Some(row), FieldName::TodosTalkedAbout),
            should_do: plan.register(Some(row), FieldName::TodosShouldDo),
            done: matches!(
                voice.register(Some(row), FieldName::TodosTick),
                Shown::Value { value: true }
            ),
        })
        .collect();
    let goals = plan
        .rows(ListName::Goals)
        .map(|row| PlainGoal {
            text: plan.text(Some(row), FieldName::GoalsText),
            target: plan.register(Some(row), FieldName::GoalsTarget),
        })
        .collect();
    PlainInput {
        visit,
        meds,
        todos,
        goals,
        my_goals: voice.text(None, FieldName::MyGoals),
        allergies: plan.all(ListName::Allergies, FieldName::AllergiesContent),
        immunizations: plan.all(ListName::Immunizations, FieldName::ImmunizationsContent),
        touchpoints: plan.all(ListName::Touchpoints, FieldName::TouchpointsContent),
        questions: voice
            .rows(ListName::Questions)
            .map(|row| voice.text(Some(row), FieldName::QuestionsText))
            .collect(),
        when_to_call: plan.register(None, FieldName::OutlineWhenToCall),
        follow_up: plan.text(None, FieldName::OutlineFollowUp),
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

/// A snapshot, found by address.
struct Index<'s> {
    snapshot: &'s Snapshot,
    registers: BTreeMap<Address, &'s Register>,
    texts: BTreeMap<Address, String>,
}

impl<'s> Index<'s> {
    fn of(snapshot: &'s Snapshot, text: &impl Fn(&TextAt) -> String) -> Self {
        Self {
            snapshot,
            registers: snapshot.registers.iter().map(|at| (at.at, &at.register)).collect(),
            texts: snapshot.texts.iter().map(|at| (at.at, text(at))).collect(),
        }
    }

    /// Rows that are there, or of which it is not decided whether they are.
    fn rows(&self, list: ListName) -> impl Iterator<Item = RowId> {
        let lists = self.snapshot.lists.iter().filter(move |rows| rows.list == list);
        lists.flat_map(|rows| rows.rows.iter().copied()).filter(|row| {
            !matches!(
                self.register(Some(*row), FieldName::Presence),
                Shown::Value { value: Presence::Removed { reason: _ } }
            )
        })
    }

    fn all<T: DeserializeOwned>(&self, list: ListName, field: FieldName) -> Vec<Shown<T>> {
        self.rows(list).map(|row| self.register(Some(row), field)).collect()
    }

    fn register<T: DeserializeOwned>(&self, row: Option<RowId>, field: FieldName) -> Shown<T> {
        match self.registers.get(&Address { row, field }) {
            None | Some(Register::Empty) => Shown::Empty,
            Some(Register::Conflict { rev: _, candidates: _ }) => Shown::NotDecided,
            Some(Register::Value { value, rev: _, by: _, at_ms: _ }) => value
                .as_ref()
                .and_then(crate::value::Value::read)
                .map_or(Shown::Empty, |value| Shown::Value { value }),
        }
    }

    fn text(&self, row: Option<RowId>, field: FieldName) -> String {
        self.texts.get(&Address { row, field }).cloned().unwrap_or_default()
    }
}
