//! Charts imported twice, row by row.

use uuid::Uuid;

use super::*;
use crate::actor::{Actor, Millis, Role};
use crate::doc::{Import, Take};
use crate::edit::{Base, Edit, EditError, Op};
use crate::fhir::read;
use crate::id::{DocId, EditId, PersonId, SeatId};
use crate::value::PartialDate;

const NOW: Millis = Millis(1_800_000_000_000);

/// A record with its documents, and what its imports left behind.
struct Bench {
    plan: Doc,
    voice: Doc,
    known: Known,
    next: u128,
}

fn chart(entries: &str) -> Chart {
    let text = format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[
            {{"resource":{{"resourceType":"Patient","id":"p","name":[{{"family":"Testudo"}}]}}}}{}{entries}]}}"#,
        if entries.is_empty() { "" } else { "," }
    );
    read(text.as_bytes(), &PartialDate::of(NOW)).unwrap()
}

fn resource(kind: &str, id: &str, members: &str) -> String {
    let subject = match kind {
        "AllergyIntolerance" | "Immunization" => "patient",
        _ => "subject",
    };
    format!(
        r#"{{"resource":{{"resourceType":"{kind}","id":"{id}","{subject}":{{"reference":"Patient/p"}},{members}}}}}"#
    )
}

fn med(id: &str, name: &str, status: &str, dosage: &str) -> String {
    let dosage = if dosage.is_empty() {
        String::new()
    } else {
        format!(r#","dosageInstruction":[{{"text":"{dosage}"}}]"#)
    };
    let members = format!(
        r#""status":"{status}","intent":"order","medicationCodeableConcept":{{"text":"{name}"}}{dosage}"#
    );
    resource("MedicationRequest", id, &members)
}

impl Bench {
    fn new(chart: &Chart) -> Self {
        let doc = |n, kind| Doc::new(DocId(Uuid::from_u128(n)), kind);
        let mut bench = Self {
            plan: doc(1, DocKind::Plan),
            voice: doc(2, DocKind::Voice),
            known: Known::default(),
            next: 100,
        };
        let mut origins = Vec::new();
        let mut items = Vec::new();
        for read in chart.rows.clone() {
            let row = RowId(bench.id());
            origins.push(Origin::of(row, &read));
            let ChartRow { list, values, texts, .. } = as_imported(read);
            items.push(Import::Row { list, row, values });
            items.extend(texts.into_iter().map(|(field, words)| Import::Text {
                at: Address { row: Some(row), field },
                words: words.into_exposed(),
            }));
        }
        let value = Value::trusted(&chart.allergy_statement);
        items.push(Import::Field { field: FieldName::AllergyStatement, value });
        let mut next = bench.next;
        bench
            .plan
            .import(NOW, &items, || {
                next += 1;
                EditId(Uuid::from_u128(next))
            })
            .unwrap();
        bench.next = next;
        bench.known.note(origins, Some(chart.allergy_statement));
        bench
    }

    fn id(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    fn compare(&self, chart: &Chart) -> Comparison {
        compare(chart, &[&self.plan, &self.voice], &self.known)
    }

    /// What differs, in words: "meds.status changed", "new", "kept meds.sig".
    fn told(&self, chart: &Chart) -> Vec<String> {
        self.compare(chart).differences.iter().map(|one| said(&one.told)).collect()
    }

    fn only(&self, list: ListName) -> RowId {
        let rows = self.plan.rows(list);
        assert_eq!(rows.len(), 1);
        rows[0]
    }

    fn type_in(&mut self, row: RowId, field: FieldName, value: serde_json::Value) {
        let at = Address { row: Some(row), field };
        let base = Base::Rev(self.plan.register(&at).rev());
        let op = Op::Set { at, base, value: Phi::new(Some(value)) };
        let edit = Edit { id: EditId(self.id()), op, typed_ago_ms: None };
        self.plan.apply(NOW, &pharmacist(), None, &edit, &BTreeSet::new()).unwrap();
    }

    /// Accepts a difference as the session does.
    fn accept(&mut self, one: &Difference) -> Result<(), EditError> {
        let take = match &one.told {
            Told::New { values, .. } => {
                let (list, row) = (one.list.unwrap(), RowId(self.id()));
                Take::Row { list, row, values: values.clone() }
            }
            Told::Changed { field, chart, choice, .. } => {
                let at = Address { row: one.row, field: *field };
                let over = (!choice).then(|| self.plan.register(&at).rev());
                Take::Field { at, value: chart.clone(), over }
            }
            other => panic!("{other:?} is not for accepting"),
        };
        let id = EditId(self.id());
        self.plan.take(NOW, &pharmacist(), id, &take).map(|_change| ())
    }
}

fn said(told: &Told) -> String {
    match told {
        Told::New { like, no_dosage, .. } => format!(
            "new{}{}",
            if like.is_some() { " like" } else { "" },
            if *no_dosage { " no_dosage" } else { "" }
        ),
        Told::Changed { field, choice, .. } => {
            format!("{field}{}", if *choice { " choice" } else { "" })
        }
        Told::Kept { field, .. } => format!("kept {field}"),
        Told::Removed => "removed".to_owned(),
        Told::Absent => "absent".to_owned(),
    }
}

fn pharmacist() -> Actor {
    let (person, seat) = (PersonId(Uuid::from_u128(7)), SeatId(Uuid::from_u128(8)));
    Actor { person, seat, role: Role::Pharmacist }
}

#[test]
fn the_very_same_file_changes_nothing() {
    let first = chart(
        &[
            med("m", "Lisinopril 10 MG Oral Tablet", "active", "1 tablet daily"),
            med("n", "Simvastatin 20 MG Oral Tablet", "active", ""),
            resource("AllergyIntolerance", "a", r#""code":{"text":"penicillin"}"#),
            resource("Condition", "c", r#""code":{"text":"Hypertension"}"#),
        ]
        .join(","),
    );
    let bench = Bench::new(&first);

    let comparison = bench.compare(&first);

    assert_eq!(comparison.differences, []);
    assert_eq!(comparison.same.values().sum::<usize>(), 4);
    assert!(comparison.agreed.iter().all(|origin| !bench.known.is_news(origin)));
}

#[test]
fn each_kind_of_change_is_told_row_by_row() {
    let bench = Bench::new(&chart(
        &[
            med("m", "Lisinopril 10 MG Oral Tablet", "active", "1 tablet daily"),
            med("n", "Simvastatin 20 MG Oral Tablet", "active", "1 tablet at night"),
            med("o", "Aspirin 81 MG Oral Tablet", "active", ""),
        ]
        .join(","),
    ));
    let later = chart(
        &[
            med("m", "Lisinopril 10 MG Oral Tablet", "active", "1 tablet twice daily"),
            med("n", "Simvastatin 20 MG Oral Tablet", "stopped", "1 tablet at night"),
            med("q", "Rosuvastatin 10 MG Oral Tablet", "active", ""),
            med("r", "Lisinopril 20 MG Oral Tablet", "active", "1 tablet daily"),
            resource("AllergyIntolerance", "a", r#""code":{"text":"penicillin"}"#),
            resource(
                "Observation",
                "w",
                r#""status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"effectiveDateTime":"2026-01-02","valueQuantity":{"value":80,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}"#,
            ),
        ]
        .join(","),
    );

    let comparison = bench.compare(&later);

    let told: Vec<(Option<ListName>, String, String)> = comparison
        .differences
        .iter()
        .map(|one| (one.list, one.name.expose().clone(), said(&one.told)))
        .collect();
    let is = |list, name: &str, what: &str| {
        assert!(
            told.contains(&(Some(list), name.to_owned(), what.to_owned())),
            "{name} {what} is not in {told:?}"
        );
    };
    is(ListName::Meds, "Lisinopril 10 MG Oral Tablet", "meds.prescribed_sig");
    is(ListName::Meds, "Simvastatin 20 MG Oral Tablet", "meds.status");
    is(ListName::Meds, "Rosuvastatin 10 MG Oral Tablet", "new no_dosage");
    is(ListName::Meds, "Lisinopril 20 MG Oral Tablet", "new like");
    is(ListName::Meds, "Aspirin 81 MG Oral Tablet", "absent");
    is(ListName::Allergies, "penicillin", "new");
    is(ListName::Measures, "", "new");
    assert!(told.iter().any(|(list, _, what)| list.is_none() && what == "allergy_statement"));
    assert_eq!(told.len(), 8, "{told:?}");
}

#[test]
fn what_is_accepted_stands_once_and_the_file_says_nothing_new_afterwards() {
    let mut bench =
        Bench::new(&chart(&med("m", "Lisinopril 10 MG Oral Tablet", "active", "1 tablet daily")));
    let later = chart(
        &[
            med("m", "Lisinopril 10 MG Oral Tablet", "active", "1 tablet twice daily"),
            med("q", "Rosuvastatin 10 MG Oral Tablet", "active", ""),
        ]
        .join(","),
    );

    let comparison = bench.compare(&later);
    assert_eq!(comparison.differences.len(), 2);
    for one in &comparison.differences {
        bench.accept(one).unwrap();
    }

    assert_eq!(bench.told(&later), [""; 0]);
    assert_eq!(bench.plan.rows(ListName::Meds).len(), 2);
    let row = bench.plan.rows(ListName::Meds)[0];
    let sig = |field| bench.plan.register(&Address { row: Some(row), field }).clone();
    let Register::Value { value: Some(sig), by, .. } = sig(FieldName::MedsPrescribedSig) else {
        panic!("a value")
    };
    assert_eq!(sig.read::<crate::medication::Sig>().unwrap().text, "1 tablet twice daily");
    assert_eq!(by, Author::Seat(pharmacist()));
}

#[test]
fn what_people_typed_stays_and_a_second_word_of_the_chart_is_a_choice_of_both() {
    let first = chart(&resource(
        "MedicationRequest",
        "m",
        r#""status":"active","intent":"order","medicationCodeableConcept":{"text":"Lisinopril 10 MG Oral Tablet"},"reasonCode":[{"text":"blood pressure"}]"#,
    ));
    let mut bench = Bench::new(&first);
    let row = bench.only(ListName::Meds);
    bench.type_in(row, FieldName::MedsSig, serde_json::json!({ "text": "half a tablet" }));
    bench.type_in(row, FieldName::MedsIndication, serde_json::json!("high blood pressure"));

    // The chart says what it said: people know better, and it is no news.
    assert_eq!(bench.told(&first), ["kept meds.indication"]);
    let later = chart(&resource(
        "MedicationRequest",
        "m",
        r#""status":"active","intent":"order","medicationCodeableConcept":{"text":"Lisinopril 10 MG Oral Tablet"},"reasonCode":[{"text":"heart failure"}],"dosageInstruction":[{"text":"1 tablet daily"}]"#,
    ));
    assert_eq!(bench.told(&later), ["meds.prescribed_sig", "meds.indication choice"]);

    for one in &bench.compare(&later).differences {
        bench.accept(one).unwrap();
    }

    let held = |field| bench.plan.register(&Address { row: Some(row), field }).clone();
    let Register::Conflict { candidates, .. } = held(FieldName::MedsIndication) else {
        panic!("both values stand")
    };
    let said: Vec<String> =
        candidates.iter().map(|one| one.value.as_ref().unwrap().read().unwrap()).collect();
    assert_eq!(said, ["high blood pressure", "heart failure"]);
    let sig = held(FieldName::MedsSig).value().unwrap().read::<crate::medication::Sig>().unwrap();
    assert_eq!(sig.text, "half a tablet");
    assert_eq!(bench.told(&later), [""; 0], "the choice is a person's now");
}

#[test]
fn ids_that_collide_prove_nothing() {
    let mut bench =
        Bench::new(&chart(&med("1", "Lisinopril 10 MG Oral Tablet", "active", "1 tablet daily")));
    let other = chart(&med("1", "Warfarin 5 MG Oral Tablet", "active", "1 tablet daily"));

    assert_eq!(bench.told(&other), ["new", "absent"]);
    // A file that names a row of ours by its id, with another medicine in it.
    let row = bench.only(ListName::Meds);
    let stolen = chart(&med(&row.to_string(), "Warfarin 5 MG Oral Tablet", "active", "1 daily"));
    assert_eq!(bench.told(&stolen), ["new", "absent"]);
    for one in bench.compare(&stolen).differences.iter().filter(|one| one.told.is_open()) {
        bench.accept(one).unwrap();
    }
    assert_eq!(bench.plan.rows(ListName::Meds).len(), 2);
}

#[test]
fn a_row_that_was_taken_out_stays_out() {
    let first = chart(&med("m", "Lisinopril 10 MG Oral Tablet", "active", "1 tablet daily"));
    let mut bench = Bench::new(&first);
    let row = bench.only(ListName::Meds);
    let op = Op::Tombstone { row, seen: bench.plan.seq(), reason: Phi::new("twice".to_owned()) };
    let edit = Edit { id: EditId(bench.id()), op, typed_ago_ms: None };
    bench.plan.apply(NOW, &pharmacist(), None, &edit, &BTreeSet::new()).unwrap();

    assert_eq!(bench.told(&first), ["removed"]);
    let take = Take::Field {
        at: Address { row: Some(row), field: FieldName::MedsPrescribedSig },
        value: Value::trusted(&serde_json::json!({ "text": "2 tablets" })),
        over: Some(1),
    };
    let id = EditId(bench.id());
    assert_eq!(bench.plan.take(NOW, &pharmacist(), id, &take), Err(EditError::RowRemoved));
}

#[test]
fn a_key_names_what_was_shown_and_nothing_else() {
    let mut bench =
        Bench::new(&chart(&med("m", "Lisinopril 10 MG Oral Tablet", "active", "1 tablet daily")));
    let stopped = chart(&med("m", "Lisinopril 10 MG Oral Tablet", "stopped", "1 tablet daily"));
    let before = bench.compare(&stopped).differences;

    assert_eq!(bench.compare(&stopped).differences, before);
    let row = bench.only(ListName::Meds);
    bench.type_in(row, FieldName::MedsStatus, serde_json::json!({ "state": "on_hold" }));
    let after = bench.compare(&stopped).differences;
    assert_eq!(after.len(), 1);
    assert_ne!(after[0].key, before[0].key);
    assert!(matches!(after[0].told, Told::Changed { choice: true, .. }));
}

#[test]
fn a_medicine_that_stands_twice_is_found_by_its_state() {
    let both = chart(
        &[
            med("x", "Simvastatin 20 MG Oral Tablet", "active", "1 at night"),
            med("y", "Simvastatin 20 MG Oral Tablet", "stopped", "2 at night"),
        ]
        .join(","),
    );
    let mut bench = Bench::new(&both);
    bench.known = Known::default();
    // The same two from a source that numbers otherwise, and the other way round.
    let renamed = chart(
        &[
            med("2", "Simvastatin 20 MG Oral Tablet", "stopped", "2 at night"),
            med("1", "Simvastatin 20 MG Oral Tablet", "active", "1 at night"),
        ]
        .join(","),
    );

    assert_eq!(bench.told(&renamed), [""; 0]);
}

#[test]
fn absent_is_not_negative_and_no_known_allergies_meets_what_people_wrote() {
    let nothing = chart("");
    let mut bench = Bench::new(&nothing);
    let none = chart(&resource(
        "AllergyIntolerance",
        "a",
        r#""code":{"coding":[{"system":"http://snomed.info/sct","code":"716186003"}],"text":"No known allergy"},"clinicalStatus":{"coding":[{"code":"active"}]}"#,
    ));
    assert_eq!(none.allergy_statement, AllergyStatement::NoKnown);

    assert_eq!(bench.told(&nothing), [""; 0]);
    assert_eq!(bench.told(&none), ["allergy_statement"]);
    let at = Address { row: None, field: FieldName::AllergyStatement };
    let base = Base::Rev(bench.plan.register(&at).rev());
    let op = Op::Set { at, base, value: Phi::new(Some(serde_json::json!("listed"))) };
    let edit = Edit { id: EditId(bench.id()), op, typed_ago_ms: None };
    bench.plan.apply(NOW, &pharmacist(), None, &edit, &BTreeSet::new()).unwrap();
    assert_eq!(bench.told(&none), ["allergy_statement choice"]);
}

#[test]
fn a_code_on_one_side_only_is_found_by_the_words() {
    let coded = r#""status":"active","intent":"order","medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"CODE"}],"text":"Furosemide 40 MG Oral Tablet"}"#;
    let one = |code: &str| resource("MedicationRequest", "a", &coded.replace("CODE", code));
    let bench = Bench::new(&chart(&one("313988")));
    let bare = med("z", "furosemide  40 mg oral tablet", "active", "");

    // The words differ in their spaces alone, and a chart without the code does not take it away.
    assert_eq!(bench.told(&chart(&bare)), [""; 0]);
    // Another code is another product, whatever it is called.
    assert_eq!(
        bench.told(&chart(&one("999").replace("\"a\"", "\"b\""))),
        ["new like no_dosage", "absent"]
    );
}

#[test]
fn what_a_chart_leaves_out_it_does_not_deny() {
    let full = resource(
        "AllergyIntolerance",
        "a",
        r#""code":{"text":"Penicillin"},"reaction":[{"manifestation":[{"text":"hives"}],"severity":"severe"}]"#,
    );
    let bench = Bench::new(&chart(&full));
    let bare = resource("AllergyIntolerance", "a", r#""code":{"text":"penicillin"}"#);
    let more = resource(
        "AllergyIntolerance",
        "a",
        r#""code":{"text":"Penicillin"},"reaction":[{"manifestation":[{"text":"swelling"}]}]"#,
    );

    assert_eq!(bench.told(&chart(&bare)), [""; 0]);
    assert_eq!(bench.told(&chart(&more)), ["allergies.content"]);
}

/// Whatever two charts say of one patient, in whatever order: nothing breaks, nothing people wrote is overwritten, and
/// once everything is accepted the chart has nothing more to say.
#[test]
fn accepting_everything_leaves_nothing_open_and_no_typed_value_behind() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = [
        "../demo/ruth-delgado.json",
        "../demo/harold-whitfield.json",
        "../../tests/fixtures/fhir/difficult.json",
        "../../tests/fixtures/fhir/over-89.json",
    ];
    let files: Vec<String> =
        files.iter().map(|file| std::fs::read_to_string(root.join(file)).unwrap()).collect();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % u64::try_from(below).unwrap()).unwrap()
    };
    let words = [
        ("\"active\"", "\"stopped\""),
        ("\"active\"", "\"on-hold\""),
        ("daily", "twice daily"),
        ("10 MG", "20 MG"),
        ("Oral", "oral"),
        ("\"text\"", "\"display\""),
        ("\"id\": \"m", "\"id\": \"n"),
        ("MedicationRequest", "MedicationStatement"),
    ];
    let (mut open, mut choices) = (0, 0);
    for _round in 0..120 {
        let file = &files[next(files.len())];
        let Ok(first) = read(file.as_bytes(), &PartialDate::of(NOW)) else { continue };
        let mut bench = Bench::new(&first);
        let mut typed = Vec::new();
        for row in bench.plan.rows(ListName::Meds).to_vec() {
            for (field, value, words) in [
                (FieldName::MedsIndication, serde_json::json!("typed by hand"), "typed by hand"),
                (FieldName::MedsStatus, serde_json::json!({ "state": "on_hold" }), "on_hold"),
            ] {
                if next(3) == 0 {
                    bench.type_in(row, field, value);
                    typed.push((Address { row: Some(row), field }, words));
                }
            }
        }
        let mut later = file.clone();
        for _change in 0..=next(3) {
            let (from, to) = words[next(words.len())];
            later =
                if next(2) == 0 { later.replace(from, to) } else { later.replacen(from, to, 2) };
        }
        if next(2) == 0 {
            later = later.replace("reasonCode", "reasonless");
        }
        let Ok(later) = read(later.as_bytes(), &PartialDate::of(NOW)) else { continue };
        for one in bench.compare(&later).differences.iter().filter(|one| one.told.is_open()) {
            open += 1;
            choices += usize::from(matches!(one.told, Told::Changed { choice: true, .. }));
            bench.accept(one).unwrap();
        }
        let after = bench.compare(&later).differences;
        assert!(!after.iter().any(|one| one.told.is_open()), "{after:?}");
        for (at, words) in typed {
            let held = serde_json::to_string(bench.plan.register(&at)).unwrap();
            assert!(held.contains(words), "what people wrote stays: {held}");
        }
    }
    assert!(open > 150 && choices > 20, "{open} differences, {choices} choices");
}
