//! The permissions table against the design's, written down a second time from its text.

use std::collections::BTreeSet;

use clinical::actor::Role;
use clinical::cdtm::entry::ActName;
use clinical::edit::{Base, Op};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::id::RowId;
use clinical::phi::Phi;
use clinical::time::Side;
use clinical::view::View;
use serde_json::json;
use signaling::message::{CommandName, MediaSource};
use signaling::role::{self, ExportKind, NumberView, Shared, SheetAccess};
use uuid::Uuid;

/// Column W of the design's field table. `rows` are the lists themselves.
const WRITERS: &str = "
rows meds: RPh PCP NUR
rows allergies: RPh PCP NUR
rows immunizations: RPh PCP NUR
rows conditions: RPh PCP NUR
rows measures: RPh PCP NUR
rows problems: RPh PCP SPC
rows recommendations: RPh SPC
rows goals: RPh PCP NUR
rows todos: RPh NUR PCP
rows touchpoints: RPh PCP NUR
rows teach_backs: RPh NUR
rows care_team: RPh PCP NUR
rows dismissals: RPh PCP
rows comments: RPh PCP NUR CHW SPC
rows questions: PT CG RPh NUR CHW
rows what_i_did: PT CG RPh NUR CHW
rows remarks: PT CG
rows home_readings: PT CG NUR
rows consents: PT RPh PCP NUR CHW
rows access: PT RPh PCP NUR
rows tasks: RPh PCP NUR
presence:
meds.kind: RPh PCP NUR
meds.product: RPh PCP NUR
meds.sig: RPh PCP NUR
meds.prescribed_sig:
meds.indication: RPh PCP NUR
meds.prescriber: RPh PCP NUR
meds.pharmacy: RPh PCP NUR
meds.supply: RPh PCP NUR
meds.start: RPh PCP
meds.sources: RPh PCP NUR
meds.discrepancy: RPh PCP
meds.high_alert: RPh PCP
meds.controlled: RPh PCP
meds.sensitivity: RPh PCP
meds.because:
dismissals.content: RPh PCP
meds.cost_concern: RPh PCP NUR CHW
reviewed.allergies: RPh PCP
reviewed.immunizations: RPh PCP
problems.evidence: RPh PCP
problems.evidence_note: RPh PCP SPC
problems.no_action_reason: RPh PCP
problems.responsible: RPh PCP
problems.due: RPh PCP
problems.outcome: RPh PCP
recommendations.addressee: RPh SPC
recommendations.authority: RPh SPC
recommendations.reference: RPh SPC
recommendations.replaces: RPh SPC
goals.owner: RPh PCP NUR
goals.achievement: RPh PCP NUR
goals.problems: RPh PCP NUR
teach_backs.content: RPh NUR
care_team.content: RPh PCP NUR
comments.about: RPh PCP NUR CHW SPC
comments.text: RPh PCP NUR CHW SPC
referral: RPh PCP NUR
identification: RPh PCP NUR
outline.duration: RPh PCP
outline.interaction_frequency: RPh PCP
outline.no_goal_reason: RPh PCP
outline.no_touchpoint_reason: RPh PCP
outline.adherence_process: RPh PCP NUR
outline.education_notes: RPh PCP NUR
factors.culture: PT CG RPh NUR CHW
factors.values: PT CG RPh NUR CHW
factors.home: PT CG RPh NUR CHW
factors.social: PT CG RPh NUR CHW
factors.lifestyle: PT CG RPh NUR CHW
factors.literacy: PT CG RPh NUR CHW
factors.function: PT CG RPh NUR CHW
factors.cost: PT CG RPh NUR CHW
contact_preference: PT CG RPh NUR CHW
questions.answered: RPh PCP NUR
meds.how_it_feels: PT CG RPh NUR CHW
problems.patient_priority: PT CG RPh NUR CHW
todos.confidence: PT CG RPh NUR CHW
todos.barrier: PT CG RPh NUR CHW
what_i_did.todo: PT CG RPh NUR CHW
what_i_did.text: PT CG RPh NUR CHW
remarks.about: PT CG
remarks.text: PT CG
remarks.state: RPh NUR
home_readings.content: PT CG NUR
consents.content: PT RPh PCP NUR CHW
access.content: PT RPh PCP NUR
working_thoughts: RPh PCP NUR
tasks.content: RPh PCP NUR
tasks.status: RPh PCP NUR
meds.status: RPh PCP
meds.verify: RPh PCP NUR
meds.adherence: RPh PCP NUR CHW
meds.indicated: RPh PCP
meds.effective: RPh PCP
meds.safe: RPh PCP
meds.adherent: RPh PCP
allergies.content: RPh PCP NUR
allergy_statement: RPh PCP
immunizations.content: RPh PCP NUR
conditions.content: RPh PCP NUR
measures.content: RPh PCP NUR
problems.category: RPh PCP
problems.statement: RPh PCP
problems.severity: RPh PCP
problems.urgency: RPh PCP
problems.association: RPh PCP SPC
problems.plain_text: RPh NUR
recommendations.content: RPh SPC
recommendations.rationale: RPh SPC
recommendations.state:
recommendations.seen:
recommendations.decision:
recommendations.implemented:
recommendations.under_agreement:
recommendations.verified:
recommendations.withdrawn:
goals.text: RPh PCP NUR
goals.target: RPh PCP NUR
todos.talked_about: RPh NUR PCP
todos.should_do: RPh NUR PCP
touchpoints.content: RPh PCP NUR
touchpoints.state:
touchpoints.note:
outline.summary: RPh PCP
outline.follow_up_instructions: RPh PCP NUR
outline.when_to_call: RPh PCP
signed:
revision:
addenda:
receipts:
share:
my_goals: PT CG RPh NUR CHW
my_concerns: PT CG RPh NUR CHW
questions.text: PT CG RPh NUR CHW
meds.as_taken: PT CG RPh NUR CHW
todos.tick: PT CG RPh NUR CHW
note: RPh PCP NUR
";

fn short(role: Role) -> &'static str {
    match role {
        Role::Patient => "PT",
        Role::Caregiver => "CG",
        Role::Interpreter => "INT",
        Role::Pharmacist => "RPh",
        Role::Pcp => "PCP",
        Role::Nurse => "NUR",
        Role::Chw => "CHW",
        Role::Specialist => "SPC",
        Role::Facilitator => "EF",
        Role::Learner => "EL",
        Role::Observer => "OBS",
    }
}

#[test]
fn who_may_write_what_is_what_the_design_says() {
    let mut cells = 0;
    let mut named = BTreeSet::new();
    for line in WRITERS.lines().filter(|line| !line.is_empty()) {
        let (what, roles) = line.split_once(':').unwrap();
        let roles: BTreeSet<_> = roles.split_whitespace().collect();
        named.insert(what);
        for role in Role::ALL {
            let expected = roles.contains(short(role));
            let may = match what.strip_prefix("rows ") {
                Some(list) => {
                    let list = ListName::ALL.iter().find(|one| one.as_str() == list).unwrap();
                    role::may_edit_rows(role, *list)
                }
                None => role::may_write(role, what.parse().unwrap()),
            };
            assert_eq!(may, expected, "{} {what}", short(role));
            cells += 1;
        }
    }
    assert_eq!(named.len(), FieldName::ALL.len() + ListName::ALL.len(), "a cell is missing");
    assert!(cells >= 300, "{cells}");
}

#[test]
fn who_receives_which_document_is_what_the_design_says() {
    for role in Role::ALL {
        let team = matches!(
            role,
            Role::Pharmacist | Role::Pcp | Role::Nurse | Role::Chw | Role::Specialist
        );
        let home = matches!(role, Role::Patient | Role::Caregiver);
        for shared in [Shared::Yes, Shared::No] {
            let plan = role::view(role, DocKind::Plan, shared);
            let voice = role::view(role, DocKind::Voice, shared);
            let notes = role::view(role, DocKind::Team, shared);
            if team {
                assert_eq!((plan, voice), (Some(View::Full), Some(View::Full)), "{role:?}");
                assert_eq!(notes.is_some(), role != Role::Chw, "{role:?}");
            } else if home {
                let expected = (shared == Shared::Yes).then_some(View::PatientSide);
                assert_eq!(plan, expected, "{role:?}");
                assert_eq!((voice, notes), (Some(View::PatientSide), None), "{role:?}");
            } else {
                assert_eq!((plan, voice, notes), (None, None, None), "{role:?}");
            }
        }
        assert_eq!(role::may_open_records(role), team || home, "{role:?}");
    }
}

#[test]
fn nobody_writes_what_they_do_not_read() {
    for role in Role::ALL {
        for field in FieldName::ALL.iter().filter(|field| role::may_write(role, **field)) {
            assert!(role::view(role, field.doc(), Shared::Yes).is_some(), "{role:?} {field}");
        }
    }
}

#[test]
fn decisions_admission_and_media_are_what_the_design_says() {
    for role in Role::ALL {
        let prescribing = matches!(role, Role::Pharmacist | Role::Pcp);
        assert_eq!(role::may_command(role, CommandName::Share), prescribing);
        let decides = matches!(role, Role::Pcp | Role::Specialist);
        assert_eq!(role::may_command(role, CommandName::Decide), decides);
        assert_eq!(role::may_command(role, CommandName::MarkSeen), decides);
        assert_eq!(role::may_decide_for_nobody(role), role == Role::Pcp);
        assert_eq!(role::may_update_list(role), prescribing);
        assert_eq!(role::may_command(role, CommandName::Implemented), prescribing);
        assert_eq!(role::may_command(role, CommandName::Verified), prescribing);
        let signs = role == Role::Pharmacist;
        assert_eq!(role::may_command(role, CommandName::Sign), signs);
        assert_eq!(role::may_command(role, CommandName::ActUnderAgreement), signs);
        assert_eq!(role::may_command(role, CommandName::Revise), signs);
        assert_eq!(role::may_command(role, CommandName::Addend), prescribing);
        assert_eq!(role::may_command(role, CommandName::Acknowledge), role == Role::Pcp);
        assert_eq!(role::may_command(role, CommandName::AnswerPlan), role == Role::Patient);
        let hands_on = matches!(short(role), "RPh" | "PCP" | "NUR" | "CHW");
        assert_eq!(role::may_command(role, CommandName::HandOn), hands_on);
        let proposes = matches!(role, Role::Pharmacist | Role::Specialist);
        assert_eq!(role::may_command(role, CommandName::SendRecommendation), proposes);
        assert_eq!(role::may_command(role, CommandName::WithdrawRecommendation), proposes);
        let cares = matches!(short(role), "RPh" | "PCP" | "NUR");
        assert_eq!(role::may_command(role, CommandName::BookTouchpoint), cares);
        let tells = matches!(short(role), "RPh" | "PCP" | "NUR" | "CHW");
        assert_eq!(role::may_command(role, CommandName::TellTouchpoint), tells);
        let reads = role::view(role, DocKind::Plan, Shared::Yes) == Some(View::Full);
        assert_eq!(role::may_ask_safety(role), reads);
        let runs = prescribing || role == Role::Facilitator;
        assert_eq!(role::may_end(role), runs);
        assert_eq!(role::may_admit(role), runs || role == Role::Nurse);
        assert_eq!(role::may_book(role), prescribing || role == Role::Nurse);
        let prints = matches!(short(role), "RPh" | "PCP" | "NUR");
        assert_eq!(role::may_print_for_prescribers(role), prints);
        let listens = matches!(role, Role::Learner | Role::Observer);
        assert_eq!(role::may_publish(role, MediaSource::Mic), !listens);
        assert_eq!(role::may_publish(role, MediaSource::Cam), !listens);
        let shows =
            !listens && !matches!(role, Role::Patient | Role::Caregiver | Role::Interpreter);
        assert_eq!(role::may_publish(role, MediaSource::Screen), shows);
        assert_eq!(role::may_publish(role, MediaSource::ScreenAudio), shows);
    }
}

#[test]
fn the_billing_sheet_is_the_pharmacists_and_the_doctor_reads_it() {
    for role in Role::ALL {
        let expected = match short(role) {
            "RPh" => Some(SheetAccess::Write),
            "PCP" => Some(SheetAccess::Read),
            _ => None,
        };
        assert_eq!(role::sheet(role), expected, "{role:?}");
        let side = match short(role) {
            "RPh" => Some(Side::Pharmacist),
            "PT" | "CG" => Some(Side::Patient),
            _ => None,
        };
        assert_eq!(role::billing_side(role), side, "{role:?}");
    }
}

/// The row "CDTM agreement" of the design's table: PT r, consent, withdraw · RPh s · PCP s, makes the order set.
#[test]
fn an_agreement_is_made_by_the_physician_signed_by_both_and_ended_by_the_patient_at_any_time() {
    const ACTS: [(ActName, &str); 7] = [
        (ActName::Draft, "PCP"),
        (ActName::Sign, "RPh PCP"),
        (ActName::Consent, "PT RPh PCP"),
        (ActName::Register, "RPh"),
        (ActName::Report, "RPh"),
        (ActName::Review, "PCP"),
        (ActName::Revoke, "RPh PCP"),
    ];
    assert_eq!(ACTS.map(|(act, _)| act), ActName::ALL);
    for role in Role::ALL {
        let among = |roles: &str| roles.split(' ').any(|one| one == short(role));
        for (act, roles) in ACTS {
            assert_eq!(role::may_act_on_agreement(role, act), among(roles), "{role:?} {act:?}");
        }
        assert_eq!(role::may_read_agreements(role), among("PT RPh PCP"), "{role:?}");
        assert_eq!(role::may_read_draft_agreement(role), among("RPh PCP"), "{role:?}");
        assert_eq!(role::may_export_agreements(role), among("RPh PCP"), "{role:?}");
    }
}

#[test]
fn a_nurse_has_seen_the_bottle_but_does_not_speak_for_the_prescriber() {
    let at = Address { row: Some(RowId(Uuid::nil())), field: FieldName::MedsVerify };
    let verify = |state: &str| Op::Set {
        at,
        base: Base::Rev(0),
        value: Phi::new(Some(json!({ "state": state }))),
    };
    let reason = json!({ "state": "could_not_verify", "reason": "no bottle, no answer" });
    let closing = Op::Set { at, base: Base::Rev(0), value: Phi::new(Some(reason)) };
    let list = |_row| Some(ListName::Meds);

    assert!(role::may_edit(Role::Nurse, DocKind::Plan, &verify("bottle_seen"), list));
    assert!(!role::may_edit(Role::Nurse, DocKind::Plan, &verify("prescriber_confirmed"), list));
    assert!(!role::may_edit(Role::Nurse, DocKind::Plan, &closing, list));
    assert!(role::may_edit(Role::Pcp, DocKind::Plan, &verify("prescriber_confirmed"), list));
}

#[test]
fn presence_belongs_to_those_who_keep_the_list() {
    let row = RowId(Uuid::nil());
    let at = Address { row: Some(row), field: FieldName::Presence };
    let end =
        Op::Resolve { at, seen: vec![1, 2], value: Phi::new(Some(json!({"state":"present"}))) };
    let remove = Op::Tombstone { row, seen: 1, reason: Phi::new("twice".to_owned()) };
    for op in [end, remove] {
        assert!(role::may_edit(Role::Nurse, DocKind::Plan, &op, |_row| Some(ListName::Meds)));
        assert!(!role::may_edit(Role::Patient, DocKind::Plan, &op, |_row| Some(ListName::Meds)));
        assert!(!role::may_edit(Role::Patient, DocKind::Plan, &op, |_row| None));
        assert!(!role::may_edit(Role::Nurse, DocKind::Plan, &op, |_row| Some(
            ListName::Recommendations
        )));
    }
}

#[test]
fn a_chart_comes_in_by_pharmacist_and_pcp_field_by_field_as_they_may_write() {
    for role in Role::ALL {
        let clinician = matches!(role, Role::Pharmacist | Role::Pcp);
        assert_eq!(role::may_import(role), clinician, "{role:?}");
        for field in FieldName::ALL {
            let as_it_came = *field == FieldName::MedsPrescribedSig;
            let may = clinician && (as_it_came || role::may_write(role, *field));
            assert_eq!(role::may_accept(role, *field), may, "{role:?} {field}");
        }
    }
    assert!(!role::may_accept(Role::Pharmacist, FieldName::HomeReadingsContent));
    assert!(!role::may_accept(Role::Pharmacist, FieldName::Signed));
}

#[test]
fn the_record_leaves_with_pharmacist_and_pcp_and_to_the_patient_whole() {
    for role in Role::ALL {
        let clinician = matches!(role, Role::Pharmacist | Role::Pcp);
        for kind in ExportKind::ALL {
            let may = clinician || (role == Role::Patient && kind == ExportKind::WholeRecord);
            assert_eq!(role::may_export(role, kind), may, "{role:?} {kind:?}");
        }
    }
}

#[test]
fn the_pharmacist_telephones_and_the_patient_knows_their_number_by_its_end() {
    for role in Role::ALL {
        assert_eq!(role::may_telephone(role), role == Role::Pharmacist, "{role:?}");
        let view = match role {
            Role::Pharmacist => Some(NumberView::Whole),
            Role::Patient => Some(NumberView::Ending),
            _ => None,
        };
        assert_eq!(role::telephone_number(role), view, "{role:?}");
    }
}
