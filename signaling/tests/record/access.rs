//! Who may see the plan, as the patient wants it: said in the record, in force when it is stored.

use clinical::actor::Role;
use clinical::command::Command;
use clinical::edit::{Base, Op};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::id::{ConnectionId, EditId, PersonId};
use clinical::phi::Phi;
use serde_json::{Value as Json, json};
use signaling::message::RecordRefusal;
use signaling::record::{Effect, Fact};

use crate::bench::{Bench, PT, RPH, actor, row};

fn person_of(role: Role) -> PersonId {
    actor(role).person
}

fn of_person(role: Role, level: &str) -> Json {
    let subject = json!({ "kind": "person", "person": person_of(role), "name": "Sam" });
    json!({ "subject": subject, "level": level })
}

fn of_role(role: &str, level: &str) -> Json {
    json!({ "subject": { "kind": "role", "role": role }, "level": level })
}

fn wish(n: u128, wish: Json) -> Op {
    let values = [(FieldName::AccessContent, Phi::new(wish))].into_iter().collect();
    Op::Add { list: ListName::Access, row: row(n), after: None, values }
}

fn content(n: u128) -> Address {
    Address { row: Some(row(n)), field: FieldName::AccessContent }
}

fn question() -> Op {
    Op::Add { list: ListName::Questions, row: row(900), after: None, values: Default::default() }
}

/// Everything a connection heard, as one text.
fn bytes(bench: &mut Bench, line: ConnectionId) -> String {
    bench.heard(line).iter().map(Json::to_string).collect()
}

fn say(bench: &mut Bench, line: ConnectionId, op: Op) -> EditId {
    let id = bench.edit(line, DocKind::Voice, op);
    bench.commit(DocKind::Voice);
    id
}

/// Scenario A3: the patient denies the community health worker access; pharmacist and doctor stay.
#[test]
fn a_health_worker_whom_the_patient_shuts_out_receives_not_one_byte_more() {
    let mut bench = Bench::new();
    let (rph, pcp, chw, pt) =
        (bench.open(RPH), bench.open(Role::Pcp), bench.open(Role::Chw), bench.open(PT));
    bench.heard(chw);
    bench.other.clear();

    say(&mut bench, pt, wish(1, of_person(Role::Chw, "none")));

    let told = bench.heard(chw);
    assert_eq!(told.len(), 1, "not even the wish itself: {told:?}");
    let last = &told[0];
    assert_eq!((&last["type"], &last["why"]), (&json!("record.closed"), &json!("not_allowed")));
    for line in [rph, pcp, pt] {
        bench.heard(line);
    }
    say(&mut bench, pt, question());
    let medicine =
        Op::Add { list: ListName::Meds, row: row(50), after: None, values: Default::default() };
    bench.edit(rph, DocKind::Plan, medicine);
    bench.commit(DocKind::Plan);
    assert_eq!(bytes(&mut bench, chw), "", "nothing of voice or plan");
    for line in [rph, pcp] {
        assert_eq!(bench.heard(line).len(), 2, "the others go on");
    }

    // What they still try is refused, also when they come back.
    bench.edit(chw, DocKind::Voice, question());
    assert_eq!(bench.refusals(chw), [RecordRefusal::NotOpen]);
    let again = bench.open(Role::Chw);
    let heard = bench.heard(again);
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(heard[0]["type"], "record.closed");
}

#[test]
fn that_access_was_changed_is_logged_in_the_transaction_that_changes_it() {
    let mut bench = Bench::new();
    let pt = bench.open(PT);

    bench.with(|session, now, _fresh| {
        let op = wish(1, of_role("chw", "none"));
        let edit = clinical::edit::Edit { id: crate::bench::edit_id(77), op, typed_ago_ms: None };
        let doc = crate::bench::doc_id(DocKind::Voice);
        let effects = session.edit(now, pt, None, doc, edit);
        let audit = effects.iter().find_map(|effect| match effect {
            Effect::Store { audit, .. } => *audit,
            _ => None,
        });
        assert_eq!(audit.map(|audit| audit.fact), Some(Fact::AccessChanged));
        effects
    });
}

#[test]
fn whom_the_plan_cannot_do_without_is_never_shut_out() {
    let mut bench = Bench::new();
    let (_rph, _pcp, pt) = (bench.open(RPH), bench.open(Role::Pcp), bench.open(PT));

    for (n, wanted) in [
        of_person(RPH, "none"),
        of_person(Role::Pcp, "listen"),
        of_role("pharmacist", "none"),
        of_role("pcp", "none"),
    ]
    .into_iter()
    .enumerate()
    {
        bench.edit(pt, DocKind::Voice, wish(n as u128, wanted));
    }

    assert_eq!(bench.refusals(pt), [RecordRefusal::AccessMinimum; 4]);

    // Somebody the record does not know yet turns out to be the doctor: they are seen to.
    let mut bench = Bench::new();
    let pt = bench.open(PT);
    say(&mut bench, pt, wish(1, of_person(Role::Pcp, "none")));
    let pcp = bench.open(Role::Pcp);
    assert_eq!(bench.types(pcp), ["snapshot", "snapshot", "snapshot"]);
}

/// Scenario A4: a caregiver who listens reads the patient's page and writes nothing.
#[test]
fn a_caregiver_listens_until_the_patient_wants_more_of_them() {
    let mut bench = Bench::new();
    let (rph, pt) = (bench.open(RPH), bench.open(PT));
    bench.command(rph, &Command::Share, 0);
    bench.commit(DocKind::Plan);
    let cg = bench.open(Role::Caregiver);

    let snapshots = bench.heard(cg);
    assert_eq!(snapshots.len(), 2, "plan and voice, as the patient reads them");
    for snapshot in &snapshots {
        assert_eq!(snapshot["view"], "patient_side");
        assert_eq!(snapshot["writable"], json!([]));
        assert_eq!(snapshot["writable_lists"], json!([]));
    }
    bench.edit(cg, DocKind::Voice, question());
    assert_eq!(bench.refusals(cg), [RecordRefusal::NotAllowed]);

    say(&mut bench, pt, wish(1, of_person(Role::Caregiver, "edit_voice")));

    let heard = bench.heard(cg);
    let voice = heard
        .iter()
        .find(|m| m["type"] == "record.snapshot" && m["kind"] == "voice")
        .unwrap_or_else(|| panic!("{heard:?}"));
    assert!(voice["writable_lists"].as_array().unwrap().contains(&json!("questions")));
    assert!(!voice["writable_lists"].as_array().unwrap().contains(&json!("consents")));
    say(&mut bench, cg, question());
    assert_eq!(bench.refusals(cg), []);

    let remove = Op::Tombstone { row: row(1), seen: 99, reason: Phi::new("not any more".into()) };
    say(&mut bench, pt, remove);
    let heard = bench.heard(cg);
    let voice = heard.iter().rfind(|m| m["type"] == "record.snapshot" && m["kind"] == "voice");
    assert_eq!(voice.unwrap()["writable_lists"], json!([]), "they listen again");
}

#[test]
fn that_somebody_acts_by_law_is_recorded_by_who_saw_the_paper() {
    let mut bench = Bench::new();
    let (rph, pt) = (bench.open(RPH), bench.open(PT));
    let cg = bench.open(Role::Caregiver);
    bench.heard(cg);

    bench.edit(pt, DocKind::Voice, wish(1, of_person(Role::Caregiver, "legal")));
    assert_eq!(bench.refusals(pt), [RecordRefusal::NotAllowed]);

    say(&mut bench, rph, wish(1, of_person(Role::Caregiver, "legal")));
    let heard = bench.heard(cg);
    let voice = heard.iter().find(|m| m["kind"] == "voice").unwrap();
    assert!(voice["writable_lists"].as_array().unwrap().contains(&json!("consents")));

    // Taken out, it is not brought back by who could not have said it.
    let gone = Op::Tombstone { row: row(1), seen: 99, reason: Phi::new("ended".into()) };
    say(&mut bench, pt, gone);
    bench.edit(pt, DocKind::Voice, Op::Restore { row: row(1), seen: 99 });
    assert_eq!(bench.refusals(pt), [RecordRefusal::NotAllowed]);
    bench.edit(rph, DocKind::Voice, Op::Restore { row: row(1), seen: 99 });
    assert_eq!(bench.refusals(rph), []);
}

#[test]
fn a_caregiver_who_may_see_it_again_does_not_write() {
    let mut bench = Bench::new();
    let pt = bench.open(PT);
    let cg = bench.open(Role::Caregiver);
    say(&mut bench, pt, wish(1, of_person(Role::Caregiver, "none")));
    let rev = bench.stored_doc(DocKind::Voice).rev_of(&content(1));
    let value = Phi::new(Some(of_person(Role::Caregiver, "as_role")));
    say(&mut bench, pt, Op::Set { at: content(1), base: Base::Rev(rev), value });
    bench.heard(cg);

    bench.edit(cg, DocKind::Voice, question());

    assert_eq!(bench.refusals(cg), [RecordRefusal::NotAllowed]);
}

#[test]
fn of_two_wishes_at_once_the_narrower_holds_until_somebody_decides() {
    let mut bench = Bench::new();
    let (rph, pt) = (bench.open(RPH), bench.open(PT));
    let chw = bench.open(Role::Chw);
    say(&mut bench, pt, wish(1, of_role("chw", "as_role")));
    bench.heard(chw);
    let rev = bench.stored_doc(DocKind::Voice).rev_of(&content(1));
    let set = |level: &str| Op::Set {
        at: content(1),
        base: Base::Rev(rev),
        value: Phi::new(Some(of_role("chw", level))),
    };

    say(&mut bench, rph, set("listen"));
    assert!(bench.heard(chw).iter().all(|m| m["type"] != "record.closed"));
    say(&mut bench, pt, set("none"));

    assert_eq!(bench.heard(chw).last().unwrap()["type"], "record.closed");
}

#[test]
fn a_wish_holds_when_it_is_stored_and_not_before() {
    let mut bench = Bench::new();
    let pt = bench.open(PT);
    let chw = bench.open(Role::Chw);
    say(&mut bench, pt, wish(1, of_person(Role::Chw, "none")));
    bench.heard(chw);

    let lifted = Op::Tombstone { row: row(1), seen: 99, reason: Phi::new("again".into()) };
    bench.edit(pt, DocKind::Voice, lifted);
    assert_eq!(bench.heard(chw), [] as [Json; 0], "not stored yet");
    bench.commit(DocKind::Voice);

    assert_eq!(bench.types(chw), ["snapshot", "snapshot"], "plan and voice");
}

#[test]
fn a_health_worker_does_not_let_themselves_in() {
    let mut bench = Bench::new();
    let (pt, chw) = (bench.open(PT), bench.open(Role::Chw));
    bench.edit(chw, DocKind::Voice, wish(1, of_role("chw", "as_role")));
    assert_eq!(bench.refusals(chw), [RecordRefusal::NotAllowed]);
    say(&mut bench, pt, wish(2, of_role("chw", "none")));
    // One of them is wanted all the same.
    say(&mut bench, pt, wish(3, of_person(Role::Chw, "as_role")));
    bench.heard(chw);
    let again = bench.open(Role::Chw);
    assert_eq!(bench.types(again), ["snapshot", "snapshot"]);
}

fn wish_with(n: u128, role: Role, level: &str, reason: &str) -> Op {
    let mut json = of_person(role, level);
    json["reason"] = json!(reason);
    wish(n, json)
}

#[test]
fn a_caregiver_reads_what_the_patient_wishes_of_them_and_of_nobody_else() {
    let mut bench = Bench::new();
    let (rph, pt) = (bench.open(RPH), bench.open(PT));
    say(&mut bench, pt, wish_with(1, Role::Chw, "none", "Canary-chw"));
    say(&mut bench, pt, wish_with(2, Role::Caregiver, "edit_voice", "my daughter"));
    let mut everybody = of_role("specialist", "none");
    everybody["reason"] = json!("Canary-specialists");
    say(&mut bench, pt, wish(3, everybody));

    let cg = bench.open(Role::Caregiver);

    let told = bytes(&mut bench, cg);
    assert!(told.contains("my daughter"), "{told}");
    assert!(!told.contains("Canary"), "{told}");
    for hidden in [1, 3] {
        assert!(!told.contains(&row(hidden).to_string()), "not even that there is one: {told}");
    }
    for line in [rph, pt] {
        let all = bytes(&mut bench, line);
        assert!(all.contains("Canary-chw") && all.contains("Canary-specialists"));
    }

    // Nor is one told of while it is said, nor how it came to be.
    say(&mut bench, pt, wish_with(4, Role::Nurse, "none", "Canary-nurse"));
    let at = content(1);
    bench.with(|session, now, _| {
        session.history(now, cg, crate::bench::doc_id(DocKind::Voice), at, None)
    });
    let told = bytes(&mut bench, cg);
    assert!(!told.contains("Canary") && told.contains("not_allowed"), "{told}");
    say(&mut bench, pt, question());
    assert_eq!(bench.types(cg), ["change"], "and the rest goes on");
}

#[test]
fn a_wish_that_comes_to_be_about_somebody_else_is_gone_from_the_caregivers_eyes() {
    let mut bench = Bench::new();
    let pt = bench.open(PT);
    say(&mut bench, pt, wish_with(1, Role::Caregiver, "edit_voice", "my daughter"));
    let cg = bench.open(Role::Caregiver);
    bench.heard(cg);

    let rev = bench.stored_doc(DocKind::Voice).rev_of(&content(1));
    let mut other = of_person(Role::Chw, "none");
    other["reason"] = json!("Canary");
    let value = Phi::new(Some(other));
    say(&mut bench, pt, Op::Set { at: content(1), base: Base::Rev(rev), value });

    let told = bytes(&mut bench, cg);
    assert!(told.contains("record.snapshot"), "{told}");
    assert!(!told.contains("Canary") && !told.contains(&row(1).to_string()), "{told}");
}

#[test]
fn who_acts_for_the_patient_by_law_reads_every_wish_as_the_patient_does() {
    let mut bench = Bench::new();
    let (rph, pt) = (bench.open(RPH), bench.open(PT));
    say(&mut bench, pt, wish_with(1, Role::Chw, "none", "Canary"));
    let cg = bench.open(Role::Caregiver);
    assert!(!bytes(&mut bench, cg).contains("Canary"));

    say(&mut bench, rph, wish_with(2, Role::Caregiver, "legal", "paper seen"));

    assert!(bytes(&mut bench, cg).contains("Canary"));
}
