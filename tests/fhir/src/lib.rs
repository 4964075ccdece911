//! Invented records for tests of what leaves the server: every list and field filled by chance, with conflicts, removed
//! rows, texts nobody would like to escape, and values as odd as the parsers allow. The same seed gives the same record.

use std::collections::BTreeMap;

use clinical::actor::{Actor, Author, Millis, Role};
use clinical::bytes::Base64;
use clinical::doc::{Doc, Import};
use clinical::fhir::PatientFacts;
use clinical::fhir::chart::{RecordNumber, Sex};
use clinical::fhir::export::Writer;
use clinical::field::{Address, DocKind, FieldKind, FieldName, ListName, Place, Presence};
use clinical::id::{DocId, EditId, PersonId, RowId, SeatId};
use clinical::phi::Phi;
use clinical::register::{Candidate, Register};
use clinical::value::{PartialDate, Value};
use clinical::view::{ListRows, RegisterAt, Snapshot, TextAt, View};
use serde_json::{Value as Json, json};
use uuid::Uuid;

/// Chance with a seed (xorshift64*).
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// A throw of its own for each seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `most`.
    pub const fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_shr(11) % most
    }

    /// Once in `times`.
    pub const fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of them.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()].clone()
    }

    fn uuid(&mut self) -> Uuid {
        let high = u128::from(self.below(u64::MAX));
        Uuid::from_u128((high << 64) | (0x7 << 76) | u128::from(self.below(u64::MAX)) | (2 << 62))
    }
}

/// A pharmacist, a provider, a nurse, a patient and a caregiver.
pub fn people() -> BTreeMap<PersonId, Writer> {
    let of =
        |n: u128, name: &str, role| (person(n), Writer { name: Phi::new(name.to_owned()), role });
    BTreeMap::from([
        of(1, "Ana Reyes, PharmD", Role::Pharmacist),
        of(2, "Dr. Priya Raman", Role::Pcp),
        of(3, "Sam O'Neil & <b>Co</b>", Role::Nurse),
        of(4, "Ruth Delgado", Role::Patient),
        of(5, "Elena", Role::Caregiver),
    ])
}

/// One of [`people`], from 1.
pub const fn person(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0003_0000_0000 | n))
}

/// A patient with a little of everything.
pub fn patient() -> PatientFacts {
    PatientFacts {
        name: Phi::new("Ruth María Delgado".to_owned()),
        given: Phi::new("Ruth María".to_owned()),
        family: Phi::new("Delgado".to_owned()),
        birth_date: PartialDate::parse("1951-06-30").map(Phi::new),
        sex: Phi::new(Sex::Female),
        language: Some(Phi::new("es-US".to_owned())),
        phones: vec![Phi::new("+1 307 555 0101".to_owned()), Phi::new("307 555 0102".to_owned())],
        emails: vec![Phi::new("ruth@example.org".to_owned())],
        record_numbers: vec![RecordNumber {
            system: "urn:oid:1.2.3".to_owned(),
            value: Phi::new("MRN-1".to_owned()),
        }],
        deceased: None,
    }
}

/// A whole record: the rows and fields of all three documents in one snapshot.
pub fn record(seed: u64) -> Snapshot {
    let mut dice = Dice::new(seed);
    let mut snapshot = Snapshot::default();
    let mut rows: BTreeMap<ListName, Vec<RowId>> = BTreeMap::new();
    for list in ListName::ALL {
        let count = dice.below(5);
        rows.insert(*list, (0..count).map(|_row| RowId(dice.uuid())).collect());
    }
    for (list, ids) in &rows {
        if !ids.is_empty() {
            snapshot.lists.push(ListRows { list: *list, rows: ids.clone() });
        }
        for id in ids {
            if dice.one_in(12) {
                let removed = Presence::Removed { reason: "not hers".to_owned() };
                let at = Address { row: Some(*id), field: FieldName::Presence };
                let register = held(&mut dice, Some(Value::of(&removed).unwrap()));
                snapshot.registers.push(RegisterAt { at, register });
            }
        }
    }
    for field in FieldName::ALL {
        let spots: Vec<Option<RowId>> = match field.place() {
            Place::Row(list) | Place::About(list) => {
                rows.get(&list).unwrap().iter().copied().map(Some).collect()
            }
            Place::Document => vec![None],
            Place::EveryRow => Vec::new(),
        };
        for row in spots {
            // Some fields of a row are never written.
            if dice.one_in(4) {
                continue;
            }
            let at = Address { row, field: *field };
            match field.kind() {
                FieldKind::Text { limit } => {
                    let words: String = text(&mut dice).chars().take(limit).collect();
                    if !words.is_empty() {
                        let state = typed(&words);
                        snapshot.texts.push(TextAt { at, rev: 3, state, merged: None });
                    }
                }
                FieldKind::Register | FieldKind::Command => {
                    let register = register(&mut dice, *field, &rows);
                    snapshot.registers.push(RegisterAt { at, register });
                }
            }
        }
    }
    snapshot
}

fn register(dice: &mut Dice, field: FieldName, rows: &BTreeMap<ListName, Vec<RowId>>) -> Register {
    let one = |dice: &mut Dice| {
        let json = value(dice, field, rows);
        Some(field.parse(&json).unwrap_or_else(|wrong| panic!("{field}: {wrong}: {json}")))
    };
    let append_only = matches!(field.place(), Place::Row(list) if list.append_only());
    if field.kind() == FieldKind::Register && !append_only && dice.one_in(8) {
        let candidates = (0..2)
            .map(|n| Candidate {
                value: if dice.one_in(6) { None } else { one(dice) },
                rev: 4 + n,
                by: author(dice),
                at_ms: at(dice),
                edit: EditId(dice.uuid()),
            })
            .collect();
        return Register::Conflict { rev: 5, candidates };
    }
    let value = if dice.one_in(20) { None } else { one(dice) };
    held(dice, value)
}

fn held(dice: &mut Dice, value: Option<Value>) -> Register {
    Register::Value { value, rev: 3, by: author(dice), at_ms: at(dice) }
}

fn author(dice: &mut Dice) -> Author {
    match dice.below(7) {
        0 => Author::Import,
        // Somebody whose name is not known.
        6 => Author::Seat(Actor { person: person(9), seat: SeatId(Uuid::nil()), role: Role::Chw }),
        n => Author::Seat(Actor {
            person: person(u128::from(n)),
            seat: SeatId(Uuid::nil()),
            role: Role::Pharmacist,
        }),
    }
}

fn at(dice: &mut Dice) -> Millis {
    Millis(1_764_000_000_000 + i64::try_from(dice.below(40_000_000_000)).unwrap())
}

/// A text as one Yjs update: what an import writes.
fn typed(words: &str) -> Base64 {
    let mut doc = Doc::new(DocId(Uuid::nil()), DocKind::Team);
    let at = Address { row: None, field: FieldName::Note };
    let items = [Import::Text { at, words: words.to_owned() }];
    doc.import(Millis(0), &items, || EditId(Uuid::nil())).unwrap();
    doc.snapshot(View::Full).texts.remove(0).state
}

/// Words as people type and charts hold them.
fn line(dice: &mut Dice) -> String {
    dice.pick(&[
        "Lisinopril 10 MG Oral Tablet",
        "blood pressure",
        "  leading and  double blanks ",
        "<script>alert(1)</script> & \"quotes\"",
        "Ibuprofeno — niño 😀 \u{2028}",
        "5 mg\nper day",
        "take_with_food",
        "0190a000-0000-7000-8000-000000000001",
        "{\"json\": true}",
        "]]> <!-- -->",
        "a",
        "-",
        "Metformin 500 mg, 2 times a day with food; not on Sundays",
    ])
    .to_owned()
}

fn text(dice: &mut Dice) -> String {
    let lines: Vec<String> = (0..=dice.below(3)).map(|_line| line(dice)).collect();
    let control = if dice.one_in(9) { "\u{1}\u{1b}" } else { "" };
    format!("{}{control}", lines.join("\n"))
}

fn cut(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

fn day(dice: &mut Dice) -> &'static str {
    dice.pick(&["2019", "2020-02", "2024-02-29", "2026-11-24", "1899-12-31"])
}

fn sig(dice: &mut Dice) -> Json {
    let mut sig = json!({ "text": line(dice) });
    if dice.one_in(2) {
        sig["dose"] = json!({
            "value": dice.pick(&["1", "0.5", "2.125", "10000"]),
            "unit": dice.pick(&["tablet", "mg", "tab", "puff (90 mcg)", "mL"]),
        });
    }
    if dice.one_in(2) {
        sig["freq"] = json!({
            "count": dice.below(24) + 1, "period": dice.below(365) + 1,
            "unit": dice.pick(&["h", "d", "wk", "mo"]),
        });
        if dice.one_in(2) {
            sig["freq"]["meal"] = json!(dice.pick(&["before", "with", "after"]));
        }
    }
    if dice.one_in(2) {
        sig["times"] =
            dice.pick(&[json!(["morning"]), json!(["noon", "bedtime"]), json!(["evening"])]);
    }
    if dice.one_in(3) {
        sig["prn"] = json!({ "reason": dice.pick(&["", "pain", " <b> "]) });
    }
    if dice.one_in(4) {
        sig["max_per_day"] = json!("4");
    }
    if dice.one_in(2) {
        sig["route"] = json!(dice.pick(&["oral", "inhaled", "other", "rectal"]));
    }
    sig
}

fn code(dice: &mut Dice) -> Json {
    dice.pick(&[
        json!({ "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "314076" }),
        json!({ "system": "http://snomed.info/sct", "code": "38341003" }),
        json!({ "system": "not a uri", "code": "x" }),
        json!({ "system": "urn:oid:1.2", "code": " bad  code " }),
    ])
}

fn few(dice: &mut Dice, rows: &BTreeMap<ListName, Vec<RowId>>, list: ListName) -> Vec<RowId> {
    let mut picked = rows.get(&list).unwrap().clone();
    picked.truncate(usize::try_from(dice.below(4)).unwrap());
    if dice.one_in(6) {
        // Somebody removed it long ago.
        picked.push(RowId(dice.uuid()));
    }
    picked
}

fn measure(dice: &mut Dice) -> Json {
    let (kind, value, unit) = dice.pick(&[
        ("blood_pressure", "137.39980562052983/84", "mm[Hg]"),
        ("blood_pressure", "high", ""),
        ("weight", "71.50", "kg"),
        ("hba1c", "<5.0", "%"),
        ("egfr", ">=90", "mL/min/{1.73_m2}"),
        ("inr", "2.5", ""),
        ("potassium", "4.1", "not a unit"),
        ("heart_rate", "72", "/min"),
    ]);
    json!({
        "kind": kind, "value": value, "unit": unit,
        "at": dice.pick(&["2026-11-24T10:00:00Z", "2026-11-24", "2026", "2026-11-24T10:00", "this morning"]),
        "source": dice.pick(&["chart", "patient", "staff"]),
    })
}

fn value(dice: &mut Dice, field: FieldName, rows: &BTreeMap<ListName, Vec<RowId>>) -> Json {
    match field {
        FieldName::Presence => json!({ "state": "present" }),
        FieldName::Signed => json!({ "version": 1, "sha256": "0".repeat(64) }),
        FieldName::Revision => json!({ "of": 1, "reason": line(dice) }),
        FieldName::Receipts => json!([{ "of": 1, "what": { "kind": "has_questions", "text": line(dice) }, "by": person(1), "at_ms": 1_764_000_000_000_u64 }]),
        FieldName::Addenda => json!([{ "of": 1, "text": line(dice), "by": person(1), "at_ms": 1_764_000_000_000_u64 }]),
        FieldName::MedsKind => json!(dice.pick(&["rx", "otc", "vitamin", "herbal", "device", "sample"])),
        FieldName::MedsProduct => {
            let mut product = json!({ "name": line(dice) });
            if dice.one_in(2) {
                product["code"] = code(dice);
            }
            if dice.one_in(2) {
                product["strength_form"] = json!("10 mg tablet");
            }
            product
        }
        FieldName::MedsSig | FieldName::MedsPrescribedSig => sig(dice),
        FieldName::MedsSupply => json!({ "days": 90, "last_fill": day(dice) }),
        FieldName::MedsStart | FieldName::ProblemsDue => json!(day(dice)),
        FieldName::MedsSources => dice.pick(&[json!(["ehr", "patient"]), json!([]), json!(["bottle"])]),
        FieldName::MedsDiscrepancy => json!({ "kind": "dose", "resolution": line(dice) }),
        FieldName::MedsSensitivity => json!(dice.pick(&["none", "none", "part2"])),
        FieldName::MedsStatus => dice.pick(&[
            json!({ "state": "active" }),
            json!({ "state": "on_hold" }),
            json!({ "state": "stopped", "date": "2018", "reason": "cough" }),
            json!({ "state": "stopped", "reason": "" }),
            json!({ "state": "entered_in_error" }),
        ]),
        FieldName::MedsVerify => dice.pick(&[
            json!({ "state": "unverified" }),
            json!({ "state": "bottle_seen" }),
            json!({ "state": "could_not_verify", "reason": "no bottle" }),
        ]),
        FieldName::MedsAdherence => json!({
            "taking": dice.pick(&["as_prescribed", "differently", "not_taking", "unknown"]),
            "reason": dice.pick(&["", "forgets"]), "missed_per_7d": 3,
        }),
        FieldName::MedsIndicated
        | FieldName::MedsEffective
        | FieldName::MedsSafe
        | FieldName::MedsAdherent => {
            json!({ "answer": dice.pick(&["yes", "no", "unsure", "n_a"]), "note": line(dice) })
        }
        FieldName::AllergiesContent => json!({
            "substance": line(dice), "reactions": dice.pick(&[vec![], vec!["hives"], vec!["a\nb", "c"], vec![" "]]),
            "severity": dice.pick(&["mild", "moderate", "severe"]), "source": "patient",
        }),
        FieldName::AllergyStatement => json!(dice.pick(&["unknown", "no_known", "listed"])),
        FieldName::ImmunizationsContent => {
            let mut shot = json!({ "vaccine": line(dice) });
            if dice.one_in(2) {
                shot["date"] = json!(day(dice));
                shot["code"] = code(dice);
            }
            shot
        }
        FieldName::ConditionsContent => json!({
            "text": line(dice), "status": dice.pick(&["active", "inactive"]), "onset": day(dice), "code": code(dice),
        }),
        FieldName::MeasuresContent | FieldName::HomeReadingsContent => measure(dice),
        FieldName::ProblemsCategory => json!(dice.pick(&[
            "needs_therapy", "unnecessary", "ineffective", "dose_too_low", "adverse_reaction", "dose_too_high",
            "needs_monitoring", "adherence", "cost",
        ])),
        FieldName::ProblemsStatement => {
            json!({ "condition": line(dice), "med_ids": few(dice, rows, ListName::Meds) })
        }
        FieldName::ProblemsSeverity => json!(dice.pick(&["high", "moderate", "low"])),
        FieldName::ProblemsUrgency => json!(dice.pick(&["today", "this_week", "next_visit"])),
        FieldName::ProblemsEvidence => json!(few(dice, rows, ListName::Measures)),
        FieldName::GoalsProblems => json!(few(dice, rows, ListName::Problems)),
        FieldName::ProblemsOutcome => {
            json!(dice.pick(&["resolved", "improved", "unchanged", "worsened", "withdrawn"]))
        }
        FieldName::ProblemsPatientPriority => json!(dice.below(3) + 1),
        FieldName::RecommendationsContent => {
            let mut content = json!({
                "action": dice.pick(&["start", "stop", "hold", "change_dose", "change_drug", "monitor", "educate",
                    "refer", "no_change"]),
                "summary": line(dice),
            });
            let some = |dice: &mut Dice, list| few(dice, rows, list).first().copied();
            if let Some(problem) = some(dice, ListName::Problems) {
                content["problem"] = json!(problem);
            }
            if let Some(med) = some(dice, ListName::Meds) {
                content["med"] = json!(med);
            }
            if dice.one_in(2) {
                content["regimen"] = sig(dice);
            }
            content
        }
        FieldName::RecommendationsState => {
            json!(dice.pick(&["draft", "sent", "accepted", "accepted_modified", "declined", "implemented", "verified", "withdrawn"]))
        }
        FieldName::RecommendationsDecision => dice.pick(&[
            json!({ "by": person(2), "outcome": "accepted" }),
            json!({ "by": person(2), "outcome": "declined", "reason": "needs_visit", "note": "later" }),
            json!({ "by": person(2), "outcome": "accepted_modified", "note": "half" }),
        ]),
        FieldName::RecommendationsAddressee => dice.pick(&[
            json!({ "name": "Dr. Amy Chen" }),
            json!({ "name": "Dr. Priya Raman", "person": person(2) }),
        ]),
        FieldName::RecommendationsReplaces | FieldName::WhatIDidTodo | FieldName::MedsBecause => {
            json!(RowId(dice.uuid()))
        }
        FieldName::DismissalsContent => {
            json!({ "code": "no_indication", "at": [{ "field": "meds.sig" }], "reason": line(dice) })
        }
        FieldName::GoalsOwner => json!(dice.pick(&["patient", "team"])),
        FieldName::GoalsAchievement => {
            json!(dice.pick(&["in_progress", "achieved", "not_achieved", "sustaining", "not_attainable"]))
        }
        FieldName::TeachBacksContent => {
            json!({ "message": line(dice), "result": dice.pick(&["understood", "re_explained"]) })
        }
        FieldName::CareTeamContent => json!({
            "name": cut(&line(dice), 100), "role": dice.pick(&["", "daughter"]), "phone": "307 555",
            "fax": dice.pick(&["", "307 556"]), "npi": "1234567893",
        }),
        FieldName::CommentsAbout => json!({ "field": "meds.sig" }),
        FieldName::Referral => json!({ "source": "pcp", "referrer": cut(&line(dice), 100) }),
        FieldName::Identification => json!({ "criteria": ["adr_risk", "transitions"], "reason": line(dice) }),
        FieldName::OutlineDuration => json!({ "start": "2026-02", "planned_end": "2026-08" }),
        FieldName::ContactPreference => json!({ "format": "phone", "times": line(dice) }),
        FieldName::TodosConfidence => json!(dice.below(11)),
        FieldName::RemarksAbout => json!({ "kind": dice.pick(&["question", "idea"]) }),
        FieldName::RemarksState => json!("open"),
        FieldName::ConsentsContent => json!({
            "kind": dice.pick(&["telehealth", "info_sharing", "mtm"]),
            "state": dice.pick(&["given", "declined", "withdrawn"]),
            "method": "verbal", "witness": "Sam Lee", "scope": line(dice),
        }),
        FieldName::AccessContent => json!({
            "subject": dice.pick(&[
                json!({ "kind": "role", "role": "chw" }),
                json!({ "kind": "person", "person": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "Sam Lee" }),
            ]),
            "level": dice.pick(&["none", "listen", "edit_voice", "legal", "as_role"]),
            "reason": line(dice),
        }),
        FieldName::TasksContent => json!({ "title": line(dice), "assignee": "front desk", "due": day(dice) }),
        FieldName::TasksStatus => {
            json!(dice.pick(&["open", "accepted", "in_progress", "done", "declined", "cancelled"]))
        }
        FieldName::GoalsTarget => {
            json!({ "measure": "weight", "value": cut(&line(dice), 100), "due": day(dice) })
        }
        FieldName::TodosShouldDo => json!({
            "text": line(dice), "when": "by Friday", "med_ids": few(dice, rows, ListName::Meds),
        }),
        FieldName::MedsCostConcern
        | FieldName::MedsHighAlert
        | FieldName::MedsControlled
        | FieldName::ReviewedAllergies
        | FieldName::ReviewedImmunizations
        | FieldName::QuestionsAnswered
        | FieldName::RecommendationsSeen
        | FieldName::TodosTick
        | FieldName::Share => json!(dice.one_in(2)),
        FieldName::TouchpointsContent => json!({
            "purpose": line(dice), "when": "in two weeks", "due": day(dice), "format": "video",
            "members": ["pharmacist", "patient"],
        }),
        FieldName::TouchpointsState => json!({
            "step": dice.pick(&["planned", "booked", "done", "missed", "cancelled"]),
            "booked": {
                "visit": "0190a000-0000-7000-8000-000000000007", "starts": "2026-12-08T10:00",
                "zone": "America/New_York", "starts_ms": 1_796_742_000_000_i64, "minutes": 30,
                "format": dice.pick(&["video", "phone", "in_person"]),
                "with": [
                    { "role": "patient", "name": "Ruth Delgado" },
                    { "role": "pharmacist", "name": cut(&line(dice), 100) },
                ],
            },
            "moved_from": "2026-12-01T09:30", "on": "2026-11-29",
        }),
        FieldName::RecommendationsAuthority => json!({ "kind": "recommend" }),
        FieldName::RecommendationsUnderAgreement => json!({
            "agreement": "0190a000-0000-7000-8000-000000000001", "entries": 3, "day": "2026-11-30",
            "physician": cut(&line(dice), 100), "condition": cut(&line(dice), 100),
            "reasons": [{ "code": "dose_out_of_range", "about": "80 mg (10 mg – 40 mg)" }],
        }),
        FieldName::OutlineWhenToCall => json!({ "call": line(dice), "emergency": "" }),
        FieldName::ProblemsPlainText
        | FieldName::MedsIndication
        | FieldName::MedsPrescriber
        | FieldName::MedsPharmacy
        | FieldName::MedsAsTaken
        | FieldName::ProblemsNoActionReason
        | FieldName::ProblemsResponsible
        | FieldName::RecommendationsReference
        | FieldName::RecommendationsImplemented
        | FieldName::RecommendationsVerified
        | FieldName::RecommendationsWithdrawn
        | FieldName::TouchpointsNote
        | FieldName::OutlineInteractionFrequency
        | FieldName::OutlineNoGoalReason
        | FieldName::OutlineNoTouchpointReason => json!(line(dice)),
        FieldName::MedsHowItFeels
        | FieldName::ProblemsAssociation
        | FieldName::ProblemsEvidenceNote
        | FieldName::RecommendationsRationale
        | FieldName::CommentsText
        | FieldName::OutlineAdherenceProcess
        | FieldName::OutlineEducationNotes
        | FieldName::FactorsCulture
        | FieldName::FactorsValues
        | FieldName::FactorsHome
        | FieldName::FactorsSocial
        | FieldName::FactorsLifestyle
        | FieldName::FactorsLiteracy
        | FieldName::FactorsFunction
        | FieldName::FactorsCost
        | FieldName::TodosBarrier
        | FieldName::WhatIDidText
        | FieldName::RemarksText
        | FieldName::WorkingThoughts
        | FieldName::GoalsText
        | FieldName::TodosTalkedAbout
        | FieldName::OutlineSummary
        | FieldName::OutlineFollowUp
        | FieldName::MyGoals
        | FieldName::MyConcerns
        | FieldName::QuestionsText
        | FieldName::Note => json!(line(dice)),
    }
}
