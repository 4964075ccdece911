//! Who decides about a recommendation, who sees that at once, and who is told the safety prompts.

use clinical::actor::Role;
use clinical::command::Command;
use clinical::field::{DocKind, FieldName, ListName};
use clinical::phi::Phi;
use clinical::safety::Agreement;
use serde_json::{Value as Json, json};
use signaling::message::RecordRefusal;

use crate::bench::*;

fn add(list: ListName, n: u128, values: &[(FieldName, Json)]) -> clinical::edit::Op {
    let values = values.iter().map(|(field, json)| (*field, Phi::new(json.clone()))).collect();
    clinical::edit::Op::Add { list, row: row(n), after: None, values }
}

/// A medicine, and a recommendation to stop it that was sent to `to`.
fn sent(bench: &mut Bench, to: Option<Role>) -> u64 {
    let pharmacist = bench.open(RPH);
    bench.edit(pharmacist, DocKind::Plan, medicine(1));
    let content = json!({ "action": "stop", "med": row(1), "summary": "Stop it." });
    let mut values = vec![(FieldName::RecommendationsContent, content)];
    if let Some(to) = to {
        let name = json!({ "name": "Dr. Amy Chen", "person": actor(to).person });
        values.push((FieldName::RecommendationsAddressee, name));
    }
    bench.edit(pharmacist, DocKind::Plan, add(ListName::Recommendations, 7, &values));
    bench.command(pharmacist, &Command::SendRecommendation { row: row(7) }, 2);
    bench.commit(DocKind::Plan);
    assert_eq!(bench.refusals(pharmacist), []);
    3
}

fn accept(list: bool) -> Command {
    let mut accept = json!({ "kind": "decide", "row": row(7), "outcome": "accepted" });
    if list {
        accept["list"] = json!({ "day": "2026-11-29", "row": row(50) });
    }
    serde_json::from_value(accept).unwrap()
}

#[test]
fn a_decision_with_its_change_of_the_list_reaches_everybody_as_one_change() {
    let mut bench = Bench::new();
    let seen = sent(&mut bench, Some(PCP));
    let nurse = bench.open(Role::Nurse);
    let prescriber = bench.open(PCP);
    bench.heard(nurse);

    bench.command(prescriber, &accept(true), seen);
    assert_eq!(bench.heard(nurse), [] as [Json; 0], "before it is durable nobody sees it");
    bench.commit(DocKind::Plan);

    let heard = bench.heard(nurse);
    assert_eq!(heard.len(), 1);
    let sets = heard[0]["change"]["what"]["sets"].as_array().unwrap().clone();
    let fields: Vec<_> = sets.iter().filter_map(|set| set["at"]["field"].as_str()).collect();
    assert_eq!(
        fields,
        ["recommendations.state", "recommendations.decision", "meds.status", "meds.because"]
    );
    assert_eq!(heard[0]["change"]["by"]["role"], "pcp");
}

#[test]
fn another_prescriber_than_the_addressee_is_refused() {
    let mut bench = Bench::new();
    let seen = sent(&mut bench, Some(Role::Specialist));
    let prescriber = bench.open(PCP);
    bench.command(prescriber, &accept(false), seen);
    assert_eq!(bench.refusals(prescriber), [RecordRefusal::NotAddressee]);

    let specialist = bench.open(Role::Specialist);
    bench.command(specialist, &accept(true), seen);
    assert_eq!(bench.refusals(specialist), [RecordRefusal::NotAllowed], "the list is not theirs");
    bench.command(specialist, &accept(false), seen);
    bench.commit(DocKind::Plan);
    assert_eq!(bench.refusals(specialist), []);
}

#[test]
fn a_specialist_does_not_answer_what_names_nobody() {
    let mut bench = Bench::new();
    let seen = sent(&mut bench, None);
    let specialist = bench.open(Role::Specialist);
    bench.command(specialist, &Command::MarkSeen { row: row(7) }, seen);
    bench.command(specialist, &accept(false), seen);
    let refused = [RecordRefusal::NotAddressee, RecordRefusal::NotAddressee];
    assert_eq!(bench.refusals(specialist), refused);

    let prescriber = bench.open(PCP);
    bench.command(prescriber, &Command::MarkSeen { row: row(7) }, seen);
    bench.command(prescriber, &accept(false), seen);
    bench.commit(DocKind::Plan);
    assert_eq!(bench.refusals(prescriber), []);
}

#[test]
fn a_pharmacist_or_a_nurse_decides_nothing() {
    let mut bench = Bench::new();
    let seen = sent(&mut bench, None);
    for role in [RPH, Role::Nurse, Role::Chw] {
        let line = bench.open(role);
        bench.heard(line);
        bench.command(line, &accept(false), seen);
        assert_eq!(bench.refusals(line), [RecordRefusal::NotAllowed], "{role:?}");
    }
}

#[test]
fn safety_prompts_are_for_who_reads_the_whole_plan() {
    let mut bench = Bench::new();
    sent(&mut bench, None);
    let pharmacist = line(RPH, 0);
    bench.command(pharmacist, &Command::Share, 3);
    bench.commit(DocKind::Plan);
    for role in [RPH, PCP, Role::Nurse, Role::Chw, Role::Specialist, PT, Role::Caregiver] {
        let line = bench.open(role);
        bench.heard(line);
        let plan = doc_id(DocKind::Plan);
        bench.with(|session, now, _fresh| match session.may_ask_safety(now, line, plan) {
            Ok(()) => session.safety(now, line, plan, Agreement::None),
            Err(refusal) => refusal,
        });
        let heard = bench.heard(line);

        if matches!(role, Role::Patient | Role::Caregiver) {
            assert_eq!(heard[0]["type"], "refused", "{role:?}");
            assert_eq!(heard[0]["code"], "not_allowed", "{role:?}");
        } else {
            assert_eq!(heard[0]["type"], "record.safety", "{role:?}");
            assert_eq!(heard[0]["prompts"][0]["code"], "no_indication", "{role:?}");
        }
    }
}
