//! Every field of the record: what kind it is, in which list and document it stands, what the patient's side gets.
//!
//! One line for each field. Who may write it is `signaling::role`.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::RowId;
use crate::value::{Line, PartialDate, Value, ValueError};
use crate::{
    access, allergy, care_team, condition, consent, goal, immunization, measure, medication,
    outline, problem, receipt, recommendation, referral, safety, task, teach_back, todo,
    touchpoint, version, voice,
};

/// The three documents of a record, which are three audiences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum DocKind {
    /// The action plan. Its patient side reaches patient and caregiver once it is shared.
    Plan,
    /// The patient's own part.
    Voice,
    /// Working notes of clinicians. Never sent to patient, caregiver, interpreter, observer.
    Team,
}

impl DocKind {
    /// Every document of a record.
    pub const ALL: [Self; 3] = [Self::Plan, Self::Voice, Self::Team];

    /// Its name on the wire and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Voice => "voice",
            Self::Team => "team",
        }
    }
}

/// How a field is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Replaced whole; written at once by two people it becomes a conflict.
    Register,
    /// Prose, merged by character. The limit is where the editor stops, in UTF-16 code units; the server takes
    /// twice as many, because two people typing at once may pass it.
    Text {
        /// Soft limit.
        limit: usize,
    },
    /// Moved by commands and imports only; an edit that addresses it is refused.
    Command,
}

/// Whether the patient's browser ever receives a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatientSide {
    /// It does (of `plan`: after sharing).
    Yes,
    /// It does once the recommendation it belongs to was sent.
    OnceSent,
    /// Never.
    No,
}

macro_rules! lists {
    ($($(#[$doc:meta])* $variant:ident $name:literal $kind:ident;)*) => {
        /// The lists of rows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
        pub enum ListName { $($(#[$doc])* #[serde(rename = $name)] $variant,)* }

        impl ListName {
            /// Every list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The document it stands in.
            pub const fn doc(self) -> DocKind {
                match self { $(Self::$variant => DocKind::$kind,)* }
            }

            /// Its name on the wire and in the log.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether a value of its rows stands as it was first written: readings and answers are not edited, they
            /// are followed by others, or removed as an error.
            pub const fn append_only(self) -> bool {
                matches!(
                    self,
                    Self::Measures
                        | Self::TeachBacks
                        | Self::Dismissals
                        | Self::HomeReadings
                        | Self::Consents
                )
            }
        }
    };
}

lists! {
    /// Medication list.
    Meds "meds" Plan;
    /// Allergies.
    Allergies "allergies" Plan;
    /// Immunizations.
    Immunizations "immunizations" Plan;
    /// Conditions (diagnoses).
    Conditions "conditions" Plan;
    /// Key measures.
    Measures "measures" Plan;
    /// Medication therapy problems.
    Problems "problems" Plan;
    /// Recommendations to prescribers.
    Recommendations "recommendations" Plan;
    /// Goals.
    Goals "goals" Plan;
    /// What the patient should do.
    Todos "todos" Plan;
    /// Agreed follow-ups.
    Touchpoints "touchpoints" Plan;
    /// Messages the patient said back.
    TeachBacks "teach_backs" Plan;
    /// Who looks after the patient.
    CareTeam "care_team" Plan;
    /// How staff who may not write a field propose a change.
    Comments "comments" Plan;
    /// Safety prompts somebody looked at and laid aside, with the reason.
    Dismissals "dismissals" Plan;
    /// Questions the patient wants to ask.
    Questions "questions" Voice;
    /// What the patient did about a to-do.
    WhatIDid "what_i_did" Voice;
    /// How the patient proposes a change to the plan.
    Remarks "remarks" Voice;
    /// Readings taken at home.
    HomeReadings "home_readings" Voice;
    /// What the patient agreed to.
    Consents "consents" Voice;
    /// Who may see the plan, and how far who speaks for the patient may go.
    Access "access" Voice;
    /// What members of the team are asked to do.
    Tasks "tasks" Team;
}

/// Where a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On each row of a list.
    Row(ListName),
    /// Once in its document.
    Document,
    /// In `voice`, about a row that stands in `plan`: the row is named, and not checked here.
    About(ListName),
    /// On every row of every list.
    EveryRow,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident $name:literal $kind:ident $place:expr, $how:ident $(($ty:ty))? $([$limit:literal])?, $side:ident;)*) => {
        /// Every field by name. On the wire and in the log it is its dotted name, for ever.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
        pub enum FieldName { $($(#[$doc])* #[cfg_attr(feature = "typescript", ts(rename = $name))] $variant,)* }

        impl FieldName {
            /// Every field.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The dotted name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The document it stands in; `presence` stands in each, and answers `Plan`.
            pub const fn doc(self) -> DocKind {
                match self { $(Self::$variant => DocKind::$kind,)* }
            }

            /// Where in the document.
            pub const fn place(self) -> Place {
                match self { $(Self::$variant => $place,)* }
            }

            /// How it is edited.
            pub const fn kind(self) -> FieldKind {
                match self { $(Self::$variant => fields!(@kind $how $([$limit])?),)* }
            }

            /// Whether the patient's side receives it.
            pub const fn patient_side(self) -> PatientSide {
                match self { $(Self::$variant => PatientSide::$side,)* }
            }

            /// Parses a value for this field.
            ///
            /// # Errors
            /// The JSON is not what this field holds. Texts hold no values.
            pub fn parse(self, json: &serde_json::Value) -> Result<Value, ValueError> {
                match self { $(Self::$variant => fields!(@parse $how $(($ty))? json),)* }
            }
        }

        /// The value type of each register, for the client. Never constructed.
        #[cfg(feature = "typescript")]
        #[derive(ts_rs::TS)]
        #[ts(export_to = "wire.ts", optional_fields)]
        #[expect(non_snake_case, missing_docs, reason = "only its TypeScript twin is used")]
        pub struct FieldValues { $($(#[ts(rename = $name)] pub $variant: Option<$ty>,)?)* }
    };
    (@kind register) => { FieldKind::Register };
    (@kind command) => { FieldKind::Command };
    (@kind text [$limit:literal]) => { FieldKind::Text { limit: $limit } };
    (@parse register ($ty:ty) $json:ident) => { Value::parse::<$ty>($json) };
    (@parse command ($ty:ty) $json:ident) => { Value::parse::<$ty>($json) };
    (@parse text $json:ident) => { Err(ValueError::Shape) };
}

fields! {
    /// Whether a row is there: present, or removed with a reason. Set by removing and restoring only.
    Presence "presence" Plan Place::EveryRow, register(Presence), Yes;

    /// Prescribed, over the counter, herbal …
    MedsKind "meds.kind" Plan Place::Row(ListName::Meds), register(medication::MedicationKind), Yes;
    /// Name, code, strength.
    MedsProduct "meds.product" Plan Place::Row(ListName::Meds), register(medication::Product), Yes;
    /// How it is to be taken.
    MedsSig "meds.sig" Plan Place::Row(ListName::Meds), register(medication::Sig), Yes;
    /// How the chart says it was prescribed; read-only.
    MedsPrescribedSig "meds.prescribed_sig" Plan Place::Row(ListName::Meds), command(medication::Sig), No;
    /// What it is for.
    MedsIndication "meds.indication" Plan Place::Row(ListName::Meds), register(Line), Yes;
    /// Who prescribes it.
    MedsPrescriber "meds.prescriber" Plan Place::Row(ListName::Meds), register(Line), Yes;
    /// Where it is filled.
    MedsPharmacy "meds.pharmacy" Plan Place::Row(ListName::Meds), register(Line), Yes;
    /// How long a fill lasts.
    MedsSupply "meds.supply" Plan Place::Row(ListName::Meds), register(medication::Supply), Yes;
    /// Since when it is taken, as exactly as known. When it ended stands in its status.
    MedsStart "meds.start" Plan Place::Row(ListName::Meds), register(PartialDate), Yes;
    /// In use, on hold, stopped.
    MedsStatus "meds.status" Plan Place::Row(ListName::Meds), register(medication::MedicationStatus), Yes;
    /// How sure we are.
    MedsVerify "meds.verify" Plan Place::Row(ListName::Meds), register(medication::Verify), No;
    /// Which lists were compared.
    MedsSources "meds.sources" Plan Place::Row(ListName::Meds), register(medication::VerifySources), No;
    /// How the lists differ.
    MedsDiscrepancy "meds.discrepancy" Plan Place::Row(ListName::Meds), register(medication::Discrepancy), No;
    /// Whether it is taken so.
    MedsAdherence "meds.adherence" Plan Place::Row(ListName::Meds), register(medication::Adherence), No;
    /// Whether its price is a worry.
    MedsCostConcern "meds.cost_concern" Plan Place::Row(ListName::Meds), register(bool), No;
    /// Whether an error with it does great harm (ISMP).
    MedsHighAlert "meds.high_alert" Plan Place::Row(ListName::Meds), register(bool), No;
    /// Whether it is a controlled substance (DEA schedules): outside any agreement.
    MedsControlled "meds.controlled" Plan Place::Row(ListName::Meds), register(bool), No;
    /// Whether 42 CFR Part 2 holds for it.
    MedsSensitivity "meds.sensitivity" Plan Place::Row(ListName::Meds), register(medication::Sensitivity), No;
    /// The recommendation by which it was last changed.
    MedsBecause "meds.because" Plan Place::Row(ListName::Meds), command(RowId), No;
    /// Is there a reason for it?
    MedsIndicated "meds.indicated" Plan Place::Row(ListName::Meds), register(medication::Assessment), No;
    /// Does it work?
    MedsEffective "meds.effective" Plan Place::Row(ListName::Meds), register(medication::Assessment), No;
    /// Is it safe for this patient?
    MedsSafe "meds.safe" Plan Place::Row(ListName::Meds), register(medication::Assessment), No;
    /// Can and does the patient take it?
    MedsAdherent "meds.adherent" Plan Place::Row(ListName::Meds), register(medication::Assessment), No;

    /// Substance and reactions.
    AllergiesContent "allergies.content" Plan Place::Row(ListName::Allergies), register(allergy::Allergy), Yes;
    /// Unknown, none known, listed.
    AllergyStatement "allergy_statement" Plan Place::Document, register(allergy::AllergyStatement), No;
    /// The allergies were gone through with the patient.
    ReviewedAllergies "reviewed.allergies" Plan Place::Document, register(bool), No;
    /// Vaccine and date.
    ImmunizationsContent "immunizations.content" Plan Place::Row(ListName::Immunizations), register(immunization::Immunization), Yes;
    /// The immunizations were gone through with the patient.
    ReviewedImmunizations "reviewed.immunizations" Plan Place::Document, register(bool), No;
    /// The diagnosis.
    ConditionsContent "conditions.content" Plan Place::Row(ListName::Conditions), register(condition::Condition), Yes;
    /// The reading.
    MeasuresContent "measures.content" Plan Place::Row(ListName::Measures), register(measure::Measure), Yes;

    /// Which of the nine kinds.
    ProblemsCategory "problems.category" Plan Place::Row(ListName::Problems), register(problem::ProblemCategory), No;
    /// Condition and medicines.
    ProblemsStatement "problems.statement" Plan Place::Row(ListName::Problems), register(problem::ProblemStatement), No;
    /// How bad.
    ProblemsSeverity "problems.severity" Plan Place::Row(ListName::Problems), register(problem::Severity), No;
    /// How soon.
    ProblemsUrgency "problems.urgency" Plan Place::Row(ListName::Problems), register(problem::Urgency), No;
    /// Why they do not fit.
    ProblemsAssociation "problems.association" Plan Place::Row(ListName::Problems), text[400], No;
    /// The readings it rests on.
    ProblemsEvidence "problems.evidence" Plan Place::Row(ListName::Problems), register(problem::Evidence), No;
    /// What else it rests on.
    ProblemsEvidenceNote "problems.evidence_note" Plan Place::Row(ListName::Problems), text[400], No;
    /// Why nothing is recommended.
    ProblemsNoActionReason "problems.no_action_reason" Plan Place::Row(ListName::Problems), register(Line), No;
    /// Who sees to it.
    ProblemsResponsible "problems.responsible" Plan Place::Row(ListName::Problems), register(Line), No;
    /// By when.
    ProblemsDue "problems.due" Plan Place::Row(ListName::Problems), register(PartialDate), No;
    /// What became of it.
    ProblemsOutcome "problems.outcome" Plan Place::Row(ListName::Problems), register(problem::ProblemOutcome), No;
    /// What the patient reads.
    ProblemsPlainText "problems.plain_text" Plan Place::Row(ListName::Problems), register(problem::PlainText), Yes;

    /// Action, medicine, regimen.
    RecommendationsContent "recommendations.content" Plan Place::Row(ListName::Recommendations), register(recommendation::RecommendationContent), OnceSent;
    /// Why.
    RecommendationsRationale "recommendations.rationale" Plan Place::Row(ListName::Recommendations), text[600], No;
    /// To whom it goes.
    RecommendationsAddressee "recommendations.addressee" Plan Place::Row(ListName::Recommendations), register(recommendation::Addressee), OnceSent;
    /// Whether the prescriber decides, or an agreement allows it.
    RecommendationsAuthority "recommendations.authority" Plan Place::Row(ListName::Recommendations), register(recommendation::Authority), OnceSent;
    /// What became of carrying it out under an agreement.
    RecommendationsUnderAgreement "recommendations.under_agreement" Plan Place::Row(ListName::Recommendations), command(recommendation::UnderAgreement), No;
    /// The guideline or study behind it.
    RecommendationsReference "recommendations.reference" Plan Place::Row(ListName::Recommendations), register(Line), No;
    /// The sent recommendation this one takes the place of.
    RecommendationsReplaces "recommendations.replaces" Plan Place::Row(ListName::Recommendations), register(RowId), OnceSent;
    /// Draft, sent, decided.
    RecommendationsState "recommendations.state" Plan Place::Row(ListName::Recommendations), command(recommendation::RecommendationState), OnceSent;
    /// It was on the screen of whom it is addressed to.
    RecommendationsSeen "recommendations.seen" Plan Place::Row(ListName::Recommendations), command(bool), No;
    /// What the prescriber said.
    RecommendationsDecision "recommendations.decision" Plan Place::Row(ListName::Recommendations), command(recommendation::Decision), OnceSent;
    /// How it was carried out.
    RecommendationsImplemented "recommendations.implemented" Plan Place::Row(ListName::Recommendations), command(Line), No;
    /// How it is known that the patient does so.
    RecommendationsVerified "recommendations.verified" Plan Place::Row(ListName::Recommendations), command(Line), No;
    /// Why it was taken back.
    RecommendationsWithdrawn "recommendations.withdrawn" Plan Place::Row(ListName::Recommendations), command(Line), No;

    /// In the patient's words.
    GoalsText "goals.text" Plan Place::Row(ListName::Goals), text[300], Yes;
    /// A number to reach.
    GoalsTarget "goals.target" Plan Place::Row(ListName::Goals), register(goal::GoalTarget), Yes;
    /// Whose it is to work on.
    GoalsOwner "goals.owner" Plan Place::Row(ListName::Goals), register(goal::GoalOwner), Yes;
    /// How far it is.
    GoalsAchievement "goals.achievement" Plan Place::Row(ListName::Goals), register(goal::Achievement), Yes;
    /// The problems it answers.
    GoalsProblems "goals.problems" Plan Place::Row(ListName::Goals), register(goal::GoalProblems), No;

    /// What we talked about.
    TodosTalkedAbout "todos.talked_about" Plan Place::Row(ListName::Todos), text[300], Yes;
    /// What the patient should do.
    TodosShouldDo "todos.should_do" Plan Place::Row(ListName::Todos), register(todo::Instruction), Yes;

    /// Agreed follow-up.
    TouchpointsContent "touchpoints.content" Plan Place::Row(ListName::Touchpoints), register(touchpoint::Touchpoint), Yes;
    /// Booked, done, missed, cancelled.
    TouchpointsState "touchpoints.state" Plan Place::Row(ListName::Touchpoints), command(touchpoint::TouchpointState), Yes;
    /// How it was done, why it was missed, moved or cancelled.
    TouchpointsNote "touchpoints.note" Plan Place::Row(ListName::Touchpoints), command(Line), No;

    /// A message, said back.
    TeachBacksContent "teach_backs.content" Plan Place::Row(ListName::TeachBacks), register(teach_back::TeachBack), No;

    /// A person of the care team.
    CareTeamContent "care_team.content" Plan Place::Row(ListName::CareTeam), register(care_team::CareTeamMember), Yes;

    /// What a comment is about.
    CommentsAbout "comments.about" Plan Place::Row(ListName::Comments), register(outline::CommentAbout), No;
    /// A comment.
    CommentsText "comments.text" Plan Place::Row(ListName::Comments), text[600], No;

    /// A safety prompt that was laid aside, and why.
    DismissalsContent "dismissals.content" Plan Place::Row(ListName::Dismissals), register(safety::Dismissal), No;

    /// Who asked for the pharmacist.
    Referral "referral" Plan Place::Document, register(referral::Referral), Yes;
    /// Why this patient.
    Identification "identification" Plan Place::Document, register(referral::Identification), No;

    /// The pharmacist's summary for the team.
    OutlineSummary "outline.summary" Plan Place::Document, text[1000], No;
    /// How long the team works with the patient.
    OutlineDuration "outline.duration" Plan Place::Document, register(outline::Duration), Yes;
    /// How often they talk.
    OutlineInteractionFrequency "outline.interaction_frequency" Plan Place::Document, register(Line), Yes;
    /// What is done to make taking easier.
    OutlineAdherenceProcess "outline.adherence_process" Plan Place::Document, text[600], Yes;
    /// What was taught.
    OutlineEducationNotes "outline.education_notes" Plan Place::Document, text[1000], Yes;
    /// Why there is no goal.
    OutlineNoGoalReason "outline.no_goal_reason" Plan Place::Document, register(Line), Yes;
    /// Why there is no touchpoint.
    OutlineNoTouchpointReason "outline.no_touchpoint_reason" Plan Place::Document, register(Line), Yes;
    /// What happens next, for everybody.
    OutlineFollowUp "outline.follow_up_instructions" Plan Place::Document, text[1000], Yes;
    /// When to call, when it is an emergency.
    OutlineWhenToCall "outline.when_to_call" Plan Place::Document, register(outline::WhenToCall), Yes;
    /// The newest signature.
    Signed "signed" Plan Place::Document, command(version::Signed), Yes;
    /// A signed plan was opened again.
    Revision "revision" Plan Place::Document, command(version::Revision), No;
    /// Late facts beside signed versions.
    Addenda "addenda" Plan Place::Document, command(version::Addenda), Yes;
    /// Who has a signed version, and what they say to it.
    Receipts "receipts" Plan Place::Document, command(receipt::Receipts), Yes;
    /// Whether the plan was shared with the patient.
    Share "share" Plan Place::Document, command(bool), Yes;

    /// What matters to the patient.
    MyGoals "my_goals" Voice Place::Document, text[300], Yes;
    /// What worries the patient.
    MyConcerns "my_concerns" Voice Place::Document, text[300], Yes;
    /// Customs and beliefs that matter for treatment.
    FactorsCulture "factors.culture" Voice Place::Document, text[300], Yes;
    /// What the patient values.
    FactorsValues "factors.values" Voice Place::Document, text[300], Yes;
    /// Home and family.
    FactorsHome "factors.home" Voice Place::Document, text[300], Yes;
    /// Work, transport, food, housing.
    FactorsSocial "factors.social" Voice Place::Document, text[300], Yes;
    /// Eating, moving, drinking, smoking.
    FactorsLifestyle "factors.lifestyle" Voice Place::Document, text[300], Yes;
    /// Reading and numbers.
    FactorsLiteracy "factors.literacy" Voice Place::Document, text[300], Yes;
    /// Swallowing, seeing, hearing, moving, remembering.
    FactorsFunction "factors.function" Voice Place::Document, text[300], Yes;
    /// Whether the medicines can be paid for.
    FactorsCost "factors.cost" Voice Place::Document, text[300], Yes;
    /// How the patient wants to be reached.
    ContactPreference "contact_preference" Voice Place::Document, register(voice::ContactPreference), Yes;
    /// A question to ask.
    QuestionsText "questions.text" Voice Place::Row(ListName::Questions), text[300], Yes;
    /// It was answered.
    QuestionsAnswered "questions.answered" Voice Place::Row(ListName::Questions), register(bool), Yes;
    /// "I take it so."
    MedsAsTaken "meds.as_taken" Voice Place::About(ListName::Meds), register(Line), Yes;
    /// How it feels.
    MedsHowItFeels "meds.how_it_feels" Voice Place::About(ListName::Meds), text[300], Yes;
    /// What matters most to the patient.
    ProblemsPatientPriority "problems.patient_priority" Voice Place::About(ListName::Problems), register(voice::Priority), Yes;
    /// Done.
    TodosTick "todos.tick" Voice Place::About(ListName::Todos), register(bool), Yes;
    /// How sure the patient is to manage it.
    TodosConfidence "todos.confidence" Voice Place::About(ListName::Todos), register(voice::Confidence), Yes;
    /// What stands in the way.
    TodosBarrier "todos.barrier" Voice Place::About(ListName::Todos), text[300], Yes;
    /// Which to-do it is about.
    WhatIDidTodo "what_i_did.todo" Voice Place::Row(ListName::WhatIDid), register(RowId), Yes;
    /// What the patient did about it.
    WhatIDidText "what_i_did.text" Voice Place::Row(ListName::WhatIDid), text[300], Yes;
    /// What a remark is about.
    RemarksAbout "remarks.about" Voice Place::Row(ListName::Remarks), register(voice::RemarkAbout), Yes;
    /// A remark.
    RemarksText "remarks.text" Voice Place::Row(ListName::Remarks), text[300], Yes;
    /// What became of it.
    RemarksState "remarks.state" Voice Place::Row(ListName::Remarks), register(voice::RemarkState), Yes;
    /// A reading taken at home.
    HomeReadingsContent "home_readings.content" Voice Place::Row(ListName::HomeReadings), register(measure::Measure), Yes;
    /// What the patient agreed to.
    ConsentsContent "consents.content" Voice Place::Row(ListName::Consents), register(consent::Consent), Yes;
    /// What the patient wants of somebody.
    AccessContent "access.content" Voice Place::Row(ListName::Access), register(access::AccessWish), Yes;

    /// The team's working note.
    Note "note" Team Place::Document, text[4000], No;
    /// Thoughts that are not yet a plan.
    WorkingThoughts "working_thoughts" Team Place::Document, text[4000], No;
    /// What is asked of whom.
    TasksContent "tasks.content" Team Place::Row(ListName::Tasks), register(task::Task), No;
    /// How far it is.
    TasksStatus "tasks.status" Team Place::Row(ListName::Tasks), register(task::TaskStatus), No;
}

/// Whether a row is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "RowPresence"))]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Presence {
    /// It is.
    Present,
    /// It was taken out; its content stays in the log and in the document.
    Removed {
        /// Why.
        reason: String,
    },
}

impl crate::value::Check for Presence {
    fn check(&self) -> Result<(), ValueError> {
        match self {
            Self::Present => Ok(()),
            Self::Removed { reason } => crate::value::short("reason", reason, 1, 200),
        }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FieldName {
    type Err = UnknownField;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|field| field.as_str() == name).ok_or(UnknownField)
    }
}

impl Serialize for FieldName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// There is no such field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such field")]
pub struct UnknownField;

/// A field of a document, or of one of its rows. Its text form, the key of maps, is `field` or `row/field`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The row, where the field stands on rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub row: Option<RowId>,
    /// The field.
    pub field: FieldName,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Some(row) => write!(f, "{row}/{}", self.field),
            None => self.field.fmt(f),
        }
    }
}
