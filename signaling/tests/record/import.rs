//! What somebody accepts of a chart: by who may, in order with all other edits, shown once it is stored, never into a
//! plan that is signed.

use std::collections::BTreeSet;

use clinical::actor::Role;
use clinical::doc::Doc;
use clinical::fhir::{Chart, read};
use clinical::field::{DocKind, ListName};
use clinical::gate::SigningFacts;
use clinical::merge::{Known, compare};
use clinical::phi::Phi;
use clinical::value::PartialDate;
use clinical::version::Confirmation;
use serde_json::Value as Json;
use signaling::message::RecordRefusal;
use signaling::record::{ChartTaken, StoreFailure};
use uuid::Uuid;

use crate::bench::*;

fn chart(medicines: &[&str]) -> Chart {
    let entries: Vec<String> = medicines
        .iter()
        .enumerate()
        .map(|(n, name)| {
            format!(
                r#"{{"resource":{{"resourceType":"MedicationRequest","id":"m{n}","status":"active","intent":"order","subject":{{"reference":"Patient/p"}},"medicationCodeableConcept":{{"text":"{name}"}}}}}}"#
            )
        })
        .collect();
    let text = format!(
        r#"{{"resourceType":"Bundle","entry":[{{"resource":{{"resourceType":"Patient","id":"p"}}}},{}]}}"#,
        entries.join(",")
    );
    read(text.as_bytes(), &PartialDate::parse("2026-11-30").unwrap()).unwrap()
}

impl Bench {
    fn keys(&self, chart: &Chart) -> BTreeSet<String> {
        let docs: Vec<&Doc> = self.session.docs().collect();
        let comparison = compare(chart, &docs, &Known::default());
        comparison.differences.into_iter().map(|one| one.key).collect()
    }

    /// Accepts from a page outside the record, on a connection of its own.
    fn accept(
        &mut self,
        role: Role,
        chart: &Chart,
        keys: &BTreeSet<String>,
    ) -> Result<ChartTaken, RecordRefusal> {
        let mut taken = Err(RecordRefusal::Busy);
        self.next += 1;
        let mut next = self.next * 10_000;
        self.with(|session, now, _clients| {
            let mut fresh = || {
                next += 1;
                uuid(9, next)
            };
            let name = Phi::new(format!("{role:?}"));
            let line = line(role, 9);
            let made = session.take_chart(
                now,
                line,
                actor(role),
                name,
                chart,
                &Known::default(),
                keys,
                &mut fresh as &mut dyn FnMut() -> Uuid,
            );
            match made {
                Ok((effects, made)) => {
                    taken = Ok(made);
                    effects
                }
                Err(code) => {
                    taken = Err(code);
                    Vec::new()
                }
            }
        });
        taken
    }
}

#[test]
fn what_is_accepted_reaches_everybody_once_it_is_stored_and_its_sender_hears_no_more() {
    let mut bench = Bench::new();
    let nurse = bench.open(Role::Nurse);
    let chart = chart(&["Lisinopril 10 MG", "Aspirin 81 MG"]);
    let keys = bench.keys(&chart);
    bench.heard(nurse);

    let taken = bench.accept(RPH, &chart, &keys).unwrap();

    assert_eq!((taken.accepted.len(), taken.refused.len()), (2, 0));
    assert_eq!(bench.heard(nurse), [] as [Json; 0], "before it is durable nobody sees it");
    bench.commit(DocKind::Plan);
    let heard = bench.heard(nurse);
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0]["type"], "record.change");
    assert_eq!(heard[0]["change"]["by"]["role"], "pharmacist");
    assert_eq!(heard[0]["person"]["name"], "Pharmacist", "whoever it was is named");
    let told = bench.heard(line(RPH, 9));
    assert!(told.iter().all(|one| one["type"] == "record.ack" && one["change"].is_null()));
    assert_eq!(told.len(), 2);
    bench.with(|session, _now, _fresh| session.close(line(RPH, 9)));
    bench.with(|session, _now, _fresh| session.close(nurse));
    assert!(bench.session.idle());
}

#[test]
fn a_second_person_with_the_same_file_takes_nothing_twice() {
    let mut bench = Bench::new();
    let chart = chart(&["Lisinopril 10 MG"]);
    let keys = bench.keys(&chart);

    assert_eq!(bench.accept(RPH, &chart, &keys).unwrap().accepted.len(), 1);
    // Not stored yet, and already not to be taken again.
    let other = bench.accept(PCP, &chart, &keys).unwrap();

    assert_eq!(other.accepted, []);
    assert_eq!(other.refused.len(), 1);
    assert_eq!(other.refused[0].1, RecordRefusal::ChangedSince);
    bench.commit(DocKind::Plan);
    assert_eq!(bench.stored_doc(DocKind::Plan).rows(ListName::Meds).len(), 1);
}

#[test]
fn nobody_else_takes_anything_and_a_key_that_was_never_shown_is_none() {
    let mut bench = Bench::new();
    let chart = chart(&["Lisinopril 10 MG"]);
    let keys = bench.keys(&chart);
    for role in Role::ALL {
        if matches!(role, Role::Pharmacist | Role::Pcp) {
            continue;
        }
        assert_eq!(bench.accept(role, &chart, &keys), Err(RecordRefusal::NotAllowed), "{role:?}");
    }
    let made_up = BTreeSet::from(["0".repeat(32)]);
    let taken = bench.accept(RPH, &chart, &made_up).unwrap();
    assert_eq!((taken.accepted.len(), taken.refused[0].1), (0, RecordRefusal::ChangedSince));
    assert_eq!(bench.asked.values().map(Vec::len).sum::<usize>(), 0);
}

#[test]
fn a_signed_plan_takes_nothing_of_a_chart() {
    let mut bench = Bench::new();
    let chart = chart(&["Lisinopril 10 MG"]);
    let keys = bench.keys(&chart);
    let pharmacist = bench.open(RPH);
    sign(&mut bench, pharmacist);
    let before = bench.stored_doc(DocKind::Plan).seq();

    assert_eq!(bench.accept(RPH, &chart, &keys), Err(RecordRefusal::Sealed));
    bench.commit(DocKind::Plan);
    assert_eq!(bench.stored_doc(DocKind::Plan).seq(), before);
}

#[test]
fn what_the_store_does_not_take_is_refused_and_not_taken_again_behind_anybodys_back() {
    let mut bench = Bench::new();
    let chart = chart(&["Lisinopril 10 MG"]);
    let keys = bench.keys(&chart);
    let taken = bench.accept(RPH, &chart, &keys).unwrap();
    assert_eq!(taken.accepted.len(), 1);

    bench.with(|session, _now, _fresh| {
        session.store_failed(doc_id(DocKind::Plan), StoreFailure::Full)
    });
    assert_eq!(bench.refusals(line(RPH, 9)), [RecordRefusal::StorageFull]);
    assert_eq!(bench.accept(RPH, &chart, &keys), Err(RecordRefusal::StorageFull));
    let stored = bench.stored_doc(DocKind::Plan);
    bench.asked.clear();
    bench.with(|session, now, fresh| session.reloaded(now, stored, fresh));
    assert_eq!(bench.asked.values().map(Vec::len).sum::<usize>(), 0);
    assert_eq!(bench.accept(RPH, &chart, &keys).unwrap().accepted.len(), 1);
}

#[test]
fn a_list_too_long_for_one_round_goes_in_as_far_as_there_is_room() {
    let mut bench = Bench::new();
    let names: Vec<String> = (0..400).map(|n| format!("Testudine {n} MG")).collect();
    let chart = chart(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut left = bench.keys(&chart);
    let mut rounds = 0;
    while !left.is_empty() {
        let taken = bench.accept(RPH, &chart, &left).unwrap();
        assert!(taken.refused.iter().all(|(_, code)| *code == RecordRefusal::Busy));
        assert!(!taken.accepted.is_empty());
        left = taken.refused.into_iter().map(|(key, _)| key).collect();
        bench.commit(DocKind::Plan);
        rounds += 1;
    }
    assert!(rounds > 1);
    assert_eq!(bench.stored_doc(DocKind::Plan).rows(ListName::Meds).len(), 400);
}

/// Signs the empty plan: everything the gate asks for has a reason.
fn sign(bench: &mut Bench, pharmacist: clinical::id::ConnectionId) {
    use clinical::edit::{Base, Op};
    use clinical::field::{Address, FieldName};
    use serde_json::json;

    let facts = SigningFacts {
        name: Phi::new("Ana Reyes".to_owned()),
        credentials: Vec::new(),
        required: Vec::new(),
        patient_took_part: false,
        today: PartialDate::parse("2026-11-30").unwrap(),
        confirmed: Confirmation::Link,
    };
    // "ok" as a Yjs update (v1) of this client: one insertion at the root `t`, no deletion.
    let client = bench.client(pharmacist, DocKind::Plan);
    let mut update = vec![1, 1];
    let mut rest = client;
    while rest > 0x7f {
        update.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
        rest >>= 7;
    }
    update.push(u8::try_from(rest).unwrap());
    update.extend([0, 4, 1, 1, b't', 2, b'o', b'k', 0]);
    let at = Address { row: None, field: FieldName::OutlineFollowUp };
    let update = clinical::bytes::Base64(update);
    bench.edit(pharmacist, DocKind::Plan, Op::Text { at, base: 0, update });
    for (field, value) in [
        (FieldName::AllergyStatement, json!("no_known")),
        (FieldName::ReviewedAllergies, json!(true)),
        (FieldName::ReviewedImmunizations, json!(true)),
        (FieldName::OutlineNoGoalReason, json!("none")),
        (FieldName::OutlineNoTouchpointReason, json!("none")),
        (FieldName::OutlineDuration, json!({ "start": "2026-03-02", "planned_end": "2026-09" })),
        (FieldName::OutlineInteractionFrequency, json!("monthly")),
    ] {
        let at = Address { row: None, field };
        let op = Op::Set { at, base: Base::Rev(0), value: Phi::new(Some(value)) };
        bench.edit(pharmacist, DocKind::Plan, op);
    }
    bench.commit(DocKind::Plan);
    let seen = bench.stored_doc(DocKind::Plan).seq();
    bench.with(|session, now, _fresh| {
        session.sign(now, pharmacist, None, doc_id(DocKind::Plan), edit_id(9_000), seen, &facts)
    });
    bench.commit(DocKind::Plan);
    assert!(bench.stored_doc(DocKind::Plan).sealed(), "{:?}", bench.heard(pharmacist));
}

#[test]
fn readings_taken_at_home_are_not_written_by_who_may_not() {
    use clinical::fhir::chart::{ChartRow, ResourceRef};
    use clinical::field::FieldName;
    use clinical::measure::{Measure, MeasureKind, MeasureSource};
    use clinical::value::Value;

    let mut bench = Bench::new();
    let mut chart = chart(&["Lisinopril 10 MG"]);
    let reading = Measure {
        kind: MeasureKind::BloodPressure,
        value: "132/84".to_owned(),
        unit: "mm[Hg]".to_owned(),
        at: "2026-11-29".to_owned(),
        source: MeasureSource::Patient,
    };
    chart.rows.push(ChartRow {
        list: ListName::HomeReadings,
        values: [(FieldName::HomeReadingsContent, Value::of(&reading).unwrap())].into(),
        texts: [].into(),
        source: ResourceRef { entry: 9, kind: "Observation".to_owned(), id: None },
        version: None,
        sha256: String::new(),
    });
    let keys = bench.keys(&chart);
    assert_eq!(keys.len(), 2);

    let taken = bench.accept(RPH, &chart, &keys).unwrap();

    assert_eq!((taken.accepted.len(), taken.refused.len()), (1, 1));
    assert_eq!(taken.refused[0].1, RecordRefusal::NotAllowed);
    assert!(!bench.asked.contains_key(&doc_id(DocKind::Voice)));
}
