//! What the store answers, and what becomes of the changes under way.

use clinical::command::Command;
use clinical::field::DocKind;
use signaling::message::RecordRefusal;
use signaling::record::StoreFailure;

use crate::bench::*;

#[test]
fn without_room_edits_go_back_to_their_authors() {
    let mut bench = Bench::new();
    let (rph, pcp) = (bench.open(RPH), bench.open(PCP));
    bench.types(rph);
    bench.types(pcp);
    let id = bench.edit(rph, DocKind::Plan, medicine(1));
    bench.asked.clear();

    bench.with(|session, _, _| session.store_failed(doc_id(DocKind::Plan), StoreFailure::Full));
    let heard = bench.heard(rph);
    assert_eq!((&heard[0]["code"], &heard[1]["storage"]), (&"storage_full".into(), &"full".into()));
    assert_eq!(bench.types(pcp), ["status"], "nobody saw the edit");
    bench.edit(pcp, DocKind::Plan, medicine(2));
    assert_eq!(bench.refusals(pcp), [RecordRefusal::StorageFull]);

    let doc = bench.stored_doc(DocKind::Plan);
    bench.with(|session, now, fresh| session.reloaded(now, doc, fresh));
    assert_eq!(bench.types(pcp), ["resync", "snapshot", "status"]);
    bench.types(rph);
    bench.edit_as(rph, DocKind::Plan, id, medicine(1));
    bench.commit(DocKind::Plan);

    assert_eq!(bench.types(rph), ["ack"]);
    assert_eq!(bench.types(pcp), ["change"]);
}

#[test]
fn when_nobody_knows_whether_it_committed_the_log_decides() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.types(rph);
    let committed = bench.edit(rph, DocKind::Plan, medicine(1));
    let lost = bench.edit(rph, DocKind::Plan, medicine(2));
    let decision = bench.command(rph, &Command::Share, 2);
    let mut asked = bench.asked.remove(&doc_id(DocKind::Plan)).unwrap();
    asked.truncate(1);
    bench.log.insert(doc_id(DocKind::Plan), asked);

    let failure = StoreFailure::OutOfStep;
    bench.with(|session, _, _| session.store_failed(doc_id(DocKind::Plan), failure));
    assert!(bench.heard(rph).is_empty());
    let doc = bench.stored_doc(DocKind::Plan);
    bench.with(|session, now, fresh| session.reloaded(now, doc, fresh));
    bench.commit(DocKind::Plan);

    let heard = bench.heard(rph);
    let said: Vec<_> = heard
        .iter()
        .map(|message| (message["type"].as_str().unwrap(), message["edit"].clone()))
        .collect();
    let json = |id| serde_json::to_value(id).unwrap();
    assert_eq!(
        said,
        [
            ("record.resync", serde_json::Value::Null),
            ("record.snapshot", serde_json::Value::Null),
            ("record.ack", json(committed)),
            ("record.refuse", json(decision)),
            ("record.ack", json(lost)),
        ]
    );
    assert_eq!(bench.stored_doc(DocKind::Plan).seq(), 2);
}

#[test]
fn a_share_that_was_not_stored_shows_the_patient_nothing() {
    let mut bench = Bench::new();
    let (rph, pt) = (bench.open(RPH), bench.open(PT));
    bench.types(pt);
    bench.command(rph, &Command::Share, 0);
    bench.with(|session, _, _| session.store_failed(doc_id(DocKind::Plan), StoreFailure::Away));
    bench.asked.clear();
    let doc = bench.stored_doc(DocKind::Plan);
    bench.with(|session, now, fresh| session.reloaded(now, doc, fresh));
    bench.edit(rph, DocKind::Plan, medicine(1));
    bench.commit(DocKind::Plan);

    assert_eq!(bench.types(pt), ["status", "status"]);
}

#[test]
fn a_document_is_stored_whole_only_when_nothing_is_under_way() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.edit(rph, DocKind::Plan, medicine(1));
    assert!(bench.session.at_rest(doc_id(DocKind::Plan)).is_none());

    bench.commit(DocKind::Plan);

    assert_eq!(bench.session.at_rest(doc_id(DocKind::Plan)).unwrap().seq, 1);
}

#[test]
fn an_author_who_asks_for_the_document_again_still_gets_an_answer() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.types(rph);
    bench.edit(rph, DocKind::Plan, medicine(1));
    bench.with(|session, now, fresh| session.resync(now, rph, doc_id(DocKind::Plan), fresh));
    bench.commit(DocKind::Plan);

    assert_eq!(bench.types(rph), ["resync", "snapshot", "ack"]);
}
