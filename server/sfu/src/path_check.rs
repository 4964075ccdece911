//! Asking back. A network may take a browser's address away in the middle of a call (a translation that forgets) without telling
//! it: its media comes from somewhere else then, and Chromium checks a path that it takes for stable only every 2.5 s. So
//! where authentic, fresh media of a peer comes from an address that nobody vouched for, one check of ours goes there; if the browser
//! answers it from there, under its password, that is consent (RFC 7675 §5.1), and the address is as good as one that it checked by itself.

use std::time::Instant;

use crate::egress::Path;
use crate::ice::Check;
use crate::rtp::Header;
use crate::sfu::{Sfu, scramble};
use crate::stun::{Answer, MAX_REQUEST_BYTES, Transaction};

/// How many times as long as what came a check of ours may be, as RFC 9000 §8.1 has it for addresses that nobody vouched for.
const MOST_AMPLIFIED: usize = 3;

impl Sfu {
    /// RTP from an address that no check vouched for. It is opened only if its SSRC is somebody's, and not often: who sends it may be
    /// anybody. What authenticates is that peer's media, wherever it comes from.
    pub(crate) fn receive_stray(&mut self, now: Instant, path: Path, bytes: &mut [u8]) {
        let sender = Header::parse(bytes).and_then(|header| self.senders.get(&header.ssrc));
        let Some(index) = sender
            .copied()
            .filter(|index| self.peers.get_mut(*index).is_some_and(|peer| peer.ice.may_stray(now)))
        else {
            return self.counters.dropped_unknown_address += 1;
        };
        let authentic = self.counters.media_packets_in;
        self.receive_rtp(now, index, bytes);
        if self.counters.media_packets_in > authentic {
            self.ask_back(now, index, path, bytes.len());
        }
    }

    /// `got` is how many bytes came from there: who forges an address must not make us send much more to it.
    fn ask_back(&mut self, now: Instant, index: usize, path: Path, got: usize) {
        let transaction = self.transaction(index);
        let Some(peer) = self.peers.get_mut(index) else { return };
        let mut request = [0; MAX_REQUEST_BYTES];
        let len = peer.ice.ask(path, transaction, now, MOST_AMPLIFIED * got, &mut request);
        if let Some(request) = len.and_then(|len| request.get(..len)) {
            self.counters.path_checks_sent += 1;
            self.push_control(index, path, request.to_vec());
        }
    }

    /// A name for a check of ours: whose it is, and what nobody else calls theirs. It is no secret: a peer that could guess it also
    /// knows the password of its checks, which vouch for an address by themselves.
    fn transaction(&self, index: usize) -> Transaction {
        let mut transaction = [0; 12];
        let whose = u32::try_from(index).unwrap_or(u32::MAX).to_be_bytes();
        let which = scramble(self.seed ^ self.counters.path_checks_sent).to_be_bytes();
        let bytes = whose.into_iter().chain(which);
        transaction.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        transaction
    }

    /// An answer to a check of ours.
    pub(crate) fn receive_answer(&mut self, now: Instant, path: Path, answer: &Answer<'_>) {
        let whose = answer.transaction.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        let index = whose.and_then(|index| usize::try_from(index).ok());
        let is_answered = |index: &usize| {
            self.peers.get_mut(*index).is_some_and(|peer| peer.ice.is_answered(answer, path))
        };
        let Some(index) = index.filter(is_answered) else {
            return self.counters.dropped_stun_unasked += 1;
        };
        if !self.hold_address(index, path, now) {
            return self.counters.dropped_rebinding += 1;
        }
        let Some(peer) = self.peers.get_mut(index) else { return };
        let outcome = peer.ice.answered(path, now);
        if outcome == Check::TooManyAddresses {
            return self.counters.dropped_rebinding += 1;
        }
        self.counters.path_checks_answered += 1;
        self.vouched(index, path, outcome, now);
    }
}
