//! Values of a row in the medication list.

use serde::{Deserialize, Serialize};

use crate::value::{Check, Code, Decimal, PartialDate, ValueError, each_once, short};

/// What sort of thing the patient takes. Everything counts: a list without the herbal tea is not reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum MedicationKind {
    /// Prescribed.
    Rx,
    /// Over the counter.
    Otc,
    /// Vitamin or mineral.
    Vitamin,
    /// Dietary supplement.
    Supplement,
    /// Herbal.
    Herbal,
    /// Sample given by a practice.
    Sample,
    /// Inhaler spacer, glucose meter and the like.
    Device,
}

impl Check for MedicationKind {}

/// Name, code and strength: one value, replaced whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// As the label or the chart says it. Never translated.
    pub name: String,
    /// RxNorm, where the chart had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub code: Option<Code>,
    /// "20 mg tablet".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub strength_form: String,
    /// What is in it, coded, where the chart said so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<Code>>"))]
    pub ingredients: Vec<Code>,
}

impl Check for Product {
    fn check(&self) -> Result<(), ValueError> {
        short("name", &self.name, 1, 200)?;
        short("strength_form", &self.strength_form, 0, 100)?;
        if self.ingredients.len() > 20 {
            return Err(ValueError::OutOfRange { path: "ingredients" });
        }
        self.ingredients.iter().try_for_each(|code| {
            short("ingredients", &code.system, 1, 200)?;
            short("ingredients", &code.code, 1, 100)
        })
    }
}

/// How a medicine is taken. **One** value: dose, unit and frequency merged apart make a regimen nobody wrote.
///
/// `text` always stands; the structure is optional and never invented.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Sig {
    /// The whole instruction in words, as the writer reads it.
    pub text: String,
    /// Amount each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub dose: Option<Dose>,
    /// "by mouth".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub route: Option<Route>,
    /// How often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub freq: Option<Frequency>,
    /// When in the day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<TimeOfDay>>"))]
    pub times: Vec<TimeOfDay>,
    /// Only as needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub prn: Option<Prn>,
    /// At most so many doses a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub max_per_day: Option<Decimal>,
}

/// An amount and its unit, which never part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Dose {
    /// "0.5": exact decimal text, never a float.
    pub value: Decimal,
    /// "tablet", "mg", "mL", "units".
    pub unit: String,
}

/// Where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// By mouth.
    Oral,
    /// Under the tongue.
    Sublingual,
    /// Breathed in.
    Inhaled,
    /// Into the nose.
    Nasal,
    /// On the skin.
    Topical,
    /// A patch.
    Transdermal,
    /// Under the skin.
    Subcutaneous,
    /// Into a muscle.
    Intramuscular,
    /// Into the eye.
    Ophthalmic,
    /// Into the ear.
    Otic,
    /// Rectally.
    Rectal,
    /// Vaginally.
    Vaginal,
    /// Said in the text.
    Other,
}

/// So many times in so long: 2 times in 1 day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Frequency {
    /// Times in a period, 1 to 24.
    pub count: u8,
    /// Length of the period in `unit`, 1 to 365.
    pub period: u16,
    /// Unit of the period.
    pub unit: PeriodUnit,
    /// Relation to food.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub meal: Option<Meal>,
}

/// FHIR `Timing.repeat.periodUnit`, of which a regimen needs four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum PeriodUnit {
    /// Hour.
    H,
    /// Day.
    D,
    /// Week.
    Wk,
    /// Month.
    Mo,
}

/// Relation to food.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Meal {
    /// Before food.
    Before,
    /// With food.
    With,
    /// After food.
    After,
}

/// A time of day as people keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum TimeOfDay {
    /// On getting up.
    Morning,
    /// Midday.
    Noon,
    /// Evening.
    Evening,
    /// On going to bed.
    Bedtime,
}

/// As needed (*pro re nata*), and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Prn {
    /// "chest pain"; empty if nobody said.
    pub reason: String,
}

impl Check for Sig {
    fn check(&self) -> Result<(), ValueError> {
        short("text", &self.text, 1, 300)?;
        if let Some(dose) = &self.dose {
            dose.value.check_positive("dose.value")?;
            short("dose.unit", &dose.unit, 1, 30)?;
        }
        if let Some(freq) = &self.freq
            && (!(1..=24).contains(&freq.count) || !(1..=365).contains(&freq.period))
        {
            return Err(ValueError::OutOfRange { path: "freq" });
        }
        if self.times.len() > 4
            || self.times.windows(2).any(|pair| matches!(pair, [a, b] if a >= b))
        {
            return Err(ValueError::OutOfRange { path: "times" });
        }
        if let Some(prn) = &self.prn {
            short("prn.reason", &prn.reason, 0, 100)?;
        }
        self.max_per_day.as_ref().map_or(Ok(()), |max| max.check_positive("max_per_day"))
    }
}

/// Whether the medicine is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum MedicationStatus {
    /// In use.
    Active,
    /// Paused.
    OnHold,
    /// Ended: when, as exactly as known, and why.
    Stopped {
        /// Day, month or year.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        date: Option<PartialDate>,
        /// "cough"; empty if nobody said.
        #[serde(default)]
        reason: String,
    },
    /// Was never true.
    EnteredInError,
}

impl Check for MedicationStatus {
    fn check(&self) -> Result<(), ValueError> {
        match self {
            Self::Active | Self::OnHold | Self::EnteredInError => Ok(()),
            Self::Stopped { date: _, reason } => short("reason", reason, 0, 200),
        }
    }
}

/// How sure we are that this is what the patient has and takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Verify {
    /// Only read from a chart.
    Unverified,
    /// The patient says so.
    PatientConfirmed,
    /// Somebody read the bottle.
    BottleSeen,
    /// The prescriber says so.
    PrescriberConfirmed,
    /// Tried; not possible.
    CouldNotVerify {
        /// Why not.
        reason: String,
    },
}

impl Check for Verify {
    fn check(&self) -> Result<(), ValueError> {
        match self {
            Self::Unverified
            | Self::PatientConfirmed
            | Self::BottleSeen
            | Self::PrescriberConfirmed => Ok(()),
            Self::CouldNotVerify { reason } => short("reason", reason, 1, 200),
        }
    }
}

/// Whether the patient takes it as prescribed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Adherence {
    /// In one word.
    pub taking: Taking,
    /// In the patient's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub reason: String,
    /// Doses missed in the last seven days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub missed_per_7d: Option<u8>,
}

/// FHIR R5 `MedicationStatement.adherence`, of which we ask four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Taking {
    /// As prescribed.
    AsPrescribed,
    /// Otherwise.
    Differently,
    /// Not at all.
    NotTaking,
    /// Nobody knows yet.
    Unknown,
}

impl Check for Adherence {
    fn check(&self) -> Result<(), ValueError> {
        short("reason", &self.reason, 0, 300)?;
        // Four doses a day, all of them.
        match self.missed_per_7d {
            Some(missed) if missed > 28 => Err(ValueError::OutOfRange { path: "missed_per_7d" }),
            Some(_) | None => Ok(()),
        }
    }
}

/// How long the supply lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Supply {
    /// Days one fill lasts, 1 to 400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub days: Option<u16>,
    /// When it was last filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub last_fill: Option<PartialDate>,
}

impl Check for Supply {
    fn check(&self) -> Result<(), ValueError> {
        match self.days {
            Some(days) if !(1..=400).contains(&days) => {
                Err(ValueError::OutOfRange { path: "days" })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Where the word about a medicine comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum VerifySource {
    /// The record system of the practice.
    Ehr,
    /// The pharmacy.
    Pharmacy,
    /// The patient.
    Patient,
    /// Who cares for the patient.
    Caregiver,
    /// The bottle.
    Bottle,
}

/// The lists that were compared, each once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct VerifySources(pub Vec<VerifySource>);

impl Check for VerifySources {
    fn check(&self) -> Result<(), ValueError> {
        each_once("sources", &self.0)
    }
}

/// How the lists differ about a medicine, and how that was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Discrepancy {
    /// The difference.
    pub kind: DiscrepancyKind,
    /// How it was settled; empty while it is open.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub resolution: String,
}

impl Check for Discrepancy {
    fn check(&self) -> Result<(), ValueError> {
        short("resolution", &self.resolution, 0, 300)
    }
}

/// The differences a reconciliation finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum DiscrepancyKind {
    /// The lists agree.
    None,
    /// Taken, and not on the chart.
    Omission,
    /// On the chart, and never prescribed.
    Commission,
    /// Another dose.
    Dose,
    /// Another frequency.
    Frequency,
    /// The same medicine twice.
    Duplicate,
    /// On the chart, and not taken.
    NotTaking,
    /// Said in the resolution.
    Other,
}

/// Whether a medicine is under a special rule of confidentiality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// No.
    None,
    /// Substance-use treatment: 42 CFR Part 2.
    Part2,
}

impl Check for Sensitivity {}

/// One cell of the assessment grid: medicine × {indicated, effective, safe, adherent}.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// The answer.
    pub answer: Answer,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub note: String,
}

/// Yes, no, or honestly neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Not known yet.
    Unsure,
    /// The question does not apply.
    NA,
}

impl Check for Assessment {
    fn check(&self) -> Result<(), ValueError> {
        short("note", &self.note, 0, 500)
    }
}
