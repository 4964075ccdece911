//! Three people, six edits of one dose, every order of sending and every amount of having seen.

use clinical::change::What;
use clinical::edit::Base;
use clinical::edit::Op;
use clinical::field::DocKind;
use clinical::id::EditId;
use clinical::phi::Phi;
use clinical::register::Register;
use clinical::view::Snapshot;

use crate::common::*;

/// Who sends, having seen how many of the changes so far.
type Send = (usize, usize);

fn run(sends: &[Send]) -> usize {
    let mut bench = Bench::new(DocKind::Plan);
    let (dose, _rev) = bench.medicine(1);
    let people = [pharmacist(), pcp(), nurse()];
    let mut own: [Option<(EditId, u64)>; 3] = [None; 3];
    let mut typed = vec!["10 mg daily".to_owned()];
    for (n, (who, seen)) in sends.iter().enumerate() {
        let mut copy = Snapshot::default();
        // A refused edit made no change to be seen.
        let seen = (*seen).min(bench.log.len() - 1);
        for change in &bench.log[..=seen] {
            copy.fold(change).unwrap();
        }
        let register =
            copy.registers.iter().find(|r| r.at == dose).map(|r| r.register.clone()).unwrap();
        let text = format!("{n} mg");
        let pending = own[*who].filter(|(_, seq)| *seq > seen as u64 + 1);
        let value = Phi::new(Some(sig(&text)));
        let op = match (&register, pending) {
            (_, Some((edit, _))) => Op::Set { at: dose, base: Base::Mine(edit), value },
            (Register::Conflict { candidates, .. }, None) => {
                let seen = candidates.iter().map(|candidate| candidate.rev).collect();
                Op::Resolve { at: dose, seen, value }
            }
            (Register::Value { rev, .. }, None) => {
                Op::Set { at: dose, base: Base::Rev(*rev), value }
            }
            (Register::Empty, None) => unreachable!(),
        };
        let before = bench.doc.register(&dose).clone();
        let Ok(change) = bench.apply(&people[*who], op) else {
            // Refused: what was typed stays on its author's screen.
            assert_eq!(bench.doc.register(&dose), &before);
            own[*who] = None;
            continue;
        };
        typed.push(text.clone());
        own[*who] = Some((change.edit, change.seq));
        let unseen = |rev: u64| rev > seen as u64 + 1;
        match (&change.what, &before) {
            (What::Set { .. }, Register::Value { rev, by, .. }) => {
                assert!(!unseen(*rev) || by.person() == Some(people[*who].person));
            }
            (What::Conflicted { candidates, .. }, Register::Value { value, .. }) => {
                assert!(candidates.iter().any(|candidate| candidate.value == *value));
            }
            (What::Conflicted { candidates, .. }, Register::Conflict { candidates: old, .. }) => {
                for one in old {
                    assert!(
                        candidates.contains(one) || one.by.person() == Some(people[*who].person)
                    );
                }
            }
            (What::Resolved { .. }, Register::Conflict { candidates, .. }) => {
                assert!(candidates.iter().all(|candidate| !unseen(candidate.rev)));
            }
            (what, before) => panic!("{what:?} of {before:?}"),
        }
        let held: Vec<_> = match bench.doc.register(&dose) {
            Register::Empty => panic!("the dose is gone"),
            Register::Value { value, .. } => vec![value.clone()],
            Register::Conflict { candidates, .. } => {
                candidates.iter().map(|candidate| candidate.value.clone()).collect()
            }
        };
        for value in held {
            let said = serde_json::to_value(&value).unwrap()["text"].as_str().unwrap().to_owned();
            assert!(typed.contains(&said), "{said} was typed by nobody");
        }
    }
    1
}

fn explore(sends: &mut Vec<Send>, made: [usize; 3], seen: [usize; 3], runs: &mut usize) {
    if sends.len() == 6 {
        *runs += run(sends);
        return;
    }
    for who in 0..3 {
        // The first person to send is the first: who is called what makes no difference.
        if made[who] == 2 || (who > 0 && made[who] == 0 && made[who - 1] == 0) {
            continue;
        }
        for now in seen[who]..=sends.len() {
            let (mut made, mut seen) = (made, seen);
            made[who] += 1;
            seen[who] = now;
            sends.push((who, now));
            explore(sends, made, seen, runs);
            sends.pop();
        }
    }
}

#[test]
fn in_every_order_no_value_is_invented_and_none_dropped() {
    let mut runs = 0;
    explore(&mut Vec::new(), [0; 3], [0; 3], &mut runs);
    assert!(runs > 3_000, "{runs} orders");
}
