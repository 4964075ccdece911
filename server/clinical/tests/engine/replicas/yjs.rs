//! The control: what becomes of a dose that is kept as shared text, as a generic CRDT would keep it. The same dice,
//! the same broken lines, the same question: did anybody type what everybody sees?

use std::collections::{BTreeSet, VecDeque};

use super::world::PEOPLE;
use crate::common::Pen;
use crate::world::Dice;

/// Doses people type, always as a whole number before the unit.
const DOSES: [&str; 4] = ["5", "20", "40", "80"];

/// Tells a story of a dose in a Yjs text. Answers what everybody sees at the end, and what was ever typed.
fn tell(seed: u64, words: usize) -> (String, BTreeSet<String>) {
    let mut dice = Dice(seed);
    let pens: Vec<Pen> = (1..=PEOPLE as u64).map(Pen::new).collect();
    let mut typed = BTreeSet::from(["10 mg".to_owned()]);
    let first = pens[0].write(0, "10 mg");
    let mut lines: Vec<VecDeque<Vec<u8>>> = vec![VecDeque::new(); PEOPLE];
    for pen in &pens[1..] {
        pen.read(&first);
    }
    for _ in 0..words {
        let word = dice.roll();
        let who = (word & 0xff) as usize % PEOPLE;
        if word >> 8 & 3 == 0 {
            let dose = DOSES[(word >> 16) as usize % DOSES.len()];
            // A person marks the number and types another one over it.
            let digits = pens[who].words().chars().take_while(char::is_ascii_digit).count() as u32;
            let mut updates = Vec::new();
            if digits > 0 {
                updates.push(pens[who].erase(0, digits));
            }
            updates.push(pens[who].write(0, dose));
            typed.insert(pens[who].words());
            for (other, line) in lines.iter_mut().enumerate() {
                if other != who {
                    line.extend(updates.iter().cloned());
                }
            }
        } else if let Some(update) = lines[who].pop_front() {
            pens[who].read(&update);
        }
    }
    for (pen, line) in pens.iter().zip(lines) {
        line.iter().for_each(|update| pen.read(update));
    }
    assert!(pens.iter().all(|pen| pen.words() == pens[0].words()), "Yjs itself agrees at rest");
    (pens[0].words(), typed)
}

#[test]
fn the_same_generator_finds_a_dose_nobody_typed_in_plain_yjs() {
    let invented: Vec<(u64, String)> = (0..400)
        .map(|seed| (seed, tell(seed, 12)))
        .filter(|(_, (seen, typed))| !typed.contains(seen))
        .map(|(seed, (seen, _))| (seed, seen))
        .collect();

    let known = invented.iter().find(|(_, seen)| seen == "205 mg");
    let (seed, seen) = known.expect("two doses at once merge into a third");
    println!(
        "METRIC record.control_yjs_invented {} >=1 pass of=400 seed={seed} seen={seen:?}",
        invented.len()
    );
}
