//! Each target takes its seeds, what the fuzzer once found, and what becomes of the seeds: without the fuzzer, in seconds.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fuzz::Target;
use fuzz::mutation::mutation;

/// Times as many mutations at full scale.
const FULL: usize = 50;

/// Runs the target; a failure says the input, which `found/` is to keep.
fn run(target: &Target, what: &str, input: &[u8]) {
    let broke = catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err();
    let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!broke, "{}: {what}: {hex}", target.name);
}

fn replay(name: &str) {
    let target = fuzz::target(name).expect("a target");
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty());
    for input in &seeds {
        run(&target, "a seed", input);
        assert!((target.run)(input).is_some(), "{name}: a seed that is refused reaches nothing");
    }
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("found").join(name);
    for entry in fs::read_dir(found).into_iter().flatten() {
        let path = entry.expect("a file").path();
        let what = path.file_name().expect("a name").to_string_lossy().into_owned();
        run(&target, &what, &fs::read(&path).expect("an input that was found"));
    }
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let times = if std::env::var("MORTAR_SCALE").as_deref() == Ok("full") { FULL } else { 1 };
    println!("SEED={seed}");
    for number in 0..target.mutations * times {
        run(&target, &format!("SEED={seed}, {number}"), &mutation(&seeds, seed, number));
    }
}

#[test]
fn the_first_look_at_a_datagram_takes_any_bytes() {
    replay("demux");
}

#[test]
fn connectivity_checks_take_any_bytes() {
    replay("stun");
}

#[test]
fn handshakes_take_any_bytes() {
    replay("dtls");
}

#[test]
fn media_headers_take_any_bytes() {
    replay("rtp");
}

#[test]
fn reports_take_any_bytes() {
    replay("rtcp");
}

#[test]
fn pictures_take_any_bytes() {
    replay("vp8");
}

#[test]
fn pictures_of_several_layers_take_any_bytes() {
    replay("vp9");
}

#[test]
fn pictures_in_h264_take_any_bytes() {
    replay("h264");
}

#[test]
fn dependency_descriptors_take_any_bytes() {
    replay("dependency");
}

#[test]
fn the_whole_relay_takes_any_bytes_as_layers_of_one_stream() {
    replay("scalable");
}

#[test]
fn offers_take_any_bytes() {
    replay("sdp");
}

#[test]
fn signalling_takes_any_bytes() {
    replay("signalling");
}

#[test]
fn the_whole_relay_takes_any_bytes() {
    replay("relay");
}

#[test]
fn a_reader_that_breaks_is_reported_with_its_input() {
    let broken = Target {
        name: "broken",
        run: |input| {
            assert!(input.len() < 3);
            Some(())
        },
        seeds: Vec::new,
        mutations: 0,
    };
    let report = catch_unwind(|| run(&broken, "planted", &[1, 2, 254])).unwrap_err();
    assert!(report.downcast_ref::<String>().is_some_and(|text| text.ends_with("0102fe")));
}
