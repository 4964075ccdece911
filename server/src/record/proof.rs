//! What a signature needs, and the proofs that a signer confirmed one: given out once an answer of a passkey held, taken
//! by the signature.

use clinical::actor::Millis;
use clinical::gate::CredentialKind;
use clinical::id::{PersonId, SeatId};
use clinical::phi::Phi;
use clinical::version::Sha256Hex;
use sha2::{Digest as _, Sha256};

use crate::config::StepUp;
use crate::link::Secret;
use crate::passkey::QUESTION_HOLDS_MS;
use crate::passkey::evidence::{Evidence, Question};
use crate::pending::{Full, Pending};

/// What a signature needs in this practice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    /// Credentials without which nobody signs.
    pub requires: Vec<CredentialKind>,
    /// Whether who has no passkey signs all the same.
    pub step_up: StepUp,
}

/// Somebody confirmed one signature.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    /// Who.
    pub(crate) person: PersonId,
    /// What they were asked.
    pub(crate) question: Question,
    /// With which passkey.
    pub(crate) passkey: Sha256Hex,
    /// When.
    pub(crate) at: Millis,
    /// What is kept of it.
    pub(crate) evidence: Evidence,
}

/// Every proof that waits for its signature: the newest of each seat.
#[derive(Debug)]
pub(crate) struct Proofs(Pending<SeatId, ([u8; 32], Proof)>);

impl Default for Proofs {
    fn default() -> Self {
        Self(Pending::new(QUESTION_HOLDS_MS))
    }
}

impl Proofs {
    /// Keeps a proof; gives back until when. The secret takes it, which the browser that answered gets and nobody else.
    pub(crate) fn give(&self, now: Millis, secret: &Secret, proof: Proof) -> Result<Millis, Full> {
        let hash = Sha256::digest(secret.as_bytes()).into();
        self.0.put(now, proof.question.seat, (hash, proof))
    }

    /// Takes the proof of a seat for what `fits`. Whoever has another secret takes nothing.
    pub(super) fn take(
        &self,
        now: Millis,
        seat: SeatId,
        secret: &Phi<String>,
        fits: impl FnOnce(&Proof) -> bool,
    ) -> Option<Proof> {
        let secret = Secret::parse(secret.expose())?;
        let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        let taken = self.0.take(now, &seat, |(known, proof)| *known == hash && fits(proof));
        taken.map(|(_, proof)| proof)
    }
}
