//! The gate of a text update: everything that is not plain typing under one's own name is refused with its code.

use clinical::edit::EditError;
use clinical::field::{DocKind, FieldName};
use clinical::view::View;
use yrs::types::Attrs;
use yrs::{
    Any, Array as _, ArrayPrelim, Map as _, MapPrelim, Text as _, Transact as _, WriteTxn as _,
};

use crate::common::*;

/// A note that says "Ask about sleep.", the pharmacist's pen on it, and its revision.
fn note() -> (Bench, Pen, u64) {
    let mut bench = Bench::new(DocKind::Team);
    let pen = Pen::new(1);
    let update = pen.write(0, "Ask about sleep.");
    let change = bench.apply(&pharmacist(), typed(whole(FieldName::Note), 0, update)).unwrap();
    (bench, pen, change.seq)
}

fn refused(bench: &mut Bench, base: u64, update: Vec<u8>) -> EditError {
    let before = bench.doc.snapshot(View::Full);
    let refusal =
        bench.apply(&pharmacist(), typed(whole(FieldName::Note), base, update)).unwrap_err();
    assert_eq!(bench.doc.snapshot(View::Full), before, "a refused update left a trace");
    refusal
}

#[test]
fn formatting_is_not_plain() {
    let (mut bench, pen, rev) = note();
    let mut txn = pen.doc.transact_mut();
    pen.text.format(&mut txn, 0, 3, Attrs::from([("bold".into(), true.into())]));
    let update = txn.encode_update_v1();

    assert_eq!(refused(&mut bench, rev, update), EditError::TextNotPlain);
}

#[test]
fn an_embed_is_not_plain() {
    let (mut bench, pen, rev) = note();
    let mut txn = pen.doc.transact_mut();
    pen.text.insert_embed(&mut txn, 0, Any::from("image"));
    let update = txn.encode_update_v1();

    assert_eq!(refused(&mut bench, rev, update), EditError::TextNotPlain);
}

#[test]
fn a_nested_type_is_not_plain() {
    let (mut bench, pen, rev) = note();
    let mut txn = pen.doc.transact_mut();
    pen.text.insert_embed(&mut txn, 0, MapPrelim::from([("a", 1)]));
    let update = txn.encode_update_v1();

    assert_eq!(refused(&mut bench, rev, update), EditError::TextNotPlain);
}

#[test]
fn a_second_root_is_not_plain() {
    let (mut bench, pen, rev) = note();
    let mut txn = pen.doc.transact_mut();
    let other = txn.get_or_insert_text("other");
    other.insert(&mut txn, 0, "hidden");
    let update = txn.encode_update_v1();

    assert_eq!(refused(&mut bench, rev, update), EditError::TextNotPlain);
}

#[test]
fn a_map_entry_in_the_root_is_not_plain() {
    let mut bench = Bench::new(DocKind::Team);
    let pen = Pen::new(101);
    let doc = {
        use yrs::{ClientID, Doc, Options};
        Doc::with_options(Options::with_guid_and_client_id("x".into(), ClientID::new(101)))
    };
    let map = doc.get_or_insert_map("t");
    let mut txn = doc.transact_mut();
    map.insert(&mut txn, "k", "hidden");
    let update = txn.encode_update_v1();

    assert_eq!(refused(&mut bench, 0, update), EditError::TextNotPlain);
    drop(pen);
}

#[test]
fn array_items_in_the_root_are_not_plain() {
    let mut bench = Bench::new(DocKind::Team);
    let doc = {
        use yrs::{ClientID, Doc, Options};
        Doc::with_options(Options::with_guid_and_client_id("x".into(), ClientID::new(101)))
    };
    let array = doc.get_or_insert_array("t");
    let mut txn = doc.transact_mut();
    array.insert(&mut txn, 0, 1);
    array.insert(&mut txn, 1, ArrayPrelim::from([1, 2]));
    let update = txn.encode_update_v1();

    assert_eq!(refused(&mut bench, 0, update), EditError::TextNotPlain);
}

#[test]
fn a_subdocument_is_not_plain() {
    let mut bench = Bench::new(DocKind::Team);
    let doc = {
        use yrs::{ClientID, Doc, Options};
        Doc::with_options(Options::with_guid_and_client_id("x".into(), ClientID::new(101)))
    };
    let map = doc.get_or_insert_map("t");
    let mut txn = doc.transact_mut();
    map.insert(&mut txn, "k", yrs::Doc::new());
    let update = txn.encode_update_v1();

    assert_eq!(refused(&mut bench, 0, update), EditError::TextNotPlain);
}

#[test]
fn a_foreign_client_id_is_refused() {
    let (mut bench, _pen, rev) = note();
    let update = Pen::new(2).write(0, "Somebody else says ");

    assert_eq!(refused(&mut bench, rev, update), EditError::TextForeignClient);
}

#[test]
fn an_update_after_a_lost_one_is_a_gap() {
    let (mut bench, pen, rev) = note();
    let _lost = pen.write(16, " Not sent.");
    let update = pen.write(26, " Sent.");

    assert_eq!(refused(&mut bench, rev, update), EditError::TextGap);
}

#[test]
fn deleting_what_never_arrived_is_a_gap_too() {
    let (mut bench, pen, rev) = note();
    let _lost = pen.write(16, " Not sent.");
    let update = pen.erase(16, 10);

    assert_eq!(refused(&mut bench, rev, update), EditError::TextGap);
}

#[test]
fn noise_is_not_an_update() {
    let (mut bench, _pen, rev) = note();

    for noise in [&[][..], &[1], &[255; 40], b"\x01\x01\xff\xff\xff\xff\x0f\x00\x04"] {
        assert_eq!(refused(&mut bench, rev, noise.to_vec()), EditError::TextBad, "{noise:?}");
    }
}

#[test]
fn a_changed_byte_never_panics_and_never_leaves_a_trace() {
    let (mut bench, pen, rev) = note();
    let update = pen.write(3, " the patient");
    let before = bench.doc.snapshot(View::Full);

    for place in 0..update.len() {
        for bit in 0..8 {
            let mut changed = update.clone();
            changed[place] ^= 1 << bit;
            let mut bench = Bench::new(DocKind::Team);
            let first = Pen::new(1).write(0, "Ask about sleep.");
            bench.apply(&pharmacist(), typed(whole(FieldName::Note), 0, first)).unwrap();
            let unchanged = bench.doc.snapshot(View::Full);
            if bench.apply(&pharmacist(), typed(whole(FieldName::Note), rev, changed)).is_err() {
                assert_eq!(bench.doc.snapshot(View::Full), unchanged);
            }
        }
    }
    assert_eq!(bench.doc.snapshot(View::Full), before);
    bench.apply(&pharmacist(), typed(whole(FieldName::Note), rev, update)).unwrap();
    assert_eq!(bench.doc.text(&whole(FieldName::Note)).unwrap(), pen.words());
}

#[test]
fn sizes_and_lengths_are_bounded() {
    let (mut bench, pen, rev) = note();

    assert_eq!(refused(&mut bench, rev, vec![0; 70_000]), EditError::TooBig);
    let long = pen.write(0, &"a".repeat(8_000));
    assert_eq!(refused(&mut bench, rev, long), EditError::TooLong);
}

#[test]
fn after_a_refusal_the_text_goes_on() {
    let (mut bench, pen, rev) = note();
    refused(&mut bench, rev, Pen::new(2).write(0, "x"));
    let update = pen.write(16, " Then about salt.");

    bench.apply(&pharmacist(), typed(whole(FieldName::Note), rev, update)).unwrap();

    assert_eq!(
        bench.doc.text(&whole(FieldName::Note)).unwrap(),
        "Ask about sleep. Then about salt."
    );
}

#[test]
fn offsets_count_as_the_browser_counts() {
    let mut bench = Bench::new(DocKind::Team);
    let pen = Pen::new(1);
    let first = pen.write(0, "💊 two");
    let second = pen.write(3, "take ");
    bench.apply(&pharmacist(), typed(whole(FieldName::Note), 0, first)).unwrap();
    bench.apply(&pharmacist(), typed(whole(FieldName::Note), 1, second)).unwrap();

    assert_eq!(bench.doc.text(&whole(FieldName::Note)).unwrap(), "💊 take two");
}
