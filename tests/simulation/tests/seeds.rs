//! Random calls keep the invariants, whatever happens in them.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};

use simulation::fault::Fault;
use simulation::run::{Summary, run};

/// Seeds that every run of the tests takes.
const SEEDS: u64 = 200;

/// Seeds of the full scale.
const SEEDS_FULL: u64 = 5_000;

/// `SEED=n` repeats one; `MORTAR_SCALE=full` takes many.
fn seeds() -> std::ops::RangeInclusive<u64> {
    if let Ok(seed) = std::env::var("SEED") {
        let seed = seed.parse().expect("SEED is a number");
        return seed..=seed;
    }
    match std::env::var("MORTAR_SCALE").as_deref() {
        Ok("full") => 1..=SEEDS_FULL,
        _ => 1..=SEEDS,
    }
}

#[test]
fn whatever_happens_in_a_call_the_invariants_hold() {
    let next = AtomicU64::new(*seeds().start());
    let worker = || {
        let mut total = Summary::default();
        let mut broken = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if !seeds().contains(&seed) {
                return (total, broken);
            }
            match run(seed, None) {
                Ok(summary) => total = total.plus(&summary),
                Err(violation) => broken.push(format!("SEED={seed}: {violation}")),
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (total, broken) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .map(|it| it.join().unwrap())
            .fold((Summary::default(), Vec::new()), |(total, broken), (summary, more)| {
                (total.plus(&summary), [broken, more].concat())
            })
    });
    println!("{total:?}");
    assert!(broken.is_empty(), "{} seeds\n{}", broken.len(), broken.join("\n"));
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
