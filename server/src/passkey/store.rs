//! Passkeys at rest: public key and counter are sealed under the organisation's key, together with whose they are, so
//! that a row put under another person's name opens nothing.

use clinical::actor::Millis;
use clinical::bytes::Base64;
use clinical::id::PersonId;
use clinical::version::Sha256Hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::sql;
use crate::link::Token;
use crate::record::writer::Statement;
use crate::store::{Store, StoreError, now};
use crate::vault::{Dek, DekId, Spot, Vault, VaultError};

/// A passkey of somebody.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// As `mortar passkey list` prints it.
    pub id: Uuid,
    /// Whose.
    pub person: PersonId,
    /// SHA-256 of its credential id, as signed versions name it.
    pub fingerprint: Sha256Hex,
    /// What its owner calls it.
    pub name: String,
    /// Since when.
    pub added: Millis,
    /// When it was used last.
    pub used: Option<Millis>,
    /// Its counter went back then: it may have been copied, and is refused.
    pub copied: Option<Millis>,
    pub(super) uses: i64,
    pub(super) dek: DekId,
    pub(super) body: Body,
}

/// What is sealed of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// Whose: the row says so too, and whoever could write it could write another name there.
    pub(super) person: PersonId,
    /// Id of the credential.
    pub(super) credential: Base64,
    /// Public key, as a COSE_Key.
    pub(super) key: Base64,
    /// As its device named it last.
    pub(super) counter: u32,
    /// How a browser may reach it (WebAuthn §5.8.4).
    pub(super) transports: Vec<String>,
    /// What its owner calls it.
    pub(super) name: String,
}

impl Body {
    fn seal(&self, dek: &Dek, id: Uuid, uses: i64) -> Result<Vec<u8>, PasskeyError> {
        let json = serde_json::to_vec(self).map_err(|_never| StoreError::Row)?;
        Ok(dek.seal(spot(&id.to_string(), uses), &json)?)
    }
}

/// Why a passkey is not read or written.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It does not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<sqlx::Error> for PasskeyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

fn spot(id: &str, uses: i64) -> Spot<'_> {
    Spot { table: "passkey", row: id, seq: u64::try_from(uses).unwrap_or(0), column: "body" }
}

fn hash(token: &Token) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// The row of a new link.
pub(super) fn add_link(token: &Token, person: PersonId, now: Millis, expires: Millis) -> Statement {
    Statement::new(sql::ADD_LINK)
        .bytes(hash(token))
        .text(person.to_string())
        .int(now.0)
        .int(expires.0)
}

/// Whose link it is, and until when it holds.
pub(super) async fn link(
    store: &Store,
    token: &Token,
) -> Result<Option<(PersonId, Millis)>, StoreError> {
    let row: Option<(String, i64)> = sqlx::query_as(sql::LINK)
        .bind(hash(token))
        .bind(now().0)
        .fetch_optional(store.read())
        .await?;
    let Some((person, expires)) = row else { return Ok(None) };
    Ok(Some((person.parse().map_err(|_wrong| StoreError::Row)?, Millis(expires))))
}

/// The link is used up, or nothing of its work is stored.
pub(super) fn use_link(token: &Token, now: Millis) -> Statement {
    Statement::new(sql::USE_LINK).bytes(hash(token)).int(now.0).one_row()
}

/// The row of a new passkey.
pub(super) fn add(
    dek: &Dek,
    id: Uuid,
    fingerprint: &Sha256Hex,
    body: &Body,
    now: Millis,
) -> Result<Statement, PasskeyError> {
    Ok(Statement::new(sql::ADD)
        .text(id.to_string())
        .text(body.person.to_string())
        .text(fingerprint.as_str())
        .text(dek.id().0.to_string())
        .bytes(body.seal(dek, id, 0)?)
        .int(now.0))
}

type Row = (String, String, String, String, i64, Vec<u8>, i64, Option<i64>, Option<i64>);

/// Every passkey of a person, those that are refused included.
///
/// # Errors
/// The store said no, or one does not open.
pub async fn of(
    store: &Store,
    vault: &Vault,
    person: PersonId,
) -> Result<Vec<Passkey>, PasskeyError> {
    let rows: Vec<Row> =
        sqlx::query_as(sql::OF_PERSON).bind(person.to_string()).fetch_all(store.read()).await?;
    let mut found = Vec::with_capacity(rows.len());
    for (id, owner, credential, dek, uses, sealed, added, used, copied) in rows {
        let dek = DekId(dek.parse().map_err(|_wrong| StoreError::Row)?);
        let key = vault.key_by_id(store, dek).await?;
        let json = key.open(spot(&id, uses), &sealed)?;
        let body: Body = serde_json::from_slice(&json).map_err(|_wrong| StoreError::Row)?;
        let fingerprint = Sha256Hex::of(&body.credential.0);
        if body.person.to_string() != owner || fingerprint.as_str() != credential {
            return Err(VaultError::Broken.into());
        }
        found.push(Passkey {
            id: id.parse().map_err(|_wrong| StoreError::Row)?,
            person: body.person,
            fingerprint,
            name: body.name.clone(),
            added: Millis(added),
            used: used.map(Millis),
            copied: copied.map(Millis),
            uses,
            dek,
            body,
        });
    }
    Ok(found)
}

async fn count(store: &Store, statement: &'static str, values: &[&str]) -> Result<i64, StoreError> {
    let mut query = sqlx::query_scalar(statement);
    for value in values {
        query = query.bind((*value).to_owned());
    }
    Ok(query.fetch_one(store.read()).await?)
}

/// How many passkeys a person has, those that are refused included: from the first one on, nothing is signed without.
pub(crate) async fn held_by(store: &Store, person: PersonId) -> Result<u64, StoreError> {
    let held = count(store, sql::COUNT, &[&person.to_string()]).await?;
    Ok(u64::try_from(held).unwrap_or(0))
}

/// Whether a person still has this one, and it is not refused.
pub(crate) async fn holds(
    store: &Store,
    person: PersonId,
    fingerprint: &Sha256Hex,
) -> Result<bool, StoreError> {
    let person = person.to_string();
    Ok(count(store, sql::HOLDS, &[&person, fingerprint.as_str()]).await? > 0)
}

/// Whether anybody has this one.
pub(super) async fn known(store: &Store, fingerprint: &Sha256Hex) -> Result<bool, StoreError> {
    Ok(count(store, sql::KNOWN, &[fingerprint.as_str()]).await? > 0)
}

/// It was used, and names this counter now. Of two who use it at once, the second changes nothing.
pub(super) async fn used(
    store: &Store,
    vault: &Vault,
    passkey: &Passkey,
    counter: u32,
    now: Millis,
) -> Result<Statement, PasskeyError> {
    let dek = vault.key_by_id(store, passkey.dek).await?;
    let body = Body { counter, ..passkey.body.clone() };
    Ok(Statement::new(sql::USED)
        .text(passkey.id.to_string())
        .int(passkey.uses)
        .bytes(body.seal(&dek, passkey.id, passkey.uses.saturating_add(1))?)
        .int(now.0)
        .one_row())
}

/// Its counter went back: it is refused from now on.
pub(super) fn copied(passkey: &Passkey, now: Millis) -> Statement {
    Statement::new(sql::COPIED).text(passkey.id.to_string()).int(now.0)
}

/// Whose it is; `None` if there is no such passkey.
pub(super) async fn owner(store: &Store, id: Uuid) -> Result<Option<PersonId>, StoreError> {
    let found: Option<String> =
        sqlx::query_scalar(sql::OWNER).bind(id.to_string()).fetch_optional(store.read()).await?;
    found.map(|person| person.parse().map_err(|_wrong| StoreError::Row)).transpose()
}

/// It is taken away, or was already.
pub(super) fn remove(id: Uuid) -> Statement {
    Statement::new(sql::REMOVE).text(id.to_string()).one_row()
}

/// What was kept beside a signature: passkey, when, evidence (sealed).
pub(super) async fn evidence(
    store: &Store,
    doc: &str,
    seq: i64,
) -> Result<Option<(String, i64, Vec<u8>)>, StoreError> {
    Ok(sqlx::query_as(sql::EVIDENCE).bind(doc).bind(seq).fetch_optional(store.read()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::writer::Work;
    use crate::testing::Bench;
    use crate::vault::KeyOf;

    async fn stored(bench: &Bench, first: Vec<Statement>) -> Result<(), StoreError> {
        bench.writer.store(Work { first, ..Work::default() }).await.committed()
    }

    async fn passkey(bench: &Bench, person: PersonId) -> Uuid {
        let dek = bench.vault.key(&bench.store, KeyOf::Organisation).await.unwrap();
        let (id, credential) = (Uuid::now_v7(), Uuid::now_v7().as_bytes().to_vec());
        let fingerprint = Sha256Hex::of(&credential);
        let body = Body {
            person,
            credential: Base64(credential),
            key: Base64(b"Canary-key".to_vec()),
            counter: 7,
            transports: Vec::new(),
            name: "Canary-laptop".to_owned(),
        };
        let row = add(&dek, id, &fingerprint, &body, now()).unwrap();
        stored(bench, vec![row]).await.unwrap();
        id
    }

    #[tokio::test]
    async fn a_link_holds_until_it_is_used_or_too_old() {
        let bench = Bench::new().await;
        let (person, now) = (PersonId(Uuid::now_v7()), now());
        let (fresh, old) = (Token::new().unwrap(), Token::new().unwrap());
        let later = Millis(now.0 + 60_000);
        let rows = vec![
            add_link(&fresh, person, now, later),
            add_link(&old, person, now, Millis(now.0 - 1)),
        ];
        stored(&bench, rows).await.unwrap();

        assert_eq!(link(&bench.store, &old).await.unwrap(), None);
        assert_eq!(stored(&bench, vec![use_link(&old, now)]).await, Err(StoreError::Constraint));
        assert_eq!(link(&bench.store, &fresh).await.unwrap(), Some((person, later)));
        stored(&bench, vec![use_link(&fresh, now)]).await.unwrap();
        assert_eq!(link(&bench.store, &fresh).await.unwrap(), None);
        assert_eq!(stored(&bench, vec![use_link(&fresh, now)]).await, Err(StoreError::Constraint));
        assert!(!bench.folder.holds(&fresh.text()), "the token itself is nowhere kept");
    }

    #[tokio::test]
    async fn of_two_who_use_a_passkey_at_once_the_second_changes_nothing() {
        let bench = Bench::new().await;
        let Bench { store, vault, .. } = &bench;
        let person = PersonId(Uuid::now_v7());
        passkey(&bench, person).await;
        assert!(!bench.folder.holds("Canary"), "key and name are sealed");
        let held = of(store, vault, person).await.unwrap().remove(0);

        let first = used(store, vault, &held, 8, now()).await.unwrap();
        let second = used(store, vault, &held, 9, now()).await.unwrap();
        stored(&bench, vec![first]).await.unwrap();
        assert_eq!(stored(&bench, vec![second]).await, Err(StoreError::Constraint));

        assert_eq!(of(store, vault, person).await.unwrap().remove(0).body.counter, 8);
    }

    #[tokio::test]
    async fn a_passkey_put_under_another_name_opens_nothing() {
        let bench = Bench::new().await;
        let Bench { store, vault, .. } = &bench;
        let (ana, eve) = (PersonId(Uuid::now_v7()), PersonId(Uuid::now_v7()));
        passkey(&bench, ana).await;
        passkey(&bench, eve).await;
        let swap = "update passkey set person = (select person from passkey order by added_ms, id limit 1)";
        store.tamper(&[swap]).await.unwrap();

        let found = of(store, vault, ana).await;

        assert!(matches!(found, Err(PasskeyError::Vault(VaultError::Broken))), "{found:?}");
    }
}
