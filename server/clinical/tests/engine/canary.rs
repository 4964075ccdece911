//! Every field of the plan is filled with a word of its own; the patient's side must hold those it may and no other.

use std::collections::BTreeMap;

use clinical::actor::Millis;
use clinical::change::{Change, DecisionKind, FieldSet, What};
use clinical::command::Command;
use clinical::doc::Import;
use clinical::field::{Address, DocKind, FieldKind, FieldName, ListName, PatientSide, Place};
use clinical::view::View;
use serde_json::{Value as Json, json};

use crate::common::*;

/// A value of a field that says `word` wherever it can.
pub(crate) fn sample(field: FieldName, word: &str) -> Json {
    match field {
        FieldName::Presence => json!({ "state": "removed", "reason": word }),
        FieldName::MedsKind => json!("rx"),
        FieldName::MedsProduct => json!({ "name": word }),
        FieldName::MedsSig | FieldName::MedsPrescribedSig => sig(word),
        FieldName::MedsSupply => json!({ "days": 30, "last_fill": "2026-02-01" }),
        FieldName::MedsStart | FieldName::ProblemsDue => json!("2026-02"),
        FieldName::MedsSources => json!(["ehr", "bottle"]),
        FieldName::MedsDiscrepancy => json!({ "kind": "dose", "resolution": word }),
        FieldName::MedsSensitivity => json!("part2"),
        FieldName::MedsStatus => json!({ "state": "stopped", "reason": word }),
        FieldName::MedsVerify => json!({ "state": "could_not_verify", "reason": word }),
        FieldName::MedsAdherence => json!({ "taking": "differently", "reason": word }),
        FieldName::MedsIndicated
        | FieldName::MedsEffective
        | FieldName::MedsSafe
        | FieldName::MedsAdherent => json!({ "answer": "no", "note": word }),
        FieldName::AllergiesContent => json!({ "substance": word }),
        FieldName::AllergyStatement => json!("listed"),
        FieldName::ImmunizationsContent => json!({ "vaccine": word }),
        FieldName::ConditionsContent => json!({ "text": word, "status": "active" }),
        FieldName::MeasuresContent => json!({
            "kind": "weight", "value": word, "unit": "kg", "at": "2026", "source": "chart"
        }),
        FieldName::ProblemsCategory => json!("cost"),
        FieldName::ProblemsStatement => json!({ "condition": word, "med_ids": [] }),
        FieldName::ProblemsSeverity => json!("high"),
        FieldName::ProblemsUrgency => json!("today"),
        FieldName::ProblemsEvidence | FieldName::GoalsProblems => json!([row(7)]),
        FieldName::ProblemsOutcome => json!("improved"),
        FieldName::ProblemsPatientPriority => json!(1),
        FieldName::RecommendationsContent => json!({ "action": "stop", "summary": word }),
        FieldName::RecommendationsState => json!("sent"),
        FieldName::RecommendationsDecision => json!({
            "by": pcp().person, "outcome": "declined", "reason": "other", "note": word
        }),
        FieldName::RecommendationsAddressee => json!({ "name": word }),
        FieldName::RecommendationsReplaces | FieldName::WhatIDidTodo | FieldName::MedsBecause => {
            json!(row(8))
        }
        FieldName::DismissalsContent => {
            json!({ "code": "no_indication", "at": [at(row(8), FieldName::MedsIndication)], "reason": word })
        }
        FieldName::GoalsOwner => json!("patient"),
        FieldName::GoalsAchievement => json!("achieved"),
        FieldName::TeachBacksContent => json!({ "message": word, "result": "understood" }),
        FieldName::CareTeamContent => json!({ "name": word, "role": "daughter" }),
        FieldName::CommentsAbout => json!({ "field": "meds.sig" }),
        FieldName::Referral => json!({ "source": "pcp", "referrer": word }),
        FieldName::Identification => json!({ "criteria": ["adr_risk"], "reason": word }),
        FieldName::Signed => json!({ "version": 1, "sha256": "0".repeat(64) }),
        FieldName::Revision => json!({ "of": 1, "reason": word }),
        FieldName::Addenda => {
            json!([{ "of": 1, "text": word, "by": pcp().person, "at_ms": 1 }])
        }
        FieldName::Receipts => {
            json!([{
                "of": 1, "what": { "kind": "has_questions", "text": word },
                "by": pcp().person, "at_ms": 1,
            }])
        }
        FieldName::OutlineDuration => json!({ "start": "2026-02", "planned_end": "2026-08" }),
        FieldName::ContactPreference => json!({ "format": "phone", "times": word }),
        FieldName::TodosConfidence => json!(10),
        FieldName::RemarksAbout => json!({ "kind": "idea" }),
        FieldName::RemarksState => json!("open"),
        FieldName::HomeReadingsContent => json!({
            "kind": "weight", "value": word, "unit": "kg", "at": "2026", "source": "patient"
        }),
        FieldName::ConsentsContent => json!({
            "kind": "telehealth", "state": "given", "method": "verbal", "witness": word
        }),
        FieldName::AccessContent => json!({
            "subject": { "kind": "person", "person": pcp().person, "name": word }, "level": "as_role"
        }),
        FieldName::TasksContent => json!({ "title": word, "assignee": "front desk" }),
        FieldName::TasksStatus => json!("open"),
        FieldName::GoalsTarget => json!({ "measure": "weight", "value": word }),
        FieldName::TodosShouldDo => json!({ "text": word }),
        FieldName::MedsCostConcern
        | FieldName::RecommendationsSeen
        | FieldName::MedsHighAlert
        | FieldName::MedsControlled
        | FieldName::ReviewedAllergies
        | FieldName::ReviewedImmunizations
        | FieldName::QuestionsAnswered
        | FieldName::TodosTick
        | FieldName::Share => json!(true),
        FieldName::RecommendationsAuthority => json!({ "kind": "recommend" }),
        FieldName::RecommendationsUnderAgreement => json!({
            "agreement": row(9), "entries": 3, "day": "2026-11-30", "physician": word, "condition": word,
            "reasons": [{ "code": "ended", "about": word }],
        }),
        FieldName::TouchpointsContent => {
            json!({ "purpose": word, "when": "soon", "format": "phone" })
        }
        FieldName::TouchpointsState => json!({ "step": "booked", "booked": {
            "visit": "0190a000-0000-7000-8000-000000000007", "starts": "2026-12-08T10:00",
            "zone": "America/New_York", "starts_ms": 1_796_742_000_000_i64, "minutes": 30,
            "format": "video", "with": [{ "role": "pharmacist", "name": word }],
        }}),
        FieldName::OutlineWhenToCall => json!({ "call": word, "emergency": "" }),
        FieldName::MedsIndication
        | FieldName::MedsPrescriber
        | FieldName::MedsPharmacy
        | FieldName::MedsAsTaken
        | FieldName::MedsHowItFeels
        | FieldName::ProblemsAssociation
        | FieldName::ProblemsEvidenceNote
        | FieldName::ProblemsNoActionReason
        | FieldName::ProblemsResponsible
        | FieldName::ProblemsPlainText
        | FieldName::RecommendationsRationale
        | FieldName::RecommendationsReference
        | FieldName::RecommendationsImplemented
        | FieldName::RecommendationsVerified
        | FieldName::RecommendationsWithdrawn
        | FieldName::TouchpointsNote
        | FieldName::CommentsText
        | FieldName::OutlineInteractionFrequency
        | FieldName::OutlineAdherenceProcess
        | FieldName::OutlineEducationNotes
        | FieldName::OutlineNoGoalReason
        | FieldName::OutlineNoTouchpointReason
        | FieldName::FactorsCulture
        | FieldName::FactorsValues
        | FieldName::FactorsHome
        | FieldName::FactorsSocial
        | FieldName::FactorsLifestyle
        | FieldName::FactorsLiteracy
        | FieldName::FactorsFunction
        | FieldName::FactorsCost
        | FieldName::TodosBarrier
        | FieldName::WhatIDidText
        | FieldName::RemarksText
        | FieldName::WorkingThoughts
        | FieldName::GoalsText
        | FieldName::TodosTalkedAbout
        | FieldName::OutlineSummary
        | FieldName::OutlineFollowUp
        | FieldName::MyGoals
        | FieldName::MyConcerns
        | FieldName::QuestionsText
        | FieldName::Note => json!(word),
    }
}

/// A word for a field and one of its places in the story, told apart in any JSON and in any Yjs state.
fn word(field: FieldName, part: &str) -> String {
    format!("Canary-{part}-{}", field.as_str().replace(['.', '_'], "-"))
}

fn row_of(list: ListName) -> clinical::id::RowId {
    let place = ListName::ALL.iter().position(|other| *other == list).unwrap();
    row(100 + u128::try_from(place).unwrap())
}

fn address(field: FieldName) -> Option<Address> {
    match field.place() {
        Place::Row(list) => Some(at(row_of(list), field)),
        Place::Document => Some(whole(field)),
        Place::About(_) | Place::EveryRow => None,
    }
}

/// Everything the patient's browser would receive: each change as it came, then the document.
struct Received(String);

impl Received {
    fn take(&mut self, bench: &Bench, change: &Change) {
        if let Some(change) = bench.doc.project_change(change, View::PatientSide) {
            self.0.push_str(&serde_json::to_string(&change).unwrap());
        }
        self.0.push_str(&serde_json::to_string(&bench.doc.snapshot(View::PatientSide)).unwrap());
        for words in bench.doc.snapshot(View::PatientSide).words().unwrap().values() {
            self.0.push_str(words);
        }
    }

    fn has(&self, word: &str) -> bool {
        self.0.contains(&format!("{word}\"")) || self.0.contains(&format!("{word}|"))
    }
}

/// The whole plan is written by hand and by command, every register twice and in conflict.
fn play(send: bool) -> Received {
    let mut bench = Bench::new(DocKind::Plan);
    let mut received = Received(String::new());
    for list in ListName::ALL.iter().filter(|list| list.doc() == DocKind::Plan) {
        let item = Import::Row { list: *list, row: row_of(*list), values: imported(*list) };
        let id = bench.id();
        let changes = bench.doc.import(Millis(T0), &[item], || id).unwrap();
        received.take(&bench, &changes[0]);
    }
    for field in FieldName::ALL {
        let Some(place) = address(*field).filter(|_| field.doc() == DocKind::Plan) else {
            continue;
        };
        match field.kind() {
            FieldKind::Register => {
                for (by, part) in [(pharmacist(), "one"), (pcp(), "two")] {
                    let value = sample(*field, &word(*field, part));
                    if let Ok(change) = bench.apply(&by, set(place, 0, value)) {
                        received.take(&bench, &change);
                    }
                }
                let register = bench.doc.register(&place).clone();
                if let clinical::register::Register::Conflict { candidates, .. } = register {
                    let seen: Vec<u64> = candidates.iter().map(|c| c.rev).collect();
                    let value = sample(*field, &word(*field, "end"));
                    let change = bench.apply(&pcp(), resolve(place, &seen, value)).unwrap();
                    received.take(&bench, &change);
                }
            }
            FieldKind::Text { .. } => {
                let text = format!("{}|", word(*field, "end"));
                let update = Pen::new(1).write(0, &text);
                let change = bench.apply(&pharmacist(), typed(place, 0, update)).unwrap();
                received.take(&bench, &change);
            }
            FieldKind::Command => {}
        }
    }
    if send {
        let row = row_of(ListName::Recommendations);
        let seen = bench.doc.seq();
        let command = Command::SendRecommendation { row };
        let change = bench.command(&pharmacist(), &command, seen).unwrap();
        received.take(&bench, &change);
        let note = word(FieldName::RecommendationsDecision, "end");
        let decide = json!({
            "kind": "decide", "row": row, "outcome": "declined", "reason": "other", "note": note
        });
        let decide = serde_json::from_value(decide).unwrap();
        let change = bench.command(&pcp(), &decide, change.seq).unwrap();
        received.take(&bench, &change);
        let change = bench.command(&pharmacist(), &Command::Share, 0).unwrap();
        received.take(&bench, &change);
        // The rest of its way, as the log would say it.
        for (field, decision) in [
            (FieldName::RecommendationsSeen, DecisionKind::RecommendationSeen),
            (FieldName::RecommendationsImplemented, DecisionKind::RecommendationImplemented),
            (FieldName::RecommendationsUnderAgreement, DecisionKind::RecommendationImplemented),
            (FieldName::RecommendationsVerified, DecisionKind::RecommendationVerified),
            (FieldName::RecommendationsWithdrawn, DecisionKind::RecommendationWithdrawn),
            (FieldName::MedsBecause, DecisionKind::RecommendationDecided),
        ] {
            let place = address(field).unwrap();
            let value = field.parse(&sample(field, &word(field, "end"))).unwrap();
            fold(&mut bench, &mut received, place, value, decision);
        }
    }
    let reason = word(FieldName::Presence, "end");
    let change = bench.apply(&pcp(), tombstone(row_of(ListName::Meds), bench.doc.seq(), &reason));
    received.take(&bench, &change.unwrap());
    // Signed, opened again and added to, as the log would say it: the gate is not what this story is about.
    for (field, decision) in [
        (FieldName::Signed, DecisionKind::Signed),
        (FieldName::Revision, DecisionKind::RevisionOpened),
        (FieldName::Addenda, DecisionKind::Addended),
        (FieldName::Receipts, DecisionKind::PlanAnswered),
        (FieldName::TouchpointsState, DecisionKind::TouchpointBooked),
        (FieldName::TouchpointsNote, DecisionKind::TouchpointMissed),
    ] {
        let value = field.parse(&sample(field, &word(field, "end"))).unwrap();
        let place = address(field).unwrap();
        fold(&mut bench, &mut received, place, value, decision);
    }
    received
}

/// A decision that only the log tells of.
fn fold(
    bench: &mut Bench,
    received: &mut Received,
    at: Address,
    value: clinical::value::Value,
    decision: DecisionKind,
) {
    let sets = vec![FieldSet { at, value: Some(value) }];
    let what = What::Decided { decision, sets, added: Vec::new() };
    let (seq, edit) = (bench.doc.seq() + 1, bench.id());
    let change = Change { seq, edit, what, ..bench.log.last().unwrap().clone() };
    bench.doc.fold(&change).unwrap();
    received.take(bench, &change);
}

/// What only an import may write.
fn imported(list: ListName) -> BTreeMap<FieldName, clinical::value::Value> {
    match list {
        ListName::Meds => {
            let field = FieldName::MedsPrescribedSig;
            let value = field.parse(&sample(field, &word(field, "end"))).unwrap();
            BTreeMap::from([(field, value)])
        }
        _ => BTreeMap::new(),
    }
}

fn check(field: FieldName, received: &Received, expected: bool) {
    let name = format!("\"{field}\"");
    assert_eq!(received.0.contains(&name), expected, "{field}: address");
    if sample(field, "Canary").to_string().contains("Canary") {
        let end = word(field, "end");
        let held = received.has(&end) || received.has(&word(field, "one"));
        assert_eq!(held, expected, "{field}: content");
    }
    assert!(!received.has(&word(field, "two")), "{field}: a candidate of a conflict");
}

#[test]
fn the_patients_side_holds_its_fields_and_no_other() {
    let received = play(true);
    for field in FieldName::ALL {
        if address(*field).is_none() || field.doc() != DocKind::Plan {
            continue;
        }
        let expected = match field.patient_side() {
            PatientSide::Yes | PatientSide::OnceSent => true,
            PatientSide::No => false,
        };
        check(*field, &received, expected);
    }
    assert!(!received.has(&word(FieldName::Presence, "end")), "why a row was removed");
}

#[test]
fn before_it_is_sent_nothing_of_a_recommendation_is_on_the_patients_side() {
    let received = play(false);

    for field in FieldName::ALL {
        if field.place() == Place::Row(ListName::Recommendations) {
            check(*field, &received, false);
        }
    }
    assert!(!received.0.contains(&row_of(ListName::Recommendations).to_string()));
}
