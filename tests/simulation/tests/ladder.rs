//! A subscriber's line narrows, loses and heals: what the relay makes of it, in virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use sfu::plan::{CallKey, Source};
use simulation::browser::Seat;
use simulation::profile::{Access, Loss, Profile};
use simulation::world::World;

/// The one who watches.
const VIEWER: usize = 0;

/// Length of one step of a measurement.
const STEP: Duration = Duration::from_millis(100);

/// Seeds of each rung; `MORTAR_SCALE=full` takes more.
fn seeds() -> std::ops::RangeInclusive<u64> {
    match std::env::var("MORTAR_SCALE").as_deref() {
        Ok("full") => 1..=100,
        _ => 1..=5,
    }
}

/// A call of a viewer with this downlink, and talkers with cameras of these bitrates.
struct Ladder {
    world: World,
    /// Bytes that reached the viewer by the last step.
    delivered: u64,
}

impl Ladder {
    fn new(seed: u64, down: Profile, cameras: &[u32]) -> Self {
        Self::with_viewer(seed, down, cameras, vec![])
    }

    fn with_viewer(seed: u64, down: Profile, cameras: &[u32], sources: Vec<Source>) -> Self {
        let mut world = World::new(seed, None);
        let slots = (4, 4);
        let access = Access { down, up: Profile::delayed(20) };
        world.join(Seat { call: CallKey(1), sources, slots, access });
        for bitrate in cameras {
            let clean = Profile::delayed(20);
            let access = Access { down: clean.clone(), up: clean };
            let sources = vec![Source::Mic, Source::Cam];
            let at = world.join(Seat { call: CallKey(1), sources, slots, access });
            let camera = &mut world.browsers[at].pictures[0];
            camera.bitrate = *bitrate;
            camera.interval = Duration::from_millis(33);
        }
        world.admit_all();
        Self { world, delivered: 0 }
    }

    fn change_line(&mut self, down: Profile) {
        self.world.browsers[VIEWER].down.change(down);
    }

    /// Lets a step pass; bits per second that reached the viewer.
    fn step(&mut self) -> u64 {
        self.world.run(STEP);
        assert_eq!(self.world.watch.violation, None);
        let delivered = self.world.browsers[VIEWER].down.counters().delivered_bytes;
        let bits = 8 * (delivered - self.delivered);
        self.delivered = delivered;
        bits * 1_000 / STEP.as_millis() as u64
    }

    /// Mean over a time.
    fn over(&mut self, seconds: u64) -> u64 {
        let steps = seconds * 10;
        (0..steps).map(|_| self.step()).sum::<u64>() / steps
    }

    /// What the relay believes the viewer's line to carry, in bits per second.
    fn estimate(&self) -> Option<u64> {
        self.world.sfu.estimate_of(self.world.browsers[VIEWER].key)
    }

    /// Things played so far by the viewer's slots: (sound, pictures).
    fn played(&self) -> (u64, u64) {
        let viewer = &self.world.browsers[VIEWER];
        let kind: BTreeMap<_, _> =
            viewer.plan.slots.iter().map(|slot| (slot.ssrc, slot.rtx.is_some())).collect();
        let sum = |is_picture| {
            viewer
                .receivers
                .values()
                .filter(|receiver| kind[&receiver.ssrc] == is_picture)
                .map(|receiver| receiver.played)
                .sum()
        };
        (sum(false), sum(true))
    }

    /// Things played within the next seconds.
    fn played_in(&mut self, seconds: u64) -> (u64, u64) {
        let before = self.played();
        self.over(seconds);
        let after = self.played();
        (after.0 - before.0, after.1 - before.1)
    }
}

#[test]
fn a_line_that_narrows_to_a_tenth_is_relieved_at_once_and_filled_again_when_it_widens() {
    let wide = Profile::delayed(30).limited(3_000_000, 300);
    let narrow = Profile::delayed(30).limited(300_000, 300);
    for seed in seeds() {
        let mut ladder = Ladder::new(seed, wide.clone(), &[600_000, 600_000, 600_000, 100_000]);
        ladder.over(10);
        let before = ladder.over(5);
        assert!(before > 1_800_000, "seed {seed}: {before}");
        assert_eq!((ladder.world.paused.len(), ladder.estimate()), (0, None), "seed {seed}");

        ladder.change_line(narrow.clone());
        let overflowed = |ladder: &Ladder| ladder.world.browsers[VIEWER].down.counters().overflowed;
        let relieved = (1..=50).find(|_| {
            ladder.step();
            ladder.world.paused.len() >= 3
        });
        assert!(relieved.is_some_and(|steps| steps <= 15), "seed {seed}: {relieved:?}");
        ladder.over(5);
        let lost = overflowed(&ladder);
        let (sound, _) = ladder.played_in(10);
        let lost = overflowed(&ladder) - lost;
        assert!(sound >= 4 * 490, "seed {seed}: {sound} of 2000 packets of sound");
        assert!(lost <= 20, "seed {seed}: {lost} packets");
        let estimate = ladder.estimate();
        assert!(estimate.is_some_and(|it| it <= 310_000), "seed {seed}: {estimate:?}");

        ladder.change_line(wide.clone());
        let mut recent = Vec::new();
        let filled = (1..=200).find(|_| {
            recent.push(ladder.step());
            let last = &recent[recent.len().saturating_sub(10)..];
            last.iter().sum::<u64>() / 10 >= before * 9 / 10
        });
        assert!(filled.is_some_and(|steps| steps <= 100), "seed {seed}: {filled:?} {recent:?}");
        let after = ladder.over(10);
        assert!(after >= before * 9 / 10, "seed {seed}: {after} of {before}");
    }
}

#[test]
fn a_line_of_64_kbps_carries_clean_sound_while_the_picture_is_paused() {
    for seed in seeds() {
        let narrow = Profile::delayed(40).limited(64_000, 400);
        let mut ladder = Ladder::new(seed, narrow, &[300_000]);
        ladder.over(5);

        let redundant = |ladder: &Ladder| ladder.world.sfu.counters().redundant_packets;
        let before = redundant(&ladder);
        let (sound, pictures) = ladder.played_in(20);

        assert!(sound >= 990, "seed {seed}: {sound} of 1000 packets of sound");
        assert_eq!(pictures, 0, "seed {seed}");
        assert_eq!(ladder.world.paused.len(), 1, "seed {seed}");
        // What the full queue lost at first is not repeated: that would fill it again.
        assert_eq!(redundant(&ladder), before, "seed {seed}");
    }
}

#[test]
fn a_line_of_64_kbps_that_also_loses_a_tenth_loses_no_more_of_its_sound() {
    for seed in seeds() {
        let narrow = Profile::delayed(40).limited(64_000, 400).losing(Loss::Random(0.1));
        let mut ladder = Ladder::new(seed, narrow, &[300_000]);
        ladder.over(5);

        let (sound, _) = ladder.played_in(60);

        // A tenth, and three standard deviations of as many packets. Repeating them would take more than the line has.
        assert!(sound >= 2_650, "seed {seed}: {sound} of 3000 packets of sound");
    }
}

#[test]
fn a_call_whose_line_becomes_64_kbps_both_ways_loses_few_words_though_its_feedback_is_lost_too() {
    for seed in seeds() {
        let wide = Profile::delayed(20);
        let mut ladder =
            Ladder::with_viewer(seed, wide, &[300_000], vec![Source::Mic, Source::Cam]);
        // A camera that does not give way, as one of a browser that has not noticed yet.
        let camera = &mut ladder.world.browsers[VIEWER].pictures[0];
        (camera.bitrate, camera.interval) = (400_000, Duration::from_millis(33));
        ladder.over(5);
        assert_eq!(ladder.estimate(), None, "seed {seed}");

        let narrow = Profile::delayed(20).limited(64_000, 400);
        ladder.world.browsers[VIEWER].up.change(narrow.clone());
        ladder.change_line(narrow);
        let overflowed = |ladder: &Ladder| ladder.world.browsers[VIEWER].down.counters().overflowed;
        ladder.over(2);
        let lost = overflowed(&ladder);
        let paused = (21..=50).find(|_| {
            ladder.step();
            ladder.world.paused.len() == 1
        });
        assert!(paused.is_some_and(|steps| steps <= 35), "seed {seed}: {paused:?}");
        // Now it has noticed, and the queue empties.
        ladder.world.browsers[VIEWER].pictures[0].interval = Duration::from_secs(60);
        ladder.over(6);
        assert!(overflowed(&ladder) <= lost + 5, "seed {seed}: {lost} in the first two seconds");
        let (sound, pictures) = ladder.played_in(10);
        assert!(sound >= 485, "seed {seed}: {sound} of 500 packets of sound");
        assert_eq!(pictures, 0, "seed {seed}");
    }
}

#[test]
fn a_tenth_of_random_loss_takes_hardly_any_sound_and_no_picture() {
    for seed in seeds() {
        let lossy = Profile::delayed(40).losing(Loss::Random(0.1));
        let mut ladder = Ladder::new(seed, lossy, &[300_000]);
        ladder.over(8);

        let (sound, pictures) = ladder.played_in(20);

        assert!(sound >= 970, "seed {seed}: {sound} of 1000 packets of sound");
        assert!(pictures >= 540, "seed {seed}: {pictures} of 600 frames");
        assert!(ladder.world.paused.is_empty(), "seed {seed}");
    }
}

#[test]
fn a_third_of_random_loss_leaves_the_sound_and_the_picture_comes_back_when_it_ends() {
    for seed in seeds() {
        let lossy = Profile::delayed(40).losing(Loss::Random(0.3));
        let mut ladder = Ladder::new(seed, lossy, &[300_000]);
        ladder.over(3);
        assert_eq!(ladder.world.paused.len(), 1, "seed {seed}: a picture that would only stutter");

        ladder.over(5);
        let (sound, _) = ladder.played_in(20);
        assert!(sound >= 930, "seed {seed}: {sound} of 1000 packets of sound");

        ladder.change_line(Profile::delayed(40));
        ladder.over(10);
        let (_, pictures) = ladder.played_in(5);
        assert!(pictures >= 148, "seed {seed}: {pictures} of 150 frames");
    }
}
