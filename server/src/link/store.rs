//! Links and seat sessions at rest. Only the SHA-256 of a token or cookie can be looked up, so a wrong one costs the
//! same as a right one.

use clinical::actor::Millis;
use clinical::id::SeatId;
use sha2::{Digest as _, Sha256};

use super::sql;
use super::token::{Secret, Token};
use crate::record::writer::Statement;
use crate::store::{Store, StoreError, now};
use crate::vault::{Dek, DekId, KeyOf, Spot, Vault, VaultError};

fn hash(secret: &[u8]) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

const fn token_spot(hash: &str) -> Spot<'_> {
    Spot { table: "link", row: hash, seq: 0, column: "token" }
}

const fn key_spot(hash: &str) -> Spot<'_> {
    Spot { table: "seat_session", row: hash, seq: 0, column: "queue_key" }
}

/// The row of a new link of a seat, sealed under the organisation's key.
pub(crate) fn statement(
    dek: &Dek,
    seat: SeatId,
    token: &Token,
    now: Millis,
) -> Result<Statement, VaultError> {
    let hash = hash(token.as_bytes());
    let sealed = dek.seal(token_spot(&hex(&hash)), token.as_bytes())?;
    Ok(Statement::new(sql::ADD_LINK)
        .bytes(hash)
        .text(seat.to_string())
        .text(dek.id().0.to_string())
        .bytes(sealed)
        .int(now.0))
}

/// Keeps a new link of a seat.
pub(super) async fn add_link(
    store: &Store,
    vault: &Vault,
    seat: SeatId,
    token: &Token,
) -> Result<(), VaultError> {
    let hash = hash(token.as_bytes());
    let spot = hex(&hash);
    keep(store, vault, sql::ADD_LINK, hash, seat, token_spot(&spot), token.as_bytes()).await
}

/// Adds a row that is found by the hash of one secret and holds another, sealed.
async fn keep(
    store: &Store,
    vault: &Vault,
    add: &'static str,
    hash: Vec<u8>,
    seat: SeatId,
    spot: Spot<'_>,
    secret: &[u8],
) -> Result<(), VaultError> {
    let dek = vault.key(store, KeyOf::Organisation).await?;
    let sealed = dek.seal(spot, secret)?;
    let mut write = store.write().await?;
    sqlx::query(add)
        .bind(hash)
        .bind(seat.to_string())
        .bind(dek.id().0.to_string())
        .bind(sealed)
        .bind(now().0)
        .execute(&mut *write)
        .await?;
    write.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Where a link leads.
pub(super) async fn seat_of(store: &Store, token: &Token) -> Result<Option<SeatId>, StoreError> {
    let row: Option<(String,)> =
        sqlx::query_as(sql::LINK).bind(hash(token.as_bytes())).fetch_optional(store.read()).await?;
    row.map(|(seat,)| seat.parse().map_err(|_wrong| StoreError::Row)).transpose()
}

/// The link of a seat, to show it again.
pub(super) async fn link_of(
    store: &Store,
    vault: &Vault,
    seat: SeatId,
) -> Result<Option<Token>, VaultError> {
    let row: Option<(Vec<u8>, String, Vec<u8>)> = sqlx::query_as(sql::LINK_OF_SEAT)
        .bind(seat.to_string())
        .fetch_optional(store.read())
        .await?;
    let Some((hash, dek, sealed)) = row else { return Ok(None) };
    let dek = vault.key_by_id(store, dek_id(&dek)?).await?;
    let plain = dek.open(token_spot(&hex(&hash)), &sealed)?;
    let token = <[u8; Token::BYTES]>::try_from(plain).map_err(|_wrong| VaultError::Broken)?;
    Ok(Some(Token::from_bytes(token)))
}

/// Takes every link of a seat back, and ends its sessions.
pub(super) async fn revoke(store: &Store, seat: SeatId) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    sqlx::query(sql::REVOKE_LINKS)
        .bind(seat.to_string())
        .bind(now().0)
        .execute(&mut *write)
        .await?;
    sqlx::query(sql::DELETE_SESSIONS).bind(seat.to_string()).execute(&mut *write).await?;
    write.commit().await?;
    Ok(())
}

/// A seat session as it is kept.
#[derive(Debug)]
pub(crate) struct Session {
    /// Whose.
    pub(crate) seat: SeatId,
    /// Since when.
    pub(crate) created: Millis,
    /// SHA-256 of the cookie: names the session without being it.
    pub(crate) hash: [u8; 32],
    dek: String,
    sealed_key: Vec<u8>,
}

/// Begins a session of a seat.
pub(super) async fn add_session(
    store: &Store,
    vault: &Vault,
    seat: SeatId,
    cookie: &Secret,
    queue_key: &[u8],
) -> Result<(), VaultError> {
    let hash = hash(cookie.as_bytes());
    let spot = hex(&hash);
    keep(store, vault, sql::ADD_SESSION, hash, seat, key_spot(&spot), queue_key).await
}

/// The session of a cookie.
pub(crate) async fn session(store: &Store, cookie: &Secret) -> Result<Option<Session>, StoreError> {
    session_by_hash(store, &Sha256::digest(cookie.as_bytes()).into()).await
}

/// The session whose cookie has this hash.
pub(crate) async fn session_by_hash(
    store: &Store,
    hash: &[u8; 32],
) -> Result<Option<Session>, StoreError> {
    let row: Option<(String, String, Vec<u8>, i64)> =
        sqlx::query_as(sql::SESSION).bind(hash.to_vec()).fetch_optional(store.read()).await?;
    let Some((seat, dek, sealed_key, created)) = row else { return Ok(None) };
    Ok(Some(Session {
        seat: seat.parse().map_err(|_wrong| StoreError::Row)?,
        created: Millis(created),
        hash: *hash,
        dek,
        sealed_key,
    }))
}

/// The key under which this session's browser keeps unsent edits.
pub(crate) async fn queue_key(
    store: &Store,
    vault: &Vault,
    session: &Session,
) -> Result<Vec<u8>, VaultError> {
    let dek = vault.key_by_id(store, dek_id(&session.dek)?).await?;
    dek.open(key_spot(&hex(&session.hash)), &session.sealed_key)
}

/// Ends one session.
pub(crate) async fn end_session(store: &Store, hash: &[u8; 32]) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    sqlx::query(sql::DELETE_SESSION).bind(hash.to_vec()).execute(&mut *write).await?;
    write.commit().await?;
    Ok(())
}

/// Wrong birth dates of a seat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WrongDates {
    /// In this round.
    pub(super) round: i64,
    /// When the round began.
    pub(super) since: Millis,
    /// On `day`.
    pub(super) today: i64,
    /// Days since 1970.
    pub(super) day: i64,
}

pub(super) async fn wrong_dates(store: &Store, seat: SeatId) -> Result<WrongDates, StoreError> {
    let row: Option<(i64, i64, i64, i64)> = sqlx::query_as(sql::WRONG_DATES)
        .bind(seat.to_string())
        .fetch_optional(store.read())
        .await?;
    let (round, since, today, day) = row.ok_or(StoreError::Row)?;
    Ok(WrongDates { round, since: Millis(since), today, day })
}

pub(super) async fn set_wrong_dates(
    store: &Store,
    seat: SeatId,
    wrong: WrongDates,
) -> Result<(), StoreError> {
    let WrongDates { round, since, today, day } = wrong;
    let mut write = store.write().await?;
    sqlx::query(sql::SET_WRONG_DATES)
        .bind(seat.to_string())
        .bind(round)
        .bind(since.0)
        .bind(today)
        .bind(day)
        .execute(&mut *write)
        .await?;
    write.commit().await?;
    Ok(())
}

fn dek_id(text: &str) -> Result<DekId, VaultError> {
    text.parse().map(DekId).map_err(|_wrong| VaultError::Broken)
}
