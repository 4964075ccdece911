//! What the server sends by itself: mails, kept in the database until a mail server has taken them.
//!
//! A mail is enqueued in the transaction of what causes it, so a visit that is not booked invites nobody. One task leases
//! what is due, sends it, and notes what became of it. It is sent at least once: killed between sending and noting, it is
//! sent again with the same `Message-ID`, and mailboxes that know one show it once. Refused for now (4xx, no
//! connection), it is tried again with growing pauses; refused for good (5xx), or in vain for [`TRIES`] times, it has
//! failed, which the screens say.
//!
//! A payload is sealed, and gone once the mail is settled. Whom it goes to is a person, whose address is read when it is
//! sent: one that was mistyped and put right gets nothing more. Nor does whoever the patient has shut out since.

pub mod address;
mod letter;
mod post;
mod sql;
mod store;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clinical::actor::{Millis, Role};
use clinical::format::Language;
use clinical::id::{PersonId, RecordId};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::config::{Mail, Practice};
use crate::http::problem::{Problem, ProblemCode};
use crate::record::writer::{Answer, Statement};
use crate::store::{Store, StoreError, now};
use crate::vault::{Dek, Vault, VaultError};

pub(crate) use letter::{Hour, Letter};
pub use post::MailSetupError;
pub(crate) use sql::ALL;
pub use store::{MailTrouble, Sent};
pub(crate) use store::{delivered, withdraw, withdraw_one};
pub(crate) use worker::start;

/// How often a mail is tried before it has failed: over about six hours. More helps a mail server that is down for a
/// day, fewer tells staff sooner that they must hand the link on.
const TRIES: i64 = 12;

/// Mails that may wait, on the whole server. A row is about 2 KB; a practice of fifty with reminders for a year is far
/// below.
const MOST_WAITING: i64 = 50_000;

/// Mails about one visit or plan, reminders too. Four people have twelve; more is somebody who clicks for ever.
const MOST_ABOUT: i64 = 60;

/// Mails made for one person in a day. Nobody's mailbox is flooded by moving a visit to and fro.
const MOST_A_DAY: i64 = 20;

/// How long what is settled is still shown, in milliseconds: 30 days.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// The way out. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    vault: Vault,
    post: post::Post,
    /// Where links lead.
    origin: String,
    practice: Practice,
    due: Notify,
    sent: AtomicU64,
    failed: AtomicU64,
}

/// What a mail is about: the rows of one thing are shown and withdrawn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Topic {
    /// Somebody is invited to a visit, or it moved.
    Invitation,
    /// A visit is cancelled.
    Cancellation,
    /// A visit comes near.
    Reminder,
    /// A plan was signed.
    Plan,
}

impl Topic {
    const fn name(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Cancellation => "cancellation",
            Self::Reminder => "reminder",
            Self::Plan => "plan",
        }
    }
}

/// A mail to be enqueued.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    /// To whom.
    pub(crate) person: PersonId,
    /// In which role they get it.
    pub(crate) role: Role,
    /// The record it has to do with.
    pub(crate) record: Option<RecordId>,
    /// As [`Topic`].
    pub(crate) topic: Topic,
    /// Of one thing: `visit:ID`.
    pub(crate) about: &'a str,
    /// A second one with the same key is not made.
    pub(crate) key: String,
    /// What it says.
    pub(crate) letter: Letter,
    /// In which language.
    pub(crate) language: Language,
    /// Not sent before.
    pub(crate) not_before: Millis,
    /// Not sent after.
    pub(crate) expires: Millis,
}

/// A mail as it waits: sealed.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    subject: String,
    text: String,
    calendar: Option<Calendar>,
}

/// An invitation that goes with a mail (RFC 6047).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calendar {
    /// REQUEST or CANCEL (RFC 5546).
    pub(crate) method: String,
    /// The file.
    pub(crate) file: String,
}

/// How much waits, and what became of the rest since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Age of the oldest mail that could have been sent, in seconds.
    pub(crate) lag_s: u64,
    /// Sent.
    pub(crate) sent: u64,
    /// Given up.
    pub(crate) failed: u64,
}

/// Of mails that somebody asked for once more: all of it is stored, or none, where this person was sent too many today.
///
/// # Errors
/// [`ProblemCode::SlowDown`], or the store is away.
pub(crate) fn stored(answer: Answer) -> Result<(), Problem> {
    match answer {
        Answer::OutOfStep => Err(Problem::new(ProblemCode::SlowDown)),
        other => Ok(other.committed()?),
    }
}

impl Outbox {
    /// Prepares the way; nothing is sent before [`start`].
    ///
    /// # Errors
    /// See [`MailSetupError`]; each says what to do.
    pub(crate) fn new(
        mail: &Mail,
        origin: String,
        practice: Practice,
        store: Store,
        vault: Vault,
    ) -> Result<Self, MailSetupError> {
        post::may_leave(mail, &origin, &practice)?;
        let post = post::Post::new(mail, &practice.name)?;
        let (sent, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        let due = Notify::new();
        Ok(Self(Arc::new(Inner { store, vault, post, origin, practice, due, sent, failed })))
    }

    /// The row of a mail, for the transaction of what causes it. Where too much waits, or too much was sent to this
    /// person today, the statement makes no row, and the screens say so.
    ///
    /// # Errors
    /// It cannot be sealed.
    pub(crate) fn statement(&self, dek: &Dek, item: Item<'_>) -> Result<Statement, VaultError> {
        let Item { person, role, record, topic, about, key, letter, language, not_before, expires } =
            item;
        let (subject, text) = letter::write(&letter, role, &self.0.practice, language);
        let calendar = letter.calendar();
        let payload = Payload { subject, text, calendar };
        let row = store::New {
            id: Uuid::now_v7(),
            about,
            topic,
            person,
            role,
            record,
            key: &key,
            not_before,
            expires,
        };
        store::enqueue(dek, &row, &payload, now())
    }

    /// The address of a path on this server: what stands in a mail.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.0.origin)
    }

    /// The practice's time zone.
    pub(crate) fn zone(&self) -> &str {
        &self.0.practice.zone
    }

    /// The address mails come from.
    pub(crate) fn from(&self) -> &str {
        self.0.post.from()
    }

    /// Something was enqueued: it is looked at now, not at the next turn.
    pub(crate) fn wake(&self) {
        self.0.due.notify_one();
    }

    /// For the operator's collector.
    ///
    /// # Errors
    /// The store said no.
    pub(crate) async fn counts(&self) -> Result<Counts, StoreError> {
        let now = now();
        let oldest = store::oldest_due(&self.0.store, now).await?;
        let lag = oldest.map_or(0, |oldest| now.0.saturating_sub(oldest.0)) / 1_000;
        Ok(Counts {
            lag_s: u64::try_from(lag).unwrap_or(0),
            sent: self.0.sent.load(Ordering::Relaxed),
            failed: self.0.failed.load(Ordering::Relaxed),
        })
    }
}
