//! The billing support sheet: what a person needs to write a claim, and what they should look at first. Not a claim.

use serde::{Deserialize, Serialize};

use super::rules::{Modifiers, PlaceOfService, Rule, RuleTable, UnitRule};
use super::units::{Done, Units, next_threshold_s, units};
use super::{Attendance, Modality, Segment, Setting, counted_ms, segments};
use crate::actor::Millis;
use crate::care_team::Npi;
use crate::id::PersonId;
use crate::phi::Phi;
use crate::value::{Check, PartialDate, ValueError, short};

/// Postal codes of the States and territories of the US (USPS Publication 28, appendix B), and "--" for abroad.
pub const STATES: [&str; 57] = [
    "AL", "AK", "AS", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "GU", "HI", "ID", "IL",
    "IN", "IA", "KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MP", "MT", "NE", "NV",
    "NH", "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA", "PR", "RI", "SC", "SD", "TN", "TX",
    "UT", "VT", "VA", "VI", "WA", "WV", "WI", "WY", "--",
];

/// What the pharmacist attests about the patient's side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// Who they are was checked.
    pub identity_checked: bool,
    /// State in which the patient is: one of [`STATES`].
    pub location_state: String,
    /// Whether they are in their home.
    pub at_home: bool,
    /// With whom.
    pub setting: Setting,
    /// Number at which they can be called back.
    pub callback: String,
    /// Whether they can speak freely.
    pub private: bool,
    /// Who else is there: "daughter".
    pub others_present: Vec<String>,
}

impl Check for Attestation {
    fn check(&self) -> Result<(), ValueError> {
        if !STATES.contains(&self.location_state.as_str()) {
            return Err(ValueError::OutOfRange { path: "location_state" });
        }
        if self.at_home && self.setting != Setting::Remote {
            return Err(ValueError::OutOfRange { path: "at_home" });
        }
        short("callback", &self.callback, 0, 40)?;
        if self.others_present.len() > 10 {
            return Err(ValueError::OutOfRange { path: "others_present" });
        }
        self.others_present.iter().try_for_each(|other| short("others_present", other, 1, 80))
    }
}

/// Whether the organisation has seen the patient for medication therapy management before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Acquaintance {
    /// This is the first such visit.
    New,
    /// It is not.
    Established,
}

/// For whom the sheet is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Billing {
    /// Code of the payer in the table of rules.
    pub payer: String,
    /// New or established patient.
    pub patient: Acquaintance,
    /// Given without charge.
    pub free: bool,
    /// National provider identifier of the pharmacist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub npi: Option<String>,
}

impl Check for Billing {
    fn check(&self) -> Result<(), ValueError> {
        short("payer", &self.payer, 1, 40)?;
        if self.npi.as_ref().is_some_and(|npi| Npi::parse(npi).is_none()) {
            return Err(ValueError::OutOfRange { path: "npi" });
        }
        Ok(())
    }
}

/// Time that the clock of the call does not know, or knows wrongly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// Seconds to add; below 0: to take off.
    pub delta_s: i32,
    /// Why.
    pub reason: String,
}

/// The largest adjustment, in seconds: more than the longest visit, less than a typing error of two digits.
const LARGEST_ADJUSTMENT_S: i32 = 4 * 60 * 60;

impl Check for Adjustment {
    fn check(&self) -> Result<(), ValueError> {
        if self.delta_s == 0 || self.delta_s.unsigned_abs() > LARGEST_ADJUSTMENT_S.unsigned_abs() {
            return Err(ValueError::OutOfRange { path: "delta_s" });
        }
        short("reason", self.reason.trim(), 3, 300)
    }
}

/// What a pharmacist says to the sheet. Nothing is taken back: the newest attestation and billing hold, adjustments add
/// up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SheetCommand {
    /// About the patient's side.
    Attest {
        /// What.
        attestation: Attestation,
    },
    /// For whom it is.
    Bill {
        /// What.
        billing: Billing,
    },
    /// Other time than the clock's.
    Adjust {
        /// What.
        adjustment: Adjustment,
    },
}

impl Check for SheetCommand {
    fn check(&self) -> Result<(), ValueError> {
        match self {
            Self::Attest { attestation } => attestation.check(),
            Self::Bill { billing } => billing.check(),
            Self::Adjust { adjustment } => adjustment.check(),
        }
    }
}

/// Something somebody said, with who and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Said<T> {
    /// Who.
    pub by: PersonId,
    /// Their name.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
    /// When.
    pub at: Millis,
    /// What.
    pub what: T,
}

impl<T> Said<T> {
    fn with<U>(&self, what: U) -> Said<U> {
        Said { by: self.by, name: self.name.clone(), at: self.at, what }
    }
}

/// What a person should look at before the sheet is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// The visit still goes on.
    StillRunning,
    /// Nothing was attested about the patient's side, so there is no place of service.
    NotAttested,
    /// Who the patient is was not checked.
    IdentityNotChecked,
    /// The patient could not speak freely.
    NotPrivate,
    /// No payer was chosen.
    NoPayer,
    /// The payer has no rule for the day of the visit.
    NoRule,
    /// Nobody has compared the rule with the payer's manual.
    UnverifiedRule,
    /// The pharmacist's national provider identifier is missing.
    NoNpi,
    /// The visit was held in more than one way; the greater part stands on the lines.
    MixedModality,
    /// Given without charge, while the organisation bills Medicare.
    FreeWithMedicare,
    /// A first consult that was not held in one room.
    VirtualFirstConsult,
    /// Time was adjusted by hand.
    Adjusted,
    /// The server stopped in the middle: time counts up to the last moment written down.
    CutShort,
}

/// One line for a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct SheetLine {
    /// Number of the code.
    pub code: String,
    /// How often.
    pub units: u32,
    /// In order.
    pub modifiers: Vec<String>,
}

/// By which rule the lines were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct RuleUsed {
    /// Payer's code.
    pub payer: String,
    /// Payer's name.
    pub name: String,
    /// First day it holds.
    pub valid_from: PartialDate,
    /// Longest gap that counts, in seconds.
    pub gap_tolerance_s: u32,
}

/// The sheet of one visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Sheet {
    /// Day of the visit.
    pub day: PartialDate,
    /// From the first counted moment to the last.
    pub segments: Vec<Segment>,
    /// Counted by the clock, whole seconds.
    pub measured_s: u32,
    /// Sum of the adjustments, in seconds.
    pub adjusted_s: i32,
    /// What counts: both together.
    pub counted_s: u32,
    /// The counted second at which there is more; absent if time alone brings no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub next_threshold_s: Option<u32>,
    /// How the greater part was held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub modality: Option<Modality>,
    /// Version of the table of rules.
    pub table: String,
    /// The rule, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub rule: Option<RuleUsed>,
    /// Lines.
    pub lines: Vec<SheetLine>,
    /// Units of time on the lines.
    pub units: u32,
    /// Place of service, once it is attested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub pos: Option<String>,
    /// What was done besides.
    pub done: Done,
    /// The attestation that holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub attestation: Option<Said<Attestation>>,
    /// For whom it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub billing: Option<Said<Billing>>,
    /// Every adjustment, in order.
    pub adjustments: Vec<Said<Adjustment>>,
    /// For review, in the order of this list.
    pub warnings: Vec<Warning>,
}

/// Whether a call of the visit goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Going {
    /// It does.
    On,
    /// It is over.
    Over,
    /// A call was cut by a crash.
    Cut,
}

/// Whether this is the first consult.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consult {
    /// It is.
    First,
    /// It is a later one.
    Later,
}

/// All that a sheet follows from.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Rules.
    pub table: &'a RuleTable,
    /// Day of the visit.
    pub day: PartialDate,
    /// First or later.
    pub consult: Consult,
    /// Its calls, in order.
    pub calls: &'a [Attendance],
    /// Whether one goes on, or was cut.
    pub going: Going,
    /// What was done besides.
    pub done: Done,
    /// What was said to it, in order.
    pub said: &'a [Said<SheetCommand>],
}

/// Longest gap that counts while no rule is chosen, in seconds.
const GAP_TOLERANCE_S: u32 = 120;

/// The sheet that follows from the facts.
pub fn sheet(facts: &Facts<'_>) -> Sheet {
    let Facts { table, day, consult, calls, going, done, said } = facts;
    let mut attestation = None;
    let mut billing = None;
    let mut adjustments = Vec::new();
    for one in *said {
        match &one.what {
            SheetCommand::Attest { attestation: what } => {
                attestation = Some(one.with(what.clone()));
            }
            SheetCommand::Bill { billing: what } => billing = Some(one.with(what.clone())),
            SheetCommand::Adjust { adjustment } => adjustments.push(one.with(adjustment.clone())),
        }
    }
    let rule = billing.as_ref().and_then(|billing| table.rule(&billing.what.payer, day));
    let setting = attestation.as_ref().map(|said| said.what.setting).unwrap_or_default();
    let gap_tolerance_s = rule.map_or(GAP_TOLERANCE_S, |rule| rule.gap_tolerance_s);
    let segments = segments(calls, setting, gap_tolerance_s);
    let measured_s = u32::try_from(counted_ms(&segments) / 1_000).unwrap_or(u32::MAX);
    let adjusted_s = adjustments
        .iter()
        .fold(0_i32, |sum, adjustment| sum.saturating_add(adjustment.what.delta_s));
    let counted_s = measured_s.saturating_add_signed(adjusted_s);
    let modality = greater_part(&segments);
    let pos = match (rule, modality, &attestation) {
        (Some(rule), Some(modality), Some(said)) => {
            Some(place_of_service(&rule.pos, modality, &said.what))
        }
        (_, _, _) => None,
    };
    let (lines, units) = match (rule, &billing) {
        (Some(rule), Some(said)) => {
            let units = units(&rule.units, counted_s, *done);
            (lines(rule, units, said.what.patient, modality), units.total())
        }
        (_, _) => (Vec::new(), 0),
    };
    let mut sheet = Sheet {
        day: day.clone(),
        measured_s,
        adjusted_s,
        counted_s,
        next_threshold_s: rule.and_then(|rule| next_threshold_s(&rule.units, counted_s, *done)),
        modality,
        table: table.version().to_owned(),
        rule: rule.map(|rule| RuleUsed {
            payer: rule.payer.clone(),
            name: rule.name.clone(),
            valid_from: rule.valid_from.clone(),
            gap_tolerance_s: rule.gap_tolerance_s,
        }),
        lines,
        units,
        pos,
        done: *done,
        segments,
        attestation,
        billing,
        adjustments,
        warnings: Vec::new(),
    };
    sheet.warnings = warnings(&sheet, *consult, *going, table, rule);
    sheet
}

fn warnings(
    sheet: &Sheet,
    consult: Consult,
    going: Going,
    table: &RuleTable,
    rule: Option<&Rule>,
) -> Vec<Warning> {
    let attested = |what: fn(&Attestation) -> bool| {
        sheet.attestation.as_ref().is_some_and(|said| what(&said.what))
    };
    let billing = sheet.billing.as_ref().map(|said| &said.what);
    let first = sheet.segments.iter().find(|segment| segment.counted);
    let mixed = first.is_some_and(|first| {
        sheet.segments.iter().any(|other| other.counted && other.modality != first.modality)
    });
    let in_person = sheet.modality == Some(Modality::InPerson);
    let mut warnings: Vec<Warning> = [
        (Warning::StillRunning, going == Going::On),
        (Warning::NotAttested, sheet.attestation.is_none()),
        (Warning::IdentityNotChecked, attested(|said| !said.identity_checked)),
        (Warning::NotPrivate, attested(|said| !said.private)),
        (Warning::NoPayer, billing.is_none()),
        (Warning::NoRule, billing.is_some() && rule.is_none()),
        (Warning::UnverifiedRule, rule.is_some_and(|rule| !rule.verified)),
        (Warning::NoNpi, billing.is_none_or(|billing| billing.npi.is_none())),
        (Warning::MixedModality, mixed),
        (
            Warning::FreeWithMedicare,
            billing.is_some_and(|billing| billing.free) && table.bills_medicare(&sheet.day),
        ),
        (Warning::VirtualFirstConsult, consult == Consult::First && !in_person),
        (Warning::Adjusted, !sheet.adjustments.is_empty()),
        (Warning::CutShort, going == Going::Cut),
    ]
    .into_iter()
    .filter_map(|(warning, holds)| holds.then_some(warning))
    .collect();
    warnings.sort_unstable();
    warnings
}

/// What a payer tells apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Picture,
    Sound,
    Room,
}

const fn carrier(modality: Modality) -> Carrier {
    match modality {
        Modality::Video | Modality::ClinicAssisted => Carrier::Picture,
        Modality::Audio | Modality::Phone => Carrier::Sound,
        Modality::InPerson => Carrier::Room,
    }
}

/// How the greater part of the counted time was held. Of two equal parts the one that claims less.
fn greater_part(segments: &[Segment]) -> Option<Modality> {
    let ms = |wanted: &dyn Fn(Modality) -> bool| -> i64 {
        let counted = segments.iter().filter(|segment| segment.counted && wanted(segment.modality));
        counted.map(Segment::ms).sum()
    };
    // The last of equal maxima wins, so that sound stands after picture.
    let carriers = [Carrier::Room, Carrier::Picture, Carrier::Sound];
    let greatest =
        carriers.into_iter().max_by_key(|of| ms(&|modality| carrier(modality) == *of))?;
    let of_carrier = Modality::ALL.into_iter().filter(|modality| carrier(*modality) == greatest);
    of_carrier.max_by_key(|one| ms(&|modality| modality == *one)).filter(|one| {
        // Without counted time nothing was held at all.
        ms(&|modality| modality == *one) > 0
    })
}

fn place_of_service(pos: &PlaceOfService, modality: Modality, attested: &Attestation) -> String {
    let PlaceOfService { home, elsewhere, in_person } = pos;
    match (modality, attested.at_home) {
        (Modality::InPerson, _) => in_person.clone(),
        (
            Modality::Video | Modality::Audio | Modality::Phone | Modality::ClinicAssisted,
            at_home,
        ) => if at_home { home } else { elsewhere }.clone(),
    }
}

fn lines(
    rule: &Rule,
    units: Units,
    patient: Acquaintance,
    modality: Option<Modality>,
) -> Vec<SheetLine> {
    let Modifiers { video, audio } = &rule.modifiers;
    let by_carrier = modality.and_then(|modality| match carrier(modality) {
        Carrier::Picture => video.clone(),
        Carrier::Sound => audio.clone(),
        Carrier::Room => None,
    });
    let line = |code: &String, units, own: Option<&String>| SheetLine {
        code: code.clone(),
        units,
        modifiers: by_carrier.iter().chain(own).cloned().collect(),
    };
    if let UnitRule::PerIntervention { code, modifier } = &rule.units {
        return (0..units.additional).map(|_| line(code, 1, modifier.as_ref())).collect();
    }
    let initial = match patient {
        Acquaintance::New => &rule.codes.initial_new,
        Acquaintance::Established => &rule.codes.initial_established,
    };
    [(initial, units.initial), (&rule.codes.additional, units.additional)]
        .into_iter()
        .filter(|(_, units)| *units > 0)
        .map(|(code, units)| line(code, units, None))
        .collect()
}
