//! Mails at rest.

use clinical::actor::{Millis, Role};
use clinical::id::{PersonId, RecordId};
use clinical::phi::Phi;
use serde::Serialize;
use uuid::Uuid;

use super::{KEPT_MS, MOST_A_DAY, MOST_ABOUT, MOST_WAITING, Payload, Topic, sql};
use crate::audit::role_name;
use crate::record::writer::Statement;
use crate::store::{Store, StoreError};
use crate::vault::{Dek, DekId, Spot, Vault, VaultError};

/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How long a mail that was taken to be sent is not taken again, in milliseconds. Longer than sending one may take.
const LEASE_MS: i64 = 60_000;

/// Why a mail failed, or is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum MailTrouble {
    /// The mail server of the address says that there is no such mailbox.
    NoMailbox,
    /// A mail server refused it.
    Refused,
    /// The practice's mail server did not take the login of the server.
    Login,
    /// No mail server was reached, or it did not answer in time.
    Unreachable,
    /// It came too late to be of use.
    Late,
    /// The person has no address any more.
    NoAddress,
    /// The patient does not want them to have anything of the plan.
    ShutOut,
    /// It could not be read.
    Broken,
}

impl MailTrouble {
    const ALL: [Self; 8] = [
        Self::NoMailbox,
        Self::Refused,
        Self::Login,
        Self::Unreachable,
        Self::Late,
        Self::NoAddress,
        Self::ShutOut,
        Self::Broken,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NoMailbox => "no_mailbox",
            Self::Refused => "refused",
            Self::Login => "login",
            Self::Unreachable => "unreachable",
            Self::Late => "late",
            Self::NoAddress => "no_address",
            Self::ShutOut => "shut_out",
            Self::Broken => "broken",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "MailState"))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Sent {
    /// It waits to be sent.
    Queued,
    /// It did not work so far.
    Trying {
        /// Why.
        why: MailTrouble,
        /// When it is tried again.
        next_ms: Millis,
    },
    /// A mail server has taken it.
    Sent {
        /// When.
        at_ms: Millis,
    },
    /// Nobody got it.
    Failed {
        /// Why.
        why: MailTrouble,
        /// What the mail server answered (RFC 5321 section 4.2.1).
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        code: Option<u16>,
    },
}

/// A new row.
pub(super) struct New<'a> {
    pub(super) id: Uuid,
    pub(super) about: &'a str,
    pub(super) topic: Topic,
    pub(super) person: PersonId,
    pub(super) role: Role,
    pub(super) record: Option<RecordId>,
    pub(super) key: &'a str,
    pub(super) not_before: Millis,
    pub(super) expires: Millis,
}

/// A mail that was taken to be sent.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) id: Uuid,
    pub(super) person: PersonId,
    pub(super) role: Role,
    pub(super) record: Option<RecordId>,
    dek: String,
    payload: Vec<u8>,
    pub(super) expires: Millis,
    pub(super) attempts: i64,
}

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    Sent,
    Again { at: Millis, why: MailTrouble, code: Option<u16> },
    Failed { why: MailTrouble, code: Option<u16> },
}

const fn spot(id: &str) -> Spot<'_> {
    Spot { table: "outbox", row: id, seq: 0, column: "payload" }
}

pub(super) fn enqueue(
    dek: &Dek,
    new: &New<'_>,
    payload: &Payload,
    now: Millis,
) -> Result<Statement, VaultError> {
    let New { id, about, topic, person, role, record, key, not_before, expires } = new;
    let id = id.to_string();
    let plain = serde_json::to_vec(payload).map_err(|_never| VaultError::Broken)?;
    let sealed = dek.seal(spot(&id), &plain)?;
    Ok(Statement::new(sql::ENQUEUE)
        .text(id)
        .text(*about)
        .text(topic.name())
        .text(person.to_string())
        .text(role_name(*role))
        .text_or_null(record.map(|record| record.to_string()))
        .text(*key)
        .text(dek.id().0.to_string())
        .bytes(sealed)
        .int(now.0)
        .int(not_before.0)
        .int(expires.0)
        .int(MOST_WAITING)
        .int(MOST_ABOUT)
        .int(now.0.saturating_sub(DAY_MS))
        .int(MOST_A_DAY))
}

/// Takes everything back that waits about something.
pub(crate) fn withdraw(about: &str, now: Millis) -> Statement {
    Statement::new(sql::WITHDRAW).text(about).int(now.0).bytes(Vec::new())
}

/// Takes back what waits for one person.
pub(crate) fn withdraw_one(about: &str, person: PersonId, topic: Topic, now: Millis) -> Statement {
    Statement::new(sql::WITHDRAW_ONE)
        .text(about)
        .text(person.to_string())
        .text(topic.name())
        .int(now.0)
        .bytes(Vec::new())
}

/// The instant since which the oldest mail could have been sent.
pub(super) async fn oldest_due(store: &Store, now: Millis) -> Result<Option<Millis>, StoreError> {
    let oldest: Option<i64> =
        sqlx::query_scalar(sql::DUE).bind(now.0).fetch_one(store.read()).await?;
    Ok(oldest.map(Millis))
}

/// Frees what a process that is gone had taken: the folder's lock says that no other server runs on it.
pub(super) async fn free(store: &Store) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    sqlx::query(sql::FREE).execute(&mut *write).await?;
    write.commit().await?;
    Ok(())
}

type Line = (String, String, String, Option<String>, String, Vec<u8>, i64, i64);

/// Takes what is due, `most` at a time.
pub(super) async fn lease(store: &Store, now: Millis, most: i64) -> Result<Vec<Taken>, StoreError> {
    let mut write = store.write().await?;
    let lines: Vec<Line> = sqlx::query_as(sql::LEASE)
        .bind(now.0.saturating_add(LEASE_MS))
        .bind(now.0)
        .bind(most)
        .fetch_all(&mut *write)
        .await?;
    write.commit().await?;
    let read = |line| match taken(line) {
        Ok(mail) => Some(mail),
        Err(error) => {
            tracing::error!(%error, "a mail does not read: it is left");
            None
        }
    };
    Ok(lines.into_iter().filter_map(read).collect())
}

fn taken(line: Line) -> Result<Taken, StoreError> {
    let (id, person, role, record, dek, payload, expires, attempts) = line;
    Ok(Taken {
        id: id.parse().map_err(|_wrong| StoreError::Row)?,
        person: person.parse().map_err(|_wrong| StoreError::Row)?,
        role: role_of(&role)?,
        record: record.map(|id| id.parse()).transpose().map_err(|_wrong| StoreError::Row)?,
        dek,
        payload,
        expires: Millis(expires),
        attempts,
    })
}

fn role_of(name: &str) -> Result<Role, StoreError> {
    let found = Role::ALL.into_iter().find(|known| role_name(*known) == name);
    found.ok_or(StoreError::Row)
}

impl Taken {
    /// What it says.
    pub(super) async fn open(&self, store: &Store, vault: &Vault) -> Result<Payload, VaultError> {
        let dek = self.dek.parse().map(DekId).map_err(|_wrong| VaultError::Broken)?;
        let dek = vault.key_by_id(store, dek).await?;
        let plain = Phi::new(dek.open(spot(&self.id.to_string()), &self.payload)?);
        serde_json::from_slice(plain.expose()).map_err(|_wrong| VaultError::Broken)
    }
}

/// Notes what became of a try.
pub(super) async fn note(
    store: &Store,
    id: Uuid,
    became: Became,
    now: Millis,
) -> Result<(), StoreError> {
    let settle = |state: &'static str, why: Option<MailTrouble>, code: Option<u16>| {
        Statement::new(sql::SETTLE)
            .text(id.to_string())
            .text(state)
            .int(now.0)
            .text_or_null(why.map(|why| why.name().to_owned()))
            .int_or_null(code.map(i64::from))
            .bytes(Vec::new())
    };
    let statement = match became {
        Became::Sent => settle("sent", None, None),
        Became::Failed { why, code } => settle("failed", Some(why), code),
        Became::Again { at, why, code } => Statement::new(sql::AGAIN)
            .text(id.to_string())
            .int(at.0)
            .text(why.name())
            .int_or_null(code.map(i64::from)),
    };
    let mut write = store.write().await?;
    statement.execute(&mut write).await?;
    write.commit().await?;
    Ok(())
}

/// Forgets what is long settled.
pub(super) async fn purge(store: &Store, now: Millis) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    sqlx::query(sql::PURGE).bind(now.0.saturating_sub(KEPT_MS)).execute(&mut *write).await?;
    write.commit().await?;
    Ok(())
}

type Told = (String, String, String, i64, i64, Option<i64>, Option<String>, Option<i64>);

/// What became of the last mail to each person about something.
pub(crate) async fn delivered(
    store: &Store,
    about: &str,
) -> Result<Vec<(PersonId, Sent)>, StoreError> {
    let lines: Vec<Told> =
        sqlx::query_as(sql::DELIVERED).bind(about).fetch_all(store.read()).await?;
    let mut last: Vec<(PersonId, Sent)> = Vec::new();
    for line in lines {
        let (person, sent) = told(line)?;
        last.retain(|(known, _)| *known != person);
        last.push((person, sent));
    }
    Ok(last)
}

fn told(line: Told) -> Result<(PersonId, Sent), StoreError> {
    let (person, _topic, state, attempts, not_before, settled, reason, code) = line;
    let person = person.parse().map_err(|_wrong| StoreError::Row)?;
    let why = reason.as_deref().and_then(MailTrouble::of);
    let sent = match (state.as_str(), why) {
        ("waiting", Some(why)) if attempts > 0 => Sent::Trying { why, next_ms: Millis(not_before) },
        ("waiting", _) => Sent::Queued,
        ("sent", _) => Sent::Sent { at_ms: Millis(settled.ok_or(StoreError::Row)?) },
        ("failed", why) => Sent::Failed {
            why: why.ok_or(StoreError::Row)?,
            code: code.and_then(|code| u16::try_from(code).ok()),
        },
        _ => return Err(StoreError::Row),
    };
    Ok((person, sent))
}
