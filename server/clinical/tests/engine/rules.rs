//! The rules of registers, rows and texts, one test for each line of the design's tables.

use clinical::actor::Role;
use clinical::change::What;
use clinical::command::{Command, CommandError};
use clinical::edit::{EditError, Op};
use clinical::field::{DocKind, FieldName, ListName};
use clinical::register::Register;
use clinical::view::View;
use serde_json::json;

use crate::common::*;

#[test]
fn a_value_on_the_current_revision_is_set() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, rev) = bench.medicine(1);

    let change = bench.apply(&pcp(), set(sig_at, rev, sig("5 mg daily"))).unwrap();

    assert!(matches!(change.what, What::Set { .. }));
    assert_eq!(bench.doc.register(&sig_at).rev(), change.seq);
}

#[test]
fn two_doses_at_once_conflict_and_both_stand() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, rev) = bench.medicine(1);
    bench.apply(&pharmacist(), set(sig_at, rev, sig("5 mg daily"))).unwrap();

    let change = bench.apply(&pcp(), set(sig_at, rev, sig("20 mg daily"))).unwrap();

    let What::Conflicted { candidates, .. } = change.what else { panic!("{:?}", change.what) };
    let texts: Vec<_> = candidates
        .iter()
        .map(|c| serde_json::to_value(&c.value).unwrap()["text"].clone())
        .collect();
    assert_eq!(texts, [json!("5 mg daily"), json!("20 mg daily")]);
    assert_eq!(candidates[0].by.person(), Some(pharmacist().person));
    assert_eq!(candidates[0].edit, bench.log[1].edit);
}

#[test]
fn the_same_value_at_once_is_agreed() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, rev) = bench.medicine(1);
    let set_seq = bench.apply(&pharmacist(), set(sig_at, rev, sig("5 mg"))).unwrap().seq;

    let change = bench.apply(&pcp(), set(sig_at, rev, sig("5 mg"))).unwrap();

    assert!(matches!(change.what, What::Agreed { .. }));
    assert_eq!(bench.doc.register(&sig_at).rev(), set_seq);
}

#[test]
fn an_unknown_revision_is_refused() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, _rev) = bench.medicine(1);
    bench.medicine(2);

    assert_eq!(bench.apply(&pcp(), set(sig_at, 2, sig("5 mg"))), Err(EditError::BaseUnknown));
    assert_eq!(bench.apply(&pcp(), set(sig_at, 99, sig("5 mg"))), Err(EditError::BaseUnknown));
}

#[test]
fn a_chain_of_own_edits_needs_no_acknowledgement() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, rev) = bench.medicine(1);
    let first = bench.apply(&pcp(), set(sig_at, rev, sig("5 mg"))).unwrap().edit;

    let second = bench.apply(&pcp(), set_mine(sig_at, first, sig("50 mg"))).unwrap();

    assert!(matches!(second.what, What::Set { .. }));
    let unknown = edit_id(0xdead);
    assert_eq!(
        bench.apply(&pcp(), set_mine(sig_at, unknown, sig("1 mg"))),
        Err(EditError::BaseRefused)
    );
}

#[test]
fn in_a_conflict_the_own_value_is_replaced_and_anothers_never() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, rev) = bench.medicine(1);
    bench.apply(&pharmacist(), set(sig_at, rev, sig("5 mg"))).unwrap();
    let mine = bench.apply(&pcp(), set(sig_at, rev, sig("2 mg"))).unwrap();

    let change = bench.apply(&pcp(), set_mine(sig_at, mine.edit, sig("20 mg"))).unwrap();

    let What::Conflicted { candidates, .. } = change.what else { panic!("no conflict") };
    assert_eq!(candidates.len(), 2);
    assert_eq!(candidates[1].rev, change.seq);
    assert_eq!(
        bench.apply(&pcp(), set(sig_at, change.seq, sig("1 mg"))),
        Err(EditError::InConflict)
    );
    let third = bench.apply(&nurse(), set(sig_at, rev, sig("1 mg"))).unwrap();
    let What::Conflicted { candidates, .. } = third.what else { panic!("no conflict") };
    assert_eq!(candidates.len(), 3);
}

#[test]
fn a_conflict_holds_eight_values() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, rev) = bench.medicine(1);
    for n in 0..8 {
        bench.apply(&actor(10 + n, Role::Pcp), set(sig_at, rev, sig(&format!("{n} mg")))).unwrap();
    }

    let ninth = bench.apply(&actor(30, Role::Pcp), set(sig_at, rev, sig("90 mg")));

    assert_eq!(ninth, Err(EditError::ConflictFull));
}

#[test]
fn a_resolution_must_have_seen_every_value() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, rev) = bench.medicine(1);
    let a = bench.apply(&pharmacist(), set(sig_at, rev, sig("5 mg"))).unwrap().seq;
    let b = bench.apply(&pcp(), set(sig_at, rev, sig("20 mg"))).unwrap().seq;
    let c = bench.apply(&nurse(), set(sig_at, rev, sig("7 mg"))).unwrap().seq;

    let stale = bench.apply(&pcp(), resolve(sig_at, &[a, b], sig("5 mg")));
    assert_eq!(stale, Err(EditError::StaleResolution));
    let change = bench.apply(&pcp(), resolve(sig_at, &[c, a, b], sig("15 mg"))).unwrap();

    assert!(matches!(change.what, What::Resolved { .. }));
    assert!(matches!(bench.doc.register(&sig_at), Register::Value { .. }));
    let again = bench.apply(&pcp(), resolve(sig_at, &[c, a, b], sig("15 mg")));
    assert_eq!(again, Err(EditError::StaleResolution));
}

#[test]
fn clearing_is_a_value_like_any_other() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, rev) = bench.medicine(1);
    let clear = Op::Set {
        at: sig_at,
        base: clinical::edit::Base::Rev(rev),
        value: clinical::phi::Phi::new(None),
    };
    bench.apply(&pharmacist(), clear).unwrap();

    let change = bench.apply(&pcp(), set(sig_at, rev, sig("20 mg"))).unwrap();

    let What::Conflicted { candidates, .. } = change.what else { panic!("no conflict") };
    assert_eq!(candidates[0].value, None);
}

#[test]
fn a_row_changed_unseen_is_not_simply_removed() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, rev) = bench.medicine(1);
    bench.apply(&pcp(), set(sig_at, rev, sig("5 mg"))).unwrap();

    let change = bench.apply(&pharmacist(), tombstone(row(1), rev, "duplicate")).unwrap();

    assert!(matches!(change.what, What::Conflicted { .. }), "{change:?}");
    let seen = [2, change.seq];
    let presence = at(row(1), FieldName::Presence);
    let end = resolve(presence, &seen, json!({ "state": "removed", "reason": "duplicate" }));
    bench.apply(&pcp(), end).unwrap();
    let edit = bench.apply(&pcp(), set(sig_at, 2, sig("1 mg"))).unwrap();
    assert!(edit.contested.is_some());
}

#[test]
fn a_row_removed_with_all_seen_is_removed_and_comes_back() {
    let mut bench = Bench::new(DocKind::Plan);
    let (_sig, rev) = bench.medicine(1);
    let gone = bench.apply(&pcp(), tombstone(row(1), rev, "never taken")).unwrap();
    assert!(matches!(gone.what, What::Tombstoned { .. }));
    assert_eq!(
        bench.apply(&pcp(), tombstone(row(1), gone.seq, "again")),
        Err(EditError::RowRemoved)
    );

    let back = bench.apply(&nurse(), Op::Restore { row: row(1), seen: gone.seq }).unwrap();

    assert!(matches!(back.what, What::Restored { .. }));
    let again = bench.apply(&pcp(), Op::Restore { row: row(1), seen: back.seq }).unwrap();
    assert!(matches!(again.what, What::Restored { .. } | What::Agreed { .. }));
}

#[test]
fn an_edit_of_a_removed_row_asks_about_the_removal_again() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, rev) = bench.medicine(1);
    bench.apply(&pcp(), tombstone(row(1), rev, "duplicate")).unwrap();

    let change = bench.apply(&nurse(), set(sig_at, rev, sig("5 mg"))).unwrap();

    assert!(matches!(change.what, What::Set { .. }));
    assert_eq!(change.contested.as_ref().map(Vec::len), Some(2));
    assert!(bench.doc.register(&at(row(1), FieldName::Presence)).is_conflict());
}

#[test]
fn rows_keep_the_order_they_are_put_in() {
    let mut bench = Bench::new(DocKind::Plan);
    for n in 1..=3 {
        bench.medicine(n);
    }
    assert_eq!(bench.doc.rows(ListName::Meds), [row(3), row(2), row(1)]);

    bench.apply(&pcp(), Op::Move { row: row(3), after: Some(row(1)) }).unwrap();

    assert_eq!(bench.doc.rows(ListName::Meds), [row(2), row(1), row(3)]);
    let unknown = Op::Move { row: row(3), after: Some(row(9)) };
    assert_eq!(bench.apply(&pcp(), unknown), Err(EditError::UnknownAddress));
    let twice = add(ListName::Meds, row(3), &[]);
    assert_eq!(bench.apply(&pcp(), twice), Err(EditError::RowExists));
}

#[test]
fn a_field_is_edited_only_as_what_it_is() {
    let mut bench = Bench::new(DocKind::Plan);
    bench.medicine(1);
    for (at, value) in [
        (at(row(1), FieldName::MedsPrescribedSig), sig("x")),
        (at(row(1), FieldName::GoalsTarget), json!({ "measure": "a", "value": "b" })),
        (whole(FieldName::MedsSig), sig("x")),
        (whole(FieldName::OutlineSummary), json!("x")),
        (whole(FieldName::Note), json!("x")),
        (whole(FieldName::Share), json!(true)),
        (at(row(1), FieldName::Presence), json!({ "state": "present" })),
    ] {
        assert_eq!(
            bench.apply(&pharmacist(), set(at, 0, value)),
            Err(EditError::UnknownAddress),
            "{at}"
        );
    }
    let bad = set(at(row(1), FieldName::MedsKind), 0, json!("snake oil"));
    assert_eq!(bench.apply(&pharmacist(), bad), Err(EditError::BadValue));
    let long = set(at(row(1), FieldName::MedsIndication), 0, json!("x".repeat(401)));
    assert_eq!(bench.apply(&pharmacist(), long), Err(EditError::TooLong));
}

#[test]
fn a_reading_is_never_edited() {
    let mut bench = Bench::new(DocKind::Plan);
    let content = |value: &str| json!({ "kind": "weight", "value": value, "unit": "kg", "at": "2026-03-01", "source": "staff" });
    let add = add(ListName::Measures, row(1), &[(FieldName::MeasuresContent, content("80"))]);
    let rev = bench.apply(&nurse(), add).unwrap().seq;

    let change =
        bench.apply(&nurse(), set(at(row(1), FieldName::MeasuresContent), rev, content("81")));

    assert_eq!(change, Err(EditError::Locked));
}

#[test]
fn an_answer_of_the_patient_is_followed_by_another_and_never_edited() {
    let mut bench = Bench::new(DocKind::Voice);
    let content = |state: &str| json!({ "kind": "photo", "state": state, "method": "checkbox" });
    let given = add(ListName::Consents, row(1), &[(FieldName::ConsentsContent, content("given"))]);
    let rev = bench.apply(&nurse(), given).unwrap().seq;

    let at = at(row(1), FieldName::ConsentsContent);
    assert_eq!(bench.apply(&nurse(), set(at, rev, content("declined"))), Err(EditError::Locked));
    let withdrawn =
        add(ListName::Consents, row(2), &[(FieldName::ConsentsContent, content("withdrawn"))]);
    assert!(bench.apply(&nurse(), withdrawn).is_ok());
    let unheard = json!({ "kind": "photo", "state": "given", "method": "verbal" });
    let unheard = add(ListName::Consents, row(3), &[(FieldName::ConsentsContent, unheard)]);
    assert_eq!(bench.apply(&nurse(), unheard), Err(EditError::BadValue));
}

#[test]
fn narrative_merges_like_yjs() {
    let mut bench = Bench::new(DocKind::Team);
    let note = whole(FieldName::Note);
    let (one, two) = (Pen::new(1), Pen::new(2));
    let first = one.write(0, "Walk daily.");
    two.read(&first);
    let base = bench.apply(&pharmacist(), typed(note, 0, first)).unwrap().seq;
    let a = one.write(4, " slowly");
    let b = two.write(4, " and rest");

    let first = bench.apply(&pharmacist(), typed(note, base, a.clone())).unwrap();
    let second = bench.apply(&pcp(), typed(note, base, b.clone())).unwrap();

    one.read(&b);
    two.read(&a);
    assert_eq!(one.words(), two.words());
    assert_eq!(bench.doc.text(&note).unwrap(), one.words());
    for change in [first, second] {
        assert!(matches!(change.what, What::Text { merged: None, .. }), "no number changed");
    }
}

#[test]
fn a_number_changed_by_a_merge_is_flagged_until_somebody_reads_it() {
    let mut bench = Bench::new(DocKind::Team);
    let note = whole(FieldName::Note);
    let (one, two) = (Pen::new(1), Pen::new(2));
    let first = one.write(0, "dose 0");
    two.read(&first);
    let base = bench.apply(&pharmacist(), typed(note, 0, first)).unwrap().seq;
    bench.apply(&pharmacist(), typed(note, base, one.write(5, "2"))).unwrap();
    let change = bench.apply(&pcp(), typed(note, base, two.write(5, "5"))).unwrap();

    let What::Text { merged: Some(merged), .. } = &change.what else { panic!("not flagged") };
    assert_eq!(merged.with, [pharmacist().person]);
    let early = bench.apply(&nurse(), Op::Reviewed { at: note, seen: base });
    assert_eq!(early, Err(EditError::StaleResolution));
    bench.apply(&nurse(), Op::Reviewed { at: note, seen: change.seq }).unwrap();
    assert_eq!(bench.doc.snapshot(View::Full).texts[0].merged, None);
}

#[test]
fn words_typed_long_after_what_others_wrote_are_flagged() {
    let mut bench = Bench::new(DocKind::Team);
    let note = whole(FieldName::Note);
    bench.apply(&pharmacist(), typed(note, 0, Pen::new(1).write(0, "sleep"))).unwrap();
    let soon = bench.apply(&pcp(), typed(note, 0, Pen::new(2).write(0, "salt "))).unwrap();
    assert!(matches!(soon.what, What::Text { merged: None, .. }));
    bench.now += 61_000;

    let late = bench.apply(&nurse(), typed(note, 0, Pen::new(3).write(0, "steps "))).unwrap();

    let What::Text { merged: Some(merged), .. } = late.what else { panic!("not flagged") };
    assert_eq!(merged.with, [pharmacist().person, pcp().person]);
}

/// A recommendation with content, and the `seq` it was added with.
fn recommendation(bench: &mut Bench) -> u64 {
    let content = json!({ "action": "change_dose", "summary": "Halve it." });
    let add =
        add(ListName::Recommendations, row(7), &[(FieldName::RecommendationsContent, content)]);
    bench.apply(&pharmacist(), add).unwrap().seq
}

#[test]
fn a_recommendation_is_sent_once_and_decided_once() {
    let mut bench = Bench::new(DocKind::Plan);
    let seen = recommendation(&mut bench);
    let send = Command::SendRecommendation { row: row(7) };
    let accept: Command =
        serde_json::from_value(json!({ "kind": "decide", "row": row(7), "outcome": "accepted" }))
            .unwrap();
    let decline: Command =
        serde_json::from_value(json!({ "kind": "decide", "row": row(7), "outcome": "declined" }))
            .unwrap();

    assert_eq!(bench.command(&pcp(), &accept, seen), Err(CommandError::NotSent));
    let sent = bench.command(&pharmacist(), &send, seen).unwrap().seq;
    assert_eq!(bench.command(&pharmacist(), &send, sent), Err(CommandError::AlreadyDecided));
    assert_eq!(bench.command(&pcp(), &decline, sent), Err(CommandError::BadDecision));
    assert_eq!(bench.command(&pcp(), &accept, seen), Err(CommandError::ChangedSince));
    bench.command(&pcp(), &accept, sent).unwrap();
    assert_eq!(bench.command(&pcp(), &accept, sent), Err(CommandError::AlreadyDecided));

    let content = at(row(7), FieldName::RecommendationsContent);
    let late = json!({ "action": "stop", "summary": "Stop it." });
    assert_eq!(bench.apply(&pharmacist(), set(content, seen, late)), Err(EditError::Locked));
    assert_eq!(
        bench.apply(&pharmacist(), tombstone(row(7), sent + 1, "wrong")),
        Err(EditError::Locked)
    );
}

#[test]
fn a_recommendation_that_changed_since_it_was_seen_is_not_sent() {
    let mut bench = Bench::new(DocKind::Plan);
    let seen = recommendation(&mut bench);
    let content = at(row(7), FieldName::RecommendationsContent);
    let other = json!({ "action": "stop", "summary": "Stop it." });
    bench.apply(&actor(5, Role::Specialist), set(content, seen, other)).unwrap();
    let send = Command::SendRecommendation { row: row(7) };

    assert_eq!(bench.command(&pharmacist(), &send, seen), Err(CommandError::ChangedSince));
    let empty = add(ListName::Recommendations, row(8), &[]);
    let seen = bench.apply(&pharmacist(), empty).unwrap().seq;
    let send = Command::SendRecommendation { row: row(8) };
    assert_eq!(bench.command(&pharmacist(), &send, seen), Err(CommandError::NotComplete));
    let send = Command::SendRecommendation { row: row(9) };
    assert_eq!(bench.command(&pharmacist(), &send, seen), Err(CommandError::UnknownRow));
}

#[test]
fn a_plan_is_shared_once() {
    let mut bench = Bench::new(DocKind::Plan);

    bench.command(&pharmacist(), &Command::Share, 0).unwrap();

    assert!(bench.doc.shared());
    assert_eq!(bench.command(&pcp(), &Command::Share, 1), Err(CommandError::AlreadyDecided));
}

#[test]
fn what_the_patient_says_about_rows_elsewhere_is_bounded() {
    let mut bench = Bench::new(DocKind::Voice);
    let patient = actor(9, Role::Patient);
    for n in 0..500 {
        bench.apply(&patient, set(at(row(n), FieldName::TodosTick), 0, json!(true))).unwrap();
    }

    let more = bench.apply(&patient, set(at(row(500), FieldName::TodosTick), 0, json!(true)));

    assert_eq!(more, Err(EditError::ListFull));
    bench.apply(&patient, set(at(row(3), FieldName::TodosTick), 4, json!(false))).unwrap();
}

#[test]
fn a_full_document_takes_no_more_but_can_be_cleared_up() {
    let mut bench = Bench::new(DocKind::Plan);
    let note = json!({ "answer": "no", "note": "é".repeat(500) });
    let mut last = Ok(bench.doc.seq());
    for n in 0..500 {
        bench.medicine(n);
        for field in [
            FieldName::MedsIndicated,
            FieldName::MedsEffective,
            FieldName::MedsSafe,
            FieldName::MedsAdherent,
        ] {
            last = bench.apply(&pcp(), set(at(row(n), field), 0, note.clone())).map(|c| c.seq);
        }
        if last.is_err() {
            break;
        }
    }

    assert_eq!(last, Err(EditError::TooBig));
    let seen = bench.doc.seq();
    bench.apply(&pcp(), tombstone(row(1), seen, "duplicate")).unwrap();
}
