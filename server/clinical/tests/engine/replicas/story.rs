//! Random stories, the smallest of those that break a promise, and the faults that each must be found.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::judge::Violation;
use super::planted::Fault;
use super::world::World;
use crate::world::Dice;

/// Words of one story.
const WORDS: usize = 48;

/// Tells a story to its end. Answers the first promise it breaks.
fn tell(world: &mut World, words: &[u64]) -> Result<(), Violation> {
    world.furnish()?;
    for word in words {
        world.step(*word)?;
    }
    world.rest()
}

/// What happens in a story, in words.
fn read_aloud(words: &[u64], fault: Option<Fault>) -> String {
    let mut world = World::new(fault);
    let told = world.furnish().and_then(|()| {
        world.trace = Some(Vec::new());
        words.iter().try_for_each(|word| world.step(*word)).and_then(|()| world.rest())
    });
    let trace = world.trace.unwrap_or_default().join("\n");
    format!("{trace}\n{told:?}")
}

fn words(seed: u64) -> Vec<u64> {
    let mut dice = Dice(seed);
    (0..WORDS).map(|_| dice.roll()).collect()
}

/// A shorter story that breaks the same promise: pieces are left out, large ones first, as long as it still does.
fn shrunk(mut words: Vec<u64>, fault: Option<Fault>, violation: &Violation) -> Vec<u64> {
    let mut piece = words.len() / 2;
    while piece > 0 {
        let mut from = 0;
        while from < words.len() {
            let mut shorter = words.clone();
            shorter.drain(from..(from + piece).min(words.len()));
            match tell(&mut World::new(fault), &shorter) {
                Err(found) if found.law == violation.law => words = shorter,
                _ => from += piece,
            }
        }
        piece /= 2;
    }
    words
}

/// The first of these seeds whose story breaks a promise.
fn first_found(mut seeds: Range<u64>, fault: Fault) -> Option<(u64, Violation)> {
    seeds.find_map(|seed| {
        let told = tell(&mut World::new(Some(fault)), &words(seed));
        told.err().map(|found| (seed, found))
    })
}

/// `SEED=n` repeats one story; else as many as the scale asks for.
fn seeds() -> Range<u64> {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = seed {
        return seed..seed + 1;
    }
    let full = std::env::var("MORTAR_SCALE").as_deref() == Ok("full");
    0..if full { 1_000_000 } else { 3_000 }
}

/// Tells stories until one breaks a promise. Answers what they met.
fn tell_all(seeds: &Range<u64>) -> Result<BTreeMap<&'static str, u64>, (u64, Violation)> {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let teller = || {
        let mut met: BTreeMap<&'static str, u64> = BTreeMap::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(met);
            }
            let mut world = World::new(None);
            if let Err(violation) = tell(&mut world, &words(seed)) {
                next.store(seeds.end, Ordering::Relaxed);
                return Err((seed, violation));
            }
            if seed % 100_000 == 99_999 {
                println!("{} stories", seed + 1);
            }
            for (what, times) in world.met {
                *met.entry(what).or_default() += times;
            }
        }
    };
    std::thread::scope(|scope| {
        let tellers: Vec<_> = (0..threads).map(|_| scope.spawn(teller)).collect();
        let mut all = BTreeMap::new();
        for teller in tellers {
            for (what, times) in teller.join().unwrap()? {
                *all.entry(what).or_default() += times;
            }
        }
        Ok(all)
    })
}

#[test]
fn three_people_with_broken_lines_lose_nothing_invent_nothing_and_end_equal() {
    let seeds = seeds();
    println!("SEED {} to {}", seeds.start, seeds.end - 1);
    let met = match tell_all(&seeds) {
        Ok(met) => met,
        Err((seed, violation)) => {
            let story = shrunk(words(seed), None, &violation);
            panic!(
                "SEED={seed} breaks {:?}: {}\nHow, in {} words:\n{}",
                violation.law,
                violation.detail,
                story.len(),
                read_aloud(&story, None)
            );
        }
    };
    let stories = seeds.end - seeds.start;
    println!("METRIC record.interleavings_broken 0 ==0 pass stories={stories}");
    for (what, times) in &met {
        println!("METRIC record.interleavings_met.{what} {times} - info");
    }
    // What is never met is not tested.
    for what in [
        "added",
        "agreed",
        "changes_lost_unacknowledged",
        "conflict_of_more",
        "conflict_of_presence",
        "contested",
        "decided",
        "moved",
        "refused",
        "resolved",
        "restored",
        "reviewed",
        "sent_again_and_known",
        "text_marked",
        "tombstoned",
    ] {
        assert!(stories < 1_000 || met.contains_key(what), "no story came to {what}");
    }
}

/// Stories that once broke a promise, of the engine or of the browser.
#[test]
fn stories_that_once_broke_a_promise_keep_it() {
    for seed in [23, 23_501] {
        let told = tell(&mut World::new(None), &words(seed));
        assert!(told.is_ok(), "SEED={seed}: {told:?}");
    }
}

#[test]
fn every_planted_fault_is_found_by_the_same_judge() {
    for fault in Fault::ALL {
        let Some((seed, violation)) = first_found(0..5_000, fault) else {
            panic!("nobody noticed {fault:?}");
        };
        let story = shrunk(words(seed), Some(fault), &violation);
        println!(
            "METRIC record.planted.{fault:?} {} <=5000 pass law={:?} words={}",
            seed + 1,
            violation.law,
            story.len()
        );
        let honest = tell(&mut World::new(None), &story);
        assert!(honest.is_ok(), "the engine itself breaks {:?}", violation.law);
    }
}
