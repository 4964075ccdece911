//! A browser's offer.

use mortar::media::sdp::{Context, Random, answer};
use sfu::plan::PeerKey;

const FINGERPRINT: &str = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

/// Answers it, and answers it once more as the next offer of the same transport: what was accepted once is accepted again,
/// and what an answer says of the offer never begins a line of its own.
pub fn run(bytes: &[u8]) -> Option<()> {
    let offer = std::str::from_utf8(bytes).ok()?;
    let candidates = ["192.0.2.1:3478".parse().unwrap()];
    let context = Context {
        peer: PeerKey(1),
        previous: None,
        candidates: &candidates,
        fingerprint: FINGERPRINT,
    };
    let first = answer(offer, &context, &mut Random::new([7; 32])).ok()?;
    for line in first.text.split("\r\n").filter(|line| !line.is_empty()) {
        let is_line = matches!(line.as_bytes(), [b'a'..=b'z', b'=', ..]);
        assert!(is_line && !line.contains(['\r', '\n']), "{line:?}");
    }
    let next = Context { previous: Some(&first.negotiated), ..context };
    let again = answer(offer, &next, &mut Random::new([8; 32]));
    let again = again.expect("an offer that was accepted is accepted again");
    assert_eq!(again.negotiated.plan, first.negotiated.plan, "and means the same");
    assert_eq!(again.negotiated.ice, first.negotiated.ice, "without a restart of ICE");
    Some(())
}
