//! Cameras of several sizes keep their laws, whatever viewers want and whenever.

use sfu::plan::Format;
use simulation::layered::call::{Fault, Setting, Shown, run};
use simulation::layered::encoder::Prediction;
use simulation::layered::judge::Seen;
use simulation::seeds::{all, seeds};

/// Seeds of each setting in every run of the tests, and at the full scale.
const SEEDS: u64 = 12;
/// See [`SEEDS`].
const SEEDS_FULL: u64 = 400;

const ALL: &[Format] = &Format::ALL;

fn setting(format: Format, prediction: Prediction, is_lossy: bool) -> Setting {
    Setting { formats: (format, None), prediction, is_lossy, takes: ALL }
}

/// Runs all seeds of all settings; what each showed.
fn run_all(settings: &[Setting]) -> Vec<Shown> {
    let cases: Vec<_> = settings
        .iter()
        .flat_map(|setting| seeds(SEEDS, SEEDS_FULL).map(|seed| (*setting, seed)))
        .collect();
    let shown = all(&cases, |&(setting, seed)| {
        run(seed, setting, None).map_err(|broken| format!("SEED={seed} {setting:?}: {broken}"))
    });
    let of_setting = shown.chunks(cases.len() / settings.len());
    of_setting.map(|shown| shown.iter().fold(Shown::default(), |sum, it| sum.plus(it))).collect()
}

/// The same of settings that show every size.
fn hold(settings: &[Setting]) -> Vec<Seen> {
    let shown = run_all(settings).into_iter().map(|it| it.seen);
    let shown = shown.zip(settings).inspect(|(seen, setting)| {
        println!("{setting:?}: {seen:?}");
        assert!(seen.sizes.iter().all(|size| *size > 0), "{setting:?}: {seen:?}");
        assert!(seen.switches > 0);
    });
    shown.map(|(seen, _)| seen).collect()
}

#[test]
fn sizes_beside_each_other_are_switched_with_keyframes_and_their_numbers_go_on() {
    let each = [Format::Vp8, Format::H264];
    let each = each.map(|format| setting(format, Prediction::Key, false));
    hold(each.map(|it| [it, Setting { is_lossy: true, ..it }]).as_flattened());
}

/// Each was traced to its cause once.
#[test]
fn what_once_broke_a_law_keeps_it() {
    let lossy = |first, second| Setting {
        formats: (first, second),
        ..setting(first, Prediction::Key, true)
    };
    let both = |first, second| lossy(first, Some(second));
    for (setting, seed) in [
        // A frame from before a keyframe came late, and was taken for one that the size begun behind it refers to.
        (lossy(Format::Vp9, None), 30),
        (both(Format::Vp9, Format::Av1), 110),
        (both(Format::Av1, Format::Vp9), 110),
        // A size was counted as needed by those who wanted to leave it, until a keyframe let them; and of that the first packet
        // was lost, twice, which nobody told the publisher before half a second had passed.
        (lossy(Format::Vp8, None), 202),
        (lossy(Format::Vp9, None), 392),
        (both(Format::Vp8, Format::H264), 115),
        (both(Format::Vp8, Format::H264), 223),
        (both(Format::Vp8, Format::Vp9), 63),
        (both(Format::Vp8, Format::Av1), 63),
    ] {
        let shown = run(seed, setting, None);
        assert!(shown.is_ok(), "SEED={seed} {setting:?}: {shown:?}");
    }
}

#[test]
fn layers_of_one_stream_are_cut_where_a_decoder_can_follow() {
    let each = [Format::Vp9, Format::Av1].map(|format| {
        [Prediction::Full, Prediction::Key]
            .map(|it| [false, true].map(|is_lossy| setting(format, it, is_lossy)))
    });
    let each = each.as_flattened().as_flattened();
    for (seen, setting) in hold(each).into_iter().zip(each) {
        assert!(seen.upper_rates > 0);
        assert_eq!(seen.filled > 0, setting.is_lossy, "late packets that nobody needs");
    }
}

#[test]
fn one_slot_shows_cameras_of_all_formats_in_turn() {
    let pairs = Format::ALL.into_iter().flat_map(|first| {
        let others = Format::ALL.into_iter().filter(move |second| *second != first);
        others.map(move |second| Setting {
            formats: (first, Some(second)),
            ..setting(first, Prediction::Key, true)
        })
    });
    hold(&pairs.collect::<Vec<_>>());
}

#[test]
fn a_viewer_who_cannot_show_a_format_is_told_and_never_sent_it() {
    const TAKES: &[Format] = &[Format::Vp8];
    for other in [Format::H264, Format::Vp9, Format::Av1] {
        let formats = (Format::Vp8, Some(other));
        let mixed = Setting { formats, takes: TAKES, ..setting(other, Prediction::Key, false) };
        assert!(run_all(&[mixed]).iter().all(|shown| shown.unplayable > 0), "{other:?}");
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
