//! Handshake datagrams of a peer that passed its connectivity check and has no keys yet.

use std::time::Duration;

use sfu::command::Command;
use sfu::plan::{Fingerprint, SrtpAttempt};

use crate::relay::{Stage, chunks};

/// Most bytes that a handshake makes the relay send for one that it was sent: ServerHello to ServerHelloDone are about a
/// kilobyte, repeated while the client is silent.
const MAX_ANSWERS: usize = 64;

/// Each chunk is a datagram, whatever its first byte. However it goes, the peer is gone when its time is over. `None` if
/// nothing was answered.
pub fn run(bytes: &[u8]) -> Option<()> {
    let mut stage = Stage::new(1);
    let browser = &stage.browsers[0];
    let join = Command::Join {
        call: browser.call,
        peer: browser.key,
        ice: browser.ice.clone(),
        theirs: browser.ice.clone(),
        fingerprint: Fingerprint([0; 32]),
        srtp: SrtpAttempt::First,
        plan: browser.plan.clone(),
    };
    stage.command(join);
    stage.check(0);
    let before = stage.sent;
    for datagram in chunks(bytes) {
        let path = stage.path(0);
        stage.datagram(path, datagram);
        stage.advance(Duration::from_millis(20));
    }
    let answered = (stage.sent > before).then_some(());
    assert!(stage.sent <= MAX_ANSWERS + 4 * chunks(bytes).count(), "{} answers", stage.sent);
    stage.advance(Duration::from_secs(31));
    assert_eq!(stage.sfu.occupancy().peers, 0, "a handshake has 30 s");
    answered
}
