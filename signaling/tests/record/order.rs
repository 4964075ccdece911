//! Nothing overtakes the store, and everybody receives what is theirs in order.

use clinical::actor::Role;
use clinical::bytes::Base64;
use clinical::command::Command;
use clinical::edit::Op;
use clinical::field::{Address, DocKind, FieldName};
use signaling::message::{Caret, Have};
use signaling::record::{Effect, Fact};

use crate::bench::*;

#[test]
fn nobody_sees_a_change_before_it_is_stored() {
    let mut bench = Bench::new();
    let (rph, pcp) = (bench.open(RPH), bench.open(PCP));
    bench.types(rph);
    bench.types(pcp);

    let id = bench.edit(rph, DocKind::Plan, medicine(1));
    assert!(bench.types(rph).is_empty() && bench.types(pcp).is_empty());
    bench.commit(DocKind::Plan);

    let ack = bench.heard(rph);
    assert_eq!((ack[0]["type"].as_str(), ack.len()), (Some("record.ack"), 1));
    assert_eq!(ack[0]["edit"], serde_json::to_value(id).unwrap());
    assert_eq!(ack[0]["change"]["seq"], 1);
    let change = bench.heard(pcp);
    assert_eq!((change[0]["type"].as_str(), change.len()), (Some("record.change"), 1));
    assert_eq!(change[0]["prev"], 0);
    assert_eq!(change[0]["person"]["name"], "Pharmacist");
}

#[test]
fn a_name_is_told_once() {
    let mut bench = Bench::new();
    let (rph, pcp) = (bench.open(RPH), bench.open(PCP));
    for n in 1..=2 {
        bench.edit(rph, DocKind::Plan, medicine(n));
        bench.commit(DocKind::Plan);
    }
    let heard = bench.heard(pcp);
    let named: Vec<_> = heard
        .iter()
        .filter(|m| m["type"] == "record.change")
        .map(|m| m.get("person").is_some())
        .collect();

    assert_eq!(named, [true, false]);
    let late = bench.open(Role::Nurse);
    let snapshot = bench.heard(late).remove(0);
    assert_eq!(snapshot["people"][0]["name"], "Pharmacist");
}

#[test]
fn a_snapshot_waits_for_what_is_under_way() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.types(rph);
    bench.edit(rph, DocKind::Plan, medicine(1));

    let pcp = bench.open(PCP);
    assert_eq!(
        bench.types(pcp),
        ["snapshot", "snapshot"],
        "voice and team have nothing to wait for"
    );
    bench.edit(rph, DocKind::Plan, medicine(2));
    bench.commit_to(DocKind::Plan, 1);
    let snapshot = bench.heard(pcp);
    assert_eq!((snapshot.len(), &snapshot[0]["seq"]), (1, &1.into()));
    bench.commit(DocKind::Plan);

    let change = bench.heard(pcp);
    assert_eq!((&change[0]["prev"], &change[0]["change"]["seq"]), (&1.into(), &2.into()));
}

#[test]
fn a_reader_that_was_away_gets_what_it_missed() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    for n in 1..=3 {
        bench.edit(rph, DocKind::Plan, medicine(n));
    }
    bench.commit(DocKind::Plan);
    let plan = doc_id(DocKind::Plan);

    let pcp = bench.open_with(line(PCP, 0), PCP, &[Have { doc: plan, seq: 1 }]);
    let snapshot = bench.heard(pcp).into_iter().find(|m| m["kind"] == "plan").unwrap();

    assert_eq!(snapshot["content"]["mode"], "since");
    assert_eq!(snapshot["content"]["changes"].as_array().unwrap().len(), 2);
    let ahead = bench.open_with(line(PCP, 1), PCP, &[Have { doc: plan, seq: 9 }]);
    let snapshot = bench.heard(ahead).into_iter().find(|m| m["kind"] == "plan").unwrap();
    assert_eq!(snapshot["content"]["mode"], "full", "a client ahead of the log starts anew");
}

#[test]
fn an_edit_sent_twice_is_applied_once_and_answered_twice() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.types(rph);
    let id = bench.edit(rph, DocKind::Plan, medicine(1));
    bench.edit_as(rph, DocKind::Plan, id, medicine(1));
    assert!(bench.types(rph).is_empty(), "neither is stored yet");
    bench.commit(DocKind::Plan);
    let acks = bench.heard(rph);
    assert_eq!(acks.len(), 2);
    assert!(acks[0]["change"].is_object() && acks[1]["change"].is_null());

    bench.edit_as(rph, DocKind::Plan, id, medicine(1));

    assert_eq!(bench.types(rph), ["ack"]);
    assert_eq!(bench.log[&doc_id(DocKind::Plan)].len(), 1);
}

#[test]
fn the_patient_gets_nothing_of_the_plan_until_it_is_shared_and_then_at_once() {
    let mut bench = Bench::new();
    let (rph, pt) = (bench.open(RPH), bench.open(PT));
    let opened = bench.heard(pt);
    assert_eq!(opened.len(), 1);
    assert_eq!((&opened[0]["kind"], &opened[0]["view"]), (&"voice".into(), &"patient_side".into()));
    bench.edit(rph, DocKind::Plan, medicine(1));
    bench.commit(DocKind::Plan);
    assert!(bench.heard(pt).is_empty());

    bench.command(rph, &Command::Share, 1);
    assert!(bench.heard(pt).is_empty(), "not before it is stored");
    bench.commit(DocKind::Plan);

    let shared = bench.heard(pt);
    assert_eq!((shared.len(), &shared[0]["type"]), (1, &"record.snapshot".into()));
    assert_eq!((&shared[0]["kind"], &shared[0]["seq"]), (&"plan".into(), &2.into()));
    assert_eq!(shared[0]["writable"], serde_json::json!([]));
    bench.edit(rph, DocKind::Plan, dose(1, 1, "5 mg"));
    bench.commit(DocKind::Plan);
    assert_eq!(bench.heard(pt)[0]["prev"], 2);
    let facts: Vec<_> = bench
        .other
        .iter()
        .filter_map(|effect| match effect {
            Effect::Audit(audit) if audit.actor.role == PT => Some(audit.fact),
            _ => None,
        })
        .collect();
    assert!(matches!(
        facts[..],
        [Fact::Read { kind: DocKind::Voice, .. }, Fact::Read { kind: DocKind::Plan, .. }]
    ));
}

#[test]
fn a_hidden_change_is_not_sent_and_leaves_no_gap() {
    let mut bench = Bench::new();
    let (rph, pt) = (bench.open(RPH), bench.open(PT));
    bench.edit(rph, DocKind::Plan, medicine(1));
    bench.command(rph, &Command::Share, 1);
    bench.commit(DocKind::Plan);
    bench.heard(pt);
    let severity = Address { row: Some(row(1)), field: FieldName::MedsVerify };
    let hidden = Op::Set {
        at: severity,
        base: clinical::edit::Base::Rev(0),
        value: clinical::phi::Phi::new(Some(serde_json::json!({ "state": "bottle_seen" }))),
    };
    bench.edit(rph, DocKind::Plan, hidden);
    bench.commit(DocKind::Plan);
    assert!(bench.heard(pt).is_empty());

    bench.edit(rph, DocKind::Plan, dose(1, 1, "5 mg"));
    bench.commit(DocKind::Plan);

    let change = &bench.heard(pt)[0];
    assert_eq!((&change["prev"], &change["change"]["seq"]), (&2.into(), &4.into()));
}

#[test]
fn who_has_no_record_is_told_so() {
    let mut bench = Bench::new();
    for role in [Role::Interpreter, Role::Observer, Role::Learner, Role::Facilitator] {
        let line = bench.open(role);
        assert_eq!(bench.heard(line)[0]["code"], "not_allowed", "{role:?}");
        bench.edit(line, DocKind::Voice, tick(1, 0));
        assert_eq!(bench.heard(line)[0]["code"], "not_open", "{role:?}");
    }
}

#[test]
fn a_caret_is_seen_where_its_field_is_and_goes_with_its_connection() {
    let mut bench = Bench::new();
    let (rph, pcp, pt) = (bench.open(RPH), bench.open(PCP), bench.open(PT));
    bench.edit(rph, DocKind::Plan, medicine(1));
    bench.command(rph, &Command::Share, 1);
    bench.commit(DocKind::Plan);
    for line in [rph, pcp, pt] {
        bench.heard(line);
    }
    let caret = |field| {
        let at = Address { row: Some(row(1)), field };
        Some(Caret { at, head: Some(Base64(vec![1, 2])), anchor: None })
    };
    let plan = doc_id(DocKind::Plan);

    bench.with(|session, now, _| session.caret(now, rph, plan, caret(FieldName::MedsSig)));
    assert_eq!(bench.heard(pt)[0]["caret"]["at"]["field"], "meds.sig");
    assert_eq!(bench.types(pcp), ["caret"]);
    bench.with(|session, now, _| session.caret(now, rph, plan, caret(FieldName::MedsSafe)));
    assert!(bench.heard(pt)[0]["caret"].is_null(), "gone into a hidden field");
    bench.types(pcp);
    bench.with(|session, _, _| session.close(rph));

    assert_eq!(bench.types(pcp), ["caret"]);
    assert!(bench.heard(rph).is_empty());
}

#[test]
fn a_role_that_loses_the_record_loses_it_at_once() {
    let mut bench = Bench::new();
    let nurse = bench.open(Role::Nurse);
    bench.types(nurse);

    bench.with(|session, _, fresh| session.role_changed(nurse, Role::Chw, fresh));
    assert_eq!(
        bench.types(nurse),
        ["closed", "snapshot", "snapshot"],
        "a health worker has no team notes"
    );
    bench.with(|session, _, fresh| session.role_changed(nurse, Role::Observer, fresh));
    assert_eq!(bench.types(nurse), ["closed"]);

    bench.edit(nurse, DocKind::Plan, medicine(1));
    assert_eq!(bench.refusals(nurse).len(), 1);
    assert!(bench.session.idle());
}

#[test]
fn a_large_document_comes_in_parts() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    for n in 0..400 {
        bench.now += 1_000;
        let note = "a".repeat(480);
        let at = |field| Address { row: Some(row(n)), field };
        bench.edit(rph, DocKind::Plan, medicine(n));
        let value = serde_json::json!({ "answer": "no", "note": note });
        for field in [FieldName::MedsSafe, FieldName::MedsIndicated] {
            bench.edit(
                rph,
                DocKind::Plan,
                Op::Set {
                    at: at(field),
                    base: clinical::edit::Base::Rev(0),
                    value: clinical::phi::Phi::new(Some(value.clone())),
                },
            );
        }
        bench.commit(DocKind::Plan);
    }
    bench.types(rph);

    let pcp = bench.open(PCP);

    let parts: Vec<_> = bench.heard(pcp).into_iter().filter(|m| m["kind"] == "plan").collect();
    assert!(parts.len() > 2);
    let mut registers = 0;
    for (n, part) in parts.iter().enumerate() {
        assert_eq!((&part["part"], &part["parts"]), (&n.into(), &parts.len().into()));
        assert!(part.to_string().len() < 256 * 1024);
        registers += part["content"]["state"]["registers"].as_array().unwrap().len();
    }
    assert_eq!(registers, 1_200);
}
