//! `signaling/fixtures/fold`: what the browser's fold is tested with. `MORTAR_BLESS=1` writes them anew.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clinical::actor::{Millis, Role};
use clinical::change::Change;
use clinical::command::Command;
use clinical::doc::Import;
use clinical::edit::Op;
use clinical::field::{DocKind, FieldName, ListName};
use clinical::view::{Snapshot, View};
use serde_json::{Value as Json, json};

use crate::common::*;
use crate::world::{Dice, World};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../signaling/fixtures/fold")
}

fn words(snapshot: &Snapshot) -> BTreeMap<String, String> {
    snapshot.words().unwrap().into_iter().map(|(at, words)| (at.to_string(), words)).collect()
}

/// Collects fixtures and compares them with the files at the end.
struct Book(BTreeMap<String, Json>);

impl Book {
    /// What one reader had, the change they were sent, what they have then.
    fn keep(&mut self, name: &str, before: &Snapshot, change: &Change, after: &Snapshot) {
        let mut folded = before.clone();
        folded.fold(change).unwrap();
        assert_eq!(&folded, after, "{name}");
        let fixture =
            json!({ "before": before, "change": change, "after": after, "texts": words(after) });
        assert!(self.0.insert(name.to_owned(), fixture).is_none(), "{name} twice");
    }

    fn edit(
        &mut self,
        name: &str,
        bench: &mut Bench,
        by: &clinical::actor::Actor,
        op: Op,
    ) -> Change {
        let before = bench.doc.snapshot(View::Full);
        let before_patient = bench.doc.snapshot(View::PatientSide);
        let change = bench.apply(by, op).unwrap();
        self.both(name, bench, &before, &before_patient, &change);
        change
    }

    fn command(
        &mut self,
        name: &str,
        bench: &mut Bench,
        by: &clinical::actor::Actor,
        command: &Command,
    ) -> Change {
        let before = bench.doc.snapshot(View::Full);
        let before_patient = bench.doc.snapshot(View::PatientSide);
        let change = bench.command(by, command, bench.doc.seq()).unwrap();
        self.both(name, bench, &before, &before_patient, &change);
        change
    }

    fn both(
        &mut self,
        name: &str,
        bench: &Bench,
        before: &Snapshot,
        before_patient: &Snapshot,
        change: &Change,
    ) {
        self.keep(name, before, change, &bench.doc.snapshot(View::Full));
        let projected = bench.doc.project_change(change, View::PatientSide);
        if let Some(change) = projected
            && bench.doc.kind() == DocKind::Plan
        {
            let after = bench.doc.snapshot(View::PatientSide);
            self.keep(&format!("{name}.patient"), before_patient, &change, &after);
        }
    }
}

fn all() -> BTreeMap<String, Json> {
    let mut book = Book(BTreeMap::new());
    let mut bench = Bench::new(DocKind::Plan);
    let bench = &mut bench;
    let (rph, pcp, nurse) = (pharmacist(), pcp(), nurse());

    let sig_at = at(row(1), FieldName::MedsSig);
    let first = book.edit(
        "added",
        bench,
        &rph,
        add(
            ListName::Meds,
            row(1),
            &[
                (FieldName::MedsSig, sig("10 mg daily")),
                (FieldName::MedsVerify, json!({ "state": "unverified" })),
            ],
        ),
    );
    let second =
        Op::Add { list: ListName::Meds, row: row(2), after: Some(row(1)), values: BTreeMap::new() };
    book.edit("added_below", bench, &nurse, second);
    book.edit("set_empty", bench, &nurse, set(at(row(2), FieldName::MedsSig), 0, sig("1 tablet")));
    let five = book.edit("set_value", bench, &rph, set(sig_at, first.seq, sig("5 mg daily")));
    book.edit("agreed", bench, &nurse, set(sig_at, first.seq, sig("5 mg daily")));
    let clear = Op::Set {
        at: at(row(2), FieldName::MedsSig),
        base: clinical::edit::Base::Rev(3),
        value: clinical::phi::Phi::new(None),
    };
    book.edit("set_cleared", bench, &rph, clear);
    let twenty = book.edit("conflicted", bench, &pcp, set(sig_at, first.seq, sig("20 mg daily")));
    let third = book.edit(
        "conflicted_more",
        bench,
        &actor(4, Role::Pcp),
        set(sig_at, first.seq, sig("15 mg daily")),
    );
    book.edit("agreed_in_conflict", bench, &nurse, set(sig_at, first.seq, sig("20 mg daily")));
    book.edit(
        "resolved",
        bench,
        &pcp,
        resolve(sig_at, &[five.seq, twenty.seq, third.seq], sig("20 mg daily")),
    );
    book.edit("moved", bench, &rph, Op::Move { row: row(1), after: Some(row(2)) });
    book.edit("moved_to_top", bench, &rph, Op::Move { row: row(1), after: None });
    let seen = bench.doc.seq();
    let gone = book.edit("tombstoned", bench, &pcp, tombstone(row(2), seen, "listed twice"));
    book.edit(
        "contested",
        bench,
        &nurse,
        set(at(row(2), FieldName::MedsVerify), 0, json!({ "state": "bottle_seen" })),
    );
    let seen = vec![gone.seq, bench.doc.seq()];
    book.edit(
        "resolved_presence",
        bench,
        &pcp,
        resolve(
            at(row(2), FieldName::Presence),
            &seen,
            json!({ "state": "removed", "reason": "listed twice" }),
        ),
    );
    let seen = bench.doc.seq();
    book.edit("restored", bench, &pcp, Op::Restore { row: row(2), seen });
    book.edit("conflicted_presence", bench, &rph, tombstone(row(2), 3, "listed twice"));

    let follow_up = whole(FieldName::OutlineFollowUp);
    let (one, two) = (Pen::new(1), Pen::new(2));
    let update = one.write(0, "Call me on 5 March 💊.");
    two.read(&update);
    let text = book.edit("text_new", bench, &rph, typed(follow_up, 0, update));
    let update = one.erase(0, 4);
    book.edit("text_deleted", bench, &rph, typed(follow_up, text.seq, update));
    let update = two.write(11, "1");
    let merged = book.edit("text_merged", bench, &pcp, typed(follow_up, text.seq, update));
    book.edit("reviewed", bench, &rph, Op::Reviewed { at: follow_up, seen: merged.seq });
    book.edit(
        "added_problem",
        bench,
        &rph,
        add(
            ListName::Problems,
            row(5),
            &[
                (FieldName::ProblemsSeverity, json!("high")),
                (FieldName::ProblemsPlainText, json!("Your ankles swell.")),
            ],
        ),
    );
    book.edit(
        "text_hidden",
        bench,
        &rph,
        typed(at(row(5), FieldName::ProblemsAssociation), 0, Pen::new(1).write(0, "Amlodipine.")),
    );

    for n in [7, 8] {
        let content = json!({ "action": "change_dose", "summary": format!("Proposal {n}.") });
        let op =
            add(ListName::Recommendations, row(n), &[(FieldName::RecommendationsContent, content)]);
        book.edit(&format!("added_draft_{n}"), bench, &rph, op);
    }
    book.command("sent", bench, &rph, &Command::SendRecommendation { row: row(7) });
    let decide = json!({ "kind": "decide", "row": row(7), "outcome": "accepted_modified", "regimen": { "text": "5 mg daily" }, "note": "Half is enough." });
    book.command("decided", bench, &pcp, &serde_json::from_value(decide).unwrap());
    book.command("shared", bench, &rph, &Command::Share);
    let start =
        json!({ "action": "start", "summary": "Start it.", "regimen": { "text": "10 mg" } });
    let values = [(FieldName::RecommendationsContent, start)];
    bench.apply(&rph, add(ListName::Recommendations, row(9), &values)).unwrap();
    let send = Command::SendRecommendation { row: row(9) };
    bench.command(&rph, &send, bench.doc.seq()).unwrap();
    let list = json!({ "day": "2026-11-29", "row": row(3), "product": { "name": "rosuvastatin" } });
    let decide = json!({ "kind": "decide", "row": row(9), "outcome": "accepted", "list": list });
    book.command("decided_list", bench, &pcp, &serde_json::from_value(decide).unwrap());
    book.edit("moved_below_draft", bench, &rph, Op::Move { row: row(7), after: Some(row(8)) });

    imports(&mut book);
    book.0.insert("random".to_owned(), random());
    book.0
}

fn imports(book: &mut Book) {
    let mut bench = Bench::new(DocKind::Plan);
    let values = [(FieldName::MedsPrescribedSig, sig("10 mg daily"))];
    let values = values.iter().map(|(field, json)| (*field, field.parse(json).unwrap())).collect();
    let statement = FieldName::AllergyStatement;
    let items = [
        Import::Row { list: ListName::Meds, row: row(1), values },
        Import::Field { field: statement, value: statement.parse(&json!("listed")).unwrap() },
        Import::Row { list: ListName::Goals, row: row(2), values: BTreeMap::new() },
        Import::Text {
            at: at(row(2), FieldName::GoalsText),
            words: "Walk to the shop.".to_owned(),
        },
    ];
    for (n, item) in items.iter().enumerate() {
        let before = bench.doc.snapshot(View::Full);
        let before_patient = bench.doc.snapshot(View::PatientSide);
        let id = bench.id();
        let change =
            bench.doc.import(Millis(T0), std::slice::from_ref(item), || id).unwrap().remove(0);
        book.both(&format!("imported_{n}"), &bench, &before, &before_patient, &change);
    }
}

/// Two hundred changes of a random story; the document after every twentieth.
fn random() -> Json {
    let mut world = World::new();
    let mut dice = Dice(2_026);
    let mut steps = Vec::new();
    let mut folded = Snapshot::default();
    while steps.len() < 200 {
        let Some(change) = world.step(dice.roll()) else { continue };
        folded.fold(&change).unwrap();
        let mut step = json!({ "change": change });
        if (steps.len() + 1) % 20 == 0 {
            step["texts"] = json!(words(&folded));
            step["after"] = json!(folded);
        }
        steps.push(step);
    }
    json!({ "before": Snapshot::default(), "steps": steps })
}

#[test]
fn the_fixtures_of_the_fold_are_fresh() {
    let folder = folder();
    let bless = std::env::var_os("MORTAR_BLESS").is_some();
    if bless {
        std::fs::create_dir_all(&folder).unwrap();
    }
    let fixtures = all();
    for (name, fixture) in &fixtures {
        let file = folder.join(format!("{name}.json"));
        let text = format!("{}\n", serde_json::to_string(fixture).unwrap());
        if bless {
            std::fs::write(&file, &text).unwrap();
        }
        let there = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(there == text, "{name}.json is stale: run this test with MORTAR_BLESS=1");
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = name.strip_suffix(".json").is_some_and(|name| fixtures.contains_key(name));
        assert!(known, "{name} is no fixture of this test");
    }
}

#[test]
fn every_kind_of_change_and_every_state_of_a_register_has_a_fixture() {
    let text = serde_json::to_string(&all()).unwrap();
    for kind in [
        "set",
        "agreed",
        "conflicted",
        "resolved",
        "added",
        "tombstoned",
        "restored",
        "moved",
        "text",
        "reviewed",
        "decided",
    ] {
        assert!(text.contains(&format!("\"kind\":\"{kind}\"")), "{kind}");
    }
    for state in ["value", "conflict"] {
        assert!(text.contains(&format!("\"state\":\"{state}\"")), "{state}");
    }
}
