//! What is worked out from the plan tells of nothing that is not stored yet.

use clinical::doc::Doc;
use clinical::edit::Op;
use clinical::field::{DocKind, FieldName};
use clinical::gate::SigningFacts;
use clinical::id::ConnectionId;
use clinical::phi::Phi;
use clinical::safety::Agreement;
use clinical::value::PartialDate;
use clinical::version::Confirmation;
use serde_json::{Value as Json, json};
use signaling::record::StoreFailure;

use crate::bench::{Bench, RPH, doc_id, medicine, row};

fn ask_gate(bench: &mut Bench, line: ConnectionId) {
    let facts = SigningFacts {
        name: Phi::new("Ana Reyes".to_owned()),
        credentials: Vec::new(),
        required: Vec::new(),
        patient_took_part: false,
        today: PartialDate::parse("2026-11-30").unwrap(),
        confirmed: Confirmation::Link,
    };
    let plan = doc_id(DocKind::Plan);
    bench.with(|session, now, _fresh| match session.may_ask_gate(now, line, plan) {
        Ok(()) => session.gate(line, plan, &facts),
        Err(refusal) => refusal,
    });
}

fn ask_safety(bench: &mut Bench, line: ConnectionId) {
    let plan = doc_id(DocKind::Plan);
    bench.with(|session, now, _fresh| match session.may_ask_safety(now, line, plan) {
        Ok(()) => session.safety(now, line, plan, Agreement::None),
        Err(refusal) => refusal,
    });
}

/// A pharmacist with a second screen, and a medicine that is on its way to the store.
fn scene() -> (Bench, ConnectionId) {
    let mut bench = Bench::new();
    let writes = bench.open(RPH);
    let looks = bench.open_with(crate::bench::line(RPH, 1), RPH, &[]);
    bench.heard(looks);
    bench.edit(writes, DocKind::Plan, medicine(1));
    (bench, looks)
}

fn names(heard: &[Json], n: u128) -> bool {
    heard.iter().any(|message| message.to_string().contains(&row(n).to_string()))
}

#[test]
fn what_is_missing_tells_of_no_change_that_may_still_be_lost() {
    let (mut bench, looks) = scene();

    ask_gate(&mut bench, looks);
    assert_eq!(bench.heard(looks), [] as [Json; 0]);
    bench.commit(DocKind::Plan);

    let heard = bench.heard(looks);
    assert_eq!(heard[0]["type"], "record.change", "{heard:?}");
    assert_eq!((&heard[1]["type"], &heard[1]["seq"]), (&json!("record.gate"), &json!(1)));
    assert!(names(&heard[1..], 1));
}

#[test]
fn prompts_tell_of_no_change_that_may_still_be_lost_be_it_the_patients() {
    let (mut bench, looks) = scene();
    let pt = bench.open(crate::bench::PT);
    let said = json!("two at night");
    let at = clinical::field::Address { row: Some(row(1)), field: FieldName::MedsAsTaken };
    let value = Phi::new(Some(said));
    bench.commit(DocKind::Plan);
    bench.heard(looks);
    bench.edit(pt, DocKind::Voice, Op::Set { at, base: clinical::edit::Base::Rev(0), value });

    assert!(bench.refusals(pt).is_empty());
    ask_safety(&mut bench, looks);
    assert_eq!(bench.heard(looks), [] as [Json; 0]);
    bench.commit(DocKind::Voice);

    let heard = bench.heard(looks);
    assert_eq!(heard.last().unwrap()["type"], "record.safety", "{heard:?}");
}

#[test]
fn an_answer_about_what_was_lost_is_never_told_and_who_asked_may_ask_again() {
    let (mut bench, looks) = scene();
    ask_gate(&mut bench, looks);
    ask_safety(&mut bench, looks);
    bench.asked.clear();

    bench.with(|session, _, _| session.store_failed(doc_id(DocKind::Plan), StoreFailure::Full));

    let heard = bench.heard(looks);
    assert!(!names(&heard, 1), "{heard:?}");
    for of in ["record.gate", "record.safety"] {
        assert!(heard.iter().any(|m| m["of"] == of && m["code"] == "busy"), "{heard:?}");
    }
    ask_gate(&mut bench, looks);
    assert_eq!(bench.heard(looks)[0]["code"], "busy", "the document is ahead of the store still");
    let plan = Doc::new(doc_id(DocKind::Plan), DocKind::Plan);
    bench.with(|session, now, fresh| session.reloaded(now, plan, fresh));
    bench.heard(looks);
    ask_gate(&mut bench, looks);
    let heard = bench.heard(looks);
    assert_eq!((&heard[0]["type"], &heard[0]["seq"]), (&json!("record.gate"), &json!(0)));
}

#[test]
fn who_lost_the_plan_meanwhile_is_told_nothing() {
    let (mut bench, _) = scene();
    bench.commit(DocKind::Plan);
    let chw = bench.open(clinical::actor::Role::Chw);
    bench.heard(chw);
    let pharmacist = crate::bench::line(RPH, 0);
    bench.edit(pharmacist, DocKind::Plan, medicine(2));
    ask_safety(&mut bench, chw);
    let wish = json!({ "subject": { "kind": "role", "role": "chw" }, "level": "none" });
    let values = [(FieldName::AccessContent, Phi::new(wish))].into();
    let list = clinical::field::ListName::Access;
    bench.edit(pharmacist, DocKind::Voice, Op::Add { list, row: row(9), after: None, values });
    bench.commit(DocKind::Voice);
    bench.commit(DocKind::Plan);

    let heard = bench.types(chw);
    assert_eq!(heard, ["closed"]);
}
