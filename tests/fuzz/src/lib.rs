//! Everything that reads a stranger's bytes. Each target is one function of bytes that panics where a promise is broken, and
//! is `None` where they are refused; the
//! fuzzer ([`main.rs`](../src/main.rs), `make fuzz`) and the ordinary test (`tests/replay.rs`) call the same ones.

pub mod dtls;
pub mod mutation;
pub mod relay;
pub mod sdp;
pub mod seeds;
pub mod signalling;

/// One reader of bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As `make fuzz` names it.
    pub name: &'static str,
    /// Reads an input.
    pub run: fn(&[u8]) -> Option<()>,
    /// Inputs that are well formed, from our own encoders.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Mutations of the seeds that every run of the tests tries: what takes about a second.
    pub mutations: usize,
}

/// All.
pub const TARGETS: [Target; 13] = [
    Target { name: "demux", run: sfu::fuzzing::demux, seeds: seeds::datagrams, mutations: 50_000 },
    Target { name: "stun", run: sfu::fuzzing::stun, seeds: seeds::checks, mutations: 20_000 },
    Target { name: "dtls", run: dtls::run, seeds: seeds::handshakes, mutations: 500 },
    Target { name: "rtp", run: sfu::fuzzing::rtp, seeds: seeds::media, mutations: 20_000 },
    Target { name: "rtcp", run: sfu::fuzzing::rtcp, seeds: seeds::reports, mutations: 50_000 },
    Target { name: "vp8", run: sfu::fuzzing::vp8, seeds: seeds::pictures, mutations: 50_000 },
    Target { name: "vp9", run: sfu::fuzzing::vp9, seeds: seeds::vp9, mutations: 50_000 },
    Target { name: "h264", run: sfu::fuzzing::h264, seeds: seeds::h264, mutations: 50_000 },
    Target {
        name: "dependency",
        run: sfu::fuzzing::dependency,
        seeds: seeds::dependencies,
        mutations: 10_000,
    },
    Target { name: "sdp", run: sdp::run, seeds: seeds::offers, mutations: 2_000 },
    Target { name: "signalling", run: signalling::run, seeds: seeds::messages, mutations: 5_000 },
    Target { name: "relay", run: relay::run, seeds: seeds::calls, mutations: 500 },
    Target { name: "scalable", run: relay::run_scalable, seeds: seeds::scalable, mutations: 500 },
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
