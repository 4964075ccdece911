//! The gate before a signature: everything that is still missing, with the place to go to.
//!
//! Codes G1 to G11 of the design's sign-off gate. Deterministic: the same plan and the same facts give the same list.

use serde::{Deserialize, Serialize};

use crate::actor::{Author, Role};
use crate::doc::Doc;
use crate::field::{Address, FieldKind, FieldName, ListName, Place};
use crate::id::RowId;
use crate::medication::{MedicationKind, MedicationStatus, Verify};
use crate::phi::Phi;
use crate::problem::Severity;
use crate::recommendation::RecommendationContent;
use crate::register::Register;
use crate::touchpoint::Touchpoint;
use crate::value::{Line, PartialDate, Value};
use crate::version::Confirmation;

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum GateCode {
    /// G1: a medicine in use is unverified, a nurse wrote what it is or how it is taken after it was verified, or nobody
    /// has said how it is taken.
    Verified,
    /// G2: one of the four questions about a medicine in use is not answered.
    Assessed,
    /// G3: a problem of high severity has neither recommendation nor a reason for none.
    HighProblems,
    /// G4: no goal, and no reason for none.
    Goal,
    /// G5: allergies or immunizations were not gone through, or nothing is known about allergies.
    Reviewed,
    /// G6: no touchpoint with somebody who takes part, and no reason for none.
    Touchpoints,
    /// G7: duration, frequency or follow-up instructions are missing.
    Duration,
    /// G8: a field holds two values, or a merged text waits to be read.
    Conflicts,
    /// G9: the patient took part, and no teach-back is recorded.
    TeachBack,
    /// G10: a text is longer than its field.
    Limits,
    /// G11: a credential this practice asks for is missing or has expired.
    Credential,
}

/// One thing that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct GateItem {
    /// What.
    pub code: GateCode,
    /// Where; none: not in the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub at: Option<Address>,
}

/// What a signature needs to know and the plan cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningFacts {
    /// The signer's name.
    pub name: Phi<String>,
    /// What the signer holds.
    pub credentials: Vec<Credential>,
    /// What this practice asks for.
    pub required: Vec<CredentialKind>,
    /// Whether the patient, or who speaks for them, was in the visit.
    pub patient_took_part: bool,
    /// The day.
    pub today: PartialDate,
    /// How the signer proved who they are.
    pub confirmed: Confirmation,
}

/// Proof that somebody may do what they do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Of what.
    pub kind: CredentialKind,
    /// As printed on it.
    pub number: String,
    /// The State that gave it; empty for one that holds everywhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub state: String,
    /// The last day it holds.
    pub expires: PartialDate,
}

/// The credentials of a pharmacist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// License to practise.
    License,
    /// Certificate in medication therapy management.
    MtmCert,
    /// Registration for collaborative drug therapy management.
    CdtmRegistration,
    /// Board certification.
    BoardCert,
}

impl SigningFacts {
    /// The credentials in force today.
    pub fn in_force(&self) -> impl Iterator<Item = &Credential> {
        self.credentials.iter().filter(|held| held.expires >= self.today)
    }
}

/// Everything that is missing, in the order of the codes and of the plan. Empty: it may be signed.
pub fn gate(plan: &Doc, facts: &SigningFacts) -> Vec<GateItem> {
    let mut missing = Vec::new();
    let mut miss = |code, at| missing.push(GateItem { code, at });
    let meds: Vec<RowId> = plan.standing(ListName::Meds).filter(|row| in_use(plan, *row)).collect();
    for row in &meds {
        if !verified(plan, *row) {
            miss(GateCode::Verified, Some(on(*row, FieldName::MedsVerify)));
        } else if unsaid(plan, *row) {
            miss(GateCode::Verified, Some(on(*row, FieldName::MedsSig)));
        }
    }
    for row in &meds {
        for cell in [
            FieldName::MedsIndicated,
            FieldName::MedsEffective,
            FieldName::MedsSafe,
            FieldName::MedsAdherent,
        ] {
            if plan.register(&on(*row, cell)).value().is_none() {
                miss(GateCode::Assessed, Some(on(*row, cell)));
            }
        }
    }
    for row in plan.standing(ListName::Problems) {
        if read(plan, on(row, FieldName::ProblemsSeverity)) == Some(Severity::High)
            && !said(plan, on(row, FieldName::ProblemsNoActionReason))
            && !answered(plan, row)
        {
            miss(GateCode::HighProblems, Some(on(row, FieldName::ProblemsNoActionReason)));
        }
    }
    let a_goal =
        plan.standing(ListName::Goals).any(|row| written(plan, on(row, FieldName::GoalsText)));
    if !a_goal && !said(plan, whole(FieldName::OutlineNoGoalReason)) {
        miss(GateCode::Goal, Some(whole(FieldName::OutlineNoGoalReason)));
    }
    if !allergies_known(plan) {
        miss(GateCode::Reviewed, Some(whole(FieldName::AllergyStatement)));
    }
    for field in [FieldName::ReviewedAllergies, FieldName::ReviewedImmunizations] {
        if read(plan, whole(field)) != Some(true) {
            miss(GateCode::Reviewed, Some(whole(field)));
        }
    }
    let a_touchpoint = plan.standing(ListName::Touchpoints).any(|row| {
        read::<Touchpoint>(plan, on(row, FieldName::TouchpointsContent))
            .is_some_and(|touchpoint| !touchpoint.members.is_empty())
    });
    if !a_touchpoint && !said(plan, whole(FieldName::OutlineNoTouchpointReason)) {
        miss(GateCode::Touchpoints, Some(whole(FieldName::OutlineNoTouchpointReason)));
    }
    if plan.register(&whole(FieldName::OutlineDuration)).value().is_none() {
        miss(GateCode::Duration, Some(whole(FieldName::OutlineDuration)));
    }
    if !said(plan, whole(FieldName::OutlineInteractionFrequency)) {
        miss(GateCode::Duration, Some(whole(FieldName::OutlineInteractionFrequency)));
    }
    if !written(plan, whole(FieldName::OutlineFollowUp)) {
        miss(GateCode::Duration, Some(whole(FieldName::OutlineFollowUp)));
    }
    for at in plan.undecided() {
        miss(GateCode::Conflicts, Some(at));
    }
    if facts.patient_took_part && plan.standing(ListName::TeachBacks).next().is_none() {
        miss(GateCode::TeachBack, None);
    }
    for (at, words) in plan.texts() {
        if let FieldKind::Text { limit } = at.field.kind()
            && words.encode_utf16().count() > limit
        {
            miss(GateCode::Limits, Some(at));
        }
    }
    let held = |kind: &CredentialKind| facts.in_force().any(|held| held.kind == *kind);
    if !facts.required.iter().all(held) {
        miss(GateCode::Credential, None);
    }
    missing
}

/// Whether a medicine is one the patient has: stopped ones and errors need no questions.
pub fn in_use(plan: &Doc, row: RowId) -> bool {
    match read(plan, on(row, FieldName::MedsStatus)) {
        None | Some(MedicationStatus::Active | MedicationStatus::OnHold) => true,
        Some(MedicationStatus::Stopped { .. } | MedicationStatus::EnteredInError) => false,
    }
}

/// Nobody has said how a medicine is taken, and nobody has said why that cannot be known. Devices are not dosed.
fn unsaid(plan: &Doc, row: RowId) -> bool {
    let device = read(plan, on(row, FieldName::MedsKind)) == Some(MedicationKind::Device);
    let tried =
        matches!(read(plan, on(row, FieldName::MedsVerify)), Some(Verify::CouldNotVerify { .. }));
    let sig = plan.register(&on(row, FieldName::MedsSig));
    !device && !tried && !sig.is_conflict() && sig.value().is_none()
}

/// What a nurse wrote about it counts as unverified until somebody verifies it again: nothing is overwritten, it is only
/// newer.
fn verified(plan: &Doc, row: RowId) -> bool {
    let verify = plan.register(&on(row, FieldName::MedsVerify));
    let known = match verify.value().and_then(Value::read::<Verify>) {
        None | Some(Verify::Unverified) => false,
        Some(
            Verify::PatientConfirmed
            | Verify::BottleSeen
            | Verify::PrescriberConfirmed
            | Verify::CouldNotVerify { .. },
        ) => true,
    };
    let newer = [FieldName::MedsProduct, FieldName::MedsSig].into_iter().any(|field| {
        match plan.register(&on(row, field)) {
            Register::Value { by: Author::Seat(actor), rev, .. } => {
                actor.role == Role::Nurse && *rev > verify.rev()
            }
            Register::Empty
            | Register::Value { by: Author::Import, .. }
            | Register::Conflict { .. } => false,
        }
    });
    known && !newer
}

/// Whether some recommendation answers a problem.
fn answered(plan: &Doc, problem: RowId) -> bool {
    plan.standing(ListName::Recommendations).filter(|row| !plan.withdrawn(*row)).any(|row| {
        read::<RecommendationContent>(plan, on(row, FieldName::RecommendationsContent))
            .is_some_and(|content| content.problem == Some(problem))
    })
}

fn allergies_known(plan: &Doc) -> bool {
    use crate::allergy::AllergyStatement as Statement;
    match read(plan, whole(FieldName::AllergyStatement)) {
        None | Some(Statement::Unknown) => false,
        Some(Statement::NoKnown | Statement::Listed) => true,
    }
}

/// A line that says something.
fn said(plan: &Doc, at: Address) -> bool {
    read::<Line>(plan, at).is_some_and(|line| !line.0.trim().is_empty())
}

/// A text that says something.
fn written(plan: &Doc, at: Address) -> bool {
    plan.text(&at).is_some_and(|words| !words.trim().is_empty())
}

fn read<T: serde::de::DeserializeOwned>(plan: &Doc, at: Address) -> Option<T> {
    plan.register(&at).value().and_then(Value::read)
}

const fn on(row: RowId, field: FieldName) -> Address {
    Address { row: Some(row), field }
}

const fn whole(field: FieldName) -> Address {
    Address { row: None, field }
}

impl Doc {
    /// The rows of a list that are there, or of which it is not decided whether they are.
    pub fn standing(&self, list: ListName) -> impl Iterator<Item = RowId> {
        self.rows(list).iter().copied().filter(|row| !self.removed(*row))
    }

    /// Fields that hold several values or wait to be read, of rows that are there.
    fn undecided(&self) -> Vec<Address> {
        let there = |at: &Address| match (at.field.place(), at.row) {
            (Place::Row(_), Some(row)) => !self.removed(row),
            (Place::Row(_) | Place::Document | Place::About(_) | Place::EveryRow, _) => true,
        };
        self.open_questions().filter(|at| there(at)).collect()
    }
}
