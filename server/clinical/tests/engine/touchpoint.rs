//! The way of a touchpoint through a document: booked once, moved, held or not, and on after the signature.

use clinical::actor::{Actor, Millis, Role};
use clinical::change::Change;
use clinical::command::{Command, CommandError};
use clinical::doc::TouchpointFacts;
use clinical::edit::EditError;
use clinical::field::{DocKind, FieldName, ListName};
use clinical::id::VisitId;
use clinical::phi::Phi;
use clinical::touchpoint::{
    BookedTime, Expected, LocalHour, Step, TouchpointFormat, TouchpointState, TouchpointStep,
};
use clinical::value::PartialDate;
use clinical::view::View;
use serde_json::json;

use crate::common::*;
use crate::signing::{facts as signing_facts, ready};

const HOUR: i64 = 3_600_000;

fn day(text: &str) -> PartialDate {
    PartialDate::parse(text).unwrap()
}

fn visit(n: u128) -> VisitId {
    VisitId(uuid(6, n))
}

/// A visit so many hours after the beginning of the bench.
fn time(n: u128, hours: i64) -> BookedTime {
    BookedTime {
        visit: visit(n),
        starts: LocalHour::parse("2027-01-15T10:00").unwrap(),
        zone: "America/New_York".to_owned(),
        starts_ms: Millis(T0 + hours * HOUR),
        minutes: 30,
        format: TouchpointFormat::Video,
        with: vec![Expected { role: Role::Patient, name: "Ruth Delgado".to_owned() }],
    }
}

fn agreed(frequency: &str) -> Bench {
    let mut bench = Bench::new(DocKind::Plan);
    let content = json!({ "purpose": "pressure", "when": "in two weeks", "format": "video", "frequency": frequency });
    let values = [(FieldName::TouchpointsContent, content)];
    bench.apply(&pharmacist(), add(ListName::Touchpoints, row(1), &values)).unwrap();
    bench
}

/// A step of row 1 by somebody who knows which visit is booked and has seen the plan as it is.
fn step(bench: &mut Bench, by: &Actor, step: &Step) -> Result<Change, CommandError> {
    step_of(bench, by, step, false)
}

fn step_of(bench: &mut Bench, by: &Actor, step: &Step, held: bool) -> Result<Change, CommandError> {
    let booked = bench.doc.touchpoint(row(1)).and_then(|state| state.booked);
    let facts = TouchpointFacts {
        visit: booked.map(|booked| booked.visit),
        held,
        today: day("2027-01-15"),
    };
    let seen = bench.doc.seq();
    give(bench, by, step, seen, &facts)
}

fn give(
    bench: &mut Bench,
    by: &Actor,
    step: &Step,
    seen: u64,
    facts: &TouchpointFacts,
) -> Result<Change, CommandError> {
    let id = bench.id();
    let now = Millis(bench.now);
    let change = bench.doc.step(now, by, None, id, row(1), step, seen, facts)?;
    bench.log.push(change.clone());
    Ok(change)
}

fn state(bench: &Bench) -> TouchpointState {
    bench.doc.touchpoint(row(1)).unwrap()
}

fn note(bench: &Bench) -> Option<String> {
    let at = at(row(1), FieldName::TouchpointsNote);
    bench.doc.register(&at).value().and_then(clinical::value::Value::read)
}

fn missed(words: &str) -> Step {
    Step::Missed { note: words.to_owned() }
}

fn done(on: &str) -> Step {
    Step::Done { on: day(on), note: "by phone".to_owned() }
}

fn cancel(words: &str) -> Step {
    Step::Cancel { note: words.to_owned() }
}

#[test]
fn the_whole_way_from_planned_over_missed_and_moved_to_done() {
    let mut bench = agreed("");
    let rph = pharmacist();
    assert_eq!(bench.doc.touchpoint(row(1)), None);

    step(&mut bench, &rph, &Step::Book(time(1, 24))).unwrap();
    assert_eq!(state(&bench).step, TouchpointStep::Booked);
    assert_eq!(step(&mut bench, &rph, &missed("")), Err(CommandError::YetToCome));
    bench.now = T0 + 25 * HOUR;
    step(&mut bench, &nurse(), &missed(" Nobody came. ")).unwrap();
    assert_eq!(note(&bench).as_deref(), Some("Nobody came."));
    let said_by = bench.doc.register(&at(row(1), FieldName::TouchpointsState));
    assert_eq!(said_by.authors().collect::<Vec<_>>(), [nurse().person]);

    let to = BookedTime { starts: LocalHour::parse("2027-01-16T11:30").unwrap(), ..time(2, 48) };
    let moving = Step::Move { from: visit(1), to, note: String::new() };
    step(&mut bench, &rph, &moving).unwrap();
    let moved = state(&bench);
    assert_eq!(moved.step, TouchpointStep::Booked);
    assert_eq!(moved.booked.unwrap().visit, visit(2));
    assert_eq!(moved.moved_from.unwrap().as_str(), "2027-01-15T10:00");
    assert_eq!(note(&bench), None, "why it was missed says nothing of the new time");

    bench.now = T0 + 49 * HOUR;
    step(&mut bench, &rph, &done("2027-01-15")).unwrap();
    let end = state(&bench);
    assert_eq!((end.step, end.on), (TouchpointStep::Done, Some(day("2027-01-15"))));
    assert_eq!(end.booked.unwrap().visit, visit(2), "the visit it took place in");
    for again in [done("2027-01-15"), missed(""), cancel("why"), Step::Book(time(3, 90))] {
        assert_eq!(step(&mut bench, &rph, &again), Err(CommandError::AlreadyDecided), "{again:?}");
    }
}

#[test]
fn of_two_who_book_one_row_at_once_the_second_is_told_that_it_is_booked() {
    let mut bench = agreed("");
    let seen = bench.doc.seq();
    let facts = TouchpointFacts { visit: None, held: false, today: day("2027-01-15") };
    give(&mut bench, &pharmacist(), &Step::Book(time(1, 24)), seen, &facts).unwrap();
    let before = state(&bench);

    let second = give(&mut bench, &nurse(), &Step::Book(time(2, 30)), seen, &facts);
    assert_eq!(second, Err(CommandError::AlreadyBooked));
    // Past its hour it is moved, never booked beside the visit that is there.
    bench.now = T0 + 30 * HOUR;
    let late = step(&mut bench, &nurse(), &Step::Book(time(2, 40)));
    assert_eq!(late, Err(CommandError::AlreadyBooked));
    assert_eq!(state(&bench), before);

    // And of two who move it.
    bench.now = T0;
    let to = |n| Step::Move { from: visit(1), to: time(n, 60), note: String::new() };
    let seen = bench.doc.seq();
    let facts = TouchpointFacts { visit: Some(visit(1)), ..facts };
    give(&mut bench, &pharmacist(), &to(3), seen, &facts).unwrap();
    assert_eq!(give(&mut bench, &nurse(), &to(4), seen, &facts), Err(CommandError::NotBooked));
    assert_eq!(state(&bench).booked.unwrap().visit, visit(3));
}

#[test]
fn what_was_not_seen_is_not_decided_over() {
    let mut bench = agreed("");
    let seen = bench.doc.seq();
    let facts = TouchpointFacts { visit: None, held: false, today: day("2027-01-15") };
    // Somebody changed what was agreed, and somebody booked and cancelled meanwhile.
    let change = json!({ "purpose": "weight", "when": "in a month", "format": "phone" });
    bench.apply(&nurse(), set(at(row(1), FieldName::TouchpointsContent), seen, change)).unwrap();
    let blind = give(&mut bench, &pharmacist(), &Step::Book(time(1, 24)), seen, &facts);
    assert_eq!(blind, Err(CommandError::ChangedSince));
    step(&mut bench, &pharmacist(), &Step::Book(time(1, 24))).unwrap();
    // The visit that would be cancelled with it is not the one that is booked.
    let seen = bench.doc.seq();
    let wrong = TouchpointFacts { visit: Some(visit(9)), ..facts };
    let settled = give(&mut bench, &pharmacist(), &cancel("moved away"), seen, &wrong);
    assert_eq!(settled, Err(CommandError::ChangedSince));
    assert_eq!(state(&bench).step, TouchpointStep::Booked);
}

#[test]
fn a_row_that_is_not_there_or_was_taken_out_is_not_booked_and_a_booked_one_is_not_taken_out() {
    let facts = TouchpointFacts { visit: None, held: false, today: day("2027-01-15") };
    let mut bench = Bench::new(DocKind::Plan);
    let unknown = give(&mut bench, &pharmacist(), &Step::Book(time(1, 24)), 0, &facts);
    assert_eq!(unknown, Err(CommandError::UnknownRow));
    // A row of another list is no touchpoint.
    bench.medicine(1);
    let medicine = step(&mut bench, &pharmacist(), &Step::Book(time(1, 24)));
    assert_eq!(medicine, Err(CommandError::UnknownRow));

    let mut bench = agreed("");
    let seen = bench.doc.seq();
    bench.apply(&pharmacist(), tombstone(row(1), seen, "twice")).unwrap();
    let removed = step(&mut bench, &pharmacist(), &Step::Book(time(1, 24)));
    assert_eq!(removed, Err(CommandError::UnknownRow));

    let mut bench = agreed("");
    step(&mut bench, &pharmacist(), &Step::Book(time(1, 24))).unwrap();
    let seen = bench.doc.seq();
    let out = bench.apply(&pharmacist(), tombstone(row(1), seen, "twice"));
    assert_eq!(out, Err(EditError::Booked), "its visit would be nobody's");
    step(&mut bench, &pharmacist(), &Step::Unbook { visit: visit(1) }).unwrap();
    assert_eq!(state(&bench).step, TouchpointStep::Planned);
    let seen = bench.doc.seq();
    bench.apply(&pharmacist(), tombstone(row(1), seen, "twice")).unwrap();
}

#[test]
fn done_elsewhere_drops_the_visit_that_is_to_come_and_a_day_to_come_is_refused() {
    let mut bench = agreed("");
    step(&mut bench, &pharmacist(), &Step::Book(time(1, 24))).unwrap();
    for bad in ["2027-01-16", "2027-01", "2028"] {
        let refused = step(&mut bench, &pharmacist(), &done(bad));
        assert_eq!(refused, Err(CommandError::BadDecision), "{bad}");
    }
    step(&mut bench, &pharmacist(), &done("2027-01-14")).unwrap();
    assert_eq!(state(&bench).booked, None);
    assert_eq!(note(&bench).as_deref(), Some("by phone"));
    // Said by mistake: it is owed again.
    step(&mut bench, &pharmacist(), &Step::Reopen { note: String::new() }).unwrap();
    assert_eq!(state(&bench).step, TouchpointStep::Planned);
    assert_eq!(note(&bench), None);
}

#[test]
fn to_cancel_takes_a_reason_and_a_message_takes_no_hour() {
    let mut bench = agreed("");
    assert_eq!(step(&mut bench, &pharmacist(), &cancel("  ")), Err(CommandError::BadDecision));
    let long = "x".repeat(501);
    assert_eq!(step(&mut bench, &pharmacist(), &cancel(&long)), Err(CommandError::BadDecision));
    let message = BookedTime { format: TouchpointFormat::Message, ..time(1, 24) };
    let message = step(&mut bench, &pharmacist(), &Step::Book(message));
    assert_eq!(message, Err(CommandError::BadDecision));
    step(&mut bench, &pharmacist(), &cancel("The patient moves away.")).unwrap();
    assert_eq!(state(&bench).step, TouchpointStep::Cancelled);
    let again = step(&mut bench, &pharmacist(), &Step::Book(time(1, 24)));
    assert_eq!(again, Err(CommandError::AlreadyDecided));
}

#[test]
fn what_comes_again_is_booked_again_once_it_was_held_and_what_comes_once_is_not() {
    for (frequency, expected) in
        [("every two weeks", None), ("", Some(CommandError::AlreadyBooked))]
    {
        let mut bench = agreed(frequency);
        step(&mut bench, &pharmacist(), &Step::Book(time(1, 24))).unwrap();
        let early = step(&mut bench, &pharmacist(), &Step::Book(time(2, 48)));
        assert_eq!(early, Err(CommandError::AlreadyBooked), "nobody met yet");
        let next = step_of(&mut bench, &pharmacist(), &Step::Book(time(2, 48)), true);
        assert_eq!(next.err(), expected, "{frequency}");
        let moving = Step::Move { from: visit(1), to: time(3, 60), note: String::new() };
        if expected.is_some() {
            let held = step_of(&mut bench, &pharmacist(), &moving, true);
            assert_eq!(held, Err(CommandError::AlreadyDecided), "what took place is not moved");
        }
    }
}

#[test]
fn missed_too_soon_by_mistake_is_booked_again_as_long_as_its_hour_is_not_over() {
    let mut bench = agreed("");
    step(&mut bench, &pharmacist(), &Step::Book(time(1, 24))).unwrap();
    bench.now = T0 + 24 * HOUR + 5 * 60_000;
    step(&mut bench, &pharmacist(), &missed("")).unwrap();
    step(&mut bench, &pharmacist(), &Step::Reopen { note: String::new() }).unwrap();
    assert_eq!(state(&bench).booked.unwrap().visit, visit(1));
    bench.now = T0 + 25 * HOUR;
    step(&mut bench, &pharmacist(), &missed("")).unwrap();
    step(&mut bench, &pharmacist(), &Step::Reopen { note: String::new() }).unwrap();
    assert_eq!(state(&bench).step, TouchpointStep::Planned);
}

#[test]
fn it_goes_on_after_the_signature_and_the_version_does_not_change() {
    let mut bench = ready();
    let (rph, seen) = (pharmacist(), bench.doc.seq());
    let id = bench.id();
    let now = Millis(bench.now);
    let (_, version) = bench.doc.sign(now, &rph, None, id, seen, &signing_facts()).unwrap();
    let sealed = json!({ "purpose": "other", "when": "never", "format": "phone" });
    let rev = bench.doc.rev_of(&at(row(5), FieldName::TouchpointsContent));
    let edit = set(at(row(5), FieldName::TouchpointsContent), rev, sealed);
    assert_eq!(bench.apply(&rph, edit), Err(EditError::Sealed));

    let facts = TouchpointFacts { visit: None, held: false, today: day("2027-01-15") };
    let (id, seen) = (bench.id(), bench.doc.seq());
    let book = Step::Book(time(1, 24));
    bench.doc.step(now, &nurse(), None, id, row(5), &book, seen, &facts).unwrap();

    assert!(bench.doc.sealed(), "no revision was opened");
    let signed = bench.doc.signed().unwrap();
    assert_eq!((signed.version, &signed.sha256), (1, &version.sha256));
    // A revision takes what became of it along.
    let reason = Phi::new("new pressure".to_owned());
    bench.command(&rph, &Command::Revise { reason }, bench.doc.seq()).unwrap();
    assert_eq!(bench.doc.touchpoint(row(5)).unwrap().booked.unwrap().visit, visit(1));
    let (id, seen) = (bench.id(), bench.doc.seq());
    let (_, next) = bench.doc.sign(now, &rph, None, id, seen, &signing_facts()).unwrap();
    let words = String::from_utf8(next.content.into_exposed()).unwrap();
    for beside in ["touchpoints.state", "touchpoints.note"] {
        assert!(!words.contains(beside), "what became of it is not what was agreed");
    }
}

#[test]
fn the_patients_side_is_told_the_hour_and_not_the_words_about_it() {
    let mut bench = agreed("");
    let side = |bench: &Bench, change: &Change| {
        let told = bench.doc.project_change(change, View::PatientSide);
        serde_json::to_string(&told).unwrap()
    };
    let change = step(&mut bench, &pharmacist(), &Step::Book(time(1, 24))).unwrap();
    assert!(side(&bench, &change).contains("2027-01-15T10:00"));
    bench.now = T0 + 25 * HOUR;
    let change = step(&mut bench, &pharmacist(), &missed("Third time this year.")).unwrap();
    let told = side(&bench, &change);
    assert!(told.contains("missed") && !told.contains("Third time"), "{told}");
}

#[test]
fn a_visit_that_took_place_is_neither_unbooked_nor_said_to_be_missed() {
    let mut bench = agreed("");
    step(&mut bench, &pharmacist(), &Step::Book(time(1, 24))).unwrap();
    bench.now = T0 + 25 * HOUR;
    for wrong in [Step::Unbook { visit: visit(1) }, missed("")] {
        let refused = step_of(&mut bench, &pharmacist(), &wrong, true);
        assert_eq!(refused, Err(CommandError::AlreadyDecided), "{wrong:?}");
    }
    assert_eq!(state(&bench).booked.unwrap().visit, visit(1));
}

#[test]
fn a_missed_visit_that_is_cancelled_is_booked_no_more_and_why_it_was_missed_stays() {
    let mut bench = agreed("");
    step(&mut bench, &pharmacist(), &Step::Book(time(1, 24))).unwrap();
    bench.now = T0 + 24 * HOUR + 60_000;
    step(&mut bench, &nurse(), &missed("Nobody came.")).unwrap();
    let other = step(&mut bench, &nurse(), &Step::Unbook { visit: visit(2) });
    assert_eq!(other, Err(CommandError::NotBooked));
    step(&mut bench, &nurse(), &Step::Unbook { visit: visit(1) }).unwrap();
    assert_eq!((state(&bench).step, state(&bench).booked), (TouchpointStep::Missed, None));
    assert_eq!(note(&bench).as_deref(), Some("Nobody came."));
    // Whoever moved it at the same time is told, and it is not booked again with a visit that is dead.
    let moving = Step::Move { from: visit(1), to: time(2, 48), note: String::new() };
    assert_eq!(step(&mut bench, &nurse(), &moving), Err(CommandError::NotBooked));
    step(&mut bench, &nurse(), &Step::Reopen { note: String::new() }).unwrap();
    assert_eq!((state(&bench).step, state(&bench).booked), (TouchpointStep::Planned, None));
}
