//! A translation forgets a browser in the middle of a call: how long nobody hears anybody, in virtual time.

use std::time::Duration;

use sfu::plan::{CallKey, Source};
use simulation::browser::Seat;
use simulation::profile::{Access, Loss, Profile};
use simulation::world::World;

/// One way.
const DELAY: Duration = Duration::from_millis(40);

/// A call of two who talk, settled; the first one's line loses this share each way.
fn call(seed: u64, loss: f64) -> World {
    let mut world = World::new(seed, None);
    for loss in [loss, 0.0] {
        let line = Profile::delayed(DELAY.as_millis() as u64).losing(Loss::Random(loss));
        let access = Access { up: line.clone(), down: line };
        let seat = Seat { call: CallKey(1), sources: vec![Source::Mic], slots: (1, 0), access };
        world.join(seat);
    }
    world.admit_all();
    world.run(Duration::from_secs(6));
    world
}

/// Gaps of both, the one who moves first, after a change of address this long after the last check.
fn gaps(seed: u64, loss: f64, after: Duration) -> [Duration; 2] {
    let mut world = call(seed, loss);
    world.run(after);
    for browser in &mut world.browsers {
        browser.receivers.values_mut().for_each(|it| it.longest_gap = Duration::ZERO);
    }
    world.browsers[0].up.rebind();
    world.run(Duration::from_secs(4));
    assert_eq!(world.watch.violation, None);
    assert!(world.sfu.counters().path_checks_answered > 0, "SEED={seed}: nobody was asked back");
    [0, 1].map(|at| {
        let gaps = world.browsers[at].receivers.values().map(|it| it.longest_gap);
        gaps.max().unwrap()
    })
}

#[test]
fn a_browser_whose_address_changes_hears_again_after_two_round_trips_and_is_heard_all_along() {
    for step in 0..25 {
        let after = Duration::from_millis(100) * step;
        let [moved, other] = gaps(1, 0.0, after);
        // Its packet, our question, its answer, our sound; what was on its way to the old address is lost.
        assert!(moved <= 4 * DELAY + Duration::from_millis(40), "{moved:?} without sound");
        assert!(other <= Duration::from_millis(40), "{other:?} without the one who moved");
    }
}

#[test]
fn a_check_that_is_lost_is_repeated() {
    let mut longest: Vec<_> =
        (0..40).map(|seed| gaps(seed, 0.2, Duration::from_millis(60 * seed))[0]).collect();
    longest.sort();
    // One in three of a question and its answer is lost at a fifth each way.
    assert!(longest[37] <= Duration::from_secs(1), "{longest:?}");
}
