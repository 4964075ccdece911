//! How the patient came to the pharmacist, and why this patient.

use serde::{Deserialize, Serialize};

use crate::value::{Check, ValueError, short};

/// Who asked. The patient reads it: a referral by their own provider raises engagement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Referral {
    /// By which way.
    pub source: ReferralSource,
    /// "Dr. Amy Chen"; empty if nobody in particular.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub referrer: String,
}

impl Check for Referral {
    fn check(&self) -> Result<(), ValueError> {
        short("referrer", &self.referrer, 0, 100)
    }
}

/// The ways to the pharmacist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ReferralSource {
    /// The patient asked.
    Patient,
    /// The primary care provider.
    Pcp,
    /// The care team.
    Team,
    /// A discharge from hospital.
    Discharge,
    /// An alert of the record system, claims, analytics.
    Trigger,
    /// The payer.
    Payer,
    /// A huddle.
    Huddle,
    /// An ECHO conference.
    Echo,
}

/// Why this patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Identification {
    /// Which criteria are met, each once.
    pub criteria: Vec<Criterion>,
    /// In own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub reason: String,
}

impl Check for Identification {
    fn check(&self) -> Result<(), ValueError> {
        short("reason", &self.reason, 0, 300)?;
        crate::value::each_once("criteria", &self.criteria)
    }
}

/// Criteria of the comprehensive medication management intervention (Connecticut State Innovation Model).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// Several chronic conditions.
    MultiCondition,
    /// Many or complicated medicines.
    ComplexRegimen,
    /// Goals of therapy not reached.
    GoalsUnmet,
    /// At high risk of adverse reactions.
    AdrRisk,
    /// Admissions or emergency visits that could have been prevented.
    PreventableUse,
    /// An equity gap.
    EquityGap,
    /// Several prescribers.
    MultiProvider,
    /// Swallowing, vision, mobility.
    FunctionalDeficit,
    /// Several care transitions.
    Transitions,
}
