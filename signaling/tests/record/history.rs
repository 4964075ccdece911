//! Who hears how a field came to say what it says.

use clinical::actor::Role;
use clinical::change::Change;
use clinical::edit::{Base, Op};
use clinical::field::{Address, DocKind, FieldName};
use clinical::phi::Phi;
use serde_json::json;
use signaling::message::{RefusalCode, ServerMessage};
use signaling::record::{Effect, Fact};

use crate::bench::*;

const CONCERNS: Address = Address { row: None, field: FieldName::ContactPreference };
const STATEMENT: Address = Address { row: None, field: FieldName::AllergyStatement };
const NOTE: Address = Address { row: None, field: FieldName::Note };

fn ask(bench: &mut Bench, role: Role, kind: DocKind, at: Address, before: Option<u64>) {
    let line = line(role, 0);
    bench.now += 1_000;
    bench.with(|session, now, _fresh| session.history(now, line, doc_id(kind), at, before));
}

/// What the log is asked for.
fn asked(bench: &Bench) -> Vec<(Address, u64)> {
    bench
        .other
        .iter()
        .filter_map(|effect| match effect {
            Effect::ReadHistory { at, before, .. } => Some((*at, *before)),
            _ => None,
        })
        .collect()
}

fn refused(bench: &Bench, role: Role) -> Vec<RefusalCode> {
    bench
        .inbox
        .iter()
        .filter(|(to, _)| *to == line(role, 0))
        .filter_map(|(_, message)| match message {
            ServerMessage::Refused { of, code } if of == "record.history" => Some(*code),
            _ => None,
        })
        .collect()
}

fn says(value: &str, base: u64) -> Op {
    Op::Set { at: STATEMENT, base: Base::Rev(base), value: Phi::new(Some(json!(value))) }
}

#[test]
fn the_team_reads_the_history_of_the_plan_and_it_is_in_the_log_of_accesses() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.edit(rph, DocKind::Plan, says("no_known", 0));
    bench.commit(DocKind::Plan);
    bench.other.clear();

    ask(&mut bench, RPH, DocKind::Plan, STATEMENT, None);

    assert_eq!(asked(&bench), [(STATEMENT, 2)]);
    let reads = bench.other.iter().filter(|effect| {
        matches!(effect, Effect::Audit(audit) if matches!(audit.fact, Fact::Read { kind: DocKind::Plan, .. }))
    });
    assert_eq!(reads.count(), 1);
}

#[test]
fn what_is_not_committed_is_not_history() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.edit(rph, DocKind::Plan, says("no_known", 0));
    bench.commit(DocKind::Plan);
    bench.edit(rph, DocKind::Plan, says("listed", 1));

    ask(&mut bench, RPH, DocKind::Plan, STATEMENT, Some(u64::MAX));

    assert_eq!(asked(&bench), [(STATEMENT, 2)], "the second change is under way");
}

#[test]
fn the_patients_side_reads_the_history_of_its_own_part_and_of_nothing_else() {
    for role in [Role::Patient, Role::Caregiver] {
        let mut bench = Bench::new();
        bench.open(RPH);
        bench.open(role);
        let share = bench.command(line(RPH, 0), &clinical::command::Command::Share, 0);
        bench.commit(DocKind::Plan);
        assert!(bench.refusals(line(RPH, 0)).is_empty(), "{share:?} is taken");
        bench.other.clear();

        ask(&mut bench, role, DocKind::Voice, CONCERNS, None);
        assert_eq!(asked(&bench).len(), 1, "{role:?} reads the own part");

        // Every field of the plan and of the team's notes, shared or not.
        for field in FieldName::ALL {
            for (kind, row) in
                [(DocKind::Plan, None), (DocKind::Plan, Some(row(1))), (DocKind::Team, None)]
            {
                ask(&mut bench, role, kind, Address { row, field: *field }, None);
            }
        }
        assert_eq!(asked(&bench).len(), 1, "{role:?} reads nothing else");
        assert!(refused(&bench, role).iter().all(|code| *code == RefusalCode::NotAllowed));
        assert_eq!(refused(&bench, role).len(), FieldName::ALL.len() * 3);
    }
}

#[test]
fn nobody_reads_the_history_of_a_document_that_is_not_open_to_them() {
    let mut bench = Bench::new();
    bench.open(Role::Chw);
    bench.other.clear();
    ask(&mut bench, Role::Chw, DocKind::Team, NOTE, None);
    ask(&mut bench, Role::Chw, DocKind::Plan, NOTE, None);
    assert_eq!(refused(&bench, Role::Chw), [RefusalCode::NotAllowed; 2]);
    // A connection that never opened the record is not even answered.
    ask(&mut bench, PCP, DocKind::Plan, STATEMENT, None);
    assert_eq!(refused(&bench, PCP), []);
    assert_eq!(asked(&bench), []);
}

#[test]
fn a_right_that_is_lost_while_the_log_is_read_is_lost() {
    let mut bench = Bench::new();
    let nurse = bench.open(Role::Nurse);
    ask(&mut bench, Role::Nurse, DocKind::Team, NOTE, None);
    bench.with(|session, _now, fresh| session.role_changed(nurse, Role::Chw, fresh));
    bench.inbox.clear();

    let effects = bench.session.history_read(nurse, doc_id(DocKind::Team), NOTE, some(), None);
    bench.take(effects);

    assert_eq!(refused(&bench, Role::Nurse), [RefusalCode::NotAllowed]);
    let told = bench
        .inbox
        .iter()
        .any(|(_, message)| matches!(message, ServerMessage::RecordHistory { .. }));
    assert!(!told, "no page leaves");
}

#[test]
fn a_page_carries_the_names_of_who_is_in_it() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.edit(rph, DocKind::Plan, says("no_known", 0));
    bench.commit(DocKind::Plan);
    let changes = bench.log.get(&doc_id(DocKind::Plan)).cloned().unwrap_or_default();

    let effects =
        bench.session.history_read(rph, doc_id(DocKind::Plan), STATEMENT, changes.clone(), Some(7));
    bench.take(effects);

    let page = bench.inbox.iter().find_map(|(to, message)| match message {
        ServerMessage::RecordHistory { at, changes, people, next, .. } if *to == rph => {
            Some((*at, changes.clone(), people.clone(), *next))
        }
        _ => None,
    });
    let (at, told, people, next) = page.expect("a page");
    assert_eq!((at, told, next), (STATEMENT, changes, Some(7)));
    assert_eq!(people.iter().map(|name| name.person).collect::<Vec<_>>(), [actor(RPH).person]);
}

#[test]
fn who_asks_without_end_is_told_to_wait() {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.other.clear();
    for _ in 0..20 {
        bench.with(|session, now, _fresh| {
            session.history(now, rph, doc_id(DocKind::Plan), STATEMENT, None)
        });
    }
    assert_eq!(asked(&bench).len(), 6);
    assert_eq!(refused(&bench, RPH), [RefusalCode::TooFast; 14]);
}

/// One change of nobody in particular.
fn some() -> Vec<Change> {
    let mut bench = Bench::new();
    let rph = bench.open(RPH);
    bench.edit(rph, DocKind::Plan, says("listed", 0));
    bench.commit(DocKind::Plan);
    bench.log.remove(&doc_id(DocKind::Plan)).unwrap_or_default()
}
