use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::time::anchor;

/// One thing that happens to a slot.
#[derive(Clone, Debug)]
enum Step {
    /// The next packet of the source comes, `late` packets after its turn.
    Packet { late: u64 },
    /// The next packet is padding.
    Padding,
    /// The next packet is lost before us.
    Lost,
    /// Another source takes over after a while.
    Switch { first: u64, timestamp: u32, after_ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0_u64..4).prop_map(|late| Step::Packet { late }),
        1 => Just(Step::Padding),
        1 => Just(Step::Lost),
        1 => (0_u64..1 << 20, any::<u32>(), 0_u64..5_000)
            .prop_map(|(first, timestamp, after_ms)| Step::Switch { first, timestamp, after_ms }),
    ]
}

/// The reference numbers packets by counting: each that is not padding gets the next number at the moment of its turn.
#[derive(Default)]
struct Naive {
    next: u64,
    numbers: BTreeMap<u64, u64>,
}

impl Naive {
    fn turn(&mut self, source: u64) {
        self.numbers.insert(source, self.next);
        self.next += 1;
    }
}

proptest! {
    #[test]
    fn numbers_are_those_of_counting_packets_one_by_one(
        first in 0_u16..0x8000,
        first_timestamp: u32,
        steps in prop::collection::vec(step(), 1..300),
    ) {
        let mut now = anchor();
        let mut rewriter = Rewriter::new(first, first_timestamp, 90_000);
        let mut naive = Naive { next: u64::from(first), numbers: BTreeMap::new() };
        let mut source = 40_000;
        let mut timestamp = 5_u32;
        let mut starting = true;
        let mut waiting: Vec<(u64, u64, u32)> = Vec::new();
        let mut used = BTreeMap::new();
        let mut last_out: Option<u32> = None;
        for (turn, step) in (0_u64..).zip(steps) {
            now += Duration::from_millis(5);
            match step {
                Step::Packet { late } => {
                    naive.turn(source);
                    let late = if starting { 0 } else { late };
                    waiting.push((turn + late, source, timestamp));
                    if starting {
                        rewriter.switch(source, timestamp, None, now);
                        starting = false;
                    }
                    source += 1;
                    timestamp = timestamp.wrapping_add(450);
                }
                Step::Padding if !starting => {
                    // Padding that overtakes media cannot be closed over: it comes in its turn, after what was before it.
                    for (_, source, timestamp) in std::mem::take(&mut waiting) {
                        check(&mut rewriter, &naive, &mut used, &mut last_out, source, timestamp, now)?;
                    }
                    rewriter.skip(source);
                    source += 1;
                }
                Step::Lost if !starting => {
                    naive.turn(source);
                    source += 1;
                }
                Step::Padding | Step::Lost => {}
                Step::Switch { first, timestamp: begins, after_ms } => {
                    waiting.clear();
                    // Lost at the very end: no number was used for it.
                    naive.numbers.clear();
                    naive.next = rewriter.next_sequence;
                    source = first;
                    timestamp = begins;
                    now += Duration::from_millis(after_ms);
                    starting = true;
                }
            }
            let (due, later): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|(due, _, _)| *due <= turn);
            waiting = later;
            for (_, source, timestamp) in due {
                check(&mut rewriter, &naive, &mut used, &mut last_out, source, timestamp, now)?;
            }
        }
    }
}

fn check(
    rewriter: &mut Rewriter,
    naive: &Naive,
    used: &mut BTreeMap<u64, u64>,
    last_out: &mut Option<u32>,
    source: u64,
    timestamp: u32,
    now: Instant,
) -> Result<(), TestCaseError> {
    let is_newest = rewriter.newest.is_none_or(|newest| source > newest.source);
    let out = rewriter.rewrite(source, timestamp, now);
    let Some(out) = out else { return Ok(()) };
    prop_assert_eq!(Some(&out.sequence), naive.numbers.get(&source));
    prop_assert!(used.insert(out.sequence, source).is_none(), "a number was used twice");
    if is_newest {
        if let Some(last) = *last_out {
            prop_assert!(out.timestamp.wrapping_sub(last) < 1 << 31, "time ran back");
        }
        *last_out = Some(out.timestamp);
    }
    Ok(())
}

#[test]
fn a_switch_advances_time_by_what_passed() {
    let start = anchor();
    let mut rewriter = Rewriter::new(100, 7_000, 90_000);
    rewriter.switch(50_000, 1, None, start);
    assert_eq!(
        rewriter.rewrite(50_000, 1, start),
        Some(Rewritten { sequence: 100, timestamp: 7_000 })
    );
    let later = start + Duration::from_millis(500);

    rewriter.switch(3, 999_999, None, later);

    assert_eq!(
        rewriter.rewrite(3, 999_999, later),
        Some(Rewritten { sequence: 101, timestamp: 7_000 + 45_000 })
    );
    assert_eq!(rewriter.rewrite(2, 999_000, later), None, "from before the switch");
}

#[test]
fn a_switch_between_two_clocks_known_against_each_other_keeps_the_time_of_capture() {
    let start = anchor();
    let switched = |aligned_to: u32| {
        let mut rewriter = Rewriter::new(0, 7_000, 90_000);
        rewriter.switch(50_000, 1, None, start);
        let later = start + Duration::from_millis(100);
        rewriter.switch(3, 500, Some(aligned_to.wrapping_sub(500)), later);
        rewriter.rewrite(3, 500, later).unwrap().timestamp
    };

    assert_eq!(switched(7_000 + 6_000), 13_000, "captured 67 ms later, it came 33 ms late");
    assert_eq!(switched(7_000), 7_001, "the same picture again");
    assert_eq!(switched(6_000), 7_001, "time never runs back");
    assert_eq!(switched(7_000 + 200_000), 16_000, "a report that cannot be true");
}

#[test]
fn leaps_of_the_source_never_leave_a_gap_that_a_receiver_could_misread() {
    let now = anchor();
    let mut rewriter = Rewriter::new(100, 0, 90_000);
    rewriter.switch(1_000, 0, None, now);
    let first = rewriter.rewrite(1_000, 0, now).unwrap();
    rewriter.skip(33_000);
    rewriter.skip(65_000);
    let next = rewriter.rewrite(65_001, 3_000, now).unwrap();
    assert_eq!(next.sequence, first.sequence + 1);
    let after_a_leap = rewriter.rewrite(97_001, 6_000, now).unwrap();
    assert_eq!(after_a_leap.sequence, next.sequence + 1);
    assert_eq!(rewriter.rewrite(80_000, 4_000, now), None, "its number is taken");
}
