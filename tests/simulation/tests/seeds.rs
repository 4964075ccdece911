//! Random calls keep the invariants, whatever happens in them.

use simulation::fault::Fault;
use simulation::run::{Summary, run};
use simulation::seeds::{all, seeds};

/// Seeds that every run of the tests takes.
const SEEDS: u64 = 200;

/// Seeds of the full scale.
const SEEDS_FULL: u64 = 5_000;

#[test]
fn whatever_happens_in_a_call_the_invariants_hold() {
    let seeds: Vec<_> = seeds(SEEDS, SEEDS_FULL).collect();
    let of_seed = |seed: &u64| run(*seed, None).map_err(|broken| format!("SEED={seed}: {broken}"));
    let total = all(&seeds, of_seed).iter().fold(Summary::default(), |total, it| total.plus(it));
    println!("{total:?}");
}

/// Each was traced to its cause once, and went on to be found by other seeds than these where the cause was there.
#[test]
fn what_once_broke_an_invariant_keeps_it() {
    for seed in [
        // A picture was paused because feedback was missing; no voice was sent, so nothing was left that could bring any.
        2_502, // A line that was back was asked whether it is only every six seconds, as if a queue had to empty first.
        421,
    ] {
        let shown = run(seed, None);
        assert!(shown.is_ok(), "SEED={seed}: {shown:?}");
    }
}

#[test]
fn two_runs_of_a_seed_send_the_same_bytes() {
    for seed in 1..=5 {
        assert_eq!(run(seed, None).unwrap().hash, run(seed, None).unwrap().hash, "SEED={seed}");
    }
    assert_ne!(run(1, None).unwrap().hash, run(2, None).unwrap().hash);
}

#[test]
fn every_planted_fault_is_found_by_the_invariant_that_it_breaks() {
    /// A fault may need what not every call brings.
    const WITHIN: u64 = 200;
    for fault in Fault::ALL {
        let found = (1..=WITHIN).find_map(|seed| Some((seed, run(seed, Some(fault)).err()?)));
        let (seed, violation) = found.unwrap_or_else(|| panic!("{fault:?} is not found"));
        println!("{fault:?}: SEED={seed}: {violation}");
        assert!(fault.breaks().contains(&violation.invariant), "{fault:?}: {violation}");
    }
}
