//! The record with its types: nothing of the documents is missing in it, and no conflict passes for a value.

use clinical::actor::{Author, Millis};
use clinical::bytes::Base64;
use clinical::field::{Address, DocKind, FieldKind, FieldName, ListName, Place};
use clinical::record::{Held, Record};
use clinical::register::Register;
use clinical::view::{ListRows, RegisterAt, Snapshot, TextAt, View};

use crate::canary::sample;
use crate::common::*;

/// A document with a row in the list of the field, and the field with something in it, or without.
fn with(field: FieldName, filled: bool) -> Snapshot {
    let (list, row_id) = match field.place() {
        Place::Row(list) | Place::About(list) => (Some(list), Some(row(1))),
        Place::Document => (None, None),
        Place::EveryRow => (Some(ListName::Meds), Some(row(1))),
    };
    let at = Address { row: row_id, field };
    let mut snapshot = Snapshot::default();
    snapshot.lists.extend(list.map(|list| ListRows { list, rows: vec![row(1)] }));
    if !filled {
        return snapshot;
    }
    match field.kind() {
        FieldKind::Text { limit: _ } => {
            let state = Base64(Pen::new(7).write(0, "words"));
            snapshot.texts.push(TextAt { at, rev: 3, state, merged: None });
        }
        FieldKind::Register | FieldKind::Command => {
            let value = Some(field.parse(&sample(field, "words")).unwrap());
            let register = Register::Value { value, rev: 3, by: Author::Import, at_ms: Millis(5) };
            snapshot.registers.push(RegisterAt { at, register });
        }
    }
    snapshot
}

#[test]
fn every_field_of_the_documents_is_in_the_record() {
    for field in FieldName::ALL {
        let without = Record::of(&[&with(*field, false)]).unwrap();
        let filled = Record::of(&[&with(*field, true)]).unwrap();

        assert!(filled != without, "{field} is not read");
    }
}

#[test]
fn of_a_conflict_all_candidates_are_there_and_none_is_the_value() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, first) = bench.medicine(1);
    bench.apply(&pharmacist(), set(sig_at, first, sig("5 mg daily"))).unwrap();
    bench.apply(&pcp(), set(sig_at, first, sig("20 mg daily"))).unwrap();

    let record = Record::of(&[&bench.doc.snapshot(View::Full)]).unwrap();

    let held = &record.meds[0].content.sig;
    assert!(held.value().is_none());
    let Held::Conflict(candidates) = held else { panic!("{held:?}") };
    let texts: Vec<_> =
        candidates.iter().map(|said| said.value.as_ref().unwrap().text.as_str()).collect();
    let people: Vec<_> = candidates.iter().map(|said| said.by.person()).collect();
    assert_eq!(texts, ["5 mg daily", "20 mg daily"]);
    assert_eq!(people, [Some(pharmacist().person), Some(pcp().person)]);
    assert_eq!(record.conflicts, [sig_at]);
}

#[test]
fn what_stands_in_a_removed_row_holds_nobody_up() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, first) = bench.medicine(1);
    bench.apply(&pharmacist(), set(sig_at, first, sig("5 mg daily"))).unwrap();
    bench.apply(&pcp(), set(sig_at, first, sig("20 mg daily"))).unwrap();
    bench.apply(&pharmacist(), tombstone(row(1), bench.doc.seq(), "not hers")).unwrap();

    let record = Record::of(&[&bench.doc.snapshot(View::Full)]).unwrap();

    assert_eq!((record.meds.len(), record.conflicts.len()), (0, 0));
}

#[test]
fn a_row_two_people_disagree_about_stands_and_says_so() {
    let mut bench = Bench::new(DocKind::Plan);
    let (sig_at, first) = bench.medicine(1);
    let seen = bench.doc.seq();
    bench.apply(&pcp(), tombstone(row(1), seen, "stopped")).unwrap();
    bench.apply(&pharmacist(), set(sig_at, first, sig("5 mg daily"))).unwrap();

    let record = Record::of(&[&bench.doc.snapshot(View::Full)]).unwrap();

    assert_eq!(record.meds[0].contested.len(), 2);
    assert_eq!(record.conflicts, [at(row(1), FieldName::Presence)]);
}

#[test]
fn nothing_clinical_prints() {
    let mut bench = Bench::new(DocKind::Plan);
    bench.medicine(1);

    let record = Record::of(&[&bench.doc.snapshot(View::Full)]).unwrap();

    assert!(!format!("{record:?}").contains("10 mg"));
}
