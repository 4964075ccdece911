//! The way of a recommendation, and what an acceptance writes into the medication list.

use clinical::actor::{Actor, Author, Millis, Role};
use clinical::change::{Change, What};
use clinical::command::{Command, CommandError};
use clinical::edit::EditError;
use clinical::field::{DocKind, FieldName, ListName};
use clinical::recommendation::Standing;
use clinical::view::View;
use serde_json::{Value as Json, json};

use crate::common::*;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn command(json: Json) -> Command {
    serde_json::from_value(json).unwrap()
}

/// A medicine in row 1 and a recommendation about it in row 7, sent to `to`. The last `seq`.
fn sent(bench: &mut Bench, content: Json, to: Option<&Actor>) -> u64 {
    bench.medicine(1);
    drafted(bench, 7, content, to);
    let seen = bench.doc.seq();
    let send = Command::SendRecommendation { row: row(7) };
    bench.command(&pharmacist(), &send, seen).unwrap().seq
}

fn drafted(bench: &mut Bench, n: u128, content: Json, to: Option<&Actor>) {
    let mut values = vec![(FieldName::RecommendationsContent, content)];
    if let Some(to) = to {
        let name = json!({ "name": "Dr. Amy Chen", "person": to.person });
        values.push((FieldName::RecommendationsAddressee, name));
    }
    bench.apply(&pharmacist(), add(ListName::Recommendations, row(n), &values)).unwrap();
}

fn stop() -> Json {
    json!({ "action": "stop", "med": row(1), "summary": "Stop it." })
}

fn accept(list: Option<Json>) -> Command {
    let mut accept = json!({ "kind": "decide", "row": row(7), "outcome": "accepted" });
    if let Some(list) = list {
        accept["list"] = list;
    }
    command(accept)
}

fn today() -> Json {
    json!({ "day": "2026-11-29", "row": row(50) })
}

fn standing(bench: &Bench, n: u128) -> Standing {
    bench.doc.standing_of(row(n), Millis(bench.now))
}

fn read(bench: &Bench, n: u128, field: FieldName) -> Option<Json> {
    bench.doc.register(&at(row(n), field)).value().and_then(clinical::value::Value::read)
}

#[test]
fn the_whole_way_from_draft_to_verified() {
    let mut bench = Bench::new(DocKind::Plan);
    let mut seen = sent(&mut bench, stop(), Some(&pcp()));
    let implemented = command(json!({ "kind": "implemented", "row": row(7), "note": "called in" }));
    let verified = command(json!({ "kind": "verified", "row": row(7), "note": "says so" }));
    let mark = command(json!({ "kind": "mark_seen", "row": row(7) }));

    assert_eq!(standing(&bench, 7), Standing::Sent);
    let early = bench.command(&pharmacist(), &implemented, seen);
    assert_eq!(early, Err(CommandError::NotComplete));
    bench.command(&pcp(), &mark, seen).unwrap();
    assert_eq!(standing(&bench, 7), Standing::Seen);
    assert_eq!(bench.command(&pcp(), &mark, seen), Err(CommandError::AlreadyDecided));
    // That somebody looked does not stand between the pharmacist and what they had seen.
    seen = bench.command(&pcp(), &accept(None), seen).unwrap().seq;
    assert_eq!(standing(&bench, 7), Standing::Accepted);
    assert_eq!(bench.command(&pharmacist(), &verified, seen), Err(CommandError::NotComplete));
    seen = bench.command(&pharmacist(), &implemented, seen).unwrap().seq;
    assert_eq!(standing(&bench, 7), Standing::Implemented);
    bench.command(&pharmacist(), &verified, seen).unwrap();
    assert_eq!(standing(&bench, 7), Standing::Verified);

    let verified_by = bench.doc.register(&at(row(7), FieldName::RecommendationsVerified));
    assert_eq!(verified_by.authors().collect::<Vec<_>>(), [pharmacist().person]);
    assert_eq!(read(&bench, 7, FieldName::RecommendationsImplemented), Some(json!("called in")));
    assert_eq!(read(&bench, 7, FieldName::RecommendationsDecision).unwrap()["outcome"], "accepted");
}

#[test]
fn only_whom_it_is_addressed_to_answers_and_anybody_where_nobody_is_named() {
    let other = actor(12, Role::Pcp);
    let mut bench = Bench::new(DocKind::Plan);
    let seen = sent(&mut bench, stop(), Some(&pcp()));
    let mark = command(json!({ "kind": "mark_seen", "row": row(7) }));

    assert_eq!(bench.command(&other, &accept(None), seen), Err(CommandError::NotAddressee));
    assert_eq!(bench.command(&other, &mark, seen), Err(CommandError::NotAddressee));
    bench.command(&pcp(), &accept(None), seen).unwrap();

    let mut bench = Bench::new(DocKind::Plan);
    let seen = sent(&mut bench, stop(), None);
    bench.command(&other, &accept(None), seen).unwrap();
}

#[test]
fn no_answer_for_fourteen_days_is_told_and_a_late_one_still_counts() {
    let mut bench = Bench::new(DocKind::Plan);
    let seen = sent(&mut bench, stop(), Some(&pcp()));

    bench.now += 14 * DAY_MS - 1_000;
    assert_eq!(standing(&bench, 7), Standing::Sent);
    bench.now += 1_000;
    assert_eq!(standing(&bench, 7), Standing::NoResponse);
    bench.command(&pcp(), &accept(None), seen).unwrap();
    assert_eq!(standing(&bench, 7), Standing::Accepted);
    let facts: Vec<_> = bench.doc.sent_recommendations(Millis(bench.now)).collect();
    assert_eq!(facts[0].prescriber, Some(pcp().person));
    assert!(facts[0].answer.is_some_and(|(_, at)| at.0 - facts[0].sent.0 >= 14 * DAY_MS));
}

#[test]
fn what_nobody_answered_can_be_taken_back_with_a_reason() {
    let withdraw = |reason: &str| {
        command(json!({ "kind": "withdraw_recommendation", "row": row(7), "reason": reason }))
    };
    let mut bench = Bench::new(DocKind::Plan);
    let seen = sent(&mut bench, stop(), Some(&pcp()));

    let silent = bench.command(&pharmacist(), &withdraw("  "), seen);
    assert_eq!(silent, Err(CommandError::BadDecision));
    let seen = bench.command(&pharmacist(), &withdraw("wrong patient"), seen).unwrap().seq;
    assert_eq!(standing(&bench, 7), Standing::Withdrawn);
    assert_eq!(bench.command(&pcp(), &accept(None), seen), Err(CommandError::AlreadyDecided));

    let mut bench = Bench::new(DocKind::Plan);
    let seen = sent(&mut bench, stop(), Some(&pcp()));
    let seen = bench.command(&pcp(), &accept(None), seen).unwrap().seq;
    let late = bench.command(&pharmacist(), &withdraw("changed my mind"), seen);
    assert_eq!(late, Err(CommandError::AlreadyDecided));
}

#[test]
fn a_draft_that_was_taken_back_is_closed_and_never_reaches_the_patients_side() {
    let mut bench = Bench::new(DocKind::Plan);
    drafted(&mut bench, 7, stop(), None);
    let seen = bench.doc.seq();
    let withdraw =
        json!({ "kind": "withdraw_recommendation", "row": row(7), "reason": "not needed" });

    let change = bench.command(&pharmacist(), &command(withdraw), seen).unwrap();

    assert_eq!(bench.doc.project_change(&change, View::PatientSide), None);
    let content = at(row(7), FieldName::RecommendationsContent);
    assert_eq!(bench.apply(&pharmacist(), set(content, seen, stop())), Err(EditError::Locked));
    let send = Command::SendRecommendation { row: row(7) };
    let sent = bench.command(&pharmacist(), &send, change.seq);
    assert_eq!(sent, Err(CommandError::AlreadyDecided));
}

#[test]
fn one_that_takes_its_place_closes_the_first_until_it_is_taken_back() {
    let mut bench = Bench::new(DocKind::Plan);
    sent(&mut bench, stop(), Some(&pcp()));
    drafted(&mut bench, 8, stop(), Some(&pcp()));
    let replaces = at(row(8), FieldName::RecommendationsReplaces);
    bench.apply(&pharmacist(), set(replaces, 0, json!(row(7)))).unwrap();
    assert_eq!(standing(&bench, 7), Standing::Sent, "a draft takes nobody's place");

    let seen = bench.doc.seq();
    bench.command(&pharmacist(), &Command::SendRecommendation { row: row(8) }, seen).unwrap();

    assert_eq!(standing(&bench, 7), Standing::Replaced);
    let seen = bench.doc.seq();
    assert_eq!(bench.command(&pcp(), &accept(None), seen), Err(CommandError::AlreadyDecided));
    let withdraw = json!({ "kind": "withdraw_recommendation", "row": row(8), "reason": "no" });
    bench.command(&pharmacist(), &command(withdraw), seen).unwrap();
    assert_eq!(standing(&bench, 7), Standing::Sent);
}

/// Folding what the two sides receive gives what they would be sent whole.
fn both_sides_agree(bench: &Bench, before: &clinical::view::Snapshot, change: &Change) {
    let mut folded = before.clone();
    if let Some(seen) = bench.doc.project_change(change, View::PatientSide) {
        folded.fold(&seen).unwrap();
    }
    assert_eq!(folded, bench.doc.snapshot(View::PatientSide));
}

#[test]
fn accepting_a_stop_stops_the_medicine_in_the_same_change() {
    let mut bench = Bench::new(DocKind::Plan);
    let seen = sent(&mut bench, stop(), Some(&pcp()));
    let before = bench.doc.snapshot(View::PatientSide);

    let change = bench.command(&pcp(), &accept(Some(today())), seen).unwrap();

    let status = read(&bench, 1, FieldName::MedsStatus);
    let stopped = json!({ "state": "stopped", "date": "2026-11-29", "reason": "" });
    assert_eq!(status, Some(stopped));
    assert_eq!(read(&bench, 1, FieldName::MedsBecause), Some(json!(row(7))));
    let register = bench.doc.register(&at(row(1), FieldName::MedsStatus));
    assert_eq!(register.rev(), change.seq);
    assert_eq!(change.by, Author::Seat(pcp()));
    both_sides_agree(&bench, &before, &change);
}

#[test]
fn accepting_another_drug_ends_one_row_and_begins_another() {
    let content = json!({
        "action": "change_drug", "med": row(1), "summary": "Rosuvastatin instead.",
        "regimen": sig("10 mg daily")
    });
    let mut bench = Bench::new(DocKind::Plan);
    let seen = sent(&mut bench, content, Some(&pcp()));
    let unnamed = bench.command(&pcp(), &accept(Some(today())), seen);
    assert_eq!(unnamed, Err(CommandError::BadDecision));
    let mut update = today();
    update["product"] = json!({ "name": "rosuvastatin", "strength_form": "10 mg tablet" });
    let decide = command(json!({
        "kind": "decide", "row": row(7), "outcome": "accepted_modified",
        "regimen": sig("5 mg daily"), "list": update
    }));
    let before = bench.doc.snapshot(View::PatientSide);

    let change = bench.command(&pcp(), &decide, seen).unwrap();

    assert_eq!(bench.doc.rows(ListName::Meds), [row(1), row(50)]);
    assert_eq!(read(&bench, 1, FieldName::MedsStatus).unwrap()["state"], "stopped");
    assert_eq!(read(&bench, 50, FieldName::MedsSig), Some(sig("5 mg daily")));
    assert_eq!(read(&bench, 50, FieldName::MedsBecause), Some(json!(row(7))));
    assert_eq!(read(&bench, 50, FieldName::MedsPrescriber), Some(json!("Dr. Amy Chen")));
    let What::Decided { added, .. } = &change.what else { panic!("not a decision") };
    assert_eq!(added.len(), 1);
    both_sides_agree(&bench, &before, &change);
    let again = bench.apply(&pcp(), add(ListName::Meds, row(50), &[]));
    assert_eq!(again, Err(EditError::RowExists));
}

#[test]
fn a_new_dose_replaces_the_whole_sig() {
    let content = json!({
        "action": "change_dose", "med": row(1), "summary": "Halve it.",
        "regimen": sig("5 mg daily")
    });
    let mut bench = Bench::new(DocKind::Plan);
    let seen = sent(&mut bench, content, Some(&pcp()));

    bench.command(&pcp(), &accept(Some(today())), seen).unwrap();

    assert_eq!(read(&bench, 1, FieldName::MedsSig), Some(sig("5 mg daily")));
    let verify = read(&bench, 1, FieldName::MedsVerify).unwrap();
    assert_eq!(verify["state"], "prescriber_confirmed");
}

#[test]
fn the_list_is_not_written_over_what_the_decider_had_not_seen_or_what_is_in_doubt() {
    let mut bench = Bench::new(DocKind::Plan);
    let seen = sent(&mut bench, stop(), Some(&pcp()));
    let status = at(row(1), FieldName::MedsStatus);
    let hold = json!({ "state": "on_hold" });
    bench.apply(&pharmacist(), set(status, 0, hold)).unwrap();
    let update = accept(Some(today()));
    assert_eq!(bench.command(&pcp(), &update, seen), Err(CommandError::ChangedSince));

    let active = json!({ "state": "active" });
    bench.apply(&actor(12, Role::Pcp), set(status, 0, active)).unwrap();
    let seen = bench.doc.seq();
    assert_eq!(bench.command(&pcp(), &update, seen), Err(CommandError::InConflict));
    // The decision alone is taken.
    bench.command(&pcp(), &accept(None), seen).unwrap();
}

#[test]
fn an_answer_to_an_older_question_does_not_bring_back_what_was_stopped_meanwhile() {
    for status in
        [json!({ "state": "stopped", "reason": "cough" }), json!({ "state": "entered_in_error" })]
    {
        let content = json!({ "action": "hold", "med": row(1), "summary": "Pause it." });
        let mut bench = Bench::new(DocKind::Plan);
        sent(&mut bench, content, Some(&pcp()));
        let at = at(row(1), FieldName::MedsStatus);
        let rev = bench.doc.register(&at).rev();
        bench.apply(&pharmacist(), set(at, rev, status.clone())).unwrap();
        let seen = bench.doc.seq();

        let refused = bench.command(&pcp(), &accept(Some(today())), seen);

        assert_eq!(refused, Err(CommandError::NotComplete), "{status}");
        bench.command(&pcp(), &accept(None), seen).unwrap();
    }
}

#[test]
fn what_writes_nothing_is_no_update_of_the_list() {
    for (content, outcome) in [
        (json!({ "action": "monitor", "summary": "Check K." }), "accepted"),
        (json!({ "action": "stop", "summary": "Stop it." }), "accepted"),
        (json!({ "action": "change_dose", "med": row(1), "summary": "Less." }), "accepted"),
        // "Yes, but otherwise", without saying how: what they did not want is not written.
        (
            json!({ "action": "change_dose", "med": row(1), "summary": "Less.", "regimen": sig("5 mg") }),
            "accepted_modified",
        ),
        (stop(), "accepted_modified"),
        (stop(), "declined"),
    ] {
        let mut bench = Bench::new(DocKind::Plan);
        let seen = sent(&mut bench, content.clone(), Some(&pcp()));
        let mut decide = json!({
            "kind": "decide", "row": row(7), "outcome": outcome, "note": "see note",
            "list": today()
        });
        if outcome == "declined" {
            decide["reason"] = json!("other");
        }
        let refused = bench.command(&pcp(), &command(decide), seen);
        assert_eq!(refused, Err(CommandError::BadDecision), "{content} {outcome}");
    }
}
