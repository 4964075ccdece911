//! Cameras of several sizes keep their laws, whatever viewers want and whenever.

use sfu::plan::Format;
use simulation::layered::call::{Fault, Setting, run};
use simulation::layered::encoder::Prediction;
use simulation::layered::judge::Seen;

/// Seeds of each setting in every run of the tests, and at the full scale.
const SEEDS: u64 = 12;
/// See [`SEEDS`].
const SEEDS_FULL: u64 = 400;

const ALL: &[Format] = &Format::ALL;

fn setting(format: Format, prediction: Prediction, is_lossy: bool) -> Setting {
    Setting { formats: (format, None), prediction, is_lossy, takes: ALL }
}

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

/// Runs all seeds of a setting; what they showed together.
fn holds(setting: Setting) -> Seen {
    let mut total = Seen::default();
    for seed in seeds() {
        let shown = run(seed, setting, None)
            .unwrap_or_else(|broken| panic!("SEED={seed} {setting:?}: {broken}"));
        let Seen { pictures, sizes, switches, filled, upper_rates } = shown.seen;
        total.pictures += pictures;
        total.switches += switches;
        total.filled += filled;
        total.upper_rates += upper_rates;
        total.sizes.iter_mut().zip(sizes).for_each(|(total, size)| *total += size);
    }
    println!("{setting:?}: {total:?}");
    assert!(total.sizes.iter().all(|size| *size > 0), "{setting:?}: {total:?}");
    assert!(total.switches > 0);
    total
}

#[test]
fn sizes_beside_each_other_are_switched_with_keyframes_and_their_numbers_go_on() {
    for format in [Format::Vp8, Format::H264] {
        for is_lossy in [false, true] {
            holds(setting(format, Prediction::Key, is_lossy));
        }
    }
}

#[test]
fn layers_of_one_stream_are_cut_where_a_decoder_can_follow() {
    for format in [Format::Vp9, Format::Av1] {
        for prediction in [Prediction::Full, Prediction::Key] {
            for is_lossy in [false, true] {
                let seen = holds(setting(format, prediction, is_lossy));
                assert!(seen.upper_rates > 0);
                assert_eq!(seen.filled > 0, is_lossy, "late packets that nobody needs");
            }
        }
    }
}

#[test]
fn one_slot_shows_cameras_of_all_formats_in_turn() {
    for first in Format::ALL {
        for second in Format::ALL.into_iter().filter(|second| *second != first) {
            let formats = (first, Some(second));
            let setting = Setting { formats, ..setting(first, Prediction::Key, true) };
            holds(setting);
        }
    }
}

#[test]
fn a_viewer_who_cannot_show_a_format_is_told_and_never_sent_it() {
    const TAKES: &[Format] = &[Format::Vp8];
    for other in [Format::H264, Format::Vp9, Format::Av1] {
        let formats = (Format::Vp8, Some(other));
        let mixed = Setting { formats, takes: TAKES, ..setting(other, Prediction::Key, false) };
        let told: u64 = seeds().map(|seed| run(seed, mixed, None).expect("laws").unplayable).sum();
        assert!(told > 0, "{other:?}");
        let alone = Setting { formats: (other, None), ..mixed };
        let shown = run(1, alone, None).expect("laws");
        assert_eq!((shown.seen, shown.unplayable), (Seen::default(), 3), "{other:?}");
    }
}

#[test]
fn every_planted_fault_is_found_by_the_law_that_it_breaks() {
    for fault in Fault::ALL {
        let settings = Format::ALL.map(|format| setting(format, Prediction::Key, false));
        let found = settings.into_iter().find_map(|it| Some((it, run(1, it, Some(fault)).err()?)));
        let (setting, broken) = found.unwrap_or_else(|| panic!("{fault:?} is not found"));
        println!("{fault:?}: {:?}: {broken}", setting.formats.0);
        assert!(fault.breaks().contains(&broken.law), "{fault:?}: {broken}");
    }
}
