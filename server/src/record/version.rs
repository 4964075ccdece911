//! Signed versions at rest, and what a signature needs to know.

use clinical::actor::{Actor, Millis};
use clinical::gate::{CredentialKind, SigningFacts};
use clinical::id::{DocId, PersonId, VisitId};
use clinical::phi::Phi;
use clinical::value::PartialDate;
use clinical::version::{Confirmation, SealedVersion, Sha256Hex};

use super::sql;
use super::writer::{Statement, stored};
use crate::credential;
use crate::store::{Store, StoreError, now};
use crate::vault::{Dek, Spot, VaultError};

/// A version's row without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VersionRow {
    /// From 1.
    pub(crate) version: u32,
    /// The change that signed it.
    pub(crate) seq: u64,
    /// As it was noted when it was signed.
    pub(crate) sha256: String,
    /// Who signed.
    pub(crate) person: PersonId,
    /// When.
    pub(crate) at_ms: Millis,
    /// The passkey they confirmed it with, and when.
    pub(crate) confirmed: Option<(String, Millis)>,
}

const fn spot(doc: &str, version: u32) -> Spot<'_> {
    Spot { table: "doc_version", row: doc, seq: version as u64, column: "content" }
}

/// The row of a version, to be written with the change that signs it.
pub(super) fn statement(
    dek: &Dek,
    doc: DocId,
    version: &SealedVersion,
    person: PersonId,
) -> Result<Statement, VaultError> {
    let SealedVersion { version, content, sha256, seq } = version;
    let name = doc.to_string();
    let content = dek.seal(spot(&name, *version), content.expose())?;
    Ok(Statement::new(sql::ADD_VERSION)
        .text(name)
        .int(i64::from(*version))
        .int(stored(*seq))
        .bytes(content)
        .text(sha256.as_str())
        .text(person.to_string())
        .int(now().0))
}

/// Version, change, hash, person, when; passkey, when it confirmed.
type Listed = (i64, i64, String, String, i64, Option<String>, Option<i64>);

/// The versions of a document, oldest first.
pub(crate) async fn list(store: &Store, doc: DocId) -> Result<Vec<VersionRow>, StoreError> {
    let rows: Vec<Listed> =
        sqlx::query_as(sql::VERSIONS).bind(doc.to_string()).fetch_all(store.read()).await?;
    rows.into_iter()
        .map(|(version, seq, sha256, person, at_ms, passkey, confirmed_ms)| {
            Ok(VersionRow {
                version: u32::try_from(version).map_err(|_wrong| StoreError::Row)?,
                seq: u64::try_from(seq).map_err(|_wrong| StoreError::Row)?,
                sha256,
                person: person.parse().map_err(|_wrong| StoreError::Row)?,
                at_ms: Millis(at_ms),
                confirmed: passkey.zip(confirmed_ms.map(Millis)),
            })
        })
        .collect()
}

/// The bytes that were signed; `None` if there is no such version.
///
/// # Errors
/// The store said no; or the bytes do not open, or are not those that were signed.
pub(crate) async fn content(
    store: &Store,
    dek: &Dek,
    doc: DocId,
    version: u32,
) -> Result<Option<Phi<Vec<u8>>>, VersionError> {
    let name = doc.to_string();
    let row: Option<(Vec<u8>, String)> = sqlx::query_as(sql::VERSION)
        .bind(&name)
        .bind(i64::from(version))
        .fetch_optional(store.read())
        .await
        .map_err(StoreError::from)?;
    let Some((sealed, sha256)) = row else { return Ok(None) };
    let bytes = dek.open(spot(&name, version), &sealed).map_err(|_broken| VersionError::Sealed)?;
    if Sha256Hex::of(&bytes).as_str() != sha256 {
        return Err(VersionError::Changed);
    }
    Ok(Some(Phi::new(bytes)))
}

/// Why a version is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VersionError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It does not open.
    #[error("the version does not open: its bytes were changed, or stand in another place")]
    Sealed,
    /// Its hash is another.
    #[error("the version is not what was signed: its hash differs")]
    Changed,
}

/// What is known of somebody who wants to sign.
pub(super) async fn facts(
    store: &Store,
    actor: Actor,
    name: Phi<String>,
    visit: Option<VisitId>,
    required: &[CredentialKind],
) -> Result<SigningFacts, StoreError> {
    let took_part: i64 = match visit {
        Some(visit) => {
            sqlx::query_scalar(sql::PATIENT_TOOK_PART)
                .bind(visit.to_string())
                .fetch_one(store.read())
                .await?
        }
        None => 0,
    };
    Ok(SigningFacts {
        name,
        credentials: credential::of(store, actor.person).await?,
        required: required.to_vec(),
        patient_took_part: took_part > 0,
        today: PartialDate::of(now()),
        confirmed: Confirmation::Link,
    })
}
