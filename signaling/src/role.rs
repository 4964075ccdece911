//! The one permissions table: what each role may read, write, decide and do in a call.
//!
//! Every function matches its whole domain, so that a new role, field, list or command does not compile until
//! somebody has decided about it. Nothing else in the project asks for a role.

use clinical::access::{AccessLevel, AccessWish};
use clinical::actor::Role;
use clinical::cdtm::entry::ActName;
use clinical::edit::Op;
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::id::RowId;
use clinical::medication::Verify;
use clinical::time::Side;
use clinical::view::View;
use serde::{Deserialize, Serialize};

use crate::message::{CommandName, MediaSource};

mod hand;
mod telephone;

pub use hand::{Hand, shuts_out_minimum};
pub use telephone::{NumberView, may_telephone, telephone_number};

/// Whether the plan was shared with the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// Patient and caregiver read their side of it.
    Yes,
    /// They receive nothing of it.
    No,
}

/// What may be done with a billing sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SheetAccess {
    /// Read.
    Read,
    /// Read, attest, adjust.
    Write,
}

/// Roles as a set: the cells of the table stay short enough to be compared with the design by eye.
#[derive(Clone, Copy)]
struct Roles(u16);

impl Roles {
    const fn of(roles: &[Role]) -> Self {
        let mut bits = 0;
        let mut rest = roles;
        while let [role, tail @ ..] = rest {
            bits |= Self::bit(*role);
            rest = tail;
        }
        Self(bits)
    }

    const fn bit(role: Role) -> u16 {
        match role {
            Role::Patient => 1,
            Role::Caregiver => 1 << 1,
            Role::Interpreter => 1 << 2,
            Role::Pharmacist => 1 << 3,
            Role::Pcp => 1 << 4,
            Role::Nurse => 1 << 5,
            Role::Chw => 1 << 6,
            Role::Specialist => 1 << 7,
            Role::Facilitator => 1 << 8,
            Role::Learner => 1 << 9,
            Role::Observer => 1 << 10,
        }
    }

    const fn holds(self, role: Role) -> bool {
        self.0 & Self::bit(role) != 0
    }
}

const NOBODY: Roles = Roles::of(&[]);
/// Clinical judgement.
const PRESCRIBING: Roles = Roles::of(&[Role::Pharmacist, Role::Pcp]);
/// Intake and follow-up.
const CARE: Roles = Roles::of(&[Role::Pharmacist, Role::Pcp, Role::Nurse]);
/// What the patient said, heard by whoever is with them.
const HEARING: Roles = Roles::of(&[Role::Pharmacist, Role::Pcp, Role::Nurse, Role::Chw]);
/// Finding problems.
const FINDING: Roles = Roles::of(&[Role::Pharmacist, Role::Pcp, Role::Specialist]);
/// Proposing to a prescriber.
const PROPOSING: Roles = Roles::of(&[Role::Pharmacist, Role::Specialist]);
/// Wording for the patient.
const WORDING: Roles = Roles::of(&[Role::Pharmacist, Role::Nurse]);
/// The patient's own part.
const VOICE: Roles =
    Roles::of(&[Role::Patient, Role::Caregiver, Role::Pharmacist, Role::Nurse, Role::Chw]);
/// Readings taken at home, by who was there.
const MEASURING: Roles = Roles::of(&[Role::Patient, Role::Caregiver, Role::Nurse]);
/// Answers of the patient: given by the patient, recorded by who heard them. A caregiver answers for the patient only
/// as a legal proxy: see [`Hand`].
const CONSENTING: Roles =
    Roles::of(&[Role::Patient, Role::Pharmacist, Role::Pcp, Role::Nurse, Role::Chw]);
/// Whom the patient lets see the plan: said by the patient, or recorded by who heard it and cannot shut out themselves.
const GRANTING: Roles = Roles::of(&[Role::Patient, Role::Pharmacist, Role::Pcp, Role::Nurse]);
/// Whom the plan cannot do without: no wish shuts them out. The way to do without them is to end the service.
const MINIMUM: Roles = Roles::of(&[Role::Pharmacist, Role::Pcp]);
/// Everybody who reads the whole plan.
const TEAM: Roles =
    Roles::of(&[Role::Pharmacist, Role::Pcp, Role::Nurse, Role::Chw, Role::Specialist]);
/// Clinicians: the working notes. A community health worker reads them only by a flag of the practice, which no
/// seat carries yet, so the answer is no.
const CLINICIANS: Roles = Roles::of(&[Role::Pharmacist, Role::Pcp, Role::Nurse, Role::Specialist]);
/// Patient and caregiver.
const HOME: Roles = Roles::of(&[Role::Patient, Role::Caregiver]);

const fn writers(field: FieldName) -> Roles {
    match field {
        // Kept by the lists: see `may_edit`.
        FieldName::Presence => NOBODY,
        FieldName::MedsKind
        | FieldName::MedsProduct
        | FieldName::MedsSig
        | FieldName::MedsIndication
        | FieldName::MedsPrescriber
        | FieldName::MedsPharmacy
        | FieldName::MedsSupply
        | FieldName::MedsVerify
        | FieldName::MedsSources => CARE,
        FieldName::MedsStatus
        | FieldName::MedsStart
        | FieldName::MedsDiscrepancy
        | FieldName::MedsHighAlert
        | FieldName::MedsControlled
        | FieldName::MedsSensitivity
        | FieldName::DismissalsContent
        | FieldName::MedsIndicated
        | FieldName::MedsEffective
        | FieldName::MedsSafe
        | FieldName::MedsAdherent => PRESCRIBING,
        FieldName::MedsAdherence | FieldName::MedsCostConcern => HEARING,
        FieldName::AllergiesContent
        | FieldName::ImmunizationsContent
        | FieldName::ConditionsContent
        | FieldName::MeasuresContent => CARE,
        FieldName::AllergyStatement
        | FieldName::ReviewedAllergies
        | FieldName::ReviewedImmunizations => PRESCRIBING,
        FieldName::ProblemsCategory
        | FieldName::ProblemsStatement
        | FieldName::ProblemsSeverity
        | FieldName::ProblemsUrgency
        | FieldName::ProblemsEvidence
        | FieldName::ProblemsNoActionReason
        | FieldName::ProblemsResponsible
        | FieldName::ProblemsDue
        | FieldName::ProblemsOutcome => PRESCRIBING,
        FieldName::ProblemsAssociation | FieldName::ProblemsEvidenceNote => FINDING,
        FieldName::ProblemsPlainText => WORDING,
        FieldName::RecommendationsContent
        | FieldName::RecommendationsRationale
        | FieldName::RecommendationsAddressee
        | FieldName::RecommendationsAuthority
        | FieldName::RecommendationsReference
        | FieldName::RecommendationsReplaces => PROPOSING,
        FieldName::GoalsText
        | FieldName::GoalsTarget
        | FieldName::GoalsOwner
        | FieldName::GoalsAchievement
        | FieldName::GoalsProblems => CARE,
        FieldName::TodosTalkedAbout | FieldName::TodosShouldDo => CARE,
        FieldName::TouchpointsContent | FieldName::CareTeamContent => CARE,
        FieldName::TeachBacksContent => WORDING,
        FieldName::CommentsAbout | FieldName::CommentsText => TEAM,
        FieldName::Referral | FieldName::Identification => CARE,
        FieldName::OutlineSummary
        | FieldName::OutlineWhenToCall
        | FieldName::OutlineDuration
        | FieldName::OutlineInteractionFrequency
        | FieldName::OutlineNoGoalReason
        | FieldName::OutlineNoTouchpointReason => PRESCRIBING,
        FieldName::OutlineFollowUp
        | FieldName::OutlineAdherenceProcess
        | FieldName::OutlineEducationNotes => CARE,
        FieldName::MyGoals
        | FieldName::MyConcerns
        | FieldName::FactorsCulture
        | FieldName::FactorsValues
        | FieldName::FactorsHome
        | FieldName::FactorsSocial
        | FieldName::FactorsLifestyle
        | FieldName::FactorsLiteracy
        | FieldName::FactorsFunction
        | FieldName::FactorsCost
        | FieldName::ContactPreference
        | FieldName::QuestionsText
        | FieldName::MedsAsTaken
        | FieldName::MedsHowItFeels
        | FieldName::ProblemsPatientPriority
        | FieldName::TodosTick
        | FieldName::TodosConfidence
        | FieldName::TodosBarrier
        | FieldName::WhatIDidTodo
        | FieldName::WhatIDidText => VOICE,
        FieldName::QuestionsAnswered => CARE,
        FieldName::RemarksAbout | FieldName::RemarksText => HOME,
        FieldName::RemarksState => WORDING,
        FieldName::HomeReadingsContent => MEASURING,
        FieldName::ConsentsContent => CONSENTING,
        FieldName::AccessContent => GRANTING,
        FieldName::Note
        | FieldName::WorkingThoughts
        | FieldName::TasksContent
        | FieldName::TasksStatus => CARE,
        // Moved by commands and imports.
        FieldName::MedsPrescribedSig
        | FieldName::MedsBecause
        | FieldName::RecommendationsState
        | FieldName::RecommendationsSeen
        | FieldName::RecommendationsDecision
        | FieldName::RecommendationsImplemented
        | FieldName::RecommendationsUnderAgreement
        | FieldName::RecommendationsVerified
        | FieldName::RecommendationsWithdrawn
        | FieldName::TouchpointsState
        | FieldName::TouchpointsNote
        | FieldName::Signed
        | FieldName::Revision
        | FieldName::Addenda
        | FieldName::Receipts
        | FieldName::Share => NOBODY,
    }
}

const fn row_editors(list: ListName) -> Roles {
    match list {
        ListName::Meds
        | ListName::Allergies
        | ListName::Immunizations
        | ListName::Conditions
        | ListName::Measures
        | ListName::Goals
        | ListName::Todos
        | ListName::Touchpoints
        | ListName::CareTeam
        | ListName::Tasks => CARE,
        ListName::Problems => FINDING,
        ListName::Dismissals => PRESCRIBING,
        ListName::Recommendations => PROPOSING,
        ListName::TeachBacks => WORDING,
        ListName::Comments => TEAM,
        ListName::Questions | ListName::WhatIDid => VOICE,
        ListName::Remarks => HOME,
        ListName::HomeReadings => MEASURING,
        ListName::Consents => CONSENTING,
        ListName::Access => GRANTING,
    }
}

const fn deciders(command: CommandName) -> Roles {
    match command {
        CommandName::Share => PRESCRIBING,
        CommandName::SendRecommendation => PROPOSING,
        CommandName::Decide | CommandName::MarkSeen => Roles::of(&[Role::Pcp, Role::Specialist]),
        CommandName::WithdrawRecommendation => PROPOSING,
        CommandName::Implemented | CommandName::Verified => PRESCRIBING,
        CommandName::Sign | CommandName::Revise | CommandName::ActUnderAgreement => {
            Roles::of(&[Role::Pharmacist])
        }
        CommandName::Addend => PRESCRIBING,
        CommandName::Acknowledge => Roles::of(&[Role::Pcp]),
        // Who acts for the patient by law answers as the patient does.
        CommandName::AnswerPlan => Roles::of(&[Role::Patient]),
        CommandName::HandOn => HEARING,
        CommandName::BookTouchpoint => CARE,
        CommandName::TellTouchpoint => HEARING,
    }
}

/// Whether a role may write a field.
pub const fn may_write(role: Role, field: FieldName) -> bool {
    writers(field).holds(role)
}

/// Whether a role may add rows to a list, take them out, bring them back and put them elsewhere.
pub const fn may_edit_rows(role: Role, list: ListName) -> bool {
    row_editors(list).holds(role)
}

/// Whether a role may give a command. Whether the moment is right is the document's to say.
pub const fn may_command(role: Role, command: CommandName) -> bool {
    deciders(command).holds(role)
}

/// Whether a role answers a recommendation that names nobody. A specialist answers what is addressed to them.
pub const fn may_decide_for_nobody(role: Role) -> bool {
    matches!(role, Role::Pcp)
}

/// Whether a role may write what it accepts into the medication list with the same stroke.
pub const fn may_update_list(role: Role) -> bool {
    may_write(role, FieldName::MedsStatus)
        && may_write(role, FieldName::MedsSig)
        && may_edit_rows(role, ListName::Meds)
}

/// Whether a role is told the safety prompts: who reads the plan whole.
pub fn may_ask_safety(role: Role) -> bool {
    view(role, DocKind::Plan, Shared::Yes) == Some(View::Full)
}

/// Whether a role may make this edit in a document. `list_of` tells the list a row stands in. A row that is not there
/// is left to the document, which refuses it, unless no list of the document is this role's: "not there" and "not
/// yours" answer alike.
pub fn may_edit(
    role: Role,
    doc: DocKind,
    op: &Op,
    list_of: impl Fn(RowId) -> Option<ListName>,
) -> bool {
    let rows = |row| match list_of(row) {
        Some(list) => may_edit_rows(role, list),
        None => ListName::ALL.iter().any(|list| list.doc() == doc && may_edit_rows(role, *list)),
    };
    let field = |at: &Address| match (at.field, at.row) {
        (FieldName::Presence, Some(row)) => rows(row),
        (field, _) => may_write(role, field),
    };
    match op {
        Op::Set { at, base: _, value } | Op::Resolve { at, seen: _, value } => {
            field(at) && value.expose().as_ref().is_none_or(|json| may_say(role, at.field, json))
        }
        Op::Add { list, row: _, after: _, values } => {
            may_edit_rows(role, *list)
                && values.iter().all(|(name, json)| {
                    may_write(role, *name) && may_say(role, *name, json.expose())
                })
        }
        // What stood there may be more than the role could say itself.
        Op::Restore { row, seen: _ } if list_of(*row) == Some(ListName::Access) => {
            PRESCRIBING.holds(role)
        }
        Op::Tombstone { row, seen: _, reason: _ }
        | Op::Restore { row, seen: _ }
        | Op::Move { row, after: _ } => rows(*row),
        Op::Text { at, base: _, update: _ } | Op::Reviewed { at, seen: _ } => field(at),
    }
}

/// The two rules about what is said, not where: a nurse has asked the patient and seen the bottle, but neither speaks
/// for the prescriber nor closes the question; and that somebody acts for the patient by law is a paper that a
/// clinician has seen, not a wish.
fn may_say(role: Role, field: FieldName, json: &serde_json::Value) -> bool {
    // What is not a value of its field at all the document refuses, with its own code.
    match field {
        _ if PRESCRIBING.holds(role) => true,
        FieldName::MedsVerify => match Verify::deserialize(json) {
            Ok(Verify::Unverified | Verify::PatientConfirmed | Verify::BottleSeen) | Err(_) => true,
            Ok(Verify::PrescriberConfirmed | Verify::CouldNotVerify { .. }) => false,
        },
        FieldName::AccessContent => {
            AccessWish::deserialize(json).map_or(true, |wish| wish.level != AccessLevel::Legal)
        }
        _ => true,
    }
}

/// Through which eyes a role reads a document; `None`: it receives nothing of it.
pub const fn view(role: Role, doc: DocKind, shared: Shared) -> Option<View> {
    let home = match (doc, shared) {
        (DocKind::Plan, Shared::Yes) | (DocKind::Voice, Shared::Yes | Shared::No) => HOME,
        (DocKind::Plan, Shared::No) | (DocKind::Team, Shared::Yes | Shared::No) => NOBODY,
    };
    let full = match doc {
        DocKind::Plan | DocKind::Voice => TEAM,
        DocKind::Team => CLINICIANS,
    };
    if full.holds(role) {
        Some(View::Full)
    } else if home.holds(role) {
        Some(View::PatientSide)
    } else {
        None
    }
}

/// Whether staff may hand a link of this role to the one it is for: of the patient's side and of guests. A link of
/// staff carries their powers, so it goes to themselves alone.
pub const fn hands_on_link(role: Role) -> bool {
    HOME.holds(role) || Roles::of(&[Role::Interpreter, Role::Observer, Role::Learner]).holds(role)
}

/// Whether a role opens records at all, in some state of sharing.
pub const fn may_open_records(role: Role) -> bool {
    TEAM.holds(role) || HOME.holds(role)
}

/// A bundle that leaves the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ExportKind {
    /// HL7 Standardized Medication Profile.
    MedicationProfile,
    /// HL7 Pharmacist Care Plan.
    CarePlan,
    /// Everything the role reads of the record.
    WholeRecord,
}

impl ExportKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::MedicationProfile, Self::CarePlan, Self::WholeRecord];

    /// Its name on the wire and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MedicationProfile => "medication_profile",
            Self::CarePlan => "care_plan",
            Self::WholeRecord => "whole_record",
        }
    }
}

/// Whether a role may take a bundle along. What is in it is what the role reads: a patient gets their own side, and a
/// full copy from the staff when they ask for it.
pub const fn may_export(role: Role, kind: ExportKind) -> bool {
    let roles = match kind {
        ExportKind::MedicationProfile | ExportKind::CarePlan => PRESCRIBING,
        ExportKind::WholeRecord => Roles::of(&[Role::Patient, Role::Pharmacist, Role::Pcp]),
    };
    roles.holds(role)
}

/// Whether a role joins a patient's visit only when the patient agreed aloud.
pub const fn joins_by_agreement(role: Role) -> bool {
    Roles::of(&[Role::Caregiver, Role::Interpreter, Role::Observer]).holds(role)
}

/// Whether a role takes a chart from elsewhere into the record: who may write all that a chart says.
pub const fn may_import(role: Role) -> bool {
    PRESCRIBING.holds(role)
}

/// Whether a role may accept what a chart says in a field. How something was prescribed is written by nobody: it is
/// accepted as it came.
pub const fn may_accept(role: Role, field: FieldName) -> bool {
    may_import(role) && (may_write(role, field) || matches!(field, FieldName::MedsPrescribedSig))
}

/// Whether a role reads the collaborative agreements of a patient. Of a draft only its two parties see anything. A
/// caregiver does only as a legal proxy: [`Hand::may_read_agreements`].
pub const fn may_read_agreements(role: Role) -> bool {
    Roles::of(&[Role::Patient, Role::Pharmacist, Role::Pcp]).holds(role)
}

/// Whether a role reads an agreement nobody has signed yet.
pub const fn may_read_draft_agreement(role: Role) -> bool {
    PRESCRIBING.holds(role)
}

/// Whether a role does something with an agreement. Whether it is theirs, and the moment right, is the agreement's to
/// say. Pharmacist and physician note a consent on paper, and a withdrawal they heard; a legal proxy does so
/// in the record's list of consents.
pub const fn may_act_on_agreement(role: Role, act: ActName) -> bool {
    let roles = match act {
        ActName::Draft | ActName::Review => Roles::of(&[Role::Pcp]),
        ActName::Sign | ActName::Revoke => PRESCRIBING,
        ActName::Consent => Roles::of(&[Role::Patient, Role::Pharmacist, Role::Pcp]),
        ActName::Register | ActName::Report => Roles::of(&[Role::Pharmacist]),
    };
    roles.holds(role)
}

/// Whether a role takes a report, or the list of all its CDTM patients for an inspection, along.
pub const fn may_export_agreements(role: Role) -> bool {
    PRESCRIBING.holds(role)
}

/// Whether a role lets waiting seats in and sends them back.
pub const fn may_admit(role: Role) -> bool {
    Roles::of(&[Role::Pharmacist, Role::Pcp, Role::Nurse, Role::Facilitator]).holds(role)
}

/// Whether a role ends the visit for everybody. A facilitator runs an ECHO session, which has no patient.
pub const fn may_end(role: Role) -> bool {
    Roles::of(&[Role::Pharmacist, Role::Pcp, Role::Facilitator]).holds(role)
}

/// Whether a role books the next visit.
pub const fn may_book(role: Role) -> bool {
    CARE.holds(role)
}

/// Whether a role prints what prescribers are asked, to be faxed or handed over.
pub const fn may_print_for_prescribers(role: Role) -> bool {
    CARE.holds(role)
}

/// What a role may do with the billing sheet of its visit.
pub const fn sheet(role: Role) -> Option<SheetAccess> {
    match role {
        Role::Pharmacist => Some(SheetAccess::Write),
        Role::Pcp => Some(SheetAccess::Read),
        Role::Patient
        | Role::Caregiver
        | Role::Interpreter
        | Role::Nurse
        | Role::Chw
        | Role::Specialist
        | Role::Facilitator
        | Role::Learner
        | Role::Observer => None,
    }
}

/// Whose time a seat's is, for the billing sheet.
pub const fn billing_side(role: Role) -> Option<Side> {
    match role {
        Role::Pharmacist => Some(Side::Pharmacist),
        Role::Patient | Role::Caregiver => Some(Side::Patient),
        Role::Interpreter
        | Role::Pcp
        | Role::Nurse
        | Role::Chw
        | Role::Specialist
        | Role::Facilitator
        | Role::Learner
        | Role::Observer => None,
    }
}

/// Whether a role publishes a source. A learner speaks only when called, an observer never.
pub const fn may_publish(role: Role, source: MediaSource) -> bool {
    let publishers = match source {
        MediaSource::Mic | MediaSource::Cam => Roles::of(&[
            Role::Patient,
            Role::Caregiver,
            Role::Interpreter,
            Role::Pharmacist,
            Role::Pcp,
            Role::Nurse,
            Role::Chw,
            Role::Specialist,
            Role::Facilitator,
        ]),
        // A patient's screen would show whatever else is on it; an interpreter has nothing to show.
        MediaSource::Screen | MediaSource::ScreenAudio => Roles::of(&[
            Role::Pharmacist,
            Role::Pcp,
            Role::Nurse,
            Role::Chw,
            Role::Specialist,
            Role::Facilitator,
        ]),
    };
    publishers.holds(role)
}

/// The fields of a document a role may write, for its screen.
pub fn writable(role: Role, doc: DocKind) -> Vec<FieldName> {
    FieldName::ALL
        .iter()
        .copied()
        .filter(|field| field.doc() == doc && may_write(role, *field))
        .collect()
}

/// The lists of a document a role may add rows to, for its screen.
pub fn writable_lists(role: Role, doc: DocKind) -> Vec<ListName> {
    ListName::ALL
        .iter()
        .copied()
        .filter(|list| list.doc() == doc && may_edit_rows(role, *list))
        .collect()
}

/// The commands a role may give in a document, for its screen. All of them are about the plan.
pub fn commands(role: Role, doc: DocKind) -> Vec<CommandName> {
    match doc {
        DocKind::Plan => {
            CommandName::ALL.iter().copied().filter(|command| may_command(role, *command)).collect()
        }
        DocKind::Voice | DocKind::Team => Vec::new(),
    }
}
