//! The record, list by list and field by field. A field that is not read here fails a test.

use super::{Held, Index, Read, Row, Words};
use crate::access::AccessWish;
use crate::allergy::{Allergy, AllergyStatement};
use crate::care_team::CareTeamMember;
use crate::condition::Condition;
use crate::consent::Consent;
use crate::field::{Address, FieldName, ListName};
use crate::goal::{Achievement, GoalOwner, GoalProblems, GoalTarget};
use crate::id::RowId;
use crate::immunization::Immunization;
use crate::measure::Measure;
use crate::medication::{
    Adherence, Assessment, Discrepancy, MedicationKind, MedicationStatus, Product, Sensitivity,
    Sig, Supply, Verify, VerifySources,
};
use crate::outline::{CommentAbout, Duration, WhenToCall};
use crate::problem::{
    Evidence, PlainText, ProblemCategory, ProblemOutcome, ProblemStatement, Severity, Urgency,
};
use crate::receipt::Receipts;
use crate::recommendation::{
    Addressee, Authority, Decision, RecommendationContent, RecommendationState, UnderAgreement,
};
use crate::referral::{Identification, Referral};
use crate::safety::Dismissal;
use crate::task::{Task, TaskStatus};
use crate::teach_back::TeachBack;
use crate::todo::Instruction;
use crate::touchpoint::{Touchpoint, TouchpointState};
use crate::value::{Line, PartialDate};
use crate::version::{Addenda, Revision, Signed};
use crate::voice::{Confidence, ContactPreference, Priority, RemarkAbout, RemarkState};

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty = $at:ident,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub struct $name {
                $($(#[$field_doc])* pub $field: $ty,)*
            }

            impl $name {
                fn read(index: &Index<'_>, row: Option<RowId>) -> Self {
                    Self { $($field: <$ty as Read>::read(index, row, FieldName::$at),)* }
                }
            }
        )*
    };
}

parts! {
    /// A row of the medication list, with what the patient says about it.
    Med {
        /// Prescribed, over the counter, herbal …
        kind: Held<MedicationKind> = MedsKind,
        /// Name, code, strength.
        product: Held<Product> = MedsProduct,
        /// How it is to be taken.
        sig: Held<Sig> = MedsSig,
        /// How the chart says it was prescribed.
        prescribed_sig: Held<Sig> = MedsPrescribedSig,
        /// What it is for.
        indication: Held<Line> = MedsIndication,
        /// Who prescribes it.
        prescriber: Held<Line> = MedsPrescriber,
        /// Where it is filled.
        pharmacy: Held<Line> = MedsPharmacy,
        /// How long a fill lasts.
        supply: Held<Supply> = MedsSupply,
        /// Since when it is taken.
        start: Held<PartialDate> = MedsStart,
        /// In use, on hold, stopped.
        status: Held<MedicationStatus> = MedsStatus,
        /// How sure we are.
        verify: Held<Verify> = MedsVerify,
        /// Which lists were compared.
        sources: Held<VerifySources> = MedsSources,
        /// How the lists differ.
        discrepancy: Held<Discrepancy> = MedsDiscrepancy,
        /// Whether it is taken so.
        adherence: Held<Adherence> = MedsAdherence,
        /// Whether its price is a worry.
        cost_concern: Held<bool> = MedsCostConcern,
        /// Whether an error with it does great harm.
        high_alert: Held<bool> = MedsHighAlert,
        /// Whether it is a controlled substance.
        controlled: Held<bool> = MedsControlled,
        /// Whether 42 CFR Part 2 holds for it.
        sensitivity: Held<Sensitivity> = MedsSensitivity,
        /// Is there a reason for it?
        indicated: Held<Assessment> = MedsIndicated,
        /// Does it work?
        effective: Held<Assessment> = MedsEffective,
        /// Is it safe for this patient?
        safe: Held<Assessment> = MedsSafe,
        /// Can and does the patient take it?
        adherent: Held<Assessment> = MedsAdherent,
        /// The recommendation whose acceptance wrote it.
        because: Held<RowId> = MedsBecause,
        /// "I take it so."
        as_taken: Held<Line> = MedsAsTaken,
        /// How it feels.
        how_it_feels: Words = MedsHowItFeels,
    }

    /// A medication therapy problem, with what matters most to the patient.
    Problem {
        /// Which of the nine kinds.
        category: Held<ProblemCategory> = ProblemsCategory,
        /// Condition and medicines.
        statement: Held<ProblemStatement> = ProblemsStatement,
        /// How bad.
        severity: Held<Severity> = ProblemsSeverity,
        /// How soon.
        urgency: Held<Urgency> = ProblemsUrgency,
        /// Why they do not fit.
        association: Words = ProblemsAssociation,
        /// The readings it rests on.
        evidence: Held<Evidence> = ProblemsEvidence,
        /// What else it rests on.
        evidence_note: Words = ProblemsEvidenceNote,
        /// Why nothing is recommended.
        no_action_reason: Held<Line> = ProblemsNoActionReason,
        /// Who sees to it.
        responsible: Held<Line> = ProblemsResponsible,
        /// By when.
        due: Held<PartialDate> = ProblemsDue,
        /// What became of it.
        outcome: Held<ProblemOutcome> = ProblemsOutcome,
        /// What the patient reads.
        plain_text: Held<PlainText> = ProblemsPlainText,
        /// What matters most to the patient.
        patient_priority: Held<Priority> = ProblemsPatientPriority,
    }

    /// A recommendation to a prescriber.
    Recommendation {
        /// Action, medicine, regimen.
        content: Held<RecommendationContent> = RecommendationsContent,
        /// Why.
        rationale: Words = RecommendationsRationale,
        /// To whom it goes.
        addressee: Held<Addressee> = RecommendationsAddressee,
        /// Whether the prescriber decides, or an agreement allows it.
        authority: Held<Authority> = RecommendationsAuthority,
        /// What became of carrying it out under an agreement.
        under_agreement: Held<UnderAgreement> = RecommendationsUnderAgreement,
        /// The guideline or study behind it.
        reference: Held<Line> = RecommendationsReference,
        /// The sent recommendation this one takes the place of.
        replaces: Held<RowId> = RecommendationsReplaces,
        /// Draft, sent, decided.
        state: Held<RecommendationState> = RecommendationsState,
        /// The addressee saw it.
        seen: Held<bool> = RecommendationsSeen,
        /// What the prescriber said.
        decision: Held<Decision> = RecommendationsDecision,
        /// How it was carried out.
        implemented: Held<Line> = RecommendationsImplemented,
        /// How it is known that the patient does so.
        verified: Held<Line> = RecommendationsVerified,
        /// Why it was taken back.
        withdrawn: Held<Line> = RecommendationsWithdrawn,
    }

    /// A goal.
    Goal {
        /// In the patient's words.
        text: Words = GoalsText,
        /// A number to reach.
        target: Held<GoalTarget> = GoalsTarget,
        /// Whose it is to work on.
        owner: Held<GoalOwner> = GoalsOwner,
        /// How far it is.
        achievement: Held<Achievement> = GoalsAchievement,
        /// The problems it answers.
        problems: Held<GoalProblems> = GoalsProblems,
    }

    /// Something the patient should do, with what the patient says about it.
    Todo {
        /// What we talked about.
        talked_about: Words = TodosTalkedAbout,
        /// What the patient should do.
        should_do: Held<Instruction> = TodosShouldDo,
        /// Done.
        tick: Held<bool> = TodosTick,
        /// How sure the patient is to manage it.
        confidence: Held<Confidence> = TodosConfidence,
        /// What stands in the way.
        barrier: Words = TodosBarrier,
    }

    /// How staff who may not write a field propose a change.
    Comment {
        /// What it is about.
        about: Held<CommentAbout> = CommentsAbout,
        /// What it says.
        text: Words = CommentsText,
    }

    /// An agreed follow-up, and what became of it.
    TouchpointRow {
        /// What, when, how and with whom.
        content: Held<Touchpoint> = TouchpointsContent,
        /// Booked, done, missed, cancelled.
        state: Held<TouchpointState> = TouchpointsState,
        /// How it was done, why it was missed, moved or cancelled.
        note: Held<Line> = TouchpointsNote,
    }

    /// A question the patient wants to ask.
    Question {
        /// The question.
        text: Words = QuestionsText,
        /// It was answered.
        answered: Held<bool> = QuestionsAnswered,
    }

    /// What the patient did about a to-do.
    Deed {
        /// Which to-do.
        todo: Held<RowId> = WhatIDidTodo,
        /// What was done.
        text: Words = WhatIDidText,
    }

    /// How the patient proposes a change to the plan.
    Remark {
        /// What it is about.
        about: Held<RemarkAbout> = RemarksAbout,
        /// What it says.
        text: Words = RemarksText,
        /// What became of it.
        state: Held<RemarkState> = RemarksState,
    }

    /// Something a member of the team is asked to do.
    TaskRow {
        /// What is asked of whom.
        content: Held<Task> = TasksContent,
        /// How far it is.
        status: Held<TaskStatus> = TasksStatus,
    }

    /// Values of the plan as a whole.
    Outline {
        /// The pharmacist's summary for the team.
        summary: Words = OutlineSummary,
        /// How long the team works with the patient.
        duration: Held<Duration> = OutlineDuration,
        /// How often they talk.
        interaction_frequency: Held<Line> = OutlineInteractionFrequency,
        /// What is done to make taking easier.
        adherence_process: Words = OutlineAdherenceProcess,
        /// What was taught.
        education_notes: Words = OutlineEducationNotes,
        /// Why there is no goal.
        no_goal_reason: Held<Line> = OutlineNoGoalReason,
        /// Why there is no touchpoint.
        no_touchpoint_reason: Held<Line> = OutlineNoTouchpointReason,
        /// What happens next, for everybody.
        follow_up: Words = OutlineFollowUp,
        /// When to call, when it is an emergency.
        when_to_call: Held<WhenToCall> = OutlineWhenToCall,
    }

    /// What about the patient's life matters for the medicines.
    Factors {
        /// Customs and beliefs that matter for treatment.
        culture: Words = FactorsCulture,
        /// What the patient values.
        values: Words = FactorsValues,
        /// Home and family.
        home: Words = FactorsHome,
        /// Work, transport, food, housing.
        social: Words = FactorsSocial,
        /// Eating, moving, drinking, smoking.
        lifestyle: Words = FactorsLifestyle,
        /// Reading and numbers.
        literacy: Words = FactorsLiteracy,
        /// Swallowing, seeing, hearing, moving, remembering.
        function: Words = FactorsFunction,
        /// Whether the medicines can be paid for.
        cost: Words = FactorsCost,
    }
}

macro_rules! record {
    (
        $(#[$doc:meta])* $name:ident
        lists { $($(#[$list_doc:meta])* $list:ident: $row:ident = $list_name:ident,)* }
        contents { $($(#[$content_doc:meta])* $content:ident: $value:ty = $content_list:ident $content_at:ident,)* }
        fields { $($(#[$field_doc:meta])* $field:ident: $ty:ty = $at:ident,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$list_doc])* pub $list: Vec<Row<$row>>,)*
            $($(#[$content_doc])* pub $content: Vec<Row<Held<$value>>>,)*
            $($(#[$field_doc])* pub $field: $ty,)*
            /// The plan as a whole.
            pub outline: Outline,
            /// The patient's life.
            pub factors: Factors,
            /// Registers of any document that wait for somebody to choose; those of removed rows are left out.
            pub conflicts: Vec<Address>,
            /// Texts of any document of which a merge waits to be read; those of removed rows are left out.
            pub unread: Vec<Address>,
        }

        impl $name {
            pub(super) fn read(index: &Index<'_>, row: Option<RowId>) -> Self {
                Self {
                    $($list: rows(index, ListName::$list_name, |id| $row::read(index, Some(id))),)*
                    $($content: rows(index, ListName::$content_list, |id| {
                        index.register(Some(id), FieldName::$content_at)
                    }),)*
                    $($field: <$ty as Read>::read(index, row, FieldName::$at),)*
                    outline: Outline::read(index, row),
                    factors: Factors::read(index, row),
                    conflicts: index.conflicts(),
                    unread: index.unread(),
                }
            }
        }
    };
}

record! {
    /// Everything a record holds.
    Record
    lists {
        /// Medication list.
        meds: Med = Meds,
        /// Medication therapy problems.
        problems: Problem = Problems,
        /// Recommendations to prescribers.
        recommendations: Recommendation = Recommendations,
        /// Goals.
        goals: Goal = Goals,
        /// What the patient should do.
        todos: Todo = Todos,
        /// Agreed follow-ups.
        touchpoints: TouchpointRow = Touchpoints,
        /// How staff who may not write a field propose a change.
        comments: Comment = Comments,
        /// Questions the patient wants to ask.
        questions: Question = Questions,
        /// What the patient did about a to-do.
        what_i_did: Deed = WhatIDid,
        /// How the patient proposes a change to the plan.
        remarks: Remark = Remarks,
        /// What members of the team are asked to do.
        tasks: TaskRow = Tasks,
    }
    contents {
        /// Allergies.
        allergies: Allergy = Allergies AllergiesContent,
        /// Immunizations.
        immunizations: Immunization = Immunizations ImmunizationsContent,
        /// Conditions.
        conditions: Condition = Conditions ConditionsContent,
        /// Key measures.
        measures: Measure = Measures MeasuresContent,
        /// Messages the patient said back.
        teach_backs: TeachBack = TeachBacks TeachBacksContent,
        /// Prompts that were laid aside, and why.
        dismissals: Dismissal = Dismissals DismissalsContent,
        /// Who looks after the patient.
        care_team: CareTeamMember = CareTeam CareTeamContent,
        /// Readings taken at home.
        home_readings: Measure = HomeReadings HomeReadingsContent,
        /// What the patient agreed to.
        consents: Consent = Consents ConsentsContent,
        /// Who may see the plan.
        access: AccessWish = Access AccessContent,
    }
    fields {
        /// Unknown, none known, listed.
        allergy_statement: Held<AllergyStatement> = AllergyStatement,
        /// The allergies were gone through with the patient.
        reviewed_allergies: Held<bool> = ReviewedAllergies,
        /// The immunizations were gone through with the patient.
        reviewed_immunizations: Held<bool> = ReviewedImmunizations,
        /// Who asked for the pharmacist.
        referral: Held<Referral> = Referral,
        /// Why this patient.
        identification: Held<Identification> = Identification,
        /// Whether the plan was shared with the patient.
        share: Held<bool> = Share,
        /// The newest signature.
        signed: Held<Signed> = Signed,
        /// A signed plan was opened again.
        revision: Held<Revision> = Revision,
        /// Late facts beside signed versions.
        addenda: Held<Addenda> = Addenda,
        /// Who has a signed version, and what they say to it.
        receipts: Held<Receipts> = Receipts,
        /// What matters to the patient.
        my_goals: Words = MyGoals,
        /// What worries the patient.
        my_concerns: Words = MyConcerns,
        /// How the patient wants to be reached.
        contact_preference: Held<ContactPreference> = ContactPreference,
        /// The team's working note.
        note: Words = Note,
        /// Thoughts that are not yet a plan.
        working_thoughts: Words = WorkingThoughts,
    }
}

/// The rows of a list that are not removed.
fn rows<T>(index: &Index<'_>, list: ListName, read: impl Fn(RowId) -> T) -> Vec<Row<T>> {
    index
        .rows(list)
        .map(|id| {
            let contested = match index.register(Some(id), FieldName::Presence) {
                Held::Conflict(candidates) => candidates,
                Held::Empty | Held::Value(_) => Vec::new(),
            };
            Row { id, contested, content: read(id) }
        })
        .collect()
}
