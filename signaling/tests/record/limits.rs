//! Too fast, too much, and what is not text.

use clinical::bytes::Base64;
use clinical::edit::Op;
use clinical::field::{Address, DocKind, FieldName};
use signaling::message::RecordRefusal;
use signaling::record::{CLOSE_MISBEHAVES, Effect};

use crate::bench::*;

#[test]
fn a_burst_is_taken_and_then_the_rate_holds() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.types(rph);
    for n in 0..130 {
        bench.now -= 20;
        bench.edit(rph, DocKind::Plan, medicine(n));
    }

    assert_eq!(bench.refusals(rph), [RecordRefusal::TooFast; 30]);
}

#[test]
fn more_than_the_store_can_keep_up_with_is_left_to_the_browsers() {
    let mut bench = Bench::new();
    let (rph, pcp) = (bench.open(RPH), bench.open(PCP));
    bench.types(rph);
    for n in 0..300 {
        bench.now += 20;
        bench.edit(rph, DocKind::Plan, medicine(n));
    }
    assert_eq!(bench.refusals(rph), [RecordRefusal::Busy; 44]);

    bench.edit(pcp, DocKind::Team, Op::Reviewed { at: note(), seen: 0 });
    assert_eq!(bench.refusals(pcp), [RecordRefusal::StaleResolution], "the others go on");
    bench.commit(DocKind::Plan);
    bench.edit(rph, DocKind::Plan, medicine(400));
    assert!(bench.refusals(rph).is_empty());
}

fn note() -> Address {
    Address { row: None, field: FieldName::Note }
}

/// The Yjs update (v1 encoding) of a first insertion, written by hand: one client, one struct, no deletions.
fn typed(client: u64, words: &str) -> Op {
    typed_at(client, 0, words)
}

/// The same after `clock` characters of the same client.
fn typed_at(client: u64, clock: u64, words: &str) -> Op {
    let number = |mut n: u64| {
        let mut bytes = Vec::new();
        while n > 0x7f {
            bytes.push(u8::try_from(n & 0x7f).unwrap() | 0x80);
            n >>= 7;
        }
        bytes.push(u8::try_from(n).unwrap());
        bytes
    };
    let mut update = vec![1, 1];
    update.extend(number(client));
    update.extend(number(clock));
    // A string without neighbours, so its parent is named: the root `t`.
    update.extend([4, 1, 1, b't']);
    update.extend(number(u64::try_from(words.len()).unwrap()));
    update.extend(words.as_bytes());
    update.push(0);
    Op::Text { at: note(), base: 0, update: Base64(update) }
}

#[test]
fn typing_counts_under_the_id_that_was_given_and_no_other() {
    let mut bench = Bench::new();
    let (rph, pcp) = (bench.open(RPH), bench.open(PCP));
    let client = bench.client(rph, DocKind::Team);
    bench.types(rph);
    bench.types(pcp);

    bench.edit(pcp, DocKind::Team, typed(client, "as somebody else"));
    assert_eq!(bench.refusals(pcp), [RecordRefusal::TextForeignClient]);
    bench.edit(rph, DocKind::Team, typed(client, "as myself"));
    bench.commit(DocKind::Team);

    assert_eq!(bench.types(rph), ["ack"]);
    let again = bench.open_with(line(RPH, 1), RPH, &[]);
    bench.heard(again);
    bench.edit(again, DocKind::Team, typed(client, "as myself"));
    assert!(bench.refusals(again).is_empty(), "an old id of the same person stays theirs");
}

#[test]
fn three_unacceptable_texts_close_the_connection() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    for n in 0..3 {
        assert!(!bench.other.iter().any(|effect| matches!(effect, Effect::Close { .. })));
        bench.edit(rph, DocKind::Team, typed(77, &format!("forged {n}")));
    }

    let kept = bench.other.iter().filter(|e| matches!(e, Effect::Quarantine { .. })).count();
    assert_eq!(kept, 3);
    assert!(bench.other.contains(&Effect::Close { connection: rph, code: CLOSE_MISBEHAVES }));
    bench.types(rph);
    bench.edit(rph, DocKind::Team, Op::Reviewed { at: note(), seen: 0 });
    assert_eq!(bench.refusals(rph), [RecordRefusal::NotOpen]);
}

#[test]
fn a_patient_writes_in_voice_and_nowhere_else() {
    let mut bench = Bench::new();
    let (rph, pt) = (bench.open(RPH), bench.open(PT));
    bench.command(rph, &clinical::command::Command::Share, 0);
    bench.commit(DocKind::Plan);
    bench.types(pt);

    bench.edit(pt, DocKind::Plan, medicine(1));
    bench.edit(pt, DocKind::Team, Op::Reviewed { at: note(), seen: 0 });
    bench.edit(pt, DocKind::Voice, tick(1, 0));
    bench.commit(DocKind::Voice);

    let heard = bench.heard(pt);
    let codes: Vec<_> = heard.iter().filter_map(|m| m["code"].as_str()).collect();
    assert_eq!(codes, ["not_allowed", "not_open"]);
    assert_eq!(heard.last().unwrap()["type"], "record.ack");
    bench.command(pt, &clinical::command::Command::Share, 0);
    assert_eq!(bench.refusals(pt), [RecordRefusal::NotAllowed]);
}

#[test]
fn snapshots_are_not_to_be_had_without_end() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.types(rph);
    let plan = doc_id(DocKind::Plan);
    for _ in 0..20 {
        bench.with(|session, now, fresh| session.resync(now, rph, plan, fresh));
    }

    let heard = bench.types(rph);
    let snapshots = heard.iter().filter(|one| *one == "snapshot").count();
    assert_eq!(snapshots, 11, "one of the twelve went to the opening");
    assert!(heard.contains(&"refused".to_owned()));
}

#[test]
fn a_gap_left_by_an_edit_that_was_put_back_is_no_fault() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.types(rph);
    let client = bench.client(rph, DocKind::Team);
    let first = bench.edit(rph, DocKind::Team, typed(client, "sleep"));
    let failure = signaling::record::StoreFailure::Full;
    bench.with(|session, _, _| session.store_failed(doc_id(DocKind::Team), failure));
    bench.asked.clear();
    let doc = bench.stored_doc(DocKind::Team);
    bench.with(|session, now, fresh| session.reloaded(now, doc, fresh));
    bench.types(rph);

    for _ in 0..4 {
        bench.edit(rph, DocKind::Team, typed_at(client, 5, " well"));
    }
    assert_eq!(bench.refusals(rph), [RecordRefusal::TextGap; 4]);
    bench.edit_as(rph, DocKind::Team, first, typed(client, "sleep"));
    bench.edit(rph, DocKind::Team, typed_at(client, 5, " well"));
    bench.commit(DocKind::Team);

    assert_eq!(bench.types(rph), ["ack", "ack"]);
    assert!(
        !bench.other.iter().any(|e| matches!(e, Effect::Quarantine { .. } | Effect::Close { .. }))
    );
}
