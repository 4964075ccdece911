//! What is kept of a signature that was confirmed with a passkey: the question, the answer and the public key. With it
//! anybody can check later that this passkey answered for this document as it stood, without trusting what the server
//! said at the time.

use clinical::actor::Millis;
use clinical::bytes::Base64;
use clinical::id::{DocId, SeatId, VisitId};
use clinical::phi::Phi;
use clinical::version::{Confirmation, Content, Sha256Hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::webauthn::{self, Assertion};
use super::{sql, store};
use crate::record::writer::Statement;
use crate::store::{Store, StoreError};
use crate::vault::{Dek, Spot, VaultError};

/// Begins every challenge of a signature, so that it can never be one for anything else.
const PURPOSE: &[u8] = b"mortar: sign the plan, 1";

/// What somebody is asked to confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// Who is asked.
    pub(crate) seat: SeatId,
    /// In which visit.
    pub(crate) visit: VisitId,
    /// The plan.
    pub(crate) doc: DocId,
    /// Its last change, as the signer saw it.
    pub(crate) seen: u64,
    /// 256 random bits: two questions are never the same.
    pub(crate) nonce: [u8; 32],
}

impl Question {
    /// What the passkey signs: a hash of all of it, so that an answer cannot be to another question.
    pub(crate) fn challenge(&self) -> [u8; 32] {
        let Self { seat, visit, doc, seen, nonce } = self;
        let mut sha = Sha256::new();
        sha.update(PURPOSE);
        sha.update(nonce);
        for id in [seat.0, visit.0, doc.0] {
            sha.update(id.as_bytes());
        }
        sha.update(seen.to_be_bytes());
        sha.finalize().into()
    }
}

/// See the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Evidence {
    pub(super) question: Question,
    pub(super) credential: Base64,
    pub(super) key: Base64,
    pub(super) client_data: Base64,
    pub(super) authenticator_data: Base64,
    pub(super) signature: Base64,
}

const fn spot(doc: &str, seq: u64) -> Spot<'_> {
    Spot { table: "step_up", row: doc, seq, column: "evidence" }
}

impl Evidence {
    /// The row beside the change that signs: the one after what was seen.
    pub(crate) fn statement(&self, dek: &Dek, at: Millis) -> Result<Statement, VaultError> {
        let Question { doc, seen, .. } = self.question;
        let seq = seen.saturating_add(1);
        let name = doc.to_string();
        let json = serde_json::to_vec(self).map_err(|_never| VaultError::Broken)?;
        let sealed = dek.seal(spot(&name, seq), &json)?;
        Ok(Statement::new(sql::ADD_EVIDENCE)
            .text(name)
            .int(i64::try_from(seq).unwrap_or(i64::MAX))
            .text(Sha256Hex::of(&self.credential.0).as_str())
            .int(at.0)
            .bytes(sealed))
    }

    /// Whether the passkey answered for this document as it stood.
    fn proves(&self, content: &Content) -> bool {
        let Self { question, credential, key, client_data, authenticator_data, signature } = self;
        let passkey = Sha256Hex::of(&credential.0);
        let named = matches!(&content.signer.confirmed, Some(Confirmation::Passkey { passkey: named, .. }) if *named == passkey);
        let assertion = Assertion {
            client_data: &client_data.0,
            authenticator_data: &authenticator_data.0,
            signature: &signature.0,
            user_handle: None,
        };
        named
            && (question.doc, question.seen) == (content.doc, content.seq)
            && webauthn::still_holds(&question.challenge(), &key.0, assertion).is_ok()
    }
}

/// What is wrong with the confirmation of a signed version, if anything: what the version says against what is kept.
/// `seq` is the change that signed it.
///
/// # Errors
/// The store said no.
pub(crate) async fn fault(
    store: &Store,
    dek: &Dek,
    seq: u64,
    content: &Phi<Vec<u8>>,
) -> Result<Option<&'static str>, StoreError> {
    let Ok(content) = serde_json::from_slice::<Content>(content.expose()) else {
        return Ok(Some("does not read"));
    };
    let name = content.doc.to_string();
    let stored = i64::try_from(seq).unwrap_or(i64::MAX);
    let kept = store::evidence(store, &name, stored).await?;
    Ok(match (&content.signer.confirmed, kept) {
        (None | Some(Confirmation::Link), None) => None,
        (None | Some(Confirmation::Link), Some(_)) => {
            Some("confirmed with a passkey that it does not name")
        }
        (Some(Confirmation::Passkey { .. }), None) => Some("its confirmation is missing"),
        (Some(Confirmation::Passkey { passkey, at_ms }), Some((named, at, sealed))) => {
            let evidence = dek.open(spot(&name, seq), &sealed).ok();
            let evidence = evidence.and_then(|json| serde_json::from_slice::<Evidence>(&json).ok());
            let holds = evidence.is_some_and(|evidence| evidence.proves(&content));
            let same = (passkey.as_str(), at_ms.0) == (named.as_str(), at);
            (!holds || !same).then_some("its confirmation is not what was stored")
        }
    })
}
