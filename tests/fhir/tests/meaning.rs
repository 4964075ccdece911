//! What an export says, and what it must not say.

use std::collections::{BTreeMap, BTreeSet};

use clinical::actor::{Actor, Millis, Role};
use clinical::command::Command;
use clinical::doc::{Doc, TouchpointFacts};
use clinical::edit::{Base, Edit, Op};
use clinical::fhir::export::{
    Exported, Practice, Reader, Signed, Source, medication_profile, whole_record,
};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::id::{DocId, EditId, PatientId, RowId, SeatId, VisitId};
use clinical::phi::Phi;
use clinical::recommendation::DecisionOutcome;
use clinical::record::Record;
use clinical::touchpoint::{BookedTime, Expected, LocalHour, Step, TouchpointFormat};
use clinical::value::PartialDate;
use clinical::view::View;
use fhir as plans;
use serde_json::{Value as Json, json};
use uuid::Uuid;

/// A plan and a clock.
struct Bench {
    doc: Doc,
    now: i64,
    /// When booked visits took place.
    held: BTreeMap<VisitId, Millis>,
}

fn actor(n: u128, role: Role) -> Actor {
    Actor { person: plans::person(n), seat: SeatId(Uuid::from_u128(n)), role }
}

fn pharmacist() -> Actor {
    actor(1, Role::Pharmacist)
}

fn pcp() -> Actor {
    actor(2, Role::Pcp)
}

const fn row(n: u128) -> RowId {
    RowId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | n))
}

impl Bench {
    fn new() -> Self {
        let doc = Doc::new(DocId(Uuid::from_u128(1)), DocKind::Plan);
        Self { doc, now: 1_795_000_000_000, held: BTreeMap::new() }
    }

    fn edit(&mut self, by: &Actor, op: Op) -> u64 {
        self.now += 60_000;
        let edit = Edit { id: EditId(Uuid::now_v7()), op, typed_ago_ms: None };
        self.doc.apply(Millis(self.now), by, None, &edit, &BTreeSet::new()).unwrap().seq
    }

    fn add(&mut self, list: ListName, id: RowId, values: &[(FieldName, Json)]) -> u64 {
        let values: BTreeMap<_, _> =
            values.iter().map(|(field, json)| (*field, Phi::new(json.clone()))).collect();
        self.edit(&pharmacist(), Op::Add { list, row: id, after: None, values })
    }

    fn set(&mut self, by: &Actor, id: RowId, field: FieldName, base: u64, value: Json) -> u64 {
        let at = Address { row: Some(id), field };
        self.edit(by, Op::Set { at, base: Base::Rev(base), value: Phi::new(Some(value)) })
    }

    fn command(&mut self, by: &Actor, command: &Command) {
        self.now += 60_000;
        let (id, seen) = (EditId(Uuid::now_v7()), self.doc.seq());
        self.doc.command(Millis(self.now), by, None, id, command, seen).unwrap();
    }

    fn medicine(&mut self, n: u128, name: &str) -> u64 {
        let values = [
            (FieldName::MedsProduct, json!({ "name": name })),
            (FieldName::MedsStatus, json!({ "state": "active" })),
        ];
        self.add(ListName::Meds, row(n), &values)
    }

    fn exported(&self, reader: Reader, make: fn(&Source<'_>) -> Exported) -> (Json, usize) {
        let record = Record::of(&[&self.doc.snapshot(View::Full)]).unwrap();
        let source = Source {
            record: &record,
            patient: &plans::patient(),
            patient_id: PatientId(Uuid::from_u128(11)),
            people: &plans::people(),
            author: plans::person(1),
            practice: &Practice { name: "Harbor Street".to_owned(), phone: String::new() },
            signed: Some(Signed {
                id: Uuid::from_u128(7),
                version: 1,
                by: plans::person(1),
                at_ms: Millis(self.now),
            }),
            document: Uuid::from_u128(12),
            reader,
            held: &self.held,
            now: Millis(self.now),
            today: PartialDate::of(Millis(self.now)),
        };
        let Exported { json, withheld } = make(&source);
        (serde_json::from_str(&json).unwrap(), withheld)
    }
}

fn resources<'j>(bundle: &'j Json, kind: &str) -> Vec<&'j Json> {
    let entries = bundle["entry"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| &entry["resource"])
        .filter(|one| one["resourceType"] == kind)
        .collect()
}

fn mitigations(bundle: &Json) -> Vec<String> {
    let issue = resources(bundle, "DetectedIssue")[0];
    let steps = issue["mitigation"].as_array().cloned().unwrap_or_default();
    steps
        .iter()
        .map(|step| step["action"]["coding"][0]["code"].as_str().unwrap().to_owned())
        .collect()
}

/// Simvastatin with verapamil, and what was recommended (scenario A2).
fn interaction() -> Bench {
    let mut bench = Bench::new();
    bench.medicine(1, "Simvastatin 20 MG Oral Tablet");
    bench.medicine(2, "Verapamil Hydrochloride 40 MG");
    bench.add(
        ListName::Problems,
        row(3),
        &[
            (FieldName::ProblemsCategory, json!("adverse_reaction")),
            (FieldName::ProblemsStatement, json!({ "condition": "", "med_ids": [row(1), row(2)] })),
            (FieldName::ProblemsSeverity, json!("high")),
        ],
    );
    let content = json!({
        "problem": row(3), "action": "change_drug", "med": row(1),
        "summary": "Stop simvastatin. Start rosuvastatin 10 mg daily.",
    });
    bench.add(ListName::Recommendations, row(4), &[(FieldName::RecommendationsContent, content)]);
    bench
}

#[test]
fn a_mitigation_is_written_when_it_happened_and_not_before() {
    let mut bench = interaction();
    let steps =
        |bench: &Bench| mitigations(&bench.exported(Reader::Elsewhere, medication_profile).0);
    assert!(steps(&bench).is_empty(), "a draft reached nobody");

    bench.command(&pharmacist(), &Command::SendRecommendation { row: row(4) });
    assert_eq!(steps(&bench), ["5"]);

    let note = Phi::new("Rosuvastatin 5 mg to begin with.".to_owned());
    let outcome = DecisionOutcome::AcceptedModified;
    bench.command(
        &pcp(),
        &Command::Decide { row: row(4), outcome, regimen: None, reason: None, note, list: None },
    );
    assert_eq!(steps(&bench), ["5"], "agreed is not yet done");

    bench.set(
        &pcp(),
        row(1),
        FieldName::MedsStatus,
        1,
        json!({ "state": "stopped", "reason": "" }),
    );
    assert_eq!(steps(&bench), ["5", "13"]);

    bench.medicine(5, "Rosuvastatin 5 MG Oral Tablet");
    assert_eq!(steps(&bench), ["5", "13", "11"]);

    let (bundle, _) = bench.exported(Reader::Elsewhere, medication_profile);
    let issue = resources(&bundle, "DetectedIssue")[0];
    assert_eq!(issue["code"]["coding"][0]["code"], "DRG");
    assert_eq!(issue["implicated"].as_array().unwrap().len(), 2);
    assert_eq!(resources(&bundle, "Composition")[0]["attester"][0]["mode"], "professional");
}

#[test]
fn of_a_sig_in_conflict_both_stand_in_words_and_none_as_the_dosage() {
    let mut bench = Bench::new();
    bench.medicine(1, "Lisinopril");
    let first =
        bench.set(&pharmacist(), row(1), FieldName::MedsSig, 0, json!({ "text": "2.5 mg" }));
    bench.set(&pharmacist(), row(1), FieldName::MedsSig, first, json!({ "text": "5 mg daily" }));
    bench.set(&pcp(), row(1), FieldName::MedsSig, first, json!({ "text": "20 mg daily" }));

    let (bundle, _) = bench.exported(Reader::Elsewhere, whole_record);

    let statement = resources(&bundle, "MedicationStatement")[0];
    assert_eq!(statement.get("dosage"), None);
    let note = statement["note"][0]["text"].as_str().unwrap();
    for said in ["5 mg daily", "20 mg daily", "Ana Reyes, PharmD", "Dr. Priya Raman"] {
        assert!(note.contains(said), "{note}");
        let told = statement["text"]["div"].as_str().unwrap();
        assert!(told.contains(said), "{told}");
    }
}

#[test]
fn a_medicine_two_people_named_has_no_code_and_says_why() {
    let mut bench = Bench::new();
    bench.medicine(1, "Lisinopril");
    let coded = |name: &str| json!({ "name": name, "code": { "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": name } });
    bench.set(&pharmacist(), row(1), FieldName::MedsProduct, 1, coded("314076"));
    bench.set(&pcp(), row(1), FieldName::MedsProduct, 1, coded("314077"));

    let (bundle, _) = bench.exported(Reader::Elsewhere, medication_profile);

    let medicine = &resources(&bundle, "MedicationStatement")[0]["medicationCodeableConcept"];
    assert_eq!(medicine.get("coding"), None);
    assert!(medicine["extension"][0]["url"].as_str().unwrap().ends_with("data-absent-reason"));
    let text = medicine["text"].as_str().unwrap();
    assert!(text.contains("314076") && text.contains("314077"), "{text}");
}

#[test]
fn a_plan_without_a_problem_is_a_list_and_no_action_plan() {
    let mut bench = Bench::new();
    bench.medicine(1, "Lisinopril");

    let (bundle, _) = bench.exported(Reader::Elsewhere, medication_profile);

    assert_eq!(bundle["type"], "collection");
    assert!(bundle["meta"]["profile"][0].as_str().unwrap().ends_with("/smp-bundle"));
    assert!(resources(&bundle, "AllergyIntolerance").is_empty(), "nobody asked about allergies");
}

#[test]
fn what_is_not_taken_is_not_active() {
    let mut bench = Bench::new();
    bench.medicine(1, "Lisinopril");
    bench.set(
        &pharmacist(),
        row(1),
        FieldName::MedsAdherence,
        0,
        json!({ "taking": "not_taking" }),
    );

    let (bundle, _) = bench.exported(Reader::Elsewhere, medication_profile);

    assert_eq!(resources(&bundle, "MedicationStatement")[0]["status"], "not-taken");
}

#[test]
fn a_record_under_part_2_leaves_for_the_patient_and_for_nobody_else_without_consent() {
    let mut bench = interaction();
    bench.set(&pharmacist(), row(1), FieldName::MedsSensitivity, 0, json!("part2"));

    let (elsewhere, withheld) = bench.exported(Reader::Elsewhere, whole_record);
    let (own, nothing) = bench.exported(Reader::Patient, whole_record);

    // The medicine, the problem that names it and the recommendation about both.
    assert_eq!((withheld, nothing), (3, 0));
    assert!(!elsewhere.to_string().to_lowercase().contains("simvastatin"));
    assert_eq!(resources(&own, "MedicationStatement").len(), 2);
    assert_eq!(own["meta"]["security"][0]["code"], "42CFRPart2");
    assert!(own.to_string().contains("42 CFR part 2 prohibits"));
}

#[test]
fn the_same_record_makes_the_same_bytes() {
    let bench = interaction();

    assert_eq!(
        bench.exported(Reader::Elsewhere, whole_record),
        bench.exported(Reader::Elsewhere, whole_record)
    );
}

/// FHIR R4, Appointment: `app-2` and `app-3` ask for a start and an end of everything that is no proposal.
#[test]
fn an_appointment_says_whether_it_is_booked_was_kept_or_missed_and_when_where_that_is_known() {
    const HOUR: i64 = 3_600_000;
    let mut bench = Bench::new();
    let content = json!({ "purpose": "Pressure", "when": "in two weeks", "format": "video" });
    bench.add(ListName::Touchpoints, row(1), &[(FieldName::TouchpointsContent, content)]);
    let visit = VisitId(Uuid::from_u128(70));
    let starts = Millis(bench.now + 24 * HOUR);
    let expected = |role, name: &str| Expected { role, name: name.to_owned() };
    let time = BookedTime {
        visit,
        starts: LocalHour::parse("2026-11-19T06:08").unwrap(),
        zone: "America/New_York".to_owned(),
        starts_ms: starts,
        minutes: 30,
        format: TouchpointFormat::Video,
        with: vec![expected(Role::Patient, "Ruth Delgado"), expected(Role::Nurse, "Sam Lee")],
    };
    let step = |bench: &mut Bench, step: &Step| {
        let booked = bench.doc.touchpoint(row(1)).and_then(|state| state.booked);
        let facts = TouchpointFacts {
            visit: booked.map(|booked| booked.visit),
            held: false,
            today: PartialDate::parse("2026-11-20").unwrap(),
        };
        let (id, seen) = (EditId(Uuid::now_v7()), bench.doc.seq());
        let now = Millis(bench.now);
        bench.doc.step(now, &pharmacist(), None, id, row(1), step, seen, &facts).unwrap();
    };
    let told = |bench: &Bench| {
        let (bundle, _) = bench.exported(Reader::Elsewhere, whole_record);
        let plan = resources(&bundle, "CarePlan")[0].clone();
        let made = resources(&bundle, "Appointment")[0].clone();
        let named = format!("urn:uuid:{}", made["id"].as_str().unwrap());
        assert_eq!(plan["activity"], json!([{ "reference": { "reference": named } }]));
        made
    };

    let proposed = told(&bench);
    assert_eq!((&proposed["status"], proposed.get("start")), (&json!("proposed"), None));
    step(&mut bench, &Step::Book(time));
    let booked = told(&bench);
    assert_eq!((&booked["status"], &booked["minutesDuration"]), (&json!("booked"), &json!(30)));
    let start = booked["start"].as_str().unwrap();
    assert_eq!(start, "2026-11-19T11:07:40.000Z", "the instant, not the wall's hour");
    assert!(booked["end"].as_str().unwrap() > start);
    let people = booked["participant"].as_array().unwrap();
    assert_eq!(people.len(), 2, "the patient once");
    assert_eq!(people[1]["actor"]["display"], json!("Sam Lee (nurse)"));

    bench.now = starts.0 + HOUR;
    assert_eq!(told(&bench)["status"], json!("noshow"), "nobody came");
    bench.held.insert(visit, starts);
    assert_eq!(told(&bench)["status"], json!("fulfilled"), "it was held");
    step(&mut bench, &Step::Cancel { note: "moved away".to_owned() });
    assert_eq!(told(&bench)["status"], json!("cancelled"));
    step(&mut bench, &Step::Reopen { note: String::new() });
    let on = PartialDate::parse("2026-11-19").unwrap();
    step(&mut bench, &Step::Done { on, note: "by phone".to_owned() });
    let done = told(&bench);
    assert_eq!((&done["status"], done.get("start")), (&json!("fulfilled"), None));
    assert_eq!(done["_start"]["extension"][0]["valueCode"], json!("unknown"));
    assert!(done["comment"].as_str().unwrap().ends_with("by phone"), "{done}");
}
