//! Values of a consent: what the patient agreed to, or did not. Never edited: a withdrawal is a row of its own.

use serde::{Deserialize, Serialize};

use crate::actor::Millis;
use crate::doc::Doc;
use crate::field::{Address, FieldName, ListName};
use crate::register::Register;
use crate::value::{Check, ValueError, short};

/// One answer of the patient, or of who may answer for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// To what.
    pub kind: ConsentKind,
    /// The answer.
    pub state: ConsentState,
    /// In which way it was given.
    pub method: ConsentMethod,
    /// Who heard it, where it was spoken.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub witness: String,
    /// To what extent, in own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub scope: String,
}

impl Check for Consent {
    fn check(&self) -> Result<(), ValueError> {
        // A spoken consent nobody heard is none.
        let least = usize::from(self.method == ConsentMethod::Verbal);
        short("witness", &self.witness, least, 100)?;
        short("scope", &self.scope, 0, 300)
    }
}

/// What the patient is asked to agree to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// Care by video or phone.
    Telehealth,
    /// Medication therapy management.
    Mtm,
    /// Collaborative drug therapy management, in writing.
    CdtmWritten,
    /// Recording a visit.
    Recording,
    /// Sharing information, substance-use records (42 CFR Part 2) included.
    InfoSharing,
    /// A caregiver who listens or acts.
    Caregiver,
    /// Pictures, of bottles for one.
    Photo,
    /// Use in a de-identified ECHO case.
    EchoCaseUse,
    /// Text messages.
    Sms,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// Yes.
    Given,
    /// No.
    Declined,
    /// Taken back.
    Withdrawn,
}

/// The way an answer was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ConsentMethod {
    /// Spoken, with a witness.
    Verbal,
    /// A tick on a screen.
    Checkbox,
    /// Signed.
    Signature,
}

/// When the patient took the written consent to collaborative drug therapy management back, if that is the last thing
/// `voice` says about it.
pub fn cdtm_withdrawn(voice: &Doc) -> Option<Millis> {
    let answers = voice.standing(ListName::Consents).filter_map(|row| {
        let at = Address { row: Some(row), field: FieldName::ConsentsContent };
        let Register::Value { value: Some(value), rev, at_ms, .. } = voice.register(&at) else {
            return None;
        };
        let consent: Consent = value.read()?;
        (consent.kind == ConsentKind::CdtmWritten).then_some((*rev, consent.state, *at_ms))
    });
    let (_, state, at_ms) = answers.max_by_key(|(rev, ..)| *rev)?;
    match state {
        ConsentState::Given => None,
        ConsentState::Declined | ConsentState::Withdrawn => Some(at_ms),
    }
}
