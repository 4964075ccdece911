//! Which seeds a test takes, and all of them run: one that breaks a law does not hide the others.

use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seeds from 1 to `few`, or to `many` with `MORTAR_SCALE=full`. `SEED=7` repeats one, `SEED=7-90` some.
pub fn seeds(few: u64, many: u64) -> RangeInclusive<u64> {
    if let Ok(seed) = std::env::var("SEED") {
        let number =
            |text: &str| text.parse().expect("SEED is a number, or two with a dash between");
        return match seed.split_once('-') {
            Some((first, last)) => number(first)..=number(last),
            None => number(&seed)..=number(&seed),
        };
    }
    match std::env::var("MORTAR_SCALE").as_deref() {
        Ok("full") => 1..=many,
        _ => 1..=few,
    }
}

/// Runs every case, on all cores; what they show, in their order. Fails after the last one, with each that failed.
pub fn all<C: Sync, T: Send, E: Send + std::fmt::Display>(
    cases: &[C],
    run: impl Fn(&C) -> Result<T, E> + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let Some((at, case)) = take(cases, &next) {
            done.push((at, run(case)));
        }
        done
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut done: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    let (mut shown, mut broken) = (Vec::new(), Vec::new());
    for (_, outcome) in done {
        match outcome {
            Ok(it) => shown.push(it),
            Err(what) => broken.push(what.to_string()),
        }
    }
    assert!(broken.is_empty(), "{} of {}\n{}", broken.len(), cases.len(), broken.join("\n"));
    shown
}

fn take<'a, C>(cases: &'a [C], next: &AtomicUsize) -> Option<(usize, &'a C)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, cases.get(at)?))
}
