//! Safety prompts: what a second pair of eyes would point at in the plan.
//!
//! Deterministic and derived: the same plan gives the same prompts, and nothing of them is stored. They compare what
//! stands in the record with itself. **They are not an interaction checker** and hold no clinical content beyond names:
//! no prompt says what to do.
//!
//! That a medicine is unverified at sign-off is the gate's to say ([`crate::gate::GateCode::Verified`]).
//!
//! A prompt may be laid aside with a reason, which is a row of the record with its author and time ([`Dismissal`]). It
//! comes back when what it is about is written again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::actor::Millis;
use crate::allergy::Allergy;
use crate::doc::Doc;
use crate::field::{Address, DocKind, FieldName, ListName};
use crate::gate::in_use;
use crate::id::RowId;
use crate::ingredient;
use crate::medication::{Adherence, MedicationKind, MedicationStatus, Product, Taking};
use crate::recommendation::{RecommendationContent, Standing};
use crate::register::Register;
use crate::value::{Check, Code, Line, Value, ValueError, each_once, short};

mod prose;

/// Prompts of one plan that are told. More would not be read; fewer could hide one in a chart of fifty medicines.
pub const PROMPTS: usize = 200;

/// What a prompt points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum PromptCode {
    /// An ingredient of a medicine in use is the substance of an allergy. At: product, allergy.
    Allergy,
    /// Several medicines that are taken hold the same ingredient. At: their products.
    SameIngredient,
    /// A stopped medicine is still reported as taken. At: status, and what says so.
    StoppedTaken,
    /// A controlled substance is in a recommendation under a collaborative agreement. At: recommendation, medicine.
    ControlledUnderAgreement,
    /// Two people wrote how a medicine is taken. At: the sig.
    SigInConflict,
    /// Nobody said what a medicine is for. At: the indication.
    NoIndication,
    /// A text holds a dose, which belongs into the medication list. At: the text.
    ProseDose,
}

/// One prompt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Prompt {
    /// What.
    pub code: PromptCode,
    /// What it is about, in the order of the list.
    pub at: Vec<Address>,
    /// The medicine a dose in prose seems to be about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub med: Option<RowId>,
    /// The row in which it was laid aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub dismissed: Option<RowId>,
}

/// What somebody looked at and laid aside. Who and when stands in its register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(untagged)]
pub enum Dismissal {
    /// A prompt of ours.
    Prompt(PromptAside),
    /// A card of a decision support.
    Card(CardAside),
}

impl Dismissal {
    /// Why it needs nothing.
    pub fn reason(&self) -> &str {
        match self {
            Self::Prompt(PromptAside { reason, .. }) | Self::Card(CardAside { reason, .. }) => {
                reason
            }
        }
    }
}

impl Check for Dismissal {
    fn check(&self) -> Result<(), ValueError> {
        match self {
            Self::Prompt(prompt) => prompt.check(),
            Self::Card(card) => card.check(),
        }
    }
}

/// A card of a decision support, laid aside. It is one card as long as its service says the same in a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct CardAside {
    /// Whose card it is, as people know the service.
    pub service: String,
    /// What it says in a line.
    pub summary: String,
    /// Why it needs nothing.
    pub reason: String,
}

impl Check for CardAside {
    fn check(&self) -> Result<(), ValueError> {
        // As long as a card may be here: characters, of which one may be two UTF-16 units, and the mark of what was cut.
        short("service", &self.service, 1, 202)?;
        short("summary", &self.summary, 1, 282)?;
        short("reason", &self.reason, 1, 300)
    }
}

/// A prompt that was laid aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct PromptAside {
    /// Which.
    pub code: PromptCode,
    /// About what.
    pub at: Vec<Address>,
    /// Why it needs nothing.
    pub reason: String,
}

impl Check for PromptAside {
    fn check(&self) -> Result<(), ValueError> {
        if self.at.is_empty() || self.at.len() > 20 {
            return Err(ValueError::OutOfRange { path: "at" });
        }
        each_once("at", &self.at)?;
        short("reason", &self.reason, 1, 300)
    }
}

/// Whether a collaborative drug therapy agreement (CDTM) holds for this patient. It is kept outside the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// It does.
    Active,
    /// It does not.
    None,
}

/// Every prompt of a plan, at most [`PROMPTS`], the most pressing kind first. `voice` is what the patient says.
pub fn prompts(plan: &Doc, voice: Option<&Doc>, agreement: Agreement, now: Millis) -> Vec<Prompt> {
    if plan.kind() != DocKind::Plan {
        return Vec::new();
    }
    let meds: Vec<Med> = plan.standing(ListName::Meds).map(|row| Med::of(plan, row)).collect();
    let mut found = Vec::new();
    allergies(plan, &meds, &mut found);
    same_ingredient(&meds, &mut found);
    still_taken(plan, voice, &meds, &mut found);
    if agreement == Agreement::Active {
        controlled(plan, now, &mut found);
    }
    for med in meds.iter().filter(|med| med.in_use) {
        let sig = on(med.row, FieldName::MedsSig);
        if plan.register(&sig).is_conflict() {
            found.push(prompt(PromptCode::SigInConflict, vec![sig]));
        }
        let indication = on(med.row, FieldName::MedsIndication);
        if med.taken && !med.device && says_nothing(plan.register(&indication)) {
            found.push(prompt(PromptCode::NoIndication, vec![indication]));
        }
    }
    prose_doses(plan, &meds, &mut found);
    let dismissals = Dismissals::of(plan);
    for prompt in &mut found {
        prompt.dismissed = dismissals.of_prompt(plan, voice, prompt);
    }
    // What was laid aside must not push out what was not.
    found.sort_by_key(|prompt| (prompt.dismissed.is_some(), prompt.code));
    found.truncate(PROMPTS);
    found
}

/// A medicine as far as the prompts look at it.
struct Med {
    row: RowId,
    /// In use or on hold.
    in_use: bool,
    /// In use, and not on hold.
    taken: bool,
    stopped: bool,
    device: bool,
    /// What is in it: coded, and by name.
    holds: BTreeSet<String>,
    second: BTreeSet<String>,
}

impl Med {
    fn of(plan: &Doc, row: RowId) -> Self {
        let status = read::<MedicationStatus>(plan, on(row, FieldName::MedsStatus));
        // Of two products at once it may be either: silence would be the one wrong answer.
        let products = every::<Product>(plan, on(row, FieldName::MedsProduct));
        Self {
            row,
            in_use: in_use(plan, row),
            taken: matches!(status, None | Some(MedicationStatus::Active)),
            stopped: matches!(status, Some(MedicationStatus::Stopped { .. })),
            device: read(plan, on(row, FieldName::MedsKind)) == Some(MedicationKind::Device),
            holds: products.iter().flat_map(holds).collect(),
            second: products.iter().filter_map(|one| ingredient::second(&one.name)).collect(),
        }
    }
}

/// Keys of what is in a product: codes as `system|code`, and names.
fn holds(product: &Product) -> BTreeSet<String> {
    let Product { name, code, strength_form: _, ingredients } = product;
    let coded = code.iter().chain(ingredients).map(coded);
    coded.chain(ingredient::of(name)).collect()
}

fn coded(Code { system, code }: &Code) -> String {
    format!("{system}|{code}")
}

fn same_ingredient(meds: &[Med], found: &mut Vec<Prompt>) {
    let mut of_key: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (place, med) in meds.iter().enumerate().filter(|(_, med)| med.taken && !med.device) {
        for key in &med.holds {
            of_key.entry(key).or_default().insert(place);
        }
    }
    for (place, med) in meds.iter().enumerate().filter(|(_, med)| med.taken && !med.device) {
        for name in &med.second {
            if let Some(places) = of_key.get_mut(name.as_str()) {
                places.insert(place);
            }
        }
    }
    // Two keys of the same medicines, a code and a name, are one prompt.
    let groups: BTreeSet<BTreeSet<usize>> =
        of_key.into_values().filter(|places| places.len() > 1).collect();
    for places in groups {
        let rows = places.into_iter().filter_map(|place| meds.get(place));
        let at = rows.map(|med| on(med.row, FieldName::MedsProduct)).take(20).collect();
        found.push(prompt(PromptCode::SameIngredient, at));
    }
}

fn allergies(plan: &Doc, meds: &[Med], found: &mut Vec<Prompt>) {
    let known: Vec<(RowId, Vec<Allergy>)> = plan
        .standing(ListName::Allergies)
        .map(|row| (row, every(plan, on(row, FieldName::AllergiesContent))))
        .collect();
    for med in meds.iter().filter(|med| med.in_use) {
        for (row, allergies) in &known {
            let by_code = |Allergy { code, .. }: &Allergy| {
                code.as_ref().is_some_and(|code| med.holds.contains(&coded(code)))
            };
            let by_name = |Allergy { substance, .. }: &Allergy| {
                ingredient::of(substance)
                    .iter()
                    .any(|name| med.holds.iter().chain(&med.second).any(|held| begins(held, name)))
            };
            if allergies.iter().any(|allergy| by_code(allergy) || by_name(allergy)) {
                let at = vec![
                    on(med.row, FieldName::MedsProduct),
                    on(*row, FieldName::AllergiesContent),
                ];
                found.push(prompt(PromptCode::Allergy, at));
            }
        }
    }
}

/// Whether a name begins with another, word by word: "penicillin v" with "penicillin", "penicillins" too. A first word
/// that names a whole family begins nothing.
fn begins(held: &str, name: &str) -> bool {
    const FAMILIES: [&str; 5] = ["vitamin", "vitamins", "insulin", "iron", "omega"];
    let singular = |word: &str| word.strip_suffix('s').unwrap_or(word).to_owned();
    if held == name {
        return true;
    }
    if FAMILIES.contains(&name) {
        return false;
    }
    let mut held = held.split(' ').map(singular);
    !name.is_empty() && name.split(' ').map(singular).all(|word| held.next() == Some(word))
}

fn still_taken(plan: &Doc, voice: Option<&Doc>, meds: &[Med], found: &mut Vec<Prompt>) {
    for med in meds.iter().filter(|med| med.stopped) {
        let status = on(med.row, FieldName::MedsStatus);
        let stopped = plan.register(&status);
        let adherence = on(med.row, FieldName::MedsAdherence);
        let taking =
            read::<Adherence>(plan, adherence).is_some_and(|adherence| match adherence.taking {
                Taking::AsPrescribed | Taking::Differently => true,
                Taking::NotTaking | Taking::Unknown => false,
            });
        // What was said before it was stopped is no contradiction. A chart says both at once.
        if taking && plan.register(&adherence).rev() >= stopped.rev() {
            found.push(prompt(PromptCode::StoppedTaken, vec![status, adherence]));
        }
        let as_taken = on(med.row, FieldName::MedsAsTaken);
        let told = voice.map(|voice| voice.register(&as_taken));
        if let Some(told) = told
            && !says_nothing(told)
            && written(told) > written(stopped)
        {
            found.push(prompt(PromptCode::StoppedTaken, vec![status, as_taken]));
        }
    }
}

/// Controlled substances are outside every collaborative agreement.
fn controlled(plan: &Doc, now: Millis, found: &mut Vec<Prompt>) {
    for row in plan.standing(ListName::Recommendations) {
        match plan.standing_of(row, now) {
            Standing::Withdrawn | Standing::Replaced | Standing::Declined => continue,
            Standing::Draft
            | Standing::Sent
            | Standing::Seen
            | Standing::NoResponse
            | Standing::Accepted
            | Standing::AcceptedModified
            | Standing::Implemented
            | Standing::Verified => {}
        }
        let at = on(row, FieldName::RecommendationsContent);
        let med = read::<RecommendationContent>(plan, at).and_then(|content| content.med);
        if let Some(med) = med
            && read(plan, on(med, FieldName::MedsControlled)) == Some(true)
        {
            let at = vec![at, on(med, FieldName::MedsControlled)];
            found.push(prompt(PromptCode::ControlledUnderAgreement, at));
        }
    }
}

fn prose_doses(plan: &Doc, meds: &[Med], found: &mut Vec<Prompt>) {
    for (at, words) in plan.texts() {
        if at.row.is_some_and(|row| plan.removed(row)) || !prose::holds_dose(&words) {
            continue;
        }
        let lower = words.to_lowercase();
        let med = meds
            .iter()
            .find(|med| med.in_use && med.holds.iter().any(|held| prose::names(&lower, held)));
        let med = med.map(|med| med.row);
        found.push(Prompt { code: PromptCode::ProseDose, at: vec![at], med, dismissed: None });
    }
}

/// What was laid aside, by what it is about.
struct Dismissals(BTreeMap<(PromptCode, Vec<Address>), RowId>);

impl Dismissals {
    fn of(plan: &Doc) -> Self {
        let known = plan.standing(ListName::Dismissals).filter_map(|row| {
            match read(plan, on(row, FieldName::DismissalsContent))? {
                Dismissal::Prompt(PromptAside { code, at, reason: _ }) => {
                    Some(((code, sorted(&at)), row))
                }
                Dismissal::Card(_) => None,
            }
        });
        // Rows are new ones first or last as people add them: the newest by its revision stands.
        let mut newest: BTreeMap<(PromptCode, Vec<Address>), RowId> = BTreeMap::new();
        let rev = |row: RowId| plan.register(&on(row, FieldName::DismissalsContent)).rev();
        for (key, row) in known {
            let before = newest.get(&key).copied();
            if before.is_none_or(|before| rev(before) < rev(row)) {
                newest.insert(key, row);
            }
        }
        Self(newest)
    }

    fn of_prompt(&self, plan: &Doc, voice: Option<&Doc>, prompt: &Prompt) -> Option<RowId> {
        let row = self.0.get(&(prompt.code, sorted(&prompt.at))).copied()?;
        let aside = plan.register(&on(row, FieldName::DismissalsContent));
        let stands = prompt.at.iter().all(|at| match at.field.doc() {
            DocKind::Plan => plan.rev_of(at) < aside.rev(),
            // Another document counts its own changes; of two by one server the clock tells which is later.
            DocKind::Voice | DocKind::Team => {
                voice.is_none_or(|voice| written(voice.register(at)) <= written(aside))
            }
        });
        stands.then_some(row)
    }
}

fn sorted(at: &[Address]) -> Vec<Address> {
    let mut at = at.to_vec();
    at.sort_unstable();
    at
}

fn says_nothing(register: &Register) -> bool {
    match register {
        Register::Empty => true,
        // Somebody said something; what, is asked elsewhere.
        Register::Conflict { .. } => false,
        Register::Value { value, .. } => {
            value.as_ref().and_then(Value::read::<Line>).is_none_or(|line| line.0.trim().is_empty())
        }
    }
}

/// When a register got its value, of several the latest. 0 if it never did.
fn written(register: &Register) -> i64 {
    match register {
        Register::Value { at_ms, .. } => at_ms.0,
        Register::Conflict { candidates, .. } => {
            candidates.iter().map(|candidate| candidate.at_ms.0).max().unwrap_or(0)
        }
        Register::Empty => 0,
    }
}

const fn prompt(code: PromptCode, at: Vec<Address>) -> Prompt {
    Prompt { code, at, med: None, dismissed: None }
}

/// What a register says, of a conflict everything it may come to say.
fn every<T: serde::de::DeserializeOwned>(plan: &Doc, at: Address) -> Vec<T> {
    match plan.register(&at) {
        Register::Empty => Vec::new(),
        Register::Value { value, .. } => value.iter().filter_map(Value::read).collect(),
        Register::Conflict { candidates, .. } => {
            candidates.iter().filter_map(|one| one.value.as_ref().and_then(Value::read)).collect()
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(plan: &Doc, at: Address) -> Option<T> {
    plan.register(&at).value().and_then(Value::read)
}

const fn on(row: RowId, field: FieldName) -> Address {
    Address { row: Some(row), field }
}
